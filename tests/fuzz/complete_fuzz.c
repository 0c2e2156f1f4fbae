/*
 * complete: whatever message comes in, afterwards it has one From, Date and
 * Message-ID if it had none, nothing of it is lost or in another order, and
 * completing it again changes nothing.
 * The first line, if it begins with a '|', is the full name.
 * RFC 5322 3.6; RFC 2045 4 to 6.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/enc.h"
#include "base/err.h"
#include "mail/address.h"
#include "mail/complete.h"
#include "mail/header.h"
#include "mail/message.h"
#include "tests/unit/source.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static int
is_blank(const struct field *f)
{
	size_t i;

	for (i = 0; i < f->body_len; i++)
		if (strchr(" \t\n", f->body[i]) == NULL)
			return 0;
	return 1;
}

static size_t
count(const char *h, size_t n, const char *name)
{
	struct field f = { 0 };
	size_t found = 0;

	while (header_find(h, n, name, &f))
		found += !is_blank(&f);
	return found;
}

/*
 * Each old field that says something is in the new header, in order; only a
 * Content-Type may have grown.
 */
static void
check_kept(const struct buf *old, const struct buf *new)
{
	struct field f = { 0 }, g = { 0 };

	while (header_next(buf_str(old), old->len, &f)) {
		size_t len = f.end - f.at;
		int found = is_blank(&f);

		if (header_is(&f, "Content-Type"))
			len--;
		while (!found && header_next(buf_str(new), new->len, &g))
			found = g.end - g.at >= len &&
			    memcmp(f.name, g.name, len) == 0;
		must(found);
	}
}

/* A line that is too long was so before, and that is known of the message. */
static void
check_lines(const struct message *m)
{
	const struct buf *h = &m->header;
	const char *p = buf_str(h), *end = p + h->len, *lf;

	for (; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		must(lf != NULL);
		must(lf - p <= MESSAGE_LINE_MAX || m->header_long != 0);
		must(memchr(p, '\r', (size_t)(lf - p)) == NULL);
		must(*p == ' ' || *p == '\t' ||
		    header_name(p, (size_t)(lf - p)) > 0);
	}
}

static void
check_made(const struct message *m, const struct buf *old)
{
	static const char *const names[] = { "From", "Date", "Message-ID" };
	const struct buf *h = &m->header;
	size_t i;

	for (i = 0; i < 3; i++) {
		size_t was = count(buf_str(old), old->len, names[i]);

		must(count(h->data, h->len, names[i]) == (was == 0 ? 1 : was));
	}
	must(m->has_body || old->len > 0);
	must(enc_has_8bit(h->data, h->len) == (m->header_8bit != 0));
	check_lines(m);
	check_kept(old, h);
}

static void
never(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
	abort();
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	static const char author[] = "joe@example.org";
	const unsigned char *lf = memchr(data, '\n', n);
	int named = lf != NULL && data[0] == '|';
	struct source src = { (const char *)data, n, 0, false };
	struct complete_config c = { .now = 880127706, .zone = -360 };
	struct address a;
	struct message m;
	struct buf name, old;
	struct err e;

	must(address_parse(&a, author, strlen(author), 0, &e) == 0);
	c.author = &a;
	buf_init(&name, n);
	if (named) {
		buf_add(&name, data + 1, (size_t)(lf - data) - 1);
		src.s = (const char *)lf + 1;
		src.n = n - (size_t)(lf + 1 - data);
		c.full_name = buf_str(&name);
	}
	buf_init(&old, MESSAGE_HEADER_MAX);
	if (message_open(&m, source_octets(&src), &e) == 0) {
		buf_add(&old, m.header.data, m.header.len);
		must(complete(&m, &c, &e) == 0);
		check_made(&m, &old);
		c.on_note = never;
		must(complete(&m, &c, &e) == 0);
		message_free(&m);
	}
	buf_free(&old);
	buf_free(&name);
	address_free(&a);
	return 0;
}
