/*
 * dkim: the signatures of a message by which its domain vouches for it.
 * Called by queue/sign.c with the octets that go over the wire.
 * Pure: octets, keys and the time are arguments; it never verifies.
 * RFC 6376 3.4 (canonical forms), 3.5 (the field), 5.4 (what is signed),
 * RFC 8301 (algorithms), RFC 8463 (Ed25519).
 * Ownership: keys and texts are borrowed; results go into the caller's buffer.
 */
#ifndef MAIL_DKIM_H
#define MAIL_DKIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct crypto;
struct crypto_key;
struct err;

/* How much a relay may change (RFC 6376 3.4). */
enum dkim_form { DKIM_SIMPLE, DKIM_RELAXED, DKIM_FORMS };

/* Of fields with one name so many are signed, from the last one up. */
#define DKIM_SAME_NAME_MAX 20

/* One signature that is wanted; all is borrowed. */
struct dkim_signer {
	const char *domain; /* d=, A-labels */
	const char *selector; /* s= */
	enum dkim_form header, body; /* c= */
	const struct crypto_key *key;
};

/* ---- signing ---- */

struct dkim; /* a message that is being signed */

/* Signatures by `n` signers. NULL with *e (machine). */
struct dkim *dkim_new(
    const struct crypto *, const struct dkim_signer *, size_t n, struct err *e);

/* The next octets of the message's wire form, cut anywhere; dots not
 * stuffed. 0, or -1 with *e (machine). */
int dkim_feed(struct dkim *, const char *p, size_t n, struct err *e);

/*
 * The end of the message: append a DKIM-Signature field for each signer, in
 * their order and as struct message keeps fields, to be put before the
 * header. They are made at `now`, in seconds since 1970, and sign the same:
 * none of them signs another. 0, or -1 with *e (machine).
 */
int dkim_end(struct dkim *, int64_t now, struct buf *out, struct err *e);

void dkim_free(struct dkim *);

/* ---- its parts, for tests ---- */

/* Where canonical octets go. */
struct dkim_sink {
	void (*take)(void *ctx, const void *p, size_t n);
	void *ctx; /* borrowed */
};

struct dkim_body {
	enum dkim_form form;
	struct dkim_sink sink;
	bool cr; /* a CR waits for its LF */
	bool space; /* relaxed: white space waits for text */
	bool text; /* there was some */
	uint64_t lines; /* ends of lines that wait for text */
	size_t len; /* of `out` */
	char out[4096];
};

/* A body's canonical form, whatever its cut (RFC 6376 3.4.3, 3.4.4). */
void dkim_body_init(struct dkim_body *, enum dkim_form, struct dkim_sink);
void dkim_body_feed(struct dkim_body *, const char *p, size_t n);
void dkim_body_end(struct dkim_body *);

/* Append a field's canonical form (3.4.1, 3.4.2); the field has LF ends. */
void dkim_field(struct buf *out, enum dkim_form, const char *p, size_t n);

/*
 * Append the names of the fields to sign, with colons between them: of those
 * in the header, with LF ends, all that say who writes to whom about what and
 * how it is to be read. Most are named once more than they are there, so that
 * none can be added (RFC 6376 5.4, 8.15).
 */
void dkim_names(struct buf *out, const char *header, size_t n);

/*
 * Append what a signature signs (3.7): the fields of `names`, a list as h=
 * has it, each from the last one up (5.4.2), and its own field `sig`, whose
 * b= is empty.
 */
void dkim_input(struct buf *out, enum dkim_form, const struct buf *header,
    const char *names, const struct buf *sig);

#endif
