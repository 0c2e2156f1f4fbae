/*
 * runner: see runner.h. It is a source of mails for deliver.c: entries are
 * locked in waves, planned together, and each is noted upon, and given back,
 * as soon as all of its recipients are decided.
 * Callers: cli/run.c. It prints nothing and sends nothing itself.
 * RFC 5321 4.5.4.1; the order of notes is spool.h's.
 * Ownership: a wave has its items and their locks.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/wait.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "queue/aside.h"
#include "queue/folder.h"
#include "queue/moment.h"
#include "queue/resolve.h"
#include "queue/retry.h"
#include "queue/runner.h"
#include "queue/spool.h"

/* Messages that are planned together: each is an open file. */
#define WAVE_MAX 100

#define STAMP "stamp"

/* What this try is to a recipient. */
enum part {
	PART_NONE, /* it was decided before */
	PART_OPEN, /* it is tried */
	PART_NOTED, /* its outcome is in the journal */
	PART_LOST /* its outcome could not be noted */
};

/* An entry that is ours for now. */
struct work {
	struct spool_item *item; /* owned */
	struct message m; /* owned */
	struct runner_account account;
	unsigned char *parts; /* owned: an enum part for each recipient */
	bool finished; /* nothing is to be done for it any more */
	bool lost; /* something could not be noted; from then on nothing is */
	struct err why;
};

struct wave {
	struct plan plan; /* first: deliver.c gives it back */
	struct mail *mails; /* owned: one of each work that is planned */
	struct work *works; /* owned */
	size_t n;
};

struct run {
	const struct runner_config *c; /* borrowed */
	struct runner_result *result; /* borrowed */
	struct reports_config reports;
	struct picks picks; /* what the filter wants */
	struct picks made; /* reports, for one more look */
	bool again; /* that look: they are ours, whatever the filter says */
};

/* ---- words ---- */

static void
note(const struct run *r, const char *id, const char *text)
{
	if (r->c->on_note != NULL)
		r->c->on_note(r->c->ctx, NULL, id, text);
}

static void
note_of(const struct run *r, const struct entry *en, const char *text)
{
	if (r->c->on_note != NULL)
		r->c->on_note(r->c->ctx, en, en->id, text);
}

/* This machine's own trouble: it goes on, and is told. */
static void
trouble(struct run *r, const char *id, const struct err *e)
{
	if (r->result->trouble.verdict == ERR_OK)
		r->result->trouble = *e;
	note(r, id, e->text);
}

static bool
stopped(const struct run *r)
{
	return wait_stopped(r->c->deliver.worker.waiter);
}

/* ---- noting outcomes ---- */

static void
count(struct runner_result *result, enum outcome_state state)
{
	result->delivered += state == OUTCOME_DELIVERED;
	result->deferred += state == OUTCOME_DEFERRED;
	result->failed += state == OUTCOME_FAILED;
}

/* It is noted, or cannot be: as the entry would say if it were read now. */
static void
rcpt_noted(struct run *r, struct work *w, size_t i, int64_t now)
{
	struct entry *en = spool_entry(w->item);
	const struct outcome *o = &en->env.rcpts[i].outcome;

	en->rcpts[i].when = now;
	en->rcpts[i].final = false;
	en->rcpts[i].doubt |= o->in_doubt;
	w->parts[i] = w->lost ? PART_LOST : PART_NOTED;
	count(r->result, o->state);
	if (r->c->on_attempt != NULL)
		r->c->on_attempt(r->c->ctx, en, i, now);
}

/* Recipients that were decided alike. */
static void
note_alike(struct run *r, struct work *w, const size_t *rcpts, size_t n)
{
	const struct outcome *o =
	    &spool_entry(w->item)->env.rcpts[rcpts[0]].outcome;
	int64_t now = moment_now().wall;
	struct err e;
	size_t i;

	if (!w->lost &&
	    spool_note_outcome(w->item, rcpts, n, o, now, &e) == -1) {
		w->lost = true;
		w->why = e;
	}
	r->result->noted += !w->lost;
	for (i = 0; i < n; i++)
		rcpt_noted(r, w, rcpts[i], now);
}

/* True if it is decided, and that is worth a note: a stop says nothing of a
 * recipient, unless the last octets were out. */
static bool
is_news(const struct run *r, const struct work *w, size_t i)
{
	const struct entry *en = spool_entry(w->item);
	const struct outcome *o = &en->env.rcpts[i].outcome;

	return w->parts[i] == PART_OPEN && o->state != OUTCOME_PENDING &&
	    !(stopped(r) && o->state == OUTCOME_DEFERRED && !o->in_doubt &&
		!en->rcpts[i].final);
}

