/*
 * dsn: see dsn.h. Three runs of octets: our own, the body that is returned,
 * which stays where it is, and the last delimiter.
 * Caller: the queue.
 * RFC 6522 (multipart/report), RFC 3834 3.1, RFC 6533 (message/global).
 * Ownership: see dsn.h.
 */
#include <string.h>

#include "base/enc.h"
#include "base/err.h"
#include "mail/date.h"
#include "mail/dsn.h"
#include "mail/encode.h"
#include "mail/envelope.h"
#include "mail/header.h"
#include "mail/mend.h"
#include "smtp/caps.h"

/* Most octets that are made for a recipient and for the message. */
#define RCPT_MAX 8192u
/* Longest Message-ID that is repeated. */
#define ID_MAX 900

/* ---- who gets one ---- */

static bool
is_null(const struct address *a)
{
	return a->raw == NULL || a->raw[0] == '\0';
}

/* A server that lacks DSN has taken it, and will not report. */
static bool
is_relayed(const struct outcome *o)
{
	return o->state == OUTCOME_DELIVERED && o->left_out & CAP_DSN;
}

bool
dsn_wanted(
    enum dsn_kind kind, const struct envelope *env, const struct recipient *r)
{
	const struct outcome *o = &r->outcome;
	unsigned notify =
	    r->notify != 0 ? r->notify : NOTIFY_FAILURE | NOTIFY_DELAY;
	bool open = o->state != OUTCOME_DELIVERED && o->state != OUTCOME_FAILED;

	if (is_null(&env->sender) || notify & NOTIFY_NEVER)
		return false;
	switch (kind) {
	case DSN_FAILED:
		return notify & NOTIFY_FAILURE &&
		    (open || o->state == OUTCOME_FAILED);
	case DSN_DELAYED:
		return notify & NOTIFY_DELAY && open;
	case DSN_RELAYED:
		return notify & NOTIFY_SUCCESS && is_relayed(o);
	default:
		return false;
	}
}

/* ---- the message that comes back ---- */

enum form {
	FORM_HEADERS, /* text/rfc822-headers */
	FORM_ENCODED, /* the same, in quoted-printable */
	FORM_GLOBAL_HEADERS, /* message/global-headers (RFC 6533 6) */
	FORM_MESSAGE, /* message/rfc822 */
	FORM_GLOBAL, /* message/global (RFC 6532 3.7) */
};

static const char *const form_type[] = {
	[FORM_HEADERS] = "text/rfc822-headers",
	[FORM_ENCODED] = "text/rfc822-headers",
	[FORM_GLOBAL_HEADERS] = "message/global-headers",
	[FORM_MESSAGE] = "message/rfc822",
	[FORM_GLOBAL] = "message/global",
};

struct returned {
	enum form form;
	bool whole;
	bool has_8bit;
	struct buf header; /* owned: as it comes back */
};

/* RFC 3461 4.3: what RET says is for failures. A body with a line that is too
 * long would have to be repaired within a message, which may not go. */
static bool
is_whole(const struct dsn_config *c)
{
	return c->kind == DSN_FAILED && !c->headers_only &&
	    c->env->dsn_return == RETURN_FULL && c->m->body_long == 0;
}

/* The header in ASCII or UTF-8, in lines that fit: false if it cannot be. */
static bool
mend(struct buf *out, const struct message *m, bool utf8)
{
	struct err ignored;

	buf_reset(out);
	return mend_header(
		   out, m->header.data, m->header.len, utf8, &ignored) == 0 &&
	    buf_ok(out);
}

/* Servers without SMTPUTF8 got it in ASCII, if that could be. */
static void
make_returned(struct returned *r, const struct dsn_config *c)
{
	const struct buf *header = &c->m->header;
	struct encode encode;

	buf_init(&r->header, 3 * MESSAGE_HEADER_MAX + RCPT_MAX);
	r->whole = is_whole(c);
	if (mend(&r->header, c->m, false)) {
		r->form = r->whole ? FORM_MESSAGE : FORM_HEADERS;
	} else if (mend(&r->header, c->m, true)) {
		r->form = r->whole ? FORM_GLOBAL : FORM_GLOBAL_HEADERS;
	} else {
		r->whole = false;
		r->form = FORM_ENCODED;
		buf_reset(&r->header);
		encode_init(&encode, ENCODE_QP);
		encode_feed(&encode, &r->header, header->data, header->len);
		encode_end(&encode, &r->header);
	}
	r->has_8bit = enc_has_8bit(buf_str(&r->header), r->header.len) ||
	    (r->whole && c->m->body_8bit != 0);
}

