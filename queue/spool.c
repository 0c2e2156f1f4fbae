/*
 * spool: see spool.h. What is opened is looked at before it is believed,
 * and under its lock before it is changed.
 * Callers: the queue. It reads no clock and prints nothing.
 * rename(2), fsync(2), fcntl(2) F_OFD_SETLK; RFC 5321 4.2.5.
 * Ownership: an item has its descriptor, and with it the lock.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "queue/aside.h"
#include "queue/folder.h"
#include "queue/frame.h"
#include "queue/journal.h"
#include "queue/spool.h"
#include "queue/stored.h"

struct spool_item {
	const struct folder *folder; /* borrowed */
	int fd;
	struct message_file file;
	struct entry entry;
	uint64_t end; /* of the file; entry.end is behind the last good note */
	bool failed; /* what is behind the end is not known */
	bool anew; /* the file is in the making: it is synced as a whole */
};

static const char put_failed[] = "queue the message in";

static enum spool_got
not_now(const struct folder *f, struct err *e, const char *doing)
{
	folder_trouble(f, e, doing);
	return SPOOL_ERROR;
}

static void
tmp_name(char name[FOLDER_NAME_SIZE], const char *id)
{
	snprintf(name, FOLDER_NAME_SIZE, "%s" FOLDER_TMP, id);
}

/* ---- put ---- */

/* An entry in the making. */
struct draft {
	const struct folder *f; /* borrowed */
	const struct entry_new *new; /* borrowed */
	const struct message *m; /* borrowed */
	const struct entry_now *now; /* borrowed */
	char id[ENTRY_ID_SIZE], tmp[FOLDER_NAME_SIZE];
	int fd;
	uint64_t size; /* of the message */
	uint64_t off; /* written so far */
};

/* More names than are ever taken in one millisecond. */
#define NAMES 100

/* With errno. */
static int
draft_lost(struct draft *d, struct err *e)
{
	folder_trouble(d->f, e, put_failed);
	if (folder_has(d->f, d->tmp, d->fd) != 0)
		unlinkat(d->f->fd, d->tmp, 0);
	close(d->fd);
	d->fd = -1;
	return -1;
}

/*
 * Lock what was just made: 0; 1: another name, please, since who sweeps found
 * it before it was locked, or there is an entry of that id; -1. From here on
 * nobody else makes one of that id, as the name for that is ours.
 */
static int
draft_lock(struct draft *d, struct err *e)
{
	struct stat st;
	int got = folder_lock(d->fd), has;

	if (got == 0) {
		has = folder_has(d->f, d->tmp, d->fd);
		got = has == 1 ? 0 : has == 0 ? 1 : -1;
	}
	if (got == 0 && fstatat(d->f->fd, d->id, &st, AT_SYMLINK_NOFOLLOW) == 0)
		got = 1;
	else if (got == 0 && errno != ENOENT)
		got = -1;
	if (got != 0)
		draft_lost(d, e);
	return got;
}

static void
draft_name(struct draft *d)
{
	uint32_t random;

	if (d->new->id != NULL) {
		snprintf(d->id, sizeof d->id, "%s", d->new->id);
		return;
	}
	d->f->draw(&random, sizeof random);
	entry_id(d->id, d->now->wall, random);
}

/* A new file that is locked, under a name that nobody else has. */
static int
draft_open(struct draft *d, struct err *e)
{
	const int names = d->new->id != NULL ? 1 : NAMES;
	int got = 1;

	for (int i = 0; got == 1 && i < names; i++) {
		draft_name(d);
		tmp_name(d->tmp, d->id);
		d->fd = folder_create(d->f, d->tmp);
		if (d->fd != -1)
			got = draft_lock(d, e);
		else if (errno != EEXIST || names == 1)
			return folder_trouble(d->f, e, put_failed);
	}
	if (got == 1) {
		errno = EEXIST;
		folder_trouble(d->f, e, put_failed);
	}
	return got == 0 ? 0 : -1;
}

