/*
 * host: see host.h. Overrides, the system's getaddrinfo(3), and the list of
 * this machine's addresses, read once and only when it is asked for.
 * Callers: mx.c, relay.c. An address as text costs no look-up.
 * RFC 5321 5.1, RFC 4291 2.5.5.2 (mapped IPv4).
 * Ownership: see host.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/err.h"
#include "mail/address.h"
#include "net/host.h"
#include "net/proxy.h"

void
host_free(struct hosts *h)
{
	dns_free(h->dns);
	h->dns = NULL;
	if (h->own != NULL)
		freeifaddrs(h->own);
	h->own = NULL;
	dns_addrs_free(&h->proxy_addrs);
	h->proxy = NULL;
}

struct dns *
host_dns(struct hosts *h, struct err *e)
{
	if (h->dns == NULL)
		h->dns = dns_new(h->dns_config, e);
	return h->dns;
}

/* --- overrides ----------------------------------------------------------- */

static int
override_bad(struct err *e, const char *what)
{
	return err_set(e, ERR_PERM, ERR_USAGE,
	    "\"%s\": give HOST:PORT:ADDR, as in mail.example.org:25:192.0.2.1",
	    what);
}

int
override_parse(char *s, struct override *o, struct err *e)
{
	char *port = strchr(s, ':');
	char *ip = port == NULL ? NULL : strchr(port + 1, ':');
	char host[DNS_NAME_MAX];
	struct endpoint ep;
	struct err why;
	bool bracketed;
	size_t n;

	if (ip == NULL)
		return override_bad(e, s);
	*o = (struct override){ .ip = ip + 1 };
	if (endpoint_split(s, (size_t)(ip - s), host, sizeof(host), &o->port,
		&bracketed) == -1 ||
	    bracketed || o->port == 0 || idna_host(host, o->host, &why) == -1)
		return override_bad(e, s);
	n = strlen(o->ip);
	if (n > 2 && ip[1] == '[' && ip[n] == ']') {
		o->ip = ip + 2;
		ip[n] = '\0';
	}
	if (endpoint_ip(&ep, o->ip, o->port) == -1)
		return override_bad(e, s);
	*port = '\0';
	return 0;
}

/* Host names without their final dots, case-blind. */
static bool
same_host(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	if (n > 0 && a[n - 1] == '.')
		n--;
	if (m > 0 && b[m - 1] == '.')
		m--;
	return n == m && strncasecmp(a, b, n) == 0;
}

static bool
override_matches(const struct override *o, const char *host, unsigned port)
{
	return o->port == port && same_host(o->host, host);
}

bool
host_overridden(const struct hosts *h, const char *host, unsigned port)
{
	size_t i;

	for (i = 0; i < h->noverrides; i++)
		if (override_matches(&h->overrides[i], host, port))
			return true;
	return false;
}

/* --- ways to an address -------------------------------------------------- */

/* What *e says of a name that has no address. */
static enum dns_status
host_none(
    enum dns_status st, const char *host, const char *family, struct err *e)
{
	if (st == DNS_NXDOMAIN)
		err_set(e, ERR_PERM, ERR_LOOKUP, "%s does not exist", host);
	else
		err_set(e, ERR_PERM, ERR_LOOKUP, "%s has no %saddress", host,
		    family);
	e->enhanced = (struct enhanced){ 5, 1, 2 };
	return st;
}

static const char *
family_name(enum dns_family family)
{
	static const char *const name[] = {
		[DNS_ANY] = "",
		[DNS_IPV4] = "IPv4 ",
		[DNS_IPV6] = "IPv6 ",
	};

	return name[family];
}

static bool
family_fits(enum dns_family family, const struct endpoint *ep)
{
	return family == DNS_ANY ||
	    (family == DNS_IPV4) == (ep->u.sa.sa_family == AF_INET);
}

static enum dns_status
host_no_memory(struct dns_addrs *a, struct err *e)
{
	dns_addrs_free(a);
	err_set(e, ERR_TEMP, ERR_MACHINE, "out of memory");
	return DNS_TEMP;
}

