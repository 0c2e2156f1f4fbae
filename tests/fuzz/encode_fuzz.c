/*
 * encode: whatever goes in comes out in lines that may be sent, the same in
 * every cut, and is what went in when it is decoded again.
 * The first octet chooses form and cut.
 * RFC 2045 6.7, 6.8.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "mail/encode.h"
#include "tests/unit/decode.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
encode(struct buf *out, enum encode_form form, const char *p, size_t n,
    size_t step)
{
	struct encode c;
	size_t len, was;

	encode_init(&c, form);
	for (; n > 0; p += len, n -= len) {
		len = n < step ? n : step;
		was = out->len;
		encode_feed(&c, out, p, len);
		must(out->len - was <= ENCODE_ROOM(len));
	}
	encode_end(&c, out);
	must(buf_ok(out));
}

/* What goes over the wire: CR, LF and CRLF are CRLF. */
static void
canonical(struct buf *out, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != '\r' && p[i] != '\n')
			buf_addc(out, p[i]);
		else if (p[i] == '\r' || i == 0 || p[i - 1] != '\r')
			buf_adds(out, "\r\n");
	}
}

static void
check_columns(const struct buf *b)
{
	size_t column = 0;

	for (size_t i = 0; i < b->len; i++) {
		column = b->data[i] == '\n' ? 0 : column + 1;
		must(column <= ENCODE_COLUMNS + (b->data[i] == '\r'));
	}
}

/* More white space than is remembered, at one place. */
static bool
has_wide_gap(const struct buf *b)
{
	size_t run = 0, i;

	for (i = 0; i < b->len && run < 128; i++)
		run = b->data[i] == ' ' || b->data[i] == '\t' ? run + 1 : 0;
	return i < b->len;
}

/* It says what it said, and nothing in it is 8-bit. */
static void
check_kept(const struct buf *was, const struct buf *now)
{
	struct buf a, b;

	if (has_wide_gap(was))
		return;
	buf_init(&a, was->len + 1);
	buf_init(&b, was->len + 1);
	decode_qp_kindly(&a, buf_str(was), was->len);
	decode_qp_kindly(&b, buf_str(now), now->len);
	must(buf_ok(&a) && buf_ok(&b) && a.len == b.len);
	must(a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
	must(!enc_has_8bit(buf_str(now), now->len));
	buf_free(&a);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	const char *text = (const char *)data + 1;
	struct buf a, b, want, back;
	enum encode_form form;

	if (n == 0)
		return 0;
	form = data[0] % 5;
	n--;
	buf_init(&a, 4 * n + 4096);
	buf_init(&b, 4 * n + 4096);
	buf_init(&want, 4 * n + 4096);
	buf_init(&back, 4 * n + 4096);
	encode(&a, form, text, n, 1 + data[0] / 5);
	encode(&b, form, text, n, n + 1);
	must(a.len == b.len);
	must(a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
	check_columns(&a);
	if (form == ENCODE_BASE64_RAW)
		buf_add(&want, text, n);
	else
		canonical(&want, text, n);
	if (form == ENCODE_QP_AGAIN)
		check_kept(&want, &a);
	else if (form != ENCODE_WRAP) {
		must(form == ENCODE_QP
			? decode_qp(&back, buf_str(&a), a.len)
			: decode_base64(&back, buf_str(&a), a.len));
		must(back.len == want.len);
		must(want.len == 0 ||
		    memcmp(back.data, want.data, want.len) == 0);
	}
	buf_free(&a);
	buf_free(&b);
	buf_free(&want);
	buf_free(&back);
	return 0;
}
