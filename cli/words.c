/*
 * words: see words.h.
 * Callers: settings.c. It opens nothing.
 * RFC 1123 2.1, RFC 5890.
 * Ownership: see words.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/err.h"
#include "base/idna.h"
#include "cli/words.h"
#include "mail/address.h"

int64_t
words_number(const char *s, int64_t max)
{
	long v;
	char *end;

	if (*s < '0' || *s > '9')
		return -1;
	errno = 0;
	v = strtol(s, &end, 10);
	return errno != 0 || *end != '\0' || v > max ? -1 : v;
}

bool
words_has(const char *list, const char *word)
{
	size_t n = strlen(word);
	const char *p;

	for (p = strstr(list, word); n > 0 && p != NULL;
	     p = strstr(p + 1, word))
		if ((p == list || p[-1] == ' ') &&
		    (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

const char *
words_no_name(const char *s, const char *remedy)
{
	char name[IDNA_NAME_MAX];
	struct err e;

	if (idna_host(s, name, &e) == 0)
		return NULL;
	return e.verdict == ERR_TEMP
	    ? "install libidn2 (package libidn2-0), or give its xn-- form"
	    : remedy;
}

/* Other scripts become A-labels when they are wanted. Without any item there
 * is none. */
bool
words_names(const char *s)
{
	const char *p, *end;
	size_t n;

	for (p = s; *p != '\0'; p = end + (*end == ',')) {
		p += strspn(p, " \t");
		end = p + strcspn(p, ",");
		for (n = (size_t)(end - p); n > 0; n--)
			if (p[n - 1] != ' ' && p[n - 1] != '\t')
				break;
		if (!enc_has_8bit(p, n) && !address_is_hostname(p, n))
			return false;
	}
	return true;
}
