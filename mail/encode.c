/*
 * encode: see encode.h. Quoted-printable holds one octet back, since how it
 * is written depends on whether the line ends behind it; base64 holds the
 * octets of one line.
 * Callers: who repairs or composes. RFC 2045 6.7, 6.8.
 * Ownership: the caller's buffers.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "mail/encode.h"
#include "mail/line.h"

/* What stands behind an octet, if it is no octet: the line's end. */
#define LINE_END (-1)

void
encode_init(struct encode *c, enum encode_form form)
{
	*c = (struct encode){ .form = form, .held = -1 };
}

/* ---- quoted-printable ---- */

/* Octets that never stand for themselves (RFC 2045 6.7 rules 1 to 4). */
static bool
qp_special(int c)
{
	return c == '=' || c > '~' || (c < ' ' && c != '\t');
}

/* Whether the held octet must be written as =XX at the present column. */
static bool
qp_escaped(const struct encode *c, int next)
{
	if (qp_special(c->held))
		return true;
	if (next == LINE_END && (c->held == ' ' || c->held == '\t'))
		return true;
	if (c->column == 0)
		return c->held == '.' || (c->held == '-' && next == '-');
	return c->column == 4 && c->from == 4 && c->held == ' ';
}

/* Write the held octet, now that it is known what follows. */
static void
qp_put(struct encode *c, struct buf *out, int next)
{
	/* A soft break needs the last column for its "=". */
	unsigned max = ENCODE_COLUMNS - (next != LINE_END);
	bool escaped;

	if (c->held == -1)
		return;
	escaped = qp_escaped(c, next);
	if (c->column + (escaped ? 3 : 1) > max) {
		buf_adds(out, "=\r\n");
		c->column = c->from = 0;
		escaped = qp_escaped(c, next);
	}
	if (escaped) {
		buf_addf(out, "=%02X", (unsigned)c->held);
		c->column += 3;
		return;
	}
	buf_addc(out, (char)c->held);
	if (c->column < 4 && c->from == c->column &&
	    c->held == "From"[c->column])
		c->from++;
	c->column++;
}

static void
qp_text(struct encode *c, struct buf *out, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		qp_put(c, out, p[i]);
		c->held = p[i];
	}
}

static void
qp_break(struct encode *c, struct buf *out)
{
	qp_put(c, out, LINE_END);
	c->held = -1;
	c->column = c->from = 0;
	buf_adds(out, "\r\n");
}

static void
qp_end(struct encode *c, struct buf *out)
{
	qp_put(c, out, LINE_END);
	c->held = -1;
}

/* ---- quoted-printable that is there ---- */

/* Write the waiting token into a line of at most `max` columns. */
static void
again_put(struct encode *c, struct buf *out, unsigned max)
{
	unsigned n = (unsigned)strlen(c->token);

	if (n == 0)
		return;
	if (c->column + n > max) {
		buf_adds(out, "=\r\n");
		c->column = 0;
		/* A line that was none may look like something else. */
		if (n == 1 && strchr(".-F", c->token[0]) != NULL)
			n = (unsigned)snprintf(c->token, sizeof c->token,
			    "=%02X", (unsigned)(unsigned char)c->token[0]);
	}
	buf_add(out, c->token, n);
	c->column += n;
	c->token[0] = '\0';
}

/* The next octet stands for itself: something follows the one before. */
static void
again_octet(struct encode *c, struct buf *out, unsigned char octet)
{
	again_put(c, out, ENCODE_COLUMNS - 1);
	if (qp_special(octet))
		snprintf(c->token, sizeof c->token, "=%02X", (unsigned)octet);
	else
		snprintf(c->token, sizeof c->token, "%c", octet);
}

/* What began like =XX was none (RFC 2045 6.7, note on robust decoders), and
 * the white space does not end the line. */
static void
again_literal(struct encode *c, struct buf *out)
{
	char digit = c->half[0] != '\0' ? c->half[1] : '\0';

	if (c->half[0] != '\0')
		again_octet(c, out, '=');
	if (digit != '\0')
		again_octet(c, out, (unsigned char)digit);
	for (const char *p = c->pad; *p != '\0'; p++)
		again_octet(c, out, (unsigned char)*p);
	c->half[0] = c->pad[0] = '\0';
}

static bool
is_hex(unsigned char c)
{
	return c != '\0' && strchr("0123456789ABCDEFabcdef", c) != NULL;
}

