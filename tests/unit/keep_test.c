/*
 * keep: who goes into the queue after a first try, and what goes with them.
 */
#include <time.h>

#include "base/wait.h"
#include "queue/keep.h"
#include "queue/retry.h"
#include "tests/unit/spooled.h"

static int opened, denied;

static int
open_folder(void *ctx, struct folder **to, struct err *e)
{
	opened++;
	if (denied)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no room");
	*to = folder_at(ctx);
	return 0;
}

static struct keep_config
config(char *name)
{
	return (struct keep_config){ .open = open_folder,
		.account = "work",
		.draw = draw,
		.ctx = name };
}

/* keep() with a message of its own. */
static int
keep_text(const struct keep_config *c, struct envelope *env, struct err *e)
{
	struct message m;
	struct buf b;
	int rc;

	buf_init(&b, 1000);
	buf_adds(&b, TEXT);
	CHECK_INT(message_open(&m, queued_octets(&b), e), 0);
	opened = 0;
	rc = keep(c, env, &m, e);
	message_free(&m);
	buf_free(&b);
	return rc;
}

/* What a try said, a row each, and what is then. */
static const struct {
	enum err_verdict verdict;
	enum err_kind kind;
	enum stage stage;
	enum outcome_state before, after;
} rows[] = {
	{ ERR_OK, ERR_NONE, STAGE_END, OUTCOME_DELIVERED, OUTCOME_DELIVERED },
	{ ERR_TEMP, ERR_REPLY, STAGE_RCPT, OUTCOME_DEFERRED, OUTCOME_QUEUED },
	{ ERR_PERM, ERR_REPLY, STAGE_RCPT, OUTCOME_FAILED, OUTCOME_FAILED },
	{ ERR_PERM, ERR_AUTH, STAGE_AUTH, OUTCOME_FAILED, OUTCOME_QUEUED },
	{ ERR_TEMP, ERR_CONNECT, STAGE_CONNECT, OUTCOME_DEFERRED,
	    OUTCOME_QUEUED },
	{ ERR_PERM, ERR_DATA, STAGE_DATA, OUTCOME_FAILED, OUTCOME_FAILED },
};
#define NROWS (sizeof rows / sizeof rows[0])

static void
tried(struct envelope *env)
{
	struct outcome o;
	size_t i;

	queued_envelope(env, NROWS);
	for (i = 0; i < NROWS; i++) {
		o = queued_outcome(rows[i].verdict, "so it was");
		o.err.kind = rows[i].kind;
		o.err.stage = rows[i].stage;
		o.in_doubt = rows[i].kind == ERR_CONNECT;
		o.state = rows[i].before;
		env->rcpts[i].outcome = o;
	}
}

static void
check_entry(const struct entry *en)
{
	const struct outcome *o;
	int64_t step = en->next_try - en->arrived;

	CHECK_STR(en->account, "work");
	CHECK_INT(en->tries, 1);
	CHECK(step >= 12 * RETRY_MINUTE && step <= 18 * RETRY_MINUTE);
	CHECK_INT(en->env.n, 3);
	CHECK_STR(en->env.rcpts[0].addr.raw, "u1@x.test");
	CHECK_STR(en->env.rcpts[1].addr.raw, "u3@x.test");
	CHECK_STR(en->env.rcpts[2].addr.raw, "u4@x.test");
	/* It can be mended, so it is open. */
	o = &en->env.rcpts[1].outcome;
	CHECK_INT(o->state, OUTCOME_DEFERRED);
	CHECK_INT(o->err.kind, ERR_AUTH);
	CHECK_STR(o->err.text, "so it was");
	CHECK(!en->rcpts[1].doubt);
	CHECK(en->rcpts[2].doubt);
}

