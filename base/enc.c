/*
 * enc: see enc.h. Text is taken apart character by character; a character is
 * shown as it is or escaped, never half of each.
 * Callers: everybody who shows, logs or keeps octets from outside.
 * RFC 3629 3 and 4 (UTF-8), RFC 8259 7 (JSON strings), Unicode UAX 9 (bidi),
 * RFC 4648 4 (Base64), RFC 3461 4 (xtext), RFC 6533 3 (its way with UTF-8).
 * Ownership: the caller's buffers; nothing is allocated here.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* What one character can become: 4 octets as \xNN, or \uNNNN. */
#define PIECE_MAX 17

/*
 * RFC 3629 4: lead octets, octets of the sequence, and the range of its
 * second octet, which rules out overlong forms, surrogates and what lies
 * above U+10FFFF.
 */
static const struct {
	unsigned char first, last; /* lead octet */
	unsigned char len;
	unsigned char low, high; /* second octet */
} utf8_rows[] = {
	{ 0x00, 0x7f, 1, 0x00, 0x00 },
	{ 0xc2, 0xdf, 2, 0x80, 0xbf },
	{ 0xe0, 0xe0, 3, 0xa0, 0xbf },
	{ 0xe1, 0xec, 3, 0x80, 0xbf },
	{ 0xed, 0xed, 3, 0x80, 0x9f },
	{ 0xee, 0xef, 3, 0x80, 0xbf },
	{ 0xf0, 0xf0, 4, 0x90, 0xbf },
	{ 0xf1, 0xf3, 4, 0x80, 0xbf },
	{ 0xf4, 0xf4, 4, 0x80, 0x8f },
};

/* Characters that move the cursor or the reader's eye instead of showing. */
static const struct {
	uint32_t first, last;
} hidden_rows[] = {
	{ 0x00, 0x1f }, /* C0 */
	{ 0x7f, 0x9f }, /* DEL and C1 */
	{ 0x202a, 0x202e }, /* bidi embeddings and overrides */
	{ 0x2066, 0x2069 }, /* bidi isolates */
};

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* RFC 4648 4. */
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Its code point, once its length and second octet are known to be right. */
static uint32_t
code_point(const unsigned char *p, size_t len)
{
	uint32_t cp = len == 1 ? p[0] : p[0] & (0x7fu >> len);

	for (size_t i = 1; i < len; i++)
		cp = cp << 6 | (p[i] & 0x3fu);
	return cp;
}

size_t
enc_utf8(const char *s, size_t n, uint32_t *cp)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t row = 0, len;

	while (row < COUNT(utf8_rows) && p[0] > utf8_rows[row].last)
		row++;
	if (row == COUNT(utf8_rows) || p[0] < utf8_rows[row].first)
		return 0;
	len = utf8_rows[row].len;
	if (len > n)
		return 0;
	if (len > 1 &&
	    (p[1] < utf8_rows[row].low || p[1] > utf8_rows[row].high))
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	*cp = code_point(p, len);
	return len;
}

/* Octets at s, eight at a time, that are all ASCII. */
static size_t
ascii_run(const char *s, size_t n)
{
	uint64_t word;
	size_t i;

	for (i = 0; i + sizeof word <= n; i += sizeof word) {
		memcpy(&word, s + i, sizeof word);
		if ((word & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	return i;
}

bool
enc_is_utf8(const char *s, size_t n)
{
	uint32_t cp;
	size_t len;

	for (size_t i = ascii_run(s, n); i < n; i += len) {
		if ((len = enc_utf8(s + i, n - i, &cp)) == 0)
			return false;
		len += ascii_run(s + i + len, n - i - len);
	}
	return true;
}

/* Octets of the sequence that begins so; 0: none does. */
static size_t
sequence_len(char lead)
{
	unsigned char c = (unsigned char)lead;
	size_t row = 0;

	while (row < COUNT(utf8_rows) && c > utf8_rows[row].last)
		row++;
	return row == COUNT(utf8_rows) || c < utf8_rows[row].first
	    ? 0
	    : utf8_rows[row].len;
}

/* Octets at the end of s that begin a sequence and do not end it. */
static size_t
open_end(const char *s, size_t n)
{
	size_t back;

	for (back = 1; back < 4 && back <= n; back++)
		if (((unsigned char)s[n - back] & 0xc0) != 0x80)
			return sequence_len(s[n - back]) > back ? back : 0;
	return 0;
}

void
enc_utf8_feed(struct enc_utf8_check *u, const char *s, size_t n)
{
	size_t open;

	for (; u->n > 0 && n > 0 && !u->bad; s++, n--) {
		u->part[u->n++] = *s;
		if (u->n < sequence_len(u->part[0]))
			continue;
		u->bad = !enc_is_utf8(u->part, u->n);
		u->n = 0;
	}
	if (u->bad || n == 0)
		return;
	open = open_end(s, n);
	u->bad = !enc_is_utf8(s, n - open);
	memcpy(u->part, s + n - open, open);
	u->n = open;
}

bool
enc_utf8_good(const struct enc_utf8_check *u)
{
	return !u->bad && u->n == 0;
}

bool
enc_has_8bit(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] >= 0x80)
			return true;
	return false;
}

static bool
hidden(uint32_t cp)
{
	for (size_t i = 0; i < COUNT(hidden_rows); i++)
		if (cp >= hidden_rows[i].first && cp <= hidden_rows[i].last)
			return true;
	return false;
}

/* A character as it is shown: octets put into out; *used says of how many. */
static size_t
printable_piece(char out[PIECE_MAX], const char *s, size_t n, size_t *used)
{
	uint32_t cp = 0;
	size_t len = enc_utf8(s, n, &cp), at = 0;

	*used = len == 0 ? 1 : len;
	if (len > 0 && !hidden(cp)) {
		memcpy(out, s, len);
		return len;
	}
	for (size_t i = 0; i < *used; i++, at += 4)
		snprintf(out + at, 5, "\\x%02X", (unsigned char)s[i]);
	return at;
}

/* How many octets of ASCII stand in front that are shown as they are, which is
 * nearly all that is ever shown. */
static size_t
plain_run(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= ' ' && s[i] <= '~')
		i++;
	return i;
}

