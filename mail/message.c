/*
 * message: see message.h. One small cutter (mail/line.c), used for the scan
 * and for every view, decides where lines end, so the size that is declared
 * and the octets that are sent cannot differ.
 * Callers: queue/submit.c, mail/view.c. It opens no file and changes no body.
 * RFC 5322 2.2 (fields), RFC 4155 (From line).
 * Ownership: the header is ours, the body is read through the callback.
 */
#include <string.h>

#include "base/enc.h"
#include "base/err.h"
#include "mail/header.h"
#include "mail/line.h"
#include "mail/message.h"

/* Octets read at a time; a line that is no field is known to be none by
 * FIELD_LOOK octets. */
#define BLOCK MESSAGE_BLOCK
#define FIELD_LOOK 1024u

/* ---- errors ---- */

static int
bad_line(struct err *e, uint64_t line, const char *what)
{
	err_set(e, ERR_PERM, ERR_DATA, "message line %llu %s",
	    (unsigned long long)line, what);
	e->enhanced = (struct enhanced){ 5, 6, 0 };
	e->stage = STAGE_INPUT;
	e->scope = SCOPE_MESSAGE;
	return -1;
}

static const char has_nul[] = "has a NUL octet";

/* ---- header ---- */

static int
no_memory(struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory for the message");
}

static int
too_large(struct err *e)
{
	err_set(e, ERR_PERM, ERR_DATA,
	    "the message header is larger than %u MiB",
	    MESSAGE_HEADER_MAX / (1024 * 1024));
	e->enhanced = (struct enhanced){ 5, 6, 0 };
	e->stage = STAGE_INPUT;
	e->scope = SCOPE_MESSAGE;
	return -1;
}

size_t
message_block(const struct octets *in, uint64_t off)
{
	if (off >= in->size)
		return 1;
	return in->size - off < BLOCK ? (size_t)(in->size - off) : BLOCK;
}

/* One block more of the input behind what `raw` has: 1, 0 at end, -1. */
static int
read_more(const struct octets *in, struct buf *raw, struct err *e)
{
	size_t n = message_block(in, raw->len);
	char *to = buf_room(raw, n);
	long got;

	if (to == NULL)
		return raw->len + n > raw->max ? too_large(e) : no_memory(e);
	got = in->read(in->ctx, raw->len, to, n, e);
	if (got > 0)
		buf_grew(raw, (size_t)got);
	return got > 0 ? 1 : (int)got;
}

/* What a raw line is to the header reader. */
enum line_kind { LINE_FIELD, LINE_BLANK, LINE_OTHER };

struct header_reader {
	const struct octets *in; /* borrowed */
	struct buf raw; /* owned: the input's beginning */
	size_t at; /* the present line */
	size_t len; /* its octets without line end */
	size_t next; /* the next line */
	uint64_t line; /* the present line's number, from 1 */
};

/* Find the end of the line at h->at: 1, 0 no line is left, -1 with *e. */
static int
header_line(struct header_reader *h, struct err *e)
{
	size_t seen = 0;
	const char *lf;
	int got;

	for (;;) {
		lf = NULL;
		if (h->raw.len > h->at + seen)
			lf = memchr(h->raw.data + h->at + seen, '\n',
			    h->raw.len - h->at - seen);
		if (lf != NULL)
			break;
		seen = h->raw.len - h->at;
		if (seen > FIELD_LOOK &&
		    header_name(h->raw.data + h->at, FIELD_LOOK) == 0 &&
		    h->raw.data[h->at] != ' ' && h->raw.data[h->at] != '\t')
			break;
		got = read_more(h->in, &h->raw, e);
		if (got == -1)
			return -1;
		if (got == 0)
			break;
	}
	h->len = lf == NULL ? h->raw.len - h->at
			    : (size_t)(lf - h->raw.data) - h->at;
	h->next = h->at + h->len + (lf != NULL);
	if (lf != NULL && h->len > 0 && lf[-1] == '\r')
		h->len--;
	return h->next > h->at;
}

