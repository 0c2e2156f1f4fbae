/*
 * configure: see configure.h. Guesses are gathered, the likely ones first,
 * and each is asked until one turns out right.
 * Callers: native.c.
 * A guess is believed only over TLS with a certificate that holds.
 * RFC 6186 3, 8314 5.1; 2782.
 * Ownership: guesses are plain data of one call.
 */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/err.h"
#include "cli/configure.h"
#include "mail/address.h"

/* A server that says nothing for so long is not the one, ms. */
#define PATIENCE 5000

#define GUESSES_MAX 32
#define DOMAINS_MAX 6

/* Mail hosts of the domain that are taken for a hint. */
#define HINTS_MAX 2

struct guess {
	char host[DNS_NAME_MAX];
	unsigned port;
	bool implicit; /* TLS from the first octet on */
	unsigned priority, weight; /* of SRV */
	char by[DNS_NAME_MAX + 64]; /* how it was found, for people */
};

struct search {
	const struct look_config *cfg; /* borrowed */
	const char *domain; /* borrowed: of the address, A-labels */
	char domains[DOMAINS_MAX][DNS_NAME_MAX]; /* it, and hints */
	size_t ndomains;
	struct guess guesses[GUESSES_MAX];
	size_t n;
	size_t asked; /* of them */
	struct err best; /* why the likeliest one was not it */
};

/* Where submission is found, a row each: SRV service, and the port that
 * common names are asked at. The first is the better one (RFC 8314 3.3). */
static const struct service {
	const char *name;
	unsigned port;
	bool implicit;
} services[] = {
	{ "_submissions._tcp", 465, true },
	{ "_submission._tcp", 587, false },
};
#define NSERVICES (sizeof services / sizeof services[0])

/* What such servers are called. */
static const char *const prefixes[] = { "smtp.", "mail.", "submission.", "" };
#define NPREFIXES (sizeof prefixes / sizeof prefixes[0])

/* ---- gathering ---- */

/* Room for one guess more; NULL: there are enough. */
static struct guess *
guess_room(struct search *s)
{
	if (s->n == GUESSES_MAX)
		return NULL;
	s->guesses[s->n] = (struct guess){ .port = 0 };
	return &s->guesses[s->n++];
}

static void
add_srv(struct search *s, const struct service *service, const char *name,
    const struct dns_srv *srv)
{
	struct guess *g = srv->host[0] == '\0' ? NULL : guess_room(s);

	if (g == NULL)
		return;
	g->implicit = service->implicit;
	g->port = srv->port;
	g->priority = srv->priority;
	g->weight = srv->weight;
	snprintf(g->host, sizeof g->host, "%s", srv->host);
	snprintf(g->by, sizeof g->by, "the SRV record of %s", name);
}

/* Better ones first; of equal ones TLS from the first octet. */
static int
guess_compare(const void *a, const void *b)
{
	const struct guess *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->implicit != y->implicit)
		return x->implicit ? -1 : 1;
	return (x->weight < y->weight) - (x->weight > y->weight);
}

/* What the SRV records of a domain say, sorted behind what is there. */
static void
guess_by_srv(struct search *s, struct dns *dns, const char *domain)
{
	char name[DNS_NAME_MAX + 32];
	struct dns_srv_answer a;
	struct err e;
	size_t i, k, from = s->n;

	for (i = 0; i < NSERVICES; i++) {
		snprintf(name, sizeof name, "%s.%s", services[i].name, domain);
		if (dns_srv(dns, name, &a, &e) != DNS_OK)
			continue;
		for (k = 0; k < a.n; k++)
			add_srv(s, &services[i], name, &a.srv[k]);
		dns_srv_free(&a);
	}
	qsort(s->guesses + from, s->n - from, sizeof s->guesses[0],
	    guess_compare);
}

