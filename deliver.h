/*
 * deliver: what next: routes to workers, hosts to outcomes.
 * Called by queue/submit.c with a plan; it forks one worker a route.
 * It reads no config and prints nothing, and believes no worker unchecked.
 * RFC 5321 4.5.4.1 (alternate addresses), 5.1; the project's own design.
 * Ownership: plan, message and envelope are borrowed.
 */
#ifndef DELIVER_H
#define DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker.h"

struct envelope;
struct err;
struct message;
struct observer;
struct plan;
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
 * Deliver the message along the plan. When it returns, every recipient has
 * an outcome; there is nothing else to say.
 */
void deliver(const struct deliver_config *, const struct plan *,
    const struct message *, struct envelope *);

#endif
