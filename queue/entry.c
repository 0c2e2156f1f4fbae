/*
 * entry: see entry.h. Written with the same tags that are read, function
 * beside function; a text ends with a NUL of its own, so that it can be used
 * where it stands.
 * Callers: queue/spool.c. It opens no file.
 * ISO 3309 (CRC-32); RFC 2852, 4865 (times in an envelope).
 * Ownership: strings of an entry point into its head.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/err.h"
#include "base/record.h"
#include "mail/message.h"
#include "mail/view.h"
#include "queue/entry.h"
#include "queue/frame.h"

static const char magic[] = "smtpsend queue entry 1\n";
#define MAGIC_LEN (sizeof magic - 1)

#define BY_RETURNED 1u
#define BY_TRACE 2u

/* ---- ids ---- */

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
#define TIME_DIGITS 9

void
entry_id(char id[ENTRY_ID_SIZE], int64_t ms, uint32_t random)
{
	uint64_t v = ms < 0 ? 0 : (uint64_t)ms;
	size_t i;

	for (i = TIME_DIGITS; i-- > 0; v >>= 5)
		id[i] = digits[v & 31];
	for (i = ENTRY_ID_LEN; i-- > TIME_DIGITS; random >>= 5)
		id[i] = digits[random & 31];
	id[ENTRY_ID_LEN] = '\0';
}

bool
entry_id_valid(const char *s)
{
	return strlen(s) == ENTRY_ID_LEN && strspn(s, digits) == ENTRY_ID_LEN;
}

int64_t
entry_id_time(const char *s)
{
	int64_t ms = 0;

	for (size_t i = 0; i < TIME_DIGITS; i++)
		ms = ms << 5 | (strchr(digits, s[i]) - digits);
	return ms;
}

/* ---- writing the head ---- */

/* Seconds from now, as the envelope has them, as a moment. */
static void
put_times(
    struct buf *b, const struct envelope *env, const struct entry_now *now)
{
	const struct deliver_by *by = &env->by;
	int64_t passed = now->steady - by->since;

	if (by->wanted) {
		record_number(b, TAG_BY,
		    (uint64_t)(now->wall - passed + by->seconds * 1000));
		record_number(b, TAG_BY_MODE,
		    (by->returned ? BY_RETURNED : 0) |
			(by->trace ? BY_TRACE : 0));
	}
	if (env->hold_for > 0)
		record_number(b, TAG_HOLD_UNTIL,
		    (uint64_t)(now->wall / 1000 + env->hold_for));
	else if (env->hold_until > 0)
		record_number(b, TAG_HOLD_UNTIL, (uint64_t)env->hold_until);
}

bool
entry_keeps(const struct recipient *r, bool failed_too)
{
	const enum outcome_state state = r->outcome.state;

	return r->addr.raw != NULL &&
	    (state == OUTCOME_PENDING || state == OUTCOME_DEFERRED ||
		(state == OUTCOME_FAILED && failed_too));
}

uint64_t
entry_message_size(const struct message *m)
{
	return m->header.len + m->has_body + m->octets.size - m->body_off;
}

static bool
goes_in(const struct entry_new *new, const struct recipient *r)
{
	return new->whole ? r->addr.raw != NULL
			  : entry_keeps(r, new->failed_too);
}

static void
put_envelope(struct buf *b, const char *id, const struct entry_new *new,
    const struct message *m, const struct entry_now *now)
{
	const struct envelope *env = new->env;
	size_t i, count = 0, mark = record_begin(b, REC_ENVELOPE);

	for (i = 0; i < env->n; i++)
		count += goes_in(new, &env->rcpts[i]);
	frame_put_text(b, TAG_ID, id);
	frame_put_text(
	    b, TAG_ACCOUNT, new->account == NULL ? "" : new->account);
	if (new->uid != NULL)
		record_number(b, TAG_UID, *new->uid);
	record_number(b, TAG_ARRIVED,
	    (uint64_t)(new->arrived != 0 ? new->arrived : now->wall));
	record_number(b, TAG_NEXT_TRY, (uint64_t) new->next_try);
	record_number(b, TAG_TRIES, new->tries);
	record_number(b, TAG_MESSAGE, entry_message_size(m));
	if (m->is_signed)
		record_number(b, TAG_SIGNED, m->signed_takes);
	record_number(b, TAG_COUNT, count);
	frame_put_text(b, TAG_SENDER, env->sender.raw);
	record_number(b, TAG_RETURN, env->dsn_return);
	frame_put_text(b, TAG_ENVID, env->envid);
	put_times(b, env, now);
	if (env->has_priority)
		record_number(b, TAG_PRIORITY, (uint64_t)env->priority + 9);
	frame_put_text(b, TAG_SUBMITTER, env->submitter.raw);
	record_end(b, mark);
}

