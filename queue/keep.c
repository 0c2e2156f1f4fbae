/*
 * keep: see keep.h. One spool_put() for all: they share the octets, and a
 * message of which one half is kept would be nobody's.
 * Callers: queue/submit.c.
 * RFC 5321 4.5.4.1 (the first try is followed by a delay).
 * Ownership: see keep.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "mail/envelope.h"
#include "queue/entry.h"
#include "queue/folder.h"
#include "queue/keep.h"
#include "queue/moment.h"
#include "queue/retry.h"
#include "queue/spool.h"

/* A mailbox that we may not write, and somebody else may at once. */
static bool
is_left(const struct envelope *env)
{
	const struct recipient *r;
	size_t i;

	for (i = 0; i < env->n; i++) {
		r = &env->rcpts[i];
		if (entry_keeps(r, false) && r->addr.kind == DOMAIN_NONE &&
		    r->outcome.err.kind == ERR_CONFIG &&
		    r->outcome.err.verdict == ERR_TEMP)
			return true;
	}
	return false;
}

static int
put(const struct keep_config *c, struct envelope *env, const struct message *m,
    bool tried, struct err *e)
{
	const struct entry_now at = moment_now();
	struct entry_new new = { .env = env,
		.account = c->account,
		.next_try = at.wall,
		.id = c->id,
		.failed_too = c->failed_too };
	char id[ENTRY_ID_SIZE];
	struct folder *f;
	uint32_t random;
	int rc;

	if (tried) {
		c->draw(&random, sizeof random);
		new.tries = 1;
		if (!is_left(env))
			new.next_try = retry_next(new.tries, at.wall, random);
	}
	if (c->open(c->ctx, &f, e) == -1)
		return -1;
	rc = spool_put(f, &new, m, &at, id, e);
	folder_close(f);
	if (rc == 0)
		snprintf(env->queue_id, sizeof env->queue_id, "%s", id);
	return rc;
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
