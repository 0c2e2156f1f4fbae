/*
 * relay: see relay.h. Each server of the list, and each of a cluster, becomes
 * a target, in its order, if it has an address.
 * Callers: mx.c, cli/look.c. It connects to nobody.
 * RFC 5321 2.1, 5.1; 2782, 6186, 8314 5.1 (SRV); 7505 (null MX); 3463.
 * Ownership: see relay.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "mail/address.h"
#include "relay.h"

static int
out_of_memory(struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE, "out of memory");
}

void
target_free(struct target *t)
{
	free(t->host);
	free(t->domain);
	dns_addrs_free(&t->addrs);
	*t = (struct target){ 0 };
}

/* localhost may have been sent elsewhere, by --resolve or a name server. */
bool
target_is_local(const struct relay *r, const struct target *t)
{
	size_t i;

	for (i = 0; i < t->addrs.n; i++)
		if (!endpoint_is_loopback(&t->addrs.at[i]))
			return false;
	return t->typed && auth_is_local(t->host) &&
	    (r->proxy == NULL || t->port == 0);
}

void
relay_keep_reason(struct err *kept, const struct err *e)
{
	if (kept->verdict == ERR_OK ||
	    (kept->verdict == ERR_PERM && e->verdict == ERR_TEMP))
		*kept = *e;
}

/* --- what a list names ---------------------------------------------------- */

/* One server, typed or of a cluster. */
struct server {
	char host[DNS_NAME_MAX];
	unsigned port;
	enum transport transport;
	unsigned priority; /* of SRV, or preference of MX */
	unsigned weight;
	bool validated; /* by DNSSEC */
};

/* The servers of a cluster. */
struct cluster {
	struct server *at; /* owned */
	size_t n;
};

/* A list of targets in the making. */
struct maker {
	const struct relay *r; /* borrowed */
	struct hosts *h; /* borrowed */
	struct target *targets; /* owned, room for all that may come */
	size_t n;
	struct err *why; /* borrowed: why some are left out */
};

/* --- one server ----------------------------------------------------------- */

/* What is said of a smarthost whose look-up found no address. */
static void
smarthost_none(enum dns_status st, enum dns_family family, struct err *e)
{
	struct err why = *e;

	if (st == DNS_TEMP)
		return;
	err_set(e, ERR_PERM, ERR_LOOKUP, "smarthost %s", why.text);
	e->enhanced = why.enhanced;
	/* The other family may well be there: nothing is wrong for good. */
	if (st == DNS_NODATA && family != DNS_ANY) {
		e->verdict = ERR_TEMP;
		e->enhanced = (struct enhanced){ 4, 4, 4 };
	}
}

/* Addresses of a server, or of the proxy before it: 0, or -1 with *e. */
static int
server_resolve(const struct maker *m, const struct server *s,
    enum spec_kind kind, struct dns_addrs *a, struct err *e)
{
	struct endpoint ep;
	enum dns_status st;

	if (kind == SPEC_SOCKET)
		return endpoint_unix(&ep, s->host) == -1 ||
			dns_addrs_add(a, &ep) == -1
		    ? out_of_memory(e)
		    : 0;
	st = m->r->proxy != NULL
	    ? host_proxy(m->h, m->r->proxy, a, e)
	    : host_addrs(m->h, s->host, s->port, kind == SPEC_HOST, a, e);
	host_trim(a, RELAY_ADDRESSES_MAX);
	if (st == DNS_OK)
		return 0;
	smarthost_none(st, m->h->family, e);
	return -1;
}

/* True if a list so far has that server. */
static bool
server_known(const struct maker *m, const struct server *s)
{
	const struct target *t;
	size_t i;

	for (i = 0; i < m->n; i++) {
		t = &m->targets[i];
		if (t->port == s->port && t->transport == s->transport &&
		    strcmp(t->host, s->host) == 0)
			return true;
	}
	return false;
}

/*
 * The name to verify: of a cluster's server that only DNS vouches for, the
 * domain that the user typed.
 */
static int
target_name(struct target *t, const struct spec *spec, const struct server *s)
{
	size_t n = strlen(s->host);

	if (t->policy.name != NULL)
		return 0;
	/* RFC 6066 3: the dot that ends a name is for DNS alone. */
	if (spec->kind == SPEC_HOST && s->host[n - 1] == '.')
		t->domain = strndup(s->host, n - 1);
	else if (t->typed || s->validated ||
	    host_is_within(s->host, spec->host))
		return 0;
	else
		t->domain = strdup(spec->host);
	t->policy.name = t->domain;
	return t->domain == NULL ? -1 : 0;
}

