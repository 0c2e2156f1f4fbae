/*
 * spools: see spools.h.
 * Callers: native.c, send.c.
 * It makes no folder but by folder_open(), and asks passwd(5) only without
 * HOME.
 * XDG Base Directory Specification.
 * Ownership: see spools.h.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/machine.h"
#include "cli/spools.h"
#include "queue/folder.h"

#define STAMP "stamp"

/* ---- the user's own ---- */

/* Root could make a home that nobody has. */
static int
no_home(struct err *e, const char *dir)
{
	return err_set(e, ERR_PERM, ERR_CONFIG,
	    "no place for a queue: %s%s; set HOME or XDG_STATE_HOME, or "
	    "have a queue of the machine run, see smtpsend(1)",
	    dir != NULL ? "there is no folder " : "this user has no home",
	    dir != NULL ? dir : "");
}

static int
own(struct spools_place *p, struct err *e)
{
	const char *state = getenv("XDG_STATE_HOME"), *dir = NULL;
	struct stat st;
	int n;

	p->kind = SPOOLS_OWN;
	if (state != NULL && state[0] == '/') {
		n = snprintf(p->path, sizeof p->path, "%s/smtpsend", state);
	} else {
		dir = machine_home();
		/* One that we may not enter is there, and who opens the
		 * folder says so. */
		if (dir == NULL ||
		    (stat(dir, &st) == -1 &&
			(errno == ENOENT || errno == ENOTDIR)))
			return no_home(e, dir);
		n = snprintf(
		    p->path, sizeof p->path, "%s/.local/state/smtpsend", dir);
	}
	if ((size_t)n >= sizeof p->path)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "no place for a queue: %s is too long",
		    dir != NULL ? "HOME" : "XDG_STATE_HOME");
	snprintf(p->base, sizeof p->base, "%s", p->path);
	return 0;
}

/* ---- the machine's ---- */

static void
machine(struct spools_place *p, enum spools_kind kind)
{
	p->kind = kind;
	snprintf(p->base, sizeof p->base, SPOOLS_MACHINE);
	snprintf(p->path, sizeof p->path, SPOOLS_MACHINE "/%s",
	    kind == SPOOLS_QUEUE ? "queue" : "in");
}

void
spools_taken(struct spools_place *p)
{
	machine(p, SPOOLS_TAKE);
}

#define STAMP_PATH_MAX (MACHINE_PATH_MAX + sizeof STAMP)

static void
stamp_path(char path[STAMP_PATH_MAX], const struct spools_place *p)
{
	snprintf(path, STAMP_PATH_MAX, "%s/" STAMP, p->base);
}

int64_t
spools_age(const struct spools_place *p)
{
	char path[STAMP_PATH_MAX];
	struct stat st;
	int64_t age;

	stamp_path(path, p);
	if (stat(path, &st) == -1)
		return -1;
	age = (int64_t)time(NULL) - st.st_mtime;
	/* A clock that went back says nothing about the runner. */
	return age < 0 ? -age : age;
}

bool
spools_alive(const struct spools_place *p)
{
	int64_t age = spools_age(p);

	return age >= 0 && age <= SPOOLS_AGE_MAX;
}

/* Neither it nor the folder that it would be made in can be written. */
static bool
out_of_reach(const char *path)
{
	char up[MACHINE_PATH_MAX];
	char *slash;
	int got;

	snprintf(up, sizeof up, "%s", path);
	while ((got = access(up, W_OK)) == -1 && errno == ENOENT &&
	    (slash = strrchr(up, '/')) != NULL && slash != up)
		*slash = '\0';
	return got == -1;
}

/* The queue of the machine is run, but this service cannot see it so. */
static int
closed(const struct spools_place *in, struct err *e)
{
	return err_set(e, ERR_PERM, ERR_CONFIG,
	    "no place for a queue: %s is read-only to this service; give its "
	    "unit ReadWritePaths=%s",
	    in->path, in->path);
}

int
spools_for(struct spools_place *p, bool of_own, struct err *e)
{
	struct spools_place in;
	bool kept_out = false;
	int got;

	machine(&in, SPOOLS_IN);
	if (!of_own && spools_alive(&in)) {
		*p = in;
		if (access(in.path, W_OK | X_OK) == 0)
			return 0;
		kept_out = errno == EROFS;
	}
	got = own(p, e);
	if (kept_out && (got == -1 || out_of_reach(p->path)))
		return closed(&in, e);
	return got;
}

bool
spools_machine(struct spools_place *p)
{
	struct err e;

	return spools_for(p, false, &e) == 0 && p->kind == SPOOLS_IN;
}

/* His mail is there, if it is anywhere. */
static int
not_his(struct err *e)
{
	err_set(e, ERR_PERM, ERR_CONFIG,
	    "the queue of the machine, in " SPOOLS_MACHINE
	    ", is for root and its runner, and this user, without a home, has "
	    "no other: ask as root");
	e->enhanced = (struct enhanced){ 5, 7, 0 };
	return -1;
}

int
spools_seen(struct spools_place places[SPOOLS_MAX], struct err *e)
{
	const uid_t me = geteuid();
	struct spools_place p;
	struct stat st;
	int n = 0;

	if (stat(SPOOLS_MACHINE, &st) == 0 && (me == 0 || me == st.st_uid))
		machine(&places[n++], SPOOLS_QUEUE);
	if (own(&places[n], e) == 0)
		return n + 1;
	if (n == 0 && spools_machine(&p))
		return not_his(e);
	return n > 0 ? n : -1;
}

int
spools_open(
    const struct spools_place *p, bool make, struct folder **to, struct err *e)
{
	static const enum folder_kind kinds[] = { [SPOOLS_OWN] = FOLDER_OWN,
		[SPOOLS_IN] = FOLDER_ADD,
		[SPOOLS_QUEUE] = FOLDER_OWN,
		[SPOOLS_TAKE] = FOLDER_TAKE };
	const struct folder_config c = { .kind = kinds[p->kind],
		.path = p->path,
		.make = make,
		.draw = machine_random };

	return folder_open(to, &c, e);
}
