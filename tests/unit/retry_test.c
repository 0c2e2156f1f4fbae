/*
 * retry: what is final and what is not, each row of the schedule at both ends
 * of chance, and clocks that jump.
 * RFC 5321 4.5.4.1; the man page, QUEUE.
 */
#include "base/err.h"
#include "mail/envelope.h"
#include "queue/entry.h"
#include "queue/retry.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* 2026-01-01T00:00:00Z */
#define NOW ((int64_t)1767225600 * 1000)

TEST(who_is_final)
{
	static const struct {
		enum err_verdict verdict;
		enum err_kind kind;
		enum err_scope scope;
		enum stage stage;
		int code;
		bool final;
	} rows[] = {
		{ ERR_PERM, ERR_REPLY, SCOPE_RECIPIENT, STAGE_RCPT, 550, true },
		{ ERR_PERM, ERR_REPLY, SCOPE_MESSAGE, STAGE_MAIL, 552, true },
		{ ERR_PERM, ERR_REPLY, SCOPE_MESSAGE, STAGE_DATA, 554, true },
		{ ERR_PERM, ERR_REPLY, SCOPE_MESSAGE, STAGE_END, 554, true },
		{ ERR_PERM, ERR_REPLY, SCOPE_RECIPIENT, STAGE_RCPT, 556, true },
		{ ERR_PERM, ERR_DATA, SCOPE_MESSAGE, STAGE_MAIL, 0, true },
		{ ERR_PERM, ERR_LOOKUP, SCOPE_DESTINATION, STAGE_LOOKUP, 0,
		    true },
		{ ERR_TEMP, ERR_REPLY, SCOPE_RECIPIENT, STAGE_RCPT, 450,
		    false },
		{ ERR_TEMP, ERR_LOOKUP, SCOPE_DESTINATION, STAGE_LOOKUP, 0,
		    false },
		{ ERR_OK, ERR_REPLY, SCOPE_MESSAGE, STAGE_END, 250, false },
		/* Hosts, logins and machines may be mended. */
		{ ERR_PERM, ERR_LOOKUP, SCOPE_HOST, STAGE_LOOKUP, 0, false },
		{ ERR_PERM, ERR_REPLY, SCOPE_HOST, STAGE_GREETING, 554, false },
		{ ERR_PERM, ERR_REPLY, SCOPE_HOST, STAGE_EHLO, 550, false },
		{ ERR_PERM, ERR_REPLY, SCOPE_HOST, STAGE_STARTTLS, 501, false },
		{ ERR_PERM, ERR_REPLY, SCOPE_HOST, STAGE_XCLIENT, 501, false },
		{ ERR_PERM, ERR_REPLY, SCOPE_DESTINATION, STAGE_AUTH, 535,
		    false },
		{ ERR_PERM, ERR_REPLY, SCOPE_MESSAGE, STAGE_MAIL, 530, false },
		{ ERR_PERM, ERR_REPLY, SCOPE_RECIPIENT, STAGE_RCPT, 530,
		    false },
		{ ERR_PERM, ERR_AUTH, SCOPE_HOST, STAGE_AUTH, 0, false },
		{ ERR_PERM, ERR_CONFIG, SCOPE_HOST, STAGE_STARTTLS, 0, false },
		{ ERR_PERM, ERR_TLS, SCOPE_HOST, STAGE_STARTTLS, 0, false },
		{ ERR_PERM, ERR_CONNECT, SCOPE_HOST, STAGE_CONNECT, 0, false },
		{ ERR_PERM, ERR_MACHINE, SCOPE_RUN, STAGE_NONE, 0, false },
		{ ERR_PERM, ERR_INTERNAL, SCOPE_MESSAGE, STAGE_MAIL, 0, false },
	};
	struct outcome o;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		o = (struct outcome){ .state = OUTCOME_PENDING };
		o.err = (struct err){ .verdict = rows[i].verdict,
			.kind = rows[i].kind,
			.scope = rows[i].scope,
			.stage = rows[i].stage,
			.code = rows[i].code };
		CHECK_INT(retry_is_final(&o), rows[i].final);
	}
}

TEST(what_is_not_final_is_deferred)
{
	struct outcome o = { .state = OUTCOME_FAILED };

	err_set(&o.err, ERR_PERM, ERR_AUTH, "535 5.7.8 no");
	CHECK(retry_defer(&o));
	CHECK_INT(o.state, OUTCOME_DEFERRED);
	CHECK_INT(o.err.verdict, ERR_TEMP);
	CHECK_STR(o.err.text, "535 5.7.8 no");
	CHECK(!retry_defer(&o));

	o = (struct outcome){ .state = OUTCOME_FAILED };
	err_set(&o.err, ERR_PERM, ERR_DATA, "a line of 70000 octets");
	CHECK(!retry_defer(&o));
	CHECK_INT(o.state, OUTCOME_FAILED);

	o = (struct outcome){ .state = OUTCOME_DELIVERED };
	CHECK(!retry_defer(&o));
	CHECK_INT(o.state, OUTCOME_DELIVERED);
}

