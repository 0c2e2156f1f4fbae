/*
 * resolve: names in a queued message that could not be told until now.
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
 * Resolve those: each becomes, in the entry as it is read, one whom he stands
 * for, or is decided; others stand behind all, pending or decided, and then
 * the entry was written anew. Where local names mean nothing they stay as they
 * are. 0, or -1 with *e (temporary, machine): the entry in memory is of no
 * more use.
 */
int resolve_entry(const struct locals_config *, struct spool_item *,
    const struct entry_now *, struct err *e);

#endif
