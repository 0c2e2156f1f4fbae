/*
 * server: whole dialogues as tables, each also octet by octet: what is
 * answered, what the ops are told, and what never becomes an end of data.
 * RFC 5321 4.1.1, 4.1.4, 4.5.2, D.1; 1870, 3030 (its examples), 3461, 6531.
 */
#include <malloc.h>

#include "tests/unit/serving.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

#define HELLO                                                                  \
	"250-mx.example.org\r\n250-PIPELINING\r\n250-8BITMIME\r\n"             \
	"250-DSN\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"                          \
	"250-ENHANCEDSTATUSCODES\r\n250 SIZE 1000\r\n"
#define HI "220 mx.example.org ESMTP\r\n"
#define MAIL_OK "250 2.1.0 Sender ok\r\n"
#define RCPT_OK "250 2.1.5 Recipient ok\r\n"
#define GO "354 Go on; a lone dot ends it\r\n"
#define ID(n) "250 2.0.0 Queued as id" n "\r\n"
#define BYE "221 2.0.0 Bye\r\n"
/* Up to the message. */
#define TO_DATA "EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"
#define TO_GO HI HELLO MAIL_OK RCPT_OK GO
#define TOLD "mail <a@x> 0\nrcpt <b@y>\nbegin c ESMTP <a@x> <b@y>\n"

/* A dialogue: what comes in, what goes out, what the ops are told. */
struct row {
	const char *in, *out, *told;
};

struct set {
	uint64_t size_max;
	size_t rcpts_max;
	const char *refuse;
	bool typed;
	bool no_begin, no_data, no_end;
};

static const struct set plain = { 1000, 3, NULL, false, false, false, false };

static void
play(const struct set *set, const char *in, size_t n, size_t piece,
    const struct row *want)
{
	struct serving v;
	struct server_ops ops = SERVING_OPS(&v);
	struct server_config config = { "mx.example.org", &ops, set->size_max,
		set->rcpts_max, set->refuse, set->typed };
	struct server *s;
	struct buf out;

	serving_init(&v);
	v.no_begin = set->no_begin;
	v.no_data = set->no_data;
	v.no_end = set->no_end;
	buf_init(&out, 1024 * 1024);
	s = server_new(&config);
	serving_feed(s, in, n, piece, &out);
	server_free(s);
	CHECK_STR(buf_str(&out), want->out);
	if (want->told != NULL)
		CHECK_STR(buf_str(&v.told), want->told);
	CHECK_INT(v.begun, v.ended + v.dropped);
	buf_free(&out);
	serving_free(&v);
}

static void
check_rows(const struct set *set, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(rows[i].in);

		play(set, rows[i].in, len, SIZE_MAX, &rows[i]);
		play(set, rows[i].in, len, 1, &rows[i]);
		play(set, rows[i].in, len, 7, &rows[i]);
	}
}

/* ---- messages ---- */

TEST(a_message)
{
	static const struct row rows[] = {
		{ TO_DATA "Subject: x\r\n\r\nHi\r\n.\r\nQUIT\r\n",
		    TO_GO ID("1") BYE,
		    TOLD "end {Subject: x\r\n\r\nHi\r\n}\n" },
		{ "HELO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"
		  ".\r\n",
		    HI "250 mx.example.org\r\n" MAIL_OK RCPT_OK GO ID("1"),
		    "mail <a@x> 0\nrcpt <b@y>\nbegin c SMTP <a@x> <b@y>\n"
		    "end {}\n" },
		/* Two in a session; recipients of the first are gone. */
		{ TO_DATA "1\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<c@y>\r\n"
			  "DATA\r\n2\r\n.\r\n",
		    TO_GO ID("1") MAIL_OK RCPT_OK GO ID("2"),
		    TOLD "end {1\r\n}\nmail <> 0\nrcpt <c@y>\n"
			 "begin c ESMTP <> <c@y>\nend {2\r\n}\n" },
		/* RFC 5321 D.1: one of three is refused. */
		{ "EHLO bar.com\r\nMAIL FROM:<Smith@bar.com>\r\n"
		  "RCPT TO:<Jones@foo.com>\r\nRCPT TO:<perm@foo.com>\r\n"
		  "RCPT TO:<Brown@foo.com>\r\nDATA\r\nBlah\r\n.\r\nQUIT\r\n",
		    HI HELLO MAIL_OK RCPT_OK
		    "550 5.1.1 never\r\n" RCPT_OK GO ID("1") BYE,
		    "mail <Smith@bar.com> 0\nrcpt <Jones@foo.com>\n"
		    "rcpt <perm@foo.com>\nrcpt <Brown@foo.com>\n"
		    "begin bar.com ESMTP <Smith@bar.com> <Jones@foo.com> "
		    "<Brown@foo.com>\nend {Blah\r\n}\n" },
		/* Left in the middle. */
		{ TO_DATA "half", TO_GO, TOLD "drop\n" },
		{ TO_DATA "half\r\n.\r", TO_GO, TOLD "drop\n" },
	};

	check_rows(&plain, rows, COUNT(rows));
}

