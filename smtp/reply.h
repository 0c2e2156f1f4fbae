/*
 * reply: SMTP replies from octets, by a pure, bounded parser.
 * Called by wire.c and the script player; fed any cut of the stream.
 * It reads no socket and keeps no state beyond its struct.
 * RFC 5321 4.2, 4.2.1; RFC 3463, RFC 2034 (enhanced codes).
 * Ownership: a reply owns its text until reply_free().
 */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Limits: octets of a line read, octets of it kept, lines, octets kept. */
#define REPLY_LINE_MAX (64 * 1024)
#define REPLY_LINE_KEPT 2048
#define REPLY_LINES_MAX 100
#define REPLY_TEXT_MAX (64 * 1024)

enum reply_status {
	REPLY_MORE, /* well so far, not whole yet */
	REPLY_DONE, /* whole: code, enhanced and text are set */
	REPLY_BAD /* malformed or over a limit: drop the connection */
};

struct reply {
	int code; /* 200 to 599 */
	struct enhanced enhanced; /* of the first line that has one and whose
				     class is the code's first digit */
	struct buf text; /* owned: the lines' text without codes, LF between
			      them; enhanced codes stay in it */
	size_t lines; /* lines seen */
	const char *bad; /* static: why it is malformed, NULL if not */
	struct buf line; /* owned: a line that is not whole yet */
	size_t line_len; /* octets of it read, kept or not */
	size_t octets; /* octets of the whole reply so far */
};

void reply_init(struct reply *);
void reply_free(struct reply *);

/* Ready for the next reply; memory is kept. */
void reply_reset(struct reply *);

/*
 * Take octets up to the end of one reply: *used says how many were taken
 * (all of n with REPLY_MORE; the octets behind them belong to the next
 * reply). Lines end in CRLF or LF. A code is [2-5][0-9][0-9]; behind it
 * stand a space, a hyphen or the end of the line. Different codes in one
 * reply, a NUL and an empty line are malformed.
 */
enum reply_status reply_feed(
    struct reply *, const char *s, size_t n, size_t *used);

/* First digit. */
int reply_class(const struct reply *);

/* The text of line i (0-based): pointer and length, NULL if there is none. */
const char *reply_line(const struct reply *, size_t i, size_t *len);

/*
 * The server's words for a person, one line, printable, cut to fit:
 * "550 5.1.1 No such user". Lines are joined by a space. Returns dst.
 */
char *reply_words(const struct reply *, char *dst, size_t size);

#endif
