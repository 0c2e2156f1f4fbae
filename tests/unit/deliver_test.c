/*
 * deliver: records from a worker that is not ours any more. The file itself
 * is included, since what it does with them is nobody's business but its own.
 */
#include "deliver.c" /* NOLINT(bugprone-suspicious-include) */
#include "tests/unit/test.h"

/* A delivery of one recipient, and a worker that says s and never ends. */
struct fixture {
	struct envelope env;
	struct recipient rcpt;
	struct mail mail;
	size_t number;
	struct lot lot;
	struct route route;
	struct plan plan;
	struct source source;
	struct deliver_config cfg;
	struct waiter waiter;
	struct turn turn;
	struct batch batch;
	struct child child;
	struct pollfd fd;
	char rec[RECORD_MAX];
	struct delivery d;
};

static void
be_hostile(int up, const char *s, size_t n)
{
	if (send(up, s, n, 0) == -1)
		_exit(1);
	for (;;)
		pause();
}

static struct fixture *
set_up(const char *s, size_t n)
{
	struct fixture *f = calloc(1, sizeof *f);
	int pair[2];

	if (f == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == -1)
		abort();
	f->child.pid = fork();
	if (f->child.pid == 0)
		be_hostile(pair[1], s, n);
	close(pair[1]);
	f->child.down = pair[0];
	f->child.batch = &f->batch;
	f->env = (struct envelope){ .rcpts = &f->rcpt, .n = 1 };
	f->mail.env = &f->env;
	f->lot = (struct lot){ 0, &f->number, 1 };
	f->route = (struct route){
		.rcpts = &f->number, .n = 1, .lots = &f->lot, .nlots = 1
	};
	f->plan = (struct plan){
		.mails = &f->mail, .nmails = 1, .routes = &f->route, .n = 1
	};
	f->batch =
	    (struct batch){ .plan = &f->plan, .turns = &f->turn, .running = 1 };
	if (tally_init(&f->batch.tally, &f->source, &f->plan) == -1)
		abort();
	f->cfg = (struct deliver_config){ .jobs = 1,
		.worker = { .waiter = &f->waiter } };
	f->d = (struct delivery){ .cfg = &f->cfg,
		.source = &f->source,
		.children = &f->child,
		.fds = &f->fd,
		.running = 1,
		.rec = f->rec };
	return f;
}

/* Its one recipient is deferred, whatever the worker wanted. */
static void
check_deferred(const char *s, size_t n)
{
	struct fixture *f = set_up(s, n);
	int64_t stopped = 0;

	while (f->d.running > 0) {
		CHECK_INT(wait_children(&f->d, &stopped), 1);
		listen_to(&f->d, &f->child, f->fd.revents);
	}
	CHECK_INT(f->rcpt.outcome.state, OUTCOME_DEFERRED);
	CHECK_STR(f->rcpt.outcome.err.text,
	    "the delivery process was killed by signal 9");
	tally_free(&f->batch.tally);
	free(f);
}

TEST(an_empty_record_is_no_end)
{
	check_deferred("", 0);
}

TEST(what_is_no_record_ends_the_worker)
{
	check_deferred("abc", 3);
	check_deferred("\2\0\0\0\7\0", 6);
}

/* Nobody is the second recipient, and no mail the second. */
TEST(a_worker_speaks_for_its_own_recipients_only)
{
	static const size_t rcpts[] = { 0, 1 };
	const struct outcome o = { .state = OUTCOME_PENDING };
	struct buf b;

	buf_init(&b, RECORD_MAX);
	news_put_outcome(&b, 0, rcpts, 2, &o);
	check_deferred(b.data, b.len);
	buf_reset(&b);
	news_put_final(&b, 0, rcpts + 1, 1);
	check_deferred(b.data, b.len);
	buf_reset(&b);
	news_put_outcome(&b, 1, rcpts, 1, &o);
	check_deferred(b.data, b.len);
	buf_free(&b);
}

/* ---- what an honest one says ---- */

#define MAILS 2

/* Two workers for one destination, both with the same two mails. */
static struct pair {
	struct recipient rcpts[MAILS];
	struct envelope envs[MAILS];
	struct mail mails[MAILS];
	size_t number;
	struct lot lots[MAILS];
	struct target target;
	struct relay relay;
	struct route routes[2];
	struct plan plan;
	struct source source;
	struct turn turns[2];
	struct batch batch;
	struct child children[2];
	struct deliver_config cfg;
	struct delivery d;
	char rec[RECORD_MAX];
} two;

static void
pair_begin(void)
{
	size_t i;

	memset(&two, 0, sizeof two);
	two.target = (struct target){ .host = strdup("mx.test"), .port = 25 };
	for (i = 0; i < 2; i++) {
		two.envs[i] =
		    (struct envelope){ .rcpts = &two.rcpts[i], .n = 1 };
		two.mails[i].env = &two.envs[i];
		two.lots[i] = (struct lot){ i, &two.number, 1 };
		two.routes[i] = (struct route){ .relay = &two.relay,
			.targets = &two.target,
			.ntargets = 1,
			.lots = two.lots,
			.nlots = MAILS };
		two.children[i] =
		    (struct child){ .batch = &two.batch, .down = -1 };
	}
	two.plan = (struct plan){ .mails = two.mails,
		.nmails = MAILS,
		.routes = two.routes,
		.n = 1 };
	two.batch = (struct batch){ .plan = &two.plan, .turns = two.turns };
	CHECK_INT(tally_init(&two.batch.tally, &two.source, &two.plan), 0);
	two.cfg.jobs = 2;
	two.d = (struct delivery){ .cfg = &two.cfg,
		.source = &two.source,
		.children = two.children,
		.rec = two.rec };
}

