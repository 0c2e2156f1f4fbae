/*
 * pipe: what a program gets, what its end means, and that nothing of it can
 * hold us up or kill us.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/wait.h"
#include "store/pipe.h"
#include "tests/unit/test.h"

/* Far more than a pipe holds. */
#define BIG (2u * 1024 * 1024)

struct input {
	const char *p; /* NULL: `n` octets of "x", in lines */
	size_t n;
	size_t fails_at;
};

static long
read_input(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const struct input *in = ctx;

	if (off >= in->fails_at)
		return err_set(e, ERR_TEMP, ERR_INPUT, "gone");
	if (off >= in->n)
		return 0;
	if (n > in->n - off)
		n = in->n - (size_t)off;
	if (in->p != NULL)
		memcpy(to, in->p + off, n);
	else
		for (size_t i = 0; i < n; i++)
			((char *)to)[i] = (off + i) % 64 == 63 ? '\n' : 'x';
	return (long)n;
}

static const char *const env[] = { "PATH=/usr/bin:/bin", "LC_ALL=C", NULL };

static int
run_with(const char *script, struct input *in, int64_t timeout,
    const struct waiter *w, struct err *e)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	const struct pipe_config c = { argv, env, timeout, w };
	const struct box_mail mail = { .octets = { read_input, in, 0 },
		.fields = "A: 1\n",
		.fields_n = 5 };

	err_clear(e);
	return pipe_run(&c, &mail, e);
}

static int
run(const char *script, struct err *e)
{
	struct input in = { "B: 2\r\n\r\nFrom x\r\nlast", 20, SIZE_MAX };

	return run_with(script, &in, -1, NULL, e);
}

static int
run_big(const char *script, struct err *e)
{
	struct input in = { NULL, BIG, SIZE_MAX };

	return run_with(script, &in, -1, NULL, e);
}

TEST(it_gets_the_message_and_nothing_else)
{
	struct err e;

	setenv("PIPE_TEST", "ours", 1);
	CHECK_INT(run("test \"$(cat | od -An -c | tr -d ' \\n')\" = "
		      "'A:1\\nB:2\\n\\nFromx\\nlast\\n'",
		      &e),
	    0);
	CHECK_INT(run("test \"$(env | grep -cv -e ^PWD= -e ^_= "
		      "-e ^SHLVL= -e ^OLDPWD=)\" = 2",
		      &e),
	    0);
	/* Those of sh, and of ls that looks. */
	CHECK_INT(run("set -- $(ls /proc/self/fd); test $# = 4", &e), 0);
	CHECK_INT(run("trap - PIPE; kill -PIPE $$", &e), -1);
	CHECK(strstr(e.text, "signal 13") != NULL);
	CHECK_INT(run_big("test $(wc -c) = 2097157", &e), 0);
	CHECK_STR(e.text, "");
	unsetenv("PIPE_TEST");
}

