/*
 * dns_answer: see dns_answer.h. A bounds-checked reader, record by record,
 * and what each type of record is taken for.
 * Callers: dns.c, tests and fuzzing. dn_expand(3) is pure; nothing is opened.
 * RFC 1035 4.1, 2181 10.1 (aliases), 2782 (SRV), 7505 (null MX).
 * Ownership: see dns_answer.h.
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <ctype.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "net/dns_answer.h"

/* --- the reader: an answer, record by record ----------------------------- */

struct reader {
	const unsigned char *msg, *end;
	const unsigned char *at; /* next record */
	unsigned left; /* records not yet read */
	bool bad; /* something malformed or not to be believed was there */
};

struct rr {
	char owner[DNS_NAME_MAX]; /* lower case, no final dot */
	unsigned type;
	const unsigned char *data; /* borrowed: the rdata */
	size_t len;
};

static unsigned
get16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/*
 * Expand the name at `at` into dst, lower case, no final dot, "" for the
 * root: octets it takes in the message, or -1 if it is malformed or no host
 * name (it would reach a log, a certificate check or a command).
 */
static int
name_expand(const unsigned char *msg, const unsigned char *end,
    const unsigned char *at, char dst[DNS_NAME_MAX])
{
	char text[NS_MAXDNAME];
	size_t n, i;
	int used;

	if (at >= end)
		return -1;
	used = dn_expand(msg, end, at, text, sizeof(text));
	if (used < 0)
		return -1;
	n = strlen(text);
	if (n > 0 && text[n - 1] == '.')
		n--;
	if (n >= DNS_NAME_MAX || (n > 0 && !address_is_hostname(text, n)))
		return -1;
	for (i = 0; i < n; i++)
		dst[i] = (char)tolower((unsigned char)text[i]);
	dst[n] = '\0';
	return used;
}

/* The same for a text: as names are compared here. -1 if it is too long. */
static int
name_lower(const char *name, char dst[DNS_NAME_MAX])
{
	size_t n = strlen(name), i;

	if (n > 0 && name[n - 1] == '.')
		n--;
	if (n >= DNS_NAME_MAX)
		return -1;
	for (i = 0; i < n; i++)
		dst[i] = (char)tolower((unsigned char)name[i]);
	dst[n] = '\0';
	return 0;
}

static bool
rr_overrun(struct reader *r)
{
	r->bad = true;
	r->left = 0;
	return false;
}

/*
 * The next record of class IN: true, or false at the end. A record with an
 * owner that is no host name is passed over; one that overruns ends all.
 */
static bool
rr_next(struct reader *r, struct rr *rr)
{
	const unsigned char *fixed;
	unsigned class;
	int used;

	while (r->left > 0) {
		r->left--;
		used = dn_skipname(r->at, r->end);
		if (used < 0 || r->end - r->at - used < NS_RRFIXEDSZ)
			return rr_overrun(r);
		fixed = r->at + used;
		rr->type = get16(fixed);
		class = get16(fixed + 2);
		rr->len = get16(fixed + 8);
		rr->data = fixed + NS_RRFIXEDSZ;
		if ((size_t)(r->end - rr->data) < rr->len)
			return rr_overrun(r);
		used = name_expand(r->msg, r->end, r->at, rr->owner);
		r->at = rr->data + rr->len;
		if (used >= 0 && class == ns_c_in)
			return true;
		r->bad = true;
	}
	return false;
}

/*
 * Begin with the answer section: DNS_OK, NXDOMAIN, or TEMP for every other
 * response code and for whatever is no answer to (name, type).
 */
static enum dns_status
reader_open(struct reader *r, const unsigned char *p, size_t n,
    const char *name, int type)
{
	char asked[DNS_NAME_MAX];
	int used;

	*r = (struct reader){ .msg = p, .end = p + n };
	if (n < NS_HFIXEDSZ || (p[2] & 0x80) == 0 || get16(p + 4) != 1)
		return DNS_TEMP;
	used = name_expand(p, r->end, p + NS_HFIXEDSZ, asked);
	if (used < 0 || strcmp(asked, name) != 0)
		return DNS_TEMP;
	r->at = p + NS_HFIXEDSZ + used;
	if (r->end - r->at < NS_QFIXEDSZ || get16(r->at) != (unsigned)type ||
	    get16(r->at + 2) != ns_c_in)
		return DNS_TEMP;
	r->at += NS_QFIXEDSZ;
	r->left = get16(p + 6);
	if ((p[3] & 0x0f) == ns_r_nxdomain)
		return DNS_NXDOMAIN;
	return (p[3] & 0x0f) == ns_r_noerror && (p[2] & 0x02) == 0 ? DNS_OK
								   : DNS_TEMP;
}

