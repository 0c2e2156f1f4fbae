/*
 * decode.h: quoted-printable, base64 and xtext back to octets, for tests of
 * what the program encodes.  Strict: what RFC 2045 6.7 and 6.8 and RFC 3461 4
 * do not allow to be sent is an error, not something to be read kindly.
 */
#ifndef TESTS_UNIT_DECODE_H
#define TESTS_UNIT_DECODE_H

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"

static inline int
decode_digit(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *p = c == '\0' ? NULL : strchr(digits, c);

	return p == NULL ? -1 : (int)(p - digits);
}

/* One line without its CRLF; *soft if it goes on in the next. */
static inline bool
decode_qp_line(struct buf *out, const char *p, size_t n, bool *soft)
{
	*soft = n > 0 && p[n - 1] == '=';
	if (n > 76 || (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t')))
		return false;
	if (n > 0 && (p[0] == '.' || (n > 1 && memcmp(p, "--", 2) == 0)))
		return false;
	if (n > 4 && memcmp(p, "From ", 5) == 0)
		return false;
	n -= *soft;
	for (size_t i = 0; i < n; i++) {
		int high, low;

		if (p[i] != '=') {
			if ((p[i] < ' ' && p[i] != '\t') || p[i] > '~')
				return false;
			buf_addc(out, p[i]);
			continue;
		}
		high = n - i > 2 ? decode_digit(p[i + 1]) : -1;
		low = n - i > 2 ? decode_digit(p[i + 2]) : -1;
		if (high == -1 || low == -1)
			return false;
		buf_addc(out, (char)(high * 16 + low));
		i += 2;
	}
	return true;
}

static inline bool
decode_qp(struct buf *out, const char *p, size_t n)
{
	const char *end = p + n, *eol;
	bool soft = false;

	buf_reset(out);
	for (; p < end; p = eol + 2) {
		eol = memmem(p, (size_t)(end - p), "\r\n", 2);
		if (!decode_qp_line(
			out, p, (size_t)((eol == NULL ? end : eol) - p), &soft))
			return false;
		if (eol == NULL)
			break;
		if (!soft)
			buf_adds(out, "\r\n");
	}
	return !soft;
}

static inline int
decode_any_digit(char c)
{
	return decode_digit(c >= 'a' && c <= 'f' ? (char)(c - 'a' + 'A') : c);
}

/*
 * What a reader makes of quoted-printable that no encoder would write (RFC
 * 2045 6.7, its notes): white space at a line's end is not there, a "=" that
 * begins nothing is itself, and so are all octets. Lines end in CRLF.
 */
static inline void
decode_qp_kindly(struct buf *out, const char *p, size_t n)
{
	const char *end = p + n, *eol, *to;
	bool soft;

	buf_reset(out);
	for (; p < end; p = eol + 2) {
		eol = memmem(p, (size_t)(end - p), "\r\n", 2);
		to = eol == NULL ? end : eol;
		while (to > p && (to[-1] == ' ' || to[-1] == '\t'))
			to--;
		soft = to > p && to[-1] == '=';
		for (; p < to; p++) {
			int high = to - p > 2 ? decode_any_digit(p[1]) : -1;
			int low = to - p > 2 ? decode_any_digit(p[2]) : -1;

			if (*p == '=' && high != -1 && low != -1) {
				buf_addc(out, (char)(high * 16 + low));
				p += 2;
			} else if (*p != '=' || p + 1 < to) {
				buf_addc(out, *p);
			}
		}
		if (eol == NULL)
			break;
		if (!soft)
			buf_adds(out, "\r\n");
	}
}

static inline bool
decode_base64(struct buf *out, const char *p, size_t n)
{
	const char *end = p + n, *eol;
	struct buf one;
	bool ok = true;

	buf_reset(out);
	buf_init(&one, n + 1);
	for (; ok && p < end; p = eol + 2) {
		eol = memmem(p, (size_t)(end - p), "\r\n", 2);
		buf_add(&one, p, (size_t)((eol == NULL ? end : eol) - p));
		ok = eol == NULL ? end - p <= 76 : eol - p == 76;
		if (eol == NULL)
			break;
	}
	ok = ok && enc_unbase64(out, buf_str(&one), one.len) == 0;
	buf_free(&one);
	return ok;
}

static inline bool
decode_xtext(struct buf *out, const char *p, size_t n)
{
	buf_reset(out);
	for (size_t i = 0; i < n; i++) {
		int high, low;

		if (p[i] < '!' || p[i] > '~' || p[i] == '=')
			return false;
		if (p[i] != '+') {
			buf_addc(out, p[i]);
			continue;
		}
		high = n - i > 2 ? decode_digit(p[i + 1]) : -1;
		low = n - i > 2 ? decode_digit(p[i + 2]) : -1;
		if (high == -1 || low == -1)
			return false;
		buf_addc(out, (char)(high * 16 + low));
		i += 2;
	}
	return true;
}

#endif
