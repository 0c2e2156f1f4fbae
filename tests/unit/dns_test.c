/*
 * dns: the parser on answers made by hand, well-formed and hostile, and the
 * questions against a name server of our own (nameserver.h).
 * RFC 1035 4.1, 2181 10.1, 7505, 6891.
 */
#include <sys/resource.h>

#include "base/err.h"
#include "net/dns.h"
#include "nameserver.h"
#include "packet.h"
#include "test.h"

static struct packet k;

static enum dns_status
parse_mx(const char *name, struct dns_mx_answer *a)
{
	return dns_parse_mx(k.p, k.n, name, a);
}

static enum dns_status
mx_status(const char *name)
{
	struct dns_mx_answer a;
	enum dns_status st = parse_mx(name, &a);

	dns_mx_free(&a);
	return st;
}

static enum dns_status
addrs_status(const char *name, int af)
{
	struct dns_addrs a = { 0 };
	enum dns_status st = dns_parse_addrs(k.p, k.n, name, af, 25, &a);

	dns_addrs_free(&a);
	return st;
}

TEST(mx_records_in_the_order_of_the_answer)
{
	struct dns_mx_answer a;

	packet_begin(&k, PACKET_FLAGS, "example.org", TYPE_MX);
	put_rr(&k, "example.org", TYPE_MX, "20 B.Example.org");
	put_rr(&k, "example.org", TYPE_TXT, "not asked for");
	put_rr(&k, "other.org", TYPE_MX, "5 not.ours");
	put_rr(&k, "EXAMPLE.org", TYPE_MX, "10 a.example.org");
	CHECK_INT(parse_mx("Example.ORG.", &a), DNS_OK);
	CHECK_INT(a.n, 2);
	CHECK_INT(a.mx[0].preference, 20);
	CHECK_STR(a.mx[0].host, "b.example.org");
	CHECK_INT(a.mx[1].preference, 10);
	CHECK_STR(a.mx[1].host, "a.example.org");
	CHECK_STR(a.name, "example.org");
	CHECK(!a.ad);
	dns_mx_free(&a);
}

TEST(the_root_is_a_null_mx)
{
	struct dns_mx_answer a;

	packet_begin(&k, PACKET_FLAGS | PACKET_AD, "example.org", TYPE_MX);
	put_rr(&k, "example.org", TYPE_MX, "0 .");
	CHECK_INT(parse_mx("example.org", &a), DNS_OK);
	CHECK_INT(a.n, 1);
	CHECK_STR(a.mx[0].host, "");
	CHECK(a.ad);
	dns_mx_free(&a);
}

TEST(srv_records)
{
	struct dns_srv_answer a;

	packet_begin(
	    &k, PACKET_FLAGS | PACKET_AD, "_s._tcp.example.org", TYPE_SRV);
	put_rr(&k, "_s._tcp.Example.org", TYPE_SRV, "10 60 587 A.example.org");
	put_rr(&k, "_s._tcp.example.org", TYPE_TXT, "not asked for");
	put_rr(&k, "other.example.org", TYPE_SRV, "0 0 25 not.ours");
	put_rr(&k, "_s._tcp.example.org", TYPE_SRV, "65535 0 65535 b.example");
	CHECK_INT(dns_parse_srv(k.p, k.n, "_s._tcp.example.org", &a), DNS_OK);
	CHECK_INT(a.n, 2);
	CHECK_INT(a.srv[0].priority, 10);
	CHECK_INT(a.srv[0].weight, 60);
	CHECK_INT(a.srv[0].port, 587);
	CHECK_STR(a.srv[0].host, "a.example.org");
	CHECK_INT(a.srv[1].priority, 65535);
	CHECK_INT(a.srv[1].port, 65535);
	CHECK_STR(a.srv[1].host, "b.example");
	CHECK(a.ad);
	dns_srv_free(&a);
	CHECK(a.srv == NULL);
}

static enum dns_status
srv_status(const char *name)
{
	struct dns_srv_answer a;
	enum dns_status st = dns_parse_srv(k.p, k.n, name, &a);

	dns_srv_free(&a);
	return st;
}