TEST(dots)
{
	static const struct {
		const char *in, *content;
	} rows[] = {
		{ "..\r\n", ".\r\n" },
		{ "..a\r\n.b\r\n...\r\n", ".a\r\nb\r\n..\r\n" },
		{ "a.\r\n.\r.\r\n", "a.\r\n\r.\r\n" },
		{ "\r\n", "\r\n" },
		{ "a\r\r\n", "a\r\r\n" },
	};
	char in[256], told[256];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct row row = { in, TO_GO ID("1"), told };

		snprintf(in, sizeof in, TO_DATA "%s.\r\n", rows[i].in);
		snprintf(told, sizeof told, TOLD "end {%s}\n", rows[i].content);
		check_rows(&plain, &row, 1);
	}
}

/* What other programs take for the end of data: here it is data. */
TEST(no_message_is_smuggled)
{
	static const struct {
		const char *end, *content;
	} rows[] = {
		{ "\n.\n", "\n.\n" },
		{ "\n.\r\n", "\n.\r\n" },
		{ "\r\n.\n", "\r\n\n" },
		{ "\r\n.\r", "\r\n\r" },
		{ "\r.\r", "\r.\r" },
		{ "\r.\r\n", "\r.\r\n" },
		{ "\n.\r\r\n", "\n.\r\r\n" },
		{ "\r\n.\r\r\n", "\r\n\r\r\n" },
		{ "\r\n. \r\n", "\r\n \r\n" },
	};
	char in[512], told[512];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct row row = { in, TO_GO ID("1"), told };

#define SECOND "MAIL FROM:<evil@x>\r\nRCPT TO:<c@y>\r\nDATA\r\n2"
		snprintf(in, sizeof in, TO_DATA "1%s" SECOND "\r\n.\r\n",
		    rows[i].end);
		snprintf(told, sizeof told, TOLD "end {1%s" SECOND "\r\n}\n",
		    rows[i].content);
		check_rows(&plain, &row, 1);
	}
}

/* A person has no CR: his own lines are no smuggler's. */
TEST(typed)
{
	static const struct row rows[] = {
		{ "EHLO c\nMAIL FROM:<a@x>\nRCPT TO:<b@y>\nDATA\n"
		  "Subject: x\n\n..\n.x\n\n.\nQUIT\n",
		    TO_GO ID("1") BYE, TOLD "end {Subject: x\n\n.\nx\n\n}\n" },
		{ TO_DATA "1\r\n.\r\nNOOP\n", TO_GO ID("1") "250 2.0.0 Ok\r\n",
		    TOLD "end {1\r\n}\n" },
		{ TO_DATA ".\nNOOP\n", TO_GO ID("1") "250 2.0.0 Ok\r\n",
		    TOLD "end {}\n" },
		{ TO_DATA "1\r\n.\nNOOP\n", TO_GO ID("1") "250 2.0.0 Ok\r\n",
		    TOLD "end {1\r\n}\n" },
		/* Still none: */
		{ TO_DATA "1\r.\r. \n.\r\r\n", TO_GO, TOLD "drop\n" },
	};
	struct set set = plain;

	set.typed = true;
	check_rows(&set, rows, COUNT(rows));
}

TEST(nul_in_data)
{
	static const char in[] = TO_DATA "a\0b\r\n.\r\nNO\0OP\r\n";
	struct row want = { NULL,
		TO_GO ID("1") "500 5.5.2 A control character is in it\r\n",
		NULL };

	play(&plain, in, sizeof in - 1, SIZE_MAX, &want);
	play(&plain, in, sizeof in - 1, 1, &want);
}

TEST(what_cannot_be_taken)
{
	static const struct row begin[] = { { TO_DATA "NOOP\r\n",
	    HI HELLO MAIL_OK RCPT_OK "451 4.0.0 no room\r\n250 2.0.0 Ok\r\n",
	    TOLD } };
	static const struct row data[] = { { TO_DATA "1\r\n2\r\n.\r\nDATA\r\n",
	    TO_GO "451 4.0.0 disk full\r\n503 5.5.1 There is no sender\r\n",
	    TOLD "drop\n" } };
	static const struct row end[] = { { TO_DATA ".\r\nRSET\r\n",
	    TO_GO "451 4.0.0 no sync\r\n250 2.0.0 Forgotten\r\n",
	    TOLD "end {}\n" } };
	struct set set = plain;

	set.no_begin = true;
	check_rows(&set, begin, 1);
	set = plain;
	set.no_data = true;
	check_rows(&set, data, 1);
	set = plain;
	set.no_end = true;
	check_rows(&set, end, 1);
}

/* ---- size ---- */

