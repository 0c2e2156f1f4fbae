/*
 * content, mime, repair: fields read, parts found in every cut, and what is
 * done with each, or why nothing can be.
 * RFC 2045, RFC 2046 5.1 and 5.2, RFC 2231 3 and 4, RFC 6152 3.
 */
#include "base/buf.h"
#include "base/err.h"
#include "mail/content.h"
#include "mail/message.h"
#include "mail/mime.h"
#include "mail/repair.h"
#include "tests/unit/source.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* ---- fields ---- */

struct type_row {
	const char *in;
	const char *type;
	enum content_kind kind;
	const char *boundary;
};

#define B70                                                                    \
	"1234567890123456789012345678901234567890"                             \
	"123456789012345678901234567890"

static const struct type_row type_rows[] = {
	{ "", "", CONTENT_TEXT, "" },
	{ "text", "", CONTENT_TEXT, "" },
	{ " Text/PLAIN; charset=x", "text/plain", CONTENT_TEXT, "" },
	{ "text / html", "text/html", CONTENT_TEXT, "" },
	{ "(a(b)\\)) text/(c)html (d)", "text/html", CONTENT_TEXT, "" },
	{ "(open text/html", "", CONTENT_TEXT, "" },
	{ "image/png; name=\"a;boundary=x\"", "image/png", CONTENT_DATA, "" },
	{ "multipart/mixed", "multipart/mixed", CONTENT_MULTIPART, "" },
	{ "multipart/mixed; boundary=a", "multipart/mixed", CONTENT_MULTIPART,
	    "a" },
	{ "multipart/mixed;\n\tBOUNDARY = \"a b\"", "multipart/mixed",
	    CONTENT_MULTIPART, "a b" },
	{ "multipart/mixed; boundary=\"a\\\"b\"", "multipart/mixed",
	    CONTENT_MULTIPART, "a\"b" },
	{ "multipart/mixed; boundary=\"a \"; x=y", "multipart/mixed",
	    CONTENT_MULTIPART, "a" },
	{ "multipart/mixed; boundary=----=_Part/1:2", "multipart/mixed",
	    CONTENT_MULTIPART, "----=_Part/1:2" },
	{ "multipart/mixed; boundary=a(comment)", "multipart/mixed",
	    CONTENT_MULTIPART, "a" },
	{ "multipart/mixed; boundary=\"open", "multipart/mixed",
	    CONTENT_MULTIPART, "open" },
	{ "multipart/mixed; boundary=a; boundary=b", "multipart/mixed",
	    CONTENT_MULTIPART, "a" },
	{ "multipart/mixed; ; =; x; x=; boundary=a", "multipart/mixed",
	    CONTENT_MULTIPART, "a" },
	{ "multipart/mixed junk; boundary=a", "multipart/mixed",
	    CONTENT_MULTIPART, "a" },
	{ "multipart/mixed; boundary=\"\"", "multipart/mixed",
	    CONTENT_MULTIPART, "" },
	{ "multipart/mixed; boundary=" B70, "multipart/mixed",
	    CONTENT_MULTIPART, B70 },
	{ "multipart/mixed; boundary=" B70 "x", "multipart/mixed",
	    CONTENT_MULTIPART, "" },
	{ "multipart/mixed; boundary*0=a; boundary*1=\"b c\"",
	    "multipart/mixed", CONTENT_MULTIPART, "ab c" },
	{ "multipart/mixed; boundary*1=b; boundary*0=a", "multipart/mixed",
	    CONTENT_MULTIPART, "ab" },
	{ "multipart/mixed; boundary*0*=us-ascii'en'a%20; boundary*1*=%62",
	    "multipart/mixed", CONTENT_MULTIPART, "a b" },
	{ "multipart/mixed; boundary*=us-ascii''a%3Db%g", "multipart/mixed",
	    CONTENT_MULTIPART, "a=b%g" },
	{ "multipart/mixed; boundary*=plain", "multipart/mixed",
	    CONTENT_MULTIPART, "plain" },
	{ "multipart/mixed; boundary*1=b", "multipart/mixed", CONTENT_MULTIPART,
	    "" },
	{ "multipart/digest; boundary=a", "multipart/digest", CONTENT_DIGEST,
	    "a" },
	{ "multipart/Signed; boundary=a", "multipart/signed", CONTENT_SEALED,
	    "a" },
	{ "multipart/encrypted; boundary=a", "multipart/encrypted",
	    CONTENT_SEALED, "a" },
	{ "message/rfc822", "message/rfc822", CONTENT_MESSAGE, "" },
	{ "message/rfc822x", "message/rfc822x", CONTENT_FIXED, "" },
	{ "message/partial; id=x", "message/partial", CONTENT_FIXED, "" },
	{ "message/global", "message/global", CONTENT_DATA, "" },
	{ "message/global-headers", "message/global-headers", CONTENT_DATA,
	    "" },
};

