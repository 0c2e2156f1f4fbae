/*
 * dkim: see dkim.h. The body is hashed as it comes by, once for each form
 * that is wanted; the header is kept until the end, when its time has come.
 * Callers: queue/sign.c. It keeps no key.
 * RFC 6376 3.4 to 3.7, 5; RFC 8463 3.
 * Ownership: see dkim.h.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/enc.h"
#include "base/err.h"
#include "mail/dkim.h"
#include "mail/header.h"
#include "mail/message.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* A header, encoded as it may be in a view, and its signatures. */
#define TEXT_MAX (4 * (size_t)MESSAGE_HEADER_MAX + 64 * 1024)

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* ---- the body's canonical form ---- */

void
dkim_body_init(struct dkim_body *b, enum dkim_form form, struct dkim_sink sink)
{
	b->form = form;
	b->sink = sink;
	b->cr = b->space = b->text = false;
	b->lines = 0;
	b->len = 0;
}

static void
body_flush(struct dkim_body *b)
{
	if (b->len > 0)
		b->sink.take(b->sink.ctx, b->out, b->len);
	b->len = 0;
}

static void
body_put(struct dkim_body *b, const char *p, size_t n)
{
	size_t room;

	while (n > 0) {
		if (b->len == sizeof b->out)
			body_flush(b);
		room = sizeof b->out - b->len;
		if (room > n)
			room = n;
		memcpy(b->out + b->len, p, room);
		b->len += room;
		p += room;
		n -= room;
	}
}

/* Text: what waited for it goes out before. */
static void
body_text(struct dkim_body *b, const char *p, size_t n)
{
	for (; b->lines > 0; b->lines--)
		body_put(b, "\r\n", 2);
	if (b->space)
		body_put(b, " ", 1);
	b->space = false;
	b->text = true;
	body_put(b, p, n);
}

/* Octets up to the next that is more than itself. */
static size_t
body_run(const struct dkim_body *b, const char *p, size_t n)
{
	const char *cr;
	size_t i = 0;

	if (b->form == DKIM_SIMPLE) {
		cr = memchr(p, '\r', n);
		return cr == NULL ? n : (size_t)(cr - p);
	}
	while (i < n && p[i] != '\r' && !is_space(p[i]))
		i++;
	return i;
}

/* The octet behind a CR; the CR was text unless this ends the line. */
static size_t
body_behind_cr(struct dkim_body *b, char c)
{
	b->cr = false;
	if (c != '\n') {
		body_text(b, "\r", 1);
		return 0;
	}
	b->space = false;
	b->lines++;
	return 1;
}

void
dkim_body_feed(struct dkim_body *b, const char *p, size_t n)
{
	size_t used;

	for (; n > 0; p += used, n -= used) {
		if (b->cr) {
			used = body_behind_cr(b, *p);
			continue;
		}
		used = body_run(b, p, n);
		if (used > 0) {
			body_text(b, p, used);
			continue;
		}
		if (*p == '\r')
			b->cr = true;
		else
			b->space = true;
		used = 1;
	}
}

/*
 * Of the line ends behind the last text one stays, or is added. A body that
 * has no text is one line end if simple (3.4.3), and nothing if relaxed.
 */
void
dkim_body_end(struct dkim_body *b)
{
	if (b->cr)
		body_text(b, "\r", 1);
	if (b->text || b->form == DKIM_SIMPLE)
		body_put(b, "\r\n", 2);
	body_flush(b);
}

/* ---- a field's canonical form ---- */

/* As it is, with the line ends of the wire. */
static void
field_simple(struct buf *out, const char *p, size_t n)
{
	const char *lf;

	while ((lf = memchr(p, '\n', n)) != NULL) {
		buf_add(out, p, (size_t)(lf - p));
		buf_adds(out, "\r\n");
		n -= (size_t)(lf - p) + 1;
		p = lf + 1;
	}
	buf_add(out, p, n);
}

