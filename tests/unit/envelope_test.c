/*
 * envelope_test: recipients without doubles, each decided once, and the exit
 * code that follows from all of them.
 */
#include "mail/envelope.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static int
add(struct envelope *env, const char *s)
{
	struct address a;
	struct err e;
	int rc;

	if (address_parse(&a, s, strlen(s), ADDRESS_POSTMASTER, &e) == -1)
		return envelope_add_failed(env, s, strlen(s), &e);
	rc = envelope_add(env, &a, s, strlen(s));
	CHECK(a.raw == NULL && a.ascii == NULL && a.utf8 == NULL);
	return rc;
}

TEST(an_empty_envelope)
{
	struct envelope env;

	envelope_init(&env);
	CHECK_INT(envelope_exit(&env), 0);
	CHECK_INT(envelope_count(&env, OUTCOME_PENDING), 0);
	envelope_free(&env);
	envelope_free(&env);
	envelope_free(NULL);
}

TEST(recipients_keep_their_order_and_lose_doubles)
{
	struct envelope env;

	envelope_init(&env);
	CHECK_INT(add(&env, "B <b@x>"), 0);
	CHECK_INT(add(&env, "a@x"), 0);
	CHECK_INT(add(&env, "b@X"), 1);
	CHECK_INT(add(&env, "B@x"), 0);
	CHECK_INT(add(&env, "postmaster"), 0);
	CHECK_INT(add(&env, "<postmaster>"), 1);
	CHECK_INT(env.n, 4);
	CHECK_STR(env.rcpts[0].addr.raw, "b@x");
	CHECK_STR(env.rcpts[0].given, "B <b@x>");
	CHECK_STR(env.rcpts[1].addr.raw, "a@x");
	CHECK_STR(env.rcpts[2].addr.raw, "B@x");
	CHECK_INT(env.rcpts[0].outcome.state, OUTCOME_PENDING);
	CHECK_INT(envelope_count(&env, OUTCOME_PENDING), 4);
	envelope_free(&env);
	CHECK_INT(env.n, 0);
}

TEST(an_unsendable_recipient_is_failed)
{
	struct envelope env;

	envelope_init(&env);
	CHECK_INT(add(&env, "a b@x\033"), 0);
	CHECK_INT(add(&env, "a b@x\033"), 0);
	CHECK_INT(env.n, 2);
	CHECK(env.rcpts[0].addr.raw == NULL);
	CHECK_STR(env.rcpts[0].given, "a b@x\\x1B");
	CHECK_INT(env.rcpts[0].outcome.state, OUTCOME_FAILED);
	CHECK_INT(env.rcpts[0].outcome.err.stage, STAGE_INPUT);
	CHECK_INT(envelope_count(&env, OUTCOME_FAILED), 2);
	CHECK_INT(envelope_exit(&env), 67);
	envelope_free(&env);
}

TEST(recipients_move)
{
	struct envelope from, to;
	struct address a;
	struct err e;

	envelope_init(&from);
	envelope_init(&to);
	CHECK_INT(address_parse(&a, "a@x.test", 8, 0, &e), 0);
	CHECK_INT(envelope_add(&to, &a, "a@x.test", 8), 0);
	CHECK_INT(address_parse(&a, "A <a@X.test>", 12, 0, &e), 0);
	CHECK_INT(envelope_add(&from, &a, "A <a@X.test>", 12), 0);
	CHECK_INT(address_parse(&a, "b@x.test", 8, 0, &e), 0);
	CHECK_INT(envelope_add(&from, &a, "B", 1), 0);
	from.rcpts[1].notify = NOTIFY_NEVER;
	err_set(&e, ERR_PERM, ERR_DATA, "no");
	CHECK_INT(envelope_add_failed(&from, "?", 1, &e), 0);
	CHECK_INT(envelope_take(&to, &from.rcpts[0]), 1);
	CHECK_INT(envelope_take(&to, &from.rcpts[1]), 0);
	CHECK_INT(envelope_take(&to, &from.rcpts[2]), 0);
	CHECK_INT(to.n, 3);
	CHECK_STR(to.rcpts[1].given, "B");
	CHECK_INT(to.rcpts[1].notify, NOTIFY_NEVER);
	CHECK_INT(to.rcpts[2].outcome.state, OUTCOME_FAILED);
	CHECK(from.rcpts[1].given == NULL);
	CHECK_INT(address_parse(&a, "b@X.TEST", 8, 0, &e), 0);
	CHECK_INT(envelope_add(&to, &a, "b", 1), 1);
	envelope_free(&from);
	envelope_free(&to);
}

