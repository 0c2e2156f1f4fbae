/*
 * mx: from recipients to routes, against a name server of our own.
 * Each test states recipients and configuration, and what the plan says:
 * "SOURCE: HOST:PORT[ADDR ADDR] ... < RECIPIENT ..." for each route.
 * RFC 5321 5.1, 7505.
 */
#include <ifaddrs.h>

#include "base/err.h"
#include "mail/envelope.h"
#include "mx.h"
#include "nameserver.h"
#include "net/proxy.h"
#include "test.h"

static const struct zone_row zone[] = {
	{ "a.test", TYPE_MX, NOERROR, 0, { "20 mx2.test", "10 mx1.test" } },
	/* The same hosts in the same order, by other numbers. */
	{ "b.test", TYPE_MX, NOERROR, 0, { "5 MX1.test", "6 mx2.test" } },
	/* The same hosts, both equal. */
	{ "c.test", TYPE_MX, NOERROR, 0, { "5 mx1.test", "5 mx2.test" } },
	/* One of them is named twice. */
	{ "d.test", TYPE_MX, NOERROR, 0,
	    { "5 mx1.test", "6 mx2.test", "7 mx1.test" } },
	{ "alias.test", TYPE_CNAME, NOERROR, 0, { "a.test" } },
	{ "null.test", TYPE_MX, NOERROR, 0, { "0 ." } },
	{ "nearlynull.test", TYPE_MX, NOERROR, 0, { "0 .", "10 mx1.test" } },
	{ "fail.test", TYPE_MX, SERVFAIL, 0, { 0 } },
	{ "implicit.test", TYPE_A, NOERROR, 0, { "203.0.113.80" } },
	{ "www.test", TYPE_MX, NOERROR, 0, { "0 implicit.test" } },
	{ "txtmx.test", TYPE_MX, NOERROR, 0, { "0 nothing.test" } },
	{ "numbermx.test", TYPE_MX, NOERROR, 0, { "0 203.0.113.9" } },
	{ "v4.test", TYPE_A, NOERROR, 0, { "203.0.113.81" } },
	{ "nothing.test", TYPE_TXT, NOERROR, 0, { "x" } },
	{ "half.test", TYPE_A, SERVFAIL, 0, { 0 } },
	{ "gonemx.test", TYPE_MX, NOERROR, 0, { "10 gone1.test" } },
	/* It has an address: never used, since there is an MX. */
	{ "gonemx.test", TYPE_A, NOERROR, 0, { "203.0.113.99" } },
	{ "downmx.test", TYPE_MX, NOERROR, 0, { "10 down.test" } },
	{ "partmx.test", TYPE_MX, NOERROR, 0,
	    { "1 gone1.test", "2 down.test", "3 mx1.test" } },
	{ "many.test", TYPE_MX, NOERROR, 0,
	    { "1 gone1.test", "2 m1.test", "3 m2.test", "4 m3.test",
		"5 m4.test", "6 m5.test", "7 m6.test" } },
	{ "selfbackup.test", TYPE_MX, NOERROR, 0,
	    { "10 mx1.test", "20 our.test", "30 mx2.test" } },
	{ "selfonly.test", TYPE_MX, NOERROR, 0,
	    { "10 OUR.test", "20 mx2.test" } },
	{ "selfequal.test", TYPE_MX, NOERROR, 0,
	    { "5 mx1.test", "10 mx2.test", "10 lo.test", "10 m1.test" } },
	{ "selfdown.test", TYPE_MX, NOERROR, 0,
	    { "5 down.test", "10 our.test" } },
	{ "any.test", TYPE_MX, NOERROR, 0, { "10 zero.test" } },
	{ "wide.test", TYPE_MX, NOERROR, 0, { "10 crowd.test" } },
	{ "mx1.test", TYPE_A, NOERROR, 0, { "203.0.113.1" } },
	{ "mx1.test", TYPE_AAAA, NOERROR, 0, { "2001:db8::1" } },
	{ "mx2.test", TYPE_A, NOERROR, 0, { "203.0.113.2" } },
	{ "down.test", TYPE_A, SERVFAIL, 0, { 0 } },
	{ "down.test", TYPE_AAAA, SERVFAIL, 0, { 0 } },
	{ "our.test", TYPE_A, NOERROR, 0, { "203.0.113.3" } },
	{ "lo.test", TYPE_A, NOERROR, 0, { "127.0.0.5" } },
	{ "zero.test", TYPE_A, NOERROR, 0, { "0.0.0.0" } },
	{ "m1.test", TYPE_A, NOERROR, 0, { "203.0.113.11" } },
	{ "m2.test", TYPE_A, NOERROR, 0, { "203.0.113.12" } },
	{ "m3.test", TYPE_A, NOERROR, 0, { "203.0.113.13" } },
	{ "m4.test", TYPE_A, NOERROR, 0, { "203.0.113.14" } },
	{ "m5.test", TYPE_A, NOERROR, 0, { "203.0.113.15" } },
	{ "m6.test", TYPE_A, NOERROR, 0, { "203.0.113.16" } },
	{ "crowd.test", TYPE_AAAA, NOERROR, 0,
	    { "2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4",
		"2001:db8::5", "2001:db8::6", "2001:db8::7", "2001:db8::8",
		"2001:db8::9" } },
	{ "crowd.test", TYPE_A, NOERROR, 0, { "203.0.113.1", "203.0.113.2" } },
	{ 0 },
};

