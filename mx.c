/*
 * mx: see mx.h. Recipients become domains, domains with equal mail hosts
 * become groups, and each group that has an address becomes a route; a relay
 * has one route for all its recipients. No domain is asked for twice, nor
 * the hosts of a group; a host that several groups have is.
 * RFC 5321 5.1 (MX, implicit MX, loops), 4.1.3 (literals), 4.5.4.1 (limits),
 * 7505 (null MX), 3463 (codes). Ownership: struct planner, while planning.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail/envelope.h"
#include "mx.h"
#include "mxlist.h"

#define NONE SIZE_MAX

/* So many hosts of one group may fail for the time being, then it is enough:
 * each costs the resolver's whole patience. */
#define MX_TROUBLES_MAX 5

/* Where a list of targets comes from; compared by pointer. */
static const char by_smarthost[] = "smarthost";
static const char by_local[] = "local";
static const char by_mx[] = "mx";
static const char by_implicit[] = "implicit mx";
static const char by_literal[] = "address literal";

struct domain {
	const struct address *addr; /* borrowed: of its first recipient */
	size_t first, last; /* its recipients, linked by planner.next */
	size_t n; /* how many they are */
	size_t group; /* NONE: it failed */
	size_t next; /* next domain of the group, or NONE */
	const char *source; /* of its mail hosts: one of by_*, static */
};

/* Domains with the same mail hosts. */
struct group {
	struct dns_mx *mx; /* owned: by preference and name */
	size_t n;
	const char *source; /* of the first domain: one of by_*, static */
	size_t first, last; /* its domains */
	size_t nrcpts; /* of all its domains */
	struct route *route; /* borrowed: in the plan, or NULL: it failed */
};

/* A hash table of numbers, 0 for an empty slot, else number + 1. */
struct table {
	size_t *slots; /* owned */
	size_t mask;
};

/* A recipient, one after the other through all mails. */
struct place {
	size_t mail;
	size_t rcpt; /* in its envelope */
};

/* A relay, and what the first mail that may go by it calls us. */
struct lane {
	const struct relay *relay; /* borrowed */
	const char *own_name; /* borrowed; NULL: unknown */
	bool mailboxes; /* it is a `local` */
};

struct planner {
	const struct mx_config *c; /* borrowed */
	struct mail *mails; /* borrowed */
	size_t nmails;
	struct place *places; /* owned: the recipients of all mails */
	size_t n;
	struct hosts hosts;
	struct lane *lanes; /* owned: the relays of all mails */
	size_t nlanes;
	const struct relay **relay_of; /* owned: of each recipient */
	const struct relay *relay; /* the one whose recipients are planned */
	bool mailboxes; /* it is where those without a domain go */
	size_t *domain_of; /* owned: of each recipient, or NONE */
	size_t *next; /* owned: next recipient of the same domain */
	struct domain *domains; /* owned */
	size_t ndomains;
	struct table by_name; /* domains */
	struct group *groups; /* owned */
	size_t ngroups;
	struct table by_hosts; /* groups */
};

/* --- what can be wrong --------------------------------------------------- */

enum trouble {
	NO_DOMAIN,
	NO_SUCH_DOMAIN,
	NULL_MX,
	NO_HOST,
	NO_MX_ADDRESS,
	NO_FAMILY,
	LOOP,
};

/* A sentence for each, around the domain. */
static const struct trouble_row {
	enum err_verdict verdict;
	struct enhanced enhanced;
	const char *before, *after;
} trouble_rows[] = {
	[NO_DOMAIN] = { ERR_PERM, { 5, 1, 3 }, "the address has no domain",
	    "; set host to name the server" },
	[NO_SUCH_DOMAIN] = { ERR_PERM, { 5, 1, 2 }, "domain ",
	    " does not exist" },
	[NULL_MX] = { ERR_PERM, { 5, 1, 10 }, "domain ",
	    " accepts no mail (null MX)" },
	[NO_HOST] = { ERR_PERM, { 5, 1, 2 }, "domain ",
	    " has no mail host: neither MX nor address records" },
	[NO_MX_ADDRESS] = { ERR_TEMP, { 4, 4, 4 }, "no mail host of ",
	    " has an address" },
	[NO_FAMILY] = { ERR_TEMP, { 4, 4, 4 }, "no mail host of ",
	    " has an address of the family that -4 or -6 asks for" },
	[LOOP] = { ERR_PERM, { 5, 4, 6 }, "mail for ",
	    " loops back to this host; set host to name the server, or "
	    "local_domains if its mailboxes are here" },
};

