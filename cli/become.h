/*
 * become: root as the owner of the machine's queue.
 * Called by run.c before it opens that queue, reads the configuration for it
 * or fetches a secret: what its owner cannot read, root does not read for him.
 * It does nothing for anybody else, and where the queue is root's.
 * setresuid(2), initgroups(3), pidfd_open(2). Ownership: borrows all.
 */
#ifndef CLI_BECOME_H
#define CLI_BECOME_H

#include <stdbool.h>

struct err;
struct spools_place;
struct waiter;

/* True if this is the machine's queue, we are root, and it is another's. */
bool become_is_wanted(const struct spools_place *);

/*
 * Have fn run in a process that is the owner's for good, with his groups and
 * home, and wait for it; a stop signal is passed on. Its exit code, 0 to 255;
 * or -1 with *e (temporary, machine).
 */
int become_run(const struct spools_place *, const struct waiter *,
    int (*fn)(void *ctx), void *ctx, struct err *e);

#endif
