/*
 * mend_words: one field in the making, its words, tokens and comments.
 * Called by mend.c and by the files of its kinds of fields.
 * Pure. It makes one line; mend.c folds it when all is there.
 * RFC 2047 5 and 6.2 (where encoded words stand), RFC 5322 3.2 (tokens).
 * Ownership: texts are borrowed, what is made belongs to struct mending.
 */
#ifndef MAIL_MEND_WORDS_H
#define MAIL_MEND_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "mail/header.h"

struct err;

/* Longest word that stays one, white space before it included: a line has
 * room for it and for the few specials at its ends. */
#define MEND_WORD_MAX 990
/* Longest white space that stays outside of words. */
#define MEND_GAP_MAX 500

struct span {
	const char *s; /* borrowed */
	size_t n;
};

struct mending {
	const struct field *f; /* borrowed */
	bool utf8; /* the server has SMTPUTF8 */
	struct buf body; /* owned: what the field says, unfolded */
	struct buf line; /* owned: what it will say, in one line */
	struct buf run; /* owned: text that will be encoded words */
	struct buf word; /* owned: a word without its quoting */
	enum header_kind kind; /* of those words */
	bool open; /* there is a run, maybe of no text */
	bool coded; /* the last word was an encoded one, as it came */
	bool made; /* the line ends with one that we made */
	bool refused; /* sticky: *e says why */
	struct err *e; /* borrowed */
};

/* True for octets that the server does not take as they are. */
bool mend_unfit(const struct mending *, struct span);

/* True if it has white space or a word that no line has room for. */
bool mend_too_long(struct span);

/*
 * The field cannot be mended: `NAME WHAT`. Why is `bad` octets in it: 5.6.9
 * if SMTPUTF8 would take them, 5.6.0 if not. The first refusal stays.
 */
void mend_refuse(struct mending *, struct span bad, const char *what);

/* The same with 5.6.0 for what no server would take: `NAME WHAT`. */
void mend_refuse_plainly(struct mending *, const char *what);

/* `NAME has WHAT of N octets`, which no folding can make fit: 5.6.0. */
void mend_refuse_long(struct mending *, const char *what, size_t n);

/*
 * The next word: as it is in the line, or, if it must be, as text of a run of
 * encoded words, which has the white space between its words inside (RFC 2047
 * 6.2). `text` is the word without its quoting.
 */
struct word {
	struct span gap; /* the white space before it */
	struct span raw;
	struct span text;
	bool unfit; /* it must be encoded */
};
void mend_word(struct mending *, const struct word *);

/* Octets as they are; a run before them ends. */
void mend_put(struct mending *, struct span);

/* White space of a structured field, as it is or, if too long, as one. */
void mend_gap(struct mending *, struct span);

/* A run that is open becomes encoded words. */
void mend_end_run(struct mending *);

enum token {
	TOKEN_END,
	TOKEN_GAP,
	TOKEN_ATOM, /* octets over 127 and controls too */
	TOKEN_QUOTED, /* with its quotes; open at the end is taken too */
	TOKEN_COMMENT, /* with the comments inside it; open: the same */
	TOKEN_LITERAL, /* [...] */
	TOKEN_SPECIAL /* one octet */
};

/* The token at the beginning of *rest, which is then behind it. */
enum token mend_token(struct span *rest, struct span *out);

/* What a quoted string says, appended: no quotes, no backslashes. */
void mend_unquote(struct buf *, struct span);

/* A comment, with encoded words where it needs them (RFC 2047 5 (2)). */
void mend_comment(struct mending *, struct span);

/*
 * Tokens as they are, but comments mended; octets that do not fit are
 * refused, with `what` they are in.
 */
void mend_tokens(struct mending *, struct span, const char *what);

#endif
