/*
 * box: see box.h. The message is written behind what is there, and cut off
 * again if anything goes wrong before it is synced.
 * Callers: see box.h.
 * RFC 4155; fcntl(2) F_OFD_SETLK first, then the lock file, and none is held
 * while the other is waited for (Debian Policy 11.6): nobody can block us for
 * ever by having taken them the other way round.
 * Ownership: see box.h.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/wait.h"
#include "store/box.h"
#include "store/dotlock.h"
#include "store/text.h"

/* Flags for all that is opened: a FIFO or a terminal that somebody put there
 * does not stop us. */
#define OPEN_FLAGS (O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* Write when so much is there: a small message is one write(2), which a death
 * hardly ever tears. */
#define WRITE_SIZE MESSAGE_BLOCK

/* Locks are tried again after this, and then each time twice as late. */
#define PAUSE_FIRST_MS 10
#define PAUSE_MAX_MS 500

/* A lock file is touched in this interval: it is taken for old after 300 s. */
#define TOUCH_MS 60000

/* ---- errors ---- */

/* What a mailbox says that cannot be written, by errno. */
static int
trouble(int num, struct err *e, const char *doing, const char *path)
{
	err_errno(e, ERR_TEMP, ERR_MACHINE, num, "cannot %s %s", doing, path);
	e->enhanced = (struct enhanced){ 4, 2, 0 };
	if (num == ENOSPC)
		e->enhanced = (struct enhanced){ 4, 3, 1 };
	else if (num == EDQUOT || num == EFBIG)
		e->enhanced = (struct enhanced){ 4, 2, 2 };
	return -1;
}

static int
stopped(struct err *e, const char *path)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE,
	    "interrupted before the message was in %s", path);
}

/* ---- a file that a message goes to ---- */

struct file {
	const struct box_config *c; /* borrowed */
	const char *path; /* borrowed: what errors call it */
	int fd; /* owned; -1: none */
	struct dotlock *lock; /* owned; NULL: none */
	struct stat before; /* as it was */
	bool made; /* by this call: it was not there */
	bool locked; /* both locks are held, and it is still the mailbox */
	uint64_t written; /* octets, by this call */
	int64_t touched; /* the lock, wait_now() clock */
};

static int
write_all(struct file *f, struct buf *out, struct err *e)
{
	size_t at = 0;
	ssize_t put;

	while (at < out->len) {
		put = write(f->fd, out->data + at, out->len - at);
		if (put == -1 && errno == EINTR)
			continue;
		if (put == -1)
			return trouble(errno, e, "write to", f->path);
		at += (size_t)put;
		f->written += (uint64_t)put;
	}
	buf_reset(out);
	return 0;
}

static void
keep_lock(struct file *f)
{
	if (f->lock == NULL || wait_now() - f->touched < TOUCH_MS)
		return;
	dotlock_touch(f->lock);
	f->touched = wait_now();
}

static int
write_text(struct file *f, struct text *t, struct buf *out, struct err *e)
{
	int more;

	do {
		if (wait_stopped(f->c->waiter))
			return stopped(e, f->path);
		more = text_more(t, out, e);
		if (more == -1 ||
		    (out->len >= WRITE_SIZE && write_all(f, out, e) == -1))
			return -1;
		keep_lock(f);
	} while (more == 1);
	return 0;
}

/* All of it on the disk; of an mbox there is a head before it, lines of the
 * message are quoted, and a blank line follows. */
static int
write_mail(struct file *f, const struct box_mail *mail, const struct buf *head,
    struct err *e)
{
	struct buf out;
	struct text t;
	int rc;

	buf_init(&out, WRITE_SIZE + TEXT_MORE_MAX);
	text_open(&t, mail->octets, mail->fields, mail->fields_n, head != NULL);
	if (head != NULL)
		buf_add(&out, head->data, head->len);
	rc = write_text(f, &t, &out, e);
	if (rc == 0 && head != NULL)
		buf_addc(&out, '\n');
	if (rc == 0)
		rc = write_all(f, &out, e);
	if (rc == 0 && fsync(f->fd) == -1)
		rc = trouble(errno, e, "write to", f->path);
	text_close(&t);
	buf_free(&out);
	return rc;
}