static void
put_rcpt(struct buf *b, const struct recipient *r)
{
	size_t mark = record_begin(b, REC_RCPT);

	frame_put_text(b, TAG_ADDRESS, r->addr.raw);
	frame_put_text(b, TAG_DOMAIN, r->addr.utf8);
	frame_put_text(b, TAG_GIVEN, r->given);
	record_number(b, TAG_NOTIFY, r->notify);
	frame_put_text(b, TAG_ORCPT, r->orcpt);
	if (r->unresolved)
		record_number(b, TAG_UNRESOLVED, 1);
	record_end(b, mark);
}

int
entry_check_size(const struct envelope *env, struct err *e)
{
	uint64_t size = RECORD_MAX; /* the envelope's record at most */
	struct buf one;
	size_t i;

	buf_init(&one, RECORD_MAX);
	for (i = 0; i < env->n; i++) {
		buf_reset(&one);
		if (env->rcpts[i].addr.raw != NULL)
			put_rcpt(&one, &env->rcpts[i]);
		size += one.len;
	}
	buf_free(&one);
	if (size <= ENTRY_HEAD_MAX)
		return 0;
	err_set(e, ERR_PERM, ERR_USAGE,
	    "too many recipients: the queue has room for %u MiB of them in one "
	    "message, and these %zu take %.1f MiB; send it to fewer at a time",
	    ENTRY_HEAD_MAX >> 20, env->n, (double)size / (1 << 20));
	e->enhanced = (struct enhanced){ 5, 5, 3 };
	return -1;
}

int
entry_put_head(struct buf *b, const char *id, const struct entry_new *new,
    const struct message *m, const struct entry_now *now, struct err *e)
{
	size_t i, mark;

	buf_adds(b, magic);
	mark = frame_begin(b);
	put_envelope(b, id, new, m, now);
	for (i = 0; i < new->env->n; i++)
		if (goes_in(new, &new->env->rcpts[i]))
			put_rcpt(b, &new->env->rcpts[i]);
	if (!buf_ok(b) || b->len - mark - FRAME_HEAD > ENTRY_HEAD_MAX)
		return err_set(e, ERR_TEMP, ERR_MACHINE,
		    "no memory to queue a message with so many recipients");
	frame_end(b, mark);
	return 0;
}

/* ---- reading the head ---- */

struct reader {
	struct frame_source src;
	struct entry *en; /* borrowed */
	const struct entry_now *now; /* borrowed */
	uint64_t count; /* recipients that there are to be */
	bool named; /* its id was there, and right */
};

/* 0, or -1 if it is not as enc_printable() leaves it. */
static int
printable(struct reader *r, const char *s)
{
	struct buf b;
	int rc = -1;

	buf_init(&b, SIZE_MAX / 2);
	enc_printable(&b, s, strlen(s));
	if (!buf_ok(&b))
		frame_no_memory(&r->src);
	else if (strcmp(buf_str(&b), s) == 0)
		rc = 0;
	buf_free(&b);
	return rc;
}

/* An address as it was written: it must be what it would be made again. */
static int
address(struct reader *r, struct address *a, const char *s, unsigned flags)
{
	address_free(a);
	if (address_parse(a, s, strlen(s), flags, r->src.e) == -1)
		return -1;
	return strcmp(a->raw, s) == 0 ? 0 : -1;
}

