/*
 * address_list_test: lists of addresses by RFC 5322 appendix A and as people
 * type them, how far an error reaches, and hostile sizes.
 */
#include "base/buf.h"
#include "base/err.h"
#include "mail/address.h"
#include "tests/unit/test.h"

#define BOTH (ADDRESS_NULL | ADDRESS_POSTMASTER)
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Each item of a list on a line: the address, or "!" and the error. */
static int
collect(void *ctx, const char *item, size_t n, struct address *a,
    const struct err *e)
{
	struct buf *b = ctx;

	(void)item;
	(void)n;
	CHECK((a == NULL) != (e == NULL));
	if (a == NULL)
		buf_addf(b, "!%s\n", e->text);
	else
		buf_addf(b, "%s\n", a->raw);
	address_free(a);
	return 0;
}

static void
check_list(const char *s, const char *want)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	CHECK_INT(address_each(s, strlen(s), 0, collect, &b), 0);
	CHECK_STR(buf_str(&b), want);
	buf_free(&b);
}

/* ---- lists ---- */

TEST(rfc5322_appendix_a_lists)
{
	check_list("Mary Smith <mary@x.test>, jdoe@example.org, Who? "
		   "<one@y.test>",
	    "mary@x.test\njdoe@example.org\none@y.test\n");
	check_list("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" "
		   "<sysservices@example.net>",
	    "boss@nil.test\nsysservices@example.net\n");
	check_list("A Group:Ed Jones <joe@where.test>,joe@where.test,John "
		   "<jdoe@one.test>;",
	    "joe@where.test\njoe@where.test\njdoe@one.test\n");
	check_list("Undisclosed recipients:;", "");
	check_list("A Group(Some people)\t:Chris Jones <c@(Chris's host.)"
		   "public.example>, joe@example.org, John <jdoe@one.test> "
		   "(my dear friend); (the end of the group)",
	    "c@public.example\njoe@example.org\njdoe@one.test\n");
	check_list("(Empty list)(start)Hidden recipients  :(nobody(that I "
		   "know))  ;",
	    "");
	check_list("Mary Smith <@node.test:mary@example.net>, , jdoe@test  . "
		   "example",
	    "mary@example.net\njdoe@test.example\n");
}

TEST(lists_that_people_type)
{
	check_list("", "");
	check_list(" , ,(nobody),", "");
	check_list("a@x,b@x", "a@x\nb@x\n");
	check_list("a@x,", "a@x\n");
	check_list("\"Doe, John\" <j@x>, (a, b) c@x", "j@x\nc@x\n");
	check_list(
	    "<@a,@[IPv6:::1],@b:c@x>, d@[IPv6:::1]", "c@x\nd@[IPv6:::1]\n");
	check_list("team: a@x, b@x; c@x", "a@x\nb@x\nc@x\n");
	check_list("\"team: 1\": a@x; , two: b@x;", "a@x\nb@x\n");
	check_list("team: a@x, b@x", "a@x\nb@x\n");
}

TEST(an_error_in_a_list_costs_its_item_only)
{
	check_list("a@x, b c@x, d@x",
	    "a@x\n!address \"b c@x\": unexpected space at position 7; behind "
	    "a name the address stands in < >\nd@x\n");
	check_list("<a@x, b@x",
	    "!address \"<a@x\": unexpected end at position "
	    "5, '>' is missing\nb@x\n");
	check_list("a@[1.2.3.4, b@x",
	    "!address \"a@[1.2.3.4\": unexpected end at position 11, ']' is "
	    "missing\nb@x\n");
	check_list("a\n@x, b@x",
	    "!address \"a\\x0A@x\": unexpected line feed "
	    "at position 2\nb@x\n");
	check_list("Doe, John <j@x>",
	    "!address \"Doe\": unexpected end at position 4, '@' and a domain "
	    "are missing\nj@x\n");
	check_list("a@x; b@x, c@x",
	    "!address \"a@x; b@x\": unexpected ';' at position 4; a comma "
	    "separates addresses\nc@x\n");
	check_list("a@x:25, c@x",
	    "!address \"a@x:25\": unexpected ':' at position 4\nc@x\n");
	check_list("t: u: a@x, b@x; c@x",
	    "!address \"u: a@x\": unexpected "
	    "':' at position 5\nb@x\nc@x\n");
	check_list(": a@x, b@x",
	    "!address \": a@x\": unexpected ':' at position 1\nb@x\n");
}

