/*
 * io: reading, writing and deadlines over socket pairs and loopback TCP.
 * The other side is played by the same thread: nothing here waits for it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "net/io.h"
#include "test.h"

/* A pair: [0] is in `io`, [1] is the peer's. */
struct pair {
	struct io io;
	int peer;
};

static void
pair_open(struct pair *p, const struct waiter *w)
{
	int fds[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	io_init(&p->io, fds[0], w);
	p->peer = fds[1];
}

static void
pair_close(struct pair *p)
{
	io_free(&p->io);
	close(p->peer);
}

/* A connected TCP pair on loopback. */
static void
tcp_open(struct pair *p)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(sin);
	int l = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK_INT(bind(l, (struct sockaddr *)&sin, len), 0);
	CHECK_INT(listen(l, 1), 0);
	CHECK_INT(getsockname(l, (struct sockaddr *)&sin, &len), 0);
	CHECK_INT(connect(fd, (struct sockaddr *)&sin, len), 0);
	p->peer = accept(l, NULL, NULL);
	close(l);
	io_init(&p->io, fd, NULL);
}

TEST(reads_what_came_then_the_end)
{
	struct pair p;
	struct err e;

	pair_open(&p, NULL);
	CHECK(!io_readable(&p.io));
	CHECK_INT(write(p.peer, "250 ok\r\n", 8), 8);
	CHECK(io_readable(&p.io));
	CHECK_INT(io_fill(&p.io, &e), 8);
	CHECK_STR(buf_str(&p.io.in), "250 ok\r\n");
	CHECK_INT(write(p.peer, "221", 3), 3);
	CHECK_INT(shutdown(p.peer, SHUT_WR), 0);
	CHECK_INT(io_fill(&p.io, &e), 3);
	CHECK_INT(io_fill(&p.io, &e), 0);
	CHECK_STR(e.text, "connection closed");
	CHECK_INT(e.verdict, ERR_TEMP);
	CHECK_INT(e.kind, ERR_CONNECT);
	CHECK(p.io.eof);
	CHECK_INT(io_fill(&p.io, &e), 0);
	CHECK_STR(buf_str(&p.io.in), "250 ok\r\n221");
	pair_close(&p);
}

