/*
 * alias_open: see alias_open.h. A list may lie in the home of who keeps it.
 * He says who gets its mail, but must not make root read what is not his: so
 * no link is followed, and nobody else's file in his folder is believed.
 * Callers: queue/aliases.c. It writes nothing.
 * open(2) O_NOFOLLOW, openat(2), fstat(2).
 * Ownership: see alias_open.h.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/alias_file.h"
#include "queue/alias_open.h"

#define READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
#define FOLDER_FLAGS (O_PATH | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY)
#define BY_OTHERS (S_IWGRP | S_IWOTH)
#define BLOCK 65536

void
alias_place(struct err *e, const char *file, size_t line, const struct err *why)
{
	struct err from = *why;

	err_set(
	    e, from.verdict, from.kind, "%s:%zu: %s", file, line, from.text);
}

static int
trouble(const char *path, int num, struct err *e)
{
	if (err_may_pass(num))
		return err_errno(
		    e, ERR_TEMP, ERR_MACHINE, num, "cannot read %s", path);
	if (num == EACCES)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "%s is closed to this user: chmod a+r %s, and a+x to the "
		    "folders above",
		    path, path);
	return err_errno(e, ERR_PERM, ERR_CONFIG, num, "cannot read %s", path);
}

/* ---- whom we believe ---- */

static int
check_file(const char *path, const struct stat *st, struct err *e)
{
	if (!S_ISREG(st->st_mode))
		return err_set(
		    e, ERR_PERM, ERR_CONFIG, "%s is no regular file", path);
	if ((st->st_mode & BY_OTHERS) != 0)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "%s may be written by others (mode %03o): chmod go-w %s",
		    path, (unsigned)(st->st_mode & 0777), path);
	return 0;
}

static int
foreign(const char *path, uid_t is, uid_t wanted, struct err *e)
{
	return err_set(e, ERR_PERM, ERR_CONFIG,
	    "%s belongs to user %lu: chown %lu %s", path, (unsigned long)is,
	    (unsigned long)wanted, path);
}

static int
check_main(const char *path, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return trouble(path, errno, e);
	if (check_file(path, &st, e) == -1)
		return -1;
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return foreign(path, st.st_uid, 0, e);
	return 0;
}

static int
check_list(const char *path, int folder, int fd, struct err *e)
{
	struct stat above, st;
	const char *slash = strrchr(path, '/');

	if (fstat(folder, &above) == -1 || fstat(fd, &st) == -1)
		return trouble(path, errno, e);
	if (check_file(path, &st, e) == -1)
		return -1;
	if ((above.st_mode & BY_OTHERS) != 0)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "%s is in a folder that others may write (mode %03o): "
		    "chmod go-w %.*s",
		    path, (unsigned)(above.st_mode & 0777),
		    slash == path ? 1 : (int)(slash - path), path);
	if (above.st_uid != 0 && above.st_uid != geteuid() &&
	    st.st_uid != above.st_uid)
		return foreign(path, st.st_uid, above.st_uid, e);
	return 0;
}

/* ---- opening ---- */

/* One step down, without following a link; `from` is closed. */
static int
step(int from, const char *name, int flags)
{
	int fd = openat(from, name, flags), num = errno;

	close(from);
	errno = num;
	return fd;
}

/* The folder of a file, by its whole path; *last is the file's name. */
static int
open_folder(const char *path, const char **last)
{
	char name[ALIAS_PATH_MAX];
	int fd = open("/", FOLDER_FLAGS);
	size_t n;

	for (path += strspn(path, "/"); fd != -1; path += strspn(path, "/")) {
		n = strcspn(path, "/");
		*last = path;
		if (path[n] == '\0')
			break;
		snprintf(name, sizeof name, "%.*s", (int)n, path);
		fd = step(fd, name, FOLDER_FLAGS);
		path += n;
	}
	return fd;
}

/* What O_NOFOLLOW says of a link is no help to people. */
static int
list_trouble(const char *path, int num, struct err *e)
{
	if (num == ELOOP || num == ENOTDIR)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "%s goes through a symbolic link or what is no folder; "
		    "write the path that realpath prints",
		    path);
	return trouble(path, num, e);
}

static int
open_list(const char *path, struct err *e)
{
	const char *name = "";
	int folder = open_folder(path, &name), fd, num;

	if (folder == -1)
		return list_trouble(path, errno, e);
	fd = openat(folder, name, READ_FLAGS | O_NOFOLLOW);
	num = errno;
	if (fd == -1)
		list_trouble(path, num, e);
	else if (check_list(path, folder, fd, e) == -1) {
		close(fd);
		fd = -1;
	}
	close(folder);
	return fd;
}

/* The descriptor; -1 with *e; -2: there is none. */
static int
open_main(const char *path, struct err *e)
{
	int fd = open(path, READ_FLAGS);

	if (fd == -1 && errno == ENOENT)
		return -2;
	if (fd == -1)
		return trouble(path, errno, e);
	if (check_main(path, fd, e) == 0)
		return fd;
	close(fd);
	return -1;
}

static int
read_all(int fd, const char *path, struct buf *text, struct err *e)
{
	ssize_t got;
	char *room;

	for (;;) {
		room = buf_room(text, BLOCK);
		if (room == NULL && buf_starved(text))
			return trouble(path, ENOMEM, e);
		if (room == NULL)
			return err_set(e, ERR_PERM, ERR_CONFIG,
			    "%s is larger than %zu octets", path, text->max);
		got = read(fd, room, BLOCK);
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return trouble(path, errno, e);
		if (got == 0)
			return 0;
		buf_grew(text, (size_t)got);
	}
}

int
alias_read(
    const char *path, enum alias_source source, struct buf *text, struct err *e)
{
	int fd = source == ALIAS_LIST ? open_list(path, e) : open_main(path, e);
	int rc;

	if (fd < 0)
		return fd == -2 ? 1 : -1;
	rc = read_all(fd, path, text, e);
	close(fd);
	return rc;
}
