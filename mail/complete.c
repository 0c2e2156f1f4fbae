/*
 * complete: see complete.h. Each field has a function that makes its body;
 * put() alone changes the header, but for a charset in a Content-Type.
 * Caller: queue/submit.c.
 * RFC 5322 3.4 (mailbox), 3.6.3 (To), 3.6.4 (Message-ID).
 * Ownership: see complete.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/enc.h"
#include "base/err.h"
#include "mail/address.h"
#include "mail/complete.h"
#include "mail/content.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/message.h"

/* Most octets of a field that are made here, but for To's list. */
#define FIELD_MAX 4096u
/* Most octets of a change that are told. */
#define NOTE_MAX 200

/* ---- changing ---- */

static void
note(const struct complete_config *c, const char *verb, const char *name,
    const char *body)
{
	char text[NOTE_MAX];

	if (c->on_note == NULL)
		return;
	snprintf(text, sizeof text, "%s %s%s%s", verb, name,
	    body != NULL ? ": " : "", body != NULL ? body : "");
	c->on_note(c->ctx, text);
}

/* True if a field is there and says something. */
static bool
has(const struct message *m, const char *name)
{
	struct field f = { 0 };
	size_t i;

	while (header_find(m->header.data, m->header.len, name, &f))
		for (i = 0; i < f.body_len; i++)
			if (strchr(" \t\n", f.body[i]) == NULL)
				return true;
	return false;
}

static bool
is_wanted(const struct message *m, enum complete_mode mode, const char *name)
{
	return mode == COMPLETE_ON || (mode == COMPLETE_AUTO && !has(m, name));
}

/* The one field of that name. */
static void
put(struct message *m, const struct complete_config *c, const char *name,
    const char *body)
{
	size_t before = message_remove(m, name);

	header_add(&m->header, name, body);
	if (m->header_8bit == 0 && enc_has_8bit(body, strlen(body)))
		m->header_8bit = 1;
	note(c, before > 0 ? "replaced" : "added", name, body);
}

/* ---- From ---- */

static bool
is_known(const struct address *a)
{
	return a != NULL && a->raw != NULL && a->raw[0] != '\0';
}

/* A name that breaks no line: what moves the cursor is a space. */
static void
add_name(struct buf *out, const char *name)
{
	struct buf clean;

	while ((*name > 0 && *name <= ' ') || *name == 127)
		name++;
	buf_init(&clean, FIELD_MAX);
	for (; *name != '\0'; name++)
		buf_addc(&clean,
		    (unsigned char)*name < ' ' || *name == 127 ? ' ' : *name);
	while (clean.len > 0 && clean.data[clean.len - 1] == ' ')
		buf_cut(&clean, clean.len - 1);
	if (clean.len > 0 && buf_ok(&clean))
		header_encode(out, buf_str(&clean), clean.len, HEADER_PHRASE,
		    strlen("From: "));
	buf_free(&clean);
}

static int
no_author(struct err *e)
{
	return err_set(e, ERR_PERM, ERR_USAGE,
	    "the message has no From, and there is no address for one: write "
	    "From into it, or give the sender by -f");
}

bool
complete_makes_from(const struct message *m, const struct complete_config *c)
{
	return is_known(c->author) && is_wanted(m, c->from, "From");
}

static int
complete_from(struct message *m, const struct complete_config *c, struct err *e)
{
	struct buf body;

	if (!complete_makes_from(m, c))
		return is_wanted(m, c->from, "From") && !has(m, "From")
		    ? no_author(e)
		    : 0;
	buf_init(&body, FIELD_MAX * 4);
	if (c->full_name != NULL)
		add_name(&body, c->full_name);
	if (body.len > 0)
		buf_addf(&body, " <%s>", c->author->raw);
	else
		buf_adds(&body, c->author->raw);
	put(m, c, "From", buf_str(&body));
	buf_free(&body);
	return 0;
}

/* ---- Date ---- */

static void
complete_date(struct message *m, const struct complete_config *c)
{
	char text[DATE_MAX];

	if (is_wanted(m, c->date, "Date"))
		put(m, c, "Date", date_text(c->now, c->zone, text));
}

/* ---- Message-ID ---- */

/* The domain as ASCII has it, a literal with its brackets. */
static const char *
id_domain(const struct complete_config *c)
{
	const struct address *a = c->author;

	if (!is_known(a) || a->kind == DOMAIN_NONE)
		return c->domain != NULL ? c->domain : "";
	return a->kind == DOMAIN_NAME ? a->ascii : a->raw + a->local_len + 1;
}

static void
complete_msgid(struct message *m, const struct complete_config *c)
{
	const char *domain = id_domain(c);
	struct buf id;
	size_t i;

	if (!is_wanted(m, c->msgid, "Message-ID"))
		return;
	if (*domain == '\0') {
		note(c, "left out", "Message-ID", "no domain is known");
		return;
	}
	buf_init(&id, FIELD_MAX);
	buf_addc(&id, '<');
	for (i = 0; i < sizeof c->random; i++)
		buf_addf(&id, "%02x", c->random[i]);
	buf_addf(&id, "@%s>", domain);
	put(m, c, "Message-ID", buf_str(&id));
	buf_free(&id);
}

/* ---- To ---- */

static const char nobody[] = "undisclosed-recipients:;";

/* True if some field says whom the message is for; Bcc may be empty (RFC
 * 5322 3.6.3). */
static bool
is_addressed(const struct message *m)
{
	static const char *const names[] = { "To", "Cc", "Resent-To",
		"Resent-Cc" };
	static const char *const blind[] = { "Bcc", "Resent-Bcc" };
	struct field f;
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (has(m, names[i]))
			return true;
	for (i = 0; i < sizeof blind / sizeof blind[0]; i++) {
		f = (struct field){ 0 };
		if (header_find(m->header.data, m->header.len, blind[i], &f))
			return true;
	}
	return false;
}

