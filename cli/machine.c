/*
 * machine: see machine.h.
 * Callers: account.c, accounts.c, native.c, send.c, rcfile.c, spools.c.
 * getpwuid(3) reads nsswitch.conf and may load modules: only without -f.
 * A host name without a dot is nobody's name in the world and is not used.
 * Ownership: see machine.h.
 */
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <errno.h>
#include <netdb.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/machine.h"
#include "mail/address.h"

#define MAILNAME "/etc/mailname"

/* The first line of /etc/mailname, if it is a host name. */
static void
read_mailname(char out[MACHINE_NAME_MAX])
{
	FILE *f = fopen(MAILNAME, "re");

	out[0] = '\0';
	if (f == NULL)
		return;
	if (fgets(out, MACHINE_NAME_MAX, f) == NULL)
		out[0] = '\0';
	out[strcspn(out, " \t\r\n")] = '\0';
	if (!address_is_hostname(out, strlen(out)))
		out[0] = '\0';
	fclose(f);
}

void
machine_host(char out[MACHINE_NAME_MAX])
{
	memset(out, 0, MACHINE_NAME_MAX);
	if (gethostname(out, MACHINE_NAME_MAX - 1) == -1 ||
	    strchr(out, '.') == NULL || !address_is_hostname(out, strlen(out)))
		out[0] = '\0';
}

void
machine_helo(char out[MACHINE_NAME_MAX])
{
	machine_host(out);
	if (out[0] == '\0')
		read_mailname(out);
}

void
machine_domain(char out[MACHINE_NAME_MAX])
{
	read_mailname(out);
	if (out[0] == '\0')
		machine_host(out);
}

void
machine_any_domain(char out[MACHINE_NAME_MAX])
{
	machine_domain(out);
	if (out[0] != '\0')
		return;
	memset(out, 0, MACHINE_NAME_MAX);
	if (gethostname(out, MACHINE_NAME_MAX - 1) == -1 ||
	    !address_is_hostname(out, strlen(out)))
		snprintf(out, MACHINE_NAME_MAX, "localhost");
}

static const char *
environment(const char *name)
{
	const char *s = getenv(name);

	return s != NULL && *s != '\0' ? s : NULL;
}

static const char *
login_name(void)
{
	const struct passwd *pw = getpwuid(getuid());

	return pw != NULL ? pw->pw_name : NULL;
}

int
machine_sender(const char *domain, char out[MACHINE_ADDRESS_MAX], struct err *e)
{
	const char *user = login_name();
	char ours[MACHINE_NAME_MAX];

	machine_domain(ours);
	if (domain == NULL)
		domain = ours;
	if (user == NULL || domain[0] == '\0')
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "no sender address: %s; give -f ADDRESS",
		    user == NULL ? "this user has no name"
				 : "this machine has no domain name");
	snprintf(out, MACHINE_ADDRESS_MAX, "%s@%s", user, domain);
	return 0;
}

/* ---- full names ---- */

void
machine_gecos(
    const char *gecos, const char *login, char out[MACHINE_FULL_NAME_MAX])
{
	struct buf b;
	size_t at;

	buf_init(&b, MACHINE_FULL_NAME_MAX * 4);
	for (; *gecos != '\0' && *gecos != ','; gecos++) {
		if (*gecos != '&') {
			buf_addc(&b, *gecos);
			continue;
		}
		at = b.len;
		buf_adds(&b, login);
		if (b.len > at && *login >= 'a' && *login <= 'z')
			b.data[at] = (char)(*login - 'a' + 'A');
	}
	snprintf(out, MACHINE_FULL_NAME_MAX, "%s", buf_str(&b));
	buf_free(&b);
}

void
machine_full_name(char out[MACHINE_FULL_NAME_MAX])
{
	const char *s = environment("NAME");
	const struct passwd *pw;

	out[0] = '\0';
	if (s != NULL)
		snprintf(out, MACHINE_FULL_NAME_MAX, "%s", s);
	else if ((pw = getpwuid(getuid())) != NULL && pw->pw_gecos != NULL)
		machine_gecos(pw->pw_gecos, pw->pw_name, out);
}

/* ---- names in a configuration ---- */

typedef void name_fn(char out[MACHINE_NAME_MAX]);

static void
user_name(char out[MACHINE_NAME_MAX])
{
	const char *s = environment("USER");

	if (s == NULL)
		s = environment("LOGNAME");
	if (s == NULL)
		s = login_name();
	snprintf(out, MACHINE_NAME_MAX, "%s", s != NULL ? s : "");
}

static void
host_name(char out[MACHINE_NAME_MAX])
{
	const char *s = environment("HOSTNAME");

	memset(out, 0, MACHINE_NAME_MAX);
	if (s != NULL)
		snprintf(out, MACHINE_NAME_MAX, "%s", s);
	else if (gethostname(out, MACHINE_NAME_MAX - 1) == -1)
		out[0] = '\0';
}

static void
canonical_name(char out[MACHINE_NAME_MAX])
{
	const struct addrinfo hints = { .ai_flags = AI_CANONNAME,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *list;

	host_name(out);
	if (getaddrinfo(out, NULL, &hints, &list) != 0)
		return;
	if (list->ai_canonname != NULL)
		snprintf(out, MACHINE_NAME_MAX, "%s", list->ai_canonname);
	freeaddrinfo(list);
}

static const struct {
	char letter;
	name_fn *name;
} names[] = {
	{ 'U', user_name },
	{ 'H', host_name },
	{ 'C', canonical_name },
	{ 'M', read_mailname },
};

/* What % and this letter stand for; false: nothing. */
static bool
name_of(char letter, char out[MACHINE_NAME_MAX])
{
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].letter == letter) {
			names[i].name(out);
			return true;
		}
	return false;
}

void
machine_expand(const char *s, char *out, size_t size)
{
	char name[MACHINE_NAME_MAX];
	struct buf b;

	buf_init(&b, size - 1);
	for (; *s != '\0'; s++)
		if (*s == '%' && name_of(s[1], name)) {
			buf_adds(&b, name);
			s++;
		} else {
			buf_addc(&b, *s);
		}
	snprintf(out, size, "%s", buf_str(&b));
	buf_free(&b);
}

void
machine_keep_private(void)
{
	const struct rlimit none = { 0 };

	/* The limit is for systems that dump a core by a program all the
	 * same, and for what we run. */
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &none);
}

void
machine_open_files(uint64_t n)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1 || r.rlim_cur >= n)
		return;
	r.rlim_cur = r.rlim_max < n ? r.rlim_max : (rlim_t)n;
	setrlimit(RLIMIT_NOFILE, &r);
}

void
machine_random(void *to, size_t n)
{
	ssize_t got;

	/* Up to 256 octets come whole (getrandom(2)), but for a signal while
	 * the system has no randomness yet. */
	do
		got = getrandom(to, n, 0);
	while (got == -1 && errno == EINTR);
	if (got != (ssize_t)n)
		memset(to, 0, n);
}

const char *
machine_home(void)
{
	const char *dir = getenv("HOME");
	const struct passwd *pw;

	if (dir != NULL && dir[0] == '/')
		return dir;
	pw = getpwuid(geteuid());
	return pw != NULL && pw->pw_dir[0] == '/' ? pw->pw_dir : NULL;
}

bool
machine_netrc(char out[MACHINE_PATH_MAX])
{
	const char *home = getenv("HOME");

	return home != NULL && home[0] == '/' &&
	    snprintf(out, MACHINE_PATH_MAX, "%s/.netrc", home) <
	    MACHINE_PATH_MAX;
}