TEST(srv_aliases_and_nothing)
{
	struct dns_srv_answer a;

	packet_begin(&k, PACKET_FLAGS, "s.example", TYPE_SRV);
	put_rr(&k, "s.example", TYPE_CNAME, "t.example");
	CHECK_INT(srv_status("s.example"), DNS_NODATA);
	put_rr(&k, "t.example", TYPE_SRV, "0 0 465 a.example");
	CHECK_INT(dns_parse_srv(k.p, k.n, "s.example", &a), DNS_OK);
	CHECK_STR(a.name, "t.example");
	dns_srv_free(&a);
	packet_begin(&k, PACKET_FLAGS | NXDOMAIN, "s.example", TYPE_SRV);
	CHECK_INT(srv_status("s.example"), DNS_NXDOMAIN);
	packet_begin(&k, PACKET_FLAGS | SERVFAIL, "s.example", TYPE_SRV);
	CHECK_INT(srv_status("s.example"), DNS_TEMP);
	/* The service is decidedly not there (RFC 2782). */
	packet_begin(&k, PACKET_FLAGS, "s.example", TYPE_SRV);
	put_rr(&k, "s.example", TYPE_SRV, "0 0 0 .");
	CHECK_INT(dns_parse_srv(k.p, k.n, "s.example", &a), DNS_OK);
	CHECK_INT(a.n, 1);
	CHECK_STR(a.srv[0].host, "");
	dns_srv_free(&a);
}

TEST(srv_records_that_are_none)
{
	static const char *const bad[] = { "0 0 0 a.example", "0 0 25 a b",
		"0 0 25 a\xff" };
	size_t i, at;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		packet_begin(&k, PACKET_FLAGS, "s.example", TYPE_SRV);
		put_rr(&k, "s.example", TYPE_SRV, bad[i]);
		CHECK_INT(srv_status("s.example"), DNS_TEMP);
		put_rr(&k, "s.example", TYPE_SRV, "0 0 25 a.example");
		CHECK_INT(srv_status("s.example"), DNS_OK);
	}
	for (i = 0; i < 7; i++) {
		packet_begin(&k, PACKET_FLAGS, "s.example", TYPE_SRV);
		at = rr_begin(&k, "s.example", TYPE_SRV);
		put_mem(&k, "\0\0\0\0\0\x19", i < 6 ? i : 6);
		rr_end(&k, at);
		CHECK_INT(srv_status("s.example"), DNS_TEMP);
	}
	/* Octets behind the name. */
	packet_begin(&k, PACKET_FLAGS, "s.example", TYPE_SRV);
	at = rr_begin(&k, "s.example", TYPE_SRV);
	put_mem(&k, "\0\0\0\0\0\x19\1a\0x", 10);
	rr_end(&k, at);
	CHECK_INT(srv_status("s.example"), DNS_TEMP);
}

TEST(of_too_many_srv_records_the_best_stay)
{
	struct dns_srv_answer a;
	char text[32];
	size_t i;

	packet_begin(&k, PACKET_FLAGS, "s.example", TYPE_SRV);
	for (i = 0; i < DNS_RECORDS_MAX + 50; i++) {
		snprintf(text, sizeof(text), "%zu 0 25 h%zu", 1000 - i, i);
		put_rr(&k, "s.example", TYPE_SRV, text);
	}
	CHECK_INT(dns_parse_srv(k.p, k.n, "s.example", &a), DNS_OK);
	CHECK_INT(a.n, DNS_RECORDS_MAX);
	for (i = 0; i < a.n; i++)
		CHECK(a.srv[i].priority <= 950);
	dns_srv_free(&a);
}

TEST(response_codes)
{
	packet_begin(&k, PACKET_FLAGS, "example.org", TYPE_MX);
	CHECK_INT(mx_status("example.org"), DNS_NODATA);
	packet_begin(&k, PACKET_FLAGS | NXDOMAIN, "example.org", TYPE_MX);
	CHECK_INT(mx_status("example.org"), DNS_NXDOMAIN);
	packet_begin(&k, PACKET_FLAGS | SERVFAIL, "example.org", TYPE_MX);
	CHECK_INT(mx_status("example.org"), DNS_TEMP);
	packet_begin(&k, PACKET_FLAGS | REFUSED, "example.org", TYPE_MX);
	CHECK_INT(mx_status("example.org"), DNS_TEMP);
	packet_begin(&k, PACKET_FLAGS | PACKET_TC, "example.org", TYPE_MX);
	CHECK_INT(mx_status("example.org"), DNS_TEMP);
}

