/*
 * sign: a complete message gets the signatures that its author's domain has.
 * Called by submit.c, once, when nothing else will be changed.
 * It reads no key itself: the face that knows where they are does.
 * RFC 6376 3.7, 5.1 to 5.5; RFC 7489 3.1.1 (whose signature counts).
 * Ownership: everything is borrowed for the call.
 */
#ifndef QUEUE_SIGN_H
#define QUEUE_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "mail/dkim.h"

struct crypto;
struct crypto_key;
struct err;
struct message;

/* A signature that may be wanted; all is borrowed. */
struct sign_row {
	const char *domain; /* A-labels, lower case */
	const char *selector;
	enum dkim_form header, body;
};

struct sign_config {
	const struct sign_row *rows;
	size_t n; /* 0: nothing is signed */
	/* The key of rows[i], asked for when it is wanted: the caller's, or
	 * NULL with *e. */
	struct crypto_key *(*key)(
	    void *ctx, size_t i, const struct crypto *, struct err *e);
	/* Told each signature, or why there is none. May be NULL. */
	void (*on_note)(void *ctx, const char *text);
	void *ctx; /* borrowed */
};

/*
 * Sign by each row whose domain is that of the author, the first address of
 * the first From, or above it. What is signed is the view for the plainest
 * server: 7-bit, with a header in ASCII, where the message can be had so;
 * the fields go before all others, and from then on the message has that view
 * only (is_signed). 0, also if no row fits, or -1 with *e: a key, the
 * library, or a message that no server could take.
 */
int sign_message(
    const struct sign_config *, struct message *, int64_t now, struct err *e);

#endif
