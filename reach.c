/*
 * reach: see reach.h. Each address of each target is a candidate of dial();
 * behind a proxy the addresses are the proxy's.
 * Callers: worker.c, cli/look.c.
 * It knows no SMTP and decides nothing about mail.
 * RFC 5321 4.5.4.1, RFC 8305.
 * Ownership: see reach.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "net/dial.h"
#include "net/io.h"
#include "net/proxy.h"
#include "reach.h"

/* RFC 5321 has no number for the connection itself; hosts have others. */
#define CONNECT_MS 30000

struct reach {
	struct reach_config cfg;
	struct candidate *c; /* owned */
	size_t n;
};

void
reach_free(struct reach *r)
{
	if (r == NULL)
		return;
	free(r->c);
	free(r);
}

size_t
reach_count(const struct reach *r)
{
	return r->n;
}

size_t
reach_target(const struct reach *r, size_t candidate)
{
	return r->c[candidate].host;
}

void
reach_dead(struct reach *r, size_t candidate)
{
	r->c[candidate].dead = true;
}

bool
reach_over(const struct reach *r)
{
	size_t i;

	for (i = 0; i < r->n && r->c[i].dead; i++)
		;
	return i == r->n;
}

/* The proxy that stands before a candidate; a socket has none. */
static const struct proxy *
proxy_of(const struct reach *r, size_t candidate)
{
	return r->c[candidate].to.u.sa.sa_family == AF_UNIX
	    ? NULL
	    : r->cfg.relay->proxy;
}

static void
address(const struct reach *r, size_t candidate, char ip[OUTCOME_IP_MAX])
{
	ip[0] = '\0';
	if (proxy_of(r, candidate) == NULL)
		endpoint_text(&r->c[candidate].to, ip, OUTCOME_IP_MAX);
}

void
reach_dialled(const struct reach *r, size_t candidate, char to[OUTCOME_IP_MAX])
{
	endpoint_text(&r->c[candidate].to, to, OUTCOME_IP_MAX);
}

/* One candidate more that did not answer. */
static void
failed(void *ctx, size_t candidate, const struct err *e)
{
	const struct reach *r = ctx;
	char ip[OUTCOME_IP_MAX], to[OUTCOME_IP_MAX];
	struct err why = *e;

	why.stage = STAGE_CONNECT;
	why.scope = SCOPE_HOST;
	address(r, candidate, ip);
	reach_dialled(r, candidate, to);
	if (r->cfg.on_failed != NULL)
		r->cfg.on_failed(
		    r->cfg.ctx, r->c[candidate].host, ip, to, &why);
}

/* Why a candidate cannot be had, if that is known; or NULL. */
static const struct err *
known_down(const struct reach *r, size_t candidate)
{
	const struct target *t = &r->cfg.targets[r->c[candidate].host];
	const struct outcome *o;
	char to[OUTCOME_IP_MAX];
	size_t i;

	reach_dialled(r, candidate, to);
	for (i = 0; i < r->cfg.ndown; i++) {
		o = &r->cfg.down[i].outcome;
		if (r->cfg.down[i].relay == r->cfg.relay &&
		    o->port == t->port && strcmp(o->ip, to) == 0 &&
		    strcmp(o->host, t->host) == 0)
			return &o->err;
	}
	return NULL;
}

static void
skip_down(struct reach *r)
{
	const struct err *why;
	char ip[OUTCOME_IP_MAX];
	size_t i;

	for (i = 0; i < r->n && r->cfg.ndown > 0; i++) {
		why = known_down(r, i);
		if (why == NULL)
			continue;
		r->c[i].dead = true;
		address(r, i, ip);
		if (r->cfg.on_failed != NULL)
			r->cfg.on_failed(
			    r->cfg.ctx, r->c[i].host, ip, NULL, why);
	}
}

struct reach *
reach_new(const struct reach_config *cfg)
{
	struct reach *r = calloc(1, sizeof *r);
	size_t i, k, total = 0;

	if (r == NULL)
		return NULL;
	r->cfg = *cfg;
	for (i = 0; i < cfg->ntargets; i++)
		total += cfg->targets[i].addrs.n;
	r->c = calloc(total + 1, sizeof *r->c);
	if (r->c == NULL) {
		free(r);
		return NULL;
	}
	for (i = 0; i < cfg->ntargets; i++)
		for (k = 0; k < cfg->targets[i].addrs.n; k++) {
			r->c[r->n].to = cfg->targets[i].addrs.at[k];
			r->c[r->n++].host = i;
		}
	skip_down(r);
	return r;
}

/* The same for who did not even answer the call. */
static void
dial_failed(void *ctx, size_t candidate, const struct err *e)
{
	const struct reach *r = ctx;
	const struct proxy *proxy = proxy_of(r, candidate);
	struct err why = *e;

	if (proxy != NULL)
		proxy_blame(proxy, &why);
	failed(ctx, candidate, &why);
}

static int64_t
patience(const struct reach *r)
{
	int64_t timeout = r->cfg.relay->timeout;

	return timeout > 0 && timeout < CONNECT_MS ? timeout : CONNECT_MS;
}

static long
call(struct reach *r, int *fd, struct err *e)
{
	const struct dial d = {
		.source = r->cfg.relay->source,
		.timeout = patience(r),
		.waiter = r->cfg.waiter,
		.on_failed = dial_failed,
		.ctx = r,
	};

	return dial(&d, r->c, r->n, fd, e);
}

/* Through the proxy, if there is one: 0, or -1 with *e. */
static int
pass(struct reach *r, size_t candidate, struct io *io, struct err *e)
{
	const struct target *t = &r->cfg.targets[r->c[candidate].host];
	const struct proxy *proxy = proxy_of(r, candidate);

	if (proxy == NULL)
		return 0;
	io_deadline(io, patience(r));
	return proxy_connect(io, proxy, t->host, t->port, e);
}

long
reach_next(
    struct reach *r, struct io *io, char ip[OUTCOME_IP_MAX], struct err *e)
{
	long i;
	int fd;

	for (;;) {
		i = call(r, &fd, e);
		if (i < 0)
			break;
		io_init(io, fd, r->cfg.waiter);
		if (pass(r, (size_t)i, io, e) == 0) {
			address(r, (size_t)i, ip);
			return i;
		}
		io_free(io);
		r->c[i].dead = true;
		failed(r, (size_t)i, e);
	}
	e->stage = STAGE_CONNECT;
	e->scope = SCOPE_HOST;
	return -1;
}