/* A server that does not recurse and is not the zone's knows nothing. */
TEST(a_referral_is_no_answer)
{
	packet_begin(&k, PACKET_FLAGS & ~PACKET_RA, "example.org", TYPE_MX);
	CHECK_INT(mx_status("example.org"), DNS_TEMP);
	packet_begin(&k, PACKET_FLAGS & ~PACKET_RA, "mx.example", TYPE_A);
	CHECK_INT(addrs_status("mx.example", AF_INET), DNS_TEMP);
	packet_begin(&k, (PACKET_FLAGS & ~PACKET_RA) | PACKET_AA, "example.org",
	    TYPE_MX);
	CHECK_INT(mx_status("example.org"), DNS_NODATA);
}

TEST(what_answers_another_question)
{
	packet_begin(&k, PACKET_FLAGS, "example.net", TYPE_MX);
	CHECK_INT(mx_status("example.org"), DNS_TEMP);
	packet_begin(&k, PACKET_FLAGS, "example.org", TYPE_A);
	CHECK_INT(mx_status("example.org"), DNS_TEMP);
	packet_begin(&k, PACKET_FLAGS, "example.org", TYPE_MX);
	k.p[k.n - 1] = 3; /* class CH */
	CHECK_INT(mx_status("example.org"), DNS_TEMP);
	packet_begin(&k, 0x0100, "example.org", TYPE_MX); /* a question */
	CHECK_INT(mx_status("example.org"), DNS_TEMP);
	packet_begin(&k, PACKET_FLAGS, "example.org", TYPE_MX);
	k.p[5] = 0; /* no question */
	CHECK_INT(mx_status("example.org"), DNS_TEMP);
}

TEST(aliases_are_followed)
{
	struct dns_mx_answer a;

	packet_begin(&k, PACKET_FLAGS, "a.example", TYPE_MX);
	put_rr(&k, "c.example", TYPE_MX, "10 mx.example");
	put_rr(&k, "b.example", TYPE_CNAME, "c.example");
	put_rr(&k, "a.example", TYPE_CNAME, "B.example");
	CHECK_INT(parse_mx("a.example", &a), DNS_OK);
	CHECK_INT(a.n, 1);
	CHECK_STR(a.name, "c.example");
	dns_mx_free(&a);
	/* The alias is there, what it leads to has no such records. */
	packet_begin(&k, PACKET_FLAGS, "a.example", TYPE_MX);
	put_rr(&k, "a.example", TYPE_CNAME, "b.example");
	CHECK_INT(mx_status("a.example"), DNS_NODATA);
}

TEST(a_loop_of_aliases_is_temporary)
{
	packet_begin(&k, PACKET_FLAGS, "a.example", TYPE_A);
	put_rr(&k, "a.example", TYPE_CNAME, "b.example");
	put_rr(&k, "b.example", TYPE_CNAME, "a.example");
	CHECK_INT(addrs_status("a.example", AF_INET), DNS_TEMP);
	packet_begin(&k, PACKET_FLAGS, "a.example", TYPE_A);
	put_rr(&k, "a.example", TYPE_CNAME, "a.example");
	CHECK_INT(addrs_status("a.example", AF_INET), DNS_TEMP);
}

/* DNS_CNAME_MAX aliases are followed, not one more. */
static enum dns_status
chain(int n)
{
	char from[16], to[16];
	int i;

	packet_begin(&k, PACKET_FLAGS, "n0.example", TYPE_A);
	for (i = 0; i < n; i++) {
		snprintf(from, sizeof(from), "n%d.example", i);
		snprintf(to, sizeof(to), "n%d.example", i + 1);
		put_rr(&k, from, TYPE_CNAME, to);
	}
	snprintf(from, sizeof(from), "n%d.example", n);
	put_rr(&k, from, TYPE_A, "192.0.2.1");
	return addrs_status("n0.example", AF_INET);
}