TEST(its_status_is_its_word)
{
	static const struct {
		int status;
		enum err_verdict verdict;
		const char *enhanced;
		int exit; /* ours, once it is told */
	} rows[] = {
		{ 1, ERR_PERM, "5.3.0", 69 },
		{ 2, ERR_PERM, "5.3.0", 69 },
		{ 63, ERR_PERM, "5.3.0", 69 },
		{ 64, ERR_PERM, "5.3.0", 78 },
		{ 65, ERR_PERM, "5.6.0", 65 },
		{ 66, ERR_PERM, "5.3.0", 69 },
		{ 67, ERR_PERM, "5.1.1", 67 },
		{ 68, ERR_PERM, "5.1.2", 68 },
		{ 69, ERR_PERM, "5.3.0", 69 },
		{ 70, ERR_PERM, "5.3.0", 69 },
		{ 71, ERR_TEMP, "4.3.0", 71 },
		{ 72, ERR_PERM, "5.3.0", 78 },
		{ 73, ERR_PERM, "5.2.0", 69 },
		{ 74, ERR_PERM, "5.3.0", 69 },
		{ 75, ERR_TEMP, "4.3.0", 75 },
		{ 76, ERR_PERM, "5.5.0", 69 },
		{ 77, ERR_PERM, "5.7.0", 77 },
		{ 78, ERR_PERM, "5.3.5", 78 },
		{ 79, ERR_PERM, "5.3.0", 69 },
		{ 126, ERR_TEMP, "4.3.5", 75 },
		{ 127, ERR_TEMP, "4.3.5", 75 },
		{ 255, ERR_PERM, "5.3.0", 69 },
	};
	char script[64], code[ENHANCED_MAX], text[64];
	struct err e;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(script, sizeof script, "cat >/dev/null; exit %d",
		    rows[i].status);
		snprintf(text, sizeof text, "/bin/sh: exit status %d (",
		    rows[i].status);
		CHECK_INT(run(script, &e), -1);
		CHECK_INT(e.verdict, rows[i].verdict);
		CHECK_STR(enhanced_str(&e.enhanced, code), rows[i].enhanced);
		CHECK_INT(err_exit(&e), rows[i].exit);
		CHECK_INT(strncmp(e.text, text, strlen(text)), 0);
	}
}

TEST(its_first_line_is_told)
{
	struct err e;

	CHECK_INT(
	    run("echo; echo '  no such user' >&2; echo more; exit 67", &e), -1);
	CHECK_STR(
	    e.text, "/bin/sh: exit status 67 (user unknown): no such user");
	CHECK_INT(run("printf 'a\\033[2Jb\\tc\\r\\n'; exit 75", &e), -1);
	CHECK_STR(
	    e.text, "/bin/sh: exit status 75 (try again): a\\x1B[2Jb\\x09c");
	CHECK_INT(run("exit 1", &e), -1);
	CHECK_STR(e.text, "/bin/sh: exit status 1 (unknown)");
	CHECK_INT(run("echo fine", &e), 0);
}

TEST(it_need_not_read)
{
	struct err e;

	CHECK_INT(run_big("exit 0", &e), 0);
	CHECK_INT(run_big("exec <&-; exit 75", &e), -1);
	CHECK_INT(e.verdict, ERR_TEMP);
	CHECK_INT(run_big("head -c 10 >/dev/null; exec <&-; "
			  "echo enough; exit 67",
		      &e),
	    -1);
	CHECK(strstr(e.text, "enough") != NULL);
}

TEST(it_may_print_megabytes)
{
	struct err e;

	/* Before it reads: neither waits for the other. */
	CHECK_INT(run_big("yes | head -c 3000000; yes | head -c 3000000 >&2; "
			  "test $(wc -c) = 2097157",
		      &e),
	    0);
	CHECK_INT(run_big("head -c 3000000 /dev/zero; exit 67", &e), -1);
	CHECK_INT(e.enhanced.subject, 1);
	CHECK_INT(
	    run_big("yes xxx | head -c 3000000 | tr -d '\\n'; exit 67", &e),
	    -1);
	CHECK_INT(e.enhanced.subject, 1);
	/* It closes what it does not want to say. */
	CHECK_INT(run_big("exec >&- 2>&-; cat >/dev/null; exit 75", &e), -1);
	CHECK_INT(e.verdict, ERR_TEMP);
}

static int
ended(int64_t pid)
{
	for (int i = 0; i < 1000; i++) {
		if (kill((pid_t)pid, 0) == -1)
			return 1;
		wait_fds(NULL, NULL, 0, wait_until(10));
	}
	return 0;
}

/* The number that a script wrote into `pid`. */
static int64_t
number(const char *file)
{
	FILE *f = fopen(file, "r");
	char text[32] = "";

	if (f != NULL && fgets(text, sizeof text, f) == NULL)
		text[0] = '\0';
	if (f != NULL)
		fclose(f);
	unlink(file);
	return strtoll(text, NULL, 10);
}

