/*
 * dialogue_test: scripts that are read, refused and played, from both sides.
 * Run by make unit and script/test; what the peer says is fed whole and
 * octet by octet, and must lead to the same.
 * It never touches a socket.
 * The language is that of tests/dialogues/README.md.
 */
#include "base/err.h"
#include "smtp/dialogue.h"
#include "smtp/play.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct dialogue *
read_script(const char *script)
{
	struct err e;
	struct dialogue *d = dialogue_parse(script, strlen(script), &e);

	if (d == NULL)
		printf("# %s\n", e.text);
	return d;
}

/* --- reading -------------------------------------------------------------- */

static const char whole[] = "# a comment\n"
			    "title: All of it\r\n"
			    "args:  -f a@example.org b@example.net\n"
			    "exit: 0\n"
			    "\n"
			    "message: Subject: x\n"
			    "message:\n"
			    "message- no\\x20end\n"
			    "message! repeat 3 ab\\n\n"
			    "server A\n"
			    "connection\n"
			    "S: 220 hello\n"
			    "C~ ^EHLO (.*)$\n"
			    "connection optional\n"
			    "S! pieces 1 20\n"
			    "server B unix\n"
			    "S! repeat 7 x y\n";

TEST(a_script_is_read_whole)
{
	struct dialogue *d = read_script(whole);

	CHECK(d != NULL);
	if (d == NULL)
		return;
	CHECK_INT(d->nfields, 3);
	CHECK_STR(d->fields[0].name, "title");
	CHECK_STR(d->fields[0].text, "All of it");
	CHECK_STR(d->fields[1].text, "-f a@example.org b@example.net");
	CHECK_INT(d->fields[2].line, 4);
	CHECK(d->has_message);
	CHECK_STR(buf_str(&d->message), "Subject: x\n\nno endab\nab\nab\n");
	CHECK_INT(d->nservers, 2);
	CHECK_STR(d->servers[0].name, "A");
	CHECK_STR(d->servers[0].form, "");
	CHECK_INT(d->servers[0].n, 2);
	CHECK_INT(d->servers[0].connections[0].n, 2);
	CHECK_INT(d->servers[0].connections[0].steps[1].kind, DIALOGUE_REGEX);
	CHECK_STR(d->servers[0].connections[0].steps[1].text, "^EHLO (.*)$");
	CHECK(!d->servers[0].connections[0].optional);
	CHECK(d->servers[0].connections[1].optional);
	CHECK_INT(d->servers[0].connections[1].steps[0].n, 1);
	CHECK_INT(d->servers[0].connections[1].steps[0].ms, 20);
	CHECK_STR(d->servers[1].form, "unix");
	CHECK_INT(d->servers[1].connections[0].steps[0].n, 7);
	CHECK_STR(d->servers[1].connections[0].steps[0].text, "x y");
	CHECK_INT(d->servers[1].connections[0].steps[0].line, 17);
	dialogue_free(d);
}