TEST(a_chain_of_aliases_has_an_end)
{
	CHECK_INT(chain(0), DNS_OK);
	CHECK_INT(chain(DNS_CNAME_MAX), DNS_OK);
	CHECK_INT(chain(DNS_CNAME_MAX + 1), DNS_TEMP);
}

TEST(addresses_of_both_families)
{
	struct dns_addrs a = { 0 };
	char text[64];

	packet_begin(&k, PACKET_FLAGS, "mx.example", TYPE_AAAA);
	put_rr(&k, "mx.example", TYPE_AAAA, "2001:db8::1");
	CHECK_INT(
	    dns_parse_addrs(k.p, k.n, "mx.example", AF_INET6, 24, &a), DNS_OK);
	packet_begin(&k, PACKET_FLAGS, "mx.example", TYPE_A);
	put_rr(&k, "mx.example", TYPE_A, "192.0.2.1");
	put_rr(&k, "mx.example", TYPE_A, "192.0.2.2");
	CHECK_INT(
	    dns_parse_addrs(k.p, k.n, "mx.example", AF_INET, 24, &a), DNS_OK);
	CHECK_INT(a.n, 3);
	CHECK_STR(endpoint_text(&a.at[0], text, sizeof(text)), "2001:db8::1");
	CHECK_STR(endpoint_text(&a.at[2], text, sizeof(text)), "192.0.2.2");
	CHECK_INT(endpoint_port(&a.at[0]), 24);
	CHECK_INT(endpoint_port(&a.at[1]), 24);
	dns_addrs_free(&a);
}

TEST(names_that_are_no_host_names)
{
	static const char *const bad[] = { "5 a b", "5 x;y", "5 -a.example",
		"5 \x1b[31m", "5 a\xff" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		packet_begin(&k, PACKET_FLAGS, "example.org", TYPE_MX);
		put_rr(&k, "example.org", TYPE_MX, bad[i]);
		CHECK_INT(mx_status("example.org"), DNS_TEMP);
		/* Beside a good one it does no harm. */
		put_rr(&k, "example.org", TYPE_MX, "9 mx.example.org");
		CHECK_INT(mx_status("example.org"), DNS_OK);
	}
	packet_begin(&k, PACKET_FLAGS, "example.org", TYPE_MX);
	put_rr(&k, "example.org", TYPE_MX, "5 _mx_.example");
	CHECK_INT(mx_status("example.org"), DNS_OK);
}

TEST(records_of_the_wrong_length)
{
	size_t at;

	packet_begin(&k, PACKET_FLAGS, "mx.example", TYPE_A);
	at = rr_begin(&k, "mx.example", TYPE_A);
	put_mem(&k, "12345", 5);
	rr_end(&k, at);
	CHECK_INT(addrs_status("mx.example", AF_INET), DNS_TEMP);
	packet_begin(&k, PACKET_FLAGS, "mx.example", TYPE_AAAA);
	at = rr_begin(&k, "mx.example", TYPE_AAAA);
	put_mem(&k, "1234", 4);
	rr_end(&k, at);
	CHECK_INT(addrs_status("mx.example", AF_INET6), DNS_TEMP);
	packet_begin(&k, PACKET_FLAGS, "mx.example", TYPE_MX);
	at = rr_begin(&k, "mx.example", TYPE_MX);
	put16(&k, 10);
	rr_end(&k, at);
	put8(&k, 0); /* the name, outside of the record */
	CHECK_INT(mx_status("mx.example"), DNS_TEMP);
	/* Octets behind the name. */
	packet_begin(&k, PACKET_FLAGS, "mx.example", TYPE_MX);
	at = rr_begin(&k, "mx.example", TYPE_MX);
	put16(&k, 10);
	put_name(&k, "a.example");
	put8(&k, 7);
	rr_end(&k, at);
	CHECK_INT(mx_status("mx.example"), DNS_TEMP);
}

