/*
 * deliver: see deliver.h. The parent plans, shows and decides what nobody
 * else could; a worker, one a route, dials and speaks, and sends records up
 * a socket pair. The parent believes no record that it did not check.
 * Callers: queue/submit.c. It prints nothing.
 * RFC 5321 5.1, 4.5.4.1; fork(2), unix(7) SOCK_SEQPACKET.
 * Ownership: borrows plan, message and envelope.
 */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/observer.h"
#include "base/record.h"
#include "base/wait.h"
#include "deliver.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "mx.h"
#include "net/io.h"
#include "proto.h"

/* RFC 5321 has no number for the connection itself; hosts have others. */
#define CONNECT_MS 30000

/* After a stop, workers get so long to hear an answer before they are killed:
 * longer than what proto.c gives a server. */
#define KILL_MS 15000

/* Recipient numbers in one record. */
#define RECORD_RCPTS 8000

enum record_type { REC_LINE = 1, REC_FINAL, REC_OUTCOME };

enum record_tag {
	TAG_FROM = 1,
	TAG_HOST,
	TAG_TEXT,
	TAG_RCPTS,
	TAG_DOUBT,
	TAG_VERDICT,
	TAG_KIND,
	TAG_SCOPE,
	TAG_STAGE,
	TAG_CODE,
	TAG_ENHANCED,
	TAG_COMMAND,
	TAG_IP,
	TAG_PORT
};

/* ---- the worker's side ---- */

