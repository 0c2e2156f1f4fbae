/*
 * reports: what the sender of a queued message is told, as new entries.
 * Called by queue/runner.c at the end of each try, and for what a dead one
 * left, before an entry is removed.
 * It sends nothing and reads no clock.
 * RFC 3461 4.1, 5.2 and 6, RFC 3464, RFC 5321 4.5.5 (null reverse-path).
 * Ownership: everything is borrowed for the call.
 */
#ifndef QUEUE_REPORTS_H
#define QUEUE_REPORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/dsn_parts.h"

struct entry;
struct entry_now;
struct err;
struct folder;
struct spool_item;

struct reports_config {
	const struct folder *folder; /* which the reports are put into */
	const char *host; /* our own name, ASCII, a literal with brackets */
	int zone; /* minutes east of UTC */
	int64_t lifetime; /* of an entry, ms: so long it is tried */
	bool local_senders; /* may be names of this machine: queue/locals.h */
	/* Told of each report once it is sure to last: whose, which, its id.
	 * May be NULL. */
	void (*on_report)(
	    void *ctx, const struct entry *, enum dsn_kind, const char *id);
	void *ctx;
};

/*
 * Tell the sender what is new by the outcomes that the entry has now: whom
 * it failed for, whom servers without DSN took it for, and, with `delayed`,
 * who still waits. One report for all of a kind, each recipient in one of a
 * kind once: it is put into the folder as a new entry, then noted in the
 * journal. A death in between repeats it, none loses it.
 * An entry with nobody open that reports_is_double() speaks of is put on hold.
 * 0, or -1 with *e (temporary): what is still due is due again.
 */
int reports_due(const struct reports_config *, struct spool_item *,
    const struct entry_now *, bool delayed, struct err *e);

/*
 * True if somebody did not get it and nobody can be told: it has a null
 * sender, like a report. Such an entry is kept for a person to look at, not
 * removed when nobody is open; a report on it would go round in circles.
 */
bool reports_is_double(const struct entry *);

#endif
