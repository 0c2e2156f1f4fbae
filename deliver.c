/*
 * deliver: see deliver.h. The parent asks for plans, shows and decides what
 * nobody else could; a worker, one a route, dials and speaks, and sends
 * records up a socket pair. The parent believes no record that it did not
 * check.
 * Callers: queue/submit.c. It prints nothing.
 * RFC 5321 5.1, 4.5.4.1; fork(2), unix(7) SOCK_SEQPACKET.
 * Ownership: borrows plans.
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
#include "base/wait.h"
#include "deliver.h"
#include "mail/envelope.h"
#include "mx.h"
#include "news.h"
#include "reach.h"
#include "tally.h"
#include "worker.h"

/* After a stop, workers get so long to hear an answer before they are killed:
 * longer than what wire.c gives a server. */
#define KILL_MS 15000

/* More servers than this are not remembered. */
#define DOWN_MAX 4096

enum turn_state { WAITING, RUNNING, OVER };

/* A route's place in the queue. */
struct turn {
	enum turn_state state;
	bool fresh; /* with a token that was fetched anew */
	struct err refused; /* why */
};

/* A plan that is alive. */
struct batch {
	struct plan *plan; /* borrowed */
	struct tally tally;
	struct turn *turns; /* owned: one a route */
	size_t next; /* no route before it waits */
	size_t running; /* of its workers */
	size_t numbered; /* workers of plans before it */
	struct batch *link; /* owned: the plan that was asked for next */
};

struct child {
	pid_t pid;
	int down; /* records come from here; -1: none runs */
	struct batch *batch; /* borrowed: its route is there */
	size_t route;
	bool secure; /* its present connection is private */
	struct tls_facts facts; /* and this is known of it */
	size_t mail; /* into whose envelope that was written, and */
	size_t tls; /* under which number; 0: nowhere yet */
	bool stale; /* it asked for a new token */
};

struct delivery {
	const struct deliver_config *cfg; /* borrowed */
	const struct source *source; /* borrowed */
	struct batch *batches; /* owned: the oldest first */
	size_t alive; /* how many they are */
	size_t asked; /* plans so far */
	size_t numbered; /* routes of all plans so far */
	bool dry; /* the source has no more */
	struct child *children; /* owned: cfg->jobs of them */
	struct pollfd *fds; /* owned: the same number */
	struct reach_down *servers; /* owned: those that cannot be had */
	size_t nservers;
	size_t running; /* of the children */
	char *rec; /* owned: RECORD_MAX octets */
};

static const struct route *
route_of(const struct child *c)
{
	return &c->batch->plan->routes[c->route];
}

static struct turn *
turn_of(const struct child *c)
{
	return &c->batch->turns[c->route];
}

/* ---- destinations ---- */

static bool
is_target(const struct route *r, const char *host, unsigned port)
{
	size_t i;

	for (i = 0; i < r->ntargets; i++)
		if (r->targets[i].port == port &&
		    strncmp(r->targets[i].host, host, OUTCOME_HOST_MAX - 1) ==
			0)
			return true;
	return false;
}

/* The same servers by the same account, in whatever order. */
static bool
same_destination(const struct route *a, const struct route *b)
{
	size_t i;

	if (a->relay != b->relay || a->ntargets != b->ntargets)
		return false;
	for (i = 0; i < a->ntargets; i++)
		if (!is_target(b, a->targets[i].host, a->targets[i].port))
			return false;
	return true;
}

/* Workers beside `c` that are there. */
static size_t
others_there(
    const struct delivery *d, const struct route *r, const struct child *c)
{
	size_t i, n = 0;

	for (i = 0; i < d->cfg->jobs; i++)
		if (d->children[i].down != -1 && &d->children[i] != c)
			n += same_destination(route_of(&d->children[i]), r);
	return n;
}

static bool
is_full(const struct delivery *d, const struct route *r)
{
	return r->relay->connections > 0 &&
	    others_there(d, r, NULL) >= r->relay->connections;
}

/* ---- records, believed by nobody before they are checked ---- */

