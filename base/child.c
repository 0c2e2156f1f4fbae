/*
 * child: see child.h. Its end is heard by a pidfd, since what it left behind
 * may hold its pipes open for hours; why it could not be run comes by a pipe
 * that is closed if it could.
 * Callers: see child.h. It never waits without an end but in child_reap().
 * pidfd_open(2), closefrom(3).
 * Ownership: see child.h.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/child.h"
#include "base/wait.h"

/* From a polite end to a hard one: time to give a terminal back. */
#define GRACE_MS 500

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
		    now.sa_handler != SIG_DFL &&
		    (now.sa_handler != SIG_IGN || sig == SIGPIPE ||
			sig == SIGXFSZ))
			sigaction(sig, &normal, NULL);
}

/* 0 to 2 as they are wanted, 3 the trouble: it ends with execve(2). */
static int
descriptors_set(const struct child_config *c, int trouble)
{
	int in = c->in;

	if (dup2(c->out, STDOUT_FILENO) == -1 ||
	    (c->err != -1 && dup2(c->err, STDERR_FILENO) == -1))
		return -1;
	if (in == -1)
		in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (in == -1 || dup2(in, STDIN_FILENO) == -1)
		return -1;
	if (trouble != 3 && dup3(trouble, 3, O_CLOEXEC) == -1)
		return -1;
	closefrom(4);
	return 0;
}

static void
execute(const struct child_config *c)
{
	union {
		const char *const *given;
		char *const *wanted;
	} args = { .given = c->argv }, env = { .given = c->env };

	if (c->env == NULL)
		execvp(c->argv[0], args.wanted);
	else
		execve(c->argv[0], args.wanted, env.wanted);
}

/* The mask is the one of waiting: the only one in which we hear signals. */
static void
become(const struct child_config *c, const sigset_t *mask, int trouble)
{
	int num;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (c->group)
		setpgid(0, 0);
	signals_reset();
	if (descriptors_set(c, trouble) == 0) {
		trouble = 3;
		sigprocmask(SIG_SETMASK, mask, NULL);
		execute(c);
	}
	num = errno;
	(void)!write(trouble, &num, sizeof(num));
	_exit(127);
}

/* --- start and end ------------------------------------------------------- */

static void
signals_hold(struct child *c)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &c->mask);
}

void
child_close(struct child *c)
{
	if (c->trouble != -1)
		close(c->trouble);
	if (c->ended != -1)
		close(c->ended);
	c->trouble = c->ended = -1;
}

static void
child_signal(const struct child *c, int sig)
{
	kill(c->group ? -c->pid : c->pid, sig);
}

/* The group is killed even if its leader ended: its number is still taken. */
void
child_kill(const struct child *c)
{
	child_signal(c, SIGTERM);
	if (c->ended != -1)
		wait_fd(NULL, c->ended, POLLIN, wait_until(GRACE_MS));
	child_signal(c, SIGKILL);
}

int
child_reap(const struct child *c)
{
	int status = 0;
	pid_t got;

	do
		got = waitpid(c->pid, &status, 0);
	while (got == -1 && errno == EINTR);
	return status;
}

int
child_trouble(const struct child *c)
{
	int num;

	return read(c->trouble, &num, sizeof(num)) == (ssize_t)sizeof(num) ? num
									   : 0;
}

static int
start(struct child *c, const struct child_config *config, int trouble)
{
	const struct waiter *w = config->waiter;
	int num;

	c->pid = fork();
	if (c->pid == 0)
		become(config, w != NULL ? &w->mask : &c->mask, trouble);
	num = errno;
	sigprocmask(SIG_SETMASK, &c->mask, NULL);
	errno = num;
	if (c->pid == -1)
		return -1;
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

int
child_start(struct child *c, const struct child_config *config)
{
	int trouble[2], rc, num;

	*c = (struct child){ .group = config->group, .ended = -1 };
	if (pipe2(trouble, O_CLOEXEC) == -1)
		return -1;
	c->trouble = trouble[0];
	fcntl(c->trouble, F_SETFL, O_NONBLOCK);
	signals_hold(c);
	rc = start(c, config, trouble[1]);
	num = errno;
	close(trouble[1]);
	if (rc == -1)
		child_close(c);
	errno = num;
	return rc;
}