/* The folder of a path, so that a name in it outlives the power. Who may not
 * read it cannot have it synced: all of its file system is, then. */
static int
sync_above(const struct file *f)
{
	const char *slash = strrchr(f->path, '/');
	const size_t n = slash == NULL ? 1
	    : slash == f->path         ? 1
				       : (size_t)(slash - f->path);
	char above[PATH_MAX];
	int fd, rc, num;

	if (n >= sizeof above) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(above, slash == NULL ? "." : f->path, n);
	above[n] = '\0';
	fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return errno == EACCES ? syncfs(f->fd) : -1;
	rc = fsync(fd);
	num = errno;
	close(fd);
	errno = num;
	return rc;
}

/* ---- mbox: is it one? ---- */

static int
check_type(const struct file *f, mode_t mode, struct err *e)
{
	if (S_ISREG(mode))
		return 0;
	if (S_ISLNK(mode)) {
		err_set(e, ERR_TEMP, ERR_MACHINE,
		    "%s is a symbolic link, which is not followed: "
		    "name the file itself",
		    f->path);
		e->enhanced = (struct enhanced){ 4, 2, 0 };
		return -1;
	}
	err_set(e, ERR_PERM, ERR_CONFIG, "%s is %s and no mailbox", f->path,
	    S_ISDIR(mode) ? "a folder" : "no regular file");
	e->enhanced = (struct enhanced){ 5, 2, 0 };
	return -1;
}

static int
check_file(struct file *f, struct err *e)
{
	const struct stat *st = &f->before;

	if (fstat(f->fd, &f->before) == -1)
		return trouble(errno, e, "look at", f->path);
	if (check_type(f, st->st_mode, e) == -1)
		return -1;
	if (st->st_nlink > 1)
		err_set(e, ERR_TEMP, ERR_MACHINE,
		    "%s has %lu hard links: remove those that are not the "
		    "mailbox",
		    f->path, (unsigned long)st->st_nlink);
	else if (st->st_uid != f->c->owner)
		err_set(e, ERR_TEMP, ERR_MACHINE,
		    "%s belongs to user %lu: chown %lu %s", f->path,
		    (unsigned long)st->st_uid, (unsigned long)f->c->owner,
		    f->path);
	else
		return 0;
	e->enhanced = (struct enhanced){ 4, 2, 0 };
	return -1;
}

/* Why it could not be opened: what it is says more than errno. */
static int
open_trouble(const struct file *f, int num, struct err *e)
{
	struct stat st;

	if (lstat(f->path, &st) == 0 && check_type(f, st.st_mode, e) == -1)
		return -1;
	if (num == ENOENT && f->c->create == 0) {
		err_set(e, ERR_TEMP, ERR_MACHINE, "there is no mailbox %s",
		    f->path);
		e->enhanced = (struct enhanced){ 4, 2, 0 };
		return -1;
	}
	return trouble(num, e, "open", f->path);
}

/* 0; 1: it came or went in this moment; -1 with errno. */
static int
open_or_make(struct file *f)
{
	f->made = false;
	f->fd = open(f->path, O_RDWR | O_APPEND | OPEN_FLAGS);
	if (f->fd != -1)
		return 0;
	if (errno != ENOENT || f->c->create == 0)
		return -1;
	f->fd = open(f->path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | OPEN_FLAGS,
	    f->c->create);
	if (f->fd == -1)
		return errno == EEXIST ? 1 : -1;
	f->made = true;
	return fchmod(f->fd, f->c->create);
}

/* ---- mbox: locks ---- */

/* Give back the locks and close the file. One that was made for nothing is
 * removed, but only while it is locked: else another may be writing to it. */
static void
leave(struct file *f)
{
	if (f->locked && f->made && f->written == 0)
		unlink(f->path);
	if (f->lock != NULL)
		dotlock_release(f->lock);
	if (f->fd != -1)
		close(f->fd);
	f->fd = -1;
	f->locked = false;
}

static int
lock_kernel(const struct file *f, struct err *e)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(f->fd, F_OFD_SETLK, &whole) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return 1;
	return trouble(errno, e, "lock", f->path);
}

