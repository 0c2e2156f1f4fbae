/*
 * mend: whatever the header, what comes of it fits: no line is too long or
 * white space only, no octet is over 127 (or all of it is UTF-8), the fields
 * are the same, and it is not mended again. A field that fits stays.
 * The first octet chooses what the server takes.
 * RFC 5322 2.1.1, 2.2.3.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "mail/header.h"
#include "mail/mend.h"

#define LINE_MAX 998

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
check_octets(const char *s, size_t n, bool utf8)
{
	const char *end = s + n, *lf;

	must(utf8 ? enc_is_utf8(s, n) : !enc_has_8bit(s, n));
	for (; s < end; s = lf + 1) {
		lf = memchr(s, '\n', (size_t)(end - s));
		if (lf == NULL)
			lf = end;
		must(lf - s <= LINE_MAX);
	}
}

/* Lines that are not what they were: none is white space only. */
static void
check_made(const char *s, size_t n)
{
	const char *end = s + n, *lf;

	must(n > 0 && s[n - 1] == '\n');
	for (; s < end; s = lf + 1) {
		lf = memchr(s, '\n', (size_t)(end - s));
		while (s < lf && (*s == ' ' || *s == '\t'))
			s++;
		must(s < lf);
	}
}

static void
check_fields(const char *in, size_t n, const struct buf *out, bool utf8)
{
	struct field was = { 0 }, is = { 0 };
	const char *s = buf_str(out);

	while (header_next(in, n, &was)) {
		must(header_next(s, out->len, &is));
		must(is.name_len == was.name_len);
		must(memcmp(is.name, was.name, is.name_len) == 0);
		if (mend_fits(in + was.at, was.end - was.at, utf8)) {
			must(is.end - is.at == was.end - was.at);
			must(memcmp(in + was.at, s + is.at, is.end - is.at) ==
			    0);
		} else
			check_made(s + is.at, is.end - is.at);
	}
	must(!header_next(s, out->len, &is));
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	const char *s = (const char *)data + 1;
	struct buf out, again;
	struct err e;
	bool utf8;

	if (n < 2 || s[n - 2] != '\n')
		return 0;
	n--;
	utf8 = data[0] % 2 == 1;
	buf_init(&out, 64 * n + 4096);
	buf_init(&again, 64 * n + 4096);
	if (mend_header(&out, s, n, utf8, &e) == 0) {
		check_octets(buf_str(&out), out.len, utf8);
		check_fields(s, n, &out, utf8);
		must(
		    mend_header(&again, buf_str(&out), out.len, utf8, &e) == 0);
		must(again.len == out.len);
		must(
		    out.len == 0 || memcmp(again.data, out.data, out.len) == 0);
	} else
		must(e.verdict != ERR_OK && e.text[0] != '\0');
	buf_free(&out);
	buf_free(&again);
	return 0;
}
