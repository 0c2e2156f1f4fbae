/*
 * queuelist: see queuelist.h. What comes from senders, servers and disks is
 * made printable; it is written in pieces, so memory does not grow with the
 * queue.
 * Callers: queuecmd.c.
 * sendmail(8), postqueue(1); RFC 8259 (JSON), RFC 3339 (moments).
 * Ownership: borrows everything.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "base/when.h"
#include "cli/queuelist.h"
#include "cli/report.h"
#include "mail/envelope.h"
#include "queue/aside.h"
#include "queue/folder.h"
#include "queue/spool.h"

/* Octets that are written at once, and room for one item more. */
#define PIECE (64 * 1024)
#define OUT_MAX (8 * PIECE)

/* An entry may hold texts of any length: octets of one that are shown. */
#define TEXT_MAX 2048u

struct queuelist {
	const struct queue_view *v; /* borrowed */
	const struct folder *folder; /* borrowed: the one that is read */
	struct buf b; /* what was not written yet */
	size_t count; /* messages so far */
	uint64_t octets; /* in them */
	bool headed; /* the folder's columns are named */
};

static void
flush(struct queuelist *l)
{
	fwrite(buf_str(&l->b), 1, l->b.len, l->v->out);
	buf_reset(&l->b);
}

/* Behind each item: non-zero if nobody reads on. */
static int
emit(struct queuelist *l)
{
	if (l->b.len >= PIECE)
		flush(l);
	return ferror(l->v->out) != 0;
}

/* Text from outside, as much as anybody reads, between two of ours. */
static void
put_text(struct buf *b, const char *before, const char *s, const char *behind)
{
	buf_adds(b, before);
	enc_printable(b, s, strnlen(s, TEXT_MAX));
	buf_adds(b, behind);
}

/* ---- what is told of a message, however it is told ---- */

enum state { WAITING, TRIED, HELD, KEPT, DONE, INCOMING, BROKEN, UNREADABLE };

static const struct {
	const char *name; /* JSON */
	char mark; /* behind the id */
	const char *words;
} states[] = {
	[WAITING] = { "waiting", ' ', "waiting" },
	[TRIED] = { "trying", '*', "being tried right now" },
	[HELD] = { "held", '!', "held: not tried until it is released" },
	[KEPT] = { "kept", '!',
	    "kept for you: it failed, and nobody can be told" },
	[DONE] = { "done", ' ', "nobody is left to try: the next run ends it" },
	[INCOMING] = { "incoming", '+', "added; the next run takes it in" },
	[BROKEN] = { "broken", '?', "broken" },
	[UNREADABLE] = { "unreadable", '?', "cannot be read now" },
};

static enum state
state_of(
    const struct queuelist *l, const struct entry *en, const struct err *why)
{
	if (l->folder->kind == FOLDER_TAKE)
		return INCOMING;
	if (why != NULL)
		return why->kind == ERR_DATA ? BROKEN : UNREADABLE;
	if (en->busy)
		return TRIED;
	if (entry_open(en) == 0)
		return en->hold ? KEPT : DONE;
	return en->hold ? HELD : WAITING;
}

/* It may have arrived by a try whose end nobody saw. */
static bool
in_doubt(const struct entry *en, size_t i)
{
	return en->rcpts[i].doubt &&
	    en->env.rcpts[i].outcome.state != OUTCOME_DELIVERED;
}

static const char *
moment(int64_t ms, char out[WHEN_DATE_MAX])
{
	return when_date_text(ms / 1000, out);
}

/* ---- mailq ---- */

/* Behind each line's first columns, and below each message. */
#define REASON "\n                 "
#define RECIPIENT "\n\t\t\t\t\t  "

static void
put_head(struct queuelist *l)
{
	if (l->headed)
		return;
	if (l->v->many)
		put_text(&l->b, "\t\t", l->folder->path, "\n");
	buf_adds(&l->b,
	    "-----Q-ID------ --Size-- -----Q-Time----- "
	    "------------Sender/Recipient----------\n");
	l->headed = true;
}