static const struct {
	const char *script;
	const char *why;
} refused[] = {
	{ "hello\n", "line 1: neither a field, a block nor a step" },
	{ "\n\nHello: x\n", "line 3: neither a field, a block nor a step" },
	{ "S: 220\ntitle: x\n", "line 2: a field below a block" },
	{ "connection\n", "line 1: connection stands below server" },
	{ "server\n", "line 1: server takes NAME [FORM]" },
	{ "server A\nconnection often\n",
	    "line 2: connection takes \"optional\" or nothing" },
	{ "S! dance\n", "line 1: no such action" },
	{ "S!\n", "line 1: no such action" },
	{ "S! closed\n", "line 1: no such action" },
	{ "S! close now\n", "line 1: close takes nothing behind it" },
	{ "S! repeat x\n", "line 1: repeat takes TIMES TEXT" },
	{ "S! repeat 3\n", "line 1: repeat takes TIMES TEXT" },
	{ "S! repeat 99999999999999999999 x\n",
	    "line 1: repeat takes TIMES TEXT" },
	{ "S! endless\n", "line 1: endless takes TEXT" },
	{ "S! pieces\n", "line 1: pieces takes OCTETS [MS]" },
	{ "S! pieces 1x\n", "line 1: pieces takes OCTETS [MS]" },
	{ "S! pieces 1 2 3\n", "line 1: pieces takes OCTETS [MS]" },
	{ "S! call\n", "line 1: call takes TEXT" },
	{ "C! data file\n", "line 1: data takes \"message\" or nothing" },
	{ "C! octets\n", "line 1: octets takes OCTETS" },
	{ "S: \\q\n", "line 1: a malformed escape" },
	{ "S: \\\n", "line 1: a malformed escape" },
	{ "S: \\x\n", "line 1: a malformed escape" },
	{ "S: \\x0\n", "line 1: a malformed escape" },
	{ "S: \\x0g\n", "line 1: a malformed escape" },
	{ "S: ${x}\n", "line 1: a malformed escape" },
	{ "S: ${1\n", "line 1: a malformed escape" },
	{ "message: ${1}\n", "line 1: a malformed escape" },
	{ "message! often\n", "line 1: message! takes repeat TIMES TEXT" },
	{ "message! repeat 3 \\q\n",
	    "line 1: message! takes repeat TIMES TEXT" },
	{ "message! repeat 4000000000 0123456789\n",
	    "line 1: the message is too long" },
};

TEST(mistakes_are_told_by_line)
{
	struct dialogue *d;
	struct err e;
	size_t i;

	for (i = 0; i < COUNT(refused); i++) {
		d = dialogue_parse(
		    refused[i].script, strlen(refused[i].script), &e);
		CHECK(d == NULL);
		if (d == NULL)
			CHECK_STR(e.text, refused[i].why);
		dialogue_free(d);
	}
	CHECK(dialogue_parse("S: a\0b\n", 7, &e) == NULL);
	CHECK_STR(e.text, "line 1: a NUL");
	CHECK(dialogue_parse("C~ (\n", 5, &e) == NULL);
	dialogue_free(NULL);
}

TEST(an_empty_script_is_none)
{
	struct dialogue *d = read_script("");

	CHECK(d != NULL);
	CHECK_INT(d == NULL ? 1 : d->nservers, 0);
	dialogue_free(d);
}

/* --- texts ---------------------------------------------------------------- */

static const struct {
	const char *text;
	const char *s;
	bool match;
} globs[] = {
	{ "", "", true },
	{ "", "x", false },
	{ "x", "", false },
	{ "*", "", true },
	{ "*", "anything", true },
	{ "a*", "a", true },
	{ "a*b", "ab", true },
	{ "a*b", "axxb", true },
	{ "a*b", "axxbc", false },
	{ "*a*b*", "xxayybzz", true },
	{ "*ab*ab", "abab", true },
	{ "*ab*ab", "ababxab", true },
	{ "*ab*ab", "aab", false },
	{ "a\\*b", "a*b", true },
	{ "a\\*b", "axb", false },
	{ "\\x41\\r\\n\\t\\\\\\$", "A\r\n\t\\$", true },
	{ "MAIL FROM:<*> SIZE=*", "MAIL FROM:<a@b> SIZE=3", true },
	{ "MAIL FROM:<*> SIZE=*", "MAIL FROM:<a@b>", false },
	{ "${1}", "", false },
	{ "\\q", "q", false },
	{ "\\xff", "\xff", true },
};

TEST(texts_match_whole)
{
	size_t i;

	for (i = 0; i < COUNT(globs); i++) {
		CHECK_INT(dialogue_match(
			      globs[i].text, globs[i].s, strlen(globs[i].s)),
		    globs[i].match);
	}
}

TEST(octets_of_a_text)
{
	struct buf b;

	buf_init(&b, 100);
	CHECK(dialogue_octets(&b, "a\\0\\x00*\\*\\xfF"));
	CHECK_MEM(b.data, b.len, "a\0\0**\xff", 6);
	CHECK(!dialogue_octets(&b, "${0}"));
	CHECK(!dialogue_octets(&b, "\\"));
	buf_free(&b);
}

