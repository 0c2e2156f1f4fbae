/*
 * when: see when.h. Digits are taken one by one: no locale and no blanks.
 * Callers: cli/wishes.c, smtp/caps.c, params.c.
 * It reads no clock.
 * RFC 3339 5.6, 5.7 (days of months, leap seconds).
 * Ownership: see when.h.
 */
#include <time.h>

#include "base/when.h"

/* What is not read yet. */
struct text {
	const char *s;
	size_t n;
};

/* At least one digit, and no more than `max` says: 0, or -1. */
static int
number(struct text *t, int64_t max, int64_t *v)
{
	*v = 0;
	if (t->n == 0 || t->s[0] < '0' || t->s[0] > '9')
		return -1;
	for (; t->n > 0 && t->s[0] >= '0' && t->s[0] <= '9'; t->s++, t->n--) {
		*v = *v * 10 + (t->s[0] - '0');
		if (*v > max)
			return -1;
	}
	return 0;
}

int
when_span(const char *s, size_t n, int64_t *seconds)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	struct text t = { s, n };
	size_t i = 0;

	if (number(&t, WHEN_SPAN_MAX, seconds) == -1)
		return -1;
	if (t.n == 0)
		return 0;
	while (i < sizeof units / sizeof units[0] && units[i].unit != t.s[0])
		i++;
	if (t.n != 1 || i == sizeof units / sizeof units[0])
		return -1;
	*seconds *= units[i].seconds;
	return *seconds > WHEN_SPAN_MAX ? -1 : 0;
}

/* So many digits, and what must stand behind them ('\0': nothing must). */
static int
fixed(struct text *t, size_t digits, char behind, int *v)
{
	struct text part = { t->s, digits };
	int64_t value;

	if (t->n < digits || number(&part, 9999, &value) == -1 || part.n > 0)
		return -1;
	*v = (int)value;
	t->s += digits;
	t->n -= digits;
	if (behind == '\0')
		return 0;
	if (t->n == 0 || t->s[0] != behind)
		return -1;
	t->s++;
	t->n--;
	return 0;
}

/* The fraction of a second, if there is one. */
static int
fraction(struct text *t)
{
	size_t digits = 0;

	if (t->n == 0 || t->s[0] != '.')
		return 0;
	for (t->s++, t->n--; t->n > 0 && t->s[0] >= '0' && t->s[0] <= '9';
	     t->s++, t->n--)
		digits++;
	return digits > 0 ? 0 : -1;
}

/* Z, or the offset to UTC in seconds. */
static int
offset(struct text *t, int64_t *seconds)
{
	int hours, minutes;
	int sign;

	*seconds = 0;
	if (t->n == 1 && t->s[0] == 'Z')
		return 0;
	if (t->n == 0 || (t->s[0] != '+' && t->s[0] != '-'))
		return -1;
	sign = t->s[0] == '-' ? -1 : 1;
	t->s++;
	t->n--;
	if (fixed(t, 2, ':', &hours) == -1 ||
	    fixed(t, 2, '\0', &minutes) == -1 || t->n > 0 || hours > 23 ||
	    minutes > 59)
		return -1;
	*seconds = sign * (hours * INT64_C(3600) + minutes * 60);
	return 0;
}

int
when_date(const char *s, size_t n, int64_t *moment)
{
	struct text t = { s, n };
	struct tm tm = { 0 }, check;
	int64_t away;
	int year, month, day;

	if (fixed(&t, 4, '-', &year) == -1 || fixed(&t, 2, '-', &month) == -1 ||
	    fixed(&t, 2, 'T', &day) == -1 ||
	    fixed(&t, 2, ':', &tm.tm_hour) == -1 ||
	    fixed(&t, 2, ':', &tm.tm_min) == -1 ||
	    fixed(&t, 2, '\0', &tm.tm_sec) == -1 || fraction(&t) == -1 ||
	    offset(&t, &away) == -1)
		return -1;
	if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return -1;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	/* The day of a month that does not have it is one of the next. */
	check = (struct tm){
		.tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = day
	};
	timegm(&check);
	*moment = timegm(&tm) - away;
	return check.tm_mon == month - 1 && check.tm_mday == day ? 0 : -1;
}

const char *
when_date_text(int64_t moment, char out[WHEN_DATE_MAX])
{
	time_t t = (time_t)moment;
	struct tm tm;

	out[0] = '\0';
	if (gmtime_r(&t, &tm) != NULL)
		strftime(out, WHEN_DATE_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return out;
}
