/*
 * journal: what became of an entry so far, in the file behind its message.
 * Called by queue/spool.c, which writes and syncs each frame before the next.
 * It opens no file and reads no clock; what it reads is hostile.
 * RFC 5321 4.5.4.1; the project's own design.
 * Ownership: buffers are the caller's; what is read goes into the entry.
 */
#ifndef QUEUE_JOURNAL_H
#define QUEUE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/dsn_parts.h"

struct buf;
struct entry;
struct entry_new;
struct err;
struct octets;
struct outcome;

/* Most recipients in one frame. */
#define JOURNAL_RCPTS_MAX 8000

/* More octets than a frame takes. */
#define JOURNAL_FRAME_MAX (66u * 1024)

/*
 * Append one frame; the numbers are those of the entry's envelope. A buffer
 * that fails says so itself.
 *
 * The last octets go out next for these recipients: from here to their
 * outcome it is not known whether they have the message.
 */
void journal_put_final(struct buf *, const size_t *rcpts, size_t n);
/* They all got this outcome, at a moment in ms since 1970. */
void journal_put_outcome(struct buf *, const size_t *rcpts, size_t n,
    const struct outcome *, int64_t when);
/* When it is tried next, ms since 1970, and how often it was. */
void journal_put_try(struct buf *, int64_t next_try, unsigned tries);
/* The sender was told of them, in one report. */
void journal_put_report(
    struct buf *, const size_t *rcpts, size_t n, enum dsn_kind, int64_t when);
/* It is held, or no more. */
void journal_put_hold(struct buf *, bool hold);

/* Append the frames of a new entry: how those of its recipients that were
 * tried already were deferred. */
void journal_put_first(struct buf *, const struct entry_new *, int64_t when);

/*
 * Read the journal of an entry whose head was read, to its end or to the last
 * frame if that is torn. 0, or -1 with *e: kind data if it is malformed,
 * anything else if it could not be read now.
 */
int journal_read(struct entry *, const struct octets *file, struct err *e);

#endif