static int
draft_write(struct draft *d, const char *p, size_t n, struct err *e)
{
	return folder_write(d->fd, &d->off, p, n) == -1
	    ? folder_trouble(d->f, e, put_failed)
	    : 0;
}

/* The body to its end, where the reader says that nothing has changed. */
static int
draft_body(struct draft *d, char *block, struct err *e)
{
	const struct octets *in = &d->m->octets;
	uint64_t off = d->m->body_off;
	long got;

	while ((got = in->read(
		    in->ctx, off, block, message_block(in, off), e)) > 0) {
		if (draft_write(d, block, (size_t)got, e) == -1)
			return -1;
		off += (uint64_t)got;
	}
	return (int)got;
}

static int
draft_message(struct draft *d, struct err *e)
{
	char *block = malloc(MESSAGE_BLOCK);
	int rc = -1;

	if (block == NULL)
		return folder_trouble(d->f, e, put_failed);
	if (draft_write(d, buf_str(&d->m->header), d->m->header.len, e) == 0 &&
	    (!d->m->has_body || draft_write(d, "\n", 1, e) == 0))
		rc = draft_body(d, block, e);
	free(block);
	return rc;
}

/* What an intake would not take is not put there; no later try would help. */
static int
draft_size(const struct draft *d, uint64_t size, struct err *e)
{
	if (d->f->kind != FOLDER_ADD || size <= ENTRY_IN_MAX)
		return 0;
	err_set(e, ERR_PERM, ERR_DATA,
	    "the system's queue takes no message over 1 GiB");
	e->enhanced = (struct enhanced){ 5, 3, 4 };
	e->stage = STAGE_INPUT;
	e->scope = SCOPE_MESSAGE;
	return -1;
}

static int
draft_fill(struct draft *d, struct err *e)
{
	struct buf b;
	int rc = -1;

	buf_init(&b, ENTRY_HEAD_MAX * 2u);
	if (entry_put_head(&b, d->id, d->new, d->m, d->now, e) == 0 &&
	    draft_size(d, b.len + d->size, e) == 0 &&
	    draft_write(d, buf_str(&b), b.len, e) == 0 &&
	    draft_message(d, e) == 0) {
		buf_reset(&b);
		journal_put_first(&b, d->new, d->now->wall);
		errno = ENOMEM;
		rc = buf_ok(&b) ? draft_write(d, buf_str(&b), b.len, e)
				: folder_trouble(d->f, e, put_failed);
	}
	buf_free(&b);
	return rc;
}

/* What could not be read again is not taken in. */
static int
draft_check(struct draft *d, struct err *e)
{
	struct entry en;
	int rc = stored_entry(&en, d->id, &d->fd, d->now, e);

	if (rc == 0 && (en.message_size != d->size || en.end != d->off))
		rc = err_set(e, ERR_TEMP, ERR_MACHINE,
		    "the message changed while it was queued");
	entry_free(&en);
	if (rc == -1)
		e->verdict = ERR_TEMP;
	return rc == 0 ? draft_size(d, d->off, e) : -1;
}

/* It is an entry once it is renamed, and nobody hears of it before that is
 * sure to last. */
static int
draft_commit(struct draft *d, struct err *e)
{
	const int dir = d->f->fd;

	if (fsync(d->fd) == -1 || renameat(dir, d->tmp, dir, d->id) == -1)
		return folder_trouble(d->f, e, put_failed);
	if (folder_keep(d->f, d->fd) == 0)
		return 0;
	folder_trouble(d->f, e, put_failed);
	unlinkat(dir, d->id, 0);
	return -1;
}

