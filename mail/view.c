/*
 * view: see view.h. A view is a list of segments; one reader walks them and
 * dresses what they hold: line ends, dots. Whatever a segment is made of,
 * the small cutter of mail/line.c decides where lines end.
 * Callers: proto.c, wire.c, queue/submit.c.
 * RFC 5321 2.3.8, 4.5.2. Ownership: see view.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail/line.h"
#include "mail/message.h"
#include "mail/view.h"

static int
no_memory(struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory for the message");
}

/* ---- making ---- */

static int
add_segment(struct view *v, struct segment s, struct err *e)
{
	size_t room = v->room == 0 ? 4 : 2 * v->room;
	struct segment *list;

	if (s.off == s.end)
		return 0;
	if (v->n == v->room) {
		list = reallocarray(v->segment, room, sizeof *list);
		if (list == NULL)
			return no_memory(e);
		v->segment = list;
		v->room = room;
	}
	v->segment[v->n++] = s;
	return 0;
}

/* What was added to the text since it was `from` octets long. */
static int
add_text(struct view *v, size_t from, struct err *e)
{
	struct segment s = { SEGMENT_TEXT, 0, from, v->text.len };

	if (!buf_ok(&v->text))
		return no_memory(e);
	return add_segment(v, s, e);
}

/* The message as it is. */
static int
make_plain(struct view *v, struct err *e)
{
	const struct message *m = v->m;
	struct segment header = { SEGMENT_HEADER, 0, 0, m->header.len };
	struct segment body = { SEGMENT_INPUT, 0, m->body_off, UINT64_MAX };

	v->size = message_size(m);
	v->is_8bit = message_8bit(m) != 0;
	if (add_segment(v, header, e) == -1 || !m->has_body)
		return m->has_body ? -1 : 0;
	buf_addc(&v->text, '\n');
	if (add_text(v, 0, e) == -1)
		return -1;
	return add_segment(v, body, e);
}

/* The line that no server without 8BITMIME takes. */
static int
refuse_8bit(const struct message *m, struct err *e)
{
	err_set(e, ERR_PERM, ERR_DATA,
	    "message line %llu is 8-bit, and the server does not take that",
	    (unsigned long long)message_8bit(m));
	e->enhanced = (struct enhanced){ 5, 6, 3 };
	e->scope = SCOPE_MESSAGE;
	e->stage = STAGE_MAIL;
	return -1;
}

int
view_make(
    struct view *v, const struct message *m, unsigned takes, struct err *e)
{
	int got;

	*v = (struct view){ .m = m };
	buf_init(&v->text, MESSAGE_HEADER_MAX);
	if (message_8bit(m) != 0 && !(takes & VIEW_8BIT))
		return refuse_8bit(m, e);
	got = make_plain(v, e);
	if (got == -1)
		view_free(v);
	return got;
}

void
view_free(struct view *v)
{
	if (v == NULL)
		return;
	buf_free(&v->text);
	free(v->segment);
	v->segment = NULL;
	v->n = v->room = 0;
}

/* ---- dressing ---- */

struct out {
	char *p;
	size_t left;
};

static void
put(struct out *o, const char *p, size_t n)
{
	memcpy(o->p, p, n);
	o->p += n;
	o->left -= n;
}

/*
 * Dress octets of p into `o`: octets used, fewer than n when `o` is full.
 * A line end and a doubled dot need two octets of room.
 */
static size_t
dress(struct view_reader *r, const char *p, size_t n, struct out *o)
{
	size_t used = 0, step;
	struct piece c;
	bool cr;

	while (used < n && o->left >= 4) {
		cr = r->cr;
		step = line_cut(&cr, p + used, n - used, &c);
		if (c.len > 0 && r->bol && r->form == VIEW_DOTTED &&
		    p[used] == '.')
			put(o, ".", 1);
		if (c.len > 0)
			r->bol = false;
		if (c.len > o->left - 2) {
			/* The line's rest comes with the next read. */
			step = o->left - 2;
			put(o, p + used, step);
			r->cr = false;
			return used + step;
		}
		put(o, p + used, c.len);
		r->cr = cr;
		if (c.eol) {
			put(o, "\r\n", 2);
			r->bol = true;
		}
		used += step;
	}
	return used;
}

