/*
 * wire: the one writer of commands, and a message that the server interrupts,
 * over a socket pair whose other end the test holds.
 * RFC 5321 4.2.1, 4.5.3.2.5.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "mail/message.h"
#include "mail/view.h"
#include "net/io.h"
#include "tests/unit/test.h"
#include "wire.h"

#define BIG (8 * 1024 * 1024)

struct fixture {
	struct io io;
	struct wire w;
	struct observer obs;
	struct message m;
	struct view view;
	int server;
	unsigned finals;
	unsigned waits;
};

static int
on_final(void *ctx, const size_t *rcpts, size_t n, struct err *e)
{
	struct fixture *f = ctx;

	(void)rcpts;
	(void)e;
	f->finals += (unsigned)n;
	return 0;
}

static void
on_wait(void *ctx)
{
	struct fixture *f = ctx;

	f->waits++;
}

/* A message of lines of 64 octets, made up as it is read. */
static long
lines(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const uint64_t *size = ctx;
	char *p = to;
	size_t i;

	(void)e;
	if (off >= *size)
		return 0;
	if (n > *size - off)
		n = (size_t)(*size - off);
	for (i = 0; i < n; i++)
		p[i] = (off + i) % 64 == 63 ? '\n' : 'x';
	return (long)n;
}

static void
set_up(struct fixture *f, uint64_t *size)
{
	struct err e;
	int pair[2];

	memset(f, 0, sizeof *f);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		abort();
	f->server = pair[1];
	f->obs = (struct observer){
		.ctx = f, .on_final = on_final, .on_wait = on_wait
	};
	io_init(&f->io, pair[0], NULL);
	wire_init(&f->w, &f->io, &f->obs, 5000);
	CHECK_INT(
	    message_open(&f->m, (struct octets){ lines, size, *size }, &e), 0);
	CHECK_INT(view_make(&f->view, &f->m, 0, &e), 0);
}

static void
tear_down(struct fixture *f)
{
	view_free(&f->view);
	message_free(&f->m);
	wire_free(&f->w);
	io_free(&f->io);
	if (f->server != -1)
		close(f->server);
}

static void
server_says(struct fixture *f, const char *s)
{
	if (write(f->server, s, strlen(s)) != (ssize_t)strlen(s))
		abort();
}

static void
server_closes(struct fixture *f)
{
	close(f->server);
	f->server = -1;
}

TEST(no_line_end_leaves_in_a_command)
{
	uint64_t size = 10;
	struct fixture f;
	struct err e;
	char text[4000];

	set_up(&f, &size);
	CHECK_INT(wire_command(&f.w, &e, "MAIL FROM:<%s>", "a\r\nDATA"), -1);
	CHECK_INT(wire_command(&f.w, &e, "MAIL FROM:<%s>", "a\nDATA"), -1);
	CHECK_INT(wire_command(&f.w, &e, "MAIL FROM:<%s>", "a\rDATA"), -1);
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	CHECK_INT(wire_command(&f.w, &e, "%s", text), -1);
	CHECK_INT(err_exit(&e), 70);
	CHECK_INT(f.w.out.len, 0);
	CHECK_INT(wire_command(&f.w, &e, "NOOP %d", 1), 0);
	CHECK_STR(buf_str(&f.w.out), "NOOP 1\r\n");
	tear_down(&f);
}

static const size_t one[] = { 0 };

TEST(an_early_refusal_counts_though_the_line_is_dead)
{
	uint64_t size = BIG;
	struct fixture f;
	struct err e;

	set_up(&f, &size);
	server_says(&f, "552 5.3.4 too big\r\n");
	server_closes(&f);
	CHECK_INT(wire_message(&f.w, &f.view, one, 1, &e), 1);
	CHECK_INT(f.finals, 0);
	CHECK_INT(wire_reply(&f.w, &e), 0);
	CHECK_INT(f.w.reply.code, 552);
	CHECK_INT(f.io.fd, -1);
	tear_down(&f);
}

