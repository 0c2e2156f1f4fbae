/*
 * dotlock: see dotlock.h. liblockfile is loaded by one table of symbols; it
 * is asked for one attempt each time, since it would sleep between two.
 * Callers: box.c.
 * lockfile_create(3).
 * Ownership: see dotlock.h.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lockfile.h>

#include "base/err.h"
#include "base/library.h"
#include "store/dotlock.h"

#define LIBRARY "liblockfile.so.1"
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* All that is called in it, a row each. */
#define SYMBOLS(X)                                                             \
	X(lockfile_create)                                                     \
	X(lockfile_remove)                                                     \
	X(lockfile_touch)

struct dotlock {
	void *handle; /* owned: dlopen(3)'s */
	char *path; /* owned */
	bool held;
#define FIELD(name) __typeof__(name) *(name);
	SYMBOLS(FIELD)
#undef FIELD
};

static int
library_load(struct dotlock *d, struct err *e)
{
	const char *missing = NULL;

	d->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (d->handle == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE,
		    "locking a mailbox needs liblockfile (package "
		    "liblockfile1): %s",
		    dlerror());
#define LOAD(name) library_symbol(d->handle, #name, &d->name, &missing);
	SYMBOLS(LOAD)
#undef LOAD
	if (missing == NULL)
		return 0;
	return err_set(
	    e, ERR_TEMP, ERR_MACHINE, "this liblockfile has no %s", missing);
}

struct dotlock *
dotlock_open(const char *mailbox, struct err *e)
{
	struct dotlock *d = calloc(1, sizeof *d);

	if (d == NULL || asprintf(&d->path, "%s.lock", mailbox) == -1) {
		free(d);
		err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
		return NULL;
	}
	if (library_load(d, e) == 0)
		return d;
	dotlock_close(d);
	return NULL;
}

void
dotlock_close(struct dotlock *d)
{
	if (d == NULL)
		return;
	dotlock_release(d);
	if (d->handle != NULL)
		dlclose(d->handle);
	free(d->path);
	free(d);
}

/* What it says in place of errno, which its helper cannot hand on. */
static const char *
reason(int rc)
{
	static const struct {
		int rc;
		const char *why;
	} rows[] = {
		{ L_NAMELEN, "its name is too long" },
		{ L_TMPLOCK, "this user may not make a file there" },
		{ L_TMPWRITE, "there is no room for it" },
		{ L_RMSTALE, "an old one cannot be removed" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].rc == rc)
			return rows[i].why;
	return "dotlockfile failed, as it does in a folder that the user "
	       "may not enter";
}

int
dotlock_try(struct dotlock *d, struct err *e)
{
	int rc, num;

	errno = 0;
	rc = d->lockfile_create(d->path, 0, 0);
	num = errno;
	d->held = rc == L_SUCCESS;
	if (d->held)
		return 0;
	if (rc == L_MAXTRYS)
		return 1;
	/* EINTR is what it says of a helper that failed for whatever reason. */
	if (num != 0 && num != EINTR)
		err_errno(e, ERR_TEMP, ERR_MACHINE, num,
		    "cannot make the lock %s", d->path);
	else
		err_set(e, ERR_TEMP, ERR_MACHINE, "cannot make the lock %s: %s",
		    d->path, reason(rc));
	e->enhanced = num == ENOSPC ? (struct enhanced){ 4, 3, 1 }
				    : (struct enhanced){ 4, 2, 0 };
	return -1;
}

void
dotlock_release(struct dotlock *d)
{
	if (d->held)
		d->lockfile_remove(d->path);
	d->held = false;
}

void
dotlock_touch(const struct dotlock *d)
{
	if (d->held)
		d->lockfile_touch(d->path);
}

const char *
dotlock_path(const struct dotlock *d)
{
	return d->path;
}
