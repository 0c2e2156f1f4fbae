/*
 * mailbox: lists as people type them become fields that every reader takes.
 * RFC 5322 3.4, A.1.2 and A.1.3 (its examples), RFC 2047 8.
 */
#include "base/buf.h"
#include "base/err.h"
#include "mail/mailbox.h"
#include "tests/unit/test.h"

static void
check_bad(const char *list, const char *expected, size_t bad)
{
	struct buf b;
	struct err e;

	buf_init(&b, 65536);
	CHECK_INT(mailbox_list(&b, list, strlen(list), &e), bad);
	CHECK(buf_ok(&b));
	CHECK_STR(buf_str(&b), expected);
	buf_free(&b);
}

static void
check(const char *list, const char *expected)
{
	check_bad(list, expected, 0);
}

TEST(addresses)
{
	check("", "");
	check(" , ,", "");
	check("a@x.test", "a@x.test");
	check("<a@x.test>", "a@x.test");
	check(" a@x.test ,b@x.test,", "a@x.test, b@x.test");
	check("<@relay.test:a@x.test>", "a@x.test");
	check("\"a b\"@x.test", "\"a b\"@x.test");
	check("\"a,<b\"@x.test", "\"a,<b\"@x.test");
	check("postmaster", "postmaster");
	check("a@[203.0.113.1]", "a@[203.0.113.1]");
}

TEST(names)
{
	check("Mary Smith <mary@x.test>", "Mary Smith <mary@x.test>");
	check("Mary  Smith<mary@x.test>", "Mary Smith <mary@x.test>");
	check("\"Joe Q. Public\" <j@x.test>", "\"Joe Q. Public\" <j@x.test>");
	check("Joe Q. Public <j@x.test>", "\"Joe Q. Public\" <j@x.test>");
	check("\"Giant; \\\"Big\\\" Box\" <s@x.test>",
	    "\"Giant; \\\"Big\\\" Box\" <s@x.test>");
	check("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
	    "Pete <pete@silly.test>");
	check("\"\" <a@x.test>", "a@x.test");
}

TEST(names_behind)
{
	check("a@x.test (Mary Smith)", "Mary Smith <a@x.test>");
	check(
	    "a@x.test (Mary (jun.) Smith)", "\"Mary (jun.) Smith\" <a@x.test>");
	check("a@x.test (J\303\266rg)", "=?utf-8?B?SsO2cmc=?= <a@x.test>");
}

TEST(names_in_other_scripts)
{
	check("J\303\266rg M\303\274ller <j@x.test>",
	    "=?utf-8?B?SsO2cmcgTcO8bGxlcg==?= <j@x.test>");
	check("\"M\303\274ller, J\303\266rg\" <j@x.test>, b@x.test",
	    "=?utf-8?B?TcO8bGxlciwgSsO2cmc=?= <j@x.test>, b@x.test");
	check("J\366rg <j@x.test>", "=?unknown-8bit?Q?J=F6rg?= <j@x.test>");
}

TEST(encoded_words_stay)
{
	check("=?ISO-8859-1?Q?Andr=E9?= Pirard <p@x.test>",
	    "=?ISO-8859-1?Q?Andr=E9?= Pirard <p@x.test>");
	check("=?ISO-8859-1?Q?Andr=E9?=<p@x.test>",
	    "=?ISO-8859-1?Q?Andr=E9?= <p@x.test>");
}

TEST(quoted_they_are_text)
{
	check("\"=?ISO-8859-1?Q?Andr=E9?=\" <p@x.test>",
	    "\"=?ISO-8859-1?Q?Andr=E9?=\" <p@x.test>");
}

TEST(groups)
{
	check("A Group:Ed Jones <joe@where.test>,joe@where.test,John "
	      "<jdoe@one.test>;",
	    "A Group: Ed Jones <joe@where.test>, joe@where.test, John "
	    "<jdoe@one.test>;");
	check("Undisclosed recipients:;", "Undisclosed recipients:;");
	check("T: a@x.test", "T: a@x.test;");
	check("T: a@x.test; U: b@x.test;, c@x.test",
	    "T: a@x.test;, U: b@x.test;, c@x.test");
	check("c@x.test, \"T: 1\": a@x.test;", "c@x.test, \"T: 1\": a@x.test;");
	/* A bracket that is open would swallow the group's end. */
	check("T: =?x[y <a@x.test>", "T: \"=?x[y\" <a@x.test>;");
	check("T: =?x?Q?[y]?= <a@x.test>", "T: =?x?Q?[y]?= <a@x.test>;");
	check("T\303\244m: a@x.test;", "=?utf-8?Q?T=C3=A4m?= : a@x.test;");
	check("(no) T (a:) : a@x.test;", "T: a@x.test;");
}

TEST(bad_ones_are_left_out)
{
	check_bad("a@x.test, b@, c@x.test", "a@x.test, c@x.test", 1);
	check_bad("b@, nobody", "", 2);
	check_bad("T: b@;, a@x.test", "T:;, a@x.test", 1);
	check_bad("a@x.test, \"open, c@x.test", "a@x.test", 1);
}

TEST(why)
{
	struct buf b;
	struct err e;

	buf_init(&b, 4096);
	CHECK_INT(mailbox_list(&b, "a@x.test, b@", 12, &e), 1);
	CHECK(strstr(e.text, "position 13") != NULL);
	buf_free(&b);
}

TEST(behind_what_is_there)
{
	struct buf b;
	struct err e;

	buf_init(&b, 4096);
	mailbox_list(&b, "T: a@x.test", 11, &e);
	mailbox_list(&b, "b@x.test", 8, &e);
	CHECK_STR(buf_str(&b), "T: a@x.test;, b@x.test");
	buf_free(&b);
}

TEST_MAIN
