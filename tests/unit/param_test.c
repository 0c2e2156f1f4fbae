/*
 * param: a value that needs nothing stays readable, all else is as RFC 2231
 * has it, and no line is too long.
 * RFC 2045 5.1; RFC 2231 3, 4, 4.1 (its examples, in our spelling).
 */
#include "base/buf.h"
#include "mail/param.h"
#include "tests/unit/test.h"

static void
check_mem(const char *name, const char *value, size_t n, const char *expected)
{
	struct buf b;

	buf_init(&b, 8192);
	buf_adds(&b, "Content-Disposition: attachment");
	param_add(&b, name, value, n);
	CHECK(buf_ok(&b));
	CHECK_STR(
	    buf_str(&b) + strlen("Content-Disposition: attachment"), expected);
	buf_free(&b);
}

static void
check(const char *value, const char *expected)
{
	check_mem("filename", value, strlen(value), expected);
}

TEST(as_it_is)
{
	check("a.txt", "; filename=a.txt");
	check("50%*it's.txt", "; filename=50%*it's.txt");
}

TEST(quoted)
{
	check("", "; filename=\"\"");
	check("a b.txt", "; filename=\"a b.txt\"");
	check(" a ", "; filename=\" a \"");
	check("a;b", "; filename=\"a;b\"");
	check("C:\\say \"hi\"", "; filename=\"C:\\\\say \\\"hi\\\"\"");
	check("x=y", "; filename=\"x=y\"");
}

TEST(extended)
{
	check("gr\303\274n.txt", "; filename*=utf-8''gr%C3%BCn.txt");
	check("\346\226\207 (1)", "; filename*=utf-8''%E6%96%87%20%281%29");
	check("100%\303\274*'", "; filename*=utf-8''100%25%C3%BC%2A%27");
	check("gr\374n", "; filename*=unknown-8bit''gr%FCn");
	check("a\tb", "; filename*=utf-8''a%09b");
	check_mem("x", "a\0\r\n", 4, "; x*=utf-8''a%00%0D%0A");
}

TEST(no_encoded_word)
{
	check("=?utf-8?q?a?=", "; filename*=utf-8''%3D%3Futf-8%3Fq%3Fa%3F%3D");
}

#define TEN "aaaaaaaaaa"

TEST(on_the_next_line)
{
	check(TEN TEN TEN "aaaaa", "; filename=" TEN TEN TEN "aaaaa");
	check(TEN TEN TEN "aaaaaa", ";\n filename=" TEN TEN TEN "aaaaaa");
	check(TEN TEN TEN TEN TEN TEN "aaaaa",
	    ";\n filename=" TEN TEN TEN TEN TEN TEN "aaaaa");
	check(TEN TEN TEN TEN TEN " " TEN "a b",
	    ";\n filename=\"" TEN TEN TEN TEN TEN " " TEN "a b\"");
}

TEST(in_pieces)
{
	check(TEN TEN TEN TEN TEN TEN TEN TEN,
	    ";\n filename*0*=utf-8''" TEN TEN TEN TEN TEN "aaa;\n"
	    " filename*1*=" TEN TEN "aaaaaaa");
}

#define N20 "nnnnnnnnnnnnnnnnnnnn"
#define N80 N20 N20 N20 N20

/* Each piece has whole characters: here of three octets. */
#define WEN "\346\226\207"
#define CODED "%E6%96%87"
#define FIVE CODED CODED CODED CODED CODED

TEST(no_half_character)
{
	check(WEN WEN WEN WEN WEN WEN WEN WEN,
	    ";\n filename*0*=utf-8''" FIVE
	    ";\n filename*1*=" CODED CODED CODED);
}

TEST(a_name_that_fits_no_line)
{
	char name[81];

	memset(name, 'n', 80);
	name[80] = '\0';
	check_mem(name, "\303\274" TEN, 12,
	    ";\n " N80 "*0*=utf-8''%C3%BCaaaaaa;\n " N80 "*1*=aaaa");
}

TEST(behind_others)
{
	struct buf b;

	buf_init(&b, 4096);
	buf_adds(&b, "Message-ID: x\nContent-Type: text/plain");
	param_add(&b, "charset", "us-ascii", 8);
	param_add(&b, "format", "flowed", 6);
	param_add(&b, "x-purpose", "to be on the next line", 22);
	CHECK_STR(buf_str(&b),
	    "Message-ID: x\nContent-Type: text/plain; charset=us-ascii; "
	    "format=flowed;\n x-purpose=\"to be on the next line\"");
	buf_free(&b);
}

TEST_MAIN
