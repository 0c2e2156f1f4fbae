/*
 * record: typed, length-prefixed fields; the one binary format of the house
 * (worker to parent; envelopes and journals of the queue).
 * Written with record_begin/put, read with record_open/next.
 * The reader takes every octet as hostile: it checks bounds before use.
 * Ownership: a reader borrows the octets; strings in it are not NUL-ended.
 *
 * Layout, little-endian: u32 length of all that follows, u16 type, then
 * fields: u16 tag, u16 kind (1 number, 2 octets), u32 length, octets; a
 * number is 8 octets.
 */
#ifndef BASE_RECORD_H
#define BASE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* Longest record that is written or believed, octets. */
#define RECORD_MAX (64 * 1024)

enum field_kind { FIELD_NUMBER = 1, FIELD_OCTETS = 2 };

struct field {
	unsigned tag;
	enum field_kind kind;
	uint64_t number;
	const char *octets; /* borrowed from the record */
	size_t len;
};

struct record {
	unsigned type;
	const unsigned char *at; /* borrowed: next field */
	const unsigned char *end;
};

/* Start a record of `type` at the end of the buffer; end it with _end(). */
size_t record_begin(struct buf *, unsigned type);
void record_number(struct buf *, unsigned tag, uint64_t);
void record_octets(struct buf *, unsigned tag, const void *, size_t n);
void record_string(struct buf *, unsigned tag, const char *);
/* `mark` is what record_begin() returned. */
void record_end(struct buf *, size_t mark);

/*
 * Read the record that starts at p: octets it takes, 0 if it is not whole
 * yet, -1 if it is malformed (too long, fields that overrun).
 */
long record_open(struct record *, const void *p, size_t n);

/* Next field: 1, 0 at the end, -1 malformed. */
int record_next(struct record *, struct field *);

/* Copy octets into a NUL-ended string: 0, or -1 if it is too long or has a
 * NUL inside. */
int field_str(const struct field *, char *dst, size_t size);

#endif