static int
envelope_number(struct reader *r, const struct field *f)
{
	struct envelope *env = &r->en->env;
	uint64_t v = f->number;
	int64_t until;

	switch (f->tag) {
	case TAG_ARRIVED:
		return frame_moment(&r->en->arrived, v);
	case TAG_NEXT_TRY:
		return frame_moment(&r->en->next_try, v);
	case TAG_TRIES:
		return frame_small(&r->en->tries, v, INT_MAX);
	case TAG_MESSAGE:
		r->en->message_size = v;
		return 0;
	case TAG_SIGNED:
		r->en->is_signed = true;
		return frame_small(&r->en->signed_takes, v,
		    VIEW_8BIT | VIEW_UTF8 | VIEW_UTF8_USED);
	case TAG_COUNT:
		r->count = v;
		return 0;
	case TAG_UID:
		return frame_small(&r->en->uid, v, ENTRY_NO_UID - 1);
	case TAG_RETURN:
		env->dsn_return = (enum dsn_return)v;
		return v <= RETURN_HDRS ? 0 : -1;
	case TAG_BY:
		env->by.wanted = true;
		env->by.since = r->now->steady;
		if (frame_moment(&until, v) == -1)
			return -1;
		env->by.seconds = (until - r->now->wall) / 1000;
		return 0;
	case TAG_BY_MODE:
		env->by.returned = (v & BY_RETURNED) != 0;
		env->by.trace = (v & BY_TRACE) != 0;
		return v <= (BY_RETURNED | BY_TRACE) ? 0 : -1;
	case TAG_HOLD_UNTIL:
		if (frame_moment(&until, v) == -1)
			return -1;
		/* What is over is asked for no more. */
		env->hold_until = until > r->now->wall / 1000 ? until : 0;
		return 0;
	case TAG_PRIORITY:
		env->has_priority = true;
		env->priority = (int)v - 9;
		return v <= 18 ? 0 : -1;
	default:
		return -1;
	}
}

static int
envelope_text(struct reader *r, const struct field *f)
{
	struct envelope *env = &r->en->env;
	const char *s = frame_text(f);

	if (s == NULL)
		return -1;
	switch (f->tag) {
	case TAG_ID:
		r->named = strcmp(s, r->en->id) == 0;
		return r->named ? 0 : -1;
	case TAG_ACCOUNT:
		r->en->account = s;
		return printable(r, s);
	case TAG_SENDER:
		return address(r, &env->sender, s, ADDRESS_NULL);
	case TAG_SUBMITTER:
		return address(r, &env->submitter, s, ADDRESS_NULL);
	case TAG_ENVID:
		env->envid = s;
		return 0;
	default:
		return -1;
	}
}

static int
read_envelope(struct reader *r, struct record *rec)
{
	struct field f;
	int got;

	while ((got = record_next(rec, &f)) == 1)
		if ((f.kind == FIELD_NUMBER ? envelope_number(r, &f)
					    : envelope_text(r, &f)) == -1)
			return -1;
	return got == 0 && r->named && r->en->account != NULL &&
		r->en->env.sender.raw != NULL
	    ? 0
	    : -1;
}

struct rcpt_fields {
	const char *address, *domain, *given, *orcpt;
	unsigned notify, unresolved;
};

static int
rcpt_text(struct rcpt_fields *t, const struct field *f)
{
	const char *s = frame_text(f);

	switch (f->tag) {
	case TAG_ADDRESS:
		t->address = s;
		break;
	case TAG_DOMAIN:
		t->domain = s;
		break;
	case TAG_GIVEN:
		t->given = s;
		break;
	case TAG_ORCPT:
		t->orcpt = s;
		break;
	default:
		return -1;
	}
	return s == NULL ? -1 : 0;
}

static int
rcpt_number(struct rcpt_fields *t, const struct field *f)
{
	switch (f->tag) {
	case TAG_NOTIFY:
		return frame_small(&t->notify, f->number, 2 * NOTIFY_DELAY - 1);
	case TAG_UNRESOLVED:
		return frame_small(&t->unresolved, f->number, 1);
	default:
		return -1;
	}
}

/* The domain as it was typed, which is for people only. */
static int
typed_domain(struct reader *r, struct address *a, const char *s)
{
	if (s == NULL || a->utf8 == NULL)
		return s == NULL && a->utf8 == NULL ? 0 : -1;
	if (printable(r, s) == -1)
		return -1;
	free(a->utf8);
	a->utf8 = strdup(s);
	return a->utf8 == NULL ? frame_no_memory(&r->src) : 0;
}

static int
add_rcpt(struct reader *r, const struct rcpt_fields *t)
{
	struct envelope *env = &r->en->env;
	struct address a = { 0 };
	struct recipient *rcpt;
	int added;

	if (address(r, &a, t->address, ADDRESS_BARE) == -1 ||
	    typed_domain(r, &a, t->domain) == -1) {
		address_free(&a);
		return -1;
	}
	added = envelope_add(env, &a, t->given, strlen(t->given));
	if (added != 0)
		return added == 1 ? -1 : frame_no_memory(&r->src);
	rcpt = &env->rcpts[env->n - 1];
	rcpt->notify = t->notify;
	rcpt->orcpt = t->orcpt;
	rcpt->unresolved = t->unresolved != 0;
	return 0;
}

