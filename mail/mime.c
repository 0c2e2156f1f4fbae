/*
 * mime: see mime.h. The body goes by once, line by line. A line either is a
 * delimiter of one of the multiparts that are open (the innermost first), or
 * belongs to the header or the body of the present part.
 * Callers: mail/repair.c and who joins it to a view. RFC 2046 5.1.1 and 5.1.2.
 * Ownership: the list of parts is ours until mime_free().
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail/header.h"
#include "mail/line.h"
#include "mail/message.h"
#include "mail/mime.h"

#define BLOCK (128u * 1024)
/* Kept of a line: enough for a field's name, or for a delimiter. */
#define LINE_KEEP (MESSAGE_LINE_MAX + 2)
/* An offset that the next line will tell. */
#define UNSET UINT64_MAX

static const char encoding_field[] = "Content-Transfer-Encoding";

/* A multipart that is open. */
struct level {
	size_t part;
	size_t len;
	char boundary[CONTENT_BOUNDARY_MAX];
};

struct line {
	uint64_t off;
	uint64_t number; /* from 1 */
	uint64_t len; /* without its end */
	uint64_t special; /* octets that quoted-printable writes as three */
	bool begun;
	bool high;
	bool nul;
	size_t kept;
	char keep[LINE_KEEP]; /* its beginning, if it is of any use */
};

struct walk {
	struct mime *mime; /* borrowed */
	struct level level[MIME_DEPTH_MAX];
	size_t depth; /* levels in use */
	size_t part; /* the present one */
	bool in_header;
	bool in_encoding; /* the header line before was of that field */
	bool cut_encoding; /* not all of that field was kept */
	bool starved; /* a header was lost for want of memory */
	bool opaque; /* no delimiter counts any more */
	bool cr;
	struct line line;
	struct buf header; /* owned: the present part's fields, LF ends */
	struct content content;
	uint64_t last_end; /* where the line before ended, without its end */
};

static int
no_memory(struct err *e)
{
	return err_set(
	    e, ERR_TEMP, ERR_MACHINE, "no memory for the parts of the message");
}

static struct mime_part *
present(struct walk *w)
{
	return &w->mime->part[w->part];
}

/* ---- the list ---- */

static int
grow(struct mime *m)
{
	size_t size = m->size == 0 ? 4 : m->size * 2;
	struct mime_part *p;

	if (m->n < m->size)
		return 0;
	p = realloc(m->part, size * sizeof *p);
	if (p == NULL)
		return -1;
	m->part = p;
	m->size = size;
	return 0;
}

/* A new part inside `parent`, which becomes the present one. */
static int
add_part(struct walk *w, size_t parent, struct err *e)
{
	struct mime *m = w->mime;
	struct mime_part *p, *up;

	if (grow(m) == -1)
		return no_memory(e);
	up = &m->part[parent];
	p = &m->part[m->n];
	*p = (struct mime_part){ .parent = parent, .leaf = true };
	p->head_off = p->head_end = p->body_off = p->body_end = UNSET;
	if (m->n > 0) {
		up->leaf = false;
		p->number = (unsigned)++up->children;
		p->depth = up->depth + 1;
		p->sealed = up->sealed || up->kind == CONTENT_SEALED;
	}
	w->part = m->n++;
	w->in_header = true;
	w->in_encoding = false;
	buf_reset(&w->header);
	if (m->n == MIME_PARTS_MAX) {
		p->flaw = MIME_TOO_MANY;
		w->opaque = true;
		w->in_header = false;
	}
	return 0;
}

void
mime_free(struct mime *m)
{
	if (m == NULL)
		return;
	free(m->part);
	*m = (struct mime){ 0 };
}

/* ---- header of a part ---- */

/* What counts is the first field of each name. */
struct fields {
	bool type;
	bool version;
	unsigned encodings;
	enum content_encoding encoding;
	struct content content;
};

static void
take_field(struct fields *f, const struct field *h)
{
	if (header_is(h, "MIME-Version"))
		f->version = true;
	if (header_is(h, "Content-Type") && !f->type) {
		content_type(&f->content, h->body, h->body_len);
		f->type = true;
	}
	if (header_is(h, encoding_field) && f->encodings++ == 0)
		f->encoding = content_encoding(h->body, h->body_len);
}