TEST(want_of_memory_defers)
{
	struct envelope env;
	struct err e;

	envelope_init(&env);
	err_set(&e, ERR_TEMP, ERR_MACHINE, "no memory");
	CHECK_INT(envelope_add_failed(&env, "a@x", 3, &e), 0);
	CHECK_INT(env.rcpts[0].outcome.state, OUTCOME_DEFERRED);
	CHECK_INT(envelope_exit(&env), 71);
	envelope_free(&env);
}

TEST(a_long_item_is_kept_by_its_head)
{
	struct envelope env;
	struct err e;
	static char s[5000];

	memset(s, 'a', sizeof s);
	envelope_init(&env);
	err_set(&e, ERR_PERM, ERR_DATA, "no");
	CHECK_INT(envelope_add_failed(&env, s, sizeof s, &e), 0);
	CHECK_INT(strlen(env.rcpts[0].given), 1023);
	envelope_free(&env);
}

TEST(twenty_thousand_recipients_twice)
{
	struct envelope env;
	char s[32];
	int added = 0, dropped = 0;

	envelope_init(&env);
	for (int i = 0; i < 40000; i++) {
		snprintf(s, sizeof s, "u%d@example.org", i % 20000);
		if (i % 1000 == 0)
			CHECK_INT(add(&env, "@"), 0);
		if (add(&env, s) == 0)
			added++;
		else
			dropped++;
	}
	CHECK_INT(added, 20000);
	CHECK_INT(dropped, 20000);
	CHECK_INT(env.n, 20040);
	CHECK_STR(env.rcpts[20039 - 20].addr.raw, "u19999@example.org");
	envelope_free(&env);
}

/* ---- outcomes ---- */

TEST(a_recipient_is_decided_once)
{
	static const struct {
		enum err_verdict verdict;
		enum outcome_state state;
	} rows[] = {
		{ ERR_OK, OUTCOME_DELIVERED },
		{ ERR_TEMP, OUTCOME_DEFERRED },
		{ ERR_PERM, OUTCOME_FAILED },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct outcome o = { 0 };
		struct err e, other;

		err_set(&e, rows[i].verdict, ERR_REPLY, "first");
		err_set(&other, ERR_PERM, ERR_REPLY, "second");
		CHECK_INT(outcome_decide(&o, &e), 0);
		CHECK_INT(o.state, rows[i].state);
		CHECK_INT(outcome_decide(&o, &other), -1);
		CHECK_INT(o.state, rows[i].state);
		CHECK_STR(o.err.text, "first");
	}
}

TEST(names_of_outcomes)
{
	CHECK_STR(outcome_name(OUTCOME_PENDING), "pending");
	CHECK_STR(outcome_name(OUTCOME_DELIVERED), "delivered");
	CHECK_STR(outcome_name(OUTCOME_QUEUED), "queued");
	CHECK_STR(outcome_name(OUTCOME_DEFERRED), "deferred");
	CHECK_STR(outcome_name(OUTCOME_FAILED), "failed");
}

