/*
 * worker: see worker.h. It dials, speaks, goes on to the next host, and sends
 * up what becomes of each recipient. A host that cannot be had is so for all
 * mails; one that will not have a mail now is tried for the others.
 * Callers: deliver.c, in a forked child. It prints nothing, opens no file of
 * its own and runs no program: processes of users write mailboxes (local.h).
 * RFC 5321 5.1, 4.5.4.1, 3.3; RFC 7435; unix(7) SOCK_SEQPACKET.
 * Ownership: borrows route and messages; envelopes are the child's copies.
 */
#include <sys/socket.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/observer.h"
#include "base/wait.h"
#include "hand.h"
#include "local.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "mx.h"
#include "net/gsasl.h"
#include "net/io.h"
#include "news.h"
#include "proto.h"
#include "reach.h"
#include "worker.h"

/* The parent syncs a disk before it answers; longer, and it never will. */
#define ANSWER_MS 60000

/* A mailbox that could not be written in this time is not tried again. */
#define SLOW_MS 20000

/* Why nobody has taken a mail so far. */
struct reason {
	struct err err;
	const struct target *target; /* borrowed: whose fault it is */
	char ip[OUTCOME_IP_MAX];
	bool secure; /* its connection was private */
	struct tls_facts facts; /* and this is known of it */
};

/* What the route has of one mail. */
struct errand {
	const struct lot *lot; /* borrowed */
	const struct mail *mail; /* borrowed */
	bool *refused; /* borrowed: by candidate: will not have it now */
	struct err why; /* the last of them said so; ok: none since told */
	struct reason best;
};

struct worker {
	const struct worker_config *cfg; /* borrowed */
	struct waiter waiter; /* its own, with the bound */
	const struct route *route; /* borrowed */
	struct errand *errands; /* owned: one a lot */
	bool *refused; /* owned: what errands point into */
	const struct errand *now; /* borrowed: the one that is spoken of */
	struct tls tls;
	struct gsasl gsasl;
	bool stale; /* the token was refused, a new one is worth a try */
	bool over; /* no host is worth a try any more */
	bool deaf; /* the parent does not answer */
	bool *clear; /* owned: for each candidate, TLS failed, go without */
	int up; /* records go here */
	const char *host; /* borrowed: the present target's */
	struct buf rec; /* owned: a record in the making */
	size_t *rcpts; /* owned: decided alike, not told yet */
	size_t nrcpts;
	size_t rcpts_max; /* there is room for so many */
	const struct errand *last_of; /* borrowed: whose they are */
	struct outcome last; /* how they were decided */
	bool secure; /* the present connection is private */
	struct tls_facts facts; /* and this is known of it */
	uid_t slow; /* whose mailbox took too long; -1: nobody's */
};

/* ---- news ---- */

/* Send what was put into the buffer. */
static int
send_record(struct worker *w)
{
	ssize_t put = -1;

	if (buf_ok(&w->rec))
		do
			put =
			    send(w->up, w->rec.data, w->rec.len, MSG_NOSIGNAL);
		while (put == -1 && errno == EINTR);
	return put == -1 ? -1 : 0;
}

/* Send up the recipients that were decided alike. */
static int
flush_outcomes(struct worker *w)
{
	size_t n = w->nrcpts;

	if (n == 0)
		return 0;
	w->nrcpts = 0;
	buf_reset(&w->rec);
	news_put_outcome(&w->rec, w->last_of->lot->mail, w->rcpts, n, &w->last);
	return send_record(w);
}

static int
worker_outcome(void *ctx, size_t i, const struct outcome *o)
{
	struct worker *w = ctx;

	if (w->nrcpts > 0 &&
	    (w->nrcpts == w->rcpts_max || w->last_of != w->now ||
		!outcome_alike(o, &w->last)) &&
	    flush_outcomes(w) == -1)
		return -1;
	if (w->nrcpts == 0) {
		w->last = *o;
		w->last_of = w->now;
	}
	w->rcpts[w->nrcpts++] = i;
	return 0;
}