/* What the header says of the present part. */
static void
take_header(struct walk *w, const char *h, size_t n)
{
	struct fields f = { .encoding = ENCODING_7BIT };
	struct mime_part *p = present(w);
	struct field field = { 0 };

	while (header_next(h, n, &field))
		take_field(&f, &field);
	if (!f.type && w->part > 0 &&
	    w->mime->part[p->parent].kind == CONTENT_DIGEST)
		f.content.kind = CONTENT_MESSAGE; /* RFC 2046 5.1.5 */
	p->kind = f.content.kind;
	p->encoding = f.encoding;
	p->encodings = f.encodings;
	memcpy(p->type, f.content.type, sizeof p->type);
	memcpy(p->charset, f.content.charset, sizeof p->charset);
	w->content = f.content;
	if (w->part == 0)
		w->mime->version = f.version;
}

/* The present part is a multipart: its delimiters count from now on. */
static void
open_multipart(struct walk *w)
{
	struct mime_part *p = present(w);
	struct level *l = &w->level[w->depth];

	if (w->content.boundary_len == 0) {
		p->flaw = MIME_NO_BOUNDARY;
		return;
	}
	if (p->depth >= MIME_DEPTH_MAX) {
		p->flaw = MIME_TOO_DEEP;
		return;
	}
	/* One level for each multipart above: never more than p->depth. */
	l->part = w->part;
	l->len = w->content.boundary_len;
	memcpy(l->boundary, w->content.boundary, l->len);
	w->depth++;
	p->leaf = false;
	/* The message in a part has that part's name if it has parts. */
	if (w->mime->part[p->parent].kind == CONTENT_MESSAGE)
		p->number = 0;
}

static int
open_message(struct walk *w, struct err *e)
{
	struct mime_part *p = present(w);

	if (p->encoding == ENCODING_QP || p->encoding == ENCODING_BASE64 ||
	    p->encoding == ENCODING_OTHER)
		return 0; /* none of its lines can be seen */
	if (p->depth >= MIME_DEPTH_MAX) {
		p->flaw = MIME_TOO_DEEP;
		return 0;
	}
	if (!p->blank) {
		/* A field put into either header would be in the other. */
		p->flaw = MIME_OPEN_HEADER;
		return 0;
	}
	return add_part(w, w->part, e);
}

/* The present part's header is over: its body begins, or a part in it. */
static int
open_body(struct walk *w, struct err *e)
{
	w->in_header = false;
	if (present(w)->flaw != MIME_SOUND)
		return 0;
	switch (present(w)->kind) {
	case CONTENT_MULTIPART:
	case CONTENT_DIGEST:
	case CONTENT_SEALED:
		open_multipart(w);
		return 0;
	case CONTENT_MESSAGE:
		return open_message(w, e);
	case CONTENT_TEXT:
	case CONTENT_DATA:
	case CONTENT_FIXED:
		return 0;
	}
	return 0;
}

/* The header ends before the line at `off`. */
static void
end_header(struct walk *w, uint64_t off)
{
	struct mime_part *p = present(w);

	p->head_end = off;
	if (w->in_encoding)
		p->encoding_end = off;
	w->in_encoding = false;
	take_header(w, buf_str(&w->header), w->header.len);
	if (w->cut_encoding)
		p->encoding = ENCODING_OTHER;
	w->cut_encoding = false;
	w->starved = w->starved || buf_starved(&w->header);
	if (!buf_ok(&w->header))
		p->flaw = MIME_BIG_HEADER;
}

/* A field's line, or a folded one: kept, and looked at. */
static void
header_line(struct walk *w)
{
	struct mime_part *p = present(w);
	const struct line *l = &w->line;
	struct field f = { 0 };

	if (l->high && p->head_8bit == 0)
		p->head_8bit = l->number;
	if (l->len > MESSAGE_LINE_MAX && p->head_long == 0)
		p->head_long = l->number;
	if (l->keep[0] == ' ' || l->keep[0] == '\t') {
		w->cut_encoding |= w->in_encoding && l->kept < l->len;
		return;
	}
	if (w->in_encoding)
		p->encoding_end = l->off;
	w->in_encoding = p->encoding_end == 0 &&
	    header_next(l->keep, l->kept, &f) && header_is(&f, encoding_field);
	if (!w->in_encoding)
		return;
	p->encoding_off = l->off;
	w->cut_encoding = l->kept < l->len;
}

