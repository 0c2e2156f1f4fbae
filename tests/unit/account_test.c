/*
 * account: what settings become in a relay: schemes, levels, AUTH, where a
 * secret comes from, and who sends.
 */
#include "base/err.h"
#include "base/wait.h"
#include "cli/account.h"
#include "tests/unit/test.h"

struct say {
	enum setting_id id;
	const char *value;
	const char *file; /* NULL: the command line */
};

static struct account account;
static struct err why;

/* An account called `name` by at most eight settings; the list ends with one
 * without value. */
static int
make(const char *name, const struct say *say)
{
	struct settings s = { 0 };
	struct origin from;

	account_free(&account);
	err_clear(&why);
	for (; say->value != NULL; say++) {
		from = (struct origin){ say->file, 7 };
		if (settings_set(&s, say->id, say->value, &from, &why) == -1)
			return -1;
	}
	return account_make(&account, name, &s, &why);
}

#define MAKE(name, ...) make(name, (const struct say[]){ __VA_ARGS__, { 0 } })

TEST(schemes_by_what_else_is_said)
{
	CHECK_INT(
	    MAKE("a", { SET_HOST, "x.test, lmtp://y.test,unix:/run/l", "rc" },
		{ SET_TLS, "on", "rc" }, { SET_TLS_STARTTLS, "off", "rc" }),
	    0);
	CHECK_STR(
	    account.relay.hosts, "smtps://x.test,lmtp://y.test,unix:/run/l");
	MAKE("a", { SET_HOST, "x.test", "rc" },
	    { SET_TLS_STARTTLS, "off", "rc" });
	CHECK_STR(account.relay.hosts, "x.test");
	MAKE("a", { SET_HOST, "x.test", "rc" }, { SET_PROTOCOL, "lmtp", "rc" });
	CHECK_STR(account.relay.hosts, "lmtp://x.test");
	MAKE("a", { SET_HOST, "x.test", "rc" }, { SET_SOCKET, "/run/s", "rc" });
	CHECK_STR(account.relay.hosts, "smtp://unix:/run/s");
	MAKE("a", { SET_HOST, "mx:x.test,srv:x.test", "rc" },
	    { SET_TLS, "on", "rc" }, { SET_TLS_STARTTLS, "off", "rc" });
	CHECK_STR(account.relay.hosts, "mx:x.test,srv:x.test");
}

TEST(a_named_account_has_a_host_or_says_mx)
{
	CHECK_INT(MAKE("a", { SET_PORT, "25", "rc" }), -1);
	CHECK_STR(why.text,
	    "account a has no host; give it \"host NAME\", or \"mx on\"");
	CHECK_INT(MAKE("a", { SET_MX, "on", "rc" }, { SET_AUTH, "on", "rc" },
		      { SET_USER, "joe", "rc" }),
	    0);
	CHECK(account.relay.hosts == NULL);
	CHECK(!account.relay.auth.on);
	CHECK_INT(MAKE(NULL, { SET_PORT, "25", "rc" }), 0);
	CHECK(account.relay.hosts == NULL);
}

TEST(levels_and_who_gave_them)
{
	MAKE("a", { SET_HOST, "x", "rc" });
	CHECK_INT(account.relay.policy.level, TLS_AUTO);
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_TLS, "on", "rc" });
	CHECK_INT(account.relay.policy.level, TLS_VERIFY);
	CHECK_STR(account.relay.policy.source, "tls in rc:7");
	CHECK_INT(account.relay.auth.insecure, AUTH_NEVER);
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_TLS, "may", NULL });
	CHECK_STR(account.relay.policy.source, "--tls");
}

TEST(the_command_line_wants_a_check_whatever_the_file_says)
{
	static const char pin[] = "000102030405060708090a0b0c0d0e0f"
				  "101112131415161718191a1b1c1d1e1f";

	MAKE("a", { SET_HOST, "x", "rc" }, { SET_TLS_CERTCHECK, "off", "rc" },
	    { SET_TLS, "verify", NULL });
	CHECK_INT(account.relay.policy.level, TLS_VERIFY);
	CHECK_INT(account.relay.auth.insecure, AUTH_NEVER);
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_TLS, "on", "rc" },
	    { SET_TLS_CERTCHECK, "off", "rc" },
	    { SET_TLS_FINGERPRINT, pin, NULL });
	CHECK_INT(account.relay.policy.level, TLS_VERIFY);
	CHECK(account.relay.tls.fingerprint != NULL);
	CHECK_INT(account.relay.auth.insecure, AUTH_NEVER);
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_TLS_CERTCHECK, "off", "rc" },
	    { SET_TLS, "verify", "rc" });
	CHECK_INT(account.relay.auth.insecure, AUTH_ENCRYPTED);
}

TEST(without_certcheck_any_certificate_will_do)
{
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_TLS, "on", "rc" },
	    { SET_TLS_CERTCHECK, "off", "rc" });
	CHECK_INT(account.relay.policy.level, TLS_ENCRYPT);
	CHECK_INT(account.relay.auth.insecure, AUTH_ENCRYPTED);
	CHECK_STR(account.relay.policy.source, "tls_certcheck in rc:7");
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_TLS, "encrypt", "rc" },
	    { SET_TLS_CERTCHECK, "off", "rc" });
	CHECK_INT(account.relay.policy.level, TLS_ENCRYPT);
	CHECK_INT(account.relay.auth.insecure, AUTH_ENCRYPTED);
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_TLS_CERTCHECK, "off", "rc" });
	CHECK_INT(account.relay.policy.level, TLS_MAY);
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_TLS, "off", "rc" },
	    { SET_TLS_CERTCHECK, "off", "rc" });
	CHECK_INT(account.relay.policy.level, TLS_NONE);
	CHECK_INT(account.relay.auth.insecure, AUTH_NEVER);
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_TLS_CERTCHECK, "off", "rc" },
	    { SET_INSECURE_AUTH, "on", "rc" });
	CHECK_INT(account.relay.auth.insecure, AUTH_ANYHOW);
}

