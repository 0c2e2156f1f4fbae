/*
 * intake: see intake.h. A name is claimed by a rename into a folder that only
 * we can change; what is behind it may still be written by who owns it, so it
 * is copied first, and the copy checked, which then takes its place.
 * Callers: cli/run.c.
 * renameat2(2), statvfs(3), fcntl(2) F_OFD_SETLK.
 * Ownership: closes what it opens.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "mail/message.h"
#include "queue/aside.h"
#include "queue/entry.h"
#include "queue/folder.h"
#include "queue/intake.h"
#include "queue/spool.h"
#include "queue/stored.h"

/* A name that was claimed. */
#define CLAIMED ".in"

/* Of one user in one pass: as many entries, and about as many octets. */
#define PASS_ENTRIES 1000
#define PASS_OCTETS ((uint64_t)256 * 1024 * 1024)

/* Octets that a copy leaves free, for what is to be noted. */
#define RESERVE ((uint64_t)16 * 1024 * 1024)

/* More tries than anybody makes before he queues. */
#define TRIES_MAX 100

/* Milliseconds; and how far into the future a clock may have been wrong. */
#define DAY ((int64_t)24 * 60 * 60 * 1000)
#define FUTURE_MAX (30 * DAY)

struct found {
	char id[ENTRY_ID_SIZE];
	uid_t uid;
	bool ready; /* to become an entry */
};

struct pass {
	const struct intake_config *c; /* borrowed */
	struct found *found; /* owned */
	size_t n;
	bool claimed; /* something was */
	bool left; /* of a user who had his turn */
	bool done; /* one at least is here no longer */
};

static void
note(const struct pass *p, const char *id, const struct err *e)
{
	p->c->on_note(p->c->ctx, id, e->text);
}

static void
name_of(char name[FOLDER_NAME_SIZE], const char *id, const char *suffix)
{
	snprintf(name, FOLDER_NAME_SIZE, "%s%s", id, suffix);
}

static void
fresh_id(const struct pass *p, char id[ENTRY_ID_SIZE])
{
	uint32_t random;

	p->c->queue->draw(&random, sizeof random);
	entry_id(id, p->c->now->wall, random);
}

/* Rename, but not onto something: 0, or -1 with errno, EEXIST for that. */
static int
rename_new(int from, const char *name, int to, const char *new)
{
	struct stat st;

	if (renameat2(from, name, to, new, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL)
		return -1;
	/* A file system that can only replace. */
	if (fstatat(to, new, &st, AT_SYMLINK_NOFOLLOW) == 0)
		errno = EEXIST;
	return errno == ENOENT ? renameat(from, name, to, new) : -1;
}

/* ---- each user's turn ---- */

static int
by_user(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return strcmp(x->id, y->id);
}

static int
find(struct pass *p, const struct folder *f, const char *suffix, struct err *e)
{
	struct names names = { .ids = NULL };
	char name[FOLDER_NAME_SIZE];
	struct stat st;
	int rc = names_read(f, &names, suffix);

	free(p->found);
	p->n = 0;
	p->found = calloc(names.n + 1, sizeof *p->found);
	if (rc == -1 || p->found == NULL) {
		folder_trouble(f, e, "list");
		free(names.ids);
		return -1;
	}
	for (size_t i = 0; i < names.n; i++) {
		name_of(name, names.ids[i], suffix);
		if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		memcpy(p->found[p->n].id, names.ids[i], ENTRY_ID_SIZE);
		p->found[p->n++].uid = st.st_uid;
	}
	free(names.ids);
	qsort(p->found, p->n, sizeof *p->found, by_user);
	return 0;
}

/* fn returns the octets that one was worth. */
static void
each(struct pass *p, uint64_t (*fn)(struct pass *, struct found *))
{
	size_t count = 0;
	uint64_t octets = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (i == 0 || p->found[i].uid != p->found[i - 1].uid)
			count = octets = 0;
		if (count == PASS_ENTRIES || octets >= PASS_OCTETS) {
			p->left = true;
			continue;
		}
		count++;
		octets += fn(p, &p->found[i]);
	}
}

/* ---- claiming ---- */

/* A folder cannot be moved out by who does not own it: it goes, or gets
 * another name. */
