/*
 * sasl_test: which mechanism is chosen and what ours say, octet by octet.
 * Run by make unit and script/test; a row is an offer or an exchange.
 * The library is played here; gsasl_test has the real one.
 * RFC 4616 4, RFC 7628 4, RFC 4422 A; draft-murchison-sasl-login.
 */
#include "base/buf.h"
#include "base/err.h"
#include "smtp/sasl.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* ---- a library of ours ---- */

static bool
play_knows(void *ctx, const char *mech)
{
	(void)mech;
	return ctx != NULL;
}

static void *
play_begin(void *ctx, const char *mech, const struct sasl_credentials *c,
    struct err *e)
{
	(void)mech;
	(void)c;
	(void)e;
	return ctx;
}

/* Complete with the challenge "end", of its own opinion with "bad". */
static int
play_step(void *state, const char *in, size_t n, struct buf *out, struct err *e)
{
	(void)state;
	if (n == 3 && memcmp(in, "bad", 3) == 0)
		return err_set(e, ERR_PERM, ERR_AUTH, "bad");
	buf_adds(out, in == NULL ? "first" : "next");
	return n == 3 && memcmp(in, "end", 3) == 0;
}

static void
play_end(void *state)
{
	++*(int *)state;
}

#define LIBRARY(ctx)                                                           \
	{                                                                      \
		(ctx), play_knows, play_begin, play_step, play_end             \
	}

/* ---- the choice ---- */

#define MECH(name) (1u << (sasl_find(name) - sasl_mechs))

static const struct sasl_credentials nobody = { .user = NULL };
static const struct sasl_credentials alice = {
	.user = "alice",
	.secret = "secret",
};
static const struct sasl_credentials no_secret = { .user = "alice" };
static const struct sasl_credentials no_user = { .secret = "secret" };
static const struct sasl_credentials bound = {
	.user = "alice",
	.secret = "secret",
	.binding_type = "tls-exporter",
	.binding = (const unsigned char *)"01234567890123456789012345678901",
	.nbinding = 32,
};

#define EVERY                                                                  \
	"NTLM GSSAPI DIGEST-MD5 XOAUTH2 OAUTHBEARER EXTERNAL LOGIN PLAIN "     \
	"CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS "                 \
	"SCRAM-SHA-256-PLUS"

struct choice_row {
	const char *offered;
	const char *named;
	const struct sasl_credentials *cred;
	const char *tried[3]; /* NULL: no more */
	bool no_library;
	const char *want; /* NULL: none */
	const char *says; /* part of the sentence */
};

