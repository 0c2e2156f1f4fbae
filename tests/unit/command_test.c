/*
 * command: what a program prints, and all the ways in which it does not.
 * Nothing waits for a time to pass but where the time is what is tested.
 */
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/wait.h"
#include "net/command.h"
#include "test.h"

/* Long enough for a slow machine: what hangs fails by it. */
#define PATIENCE 20000

static volatile sig_atomic_t stop;

static int
shell(const char *line, struct buf *out, struct err *e)
{
	buf_init(out, 4096);
	e->text[0] = '\0';
	return command_shell("eval", line, PATIENCE, NULL, out, e);
}

static void
check_prints(const char *line, const char *expected)
{
	struct buf out;
	struct err e;

	CHECK_INT(shell(line, &out, &e), 0);
	CHECK_STR(e.text, "");
	CHECK_STR(buf_str(&out), expected);
	buf_free(&out);
}

static void
check_fails(const char *line, const char *expected)
{
	struct buf out;
	struct err e;

	CHECK_INT(shell(line, &out, &e), -1);
	CHECK_STR(e.text, expected);
	CHECK_INT(e.verdict, ERR_PERM);
	CHECK_INT(e.kind, ERR_CONFIG);
	buf_free(&out);
}

TEST(takes_what_is_printed)
{
	check_prints("printf 'a secret\\n'", "a secret\n");
	check_prints("echo one; exec >&-; exit 0", "one\n");
	check_prints("i=0; while [ $i -lt 500 ]; do echo; i=$((i+1)); done |"
		     " tr -d '\\n'; echo end",
	    "end\n");
	check_prints("true", "");
}

TEST(keeps_a_nul_for_others_to_judge)
{
	struct buf out;
	struct err e;

	CHECK_INT(shell("printf 'a\\000b'", &out, &e), 0);
	CHECK_MEM(out.data, out.len, "a\0b", 3);
	buf_free(&out);
}

TEST(appends)
{
	const char *const argv[] = { "echo", "$HOME 'x' *", NULL };
	struct buf out;
	struct err e;

	buf_init(&out, 100);
	buf_adds(&out, "old ");
	CHECK_INT(command_output("cmd", argv, PATIENCE, NULL, &out, &e), 0);
	CHECK_STR(buf_str(&out), "old $HOME 'x' *\n");
	buf_free(&out);
}

/* None of these sentences may show what was printed. */
TEST(says_how_it_failed)
{
	check_fails("echo secret; exit 3", "eval: exit status 3");
	check_fails("echo secret; kill -9 $$", "eval: killed by signal 9");
	check_fails("/nowhere/at/all 2>/dev/null", "eval: exit status 127");
}

TEST(says_what_cannot_be_run)
{
	const char *const missing[] = { "no-such-program-here", NULL };
	const char *const folder[] = { "/", NULL };
	struct buf out;
	struct err e;

	buf_init(&out, 100);
	CHECK_INT(command_output("cmd", missing, PATIENCE, NULL, &out, &e), -1);
	CHECK_STR(e.text,
	    "cmd: cannot run no-such-program-here: No such file or directory");
	CHECK_INT(e.verdict, ERR_PERM);
	CHECK_INT(e.kind, ERR_CONFIG);
	CHECK_INT(command_output("cmd", folder, PATIENCE, NULL, &out, &e), -1);
	CHECK_STR(e.text, "cmd: cannot run /: Permission denied");
	buf_free(&out);
}

TEST(has_a_limit)
{
	struct buf out;
	struct err e;

	buf_init(&out, 10);
	CHECK_INT(command_shell("eval", "yes", PATIENCE, NULL, &out, &e), -1);
	CHECK_STR(e.text, "eval: printed more than 10 octets");
	buf_free(&out);
	buf_init(&out, 10);
	CHECK_INT(command_shell(
		      "eval", "printf 0123456789", PATIENCE, NULL, &out, &e),
	    0);
	CHECK_STR(buf_str(&out), "0123456789");
	buf_free(&out);
}

TEST(takes_no_longer_than_it_may)
{
	struct buf out;
	struct err e;

	buf_init(&out, 100);
	CHECK_INT(
	    command_shell("eval", "exec sleep 1000", 20, NULL, &out, &e), -1);
	CHECK_STR(e.text, "eval: took longer than 0.02 s");
	CHECK_INT(e.verdict, ERR_PERM);
	/* One that hears no polite word, and has nothing more to say. */
	CHECK_INT(
	    command_shell("eval", "trap '' TERM; exec >&-; while :; do :; done",
		20, NULL, &out, &e),
	    -1);
	CHECK_STR(e.text, "eval: took longer than 0.02 s");
	buf_free(&out);
}

static void
note_stop(int sig)
{
	stop = sig;
}

