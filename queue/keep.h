/*
 * keep: what a first try leaves goes into the queue, from then on ours.
 * Called by queue/submit.c, after the try or instead of it.
 * It tries nothing and knows no folder but the one that it is handed.
 * RFC 5321 4.2.5, 6.1 (whose the message is).
 * Ownership: borrows message and envelope; closes the folder that it is given.
 */
#ifndef QUEUE_KEEP_H
#define QUEUE_KEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "queue/leave.h"

struct envelope;
struct err;
struct folder;
struct message;

struct keep_config {
	/* The folder, once it is wanted, to be closed by who asked: 0, or -1
	 * with *e. NULL: the queue is off. */
	int (*open)(void *ctx, struct folder **, struct err *e);
	bool only; /* nothing is tried now */
	/* Who failed for good is kept as well, so that the next run reports it
	 * to the sender; also where nobody else is kept, unless that is told
	 * him by whoever calls. */
	bool failed_too;
	bool failed_not_alone;
	const char *account; /* borrowed: by which it goes; NULL: none */
	const char *id; /* borrowed: of the entry (entry.h); NULL: drawn */
	void (*draw)(void *to, size_t n); /* random octets */
	/* Recipients whom somebody else can deliver to at once: who runs that
	 * queue; without its `open`, the first. */
	struct leave_config leave;
	/* Told why the queue did not take what it should have. May be NULL. */
	void (*on_lost)(void *ctx, const struct err *);
	void *ctx; /* borrowed */
};

/*
 * Keep those who are not decided, deferred, or failed for a reason that a
 * person may mend (queue/retry.h). 0: they are in one entry, which outlives
 * the power and has the envelope's queue_id; they are OUTCOME_QUEUED with the
 * reason they had, whose verdict stays permanent if it was. So it is if there
 * are none. Who failed for good stays so, kept or not. With a second queue
 * there may be one in each, of the same id. -1 with *e: nothing is kept, and all
 * are as they were, but those of a second queue that has them.
 */
int keep(const struct keep_config *, struct envelope *, const struct message *,
    struct err *e);

#endif
