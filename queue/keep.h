/*
 * keep: those whom a first try did not reach go into the queue; from then on
 * the message is our responsibility.
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
	bool only; /* nothing was tried: the next run is the first try */
	/* Recipients that failed for good are kept as well, so that the next
	 * run sends the sender a report on them. */
	bool failed_too;
	/* But not if there are no others to keep: the caller tells of the
	 * failure itself then. */
	bool failed_not_alone;
	const char *account; /* borrowed: by which it goes; NULL: none */
	const char *id; /* borrowed: of the entry (entry.h); NULL: drawn */
	void (*draw)(void *to, size_t n); /* random octets */
	/* Recipients whose mailbox this process may not write, while root's
	 * run of the machine's queue may. If it has `open`, they get an entry
	 * of their own there; if not, the queue above is that one, they stay
	 * with the others, and the entry is due at once. */
	struct leave_config leave;
	/* Told why the queue did not take what it should have. May be NULL. */
	void (*on_lost)(void *ctx, const struct err *);
	void *ctx; /* borrowed */
};

/*
 * Keep the recipients that are pending, deferred, or failed for a reason that
 * a person may mend (queue/retry.h).
 *
 * 0: they are in an entry that would outlive the power, named by the
 * envelope's queue_id, or there were none. They are OUTCOME_QUEUED, each with
 * the reason it had; its verdict is permanent if it was. Those that failed for
 * good stay failed, whether they are in the entry or not. With
 * leave.open there may be an entry in each queue, both of the same id.
 * -1 with *e (temporary, machine): nothing is kept and all outcomes are as
 * they were, except for recipients that the second queue has taken.
 */
int keep(const struct keep_config *, struct envelope *, const struct message *,
    struct err *e);

#endif
