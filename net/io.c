/*
 * io: see io.h. The plain socket ops and what is the same for all ops:
 * deadlines, the input buffer, and listening while writing.
 * One reply costs one ppoll and one recv; a write that the socket takes
 * costs one send.
 * RFC 5321 4.2.5 and 3.8: a reply may come before we have said all.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "net/dial.h"
#include "net/io.h"

/* Octets asked for at a time; replies are short. */
#define IO_READ 4096

/*
 * The plain ops. MSG_DONTWAIT: no call blocks, whatever the descriptor's
 * flags are. MSG_NOSIGNAL: a lost connection is an error, no SIGPIPE.
 */
static ssize_t
plain_read(struct io *io, void *p, size_t n, short *events)
{
	*events = POLLIN;
	return recv(io->fd, p, n, MSG_DONTWAIT);
}

static ssize_t
plain_write(struct io *io, const void *p, size_t n, short *events)
{
	*events = POLLOUT;
	return send(io->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
io_close_socket(struct io *io)
{
	if (io->fd != -1)
		close(io->fd);
	io->fd = -1;
}

static const struct io_ops plain_ops = {
	.read = plain_read,
	.write = plain_write,
	.close = io_close_socket,
};

void
io_init(struct io *io, int fd, const struct waiter *w)
{
	*io = (struct io){
		.fd = fd,
		.ops = &plain_ops,
		.waiter = w,
		.deadline = INT64_MAX,
	};
	buf_init(&io->in, IO_INPUT_MAX);
}

void
io_free(struct io *io)
{
	if (io == NULL)
		return;
	if (io->ops != NULL)
		io->ops->close(io);
	buf_free(&io->in);
}

void
io_deadline(struct io *io, int64_t ms)
{
	io->limit = ms;
	io->deadline = wait_until(ms);
}

/* A wait that ended without an event, as an error. */
static int
io_wait_failed(const struct io *io, int result, struct err *e)
{
	switch (result) {
	case WAIT_TIMEOUT:
		if (wait_over(io->waiter))
			return wait_over_err(io->waiter, e);
		return err_set(e, ERR_TEMP, ERR_CONNECT, "timed out after %g s",
		    (double)io->limit / 1000);
	case WAIT_STOPPED:
		return err_set(e, ERR_TEMP, ERR_CONNECT, "interrupted");
	default:
		return err_errno(
		    e, ERR_TEMP, ERR_MACHINE, errno, "wait for the connection");
	}
}

static int
io_lost(const struct io *io, int num, struct err *e)
{
	if (io->why != NULL)
		return err_set(
		    e, ERR_TEMP, ERR_CONNECT, "connection lost: %s", io->why);
	return err_errno(e, ERR_TEMP, ERR_CONNECT, num, "connection lost");
}

/*
 * One read without waiting: octets, 0 at the end, -1 with *e, and
 * IO_WOULD_WAIT with the events to wait for. A reset ends the stream as an
 * end does: what came before it is already in io->in.
 */
#define IO_WOULD_WAIT (-2)

static ssize_t
io_read(struct io *io, short *events, struct err *e)
{
	char *to;
	ssize_t got;

	if (io->in.max - io->in.len < IO_READ)
		return err_set(e, ERR_TEMP, ERR_PROTOCOL,
		    "more than %d octets came unasked", IO_INPUT_MAX);
	to = buf_room(&io->in, IO_READ);
	if (to == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "out of memory");
	got = io->ops->read(io, to, IO_READ, events);
	if (got > 0) {
		buf_grew(&io->in, (size_t)got);
		return got;
	}
	if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return IO_WOULD_WAIT;
	if (got == -1 && errno != ECONNRESET && errno != EPIPE)
		return io_lost(io, errno, e);
	if (got == 0)
		err_set(e, ERR_TEMP, ERR_CONNECT, "connection closed");
	else
		io_lost(io, errno, e);
	io->eof = true;
	return 0;
}

static bool
io_pending(struct io *io)
{
	return io->ops->pending != NULL && io->ops->pending(io);
}

int
io_fill(struct io *io, struct err *e)
{
	short events = POLLIN;
	ssize_t got = IO_WOULD_WAIT;
	int ready;

	if (io->eof) {
		err_set(e, ERR_TEMP, ERR_CONNECT, "connection closed");
		return 0;
	}
	if (io_pending(io))
		got = io_read(io, &events, e);
	while (got == IO_WOULD_WAIT) {
		ready = wait_fd(io->waiter, io->fd, events, io->deadline);
		if (ready <= 0)
			return io_wait_failed(io, ready, e);
		got = io_read(io, &events, e);
	}
	return (int)got;
}

bool
io_readable(struct io *io)
{
	if (io->in.len > 0 || io->eof || io_pending(io))
		return true;
	return wait_fd(NULL, io->fd, POLLIN, 0) > 0;
}

/*
 * Wait until the socket takes more, or, when listening, until octets came:
 * IO_WRITTEN (go on), IO_ANSWERED or IO_FAILED. The end of the stream alone
 * is no answer: the other side may have closed only its own half.
 */
static enum io_written
io_write_wait(struct io *io, short events, bool listen, struct err *e)
{
	short unused;
	ssize_t got;
	int ready;

	listen = listen && !io->eof && io->in.max - io->in.len >= IO_READ;
	if (listen)
		events |= POLLIN;
	ready = wait_fd(io->waiter, io->fd, events, io->deadline);
	if (ready <= 0)
		return io_wait_failed(io, ready, e);
	if (!listen || (ready & POLLIN) == 0)
		return IO_WRITTEN;
	got = io_read(io, &unused, e);
	if (got == -1)
		return IO_FAILED;
	return got > 0 ? IO_ANSWERED : IO_WRITTEN;
}

enum io_written
io_write(struct io *io, const void *p, size_t n, bool listen, size_t *done,
    struct err *e)
{
	const char *s = p;
	enum io_written r;
	short events;
	ssize_t put;

	*done = 0;
	while (*done < n) {
		put = io->ops->write(io, s + *done, n - *done, &events);
		if (put == -1 && errno != EAGAIN && errno != EWOULDBLOCK)
			return io_lost(io, errno, e);
		if (put > 0)
			*done += (size_t)put;
		if (*done == n)
			break;
		/* A short write filled the socket: another would not go. */
		r = io_write_wait(io, events, listen, e);
		if (r != IO_WRITTEN)
			return r;
	}
	return IO_WRITTEN;
}

void
io_abort(struct io *io)
{
	static const struct linger hard = { .l_onoff = 1, .l_linger = 0 };

	if (io->fd == -1)
		return;
	setsockopt(io->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(io->fd);
	io->fd = -1;
	io->eof = true;
}

char *
io_literal(const struct io *io, char out[IO_LITERAL_MAX])
{
	struct endpoint our = { .len = sizeof(our.u) };
	char ip[INET6_ADDRSTRLEN] = "127.0.0.1";
	int family;

	if (getsockname(io->fd, &our.u.sa, &our.len) == -1)
		our.u.sa.sa_family = AF_UNSPEC;
	family = our.u.sa.sa_family;
	if (family == AF_INET)
		inet_ntop(AF_INET, &our.u.in.sin_addr, ip, sizeof(ip));
	else if (family == AF_INET6)
		inet_ntop(AF_INET6, &our.u.in6.sin6_addr, ip, sizeof(ip));
	snprintf(out, IO_LITERAL_MAX, "[%s%s]",
	    family == AF_INET6 ? "IPv6:" : "", ip);
	return out;
}
