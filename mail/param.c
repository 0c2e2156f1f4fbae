/*
 * param: see param.h. Whole if it fits a line, else cut into numbered pieces,
 * between characters: there are readers that decode each piece by itself.
 * Callers: who makes header fields. It keeps nothing.
 * RFC 2045 5.1; RFC 2231 3 (pieces), 4 (charset), 7 (attribute-char).
 * Ownership: see param.h.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "mail/header.h"
#include "mail/param.h"

/* A line without the space before a parameter and the ';' behind it. */
#define ROOM (HEADER_LINE - 2)
/* "*99999*=", and a character of four octets. */
#define NUMBER_MAX 8
#define CHARACTER_MAX 12

static bool
is_token(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~' ||
		    strchr("()<>@,;:\\\"/[]?=", s[i]) != NULL)
			return false;
	return n > 0;
}

/* What stands for itself in an extended value. */
static bool
is_attribute_char(char c)
{
	return c > ' ' && c <= '~' && strchr("*'%()<>@,;:\\\"/[]?=", c) == NULL;
}

/* Octets of s as a quoted string, without its quotes; 0 if it can be none. */
static size_t
quoted_size(const char *s, size_t n)
{
	size_t size = n, i;

	for (i = 0; i < n; i++) {
		if (s[i] < ' ' || s[i] > '~')
			return 0;
		size += s[i] == '"' || s[i] == '\\';
	}
	/* Some readers would decode it. */
	return memmem(s, n, "=?", 2) != NULL ? 0 : size;
}

/* The ';' and room for n octets, on the next line if this one has none. */
static void
begin(struct buf *out, size_t n)
{
	const char *text, *lf;

	buf_addc(out, ';');
	text = buf_str(out);
	lf = memrchr(text, '\n', out->len);
	text = lf == NULL ? text : lf + 1;
	buf_adds(out, strlen(text) + n > ROOM ? "\n " : " ");
}

static void
put_quoted(struct buf *out, const char *s, size_t n)
{
	size_t i;

	buf_addc(out, '"');
	for (i = 0; i < n; i++) {
		if (s[i] == '"' || s[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, s[i]);
	}
	buf_addc(out, '"');
}

static void
put_percent(struct buf *out, const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (is_attribute_char(s[i]))
			buf_addc(out, s[i]);
		else
			buf_addf(out, "%%%02X", (unsigned char)s[i]);
}

static size_t
percent_size(const char *s, size_t n)
{
	size_t size = 0, i;

	for (i = 0; i < n; i++)
		size += is_attribute_char(s[i]) ? 1 : 3;
	return size;
}

/* Octets of s, whole characters and at least one, that make at most `room`. */
static size_t
piece_len(const char *s, size_t n, bool utf8, size_t room)
{
	size_t len = 0, size = 0, step;
	uint32_t cp;

	while (len < n) {
		step = utf8 ? enc_utf8(s + len, n - len, &cp) : 1;
		size += percent_size(s + len, step);
		if (size > room && len > 0)
			break;
		len += step;
	}
	return len;
}

static void
add_extended(struct buf *out, const char *name, const char *s, size_t n)
{
	bool utf8 = enc_is_utf8(s, n);
	const char *charset = utf8 ? "utf-8''" : "unknown-8bit''";
	size_t head = strlen(name) + strlen(charset), len, size;
	unsigned i = 0;

	size = head + 2 + percent_size(s, n);
	if (size <= ROOM) {
		begin(out, size);
		buf_addf(out, "%s*=%s", name, charset);
		put_percent(out, s, n);
		return;
	}
	for (; n > 0; s += len, n -= len, charset = "") {
		head = strlen(name) + NUMBER_MAX + strlen(charset);
		len = piece_len(s, n, utf8,
		    head + CHARACTER_MAX < ROOM ? ROOM - head : CHARACTER_MAX);
		begin(out, head + percent_size(s, len));
		buf_addf(out, "%s*%u*=%s", name, i++, charset);
		put_percent(out, s, len);
	}
}

void
param_add(struct buf *out, const char *name, const char *value, size_t n)
{
	size_t size = quoted_size(value, n), head = strlen(name) + 1;

	if ((size == 0 && n > 0) || head + size + 2 > ROOM) {
		add_extended(out, name, value, n);
	} else if (is_token(value, n)) {
		begin(out, head + n);
		buf_addf(out, "%s=", name);
		buf_add(out, value, n);
	} else {
		begin(out, head + size + 2);
		buf_addf(out, "%s=", name);
		put_quoted(out, value, n);
	}
}
