/*
 * view: see view.h. A view is a list of segments; one reader walks them and
 * dresses what they hold: line ends, dots. Whatever a segment is made of,
 * the small cutter of mail/line.c decides where lines end.
 * Callers: proto.c, wire.c, queue/submit.c.
 * RFC 5321 2.3.8, 4.5.2. Ownership: see view.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/err.h"
#include "mail/header.h"
#include "mail/line.h"
#include "mail/mend.h"
#include "mail/message.h"
#include "mail/mime.h"
#include "mail/repair.h"
#include "mail/view.h"

#define ENCODING_FIELD "Content-Transfer-Encoding"

/* All that may be made for one view: headers of the message and its parts. */
#define TEXT_MAX (4 * MESSAGE_HEADER_MAX)

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

/* Octets of the message's header, mended if they must be, as text. */
static int
add_header(
    struct view *v, const char *p, size_t n, unsigned takes, struct err *e)
{
	size_t from = v->text.len;
	int got = -1;

	if (!(takes & VIEW_UTF8_USED)) {
		got = mend_header(&v->text, p, n, false, e);
		if (got == -1 &&
		    (e->enhanced.detail != 9 || !(takes & VIEW_UTF8)))
			return -1;
	}
	if (got == -1) {
		buf_cut(&v->text, from);
		v->needs_utf8 = true;
		if (mend_header(&v->text, p, n, true, e) == -1)
			return -1;
	}
	v->mended +=
	    v->text.len - from != n || memcmp(v->text.data + from, p, n) != 0;
	return 0;
}

/* True if the message's header must be looked at for such a server. */
static bool
header_fits(const struct message *m)
{
	return m->header_8bit == 0 && m->header_long == 0;
}

/* The message's header: as it is, mended, with another field if there is. */
static int
make_header(struct view *v, const char *encoding, bool version, unsigned takes,
    struct err *e)
{
	const struct buf *h = &v->m->header;
	struct segment whole = { SEGMENT_HEADER, 0, 0, h->len };
	struct buf changed;
	int got;

	if (encoding == NULL && header_fits(v->m))
		return add_segment(v, whole, e);
	buf_init(&changed, MESSAGE_HEADER_MAX + 1024);
	if (encoding == NULL)
		buf_add(&changed, h->data, h->len);
	else {
		header_without(&changed, h->data, h->len, ENCODING_FIELD);
		if (!version)
			buf_adds(&changed, "MIME-Version: 1.0\n");
		header_add(&changed, ENCODING_FIELD, encoding);
	}
	got = buf_ok(&changed)
	    ? add_header(v, buf_str(&changed), changed.len, takes, e)
	    : no_memory(e);
	buf_free(&changed);
	return got == -1 ? -1 : add_text(v, 0, e);
}

static int
make_blank(struct view *v, struct err *e)
{
	size_t from = v->text.len;

	if (!v->m->has_body)
		return 0;
	buf_addc(&v->text, '\n');
	return add_text(v, from, e);
}

/* Octets of lines with LF ends, once they end in CRLF. */
static uint64_t
wire_size(const struct buf *b)
{
	uint64_t size = b->len;

	for (size_t i = 0; i < b->len; i++)
		size += b->data[i] == '\n';
	return size;
}

/* The message's body as it is; its header perhaps not. */
static int
make_plain(struct view *v, unsigned takes, struct err *e)
{
	const struct message *m = v->m;
	struct segment body = { SEGMENT_INPUT, 0, m->body_off, UINT64_MAX };

	v->is_8bit = m->body_8bit != 0;
	if (make_header(v, NULL, false, takes, e) == -1 ||
	    make_blank(v, e) == -1)
		return -1;
	if (m->has_body && add_segment(v, body, e) == -1)
		return -1;
	v->size = m->body_size + wire_size(&v->text);
	if (v->n > 0 && v->segment[0].kind == SEGMENT_HEADER)
		v->size += wire_size(&m->header);
	return 0;
}

/* ---- repair ---- */

