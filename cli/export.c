/*
 * export: see export.h. The octets are those of a view, as wire.c would send
 * them; only where they go differs.
 * Callers: options.c, send.c. It prints nothing but the message.
 * RFC 5321 2.3.8, 4.5.2.
 * Ownership: what it opens it closes.
 */
#include <sys/stat.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/err.h"
#include "base/wait.h"
#include "cli/export.h"
#include "cli/nearest.h"
#include "mail/message.h"
#include "mail/view.h"
#include "proto.h"

/* ---- what is asked for ---- */

/* Formats that callers know by other programs, and what there is. */
static const struct format_row {
	const char *name;
	bool built;
} format_rows[] = {
	{ "wire", true },
	{ "bsmtp", false },
	{ "mbox", false },
	{ "maildir", false },
	{ "headers", false },
};

static const struct format_row *
format_by_name(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof format_rows / sizeof format_rows[0]; i++)
		if (strlen(format_rows[i].name) == n &&
		    memcmp(format_rows[i].name, s, n) == 0)
			return &format_rows[i];
	return NULL;
}

int
export_format(struct export *x, const char *value, struct err *e)
{
	const char *colon = strchr(value, ':');
	size_t n = colon == NULL ? strlen(value) : (size_t)(colon - value);
	const struct format_row *row = format_by_name(value, n);
	int shown = (int)(n > 64 ? 64 : n);

	if (row == NULL || !row->built)
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "--export %.*s: %s; give wire, or wire:PATH for a file",
		    shown, value,
		    row == NULL ? "there is no such format"
				: "this format is not built in yet");
	if (colon != NULL && colon[1] == '\0')
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "--export \"%s\": the path is empty; give wire:PATH, or "
		    "wire for standard output",
		    value);
	x->wanted = true;
	x->path = colon == NULL || strcmp(colon, ":-") == 0 ? NULL : colon + 1;
	return 0;
}

/* ---- for which server ---- */

/* Longest item of a list that can be a keyword with its value. */
#define ITEM_MAX 128

void
export_caps_all(struct caps *c)
{
	const char *name;
	size_t i;

	*c = (struct caps){ 0 };
	for (i = 0; (name = caps_keyword(i)) != NULL; i++)
		caps_add(c, name, strlen(name));
}

static int
bad_item(const char *item, struct err *e)
{
	size_t n = strcspn(item, " "), i;
	struct nearest near;
	char upper[ITEM_MAX];
	const char *name;

	if (strspn(item, "0123456789") == n)
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "--caps: %.*s is no keyword; a value stands behind =, as "
		    "in SIZE=1000",
		    (int)n, item);
	for (i = 0; i < n; i++)
		upper[i] = (char)toupper((unsigned char)item[i]);
	nearest_init(&near, upper, n);
	for (i = 0; (name = caps_keyword(i)) != NULL; i++)
		nearest_offer(&near, name);
	return err_set(e, ERR_PERM, ERR_USAGE,
	    "--caps: unknown keyword %.*s%s%s; give EHLO keywords, all, or "
	    "none",
	    (int)n, item, near.name != NULL ? "; the nearest is " : "",
	    near.name != NULL ? near.name : "");
}

/* As a server it would be passed over; from a person it is an error. */
static int
bad_size(const char *item, struct err *e)
{
	return err_set(e, ERR_PERM, ERR_USAGE,
	    "--caps: \"%s\": give a number of octets, or SIZE alone", item);
}

/* One keyword as EHLO has it, its value behind a blank. */
static int
take_item(struct caps *c, const char *item, struct err *e)
{
	struct caps one = { 0 }, all;

	if (strcasecmp(item, "none") == 0)
		return 0;
	if (strcasecmp(item, "all") == 0) {
		export_caps_all(&all);
		c->has |= all.has;
		return 0;
	}
	if (!caps_add(&one, item, strlen(item)))
		return bad_item(item, e);
	if ((one.has & CAP_SIZE) != 0 && one.size == 0 && item[4] == ' ' &&
	    (item[5] == '\0' || item[5 + strspn(item + 5, "0")] != '\0'))
		return bad_size(item, e);
	caps_add(c, item, strlen(item));
	return 0;
}

