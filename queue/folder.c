/*
 * folder: see folder.h. All names are one component below the folder's
 * descriptor, so that nobody can lead them elsewhere.
 * Callers: queue/spool.c.
 * open(2), rename(2), fsync(2), syncfs(2), fcntl(2) F_OFD_SETLK.
 * Ownership: a folder has its descriptor until folder_close().
 */
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "queue/folder.h"

int
folder_trouble(const struct folder *f, struct err *e, const char *doing)
{
	return err_errno(
	    e, ERR_TEMP, ERR_MACHINE, errno, "cannot %s %s", doing, f->path);
}

/* ---- making it ---- */

/* Cut a path behind the component that ends at or after `at`: where it was
 * cut, or 0 behind the last one. */
static size_t
next_part(char *path, size_t at)
{
	while (path[at] == '/')
		at++;
	at += strcspn(path + at, "/");
	if (path[at] == '\0')
		return 0;
	path[at] = '\0';
	return at;
}

/* 0, or why the first one was not made that is not there. */
static int
make_parts(char *path)
{
	size_t at = 0;
	int num = 0;

	do {
		at = next_part(path, at);
		if (mkdir(path, 0700) == -1 && errno != EEXIST && num == 0)
			num = errno;
		if (at > 0)
			path[at] = '/';
	} while (at > 0);
	return num;
}

/* Sync a folder in which one of ours may have been made. */
static int
sync_part(const char *path)
{
	int rc = 0, fd;

	if (access(path, W_OK) == -1)
		return 0;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return errno == EACCES ? 0 : -1;
	/* Some kinds of folder cannot be, which nothing can be made in. */
	if (fsync(fd) == -1 && errno != EINVAL && errno != EROFS)
		rc = -1;
	close(fd);
	return rc;
}

static int
sync_parts(char *path)
{
	size_t at = 0;

	if (sync_part(path[0] == '/' ? "/" : ".") == -1)
		return -1;
	while ((at = next_part(path, at)) > 0) {
		if (sync_part(path) == -1)
			return -1;
		path[at] = '/';
	}
	return 0;
}

