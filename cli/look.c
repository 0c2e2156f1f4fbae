/*
 * look: see look.h. An observer hears what the dialogue brings.
 * Callers: info.c, configure.c.
 * It authenticates nowhere, though it notes what AUTH is offered.
 * RFC 5321 4.1.1.1, 3207.
 * Ownership: see look.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/observer.h"
#include "cli/look.h"
#include "cli/report.h"
#include "deliver.h"
#include "net/io.h"
#include "proto.h"
#include "reach.h"
#include "smtp/reply.h"

static void
on_hello(void *ctx, enum stage stage, bool secure, const struct reply *r)
{
	struct look *l = ctx;
	enum look_part part = stage == STAGE_GREETING ? LOOK_GREETING
	    : secure                                  ? LOOK_SECURE
						      : LOOK_CLEAR;
	const char *s;
	size_t i, n;

	for (i = 0; (s = reply_line(r, i, &n)) != NULL; i++) {
		buf_add(&l->parts[part], s, n);
		buf_addc(&l->parts[part], '\n');
	}
	if (stage != STAGE_GREETING)
		caps_parse(&l->caps, r);
}

static void
on_tls(void *ctx, const struct tls_facts *f)
{
	struct look *l = ctx;

	l->secure = true;
	l->tls = *f;
}

static void
on_line(void *ctx, enum line_from from, const char *s, size_t n)
{
	const struct look *l = ctx;
	const struct deliver_line line = {
		.host = l->host, .from = (int)from, .s = s, .n = n
	};

	report_line(stderr, &line);
}

/* The dialogue up to the last EHLO; closes the connection. */
static int
converse(const struct look_config *c, const struct target *t, struct io *io,
    struct look *l, struct err *e)
{
	const struct observer obs = {
		.ctx = l,
		.on_line = c->verbose ? on_line : NULL,
		.on_hello = on_hello,
		.on_tls = on_tls,
	};
	struct tls tls;
	const struct session_config sc = {
		.lmtp = t->transport == TRANSPORT_LMTP,
		.helo = c->relay->helo,
		.timeout_max = c->relay->timeout,
		.host = t->host,
		.ip = l->ip,
		.port = t->port,
		.tls = &tls,
		.policy = &t->policy,
	};
	struct session *s;
	int got;

	tls_init(&tls, &c->relay->tls);
	s = session_new(&sc, io, &obs);
	if (s == NULL)
		got = err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	else
		got = session_open(s, e);
	if (s != NULL)
		session_quit(s);
	session_free(s);
	io_free(io);
	tls_free(&tls);
	return got;
}

static int
visit(const struct look_config *c, const struct target *targets, size_t n,
    struct look *l, struct err *e)
{
	const struct reach_config rc = {
		.relay = c->relay,
		.targets = targets,
		.ntargets = n,
		.waiter = c->waiter,
	};
	struct reach *r = reach_new(&rc);
	const struct target *t;
	struct io io;
	long at;

	if (r == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	at = reach_next(r, &io, l->ip, e);
	t = at < 0 ? NULL : &targets[reach_target(r, (size_t)at)];
	reach_free(r);
	if (t == NULL)
		return -1;
	snprintf(l->host, sizeof l->host, "%s", t->host);
	l->port = t->port;
	l->transport = t->transport;
	l->level = t->policy.level;
	l->source = t->policy.source;
	return converse(c, t, &io, l, e);
}

int
look_at(const struct look_config *c, struct look *l, struct err *e)
{
	struct target *targets;
	size_t n, i;
	int got;

	*l = (struct look){ 0 };
	for (i = 0; i < LOOK_PARTS; i++)
		buf_init(&l->parts[i], LOOK_MAX);
	got = relay_targets(c->relay, c->hosts, &targets, &n, e);
	if (got == 0)
		got = n == 0 ? -1 : visit(c, targets, n, l, e);
	for (i = 0; i < n; i++)
		target_free(&targets[i]);
	free(targets);
	return got;
}

void
look_free(struct look *l)
{
	size_t i;

	for (i = 0; i < LOOK_PARTS; i++)
		buf_free(&l->parts[i]);
}