static void
trouble_set(struct err *e, enum trouble t, const char *domain)
{
	const struct trouble_row *row = &trouble_rows[t];

	err_set(e, row->verdict, ERR_LOOKUP, "%s%s%s", row->before, domain,
	    row->after);
	e->enhanced = row->enhanced;
}

static int
out_of_memory(struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE, "out of memory");
}

/* `scope` tells the recipient's own domain (destination) from a smarthost
 * (host), which a person may mend. */
static struct recipient *
rcpt_at(const struct planner *p, size_t i)
{
	const struct place *at = &p->places[i];

	return &p->mails[at->mail].env->rcpts[at->rcpt];
}

static void
rcpt_decide(
    struct planner *p, size_t i, enum err_scope scope, const struct err *e)
{
	struct err why = *e;

	why.stage = STAGE_LOOKUP;
	why.scope = scope;
	outcome_decide(&rcpt_at(p, i)->outcome, &why);
}

static void
domain_decide(struct planner *p, const struct domain *d, const struct err *e)
{
	size_t i;

	for (i = d->first; i != NONE; i = p->next[i])
		rcpt_decide(p, i, SCOPE_DESTINATION, e);
}

static void
domain_trouble(struct planner *p, const struct domain *d, enum trouble t)
{
	const char *name = d->addr->utf8 == NULL ? "" : d->addr->utf8;
	struct err e;

	trouble_set(&e, t, name);
	domain_decide(p, d, &e);
}

/* --- all by one relay ---------------------------------------------------- */

/* True if recipient i is the present relay's, and undecided. */
static bool
is_open(const struct planner *p, size_t i)
{
	return p->relay_of[i] == p->relay &&
	    rcpt_at(p, i)->outcome.state == OUTCOME_PENDING;
}

static void
route_free(struct route *r)
{
	size_t i;

	for (i = 0; i < r->ntargets; i++)
		target_free(&r->targets[i]);
	free(r->targets);
	free(r->rcpts);
	free(r->lots);
	*r = (struct route){ 0 };
}

/* Room for n recipients. */
static int
route_room(const struct planner *p, struct route *r, size_t n, struct err *e)
{
	size_t nlots = n < p->nmails ? n : p->nmails;

	r->rcpts = calloc(n + 1, sizeof(*r->rcpts));
	r->lots = calloc(nlots + 1, sizeof(*r->lots));
	return r->rcpts == NULL || r->lots == NULL ? out_of_memory(e) : 0;
}

/* Add recipient i, which is behind all that are there. */
static void
route_add(const struct planner *p, struct route *r, size_t i)
{
	const struct place *at = &p->places[i];

	if (r->nlots == 0 || r->lots[r->nlots - 1].mail != at->mail)
		r->lots[r->nlots++] =
		    (struct lot){ at->mail, r->rcpts + r->n, 0 };
	r->lots[r->nlots - 1].n++;
	r->rcpts[r->n++] = at->rcpt;
}

/* The relay's open recipients into one route. */
static int
relay_rcpts(struct planner *p, struct route *r, struct err *e)
{
	size_t i;

	if (route_room(p, r, p->n, e) == -1)
		return -1;
	for (i = 0; i < p->n; i++)
		if (is_open(p, i))
			route_add(p, r, i);
	return 0;
}

/* The one route of a relay, as far as there is someone to send to and a
 * way. */
static int
plan_relay(struct planner *p, struct plan *plan, struct err *e)
{
	struct route *r = &plan->routes[plan->n++];
	struct err why;
	size_t i;

	r->source = p->mailboxes ? by_local : by_smarthost;
	r->relay = p->relay;
	if (relay_rcpts(p, r, e) == -1)
		return -1;
	if (r->n > 0 &&
	    relay_targets(
		p->relay, &p->hosts, &r->targets, &r->ntargets, &why) == -1) {
		*e = why;
		return -1;
	}
	if (r->ntargets > 0)
		return 0;
	for (i = 0; i < p->n; i++)
		if (is_open(p, i))
			rcpt_decide(p, i, SCOPE_HOST, &why);
	route_free(r);
	plan->n--;
	return 0;
}

/* --- recipients to relays ------------------------------------------------ */

