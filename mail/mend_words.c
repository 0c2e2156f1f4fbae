/*
 * mend_words: see mend_words.h. Words come one by one; those that must be
 * encoded wait in a run until one comes that need not be.
 * Callers: mend.c, mend_addresses.c, mend_params.c.
 * RFC 2047 2, 5, 6.2; RFC 5322 3.2.
 * Ownership: see mend_words.h.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/enc.h"
#include "base/err.h"
#include "mail/mend_words.h"

#define CODED_MAX 75 /* octets of an encoded word, RFC 2047 2 */
#define CODED_FRAME 7 /* of its marks and encoding */
#define CODED_LEAST 8 /* of its text, so that cutting goes on */
#define NAME_SHOWN 80 /* octets of a field's name that an error has */

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* ---- what fits ---- */

bool
mend_unfit(const struct mending *m, struct span t)
{
	return m->utf8 ? !enc_is_utf8(t.s, t.n) : enc_has_8bit(t.s, t.n);
}

bool
mend_too_long(struct span t)
{
	size_t i = 0, gap, from;

	while (i < t.n) {
		for (from = i; i < t.n && is_space(t.s[i]); i++)
			continue;
		gap = i - from;
		while (i < t.n && !is_space(t.s[i]))
			i++;
		if (gap > MEND_GAP_MAX || i - from > MEND_WORD_MAX)
			return true;
	}
	return false;
}

static void
refuse(struct mending *m, unsigned short detail, const char *what)
{
	if (m->refused)
		return;
	m->refused = true;
	if (m->f->name_len == 0)
		err_set(m->e, ERR_PERM, ERR_DATA,
		    "a line of the header that is no field %s", what);
	else
		err_set(m->e, ERR_PERM, ERR_DATA, "%.*s %s",
		    (int)(m->f->name_len < NAME_SHOWN ? m->f->name_len
						      : NAME_SHOWN),
		    m->f->name, what);
	m->e->enhanced = (struct enhanced){ 5, 6, detail };
	m->e->scope = SCOPE_MESSAGE;
	m->e->stage = STAGE_MAIL;
}

void
mend_refuse(struct mending *m, struct span bad, const char *what)
{
	bool utf8 = enc_is_utf8(bad.s, bad.n);
	char text[400];

	snprintf(text, sizeof text, "has raw 8-bit octets%s, %s", what,
	    utf8 ? "which only a server with SMTPUTF8 takes"
		 : "which are not UTF-8 and cannot be encoded there");
	refuse(m, utf8 ? 9 : 0, text);
}

void
mend_refuse_plainly(struct mending *m, const char *what)
{
	refuse(m, 0, what);
}

void
mend_refuse_long(struct mending *m, const char *what, size_t n)
{
	char text[200];

	snprintf(text, sizeof text,
	    "has %s of %zu octets, which fits no line of at most 998 "
	    "and cannot be folded",
	    what, n);
	refuse(m, 0, text);
}

/* ---- encoded words that are there already ---- */

struct coded {
	struct span charset; /* maybe with a language (RFC 2231 5) */
	char encoding; /* 'b', 'q' */
	struct span text;
};

/* RFC 2047 2, of any length. */
static bool
is_coded(struct span w, struct coded *c)
{
	const char *end, *mark;

	if (w.n < 8 || memcmp(w.s, "=?", 2) != 0)
		return false;
	end = w.s + w.n - 2;
	if (memcmp(end, "?=", 2) != 0)
		return false;
	c->charset.s = w.s + 2;
	mark = memchr(c->charset.s, '?', (size_t)(end - c->charset.s));
	if (mark == NULL || mark == c->charset.s || end - mark < 3 ||
	    mark[1] == '\0' || strchr("bBqQ", mark[1]) == NULL ||
	    mark[2] != '?')
		return false;
	c->charset.n = (size_t)(mark - c->charset.s);
	c->encoding = strchr("bB", mark[1]) != NULL ? 'b' : 'q';
	c->text.s = mark + 3;
	c->text.n = (size_t)(end - c->text.s);
	return memchr(c->text.s, '?', c->text.n) == NULL &&
	    !enc_has_8bit(w.s, w.n);
}

static bool
is_charset(const struct coded *c, const char *name)
{
	size_t n = strlen(name);

	return c->charset.n >= n && strncasecmp(c->charset.s, name, n) == 0 &&
	    (c->charset.n == n || c->charset.s[n] == '*');
}

static void
decode_q(struct buf *out, struct span t)
{
	for (size_t i = 0; i < t.n; i++) {
		int high = -1, low = -1;

		if (t.s[i] == '=' && t.n - i > 2) {
			high = enc_hex_digit(t.s[i + 1]);
			low = enc_hex_digit(t.s[i + 2]);
		}
		if (high != -1 && low != -1) {
			buf_addc(out, (char)(high * 16 + low));
			i += 2;
		} else
			buf_addc(out, (char)(t.s[i] == '_' ? ' ' : t.s[i]));
	}
}

