/*
 * received: the trace line that whoever takes a message adds to it.
 * Called by faces that take mail for others: -bs, and gateways.
 * Pure. It knows neither time nor names of its own.
 * RFC 5321 4.4 (its syntax), RFC 6531 4.3 (with), RFC 3848.
 * Ownership: all is borrowed; the line goes into the caller's buffer.
 */
#ifndef MAIL_RECEIVED_H
#define MAIL_RECEIVED_H

#include <stdint.h>

struct address;
struct buf;

struct received {
	/* What the client called itself; what is no host name or literal goes
	 * in as "unknown". NULL: it was no dialogue. */
	const char *from;
	const char *comment; /* who that was, in words; NULL: not known */
	const char *by; /* this host; the same holds */
	const char *via; /* a link that is not the Internet; NULL: it is */
	const char *with; /* "ESMTP", "UTF8SMTP", ...; NULL: none */
	const char *id; /* the queue's; NULL: none */
	const struct address *rcpt; /* if he is the only one; else NULL */
	int64_t when; /* seconds since 1970 */
	int zone; /* minutes east of UTC */
};

/*
 * Append "Received: ..." with its line ends (LF), folded. It has no octet
 * but printable ASCII, if the recipient has none; nothing in it can end the
 * line or a comment.
 */
void received_add(struct buf *, const struct received *);

#endif