static void
put_folder_away(struct pass *p, const struct folder *f, const char *name)
{
	char id[ENTRY_ID_SIZE], to[FOLDER_NAME_SIZE];
	struct err e;

	if (unlinkat(f->fd, name, AT_REMOVEDIR) == 0)
		return;
	fresh_id(p, id);
	name_of(to, id, ".dir");
	if (rename_new(f->fd, name, f->fd, to) == 0)
		err_set(&e, ERR_PERM, ERR_DATA,
		    "a folder in the place of an entry: it is now %s/%s",
		    f->path, to);
	else
		folder_trouble(f, &e, "remove a folder from");
	note(p, name, &e);
}

static uint64_t
claim(struct pass *p, struct found *it)
{
	const int in = p->c->in->fd, queue = p->c->queue->fd;
	char id[ENTRY_ID_SIZE], name[FOLDER_NAME_SIZE];
	struct stat st;
	struct err e;
	int rc;

	if (fstatat(in, it->id, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode)) {
		put_folder_away(p, p->c->in, it->id);
		return 0;
	}
	name_of(name, it->id, CLAIMED);
	rc = rename_new(in, it->id, queue, name);
	if (rc == -1 && errno == EEXIST) {
		/* Nobody of ours uses an id twice: with another one it does
		 * not stay, and is found to be none. */
		fresh_id(p, id);
		name_of(name, id, CLAIMED);
		rc = rename_new(in, it->id, queue, name);
	}
	if (rc == 0) {
		p->claimed = true;
	} else if (errno != ENOENT) {
		folder_trouble(p->c->in, &e, "take an entry out of");
		note(p, it->id, &e);
	}
	return 0;
}

/* From here on the names are ours, also after a power cut. */
static int
claim_all(struct pass *p, struct err *e)
{
	if (find(p, p->c->in, "", e) == -1)
		return -1;
	each(p, claim);
	if (!p->claimed)
		return 0;
	if (fsync(p->c->queue->fd) == -1)
		return folder_trouble(p->c->queue, e, "sync");
	return fsync(p->c->in->fd) == -1 ? folder_trouble(p->c->in, e, "sync")
					 : 0;
}

/* ---- looking ---- */

enum verdict { READY, REFUSED, LATER, GONE };

/* One that was claimed, and the copy of it. */
struct copy {
	const struct pass *p; /* borrowed */
	const char *id; /* borrowed */
	char name[FOLDER_NAME_SIZE], tmp[FOLDER_NAME_SIZE];
	int from, to; /* owned; -1: not open */
	struct stat st;
	uint64_t off; /* copied so far */
};

static enum verdict
refuse(const struct copy *c, struct err *e, const char *what)
{
	err_set(e, ERR_PERM, ERR_DATA, "queue entry %s %s", c->id, what);
	return REFUSED;
}

static enum verdict
later(const struct copy *c, struct err *e, const char *doing)
{
	folder_trouble(c->p->c->queue, e, doing);
	return LATER;
}

static const char open_failed[] = "open an entry that was added to";
static const char copy_failed[] = "copy an entry that was added to";

