/*
 * child: a program that runs beside us, and how it is started and ended.
 * Called by net/command.c, which reads what it prints, and store/pipe.c, which
 * gives it a message. It reads and writes nothing of it.
 * fork(2), execve(2), pidfd_open(2), closefrom(3), prctl(2).
 * Ownership: what child_start() took is given back by child_reap().
 */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct waiter;

struct child_config {
	const char *const *argv; /* ends in NULL */
	/* Its environment, and argv[0] is a path. NULL: ours, and argv[0] is
	 * looked up in PATH. */
	const char *const *env;
	int in; /* its standard input; -1: /dev/null */
	int out; /* its standard output */
	int err; /* its standard error; -1: ours */
	/* It leads a process group, so that nothing of it is left when it is
	 * killed; else it shares ours, and may read our terminal. */
	bool group;
	const struct waiter *waiter; /* whose mask it gets; NULL: ours */
};

struct child {
	pid_t pid;
	bool group;
	int trouble; /* owned: a pipe with errno, if it could not be run */
	int ended; /* owned: a pidfd, readable once it ended */
	sigset_t mask; /* ours before */
};

/*
 * Run it, with no descriptor of ours but those three; descriptors 0 to 2 must
 * be open, those given be beyond. Signals that we catch, and SIGPIPE, are as
 * usual in it; what our caller had us ignore stays ignored. It gets SIGTERM
 * when the thread that started it ends. 0, or -1 with errno and nothing to
 * reap. It may still fail to run: see child_trouble(). SIGCHLD must not be
 * ignored, or its exit status is lost.
 */
int child_start(struct child *, const struct child_config *);

/*
 * End it, and its group: politely, and after half a second for good. It is
 * still to be reaped.
 */
void child_kill(const struct child *);

/* Once it is reaped: errno if it could not be run, else 0. */
int child_trouble(const struct child *);

/* Wait until it ends; the status of waitpid(2). */
int child_reap(const struct child *);

/* Close what child_start() opened; it must be reaped by then. */
void child_close(struct child *);

#endif
