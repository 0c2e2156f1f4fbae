/*
 * wishes: see wishes.h. A value is checked where it is read, so that no
 * server is bothered with one that no RFC allows.
 * Callers: settings.c. It writes no parameter: params.c does that.
 * RFC 3461 4.1 to 4.4, RFC 2852 4 (by-value), RFC 4865 4, RFC 6710 4.1.
 * Ownership: nothing is kept.
 */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/when.h"
#include "cli/wishes.h"
#include "mail/envelope.h"
#include "params.h"

struct word {
	const char *name;
	int64_t number;
};

/* What a word of n octets stands for, case-blind; -1: it is none of them. */
static int64_t
find_word(const struct word *words, const char *s, size_t n)
{
	for (; words->name != NULL; words++)
		if (strlen(words->name) == n &&
		    strncasecmp(words->name, s, n) == 0)
			return words->number;
	return -1;
}

/* ---- reports ---- */

bool
wish_notify(const char *s, int64_t *bits)
{
	static const struct word words[] = { { "success", NOTIFY_SUCCESS },
		{ "failure", NOTIFY_FAILURE }, { "delay", NOTIFY_DELAY },
		{ "never", NOTIFY_NEVER }, { "off", 0 }, { NULL, 0 } };
	size_t n, count = 0;
	bool alone = false; /* never, or off: nothing else can be meant too */
	int64_t one;

	*bits = 0;
	for (;; s += n + 1) {
		n = strcspn(s, ",");
		one = find_word(words, s, n);
		if (one == -1)
			return false;
		*bits |= one;
		alone = alone || one == 0 || one == NOTIFY_NEVER;
		if (count++ > 0 && alone)
			return false;
		if (s[n] == '\0')
			return true;
	}
}

bool
wish_return(const char *s, int64_t *what)
{
	static const struct word words[] = { { "full", RETURN_FULL },
		{ "hdrs", RETURN_HDRS }, { "headers", RETURN_HDRS },
		{ "off", RETURN_UNSAID }, { NULL, 0 } };

	*what = find_word(words, s, strlen(s));
	return *what != -1;
}

static bool
is_printable(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

bool
wish_envid(const char *s)
{
	struct buf b;
	bool fits;

	buf_init(&b, ENVID_MAX);
	enc_xtext(&b, s, strlen(s));
	/* Who says it to a server needs the memory, too, and tells. */
	fits = buf_ok(&b) || buf_starved(&b);
	buf_free(&b);
	return s[0] != '\0' && is_printable(s) && fits;
}

/* ---- time ---- */

/* RFC 2852: R and no time left is nonsense. */
static bool
by_mode(const char *s, struct deliver_by *by)
{
	by->returned = s[0] == 'R' || s[0] == 'r';
	by->trace = s[0] != '\0' && (s[1] == 'T' || s[1] == 't');
	return (by->returned || s[0] == 'N' || s[0] == 'n') &&
	    s[1 + by->trace] == '\0' && !(by->returned && by->seconds <= 0);
}

bool
wish_by(const char *s, struct deliver_by *by)
{
	int sign = *s == '-' ? -1 : 1;
	size_t n;

	*by = (struct deliver_by){ .wanted = true };
	s += *s == '-' || *s == '+';
	n = strcspn(s, ",;");
	if (when_span(s, n, &by->seconds) == -1)
		return false;
	by->seconds *= sign;
	return s[n] == '\0' || by_mode(s + n + 1, by);
}

bool
wish_hold_for(const char *s, int64_t *seconds)
{
	return when_span(s, strlen(s), seconds) == 0 && *seconds > 0;
}

bool
wish_hold_until(const char *s, int64_t *moment)
{
	return when_date(s, strlen(s), moment) == 0 && *moment > 0;
}

bool
wish_interval(const char *s, int64_t *seconds)
{
	static const struct word units[] = { { "s", 1 }, { "m", 60 },
		{ "h", 3600 }, { "d", 86400 }, { "w", 7 * 86400 }, { "", 60 },
		{ NULL, 0 } };
	int64_t v, unit;
	size_t n;

	for (*seconds = 0; *s != '\0'; s += n) {
		n = strspn(s, "0123456789");
		if (n == 0 || n > 9 || when_span(s, n, &v) == -1)
			return false;
		s += n;
		n = *s != '\0';
		unit = find_word(units, s, n);
		if (unit == -1)
			return false;
		*seconds += v * unit;
	}
	return *seconds > 0 && *seconds <= WHEN_SPAN_MAX;
}

bool
wish_priority(const char *s, int64_t *v)
{
	int sign = *s == '-' ? -1 : 1;

	s += *s == '-' || *s == '+';
	if (s[0] < '0' || s[0] > '9' || s[1] != '\0')
		return false;
	*v = sign * (s[0] - '0');
	return true;
}
