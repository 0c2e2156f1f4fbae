/*
 * sasl: who we are, said in the way that both sides know (AUTH).
 * Called by auth.c, which carries the octets; a mechanism is a row in sasl.c.
 * Pure: it opens nothing and draws no random numbers; what a library does
 * comes in as a struct sasl_library (net/gsasl.c).
 * RFC 4422, 4954; 4616 (PLAIN), 5802 and 7677 (SCRAM), 7628 (OAUTHBEARER).
 * Ownership: credentials are borrowed for the whole exchange.
 */
#ifndef SMTP_SASL_H
#define SMTP_SASL_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

/* What a mechanism is like. */
enum sasl_trait {
	SASL_SECRET = 1 << 0, /* wants a password or token */
	SASL_CLEAR = 1 << 1, /* sends it as it is */
	SASL_TOKEN = 1 << 2, /* the secret is an OAuth token */
	SASL_NAMED = 1 << 3, /* used only when the user names it */
	SASL_PLUS = 1 << 4, /* bound to the TLS channel */
	SASL_FIRST = 1 << 5, /* we speak first: an initial response */
	SASL_ABSENT = 1 << 6 /* known by name, not built in */
};

/* One exchange in the making; the ops' own. */
struct sasl;
struct sasl_mech;

struct sasl_credentials {
	const char *user; /* UTF-8; NULL: none (EXTERNAL) */
	const char *authzid; /* act as; NULL: as user */
	const char *secret; /* password or token; NULL: none */
	const char *realm; /* DIGEST-MD5; NULL: the server's first */
	const char *host; /* server's name: OAUTHBEARER, DIGEST-MD5 */
	unsigned port; /* OAUTHBEARER; 0: a socket */
	/* Channel binding: "tls-exporter" (RFC 9266) or "tls-unique"
	 * (RFC 5929) with its octets; NULL: none. */
	const char *binding_type;
	const unsigned char *binding;
	size_t nbinding;
	/* The server offers a -PLUS mechanism: sasl_offers_plus(). It tells
	 * the server of a plain SCRAM whether -PLUS was hidden from us (RFC
	 * 5802 6). */
	bool plus_offered;
};

/* A library's side of a mechanism. */
struct sasl_library {
	void *ctx; /* borrowed */
	/* True if the library is there and can do it. */
	bool (*knows)(void *ctx, const char *mech);
	/* NULL with *e: no library, no memory. */
	void *(*begin)(void *ctx, const char *mech,
	    const struct sasl_credentials *, struct err *e);
	/* One step: in[0,n) is the server's challenge, decoded (NULL for
	 * the initial response); the answer is appended to `out`, not
	 * encoded. 1 when the exchange is complete with it, 0 when the server
	 * has to say more, -1 as sasl_step(). */
	int (*step)(void *state, const char *in, size_t n, struct buf *out,
	    struct err *e);
	void (*end)(void *state);
};

struct sasl_mech {
	const char *name; /* "SCRAM-SHA-256-PLUS" */
	unsigned traits; /* SASL_ bits */
	/* Answer number `turn` (from 0; `in` NULL: no challenge yet) as in
	 * struct sasl_library; NULL: the library's. */
	int (*step)(const struct sasl_credentials *, unsigned turn,
	    const char *in, size_t n, struct buf *out, struct err *e);
};

/* All mechanisms, the strongest first. */
extern const struct sasl_mech sasl_mechs[];
extern const size_t sasl_mechs_n;

/* By name, case-blind; NULL: never heard of. */
const struct sasl_mech *sasl_find(const char *name);

/* True if `offered` (as below) has that name, in upper case. */
bool sasl_is_offered(const char *offered, const char *name);

/* True if one of `offered` (as below) is bound to the TLS channel. */
bool sasl_offers_plus(const char *offered);

/*
 * The next mechanism to try: `named` (as typed, NULL: the strongest), out of
 * `offered` (struct caps' list: upper case, one space between), without those
 * whose bit (1 << index in sasl_mechs) is in `tried`. What the credentials
 * cannot serve (no secret, no binding for -PLUS, no user) is left out, and
 * SASL_NAMED ones unless named. `library` may be NULL. NULL with *e (permanent,
 * auth, stage auth): the sentence says what the server offers and what is
 * missing; temporary when a server offers no AUTH at all.
 * EXTERNAL is chosen unnamed only without a secret. Once a -PLUS mechanism is
 * in `tried`, nothing that is not bound to TLS is chosen unless named.
 */
const struct sasl_mech *sasl_choose(const char *named, const char *offered,
    unsigned tried, const struct sasl_credentials *,
    const struct sasl_library *, struct err *e);

/*
 * Start an exchange. `host` and the other credentials stay borrowed until
 * sasl_end(), and are what sasl_choose() wants for this mechanism: user and
 * secret for SASL_SECRET. NULL with *e.
 */
struct sasl *sasl_begin(const struct sasl_mech *,
    const struct sasl_credentials *, const struct sasl_library *,
    struct err *e);

/*
 * One step: the answer to the server's challenge in[0,n) (decoded; NULL: no
 * challenge yet) is appended to `out`, not encoded. 0 when there is an answer,
 * also an empty one (NULL where the server speaks first: nothing happens); -1
 * with *e (permanent auth, or temporary protocol when the challenge makes no
 * sense): cancel with "*".
 */
int sasl_step(
    struct sasl *, const char *in, size_t n, struct buf *out, struct err *e);

/*
 * The server said 235. 0, or -1 with *e when the mechanism wanted more: the
 * server did not prove that it knows the password (SCRAM, RFC 5802 5). Some
 * servers send that proof as the last challenge, which sasl_step() took.
 */
int sasl_done(const struct sasl *, struct err *e);

/*
 * What the server said when it refused a token: its JSON (decoded challenge
 * of XOAUTH2 or OAUTHBEARER, RFC 7628 3.2.2) in words, as "the server says:
 * invalid_token, status 401", "" if there was none; printable, at most 400
 * octets, borrowed.
 */
const char *sasl_reason(const struct sasl *);

/* Wipe and release; NULL is accepted. */
void sasl_end(struct sasl *);

#endif