static void
lane_add(struct planner *p, const struct relay *relay, const struct relays *by)
{
	size_t i;

	for (i = 0; i < p->nlanes; i++)
		if (p->lanes[i].relay == relay)
			return;
	p->lanes[p->nlanes++] =
	    (struct lane){ relay, by->relay->helo, relay == by->local };
}

/* The relays of all mails, each once. */
static int
lanes_find(struct planner *p, struct err *e)
{
	const struct relays *by;
	size_t i, k, n = 0;

	for (i = 0; i < p->nmails; i++)
		n += p->mails[i].by->nrules + 2;
	p->lanes = calloc(n + 1, sizeof(*p->lanes));
	if (p->lanes == NULL)
		return out_of_memory(e);
	for (i = 0; i < p->nmails; i++) {
		by = p->mails[i].by;
		lane_add(p, by->relay, by);
		for (k = 0; k < by->nrules; k++)
			lane_add(p, by->rules[k].relay, by);
		if (by->local != NULL)
			lane_add(p, by->local, by);
	}
	return 0;
}

/* All recipients in a row, and whose each is: the first rule's that
 * matches. */
static int
places_find(struct planner *p, struct err *e)
{
	const struct envelope *env;
	size_t i, k, n = 0;

	for (i = 0; i < p->nmails; i++)
		n += p->mails[i].env->n;
	p->places = calloc(n + 1, sizeof(*p->places));
	p->relay_of = calloc(n + 1, sizeof(const struct relay *));
	if (p->places == NULL || p->relay_of == NULL)
		return out_of_memory(e);
	for (i = 0; i < p->nmails; i++) {
		env = p->mails[i].env;
		for (k = 0; k < env->n; k++) {
			p->places[p->n] = (struct place){ i, k };
			p->relay_of[p->n++] =
			    relay_for(p->mails[i].by, &env->rcpts[k].addr);
		}
	}
	return 0;
}

/* --- recipients to domains ----------------------------------------------- */

static uint64_t
hash_add(uint64_t h, const char *s)
{
	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return (h ^ 0x100u) * 0x100000001b3u;
}

#define HASH_START 0xcbf29ce484222325u

/* A table for n numbers, at most half full. */
static int
table_init(struct table *t, size_t n)
{
	size_t size = 16;

	while (size < n * 2)
		size *= 2;
	t->slots = calloc(size, sizeof(*t->slots));
	t->mask = size - 1;
	return t->slots == NULL ? -1 : 0;
}

static size_t *
domain_slot(struct planner *p, const struct address *a)
{
	const struct address *b;
	uint64_t h = hash_add(HASH_START + (uint64_t)a->kind, a->ascii);
	struct table *t = &p->by_name;
	size_t i = (h ^ h >> 32) & t->mask;

	for (; t->slots[i] != 0; i = (i + 1) & t->mask) {
		b = p->domains[t->slots[i] - 1].addr;
		if (a->kind == b->kind && strcmp(a->ascii, b->ascii) == 0)
			break;
	}
	return &t->slots[i];
}

/* Put recipient i to the others of its domain. */
static void
domain_join(struct planner *p, size_t i)
{
	const struct address *a = &rcpt_at(p, i)->addr;
	size_t *slot = domain_slot(p, a);
	struct domain *d;

	if (*slot == 0) {
		d = &p->domains[p->ndomains++];
		*d = (struct domain){ a, i, i, 0, NONE, NONE, NULL };
		*slot = p->ndomains;
	} else {
		d = &p->domains[*slot - 1];
		p->next[d->last] = i;
		d->last = i;
	}
	d->n++;
	p->domain_of[i] = *slot - 1;
}

static void
domains_find(struct planner *p)
{
	struct err e;
	size_t i;

	for (i = 0; i < p->n; i++) {
		p->domain_of[i] = p->next[i] = NONE;
		if (!is_open(p, i))
			continue;
		if (rcpt_at(p, i)->addr.kind != DOMAIN_NONE) {
			domain_join(p, i);
			continue;
		}
		trouble_set(&e, NO_DOMAIN, "");
		e.kind = ERR_DATA;
		rcpt_decide(p, i, SCOPE_DESTINATION, &e);
	}
}

/* --- domains to groups --------------------------------------------------- */

/* A list of one: the domain itself. */
static int
list_self(struct group *g, const char *host, const char *source)
{
	g->mx = calloc(1, sizeof(*g->mx));
	if (g->mx == NULL)
		return -1;
	snprintf(g->mx[0].host, sizeof(g->mx[0].host), "%s", host);
	g->n = 1;
	g->source = source;
	return 0;
}

