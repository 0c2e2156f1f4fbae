/*
 * caps_test: replies to EHLO and what is read from them.
 * Run by make unit and script/test; a row is a reply and what it offers.
 * It never touches a socket.
 * RFC 5321 4.1.1.1, RFC 1870, RFC 2852, RFC 4865, RFC 4954, RFC 9422.
 */
#include "smtp/caps.h"
#include "smtp/reply.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct row {
	const char *line; /* what stands behind "250 " */
	struct caps want;
};

static const struct row rows[] = {
	{ "SIZE", { .has = CAP_SIZE } },
	{ "SIZE 0", { .has = CAP_SIZE } },
	{ "SIZE 10240000", { .has = CAP_SIZE, .size = 10240000 } },
	{ "size 1", { .has = CAP_SIZE, .size = 1 } },
	{ "Size  12 \t", { .has = CAP_SIZE, .size = 12 } },
	{ "SIZE 18446744073709551615",
	    { .has = CAP_SIZE, .size = UINT64_MAX } },
	{ "SIZE 18446744073709551616", { .has = CAP_SIZE } },
	{ "SIZE 99999999999999999999999", { .has = CAP_SIZE } },
	{ "SIZE -1", { .has = CAP_SIZE } },
	{ "SIZE 1k", { .has = CAP_SIZE } },
	{ "SIZE=1000", { 0 } },
	{ "SIZES 1000", { 0 } },
	{ "SIZ", { 0 } },
	{ "XSIZE 1", { 0 } },
	{ "", { 0 } },
	{ " ", { 0 } },
	{ "=", { 0 } },
	{ "8BITMIME", { .has = CAP_8BITMIME } },
	{ "8bitmime", { .has = CAP_8BITMIME } },
	{ "8BITMIMEX", { 0 } },
	{ "DSNX", { 0 } },
	{ "PIPELINING", { .has = CAP_PIPELINING } },
	{ "CHUNKING", { .has = CAP_CHUNKING } },
	{ "BINARYMIME", { .has = CAP_BINARYMIME } },
	{ "SMTPUTF8", { .has = CAP_SMTPUTF8 } },
	{ "DSN", { .has = CAP_DSN } },
	{ "STARTTLS", { .has = CAP_STARTTLS } },
	{ "ENHANCEDSTATUSCODES", { .has = CAP_ENHANCEDSTATUSCODES } },
	{ "DELIVERBY", { .has = CAP_DELIVERBY } },
	{ "DELIVERBY 240", { .has = CAP_DELIVERBY, .deliver_by_min = 240 } },
	{ "DELIVERBY 1,X=2", { .has = CAP_DELIVERBY, .deliver_by_min = 1 } },
	{ "DELIVERBY ,2", { .has = CAP_DELIVERBY } },
	{ "FUTURERELEASE 1 2", { .has = CAP_FUTURERELEASE, .hold_max = 1 } },
	{ "FUTURERELEASE 86400 2026-12-24T18:00:00Z",
	    { .has = CAP_FUTURERELEASE,
		.hold_max = 86400,
		.hold_until_max = 1798135200 } },
	{ "FUTURERELEASE x 2026-12-24T18:00:00Z",
	    { .has = CAP_FUTURERELEASE, .hold_until_max = 1798135200 } },
	{ "FUTURERELEASE", { .has = CAP_FUTURERELEASE } },
	{ "XCLIENT", { .has = CAP_XCLIENT } },
	{ "XCLIENT Name ADDR name",
	    { .has = CAP_XCLIENT, .xclient = "NAME ADDR" } },
	{ "MT-PRIORITY MIXER", { .has = CAP_MT_PRIORITY } },
	{ "REQUIRETLS", { .has = CAP_REQUIRETLS } },
	{ "VRFY", { .has = CAP_VRFY } },
	{ "EXPN", { .has = CAP_EXPN } },
	{ "ETRN", { .has = CAP_ETRN } },
	{ "HELP", { 0 } },
	{ "AUTH", { .has = CAP_AUTH } },
	{ "AUTH PLAIN LOGIN", { .has = CAP_AUTH, .auth = "PLAIN LOGIN" } },
	{ "auth plain  Login", { .has = CAP_AUTH, .auth = "PLAIN LOGIN" } },
	{ "AUTH PLAIN plain", { .has = CAP_AUTH, .auth = "PLAIN" } },
	{ "AUTH=LOGIN PLAIN", { .has = CAP_AUTH, .auth = "LOGIN PLAIN" } },
	{ "AUTH SCRAM-SHA-256-PLUS X_Y",
	    { .has = CAP_AUTH, .auth = "SCRAM-SHA-256-PLUS X_Y" } },
	{ "AUTH PLA!N LOGIN", { .has = CAP_AUTH, .auth = "LOGIN" } },
	{ "AUTH ABCDEFGHIJKLMNOPQRSTU", { .has = CAP_AUTH } },
	{ "XAUTH PLAIN", { 0 } },
	{ "LIMITS", { .has = CAP_LIMITS } },
	{ "LIMITS RCPTMAX=20", { .has = CAP_LIMITS, .rcpt_max = 20 } },
	{ "limits mailmax=5 RcptMax=20  RCPTDOMAINMAX=1",
	    { .has = CAP_LIMITS,
		.mail_max = 5,
		.rcpt_max = 20,
		.rcptdomain_max = 1 } },
	{ "LIMITS RCPTMAX= MAILMAX RCPTMAX=x =3 FOO=4 RCPTMAXX=5",
	    { .has = CAP_LIMITS } },
	{ "LIMITS RCPTMAX=0", { .has = CAP_LIMITS } },
};