TEST(a_pointer_to_itself)
{
	size_t at;

	packet_begin(&k, PACKET_FLAGS, "mx.example", TYPE_MX);
	at = rr_begin(&k, "mx.example", TYPE_MX);
	put16(&k, 10);
	put16(&k, 0xc000u | (unsigned)k.n);
	rr_end(&k, at);
	CHECK_INT(mx_status("mx.example"), DNS_TEMP);
	/* Past the end of the answer. */
	packet_begin(&k, PACKET_FLAGS, "mx.example", TYPE_MX);
	at = rr_begin(&k, "mx.example", TYPE_MX);
	put16(&k, 10);
	put16(&k, 0xfff0u);
	rr_end(&k, at);
	CHECK_INT(mx_status("mx.example"), DNS_TEMP);
	/* Back to the question: how names are compressed. */
	packet_begin(&k, PACKET_FLAGS, "mx.example", TYPE_MX);
	at = rr_begin(&k, "mx.example", TYPE_MX);
	put16(&k, 10);
	put16(&k, 0xc00cu);
	rr_end(&k, at);
	CHECK_INT(mx_status("mx.example"), DNS_OK);
}

/* Cut anywhere, an answer gives no wrong verdict: what was read, or TEMP.
 * A copy of its own, so that the sanitizer sees each octet too far. */
TEST(an_answer_cut_anywhere)
{
	struct dns_mx_answer a;
	unsigned char *cut;
	enum dns_status st;
	size_t n;

	packet_begin(&k, PACKET_FLAGS, "a.example", TYPE_MX);
	put_rr(&k, "a.example", TYPE_CNAME, "b.example");
	put_rr(&k, "b.example", TYPE_MX, "10 mx1.example");
	put_rr(&k, "b.example", TYPE_MX, "20 mx2.example");
	for (n = 0; n < k.n; n++) {
		cut = malloc(n == 0 ? 1 : n);
		memcpy(cut, k.p, n);
		st = dns_parse_mx(cut, n, "a.example", &a);
		CHECK(st == DNS_TEMP || (st == DNS_OK && a.n == 1));
		dns_mx_free(&a);
		free(cut);
	}
}

TEST(no_more_than_the_hundred_best_records)
{
	struct dns_mx_answer a;
	struct dns_addrs addrs = { 0 };
	char mx[32];
	int i;

	packet_begin(&k, PACKET_FLAGS, "a.example", TYPE_MX);
	for (i = 0; i < 1000; i++) {
		snprintf(mx, sizeof(mx), "%d mx%d.example", 999 - i, i);
		put_rr(&k, "a.example", TYPE_MX, mx);
	}
	CHECK_INT(parse_mx("a.example", &a), DNS_OK);
	CHECK_INT(a.n, DNS_RECORDS_MAX);
	for (i = 0; i < DNS_RECORDS_MAX; i++)
		CHECK(a.mx[i].preference < DNS_RECORDS_MAX);
	dns_mx_free(&a);
	packet_begin(&k, PACKET_FLAGS, "a.example", TYPE_A);
	for (i = 0; i < 1000; i++)
		put_rr(&k, "a.example", TYPE_A, "192.0.2.1");
	CHECK_INT(dns_parse_addrs(k.p, k.n, "a.example", AF_INET, 25, &addrs),
	    DNS_OK);
	CHECK_INT(addrs.n, DNS_RECORDS_MAX);
	dns_addrs_free(&addrs);
}

/* --- questions ----------------------------------------------------------- */