/* What it started goes with it; what it left behind is not waited for. */
TEST(one_that_never_ends)
{
	char dir[] = "/tmp/pipe_test.XXXXXX", here[4096];
	struct input in = { NULL, BIG, SIZE_MAX };
	struct err e;

	CHECK(getcwd(here, sizeof here) != NULL && mkdtemp(dir) != NULL &&
	    chdir(dir) == 0);
	CHECK_INT(run_with("sleep 1000 & echo $! >pid; trap '' TERM; wait; "
			   "sleep 1000",
		      &in, 300, NULL, &e),
	    -1);
	CHECK_INT(e.verdict, ERR_TEMP);
	CHECK_STR(e.text, "/bin/sh took longer than 0.3 s");
	CHECK(ended(number("pid")));
	CHECK_INT(run_with("sleep 1000 & echo $! >pid; cat >/dev/null", &in, -1,
		      NULL, &e),
	    0);
	CHECK_INT(kill((pid_t)number("pid"), SIGKILL), 0);
	CHECK(chdir(here) == 0 && rmdir(dir) == 0);
}

/* It must not take a part for the whole. */
TEST(a_message_that_cannot_be_read)
{
	char dir[] = "/tmp/pipe_test.XXXXXX", here[4096];
	struct input in = { NULL, BIG, BIG / 2 };
	struct err e;

	CHECK(getcwd(here, sizeof here) != NULL && mkdtemp(dir) != NULL &&
	    chdir(dir) == 0);
	CHECK_INT(
	    run_with("cat >/dev/null; touch whole", &in, -1, NULL, &e), -1);
	CHECK_STR(e.text, "gone");
	CHECK_INT(e.kind, ERR_INPUT);
	CHECK(chdir(here) == 0 && rmdir(dir) == 0);
}

static volatile sig_atomic_t stop;

static void
on_alarm(int sig)
{
	(void)sig;
	stop = 1;
}

TEST(a_signal_ends_it)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	struct sigaction before;
	struct waiter w = { .stop = &stop };
	sigset_t alarms, mask;
	struct input in = { NULL, BIG, SIZE_MAX };
	struct err e;

	sigemptyset(&alarms);
	sigaddset(&alarms, SIGUSR1);
	sigprocmask(SIG_BLOCK, &alarms, &mask);
	w.mask = mask;
	sigaction(SIGUSR1, &action, &before);
	CHECK_INT(run_with("cat >/dev/null; kill -USR1 $PPID; sleep 1000", &in,
		      -1, &w, &e),
	    -1);
	CHECK_STR(e.text, "interrupted while /bin/sh ran");
	CHECK_INT(e.verdict, ERR_TEMP);
	sigaction(SIGUSR1, &before, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

TEST(what_cannot_be_run)
{
	static const char *const rows[] = { "/nonexistent", "/tmp",
		"/etc/passwd", "true" };
	struct input in = { "x", 1, SIZE_MAX };
	const struct box_mail mail = { .octets = { read_input, &in, 0 } };
	struct err e;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *const argv[] = { rows[i], NULL };
		const struct pipe_config c = { argv, env, -1, NULL };

		CHECK_INT(pipe_run(&c, &mail, &e), -1);
		CHECK_INT(e.verdict, ERR_TEMP);
		CHECK_INT(e.kind, ERR_CONFIG);
		CHECK(strstr(e.text, rows[i]) != NULL);
	}
}

/* As it is here, SIGPIPE is again once it is over. */
TEST(our_signals_are_ours_again)
{
	struct sigaction now;
	struct err e;

	CHECK_INT(run_big("exit 0", &e), 0);
	CHECK_INT(sigaction(SIGPIPE, NULL, &now), 0);
	CHECK(now.sa_handler == SIG_DFL);
}

TEST_MAIN
