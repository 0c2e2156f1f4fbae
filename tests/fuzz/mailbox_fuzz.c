/*
 * mailbox: the field that any list becomes has the list's addresses and no
 * others, in their order, and is one line. A list has no NUL.
 * RFC 5322 3.4.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/address.h"
#include "mail/mailbox.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void
must(int ok)
{
	if (!ok)
		abort();
}

struct found {
	struct buf raw; /* one a line */
	size_t bad;
};

static int
on_item(void *ctx, const char *item, size_t n, struct address *a,
    const struct err *e)
{
	struct found *f = ctx;

	(void)item;
	(void)n;
	(void)e;
	if (a == NULL) {
		f->bad++;
		return 0;
	}
	buf_addf(&f->raw, "%s\n", a->raw);
	address_free(a);
	return 0;
}

static void
find(struct found *f, const char *s, size_t n)
{
	f->bad = 0;
	buf_init(&f->raw, 16 * n + 4096);
	address_each(s, n, ADDRESS_POSTMASTER, on_item, f);
	must(buf_ok(&f->raw));
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	const char *s = (const char *)data;
	struct found in, made;
	struct buf out;
	struct err e;

	if (memchr(data, '\0', n) != NULL)
		return 0;
	buf_init(&out, 16 * n + 4096);
	find(&in, s, n);
	must(mailbox_list(&out, s, n, &e) == in.bad);
	must(buf_ok(&out) && strlen(buf_str(&out)) == out.len);
	find(&made, buf_str(&out), out.len);
	must(made.bad == 0);
	must(strcmp(buf_str(&in.raw), buf_str(&made.raw)) == 0);
	must(strchr(buf_str(&out), '\n') == NULL);
	buf_free(&in.raw);
	buf_free(&made.raw);
	buf_free(&out);
	return 0;
}
