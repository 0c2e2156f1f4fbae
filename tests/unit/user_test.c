/*
 * user: names that are there, that are not, and a machine that cannot tell.
 * The users are those of the getpwnam_r() below.
 */
#include <errno.h>
#include <pwd.h>
#include <string.h>

#include "base/err.h"
#include "store/user.h"
#include "tests/unit/test.h"

static struct {
	unsigned asked;
	int num; /* what it answers instead */
	unsigned late; /* so often it knows nobody before it does */
	size_t wants; /* room without which it is ERANGE */
	char home[2 * USER_PATH_SIZE];
} machine;

int
getpwnam_r(const char *name, struct passwd *pw, char *room, size_t size,
    struct passwd **found)
{
	static const char *const names[] = { "bob", "Eve", "eve" };

	machine.asked++;
	*found = NULL;
	if (machine.num != 0)
		return machine.num;
	if (size < machine.wants)
		return ERANGE;
	if (machine.asked <= machine.late)
		return 0;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(name, names[i]) == 0) {
			snprintf(room, size, "%s", name);
			*pw = (struct passwd){ .pw_name = room,
				.pw_uid = (uid_t)(1000 + i),
				.pw_gid = (gid_t)(100 + i),
				.pw_dir = machine.home,
				.pw_shell = NULL };
			*found = pw;
		}
	return 0;
}

static int
find(const char *name, struct user *u, struct err *e)
{
	return user_find(name, strlen(name), u, e);
}

static void
begin(void)
{
	memset(&machine, 0, sizeof machine);
	snprintf(machine.home, sizeof machine.home, "/home/x");
}

TEST(as_it_is_written_else_in_small_letters)
{
	struct user u;
	struct err e;

	begin();
	CHECK_INT(find("bob", &u, &e), 1);
	CHECK_STR(u.name, "bob");
	CHECK_INT(u.uid, 1000);
	CHECK_INT(u.gid, 100);
	CHECK_STR(u.home, "/home/x");
	CHECK_STR(u.shell, "");
	CHECK_INT(find("BoB", &u, &e), 1);
	CHECK_STR(u.name, "bob");
	CHECK_INT(find("Eve", &u, &e), 1);
	CHECK_STR(u.name, "Eve");
	CHECK_INT(find("EVE", &u, &e), 1);
	CHECK_STR(u.name, "eve");
	CHECK_INT(user_find("bobby", 3, &u, &e), 1);
	CHECK_STR(u.name, "bob");
}

TEST(who_is_not_there)
{
	struct user u;
	struct err e;

	begin();
	CHECK_INT(find("nobody", &u, &e), 0);
	CHECK_INT(machine.asked, 2);
	CHECK_INT(find("Nobody", &u, &e), 0);
	CHECK_INT(machine.asked, 6);
}

TEST(a_no_is_asked_for_twice)
{
	struct user u;
	struct err e;

	begin();
	machine.late = 1;
	CHECK_INT(find("bob", &u, &e), 1);
	CHECK_INT(machine.asked, 2);
}

TEST(what_is_no_name_is_not_asked_for)
{
	static const char *const rows[] = { "", "../bob", "bob:x", "bob\n",
		"bob\x7f", "/bob" };
	char text[USER_NAME_SIZE];
	struct user u;
	struct err e;

	begin();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		CHECK_INT(find(rows[i], &u, &e), 0);
	CHECK_INT(user_find("bob\0", 4, &u, &e), 0);
	memset(text, 'x', sizeof text);
	CHECK_INT(user_find(text, sizeof text, &u, &e), 0);
	CHECK_INT(machine.asked, 0);
	CHECK_INT(user_find(text, sizeof text - 1, &u, &e), 0);
	CHECK_INT(machine.asked, 2);
}

TEST(a_machine_that_cannot_tell_says_of_nobody_that_he_is_unknown)
{
	static const int rows[] = { ENOENT, EIO, EMFILE, EPERM, ECONNREFUSED };
	struct user u;
	struct err e;

	begin();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		machine.num = rows[i];
		CHECK_INT(find("Bob", &u, &e), -1);
		CHECK_INT(e.verdict, ERR_TEMP);
		CHECK_INT(e.kind, ERR_MACHINE);
		CHECK_INT(e.enhanced.class, 4);
		CHECK(strstr(e.text, "a user Bob: ") != NULL);
	}
}

TEST(much_is_told_of_him)
{
	struct user u;
	struct err e;

	begin();
	machine.wants = 200000;
	CHECK_INT(find("bob", &u, &e), 1);
	CHECK_STR(u.name, "bob");
	machine.wants = (size_t)-1;
	CHECK_INT(find("bob", &u, &e), -1);
	CHECK_INT(e.verdict, ERR_TEMP);
	machine.wants = 0;
	memset(machine.home, 'x', USER_PATH_SIZE);
	CHECK_INT(find("bob", &u, &e), -1);
	CHECK_INT(e.verdict, ERR_TEMP);
	machine.home[USER_PATH_SIZE - 1] = '\0';
	CHECK_INT(find("bob", &u, &e), 1);
	CHECK_INT(strlen(u.home), USER_PATH_SIZE - 1);
	machine.home[0] = '\0';
	CHECK_INT(find("bob", &u, &e), 1);
	CHECK_STR(u.home, "/");
}

TEST_MAIN
