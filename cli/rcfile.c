/*
 * rcfile: see rcfile.h. A stack of open files: what is asked of a file is
 * asked of its descriptor, so that nobody swaps it in between.
 * Callers: accounts.c.
 * The system's file may be closed to us: then it is not meant for us.
 * XDG Base Directory Specification.
 * Ownership: closes what it opened before it returns.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/wait.h"
#include "cli/config.h"
#include "cli/machine.h"
#include "cli/rcfile.h"
#include "cli/report.h"
#include "net/command.h"
#include "net/credential.h"

#define PATH_LENGTH_MAX 4096
/* Milliseconds for a file that is a pipe. */
#define READ_TIMEOUT (60 * 1000)

struct reader {
	const struct waiter *waiter;
	struct {
		int fd;
		char *path; /* owned */
	} files[CONFIG_DEPTH_MAX + 1];
	size_t n;
};

/* ---- one file ---- */

static int
trouble(const char *path, int num, struct err *e)
{
	return err_errno(e, err_may_pass(num) ? ERR_TEMP : ERR_PERM, ERR_CONFIG,
	    num, "configuration file %s", path);
}

static int
read_all(
    struct reader *r, int fd, const char *path, struct buf *text, struct err *e)
{
	int64_t deadline = wait_until(READ_TIMEOUT);
	char *room;
	ssize_t got;

	for (;;) {
		if (wait_fd(r->waiter, fd, POLLIN, deadline) <= 0)
			return err_set(e, ERR_TEMP, ERR_CONFIG,
			    "configuration file %s: nothing comes", path);
		room = buf_room(text, 4096);
		if (room == NULL && buf_starved(text))
			return err_set(
			    e, ERR_TEMP, ERR_MACHINE, "no memory for %s", path);
		if (room == NULL)
			return err_set(e, ERR_PERM, ERR_CONFIG,
			    "configuration file %s is longer than 1 MiB", path);
		got = read(fd, room, 4096);
		if (got == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got == -1)
			return trouble(path, errno, e);
		if (got == 0)
			return 0;
		buf_grew(text, (size_t)got);
	}
}

/* Open it, push it and read it: 0, or -1 with *e and errno of open(2). */
static int
push(struct reader *r, const char *path, struct buf *text, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int num = errno;
	char *copy;

	if (fd == -1) {
		trouble(path, num, e);
		errno = num;
		return -1;
	}
	machine_keep_private();
	copy = strdup(path);
	if (copy == NULL)
		err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	if (copy == NULL || read_all(r, fd, path, text, e) == -1) {
		free(copy);
		close(fd);
		errno = 0;
		return -1;
	}
	r->files[r->n].fd = fd;
	r->files[r->n++].path = copy;
	return 0;
}

static void
pop(struct reader *r)
{
	r->n--;
	close(r->files[r->n].fd);
	free(r->files[r->n].path);
}

/* ---- the world of config.c ---- */

/* Who else may write it could make us run anything. */
static int
check_ours(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return trouble(path, errno, e);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "%s can run commands but belongs to user %lu: chown %lu "
		    "%s",
		    path, (unsigned long)st.st_uid, (unsigned long)geteuid(),
		    path);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "%s can run commands but others may write it (mode %03o): "
		    "chmod go-w %s",
		    path, (unsigned)(st.st_mode & 0777), path);
	return 0;
}

static int
trust(void *ctx, enum config_trust what, struct err *e)
{
	const struct reader *r = ctx;
	int fd = r->files[r->n - 1].fd;
	const char *path = r->files[r->n - 1].path;

	return what == CONFIG_PRIVATE ? credential_check_file(fd, path, e)
				      : check_ours(fd, path, e);
}

/* A path beside the file that names it. */
static int
beside(const struct reader *r, const char *path, char *out, size_t size,
    struct err *e)
{
	const char *from = r->files[r->n - 1].path;
	const char *slash = strrchr(from, '/');
	int n = path[0] == '/' || slash == NULL ? 0 : (int)(slash + 1 - from);

