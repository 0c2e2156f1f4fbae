/*
 * compose: see compose.h. The message is a list of pieces: text of our own,
 * a range of octets as they are, and a file as base64, where 57 octets make a
 * line of 76 and so the place of each is known without reading the others.
 * Caller: queue/submit.c. RFC 2046 5.1.1 (the line end before a delimiter
 * belongs to it), RFC 2045 6.4 and 6.8.
 * Ownership: see compose.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/err.h"
#include "mail/compose.h"
#include "mail/header.h"
#include "mail/mailbox.h"
#include "mail/media.h"
#include "mail/param.h"

/* A line of base64: octets in, and out with its LF. */
#define LINE_IN 57u
#define LINE_OUT 77u
/* Lines that are made at a time. */
#define LINES 256u
/* Octets that are looked at at a time. */
#define BLOCK (128u * 1024)

enum piece_kind { PIECE_OWN, PIECE_OCTETS, PIECE_BASE64 };

struct compose_piece {
	enum piece_kind kind;
	uint64_t at; /* of its first octet in the message */
	uint64_t size; /* in the message, not 0 */
	size_t off; /* PIECE_OWN: in the own octets */
	struct octets octets; /* the others */
};

/* ---- what a text holds ---- */

struct facts {
	bool has_8bit;
	bool is_utf8;
	bool has_nul;
	bool ends_cr;
	uint64_t nul; /* the first NUL's offset */
};

static int
no_memory(struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory for the message");
}

static int
changed(struct err *e)
{
	err_set(e, ERR_TEMP, ERR_INPUT,
	    "what the message is made of changed while it was sent");
	e->stage = STAGE_INPUT;
	e->scope = SCOPE_MESSAGE;
	return -1;
}

/* n octets, fewer only at the end: how many, or -1 with *e. */
static long
read_full(
    const struct octets *in, uint64_t off, char *to, size_t n, struct err *e)
{
	size_t have = 0;
	long got = 1;

	while (have < n && got > 0) {
		got = in->read(in->ctx, off + have, to + have, n - have, e);
		if (got > 0)
			have += (size_t)got;
	}
	return got == -1 ? -1 : (long)have;
}

static void
look_block(struct facts *f, struct enc_utf8_check *utf8, uint64_t off,
    const char *p, size_t n)
{
	const char *nul = f->has_nul ? NULL : memchr(p, '\0', n);

	if (nul != NULL) {
		f->has_nul = true;
		f->nul = off + (uint64_t)(nul - p);
	}
	f->has_8bit = f->has_8bit || enc_has_8bit(p, n);
	f->ends_cr = p[n - 1] == '\r';
	/* What comes before the first 8-bit octet is UTF-8 in any case. */
	if (f->has_8bit)
		enc_utf8_feed(utf8, p, n);
}

static int
look(struct facts *f, const struct octets *in, struct err *e)
{
	size_t size = in->size < BLOCK ? (size_t)in->size : BLOCK;
	struct enc_utf8_check utf8 = { 0 };
	uint64_t off = 0;
	char *block = malloc(size + 1);
	long got = 0;

	*f = (struct facts){ 0 };
	if (block == NULL)
		return no_memory(e);
	while (off < in->size) {
		got = read_full(in, off, block, size, e);
		if (got <= 0)
			break;
		look_block(f, &utf8, off, block, (size_t)got);
		off += (uint64_t)got;
	}
	free(block);
	f->is_utf8 = enc_utf8_good(&utf8);
	if (got == 0 && off < in->size)
		return changed(e);
	return got == -1 ? -1 : 0;
}

static int
has_nul(struct err *e, const struct facts *f, const char *what)
{
	err_set(e, ERR_PERM, ERR_DATA,
	    "%s: octet %llu is a NUL, which no mail may have; as an attachment "
	    "of type application/octet-stream it can go",
	    what, (unsigned long long)f->nul + 1);
	e->enhanced = (struct enhanced){ 5, 6, 0 };
	e->stage = STAGE_INPUT;
	e->scope = SCOPE_MESSAGE;
	return -1;
}

/* ---- pieces ---- */

static void
put_piece(struct compose *c, struct compose_piece p)
{
	p.at = c->size;
	if (p.size > 0)
		c->piece[c->n++] = p;
	c->size += p.size;
}

/* What was added to the own octets since the last piece of them. */
static void
put_own(struct compose *c)
{
	put_piece(c,
	    (struct compose_piece){ .kind = PIECE_OWN,
		.size = c->own.len - c->own_done,
		.off = c->own_done });
	c->own_done = c->own.len;
}

static uint64_t
base64_size(uint64_t n)
{
	uint64_t lines = (n + LINE_IN - 1) / LINE_IN;

	return n == 0 ? 0 : ENC_BASE64_SIZE(n) + lines - 1;
}

static void
put_octets(struct compose *c, struct octets in, bool encode)
{
	put_own(c);
	put_piece(c,
	    (struct compose_piece){
		.kind = encode ? PIECE_BASE64 : PIECE_OCTETS,
		.size = encode ? base64_size(in.size) : in.size,
		.octets = in });
}