/* The name in lower case, the body in one line with single spaces. */
static void
field_relaxed(struct buf *out, const char *p, size_t n)
{
	size_t i, colon = header_name(p, n), name = colon;
	bool space = false, text = false;

	while (name > 0 && (p[name - 1] == ':' || is_space(p[name - 1])))
		name--;
	for (i = 0; i < name; i++)
		buf_addc(out,
		    (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i]));
	buf_addc(out, ':');
	for (i = colon; i < n; i++) {
		if (is_space(p[i]) || p[i] == '\n') {
			space = true;
			continue;
		}
		if (space && text)
			buf_addc(out, ' ');
		buf_addc(out, p[i]);
		space = false;
		text = true;
	}
	buf_adds(out, "\r\n");
}

void
dkim_field(struct buf *out, enum dkim_form form, const char *p, size_t n)
{
	if (form == DKIM_SIMPLE)
		field_simple(out, p, n);
	else
		field_relaxed(out, p, n);
}

/* ---- what is signed ---- */

enum guard {
	GUARD_NONE, /* relays and lists may add it */
	GUARD_PRESENT, /* where it is there, no second one may be added */
	GUARD_ALWAYS /* none may be added */
};

/*
 * The fields that are signed. Those that change what is read, or where an
 * answer goes, are guarded. Relays add Date and Message-ID to a message that
 * has none, and lists a Sender; those of a list, or of who sends a message
 * on, come later by their nature. Trace fields are everybody's.
 */
static const struct row {
	const char *name;
	enum guard guard;
} rows[] = {
	{ "From", GUARD_ALWAYS },
	{ "Sender", GUARD_PRESENT },
	{ "Reply-To", GUARD_ALWAYS },
	{ "Subject", GUARD_ALWAYS },
	{ "Date", GUARD_PRESENT },
	{ "Message-ID", GUARD_PRESENT },
	{ "To", GUARD_ALWAYS },
	{ "Cc", GUARD_ALWAYS },
	{ "MIME-Version", GUARD_ALWAYS },
	{ "Content-Type", GUARD_ALWAYS },
	{ "Content-Transfer-Encoding", GUARD_ALWAYS },
	{ "Content-ID", GUARD_NONE },
	{ "Content-Description", GUARD_NONE },
	{ "Content-Disposition", GUARD_NONE },
	{ "Content-Language", GUARD_NONE },
	{ "In-Reply-To", GUARD_ALWAYS },
	{ "References", GUARD_ALWAYS },
	{ "Resent-Date", GUARD_NONE },
	{ "Resent-From", GUARD_NONE },
	{ "Resent-Sender", GUARD_NONE },
	{ "Resent-To", GUARD_NONE },
	{ "Resent-Cc", GUARD_NONE },
	{ "Resent-Message-ID", GUARD_NONE },
	{ "List-Id", GUARD_NONE },
	{ "List-Help", GUARD_NONE },
	{ "List-Unsubscribe", GUARD_NONE },
	{ "List-Unsubscribe-Post", GUARD_NONE },
	{ "List-Subscribe", GUARD_NONE },
	{ "List-Post", GUARD_NONE },
	{ "List-Owner", GUARD_NONE },
	{ "List-Archive", GUARD_NONE },
	{ "Auto-Submitted", GUARD_NONE },
};

static size_t
times_named(const struct row *row, const char *header, size_t n)
{
	struct field f = { 0 };
	size_t times = 0;

	while (
	    times < DKIM_SAME_NAME_MAX && header_find(header, n, row->name, &f))
		times++;
	if (row->guard == GUARD_ALWAYS ||
	    (row->guard == GUARD_PRESENT && times > 0))
		times++;
	return times;
}

void
dkim_names(struct buf *out, const char *header, size_t n)
{
	size_t i, times;
	bool first = true;

	for (i = 0; i < COUNT(rows); i++)
		for (times = times_named(&rows[i], header, n); times > 0;
		     times--) {
			buf_addf(out, "%s%s", first ? "" : ":", rows[i].name);
			first = false;
		}
}