TEST(a_refusal_may_begin_early_and_end_late)
{
	uint64_t size = 640;
	struct fixture f;
	struct err e;

	set_up(&f, &size);
	server_says(&f, "552-5.3.4 that is\r\n552 5.3.4 to");
	CHECK(io_fill(&f.io, &e) > 0);
	CHECK_INT(wire_message(&f.w, &f.view, one, 1, &e), 0);
	server_says(&f, "o big\r\n");
	CHECK_INT(wire_reply(&f.w, &e), 0);
	CHECK_INT(f.w.reply.code, 552);
	CHECK_INT(f.w.reply.lines, 2);
	tear_down(&f);
}

TEST(a_dead_line_is_temporary_and_not_in_doubt)
{
	uint64_t size = BIG;
	struct fixture f;
	struct err e;

	set_up(&f, &size);
	server_closes(&f);
	CHECK_INT(wire_message(&f.w, &f.view, one, 1, &e), -1);
	CHECK_INT(f.finals, 0);
	CHECK(!f.w.final);
	CHECK_INT(err_exit(&e), 75);
	tear_down(&f);
}

TEST(thanks_before_the_end_are_none)
{
	uint64_t size = BIG;
	struct fixture f;
	struct err e;

	set_up(&f, &size);
	server_says(&f, "250 2.0.0 ok\r\n");
	CHECK_INT(wire_message(&f.w, &f.view, one, 1, &e), -1);
	CHECK_INT(f.finals, 0);
	CHECK_INT(e.kind, ERR_PROTOCOL);
	tear_down(&f);
}

TEST(final_is_told_before_the_dot)
{
	uint64_t size = 640;
	struct fixture f;
	struct err e;
	char in[1024];
	ssize_t got;

	set_up(&f, &size);
	CHECK_INT(wire_message(&f.w, &f.view, one, 1, &e), 0);
	CHECK_INT(f.finals, 1);
	got = read(f.server, in, sizeof in);
	/* Ten lines, a blank one before them, the dot. */
	CHECK_INT(got, 10 * 65 + 2 + 3);
	CHECK_MEM(in + got - 5, 5, "\r\n.\r\n", 5);
	server_says(&f, "250 ok\r\n");
	CHECK_INT(wire_reply(&f.w, &e), 0);
	CHECK_INT(f.waits, 1);
	tear_down(&f);
}

TEST(no_answer_is_temporary)
{
	uint64_t size = 64;
	struct fixture f;
	struct err e;

	set_up(&f, &size);
	f.w.timeout_max = 20;
	wire_deadline(&f.w, 600);
	CHECK_INT(wire_reply(&f.w, &e), -1);
	CHECK_STR(e.text, "timed out after 0.02 s");
	CHECK_INT(err_exit(&e), 75);
	tear_down(&f);
}

/* The words of a wait for a reply that does not come. */
static const char *
no_reply(struct fixture *f, struct err *e)
{
	wire_deadline(&f->w, 600);
	CHECK_INT(wire_reply(&f->w, e), -1);
	return e->text;
}

TEST(a_bound_counts_until_the_last_octets)
{
	uint64_t size = 64;
	struct waiter hurried = { .bound = wait_within(1, "try_time") };
	struct fixture f;
	struct err e;

	set_up(&f, &size);
	f.w.timeout_max = 20;
	f.w.hurried = f.io.waiter = &hurried;
	wire_begin(&f.w);
	CHECK_STR(no_reply(&f, &e), "not within try_time, 0.001 s");
	CHECK_INT(wire_message(&f.w, &f.view, one, 1, &e), 0);
	CHECK_STR(no_reply(&f, &e), "timed out after 0.02 s");
	wire_begin(&f.w);
	CHECK_STR(no_reply(&f, &e), "not within try_time, 0.001 s");
	tear_down(&f);
	CHECK(f.io.waiter == &hurried);
}

TEST_MAIN