/* Day and minute, in English, as asctime(3) begins. */
static void
put_time(struct buf *b, int64_t ms)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	const time_t at = (time_t)(ms / 1000);
	struct tm tm;

	if (localtime_r(&at, &tm) == NULL)
		tm = (struct tm){ .tm_mday = 1, .tm_wday = 4 };
	buf_addf(b, "%s %s %2d %02d:%02d", days[tm.tm_wday], months[tm.tm_mon],
	    tm.tm_mday, tm.tm_hour, tm.tm_min);
}

static void
put_line(struct queuelist *l, const char *id, enum state state, uint64_t size)
{
	put_head(l);
	buf_addf(&l->b, "%s%c%8" PRIu64 " ", id, states[state].mark, size);
	l->count++;
	l->octets += size;
}

/* The reason is that of the one before. */
static bool
is_alike(const struct entry *en, size_t i, size_t k)
{
	const struct outcome *a = &en->env.rcpts[i].outcome,
			     *b = &en->env.rcpts[k].outcome;

	return a->state == b->state && in_doubt(en, i) == in_doubt(en, k) &&
	    strcmp(a->host, b->host) == 0 &&
	    strcmp(a->err.text, b->err.text) == 0;
}

/* "(Deferred: TEXT, at HOST.)", as programs look for it; nothing of who was
 * not tried yet, or is tried now. */
static void
put_reason(struct buf *b, const struct entry *en, size_t i)
{
	const struct outcome *o = &en->env.rcpts[i].outcome;
	const bool doubt = in_doubt(en, i);

	if (o->state == OUTCOME_PENDING && (!doubt || en->busy))
		return;
	if (o->state == OUTCOME_PENDING)
		buf_adds(b, REASON "(A try ended without an outcome");
	else
		put_text(b,
		    o->state == OUTCOME_FAILED ? REASON "(Failed: "
					       : REASON "(Deferred: ",
		    o->err.text, "");
	if (doubt)
		buf_adds(b, ", may have been delivered");
	if (o->host[0] != '\0')
		put_text(b, ", at ", o->host, ".");
	buf_addc(b, ')');
}

/* Those still to be tried; if there are none, those that failed. */
static bool
is_shown(const struct entry *en, size_t i, bool any_open)
{
	return any_open ? entry_is_open(en, i)
			: en->env.rcpts[i].outcome.state == OUTCOME_FAILED;
}

static int
put_recipients(struct queuelist *l, const struct entry *en)
{
	const bool any_open = entry_open(en) > 0;
	size_t before = en->env.n;

	for (size_t i = 0; i < en->env.n; i++) {
		if (!is_shown(en, i, any_open))
			continue;
		if (before == en->env.n || !is_alike(en, before, i))
			put_reason(&l->b, en, i);
		put_text(&l->b, RECIPIENT "<", en->env.rcpts[i].addr.raw, ">");
		before = i;
		if (emit(l) != 0)
			return 1;
	}
	return 0;
}

static int
text_entry(struct queuelist *l, const struct entry *en, const struct err *why)
{
	const enum state state = state_of(l, en, why);

	put_line(l, en->id, state, why == NULL ? en->message_size : 0);
	put_time(&l->b, why == NULL ? en->arrived : entry_id_time(en->id));
	if (why != NULL) {
		put_text(&l->b, REASON "(", why->text, ")");
	} else {
		put_text(&l->b, " <", en->env.sender.raw, ">");
		if (state == DONE)
			buf_addf(&l->b, REASON "(%s)", states[state].words);
		if (put_recipients(l, en) != 0)
			return 1;
	}
	buf_addc(&l->b, '\n');
	return emit(l);
}

