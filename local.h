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
	/* Recipients whose mailbox this process may not write go to the
	 * machine's queue (queue/keep.h). So such a mailbox is no mistake of
	 * the configuration: the error is temporary and says who has it. */
	bool is_left;
};

/* A message for mailboxes. */
struct local_work {
	const struct local_config *c;
	/* The message; or NULL, and it is in `file`. Then the process that
	 * is the user's parses it, as hostile input: root must not. */
	const struct message *m;
	const struct message_file *file;
	/* Of the message in `file`, as struct message has them. */
	bool is_signed;
	unsigned signed_takes;
	const char *sender; /* reverse-path, "" for the null one */
	/* There is a process of root's that writes what we may not (hand.h):
	 * a mailbox that is not ours is no error for local_find(). */
	bool asks;
	const struct waiter *waiter;
};

/* True if this process can write the mailbox of that user: it is root's; or it
 * is the user's own, and his mbox is there or he may make one. */
bool local_is_ours(const struct local_config *, const struct user *);

/*
 * The mailbox of that name (n octets): 0 and whose it is; or -1 with *e:
 * permanent, data: there is no such user (5.1.1), or the message was in that
 * mailbox before (5.4.6; only if work->m is there to be looked at); config:
 * this process may not write it; temporary, machine: it cannot be told who
 * is a user. Nothing is written.
 */
int local_find(const struct local_work *, const char *name, size_t n,
    struct user *, struct err *e);

/*
 * Put the message there, in a child process that becomes the user for good
 * and is waited for (DEPOSIT_MS and some seconds at the most, then it is
 * killed). 0, or -1 with *e. *doubt: the child ended without a word, so the
 * message may be in the mailbox all the same.
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
