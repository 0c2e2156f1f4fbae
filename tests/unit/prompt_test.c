/*
 * prompt: a person at a terminal, played over a pseudo-terminal. The child
 * asks; we type, look at what is shown, and how the terminal is left.
 */
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/wait.h"
#include "cli/prompt.h"
#include "test.h"

#define PATIENCE 20000
#define QUESTION "Password for joe: "

static volatile sig_atomic_t stop;

struct person {
	int master;
	int tty; /* held open, so that the terminal's state lives on */
	int result; /* what the child says: verdict, then answer or sentence */
	pid_t pid;
	struct termios before;
	char shown[512];
	size_t nshown;
};

static void
note_stop(int sig)
{
	stop = sig;
}

/* The asking side: it never comes back. */
static void
child(const char *tty, int result, bool foreground)
{
	struct sigaction sa = { .sa_handler = note_stop };
	struct waiter w = { .stop = &stop };
	struct buf out, say;
	sigset_t blocked;
	struct err e;
	int fd;

	setsid();
	fd = open(tty, O_RDWR | O_NOCTTY);
	ioctl(fd, TIOCSCTTY, 0);
	sigaction(SIGINT, &sa, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTTOU);
	sigprocmask(SIG_BLOCK, &blocked, &w.mask);
	if (!foreground && fork() == 0) {
		setpgid(0, 0);
		foreground = true;
	} else if (!foreground) {
		wait(NULL);
		_exit(0);
	}
	buf_init(&out, 100);
	buf_init(&say, 1000);
	if (prompt_secret(&w, QUESTION, &out, &e) == 0)
		buf_addf(&say, "0 %s", buf_str(&out));
	else
		buf_addf(&say, "%d %s", (int)e.verdict, e.text);
	_exit(write(result, say.data, say.len) != (ssize_t)say.len);
}

static void
person_come(struct person *p, bool foreground)
{
	int fds[2] = { -1, -1 };
	char name[64];

	*p = (struct person){ .master = posix_openpt(O_RDWR | O_NOCTTY) };
	CHECK_INT(grantpt(p->master), 0);
	CHECK_INT(unlockpt(p->master), 0);
	CHECK_INT(ptsname_r(p->master, name, sizeof(name)), 0);
	p->tty = open(name, O_RDWR | O_NOCTTY);
	CHECK_INT(tcgetattr(p->tty, &p->before), 0);
	CHECK((p->before.c_lflag & ECHO) != 0);
	CHECK_INT(pipe(fds), 0);
	p->result = fds[0];
	p->pid = fork();
	if (p->pid == 0)
		child(name, fds[1], foreground);
	close(fds[1]);
}

/* Look at the screen until the question stands there. */
static void
person_look(struct person *p, const char *for_what)
{
	ssize_t n;

	while (strstr(p->shown, for_what) == NULL) {
		n = -1;
		if (wait_fd(NULL, p->master, POLLIN, wait_until(PATIENCE)) > 0)
			n = read(p->master, p->shown + p->nshown,
			    sizeof(p->shown) - 1 - p->nshown);
		CHECK(n > 0);
		if (n <= 0)
			return;
		p->nshown += (size_t)n;
	}
}

static void
person_type(struct person *p, const char *keys)
{
	struct termios now;

	person_look(p, QUESTION);
	CHECK_INT(tcgetattr(p->tty, &now), 0);
	CHECK_INT(now.c_lflag & ECHO, 0);
	CHECK_INT(write(p->master, keys, strlen(keys)), (intmax_t)strlen(keys));
}

/* What the child says, what was shown, and how the terminal is left. */
static void
person_go(struct person *p, const char *result, const char *shown)
{
	char said[1000] = "";
	struct termios now;
	int status = -1;

	CHECK(wait_fd(NULL, p->result, POLLIN, wait_until(PATIENCE)) > 0);
	CHECK(read(p->result, said, sizeof(said) - 1) > 0);
	CHECK_STR(said, result);
	person_look(p, shown);
	CHECK_STR(p->shown, shown);
	CHECK_INT(tcgetattr(p->tty, &now), 0);
	CHECK_INT(now.c_lflag, p->before.c_lflag);
	CHECK_MEM(now.c_cc, sizeof(now.c_cc), p->before.c_cc, sizeof(now.c_cc));
	CHECK_INT(waitpid(p->pid, &status, 0), p->pid);
	CHECK_INT(status, 0);
	close(p->master);
	close(p->tty);
	close(p->result);
}

TEST(takes_a_line_and_shows_nothing_of_it)
{
	struct person p;

	person_come(&p, true);
	person_type(&p, "pass word\n");
	person_go(&p, "0 pass word", QUESTION "\r\n");
}

TEST(lets_people_correct_themselves)
{
	struct person p;

	person_come(&p, true);
	person_type(&p, "wrong\025sek\177cret\n");
	person_go(&p, "0 secret", QUESTION "\r\n");
}

TEST(the_end_is_no_answer)
{
	struct person p;

	person_come(&p, true);
	person_type(&p, "\004");
	person_go(&p, "2 no password was typed", QUESTION "\r\n");
}

TEST(a_long_line_is_refused)
{
	char keys[202] = "";
	struct person p;

	memset(keys, 'x', 200);
	keys[200] = '\n';
	person_come(&p, true);
	person_type(&p, keys);
	person_go(
	    &p, "2 the password is longer than 100 octets", QUESTION "\r\n");
}

TEST(an_interrupt_restores_the_terminal)
{
	struct person p;

	person_come(&p, true);
	person_type(&p, "half\003");
	person_go(
	    &p, "1 interrupted while asking for the password", QUESTION "\r\n");
}

/* Ctrl-Z and Ctrl-\ are letters while we ask. */
TEST(nothing_stops_it_half_way)
{
	struct person p;

	person_come(&p, true);
	person_type(&p, "a\032b\034c\n");
	person_go(&p, "0 a\032b\034c", QUESTION "\r\n");
}

TEST(asks_nobody_from_the_background)
{
	struct person p;

	person_come(&p, false);
	person_go(&p,
	    "2 no password, and no terminal to ask on: set passwordeval or "
	    "passwordfile",
	    "");
}

TEST_MAIN
