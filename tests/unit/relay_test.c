/*
 * relay: clusters, the names to verify, and levels of TLS, against a name
 * server of our own. A list of targets is "HOST:PORT[/s][=NAME]" of each:
 * /s by TLS from the first octet, =NAME where another name is verified.
 * RFC 2782, 6186, 8314 5.1, 7505.
 */
#include "base/err.h"
#include "nameserver.h"
#include "net/proxy.h"
#include "relay.h"
#include "test.h"

static const struct zone_row zone[] = {
	{ "one.test", TYPE_MX, NOERROR, 0,
	    { "20 b.one.test", "10 a.one.test", "30 mx.else.test" } },
	{ "signed.test", TYPE_MX, NOERROR, ZONE_AD, { "10 mx.else.test" } },
	{ "equal.test", TYPE_MX, NOERROR, 0,
	    { "5 a.one.test", "5 b.one.test", "5 mx.else.test" } },
	{ "null.test", TYPE_MX, NOERROR, 0, { "0 ." } },
	{ "fail.test", TYPE_MX, SERVFAIL, 0, { 0 } },
	{ "implicit.test", TYPE_A, NOERROR, 0, { "203.0.113.80" } },
	{ "lost.test", TYPE_MX, NOERROR, 0, { "5 gone.test" } },
	{ "many.test", TYPE_MX, NOERROR, 0,
	    { "1 m1.many.test", "2 m2.many.test", "3 m3.many.test",
		"4 m4.many.test", "5 m5.many.test", "6 m6.many.test",
		"7 m7.many.test", "8 m8.many.test", "9 m9.many.test",
		"10 m10.many.test", "11 m11.many.test" } },
	{ "m1.many.test", TYPE_A, NOERROR, 0, { "203.0.113.1" } },
	{ "m2.many.test", TYPE_A, NOERROR, 0, { "203.0.113.1" } },
	{ "m3.many.test", TYPE_A, NOERROR, 0, { "203.0.113.1" } },
	{ "m4.many.test", TYPE_A, NOERROR, 0, { "203.0.113.1" } },
	{ "m5.many.test", TYPE_A, NOERROR, 0, { "203.0.113.1" } },
	{ "m6.many.test", TYPE_A, NOERROR, 0, { "203.0.113.1" } },
	{ "m7.many.test", TYPE_A, NOERROR, 0, { "203.0.113.1" } },
	{ "m8.many.test", TYPE_A, NOERROR, 0, { "203.0.113.1" } },
	{ "m9.many.test", TYPE_A, NOERROR, 0, { "203.0.113.1" } },
	{ "m10.many.test", TYPE_A, NOERROR, 0, { "203.0.113.1" } },
	{ "m11.many.test", TYPE_A, NOERROR, 0, { "203.0.113.1" } },
	/* Merged by priority; at 10 TLS from the first octet comes first. */
	{ "_submissions._tcp.sub.test", TYPE_SRV, NOERROR, 0,
	    { "10 0 465 a.sub.test", "30 0 4650 b.sub.test" } },
	{ "_submission._tcp.sub.test", TYPE_SRV, NOERROR, 0,
	    { "5 0 5870 c.sub.test", "10 0 587 a.sub.test",
		"20 0 587 mx.else.test" } },
	{ "_submission._tcp.start.test", TYPE_SRV, NOERROR, ZONE_AD,
	    { "0 0 587 mx.else.test" } },
	{ "_submissions._tcp.start.test", TYPE_SRV, NOERROR, 0, { "0 0 0 ." } },
	{ "_submission._tcp.no.test", TYPE_SRV, NOERROR, 0, { "0 0 0 ." } },
	{ "_submissions._tcp.no.test", TYPE_SRV, NOERROR, 0, { "0 0 0 ." } },
	{ "_submission._tcp.half.test", TYPE_SRV, SERVFAIL, 0, { 0 } },
	{ "_submissions._tcp.weight.test", TYPE_SRV, NOERROR, 0,
	    { "0 0 465 zero.weight.test", "0 10 465 ten.weight.test",
		"0 30 465 thirty.weight.test" } },
	{ "zero.weight.test", TYPE_A, NOERROR, 0, { "203.0.113.1" } },
	{ "ten.weight.test", TYPE_A, NOERROR, 0, { "203.0.113.1" } },
	{ "thirty.weight.test", TYPE_A, NOERROR, 0, { "203.0.113.1" } },
	{ "a.sub.test", TYPE_A, NOERROR, 0, { "203.0.113.11" } },
	{ "b.sub.test", TYPE_A, NOERROR, 0, { "203.0.113.12" } },
	{ "c.sub.test", TYPE_A, NOERROR, 0, { "203.0.113.13" } },
	{ "a.one.test", TYPE_A, NOERROR, 0, { "203.0.113.1" } },
	{ "b.one.test", TYPE_A, NOERROR, 0, { "203.0.113.2" } },
	{ "mx.else.test", TYPE_A, NOERROR, 0, { "203.0.113.3" } },
	{ "localhost", TYPE_A, NOERROR, 0, { "203.0.113.4" } },
	{ 0 },
};

