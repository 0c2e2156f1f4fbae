/*
 * reach: a connection to the next server of a relay that can be had.
 * Called by worker.c for a delivery and by cli/look.c for a look.
 * It speaks to proxies but to no server, and asks no DNS.
 * RFC 5321 4.5.4.1 (alternate addresses), RFC 8305.
 * Ownership: targets are borrowed; a struct io that it fills is the caller's.
 */
#ifndef REACH_H
#define REACH_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/outcome.h"
#include "relay.h"

struct err;
struct io;
struct waiter;

/* A server that was tried before: outcome.err says why it cannot be had. */
struct reach_down {
	const struct relay *relay; /* borrowed: who wanted it */
	struct outcome outcome; /* of nobody: host, port, and what was dialled
				   as ip */
};

struct reach_config {
	const struct relay *relay; /* borrowed: source, waits, proxy */
	const struct target *targets; /* borrowed, in the order to try */
	size_t ntargets;
	const struct waiter *waiter; /* borrowed */
	const struct reach_down *down; /* borrowed: not to be tried again */
	size_t ndown;
	/*
	 * Told of each attempt that failed, by its target's number and with
	 * the address ("" behind a proxy); `to` is what was dialled, or NULL
	 * for one of `down`, which reach_new() tells. May be NULL.
	 */
	void (*on_failed)(void *ctx, size_t target, const char *ip,
	    const char *to, const struct err *);
	void *ctx; /* borrowed */
};

struct reach;

/* NULL: no memory. */
struct reach *reach_new(const struct reach_config *);
void reach_free(struct reach *);

/* How many candidates there are: each address of each target. */
size_t reach_count(const struct reach *);

/*
 * Connect to the first candidate that answers and is not dead: its number,
 * with *io filled and its address in ip ("" behind a proxy, where nobody
 * knows it); -1 with *e (stage connect, scope host) when none did. Those
 * that failed are dead.
 */
long reach_next(
    struct reach *, struct io *, char ip[OUTCOME_IP_MAX], struct err *e);

/* The number of a candidate's target. */
size_t reach_target(const struct reach *, size_t candidate);

/* What is dialled for a candidate, the proxy if there is one. */
void reach_dialled(
    const struct reach *, size_t candidate, char to[OUTCOME_IP_MAX]);

/* It will not do: it is not tried again. */
void reach_dead(struct reach *, size_t candidate);

/* True if all are dead. */
bool reach_over(const struct reach *);

#endif
