/*
 * text: see text.h. The ">"s of a line go out as they come, since it is all
 * the same before which of them one more is put; "From " is held back.
 * Callers: box.c, pipe.c.
 * RFC 4155.
 * Ownership: see text.h.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/line.h"
#include "store/text.h"

static const char from_[] = { 'F', 'r', 'o', 'm', ' ' };

void
text_open(struct text *t, struct octets octets, const char *fields, size_t n,
    bool quotes)
{
	*t = (struct text){ .octets = octets,
		.fields = fields,
		.fields_n = fields == NULL ? 0 : n,
		.quotes = quotes,
		.begins = quotes };
	buf_init(&t->block, MESSAGE_BLOCK);
}

void
text_close(struct text *t)
{
	buf_free(&t->block);
}

/* What was held back was none. */
static void
let_go(struct text *t, struct buf *out)
{
	buf_add(out, from_, t->from);
	t->from = 0;
}

/* The begin of a line, as far as it may have to be quoted: octets used. */
static size_t
put_begin(struct text *t, struct buf *out, const char *p, size_t n)
{
	size_t i = 0;

	while (t->begins && i < n) {
		if (t->from == 0 && p[i] == '>') {
			buf_addc(out, p[i++]);
			continue;
		}
		if (p[i] == from_[t->from]) {
			i++;
			if (++t->from < sizeof from_)
				continue;
			buf_addc(out, '>');
		}
		let_go(t, out);
		t->begins = false;
	}
	return i;
}

static void
put_lines(struct text *t, struct buf *out, const char *p, size_t n)
{
	struct piece piece;
	size_t used, i;

	for (; n > 0; p += used, n -= used) {
		used = line_cut(&t->cr, p, n, &piece);
		i = put_begin(t, out, p, piece.len);
		buf_add(out, p + i, piece.len - i);
		t->begun |= piece.len > 0;
		if (!piece.eol)
			continue;
		let_go(t, out);
		buf_addc(out, '\n');
		t->begun = false;
		t->begins = t->quotes;
	}
}

static int
end(struct text *t, struct buf *out)
{
	let_go(t, out);
	if (t->begun)
		buf_addc(out, '\n');
	t->begun = false;
	return 0;
}

static int
take(struct text *t, struct buf *out, struct err *e)
{
	const size_t want = MESSAGE_BLOCK;
	char *room;
	long got;

	buf_reset(&t->block);
	room = buf_room(&t->block, want);
	if (room == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	got = t->octets.read(t->octets.ctx, t->off, room, want, e);
	if (got == 0)
		return end(t, out);
	if (got < 0)
		return -1;
	t->off += (uint64_t)got;
	put_lines(t, out, room, (size_t)got);
	return 1;
}

int
text_more(struct text *t, struct buf *out, struct err *e)
{
	int rc = 1;

	if (t->fields_n > 0) {
		put_lines(t, out, t->fields, t->fields_n);
		t->fields_n = 0;
	} else
		rc = take(t, out, e);
	if (rc == -1 || buf_ok(out))
		return rc;
	return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
}
