/*
 * auth: which line goes out for which offer and reply, and where no secret
 * goes.
 */
#include "auth.h"
#include "smtp/reply.h"
#include "tests/unit/test.h"

#define SAFE                                                                   \
	{                                                                      \
		.encrypted = true, .verified = true                            \
	}

/* A dialogue in the making: the last line of ours and what is known of it. */
struct talk {
	struct auth_config config;
	struct auth auth;
	struct buf line;
	size_t shown;
	struct err e;
	int ret;
};

static void
talk_begin(struct talk *t, const char *mech, const char *user,
    const char *secret, const char *offered, struct auth_channel channel)
{
	memset(t, 0, sizeof *t);
	t->config = (struct auth_config){
		.on = true, .mech = mech, .user = user, .secret = secret
	};
	buf_init(&t->line, 65536);
	auth_init(&t->auth, &t->config, NULL);
	t->ret =
	    auth_begin(&t->auth, offered, &channel, &t->line, &t->shown, &t->e);
}

/* The server says this; *e is made of it as proto.c does. */
static enum auth_next
talk_take(struct talk *t, const char *said)
{
	struct reply r;
	enum auth_next next;
	size_t used;

	reply_init(&r);
	CHECK_INT(reply_feed(&r, said, strlen(said), &used), REPLY_DONE);
	err_clear(&t->e);
	t->e.kind = ERR_REPLY;
	t->e.verdict = reply_class(&r) == 2 ? ERR_OK
	    : reply_class(&r) == 5          ? ERR_PERM
					    : ERR_TEMP;
	t->e.stage = STAGE_AUTH;
	t->e.code = r.code;
	t->e.enhanced = r.enhanced;
	reply_words(&r, t->e.text, sizeof t->e.text);
	next = auth_take(&t->auth, &r, &t->line, &t->e);
	reply_free(&r);
	return next;
}

static void
talk_end(struct talk *t)
{
	auth_free(&t->auth);
	buf_free(&t->line);
}

static void
check_line(const struct talk *t, const char *line, size_t shown)
{
	CHECK_INT(t->ret, 0);
	CHECK_STR(buf_str(&t->line), line);
	CHECK_INT(t->shown, shown);
}