void
enc_printable(struct buf *b, const char *s, size_t n)
{
	char piece[PIECE_MAX];
	size_t used, len;

	for (size_t i = 0; i < n; i += used) {
		used = plain_run(s + i, n - i);
		if (used > 0) {
			buf_add(b, s + i, used);
			continue;
		}
		len = printable_piece(piece, s + i, n - i, &used);
		buf_add(b, piece, len);
	}
}

char *
enc_printable_str(char *dst, size_t size, const char *s, size_t n)
{
	char piece[PIECE_MAX];
	size_t used, len, left, at = 0;

	if (size == 0)
		return dst;
	for (size_t i = 0; i < n; i += used, at += len) {
		left = size - at - 1;
		used = len = plain_run(s + i, n - i < left ? n - i : left);
		if (len > 0) {
			memcpy(dst + at, s + i, len);
			continue;
		}
		len = printable_piece(piece, s + i, n - i, &used);
		if (len > left)
			break;
		memcpy(dst + at, piece, len);
	}
	dst[at] = '\0';
	return dst;
}

/* A character inside a JSON string; the rest as in printable_piece(). */
static size_t
json_piece(char out[PIECE_MAX], const char *s, size_t n, size_t *used)
{
	uint32_t cp = 0;
	size_t len = enc_utf8(s, n, &cp);

	*used = len == 0 ? 1 : len;
	if (len == 0) {
		memcpy(out, replacement, sizeof replacement - 1);
		return sizeof replacement - 1;
	}
	if (hidden(cp))
		return (size_t)snprintf(
		    out, PIECE_MAX, "\\u%04x", (unsigned)cp);
	if (cp == '"' || cp == '\\') {
		out[0] = '\\';
		out[1] = s[0];
		return 2;
	}
	memcpy(out, s, len);
	return len;
}

void
enc_json(struct buf *b, const char *s, size_t n)
{
	char piece[PIECE_MAX];
	size_t used;

	buf_addc(b, '"');
	for (size_t i = 0; i < n; i += used) {
		size_t len = json_piece(piece, s + i, n - i, &used);

		buf_add(b, piece, len);
	}
	buf_addc(b, '"');
}

int
enc_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

void
enc_base64_to(char *to, const void *data, size_t n)
{
	const unsigned char *p = data;
	unsigned bits;

	for (; n > 0; p += 3, to += 4) {
		bits = (unsigned)p[0] << 16;
		bits |= n > 1 ? (unsigned)p[1] << 8 : 0;
		bits |= n > 2 ? p[2] : 0;
		to[0] = base64_digits[bits >> 18];
		to[1] = base64_digits[bits >> 12 & 63];
		to[2] = n > 1 ? base64_digits[bits >> 6 & 63] : '=';
		to[3] = n > 2 ? base64_digits[bits & 63] : '=';
		n -= n < 3 ? n : 3;
	}
}

void
enc_base64(struct buf *b, const void *data, size_t n)
{
	char *to = buf_room(b, ENC_BASE64_SIZE(n));

	if (to == NULL)
		return;
	enc_base64_to(to, data, n);
	buf_grew(b, ENC_BASE64_SIZE(n));
}

