/*
 * media: see media.h. The table is gone through line by line, each time: it
 * is asked once for each attachment.
 * Caller: cli. RFC 6838 4.2.
 * Ownership: see media.h.
 */
#include <string.h>
#include <strings.h>

#include "mail/media.h"

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

/* Octets of the name at s, 0 if there is none. */
static size_t
name_len(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n &&
	    (is_alnum(s[i]) ||
		(i > 0 && s[i] != '\0' && strchr("!#$&-^_.+", s[i]) != NULL)))
		i++;
	return i;
}

bool
media_is_type(const char *s, size_t n)
{
	size_t top = name_len(s, n), sub;

	if (top == 0 || top == n || s[top] != '/' || n >= MEDIA_TYPE_MAX)
		return false;
	sub = name_len(s + top + 1, n - top - 1);
	return sub > 0 && top + 1 + sub == n;
}

bool
media_is(const char *s, const char *top)
{
	size_t n = strlen(top);

	return strncasecmp(s, top, n) == 0 && s[n] == '/';
}

/* What is behind the last dot; a dot in front begins no extension. */
static const char *
extension(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot == NULL || dot == name || dot[1] == '\0' ? NULL : dot + 1;
}

/* A word of the table, and what is behind it. */
struct word {
	const char *s;
	size_t n;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of a line that ends at `end`, behind *w. */
static bool
next_word(struct word *w, const char *end)
{
	const char *p = w->s + w->n;

	while (p < end && is_blank(*p))
		p++;
	*w = (struct word){ p, 0 };
	while (p < end && !is_blank(*p) && *p != '#')
		p++;
	w->n = (size_t)(p - w->s);
	return w->n > 0;
}

/* One line: true, with the type, if it names the extension. */
static bool
line_has(const char *p, const char *end, const char *ext, struct word *type)
{
	struct word w = { p, 0 };

	if (!next_word(&w, end))
		return false;
	*type = w;
	while (next_word(&w, end))
		if (w.n == strlen(ext) && strncasecmp(w.s, ext, w.n) == 0)
			return media_is_type(type->s, type->n);
	return false;
}

bool
media_lookup(
    const char *table, size_t n, const char *name, char out[MEDIA_TYPE_MAX])
{
	const char *ext = extension(name), *end = table + n, *lf;
	struct word type;
	bool found = false;

	for (; ext != NULL && table < end; table = lf + (lf < end)) {
		lf = memchr(table, '\n', (size_t)(end - table));
		if (lf == NULL)
			lf = end;
		if (!line_has(table, lf, ext, &type) ||
		    (type.n > 10 && strncasecmp(type.s, "multipart/", 10) == 0))
			continue;
		memcpy(out, type.s, type.n);
		out[type.n] = '\0';
		found = true;
	}
	return found;
}