TEST(sizes)
{
	static const struct row rows[] = {
		{ "EHLO c\r\nMAIL FROM:<a@x> SIZE=10\r\n", HI HELLO MAIL_OK,
		    "mail <a@x> 10\n" },
		{ "EHLO c\r\nMAIL FROM:<a@x> SIZE=1001\r\nRCPT TO:<b@y>\r\n",
		    HI HELLO "552 5.3.4 Message is larger than 1000 octets\r\n"
			     "503 5.5.1 There is no sender\r\n",
		    "" },
		{ "EHLO c\r\nMAIL FROM:<a@x> SIZE=99999999999999999999\r\n",
		    HI HELLO "552 5.3.4 Message is larger than 1000 octets\r\n",
		    "" },
		{ "EHLO c\r\nMAIL FROM:<a@x> SIZE=\r\n"
		  "MAIL FROM:<a@x> SIZE=1x\r\n",
		    HI HELLO "501 5.5.4 SIZE=OCTETS\r\n"
			     "501 5.5.4 SIZE=OCTETS\r\n",
		    "" },
	};

	check_rows(&plain, rows, COUNT(rows));
}

TEST(a_message_at_its_limit)
{
	char in[2048], told[2048], text[1002];
	struct row full = { in, TO_GO ID("1"), told };
	struct row over = { in,
		TO_GO "552 5.3.4 Message is larger than 1000 octets\r\n",
		NULL };

	memset(text, 'x', sizeof text);
	snprintf(in, sizeof in, TO_DATA "%.998s\r\n.\r\n", text);
	snprintf(told, sizeof told, TOLD "end {%.998s\r\n}\n", text);
	check_rows(&plain, &full, 1);
	snprintf(in, sizeof in, TO_DATA "%.999s\r\n.\r\n", text);
	check_rows(&plain, &over, 1);
}

/* ---- order and syntax ---- */

TEST(order)
{
	static const struct row rows[] = {
		{ "MAIL FROM:<a@x>\r\n", HI "503 5.5.1 Say EHLO first\r\n",
		    "" },
		{ "EHLO c\r\nRCPT TO:<a@x>\r\nDATA\r\n",
		    HI HELLO "503 5.5.1 There is no sender\r\n"
			     "503 5.5.1 There is no sender\r\n",
		    "" },
		{ "EHLO c\r\nMAIL FROM:<a@x>\r\nMAIL FROM:<b@x>\r\nDATA\r\n",
		    HI HELLO MAIL_OK
		    "503 5.5.1 There is a sender; RSET forgets "
		    "it\r\n554 5.5.1 No valid recipients\r\n",
		    "mail <a@x> 0\n" },
		{ "EHLO c\r\nMAIL FROM:<a@x>\r\nRSET\r\nMAIL FROM:<b@x>\r\n"
		  "EHLO c\r\nMAIL FROM:<c@x>\r\n",
		    HI HELLO MAIL_OK
		    "250 2.0.0 Forgotten\r\n" MAIL_OK HELLO MAIL_OK,
		    "mail <a@x> 0\nmail <b@x> 0\nmail <c@x> 0\n" },
		{ "EHLO c\r\nMAIL FROM:<perm@x>\r\nRCPT TO:<a@x>\r\n",
		    HI HELLO "550 5.1.1 never\r\n503 5.5.1 There is no "
			     "sender\r\n",
		    "mail <perm@x> 0\n" },
	};

	check_rows(&plain, rows, COUNT(rows));
}

TEST(other_commands)
{
	static const struct row rows[] = {
		{ "NOOP\r\nnoop x\r\nVRFY a\r\nEXPN l\r\nRSET\r\nQUIT\r\n"
		  "NOOP\r\n",
		    HI "250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n"
		       "252 2.0.0 Send mail, and see\r\n"
		       "502 5.5.1 Not offered\r\n250 2.0.0 Forgotten\r\n" BYE,
		    "" },
		{ "HELP\r\n",
		    HI "214 2.0.0 Commands: HELO EHLO MAIL RCPT DATA BDAT "
		       "RSET NOOP VRFY HELP QUIT\r\n",
		    "" },
		{ "AUTH PLAIN\r\nSTARTTLS\r\nETRN x\r\nTURN\r\n",
		    HI "502 5.5.1 Not offered\r\n502 5.5.1 Not offered\r\n"
		       "502 5.5.1 Not offered\r\n502 5.5.1 Not offered\r\n",
		    "" },
		{ "RSET x\r\nQUIT x\r\nVRFY\r\nEHLO\r\nEHLO a b\r\nHELO \r\n",
		    HI "501 5.5.4 Nothing stands behind RSET\r\n"
		       "501 5.5.4 Nothing stands behind QUIT\r\n"
		       "501 5.5.4 Something is to stand behind VRFY\r\n"
		       "501 Say who you are, by one name\r\n"
		       "501 Say who you are, by one name\r\n"
		       "501 Say who you are, by one name\r\n",
		    "" },
		{ "\r\nNO\r\nNOOPS\r\n GET / HTTP/1.1\r\n",
		    HI "500 5.5.1 No such command\r\n"
		       "500 5.5.1 No such command\r\n"
		       "500 5.5.1 No such command\r\n"
		       "500 5.5.1 No such command\r\n",
		    "" },
		/* LF alone ends a command. */
		{ "nOoP\nQuit\n", HI "250 2.0.0 Ok\r\n" BYE, "" },
		{ "NOOP\rQUIT\r\n",
		    HI "500 5.5.2 A control character is in "
		       "it\r\n",
		    "" },
	};

	check_rows(&plain, rows, COUNT(rows));
}