static const struct {
	const char *message;
	const char *wire;
} wires[] = {
	{ "", "" },
	{ "a", "a\r\n" },
	{ "a\n", "a\r\n" },
	{ "a\r\nb\rc\n", "a\r\nb\r\nc\r\n" },
	{ "\n\n", "\r\n\r\n" },
	{ ".", "..\r\n" },
	{ ".\n..\na.\n", "..\r\n...\r\na.\r\n" },
	{ "\r.\r", "\r\n..\r\n" },
};

TEST(messages_on_the_wire)
{
	struct buf b;
	size_t i;

	buf_init(&b, 100);
	for (i = 0; i < COUNT(wires); i++) {
		buf_reset(&b);
		play_wire(&b, wires[i].message, strlen(wires[i].message));
		CHECK_STR(buf_str(&b), wires[i].wire);
	}
	buf_free(&b);
}

/* --- playing -------------------------------------------------------------- */

struct play_row {
	enum side us;
	const char *script;
	const char *peer; /* what it says */
	size_t n; /* 0: strlen */
	bool ends; /* and then hangs up */
	enum play_does does; /* where that leads */
	const char *out; /* what we said meanwhile */
	const char *why;
};

#define SERVER SIDE_SERVER
#define CLIENT SIDE_CLIENT

static const struct play_row played[] = {
	{ SERVER, "S: 220 hi\nC: EHLO *\nS: 250 ok", "EHLO x\r\n", 0, true,
	    PLAY_DONE, "220 hi\r\n250 ok\r\n", "" },
	{ SERVER, "S: 220 hi\nC: EHLO *\nS: 250 ok", "EHLO x\r\n", 0, false,
	    PLAY_WAIT, "220 hi\r\n250 ok\r\n", "" },
	{ SERVER, "S: 220 hi\nC: EHLO *", "HELO x\r\n", 0, false, PLAY_FAILED,
	    "220 hi\r\n",
	    "line 2: expected the line \"EHLO *\", got \"HELO x\"" },
	{ SERVER, "S: 220 hi\nC: EHLO *", "", 0, true, PLAY_FAILED,
	    "220 hi\r\n",
	    "line 2: expected the line \"EHLO *\", got the end of the"
	    " connection" },
	{ SERVER, "C: EHLO *", "EHLO x\n", 0, false, PLAY_FAILED, "",
	    "line 1: expected CRLF behind \"EHLO *\", got \"EHLO x\"" },
	{ SERVER, "C: EHLO *", "EHLO x\r\nRSET\r\n", 0, true, PLAY_FAILED, "",
	    "line 1: expected the end of the connection, got \"RSET\"" },
	{ SERVER, "C: EHLO *", "EHLO x\r\nRS", 0, true, PLAY_FAILED, "",
	    "line 1: expected the end of the connection, got \"RS\"" },
	{ SERVER, "C: A\nS: 1\nC: B\nS: 2", "A\r\nB\r\n", 0, false, PLAY_WAIT,
	    "1\r\n2\r\n", "" },
	{ SERVER, "C: A\nC? B\nS? 2\nS: 3", "A\r\nB\r\n", 0, false, PLAY_WAIT,
	    "2\r\n3\r\n", "" },
	{ SERVER, "C: A\nC? B\nS? 2\nC: C\nS: 3", "A\r\nC\r\n", 0, false,
	    PLAY_WAIT, "3\r\n", "" },
	{ SERVER, "C: A\nC? QUIT\nS? 221", "A\r\n", 0, true, PLAY_DONE, "",
	    "" },
	{ SERVER, "C: A\nC? QUIT\nS? 221", "A\r\nQU", 0, true, PLAY_FAILED, "",
	    "line 3: expected the end of the connection, got \"QU\"" },
	{ SERVER, "C~ ^EHLO ([a-z]+)\nS: 250 hello ${1}\nC: AGAIN ${1}",
	    "EHLO mx\r\nAGAIN mx\r\n", 0, true, PLAY_DONE, "250 hello mx\r\n",
	    "" },
	{ SERVER, "C~ ^A\\*B$", "A*B\r\n", 0, true, PLAY_DONE, "", "" },
	{ SERVER, "C~ ^EHLO$", "HELO\r\n", 0, true, PLAY_FAILED, "",
	    "line 1: expected a line like \"^EHLO$\", got \"HELO\"" },
	{ SERVER, "S~ 250", "", 0, false, PLAY_FAILED, "",
	    "line 1: this side cannot play that" },
	{ SERVER, "S- 250 a\\0b\\x1b\nS: *", "", 0, false, PLAY_WAIT, "250 a",
	    "" },
	{ SERVER, "C- AB\nC: C", "ABC\r\n", 0, true, PLAY_DONE, "", "" },
	{ SERVER, "C- AB", "AC", 0, false, PLAY_FAILED, "",
	    "line 1: expected the octets \"AB\", got \"AC\"" },
	{ SERVER, "C- AB", "A", 0, true, PLAY_FAILED, "",
	    "line 1: expected the octets \"AB\", got \"A\"" },
	{ SERVER, "C: A\nS! close\nC: B", "A\r\n", 0, false, PLAY_CLOSE, "",
	    "" },
	{ SERVER, "C: A\nS: 4\nS! reset", "A\r\n", 0, false, PLAY_RESET,
	    "4\r\n", "" },
	{ SERVER, "C: A\nS! stall", "A\r\nwhatever", 0, false, PLAY_WAIT, "",
	    "" },
	{ SERVER, "C: A\nS! stall", "A\r\nwhatever", 0, true, PLAY_DONE, "",
	    "" },
	{ SERVER, "C: A\nS! deaf", "A\r\n", 0, false, PLAY_DEAF, "", "" },
	{ SERVER, "C: A\nS! deaf", "A\r\n", 0, true, PLAY_DONE, "", "" },
	{ SERVER, "C: A\nC! close", "A\r\n", 0, true, PLAY_DONE, "", "" },
	{ SERVER, "C! reset", "A\r\n", 0, true, PLAY_FAILED, "",
	    "line 1: expected the end of the connection, got \"A\"" },
	{ SERVER, "S! repeat 3 ab\nS: c", "", 0, false, PLAY_WAIT,
	    "abababc\r\n", "" },
	{ SERVER, "S! repeat 0 ab\nS: c", "", 0, false, PLAY_WAIT, "c\r\n",
	    "" },
	{ SERVER, "C! repeat 3 ab", "", 0, false, PLAY_FAILED, "",
	    "line 1: this side cannot play that" },
	{ SERVER, "S! pieces 1\nS: 250 ok", "", 0, false, PLAY_WAIT,
	    "250 ok\r\n", "" },
	{ SERVER, "C! octets 3\nC: d", "abcd\r\n", 0, true, PLAY_DONE, "", "" },
	{ SERVER, "C! octets 3", "ab", 0, true, PLAY_FAILED, "",
	    "line 1: expected more octets, got the end of the connection" },
	{ SERVER, "C~ BDAT ([0-9]+)\nC! octets ${1}\nC: Q",
	    "BDAT 4\r\n\r\nxyQ\r\n", 0, true, PLAY_DONE, "", "" },
	{ SERVER, "C! data\nS: 250", ".\r\n", 0, false, PLAY_WAIT, "250\r\n",
	    "" },
	{ SERVER, "C! data\nC: QUIT", "a\r\n..\r\n.b\r\n\r\n.\r\nQUIT\r\n", 0,
	    true, PLAY_DONE, "", "" },
	{ SERVER, "C! data", "a\r\n", 0, true, PLAY_FAILED, "",
	    "line 1: expected more data, got the end of the connection" },
	{ SERVER, "C! data", "a\n", 0, false, PLAY_FAILED, "",
	    "line 1: a bare CR or LF at octet 1 of the data: got " },
	{ SERVER, "C! data", "a\r.\r", 0, false, PLAY_FAILED, "",
	    "line 1: a bare CR or LF at octet 1 of the data: got " },
	{ SERVER, "C! data", ".\r.", 0, false, PLAY_FAILED, "",
	    "line 1: a bare CR or LF at octet 0 of the data: got " },
	{ SERVER, "C! data", "\r\n.\n", 0, false, PLAY_FAILED, "",
	    "line 1: a bare CR or LF at octet 2 of the data: got " },
	{ SERVER, "message: a\nmessage: .\nC! data message", "a\r\n..\r\n.\r\n",
	    0, true, PLAY_DONE, "", "" },
	{ SERVER, "message: a\nmessage: .\nC! data message", "a\r\n.\r\n", 0,
	    true, PLAY_FAILED, "",
	    "line 3: the lone dot at octet 3 of the data: expected " },
	{ SERVER, "message: a\nC! data message", "b\r\n.\r\n", 0, true,
	    PLAY_FAILED, "",
	    "line 2: a difference at octet 0 of the data: expected " },
	{ SERVER, "message: a\nC! data message", "a\r\nb", 0, true, PLAY_FAILED,
	    "", "line 2: a difference at octet 3 of the data: expected " },
	{ CLIENT, "S: 220 *\nC: EHLO x\nS+ 250 *\nC: QUIT",
	    "220 hi\r\n250-a\r\n250-b\n250 c\r\n", 0, false, PLAY_DONE,
	    "EHLO x\r\nQUIT\r\n", "" },
	{ CLIENT, "S: 220 *\nC: EHLO x\nS+ 250 *\nC: QUIT",
	    "220 hi\r\n250-a\r\n550 c\r\n", 0, false, PLAY_FAILED, "EHLO x\r\n",
	    "line 3: expected the line \"250 *\", got \"550 c\"" },
	{ CLIENT, "S: 354*\nC! data\nS: 250*", "354 go\r\n250 ok\r\n", 0, false,
	    PLAY_DONE, ".\r\n", "" },
	{ CLIENT, "message: .x\nS: 354*\nC! data message", "354 go\r\n", 0,
	    false, PLAY_DONE, "..x\r\n.\r\n", "" },
	{ CLIENT, "S! pieces 1\nS: 220\nS! stall\nC! close", "220\r\n", 0,
	    false, PLAY_CLOSE, "", "" },
	{ CLIENT, "S: 221\nS! close", "221\r\n", 0, true, PLAY_DONE, "", "" },
	{ CLIENT, "S: 221\nS! close", "221\r\n", 0, false, PLAY_WAIT, "", "" },
};

