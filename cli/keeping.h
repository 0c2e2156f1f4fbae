/*
 * keeping: is what fails for now kept, and in which queue?
 * Called by send.c once the accounts are known; by run.c for what a queue may
 * leave to another.
 * It opens no folder before a message is to go there.
 * The man page, section QUEUE.
 * Ownership: borrows the accounts; a struct keeping is plain data.
 */
#ifndef CLI_KEEPING_H
#define CLI_KEEPING_H

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/wait.h"
#include "cli/spools.h"
#include "queue/keep.h"
#include "queue/leave.h"

struct local_config;

struct accounts;
struct options;
struct settings;

struct keeping {
	bool on;
	bool only; /* without a try */
	const char *account; /* borrowed: of the entry; NULL: none */
	char of_file[PATH_MAX + 256]; /* the same, with the file of -C */
	/* Where to; not ok: why there is no such place. */
	struct spools_place place;
	struct err nowhere;
	/* Others may write mailboxes that we may not: who runs the machine's
	 * queue. */
	bool leaves;
	const struct local_config *mailboxes; /* borrowed: the account's */
	struct err lost; /* not ok: why the queue did not take the message */
	/* An option of the command line that is for one try only, so that
	 * the configuration's `queue` does not hold; NULL: none. */
	const char *one_try;
};

/*
 * By the settings of the chosen account and the options. An account whose
 * secret is closed to us goes to the machine's queue without a try. 0, or -1
 * with *e (usage, config): options, or the configuration, that go by no
 * account.
 */
int keeping_make(
    struct keeping *, const struct options *, struct accounts *, struct err *e);

/* True if the message goes to the machine's queue, whose runner has the
 * secrets that we may lack. */
bool keeping_by_machine(const struct keeping *);

/*
 * The bound of the try that begins now: `try_time` where sendmail's -od says
 * no more and a queue takes what is not sent by then; else none.
 */
struct wait_bound keeping_bound(
    const struct keeping *, const struct options *, const struct settings *);

/*
 * What is left to the runner of the machine's queue: recipients who have a
 * mailbox of this machine that we may not write, or make; another user's, most
 * often. Borrows.
 */
struct leave_config keeping_leave(const struct local_config *);

/* For struct submit_config. */
struct keep_config keeping_config(struct keeping *);

#endif