static enum line_kind
line_kind(const struct message *m, const char *p, size_t n)
{
	if (n == 0)
		return LINE_BLANK;
	if (p[0] == ' ' || p[0] == '\t')
		return m->header.len > 0 ? LINE_FIELD : LINE_OTHER;
	return header_name(p, n) > 0 ? LINE_FIELD : LINE_OTHER;
}

/* Keep a header line: checked, its bare CRs made spaces. */
static int
keep_line(struct message *m, const struct header_reader *h, struct err *e)
{
	const char *p = h->raw.data + h->at;
	size_t start = m->header.len;
	char *cr;

	if (memchr(p, '\0', h->len) != NULL)
		return bad_line(e, h->line, has_nul);
	if (m->header_long == 0 && h->len > MESSAGE_LINE_MAX)
		m->header_long = h->line;
	if (m->header_8bit == 0 && enc_has_8bit(p, h->len))
		m->header_8bit = h->line;
	buf_add(&m->header, p, h->len);
	buf_addc(&m->header, '\n');
	if (!buf_ok(&m->header))
		return start + h->len + 1 > m->header.max ? too_large(e)
							  : no_memory(e);
	while ((cr = memchr(m->header.data + start, '\r',
		    m->header.len - start)) != NULL)
		*cr = ' ';
	return 0;
}

/* A line that mbox puts in front (RFC 4155), and no field "From :". */
static bool
is_mbox_line(const char *p, size_t n)
{
	return n > 5 && n <= MESSAGE_LINE_MAX && memcmp(p, "From ", 5) == 0 &&
	    header_name(p, n) == 0;
}

/* The header's lines up to its end; h->at is then where the body begins. */
static int
read_header(struct message *m, struct header_reader *h, struct err *e)
{
	enum line_kind kind;
	int got;

	for (; (got = header_line(h, e)) == 1; h->at = h->next, h->line++) {
		const char *p = h->raw.data + h->at;

		if (h->line == 1 && is_mbox_line(p, h->len))
			continue;
		kind = line_kind(m, p, h->len);
		if (kind != LINE_FIELD) {
			if (kind == LINE_BLANK) {
				h->at = h->next;
				h->line++;
			}
			m->has_body = true;
			return 0;
		}
		if (keep_line(m, h, e) == -1)
			return -1;
	}
	return got;
}

/* ---- body ---- */

struct scan {
	uint64_t line; /* present line's number */
	uint64_t len; /* its octets so far */
	uint64_t size; /* wire octets so far */
	uint64_t first; /* first line with an 8-bit octet */
	struct enc_utf8_check utf8; /* of all from that line's block on */
	uint64_t first_long; /* first line over MESSAGE_LINE_MAX */
	bool cr;
};

/* What a whole block may hold, so that lines need not be looked at. */
struct hint {
	bool nul;
	bool high;
};

static int
scan_piece(struct scan *s, const char *p, const struct piece *c,
    struct hint hint, struct err *e)
{
	s->len += c->len;
	s->size += c->len;
	if (s->len > MESSAGE_LINE_MAX && s->first_long == 0)
		s->first_long = s->line;
	if (hint.nul && memchr(p, '\0', c->len) != NULL)
		return bad_line(e, s->line, has_nul);
	if (hint.high && s->first == 0 && enc_has_8bit(p, c->len))
		s->first = s->line;
	if (c->eol) {
		s->size += 2;
		s->line++;
		s->len = 0;
	}
	return 0;
}

static int
scan_block(struct scan *s, const char *p, size_t n, struct err *e)
{
	struct hint hint = { .nul = memchr(p, '\0', n) != NULL };
	struct piece c;
	size_t used;

	hint.high = s->first == 0 && enc_has_8bit(p, n);
	if (hint.high || s->first != 0)
		enc_utf8_feed(&s->utf8, p, n);
	for (; n > 0; p += used, n -= used) {
		used = line_cut(&s->cr, p, n, &c);
		if (scan_piece(s, p, &c, hint, e) == -1)
			return -1;
	}
	return 0;
}

