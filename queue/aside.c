/*
 * aside: see aside.h.
 * Callers: queue/spool.c, cli.
 * It opens no entry, since one may be a FIFO, a link, or anything at all.
 * rename(2), fsync(2).
 * Ownership: borrows folders.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/enc.h"
#include "queue/aside.h"
#include "queue/folder.h"

#define WHY_SUFFIX ".why"
#define WHY_SIZE (ENTRY_ID_SIZE + sizeof WHY_SUFFIX)

static void
why_name(char name[WHY_SIZE], const char *id)
{
	snprintf(name, WHY_SIZE, "%s" WHY_SUFFIX, id);
}

/* Its descriptor, or -1 with errno. In `in` users may have made anything. */
static int
open_broken(const struct folder *f)
{
	if (f->kind != FOLDER_OWN) {
		errno = ENOENT;
		return -1;
	}
	return openat(f->fd, FOLDER_BROKEN,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* ---- putting ---- */

/* Why, for the person who finds it: nothing depends on it. */
static void
tell_why(int dir, const char *id, const struct err *why)
{
	char name[WHY_SIZE];
	uint64_t off = 0;
	int fd;

	why_name(name, id);
	unlinkat(dir, name, 0);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | FOLDER_OPEN, 0600);
	if (fd == -1)
		return;
	if (folder_write(fd, &off, why->text, strlen(why->text)) == 0 &&
	    folder_write(fd, &off, "\n", 1) == 0)
		fsync(fd);
	close(fd);
}

int
aside_put(const struct folder *f, const char *name, const char *id,
    const struct err *why, struct err *e)
{
	int dir, got = 0;

	if (mkdirat(f->fd, FOLDER_BROKEN, 0700) == -1 && errno != EEXIST)
		return folder_trouble(f, e, "set aside an entry of");
	dir = open_broken(f);
	if (dir == -1)
		return folder_trouble(f, e, "set aside an entry of");
	/* The rename does nothing if both are names of one file. */
	unlinkat(dir, id, 0);
	if (renameat(f->fd, name, dir, id) == 0) {
		tell_why(dir, id, why);
		fsync(dir);
		fsync(f->fd);
	} else if (errno == ENOENT) {
		got = 1;
	} else {
		got = folder_trouble(f, e, "set aside an entry of");
	}
	close(dir);
	return got;
}

/* ---- listing ---- */

/* The first line of the reason; "" if it cannot be had. */
static void
read_why(int dir, struct aside *a)
{
	char name[WHY_SIZE], text[ERR_TEXT_MAX];
	ssize_t n = 0;
	int fd;

	why_name(name, a->id);
	fd = openat(dir, name, O_RDONLY | FOLDER_OPEN);
	if (fd != -1) {
		n = read(fd, text, sizeof text - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	enc_printable_str(a->why, sizeof a->why, text, strlen(text));
}

/* True if there is one of that id. */
static bool
look(int dir, const char *id, struct aside *a)
{
	struct stat st;

	*a = (struct aside){ .size = 0 };
	if (fstatat(dir, id, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return false;
	snprintf(a->id, sizeof a->id, "%s", id);
	a->size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
	read_why(dir, a);
	return true;
}

int
aside_list(const struct folder *f, aside_fn *fn, void *ctx, struct err *e)
{
	struct folder broken = *f;
	struct names names = { .ids = NULL };
	struct aside a;
	int rc;

	broken.fd = open_broken(f);
	if (broken.fd == -1)
		return errno == ENOENT ? 0 : folder_trouble(f, e, "list");
	rc = names_read(&broken, &names, "");
	if (rc == -1)
		folder_trouble(f, e, "list");
	for (size_t i = 0; rc == 0 && i < names.n; i++)
		if (look(broken.fd, names.ids[i], &a))
			rc = fn(ctx, &a);
	free(names.ids);
	close(broken.fd);
	return rc;
}

bool
aside_find(const struct folder *f, const char *id, struct aside *a)
{
	int dir = entry_id_valid(id) ? open_broken(f) : -1;
	bool found;

	if (dir == -1)
		return false;
	found = look(dir, id, a);
	close(dir);
	return found;
}

/* ---- removing ---- */

/* Whatever it is: 0, or -1 with errno. */
static int
unlink_any(int dir, const char *id)
{
	if (unlinkat(dir, id, 0) == 0)
		return 0;
	return errno == EISDIR ? unlinkat(dir, id, AT_REMOVEDIR) : -1;
}

int
aside_remove(const struct folder *f, const char *id, struct err *e)
{
	int dir = entry_id_valid(id) ? open_broken(f) : -1, got = 0;
	char name[WHY_SIZE];

	if (dir == -1)
		return 1;
	if (unlink_any(dir, id) == -1) {
		got = errno == ENOENT
		    ? 1
		    : folder_trouble(f, e, "remove a broken entry from");
	} else {
		why_name(name, id);
		unlinkat(dir, name, 0);
		if (fsync(dir) == -1)
			got =
			    folder_trouble(f, e, "remove a broken entry from");
	}
	close(dir);
	return got;
}