TEST(who_is_kept)
{
	struct folder *f = folder_at("kept");
	struct keep_config c = config((char[]){ "kept" });
	struct spool_item *it;
	struct envelope env;
	struct err e;
	size_t i;

	tried(&env);
	CHECK_INT(keep_text(&c, &env, &e), 0);
	CHECK(entry_id_valid(env.queue_id));
	for (i = 0; i < NROWS; i++) {
		CHECK_INT(env.rcpts[i].outcome.state, rows[i].after);
		CHECK_INT(env.rcpts[i].outcome.err.verdict, rows[i].verdict);
	}
	CHECK_INT(get(f, env.queue_id, &it), SPOOL_LOCKED);
	if (it != NULL)
		check_entry(spool_entry(it));
	spool_unlock(it);
	envelope_free(&env);
	folder_close(f);
}

/* Whoever is in it failed for good, and is there to be told of. */
static void
check_failed(const struct entry *en, size_t n, size_t open)
{
	size_t i, failed = 0;

	CHECK_INT(en->env.n, n);
	CHECK_INT(entry_open(en), open);
	for (i = 0; i < en->env.n; i++)
		if (en->env.rcpts[i].outcome.state == OUTCOME_FAILED) {
			failed++;
			CHECK_STR(
			    en->env.rcpts[i].outcome.err.text, "so it was");
			CHECK_INT(en->rcpts[i].reported, 0);
		}
	CHECK_INT(failed, n - open);
}

TEST(who_failed_is_kept_for_a_report)
{
	struct folder *f = folder_at("failed");
	struct keep_config c = config((char[]){ "failed" });
	struct spool_item *it;
	struct envelope env;
	struct err e;
	size_t i;

	c.failed_too = true;
	tried(&env);
	CHECK_INT(keep_text(&c, &env, &e), 0);
	for (i = 0; i < NROWS; i++)
		CHECK_INT(env.rcpts[i].outcome.state, rows[i].after);
	CHECK_INT(get(f, env.queue_id, &it), SPOOL_LOCKED);
	if (it != NULL)
		check_failed(spool_entry(it), 5, 3);
	spool_unlock(it);
	/* The same without anybody who is tried again: it is due at once. */
	for (i = 0; i < NROWS; i++)
		if (rows[i].after == OUTCOME_QUEUED)
			env.rcpts[i].outcome.state = OUTCOME_DELIVERED;
	env.queue_id[0] = '\0';
	c.failed_not_alone = true;
	CHECK_INT(keep_text(&c, &env, &e), 0);
	CHECK_STR(env.queue_id, "");
	c.failed_not_alone = false;
	CHECK_INT(keep_text(&c, &env, &e), 0);
	CHECK_INT(get(f, env.queue_id, &it), SPOOL_LOCKED);
	if (it != NULL) {
		check_failed(spool_entry(it), 2, 0);
		CHECK_INT(spool_entry(it)->next_try, spool_entry(it)->arrived);
	}
	spool_unlock(it);
	envelope_free(&env);
	folder_close(f);
}

TEST(where_the_queue_takes_nothing_all_is_as_it_was)
{
	struct keep_config c = config(NULL);
	struct envelope env;
	struct err e;
	size_t i;

	tried(&env);
	denied = 1;
	CHECK_INT(keep_text(&c, &env, &e), -1);
	denied = 0;
	CHECK_STR(e.text, "no room");
	CHECK_STR(env.queue_id, "");
	for (i = 0; i < NROWS; i++) {
		CHECK_INT(env.rcpts[i].outcome.state, rows[i].before);
		CHECK_INT(env.rcpts[i].outcome.err.verdict, rows[i].verdict);
	}
	envelope_free(&env);
}

TEST(without_anybody_no_folder_is_opened)
{
	const struct outcome done = { .state = OUTCOME_DELIVERED };
	struct keep_config c = config(NULL);
	struct envelope env;
	struct err e;

	queued_envelope(&env, 1);
	env.rcpts[0].outcome = done;
	err_set(&e, ERR_TEMP, ERR_MACHINE, "no memory to parse it");
	CHECK_INT(envelope_add_failed(&env, "x@", 2, &e), 0);
	CHECK_INT(env.rcpts[1].outcome.state, OUTCOME_DEFERRED);
	CHECK_INT(keep_text(&c, &env, &e), 0);
	CHECK_INT(opened, 0);
	CHECK_STR(env.queue_id, "");
	CHECK_INT(env.rcpts[1].outcome.state, OUTCOME_DEFERRED);
	envelope_free(&env);
}

