/*
 * queuestats: see queuestats.h. What is kept of a recipient is a count at
 * its destination and reason (reasons.h), so memory grows with the variety of
 * a queue alone.
 * Callers: queuecmd.c.
 * RFC 8259. Ownership: folders and the view are borrowed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "base/when.h"
#include "cli/queuelist.h"
#include "cli/queuestats.h"
#include "cli/reasons.h"
#include "mail/envelope.h"
#include "queue/aside.h"
#include "queue/folder.h"
#include "queue/spool.h"

struct queuestats {
	const struct queue_view *v; /* borrowed */
	size_t messages, recipients;
	uint64_t octets;
	int64_t oldest; /* ms since 1970; 0: none */
	size_t held, kept, trying, doubt, incoming, broken; /* messages */
	bool in; /* the folder is one that users add to */
	struct reasons
	    reasons; /* owned: recipients by destination and reason */
};

/* ---- counting ---- */

/* 0, or -1 if there is no memory. */
static int
count_recipient(struct queuestats *s, const struct recipient *r)
{
	const struct outcome *o = &r->outcome;
	const struct reason_key key = {
		.domain = r->addr.ascii != NULL ? r->addr.ascii : "",
		.tried = o->state != OUTCOME_PENDING,
		.stage = o->err.stage,
		.code = o->err.code,
		.kind = o->err.kind,
	};

	if (reasons_add(&s->reasons, &key) == -1)
		return -1;
	s->recipients++;
	return 0;
}

static int
count_entry(void *ctx, const struct entry *en, const struct err *why)
{
	struct queuestats *s = ctx;
	size_t open = 0;
	bool doubt = false;

	if (s->in || why != NULL) {
		s->incoming += s->in;
		s->broken += !s->in;
		return 0;
	}
	for (size_t i = 0; i < en->env.n; i++) {
		if (!entry_is_open(en, i))
			continue;
		open++;
		doubt = doubt || en->rcpts[i].doubt;
		if (count_recipient(s, &en->env.rcpts[i]) == -1)
			return -1;
	}
	s->messages++;
	s->octets += en->message_size;
	if (s->oldest == 0 || en->arrived < s->oldest)
		s->oldest = en->arrived;
	s->held += en->hold && open > 0;
	s->kept += en->hold && open == 0;
	s->trying += en->busy;
	s->doubt += doubt;
	return 0;
}

static int
count_aside(void *ctx, const struct aside *a)
{
	struct queuestats *s = ctx;

	(void)a;
	s->broken++;
	return 0;
}

/* ---- writing ---- */

/* Numbers of the whole, by the name that each has in JSON and in text. */
static const struct {
	const char *name, *words;
	size_t at;
} numbers[] = {
	{ "messages", "messages", offsetof(struct queuestats, messages) },
	{ "recipients", "recipients", offsetof(struct queuestats, recipients) },
	{ "held", "held", offsetof(struct queuestats, held) },
	{ "kept", "kept", offsetof(struct queuestats, kept) },
	{ "trying", "being tried", offsetof(struct queuestats, trying) },
	{ "in_doubt", "in doubt", offsetof(struct queuestats, doubt) },
	{ "incoming", "incoming", offsetof(struct queuestats, incoming) },
	{ "broken", "broken", offsetof(struct queuestats, broken) },
};
#define NUMBERS (sizeof numbers / sizeof numbers[0])

static size_t
number(const struct queuestats *s, size_t i)
{
	return *(const size_t *)(const void *)((const char *)s + numbers[i].at);
}

#define LINE_MAX_OCTETS 8192u

static void
emit(const struct queuestats *s, struct buf *b)
{
	fwrite(buf_str(b), 1, b->len, s->v->out);
	buf_reset(b);
}

