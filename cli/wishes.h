/*
 * wishes: what people write to ask servers for more than delivery: when to
 * report, for one.
 * Called by settings.c for its values.
 * It does not know what a server offers: params.c does.
 * RFC 3461 4; sendmail(8) and msmtp(1) for the words.
 * Ownership: nothing is kept.
 */
#ifndef CLI_WISHES_H
#define CLI_WISHES_H

#include <stdbool.h>
#include <stdint.h>

/* "never", or some of failure,delay,success; "off": NOTIFY_ bits (envelope.h).
 * False: it is none. */
bool wish_notify(const char *, int64_t *bits);

/* "full", "hdrs" or "headers"; "off": an enum dsn_return. */
bool wish_return(const char *, int64_t *what);

/* True if ENVID may say it. */
bool wish_envid(const char *);

#endif
