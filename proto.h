/*
 * proto: how: the dialogue with one server, a table of steps.
 * Called by deliver.c (and one day by the debugging faces).
 * It knows no DNS, no MX, no queue and no config; it does not connect.
 * RFC 5321, 2033 (LMTP), 1870 (SIZE), 6152 (8BITMIME), 9422 (LIMITS).
 * Ownership: a session borrows its connection, the message and the envelope.
 */
#ifndef PROTO_H
#define PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct auth_config;
struct envelope;
struct err;
struct io;
struct message;
struct observer;
struct sasl_library;
struct session;
struct tls;
struct tls_policy;

struct session_config {
	bool lmtp; /* LHLO, and a reply for each recipient */
	const char *helo; /* borrowed; NULL: the connection's literal */
	int64_t timeout_max; /* milliseconds: caps each step, 0: no cap */
	const char *host; /* borrowed: names the server in outcomes */
	const char *ip; /* borrowed */
	unsigned port;
	struct tls *tls; /* borrowed: the process's, for a policy that may
			    want it */
	const struct tls_policy *policy; /* borrowed */
	const struct auth_config *auth; /* borrowed; NULL: no AUTH */
	const struct sasl_library *library; /* borrowed; NULL: none */
	bool local; /* this machine, as the user typed it: no TLS needed */
};

/* NULL: no memory. */
struct session *session_new(
    const struct session_config *, struct io *, const struct observer *);
void session_free(struct session *);

/*
 * Take the greeting and introduce ourselves, and again behind STARTTLS where
 * the policy wants it (RFC 3207 4.2); then AUTH, where it is asked for. 0, or -1 with *e; its scope is
 * host: the next target is to be tried.
 */
int session_open(struct session *, struct err *e);

/*
 * Send one message to the pending ones of the given recipients, in as many
 * transactions as the server's limits ask for. Each recipient that the
 * server decided is decided in the envelope and told to on_outcome.
 * 0: all are decided. 1: the server takes no more on this connection, but
 * some are pending and may go over a new one to the same host. -1 with *e,
 * scope host: those still pending may be tried at the next target. Any other
 * failure decides all of them and is 0.
 */
int session_send(struct session *, const struct message *, struct envelope *,
    const size_t *rcpts, size_t n, struct err *e);

/* True if that failed because of an OAuth token, which may have grown old:
 * a new one is worth a try. `e` is what session_open() said. */
bool session_token_refused(const struct session *, const struct err *e);

/* QUIT if the connection still works; never waits for its reply. */
void session_quit(struct session *);

#endif
