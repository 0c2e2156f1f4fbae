/*
 * body: see body.h. Three homes for the same octets: memory, an unlinked
 * temporary file, the caller's own file in place.
 * Callers: queue/submit.c, cli; read through mail/message.c's callback.
 * It changes no octet; lines with dots are mail/dots.c's.
 * open(2) O_TMPFILE, pread(2).
 * Ownership: the descriptor of a file in place stays the caller's.
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
#include "base/wait.h"
#include "mail/dots.h"
#include "store/body.h"

#define BLOCK (128u * 1024)
/* How long a writer may be silent behind the end of its message, ms. */
#define REST_WAIT 5000

struct body {
	struct buf memory; /* owned: all octets, when fd is -1 */
	int fd;
	bool owned; /* fd is a temporary file of ours */
	off_t start; /* in fd */
	uint64_t size;
	struct stat as_read; /* a file in place: what it was */
	const char *what; /* borrowed: as errors call it */
};

static int
failed(struct err *e)
{
	e->stage = STAGE_INPUT;
	e->scope = SCOPE_RUN;
	return -1;
}

static int
cannot_keep(const char *what, struct err *e)
{
	err_errno(e, ERR_TEMP, ERR_MACHINE, errno, "cannot keep %s", what);
	return failed(e);
}

static int
unreadable(const char *what, struct err *e)
{
	err_errno(e, ERR_PERM, ERR_INPUT, errno, "cannot read %s", what);
	return failed(e);
}

/* An unlinked file in `dir`: its descriptor, or -1 with errno. */
static int
temporary(const char *dir)
{
	char path[4096];
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd != -1)
		return fd;
	/* Not every file system has O_TMPFILE. */
	if (snprintf(path, sizeof path, "%s/smtpsend.XXXXXX", dir) >=
	    (int)sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd != -1)
		unlink(path);
	return fd;
}

static int
write_all(int fd, const char *p, size_t n)
{
	ssize_t put;

	for (; n > 0; p += put, n -= (size_t)put) {
		put = write(fd, p, n);
		if (put == -1 && errno == EINTR)
			put = 0;
		else if (put == -1)
			return -1;
	}
	return 0;
}

/* Memory is full: everything read so far moves to a temporary file. */
static int
spill(struct body *b, const char *dir, struct err *e)
{
	b->fd = temporary(dir);
	b->owned = b->fd != -1;
	if (b->fd == -1 ||
	    write_all(b->fd, b->memory.data, b->memory.len) == -1) {
		err_errno(e, ERR_TEMP, ERR_MACHINE, errno,
		    "cannot keep %s in a temporary file in %s", b->what, dir);
		return failed(e);
	}
	buf_free(&b->memory);
	return 0;
}

/* Keep n octets at p, in memory as long as they fit. */
static int
keep(struct body *b, const char *p, size_t n, const char *dir, struct err *e)
{
	if (b->fd == -1 && b->size + n > BODY_MEMORY_MAX &&
	    spill(b, dir, e) == -1)
		return -1;
	b->size += n;
	if (b->fd != -1)
		return write_all(b->fd, p, n) == -1 ? cannot_keep(b->what, e)
						    : 0;
	buf_add(&b->memory, p, n);
	return buf_ok(&b->memory) ? 0 : cannot_keep(b->what, e);
}

/* One read of the input: > 0, 0 at its end, -1. */
static ssize_t
read_some(int fd, char *to, size_t n, const char *what, struct err *e)
{
	ssize_t got;

	/* A descriptor that is shared may be non-blocking for another's sake.
	 */
	while ((got = read(fd, to, n)) == -1 &&
	    (errno == EINTR || errno == EAGAIN))
		if (errno == EAGAIN &&
		    wait_fd(NULL, fd, POLLIN, INT64_MAX) == WAIT_ERROR)
			break;
	return got == -1 ? unreadable(what, e) : got;
}

/* ---- reading all of it ---- */

/* How a message gets in. */
struct reading {
	struct body *b;
	int fd;
	const char *dir; /* borrowed: for a temporary file */
	enum body_dots mode;
	struct dots dots;
	char *block; /* owned: BLOCK octets, once they are needed */
	uint64_t kept; /* content so far, where it is only looked for */
	int failed; /* sticky: -1 with *e */
	struct err *e; /* borrowed */
};

static void
on_content(void *ctx, const char *s, size_t n)
{
	struct reading *r = ctx;

	if (r->failed == 0)
		r->failed = keep(r->b, s, n, r->dir, r->e);
}

static int
take_block(struct reading *r, size_t n)
{
	if (r->mode == BODY_DOTS_KEPT)
		on_content(r, r->block, n);
	else
		dots_feed(&r->dots, r->block, n, on_content, r);
	return r->failed;
}

static int
need_block(struct reading *r)
{
	if (r->block == NULL)
		r->block = malloc(BLOCK);
	return r->block == NULL ? cannot_keep(r->b->what, r->e) : 0;
}

/* What stands behind the end. It is nobody's, nor are its errors. */
static void
throw_rest_away(struct reading *r)
{
	ssize_t got = isatty(r->fd) ? 0 : 1;

	while (got > 0 &&
	    wait_fd(NULL, r->fd, POLLIN, wait_until(REST_WAIT)) > 0) {
		got = read(r->fd, r->block, BLOCK);
		if (got == -1 && (errno == EINTR || errno == EAGAIN))
			got = 1;
	}
}

