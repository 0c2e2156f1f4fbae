/*
 * message: header and body found, facts counted, wire form made; each for
 * every cut into reads, since a view must not depend on them.
 * RFC 5322 2.1, 2.2; RFC 5321 4.5.2, 4.5.3.1.6.
 */
#include "base/err.h"
#include "mail/message.h"
#include "mail/view.h"
#include "tests/unit/source.h"
#include "tests/unit/test.h"

static int
open_source(struct message *m, struct source *src, struct err *e)
{
	return message_open(m, source_octets(src), e);
}

/* What a server that takes 8-bit bodies gets of a message that needs
 * nothing. */
static void
read_wire(
    const struct message *m, enum view_form form, size_t step, struct buf *out)
{
	struct view view;
	struct err e;

	CHECK_INT(view_make(&view, m, VIEW_8BIT, &e), 0);
	CHECK_INT(view.size, message_size(m));
	read_view(&view, form, step, out);
	view_free(&view);
}

struct wire_case {
	const char *in;
	const char *plain;
	const char *dotted;
};

/* Input, wire form, and wire form with dots doubled. */
static const struct wire_case cases[] = {
	{ "", "", "" },
	{ "A: b\n", "A: b\r\n", "A: b\r\n" },
	{ "A: b", "A: b\r\n", "A: b\r\n" },
	{ "A: b\n\n", "A: b\r\n\r\n", "A: b\r\n\r\n" },
	{ "A: b\r\n\r\nx\r\n", "A: b\r\n\r\nx\r\n", "A: b\r\n\r\nx\r\n" },
	{ "A: b\n\nx", "A: b\r\n\r\nx\r\n", "A: b\r\n\r\nx\r\n" },
	{ "A: b\n c\n\n.\n..x\n", "A: b\r\n c\r\n\r\n.\r\n..x\r\n",
	    "A: b\r\n c\r\n\r\n..\r\n...x\r\n" },
	{ "A: b\n\nx\ry\r\rz\r", "A: b\r\n\r\nx\r\ny\r\n\r\nz\r\n",
	    "A: b\r\n\r\nx\r\ny\r\n\r\nz\r\n" },
	{ "A: b\n\nx\r.\r\ny\n.\r", "A: b\r\n\r\nx\r\n.\r\ny\r\n.\r\n",
	    "A: b\r\n\r\nx\r\n..\r\ny\r\n..\r\n" },
	{ "A: b\rc\n\nx\n", "A: b c\r\n\r\nx\r\n", "A: b c\r\n\r\nx\r\n" },
	{ "hello\n", "\r\nhello\r\n", "\r\nhello\r\n" },
	{ "\nhello\n", "\r\nhello\r\n", "\r\nhello\r\n" },
	{ " hello\n", "\r\n hello\r\n", "\r\n hello\r\n" },
	{ "A: b\nhello\n", "A: b\r\n\r\nhello\r\n", "A: b\r\n\r\nhello\r\n" },
	{ "From x@y Sat\nA: b\n\nx\n", "A: b\r\n\r\nx\r\n",
	    "A: b\r\n\r\nx\r\n" },
	{ "From : a@b\n\nx\n", "From : a@b\r\n\r\nx\r\n",
	    "From : a@b\r\n\r\nx\r\n" },
	{ "A: b\n\nFrom x\n", "A: b\r\n\r\nFrom x\r\n",
	    "A: b\r\n\r\nFrom x\r\n" },
	{ ".a: b\n\n", ".a: b\r\n\r\n", "..a: b\r\n\r\n" },
	{ "A : b\n\nx", "A : b\r\n\r\nx\r\n", "A : b\r\n\r\nx\r\n" },
	{ "A: b\n\n\n\n", "A: b\r\n\r\n\r\n\r\n", "A: b\r\n\r\n\r\n\r\n" },
	{ "A: b\r\r\n\nx\n", "A: b \r\n\r\nx\r\n", "A: b \r\n\r\nx\r\n" },
};

static void
check_case(const struct wire_case *c, size_t in_step, size_t out_step)
{
	struct source src = { c->in, strlen(c->in), in_step, false };
	struct message m;
	struct buf out;
	struct err e;

	buf_init(&out, 65536);
	CHECK_INT(open_source(&m, &src, &e), 0);
	read_wire(&m, VIEW_PLAIN, out_step, &out);
	CHECK_STR(buf_str(&out), c->plain);
	CHECK_INT(message_size(&m), strlen(c->plain));
	read_wire(&m, VIEW_DOTTED, out_step, &out);
	CHECK_STR(buf_str(&out), c->dotted);
	message_free(&m);
	buf_free(&out);
}

