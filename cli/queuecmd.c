/*
 * queuecmd: see queuecmd.h. One folder after the other, each opened as its
 * owner, so that root leaves nothing there that its owner cannot change.
 * Callers: native.c.
 * fcntl(2) F_OFD_SETLK, seteuid(2).
 * Ownership: closes the folders that it opens.
 */
#include <sys/stat.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/options.h"
#include "cli/queuecmd.h"
#include "cli/queuelist.h"
#include "cli/queuestats.h"
#include "cli/report.h"
#include "cli/spools.h"
#include "queue/aside.h"
#include "queue/folder.h"
#include "queue/moment.h"
#include "queue/spool.h"

/* One id that was asked for. */
struct asked {
	char id[ENTRY_ID_SIZE + 1];
	bool found;
};

struct job {
	const struct options *o; /* borrowed */
	struct queue_view view;
	struct queuelist *list; /* owned */
	struct queuestats *stats; /* owned */
	struct asked *asked; /* owned: as many as o has operands */
	const struct spools_place *place; /* borrowed: of the folder */
	struct queue_released *released; /* borrowed */
	int code; /* of the first trouble */
};

static void
trouble(struct job *j, const struct err *e)
{
	report_error(stderr, e);
	if (j->code == 0)
		j->code = err_exit(e);
}

/* ---- changes ---- */

/* What is done to a message that is locked: 0, or -1 with *e. */
typedef int change_fn(struct job *, struct spool_item *, struct err *e);

static int
hold(struct job *j, struct spool_item *it, struct err *e)
{
	(void)j;
	return spool_entry(it)->hold ? 0 : spool_note_hold(it, true, e);
}

/* Somebody must try it; the machine's queue has its own runner. */
static int
note_released(struct job *j, const struct entry *en, struct err *e)
{
	struct queue_released *r = j->released;

	if (r->any || j->place->kind != SPOOLS_OWN)
		return 0;
	r->place = *j->place;
	r->account = strdup(en->account);
	if (r->account == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	r->any = true;
	return 0;
}

static int
release(struct job *j, struct spool_item *it, struct err *e)
{
	const struct entry *en = spool_entry(it);

	if (entry_open(en) == 0)
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "message %s has nobody left to try: --queue-show says "
		    "why, --queue-remove removes it",
		    en->id);
	if (spool_note_try(it, j->view.now.wall, en->tries, e) == -1 ||
	    (en->hold && spool_note_hold(it, false, e) == -1))
		return -1;
	return note_released(j, en, e);
}

static int
remove_it(struct job *j, struct spool_item *it, struct err *e)
{
	(void)j;
	return spool_remove(it, e);
}

/* One that was set aside: true if it is there. */
static bool
change_aside(struct job *j, const struct folder *f, const char *id)
{
	struct aside a;
	struct err e;
	int got;

	if (j->o->mode == MODE_QUEUE_REMOVE) {
		got = aside_remove(f, id, &e);
		if (got == -1)
			trouble(j, &e);
		return got != 1;
	}
	if (!aside_find(f, id, &a))
		return false;
	err_set(&e, ERR_PERM, ERR_DATA,
	    "message %s is broken and was set aside: it can only be removed",
	    id);
	trouble(j, &e);
	return true;
}

static int
note_there(void *ctx, const struct entry *en, const struct err *why)
{
	(void)en;
	(void)why;
	*(bool *)ctx = true;
	return 0;
}

/* One that a user added, which is not the runner's yet. */
static bool
change_incoming(struct job *j, const struct folder *f, const char *id)
{
	bool there = false;
	struct err e;

	spool_look(f, id, &j->view.now, note_there, &there);
	if (!there)
		return false;
	err_set(&e, ERR_TEMP, ERR_USAGE,
	    "message %s was not taken in yet: say it again when the queue was "
	    "run",
	    id);
	trouble(j, &e);
	return true;
}

static bool
change(struct job *j, const struct folder *f, const char *id, change_fn *fn)
{
	struct spool_item *it = NULL;
	struct err e;

	if (f->kind == FOLDER_TAKE)
		return change_incoming(j, f, id);
	switch (spool_lock(f, id, &j->view.now, &it, &e)) {
	case SPOOL_LOCKED:
		if (fn(j, it, &e) == -1)
			trouble(j, &e);
		spool_unlock(it);
		return true;
	case SPOOL_BUSY:
		err_set(&e, ERR_TEMP, ERR_USAGE,
		    "message %s is being tried right now: say it again when "
		    "that is over",
		    id);
		break;
	case SPOOL_GONE:
	case SPOOL_BROKEN: /* and set aside just now */
		return change_aside(j, f, id);
	default:
		break;
	}
	trouble(j, &e);
	return true;
}

/* ---- modes ---- */

/* What is done in each folder: 0, or -1 with *e. */
typedef int visit_fn(struct job *, const struct folder *, struct err *e);

static int
visit_list(struct job *j, const struct folder *f, struct err *e)
{
	return queuelist_add(j->list, f, e);
}

static int
visit_stats(struct job *j, const struct folder *f, struct err *e)
{
	return queuestats_add(j->stats, f, e);
}

static int
visit_ids(struct job *j, const struct folder *f, struct err *e)
{
	static change_fn *const changes[MODES] = {
		[MODE_QUEUE_HOLD] = hold,
		[MODE_QUEUE_RELEASE] = release,
		[MODE_QUEUE_REMOVE] = remove_it,
	};
	change_fn *fn = changes[j->o->mode];
	struct asked *a;

	(void)e;
	for (size_t i = 0; i < j->o->noperands; i++) {
		a = &j->asked[i];
		if (!a->found)
			a->found = fn == NULL
			    ? queuelist_show(&j->view, f, a->id)
			    : change(j, f, a->id, fn);
	}
	return 0;
}