static struct nameserver ns;

/* One list made. */
static struct trial {
	struct target *targets;
	size_t n;
	struct err why;
	char text[2048];
} t;

static void
trial_free(void)
{
	size_t i;

	for (i = 0; i < t.n; i++)
		target_free(&t.targets[i]);
	free(t.targets);
	t = (struct trial){ 0 };
}

static void
text_add(const char *s)
{
	size_t n = strlen(t.text);

	snprintf(t.text + n, sizeof(t.text) - n, "%s", s);
}

static void
target_text(const struct target *to)
{
	char word[1024];

	snprintf(word, sizeof(word), "%s%s:%u%s%s%s",
	    t.text[0] != '\0' ? " " : "", to->host, to->port,
	    to->policy.implicit ? "/s" : "", to->policy.name != NULL ? "=" : "",
	    to->policy.name != NULL ? to->policy.name : "");
	text_add(word);
}

static void
make(const struct relay *r, void (*rnd)(void *, size_t))
{
	const struct dns_config dns = { .nameserver = ns.at, .timeout = 5000 };
	struct hosts h = { .dns_config = &dns, .random = rnd };
	size_t i;

	trial_free();
	CHECK_INT(relay_check(r, &t.why), 0);
	CHECK_INT(relay_targets(r, &h, &t.targets, &t.n, &t.why), 0);
	for (i = 0; i < t.n; i++)
		target_text(&t.targets[i]);
	host_free(&h);
}

static const char *
list(const char *hosts)
{
	const struct relay r = { .hosts = hosts,
		.policy = { .level = TLS_AUTO } };

	make(&r, NULL);
	return t.text;
}

TEST(the_name_server_starts)
{
	nameserver_start(&ns, zone);
	CHECK(ns.pid > 0);
}

TEST(mail_hosts_by_preference)
{
	CHECK_STR(list("mx:one.test"),
	    "a.one.test:25 b.one.test:25 mx.else.test:25=one.test");
	CHECK_INT(t.targets[1].preference, 20);
	CHECK(!t.targets[0].typed);
	CHECK_STR(list("MX:One.Test.:2525"),
	    "a.one.test:2525 b.one.test:2525 mx.else.test:2525=one.test");
	CHECK_STR(list("smtps://mx:one.test"),
	    "a.one.test:465/s b.one.test:465/s mx.else.test:465/s=one.test");
	/* Nobody lies about it. */
	CHECK_STR(list("mx:signed.test"), "mx.else.test:25");
	CHECK_STR(list("mx:implicit.test"), "implicit.test:25");
}

TEST(the_users_port_and_name_count)
{
	const struct relay port = { .hosts = "mx:one.test,srv:start.test",
		.port = 26 };
	const struct relay name = { .hosts = "mx:one.test",
		.policy = { .name = "typed.test" } };

	make(&port, NULL);
	CHECK_STR(t.text,
	    "a.one.test:26 b.one.test:26 mx.else.test:26=one.test "
	    "mx.else.test:587");
	make(&name, NULL);
	CHECK_STR(t.text,
	    "a.one.test:25=typed.test b.one.test:25=typed.test "
	    "mx.else.test:25=typed.test");
}

TEST(submission_servers_by_priority)
{
	CHECK_STR(list("srv:sub.test"),
	    "c.sub.test:5870 a.sub.test:465/s a.sub.test:587 "
	    "mx.else.test:587=sub.test b.sub.test:4650/s");
	CHECK_STR(list("srv:start.test"), "mx.else.test:587");
	CHECK_INT(t.targets[0].policy.level, TLS_VERIFY);
}

