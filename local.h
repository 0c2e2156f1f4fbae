/*
 * local: a message into a mailbox of this machine, as its owner.
 * Called by worker.c for each recipient without a domain; relay.c plans by
 * the configuration, which cli/locally.c makes.
 * It speaks to no server and resolves no alias: names are mailboxes here.
 * setresuid(2), initgroups(3), prctl(2).
 * Ownership: everything is borrowed.
 */
#ifndef LOCAL_H
#define LOCAL_H

#include <stdbool.h>
#include <stddef.h>

#include "deposit.h"

struct local_config {
	struct deposit_config box;
	/* Who may not write a mailbox leaves that to somebody who may: it is
	 * no mistake of the configuration then. */
	bool is_left;
};

/* A message for mailboxes. */
struct local_work {
	const struct local_config *c;
	const struct message *m;
	const char *sender; /* reverse-path, "" for the null one */
	const struct waiter *waiter;
};

/*
 * The mailbox of that name (n octets): 0 and whose it is, or -1 with *e:
 * there is none (5.1.1), the message was there before (5.4.6), we may not
 * write it (config), or nobody can tell now. Nothing is written.
 */
int local_find(const struct local_work *, const char *name, size_t n,
    struct user *, struct err *e);

/*
 * Put the message there, in a process that is that user's. 0, or -1 with *e;
 * *doubt says that it may be there all the same: that process ended, or was
 * ended, without a word.
 */
int local_put(
    const struct local_work *, const struct user *, bool *doubt, struct err *e);

#endif