static void
text_aside(struct queuelist *l, const struct aside *a)
{
	put_line(l, a->id, BROKEN, a->size);
	put_time(&l->b, entry_id_time(a->id));
	put_text(&l->b, REASON "(Set aside: ",
	    a->why[0] != '\0' ? a->why : "the reason is lost", ")\n");
}

/* sendmail's last line, and Postfix's: programs read either. */
static void
put_total(struct queuelist *l)
{
	if (l->count == 0)
		buf_adds(&l->b, "Mail queue is empty\n");
	else
		buf_addf(&l->b,
		    "\t\tTotal requests: %zu\n"
		    "-- %" PRIu64 " Kbytes in %zu Request%s.\n",
		    l->count, (l->octets + 1023) / 1024, l->count,
		    l->count == 1 ? "" : "s");
}

/* ---- JSON ---- */

static void
json_name(struct buf *b, const char *name)
{
	buf_addf(b, ",\"%s\":", name);
}

/* NULL: null. */
static void
json_text(struct buf *b, const char *name, const char *s)
{
	json_name(b, name);
	if (s == NULL)
		buf_adds(b, "null");
	else
		enc_json(b, s, strnlen(s, TEXT_MAX));
}

/* ms since 1970; 0: null. */
static void
json_moment(struct buf *b, const char *name, int64_t ms)
{
	char at[WHEN_DATE_MAX];

	json_text(b, name, ms == 0 ? NULL : moment(ms, at));
}

static void
json_begin(
    struct queuelist *l, const char *id, enum state state, const char *why)
{
	buf_adds(&l->b, "{\"id\":");
	enc_json(&l->b, id, strlen(id));
	json_text(&l->b, "queue", l->folder->path);
	json_text(&l->b, "state", states[state].name);
	json_text(&l->b, "why", why);
	l->count++;
}

static const struct {
	unsigned bit;
	const char *name;
} notify_rows[] = {
	{ NOTIFY_NEVER, "never" },
	{ NOTIFY_SUCCESS, "success" },
	{ NOTIFY_FAILURE, "failure" },
	{ NOTIFY_DELAY, "delay" },
};
#define NOTIFY_ROWS (sizeof notify_rows / sizeof notify_rows[0])

static const char *const return_names[] = {
	[RETURN_UNSAID] = NULL,
	[RETURN_FULL] = "full",
	[RETURN_HDRS] = "hdrs",
};

static void
json_notify(struct buf *b, unsigned bits)
{
	const char *before = "";

	json_name(b, "notify");
	buf_addc(b, '[');
	for (size_t i = 0; i < NOTIFY_ROWS; i++)
		if (bits & notify_rows[i].bit) {
			buf_addf(b, "%s\"%s\"", before, notify_rows[i].name);
			before = ",";
		}
	buf_addc(b, ']');
}

static void
json_recipient(struct buf *b, const struct entry *en, size_t i)
{
	struct recipient r = en->env.rcpts[i];

	r.outcome.in_doubt = in_doubt(en, i);
	buf_addc(b, '{');
	report_json_recipient(b, &r);
	json_moment(b, "when", en->rcpts[i].when);
	json_notify(b, r.notify);
	json_text(b, "orcpt", r.orcpt);
	json_moment(b, "reported", en->rcpts[i].reported_when);
	buf_addc(b, '}');
}

/* By when it is to be there, ms since 1970; 0: nobody said so. */
static int64_t
deliver_by(const struct queue_view *v, const struct entry *en)
{
	return en->env.by.wanted ? v->now.wall + en->env.by.seconds * 1000 : 0;
}