/* A recipient's fate by a letter. */
static const struct fate {
	char letter;
	enum outcome_state state;
	enum err_verdict verdict;
	enum err_kind kind;
	int code;
} fates[] = {
	{ 'D', OUTCOME_DELIVERED, ERR_OK, ERR_REPLY, 250 },
	{ 'Q', OUTCOME_QUEUED, ERR_TEMP, ERR_REPLY, 450 },
	{ 't', OUTCOME_DEFERRED, ERR_TEMP, ERR_REPLY, 450 },
	{ 'm', OUTCOME_DEFERRED, ERR_TEMP, ERR_MACHINE, 0 },
	{ 'd', OUTCOME_DEFERRED, ERR_TEMP, ERR_MACHINE, 0 }, /* in doubt */
	{ 'f', OUTCOME_FAILED, ERR_PERM, ERR_REPLY, 550 },
	{ 'h', OUTCOME_FAILED, ERR_PERM, ERR_LOOKUP, 0 },
	{ '?', OUTCOME_PENDING, ERR_OK, ERR_NONE, 0 },
};

static int
exit_of(const char *letters)
{
	struct envelope env;
	char s[32];
	int code;

	envelope_init(&env);
	for (size_t i = 0; letters[i] != '\0'; i++) {
		const struct fate *f = fates;
		struct outcome *o;

		snprintf(s, sizeof s, "u%zu@x", i);
		CHECK_INT(add(&env, s), 0);
		while (f->letter != letters[i])
			f++;
		o = &env.rcpts[i].outcome;
		o->state = f->state;
		o->in_doubt = letters[i] == 'd';
		o->err.verdict = f->verdict;
		o->err.kind = f->kind;
		o->err.stage = STAGE_RCPT;
		o->err.code = f->code;
	}
	code = envelope_exit(&env);
	envelope_free(&env);
	return code;
}

TEST(one_address_is_enough_for_smtputf8)
{
	static const char *const given[] = { "a@x", "b@\xc3\xbc.x",
		"\xc3\xbc@x" };
	static const size_t ascii[] = { 0, 1 }, second[] = { 1, 2 };
	struct envelope env;
	struct address a;
	struct err e;

	envelope_init(&env);
	for (size_t i = 0; i < COUNT(given); i++) {
		CHECK_INT(
		    address_parse(&a, given[i], strlen(given[i]), 0, &e), 0);
		CHECK_INT(
		    envelope_add(&env, &a, given[i], strlen(given[i])), 0);
	}
	CHECK(!envelope_uses_utf8(&env, ascii, COUNT(ascii)));
	CHECK(envelope_uses_utf8(&env, second, COUNT(second)));
	CHECK(envelope_uses_utf8(&env, NULL, env.n));
	CHECK(!envelope_uses_utf8(&env, NULL, 2));
	CHECK_INT(
	    address_parse(&env.sender, given[2], strlen(given[2]), 0, &e), 0);
	CHECK(envelope_uses_utf8(&env, ascii, 0));
	envelope_free(&env);
}

TEST(exit_codes)
{
	static const struct {
		const char *letters;
		int code;
	} rows[] = {
		{ "D", 0 },
		{ "DDD", 0 },
		{ "Q", 0 },
		{ "DQ", 0 },
		{ "t", 75 },
		{ "m", 71 },
		{ "mm", 71 },
		{ "d", 75 },
		{ "md", 75 },
		{ "mt", 75 },
		{ "tm", 75 },
		{ "mtm", 75 },
		{ "f", 67 },
		{ "h", 68 },
		{ "fh", 67 }, /* the first in the order given */
		{ "hf", 68 },
		{ "tf", 67 }, /* a permanent one wins over a temporary */
		{ "Dmf", 67 },
		{ "Dh", 68 },
		{ "Dt", 69 }, /* a retry would double it for the first */
		{ "tD", 69 },
		{ "Dm", 69 },
		{ "Qt", 69 },
		{ "?", 70 },
		{ "D?", 70 },
		{ "f?", 67 },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_INT(exit_of(rows[i].letters), rows[i].code);
}

TEST_MAIN
