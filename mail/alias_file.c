/*
 * alias_file: see alias_file.h. Comments become spaces first; then an entry
 * is one run of octets, in which a line end is white space like any other.
 * Callers: queue/aliases.c. It opens nothing.
 * sendmail's and Postfix's aliases(5): names, values, lines that go on.
 * Ownership: a copy of the text, for the time of the call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "mail/address.h"
#include "mail/alias_file.h"
#include "mail/cfws.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define SHOWN_MAX 160 /* octets of a value that an error quotes */

struct parser {
	const struct alias_reader *to; /* borrowed */
	char *s; /* owned: the text without its comments */
	size_t n;
	size_t counted, line; /* the line of the octet counted so far */
	bool inside; /* behind the name of an entry */
};

/* ---- where it stands ---- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Of an octet that is not before the last one that was asked for. */
static size_t
line_of(struct parser *p, size_t at)
{
	for (; p->counted < at; p->counted++)
		p->line += p->s[p->counted] == '\n';
	return p->line;
}

static void
trim(const char *s, size_t *from, size_t *end)
{
	while (*from < *end && is_blank(s[*from]))
		++*from;
	while (*end > *from && is_blank(s[*end - 1]))
		--*end;
}

/* Behind the line end, or the end of the text. */
static size_t
next_line(const struct parser *p, size_t at)
{
	const char *lf = memchr(p->s + at, '\n', p->n - at);

	return lf == NULL ? p->n : (size_t)(lf - p->s) + 1;
}

/* ---- what cannot be used ---- */

static void
tell(struct parser *p, size_t at, const struct err *e)
{
	p->to->bad(p->to->ctx, line_of(p, at), p->inside, e);
}

static void
bad(struct parser *p, size_t at, size_t end, const char *why)
{
	char shown[SHOWN_MAX];
	struct err e;

	enc_printable_str(shown, sizeof shown, p->s + at, end - at);
	err_set(&e, ERR_PERM, ERR_CONFIG, "\"%s\": %s", shown, why);
	tell(p, at, &e);
}

/* ---- comments ---- */

/* Quoted strings end where their line does, whether they are closed or not. */
static void
blank_comments(struct parser *p)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < p->n; i++) {
		char c = p->s[i];
		bool first = i == 0 || is_blank(p->s[i - 1]);

		if (c == '\0') /* nothing that may stand in a name */
			p->s[i] = '\x7f';
		if (c == '\n')
			quoted = false;
		else if (quoted && c == '\\' && i + 1 < p->n &&
		    p->s[i + 1] != '\n')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (c == '#' && first && !quoted)
			while (i < p->n && p->s[i] != '\n')
				p->s[i++] = ' ';
	}
}

/* ---- values ---- */

/* A value in quotes that is not quoted for an address's sake: its inside. */
static bool
unquote(const char *s, size_t *from, size_t *end)
{
	size_t close;

	if (*end - *from < 2 || s[*from] != '"')
		return false;
	close = cfws_quoted_end(s, *from, *end);
	if (close != *end)
		return false;
	++*from;
	--*end;
	return true;
}

/* Spaces for line ends, which no address may have. */
static void
one_line(char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (s[i] == '\n' || s[i] == '\r')
			s[i] = ' ';
}

static int
give_address(struct parser *p, enum alias_kind kind, size_t from, size_t end)
{
	struct address a;
	struct alias_value v = { .kind = kind, .addr = &a };
	struct err e;

	v.line = line_of(p, from);
	line_of(p, end); /* counts the line ends that go now */
	one_line(p->s + from, end - from);
	if (address_parse(&a, p->s + from, end - from, ADDRESS_BARE, &e) == 0)
		return p->to->value(p->to->ctx, &v);
	if (e.verdict == ERR_PERM)
		e.kind = ERR_CONFIG;
	p->to->bad(p->to->ctx, v.line, p->inside, &e);
	return 0;
}

static int
give_mailbox(struct parser *p, size_t from, size_t end)
{
	if (memchr(p->s + from, '@', end - from) == NULL)
		return give_address(p, ALIAS_MAILBOX, from + 1, end);
	bad(p, from, end, "a \\ stands before a name of this machine only");
	return 0;
}

