/*
 * base: buffers that fail once and stay failed, the exit map row by row,
 * records that believe nothing.
 * RFC 3463, RFC 5321 4.2.3, sysexits(3).
 */
#include <errno.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/record.h"
#include "base/wait.h"
#include "tests/unit/test.h"

TEST(buf_keeps_its_limit)
{
	struct buf b;

	buf_init(&b, 5);
	buf_adds(&b, "abc");
	buf_addc(&b, 'd');
	CHECK(buf_ok(&b));
	buf_adds(&b, "ef");
	CHECK(!buf_ok(&b));
	CHECK_STR(buf_str(&b), "abcd");
	buf_addc(&b, 'e');
	CHECK_STR(buf_str(&b), "abcd");
	buf_reset(&b);
	CHECK(buf_ok(&b));
	buf_adds(&b, "fghij");
	CHECK(buf_ok(&b));
	CHECK_STR(buf_str(&b), "fghij");
	buf_free(&b);
}

TEST(buf_moves_and_cuts)
{
	struct buf b;

	buf_init(&b, 1000);
	CHECK_STR(buf_str(&b), "");
	buf_consume(&b, 3);
	buf_addf(&b, "%s-%d", "abc", 12);
	buf_consume(&b, 2);
	CHECK_STR(buf_str(&b), "c-12");
	buf_cut(&b, 9);
	CHECK_INT(b.len, 4);
	buf_cut(&b, 1);
	CHECK_STR(buf_str(&b), "c");
	buf_consume(&b, 9);
	CHECK_INT(b.len, 0);
	for (int i = 0; i < 500; i++)
		buf_adds(&b, "xy");
	CHECK(buf_ok(&b));
	CHECK_INT(b.len, 1000);
	buf_free(&b);
	buf_free(NULL);
}

struct exit_case {
	enum err_verdict verdict;
	enum err_kind kind;
	enum stage stage;
	int code;
	struct enhanced x;
	int exit;
};

static const struct exit_case exits[] = {
	{ ERR_OK, ERR_REPLY, STAGE_END, 250, { 2, 0, 0 }, 0 },
	{ ERR_TEMP, ERR_REPLY, STAGE_RCPT, 450, { 4, 2, 1 }, 75 },
	{ ERR_TEMP, ERR_REPLY, STAGE_RCPT, 450, { 5, 1, 1 }, 75 },
	{ ERR_TEMP, ERR_CONNECT, STAGE_CONNECT, 0, { 0 }, 75 },
	{ ERR_TEMP, ERR_MACHINE, STAGE_NONE, 0, { 0 }, 71 },
	{ ERR_PERM, ERR_REPLY, STAGE_RCPT, 550, { 0 }, 67 },
	{ ERR_PERM, ERR_REPLY, STAGE_RCPT, 551, { 0 }, 67 },
	{ ERR_PERM, ERR_REPLY, STAGE_RCPT, 553, { 0 }, 67 },
	{ ERR_PERM, ERR_REPLY, STAGE_RCPT, 554, { 0 }, 69 },
	{ ERR_PERM, ERR_REPLY, STAGE_RCPT, 550, { 5, 7, 1 }, 77 },
	{ ERR_PERM, ERR_REPLY, STAGE_RCPT, 550, { 5, 2, 1 }, 69 },
	{ ERR_PERM, ERR_REPLY, STAGE_RCPT, 550, { 5, 0, 0 }, 67 },
	{ ERR_PERM, ERR_REPLY, STAGE_RCPT, 550, { 4, 7, 1 }, 67 },
	{ ERR_PERM, ERR_REPLY, STAGE_RCPT, 554, { 5, 1, 1 }, 67 },
	{ ERR_PERM, ERR_REPLY, STAGE_RCPT, 554, { 5, 1, 3 }, 67 },
	{ ERR_PERM, ERR_REPLY, STAGE_RCPT, 554, { 5, 1, 6 }, 67 },
	{ ERR_PERM, ERR_REPLY, STAGE_RCPT, 554, { 5, 1, 2 }, 68 },
	{ ERR_PERM, ERR_REPLY, STAGE_RCPT, 554, { 5, 1, 10 }, 68 },
	{ ERR_PERM, ERR_REPLY, STAGE_RCPT, 556, { 0 }, 68 },
	{ ERR_PERM, ERR_REPLY, STAGE_MAIL, 550, { 0 }, 69 },
	{ ERR_PERM, ERR_REPLY, STAGE_END, 550, { 0 }, 69 },
	{ ERR_PERM, ERR_REPLY, STAGE_END, 554, { 5, 6, 0 }, 65 },
	{ ERR_PERM, ERR_REPLY, STAGE_END, 554, { 5, 7, 30 }, 77 },
	{ ERR_PERM, ERR_AUTH, STAGE_AUTH, 535, { 0 }, 77 },
	{ ERR_PERM, ERR_DATA, STAGE_INPUT, 0, { 5, 6, 0 }, 65 },
	{ ERR_PERM, ERR_DATA, STAGE_INPUT, 0, { 5, 1, 3 }, 67 },
	{ ERR_PERM, ERR_LOOKUP, STAGE_LOOKUP, 0, { 5, 1, 2 }, 68 },
	{ ERR_PERM, ERR_LOOKUP, STAGE_LOOKUP, 0, { 0 }, 68 },
	{ ERR_PERM, ERR_LOOKUP, STAGE_LOOKUP, 0, { 5, 4, 6 }, 69 },
	{ ERR_PERM, ERR_USAGE, STAGE_NONE, 0, { 0 }, 64 },
	{ ERR_PERM, ERR_INPUT, STAGE_INPUT, 0, { 0 }, 66 },
	{ ERR_PERM, ERR_INTERNAL, STAGE_NONE, 0, { 0 }, 70 },
	{ ERR_PERM, ERR_OUTPUT, STAGE_NONE, 0, { 0 }, 73 },
	{ ERR_PERM, ERR_CONFIG, STAGE_NONE, 0, { 0 }, 78 },
	{ ERR_PERM, ERR_PROTOCOL, STAGE_NONE, 0, { 0 }, 69 },
	{ ERR_PERM, ERR_REPLY, STAGE_MAIL, 0, { 5, 3, 4 }, 69 },
};

