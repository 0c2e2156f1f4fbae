/*
 * dots: each input whole, octet by octet and in pieces of every size, with
 * LF and with CRLF ends, and random ones against a reader of whole lines.
 */
#include "base/buf.h"
#include "mail/dots.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void
collect(void *ctx, const char *s, size_t n)
{
	CHECK(n > 0);
	buf_add(ctx, s, n);
}

/* Feed it in pieces of `step`; how much of it was taken. */
static size_t
feed(struct dots *d, const char *s, size_t n, size_t step, struct buf *out)
{
	size_t at = 0, take;

	while (at < n && !d->ended) {
		take = n - at < step ? n - at : step;
		at += dots_feed(d, s + at, take, collect, out);
	}
	return at;
}

struct row {
	const char *in;
	const char *end; /* what remains, without stripping */
	const char *strip; /* and with it; NULL: the same */
	size_t taken; /* 0: all, and no line of a dot ended it */
};

static const struct row rows[] = {
	{ "", "", NULL, 0 },
	{ "a\nb\n", "a\nb\n", NULL, 0 },
	{ "no end", "no end", NULL, 0 },
	{ "a\n.\nb\n", "a\n", NULL, 4 },
	{ "a\r\n.\r\nb", "a\r\n", NULL, 6 },
	{ "a\n.\r\nb", "a\n", NULL, 5 },
	{ "a\r\n.\nb", "a\r\n", NULL, 5 },
	{ ".\na\n", "", NULL, 2 },
	{ ".\r\na\n", "", NULL, 3 },
	{ "a\n\n.\n.\n", "a\n\n", NULL, 5 },
	/* The input ends there as well: nothing is behind it. */
	{ ".", "", NULL, 0 },
	{ "a\n.", "a\n", NULL, 0 },
	{ "a\n.\r", "a\n", NULL, 0 },
	/* No line of its own. */
	{ "a.\n", "a.\n", NULL, 0 },
	{ "a\n. \nb", "a\n. \nb", NULL, 0 },
	{ "a\n .\nb", "a\n .\nb", NULL, 0 },
	{ "a\n.b\n", "a\n.b\n", NULL, 0 },
	{ "a\n.\rb\n", "a\n.\rb\n", NULL, 0 },
	{ "a\n.\r\r\nb\n", "a\n.\r\r\nb\n", NULL, 0 },
	{ "a\n.\r.\nb\n", "a\n.\r.\nb\n", NULL, 0 },
	{ "a\r.\rb\n", "a\r.\rb\n", NULL, 0 },
	{ "a\r.\nb", "a\r.\nb", NULL, 0 },
	/* Two dots. */
	{ "..\n", "..\n", ".\n", 0 },
	{ "..\r\n..", "..\r\n..", ".\r\n.", 0 },
	{ "a\n..b\n...\n", "a\n..b\n...\n", "a\n.b\n..\n", 0 },
	{ "a\n..\n.\n..\n", "a\n..\n", "a\n.\n", 7 },
	{ "a ..\n..", "a ..\n..", "a ..\n.", 0 },
	{ "a\r..\n", "a\r..\n", NULL, 0 },
};

static void
check(const struct row *row, bool strips, size_t step)
{
	const char *want = strips && row->strip != NULL ? row->strip : row->end;
	struct dots d = { .strips = strips };
	size_t n = strlen(row->in), taken;
	struct buf out;

	buf_init(&out, 1000);
	taken = feed(&d, row->in, n, step, &out);
	CHECK_STR(buf_str(&out), want);
	CHECK_INT(taken, row->taken == 0 ? n : row->taken);
	CHECK_INT(d.ended, row->taken != 0);
	CHECK_INT(d.stripped, strips && row->strip != NULL);
	buf_free(&out);
}

TEST(every_cut)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t step = 1; step <= strlen(rows[i].in) + 1; step++) {
			check(&rows[i], false, step);
			check(&rows[i], true, step);
		}
}

/* What dots_feed() should give, line after line. */
static void
by_lines(const char *s, bool strips, struct buf *out)
{
	size_t n;

	for (; *s != '\0'; s += n) {
		n = strcspn(s, "\n");
		if ((n == 1 && s[0] == '.') ||
		    (n == 2 && s[0] == '.' && s[1] == '\r'))
			return;
		n += s[n] == '\n';
		if (strips && n > 1 && s[0] == '.' && s[1] == '.')
			buf_add(out, s + 1, n - 1);
		else
			buf_add(out, s, n);
	}
}

static void
check_random(unsigned seed, bool strips)
{
	static const char set[] = "..\n\r\na";
	struct dots d = { .strips = strips };
	struct buf out, want;
	char s[33];
	size_t i;

	for (i = 0; i < sizeof s - 1; i++) {
		seed = seed * 1103515245u + 12345u;
		s[i] = set[(seed >> 16) % (sizeof set - 1)];
	}
	s[i] = '\0';
	buf_init(&out, 100);
	buf_init(&want, 100);
	feed(&d, s, i, 1 + seed % 7, &out);
	by_lines(s, strips, &want);
	CHECK_MEM(out.data, out.len, want.data, want.len);
	buf_free(&out);
	buf_free(&want);
}

TEST(as_a_reader_of_lines_has_it)
{
	for (unsigned seed = 0; seed < 20000; seed++)
		check_random(seed, seed % 2 == 0);
}

TEST_MAIN