static void
parse(struct caps *c, const char *octets)
{
	struct reply r;
	size_t used;

	reply_init(&r);
	CHECK_INT(reply_feed(&r, octets, strlen(octets), &used), REPLY_DONE);
	caps_parse(c, &r);
	reply_free(&r);
}

static void
check(const char *octets, const struct caps *want)
{
	struct caps c;

	parse(&c, octets);
	CHECK_INT(c.has, want->has);
	CHECK_INT(c.size, want->size);
	CHECK_INT(c.mail_max, want->mail_max);
	CHECK_INT(c.rcpt_max, want->rcpt_max);
	CHECK_INT(c.rcptdomain_max, want->rcptdomain_max);
	CHECK_INT(c.deliver_by_min, want->deliver_by_min);
	CHECK_INT(c.hold_max, want->hold_max);
	CHECK_INT(c.hold_until_max, want->hold_until_max);
	CHECK_STR(c.xclient, want->xclient);
	CHECK_STR(c.auth, want->auth);
}

TEST(one_keyword_a_row)
{
	char octets[256];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		snprintf(octets, sizeof(octets),
		    "250-mx.example.net\r\n250 %s\r\n", rows[i].line);
		check(octets, &rows[i].want);
		snprintf(octets, sizeof(octets),
		    "250-mx\r\n250-%s\r\n250 HELP\r\n", rows[i].line);
		check(octets, &rows[i].want);
	}
}

TEST(the_first_line_is_a_greeting)
{
	static const struct caps none = { 0 };

	check("250 SIZE 1000\r\n", &none);
	check("250-PIPELINING\r\n250 HELP\r\n", &none);
	check("250\r\n", &none);
}

TEST(a_line_alone)
{
	struct caps c = { 0 };
	size_t i;

	for (i = 0; caps_keyword(i) != NULL; i++)
		CHECK(caps_add(&c, caps_keyword(i), strlen(caps_keyword(i))));
	CHECK(i > 20);
	CHECK_INT(c.has, 2 * CAP_XCLIENT - 1);
	CHECK_INT(c.size, 0);
	CHECK(caps_add(&c, "size 7 ", 7));
	CHECK_INT(c.size, 7);
	CHECK(!caps_add(&c, "SIZES 9", 7));
	CHECK(!caps_add(&c, "SIZE=9", 6));
	CHECK(!caps_add(&c, "", 0));
	CHECK_INT(c.size, 7);
}

TEST(keywords_add_up)
{
	static const struct caps want = {
		.has = CAP_SIZE | CAP_AUTH | CAP_DSN | CAP_8BITMIME,
		.size = 7,
		.auth = "PLAIN LOGIN CRAM-MD5",
	};

	check("250-mx\r\n250-SIZE 7\r\n250-AUTH PLAIN LOGIN\r\n"
	      "250-AUTH=LOGIN CRAM-MD5\r\n250-8BITMIME\r\n250-\r\n"
	      "250 DSN\r\n",
	    &want);
}

TEST(mechanisms_that_do_not_fit_are_left_out_whole)
{
	char octets[1024] = "250-mx\r\n250 AUTH";
	struct caps c;
	size_t i, n = strlen(octets);

	for (i = 0; i < 40; i++)
		n += (size_t)snprintf(octets + n, sizeof(octets) - n,
		    " MECHANISM-NUMBER-%02zu", i);
	memcpy(octets + n, "\r\n", 3);
	parse(&c, octets);
	CHECK_INT(strlen(c.auth) % 20, 19);
	CHECK_INT(strlen(c.auth), 239);
	CHECK_STR(c.auth + 220, "MECHANISM-NUMBER-11");
}

TEST_MAIN
