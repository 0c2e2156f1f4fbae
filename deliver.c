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
#include "worker.h"

/* After a stop, workers get so long to hear an answer before they are killed:
 * longer than what wire.c gives a server. */
#define KILL_MS 15000

/* ---- records, believed by nobody before they are checked ---- */

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
	size_t tls; /* of its present connection, in the envelope's list */
	bool stale; /* it asked for a new token */
};

/* A route's place in the queue. */
struct turn {
	bool fresh; /* with a token that was fetched anew */
	struct err refused; /* why */
};

struct delivery {
	const struct deliver_config *cfg; /* borrowed */
	const struct plan *plan; /* borrowed */
	const struct message *m; /* borrowed */
	struct envelope *env; /* borrowed */
	struct holder *holders; /* owned: one a recipient */
	struct child *children; /* owned: cfg->jobs of them */
	struct pollfd *fds; /* owned: the same number */
	struct turn *turns; /* owned: one a route */
	size_t *again; /* owned: routes to start once more, counted from 1 */
	size_t nagain;
	size_t next; /* route to start next */
	size_t running; /* of the children */
	char *rec; /* owned: RECORD_MAX octets */
};

/* A record as it was read; strings point into it. */
struct news {
	struct field rcpts;
	struct field text; /* of a line */
	char host[OUTCOME_HOST_MAX];
	enum line_from from;
	bool decides; /* there is an outcome, or an error */
	struct outcome outcome;
	struct tls_facts facts;
};

static int
number_field(struct news *n, const struct field *f)
{
	uint64_t v = f->number;

	switch (f->tag) {
	case TAG_FROM:
		n->from = v == LINE_SERVER ? LINE_SERVER
		    : v == LINE_CLIENT     ? LINE_CLIENT
					   : LINE_NOTE;
		return 0;
	case TAG_SECURE:
		n->outcome.tls = (size_t)v;
		return v <= 1 ? 0 : -1;
	case TAG_VERIFIED:
		n->facts.verified = v != 0;
		return v <= 1 ? 0 : -1;
	default:
		return -1;
	}
}

static int
fact_field(struct news *n, const struct field *f)
{
	const struct worker_fact *row;
	size_t i;

	for (i = 0; i < worker_facts_n; i++) {
		row = &worker_facts[i];
		if (row->tag == f->tag)
			return field_str(
			    f, (char *)&n->facts + row->at, row->size);
	}
	return -1;
}

static int
octets_field(struct news *n, const struct field *f)
{
	switch (f->tag) {
	case TAG_RCPTS:
		n->rcpts = *f;
		return f->len % sizeof(uint32_t) == 0 ? 0 : -1;
	case TAG_TEXT:
		n->text = *f;
		return 0;
	case TAG_HOST:
		return field_str(f, n->host, sizeof n->host);
	default:
		return fact_field(n, f);
	}
}

static int
news_field(struct news *n, const struct field *f)
{
	int got = outcome_take(&n->outcome, f);

	n->decides |= f->tag == OUTCOME_TAG_VERDICT;
	if (got != 0)
		return got == 1 ? 0 : -1;
	return f->kind == FIELD_NUMBER ? number_field(n, f)
				       : octets_field(n, f);
}

static int
read_news(struct news *n, struct record *r)
{
	struct field f;
	int got;

	memset(n, 0, sizeof *n);
	n->from = LINE_NOTE;
	while ((got = record_next(r, &f)) == 1)
		if (news_field(n, &f) == -1)
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
	memcpy(o->host, n->outcome.host, sizeof o->host);
	memcpy(o->ip, n->outcome.ip, sizeof o->ip);
	o->port = n->outcome.port;
	o->tls = n->outcome.tls;
	o->left_out = n->outcome.left_out;
}

static int
news_line(struct delivery *d, struct child *c, struct news *n)
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
news_final(struct delivery *d, struct child *c, struct news *n)
{
	return each_rcpt(d, c, n, mark_final);
}

static int
news_outcome(struct delivery *d, struct child *c, struct news *n)
{
	if (!n->decides)
		return -1;
	n->outcome.tls = n->outcome.tls != 0 ? c->tls : 0;
	return each_rcpt(d, c, n, take_outcome);
}

/* Without memory the connection passes for one that nothing is known of. */
static int
news_tls(struct delivery *d, struct child *c, struct news *n)
{
	struct tls_facts *f = malloc(sizeof *f);

	if (f != NULL)
		*f = n->facts;
	c->tls = f == NULL ? 0 : envelope_add_tls(d->env, f);
	return 0;
}

static int
news_stale(struct delivery *d, struct child *c, struct news *n)
{
	struct turn *t = &d->turns[c->route - 1];

	if (t->fresh || c->stale || !n->decides)
		return -1;
	t->refused = n->outcome.err;
	c->stale = true;
	return 0;
}

/* One record: 0, or -1 if no honest worker sends such a thing. */
static int
take_record(struct delivery *d, struct child *c, size_t len)
{
	static int (*const take[])(
	    struct delivery *, struct child *, struct news *) = {
		[REC_LINE] = news_line,
		[REC_FINAL] = news_final,
		[REC_OUTCOME] = news_outcome,
		[REC_TLS] = news_tls,
		[REC_STALE] = news_stale,
	};
	struct record r;
	struct news n;

	if (record_open(&r, d->rec, len) != (long)len || r.type < REC_LINE ||
	    r.type >= RECORD_TYPES || read_news(&n, &r) == -1)
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
	if (c->stale) {
		d->turns[c->route - 1].fresh = true;
		d->again[d->nagain++] = c->route;
	} else {
		settle(d, c, how);
	}
}

