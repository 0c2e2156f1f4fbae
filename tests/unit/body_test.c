/*
 * body: the same octets from memory, from a temporary file and from a file
 * in place; and a file in place that changes is noticed. Lines with dots from
 * each of them, also over the edges of what is read at once.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "store/body.h"
#include "tests/unit/test.h"

#define DIR "/tmp"

/* An unlinked file with n octets of a pattern. */
static int
pattern_file(size_t n)
{
	char path[] = DIR "/body_test.XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	for (size_t i = 0; i < n; i++) {
		char c = (char)('a' + i % 23);

		if (write(fd, &c, 1) != 1)
			abort();
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* A pipe whose writer, a child, sends n octets of the pattern. */
static int
pattern_pipe(size_t n)
{
	char block[4096];
	int p[2];

	if (pipe(p) == -1)
		abort();
	if (fork() == 0) {
		close(p[0]);
		for (size_t i = 0; i < n;) {
			size_t k = 0;

			while (k < sizeof block && i < n)
				block[k++] = (char)('a' + i++ % 23);
			if (write(p[1], block, k) != (ssize_t)k)
				_exit(1);
		}
		_exit(0);
	}
	close(p[1]);
	return p[0];
}

static void
check_body(int fd, size_t skip, size_t n)
{
	struct err e;
	struct body *b = body_read_all(fd, "the message", DIR, &e);
	char block[1000];
	uint64_t off = 0;
	bool same = true;
	long got;

	CHECK(b != NULL);
	CHECK_INT(body_size(b), n);
	while ((got = body_octets(b, off, block, sizeof block, &e)) > 0)
		for (long i = 0; i < got; i++)
			same = same &&
			    block[i] == (char)('a' + (skip + off++) % 23);
	CHECK_INT(got, 0);
	CHECK(same);
	CHECK_INT(off, n);
	CHECK_INT(body_octets(b, 0, block, 1, &e), n > 0 ? 1 : 0);
	body_free(b);
	close(fd);
}

TEST(memory_and_temporary_file)
{
	static const size_t sizes[] = { 0, 1, 4096, BODY_MEMORY_MAX - 1,
		BODY_MEMORY_MAX, BODY_MEMORY_MAX + 1, 3 * BODY_MEMORY_MAX };

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		check_body(pattern_pipe(sizes[i]), 0, sizes[i]);
}

TEST(file_in_place)
{
	int fd = pattern_file(5000);

	lseek(fd, 100, SEEK_SET);
	check_body(fd, 100, 4900);
	check_body(pattern_file(0), 0, 0);
}

TEST(offset_moves_to_the_end)
{
	int fd = pattern_file(50);
	struct err e;
	struct body *b = body_read_all(fd, "the message", DIR, &e);

	CHECK_INT(lseek(fd, 0, SEEK_CUR), 50);
	body_free(b);
	close(fd);
}

static void
check_changed(void (*change)(int fd))
{
	int fd = pattern_file(5000);
	struct err e;
	struct body *b = body_read_all(fd, "the message", DIR, &e);
	char block[1000];

	CHECK_INT(body_octets(b, 0, block, sizeof block, &e), 1000);
	change(fd);
	CHECK_INT(body_octets(b, 1000, block, sizeof block, &e), -1);
	CHECK_INT(err_exit(&e), 75);
	CHECK_INT(body_octets(b, 5000, block, sizeof block, &e), -1);
	body_free(b);
	close(fd);
}

static void
shorten(int fd)
{
	if (ftruncate(fd, 3000) == -1)
		abort();
}

static void
lengthen(int fd)
{
	if (pwrite(fd, "x", 1, 5000) != 1)
		abort();
}

static void
touch(int fd)
{
	struct timespec t[2] = { { 1, 0 }, { 1, 0 } };

	if (futimens(fd, t) == -1)
		abort();
}

TEST(changed_file_is_noticed)
{
	check_changed(shorten);
	check_changed(lengthen);
	check_changed(touch);
}

TEST(unreadable_input_is_66)
{
	struct err e;
	int fd = open("/", O_RDONLY);

	CHECK(body_read_all(fd, "the message", DIR, &e) == NULL);
	CHECK_INT(err_exit(&e), 66);
	close(fd);
	fd = open("/dev/null", O_WRONLY);
	CHECK(body_read_all(fd, "the message", DIR, &e) == NULL);
	CHECK_INT(err_exit(&e), 66);
	close(fd);
}

TEST(no_room_is_71)
{
	int fd = pattern_pipe(2 * BODY_MEMORY_MAX);
	struct err e;

	CHECK(body_read_all(fd, "the message", "/nonexistent", &e) == NULL);
	CHECK_INT(err_exit(&e), 71);
	CHECK(strstr(e.text, "/nonexistent") != NULL);
	close(fd);
}

TEST(piece_by_piece)
{
	char piece[1000], got[sizeof piece];
	struct err e;
	struct body *b = body_new("the message", &e);
	size_t n = 3 * BODY_MEMORY_MAX / sizeof piece, i;

	CHECK_INT(body_size(b), 0);
	CHECK_INT(body_octets(b, 0, got, 1, &e), 0);
	for (i = 0; i < n; i++) {
		memset(piece, 'a' + (int)(i % 23), sizeof piece);
		CHECK_INT(body_add(b, piece, sizeof piece, DIR, &e), 0);
	}
	CHECK_INT(body_size(b), n * sizeof piece);
	for (i = 0; i < n; i++) {
		memset(piece, 'a' + (int)(i % 23), sizeof piece);
		CHECK_INT(body_octets(b, i * sizeof got, got, sizeof got, &e),
		    (long)sizeof got);
		CHECK(memcmp(got, piece, sizeof got) == 0);
	}
	body_free(b);
	/* Without room for a file. */
	b = body_new("the message", &e);
	for (i = 0; i < n; i++)
		if (body_add(b, piece, sizeof piece, "/nonexistent", &e) == -1)
			break;
	CHECK_INT(i, BODY_MEMORY_MAX / sizeof piece);
	CHECK_INT(err_exit(&e), 71);
	body_free(b);
}

/* ---- dots ---- */

#define BLOCK ((size_t)128 * 1024) /* of body.c */

/* How input comes: each gives a descriptor to read n octets of s from, and
 * who writes them, 0 for nobody. */
static int
as_file(const char *s, size_t n, pid_t *writer)
{
	char path[] = DIR "/body_test.XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	*writer = 0;
	if (write(fd, s, n) != (ssize_t)n)
		abort();
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int
write_all_to(int to, const char *s, size_t n)
{
	ssize_t put;

	for (; n > 0; s += put, n -= (size_t)put) {
		put = write(to, s, n);
		if (put == -1)
			return 1;
	}
	return 0;
}

/* From a child, which fails if nobody reads it all. */
static int
from_child(const int p[2], const char *s, size_t n, pid_t *writer)
{
	*writer = fork();
	if (*writer == 0) {
		close(p[0]);
		_exit(write_all_to(p[1], s, n));
	}
	close(p[1]);
	return p[0];
}

static int
as_pipe(const char *s, size_t n, pid_t *writer)
{
	int p[2];

	if (pipe(p) == -1)
		abort();
	return from_child(p, s, n, writer);
}

static int
as_socket(const char *s, size_t n, pid_t *writer)
{
	int p[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, p) == -1)
		abort();
	return from_child(p, s, n, writer);
}

static int (*const ways[])(
    const char *, size_t, pid_t *) = { as_file, as_pipe, as_socket };

struct text {
	char *s; /* owned */
	size_t n;
};

/* Lines of 64 octets, n of all of it, then `end`. */
static struct text
lines(size_t n, const char *end)
{
	struct text t = { malloc(n + strlen(end) + 1), n + strlen(end) };

	if (t.s == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		t.s[i] = i % 64 == 63 || i + 1 == n ? '\n' : 'x';
	memcpy(t.s + n, end, strlen(end) + 1);
	return t;
}

static void
check_same(struct body *b, const char *s, size_t n)
{
	char *got = malloc(n + 1);
	struct err e;
	size_t off = 0;
	long some;

	CHECK_INT(body_size(b), n);
	while ((some = body_octets(b, off, got + off, n + 1 - off, &e)) > 0)
		off += (size_t)some;
	CHECK_INT(some, 0);
	CHECK_INT(off, n);
	CHECK(off == n && memcmp(got, s, n) == 0);
	free(got);
}

/* What is read of `in` by each way is `want`, and its writer lives. */
static void
check_dots(enum body_dots mode, struct text in, const char *want, size_t n)
{
	struct body *b;
	struct err e;
	pid_t writer;
	int status = 0;

	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		int fd = ways[i](in.s, in.n, &writer);

		b = body_read_dots(fd, "the message", DIR, mode, &e);
		if (writer == 0)
			CHECK_INT(lseek(fd, 0, SEEK_CUR), in.n);
		CHECK(b != NULL);
		if (b != NULL)
			check_same(b, want, n);
		body_free(b);
		close(fd);
		if (writer != 0)
			waitpid(writer, &status, 0);
		CHECK_INT(status, 0);
	}
}

static void
check_end(enum body_dots mode, size_t before, const char *end, size_t kept)
{
	struct text t = lines(before, end);

	check_dots(mode, t, t.s, kept);
	free(t.s);
}

TEST(lone_dot_at_every_edge)
{
	static const char end[] = ".\r\n.\nand more\n";
	size_t n;

	check_end(BODY_DOTS_END, 0, end, 0);
	check_end(BODY_DOTS_STRIP, 0, ".", 0);
	for (n = BLOCK - 4; n <= BLOCK + 1; n++)
		check_end(BODY_DOTS_STRIP, n, end, n);
	check_end(BODY_DOTS_END, BODY_MEMORY_MAX + 1, end, BODY_MEMORY_MAX + 1);
	check_end(BODY_DOTS_STRIP, 100, ".", 100);
	check_end(BODY_DOTS_KEPT, 100, end, 100 + strlen(end));
}

TEST(rest_is_read_however_long)
{
	struct text rest = lines(5 * BLOCK, ""),
		    in = { malloc(rest.n + 4), rest.n + 4 };

	memcpy(in.s, "a\n.\n", 4);
	memcpy(in.s + 4, rest.s, rest.n);
	check_dots(BODY_DOTS_END, in, "a\n", 2);
	free(rest.s);
	free(in.s);
}

TEST(two_dots_at_every_edge)
{
	struct text t, want;
	size_t n;

	for (n = BLOCK - 3; n <= BLOCK + 1; n++) {
		t = lines(n, "..x\n.y\r\n..\n..");
		want = lines(n, ".x\n.y\r\n.\n.");
		check_dots(BODY_DOTS_STRIP, t, want.s, want.n);
		check_dots(BODY_DOTS_END, t, t.s, t.n);
		free(t.s);
		free(want.s);
	}
}

/* The offset where it began counts as a line's beginning. */
TEST(file_from_its_offset)
{
	pid_t nobody;
	int fd = as_file("abc.\n.\nx", 8, &nobody);
	struct err e;
	struct body *b;

	lseek(fd, 3, SEEK_SET);
	b = body_read_dots(fd, "the message", DIR, BODY_DOTS_END, &e);
	check_same(b, "", 0);
	body_free(b);
	lseek(fd, 2, SEEK_SET);
	b = body_read_dots(fd, "the message", DIR, BODY_DOTS_END, &e);
	check_same(b, "c.\n", 3);
	body_free(b);
	close(fd);
}

/* True if what was read of it changes with it. */
static bool
stays_in_place(const char *s)
{
	pid_t nobody;
	int fd = as_file(s, strlen(s), &nobody);
	struct err e;
	struct body *b =
	    body_read_dots(fd, "the message", DIR, BODY_DOTS_STRIP, &e);
	char c;
	bool in_place;

	shorten(fd);
	in_place = body_octets(b, 0, &c, 1, &e) == -1;
	body_free(b);
	close(fd);
	return in_place;
}

TEST(copied_only_if_a_dot_must_go)
{
	CHECK(stays_in_place("a\n.b\nc\n"));
	CHECK(stays_in_place("a\n.\n..c\n"));
	CHECK(!stays_in_place("a\n..b\nc\n"));
}

TEST(unreadable_with_dots_is_66)
{
	int fd = open("/", O_RDONLY);
	struct err e;

	CHECK(body_read_dots(fd, "the message", DIR, BODY_DOTS_STRIP, &e) ==
	    NULL);
	CHECK_INT(err_exit(&e), 66);
	close(fd);
}

TEST_MAIN
