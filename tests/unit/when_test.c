/*
 * when: spans and dates as they are written, and all that is near to one.
 * RFC 3339 5.6 to 5.8.
 */
#include "base/when.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

TEST(spans)
{
	static const struct {
		const char *s;
		int64_t want;
	} rows[] = {
		{ "0", 0 },
		{ "90", 90 },
		{ "90s", 90 },
		{ "15m", 900 },
		{ "2h", 7200 },
		{ "1d", 86400 },
		{ "007", 7 },
		{ "999999999", 999999999 },
		{ "11574d", 999993600 },
	};
	int64_t v;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_INT(when_span(rows[i].s, strlen(rows[i].s), &v), 0);
		CHECK_INT(v, rows[i].want);
	}
	CHECK_INT(when_span("15m", 2, &v), 0);
	CHECK_INT(v, 15);
}

TEST(what_is_no_span)
{
	static const char *const rows[] = { "", "s", "-1", "+1", " 1", "1 ",
		"1w", "1M", "1ms", "1h30m", "1.5h", "0x10", "1000000000",
		"11575d", "99999999999999999999999", "9999999999d" };
	int64_t v;
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		CHECK_INT(when_span(rows[i], strlen(rows[i]), &v), -1);
}

/* RFC 3339 5.8, and the ends of months. */
TEST(dates)
{
	static const struct {
		const char *s, *want;
	} rows[] = {
		{ "1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50Z" },
		{ "1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57Z" },
		{ "1990-12-31T23:59:60Z", "1991-01-01T00:00:00Z" },
		{ "1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00Z" },
		{ "1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27Z" },
		{ "1970-01-01T00:00:00-00:00", "1970-01-01T00:00:00Z" },
		{ "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z" },
		{ "2000-02-29T23:59:59Z", "2000-02-29T23:59:59Z" },
		{ "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z" },
	};
	char text[WHEN_DATE_MAX];
	int64_t v;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_INT(when_date(rows[i].s, strlen(rows[i].s), &v), 0);
		CHECK_STR(when_date_text(v, text), rows[i].want);
	}
	CHECK_INT(when_date("2026-12-24T18:00:00Z", 20, &v), 0);
	CHECK_INT(v, 1798135200);
}

TEST(what_is_no_date)
{
	static const char *const rows[] = { "", "2026", "2026-12-24",
		"2026-12-24T18:00:00", "2026-12-24T18:00Z",
		"2026-12-24 18:00:00Z", "2026-12-24t18:00:00Z",
		"2026-12-24T18:00:00z", "2026-12-24T18:00:00.Z",
		"2026-12-24T18:00:00ZZ", "2026-12-24T18:00:00+0100",
		"2026-12-24T18:00:00+24:00", "2026-12-24T18:00:00+01:60",
		"2026-12-24T24:00:00Z", "2026-12-24T18:60:00Z",
		"2026-12-24T18:00:61Z", "2026-13-24T18:00:00Z",
		"2026-00-24T18:00:00Z", "2026-12-00T18:00:00Z",
		"2026-02-29T18:00:00Z", "1900-02-29T18:00:00Z",
		"2026-11-31T18:00:00Z", "26-12-24T18:00:00Z",
		"12026-12-24T18:00:00Z", "2026-12-24T18:00:00+01:00x",
		"-026-12-24T18:00:00Z", "2026-12-24T18:00:00Z\n" };
	int64_t v;
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		CHECK_INT(when_date(rows[i], strlen(rows[i]), &v), -1);
	CHECK_INT(when_date("2026-12-24T18:00:00Z", 19, &v), -1);
}

TEST_MAIN