/* A target of one server: 0, 1 with *e if it has no address, -1 if memory
 * ran out. */
static int
target_make(struct maker *m, const struct spec *spec, const struct server *s,
    struct err *e)
{
	struct policy_config policy = m->r->policy;
	struct target *t = &m->targets[m->n];

	if (server_resolve(m, s, spec->kind, &t->addrs, e) == -1) {
		target_free(t);
		return 1;
	}
	m->n++;
	t->port = s->port;
	t->transport = s->transport;
	t->preference = s->priority;
	t->typed = spec->kind == SPEC_HOST || spec->kind == SPEC_SOCKET;
	t->host = strdup(s->host);
	if (t->host == NULL)
		return out_of_memory(e);
	policy.secret = policy.secret || m->r->auth.on;
	t->policy = policy_for(&policy, t->transport, t->port,
	    target_is_local(m->r, t) ? POLICY_LOCAL : POLICY_SMARTHOST);
	return target_name(t, spec, s) == -1 ? out_of_memory(e) : 0;
}

/* --- the servers of a cluster --------------------------------------------- */

/* By priority; TLS from the first octet before STARTTLS; those of weight 0
 * first, where RFC 2782 wants them. */
static int
server_compare(const void *a, const void *b)
{
	const struct server *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->transport != y->transport)
		return x->transport == TRANSPORT_SMTPS ? -1 : 1;
	if ((x->weight == 0) != (y->weight == 0))
		return x->weight == 0 ? -1 : 1;
	return strcmp(x->host, y->host);
}

/*
 * Which of n equals comes first, by weight (RFC 2782). Where none has weight
 * 0 the draw begins at 1: from 0 on, the first would have one chance more
 * than its due, and of two equals get two thirds.
 */
static size_t
server_draw(const struct hosts *h, const struct server *s, size_t n)
{
	uint64_t bits, sum = 0, running = 0;
	bool zero = s[0].weight == 0;
	size_t i;

	/* In parentheses: random() is a banned call. */
	(h->random)(&bits, sizeof(bits));
	for (i = 0; i < n; i++)
		sum += s[i].weight;
	if (sum == 0)
		return n > 1 ? (size_t)(bits % n) : 0;
	bits = zero ? bits % (sum + 1) : bits % sum + 1;
	for (i = 0; i + 1 < n; i++) {
		running += s[i].weight;
		if (running >= bits)
			break;
	}
	return i;
}

/* Put n equals into the order to try them. */
static void
servers_spread(const struct hosts *h, struct server *s, size_t n)
{
	struct server first;
	size_t i;

	for (; n > 1; s++, n--) {
		i = server_draw(h, s, n);
		first = s[i];
		memmove(s + 1, s, i * sizeof(*s));
		s[0] = first;
	}
}

static void
cluster_order(const struct hosts *h, struct cluster *c)
{
	size_t from = 0, i;

	if (c->n > 1)
		qsort(c->at, c->n, sizeof(*c->at), server_compare);
	for (i = 1; h->random != NULL && i <= c->n; i++) {
		if (i < c->n && c->at[i].priority == c->at[from].priority &&
		    c->at[i].transport == c->at[from].transport)
			continue;
		servers_spread(h, c->at + from, i - from);
		from = i;
	}
}

/* What is wrong with a cluster; 1, for its callers to return. */
static int
cluster_none(const struct spec *spec, struct enhanced enhanced,
    const char *what, struct err *e)
{
	err_set(e, ERR_PERM, ERR_LOOKUP, "smarthost %s:%s %s",
	    spec->kind == SPEC_MX ? "mx" : "srv", spec->host, what);
	e->enhanced = enhanced;
	return 1;
}

static struct server *
cluster_add(struct cluster *c, const struct spec *spec, const char *host)
{
	struct server *s = &c->at[c->n++];

	*s = (struct server){
		.port = spec->port, .transport = spec->transport, .weight = 1
	};
	snprintf(s->host, sizeof(s->host), "%s", host);
	return s;
}

static void
mx_take(
    const struct dns_mx_answer *a, const struct spec *spec, struct cluster *c)
{
	struct server *s;
	size_t i;

	for (i = 0; i < a->n; i++) {
		if (a->mx[i].host[0] == '\0')
			continue;
		s = cluster_add(c, spec, a->mx[i].host);
		s->priority = a->mx[i].preference;
		s->validated = a->ad;
	}
}