static const struct choice_row choices[] = {
	/* the strongest */
	{ EVERY, NULL, &bound, { 0 }, false, "SCRAM-SHA-256-PLUS", NULL },
	{ EVERY, NULL, &alice, { 0 }, false, "SCRAM-SHA-256", NULL },
	{ EVERY, NULL, &alice, { "SCRAM-SHA-256" }, false, "SCRAM-SHA-1",
	    NULL },
	{ EVERY, NULL, &alice, { "SCRAM-SHA-256", "SCRAM-SHA-1" }, false,
	    "CRAM-MD5", NULL },
	{ EVERY, NULL, &alice, { 0 }, true, "PLAIN", NULL },
	{ EVERY, NULL, &bound, { 0 }, true, "PLAIN", NULL },
	{ "LOGIN PLAIN", NULL, &alice, { 0 }, false, "PLAIN", NULL },
	{ "LOGIN PLAIN", NULL, &alice, { "PLAIN" }, false, "LOGIN", NULL },
	{ "LOGIN PLAIN", NULL, &bound, { 0 }, false, "PLAIN", NULL },
	{ EVERY, NULL, &nobody, { 0 }, false, "EXTERNAL", NULL },
	{ EVERY, NULL, &no_secret, { 0 }, false, "EXTERNAL", NULL },
	/* whole words only */
	{ "XPLAIN PLAINX LOGIN", NULL, &alice, { 0 }, false, "LOGIN", NULL },
	{ "SCRAM-SHA-256-PLUS PLAIN", NULL, &alice, { 0 }, false, "PLAIN",
	    NULL },
	/* never less than what is bound, but by name */
	{ EVERY, NULL, &bound, { "SCRAM-SHA-256-PLUS" }, false,
	    "SCRAM-SHA-1-PLUS", NULL },
	{ EVERY, NULL, &bound, { "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS" },
	    false, NULL,
	    "SCRAM-SHA-1-PLUS was tried and refused; what is not bound" },
	{ "SCRAM-SHA-256-PLUS PLAIN", NULL, &bound, { "SCRAM-SHA-256-PLUS" },
	    false, NULL, "used only when it is named" },
	{ EVERY, "scram-sha-256", &bound, { 0 }, false, "SCRAM-SHA-256", NULL },
	{ EVERY, "plain", &bound, { "SCRAM-SHA-256-PLUS" }, false, "PLAIN",
	    NULL },
	/* named */
	{ EVERY, "PLAIN", &alice, { 0 }, false, "PLAIN", NULL },
	{ EVERY, "login", &alice, { 0 }, false, "LOGIN", NULL },
	{ EVERY, "EXTERNAL", &alice, { 0 }, false, "EXTERNAL", NULL },
	{ EVERY, "XOAUTH2", &alice, { 0 }, true, "XOAUTH2", NULL },
	{ EVERY, "oauthbearer", &alice, { 0 }, true, "OAUTHBEARER", NULL },
	{ EVERY, "DIGEST-MD5", &alice, { 0 }, false, "DIGEST-MD5", NULL },
	{ "LOGIN PLAIN", "CRAM-MD5", &alice, { 0 }, false, NULL,
	    "the server offers LOGIN PLAIN, not CRAM-MD5" },
	{ EVERY, "PLAIN", &alice, { "PLAIN" }, false, NULL,
	    "PLAIN was tried and refused" },
	{ EVERY, "GSSAPI", &alice, { 0 }, false, NULL,
	    "GSSAPI is not built in: use SCRAM-SHA-256" },
	{ "PLAIN", "ntlm", &alice, { 0 }, false, NULL,
	    "NTLM is not built in: use SCRAM-SHA-256" },
	{ "", "NTLM", &alice, { 0 }, false, NULL, "NTLM is not built in" },
	{ EVERY, "KERBEROS_V4", &alice, { 0 }, false, NULL,
	    "\"KERBEROS_V4\" is no mechanism" },
	{ EVERY, "SCRAM-SHA-1-PLUS", &alice, { 0 }, false, NULL,
	    "nothing to bind it to" },
	{ EVERY, "SCRAM-SHA-1", &alice, { 0 }, true, NULL,
	    "needs GNU SASL (package libgsasl18)" },
	{ EVERY, "XOAUTH2", &no_secret, { 0 }, false, NULL,
	    "XOAUTH2 wants an OAuth token" },
	{ EVERY, "PLAIN", &no_user, { 0 }, false, NULL,
	    "PLAIN wants a user name" },
	/* none, and why */
	{ "PLAIN LOGIN", NULL, &no_secret, { 0 }, false, NULL,
	    "the server offers PLAIN LOGIN; PLAIN wants a password" },
	{ "PLAIN LOGIN", NULL, &no_user, { 0 }, false, NULL,
	    "wants a user name" },
	{ "PLAIN LOGIN", NULL, &alice, { "PLAIN", "LOGIN" }, false, NULL,
	    "was tried and refused" },
	{ "CRAM-MD5 EXTERNAL", NULL, &alice, { 0 }, true, NULL,
	    "CRAM-MD5 needs GNU SASL (package libgsasl18)" },
	{ "EXTERNAL", NULL, &alice, { 0 }, false, NULL,
	    "used without a password" },
	{ "XOAUTH2 OAUTHBEARER", NULL, &alice, { 0 }, false, NULL,
	    "only when it is named" },
	{ "DIGEST-MD5", NULL, &alice, { 0 }, false, NULL,
	    "DIGEST-MD5 is used only when it is named" },
	{ "GSSAPI NTLM", NULL, &alice, { 0 }, false, NULL, "is not built in" },
	{ "SCRAM-SHA-1-PLUS", NULL, &alice, { 0 }, false, NULL,
	    "nothing to bind it to" },
	{ "X-OWN MSN", NULL, &alice, { 0 }, false, NULL,
	    "the server offers X-OWN MSN; none of them is known" },
	{ "", NULL, &alice, { 0 }, false, NULL, "offers no AUTH" },
	{ "", "PLAIN", &alice, { 0 }, false, NULL, "offers no AUTH" },
};