static void
worker_wait(void *ctx)
{
	flush_outcomes(ctx);
}

static int
no_parent(struct worker *w, const char *why, struct err *e)
{
	w->deaf = true;
	return err_set(e, ERR_TEMP, ERR_MACHINE, "the parent process %s", why);
}

/* What the parent says to the news of last octets: 0, or -1 with *e. */
static int
take_answer(struct worker *w, struct err *e)
{
	const struct waiter patient = { .mask = w->waiter.mask };
	char answer[4 * ERR_TEXT_MAX];
	struct err said;
	ssize_t got;

	if (wait_fd(&patient, w->up, POLLIN, wait_until(ANSWER_MS)) <= 0)
		return no_parent(w, "does not answer", e);
	do
		got = recv(w->up, answer, sizeof answer, 0);
	while (got == -1 && errno == EINTR);
	if (got <= 0 || news_read_answer(&said, answer, (size_t)got) == -1)
		return no_parent(w, "is gone", e);
	if (said.verdict == ERR_OK)
		return 0;
	*e = said;
	return -1;
}

/* The parent must know whom the last octets are for before they go. */
static int
worker_final(void *ctx, const size_t *rcpts, size_t n, struct err *e)
{
	struct worker *w = ctx;
	size_t i, k;

	if (w->deaf || flush_outcomes(w) == -1)
		return no_parent(w, "is gone", e);
	for (i = 0; i < n; i += k) {
		k = n - i < NEWS_RCPTS ? n - i : NEWS_RCPTS;
		buf_reset(&w->rec);
		news_put_final(&w->rec, w->now->lot->mail, rcpts + i, k);
		if (send_record(w) == -1)
			return no_parent(w, "is gone", e);
		if (w->cfg->asks && take_answer(w, e) == -1)
			return -1;
	}
	return 0;
}

static void
worker_line(void *ctx, enum line_from from, const char *s, size_t n)
{
	struct worker *w = ctx;

	buf_reset(&w->rec);
	news_put_line(&w->rec, w->host, from, s, n);
	send_record(w);
}

static void
worker_tls(void *ctx, const struct tls_facts *f)
{
	struct worker *w = ctx;

	/* What is told until now is of another connection. */
	flush_outcomes(w);
	w->secure = true;
	w->facts = *f;
	buf_reset(&w->rec);
	news_put_tls(&w->rec, f);
	send_record(w);
}

/* The parent may fetch a new token; it decides then. */
static void
worker_stale(struct worker *w, const struct err *e)
{
	flush_outcomes(w);
	buf_reset(&w->rec);
	news_put_stale(&w->rec, e);
	send_record(w);
	w->stale = true;
}

/* Others need not try this server again. */
static void
worker_down(struct worker *w, const struct target *t, const char *to,
    const struct err *e)
{
	struct outcome o = { .err = *e, .port = t->port };

	snprintf(o.host, sizeof o.host, "%s", t->host);
	snprintf(o.ip, sizeof o.ip, "%s", to);
	buf_reset(&w->rec);
	news_put_down(&w->rec, &o);
	send_record(w);
}

static void
note(struct worker *w, const char *what, const char *text)
{
	char line[ERR_TEXT_MAX + 64];
	int n = snprintf(line, sizeof line, "%s%s", what, text);

	if (w->cfg->show_lines)
		worker_line(w, LINE_NOTE, line, (size_t)n);
}

/* ---- who is open, and why ---- */

static bool
is_open(const struct errand *d)
{
	const struct recipient *r = d->mail->env->rcpts;
	size_t i;

	for (i = 0; i < d->lot->n; i++)
		if (r[d->lot->rcpts[i]].outcome.state == OUTCOME_PENDING)
			return true;
	return false;
}

