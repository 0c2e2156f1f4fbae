/*
 * worker: see worker.h. It dials, speaks, goes on to the next host, and sends
 * up what becomes of each recipient, in records.
 * Callers: deliver.c, in a forked child. It prints nothing, opens no file of
 * its own and runs no program.
 * RFC 5321 5.1, 4.5.4.1; RFC 7435; unix(7) SOCK_SEQPACKET.
 * Ownership: borrows route and message; the envelope is the child's copy.
 */
#include <sys/socket.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/observer.h"
#include "base/record.h"
#include "base/wait.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "mx.h"
#include "net/gsasl.h"
#include "net/io.h"
#include "proto.h"
#include "reach.h"
#include "worker.h"

#define FACT(tag, field)                                                       \
	{                                                                      \
		tag, offsetof(struct tls_facts, field),                        \
		    sizeof(((struct tls_facts *)NULL)->field)                  \
	}

const struct worker_fact worker_facts[] = {
	FACT(TAG_VERSION, version),
	FACT(TAG_CIPHER, cipher),
	FACT(TAG_GROUP, group),
	FACT(TAG_NAMES, names),
	FACT(TAG_ISSUER, issuer),
	FACT(TAG_EXPIRES, expires),
	FACT(TAG_HOW, how),
	FACT(TAG_OCSP, ocsp),
};
const size_t worker_facts_n = sizeof worker_facts / sizeof worker_facts[0];

struct worker {
	const struct worker_config *cfg; /* borrowed */
	const struct route *route; /* borrowed */
	const struct message *m; /* borrowed */
	struct envelope *env; /* the worker's copy by fork */
	struct tls tls;
	struct gsasl gsasl;
	bool stale; /* the token was refused, a new one is worth a try */
	bool *clear; /* owned: for each candidate, TLS failed, go without */
	int up; /* records go here */
	const char *host; /* borrowed: the present target's */
	struct buf rec; /* owned: a record in the making */
	uint32_t rcpts[RECORD_RCPTS]; /* decided alike, not told yet */
	size_t nrcpts;
	struct outcome last; /* how they were decided */
	struct err best; /* why no host has taken the mail so far */
	const struct target *best_target; /* borrowed: whose fault it is */
	char best_ip[OUTCOME_IP_MAX];
	bool secure; /* the present connection is private */
	struct tls_facts facts; /* and this is known of it */
	bool best_secure; /* the same for best_target's */
	struct tls_facts best_facts;
};

static int
send_record(struct worker *w, size_t mark)
{
	ssize_t put = -1;

	record_end(&w->rec, mark);
	if (buf_ok(&w->rec))
		do
			put =
			    send(w->up, w->rec.data, w->rec.len, MSG_NOSIGNAL);
		while (put == -1 && errno == EINTR);
	return put == -1 ? -1 : 0;
}

static size_t
new_record(struct worker *w, enum record_type type)
{
	buf_reset(&w->rec);
	return record_begin(&w->rec, type);
}

/* Send up the recipients that were decided alike. */
static int
flush_outcomes(struct worker *w)
{
	const struct outcome *o = &w->last;
	size_t mark, n = w->nrcpts;

	if (n == 0)
		return 0;
	w->nrcpts = 0;
	mark = new_record(w, REC_OUTCOME);
	record_octets(&w->rec, TAG_RCPTS, w->rcpts, n * sizeof w->rcpts[0]);
	record_number(&w->rec, TAG_SECURE, o->tls != 0);
	outcome_put(&w->rec, o);
	return send_record(w, mark);
}

/* Alike as far as anybody is told. */
static bool
alike(const struct outcome *a, const struct outcome *b)
{
	return a->in_doubt == b->in_doubt && a->tls == b->tls &&
	    a->left_out == b->left_out && a->err.verdict == b->err.verdict &&
	    a->err.kind == b->err.kind && a->err.stage == b->err.stage &&
	    a->err.code == b->err.code &&
	    strcmp(a->err.command, b->err.command) == 0 &&
	    strcmp(a->err.text, b->err.text) == 0 && a->port == b->port &&
	    strcmp(a->ip, b->ip) == 0 && strcmp(a->host, b->host) == 0;
}

