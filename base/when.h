/*
 * when: spans of time and moments as people and servers write them.
 * Called by cli for options and by smtp for limits.
 * It reads no clock.
 * RFC 3339 5.6 (date-time).
 * Ownership: the caller's buffers.
 */
#ifndef BASE_WHEN_H
#define BASE_WHEN_H

#include <stddef.h>
#include <stdint.h>

/* The longest span there is: nine digits, as RFC 2852 and RFC 4865 have it. */
#define WHEN_SPAN_MAX 999999999

/* 90, 90s, 15m, 2h, 1d: into seconds. 0, or -1 when it is none or too long. */
int when_span(const char *s, size_t n, int64_t *seconds);

/*
 * 2026-12-24T18:00:00Z, also with a fraction, which is dropped, or an offset
 * like +01:00: into seconds since 1970. 0, or -1 when it is none. A leap
 * second is the second behind it.
 */
int when_date(const char *s, size_t n, int64_t *moment);

/* And back, in UTC. Returns out. */
#define WHEN_DATE_MAX 32
const char *when_date_text(int64_t moment, char out[WHEN_DATE_MAX]);

#endif