/* Is it still the mailbox, or did another one come by that name? */
static bool
is_current(const struct file *f)
{
	struct stat st;

	return lstat(f->path, &st) == 0 && st.st_dev == f->before.st_dev &&
	    st.st_ino == f->before.st_ino;
}

static int
busy(const struct file *f, const char *by, struct err *e)
{
	err_set(e, ERR_TEMP, ERR_MACHINE, "%s is locked by another program%s%s",
	    f->path, by == NULL ? "" : ": ", by == NULL ? "" : by);
	e->enhanced = (struct enhanced){ 4, 2, 0 };
	return 1;
}

/* 0; 1 with *e, who is in the way; -1 with *e. */
static int
lock_once(struct file *f, struct err *e)
{
	int rc = open_or_make(f);

	if (rc == -1)
		return open_trouble(f, errno, e);
	if (rc == 1)
		return busy(f, NULL, e);
	if (check_file(f, e) == -1)
		return -1;
	rc = lock_kernel(f, e);
	if (rc == 1)
		return busy(f, NULL, e);
	if (rc == 0 && f->lock != NULL) {
		rc = dotlock_try(f->lock, e);
		if (rc == 1)
			return busy(f, dotlock_path(f->lock), e);
	}
	/* It may have grown until we had it. */
	if (rc == -1 || check_file(f, e) == -1)
		return -1;
	f->locked = is_current(f);
	return f->locked ? 0 : busy(f, NULL, e);
}

static int
lock_file(struct file *f, struct err *e)
{
	const int64_t deadline = wait_until(f->c->lock_wait);
	int64_t pause = PAUSE_FIRST_MS, until;
	int rc;

	while ((rc = lock_once(f, e)) != 0) {
		leave(f);
		if (rc == -1)
			return -1;
		until = wait_until(pause);
		if (wait_now() >= deadline)
			return -1;
		if (wait_fds(f->c->waiter, NULL, 0,
			until < deadline ? until : deadline) == WAIT_STOPPED)
			return stopped(e, f->path);
		pause = 2 * pause < PAUSE_MAX_MS ? 2 * pause : PAUSE_MAX_MS;
	}
	f->touched = wait_now();
	return 0;
}

/* ---- mbox: the message ---- */

/* What must stand before a From_ line, so that readers take it for one: a
 * blank line, whatever a death or another program left there. */
static int
put_gap(const struct file *f, struct buf *head, struct err *e)
{
	const off_t size = f->before.st_size;
	char last[2] = { '\n', '\n' };
	const size_t n = size < 2 ? (size_t)size : 2;

	if (n > 0 &&
	    pread(f->fd, last + 2 - n, n, size - (off_t)n) != (ssize_t)n)
		return trouble(errno, e, "read", f->path);
	if (size > 0 && last[1] != '\n')
		buf_addc(head, '\n');
	if (size > 0 && (last[1] != '\n' || last[0] != '\n'))
		buf_addc(head, '\n');
	return 0;
}

/* RFC 4155: the time is UTC, and spaces tell the fields apart. */
static void
put_from(struct buf *head, const struct box_mail *mail)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	const time_t time = (time_t)mail->time;
	const char *p = mail->sender;
	struct tm tm = { .tm_mday = 1, .tm_year = 70, .tm_wday = 4 };

	gmtime_r(&time, &tm);
	buf_adds(head, "From ");
	if (p == NULL || p[0] == '\0')
		p = "MAILER-DAEMON";
	for (; *p != '\0'; p++)
		buf_addc(
		    head, (unsigned char)*p <= ' ' || *p == 0x7f ? '_' : *p);
	buf_addf(head, " %s %s %2d %02d:%02d:%02d %d\n", days[tm.tm_wday],
	    months[tm.tm_mon], tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    1900 + tm.tm_year);
}

static int
append(struct file *f, const struct box_mail *mail, struct err *e)
{
	struct buf head;
	int rc;

	buf_init(&head, 64 * 1024);
	rc = put_gap(f, &head, e);
	if (rc == 0)
		put_from(&head, mail);
	if (rc == 0 && !buf_ok(&head))
		rc = err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	if (rc == 0)
		rc = write_mail(f, mail, &head, e);
	if (rc == 0 && f->made && sync_above(f) == -1)
		rc = trouble(errno, e, "make", f->path);
	buf_free(&head);
	return rc;
}

