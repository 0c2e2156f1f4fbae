/*
 * become: root runs the machine's queue as the owner of its folder.
 * Called by run.c before it opens that queue, reads the configuration for it
 * or fetches a secret, so that the owner gets nothing that only root can read.
 * It is for root alone, and only where the folder is another user's. Writing
 * mailboxes is the one thing that the owner may ask root for (hand.h).
 * setresuid(2), initgroups(3), pidfd_open(2). Ownership: borrows all.
 */
#ifndef CLI_BECOME_H
#define CLI_BECOME_H

#include <sys/types.h>
#include <stdbool.h>

struct err;
struct spools_place;
struct waiter;

/* True if this is the machine's queue, we are root, and it is another's. */
bool become_is_wanted(const struct spools_place *);

/* What the owner's process does, and what it may ask root for. */
struct become_job {
	/* In that process; `root` is a socket by which it may ask: its exit
	 * code. */
	int (*run)(void *ctx, int root);
	/* In this one: a request waits at the socket. As hand_take() of
	 * hand.h. */
	pid_t (*serve)(void *ctx, int socket);
	void *ctx; /* borrowed: for both */
};

/*
 * Have the job run in a process that is the owner's for good, with his groups
 * and home, wait for it, and see to what it asks for, a process for each
 * request; a stop signal is passed on to all. Its exit code, 0 to 255; or -1
 * with *e (temporary, machine).
 */
int become_run(const struct spools_place *, const struct waiter *,
    const struct become_job *, struct err *e);

#endif
