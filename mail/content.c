/*
 * content: see content.h. A cursor goes through the field's value; each small
 * reader below takes one thing from it and stops at what it does not know.
 * Caller: mail/mime.c. RFC 2045 5.1 (grammar), RFC 2231 3 (continuations), 4
 * (character sets), RFC 2046 5.1.1 (boundary).
 * Ownership: plain data only.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/enc.h"
#include "mail/content.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Longest value of a parameter that is looked at; it is cut behind that. */
#define VALUE_MAX 256
/* Most continuations of one parameter: one octet of a boundary each. */
#define SECTIONS_MAX CONTENT_BOUNDARY_MAX

struct cursor {
	const char *p;
	const char *end;
};

/* A run of octets: where it begins, and how many. */
struct span {
	const char *p;
	size_t n;
};

struct text {
	char s[VALUE_MAX];
	size_t n;
	bool cut; /* there was more */
};

static void
text_add(struct text *t, char c)
{
	if (t->n == sizeof t->s)
		t->cut = true;
	else
		t->s[t->n++] = c;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Over a comment, with the comments inside it (RFC 5322 3.2.2). */
static void
skip_comment(struct cursor *c)
{
	size_t depth = 0;

	for (; c->p < c->end; c->p++) {
		if (*c->p == '\\' && c->p + 1 < c->end)
			c->p++;
		else if (*c->p == '(')
			depth++;
		else if (*c->p == ')' && --depth == 0) {
			c->p++;
			return;
		}
	}
}

static void
skip_cfws(struct cursor *c)
{
	while (c->p < c->end) {
		if (*c->p == '(')
			skip_comment(c);
		else if (is_blank(*c->p))
			c->p++;
		else
			return;
	}
}

/* RFC 2045 5.1, but octets over 127 too: mail has them in boundaries. */
static bool
is_token(char c)
{
	return (unsigned char)c > ' ' && c != 127 &&
	    strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

static struct span
token(struct cursor *c)
{
	struct span s = { c->p, 0 };

	while (c->p < c->end && is_token(*c->p))
		c->p++;
	s.n = (size_t)(c->p - s.p);
	return s;
}

/* A quoted string from its first quote on; an open one ends with the text. */
static void
quoted(struct cursor *c, struct text *out)
{
	for (c->p++; c->p < c->end && *c->p != '"'; c->p++) {
		if (*c->p == '\\' && c->p + 1 < c->end)
			c->p++;
		else if (*c->p == '\r' || *c->p == '\n')
			continue; /* folding is no part of it */
		text_add(out, *c->p);
	}
	if (c->p < c->end)
		c->p++;
}

/*
 * A parameter's value. Unquoted ones hold what should have been quoted often
 * enough ("=", "/", ":" in boundaries), so only what ends one ends it.
 */
static void
value(struct cursor *c, struct text *out)
{
	out->n = 0;
	out->cut = false;
	if (c->p < c->end && *c->p == '"') {
		quoted(c, out);
		return;
	}
	for (; c->p < c->end && !is_blank(*c->p); c->p++) {
		if (*c->p == ';' || *c->p == '(' || *c->p == '"')
			return;
		text_add(out, *c->p);
	}
}

/* On to the next parameter: its name and value, or false at the end. */
static bool
next_param(struct cursor *c, struct span *name, struct text *val)
{
	while (c->p < c->end) {
		skip_cfws(c);
		if (c->p == c->end)
			break;
		if (*c->p == '"') {
			value(c, val); /* a ";" in it separates nothing */
			continue;
		}
		if (*c->p++ != ';')
			continue;
		skip_cfws(c);
		*name = token(c);
		skip_cfws(c);
		if (name->n == 0 || c->p == c->end || *c->p != '=')
			continue;
		c->p++;
		skip_cfws(c);
		value(c, val);
		return true;
	}
	return false;
}

/* The first parameter of that name among what the cursor has still ahead. */
static bool
find_param(struct cursor c, const char *want, struct text *val)
{
	struct span name;

	while (next_param(&c, &name, val))
		if (name.n == strlen(want) &&
		    strncasecmp(name.p, want, name.n) == 0)
			return true;
	return false;
}

/*
 * RFC 2231 4: octets as %XX; in the first section behind charset and
 * language, each with an apostrophe.
 */
static void
extended(struct text *out, const struct text *in, bool first)
{
	size_t i = 0, quotes = 0;

	for (; first && i < in->n && quotes < 2; i++)
		quotes += in->s[i] == '\'';
	if (first && quotes < 2)
		i = 0; /* it forgot them */
	for (; i < in->n; i++) {
		int high = -1, low = -1;

		if (in->s[i] == '%' && in->n - i > 2) {
			high = enc_hex_digit(in->s[i + 1]);
			low = enc_hex_digit(in->s[i + 2]);
		}
		if (high == -1 || low == -1) {
			text_add(out, in->s[i]);
			continue;
		}
		text_add(out, (char)(high * 16 + low));
		i += 2;
	}
}

/* One section of a continued parameter, appended: false if there is none. */
static bool
section(struct cursor c, const char *name, int number, struct text *out)
{
	struct text val;
	char want[64];

	snprintf(want, sizeof want, "%s*%d", name, number);
	if (find_param(c, want, &val)) {
		for (size_t i = 0; i < val.n; i++)
			text_add(out, val.s[i]);
		return true;
	}
	snprintf(want, sizeof want, "%s*%d*", name, number);
	if (!find_param(c, want, &val))
		return false;
	extended(out, &val, number == 0);
	return true;
}

/* A parameter in whichever way it is written: false if there is none. */
static bool
param(struct cursor c, const char *name, struct text *out)
{
	struct text val;
	char want[64];
	int i;

	if (find_param(c, name, out))
		return true;
	*out = (struct text){ .n = 0 };
	snprintf(want, sizeof want, "%s*", name);
	if (find_param(c, want, &val)) {
		extended(out, &val, true);
		return true;
	}
	for (i = 0; i < SECTIONS_MAX && section(c, name, i, out); i++)
		continue;
	return i > 0;
}

/* Rows are tried in order; a name that ends in "/" or "-" is a beginning. */
static const struct {
	const char *name;
	enum content_kind kind;
} kinds[] = {
	{ "multipart/signed", CONTENT_SEALED }, /* RFC 1847 */
	{ "multipart/encrypted", CONTENT_SEALED },
	{ "multipart/digest", CONTENT_DIGEST },
	{ "multipart/", CONTENT_MULTIPART },
	{ "message/rfc822", CONTENT_MESSAGE },
	{ "message/news", CONTENT_MESSAGE },
	{ "message/global", CONTENT_DATA }, /* RFC 6532 3.7 */
	{ "message/global-", CONTENT_DATA }, /* RFC 6533 */
	{ "message/", CONTENT_FIXED },
	{ "text/", CONTENT_TEXT },
};

static enum content_kind
kind_of(const char *type)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		size_t n = strlen(kinds[i].name);
		bool begins = strchr("/-", kinds[i].name[n - 1]) != NULL;

		if (strncmp(type, kinds[i].name, n) == 0 &&
		    (begins || type[n] == '\0'))
			return kinds[i].kind;
	}
	return type[0] == '\0' ? CONTENT_TEXT : CONTENT_DATA;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* "type/subtype" in lower case; empty if that is not what is there. */
static void
type_name(struct content *out, struct cursor *c)
{
	struct span type, sub = { NULL, 0 };

	skip_cfws(c);
	type = token(c);
	skip_cfws(c);
	if (c->p < c->end && *c->p == '/') {
		c->p++;
		skip_cfws(c);
		sub = token(c);
	}
	if (type.n == 0 || sub.n == 0)
		return;
	snprintf(out->type, sizeof out->type, "%.*s/%.*s", (int)type.n, type.p,
	    (int)sub.n, sub.p);
	for (char *p = out->type; *p != '\0'; p++)
		*p = lower(*p);
}

void
content_type(struct content *out, const char *v, size_t n)
{
	struct cursor c = { v, v + n };
	struct text val;

	*out = (struct content){ .kind = CONTENT_TEXT };
	if (n > CONTENT_FIELD_MAX)
		return;
	type_name(out, &c);
	out->kind = kind_of(out->type);
	if (param(c, "charset", &val))
		snprintf(out->charset, sizeof out->charset, "%.*s", (int)val.n,
		    val.s);
	if (!param(c, "boundary", &val))
		return;
	while (val.n > 0 && is_blank(val.s[val.n - 1]))
		val.n--; /* RFC 2046 5.1.1: none ends in a blank */
	if (val.cut || val.n > CONTENT_BOUNDARY_MAX)
		return;
	memcpy(out->boundary, val.s, val.n);
	out->boundary_len = val.n;
}

/* Where more than that word stands there, some readers decode and some do
 * not. */
static bool
is_doubtful(enum content_encoding encoding, const struct cursor *c)
{
	return (encoding == ENCODING_QP || encoding == ENCODING_BASE64) &&
	    c->p < c->end && *c->p != ';';
}

enum content_encoding
content_encoding(const char *v, size_t n)
{
	static const struct {
		const char *name;
		enum content_encoding encoding;
	} names[] = {
		{ "7bit", ENCODING_7BIT },
		{ "8bit", ENCODING_8BIT },
		{ "binary", ENCODING_BINARY },
		{ "quoted-printable", ENCODING_QP },
		{ "base64", ENCODING_BASE64 },
	};
	struct cursor c = { v, v + n };
	struct span word;

	if (n > CONTENT_FIELD_MAX)
		return ENCODING_OTHER;
	skip_cfws(&c);
	word = token(&c);
	if (word.n == 0)
		return ENCODING_7BIT;
	skip_cfws(&c);
	for (size_t i = 0; i < COUNT(names); i++)
		if (word.n == strlen(names[i].name) &&
		    strncasecmp(word.p, names[i].name, word.n) == 0)
			return is_doubtful(names[i].encoding, &c)
			    ? ENCODING_OTHER
			    : names[i].encoding;
	return ENCODING_OTHER;
}
