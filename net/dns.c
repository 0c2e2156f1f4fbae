/*
 * dns: see dns.h. Questions are made and sent by the C library's resolver
 * (its choice of servers, ids and retries) with a state of our own, so that
 * no run loads libresolv.so for it; answers are taken apart by dns_answer.c.
 * TCP is ours too: the library's has no timeout.
 * RFC 1035 4.1, 4.2.2 (TCP), 6891 6.1 (EDNS), 6840 5.7 (AD).
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail/address.h"
#include "net/dns.h"
#include "net/io.h"

/* Our UDP size: what passes without fragments (DNS flag day 2020). */
#define DNS_UDP_SIZE 1232
/* A question: header, name, type and class, OPT record. */
#define DNS_QUESTION_MAX 512
#define DNS_TCP_TIMEOUT 10000
#define DNS_OPT_SIZE 11

struct dns {
	struct dns_config config;
	struct endpoint server; /* of --nameserver; len 0: resolv.conf's */
	bool open; /* res is in use */
	bool use_tcp; /* resolv.conf says use-vc */
	bool trusted; /* the servers' AD is believed */
	int nservers; /* as res_ninit() left it: what it is to free */
	struct __res_state res; /* owned */
	unsigned char answer[NS_MAXMSG];
};

/* --- the resolver state -------------------------------------------------- */

struct dns *
dns_new(const struct dns_config *c, struct err *e)
{
	struct dns *d = calloc(1, sizeof(*d));
	char ip[INET6_ADDRSTRLEN + 16];
	unsigned port = NS_DEFAULTPORT;

	if (d == NULL) {
		err_set(e, ERR_TEMP, ERR_MACHINE, "out of memory");
		return NULL;
	}
	d->config = *c;
	if (c->nameserver == NULL)
		return d;
	if (endpoint_split(c->nameserver, strlen(c->nameserver), ip, sizeof(ip),
		&port, NULL) == 0 &&
	    endpoint_ip(&d->server, ip, port) == 0)
		return d;
	err_set(e, ERR_PERM, ERR_USAGE,
	    "name server \"%s\": give IP, IP:PORT or [IPv6]:PORT",
	    c->nameserver);
	free(d);
	return NULL;
}

void
dns_free(struct dns *d)
{
	if (d == NULL)
		return;
	if (d->open) {
		d->res.nscount = d->nservers;
		res_nclose(&d->res);
	}
	free(d);
}

/*
 * Name server i of the state. The C library keeps IPv6 ones apart: their
 * place in nsaddr_list has family 0.
 */
static void
server_get(const struct dns *d, int i, struct endpoint *ep)
{
	const struct sockaddr_in6 *in6 = d->res._u._ext.nsaddrs[i];

	memset(ep, 0, sizeof(*ep));
	if (d->res.nsaddr_list[i].sin_family != 0) {
		ep->u.in = d->res.nsaddr_list[i];
		ep->len = sizeof(ep->u.in);
	} else if (in6 != NULL) {
		ep->u.in6 = *in6;
		ep->len = sizeof(ep->u.in6);
	}
}

/* The user's name server in the place of resolv.conf's; -1: no memory. */
static int
server_override(struct dns *d)
{
	struct __res_state *res = &d->res;
	struct sockaddr_in6 *in6;
	int i;

	for (i = 0; i < MAXNS; i++) {
		free(res->_u._ext.nsaddrs[i]);
		res->_u._ext.nsaddrs[i] = NULL;
		res->_u._ext.nssocks[i] = -1;
	}
	res->_u._ext.nscount = 0;
	res->nscount = 1;
	memset(&res->nsaddr_list[0], 0, sizeof(res->nsaddr_list[0]));
	if (d->server.u.sa.sa_family == AF_INET) {
		res->nsaddr_list[0] = d->server.u.in;
		return 0;
	}
	in6 = malloc(sizeof(*in6)); /* res_nclose() frees it */
	if (in6 == NULL)
		return -1;
	*in6 = d->server.u.in6;
	res->_u._ext.nsaddrs[0] = in6;
	return 0;
}

/*
 * A validated answer is worth no more than the way it came: loopback, where
 * nobody sits between, but not 127.0.0.11, a container engine's forwarder.
 */
static bool
servers_are_local(const struct dns *d)
{
	struct endpoint ep;
	uint32_t ip;
	int i;

	for (i = 0; i < d->res.nscount; i++) {
		server_get(d, i, &ep);
		if (ep.u.sa.sa_family == AF_INET6) {
			if (!IN6_IS_ADDR_LOOPBACK(&ep.u.in6.sin6_addr))
				return false;
			continue;
		}
		ip = ntohl(ep.u.in.sin_addr.s_addr);
		if (ip >> 24 != 127 || ip == 0x7f00000b)
			return false;
	}
	return d->res.nscount > 0;
}

