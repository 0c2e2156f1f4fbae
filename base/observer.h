/*
 * observer: how news goes up from the wire to whoever watches.
 * Called by wire.c, hello.c and proto.c; filled by worker.c and cli/look.c.
 * The callbacks show or record; but for on_final, which may have a message
 * not end, they never change a dialogue.
 * Source: the project's own design.
 * Ownership: everything passed is borrowed for the call.
 */
#ifndef BASE_OBSERVER_H
#define BASE_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct outcome;
struct reply;
struct tls_facts;

/* Who speaks, from our side; NOTE is a remark of ours. */
enum line_from { LINE_CLIENT = 'C', LINE_SERVER = 'S', LINE_NOTE = '-' };

struct observer {
	void *ctx; /* borrowed; handed to each callback */
	/* One line of the dialogue without its end; raw octets. */
	void (*on_line)(void *ctx, enum line_from, const char *s, size_t n);
	/* The server introduces itself: the greeting, or its reply to EHLO;
	 * `secure`: over TLS. */
	void (*on_hello)(
	    void *ctx, enum stage, bool secure, const struct reply *);
	/* The connection is private from here on. */
	void (*on_tls)(void *ctx, const struct tls_facts *);
	/* The last octets of data go out next, for these recipients: 0, or -1
	 * with *e: they must not. */
	int (*on_final)(
	    void *ctx, const size_t *rcpts, size_t n, struct err *e);
	/* A recipient was decided; `i` is its number in the envelope. */
	int (*on_outcome)(void *ctx, size_t i, const struct outcome *);
	/* The server's next reply has to be waited for: what was gathered is
	 * to be told now, since we may not live to see that reply. */
	void (*on_wait)(void *ctx);
};

#endif
