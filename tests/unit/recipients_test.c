/*
 * recipients: whom a header names, and how a mistake in it is told.
 * RFC 5322 3.4, 3.6.3, 3.6.6; RFC 2047 5.
 */
#include "base/buf.h"
#include "mail/envelope.h"
#include "mail/recipients.h"
#include "tests/unit/test.h"

struct header_case {
	const char *header;
	const char *found; /* those that parsed, each with a space behind it */
};

static const struct header_case cases[] = {
	{ "", "" },
	{ "Subject: To: a@x\n", "" },
	{ "To: a@x\nCc: b@x\nBcc: c@x\nFrom: d@x\nReply-To: e@x\n",
	    "a@x b@x c@x " },
	{ "tO : a@x,\n b@x\n\t,c@x\nTO: d@x\n", "a@x b@x c@x d@x " },
	{ "To:\nCc: \n  \nBcc: ,,\n", "" },
	{ "To: a@x, A <a@X>\n", "a@x " },
	{ "To: Team: a@x, \"B; C\" <b@x>;, c@x\n", "a@x b@x c@x " },
	{ "To: undisclosed-recipients:;\nBcc: a@x\n", "a@x " },
	{ "To: \"Doe, John\" (c@x, d@x) <a@x>, b@x (\\) e@x)\n", "a@x b@x " },
	{ "To: =?utf-8?Q?b=40x=2C?= <a@x>\n", "a@x " },
	{ "To: J\xc3\xb8rn <a@x>, =?utf-8?B?\n =?= <b@x>\n", "a@x b@x " },
	{ "To: \"a\n b\"@x\n", "\"a b\"@x " },
	{ "To: <@r.test,@s.test:a@x>\n", "a@x " },
	{ "X-To: a@x\nTo-: b@x\n", "" },
	/* Sent on: its own recipients, not those of the first sender. */
	{ "Resent-From: r@x\nResent-To: a@x\nResent-Cc: b@x\n"
	  "Resent-Bcc: c@x\nTo: d@x\nCc: e@x\n",
	    "a@x b@x c@x " },
	{ "To: d@x\nResent-From: r@x\nCc: e@x\n", "" },
	/* Sent on twice: the first block is the last one's. */
	{ "Resent-To: a@x\nResent-Date: 2\nReceived: x\n"
	  "Resent-To: b@x\nResent-Date: 1\nTo: c@x\n",
	    "a@x " },
	{ "Resent-Date: 2\nResent-To: a@x\nResent-Date: 1\n"
	  "Resent-To: b@x\nTo: c@x\n",
	    "a@x " },
	{ "Resent-From: s@x\nResent-To: a@x\nResent-Cc: b@x\nResent-From: r@x\n"
	  "Resent-Bcc: c@x\n",
	    "a@x b@x " },
};

static void
check_case(const struct header_case *c, unsigned flags)
{
	struct envelope env;
	struct buf found;
	struct err e;

	envelope_init(&env);
	buf_init(&found, 4096);
	CHECK_INT(
	    recipients_read(&env, c->header, strlen(c->header), flags, &e), 0);
	for (size_t i = 0; i < env.n; i++)
		buf_addf(&found, "%s ",
		    env.rcpts[i].addr.raw != NULL ? env.rcpts[i].addr.raw
						  : env.rcpts[i].given);
	CHECK_STR(buf_str(&found), c->found);
	buf_free(&found);
	envelope_free(&env);
}

TEST(whom_a_header_names)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check_case(&cases[i], 0);
}

static const struct header_case bare_cases[] = {
	{ "To: root\nCc: Bob <bob>, \"a b\" (x), x@y\n",
	    "root bob \"a b\" x@y " },
	{ "Bcc: T: root, postmaster;\nTo: :include:/etc/passwd\n",
	    "root postmaster /etc/passwd " },
	{ "To: |sh, \"|sh\", /etc/x, \"/x\"\n", "|sh \"|sh\" /etc/x \"/x\" " },
	{ "Resent-To: root\nTo: x@y\n", "root " },
};

TEST(names_of_this_machine)
{
	for (size_t i = 0; i < sizeof bare_cases / sizeof bare_cases[0]; i++)
		check_case(&bare_cases[i], ADDRESS_BARE);
}

/* Programs, files and lists, and all of them where no name may be bare. */
TEST(who_is_no_name_is_failed)
{
	static const char header[] = "To: |sh, \"|sh\", /etc/x, "
				     ":include:/etc/x, x:y, \"/x\"\n"
				     "Cc: root";
	struct envelope env;
	struct err e;

	for (unsigned flags = 0; flags <= ADDRESS_BARE; flags += ADDRESS_BARE) {
		envelope_init(&env);
		CHECK_INT(
		    recipients_read(&env, header, sizeof header - 1, flags, &e),
		    0);
		CHECK_INT(env.n, 7);
		for (size_t i = 0; i < env.n; i++)
			CHECK_INT(env.rcpts[i].outcome.state,
			    i == 6 && flags != 0 ? OUTCOME_PENDING
						 : OUTCOME_FAILED);
		envelope_free(&env);
	}
}

TEST(a_mistake_names_field_position_and_text)
{
	static const char header[] = "To: a@x\nCC: b@x,\n c@, d@x\n"
				     "Bcc: \"e@x\n";
	struct envelope env;
	struct err e;

	envelope_init(&env);
	CHECK_INT(recipients_read(&env, header, sizeof header - 1, 0, &e), 0);
	CHECK_INT(env.n, 5);
	CHECK_INT(env.rcpts[2].outcome.state, OUTCOME_FAILED);
	CHECK_STR(env.rcpts[2].given, "c@");
	CHECK_STR(env.rcpts[2].outcome.err.text,
	    "Cc: address \"c@\": unexpected end at position 8, the domain is "
	    "missing");
	CHECK_STR(env.rcpts[3].addr.raw, "d@x");
	CHECK_STR(env.rcpts[4].outcome.err.text,
	    "Bcc: address \"\"e@x\": unfinished quoted string at position 1");
	CHECK_INT(env.rcpts[4].outcome.err.scope, SCOPE_RECIPIENT);
	envelope_free(&env);
}

TEST(those_of_the_header_are_added)
{
	static const char header[] = "To: b@x, a@X\n";
	struct envelope env;
	struct address a;
	struct err e;

	envelope_init(&env);
	CHECK_INT(address_parse(&a, "a@x", 3, 0, &e), 0);
	CHECK_INT(envelope_add(&env, &a, "a@x", 3), 0);
	CHECK_INT(recipients_read(&env, header, sizeof header - 1, 0, &e), 0);
	CHECK_INT(env.n, 2);
	CHECK_STR(env.rcpts[1].addr.raw, "b@x");
	envelope_free(&env);
}

TEST_MAIN
