/*
 * aside: entries that nobody tries again, set aside for a person to look at.
 * Called by queue/spool.c, which finds them, and by what lists and removes.
 * It reads no entry: what is in them is not believed.
 * rename(2), fsync(2); the states are in the table of queue/spool.h.
 * Ownership: folders are borrowed, what is told is the callback's for a call.
 */
#ifndef QUEUE_ASIDE_H
#define QUEUE_ASIDE_H

#include <stdint.h>

#include "base/err.h"
#include "queue/entry.h"

struct folder;

/*
 * Move what is called `name` to broken/ID, with the sentence of *why beside
 * it: 0; 1: it is there no longer; -1 with *e, which may be `why`.
 */
int aside_put(const struct folder *, const char *name, const char *id,
    const struct err *why, struct err *e);

/* One that was. */
struct aside {
	char id[ENTRY_ID_SIZE];
	uint64_t size; /* of the file, octets */
	char why[ERR_TEXT_MAX]; /* one sentence, printable; "": unknown */
};

/*
 * Each of them, the oldest first. Non-zero from fn ends it, and is returned;
 * else 0, or -1 with *e (temporary, machine).
 */
typedef int aside_fn(void *ctx, const struct aside *);
int aside_list(const struct folder *, aside_fn *fn, void *ctx, struct err *e);

/* That one: true if it is there. */
bool aside_find(const struct folder *, const char *id, struct aside *);

/* Remove it, with its reason: 0; 1: there is none of that id; -1 with *e. */
int aside_remove(const struct folder *, const char *id, struct err *e);

#endif
