/*
 * message: header and body as octets, and what they need.
 * Called by queue/submit.c (read, complete) and mail/view.c.
 * It opens no file: the body comes by a callback that reads at an offset.
 * RFC 5322 2, RFC 5321 2.3.8, 4.5.3.1.6 (line length).
 * Ownership: the header belongs to the message; the body is borrowed.
 *
 * The header is kept in memory with LF line ends; the body is a range of
 * octets that is never held. What goes over the wire is a view (mail/view.h).
 */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;

/* Octets at an offset: how many were read, 0 at the end, -1 with *e. */
typedef long octets_fn(
    void *ctx, uint64_t off, void *to, size_t n, struct err *e);

struct octets {
	octets_fn *read;
	void *ctx; /* borrowed */
	uint64_t size;
};

/* Most octets to ask for at once. */
#define MESSAGE_BLOCK (128u * 1024)

/*
 * Octets to ask for at `off`: no more than there are, since most messages
 * are small, but one at the end, where the reader says that nothing changed.
 */
size_t message_block(const struct octets *, uint64_t off);

/* Header larger than this: refused. */
#define MESSAGE_HEADER_MAX (16u * 1024 * 1024)
/* Longest line without its CRLF, octets (RFC 5321 4.5.3.1.6). */
#define MESSAGE_LINE_MAX 998

/* Where all of a message lies in a file, octet for octet. */
struct message_file {
	const int *fd; /* borrowed, and read by pread(2) alone */
	uint64_t off, size;
};

struct message {
	struct buf header; /* owned: fields, LF ends, no blank line */
	struct octets octets; /* borrowed: the whole input */
	uint64_t body_off; /* the body's first octet in octets */
	uint64_t body_line; /* that octet's input line, from 1 */
	bool has_body; /* a blank line was there, or text follows */
	uint64_t body_size; /* the body's wire form, octets */
	uint64_t header_8bit; /* first input line of the header with an octet
				 over 127, counted from 1; 0 without one */
	uint64_t body_8bit; /* the same for the body */
	bool body_utf8; /* the body is UTF-8 (RFC 3629), or ASCII */
	uint64_t header_long; /* as header_8bit: the first line that is longer
				 than MESSAGE_LINE_MAX */
	uint64_t body_long; /* the same for the body */
	/* It has a signature of ours, which holds for one view only: the one
	 * for a server that takes so much (VIEW_ bits). */
	bool is_signed;
	unsigned signed_takes;
	const struct message_file *file; /* borrowed; NULL: nobody says */
};

/*
 * Find header and body in `in`, drop a leading mbox "From " line, normalise
 * the header (CRLF and bare CR: see design 4) and scan the body: size,
 * 8-bit, NUL, line length. Input whose first line is no header field has an
 * empty header and is all body. 0, or -1 with *e: input errors pass through,
 * NUL is a data error (5.6.0) that names the line.
 */
int message_open(struct message *, struct octets in, struct err *e);

void message_free(struct message *);

/* Octets of the wire form, dots not stuffed: what SIZE= declares. */
uint64_t message_size(const struct message *);

/*
 * The first input line that cannot go without 8BITMIME (RFC 6152), counted
 * from 1; 0 if the message is 7-bit.
 */
uint64_t message_8bit(const struct message *);

/*
 * Remove each field of that name (case-blind, with its folded lines);
 * returns how many there were. Size and 8-bit facts are kept right.
 */
size_t message_remove(struct message *, const char *name);

/* Put another header in its place; what was in the buffer is the message's
 * then. 0, or -1 with *e: it did not fit in there. */
int message_set_header(struct message *, struct buf *header, struct err *e);

/* Put fields, ASCII and with LF ends, before all others. 0, or -1 with *e:
 * the header is full. */
int message_prepend(
    struct message *, const char *fields, size_t n, struct err *e);

#endif