TEST(auth_is_on_when_it_is_said_or_a_user_is_typed)
{
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_USER, "joe", "rc" });
	CHECK(!account.relay.auth.on);
	CHECK(account.relay.secret_from == NULL);
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_USER, "joe", NULL });
	CHECK(account.relay.auth.on);
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_USER, "joe", NULL },
	    { SET_AUTH, "off", "rc" });
	CHECK(!account.relay.auth.on);
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_AUTH, "scram-sha-1", "rc" },
	    { SET_USER, "joe", "rc" });
	CHECK_STR(account.relay.auth.mech, "scram-sha-1");
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_AUTH, "on", "rc" },
	    { SET_USER, "joe", "rc" });
	CHECK(account.relay.auth.mech == NULL);
}

TEST(where_the_secret_comes_from)
{
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_AUTH, "on", "rc" },
	    { SET_USER, "joe", "rc" }, { SET_PASSWORDEVAL, "echo", "rc" },
	    { SET_PASSWORD_FD, "9", NULL });
	CHECK_STR(account.relay.secret_from, "--password-fd");
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_AUTH, "on", "rc" },
	    { SET_USER, "joe", "rc" });
	CHECK_STR(
	    account.relay.secret_from, "netrc, the keyring or the terminal");
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_AUTH, "external", "rc" },
	    { SET_PASSWORDEVAL, "echo", "rc" });
	CHECK(account.relay.secret_from == NULL);
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_AUTH, "on", "rc" },
	    { SET_TLS_CERT_FILE, "/c", "rc" });
	CHECK(account.relay.secret_from == NULL);
}

TEST(a_secret_is_fetched_and_forgotten)
{
	const struct waiter w = { 0 };

	MAKE("a", { SET_HOST, "x", "rc" }, { SET_AUTH, "on", "rc" },
	    { SET_USER, "joe", "rc" }, { SET_PASSWORD, "geheim", "rc" });
	CHECK(account.relay.auth.secret == NULL);
	CHECK_INT(account_fetch(&account, false, &w, &why), 0);
	CHECK_STR(account.relay.auth.secret, "geheim");
	CHECK_INT(account_fetch(&account, true, &w, &why), 1);
	account_forget(&account);
	CHECK(account.relay.auth.secret == NULL);
	CHECK_INT(account.secret.len, 0);
}

TEST(a_token_is_fetched_again)
{
	const struct waiter w = { 0 };

	MAKE("a", { SET_HOST, "x", "rc" }, { SET_AUTH, "xoauth2", "rc" },
	    { SET_USER, "joe", "rc" }, { SET_PASSWORDCMD, "echo t", "rc" });
	CHECK_INT(account_fetch(&account, false, &w, &why), 0);
	CHECK_INT(account_fetch(&account, true, &w, &why), 0);
	CHECK_STR(account.relay.auth.secret, "t");
}

TEST(a_proxy_by_either_keyword)
{
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_PROXY_HOST, "p.test", "rc" });
	CHECK_INT(account.relay.proxy->kind, PROXY_SOCKS5);
	CHECK_INT(account.relay.proxy->port, 1080);
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_PROXY_HOST, "p.test", "rc" },
	    { SET_PROXY_PORT, "9050", "rc" });
	CHECK_INT(account.relay.proxy->port, 9050);
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_PROXY_HOST, "p.test", "rc" },
	    { SET_PROXY, "http://q.test", NULL });
	CHECK_INT(account.relay.proxy->kind, PROXY_HTTP);
}

TEST(who_sends)
{
	char room[MACHINE_ADDRESS_MAX];

	setenv("USER", "alice", 1);
	setenv("HOSTNAME", "h.test", 1);
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_FROM, "%U@%H", "rc" });
	CHECK_STR(account_sender(&account, NULL, room, &why), "alice@h.test");
	CHECK_STR(account_sender(&account, "b@x", room, &why), "b@x");
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_FROM, "j%x@y.test", "rc" },
	    { SET_ALLOW_FROM_OVERRIDE, "off", "rc" });
	CHECK_STR(account_sender(&account, "b@x", room, &why), "j%x@y.test");
	MAKE("a", { SET_HOST, "x", "rc" }, { SET_FROM, "*@y.test", "rc" },
	    { SET_ALLOW_FROM_OVERRIDE, "off", "rc" });
	CHECK_STR(account_sender(&account, "b@y.test", room, &why), "b@y.test");
}

TEST(a_domain_is_one_once_it_is_filled_in)
{
	setenv("HOSTNAME", "h.test", 1);
	CHECK_INT(
	    MAKE("a", { SET_HOST, "x", "rc" }, { SET_DOMAIN, "mail.%H", "rc" }),
	    0);
	CHECK_STR(account.relay.helo, "mail.h.test");
	setenv("HOSTNAME", "a b", 1);
	CHECK_INT(
	    MAKE("a", { SET_HOST, "x", "rc" }, { SET_DOMAIN, "%H", "rc" }), -1);
	CHECK_STR(why.text,
	    "rc:7: domain \"%H\" becomes \"a b\", which is no host name; give "
	    "one");
	account_free(&account);
}

TEST_MAIN
