/*
 * wishes: what people write to ask servers for more than delivery: when to
 * report, for one.
 * Called by settings.c for its values.
 * It does not know what a server offers: params.c does.
 * RFC 3461 4, 2852 4, 4865 4, 6710 4; sendmail(8) and msmtp(1) for the words.
 * Ownership: nothing is kept.
 */
#ifndef CLI_WISHES_H
#define CLI_WISHES_H

#include <stdbool.h>
#include <stdint.h>

struct deliver_by;

/* "never", or some of failure,delay,success; "off": NOTIFY_ bits (envelope.h).
 * False: it is none. */
bool wish_notify(const char *, int64_t *bits);

/* "full", "hdrs" or "headers"; "off": an enum dsn_return. */
bool wish_return(const char *, int64_t *what);

/* True if ENVID may say it. */
bool wish_envid(const char *);

/* A span of base/when.h, with + or - before it, and a mode behind a comma:
 * R or N, and T; N if there is none. False: it is none, or R with no time. */
bool wish_by(const char *, struct deliver_by *);

/* A span of at least a second. */
bool wish_hold_for(const char *, int64_t *seconds);

/* A date of RFC 3339 that is not before 1970. */
bool wish_hold_until(const char *, int64_t *moment);

/* How often, as sendmail(8) has it: 15m, 1h30m, 2d; minutes without a unit;
 * up to 999999999 seconds, at least one. */
bool wish_interval(const char *, int64_t *seconds);

/* -9 to 9. */
bool wish_priority(const char *, int64_t *);

#endif
