/*
 * telling: see telling.h.
 * Callers: send.c. A report is sure once the queue has an entry that knows
 * who failed (queue/keep.h, failed_too): then it outlives us.
 * RFC 3461 4.1, RFC 5321 4.5.5.
 * Ownership: see telling.h.
 */
#include "cli/options.h"
#include "cli/telling.h"
#include "mail/envelope.h"

static bool
has_sender(const struct envelope *env)
{
	return env->sender.raw != NULL && env->sender.raw[0] != '\0';
}

bool
telling_reports(const struct options *o, const struct envelope *env)
{
	return o->face.tell != TELL_PRINT && has_sender(env);
}

/* By NOTIFY he may have said that he does not want to hear of it. */
static bool
is_wanted(const struct recipient *r)
{
	return r->notify == 0 || (r->notify & NOTIFY_FAILURE) != 0;
}

/* The entry has all who can be written to. */
static bool
is_reported(const struct options *o, const struct envelope *env,
    const struct recipient *r)
{
	return telling_reports(o, env) && env->queue_id[0] != '\0' &&
	    r->addr.raw != NULL && is_wanted(r);
}

bool
telling_falls_short(const struct options *o, const struct envelope *env)
{
	const struct recipient *r;
	size_t i;

	for (i = 0; i < env->n && o->face.tell != TELL_PRINT; i++) {
		r = &env->rcpts[i];
		if (r->outcome.state == OUTCOME_FAILED && is_wanted(r) &&
		    !is_reported(o, env, r))
			return true;
	}
	return false;
}

/* Nothing is left that a report, or the queue, does not see to. */
static bool
is_seen_to(const struct options *o, const struct envelope *env)
{
	const struct recipient *r;
	size_t i;

	for (i = 0; i < env->n; i++) {
		r = &env->rcpts[i];
		if (r->outcome.state == OUTCOME_DEFERRED ||
		    (r->outcome.state == OUTCOME_FAILED &&
			!is_reported(o, env, r)))
			return false;
	}
	return true;
}

int
telling_exit(const struct options *o, const struct envelope *env)
{
	return o->face.tell == TELL_MAIL_ONLY && is_seen_to(o, env)
	    ? 0
	    : envelope_exit(env);
}
