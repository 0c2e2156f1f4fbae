/*
 * step: what the steps of a dialogue share: the session, the cursors that
 * walk it, and what a reply or a lost connection means at a step.
 * Called by hello.c and proto.c alone; it sends nothing and reads nothing.
 * RFC 5321 4.1.1, 4.2.1, 4.5.3.2; 3.8 (a connection of no more use).
 * Ownership: proto.c makes and frees the session.
 */
#ifndef STEP_H
#define STEP_H

#include <stdbool.h>
#include <stddef.h>

#include "auth.h"
#include "base/buf.h"
#include "base/err.h"
#include "mail/view.h"
#include "session.h"
#include "smtp/caps.h"
#include "wire.h"

struct envelope;

/* Commands that may be on their way at once. */
#define WINDOW 1

enum step {
	STEP_GREETING,
	STEP_EHLO,
	STEP_HELO,
	STEP_STARTTLS,
	STEP_XCLIENT,
	STEP_AUTH,
	STEP_RSET,
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,
	STEP_END,
	STEP_NONE
};

/* A place in the dialogue: the step, and for RCPT and LMTP's END which. */
struct cursor {
	enum step step;
	size_t i;
};

/* One MAIL to its end of data. */
struct transaction {
	struct view view; /* owned: the message as this server gets it */
	struct envelope *env; /* borrowed */
	const size_t *rcpts; /* borrowed: the whole message's */
	size_t n;
	size_t *todo; /* owned: this transaction's, numbers in env */
	size_t ntodo;
	size_t *accepted; /* owned: those that the server took */
	size_t naccepted;
	bool full; /* the server wants no more recipients in it */
	bool over; /* nothing more is to be sent in it */
};

struct session {
	const struct step_row *steps; /* borrowed: proto.c's, by enum step */
	struct session_config cfg;
	struct wire wire;
	struct caps caps;
	struct cursor cmd;
	struct cursor sent[WINDOW];
	size_t nsent;
	struct transaction t;
	size_t transactions; /* begun on this connection */
	bool taken; /* the server has decided somebody on it */
	bool used; /* and that was in an earlier mail than this one */
	struct buf params; /* owned: of the command in the making */
	bool dirty; /* RSET is due before the next MAIL */
	bool alive; /* the connection can carry a command */
	bool secure; /* TLS stands */
	bool speaks_for; /* XCLIENT was taken */
	bool verified; /* and the server is who it should be */
	struct auth auth;
	struct buf answer; /* owned: AUTH, or to the server's challenge */
	size_t shown; /* octets of it that are no secret */
	struct err ehlo; /* the refusal for which HELO is tried */
};

/*
 * send puts the command on the wire (data goes out at once) and moves cmd;
 * take has one reply and may move cmd. Both return 0, or -1 with *e when
 * the connection can go on no longer.
 */
struct step_row {
	enum stage stage;
	int seconds; /* RFC 5321 4.5.3.2: for the reply */
	bool sync; /* nothing follows before its reply */
	enum err_scope scope; /* trouble with the connection reaches so far */
	int (*send)(struct session *, struct err *);
	int (*take)(struct session *, struct cursor, struct err *);
};

/* Move the next command to a step; 0, for its callers to return. */
int step_go(struct session *, enum step, size_t i);

/* The server's reply as an error, or as its thanks, for 2yz. */
void step_err(struct session *, enum step, struct err *);

/* Trouble with the connection at a step: it is of no more use. *e, which
 * says what, gets stage, scope and command. -1, to return. */
int step_trouble(struct session *, enum step, struct err *);

/* A reply of a class that has no meaning here (RFC 5321 4.3.2): the same. */
int step_unexpected(struct session *, enum step, struct err *);

#endif
