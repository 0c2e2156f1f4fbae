/*
 * queuelist: what waits in the queue, as mailq lists it, one message in
 * full, and both as JSON.
 * Called by queuecmd.c with the folders that the caller may read.
 * It locks nothing and changes nothing; who tries a message is not disturbed.
 * sendmail(8) and postqueue(1) for the columns; RFC 8259, RFC 3339.
 * Ownership: everything is borrowed for the call.
 */
#ifndef CLI_QUEUELIST_H
#define CLI_QUEUELIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "queue/entry.h"
#include "queue/pick.h"

struct err;
struct folder;

/* How to tell. */
struct queue_view {
	struct entry_now now;
	bool many; /* folders, each of which is named; shown: kept apart */
	bool json; /* an object a line */
	FILE *out;
	/* Of the list: these entries alone, and what cannot be read. */
	struct pick_filter only;
};

/*
 * What is in a folder that users add to (FOLDER_TAKE) is what they claim, and
 * nobody can change it: each message is told as one that is not taken in yet.
 *
 * A list over one folder after the other. NULL: no memory. `out` may take no
 * more at some point, which is the caller's to see.
 */
struct queuelist;
struct queuelist *queuelist_new(const struct queue_view *);

/* A folder's messages, the oldest first, and behind them those that were set
 * aside: 0, or -1 with *e if the folder could not be read. */
int queuelist_add(struct queuelist *, const struct folder *, struct err *e);

/* The last line, and the end of it. A list without messages that is not whole
 * has none: a folder that cannot be read is not empty. NULL is accepted. */
void queuelist_end(struct queuelist *, bool whole);

/* One message in full: true if there is one of that id. */
bool queuelist_show(
    const struct queue_view *, const struct folder *, const char *id);

#endif