static int
worker_outcome(void *ctx, size_t i, const struct outcome *o)
{
	struct worker *w = ctx;

	if (w->nrcpts > 0 &&
	    (w->nrcpts == RECORD_RCPTS || !alike(o, &w->last)) &&
	    flush_outcomes(w) == -1)
		return -1;
	if (w->nrcpts == 0)
		w->last = *o;
	w->rcpts[w->nrcpts++] = (uint32_t)i;
	return 0;
}

static void
worker_wait(void *ctx)
{
	flush_outcomes(ctx);
}

/* The parent must know whom the last octets are for before they go. */
static int
worker_final(void *ctx, const size_t *rcpts, size_t n)
{
	struct worker *w = ctx;
	uint32_t part[RECORD_RCPTS];
	size_t i, k, mark;

	if (flush_outcomes(w) == -1)
		return -1;
	for (i = 0; i < n; i += k) {
		for (k = 0; k < RECORD_RCPTS && i + k < n; k++)
			part[k] = (uint32_t)rcpts[i + k];
		mark = new_record(w, REC_FINAL);
		record_octets(&w->rec, TAG_RCPTS, part, k * sizeof part[0]);
		if (send_record(w, mark) == -1)
			return -1;
	}
	return 0;
}

static void
worker_line(void *ctx, enum line_from from, const char *s, size_t n)
{
	struct worker *w = ctx;
	size_t mark = new_record(w, REC_LINE);

	record_number(&w->rec, TAG_FROM, from);
	record_string(&w->rec, TAG_HOST, w->host);
	record_octets(&w->rec, TAG_TEXT, s, n);
	send_record(w, mark);
}

static void
worker_tls(void *ctx, const struct tls_facts *f)
{
	struct worker *w = ctx;
	size_t mark, i;

	/* What is told until now is of another connection. */
	flush_outcomes(w);
	w->secure = true;
	w->facts = *f;
	mark = new_record(w, REC_TLS);
	record_number(&w->rec, TAG_VERIFIED, f->verified);
	for (i = 0; i < worker_facts_n; i++)
		record_string(&w->rec, worker_facts[i].tag,
		    (const char *)f + worker_facts[i].at);
	send_record(w, mark);
}

/* The parent may fetch a new token; it decides then. */
static void
worker_stale(struct worker *w, const struct err *e)
{
	const struct outcome why = { .err = *e };
	size_t mark;

	flush_outcomes(w);
	mark = new_record(w, REC_STALE);
	outcome_put(&w->rec, &why);
	send_record(w, mark);
	w->stale = true;
}

static void
note(struct worker *w, const char *what, const char *text)
{
	char line[ERR_TEXT_MAX + 64];
	int n = snprintf(line, sizeof line, "%s%s", what, text);

	if (w->cfg->show_lines)
		worker_line(w, LINE_NOTE, line, (size_t)n);
}

/* A hope beats none, and a server's word beats a dead line. */
static int
rank(const struct err *e)
{
	if (e->verdict == ERR_TEMP)
		return e->kind == ERR_REPLY ? 3 : 2;
	return e->verdict == ERR_PERM;
}

/* Whatever others said, this is why. */
static void
last_word(struct worker *w, const struct target *t, const char *ip,
    const struct err *e)
{
	w->best = *e;
	w->best_target = t;
	snprintf(w->best_ip, sizeof w->best_ip, "%s", ip);
	w->best_secure = w->secure;
	w->best_facts = w->facts;
}

/* One more host failed: remember what to tell if none does better. */
static void
host_failed(struct worker *w, const struct target *t, const char *ip,
    const struct err *e)
{
	note(w, "next host: ", e->text);
	if (rank(e) > rank(&w->best))
		last_word(w, t, ip, e);
}