TEST(paths)
{
	static const struct {
		const char *command, *reply, *told;
	} rows[] = {
		{ "mail from:<a@x>", MAIL_OK, "mail <a@x> 0\n" },
		{ "MAIL FROM: <a@x>  ", MAIL_OK, "mail <a@x> 0\n" },
		{ "MAIL FROM:a@x", MAIL_OK, "mail <a@x> 0\n" },
		{ "MAIL FROM:<root>", MAIL_OK, "mail <root> 0\n" },
		{ "MAIL FROM:<\"a> b\"@x>", MAIL_OK, "mail <\"a> b\"@x> 0\n" },
		{ "MAIL FROM:<@r,@s:a@x>", MAIL_OK, "mail <a@x> 0\n" },
		{ "MAIL", "501 5.5.4 Something is to stand behind MAIL\r\n",
		    "" },
		{ "MAIL TO:<a@x>", "501 5.5.2 Write FROM:<ADDRESS>\r\n", "" },
		{ "MAIL FROM:", "501 5.5.2 Write FROM:<ADDRESS>\r\n", "" },
		{ "MAIL FROM:<a@x", "501 5.5.2 Write FROM:<ADDRESS>\r\n", "" },
		{ "MAIL FROM:<a@x>SIZE=1", "501 5.5.2 Write FROM:<ADDRESS>\r\n",
		    "" },
		{ "MAIL FROM:<a@>",
		    "501 5.1.7 address \"<a@>\": unexpected '>' at position 4, "
		    "the domain is missing\r\n",
		    "" },
		{ "MAIL FROM:<|prog>",
		    "501 5.1.7 address \"<|prog>\": no name of a user at "
		    "position 2\r\n",
		    "" },
		{ "MAIL FROM:<\303\266@x>",
		    "553 5.6.7 Not without "
		    "SMTPUTF8\r\n",
		    "" },
		{ "MAIL FROM:<a@\303\266.de>",
		    "553 5.6.7 Not without SMTPUTF8\r\n", "" },
		{ "MAIL FROM:<\303\266@x> SMTPUTF8", MAIL_OK,
		    "mail <\303\266@x> 0\n" },
		{ "MAIL FROM:<\377@x> SMTPUTF8",
		    "501 5.1.7 address \"<\\xFF@x>\": unexpected '\\xFF' at "
		    "position 2, which is not UTF-8\r\n",
		    "" },
		{ "MAIL FROM:<temp@x>", "451 4.0.0 not ?? now\r\n",
		    "mail <temp@x> 0\n" },
		{ "MAIL FROM:<full@x>", "452 4.2.2 full\r\n",
		    "mail <full@x> 0\n" },
	};
	char in[128], out[512];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct row row = { in, out, rows[i].told };

		snprintf(in, sizeof in, "EHLO c\r\n%s\r\n", rows[i].command);
		snprintf(out, sizeof out, HI HELLO "%s", rows[i].reply);
		check_rows(&plain, &row, 1);
	}
}

TEST(recipients)
{
	static const struct row rows[] = {
		{ "EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"
		  "RCPT TO:<b@Y>\r\nRCPT TO:<Postmaster>\r\n"
		  "RCPT TO:<bare>\r\nRCPT TO:<c@y>\r\nDATA\r\n.\r\n",
		    HI HELLO MAIL_OK RCPT_OK RCPT_OK RCPT_OK RCPT_OK
		    "452 4.5.3 Too many recipients\r\n" GO ID("1"),
		    "mail <a@x> 0\nrcpt <b@y>\nrcpt <b@Y>\nrcpt <Postmaster>\n"
		    "rcpt <bare>\nbegin c ESMTP <a@x> <b@y> <Postmaster> "
		    "<bare@example.org>\nend {}\n" },
		{ "EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<>\r\n"
		  "RCPT TO:</etc/x>\r\nRCPT TO:<:include:/x>\r\n"
		  "RCPT TO:<\303\266@x>\r\nRCPT TO:<full@x>\r\nDATA\r\n",
		    HI HELLO MAIL_OK
		    "501 5.1.3 address \"<>\": unexpected '>' at position 2, "
		    "the local part is missing\r\n"
		    "501 5.1.3 address \"</etc/x>\": no name of a user at "
		    "position 2\r\n"
		    "501 5.1.3 address \"<:include:/x>\": unexpected ':' at "
		    "position 2\r\n"
		    "553 5.6.7 Not without SMTPUTF8\r\n452 4.2.2 full\r\n"
		    "554 5.5.1 No valid recipients\r\n",
		    NULL },
	};

	check_rows(&plain, rows, COUNT(rows));
}

/* Whoever names somebody again and again is told that he is there, but must
 * not have us keep each ORCPT. */
