/*
 * hello: the steps before the first MAIL: greeting, EHLO or HELO, STARTTLS,
 * XCLIENT, AUTH; what the server must be like before it gets anything of value.
 * Called by proto.c, whose table of steps they are rows of.
 * RFC 5321 3.1, 3.2; 3207; 4954.
 * Ownership: see step.h.
 */
#ifndef HELLO_H
#define HELLO_H

#include "step.h"

/*
 * The handshake, at STARTTLS or before anything was said: what is known of
 * the server until then counts no more. 0, or -1 with *e (stage starttls).
 */
int hello_secure(struct session *, enum step, struct err *);

/* The steps; struct step_row says what a pair promises. */
int hello_take_greeting(struct session *, struct cursor, struct err *);
int hello_send_ehlo(struct session *, struct err *);
int hello_take_ehlo(struct session *, struct cursor, struct err *);
int hello_send_helo(struct session *, struct err *);
int hello_take_helo(struct session *, struct cursor, struct err *);
int hello_send_starttls(struct session *, struct err *);
int hello_take_starttls(struct session *, struct cursor, struct err *);
int hello_send_xclient(struct session *, struct err *);
int hello_take_xclient(struct session *, struct cursor, struct err *);
int hello_send_auth(struct session *, struct err *);
int hello_take_auth(struct session *, struct cursor, struct err *);

#endif
