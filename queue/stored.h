/*
 * stored: an entry as it lies on the disk, read by its descriptor.
 * Called by queue/spool.c and queue/intake.c, which open and check the file.
 * It opens nothing, writes nothing and decides nothing.
 * pread(2); queue/entry.h and queue/journal.h have the format.
 * Ownership: the descriptor is the caller's.
 */
#ifndef QUEUE_STORED_H
#define QUEUE_STORED_H

#include <stddef.h>
#include <stdint.h>

struct entry;
struct entry_now;
struct err;

/* Read from the descriptor that `fd`, an int *, points to; as octets_fn of
 * mail/message.h. */
long stored_read(void *fd, uint64_t off, void *to, size_t n, struct err *e);

/* Read head and journal: 0, or -1 with *e as entry_read_head() has it.
 * entry_free() is due in both cases. */
int stored_entry(struct entry *, const char *id, int *fd,
    const struct entry_now *now, struct err *e);

#endif