/* A plan and all it was made of. */
struct trial {
	struct nameserver ns;
	struct mx_config c;
	struct relay relay;
	struct relays by;
	struct envelope env;
	struct mail mail;
	struct plan plan;
	struct err e;
	int ret;
	char text[4096];
};

/* No shuffle: an odd number leaves two equal ones as they are. */
static void
no_random(void *p, size_t n)
{
	memset(p, 0xff, n);
}

static void
trial_add(struct trial *t, const char *rcpts)
{
	char word[256];
	struct address a;
	size_t n;

	for (; *rcpts != '\0'; rcpts += n + strspn(rcpts + n, " ")) {
		n = strcspn(rcpts, " ");
		snprintf(word, sizeof(word), "%.*s", (int)n, rcpts);
		CHECK_INT(address_parse(&a, word, n,
			      ADDRESS_POSTMASTER | ADDRESS_BARE, &t->e),
		    0);
		CHECK_INT(envelope_add(&t->env, &a, word, n), 0);
	}
}

static void
text_add(struct trial *t, const char *s)
{
	size_t n = strlen(t->text);

	snprintf(t->text + n, sizeof(t->text) - n, "%s", s);
}

static void
target_text(struct trial *t, const struct target *to)
{
	char ip[128], word[512];
	size_t i;

	snprintf(word, sizeof(word), " %s%s:%u[",
	    to->transport == TRANSPORT_LMTP ? "lmtp/" : "", to->host, to->port);
	text_add(t, word);
	for (i = 0; i < to->addrs.n; i++) {
		snprintf(word, sizeof(word), "%s%s", i > 0 ? " " : "",
		    endpoint_text(&to->addrs.at[i], ip, sizeof(ip)));
		text_add(t, word);
		CHECK_INT(endpoint_port(&to->addrs.at[i]), to->port);
	}
	text_add(t, "]");
}

static void
plan_text(struct trial *t)
{
	const struct route *r;
	size_t i, k;

	t->text[0] = '\0';
	for (i = 0; i < t->plan.n; i++) {
		r = &t->plan.routes[i];
		text_add(t, i > 0 ? "; " : "");
		text_add(t, r->source);
		text_add(t, ":");
		for (k = 0; k < r->ntargets; k++)
			target_text(t, &r->targets[k]);
		text_add(t, " <");
		for (k = 0; k < r->n; k++) {
			text_add(t, " ");
			text_add(t, t->env.rcpts[r->rcpts[k]].addr.raw);
		}
	}
}

static void
trial_begin(struct trial *t)
{
	memset(t, 0, sizeof(*t));
	envelope_init(&t->env);
	nameserver_start(&t->ns, zone);
	t->c.dns.nameserver = t->ns.at;
	t->c.dns.timeout = 5000;
	t->c.random = no_random;
	t->relay.helo = "our.test";
	t->by.relay = &t->relay;
	t->mail = (struct mail){ .env = &t->env, .by = &t->by };
}

static void
trial_run(struct trial *t, const char *rcpts)
{
	trial_add(t, rcpts);
	t->ret = mx_plan(&t->c, &t->mail, 1, &t->plan, &t->e);
	plan_text(t);
}

static void
trial_end(struct trial *t)
{
	plan_free(&t->plan);
	envelope_free(&t->env);
	nameserver_stop(&t->ns);
}

static void
check_plan(struct trial *t, const char *rcpts, const char *want)
{
	trial_run(t, rcpts);
	CHECK_INT(t->ret, 0);
	CHECK_STR(t->text, want);
	trial_end(t);
}

/* A plan by MX with nothing else set. */
static void
check_mx(const char *rcpts, const char *want)
{
	struct trial t;

	trial_begin(&t);
	check_plan(&t, rcpts, want);
}

