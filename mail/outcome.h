/*
 * outcome: what became of a recipient, and the one way to write it down.
 * Decided by mx, proto, worker and deliver; written and read as fields of
 * records by worker.c with news to its parent, and by queue/journal.c.
 * It opens nothing, and takes the fields that it reads as hostile.
 * RFC 5321 4.2 (replies), 3463; base/record.h. Ownership: plain data.
 */
#ifndef MAIL_OUTCOME_H
#define MAIL_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct buf;
struct field;

#define OUTCOME_HOST_MAX 256
#define OUTCOME_IP_MAX 108 /* a socket's path is longer than any address */

enum outcome_state {
	OUTCOME_PENDING, /* undecided: never left so at the end */
	OUTCOME_DELIVERED,
	OUTCOME_QUEUED,
	OUTCOME_DEFERRED,
	OUTCOME_FAILED,
	OUTCOME_STATES
};

struct outcome {
	enum outcome_state state;
	bool in_doubt; /* deferred, but the server may have it */
	struct err err; /* the reason; for delivered the final reply */
	char host[OUTCOME_HOST_MAX]; /* the name asked for, "" if none */
	char ip[OUTCOME_IP_MAX]; /* "" if none */
	unsigned port; /* 0 if none */
	size_t tls; /* in the envelope's list, counted from 1; 0: in clear */
	unsigned left_out; /* CAP_ bits: was asked for, is not offered there */
};

/*
 * Decide a recipient by an error: temporary is deferred, permanent failed,
 * ok delivered. A decided recipient is never decided again (returns -1).
 */
int outcome_decide(struct outcome *, const struct err *);

/* Equal in all that is told of them, so that one record may speak for both. */
bool outcome_alike(const struct outcome *, const struct outcome *);

/* "delivered", "deferred", ... */
const char *outcome_name(enum outcome_state);

/*
 * The tags of an outcome's fields; those of whose record it is part of are
 * below. They are in files: none is ever used for anything else.
 */
enum outcome_tag {
	OUTCOME_TAG_FIRST = 64,
	OUTCOME_TAG_VERDICT = OUTCOME_TAG_FIRST,
	OUTCOME_TAG_KIND,
	OUTCOME_TAG_SCOPE,
	OUTCOME_TAG_STAGE,
	OUTCOME_TAG_CODE,
	OUTCOME_TAG_ENHANCED,
	OUTCOME_TAG_COMMAND,
	OUTCOME_TAG_TEXT,
	OUTCOME_TAG_DOUBT,
	OUTCOME_TAG_HOST,
	OUTCOME_TAG_IP,
	OUTCOME_TAG_PORT,
	OUTCOME_TAG_LEFT_OUT
};

/*
 * Append its fields to a record that was begun: all but `state`, which the
 * verdict says, and `tls`, which means something to its envelope only.
 */
void outcome_put(struct buf *, const struct outcome *);

/*
 * Take one field, into an outcome that was all zero before the first: 1; 0:
 * it is none of an outcome's; -1: nobody wrote it so (a number out of bounds,
 * a text that is too long or has a NUL in it). Texts become printable.
 */
int outcome_take(struct outcome *, const struct field *);

#endif