static int
give_include(struct parser *p, size_t from, size_t end)
{
	char path[ALIAS_PATH_MAX];
	struct alias_value v = { .kind = ALIAS_INCLUDE, .path = path };
	size_t start = from;

	from += strlen(":include:");
	trim(p->s, &from, &end);
	unquote(p->s, &from, &end);
	v.line = line_of(p, start);
	if (from == end || p->s[from] != '/' || end - from >= sizeof path ||
	    memchr(p->s + from, '\n', end - from) != NULL) {
		bad(p, start, end,
		    "a list is named by its whole path: :include:/path");
		return 0;
	}
	memcpy(path, p->s + from, end - from);
	path[end - from] = '\0';
	return p->to->value(p->to->ctx, &v);
}

static int
give_file(struct parser *p, size_t from, size_t end)
{
	struct alias_value v = { .kind = ALIAS_NOBODY,
		.line = line_of(p, from) };

	if (end - from == strlen("/dev/null") &&
	    memcmp(p->s + from, "/dev/null", end - from) == 0)
		return p->to->value(p->to->ctx, &v);
	bad(p, from, end,
	    "mail is not written to files named here; name a user or an "
	    "address");
	return 0;
}

static int
give_program(struct parser *p, size_t from, size_t end)
{
	bad(p, from, end,
	    "no program is run from here; name a user or an address");
	return 0;
}

static int
give_other(struct parser *p, size_t from, size_t end)
{
	bad(p, from, end, "the only one of this kind is :include:/path");
	return 0;
}

/* What a value begins with, inside its quotes if it has any. */
static const struct {
	const char *head;
	int (*give)(struct parser *, size_t from, size_t end);
} value_rows[] = {
	{ ":include:", give_include },
	{ ":", give_other },
	{ "|", give_program },
	{ "/", give_file },
	{ "\\", give_mailbox },
};

static int
give(struct parser *p, size_t from, size_t end)
{
	size_t inner = from, inner_end = end, i;

	trim(p->s, &from, &end);
	if (from == end)
		return 0;
	inner = from;
	inner_end = end;
	unquote(p->s, &inner, &inner_end);
	for (i = 0; i < COUNT(value_rows); i++) {
		size_t n = strlen(value_rows[i].head);

		if (inner_end - inner >= n &&
		    strncasecmp(p->s + inner, value_rows[i].head, n) == 0)
			return value_rows[i].give(p, inner, inner_end);
	}
	return give_address(p, ALIAS_ADDRESS, from, end);
}

/* Behind the quoted string or comment at `at`: none goes beyond its line. */
static size_t
skip_opaque(const struct parser *p, size_t at, size_t end)
{
	size_t stop = next_line(p, at), next;

	stop = stop < end ? stop : end;
	next = p->s[at] == '"' ? cfws_quoted_end(p->s, at, stop)
			       : cfws_comment_end(p->s, at, stop);
	if (next != CFWS_OPEN)
		return next;
	return stop > at && p->s[stop - 1] == '\n' ? stop - 1 : stop;
}

/* The end of the value at `at`: a comma (of a route in <>: none), or `end`.
 * In a list a line's end is one, too. */
static size_t
value_end(const struct parser *p, size_t at, size_t end)
{
	bool path = false;

	while (at < end) {
		char c = p->s[at];

		if (c == '"' || c == '(') {
			at = skip_opaque(p, at, end);
			continue;
		}
		if ((c == ',' && !path) || (c == '\n' && !p->inside))
			break;
		path = c == '<' || (path && c != '>' && c != '\n');
		at++;
	}
	return at < end ? at : end;
}

static int
values(struct parser *p, size_t from, size_t end)
{
	int rc = 0;

	while (rc == 0 && from < end) {
		size_t stop = value_end(p, from, end);

		rc = give(p, from, stop);
		from = stop + 1;
	}
	return rc;
}

/* ---- entries ---- */