/* ": rcpt 450", ": connect", ": end connect". */
static void
text_reason(struct buf *b, const struct reason_key *k)
{
	const char *stage = err_stage_name(k->stage);
	const char *kind = err_kind_name(k->kind);

	if (!k->tried)
		buf_adds(b, ": not tried yet");
	else if (k->code != 0)
		buf_addf(b, ": %s %d", stage, k->code);
	else if (k->stage == STAGE_NONE || strcmp(stage, kind) == 0)
		buf_addf(b, ": %s", kind);
	else
		buf_addf(b, ": %s %s", stage, kind);
}

static void
text_row(struct buf *b, const struct reason_row *r)
{
	buf_addf(b, "%8zu ", r->n);
	if (r->key.domain[0] != '\0')
		enc_printable(b, r->key.domain, strlen(r->key.domain));
	else
		buf_adds(b, "(no domain)");
	text_reason(b, &r->key);
	buf_addc(b, '\n');
}

static void
text(const struct queuestats *s, struct buf *b)
{
	char at[WHEN_DATE_MAX];

	for (size_t i = 0; i < NUMBERS; i++)
		buf_addf(b, "%s: %zu\n", numbers[i].words, number(s, i));
	buf_addf(b, "octets: %" PRIu64 "\n", s->octets);
	if (s->oldest != 0)
		buf_addf(
		    b, "oldest: %s\n", when_date_text(s->oldest / 1000, at));
	if (s->reasons.n > 0)
		buf_adds(b, "destinations:\n");
	for (size_t i = 0; i < s->reasons.n; i++) {
		text_row(b, s->reasons.rows[i]);
		emit(s, b);
	}
}

static void
json_row(struct buf *b, const struct reason_row *r)
{
	buf_adds(b, "{\"domain\":");
	enc_json(b, r->key.domain, strlen(r->key.domain));
	buf_addf(b,
	    ",\"tried\":%s,\"stage\":\"%s\",\"code\":%d,\"kind\":\"%s\","
	    "\"recipients\":%zu}",
	    r->key.tried ? "true" : "false", err_stage_name(r->key.stage),
	    r->key.code, err_kind_name(r->key.kind), r->n);
}

static void
json(const struct queuestats *s, struct buf *b)
{
	char at[WHEN_DATE_MAX];

	for (size_t i = 0; i < NUMBERS; i++)
		buf_addf(b, "%c\"%s\":%zu", i == 0 ? '{' : ',', numbers[i].name,
		    number(s, i));
	buf_addf(b, ",\"octets\":%" PRIu64 ",\"oldest\":", s->octets);
	if (s->oldest != 0)
		buf_addf(b, "\"%s\"", when_date_text(s->oldest / 1000, at));
	else
		buf_adds(b, "null");
	buf_adds(b, ",\"destinations\":[");
	for (size_t i = 0; i < s->reasons.n; i++) {
		if (i > 0)
			buf_addc(b, ',');
		json_row(b, s->reasons.rows[i]);
		emit(s, b);
	}
	buf_adds(b, "]}\n");
}

/* ---- the whole ---- */

struct queuestats *
queuestats_new(const struct queue_view *v)
{
	struct queuestats *s = calloc(1, sizeof *s);

	if (s != NULL)
		s->v = v;
	return s;
}

int
queuestats_add(struct queuestats *s, const struct folder *f, struct err *e)
{
	int rc;

	err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	s->in = f->kind == FOLDER_TAKE;
	rc = spool_list(f, &s->v->now, count_entry, s, e);
	if (rc == 0)
		rc = aside_list(f, count_aside, s, e);
	return rc;
}

void
queuestats_end(struct queuestats *s, bool whole)
{
	struct buf b;

	if (s == NULL)
		return;
	reasons_sort(&s->reasons);
	buf_init(&b, LINE_MAX_OCTETS);
	if (s->v->json)
		json(s, &b);
	else
		text(s, &b);
	if (whole || s->messages + s->incoming + s->broken > 0)
		emit(s, &b);
	buf_free(&b);
	reasons_free(&s->reasons);
	free(s);
}