/* One recipient, not routed: "failed 5.1.2 text". */
static void
check_decided(struct trial *t, const char *rcpts, const char *want)
{
	char text[ERR_TEXT_MAX + 64], code[ENHANCED_MAX];
	const struct outcome *o;

	trial_run(t, rcpts);
	CHECK_INT(t->ret, 0);
	CHECK_INT(t->plan.n, 0);
	o = &t->env.rcpts[0].outcome;
	snprintf(text, sizeof(text), "%s %s %s", outcome_name(o->state),
	    enhanced_str(&o->err.enhanced, code), o->err.text);
	CHECK_STR(text, want);
	CHECK_INT(o->err.stage, STAGE_LOOKUP);
	/* Nothing is wrong with who has a smarthost. */
	CHECK_INT(o->err.scope,
	    t->relay.hosts != NULL ? SCOPE_HOST : SCOPE_DESTINATION);
	trial_end(t);
}

static void
check_failed(const char *rcpts, const char *want)
{
	struct trial t;

	trial_begin(&t);
	check_decided(&t, rcpts, want);
}

#define MX1 "mx1.test:25[2001:db8::1 203.0.113.1]"
#define MX2 "mx2.test:25[203.0.113.2]"

TEST(by_preference)
{
	check_mx("x@a.test", "mx: " MX1 " " MX2 " < x@a.test");
}

TEST(equal_hosts_share_a_route)
{
	check_mx("x@a.test y@b.test z@d.test X@A.test x@alias.test",
	    "mx: " MX1 " " MX2
	    " < x@a.test y@b.test z@d.test X@A.test x@alias.test");
}

TEST(another_order_is_another_route)
{
	check_mx("x@c.test y@a.test z@c.test",
	    "mx: " MX1 " " MX2 " < x@c.test z@c.test; "
	    "mx: " MX1 " " MX2 " < y@a.test");
}

TEST(no_mx_is_the_domain_itself)
{
	check_mx("x@implicit.test y@a.test",
	    "implicit mx: implicit.test:25[203.0.113.80] < x@implicit.test; "
	    "mx: " MX1 " " MX2 " < y@a.test");
}

/* Whether MX or the lack of it leads to a host, it is the same host. */
TEST(implicit_and_named_hosts_share_a_route)
{
	struct trial t;

	check_mx("x@www.test y@implicit.test",
	    "mx: implicit.test:25[203.0.113.80] < x@www.test y@implicit.test");
	check_mx("x@implicit.test y@www.test",
	    "implicit mx: implicit.test:25[203.0.113.80] "
	    "< x@implicit.test y@www.test");
	/* Each fails in its own way all the same. */
	trial_begin(&t);
	trial_run(&t, "x@txtmx.test y@nothing.test");
	CHECK_INT(t.plan.n, 0);
	CHECK_INT(t.env.rcpts[0].outcome.state, OUTCOME_DEFERRED);
	CHECK_STR(t.env.rcpts[0].outcome.err.text,
	    "no mail host of txtmx.test has an address");
	CHECK_INT(t.env.rcpts[1].outcome.state, OUTCOME_FAILED);
	CHECK_INT(err_exit(&t.env.rcpts[1].outcome.err), 68);
	trial_end(&t);
	/* A host with the text of an address is none. */
	check_mx("x@numbermx.test y@[203.0.113.9]",
	    "address literal: 203.0.113.9:25[203.0.113.9] < y@[203.0.113.9]");
}

TEST(literals_go_straight)
{
	check_mx("x@[203.0.113.9] y@[IPv6:2001:db8::9] z@[203.0.113.9]",
	    "address literal: 203.0.113.9:25[203.0.113.9] "
	    "< x@[203.0.113.9] z@[203.0.113.9]; "
	    "address literal: 2001:db8::9:25[2001:db8::9] "
	    "< y@[IPv6:2001:db8::9]");
}

TEST(domains_that_take_no_mail)
{
	check_failed(
	    "x@gone.test", "failed 5.1.2 domain gone.test does not exist");
	check_failed("x@null.test",
	    "failed 5.1.10 domain null.test accepts no mail (null MX)");
	check_failed("x@nothing.test",
	    "failed 5.1.2 domain nothing.test has no mail host: "
	    "neither MX nor address records");
	check_mx("x@nearlynull.test", "mx: " MX1 " < x@nearlynull.test");
}

TEST(trouble_defers)
{
	check_failed("x@fail.test",
	    "deferred 4.4.3 look-up of fail.test (MX): SERVFAIL");
	check_failed(
	    "x@half.test", "deferred 4.4.3 look-up of half.test (A): SERVFAIL");
	check_failed("x@gonemx.test",
	    "deferred 4.4.4 no mail host of gonemx.test has an address");
	check_failed("x@downmx.test",
	    "deferred 4.4.3 look-up of down.test (AAAA): SERVFAIL");
}

