/*
 * prompt: see prompt.h. The line is edited by the terminal itself; the keys
 * that would stop or kill us without a chance to mend it are off meanwhile.
 * Callers: net/credential.c, by callback.
 * termios(3), tty(4).
 * Ownership: the terminal is opened and closed in one call.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/wait.h"
#include "cli/prompt.h"
#include "net/credential.h"

struct prompt {
	int tty;
	const struct waiter *waiter;
	int64_t deadline;
	struct termios before;
	struct err *e;
};

static int
prompt_wait(const struct prompt *p, short events)
{
	switch (wait_fd(p->waiter, p->tty, events, p->deadline)) {
	case WAIT_STOPPED:
		return err_set(p->e, ERR_TEMP, ERR_AUTH,
		    "interrupted while asking for the password");
	case WAIT_TIMEOUT:
		if (wait_over(p->waiter))
			return wait_over_err(p->waiter, p->e);
		return err_set(p->e, ERR_PERM, ERR_AUTH,
		    "nobody gave the password within %d s",
		    CREDENTIAL_TIMEOUT / 1000);
	case WAIT_ERROR:
		return err_errno(
		    p->e, ERR_TEMP, ERR_MACHINE, errno, "/dev/tty: wait");
	default:
		return 0;
	}
}

static int
prompt_write(const struct prompt *p, const char *s)
{
	size_t n = strlen(s);
	ssize_t got;

	while (n > 0) {
		if (prompt_wait(p, POLLOUT) == -1)
			return -1;
		got = write(p->tty, s, n);
		if (got == -1 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got == -1)
			return err_errno(
			    p->e, ERR_PERM, ERR_AUTH, errno, "/dev/tty: write");
		s += got;
		n -= (size_t)got;
	}
	return 0;
}

/* One read: 1 the line is whole, 0 there is more of it, -1. */
static int
prompt_piece(const struct prompt *p, struct buf *out)
{
	char piece[512];
	ssize_t n = read(p->tty, piece, sizeof(piece));
	size_t len;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n == -1)
		return err_errno(
		    p->e, ERR_PERM, ERR_AUTH, errno, "/dev/tty: read");
	if (n == 0)
		return err_set(
		    p->e, ERR_PERM, ERR_AUTH, "no password was typed");
	len = (size_t)n;
	if (piece[len - 1] == '\n')
		len--;
	buf_add(out, piece, len);
	explicit_bzero(piece, sizeof(piece));
	if (!buf_ok(out))
		return err_set(p->e, ERR_PERM, ERR_AUTH,
		    "the password is longer than %zu octets", out->max);
	return len < (size_t)n;
}

static int
prompt_line(const struct prompt *p, struct buf *out)
{
	int got;

	do {
		if (prompt_wait(p, POLLIN) == -1)
			return -1;
		got = prompt_piece(p, out);
	} while (got == 0);
	return got == 1 ? 0 : -1;
}

/* Ctrl-C stays: it sets the waiter's flag. */
static int
echo_off(struct prompt *p)
{
	struct termios quiet;

	if (tcgetattr(p->tty, &p->before) == -1)
		return -1;
	quiet = p->before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	quiet.c_lflag |= ICANON | ISIG;
	quiet.c_cc[VSUSP] = _POSIX_VDISABLE;
	quiet.c_cc[VQUIT] = _POSIX_VDISABLE;
	return tcsetattr(p->tty, TCSANOW, &quiet);
}

/* What is half typed must not become a command of the shell. */
static void
echo_restore(const struct prompt *p)
{
	tcflush(p->tty, TCIFLUSH);
	tcsetattr(p->tty, TCSANOW, &p->before);
	(void)!write(p->tty, "\n", 1);
}

/* In the background tcsetattr(3) would stop us, with nobody to notice. */
static int
prompt_open(struct prompt *p)
{
	p->tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (p->tty != -1 && tcgetpgrp(p->tty) == getpgrp())
		return 0;
	if (p->tty != -1)
		close(p->tty);
	return err_set(p->e, ERR_PERM, ERR_AUTH,
	    "no password, and no terminal to ask on: set passwordeval or "
	    "passwordfile");
}

int
prompt_secret(void *ctx, const char *question, struct buf *out, struct err *e)
{
	struct prompt p = { .waiter = ctx,
		.deadline = wait_until(CREDENTIAL_TIMEOUT),
		.e = e };
	int got = -1;

	if (prompt_open(&p) == -1)
		return -1;
	if (echo_off(&p) == -1)
		err_errno(e, ERR_PERM, ERR_AUTH, errno, "/dev/tty: no echo");
	else {
		if (prompt_write(&p, question) == 0)
			got = prompt_line(&p, out);
		echo_restore(&p);
	}
	close(p.tty);
	return got;
}