static int
read_rcpt(struct reader *r, struct record *rec)
{
	struct rcpt_fields t = { 0 };
	struct field f;
	int got;

	while ((got = record_next(rec, &f)) == 1)
		if ((f.kind == FIELD_OCTETS ? rcpt_text(&t, &f)
					    : rcpt_number(&t, &f)) == -1)
			return -1;
	if (got == -1 || t.address == NULL || t.given == NULL)
		return -1;
	return add_rcpt(r, &t);
}

/* The records of the head, which all of it consists of. */
static int
read_records(struct reader *r, size_t start, size_t end)
{
	struct record rec;
	size_t at;
	bool first;
	long used;
	int got;

	for (at = start; at < end; at += (size_t)used) {
		used = record_open(&rec, r->en->head.data + at, end - at);
		if (used <= 0)
			return frame_malformed(&r->src, at, "no record");
		err_clear(r->src.e);
		first = at == start;
		if (first)
			got = rec.type == REC_ENVELOPE ? read_envelope(r, &rec)
						       : -1;
		else
			got = rec.type == REC_RCPT ? read_rcpt(r, &rec) : -1;
		/* No library or no memory: it says nothing of the entry. */
		if (got == -1 && r->src.e->kind == ERR_MACHINE)
			return -1;
		if (got == -1)
			return frame_malformed(&r->src, at,
			    first ? "no envelope of its" : "no recipient");
	}
	return r->count > 0 && r->count == r->en->env.n
	    ? 0
	    : frame_malformed(
		  &r->src, at, "not the recipients that there should be");
}

#define FIRST_READ 4096u

static int
read_head(struct reader *r)
{
	struct buf *head = &r->en->head;
	const uint64_t size = r->src.file->size;
	const size_t at = MAGIC_LEN + FRAME_HEAD;
	size_t n = size < FIRST_READ ? (size_t)size : FIRST_READ, end;
	int64_t len;

	if (frame_fetch(&r->src, head, 0, n) == -1)
		return -1;
	if (n < at || memcmp(head->data, magic, MAGIC_LEN) != 0)
		return frame_malformed(&r->src, 0, "it begins otherwise");
	len = frame_len(head->data + MAGIC_LEN, ENTRY_HEAD_MAX);
	if (len == -1 || (uint64_t)len > size - at)
		return frame_malformed(
		    &r->src, MAGIC_LEN, "no head of that length");
	end = at + (size_t)len;
	if (end > n && frame_fetch(&r->src, head, n, end - n) == -1)
		return -1;
	if (!frame_good(head->data + MAGIC_LEN, (size_t)len))
		return frame_malformed(
		    &r->src, MAGIC_LEN, "its head has changed");
	if (read_records(r, at, end) == -1)
		return -1;
	r->en->message_off = end;
	return r->en->message_size <= size - end
	    ? 0
	    : frame_malformed(&r->src, size, "its message is cut off");
}

int
entry_read_head(struct entry *en, const char *id, const struct octets *file,
    const struct entry_now *now, struct err *e)
{
	struct reader r = { .src = { id, file, e }, .en = en, .now = now };

	*en = (struct entry){ .uid = ENTRY_NO_UID };
	snprintf(en->id, sizeof en->id, "%s", id);
	envelope_init(&en->env);
	buf_init(&en->head, FIRST_READ + FRAME_HEAD + ENTRY_HEAD_MAX);
	return read_head(&r);
}

void
entry_free(struct entry *en)
{
	if (en == NULL)
		return;
	envelope_free(&en->env);
	free(en->rcpts);
	en->rcpts = NULL;
	buf_free(&en->head);
}

bool
entry_is_open(const struct entry *en, size_t rcpt)
{
	enum outcome_state state = en->env.rcpts[rcpt].outcome.state;

	return state == OUTCOME_PENDING || state == OUTCOME_DEFERRED;
}

size_t
entry_open(const struct entry *en)
{
	size_t i, count = 0;

	for (i = 0; i < en->env.n; i++)
		count += entry_is_open(en, i);
	return count;
}
