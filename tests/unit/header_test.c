/*
 * header: fields found as they stand, text encoded and folded so that each
 * line fits and nothing is lost.
 * RFC 5322 2.2.3, 4.5; RFC 2047 2, 5, 8 (its examples, in UTF-8).
 */
#include "base/buf.h"
#include "mail/header.h"
#include "tests/unit/test.h"

static const char fields[] = "Received: a\n\tb\n"
			     "To: x@y.test,\n z@y.test \n"
			     "Subject :  hi\n"
			     "to:\n"
			     "X-To: no\n"
			     "TO:last";

static void
check_body(const struct field *f, const char *expected)
{
	struct buf b;

	buf_init(&b, 4096);
	header_unfold(&b, f);
	CHECK_STR(buf_str(&b), expected);
	buf_free(&b);
}

TEST(each_field_once)
{
	static const char *const names[] = { "Received", "To", "Subject", "to",
		"X-To", "TO" };
	struct field f = { 0 };
	size_t at = 0, i = 0;

	while (header_next(fields, sizeof fields - 1, &f)) {
		CHECK(i < 6);
		CHECK_MEM(f.name, f.name_len, names[i], strlen(names[i]));
		CHECK_INT(f.at, at);
		at = f.end;
		i++;
	}
	CHECK_INT(i, 6);
	CHECK_INT(at, sizeof fields - 1);
}

TEST(no_field_in_nothing)
{
	struct field f = { 0 };

	CHECK(!header_next(NULL, 0, &f));
	CHECK(!header_find("A: b\n", 5, "B", &f));
}

TEST(all_of_a_name)
{
	struct field f = { 0 };
	size_t n = sizeof fields - 1;

	CHECK(header_find(fields, n, "To", &f));
	check_body(&f, "x@y.test, z@y.test");
	CHECK(header_find(fields, n, "To", &f));
	check_body(&f, "");
	CHECK(header_find(fields, n, "To", &f));
	check_body(&f, "last");
	CHECK(!header_find(fields, n, "To", &f));
}

TEST(obsolete_space_before_the_colon)
{
	struct field f = { 0 };

	CHECK(header_find(fields, sizeof fields - 1, "SUBJECT", &f));
	check_body(&f, "hi");
}

TEST(folding_alone)
{
	static const char h[] = "A:\n \n\tb\n  \n";
	struct field f = { 0 };

	CHECK(header_next(h, sizeof h - 1, &f));
	check_body(&f, "b");
}

/* ---- encoding ---- */

struct encode_case {
	const char *in;
	const char *text;
	const char *phrase;
};

static const struct encode_case cases[] = {
	{ "", "", "\"\"" },
	{ "Hello", "Hello", "Hello" },
	{ "Keith Moore", "Keith Moore", "Keith Moore" },
	{ "a  b", "a  b", "\"a  b\"" },
	{ "J. R. \"Bob\" \\o/", "J. R. \"Bob\" \\o/",
	    "\"J. R. \\\"Bob\\\" \\\\o/\"" },
	{ "(a)", "(a)", "\"(a)\"" },
	{ " a", "=?utf-8?Q?_a?=", "\" a\"" },
	/* RFC 2047 8: the names of its examples. */
	{ "Keld J\xc3\xb8rn Simonsen", "Keld =?utf-8?B?SsO4cm4=?= Simonsen",
	    "=?utf-8?Q?Keld_J=C3=B8rn_Simonsen?=" },
	{ "Andr\xc3\xa9", "=?utf-8?B?QW5kcsOp?=", "=?utf-8?B?QW5kcsOp?=" },
	{ "Olle J\xc3\xa4rnefors", "Olle =?utf-8?Q?J=C3=A4rnefors?=",
	    "=?utf-8?Q?Olle_J=C3=A4rnefors?=" },
	{ "Patrik F\xc3\xa4ltstr\xc3\xb6m",
	    "Patrik =?utf-8?B?RsOkbHRzdHLDtm0=?=",
	    "=?utf-8?B?UGF0cmlrIEbDpGx0c3Ryw7Zt?=" },
	/* What is between two words that need it goes with them. */
	{ "\xc3\xa4 b \xc3\xb6",
	    "=?utf-8?B?w6QgYiDDtg==?=", "=?utf-8?B?w6QgYiDDtg==?=" },
	/* What would be taken for an encoded word is encoded. */
	{ "=?utf-8?Q?x?=", "=?utf-8?B?PT91dGYtOD9RP3g/PQ==?=",
	    "\"=?utf-8?Q?x?=\"" },
	{ "a\nBcc: x", "=?utf-8?Q?a=0ABcc:?= x", "=?utf-8?Q?a=0ABcc=3A_x?=" },
	/* No UTF-8. */
	{ "Andr\xe9",
	    "=?unknown-8bit?Q?Andr=E9?=", "=?unknown-8bit?Q?Andr=E9?=" },
};