TEST(local_is_what_the_user_typed_as_such)
{
	static const struct {
		const char *host;
		bool local;
	} rows[] = {
		{ "localhost", true },
		{ "LocalHost", true },
		{ "127.0.0.1", true },
		{ "127.8.9.10", true },
		{ "::1", true },
		{ "0:0:0:0:0:0:0:1", true },
		{ "/run/smtp.sock", true },
		{ "128.0.0.1", false },
		{ "::2", false },
		{ "::", false },
		{ "127.0.0.1.example.org", false },
		{ "localhost.example.org", false },
		{ "ip6-localhost", false },
		{ "", false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		CHECK_INT(auth_is_local(rows[i].host), rows[i].local);
}

/* RFC 4616 4, first example. */
TEST(plain_goes_along_with_the_command)
{
	struct talk t;

	talk_begin(&t, "plain", "tim", "tanstaaftanstaaf", "PLAIN LOGIN",
	    (struct auth_channel)SAFE);
	check_line(&t, "AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm", 10);
	CHECK_INT(talk_take(&t, "235 2.7.0 fine\r\n"), AUTH_DONE);
	talk_end(&t);
}

/* RFC 4954 4: the line with its end has at most 512 octets. */
TEST(a_long_initial_response_waits_to_be_asked_for)
{
	char secret[600];
	struct talk t;
	size_t n;

	for (n = 350; n < 400; n++) {
		memset(secret, 'x', n);
		secret[n] = '\0';
		talk_begin(&t, "PLAIN", "u", secret, "PLAIN",
		    (struct auth_channel)SAFE);
		CHECK_INT(t.ret, 0);
		CHECK(t.line.len + 2 <= 512);
		if ((n + 3 + 2) / 3 * 4 + 11 + 2 > 512)
			check_line(&t, "AUTH PLAIN", 10);
		else
			CHECK(t.line.len > 11);
		talk_end(&t);
	}
	talk_begin(
	    &t, "PLAIN", "u", secret, "PLAIN", (struct auth_channel)SAFE);
	CHECK_INT(talk_take(&t, "334 \r\n"), AUTH_SAY);
	/* Two NULs, the user's one octet and the secret. */
	CHECK_INT(t.line.len, (n - 1 + 3 + 2) / 3 * 4);
	CHECK_INT(talk_take(&t, "235 ok\r\n"), AUTH_DONE);
	talk_end(&t);
}

/* Whoever accepts what was never said is not to be believed. */
TEST(nobody_is_known_before_the_secret_was_sent)
{
	char secret[600] = "";
	struct talk t;

	memset(secret, 'x', sizeof secret - 1);
	talk_begin(
	    &t, "PLAIN", "u", secret, "PLAIN", (struct auth_channel)SAFE);
	check_line(&t, "AUTH PLAIN", 10);
	CHECK_INT(talk_take(&t, "235 ok\r\n"), AUTH_FAILED);
	CHECK_INT(t.e.kind, ERR_PROTOCOL);
	CHECK_INT(err_exit(&t.e), 75);
	talk_end(&t);
}

TEST(login_answers_two_prompts)
{
	struct talk t;

	talk_begin(
	    &t, NULL, "joe", "secret", "LOGIN", (struct auth_channel)SAFE);
	check_line(&t, "AUTH LOGIN", 10);
	CHECK_INT(talk_take(&t, "334 VXNlcm5hbWU6\r\n"), AUTH_SAY);
	CHECK_STR(buf_str(&t.line), "am9l");
	CHECK_INT(talk_take(&t, "334 UGFzc3dvcmQ6\r\n"), AUTH_SAY);
	CHECK_STR(buf_str(&t.line), "c2VjcmV0");
	CHECK_INT(talk_take(&t, "235 ok\r\n"), AUTH_DONE);
	talk_end(&t);
}

TEST(no_secret_over_a_connection_of_anybody)
{
	static const struct {
		struct auth_channel channel;
		enum auth_insecure insecure;
		int ret;
	} rows[] = {
		{ { .encrypted = false }, AUTH_NEVER, -1 },
		{ { .encrypted = true }, AUTH_NEVER, -1 },
		{ { .encrypted = true, .verified = true }, AUTH_NEVER, 0 },
		{ { .local = true }, AUTH_NEVER, 0 },
		{ { .encrypted = false }, AUTH_ENCRYPTED, -1 },
		{ { .encrypted = true }, AUTH_ENCRYPTED, 0 },
		{ { .encrypted = false }, AUTH_ANYHOW, 0 },
	};
	struct talk t;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		talk_begin(&t, "PLAIN", "u", "hush", "PLAIN",
		    (struct auth_channel){ .local = true });
		t.config.insecure = rows[i].insecure;
		t.auth.tried = 0;
		buf_reset(&t.line);
		t.ret = auth_begin(&t.auth, "PLAIN", &rows[i].channel, &t.line,
		    &t.shown, &t.e);
		CHECK_INT(t.ret, rows[i].ret);
		if (rows[i].ret == -1) {
			CHECK_INT(t.line.len, 0);
			CHECK(strstr(t.e.text, "insecure_auth") != NULL);
			CHECK_INT(t.e.kind, ERR_AUTH);
			CHECK_INT(t.e.scope, SCOPE_HOST);
			CHECK_INT(err_exit(&t.e), 77);
		}
		talk_end(&t);
	}
}

TEST(a_refused_mechanism_leads_to_the_next)
{
	static const char *const refusals[] = {
		"504 5.5.4 no such mechanism\r\n",
		"504 no\r\n",
		"534 5.7.9 too weak\r\n",
		"538 5.7.11 not here\r\n",
		"501 5.5.4 what\r\n",
		"535 5.7.4 not for you\r\n",
	};
	const struct auth_channel c = SAFE;
	struct talk t;

	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		talk_begin(&t, NULL, "joe", "secret", "PLAIN LOGIN", c);
		check_line(&t, "AUTH PLAIN AGpvZQBzZWNyZXQ=", 10);
		CHECK_INT(talk_take(&t, refusals[i]), AUTH_AGAIN);
		CHECK_INT(auth_begin(&t.auth, "PLAIN LOGIN", &c, &t.line,
			      &t.shown, &t.e),
		    0);
		CHECK_STR(buf_str(&t.line), "AUTH LOGIN");
		/* Nothing is left: the server's last words are the reason. */
		CHECK_INT(talk_take(&t, "504 5.5.4 nor that\r\n"), AUTH_AGAIN);
		CHECK_INT(auth_begin(&t.auth, "PLAIN LOGIN", &c, &t.line,
			      &t.shown, &t.e),
		    -1);
		CHECK_STR(t.e.text, "504 5.5.4 nor that");
		talk_end(&t);
	}
}