/* ---- fields ---- */

static void
put_encoding(struct buf *b, const char *encoding)
{
	header_add(b, "Content-Transfer-Encoding", encoding);
}

static const char *
bits(bool has_8bit)
{
	return has_8bit ? "8bit" : "7bit";
}

/* The reported message's, if it is one that a field of ours can have. */
static void
put_references(struct buf *b, const struct message *m)
{
	struct field f = { 0 };
	struct buf id;
	size_t i;
	bool good;

	if (!header_find(m->header.data, m->header.len, "Message-ID", &f))
		return;
	buf_init(&id, ID_MAX);
	header_unfold(&id, &f);
	good = buf_ok(&id) && id.len > 2 && id.data[0] == '<' &&
	    id.data[id.len - 1] == '>';
	for (i = 0; good && i < id.len; i++)
		good = id.data[i] > ' ' && id.data[i] <= '~';
	if (good) {
		header_add(b, "In-Reply-To", buf_str(&id));
		header_add(b, "References", buf_str(&id));
	}
	buf_free(&id);
}

static void
put_id(struct buf *b, const struct dsn_config *c)
{
	size_t i;

	buf_adds(b, "Message-ID: <dsn.");
	for (i = 0; i < sizeof c->random; i++)
		buf_addf(b, "%02x", c->random[i]);
	buf_addf(b, "@%s>\n", c->host);
}

static void
put_fields(struct buf *b, const struct dsn_config *c)
{
	static const char *const subject[DSN_KINDS] = {
		[DSN_FAILED] = "Mail could not be delivered",
		[DSN_DELAYED] = "Mail is delayed, and is still being tried",
		[DSN_RELAYED] = "Mail was passed on",
	};
	char date[DATE_MAX], to[DSN_CLEAN_MAX];

	buf_addf(b, "From: Mail Delivery System <MAILER-DAEMON@%s>\n", c->host);
	header_add(b, "To", dsn_clean(to, c->env->sender.raw, false));
	header_add(b, "Subject", subject[c->kind]);
	header_add(b, "Date", date_text(c->now, c->zone, date));
	put_id(b, c);
	put_references(b, c->m);
	header_add(b, "Auto-Submitted", "auto-replied");
	header_add(b, "MIME-Version", "1.0");
}

static void
put_type(struct buf *b, const char *boundary, bool has_8bit)
{
	buf_addf(b,
	    "Content-Type: multipart/report; report-type=delivery-status;\n"
	    " boundary=\"%s\"\n",
	    boundary);
	put_encoding(b, bits(has_8bit));
}

/* ---- parts ---- */

static void
put_text_part(struct buf *b, const struct buf *text)
{
	bool has_8bit = enc_has_8bit(buf_str(text), text->len);

	header_add(b, "Content-Type",
	    has_8bit ? "text/plain; charset=utf-8"
		     : "text/plain; charset=us-ascii");
	put_encoding(b, bits(has_8bit));
	buf_addc(b, '\n');
	buf_add(b, text->data, text->len);
}

static void
put_status_part(struct buf *b, const struct buf *status, bool utf8)
{
	header_add(b, "Content-Type",
	    utf8 ? "message/global-delivery-status"
		 : "message/delivery-status");
	put_encoding(b, bits(utf8));
	buf_addc(b, '\n');
	buf_add(b, status->data, status->len);
}

/* Its header; the body comes behind the own octets. */
static void
put_returned_part(
    struct dsn *d, const struct returned *r, const struct message *m)
{
	struct buf *b = &d->own;

	header_add(b, "Content-Type", form_type[r->form]);
	put_encoding(b,
	    r->form == FORM_ENCODED ? "quoted-printable" : bits(r->has_8bit));
	buf_addc(b, '\n');
	buf_add(b, r->header.data, r->header.len);
	if (!r->whole || !m->has_body)
		return;
	buf_addc(b, '\n');
	d->body_off = m->body_off;
	d->body_size = m->octets.size - m->body_off;
}