/* The alarm is blocked but while waiting, as all our signals are. */
TEST(a_signal_ends_it)
{
	const struct itimerval soon = { .it_value.tv_usec = 20000 };
	struct sigaction sa = { .sa_handler = note_stop };
	struct waiter w = { .stop = &stop };
	sigset_t blocked;
	struct buf out;
	struct err e;

	buf_init(&out, 100);
	sigaction(SIGALRM, &sa, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGALRM);
	sigprocmask(SIG_BLOCK, &blocked, &w.mask);
	stop = 0;
	setitimer(ITIMER_REAL, &soon, NULL);
	CHECK_INT(
	    command_shell("eval", "exec sleep 1000", PATIENCE, &w, &out, &e),
	    -1);
	CHECK_INT(stop, SIGALRM);
	CHECK_STR(e.text, "eval: interrupted");
	CHECK_INT(e.verdict, ERR_TEMP);
	/* Once stopped, nothing is waited for. */
	CHECK_INT(
	    command_shell("eval", "sleep 1000", PATIENCE, &w, &out, &e), -1);
	CHECK_STR(e.text, "eval: interrupted");
	sigprocmask(SIG_SETMASK, &w.mask, NULL);
	stop = 0;
	buf_free(&out);
}

TEST(gets_no_input_and_no_descriptor)
{
	int fd = dup2(STDERR_FILENO, 50);

	CHECK_INT(fd, 50);
	check_prints("cat; readlink /proc/self/fd/0", "/dev/null\n");
	check_prints("for i in 3 4 5 6 7 8 9 10 50; do"
		     " if [ -e /proc/$$/fd/$i ]; then echo $i; fi; done",
	    "");
	close(fd);
}

/* What we ignore and block is none of its business; what our caller had us
 * ignore is. SIGPIPE is 13, SIGHUP 1, SIGTERM 15, SIGXFSZ 25. */
TEST(gets_the_signals_of_our_caller)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, pipe, hup;
	struct sigaction xfsz;
	struct waiter w = { 0 };
	sigset_t blocked, old;
	struct buf out;
	struct err e;

	sigaction(SIGPIPE, &ignore, &pipe);
	sigaction(SIGXFSZ, &ignore, &xfsz);
	sigaction(SIGHUP, &ignore, &hup);
	sigemptyset(&w.mask);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &old);
	buf_init(&out, 4096);
	CHECK_INT(
	    command_shell("eval",
		"sed -n 's/^Sig\\(Blk\\|Ign\\):.*\\(.......\\)$/\\1 \\2/p'"
		" /proc/self/status",
		PATIENCE, &w, &out, &e),
	    0);
	CHECK_STR(buf_str(&out), "Blk 0000000\nIgn 0000001\n");
	buf_free(&out);
	sigprocmask(SIG_SETMASK, &old, NULL);
	sigaction(SIGPIPE, &pipe, NULL);
	sigaction(SIGXFSZ, &xfsz, NULL);
	sigaction(SIGHUP, &hup, NULL);
}

TEST(waits_for_nothing_it_left_behind)
{
	struct buf out;
	struct err e;
	long pid;

	CHECK_INT(shell("sleep 1000 & echo $!", &out, &e), 0);
	pid = strtol(buf_str(&out), NULL, 10);
	CHECK(pid > 1);
	if (pid > 1)
		CHECK_INT(kill((pid_t)pid, SIGKILL), 0);
	buf_free(&out);
}

/* Run `body` in a session of its own; its result. */
static int
in_session(int (*body)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		setsid();
		_exit(body());
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A FIFO is hung up when the last of the group is gone. */
static int
kill_group(void)
{
	char dir[] = "/tmp/command_test.XXXXXX", path[64], line[160];
	struct buf out;
	struct err e;
	int fd, got;

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/fifo", dir);
	snprintf(line, sizeof(line),
	    "exec 3>%s; sleep 1000 & echo more than ten; wait", path);
	buf_init(&out, 10);
	if (mkfifo(path, 0600) == -1)
		return 2;
	fd = open(path, O_RDONLY | O_NONBLOCK);
	got = command_shell("eval", line, PATIENCE, NULL, &out, &e);
	buf_free(&out);
	if (got != -1)
		return 3;
	got = wait_fd(NULL, fd, POLLIN, wait_until(PATIENCE));
	close(fd);
	unlink(path);
	rmdir(dir);
	return got == POLLHUP ? 0 : 4;
}

TEST(nothing_of_it_survives)
{
	CHECK_INT(in_session(kill_group), 0);
}

/* With a terminal it must stay in the group that may read there. */
static int
share_group(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), tty, same;
	char name[64], mine[32];
	struct buf out;
	struct err e;

	if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1 ||
	    ptsname_r(master, name, sizeof(name)) != 0)
		return 1;
	tty = open(name, O_RDWR | O_NOCTTY);
	if (tty == -1 || ioctl(tty, TIOCSCTTY, 0) == -1)
		return 2;
	snprintf(mine, sizeof(mine), "%ld\n", (long)getpgrp());
	buf_init(&out, 100);
	if (command_shell("eval",
		"read a b c d group rest </proc/self/stat; echo $group",
		PATIENCE, NULL, &out, &e) == -1)
		return 3;
	same = strcmp(buf_str(&out), mine) == 0;
	buf_free(&out);
	return same ? 0 : 4;
}

TEST(may_ask_on_the_terminal)
{
	CHECK_INT(in_session(share_group), 0);
}

TEST_MAIN
