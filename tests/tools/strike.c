/*
 * strike COUNT COMMAND...: run the command, and kill (SIGKILL) one of the
 * processes that it forks at the COUNTth system call of them all, counted from
 * 1 on and before it is done; the command itself is left alone.  COUNT 0 kills
 * nobody.
 *
 * It says "struck N" on descriptor 3 at the end: how many calls there were
 * until then, or, if they were fewer than COUNT, in all.  The status is the
 * command's, or 128 and the signal that ended it.  strace(1) cannot do that:
 * it counts each process's calls, and strikes the first as well.
 *
 * ptrace(2).
 */
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <linux/ptrace.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPTIONS                                                                \
	(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |      \
	    PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)
#define SYSCALL_STOP (SIGTRAP | 0x80)

struct strike {
	pid_t command;
	unsigned long at, calls;
	int status; /* of the command */
};

static void
die(const char *what)
{
	perror(what);
	exit(70);
}

/* A process that is gone meanwhile tells by waitpid(). */
static void
go_on(const struct strike *s, pid_t pid, int sig)
{
	enum __ptrace_request how =
	    pid == s->command ? PTRACE_CONT : PTRACE_SYSCALL;

	if (ptrace(how, pid, 0, sig) == -1 && errno != ESRCH)
		die("ptrace");
}

static bool
enters(pid_t pid)
{
	struct __ptrace_syscall_info info;

	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0 &&
	    info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

/* True if it was killed instead of going on. */
static bool
call(struct strike *s, pid_t pid)
{
	if ((s->at != 0 && s->calls == s->at) || !enters(pid) ||
	    ++s->calls != s->at)
		return false;
	kill(pid, SIGKILL);
	return true;
}

static void
stopped(struct strike *s, pid_t pid, int status)
{
	int sig = WSTOPSIG(status);

	if (sig == SYSCALL_STOP) {
		if (!call(s, pid))
			go_on(s, pid, 0);
		return;
	}
	/* What ptrace itself makes: of a fork, its child, and of the exec. */
	if (status >> 16 != 0 || (sig == SIGSTOP && pid != s->command))
		sig = 0;
	go_on(s, pid, sig);
}

static void
follow(struct strike *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) != -1) {
		if (WIFSTOPPED(status))
			stopped(s, pid, status);
		else if (pid == s->command)
			s->status = status;
	}
}

static pid_t
start(char **argv)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) == -1)
		die("ptrace");
	raise(SIGSTOP);
	execvp(argv[0], argv);
	die(argv[0]);
	return -1;
}

int
main(int argc, char **argv)
{
	struct strike s = { .command = -1 };
	int status;

	if (argc < 3)
		return 64;
	s.at = strtoul(argv[1], NULL, 10);
	s.command = start(argv + 2);
	if (s.command == -1 || waitpid(s.command, &status, 0) == -1 ||
	    ptrace(PTRACE_SETOPTIONS, s.command, 0, OPTIONS) == -1)
		die("ptrace");
	go_on(&s, s.command, 0);
	follow(&s);
	dprintf(3, "struck %lu\n", s.calls);
	return WIFEXITED(s.status) ? WEXITSTATUS(s.status)
				   : 128 + WTERMSIG(s.status);
}
