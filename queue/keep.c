/*
 * keep: see keep.h. One spool_put() for all: they share the octets, and a
 * message of which one half is kept would be nobody's; but for mailboxes that
 * another queue is to serve, which are decided by themselves.
 * Callers: queue/submit.c.
 * RFC 5321 4.5.4.1 (the first try is followed by a delay).
 * Ownership: see keep.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail/envelope.h"
#include "queue/entry.h"
#include "queue/folder.h"
#include "queue/keep.h"
#include "queue/moment.h"
#include "queue/retry.h"
#include "queue/spool.h"

static bool
is_left(const struct keep_config *c, const struct recipient *r)
{
	return c->is_left != NULL && entry_keeps(r, false) &&
	    c->is_left(c->ctx, r);
}

static bool
any_left(const struct keep_config *c, const struct envelope *env)
{
	size_t i;

	for (i = 0; i < env->n; i++)
		if (is_left(c, &env->rcpts[i]))
			return true;
	return false;
}

/* Into that folder, and *id is what it is called there. */
static int
put_there(int (*open)(void *, struct folder **, struct err *), void *ctx,
    const struct entry_new *new, const struct message *m,
    char id[ENTRY_ID_SIZE], struct err *e)
{
	const struct entry_now at = moment_now();
	struct folder *f;
	int rc;

	if (open(ctx, &f, e) == -1)
		return -1;
	rc = spool_put(f, new, m, &at, id, e);
	folder_close(f);
	return rc;
}

static int
put(const struct keep_config *c, struct envelope *env, const struct message *m,
    bool tried, struct err *e)
{
	const int64_t now = moment_now().wall;
	struct entry_new new = { .env = env,
		.account = c->account,
		.next_try = now,
		.id = env->queue_id[0] != '\0' ? env->queue_id : c->id,
		.failed_too = c->failed_too };
	char id[ENTRY_ID_SIZE];
	uint32_t random;

	if (tried) {
		c->draw(&random, sizeof random);
		new.tries = 1;
		if (!any_left(c, env))
			new.next_try = retry_next(new.tries, now, random);
	}
	if (put_there(c->open, c->ctx, &new, m, id, e) == -1)
		return -1;
	snprintf(env->queue_id, sizeof env->queue_id, "%s", id);
	return 0;
}

/*
 * Those who are left to the second queue go there, if it has a place for them;
 * else to all others. The envelope for it is a copy in which nobody else is to
 * be kept.
 */
static void
put_left(
    const struct keep_config *c, struct envelope *env, const struct message *m)
{
	struct envelope part = *env;
	const struct entry_new new = {
		.env = &part, .next_try = moment_now().wall, .id = c->id
	};
	char id[ENTRY_ID_SIZE];
	struct err e;
	size_t i;

	part.rcpts = calloc(env->n, sizeof *part.rcpts);
	if (part.rcpts == NULL)
		return;
	memcpy(part.rcpts, env->rcpts, env->n * sizeof *part.rcpts);
	for (i = 0; i < env->n; i++)
		if (!is_left(c, &env->rcpts[i]))
			part.rcpts[i].outcome.state = OUTCOME_DELIVERED;
	if (put_there(c->open_left, c->ctx, &new, m, id, &e) == 0) {
		snprintf(env->queue_id, sizeof env->queue_id, "%s", id);
		for (i = 0; i < env->n; i++)
			if (part.rcpts[i].outcome.state != OUTCOME_DELIVERED)
				env->rcpts[i].outcome.state = OUTCOME_QUEUED;
	}
	free(part.rcpts);
}

/* It is queued now, or what it was; `mendable` when it had failed. */
static void
settle(struct outcome *o, bool is_kept, bool mendable)
{
	if (is_kept)
		o->state = OUTCOME_QUEUED;
	else if (mendable)
		o->state = OUTCOME_FAILED;
	if (mendable)
		o->err.verdict = ERR_PERM;
}

int
keep(const struct keep_config *c, struct envelope *env, const struct message *m,
    struct err *e)
{
	bool *mendable = calloc(env->n + 1, sizeof *mendable);
	size_t i, open = 0, kept = 0;
	int rc = 0;

	if (mendable == NULL)
		return err_set(
		    e, ERR_TEMP, ERR_MACHINE, "no memory to queue the message");
	if (c->open_left != NULL && any_left(c, env))
		put_left(c, env, m);
	for (i = 0; i < env->n; i++) {
		mendable[i] = env->rcpts[i].addr.raw != NULL &&
		    retry_defer(&env->rcpts[i].outcome);
		open += entry_keeps(&env->rcpts[i], false);
		kept += entry_keeps(&env->rcpts[i], c->failed_too);
	}
	if (open == 0 && c->failed_not_alone)
		kept = 0;
	/* A report that nobody else waits for is due at once. */
	if (kept > 0)
		rc = put(c, env, m, !c->only && open > 0, e);
	for (i = 0; i < env->n; i++)
		if (entry_keeps(&env->rcpts[i], false))
			settle(&env->rcpts[i].outcome, rc == 0, mendable[i]);
	free(mendable);
	return rc;
}
