/*
 * header: see header.h. Text is encoded first, in words that fit a line, and
 * folded afterwards, between words: neither needs to know the other.
 * Callers: message.c, recipients.c. It keeps nothing.
 * RFC 5322 2.2.3, 3.2.3 to 3.2.5; RFC 2047 2, 4, 5.
 * Ownership: see header.h.
 */
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/enc.h"
#include "mail/header.h"

#define WORD_MAX 75 /* octets of an encoded word, RFC 2047 2 */
/* White space that may stay, and words: one of each makes a line. */
#define SPACE_MAX 8
#define ATOM_MAX (HEADER_LINE - SPACE_MAX)

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* ---- taking apart ---- */

size_t
header_name(const char *p, size_t n)
{
	size_t i = 0, name;

	while (i < n && p[i] > 32 && p[i] < 127 && p[i] != ':')
		i++;
	name = i;
	while (i < n && is_space(p[i]))
		i++;
	return name > 0 && i < n && p[i] == ':' ? i + 1 : 0;
}

/* Octets of the field at p, its folded lines included. */
static size_t
field_len(const char *p, size_t n)
{
	size_t i = 0;
	const char *lf;

	do {
		lf = memchr(p + i, '\n', n - i);
		i = lf == NULL ? n : (size_t)(lf - p) + 1;
	} while (i < n && is_space(p[i]));
	return i;
}

bool
header_next(const char *header, size_t n, struct field *f)
{
	size_t at = f->end, len, colon;
	const char *p;

	if (at >= n)
		return false;
	p = header + at;
	len = field_len(p, n - at);
	*f = (struct field){ .name = p, .at = at, .end = at + len };
	if (p[len - 1] == '\n')
		len--;
	colon = header_name(p, len);
	f->body = p + colon;
	f->body_len = len - colon;
	f->name_len = colon > 0 ? colon - 1 : 0;
	while (f->name_len > 0 && is_space(p[f->name_len - 1]))
		f->name_len--;
	return true;
}

bool
header_is(const struct field *f, const char *name)
{
	return strlen(name) == f->name_len &&
	    strncasecmp(f->name, name, f->name_len) == 0;
}

bool
header_find(const char *header, size_t n, const char *name, struct field *f)
{
	while (header_next(header, n, f))
		if (header_is(f, name))
			return true;
	return false;
}

void
header_without(struct buf *out, const char *header, size_t n, const char *name)
{
	struct field f = { 0 };

	while (header_next(header, n, &f))
		if (!header_is(&f, name))
			buf_add(out, header + f.at, f.end - f.at);
}

void
header_unfold(struct buf *out, const struct field *f)
{
	const char *p = f->body, *lf;
	size_t n = f->body_len, len;

	while (n > 0 && (is_space(p[0]) || p[0] == '\n'))
		p++, n--;
	while (n > 0 && (is_space(p[n - 1]) || p[n - 1] == '\n'))
		n--;
	while (n > 0) {
		lf = memchr(p, '\n', n);
		len = lf == NULL ? n : (size_t)(lf - p);
		buf_add(out, p, len);
		len += lf != NULL;
		p += len;
		n -= len;
	}
}

/* ---- folding ---- */

/* Octets of the white space at s and the word behind it. */
static size_t
spaced_word(const char *s)
{
	size_t n = strspn(s, " \t");

	return n + strcspn(s + n, " \t");
}

void
header_add(struct buf *h, const char *name, const char *body)
{
	size_t col = strlen(name) + 1, len;

	buf_addf(h, "%s:", name);
	if (!is_space(*body)) {
		len = strcspn(body, " \t");
		/* A word that fits no line gains nothing by one of its own. */
		if (col + 1 + len > HEADER_LINE && 1 + len <= HEADER_LINE) {
			buf_addc(h, '\n');
			col = 0;
		}
		buf_addc(h, ' ');
		buf_add(h, body, len);
		col += 1 + len;
		body += len;
	}
	for (; *body != '\0'; body += len) {
		len = spaced_word(body);
		/* White space at the end makes no line: it would be blank. */
		if (col + len > HEADER_LINE && col > 0 &&
		    len > strspn(body, " \t")) {
			buf_addc(h, '\n');
			col = 0;
		}
		buf_add(h, body, len);
		col += len;
	}
	buf_addc(h, '\n');
}

/* ---- encoded words ---- */

/* One run of text that becomes encoded words. */
struct coder {
	const char *charset;
	bool utf8;
	bool base64;
	enum header_kind kind;
};

static bool
is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

/* What stands for itself in Q: RFC 2047 4.2 (3), in a phrase 5 (3). */
static bool
is_plain(enum header_kind kind, unsigned char c)
{
	if (is_alnum(c) || (c != '\0' && strchr("!*+-/", c) != NULL))
		return true;
	return kind == HEADER_TEXT && c > ' ' && c < 0x7f && c != '=' &&
	    c != '?' && c != '_';
}

static size_t
q_size(const struct coder *c, const char *s, size_t n)
{
	size_t size = 0, i;

	for (i = 0; i < n; i++)
		size += s[i] == ' ' || is_plain(c->kind, (unsigned char)s[i])
		    ? 1
		    : 3;
	return size;
}

static size_t
coded_size(const struct coder *c, const char *s, size_t n)
{
	return c->base64 ? (n + 2) / 3 * 4 : q_size(c, s, n);
}

static size_t
frame_size(const struct coder *c)
{
	return strlen(c->charset) +
	    sizeof "=?"
		   "?Q?"
		   "?=" -
	    1;
}

