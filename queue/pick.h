/*
 * pick: which entries of a queue a run tries, and in which order.
 * Called by queue/runner.c, first for all, then for each that is locked, and by
 * cli/queuelist.c.
 * It locks nothing, reads no clock and decides nobody.
 * The project's own design; sendmail(8) for -qI, -qR and -qS.
 * Ownership: picks_free() frees what picks_read() made.
 */
#ifndef QUEUE_PICK_H
#define QUEUE_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/entry.h"

struct err;
struct folder;

/* Borrowed octets that are in something, case-blind, or must not be; NULL:
 * any. */
struct pick_part {
	const char *text;
	bool absent;
};

/* All that is said must be true of an entry. What is on hold is never wanted;
 * of one with nobody open no address need fit: it only is to be removed. */
struct pick_filter {
	bool due; /* only what is due */
	const char *const *ids; /* borrowed: only these; none if nids is 0 */
	size_t nids;
	/* In its id, in one of the addresses that are still open, and in that
	 * of its sender. */
	struct pick_part id, rcpt, sender;
};

/* All that it says but whether it is due; on hold or not. */
bool pick_fits(const struct pick_filter *, const struct entry *);

bool pick_wants(const struct pick_filter *, const struct entry *, int64_t now);

struct pick {
	char id[ENTRY_ID_SIZE];
	char *by; /* owned: its account and domain; NULL: it is unreadable */
};

struct picks {
	struct pick *at; /* owned */
	size_t n, size;
	size_t next; /* the first that was not taken yet */
};

/*
 * What the filter wants of a folder, and what cannot be read, in the order to
 * try it: together what is of one account and one domain, the oldest first. 0,
 * or -1 with *e (machine). All zero to begin with; picks_free() in any case.
 */
int picks_read(struct picks *, const struct folder *,
    const struct pick_filter *, const struct entry_now *, struct err *e);

/* Put one id more behind the others: 0, or -1 without memory. */
int picks_add(struct picks *, const char *id);
void picks_free(struct picks *);

#endif
