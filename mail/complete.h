/*
 * complete: the fields that a message must have and that its writer left out.
 * Called by queue/submit.c once Bcc is removed, before the message is planned.
 * Pure: clock, zone, randomness and names come as arguments.
 * RFC 5322 3.3, 3.4, 3.6 (fields), RFC 2045 4 to 6, RFC 1428 3 (charset).
 * Ownership: everything is borrowed; the fields go into the message's header.
 *
 * What is there stays as it is, letter for letter. A new field goes behind
 * the others: trace and Resent- blocks stand at the top and may not be cut
 * off from what they speak of (RFC 5321 4.4, RFC 5322 3.6), and no reader
 * minds where the others stand.
 */
#ifndef MAIL_COMPLETE_H
#define MAIL_COMPLETE_H

#include <stdbool.h>
#include <stdint.h>

struct address;
struct err;
struct message;

enum complete_mode {
	COMPLETE_AUTO, /* make it if there is none, or an empty one */
	COMPLETE_ON, /* ours in place of any */
	COMPLETE_OFF /* leave it as it is, or missing */
};

/* Random octets that a Message-ID takes: nobody can guess 128 bits. */
#define COMPLETE_RANDOM 16

struct complete_config {
	enum complete_mode from, date, msgid, to;
	bool undisclosed; /* To, Cc and Bcc become one To that names nobody */
	const struct address *author; /* NULL or null path: nobody is known */
	const char *full_name; /* any octets; NULL or "": none */
	const char *domain; /* the Message-ID's, where the author has none;
			       NULL or "": unknown */
	const char *recipients; /* a list as To has it, for COMPLETE_ON; NULL
				   or "": the message's own To stays */
	int64_t now; /* seconds since 1970, UTC */
	int zone; /* minutes east of UTC, within a day */
	unsigned char random[COMPLETE_RANDOM];
	/* Told each change in a line like "added Date: ..."; its octets are
	 * the message's, so it is not safe to show as it is. May be NULL. */
	void (*on_note)(void *ctx, const char *text);
	void *ctx;
};

/* True if complete() makes a From: a name is wanted only then. */
bool complete_makes_from(
    const struct message *, const struct complete_config *);

/*
 * Add what is missing: From, Date, Message-ID (none where no domain is
 * known), To if nobody else is named, and, if the body is 8-bit text or has a
 * type, MIME-Version, Content-Type or its charset and Content-Transfer-
 * Encoding. Input without any header has one then, and all of it is body.
 * Size and 8-bit facts are kept right (an added field is of line 1). 0, or -1
 * with *e: usage, when From is missing and nobody is known, or no room.
 */
int complete(struct message *, const struct complete_config *, struct err *e);

#endif