/* Octets of the character at s. */
static size_t
character(const struct coder *c, const char *s, size_t n)
{
	uint32_t cp;

	return c->utf8 ? enc_utf8(s, n, &cp) : 1;
}

static void
put_q(struct buf *out, const struct coder *c, const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		unsigned char o = (unsigned char)s[i];

		if (o == ' ')
			buf_addc(out, '_');
		else if (is_plain(c->kind, o))
			buf_addc(out, (char)o);
		else
			buf_addf(out, "=%02X", o);
	}
}

static void
put_word(struct buf *out, const struct coder *c, const char *s, size_t n)
{
	buf_addf(out, "=?%s?%c?", c->charset, c->base64 ? 'B' : 'Q');
	if (c->base64)
		enc_base64(out, s, n);
	else
		put_q(out, c, s, n);
	buf_adds(out, "?=");
}

/* Octets of s that go into one word of at most `room`, at least one
 * character. */
static size_t
word_len(const struct coder *c, const char *s, size_t n, size_t room)
{
	size_t len = character(c, s, n), next;

	while (len < n) {
		next = len + character(c, s + len, n - len);
		if (frame_size(c) + coded_size(c, s, next) > room)
			break;
		len = next;
	}
	return len;
}

/* Room for the first word, which has white space before it: what the line
 * has left, unless that is too little. */
static size_t
first_room(const struct coder *c, size_t col)
{
	/* The longest character, in Q. */
	size_t least = frame_size(c) + 12;

	if (col + least > HEADER_LINE)
		return ATOM_MAX;
	return HEADER_LINE - col < ATOM_MAX ? HEADER_LINE - col : ATOM_MAX;
}

static void
put_words(
    struct buf *out, const char *s, size_t n, enum header_kind kind, size_t col)
{
	struct coder c = { .kind = kind, .utf8 = enc_is_utf8(s, n) };
	size_t len, room;

	c.charset = c.utf8 ? "utf-8" : "unknown-8bit";
	c.base64 = (n + 2) / 3 * 4 < q_size(&c, s, n);
	for (room = first_room(&c, col); n > 0; s += len, n -= len) {
		len = word_len(&c, s, n, room);
		put_word(out, &c, s, len);
		if (len < n)
			buf_addc(out, ' ');
		room = WORD_MAX;
	}
}

/* ---- text ---- */

static bool
is_printable(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || (unsigned char)s[i] > '~')
			return false;
	return true;
}

/* True if a word, without white space, cannot stand as it is. */
static bool
is_unfit(const char *s, size_t n)
{
	return n > ATOM_MAX || memmem(s, n, "=?", 2) != NULL ||
	    !is_printable(s, n);
}

/* White space that folding or a reader would lose or cannot keep in a line. */
static bool
is_odd_space(const char *s, size_t n)
{
	size_t i, run = 0;

	for (i = 0; i < n && run <= SPACE_MAX; i++)
		run = is_space(s[i]) ? run + 1 : 0;
	return run > SPACE_MAX ||
	    (n > 0 && (is_space(s[0]) || is_space(s[n - 1])));
}

/* From the first to behind the last word of s that must be encoded. */
static bool
unfit_range(const char *s, size_t n, size_t *from, size_t *end)
{
	bool all = is_odd_space(s, n);
	size_t at = 0, start;

	*from = all ? 0 : n;
	*end = all ? n : 0;
	while (at < n && !all) {
		while (at < n && is_space(s[at]))
			at++;
		start = at;
		while (at < n && !is_space(s[at]))
			at++;
		if (!is_unfit(s + start, at - start))
			continue;
		if (*from == n)
			*from = start;
		*end = at;
	}
	return *end > *from;
}

/* The words that need it and what stands between them; words before and
 * behind stay readable. */
static void
encode_text(struct buf *out, const char *s, size_t n, size_t col)
{
	size_t from, end;

	if (!unfit_range(s, n, &from, &end)) {
		buf_add(out, s, n);
		return;
	}
	buf_add(out, s, from);
	/* Folding may put it elsewhere, where there is more room. */
	put_words(out, s + from, end - from, HEADER_TEXT, col + from);
	buf_add(out, s + end, n - end);
}

/* Words of atext with single spaces between them (RFC 5322 3.2.3). */
static bool
is_atoms(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (s[i] == ' ' ? i == 0 || i == n - 1 || s[i - 1] == ' '
				: !is_alnum((unsigned char)s[i]) &&
			    strchr("!#$%&'*+-/=?^_`{|}~", s[i]) == NULL)
			return false;
	}
	return n > 0;
}

/* A string is quoted as long as it needs no folding; its backslashes could
 * make any word too long. */
static void
encode_phrase(struct buf *out, const char *s, size_t n, size_t col)
{
	size_t i;

	if (!is_printable(s, n) || n > ATOM_MAX / 2) {
		put_words(out, s, n, HEADER_PHRASE, col);
		return;
	}
	if (is_atoms(s, n) && memmem(s, n, "=?", 2) == NULL) {
		buf_add(out, s, n);
		return;
	}
	buf_addc(out, '"');
	for (i = 0; i < n; i++) {
		if (s[i] == '"' || s[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, s[i]);
	}
	buf_addc(out, '"');
}

void
header_encode(
    struct buf *out, const char *s, size_t n, enum header_kind kind, size_t col)
{
	if (kind == HEADER_PHRASE)
		encode_phrase(out, s, n, col);
	else
		encode_text(out, s, n, col);
}