static int
read_stream(struct reading *r)
{
	ssize_t got = 1;

	if (need_block(r) == -1)
		return -1;
	while (got > 0 && !r->dots.ended) {
		got = read_some(r->fd, r->block, BLOCK, r->b->what, r->e);
		if (got > 0 && take_block(r, (size_t)got) == -1)
			got = -1;
	}
	if (r->dots.ended)
		throw_rest_away(r);
	return got == -1 ? -1 : 0;
}

/* ---- a file in place ---- */

/* pread(2), whatever signals come. */
static ssize_t
read_at(int fd, void *to, size_t n, off_t at)
{
	ssize_t got;

	do
		got = pread(fd, to, n, at);
	while (got == -1 && errno == EINTR);
	return got;
}

/* True if `fd` is a regular file that can stay where it is. */
static bool
in_place(struct body *b, int fd)
{
	if (fstat(fd, &b->as_read) == -1 || !S_ISREG(b->as_read.st_mode))
		return false;
	b->start = lseek(fd, 0, SEEK_CUR);
	/* A file without a size may have octets all the same: proc(5). */
	return b->start != -1 && b->as_read.st_size > b->start;
}

/* True if reading it at all is possible: a descriptor for writing is not. */
static bool
readable(int fd)
{
	char c;

	return pread(fd, &c, 0, 0) == 0;
}

static void
on_looked_at(void *ctx, const char *s, size_t n)
{
	struct reading *r = ctx;

	(void)s;
	r->kept += n;
}

/* Where in it the message ends: 0; 1: a dot must go; -1 with *e. */
static int
find_end(struct reading *r, uint64_t *size)
{
	struct body *b = r->b;
	off_t at = b->start;
	ssize_t got = 1;

	*size = (uint64_t)(b->as_read.st_size - b->start);
	if (r->mode == BODY_DOTS_KEPT)
		return 0;
	if (need_block(r) == -1)
		return -1;
	while (got > 0 && !r->dots.ended && !r->dots.stripped) {
		got = read_at(r->fd, r->block, BLOCK, at);
		if (got == -1)
			return unreadable(b->what, r->e);
		dots_feed(&r->dots, r->block, (size_t)got, on_looked_at, r);
		at += got;
	}
	*size = r->kept;
	return r->dots.stripped;
}

/* 0: it stays where it is; 1: it must be read as a stream; -1 with *e. */
static int
use_in_place(struct reading *r)
{
	struct body *b = r->b;
	uint64_t size;
	int got;

	if (!in_place(b, r->fd))
		return 1;
	if (!readable(r->fd))
		return unreadable(b->what, r->e);
	got = find_end(r, &size);
	r->dots = (struct dots){ .strips = r->mode == BODY_DOTS_STRIP };
	if (got != 0)
		return got;
	b->fd = r->fd;
	b->size = size;
	lseek(r->fd, 0, SEEK_END);
	return 0;
}

/* ---- bodies ---- */

struct body *
body_new(const char *what, struct err *e)
{
	struct body *b = calloc(1, sizeof *b);

	if (b == NULL) {
		cannot_keep(what, e);
		return NULL;
	}
	b->fd = -1;
	b->what = what;
	buf_init(&b->memory, BODY_MEMORY_MAX);
	return b;
}

int
body_add(
    struct body *b, const char *p, size_t n, const char *dir, struct err *e)
{
	return keep(b, p, n, dir, e);
}

struct body *
body_read_dots(int fd, const char *what, const char *dir, enum body_dots mode,
    struct err *e)
{
	struct reading r = { .b = body_new(what, e),
		.fd = fd,
		.dir = dir,
		.mode = mode,
		.dots = { .strips = mode == BODY_DOTS_STRIP },
		.e = e };
	int got;

	if (r.b == NULL)
		return NULL;
	got = use_in_place(&r);
	if (got == 1)
		got = read_stream(&r);
	free(r.block);
	if (got == 0)
		return r.b;
	body_free(r.b);
	return NULL;
}

struct body *
body_read_all(int fd, const char *what, const char *dir, struct err *e)
{
	return body_read_dots(fd, what, dir, BODY_DOTS_KEPT, e);
}

void
body_free(struct body *b)
{
	if (b == NULL)
		return;
	if (b->owned)
		close(b->fd);
	buf_free(&b->memory);
	free(b);
}

uint64_t
body_size(const struct body *b)
{
	return b->size;
}

/* The file is still what it was when its size was taken. */
static bool
unchanged(const struct body *b)
{
	struct stat now;

	return b->owned ||
	    (fstat(b->fd, &now) == 0 && now.st_size == b->as_read.st_size &&
		now.st_mtim.tv_sec == b->as_read.st_mtim.tv_sec &&
		now.st_mtim.tv_nsec == b->as_read.st_mtim.tv_nsec);
}

static long
octets_file(
    const struct body *b, uint64_t off, void *to, size_t n, struct err *e)
{
	ssize_t got = read_at(b->fd, to, n, b->start + (off_t)off);

	if (got > 0 && unchanged(b))
		return got;
	if (got == -1)
		err_errno(
		    e, ERR_TEMP, ERR_INPUT, errno, "cannot read %s", b->what);
	else
		err_set(e, ERR_TEMP, ERR_INPUT,
		    "the file of %s changed while it was sent", b->what);
	e->stage = STAGE_INPUT;
	e->scope = SCOPE_MESSAGE;
	return -1;
}

long
body_octets(void *body, uint64_t off, void *to, size_t n, struct err *e)
{
	const struct body *b = body;

	if (off >= b->size && (b->fd == -1 || unchanged(b)))
		return 0;
	if (off < b->size && n > b->size - off)
		n = (size_t)(b->size - off);
	if (b->fd != -1)
		return octets_file(b, off, to, n, e);
	memcpy(to, b->memory.data + off, n);
	return (long)n;
}
