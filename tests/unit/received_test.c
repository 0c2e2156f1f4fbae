/*
 * received: the line as RFC 5321 4.4 has it, with and without each clause,
 * and names that try to end it.
 */
#include "base/buf.h"
#include "base/err.h"
#include "mail/address.h"
#include "mail/received.h"
#include "tests/unit/test.h"

#define WHEN INT64_C(1057042357) /* Tue, 1 Jul 2003 06:52:37 +0000 */
#define DATE ";\n\tTue, 1 Jul 2003 08:52:37 +0200\n"

static void
check(struct received r, const char *want)
{
	struct buf b;

	r.when = WHEN;
	r.zone = 120;
	buf_init(&b, 4096);
	received_add(&b, &r);
	CHECK_STR(buf_str(&b), want);
	buf_free(&b);
}

TEST(clauses)
{
	struct address a;
	struct err e;

	CHECK_INT(address_parse(&a, "b@y.example", 11, 0, &e), 0);
	check((struct received){ .from = "client.example",
		  .comment = "user 1000",
		  .by = "mx.example",
		  .with = "ESMTP",
		  .id = "ABC123",
		  .rcpt = &a },
	    "Received: from client.example (user 1000)\n"
	    "\tby mx.example with ESMTP id ABC123\n"
	    "\tfor <b@y.example>" DATE);
	check((struct received){ .by = "mx.example", .via = "UUCP" },
	    "Received: by mx.example via UUCP" DATE);
	check((struct received){ .comment = "root", .by = "[192.0.2.1]" },
	    "Received: (root)\n\tby [192.0.2.1]" DATE);
	check((struct received){ .from = "[IPv6:2001:db8::1]", .by = "x" },
	    "Received: from [IPv6:2001:db8::1]\n\tby x" DATE);
	address_free(&a);
}

TEST(names_that_are_none)
{
	static const char *const bad[] = { "", "a b", "a(b", "x\r\nEvil: y",
		"[a\nb]", "[a]b]", "[]", "\303\266", "-x" };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		check((struct received){ .from = bad[i], .by = "mx" },
		    "Received: from unknown\n\tby mx" DATE);
	check((struct received){ .from = "x",
		  .comment = "a) by evil (\n\303\266\\",
		  .by = "mx",
		  .with = "E SMTP",
		  .id = "a;b" },
	    "Received: from x (a? by evil ????\?)\n\tby mx" DATE);
}

TEST_MAIN
