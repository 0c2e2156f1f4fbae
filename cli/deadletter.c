/*
 * deadletter: see deadletter.h.
 * Callers: send.c. HOME may be another's, as that of root by su(1) or sudo(8):
 * he could not read what we leave there, or lead us to what is not his.
 * Source: the project's own design.
 * Ownership: see deadletter.h.
 */
#include <sys/stat.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/deadletter.h"
#include "store/box.h"

#define NAME "dead.letter"

/* Whoever holds its lock adds a message of his own. */
#define LOCK_MS 5000

/* True if it is a folder of the user that we are. */
static bool
is_ours(const char *home)
{
	struct stat st;

	return home != NULL && home[0] == '/' && stat(home, &st) == 0 &&
	    S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

/* Into out: 0, or -1 with *e. */
static int
find(char out[MACHINE_PATH_MAX], struct err *e)
{
	const char *home = machine_home();
	const struct passwd *pw;

	if (!is_ours(home)) {
		pw = getpwuid(geteuid());
		home = pw != NULL ? pw->pw_dir : NULL;
	}
	if (!is_ours(home))
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "this user has no home of his own");
	if (snprintf(out, MACHINE_PATH_MAX, "%s/" NAME, home) >=
	    MACHINE_PATH_MAX)
		return err_set(e, ERR_PERM, ERR_CONFIG, "%s is too long", home);
	return 0;
}

int
deadletter_add(const struct octets *letter, const char *sender,
    const struct waiter *w, char out[MACHINE_PATH_MAX], struct err *e)
{
	const struct sigaction ignored = { .sa_handler = SIG_IGN };
	const struct box_config box = { .path = out,
		.owner = geteuid(),
		.create = 0600,
		.lock_wait = LOCK_MS,
		.host = "",
		.waiter = w };
	const struct box_mail mail = {
		.octets = *letter, .sender = sender, .time = time(NULL)
	};
	struct sigaction before;
	int rc;

	if (find(out, e) == -1)
		return -1;
	/* A limit on files is an error like a full disk. */
	sigaction(SIGXFSZ, &ignored, &before);
	rc = box_mbox(&box, &mail, e);
	sigaction(SIGXFSZ, &before, NULL);
	return rc;
}
