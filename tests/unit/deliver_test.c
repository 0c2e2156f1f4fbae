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

TEST_MAIN