TEST(a_list_of_all_kinds)
{
	CHECK_STR(list("mx:one.test, b.one.test:26 ,srv:start.test,"
		       "unix:/run/lmtp,mx:equal.test"),
	    "a.one.test:25 b.one.test:25 mx.else.test:25=one.test "
	    "b.one.test:26 mx.else.test:587 /run/lmtp:0");
	CHECK_INT(t.targets[5].policy.level, TLS_NONE);
	CHECK(t.targets[5].typed);
	CHECK(t.targets[3].typed);
	CHECK_STR(list("mx:nope.test,b.one.test"), "b.one.test:25");
	CHECK_STR(
	    list("srv:half.test,mx:fail.test,b.one.test"), "b.one.test:25");
}

TEST(at_most_ten_servers)
{
	CHECK_STR(list("mx:many.test,a.one.test"),
	    "m1.many.test:25 m2.many.test:25 m3.many.test:25 m4.many.test:25 "
	    "m5.many.test:25 m6.many.test:25 m7.many.test:25 m8.many.test:25 "
	    "m9.many.test:25 m10.many.test:25 a.one.test:25");
}

static void
check_none(const char *hosts, enum err_verdict v, const char *text)
{
	CHECK_STR(list(hosts), "");
	CHECK_INT(t.n, 0);
	CHECK_STR(t.why.text, text);
	CHECK_INT(t.why.verdict, v);
	CHECK_INT(t.why.kind, ERR_LOOKUP);
	CHECK(t.why.enhanced.class == (v == ERR_TEMP ? 4 : 5));
}

TEST(clusters_without_servers)
{
	check_none(
	    "mx:nope.test", ERR_PERM, "smarthost mx:nope.test does not exist");
	check_none("mx:null.test", ERR_PERM,
	    "smarthost mx:null.test accepts no mail (null MX)");
	CHECK_INT(t.why.enhanced.detail, 10);
	check_none(
	    "mx:fail.test", ERR_TEMP, "look-up of fail.test (MX): SERVFAIL");
	check_none(
	    "mx:lost.test", ERR_PERM, "smarthost gone.test does not exist");
	check_none("srv:nope.test", ERR_PERM,
	    "smarthost srv:nope.test has no submission service in its SRV "
	    "records");
	check_none("srv:no.test", ERR_PERM,
	    "smarthost srv:no.test has no submission service in its SRV "
	    "records");
	/* Any hope over none. */
	check_none("srv:half.test", ERR_TEMP,
	    "look-up of _submission._tcp.half.test (SRV): SERVFAIL");
	check_none("mx:nope.test,mx:fail.test", ERR_TEMP,
	    "look-up of fail.test (MX): SERVFAIL");
}

/* A small generator; each test begins it anew. */
static uint64_t state;

static void
drawn(void *p, size_t n)
{
	unsigned char *to = p;

	while (n-- > 0) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		*to++ = (unsigned char)(state >> 56);
	}
}

/* How often each of the three comes first in 600 draws. */
static void
count_first(const char *hosts, const char *const names[3], unsigned count[3])
{
	const struct relay r = { .hosts = hosts };
	int i, k;

	state = 1;
	memset(count, 0, 3 * sizeof(count[0]));
	for (i = 0; i < 600; i++) {
		make(&r, drawn);
		CHECK_INT(t.n, 3);
		for (k = 0; k < 3; k++)
			count[k] += strcmp(t.targets[0].host, names[k]) == 0;
	}
}

TEST(equal_mail_hosts_share_the_load)
{
	static const char *const names[3] = { "a.one.test", "b.one.test",
		"mx.else.test" };
	unsigned count[3];
	int i;

	count_first("mx:equal.test", names, count);
	for (i = 0; i < 3; i++)
		CHECK(count[i] > 150 && count[i] < 250);
}

/* 1 in 41, 10 in 41, 30 in 41. */
TEST(weights_share_the_load)
{
	static const char *const names[3] = { "zero.weight.test",
		"ten.weight.test", "thirty.weight.test" };
	unsigned count[3];

	count_first("srv:weight.test", names, count);
	CHECK(count[0] > 2 && count[0] < 40);
	CHECK(count[1] > 100 && count[1] < 200);
	CHECK(count[2] > 380 && count[2] < 500);
}

