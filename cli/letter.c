/*
 * letter: see letter.h. All that can be wrong with what was asked for is found
 * here, before standard input is read.
 * Caller: send.c. RFC 5322 2.2, RFC 2045; mime.types.
 * Ownership: see letter.h.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/letter.h"
#include "cli/machine.h"
#include "cli/options.h"
#include "mail/edit.h"
#include "mail/mailbox.h"
#include "mail/media.h"
#include "store/body.h"

#define MIME_TYPES "/etc/mime.types"
#define MIME_TYPES_MAX (8u * 1024 * 1024)
#define ANY_TYPE "application/octet-stream"

/* Longest --reply-to, as a field. */
#define LIST_MAX (1024u * 1024)

struct attached {
	char *path; /* owned */
	const char *name; /* in path, without folders */
	int fd;
	struct body *body; /* owned */
	char type[MEDIA_TYPE_MAX];
};

static int
bad(struct err *e, const char *option, const char *value, const char *what)
{
	return err_set(
	    e, ERR_PERM, ERR_USAGE, "--%s \"%.64s\": %s", option, value, what);
}

static int
no_memory(struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
}

/* ---- values ---- */

static int
check_line(const char *option, const char *value, struct err *e)
{
	if (strpbrk(value, "\r\n") == NULL)
		return 0;
	return bad(e, option, value, "there is a line end in it");
}

static int
check_lines(const char *option, const struct texts *t, struct err *e)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (check_line(option, t->v[i], e) == -1)
			return -1;
	return 0;
}

/* Nobody gets the mail at these: a bad one is no failed recipient. */
static int
check_reply_to(const struct texts *t, struct err *e)
{
	struct buf list;
	struct err why;
	size_t i;
	int got = 0;

	buf_init(&list, LIST_MAX);
	for (i = 0; i < t->n && got == 0; i++)
		if (mailbox_list(&list, t->v[i], strlen(t->v[i]), &why) > 0)
			got = bad(e, "reply-to", t->v[i], why.text);
	if (got == 0 && t->n > 0 && list.len == 0)
		got = bad(e, "reply-to", t->v[0], "there is no address in it");
	buf_free(&list);
	return got;
}

static int
check_values(const struct options *o, struct err *e)
{
	if (o->subject != NULL && check_line("subject", o->subject, e) == -1)
		return -1;
	if (check_lines("to", &o->to, e) == -1 ||
	    check_lines("cc", &o->cc, e) == -1 ||
	    check_lines("bcc", &o->bcc, e) == -1 ||
	    check_lines("reply-to", &o->reply_to, e) == -1 ||
	    check_lines("attach", &o->attach, e) == -1)
		return -1;
	return check_reply_to(&o->reply_to, e);
}

static int
make_edits(struct letter *l, const struct texts *headers, struct err *e)
{
	size_t i;

	l->edits = calloc(headers->n + 1, sizeof *l->edits);
	if (l->edits == NULL)
		return no_memory(e);
	for (i = 0; i < headers->n; i++, l->nedits++)
		if (edit_parse(&l->edits[i], headers->v[i], e) == -1)
			return -1;
	return 0;
}

/* What says how the octets of a composed message are to be read is ours to
 * say; but a text alone may be of another type. */
static int
check_edits(const struct letter *l, const struct texts *headers, struct err *e)
{
	static const char *const ours[] = { "MIME-Version",
		"Content-Transfer-Encoding", "Content-Type" };
	size_t last = l->nattached > 0 ? 3 : 2, i, j;

	for (i = 0; l->composing && i < l->nedits; i++)
		for (j = 0; j < last; j++)
			if (strcasecmp(l->edits[i].name, ours[j]) == 0)
				return bad(e, "header", headers->v[i],
				    j < 2 ? "a composed message has its own"
					  : "with --attach the message is a "
					    "multipart/mixed; attach what has "
					    "another type, by FILE:TYPE");
	return 0;
}

/* ---- attachments ---- */

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* "report.pdf:pdf": the file is there, but for its colon. */
static bool
has_bad_type(const char *arg, const char *colon)
{
	char path[MACHINE_PATH_MAX];
	int n = snprintf(path, sizeof path, "%.*s", (int)(colon - arg), arg);

	return !media_is_type(colon + 1, strlen(colon + 1)) &&
	    access(arg, F_OK) == -1 && n < (int)sizeof path &&
	    access(path, F_OK) == 0;
}

/* FILE[:TYPE] apart. A file whose name has the colon is one all the same. */
static int
split(struct attached *a, const char *arg, struct err *e)
{
	const char *colon = strrchr(arg, ':');

	if (colon != NULL && has_bad_type(arg, colon))
		return bad(e, "attach", arg,
		    "what follows the colon is no type like text/plain");
	if (colon != NULL &&
	    (!media_is_type(colon + 1, strlen(colon + 1)) ||
		access(arg, F_OK) == 0))
		colon = NULL;
	a->path =
	    colon == NULL ? strdup(arg) : strndup(arg, (size_t)(colon - arg));
	if (a->path == NULL)
		return no_memory(e);
	a->name = base_name(a->path);
	if (colon != NULL)
		snprintf(a->type, sizeof a->type, "%s", colon + 1);
	if (a->path[0] == '\0')
		return bad(e, "attach", arg, "there is no file's name in it");
	if (strcmp(a->path, "-") == 0)
		return bad(e, "attach", arg,
		    "standard input is the text; give a file");
	if (media_is(a->type, "multipart"))
		return bad(e, "attach", arg,
		    "a file is one part and cannot be a multipart");
	return 0;
}

