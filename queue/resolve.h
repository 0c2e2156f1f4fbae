/*
 * resolve: local names in a queued message of which nobody could say so far
 * whom they stand for.
 * Called by queue/runner.c before an entry is planned.
 * It decides nothing but what queue/locals.h decides, and notes nothing.
 * RFC 5321 3.9; queue/spool.h (an entry is written anew).
 * Ownership: everything is borrowed for the call.
 */
#ifndef QUEUE_RESOLVE_H
#define QUEUE_RESOLVE_H

#include <stdbool.h>

struct entry;
struct entry_now;
struct err;
struct locals_config;
struct spool_item;

/* True if a pending recipient is unresolved. */
bool resolve_is_due(const struct entry *);

/*
 * Resolve the unresolved recipients of an entry. Each is replaced, in memory,
 * by one of those that he stands for, or is decided. If he stands for more,
 * the others are added behind all recipients, and the entry is written anew,
 * since the journal knows recipients by their numbers. Where local names mean
 * nothing all stay as they are. 0; or -1 with *e (temporary, machine), and the
 * entry in memory is not to be used any more.
 */
int resolve_entry(const struct locals_config *, struct spool_item *,
    const struct entry_now *, struct err *e);

#endif