static void
guess_by_name(struct search *s, const char *domain)
{
	struct guess *g;
	size_t i, k;

	for (i = 0; i < NPREFIXES; i++)
		for (k = 0; k < NSERVICES; k++) {
			g = guess_room(s);
			if (g == NULL)
				return;
			g->port = services[k].port;
			g->implicit = services[k].implicit;
			snprintf(g->host, sizeof g->host, "%s%.*s", prefixes[i],
			    DNS_NAME_MAX - 16, domain);
			snprintf(
			    g->by, sizeof g->by, "its name, which answers");
		}
}

static void
add_domain(struct search *s, const char *domain)
{
	size_t i;

	for (i = 0; i < s->ndomains; i++)
		if (strcmp(s->domains[i], domain) == 0)
			return;
	if (s->ndomains < DOMAINS_MAX)
		snprintf(s->domains[s->ndomains++], DNS_NAME_MAX, "%s", domain);
}

static int
by_preference(const void *a, const void *b)
{
	const struct dns_mx *x = a, *y = b;

	return (x->preference > y->preference) -
	    (x->preference < y->preference);
}

/* The domains that the mail hosts are in: whose customer the domain is. */
static void
hints_from_mx(struct search *s, struct dns *dns)
{
	struct dns_mx_answer a;
	struct err e;
	const char *p;
	size_t i;

	if (dns_mx(dns, s->domain, &a, &e) != DNS_OK)
		return;
	qsort(a.mx, a.n, sizeof *a.mx, by_preference);
	for (i = 0; i < a.n && i < HINTS_MAX; i++)
		for (p = strchr(a.mx[i].host, '.');
		     p != NULL && strchr(p + 1, '.') != NULL;
		     p = strchr(p + 1, '.'))
			add_domain(s, p + 1);
	dns_mx_free(&a);
}

/* ---- asking ---- */

/* Worth telling: the first server that answered, else the first reason. */
static void
keep(struct search *s, const struct guess *g, const struct err *e)
{
	struct err *best = &s->best;

	if (best->verdict != ERR_OK && e->kind != ERR_TLS)
		return;
	if (best->kind == ERR_TLS)
		return;
	err_set(
	    best, e->verdict, e->kind, "%s:%u: %s", g->host, g->port, e->text);
}

/* True if the guess is right: *l is what it said. */
static bool
ask(struct search *s, const struct guess *g, struct look *l)
{
	struct relay relay = *s->cfg->relay;
	struct look_config c = *s->cfg;
	char hosts[DNS_NAME_MAX + 32];
	struct err e;

	snprintf(hosts, sizeof hosts, "%s://%s:%u",
	    g->implicit ? "smtps" : "smtp", g->host, g->port);
	relay.hosts = hosts;
	relay.policy.level = TLS_VERIFY;
	if (relay.timeout == 0 || relay.timeout > PATIENCE)
		relay.timeout = PATIENCE;
	c.relay = &relay;
	if (look_at(&c, l, &e) == 0 && (l->caps.has & CAP_AUTH) != 0)
		return true;
	if (l->host[0] != '\0' && !(l->caps.has & CAP_AUTH) && l->secure)
		err_set(&e, ERR_PERM, ERR_AUTH, "offers no AUTH");
	keep(s, g, &e);
	look_free(l);
	return false;
}

/* Those that were not asked yet, until one is right; NULL: none was. */
static const struct guess *
ask_all(struct search *s, struct look *l)
{
	while (s->asked < s->n && !wait_stopped(s->cfg->waiter))
		if (ask(s, &s->guesses[s->asked++], l))
			return &s->guesses[s->asked - 1];
	return NULL;
}

/*
 * What the domain says of itself counts first, then names in it that such
 * servers have, and then the same of the domains that its mail hosts are in.
 */
static const struct guess *
find(struct search *s, struct dns *dns, struct look *l)
{
	const struct guess *g = NULL;
	size_t i;

	add_domain(s, s->domain);
	for (i = 0; g == NULL && i < s->ndomains; i++) {
		guess_by_srv(s, dns, s->domains[i]);
		guess_by_name(s, s->domains[i]);
		g = ask_all(s, l);
		if (i == 0 && g == NULL)
			hints_from_mx(s, dns);
	}
	return g;
}

