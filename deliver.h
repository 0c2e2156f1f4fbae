/*
 * deliver: what next: routes to workers, hosts to outcomes.
 * Called by queue/submit.c with a plan; it forks one worker a route.
 * It reads no config and prints nothing; it alone acts on an error's scope.
 * RFC 5321 4.5.4.1 (alternate addresses), 5.1; the project's own design.
 * Ownership: plan, message and envelope are borrowed.
 */
#ifndef DELIVER_H
#define DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/dial.h"

struct envelope;
struct err;
struct message;
struct observer;
struct plan;
struct waiter;

struct deliver_config {
	const char *helo; /* borrowed; NULL: address literal */
	int64_t timeout; /* --timeout in ms, 0: the defaults */
	const struct endpoint *source; /* borrowed: --source-ip, or NULL */
	unsigned jobs; /* workers at once, at least 1 */
	const struct waiter *waiter; /* borrowed */
	bool show_lines; /* workers send the dialogue up */
	/* Lines of all workers: `worker` counts from 1, `host` is the
	 * target's name, `many` says that several workers run. */
	void (*on_line)(void *ctx, const char *host, unsigned worker, bool many,
	    int from, const char *s, size_t n);
	void *ctx; /* borrowed: for on_line */
};

/*
 * Deliver the message along the plan. When it returns, every recipient has
 * an outcome; there is nothing else to say.
 */
void deliver(const struct deliver_config *, const struct plan *,
    const struct message *, struct envelope *);

#endif
