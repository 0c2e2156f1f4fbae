/*
 * qualify: names of all forms in each field, folded and commented, and what
 * must stay as it is, octet for octet.
 */
#include "base/buf.h"
#include "base/err.h"
#include "mail/message.h"
#include "mail/qualify.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct row {
	const char *in;
	const char *out; /* NULL: the same */
} rows[] = {
	{ "", NULL },
	{ "From: root\n", "From: root@d.test\n" },
	{ "From:root\n", "From:root@d.test\n" },
	{ "from \t: root \t\n", "from \t: root@d.test \t\n" },
	/* As cron writes it, and at. */
	{ "From: root (Cron Daemon)\n", "From: root@d.test (Cron Daemon)\n" },
	{ "From: (x) root(y)(z)\n", "From: (x) root@d.test(y)(z)\n" },
	{ "To: root, bob@x, \"A B\" <c>\n",
	    "To: root@d.test, bob@x, \"A B\" <c@d.test>\n" },
	{ "To: A.B. <c>,D<d>\n", "To: A.B. <c@d.test>,D<d@d.test>\n" },
	{ "To: \"x>y\" (>) < c (>) >\n", "To: \"x>y\" (>) < c@d.test (>) >\n" },
	{ "Cc: Team: a, b@x (b), <c>;, d\n",
	    "Cc: Team: a@d.test, b@x (b), <c@d.test>;, d@d.test\n" },
	{ "Cc: \"two words\"\n", "Cc: \"two words\"@d.test\n" },
	{ "Cc: \"a\\\"b\" (c\\)d)\n", "Cc: \"a\\\"b\"@d.test (c\\)d)\n" },
	{ "Bcc: a . b . c\n", "Bcc: a . b . c@d.test\n" },
	{ "To: <@r.test,@s.test:root>\n",
	    "To: <@r.test,@s.test:root@d.test>\n" },
	{ "To: postmaster, Postmaster\n",
	    "To: postmaster@d.test, Postmaster@d.test\n" },
	/* Folding stays where it is. */
	{ "To: a,\n b,\n\tc@x\n ,d\n",
	    "To: a@d.test,\n b@d.test,\n\tc@x\n ,d@d.test\n" },
	{ "To:\n root\n", "To:\n root@d.test\n" },
	{ "To: \"A\n B\"\n <c\n >\n", "To: \"A\n B\"\n <c@d.test\n >\n" },
	{ "To: a (x\n y),\n\n", "To: a@d.test (x\n y),\n\n" },
	{ "To: a\n (b)\n", "To: a@d.test\n (b)\n" },
	{ "To: root", "To: root@d.test" },
	/* All fields with addresses, and no other. */
	{ "FROM: a\nSender: a\nReply-To: a\nTo: a\nCc: a\nBcc: a\n",
	    "FROM: a@d.test\nSender: a@d.test\nReply-To: a@d.test\n"
	    "To: a@d.test\nCc: a@d.test\nBcc: a@d.test\n" },
	{ "Resent-From: a\nResent-Sender: a\nResent-Reply-To: a\n"
	  "Resent-To: a\nResent-Cc: a\nResent-Bcc: a\n",
	    "Resent-From: a@d.test\nResent-Sender: a@d.test\n"
	    "Resent-Reply-To: a@d.test\nResent-To: a@d.test\n"
	    "Resent-Cc: a@d.test\nResent-Bcc: a@d.test\n" },
	{ "Subject: root\nX-To: a\nTo : a\nReceived: from a\nTox: a\n",
	    "Subject: root\nX-To: a\nTo : a@d.test\nReceived: from a\n"
	    "Tox: a\n" },
	/* What has a domain, and what is no address. */
	{ "To: a@x, <b@[192.0.2.1]>, A <c@y>\n", NULL },
	{ "To:\nCc: \nBcc: ,,;\n", NULL },
	{ "To: undisclosed-recipients:;\n", NULL },
	{ "To: two words\nCc: a@\nBcc: <>\nFrom: @x\n", NULL },
	{ "To: |sh, \"|sh\", /etc/passwd, :include:/x, \\root\n", NULL },
	{ "To: root\001, \"open\n", NULL },
	{ "To: a (open\n", NULL },
	{ "To: \"open\n", NULL },
	{ "To: a <b> c, <d\n", NULL },
	{ "To: \377\n", NULL },
	{ "To: J\303\266rg\n", NULL },
	{ "To: J\303\266rg <joerg>, J\303\266rg\n",
	    "To: J\303\266rg <joerg@d.test>, J\303\266rg\n" },
	{ "From: =?utf-8?q?J=C3=B6rg?=\n", NULL },
	{ "From: =?utf-8?q?J=C3=B6rg?= <joerg>\n",
	    "From: =?utf-8?q?J=C3=B6rg?= <joerg@d.test>\n" },
	/* One mistake costs its own item. */
	{ "To: a, b c, d\n", "To: a@d.test, b c, d@d.test\n" },
	{ "no field\nTo: a\n", "no field\nTo: a@d.test\n" },
};

TEST(each_row)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *want =
		    rows[i].out != NULL ? rows[i].out : rows[i].in;
		struct buf out;
		size_t n;

		buf_init(&out, 1000);
		n = qualify_header(
		    &out, rows[i].in, strlen(rows[i].in), "d.test");
		CHECK(buf_ok(&out));
		CHECK_STR(buf_str(&out), want);
		CHECK_INT(n > 0, rows[i].out != NULL);
		CHECK_INT(out.len, strlen(rows[i].in) + n * strlen("@d.test"));
		buf_free(&out);
	}
}

TEST(a_second_time_changes_nothing)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf once, twice;

		buf_init(&once, 1000);
		buf_init(&twice, 1000);
		qualify_header(&once, rows[i].in, strlen(rows[i].in), "d.test");
		CHECK_INT(
		    qualify_header(&twice, once.data, once.len, "d.test"), 0);
		CHECK_STR(buf_str(&twice), buf_str(&once));
		buf_free(&once);
		buf_free(&twice);
	}
}

TEST(no_room_is_told)
{
	struct buf out;

	buf_init(&out, 12);
	qualify_header(&out, "To: root\n", 9, "d.test");
	CHECK(!buf_ok(&out));
	buf_free(&out);
}

/* ---- messages ---- */

static long
read_text(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const struct buf *b = ctx;

	(void)e;
	if (off >= b->len)
		return 0;
	if (n > b->len - off)
		n = b->len - (size_t)off;
	memcpy(to, b->data + off, n);
	return (long)n;
}

/* A To of n names, and whether a line of it is too long behind. */
static bool
is_long(size_t n)
{
	struct buf text;
	struct message m;
	struct err e;
	bool is;

	buf_init(&text, 1024 * 1024);
	buf_adds(&text, "To: a");
	while (--n > 0)
		buf_adds(&text, ",a");
	buf_adds(&text, "\n\nbody\n");
	CHECK_INT(
	    message_open(&m, (struct octets){ read_text, &text, text.len }, &e),
	    0);
	CHECK_INT(m.header_long, 0);
	CHECK_INT(qualify(&m, "d.test", &e), 0);
	CHECK_INT(m.body_size, 6);
	is = m.header_long != 0;
	message_free(&m);
	buf_free(&text);
	return is;
}

/* Each name has nine octets then, but for the last one's comma. */
TEST(a_line_that_becomes_too_long_is_known)
{
	CHECK(!is_long((998 - 4 + 1) / 9));
	CHECK(is_long((998 - 4 + 1) / 9 + 1));
}

TEST_MAIN