static void
complete_to(struct message *m, const struct complete_config *c)
{
	bool listed = c->recipients != NULL && *c->recipients != '\0';

	if (c->undisclosed) {
		if (message_remove(m, "Cc") > 0)
			note(c, "removed", "Cc", NULL);
		if (message_remove(m, "Bcc") > 0)
			note(c, "removed", "Bcc", NULL);
		put(m, c, "To", nobody);
	} else if (c->to == COMPLETE_ON && listed) {
		put(m, c, "To", c->recipients);
	} else if (c->to != COMPLETE_OFF && !is_addressed(m)) {
		put(m, c, "To", nobody);
	}
}

/* ---- MIME ---- */

/* Octets put into a buffer at `at`. */
static void
insert(struct buf *b, size_t at, const struct buf *text)
{
	size_t n = text->len;

	if (buf_room(b, n) == NULL)
		return;
	buf_grew(b, n);
	memmove(b->data + at + n, b->data + at, b->len - n - at);
	memcpy(b->data + at, text->data, n);
}

/* Octets of the last line that ends at s + n. */
static size_t
last_line(const char *s, size_t n)
{
	const char *lf = memrchr(s, '\n', n);

	return lf == NULL ? n : n - (size_t)(lf - s) - 1;
}

/* What makes a Content-Type that says no charset say one. */
static void
charset_parameter(struct buf *out, const struct field *f, const char *charset)
{
	size_t n = f->body_len, whole = (size_t)(f->body - f->name) + n;

	while (n > 0 && strchr(" \t\n", f->body[n - 1]) != NULL)
		n--;
	if (n == 0 || f->body[n - 1] != ';')
		buf_addc(out, ';');
	if (last_line(f->name, whole) + strlen("; charset=") + strlen(charset) >
	    HEADER_LINE)
		buf_addc(out, '\n');
	buf_addf(out, " charset=%s", charset);
}

/* The rest of the field stays as it is; one that is too broken to take a
 * parameter, an open quoted string say, does so too. */
static void
add_charset(struct message *m, const struct complete_config *c,
    const struct field *f, const char *charset)
{
	struct content after;
	struct buf text, whole;

	buf_init(&text, FIELD_MAX);
	charset_parameter(&text, f, charset);
	buf_init(&whole, f->body_len + text.len);
	buf_add(&whole, f->body, f->body_len);
	buf_add(&whole, text.data, text.len);
	content_type(&after, buf_str(&whole), whole.len);
	if (buf_ok(&whole) && strcmp(after.charset, charset) == 0) {
		insert(&m->header, f->end - 1, &text);
		note(c, "added charset to", "Content-Type", charset);
	}
	buf_free(&whole);
	buf_free(&text);
}

/* True if the octets of the body are those of its text. */
static bool
is_identity(const struct message *m)
{
	struct field f = { 0 };
	enum content_encoding encoding;

	if (!header_find(
		m->header.data, m->header.len, "Content-Transfer-Encoding", &f))
		return true;
	encoding = content_encoding(f.body, f.body_len);
	return encoding == ENCODING_7BIT || encoding == ENCODING_8BIT ||
	    encoding == ENCODING_BINARY;
}

/* Text with octets over 127: which charset they are of, and that they are. */
static void
complete_text(struct message *m, const struct complete_config *c,
    const struct field *f, bool named)
{
	const char *charset = m->body_utf8 ? "utf-8" : "unknown-8bit";
	char body[64];

	if (f == NULL) {
		snprintf(body, sizeof body, "text/plain; charset=%s", charset);
		put(m, c, "Content-Type", body);
	} else if (!named) {
		add_charset(m, c, f, charset);
	}
	if (!has(m, "Content-Transfer-Encoding"))
		put(m, c, "Content-Transfer-Encoding", "8bit");
}

static void
complete_mime(struct message *m, const struct complete_config *c)
{
	struct field f = { 0 };
	bool typed =
	    header_find(m->header.data, m->header.len, "Content-Type", &f);
	struct content type = { .kind = CONTENT_TEXT };
	bool text;

	if (typed)
		content_type(&type, f.body, f.body_len);
	/* One that is no type is left to its reader. */
	if (typed && type.type[0] == '\0')
		return;
	text = m->body_8bit != 0 && type.kind == CONTENT_TEXT && is_identity(m);
	if (text)
		complete_text(m, c, typed ? &f : NULL, type.charset[0] != '\0');
	if ((typed || text) && !has(m, "MIME-Version"))
		put(m, c, "MIME-Version", "1.0");
}

/* ---- all of them ---- */

static int
no_room(const struct buf *header, struct err *e)
{
	if (header->max - header->len > FIELD_MAX * 8)
		return err_set(e, ERR_TEMP, ERR_MACHINE,
		    "no memory for the message's header");
	err_set(e, ERR_PERM, ERR_DATA,
	    "the message header has no room for the fields it lacks");
	e->enhanced = (struct enhanced){ 5, 6, 0 };
	e->stage = STAGE_INPUT;
	e->scope = SCOPE_MESSAGE;
	return -1;
}

int
complete(struct message *m, const struct complete_config *c, struct err *e)
{
	bool headerless = m->header.len == 0;

	if (complete_from(m, c, e) == -1)
		return -1;
	complete_to(m, c);
	complete_date(m, c);
	complete_msgid(m, c);
	complete_mime(m, c);
	if (headerless && m->header.len > 0)
		m->has_body = true;
	return buf_ok(&m->header) ? 0 : no_room(&m->header, e);
}