TEST(hosts_without_address_are_passed_over)
{
	check_mx("x@partmx.test", "mx: " MX1 " < x@partmx.test");
}

TEST(at_most_five_hosts)
{
	check_mx("x@many.test",
	    "mx: m1.test:25[203.0.113.11] m2.test:25[203.0.113.12] "
	    "m3.test:25[203.0.113.13] m4.test:25[203.0.113.14] "
	    "m5.test:25[203.0.113.15] < x@many.test");
}

TEST(at_most_eight_addresses_of_both_families)
{
	check_mx("x@wide.test",
	    "mx: crowd.test:25[2001:db8::1 2001:db8::2 2001:db8::3 "
	    "2001:db8::4 2001:db8::5 2001:db8::6 203.0.113.1 203.0.113.2] "
	    "< x@wide.test");
}

TEST(this_host_ends_the_list)
{
	check_mx("x@selfbackup.test", "mx: " MX1 " < x@selfbackup.test");
	check_mx("x@selfequal.test", "mx: " MX1 " < x@selfequal.test");
}

#define LOOPS                                                                  \
	" loops back to this host; set host to name the server, or "           \
	"local_domains if its mailboxes are here"

TEST(mail_that_would_loop)
{
	check_failed(
	    "x@selfonly.test", "failed 5.4.6 mail for selfonly.test" LOOPS);
	check_failed("x@any.test", "failed 5.4.6 mail for any.test" LOOPS);
	check_failed(
	    "x@[127.0.0.1]", "failed 5.4.6 mail for [127.0.0.1]" LOOPS);
	check_failed("x@[IPv6:::1]", "failed 5.4.6 mail for [IPv6:::1]" LOOPS);
	check_failed("x@[IPv6:::ffff:127.0.0.1]",
	    "failed 5.4.6 mail for [IPv6:::ffff:127.0.0.1]" LOOPS);
	/* A better host may come back: not given up. */
	check_failed("x@selfdown.test",
	    "deferred 4.4.3 look-up of down.test (AAAA): SERVFAIL");
}

/* An address of an interface is this host as well. */
TEST(mail_that_would_come_in_by_an_interface)
{
	struct ifaddrs *list = NULL, *i;
	char rcpt[128], text[256], ip[64];
	struct endpoint ep;

	CHECK_INT(getifaddrs(&list), 0);
	for (i = list; i != NULL; i = i->ifa_next) {
		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET)
			continue;
		memcpy(&ep.u.in, i->ifa_addr, sizeof(ep.u.in));
		endpoint_text(&ep, ip, sizeof(ip));
		snprintf(rcpt, sizeof(rcpt), "x@[%s]", ip);
		snprintf(
		    text, sizeof(text), "failed 5.4.6 mail for [%s]" LOOPS, ip);
		check_failed(rcpt, text);
	}
	freeifaddrs(list);
}

/* A port or an address that the user gave: he knows where it goes. */
TEST(the_user_may_send_to_this_host)
{
	struct override o = { "our.TEST", 25, "127.0.0.1" };
	struct trial t;

	trial_begin(&t);
	t.relay.port = 2525;
	check_plan(&t, "x@selfonly.test",
	    "mx: our.test:2525[203.0.113.3] mx2.test:2525[203.0.113.2] "
	    "< x@selfonly.test");
	trial_begin(&t);
	t.c.overrides = &o;
	t.c.noverrides = 1;
	check_plan(&t, "x@selfonly.test",
	    "mx: our.test:25[127.0.0.1] " MX2 " < x@selfonly.test");
}

TEST(an_override_is_for_its_port)
{
	struct override o[] = { { "mx1.test", 25, "203.0.113.71" },
		{ "mx1.test", 25, "2001:db8::72" },
		{ "mx2.test", 2525, "203.0.113.73" } };
	struct trial t;

	trial_begin(&t);
	t.c.overrides = o;
	t.c.noverrides = 3;
	check_plan(&t, "x@a.test",
	    "mx: mx1.test:25[203.0.113.71 2001:db8::72] " MX2 " < x@a.test");
}

