/*
 * config: the grammar of configuration files, every keyword, inheritance,
 * who is chosen, and what is wrong where.
 */
#include <syslog.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/config.h"
#include "cli/locally.h"
#include "mail/complete.h"
#include "cli/priorities.h"
#include "mail/envelope.h"
#include "net/tls.h"
#include "tests/unit/test.h"

/* A world of one other file, in which nothing is trusted if so wished. */
struct world {
	const char *other; /* the text behind every include */
	const char *printed; /* what every command prints */
	bool public; /* others may read the file */
	bool foreign; /* others may write it */
	int entered;
	char warnings[1024];
};

static int
trust(void *ctx, enum config_trust what, struct err *e)
{
	const struct world *w = ctx;

	if (what == CONFIG_PRIVATE ? w->public : w->foreign)
		return err_set(e, ERR_PERM, ERR_CONFIG, "not trusted");
	return 0;
}

static int
enter(void *ctx, const char *path, struct buf *text, char **name, struct err *e)
{
	struct world *w = ctx;

	if (w->other == NULL)
		return err_set(e, ERR_PERM, ERR_CONFIG, "%s: no file", path);
	w->entered++;
	buf_adds(text, w->other);
	*name = strdup(path);
	return 0;
}

static void
leave(void *ctx)
{
	struct world *w = ctx;

	w->entered--;
}

static int
eval(void *ctx, const char *command, struct buf *out, struct err *e)
{
	const struct world *w = ctx;

	if (w->printed == NULL)
		return err_set(e, ERR_PERM, ERR_CONFIG, "%s failed", command);
	buf_adds(out, w->printed);
	return 0;
}

static const char *
home(void *ctx)
{
	(void)ctx;
	return "/home/joe";
}

static void
warn(void *ctx, const char *text)
{
	struct world *w = ctx;
	size_t n = strlen(w->warnings);

	snprintf(w->warnings + n, sizeof w->warnings - n, "%s\n", text);
}

static struct world world;
static struct config config;
static struct err why;

/* Parse a text in a fresh world and config. */
static int
parse_in(const struct world *w, const char *text)
{
	const struct config_world face = { &world, trust, enter, leave, eval,
		home, warn };

	world = *w;
	config_free(&config);
	config_init(&config);
	err_clear(&why);
	return config_parse(&config, "rc", text, strlen(text), &face, &why);
}

static int
parse(const char *text)
{
	return parse_in(&(struct world){ 0 }, text);
}

/* A setting of an account, as text; "-" if it is not set. */
static const char *
get(const char *account, enum setting_id id)
{
	static struct settings s;
	const struct config_account *a =
	    account != NULL ? config_find(&config, account) : NULL;

	if (account != NULL && a == NULL)
		return "no account";
	config_settings(&config, a, &s);
	return s.at[id].text != NULL ? s.at[id].text : "-";
}

static int64_t
number(const char *account, enum setting_id id)
{
	static struct settings s;

	config_settings(&config, config_find(&config, account), &s);
	return s.at[id].number;
}

static const char *
wrong(const char *text)
{
	return parse(text) == -1 ? why.text : "nothing is wrong";
}

TEST(comments_blanks_and_quotes)
{
	CHECK_INT(parse("\xef\xbb\xbf# comment\n\n \t # another\r\n"
			"\taccount \t a \r\n"
			"host   mail.x.test  \n"
			"user \" joe \"\n"
			"password \"a # b\"\n"
			"authzid \"\n"
			"from a\"b@x.test"),
	    0);
	CHECK_STR(get("a", SET_HOST), "mail.x.test");
	CHECK_STR(get("a", SET_USER), " joe ");
	CHECK_STR(get("a", SET_PASSWORD), "a # b");
	CHECK_STR(get("a", SET_AUTHZID), "\"");
	CHECK_STR(get("a", SET_FROM), "a\"b@x.test");
}

TEST(defaults_hold_for_what_follows)
{
	CHECK_INT(parse("defaults\nport 587\naccount a\nhost a.test\n"
			"defaults\nport 25\ntls on\naccount b\nhost b.test\n"),
	    0);
	CHECK_INT(number("a", SET_PORT), 587);
	CHECK_STR(get("a", SET_TLS), "-");
	CHECK_INT(number("b", SET_PORT), 25);
	CHECK_STR(get("b", SET_TLS), "on");
	CHECK_STR(get(NULL, SET_PORT), "25");
	CHECK_STR(get(NULL, SET_HOST), "-");
}

