/*
 * edit: see edit.h. The field is made when the option is read, so that what
 * is wrong with it is said before anything is done.
 * Callers: cli, queue/submit.c. RFC 5322 2.2, 3.6; RFC 2047 5.
 * Ownership: see edit.h.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "mail/edit.h"
#include "mail/header.h"
#include "mail/mailbox.h"
#include "mail/message.h"

/* Longest value that an option may have, in encoded words. */
#define BODY_MAX (1024u * 1024)

static const char *const address_fields[] = { "From", "Sender", "Reply-To",
	"To", "Cc", "Bcc", "Resent-From", "Resent-Sender", "Resent-Reply-To",
	"Resent-To", "Resent-Cc", "Resent-Bcc", "Disposition-Notification-To" };

/* A message has at most one of each (RFC 5322 3.6, RFC 2045 3), and servers
 * refuse it with two. Bcc is not among them: it is taken out anyway. */
static const char *const once_fields[] = { "Date", "From", "Sender", "Reply-To",
	"To", "Cc", "Message-ID", "In-Reply-To", "References", "Subject",
	"MIME-Version", "Content-Type", "Content-Transfer-Encoding" };

#define LENGTH(a) (sizeof(a) / sizeof(a)[0])

static int
bad(struct err *e, const char *spec, const char *what)
{
	return err_set(
	    e, ERR_PERM, ERR_USAGE, "--header \"%.64s\": %s", spec, what);
}

static int
no_memory(struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
}

/* ---- what to do ---- */

static int
check_name(const char *spec, size_t n, struct err *e)
{
	size_t i;

	if (n == 0)
		return bad(e, spec, "there is no name before the value");
	if (n > EDIT_NAME_MAX)
		return bad(e, spec, "the name is longer than 76 octets");
	for (i = 0; i < n; i++)
		if (spec[i] <= ' ' || spec[i] > '~')
			return err_set(e, ERR_PERM, ERR_USAGE,
			    "--header \"%.64s\": octet %zu may not be in a "
			    "field's name; give NAME:VALUE, NAME=VALUE or NAME",
			    spec, i + 1);
	return 0;
}

/* Printable ASCII and tabs. */
static bool
is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((*s < ' ' && *s != '\t') || *s > '~')
			return false;
	return true;
}

static bool
is_one_of(const char *name, const char *const *names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

static int
encode(struct buf *out, const char *spec, const char *name, const char *value,
    struct err *e)
{
	struct err why;

	if (is_ascii(value))
		buf_adds(out, value);
	else if (!is_one_of(name, address_fields, LENGTH(address_fields)))
		header_encode(
		    out, value, strlen(value), HEADER_TEXT, strlen(name) + 2);
	else if (mailbox_list(out, value, strlen(value), &why) > 0)
		return bad(e, spec, why.text);
	return 0;
}

static bool
fits_lines(const char *p)
{
	size_t n;

	for (; *p != '\0'; p += n + (p[n] == '\n')) {
		n = strcspn(p, "\n");
		if (n > MESSAGE_LINE_MAX)
			return false;
	}
	return true;
}

/* The field, in *out. */
static int
make_field(struct buf *out, const char *spec, const char *name,
    const char *value, struct err *e)
{
	struct buf body;
	int got;

	value += strspn(value, " \t");
	if (strpbrk(value, "\r\n") != NULL)
		return bad(e, spec, "there is a line end in the value");
	buf_init(&body, BODY_MAX);
	got = encode(&body, spec, name, value, e);
	if (got == 0) {
		header_add(out, name, buf_str(&body));
		if (!buf_ok(out) || !buf_ok(&body))
			got = no_memory(e);
		else if (!fits_lines(buf_str(out)))
			got = bad(e, spec,
			    "a word in the value is too long for a line of 998 "
			    "octets");
	}
	buf_free(&body);
	return got;
}

int
edit_parse(struct edit *edit, const char *spec, struct err *e)
{
	size_t n = strcspn(spec, ":=");
	struct buf field;
	int got;

	*edit = (struct edit){ .kind = EDIT_DELETE };
	if (check_name(spec, n, e) == -1)
		return -1;
	edit->name = strndup(spec, n);
	if (edit->name == NULL)
		return no_memory(e);
	if (spec[n] == '\0')
		return 0;
	edit->kind = spec[n] == ':' ? EDIT_ADD : EDIT_REPLACE;
	buf_init(&field, BODY_MAX);
	got = make_field(&field, spec, edit->name, spec + n + 1, e);
	if (got == 0) {
		edit->body = strdup(buf_str(&field));
		got = edit->body == NULL ? no_memory(e) : 0;
	}
	buf_free(&field);
	if (got == -1)
		edit_free(edit);
	return got;
}

void
edit_free(struct edit *edit)
{
	free(edit->name);
	free(edit->body);
	*edit = (struct edit){ 0 };
}

/* ---- doing it ---- */

/* Where the first field of that name begins, else the header's end. */
static size_t
place(const struct buf *h, const char *name)
{
	struct field f = { 0 };

	return header_find(h->data, h->len, name, &f) ? f.at : h->len;
}

/* Put a field where it belongs. */
static void
insert(struct buf *h, size_t at, const char *field)
{
	size_t n = strlen(field);

	if (buf_room(h, n) == NULL)
		return;
	memmove(h->data + at + n, h->data + at, h->len - at);
	memcpy(h->data + at, field, n);
	buf_grew(h, n);
}

/* What the message can be blamed for: it is there already, or too much is. */
static int
unusable(struct err *e, const struct err *why)
{
	*e = *why;
	e->enhanced = (struct enhanced){ 5, 6, 0 };
	e->stage = STAGE_INPUT;
	e->scope = SCOPE_MESSAGE;
	return -1;
}

static int
there_already(const char *name, struct err *e)
{
	struct err why;

	err_set(&why, ERR_PERM, ERR_DATA,
	    "--header %s: a message has only one %s, and it is there already; "
	    "give %s=VALUE to replace it",
	    name, name, name);
	return unusable(e, &why);
}

static int
apply(struct message *m, const struct edit *edit, struct err *e)
{
	struct buf *h = &m->header;
	size_t at = h->len;

	if (edit->kind == EDIT_ADD && place(h, edit->name) < h->len &&
	    is_one_of(edit->name, once_fields, LENGTH(once_fields)))
		return there_already(edit->name, e);
	if (edit->kind == EDIT_REPLACE)
		at = place(h, edit->name);
	if (edit->kind != EDIT_ADD)
		message_remove(m, edit->name);
	if (edit->kind == EDIT_DELETE)
		return 0;
	insert(h, at < h->len ? at : h->len, edit->body);
	if (m->header_8bit == 0 && enc_has_8bit(edit->body, strlen(edit->body)))
		m->header_8bit = 1;
	return 0;
}

int
edit_apply(struct message *m, const struct edit *edit, size_t n, struct err *e)
{
	struct err why;
	size_t i;

	for (i = 0; i < n && buf_ok(&m->header); i++)
		if (apply(m, &edit[i], e) == -1)
			return -1;
	if (buf_ok(&m->header))
		return 0;
	err_set(&why, ERR_PERM, ERR_DATA,
	    "with the fields of --header the header is larger than %u MiB",
	    MESSAGE_HEADER_MAX / (1024 * 1024));
	return unusable(e, &why);
}