int
export_caps(struct caps *c, const char *list, struct err *e)
{
	static const char blank[] = ", \t";
	const char *p = list + strspn(list, blank);
	char item[ITEM_MAX], *eq;
	size_t n;

	*c = (struct caps){ 0 };
	if (*p == '\0')
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "--caps: the list is empty; give EHLO keywords, all, or "
		    "none");
	for (; *p != '\0'; p += n, p += strspn(p, blank)) {
		n = strcspn(p, blank);
		snprintf(item, sizeof item, "%.*s", (int)n, p);
		eq = strchr(item, '=');
		if (eq != NULL)
			*eq = ' ';
		if (take_item(c, item, e) == -1)
			return -1;
	}
	return 0;
}

/* ---- writing ---- */

/* Octets written at a time. */
#define BLOCK (64u * 1024)

struct sink {
	const char *name; /* for people; borrowed */
	int fd;
};

static int
cannot(const struct sink *s, struct err *e)
{
	return err_errno(
	    e, ERR_PERM, ERR_OUTPUT, errno, "cannot write to %s", s->name);
}

static int
put(const struct sink *s, const char *p, size_t n, struct err *e)
{
	ssize_t put;

	while (n > 0) {
		put = write(s->fd, p, n);
		if (put == -1 && errno == EAGAIN)
			wait_fd(NULL, s->fd, POLLOUT, INT64_MAX);
		else if (put == -1 && errno != EINTR)
			return cannot(s, e);
		if (put > 0) {
			p += put;
			n -= (size_t)put;
		}
	}
	return 0;
}

/* Writing would change what is still to be read. */
static int
check_same(const struct sink *s, const struct export *x, struct err *e)
{
	const char *what = NULL;
	struct stat in, out;

	if (fstat(s->fd, &out) == -1 || !S_ISREG(out.st_mode))
		return 0;
	if (fstat(STDIN_FILENO, &in) == 0 && in.st_dev == out.st_dev &&
	    in.st_ino == out.st_ino)
		what = "that the message is read from";
	else if (x->reads != NULL && x->reads(x->source, &out))
		what = "that is attached";
	if (what == NULL)
		return 0;
	return err_set(e, ERR_PERM, ERR_OUTPUT,
	    "%s is the file %s; give another one", s->name, what);
}

/* As a shell's > has it, but for us alone (umask), and not cut before it is
 * known to be another file. */
static int
sink_open(struct sink *s, const struct export *x, struct err *e)
{
	s->name = x->path != NULL ? x->path : "stdout";
	s->fd = STDOUT_FILENO;
	if (x->path != NULL)
		s->fd = open(x->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (s->fd == -1)
		return cannot(s, e);
	if (check_same(s, x, e) == -1)
		return -1;
	/* A device or a pipe has nothing to be cut off. */
	if (x->path != NULL && ftruncate(s->fd, 0) == -1 && errno != EINVAL)
		return cannot(s, e);
	return 0;
}

static int
copy(const struct sink *s, const struct view *v, struct err *e)
{
	struct view_reader r;
	char block[BLOCK];
	long got;
	int bad = 0;

	view_open(&r, v, VIEW_DOTTED);
	while (bad == 0 && !view_done(&r)) {
		got = view_read(&r, block, sizeof block, e);
		bad = got == -1 ? -1 : put(s, block, (size_t)got, e);
	}
	view_close(&r);
	return bad;
}

int
export_write(const struct export *x, const struct message *m, struct err *e)
{
	char repairs[PROTO_REPAIRS_MAX];
	struct sink s;
	struct view v;
	int got;

	if (proto_view(&v, m, &x->caps, x->utf8, e) == -1)
		return -1;
	if (x->notes != NULL && proto_repairs(&v, repairs) != NULL)
		fprintf(x->notes, "-- %s\n", repairs);
	got = sink_open(&s, x, e);
	if (got == 0)
		got = copy(&s, &v, e);
	/* Some file systems tell only here that there was no room. */
	if (x->path != NULL && s.fd != -1 && close(s.fd) == -1 && got == 0)
		got = cannot(&s, e);
	view_free(&v);
	return got;
}