/* The answer to the MX question as a list; 0, 1 if the domain was decided,
 * -1 with *e for want of memory. */
static int
list_from(struct planner *p, const struct domain *d, enum dns_status st,
    struct dns_mx_answer *a, struct group *g, struct err *e)
{
	switch (st) {
	case DNS_OK:
		if (!mxlist_drop_root(a->mx, &a->n)) {
			dns_mx_free(a);
			domain_trouble(p, d, NULL_MX);
			return 1;
		}
		mxlist_sort(a->mx, &a->n);
		*g = (struct group){ .mx = a->mx, .n = a->n, .source = by_mx };
		return 0;
	case DNS_NODATA:
		return list_self(g, d->addr->ascii, by_implicit) == 0
		    ? 0
		    : out_of_memory(e);
	case DNS_NXDOMAIN:
		domain_trouble(p, d, NO_SUCH_DOMAIN);
		return 1;
	default:
		domain_decide(p, d, e);
		return 1;
	}
}

static int
domain_list(
    struct planner *p, const struct domain *d, struct group *g, struct err *e)
{
	struct dns_mx_answer a;
	enum dns_status st;

	*g = (struct group){ 0 };
	if (d->addr->kind != DOMAIN_NAME)
		return list_self(g, d->addr->ascii, by_literal) == 0
		    ? 0
		    : out_of_memory(e);
	if (host_dns(&p->hosts, e) == NULL)
		return -1;
	st = dns_mx(p->hosts.dns, d->addr->ascii, &a, e);
	return list_from(p, d, st, &a, g, e);
}

/* An address by itself is not the host that has the same text for a name. */
static bool
is_literal(const struct group *g)
{
	return g->source == by_literal;
}

static bool
group_equal(const struct group *a, const struct group *b)
{
	return is_literal(a) == is_literal(b) &&
	    mxlist_equal(a->mx, a->n, b->mx, b->n);
}

static size_t *
group_slot(struct planner *p, const struct group *g)
{
	struct table *t = &p->by_hosts;
	uint64_t h = HASH_START + is_literal(g);
	size_t i;

	for (i = 0; i < g->n; i++)
		h = hash_add(h, g->mx[i].host);
	for (i = (h ^ h >> 32) & t->mask; t->slots[i] != 0;
	     i = (i + 1) & t->mask)
		if (group_equal(&p->groups[t->slots[i] - 1], g))
			break;
	return &t->slots[i];
}

/* Put a domain with that list to the others that have it; takes g->mx. */
static void
group_join(struct planner *p, size_t domain, const struct group *g)
{
	size_t *slot = group_slot(p, g);
	struct group *of;

	if (*slot == 0) {
		of = &p->groups[p->ngroups++];
		*of = *g;
		of->first = of->last = domain;
		*slot = p->ngroups;
	} else {
		free(g->mx);
		of = &p->groups[*slot - 1];
		p->domains[of->last].next = domain;
		of->last = domain;
	}
	p->domains[domain].source = g->source;
	of->nrcpts += p->domains[domain].n;
	p->domains[domain].group = *slot - 1;
}