TEST(recipients_that_are_there)
{
	static const char hello[] = "EHLO c\r\nMAIL FROM:<a@x>\r\n";
	struct serving v;
	struct server_ops ops = SERVING_OPS(&v);
	struct server_config config = { .name = "mx", .ops = &ops };
	struct server *s;
	struct buf out;
	char line[600];
	size_t before;

	serving_init(&v);
	buf_init(&out, 16 * 1024 * 1024);
	s = server_new(&config);
	snprintf(line, sizeof line, "RCPT TO:<b@y> ORCPT=rfc822;%0480d\r\n", 0);
	serving_feed(s, hello, strlen(hello), SIZE_MAX, &out);
	serving_feed(s, line, strlen(line), SIZE_MAX, &out);
	before = mallinfo2().uordblks;
	for (int i = 0; i < 10000; i++) {
		buf_reset(&out);
		buf_reset(&v.told);
		serving_feed(s, line, strlen(line), SIZE_MAX, &out);
	}
	CHECK_STR(buf_str(&out), RCPT_OK);
	CHECK(mallinfo2().uordblks < before + 100000);
	server_free(s);
	buf_free(&out);
	serving_free(&v);
}

/* ---- parameters ---- */

TEST(parameters)
{
	static const struct row rows[] = {
		{ "EHLO c\r\nMAIL FROM:<a@x> BODY=8BITMIME size=1 RET=hdrs "
		  "ENVID=a+20b SMTPUTF8\r\n"
		  "RCPT TO:<b@y> NOTIFY=success,DELAY "
		  "ORCPT=rfc822;B+2Bc@y\r\n"
		  "RCPT TO:<\303\266@y> ORCPT=utf-8;\\x{F6}@y\r\n"
		  "RCPT TO:<c@y> NOTIFY=NEVER  ORCPT=UTF-8;\303\266@y\r\n"
		  "DATA\r\n.\r\n",
		    HI HELLO MAIL_OK RCPT_OK RCPT_OK RCPT_OK GO ID("1"),
		    "mail <a@x> 1\nrcpt <b@y>\nrcpt <\303\266@y>\n"
		    "rcpt <c@y>\n"
		    "begin c UTF8SMTP <a@x> ret=2 envid=a b <b@y> notify=a "
		    "orcpt=rfc822;B+c@y <\303\266@y> "
		    "orcpt=utf-8;\303\266@y <c@y> notify=1 "
		    "orcpt=UTF-8;\303\266@y\nend {}\n" },
		{ "HELO c\r\nMAIL FROM:<a@x> SIZE=1\r\n",
		    HI "250 mx.example.org\r\n"
		       "555 5.5.4 No parameters without EHLO\r\n",
		    "" },
	};

	check_rows(&plain, rows, COUNT(rows));
}

TEST(bad_parameters)
{
	static const struct {
		const char *command, *reply;
	} rows[] = {
		{ "MAIL FROM:<a@x> X=1",
		    "555 5.5.4 parameter not known here: "
		    "X" },
		{ "MAIL FROM:<a@x> AUTH=<>",
		    "555 5.5.4 parameter not known here: AUTH" },
		{ "MAIL FROM:<a@x> NOTIFY=NEVER",
		    "555 5.5.4 parameter not known here: NOTIFY" },
		{ "MAIL FROM:<a@x> =", "555 5.5.4 parameter not known here: " },
		{ "MAIL FROM:<a@x> SIZE=1 size=2",
		    "501 5.5.4 parameter is there twice: size" },
		{ "MAIL FROM:<a@x> SIZE", "501 5.5.4 SIZE=OCTETS" },
		{ "MAIL FROM:<a@x> BODY=BINARYMIME",
		    "501 5.5.4 BODY=7BIT or BODY=8BITMIME" },
		{ "MAIL FROM:<a@x> SMTPUTF8=1",
		    "501 5.5.4 SMTPUTF8 without a value" },
		{ "MAIL FROM:<a@x> RET=ALL", "501 5.5.4 RET=FULL or RET=HDRS" },
		{ "MAIL FROM:<a@x> ENVID=",
		    "501 5.5.4 ENVID=XTEXT of at most 100 characters" },
		{ "MAIL FROM:<a@x> ENVID=+0A",
		    "501 5.5.4 ENVID=XTEXT of at most 100 characters" },
		{ "MAIL FROM:<a@x> ENVID=a+2",
		    "501 5.5.4 ENVID=XTEXT of at most 100 characters" },
		{ "RCPT TO:<a@x> NOTIFY=NEVER,DELAY",
		    "501 5.5.4 NOTIFY=NEVER, or of SUCCESS,FAILURE,DELAY" },
		{ "RCPT TO:<a@x> NOTIFY=",
		    "501 5.5.4 NOTIFY=NEVER, or of SUCCESS,FAILURE,DELAY" },
		{ "RCPT TO:<a@x> NOTIFY=DELAY,",
		    "501 5.5.4 NOTIFY=NEVER, or of SUCCESS,FAILURE,DELAY" },
		{ "RCPT TO:<a@x> ORCPT=a@x", "501 5.5.4 ORCPT=TYPE;XTEXT" },
		{ "RCPT TO:<a@x> ORCPT=rfc822;", "501 5.5.4 ORCPT=TYPE;XTEXT" },
		{ "RCPT TO:<a@x> ORCPT=rfc822;a+00",
		    "501 5.5.4 ORCPT=TYPE;XTEXT" },
		{ "RCPT TO:<a@x> ORCPT=utf-8;a\\x{0A}",
		    "501 5.5.4 ORCPT=TYPE;XTEXT" },
		{ "RCPT TO:<a@x> ORCPT=utf-8;\\x{D800}",
		    "501 5.5.4 ORCPT=TYPE;XTEXT" },
		{ "RCPT TO:<a@x> ORCPT=rfc822;+C3+B6",
		    "501 5.5.4 ORCPT=TYPE;XTEXT" },
		{ "RCPT TO:<a@x> SIZE=1",
		    "555 5.5.4 parameter not known here: SIZE" },
	};
	char in[256], out[512];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct row row = { in, out, NULL };
		bool rcpt = rows[i].command[0] == 'R';

		snprintf(in, sizeof in, "EHLO c\r\n%s%s\r\n",
		    rcpt ? "MAIL FROM:<>\r\n" : "", rows[i].command);
		snprintf(out, sizeof out, HI HELLO "%s%s\r\n",
		    rcpt ? MAIL_OK : "", rows[i].reply);
		check_rows(&plain, &row, 1);
	}
}