/* Nobody of ours leaves one that its group cannot read. */
static enum verdict
unreadable(struct copy *c, struct err *e)
{
	const struct folder *queue = c->p->c->queue;
	int num = errno;

	if (fstatat(queue->fd, c->name, &c->st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(c->st.st_mode) &&
	    ((c->st.st_mode & S_IRGRP) == 0 ||
		c->st.st_gid != c->p->c->in->gid))
		return refuse(c, e, "cannot be read by the queue's group");
	errno = num;
	return later(c, e, open_failed);
}

static enum verdict
open_claimed(struct copy *c, struct err *e)
{
	c->from = openat(c->p->c->queue->fd, c->name, O_RDONLY | FOLDER_OPEN);
	if (c->from != -1)
		return fstat(c->from, &c->st) == 0 ? READY
						   : later(c, e, open_failed);
	switch (errno) {
	case ENOENT:
		return GONE;
	case ELOOP:
		return refuse(c, e, "is a symbolic link");
	case ENXIO:
	case ENODEV:
		return refuse(c, e, "is no regular file");
	case EACCES:
		return unreadable(c, e);
	default:
		return later(c, e, open_failed);
	}
}

static enum verdict
check_file(const struct copy *c, struct err *e)
{
	struct statvfs fs;

	if (!S_ISREG(c->st.st_mode))
		return refuse(c, e, "is no regular file");
	if (c->st.st_nlink > 1)
		return refuse(c, e, "has another name (a hard link)");
	if ((uint64_t)c->st.st_size > ENTRY_IN_MAX)
		return refuse(c, e, "is larger than 1 GiB");
	if (fstatvfs(c->p->c->queue->fd, &fs) == -1)
		return later(c, e, copy_failed);
	if (fs.f_blocks > 0 &&
	    (uint64_t)fs.f_bavail * fs.f_frsize <
		(uint64_t)c->st.st_size + RESERVE) {
		errno = ENOSPC;
		return later(c, e, copy_failed);
	}
	return READY;
}

/* ---- copying ---- */

static enum verdict
copy_octets(struct copy *c, char *block, struct err *e)
{
	const uint64_t size = (uint64_t)c->st.st_size;
	uint64_t left;
	long got;

	while ((left = size - c->off) > 0) {
		got = stored_read(&c->from, c->off, block,
		    left < MESSAGE_BLOCK ? (size_t)left : MESSAGE_BLOCK, e);
		if (got == -1)
			return LATER;
		if (got == 0)
			return refuse(c, e, "became shorter");
		if (folder_write(c->to, &c->off, block, (size_t)got) == -1)
			return later(c, e, copy_failed);
	}
	return READY;
}

const char *
intake_oddity(const struct entry *en, uid_t owner, uint64_t size)
{
	if (en->uid != owner)
		return "names another user than it belongs to";
	if (en->torn || en->end != size)
		return "is torn at its end";
	if (en->hold || en->tries > TRIES_MAX)
		return "has notes of a runner";
	/* Who failed already is there to be reported (keep.h, failed_too). */
	for (size_t i = 0; i < en->env.n; i++)
		if (en->env.rcpts[i].outcome.state == OUTCOME_DELIVERED ||
		    en->rcpts[i].final || en->rcpts[i].reported != 0)
			return "has notes of a runner";
	return NULL;
}

/* It would never be old enough to be given up. If the clock is wrong, it will
 * not be for ever. */
static enum verdict
early(const struct copy *c, struct err *e)
{
	err_set(e, ERR_TEMP, ERR_MACHINE,
	    "queue entry %s was made in the future: is the clock wrong?",
	    c->id);
	return LATER;
}

static enum verdict
check_copy(struct copy *c, struct err *e)
{
	struct entry en;
	const char *what;
	enum verdict v = READY;

	if (stored_entry(&en, c->id, &c->to, c->p->c->now, e) == -1)
		v = e->kind == ERR_DATA ? REFUSED : LATER;
	else if ((what = intake_oddity(&en, c->st.st_uid, c->off)) != NULL)
		v = refuse(c, e, what);
	else if (en.arrived - c->p->c->now->wall > FUTURE_MAX)
		v = early(c, e);
	entry_free(&en);
	return v;
}

/* It takes the place of what it is a copy of. */
static enum verdict
keep_copy(struct copy *c, struct err *e)
{
	const int queue = c->p->c->queue->fd;

	if (fsync(c->to) == -1 || renameat(queue, c->tmp, queue, c->name) == -1)
		return later(c, e, copy_failed);
	return READY;
}

static enum verdict
make_copy(struct copy *c, struct err *e)
{
	char *block = malloc(MESSAGE_BLOCK);
	enum verdict v =
	    block == NULL ? later(c, e, copy_failed) : copy_octets(c, block, e);

	free(block);
	if (v == READY)
		v = check_copy(c, e);
	return v == READY ? keep_copy(c, e) : v;
}

/* Who has the name of the copy does it: 0; 1: another one has; -1. */
static int
copy_begin(struct copy *c, struct err *e)
{
	const struct folder *queue = c->p->c->queue;
	int got = 1, has;

	name_of(c->name, c->id, CLAIMED);
	name_of(c->tmp, c->id, FOLDER_TMP);
	c->to = folder_create(queue, c->tmp);
	if (c->to != -1)
		got = folder_lock(c->to);
	else if (errno != EEXIST)
		got = -1;
	/* Who sweeps may have found it before it was locked. */
	if (got == 0) {
		has = folder_has(queue, c->tmp, c->to);
		got = has == -1 ? -1 : !has;
	}
	if (got == -1)
		later(c, e, copy_failed);
	return got;
}

static enum verdict
look_and_copy(struct copy *c, struct err *e)
{
	enum verdict v = open_claimed(c, e);

	if (v == READY)
		v = check_file(c, e);
	/* Ours are copies that were not renamed any more, or we added them. */
	if (v == READY && c->st.st_uid != c->p->c->queue->uid)
		v = make_copy(c, e);
	return v;
}

/* ---- deciding ---- */

static void
set_aside(struct pass *p, const char *id, const struct stat *st, struct err *e)
{
	char name[FOLDER_NAME_SIZE];
	struct err why;

	name_of(name, id, CLAIMED);
	if (S_ISDIR(st->st_mode)) {
		put_folder_away(p, p->c->queue, name);
		return;
	}
	err_set(&why, ERR_PERM, ERR_DATA, "%s; it is of user %lu", e->text,
	    (unsigned long)st->st_uid);
	/* The file itself: its octets are still of that user's quota. */
	if (aside_put(p->c->queue, name, id, &why, e) == 0) {
		p->done = true;
		*e = why;
	}
	note(p, id, e);
}

static void
copy_end(struct copy *c)
{
	const struct folder *queue = c->p->c->queue;

	if (c->to != -1) {
		if (folder_has(queue, c->tmp, c->to) == 1)
			unlinkat(queue->fd, c->tmp, 0);
		close(c->to);
	}
	if (c->from != -1)
		close(c->from);
}

static uint64_t
take(struct pass *p, struct found *it)
{
	struct copy c = { .p = p, .id = it->id, .from = -1, .to = -1 };
	enum verdict v = GONE;
	struct err e;
	int got = copy_begin(&c, &e);

	c.st.st_uid = it->uid;
	if (got == 0)
		v = look_and_copy(&c, &e);
	if (v == REFUSED)
		set_aside(p, it->id, &c.st, &e);
	else if (v == LATER || got == -1)
		note(p, it->id, &e);
	it->ready = v == READY;
	copy_end(&c);
	return c.off;
}

/* It is an entry from here on, unless there is one of that id. */
static void
publish(struct pass *p, const struct found *it)
{
	const struct folder *queue = p->c->queue;
	const struct stat st = { .st_uid = it->uid };
	char name[FOLDER_NAME_SIZE];
	struct err e;

	name_of(name, it->id, CLAIMED);
	if (rename_new(queue->fd, name, queue->fd, it->id) == 0)
		p->done = true;
	else if (errno == EEXIST) {
		err_set(&e, ERR_PERM, ERR_DATA,
		    "queue entry %s has the id of another one", it->id);
		set_aside(p, it->id, &st, &e);
	} else if (errno != ENOENT) {
		folder_trouble(queue, &e, "rename an entry in");
		note(p, it->id, &e);
	}
}

static int
take_all(struct pass *p, struct err *e)
{
	const struct folder *queue = p->c->queue;

	if (find(p, queue, CLAIMED, e) == -1)
		return -1;
	if (p->n == 0)
		return 0;
	each(p, take);
	if (fsync(queue->fd) == -1)
		return folder_trouble(queue, e, "sync");
	for (size_t i = 0; i < p->n; i++)
		if (p->found[i].ready)
			publish(p, &p->found[i]);
	return fsync(queue->fd) == -1 ? folder_trouble(queue, e, "sync") : 0;
}

/* ---- sweeping ---- */

/* What nobody writes any more: its lock says so, if we can read it; and ours
 * can be read but for their first moments. */
static bool
is_dead(const struct pass *p, const char *name, const struct stat *st, int fd)
{
	if (fd == -1)
		return p->c->now->wall - (int64_t)st->st_ctim.tv_sec * 1000 >
		    DAY;
	return folder_lock_shared(fd) == 0 &&
	    folder_has(p->c->in, name, fd) == 1;
}

static uint64_t
sweep(struct pass *p, struct found *it)
{
	const int in = p->c->in->fd;
	char name[FOLDER_NAME_SIZE];
	struct stat st;
	int fd;

	name_of(name, it->id, FOLDER_TMP);
	if (fstatat(in, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return 0;
	if (S_ISDIR(st.st_mode)) {
		put_folder_away(p, p->c->in, name);
		return 0;
	}
	fd =
	    S_ISREG(st.st_mode) ? openat(in, name, O_RDONLY | FOLDER_OPEN) : -1;
	if (!S_ISREG(st.st_mode) || is_dead(p, name, &st, fd))
		unlinkat(in, name, 0);
	if (fd != -1)
		close(fd);
	return 0;
}

int
intake(const struct intake_config *c, bool *more, struct err *e)
{
	struct pass p = { .c = c };
	int rc = spool_sweep(c->queue, e);

	if (rc == 0)
		rc = find(&p, c->in, FOLDER_TMP, e);
	if (rc == 0) {
		each(&p, sweep);
		rc = claim_all(&p, e);
	}
	if (rc == 0)
		rc = take_all(&p, e);
	free(p.found);
	*more = p.left && p.done;
	return rc;
}
