/*
 * line: see line.h. One small cutter, so that what is counted, what is sent
 * and what is encoded cannot differ in where a line ends.
 * Callers: mail/message.c, mail/mime.c, mail/encode.c. It holds no octets.
 * RFC 5322 2.1, RFC 5321 2.3.8.
 * Ownership: pointers are the caller's.
 */
#include <string.h>

#include "mail/line.h"

/* Octets looked through at a time: a block of nothing but CRs must not be
 * searched to its end for an LF, once for each of them. */
#define WINDOW 1024u

/* Octets before the first CR or LF. */
static size_t
text_len(const char *p, size_t n)
{
	size_t at, w;
	const char *lf, *cr;

	for (at = 0; at < n; at += w) {
		w = n - at < WINDOW ? n - at : WINDOW;
		lf = memchr(p + at, '\n', w);
		if (lf != NULL)
			w = (size_t)(lf - p) - at;
		cr = memchr(p + at, '\r', w);
		if (cr != NULL)
			return (size_t)(cr - p);
		if (lf != NULL)
			return (size_t)(lf - p);
	}
	return n;
}

size_t
line_cut(bool *cr, const char *p, size_t n, struct piece *out)
{
	bool swallow = *cr && p[0] == '\n';
	size_t len;

	*cr = false;
	*out = (struct piece){ 0 };
	if (swallow)
		return 1;
	out->len = len = text_len(p, n);
	out->eol = len < n;
	if (!out->eol)
		return n;
	if (p[len] == '\n')
		return len + 1;
	*cr = len + 1 == n;
	return len + 1 + (!*cr && p[len + 1] == '\n');
}