/* ---- BDAT (RFC 3030 2, 4.2) ---- */

#define TO_BDAT "EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"
#define BDAT_GO HI HELLO MAIL_OK RCPT_OK
#define TAKEN "250 2.0.0 Taken\r\n"

TEST(chunks)
{
	static const struct row rows[] = {
		{ TO_BDAT "BDAT 6\r\nabc\r\n.BDAT 0 LAST\r\nQUIT\r\n",
		    BDAT_GO TAKEN ID("1") BYE, TOLD "end {abc\r\n.}\n" },
		{ TO_BDAT "BDAT 5 last\r\n\r\n.\r\nNOOP\r\n",
		    BDAT_GO ID("1") "250 2.0.0 Ok\r\n",
		    TOLD "end {\r\n.\r\n}\n" },
		{ TO_BDAT "BDAT 0\r\nBDAT 1\r\naBDAT 1  LAST \r\nb",
		    BDAT_GO TAKEN TAKEN ID("1"), TOLD "end {ab}\n" },
		{ TO_BDAT "BDAT 1\r\naDATA\r\nRCPT TO:<c@y>\r\nRSET\r\n",
		    BDAT_GO TAKEN "503 5.5.1 BDAT was used\r\n"
				  "503 5.5.1 The message has begun\r\n"
				  "250 2.0.0 Forgotten\r\n",
		    TOLD "drop\n" },
		/* No sender, or nobody: octets are no commands all the same. */
		{ "BDAT 6\r\nNOOP\r\nEHLO c\r\nBDAT 6 LAST\r\nQUIT\r\n",
		    HI "503 5.5.1 There is no sender\r\n" HELLO
		       "503 5.5.1 There is no sender\r\n",
		    "" },
		{ "EHLO c\r\nMAIL FROM:<a@x>\r\nBDAT 6\r\nQUIT\r\n"
		  "BDAT 6 LAST\r\nQUIT\r\nMAIL FROM:<b@x>\r\n",
		    HI HELLO MAIL_OK
		    "503 5.5.1 No valid recipients\r\n"
		    "503 5.5.1 No valid recipients\r\n" MAIL_OK,
		    "mail <a@x> 0\nmail <b@x> 0\n" },
		/* How much follows is not known. */
		{ TO_BDAT "BDAT x\r\nNOOP\r\n",
		    BDAT_GO "421 4.5.4 How many octets follow is not known\r\n",
		    "mail <a@x> 0\nrcpt <b@y>\n" },
		{ "BDAT 99999999999999999999\r\nNOOP\r\n",
		    HI "421 4.5.4 How many octets follow is not known\r\n",
		    "" },
		{ "BDAT\r\nNOOP\r\n",
		    HI "421 4.5.4 How many octets follow is not known\r\n",
		    "" },
		{ "BDAT 4 \001\r\nNOOP\r\n",
		    HI "421 4.5.4 How many octets follow is not known\r\n",
		    "" },
		{ "BDAT 4LAST\r\nNOOP\r\n",
		    HI "421 4.5.4 How many octets follow is not known\r\n",
		    "" },
		{ "BDAT 1 FIRST\r\n",
		    HI "421 4.5.4 How many octets follow is not known\r\n",
		    "" },
		{ TO_BDAT "BDAT 5 LAST\r\nab", BDAT_GO, TOLD "drop\n" },
	};

	check_rows(&plain, rows, COUNT(rows));
}

