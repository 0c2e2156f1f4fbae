/*
 * runner: the messages of a queue's folder to their outcomes.
 * Called by cli/run.c, which knows accounts and where the folder is.
 * It knows no argv, prints nothing and waits for nobody: deliver.c does.
 * RFC 5321 4.5.4.1 (strategy), 4.2.5 (whose the message is); spool.h.
 * Ownership: everything in the configuration is borrowed.
 */
#ifndef QUEUE_RUNNER_H
#define QUEUE_RUNNER_H

#include <stddef.h>
#include <stdint.h>

#include "deliver.h"
#include "mx.h"
#include "queue/leave.h"
#include "queue/pick.h"
#include "queue/reports.h"

struct entry;
struct err;
struct folder;
struct locals_config;

/* How mail of one account is sent, and for how long it is tried. */
struct runner_account {
	const struct relays *by; /* borrowed */
	/* ms; a notice below 0: nobody hears of a delay. */
	int64_t lifetime, notice;
	const struct locals_config *locals; /* borrowed; NULL: none */
	bool local_senders; /* may be names of this machine */
	/* Who is served by another queue's runner, which did not take them when
	 * they were queued. */
	struct leave_config leave;
};

struct runner_config {
	const struct folder *folder;
	const char *base; /* the folder whose `stamp` this run touches */
	struct mx_config mx;
	struct deliver_config deliver;
	struct pick_filter filter;
	bool *found; /* one for each id of the filter: set if it is there */
	/* Its lifetime is the account's, its callback ours. */
	struct reports_config reports;
	/*
	 * An account by its name, "" for none: 0, or -1 with *e where it is
	 * not there now, and its mail is deferred; lifetime and notice are
	 * filled in any case.
	 */
	int (*account)(void *ctx, const char *name, struct runner_account *,
	    struct err *e);
	/* What became of a recipient in this try, once it is noted; the entry
	 * has it. May be NULL. */
	void (*on_attempt)(
	    void *ctx, const struct entry *, size_t rcpt, int64_t now);
	/* What else happened: set aside, not to be had, kept. The entry is
	 * NULL where it was not opened, the id "" where it is about the
	 * folder. May be NULL. */
	void (*on_note)(
	    void *ctx, const struct entry *, const char *id, const char *text);
	void *ctx;
};

/* What a run did: messages, but where it says otherwise. */
struct runner_result {
	size_t tried;
	size_t delivered, deferred, failed; /* recipients */
	size_t noted; /* of which something was noted, or that were removed */
	size_t reports; /* made */
	struct err trouble; /* the first of this machine's that was met */
};

/*
 * Try what the filter wants, and the reports that come of it. Entries that
 * another run has are passed over; what a stop signal leaves undone is as if
 * it had not been tried. 0, or -1 with *e (machine) if the folder could not be
 * read.
 */
int runner_run(
    const struct runner_config *, struct runner_result *, struct err *e);

#endif