/* What is inside an open quoted string is nobody's guess. */
TEST(an_open_quote_or_comment_takes_the_rest)
{
	check_list("a@x, \"b, c@x",
	    "a@x\n!address \"\"b, c@x\": unfinished "
	    "quoted string at position 6\n");
	check_list("a@x, (b, c@x",
	    "a@x\n!address \"(b, c@x\": unfinished "
	    "comment at position 6\n");
}

struct seen {
	int calls;
	char item[32];
};

static int
stop_at_second(void *ctx, const char *item, size_t n, struct address *a,
    const struct err *e)
{
	struct seen *seen = ctx;

	(void)e;
	address_free(a);
	snprintf(seen->item, sizeof seen->item, "%.*s", (int)n, item);
	return ++seen->calls == 2 ? 7 : 0;
}

TEST(a_list_ends_when_the_caller_says_so)
{
	struct seen seen = { 0 };
	static const char s[] = "t: a@x, B <b@x> (c) , c@x;";

	CHECK_INT(address_each(s, strlen(s), 0, stop_at_second, &seen), 7);
	CHECK_INT(seen.calls, 2);
	CHECK_STR(seen.item, "B <b@x> (c)");
}

TEST(null_and_postmaster_in_a_list)
{
	struct buf b;

	buf_init(&b, 1000);
	CHECK_INT(address_each("<>, postmaster", 14, BOTH, collect, &b), 0);
	CHECK_STR(buf_str(&b), "\npostmaster\n");
	buf_free(&b);
}

/* ---- hostile sizes: each would hang if a pass were quadratic ---- */

static int
count(void *ctx, const char *item, size_t n, struct address *a,
    const struct err *e)
{
	size_t *got = ctx;

	(void)item;
	(void)n;
	got[a == NULL]++;
	CHECK(a != NULL || e->text[0] != '\0');
	address_free(a);
	return 0;
}

TEST(two_hundred_thousand_octets_of_each_opener)
{
	enum { SIZE = 200000 };
	static const char *const units[] = { "(", "()", "\"", "\\\"", "\"\"",
		"<", "<@", "[", ",", ":", "a:", ";", "(,", "\\\",", "<,", "a.",
		"a@", ".", " ", "@,", "((()", "\"\\" };
	char *s = malloc(SIZE);
	size_t got[2];
	struct address a;
	struct err e;

	for (size_t i = 0; s != NULL && i < COUNT(units); i++) {
		size_t len = strlen(units[i]);

		for (size_t at = 0; at < SIZE; at++)
			s[at] = units[i][at % len];
		got[0] = got[1] = 0;
		CHECK_INT(address_each(s, SIZE, BOTH, count, got), 0);
		CHECK_INT(got[0], 0);
		CHECK_INT(address_parse(&a, s, SIZE, BOTH, &e), -1);
	}
	free(s);
}

TEST(a_hundred_thousand_recipients_in_one_list)
{
	struct buf b;
	size_t got[2] = { 0 };

	buf_init(&b, 1 << 24);
	for (int i = 0; i < 100000; i++)
		buf_addf(&b, "u%d@example.org, ", i);
	CHECK_INT(address_each(b.data, b.len, 0, count, got), 0);
	CHECK_INT(got[0], 100000);
	CHECK_INT(got[1], 0);
	buf_free(&b);
}

TEST_MAIN
