/*
 * body: the same octets from memory, from a temporary file and from a file
 * in place; and a file in place that changes is noticed.
 */
#include <fcntl.h>
#include <sys/stat.h>
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

TEST_MAIN
