/*
 * leave: recipients whom only the runner of another queue can serve go there.
 * Called by queue/keep.c for a new message, by queue/runner.c for one that was
 * queued before there was such a queue.
 * It tries nothing, and notes nothing in the entry that they come from.
 * RFC 5321 4.2.5 (whose the message is); queue/spool.h (a death in between).
 * Ownership: borrows message and envelope; closes the folder that it is given.
 */
#ifndef QUEUE_LEAVE_H
#define QUEUE_LEAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/entry.h"

struct envelope;
struct err;
struct folder;
struct message;
struct recipient;

/* All zero: there is no other queue. */
struct leave_config {
	/* True of those recipients. NULL: there are none. */
	bool (*is_left)(const void *ctx, const struct recipient *);
	/* The folder of that queue, to be closed by who asked: 0, or -1 with
	 * *e. */
	int (*open)(const void *ctx, struct folder **, struct err *e);
	const void *ctx; /* borrowed */
	const char *id; /* borrowed: as of struct entry_new */
	int64_t arrived; /* the same */
};

/* How many of the envelope are to go there. */
size_t leave_count(const struct leave_config *, const struct envelope *);

/*
 * Put them there, as one entry of no account: 0 and its id, once it would
 * outlive the power, and they are OUTCOME_QUEUED with the reason that they
 * had. -1 with *e as of spool_put(): all are as they were.
 */
int leave(const struct leave_config *, struct envelope *,
    const struct message *, char id[ENTRY_ID_SIZE], struct err *e);

#endif