int
spool_put(const struct folder *f, const struct entry_new *new,
    const struct message *m, const struct entry_now *now,
    char id[ENTRY_ID_SIZE], struct err *e)
{
	const uid_t me = geteuid();
	struct entry_new with = *new;
	struct draft d = { .f = f, .new = &with, .m = m, .now = now, .fd = -1 };
	int rc;

	id[0] = '\0';
	if (with.uid == NULL)
		with.uid = &me;
	d.size = entry_message_size(m);
	if (draft_open(&d, e) == -1)
		return -1;
	rc = draft_fill(&d, e);
	if (rc == 0)
		rc = draft_check(&d, e);
	if (rc == 0)
		rc = draft_commit(&d, e);
	if (rc == -1)
		unlinkat(f->fd, d.tmp, 0);
	close(d.fd);
	if (rc == 0)
		memcpy(id, d.id, sizeof d.id);
	return rc;
}

/* ---- opening an entry ---- */

static enum spool_got
broken(struct err *e, const char *id, const char *what)
{
	err_set(e, ERR_PERM, ERR_DATA, "queue entry %s %s", id, what);
	return SPOOL_BROKEN;
}

/* Is it a file such as we make? */
static enum spool_got
check_file(const struct folder *f, const char *id, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return not_now(f, e, "look at an entry in");
	if (!S_ISREG(st.st_mode))
		return broken(e, id, "is no regular file");
	if (f->kind == FOLDER_OWN && st.st_uid != f->uid)
		return broken(e, id, "belongs to another user");
	if (st.st_nlink > 1)
		return broken(e, id, "has another name (a hard link)");
	return st.st_nlink == 0 ? SPOOL_GONE : SPOOL_LOCKED;
}

/* SPOOL_LOCKED says that it is open. */
static enum spool_got
open_entry(
    const struct folder *f, const char *id, int mode, int *fd, struct err *e)
{
	enum spool_got got;

	*fd = openat(f->fd, id, mode | FOLDER_OPEN);
	if (*fd == -1) {
		if (errno == ENOENT)
			return SPOOL_GONE;
		if (errno == ELOOP)
			return broken(e, id, "is a symbolic link");
		if (errno == ENXIO || errno == EISDIR || errno == ENODEV)
			return broken(e, id, "is no regular file");
		return not_now(f, e, "open an entry in");
	}
	got = check_file(f, id, *fd, e);
	if (got != SPOOL_LOCKED) {
		close(*fd);
		*fd = -1;
	}
	return got;
}

int
spool_look(const struct folder *f, const char *id, const struct entry_now *now,
    spool_fn *fn, void *ctx)
{
	struct entry en = { .message_off = 0 };
	struct err why;
	int fd = -1, rc = 0;
	enum spool_got got = SPOOL_GONE;

	if (entry_id_valid(id))
		got = open_entry(f, id, O_RDONLY, &fd, &why);
	if (got == SPOOL_GONE)
		return 0;
	if (got == SPOOL_LOCKED && stored_entry(&en, id, &fd, now, &why) == -1)
		got = SPOOL_BROKEN;
	memcpy(en.id, id, sizeof en.id);
	en.busy = fd != -1 && folder_locked(fd);
	rc = fn(ctx, &en, got == SPOOL_LOCKED ? NULL : &why);
	entry_free(&en);
	if (fd != -1)
		close(fd);
	return rc;
}

int
spool_list(const struct folder *f, const struct entry_now *now, spool_fn *fn,
    void *ctx, struct err *e)
{
	struct names names = { .ids = NULL };
	int rc = names_read(f, &names, "");

	if (rc == -1)
		folder_trouble(f, e, "list");
	for (size_t i = 0; rc == 0 && i < names.n; i++)
		rc = spool_look(f, names.ids[i], now, fn, ctx);
	free(names.ids);
	return rc;
}

/* ---- an item ---- */

/* What a note was torn off in is cut, before there is another behind it. */
static int
cut_torn(struct spool_item *it, struct err *e)
{
	it->end = it->entry.end;
	if (!it->entry.torn)
		return 0;
	if (ftruncate(it->fd, (off_t)it->end) == -1 || fsync(it->fd) == -1)
		return folder_trouble(it->folder, e, "mend an entry in");
	it->entry.torn = false;
	return 0;
}

/* It is open and regular: lock it, and read it once it is ours. */
static enum spool_got
take(struct spool_item *it, const char *id, const struct entry_now *now,
    struct err *e)
{
	int rc = folder_lock(it->fd);

