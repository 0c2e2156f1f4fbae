/*
 * reply_test: replies whole, in every cut, malformed and over the limits.
 * Run by make unit and script/test; each row is fed whole, octet by octet
 * and in every two pieces, and must come out the same.
 * It never touches a socket.
 * RFC 5321 4.2 and 4.2.1, RFC 2034 4; the limits are those of reply.h.
 */
#include "base/buf.h"
#include "smtp/reply.h"
#include "tests/unit/test.h"

struct good_row {
	const char *octets;
	size_t used; /* 0: all of them */
	int code;
	size_t lines;
	const char *text;
	const char *words;
};

static const struct good_row good[] = {
	{ "250 OK\r\n", 0, 250, 1, "OK", "250 OK" },
	{ "250 OK\n", 0, 250, 1, "OK", "250 OK" },
	{ "250\r\n", 0, 250, 1, "", "250" },
	{ "250\n", 0, 250, 1, "", "250" },
	{ "250 \r\n", 0, 250, 1, "", "250" },
	{ "250-\r\n250\r\n", 0, 250, 2, "\n", "250" },
	{ "250-\r\n250 x\r\n", 0, 250, 2, "\nx", "250 x" },
	{ "250-a\r\n250-b\n250 c\r\n", 0, 250, 3, "a\nb\nc", "250 a b c" },
	{ "250-a\r\n250\r\n", 0, 250, 2, "a\n", "250 a" },
	{ "354 go\r\n", 0, 354, 1, "go", "354 go" },
	{ "599 x\r\n", 0, 599, 1, "x", "599 x" },
	{ "200 x\r\n", 0, 200, 1, "x", "200 x" },
	{ "250  two\r\n", 0, 250, 1, " two", "250  two" },
	{ "250 a\rb\r\n", 0, 250, 1, "a\rb", "250 a\\x0Db" },
	{ "250 OK\r\n250 second\r\n", 8, 250, 1, "OK", "250 OK" },
	{ "220 ok\r\n\r\n", 8, 220, 1, "ok", "220 ok" },
	{ "550 \x1b[31mred\x07\r\n", 0, 550, 1, "\x1b[31mred\x07",
	    "550 \\x1B[31mred\\x07" },
	{ "550 5.1.1 no\r\n", 0, 550, 1, "5.1.1 no", "550 5.1.1 no" },
	{ "550-5.1.1 no\r\n550 5.1.1 one\r\n", 0, 550, 2, "5.1.1 no\n5.1.1 one",
	    "550 5.1.1 no one" },
	{ "550-5.1.1 no\r\n550 5.1.2 one\r\n", 0, 550, 2, "5.1.1 no\n5.1.2 one",
	    "550 5.1.1 no 5.1.2 one" },
	{ "550-5.1.1\r\n550 5.1.1\r\n", 0, 550, 2, "5.1.1\n5.1.1",
	    "550 5.1.1 5.1.1" },
};

struct bad_row {
	const char *octets;
	size_t n; /* 0: strlen */
	const char *why;
};

