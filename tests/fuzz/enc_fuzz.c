/*
 * enc_fuzz: what is shown is valid UTF-8 without control characters, the
 * same in a buffer and cut into a string, and JSON is one quoted string.
 * Base64 and xtext come back as they went, and there is one text of base64 for
 * one run of octets.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "tests/unit/decode.h"

#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_safe(const char *s, size_t n)
{
	uint32_t cp;
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		len = enc_utf8(s + i, n - i, &cp);
		MUST(len > 0);
		MUST(cp >= ' ' && (cp < 0x7f || cp > 0x9f));
		MUST(cp < 0x202a || cp > 0x202e);
		MUST(cp < 0x2066 || cp > 0x2069);
	}
}

static void
check_printable(struct buf *b, const char *s, size_t n)
{
	char cut[24];
	size_t len;

	enc_printable(b, s, n);
	MUST(buf_ok(b));
	check_safe(buf_str(b), b->len);
	enc_printable_str(cut, sizeof cut, s, n);
	len = strlen(cut);
	check_safe(cut, len);
	MUST(len <= b->len && memcmp(cut, buf_str(b), len) == 0);
	/* Nothing is left out for want of room unless it really lacks. */
	MUST(len == b->len || len + 12 >= sizeof cut - 1);
}

static void
check_json(struct buf *b, const char *s, size_t n)
{
	size_t i;

	buf_reset(b);
	enc_json(b, s, n);
	MUST(buf_ok(b) && b->len >= 2);
	check_safe(b->data, b->len);
	MUST(b->data[0] == '"' && b->data[b->len - 1] == '"');
	for (i = 1; i < b->len - 1; i++) {
		MUST(b->data[i] != '"');
		if (b->data[i] == '\\')
			i++;
	}
	MUST(i == b->len - 1);
}

static void
check_base64(struct buf *b, const char *s, size_t n)
{
	struct buf back;

	buf_init(&back, 8 * n + 2);
	buf_reset(b);
	enc_base64(b, s, n);
	MUST(buf_ok(b) && enc_unbase64(&back, b->data, b->len) == 0);
	MUST(back.len == n && (n == 0 || memcmp(back.data, s, n) == 0));
	buf_reset(&back);
	if (enc_unbase64(&back, s, n) == 0) {
		buf_reset(b);
		enc_base64(b, back.data, back.len);
		MUST(b->len == n && (n == 0 || memcmp(b->data, s, n) == 0));
	}
	buf_free(&back);
}

/* Both forms are values of a parameter, and xtext comes back as it went. */
static void
check_xtext(struct buf *b, const char *s, size_t n)
{
	struct buf back;
	size_t i;

	buf_init(&back, n);
	buf_reset(b);
	enc_xtext(b, s, n);
	MUST(buf_ok(b) && decode_xtext(&back, buf_str(b), b->len));
	MUST(back.len == n && (n == 0 || memcmp(back.data, s, n) == 0));
	buf_free(&back);
	buf_reset(b);
	enc_utf8_xtext(b, s, n);
	MUST(buf_ok(b));
	for (i = 0; i < b->len; i++)
		MUST(b->data[i] >= '!' && b->data[i] <= '~' &&
		    b->data[i] != '+' && b->data[i] != '=');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *s = malloc(n + 1);
	struct buf b;

	if (s == NULL)
		return 0;
	memcpy(s, data, n);
	buf_init(&b, 8 * n + 8);
	check_printable(&b, s, n);
	check_json(&b, s, n);
	check_base64(&b, s, n);
	check_xtext(&b, s, n);
	buf_free(&b);
	free(s);
	return 0;
}