static const struct zone_row zone[] = {
	{ "ok.test", TYPE_MX, NOERROR, 0, { "10 mx1.test", "20 mx2.test" } },
	{ "ad.test", TYPE_MX, NOERROR, ZONE_AD, { "10 mx1.test" } },
	{ "old.test", TYPE_MX, FORMERR, ZONE_NO_EDNS, { "10 mx1.test" } },
	{ "older.test", TYPE_MX, FORMERR, ZONE_NO_EDNS | ZONE_BARE,
	    { "10 mx1.test" } },
	{ "notimp.test", TYPE_MX, NOTIMP, ZONE_NO_EDNS, { "10 mx1.test" } },
	{ "big.test", TYPE_MX, NOERROR, ZONE_TRUNCATED, { "10 mx1.test" } },
	{ "fail.test", TYPE_MX, SERVFAIL, 0, { 0 } },
	{ "refused.test", TYPE_MX, REFUSED, 0, { 0 } },
	{ "referred.test", TYPE_MX, NOERROR, ZONE_REFERRAL, { 0 } },
	{ "silent.test", TYPE_MX, NOERROR, ZONE_SILENT, { 0 } },
	{ "stall.test", TYPE_MX, NOERROR, ZONE_TRUNCATED | ZONE_SILENT, { 0 } },
	{ "s.test", TYPE_SRV, NOERROR, ZONE_AD, { "5 1 587 a.test" } },
	{ "s-fail.test", TYPE_SRV, SERVFAIL, 0, { 0 } },
	{ "empty.test", TYPE_MX, NOERROR, 0, { 0 } },
	{ "both.test", TYPE_A, NOERROR, 0, { "192.0.2.1" } },
	{ "both.test", TYPE_AAAA, NOERROR, 0, { "2001:db8::1" } },
	{ "v4.test", TYPE_A, NOERROR, 0, { "192.0.2.1" } },
	{ "v4.test", TYPE_AAAA, NOERROR, 0, { 0 } },
	{ "odd.test", TYPE_A, NOERROR, 0, { "192.0.2.1" } },
	{ "odd.test", TYPE_AAAA, SERVFAIL, 0, { 0 } },
	{ "none.test", TYPE_A, NOERROR, 0, { 0 } },
	{ "none.test", TYPE_AAAA, NOERROR, 0, { 0 } },
	{ "half.test", TYPE_A, SERVFAIL, 0, { 0 } },
	{ "half.test", TYPE_AAAA, NOERROR, 0, { 0 } },
	{ 0 },
};

/* Ask once for the MX of `name`. */
struct asked {
	enum dns_status st;
	struct err e;
	struct dns_mx_answer a;
};

static struct asked
ask(const struct dns_config *c, const char *name)
{
	struct asked r;
	struct dns *d;

	err_clear(&r.e);
	d = dns_new(c, &r.e);
	CHECK(d != NULL);
	r.st = dns_mx(d, name, &r.a, &r.e);
	dns_free(d);
	return r;
}

static void
check_ask(const struct dns_config *c, const char *name, enum dns_status st,
    const char *text)
{
	struct asked r = ask(c, name);

	CHECK_INT(r.st, st);
	if (st != DNS_OK)
		CHECK_STR(r.e.text, text);
	if (st == DNS_TEMP) {
		CHECK_INT(r.e.verdict, ERR_TEMP);
		CHECK_INT(r.e.kind, ERR_LOOKUP);
		CHECK_INT(r.e.enhanced.class, 4);
		CHECK_INT(r.e.enhanced.detail, 3);
	}
	dns_mx_free(&r.a);
}

TEST(questions_and_answers)
{
	struct nameserver ns;
	struct dns_config c = { .timeout = 2000 };
	struct asked r;

	nameserver_start(&ns, zone);
	c.nameserver = ns.at;
	r = ask(&c, "ok.test");
	CHECK_INT(r.st, DNS_OK);
	CHECK_INT(r.a.n, 2);
	CHECK(!r.a.ad);
	dns_mx_free(&r.a);
	check_ask(&c, "empty.test", DNS_NODATA, "empty.test has no MX record");
	check_ask(&c, "nope.test", DNS_NXDOMAIN, "nope.test does not exist");
	check_ask(
	    &c, "fail.test", DNS_TEMP, "look-up of fail.test (MX): SERVFAIL");
	check_ask(&c, "refused.test", DNS_TEMP,
	    "look-up of refused.test (MX): REFUSED");
	check_ask(&c, "referred.test", DNS_TEMP,
	    "look-up of referred.test (MX): "
	    "a referral, the name server does not ask others");
	check_ask(&c, "not a name", DNS_NXDOMAIN, "not a name does not exist");
	nameserver_stop(&ns);
}