TEST(accounts_inherit_what_their_parents_say)
{
	CHECK_INT(parse("defaults\nport 25\n"
			"account a\nhost a.test\nport 26\nuser joe\n"
			"account b\nuser eve\n"
			"defaults\nport 587\ntimeout 5\n"
			"account c : a , b\ntimeout 9\n"
			"account default : c\n"),
	    0);
	CHECK_STR(get("c", SET_HOST), "a.test");
	CHECK_STR(get("c", SET_USER), "eve");
	CHECK_STR(get("c", SET_PORT), "26");
	CHECK_STR(get("b", SET_PORT), "25");
	CHECK_STR(get("default", SET_TIMEOUT), "9");
	CHECK_STR(get("default", SET_PORT), "26");
}

TEST(one_way_to_a_secret_unsays_the_others)
{
	CHECK_INT(parse("account a\nhost a.test\npassword p\n"
			"account b : a\npasswordeval echo q\n"
			"account c : b\npasswordeval\n"),
	    0);
	CHECK_STR(get("a", SET_PASSWORD), "p");
	CHECK_STR(get("b", SET_PASSWORD), "-");
	CHECK_STR(get("b", SET_PASSWORDEVAL), "echo q");
	CHECK_STR(get("c", SET_PASSWORDEVAL), "-");
}

TEST(an_empty_value_unsets_or_means_on)
{
	CHECK_INT(parse("defaults\nsource_ip 192.0.2.1\ntls_crl_file ~/crl\n"
			"account a\nsource_ip\ntls\nauth \"\"\ntls_certcheck\n"
			"tls_crl_file\n"),
	    0);
	CHECK_STR(get("a", SET_SOURCE_IP), "-");
	CHECK_STR(get("a", SET_TLS_CRL_FILE), "-");
	CHECK_STR(get("a", SET_TLS), "on");
	CHECK_STR(get("a", SET_AUTH), "on");
	CHECK_INT(number("a", SET_TLS_CERTCHECK), 1);
	CHECK_STR(get(NULL, SET_TLS_CRL_FILE), "/home/joe/crl");
}