TEST(chunks_that_cannot_be_taken)
{
	static const struct row data[] = { { TO_BDAT
	    "BDAT 1\r\naBDAT 1\r\nbBDAT 1 LAST\r\ncRCPT TO:<b@y>\r\n",
	    BDAT_GO "451 4.0.0 disk full\r\n451 4.0.0 disk full\r\n"
		    "451 4.0.0 disk full\r\n"
		    "503 5.5.1 There is no sender\r\n",
	    TOLD "drop\n" } };
	static const struct row begin[] = { { TO_BDAT
	    "BDAT 6\r\nQUIT\r\nRSET\r\n",
	    BDAT_GO "451 4.0.0 no room\r\n250 2.0.0 Forgotten\r\n", TOLD } };
	char in[1200];
	struct row big = { in,
		BDAT_GO "552 5.3.4 Message is larger than 1000 octets\r\n",
		TOLD "drop\n" };
	struct set set = plain;

	set.no_data = true;
	check_rows(&set, data, 1);
	set = plain;
	set.no_begin = true;
	check_rows(&set, begin, 1);
	snprintf(in, sizeof in, TO_BDAT "BDAT 1001 LAST\r\n%01001d", 0);
	check_rows(&plain, &big, 1);
}

/* ---- limits ---- */

TEST(long_lines)
{
	char in[3 * SERVER_LINE_MAX];
	struct row row = { in, HI "250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n", "" };
	struct row over = { in,
		HI "500 5.5.2 No command is that long\r\n250 2.0.0 Ok\r\n",
		"" };

	snprintf(
	    in, sizeof in, "NOOP %0*d\r\nNOOP\r\n", SERVER_LINE_MAX - 7, 0);
	check_rows(&plain, &row, 1);
	snprintf(
	    in, sizeof in, "NOOP %0*d\r\nNOOP\r\n", SERVER_LINE_MAX - 6, 0);
	check_rows(&plain, &over, 1);
	snprintf(
	    in, sizeof in, "NOOP %0*d\r\nNOOP\r\n", 2 * SERVER_LINE_MAX, 0);
	check_rows(&plain, &over, 1);
}

TEST(too_many_errors)
{
	struct buf in, out;
	struct row row;

	buf_init(&in, 8192);
	buf_init(&out, 8192);
	buf_adds(&out, HI);
	for (int i = 0; i < SERVER_ERRORS_MAX; i++) {
		buf_adds(&in, "x\r\n");
		buf_adds(&out, "500 5.5.1 No such command\r\n");
	}
	row = (struct row){ buf_str(&in), buf_str(&out), "" };
	check_rows(&plain, &row, 1);
	/* A message makes up for them. */
	buf_adds(&in, TO_DATA ".\r\n");
	buf_adds(&out, HELLO MAIL_OK RCPT_OK GO ID("1"));
	for (int i = 0; i < SERVER_ERRORS_MAX; i++) {
		buf_adds(&in, "x\r\n");
		buf_adds(&out, "500 5.5.1 No such command\r\n");
	}
	buf_adds(&in, "x\r\nNOOP\r\n");
	buf_adds(&out, "421 4.7.0 Too many errors\r\n");
	row = (struct row){ buf_str(&in), buf_str(&out), NULL };
	check_rows(&plain, &row, 1);
	buf_free(&in);
	buf_free(&out);
}

TEST(no_limits)
{
	static const struct row rows[] = { { "EHLO c\r\nMAIL FROM:<a@x> "
					     "SIZE=99999999999999999999\r\n",
	    HI "250-mx.example.org\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
	       "250-DSN\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
	       "250-ENHANCEDSTATUSCODES\r\n250 SIZE\r\n" MAIL_OK,
	    NULL } };
	static const struct set set = { 0, 0, NULL, false, false, false,
		false };

	check_rows(&set, rows, 1);
}

TEST(one_who_is_not_served)
{
	static const struct row rows[] = { { "EHLO c\r\nNOOP\r\nx\r\nQUIT\r\n",
	    "554 5.7.1 Local only\r\n503 5.5.1 Only QUIT is left\r\n"
	    "503 5.5.1 Only QUIT is left\r\n503 5.5.1 Only QUIT is left\r\n" BYE,
	    "" } };
	struct set set = plain;

	set.refuse = "Local only";
	check_rows(&set, rows, 1);
}

/* ---- from outside ---- */

TEST(replies_that_wait_stop_it)
{
	struct serving v;
	struct server_ops ops = SERVING_OPS(&v);
	struct server_config config = { .name = "mx", .ops = &ops };
	struct server *s;
	size_t n = 0;

	serving_init(&v);
	s = server_new(&config);
	/* It stops behind each; and then at all. */
	while (server_feed(s, "RSET\r\nRSET\r\n", 12) == 6 && n < 5000)
		n++;
	CHECK(n > 10 && n < 5000);
	CHECK(server_presses(s));
	CHECK_INT(server_feed(s, "RSET\r\n", 6), 0);
	CHECK(server_out(s)->len < 8192);
	buf_consume(server_out(s), server_out(s)->len);
	CHECK(!server_presses(s));
	CHECK_INT(server_feed(s, "RSET\r\n", 6), 6);
	server_free(s);
	serving_free(&v);
}

/* RFC 2920 3.2: replies to these may wait for one another, those to any other
 * line must not. */
