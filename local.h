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

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "deposit.h"

struct message_file;
struct outcome;

struct local_config {
	struct deposit_config box;
	const char *account; /* whose setting it is; "": nobody's */
	/* Who may not write a mailbox leaves that to somebody who may: it is
	 * no mistake of the configuration then. */
	bool is_left;
};

/* A message for mailboxes. */
struct local_work {
	const struct local_config *c;
	/* NULL: it is what `file` has, nobody has read it yet, and of that
	 * nothing is believed. */
	const struct message *m;
	const struct message_file *file;
	bool is_signed; /* the latter, as struct message has it */
	unsigned signed_takes;
	const char *sender; /* reverse-path, "" for the null one */
	/* Who may not write a mailbox has somebody to ask. */
	bool asks;
	const struct waiter *waiter;
};

/* True if we may write this user's mailbox: he is us, and it is there or can
 * be made. */
bool local_is_ours(const struct local_config *, const struct user *);

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

/* ---- what processes tell each other of it, for hand.c ---- */

/* Send what came of it to the socket `up`: never waits, and it is lost where
 * nobody listens any more. */
void local_say(int up, const struct outcome *);

/*
 * Wait at the socket `down` for what local_say() sends: the result of
 * local_put(). A stop is passed on to the process `pid`, which writes the
 * mailbox, as SIGTERM; -1: whoever writes hears of it by himself.
 */
int local_hear(const struct local_work *, const struct user *, pid_t pid,
    int down, bool *doubt, struct err *e);

#endif