/* Seconds that one question takes at worst, as the C library counts. */
static int
res_worst(const struct __res_state *res)
{
	int i, s, sum = 0;

	for (i = 0; i < res->nscount; i++) {
		s = res->retrans << i;
		if (i > 0)
			s /= res->nscount;
		sum += s > 0 ? s : 1;
	}
	return sum * res->retry;
}

/* Shorten waits, then tries, then the list of servers, until it fits. */
static void
res_limit(struct __res_state *res, int64_t timeout)
{
	int seconds = timeout >= 1000 * 1000 ? 1000 : (int)(timeout / 1000);

	while (res_worst(res) > seconds) {
		if (res->retrans > 1)
			res->retrans--;
		else if (res->retry > 1)
			res->retry--;
		else if (res->nscount > 1)
			res->nscount--;
		else
			break;
	}
}

/* Read resolv.conf, once, at the first question. */
static int
dns_open(struct dns *d, struct err *e)
{
	if (d->open)
		return 0;
	if (res_ninit(&d->res) == -1)
		return err_set(
		    e, ERR_TEMP, ERR_MACHINE, "cannot start the resolver");
	d->open = true;
	if (d->server.len > 0 && server_override(d) == -1)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "out of memory");
	d->nservers = d->res.nscount;
	/* trust-ad speaks of resolv.conf's own servers, not of another. */
	d->trusted = d->config.trust_ad || servers_are_local(d) ||
	    (d->server.len == 0 && (d->res.options & RES_TRUSTAD) != 0);
	d->use_tcp = (d->res.options & RES_USEVC) != 0;
	/* TRUSTAD: ask for AD and leave it in the answer (RFC 6840 5.7).
	 * IGNTC: hand us truncated answers, we ask again by TCP. */
	d->res.options |= RES_TRUSTAD | RES_IGNTC;
	d->res.options &= ~(unsigned long)RES_USEVC;
	return 0;
}

/* --- one question -------------------------------------------------------- */

/* A question with its EDNS record; the length, or -1. */
static int
question_make(struct dns *d, const char *name, int type, bool edns,
    unsigned char q[DNS_QUESTION_MAX])
{
	int n = res_nmkquery(&d->res, ns_o_query, name, ns_c_in, type, NULL, 0,
	    NULL, q, DNS_QUESTION_MAX - DNS_OPT_SIZE);

	if (n < NS_HFIXEDSZ || !edns)
		return n;
	memset(q + n, 0, DNS_OPT_SIZE); /* root owner, no flags, no data */
	q[n + 2] = ns_t_opt;
	q[n + 3] = DNS_UDP_SIZE >> 8;
	q[n + 4] = DNS_UDP_SIZE & 0xff;
	q[11] = 1; /* additional records */
	return n + DNS_OPT_SIZE;
}

/* The bound of the run, not that of a question. */
static int
no_time(const struct dns *d, struct err *e)
{
	wait_over_err(d->config.waiter, e);
	e->kind = ERR_LOOKUP;
	return -1;
}

/*
 * Ask by UDP: length of the answer, or -1. The library tries the next
 * server on SERVFAIL and its like, and then says only that all failed; the
 * last server's word still stands in the buffer.
 */
static int
udp_ask(struct dns *d, const unsigned char *q, int n, struct err *e)
{
	int num, got;

	errno = 0;
	got = res_nsend(&d->res, q, n, d->answer, sizeof(d->answer));
	num = errno;
	if (got >= NS_HFIXEDSZ)
		return got < NS_MAXMSG ? got : NS_MAXMSG;
	if ((d->answer[2] & 0x80) != 0)
		return err_set(
		    e, ERR_TEMP, ERR_LOOKUP, "%s", dns_answer_text(d->answer));
	if (!err_is_shortage(num) && wait_over(d->config.waiter))
		return no_time(d, e);
	return err_errno(e, ERR_TEMP,
	    err_is_shortage(num) ? ERR_MACHINE : ERR_LOOKUP,
	    num == 0 ? ETIMEDOUT : num, "no answer from the name server");
}

/* Fill io->in up to n octets. */
static int
tcp_need(struct io *io, size_t n, struct err *e)
{
	while (io->in.len < n)
		if (io_fill(io, e) <= 0)
			return -1;
	return 0;
}

/* The two octets of length before a message over TCP. */
static size_t
length_get(const char *s)
{
	return (size_t)(unsigned char)s[0] << 8 | (unsigned char)s[1];
}

/* Question and answer over one connection (RFC 1035 4.2.2). */
static int
tcp_talk(
    struct dns *d, struct io *io, const unsigned char *q, int n, struct err *e)
{
	unsigned char out[2 + DNS_QUESTION_MAX];
	const unsigned char *in;
	size_t done, len;

