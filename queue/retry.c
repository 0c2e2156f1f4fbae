/*
 * retry: see retry.h. The schedule and the reasons that end it are rows.
 * Callers: queue/submit.c, queue/runner.c.
 * It reads no clock.
 * RFC 5321 4.5.4.1, RFC 4954 6 (replies about a login that is missing).
 * Ownership: plain data.
 */
#include <stddef.h>

#include "base/err.h"
#include "mail/envelope.h"
#include "queue/entry.h"
#include "queue/retry.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* After the first try, the second, ...; the last one from then on. */
static const int64_t steps[] = { 15 * RETRY_MINUTE, 30 * RETRY_MINUTE,
	RETRY_HOUR, 2 * RETRY_HOUR, 4 * RETRY_HOUR };

/* The longest there is, with what chance adds. */
#define STEP_MAX (4 * RETRY_HOUR / 5 * 6)

/* As many tries as must have been made before time alone ends it. */
#define TRIES_MIN 5
/* More than anybody asks for. */
#define TRIES_MAX 10000

/* Where a server speaks of the message or of a recipient. */
static bool
is_of_mail(enum stage s)
{
	return s == STAGE_MAIL || s == STAGE_RCPT || s == STAGE_DATA ||
	    s == STAGE_END;
}

/* A login or TLS is wanted, at whatever command it was said (RFC 4954 6,
 * RFC 3207 4): that speaks of us. */
static bool
is_of_login(int code)
{
	return code == 530 || code == 534 || code == 535 || code == 538;
}

bool
retry_is_final(const struct outcome *o)
{
	const struct err *e = &o->err;

	if (e->verdict != ERR_PERM)
		return false;
	if (e->kind == ERR_REPLY)
		return is_of_mail(e->stage) && !is_of_login(e->code);
	/* A smarthost that is not found has the scope of a host. */
	if (e->kind == ERR_LOOKUP)
		return e->scope == SCOPE_DESTINATION;
	return e->kind == ERR_DATA;
}

bool
retry_defer(struct outcome *o)
{
	if (o->state != OUTCOME_FAILED || retry_is_final(o))
		return false;
	o->state = OUTCOME_DEFERRED;
	o->err.verdict = ERR_TEMP;
	return true;
}

void
retry_expire(struct outcome *o)
{
	struct err *e = &o->err;

	/* Nobody was asked, or nothing is known of it. */
	if (e->kind == ERR_NONE)
		err_set(e, ERR_PERM, ERR_INTERNAL,
		    "the time to deliver it is over");
	e->verdict = ERR_PERM;
	e->enhanced = (struct enhanced){ 5, 4, 7 };
	o->state = OUTCOME_FAILED;
}

static int64_t
step_after(unsigned tries)
{
	size_t i = tries > 0 ? tries - 1 : 0;

	return steps[i < COUNT(steps) ? i : COUNT(steps) - 1];
}

int64_t
retry_next(unsigned tries, int64_t now, uint32_t random)
{
	int64_t step = step_after(tries), spread = step / 5;

	return now + step - spread +
	    (int64_t)((uint64_t)(2 * spread) * random / UINT32_MAX);
}

bool
retry_due(const struct entry *en, int64_t now)
{
	return en->next_try <= now || en->next_try - now > STEP_MAX;
}

/* How many tries there are within a lifetime, or `most` if they are more. */
static unsigned
tries_within(int64_t lifetime, unsigned most)
{
	int64_t at = 0;
	unsigned n = 1;

	while (n < most && (at += step_after(n)) <= lifetime)
		n++;
	return n;
}

bool
retry_over(const struct entry *en, int64_t now, int64_t lifetime)
{
	/* The clock was wrong: what it says is worth nothing for years. */
	if (en->arrived > now)
		return en->tries > tries_within(lifetime, TRIES_MAX);
	return now - en->arrived >= lifetime &&
	    en->tries >= tries_within(lifetime, TRIES_MIN);
}

bool
retry_delayed(const struct entry *en, int64_t now, int64_t after)
{
	return after >= 0 && en->tries > 0 && now - en->arrived >= after;
}