static int
scan_body(struct message *m, uint64_t line, struct err *e)
{
	struct scan s = { .line = line };
	uint64_t off = m->body_off;
	size_t n = message_block(&m->octets, off);
	struct buf block;
	char *p;
	long got = -1;
	int bad = 0;

	buf_init(&block, BLOCK);
	p = buf_room(&block, n);
	if (p == NULL)
		return no_memory(e);
	while (bad == 0 &&
	    (got = m->octets.read(m->octets.ctx, off, p, n, e)) > 0) {
		bad = scan_block(&s, p, (size_t)got, e);
		off += (uint64_t)got;
	}
	buf_free(&block);
	m->body_size = s.size + (s.len > 0 ? 2 : 0);
	m->body_8bit = s.first;
	m->body_utf8 = enc_utf8_good(&s.utf8);
	m->body_long = s.first_long;
	return bad != 0 || got < 0 ? -1 : 0;
}

/* ---- the message ---- */

int
message_open(struct message *m, struct octets in, struct err *e)
{
	struct header_reader h = { .in = &in, .line = 1 };
	int got;

	*m = (struct message){ .octets = in, .body_utf8 = true };
	buf_init(&m->header, MESSAGE_HEADER_MAX);
	buf_init(&h.raw, MESSAGE_HEADER_MAX + BLOCK);
	got = read_header(m, &h, e);
	buf_free(&h.raw);
	m->body_off = h.at;
	m->body_line = h.line;
	if (got == 0 && m->has_body)
		got = scan_body(m, h.line, e);
	if (got == -1) {
		message_free(m);
		*m = (struct message){ 0 };
	}
	return got;
}

void
message_free(struct message *m)
{
	if (m != NULL)
		buf_free(&m->header);
}

uint64_t
message_size(const struct message *m)
{
	uint64_t size = m->header.len + (m->has_body ? 2 : 0) + m->body_size;
	size_t i;

	for (i = 0; i < m->header.len; i++)
		size += m->header.data[i] == '\n';
	return size;
}

uint64_t
message_8bit(const struct message *m)
{
	return m->header_8bit != 0 ? m->header_8bit : m->body_8bit;
}

/* Longest line of the header, octets. */
static size_t
longest_line(const struct buf *h)
{
	const char *p = h->data, *end = p + h->len, *lf;
	size_t max = 0;

	for (; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (lf == NULL)
			lf = end;
		if ((size_t)(lf - p) > max)
			max = (size_t)(lf - p);
	}
	return max;
}

/* Something was removed: what was wrong with the header may be so no more. */
static void
look_again(struct message *m)
{
	const struct buf *h = &m->header;

	if (m->header_8bit != 0 && !enc_has_8bit(buf_str(h), h->len))
		m->header_8bit = 0;
	if (m->header_long != 0 && longest_line(h) <= MESSAGE_LINE_MAX)
		m->header_long = 0;
}

size_t
message_remove(struct message *m, const char *name)
{
	struct buf *h = &m->header;
	struct field f = { 0 };
	size_t kept = 0, removed = 0;

	while (header_next(h->data, h->len, &f)) {
		if (header_is(&f, name)) {
			removed++;
			continue;
		}
		memmove(h->data + kept, h->data + f.at, f.end - f.at);
		kept += f.end - f.at;
	}
	buf_cut(h, kept);
	if (removed > 0)
		look_again(m);
	return removed;
}

int
message_set_header(struct message *m, struct buf *header, struct err *e)
{
	/* A small one failed for want of memory. */
	if (!buf_ok(header))
		return m->header.len > header->max / 2 ? too_large(e)
						       : no_memory(e);
	buf_free(&m->header);
	m->header = *header;
	buf_init(header, header->max);
	look_again(m);
	if (m->header_8bit == 0 && enc_has_8bit(m->header.data, m->header.len))
		m->header_8bit = 1;
	if (m->header_long == 0 && longest_line(&m->header) > MESSAGE_LINE_MAX)
		m->header_long = 1;
	return 0;
}

int
message_prepend(struct message *m, const char *fields, size_t n, struct err *e)
{
	struct buf *h = &m->header;
	size_t was = h->len;

	if (n > h->max - was)
		return too_large(e);
	if (buf_room(h, n) == NULL)
		return no_memory(e);
	memmove(h->data + n, h->data, was);
	memcpy(h->data, fields, n);
	buf_grew(h, n);
	return 0;
}
