/*
 * enc_test: UTF-8 at the edges of every row of RFC 3629 4, and what people,
 * terminals and JSON readers get to see.
 */
#include "base/buf.h"
#include "base/enc.h"
#include "tests/unit/decode.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char *
shown(const char *s, size_t n)
{
	static char out[1000];
	struct buf b;

	buf_init(&b, sizeof out - 1);
	enc_printable(&b, s, n);
	CHECK(buf_ok(&b));
	snprintf(out, sizeof out, "%s", buf_str(&b));
	buf_free(&b);
	return out;
}

static const char *
json(const char *s, size_t n)
{
	static char out[1000];
	struct buf b;

	buf_init(&b, sizeof out - 1);
	enc_json(&b, s, n);
	CHECK(buf_ok(&b));
	snprintf(out, sizeof out, "%s", buf_str(&b));
	buf_free(&b);
	return out;
}

/* ---- UTF-8 ---- */

/* An encoder by the bits of RFC 3629 3, which knows nothing of the table. */
static size_t
encode(char out[4], uint32_t cp)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1; cp >>= 6)
		out[i] = (char)(0x80 | (cp & 0x3f));
	out[0] = (char)(lead[n] | cp);
	return n;
}

TEST(every_code_point_and_no_surrogate)
{
	int wrong = 0;

	for (uint32_t cp = 0; cp < 0x140000; cp++) {
		bool valid = cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);
		uint32_t got = 0;
		char s[4];
		size_t n = encode(s, cp);

		if (enc_utf8(s, n, &got) != (valid ? n : 0) ||
		    (valid && got != cp))
			wrong++;
		if (n > 1 && enc_utf8(s, n - 1, &got) != 0)
			wrong++;
	}
	CHECK_INT(wrong, 0);
}

TEST(malformed_sequences)
{
	static const char *const rows[] = {
		"\x80", /* a continuation alone */
		"\xbf",
		"\xc0\x80", /* overlong: NUL */
		"\xc1\xbf",
		"\xc2\x7f", /* no continuation */
		"\xc2\xc0",
		"\xe0\x80\x80", /* overlong */
		"\xe0\x9f\xbf",
		"\xe1\x80\x7f",
		"\xed\xa0\x80", /* surrogates */
		"\xed\xbf\xbf",
		"\xf0\x80\x80\x80", /* overlong */
		"\xf0\x8f\xbf\xbf",
		"\xf1\x80\x80\x7f",
		"\xf1\x80\xc0\x80",
		"\xf4\x90\x80\x80", /* above U+10FFFF */
		"\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80\x80",
		"\xfe",
		"\xff",
	};
	uint32_t cp;

	for (size_t i = 0; i < COUNT(rows); i++) {
		CHECK_INT(enc_utf8(rows[i], strlen(rows[i]), &cp), 0);
		CHECK(!enc_is_utf8(rows[i], strlen(rows[i])));
	}
}

TEST(whole_strings)
{
	CHECK(enc_is_utf8("", 0));
	CHECK(enc_is_utf8("a\0b", 3));
	CHECK(enc_is_utf8("a\xc3\xb6\xe2\x82\xac\xf0\x9f\x93\xa7", 10));
	CHECK(!enc_is_utf8("a\xc3\xb6\xe2\x82", 5));
	CHECK(!enc_has_8bit("", 0));
	CHECK(!enc_has_8bit("a\0\x7f", 3));
	CHECK(enc_has_8bit("a\0\x80", 3));
	CHECK(!enc_has_8bit("a\0\x80", 2));
}

/* The text in two pieces and in single octets: where it is cut is nothing. */
static void
check_pieces(const char *s, size_t n)
{
	bool good = enc_is_utf8(s, n);
	struct enc_utf8_check single = { 0 };

	for (size_t cut = 0; cut <= n; cut++) {
		struct enc_utf8_check u = { 0 };

		enc_utf8_feed(&u, s, cut);
		enc_utf8_feed(&u, s + cut, n - cut);
		CHECK_INT(enc_utf8_good(&u), good);
	}
	for (size_t i = 0; i < n; i++)
		enc_utf8_feed(&single, s + i, 1);
	CHECK_INT(enc_utf8_good(&single), good);
}