/* How a part is rebuilt, by enum repair. */
static const struct {
	const char *encoding; /* the new field; NULL: it stays */
	bool encoded; /* the body, by this form */
	enum encode_form form;
} remedies[] = {
	[REPAIR_KEEP] = { NULL, false, 0 },
	[REPAIR_LABEL] = { "7bit", false, 0 },
	[REPAIR_QP] = { "quoted-printable", true, ENCODE_QP },
	[REPAIR_BASE64] = { "base64", true, ENCODE_BASE64 },
	[REPAIR_QP_AGAIN] = { NULL, true, ENCODE_QP_AGAIN },
	[REPAIR_WRAP] = { NULL, true, ENCODE_WRAP },
};

struct rebuild {
	struct view *v;
	const struct mime *mime;
	unsigned takes;
	uint64_t at; /* the input is in the view up to here */
};

/* The input as it is, up to here. */
static int
keep(struct rebuild *b, uint64_t to, struct err *e)
{
	struct segment s = { SEGMENT_INPUT, 0, b->at, to };

	b->at = to;
	return add_segment(b->v, s, e);
}

/* Octets of the input as LF lines. */
static int
read_lines(const struct octets *in, uint64_t off, uint64_t end, struct buf *to,
    struct err *e)
{
	bool cr = false;
	struct piece c;
	char block[4096];
	size_t used, n;
	long got;

	for (; off < end; off += (uint64_t)got) {
		n = end - off < sizeof block ? (size_t)(end - off)
					     : sizeof block;
		got = in->read(in->ctx, off, block, n, e);
		if (got <= 0)
			return got == 0 ? 0 : -1;
		for (n = 0; n < (size_t)got; n += used) {
			used = line_cut(&cr, block + n, (size_t)got - n, &c);
			buf_add(to, block + n, c.len);
			if (c.eol)
				buf_addc(to, '\n');
		}
	}
	return 0;
}

/* A part's header as LF lines; `encoding` replaces its own, if not NULL. */
static int
read_part(const struct octets *in, const struct mime_part *p,
    const char *encoding, struct buf *to, struct err *e)
{
	bool cut = encoding != NULL && p->encodings > 0;
	uint64_t off = cut ? p->encoding_off : p->head_end;
	uint64_t end = cut ? p->encoding_end : p->head_end;

	if (read_lines(in, p->head_off, off, to, e) == -1 ||
	    read_lines(in, end, p->head_end, to, e) == -1)
		return -1;
	if (encoding != NULL)
		header_add(to, ENCODING_FIELD, encoding);
	return buf_ok(to) ? 0 : no_memory(e);
}

/* A part's header, mended. */
static int
mend_part(struct rebuild *b, const struct mime_part *p, const char *encoding,
    struct err *e)
{
	size_t from = b->v->text.len;
	struct buf header;
	int got;

	if (keep(b, p->head_off, e) == -1)
		return -1;
	b->at = p->head_end;
	buf_init(&header, MIME_HEADER_MAX + 1024);
	got = read_part(&b->v->m->octets, p, encoding, &header, e);
	if (got == 0)
		got =
		    add_header(b->v, buf_str(&header), header.len, b->takes, e);
	buf_free(&header);
	return got == -1 ? -1 : add_text(b->v, from, e);
}

/* A part's field in the place of the old one, or as its header's last. */
static int
label_part(struct rebuild *b, const struct mime_part *p, const char *encoding,
    struct err *e)
{
	bool has = p->encodings > 0;
	size_t from = b->v->text.len;

	if (keep(b, has ? p->encoding_off : p->head_end, e) == -1)
		return -1;
	header_add(&b->v->text, ENCODING_FIELD, encoding);
	if (has)
		b->at = p->encoding_end;
	if (add_text(b->v, from, e) == -1)
		return -1;
	return keep(b, p->head_end, e);
}

