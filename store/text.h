/*
 * text: a message as files and programs of this machine get it: LF ends.
 * Called by box.c and pipe.c.
 * It opens nothing, writes nothing and holds one block of the message.
 * RFC 4155, mbox(5): what begins like a From_ line gets one ">" more (mboxrd).
 * Ownership: the octets are borrowed; text_close() frees the block.
 */
#ifndef STORE_TEXT_H
#define STORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "mail/message.h"

struct err;

/* Most that one text_more() appends: a block whose lines are all quoted. */
#define TEXT_MORE_MAX (2 * MESSAGE_BLOCK)

struct text {
	struct octets octets; /* borrowed */
	const char *fields; /* borrowed: what stands before it */
	size_t fields_n;
	bool quotes; /* lines that begin with >*From and a space */
	struct buf block; /* owned */
	uint64_t off; /* of the next octet */
	bool cr; /* the block before ended in CR */
	bool begun; /* a line has, and is not ended */
	bool begins; /* nothing but ">" was in it yet */
	unsigned from; /* octets of "From " that are held back */
};

/* `fields` has LF ends, or is NULL. */
void text_open(
    struct text *, struct octets, const char *fields, size_t n, bool quotes);
void text_close(struct text *);

/*
 * Append the next octets: 1; 0: that was all, and its last line is ended;
 * -1 with *e: what octets.read() says, or no memory.
 */
int text_more(struct text *, struct buf *out, struct err *e);

#endif