TEST(one_family_only)
{
	struct trial t;

	trial_begin(&t);
	t.c.family = DNS_IPV4;
	check_plan(
	    &t, "x@a.test", "mx: mx1.test:25[203.0.113.1] " MX2 " < x@a.test");
	trial_begin(&t);
	t.c.family = DNS_IPV6;
	check_plan(&t, "x@a.test", "mx: mx1.test:25[2001:db8::1] < x@a.test");
	trial_begin(&t);
	t.c.family = DNS_IPV6;
	check_decided(&t, "x@v4.test",
	    "deferred 4.4.4 no mail host of v4.test has an address of the "
	    "family that -4 or -6 asks for");
	trial_begin(&t);
	t.c.family = DNS_IPV6;
	check_decided(&t, "x@[203.0.113.1]",
	    "deferred 4.4.4 no mail host of [203.0.113.1] has an address of "
	    "the family that -4 or -6 asks for");
}

TEST(some_fail_and_the_others_go)
{
	struct trial t;

	trial_begin(&t);
	trial_run(&t, "x@gone.test y@a.test Postmaster z@null.test w@b.test");
	CHECK_STR(t.text, "mx: " MX1 " " MX2 " < y@a.test w@b.test");
	CHECK_INT(envelope_count(&t.env, OUTCOME_FAILED), 3);
	CHECK_INT(envelope_count(&t.env, OUTCOME_PENDING), 2);
	CHECK_INT(err_exit(&t.env.rcpts[0].outcome.err), 68);
	CHECK_INT(t.env.rcpts[2].outcome.err.enhanced.detail, 3);
	CHECK_INT(err_exit(&t.env.rcpts[2].outcome.err), 67);
	CHECK_INT(err_exit(&t.env.rcpts[3].outcome.err), 68);
	trial_end(&t);
}

/* Equal ones in an order of chance: each comes first now and then. */
static void
some_random(void *p, size_t n)
{
	static const uint64_t values[] = { 0, 1, 7, 4, 13, 6, 11 };
	static size_t at;
	uint64_t v = values[at++ % 7];

	memcpy(p, &v, n);
}

TEST(equal_preferences_are_shuffled)
{
	int first = 0, second = 0, i;
	struct trial t;

	for (i = 0; i < 14; i++) {
		trial_begin(&t);
		t.c.random = some_random;
		trial_run(&t, "x@c.test");
		first += strstr(t.text, "mx: mx1") == t.text;
		second += strstr(t.text, "mx: mx2") == t.text;
		trial_end(&t);
	}
	CHECK(first > 0 && second > 0);
	CHECK_INT(first + second, 14);
	trial_begin(&t);
	t.c.random = some_random;
	check_plan(&t, "x@a.test", "mx: " MX1 " " MX2 " < x@a.test");
}

/* --- smarthosts ---------------------------------------------------------- */

/* A plan by smarthosts; names by the test's name server. */
static void
check_smart(const char *hosts, const char *rcpts, const char *want)
{
	struct trial t;

	trial_begin(&t);
	t.relay.hosts = hosts;
	CHECK_INT(mx_check(&t.c, &t.by, &t.e), 0);
	check_plan(&t, rcpts, want);
}

TEST(a_smarthost_takes_all)
{
	check_smart("203.0.113.50", "x@a.test y@gone.test Postmaster",
	    "smarthost: 203.0.113.50:25[203.0.113.50] "
	    "< x@a.test y@gone.test Postmaster");
	check_smart("smtp://MX2.test:587, 127.0.0.1:2525", "x@a.test",
	    "smarthost: MX2.test:587[203.0.113.2] 127.0.0.1:2525[127.0.0.1] "
	    "< x@a.test");
	check_smart("lmtp://[::1],SMTP://[IPv6:2001:db8::5]:26,2001:db8::6",
	    "x@a.test",
	    "smarthost: lmtp/::1:24[::1] 2001:db8::5:26[2001:db8::5] "
	    "2001:db8::6:25[2001:db8::6] < x@a.test");
	check_smart("unix:/run/lmtp,smtp://unix:/run/smtp,lmtp://unix:/run/l",
	    "x@a.test",
	    "smarthost: lmtp//run/lmtp:0[/run/lmtp] "
	    "/run/smtp:0[/run/smtp] lmtp//run/l:0[/run/l] < x@a.test");
}

TEST(a_smarthost_by_the_system)
{
	struct trial t;

	trial_begin(&t);
	t.relay.hosts = "localhost:2525";
	t.c.family = DNS_IPV4;
	t.c.dns.nameserver = NULL;
	check_plan(
	    &t, "x@a.test", "smarthost: localhost:2525[127.0.0.1] < x@a.test");
}

