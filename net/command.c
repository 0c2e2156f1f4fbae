/*
 * command: see command.h. fork(2) and execvp(3), one pipe for what it prints
 * and one for why it could not be run; its end is heard by a pidfd, since
 * what it left behind may hold its pipe open for hours.
 * Callers: net/credential.c, cli/config.c.
 * pidfd_open(2), closefrom(3).
 * Ownership: the child, its pipes and its pidfd live as long as one call.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/wait.h"
#include "net/command.h"

/* From a polite end to a hard one: time to give a terminal back. */
#define GRACE_MS 500

struct child {
	const char *what; /* borrowed */
	pid_t pid;
	bool group; /* it leads a process group of its own */
	int out; /* what it prints */
	int trouble; /* errno, if it could not be run */
	int ended; /* pidfd */
	struct sigaction sigchld; /* ours before */
	sigset_t mask; /* ours before */
};

/* --- in the child -------------------------------------------------------- */

/*
 * As our own caller left them: what we catch is not caught, what we ignore
 * for ourselves is not ignored. What it had us ignore (nohup) stays ignored.
 */
static void
signals_reset(void)
{
	const struct sigaction normal = { .sa_handler = SIG_DFL };
	struct sigaction now;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		if (sigaction(sig, NULL, &now) == 0 &&
		    (now.sa_handler != SIG_IGN || sig == SIGPIPE))
			sigaction(sig, &normal, NULL);
}

/* 0 nothing, 1 the pipe, 2 ours, 3 the trouble: it ends with execvp(3). */
static int
descriptors_set(int out, int trouble)
{
	int null;

	if (dup2(out, STDOUT_FILENO) == -1)
		return -1;
	if (trouble != 3 && dup3(trouble, 3, O_CLOEXEC) == -1)
		return -1;
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null == -1 || dup2(null, STDIN_FILENO) == -1)
		return -1;
	closefrom(4);
	return 0;
}

/* The mask is the one of waiting: the only one in which we hear signals. */
static void
become(const struct child *c, const char *const argv[], const sigset_t *mask,
    int out, int trouble)
{
	union {
		const char *const *given;
		char *const *wanted;
	} args = { .given = argv };
	int num;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (c->group)
		setpgid(0, 0);
	signals_reset();
	if (descriptors_set(out, trouble) == 0) {
		sigprocmask(SIG_SETMASK, mask, NULL);
		execvp(argv[0], args.wanted);
		trouble = 3;
	}
	num = errno;
	(void)!write(trouble, &num, sizeof(num));
	_exit(127);
}

/* --- start and end ------------------------------------------------------- */

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

/* An ignored SIGCHLD would take the exit status from us. */
static void
signals_hold(struct child *c)
{
	const struct sigaction normal = { .sa_handler = SIG_DFL };
	sigset_t all;

	sigaction(SIGCHLD, &normal, &c->sigchld);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &c->mask);
}

static void
child_close(struct child *c)
{
	if (c->out != -1)
		close(c->out);
	if (c->trouble != -1)
		close(c->trouble);
	if (c->ended != -1)
		close(c->ended);
	sigaction(SIGCHLD, &c->sigchld, NULL);
}

static void
child_signal(const struct child *c, int sig)
{
	kill(c->group ? -c->pid : c->pid, sig);
}

/* The group is killed even if its leader ended: its number is still taken. */
static void
child_kill(const struct child *c)
{
	child_signal(c, SIGTERM);
	if (c->ended != -1)
		wait_fd(NULL, c->ended, POLLIN, wait_until(GRACE_MS));
	child_signal(c, SIGKILL);
}

static int
child_reap(const struct child *c)
{
	int status = 0;
	pid_t got;

	do
		got = waitpid(c->pid, &status, 0);
	while (got == -1 && errno == EINTR);
	return status;
}