static const struct bad_row malformed[] = {
	{ "\r\n", 0, "an empty line" },
	{ "\n", 0, "an empty line" },
	{ "\r\n250 OK\r\n", 0, "an empty line" },
	{ "250-a\r\n\r\n250 b\r\n", 0, "an empty line" },
	{ "bogus\r\n", 0, "no reply code" },
	{ "2200 x\r\n", 0, "no reply code" },
	{ "850 x\r\n", 0, "no reply code" },
	{ "150 x\r\n", 0, "no reply code" },
	{ "099 x\r\n", 0, "no reply code" },
	{ "600 x\r\n", 0, "no reply code" },
	{ "25 x\r\n", 0, "no reply code" },
	{ "25\r\n", 0, "no reply code" },
	{ "2\r\n", 0, "no reply code" },
	{ "2x0 x\r\n", 0, "no reply code" },
	{ "25x x\r\n", 0, "no reply code" },
	{ "250x\r\n", 0, "no reply code" },
	{ "250+x\r\n", 0, "no reply code" },
	{ "250\tx\r\n", 0, "no reply code" },
	{ " 250 x\r\n", 0, "no reply code" },
	{ "250\r\r\n", 0, "no reply code" },
	{ "HTTP/1.1 400 Bad Request\r\n", 0, "no reply code" },
	{ "\xb2\xb5\xb0 x\r\n", 0, "no reply code" },
	{ "250-a\r\nbogus\r\n", 0, "no reply code" },
	{ "250-a\r\n251 b\r\n", 0, "different codes in one reply" },
	{ "250-a\r\n550-b\r\n250 c\r\n", 0, "different codes in one reply" },
	{ "250 a\0b\r\n", 9, "a NUL" },
	{ "\0", 1, "a NUL" },
	{ "250 OK\0\r\n", 9, "a NUL" },
	{ "250-a\r\n250 b\0\r\n", 15, "a NUL" },
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/*
 * Feed n octets, `piece` at a time after a first one of `first`, until the
 * reply is decided; *used is the sum.
 */
static enum reply_status
feed(struct reply *r, const char *s, size_t n, size_t first, size_t piece,
    size_t *used)
{
	enum reply_status status = REPLY_MORE;
	size_t at = 0, len = first, took;

	while (at < n && status == REPLY_MORE) {
		if (len > n - at)
			len = n - at;
		status = reply_feed(r, s + at, len, &took);
		at += took;
		len = piece;
	}
	*used = at;
	return status;
}

static void
check_good(const struct good_row *row, size_t first, size_t piece)
{
	struct reply r;
	char words[200];
	size_t n = strlen(row->octets), used;

	reply_init(&r);
	CHECK_INT(feed(&r, row->octets, n, first, piece, &used), REPLY_DONE);
	CHECK_INT(used, row->used > 0 ? row->used : n);
	CHECK_INT(r.code, row->code);
	CHECK_INT(r.lines, row->lines);
	CHECK_STR(buf_str(&r.text), row->text);
	CHECK_STR(reply_words(&r, words, sizeof(words)), row->words);
	CHECK(r.bad == NULL);
	reply_free(&r);
}

TEST(well_formed_replies_in_every_cut)
{
	size_t i, cut;

	for (i = 0; i < COUNT(good); i++) {
		for (cut = 1; cut < strlen(good[i].octets); cut++)
			check_good(&good[i], cut, SIZE_MAX);
		check_good(&good[i], SIZE_MAX, SIZE_MAX);
		check_good(&good[i], 1, 1);
	}
}

static void
check_bad(const struct bad_row *row, size_t first, size_t piece, size_t *used)
{
	size_t n = row->n > 0 ? row->n : strlen(row->octets);
	struct reply r;

	reply_init(&r);
	CHECK_INT(feed(&r, row->octets, n, first, piece, used), REPLY_BAD);
	CHECK_STR(r.bad, row->why);
	reply_free(&r);
}

TEST(malformed_replies_in_every_cut)
{
	size_t i, cut, n, whole, used;

	for (i = 0; i < COUNT(malformed); i++) {
		n = malformed[i].n > 0 ? malformed[i].n
				       : strlen(malformed[i].octets);
		check_bad(&malformed[i], SIZE_MAX, SIZE_MAX, &whole);
		for (cut = 1; cut < n; cut++) {
			check_bad(&malformed[i], cut, SIZE_MAX, &used);
			CHECK_INT(used, whole);
		}
		check_bad(&malformed[i], 1, 1, &used);
		CHECK_INT(used, whole);
	}
}

TEST(every_part_of_a_reply_is_not_yet_whole)
{
	static const char s[] = "250-mx.example.net\r\n250-SIZE\r\n250 DSN\r\n";
	struct reply r;
	size_t n, used;

	for (n = 0; n + 1 < sizeof(s); n++) {
		reply_init(&r);
		CHECK_INT(reply_feed(&r, s, n, &used), REPLY_MORE);
		CHECK_INT(used, n);
		reply_free(&r);
	}
}

TEST(codes_are_three_digits_from_200_to_599)
{
	struct reply r;
	char line[32];
	size_t used;
	int code, n;

	reply_init(&r);
	for (code = 0; code <= 999; code++) {
		n = snprintf(line, sizeof(line), "%03d x\r\n", code);
		reply_reset(&r);
		CHECK_INT(reply_feed(&r, line, (size_t)n, &used),
		    code >= 200 && code < 600 ? REPLY_DONE : REPLY_BAD);
		CHECK_INT(r.code, code >= 200 && code < 600 ? code : 0);
	}
	reply_free(&r);
}

TEST(replies_follow_each_other)
{
	static const char s[] = "220 a\r\n250-b\r\n250 c\r\n550 5.1.1 d\r\n";
	static const int codes[] = { 220, 250, 550 };
	struct reply r;
	size_t at = 0, used, i;

	reply_init(&r);
	for (i = 0; i < COUNT(codes); i++) {
		reply_reset(&r);
		CHECK_INT(reply_feed(&r, s + at, sizeof(s) - 1 - at, &used),
		    REPLY_DONE);
		CHECK_INT(r.code, codes[i]);
		CHECK_INT(r.enhanced.class, codes[i] == 550 ? 5 : 0);
		at += used;
	}
	CHECK_INT(at, sizeof(s) - 1);
	reply_free(&r);
}

TEST(a_bad_reply_stays_bad)
{
	struct reply r;
	size_t used;

	reply_init(&r);
	CHECK_INT(reply_feed(&r, "x\r\n", 3, &used), REPLY_BAD);
	CHECK_INT(reply_feed(&r, "250 OK\r\n", 8, &used), REPLY_BAD);
	CHECK_INT(used, 0);
	reply_reset(&r);
	CHECK_INT(reply_feed(&r, "250 OK\r\n", 8, &used), REPLY_DONE);
	reply_free(&r);
}

static const struct {
	const char *octets;
	struct enhanced want;
} enhanced[] = {
	{ "250 2.1.5 ok\r\n", { 2, 1, 5 } },
	{ "550 5.1.1\r\n", { 5, 1, 1 } },
	{ "550 5.123.456 x\r\n", { 5, 123, 456 } },
	{ "550-x\r\n550 5.7.1 y\r\n", { 5, 7, 1 } },
	{ "550-5.7.1 x\r\n550 5.1.1 y\r\n", { 5, 7, 1 } },
	{ "550 4.7.1 x\r\n", { 0, 0, 0 } },
	{ "450 5.7.1 x\r\n", { 0, 0, 0 } },
	{ "550-4.7.1 x\r\n550 5.1.1 y\r\n", { 5, 1, 1 } },
	{ "354 2.0.0 go\r\n", { 0, 0, 0 } },
	{ "550 5.1.1x\r\n", { 0, 0, 0 } },
	{ "550 5.1\r\n", { 0, 0, 0 } },
	{ "550 5.1.\r\n", { 0, 0, 0 } },
	{ "550 5.1.1234 x\r\n", { 0, 0, 0 } },
	{ "550  5.1.1 x\r\n", { 0, 0, 0 } },
	{ "550 x 5.1.1\r\n", { 0, 0, 0 } },
};

TEST(enhanced_codes)
{
	struct reply r;
	size_t i, used;

	reply_init(&r);
	for (i = 0; i < COUNT(enhanced); i++) {
		reply_reset(&r);
		reply_feed(
		    &r, enhanced[i].octets, strlen(enhanced[i].octets), &used);
		CHECK_INT(r.enhanced.class, enhanced[i].want.class);
		CHECK_INT(r.enhanced.subject, enhanced[i].want.subject);
		CHECK_INT(r.enhanced.detail, enhanced[i].want.detail);
	}
	reply_free(&r);
}

/* "250 " and then x up to n octets of line, then the end given. */
static enum reply_status
long_line(struct reply *r, size_t n, const char *end)
{
	enum reply_status status;
	size_t used, i;

	status = reply_feed(r, "250 ", 4, &used);
	for (i = 4; i < n && status == REPLY_MORE; i++)
		status = reply_feed(r, "x", 1, &used);
	if (status == REPLY_MORE)
		status = reply_feed(r, end, strlen(end), &used);
	return status;
}

TEST(long_lines_are_cut_and_endless_ones_refused)
{
	static const struct {
		size_t n, kept;
		enum reply_status want;
	} rows[] = {
		{ REPLY_LINE_KEPT - 1, REPLY_LINE_KEPT - 5, REPLY_DONE },
		{ REPLY_LINE_KEPT, REPLY_LINE_KEPT - 4, REPLY_DONE },
		{ REPLY_LINE_KEPT + 1, REPLY_LINE_KEPT - 4, REPLY_DONE },
		{ REPLY_LINE_MAX - 1, REPLY_LINE_KEPT - 4, REPLY_DONE },
		{ REPLY_LINE_MAX, 0, REPLY_BAD }, /* the CR is one more */
		{ REPLY_LINE_MAX + 1, 0, REPLY_BAD },
	};
	struct reply r;
	size_t i, len;

	reply_init(&r);
	for (i = 0; i < COUNT(rows); i++) {
		reply_reset(&r);
		CHECK_INT(long_line(&r, rows[i].n, "\r\n"), rows[i].want);
		if (rows[i].want != REPLY_DONE)
			continue;
		CHECK(reply_line(&r, 0, &len) != NULL);
		CHECK_INT(len, rows[i].kept);
	}
	CHECK_STR(r.bad, "a line without end");
	reply_free(&r);
}

static enum reply_status
many_lines(struct reply *r, size_t n, const char *line)
{
	enum reply_status status = REPLY_MORE;
	size_t used, i;

	for (i = 1; i < n && status == REPLY_MORE; i++)
		status = reply_feed(r, line, strlen(line), &used);
	if (status == REPLY_MORE)
		status = reply_feed(r, "250 end\r\n", 9, &used);
	return status;
}

TEST(a_reply_has_at_most_a_hundred_lines)
{
	struct reply r;

	reply_init(&r);
	CHECK_INT(many_lines(&r, REPLY_LINES_MAX, "250-x\r\n"), REPLY_DONE);
	CHECK_INT(r.lines, REPLY_LINES_MAX);
	reply_reset(&r);
	CHECK_INT(many_lines(&r, REPLY_LINES_MAX + 1, "250-x\r\n"), REPLY_BAD);
	CHECK_STR(r.bad, "too many lines");
	reply_free(&r);
}

TEST(a_reply_has_at_most_64_kib)
{
	char line[1100] = "250-";
	struct reply r;

	memset(line + 4, 'y', sizeof(line) - 4);
	memcpy(line + sizeof(line) - 3, "\r\n", 3);
	reply_init(&r);
	CHECK_INT(many_lines(&r, 50, line), REPLY_DONE);
	reply_reset(&r);
	CHECK_INT(many_lines(&r, 90, line), REPLY_BAD);
	CHECK_STR(r.bad, "too many octets");
	CHECK(r.octets <= REPLY_TEXT_MAX + 1);
	reply_free(&r);
}

TEST(lines_are_found_by_number)
{
	static const char s[] = "250-a\r\n250-\r\n250 ccc\r\n";
	static const char *const want[] = { "a", "", "ccc" };
	const char *line;
	struct reply r;
	size_t used, i, len = 0;

	reply_init(&r);
	CHECK(reply_line(&r, 0, &len) == NULL);
	reply_feed(&r, s, sizeof(s) - 1, &used);
	for (i = 0; i < COUNT(want); i++) {
		line = reply_line(&r, i, &len);
		CHECK_MEM(line, len, want[i], strlen(want[i]));
	}
	CHECK(reply_line(&r, 3, &len) == NULL);
	reply_free(&r);
}

TEST(words_are_cut_to_fit)
{
	struct reply r;
	char words[12];
	size_t used;

	reply_init(&r);
	CHECK_STR(reply_words(&r, words, sizeof(words)), "");
	reply_feed(&r, "550 no such user here\r\n", 23, &used);
	CHECK_STR(reply_words(&r, words, sizeof(words)), "550 no such");
	CHECK_STR(reply_words(&r, words, 1), "");
	reply_free(&r);
	reply_free(NULL);
}

TEST_MAIN