/* The mail hosts of a domain: 0, 1 with *e if there is none, -1 if memory
 * ran out. */
static int
cluster_mx(
    struct hosts *h, const struct spec *spec, struct cluster *c, struct err *e)
{
	struct dns_mx_answer a;
	enum dns_status st = dns_mx(h->dns, spec->host, &a, e);

	if (st == DNS_TEMP)
		return 1;
	if (st == DNS_NXDOMAIN)
		return cluster_none(spec, e->enhanced, "does not exist", e);
	c->at = calloc(a.n + 1, sizeof(*c->at));
	if (c->at != NULL && st == DNS_OK)
		mx_take(&a, spec, c);
	else if (c->at != NULL)
		cluster_add(c, spec, spec->host);
	dns_mx_free(&a);
	if (c->at == NULL)
		return out_of_memory(e);
	return c->n > 0 ? 0
			: cluster_none(spec, (struct enhanced){ 5, 1, 10 },
			      "accepts no mail (null MX)", e);
}

/* The services of RFC 8314 and RFC 6186. */
static const struct {
	const char *name;
	enum transport transport;
} service_rows[] = {
	{ "_submissions._tcp", TRANSPORT_SMTPS },
	{ "_submission._tcp", TRANSPORT_SMTP },
};
#define SERVICE_ROWS (sizeof(service_rows) / sizeof(service_rows[0]))

static void
srv_take(const struct dns_srv_answer *a, const struct spec *spec,
    enum transport transport, struct cluster *c)
{
	const struct dns_srv *srv;
	struct server *s;
	size_t i;

	for (i = 0; i < a->n; i++) {
		srv = &a->srv[i];
		if (srv->host[0] == '\0')
			continue;
		s = cluster_add(c, spec, srv->host);
		s->port = srv->port;
		s->transport = transport;
		s->priority = srv->priority;
		s->weight = srv->weight;
		s->validated = a->ad;
	}
}

/* The submission servers of a domain: the same. */
static int
cluster_srv(
    struct hosts *h, const struct spec *spec, struct cluster *c, struct err *e)
{
	char name[DNS_NAME_MAX + 32];
	struct dns_srv_answer a;
	struct err why, trouble;
	enum dns_status st;
	size_t i;

	err_clear(&trouble);
	c->at = calloc(SERVICE_ROWS * DNS_RECORDS_MAX, sizeof(*c->at));
	if (c->at == NULL)
		return out_of_memory(e);
	for (i = 0; i < SERVICE_ROWS; i++) {
		snprintf(name, sizeof(name), "%s.%s", service_rows[i].name,
		    spec->host);
		st = dns_srv(h->dns, name, &a, &why);
		if (st == DNS_OK)
			srv_take(&a, spec, service_rows[i].transport, c);
		else if (st == DNS_TEMP)
			relay_keep_reason(&trouble, &why);
		dns_srv_free(&a);
	}
	*e = trouble;
	if (c->n > 0)
		return 0;
	return trouble.verdict != ERR_OK
	    ? 1
	    : cluster_none(spec, (struct enhanced){ 5, 1, 2 },
		  "has no submission service in its SRV records", e);
}

/* A row for each kind of cluster. */
static int (*const cluster_rows[])(
    struct hosts *, const struct spec *, struct cluster *, struct err *) = {
	[SPEC_MX] = cluster_mx,
	[SPEC_SRV] = cluster_srv,
};

/* --- the list ------------------------------------------------------------- */

/* So many look-ups of a cluster's hosts may fail for the time being: each
 * costs the resolver's whole patience. */
#define TROUBLES_MAX 5

/* The servers of a cluster that have an address: 0, or -1 with *m->why if
 * memory ran out. */
static int
cluster_targets(
    struct maker *m, const struct spec *spec, const struct cluster *c)
{
	size_t i, before = m->n, troubles = 0;
	struct err e;
	int got;

	for (i = 0; i < c->n && m->n - before < RELAY_SERVERS_MAX &&
	     troubles < TROUBLES_MAX;
	     i++) {
		if (server_known(m, &c->at[i]))
			continue;
		got = target_make(m, spec, &c->at[i], &e);
		if (got == -1) {
			*m->why = e;
			return -1;
		}
		if (got == 1)
			relay_keep_reason(m->why, &e);
		troubles += got == 1 && e.verdict == ERR_TEMP;
	}
	return 0;
}

