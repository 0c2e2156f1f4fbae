/*
 * buf: a bounded, growing run of octets with a sticky error.
 * Called by every level; it never prints, never exits, knows no protocol.
 * A buffer that hit its limit or ran out of memory stays failed: the caller
 * adds as much as it likes and asks once, with buf_ok(), at the end.
 * Ownership: data belongs to the buffer; buf_free() wipes and releases it.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* owned; NUL stands behind the last octet when not NULL */
	size_t len; /* octets in use */
	size_t size; /* octets allocated */
	size_t max; /* most octets it may hold, the NUL not counted */
	bool failed; /* sticky: over max, or no memory, */
	bool starved; /* which is this */
};

/* An empty buffer that may grow to `max` octets; allocates nothing. */
void buf_init(struct buf *, size_t max);

/* Wipe and release; the buffer is empty and usable again. NULL is accepted. */
void buf_free(struct buf *);

/* Drop the content and the sticky error, keep the memory. */
void buf_reset(struct buf *);

/* Cut to `len` octets; a longer `len` than there is changes nothing. */
void buf_cut(struct buf *, size_t len);

/* Drop the first `n` octets (all of them, if there are fewer). */
void buf_consume(struct buf *, size_t n);

/* Append octets, a NUL-ended string, one octet, formatted text. */
void buf_add(struct buf *, const void *, size_t n);
void buf_adds(struct buf *, const char *);
void buf_addc(struct buf *, char);
void buf_addf(struct buf *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *, const char *fmt, va_list)
    __attribute__((format(printf, 2, 0)));

/*
 * Room for `n` more octets at the end: a pointer to write to, or NULL (the
 * buffer is then failed). buf_grew() says how many of them were written.
 */
char *buf_room(struct buf *, size_t n);
void buf_grew(struct buf *, size_t n);

/* True as long as nothing was lost. */
bool buf_ok(const struct buf *);

/* True if it failed for want of memory: what went over max fits nowhere. */
bool buf_starved(const struct buf *);

/* The content as a string, never NULL; borrowed until the next change. */
const char *buf_str(const struct buf *);

#endif