/* As they were decided, which is the last word when time is over. */
static void
note_all(struct run *r, struct work *w)
{
	struct recipient *rcpts = spool_entry(w->item)->env.rcpts;
	size_t total = spool_entry(w->item)->env.n, i, k, n;
	size_t *same = calloc(total, sizeof *same);

	for (i = 0; i < total; i++) {
		if (!is_news(r, w, i))
			continue;
		/* Without memory one by one. */
		for (k = i, n = 0; same != NULL && k < total; k++)
			if (is_news(r, w, k) &&
			    outcome_alike(&rcpts[k].outcome, &rcpts[i].outcome))
				same[n++] = k;
		note_alike(r, w, same != NULL ? same : &i, n > 0 ? n : 1);
	}
	free(same);
}

/* Those of this try that are decided by now, and not noted: who failed for a
 * reason that can be mended waits. */
static void
note_decided(struct run *r, struct work *w)
{
	struct envelope *env = &spool_entry(w->item)->env;
	size_t i;

	for (i = 0; i < env->n; i++)
		if (w->parts[i] == PART_OPEN)
			retry_defer(&env->rcpts[i].outcome);
	note_all(r, w);
}

/* One reason for all that are open. */
static void
decide_all(struct run *r, struct work *w, const struct err *e)
{
	struct envelope *env = &spool_entry(w->item)->env;
	size_t i;

	for (i = 0; i < env->n; i++)
		if (w->parts[i] == PART_OPEN)
			outcome_decide(&env->rcpts[i].outcome, e);
	note_decided(r, w);
}

/* ---- the end of a try ---- */

/* Time is over for those still open. */
static void
expire(struct run *r, struct work *w)
{
	struct envelope *env = &spool_entry(w->item)->env;
	size_t i;

	for (i = 0; i < env->n; i++)
		if (entry_is_open(spool_entry(w->item), i)) {
			retry_expire(&env->rcpts[i].outcome);
			w->parts[i] = PART_OPEN;
		}
	note_all(r, w);
}

static void
end_entry(struct run *r, struct work *w)
{
	struct err e;

	if (spool_end(w->item, &e) == -1)
		trouble(r, spool_entry(w->item)->id, &e);
	else
		r->result->noted++;
}

static int64_t
next_try(struct run *r, const struct entry *en, int64_t now)
{
	uint32_t random;

	/* In parentheses: random() is a banned call. */
	(r->c->mx.random)(&random, sizeof random);
	return retry_next(en->tries, now, random);
}

static void
note_try(struct run *r, struct work *w, int64_t now)
{
	struct entry *en = spool_entry(w->item);
	int64_t next = next_try(r, en, now);
	struct err e;

	if (spool_note_try(w->item, next, en->tries, &e) == -1) {
		trouble(r, en->id, &e);
		return;
	}
	en->next_try = next;
	r->result->noted++;
}

/* Reports, then the entry goes, or waits. A death in between is mended by who
 * locks it next. */
static void
conclude(struct run *r, struct work *w, const struct entry_now *now)
{
	struct entry *en = spool_entry(w->item);
	bool delayed = retry_delayed(en, now->wall, w->account.notice);
	struct err e;
	int told;

	r->reports.lifetime = w->account.lifetime;
	r->reports.local_senders = w->account.local_senders;
	told = reports_due(&r->reports, w->item, now, delayed, &e);
	if (told == -1)
		trouble(r, en->id, &e);
	if (entry_open(en) > 0 || told == -1)
		note_try(r, w, now->wall);
	else if (reports_is_double(en))
		note_of(r, en,
		    "kept on hold: it failed, and there is no sender to tell");
	else
		end_entry(r, w);
}

/* True if somebody has it of whom the entry does not say so. */
static bool
is_unknown(const struct work *w)
{
	const struct envelope *env = &spool_entry(w->item)->env;
	size_t i;

	for (i = 0; i < env->n; i++)
		if (w->parts[i] == PART_LOST &&
		    env->rcpts[i].outcome.state == OUTCOME_DELIVERED)
			return true;
	return false;
}