static int
groups_find(struct planner *p, struct err *e)
{
	struct group g;
	size_t i;
	int got;

	for (i = 0; i < p->ndomains; i++) {
		/* domains_free() frees it all, which the analyzer loses.
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		got = domain_list(p, &p->domains[i], &g, e);
		if (got == -1)
			return -1;
		if (got == 0)
			group_join(p, i, &g);
	}
	return 0;
}

/* --- groups to routes ---------------------------------------------------- */

/* What came of looking up the hosts of a group. */
struct search {
	unsigned cut; /* this host is in the list at that preference */
	size_t troubles; /* hosts whose look-up failed for the time being */
	struct err why; /* one of them */
};

/* This host is at `preference`: it and all that are no better go. */
static void
search_cut(struct search *s, struct route *r, unsigned preference)
{
	struct target *t;

	s->cut = preference;
	while (r->ntargets > 0) {
		t = &r->targets[r->ntargets - 1];
		if (t->preference < preference)
			break;
		target_free(t);
		r->ntargets--;
	}
}

static unsigned
mx_port(const struct relay *r)
{
	return r->port != 0 ? r->port : transport_rows[TRANSPORT_SMTP].port;
}

/*
 * Whether a mail host may turn out to be this one (RFC 5321 5.1). Not when
 * the user said where to go, by port or by address, nor behind a proxy: what
 * a name means there, nobody here knows.
 */
static bool
may_loop(const struct planner *p, const char *host, unsigned port)
{
	return p->relay->proxy == NULL && p->relay->port == 0 &&
	    !host_overridden(&p->hosts, host, port);
}

/* Look one host up and add it to the route; -1 for want of memory. */
static int
search_host(struct planner *p, const struct group *g, const struct dns_mx *mx,
    struct search *s, struct err *e)
{
	unsigned port = mx_port(p->relay);
	struct route *r = g->route;
	struct target t = { .port = port, .preference = mx->preference };
	enum dns_status st;
	struct err why;

	st = p->relay->proxy != NULL
	    ? host_proxy(&p->hosts, p->relay->proxy, &t.addrs, &why)
	    : host_addrs(
		  &p->hosts, mx->host, port, is_literal(g), &t.addrs, &why);
	if (st != DNS_OK) {
		s->troubles += st == DNS_TEMP;
		if (st == DNS_TEMP)
			relay_keep_reason(&s->why, &why);
		return 0;
	}
	if (may_loop(p, mx->host, port) && host_is_own(&p->hosts, &t.addrs)) {
		dns_addrs_free(&t.addrs);
		search_cut(s, r, mx->preference);
		return 0;
	}
	host_trim(&t.addrs, RELAY_ADDRESSES_MAX);
	t.policy = policy_for(&p->relay->policy, t.transport, port, POLICY_MX);
	t.host = strdup(mx->host);
	r->targets[r->ntargets++] = t;
	return t.host == NULL ? out_of_memory(e) : 0;
}

/* The hosts of a group in the order to try, as far as they have addresses. */
static int
group_search(
    struct planner *p, struct group *g, struct search *s, struct err *e)
{
	struct route *r = g->route;
	unsigned port = mx_port(p->relay);
	size_t i;

	*s = (struct search){ .cut = UINT_MAX };
	r->targets = calloc(MX_HOSTS_MAX, sizeof(*r->targets));
	if (r->targets == NULL)
		return out_of_memory(e);
	for (i = 0; i < g->n; i++)
		if (g->mx[i].preference < s->cut &&
		    may_loop(p, g->mx[i].host, port) &&
		    host_is_own_name(&p->hosts, g->mx[i].host))
			s->cut = g->mx[i].preference;
	if (p->c->random != NULL)
		mxlist_shuffle(g->mx, g->n, p->c->random);
	for (i = 0; i < g->n; i++) {
		if (g->mx[i].preference >= s->cut ||
		    r->ntargets == MX_HOSTS_MAX ||
		    s->troubles == MX_TROUBLES_MAX)
			break;
		if (search_host(p, g, &g->mx[i], s, e) == -1)
			return -1;
	}
	return 0;
}

/* What is wrong with a domain none of whose hosts has an address. */
static enum trouble
search_trouble(
    const struct planner *p, const struct domain *d, const struct search *s)
{
	if (s->cut != UINT_MAX)
		return LOOP;
	if (p->c->family != DNS_ANY)
		return NO_FAMILY;
	return d->source == by_mx ? NO_MX_ADDRESS : NO_HOST;
}

/* No host is left: decide each domain, in its own words. */
static void
group_fail(struct planner *p, const struct group *g, const struct search *s)
{
	const struct domain *d;
	size_t i;

	for (i = g->first; i != NONE; i = d->next) {
		d = &p->domains[i];
		/* A better host may come back: not lost yet. */
		if (s->troubles > 0)
			domain_decide(p, d, &s->why);
		else
			domain_trouble(p, d, search_trouble(p, d, s));
	}
}

/* The next route of the plan from a group, if it has a host. */
static int
group_route(
    struct planner *p, struct group *g, struct plan *plan, struct err *e)
{
	struct route *r = &plan->routes[plan->n++];
	struct search s;

	g->route = r;
	r->source = g->source;
	r->relay = p->relay;
	if (route_room(p, r, g->nrcpts, e) == -1)
		return -1;
	if (group_search(p, g, &s, e) == -1)
		return -1;
	if (r->ntargets > 0)
		return 0;
	group_fail(p, g, &s);
	route_free(r);
	plan->n--;
	g->route = NULL;
	return 0;
}

/* Each recipient to the route of its domain's group, in ascending order. */
static void
routes_fill(struct planner *p)
{
	const struct domain *d;
	struct route *r;
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (p->domain_of[i] == NONE)
			continue;
		d = &p->domains[p->domain_of[i]];
		r = d->group == NONE ? NULL : p->groups[d->group].route;
		if (r != NULL)
			route_add(p, r, i);
	}
}

static int
plan_mx(struct planner *p, struct plan *plan, struct err *e)
{
	size_t n = p->n + 1, i;

	p->domain_of = calloc(n, sizeof(*p->domain_of));
	p->next = calloc(n, sizeof(*p->next));
	p->domains = calloc(n, sizeof(*p->domains));
	if (p->domain_of == NULL || p->next == NULL || p->domains == NULL ||
	    table_init(&p->by_name, n) == -1)
		return out_of_memory(e);
	domains_find(p);
	n = p->ndomains + 1;
	p->groups = calloc(n, sizeof(*p->groups));
	if (p->groups == NULL || table_init(&p->by_hosts, n) == -1)
		return out_of_memory(e);
	if (groups_find(p, e) == -1)
		return -1;
	for (i = 0; i < p->ngroups; i++)
		if (group_route(p, &p->groups[i], plan, e) == -1)
			return -1;
	routes_fill(p);
	return 0;
}

/* Forget the domains and groups of one relay. */
static void
domains_free(struct planner *p)
{
	size_t i;

	for (i = 0; i < p->ngroups; i++)
		free(p->groups[i].mx);
	free(p->groups);
	free(p->domains);
	free(p->domain_of);
	free(p->next);
	free(p->by_name.slots);
	free(p->by_hosts.slots);
	p->groups = NULL;
	p->domains = NULL;
	p->domain_of = p->next = NULL;
	p->by_name.slots = p->by_hosts.slots = NULL;
	p->ngroups = p->ndomains = 0;
}

int
mx_check(const struct mx_config *c, const struct relays *by, struct err *e)
{
	struct dns *dns;
	size_t i;

	if (relay_check(by->relay, e) == -1)
		return -1;
	for (i = 0; i < by->nrules; i++)
		if (relay_check(by->rules[i].relay, e) == -1)
			return -1;
	if (by->local != NULL && relay_check(by->local, e) == -1)
		return -1;
	if (c->dns.nameserver == NULL)
		return 0;
	dns = dns_new(&c->dns, e);
	dns_free(dns);
	return dns == NULL ? -1 : 0;
}

/* The routes of one relay's recipients. */
static int
lane_plan(
    struct planner *p, const struct lane *l, struct plan *plan, struct err *e)
{
	int ret;

	p->relay = l->relay;
	p->hosts.own_name = l->own_name;
	p->mailboxes = l->mailboxes;
	if (l->relay->hosts != NULL)
		return plan_relay(p, plan, e);
	ret = plan_mx(p, plan, e);
	domains_free(p);
	return ret;
}

static int
plan_all(struct planner *p, struct plan *plan, struct err *e)
{
	size_t i;

	if (lanes_find(p, e) == -1 || places_find(p, e) == -1)
		return -1;
	/* A relay has a route of its own, a recipient at most one by MX. */
	plan->routes = calloc(p->n + p->nlanes + 1, sizeof(*plan->routes));
	if (plan->routes == NULL)
		return out_of_memory(e);
	for (i = 0; i < p->nlanes; i++)
		if (lane_plan(p, &p->lanes[i], plan, e) == -1)
			return -1;
	return 0;
}

int
mx_plan(const struct mx_config *c, struct mail *mails, size_t nmails,
    struct plan *plan, struct err *e)
{
	struct planner p = {
		.c = c,
		.mails = mails,
		.nmails = nmails,
		.hosts = {
			.family = c->family,
			.overrides = c->overrides,
			.noverrides = c->noverrides,
			.dns_config = &c->dns,
			.random = c->random,
		},
	};
	int ret;

	*plan = (struct plan){ .mails = mails, .nmails = nmails };
	ret = plan_all(&p, plan, e);
	free(p.lanes);
	free(p.places);
	free(p.relay_of);
	host_free(&p.hosts);
	if (ret == -1)
		plan_free(plan);
	return ret;
}

void
plan_free(struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->n; i++)
		route_free(&plan->routes[i]);
	free(plan->routes);
	*plan = (struct plan){ 0 };
}