/* `broken` is made last, and says that all above it is there to stay. */
static int
finish_folder(const struct folder *f)
{
	struct stat st;

	if (fstatat(f->fd, FOLDER_BROKEN, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (errno != ENOENT || sync_parts(f->path) == -1 ||
	    (mkdirat(f->fd, FOLDER_BROKEN, 0700) == -1 && errno != EEXIST))
		return -1;
	return fsync(f->fd);
}

/* ---- is it what it should be? ---- */

#define BY_OTHERS (S_IWGRP | S_IWOTH)

/* What users added to `in` stays theirs. */
static int
check_owner(const struct folder *f, uid_t is, uid_t wanted, struct err *e)
{
	if (is == wanted)
		return 0;
	return err_set(e, ERR_TEMP, ERR_MACHINE,
	    "the queue's folder %s belongs to user %lu: chown %s%lu %s",
	    f->path, (unsigned long)is, f->kind == FOLDER_OWN ? "-R " : "",
	    (unsigned long)wanted, f->path);
}

static int
check_own(const struct folder *f, const struct stat *st, struct err *e)
{
	if (check_owner(f, f->uid, geteuid(), e) == -1)
		return -1;
	if ((st->st_mode & BY_OTHERS) != 0)
		return err_set(e, ERR_TEMP, ERR_MACHINE,
		    "others may write into the queue's folder %s: "
		    "do chmod 700 to it",
		    f->path);
	return 0;
}

/* Who may not open it may still see whose it is. */
static int
not_open(const struct folder *f, struct err *e)
{
	const int num = errno;
	struct stat st;

	if (num == EACCES && f->kind != FOLDER_ADD &&
	    lstat(f->path, &st) == 0 &&
	    check_owner(f, st.st_uid, geteuid(), e) == -1)
		return -1;
	errno = num;
	return folder_trouble(f, e, "open the queue's folder");
}

/* Users add and cannot list, remove only what is theirs, and its group, which
 * the runner is in, reads; nobody but the owner can put another in its
 * place. */
static int
check_add(const struct folder *f, const struct stat *st, struct err *e)
{
	struct stat above;

	if ((st->st_mode & 07777) != FOLDER_IN_MODE)
		return err_set(e, ERR_TEMP, ERR_MACHINE,
		    "the queue's folder %s has mode %04o: do chmod %04o to it",
		    f->path, (unsigned)(st->st_mode & 07777), FOLDER_IN_MODE);
	if (fstatat(f->fd, "..", &above, AT_SYMLINK_NOFOLLOW) == -1)
		return folder_trouble(f, e, "look above");
	if ((above.st_mode & BY_OTHERS) != 0)
		return err_set(e, ERR_TEMP, ERR_MACHINE,
		    "others may write into the folder above the queue's "
		    "folder %s: do chmod go-w to it",
		    f->path);
	return check_owner(f, f->uid, above.st_uid, e);
}

static bool
is_in_group(gid_t gid)
{
	gid_t *groups;
	bool found = getegid() == gid || geteuid() == 0;
	int n = getgroups(0, NULL);

	if (found || n <= 0)
		return found;
	groups = calloc((size_t)n, sizeof *groups);
	n = groups != NULL ? getgroups(n, groups) : 0;
	for (int i = 0; i < n; i++)
		found |= groups[i] == gid;
	free(groups);
	return found;
}

static int
check_take(const struct folder *f, const struct stat *st, struct err *e)
{
	if (check_owner(f, f->uid, geteuid(), e) == -1 ||
	    check_add(f, st, e) == -1)
		return -1;
	/* Nothing of what others put there could be read. */
	if (!is_in_group(f->gid))
		return err_set(e, ERR_TEMP, ERR_MACHINE,
		    "the owner of the queue's folder %s is not in its group",
		    f->path);
	return 0;
}

/* ---- opening ---- */

static const struct kind {
	int flags; /* it is opened with */
	bool made; /* by us */
	mode_t mode; /* of files in it */
	int (*check)(const struct folder *, const struct stat *, struct err *e);
} kinds[] = {
	[FOLDER_OWN] = { O_RDONLY, true, 0600, check_own },
	[FOLDER_ADD] = { O_PATH, false, 0640, check_add },
	[FOLDER_TAKE] = { O_RDONLY, false, 0640, check_take },
};

static int
open_it(struct folder *f)
{
	f->fd = open(f->path,
	    kinds[f->kind].flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return f->fd == -1 ? -1 : 0;
}

static int
check_folder(struct folder *f, struct err *e)
{
	struct stat st;

	if (fstat(f->fd, &st) == -1)
		return folder_trouble(f, e, "look at");
	f->uid = st.st_uid;
	f->gid = st.st_gid;
	return kinds[f->kind].check(f, &st, e);
}

static int
start(struct folder *f, bool make, struct err *e)
{
	int num;

	if (open_it(f) == -1) {
		if (errno != ENOENT)
			return not_open(f, e);
		if (!make)
			return 1;
		num = make_parts(f->path);
		if (open_it(f) == -1) {
			errno = num != 0 ? num : errno;
			return folder_trouble(f, e, "make the queue's folder");
		}
	}
	if (check_folder(f, e) == -1)
		return -1;
	if (make && finish_folder(f) == -1)
		return folder_trouble(f, e, "make the queue's folder");
	return 0;
}

int
folder_open(struct folder **to, const struct folder_config *c, struct err *e)
{
	struct folder *f = calloc(1, sizeof *f);
	size_t n;
	int rc;

	*to = NULL;
	if (f == NULL || (f->path = strdup(c->path)) == NULL) {
		free(f);
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	}
	/* Behind a slash a link would be followed. */
	n = strlen(f->path);
	while (n > 1 && f->path[n - 1] == '/')
		f->path[--n] = '\0';
	f->fd = -1;
	f->kind = c->kind;
	f->draw = c->draw;
	rc = start(f, c->make && kinds[c->kind].made, e);
	if (rc == 0)
		*to = f;
	else
		folder_close(f);
	return rc;
}

void
folder_close(struct folder *f)
{
	if (f == NULL)
		return;
	if (f->fd != -1)
		close(f->fd);
	free(f->path);
	free(f);
}

/* ---- files ---- */

/* The group of `in` reads what is there, whatever the umask is: its owner
 * could not take it otherwise. */
static int
let_group_read(const struct folder *f, int fd)
{
	struct stat st;

	if (fchmod(fd, kinds[f->kind].mode) == -1 || fstat(fd, &st) == -1)
		return -1;
	if (st.st_gid == f->gid)
		return 0;
	errno = EPERM;
	return -1;
}

int
folder_create(const struct folder *f, const char *name)
{
	int num,
	    fd = openat(f->fd, name, O_RDWR | O_CREAT | O_EXCL | FOLDER_OPEN,
		kinds[f->kind].mode);

	if (fd == -1 || f->kind == FOLDER_OWN || let_group_read(f, fd) == 0)
		return fd;
	num = errno;
	unlinkat(f->fd, name, 0);
	close(fd);
	errno = num;
	return -1;
}

/* Who may not read a folder cannot have it synced: all of its file system is,
 * then. */
int
folder_keep(const struct folder *f, int fd)
{
	return f->kind == FOLDER_ADD ? syncfs(fd) : fsync(f->fd);
}

static int
lock_as(int fd, short type)
{
	struct flock whole = { .l_type = type, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? 1 : -1;
}

bool
folder_locked(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

int
folder_lock(int fd)
{
	return lock_as(fd, F_WRLCK);
}

int
folder_lock_shared(int fd)
{
	return lock_as(fd, F_RDLCK);
}

void
folder_unlock(int fd)
{
	struct flock whole = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	fcntl(fd, F_OFD_SETLK, &whole);
}

int
folder_has(const struct folder *f, const char *name, int fd)
{
	struct stat here, there;

	if (fstat(fd, &here) == -1)
		return -1;
	if (fstatat(f->fd, name, &there, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	return here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

int
folder_write(int fd, uint64_t *off, const char *p, size_t n)
{
	ssize_t put;

	for (; n > 0; p += put, n -= (size_t)put, *off += (uint64_t)put) {
		put = pwrite(fd, p, n, (off_t)*off);
		if (put == -1 && errno == EINTR)
			put = 0;
		else if (put == -1)
			return -1;
	}
	return 0;
}

/* ---- names ---- */

static int
names_add(struct names *names, const char *id)
{
	size_t size = names->size == 0 ? 64 : names->size * 2;
	void *ids;

	if (names->n == names->size) {
		ids = reallocarray(names->ids, size, sizeof names->ids[0]);
		if (ids == NULL)
			return -1;
		names->ids = ids;
		names->size = size;
	}
	snprintf(names->ids[names->n++], ENTRY_ID_SIZE, "%s", id);
	return 0;
}

/* The id in a name with this suffix: true if it is one. */
static bool
id_of(char id[ENTRY_ID_SIZE], const char *name, const char *suffix)
{
	if (strlen(name) != ENTRY_ID_LEN + strlen(suffix) ||
	    strcmp(name + ENTRY_ID_LEN, suffix) != 0)
		return false;
	memcpy(id, name, ENTRY_ID_LEN);
	id[ENTRY_ID_LEN] = '\0';
	return entry_id_valid(id);
}

static int
by_id(const void *a, const void *b)
{
	return strcmp(a, b);
}

int
names_read(const struct folder *f, struct names *names, const char *suffix)
{
	int fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	char id[ENTRY_ID_SIZE];
	const struct dirent *d;
	int rc = 0;

	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	while (rc == 0 && (errno = 0, d = readdir(dir)) != NULL)
		if (id_of(id, d->d_name, suffix))
			rc = names_add(names, id);
	if (rc == 0 && errno != 0)
		rc = -1;
	closedir(dir);
	if (rc == 0 && names->n > 0)
		qsort(names->ids, names->n, sizeof names->ids[0], by_id);
	return rc;
}
