/*
 * signing: an account's DKIM settings as queue/sign.h wants them, and keys.
 * Called by send.c, which gives submit.c what is made here.
 * It signs nothing itself; a key is read when a message wants it.
 * RFC 6376 3.1 (selectors), 3.5 (c=), RFC 8301 3.2 (length of keys).
 * Ownership: texts of the settings stay borrowed, all else is its own.
 */
#ifndef CLI_SIGNING_H
#define CLI_SIGNING_H

#include "base/buf.h"
#include "base/idna.h"
#include "queue/sign.h"

struct err;
struct settings;
struct waiter;

/* Signatures of one message; more help nobody. */
#define SIGNING_MAX 8

struct signing {
	struct sign_config config; /* points into this struct: do not copy it */
	const struct settings *settings; /* borrowed */
	const struct waiter *waiter; /* borrowed */
	/* Told before somebody is asked for a passphrase: from then on a
	 * signal must not end the process. */
	void (*on_ask)(void *ctx);
	void *ctx; /* borrowed: for on_ask */
	struct sign_row rows[SIGNING_MAX];
	char domains[SIGNING_MAX][IDNA_NAME_MAX]; /* A-labels, lower case */
	const char *paths[SIGNING_MAX]; /* into `keys` */
	char *selectors, *keys; /* owned: lists, cut up */
	struct buf passphrase; /* owned, wiped */
};

/*
 * Signatures by these settings, none if they name no domain; waiter, on_ask
 * and the on_note of `config` are the caller's to set behind it. 0, or -1 with
 * *e (usage, config): what does not fit together. Free it in any case.
 */
int signing_make(struct signing *, const struct settings *, struct err *e);
void signing_free(struct signing *);

#endif