TEST(utf8_is_the_same_in_pieces)
{
	static const char *const rows[] = { "", "plain",
		"a long text, so that it goes by in words \xc3\xa4 and more",
		"\xc3\xb6\xe2\x82\xac\xf0\x9f\x93\xa7", "\xc3", "\xc3x",
		"x\xe2\x82", "\xe2\x82x", "\xf0\x9f\x93", "\x80", "x\xa4y",
		"\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80", "\xff",
		"12345678\xa4", "1234567\xc3\xa4", "\xc3\xa4\xa4" };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check_pieces(rows[i], strlen(rows[i]));
}

/* ---- printable ---- */

TEST(text_is_shown_as_it_is)
{
	static const char s[] =
	    "250 \"ok\" \\x41 ~ \xc2\xa0\xc3\xb6\xe2\x82\xac\xf0\x9f\x93\xa7";

	CHECK_STR(shown(s, sizeof s - 1), s);
	CHECK_STR(shown("", 0), "");
}

TEST(what_is_escaped)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "\r\n\t", "\\x0D\\x0A\\x09" },
		{ "\033[31m", "\\x1B[31m" },
		{ "\x1f \x7e\x7f", "\\x1F ~\\x7F" },
		{ "\xc2\x80", "\\xC2\\x80" }, /* C1 */
		{ "\xc2\x9b"
		  "31m",
		    "\\xC2\\x9B31m" },
		{ "\xc2\x9f", "\\xC2\\x9F" },
		{ "\xe2\x80\xa9", "\xe2\x80\xa9" }, /* U+2029 */
		{ "\xe2\x80\xaa", "\\xE2\\x80\\xAA" }, /* U+202A */
		{ "\xe2\x80\xae"
		  "b",
		    "\\xE2\\x80\\xAEb" }, /* U+202E */
		{ "\xe2\x80\xaf", "\xe2\x80\xaf" }, /* U+202F */
		{ "\xe2\x81\xa5", "\xe2\x81\xa5" }, /* U+2065 */
		{ "\xe2\x81\xa6", "\\xE2\\x81\\xA6" }, /* U+2066 */
		{ "\xe2\x81\xa9", "\\xE2\\x81\\xA9" }, /* U+2069 */
		{ "\xe2\x81\xaa", "\xe2\x81\xaa" }, /* U+206A */
		{ "a\xff"
		  "b",
		    "a\\xFFb" },
		{ "\xc3"
		  "a",
		    "\\xC3a" },
		{ "\xe2\x82", "\\xE2\\x82" },
		{ "\xed\xa0\x80", "\\xED\\xA0\\x80" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_STR(shown(rows[i].in, strlen(rows[i].in)), rows[i].out);
	CHECK_STR(shown("a\0b", 3), "a\\x00b");
}

TEST(every_octet_alone_is_made_safe)
{
	for (int c = 0; c < 256; c++) {
		char s = (char)c;
		const char *out = shown(&s, 1);

		CHECK_INT(strlen(out), c >= ' ' && c < 0x7f ? 1 : 4);
	}
}

TEST(a_fixed_string_is_cut_between_characters)
{
	static const char s[] = "a\xc3\xb6\nb";
	static const char *const by_size[] = { "a", "a", "a\xc3\xb6",
		"a\xc3\xb6", "a\xc3\xb6", "a\xc3\xb6", "a\xc3\xb6\\x0A",
		"a\xc3\xb6\\x0A"
		"b",
		"a\xc3\xb6\\x0A"
		"b" };
	char dst[16];

	for (size_t i = 0; i < COUNT(by_size); i++) {
		memset(dst, '#', sizeof dst);
		CHECK(enc_printable_str(dst, i + 2, s, strlen(s)) == dst);
		CHECK_STR(dst, by_size[i]);
		CHECK_INT(dst[i + 2], '#');
	}
}

TEST(fixed_strings_of_size_zero_and_one)
{
	char dst[2] = "#";

	CHECK(enc_printable_str(dst, 0, "a", 1) == dst);
	CHECK_STR(dst, "#");
	CHECK_STR(enc_printable_str(dst, 1, "a", 1), "");
}

/* What follows a character that does not fit is not shown either. */
TEST(nothing_is_left_out_of_the_middle)
{
	char dst[5];

	CHECK_STR(enc_printable_str(dst, 4, "ab\nc", 4), "ab");
}

/* ---- JSON ---- */

