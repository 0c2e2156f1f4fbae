/*
 * view: what a server gets of a message, by what it takes; the same octets
 * in every cut, and as many as was said.
 * RFC 6152 3, RFC 2045 6.7 and 6.8, RFC 1847 2.1, RFC 2047, RFC 2231.
 */
#include "base/err.h"
#include "mail/message.h"
#include "mail/view.h"
#include "tests/unit/source.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define UE "\xc3\xbc"
#define X100                                                                   \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"                   \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X998                                                                   \
	X100 X100 X100 X100 X100 X100 X100 X100 X100                           \
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"               \
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

struct row {
	const char *in;
	unsigned takes;
	const char *out; /* the wire form, or the error's sentence */
	size_t encoded, mended;
	bool is_8bit, needs_utf8;
};

#define MIXED "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
#define MIXED_WIRE                                                             \
	"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; "                 \
	"boundary=b\r\n\r\n"

static const struct row rows[] = {
	/* What fits stays. */
	{ "A: b\n\n" UE "\n", VIEW_8BIT, "A: b\r\n\r\n" UE "\r\n", 0, 0, true,
	    false },
	{ "A: b\n\n" X998 "\n", 0, "A: b\r\n\r\n" X998 "\r\n", 0, 0, false,
	    false },
	{ "", 0, "", 0, 0, false, false },
	{ "A: b\n", 0, "A: b\r\n", 0, 0, false, false },
	/* One part: the message's own field, and MIME-Version. */
	{ "A: b\n\nall of it is quite short, " UE "\nx", 0,
	    "A: b\r\nMIME-Version: 1.0\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	    "all of it is quite short, =C3=BC\r\nx\r\n",
	    1, 0, false, false },
	{ "content-transfer-encoding: 8bit\nMIME-Version: 1.0\nA: b\n\n" UE UE
	  "\n",
	    0,
	    "MIME-Version: 1.0\r\nA: b\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nw7zDvA0K\r\n",
	    1, 0, false, false },
	/* Parts, each for itself; what lies between them stays. */
	{ MIXED "pre\n--b\n\n" UE
		" and some text\n--b\nA: c\n\nx\n--b--\nend\n",
	    0,
	    MIXED_WIRE
	    "pre\r\n--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
	    "=C3=BC and some text\r\n--b\r\nA: c\r\n\r\nx\r\n--b--\r\nend\r\n",
	    1, 0, false, false },
	{ MIXED "--b\nContent-Transfer-Encoding:\n 8bit\nA: c\n\n" UE
		" and some text\n--b--\n",
	    0,
	    MIXED_WIRE
	    "--b\r\nContent-Transfer-Encoding: quoted-printable\r\nA: c\r\n\r\n"
	    "=C3=BC and some text\r\n--b--\r\n",
	    1, 0, false, false },
	/* A long line counts also where 8-bit is taken. */
	{ "A: b\n\n" X998 "x\n" UE "\n", VIEW_8BIT, NULL, 1, 0, false, false },
	/* A part's header. */
	{ MIXED "--b\nX: " UE "\n\nx\n--b--\n", 0,
	    MIXED_WIRE "--b\r\nX: =?utf-8?B?w7w=?=\r\n\r\nx\r\n--b--\r\n", 0, 1,
	    false, false },
	{ MIXED "--b\nX: " UE "\n\nx\n--b--\n", VIEW_8BIT,
	    MIXED_WIRE "--b\r\nX: " UE "\r\n\r\nx\r\n--b--\r\n", 0, 0, true,
	    false },
	{ MIXED "--b\r\nX: " UE "\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" UE
		" and some text\r\n--b--\r\n",
	    0,
	    MIXED_WIRE "--b\r\nX: =?utf-8?B?w7w=?=\r\n"
		       "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
		       "=C3=BC and some text\r\n--b--\r\n",
	    1, 1, false, false },
	/* The message's header: SMTPUTF8 only if it must, or is used. */
	{ "Subject: " UE "\n\nx\n", 0, "Subject: =?utf-8?B?w7w=?=\r\n\r\nx\r\n",
	    0, 1, false, false },
	{ "Subject: " UE "\n\nx\n", VIEW_8BIT | VIEW_UTF8,
	    "Subject: =?utf-8?B?w7w=?=\r\n\r\nx\r\n", 0, 1, false, false },
	{ "Subject: " UE "\n\nx\n", VIEW_8BIT | VIEW_UTF8 | VIEW_UTF8_USED,
	    "Subject: " UE "\r\n\r\nx\r\n", 0, 0, false, true },
	{ "To: " UE "@x.example\n\nx\n", VIEW_8BIT | VIEW_UTF8,
	    "To: " UE "@x.example\r\n\r\nx\r\n", 0, 0, false, true },
	/* What cannot be sent says why. */
	{ "Content-Type: multipart/signed; boundary=b\n\n--b\n\n" UE
	  "\n--b--\n",
	    0,
	    "message line 5 is 8-bit, which the server does not take, and "
	    "cannot be encoded: part 1 (text/plain) is signed or encrypted",
	    0, 0, false, false },
};

static void
check_row(const struct row *row, size_t in, size_t step)
{
	struct source src = { row->in, strlen(row->in), in, false };
	struct octets octets = source_octets(&src);
	struct message m;
	struct buf out;
	struct view v;
	struct err e;

	buf_init(&out, 65536);
	CHECK_INT(message_open(&m, octets, &e), 0);
	if (view_make(&v, &m, row->takes, &e) == -1) {
		CHECK_STR(e.text, row->out);
		CHECK_INT(e.verdict, ERR_PERM);
		CHECK_INT(e.scope, SCOPE_MESSAGE);
	} else {
		read_view(&v, VIEW_PLAIN, step, &out);
		if (row->out != NULL)
			CHECK_STR(buf_str(&out), row->out);
		CHECK_INT(v.size, out.len);
		CHECK_INT(v.encoded, row->encoded);
		CHECK_INT(v.mended, row->mended);
		CHECK_INT(v.is_8bit, row->is_8bit);
		CHECK_INT(v.needs_utf8, row->needs_utf8);
		view_free(&v);
	}
	message_free(&m);
	buf_free(&out);
}

TEST(what_a_server_gets)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		check_row(&rows[i], 65536, 4096);
		for (size_t in = 1; in < 12; in += 3)
			check_row(&rows[i], in, 8 + in);
	}
}

TEST(an_encoded_part_needs_no_dots_of_the_input)
{
	static const char in[] = "A: b\n\n.\n..x " UE "\n";
	struct source src = { in, sizeof in - 1, 3, false };
	struct octets octets = source_octets(&src);
	struct message m;
	struct buf out;
	struct view v;
	struct err e;

	buf_init(&out, 65536);
	CHECK_INT(message_open(&m, octets, &e), 0);
	CHECK_INT(view_make(&v, &m, 0, &e), 0);
	read_view(&v, VIEW_DOTTED, 9, &out);
	CHECK_STR(buf_str(&out),
	    "A: b\r\nMIME-Version: 1.0\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	    "=2E\r\n=2E.x =C3=BC\r\n");
	view_free(&v);
	message_free(&m);
	buf_free(&out);
}

TEST_MAIN