TEST(whose_time_is_over_keeps_the_reason)
{
	struct outcome o = { .state = OUTCOME_DEFERRED, .in_doubt = true };
	char text[ENHANCED_MAX];

	err_set(&o.err, ERR_TEMP, ERR_REPLY, "450 4.2.0 busy");
	o.err.code = 450;
	o.err.stage = STAGE_RCPT;
	retry_expire(&o);
	CHECK_INT(o.state, OUTCOME_FAILED);
	CHECK_INT(o.err.verdict, ERR_PERM);
	CHECK_INT(o.err.code, 450);
	CHECK_INT(o.err.stage, STAGE_RCPT);
	CHECK_STR(o.err.text, "450 4.2.0 busy");
	CHECK_STR(enhanced_str(&o.err.enhanced, text), "5.4.7");
	CHECK(o.in_doubt);

	o = (struct outcome){ .state = OUTCOME_PENDING };
	retry_expire(&o);
	CHECK_INT(o.state, OUTCOME_FAILED);
	CHECK_STR(o.err.text, "the time to deliver it is over");
	CHECK_STR(enhanced_str(&o.err.enhanced, text), "5.4.7");
}

TEST(the_schedule)
{
	static const struct {
		unsigned tries;
		int64_t minutes;
	} rows[] = { { 1, 15 }, { 2, 30 }, { 3, 60 }, { 4, 120 }, { 5, 240 },
		{ 6, 240 }, { 1000, 240 }, { UINT32_MAX, 240 } };
	int64_t step;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		step = rows[i].minutes * RETRY_MINUTE;
		CHECK_INT(
		    retry_next(rows[i].tries, NOW, 0), NOW + step - step / 5);
		CHECK_INT(retry_next(rows[i].tries, NOW, UINT32_MAX),
		    NOW + step + step / 5);
		CHECK(retry_next(rows[i].tries, NOW, UINT32_MAX / 2) >=
		    NOW + step - 1);
		CHECK(retry_next(rows[i].tries, NOW, UINT32_MAX / 2) <=
		    NOW + step + 1);
	}
}

TEST(who_is_due)
{
	struct entry en = { .next_try = NOW };

	CHECK(retry_due(&en, NOW));
	CHECK(retry_due(&en, NOW + 1));
	CHECK(!retry_due(&en, NOW - 1));
	/* As far as the longest step reaches, and one beyond: the clock was
	 * set back. */
	en.next_try = retry_next(9, NOW, UINT32_MAX);
	CHECK(!retry_due(&en, NOW));
	CHECK(retry_due(&en, NOW - 1));
}

TEST(whose_time_is_over)
{
	struct entry en = { .arrived = NOW, .tries = 5 };
	int64_t end = NOW + RETRY_LIFETIME;

	CHECK(retry_over(&en, end, RETRY_LIFETIME));
	CHECK(!retry_over(&en, end - 1, RETRY_LIFETIME));
	en.tries = 4;
	CHECK(!retry_over(&en, end * 2, RETRY_LIFETIME));
	/* Of a short life fewer are asked for: at 0, 15 and 45 minutes. */
	en.tries = 3;
	CHECK(retry_over(&en, NOW + RETRY_HOUR, RETRY_HOUR));
	en.tries = 2;
	CHECK(!retry_over(&en, NOW + RETRY_HOUR, RETRY_HOUR));
	en.tries = 1;
	CHECK(retry_over(&en, NOW, 0));
	en.tries = 0;
	CHECK(!retry_over(&en, NOW, 0));
	/* A clock that went back. */
	en.tries = 9;
	CHECK(!retry_over(&en, NOW - RETRY_LIFETIME, RETRY_LIFETIME));
	/* From the future: a quarter of an hour, half an hour, one, two, then
	 * four of them each make 34 tries in five days, the first included. */
	en.tries = 34;
	CHECK(!retry_over(&en, NOW - 1, RETRY_LIFETIME));
	en.tries = 35;
	CHECK(retry_over(&en, NOW - 1, RETRY_LIFETIME));
}

TEST(who_hears_of_the_delay)
{
	struct entry en = { .arrived = NOW, .tries = 1 };

	CHECK(retry_delayed(&en, NOW + RETRY_NOTICE, RETRY_NOTICE));
	CHECK(!retry_delayed(&en, NOW + RETRY_NOTICE - 1, RETRY_NOTICE));
	CHECK(!retry_delayed(&en, NOW + RETRY_NOTICE, -1));
	CHECK(retry_delayed(&en, NOW, 0));
	en.tries = 0;
	CHECK(!retry_delayed(&en, NOW + RETRY_NOTICE, RETRY_NOTICE));
}

TEST_MAIN
