/*
 * recipients: see recipients.h. Only addresses are looked at: a display name
 * is passed over as it stands, so no encoded word can make an address.
 * Callers: queue/submit.c.
 * RFC 5322 3.4, 3.6.3, 3.6.6; RFC 2047 5 (no encoded word in an addr-spec).
 * Ownership: see recipients.h.
 */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/envelope.h"
#include "mail/header.h"
#include "mail/recipients.h"

static const char *const plain_fields[] = { "To", "Cc", "Bcc", NULL };
static const char *const resent_fields[] = { "Resent-To", "Resent-Cc",
	"Resent-Bcc", NULL };

/* ---- one field ---- */

struct reading {
	struct envelope *env; /* borrowed */
	unsigned flags; /* ADDRESS_ */
	const char *name; /* the field's, as errors write it */
};

/* The error of an address, and where it stands. */
static void
name_field(struct err *e, const char *name, const struct err *why)
{
	err_set(e, why->verdict, why->kind, "%s: %s", name, why->text);
	e->enhanced = why->enhanced;
	e->stage = why->stage;
	e->scope = why->scope;
}

static int
add(void *ctx, const char *item, size_t n, struct address *a,
    const struct err *why)
{
	struct reading *r = ctx;
	struct err e;

	if (a != NULL)
		return envelope_add(r->env, a, item, n) == -1 ? -1 : 0;
	name_field(&e, r->name, why);
	return envelope_add_failed(r->env, item, n, &e);
}

/* The addresses of a field, if it is one of `names`: 0, or -1 no memory. */
static int
read_field(struct reading *r, const struct field *f, const char *const *names)
{
	struct buf body;
	int got = -1;

	while (*names != NULL && !header_is(f, *names))
		names++;
	if (*names == NULL)
		return 0;
	r->name = *names;
	buf_init(&body, f->body_len);
	header_unfold(&body, f);
	if (buf_ok(&body))
		got = address_each(buf_str(&body), body.len,
		    r->flags | ADDRESS_POSTMASTER, add, r);
	buf_free(&body);
	return got;
}

/* ---- the header ---- */

static bool
is_resent(const struct field *f)
{
	static const char prefix[] = "Resent-";
	size_t n = sizeof prefix - 1;

	return f->name_len > n && strncasecmp(f->name, prefix, n) == 0;
}

/* Go to the first Resent- field; false if there is none. */
static bool
find_resent(const char *header, size_t n, struct field *f)
{
	while (header_next(header, n, f))
		if (is_resent(f))
			return true;
	return false;
}

/* The block that begins with *f. */
static int
read_block(struct reading *r, const char *header, size_t n, struct field *f)
{
	unsigned dates = 0, froms = 0;
	int got = 0;

	do {
		dates += header_is(f, "Resent-Date");
		froms += header_is(f, "Resent-From");
		if (!is_resent(f) || dates > 1 || froms > 1)
			return 0;
		got = read_field(r, f, resent_fields);
	} while (got == 0 && header_next(header, n, f));
	return got;
}

static int
read_plain(struct reading *r, const char *header, size_t n)
{
	struct field f = { 0 };
	int got = 0;

	while (got == 0 && header_next(header, n, &f))
		got = read_field(r, &f, plain_fields);
	return got;
}

int
recipients_read(struct envelope *env, const char *header, size_t n,
    unsigned flags, struct err *e)
{
	struct reading r = { .env = env, .flags = flags };
	struct field f = { 0 };
	int got;

	if (find_resent(header, n, &f))
		got = read_block(&r, header, n, &f);
	else
		got = read_plain(&r, header, n);
	if (got == 0)
		return 0;
	return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory for recipients");
}
