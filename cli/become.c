/*
 * become: see become.h. A process of its own, since root's own queue is still
 * to be run by root, also the next time.
 * Callers: run.c.
 * It changes the environment of that process alone.
 * setresuid(2), initgroups(3), credentials(7). Ownership: see become.h.
 */
#include <sys/pidfd.h>
#include <sys/prctl.h>
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

/* His files are found by these. */
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

/* A user without a name has the folder's group alone. */
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
as_owner(
    const struct spools_place *p, pid_t parent, int (*fn)(void *), void *ctx)
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
	return fn(ctx);
}

static int
wait_for(pid_t pid, const struct waiter *waiter)
{
	int fd = pidfd_open(pid, 0), status = 0;
	pid_t got;

	/* A signal may have come to us alone. */
	if (fd != -1 &&
	    wait_fd(waiter, fd, POLLIN, wait_until(-1)) == WAIT_STOPPED)
		kill(pid, SIGTERM);
	if (fd != -1)
		close(fd);
	do
		got = waitpid(pid, &status, 0);
	while (got == -1 && errno == EINTR);
	return got == pid && WIFEXITED(status) ? WEXITSTATUS(status)
					       : EX_TEMPFAIL;
}

int
become_run(const struct spools_place *p, const struct waiter *waiter,
    int (*fn)(void *ctx), void *ctx, struct err *e)
{
	const pid_t parent = getpid();
	pid_t pid;
	int code;

	/* What is waiting to be written is written once. */
	fflush(stdout);
	pid = fork();
	if (pid == -1)
		return err_errno(e, ERR_TEMP, ERR_MACHINE, errno,
		    "cannot start a process for the queue %s", p->base);
	if (pid > 0)
		return wait_for(pid, waiter);
	code = as_owner(p, parent, fn, ctx);
	fflush(stdout);
	_exit(code);
}