static void
pair_end(void)
{
	size_t i, k;

	for (i = 0; i < MAILS; i++) {
		for (k = 0; k < two.envs[i].ntls; k++)
			free(two.envs[i].tls[k]);
		free(two.envs[i].tls);
	}
	tally_free(&two.batch.tally);
	free(two.d.servers);
	free(two.target.host);
}

/* The first of the two says what is in the buffer. */
static int
said(struct buf *b)
{
	int got;

	memcpy(two.rec, b->data, b->len);
	got = take_record(&two.d, &two.children[0], b->len);
	buf_reset(b);
	return got;
}

/* One connection, and each envelope has what is known of it. */
TEST(a_connection_is_in_the_envelope_of_each_mail)
{
	const struct tls_facts f = { .version = "TLSv1.3" };
	const struct outcome o = { .tls = 1 };
	struct buf b;
	size_t i;

	pair_begin();
	buf_init(&b, RECORD_MAX);
	news_put_tls(&b, &f);
	CHECK_INT(said(&b), 0);
	for (i = 0; i < MAILS; i++) {
		news_put_outcome(&b, i, &two.number, 1, &o);
		CHECK_INT(said(&b), 0);
		CHECK_INT(two.rcpts[i].outcome.state, OUTCOME_DELIVERED);
		CHECK_INT(two.rcpts[i].outcome.tls, 1);
		CHECK_INT(two.envs[i].ntls, 1);
		CHECK_STR(two.envs[i].tls[0]->version, "TLSv1.3");
	}
	buf_free(&b);
	pair_end();
}

static size_t
remembered(enum err_verdict verdict, enum err_kind kind, const char *host)
{
	struct outcome o = { .port = 25 };
	struct buf b;

	o.err.verdict = verdict;
	o.err.kind = kind;
	snprintf(o.host, sizeof o.host, "%s", host);
	buf_init(&b, RECORD_MAX);
	news_put_down(&b, &o);
	if (said(&b) == -1)
		two.d.nservers = 99;
	buf_free(&b);
	return two.d.nservers;
}

/* With another of ours there, too many may be what is wrong. */
TEST(a_busy_server_may_be_so_because_of_us)
{
	pair_begin();
	two.children[1].down = 0;
	CHECK_INT(remembered(ERR_TEMP, ERR_REPLY, "mx.test"), 0);
	CHECK_INT(remembered(ERR_PERM, ERR_REPLY, "mx.test"), 1);
	CHECK_INT(remembered(ERR_TEMP, ERR_CONNECT, "mx.test"), 2);
	two.children[1].down = -1;
	CHECK_INT(remembered(ERR_TEMP, ERR_REPLY, "mx.test"), 3);
	CHECK(two.d.servers[2].relay == &two.relay);
	CHECK_INT(remembered(ERR_TEMP, ERR_CONNECT, "other.test"), 99);
	pair_end();
}

TEST(a_destination_has_no_order)
{
	struct target there[2] = { { .host = NULL, .port = 25 },
		{ .host = NULL, .port = 25 } };
	struct target back[2];
	struct route a = { .targets = there, .ntargets = 2 };
	struct route other = { .targets = back, .ntargets = 2 };
	char one[] = "one.test", two_[] = "two.test";

	there[0].host = one;
	there[1].host = two_;
	back[0] = there[1];
	back[1] = there[0];
	CHECK(same_destination(&a, &other));
	back[1].port = 587;
	CHECK(!same_destination(&a, &other));
	back[1].port = 25;
	a.relay = &two.relay;
	CHECK(!same_destination(&a, &other));
	other.ntargets = 1;
	other.relay = &two.relay;
	CHECK(!same_destination(&a, &other));
}

/* ---- plans ---- */

static struct plan *
hand_out(void *ctx)
{
	struct plan **p = ctx, *plan = *p;

	*p = NULL;
	return plan;
}

static unsigned mails_over, plans_over;

static void
count_mail(void *ctx, struct mail *m)
{
	(void)ctx;
	(void)m;
	mails_over++;
}

static void
count_plan(void *ctx, struct plan *plan)
{
	(void)ctx;
	CHECK_INT(plan->n, 0);
	plans_over++;
}

/* All was decided while it was planned: there is an end to each mail yet. */
TEST(a_plan_without_a_route)
{
	const struct waiter deaf = { .stop = NULL };
	const struct deliver_config cfg = { .jobs = 1,
		.worker = { .waiter = &deaf } };
	struct plan *next = &two.plan;
	const struct source source = { .next = hand_out,
		.mail_done = count_mail,
		.done = count_plan,
		.ctx = &next };

	pair_begin();
	two.plan.n = 0;
	two.rcpts[0].outcome.state = two.rcpts[1].outcome.state =
	    OUTCOME_FAILED;
	mails_over = plans_over = 0;
	deliver(&cfg, &source);
	CHECK_INT(mails_over, 2);
	CHECK_INT(plans_over, 1);
	pair_end();
}

TEST_MAIN