/*
 * Make the mbox what it was, also its times, by which readers know that there
 * is new mail. If its length is not what our writing has made it, another
 * program wrote without a lock: then nothing is cut off, since that would be
 * his message.
 */
static void
undo(struct file *f, struct err *e)
{
	const struct timespec times[] = { f->before.st_atim,
		f->before.st_mtim };
	const char *why = NULL;
	struct stat st;

	if (f->written == 0)
		return;
	if (fstat(f->fd, &st) == -1 ||
	    (uint64_t)st.st_size != (uint64_t)f->before.st_size + f->written)
		why = "another program wrote to it";
	else if (ftruncate(f->fd, f->before.st_size) == -1)
		why = strerrordesc_np(errno);
	if (why != NULL) {
		const size_t n = strlen(e->text);

		snprintf(e->text + n, sizeof e->text - n,
		    "; a part of the message stays in it (%s)", why);
		return;
	}
	f->written = 0;
	futimens(f->fd, times);
	fsync(f->fd);
}

int
box_mbox(const struct box_config *c, const struct box_mail *mail, struct err *e)
{
	struct file f = { .c = c, .path = c->path, .fd = -1 };
	int rc;

	if (c->dotlock && (f.lock = dotlock_open(c->path, e)) == NULL)
		return -1;
	rc = lock_file(&f, e);
	if (rc == 0) {
		rc = append(&f, mail, e);
		if (rc == -1)
			undo(&f, e);
		leave(&f);
	}
	dotlock_close(f.lock);
	return rc;
}

/* ---- maildir ---- */

enum part { TMP, NEW, CUR, PARTS };
static const char *const part_names[] = {
	[TMP] = "tmp", [NEW] = "new", [CUR] = "cur"
};

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#define NAME_TRIES 10

struct maildir {
	const struct box_config *c; /* borrowed */
	int fd; /* owned; -1: none */
	int part[PARTS]; /* owned; -1: none */
	char name[NAME_MAX + 1]; /* of the message */
};

static int
no_maildir(const struct maildir *m, const char *part, int num, struct err *e)
{
	const char *slash = part[0] == '\0' ? "" : "/";

	if (num == ENOTDIR || num == ELOOP) {
		err_set(e, ERR_PERM, ERR_CONFIG,
		    "%s%s%s is no folder, so %s no maildir", m->c->path, slash,
		    part, m->c->path);
		e->enhanced = (struct enhanced){ 5, 2, 0 };
		return -1;
	}
	err_errno(e, ERR_TEMP, ERR_MACHINE, num, "cannot open %s%s%s",
	    m->c->path, slash, part);
	e->enhanced = (struct enhanced){ 4, 2, 0 };
	return -1;
}

static int
check_maildir(const struct maildir *m, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return trouble(errno, e, "look at", m->c->path);
	if (st.st_uid == m->c->owner)
		return 0;
	err_set(e, ERR_TEMP, ERR_MACHINE,
	    "the maildir %s, or a folder in it, belongs to user %lu: "
	    "chown -R %lu %s",
	    m->c->path, (unsigned long)st.st_uid, (unsigned long)m->c->owner,
	    m->c->path);
	e->enhanced = (struct enhanced){ 4, 2, 0 };
	return -1;
}

/* Whatever the umask is. */
static int
make_folder(int at, const char *name)
{
	if (mkdirat(at, name, 0700) == 0)
		return fchmodat(at, name, 0700, 0);
	return errno == EEXIST ? 0 : -1;
}

/* A folder that is opened, or made: its descriptor, or -1 with errno. */
static int
open_folder(int at, const char *name, int flags, bool make, bool *made)
{
	int fd = openat(at, name, FOLDER_FLAGS | flags);

	if (fd != -1 || errno != ENOENT || !make)
		return fd;
	if (make_folder(at, name) == -1)
		return -1;
	*made = true;
	return openat(at, name, FOLDER_FLAGS | flags);
}

