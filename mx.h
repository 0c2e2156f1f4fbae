/*
 * mx: where: recipients to routes.
 * Called by queue/submit.c (and --dry-run); deliver.c takes the plan.
 * It opens no connection to a server and decides no retry but look-ups'.
 * RFC 5321 5.1, 7505 (null MX), 7504 (556), 8461 and 7672 one day.
 * Ownership: the plan owns its routes; recipients are envelope numbers.
 */
#ifndef MX_H
#define MX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/dns.h"
#include "net/host.h"
#include "relay.h"

struct envelope;
struct err;

struct route {
	struct target *targets; /* owned, in the order to try */
	size_t ntargets;
	size_t *rcpts; /* owned: numbers in the envelope, ascending */
	size_t n;
	/* Static: "smarthost", "mx", "implicit mx", "address literal"; where
	 * domains of different kinds share it, that of the first. */
	const char *source;
	const struct relay *relay; /* borrowed: how to speak to them */
};

struct plan {
	struct route *routes; /* owned */
	size_t n;
};

/* Recipients of a domain that have a relay of their own. */
struct relay_rule {
	/* Borrowed: a domain (A-labels), *.DOMAIN for all below it, or *. */
	const char *pattern;
	const struct relay *relay; /* borrowed */
};

struct mx_config {
	const struct relay *relay; /* borrowed: where no rule matches */
	const struct relay_rule *rules; /* borrowed: the first match counts */
	size_t nrules;
	enum dns_family family;
	const struct override *overrides; /* borrowed */
	size_t noverrides;
	struct dns_config dns;
	/* Random octets for the shuffle of equal preferences. */
	void (*random)(void *, size_t);
};

/* At most so many hosts of a domain are tried. */
#define MX_HOSTS_MAX 5

/*
 * Check the syntax of the relays and of the name server without any look-up:
 * 0, or -1 with *e (usage) that names the part and the remedy. (Overrides were checked by override_parse().)
 */
int mx_check(const struct mx_config *, struct err *e);

/*
 * Routes for all pending recipients. Recipients that cannot be routed are
 * decided in the envelope (failed or deferred) and in no route; equal
 * targets and policy share a route. 0, or -1 with *e when nothing can be
 * planned at all (usage, machine).
 */
int mx_plan(
    const struct mx_config *, struct envelope *, struct plan *, struct err *e);

void plan_free(struct plan *);

#endif