struct worker {
	const struct deliver_config *cfg; /* borrowed */
	const struct route *route; /* borrowed */
	const struct message *m; /* borrowed */
	struct envelope *env; /* the worker's copy by fork */
	struct tls tls;
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

static void
put_err(struct buf *b, const struct err *e)
{
	char enhanced[ENHANCED_MAX];

	record_number(b, TAG_VERDICT, e->verdict);
	record_number(b, TAG_KIND, e->kind);
	record_number(b, TAG_SCOPE, e->scope);
	record_number(b, TAG_STAGE, e->stage);
	record_number(b, TAG_CODE, (uint64_t)e->code);
	record_string(b, TAG_ENHANCED, enhanced_str(&e->enhanced, enhanced));
	record_string(b, TAG_COMMAND, e->command);
	record_string(b, TAG_TEXT, e->text);
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
	record_number(&w->rec, TAG_DOUBT, o->in_doubt);
	put_err(&w->rec, &o->err);
	record_string(&w->rec, TAG_HOST, o->host);
	record_string(&w->rec, TAG_IP, o->ip);
	record_number(&w->rec, TAG_PORT, o->port);
	return send_record(w, mark);
}

/* Alike as far as anybody is told. */
static bool
alike(const struct outcome *a, const struct outcome *b)
{
	return a->in_doubt == b->in_doubt && a->err.verdict == b->err.verdict &&
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

/* One more host failed: remember what to tell if none does better. */
static void
host_failed(struct worker *w, const struct target *t, const char *ip,
    const struct err *e)
{
	note(w, "next host: ", e->text);
	if (rank(e) <= rank(&w->best))
		return;
	w->best = *e;
	w->best_target = t;
	snprintf(w->best_ip, sizeof w->best_ip, "%s", ip);
}

/* All candidates of a route: each address of each target. */
static struct candidate *
candidates(const struct route *r, size_t *n)
{
	struct candidate *c;
	size_t i, k, total = 0;

	for (i = 0; i < r->ntargets; i++)
		total += r->targets[i].addrs.n;
	c = calloc(total + 1, sizeof *c);
	*n = 0;
	if (c == NULL)
		return NULL;
	for (i = 0; i < r->ntargets; i++)
		for (k = 0; k < r->targets[i].addrs.n; k++) {
			c[*n].to = r->targets[i].addrs.at[k];
			c[(*n)++].host = i;
		}
	return c;
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

	for (i = 0; i < w->route->n; i++) {
		r = w->route->rcpts[i];
		o = &w->env->rcpts[r].outcome;
		if (outcome_decide(o, &w->best) == -1)
			continue;
		snprintf(o->ip, sizeof o->ip, "%s", w->best_ip);
		snprintf(
		    o->host, sizeof o->host, "%s", t == NULL ? "" : t->host);
		o->port = t == NULL ? 0 : t->port;
		worker_outcome(w, r, o);
	}
}

/*
 * One connection to one host: 0 when all is decided, 1 to come again, -1
 * with *e for the next host.
 */
static int
converse(struct worker *w, const struct target *t,
    const struct tls_policy *policy, const char *ip, int fd, struct err *e)
{
	const struct observer obs = {
		.ctx = w,
		.on_line = w->cfg->show_lines ? worker_line : NULL,
		.on_final = worker_final,
		.on_outcome = worker_outcome,
		.on_wait = worker_wait,
	};
	const struct session_config sc = {
		.lmtp = t->transport == TRANSPORT_LMTP,
		.helo = w->cfg->helo,
		.timeout_max = w->cfg->timeout,
		.host = t->host,
		.ip = ip,
		.port = t->port,
		.tls = &w->tls,
		.policy = policy,
	};
	struct session *s;
	struct io io;
	int got = -1;

	io_init(&io, fd, w->cfg->waiter);
	s = session_new(&sc, &io, &obs);
	if (s == NULL)
		err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	else if (session_open(s, e) == 0)
		got = session_send(
		    s, w->m, w->env, w->route->rcpts, w->route->n, e);
	if (s != NULL)
		session_quit(s);
	session_free(s);
	io_free(&io);
	return got;
}

struct dial_ctx {
	struct worker *w;
	const struct candidate *c;
};

static void
dial_failed(void *ctx, size_t i, const struct err *e)
{
	const struct dial_ctx *d = ctx;
	struct err why = *e;
	char ip[OUTCOME_IP_MAX];

	why.stage = STAGE_CONNECT;
	why.scope = SCOPE_HOST;
	host_failed(d->w, &d->w->route->targets[d->c[i].host],
	    endpoint_text(&d->c[i].to, ip, sizeof ip), &why);
}

static long
dial_next(
    struct worker *w, struct candidate *c, size_t n, int *fd, struct err *e)
{
	struct dial_ctx ctx = { w, c };
	const struct dial d = {
		.source = w->cfg->source,
		.timeout = w->cfg->timeout > 0 && w->cfg->timeout < CONNECT_MS
		    ? w->cfg->timeout
		    : CONNECT_MS,
		.waiter = w->cfg->waiter,
		.on_failed = dial_failed,
		.ctx = &ctx,
	};

	return dial(&d, c, n, fd, e);
}

/* Not all hosts were heard: what the others said is not the last word. */
static void
break_off(struct worker *w, const struct candidate *c, size_t n, struct err *e)
{
	size_t i;

	for (i = 0; i < n && c[i].dead; i++)
		;
	if (w->best.verdict == ERR_TEMP ||
	    (w->best.verdict == ERR_PERM && i == n))
		return;
	if (wait_stopped(w->cfg->waiter))
		err_set(e, ERR_TEMP, ERR_CONNECT, "interrupted");
	w->best = *e;
	w->best.stage = STAGE_CONNECT;
	w->best_target = NULL;
	w->best_ip[0] = '\0';
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
	    t->policy.implicit || w->clear[i])
		return false;
	w->clear[i] = true;
	note(w, "again in clear: ", e->text);
	return true;
}

/* Host after host, until nobody is open or none is left. */
static void
try_hosts(struct worker *w, struct candidate *c, size_t n)
{
	static const struct tls_policy clear = { TLS_NONE, "", NULL, false };
	const struct target *t;
	char ip[OUTCOME_IP_MAX];
	struct err e;
	long i;
	int fd;

	while (open_recipients(w) && !wait_stopped(w->cfg->waiter)) {
		i = dial_next(w, c, n, &fd, &e);
		if (i < 0)
			break;
		t = &w->route->targets[c[i].host];
		w->host = t->host;
		endpoint_text(&c[i].to, ip, sizeof ip);
		note(w, "connected to ", ip);
		if (converse(w, t, w->clear[i] ? &clear : &t->policy, ip, fd,
			&e) != -1 ||
		    again_in_clear(w, t, (size_t)i, &e))
			continue;
		c[i].dead = true;
		host_failed(w, t, ip, &e);
	}
	if (open_recipients(w))
		break_off(w, c, n, &e);
}

/* The whole life of a worker; it never returns. */
static void
work(struct worker *w)
{
	struct candidate *c;
	size_t n;

	buf_init(&w->rec, RECORD_MAX);
	tls_init(&w->tls, &w->cfg->tls);
	w->host = w->route->ntargets > 0 ? w->route->targets[0].host : "";
	c = candidates(w->route, &n);
	w->clear = calloc(n + 1, sizeof *w->clear);
	if (c == NULL || w->clear == NULL)
		err_set(&w->best, ERR_TEMP, ERR_MACHINE, "no memory");
	else
		try_hosts(w, c, n);
	free(w->clear);
	free(c);
	give_up(w);
	flush_outcomes(w);
	tls_free(&w->tls);
	buf_free(&w->rec);
}

/* ---- the parent's side ---- */

/* What the parent knows of a recipient beside its outcome. */
struct holder {
	size_t route; /* whose worker may speak for it, counted from 1 */
	bool final; /* the last octets for it went out */
};

struct child {
	pid_t pid;
	int down; /* records come from here; -1: none runs */
	size_t route; /* counted from 1 */
	unsigned number;
};

struct delivery {
	const struct deliver_config *cfg; /* borrowed */
	const struct plan *plan; /* borrowed */
	const struct message *m; /* borrowed */
	struct envelope *env; /* borrowed */
	struct holder *holders; /* owned: one a recipient */
	struct child *children; /* owned: cfg->jobs of them */
	struct pollfd *fds; /* owned: the same number */
	size_t next; /* route to start next */
	size_t running; /* of the children */
	char *rec; /* owned: RECORD_MAX octets */
};

/* A record as it was read; strings point into it. */
struct news {
	struct field rcpts;
	struct field text;
	char host[OUTCOME_HOST_MAX];
	enum line_from from;
	struct outcome outcome;
};

/* Numbers with their bounds: a row each. */
static int
number_field(struct news *n, const struct field *f)
{
	struct err *e = &n->outcome.err;
	uint64_t v = f->number;

	switch (f->tag) {
	case TAG_FROM:
		n->from = v == LINE_SERVER ? LINE_SERVER
		    : v == LINE_CLIENT     ? LINE_CLIENT
					   : LINE_NOTE;
		return 0;
	case TAG_DOUBT:
		n->outcome.in_doubt = v != 0;
		return v <= 1 ? 0 : -1;
	case TAG_VERDICT:
		e->verdict = (enum err_verdict)v;
		return v <= ERR_PERM ? 0 : -1;
	case TAG_KIND:
		e->kind = (enum err_kind)v;
		return v < ERR_KINDS ? 0 : -1;
	case TAG_SCOPE:
		e->scope = (enum err_scope)v;
		return v < SCOPES ? 0 : -1;
	case TAG_STAGE:
		e->stage = (enum stage)v;
		return v < STAGES ? 0 : -1;
	case TAG_CODE:
		e->code = (int)v;
		return v < 600 ? 0 : -1;
	case TAG_PORT:
		n->outcome.port = (unsigned)v;
		return v <= 65535 ? 0 : -1;
	default:
		return -1;
	}
}

static int
octets_field(struct news *n, const struct field *f)
{
	struct outcome *o = &n->outcome;

	switch (f->tag) {
	case TAG_RCPTS:
		n->rcpts = *f;
		return f->len % sizeof(uint32_t) == 0 ? 0 : -1;
	case TAG_TEXT:
		n->text = *f;
		return 0;
	case TAG_HOST:
		return field_str(f, n->host, sizeof n->host);
	case TAG_IP:
		return field_str(f, o->ip, sizeof o->ip);
	case TAG_COMMAND:
		return field_str(f, o->err.command, sizeof o->err.command);
	case TAG_ENHANCED:
		enhanced_parse(&o->err.enhanced, f->octets, f->len);
		return 0;
	default:
		return -1;
	}
}

static int
read_news(struct news *n, struct record *r)
{
	struct field f;
	int got;

	memset(n, 0, sizeof *n);
	n->from = LINE_NOTE;
	while ((got = record_next(r, &f)) == 1)
		if ((f.kind == FIELD_NUMBER ? number_field(n, &f)
					    : octets_field(n, &f)) == -1)
			return -1;
	return got;
}

/* Call fn for each recipient that this child may speak for. */
static int
each_rcpt(struct delivery *d, const struct child *c, struct news *n,
    void (*fn)(struct delivery *, size_t, const struct news *))
{
	size_t i, count = n->rcpts.len / sizeof(uint32_t);
	uint32_t r;

	for (i = 0; i < count; i++) {
		memcpy(&r, n->rcpts.octets + i * sizeof r, sizeof r);
		if (r >= d->env->n || d->holders[r].route != c->route)
			return -1;
		fn(d, r, n);
	}
	return 0;
}

static void
mark_final(struct delivery *d, size_t r, const struct news *n)
{
	(void)n;
	d->holders[r].final = true;
}

static void
take_outcome(struct delivery *d, size_t r, const struct news *n)
{
	struct outcome *o = &d->env->rcpts[r].outcome;

	if (outcome_decide(o, &n->outcome.err) == -1)
		return;
	o->in_doubt = n->outcome.in_doubt && o->state == OUTCOME_DEFERRED;
	memcpy(o->host, n->host, sizeof o->host);
	memcpy(o->ip, n->outcome.ip, sizeof o->ip);
	o->port = n->outcome.port;
}

static int
news_line(struct delivery *d, const struct child *c, struct news *n)
{
	const struct deliver_line line = {
		.host = n->host,
		.worker = c->number,
		.many = d->plan->n > 1,
		.from = n->from,
		.s = n->text.octets,
		.n = n->text.len,
	};

	if (d->cfg->on_line != NULL && line.s != NULL)
		d->cfg->on_line(d->cfg->ctx, &line);
	return 0;
}

static int
news_final(struct delivery *d, const struct child *c, struct news *n)
{
	return each_rcpt(d, c, n, mark_final);
}

static int
news_outcome(struct delivery *d, const struct child *c, struct news *n)
{
	char *text = n->outcome.err.text;

	if (n->text.octets == NULL ||
	    field_str(&n->text, text, sizeof n->outcome.err.text) == -1)
		return -1;
	return each_rcpt(d, c, n, take_outcome);
}

/* One record: 0, or -1 if no honest worker sends such a thing. */
static int
take_record(struct delivery *d, const struct child *c, size_t len)
{
	static int (*const take[])(
	    struct delivery *, const struct child *, struct news *) = {
		[REC_LINE] = news_line,
		[REC_FINAL] = news_final,
		[REC_OUTCOME] = news_outcome,
	};
	struct record r;
	struct news n;

	if (record_open(&r, d->rec, len) != (long)len || r.type < REC_LINE ||
	    r.type > REC_OUTCOME || read_news(&n, &r) == -1)
		return -1;
	return take[r.type](d, c, &n);
}

/* A child is gone: what it left open is decided here. */
static void
settle(struct delivery *d, const struct child *c, const char *how)
{
	const struct route *route = &d->plan->routes[c->route - 1];
	struct err lost, doubt;
	struct outcome *o;
	size_t i, r;

	err_set(&lost, ERR_TEMP, ERR_MACHINE, "the delivery process %s", how);
	err_set(&doubt, ERR_TEMP, ERR_CONNECT,
	    "the delivery process %s after the end of data", how);
	doubt.stage = STAGE_END;
	for (i = 0; i < route->n; i++) {
		r = route->rcpts[i];
		o = &d->env->rcpts[r].outcome;
		if (o->state != OUTCOME_PENDING)
			continue;
		outcome_decide(o, d->holders[r].final ? &doubt : &lost);
		o->in_doubt = d->holders[r].final;
	}
}

static void
reap(struct delivery *d, struct child *c)
{
	char how[64] = "ended early";
	int status;
	pid_t got;

	close(c->down);
	c->down = -1;
	d->running--;
	do
		got = waitpid(c->pid, &status, 0);
	while (got == -1 && errno == EINTR);
	if (got == c->pid && WIFSIGNALED(status))
		snprintf(how, sizeof how, "was killed by signal %d",
		    WTERMSIG(status));
	settle(d, c, how);
}

/* In the child: nothing of the parent's but the route's own needs. */
static void
become_worker(struct delivery *d, size_t route, int up, pid_t parent)
{
	struct worker *w = calloc(1, sizeof *w);
	size_t i;

	/* A worker without its parent would deliver what nobody records. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (w == NULL || getppid() != parent)
		_exit(1);
	for (i = 0; i < d->cfg->jobs; i++)
		if (d->children[i].down != -1)
			close(d->children[i].down);
	w->cfg = d->cfg;
	w->route = &d->plan->routes[route];
	w->m = d->m;
	w->env = d->env;
	w->up = up;
	work(w);
	free(w);
	close(up);
	_exit(0);
}

/* Start a worker for the route of `c`: 0, or -1 with errno. */
static int
start(struct delivery *d, struct child *c)
{
	pid_t parent = getpid();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	c->pid = fork();
	if (c->pid == 0) {
		close(pair[0]);
		become_worker(d, c->route - 1, pair[1], parent);
	}
	close(pair[1]);
	if (c->pid == -1) {
		close(pair[0]);
		return -1;
	}
	c->down = pair[0];
	return 0;
}

/* There is no room for a single worker: its recipients are decided. */
static void
not_started(struct delivery *d, const struct child *c)
{
	char how[160], why[96];

	snprintf(how, sizeof how, "could not be started: %s",
	    strerror_r(errno, why, sizeof why));
	settle(d, c, how);
}

/*
 * Take what a child has to say. One that has hung up has ended or is about
 * to; any other that sends no record is none of ours, and might never end.
 */
static void
listen_to(struct delivery *d, struct child *c, short revents)
{
	ssize_t got = recv(c->down, d->rec, RECORD_MAX, 0);

	if (got == -1 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got > 0 && take_record(d, c, (size_t)got) == 0)
		return;
	if (got != 0 || (revents & POLLHUP) == 0)
		kill(c->pid, SIGKILL);
	reap(d, c);
}

static void
signal_all(const struct delivery *d, int sig)
{
	size_t i;

	for (i = 0; i < d->cfg->jobs; i++)
		if (d->children[i].down != -1)
			kill(d->children[i].pid, sig);
}

/*
 * Wait for any child. A stop is passed on once; then the children may finish
 * what they cannot take back, and after that they are killed: so they are
 * if waiting fails, and their ends need no waiting for.
 */
static int
wait_children(struct delivery *d, int64_t *stopped)
{
	const struct waiter deaf = { .mask = d->cfg->waiter->mask };
	int64_t until = *stopped == 0 ? INT64_MAX : *stopped + KILL_MS;
	size_t i, n = 0;
	int got;

	/* No further than they reach: poll(2) takes no more than may be open. */
	for (i = 0; i < d->cfg->jobs; i++) {
		d->fds[i] = (struct pollfd){ .fd = d->children[i].down,
			.events = POLLIN };
		if (d->children[i].down != -1)
			n = i + 1;
	}
	got =
	    wait_fds(*stopped == 0 ? d->cfg->waiter : &deaf, d->fds, n, until);
	if (got == WAIT_STOPPED) {
		*stopped = wait_now();
		signal_all(d, SIGTERM);
	} else if (got <= 0) {
		signal_all(d, SIGKILL);
		for (i = 0; i < n; i++)
			d->fds[i].revents = POLLIN;
	}
	return got;
}

/* A place for a worker, the first that is free; NULL if all are taken. */
static struct child *
free_place(const struct delivery *d)
{
	size_t i;

	for (i = 0; i < d->cfg->jobs; i++)
		if (d->children[i].down == -1)
			return &d->children[i];
	return NULL;
}

/* Start what may start, and can: what cannot waits for another's end. */
static void
start_some(struct delivery *d)
{
	struct child *c;

	while (d->next < d->plan->n && (c = free_place(d)) != NULL) {
		c->route = d->next + 1;
		c->number = (unsigned)c->route;
		if (start(d, c) == 0)
			d->running++;
		else if (d->running > 0)
			return;
		else
			not_started(d, c);
		d->next++;
	}
}

static void
run_workers(struct delivery *d)
{
	int64_t stopped = 0;
	size_t i, k;

	for (i = 0; i < d->plan->n; i++)
		for (k = 0; k < d->plan->routes[i].n; k++)
			d->holders[d->plan->routes[i].rcpts[k]].route = i + 1;
	for (i = 0; i < d->cfg->jobs; i++)
		d->children[i].down = -1;
	for (;;) {
		if (stopped == 0)
			start_some(d);
		if (d->running == 0)
			break;
		if (wait_children(d, &stopped) == WAIT_STOPPED)
			continue;
		for (i = 0; i < d->cfg->jobs; i++)
			if (d->children[i].down != -1 &&
			    d->fds[i].fd == d->children[i].down &&
			    d->fds[i].revents != 0)
				listen_to(
				    d, &d->children[i], d->fds[i].revents);
	}
}

/* Nobody may be left undecided, whatever went wrong. */
static void
decide_the_rest(struct envelope *env, const char *why)
{
	struct err e;
	size_t i;

	err_set(&e, ERR_TEMP, ERR_MACHINE, "%s", why);
	for (i = 0; i < env->n; i++)
		outcome_decide(&env->rcpts[i].outcome, &e);
}

void
deliver(const struct deliver_config *cfg, const struct plan *plan,
    const struct message *m, struct envelope *env)
{
	struct deliver_config mine = *cfg;
	struct delivery d = { .cfg = &mine, .plan = plan, .m = m, .env = env };

	if (mine.jobs > plan->n)
		mine.jobs = (unsigned)plan->n;
	d.holders = calloc(env->n + 1, sizeof *d.holders);
	d.children = calloc(mine.jobs + 1, sizeof *d.children);
	d.fds = calloc(mine.jobs + 1, sizeof *d.fds);
	d.rec = malloc(RECORD_MAX);
	if (d.holders != NULL && d.children != NULL && d.fds != NULL &&
	    d.rec != NULL)
		run_workers(&d);
	free(d.holders);
	free(d.children);
	free(d.fds);
	free(d.rec);
	decide_the_rest(
	    env, wait_stopped(cfg->waiter) ? "interrupted" : "no memory");
}
