/*
 * command: see command.h. It is over when the child ended, since what that
 * left behind may hold its pipe open for hours.
 * Callers: net/credential.c, cli/config.c.
 * pipe(7).
 * Ownership: the child and its pipe live as long as one call.
 */
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/child.h"
#include "base/err.h"
#include "base/wait.h"
#include "net/command.h"

struct command {
	const char *what; /* borrowed */
	struct child child; /* owned */
	int out; /* owned: what it prints */
};

/* --- start --------------------------------------------------------------- */

/*
 * Who has a terminal may be asked something on it, and so must stay in the
 * group that may read it; Ctrl-C reaches all of them there. Elsewhere the
 * command gets a group, so that nothing of it is left when it is killed.
 */
static bool
has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (fd == -1)
		return false;
	close(fd);
	return true;
}

static int
command_start(
    struct command *c, const char *const argv[], const struct waiter *w)
{
	struct child_config config = { .argv = argv,
		.in = -1,
		.err = -1,
		.group = !has_terminal(),
		.waiter = w };
	int out[2], rc, num;

	if (pipe2(out, O_CLOEXEC) == -1)
		return -1;
	c->out = out[0];
	config.out = out[1];
	fcntl(c->out, F_SETFL, O_NONBLOCK);
	rc = child_start(&c->child, &config);
	num = errno;
	close(out[1]);
	if (rc == -1)
		close(out[0]);
	errno = num;
	return rc;
}

/* --- what it prints ------------------------------------------------------ */

/* One piece: its octets, 0 at the end and when there is none now, or -1. */
static ssize_t
take(const struct command *c, struct buf *out, struct err *e)
{
	char piece[1024];
	ssize_t n = read(c->out, piece, sizeof(piece));

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n == -1)
		return err_errno(
		    e, ERR_TEMP, ERR_MACHINE, errno, "%s: read", c->what);
	buf_add(out, piece, (size_t)n);
	explicit_bzero(piece, sizeof(piece));
	if (buf_ok(out))
		return n;
	if (buf_starved(out))
		return err_errno(
		    e, ERR_TEMP, ERR_MACHINE, ENOMEM, "%s: read", c->what);
	return err_set(e, ERR_PERM, ERR_CONFIG,
	    "%s: printed more than %zu octets", c->what, out->max);
}

static int
wait_failed(const struct command *c, int got, int64_t timeout,
    const struct waiter *w, struct err *e)
{
	struct err why;

	if (got == WAIT_STOPPED)
		return err_set(
		    e, ERR_TEMP, ERR_CONFIG, "%s: interrupted", c->what);
	if (got == WAIT_ERROR)
		return err_errno(
		    e, ERR_TEMP, ERR_MACHINE, errno, "%s: wait", c->what);
	if (wait_over(w)) {
		wait_over_err(w, &why);
		return err_set(
		    e, ERR_TEMP, ERR_CONFIG, "%s: %s", c->what, why.text);
	}
	return err_set(e, ERR_PERM, ERR_CONFIG, "%s: took longer than %g s",
	    c->what, (double)timeout / 1000);
}

/* Until it ended; a pipe that is closed earlier or later says nothing. */
static int
collect(const struct command *c, int64_t timeout, const struct waiter *w,
    struct buf *out, struct err *e)
{
	struct pollfd p[2] = { { .fd = c->out, .events = POLLIN },
		{ .fd = c->child.ended, .events = POLLIN } };
	int64_t deadline = wait_until(timeout);
	ssize_t n;
	int got;

	do {
		got = wait_fds(w, p, 2, deadline);
		if (got <= 0)
			return wait_failed(c, got, timeout, w, e);
		if (p[0].revents == 0)
			continue;
		n = take(c, out, e);
		if (n == -1)
			return -1;
		if (n == 0)
			p[0].fd = -1;
	} while (p[1].revents == 0);
	while ((n = take(c, out, e)) > 0)
		;
	return (int)n;
}

/* How it ended, in words. */
static int
judge(const struct command *c, const char *program, int status,
    const struct waiter *w, struct err *e)
{
	int num;

	if (wait_stopped(w))
		return wait_failed(c, WAIT_STOPPED, 0, w, e);
	num = child_trouble(&c->child);
	if (num != 0)
		return err_errno(e,
		    err_is_shortage(num) || num == EAGAIN ? ERR_TEMP : ERR_PERM,
		    ERR_CONFIG, num, "%s: cannot run %s", c->what, program);
	if (WIFSIGNALED(status))
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "%s: killed by signal %d", c->what, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(e, ERR_PERM, ERR_CONFIG, "%s: exit status %d",
		    c->what, WEXITSTATUS(status));
	return 0;
}

int
command_output(const char *what, const char *const argv[], int64_t timeout,
    const struct waiter *w, struct buf *out, struct err *e)
{
	struct command c = { .what = what };
	int got, status;

	if (command_start(&c, argv, w) == -1)
		return err_errno(
		    e, ERR_TEMP, ERR_MACHINE, errno, "%s: cannot start", what);
	got = collect(&c, timeout, w, out, e);
	if (got == -1)
		child_kill(&c.child);
	status = child_reap(&c.child);
	if (got == 0)
		got = judge(&c, argv[0], status, w, e);
	child_close(&c.child);
	close(c.out);
	return got;
}

int
command_shell(const char *what, const char *line, int64_t timeout,
    const struct waiter *w, struct buf *out, struct err *e)
{
	const char *const argv[] = { "/bin/sh", "-c", line, NULL };

	return command_output(what, argv, timeout, w, out, e);
}
