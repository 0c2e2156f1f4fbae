/*
 * serve: see serve.h. Octets go to smtp/server.c, its replies go back; what
 * they mean is taking.c's.
 * Callers: the sendmail face.
 * It waits in base/wait.c alone; no signal breaks off what is being queued.
 * RFC 5321 3.8, 4.5.3.2; RFC 2920 3.2 (replies may wait for one another).
 * Ownership: see serve.h.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/wait.h"
#include "cli/accounts.h"
#include "cli/machine.h"
#include "cli/peer.h"
#include "cli/report.h"
#include "cli/run.h"
#include "cli/serve.h"
#include "cli/taking.h"
#include "smtp/server.h"

/* How long a client may take for a step, or to read, ms, unless a setting says
 * so; and how long one that we leave has for our last words. */
#define PATIENCE (5 * 60 * 1000)
#define LAST_WORDS (2 * 1000)

/* Who says nothing for so long, ms, may be one who stays for days: what he
 * sent is not to wait for his end. */
#define PAUSE 1000

/* Octets of a message; the machine's queue takes twice as much. Recipients of
 * one: RFC 5321 4.5.3.1.8 wants 100. */
#define SIZE_LIMIT ((uint64_t)512 * 1024 * 1024)
#define RCPTS_LIMIT 10000

#define BLOCK 16384

/* How a dialogue came to its end. */
enum end {
	GOING_ON,
	OVER, /* the server says so */
	LEFT, /* the client is gone */
	SLOW, /* he is it */
	STOPPED, /* a signal */
	DEAF, /* errno: he cannot be written to */
	DUMB /* errno: or read */
};

/* ---- octets ---- */

static enum end
waited(int got, enum end error)
{
	return got == WAIT_STOPPED ? STOPPED
	    : got == WAIT_TIMEOUT  ? SLOW
	    : got == WAIT_ERROR    ? error
				   : GOING_ON;
}

/* As much as goes at once, without a wait: what is ready takes at least
 * PIPE_BUF octets (pipe(7)), and a socket says so. */
