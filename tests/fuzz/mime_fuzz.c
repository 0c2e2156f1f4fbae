/*
 * mime, view: whatever the body is, its parts lie in order inside it, the
 * same in every cut; and what a server gets of it is as long as was said, the
 * same in every cut, has no line over 998 octets and no 8-bit one for who
 * takes none, has the same parts, and needs no repair any more.
 * The first octet chooses the cut and what the server takes.
 * RFC 2046 5.1, RFC 6152 3.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail/message.h"
#include "mail/mime.h"
#include "mail/view.h"
#include "tests/unit/source.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* The header up to the first empty line, as it is; all else is body. */
static void
open_source(struct message *m, struct source *src)
{
	bool none = src->n > 0 && src->s[0] == '\n';
	const char *end = none ? NULL : memmem(src->s, src->n, "\n\n", 2);
	size_t n = end == NULL ? 0 : (size_t)(end - src->s) + 1;

	*m = (struct message){
		.octets = source_octets(src),
		.body_off = n + (none || end != NULL),
		.body_line = 2,
		.has_body = true,
	};
	buf_init(&m->header, n + 1);
	buf_add(&m->header, src->s, n);
}

static void
walk(struct mime *mime, struct source *src, size_t step)
{
	struct message m;
	struct err e;

	src->step = step;
	open_source(&m, src);
	must(mime_walk(mime, &m, &e) == 0);
	must(mime->n > 0 && mime->n <= MIME_PARTS_MAX);
	message_free(&m);
}

static void
check_part(const struct mime *m, size_t i, size_t size)
{
	const struct mime_part *p = &m->part[i], *up = &m->part[p->parent];
	char name[MIME_NAME_MAX];

	must(p->depth <= MIME_DEPTH_MAX);
	must(p->head_off <= p->head_end && p->head_end <= p->body_off);
	must(p->body_off <= p->body_end && p->body_end <= size);
	must(p->encoding_off <= p->encoding_end);
	must(strlen(mime_name(m, i, name)) < sizeof name);
	if (i == 0)
		return;
	must(p->parent < i && !up->leaf && p->depth == up->depth + 1);
	/* A header that a delimiter ends has an empty body behind its last line
	 * end, which is the delimiter's. */
	must(p->head_off >= up->body_off);
	must(p->body_end <= up->body_end || p->body_end == p->body_off);
	must(p->encodings == 0 || p->encoding_off >= p->head_off);
	must(p->encodings == 0 || p->encoding_end > p->encoding_off);
	must(p->encoding_end <= p->head_end);
}

static void
check_same(const struct mime *a, const struct mime *b)
{
	must(a->n == b->n);
	for (size_t i = 0; i < a->n; i++) {
		const struct mime_part *p = &a->part[i], *q = &b->part[i];

		must(p->parent == q->parent && p->number == q->number);
		must(p->kind == q->kind && p->flaw == q->flaw);
		must(p->leaf == q->leaf && p->sealed == q->sealed);
		must(strcmp(p->type, q->type) == 0);
	}
}

static void
check_cut(const struct mime *a, const struct mime *b)
{
	check_same(a, b);
	for (size_t i = 0; i < a->n; i++) {
		const struct mime_part *p = &a->part[i], *q = &b->part[i];

		must(p->head_off == q->head_off && p->head_end == q->head_end);
		must(p->body_off == q->body_off && p->body_end == q->body_end);
		must(p->encoding_off == q->encoding_off &&
		    p->encoding_end == q->encoding_end);
		must(p->body_line == q->body_line);
		must(p->body.qp == q->body.qp);
		must(p->body.first_8bit == q->body.first_8bit);
		must(p->body.first_long == q->body.first_long);
	}
}

/* No line over 998 octets, no bare CR or LF. */
static void
check_lines(const struct buf *b)
{
	const char *p = buf_str(b), *end = p + b->len, *lf;

	for (; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		must(lf != NULL && lf > p && lf[-1] == '\r');
		must(memchr(p, '\r', (size_t)(lf - p)) == lf - 1);
		must(lf - 1 - p <= MESSAGE_LINE_MAX);
	}
}

/* What goes out needs nothing, and has the parts that came in. */
static void
check_sent(const struct buf *out, const struct mime *was, bool take_8bit)
{
	struct source src = { buf_str(out), out->len, 4096, false };
	struct octets in = { read_source, &src, out->len };
	struct message m;
	struct mime now;
	struct err e;

	check_lines(out);
	must(message_open(&m, in, &e) == 0);
	must(m.body_long == 0 && m.header_long == 0 && m.header_8bit == 0);
	must(take_8bit || m.body_8bit == 0);
	must(mime_walk(&now, &m, &e) == 0);
	check_same(was, &now);
	mime_free(&now);
	message_free(&m);
}

/* As message_open() has it; false for what it refuses. */
static bool
open_checked(struct message *m, struct source *src)
{
	struct octets in = source_octets(src);
	struct err e;

	src->step = 4096;
	return message_open(m, in, &e) == 0;
}

static void
check_view(struct source *src, bool take_8bit, size_t step)
{
	struct buf a, b;
	struct message m;
	struct mime mime;
	struct view v;
	struct err e;

	if (!open_checked(&m, src))
		return;
	if (view_make(&v, &m, take_8bit ? VIEW_8BIT : 0, &e) == -1) {
		must(e.verdict == ERR_PERM && e.text[0] != '\0');
		message_free(&m);
		return;
	}
	buf_init(&a, 1 << 24);
	buf_init(&b, 1 << 24);
	read_view(&v, VIEW_PLAIN, 8 + step, &a);
	src->step = step;
	read_view(&v, VIEW_PLAIN, 512, &b);
	must(a.len == v.size && a.len == b.len);
	must(memcmp(buf_str(&a), buf_str(&b), a.len) == 0);
	src->step = 4096;
	must(mime_walk(&mime, &m, &e) == 0);
	check_sent(&a, &mime, take_8bit);
	mime_free(&mime);
	view_free(&v);
	buf_free(&a);
	buf_free(&b);
	message_free(&m);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	struct source src = { (const char *)data + 1, n - 1, 1, false };
	struct mime a, b;
	size_t step;

	if (n == 0)
		return 0;
	step = 1 + data[0] / 2 % 16;
	walk(&a, &src, step);
	walk(&b, &src, 4096);
	check_cut(&a, &b);
	for (size_t i = 0; i < a.n; i++)
		check_part(&a, i, src.n);
	mime_free(&a);
	mime_free(&b);
	check_view(&src, data[0] % 2 == 1, step);
	return 0;
}