static enum dns_status
host_by_override(const struct hosts *h, const char *host, unsigned port,
    struct dns_addrs *a, struct err *e)
{
	const struct override *o;
	struct endpoint ep;
	size_t i;

	for (i = 0; i < h->noverrides; i++) {
		o = &h->overrides[i];
		if (!override_matches(o, host, port) ||
		    endpoint_ip(&ep, o->ip, port) == -1 ||
		    !family_fits(h->family, &ep))
			continue;
		if (dns_addrs_add(a, &ep) == -1)
			return host_no_memory(a, e);
	}
	if (a->n > 0)
		return DNS_OK;
	return host_none(DNS_NODATA, host, family_name(h->family), e);
}

static enum dns_status
host_by_text(const struct hosts *h, const char *host, const struct endpoint *ep,
    struct dns_addrs *a, struct err *e)
{
	if (!family_fits(h->family, ep))
		return host_none(DNS_NODATA, host, family_name(h->family), e);
	if (dns_addrs_add(a, ep) == -1)
		return host_no_memory(a, e);
	return DNS_OK;
}

/* A row for each answer of getaddrinfo(3) that is not just trouble. */
static const struct {
	int code;
	enum dns_status status;
} gai_rows[] = {
	{ EAI_NONAME, DNS_NXDOMAIN },
#ifdef EAI_NODATA
	{ EAI_NODATA, DNS_NODATA },
#endif
#ifdef EAI_ADDRFAMILY
	{ EAI_ADDRFAMILY, DNS_NODATA },
#endif
};

static enum dns_status
gai_failed(
    const struct hosts *h, int code, int num, const char *host, struct err *e)
{
	const struct waiter *w = h->dns_config->waiter;
	struct err why;
	size_t i;

	for (i = 0; i < sizeof(gai_rows) / sizeof(gai_rows[0]); i++)
		if (gai_rows[i].code == code)
			return host_none(gai_rows[i].status, host,
			    family_name(h->family), e);
	if (code == EAI_SYSTEM)
		err_errno(e, ERR_TEMP, ERR_LOOKUP, num, "look-up of %s", host);
	else if (code == EAI_INPROGRESS && wait_over(w)) {
		wait_over_err(w, &why);
		err_set(e, ERR_TEMP, ERR_LOOKUP, "look-up of %s: %s", host,
		    why.text);
	} else if (code == EAI_INPROGRESS)
		err_set(e, ERR_TEMP, ERR_LOOKUP,
		    "look-up of %s: timed out after %g s", host,
		    (double)h->dns_config->timeout / 1000);
	else
		err_set(e, ERR_TEMP, ERR_LOOKUP, "look-up of %s: %s", host,
		    gai_strerror(code));
	e->enhanced = (struct enhanced){ 4, 4, 3 };
	return DNS_TEMP;
}

static bool
addrs_have(const struct dns_addrs *a, const struct endpoint *ep)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (a->at[i].len == ep->len &&
		    memcmp(&a->at[i].u, &ep->u, ep->len) == 0)
			return true;
	return false;
}

/* The system's list; a hosts file may name an address twice. */
static int
gai_take(const struct addrinfo *ai, struct dns_addrs *a)
{
	struct endpoint ep;

	for (; ai != NULL && a->n < DNS_RECORDS_MAX; ai = ai->ai_next) {
		if (ai->ai_addrlen > sizeof(ep.u))
			continue;
		memset(&ep, 0, sizeof(ep));
		memcpy(&ep.u, ai->ai_addr, ai->ai_addrlen);
		ep.len = ai->ai_addrlen;
		if (!addrs_have(a, &ep) && dns_addrs_add(a, &ep) == -1)
			return EAI_MEMORY;
	}
	return a->n > 0 ? 0 : EAI_NONAME;
}

/* A look-up by the system that may outlive our patience with it. */
struct lookup {
	struct gaicb call;
	struct addrinfo hints;
	char host[DNS_NAME_MAX];
	char service[16];
};

/*
 * getaddrinfo(3) knows no deadline: it waits as long as resolv.conf says for
 * each name server. Past ours it is left to itself, with all it may touch.
 */