TEST(wire_form_in_every_cut)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (size_t in = 1; in < 9; in++)
			for (size_t out = 8; out < 17; out++)
				check_case(&cases[i], in, out);
}

TEST(wire_form_at_once)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check_case(&cases[i], 4096, 4096);
}

/* No cut of the classic smuggling sequences looks like an end of data. */
TEST(no_second_message)
{
	static const char *const evil[] = { "\n.\n", "\n.\r\n", "\r\n.\n",
		"\r.\r", "\r\n.\r", "\r.\n", "\n.\r", "\r.\r\n", "\r\n.\r\n" };
	char in[64];
	struct buf out;
	struct err e;

	buf_init(&out, 65536);
	for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++)
		for (size_t step = 1; step < 12; step++) {
			struct source src = { in, 0, step, false };
			struct message m;

			snprintf(in, sizeof in, "A: b\n\nx%sMAIL FROM:<>\n",
			    evil[i]);
			src.n = strlen(in);
			CHECK_INT(open_source(&m, &src, &e), 0);
			read_wire(&m, VIEW_DOTTED, 8, &out);
			CHECK(strstr(buf_str(&out), "\r\n.\r\n") == NULL);
			CHECK(strstr(buf_str(&out), "\r\n..\r\n") != NULL);
			message_free(&m);
		}
	buf_free(&out);
}

static void
check_bad(const char *in, size_t n, size_t step, const char *says)
{
	struct source src = { in, n, step, false };
	struct message m;
	struct err e;

	CHECK_INT(open_source(&m, &src, &e), -1);
	CHECK_STR(e.text, says);
	CHECK_INT(err_exit(&e), 65);
}

TEST(nul_names_its_line)
{
	for (size_t step = 1; step < 20; step++) {
		check_bad("A: b\nC: \0\n\nx\n", 13, step,
		    "message line 2 has a NUL octet");
		check_bad("A: b\n\nx\ny\0z\n", 12, step,
		    "message line 4 has a NUL octet");
		check_bad("From x\nA: b\r\n\r\nx\r\0z\n", 20, step,
		    "message line 5 has a NUL octet");
	}
}

TEST(line_length_limit)
{
	char in[1200];
	struct source src = { in, 0, 4096, false };
	struct message m;
	struct err e;

	for (size_t step = 7; step < 1100; step += 331) {
		src.step = step;
		memcpy(in, "A: b\n\n", 6);
		memset(in + 6, 'x', 1100);
		memcpy(in + 6 + 998, "\r\n", 2);
		src.n = 6 + 1000;
		CHECK_INT(open_source(&m, &src, &e), 0);
		CHECK_INT(message_size(&m), 8 + 1000);
		CHECK_INT(m.body_long, 0);
		message_free(&m);
		memset(in + 6, 'x', 999);
		memcpy(in + 6 + 999, "\r\n", 2);
		src.n = 6 + 1001;
		CHECK_INT(open_source(&m, &src, &e), 0);
		CHECK_INT(m.body_long, 3);
		message_free(&m);
		memset(in, 'x', 1100);
		memcpy(in, "A: b", 4);
		in[999] = '\n';
		src.n = 1000;
		CHECK_INT(open_source(&m, &src, &e), 0);
		CHECK_INT(m.header_long, 1);
		CHECK_INT(message_remove(&m, "a"), 1);
		CHECK_INT(m.header_long, 0);
		message_free(&m);
	}
}

TEST(eight_bit_names_its_line)
{
	struct source src = { "A: b\n\nx\ny\xc3\xa9\nz\xc3\n", 15, 3, false };
	struct message m;
	struct err e;

	CHECK_INT(open_source(&m, &src, &e), 0);
	CHECK_INT(message_8bit(&m), 4);
	message_free(&m);
	src = (struct source){ "From x\nA: \xc3\n\nx\n", 15, 2, false };
	CHECK_INT(open_source(&m, &src, &e), 0);
	CHECK_INT(message_8bit(&m), 2);
	message_free(&m);
	src = (struct source){ "A: b\n\nx\n", 8, 2, false };
	CHECK_INT(open_source(&m, &src, &e), 0);
	CHECK_INT(message_8bit(&m), 0);
	message_free(&m);
}