static int
rebuild_header(struct rebuild *b, size_t i, enum repair act, struct err *e)
{
	const struct mime_part *p = &b->mime->part[i];
	const char *encoding = remedies[act].encoding;
	size_t from;
	int got = 0;

	if (repair_header(b->mime, i, (b->takes & VIEW_8BIT) != 0))
		got = mend_part(b, p, encoding, e);
	else if (encoding != NULL)
		got = label_part(b, p, encoding, e);
	if (got == -1 || encoding == NULL || p->blank)
		return got;
	from = b->v->text.len;
	buf_addc(&b->v->text, '\n');
	return add_text(b->v, from, e);
}

static int
rebuild_body(struct rebuild *b, size_t i, enum repair act, struct err *e)
{
	const struct mime_part *p = &b->mime->part[i];
	struct segment s = { SEGMENT_ENCODED, remedies[act].form, p->body_off,
		p->body_end };

	if (!remedies[act].encoded)
		return 0;
	b->v->encoded++;
	if (keep(b, p->body_off, e) == -1)
		return -1;
	b->at = p->body_end;
	return add_segment(b->v, s, e);
}

static int
rebuild_part(struct rebuild *b, size_t i, struct err *e)
{
	enum repair act;

	if (repair_part(b->mime, i, (b->takes & VIEW_8BIT) != 0, &act, e) == -1)
		return -1;
	if (i > 0 && rebuild_header(b, i, act, e) == -1)
		return -1;
	if (i == 0 &&
	    (make_header(b->v, remedies[act].encoding, b->mime->version,
		 b->takes, e) == -1 ||
		make_blank(b->v, e) == -1))
		return -1;
	return rebuild_body(b, i, act, e);
}

/* Read it once, to know its size and whether it is 8-bit still. */
static int
count(struct view *v, bool take_8bit, struct err *e)
{
	struct view_reader r;
	struct buf block;
	char *to;
	long got = -1;

	buf_init(&block, MESSAGE_BLOCK);
	to = buf_room(&block, MESSAGE_BLOCK);
	if (to == NULL)
		return no_memory(e);
	view_open(&r, v, VIEW_PLAIN);
	while ((got = view_read(&r, to, MESSAGE_BLOCK, e)) > 0) {
		v->size += (uint64_t)got;
		if (!v->is_8bit && take_8bit)
			v->is_8bit = enc_has_8bit(to, (size_t)got);
	}
	view_close(&r);
	buf_free(&block);
	return (int)got;
}

/* The message with its parts encoded where they must be. */
static int
make_repaired(struct view *v, unsigned takes, struct err *e)
{
	struct mime mime;
	struct rebuild b = {
		.v = v, .mime = &mime, .takes = takes, .at = v->m->body_off
	};
	int got = 0;

	if (mime_walk(&mime, v->m, e) == -1)
		return -1;
	for (size_t i = 0; got == 0 && i < mime.n; i++)
		got = rebuild_part(&b, i, e);
	if (got == 0)
		got = keep(&b, UINT64_MAX, e);
	mime_free(&mime);
	return got == 0 ? count(v, (takes & VIEW_8BIT) != 0, e) : -1;
}

static bool
body_fits(const struct message *m, unsigned takes)
{
	return m->body_long == 0 &&
	    (m->body_8bit == 0 || (takes & VIEW_8BIT) != 0);
}

/*
 * What is signed goes out as it was signed: *takes is then what that was made
 * for. 0, or -1 with *e: the server lacks it.
 */
static int
take_signed(const struct message *m, unsigned *takes, struct err *e)
{
	unsigned lacks = m->is_signed ? m->signed_takes & ~*takes : 0;
	bool utf8 = (lacks & VIEW_UTF8) != 0;

	if (m->is_signed)
		*takes = m->signed_takes;
	if (lacks == 0)
		return 0;
	err_set(e, ERR_PERM, ERR_DATA,
	    "the signed message needs %s, which the server lacks",
	    utf8 ? "SMTPUTF8" : "8BITMIME");
	e->enhanced = (struct enhanced){ 5, 6, utf8 ? 9 : 3 };
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
	if (take_signed(m, &takes, e) == -1)
		return -1;
	buf_init(&v->text, TEXT_MAX);
	if (body_fits(m, takes))
		got = make_plain(v, takes, e);
	else
		got = make_repaired(v, takes, e);
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