/*
 * True if the server neither holds the zone nor asks those who do (RFC 1034
 * 4.3.1). The C library knows a referral only if it has no EDNS record.
 */
static bool
is_referral(const unsigned char *p)
{
	return (p[2] & 0x04) == 0 && (p[3] & 0x80) == 0; /* no AA, no RA */
}

/* What it means that an answer has no such records. */
static enum dns_status
nothing_found(const struct reader *r)
{
	return r->bad || is_referral(r->msg) ? DNS_TEMP : DNS_NODATA;
}

/* The target of name's CNAME into name: 1, 0 without one, -1 malformed. */
static int
cname_step(struct reader r, char name[DNS_NAME_MAX])
{
	struct rr rr;

	while (rr_next(&r, &rr)) {
		if (rr.type != ns_t_cname || strcmp(rr.owner, name) != 0)
			continue;
		if (name_expand(r.msg, r.end, rr.data, name) != (int)rr.len)
			return -1;
		return 1;
	}
	return 0;
}

/*
 * Follow the aliases from `name` to the name that has the records (RFC 2181
 * 10.1). A chain of more than DNS_CNAME_MAX is a loop or might as well be.
 */
static enum dns_status
cname_follow(const struct reader *r, char name[DNS_NAME_MAX])
{
	int hops, got;

	for (hops = 0; hops <= DNS_CNAME_MAX; hops++) {
		got = cname_step(*r, name);
		if (got == 0)
			return DNS_OK;
		if (got == -1)
			return DNS_TEMP;
	}
	return DNS_TEMP;
}

/* Open an answer and find the owner of its records. */
static enum dns_status
answer_open(struct reader *r, const unsigned char *p, size_t n,
    const char *name, int type, char owner[DNS_NAME_MAX])
{
	enum dns_status st;

	if (name_lower(name, owner) == -1)
		return DNS_TEMP;
	st = reader_open(r, p, n, owner, type);
	return st == DNS_OK ? cname_follow(r, owner) : st;
}

/* One MX record; false if it is malformed. */
static bool
mx_take(const struct reader *r, const struct rr *rr, struct dns_mx *mx)
{
	if (rr->len < 3)
		return false;
	mx->preference = get16(rr->data);
	return name_expand(r->msg, r->end, rr->data + 2, mx->host) ==
	    (int)rr->len - 2;
}

/* Keep a record; when there is no more room, in the place of the worst. */
static void
mx_keep(struct dns_mx_answer *a, const struct dns_mx *mx)
{
	size_t i, worst = 0;

	if (a->n < DNS_RECORDS_MAX) {
		a->mx[a->n++] = *mx;
		return;
	}
	for (i = 1; i < a->n; i++)
		if (a->mx[i].preference > a->mx[worst].preference)
			worst = i;
	if (mx->preference < a->mx[worst].preference)
		a->mx[worst] = *mx;
}

enum dns_status
dns_parse_mx(
    const unsigned char *p, size_t n, const char *name, struct dns_mx_answer *a)
{
	enum dns_status st;
	struct dns_mx mx;
	struct reader r;
	struct rr rr;

	*a = (struct dns_mx_answer){ 0 };
	st = answer_open(&r, p, n, name, ns_t_mx, a->name);
	if (st != DNS_OK)
		return st;
	a->ad = (p[3] & 0x20) != 0;
	a->mx = calloc(r.left < DNS_RECORDS_MAX ? r.left + 1 : DNS_RECORDS_MAX,
	    sizeof(*a->mx));
	if (a->mx == NULL)
		return DNS_TEMP;
	while (rr_next(&r, &rr)) {
		if (rr.type != ns_t_mx || strcmp(rr.owner, a->name) != 0)
			continue;
		if (mx_take(&r, &rr, &mx))
			mx_keep(a, &mx);
		else
			r.bad = true;
	}
	if (a->n > 0)
		return DNS_OK;
	dns_mx_free(a);
	return nothing_found(&r);
}

void
dns_mx_free(struct dns_mx_answer *a)
{
	free(a->mx);
	a->mx = NULL;
	a->n = 0;
}

/* One SRV record (RFC 2782); false if it is malformed. A name in it is not
 * compressed by those who heed the RFC, and expanded for all others. */
static bool
srv_take(const struct reader *r, const struct rr *rr, struct dns_srv *srv)
{
	if (rr->len < 7)
		return false;
	srv->priority = get16(rr->data);
	srv->weight = get16(rr->data + 2);
	srv->port = get16(rr->data + 4);
	return name_expand(r->msg, r->end, rr->data + 6, srv->host) ==
	    (int)rr->len - 6 &&
	    (srv->port != 0 || srv->host[0] == '\0');
}

