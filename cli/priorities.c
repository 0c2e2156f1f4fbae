/*
 * priorities: see priorities.h. Items between colons: the first may be a
 * level, the others add (+), remove (- and !) or are switches (%).
 * Callers: settings.c.
 * A level's own idea of ciphers is GnuTLS's; OpenSSL's defaults stand for it.
 * GnuTLS manual, "Priority strings".
 * Ownership: see priorities.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "cli/priorities.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name;
	int64_t min;
} versions[] = {
	{ "VERS-TLS1.0", 10 },
	{ "VERS-TLS1.1", 11 },
	{ "VERS-TLS1.2", 12 },
	{ "VERS-TLS1.3", 13 },
};

/* Of these rows those that are on without a word: 1.2 and 1.3. */
#define TODAY (1u << 2 | 1u << 3)

/* What is understood and changes nothing: levels that the defaults meet, and
 * what OpenSSL does anyway. */
static const char *const nothing[] = { "NORMAL", "PERFORMANCE", "PFS",
	"SECURE128", "@SYSTEM", "%COMPAT", "%SAFE_RENEGOTIATION",
	"%PARTIAL_RENEGOTIATION", "%PROFILE_LOW", "%PROFILE_MEDIUM",
	"%LATEST_RECORD_VERSION", "%FALLBACK_SCSV", "-VERS-SSL3.0",
	"!VERS-SSL3.0", "-ARCFOUR-128", "!ARCFOUR-128", "-RSA-EXPORT",
	"-COMP-ALL", "+COMP-NULL", "-VERS-DTLS-ALL" };

static bool
is(const char *s, size_t n, const char *name)
{
	return strlen(name) == n && memcmp(s, name, n) == 0;
}

/* One that is about versions: true, with its bits of *on changed. */
static bool
take_version(const char *s, size_t n, unsigned *on)
{
	bool add = n > 0 && *s == '+';
	size_t i;
	unsigned bits = 0;

	if (n == 0 || (*s != '+' && *s != '-' && *s != '!'))
		return false;
	if (is(s + 1, n - 1, "VERS-ALL") || is(s + 1, n - 1, "VERS-TLS-ALL"))
		bits = (1u << COUNT(versions)) - 1;
	for (i = 0; i < COUNT(versions); i++)
		if (is(s + 1, n - 1, versions[i].name))
			bits = 1u << i;
	*on = add ? *on | bits : *on & ~bits;
	return bits != 0;
}

static bool
changes_nothing(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < COUNT(nothing); i++)
		if (is(s, n, nothing[i]))
			return true;
	return n == 0;
}

int
priorities_parse(const char *s, int64_t *min)
{
	unsigned on = TODAY;
	bool told = false;
	int ret = 0;
	size_t n, i;

	for (; *s != '\0'; s += n + (s[n] != '\0')) {
		n = strcspn(s, ":");
		if (take_version(s, n, &on))
			told = true;
		else if (!changes_nothing(s, n))
			ret = -1;
	}
	for (i = 0; i < COUNT(versions) && (on & 1u << i) == 0; i++)
		;
	*min = told && i < COUNT(versions) ? versions[i].min : 0;
	return ret;
}
