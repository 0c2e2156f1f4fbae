/*
 * dkim: canonical forms are the same in every cut, and their own canonical
 * form; what is signed can be said of any header, and fits into lines.
 * The first octet chooses form and cut.
 * RFC 6376 3.4, 3.7.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "mail/dkim.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
take(void *ctx, const void *p, size_t n)
{
	buf_add(ctx, p, n);
}

static void
body(struct buf *out, enum dkim_form form, const char *p, size_t n, size_t step)
{
	struct dkim_body b;
	size_t len;

	dkim_body_init(&b, form, (struct dkim_sink){ take, out });
	for (; n > 0; p += len, n -= len) {
		len = n < step ? n : step;
		dkim_body_feed(&b, p, len);
	}
	dkim_body_end(&b);
	must(buf_ok(out));
}

static void
same(const struct buf *a, const struct buf *b)
{
	must(a->len == b->len);
	must(a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void
bodies(enum dkim_form form, const char *p, size_t n, size_t step)
{
	struct buf a, b, again;

	buf_init(&a, 2 * n + 16);
	buf_init(&b, 2 * n + 16);
	buf_init(&again, 2 * n + 16);
	body(&a, form, p, n, step);
	body(&b, form, p, n, n + 1);
	same(&a, &b);
	must(a.len <= n + 2);
	body(&again, form, buf_str(&a), a.len, step);
	same(&a, &again);
	buf_free(&a);
	buf_free(&b);
	buf_free(&again);
}

/* Whatever the header is: each line of what is signed ends as the wire's do,
 * and so does the field that stands for the signature. */
static void
fields(const char *p, size_t n)
{
	struct buf header, names, input, sig;
	size_t i;

	buf_init(&header, n + 16);
	buf_init(&names, 64 * n + 4096);
	buf_init(&input, 4 * n + 4096);
	buf_init(&sig, 2 * n + 4096);
	buf_add(&header, p, n);
	dkim_names(&names, buf_str(&header), header.len);
	dkim_field(&sig, DKIM_RELAXED, p, n);
	dkim_input(&input, DKIM_RELAXED, &header, buf_str(&names), &sig);
	must(buf_ok(&names) && buf_ok(&input));
	for (i = 0; i < input.len; i++)
		must(input.data[i] != '\n' ||
		    (i > 0 && input.data[i - 1] == '\r'));
	buf_reset(&input);
	dkim_input(&input, DKIM_SIMPLE, &header, buf_str(&names), &sig);
	must(buf_ok(&input));
	buf_free(&header);
	buf_free(&names);
	buf_free(&input);
	buf_free(&sig);
}

/* A field relaxed twice is relaxed once, but for its line end, which is the
 * wire's. */
static void
field_again(const char *p, size_t n)
{
	struct buf once, twice;

	buf_init(&once, n + 16);
	buf_init(&twice, n + 32);
	dkim_field(&once, DKIM_RELAXED, p, n);
	must(once.len >= 3);
	buf_cut(&once, once.len - 2);
	dkim_field(&twice, DKIM_RELAXED, buf_str(&once), once.len);
	buf_cut(&twice, twice.len - 2);
	if (header_name(p, n) > 0 && memchr(p, '\r', n) == NULL)
		same(&once, &twice);
	buf_free(&once);
	buf_free(&twice);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	const char *text = (const char *)data + 1;

	if (n == 0)
		return 0;
	bodies(data[0] % DKIM_FORMS, text, n - 1, 1 + data[0] / DKIM_FORMS);
	fields(text, n - 1);
	field_again(text, n - 1);
	return 0;
}