/* All that an envelope may ask for. */
static void
fill(struct envelope *env)
{
	queued_envelope(env, 2);
	env->dsn_return = RETURN_HDRS;
	env->envid = "job 17";
	env->by = (struct deliver_by){ .wanted = true,
		.trace = true,
		.seconds = 7200,
		.since = wait_now() };
	env->hold_for = 3600;
	env->has_priority = true;
	env->priority = -3;
	queued_address(&env->submitter, "boss@x.test");
	env->rcpts[0].notify = NOTIFY_SUCCESS | NOTIFY_DELAY;
	env->rcpts[1].notify = NOTIFY_NEVER;
	env->rcpts[1].orcpt = "rfc822;u9@x.test";
}

/* What is left of it after so many seconds. */
static void
check_later(const struct folder *f, const char *id, int64_t later)
{
	struct entry_now at = { .steady = 5000000 };
	struct spool_item *it;
	const struct envelope *env;
	struct err e;
	struct timespec now;
	int64_t wall;

	clock_gettime(CLOCK_REALTIME, &now);
	wall = now.tv_sec;
	at.wall = (wall + later) * 1000 + now.tv_nsec / 1000000;
	CHECK_INT(spool_lock(f, id, &at, &it, &e), SPOOL_LOCKED);
	if (it == NULL)
		return;
	env = &spool_entry(it)->env;
	CHECK_INT(spool_entry(it)->tries, 0);
	CHECK(spool_entry(it)->next_try <= at.wall);
	CHECK_STR(env->sender.raw, "a@x.test");
	CHECK_INT(env->dsn_return, RETURN_HDRS);
	CHECK_STR(env->envid, "job 17");
	CHECK(env->by.wanted && env->by.trace && !env->by.returned);
	CHECK(env->by.seconds <= 7200 - later &&
	    env->by.seconds >= 7200 - later - 60);
	CHECK_INT(env->by.since, at.steady);
	CHECK_INT(env->hold_for, 0);
	/* A span became a moment, which passes. */
	if (later < 3600)
		CHECK(env->hold_until <= wall + 3600 &&
		    env->hold_until >= wall + 3600 - 60);
	else
		CHECK_INT(env->hold_until, 0);
	CHECK(env->has_priority);
	CHECK_INT(env->priority, -3);
	CHECK_STR(env->submitter.raw, "boss@x.test");
	CHECK_INT(env->rcpts[0].notify, NOTIFY_SUCCESS | NOTIFY_DELAY);
	CHECK(env->rcpts[0].orcpt == NULL);
	CHECK_INT(env->rcpts[1].notify, NOTIFY_NEVER);
	CHECK_STR(env->rcpts[1].orcpt, "rfc822;u9@x.test");
	CHECK_INT(env->rcpts[1].outcome.state, OUTCOME_PENDING);
	spool_unlock(it);
}

TEST(what_was_asked_for_is_kept)
{
	struct folder *f = folder_at("asked");
	struct keep_config c = config((char[]){ "asked" });
	struct envelope env;
	struct err e;

	c.only = true;
	fill(&env);
	CHECK_INT(keep_text(&c, &env, &e), 0);
	CHECK_INT(env.rcpts[1].outcome.state, OUTCOME_QUEUED);
	check_later(f, env.queue_id, 0);
	check_later(f, env.queue_id, 3000);
	check_later(f, env.queue_id, 10000);
	envelope_free(&env);
	folder_close(f);
}

TEST(all_is_removed)
{
	spooled_remove();
}

int
main(void)
{
	return mkdtemp(dir) == NULL ? 1 : test_run_all();
}
