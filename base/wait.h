/*
 * wait: the one place where the program waits, with a deadline and a signal
 * flag. Called by net, store and deliver; the clock is CLOCK_MONOTONIC.
 * It never reads or writes a descriptor.
 * Signals are blocked but while waiting, so none is missed between a look at
 * the flag and the wait (ppoll(2)).
 * Ownership: a struct waiter borrows the flag of smtpsend.c.
 */
#ifndef BASE_WAIT_H
#define BASE_WAIT_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct err;

/* An end of all waits of a kind, however long each might last. */
struct wait_bound {
	int64_t until; /* wait_now() clock; 0: there is none */
	int64_t ms; /* how far off it was at first */
	const char *name; /* static: what people call it */
};

struct waiter {
	const volatile sig_atomic_t *stop; /* borrowed; NULL: never stops */
	sigset_t mask; /* signal mask while waiting */
	struct wait_bound bound;
};

enum wait_result { WAIT_STOPPED = -2, WAIT_ERROR = -1, WAIT_TIMEOUT = 0 };

/* Milliseconds on the monotonic clock. */
int64_t wait_now(void);

/* The deadline `ms` from now; a negative `ms` is no deadline (INT64_MAX). */
int64_t wait_until(int64_t ms);

/* True once a stop was asked for. */
bool wait_stopped(const struct waiter *);

/* The same, also if that came since the last wait: who finds something ready
 * whenever it looks never waits, and lets no signal in. */
bool wait_look(const struct waiter *);

/* The bound `ms` from now. */
struct wait_bound wait_within(int64_t ms, const char *name);

/* True once the waiter's bound is reached: a WAIT_TIMEOUT is due to it. */
bool wait_over(const struct waiter *);

/* `ms`, or what is left until the bound if that is less, at least 0; a
 * negative `ms` is no limit, and if there is no bound either, stays. */
int64_t wait_left(const struct waiter *, int64_t ms);

/* Say so: "not within NAME, N s" (temporary, connect). Returns -1. */
int wait_over_err(const struct waiter *, struct err *e);

/*
 * Wait for events on `n` descriptors until `deadline` (wait_now() clock) or
 * the waiter's bound: the number of ready ones, or a wait_result, on
 * WAIT_ERROR with errno. `w` may be NULL: then nothing but the deadline ends
 * the wait, and the signal mask is ours.
 */
int wait_fds(
    const struct waiter *w, struct pollfd *, nfds_t n, int64_t deadline);

/* The same for one descriptor; returns revents (> 0) or a wait_result. */
int wait_fd(const struct waiter *w, int fd, short events, int64_t deadline);

#endif
