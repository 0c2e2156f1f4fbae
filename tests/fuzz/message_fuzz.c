/*
 * message: whatever comes in, what goes out is a proper message: only CRLF
 * line ends, no NUL, no line over 998 octets, no line that is a lone dot; and
 * it has the size that was said, however it is cut into reads.
 * The first octet chooses the cuts.
 * RFC 5321 2.3.8, 4.5.2, 4.5.3.1.6.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail/message.h"
#include "mail/view.h"
#include "tests/unit/source.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void
must(int ok)
{
	if (!ok)
		abort();
}

/* Each line of the wire form, by the rules. */
static void
check_lines(const struct buf *b, size_t max, int dotted)
{
	const char *p = buf_str(b), *end = p + b->len, *cr;

	for (; p != NULL && p < end; p = cr + 2) {
		cr = memchr(p, '\r', (size_t)(end - p));
		must(cr != NULL && cr + 1 < end && cr[1] == '\n');
		must((size_t)(cr - p) <= max);
		must(memchr(p, '\n', (size_t)(cr - p)) == NULL);
		must(memchr(p, '\0', (size_t)(cr - p)) == NULL);
		must(!dotted || p[0] != '.' || p[1] == '.');
	}
}

/* What a server that takes 8-bit bodies gets, in two cuts. */
static void
check_view(const struct message *m, struct source *src, unsigned cut)
{
	struct buf a, b;
	struct view v;
	struct err e;

	if (view_make(&v, m, VIEW_8BIT, &e) == -1) {
		must(e.verdict == ERR_PERM && e.enhanced.subject == 6);
		return;
	}
	buf_init(&a, 1 << 24);
	buf_init(&b, 1 << 24);
	read_view(&v, VIEW_PLAIN, 8 + cut, &a);
	must(a.len == v.size);
	must(v.encoded + v.mended > 0 || a.len == message_size(m));
	check_lines(&a, MESSAGE_LINE_MAX, 0);
	src->step = 4096;
	read_view(&v, VIEW_PLAIN, 512, &b);
	must(a.len == b.len);
	must(a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
	read_view(&v, VIEW_DOTTED, 8 + cut, &a);
	check_lines(&a, MESSAGE_LINE_MAX + 1, 1);
	view_free(&v);
	buf_free(&a);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	struct source src = { (const char *)data + 1, n - 1, 1, false };
	struct octets in = { read_source, &src, n - 1 };
	struct message m;
	struct err e;

	if (n == 0)
		return 0;
	src.step = 1 + data[0] % 16;
	if (message_open(&m, in, &e) == -1) {
		must(e.verdict == ERR_PERM && e.text[0] != '\0');
		return 0;
	}
	message_remove(&m, "Bcc");
	check_view(&m, &src, data[0] / 16);
	message_free(&m);
	return 0;
}
