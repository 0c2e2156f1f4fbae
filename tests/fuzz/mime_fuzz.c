/*
 * mime: whatever the body is, its parts lie in order inside it, the same in
 * every cut; and if it is repaired as it was said it can be, it is 7-bit, has
 * the same parts, and needs no repair any more.
 * The first octet chooses the cut and what the server takes.
 * RFC 2046 5.1, RFC 6152 3.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail/encode.h"
#include "mail/message.h"
#include "mail/mime.h"
#include "mail/repair.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

struct source {
	const char *s;
	size_t n;
	size_t step;
};

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static long
read_source(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const struct source *src = ctx;

	(void)e;
	if (off >= src->n)
		return 0;
	if (n > src->n - off)
		n = src->n - (size_t)off;
	if (n > src->step)
		n = src->step;
	memcpy(to, src->s + off, n);
	return (long)n;
}

/* The header up to the first empty line, as it is; all else is body. */
static void
open_source(struct message *m, struct source *src)
{
	bool none = src->n > 0 && src->s[0] == '\n';
	const char *end = none ? NULL : memmem(src->s, src->n, "\n\n", 2);
	size_t n = end == NULL ? 0 : (size_t)(end - src->s) + 1;

	*m = (struct message){
		.octets = { read_source, src, src->n },
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

static const struct {
	const char *field; /* NULL: stays */
	int form; /* -1: the body stays */
} repairs[] = {
	[REPAIR_KEEP] = { NULL, -1 },
	[REPAIR_LABEL] = { "7bit", -1 },
	[REPAIR_QP] = { "quoted-printable", ENCODE_QP },
	[REPAIR_BASE64] = { "base64", ENCODE_BASE64 },
	[REPAIR_WRAP] = { NULL, ENCODE_WRAP },
};

struct rebuild {
	struct buf out;
	const char *s; /* the input */
	uint64_t at; /* what of it is done */
};

static void
copy(struct rebuild *r, uint64_t to)
{
	must(r->at <= to);
	buf_add(&r->out, r->s + r->at, (size_t)(to - r->at));
	r->at = to;
}

/* The new field in the place of the old, or as the header's last. */
static void
rebuild_field(struct rebuild *r, const struct mime_part *p, enum repair act)
{
	bool has = p->encodings > 0;

	if (repairs[act].field == NULL)
		return;
	copy(r, has ? p->encoding_off : p->head_end);
	buf_addf(
	    &r->out, "Content-Transfer-Encoding: %s\n", repairs[act].field);
	if (has)
		r->at = p->encoding_end;
	copy(r, p->head_end);
	if (!p->blank)
		buf_addc(&r->out, '\n');
}

static void
rebuild_body(struct rebuild *r, const struct mime_part *p, enum repair act)
{
	struct encode c;

	if (repairs[act].form == -1)
		return;
	copy(r, p->body_off);
	encode_init(&c, (enum encode_form)repairs[act].form);
	encode_feed(&c, &r->out, r->s + p->body_off,
	    (size_t)(p->body_end - p->body_off));
	encode_end(&c, &r->out);
	r->at = p->body_end;
}

/* The message's own header: the new field takes the place of the old. */
static void
rebuild_header(struct rebuild *r, const struct message *m, enum repair act)
{
	const char *field = repairs[act].field;
	struct message copied = { .octets = m->octets };

	buf_init(&copied.header, m->header.len + 1);
	buf_add(&copied.header, m->header.data, m->header.len);
	if (field != NULL) {
		message_remove(&copied, "Content-Transfer-Encoding");
		buf_addf(&r->out, "Content-Transfer-Encoding: %s\n", field);
	}
	buf_add(&r->out, buf_str(&copied.header), copied.header.len);
	buf_addc(&r->out, '\n');
	message_free(&copied);
	r->at = m->body_off;
}

static void
check_rebuilt(const struct rebuild *r, const struct mime *was, bool take_8bit)
{
	struct source src = { buf_str(&r->out), r->out.len, 1 };
	struct mime now;
	struct err e;

	walk(&now, &src, 4096);
	check_same(was, &now);
	must(take_8bit || !now.has_8bit);
	must(repair_needed(&now, take_8bit, &e) == 0);
	mime_free(&now);
}

static void
rebuild(struct source *src, const struct mime *mime, bool take_8bit)
{
	struct rebuild r = { .s = src->s };
	struct message m;
	enum repair act;
	struct err e;

	buf_init(&r.out, 64 * src->n + 4096);
	open_source(&m, src);
	for (size_t i = 0; i < mime->n; i++) {
		must(repair_part(mime, i, take_8bit, &act, &e) == 0);
		if (i == 0)
			rebuild_header(&r, &m, act);
		else
			rebuild_field(&r, &mime->part[i], act);
		rebuild_body(&r, &mime->part[i], act);
	}
	copy(&r, src->n);
	must(buf_ok(&r.out));
	check_rebuilt(&r, mime, take_8bit);
	buf_free(&r.out);
	message_free(&m);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	struct source src = { (const char *)data + 1, n - 1, 1 };
	struct mime a, b;
	struct err e;
	bool take_8bit;
	int needed;

	if (n == 0)
		return 0;
	take_8bit = data[0] % 2 == 1;
	walk(&a, &src, 1 + data[0] / 2 % 16);
	walk(&b, &src, 4096);
	check_cut(&a, &b);
	for (size_t i = 0; i < a.n; i++)
		check_part(&a, i, src.n);
	needed = repair_needed(&a, take_8bit, &e);
	if (needed == -1)
		must(e.verdict == ERR_PERM && e.text[0] != '\0');
	else
		rebuild(&src, &a, take_8bit);
	mime_free(&a);
	mime_free(&b);
	return 0;
}