	if (rc == -1)
		return not_now(it->folder, e, "lock an entry in");
	if (rc == 1)
		return SPOOL_BUSY;
	/* Who had it may have removed it, or set it aside. */
	rc = folder_has(it->folder, id, it->fd);
	if (rc != 1)
		return rc == 0 ? SPOOL_GONE
			       : not_now(it->folder, e, "look at an entry in");
	if (stored_entry(&it->entry, id, &it->fd, now, e) == -1)
		return e->kind == ERR_DATA ? SPOOL_BROKEN : SPOOL_ERROR;
	return cut_torn(it, e) == -1 ? SPOOL_ERROR : SPOOL_LOCKED;
}

/* Nobody looks at it again; *e says why and is kept, unless that fails. */
static enum spool_got
set_aside(const struct folder *f, const char *id, struct err *e)
{
	int rc = aside_put(f, id, id, e, e);

	return rc == 0 ? SPOOL_BROKEN : rc == 1 ? SPOOL_GONE : SPOOL_ERROR;
}

enum spool_got
spool_lock(const struct folder *f, const char *id, const struct entry_now *now,
    struct spool_item **to, struct err *e)
{
	struct spool_item *it;
	enum spool_got got;

	*to = NULL;
	if (!entry_id_valid(id))
		return SPOOL_GONE;
	it = calloc(1, sizeof *it);
	if (it == NULL)
		return not_now(f, e, "open an entry in");
	it->folder = f;
	got = open_entry(f, id, O_RDWR, &it->fd, e);
	if (got == SPOOL_LOCKED)
		got = take(it, id, now, e);
	if (got == SPOOL_BROKEN)
		got = set_aside(f, id, e);
	if (got == SPOOL_LOCKED)
		*to = it;
	else
		spool_unlock(it);
	return got;
}

void
spool_unlock(struct spool_item *it)
{
	if (it == NULL)
		return;
	entry_free(&it->entry);
	if (it->fd != -1)
		close(it->fd);
	free(it);
}

void
spool_release(struct spool_item *it)
{
	if (it != NULL)
		folder_unlock(it->fd);
	spool_unlock(it);
}

struct entry *
spool_entry(struct spool_item *it)
{
	return &it->entry;
}

static long
read_message(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	struct spool_item *it = ctx;
	const uint64_t size = it->entry.message_size;
	long got;

	if (off >= size)
		return 0;
	if (n > size - off)
		n = (size_t)(size - off);
	got = stored_read(&it->fd, it->entry.message_off + off, to, n, e);
	if (got == 0) {
		err_set(e, ERR_TEMP, ERR_MACHINE,
		    "queue entry %s became shorter", it->entry.id);
		got = -1;
	}
	return got;
}

struct octets
spool_octets(struct spool_item *it)
{
	return (struct octets){ read_message, it, it->entry.message_size };
}

int
spool_message(struct spool_item *it, struct message *m, struct err *e)
{
	if (message_open(m, spool_octets(it), e) == -1)
		return -1;
	m->is_signed = it->entry.is_signed;
	m->signed_takes = it->entry.signed_takes;
	it->file = (struct message_file){ &it->fd, it->entry.message_off,
		it->entry.message_size };
	m->file = &it->file;
	return 0;
}

/* ---- notes ---- */

/* Append what is in the buffer, which is one frame. */
static int
append(struct spool_item *it, const struct buf *b, struct err *e)
{
	if (!it->failed && buf_ok(b) &&
	    folder_write(it->fd, &it->end, b->data, b->len) == 0 &&
	    (it->anew || fdatasync(it->fd) == 0)) {
		it->entry.end = it->end;
		return 0;
	}
	if (it->failed)
		errno = EIO;
	else if (!buf_ok(b))
		errno = ENOMEM;
	it->failed = true;
	return folder_trouble(
	    it->folder, e, "note what became of a message in");
}

