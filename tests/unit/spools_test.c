/*
 * spools: where the queue of this user is, by his environment.
 * XDG Base Directory Specification.
 */
#include <sys/stat.h>
#include <sys/time.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/spools.h"
#include "queue/folder.h"
#include "tests/unit/test.h"

static void
environment(const char *state, const char *home)
{
	unsetenv("XDG_STATE_HOME");
	unsetenv("HOME");
	if (state != NULL)
		setenv("XDG_STATE_HOME", state, 1);
	if (home != NULL)
		setenv("HOME", home, 1);
}

static const struct {
	const char *state, *home;
	const char *path;
} rows[] = {
	{ "/state", "/", "/state/smtpsend" },
	{ "/state", NULL, "/state/smtpsend" },
	{ "/state", "/nonexistent", "/state/smtpsend" },
	{ NULL, "/usr", "/usr/.local/state/smtpsend" },
	{ "", "/usr", "/usr/.local/state/smtpsend" },
	{ "relative", "/usr", "/usr/.local/state/smtpsend" },
};

TEST(the_users_own_folder)
{
	struct spools_place p;
	struct err e;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		environment(rows[i].state, rows[i].home);
		CHECK_INT(spools_for(&p, true, &e), 0);
		CHECK_INT(p.kind, SPOOLS_OWN);
		CHECK_STR(p.path, rows[i].path);
		CHECK_STR(p.base, rows[i].path);
	}
}

TEST(without_a_home)
{
	char far[MACHINE_PATH_MAX + 1] = "/";
	struct spools_place p;
	struct err e;

	environment(NULL, "/nonexistent/home");
	CHECK_INT(spools_for(&p, true, &e), -1);
	CHECK_INT(e.kind, ERR_CONFIG);
	CHECK_STR(e.text,
	    "no place for a queue: there is no folder /nonexistent/home; set "
	    "HOME or XDG_STATE_HOME, or have a queue of the machine run, see "
	    "smtpsend(1)");
	memset(far + 1, 'x', sizeof far - 2);
	environment(far, "/");
	CHECK_INT(spools_for(&p, true, &e), -1);
	CHECK_STR(e.text, "no place for a queue: XDG_STATE_HOME is too long");
}

/* A stamp that is so old, in seconds. */
static void
stamp(const char *base, time_t age)
{
	const struct timeval then = { .tv_sec = time(NULL) - age };
	const struct timeval times[2] = { then, then };
	char path[MACHINE_PATH_MAX + 8];

	snprintf(path, sizeof path, "%s/stamp", base);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	utimes(path, times);
}

TEST(a_queue_is_opened_and_its_stamp_looked_at)
{
	char dir[] = "/tmp/spools_test.XXXXXX", path[MACHINE_PATH_MAX + 8];
	struct spools_place p;
	struct folder *f;
	struct err e;

	CHECK(mkdtemp(dir) != NULL);
	environment(dir, NULL);
	CHECK_INT(spools_for(&p, true, &e), 0);
	CHECK_INT(spools_open(&p, false, &f, &e), 1);
	CHECK_INT(spools_open(&p, true, &f, &e), 0);
	folder_close(f);
	CHECK_INT(spools_age(&p), -1);
	CHECK(!spools_alive(&p));
	stamp(p.base, 0);
	CHECK(spools_age(&p) >= 0);
	CHECK(spools_alive(&p));
	stamp(p.base, SPOOLS_AGE_MAX + 60);
	CHECK(spools_age(&p) >= SPOOLS_AGE_MAX + 60);
	CHECK(!spools_alive(&p));
	/* The clock went back by an hour, and by two days. */
	stamp(p.base, -3600);
	CHECK(spools_alive(&p));
	stamp(p.base, -2 * SPOOLS_AGE_MAX);
	CHECK(!spools_alive(&p));
	snprintf(path, sizeof path, "%s/stamp", p.base);
	unlink(path);
	snprintf(path, sizeof path, "%s/" FOLDER_BROKEN, p.path);
	rmdir(path);
	CHECK_INT(rmdir(p.path), 0);
	CHECK_INT(rmdir(dir), 0);
}

TEST_MAIN
