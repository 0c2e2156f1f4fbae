/*
 * proto: how: the dialogue with one server, a table of steps.
 * Called by worker.c, and by cli/look.c and cli/export.c, which send no mail.
 * It knows no DNS, no MX, no queue and no config; it does not connect.
 * RFC 5321, 2033 (LMTP), 1870 (SIZE), 6152 (8BITMIME), 9422 (LIMITS).
 * Ownership: a session borrows its connection, the message and the envelope.
 */
#ifndef PROTO_H
#define PROTO_H

#include <stdbool.h>
#include <stddef.h>

#include "session.h"

struct caps;
struct envelope;
struct err;
struct io;
struct message;
struct observer;
struct session;
struct view;

/*
 * What a server that offers this gets of a message; `utf8`: an address of the
 * envelope has it speak SMTPUTF8 anyway, so a header in UTF-8 stays so. 0, or
 * -1 with *e (scope message) and nothing to free if it cannot get it, or not
 * so much.
 */
int proto_view(struct view *, const struct message *, const struct caps *,
    bool utf8, struct err *e);

/* What is not as it was, "2 parts encoded" or so; NULL: all is. */
#define PROTO_REPAIRS_MAX 128
const char *proto_repairs(const struct view *, char out[PROTO_REPAIRS_MAX]);

/* NULL: no memory. */
struct session *session_new(
    const struct session_config *, struct io *, const struct observer *);
void session_free(struct session *);

/*
 * Take the greeting and introduce ourselves, and again behind STARTTLS where
 * the policy wants it (RFC 3207 4.2); then AUTH, where it is asked for. 0, or
 * -1 with *e; its scope is host: the next target is to be tried.
 */
int session_open(struct session *, struct err *e);

/* True if session_open(), which said *e, failed because of an OAuth token:
 * it may have grown old, and a new one is worth a try. */
bool session_token_refused(const struct session *, const struct err *e);

/*
 * Send one message to the pending ones of the given recipients, in as many
 * transactions as the server's limits ask for; others may have gone before
 * it, and may follow. Each recipient that the server decided is decided in
 * the envelope and told to on_outcome.
 * 0: all are decided. 1: the server takes no more on this connection, but
 * some are pending and may go over a new one to the same host; so it is too
 * if the connection, which served for an earlier message, came to its end
 * before this one's. -1 with *e, scope host: those still pending may be tried
 * at the next target. Any other failure decides all of them and is 0.
 */
int session_send(struct session *, const struct message *, struct envelope *,
    const size_t *rcpts, size_t n, struct err *e);

/* True while the connection may carry another message. */
bool session_usable(const struct session *);

/* QUIT if the connection still works; never waits for its reply. */
void session_quit(struct session *);

#endif
