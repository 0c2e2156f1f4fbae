/*
 * queued.h: envelopes and messages for the tests of the queue, and octets in
 * memory to read them from.
 */
#ifndef TESTS_UNIT_QUEUED_H
#define TESTS_UNIT_QUEUED_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "queue/entry.h"

static const struct entry_now queued_now = { 1767225600000, 5000000 };

static inline long
queued_read(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const struct buf *b = ctx;

	(void)e;
	if (off >= b->len)
		return 0;
	if (n > b->len - off)
		n = b->len - (size_t)off;
	memcpy(to, b->data + off, n);
	return (long)n;
}

static inline struct octets
queued_octets(struct buf *b)
{
	return (struct octets){ queued_read, b, b->len };
}

static inline void
queued_address(struct address *a, const char *s)
{
	struct err e;

	if (address_parse(
		a, s, strlen(s), ADDRESS_NULL | ADDRESS_POSTMASTER, &e) == -1)
		abort();
}

static inline struct recipient *
queued_rcpt(struct envelope *env, const char *s)
{
	struct address a;

	queued_address(&a, s);
	if (envelope_add(env, &a, s, strlen(s)) != 0)
		abort();
	return &env->rcpts[env->n - 1];
}

/* An envelope from a@x.test to as many, u0@x.test on. */
static inline void
queued_envelope(struct envelope *env, size_t n)
{
	char s[32];

	envelope_init(env);
	queued_address(&env->sender, "a@x.test");
	for (size_t i = 0; i < n; i++) {
		snprintf(s, sizeof s, "u%zu@x.test", i);
		queued_rcpt(env, s);
	}
}

static inline struct outcome
queued_outcome(enum err_verdict verdict, const char *text)
{
	struct outcome o = { .state = OUTCOME_PENDING, .port = 25 };

	err_set(&o.err, verdict, ERR_REPLY, "%s", text);
	o.err.stage = STAGE_RCPT;
	o.err.scope = SCOPE_RECIPIENT;
	o.err.code = verdict == ERR_OK ? 250 : 450;
	o.err.enhanced = (struct enhanced){ verdict == ERR_OK ? 2 : 4, 2, 1 };
	snprintf(o.err.command, sizeof o.err.command, "RCPT");
	snprintf(o.host, sizeof o.host, "mx.x.test");
	snprintf(o.ip, sizeof o.ip, "203.0.113.1");
	return o;
}

#endif
