/*
 * auth: AUTH, from the choice of a mechanism to the server's last word.
 * Called by hello.c, whose steps send and take the lines.
 * It holds the rule that no secret crosses a connection that anybody may
 * listen to or pretend to be.
 * RFC 4954, 4422 (SASL), 8314 3 (clear text is over).
 * Ownership: credentials are borrowed; struct auth belongs to the session.
 */
#ifndef AUTH_H
#define AUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "smtp/sasl.h"

struct reply;

/* Which connections may carry a secret although nobody was verified: what
 * the user said in so many words. */
enum auth_insecure {
	AUTH_NEVER,
	AUTH_ENCRYPTED, /* tls_certcheck off: any certificate will do */
	AUTH_ANYHOW /* --insecure-auth */
};

/* What the user asks for; all strings are borrowed. */
struct auth_config {
	bool on;
	const char *mech; /* NULL: the strongest that works */
	const char *user, *authzid, *realm;
	const char *secret; /* fetched just before the worker is made */
	enum auth_insecure insecure;
};

/* What the connection is like, for the rule above. */
struct auth_channel {
	bool encrypted;
	bool verified; /* and it is who we think it is */
	bool local; /* loopback as typed, or a unix socket */
};

/* True if `host`, as the user typed it, is this machine: localhost, 127/8 or
 * ::1, or a path. A name that only resolves there is not. */
bool auth_is_local(const char *host);

struct auth {
	const struct auth_config *config; /* borrowed */
	const struct sasl_library *library; /* borrowed */
	struct sasl_credentials credentials;
	unsigned char binding[64];
	const struct sasl_mech *mech; /* the present one */
	struct sasl *exchange; /* owned */
	struct buf first; /* owned: our first words */
	bool waiting; /* they were too long and wait to be asked for */
	unsigned tried; /* bits: 1 << index in sasl_mechs */
	bool cancelled; /* "*" was sent: what comes is an error */
	struct err refused; /* why the last one did not do */
};

void auth_init(
    struct auth *, const struct auth_config *, const struct sasl_library *);
/* Wipe and release what it holds. */
void auth_free(struct auth *);

/* The TLS channel's binding (net/tls.h), copied. */
void auth_bind(
    struct auth *, const char *type, const unsigned char *, size_t n);

/*
 * Choose the next mechanism for what the server offers over such a channel
 * and put "AUTH MECH [initial response]" into `line`, without line end; the
 * initial response goes along if the line stays within 512 octets with its
 * end (RFC 4954 4). *shown, for transcripts, is how much of the line may be
 * seen. 0, or -1 with *e (scope host): nothing fits, or the channel is not
 * safe and which setting would allow it.
 */
int auth_begin(struct auth *, const char *offered, const struct auth_channel *,
    struct buf *line, size_t *shown, struct err *e);

enum auth_next {
	AUTH_FAILED = -1, /* *e says why; scope host, or destination when the
			     server says that the credentials are wrong */
	AUTH_DONE, /* authenticated */
	AUTH_SAY, /* `line` goes out, and its reply comes back here */
	AUTH_AGAIN /* auth_begin() with the next mechanism */
};

/*
 * Take the server's reply to AUTH or to a response; *e comes in as what that
 * reply says and is changed where something else is to be told. A mechanism
 * refused for its own sake (504, 534, 538, 5.5.4, ...) leads to the next one;
 * 535 does not; 4yz is temporary. `line` is emptied first.
 */
enum auth_next auth_take(
    struct auth *, const struct reply *, struct buf *line, struct err *e);

/* True if what failed was an OAuth token, which may have grown old. */
bool auth_token_refused(const struct auth *, const struct err *e);

#endif
