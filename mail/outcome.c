/*
 * outcome: see outcome.h. What is written stands beside what is read.
 * Callers: all who decide; worker.c, deliver.c and queue/journal.c.
 * It opens nothing.
 * RFC 5321 4.2, 3463.
 * Ownership: plain data.
 */
#include <limits.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/record.h"
#include "mail/outcome.h"

int
outcome_decide(struct outcome *o, const struct err *e)
{
	static const enum outcome_state state[] = {
		[ERR_OK] = OUTCOME_DELIVERED,
		[ERR_TEMP] = OUTCOME_DEFERRED,
		[ERR_PERM] = OUTCOME_FAILED,
	};

	if (o->state != OUTCOME_PENDING)
		return -1;
	o->err = *e;
	o->state = state[e->verdict];
	return 0;
}

static bool
err_alike(const struct err *a, const struct err *b)
{
	return a->verdict == b->verdict && a->kind == b->kind &&
	    a->scope == b->scope && a->stage == b->stage &&
	    a->code == b->code &&
	    memcmp(&a->enhanced, &b->enhanced, sizeof a->enhanced) == 0 &&
	    strcmp(a->command, b->command) == 0 &&
	    strcmp(a->text, b->text) == 0;
}

bool
outcome_alike(const struct outcome *a, const struct outcome *b)
{
	return a->state == b->state && a->in_doubt == b->in_doubt &&
	    a->tls == b->tls && a->left_out == b->left_out &&
	    a->port == b->port && strcmp(a->host, b->host) == 0 &&
	    strcmp(a->ip, b->ip) == 0 && err_alike(&a->err, &b->err);
}

const char *
outcome_name(enum outcome_state state)
{
	static const char *const name[OUTCOME_STATES] = { "pending",
		"delivered", "queued", "deferred", "failed" };

	return name[state];
}

/* ---- as fields of a record ---- */

void
outcome_put(struct buf *b, const struct outcome *o)
{
	const struct err *e = &o->err;
	char enhanced[ENHANCED_MAX];

	record_number(b, OUTCOME_TAG_VERDICT, e->verdict);
	record_number(b, OUTCOME_TAG_KIND, e->kind);
	record_number(b, OUTCOME_TAG_SCOPE, e->scope);
	record_number(b, OUTCOME_TAG_STAGE, e->stage);
	record_number(b, OUTCOME_TAG_CODE, (uint64_t)e->code);
	record_string(
	    b, OUTCOME_TAG_ENHANCED, enhanced_str(&e->enhanced, enhanced));
	record_string(b, OUTCOME_TAG_COMMAND, e->command);
	record_string(b, OUTCOME_TAG_TEXT, e->text);
	record_number(b, OUTCOME_TAG_DOUBT, o->in_doubt);
	record_string(b, OUTCOME_TAG_HOST, o->host);
	record_string(b, OUTCOME_TAG_IP, o->ip);
	record_number(b, OUTCOME_TAG_PORT, o->port);
	record_number(b, OUTCOME_TAG_LEFT_OUT, o->left_out);
}

static int
bounded(uint64_t v, uint64_t max)
{
	return v <= max ? 1 : -1;
}

static int
take_number(struct outcome *o, const struct field *f)
{
	struct err *e = &o->err;
	uint64_t v = f->number;

	switch (f->tag) {
	case OUTCOME_TAG_VERDICT:
		e->verdict = (enum err_verdict)v;
		return bounded(v, ERR_PERM);
	case OUTCOME_TAG_KIND:
		e->kind = (enum err_kind)v;
		return bounded(v, ERR_KINDS - 1);
	case OUTCOME_TAG_SCOPE:
		e->scope = (enum err_scope)v;
		return bounded(v, SCOPES - 1);
	case OUTCOME_TAG_STAGE:
		e->stage = (enum stage)v;
		return bounded(v, STAGES - 1);
	case OUTCOME_TAG_CODE:
		e->code = (int)v;
		return bounded(v, 599);
	case OUTCOME_TAG_DOUBT:
		o->in_doubt = v != 0;
		return bounded(v, 1);
	case OUTCOME_TAG_PORT:
		o->port = (unsigned)v;
		return bounded(v, 65535);
	case OUTCOME_TAG_LEFT_OUT:
		o->left_out = (unsigned)v;
		return bounded(v, UINT_MAX);
	default:
		return 0;
	}
}

/* A text that would fit as it was written; what it is made of may not. */
static int
take_text(char *to, size_t size, const struct field *f)
{
	if (field_str(f, to, size) == -1)
		return -1;
	enc_printable_str(to, size, f->octets, f->len);
	return 1;
}

static int
take_octets(struct outcome *o, const struct field *f)
{
	struct err *e = &o->err;

	switch (f->tag) {
	case OUTCOME_TAG_ENHANCED:
		return enhanced_parse(&e->enhanced, f->octets, f->len) == f->len
		    ? 1
		    : -1;
	case OUTCOME_TAG_COMMAND:
		return take_text(e->command, sizeof e->command, f);
	case OUTCOME_TAG_TEXT:
		return take_text(e->text, sizeof e->text, f);
	case OUTCOME_TAG_HOST:
		return take_text(o->host, sizeof o->host, f);
	case OUTCOME_TAG_IP:
		return take_text(o->ip, sizeof o->ip, f);
	default:
		return 0;
	}
}

int
outcome_take(struct outcome *o, const struct field *f)
{
	return f->kind == FIELD_NUMBER ? take_number(o, f) : take_octets(o, f);
}
