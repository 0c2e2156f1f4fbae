/*
 * author: see author.h. Names and comments are passed over as they stand.
 * Callers: cli/native.c.
 * It takes no address that may not stand in a command.
 * RFC 5322 3.4, 3.6.2, RFC 6854 (a From that is an empty group).
 * Ownership: see author.h.
 */
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/address.h"
#include "mail/author.h"
#include "mail/header.h"

/* The first address of a field, and how many there are. */
struct reading {
	struct address first; /* owned; raw is NULL if it did not parse */
	struct err err; /* why it did not */
	size_t n;
};

static int
take(void *ctx, const char *item, size_t n, struct address *a,
    const struct err *why)
{
	struct reading *r = ctx;

	(void)item;
	(void)n;
	if (r->n++ > 0)
		address_free(a);
	else if (a != NULL)
		r->first = *a;
	else
		r->err = *why;
	return 0;
}

/* The addresses of the first field of that name: 0, or -1 no memory. */
static int
read_field(struct reading *r, const char *header, size_t n, const char *name)
{
	struct field f = { 0 };
	struct buf body;
	bool ok;

	*r = (struct reading){ 0 };
	if (!header_find(header, n, name, &f))
		return 0;
	buf_init(&body, f.body_len);
	header_unfold(&body, &f);
	ok = buf_ok(&body);
	if (ok)
		address_each(buf_str(&body), body.len, 0, take, r);
	buf_free(&body);
	return ok ? 0 : -1;
}

static int
bad_address(const char *name, const struct err *why, struct err *e)
{
	return err_set(e, why->verdict, why->kind, "%s: %s", name, why->text);
}

int
author_read(struct address *a, const char *header, size_t n, struct err *e)
{
	struct reading from, sender = { 0 }, *r = &from;
	const char *name = "From";
	int got = read_field(&from, header, n, name);

	if (got == 0 && from.n > 1)
		got = read_field(&sender, header, n, "Sender");
	if (sender.n > 0) {
		r = &sender;
		name = "Sender";
	}
	*a = r->first;
	if (r == &sender)
		address_free(&from.first);
	if (got == -1)
		err_set(e, ERR_TEMP, ERR_MACHINE, "no memory for the sender");
	else if (r->n == 0)
		err_set(e, ERR_PERM, ERR_USAGE,
		    "the message has no From to take the sender of; give it "
		    "by -f");
	else if (a->raw != NULL)
		return 0;
	else
		bad_address(name, &r->err, e);
	address_free(a);
	return -1;
}