TEST(fields_are_removed_whole)
{
	struct source src = { "Bcc: a@b,\n c@d\nTo: x\nbcc : \xc3\n\t\n"
			      "Bccx: y\nBCC:\n\nBcc: body\n",
		0, 5, false };
	struct message m;
	struct buf out;
	struct err e;

	src.n = strlen(src.s);
	buf_init(&out, 4096);
	CHECK_INT(open_source(&m, &src, &e), 0);
	CHECK_INT(message_8bit(&m), 4);
	CHECK_INT(message_remove(&m, "Bcc"), 3);
	CHECK_INT(message_8bit(&m), 0);
	CHECK_INT(message_remove(&m, "Bcc"), 0);
	read_wire(&m, VIEW_PLAIN, 100, &out);
	CHECK_STR(buf_str(&out), "To: x\r\nBccx: y\r\n\r\nBcc: body\r\n");
	CHECK_INT(message_size(&m), out.len);
	message_free(&m);
	buf_free(&out);
}

TEST(header_size_limit)
{
	size_t n = MESSAGE_HEADER_MAX;
	char *in = malloc(n + 64);
	struct source src = { in, n, 100000, false };
	struct message m;
	struct err e;

	/* Fields of 64 octets fill it to the last one. */
	for (size_t i = 0; i < n + 64; i++)
		in[i] = i % 64 == 63 ? '\n' : i % 64 == 1 ? ':' : 'a';
	CHECK_INT(open_source(&m, &src, &e), 0);
	CHECK_INT(m.header.len, n);
	message_free(&m);
	src.n = n + 64;
	check_bad(
	    in, src.n, 100000, "the message header is larger than 16 MiB");
	free(in);
}

TEST(a_body_is_utf8_or_not_for_every_cut)
{
	static const struct {
		const char *in;
		bool utf8;
	} rows[] = {
		{ "", true },
		{ "A: b\n\nplain\n", true },
		{ "A: \xe4\n\n\xc3\xa4\n", true },
		{ "A: b\n\n\xe2\x82\xac\xf0\x9f\x93\xa7\r\nx", true },
		{ "A: b\n\nx\xe4x\n", false },
		{ "A: b\n\n\xc3\xa4\nx\n\xe2\x82", false },
		{ "A: b\n\n\xc3\n\xa4", false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t step = 1; step < 8; step++) {
			struct source src = { rows[i].in, strlen(rows[i].in),
				step, false };
			struct message m;
			struct err e;

			CHECK_INT(open_source(&m, &src, &e), 0);
			CHECK_INT(m.body_utf8, rows[i].utf8);
			message_free(&m);
		}
}

TEST(fields_are_put_in_front)
{
	static const char text[] = "A: b\n\nx\n";
	struct source src = { text, strlen(text), 4096, false };
	struct message m;
	struct buf out;
	struct err e;

	buf_init(&out, 65536);
	CHECK_INT(open_source(&m, &src, &e), 0);
	CHECK_INT(message_prepend(&m, "S: 1\n 2\nT: 3\n", 13, &e), 0);
	read_wire(&m, VIEW_PLAIN, 4096, &out);
	CHECK_STR(buf_str(&out), "S: 1\r\n 2\r\nT: 3\r\nA: b\r\n\r\nx\r\n");
	/* Neither is anything lost where there is no room. */
	CHECK_INT(message_prepend(
		      &m, text, MESSAGE_HEADER_MAX - m.header.len + 1, &e),
	    -1);
	CHECK_INT(e.kind, ERR_DATA);
	CHECK_STR(buf_str(&m.header), "S: 1\n 2\nT: 3\nA: b\n");
	message_free(&m);
	buf_free(&out);
}

/* One that was signed for a server goes to those that have as much. */
TEST(a_signed_message_has_one_view)
{
	static const char text[] = "A: b\n\nx\n";
	struct source src = { text, strlen(text), 4096, false };
	struct message m;
	struct view v;
	struct err e;

	CHECK_INT(open_source(&m, &src, &e), 0);
	m.is_signed = true;
	m.signed_takes = VIEW_8BIT;
	CHECK_INT(view_make(&v, &m, VIEW_8BIT | VIEW_UTF8, &e), 0);
	view_free(&v);
	CHECK_INT(view_make(&v, &m, 0, &e), -1);
	CHECK_STR(e.text,
	    "the signed message needs 8BITMIME, which the server lacks");
	m.signed_takes = VIEW_UTF8;
	CHECK_INT(view_make(&v, &m, VIEW_8BIT, &e), -1);
	CHECK_STR(e.text,
	    "the signed message needs SMTPUTF8, which the server lacks");
	CHECK_INT(e.enhanced.detail, 9);
	CHECK_INT(e.scope, SCOPE_MESSAGE);
	message_free(&m);
}

TEST_MAIN