/* A header's fields, each to be taken once. */
struct taken {
	struct field field;
	bool taken;
};

/* The list is the caller's to free; NULL: no memory, or no field. */
static struct taken *
fields_list(const struct buf *header, size_t *n)
{
	struct field f = { 0 };
	struct taken *list;
	size_t i;

	for (*n = 0; header_next(buf_str(header), header->len, &f);)
		++*n;
	list = calloc(*n + 1, sizeof *list);
	if (list == NULL)
		return NULL;
	f = (struct field){ 0 };
	for (i = 0; i < *n && header_next(buf_str(header), header->len, &f);
	     i++)
		list[i].field = f;
	*n = i;
	return list;
}

/* The last one of that name that is left; NULL: none is. No name is none. */
static const struct field *
field_take(struct taken *list, size_t n, const char *name, size_t len)
{
	while (len > 0 && n-- > 0)
		if (!list[n].taken && list[n].field.name_len == len &&
		    strncasecmp(list[n].field.name, name, len) == 0) {
			list[n].taken = true;
			return &list[n].field;
		}
	return NULL;
}

void
dkim_input(struct buf *out, enum dkim_form form, const struct buf *header,
    const char *names, const struct buf *sig)
{
	static const char blank[] = " \t\r\n";
	const struct field *f;
	struct taken *list;
	size_t n, len;

	list = fields_list(header, &n);
	if (list == NULL)
		out->failed = true;
	for (; list != NULL && *names != '\0';
	     names += len + (names[len] == ':')) {
		names += strspn(names, blank);
		len = strcspn(names, ": \t\r\n");
		f = field_take(list, n, names, len);
		if (f != NULL)
			dkim_field(
			    out, form, header->data + f->at, f->end - f->at);
		len += strspn(names + len, blank);
	}
	free(list);
	dkim_field(out, form, buf_str(sig), sig->len);
	/* Its last line end is not signed (3.7). */
	if (out->len >= 2 && memcmp(out->data + out->len - 2, "\r\n", 2) == 0)
		buf_cut(out, out->len - 2);
}

/* ---- the field ---- */

static const char *const form_names[DKIM_FORMS] = {
	[DKIM_SIMPLE] = "simple",
	[DKIM_RELAXED] = "relaxed",
};

static const char *const algorithms[] = {
	[CRYPTO_RSA] = "rsa-sha256",
	[CRYPTO_ED25519] = "ed25519-sha256",
};

/* A field that is being written, and how far its last line is. */
struct writer {
	struct buf *out; /* borrowed */
	size_t column;
};

static void
write_break(struct writer *w)
{
	buf_adds(w->out, "\n\t");
	w->column = 1;
}

/* Text that is not cut, behind a space or on a line of its own. */
static void
write_piece(struct writer *w, bool space, const char *p, size_t n)
{
	if (w->column + space + n > HEADER_LINE) {
		write_break(w);
	} else if (space) {
		buf_addc(w->out, ' ');
		w->column++;
	}
	buf_add(w->out, p, n);
	w->column += n;
}

static void
write_tag(struct writer *w, const char *name, const char *value)
{
	struct buf tag;

	buf_init(&tag, TEXT_MAX);
	buf_addf(&tag, "%s=%s;", name, value);
	write_piece(w, true, buf_str(&tag), tag.len);
	w->out->failed |= !buf_ok(&tag);
	buf_free(&tag);
}

/* h=: lines may break behind its colons. */
static void
write_names(struct writer *w, const char *names)
{
	struct buf tag;
	size_t at, n;

	buf_init(&tag, TEXT_MAX);
	buf_addf(&tag, "h=%s;", names);
	for (at = 0; at < tag.len; at += n) {
		n = strcspn(tag.data + at, ":");
		n += tag.data[at + n] == ':';
		write_piece(w, at == 0, tag.data + at, n);
	}
	w->out->failed |= !buf_ok(&tag);
	buf_free(&tag);
}

