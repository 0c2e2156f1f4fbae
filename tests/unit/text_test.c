/*
 * text: line ends and quoting, however the octets are cut into reads.
 */
#include "base/err.h"
#include "store/text.h"
#include "tests/unit/test.h"

struct input {
	const char *p;
	size_t n;
	size_t piece; /* most octets a read gives */
	uint64_t fails_at; /* the read from there on fails */
};

static long
read_input(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const struct input *in = ctx;

	if (off >= in->fails_at)
		return err_set(e, ERR_TEMP, ERR_INPUT, "gone");
	if (off >= in->n)
		return 0;
	if (n > in->piece)
		n = in->piece;
	if (n > in->n - off)
		n = in->n - (size_t)off;
	memcpy(to, in->p + off, n);
	return (long)n;
}

static int
render(struct buf *out, struct input *in, const char *fields, bool quotes)
{
	struct octets o = { read_input, in, 0 };
	struct text t;
	struct err e;
	int rc;

	buf_reset(out);
	text_open(&t, o, fields, fields == NULL ? 0 : strlen(fields), quotes);
	while ((rc = text_more(&t, out, &e)) == 1)
		;
	text_close(&t);
	return rc;
}

/* In every cut from whole to single octets. */
static void
check(const char *in, const char *fields, bool quotes, const char *want)
{
	struct input input = { in, strlen(in), 0, UINT64_MAX };
	struct buf out;

	buf_init(&out, 1024 * 1024);
	for (input.piece = 1; input.piece <= input.n + 1; input.piece++) {
		CHECK_INT(render(&out, &input, fields, quotes), 0);
		CHECK_STR(buf_str(&out), want);
	}
	buf_free(&out);
}

TEST(lines_end_in_lf)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "", "" },
		{ "a", "a\n" },
		{ "a\n", "a\n" },
		{ "a\r\nb\r\n", "a\nb\n" },
		{ "a\rb", "a\nb\n" },
		{ "a\r", "a\n" },
		{ "\r\n\r\n", "\n\n" },
		{ "a\n\rb\n", "a\n\nb\n" },
		{ "a\r\r\nb", "a\n\nb\n" },
		{ ".\r\n..\r\n", ".\n..\n" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		check(rows[i].in, NULL, false, rows[i].want);
		check(rows[i].in, NULL, true, rows[i].want);
	}
}

TEST(what_looks_like_a_from_line_is_quoted)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "From me\n", ">From me\n" },
		{ "From ", ">From \n" },
		{ "From", "From\n" },
		{ "From\n", "From\n" },
		{ "From: x\nFro", "From: x\nFro\n" },
		{ "a\r\nFrom b\r\n", "a\n>From b\n" },
		{ "a\rFrom b", "a\n>From b\n" },
		{ ">From x\n>>From y\n", ">>From x\n>>>From y\n" },
		{ ">>>>>>>>", ">>>>>>>>\n" },
		{ ">\n>From\n>Fro\n", ">\n>From\n>Fro\n" },
		{ "a From b\n", "a From b\n" },
		{ " From b\n", " From b\n" },
		{ "FFrom b\n", "FFrom b\n" },
		{ "FrFrom b\n", "FrFrom b\n" },
		{ ">F>From b\n", ">F>From b\n" },
		{ "from b\nFROM b\n", "from b\nFROM b\n" },
		{ "From From From \n", ">From From From \n" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check(rows[i].in, NULL, true, rows[i].want);
	check("From me\n>From you", NULL, false, "From me\n>From you\n");
}

TEST(fields_stand_before_it)
{
	check("From b\n", "A: 1\nB: 2\n", true, "A: 1\nB: 2\n>From b\n");
	check("", "A: 1\n", false, "A: 1\n");
	check("x", "", false, "x\n");
}

TEST(octets_of_all_kinds)
{
	struct input in = { "\0\xff\n\0", 4, 2, UINT64_MAX };
	struct buf out;

	buf_init(&out, 100);
	CHECK_INT(render(&out, &in, NULL, true), 0);
	CHECK_MEM(out.data, out.len, "\0\xff\n\0\n", 5);
	buf_free(&out);
}

TEST(a_reader_that_fails)
{
	struct input in = { "a\nb\n", 4, 2, 2 };
	struct buf out;

	buf_init(&out, 100);
	CHECK_INT(render(&out, &in, NULL, true), -1);
	/* Also where it was changed behind its end. */
	in.fails_at = 4;
	CHECK_INT(render(&out, &in, NULL, true), -1);
	in.fails_at = 5;
	CHECK_INT(render(&out, &in, NULL, true), 0);
	buf_free(&out);
}

/* Never more than is promised, however much must be quoted. */
TEST(a_block_has_room)
{
	static char big[3 * MESSAGE_BLOCK];
	struct input in = { big, sizeof big, sizeof big, UINT64_MAX };
	const struct octets o = { read_input, &in, 0 };
	struct text t;
	struct buf out;
	struct err e;
	size_t total = 0;
	int rc;

	for (size_t i = 0; i + 6 <= sizeof big; i += 6)
		memcpy(big + i, "From \n", 6);
	buf_init(&out, TEXT_MORE_MAX);
	text_open(&t, o, NULL, 0, true);
	while ((rc = text_more(&t, &out, &e)) == 1) {
		total += out.len;
		buf_reset(&out);
	}
	CHECK_INT(rc, 0);
	CHECK_INT(total + out.len, sizeof big / 6 * 7);
	text_close(&t);
	buf_free(&out);
}

TEST_MAIN
