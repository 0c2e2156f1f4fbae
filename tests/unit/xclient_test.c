/*
 * xclient: what people write, and what becomes of it on the wire.
 * Postfix, XCLIENT_README.
 */
#include "base/buf.h"
#include "smtp/xclient.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char offered[] = "NAME ADDR PROTO HELO REVERSE_NAME";

TEST(attributes_as_they_go_out)
{
	static const struct {
		const char *s, *want;
	} rows[] = {
		{ "NAME=spike.test", " NAME=spike.test" },
		{ " name=a  Reverse_Name=[UNAVAILABLE] ",
		    " NAME=a REVERSE_NAME=[UNAVAILABLE]" },
		{ "ADDR=IPv6:2001:db8::1 PROTO=ESMTP",
		    " ADDR=IPv6:2001:db8::1 PROTO=ESMTP" },
		{ "HELO=a=b+c", " HELO=a+3Db+2Bc" },
	};
	struct buf b;
	size_t i, n;

	buf_init(&b, 1000);
	for (i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		CHECK(xclient_valid(rows[i].s));
		CHECK(xclient_write(&b, rows[i].s, offered, &n) == NULL);
		CHECK_STR(buf_str(&b), rows[i].want);
	}
	buf_free(&b);
}

TEST(what_is_no_attribute)
{
	static const char *const rows[] = { "", "  ", "NAME",
		"NAME=", "NAME= a", "=a", "NAME=a b", "N4ME=a", "NAME=a\nQUIT",
		"NAME=a\rQUIT", "NAME=a\tADDR=b", "NAME=caf\xc3\xa9",
		"NAME=\x7f" };
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		CHECK(!xclient_valid(rows[i]));
}

TEST(what_the_server_does_not_take)
{
	const char *lacking;
	struct buf b;
	size_t n;

	buf_init(&b, 1000);
	lacking = xclient_write(&b, "NAME=a LOGIN=b", offered, &n);
	CHECK_MEM(lacking, n, "LOGIN", 5);
	lacking = xclient_write(&b, "NAM=a", offered, &n);
	CHECK_MEM(lacking, n, "NAM", 3);
	lacking = xclient_write(&b, "NAME=a", "", &n);
	CHECK_MEM(lacking, n, "NAME", 4);
	buf_free(&b);
}

TEST_MAIN