/* Ask for what to do until it is something else than to send. */
static enum play_does
run(struct play *p, struct buf *out, size_t write)
{
	struct play_piece piece;
	enum play_does does;

	while ((does = play_next(p, &piece)) == PLAY_SEND) {
		if (piece.n > write)
			piece.n = write;
		buf_add(out, piece.octets, piece.n);
		play_sent(p, piece.n);
	}
	return does;
}

/* Feed the peer's words `cut` at a time, write ours `write` at a time. */
static void
check_play(const struct play_row *row, size_t cut, size_t write)
{
	size_t n = row->n > 0 ? row->n : strlen(row->peer), at, len;
	struct dialogue *d = read_script(row->script);
	enum play_does does;
	struct play p;
	struct buf out;

	CHECK(d != NULL);
	if (d == NULL)
		return;
	buf_init(&out, 100000);
	play_init(&p, &d->servers[0].connections[0], &d->message, row->us);
	does = run(&p, &out, write);
	for (at = 0; at < n && does == PLAY_WAIT; at += len) {
		len = n - at < cut ? n - at : cut;
		play_feed(&p, row->peer + at, len);
		does = run(&p, &out, write);
	}
	if (row->ends && (does == PLAY_WAIT || does == PLAY_DEAF)) {
		play_end(&p);
		does = run(&p, &out, write);
	}
	CHECK_INT(does, row->does);
	CHECK_STR(buf_str(&out), row->out);
	if (row->why[0] == '\0' ||
	    strncmp(play_why(&p), row->why, strlen(row->why)) != 0)
		CHECK_STR(play_why(&p), row->why);
	play_free(&p);
	dialogue_free(d);
	buf_free(&out);
}