/* One reason for all of a route that are still open. */
static void
settle_by(struct delivery *d, const struct child *c, const struct err *e)
{
	const struct route *route = &d->plan->routes[c->route - 1];
	size_t i;

	for (i = 0; i < route->n; i++)
		outcome_decide(&d->env->rcpts[route->rcpts[i]].outcome, e);
}

/* In the child: nothing of the parent's but the route's own needs. */
static void
become_worker(struct delivery *d, size_t route, int up, pid_t parent)
{
	struct worker_config cfg = d->cfg->worker;
	size_t i;

	cfg.fresh = d->turns[route].fresh;

	/* A worker without its parent would deliver what nobody records. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	for (i = 0; i < d->cfg->jobs; i++)
		if (d->children[i].down != -1)
			close(d->children[i].down);
	worker_run(&cfg, &d->plan->routes[route], d->m, d->env, up);
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
not_started(struct delivery *d, const struct child *c, int num)
{
	char how[160], why[96];

	snprintf(how, sizeof how, "could not be started: %s",
	    strerror_r(num, why, sizeof why));
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
	const struct waiter deaf = { .mask = d->cfg->worker.waiter->mask };
	int64_t until = *stopped == 0 ? INT64_MAX : *stopped + KILL_MS;
	size_t i, n = 0;
	int got;

	/* No further than they reach: poll(2) takes what may be open. */
	for (i = 0; i < d->cfg->jobs; i++) {
		d->fds[i] = (struct pollfd){ .fd = d->children[i].down,
			.events = POLLIN };
		if (d->children[i].down != -1)
			n = i + 1;
	}
	got = wait_fds(
	    *stopped == 0 ? d->cfg->worker.waiter : &deaf, d->fds, n, until);
	if (got == WAIT_STOPPED) {
		*stopped = wait_now();
		signal_all(d, SIGTERM);
	} else if (got <= 0 || wait_now() > until) {
		signal_all(d, SIGKILL);
		for (i = 0; i < n; i++)
			d->fds[i].revents = POLLIN;
	}
	return got;
}

/* A place for a worker, the first that is free; `jobs` if all are taken. */
static size_t
free_place(const struct delivery *d)
{
	size_t i;

	for (i = 0; i < d->cfg->jobs && d->children[i].down != -1; i++)
		;
	return i;
}

/*
 * Have the relay's secrets fetched: 0, or -1 when the route's recipients were
 * decided because there are none. What the server said of an old token
 * counts more than that there is no new one.
 */
static int
fetch_secret(struct delivery *d, const struct child *c)
{
	const struct relay *relay = d->plan->routes[c->route - 1].relay;
	struct turn t = d->turns[c->route - 1];
	struct err e;
	int got;

	if (d->cfg->on_secret == NULL)
		return 0;
	got = d->cfg->on_secret(d->cfg->ctx, relay, t.fresh, &e);
	if (got == 0)
		return 0;
	if (e.stage == STAGE_NONE)
		e.stage = STAGE_AUTH;
	settle_by(d, c, got == 1 ? &t.refused : &e);
	return -1;
}

/*
 * Start the route of `c`: 0 when it runs or is decided, -1 when there is no
 * room beside the others.
 */
static int
start_route(struct delivery *d, struct child *c)
{
	const struct relay *relay = d->plan->routes[c->route - 1].relay;
	int got, num;

	c->number = (unsigned)c->route;
	c->tls = 0;
	c->stale = false;
	if (fetch_secret(d, c) == -1)
		return 0;
	got = start(d, c);
	num = errno;
	/* What waits for room keeps it: it may not be had again. */
	if (got != 0 && d->running > 0)
		return -1;
	if (d->cfg->on_secret_done != NULL)
		d->cfg->on_secret_done(d->cfg->ctx, relay);
	if (got == 0)
		d->running++;
	else
		not_started(d, c, num);
	return 0;
}

/* The route whose turn it is, counted from 1; 0: none is left. */
static size_t
next_route(const struct delivery *d)
{
	if (d->nagain > 0)
		return d->again[d->nagain - 1];
	return d->next < d->plan->n ? d->next + 1 : 0;
}

static void
next_done(struct delivery *d)
{
	if (d->nagain > 0)
		d->nagain--;
	else
		d->next++;
}

/* Start what may start, and can: what cannot waits for another's end. */
static void
start_some(struct delivery *d)
{
	size_t route, place;

	while ((route = next_route(d)) != 0 &&
	    (place = free_place(d)) < d->cfg->jobs) {
		d->children[place].route = route;
		if (start_route(d, &d->children[place]) == -1)
			return;
		/* What deliver() made it frees, which the analyzer loses.
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		next_done(d);
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
	d.turns = calloc(plan->n + 1, sizeof *d.turns);
	d.again = calloc(plan->n + 1, sizeof *d.again);
	d.rec = malloc(RECORD_MAX);
	if (d.turns != NULL && d.again != NULL && d.holders != NULL &&
	    d.children != NULL && d.fds != NULL && d.rec != NULL)
		run_workers(&d);
	free(d.turns);
	free(d.again);
	free(d.holders);
	free(d.children);
	free(d.fds);
	free(d.rec);
	decide_the_rest(env,
	    wait_stopped(cfg->worker.waiter) ? "interrupted" : "no memory");
}