static int
child_fork(struct child *c, const char *const argv[], const struct waiter *w,
    const int out[2], const int trouble[2])
{
	int num;

	signals_hold(c);
	c->pid = fork();
	if (c->pid == 0)
		become(c, argv, w != NULL ? &w->mask : &c->mask, out[1],
		    trouble[1]);
	num = errno;
	sigprocmask(SIG_SETMASK, &c->mask, NULL);
	if (c->pid == -1) {
		errno = num;
		return -1;
	}
	if (c->group)
		setpgid(c->pid, c->pid);
	c->ended = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (c->ended != -1)
		return 0;
	num = errno;
	child_signal(c, SIGKILL);
	child_reap(c);
	errno = num;
	return -1;
}

static int
child_start(struct child *c, const char *const argv[], const struct waiter *w)
{
	int out[2], trouble[2] = { -1, -1 }, got = -1, num;

	sigaction(SIGCHLD, NULL, &c->sigchld);
	if (pipe2(out, O_CLOEXEC) == -1)
		return -1;
	c->out = out[0];
	if (pipe2(trouble, O_CLOEXEC) == 0) {
		c->trouble = trouble[0];
		fcntl(c->out, F_SETFL, O_NONBLOCK);
		fcntl(c->trouble, F_SETFL, O_NONBLOCK);
		got = child_fork(c, argv, w, out, trouble);
	}
	num = errno;
	close(out[1]);
	if (trouble[1] != -1)
		close(trouble[1]);
	errno = num;
	return got;
}

/* --- what it prints ------------------------------------------------------ */

/* One piece: its octets, 0 at the end and when there is none now, or -1. */
static ssize_t
take(const struct child *c, struct buf *out, struct err *e)
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
	return err_set(e, ERR_PERM, ERR_CONFIG,
	    "%s: printed more than %zu octets", c->what, out->max);
}

static int
wait_failed(const struct child *c, int got, int64_t timeout, struct err *e)
{
	if (got == WAIT_STOPPED)
		return err_set(
		    e, ERR_TEMP, ERR_CONFIG, "%s: interrupted", c->what);
	if (got == WAIT_ERROR)
		return err_errno(
		    e, ERR_TEMP, ERR_MACHINE, errno, "%s: wait", c->what);
	return err_set(e, ERR_PERM, ERR_CONFIG, "%s: took longer than %g s",
	    c->what, (double)timeout / 1000);
}

/* Until it ended; a pipe that is closed earlier or later says nothing. */
static int
collect(const struct child *c, int64_t timeout, const struct waiter *w,
    struct buf *out, struct err *e)
{
	struct pollfd p[2] = { { .fd = c->out, .events = POLLIN },
		{ .fd = c->ended, .events = POLLIN } };
	int64_t deadline = wait_until(timeout);
	ssize_t n;
	int got;

	do {
		got = wait_fds(w, p, 2, deadline);
		if (got <= 0)
			return wait_failed(c, got, timeout, e);
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
judge(const struct child *c, const char *program, int status,
    const struct waiter *w, struct err *e)
{
	int num;

	if (wait_stopped(w))
		return wait_failed(c, WAIT_STOPPED, 0, e);
	if (read(c->trouble, &num, sizeof(num)) == (ssize_t)sizeof(num))
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
	struct child c = { .what = what,
		.group = !has_terminal(),
		.out = -1,
		.trouble = -1,
		.ended = -1 };
	int got, status;

	if (child_start(&c, argv, w) == -1) {
		err_errno(
		    e, ERR_TEMP, ERR_MACHINE, errno, "%s: cannot start", what);
		child_close(&c);
		return -1;
	}
	got = collect(&c, timeout, w, out, e);
	if (got == -1)
		child_kill(&c);
	status = child_reap(&c);
	if (got == 0)
		got = judge(&c, argv[0], status, w, e);
	child_close(&c);
	return got;
}

int
command_shell(const char *what, const char *line, int64_t timeout,
    const struct waiter *w, struct buf *out, struct err *e)
{
	const char *const argv[] = { "/bin/sh", "-c", line, NULL };

	return command_output(what, argv, timeout, w, out, e);
}
