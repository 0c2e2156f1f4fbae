/*
 * record: see record.h. Numbers are put together octet by octet, so the
 * format does not depend on the machine, and nothing is read unaligned.
 * Callers: deliver.c and the worker; the queue.
 * Source: the project's own design.
 * Ownership: the reader borrows, the writer appends.
 */
#include <string.h>

#include "base/buf.h"
#include "base/record.h"

#define HEAD 6u /* length and type */
#define FIELD_HEAD 8u /* tag, kind, length */

static void
put(struct buf *b, uint64_t v, unsigned octets)
{
	for (; octets > 0; octets--, v >>= 8)
		buf_addc(b, (char)(unsigned char)(v & 0xff));
}

static uint64_t
get(const unsigned char *p, unsigned octets)
{
	uint64_t v = 0;

	while (octets-- > 0)
		v = v << 8 | p[octets];
	return v;
}

size_t
record_begin(struct buf *b, unsigned type)
{
	size_t mark = b->len;

	put(b, 0, 4);
	put(b, type, 2);
	return mark;
}

static void
field_head(struct buf *b, unsigned tag, enum field_kind kind, size_t n)
{
	put(b, tag, 2);
	put(b, kind, 2);
	put(b, n, 4);
}

void
record_number(struct buf *b, unsigned tag, uint64_t v)
{
	field_head(b, tag, FIELD_NUMBER, 8);
	put(b, v, 8);
}

void
record_octets(struct buf *b, unsigned tag, const void *p, size_t n)
{
	field_head(b, tag, FIELD_OCTETS, n);
	buf_add(b, p, n);
}

void
record_string(struct buf *b, unsigned tag, const char *s)
{
	record_octets(b, tag, s, strlen(s));
}

void
record_end(struct buf *b, size_t mark)
{
	size_t n, i;

	if (!buf_ok(b))
		return;
	n = b->len - mark - 4;
	for (i = 0; i < 4; i++, n >>= 8)
		b->data[mark + i] = (char)(unsigned char)(n & 0xff);
}

long
record_open(struct record *r, const void *p, size_t n)
{
	const unsigned char *s = p;
	uint64_t len;

	if (n < 4)
		return 0;
	len = get(s, 4);
	if (len < HEAD - 4 || len > RECORD_MAX - 4)
		return -1;
	if (n - 4 < len)
		return 0;
	r->type = (unsigned)get(s + 4, 2);
	r->at = s + HEAD;
	r->end = s + 4 + len;
	return (long)(len + 4);
}

int
record_next(struct record *r, struct field *f)
{
	size_t left = (size_t)(r->end - r->at);
	uint64_t kind;

	if (left == 0)
		return 0;
	if (left < FIELD_HEAD)
		return -1;
	f->tag = (unsigned)get(r->at, 2);
	kind = get(r->at + 2, 2);
	f->len = (size_t)get(r->at + 4, 4);
	f->octets = (const char *)r->at + FIELD_HEAD;
	f->number = 0;
	if (f->len > left - FIELD_HEAD)
		return -1;
	if (kind == FIELD_NUMBER && f->len == 8)
		f->number = get(r->at + FIELD_HEAD, 8);
	else if (kind != FIELD_OCTETS)
		return -1;
	f->kind = (enum field_kind)kind;
	r->at += FIELD_HEAD + f->len;
	return 1;
}

int
field_str(const struct field *f, char *dst, size_t size)
{
	if (f->kind != FIELD_OCTETS || f->len >= size ||
	    memchr(f->octets, '\0', f->len) != NULL)
		return -1;
	memcpy(dst, f->octets, f->len);
	dst[f->len] = '\0';
	return 0;
}
