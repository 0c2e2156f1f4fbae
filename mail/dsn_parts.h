/*
 * dsn_parts: what a report of delivery says, to people and to programs.
 * Called by mail/dsn.c, which makes a message of it.
 * Pure. What a server or a sender wrote is data: it begins no line.
 * RFC 3464 2, RFC 3463, RFC 6533 3 (addresses in UTF-8).
 * Ownership: everything is borrowed for the call.
 */
#ifndef MAIL_DSN_PARTS_H
#define MAIL_DSN_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "mail/compose.h"

struct buf;
struct envelope;
struct message;
struct recipient;

enum dsn_kind {
	DSN_FAILED, /* refused, or not delivered in time */
	DSN_DELAYED, /* not yet; it is tried again */
	DSN_RELAYED, /* accepted by a server that sends no reports */
	DSN_KINDS
};

struct dsn_rcpt {
	const struct recipient *r;
	int64_t tried; /* the last time; 0: never */
	/* An earlier try may have delivered; of the last one the outcome
	 * says it itself. */
	bool in_doubt;
};

/* Moments are seconds since 1970. */
struct dsn_config {
	enum dsn_kind kind; /* of all of its recipients */
	const char *host; /* our own name, ASCII, a literal with brackets */
	int64_t now;
	int zone; /* minutes east of UTC, within a day */
	int64_t arrived; /* when the message came */
	int64_t until; /* DSN_DELAYED: it is given up then */
	unsigned char random[COMPOSE_RANDOM];
	const struct envelope *env; /* of the message that is reported on */
	const struct dsn_rcpt *rcpt; /* those of its recipients */
	size_t n;
	const struct message *m; /* as it was queued */
	bool headers_only; /* even if RET=FULL asks for all of it */
};

/*
 * The status of a recipient (RFC 3463): its class from what became of it,
 * the rest from the server's enhanced code, or else from its reply code or
 * the kind of trouble, as far as they say anything; x.0.0 if they do not.
 */
struct enhanced dsn_status(const struct recipient *, enum dsn_kind);

/* The text for people, appended: lines with LF ends. `whole`: the message
 * itself is behind it, not only its header. */
void dsn_put_text(struct buf *, const struct dsn_config *, bool whole);

/*
 * The fields of message/delivery-status, or, with `utf8`, of
 * message/global-delivery-status, appended: one block for the message and one
 * for each recipient. Without `utf8` all of it is ASCII.
 */
void dsn_put_status(struct buf *, const struct dsn_config *, bool utf8);

/* Most octets of what dsn_clean() makes, and its NUL: a line with it and a
 * field's name is below 998. */
#define DSN_CLEAN_MAX 800

/* Text from outside, cut to fit, with no control character in it, in UTF-8
 * or, if so wished, in ASCII: what cannot stand is \xNN. Returns out. */
const char *dsn_clean(char out[DSN_CLEAN_MAX], const char *s, bool ascii);

#endif
