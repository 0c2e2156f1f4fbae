/*
 * dkimkey_test: the strings of a record, as a zone file has them.
 * Run by make unit and script/test; the rest is in tests/dkim.bats.
 * RFC 1035 3.3, RFC 6376 3.6.2.2.
 */
#include "base/buf.h"
#include "cli/dkimkey.h"
#include "tests/unit/test.h"

static void
check(size_t n, size_t strings)
{
	struct buf text, out;
	size_t i, quotes = 0, run = 0;

	buf_init(&text, 4096);
	buf_init(&out, 4096);
	for (i = 0; i < n; i++)
		buf_addc(&text, 'a');
	dkimkey_strings(&out, buf_str(&text));
	for (i = 0; i < out.len; i++) {
		quotes += out.data[i] == '"';
		run = out.data[i] == 'a' ? run + 1 : 0;
		CHECK(run <= 255);
	}
	CHECK_INT(quotes, 2 * strings);
	/* Quotes, and a blank between two. */
	CHECK_INT(out.len, n + 3 * strings - (strings > 0));
	buf_free(&text);
	buf_free(&out);
}

TEST(strings_of_255_octets)
{
	check(1, 1);
	check(255, 1);
	check(256, 2);
	check(510, 2);
	check(511, 3);
}

TEST(algorithms)
{
	CHECK(dkimkey_algorithm("rsa") == NULL);
	CHECK(dkimkey_algorithm("ed25519") == NULL);
	CHECK_STR(dkimkey_algorithm("RSA1"), "give rsa or ed25519");
}

TEST_MAIN