static int
lookup_within(struct lookup *l, int64_t ms, struct addrinfo **list)
{
	struct timespec left = { (time_t)(ms / 1000),
		(long)(ms % 1000) * 1000000 };
	struct gaicb *calls[] = { &l->call };
	int code = getaddrinfo_a(GAI_NOWAIT, calls, 1, NULL);

	if (code != 0)
		return code;
	gai_suspend((const struct gaicb *const *)calls, 1, &left);
	code = gai_error(&l->call);
	if (code == EAI_INPROGRESS && gai_cancel(&l->call) != EAI_CANCELED)
		return EAI_INPROGRESS;
	*list = l->call.ar_result;
	return code == EAI_INPROGRESS ? EAI_AGAIN : code;
}

static int
system_lookup(const struct hosts *h, const char *host, unsigned port,
    int family, struct addrinfo **list)
{
	int64_t ms = h->dns_config->timeout > 0 ? h->dns_config->timeout : -1;
	struct lookup *l;
	int code;

	ms = wait_left(h->dns_config->waiter, ms);
	if (ms == 0)
		return EAI_INPROGRESS;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return EAI_MEMORY;
	l->hints.ai_flags = AI_NUMERICSERV;
	l->hints.ai_family = family;
	l->hints.ai_socktype = SOCK_STREAM;
	snprintf(l->host, sizeof(l->host), "%s", host);
	snprintf(l->service, sizeof(l->service), "%u", port);
	l->call.ar_name = l->host;
	l->call.ar_service = l->service;
	l->call.ar_request = &l->hints;
	code = ms >= 0 ? lookup_within(l, ms, list)
		       : getaddrinfo(l->host, l->service, &l->hints, list);
	if (code != EAI_INPROGRESS)
		free(l);
	return code;
}

/* Its addresses: 0, or an EAI_ code; errno goes with EAI_SYSTEM. */
static int
system_addrs(const struct hosts *h, const char *host, unsigned port, int family,
    struct dns_addrs *a)
{
	struct addrinfo *list = NULL;
	int code = system_lookup(h, host, port, family, &list);

	if (code == 0) {
		code = gai_take(list, a);
		freeaddrinfo(list);
	}
	return code;
}

/*
 * The system says of a name in the hosts file that does not have the family
 * asked for that there is no such name: true if there is.
 */
static bool
system_knows(const struct hosts *h, const char *host, unsigned port)
{
	struct dns_addrs any = { 0 };
	int code = system_addrs(h, host, port, AF_UNSPEC, &any);

	dns_addrs_free(&any);
	return code == 0;
}

/* The system's way: hosts file, mDNS and all. */
static enum dns_status
host_by_system(const struct hosts *h, const char *host, unsigned port,
    struct dns_addrs *a, struct err *e)
{
	static const int family[] = {
		[DNS_ANY] = AF_UNSPEC,
		[DNS_IPV4] = AF_INET,
		[DNS_IPV6] = AF_INET6,
	};
	int code = system_addrs(h, host, port, family[h->family], a);
	int num = errno;

	if (code == EAI_MEMORY)
		return host_no_memory(a, e);
	if (code == EAI_NONAME && h->family != DNS_ANY &&
	    system_knows(h, host, port))
		return host_none(DNS_NODATA, host, family_name(h->family), e);
	return code == 0 ? DNS_OK : gai_failed(h, code, num, host, e);
}

enum dns_status
host_addrs(struct hosts *h, const char *host, unsigned port, bool typed,
    struct dns_addrs *a, struct err *e)
{
	struct endpoint ep;

	*a = (struct dns_addrs){ 0 };
	if (host_overridden(h, host, port))
		return host_by_override(h, host, port, a, e);
	if (typed && endpoint_ip(&ep, host, port) == 0)
		return host_by_text(h, host, &ep, a, e);
	if (typed && h->dns_config->nameserver == NULL)
		return host_by_system(h, host, port, a, e);
	if (host_dns(h, e) == NULL)
		return DNS_TEMP;
	return dns_addrs(h->dns, host, h->family, port, a, e);
}