	out[0] = (unsigned char)(n >> 8);
	out[1] = (unsigned char)n;
	memcpy(out + 2, q, (size_t)n);
	if (io_write(io, out, (size_t)n + 2, false, &done, e) != IO_WRITTEN ||
	    tcp_need(io, 2, e) == -1)
		return -1;
	len = length_get(buf_str(&io->in));
	if (tcp_need(io, 2 + len, e) == -1)
		return -1;
	in = (const unsigned char *)buf_str(&io->in) + 2;
	if (len < NS_HFIXEDSZ || len > sizeof(d->answer) ||
	    memcmp(in, q, 2) != 0)
		return err_set(
		    e, ERR_TEMP, ERR_LOOKUP, "malformed answer over TCP");
	memcpy(d->answer, in, len);
	return (int)len;
}

/* Ask one server by TCP. */
static int
tcp_ask_server(struct dns *d, int i, const unsigned char *q, int n,
    int64_t until, struct err *e)
{
	struct candidate c = { .host = 0 };
	struct dial dialer = { .waiter = d->config.waiter };
	struct io io;
	int64_t left;
	int fd, got;

	server_get(d, i, &c.to);
	left = until - wait_now();
	if (left <= 0)
		return err_set(e, ERR_TEMP, ERR_LOOKUP,
		    "no answer from the name server in time");
	dialer.timeout = left;
	if (dial(&dialer, &c, 1, &fd, e) == -1)
		return -1;
	io_init(&io, fd, d->config.waiter);
	left = until - wait_now();
	io_deadline(&io, left > 0 ? left : 0);
	got = tcp_talk(d, &io, q, n, e);
	io_free(&io);
	return got;
}

/* Ask by TCP, one server after the other, each with a share of the time. */
static int
tcp_ask(
    struct dns *d, const unsigned char *q, int n, int64_t until, struct err *e)
{
	int64_t now = wait_now(), left = until - now;
	int i, got = -1;

	err_set(e, ERR_TEMP, ERR_LOOKUP, "no name server");
	for (i = 0; i < d->res.nscount && got == -1; i++)
		got = tcp_ask_server(
		    d, i, q, n, now + left * (i + 1) / d->res.nscount, e);
	if (got == -1 && e->kind != ERR_MACHINE)
		e->kind = ERR_LOOKUP;
	return got;
}

/* One question, by UDP and, if the answer is truncated, by TCP. */
static int
ask_once(struct dns *d, const char *name, int type, bool edns, struct err *e)
{
	int64_t until = wait_until(
	    d->config.timeout > 0 ? d->config.timeout : DNS_TCP_TIMEOUT);
	unsigned char q[DNS_QUESTION_MAX];
	int n = question_make(d, name, type, edns, q);
	int got;

	if (n < NS_HFIXEDSZ)
		return err_set(
		    e, ERR_TEMP, ERR_LOOKUP, "the name cannot be asked for");
	memset(d->answer, 0, NS_HFIXEDSZ);
	if (!d->use_tcp) {
		got = udp_ask(d, q, n, e);
		if (got == -1 || (d->answer[2] & 0x02) == 0)
			return got;
	}
	return tcp_ask(d, q, n, until, e);
}

/*
 * True if the last server that answered may know no EDNS (RFC 6891 7). Some
 * say so by a bare header, which is no answer for the C library.
 */
static bool
edns_refused(const struct dns *d)
{
	unsigned rcode = d->answer[3] & 0x0f;

	return (d->answer[2] & 0x80) != 0 &&
	    (rcode == ns_r_formerr || rcode == ns_r_notimpl);
}

/*
 * The answer to (name, type) in d->answer: its length, or -1 with *e. A
 * server that refuses EDNS is asked without.
 */
static int
dns_ask(struct dns *d, const char *name, int type, struct err *e)
{
	const struct waiter *w = d->config.waiter;
	int64_t most = d->config.timeout > 0 ? d->config.timeout : -1;
	int got;

	if (dns_open(d, e) == -1)
		return -1;
	if (wait_over(w))
		return no_time(d, e);
	most = wait_left(w, most);
	if (most >= 0)
		res_limit(&d->res, most);
	got = ask_once(d, name, type, true, e);
	if (edns_refused(d))
		got = ask_once(d, name, type, false, e);
	return got;
}

/* --- what is asked ------------------------------------------------------- */

/* *e for a look-up that ended so, but for TEMP, which has its own words. */
static enum dns_status
dns_say(enum dns_status st, const char *name, const char *what, struct err *e)
{
	if (st == DNS_NXDOMAIN)
		err_set(e, ERR_PERM, ERR_LOOKUP, "%s does not exist", name);
	else if (st == DNS_NODATA)
		err_set(e, ERR_PERM, ERR_LOOKUP, "%s has no %s", name, what);
	if (st == DNS_NXDOMAIN || st == DNS_NODATA)
		e->enhanced = (struct enhanced){ 5, 1, 2 };
	return st;
}

