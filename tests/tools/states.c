/*
 * states FOLDER: what each file of a queue's folder is, by the table in
 * queue/spool.h; nothing is locked, and nothing is changed.  A line each:
 *
 *	absent | unfinished | empty	of the folder as a whole
 *	STATE[+STATE]... NAME		of a file: draft, queued, torn, done,
 *			untold (a report on it is there, not noted), doubtful
 *			(it may have been served, says a try without an end),
 *			held, malformed, aside, aside-why, mark (the runner's
 *			stamp and lock), unknown; each +locked if it is
 *	rcpt NAME MESSAGE-ID ADDRESS OUTCOME DOUBT TOLD
 *			of each recipient of an entry; DOUBT is "doubt" if
 *			the last octets went out and no outcome was noted, or
 *			one that says so, TOLD is "told" if its sender was told
 *			that it failed; else "-"
 *
 * The status is 0, 1 if there is a file that is none of the table's.
 */
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "mail/envelope.h"
#include "queue/folder.h"
#include "queue/spool.h"

#define HEADER_MAX 8192
#define NAMES_MAX 4096

struct states {
	struct folder *f;
	char senders[NAMES_MAX][256]; /* who is sent a report that is queued */
	size_t nsenders;
	size_t entries;
	bool unknown;
};

static const struct entry_now now = { 1767225600000, 5000000 };

static int
broken_off(const char *what)
{
	perror(what);
	exit(2);
}

/* The entry's Message-ID, "-" without one. */
static void
message_id(const struct states *s, const struct entry *en, char id[HEADER_MAX])
{
	char header[HEADER_MAX + 1];
	const char *at;
	int fd = openat(s->f->fd, en->id, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1
	    ? -1
	    : pread(fd, header, HEADER_MAX, (off_t)en->message_off);

	if (n == -1)
		broken_off(en->id);
	close(fd);
	header[n] = '\0';
	at = strcasestr(header, "\nMessage-ID:");
	if (at == NULL || sscanf(at + 12, " %8000s", id) != 1)
		snprintf(id, HEADER_MAX, "-");
}

/* ---- entries ---- */

static int
note_report(void *ctx, const struct entry *en, const struct err *why)
{
	struct states *s = ctx;

	s->entries++;
	if (why == NULL && en->env.sender.raw[0] == '\0' &&
	    s->nsenders < NAMES_MAX)
		snprintf(s->senders[s->nsenders++], sizeof s->senders[0], "%s",
		    en->env.rcpts[0].addr.raw);
	return 0;
}

/* Somebody failed, nothing is noted of a report, and there is one. */
static bool
untold(const struct states *s, const struct entry *en)
{
	bool due = false;
	size_t i;

	for (i = 0; i < en->env.n; i++)
		due |= en->env.rcpts[i].outcome.state == OUTCOME_FAILED &&
		    (en->rcpts[i].reported & 1u << DSN_FAILED) == 0;
	for (i = 0; due && i < s->nsenders; i++)
		if (strcmp(s->senders[i], en->env.sender.raw) == 0)
			return true;
	return false;
}

static bool
doubtful(const struct entry *en)
{
	size_t i;

	for (i = 0; i < en->env.n; i++)
		if (en->rcpts[i].final)
			return true;
	return false;
}

static void
tell_rcpts(const struct states *s, const struct entry *en)
{
	char id[HEADER_MAX];
	size_t i;

	message_id(s, en, id);
	for (i = 0; i < en->env.n; i++)
		printf("rcpt %s %s %s %s %s %s\n", en->id, id,
		    en->env.rcpts[i].addr.raw,
		    outcome_name(en->env.rcpts[i].outcome.state),
		    en->rcpts[i].final || en->rcpts[i].doubt ? "doubt" : "-",
		    (en->rcpts[i].reported & 1u << DSN_FAILED) != 0 ? "told"
								    : "-");
}

static int
tell_entry(void *ctx, const struct entry *en, const struct err *why)
{
	const struct states *s = ctx;
	const char *locked = en->busy ? "+locked" : "";

	if (why != NULL) {
		printf("malformed%s %s\n", locked, en->id);
		return 0;
	}
	printf("%s%s%s%s%s%s %s\n", entry_open(en) > 0 ? "queued" : "done",
	    en->torn ? "+torn" : "", untold(s, en) ? "+untold" : "",
	    doubtful(en) ? "+doubtful" : "", en->hold ? "+held" : "", locked,
	    en->id);
	tell_rcpts(s, en);
	return 0;
}

/* ---- other files ---- */

/* It begins with an id, and ends so. */
static bool
named(const char *name, const char *suffix)
{
	char id[ENTRY_ID_SIZE];

	snprintf(id, sizeof id, "%.*s", ENTRY_ID_LEN, name);
	return entry_id_valid(id) && strcmp(name + ENTRY_ID_LEN, suffix) == 0;
}

static bool
is_file(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode);
}

static const char *
state_of_draft(const struct states *s, const char *name)
{
	int fd = openat(s->f->fd, name, O_RDONLY | O_CLOEXEC);
	const char *state;

	if (fd == -1)
		broken_off(name);
	state = folder_locked(fd) ? "draft+locked" : "draft";
	close(fd);
	return state;
}

/* NULL for what is told elsewhere. */
static const char *
state_of(struct states *s, int dir, const char *name)
{
	const bool top = dir == s->f->fd;

	if (named(name, ""))
		return top ? NULL : "aside";
	if (!top && named(name, ".why"))
		return "aside-why";
	if (top && named(name, FOLDER_TMP) && is_file(dir, name))
		return state_of_draft(s, name);
	if (top && strcmp(name, FOLDER_BROKEN) == 0)
		return NULL;
	if (top && is_file(dir, name) &&
	    (strcmp(name, "stamp") == 0 || strcmp(name, "runner") == 0))
		return "mark";
	s->unknown = true;
	return "unknown";
}

static void
tell_others(struct states *s, int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd == -1 ? NULL : fdopendir(fd);
	const struct dirent *e;
	const char *state;

	if (d == NULL)
		broken_off("the folder");
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		state = state_of(s, dir, e->d_name);
		if (state != NULL)
			printf("%s %s\n", state, e->d_name);
	}
	closedir(d);
}

int
main(int argc, char **argv)
{
	static struct states s;
	struct folder_config config = { .path = argc > 1 ? argv[1] : "" };
	struct err e;
	int got = folder_open(&s.f, &config, &e), broken;

	if (got == 1) {
		puts("absent");
		return 0;
	}
	if (got == -1 || spool_list(s.f, &now, note_report, &s, &e) == -1) {
		fprintf(stderr, "%s\n", e.text);
		return 2;
	}
	broken = openat(s.f->fd, FOLDER_BROKEN, O_RDONLY | O_DIRECTORY);
	if (broken == -1)
		puts("unfinished");
	else if (s.entries == 0)
		puts("empty");
	if (spool_list(s.f, &now, tell_entry, &s, &e) == -1)
		broken_off("the folder");
	tell_others(&s, s.f->fd);
	if (broken != -1)
		tell_others(&s, broken);
	folder_close(s.f);
	return s.unknown;
}