bool
host_is_within(const char *host, const char *domain)
{
	size_t n = strlen(host), m = strlen(domain);

	return n >= m && strcmp(host + n - m, domain) == 0 &&
	    (n == m || host[n - m - 1] == '.');
}

static void
proxy_lookup(struct hosts *h, const struct proxy *p)
{
	struct err *e = &h->proxy_why;

	dns_addrs_free(&h->proxy_addrs);
	h->proxy = p;
	if (host_addrs(h, p->host, p->port, true, &h->proxy_addrs, e) == DNS_OK)
		return;
	dns_addrs_free(&h->proxy_addrs);
	proxy_blame(p, e);
	e->verdict = ERR_TEMP;
	e->enhanced = (struct enhanced){ 4, 4, 3 };
}

enum dns_status
host_proxy(
    struct hosts *h, const struct proxy *p, struct dns_addrs *a, struct err *e)
{
	size_t i;

	*a = (struct dns_addrs){ 0 };
	if (h->proxy != p)
		proxy_lookup(h, p);
	for (i = 0; i < h->proxy_addrs.n; i++)
		if (dns_addrs_add(a, &h->proxy_addrs.at[i]) == -1)
			return host_no_memory(a, e);
	if (a->n > 0)
		return DNS_OK;
	*e = h->proxy_why;
	return DNS_TEMP;
}

static int
family_at(const struct dns_addrs *a, size_t i)
{
	return a->at[i].u.sa.sa_family;
}

void
host_trim(struct dns_addrs *a, size_t max)
{
	size_t i, v6;
	int drop;

	while (a->n > max) {
		for (i = 0, v6 = 0; i < a->n; i++)
			v6 += family_at(a, i) == AF_INET6;
		drop = v6 > a->n - v6 ? AF_INET6 : AF_INET;
		for (i = a->n - 1; family_at(a, i) != drop; i--)
			;
		memmove(
		    &a->at[i], &a->at[i + 1], (a->n - i - 1) * sizeof(*a->at));
		a->n--;
	}
}

/* --- this machine -------------------------------------------------------- */

bool
host_is_own_name(struct hosts *h, const char *host)
{
	if (h->hostname[0] == '\0' &&
	    gethostname(h->hostname, sizeof(h->hostname) - 1) == -1)
		snprintf(h->hostname, sizeof(h->hostname), "localhost");
	return same_host(host, h->hostname) ||
	    (h->own_name != NULL && same_host(host, h->own_name));
}

/* The 16 octets of an address, IPv4 as IPv6 has it mapped; false if it is of
 * another family. */
static bool
address_octets(const struct sockaddr *sa, struct in6_addr *out)
{
	memset(out, 0, sizeof(*out));
	if (sa != NULL && sa->sa_family == AF_INET6) {
		*out =
		    ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
		return true;
	}
	if (sa == NULL || sa->sa_family != AF_INET)
		return false;
	memset(&out->s6_addr[10], 0xff, 2);
	memcpy(&out->s6_addr[12],
	    &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
	return true;
}

/* Loopback and "any" lead here, whatever the interfaces are. */
static bool
is_loopback(const struct in6_addr *ip)
{
	if (!IN6_IS_ADDR_V4MAPPED(ip))
		return IN6_IS_ADDR_LOOPBACK(ip) || IN6_IS_ADDR_UNSPECIFIED(ip);
	return ip->s6_addr[12] == 127 || ip->s6_addr[12] == 0;
}

static bool
is_own_address(struct hosts *h, const struct endpoint *ep)
{
	struct in6_addr ip, own;
	const struct ifaddrs *i;

	if (!address_octets(&ep->u.sa, &ip))
		return false;
	if (is_loopback(&ip))
		return true;
	if (!h->own_read && getifaddrs(&h->own) == -1)
		h->own = NULL;
	h->own_read = true;
	for (i = h->own; i != NULL; i = i->ifa_next)
		if (address_octets(i->ifa_addr, &own) &&
		    IN6_ARE_ADDR_EQUAL(&ip, &own))
			return true;
	return false;
}

bool
host_is_own(struct hosts *h, const struct dns_addrs *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (is_own_address(h, &a->at[i]))
			return true;
	return false;
}