TEST(wrong_credentials_are_not_tried_again)
{
	struct talk t;

	talk_begin(
	    &t, NULL, "joe", "wrong", "PLAIN LOGIN", (struct auth_channel)SAFE);
	CHECK_INT(talk_take(&t, "535 5.7.8 no\r\n"), AUTH_FAILED);
	CHECK_INT(err_exit(&t.e), 77);
	CHECK_INT(t.e.scope, SCOPE_DESTINATION);
	talk_end(&t);
	talk_begin(
	    &t, NULL, "joe", "wrong", "PLAIN LOGIN", (struct auth_channel)SAFE);
	CHECK_INT(talk_take(&t, "454 4.7.0 later\r\n"), AUTH_FAILED);
	CHECK_INT(err_exit(&t.e), 75);
	CHECK_INT(t.e.scope, SCOPE_HOST);
	talk_end(&t);
}

/* RFC 4954 4: "*" ends what makes no sense, and the refusal is ours. */
TEST(a_challenge_that_is_none_is_cancelled)
{
	static const char *const challenges[] = { "334 no base64!\r\n",
		"334-VXNlcm5hbWU6\r\n334 VXNlcm5hbWU6\r\n" };
	struct talk t;

	for (size_t i = 0; i < 2; i++) {
		talk_begin(&t, "LOGIN", "joe", "secret", "LOGIN",
		    (struct auth_channel)SAFE);
		CHECK_INT(talk_take(&t, challenges[i]), AUTH_SAY);
		CHECK_STR(buf_str(&t.line), "*");
		CHECK_INT(talk_take(&t, "501 cancelled\r\n"), AUTH_FAILED);
		CHECK_STR(t.e.text, "the server's challenge is not base64");
		CHECK_INT(err_exit(&t.e), 75);
		talk_end(&t);
	}
}

/* A server that goes on asking, or that says yes to "*", gets nothing. */
TEST(what_was_cancelled_stays_so)
{
	static const char *const said[] = { "334 VXNlcm5hbWU6\r\n",
		"235 welcome\r\n" };
	struct talk t;

	for (size_t i = 0; i < 2; i++) {
		talk_begin(&t, "LOGIN", "joe", "secret", "LOGIN",
		    (struct auth_channel)SAFE);
		CHECK_INT(talk_take(&t, "334 ?\r\n"), AUTH_SAY);
		CHECK_INT(talk_take(&t, said[i]), AUTH_FAILED);
		CHECK_STR(buf_str(&t.line), "");
		talk_end(&t);
	}
}

TEST(a_refused_token_may_have_grown_old)
{
	struct talk t;

	talk_begin(
	    &t, "XOAUTH2", "joe", "old", "XOAUTH2", (struct auth_channel)SAFE);
	CHECK_INT(t.ret, 0);
	/* {"error":"invalid_token","status":"401"} */
	CHECK_INT(talk_take(&t,
		      "334 eyJlcnJvciI6ImludmFsaWRfdG9rZW4iLCJzdGF0dXMiOiI0MDEi"
		      "fQ==\r\n"),
	    AUTH_SAY);
	CHECK_STR(buf_str(&t.line), "");
	CHECK_INT(talk_take(&t, "535 5.7.8 no\r\n"), AUTH_FAILED);
	CHECK(strstr(t.e.text, "535 5.7.8 no; ") == t.e.text);
	CHECK(strstr(t.e.text, "invalid_token") != NULL);
	CHECK(auth_token_refused(&t.auth, &t.e));
	t.e.verdict = ERR_TEMP;
	CHECK(!auth_token_refused(&t.auth, &t.e));
	talk_end(&t);

	talk_begin(
	    &t, "PLAIN", "joe", "wrong", "PLAIN", (struct auth_channel)SAFE);
	CHECK_INT(talk_take(&t, "535 5.7.8 no\r\n"), AUTH_FAILED);
	CHECK(!auth_token_refused(&t.auth, &t.e));
	talk_end(&t);
}

TEST_MAIN
