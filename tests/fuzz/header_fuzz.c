/*
 * header: any text, encoded and folded, makes one field of lines that fit, in
 * plain ASCII, that reads as the text again; any header falls into fields
 * without a gap.
 * The first octet chooses the kind and where the text begins.
 * RFC 2047 2, 6; RFC 5322 2.1.1.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static int
hex(char c)
{
	return c >= 'A' ? c - 'A' + 10 : c - '0';
}

/* One encoded word at p, of `n` octets, as a reader decodes it. */
static void
decode_word(struct buf *out, const char *p, size_t n)
{
	const char *text = memchr(p + 2, '?', n - 2);
	size_t was = out->len;

	must(n <= 75 && text != NULL && text[2] == '?');
	n -= (size_t)(text + 3 - p) + 2;
	if (text[1] == 'B')
		must(enc_unbase64(out, text + 3, n) == 0);
	for (const char *q = text + 3, *end = q + n; text[1] == 'Q' && q < end;
	     q++) {
		if (*q == '=') {
			buf_addc(out, (char)(hex(q[1]) << 4 | hex(q[2])));
			q += 2;
		} else
			buf_addc(out, (char)(*q == '_' ? ' ' : *q));
	}
	if (p[2] == 'u' && p[3] == 't')
		must(enc_is_utf8(out->data + was, out->len - was));
}

/* Words and white space; that between two encoded words is dropped. */
static void
decode(struct buf *out, const char *p)
{
	const char *space = p;
	int coded = 0, now;

	while (*p != '\0') {
		size_t gap = strspn(p, " \t"), len;

		space = p;
		p += gap;
		len = strcspn(p, " \t");
		now = strncmp(p, "=?", 2) == 0;
		if (!now || !coded)
			buf_add(out, space, gap);
		if (now)
			decode_word(out, p, len);
		else
			buf_add(out, p, len);
		coded = now;
		p += len;
	}
}

/* What a quoted string says. */
static void
unquote(struct buf *out, const char *p)
{
	for (p++; *p != '"'; p++) {
		must(*p != '\0');
		p += *p == '\\';
		buf_addc(out, *p);
	}
	must(p[1] == '\0');
}

static void
check_lines(const struct buf *h)
{
	const char *p = buf_str(h), *end = p + h->len, *lf;

	for (; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		must(lf != NULL && lf - p <= HEADER_LINE);
		must(p == h->data || *p == ' ' || *p == '\t');
		for (; p < lf; p++)
			must((*p >= ' ' && *p <= '~') || *p == '\t');
	}
}

static void
check_text(const char *s, size_t n, enum header_kind kind)
{
	struct buf body, h, again;
	struct field f = { 0 };

	buf_init(&body, 16 * n + 4096);
	buf_init(&h, 16 * n + 4096);
	buf_init(&again, 16 * n + 4096);
	header_encode(&body, s, n, kind, 9);
	must(buf_ok(&body) && strlen(buf_str(&body)) == body.len);
	header_add(&h, "Subject", buf_str(&body));
	must(buf_ok(&h));
	check_lines(&h);
	if (kind == HEADER_PHRASE && buf_str(&body)[0] == '"')
		unquote(&again, buf_str(&body));
	else
		decode(&again, buf_str(&body));
	must(again.len == n && (n == 0 || memcmp(again.data, s, n) == 0));
	must(header_find(h.data, h.len, "subject", &f) && f.end == h.len);
	buf_free(&body);
	buf_free(&h);
	buf_free(&again);
}

static void
check_fields(const char *s, size_t n)
{
	struct field f = { 0 };
	struct buf b;
	size_t at = 0;

	buf_init(&b, n + 1);
	while (header_next(s, n, &f)) {
		must(f.at == at && f.end > at && f.end <= n);
		must(f.body + f.body_len <= s + n);
		buf_reset(&b);
		header_unfold(&b, &f);
		must(buf_ok(&b));
		must(memchr(buf_str(&b), '\n', b.len) == NULL);
		at = f.end;
	}
	must(at == n);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	const char *s = (const char *)data + 1;

	if (n == 0)
		return 0;
	check_text(s, n - 1, data[0] % 2 == 0 ? HEADER_TEXT : HEADER_PHRASE);
	check_fields(s, n - 1);
	return 0;
}