static bool
any_open(const struct worker *w)
{
	size_t i;

	for (i = 0; i < w->route->nlots; i++)
		if (is_open(&w->errands[i]))
			return true;
	return false;
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
last_word(const struct worker *w, struct errand *d, const struct target *t,
    const char *ip, const struct err *e)
{
	struct reason *r = &d->best;

	r->err = *e;
	r->target = t;
	snprintf(r->ip, sizeof r->ip, "%s", ip);
	r->secure = w->secure;
	r->facts = w->facts;
}

/* The same for all mails. */
static void
last_words(struct worker *w, const struct target *t, const char *ip,
    const struct err *e)
{
	size_t i;

	for (i = 0; i < w->route->nlots; i++)
		last_word(w, &w->errands[i], t, ip, e);
	w->over = true;
}

/* One more host would not do for a mail: remember what to tell if none does
 * better. */
static void
errand_failed(const struct worker *w, struct errand *d, const struct target *t,
    const char *ip, const struct err *e)
{
	if (rank(e) > rank(&d->best.err))
		last_word(w, d, t, ip, e);
}

/* One more host failed, for all mails. */
static void
host_failed(struct worker *w, const struct target *t, const char *ip,
    const struct err *e)
{
	size_t i;

	note(w, "next host: ", e->text);
	for (i = 0; i < w->route->nlots; i++)
		errand_failed(w, &w->errands[i], t, ip, e);
}

/* Those still open after the last host: the best reason there was. */
static void
give_up(struct worker *w, struct errand *d)
{
	const struct reason *best = &d->best;
	struct outcome *o;
	size_t i, r;

	w->now = d;
	/* The connection it was about is to be the latest again. */
	if (best->secure && is_open(d))
		worker_tls(w, &best->facts);
	for (i = 0; i < d->lot->n; i++) {
		r = d->lot->rcpts[i];
		o = &d->mail->env->rcpts[r].outcome;
		if (outcome_decide(o, &best->err) == -1)
			continue;
		o->tls = best->secure;
		snprintf(o->ip, sizeof o->ip, "%s", best->ip);
		snprintf(o->host, sizeof o->host, "%s",
		    best->target == NULL ? "" : best->target->host);
		o->port = best->target == NULL ? 0 : best->target->port;
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

/* True if no recipient of the mail can be had without SMTPUTF8. */
static bool
needs_utf8(const struct errand *d)
{
	const struct recipient *r = d->mail->env->rcpts;
	size_t i = 0;

	while (i < d->lot->n && r[d->lot->rcpts[i]].addr.needs_utf8)
		i++;
	return i == d->lot->n || d->mail->env->sender.needs_utf8;
}

/* The same of all mails that are open. */
static bool
all_need_utf8(const struct worker *w)
{
	size_t i;

	for (i = 0; i < w->route->nlots; i++)
		if (is_open(&w->errands[i]) && !needs_utf8(&w->errands[i]))
			return false;
	return true;
}

/* ---- one host ---- */

/* Nothing more may be begun: there was a stop, or no time is left. */
static bool
must_end(const struct worker *w)
{
	return wait_stopped(&w->waiter) || wait_over(&w->waiter);
}

/* A host that has a word to say about this mail, not about itself. */
static bool
is_about_mail(const struct err *e)
{
	return e->kind == ERR_REPLY && e->code != 421;
}

/*
 * Mail after mail over one connection: 0 when it was offered all that may be
 * had here, 1 to come again with the rest, -1 with *e: the host will not do.
 */
static int
send_all(struct worker *w, struct session *s, size_t candidate, struct err *e)
{
	bool any = false;
	struct errand *d;
	size_t i;
	int got;

	for (i = 0; i < w->route->nlots; i++) {
		d = &w->errands[i];
		if (d->refused[candidate] || !is_open(d))
			continue;
		if (any && (!session_usable(s) || must_end(w)))
			return 1;
		w->now = d;
		got = session_send(
		    s, d->mail->m, d->mail->env, d->lot->rcpts, d->lot->n, e);
		if (got == 1)
			return 1;
		if (got == -1 && !is_about_mail(e))
			return any ? 1 : -1;
		d->refused[candidate] = got == -1;
		if (got == -1)
			d->why = *e;
		any = true;
	}
	return 0;
}

/* A connection, and the candidate of reach.h that it leads to. */
struct place {
	size_t candidate;
	const struct target *target; /* borrowed */
	char ip[OUTCOME_IP_MAX];
	struct io io;
};

/* One connection to one host, which is closed then; as send_all() says. */
static int
converse(struct worker *w, struct place *at, struct err *e)
{
	static const struct tls_policy clear = { TLS_NONE, "", NULL, false };
	const struct target *t = at->target;
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
		.ip = at->ip,
		.port = t->port,
		.tls = &w->tls,
		.policy = w->clear[at->candidate] ? &clear : &t->policy,
		/* Who is found by MX gets no secret. */
		.auth = w->route->relay->hosts != NULL ? &w->route->relay->auth
						       : NULL,
		.library = &w->gsasl.face,
		.xclient = w->route->relay->xclient,
		.utf8 = all_need_utf8(w),
		.local = target_is_local(w->route->relay, t),
	};
	struct session *s;
	int got = -1;

	s = session_new(&sc, &at->io, &obs);
	if (s == NULL)
		err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	else if (session_open(s, e) == 0)
		got = send_all(w, s, at->candidate, e);
	else {
		tell_login(w, e);
		if (!w->cfg->fresh && session_token_refused(s, e))
			worker_stale(w, e);
	}
	if (s != NULL)
		session_quit(s);
	session_free(s);
	io_free(&at->io);
	return got;
}

/* What is wrong with us or with this mail is not wrong with the host. */
static bool
is_down(const struct worker *w, const struct err *e)
{
	return e->kind != ERR_MACHINE && e->stage != STAGE_MAIL && !must_end(w);
}

static void
reach_failed(void *ctx, size_t target, const char *ip, const char *to,
    const struct err *e)
{
	struct worker *w = ctx;
	const struct target *t = &w->route->targets[target];

	if (to != NULL && is_down(w, e))
		worker_down(w, t, to, e);
	if (e->scope == SCOPE_DESTINATION && !w->over)
		last_words(w, t, ip, e);
	else if (!w->over)
		host_failed(w, t, ip, e);
}

/* Not all hosts were heard: what the others said is not the last word. */
static void
break_off(const struct worker *w, struct errand *d, const struct reach *r,
    const struct err *e)
{
	struct reason *best = &d->best;

	if (best->err.verdict == ERR_TEMP ||
	    (best->err.verdict == ERR_PERM && reach_over(r)))
		return;
	best->err = *e;
	if (wait_stopped(&w->waiter))
		err_set(&best->err, ERR_TEMP, ERR_CONNECT, "interrupted");
	best->err.stage = STAGE_CONNECT;
	best->target = NULL;
	best->ip[0] = '\0';
	best->secure = false;
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

/* The errands that this host refused: each has its own reason, and when all
 * have one, nobody comes here again. */
static void
tell_refused(struct worker *w, struct reach *r, const struct place *at)
{
	bool all = true;
	struct errand *d;
	size_t i;

	for (i = 0; i < w->route->nlots; i++) {
		d = &w->errands[i];
		if (d->why.verdict != ERR_OK) {
			note(w, "next host: ", d->why.text);
			errand_failed(w, d, at->target, at->ip, &d->why);
			err_clear(&d->why);
		}
		all = all && (d->refused[at->candidate] || !is_open(d));
	}
	if (all)
		reach_dead(r, at->candidate);
}

/* The host will not do, for any mail. */
static void
drop_host(struct worker *w, struct reach *r, const struct place *at,
    const struct err *e)
{
	char to[OUTCOME_IP_MAX];

	reach_dialled(r, at->candidate, to);
	reach_dead(r, at->candidate);
	reach_failed(w, reach_target(r, at->candidate), at->ip, to, e);
}

/* Host after host, until nobody is open or none is left. */
static void
try_hosts(struct worker *w, struct reach *r)
{
	struct place at;
	struct err e;
	size_t k;
	long i = 0;

	err_set(&e, ERR_TEMP, ERR_MACHINE, "the parent process is gone");
	while (
	    any_open(w) && !w->stale && !w->over && !w->deaf && !must_end(w)) {
		w->secure = false;
		i = reach_next(r, &at.io, at.ip, &e);
		if (i < 0)
			break;
		at.candidate = (size_t)i;
		at.target = &w->route->targets[reach_target(r, at.candidate)];
		w->host = at.target->host;
		note(w, "connected to ",
		    at.ip[0] != '\0' ? at.ip : at.target->host);
		if (converse(w, &at, &e) != -1)
			tell_refused(w, r, &at);
		else if (!again_in_clear(w, at.target, at.candidate, &e) &&
		    !w->stale)
			drop_host(w, r, &at, &e);
	}
	/* A wait for a connection says so itself, and for which. */
	if (i >= 0 && wait_over(&w->waiter))
		wait_over_err(&w->waiter, &e);
	for (k = 0; k < w->route->nlots && !w->over && !w->stale; k++)
		if (is_open(&w->errands[k]))
			break_off(w, &w->errands[k], r, &e);
}

/* ---- mailboxes here ---- */

static void
decide_local(struct worker *w, size_t i, bool doubt, const struct err *why)
{
	struct outcome *o = &w->now->mail->env->rcpts[i].outcome;
	struct err e = *why;

	e.scope = SCOPE_RECIPIENT;
	/* It is no fault of this machine's that it was told to stop. */
	if (e.verdict == ERR_TEMP && wait_stopped(w->cfg->waiter))
		e.kind = ERR_CONNECT;
	outcome_decide(o, &e);
	o->in_doubt = doubt && o->state == OUTCOME_DEFERRED;
	snprintf(o->host, sizeof o->host, "%s", w->host);
	worker_outcome(w, i, o);
	flush_outcomes(w);
}

/* Into the mailbox that was found, by us or by root. */
static int
write_local(struct worker *w, const struct local_work *work,
    const struct user *u, bool *doubt, struct err *e)
{
	const int64_t began = wait_now();
	int rc;

	note(w, "to the mailbox of ", u->name);
	/* A mailbox that went a moment ago is nobody's to ask for. */
	if (!work->asks || local_is_ours(work->c, u))
		rc = local_put(work, u, doubt, e);
	else
		rc = hand_over(
		    work, work->c->account, u, *w->cfg->root, doubt, e);
	if (rc == -1 && wait_now() - began >= SLOW_MS)
		w->slow = u->uid;
	return rc;
}

/* Whoever owns a mailbox can have us wait for it: once, and not again for each
 * message, since others wait as well. */
static int
check_slow(const struct worker *w, const struct user *u, struct err *e)
{
	if (u->uid != w->slow)
		return 0;
	return err_set(e, ERR_TEMP, ERR_MACHINE,
	    "the mailbox of %s took too long just now", u->name);
}

static void
put_local(struct worker *w, size_t i)
{
	const struct mail *mail = w->now->mail;
	const struct address *a = &mail->env->rcpts[i].addr;
	const struct local_work work = {
		.c = w->route->relay->local,
		.m = mail->m,
		.sender = mail->env->sender.raw,
		.asks = w->cfg->root != NULL,
		/* What is out is heard to its end: no bound counts then. */
		.waiter = w->cfg->waiter,
	};
	bool doubt = false;
	struct user u;
	struct err e;

	if (local_find(&work, a->raw, a->local_len, &u, &e) == 0 &&
	    check_slow(w, &u, &e) == 0 && worker_final(w, &i, 1, &e) == 0 &&
	    write_local(w, &work, &u, &doubt, &e) == 0)
		err_clear(&e);
	decide_local(w, i, doubt, &e);
}

/* Mailbox after mailbox: what is wrong with one says nothing of the next. */
static void
put_all(struct worker *w)
{
	const struct recipient *rcpts;
	const struct lot *lot;
	struct err e;
	size_t i, k;

	for (i = 0; i < w->route->nlots; i++) {
		w->now = &w->errands[i];
		lot = w->now->lot;
		rcpts = w->now->mail->env->rcpts;
		for (k = 0; k < lot->n && !w->deaf && !must_end(w); k++)
			if (rcpts[lot->rcpts[k]].outcome.state ==
			    OUTCOME_PENDING)
				put_local(w, lot->rcpts[k]);
	}
	if (wait_over(&w->waiter))
		wait_over_err(&w->waiter, &e);
	else
		err_set(&e, ERR_TEMP, ERR_CONNECT, "interrupted");
	last_words(w, &w->route->targets[0], "", &e);
}

/* ---- the run ---- */

/* For the errands, and for what is told of the largest of them. */
static int
make_errands(struct worker *w, const struct mail *mails)
{
	const struct route *route = w->route;
	size_t i;

	w->rcpts_max = 1;
	w->errands = calloc(route->nlots + 1, sizeof *w->errands);
	for (i = 0; w->errands != NULL && i < route->nlots; i++) {
		w->errands[i].lot = &route->lots[i];
		w->errands[i].mail = &mails[route->lots[i].mail];
		if (route->lots[i].n > w->rcpts_max)
			w->rcpts_max = route->lots[i].n;
	}
	if (w->rcpts_max > NEWS_RCPTS)
		w->rcpts_max = NEWS_RCPTS;
	w->rcpts = calloc(w->rcpts_max, sizeof *w->rcpts);
	return w->errands != NULL && w->rcpts != NULL ? 0 : -1;
}

static struct reach *
start(struct worker *w)
{
	const struct route *route = w->route;
	const struct reach_config rc = {
		.relay = route->relay,
		.targets = route->targets,
		.ntargets = route->ntargets,
		.waiter = &w->waiter,
		.down = w->cfg->down,
		.ndown = w->cfg->ndown,
		.on_failed = reach_failed,
		.ctx = w,
	};
	struct reach *r;
	size_t i, n;

	r = reach_new(&rc);
	if (r == NULL)
		return NULL;
	n = reach_count(r) + 1;
	w->clear = calloc(n, sizeof *w->clear);
	w->refused = calloc(n * (route->nlots + 1), sizeof *w->refused);
	for (i = 0; w->refused != NULL && i < route->nlots; i++)
		w->errands[i].refused = w->refused + i * n;
	return r;
}

static void
run(struct worker *w, struct reach *r)
{
	struct err e;
	size_t i;

	if (w->route->relay->local != NULL) {
		put_all(w);
	} else if (r != NULL && w->clear != NULL && w->refused != NULL) {
		try_hosts(w, r);
	} else {
		err_set(&e, ERR_TEMP, ERR_MACHINE, "no memory");
		last_words(w, NULL, "", &e);
	}
	for (i = 0; i < w->route->nlots && !w->stale; i++)
		give_up(w, &w->errands[i]);
	flush_outcomes(w);
}

void
worker_run(const struct worker_config *cfg, const struct route *route,
    const struct mail *mails, int up)
{
	struct worker w = { .cfg = cfg,
		.waiter = *cfg->waiter,
		.route = route,
		.up = up,
		.slow = (uid_t)-1 };
	struct reach *r;

	w.waiter.bound = cfg->bound;
	buf_init(&w.rec, RECORD_MAX);
	tls_init(&w.tls, &route->relay->tls);
	gsasl_init_lazy(&w.gsasl);
	w.host = route->ntargets > 0 ? route->targets[0].host : "";
	/* If not even that can be had, the parent decides. */
	if (make_errands(&w, mails) == 0) {
		r = start(&w);
		run(&w, r);
		reach_free(r);
	}
	free(w.errands);
	free(w.rcpts);
	free(w.refused);
	free(w.clear);
	gsasl_release(&w.gsasl);
	tls_free(&w.tls);
	buf_free(&w.rec);
}