/* Four digits as one to three octets: how many, or 0 if they are none. */
static size_t
unbase64_group(char out[3], const char *s, size_t padding)
{
	const char *digit;
	unsigned bits = 0;

	for (size_t i = 0; i < 4; i++) {
		digit = s[i] == '\0' ? NULL : strchr(base64_digits, s[i]);
		if (i >= 4 - padding)
			digit = base64_digits; /* zero bits */
		if (digit == NULL)
			return 0;
		bits = bits << 6 | (unsigned)(digit - base64_digits);
	}
	for (size_t i = 0; i < 3; i++)
		out[i] = (char)(bits >> (16 - 8 * i) & 0xff);
	/* One text for one run of octets: no bits behind the last one. */
	return (bits & ((1u << (8 * padding)) - 1)) != 0 ? 0 : 3 - padding;
}

int
enc_unbase64(struct buf *b, const char *s, size_t n)
{
	char out[3];
	size_t padding, len = 0;

	if (n % 4 != 0)
		return -1;
	for (size_t i = 0; i < n; i += 4) {
		padding = 0;
		if (i + 4 == n && s[n - 1] == '=')
			padding = s[n - 2] == '=' ? 2 : 1;
		len = unbase64_group(out, s + i, padding);
		if (len == 0)
			break;
		buf_add(b, out, len);
	}
	explicit_bzero(out, sizeof out);
	return n > 0 && len == 0 ? -1 : 0;
}

void
enc_xtext(struct buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < '!' || s[i] > '~' || s[i] == '+' || s[i] == '=')
			buf_addf(b, "+%02X", (unsigned char)s[i]);
		else
			buf_addc(b, s[i]);
}

void
enc_utf8_xtext(struct buf *b, const char *s, size_t n)
{
	uint32_t cp;
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		len = enc_utf8(s + i, n - i, &cp);
		if (len == 0) {
			cp = 0xfffd;
			len = 1;
		}
		if (cp < '!' || cp > '~' || cp == '+' || cp == '=' ||
		    cp == '\\')
			buf_addf(b, "\\x{%02X}", (unsigned)cp);
		else
			buf_addc(b, s[i]);
	}
}

static bool
stands_for_itself(char c)
{
	return c >= '!' && c <= '~' && c != '+' && c != '=';
}

int
enc_unxtext(struct buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int high, low;

		if (stands_for_itself(s[i])) {
			buf_addc(b, s[i]);
			continue;
		}
		if (s[i] != '+' || n - i < 3)
			return -1;
		high = enc_hex_digit(s[++i]);
		low = enc_hex_digit(s[++i]);
		if (high == -1 || low == -1)
			return -1;
		buf_addc(b, (char)(high << 4 | low));
	}
	return 0;
}

/* A code point that is none of the surrogates (RFC 3629 3). */
static void
add_utf8(struct buf *b, uint32_t cp)
{
	static const struct {
		uint32_t below;
		unsigned lead, more; /* octets behind the first */
	} rows[] = { { 0x80, 0, 0 }, { 0x800, 0xc0, 1 }, { 0x10000, 0xe0, 2 },
		{ 0x110000, 0xf0, 3 } };
	size_t row = 0;

	while (cp >= rows[row].below)
		row++;
	buf_addc(b, (char)(rows[row].lead | cp >> 6 * rows[row].more));
	for (unsigned more = rows[row].more; more-- > 0;)
		buf_addc(b, (char)(0x80 | (cp >> 6 * more & 0x3f)));
}

/* "\\x{HEX}" at s: its length, or 0 if there is none. */
static size_t
embedded(const char *s, size_t n, uint32_t *cp)
{
	size_t i = strlen("\\x{");

	*cp = 0;
	if (n < i || memcmp(s, "\\x{", i) != 0)
		return 0;
	for (; i < n && enc_hex_digit(s[i]) != -1 && *cp < 0x110000; i++)
		*cp = *cp << 4 | (uint32_t)enc_hex_digit(s[i]);
	if (i == n || s[i] != '}' || s[i - 1] == '{' || *cp >= 0x110000 ||
	    (*cp >= 0xd800 && *cp < 0xe000))
		return 0;
	return i + 1;
}

int
enc_unutf8_xtext(struct buf *b, const char *s, size_t n)
{
	uint32_t cp;
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		bool itself = stands_for_itself(s[i]) && s[i] != '\\';

		len = 1;
		if (itself || (unsigned char)s[i] >= 0x80) {
			buf_addc(b, s[i]);
			continue;
		}
		len = embedded(s + i, n - i, &cp);
		if (len == 0)
			return -1;
		add_utf8(b, cp);
	}
	return 0;
}