TEST(ports_of_smarthosts)
{
	struct override o = { "relay.test", 587, "127.0.0.1" };
	struct trial t;

	trial_begin(&t);
	t.relay.port = 2525;
	t.relay.hosts = "203.0.113.1,203.0.113.2:26,lmtp://203.0.113.3";
	check_plan(&t, "x@a.test",
	    "smarthost: 203.0.113.1:2525[203.0.113.1] 203.0.113.2:26[203.0.113.2] "
	    "lmtp/203.0.113.3:2525[203.0.113.3] < x@a.test");
	trial_begin(&t);
	t.c.overrides = &o;
	t.c.noverrides = 1;
	t.relay.hosts = "Relay.test:587";
	check_plan(
	    &t, "x@a.test", "smarthost: Relay.test:587[127.0.0.1] < x@a.test");
}

TEST(smarthosts_without_address)
{
	struct trial t;

	check_smart("gone1.test,mx2.test,down.test", "x@a.test",
	    "smarthost: " MX2 " < x@a.test");
	trial_begin(&t);
	t.relay.hosts = "gone1.test,gone2.test";
	check_decided(
	    &t, "x@a.test", "failed 5.1.2 smarthost gone1.test does not exist");
	trial_begin(&t);
	t.relay.hosts = "gone1.test,down.test";
	check_decided(&t, "x@a.test",
	    "deferred 4.4.3 look-up of down.test (AAAA): SERVFAIL");
	trial_begin(&t);
	t.relay.hosts = "mx2.test";
	t.c.family = DNS_IPV6;
	check_decided(&t, "x@a.test",
	    "deferred 4.4.4 smarthost mx2.test has no IPv6 address");
	trial_begin(&t);
	t.relay.hosts = "203.0.113.1";
	t.c.family = DNS_IPV6;
	check_decided(&t, "x@a.test",
	    "deferred 4.4.4 smarthost 203.0.113.1 has no IPv6 address");
}

/* Wrong in form: said by mx_check(), and by mx_plan() if nobody asked it. */
static void
check_usage(const char *hosts, const char *text)
{
	struct trial t;

	trial_begin(&t);
	t.relay.hosts = hosts;
	CHECK_INT(mx_check(&t.c, &t.by, &t.e), -1);
	CHECK_STR(t.e.text, text);
	CHECK_INT(t.e.kind, ERR_USAGE);
	CHECK_INT(t.e.verdict, ERR_PERM);
	err_clear(&t.e);
	trial_run(&t, "x@a.test");
	CHECK_INT(t.ret, -1);
	CHECK_INT(t.plan.n, 0);
	CHECK_STR(t.e.text, text);
	trial_end(&t);
}

#define NO_HOST_PORT                                                           \
	"give HOST, HOST:PORT or [IPv6]:PORT, the port from 1 to 65535"

TEST(smarthosts_that_cannot_be)
{
	check_usage("", "host \"\": a name or an address is missing");
	check_usage("a.test,,b.test",
	    "host \"\": a name or an address is "
	    "missing");
	check_usage("smtp://", "host \"\": " NO_HOST_PORT);
	check_usage("a.test:70000", "host \"a.test:70000\": " NO_HOST_PORT);
	check_usage("[::1", "host \"[::1\": " NO_HOST_PORT);
	check_usage("[a.test]",
	    "host \"[a.test]\": only an IP address stands in brackets");
	check_usage(
	    "1.2.3", "host \"1.2.3\": neither a host name nor an IP address");
	check_usage("a b.test",
	    "host \"a b.test\": neither a host name nor an IP address");
	check_usage("-a.test",
	    "host \"-a.test\": neither a host name nor an IP address");
	check_usage("mx:", "host \"mx:\": give mx:DOMAIN or mx:DOMAIN:PORT");
	check_usage("a.test,mx:b.test:0",
	    "host \"mx:b.test:0\": give mx:DOMAIN or mx:DOMAIN:PORT");
	check_usage("mx:192.0.2.1",
	    "host \"mx:192.0.2.1\": a domain is wanted, not an address");
	check_usage("mx:unix:/x",
	    "host \"mx:unix:/x\": give mx:DOMAIN or mx:DOMAIN:PORT");
	check_usage("srv:", "host \"srv:\": give srv:DOMAIN");
	check_usage("srv:a b.test", "host \"srv:a b.test\": give srv:DOMAIN");
	check_usage("srv:a.test:25",
	    "host \"srv:a.test:25\": give srv:DOMAIN; "
	    "its records name the ports");
	check_usage("smtps://srv:a.test",
	    "host \"smtps://srv:a.test\": srv: takes no scheme; "
	    "its records decide on TLS");
	check_usage("http://a.test",
	    "host \"http://a.test\": unknown scheme; use smtp://, "
	    "smtps:// or lmtp://");
	check_usage("smtpx://a.test",
	    "host \"smtpx://a.test\": unknown scheme; use smtp://, "
	    "smtps:// or lmtp://");
	check_usage("unix:run/lmtp",
	    "host \"unix:run/lmtp\": give the whole path, unix:/path");
}