TEST(questions_for_services)
{
	struct nameserver ns;
	struct dns_config c = { .timeout = 2000 };
	struct dns_srv_answer a;
	struct dns *d;
	struct err e;

	nameserver_start(&ns, zone);
	c.nameserver = ns.at;
	d = dns_new(&c, &e);
	CHECK_INT(dns_srv(d, "s.test", &a, &e), DNS_OK);
	CHECK_INT(a.n, 1);
	CHECK_INT(a.srv[0].port, 587);
	CHECK_STR(a.srv[0].host, "a.test");
	CHECK(a.ad);
	dns_srv_free(&a);
	CHECK_INT(dns_srv(d, "ok.test", &a, &e), DNS_NODATA);
	CHECK_STR(e.text, "ok.test has no SRV record");
	CHECK_INT(dns_srv(d, "nope.test", &a, &e), DNS_NXDOMAIN);
	CHECK_INT(dns_srv(d, "s-fail.test", &a, &e), DNS_TEMP);
	CHECK_STR(e.text, "look-up of s-fail.test (SRV): SERVFAIL");
	CHECK_INT(e.verdict, ERR_TEMP);
	CHECK_INT(dns_srv(d, "not a name", &a, &e), DNS_NXDOMAIN);
	dns_free(d);
	nameserver_stop(&ns);
}

TEST(a_server_that_is_silent_or_not_there)
{
	struct nameserver ns;
	struct dns_config c = { .timeout = 1000 };
	int64_t start = wait_now();

	nameserver_start(&ns, zone);
	c.nameserver = ns.at;
	check_ask(&c, "silent.test", DNS_TEMP,
	    "look-up of silent.test (MX): "
	    "no answer from the name server: Connection timed out");
	nameserver_stop(&ns);
	check_ask(&c, "ok.test", DNS_TEMP,
	    "look-up of ok.test (MX): "
	    "no answer from the name server: Connection refused");
	CHECK(wait_now() - start >= 1000);
}

/* That is our trouble, not the name server's. */
TEST(no_descriptor_is_left)
{
	struct nameserver ns;
	struct dns_config c = { .timeout = 2000 };
	struct dns_mx_answer a;
	struct rlimit before, now;
	struct err e;
	struct dns *d;

	nameserver_start(&ns, zone);
	c.nameserver = ns.at;
	d = dns_new(&c, &e);
	CHECK_INT(dns_mx(d, "ok.test", &a, &e), DNS_OK);
	dns_mx_free(&a);
	getrlimit(RLIMIT_NOFILE, &before);
	now = before;
	now.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &now);
	CHECK_INT(dns_mx(d, "ok.test", &a, &e), DNS_TEMP);
	CHECK_INT(e.kind, ERR_MACHINE);
	CHECK_INT(e.verdict, ERR_TEMP);
	CHECK_INT(dns_mx(d, "big.test", &a, &e), DNS_TEMP);
	CHECK_INT(e.kind, ERR_MACHINE);
	setrlimit(RLIMIT_NOFILE, &before);
	dns_free(d);
	nameserver_stop(&ns);
}

TEST(edns_is_left_out_for_an_old_server)
{
	struct nameserver ns;
	struct dns_config c = { .timeout = 2000 };

	nameserver_start(&ns, zone);
	c.nameserver = ns.at;
	check_ask(&c, "old.test", DNS_OK, NULL);
	check_ask(&c, "older.test", DNS_OK, NULL);
	check_ask(&c, "notimp.test", DNS_OK, NULL);
	nameserver_stop(&ns);
}

TEST(a_truncated_answer_is_asked_for_by_tcp)
{
	struct nameserver ns;
	struct dns_config c = { .timeout = 1000 };
	struct asked r;

	nameserver_start(&ns, zone);
	c.nameserver = ns.at;
	check_ask(&c, "big.test", DNS_OK, NULL);
	/* TCP that stalls ends by the same deadline. */
	r = ask(&c, "stall.test");
	CHECK_INT(r.st, DNS_TEMP);
	CHECK(strstr(r.e.text, "stall.test (MX): timed out") != NULL);
	CHECK_INT(r.e.kind, ERR_LOOKUP);
	nameserver_stop(&ns);
}

