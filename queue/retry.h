/*
 * retry: what is tried again, when, and when it is enough.
 * Called by queue/submit.c and queue/runner.c for each try's outcomes.
 * Pure: it reads no clock and draws no random numbers.
 * RFC 5321 4.5.4.1 (strategy), 4.2.1 (4yz, 5yz); RFC 3463 3.5 (X.4.7).
 * Ownership: plain data. All moments are ms since 1970, all spans ms.
 */
#ifndef QUEUE_RETRY_H
#define QUEUE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct entry;
struct outcome;

#define RETRY_MINUTE ((int64_t)60 * 1000)
#define RETRY_HOUR (60 * RETRY_MINUTE)

/* What is meant where the configuration says nothing. */
#define RETRY_LIFETIME (5 * 24 * RETRY_HOUR)
#define RETRY_NOTICE (4 * RETRY_HOUR)

/*
 * True if no later try can help: a server, or the recipient's domain in the
 * DNS, has refused this message or this recipient. Our own trouble (a login,
 * the configuration, TLS, a smarthost that is not found) is not, however
 * permanent it is called: a person may mend it while the message waits.
 */
bool retry_is_final(const struct outcome *);

/* What failed and is not final becomes deferred, its reason kept; anything
 * else stays. True if it was so. */
bool retry_defer(struct outcome *);

/*
 * Give a recipient up that was deferred, or not tried: failed with X.4.7
 * (delivery time expired); the rest of the last try's reason is kept.
 */
void retry_expire(struct outcome *);

/*
 * When an entry is tried next that has been tried `tries` times (at least
 * once): 15 and 30 minutes, 1 and 2 hours after the try, then every 4 hours;
 * each up to a fifth more or less, by `random`, so that what failed together
 * does not come back together.
 */
int64_t retry_next(unsigned tries, int64_t now, uint32_t random);

/* True if its time has come; so it has when it is further away than any step
 * reaches, since the clock went back then. */
bool retry_due(const struct entry *, int64_t now);

/*
 * True if an entry is to be given up: it has waited for its lifetime, and has
 * been tried as often as the schedule would have it within that time, though
 * five tries are enough. So neither a clock that jumps nor a machine that was
 * off ends it. An entry that says it arrived in the future is given up after
 * as many tries as its whole lifetime has room for.
 */
bool retry_over(const struct entry *, int64_t now, int64_t lifetime);

/* True if it was tried and has waited for `after` ms; never if that is below
 * 0. */
bool retry_delayed(const struct entry *, int64_t now, int64_t after);

#endif