static bool
is_header_line(const struct walk *w)
{
	const struct line *l = &w->line;

	if (l->len == 0)
		return false;
	if (l->keep[0] == ' ' || l->keep[0] == '\t')
		return w->mime->part[w->part].head_off != l->off;
	return header_name(l->keep, l->kept) > 0;
}

/* ---- delimiters ---- */

/* The line behind a delimiter's boundary: 1 closes, 0 does not, -1 is none. */
static int
delimiter_rest(const char *p, size_t n)
{
	int closing = 0;

	if (n >= 2 && p[0] == '-' && p[1] == '-') {
		closing = 1;
		p += 2;
		n -= 2;
	}
	for (; n > 0; p++, n--)
		if (*p != ' ' && *p != '\t')
			return -1;
	return closing;
}

/*
 * Which open multipart's delimiter the line is: its level, or -1. A line
 * that only begins like one is none: inner boundaries often are the outer
 * one and a little more.
 */
static int
find_level(const struct walk *w, int *closing)
{
	const struct line *l = &w->line;

	if (w->opaque || l->kept != l->len || l->len < 2 ||
	    memcmp(l->keep, "--", 2) != 0)
		return -1;
	for (size_t i = w->depth; i-- > 0;) {
		const struct level *v = &w->level[i];

		if (l->kept < 2 + v->len ||
		    memcmp(l->keep + 2, v->boundary, v->len) != 0)
			continue;
		*closing =
		    delimiter_rest(l->keep + 2 + v->len, l->kept - 2 - v->len);
		if (*closing != -1)
			return (int)i;
	}
	return -1;
}

/* All parts from the present one up to, not with, `top` end at `end`. */
static void
close_parts(struct walk *w, size_t top, uint64_t end)
{
	struct mime_part *p;

	for (size_t i = w->part; i != top; i = p->parent) {
		p = &w->mime->part[i];
		p->body_end = end > p->body_off ? end : p->body_off;
	}
	w->part = top;
}

/* Offsets that were not known until here. */
static void
set_offsets(struct walk *w, uint64_t off)
{
	for (size_t i = w->part;;) {
		struct mime_part *p = &w->mime->part[i];

		if (p->head_off == UNSET)
			p->head_off = off;
		if (p->head_end == UNSET && (i != w->part || !w->in_header))
			p->head_end = off;
		if (p->body_off == UNSET && (i != w->part || !w->in_header)) {
			p->body_off = off;
			p->body_line = w->line.number;
		}
		if (i == p->parent ||
		    w->mime->part[p->parent].body_off != UNSET)
			return;
		i = p->parent;
	}
}

/* The input, or the line that is now, ends a header that had no end. */
static void
break_header(struct walk *w, uint64_t off)
{
	if (w->in_header)
		end_header(w, off);
	w->in_header = false;
	set_offsets(w, off);
}

static int
take_delimiter(struct walk *w, size_t level, bool closing, struct err *e)
{
	size_t part = w->level[level].part;

	break_header(w, w->line.off);
	close_parts(w, part, w->last_end);
	w->depth = level + 1;
	if (!closing)
		return add_part(w, part, e);
	w->depth = level;
	return 0;
}

/* ---- lines ---- */

static void
body_line(struct walk *w)
{
	struct mime_facts *f = &present(w)->body;
	const struct line *l = &w->line;
	uint64_t columns = l->len + 2 * l->special;

	if (l->high && f->first_8bit == 0)
		f->first_8bit = l->number;
	if (l->nul && f->first_nul == 0)
		f->first_nul = l->number;
	if (l->len > MESSAGE_LINE_MAX && f->first_long == 0)
		f->first_long = l->number;
	f->octets += l->len + 2;
	f->qp += columns + columns / 75 * 3 + 2;
}

static int
text_line(struct walk *w, struct err *e)
{
	bool blank = w->line.len == 0;

	while (w->in_header) {
		if (is_header_line(w)) {
			header_line(w);
			buf_add(&w->header, w->line.keep, w->line.kept);
			buf_addc(&w->header, '\n');
			return 0;
		}
		end_header(w, w->line.off);
		present(w)->blank = blank;
		if (open_body(w, e) == -1)
			return -1;
		if (blank)
			return 0;
		set_offsets(w, w->line.off);
	}
	body_line(w);
	return 0;
}