TEST(json_strings)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "\"\"" },
		{ "a/b", "\"a/b\"" },
		{ "\"\\", "\"\\\"\\\\\"" },
		{ "\r\n\t\033\x1f", "\"\\u000d\\u000a\\u0009\\u001b\\u001f\"" },
		{ "\x7f\xc2\x80\xc2\x9f", "\"\\u007f\\u0080\\u009f\"" },
		{ "\xe2\x80\xae\xe2\x81\xa6", "\"\\u202e\\u2066\"" },
		{ "\xc3\xb6\xf0\x9f\x93\xa7", "\"\xc3\xb6\xf0\x9f\x93\xa7\"" },
		{ "a\xff"
		  "b",
		    "\"a\xef\xbf\xbd"
		    "b\"" },
		{ "\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_STR(json(rows[i].in, strlen(rows[i].in)), rows[i].out);
	CHECK_STR(json("a\0b", 3), "\"a\\u0000b\"");
}

TEST(a_full_buffer_stays_failed)
{
	struct buf b;

	buf_init(&b, 5);
	enc_printable(&b, "a\nb", 3);
	CHECK(buf_ok(&b) == false);
	buf_free(&b);
	buf_init(&b, 3);
	enc_json(&b, "ab", 2);
	CHECK(!buf_ok(&b));
	buf_free(&b);
}

/* ---- Base64 ---- */

/* RFC 4648 10, and octets that use all of the alphabet's end. */
TEST(hex_digits_and_their_neighbours)
{
	static const char digits[] = "0123456789abcdef";
	int i;

	for (i = 0; i < 16; i++)
		CHECK_INT(enc_hex_digit(digits[i]), i);
	CHECK_INT(enc_hex_digit('A'), 10);
	CHECK_INT(enc_hex_digit('F'), 15);
	for (i = 0; i < 8; i++) /* with the final NUL */
		CHECK_INT(enc_hex_digit("/:@G`g\x80"[i]), -1);
}

TEST(base64_both_ways)
{
	static const struct {
		const char *plain, *text;
		size_t n;
	} rows[] = {
		{ "", "", 0 },
		{ "f", "Zg==", 1 },
		{ "fo", "Zm8=", 2 },
		{ "foo", "Zm9v", 3 },
		{ "foob", "Zm9vYg==", 4 },
		{ "fooba", "Zm9vYmE=", 5 },
		{ "foobar", "Zm9vYmFy", 6 },
		{ "\0a\0", "AGEA", 3 },
		{ "\xfb\xef\xbe\xff\xff\xff", "++++////", 6 },
	};
	struct buf b;

	buf_init(&b, 100);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		enc_base64(&b, rows[i].plain, rows[i].n);
		CHECK_STR(buf_str(&b), rows[i].text);
		buf_reset(&b);
		buf_adds(&b, "x");
		CHECK_INT(
		    enc_unbase64(&b, rows[i].text, strlen(rows[i].text)), 0);
		CHECK_INT(b.len, rows[i].n + 1);
		CHECK_MEM(buf_str(&b) + 1, rows[i].n, rows[i].plain, rows[i].n);
	}
	buf_free(&b);
}

TEST(every_octet_through_base64)
{
	unsigned char all[256];
	struct buf text, back;

	for (size_t i = 0; i < sizeof all; i++)
		all[i] = (unsigned char)i;
	buf_init(&text, 1000);
	buf_init(&back, 1000);
	for (size_t n = 0; n <= sizeof all; n++) {
		buf_reset(&text);
		buf_reset(&back);
		enc_base64(&text, all, n);
		CHECK_INT(text.len, (n + 2) / 3 * 4);
		CHECK_INT(enc_unbase64(&back, text.data, text.len), 0);
		CHECK_MEM(back.data, back.len, all, n);
	}
	buf_free(&text);
	buf_free(&back);
}

TEST(what_is_no_base64)
{
	static const char *const rows[] = {
		"Z", /* length */
		"Zg",
		"Zg=",
		"Zm9vY",
		"Zh==", /* bits left over */
		"Zm9=",
		"====", /* padding alone, too much, in the middle, inside */
		"Z===",
		"Zg==Zg==",
		"Z=g=",
		"Zm=v",
		"Zm 9", /* outside the alphabet */
		"Zm9v\r\n==",
		"Zm9-",
		"Zm9_",
		"Zm9\x80",
	};
	struct buf b;

	buf_init(&b, 100);
	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_INT(enc_unbase64(&b, rows[i], strlen(rows[i])), -1);
	CHECK_INT(enc_unbase64(&b, "Zm\0v", 4), -1);
	CHECK_INT(enc_unbase64(&b, "\0\0\0\0", 4), -1);
	buf_free(&b);
}