/* What is noted of recipients, all alike. */
struct news {
	enum queue_record type; /* REC_FINAL, REC_OUTCOME, REC_REPORT */
	const struct outcome *outcome; /* borrowed */
	enum dsn_kind kind; /* of the report */
	int64_t when;
};

static void
put_news(struct buf *b, const struct news *w, const size_t *rcpts, size_t n)
{
	if (w->type == REC_OUTCOME)
		journal_put_outcome(b, rcpts, n, w->outcome, w->when);
	else if (w->type == REC_REPORT)
		journal_put_report(b, rcpts, n, w->kind, w->when);
	else
		journal_put_final(b, rcpts, n);
}

static void
know(struct entry_rcpt *r, const struct news *w)
{
	if (w->type == REC_OUTCOME) {
		r->when = w->when;
	} else if (w->type == REC_REPORT) {
		r->reported |= 1u << w->kind;
		r->reported_when = w->when;
	}
}

/* Numbers of the envelope, as many at once as a frame takes. */
static int
note_rcpts(struct spool_item *it, const size_t *rcpts, size_t n,
    const struct news *w, struct err *e)
{
	struct buf b;
	size_t i, k;
	int rc = 0;

	for (i = 0; i < n; i++)
		if (rcpts[i] >= it->entry.env.n)
			return err_set(e, ERR_TEMP, ERR_INTERNAL,
			    "no such recipient in queue entry %s",
			    it->entry.id);
	buf_init(&b, JOURNAL_FRAME_MAX);
	for (i = 0; rc == 0 && i < n; i += k) {
		k = n - i < JOURNAL_RCPTS_MAX ? n - i : JOURNAL_RCPTS_MAX;
		buf_reset(&b);
		put_news(&b, w, rcpts + i, k);
		rc = append(it, &b, e);
	}
	buf_free(&b);
	for (i = 0; rc == 0 && i < n; i++)
		know(&it->entry.rcpts[rcpts[i]], w);
	return rc;
}

/* More octets than an outcome takes, than a number of a recipient does in two
 * notes, and than what is noted of the entry at the end of a try. */
#define ROOM_OUTCOME 1200
#define ROOM_NUMBER 32
#define ROOM_ENTRY 1024
/* Outcomes that differ; of more recipients most are alike. */
#define ROOM_OUTCOMES 16

int
spool_room(struct spool_item *it, size_t n, struct err *e)
{
	size_t room = ROOM_ENTRY + n * ROOM_NUMBER +
	    (n < ROOM_OUTCOMES ? n : ROOM_OUTCOMES) * ROOM_OUTCOME;
	int rc;

	do
		rc = fallocate(
		    it->fd, FALLOC_FL_KEEP_SIZE, (off_t)it->end, (off_t)room);
	while (rc == -1 && errno == EINTR);
	/* Where that cannot be asked for, a note may fail. */
	return rc == 0 || errno == EOPNOTSUPP || errno == ENOSYS
	    ? 0
	    : folder_trouble(it->folder, e, "find room for notes in");
}

int
spool_note_final(
    struct spool_item *it, const size_t *rcpts, size_t n, struct err *e)
{
	struct news w = { .type = REC_FINAL };

	/* Nobody is served of whom that could not be noted afterwards. */
	if (spool_room(it, n, e) == -1)
		return -1;
	return note_rcpts(it, rcpts, n, &w, e);
}

int
spool_note_outcome(struct spool_item *it, const size_t *rcpts, size_t n,
    const struct outcome *o, int64_t when, struct err *e)
{
	struct news w = { .type = REC_OUTCOME, .outcome = o, .when = when };

	return note_rcpts(it, rcpts, n, &w, e);
}

int
spool_note_report(struct spool_item *it, const size_t *rcpts, size_t n,
    enum dsn_kind kind, int64_t when, struct err *e)
{
	struct news w = { .type = REC_REPORT, .kind = kind, .when = when };

	return note_rcpts(it, rcpts, n, &w, e);
}

