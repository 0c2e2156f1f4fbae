/*
 * leave: see leave.h. Who goes is decided by one question, asked of each who
 * is not decided yet.
 * Callers: queue/keep.c, queue/runner.c.
 * RFC 5321 4.2.5.
 * Ownership: see leave.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail/envelope.h"
#include "queue/folder.h"
#include "queue/leave.h"
#include "queue/moment.h"
#include "queue/spool.h"

static bool
goes(const struct leave_config *c, const struct recipient *r)
{
	return c->is_left != NULL && entry_keeps(r, false) &&
	    c->is_left(c->ctx, r);
}

size_t
leave_count(const struct leave_config *c, const struct envelope *env)
{
	size_t i, n = 0;

	for (i = 0; i < env->n; i++)
		n += goes(c, &env->rcpts[i]);
	return n;
}

static int
put(const struct leave_config *c, const struct envelope *part,
    const struct message *m, char id[ENTRY_ID_SIZE], struct err *e)
{
	const struct entry_now at = moment_now();
	const struct entry_new new = { .env = part,
		.next_try = at.wall,
		.arrived = c->arrived,
		.id = c->id };
	struct folder *f;
	int rc;

	if (c->open(c->ctx, &f, e) == -1)
		return -1;
	rc = spool_put(f, &new, m, &at, id, e);
	folder_close(f);
	return rc;
}

/* The envelope for it is a copy in which nobody else is to be kept. */
int
leave(const struct leave_config *c, struct envelope *env,
    const struct message *m, char id[ENTRY_ID_SIZE], struct err *e)
{
	struct envelope part = *env;
	size_t i;
	int rc;

	part.rcpts = calloc(env->n, sizeof *part.rcpts);
	if (part.rcpts == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE,
		    "no memory to queue a message elsewhere");
	memcpy(part.rcpts, env->rcpts, env->n * sizeof *part.rcpts);
	for (i = 0; i < env->n; i++)
		if (!goes(c, &env->rcpts[i]))
			part.rcpts[i].outcome.state = OUTCOME_DELIVERED;
	rc = put(c, &part, m, id, e);
	for (i = 0; rc == 0 && i < env->n; i++)
		if (part.rcpts[i].outcome.state != OUTCOME_DELIVERED)
			env->rcpts[i].outcome.state = OUTCOME_QUEUED;
	free(part.rcpts);
	return rc;
}