static ssize_t
write_some(const struct buf *b)
{
	size_t n = b->len < PIPE_BUF ? b->len : PIPE_BUF;
	ssize_t put;

	put = send(STDOUT_FILENO, b->data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return put == -1 && errno == ENOTSOCK ? write(STDOUT_FILENO, b->data, n)
					      : put;
}

/* Write all replies. */
static enum end
put_out(struct buf *out, const struct waiter *w, int64_t deadline)
{
	enum end end;
	ssize_t n;

	while (out->len > 0) {
		end =
		    waited(wait_fd(w, STDOUT_FILENO, POLLOUT, deadline), DEAF);
		if (end != GOING_ON)
			return end;
		n = write_some(out);
		if (n > 0)
			buf_consume(out, (size_t)n);
		else if (n == -1 && errno != EAGAIN && errno != EINTR)
			return DEAF;
	}
	return GOING_ON;
}

/* Some octets of the client. Behind the deadline there are none, even if he
 * has some whenever we look. */
static enum end
take_in(char block[BLOCK], size_t *n, const struct waiter *w, int64_t deadline)
{
	enum end end;
	ssize_t got;

	*n = 0;
	do {
		if (wait_now() >= deadline)
			return SLOW;
		end = waited(wait_fd(w, STDIN_FILENO, POLLIN, deadline), DUMB);
		if (end != GOING_ON)
			return end;
		got = read(STDIN_FILENO, block, BLOCK);
	} while (got == -1 && (errno == EAGAIN || errno == EINTR));
	if (got == -1)
		return errno == ECONNRESET || errno == ENOTCONN ? LEFT : DUMB;
	*n = (size_t)got;
	return got == 0 ? LEFT : GOING_ON;
}

/* A reply that does not wait for others (server_presses()) does not wait for
 * the client's ACK of those before it, either. */
static void
hurry(void)
{
	static const int on = 1;

	setsockopt(STDOUT_FILENO, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* True if both go the same way, which is the client's (inetd, 2>&1). */
static bool
is_client(const struct stat *err)
{
	struct stat out;

	return (S_ISSOCK(err->st_mode) || S_ISFIFO(err->st_mode)) &&
	    fstat(STDOUT_FILENO, &out) == 0 && out.st_dev == err->st_dev &&
	    out.st_ino == err->st_ino;
}

/*
 * Errors of ours must not stand between the replies: then they go nowhere. Nor
 * must they stop us, as callers that read replies for days do not read them:
 * of a pipe we take an end of our own, which loses what it has no room for.
 */
static void
part_errors(void)
{
	struct stat err;
	int fd = -1;

	if (fstat(STDERR_FILENO, &err) == -1)
		return;
	if (is_client(&err))
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	else if (S_ISFIFO(err.st_mode))
		fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return;
	dup2(fd, STDERR_FILENO);
	close(fd);
}

/* ---- the dialogue ---- */

struct talk {
	struct server *s; /* owned */
	struct taking *taking; /* borrowed: what s tells */
	const struct waiter *w; /* borrowed */
	int64_t patience; /* for each step of the client's, ms; -1: any */
};

static enum end
answer(const struct talk *t)
{
	return put_out(server_out(t->s), t->w, wait_until(t->patience));
}

/* All of a block, but a signal has its turn behind each command, also if
 * the client never pauses. */
static enum end
hand_over(const struct talk *t, const char *block, size_t n)
{
	enum end end = GOING_ON;
	size_t at = 0;

	while (at < n && end == GOING_ON && !server_over(t->s)) {
		at += server_feed(t->s, block + at, n - at);
		if (wait_look(t->w))
			end = STOPPED;
		else if (server_presses(t->s))
			end = answer(t);
	}
	return end;
}

/* What the client says next. What is due is tried if he pauses. */
static enum end
listen_on(const struct talk *t, char block[BLOCK], size_t *n, int64_t deadline)
{
	const int64_t pause = wait_until(PAUSE);
	enum end end;

	if (t->taking->due && pause < deadline) {
		end = take_in(block, n, t->w, pause);
		if (end != SLOW)
			return end;
		taking_run(t->taking);
	}
	return take_in(block, n, t->w, deadline);
}

/* Each step has its time, however often there is an octet: until the next
 * command is whole, or a block of the message (server_steps()). */
static enum end
converse(const struct talk *t)
{
	int64_t deadline = INT64_MAX;
	uint64_t steps = 0;
	char block[BLOCK];
	enum end end;
	size_t n;

	do {
		end = answer(t);
		if (end == GOING_ON && server_over(t->s))
			end = OVER;
		if (steps != server_steps(t->s))
			deadline = wait_until(t->patience);
		steps = server_steps(t->s);
		if (end == GOING_ON)
			end = listen_on(t, block, &n, deadline);
		if (end == GOING_ON)
			end = hand_over(t, block, n);
	} while (end == GOING_ON);
	return end;
}

/* ---- the end ---- */

static int
failed(enum err_kind kind, const char *what)
{
	struct err e;

	err_errno(&e, ERR_PERM, kind, errno, "%s", what);
	report_error(stderr, &e);
	return err_exit(&e);
}

/*
 * Say why we hang up. What he still writes is thrown away for a while, so that
 * he lives to read it: a pipe would end him, and a connection that is closed
 * with octets unread takes our words back.
 */
static void
let_go(struct server *s)
{
	const int64_t deadline = wait_until(LAST_WORDS);
	char block[BLOCK];
	size_t n;

	if (put_out(server_out(s), NULL, deadline) != GOING_ON)
		return;
	shutdown(STDOUT_FILENO, SHUT_WR);
	while (take_in(block, &n, NULL, deadline) == GOING_ON)
		;
}

/* The exit code: 421 is 75, whoever heard it. */
static int
finish(struct server *s, enum end end)
{
	const bool left = end == LEFT && server_unfinished(s);

	/* Who says QUIT need not wait for the answer. */
	if (end == DEAF && !(server_over(s) && !server_hung_up(s)))
		return failed(ERR_OUTPUT, "cannot write replies");
	if (end == DUMB)
		return failed(ERR_INPUT, "cannot read commands");
	if (left)
		report_warning(stderr,
		    "the input ended before a message was whole: it is not "
		    "queued");
	if (end == STOPPED && !server_over(s))
		server_stop(s, "4.3.2", "Going down; try again later");
	if (end == SLOW && !server_over(s))
		server_stop(s, "4.4.2", "Too slow; connect again");
	if (end == STOPPED || server_hung_up(s))
		let_go(s);
	return left || server_hung_up(s) ? EX_TEMPFAIL : 0;
}

static int
no_server(void)
{
	errno = ENOMEM;
	return failed(ERR_MACHINE, "cannot serve");
}

/* A mistake in the configuration is told at MAIL, where it is read anew. */
static int64_t
patience(const struct run_face *face, const struct options *o)
{
	struct accounts as;
	struct settings s;
	struct err e;
	int64_t ms = PATIENCE;

	if (accounts_open_named(&as, o, face->waiter, &e) == 0) {
		config_settings(&as.config, NULL, &s);
		if (s.at[SET_SERVE_TIMEOUT].text != NULL)
			ms = s.at[SET_SERVE_TIMEOUT].number;
	}
	accounts_free(&as);
	return ms == 0 ? -1 : ms;
}

int
serve_main(const struct run_face *face, const struct options *o)
{
	char name[MACHINE_NAME_MAX];
	struct taking t;
	struct server_ops ops = taking_ops(&t);
	struct server_config c = { .name = name,
		.ops = &ops,
		.size_max = SIZE_LIMIT,
		.rcpts_max = RCPTS_LIMIT };
	struct talk talk = {
		.taking = &t, .w = face->waiter, .patience = PATIENCE
	};
	struct peer peer;
	int code;

	face->on_deliver(face->ctx);
	part_errors();
	hurry();
	peer_look(&peer, STDIN_FILENO);
	if (peer.foreign)
		c.refuse = "Only programs of this machine are "
			   "served; connect to localhost";
	else
		talk.patience = patience(face, o);
	c.typed = isatty(STDIN_FILENO) == 1;
	machine_helo(name);
	if (name[0] == '\0')
		snprintf(name, sizeof name, "localhost");
	taking_init(&t, face, o, name, peer.who);
	talk.s = server_new(&c);
	code = talk.s == NULL ? no_server() : finish(talk.s, converse(&talk));
	server_free(talk.s);
	taking_run(&t);
	taking_free(&t);
	return code == 0 && peer.foreign ? EX_NOPERM : code;
}