int
spool_note_try(
    struct spool_item *it, int64_t next_try, unsigned tries, struct err *e)
{
	struct buf b;
	int rc;

	buf_init(&b, JOURNAL_FRAME_MAX);
	journal_put_try(&b, next_try, tries);
	rc = append(it, &b, e);
	buf_free(&b);
	return rc;
}

int
spool_note_hold(struct spool_item *it, bool hold, struct err *e)
{
	struct buf b;
	int rc;

	buf_init(&b, JOURNAL_FRAME_MAX);
	journal_put_hold(&b, hold);
	rc = append(it, &b, e);
	if (rc == 0)
		it->entry.hold = hold;
	buf_free(&b);
	return rc;
}

/* ---- writing it anew ---- */

static const char renew_failed[] = "write an entry anew in";

/* Under the entry's lock: what has this name is of a dead process. */
static int
renew_open(const struct spool_item *it, const char *tmp)
{
	int fd;

	if (unlinkat(it->folder->fd, tmp, 0) == -1 && errno != ENOENT)
		return -1;
	fd = folder_create(it->folder, tmp);
	if (fd == -1)
		return -1;
	/* Who sweeps may have been faster. */
	if (folder_lock(fd) == 0 && folder_has(it->folder, tmp, fd) == 1)
		return fd;
	close(fd);
	errno = EAGAIN;
	return -1;
}

/* All of the old file that is whole, or what is behind its head, for which
 * there is another one. */
static int
renew_copy(
    struct spool_item *it, int old, const struct buf *head, struct err *e)
{
	const uint64_t whole = it->entry.end;
	uint64_t off = head != NULL ? it->entry.message_off : 0;
	char *block = malloc(MESSAGE_BLOCK);
	long got = block != NULL ? 1 : -1;
	size_t n;

	errno = ENOMEM;
	it->end = 0;
	if (got > 0 && head != NULL &&
	    folder_write(it->fd, &it->end, head->data, head->len) == -1)
		got = -1;
	while (got > 0 && off < whole) {
		n = whole - off < MESSAGE_BLOCK ? (size_t)(whole - off)
						: MESSAGE_BLOCK;
		got = stored_read(&old, off, block, n, e);
		if (got > 0 &&
		    folder_write(it->fd, &it->end, block, (size_t)got) == -1)
			got = -1;
		off += got > 0 ? (uint64_t)got : 0;
	}
	free(block);
	return off == whole && got > 0
	    ? 0
	    : folder_trouble(it->folder, e, renew_failed);
}

static int
renew_notes(struct spool_item *it, const size_t *rcpts, size_t n, struct err *e)
{
	const struct entry *en = &it->entry;
	size_t i;

	for (i = 0; i < n; i++)
		if (rcpts[i] >= en->env.n ||
		    spool_note_outcome(it, &rcpts[i], 1,
			&en->env.rcpts[rcpts[i]].outcome,
			en->rcpts[rcpts[i]].when, e) == -1)
			return -1;
	return 0;
}

/* Sure to last before it has the entry's name. */
static int
renew_commit(const struct spool_item *it, const char *tmp, struct err *e)
{
	const int dir = it->folder->fd;

	return fsync(it->fd) == -1 ||
		renameat(dir, tmp, dir, it->entry.id) == -1
	    ? folder_trouble(it->folder, e, renew_failed)
	    : 0;
}

/* The old file is the entry as before. */
static int
renew_lost(struct spool_item *it, const char *tmp, int old)
{
	unlinkat(it->folder->fd, tmp, 0);
	close(it->fd);
	it->fd = old;
	it->end = it->entry.end;
	return -1;
}

