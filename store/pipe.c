/*
 * pipe: see pipe.h. One loop writes what the program takes and reads what it
 * prints, so that neither can stop the other; of the latter a line is kept.
 * Callers: see pipe.h. It waits by base/wait.c alone.
 * pipe(7), sysexits.h(3head), RFC 3463.
 * Ownership: see pipe.h.
 */
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/child.h"
#include "base/err.h"
#include "base/wait.h"
#include "store/pipe.h"
#include "store/text.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* As much of what it prints is looked at, for a first line. */
#define WORDS_MAX 1024

struct program {
	const struct pipe_config *c; /* borrowed */
	struct child child; /* owned */
	int in; /* owned: its standard input; -1: closed */
	int out; /* owned: what it prints; -1: closed */
	struct text text; /* owned: reads the message */
	struct buf block; /* owned: what was read of it, */
	size_t at; /* and is written up to here */
	bool whole; /* all of the message was read */
	char words[WORDS_MAX]; /* the begin of what the program printed: */
	size_t n; /* so many octets */
};

static void
shut(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* ---- to it ---- */

/* The block that is written next: 1, 0 at the end, -1 with *e. */
static int
refill(struct program *p, struct err *e)
{
	int more;

	buf_reset(&p->block);
	p->at = 0;
	while (p->block.len == 0 && !p->whole) {
		more = text_more(&p->text, &p->block, e);
		if (more == -1)
			return -1;
		p->whole = more == 0;
	}
	return p->block.len > 0;
}

/* Write as much of the message as the program takes now. Once it has all, or
 * has closed its standard input, so do we. 0, or -1 with *e. */
static int
feed(struct program *p, struct err *e)
{
	ssize_t put;
	int more = p->at < p->block.len ? 1 : refill(p, e);

	if (more == -1)
		return -1;
	if (more == 1) {
		put = write(p->in, p->block.data + p->at, p->block.len - p->at);
		if (put >= 0) {
			p->at += (size_t)put;
			return 0;
		}
		if (errno == EAGAIN || errno == EINTR)
			return 0;
		if (errno != EPIPE)
			return err_errno(e, ERR_TEMP, ERR_MACHINE, errno,
			    "cannot write to %s", p->c->argv[0]);
	}
	shut(&p->in);
	return 0;
}

/* ---- from it ---- */

/* Read a piece of what the program prints, and keep what there is room for:
 * octets read, 0 if there are none now, -1 at the end. */
static ssize_t
hear(struct program *p)
{
	char piece[4096];
	ssize_t got = read(p->out, piece, sizeof piece);
	size_t n;

	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0)
		return -1;
	n = sizeof p->words - p->n;
	if (n > (size_t)got)
		n = (size_t)got;
	memcpy(p->words + p->n, piece, n);
	p->n += n;
	return got;
}

/* The program has ended: read what is in the pipe, but do not wait for its end,
 * since a process that it left behind may hold it open. */
static void
hear_last(struct program *p)
{
	while (p->out != -1 && p->n < sizeof p->words && hear(p) > 0)
		;
}

/* The first line that has anything in it; its length. */
static int
first_line(const struct program *p, const char **line)
{
	size_t at = 0, n;

	while (at < p->n &&
	    (p->words[at] == '\n' || p->words[at] == ' ' ||
		p->words[at] == '\r' || p->words[at] == '\t'))
		at++;
	for (n = 0; at + n < p->n && p->words[at + n] != '\n' &&
	     p->words[at + n] != '\r' && p->words[at + n] != '\0';
	     n++)
		;
	*line = p->words + at;
	return (int)n;
}

/* ---- the run ---- */

static int
wait_failed(const struct program *p, int got, struct err *e)
{
	if (got == WAIT_STOPPED)
		return err_set(e, ERR_TEMP, ERR_MACHINE,
		    "interrupted while %s ran", p->c->argv[0]);
	if (got == WAIT_ERROR)
		return err_errno(e, ERR_TEMP, ERR_MACHINE, errno,
		    "cannot wait for %s", p->c->argv[0]);
	err_set(e, ERR_TEMP, ERR_MACHINE, "%s took longer than %g s",
	    p->c->argv[0], (double)p->c->timeout / 1000);
	e->enhanced = (struct enhanced){ 4, 3, 0 };
	return -1;
}

/* Write to the program and read from it until it ends: 0, or -1 with *e. */
static int
converse(struct program *p, struct err *e)
{
	const int64_t deadline = wait_until(p->c->timeout);
	struct pollfd fds[3];
	int got;

	do {
		fds[0] =
		    (struct pollfd){ .fd = p->child.ended, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = p->out, .events = POLLIN };
		fds[2] = (struct pollfd){ .fd = p->in, .events = POLLOUT };
		got = wait_fds(p->c->waiter, fds, COUNT(fds), deadline);
		if (got <= 0)
			return wait_failed(p, got, e);
		if (fds[1].revents != 0 && hear(p) == -1)
			shut(&p->out);
		if (fds[2].revents != 0 && feed(p, e) == -1)
			return -1;
	} while (fds[0].revents == 0);
	hear_last(p);
	return 0;
}

/* ---- its word ---- */