/* --- rules: the relays of recipients ------------------------------------- */

static struct relay first_relay = { .hosts = "203.0.113.21" };
static struct relay second_relay = { .hosts = "203.0.113.22" };

static void
check_rules(const struct relay_rule *rules, size_t n, const char *rcpts,
    const char *want)
{
	struct trial t;

	trial_begin(&t);
	t.by.rules = rules;
	t.by.nrules = n;
	check_plan(&t, rcpts, want);
	trial_end(&t);
}

TEST(a_rule_is_for_its_domain_alone)
{
	static const struct relay_rule rules[] = { { "one.test",
	    &first_relay } };

	check_rules(rules, 1, "x@One.TEST y@sub.one.test z@xone.test",
	    "smarthost: 203.0.113.21:25[203.0.113.21] < x@One.TEST");
}

TEST(a_rule_for_what_is_below_a_domain)
{
	static const struct relay_rule rules[] = { { "*.One.test",
	    &first_relay } };

	check_rules(rules, 1,
	    "x@sub.one.TEST y@a.b.one.test z@one.test w@xone.test",
	    "smarthost: 203.0.113.21:25[203.0.113.21] < "
	    "x@sub.one.TEST y@a.b.one.test");
}

TEST(the_first_rule_that_matches_counts)
{
	static const struct relay_rule rules[] = {
		{ "one.test", &first_relay },
		{ "*.one.test", &first_relay },
		{ "*", &second_relay },
		{ "two.test", &first_relay },
	};

	check_rules(rules, 4, "a@two.test b@one.test c@x.one.test postmaster",
	    "smarthost: 203.0.113.21:25[203.0.113.21] < "
	    "b@one.test c@x.one.test; "
	    "smarthost: 203.0.113.22:25[203.0.113.22] < "
	    "a@two.test postmaster");
}

/* Two accounts that send by MX are two ways to speak, and stay apart; nobody
 * gets the mail twice. */
TEST(relays_by_mx_stay_apart)
{
	static struct relay other = { .helo = "other.test" };
	static const struct relay_rule rules[] = {
		{ "b.test", &other },
		{ "one.test", &first_relay },
		{ "c.test", &other },
	};

	check_rules(rules, 3, "x@a.test y@b.test z@one.test v@a.test",
	    "mx: mx1.test:25[2001:db8::1 203.0.113.1] "
	    "mx2.test:25[203.0.113.2] < x@a.test v@a.test; "
	    "mx: mx1.test:25[2001:db8::1 203.0.113.1] "
	    "mx2.test:25[203.0.113.2] < y@b.test; "
	    "smarthost: 203.0.113.21:25[203.0.113.21] < z@one.test");
}

TEST(a_rule_may_lead_to_the_default)
{
	struct trial t;
	struct relay_rule rule = { "one.test", NULL };

	trial_begin(&t);
	rule.relay = &t.relay;
	t.relay.hosts = "203.0.113.9";
	t.by.rules = &rule;
	t.by.nrules = 1;
	check_plan(&t, "x@one.test y@two.test",
	    "smarthost: 203.0.113.9:25[203.0.113.9] < x@one.test y@two.test");
	trial_end(&t);
}

TEST(a_proxy_looks_the_names_up)
{
	static const struct proxy proxy = {
		.kind = PROXY_SOCKS5, .host = "203.0.113.77", .port = 1080
	};
	struct trial t;
	size_t i;

	trial_begin(&t);
	t.relay.proxy = &proxy;
	trial_add(&t, "x@gonemx.test y@selfonly.test z@[203.0.113.5]");
	CHECK_INT(mx_plan(&t.c, &t.mail, 1, &t.plan, &t.e), 0);
	CHECK_INT(t.plan.n, 3);
	for (i = 0; i < t.plan.n; i++) {
		CHECK_INT(t.plan.routes[i].targets[0].port, 25);
		CHECK_INT(t.plan.routes[i].targets[0].addrs.n, 1);
		CHECK_INT(
		    endpoint_port(&t.plan.routes[i].targets[0].addrs.at[0]),
		    1080);
	}
	CHECK_STR(t.plan.routes[0].targets[0].host, "gone1.test");
	CHECK_STR(t.plan.routes[1].targets[0].host, "our.test");
	CHECK_STR(t.plan.routes[2].targets[0].host, "203.0.113.5");
	trial_end(&t);
}