/* *e for TEMP: `why` says more, or the answer in the buffer was no use. */
static enum dns_status
dns_say_temp(
    struct dns *d, int got, const char *name, const char *type, struct err *e)
{
	struct err why = *e;

	err_set(e, ERR_TEMP, got == -1 ? why.kind : ERR_LOOKUP,
	    "look-up of %s (%s): %s", name, type,
	    got == -1 ? why.text : dns_answer_text(d->answer));
	e->enhanced = (struct enhanced){ 4, 4, 3 };
	return DNS_TEMP;
}

enum dns_status
dns_mx(
    struct dns *d, const char *domain, struct dns_mx_answer *a, struct err *e)
{
	enum dns_status st = DNS_TEMP;
	int got;

	*a = (struct dns_mx_answer){ 0 };
	if (!address_is_hostname(domain, strlen(domain)))
		return dns_say(DNS_NXDOMAIN, domain, NULL, e);
	got = dns_ask(d, domain, ns_t_mx, e);
	if (got != -1)
		st = dns_parse_mx(d->answer, (size_t)got, domain, a);
	a->ad = a->ad && d->trusted;
	if (st == DNS_TEMP)
		return dns_say_temp(d, got, domain, "MX", e);
	return dns_say(st, domain, "MX record", e);
}

enum dns_status
dns_srv(
    struct dns *d, const char *name, struct dns_srv_answer *a, struct err *e)
{
	enum dns_status st = DNS_TEMP;
	int got;

	*a = (struct dns_srv_answer){ 0 };
	if (!address_is_hostname(name, strlen(name)))
		return dns_say(DNS_NXDOMAIN, name, NULL, e);
	got = dns_ask(d, name, ns_t_srv, e);
	if (got != -1)
		st = dns_parse_srv(d->answer, (size_t)got, name, a);
	a->ad = a->ad && d->trusted;
	if (st == DNS_TEMP)
		return dns_say_temp(d, got, name, "SRV", e);
	return dns_say(st, name, "SRV record", e);
}

/* A row for each address type, in the order they are asked for. */
static const struct addr_type {
	int af;
	int type;
	enum dns_family only; /* the family option that asks for it alone */
	const char *name;
	const char *what;
} addr_types[] = {
	{ AF_INET6, ns_t_aaaa, DNS_IPV6, "AAAA", "IPv6 address" },
	{ AF_INET, ns_t_a, DNS_IPV4, "A", "IPv4 address" },
};
#define ADDR_TYPES (sizeof(addr_types) / sizeof(addr_types[0]))

static enum dns_status
dns_addrs_type(struct dns *d, const char *host, const struct addr_type *t,
    unsigned port, struct dns_addrs *a, struct err *e)
{
	enum dns_status st = DNS_TEMP;
	int got = dns_ask(d, host, t->type, e);

	if (got != -1)
		st = dns_parse_addrs(
		    d->answer, (size_t)got, host, t->af, port, a);
	if (st == DNS_TEMP)
		return dns_say_temp(d, got, host, t->name, e);
	return dns_say(st, host, t->what, e);
}

/*
 * Of two look-ups without an address, what counts for the host: trouble over
 * "none of this type" over "no such name", which some servers say too soon.
 */
static bool
status_outweighs(enum dns_status a, enum dns_status b)
{
	static const int weight[] = {
		[DNS_OK] = 0,
		[DNS_NXDOMAIN] = 1,
		[DNS_NODATA] = 2,
		[DNS_TEMP] = 3,
	};

	return weight[a] > weight[b];
}

enum dns_status
dns_addrs(struct dns *d, const char *host, enum dns_family family,
    unsigned port, struct dns_addrs *a, struct err *e)
{
	enum dns_status st, sum = DNS_OK;
	bool ad = true;
	struct err why;
	size_t i;

	*a = (struct dns_addrs){ 0 };
	if (!address_is_hostname(host, strlen(host)))
		return dns_say(DNS_NXDOMAIN, host, NULL, e);
	for (i = 0; i < ADDR_TYPES; i++) {
		if (family != DNS_ANY && family != addr_types[i].only)
			continue;
		st = dns_addrs_type(d, host, &addr_types[i], port, a, &why);
		if (st == DNS_OK)
			ad = ad && a->ad;
		if (status_outweighs(st, sum)) {
			sum = st;
			*e = why;
		}
	}
	a->ad = ad && d->trusted;
	if (a->n > 0)
		return DNS_OK;
	if (sum == DNS_NODATA && family == DNS_ANY)
		return dns_say(sum, host, "address", e);
	return sum;
}