/* ---- reading ---- */

/* A block of input, of at most `left` octets: 1, 0 at its end, -1 with *e. */
static int
read_input(struct view_reader *r, uint64_t left, struct err *e)
{
	const struct octets *in = &r->v->m->octets;
	size_t n = message_block(in, r->off);
	char *to;
	long got;

	if (n > left)
		n = (size_t)left;
	if (n == 0)
		return 0;
	buf_reset(&r->in);
	to = buf_room(&r->in, n);
	if (to == NULL)
		return no_memory(e);
	got = in->read(in->ctx, r->off, to, n, e);
	if (got <= 0)
		return (int)got;
	buf_grew(&r->in, (size_t)got);
	r->off += (uint64_t)got;
	r->p = r->in.data;
	r->left = r->in.len;
	return 1;
}

/* The same, encoded; the encoder's last octets come at the end. */
static int
read_encoded(struct view_reader *r, const struct segment *s, struct err *e)
{
	int got;

	buf_reset(&r->out);
	do {
		got = read_input(r, s->end - r->off, e);
		if (got == -1)
			return -1;
		if (got == 1)
			encode_feed(&r->encode, &r->out, r->p, r->left);
		else
			encode_end(&r->encode, &r->out);
	} while (got == 1 && r->out.len == 0);
	if (!buf_ok(&r->out))
		return no_memory(e);
	r->p = r->out.data;
	r->left = r->out.len;
	return got;
}

/* All that memory has of a segment, at once. */
static int
read_memory(struct view_reader *r, const struct buf *from, uint64_t end)
{
	if (r->off == end)
		return 0;
	r->p = from->data + r->off;
	r->left = (size_t)(end - r->off);
	r->off = end;
	return 1;
}

/* The next octets of a segment into r->p: 1, 0 these are its last ones, if
 * there are any, -1 with *e. */
static int
read_segment(struct view_reader *r, const struct segment *s, struct err *e)
{
	switch (s->kind) {
	case SEGMENT_HEADER:
		return read_memory(r, &r->v->m->header, s->end);
	case SEGMENT_TEXT:
		return read_memory(r, &r->v->text, s->end);
	case SEGMENT_INPUT:
		return read_input(r, s->end - r->off, e);
	case SEGMENT_ENCODED:
		return read_encoded(r, s, e);
	}
	return 0;
}

static void
start_segment(struct view_reader *r)
{
	const struct segment *s;

	if (r->at == r->v->n)
		return;
	s = &r->v->segment[r->at];
	r->off = s->off;
	r->cr = false;
	if (s->kind == SEGMENT_ENCODED)
		encode_init(&r->encode, s->form);
}

void
view_open(struct view_reader *r, const struct view *v, enum view_form form)
{
	*r = (struct view_reader){ .v = v, .form = form, .bol = true };
	buf_init(&r->in, MESSAGE_BLOCK);
	buf_init(&r->out, ENCODE_ROOM(MESSAGE_BLOCK));
	start_segment(r);
}

void
view_close(struct view_reader *r)
{
	buf_free(&r->in);
	buf_free(&r->out);
}

bool
view_done(const struct view_reader *r)
{
	return r->done;
}

/* The end: a last line without its end gets one. */
static void
finish(struct view_reader *r, struct out *o)
{
	if (!r->bol)
		put(o, "\r\n", 2);
	r->bol = r->done = true;
}

long
view_read(struct view_reader *r, void *to, size_t n, struct err *e)
{
	struct out o = { .p = to, .left = n };
	size_t used;
	int got;

	while (!r->done && o.left >= 4) {
		if (r->left > 0) {
			used = dress(r, r->p, r->left, &o);
			r->p += used;
			r->left -= used;
			continue;
		}
		if (r->at == r->v->n) {
			finish(r, &o);
			continue;
		}
		got = read_segment(r, &r->v->segment[r->at], e);
		if (got == -1)
			return -1;
		if (got == 0) {
			r->at++;
			start_segment(r);
		}
	}
	return (long)(n - o.left);
}