/* Base64 may be cut anywhere. */
static void
write_base64(struct writer *w, const void *p, size_t size)
{
	struct buf text;
	size_t at, n;

	buf_init(&text, 2 * size + 4);
	enc_base64(&text, p, size);
	for (at = 0; at < text.len; at += n) {
		if (w->column >= HEADER_LINE)
			write_break(w);
		n = HEADER_LINE - w->column;
		n = n < text.len - at ? n : text.len - at;
		buf_add(w->out, text.data + at, n);
		w->column += n;
	}
	w->out->failed |= !buf_ok(&text);
	buf_free(&text);
}

/* The field up to its b=, which is its last tag. */
static void
write_field(struct writer *w, const struct dkim_signer *s, const char *names,
    int64_t now, const unsigned char hash[CRYPTO_HASH_SIZE])
{
	char forms[32], time[32];
	struct buf base64;

	snprintf(forms, sizeof forms, "%s/%s", form_names[s->header],
	    form_names[s->body]);
	snprintf(time, sizeof time, "%lld", (long long)now);
	write_piece(w, false, "DKIM-Signature:", 15);
	write_tag(w, "v", "1");
	write_tag(w, "a", algorithms[crypto_key_kind(s->key)]);
	write_tag(w, "c", forms);
	write_tag(w, "d", s->domain);
	write_tag(w, "s", s->selector);
	write_tag(w, "t", time);
	write_names(w, names);
	buf_init(&base64, 2 * CRYPTO_HASH_SIZE);
	enc_base64(&base64, hash, CRYPTO_HASH_SIZE);
	write_tag(w, "bh", buf_str(&base64));
	buf_free(&base64);
	write_piece(w, true, "b=", 2);
}

/* ---- signing ---- */

/* One form of the body, for all signatures that want it. */
struct body {
	struct dkim_body form;
	struct crypto_hash *hash; /* owned; NULL: nobody wants it */
	unsigned char made[CRYPTO_HASH_SIZE];
};

struct dkim {
	const struct crypto *lib; /* borrowed */
	const struct dkim_signer *signers; /* borrowed */
	size_t n;
	struct buf header; /* owned: LF ends */
	size_t line; /* where its last line begins */
	bool in_body;
	struct body bodies[DKIM_FORMS];
};

static int
no_memory(struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory to sign");
}

static void
hash_take(void *ctx, const void *p, size_t n)
{
	crypto_hash_add(ctx, p, n);
}

/* Make ready for a form of the body, once. */
static int
body_want(struct dkim *d, enum dkim_form form, struct err *e)
{
	struct body *b = &d->bodies[form];

	if (b->hash != NULL)
		return 0;
	b->hash = crypto_hash_new(d->lib, e);
	if (b->hash == NULL)
		return -1;
	dkim_body_init(
	    &b->form, form, (struct dkim_sink){ hash_take, b->hash });
	return 0;
}

struct dkim *
dkim_new(const struct crypto *lib, const struct dkim_signer *signers, size_t n,
    struct err *e)
{
	struct dkim *d = calloc(1, sizeof *d);
	size_t i;

	if (d == NULL) {
		no_memory(e);
		return NULL;
	}
	*d = (struct dkim){ .lib = lib, .signers = signers, .n = n };
	buf_init(&d->header, TEXT_MAX);
	for (i = 0; i < n; i++)
		if (body_want(d, signers[i].body, e) == -1) {
			dkim_free(d);
			return NULL;
		}
	return d;
}

void
dkim_free(struct dkim *d)
{
	size_t i;

	if (d == NULL)
		return;
	for (i = 0; i < DKIM_FORMS; i++)
		crypto_hash_free(d->bodies[i].hash);
	buf_free(&d->header);
	free(d);
}