	if ((size_t)snprintf(out, size, "%.*s%s", n, from, path) >= size)
		return err_set(e, ERR_PERM, ERR_CONFIG, "the path is too long");
	return 0;
}

static int
enter(void *ctx, const char *path, struct buf *text, char **name, struct err *e)
{
	struct reader *r = ctx;
	char whole[PATH_LENGTH_MAX];

	if (beside(r, path, whole, sizeof whole, e) == -1 ||
	    push(r, whole, text, e) == -1)
		return -1;
	*name = strdup(whole);
	if (*name != NULL)
		return 0;
	pop(r);
	return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
}

static void
leave(void *ctx)
{
	pop(ctx);
}

static int
eval(void *ctx, const char *command, struct buf *out, struct err *e)
{
	const struct reader *r = ctx;

	return command_shell(
	    "eval", command, CREDENTIAL_TIMEOUT, r->waiter, out, e);
}

/* Where it is not said, the user data base is asked. */
static const char *
home(void *ctx)
{
	const char *dir = getenv("HOME");
	const struct passwd *pw;

	(void)ctx;
	if (dir != NULL && dir[0] == '/')
		return dir;
	pw = getpwuid(getuid());
	return pw != NULL ? pw->pw_dir : NULL;
}

static void
warn(void *ctx, const char *text)
{
	(void)ctx;
	report_warning(stderr, text);
}

/* ---- which ---- */

/* True if there is nothing for us, by errno of open(2). A folder that we may
 * not enter is somebody else's home; a file that we see was put there for us,
 * unless it is the system's. */
static bool
is_absent(const char *path, int num, bool system)
{
	struct stat st;

	return num == ENOENT || num == ENOTDIR ||
	    (num == EACCES && (system || stat(path, &st) == -1));
}

/* 0 read, 1 not there, -1 with *e. */
static int
load(struct reader *r, struct config *c, const char *path, bool system,
    struct err *e)
{
	const struct config_world world = { r, trust, enter, leave, eval, home,
		warn };
	struct buf text;
	int got;

	buf_init(&text, CONFIG_MAX);
	got = push(r, path, &text, e);
	if (got == -1) {
		if (is_absent(path, errno, system))
			got = 1;
	} else {
		got =
		    config_parse(c, path, buf_str(&text), text.len, &world, e);
		pop(r);
	}
	buf_free(&text);
	return got;
}

/* A file of the user's: FOLDER/NAME, if the folder is a whole path. */
static int
load_from(struct reader *r, struct config *c, const char *folder,
    const char *name, struct err *e)
{
	char path[PATH_LENGTH_MAX];

	if (folder == NULL || folder[0] != '/' ||
	    (size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >=
		sizeof path)
		return 1;
	return load(r, c, path, false, e);
}

static int
load_user(struct reader *r, struct config *c, struct err *e)
{
	const char *dir = getenv("XDG_CONFIG_HOME"), *at_home = getenv("HOME");
	int got;

	if (dir != NULL && dir[0] == '/')
		got = load_from(r, c, dir, "smtpsend/config", e);
	else
		got = load_from(r, c, at_home, ".config/smtpsend/config", e);
	return got == 1 ? load_from(r, c, at_home, ".smtpsendrc", e) : got;
}

int
rcfile_load_system(struct config *c, const struct waiter *w, struct err *e)
{
	struct reader r = { .waiter = w };

	return load(&r, c, RCFILE_SYSTEM, true, e) == -1 ? -1 : 0;
}

int
rcfile_load(
    struct config *c, const char *only, const struct waiter *w, struct err *e)
{
	struct reader r = { .waiter = w };

	if (only != NULL)
		return load(&r, c, only, false, e) == 0 ? 0 : -1;
	if (load(&r, c, RCFILE_SYSTEM, true, e) == -1)
		return -1;
	config_layer(c);
	return load_user(&r, c, e) == -1 ? -1 : 0;
}
