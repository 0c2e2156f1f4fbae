/*
 * box: what comes in between while a message is written: a reader that fails,
 * a stop, another program. (What the disk does is in tests/box.bats.)
 */
#include <sys/stat.h>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/err.h"
#include "base/wait.h"
#include "store/box.h"
#include "tests/unit/test.h"

#define PIECE ((size_t)100000)
#define SIZE (5 * PIECE)

static struct {
	char dir[64], path[96];
	struct box_config c;
	volatile sig_atomic_t stop;
	struct waiter w;
	uint64_t fails_at, stops_at, writes_at;
	bool replaces; /* the next lock comes just too late */
} t;

static void
put(const char *text)
{
	FILE *f = fopen(t.path, "a");

	CHECK(f != NULL);
	if (f != NULL) {
		fputs(text, f);
		fclose(f);
	}
}

static long
read_input(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	(void)ctx;
	if (off >= t.fails_at)
		return err_set(e, ERR_TEMP, ERR_INPUT, "gone");
	if (off >= t.stops_at)
		t.stop = 1;
	if (off >= t.writes_at) {
		put("theirs\n");
		t.writes_at = UINT64_MAX;
	}
	if (off >= SIZE)
		return 0;
	CHECK(n >= PIECE);
	memset(to, 'x', PIECE);
	return (long)PIECE;
}

/* Before it is locked another file takes its name. */
int
fcntl(int fd, int cmd, ...)
{
	int (*real)(int, int, ...);
	void *p = dlsym(RTLD_NEXT, "fcntl"), *arg;
	va_list ap;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (cmd == F_OFD_SETLK && t.replaces) {
		t.replaces = false;
		unlink(t.path);
		put("new\n");
	}
	memcpy(&real, &p, sizeof real);
	return real(fd, cmd, arg);
}

static const struct box_mail mail = { .octets = { read_input, NULL, 0 },
	.sender = "a@x.test" };

static void
begin(void)
{
	memset(&t, 0, sizeof t);
	snprintf(t.dir, sizeof t.dir, "/tmp/box_test.XXXXXX");
	CHECK(mkdtemp(t.dir) != NULL);
	snprintf(t.path, sizeof t.path, "%s/box", t.dir);
	t.fails_at = t.stops_at = t.writes_at = UINT64_MAX;
	t.w.stop = &t.stop;
	sigemptyset(&t.w.mask);
	t.c = (struct box_config){ .path = t.path,
		.owner = geteuid(),
		.lock_wait = 0,
		.waiter = &t.w };
}

static void
end(void)
{
	unlink(t.path);
	CHECK_INT(rmdir(t.dir), 0);
}

static int64_t
size(void)
{
	struct stat st;

	return stat(t.path, &st) == 0 ? (int64_t)st.st_size : -1;
}

TEST(a_message_that_cannot_be_read)
{
	struct err e;

	for (t.fails_at = 0; t.fails_at <= SIZE; t.fails_at += PIECE) {
		const uint64_t at = t.fails_at;

		begin();
		t.fails_at = at;
		put("old\n");
		CHECK_INT(box_mbox(&t.c, &mail, &e), -1);
		CHECK_STR(e.text, "gone");
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_INT(size(), 4);
		end();
	}
	begin();
	t.fails_at = SIZE;
	t.c.create = 0600;
	CHECK_INT(box_mbox(&t.c, &mail, &e), -1);
	CHECK_INT(size(), -1);
	end();
}

TEST(a_stop_is_obeyed)
{
	struct err e;

	begin();
	t.stops_at = 2 * PIECE;
	put("old\n");
	CHECK_INT(box_mbox(&t.c, &mail, &e), -1);
	CHECK_INT(e.verdict, ERR_TEMP);
	CHECK(strstr(e.text, "interrupted") != NULL);
	CHECK_INT(size(), 4);
	end();
}

/* What another one wrote is never cut off. */
TEST(a_program_that_knows_no_locks)
{
	struct err e;

	begin();
	put("old\n");
	t.writes_at = 3 * PIECE;
	t.fails_at = 4 * PIECE;
	CHECK_INT(box_mbox(&t.c, &mail, &e), -1);
	CHECK_INT(
	    strncmp(e.text, "gone; a part of the message stays in it", 39), 0);
	CHECK(size() > 4 + 7 + (int64_t)PIECE);
	end();
	/* Nor is the file taken away that it came into. */
	begin();
	t.c.create = 0600;
	t.writes_at = 3 * PIECE;
	t.fails_at = 4 * PIECE;
	CHECK_INT(box_mbox(&t.c, &mail, &e), -1);
	CHECK(size() > 0);
	end();
}

TEST(a_lock_of_another)
{
	const struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct err e;
	int fd;

	begin();
	t.c.create = 0600;
	put("");
	fd = open(t.path, O_RDWR | O_CLOEXEC);
	CHECK_INT(fcntl(fd, F_OFD_SETLK, &whole), 0);
	CHECK_INT(box_mbox(&t.c, &mail, &e), -1);
	CHECK(strstr(e.text, "is locked by another program") != NULL);
	CHECK_INT(size(), 0);
	close(fd);
	CHECK_INT(box_mbox(&t.c, &mail, &e), 0);
	end();
}

/* The file that has the name when it is locked is the mailbox. */
TEST(another_file_by_that_name)
{
	struct err e;

	begin();
	put("old\n");
	t.replaces = true;
	CHECK_INT(box_mbox(&t.c, &mail, &e), -1);
	CHECK_INT(size(), 4);
	t.replaces = true;
	t.c.lock_wait = 10000;
	CHECK_INT(box_mbox(&t.c, &mail, &e), 0);
	CHECK(size() > (int64_t)SIZE);
	end();
	/* Nor is one taken away that another made behind ours. */
	begin();
	t.c.create = 0600;
	t.replaces = true;
	CHECK_INT(box_mbox(&t.c, &mail, &e), -1);
	CHECK_INT(size(), 4);
	end();
}

static int
files(const char *part)
{
	char path[128];
	const struct dirent *d;
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof path, "%s/%s", t.path, part);
	dir = opendir(path);
	if (dir == NULL)
		return -1;
	while ((d = readdir(dir)) != NULL)
		n += d->d_name[0] != '.';
	closedir(dir);
	return n;
}

TEST(a_maildir_that_gets_nothing)
{
	static const char *const parts[] = { "tmp", "new", "cur" };
	char path[128];
	struct err e;

	begin();
	t.c.create = 0600;
	t.fails_at = SIZE;
	CHECK_INT(box_maildir(&t.c, &mail, &e), -1);
	CHECK_STR(e.text, "gone");
	CHECK_INT(files("tmp"), 0);
	CHECK_INT(files("new"), 0);
	t.fails_at = UINT64_MAX;
	t.stops_at = PIECE;
	CHECK_INT(box_maildir(&t.c, &mail, &e), -1);
	CHECK(strstr(e.text, "interrupted") != NULL);
	CHECK_INT(files("tmp"), 0);
	CHECK_INT(files("new"), 0);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", t.path, parts[i]);
		CHECK_INT(rmdir(path), 0);
	}
	CHECK_INT(rmdir(t.path), 0);
	end();
}

TEST_MAIN