TEST(content_types)
{
	for (size_t i = 0; i < COUNT(type_rows); i++) {
		const struct type_row *r = &type_rows[i];
		struct content c;

		content_type(&c, r->in, strlen(r->in));
		CHECK_STR(c.type, r->type);
		CHECK_INT(c.kind, r->kind);
		CHECK_MEM(c.boundary, c.boundary_len, r->boundary,
		    strlen(r->boundary));
	}
}

TEST(charset)
{
	static const char in[] = "text/plain; x=1; charset=\"utf-8\"";
	struct content c;

	content_type(&c, in, sizeof in - 1);
	CHECK_STR(c.charset, "utf-8");
}

TEST(content_encodings)
{
	static const struct {
		const char *in;
		enum content_encoding out;
	} rows[] = {
		{ "", ENCODING_7BIT },
		{ " 7bit", ENCODING_7BIT },
		{ " 8BIT\n", ENCODING_8BIT },
		{ "(x) binary (y)", ENCODING_BINARY },
		{ "Quoted-Printable;", ENCODING_QP },
		{ "base64", ENCODING_BASE64 },
		{ "base64 (x) ; y", ENCODING_BASE64 },
		{ "base64 Content-Type: text/plain", ENCODING_OTHER },
		{ "quoted-printable\n x", ENCODING_OTHER },
		{ "8bit x", ENCODING_8BIT },
		{ "base6", ENCODING_OTHER },
		{ "x-uuencode", ENCODING_OTHER },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_INT(content_encoding(rows[i].in, strlen(rows[i].in)),
		    rows[i].out);
}

/* ---- parts ---- */

/*
 * A message as it was found. Opened by hand: message_open() refuses some of
 * what a part may hold.
 */
static void
open_message(struct message *m, struct source *src)
{
	const char *end = strstr(src->s, "\n\n");
	size_t n = end == NULL ? 0 : (size_t)(end - src->s) + 1;

	*m = (struct message){
		.octets = source_octets(src),
		.body_off = n + 1,
		.body_line = 2,
		.has_body = true,
	};
	buf_init(&m->header, 65536);
	buf_add(&m->header, src->s, n);
	for (size_t i = 0; i < n; i++)
		m->body_line += i > 0 && src->s[i] == '\n';
}

static void
dump_text(struct buf *out, const struct source *src, uint64_t off, uint64_t end)
{
	CHECK(off <= end && end <= src->n);
	for (; off < end; off++)
		if (src->s[off] == '\n')
			buf_adds(out, "\\n");
		else if (src->s[off] == '\r')
			buf_adds(out, "\\r");
		else
			buf_addc(out, src->s[off]);
}

/* A line a part: name, type, flaw, where lines go wrong, and its body. */
static void
dump(struct buf *out, const struct mime *m, const struct source *src)
{
	char name[MIME_NAME_MAX];

	buf_reset(out);
	for (size_t i = 0; i < m->n; i++) {
		const struct mime_part *p = &m->part[i];

		buf_addf(out, "%s %s%s%s", mime_name(m, i, name),
		    p->type[0] == '\0' ? "-" : p->type,
		    p->sealed ? " sealed" : "", p->leaf ? "" : " parts");
		if (p->flaw != MIME_SOUND)
			buf_addf(out, " flaw %d", (int)p->flaw);
		if (p->body.first_8bit != 0)
			buf_addf(out, " 8bit %d", (int)p->body.first_8bit);
		if (p->head_8bit != 0)
			buf_addf(out, " head %d", (int)p->head_8bit);
		if (p->encodings > 0 && i > 0) {
			buf_adds(out, " {");
			dump_text(out, src, p->encoding_off, p->encoding_end);
			buf_adds(out, "}");
		}
		buf_adds(out, " [");
		if (p->leaf)
			dump_text(out, src, p->body_off, p->body_end);
		buf_adds(out, "]\n");
	}
}

struct walk_row {
	const char *in;
	const char *out;
};

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"

static const struct walk_row walk_rows[] = {
	{ "A: b\n\nhello\n", "the body - [hello\\n]\n" },
	{ "A: b\n\n", "the body - []\n" },
	{ "A: b\n\n\x80\n--b\n", "the body - 8bit 3 [\x80\\n--b\\n]\n" },
	{ "Content-Type : text/html\n\nx", "the body text/html [x]\n" },
	{ MIXED "pre\n--b\n\none\n--b\nContent-Type: text/html\n\ntwo\n\n"
		"--b--\nepi\n",
	    "the body multipart/mixed parts []\n"
	    "part 1 - [one]\n"
	    "part 2 text/html [two\\n]\n" },
	/* CRLF and CR end lines as well. */
	{ MIXED "--b\r\n\r\none\r\n--b\r\r\rtwo\r--b--\r\n",
	    "the body multipart/mixed parts []\n"
	    "part 1 - [one]\n"
	    "part 2 - [\\rtwo]\n" },
	/* Blanks behind a delimiter; a longer one is none; nor is an indented
	 * one. */
	{ MIXED "--b \t\n\none\n--bb\n --b\n--b-\n--b--x\n--b-- \nx\n--b\ny",
	    "the body multipart/mixed parts []\n"
	    "part 1 - [one\\n--bb\\n --b\\n--b-\\n--b--x]\n" },
	/* No closing delimiter; none at all. */
	{ MIXED "--b\n\none\n",
	    "the body multipart/mixed parts []\npart 1 - [one\\n]\n" },
	{ MIXED "x\n", "the body multipart/mixed parts []\n" },
	{ MIXED "--b--\n", "the body multipart/mixed parts []\n" },
	{ MIXED "--b", "the body multipart/mixed parts []\npart 1 - []\n" },
	{ MIXED "--b\n--b\n\n--b\n\n\n--b--",
	    "the body multipart/mixed parts []\n"
	    "part 1 - []\npart 2 - []\npart 3 - []\n" },
	/* A header that a delimiter, the end or a line of text ends. */
	{ MIXED "--b\nContent-Type: text/html\n--b\nContent-Type: text/css",
	    "the body multipart/mixed parts []\n"
	    "part 1 text/html []\npart 2 text/css []\n" },
	{ MIXED "--b\nContent-Type: text/html\ntext\n\nmore\n--b--\n",
	    "the body multipart/mixed parts []\n"
	    "part 1 text/html [text\\n\\nmore]\n" },
	{ MIXED "--b\n folded: x\n--b--\n",
	    "the body multipart/mixed parts []\npart 1 - [ folded: x]\n" },
	/* The field that says the encoding. */
	{ MIXED "--b\nContent-transfer-encoding:\n base64\nX: y\n\nx\n--b--\n",
	    "the body multipart/mixed parts []\n"
	    "part 1 - {Content-transfer-encoding:\\n base64\\n} [x]\n" },
	{ MIXED "--b\nX: y\nContent-Transfer-Encoding: 8bit\n\nx\n--b--\n",
	    "the body multipart/mixed parts []\n"
	    "part 1 - {Content-Transfer-Encoding: 8bit\\n} [x]\n" },
	/* 8-bit in a header, before, between and in parts. */
	{ MIXED "\x80\n--b\nX: \x80\n\n\x80\n--b--\n",
	    "the body multipart/mixed parts 8bit 3 []\n"
	    "part 1 - 8bit 7 head 5 [\x80]\n" },
	{ MIXED "--b\n\nx\n--b--\n\x80\n",
	    "the body multipart/mixed parts 8bit 7 []\npart 1 - [x]\n" },
	/* Multiparts in multiparts; the inner one ends with the outer. */
	{ MIXED "--b\nContent-Type: multipart/x; boundary=bb\n\n--bb\n\none\n"
		"--bb--\n--b\nContent-Type: multipart/x; boundary=c\n\n--c\n\n"
		"two\n--b\n\nthree\n--c\n--b--\n",
	    "the body multipart/mixed parts []\n"
	    "part 1 multipart/x parts []\n"
	    "part 1.1 - [one]\n"
	    "part 2 multipart/x parts []\n"
	    "part 2.1 - [two]\n"
	    "part 3 - [three\\n--c]\n" },
	/* The same boundary inside: the inner multipart takes the lines. */
	{ MIXED "--b\nContent-Type: multipart/x; boundary=b\n\n--b\n\none\n"
		"--b--\n--b--\n",
	    "the body multipart/mixed parts []\n"
	    "part 1 multipart/x parts []\n"
	    "part 1.1 - [one]\n" },
	{ "Content-Type: multipart/mixed\n\n--b\n\nx\n",
	    "the body multipart/mixed flaw 1 [--b\\n\\nx\\n]\n" },
	/* Messages. */
	{ "Content-Type: message/rfc822\n\nA: b\n\nx\n",
	    "the body message/rfc822 parts []\n"
	    "part 1 - [x\\n]\n" },
	{ MIXED "--b\nContent-Type: message/rfc822\n\n"
		"Content-Type: multipart/x; boundary=c\n\n--c\n\none\n--c--\n"
		"--b\nContent-Type: message/rfc822\n\nA: b\n\ntwo\n--b--\n",
	    "the body multipart/mixed parts []\n"
	    "part 1 message/rfc822 parts []\n"
	    "part 1 multipart/x parts []\n"
	    "part 1.1 - [one]\n"
	    "part 2 message/rfc822 parts []\n"
	    "part 2.1 - [two]\n" },
	{ MIXED "--b\nContent-Type: message/rfc822\ntext\n--b--\n",
	    "the body multipart/mixed parts []\n"
	    "part 1 message/rfc822 flaw 5 [text]\n" },
	{ "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
	  "QTogYg==\n",
	    "the body message/rfc822 [QTogYg==\\n]\n" },
	{ "Content-Type: multipart/digest; boundary=b\n\n"
	  "--b\n\nA: b\n\nx\n--b\nContent-Type: text/plain\n\ny\n--b--\n",
	    "the body multipart/digest parts []\n"
	    "part 1 - parts []\n"
	    "part 1.1 - [x]\n"
	    "part 2 text/plain [y]\n" },
	/* What is signed. */
	{ "Content-Type: multipart/signed; boundary=b\n\n--b\n"
	  "Content-Type: multipart/x; boundary=c\n\n--c\n\none\n--c--\n"
	  "--b\nContent-Type: application/pgp-signature\n\nsig\n--b--\n",
	    "the body multipart/signed parts []\n"
	    "part 1 multipart/x sealed parts []\n"
	    "part 1.1 - sealed [one]\n"
	    "part 2 application/pgp-signature sealed [sig]\n" },
};

static void
check_walk(const char *in, const char *want, size_t step)
{
	struct source src = { in, strlen(in), step, false };
	struct message m;
	struct mime mime;
	struct buf out;
	struct err e;

	buf_init(&out, 65536);
	open_message(&m, &src);
	CHECK_INT(mime_walk(&mime, &m, &e), 0);
	dump(&out, &mime, &src);
	CHECK_STR(buf_str(&out), want);
	mime_free(&mime);
	message_free(&m);
	buf_free(&out);
}

TEST(parts_in_every_cut)
{
	for (size_t i = 0; i < COUNT(walk_rows); i++) {
		for (size_t step = 1; step < 20; step++)
			check_walk(walk_rows[i].in, walk_rows[i].out, step);
		check_walk(walk_rows[i].in, walk_rows[i].out, 65536);
	}
}

TEST(input_that_fails)
{
	struct source src = { "A: b\n\nx\n", 8, 1, true };
	struct message m;
	struct mime mime;
	struct err e;

	open_message(&m, &src);
	CHECK_INT(mime_walk(&mime, &m, &e), -1);
	CHECK_STR(e.text, "gone");
	CHECK(mime.part == NULL && mime.n == 0);
	message_free(&m);
}

/* Walk what is in `in`, and count. */
static void
walk_buf(const struct buf *in, struct mime *mime)
{
	struct source src = { buf_str(in), in->len, 65536, false };
	struct message m;
	struct err e;

	CHECK(buf_ok(in));
	open_message(&m, &src);
	CHECK_INT(mime_walk(mime, &m, &e), 0);
	message_free(&m);
}

TEST(depth_is_bounded)
{
	char name[MIME_NAME_MAX];
	struct mime mime;
	struct buf in;
	struct err e;
	enum repair act;

	buf_init(&in, 1 << 20);
	for (int i = 0; i < 100; i++)
		buf_addf(&in,
		    "Content-Type: multipart/x; boundary=\"b%d\"\n\n"
		    "--b%d\n",
		    i, i);
	buf_adds(&in, "\nA: b\n\n\x80\n");
	walk_buf(&in, &mime);
	CHECK_INT(mime.n, MIME_DEPTH_MAX + 1);
	CHECK_INT(mime.part[mime.n - 1].flaw, MIME_TOO_DEEP);
	CHECK_INT(mime.part[mime.n - 1].body_end, in.len);
	CHECK(strlen(mime_name(&mime, mime.n - 1, name)) < MIME_NAME_MAX);
	CHECK_INT(repair_part(&mime, mime.n - 1, true, &act, &e), 0);
	CHECK_INT(repair_part(&mime, mime.n - 1, false, &act, &e), -1);
	mime_free(&mime);

	/* Messages in messages are as deep. */
	buf_reset(&in);
	for (int i = 0; i < 100; i++)
		buf_adds(&in, "Content-Type: message/rfc822\n\n");
	walk_buf(&in, &mime);
	CHECK_INT(mime.n, MIME_DEPTH_MAX + 1);
	CHECK_INT(mime.part[mime.n - 1].flaw, MIME_TOO_DEEP);
	mime_free(&mime);
	buf_free(&in);
}

TEST(parts_are_bounded)
{
	const struct mime_part *last;
	struct mime mime;
	struct buf in;
	struct err e;

	buf_init(&in, 1 << 20);
	buf_adds(&in, MIXED);
	for (int i = 0; i < MIME_PARTS_MAX + 10; i++)
		buf_adds(&in, "--b\n\nx\n");
	walk_buf(&in, &mime);
	CHECK_INT(mime.n, MIME_PARTS_MAX);
	last = &mime.part[mime.n - 1];
	CHECK_INT(last->flaw, MIME_TOO_MANY);
	CHECK_INT(last->body_end, in.len);
	CHECK_INT(repair_needed(&mime, false, &e), 0);
	mime_free(&mime);
	buf_adds(&in, "\x80\n");
	walk_buf(&in, &mime);
	CHECK_INT(repair_needed(&mime, false, &e), -1);
	mime_free(&mime);
	buf_free(&in);
}

TEST(part_header_is_bounded)
{
	struct mime mime;
	struct buf in;

	buf_init(&in, 1 << 20);
	buf_adds(&in, MIXED "--b\nContent-Type: multipart/x; boundary=c\n");
	while (in.len < MIME_HEADER_MAX + 1000)
		buf_adds(&in, "X-Padding: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
	buf_adds(&in, "\n--c\n\nx\n--b\n\ny\n");
	walk_buf(&in, &mime);
	CHECK_INT(mime.n, 3);
	CHECK_INT(mime.part[1].flaw, MIME_BIG_HEADER);
	CHECK_INT(mime.part[2].flaw, MIME_SOUND);
	mime_free(&mime);
	buf_free(&in);
}

/* ---- what is done ---- */

#define X10 "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X999                                                                   \
	X100 X100 X100 X100 X100 X100 X100 X100 X100 X10 X10 X10 X10 X10 X10   \
	    X10 X10 X10 "xxxxxxxxx"
#define B20 "                    "
#define B100 B20 B20 B20 B20 B20
#define B1000 B100 B100 B100 B100 B100 B100 B100 B100 B100 B100
#define HIGH "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"

struct repair_row {
	const char *in;
	/* A letter a part: Keep, Label, Qp, Base64, Wrap; or the error. */
	const char *for_7bit;
	const char *for_8bit;
};

static const struct repair_row repair_rows[] = {
	{ "A: b\n\nx\n", "K", "K" },
	{ "A: b\n\nx \xc3\xbc xxxxxxxxxxxxxxxxxx\n", "Q", "K" },
	{ "A: b\n\n" HIGH HIGH "\n", "B", "K" },
	{ "A: b\n\n" X999 "\n", "Q", "Q" },
	{ "A: b\n\n" X100 X100 "\n", "K", "K" },
	{ "Content-Transfer-Encoding: 8bit\n\nx\n", "K", "K" },
	{ "Content-Transfer-Encoding: binary\n\nxxxxxxxxxx\xc3\xbc\n", "Q",
	    "K" },
	{ "Content-Transfer-Encoding: base64\n\n" X999 "\n", "W", "W" },
	{ "Content-Transfer-Encoding: base64\n\n\xc3\n",
	    "message line 3 is 8-bit, which the server does not take, and "
	    "cannot be encoded: the body (text/plain) says that it is base64 "
	    "already",
	    "K" },
	{ "Content-Transfer-Encoding: quoted-printable\n\n" X999 "\n", "A",
	    "A" },
	{ "Content-Transfer-Encoding: quoted-printable\n\n\xc3=\n", "A", "K" },
	{ "Content-Transfer-Encoding: quoted-printable\n"
	  "Content-Transfer-Encoding: quoted-printable\n\n\xc3\n",
	    "message line 4 is 8-bit, which the server does not take, and "
	    "cannot be encoded: the body (text/plain) has several fields "
	    "Content-Transfer-Encoding",
	    "K" },
	{ "Content-Transfer-Encoding: x-y\n\n\xc3\n",
	    "message line 3 is 8-bit, which the server does not take, and "
	    "cannot be encoded: the body (text/plain) has an encoding that is "
	    "not known",
	    "K" },
	{ "Content-Transfer-Encoding: 8bit\nContent-Transfer-Encoding: "
	  "7bit\n\n\xc3\n",
	    "message line 4 is 8-bit, which the server does not take, and "
	    "cannot be encoded: the body (text/plain) has several fields "
	    "Content-Transfer-Encoding",
	    "K" },
	{ "Content-Type: image/png\nContent-Transfer-Encoding: binary\n\n"
	  "\x89PNG\n",
	    "message line 4 is 8-bit, which the server does not take, and "
	    "cannot be encoded: the body (image/png) is declared binary",
	    "K" },
	{ "Content-Type: message/partial\n\n\xc3\n",
	    "message line 3 is 8-bit, which the server does not take, and "
	    "cannot be encoded: the body (message/partial) is of a type that "
	    "may have no encoding",
	    "K" },
	{ "Content-Type: multipart/mixed\n\n\xc3\n",
	    "message line 3 is 8-bit, which the server does not take, and "
	    "cannot be encoded: the body (multipart/mixed) is a multipart "
	    "without a usable boundary",
	    "K" },
	{ "Content-Type: multipart/mixed; boundary=b\n"
	  "Content-Transfer-Encoding: 8bit\n\n--b\n\nx\n--b\n"
	  "Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\n"
	  "A: b\n\nxxxxxxxxxxxxxxxxxxx \xc3\n--b--\n",
	    "LKLQ", "KKKK" },
	{ "Content-Type: multipart/mixed; boundary=b\n"
	  "Content-Transfer-Encoding: 8bit\n\n--b\n\nx\n--b--\n",
	    "KK", "KK" },
	{ MIXED "\xc3\n--b\n\nx\n--b--\n",
	    "message line 3 is 8-bit, which the server does not take, and "
	    "cannot be encoded: the body (multipart/mixed) has that outside "
	    "its parts",
	    "KK" },
	{ MIXED "--b\nX: \xc3\n\nx\n--b--\n", "KH", "KK" },
	{ MIXED "--b\nX: " X999 "\n\nx\n--b--\n", "KH", "KH" },
	/* Too far behind in its line to be read, it is not guessed at. */
	{ MIXED "--b\nContent-Transfer-Encoding:" B1000 "base64\n\n" X999
		"\n--b--\n",
	    "message line 6 is longer than 998 octets, and cannot be encoded: "
	    "part 1 (text/plain) has an encoding that is not known",
	    "message line 6 is longer than 998 octets, and cannot be encoded: "
	    "part 1 (text/plain) has an encoding that is not known" },
	{ "Content-Type: multipart/signed; boundary=b\n\n--b\nX: \xc3\n\n"
	  "x\n--b--\n",
	    "message line 4 is 8-bit, which the server does not take, and "
	    "cannot be encoded: part 1 (text/plain) is signed or encrypted",
	    "KK" },
	{ MIXED "--b\n\nx\n--b\n"
		"Content-Type: multipart/signed; boundary=c\n\n--c\n\n\xc3\n"
		"--c--\n--b--\n",
	    "message line 11 is 8-bit, which the server does not take, and "
	    "cannot be encoded: part 2.1 (text/plain) is signed or encrypted",
	    "KKKK" },
	{ "Content-Type: multipart/signed; boundary=c\n"
	  "Content-Transfer-Encoding: 8bit\n\n--c\n\n" X999 "\n--c--\n",
	    "message line 6 is longer than 998 octets, and cannot be encoded: "
	    "part 1 (text/plain) is signed or encrypted",
	    "message line 6 is longer than 998 octets, and cannot be encoded: "
	    "part 1 (text/plain) is signed or encrypted" },
};

static void
check_repair(const char *in, bool take_8bit, const char *want)
{
	struct source src = { in, strlen(in), 65536, false };
	struct message m;
	struct mime mime;
	enum repair act;
	struct buf out;
	struct err e;
	int needed;

	buf_init(&out, 65536);
	open_message(&m, &src);
	CHECK_INT(mime_walk(&mime, &m, &e), 0);
	needed = repair_needed(&mime, take_8bit, &e);
	if (needed == -1) {
		CHECK_STR(e.text, want);
		CHECK_INT(e.verdict, ERR_PERM);
		CHECK_INT(e.scope, SCOPE_MESSAGE);
		CHECK_INT(e.enhanced.subject, 6);
	} else {
		for (size_t i = 0; i < mime.n; i++) {
			CHECK_INT(
			    repair_part(&mime, i, take_8bit, &act, &e), 0);
			if (repair_header(&mime, i, take_8bit))
				buf_addc(&out, 'H');
			else
				buf_addc(&out, "KLQBAW"[act]);
		}
		CHECK_STR(buf_str(&out), want);
		CHECK_INT(needed, strspn(want, "K") < mime.n);
	}
	mime_free(&mime);
	message_free(&m);
	buf_free(&out);
}

TEST(repairs)
{
	for (size_t i = 0; i < COUNT(repair_rows); i++) {
		check_repair(repair_rows[i].in, false, repair_rows[i].for_7bit);
		check_repair(repair_rows[i].in, true, repair_rows[i].for_8bit);
	}
}

TEST(nul_is_not_repaired)
{
	static const char in[] = "A: b\n\n\0\xc3\n";
	struct buf b;
	struct mime mime;
	struct err e;

	buf_init(&b, 100);
	buf_add(&b, in, sizeof in - 1);
	walk_buf(&b, &mime);
	CHECK_INT(mime.part[0].body.first_nul, 3);
	CHECK_INT(repair_needed(&mime, false, &e), -1);
	CHECK_STR(e.text,
	    "message line 3 is 8-bit, which the server does not take, and "
	    "cannot be encoded: the body (text/plain) has a NUL octet");
	mime_free(&mime);
	buf_free(&b);
}

TEST_MAIN