static void
again_next(struct encode *c, struct buf *out, unsigned char octet)
{
	size_t n = strlen(c->half), pad = strlen(c->pad);
	bool blank = octet == ' ' || octet == '\t';

	if (n < 2 && blank && pad < sizeof c->pad - 1) {
		c->pad[pad] = (char)octet;
		c->pad[pad + 1] = '\0';
		return;
	}
	if (n == 1 && pad == 0 && is_hex(octet)) {
		c->half[1] = (char)octet;
		c->half[2] = '\0';
		return;
	}
	if (n == 2 && is_hex(octet)) {
		again_put(c, out, ENCODE_COLUMNS - 1);
		snprintf(c->token, sizeof c->token, "%s%c", c->half, octet);
		c->half[0] = '\0';
		return;
	}
	again_literal(c, out);
	if (octet == '=')
		snprintf(c->half, sizeof c->half, "=");
	else if (blank)
		snprintf(c->pad, sizeof c->pad, "%c", octet);
	else
		again_octet(c, out, octet);
}

static void
again_text(struct encode *c, struct buf *out, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		again_next(c, out, p[i]);
}

/* A soft break stays one. */
static void
again_break(struct encode *c, struct buf *out)
{
	bool soft = strcmp(c->half, "=") == 0;

	c->pad[0] = '\0';
	if (!soft)
		again_literal(c, out);
	again_put(c, out, ENCODE_COLUMNS - soft);
	buf_adds(out, soft ? "=\r\n" : "\r\n");
	c->half[0] = '\0';
	c->column = 0;
}

static void
again_end(struct encode *c, struct buf *out)
{
	bool soft = strcmp(c->half, "=") == 0;

	c->pad[0] = '\0';
	if (!soft)
		again_literal(c, out);
	again_put(c, out, ENCODE_COLUMNS - soft);
	if (soft)
		buf_addc(out, '=');
}

/* ---- base64 ---- */

static void
base64_line(struct encode *c, struct buf *out)
{
	if (c->len == 0)
		return;
	if (c->begun)
		buf_adds(out, "\r\n");
	enc_base64(out, c->line, c->len);
	c->begun = true;
	c->len = 0;
}

static void
base64_text(struct encode *c, struct buf *out, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		c->line[c->len++] = p[i];
		if (c->len == sizeof c->line)
			base64_line(c, out);
	}
}

static void
base64_break(struct encode *c, struct buf *out)
{
	base64_text(c, out, (const unsigned char *)"\r\n", 2);
}

/* ---- base64 that is there, in lines of the right length ---- */

static void
wrap_text(struct encode *c, struct buf *out, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == ' ' || p[i] == '\t')
			continue;
		if (c->column == ENCODE_COLUMNS) {
			buf_adds(out, "\r\n");
			c->column = 0;
		}
		buf_addc(out, (char)p[i]);
		c->column++;
	}
}

static void
nothing(struct encode *c, struct buf *out)
{
	(void)c;
	(void)out;
}

/* ---- all of them ---- */

static const struct {
	void (*text)(
	    struct encode *, struct buf *, const unsigned char *, size_t);
	void (*line_break)(struct encode *, struct buf *); /* NULL: raw */
	void (*end)(struct encode *, struct buf *);
} forms[] = {
	[ENCODE_QP] = { qp_text, qp_break, qp_end },
	[ENCODE_BASE64] = { base64_text, base64_break, base64_line },
	[ENCODE_BASE64_RAW] = { base64_text, NULL, base64_line },
	[ENCODE_QP_AGAIN] = { again_text, again_break, again_end },
	[ENCODE_WRAP] = { wrap_text, nothing, nothing },
};

void
encode_feed(struct encode *c, struct buf *out, const char *p, size_t n)
{
	struct piece piece;
	size_t used;

	if (forms[c->form].line_break == NULL) {
		forms[c->form].text(c, out, (const unsigned char *)p, n);
		return;
	}
	for (; n > 0; p += used, n -= used) {
		used = line_cut(&c->cr, p, n, &piece);
		forms[c->form].text(
		    c, out, (const unsigned char *)p, piece.len);
		if (piece.eol)
			forms[c->form].line_break(c, out);
	}
}

void
encode_end(struct encode *c, struct buf *out)
{
	forms[c->form].end(c, out);
}