/* ---- the header ---- */

static void
put_list(struct buf *h, const char *name, const struct texts *lists)
{
	struct buf body;
	struct err ignored;
	size_t i;

	buf_init(&body, MESSAGE_HEADER_MAX);
	for (i = 0; i < lists->n; i++)
		mailbox_list(&body, lists->v[i], strlen(lists->v[i]), &ignored);
	if (body.len > 0)
		header_add(h, name, buf_str(&body));
	h->failed = h->failed || !buf_ok(&body);
	buf_free(&body);
}

static void
put_subject(struct buf *h, const char *s)
{
	static const char name[] = "Subject";
	struct buf body;

	buf_init(&body, MESSAGE_HEADER_MAX);
	header_encode(&body, s, strlen(s), HEADER_TEXT, sizeof name + 1);
	header_add(h, name, buf_str(&body));
	h->failed = h->failed || !buf_ok(&body);
	buf_free(&body);
}

static void
put_fields(struct buf *h, const struct compose_config *config)
{
	put_list(h, "To", &config->to);
	put_list(h, "Cc", &config->cc);
	put_list(h, "Bcc", &config->bcc);
	put_list(h, "Reply-To", &config->reply_to);
	if (config->subject != NULL)
		put_subject(h, config->subject);
	header_add(h, "MIME-Version", "1.0");
}

static void
put_encoding(struct buf *h, bool is_8bit)
{
	header_add(h, "Content-Transfer-Encoding", is_8bit ? "8bit" : "7bit");
}

/* A structured field with a parameter, which is left out if it is NULL. */
static void
put_field(struct buf *h, const char *name, const char *body, const char *param,
    const char *value)
{
	header_add(h, name, body);
	if (value == NULL)
		return;
	buf_cut(h, h->len - 1);
	param_add(h, param, value, strlen(value));
	buf_addc(h, '\n');
}

static void
put_text_type(struct buf *h, const struct facts *f)
{
	const char *charset = !f->has_8bit ? "us-ascii"
	    : f->is_utf8                   ? "utf-8"
					   : "unknown-8bit";

	put_field(h, "Content-Type", "text/plain", "charset", charset);
	put_encoding(h, f->has_8bit);
}

/* ---- parts ---- */

/* Behind octets that end in a CR an LF would only make one line end of it. */
static void
put_delimiter(struct buf *own, const char *boundary, bool behind_cr)
{
	if (behind_cr)
		buf_addc(own, '\n');
	buf_addf(own, "\n--%s", boundary);
}

static bool
goes_as_it_is(const struct compose_file *file)
{
	return media_is(file->type, "message");
}

/* A text may say that it is UTF-8; in another charset it says so itself. */
static const char *
charset_of(const struct compose_file *file, const struct facts *f)
{
	return media_is(file->type, "text") && f->has_8bit && f->is_utf8 &&
		!f->has_nul
	    ? "utf-8"
	    : NULL;
}

static void
put_file(
    struct compose *c, const struct compose_file *file, const struct facts *f)
{
	bool encode = !goes_as_it_is(file);
	struct buf *h = &c->own;

	buf_addc(h, '\n');
	put_field(
	    h, "Content-Type", file->type, "charset", charset_of(file, f));
	if (encode)
		header_add(h, "Content-Transfer-Encoding", "base64");
	else
		put_encoding(h, f->has_8bit);
	put_field(
	    h, "Content-Disposition", "attachment", "filename", file->name);
	buf_addc(h, '\n');
	put_octets(c, file->octets, encode);
}

static int
look_at_file(struct facts *f, const struct compose_file *file, struct err *e)
{
	*f = (struct facts){ 0 };
	if (!goes_as_it_is(file) && !media_is(file->type, "text"))
		return 0;
	if (look(f, &file->octets, e) == -1)
		return -1;
	return goes_as_it_is(file) && f->has_nul ? has_nul(e, f, file->name)
						 : 0;
}

void
compose_boundary(
    char out[COMPOSE_BOUNDARY], const unsigned char random[COMPOSE_RANDOM])
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	*out++ = '=';
	*out++ = '_';
	for (i = 0; i < COMPOSE_RANDOM; i++) {
		*out++ = digits[random[i] >> 4];
		*out++ = digits[random[i] & 15];
	}
	*out = '\0';
}

/* The files' facts, and whether the message is 8-bit. */
static void
put_parts(struct compose *c, const struct compose_config *config,
    struct octets text, const struct facts *facts)
{
	const struct facts *f = facts + 1;
	char boundary[COMPOSE_BOUNDARY];
	bool is_8bit = facts->has_8bit, behind_cr;
	struct buf *own = &c->own;
	size_t i;