/* ---- telling ---- */

/* A password, where one will do; else what would have to be named. */
const char *
configure_auth(const char *offered)
{
	const struct sasl_mech *m, *named = NULL;

	for (m = sasl_mechs; m < sasl_mechs + sasl_mechs_n; m++) {
		if ((m->traits & SASL_ABSENT) != 0 ||
		    !sasl_is_offered(offered, m->name))
			continue;
		if ((m->traits & SASL_SECRET) != 0 &&
		    (m->traits & SASL_NAMED) == 0)
			return "on";
		/* For EXTERNAL there would have to be a certificate. */
		if (named == NULL || (named->traits & SASL_SECRET) == 0)
			named = m;
	}
	return named != NULL ? named->name : "on";
}

static void
print(const struct search *s, const struct guess *g, const struct look *l,
    const char *address, FILE *out)
{
	fprintf(out, "# found by %s\n", g->by);
	if (!host_is_within(g->host, s->domain))
		fprintf(out,
		    "# %s is not below %s: make sure that it is your "
		    "provider's\n",
		    g->host, s->domain);
	fprintf(
	    out, "account %s\nhost %s\nport %u\n", s->domain, g->host, g->port);
	fprintf(out, "tls on\ntls_starttls %s\n", g->implicit ? "off" : "on");
	/* Without it nobody else would trust the server that we found. */
	if (s->cfg->relay->tls.trust != NULL)
		fprintf(out, "tls_trust_file %s\n", s->cfg->relay->tls.trust);
	fprintf(out, "auth %s\nuser %s\nfrom %s\n",
	    configure_auth(l->caps.auth), address, address);
	fprintf(out,
	    "# The password is asked for, unless it is kept, for example, by\n"
	    "# secret-tool store --label=smtpsend host %s service smtp user "
	    "%s\n"
	    "# or comes from a command:\n"
	    "# passwordeval \"pass show mail/%s\"\n",
	    g->host, address, s->domain);
	fprintf(out, "\naccount default : %s\n", s->domain);
}

static int
none_found(const struct search *s, struct err *e)
{
	bool hint = s->best.verdict != ERR_OK;

	return err_set(e, ERR_PERM, ERR_LOOKUP,
	    "no submission server of %s was found%s%s; ask its provider for "
	    "host and port",
	    s->domain, hint ? ": " : "", hint ? s->best.text : "");
}

/* The search is some 20 KiB: too much for a stack of many frames. */
static int
search(const struct look_config *c, const struct address *a,
    const char *address, FILE *out, struct err *e)
{
	struct search *s = calloc(1, sizeof *s);
	struct dns *dns = host_dns(c->hosts, e);
	const struct guess *g;
	struct look l;

	if (s == NULL || dns == NULL) {
		free(s);
		return dns == NULL
		    ? -1
		    : err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	}
	s->cfg = c;
	s->domain = a->ascii;
	g = find(s, dns, &l);
	if (g == NULL) {
		none_found(s, e);
	} else {
		print(s, g, &l, address, out);
		look_free(&l);
	}
	free(s);
	return g == NULL ? -1 : 0;
}

int
configure_print(
    const struct look_config *c, const char *address, FILE *out, struct err *e)
{
	struct address a;
	struct err why;
	int got;

	if (address_parse(&a, address, strlen(address), 0, &why) == -1)
		return err_set(
		    e, ERR_PERM, ERR_USAGE, "--configure: %s", why.text);
	if (a.kind != DOMAIN_NAME)
		got = err_set(e, ERR_PERM, ERR_USAGE,
		    "--configure \"%s\": give an address with a domain",
		    address);
	else
		got = search(c, &a, a.raw, out, e);
	address_free(&a);
	if (got == 0 && fflush(out) == EOF)
		got = err_set(
		    e, ERR_PERM, ERR_OUTPUT, "cannot write the account");
	return got;
}
