/*
 * play: one side of a scripted dialogue, as a pure machine.
 * Called by the test player (it is the server) and --script (the client).
 * It opens no socket and reads no clock: the peer's octets go in, and what
 * is to be done next comes out. RFC 5321 2.3.8 (lines), 4.5.2 (dots).
 * Ownership: a play borrows its script and owns its buffers.
 */
#ifndef SMTP_PLAY_H
#define SMTP_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "smtp/dialogue.h"

/* Longest line, and most octets of the peer that wait to be looked at. */
#define PLAY_LINE_MAX (64 * 1024)
#define PLAY_IN_MAX (1024 * 1024)

/* What the caller has to do next. */
enum play_does {
	PLAY_SEND, /* write the piece, tell play_sent() how much of it went */
	PLAY_WAIT, /* read, then play_feed() or play_end() */
	PLAY_DEAF, /* do not read; only the peer's end is of interest */
	PLAY_CLOSE, /* close the connection; the script is over */
	PLAY_RESET, /* close it so that the peer sees a reset; it is over */
	PLAY_CALL, /* do what the piece names; then go on */
	PLAY_DONE, /* the script was played to its end */
	PLAY_FAILED /* the peer did something else: play_why() */
};

/* A piece to write; valid until the next call. */
struct play_piece {
	const char *octets; /* borrowed from the play */
	size_t n;
	uint64_t ms; /* wait so long before writing it */
};

struct play {
	const struct dialogue_connection *c; /* borrowed */
	const struct buf *message; /* borrowed: of the script */
	enum side us;
	size_t at; /* the step that is played */
	bool begun; /* it has done a part of its work */
	bool ended; /* the peer has ended the connection */
	bool took; /* the last optional line of the peer came */
	struct buf in; /* owned: of the peer, not yet taken */
	struct buf out; /* owned: for the peer */
	size_t sent; /* octets of out that went */
	uint64_t piece; /* most octets a piece, 0: all */
	uint64_t ms; /* before each piece */
	uint64_t left; /* repetitions or octets still to come */
	int dot; /* data: where in a line the next octet stands */
	uint64_t taken; /* data: octets of content so far */
	struct buf wire; /* owned: data: the content that has to come */
	struct buf groups[DIALOGUE_GROUPS]; /* owned */
	struct buf why; /* owned: why it failed; empty if it did not */
};

/* Play `us` of a connection; `message` is the dialogue's. */
void play_init(struct play *, const struct dialogue_connection *,
    const struct buf *message, enum side us);
void play_free(struct play *);

/* Octets from the peer, in any cut; its end, or a lost connection. */
void play_feed(struct play *, const void *, size_t n);
void play_end(struct play *);

/*
 * What to do next; asked again after each piece, feed and end, until it says
 * close, reset, done or failed. Once the peer has ended nothing more is
 * sent, which alone is no failure: only what is still expected of it is.
 */
enum play_does play_next(struct play *, struct play_piece *);
void play_sent(struct play *, size_t n);

/* One printable sentence that begins with "line N: ". */
const char *play_why(const struct play *);

/*
 * A message as it goes over the wire behind 354: every line ends in CRLF,
 * leading dots are doubled, the lone dot is not in it. Appended.
 */
void play_wire(struct buf *, const char *message, size_t n);

#endif