TEST(plays_of_either_side)
{
	size_t i;

	for (i = 0; i < COUNT(played); i++)
		check_play(&played[i], SIZE_MAX, SIZE_MAX);
}

/* What is shown of a failure depends on how much of it had come. */
TEST(plays_octet_by_octet)
{
	struct play_row row;
	size_t i;

	for (i = 0; i < COUNT(played); i++) {
		row = played[i];
		if (row.does == PLAY_FAILED)
			row.why = "line ";
		check_play(&row, 1, 1);
	}
}

TEST(pieces_are_cut_and_paused)
{
	struct dialogue *d = read_script("S! pieces 2 30\nS: abc");
	struct play_piece piece;
	struct play p;

	play_init(&p, &d->servers[0].connections[0], &d->message, SIDE_SERVER);
	CHECK_INT(play_next(&p, &piece), PLAY_SEND);
	CHECK_MEM(piece.octets, piece.n, "ab", 2);
	CHECK_INT(piece.ms, 30);
	play_sent(&p, 1);
	CHECK_INT(play_next(&p, &piece), PLAY_SEND);
	CHECK_MEM(piece.octets, piece.n, "bc", 2);
	play_sent(&p, 2);
	CHECK_INT(play_next(&p, &piece), PLAY_SEND);
	CHECK_MEM(piece.octets, piece.n, "\r\n", 2);
	play_end(&p);
	CHECK_INT(play_next(&p, &piece), PLAY_DONE);
	play_free(&p);
	play_free(NULL);
	dialogue_free(d);
}