static void
check_choice(const struct choice_row *r)
{
	int ends = 0;
	const struct sasl_library library = LIBRARY(&ends);
	const struct sasl_mech *m;
	unsigned tried = 0;
	struct err e;

	err_clear(&e);
	for (size_t i = 0; i < COUNT(r->tried) && r->tried[i] != NULL; i++)
		tried |= MECH(r->tried[i]);
	m = sasl_choose(r->named, r->offered, tried, r->cred,
	    r->no_library ? NULL : &library, &e);
	CHECK_STR(m == NULL ? NULL : m->name, r->want);
	if (m != NULL || r->says == NULL)
		return;
	if (strstr(e.text, r->says) == NULL)
		CHECK_STR(e.text, r->says);
	CHECK_INT(e.verdict, strstr(e.text, "no AUTH") ? ERR_TEMP : ERR_PERM);
	CHECK_INT(e.kind, ERR_AUTH);
	CHECK_INT(e.stage, STAGE_AUTH);
}

TEST(what_is_chosen)
{
	for (size_t i = 0; i < COUNT(choices); i++)
		check_choice(&choices[i]);
}

TEST(a_library_that_does_not_know_it)
{
	const struct sasl_library library = LIBRARY(NULL);
	const struct sasl_mech *m;
	struct err e;

	m = sasl_choose(NULL, EVERY, 0, &bound, &library, &e);
	CHECK_STR(m == NULL ? NULL : m->name, "PLAIN");
}

TEST(names)
{
	CHECK_STR(sasl_find("Plain")->name, "PLAIN");
	CHECK(sasl_find("PLAI") == NULL);
	CHECK(sasl_find("") == NULL);
	for (size_t i = 0; i < sasl_mechs_n; i++)
		CHECK(sasl_find(sasl_mechs[i].name) == &sasl_mechs[i]);
	CHECK(sasl_mechs_n <= 32); /* the bits of `tried` */
	CHECK(sasl_offers_plus("PLAIN SCRAM-SHA-1-PLUS"));
	CHECK(!sasl_offers_plus("PLAIN SCRAM-SHA-1"));
	CHECK(!sasl_offers_plus(""));
}

/* ---- what ours say ---- */

#define ANSWER(s) s, sizeof(s) - 1

struct turn {
	const char *in; /* NULL: no challenge; only in the first turn */
	const char *out;
	size_t nout;
};

struct exchange_row {
	const char *mech;
	struct sasl_credentials cred;
	struct turn turns[3];
};