	compose_boundary(boundary, config->random);
	for (i = 0; i < config->nfiles; i++)
		is_8bit = is_8bit ||
		    (goes_as_it_is(&config->file[i]) && f[i].has_8bit);
	put_field(own, "Content-Type", "multipart/mixed", "boundary", boundary);
	put_encoding(own, is_8bit);
	put_delimiter(own, boundary, false);
	buf_addc(own, '\n');
	put_text_type(own, facts);
	buf_addc(own, '\n');
	put_octets(c, text, false);
	behind_cr = facts->ends_cr;
	for (i = 0; i < config->nfiles; i++) {
		put_delimiter(own, boundary, behind_cr);
		put_file(c, &config->file[i], &f[i]);
		behind_cr = goes_as_it_is(&config->file[i]) && f[i].ends_cr;
	}
	put_delimiter(own, boundary, behind_cr);
	buf_adds(own, "--\n");
	put_own(c);
}

/* ---- reading ---- */

static long
read_own(const struct compose *c, const struct compose_piece *p, uint64_t off,
    char *to, size_t n)
{
	memcpy(to, c->own.data + p->off + off, n);
	return (long)n;
}

/* At most n octets of the base64 of p, from `off` on. */
static long
read_base64(const struct compose_piece *p, uint64_t off, char *to, size_t n,
    struct err *e)
{
	char in[LINES * LINE_IN], line[LINE_OUT];
	uint64_t from = off / LINE_OUT * LINE_IN;
	size_t skip = (size_t)(off % LINE_OUT), done = 0, at = 0, len;
	size_t size = (skip + n + LINE_OUT - 1) / LINE_OUT * LINE_IN;
	long got;

	if (size > sizeof in)
		size = sizeof in;
	if (size > p->octets.size - from)
		size = (size_t)(p->octets.size - from);
	got = read_full(&p->octets, from, in, size, e);
	if (got != (long)size)
		return got == -1 ? -1 : changed(e);
	for (; at < size && done < n; at += LINE_IN, skip = 0) {
		len = size - at < LINE_IN ? size - at : LINE_IN;
		enc_base64_to(line, in + at, len);
		len = ENC_BASE64_SIZE(len);
		line[len++] = '\n';
		len = len - skip < n - done ? len - skip : n - done;
		memcpy(to + done, line + skip, len);
		done += len;
	}
	return (long)done;
}

/* Nothing is left: is all as it was? 0, or -1. */
static long
read_end(const struct compose *c, struct err *e)
{
	const struct compose_piece *p;
	char one;
	long got;
	size_t i;

	for (i = 0; i < c->n; i++) {
		p = &c->piece[i];
		if (p->kind == PIECE_OWN)
			continue;
		got = p->octets.read(p->octets.ctx, p->octets.size, &one, 1, e);
		if (got != 0)
			return got == -1 ? -1 : changed(e);
	}
	return 0;
}

static long
compose_read(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const struct compose *c = ctx;
	const struct compose_piece *p = c->piece;
	long got;

	if (off >= c->size)
		return read_end(c, e);
	while (off - p->at >= p->size)
		p++;
	off -= p->at;
	if (n > p->size - off)
		n = (size_t)(p->size - off);
	if (p->kind == PIECE_OWN)
		return read_own(c, p, off, to, n);
	got = p->kind == PIECE_BASE64
	    ? read_base64(p, off, to, n, e)
	    : p->octets.read(p->octets.ctx, off, to, n, e);
	return got == 0 && n > 0 ? changed(e) : got;
}

/* ---- the message ---- */

/* The text's facts, and those of the files behind them. */
static int
look_at_all(struct facts *facts, const struct compose_config *config,
    const struct octets *text, struct err *e)
{
	size_t i;

	if (look(facts, text, e) == -1)
		return -1;
	if (facts->has_nul)
		return has_nul(e, facts, "the text");
	for (i = 0; i < config->nfiles; i++)
		if (look_at_file(&facts[i + 1], &config->file[i], e) == -1)
			return -1;
	return 0;
}

static int
put_all(struct compose *c, const struct compose_config *config,
    struct octets text, const struct facts *facts, struct err *e)
{
	c->is_utf8 = facts->is_utf8;
	put_fields(&c->own, config);
	if (config->nfiles > 0) {
		put_parts(c, config, text, facts);
	} else {
		put_text_type(&c->own, facts);
		buf_addc(&c->own, '\n');
		put_octets(c, text, false);
	}
	return buf_ok(&c->own) ? 0 : no_memory(e);
}

int
compose_open(struct compose *c, const struct compose_config *config,
    struct octets text, struct err *e)
{
	struct facts *facts = calloc(config->nfiles + 1, sizeof *facts);
	int got = -1;

	*c = (struct compose){ 0 };
	/* Before, between and behind: own ones, and the text and each file. */
	c->piece = calloc(2 * config->nfiles + 3, sizeof *c->piece);
	buf_init(&c->own, 2 * MESSAGE_HEADER_MAX);
	if (facts == NULL || c->piece == NULL)
		no_memory(e);
	else if (look_at_all(facts, config, &text, e) == 0)
		got = put_all(c, config, text, facts, e);
	free(facts);
	if (got == -1)
		compose_free(c);
	return got;
}

void
compose_free(struct compose *c)
{
	buf_free(&c->own);
	free(c->piece);
	*c = (struct compose){ 0 };
}

struct octets
compose_octets(struct compose *c)
{
	return (struct octets){ compose_read, c, c->size };
}
