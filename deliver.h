/*
 * deliver: what next: plans to routes, routes to workers, all to outcomes.
 * Called by who has a source of mails; it forks one worker a route.
 * It reads no config and prints nothing, and believes no worker unchecked.
 * RFC 5321 4.5.4.1 (alternate addresses), 5.1; the project's own design.
 * Ownership: plans, messages and envelopes are borrowed from the source.
 */
#ifndef DELIVER_H
#define DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source.h"
#include "worker.h"

struct err;
struct relay;

/* A line of a worker's dialogue; everything is borrowed for the call. */
struct deliver_line {
	const char *host; /* the present target's name */
	unsigned worker; /* which one, counted from 1 */
	bool many; /* several workers run */
	int from; /* an enum line_from */
	const char *s; /* the octets as they were, without line end */
	size_t n;
};

struct deliver_config {
	struct worker_config worker;
	unsigned jobs; /* workers at once, at least 1 */
	void (*on_line)(void *ctx, const struct deliver_line *);
	/*
	 * A worker of this relay is made next: its secrets are to be where
	 * the relay points to; `again` when the server refused the token that
	 * was there. 0; 1: `again`, and there is nothing else; -1 with *e.
	 * NULL: no relay has any.
	 */
	int (*on_secret)(
	    void *ctx, const struct relay *, bool again, struct err *e);
	/* The worker has its copy, or will not be made: they are to be wiped.
	 * May be NULL. */
	void (*on_secret_done)(void *ctx, const struct relay *);
	void *ctx; /* borrowed: for all of them */
};

/*
 * Deliver what the source has, plan after plan, several at once while there
 * are places for workers. When it returns, every recipient of every plan that
 * was asked for has an outcome, and each plan is done. The first is always
 * asked for; after a stop signal no other is.
 * A server that could not be reached, or with which no session could be
 * opened, is tried once: later workers pass it over, for the same reason.
 */
void deliver(const struct deliver_config *, const struct source *);

#endif