/*
 * One that is too long, anew: programs make a single word of a whole text. It
 * is only cut where characters are known to end.
 */
static void
add_coded(struct mending *m, const struct coded *c, struct span raw)
{
	size_t was = m->run.len;
	bool known = is_charset(c, "utf-8") || is_charset(c, "us-ascii");

	if (known && c->encoding == 'q')
		decode_q(&m->run, c->text);
	else if (known)
		known = enc_unbase64(&m->run, c->text.s, c->text.n) == 0;
	if (!known || !buf_ok(&m->run) ||
	    !enc_is_utf8(m->run.data + was, m->run.len - was))
		mend_refuse_long(m, "an encoded word", raw.n);
}

/* Charsets in which every octet is a character: how they begin. */
static const char *const single[] = { "iso-8859-", "windows-125", "koi8-" };

static bool
is_single(const struct coded *c)
{
	for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
		if (c->charset.n >= strlen(single[i]) &&
		    strncasecmp(c->charset.s, single[i], strlen(single[i])) ==
			0)
			return true;
	return false;
}

/* Octets of encoded text that make a word of at most `room`. */
static size_t
cut_len(const struct coded *c, struct span t, size_t room)
{
	if (t.n <= room)
		return t.n;
	if (c->encoding == 'b')
		return room - room % 4;
	if (t.s[room - 1] == '=')
		return room - 1;
	return t.s[room - 2] == '=' ? room - 2 : room;
}

/* One that is too long, in such a charset: cut, and not read. */
static void
put_cut(struct mending *m, const struct coded *c)
{
	size_t frame = c->charset.n + CODED_FRAME, len;
	struct span t = c->text;

	if (frame + CODED_LEAST > CODED_MAX)
		mend_refuse_plainly(m, "has a charset with too long a name");
	for (; t.n > 0 && !m->refused; t.s += len, t.n -= len) {
		len = cut_len(c, t, CODED_MAX - frame);
		buf_addf(&m->line, "=?%.*s?%c?%.*s?=%s", (int)c->charset.n,
		    c->charset.s, c->encoding, (int)len, t.s,
		    len < t.n ? " " : "");
	}
}

/* ---- words ---- */

static void
put(struct mending *m, struct span t)
{
	buf_add(&m->line, t.s, t.n);
	m->made = m->made && t.n == 0;
}

void
mend_end_run(struct mending *m)
{
	/* Two octets less than folding has: RFC 2047 2 wants lines of 76. */
	size_t col = m->f->name_len + 4 + m->line.len;

	if (!m->open)
		return;
	header_encode(&m->line, buf_str(&m->run), m->run.len, m->kind,
	    col < HEADER_LINE ? col : 3);
	buf_reset(&m->run);
	m->open = false;
	m->made = true;
}

void
mend_gap(struct mending *m, struct span gap)
{
	mend_end_run(m);
	put(m, gap.n > MEND_GAP_MAX ? (struct span){ " ", 1 } : gap);
}

void
mend_put(struct mending *m, struct span t)
{
	mend_end_run(m);
	/* RFC 2047 5 (3): white space between it and what is no comment's. */
	if (m->made && t.n > 0 && !is_space(*t.s) && *t.s != ')')
		buf_addc(&m->line, ' ');
	put(m, t);
	m->coded = false;
}

/* The white space before a run: outside of it, as far as it is seen there. */
static void
begin_run(struct mending *m, struct span gap, bool coded)
{
	char last = m->line.len == 0 ? ' ' : m->line.data[m->line.len - 1];

	m->open = true;
	if (m->coded || gap.n > MEND_GAP_MAX) {
		size_t lost = m->coded ? 0 : 1;

		put(m, (struct span){ " ", 1 });
		if (!m->coded || !coded)
			buf_add(&m->run, gap.s + lost, gap.n - lost);
	} else if (gap.n == 0 && !is_space(last) && last != '(')
		put(m, (struct span){ " ", 1 });
	else
		put(m, gap);
}

static void
add_to_run(struct mending *m, const struct word *w, const struct coded *c)
{
	if (!m->open)
		begin_run(m, w->gap, c != NULL);
	else if (!m->coded || c == NULL)
		buf_add(&m->run, w->gap.s, w->gap.n);
	if (c != NULL)
		add_coded(m, c, w->raw);
	else
		buf_add(&m->run, w->text.s, w->text.n);
}