/* Keep a record; when there is no more room, in the place of the worst. */
static void
srv_keep(struct dns_srv_answer *a, const struct dns_srv *srv)
{
	size_t i, worst = 0;

	if (a->n < DNS_RECORDS_MAX) {
		a->srv[a->n++] = *srv;
		return;
	}
	for (i = 1; i < a->n; i++)
		if (a->srv[i].priority > a->srv[worst].priority)
			worst = i;
	if (srv->priority < a->srv[worst].priority)
		a->srv[worst] = *srv;
}

enum dns_status
dns_parse_srv(const unsigned char *p, size_t n, const char *name,
    struct dns_srv_answer *a)
{
	enum dns_status st;
	struct dns_srv srv;
	struct reader r;
	struct rr rr;

	*a = (struct dns_srv_answer){ 0 };
	st = answer_open(&r, p, n, name, ns_t_srv, a->name);
	if (st != DNS_OK)
		return st;
	a->ad = (p[3] & 0x20) != 0;
	a->srv = calloc(r.left < DNS_RECORDS_MAX ? r.left + 1 : DNS_RECORDS_MAX,
	    sizeof(*a->srv));
	if (a->srv == NULL)
		return DNS_TEMP;
	while (rr_next(&r, &rr)) {
		if (rr.type != ns_t_srv || strcmp(rr.owner, a->name) != 0)
			continue;
		if (srv_take(&r, &rr, &srv))
			srv_keep(a, &srv);
		else
			r.bad = true;
	}
	if (a->n > 0)
		return DNS_OK;
	dns_srv_free(a);
	return nothing_found(&r);
}

void
dns_srv_free(struct dns_srv_answer *a)
{
	free(a->srv);
	a->srv = NULL;
	a->n = 0;
}

/* --- addresses ----------------------------------------------------------- */

int
dns_addrs_add(struct dns_addrs *a, const struct endpoint *ep)
{
	struct endpoint *at = realloc(a->at, (a->n + 1) * sizeof(*at));

	if (at == NULL)
		return -1;
	a->at = at;
	a->at[a->n++] = *ep;
	return 0;
}

void
dns_addrs_free(struct dns_addrs *a)
{
	free(a->at);
	*a = (struct dns_addrs){ 0 };
}

/* The address of an A or AAAA record; false if it has not its length. */
static bool
addr_take(const struct rr *rr, int af, unsigned port, struct endpoint *ep)
{
	memset(ep, 0, sizeof(*ep));
	ep->u.sa.sa_family = (sa_family_t)af;
	if (af == AF_INET && rr->len == NS_INADDRSZ) {
		memcpy(&ep->u.in.sin_addr, rr->data, NS_INADDRSZ);
		ep->u.in.sin_port = htons((uint16_t)port);
		ep->len = sizeof(ep->u.in);
	} else if (af == AF_INET6 && rr->len == NS_IN6ADDRSZ) {
		memcpy(&ep->u.in6.sin6_addr, rr->data, NS_IN6ADDRSZ);
		ep->u.in6.sin6_port = htons((uint16_t)port);
		ep->len = sizeof(ep->u.in6);
	}
	return ep->len > 0;
}

enum dns_status
dns_parse_addrs(const unsigned char *p, size_t n, const char *name, int af,
    unsigned port, struct dns_addrs *a)
{
	unsigned type = af == AF_INET6 ? ns_t_aaaa : ns_t_a;
	char owner[DNS_NAME_MAX];
	size_t before = a->n;
	struct endpoint ep;
	enum dns_status st;
	struct reader r;
	struct rr rr;

	st = answer_open(&r, p, n, name, (int)type, owner);
	if (st != DNS_OK)
		return st;
	while (rr_next(&r, &rr) && a->n - before < DNS_RECORDS_MAX) {
		if (rr.type != type || strcmp(rr.owner, owner) != 0)
			continue;
		if (!addr_take(&rr, af, port, &ep))
			r.bad = true;
		else if (dns_addrs_add(a, &ep) == -1)
			return DNS_TEMP;
	}
	if (a->n == before)
		return nothing_found(&r);
	a->ad = (p[3] & 0x20) != 0;
	return DNS_OK;
}

/* --- words -------------------------------------------------------------- */

const char *
dns_answer_text(const unsigned char *p)
{
	static const char *const text[] = {
		[ns_r_noerror] = "malformed answer",
		[ns_r_formerr] = "FORMERR",
		[ns_r_servfail] = "SERVFAIL",
		[ns_r_notimpl] = "NOTIMP",
		[ns_r_refused] = "REFUSED",
	};
	unsigned rcode = p[3] & 0x0f;

	if (rcode == ns_r_noerror && is_referral(p))
		return "a referral, the name server does not ask others";
	if (rcode < sizeof(text) / sizeof(text[0]) && text[rcode] != NULL)
		return text[rcode];
	return "unexpected response code";
}