static void
json_envelope(struct queuelist *l, const struct entry *en)
{
	const struct envelope *env = &en->env;
	struct buf *b = &l->b;

	buf_addf(b, ",\"size\":%" PRIu64, en->message_size);
	json_moment(b, "arrived", en->arrived);
	json_moment(b, "next_try", en->next_try);
	buf_addf(b, ",\"tries\":%u,\"held\":%s,\"signed\":%s", en->tries,
	    en->hold ? "true" : "false", en->is_signed ? "true" : "false");
	json_text(b, "account", en->account);
	json_text(b, "sender", env->sender.raw);
	json_text(b, "envid", env->envid);
	json_text(b, "return", return_names[env->dsn_return]);
	json_moment(b, "deliver_by", deliver_by(l->v, en));
	json_moment(b, "hold_until", env->hold_until * 1000);
	json_name(b, "priority");
	if (env->has_priority)
		buf_addf(b, "%d", env->priority);
	else
		buf_adds(b, "null");
	json_text(b, "submitter", env->submitter.raw);
}

static int
json_entry(struct queuelist *l, const struct entry *en, const struct err *why)
{
	json_begin(
	    l, en->id, state_of(l, en, why), why == NULL ? NULL : why->text);
	if (why != NULL) {
		buf_adds(&l->b, ",\"size\":null");
		json_moment(&l->b, "arrived", entry_id_time(en->id));
	} else {
		json_envelope(l, en);
		buf_adds(&l->b, ",\"recipients\":[");
		for (size_t i = 0; i < en->env.n; i++) {
			if (i > 0)
				buf_addc(&l->b, ',');
			json_recipient(&l->b, en, i);
			if (emit(l) != 0)
				return 1;
		}
		buf_addc(&l->b, ']');
	}
	buf_adds(&l->b, "}\n");
	return emit(l);
}

static void
json_aside(struct queuelist *l, const struct aside *a)
{
	json_begin(l, a->id, BROKEN, a->why);
	buf_addf(&l->b, ",\"size\":%" PRIu64, a->size);
	json_moment(&l->b, "arrived", entry_id_time(a->id));
	buf_adds(&l->b, "}\n");
}

/* ---- all ---- */

static int
list_entry(void *ctx, const struct entry *en, const struct err *why)
{
	struct queuelist *l = ctx;

	if (why == NULL && !pick_fits(&l->v->only, en))
		return 0;
	return l->v->json ? json_entry(l, en, why) : text_entry(l, en, why);
}

static int
list_aside(void *ctx, const struct aside *a)
{
	struct queuelist *l = ctx;

	if (l->v->json)
		json_aside(l, a);
	else
		text_aside(l, a);
	return emit(l);
}

struct queuelist *
queuelist_new(const struct queue_view *v)
{
	struct queuelist *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	l->v = v;
	buf_init(&l->b, OUT_MAX);
	return l;
}

int
queuelist_add(struct queuelist *l, const struct folder *f, struct err *e)
{
	int rc;

	l->folder = f;
	l->headed = false;
	rc = spool_list(f, &l->v->now, list_entry, l, e);
	if (rc == 0)
		rc = aside_list(f, list_aside, l, e);
	return rc == -1 ? -1 : 0;
}

void
queuelist_end(struct queuelist *l, bool whole)
{
	if (l == NULL)
		return;
	if (!l->v->json && (whole || l->count > 0))
		put_total(l);
	flush(l);
	buf_free(&l->b);
	free(l);
}

/* ---- one ---- */

static void
show_text(struct buf *b, const char *name, const char *s)
{
	buf_addf(b, "%s: ", name);
	put_text(b, "", s, "\n");
}

static void
show_moment(struct buf *b, const char *name, int64_t ms)
{
	char at[WHEN_DATE_MAX];

	if (ms != 0)
		show_text(b, name, moment(ms, at));
}

static void
show_wishes(struct queuelist *l, const struct entry *en)
{
	const struct envelope *env = &en->env;
	struct buf *b = &l->b;

	if (env->envid != NULL)
		show_text(b, "envid", env->envid);
	if (return_names[env->dsn_return] != NULL)
		show_text(b, "return", return_names[env->dsn_return]);
	show_moment(b, "deliver by", deliver_by(l->v, en));
	show_moment(b, "hold until", env->hold_until * 1000);
	if (env->has_priority)
		buf_addf(b, "priority: %d\n", env->priority);
	if (env->submitter.raw != NULL)
		put_text(b, "submitter: <", env->submitter.raw, ">\n");
}

