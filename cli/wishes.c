/*
 * wishes: see wishes.h. A value is checked where it is read, so that no
 * server is bothered with one that no RFC allows.
 * Callers: settings.c. It writes no parameter: params.c does that.
 * RFC 3461 4.1 to 4.4.
 * Ownership: nothing is kept.
 */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/enc.h"
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
	fits = buf_ok(&b);
	buf_free(&b);
	return s[0] != '\0' && is_printable(s) && fits;
}