/* Look a cluster up and add its servers: the same. */
static int
cluster_make(struct maker *m, const struct spec *spec)
{
	struct cluster c = { 0 };
	struct err e;
	int got;

	got = host_dns(m->h, &e) == NULL
	    ? 1
	    : cluster_rows[spec->kind](m->h, spec, &c, &e);
	if (got == 0) {
		cluster_order(m->h, &c);
		got = cluster_targets(m, spec, &c);
	} else if (got == 1) {
		relay_keep_reason(m->why, &e);
		got = 0;
	} else
		*m->why = e;
	free(c.at);
	return got;
}

/* Add the servers of one item: the same. */
static int
spec_make(struct maker *m, const struct spec *spec)
{
	struct server s = { .port = spec->port, .transport = spec->transport };
	struct err e;
	int got;

	if (spec->kind == SPEC_MX || spec->kind == SPEC_SRV)
		return cluster_make(m, spec);
	snprintf(s.host, sizeof(s.host), "%s", spec->host);
	got = target_make(m, spec, &s, &e);
	if (got == 1)
		relay_keep_reason(m->why, &e);
	else if (got == -1)
		*m->why = e;
	return got == -1 ? -1 : 0;
}

int
relay_check(const struct relay *r, struct err *e)
{
	struct spec *specs;
	size_t n;

	if (r->hosts == NULL || r->local != NULL)
		return 0;
	if (spec_parse(r->hosts, r->port, &specs, &n, e) == -1)
		return -1;
	spec_free(specs, n);
	return 0;
}

/* The one target of mailboxes: nobody is looked up. */
static int
local_target(
    const struct relay *r, struct target **targets, size_t *n, struct err *why)
{
	struct target *t = calloc(1, sizeof(*t));

	*targets = t;
	if (t == NULL || (t->host = strdup(r->hosts)) == NULL)
		return out_of_memory(why);
	*n = 1;
	t->transport = r->local->box.transport;
	t->typed = true;
	t->policy = policy_for(&r->policy, t->transport, 0, POLICY_LOCAL);
	return 0;
}

int
relay_targets(const struct relay *r, struct hosts *h, struct target **targets,
    size_t *n, struct err *why)
{
	struct maker m = { .r = r, .h = h, .why = why };
	struct spec *specs;
	size_t nspecs, i;
	int got = 0;

	*n = 0;
	*targets = NULL;
	if (r->local != NULL)
		return local_target(r, targets, n, why);
	if (spec_parse(r->hosts, r->port, &specs, &nspecs, why) == -1)
		return -1;
	err_clear(why);
	m.targets = calloc(nspecs * RELAY_SERVERS_MAX, sizeof(*m.targets));
	if (m.targets == NULL) {
		spec_free(specs, nspecs);
		return out_of_memory(why);
	}
	for (i = 0; got != -1 && i < nspecs; i++)
		got = spec_make(&m, &specs[i]);
	spec_free(specs, nspecs);
	*targets = m.targets;
	*n = m.n;
	return got;
}

/* --- recipients to relays ------------------------------------------------ */

/* PATTERN of `route`: a domain, *.DOMAIN for what is below it, * for all. */
static bool
rule_matches(const struct relay_rule *rule, const struct address *a)
{
	const char *pattern = rule->pattern, *domain = a->ascii;
	size_t n, m;

	if (strcmp(pattern, "*") == 0)
		return true;
	if (a->kind == DOMAIN_NONE)
		return false;
	if (pattern[0] != '*')
		return strcasecmp(pattern, domain) == 0;
	n = strlen(++pattern);
	m = strlen(domain);
	return m > n && strcasecmp(domain + m - n, pattern) == 0;
}

static bool
is_local(const struct relays *by, const struct address *a)
{
	if (by->local == NULL || a->kind != DOMAIN_NONE)
		return false;
	return !by->implied || by->relay->hosts == NULL ||
	    strcasecmp(a->raw, "Postmaster") != 0;
}

const struct relay *
relay_for(const struct relays *by, const struct address *a)
{
	size_t k;

	if (is_local(by, a))
		return by->local;
	for (k = 0; k < by->nrules; k++)
		if (rule_matches(&by->rules[k], a))
			return by->rules[k].relay;
	return by->relay;
}
