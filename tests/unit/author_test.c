/*
 * author: whom From and Sender name.
 * RFC 5322 3.6.2, A.1.1, A.1.2, A.1.3 (the headers are from there), RFC 6854.
 */
#include "base/err.h"
#include "mail/address.h"
#include "mail/author.h"
#include "tests/unit/test.h"

struct author_case {
	const char *header;
	const char *found;
};

static const struct author_case cases[] = {
	{ "From: John Doe <jdoe@machine.example>\n"
	  "Sender: Michael Jones <mjones@machine.example>\n"
	  "To: Mary Smith <mary@example.net>\n",
	    "jdoe@machine.example" },
	{ "From: \"Joe Q. Public\" <john.q.public@example.com>\n",
	    "john.q.public@example.com" },
	{ "From: Pete <pete@silly.example>\n", "pete@silly.example" },
	{ "From: Pete(A nice \\) chap) <pete(his account)@silly.test(his "
	  "host)>\n",
	    "pete@silly.test" },
	{ "fROM\t:\n a@x\n", "a@x" },
	{ "From: a@x, b@x\n", "a@x" },
	{ "From: a@x, b@@x\n", "a@x" },
	{ "Sender: s@x\nFrom: a@x, b@x\n", "s@x" },
	{ "From: a@x\n\t, b@x\nSender: S <s@x>\nSender: t@x\n", "s@x" },
	{ "From: a@x, b@x\nSender: \n", "a@x" },
	{ "From: a@x, b@x\nSender:\nSender: s@x\n", "a@x" },
	{ "From: a@x\nFrom: b@x\nSender: s@x\n", "a@x" },
	{ "From: Team: b@x, a@x;\n", "b@x" },
	{ "Resent-From: r@x\nResent-Sender: q@x\nFrom: a@x\n", "a@x" },
	{ "X-From: x@x\nFrom-: y@x\nSubject: From: z@x\nFrom: a@x\n", "a@x" },
	{ "From: =?utf-8?Q?b=40x=2C?= <a@x>\n", "a@x" },
};

TEST(the_address_that_it_is_from)
{
	struct address a;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CHECK_INT(author_read(
			      &a, cases[i].header, strlen(cases[i].header), &e),
		    0);
		CHECK_STR(a.raw, cases[i].found);
		address_free(&a);
	}
}

static int
refused(const char *header, struct err *e)
{
	struct address a;

	CHECK_INT(author_read(&a, header, strlen(header), e), -1);
	CHECK(a.raw == NULL);
	return err_exit(e);
}

TEST(nobody_is_usage)
{
	struct err e;

	CHECK_INT(refused("", &e), 64);
	CHECK_INT(refused("Sender: s@x\n", &e), 64);
	CHECK_INT(refused("From:\n", &e), 64);
	CHECK_INT(refused("From: undisclosed:;\n", &e), 64);
	CHECK_INT(refused("From:\nFrom: a@x\n", &e), 64);
}

TEST(what_cannot_send_is_data)
{
	struct err e;

	CHECK_INT(refused("From: a b@x\n", &e), 65);
	CHECK(strncmp(e.text, "From: ", 6) == 0);
	CHECK_INT(refused("From: a@@x, b@x\n", &e), 65);
	CHECK_INT(refused("From: a@x, b@x\nSender: s@@x\n", &e), 65);
	CHECK(strncmp(e.text, "Sender: ", 8) == 0);
	/* The null path is no author. */
	CHECK_INT(refused("From: <>\n", &e), 65);
	CHECK_INT(refused("From: Postmaster\n", &e), 65);
}

TEST_MAIN
