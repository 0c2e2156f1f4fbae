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
	size_t number;
	struct route route;
	struct plan plan;
	struct deliver_config cfg;
	struct waiter waiter;
	struct holder holder;
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
	f->child.route = f->holder.route = 1;
	f->env = (struct envelope){ .rcpts = &f->rcpt, .n = 1 };
	f->route = (struct route){ .rcpts = &f->number, .n = 1 };
	f->plan = (struct plan){ .routes = &f->route, .n = 1 };
	f->cfg = (struct deliver_config){ .jobs = 1,
		.worker = { .waiter = &f->waiter } };
	f->d = (struct delivery){ .cfg = &f->cfg,
		.plan = &f->plan,
		.env = &f->env,
		.holders = &f->holder,
		.children = &f->child,
		.fds = &f->fd,
		.next = 1,
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

TEST(a_worker_speaks_for_its_own_recipients_only)
{
	static const char other[] = "\16\0\0\0\2\0"
				    "\4\0\2\0\4\0\0\0\1\0\0\0";

	check_deferred(other, sizeof other - 1);
}

TEST_MAIN