/* One value of each keyword that is taken, one that is not. */
static const struct {
	enum setting_id id;
	const char *good, *bad; /* NULL: there is none */
	int64_t number;
} keyword_rows[] = {
	{ SET_HOST, "a.test,b.test:26", NULL, 0 },
	{ SET_PORT, "587", "0", 587 },
	{ SET_SOCKET, "/run/smtp", NULL, 0 },
	{ SET_PROTOCOL, "lmtp", "uucp", 1 },
	{ SET_MX, "off", "yes", 0 },
	{ SET_SOURCE_IP, "::1", "localhost", 0 },
	{ SET_PROXY, "socks5://127.0.0.1:9050", "ftp://x", 0 },
	{ SET_PROXY_HOST, "proxy.test", "a b", 0 },
	{ SET_PROXY_PORT, "9050", "65536", 9050 },
	{ SET_DOMAIN, "%H", "a b", 0 },
	{ SET_TIMEOUT, "off", "never", 0 },
	{ SET_TLS, "encrypt", "maybe", TLS_ENCRYPT },
	{ SET_TLS_STARTTLS, "off", "smtps", 0 },
	{ SET_TLS_CERTCHECK, "on", "no", 1 },
	{ SET_TLS_TRUST_FILE, "/etc/ca", NULL, 0 },
	{ SET_TLS_CRL_FILE, "/etc/crl", NULL, 0 },
	{ SET_TLS_FINGERPRINT,
	    "00112233445566778899aabbccddeeff"
	    "00112233445566778899aabbccddeeff",
	    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF", 0 },
	{ SET_TLS_HOST, "mail.x.test", "a b", 0 },
	{ SET_TLS_CERT_FILE, "/etc/cert", "pkcs11:model=x", 0 },
	{ SET_TLS_KEY_FILE, "/etc/key", "pkcs11:model=x", 0 },
	{ SET_TLS_MIN, "1.3", "4", 13 },
	{ SET_TLS_CIPHERS, "HIGH", NULL, 0 },
	{ SET_TLS_PRIORITIES, "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL, 13 },
	{ SET_TLS_DH_BITS, "1024", NULL, 0 },
	{ SET_AUTH, "scram-sha-256", "rot13", 1 },
	{ SET_USER, "joe", NULL, 0 },
	{ SET_AUTHZID, "eve", NULL, 0 },
	{ SET_NTLMDOMAIN, "X", NULL, 0 },
	{ SET_PASSWORD, "secret", NULL, 0 },
	{ SET_PASSWORDEVAL, "cat x", NULL, 0 },
	{ SET_PASSWORDCMD, "cat x", NULL, 0 },
	{ SET_PASSWORDFILE, "/etc/pw", NULL, 0 },
	{ SET_INSECURE_AUTH, "on", "1", 1 },
	{ SET_FROM, "*@x.test", NULL, 0 },
	{ SET_ALLOW_FROM_OVERRIDE, "off", "never", 0 },
	{ SET_AUTO_FROM, "on", "x", 1 },
	{ SET_MAILDOMAIN, "x.test", NULL, 0 },
	{ SET_FROM_FULL_NAME, "Joe", NULL, 0 },
	{ SET_FROM_HEADER, "on", "yes", COMPLETE_ON },
	{ SET_DATE_HEADER, "off", "no", COMPLETE_OFF },
	{ SET_MSGID_HEADER, "auto", "autos", COMPLETE_AUTO },
	{ SET_TO_HEADER, "off", "1", COMPLETE_OFF },
	{ SET_MISSING_FROM, "on", "auto", 1 },
	{ SET_MISSING_DATE, "off", "auto", 0 },
	{ SET_REMOVE_BCC, "on", "no", 1 },
	{ SET_STRIP_DOTS, "off", "no", 0 },
	{ SET_DKIM_DOMAIN, "x.test, b\303\274cher.test", "x.test,a b", 0 },
	{ SET_DKIM_SELECTOR, "s,a.b ,t", "a..b", 0 },
	{ SET_DKIM_KEY, "/etc/k,/etc/l", NULL, 0 },
	{ SET_DKIM_PASSWORDEVAL, "cat x", NULL, 0 },
	{ SET_DKIM_CANONICALIZATION, "simple/relaxed", "relaxed", 2 },
	{ SET_UNDISCLOSED, "on", "auto", 1 },
	{ SET_DSN_NOTIFY, "Failure,SUCCESS", "failure;delay",
	    NOTIFY_FAILURE | NOTIFY_SUCCESS },
	{ SET_DSN_RETURN, "headers", "all", RETURN_HDRS },
	{ SET_BY_TIME, "2h,RT", "2h,X", 0 },
	{ SET_PRIORITY, "-9", "10", -9 },
	{ SET_SUBMITTER, "<>", NULL, 0 },
	{ SET_LOGFILE, "/var/log/x", NULL, 0 },
	{ SET_LOGFILE_TIME, "%Y-%m-%d", NULL, 0 },
	{ SET_SYSLOG, "LOG_MAIL", "LOG_KERN", LOG_MAIL },
	{ SET_ALIASES, "/etc/aliases", NULL, 0 },
	{ SET_LOCAL, "mda /usr/bin/procmail -a '%s'", "mda procmail",
	    LOCALLY_MDA },
	{ SET_LOCAL, "mbox", "mbox mail", LOCALLY_MBOX },
	{ SET_LOCAL, "mbox /srv/mail", "mboxes", LOCALLY_MBOX },
	{ SET_LOCAL, "maildir", "maildir /srv/mail", LOCALLY_MAILDIR },
	{ SET_LOCAL, "maildir Mail/in..box", "maildir Mail/../../x",
	    LOCALLY_MAILDIR },
	{ SET_LOCAL, "lmtp [::1]:2424", "lmtp", LOCALLY_LMTP },
	{ SET_LOCAL, "lmtp /run/lmtp", "lmtp a,b", LOCALLY_LMTP },
	{ SET_LOCAL, "lmtp unix:/run/lmtp", "lmtp smtp://a", LOCALLY_LMTP },
	{ SET_LOCAL, "off", "off now", LOCALLY_OFF },
	{ SET_LOCAL_DOMAINS, "localhost, x.test", "a b", 0 },
	{ SET_QUEUE, "only", "yes", QUEUE_ONLY },
	{ SET_QUEUE_LIFETIME, "2d", "2w", 172800 },
	{ SET_QUEUE_NOTICE, "off", "never", -1 },
	{ SET_QUEUE_CONNECTIONS, "1000", "0", 1000 },
	{ SET_QUEUE_RUNNER, "off", "no", 0 },
	{ SET_TRY_TIME, "0.5", "0", 500 },
	{ SET_SERVE_TIMEOUT, "15m", "never", 900000 },
};

TEST(every_keyword_has_a_row_here)
{
	bool seen[SETTINGS] = { false };
	size_t i;

	for (i = 0; i < sizeof keyword_rows / sizeof keyword_rows[0]; i++)
		seen[keyword_rows[i].id] = true;
	for (i = 0; i < SETTINGS; i++)
		CHECK(seen[i] || setting_rows[i].key == NULL);
}

TEST(every_keyword_takes_its_values)
{
	const char *key;
	char text[512];
	size_t i;

	for (i = 0; i < sizeof keyword_rows / sizeof keyword_rows[0]; i++) {
		key = setting_rows[keyword_rows[i].id].key;
		snprintf(text, sizeof text, "account a\n%s %s\n", key,
		    keyword_rows[i].good);
		CHECK_STR(wrong(text), "nothing is wrong");
		CHECK_STR(get("a", keyword_rows[i].id), keyword_rows[i].good);
		CHECK_INT(
		    number("a", keyword_rows[i].id), keyword_rows[i].number);
	}
}

TEST(every_wrong_value_is_named_with_its_place)
{
	const char *key;
	char text[512], place[64];
	size_t i;

	for (i = 0; i < sizeof keyword_rows / sizeof keyword_rows[0]; i++) {
		if (keyword_rows[i].bad == NULL)
			continue;
		key = setting_rows[keyword_rows[i].id].key;
		snprintf(text, sizeof text, "account a\n\n%s %s\n", key,
		    keyword_rows[i].bad);
		CHECK_INT(parse(text), -1);
		snprintf(place, sizeof place, "rc:3: %s", key);
		CHECK_MEM(why.text, strlen(place), place, strlen(place));
		CHECK_INT(err_exit(&why), 78);
	}
}

TEST(what_is_for_later_is_ignored_unless_it_is_done_anyway)
{
	static struct settings s;

	CHECK_INT(parse("account a\nhost x\ntls_min_dh_prime_bits 1024\n"
			"remove_bcc_headers\naliases\n"),
	    0);
	config_settings(&config, config_find(&config, "a"), &s);
	CHECK(s.at[SET_TLS_DH_BITS].ignored);
	CHECK_INT(s.at[SET_REMOVE_BCC].number, 1);
	CHECK(s.at[SET_ALIASES].given);
	CHECK(s.at[SET_ALIASES].text == NULL);
}

TEST(old_keywords)
{
	CHECK_INT(parse("account a\ntls_nocertcheck\ntls_nostarttls\n"
			"connect_timeout 7\n"),
	    0);
	CHECK_STR(get("a", SET_TLS_CERTCHECK), "off");
	CHECK_STR(get("a", SET_TLS_STARTTLS), "off");
	CHECK_INT(number("a", SET_TIMEOUT), 7000);
}

TEST(errors_name_place_and_remedy)
{
	CHECK_STR(wrong("account a\n hsot x\n"),
	    "rc:2: unknown keyword \"hsot\"; the nearest is host");
	CHECK_STR(wrong("host x"),
	    "rc:1: host must stand behind \"account NAME\" or \"defaults\"");
	CHECK_STR(wrong("account"), "rc:1: account needs a value");
	CHECK_STR(wrong("defaults x"), "rc:1: defaults takes no value");
	CHECK_STR(wrong("account a\n\naccount a"),
	    "rc:3: account a is already there, see rc:1");
	CHECK_STR(wrong("account a : b"),
	    "rc:1: there is no account \"b\" before this line; parents come "
	    "first");
	CHECK_STR(wrong("account a : a"),
	    "rc:1: there is no account \"a\" before this line; parents come "
	    "first");
	CHECK_STR(wrong("account a,b"), "rc:1: an account has one name");
	CHECK_STR(wrong("account \"\""), "rc:1: account needs a value");
	CHECK_STR(wrong("account :"),
	    "rc:1: \"\" is no name for an account; give one without comma and "
	    "colon");
	CHECK_STR(wrong("account my mail"), "nothing is wrong");
	CHECK_INT(config_parse(&config, "rc", "a\0b", 3,
		      &(struct config_world){ 0 }, &why),
	    -1);
	CHECK_STR(why.text, "rc:1: a NUL stands in this line");
}

TEST(a_secret_is_in_no_error)
{
	CHECK_STR(wrong("account a\nproxy socks5://joe:geheim@"),
	    "rc:2: proxy: give socks5:// or http://, perhaps USER:PASSWORD@, "
	    "and HOST[:PORT]");
}

/* What stands in the keyword's place may be the secret. */
TEST(a_secret_without_its_keyword_is_in_no_error)
{
	static const char *const texts[] = {
		"account a\npassword=hush\n",
		"account a\npassword:hush\n",
		"account a\neval x\n",
	};
	size_t i;

	for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		CHECK_INT(
		    parse_in(&(struct world){ .printed = "hush\n" }, texts[i]),
		    -1);
		CHECK(strncmp(why.text, "rc:2: ", 6) == 0);
		CHECK(strstr(why.text, "hush") == NULL);
	}
}

TEST(twice_with_another_value_is_a_warning)
{
	CHECK_INT(parse("defaults\nport 25\naccount a\nhost x\nport 26\n"
			"host x\nport 27\naccount b : a\nport 28\n"),
	    0);
	CHECK_STR(world.warnings,
	    "rc:7: port stands already in rc:5 with another value; this one "
	    "counts\n");
	CHECK_STR(get("a", SET_PORT), "27");
}

TEST(eval_is_the_line_that_it_prints)
{
	const struct world w = { .printed = "host evaluated\nport 99\n" };

	CHECK_INT(parse_in(&w, "account a\neval cat\n"), 0);
	CHECK_STR(get("a", SET_HOST), "evaluated");
	CHECK_STR(get("a", SET_PORT), "-");
	CHECK_INT(parse_in(&(struct world){ .printed = "eval x" },
		      "account a\neval cat\n"),
	    -1);
	CHECK_STR(why.text, "rc:2: a line that eval makes may not be eval");
	CHECK_STR(wrong("account a\neval false"), "rc:2: false failed");
	CHECK_INT(parse_in(&(struct world){ .printed = "", .foreign = true },
		      "account a\neval cat\n"),
	    -1);
	CHECK_STR(why.text, "rc:2: not trusted");
}

TEST(included_lines_stand_where_they_are_included)
{
	const struct world w = { .other = "port 26\naccount b : a\nuser u\n" };

	CHECK_INT(
	    parse_in(&w, "account a\nhost x\ninclude ~/more\ntimeout 3\n"), 0);
	CHECK_STR(get("a", SET_PORT), "26");
	CHECK_STR(get("b", SET_HOST), "x");
	CHECK_STR(get("b", SET_TIMEOUT), "3");
	CHECK_STR(get("a", SET_TIMEOUT), "-");
	CHECK_INT(world.entered, 0);
	CHECK_INT(parse_in(&(struct world){ .other = "\nhsot x" },
		      "account a\ninclude ~/more\n"),
	    -1);
	CHECK_STR(why.text,
	    "/home/joe/more:2: unknown keyword \"hsot\"; the nearest is host");
	CHECK_INT(
	    parse_in(&(struct world){ .other = "include x" }, "include x"), -1);
	CHECK_STR(why.text, "x:1: files include files more than 8 deep");
	CHECK_INT(world.entered, 0);
	CHECK_STR(wrong("include gone"), "rc:1: gone: no file");
}

TEST(what_a_file_must_be_like)
{
	const struct world public = { .public = true, .printed = "password p" };

	CHECK_INT(parse_in(&public, "account a\npassword p\n"), -1);
	CHECK_STR(why.text, "rc:2: not trusted");
	CHECK_INT(parse_in(&public, "account a\npassword\n"), 0);
	CHECK_INT(parse_in(&public, "account a\neval cat\n"), 0);
	CHECK_INT(parse_in(&public, "account a\nproxy socks5://h\n"), 0);
	CHECK_INT(parse_in(&public, "account a\nproxy socks5://u:p@h\n"), -1);
	CHECK_INT(parse_in(&(struct world){ .foreign = true },
		      "account a\npasswordcmd x\n"),
	    -1);
}

TEST(routes_own_before_inherited)
{
	const struct config_account *a;

	CHECK_INT(parse("defaults\nroute *.d.test d\n"
			"account a\nroute a.test b\n"
			"account c : a\nroute c.test b\nroute * b\n"),
	    0);
	a = config_find(&config, "c");
	CHECK_INT(a->nroutes, 5);
	CHECK_STR(a->routes[0].pattern, "c.test");
	CHECK_STR(a->routes[1].pattern, "*");
	CHECK_STR(a->routes[2].pattern, "*.d.test");
	CHECK_STR(a->routes[3].pattern, "a.test");
	CHECK_STR(a->routes[0].account, "b");
	CHECK_STR(wrong("defaults\nroute x.test"),
	    "rc:2: give route PATTERN ACCOUNT");
	CHECK_STR(wrong("defaults\nroute *x b"),
	    "rc:2: route \"*x\": it is no host name; give a domain, *.DOMAIN for "
	    "all below it, or "
	    "*");
}

static const char *
chosen(const char *address)
{
	const struct config_account *a = config_find_sender(&config, address);

	return a != NULL ? a->name : "-";
}

TEST(the_sender_chooses)
{
	CHECK_INT(parse("account a\nfrom joe@x.test\n"
			"account b\nfrom *@y.test\n"
			"account c\nfrom eve@y.test\n"
			"account d : a\n"),
	    0);
	CHECK_STR(chosen("joe@x.test"), "a");
	CHECK_STR(chosen("JOE@X.test"), "a");
	CHECK_STR(chosen("joe+list@x.test"), "a");
	CHECK_STR(chosen("eve@y.test"), "b");
	CHECK_STR(chosen("joe@z.test"), "-");
	CHECK_STR(chosen(""), "-");
	CHECK_STR(chosen("+@"), "-");
}

TEST(a_later_file_goes_before_an_earlier_one)
{
	static const char user[] = "defaults\nport 2\n"
				   "account a\nhost user\nfrom *@x.test\n";
	const struct config_world face = { &world, trust, enter, leave, eval,
		home, warn };

	CHECK_INT(parse("defaults\nport 1\ntimeout 1\n"
			"account a\nhost system\n"
			"account b\nfrom joe@x.test\n"),
	    0);
	config_layer(&config);
	CHECK_INT(
	    config_parse(&config, "user", user, sizeof user - 1, &face, &why),
	    0);
	CHECK_STR(get("a", SET_HOST), "user");
	CHECK_STR(get("a", SET_TIMEOUT), "-");
	CHECK_STR(get("b", SET_PORT), "1");
	CHECK_STR(get(NULL, SET_PORT), "2");
	CHECK_STR(get(NULL, SET_TIMEOUT), "1");
	CHECK_STR(chosen("joe@x.test"), "a");
}

TEST(passwords_that_nobody_wants_are_wiped)
{
	const char *kept[2] = { NULL, NULL };

	CHECK_INT(parse("account a\nhost x\npassword one\npassword two\n"
			"account b : a\nuser u\n"
			"account c\npassword three\n"
			"proxy socks5://u:p@h\n"),
	    0);
	kept[1] = get("b", SET_PASSWORD);
	config_forget_secrets(&config, kept, 2);
	CHECK_STR(get("b", SET_PASSWORD), "two");
	CHECK_STR(get("b", SET_USER), "u");
	CHECK_STR(get("c", SET_PASSWORD), "");
	CHECK_STR(get("c", SET_PROXY), "");
}

static int64_t
least(const char *priorities)
{
	int64_t min;

	return priorities_parse(priorities, &min) == 0 ? min : -1;
}

TEST(versions_in_priority_strings)
{
	CHECK_INT(least("NORMAL"), 0);
	CHECK_INT(least("NORMAL:-VERS-ALL:+VERS-TLS1.3"), 13);
	CHECK_INT(least("NORMAL:-VERS-TLS-ALL:+VERS-TLS1.2:+VERS-TLS1.3"), 12);
	CHECK_INT(least("SECURE128:-VERS-SSL3.0:%COMPAT"), 0);
	CHECK_INT(least("NORMAL:-VERS-TLS1.0:-VERS-TLS1.1"), 12);
	CHECK_INT(least("NORMAL:+VERS-TLS1.0"), 10);
	CHECK_INT(least("SECURE256:!AES-128-CBC"), -1);
	CHECK_INT(least(""), 0);
	config_free(&config);
}

TEST_MAIN