TEST(a_dot_behind_the_host_is_in_no_certificate)
{
	CHECK_STR(list("b.one.test."), "b.one.test.:25=b.one.test");
	CHECK_STR(list("unix:/run/smtp."), "/run/smtp.:0");
}

static enum tls_level
level(const char *host, bool secret, const struct proxy *proxy)
{
	const struct relay r = {
		.hosts = host,
		.policy = { .level = TLS_AUTO },
		.auth = { .on = secret },
		.proxy = proxy,
	};

	make(&r, NULL);
	CHECK_INT(t.n, 1);
	return t.n == 1 ? t.targets[0].policy.level : TLS_AUTO;
}

TEST(a_secret_wants_a_verified_server)
{
	static const struct proxy proxy = {
		.kind = PROXY_HTTP, .host = "127.0.0.1", .port = 8080
	};

	CHECK_INT(level("b.one.test", false, NULL), TLS_MAY);
	CHECK_INT(level("b.one.test", true, NULL), TLS_VERIFY);
	CHECK_INT(level("203.0.113.1", true, NULL), TLS_VERIFY);
	CHECK_INT(level("mx:signed.test", true, NULL), TLS_VERIFY);
	CHECK_INT(level("mx:signed.test", false, NULL), TLS_MAY);
	CHECK_INT(level("127.0.0.1", true, NULL), TLS_MAY);
	CHECK_INT(level("[::1]", true, NULL), TLS_MAY);
	CHECK_INT(level("unix:/run/smtp", true, NULL), TLS_NONE);
	/* On the ports of submission without one, too. */
	CHECK_INT(level("127.0.0.1:587", false, NULL), TLS_VERIFY);
	CHECK_INT(level("smtps://127.0.0.1", true, NULL), TLS_VERIFY);
	/* A name server has a word of its own for it. */
	CHECK_INT(level("localhost", true, NULL), TLS_VERIFY);
	/* That is the proxy's own loopback. */
	CHECK_INT(level("127.0.0.1", true, &proxy), TLS_VERIFY);
	CHECK_INT(level("unix:/run/smtp", true, &proxy), TLS_NONE);
}

TEST(a_password_before_the_host_is_not_shown)
{
	const struct relay r = { .hosts = "smtps://joe:hush@mail.one.test" };
	struct err e;

	CHECK_INT(relay_check(&r, &e), -1);
	CHECK(strstr(e.text, "\"...@mail.one.test\"") != NULL);
	CHECK(strstr(e.text, "hush") == NULL);
}

/* Names behind a proxy are asked of nobody here. */
TEST(a_proxy_takes_the_place_of_addresses)
{
	static const struct proxy proxy = {
		.kind = PROXY_SOCKS5, .host = "203.0.113.99", .port = 1080
	};
	const struct relay r = { .hosts = "nope.test,mx:lost.test,unix:/x",
		.proxy = &proxy };
	char ip[64];

	make(&r, NULL);
	CHECK_STR(t.text, "nope.test:25 gone.test:25=lost.test /x:0");
	CHECK_STR(endpoint_text(&t.targets[0].addrs.at[0], ip, sizeof(ip)),
	    "203.0.113.99");
	CHECK_INT(endpoint_port(&t.targets[1].addrs.at[0]), 1080);
	CHECK_STR(
	    endpoint_text(&t.targets[2].addrs.at[0], ip, sizeof(ip)), "/x");
}

TEST(a_proxy_that_is_not_found_is_temporary)
{
	static const struct proxy proxy = {
		.kind = PROXY_SOCKS5, .host = "nope.test", .port = 1080
	};
	const struct relay r = { .hosts = "b.one.test", .proxy = &proxy };

	make(&r, NULL);
	CHECK_INT(t.n, 0);
	CHECK_STR(t.why.text, "proxy nope.test: nope.test does not exist");
	CHECK_INT(t.why.verdict, ERR_TEMP);
}

/* The last one: from here on nobody answers. */
TEST(without_a_name_server_there_is_hope)
{
	const struct relay r = { .hosts = "mx:one.test" };

	nameserver_stop(&ns);
	make(&r, NULL);
	CHECK_INT(t.n, 0);
	CHECK_INT(t.why.verdict, ERR_TEMP);
	CHECK(strstr(t.why.text, "no answer from the name server") != NULL);
	trial_free();
}

TEST_MAIN
