/*
 * date: see date.h. The calendar is counted here: mail/ has no <time.h>.
 * Callers: mail/complete.c, mail/dsn.c and its parts.
 * It knows no other calendar than the Gregorian one, and no leap seconds.
 * RFC 5322 3.3.
 * Ownership: see date.h.
 */
#include <stdbool.h>
#include <stdio.h>

#include "mail/date.h"

#define DAY (24 * 60 * 60)
/* The end of the year 9999: dates have four digits for it. */
#define LAST_SECOND INT64_C(253402300799)

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

struct date {
	int year;
	int month; /* from 0 */
	int day; /* from 1 */
};

/* The date so many days behind the first of 1970. */
static struct date
date_of(int64_t days)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	struct date d = { .year = 1970 };
	int len;

	for (; days >= 365 + is_leap(d.year); d.year++)
		days -= 365 + is_leap(d.year);
	for (;; d.month++) {
		len = lengths[d.month] + (d.month == 1 && is_leap(d.year));
		if (days < len)
			break;
		days -= len;
	}
	d.day = (int)days + 1;
	return d;
}

const char *
date_text(int64_t t, int zone, char out[DATE_MAX])
{
	static const char days[][4] = { "Thu", "Fri", "Sat", "Sun", "Mon",
		"Tue", "Wed" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int east = zone < 0 ? -zone : zone, second;
	struct date d;

	if (t < DAY)
		t = DAY;
	if (t > LAST_SECOND - DAY)
		t = LAST_SECOND - DAY;
	t += (int64_t)zone * 60;
	d = date_of(t / DAY);
	second = (int)(t % DAY);
	snprintf(out, DATE_MAX, "%s, %d %s %04d %02d:%02d:%02d %c%02d%02d",
	    days[t / DAY % 7], d.day, months[d.month], d.year, second / 3600,
	    second / 60 % 60, second % 60, zone < 0 ? '-' : '+', east / 60,
	    east % 60);
	return out;
}
