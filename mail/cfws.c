/*
 * cfws: see cfws.h.
 * Callers: address.c, address_list.c.
 * A backslash takes the next octet's meaning; comments nest as deep as they
 * like, since a number holds that. RFC 5322 3.2.1, 3.2.2, 3.2.4.
 * Ownership: see cfws.h.
 */
#include "mail/cfws.h"

bool
cfws_is_space(int c)
{
	return c == ' ' || c == '\t';
}

size_t
cfws_quoted_end(const char *s, size_t at, size_t end)
{
	for (at++; at < end; at++) {
		if (s[at] == '"')
			return at + 1;
		if (s[at] == '\\')
			at++;
	}
	return CFWS_OPEN;
}

size_t
cfws_comment_end(const char *s, size_t at, size_t end)
{
	size_t depth = 0;

	for (; at < end; at++) {
		if (s[at] == '(')
			depth++;
		else if (s[at] == ')' && --depth == 0)
			return at + 1;
		else if (s[at] == '\\')
			at++;
	}
	return CFWS_OPEN;
}

bool
cfws_skip(const char *s, size_t *at, size_t end)
{
	size_t next = *at;

	while (next < end && (cfws_is_space(s[next]) || s[next] == '(')) {
		*at = next;
		next =
		    s[next] == '(' ? cfws_comment_end(s, next, end) : next + 1;
		if (next == CFWS_OPEN)
			return false;
	}
	*at = next;
	return true;
}
