/*
 * mx: where: the recipients of one mail or of many to routes.
 * Called by who has mails: queue/submit.c (and --dry-run); deliver.c takes
 * the plan.
 * It opens no connection to a server and decides no retry but look-ups'.
 * RFC 5321 5.1, 7505 (null MX), 7504 (556), 8461 and 7672 one day.
 * Ownership: the plan owns its routes and borrows the mails; recipients are
 * envelope numbers.
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
struct message;

/* A mail object (RFC 5321 2.3.1): an envelope and its content. */
struct mail {
	const struct message *m; /* borrowed; mx does not look at it */
	struct envelope *env; /* borrowed: outcomes go there */
	const struct relays *by; /* borrowed */
	void *owner; /* borrowed: whatever its source needs to know it by */
};

/* What a route has of one mail. */
struct lot {
	size_t mail; /* its number in the plan */
	const size_t *rcpts; /* borrowed from the route: numbers in its
				envelope, ascending */
	size_t n; /* at least 1 */
};

struct route {
	struct target *targets; /* owned, in the order to try */
	size_t ntargets;
	size_t *rcpts; /* owned: of all lots, one behind the other */
	size_t n;
	struct lot *lots; /* owned, by mail: each mail at most once */
	size_t nlots;
	/* Static: "smarthost", "local", "mx", "implicit mx", "address
	 * literal"; where domains of different kinds share it, that of the
	 * first. */
	const char *source;
	const struct relay *relay; /* borrowed: how to speak to them */
};

struct plan {
	struct mail *mails; /* borrowed */
	size_t nmails;
	struct route *routes; /* owned */
	size_t n;
};

struct mx_config {
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
 * 0, or -1 with *e (usage) that names the part and the remedy. (Overrides were
 * checked by override_parse().)
 */
int mx_check(const struct mx_config *, const struct relays *, struct err *e);

/*
 * Routes for all pending recipients of all mails. No domain is looked up
 * twice for one relay, whoever has recipients there; equal relay, targets and
 * policy share a route, also between mails. Recipients that cannot be routed
 * are decided in their envelope (failed or deferred) and in no route. 0, or
 * -1 with *e when nothing can be planned at all (usage, machine).
 */
int mx_plan(const struct mx_config *, struct mail *mails, size_t nmails,
    struct plan *, struct err *e);

void plan_free(struct plan *);

#endif
