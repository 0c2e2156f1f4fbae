/*
 * date: a moment as the fields of a message have it.
 * Called by who writes Date, and by reports.
 * It reads no clock and no zone.
 * RFC 5322 3.3.
 * Ownership: the caller's buffer.
 */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include <stdint.h>

#define DATE_MAX 64

/*
 * Seconds since 1970, UTC, as "Tue, 1 Jul 2003 07:52:37 +0200" in a zone so
 * many minutes east of UTC, within a day. A moment of the first day, or behind
 * the year 9999, becomes the nearest that can be written in any zone. Returns
 * out.
 */
const char *date_text(int64_t moment, int zone, char out[DATE_MAX]);

#endif