static int
open_file(struct attached *a, const char *tmpdir, struct err *e)
{
	bool is_at;

	a->fd = open(a->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (a->fd == -1) {
		is_at = errno == ENOENT && a->path[0] == '@';
		if (err_is_shortage(errno))
			return err_errno(e, ERR_TEMP, ERR_MACHINE, errno,
			    "cannot open %s", a->path);
		return err_errno(e, ERR_PERM, ERR_INPUT, errno,
		    "cannot attach %s%s", a->path,
		    is_at ? " (give the name without the @)" : "");
	}
	a->body = body_read_all(a->fd, a->path, tmpdir, e);
	return a->body == NULL ? -1 : 0;
}

/* All of a file; what cannot be read is as good as empty. */
static void
read_table(struct buf *table)
{
	FILE *in = fopen(MIME_TYPES, "re");
	char block[4096];
	size_t n;

	if (in == NULL)
		return;
	while ((n = fread(block, 1, sizeof block, in)) > 0)
		buf_add(table, block, n);
	fclose(in);
}

static void
find_types(struct letter *l)
{
	struct buf table;
	size_t i, unknown = 0;

	for (i = 0; i < l->nattached; i++)
		unknown += l->attached[i].type[0] == '\0';
	if (unknown == 0)
		return;
	buf_init(&table, MIME_TYPES_MAX);
	read_table(&table);
	for (i = 0; i < l->nattached; i++) {
		struct attached *a = &l->attached[i];

		if (a->type[0] == '\0' &&
		    !media_lookup(buf_str(&table), table.len, a->name, a->type))
			snprintf(a->type, sizeof a->type, ANY_TYPE);
	}
	buf_free(&table);
}

static int
attach(struct letter *l, const struct texts *args, const char *tmpdir,
    struct err *e)
{
	struct attached *a;
	size_t i;

	l->attached = calloc(args->n + 1, sizeof *l->attached);
	l->files = calloc(args->n + 1, sizeof *l->files);
	if (l->attached == NULL || l->files == NULL)
		return no_memory(e);
	for (i = 0; i < args->n; i++) {
		a = &l->attached[l->nattached++];
		a->fd = -1;
		if (split(a, args->v[i], e) == -1 ||
		    open_file(a, tmpdir, e) == -1)
			return -1;
	}
	find_types(l);
	for (i = 0; i < l->nattached; i++) {
		a = &l->attached[i];
		l->files[i] = (struct compose_file){ a->name, a->type,
			{ body_octets, a->body, body_size(a->body) } };
	}
	l->compose.file = l->files;
	l->compose.nfiles = l->nattached;
	return 0;
}

/* ---- the whole ---- */

static void
take_fields(struct compose_config *c, const struct options *o)
{
	c->subject = o->subject;
	c->to = o->to;
	c->cc = o->cc;
	c->bcc = o->bcc;
	c->reply_to = o->reply_to;
	/* Operands are people written to, as mail(1) has it. */
	if (o->to.n == 0)
		c->to = (struct texts){ o->operands, o->noperands };
}

int
letter_open(struct letter *l, const struct options *o, const char *tmpdir,
    struct err *e)
{
	*l = (struct letter){ 0 };
	l->composing = o->subject != NULL ||
	    o->to.n + o->cc.n + o->bcc.n + o->reply_to.n + o->attach.n > 0;
	if (check_values(o, e) == -1 || make_edits(l, &o->headers, e) == -1)
		return -1;
	take_fields(&l->compose, o);
	if (attach(l, &o->attach, tmpdir, e) == -1)
		return -1;
	return check_edits(l, &o->headers, e);
}

void
letter_free(struct letter *l)
{
	size_t i;

	for (i = 0; i < l->nedits; i++)
		edit_free(&l->edits[i]);
	for (i = 0; i < l->nattached; i++) {
		body_free(l->attached[i].body);
		if (l->attached[i].fd != -1)
			close(l->attached[i].fd);
		free(l->attached[i].path);
	}
	free(l->edits);
	free(l->attached);
	free(l->files);
	*l = (struct letter){ 0 };
}

bool
letter_reads(const struct letter *l, const struct stat *file)
{
	struct stat at;
	size_t i;

	for (i = 0; i < l->nattached; i++)
		if (fstat(l->attached[i].fd, &at) == 0 &&
		    at.st_dev == file->st_dev && at.st_ino == file->st_ino)
			return true;
	return false;
}
