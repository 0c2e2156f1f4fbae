/*
 * encode: quoted-printable and base64, the same in every cut, and back.
 * RFC 2045 6.7 and 6.8.
 */
#include "base/buf.h"
#include "mail/encode.h"
#include "tests/unit/decode.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void
encode(struct buf *out, enum encode_form form, struct test_mem in, size_t step)
{
	struct encode c;
	const char *p = in.data;
	size_t n, was;

	buf_reset(out);
	encode_init(&c, form);
	for (size_t at = 0; at < in.len; at += n) {
		n = in.len - at < step ? in.len - at : step;
		was = out->len;
		encode_feed(&c, out, p + at, n);
		CHECK(out->len - was <= ENCODE_ROOM(n));
	}
	was = out->len;
	encode_end(&c, out);
	CHECK(out->len - was <= ENCODE_ROOM(0));
	CHECK(buf_ok(out));
}

struct row {
	enum encode_form form;
	const char *in;
	const char *out;
};

#define X10 "xxxxxxxxxx"
#define X70 X10 X10 X10 X10 X10 X10 X10
#define A76                                                                    \
	"YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh" \
	"YWFhYWFh"
#define A57 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct row rows[] = {
	{ ENCODE_QP, "", "" },
	{ ENCODE_QP, "a", "a" },
	{ ENCODE_QP, "a\n", "a\r\n" },
	{ ENCODE_QP, "a\r\nb\rc\n", "a\r\nb\r\nc\r\n" },
	{ ENCODE_QP, "a\r\rb", "a\r\n\r\nb" },
	{ ENCODE_QP, "\n\n", "\r\n\r\n" },
	{ ENCODE_QP, "gr\xc3\xbc\xc3\x9f", "gr=C3=BC=C3=9F" },
	{ ENCODE_QP, "a=b", "a=3Db" },
	{ ENCODE_QP, "a b \nc\t\n \n", "a b=20\r\nc=09\r\n=20\r\n" },
	{ ENCODE_QP, "a ", "a=20" },
	{ ENCODE_QP, "  a", "  a" },
	{ ENCODE_QP, "\x01\x7f\x1b", "=01=7F=1B" },
	{ ENCODE_QP, ".\n..\n.x\na.b\n", "=2E\r\n=2E.\r\n=2Ex\r\na.b\r\n" },
	{ ENCODE_QP, "From me\nFrom\nFromage\n >From x\n",
	    "From=20me\r\nFrom\r\nFromage\r\n >From x\r\n" },
	{ ENCODE_QP, "xFrom me\nfrom me\nFrom ",
	    "xFrom me\r\nfrom me\r\nFrom=20" },
	{ ENCODE_QP, "--b\n-- \n-\n-x\nx--\n",
	    "=2D-b\r\n=2D-=20\r\n-\r\n-x\r\nx--\r\n" },
	{ ENCODE_QP, X70 "123456\n", X70 "123456\r\n" },
	{ ENCODE_QP, X70 "123456", X70 "123456" },
	{ ENCODE_QP, X70 "1234567\n", X70 "12345=\r\n67\r\n" },
	{ ENCODE_QP, X70 "12 \n", X70 "12=20\r\n" },
	{ ENCODE_QP, X70 "123 \n", X70 "123=20\r\n" },
	{ ENCODE_QP, X70 "1234 \n", X70 "1234=\r\n=20\r\n" },
	{ ENCODE_QP, X70 "123=4", X70 "123=\r\n=3D4" },
	{ ENCODE_QP, X70 "12=4", X70 "12=3D4" },
	{ ENCODE_QP, X70 "12345.67\n", X70 "12345=\r\n=2E67\r\n" },
	{ ENCODE_QP, X70 "12345--b\n", X70 "12345=\r\n=2D-b\r\n" },
	{ ENCODE_QP, X70 "12345From x\n", X70 "12345=\r\nFrom=20x\r\n" },
	{ ENCODE_BASE64, "", "" },
	{ ENCODE_BASE64, "f", "Zg==" },
	{ ENCODE_BASE64, "foobar", "Zm9vYmFy" },
	{ ENCODE_BASE64, "a\n", "YQ0K" },
	{ ENCODE_BASE64, "a\r", "YQ0K" },
	{ ENCODE_BASE64, "a\r\n", "YQ0K" },
	{ ENCODE_BASE64, A57, A76 },
	{ ENCODE_BASE64, A57 "a", A76 "\r\nYQ==" },
	{ ENCODE_BASE64, A57 A57, A76 "\r\n" A76 },
	{ ENCODE_BASE64_RAW, "a\n", "YQo=" },
	{ ENCODE_BASE64_RAW, "a\r\n\r", "YQ0KDQ==" },
	{ ENCODE_QP_AGAIN, "", "" },
	{ ENCODE_QP_AGAIN, "a=3Db=c3=\nd\n", "a=3Db=c3=\r\nd\r\n" },
	{ ENCODE_QP_AGAIN, "\xc3\xbc=C3=BC\n", "=C3=BC=C3=BC\r\n" },
	{ ENCODE_QP_AGAIN, "a=\t \r\nb", "a=\r\nb" },
	{ ENCODE_QP_AGAIN, "a= b=", "a=3D b=" },
	{ ENCODE_QP_AGAIN, "a \tb \t\nc ", "a \tb\r\nc" },
	{ ENCODE_QP_AGAIN, "a==3D=x=4\n", "a=3D=3D=3Dx=3D4\r\n" },
	{ ENCODE_QP_AGAIN, ".\n--x\nFrom x\n", ".\r\n--x\r\nFrom x\r\n" },
	{ ENCODE_QP_AGAIN, X70 "12345=\n6\n", X70 "12345=\r\n6\r\n" },
	{ ENCODE_QP_AGAIN, X70 "123456\n", X70 "123456\r\n" },
	{ ENCODE_QP_AGAIN, X70 "1234567\n", X70 "12345=\r\n67\r\n" },
	{ ENCODE_QP_AGAIN, X70 "123=41\n", X70 "123=41\r\n" },
	{ ENCODE_QP_AGAIN, X70 "1234=41\n", X70 "1234=\r\n=41\r\n" },
	{ ENCODE_QP_AGAIN, X70 "12345.67\n", X70 "12345=\r\n=2E67\r\n" },
	{ ENCODE_WRAP, "", "" },
	{ ENCODE_WRAP, "YQ \r\n==\n", "YQ==" },
	{ ENCODE_WRAP, X70 "123456", X70 "123456" },
	{ ENCODE_WRAP, X70 "123456\n", X70 "123456" },
	{ ENCODE_WRAP, X70 "12\n345678", X70 "123456\r\n78" },
};