static int
open_parts(struct maildir *m, bool *made, struct err *e)
{
	for (size_t i = 0; i < PARTS; i++) {
		m->part[i] = open_folder(
		    m->fd, part_names[i], O_NOFOLLOW, m->c->create != 0, made);
		if (m->part[i] == -1)
			return no_maildir(m, part_names[i], errno, e);
		if (check_maildir(m, m->part[i], e) == -1)
			return -1;
	}
	return 0;
}

static int
open_maildir(struct maildir *m, struct err *e)
{
	bool made = false, parts_made = false;
	struct file f = { .c = m->c, .path = m->c->path };

	/* A link of the user's own may lead to it; whose it is, is checked. */
	m->fd = open_folder(AT_FDCWD, m->c->path, 0, m->c->create != 0, &made);
	if (m->fd == -1)
		return no_maildir(m, "", errno, e);
	if (check_maildir(m, m->fd, e) == -1 ||
	    open_parts(m, &parts_made, e) == -1)
		return -1;
	f.fd = m->fd;
	if ((parts_made && fsync(m->fd) == -1) ||
	    (made && sync_above(&f) == -1))
		return trouble(errno, e, "make", m->c->path);
	return 0;
}

static void
close_maildir(struct maildir *m)
{
	for (size_t i = 0; i < PARTS; i++)
		if (m->part[i] != -1)
			close(m->part[i]);
	if (m->fd != -1)
		close(m->fd);
}

/* Time, what is ours alone, and the machine; what a name cannot have, as an
 * octal number. */
static int
draw_name(struct maildir *m)
{
	struct timespec now;
	uint64_t random;
	struct buf name;
	const char *p = m->c->host;

	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		return -1;
	clock_gettime(CLOCK_REALTIME, &now);
	buf_init(&name, sizeof m->name - 1);
	buf_addf(&name, "%lld.M%06ldP%ldR%016llx.", (long long)now.tv_sec,
	    now.tv_nsec / 1000, (long)getpid(), (unsigned long long)random);
	if (p == NULL || p[0] == '\0')
		p = "localhost";
	for (; *p != '\0' && name.len < name.max - 4; p++)
		if (*p == '/' || *p == ':' || (unsigned char)*p <= ' ')
			buf_addf(&name, "\\%03o", (unsigned)(unsigned char)*p);
		else
			buf_addc(&name, *p);
	snprintf(m->name, sizeof m->name, "%s", buf_str(&name));
	buf_free(&name);
	return 0;
}

static int
make_file(struct maildir *m)
{
	int fd = -1;

	for (int i = 0; i < NAME_TRIES; i++) {
		if (draw_name(m) == -1)
			return -1;
		fd = openat(m->part[TMP], m->name,
		    O_WRONLY | O_CREAT | O_EXCL | OPEN_FLAGS, 0600);
		if (fd != -1 || errno != EEXIST)
			break;
	}
	return fd;
}

/* It is in `tmp` until it is whole, and then in `new`. */
static int
deposit(struct maildir *m, const struct box_mail *mail, struct err *e)
{
	struct file f = { .c = m->c, .path = m->c->path };
	enum part in = TMP;
	int rc;

	f.fd = make_file(m);
	if (f.fd == -1)
		return trouble(errno, e, "write to", m->c->path);
	rc = fchmod(f.fd, 0600) == -1
	    ? trouble(errno, e, "write to", m->c->path)
	    : write_mail(&f, mail, NULL, e);
	if (rc == 0) {
		rc = renameat(m->part[TMP], m->name, m->part[NEW], m->name);
		in = rc == 0 ? NEW : TMP;
		if (rc == -1 || fsync(m->part[NEW]) == -1)
			rc = trouble(errno, e, "write to", m->c->path);
	}
	if (rc == -1)
		unlinkat(m->part[in], m->name, 0);
	close(f.fd);
	return rc;
}

int
box_maildir(
    const struct box_config *c, const struct box_mail *mail, struct err *e)
{
	struct maildir m = { .c = c, .fd = -1, .part = { -1, -1, -1 } };
	int rc = open_maildir(&m, e);

	if (rc == 0)
		rc = deposit(&m, mail, e);
	close_maildir(&m);
	return rc;
}
