/*
 * reply_fuzz: replies in any cut. The first octet says how the rest is cut;
 * whole and in pieces it must give the same reply, within its limits, and
 * what is read from it (lines, capabilities, words) stays inside the text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "smtp/caps.h"
#include "smtp/reply.h"

#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static enum reply_status
feed(struct reply *r, const char *s, size_t n, size_t piece, size_t *used)
{
	enum reply_status status = REPLY_MORE;
	size_t len, took;

	for (*used = 0; *used < n && status == REPLY_MORE; *used += took) {
		len = n - *used < piece ? n - *used : piece;
		status = reply_feed(r, s + *used, len, &took);
		MUST(took <= len);
		MUST(took == len || status != REPLY_MORE);
	}
	return status;
}

static void
check_lines(const struct reply *r)
{
	size_t i, len, sum = 0;
	const char *line;

	for (i = 0; (line = reply_line(r, i, &len)) != NULL; i++) {
		MUST(line >= buf_str(&r->text));
		MUST(line + len <= buf_str(&r->text) + r->text.len);
		MUST(memchr(line, '\n', len) == NULL);
		MUST(len <= REPLY_LINE_KEPT);
		sum += len + 1;
	}
	MUST(i == r->lines && i <= REPLY_LINES_MAX);
	MUST(i == 0 || sum == r->text.len + 1);
	MUST(r->octets <= REPLY_TEXT_MAX + 1);
}

static void
check_done(const struct reply *r)
{
	struct caps c;
	char words[512];
	size_t i;

	MUST(r->code >= 200 && r->code < 600 && r->bad == NULL);
	MUST(r->enhanced.class == 0 || r->enhanced.class == r->code / 100);
	reply_words(r, words, sizeof words);
	for (i = 0; words[i] != '\0'; i++)
		MUST((unsigned char)words[i] >= ' ' && words[i] != 0x7f);
	caps_parse(&c, r);
	MUST(strlen(c.auth) < sizeof c.auth);
}

static void
check_same(const struct reply *a, const struct reply *b)
{
	MUST(a->code == b->code && a->lines == b->lines);
	MUST(a->text.len == b->text.len);
	MUST(memcmp(buf_str(&a->text), buf_str(&b->text), a->text.len) == 0);
	MUST((a->bad == NULL) == (b->bad == NULL));
	MUST(a->bad == NULL || strcmp(a->bad, b->bad) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct reply whole, cut;
	enum reply_status status;
	size_t used, used_cut, piece;
	char *s;

	if (n == 0 || (s = malloc(n)) == NULL)
		return 0;
	piece = (size_t)data[0] % 16 + 1;
	n--;
	memcpy(s, data + 1, n);
	reply_init(&whole);
	reply_init(&cut);
	status = feed(&whole, s, n, SIZE_MAX, &used);
	MUST(feed(&cut, s, n, piece, &used_cut) == status);
	MUST(used == used_cut);
	check_same(&whole, &cut);
	check_lines(&whole);
	if (status == REPLY_DONE)
		check_done(&whole);
	reply_free(&whole);
	reply_free(&cut);
	free(s);
	return 0;
}