TEST(overrides_as_typed)
{
	char good[] = "Mail.example.org:2525:203.0.113.1";
	char six[] = "a:25:2001:db8::1", brackets[] = "a:25:[2001:db8::1]";
	static const char *const bad[] = { "", "a", "a:25", "a:25:", "a:0:::1",
		"a:x:::1", "a::203.0.113.1", ":25:203.0.113.1", "a:25:b",
		"a:25:[::1", "a b:25:::1", "a:25:203.0.113.1:25",
		"[a]:25:203.0.113.1" };
	struct override o;
	struct err e;
	char s[64];
	size_t i;

	CHECK_INT(override_parse(good, &o, &e), 0);
	CHECK_STR(o.host, "Mail.example.org");
	CHECK_INT(o.port, 2525);
	CHECK_STR(o.ip, "203.0.113.1");
	CHECK_INT(override_parse(six, &o, &e), 0);
	CHECK_STR(o.host, "a");
	CHECK_STR(o.ip, "2001:db8::1");
	CHECK_INT(override_parse(brackets, &o, &e), 0);
	CHECK_STR(o.ip, "2001:db8::1");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(s, sizeof(s), "%s", bad[i]);
		CHECK_INT(override_parse(s, &o, &e), -1);
		CHECK_INT(e.kind, ERR_USAGE);
	}
}

TEST(nobody_to_send_to)
{
	struct trial t;

	trial_begin(&t);
	check_plan(&t, "", "");
	trial_begin(&t);
	t.relay.hosts = "203.0.113.1";
	check_plan(&t, "", "");
}

/* Who has no domain has a mailbox here, whatever rules say of the rest. */
TEST(names_without_a_domain_have_a_relay_of_their_own)
{
	const struct local_config mailboxes = {
		.box = { .transport = TRANSPORT_MBOX },
	};
	const struct relay local = {
		.hosts = "mbox:/var/mail",
		.local = &mailboxes,
		.connections = 1,
	};
	const struct relay rest = { .hosts = "203.0.113.51" };
	const struct relay_rule rule = { "*", &rest };
	struct trial t;

	trial_begin(&t);
	t.relay.hosts = "203.0.113.50";
	t.by.local = &local;
	CHECK_INT(mx_check(&t.c, &t.by, &t.e), 0);
	check_plan(&t, "bob x@a.test Postmaster",
	    "smarthost: 203.0.113.50:25[203.0.113.50] < x@a.test; "
	    "local: mbox:/var/mail:0[] < bob Postmaster");

	trial_begin(&t);
	t.by.local = &local;
	t.by.rules = &rule;
	t.by.nrules = 1;
	check_plan(&t, "bob x@a.test",
	    "smarthost: 203.0.113.51:25[203.0.113.51] < x@a.test; "
	    "local: mbox:/var/mail:0[] < bob");
}

/* What was queued for a server's Postmaster is not for a mailbox. */
TEST(mailboxes_that_nobody_asked_for_leave_postmaster_to_servers)
{
	const struct relay local = { .hosts = "203.0.113.9" };
	struct trial t;

	trial_begin(&t);
	t.relay.hosts = "203.0.113.50";
	t.by.local = &local;
	t.by.implied = true;
	check_plan(&t, "postMaster bob",
	    "smarthost: 203.0.113.50:25[203.0.113.50] < postMaster; "
	    "local: 203.0.113.9:25[203.0.113.9] < bob");

	/* By MX there would be none. */
	trial_begin(&t);
	t.by.local = &local;
	t.by.implied = true;
	check_plan(&t, "Postmaster",
	    "local: 203.0.113.9:25[203.0.113.9] < Postmaster");
}

/* A hundred thousand recipients take no time that grows by their square. */
TEST(many_recipients_and_domains)
{
	struct trial t;
	struct address a;
	char text[64];
	int i;

	trial_begin(&t);
	t.relay.port = 25;
	for (i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "u%d@[10.0.%d.%d]", i, i % 8,
		    i / 8 % 125);
		address_parse(&a, text, strlen(text), 0, &t.e);
		envelope_add(&t.env, &a, text, strlen(text));
	}
	CHECK_INT(mx_plan(&t.c, &t.mail, 1, &t.plan, &t.e), 0);
	CHECK_INT(t.plan.n, 1000);
	CHECK_INT(t.plan.routes[0].n, 100);
	CHECK_INT(t.plan.routes[0].rcpts[1], 1000);
	CHECK_STR(t.plan.routes[999].targets[0].host, "10.0.7.124");
	trial_end(&t);
}

TEST_MAIN
