/*
 * hand: a message of the machine's queue to the mailboxes that only root can
 * write: its runner, who is no longer root, asks the process that he was
 * forked from.
 * Called by worker.c, which asks, and by cli/become.c, which is asked.
 * Whoever is asked believes nothing: which mailboxes there are, and how they
 * are written, he reads himself; the message must be the asker's own file.
 * unix(7) SCM_RIGHTS, SOCK_SEQPACKET. Ownership: everything is borrowed.
 */
#ifndef HAND_H
#define HAND_H

#include <sys/types.h>
#include <stdbool.h>

#include "local.h"

struct err;

/*
 * Ask, by the socket, for what local_put() does: the message must have its
 * `file`, as those of a queue have. The same results; *doubt also if nobody
 * answers.
 */
int hand_over(const struct local_work *, const char *account,
    const struct user *, int root, bool *doubt, struct err *e);

struct hand_config {
	uid_t runner; /* who asks, and whose files messages are */
	const char *folder; /* of his queue: messages are on its file system */
	/* How mail is written of that account, "" for none: 0, or -1 with *e.
	 * Asked in a process that has nothing else to do, and may keep what it
	 * points to. */
	int (*config)(void *ctx, const char *account, struct local_config *,
	    struct err *e);
	const struct waiter *waiter;
	void *ctx; /* borrowed: for config */
};

/*
 * Take one request, which waits at the socket, and have a process see to it:
 * its pid, which is to be reaped; 0: it was none; -1: there will be no more.
 */
pid_t hand_take(const struct hand_config *, int root);

#endif