/* All that could not be noted, in a new file in the entry's place. */
static int
renew(struct work *w, struct err *e)
{
	struct entry *en = spool_entry(w->item);
	size_t *rcpts = calloc(en->env.n, sizeof *rcpts), i, n = 0;
	int rc;

	if (rcpts == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	for (i = 0; i < en->env.n; i++)
		if (w->parts[i] == PART_LOST)
			rcpts[n++] = i;
	rc = spool_renew(w->item, rcpts, n, e);
	free(rcpts);
	return rc;
}

/* True if nobody is to be served or told any more. */
static bool
is_done(const struct entry *en)
{
	return envelope_count(&en->env, OUTCOME_DELIVERED) == en->env.n;
}

/*
 * What became of it could not be noted. Who has it must not get it again: so
 * the entry is written anew, or goes if everybody has it. True if all is as if
 * it had been noted; else all that is known is that it may have been delivered.
 */
static bool
rescue(struct run *r, struct work *w)
{
	struct entry *en = spool_entry(w->item);
	struct err e;

	trouble(r, en->id, &w->why);
	if (!is_unknown(w))
		return false;
	if (renew(w, &e) == 0) {
		w->lost = false;
		note_of(r, en, "was written anew, with all that is known");
	} else if (is_done(en) && spool_remove(w->item, &e) == 0) {
		r->result->noted++;
	} else {
		note_of(r, en,
		    "was delivered to somebody, which could not be noted: it "
		    "may be delivered to them again");
	}
	return !w->lost;
}

static void
work_close(struct work *w)
{
	message_free(&w->m);
	spool_release(w->item);
	free(w->parts);
	w->item = NULL;
	w->parts = NULL;
}

/* All of its recipients are decided and noted. */
static void
finish(struct run *r, struct work *w)
{
	struct entry *en = spool_entry(w->item);
	struct entry_now now = moment_now();
	bool tried = entry_open(en) == 0 || !stopped(r);

	if (w->finished)
		return;
	w->finished = true;
	/* A try that was broken off is none. */
	en->tries += tried;
	if (tried && retry_over(en, now.wall, w->account.lifetime))
		expire(r, w);
	if (w->lost && !rescue(r, w))
		return;
	if (tried)
		conclude(r, w, &now);
}

/* ---- locking and opening ---- */

/* Who this try is for; what an earlier one said of them is history. */
static int
open_parts(struct work *w)
{
	struct entry *en = spool_entry(w->item);
	size_t i;

	w->parts = calloc(en->env.n, sizeof *w->parts);
	if (w->parts == NULL)
		return -1;
	for (i = 0; i < en->env.n; i++)
		if (entry_is_open(en, i)) {
			en->env.rcpts[i].outcome =
			    (struct outcome){ .state = OUTCOME_PENDING };
			w->parts[i] = PART_OPEN;
		}
	return 0;
}

/* Names that could not be told so far: true; false: it stays as it was, and
 * that was told. */
static bool
resolve(struct run *r, struct work *w)
{
	struct entry *en = spool_entry(w->item);
	const struct entry_now now = moment_now();
	const size_t before = en->env.n;
	unsigned char *parts;
	struct err e;

	if (w->account.locals == NULL || !resolve_is_due(en))
		return true;
	if (resolve_entry(w->account.locals, w->item, &now, &e) == -1) {
		trouble(r, en->id, &e);
		return false;
	}
	parts = realloc(w->parts, en->env.n);
	if (parts == NULL)
		return false;
	w->parts = parts;
	memset(parts + before, PART_OPEN, en->env.n - before);
	return true;
}

/* True if it is locked, and still what was wanted. */
static bool
lock(struct run *r, const char *id, struct work *w)
{
	struct entry_now now = moment_now();
	struct pick_filter any = { .due = false };
	struct err e;

	switch (spool_lock(r->c->folder, id, &now, &w->item, &e)) {
	case SPOOL_LOCKED:
		return pick_wants(r->again ? &any : &r->c->filter,
		    spool_entry(w->item), now.wall);
	case SPOOL_BUSY:
		if (r->c->filter.nids > 0)
			note(r, id, "is being tried by another run");
		return false;
	case SPOOL_BROKEN:
		note(r, id, e.text);
		r->result->noted++;
		return false;
	case SPOOL_ERROR:
		trouble(r, id, &e);
		return false;
	default:
		return false;
	}
}

/* Its head is whole, and what is behind it no message any more: it cannot be
 * sent, and nobody can be told of it. */
static void
set_aside(struct run *r, const struct work *w, const struct err *why)
{
	const struct entry *en = spool_entry(w->item);
	struct err e;

	if (aside_put(r->c->folder, en->id, en->id, why, &e) == -1) {
		trouble(r, en->id, &e);
		return;
	}
	note_of(r, en, why->text);
	r->result->noted++;
}

/* They are told of as queued, and noted as delivered: they are no business of
 * this queue's any more. */
static void
note_left(struct run *r, struct work *w, const char *id)
{
	struct envelope *env = &spool_entry(w->item)->env;
	struct outcome *o;
	size_t i;

	for (i = 0; i < env->n; i++) {
		o = &env->rcpts[i].outcome;
		if (o->state == OUTCOME_QUEUED)
			snprintf(o->err.text, sizeof o->err.text,
			    "left to the machine's queue as %s", id);
	}
	note_all(r, w);
	for (i = 0; i < env->n; i++)
		if (env->rcpts[i].outcome.state == OUTCOME_QUEUED)
			env->rcpts[i].outcome.state = OUTCOME_DELIVERED;
}

/*
 * Those whom another queue serves go there before they are noted here: a death
 * between the two has them go there again. Where that queue does not take them
 * they are tried as ever.
 */
static void
leave_some(struct run *r, struct work *w)
{
	struct entry *en = spool_entry(w->item);
	struct leave_config c = w->account.leave;
	size_t n = leave_count(&c, &en->env);
	char id[ENTRY_ID_SIZE];
	struct err e;

	if (n == 0)
		return;
	c.arrived = en->arrived;
	if (spool_room(w->item, n, &e) == -1 ||
	    leave(&c, &en->env, &w->m, id, &e) == -1)
		trouble(r, en->id, &e);
	else
		note_left(r, w, id);
}

/*
 * Make an entry ready to be planned: true; else it is done with: nobody is
 * open, there is no account for it, or it cannot be read.
 */
static bool
prepare(struct run *r, struct work *w)
{
	struct entry *en = spool_entry(w->item);
	struct err e, why;
	int got = r->c->account(r->c->ctx, en->account, &w->account, &why);
	bool read = spool_message(w->item, &w->m, &e) == 0;

	if (!read && e.kind == ERR_DATA) {
		set_aside(r, w, &e);
		return false;
	}
	if (entry_open(en) == 0) {
		if (open_parts(w) == 0)
			finish(r, w);
		return false;
	}
	if (open_parts(w) == -1 || (got == 0 && !resolve(r, w)))
		return false;
	r->result->tried++;
	if (read && got == 0) {
		leave_some(r, w);
		return true;
	}
	decide_all(r, w, read ? &why : &e);
	finish(r, w);
	return false;
}

/* The next entry that is to be planned: true, false when there is none. */
static bool
take(struct run *r, struct work *w)
{
	while (r->picks.next < r->picks.n && !stopped(r)) {
		*w = (struct work){ .item = NULL };
		if (lock(r, r->picks.at[r->picks.next++].id, w) &&
		    prepare(r, w))
			return true;
		work_close(w);
	}
	return false;
}

/* ---- waves ---- */

static void
wave_free(struct wave *w)
{
	size_t i;

	if (w == NULL)
		return;
	plan_free(&w->plan);
	for (i = 0; i < w->n; i++)
		work_close(&w->works[i]);
	free(w->works);
	free(w->mails);
	free(w);
}

static struct wave *
wave_new(void)
{
	struct wave *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->works = calloc(WAVE_MAX, sizeof *w->works);
	w->mails = calloc(WAVE_MAX, sizeof *w->mails);
	if (w->works != NULL && w->mails != NULL)
		return w;
	wave_free(w);
	return NULL;
}

static void
wave_fill(struct run *r, struct wave *w)
{
	struct work *work;

	while (w->n < WAVE_MAX && take(r, &w->works[w->n])) {
		work = &w->works[w->n];
		w->mails[w->n++] = (struct mail){ .m = &work->m,
			.env = &spool_entry(work->item)->env,
			.by = work->account.by,
			.owner = work };
	}
}

/* Plan it; who can be decided by that is. */
static void
wave_plan(struct run *r, struct wave *w)
{
	struct err e;
	size_t i;
	int got = mx_plan(&r->c->mx, w->mails, w->n, &w->plan, &e);

	for (i = 0; i < w->n; i++) {
		if (got == -1)
			decide_all(r, &w->works[i], &e);
		else
			note_decided(r, &w->works[i]);
		if (envelope_count(w->mails[i].env, OUTCOME_PENDING) == 0)
			finish(r, &w->works[i]);
	}
}

static struct plan *
on_next(void *ctx)
{
	struct run *r = ctx;
	struct wave *w;

	for (;;) {
		w = wave_new();
		if (w == NULL)
			return NULL;
		wave_fill(r, w);
		if (w->n > 0)
			wave_plan(r, w);
		if (w->plan.n > 0)
			return &w->plan;
		if (w->n == 0)
			break;
		wave_free(w);
	}
	wave_free(w);
	return NULL;
}

static int
on_final(
    void *ctx, struct mail *mail, const size_t *rcpts, size_t n, struct err *e)
{
	struct work *w = mail->owner;
	size_t i;

	(void)ctx;
	for (i = 0; i < n; i++)
		spool_entry(w->item)->rcpts[rcpts[i]].final = true;
	return spool_note_final(w->item, rcpts, n, e);
}

static void
on_outcome(void *ctx, struct mail *mail, const size_t *rcpts, size_t n)
{
	(void)rcpts;
	(void)n;
	note_decided(ctx, mail->owner);
}

static void
on_mail_done(void *ctx, struct mail *mail)
{
	struct work *w = mail->owner;

	note_decided(ctx, w);
	finish(ctx, w);
}

static void
on_done(void *ctx, struct plan *plan)
{
	(void)ctx;
	wave_free((struct wave *)plan);
}

/* ---- the run ---- */

static void
on_report(void *ctx, const struct entry *en, enum dsn_kind kind, const char *id)
{
	static const char *const names[DSN_KINDS] = { [DSN_FAILED] = "failure",
		[DSN_DELAYED] = "delay",
		[DSN_RELAYED] = "delivery" };
	struct run *r = ctx;
	char text[ERR_TEXT_MAX];

	snprintf(text, sizeof text, "its sender is told of the %s, by %s",
	    names[kind], id);
	note_of(r, en, text);
	r->result->reports++;
	/* Without memory it waits for the next run. */
	picks_add(&r->made, id);
}

/* Who looks at it knows that somebody runs this queue. */
static void
touch(struct run *r)
{
	int dir =
	    open(r->c->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOCTTY);
	int fd = -1;
	struct err e;

	if (dir != -1)
		fd = openat(dir, STAMP,
		    O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK |
			O_NOCTTY,
		    0644);
	if (fd == -1 || futimens(fd, NULL) == -1 || fchmod(fd, 0644) == -1) {
		err_errno(&e, ERR_TEMP, ERR_MACHINE, errno,
		    "cannot touch %s/" STAMP, r->c->base);
		trouble(r, "", &e);
	}
	if (fd != -1)
		close(fd);
	if (dir != -1)
		close(dir);
}

/* Those that are named: which are there, and which are not to be tried. */
static void
find_named(struct run *r)
{
	const struct pick_filter *f = &r->c->filter;
	struct stat st;
	size_t i, k;

	for (i = 0; i < f->nids; i++) {
		if (fstatat(r->c->folder->fd, f->ids[i], &st,
			AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		r->c->found[i] = true;
		for (k = 0; k < r->picks.n; k++)
			if (strcmp(r->picks.at[k].id, f->ids[i]) == 0)
				break;
		if (k == r->picks.n)
			note(r, f->ids[i], "is on hold: release it first");
	}
}

static void
deliver_picks(struct run *r)
{
	const struct source source = { .next = on_next,
		.final = on_final,
		.outcome = on_outcome,
		.mail_done = on_mail_done,
		.done = on_done,
		.ctx = r };

	deliver(&r->c->deliver, &source);
}

/* What was put by this run goes out in it; a report makes no other. */
static void
deliver_reports(struct run *r)
{
	r->again = true;
	while (r->made.n > 0 && !stopped(r)) {
		picks_free(&r->picks);
		r->picks = r->made;
		r->made = (struct picks){ .n = 0 };
		deliver_picks(r);
	}
}

int
runner_run(
    const struct runner_config *c, struct runner_result *result, struct err *e)
{
	struct run r = { .c = c, .result = result, .reports = c->reports };
	const struct entry_now now = moment_now();
	struct err why;

	*result = (struct runner_result){ .tried = 0 };
	r.reports.on_report = on_report;
	r.reports.ctx = &r;
	touch(&r);
	if (spool_sweep(c->folder, &why) == -1)
		trouble(&r, "", &why);
	if (picks_read(&r.picks, c->folder, &c->filter, &now, e) == -1) {
		picks_free(&r.picks);
		return -1;
	}
	find_named(&r);
	deliver_picks(&r);
	deliver_reports(&r);
	picks_free(&r.picks);
	picks_free(&r.made);
	return 0;
}
