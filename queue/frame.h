/*
 * frame: records with a checksum, and fields as a queue's files have them.
 * Called by queue/entry.c and queue/journal.c, for what both do alike.
 * It opens no file; octets come by a callback and are taken as hostile.
 * ISO 3309 (CRC-32); base/record.h (what a frame holds).
 * Ownership: everything is borrowed, buffers are the caller's.
 *
 * A frame is, little-endian: u32 length of what it holds, u32 the same with
 * all bits turned over, u32 CRC-32 of it, the octets.
 */
#ifndef QUEUE_FRAME_H
#define QUEUE_FRAME_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct entry;
struct err;
struct field;
struct octets;

/* Octets of a frame before what it holds. */
#define FRAME_HEAD 12u

/* Numbers in files: none of them is ever used for anything else. */
enum queue_record {
	REC_ENVELOPE = 1,
	REC_RCPT = 2,
	REC_FINAL = 3,
	REC_OUTCOME = 4,
	REC_TRY = 5,
	REC_HOLD = 6,
	REC_REPORT = 7
};

/* Those of an outcome are mail/outcome.h's, and higher. */
enum queue_tag {
	TAG_ID = 1,
	TAG_ACCOUNT = 2,
	TAG_ARRIVED = 3,
	TAG_NEXT_TRY = 4,
	TAG_TRIES = 5,
	TAG_MESSAGE = 6,
	TAG_COUNT = 7,
	TAG_SENDER = 8,
	TAG_RETURN = 9,
	TAG_ENVID = 10,
	TAG_BY = 11, /* a moment, ms since 1970 */
	TAG_BY_MODE = 12,
	TAG_HOLD_UNTIL = 13,
	TAG_PRIORITY = 14,
	TAG_SUBMITTER = 15,
	TAG_ADDRESS = 16,
	TAG_DOMAIN = 17,
	TAG_GIVEN = 18,
	TAG_NOTIFY = 19,
	TAG_ORCPT = 20,
	TAG_RCPTS = 21,
	TAG_WHEN = 22,
	TAG_HOLD = 23,
	TAG_SIGNED = 24, /* for a server that takes so much */
	TAG_UID = 25, /* who queued it */
	TAG_REPORT = 26, /* an enum dsn_kind */
	TAG_UNRESOLVED = 27 /* 1: who he is on this machine is not known yet */
};

/* Start a frame at the end of the buffer; end it with frame_end(), to which
 * what frame_begin() returned is given. */
size_t frame_begin(struct buf *);
void frame_end(struct buf *, size_t mark);

/* What the FRAME_HEAD octets at p say that a frame holds, up to `max`; -1: it
 * is no frame. */
int64_t frame_len(const char *p, size_t max);
/* True if the n octets behind them are what was written. */
bool frame_good(const char *p, size_t n);

/* A number of four octets, little-endian. */
void frame_put_u32(char *p, uint32_t);
uint32_t frame_get_u32(const char *p);

/* A text in a record has its NUL, so that it can be used where it stands.
 * NULL is not written. */
void frame_put_text(struct buf *, unsigned tag, const char *);
/* NULL: the field is none. */
const char *frame_text(const struct field *);

/* Numbers with their bounds: 0, or -1. A moment is in ms since 1970. */
int frame_moment(int64_t *to, uint64_t);
int frame_small(unsigned *to, uint64_t, unsigned max);

/* What entries are read from. */
struct frame_source {
	const char *id; /* borrowed: for errors */
	const struct octets *file; /* borrowed */
	struct err *e; /* borrowed */
};

/* Fill *e and return -1: permanent, data, this is not what we wrote. */
int frame_malformed(const struct frame_source *, uint64_t at, const char *what);
/* Temporary, machine. */
int frame_no_memory(const struct frame_source *);
/* Append `n` octets from `off` on: 0, or -1 with *e: it could not be read. */
int frame_fetch(
    const struct frame_source *, struct buf *, uint64_t off, size_t n);

#endif