/* The new file is at `tmp`, whole, and then in the place of the old one. */
static int
renew(struct spool_item *it, const struct buf *head, const size_t *rcpts,
    size_t n, struct err *e)
{
	const int old = it->fd;
	char tmp[FOLDER_NAME_SIZE];
	int rc;

	tmp_name(tmp, it->entry.id);
	it->fd = renew_open(it, tmp);
	if (it->fd == -1) {
		it->fd = old;
		return folder_trouble(it->folder, e, renew_failed);
	}
	it->failed = false;
	it->anew = true;
	rc = renew_copy(it, old, head, e);
	if (rc == 0)
		rc = renew_notes(it, rcpts, n, e);
	if (rc == 0)
		rc = renew_commit(it, tmp, e);
	it->anew = false;
	if (rc == -1)
		return renew_lost(it, tmp, old);
	close(old);
	it->failed = fsync(it->folder->fd) == -1;
	return 0;
}

static int
renew_synced(const struct spool_item *it, struct err *e)
{
	return it->failed ? folder_trouble(it->folder, e, renew_failed) : 0;
}

int
spool_renew(struct spool_item *it, const size_t *rcpts, size_t n, struct err *e)
{
	if (renew(it, NULL, rcpts, n, e) == 0)
		return renew_synced(it, e);
	/* Something could not be noted, or this were not asked for. */
	it->failed = true;
	return -1;
}

/* The head as it would be if the entry were new, but for its age. */
static int
new_head(const struct spool_item *it, const struct entry_now *now,
    struct buf *head, struct err *e)
{
	const struct entry *en = &it->entry;
	const struct message m = { .octets = { .size = en->message_size },
		.is_signed = en->is_signed,
		.signed_takes = en->signed_takes };
	const struct entry_new new = { .env = &en->env,
		.whole = true,
		.arrived = en->arrived,
		.account = en->account,
		.next_try = en->next_try,
		.tries = en->tries,
		.uid = en->uid == ENTRY_NO_UID ? NULL : &en->uid };

	return entry_put_head(head, en->id, &new, &m, now, e);
}

int
spool_rewrite(struct spool_item *it, const struct entry_now *now, struct err *e)
{
	struct buf head;
	int rc;

	buf_init(&head, SIZE_MAX / 2);
	rc = new_head(it, now, &head, e);
	if (rc == 0)
		rc = renew(it, &head, NULL, 0, e);
	if (rc == 0) {
		it->entry.message_off = head.len;
		it->entry.end = it->end;
		rc = renew_synced(it, e);
	}
	buf_free(&head);
	return rc;
}

int
spool_end(struct spool_item *it, struct err *e)
{
	return unlinkat(it->folder->fd, it->entry.id, 0) == 0
	    ? 0
	    : folder_trouble(it->folder, e, "remove an entry from");
}

int
spool_remove(struct spool_item *it, struct err *e)
{
	if (spool_end(it, e) == -1)
		return -1;
	return fsync(it->folder->fd) == 0
	    ? 0
	    : folder_trouble(it->folder, e, "remove an entry from");
}

/* ---- sweeping ---- */

/* A name of a writer: 0, or -1 if it should go and cannot. */
static int
sweep_one(const struct folder *f, const char *id)
{
	char name[FOLDER_NAME_SIZE];
	int rc = 0, fd, got;

	tmp_name(name, id);
	fd = openat(f->fd, name, O_RDWR | FOLDER_OPEN);
	/* No writer of ours leaves a link or a socket: not our business. */
	if (fd == -1)
		return errno == ENOENT || errno == ELOOP || errno == ENXIO ||
			errno == EISDIR
		    ? 0
		    : -1;
	got = folder_lock(fd);
	if (got == 0 && (got = folder_has(f, name, fd)) == 1)
		rc = unlinkat(f->fd, name, 0);
	if (got == -1)
		rc = -1;
	close(fd);
	return rc;
}

int
spool_sweep(const struct folder *f, struct err *e)
{
	struct names names = { .ids = NULL };
	int rc = names_read(f, &names, FOLDER_TMP);

	if (rc == -1)
		folder_trouble(f, e, "list");
	for (size_t i = 0; i < names.n; i++)
		if (sweep_one(f, names.ids[i]) == -1) {
			folder_trouble(
			    f, e, "remove what a dead process left in");
			rc = -1;
		}
	free(names.ids);
	return rc;
}
