/*
 * outcome: what is written comes back, and what nobody wrote is refused.
 */
#include <limits.h>
#include <string.h>

#include "base/buf.h"
#include "base/record.h"
#include "mail/outcome.h"
#include "tests/unit/test.h"

/* Fields as they stand in a record; the last take's answer. */
static int
read_back(struct outcome *to, const struct buf *b)
{
	struct record rec;
	struct field f;
	int got = 1;

	memset(to, 0, sizeof *to);
	CHECK_INT(record_open(&rec, b->data, b->len), (long)b->len);
	while (got == 1 && record_next(&rec, &f) == 1)
		got = outcome_take(to, &f);
	return got;
}

static void
fill(struct outcome *o)
{
	*o = (struct outcome){
		.in_doubt = true,
		.err = { .verdict = ERR_TEMP,
		    .kind = ERR_CONNECT,
		    .scope = SCOPE_MESSAGE,
		    .stage = STAGE_END,
		    .code = 451,
		    .enhanced = { 4, 4, 2 },
		    .command = "end of data",
		    .text = "the connection was lost" },
		.host = "mx.example.org",
		.ip = "198.51.100.7",
		.port = 65535,
		.left_out = UINT_MAX,
	};
}

TEST(all_of_it_comes_back)
{
	struct outcome o, got;
	struct buf b;
	size_t mark;

	fill(&o);
	buf_init(&b, RECORD_MAX);
	mark = record_begin(&b, 1);
	outcome_put(&b, &o);
	record_end(&b, mark);
	CHECK_INT(read_back(&got, &b), 1);
	CHECK_INT(got.state, OUTCOME_PENDING);
	CHECK(got.in_doubt);
	CHECK_INT(got.err.verdict, ERR_TEMP);
	CHECK_INT(got.err.kind, ERR_CONNECT);
	CHECK_INT(got.err.scope, SCOPE_MESSAGE);
	CHECK_INT(got.err.stage, STAGE_END);
	CHECK_INT(got.err.code, 451);
	CHECK_INT(got.err.enhanced.class, 4);
	CHECK_INT(got.err.enhanced.detail, 2);
	CHECK_STR(got.err.command, "end of data");
	CHECK_STR(got.err.text, "the connection was lost");
	CHECK_STR(got.host, "mx.example.org");
	CHECK_STR(got.ip, "198.51.100.7");
	CHECK_INT(got.port, 65535);
	CHECK(got.left_out == UINT_MAX);
	buf_free(&b);
}

static int
take_number(unsigned tag, uint64_t v)
{
	const struct field f = { .tag = tag,
		.kind = FIELD_NUMBER,
		.number = v,
		.octets = "12345678",
		.len = 8 };
	struct outcome o = { .port = 0 };

	return outcome_take(&o, &f);
}

TEST(numbers_have_bounds)
{
	static const struct {
		unsigned tag;
		uint64_t most;
	} rows[] = {
		{ OUTCOME_TAG_VERDICT, ERR_PERM },
		{ OUTCOME_TAG_KIND, ERR_KINDS - 1 },
		{ OUTCOME_TAG_SCOPE, SCOPES - 1 },
		{ OUTCOME_TAG_STAGE, STAGES - 1 },
		{ OUTCOME_TAG_CODE, 599 },
		{ OUTCOME_TAG_DOUBT, 1 },
		{ OUTCOME_TAG_PORT, 65535 },
		{ OUTCOME_TAG_LEFT_OUT, UINT_MAX },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CHECK_INT(take_number(rows[i].tag, rows[i].most), 1);
		CHECK_INT(take_number(rows[i].tag, rows[i].most + 1), -1);
		CHECK_INT(take_number(rows[i].tag, UINT64_MAX), -1);
	}
}

TEST(what_is_not_ours_is_left_alone)
{
	CHECK_INT(take_number(OUTCOME_TAG_FIRST - 1, 1), 0);
	CHECK_INT(take_number(OUTCOME_TAG_LEFT_OUT + 1, 1), 0);
	/* A text's tag on a number, and the other way round. */
	CHECK_INT(take_number(OUTCOME_TAG_TEXT, 1), 0);
}

static int
take_octets(struct outcome *o, unsigned tag, const char *s, size_t n)
{
	const struct field f = {
		.tag = tag, .kind = FIELD_OCTETS, .octets = s, .len = n
	};

	*o = (struct outcome){ .port = 0 };
	return outcome_take(o, &f);
}

TEST(texts_fit_and_are_printable)
{
	struct outcome o;
	char longest[ERR_TEXT_MAX];

	memset(longest, 'x', sizeof longest);
	CHECK_INT(
	    take_octets(&o, OUTCOME_TAG_TEXT, longest, ERR_TEXT_MAX - 1), 1);
	CHECK_INT(take_octets(&o, OUTCOME_TAG_TEXT, longest, ERR_TEXT_MAX), -1);
	CHECK_INT(take_octets(&o, OUTCOME_TAG_HOST, "a\0b", 3), -1);
	CHECK_INT(take_octets(&o, OUTCOME_TAG_IP, "a\033b", 3), 1);
	CHECK_STR(o.ip, "a\\x1Bb");
	/* Of what grows there is as much as fits. */
	memset(longest, '\033', sizeof longest);
	CHECK_INT(
	    take_octets(&o, OUTCOME_TAG_TEXT, longest, ERR_TEXT_MAX - 1), 1);
	CHECK(strlen(o.err.text) < ERR_TEXT_MAX);
}

TEST(an_enhanced_code_is_one_or_none)
{
	struct outcome o;

	CHECK_INT(take_octets(&o, OUTCOME_TAG_ENHANCED, "", 0), 1);
	CHECK_INT(o.err.enhanced.class, 0);
	CHECK_INT(take_octets(&o, OUTCOME_TAG_ENHANCED, "5.1.1", 5), 1);
	CHECK_INT(o.err.enhanced.class, 5);
	CHECK_INT(take_octets(&o, OUTCOME_TAG_ENHANCED, "5.1.1 no", 8), -1);
	CHECK_INT(take_octets(&o, OUTCOME_TAG_ENHANCED, "7.1.1", 5), -1);
}

TEST(alike_is_what_is_told_alike)
{
	struct outcome a = { .state = OUTCOME_DEFERRED, .port = 25 }, b;

	err_set(&a.err, ERR_TEMP, ERR_REPLY, "450 4.2.1 busy");
	b = a;
	CHECK(outcome_alike(&a, &b));
	b.err.enhanced = (struct enhanced){ 4, 2, 1 };
	CHECK(!outcome_alike(&a, &b));
	b = a;
	b.err.scope = SCOPE_HOST;
	CHECK(!outcome_alike(&a, &b));
	b = a;
	b.ip[0] = '1';
	CHECK(!outcome_alike(&a, &b));
	b = a;
	b.in_doubt = true;
	CHECK(!outcome_alike(&a, &b));
}

TEST_MAIN
