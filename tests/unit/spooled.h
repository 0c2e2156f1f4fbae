/*
 * spooled.h: folders with entries for the tests of the queue's store. The
 * last test of a program is all_is_removed.
 */
#ifndef TESTS_UNIT_SPOOLED_H
#define TESTS_UNIT_SPOOLED_H

#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "queue/folder.h"
#include "queue/spool.h"
#include "tests/unit/queued.h"
#include "tests/unit/test.h"

#define TEXT "Subject: hi\n\nhello\r\n.\n\xff"

static char dir[] = "/tmp/spool_test.XXXXXX";

/* Different at each call; the same octets in each run. */
static inline void
draw(void *to, size_t n)
{
	static unsigned char c = 1; /* 0 is for an id by hand */

	memset(to, c++, n);
}

static inline struct folder *
folder_at(const char *name)
{
	struct folder_config c = { .make = true, .draw = draw };
	struct folder *f = NULL;
	char path[256];
	struct err e;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	c.path = path;
	if (folder_open(&f, &c, &e) != 0) {
		printf("# %s\n", e.text);
		abort();
	}
	return f;
}

/* Put a message for n recipients. */
static inline int
put_text(struct folder *f, const char *text, size_t n, char *id, struct err *e)
{
	struct envelope env;
	struct entry_new new = { .env = &env, .next_try = 1 };
	struct message m;
	struct buf b;
	int rc;

	buf_init(&b, SIZE_MAX / 2);
	buf_adds(&b, text);
	if (message_open(&m, queued_octets(&b), e) == -1)
		abort();
	queued_envelope(&env, n);
	rc = spool_put(f, &new, &m, &queued_now, id, e);
	envelope_free(&env);
	message_free(&m);
	buf_free(&b);
	return rc;
}

static inline void
put(struct folder *f, char *id)
{
	struct err e;

	CHECK_INT(put_text(f, TEXT, 2, id, &e), 0);
	CHECK(entry_id_valid(id));
}

static inline enum spool_got
get(struct folder *f, const char *id, struct spool_item **it)
{
	struct err e;
	enum spool_got got = spool_lock(f, id, &queued_now, it, &e);

	CHECK((*it != NULL) == (got == SPOOL_LOCKED));
	if (got == SPOOL_BROKEN)
		CHECK_INT(e.kind, ERR_DATA);
	return got;
}

struct seen {
	char last[ENTRY_ID_SIZE];
	int good, bad;
	bool sorted;
};

static inline int
see(void *ctx, const struct entry *en, const struct err *why)
{
	struct seen *s = ctx;

	s->sorted = s->sorted && strcmp(s->last, en->id) < 0;
	snprintf(s->last, sizeof s->last, "%s", en->id);
	if (why == NULL) {
		CHECK_INT(en->message_size, strlen(TEXT));
		CHECK_STR(en->env.rcpts[0].addr.raw, "u0@x.test");
	}
	s->good += why == NULL;
	s->bad += why != NULL;
	return 0;
}

static inline struct seen
list(const struct folder *f)
{
	struct seen s = { .sorted = true };
	struct err e;

	CHECK_INT(spool_list(f, &queued_now, see, &s, &e), 0);
	return s;
}

/* Add octets to an entry, or cut some off. */
static inline void
change(const struct folder *f, const char *id, const char *more, size_t n,
    off_t cut)
{
	int fd = openat(f->fd, id, O_RDWR);
	off_t end = lseek(fd, 0, SEEK_END);

	CHECK_INT(pwrite(fd, more, n, end), (ssize_t)n);
	CHECK_INT(ftruncate(fd, end + (off_t)n - cut), 0);
	close(fd);
}

/* Nothing is left of the test. */
static inline void
spooled_remove(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execlp("rm", "rm", "-rf", dir, (char *)NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	CHECK_INT(access(dir, F_OK), -1);
}

#endif