TEST(rows_in_every_cut)
{
	struct buf out;

	buf_init(&out, 65536);
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t step = 1; step < 90; step++) {
			struct test_mem in = { rows[i].in, strlen(rows[i].in) };

			encode(&out, rows[i].form, in, step);
			CHECK_STR(buf_str(&out), rows[i].out);
		}
	buf_free(&out);
}

/* The text as it is on the wire: each of CR, LF and CRLF made CRLF. */
static void
canonical(struct buf *out, const char *p, size_t n)
{
	buf_reset(out);
	for (size_t i = 0; i < n; i++) {
		if (p[i] != '\r' && p[i] != '\n')
			buf_addc(out, p[i]);
		else if (p[i] == '\r' || i == 0 || p[i - 1] != '\r')
			buf_adds(out, "\r\n");
	}
}

/* Octets that make trouble, often; the same ones in each run. */
static size_t
make_text(char *to, size_t max, unsigned seed)
{
	static const char hard[] = "\r\n\r\n  \t=.-From --.\x80\xff";
	size_t n;

	seed = seed * 2654435761u + 1;
	n = seed % max;
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1103515245u + 12345u;
		to[i] = (seed >> 16) % 3 == 0
		    ? hard[(seed >> 20) % (sizeof hard - 1)]
		    : (char)(seed >> 24);
	}
	return n;
}

TEST(round_trips)
{
	static const size_t steps[] = { 1, 2, 3, 56, 57, 58, 75, 76, 77, 999 };
	struct buf first, out, back, want;
	char text[700];

	buf_init(&first, 65536);
	buf_init(&out, 65536);
	buf_init(&back, 65536);
	buf_init(&want, 65536);
	for (unsigned seed = 0; seed < 2000; seed++) {
		size_t n = make_text(text, sizeof text, seed);
		enum encode_form form = seed % 3;

		for (size_t i = 0; i < COUNT(steps); i++) {
			encode(i == 0 ? &first : &out, form,
			    (struct test_mem){ text, n }, steps[i]);
			if (i > 0)
				CHECK_MEM(
				    out.data, out.len, first.data, first.len);
		}
		canonical(&want, text, n);
		if (form == ENCODE_BASE64_RAW) {
			buf_reset(&want);
			buf_add(&want, text, n);
		}
		CHECK(form == ENCODE_QP
			? decode_qp(&back, buf_str(&first), first.len)
			: decode_base64(&back, buf_str(&first), first.len));
		CHECK_MEM(back.data, back.len, want.data, want.len);
	}
	buf_free(&first);
	buf_free(&out);
	buf_free(&back);
	buf_free(&want);
}

TEST_MAIN
