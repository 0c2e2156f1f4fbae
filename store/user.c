/*
 * user: see user.h. An answer that is an error is none: a directory service
 * that is down must not make users unknown, whatever errno it leaves.
 * Callers: see user.h.
 * getpwnam_r(3). It keeps nothing open.
 * Ownership: what getpwnam_r(3) fills is freed before the return.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "store/user.h"

#define PASSWD "/etc/passwd"
#define ROOM_MIN 1024u
#define ROOM_MAX (1024u * 1024)

static int
trouble(const char *name, int num, struct err *e)
{
	err_errno(e, ERR_TEMP, ERR_MACHINE, num,
	    "cannot find out if there is a user %s", name);
	e->enhanced = (struct enhanced){ 4, 3, 0 };
	return -1;
}

static int
text_copy(char *to, size_t size, const char *text)
{
	const int n = snprintf(to, size, "%s", text == NULL ? "" : text);

	return n >= 0 && (size_t)n < size ? 0 : ENAMETOOLONG;
}

/* 0, or errno. */
static int
user_copy(struct user *u, const struct passwd *pw)
{
	const char *home = pw->pw_dir;

	if (home == NULL || home[0] == '\0')
		home = "/";
	u->uid = pw->pw_uid;
	u->gid = pw->pw_gid;
	if (text_copy(u->name, sizeof u->name, pw->pw_name) != 0 ||
	    text_copy(u->home, sizeof u->home, home) != 0)
		return ENAMETOOLONG;
	return text_copy(u->shell, sizeof u->shell, pw->pw_shell);
}

static int
ask_once(const char *name, struct passwd *pw, char *room, size_t size,
    struct passwd **found)
{
	int num;

	do
		num = getpwnam_r(name, pw, room, size, found);
	while (num == EINTR);
	return num;
}

/* 0, or why nothing can be read here now. */
static int
is_short(void)
{
	int fd = open(PASSWD, O_RDONLY | O_CLOEXEC), num = errno;

	if (fd != -1)
		close(fd);
	return fd == -1 && err_may_pass(num) ? num : 0;
}

/*
 * Of several services ("files systemd") the last one's no is the answer, and
 * nothing tells that the first could not open its file: so who is not there is
 * asked for once more, where files can be opened.
 */
static int
look_up(const char *name, struct passwd *pw, char *room, size_t size,
    struct passwd **found)
{
	int num = ask_once(name, pw, room, size, found);

	if (num != 0 || *found != NULL)
		return num;
	num = is_short();
	return num != 0 ? num : ask_once(name, pw, room, size, found);
}

static int
ask(const char *name, struct user *u, struct err *e)
{
	struct passwd pw, *found = NULL;
	char *room = NULL, *more;
	size_t size;
	int num = ERANGE;

	for (size = ROOM_MIN; num == ERANGE && size <= ROOM_MAX; size *= 2) {
		more = realloc(room, size);
		if (more == NULL) {
			num = ENOMEM;
			break;
		}
		room = more;
		num = look_up(name, &pw, room, size, &found);
	}
	if (num == 0 && found != NULL)
		num = user_copy(u, found);
	free(room);
	if (num != 0)
		return trouble(name, num, e);
	return found != NULL;
}

/* What can be in passwd(5), and is no path. */
static bool
is_name(const char *name, size_t n)
{
	if (n == 0 || n >= USER_NAME_SIZE)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f ||
		    name[i] == ':' || name[i] == '/')
			return false;
	return true;
}

int
user_find(const char *name, size_t n, struct user *u, struct err *e)
{
	char text[USER_NAME_SIZE];
	bool changed = false;
	int got;

	if (!is_name(name, n))
		return 0;
	memcpy(text, name, n);
	text[n] = '\0';
	got = ask(text, u, e);
	if (got != 0)
		return got;
	for (size_t i = 0; i < n; i++)
		if (text[i] >= 'A' && text[i] <= 'Z') {
			text[i] = (char)(text[i] - 'A' + 'a');
			changed = true;
		}
	return changed ? ask(text, u, e) : 0;
}
