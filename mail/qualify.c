/*
 * qualify: see qualify.h. Line ends within a field are looked at as spaces, so
 * that each octet of what is parsed is one of the header.
 * Callers: queue/submit.c.
 * It decides nothing about names: address.c does.
 * RFC 5322 2.2.3, 3.2.2, 3.4.
 * Ownership: see qualify.h.
 */
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/address.h"
#include "mail/cfws.h"
#include "mail/header.h"
#include "mail/message.h"
#include "mail/qualify.h"

static const char *const fields[] = { "From", "Sender", "Reply-To", "To", "Cc",
	"Bcc", "Resent-From", "Resent-Sender", "Resent-Reply-To", "Resent-To",
	"Resent-Cc", "Resent-Bcc" };

/* A field in the making. */
struct qualifying {
	struct buf *out; /* borrowed */
	const char *domain; /* borrowed */
	const char *body; /* borrowed: the field's, as it is in the header */
	struct buf flat; /* owned: the same with spaces as line ends */
	size_t put; /* octets of it that are in `out` */
	size_t n; /* names so far */
};

/* Behind the name in an item that is a name alone, maybe in <>. */
static size_t
name_end(const char *s, size_t at, size_t end)
{
	size_t behind = at;

	while (at < end && s[at] != '>') {
		if (!cfws_skip(s, &at, end) || at == end || s[at] == '>')
			break;
		if (s[at] == '"')
			at = cfws_quoted_end(s, at, end);
		else
			at++;
		if (at == CFWS_OPEN)
			break;
		behind = at;
	}
	return behind;
}

/* A person's name alone has no address, in whatever way it is written. */
static bool
is_text(const struct address *a)
{
	const char *name = a->raw;
	size_t n = strlen(name);

	return a->needs_utf8 ||
	    (n > 4 && memcmp(name, "=?", 2) == 0 &&
		memcmp(name + n - 2, "?=", 2) == 0);
}

static void
put_until(struct qualifying *q, size_t at)
{
	buf_add(q->out, q->body + q->put, at - q->put);
	q->put = at;
}

static int
on_item(void *ctx, const char *item, size_t n, struct address *a,
    const struct err *e)
{
	struct qualifying *q = ctx;
	size_t at = (size_t)(item - buf_str(&q->flat));

	(void)e;
	if (a == NULL)
		return 0;
	if (a->kind == DOMAIN_NONE && !is_text(a)) {
		put_until(q, name_end(buf_str(&q->flat), at, at + n));
		buf_addf(q->out, "@%s", q->domain);
		q->n++;
	}
	address_free(a);
	return 0;
}

static bool
has_addresses(const struct field *f)
{
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (header_is(f, fields[i]))
			return true;
	return false;
}

/* The field's body into the buffer, without line ends, and all there is. */
static void
flatten(struct buf *flat, const struct field *f)
{
	size_t i;

	buf_reset(flat);
	buf_add(flat, f->body, f->body_len);
	for (i = 0; i < flat->len; i++)
		if (flat->data[i] == '\n')
			flat->data[i] = ' ';
}

static void
put_body(struct qualifying *q, const struct field *f)
{
	q->body = f->body;
	q->put = 0;
	flatten(&q->flat, f);
	address_each(buf_str(&q->flat), q->flat.len, ADDRESS_BARE, on_item, q);
	put_until(q, f->body_len);
}

size_t
qualify_header(
    struct buf *out, const char *header, size_t n, const char *domain)
{
	struct qualifying q = { .out = out, .domain = domain };
	struct field f = { 0 };
	size_t put = 0;

	buf_init(&q.flat, n);
	while (header_next(header, n, &f)) {
		if (!has_addresses(&f))
			continue;
		buf_add(out, header + put, (size_t)(f.body - header) - put);
		put_body(&q, &f);
		put = (size_t)(f.body - header) + f.body_len;
	}
	buf_add(out, header + put, n - put);
	out->failed = out->failed || !buf_ok(&q.flat);
	buf_free(&q.flat);
	return q.n;
}

int
qualify(struct message *m, const char *domain, struct err *e)
{
	struct buf made;
	int got = 0;

	buf_init(&made, MESSAGE_HEADER_MAX);
	if (qualify_header(&made, buf_str(&m->header), m->header.len, domain) >
		0 ||
	    !buf_ok(&made))
		got = message_set_header(m, &made, e);
	buf_free(&made);
	return got;
}