static bool
open_recipients(const struct worker *w)
{
	size_t i;

	for (i = 0; i < w->route->n; i++)
		if (w->env->rcpts[w->route->rcpts[i]].outcome.state ==
		    OUTCOME_PENDING)
			return true;
	return false;
}

/* Those still open after the last host: the best reason there was. */
static void
give_up(struct worker *w)
{
	const struct target *t = w->best_target;
	struct outcome *o;
	size_t i, r;

	/* The connection it was about is to be the latest again. */
	if (w->best_secure)
		worker_tls(w, &w->best_facts);
	for (i = 0; i < w->route->n; i++) {
		r = w->route->rcpts[i];
		o = &w->env->rcpts[r].outcome;
		if (outcome_decide(o, &w->best) == -1)
			continue;
		o->tls = w->best_secure;
		snprintf(o->ip, sizeof o->ip, "%s", w->best_ip);
		snprintf(
		    o->host, sizeof o->host, "%s", t == NULL ? "" : t->host);
		o->port = t == NULL ? 0 : t->port;
		worker_outcome(w, r, o);
	}
}

/* Who was refused, and where to look for the right password. */
static void
tell_login(const struct worker *w, struct err *e)
{
	const struct relay *r = w->route->relay;
	size_t n = strlen(e->text);

	if (e->stage == STAGE_AUTH && e->code == 535 &&
	    e->verdict == ERR_PERM && r->secret_from != NULL)
		snprintf(e->text + n, sizeof e->text - n,
		    "; we were %s, with the secret from %s",
		    r->auth.user != NULL ? r->auth.user : "nobody",
		    r->secret_from);
}

/* True if no recipient can be had without SMTPUTF8. */
static bool
needs_utf8(const struct worker *w)
{
	const struct route *r = w->route;
	size_t i = 0;

	while (i < r->n && w->env->rcpts[r->rcpts[i]].addr.needs_utf8)
		i++;
	return i == r->n || w->env->sender.needs_utf8;
}

/*
 * One connection to one host, which is closed then: 0 when all is decided, 1
 * to come again, -1 with *e for the next host.
 */
static int
converse(struct worker *w, const struct target *t,
    const struct tls_policy *policy, const char *ip, struct io *io,
    struct err *e)
{
	const struct observer obs = {
		.ctx = w,
		.on_line = w->cfg->show_lines ? worker_line : NULL,
		.on_tls = worker_tls,
		.on_final = worker_final,
		.on_outcome = worker_outcome,
		.on_wait = worker_wait,
	};
	const struct session_config sc = {
		.lmtp = t->transport == TRANSPORT_LMTP,
		.helo = w->route->relay->helo,
		.timeout_max = w->route->relay->timeout,
		.host = t->host,
		.ip = ip,
		.port = t->port,
		.tls = &w->tls,
		.policy = policy,
		/* Who is found by MX gets no secret. */
		.auth = w->route->relay->hosts != NULL ? &w->route->relay->auth
						       : NULL,
		.library = &w->gsasl.face,
		.xclient = w->route->relay->xclient,
		.utf8 = needs_utf8(w),
		.local = target_is_local(w->route->relay, t),
	};
	struct session *s;
	int got = -1;

	s = session_new(&sc, io, &obs);
	if (s == NULL)
		err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	else if (session_open(s, e) == 0)
		got = session_send(
		    s, w->m, w->env, w->route->rcpts, w->route->n, e);
	else {
		tell_login(w, e);
		if (!w->cfg->fresh && session_token_refused(s, e))
			worker_stale(w, e);
	}
	if (s != NULL)
		session_quit(s);
	session_free(s);
	io_free(io);
	return got;
}

static void
reach_failed(void *ctx, size_t target, const char *ip, const struct err *e)
{
	struct worker *w = ctx;

	host_failed(w, &w->route->targets[target], ip, e);
}