/* What each mode does in the folders; without: nothing of ours. */
static visit_fn *const visits[MODES] = {
	[MODE_QUEUE_LIST] = visit_list,
	[MODE_QUEUE_STATS] = visit_stats,
	[MODE_QUEUE_SHOW] = visit_ids,
	[MODE_QUEUE_HOLD] = visit_ids,
	[MODE_QUEUE_RELEASE] = visit_ids,
	[MODE_QUEUE_REMOVE] = visit_ids,
};

/* ---- folders ---- */

/* Root is the owner of the machine's queue for as long as it looks into it:
 * 0, or -1 with *e. */
static int
become_owner(const struct spools_place *p, struct err *e)
{
	struct stat st;

	if (p->kind == SPOOLS_OWN || geteuid() != 0)
		return 0;
	if (stat(p->base, &st) == 0 && setegid(st.st_gid) == 0 &&
	    seteuid(st.st_uid) == 0)
		return 0;
	return err_errno(e, ERR_TEMP, ERR_MACHINE, errno,
	    "cannot become the owner of %s", p->base);
}

/* 0, or -1 with *e. */
static int
become_again(uid_t uid, gid_t gid, struct err *e)
{
	if ((geteuid() == uid || seteuid(uid) == 0) &&
	    (getegid() == gid || setegid(gid) == 0))
		return 0;
	return err_errno(
	    e, ERR_TEMP, ERR_MACHINE, errno, "cannot be root again");
}

/* 0, also where there is none, or -1 with *e. */
static int
visit_folder(struct job *j, const struct spools_place *p, struct err *e)
{
	struct folder *f = NULL;
	int rc = spools_open(p, false, &f, e);

	j->place = p;
	if (rc == 0)
		rc = visits[j->o->mode](j, f, e);
	folder_close(f);
	j->place = NULL;
	return rc == 1 ? 0 : rc;
}

/* Behind the machine's queue what its runner did not take in yet. */
static int
visit(struct job *j, const struct spools_place *p, struct err *e)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	struct spools_place in = *p;
	struct err back;
	int rc = become_owner(p, e);

	if (rc == 0)
		rc = visit_folder(j, p, e);
	if (rc == 0 && p->kind == SPOOLS_QUEUE) {
		spools_taken(&in);
		rc = visit_folder(j, &in, e);
	}
	if (become_again(uid, gid, &back) == -1) {
		*e = back;
		rc = -1;
	}
	return rc;
}

/* Their mail may be where they cannot look. */
static void
tell_of_machine(const struct spools_place *places, int n)
{
	struct spools_place p;

	for (int i = 0; i < n; i++)
		if (places[i].kind == SPOOLS_QUEUE)
			return;
	if (spools_machine(&p))
		report_warning(stderr,
		    "only your own queue is looked at; that of the machine, "
		    "in " SPOOLS_MACHINE ", is for root and its runner");
}

static void
visit_all(struct job *j)
{
	struct spools_place places[SPOOLS_MAX];
	struct err e;
	int n = spools_seen(places, &e);

	if (n == -1) {
		trouble(j, &e);
		return;
	}
	j->view.many =
	    j->o->mode == MODE_QUEUE_LIST ? n > 1 : j->o->noperands > 1;
	for (int i = 0; i < n; i++)
		if (visit(j, &places[i], &e) == -1)
			trouble(j, &e);
	tell_of_machine(places, n);
}

/* ---- ids ---- */

/* As it stands in the list: behind it may be a mark. */
static void
take_id(struct asked *a, const char *s)
{
	size_t n = strlen(s);

	if (n == ENTRY_ID_LEN + 1 && strchr("*!?+", s[n - 1]) != NULL)
		n--;
	snprintf(a->id, sizeof a->id, "%.*s", (int)n, s);
}

static void
tell_unknown(struct job *j)
{
	struct err e;

	for (size_t i = 0; i < j->o->noperands; i++) {
		if (j->asked[i].found)
			continue;
		err_set(&e, ERR_PERM, ERR_USAGE,
		    "no message \"%.64s\" in the queue: give a whole id of "
		    "--queue-list",
		    j->o->operands[i]);
		trouble(j, &e);
	}
}

/* ---- the whole ---- */

static int
prepare(struct job *j, struct err *e)
{
	j->view = (struct queue_view){
		.now = moment_now(),
		.json = j->o->json,
		.out = stdout,
		.only = { .id = j->o->queue_run.id,
		    .rcpt = j->o->queue_run.rcpt,
		    .sender = j->o->queue_run.sender },
	};
	j->asked = calloc(j->o->noperands + 1, sizeof *j->asked);
	if (j->o->mode == MODE_QUEUE_LIST)
		j->list = queuelist_new(&j->view);
	if (j->o->mode == MODE_QUEUE_STATS)
		j->stats = queuestats_new(&j->view);
	if (j->asked == NULL ||
	    (j->list == NULL && j->o->mode == MODE_QUEUE_LIST) ||
	    (j->stats == NULL && j->o->mode == MODE_QUEUE_STATS))
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	for (size_t i = 0; i < j->o->noperands; i++)
		take_id(&j->asked[i], j->o->operands[i]);
	return 0;
}

int
queuecmd_run(const struct options *o, struct queue_released *released)
{
	struct job j = { .o = o, .released = released };
	struct err e;

	*released = (struct queue_released){ .any = false };
	if (prepare(&j, &e) == -1)
		trouble(&j, &e);
	else {
		visit_all(&j);
		tell_unknown(&j);
	}
	queuelist_end(j.list, j.code == 0);
	queuestats_end(j.stats, j.code == 0);
	free(j.asked);
	return j.code;
}
