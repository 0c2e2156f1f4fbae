/*
 * reply: see reply.h. Octets are taken one by one, so that no cut of the
 * stream into reads can change the result; replies are short, and a reply
 * that is not costs a server at most REPLY_LINE_MAX octets of our time.
 * RFC 5321 4.2; RFC 2034 4 (where the enhanced code stands).
 * Ownership: the buffers of struct reply, wiped by reply_free().
 */
#include <stdio.h>
#include <string.h>

#include "base/enc.h"
#include "smtp/reply.h"

void
reply_init(struct reply *r)
{
	*r = (struct reply){ 0 };
	buf_init(&r->text, REPLY_TEXT_MAX + REPLY_LINES_MAX);
	buf_init(&r->line, REPLY_LINE_KEPT);
}

void
reply_free(struct reply *r)
{
	if (r == NULL)
		return;
	buf_free(&r->text);
	buf_free(&r->line);
	reply_init(r);
}

void
reply_reset(struct reply *r)
{
	struct buf text = r->text, line = r->line;

	buf_reset(&text);
	buf_reset(&line);
	*r = (struct reply){ .text = text, .line = line };
}

static enum reply_status
bad(struct reply *r, const char *why)
{
	r->bad = why;
	return REPLY_BAD;
}

static bool
digit(char c, char from, char to)
{
	return c >= from && c <= to;
}

/* The code at the start of a line, or 0 (RFC 5321 4.2: Reply-code). */
static int
code_of(const char *s, size_t n)
{
	if (n < 3 || !digit(s[0], '2', '5') || !digit(s[1], '0', '9') ||
	    !digit(s[2], '0', '9'))
		return 0;
	if (n > 3 && s[3] != ' ' && s[3] != '-')
		return 0;
	return (s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0');
}

/* An enhanced code of another class contradicts the reply: not believed. */
static void
take_enhanced(struct reply *r, const char *s, size_t n)
{
	struct enhanced e;
	size_t len = enhanced_parse(&e, s, n);

	if (len == 0 || (len < n && s[len] != ' '))
		return;
	if (r->enhanced.class == 0 && e.class == reply_class(r))
		r->enhanced = e;
}

/* A whole line is in r->line. */
static enum reply_status
take_line(struct reply *r)
{
	const char *s = buf_str(&r->line);
	size_t n = r->line.len;
	int code;
	bool more;

	if (n > 0 && s[n - 1] == '\r' && r->line_len == n)
		n--;
	if (n == 0)
		return bad(r, "an empty line");
	code = code_of(s, n);
	if (code == 0)
		return bad(r, "no reply code");
	if (r->lines > 0 && code != r->code)
		return bad(r, "different codes in one reply");
	more = n > 3 && s[3] == '-';
	if (more && r->lines + 1 == REPLY_LINES_MAX)
		return bad(r, "too many lines");
	if (r->lines++ > 0)
		buf_addc(&r->text, '\n');
	r->code = code;
	if (n > 4) {
		buf_add(&r->text, s + 4, n - 4);
		take_enhanced(r, s + 4, n - 4);
	}
	buf_reset(&r->line);
	r->line_len = 0;
	if (!buf_ok(&r->text))
		return bad(r, "no memory for it");
	return more ? REPLY_MORE : REPLY_DONE;
}

static enum reply_status
take_octet(struct reply *r, char c)
{
	if (c == '\n')
		return take_line(r);
	if (c == '\0')
		return bad(r, "a NUL");
	if (++r->line_len > REPLY_LINE_MAX)
		return bad(r, "a line without end");
	if (++r->octets > REPLY_TEXT_MAX)
		return bad(r, "too many octets");
	if (r->line.len < REPLY_LINE_KEPT)
		buf_addc(&r->line, c);
	return buf_ok(&r->line) ? REPLY_MORE : bad(r, "no memory for it");
}

enum reply_status
reply_feed(struct reply *r, const char *s, size_t n, size_t *used)
{
	enum reply_status status = r->bad != NULL ? REPLY_BAD : REPLY_MORE;

	*used = 0;
	while (status == REPLY_MORE && *used < n)
		status = take_octet(r, s[(*used)++]);
	return status;
}

int
reply_class(const struct reply *r)
{
	return r->code / 100;
}

const char *
reply_line(const struct reply *r, size_t i, size_t *len)
{
	const char *s = buf_str(&r->text), *end = s + r->text.len, *lf;

	if (i >= r->lines)
		return NULL;
	for (;; i--, s = lf + 1) {
		lf = memchr(s, '\n', (size_t)(end - s));
		if (lf == NULL)
			lf = end;
		if (i == 0)
			break;
	}
	*len = (size_t)(lf - s);
	return s;
}

/*
 * Servers that repeat the enhanced code in each line of a reply (RFC 2034 4
 * tells them to) would clutter the sentence with it.
 */
static size_t
repeated(const struct reply *r, const char *s, size_t n)
{
	struct enhanced e;
	size_t len = enhanced_parse(&e, s, n);

	if (len == 0 || len >= n || s[len] != ' ' ||
	    e.class != r->enhanced.class || e.subject != r->enhanced.subject ||
	    e.detail != r->enhanced.detail)
		return 0;
	return len + 1;
}

char *
reply_words(const struct reply *r, char *dst, size_t size)
{
	struct buf all;
	const char *s;
	size_t i, n, skip;

	buf_init(&all, REPLY_TEXT_MAX + 8 * REPLY_LINES_MAX);
	if (r->code != 0)
		buf_addf(&all, "%03d", r->code);
	for (i = 0; (s = reply_line(r, i, &n)) != NULL; i++) {
		skip = i > 0 ? repeated(r, s, n) : 0;
		if (n > skip && all.len > 0)
			buf_addc(&all, ' ');
		buf_add(&all, s + skip, n - skip);
	}
	enc_printable_str(dst, size, buf_str(&all), all.len);
	buf_free(&all);
	return dst;
}