bool
alias_fold(char out[ALIAS_NAME_MAX], const char *s, size_t n)
{
	size_t from = 0, end = n, len = 0;
	bool quoted = unquote(s, &from, &end);

	for (; from < end; from++) {
		char c = s[from];

		if (quoted && c == '\\' && from + 1 < end)
			c = s[++from];
		if (len == ALIAS_NAME_MAX - 1)
			return false;
		out[len++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	out[len] = '\0';
	if (!quoted && strcmp(out, "default") == 0)
		memcpy(out, ALIAS_ALL, sizeof ALIAS_ALL);
	return len > 0;
}

/* Why that is no name, and *rc is -1 if only memory is wanting; NULL: it is
 * one. */
static const char *
no_name(const char *s, size_t n, int *rc)
{
	struct address a;
	struct err e;
	bool whole, alone;

	if (n == 0)
		return "a name is missing before the ':'";
	if (n == strlen(ALIAS_ALL) && memcmp(s, ALIAS_ALL, n) == 0)
		return NULL;
	if (address_parse(&a, s, n, ADDRESS_BARE, &e) == -1) {
		/* Only a domain can be temporary in another way. */
		if (e.verdict == ERR_TEMP && memchr(s, '@', n) == NULL)
			*rc = -1;
		return "no name of a user; one with other than letters, "
		       "digits and dots stands in quotes";
	}
	whole = a.kind != DOMAIN_NONE;
	/* Else `Joe <joe>` would be a name that no mail ever has. */
	alone = strlen(a.raw) == n && memcmp(a.raw, s, n) == 0;
	address_free(&a);
	if (whole)
		return "only names of this machine have aliases; write it "
		       "without @ and domain";
	return alone ? NULL : "write the name alone before the ':'";
}

/* The ':' behind a name, or `end`. */
static size_t
colon(const struct parser *p, size_t at, size_t end)
{
	while (at < end && p->s[at] != ':' && p->s[at] != '\n')
		at = p->s[at] == '"' ? skip_opaque(p, at, end) : at + 1;
	return at < end && p->s[at] == ':' ? at : end;
}

static bool
all_blank(const char *s, size_t from, size_t end)
{
	trim(s, &from, &end);
	return from == end;
}

static int
entry(struct parser *p, size_t from, size_t end)
{
	size_t at = colon(p, from, end), stop = at;
	char name[ALIAS_NAME_MAX];
	const char *why;
	int rc = 0;

	p->inside = false;
	if (at == end) {
		stop = next_line(p, from) < end ? next_line(p, from) : end;
		trim(p->s, &from, &stop);
		bad(p, from, stop, "no ':'; write NAME: ADDRESS, ADDRESS");
		return 0;
	}
	trim(p->s, &from, &stop);
	why = no_name(p->s + from, stop - from, &rc);
	if (rc == -1)
		return -1;
	if (why == NULL && !alias_fold(name, p->s + from, stop - from))
		why = "no name is that long";
	if (why != NULL) {
		bad(p, from, stop, why);
		return 0;
	}
	rc = p->to->name(p->to->ctx, name, line_of(p, from));
	p->inside = true;
	if (rc == 0 && all_blank(p->s, at + 1, end))
		bad(p, from, at + 1, "nobody is named behind it");
	return rc != 0 ? rc : values(p, at + 1, end);
}

static bool
goes_on(const struct parser *p, size_t at)
{
	return p->s[at] == ' ' || p->s[at] == '\t' ||
	    all_blank(p->s, at, next_line(p, at));
}

static int
entries(struct parser *p)
{
	size_t from = 0, end;
	int rc = 0;

	for (; rc == 0 && from < p->n; from = end) {
		for (end = next_line(p, from); end < p->n && goes_on(p, end);)
			end = next_line(p, end);
		if (all_blank(p->s, from, end))
			continue;
		p->inside = false;
		if (p->s[from] == ' ' || p->s[from] == '\t')
			bad(p, from, next_line(p, from) - 1,
			    "goes on with an entry, but none is before it");
		else
			rc = entry(p, from, end);
	}
	return rc;
}

/* ---- whole ---- */

static int
begin(struct parser *p, const char *s, size_t n, const struct alias_reader *to)
{
	*p = (struct parser){ .to = to, .n = n, .line = 1 };
	p->s = malloc(n + 1);
	if (p->s == NULL)
		return -1;
	memcpy(p->s, s, n);
	p->s[n] = '\0';
	blank_comments(p);
	return 0;
}

int
alias_file_read(const char *s, size_t n, const struct alias_reader *to)
{
	struct parser p;
	int rc = begin(&p, s, n, to);

	if (rc == 0)
		rc = entries(&p);
	free(p.s);
	return rc;
}

int
alias_list_read(const char *s, size_t n, const struct alias_reader *to)
{
	struct parser p;
	int rc = begin(&p, s, n, to);

	if (rc == 0)
		rc = values(&p, 0, p.n);
	free(p.s);
	return rc;
}