TEST(exit_codes)
{
	for (size_t i = 0; i < sizeof exits / sizeof exits[0]; i++) {
		const struct exit_case *c = &exits[i];
		struct err e;

		err_set(&e, c->verdict, c->kind, "case %zu", i);
		e.stage = c->stage;
		e.code = c->code;
		e.enhanced = c->x;
		CHECK_INT(err_exit(&e), c->exit);
	}
}

TEST(only_71_and_75_invite_a_retry)
{
	struct err e;

	for (int kind = 0; kind < ERR_KINDS; kind++) {
		err_set(&e, ERR_TEMP, (enum err_kind)kind, "x");
		CHECK(err_exit(&e) == 71 || err_exit(&e) == 75);
		err_set(&e, ERR_PERM, (enum err_kind)kind, "x");
		CHECK(err_exit(&e) != 75 && err_exit(&e) != 0);
	}
}

TEST(error_text_is_printable_and_cut)
{
	struct err e;
	char long_text[2000];

	err_set(&e, ERR_PERM, ERR_DATA, "a\nb\x1b[31m");
	CHECK_STR(e.text, "a\\x0Ab\\x1B[31m");
	memset(long_text, 'x', sizeof long_text);
	long_text[sizeof long_text - 1] = '\0';
	err_set(&e, ERR_PERM, ERR_DATA, "%s", long_text);
	CHECK_INT(strlen(e.text), ERR_TEXT_MAX - 1);
	err_errno(&e, ERR_TEMP, ERR_MACHINE, 2, "open \"%s\"", "x");
	CHECK_STR(e.text, "open \"x\": No such file or directory");
	CHECK_INT(e.enhanced.class, 0);
}

TEST(a_full_disk_has_a_code_of_its_own)
{
	struct err e;

	err_errno(&e, ERR_TEMP, ERR_MACHINE, ENOSPC, "write");
	CHECK_INT(e.enhanced.class, 4);
	CHECK_INT(e.enhanced.subject, 3);
	CHECK_INT(e.enhanced.detail, 1);
	err_errno(&e, ERR_PERM, ERR_OUTPUT, ENOSPC, "write");
	CHECK_INT(e.enhanced.class, 0);
}

TEST(enhanced_codes)
{
	static const struct {
		const char *s;
		size_t used;
		const char *out;
	} c[] = {
		{ "5.1.1 no", 5, "5.1.1" },
		{ "2.0.0", 5, "2.0.0" },
		{ "4.123.456 x", 9, "4.123.456" },
		{ "3.1.1 x", 0, "" },
		{ "5.1.1x", 0, "" },
		{ "5.1234.1 x", 0, "" },
		{ "5.1.1234 x", 0, "" },
		{ "5..1 x", 0, "" },
		{ "5.1. x", 0, "" },
		{ "5.1", 0, "" },
		{ "", 0, "" },
	};
	char out[ENHANCED_MAX];

	for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
		struct enhanced x;

		CHECK_INT(
		    enhanced_parse(&x, c[i].s, strlen(c[i].s)), c[i].used);
		CHECK_STR(enhanced_str(&x, out), c[i].out);
	}
}

