/*
 * keep: see keep.h. All recipients go in by one spool_put(): they share the
 * octets, and if it fails none is kept, so that the caller knows whose the
 * message is. Only mailboxes that another queue is to serve are put, and
 * decided, by themselves.
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
#include "queue/leave.h"
#include "queue/moment.h"
#include "queue/retry.h"
#include "queue/spool.h"

static bool
any_left(const struct keep_config *c, const struct envelope *env)
{
	return leave_count(&c->leave, env) > 0;
}

static int
put(const struct keep_config *c, struct envelope *env, const struct message *m,
    bool tried, struct err *e)
{
	const struct entry_now now = moment_now();
	struct entry_new new = { .env = env,
		.account = c->account,
		.next_try = now.wall,
		.id = env->queue_id[0] != '\0' ? env->queue_id : c->id,
		.failed_too = c->failed_too };
	char id[ENTRY_ID_SIZE];
	struct folder *f;
	uint32_t random;
	int rc;

	if (tried) {
		c->draw(&random, sizeof random);
		new.tries = 1;
		if (!any_left(c, env))
			new.next_try = retry_next(new.tries, now.wall, random);
	}
	if (c->open(c->ctx, &f, e) == -1)
		return -1;
	rc = spool_put(f, &new, m, &now, id, e);
	folder_close(f);
	if (rc == 0)
		snprintf(env->queue_id, sizeof env->queue_id, "%s", id);
	return rc;
}

/* Those who are left to the second queue go there; if it does not take them
 * they stay with all others. */
static void
put_left(
    const struct keep_config *c, struct envelope *env, const struct message *m)
{
	struct leave_config left = c->leave;
	char id[ENTRY_ID_SIZE];
	struct err e;

	left.id = c->id;
	if (leave(&left, env, m, id, &e) == 0)
		snprintf(env->queue_id, sizeof env->queue_id, "%s", id);
}

/* A recipient that was to be kept: it is queued now, or what it was before;
 * `mendable`: that was failed. */
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
	if (c->leave.open != NULL && any_left(c, env))
		put_left(c, env, m);
	for (i = 0; i < env->n; i++) {
		mendable[i] = env->rcpts[i].addr.raw != NULL &&
		    retry_defer(&env->rcpts[i].outcome);
		open += entry_keeps(&env->rcpts[i], false);
		kept += entry_keeps(&env->rcpts[i], c->failed_too);
	}
	if (open == 0 && c->failed_not_alone)
		kept = 0;
	/* If only failed ones are kept the entry is due at once: the report
	 * has no try to wait for. */
	if (kept > 0)
		rc = put(c, env, m, !c->only && open > 0, e);
	for (i = 0; i < env->n; i++)
		if (entry_keeps(&env->rcpts[i], false))
			settle(&env->rcpts[i].outcome, rc == 0, mendable[i]);
	free(mendable);
	return rc;
}
