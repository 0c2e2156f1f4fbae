/*
 * worker: one route, from the first connection to the last outcome: all mails
 * that go there, one after the other over one connection.
 * Called by deliver.c in a forked process; its news go up a socket pair.
 * It asks no DNS, reads no config and prints nothing.
 * RFC 5321 5.1 (the next host), 4.5.4.1, 3.3 (several mails).
 * Ownership: everything is borrowed; envelopes are the process's own copies.
 */
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/wait.h"

struct mail;
struct reach_down;
struct route;

struct worker_config {
	const struct waiter *waiter; /* borrowed */
	/* All waits before the last octets of a message end by then. */
	struct wait_bound bound;
	bool show_lines; /* send the dialogue up */
	/* Borrowed: a socket to ask root by for mailboxes (hand.h); NULL:
	 * there is nobody to ask. */
	const int *root;
	/* These are deliver.c's to say. */
	bool fresh; /* the token was fetched anew: it is not asked for again */
	bool asks; /* who hears NEWS_FINAL answers, and is waited for */
	const struct reach_down *down; /* borrowed: servers not to be tried */
	size_t ndown;
};

/*
 * Deliver to the route's pending recipients in `mails`, the plan's, and send
 * each outcome up `up` as news.h has it; returns when all are told, or when
 * nobody listens any more.
 */
void worker_run(const struct worker_config *, const struct route *,
    const struct mail *mails, int up);

#endif
