/*
 * smtpsend: which face was called; run it; exit with its code.
 * The base name of argv[0] chooses the face, a row each.
 * The only mutable global of the house is the signal flag below.
 * Before anything is sent a signal ends the process with 75: the message is
 * still the caller's. From then on it is a flag that every wait looks at.
 */
#include <sys/auxv.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/wait.h"
#include "cli/native.h"
#include "cli/run.h"
#include "cli/send.h"
#include "cli/sendmail.h"

static volatile sig_atomic_t stop;

static const int stop_signals[] = { SIGHUP, SIGINT, SIGTERM };
#define NSIGNALS (sizeof stop_signals / sizeof stop_signals[0])

struct face {
	const char *name;
	int (*main)(
	    const struct run_face *, const char *name, int argc, char *argv[]);
};

static void
end_now(int sig)
{
	static const char text[] = "smtpsend: interrupted, nothing was sent\n";

	(void)sig;
	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	_exit(EX_TEMPFAIL);
}

static void
note_stop(int sig)
{
	stop = sig;
}

/* A signal that the caller ignores (nohup) stays ignored. */
static void catch (void (*handler)(int))
{
	struct sigaction sa = { .sa_handler = handler }, old;
	size_t i;

	for (i = 0; i < NSIGNALS; i++)
		if (sigaction(stop_signals[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			sigaction(stop_signals[i], &sa, NULL);
}

/* From now on signals are heard only while waiting (base/wait.h). */
static void
on_deliver(void *ctx)
{
	sigset_t set;
	size_t i;

	(void)ctx;
	sigemptyset(&set);
	for (i = 0; i < NSIGNALS; i++)
		sigaddset(&set, stop_signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	catch (note_stop);
}

/*
 * Descriptors 0 to 2 must be somebody's: a socket must never be one. They are
 * opened the wrong way round, so that a message that was not there, or a plan
 * that went nowhere, is an error and no success.
 */
static void
open_standard(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
			(void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

static int
native(const struct run_face *face, const char *name, int argc, char *argv[])
{
	(void)name;
	return native_main(face, argc, argv);
}

/* Callers must not lose mail to a face that is not there. */
static int
not_yet(const struct run_face *face, const char *name, int argc, char *argv[])
{
	(void)face;
	(void)argc;
	(void)argv;
	fprintf(stderr,
	    "smtpsend: called as %s, which is not built in; call smtpsend\n",
	    name);
	send_drain();
	return EX_USAGE;
}

/* By the base name, since the folder may have any name. The last one is for
 * any other name. */
static const struct face faces[] = {
	{ "sendmail", sendmail_main },
	{ "send-mail", sendmail_main },
	{ "mailq", sendmail_main },
	{ "newaliases", sendmail_main },
	{ "runq", sendmail_main },
	{ "rmail", not_yet },
	{ NULL, native },
};

int
main(int argc, char *argv[])
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = slash != NULL ? slash + 1
	    : argc > 0                   ? argv[0]
					 : "smtpsend";
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	const struct sigaction normal = { .sa_handler = SIG_DFL };
	struct waiter w = { .stop = &stop };
	const struct run_face run = { .waiter = &w, .on_deliver = on_deliver };
	const struct face *face = faces;

	open_standard();
	if (getauxval(AT_SECURE) != 0) {
		fputs("smtpsend: must not be set-uid or set-gid\n", stderr);
		return EX_CONFIG;
	}
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL); /* ulimit -f is a full disk */
	/* Who called us may ignore it: then no child's exit status is heard. */
	sigaction(SIGCHLD, &normal, NULL);
	umask(077);
	sigprocmask(SIG_BLOCK, NULL, &w.mask);
	catch (end_now);
	while (face->name != NULL && strcmp(name, face->name) != 0)
		face++;
	return face->main(&run, name, argc, argv);
}