TEST(replies_that_press)
{
	static const struct {
		const char *line;
		bool presses;
	} rows[] = {
		{ "EHLO c\r\n", true },
		{ "MAIL FROM:<a@x>\r\n", false },
		{ "RCPT TO:<b@y>\r\n", false },
		{ "RCPT TO:<perm@y>\r\n", false },
		{ "RSET\r\n", false },
		{ "nonsense\r\n", true },
		{ "RSET\r\n", false },
		{ "NOOP\r\n", true },
		{ "MAIL FROM:<a@x>\r\n", false },
		{ "RCPT TO:<b@y>\r\n", false },
		{ "DATA\r\n", true },
		{ "1\r\n", false },
		{ ".\r\n", true },
		{ "VRFY x\r\n", true },
		{ "MAIL FROM:<a@x>\r\n", false },
		{ "RCPT TO:<b@y>\r\n", false },
		{ "BDAT 1\r\nx", true },
		{ "BDAT 1 LAST\r\nx", true },
		{ "QUIT\r\n", true },
	};
	struct serving v;
	struct server_ops ops = SERVING_OPS(&v);
	struct server_config config = { .name = "mx", .ops = &ops };
	struct server *s;

	serving_init(&v);
	s = server_new(&config);
	buf_reset(server_out(s));
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t n = strlen(rows[i].line);

		CHECK_INT(server_feed(s, rows[i].line, n), n);
		CHECK_INT(server_presses(s), rows[i].presses);
		buf_reset(server_out(s));
	}
	server_free(s);
	serving_free(&v);
}

/* So many steps more, when these octets come one by one. */
static void
check_steps(struct server *s, const char *in, size_t n, unsigned want)
{
	const uint64_t before = server_steps(s);

	for (size_t i = 0; i < n; i++) {
		server_feed(s, in + i, 1);
		buf_reset(server_out(s));
	}
	CHECK_INT(server_steps(s) - before, want);
}

#define CHECK_STEPS(s, in, want) check_steps((s), (in), strlen(in), (want))

TEST(octets_are_no_steps)
{
	static char long_one[2 * SERVER_LINE_MAX];
	struct serving v;
	struct server_ops ops = SERVING_OPS(&v);
	struct server_config config = { .name = "mx", .ops = &ops };
	struct server *s;

	serving_init(&v);
	memset(long_one, 'x', sizeof long_one - 1);
	s = server_new(&config);
	CHECK_INT(server_steps(s), 1);
	CHECK_STEPS(s, "NOOP", 0);
	CHECK_STEPS(s, long_one, 0);
	CHECK_STEPS(s, "\r\n", 1);
	CHECK_STEPS(s, TO_DATA, 4);
	for (int i = 0; i < SERVER_BLOCK / 10 - 1; i++)
		CHECK_STEPS(s, "12345678\r\n", 0);
	CHECK_STEPS(s, "12345678\r", 0);
	CHECK_STEPS(s, "\n", 1);
	CHECK_STEPS(s, "x\r\n", 0);
	CHECK_STEPS(s, ".\r\n", 1);
	/* Also of a chunk that is thrown away. */
	CHECK_STEPS(s, "BDAT 2500\r\n", 0);
	check_steps(s, long_one, 2400, 2);
	check_steps(s, long_one, 100, 1);
	server_free(s);
	config.typed = true;
	s = server_new(&config);
	CHECK_STEPS(s, TO_DATA, 4);
	CHECK_STEPS(s, "a line", 0);
	CHECK_STEPS(s, "\n", 1);
	server_free(s);
	serving_free(&v);
}

TEST(stopped)
{
	struct serving v;
	struct server_ops ops = SERVING_OPS(&v);
	struct server_config config = {
		.name = "mx.example.org", .ops = &ops, .size_max = 1000
	};
	struct server *s;
	struct buf out;

	serving_init(&v);
	buf_init(&out, 65536);
	s = server_new(&config);
	CHECK(!server_unfinished(s));
	serving_feed(s, TO_DATA "x", strlen(TO_DATA "x"), SIZE_MAX, &out);
	CHECK(server_unfinished(s));
	CHECK(!server_over(s));
	server_stop(s, "4.4.2", "Closing");
	CHECK(server_over(s));
	CHECK(server_hung_up(s));
	CHECK(!server_unfinished(s));
	CHECK_INT(server_feed(s, "NOOP\r\n", 6), 0);
	CHECK_STR(buf_str(server_out(s)), "421 4.4.2 Closing\r\n");
	CHECK_STR(buf_str(&v.told), TOLD "drop\n");
	server_free(s);
	buf_free(&out);
	serving_free(&v);
}

TEST(quit_is_no_hanging_up)
{
	struct serving v;
	struct server_ops ops = SERVING_OPS(&v);
	struct server_config config = {
		.name = "mx.example.org", .ops = &ops, .size_max = 1000
	};
	struct server *s;

	serving_init(&v);
	s = server_new(&config);
	CHECK_INT(server_feed(s, "QUIT\r\n", 6), 6);
	CHECK(server_over(s));
	CHECK(!server_hung_up(s));
	server_free(s);
	s = server_new(&config);
	CHECK_INT(server_feed(s, "BDAT x\r\n", 8), 8);
	CHECK(server_over(s));
	CHECK(server_hung_up(s));
	server_free(s);
	serving_free(&v);
}

TEST_MAIN
