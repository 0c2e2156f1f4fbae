/*
 * json.h: a strict reader of one JSON value into a flat list of scalars.
 *
 *	{"exit":67,"recipients":[{"code":550}]}
 *
 * gives "exit" = "67" and "recipients.0.code" = "550".  Strings come without
 * quotes and escapes, other scalars as they stand.  An empty list or object
 * leaves nothing.  RFC 8259; anything beyond it is an error, so the reader is
 * a test of what is read too.
 */
#ifndef TESTS_TOOLS_JSON_H
#define TESTS_TOOLS_JSON_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"

#define JSON_PATH_MAX 256
#define JSON_DEPTH_MAX 8

struct json_item {
	char path[JSON_PATH_MAX];
	char *value; /* owned */
};

struct json {
	struct json_item *items; /* owned */
	size_t n;
	const char *at, *end; /* what is still to be read */
	char path[JSON_PATH_MAX];
	int depth;
};

static bool json_value(struct json *);

static inline void
json_free(struct json *j)
{
	for (size_t i = 0; i < j->n; i++)
		free(j->items[i].value);
	free(j->items);
	*j = (struct json){ 0 };
}

/* The value at a path, NULL if there is none. */
static inline const char *
json_get(const struct json *j, const char *path)
{
	for (size_t i = 0; i < j->n; i++)
		if (strcmp(j->items[i].path, path) == 0)
			return j->items[i].value;
	return NULL;
}

static inline void
json_space(struct json *j)
{
	while (j->at < j->end && strchr(" \t\r\n", *j->at) != NULL)
		j->at++;
}

static inline bool
json_take(struct json *j, char c)
{
	json_space(j);
	if (j->at == j->end || *j->at != c)
		return false;
	j->at++;
	return true;
}

static inline bool
json_add(struct json *j, const char *value, size_t n)
{
	struct json_item *items;

	if (json_get(j, j->path) != NULL) /* a name twice */
		return false;
	items = reallocarray(j->items, j->n + 1, sizeof(*items));
	if (items == NULL)
		return false;
	j->items = items;
	memcpy(items[j->n].path, j->path, JSON_PATH_MAX);
	items[j->n].value = strndup(value, n);
	return items[j->n++].value != NULL;
}

/* \uXXXX; pairs of surrogates are not what this program writes. */
static inline bool
json_unicode(struct json *j, struct buf *b)
{
	unsigned cp = 0;
	int used = 0;

	if (j->end - j->at < 4 || sscanf(j->at, "%4x%n", &cp, &used) != 1 ||
	    used != 4 || cp == 0 || (cp >= 0xd800 && cp < 0xe000))
		return false;
	j->at += 4;
	if (cp < 0x80) {
		buf_addc(b, (char)cp);
		return true;
	}
	if (cp >= 0x800)
		buf_addc(b, (char)(0xe0 | cp >> 12));
	buf_addc(b, (char)((cp >= 0x800 ? 0x80 : 0xc0) | (cp >> 6 & 0x3f)));
	buf_addc(b, (char)(0x80 | (cp & 0x3f)));
	return true;
}

static inline bool
json_escape(struct json *j, struct buf *b)
{
	static const char names[] = "\"\\/bfnrt", octets[] = "\"\\/\b\f\n\r\t";
	const char *p;

	if (j->at == j->end)
		return false;
	if (*j->at == 'u') {
		j->at++;
		return json_unicode(j, b);
	}
	p = *j->at == '\0' ? NULL : strchr(names, *j->at++);
	if (p == NULL)
		return false;
	buf_addc(b, octets[p - names]);
	return true;
}

/* Behind the first quote, into b. */
static inline bool
json_string(struct json *j, struct buf *b)
{
	while (j->at < j->end && *j->at != '"') {
		if ((unsigned char)*j->at < ' ')
			return false;
		if (*j->at == '\\') {
			j->at++;
			if (!json_escape(j, b))
				return false;
		} else {
			buf_addc(b, *j->at++);
		}
	}
	return json_take(j, '"') && buf_ok(b) &&
	    enc_is_utf8(buf_str(b), b->len);
}

/* The value behind a name: its path is that of its parent and the name. */
static inline bool
json_child(struct json *j, const char *name)
{
	size_t len = strlen(j->path);
	int n;
	bool ok;

	n = snprintf(j->path + len, sizeof(j->path) - len, "%s%s",
	    len > 0 ? "." : "", name);
	ok = n > 0 && (size_t)n < sizeof(j->path) - len && json_value(j);
	j->path[len] = '\0';
	return ok;
}

static inline bool
json_object(struct json *j)
{
	struct buf name;
	bool ok = true;

	if (json_take(j, '}'))
		return true;
	buf_init(&name, JSON_PATH_MAX);
	do {
		buf_reset(&name);
		ok = json_take(j, '"') && json_string(j, &name) &&
		    json_take(j, ':') && json_child(j, buf_str(&name));
	} while (ok && json_take(j, ','));
	buf_free(&name);
	return ok && json_take(j, '}');
}

static inline bool
json_array(struct json *j)
{
	char number[24];
	bool ok;

	if (json_take(j, ']'))
		return true;
	for (size_t i = 0;; i++) {
		snprintf(number, sizeof(number), "%zu", i);
		ok = json_child(j, number);
		if (!ok || !json_take(j, ','))
			break;
	}
	return ok && json_take(j, ']');
}

static inline bool
json_plain(struct json *j)
{
	static const char *const words[] = { "true", "false", "null" };
	const char *from = j->at;
	char *end;
	size_t n;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		n = strlen(words[i]);
		if ((size_t)(j->end - from) < n ||
		    memcmp(from, words[i], n) != 0)
			continue;
		j->at += n;
		return json_add(j, from, n);
	}
	if (from == j->end || strchr("-0123456789", *from) == NULL)
		return false;
	strtod(from, &end);
	j->at = end;
	return end > from && end <= j->end &&
	    json_add(j, from, (size_t)(end - from));
}

static bool
json_value(struct json *j)
{
	struct buf text;
	bool ok = j->depth++ < JSON_DEPTH_MAX;

	if (!ok) {
		j->depth--;
		return false;
	}
	if (json_take(j, '{')) {
		ok = json_object(j);
	} else if (json_take(j, '[')) {
		ok = json_array(j);
	} else if (json_take(j, '"')) {
		buf_init(&text, (size_t)(j->end - j->at) + 1);
		ok = json_string(j, &text) &&
		    json_add(j, buf_str(&text), text.len);
		buf_free(&text);
	} else {
		ok = json_plain(j);
	}
	j->depth--;
	return ok;
}

/* One value and nothing behind it; s ends with a NUL that n does not count. */
static inline bool
json_read(struct json *j, const char *s, size_t n)
{
	*j = (struct json){ .at = s, .end = s + n };
	if (!json_value(j))
		return false;
	json_space(j);
	return j->at == j->end;
}

#endif