TEST(calls_are_named_once)
{
	struct dialogue *d = read_script("S! call the police\nS: 250");
	struct play_piece piece;
	struct play p;

	play_init(&p, &d->servers[0].connections[0], &d->message, SIDE_SERVER);
	CHECK_INT(play_next(&p, &piece), PLAY_CALL);
	CHECK_STR(piece.octets, "the police");
	CHECK_INT(play_next(&p, &piece), PLAY_SEND);
	CHECK_MEM(piece.octets, piece.n, "250\r\n", 5);
	play_free(&p);
	dialogue_free(d);
}

TEST(endless_is_endless_until_the_peer_ends)
{
	struct dialogue *d = read_script("S! endless xy\nC? QUIT");
	struct play_piece piece;
	struct play p;
	size_t sum = 0;

	play_init(&p, &d->servers[0].connections[0], &d->message, SIDE_SERVER);
	while (sum < 1000000 && play_next(&p, &piece) == PLAY_SEND) {
		CHECK(memcmp(piece.octets, "xyxy", 4) == 0);
		sum += piece.n;
		play_sent(&p, piece.n);
	}
	CHECK(sum >= 1000000);
	play_end(&p);
	CHECK_INT(play_next(&p, &piece), PLAY_DONE);
	play_free(&p);
	dialogue_free(d);
}

TEST(a_peer_that_floods_is_told_off)
{
	struct dialogue *d = read_script("C: EHLO");
	static char x[PLAY_LINE_MAX + 1];
	struct play_piece piece;
	struct play p;
	size_t i;

	memset(x, 'x', sizeof(x));
	play_init(&p, &d->servers[0].connections[0], &d->message, SIDE_SERVER);
	play_feed(&p, x, sizeof(x));
	CHECK_INT(play_next(&p, &piece), PLAY_FAILED);
	play_free(&p);
	play_init(&p, &d->servers[0].connections[0], &d->message, SIDE_SERVER);
	for (i = 0; i < PLAY_IN_MAX / sizeof(x) + 1; i++)
		play_feed(&p, x, sizeof(x));
	CHECK_INT(play_next(&p, &piece), PLAY_FAILED);
	CHECK_STR(play_why(&p), "line 1: more octets than a play holds");
	play_free(&p);
	dialogue_free(d);
}

TEST_MAIN