/* A server that refuses and resets: its words were there before. */
TEST(a_reset_ends_the_stream_behind_what_came)
{
	struct linger hard = { 1, 0 };
	struct pair p;
	struct err e;

	tcp_open(&p);
	CHECK_INT(write(p.peer, "554 no\r\n", 8), 8);
	setsockopt(p.peer, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(p.peer);
	p.peer = -1;
	CHECK_INT(io_fill(&p.io, &e), 8);
	CHECK_STR(buf_str(&p.io.in), "554 no\r\n");
	CHECK_INT(io_fill(&p.io, &e), 0);
	CHECK(strstr(e.text, "connection lost: ") == e.text);
	CHECK(p.io.eof);
	io_free(&p.io);
}

TEST(a_write_to_a_lost_connection_leaves_the_reply)
{
	struct pair p;
	struct err e;
	size_t done;

	pair_open(&p, NULL);
	CHECK_INT(write(p.peer, "421 bye\r\n", 9), 9);
	close(p.peer);
	p.peer = -1;
	CHECK_INT(io_write(&p.io, "NOOP\r\n", 6, false, &done, &e), IO_FAILED);
	CHECK_INT(done, 0);
	CHECK_INT(e.verdict, ERR_TEMP);
	CHECK_INT(e.kind, ERR_CONNECT);
	CHECK_INT(io_fill(&p.io, &e), 9);
	CHECK_STR(buf_str(&p.io.in), "421 bye\r\n");
	CHECK_INT(io_fill(&p.io, &e), 0);
	io_free(&p.io);
}

TEST(the_deadline_ends_a_wait)
{
	struct pair p;
	struct err e;

	pair_open(&p, NULL);
	io_deadline(&p.io, 20);
	CHECK_INT(io_fill(&p.io, &e), -1);
	CHECK_STR(e.text, "timed out after 0.02 s");
	CHECK_INT(e.verdict, ERR_TEMP);
	CHECK_INT(e.kind, ERR_CONNECT);
	CHECK(!p.io.eof);
	/* A new deadline, and the connection is as good as before. */
	io_deadline(&p.io, 60 * 1000);
	CHECK_INT(write(p.peer, "x", 1), 1);
	CHECK_INT(io_fill(&p.io, &e), 1);
	pair_close(&p);
}

/* Octets that drip in do not push the deadline on. */
TEST(the_deadline_covers_the_whole_step)
{
	struct pair p;
	struct err e;
	int64_t start = wait_now();
	int i, got = 1;

	pair_open(&p, NULL);
	io_deadline(&p.io, 30);
	for (i = 0; i < 10000 && got == 1; i++) {
		if (i < 3)
			CHECK_INT(write(p.peer, "x", 1), 1);
		got = io_fill(&p.io, &e);
	}
	CHECK_INT(i, 4);
	CHECK_INT(got, -1);
	CHECK(wait_now() - start >= 30);
	pair_close(&p);
}

TEST(a_stop_ends_a_wait)
{
	volatile sig_atomic_t stop = 1;
	struct waiter w = { .stop = &stop };
	struct pair p;
	struct err e;

	sigemptyset(&w.mask);
	pair_open(&p, &w);
	CHECK_INT(io_fill(&p.io, &e), -1);
	CHECK_STR(e.text, "interrupted");
	CHECK_INT(e.verdict, ERR_TEMP);
	pair_close(&p);
}

#define BIG (4 * 1024 * 1024)

/* Nobody reads: the socket fills up, the deadline strikes. */
TEST(a_write_that_blocks_times_out)
{
	char *big = calloc(1, BIG);
	struct pair p;
	struct err e;
	size_t done;

	pair_open(&p, NULL);
	io_deadline(&p.io, 20);
	CHECK_INT(io_write(&p.io, big, BIG, false, &done, &e), IO_FAILED);
	CHECK(done > 0 && done < BIG);
	CHECK_STR(e.text, "timed out after 0.02 s");
	pair_close(&p);
	free(big);
}

/* The server answers in the middle of the data and reads no more. */
TEST(a_listening_write_hears_an_early_reply)
{
	char *big = calloc(1, BIG);
	struct pair p;
	struct err e;
	size_t done;

	pair_open(&p, NULL);
	io_deadline(&p.io, 60 * 1000);
	CHECK_INT(write(p.peer, "552 big\r\n", 9), 9);
	CHECK_INT(io_write(&p.io, big, BIG, true, &done, &e), IO_ANSWERED);
	CHECK(done > 0 && done < BIG);
	CHECK_STR(buf_str(&p.io.in), "552 big\r\n");
	pair_close(&p);
	free(big);
}

/* The other side ends its half: no answer, and the deadline still holds. */
TEST(a_listening_write_outlives_a_half_close)
{
	char *big = calloc(1, BIG);
	struct pair p;
	struct err e;
	size_t done;

	tcp_open(&p);
	io_deadline(&p.io, 30);
	CHECK_INT(shutdown(p.peer, SHUT_WR), 0);
	CHECK_INT(io_write(&p.io, big, BIG, true, &done, &e), IO_FAILED);
	CHECK_STR(e.text, "timed out after 0.03 s");
	CHECK(p.io.eof);
	pair_close(&p);
	free(big);
}

TEST(a_flood_is_refused)
{
	char *big = calloc(1, BIG);
	struct pair p;
	struct err e;
	ssize_t put;
	int got;

	pair_open(&p, NULL);
	for (;;) {
		put = send(p.peer, big, BIG, MSG_DONTWAIT);
		CHECK(put > 0 || errno == EAGAIN);
		got = io_fill(&p.io, &e);
		if (got <= 0 || p.io.in.len > IO_INPUT_MAX)
			break;
	}
	CHECK_INT(got, -1);
	CHECK(p.io.in.len <= IO_INPUT_MAX);
	CHECK_INT(e.kind, ERR_PROTOCOL);
	CHECK_INT(e.verdict, ERR_TEMP);
	pair_close(&p);
	free(big);
}

TEST(an_abort_is_a_reset)
{
	struct pair p;
	char c;

	tcp_open(&p);
	io_abort(&p.io);
	CHECK_INT(read(p.peer, &c, 1), -1);
	CHECK_INT(errno, ECONNRESET);
	pair_close(&p);
}

TEST(our_own_literal)
{
	char out[IO_LITERAL_MAX];
	struct pair p;

	tcp_open(&p);
	CHECK_STR(io_literal(&p.io, out), "[127.0.0.1]");
	pair_close(&p);
	pair_open(&p, NULL);
	CHECK_STR(io_literal(&p.io, out), "[127.0.0.1]");
	pair_close(&p);
}

TEST(our_own_literal_ipv6)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	char out[IO_LITERAL_MAX];
	struct io io;
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	if (fd == -1 ||
	    bind(fd, (struct sockaddr *)&sin6, sizeof(sin6)) == -1) {
		printf("# no IPv6 here\n");
		if (fd != -1)
			close(fd);
		return;
	}
	io_init(&io, fd, NULL);
	CHECK_STR(io_literal(&io, out), "[IPv6:::1]");
	io_free(&io);
}

TEST_MAIN
