/*
 * frame: see frame.h. The length stands there twice, so that one that has
 * changed cannot pass for a frame that was cut off.
 * Callers: queue/entry.c, queue/journal.c. It opens no file.
 * ISO 3309 (CRC-32, its table for four bits at a time).
 * Ownership: borrows and appends.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/record.h"
#include "mail/message.h"
#include "queue/frame.h"

static uint32_t
crc(const char *s, size_t n)
{
	static const uint32_t nibble[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8,
		0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0,
		0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };
	uint32_t c = 0xffffffff;

	for (; n > 0; s++, n--) {
		c ^= (unsigned char)*s;
		c = c >> 4 ^ nibble[c & 15];
		c = c >> 4 ^ nibble[c & 15];
	}
	return ~c;
}

void
frame_put_u32(char *p, uint32_t v)
{
	for (size_t i = 0; i < 4; i++, v >>= 8)
		p[i] = (char)(unsigned char)(v & 0xff);
}

uint32_t
frame_get_u32(const char *p)
{
	uint32_t v = 0;

	for (size_t i = 4; i-- > 0;)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

size_t
frame_begin(struct buf *b)
{
	static const char room[FRAME_HEAD];
	size_t mark = b->len;

	buf_add(b, room, sizeof room);
	return mark;
}

void
frame_end(struct buf *b, size_t mark)
{
	size_t n;

	if (!buf_ok(b))
		return;
	n = b->len - mark - FRAME_HEAD;
	frame_put_u32(b->data + mark, (uint32_t)n);
	frame_put_u32(b->data + mark + 4, ~(uint32_t)n);
	frame_put_u32(b->data + mark + 8, crc(b->data + mark + FRAME_HEAD, n));
}

int64_t
frame_len(const char *p, size_t max)
{
	uint32_t n = frame_get_u32(p);

	return frame_get_u32(p + 4) == ~n && n <= max ? (int64_t)n : -1;
}

bool
frame_good(const char *p, size_t n)
{
	return frame_get_u32(p + 8) == crc(p + FRAME_HEAD, n);
}

/* ---- fields ---- */

void
frame_put_text(struct buf *b, unsigned tag, const char *s)
{
	if (s != NULL)
		record_octets(b, tag, s, strlen(s) + 1);
}

const char *
frame_text(const struct field *f)
{
	if (f->kind != FIELD_OCTETS || f->len == 0 ||
	    memchr(f->octets, '\0', f->len) != f->octets + f->len - 1)
		return NULL;
	return f->octets;
}

/* The latest moment that is believed, ms: far away, and safe to reckon with. */
#define MOMENT_MAX ((uint64_t)1 << 50)

int
frame_moment(int64_t *to, uint64_t v)
{
	*to = (int64_t)v;
	return v <= MOMENT_MAX ? 0 : -1;
}

int
frame_small(unsigned *to, uint64_t v, unsigned max)
{
	*to = (unsigned)v;
	return v <= max ? 0 : -1;
}

/* ---- where it is read from ---- */

int
frame_malformed(const struct frame_source *r, uint64_t at, const char *what)
{
	return err_set(r->e, ERR_PERM, ERR_DATA,
	    "queue entry %s is malformed at octet %llu: %s", r->id,
	    (unsigned long long)at, what);
}

int
frame_no_memory(const struct frame_source *r)
{
	return err_set(
	    r->e, ERR_TEMP, ERR_MACHINE, "no memory to read a queue entry");
}

int
frame_fetch(const struct frame_source *r, struct buf *b, uint64_t off, size_t n)
{
	char *to;
	long got;

	for (; n > 0; n -= (size_t)got, off += (uint64_t)got) {
		to = buf_room(b, n);
		if (to == NULL)
			return frame_no_memory(r);
		got = r->file->read(r->file->ctx, off, to, n, r->e);
		if (got == -1)
			return -1;
		if (got == 0)
			return err_set(r->e, ERR_TEMP, ERR_INPUT,
			    "queue entry %s became shorter", r->id);
		buf_grew(b, (size_t)got);
	}
	return 0;
}
