/*
 * wire: the octets of a dialogue: command lines out, replies in, the message.
 * Called by proto.c and its steps, which decide what they mean.
 * It knows no step, no recipient and no host.
 * RFC 5321 2.3.8, 4.1.2, 4.2, 4.5.2, 4.5.3.2.5.
 * Ownership: borrows the connection; owns its buffers.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/observer.h"
#include "base/wait.h"
#include "smtp/reply.h"

struct io;
struct view;

struct wire {
	struct io *io; /* borrowed */
	const struct observer *obs; /* borrowed */
	int64_t timeout_max; /* milliseconds: caps each deadline, 0: no cap */
	struct reply reply; /* owned: the last one taken */
	struct buf out; /* owned: what is to be written */
	bool whole; /* `reply` has ended: what comes next is another one */
	bool early; /* `reply` answers data that is not yet whole */
	bool stopped; /* a stop was heard: nothing new is to be begun */
	bool secret; /* what is in `out` is to be wiped */
	bool final; /* the last octets of the message were given away */
	const struct waiter *hurried; /* borrowed: the connection's own */
	struct waiter patient; /* the same without its bound: while `final` */
	char command[ERR_COMMAND_MAX]; /* the last one, for errors */
	/* What no reply may show, however the server repeats it. */
	const char *password; /* borrowed; NULL: none */
	struct buf said; /* owned: what of AUTH was hidden, a line each; who
			    calls may free it when that is over */
	bool hides; /* AUTH has begun */
};

/* The observer is required; its callbacks may be NULL. */
void wire_init(
    struct wire *, struct io *, const struct observer *, int64_t timeout_max);
void wire_free(struct wire *);

/* A transaction begins. From here to its last octets the waits are within the
 * waiter's bound, behind them not: a message that may have arrived is not
 * given up for want of time. */
void wire_begin(struct wire *);

/* Tell the observer a remark of ours. */
void wire_note(struct wire *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The waits that follow end in so many seconds (or at the cap); once a stop
 * was heard they end when they did. */
void wire_deadline(struct wire *, int seconds);

/*
 * Put a command line into w->out. The one writer of commands: what has a CR
 * or LF in it, or is longer than any server takes, is refused whatever the
 * caller was given. 0, or -1 with *e (permanent, internal, scope message).
 */
int wire_command(struct wire *, struct err *, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * The same for a line of AUTH, which may be long and of which only the first
 * `shown` octets may be seen by the observer and in errors. From then on a
 * line of a reply that has the rest in it, or w->password, is "<hidden>" in
 * w->reply; of a 334, whose octets are wanted, only for the observer.
 */
int wire_secret(
    struct wire *, const char *line, size_t n, size_t shown, struct err *);

/* Write what wire_command() gathered: 0, or -1 with *e. */
int wire_flush(struct wire *, struct err *);

/*
 * Take one reply into w->reply and tell the observer: 0, or -1 with *e
 * (temporary): lost, timed out, malformed. A stop that was asked for is not
 * heard at once while the server holds the whole message: its answer is
 * given a little time, so that what became of it is known; w->stopped is set.
 */
int wire_reply(struct wire *, struct err *);

/* -1 with *e: a reply of a class that has no meaning here (4.3.2). */
int wire_unexpected(struct wire *, struct err *);

/*
 * Write the message, dots doubled, and the dot that ends it. on_final is
 * told of `rcpts` before the last octets go. 0: all is out. 1: the server
 * refused meanwhile; w->early is set, the next wire_reply() gives its words
 * and the connection is of no more use. -1 with *e: it broke, or the message
 * could not be read; the connection was reset, so that nothing looks like
 * the end of data.
 */
int wire_message(struct wire *, const struct view *, const size_t *rcpts,
    size_t n, struct err *);

#endif