static const struct exchange_row exchanges[] = {
	/* RFC 4616 4 */
	{ "PLAIN", { .user = "tim", .secret = "tanstaaftanstaaf" },
	    { { NULL, ANSWER("\0tim\0tanstaaftanstaaf") } } },
	{ "PLAIN",
	    { .user = "Kurt", .authzid = "Ursel", .secret = "xipj3plmq" },
	    { { NULL, ANSWER("Ursel\0Kurt\0xipj3plmq") } } },
	{ "PLAIN", { .user = "j\xc3\xb6rg", .secret = "\xe2\x82\xac" },
	    { { NULL, ANSWER("\0j\xc3\xb6rg\0\xe2\x82\xac") } } },
	{ "LOGIN", { .user = "tim", .secret = "secret" },
	    { { "Username:", ANSWER("tim") },
		{ "Password:", ANSWER("secret") } } },
	{ "LOGIN", { .user = "tim", .secret = "secret" },
	    { { "Passwort", ANSWER("tim") }, { "", ANSWER("secret") } } },
	{ "EXTERNAL", { .user = NULL }, { { NULL, ANSWER("") } } },
	{ "EXTERNAL", { .user = "fred" }, { { NULL, ANSWER("fred") } } },
	{ "EXTERNAL", { .user = "fred", .authzid = "bob" },
	    { { NULL, ANSWER("bob") } } },
	{ "XOAUTH2",
	    { .user = "someuser@example.com",
		.secret = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg" },
	    { { NULL,
		ANSWER("user=someuser@example.com\001auth=Bearer ya29."
		       "vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\001"
		       "\001") } } },
	/* RFC 7628 4.1 */
	{ "OAUTHBEARER",
	    { .user = "user@example.com",
		.host = "server.example.com",
		.port = 143,
		.secret = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==" },
	    { { NULL,
		ANSWER("n,a=user@example.com,\001host=server.example.com\001"
		       "port=143\001auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlz"
		       "dGEuY29tCg==\001\001") } } },
	{ "OAUTHBEARER", { .user = "a,b=c", .secret = "t" },
	    { { NULL, ANSWER("n,a=a=2Cb=3Dc,\001auth=Bearer t\001\001") } } },
	{ "OAUTHBEARER", { .user = "a", .authzid = "z", .secret = "t" },
	    { { NULL, ANSWER("n,a=z,\001auth=Bearer t\001\001") } } },
};

static void
check_exchange(const struct exchange_row *r)
{
	struct err e;
	struct sasl *s = sasl_begin(sasl_find(r->mech), &r->cred, NULL, &e);
	const struct turn *t = r->turns;
	struct buf out;
	size_t i;

	buf_init(&out, 1000);
	CHECK(s != NULL);
	for (i = 0; i < COUNT(r->turns) && t[i].out != NULL; i++) {
		CHECK_INT(sasl_done(s, &e), -1);
		buf_reset(&out);
		CHECK_INT(sasl_step(s, t[i].in,
			      t[i].in == NULL ? 0 : strlen(t[i].in), &out, &e),
		    0);
		CHECK_MEM(buf_str(&out), out.len, t[i].out, t[i].nout);
	}
	CHECK_INT(sasl_done(s, &e), 0);
	CHECK_STR(sasl_reason(s), "");
	sasl_end(s);
	buf_free(&out);
}

TEST(what_ours_say)
{
	for (size_t i = 0; i < COUNT(exchanges); i++)
		check_exchange(&exchanges[i]);
}

/* Nothing to say before the server has spoken; that is no turn. */
TEST(login_waits_for_the_server)
{
	struct err e;
	struct sasl *s = sasl_begin(sasl_find("LOGIN"), &alice, NULL, &e);
	struct buf out;

	buf_init(&out, 100);
	CHECK_INT(sasl_step(s, NULL, 0, &out, &e), 0);
	CHECK_INT(out.len, 0);
	CHECK_INT(sasl_step(s, "x", 1, &out, &e), 0);
	CHECK_STR(buf_str(&out), "alice");
	CHECK_INT(sasl_done(s, &e), -1);
	CHECK_INT(e.kind, ERR_PROTOCOL);
	sasl_end(s);
	buf_free(&out);
}

TEST(more_than_the_mechanism_has_to_say)
{
	static const char *const rows[] = { "PLAIN", "LOGIN", "EXTERNAL",
		"XOAUTH2", "OAUTHBEARER" };
	struct buf out;
	struct err e;

	buf_init(&out, 1000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sasl *s =
		    sasl_begin(sasl_find(rows[i]), &alice, NULL, &e);
		int n = 0;

		err_clear(&e);
		while (n < 5 && sasl_step(s, "", 0, &out, &e) == 0)
			n++;
		CHECK(n < 3);
		CHECK_INT(e.verdict, ERR_TEMP);
		CHECK_INT(e.kind, ERR_PROTOCOL);
		CHECK_INT(e.stage, STAGE_AUTH);
		CHECK_INT(sasl_done(s, &e), -1);
		sasl_end(s);
	}
	buf_free(&out);
}

TEST(an_answer_that_does_not_fit)
{
	struct err e;
	struct sasl *s = sasl_begin(sasl_find("PLAIN"), &alice, NULL, &e);
	struct buf out;

	buf_init(&out, 5);
	CHECK_INT(sasl_step(s, NULL, 0, &out, &e), -1);
	CHECK_INT(e.verdict, ERR_TEMP);
	CHECK_INT(sasl_done(s, &e), -1);
	sasl_end(s);
	buf_free(&out);
}

TEST(control_characters_in_a_token)
{
	static const struct sasl_credentials rows[] = {
		{ .user = "a", .secret = "t\001auth=Bearer x" },
		{ .user = "a", .secret = "t\n" },
		{ .user = "a\001b", .secret = "t" },
	};
	static const char *const mechs[] = { "XOAUTH2", "OAUTHBEARER" };
	struct buf out;
	struct err e;

	buf_init(&out, 1000);
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		struct sasl *s =
		    sasl_begin(sasl_find(mechs[i % 2]), &rows[i / 2], NULL, &e);

		CHECK_INT(sasl_step(s, NULL, 0, &out, &e), -1);
		CHECK_INT(e.verdict, ERR_PERM);
		CHECK_INT(e.kind, ERR_AUTH);
		CHECK_INT(out.len, 0);
		sasl_end(s);
	}
	buf_free(&out);
}

/* ---- refused tokens ---- */

#define SAYS "the server says: "

static const struct {
	const char *in, *out;
} reasons[] = {
	/* RFC 7628 4.3 */
	{ "{\"status\":\"invalid_token\",\"scope\":\"example_scope\","
	  "\"openid-configuration\":\"https://example.com/.well-known/"
	  "openid-configuration\"}",
	    SAYS "status invalid_token, needs scope example_scope, see "
		 "https://example.com/.well-known/openid-configuration" },
	{ "{\"status\":\"401\",\"schemes\":\"bearer\","
	  "\"scope\":\"https://mail.google.com/\"}",
	    SAYS "status 401, needs scope https://mail.google.com/, takes "
		 "scheme bearer" },
	{ " { \"scope\" : \"a b\" , \"error\":\"invalid_token\",\r\n"
	  "\"status\": 400 } ",
	    SAYS "invalid_token, status 400, needs scope a b" },
	{ "{\"error\":\"a\\\"b\\\\c\\/\\u0041\\n\"}", SAYS "a\"b\\c/\\u0041n" },
	{ "{\"error\":{\"status\":\"7\",\"x\":[\"y\",1]},\"status\":\"1\"}",
	    SAYS "status 7 x y, status 1" },
	{ "{\"schemes\":[\"bearer\",\"mac\"]}",
	    SAYS "takes scheme bearer mac" },
	{ "{\"error\":null,\"status\":401", SAYS "null, status 401" },
	{ "{\"x\":\"error\",\"status\":\"\\\"error\\\":\\\"no\\\"\"}",
	    SAYS "status \"error\":\"no\"" },
	{ "{\"error\":\"\033[31mred\xe2\x80\xae\"}",
	    SAYS "\\x1B[31mred\\xE2\\x80\\xAE" },
	{ "{\"error\":\"open", SAYS "open" },
	{ "{\"error\":\"open\\", SAYS "open\\" },
	{ "{\"error\"", SAYS "{\"error\"" },
	{ "{}", SAYS "{}" },
	{ "token expired\n", SAYS "token expired\\x0A" },
	{ "", "" },
};

static void
check_reason(const char *mech, const char *in, const char *out)
{
	struct err e;
	struct sasl *s = sasl_begin(sasl_find(mech), &alice, NULL, &e);
	bool bearer = strcmp(mech, "OAUTHBEARER") == 0;
	struct buf b;

	buf_init(&b, 1000);
	CHECK_INT(sasl_step(s, NULL, 0, &b, &e), 0);
	buf_reset(&b);
	CHECK_INT(sasl_step(s, in, strlen(in), &b, &e), 0);
	CHECK_STR(buf_str(&b), bearer ? "\001" : "");
	CHECK_STR(sasl_reason(s), out);
	CHECK_INT(sasl_done(s, &e), -1);
	sasl_end(s);
	buf_free(&b);
}

TEST(why_a_token_was_refused)
{
	for (size_t i = 0; i < COUNT(reasons); i++) {
		check_reason("XOAUTH2", reasons[i].in, reasons[i].out);
		check_reason("OAUTHBEARER", reasons[i].in, reasons[i].out);
	}
}

TEST(a_reason_has_its_bounds)
{
	char in[6000] = "{\"error\":\"";
	struct err e;
	struct sasl *s = sasl_begin(sasl_find("XOAUTH2"), &alice, NULL, &e);
	struct buf b;
	size_t n = strlen(in);

	memset(in + n, 'e', 5000);
	n += 5000;
	n += (size_t)snprintf(in + n, sizeof in - n, "\",\"scope\":\"s\"}");
	buf_init(&b, 1000);
	CHECK_INT(sasl_step(s, NULL, 0, &b, &e), 0);
	CHECK_INT(sasl_step(s, in, n, &b, &e), 0);
	CHECK(strlen(sasl_reason(s)) < 400);
	CHECK(strstr(sasl_reason(s), "eee, needs scope s") != NULL);
	sasl_end(s);
	buf_free(&b);
}

/* ---- between us and the library ---- */

TEST(the_library_is_led_to_its_end)
{
	int ends = 0;
	const struct sasl_library library = LIBRARY(&ends);
	struct err e;
	struct sasl *s =
	    sasl_begin(sasl_find("SCRAM-SHA-1"), &alice, &library, &e);
	struct buf out;

	buf_init(&out, 100);
	CHECK_INT(sasl_step(s, NULL, 0, &out, &e), 0);
	CHECK_STR(buf_str(&out), "first");
	CHECK_INT(sasl_step(s, "r=", 2, &out, &e), 0);
	CHECK_INT(sasl_done(s, &e), -1);
	CHECK_INT(e.verdict, ERR_PERM);
	CHECK_INT(e.kind, ERR_AUTH);
	CHECK(strstr(e.text, "knows the password") != NULL);
	CHECK_INT(sasl_step(s, "end", 3, &out, &e), 0);
	CHECK_INT(sasl_done(s, &e), 0);
	CHECK_INT(sasl_step(s, "end", 3, &out, &e), -1);
	CHECK_INT(e.kind, ERR_PROTOCOL);
	CHECK_INT(sasl_done(s, &e), -1);
	CHECK_INT(ends, 0);
	sasl_end(s);
	CHECK_INT(ends, 1);
	sasl_end(NULL);
	buf_free(&out);
}

static const struct {
	const char *in;
	size_t n;
	enum err_kind want; /* ERR_NONE: handed on */
} challenges[] = {
	{ ANSWER("r=ab,s=c2FsdA==,i=4096"), ERR_NONE },
	{ ANSWER("r=ab,s=c2FsdA==,i=1000000"), ERR_NONE },
	{ ANSWER("r=i=9999999,s=c2FsdA==,i=1"), ERR_NONE },
	{ ANSWER("r=ab,s=c2FsdA==,i=1000001"), ERR_AUTH },
	{ ANSWER("r=ab,s=c2FsdA==,i=10000000"), ERR_AUTH },
	{ ANSWER("r=ab,s=c2FsdA==,i=00000000000010000000"), ERR_AUTH },
	{ ANSWER("r=ab,s=c2FsdA==,i=99999999999999999999999999999"), ERR_AUTH },
	{ ANSWER("r=ab,s=c2FsdA==,i=18446744073709551617"), ERR_AUTH },
	{ ANSWER("r=ab,s=c2FsdA==,i=1,i=2000000"), ERR_AUTH },
	{ ANSWER("i=2000000"), ERR_AUTH },
	{ ANSWER("e=channel-bindings-dont-match"), ERR_AUTH },
	{ ANSWER("r=ab\0,s=c2FsdA==,i=4096"), ERR_PROTOCOL },
	{ ANSWER("i="), ERR_NONE },
	{ ANSWER(",,i"), ERR_NONE },
	{ ANSWER(""), ERR_NONE },
};

TEST(what_the_library_does_not_get_to_see)
{
	int ends = 0;
	const struct sasl_library library = LIBRARY(&ends);
	struct buf out;
	struct err e;

	buf_init(&out, 100);
	for (size_t i = 0; i < COUNT(challenges); i++) {
		struct sasl *s = sasl_begin(
		    sasl_find("SCRAM-SHA-256"), &alice, &library, &e);
		bool good = challenges[i].want == ERR_NONE;

		err_clear(&e);
		CHECK_INT(
		    sasl_step(s, challenges[i].in, challenges[i].n, &out, &e),
		    good ? 0 : -1);
		CHECK_INT(e.kind, challenges[i].want);
		sasl_end(s);
	}
	buf_free(&out);
}

/* "i=" means nothing where there is no SCRAM. */
TEST(other_mechanisms_may_say_so)
{
	int ends = 0;
	const struct sasl_library library = LIBRARY(&ends);
	struct err e;
	struct sasl *s =
	    sasl_begin(sasl_find("CRAM-MD5"), &alice, &library, &e);
	struct buf out;

	buf_init(&out, 100);
	CHECK_INT(sasl_step(s, ANSWER("i=99999999"), &out, &e), 0);
	CHECK_INT(sasl_step(s, "bad", 3, &out, &e), -1);
	CHECK_STR(e.text, "bad");
	CHECK_INT(e.stage, STAGE_AUTH);
	sasl_end(s);
	buf_free(&out);
}

TEST(a_library_that_is_not_there)
{
	struct err e;

	CHECK(sasl_begin(sasl_find("CRAM-MD5"), &alice, NULL, &e) == NULL);
	CHECK(strstr(e.text, "libgsasl18") != NULL);
	CHECK_INT(e.verdict, ERR_PERM);
	CHECK_INT(e.stage, STAGE_AUTH);
}

TEST_MAIN
