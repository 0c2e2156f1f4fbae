/*
 * become: see become.h. The owner's work is done in a child process, since
 * root cannot become root again, and runs his own queue as well.
 * Callers: run.c.
 * It changes the environment of that process alone.
 * setresuid(2), initgroups(3), credentials(7). Ownership: see become.h.
 */
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/err.h"
#include "base/wait.h"
#include "cli/become.h"
#include "cli/report.h"
#include "cli/spools.h"

bool
become_is_wanted(const struct spools_place *p)
{
	struct stat st;

	return p->kind != SPOOLS_OWN && geteuid() == 0 &&
	    stat(p->base, &st) == 0 && st.st_uid != 0;
}

/* The variables by which a user's files are found. */
static int
change_environment(const struct passwd *pw)
{
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_STATE_HOME");
	if (pw == NULL)
		return setenv("HOME", "/", 1);
	return setenv("HOME", pw->pw_dir, 1) == -1 ||
		setenv("USER", pw->pw_name, 1) == -1 ||
		setenv("LOGNAME", pw->pw_name, 1) == -1
	    ? -1
	    : 0;
}

/* For good: supplementary groups and group first, while we may. A user who is
 * in no passwd has the folder's group and no other. */
static int
change_user(const struct stat *st)
{
	const struct passwd *pw = getpwuid(st->st_uid);
	const gid_t gid = pw != NULL ? pw->pw_gid : st->st_gid;

	if ((pw != NULL ? initgroups(pw->pw_name, gid) : setgroups(1, &gid)) ==
		-1 ||
	    change_environment(pw) == -1)
		return -1;
	return setresgid(gid, gid, gid) == -1 ||
		setresuid(st->st_uid, st->st_uid, st->st_uid) == -1
	    ? -1
	    : 0;
}

static int
as_owner(const struct spools_place *p, pid_t parent,
    const struct become_job *job, int root)
{
	struct stat st;
	struct err e;

	if (stat(p->base, &st) == -1 || change_user(&st) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGTERM) == -1) {
		err_errno(&e, ERR_TEMP, ERR_MACHINE, errno,
		    "cannot become the owner of %s", p->base);
		report_error(stderr, &e);
		return err_exit(&e);
	}
	if (getppid() != parent)
		return EX_TEMPFAIL;
	return job->run(job->ctx, root);
}

/* ---- in root's process ---- */

/* The most requests that are seen to at once, a process each. */
#define HELPERS_MAX 16

/* A process of ours, and how we hear of its end. */
struct process {
	pid_t pid; /* 0: none */
	int ended; /* owned: a pidfd; -1: none */
};

struct watch {
	const struct become_job *job; /* borrowed */
	struct process owner;
	struct process helpers[HELPERS_MAX];
	int socket; /* owned: requests come from here; -1: no more */
	bool stopped; /* all were told so */
};

static struct process
process(pid_t pid)
{
	return (struct process){ pid, pidfd_open(pid, 0) };
}

/* Wait for its end; the status of waitpid(2). */
static int
reap(struct process *p)
{
	int status = EX_TEMPFAIL << 8;
	pid_t got;

	do
		got = waitpid(p->pid, &status, 0);
	while (got == -1 && errno == EINTR);
	if (p->ended != -1)
		close(p->ended);
	*p = (struct process){ .ended = -1 };
	return status;
}

/* A stop signal may have been sent to this process alone: tell the others. */
static void
pass_on(struct watch *w)
{
	size_t i;

	w->stopped = true;
	kill(w->owner.pid, SIGTERM);
	for (i = 0; i < HELPERS_MAX; i++)
		if (w->helpers[i].pid != 0)
			kill(w->helpers[i].pid, SIGTERM);
}

/* Have one more request seen to, by a process whose place is free. If there is
 * no pidfd to hear of its end by, it is waited for here. */
static void
serve(struct watch *w, size_t place)
{
	pid_t pid = w->job->serve(w->job->ctx, w->socket);

	if (pid == -1) {
		close(w->socket);
		w->socket = -1;
	}
	if (pid <= 0)
		return;
	w->helpers[place] = process(pid);
	if (w->helpers[place].ended == -1)
		reap(&w->helpers[place]);
}

/* Wait for the end of a process or for a request, and see to it. False once
 * the owner's process has ended, or if waiting fails. */
static bool
turn(struct watch *w, const struct waiter *waiter)
{
	const struct waiter deaf = { .mask = waiter->mask };
	struct pollfd fds[HELPERS_MAX + 2];
	size_t i, place = HELPERS_MAX;
	int got;

	for (i = 0; i < HELPERS_MAX; i++) {
		fds[i] = (struct pollfd){ .fd = w->helpers[i].ended,
			.events = POLLIN };
		if (w->helpers[i].pid == 0)
			place = i;
	}
	fds[i++] = (struct pollfd){ w->owner.ended, POLLIN, 0 };
	fds[i++] =
	    (struct pollfd){ place < HELPERS_MAX ? w->socket : -1, POLLIN, 0 };
	got = wait_fds(w->stopped ? &deaf : waiter, fds, i, wait_until(-1));
	if (got == WAIT_STOPPED)
		pass_on(w);
	if (got <= 0)
		return got == WAIT_STOPPED;
	for (i = 0; i < HELPERS_MAX; i++)
		if (fds[i].revents != 0)
			reap(&w->helpers[i]);
	if (fds[HELPERS_MAX + 1].revents != 0)
		serve(w, place);
	return fds[HELPERS_MAX].revents == 0;
}

/* Processes that still write a mailbox when the owner's has ended are not
 * waited for: nobody is left to hear their results, and they end by
 * themselves. */
static int
wait_for(struct watch *w, const struct waiter *waiter)
{
	size_t i;
	int status;

	for (i = 0; i < HELPERS_MAX; i++)
		w->helpers[i].ended = -1;
	while (w->owner.ended != -1 && turn(w, waiter))
		;
	if (w->socket != -1)
		close(w->socket);
	status = reap(&w->owner);
	for (i = 0; i < HELPERS_MAX; i++)
		if (w->helpers[i].ended != -1)
			close(w->helpers[i].ended);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EX_TEMPFAIL;
}

int
become_run(const struct spools_place *p, const struct waiter *waiter,
    const struct become_job *job, struct err *e)
{
	struct watch w = { .job = job };
	const pid_t parent = getpid();
	int pair[2], code;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return err_errno(e, ERR_TEMP, ERR_MACHINE, errno,
		    "cannot start a process for the queue %s", p->base);
	/* What is waiting to be written is written once. */
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		code = as_owner(p, parent, job, pair[1]);
		fflush(stdout);
		_exit(code);
	}
	code = errno;
	close(pair[1]);
	if (pid == -1) {
		close(pair[0]);
		return err_errno(e, ERR_TEMP, ERR_MACHINE, code,
		    "cannot start a process for the queue %s", p->base);
	}
	w.owner = process(pid);
	w.socket = pair[0];
	return wait_for(&w, waiter);
}