/* RFC 3461 4: "+" and two upper case digits for all that must not stand. */
TEST(xtext_of_every_octet)
{
	struct buf b, back;
	char all[256];
	size_t i;

	buf_init(&b, 1000);
	buf_init(&back, 1000);
	for (i = 0; i < sizeof all; i++)
		all[i] = (char)i;
	enc_xtext(&b, all, sizeof all);
	CHECK(buf_ok(&b));
	for (i = 0; i < b.len; i++)
		CHECK(b.data[i] >= '!' && b.data[i] <= '~' && b.data[i] != '=');
	CHECK(decode_xtext(&back, b.data, b.len));
	CHECK_MEM(back.data, back.len, all, sizeof all);
	buf_reset(&b);
	enc_xtext(&b, "a+b = c@d\\", 10);
	CHECK_STR(buf_str(&b), "a+2Bb+20+3D+20c@d\\");
	buf_free(&b);
	buf_free(&back);
}

/* RFC 6533 3. */
TEST(utf8_addresses_in_ascii)
{
	static const struct {
		const char *s, *want;
	} rows[] = {
		{ "bob@example.net", "bob@example.net" },
		{ "a+b=c\\d e", "a\\x{2B}b\\x{3D}c\\x{5C}d\\x{20}e" },
		{ "caf\xc3\xa9@x.test", "caf\\x{E9}@x.test" },
		{ "\xe4\xb8\xad\xf0\x9f\x98\x80", "\\x{4E2D}\\x{1F600}" },
		{ "\n\x7f\xff", "\\x{0A}\\x{7F}\\x{FFFD}" },
	};
	struct buf b;
	size_t i;

	buf_init(&b, 1000);
	for (i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		enc_utf8_xtext(&b, rows[i].s, strlen(rows[i].s));
		CHECK_STR(buf_str(&b), rows[i].want);
	}
	buf_free(&b);
}

/* ---- back from xtext ---- */

static const char *
unxtext(
    struct buf *b, int (*fn)(struct buf *, const char *, size_t), const char *s)
{
	buf_reset(b);
	return fn(b, s, strlen(s)) == -1 ? NULL : buf_str(b);
}

TEST(xtext_back)
{
	struct buf b;

	buf_init(&b, 4096);
	CHECK_STR(unxtext(&b, enc_unxtext, ""), "");
	CHECK_STR(unxtext(&b, enc_unxtext, "a+2Bb+3d+20\\"), "a+b= \\");
	CHECK_STR(unxtext(&b, enc_unxtext, "+C3+B6"), "\303\266");
	CHECK_STR(unxtext(&b, enc_unxtext, "+"), NULL);
	CHECK_STR(unxtext(&b, enc_unxtext, "+2"), NULL);
	CHECK_STR(unxtext(&b, enc_unxtext, "+2G"), NULL);
	CHECK_STR(unxtext(&b, enc_unxtext, "a=b"), NULL);
	CHECK_STR(unxtext(&b, enc_unxtext, "a b"), NULL);
	CHECK_STR(unxtext(&b, enc_unxtext, "\303\266"), NULL);
	buf_free(&b);
}

/* RFC 6533 3; code points at the ends of each length of UTF-8. */
TEST(utf8_xtext_back)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "" },
		{ "a\\x{5C}b", "a\\b" },
		{ "\\x{F6}@x", "\303\266@x" },
		{ "\303\266@x", "\303\266@x" },
		{ "\\x{7F}\\x{80}", "\177\302\200" },
		{ "\\x{7ff}\\x{800}", "\337\277\340\240\200" },
		{ "\\x{FFFF}\\x{10000}", "\357\277\277\360\220\200\200" },
		{ "\\x{10FFFF}", "\364\217\277\277" },
		{ "\\x{0010FFFF}", "\364\217\277\277" },
		{ "\\x{110000}", NULL },
		{ "\\x{D800}", NULL },
		{ "\\x{DFFF}", NULL },
		{ "\\x{}", NULL },
		{ "\\x{41", NULL },
		{ "\\x{4G}", NULL },
		{ "\\x41", NULL },
		{ "\\", NULL },
		{ "a+2B", NULL },
		{ "a b", NULL },
	};
	struct buf b;

	buf_init(&b, 4096);
	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_STR(
		    unxtext(&b, enc_unutf8_xtext, rows[i].in), rows[i].out);
	buf_free(&b);
}

TEST_MAIN