/* The C library keeps IPv6 servers in a place of their own. */
TEST(a_server_by_ipv6)
{
	struct nameserver ns;
	struct dns_config c = { .timeout = 2000 };
	struct asked r;

	if (nameserver_start_at(&ns, zone, "::1") == -1) {
		printf("# no IPv6 here\n");
		return;
	}
	c.nameserver = ns.at;
	check_ask(&c, "big.test", DNS_OK, NULL);
	r = ask(&c, "ad.test");
	CHECK_INT(r.st, DNS_OK);
	CHECK(r.a.ad);
	dns_mx_free(&r.a);
	nameserver_stop(&ns);
}

/* A loopback server is believed: nobody stands between. */
TEST(ad_is_believed_from_loopback)
{
	struct nameserver ns;
	struct dns_config c = { .timeout = 2000 };
	struct asked r;

	nameserver_start(&ns, zone);
	c.nameserver = ns.at;
	r = ask(&c, "ad.test");
	CHECK_INT(r.st, DNS_OK);
	CHECK(r.a.ad);
	dns_mx_free(&r.a);
	nameserver_stop(&ns);
}

/* 127.0.0.11 is a container engine's forwarder, not a validator. */
TEST(ad_is_not_believed_from_a_forwarder)
{
	struct nameserver ns;
	struct dns_config c = { .timeout = 2000 };
	struct asked r;

	CHECK_INT(nameserver_start_at(&ns, zone, "127.0.0.11"), 0);
	c.nameserver = ns.at;
	r = ask(&c, "ad.test");
	CHECK_INT(r.st, DNS_OK);
	CHECK(!r.a.ad);
	dns_mx_free(&r.a);
	c.trust_ad = true;
	r = ask(&c, "ad.test");
	CHECK(r.a.ad);
	dns_mx_free(&r.a);
	nameserver_stop(&ns);
}

static size_t
count_addrs(const struct dns_config *c, const char *host,
    enum dns_family family, enum dns_status want)
{
	struct dns_addrs a;
	struct err e;
	struct dns *d = dns_new(c, &e);
	size_t n;

	CHECK_INT(dns_addrs(d, host, family, 25, &a, &e), want);
	n = a.n;
	dns_addrs_free(&a);
	dns_free(d);
	return n;
}

TEST(addresses_of_a_host)
{
	struct nameserver ns;
	struct dns_config c = { .timeout = 2000 };

	nameserver_start(&ns, zone);
	c.nameserver = ns.at;
	CHECK_INT(count_addrs(&c, "both.test", DNS_ANY, DNS_OK), 2);
	CHECK_INT(count_addrs(&c, "both.test", DNS_IPV6, DNS_OK), 1);
	CHECK_INT(count_addrs(&c, "v4.test", DNS_ANY, DNS_OK), 1);
	CHECK_INT(count_addrs(&c, "v4.test", DNS_IPV6, DNS_NODATA), 0);
	CHECK_INT(count_addrs(&c, "odd.test", DNS_ANY, DNS_OK), 1);
	CHECK_INT(count_addrs(&c, "none.test", DNS_ANY, DNS_NODATA), 0);
	CHECK_INT(count_addrs(&c, "half.test", DNS_ANY, DNS_TEMP), 0);
	CHECK_INT(count_addrs(&c, "gone.test", DNS_ANY, DNS_NXDOMAIN), 0);
	nameserver_stop(&ns);
}

TEST(nameservers_as_typed)
{
	static const char *const good[] = { "127.0.0.1", "127.0.0.1:5353",
		"::1", "[::1]", "[::1]:5353" };
	static const char *const bad[] = { "", "ns.example",
		"127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "[::1",
		"1.2.3" };
	struct dns_config c = { 0 };
	struct dns *d;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		c.nameserver = good[i];
		d = dns_new(&c, &e);
		CHECK(d != NULL);
		dns_free(d);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		c.nameserver = bad[i];
		CHECK(dns_new(&c, &e) == NULL);
		CHECK_INT(e.kind, ERR_USAGE);
		CHECK_INT(e.verdict, ERR_PERM);
	}
	dns_free(NULL);
}

TEST_MAIN