static void
show_recipient(struct buf *b, const struct entry *en, size_t i)
{
	const struct recipient *r = &en->env.rcpts[i];
	struct outcome o = r->outcome;
	const char *before = "  notify: ";
	char at[WHEN_DATE_MAX];

	o.in_doubt = in_doubt(en, i);
	put_text(b, "to: <", r->addr.raw, ">\n");
	if (o.state == OUTCOME_PENDING)
		buf_addf(b, "  not decided yet%s\n",
		    o.in_doubt ? " (may have been delivered)" : "");
	else {
		buf_addf(b, "  %s ", moment(en->rcpts[i].when, at));
		buf_adds(b, outcome_name(o.state));
		report_reason(b, &o);
		buf_addc(b, '\n');
	}
	for (size_t k = 0; k < NOTIFY_ROWS; k++)
		if (r->notify & notify_rows[k].bit) {
			buf_addf(b, "%s%s", before, notify_rows[k].name);
			before = ",";
		}
	if (before[0] == ',')
		buf_addc(b, '\n');
	if (r->orcpt != NULL)
		show_text(b, "  orcpt", r->orcpt);
	show_moment(b, "  sender was told", en->rcpts[i].reported_when);
}

static void
show_head(struct queuelist *l, const char *id, enum state state)
{
	l->count++;
	show_text(&l->b, "id", id);
	show_text(&l->b, "queue", l->folder->path);
	show_text(&l->b, "state", states[state].words);
}

static int
show_entry(struct queuelist *l, const struct entry *en, const struct err *why)
{
	struct buf *b = &l->b;

	show_head(l, en->id, state_of(l, en, why));
	if (why != NULL) {
		show_text(b, "why", why->text);
		return 0;
	}
	put_text(b, "sender: <", en->env.sender.raw, ">\n");
	buf_addf(b, "size: %" PRIu64 " octets%s\n", en->message_size,
	    en->is_signed ? ", signed" : "");
	show_text(
	    b, "account", en->account[0] != '\0' ? en->account : "none: by MX");
	show_moment(b, "arrived", en->arrived);
	buf_addf(b, "tries: %u\n", en->tries);
	if (!en->hold)
		show_moment(b, "next try", en->next_try);
	show_wishes(l, en);
	for (size_t i = 0; i < en->env.n; i++) {
		show_recipient(b, en, i);
		if (emit(l) != 0)
			return 1;
	}
	return 0;
}

static int
show_one(void *ctx, const struct entry *en, const struct err *why)
{
	struct queuelist *l = ctx;

	return l->v->json ? json_entry(l, en, why) : show_entry(l, en, why);
}

static void
show_aside(struct queuelist *l, const struct aside *a)
{
	if (l->v->json) {
		json_aside(l, a);
		return;
	}
	show_head(l, a->id, BROKEN);
	show_text(
	    &l->b, "why", a->why[0] != '\0' ? a->why : "the reason is lost");
	buf_addf(&l->b, "file: ");
	put_text(&l->b, "", l->folder->path, "/" FOLDER_BROKEN "/");
	buf_addf(&l->b, "%s, %" PRIu64 " octets\n", a->id, a->size);
}

bool
queuelist_show(
    const struct queue_view *v, const struct folder *f, const char *id)
{
	struct queuelist l = { .v = v, .folder = f };
	struct aside a;
	bool found;

	buf_init(&l.b, OUT_MAX);
	spool_look(f, id, &v->now, show_one, &l);
	if (l.count == 0 && aside_find(f, id, &a))
		show_aside(&l, &a);
	found = l.count > 0;
	if (found && v->many && !v->json)
		buf_addc(&l.b, '\n');
	flush(&l);
	buf_free(&l.b);
	return found;
}