static int
no_memory(struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory for the report");
}

static int
changed(struct err *e)
{
	err_set(e, ERR_TEMP, ERR_INPUT,
	    "the message changed while it was returned");
	e->stage = STAGE_INPUT;
	e->scope = SCOPE_MESSAGE;
	return -1;
}

/* Behind a CR the delimiter's LF would only make one line end of it. */
static int
put_end(struct dsn *d, const char *boundary, struct err *e)
{
	char last = '\n';
	long got = 1;

	if (d->body_size > 0)
		got = d->in.read(
		    d->in.ctx, d->body_off + d->body_size - 1, &last, 1, e);
	if (got != 1)
		return got == -1 ? -1 : changed(e);
	d->split = d->own.len;
	if (last == '\r')
		buf_addc(&d->own, '\n');
	buf_addf(&d->own, "\n--%s--\n", boundary);
	return 0;
}

static int
put_all(struct dsn *d, const struct dsn_config *c, const struct returned *r,
    struct err *e)
{
	char boundary[COMPOSE_BOUNDARY];
	bool utf8 = c->env->sender.needs_utf8;
	struct buf text, status;

	compose_boundary(boundary, c->random);
	buf_init(&text, d->own.max);
	buf_init(&status, d->own.max);
	dsn_put_text(&text, c, r->whole);
	dsn_put_status(&status, c, utf8);
	put_fields(&d->own, c);
	put_type(&d->own, boundary,
	    r->has_8bit || utf8 || enc_has_8bit(buf_str(&text), text.len));
	buf_addf(&d->own, "\n--%s\n", boundary);
	put_text_part(&d->own, &text);
	buf_addf(&d->own, "\n--%s\n", boundary);
	put_status_part(&d->own, &status, utf8);
	buf_addf(&d->own, "\n--%s\n", boundary);
	put_returned_part(d, r, c->m);
	if (!buf_ok(&text) || !buf_ok(&status))
		d->own.failed = true;
	buf_free(&text);
	buf_free(&status);
	return put_end(d, boundary, e);
}

int
dsn_open(struct dsn *d, const struct dsn_config *c, struct err *e)
{
	struct returned r = { 0 };
	int got;

	*d = (struct dsn){ .in = c->m->octets };
	buf_init(&d->own, 4 * MESSAGE_HEADER_MAX + c->n * RCPT_MAX);
	make_returned(&r, c);
	got = put_all(d, c, &r, e);
	if (got == 0 && (!buf_ok(&d->own) || !buf_ok(&r.header)))
		got = no_memory(e);
	buf_free(&r.header);
	if (got == -1)
		dsn_free(d);
	return got;
}

void
dsn_free(struct dsn *d)
{
	buf_free(&d->own);
	*d = (struct dsn){ 0 };
}

/* ---- reading ---- */

static long
read_own(const struct dsn *d, uint64_t off, char *to, size_t n, size_t end)
{
	if (n > end - off)
		n = (size_t)(end - off);
	memcpy(to, d->own.data + off, n);
	return (long)n;
}

/* Nothing is left: is the input as it was? 0, or -1. */
static long
read_end(const struct dsn *d, struct err *e)
{
	char one;
	long got = 0;

	if (d->body_size > 0)
		got = d->in.read(d->in.ctx, d->in.size, &one, 1, e);
	return got > 0 ? changed(e) : got;
}

static long
dsn_read(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const struct dsn *d = ctx;
	long got;

	if (off < d->split)
		return read_own(d, off, to, n, d->split);
	if (off - d->split >= d->body_size) {
		off -= d->body_size;
		return off < d->own.len ? read_own(d, off, to, n, d->own.len)
					: read_end(d, e);
	}
	off -= d->split;
	if (n > d->body_size - off)
		n = (size_t)(d->body_size - off);
	got = d->in.read(d->in.ctx, d->body_off + off, to, n, e);
	return got == 0 && n > 0 ? changed(e) : got;
}

struct octets
dsn_octets(struct dsn *d)
{
	return (struct octets){ dsn_read, d, d->own.len + d->body_size };
}