static int
news_line(struct delivery *d, struct child *c, struct news *n)
{
	const struct deliver_line line = {
		.host = n->host,
		.worker = (unsigned)(c->batch->numbered + c->route + 1),
		.many = c->batch->plan->n > 1 || d->asked > 1,
		.from = n->from,
		.s = n->text.octets,
		.n = n->text.len,
	};

	if (d->cfg->on_line != NULL)
		d->cfg->on_line(d->cfg->ctx, &line);
	return 0;
}

/* The worker waits for the answer, if anybody else is asked. */
static int
answer(const struct delivery *d, const struct child *c, const struct err *e)
{
	struct buf b;
	ssize_t put = -1;

	if (d->source->final == NULL)
		return 0;
	buf_init(&b, RECORD_MAX);
	news_put_answer(&b, e);
	if (buf_ok(&b))
		put = send(c->down, b.data, b.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	buf_free(&b);
	return put == -1 ? -1 : 0;
}

static int
news_final(struct delivery *d, struct child *c, struct news *n)
{
	struct err e;

	err_clear(&e);
	if (!tally_owns(&c->batch->tally, c->route, n))
		return -1;
	tally_final(&c->batch->tally, n, &e);
	return answer(d, c, &e);
}

/* The connection's number in the envelope of a mail. Without memory it passes
 * for one that nothing is known of. */
static size_t
tls_number(struct child *c, size_t mail)
{
	struct tls_facts *f;

	if (!c->secure || (c->tls != 0 && c->mail == mail))
		return c->tls;
	f = malloc(sizeof *f);
	if (f == NULL)
		return 0;
	*f = c->facts;
	c->mail = mail;
	c->tls = envelope_add_tls(c->batch->plan->mails[mail].env, f);
	return c->tls;
}

static int
news_outcome(struct delivery *d, struct child *c, struct news *n)
{
	(void)d;
	if (!tally_owns(&c->batch->tally, c->route, n))
		return -1;
	tally_outcome(&c->batch->tally, n,
	    n->outcome.tls != 0 ? tls_number(c, n->mail) : 0);
	return 0;
}

static int
news_tls(struct delivery *d, struct child *c, struct news *n)
{
	(void)d;
	c->secure = true;
	c->facts = n->facts;
	c->tls = 0;
	return 0;
}

static int
news_stale(struct delivery *d, struct child *c, struct news *n)
{
	struct turn *t = turn_of(c);

	(void)d;
	if (t->fresh || c->stale)
		return -1;
	t->refused = n->outcome.err;
	c->stale = true;
	return 0;
}

/*
 * Remember a server. One that is busy, while others of ours are there, may
 * be so because of them, and is no worse for the next.
 */
static int
news_down(struct delivery *d, struct child *c, struct news *n)
{
	const struct route *r = route_of(c);
	const struct outcome *o = &n->outcome;
	struct reach_down *list;

	if (!is_target(r, o->host, o->port))
		return -1;
	if (o->err.kind == ERR_REPLY && o->err.verdict == ERR_TEMP &&
	    others_there(d, r, c) > 0)
		return 0;
	list = d->nservers == DOWN_MAX
	    ? NULL
	    : reallocarray(d->servers, d->nservers + 1, sizeof *list);
	if (list == NULL)
		return 0;
	d->servers = list;
	list[d->nservers++] = (struct reach_down){ r->relay, *o };
	return 0;
}

/* One record: 0, or -1 if no honest worker sends such a thing. */
static int
take_record(struct delivery *d, struct child *c, size_t len)
{
	static int (*const take[NEWS_TYPES])(
	    struct delivery *, struct child *, struct news *) = {
		[NEWS_LINE] = news_line,
		[NEWS_FINAL] = news_final,
		[NEWS_OUTCOME] = news_outcome,
		[NEWS_TLS] = news_tls,
		[NEWS_STALE] = news_stale,
		[NEWS_DOWN] = news_down,
	};
	struct news n;

	if (news_read(&n, d->rec, len) == -1)
		return -1;
	return take[n.type](d, c, &n);
}

/* ---- workers ---- */

static void
reap(struct delivery *d, struct child *c)
{
	char how[64] = "ended early";
	int status;
	pid_t got;

	close(c->down);
	c->down = -1;
	d->running--;
	c->batch->running--;
	do
		got = waitpid(c->pid, &status, 0);
	while (got == -1 && errno == EINTR);
	if (got == c->pid && WIFSIGNALED(status))
		snprintf(how, sizeof how, "was killed by signal %d",
		    WTERMSIG(status));
	if (!c->stale) {
		turn_of(c)->state = OVER;
		tally_lost(&c->batch->tally, c->route, how);
		return;
	}
	turn_of(c)->fresh = true;
	turn_of(c)->state = WAITING;
	if (c->batch->next > c->route)
		c->batch->next = c->route;
}

/* In the child: nothing of the parent's but the route's own needs. */
static void
become_worker(struct delivery *d, const struct child *c, int up, pid_t parent)
{
	struct worker_config cfg = d->cfg->worker;
	size_t i;

	cfg.fresh = turn_of(c)->fresh;
	cfg.asks = d->source->final != NULL;
	cfg.down = d->servers;
	cfg.ndown = d->nservers;

	/* A worker without its parent would deliver what nobody records. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	for (i = 0; i < d->cfg->jobs; i++)
		if (d->children[i].down != -1)
			close(d->children[i].down);
	worker_run(&cfg, route_of(c), c->batch->plan->mails, up);
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
		become_worker(d, c, pair[1], parent);
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
not_started(const struct child *c, int num)
{
	char how[160], why[96];

	snprintf(how, sizeof how, "could not be started: %s",
	    strerror_r(num, why, sizeof why));
	tally_lost(&c->batch->tally, c->route, how);
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
	const struct turn *t = turn_of(c);
	struct err e;
	int got;

	if (d->cfg->on_secret == NULL)
		return 0;
	got = d->cfg->on_secret(d->cfg->ctx, route_of(c)->relay, t->fresh, &e);
	if (got == 0)
		return 0;
	if (e.stage == STAGE_NONE)
		e.stage = STAGE_AUTH;
	tally_decide(&c->batch->tally, c->route, got == 1 ? &t->refused : &e);
	return -1;
}

/*
 * Start the route of `c`: 0 when it runs or is decided, -1 when there is no
 * room beside the others.
 */
static int
start_route(struct delivery *d, struct child *c)
{
	int got, num;

	c->secure = false;
	c->tls = 0;
	c->stale = false;
	turn_of(c)->state = OVER;
	if (fetch_secret(d, c) == -1)
		return 0;
	got = start(d, c);
	num = errno;
	/* What waits for room keeps it: it may not be had again. */
	if (got != 0 && d->running > 0) {
		turn_of(c)->state = WAITING;
		return -1;
	}
	if (d->cfg->on_secret_done != NULL)
		d->cfg->on_secret_done(d->cfg->ctx, route_of(c)->relay);
	if (got != 0) {
		not_started(c, num);
		return 0;
	}
	turn_of(c)->state = RUNNING;
	d->running++;
	c->batch->running++;
	return 0;
}

/* ---- plans ---- */

static void
batch_free(struct batch *b)
{
	if (b == NULL)
		return;
	tally_free(&b->tally);
	free(b->turns);
	free(b);
}

static struct batch *
batch_new(struct delivery *d, struct plan *plan)
{
	struct batch *b = calloc(1, sizeof *b);

	if (b == NULL)
		return NULL;
	b->plan = plan;
	b->numbered = d->numbered;
	b->turns = calloc(plan->n + 1, sizeof *b->turns);
	if (b->turns == NULL || tally_init(&b->tally, d->source, plan) == -1) {
		batch_free(b);
		return NULL;
	}
	return b;
}

/* Without memory to count them, each mail is decided by itself. */
static void
turn_away(const struct source *s, struct plan *plan)
{
	struct err e;
	size_t i, k;

	err_set(&e, ERR_TEMP, ERR_MACHINE, "no memory");
	for (i = 0; i < plan->nmails; i++) {
		for (k = 0; k < plan->mails[i].env->n; k++)
			if (outcome_decide(
				&plan->mails[i].env->rcpts[k].outcome, &e) ==
				0 &&
			    s->outcome != NULL)
				s->outcome(s->ctx, &plan->mails[i], &k, 1);
		if (s->mail_done != NULL)
			s->mail_done(s->ctx, &plan->mails[i]);
	}
	if (s->done != NULL)
		s->done(s->ctx, plan);
}

/* The next plan, behind those that are alive: false if there is none. */
static bool
ask(struct delivery *d)
{
	struct batch **end = &d->batches, *b;
	struct plan *plan;

	if (d->dry || d->alive >= d->cfg->jobs ||
	    (d->asked > 0 && wait_stopped(d->cfg->worker.waiter)))
		return false;
	plan = d->source->next(d->source->ctx);
	d->dry = plan == NULL;
	if (plan == NULL)
		return false;
	d->asked++;
	b = batch_new(d, plan);
	if (b == NULL) {
		d->dry = true;
		turn_away(d->source, plan);
		return false;
	}
	d->numbered += plan->n;
	d->alive++;
	while (*end != NULL)
		end = &(*end)->link;
	*end = b;
	return true;
}

/* Nobody may be left undecided, whatever went wrong. */
static void
batch_end(struct delivery *d, struct batch *b)
{
	struct err e;

	err_set(&e, ERR_TEMP, ERR_MACHINE, "%s",
	    wait_stopped(d->cfg->worker.waiter) ? "interrupted" : "no memory");
	tally_rest(&b->tally, &e);
	if (d->source->done != NULL)
		d->source->done(d->source->ctx, b->plan);
	batch_free(b);
	d->alive--;
}

/* The batch's next route that may start, or its number of routes. */
static size_t
waiting(const struct delivery *d, struct batch *b)
{
	size_t i;

	while (b->next < b->plan->n && b->turns[b->next].state != WAITING)
		b->next++;
	for (i = b->next; i < b->plan->n; i++)
		if (b->turns[i].state == WAITING &&
		    !is_full(d, &b->plan->routes[i]))
			break;
	return i;
}

static bool
is_over(const struct delivery *d, struct batch *b)
{
	waiting(d, b);
	return b->running == 0 && b->next == b->plan->n;
}

/* Let go of plans that have nothing to do any more, or of all. */
static void
sweep(struct delivery *d, bool all)
{
	struct batch **at = &d->batches, *b;

	while ((b = *at) != NULL) {
		if (all || is_over(d, b)) {
			*at = b->link;
			batch_end(d, b);
		} else {
			at = &b->link;
		}
	}
}

/* The route whose turn it is, into c; false if none may start. */
static bool
choose(const struct delivery *d, struct child *c)
{
	struct batch *b;

	for (b = d->batches; b != NULL; b = b->link) {
		c->batch = b;
		c->route = waiting(d, b);
		if (c->route < b->plan->n)
			return true;
	}
	return false;
}

/* Start what may start, and can: what cannot waits for another's end. */
static void
start_some(struct delivery *d)
{
	size_t place;

	while ((place = free_place(d)) < d->cfg->jobs) {
		if (!choose(d, &d->children[place])) {
			sweep(d, false);
			if (!ask(d))
				return;
		} else if (start_route(d, &d->children[place]) == -1) {
			return;
		}
	}
}

static void
listen_all(struct delivery *d)
{
	struct child *c;
	size_t i;

	for (i = 0; i < d->cfg->jobs; i++) {
		c = &d->children[i];
		if (c->down != -1 && d->fds[i].fd == c->down &&
		    d->fds[i].revents != 0)
			listen_to(d, c, d->fds[i].revents);
	}
}

static void
run_workers(struct delivery *d)
{
	int64_t stopped = 0;
	size_t i;

	for (i = 0; i < d->cfg->jobs; i++)
		d->children[i].down = -1;
	for (;;) {
		if (stopped == 0)
			start_some(d);
		if (d->running == 0)
			break;
		if (wait_children(d, &stopped) == WAIT_STOPPED)
			continue;
		listen_all(d);
		sweep(d, false);
	}
	sweep(d, true);
}

void
deliver(const struct deliver_config *cfg, const struct source *source)
{
	struct delivery d = { .cfg = cfg, .source = source };
	struct plan *plan;

	d.children = calloc(cfg->jobs + 1, sizeof *d.children);
	d.fds = calloc(cfg->jobs + 1, sizeof *d.fds);
	d.rec = malloc(RECORD_MAX);
	if (d.children != NULL && d.fds != NULL && d.rec != NULL)
		run_workers(&d);
	else if ((plan = source->next(source->ctx)) != NULL)
		turn_away(source, plan);
	free(d.servers);
	free(d.children);
	free(d.fds);
	free(d.rec);
}
