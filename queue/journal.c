/*
 * journal: see journal.h.
 * Callers: queue/spool.c. It opens no file and reads no clock.
 * The project's own design.
 * Ownership: borrows; what is read goes into the entry.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/record.h"
#include "mail/message.h"
#include "mail/outcome.h"
#include "queue/entry.h"
#include "queue/frame.h"
#include "queue/journal.h"

/* ---- writing ---- */

static void
put_rcpts(struct buf *b, const size_t *rcpts, size_t n)
{
	char list[JOURNAL_RCPTS_MAX * 4];

	if (n > JOURNAL_RCPTS_MAX) {
		b->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		frame_put_u32(list + i * 4, (uint32_t)rcpts[i]);
	record_octets(b, TAG_RCPTS, list, n * 4);
}

void
journal_put_final(struct buf *b, const size_t *rcpts, size_t n)
{
	size_t frame = frame_begin(b), mark = record_begin(b, REC_FINAL);

	put_rcpts(b, rcpts, n);
	record_end(b, mark);
	frame_end(b, frame);
}

void
journal_put_outcome(struct buf *b, const size_t *rcpts, size_t n,
    const struct outcome *o, int64_t when)
{
	size_t frame = frame_begin(b), mark = record_begin(b, REC_OUTCOME);

	put_rcpts(b, rcpts, n);
	record_number(b, TAG_WHEN, (uint64_t)when);
	outcome_put(b, o);
	record_end(b, mark);
	frame_end(b, frame);
}

void
journal_put_try(struct buf *b, int64_t next_try, unsigned tries)
{
	size_t frame = frame_begin(b), mark = record_begin(b, REC_TRY);

	record_number(b, TAG_NEXT_TRY, (uint64_t)next_try);
	record_number(b, TAG_TRIES, tries);
	record_end(b, mark);
	frame_end(b, frame);
}

void
journal_put_report(struct buf *b, const size_t *rcpts, size_t n,
    enum dsn_kind kind, int64_t when)
{
	size_t frame = frame_begin(b), mark = record_begin(b, REC_REPORT);

	put_rcpts(b, rcpts, n);
	record_number(b, TAG_WHEN, (uint64_t)when);
	record_number(b, TAG_REPORT, kind);
	record_end(b, mark);
	frame_end(b, frame);
}

void
journal_put_hold(struct buf *b, bool hold)
{
	size_t frame = frame_begin(b), mark = record_begin(b, REC_HOLD);

	record_number(b, TAG_HOLD, hold);
	record_end(b, mark);
	frame_end(b, frame);
}

void
journal_put_first(struct buf *b, const struct entry_new *new, int64_t when)
{
	const struct recipient *r;
	size_t i, k = 0;

	for (i = 0; i < new->env->n; i++) {
		r = &new->env->rcpts[i];
		if (!entry_keeps(r, new->failed_too))
			continue;
		if (r->outcome.state != OUTCOME_PENDING)
			journal_put_outcome(b, &k, 1, &r->outcome, when);
		k++;
	}
}

/* ---- reading ---- */

/* A record of the journal. */
struct note {
	struct field rcpts;
	int64_t when, next_try;
	uint64_t tries, hold;
	uint64_t kind; /* an enum dsn_kind */
	struct outcome outcome;
};

static int
note_number(struct note *n, const struct field *f)
{
	uint64_t v = f->number;

	switch (f->tag) {
	case TAG_WHEN:
		return frame_moment(&n->when, v);
	case TAG_NEXT_TRY:
		return frame_moment(&n->next_try, v);
	case TAG_TRIES:
		n->tries = v;
		return v <= INT_MAX ? 0 : -1;
	case TAG_HOLD:
		n->hold = v;
		return v <= 1 ? 0 : -1;
	case TAG_REPORT:
		n->kind = v;
		return v < DSN_KINDS ? 0 : -1;
	default:
		return -1;
	}
}

static int
note_field(struct note *n, const struct field *f)
{
	int got = outcome_take(&n->outcome, f);

	if (got != 0)
		return got == 1 ? 0 : -1;
	if (f->kind == FIELD_NUMBER)
		return note_number(n, f);
	n->rcpts = *f;
	return f->tag == TAG_RCPTS && f->len > 0 && f->len % 4 == 0 ? 0 : -1;
}

static int
take_final(struct entry *en, size_t rcpt, const struct note *n)
{
	(void)n;
	en->rcpts[rcpt].final = true;
	return 0;
}

static int
take_outcome(struct entry *en, size_t rcpt, const struct note *n)
{
	struct outcome *o = &en->env.rcpts[rcpt].outcome;

	/* Once delivered or failed, that is what it is. */
	if (!entry_is_open(en, rcpt))
		return 0;
	*o = n->outcome;
	o->state = OUTCOME_PENDING;
	outcome_decide(o, &n->outcome.err);
	o->in_doubt = n->outcome.in_doubt && o->state == OUTCOME_DEFERRED;
	en->rcpts[rcpt].when = n->when;
	en->rcpts[rcpt].final = false;
	en->rcpts[rcpt].doubt |= o->in_doubt;
	return 0;
}

static int
take_report(struct entry *en, size_t rcpt, const struct note *n)
{
	en->rcpts[rcpt].reported |= 1u << n->kind;
	en->rcpts[rcpt].reported_when = n->when;
	return 0;
}

static int
each_rcpt(struct entry *en, const struct note *n,
    int (*take)(struct entry *, size_t, const struct note *))
{
	uint32_t rcpt;

	for (size_t i = 0; i < n->rcpts.len; i += 4) {
		rcpt = frame_get_u32(n->rcpts.octets + i);
		if (rcpt >= en->env.n || take(en, rcpt, n) == -1)
			return -1;
	}
	return n->rcpts.len > 0 ? 0 : -1;
}

static int
apply(struct entry *en, unsigned type, const struct note *n)
{
	switch (type) {
	case REC_FINAL:
		return each_rcpt(en, n, take_final);
	case REC_OUTCOME:
		return each_rcpt(en, n, take_outcome);
	case REC_REPORT:
		return each_rcpt(en, n, take_report);
	case REC_TRY:
		en->next_try = n->next_try;
		en->tries = (unsigned)n->tries;
		return 0;
	case REC_HOLD:
		en->hold = n->hold != 0;
		return 0;
	default:
		return -1;
	}
}

/* What a frame of the journal holds: 0, or -1 if it is nothing we wrote. */
static int
read_note(struct entry *en, const char *p, size_t len)
{
	struct note n = { .when = 0 };
	struct record rec;
	struct field f;
	int got;

	if (record_open(&rec, p, len) != (long)len || len == 0)
		return -1;
	while ((got = record_next(&rec, &f)) == 1)
		if (note_field(&n, &f) == -1)
			return -1;
	return got == 0 ? apply(en, rec.type, &n) : -1;
}

#define FRAME_MAX (FRAME_HEAD + RECORD_MAX)

/*
 * The frame at p, behind which there are n octets in all, or at least
 * FRAME_MAX: the octets it takes; 0: it is torn, and the last; -1 malformed.
 */
static long
journal_frame(const char *p, size_t n, bool is_end)
{
	static const char none[FRAME_MAX];
	int64_t len;

	if (n < FRAME_HEAD)
		return 0;
	len = frame_len(p, RECORD_MAX);
	if (len == -1)
		return is_end && n <= FRAME_MAX &&
			memcmp(p + FRAME_HEAD, none, n - FRAME_HEAD) == 0
		    ? 0
		    : -1;
	if ((size_t)len > n - FRAME_HEAD)
		return 0;
	if (frame_good(p, (size_t)len))
		return (long)len + (long)FRAME_HEAD;
	return is_end && (size_t)len == n - FRAME_HEAD ? 0 : -1;
}

/* A piece of the journal in memory, which holds at least a frame. */
struct window {
	struct buf octets; /* owned */
	size_t at; /* the next frame */
	uint64_t off; /* that one's place in the file */
};

#define WINDOW (2 * FRAME_MAX)

struct reader {
	struct frame_source src;
	struct entry *en; /* borrowed */
};

static int
window_fill(const struct reader *r, struct window *w)
{
	uint64_t left = r->src.file->size - w->off;
	size_t have = w->octets.len - w->at, n;

	if (have >= FRAME_MAX || have == left)
		return 0;
	buf_consume(&w->octets, w->at);
	w->at = 0;
	n = left < WINDOW ? (size_t)left : WINDOW;
	return frame_fetch(&r->src, &w->octets, w->off + have, n - have);
}

static int
read_frames(struct reader *r, struct window *w)
{
	const char *p;
	size_t n;
	long used;

	for (; w->off < r->src.file->size; w->off += (uint64_t)used) {
		if (window_fill(r, w) == -1)
			return -1;
		p = w->octets.data + w->at;
		n = w->octets.len - w->at;
		used = journal_frame(p, n, w->off + n == r->src.file->size);
		if (used == 0)
			break;
		if (used == -1 ||
		    read_note(
			r->en, p + FRAME_HEAD, (size_t)used - FRAME_HEAD) == -1)
			return frame_malformed(
			    &r->src, w->off, "no record of a try");
		w->at += (size_t)used;
	}
	return 0;
}

int
journal_read(struct entry *en, const struct octets *file, struct err *e)
{
	struct reader r = { .src = { en->id, file, e }, .en = en };
	struct window w = { .off = en->message_off + en->message_size };
	int rc;

	en->rcpts = calloc(en->env.n, sizeof *en->rcpts);
	if (en->rcpts == NULL)
		return frame_no_memory(&r.src);
	buf_init(&w.octets, WINDOW);
	rc = read_frames(&r, &w);
	buf_free(&w.octets);
	en->end = w.off;
	en->torn = w.off < file->size;
	for (size_t i = 0; i < en->env.n; i++)
		en->rcpts[i].doubt |= en->rcpts[i].final;
	return rc;
}