TEST(records_come_back)
{
	struct buf b;
	struct record r;
	struct field f;
	char s[8];
	size_t mark;

	buf_init(&b, RECORD_MAX);
	mark = record_begin(&b, 7);
	record_number(&b, 1, UINT64_MAX);
	record_string(&b, 2, "hello");
	record_octets(&b, 3, "a\0b", 3);
	record_end(&b, mark);
	for (size_t n = 0; n < b.len; n++)
		CHECK_INT(record_open(&r, b.data, n), 0);
	CHECK_INT(record_open(&r, b.data, b.len), b.len);
	CHECK_INT(r.type, 7);
	CHECK_INT(record_next(&r, &f), 1);
	CHECK(f.tag == 1 && f.kind == FIELD_NUMBER && f.number == UINT64_MAX);
	CHECK_INT(record_next(&r, &f), 1);
	CHECK_INT(field_str(&f, s, sizeof s), 0);
	CHECK_STR(s, "hello");
	CHECK_INT(field_str(&f, s, 5), -1);
	CHECK_INT(record_next(&r, &f), 1);
	CHECK_INT(f.len, 3);
	CHECK_INT(field_str(&f, s, sizeof s), -1);
	CHECK_INT(record_next(&r, &f), 0);
	buf_free(&b);
}

/* Each octet of a record is set to each of some values: never an overrun. */
TEST(records_believe_nothing)
{
	static const unsigned char values[] = { 0, 1, 2, 8, 127, 128, 255 };
	struct buf b;
	struct record r;
	struct field f;
	char *copy;

	buf_init(&b, RECORD_MAX);
	record_end(&b,
	    (record_begin(&b, 1), record_number(&b, 1, 5),
		record_string(&b, 2, "text"), (size_t)0));
	copy = malloc(b.len);
	for (size_t i = 0; i < b.len; i++)
		for (size_t v = 0; v < sizeof values; v++) {
			memcpy(copy, b.data, b.len);
			copy[i] = (char)values[v];
			if (record_open(&r, copy, b.len) > 0)
				while (record_next(&r, &f) == 1)
					CHECK(f.octets + f.len <= copy + b.len);
		}
	free(copy);
	CHECK_INT(record_open(&r, "\xff\xff\xff\xff\0\0\0\0", 8), -1);
	CHECK_INT(record_open(&r, "\1\0\0\0\0\0\0\0", 8), -1);
	buf_free(&b);
}

TEST(waits_end)
{
	volatile sig_atomic_t stop = 1;
	struct waiter w = { .stop = &stop };
	struct pollfd p = { .fd = -1 };

	CHECK_INT(wait_fds(NULL, &p, 1, wait_now()), WAIT_TIMEOUT);
	CHECK_INT(wait_fds(&w, &p, 1, INT64_MAX), WAIT_STOPPED);
	CHECK(wait_until(-1) == INT64_MAX);
	CHECK(wait_stopped(&w));
	stop = 0;
	CHECK(!wait_stopped(&w));
	CHECK(!wait_stopped(NULL));
}

static volatile sig_atomic_t heard;

static void
hear(int sig)
{
	heard = sig;
}

/* As whoever finds something ready whenever it waits would never. */
TEST(a_look_lets_signals_in)
{
	struct sigaction sa = { .sa_handler = hear }, old;
	struct waiter w = { .stop = &heard };
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };
	sigset_t usr1;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigaction(SIGUSR1, &sa, &old);
	sigprocmask(SIG_BLOCK, &usr1, &w.mask);
	CHECK(!wait_look(&w));
	CHECK(!wait_look(NULL));
	raise(SIGUSR1);
	CHECK(!wait_stopped(&w));
	CHECK_INT(wait_fds(&w, &p, 1, INT64_MAX), 1);
	CHECK(!wait_stopped(&w));
	CHECK(wait_look(&w));
	CHECK(wait_stopped(&w));
	sigprocmask(SIG_SETMASK, &w.mask, NULL);
	sigaction(SIGUSR1, &old, NULL);
}

TEST(a_bound_ends_all_waits)
{
	struct waiter w = { .bound = { 0 } };
	struct pollfd p = { .fd = -1 };
	struct err e;

	CHECK(!wait_over(&w));
	CHECK(!wait_over(NULL));
	CHECK(wait_left(&w, -1) == -1);
	CHECK(wait_left(NULL, 5) == 5);
	w.bound = wait_within(3600 * 1000, "try_time");
	CHECK(!wait_over(&w));
	CHECK(wait_left(&w, 5) == 5);
	CHECK(wait_left(&w, -1) > 3599 * 1000);
	CHECK_INT(wait_fds(&w, &p, 1, wait_now()), WAIT_TIMEOUT);
	w.bound = wait_within(1, "try_time");
	CHECK_INT(wait_fds(&w, &p, 1, INT64_MAX), WAIT_TIMEOUT);
	CHECK(wait_over(&w));
	CHECK(wait_left(&w, 5) == 0);
	CHECK(wait_left(&w, -1) == 0);
	w.bound.ms = 1500;
	CHECK_INT(wait_over_err(&w, &e), -1);
	CHECK_INT(e.verdict, ERR_TEMP);
	CHECK_INT(e.kind, ERR_CONNECT);
	CHECK_STR(e.text, "not within try_time, 1.5 s");
}

TEST_MAIN