TEST(encoding)
{
	struct buf b;

	buf_init(&b, 4096);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct encode_case *c = &cases[i];

		buf_reset(&b);
		header_encode(&b, c->in, strlen(c->in), HEADER_TEXT, 9);
		CHECK_STR(buf_str(&b), c->text);
		buf_reset(&b);
		header_encode(&b, c->in, strlen(c->in), HEADER_PHRASE, 6);
		CHECK_STR(buf_str(&b), c->phrase);
	}
	buf_free(&b);
}

/* The longest line of a header. */
static size_t
longest(const char *h)
{
	size_t max = 0, n;

	for (; *h != '\0'; h += n + (h[n] == '\n')) {
		n = strcspn(h, "\n");
		max = n > max ? n : max;
	}
	return max;
}

TEST(no_character_is_split)
{
	struct buf text, words;
	const char *p;

	buf_init(&text, 4096);
	buf_init(&words, 16384);
	for (size_t i = 0; i < 200; i++)
		buf_adds(&text, i % 7 == 0 ? "x" : "\xe2\x82\xac");
	header_encode(&words, text.data, text.len, HEADER_TEXT, 9);
	for (p = buf_str(&words); p != NULL; p = strchr(p, ' ')) {
		size_t n;

		p += *p == ' ';
		n = strcspn(p, " ");
		CHECK(n <= 75);
		CHECK(strncmp(p, "=?utf-8?B?", 10) == 0);
		/* A whole character ends here, so none begins beyond it. */
		CHECK(n > 12 && strncmp(p + n - 2, "?=", 2) == 0);
	}
	buf_reset(&text);
	header_add(&text, "Subject", buf_str(&words));
	CHECK(longest(buf_str(&text)) <= HEADER_LINE);
	CHECK(strncmp(buf_str(&text), "Subject: =?utf-8?B?", 19) == 0);
	buf_free(&text);
	buf_free(&words);
}

/* ---- folding ---- */

#define TEN "123456789 "
#define W77                                                                    \
	"1234567890123456789012345678901234567890123456789012345678901234567"  \
	"8901234567"

struct fold_case {
	const char *body;
	const char *field;
};

static const struct fold_case folds[] = {
	{ "x", "N: x\n" },
	{ "", "N: \n" },
	{ TEN TEN TEN TEN TEN TEN TEN "12345",
	    "N: " TEN TEN TEN TEN TEN TEN TEN "12345\n" },
	{ TEN TEN TEN TEN TEN TEN TEN "123456",
	    "N: " TEN TEN TEN TEN TEN TEN "123456789\n 123456\n" },
	{ W77, "N:\n " W77 "\n" },
	{ W77 "8", "N: " W77 "8\n" },
	{ "a  " W77, "N: a\n  " W77 "\n" },
	{ "a " W77 " ", "N: a\n " W77 " \n" },
};

TEST(folding)
{
	struct buf b;

	buf_init(&b, 4096);
	for (size_t i = 0; i < sizeof folds / sizeof folds[0]; i++) {
		buf_reset(&b);
		header_add(&b, "N", folds[i].body);
		CHECK_STR(buf_str(&b), folds[i].field);
	}
	buf_free(&b);
}

TEST_MAIN
