/*
 * dialogue: the language of scripted SMTP dialogues, read and checked.
 * Called by the test player and by --script; play.h plays what is read.
 * It opens no file and knows no reply: a script is octets in, steps out.
 * The language is described in tests/dialogues/README.md.
 * Ownership: all belongs to struct dialogue; dialogue_free() releases it.
 */
#ifndef SMTP_DIALOGUE_H
#define SMTP_DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;

enum side { SIDE_CLIENT = 'C', SIDE_SERVER = 'S' };

/* What a side does; a row in dialogue.c reads it, one in play.c plays it. */
enum dialogue_kind {
	DIALOGUE_LINE, /* ":" a line */
	DIALOGUE_REGEX, /* "~" a line that matches a regular expression */
	DIALOGUE_OCTETS, /* "-" octets without a line end */
	DIALOGUE_LAST, /* "+" the last line of a reply, others before it */
	DIALOGUE_OPTIONAL, /* "?" a line that need not come */
	DIALOGUE_CLOSE,
	DIALOGUE_RESET,
	DIALOGUE_STALL,
	DIALOGUE_DEAF,
	DIALOGUE_REPEAT,
	DIALOGUE_ENDLESS,
	DIALOGUE_PIECES,
	DIALOGUE_DATA,
	DIALOGUE_TAKE,
	DIALOGUE_CALL, /* something that only its player knows */
	DIALOGUE_KINDS
};

/* "name: text" above the first block; what it means, the caller says. */
struct dialogue_field {
	unsigned line;
	char *name; /* owned */
	char *text; /* owned, as it stands */
};

struct dialogue_step {
	unsigned line;
	enum side side; /* whose turn it is */
	enum dialogue_kind kind;
	char *text; /* owned, as it stands; "" without one */
	uint64_t n; /* how many; 0 without a number */
	uint64_t ms; /* pieces: milliseconds before each */
};

struct dialogue_connection {
	unsigned line;
	bool optional; /* it need not come */
	struct dialogue_step *steps; /* owned */
	size_t n;
};

struct dialogue_server {
	unsigned line;
	char *name; /* owned; "" in a script without "server" lines */
	char *form; /* owned: what stands behind the name, "" if nothing */
	struct dialogue_connection *connections; /* owned, in order */
	size_t n;
};

struct dialogue {
	struct dialogue_field *fields; /* owned */
	size_t nfields;
	struct dialogue_server *servers; /* owned */
	size_t nservers;
	struct buf message; /* owned: octets of the message lines */
	bool has_message; /* there was one, be it empty */
};

/* NULL with *e (usage; the sentence begins with "line N: "). */
struct dialogue *dialogue_parse(const char *s, size_t n, struct err *e);
void dialogue_free(struct dialogue *);

/* The groups of the last regular expression that matched; ${0} is all. */
#define DIALOGUE_GROUPS 10

/*
 * One element of a text: an octet, DIALOGUE_ANY for a bare *, or
 * DIALOGUE_GROUP + N for ${N}. Moves *text on; -1 at its end, -2 if it is
 * malformed.
 */
enum { DIALOGUE_ANY = 256, DIALOGUE_GROUP = 257 };
int dialogue_element(const char **text);

/* The octets of a text without groups, appended, * as it stands; false: the
 * text is malformed. */
bool dialogue_octets(struct buf *, const char *text);

/* True if all of s matches the text; groups never match. */
bool dialogue_match(const char *text, const char *s, size_t n);

/* The same for elements that were taken apart before. */
bool dialogue_match_elements(
    const int *elements, size_t count, const char *s, size_t n);

#endif
