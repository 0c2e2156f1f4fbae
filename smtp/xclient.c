/*
 * xclient: see xclient.h. A word is an attribute, "=" ends its name.
 * Callers: cli/settings.c, hello.c.
 * It sends nothing.
 * Postfix, XCLIENT_README (command syntax).
 * Ownership: see xclient.h.
 */
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/enc.h"
#include "smtp/xclient.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"

bool
xclient_valid(const char *s)
{
	size_t i, n, count = 0;

	for (i = 0; s[i] != '\0'; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	for (s += strspn(s, " "); *s != '\0'; s += strspn(s, " ")) {
		n = strspn(s, LETTERS);
		if (n == 0 || s[n] != '=' || s[n + 1] == '\0' ||
		    s[n + 1] == ' ')
			return false;
		s += strcspn(s, " ");
		count++;
	}
	return count > 0;
}

static bool
is_offered(const char *list, const char *name, size_t n)
{
	size_t len;

	for (; *list != '\0'; list += len + strspn(list + len, " ")) {
		len = strcspn(list, " ");
		if (len == n && strncasecmp(list, name, n) == 0)
			return true;
	}
	return false;
}

const char *
xclient_write(struct buf *b, const char *s, const char *offered, size_t *n)
{
	size_t i, len;

	for (s += strspn(s, " "); *s != '\0'; s += strspn(s, " ")) {
		*n = strspn(s, LETTERS);
		if (!is_offered(offered, s, *n))
			return s;
		buf_addc(b, ' ');
		for (i = 0; i < *n; i++)
			buf_addc(b, (char)(s[i] & ~0x20));
		buf_addc(b, '=');
		s += *n + 1;
		len = strcspn(s, " ");
		enc_xtext(b, s, len);
		s += len;
	}
	return NULL;
}