void
mend_word(struct mending *m, const struct word *w)
{
	struct coded c;
	bool coded = is_coded(w->raw, &c), cut;

	cut = w->unfit && coded && is_single(&c);
	if (w->unfit && !cut)
		add_to_run(m, w, coded ? &c : NULL);
	else {
		/* Between two encoded words only what is inside is seen. */
		if (m->open && coded && !m->coded && w->gap.n > 0) {
			buf_add(&m->run, w->gap.s, w->gap.n);
			mend_put(m, (struct span){ " ", 1 });
		} else
			mend_gap(m, w->gap);
		if (cut)
			put_cut(m, &c);
		else
			mend_put(m, w->raw);
	}
	m->coded = coded;
}

/* ---- tokens ---- */

static size_t
quoted_len(struct span t)
{
	for (size_t i = 1; i < t.n; i++) {
		if (t.s[i] == '"')
			return i + 1;
		i += t.s[i] == '\\';
	}
	return t.n;
}

static size_t
comment_len(struct span t)
{
	size_t depth = 0;

	for (size_t i = 0; i < t.n; i++) {
		depth += t.s[i] == '(';
		if (t.s[i] == ')' && --depth == 0)
			return i + 1;
		i += t.s[i] == '\\';
	}
	return t.n;
}

static size_t
literal_len(struct span t)
{
	for (size_t i = 1; i < t.n; i++) {
		if (t.s[i] == ']')
			return i + 1;
		i += t.s[i] == '\\';
	}
	return t.n;
}

static bool
is_atom(char c)
{
	return c == '\0' || strchr(" \t\"(),:;<>@[\\].", c) == NULL;
}

static size_t
atom_len(struct span t)
{
	size_t i = 0;

	while (i < t.n && is_atom(t.s[i]))
		i++;
	return i;
}

static size_t
gap_len(struct span t)
{
	size_t i = 0;

	while (i < t.n && is_space(t.s[i]))
		i++;
	return i;
}

enum token
mend_token(struct span *rest, struct span *out)
{
	static const struct {
		char first;
		enum token token;
		size_t (*len)(struct span);
	} rows[] = {
		{ ' ', TOKEN_GAP, gap_len },
		{ '\t', TOKEN_GAP, gap_len },
		{ '"', TOKEN_QUOTED, quoted_len },
		{ '(', TOKEN_COMMENT, comment_len },
		{ '[', TOKEN_LITERAL, literal_len },
	};
	enum token token = TOKEN_SPECIAL;

	*out = (struct span){ rest->s, 1 };
	if (rest->n == 0)
		return TOKEN_END;
	if (is_atom(*rest->s)) {
		token = TOKEN_ATOM;
		out->n = atom_len(*rest);
	}
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (*rest->s == rows[i].first) {
			token = rows[i].token;
			out->n = rows[i].len(*rest);
		}
	rest->s += out->n;
	rest->n -= out->n;
	return token;
}

void
mend_unquote(struct buf *out, struct span t)
{
	for (size_t i = 1; i < t.n && t.s[i] != '"'; i++) {
		if (t.s[i] == '\\' && i + 1 < t.n)
			i++;
		buf_addc(out, t.s[i]);
	}
}

/* ---- comments ---- */

/* The word at the beginning of t, its backslashes taken off into m->word. */
static size_t
comment_word(struct mending *m, struct span t)
{
	size_t i = 0;

	buf_reset(&m->word);
	for (; i < t.n && !is_space(t.s[i]); i++) {
		if (t.s[i] == '(' || t.s[i] == ')')
			break;
		if (t.s[i] == '\\' && i + 1 < t.n)
			i++;
		buf_addc(&m->word, t.s[i]);
	}
	return i;
}

void
mend_comment(struct mending *m, struct span t)
{
	struct word w = { 0 };
	size_t used;

	while (t.n > 0) {
		used = gap_len(t);
		w.gap = (struct span){ t.s, used };
		t = (struct span){ t.s + used, t.n - used };
		used = comment_word(m, t);
		if (used == 0) {
			mend_gap(m, w.gap);
			mend_put(m, (struct span){ t.s, t.n > 0 });
			used = t.n > 0;
		} else {
			w.raw = (struct span){ t.s, used };
			w.text =
			    (struct span){ buf_str(&m->word), m->word.len };
			w.unfit = mend_unfit(m, w.raw) ||
			    w.gap.n + used > MEND_WORD_MAX;
			mend_word(m, &w);
		}
		t = (struct span){ t.s + used, t.n - used };
	}
	mend_end_run(m);
}

void
mend_tokens(struct mending *m, struct span rest, const char *what)
{
	struct span t;
	enum token token;

	while ((token = mend_token(&rest, &t)) != TOKEN_END) {
		if (token == TOKEN_COMMENT) {
			mend_comment(m, t);
			continue;
		}
		if (mend_unfit(m, t))
			mend_refuse(m, t, what);
		if (token == TOKEN_GAP)
			mend_gap(m, t);
		else
			mend_put(m, t);
	}
}