/* Not all hosts were heard: what the others said is not the last word. */
static void
break_off(struct worker *w, const struct reach *r, struct err *e)
{
	if (w->best.verdict == ERR_TEMP ||
	    (w->best.verdict == ERR_PERM && reach_over(r)))
		return;
	if (wait_stopped(w->cfg->waiter))
		err_set(e, ERR_TEMP, ERR_CONNECT, "interrupted");
	w->best = *e;
	w->best.stage = STAGE_CONNECT;
	w->best_target = NULL;
	w->best_ip[0] = '\0';
	w->best_secure = false;
}

/* What is wanted of the server cannot be had in clear: that it is the one
 * with the fingerprint, or who is worth a secret. */
static bool
wants_tls(const struct worker *w, const struct target *t)
{
	const struct relay *r = w->route->relay;

	return r->tls.fingerprint != NULL ||
	    (r->auth.on && r->auth.secret != NULL &&
		r->auth.insecure != AUTH_ANYHOW && !target_is_local(r, t));
}

/*
 * Who only may use TLS gets by without it where the handshake fails, but
 * says so, and over a new connection (RFC 7435 3). Not where somebody spoke
 * out of turn: that is no failure but an attack.
 */
static bool
again_in_clear(
    struct worker *w, const struct target *t, size_t i, const struct err *e)
{
	if (e->kind != ERR_TLS || t->policy.level != TLS_MAY ||
	    t->policy.implicit || w->clear[i] || wants_tls(w, t))
		return false;
	w->clear[i] = true;
	note(w, "again in clear: ", e->text);
	return true;
}

/* Host after host, until nobody is open or none is left. */
static void
try_hosts(struct worker *w, struct reach *r)
{
	static const struct tls_policy clear = { TLS_NONE, "", NULL, false };
	const struct target *t;
	char ip[OUTCOME_IP_MAX];
	struct io io;
	struct err e;
	long i;

	while (
	    open_recipients(w) && !w->stale && !wait_stopped(w->cfg->waiter)) {
		w->secure = false;
		i = reach_next(r, &io, ip, &e);
		if (i < 0)
			break;
		t = &w->route->targets[reach_target(r, (size_t)i)];
		w->host = t->host;
		note(w, "connected to ", ip[0] != '\0' ? ip : t->host);
		if (converse(w, t, w->clear[i] ? &clear : &t->policy, ip, &io,
			&e) != -1 ||
		    again_in_clear(w, t, (size_t)i, &e))
			continue;
		if (w->stale)
			return;
		reach_dead(r, (size_t)i);
		if (e.scope == SCOPE_DESTINATION) {
			last_word(w, t, ip, &e);
			return;
		}
		host_failed(w, t, ip, &e);
	}
	if (open_recipients(w))
		break_off(w, r, &e);
}

void
worker_run(const struct worker_config *cfg, const struct route *route,
    const struct message *m, struct envelope *env, int up)
{
	struct worker w = {
		.cfg = cfg, .route = route, .m = m, .env = env, .up = up
	};
	const struct reach_config rc = {
		.relay = route->relay,
		.targets = route->targets,
		.ntargets = route->ntargets,
		.waiter = cfg->waiter,
		.on_failed = reach_failed,
		.ctx = &w,
	};
	struct reach *r;

	buf_init(&w.rec, RECORD_MAX);
	tls_init(&w.tls, &route->relay->tls);
	gsasl_init_lazy(&w.gsasl);
	w.host = route->ntargets > 0 ? route->targets[0].host : "";
	r = reach_new(&rc);
	if (r != NULL)
		w.clear = calloc(reach_count(r) + 1, sizeof *w.clear);
	if (w.clear == NULL)
		err_set(&w.best, ERR_TEMP, ERR_MACHINE, "no memory");
	else
		try_hosts(&w, r);
	free(w.clear);
	reach_free(r);
	if (!w.stale)
		give_up(&w);
	flush_outcomes(&w);
	gsasl_release(&w.gsasl);
	tls_free(&w.tls);
	buf_free(&w.rec);
}