/* Octets of the header, its blank line too: how many of them there are. */
static size_t
header_feed(struct dkim *d, const char *p, size_t n)
{
	struct buf *h = &d->header;
	size_t used = 0, len;
	const char *lf;

	while (used < n && !d->in_body) {
		lf = memchr(p + used, '\n', n - used);
		len = lf == NULL ? n - used : (size_t)(lf - p) + 1 - used;
		buf_add(h, p + used, len);
		used += len;
		if (lf == NULL || !buf_ok(h))
			continue;
		if (h->len >= 2 && h->data[h->len - 2] == '\r') {
			buf_cut(h, h->len - 2);
			buf_addc(h, '\n');
		}
		d->in_body = h->len - d->line == 1;
		if (d->in_body)
			buf_cut(h, d->line);
		d->line = h->len;
	}
	return used;
}

int
dkim_feed(struct dkim *d, const char *p, size_t n, struct err *e)
{
	size_t used = d->in_body ? 0 : header_feed(d, p, n), i;

	for (i = 0; i < DKIM_FORMS; i++)
		if (d->bodies[i].hash != NULL)
			dkim_body_feed(&d->bodies[i].form, p + used, n - used);
	return buf_ok(&d->header) ? 0 : no_memory(e);
}

static int
bodies_end(struct dkim *d, struct err *e)
{
	struct body *b;

	for (b = d->bodies; b < d->bodies + DKIM_FORMS; b++) {
		if (b->hash == NULL)
			continue;
		dkim_body_end(&b->form);
		if (crypto_hash_end(b->hash, b->made, e) == -1)
			return -1;
	}
	return 0;
}

static int
hash_of(const struct crypto *lib, const struct buf *text,
    unsigned char out[CRYPTO_HASH_SIZE], struct err *e)
{
	struct crypto_hash *h = crypto_hash_new(lib, e);
	int got = -1;

	if (h != NULL) {
		crypto_hash_add(h, text->data, text->len);
		got = crypto_hash_end(h, out, e);
	}
	crypto_hash_free(h);
	return got;
}

/* The signature of a field that is ready up to its b=, in place. */
static int
sign_field(const struct dkim *d, const struct dkim_signer *s, const char *names,
    struct writer *w, struct err *e)
{
	unsigned char hash[CRYPTO_HASH_SIZE];
	struct buf text;
	int got;

	buf_init(&text, 4 * TEXT_MAX);
	dkim_input(&text, s->header, &d->header, names, w->out);
	got = buf_ok(&text) && buf_ok(w->out) ? hash_of(d->lib, &text, hash, e)
					      : no_memory(e);
	buf_reset(&text);
	if (got == 0)
		got = crypto_key_sign(s->key, hash, &text, e);
	if (got == 0)
		write_base64(w, text.data, text.len);
	buf_free(&text);
	return got;
}

static int
sign_one(const struct dkim *d, const struct dkim_signer *s, const char *names,
    int64_t now, struct buf *out, struct err *e)
{
	struct buf field;
	struct writer w = { .out = &field };
	int got;

	buf_init(&field, TEXT_MAX);
	write_field(&w, s, names, now, d->bodies[s->body].made);
	got = sign_field(d, s, names, &w, e);
	buf_addc(&field, '\n');
	buf_add(out, buf_str(&field), field.len);
	if (got == 0 && (!buf_ok(&field) || !buf_ok(out)))
		got = no_memory(e);
	buf_free(&field);
	return got;
}

int
dkim_end(struct dkim *d, int64_t now, struct buf *out, struct err *e)
{
	struct buf names;
	size_t i;
	int got = bodies_end(d, e);

	buf_init(&names, TEXT_MAX);
	dkim_names(&names, buf_str(&d->header), d->header.len);
	if (got == 0 && !buf_ok(&names))
		got = no_memory(e);
	for (i = 0; got == 0 && i < d->n; i++)
		got = sign_one(d, &d->signers[i], buf_str(&names), now, out, e);
	buf_free(&names);
	return got;
}