static const struct {
	int status;
	enum err_verdict verdict;
	enum err_kind kind;
	struct enhanced enhanced;
	const char *means;
} rows[] = {
	{ EX_USAGE, ERR_PERM, ERR_CONFIG, { 5, 3, 0 }, "usage" },
	{ EX_DATAERR, ERR_PERM, ERR_REPLY, { 5, 6, 0 }, "data error" },
	{ EX_NOINPUT, ERR_PERM, ERR_REPLY, { 5, 3, 0 }, "no input" },
	{ EX_NOUSER, ERR_PERM, ERR_REPLY, { 5, 1, 1 }, "user unknown" },
	{ EX_NOHOST, ERR_PERM, ERR_REPLY, { 5, 1, 2 }, "host unknown" },
	{ EX_UNAVAILABLE, ERR_PERM, ERR_REPLY, { 5, 3, 0 }, "unavailable" },
	{ EX_SOFTWARE, ERR_PERM, ERR_REPLY, { 5, 3, 0 }, "internal error" },
	{ EX_OSERR, ERR_TEMP, ERR_MACHINE, { 4, 3, 0 }, "system error" },
	{ EX_OSFILE, ERR_PERM, ERR_CONFIG, { 5, 3, 0 }, "system file" },
	{ EX_CANTCREAT, ERR_PERM, ERR_REPLY, { 5, 2, 0 }, "cannot write" },
	{ EX_IOERR, ERR_PERM, ERR_REPLY, { 5, 3, 0 }, "input or output" },
	{ EX_TEMPFAIL, ERR_TEMP, ERR_REPLY, { 4, 3, 0 }, "try again" },
	{ EX_PROTOCOL, ERR_PERM, ERR_REPLY, { 5, 5, 0 }, "protocol" },
	{ EX_NOPERM, ERR_PERM, ERR_REPLY, { 5, 7, 0 }, "not permitted" },
	{ EX_CONFIG, ERR_PERM, ERR_CONFIG, { 5, 3, 5 }, "configuration" },
	/* What a shell says that could not run what is in a script. */
	{ 126, ERR_TEMP, ERR_CONFIG, { 4, 3, 5 }, "cannot be run" },
	{ 127, ERR_TEMP, ERR_CONFIG, { 4, 3, 5 }, "not found" },
	/* All else. */
	{ 0, ERR_PERM, ERR_REPLY, { 5, 3, 0 }, "unknown" },
};

static int
judge_status(const struct program *p, int status, struct err *e)
{
	const char *line;
	const int n = first_line(p, &line);
	size_t i = 0;

	while (i < COUNT(rows) - 1 && rows[i].status != status)
		i++;
	err_set(e, rows[i].verdict, rows[i].kind,
	    "%s: exit status %d (%s)%s%.*s", p->c->argv[0], status,
	    rows[i].means, n > 0 ? ": " : "", n, line);
	e->enhanced = rows[i].enhanced;
	return -1;
}

static int
judge(const struct program *p, int status, struct err *e)
{
	const int num = child_trouble(&p->child);

	if (num != 0)
		err_errno(e, ERR_TEMP,
		    err_is_shortage(num) || num == EAGAIN ? ERR_MACHINE
							  : ERR_CONFIG,
		    num, "cannot run %s", p->c->argv[0]);
	else if (WIFSIGNALED(status))
		err_set(e, ERR_TEMP, ERR_MACHINE, "%s: killed by signal %d",
		    p->c->argv[0], WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		return judge_status(p, WEXITSTATUS(status), e);
	else
		return 0;
	e->enhanced = (struct enhanced){ 4, 3, num != 0 ? 5 : 0 };
	return -1;
}

/* ---- begin ---- */

static int
program_start(struct program *p, int in, int out)
{
	const struct child_config config = { .argv = p->c->argv,
		.env = p->c->env,
		.in = in,
		.out = out,
		.err = out,
		.group = true,
		.waiter = p->c->waiter };

	fcntl(p->in, F_SETFL, O_NONBLOCK);
	fcntl(p->out, F_SETFL, O_NONBLOCK);
	return child_start(&p->child, &config);
}

static int
program_open(struct program *p, struct err *e)
{
	int in[2], out[2], rc, num;

	if (pipe2(in, O_CLOEXEC) == -1)
		return err_errno(e, ERR_TEMP, ERR_MACHINE, errno,
		    "cannot start %s", p->c->argv[0]);
	p->in = in[1];
	rc = pipe2(out, O_CLOEXEC);
	num = errno;
	if (rc == 0) {
		p->out = out[0];
		rc = program_start(p, in[0], out[1]);
		num = errno;
		close(out[1]);
	}
	close(in[0]);
	if (rc == 0)
		return 0;
	return err_errno(
	    e, ERR_TEMP, ERR_MACHINE, num, "cannot start %s", p->c->argv[0]);
}

/* Killed before its standard input is closed: what is not whole must not look
 * as if it were. */
static int
program_run(struct program *p, struct err *e)
{
	int rc, status;

	if (program_open(p, e) == -1)
		return -1;
	rc = converse(p, e);
	if (rc == -1)
		child_kill(&p->child);
	status = child_reap(&p->child);
	if (rc == 0)
		rc = judge(p, status, e);
	child_close(&p->child);
	return rc;
}

int
pipe_run(
    const struct pipe_config *c, const struct box_mail *mail, struct err *e)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct program p = { .c = c, .in = -1, .out = -1 };
	struct sigaction before;
	int rc;

	buf_init(&p.block, TEXT_MORE_MAX);
	text_open(&p.text, mail->octets, mail->fields, mail->fields_n, false);
	/* It need not read: that is not worth a signal. */
	sigaction(SIGPIPE, &ignore, &before);
	rc = program_run(&p, e);
	shut(&p.in);
	shut(&p.out);
	sigaction(SIGPIPE, &before, NULL);
	text_close(&p.text);
	buf_free(&p.block);
	return rc;
}