static int
end_line(struct walk *w, struct err *e)
{
	struct line *l = &w->line;
	int closing = 0, level = find_level(w, &closing), got;

	w->mime->has_8bit |= l->high;
	if (level >= 0)
		got = take_delimiter(w, (size_t)level, closing == 1, e);
	else
		got = text_line(w, e);
	w->last_end = l->off + l->len;
	l->number++;
	l->len = l->special = 0;
	l->kept = 0;
	l->begun = l->high = l->nul = false;
	return got;
}

/* More of the present line, which lies at `off`. */
static void
add_text(struct walk *w, const char *p, size_t n, uint64_t off)
{
	struct line *l = &w->line;
	unsigned char all = 0;
	uint64_t special = 0, nul = 0;
	size_t keep = LINE_KEEP - l->kept;

	if (!l->begun) {
		l->begun = true;
		l->off = off;
		set_offsets(w, off);
	}
	if (w->in_header ||
	    (l->len == 0 ? n > 0 && p[0] == '-' : l->kept > 0)) {
		if (keep > n)
			keep = n;
		memcpy(l->keep + l->kept, p, keep);
		l->kept += keep;
	}
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		all |= c;
		nul += c == 0;
		special += c > '~' || c == '=' || (c < ' ' && c != '\t');
	}
	l->high |= all > 127;
	l->nul |= nul > 0;
	l->special += special;
	l->len += n;
}

static int
walk_block(struct walk *w, const char *p, size_t n, uint64_t off, struct err *e)
{
	struct piece c;
	size_t used;

	for (; n > 0; p += used, off += used, n -= used) {
		used = line_cut(&w->cr, p, n, &c);
		if (c.len == 0 && !c.eol)
			continue; /* the LF of a CR before */
		add_text(w, p, c.len, off);
		if (c.eol && end_line(w, e) == -1)
			return -1;
	}
	return 0;
}

/* ---- the message ---- */

static int
walk_body(struct walk *w, const struct message *m, struct err *e)
{
	uint64_t off = m->body_off;
	char *block = malloc(BLOCK);
	long got = -1;
	int bad = 0;

	if (block == NULL)
		return no_memory(e);
	while (bad == 0 &&
	    (got = m->octets.read(m->octets.ctx, off, block, BLOCK, e)) > 0) {
		bad = walk_block(w, block, (size_t)got, off, e);
		off += (uint64_t)got;
	}
	free(block);
	if (bad == 0 && got == 0 && w->line.begun)
		bad = end_line(w, e);
	if (bad != 0 || got < 0)
		return -1;
	break_header(w, off);
	close_parts(w, 0, off);
	w->mime->part[0].body_end = off;
	return 0;
}

/* The first part is the message: its header is there already. */
static int
open_top(struct walk *w, const struct message *m, struct err *e)
{
	struct mime_part *p;

	if (add_part(w, 0, e) == -1)
		return -1;
	p = present(w);
	p->head_off = p->head_end = 0;
	p->body_off = m->body_off;
	p->body_line = w->line.number = m->body_line;
	p->blank = m->has_body;
	take_header(w, buf_str(&m->header), m->header.len);
	return open_body(w, e);
}

int
mime_walk(struct mime *mime, const struct message *m, struct err *e)
{
	struct walk *w = calloc(1, sizeof *w);
	int bad;

	*mime = (struct mime){ 0 };
	if (w == NULL)
		return no_memory(e);
	w->mime = mime;
	buf_init(&w->header, MIME_HEADER_MAX);
	bad = open_top(w, m, e);
	if (bad == 0)
		bad = walk_body(w, m, e);
	if (bad == 0 && w->starved)
		bad = no_memory(e);
	buf_free(&w->header);
	free(w);
	if (bad == -1)
		mime_free(mime);
	return bad;
}

const char *
mime_name(const struct mime *m, size_t i, char out[MIME_NAME_MAX])
{
	unsigned number[MIME_DEPTH_MAX + 2];
	size_t n = 0, at;

	for (; i > 0; i = m->part[i].parent)
		if (m->part[i].number > 0)
			number[n++] = m->part[i].number;
	if (n == 0) {
		snprintf(out, MIME_NAME_MAX, "the body");
		return out;
	}
	at = (size_t)snprintf(out, MIME_NAME_MAX, "part %u", number[--n]);
	while (n > 0 && at < MIME_NAME_MAX)
		at += (size_t)snprintf(
		    out + at, MIME_NAME_MAX - at, ".%u", number[--n]);
	return out;
}
