/*
 * mailbox: see mailbox.h. The items come from address_each(); what stands
 * between two of them, and is in none, says where a group begins and ends.
 * Callers: compose.c, edit.c.
 * RFC 5322 3.2.2 (comments), 3.2.4 (quoted strings), 3.4; RFC 2047 5.
 * Ownership: see mailbox.h.
 */
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/mailbox.h"

/* Longest encoded word (RFC 2047 2). */
#define WORD_MAX 75

struct list {
	struct buf *out; /* borrowed */
	const char *at; /* behind the last item */
	bool in_group;
	bool open; /* nothing stands before the next item: no comma */
	size_t bad;
	struct err *e; /* borrowed: of the first bad one */
};

/* ---- text ---- */

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* What the quoted string at s says, appended: octets used. */
static size_t
quoted(struct buf *out, const char *s, size_t n)
{
	size_t i;

	for (i = 1; i < n && s[i] != '"'; i++) {
		if (s[i] == '\\' && i + 1 < n)
			i++;
		buf_addc(out, s[i]);
	}
	return i < n ? i + 1 : n;
}

/* The same of a comment, the comments inside it with their parentheses. */
static size_t
comment(struct buf *out, const char *s, size_t n)
{
	size_t i, depth = 1;

	for (i = 1; i < n; i++) {
		if (s[i] == ')' && --depth == 0)
			return i + 1;
		depth += s[i] == '(';
		if (s[i] == '\\' && i + 1 < n)
			i++;
		buf_addc(out, s[i]);
	}
	return n;
}

/* A phrase, and the last comment in or behind it. */
struct text {
	struct buf phrase; /* owned: without quotes, single spaces */
	struct buf comment; /* owned */
	bool space; /* there was some before the next octet */
};

static void
text_init(struct text *t, size_t n)
{
	*t = (struct text){ 0 };
	buf_init(&t->phrase, n);
	buf_init(&t->comment, n);
}

static void
text_free(struct text *t)
{
	buf_free(&t->phrase);
	buf_free(&t->comment);
}

/* One thing at s: octets used. */
static size_t
text_add(struct text *t, const char *s, size_t n)
{
	if (is_space(*s)) {
		t->space = true;
		return 1;
	}
	if (*s == '(') {
		t->space = true;
		buf_reset(&t->comment);
		return comment(&t->comment, s, n);
	}
	if (t->space && t->phrase.len > 0)
		buf_addc(&t->phrase, ' ');
	t->space = false;
	if (*s == '"')
		return quoted(&t->phrase, s, n);
	buf_addc(&t->phrase, *s);
	return 1;
}

/* ---- one address ---- */

/* Words with an encoded one among them, which may stand as they are. Behind
 * a '[' that stays open a list and its groups would not end. */
static bool
is_encoded(const char *s, size_t n)
{
	size_t i, word = 0;
	bool open = false;

	for (i = 0; i < n; i++) {
		open = s[i] == '[' || (open && s[i] != ']');
		word = is_space(s[i]) ? 0 : word + 1;
		if (word > WORD_MAX || s[i] < ' ' || s[i] > '~' || s[i] == '(')
			return false;
	}
	return !open && memmem(s, n, "=?", 2) != NULL &&
	    memchr(s, '"', n) == NULL;
}

static void
put_address(struct list *l, const struct text *t, const char *raw)
{
	const struct buf *name = t->phrase.len > 0 ? &t->phrase : &t->comment;

	if (name->len == 0) {
		buf_adds(l->out, raw);
		return;
	}
	header_encode(l->out, name->data, name->len, HEADER_PHRASE, 0);
	buf_addf(l->out, " <%s>", raw);
}

/* An item: what stands before its '<', else its comment, is the name. */
static void
put_item(struct list *l, const char *s, size_t n, const char *raw)
{
	struct text t;
	size_t i = 0;

	text_init(&t, n);
	while (i < n && s[i] != '<')
		i += text_add(&t, s + i, n - i);
	if (i == n)
		buf_reset(&t.phrase); /* it was the address */
	if (i < n && is_encoded(s, i)) {
		buf_add(l->out, s, i);
		buf_addf(l->out, "%s<%s>", is_space(s[i - 1]) ? "" : " ", raw);
	} else
		put_address(l, &t, raw);
	text_free(&t);
}

/* ---- the list ---- */

static void
separate(struct list *l)
{
	if (!l->open)
		buf_adds(l->out, ", ");
	l->open = false;
}

static bool
ends_encoded(const struct buf *b)
{
	return b->len > 2 && memcmp(b->data + b->len - 2, "?=", 2) == 0;
}

/* A group whose name has n octets; none if there are none. */
static void
open_group(struct list *l, const struct text *name, size_t n)
{
	if (n == 0)
		return;
	separate(l);
	header_encode(l->out, name->phrase.data, n, HEADER_PHRASE, 0);
	/* White space must follow an encoded word (RFC 2047 5 (3)). */
	buf_adds(l->out, ends_encoded(l->out) ? " : " : ": ");
	l->in_group = l->open = true;
}

static void
close_group(struct list *l)
{
	if (!l->in_group)
		return;
	/* Of an empty one: no space before the ';'. */
	if (l->open)
		buf_cut(l->out, l->out->len - 1);
	buf_addc(l->out, ';');
	l->in_group = l->open = false;
}

/*
 * What stands between two items: separators, and the names of groups. A name
 * may have a ':' itself, in brackets: it is the last one that ends it.
 */
static void
between(struct list *l, const char *s, size_t n)
{
	struct text name;
	size_t i = 0, end = 0;

	text_init(&name, n);
	while (i < n) {
		if (s[i] == ':')
			end = name.phrase.len;
		if (s[i] != ',' && s[i] != ';') {
			i += text_add(&name, s + i, n - i);
			continue;
		}
		open_group(l, &name, end);
		if (s[i++] == ';')
			close_group(l);
		buf_reset(&name.phrase);
		end = 0;
	}
	open_group(l, &name, end);
	text_free(&name);
}

static int
on_item(void *ctx, const char *item, size_t n, struct address *a,
    const struct err *e)
{
	struct list *l = ctx;

	between(l, l->at, (size_t)(item - l->at));
	l->at = item + n;
	if (a == NULL) {
		if (l->bad++ == 0)
			*l->e = *e;
		return 0;
	}
	separate(l);
	put_item(l, item, n, a->raw);
	address_free(a);
	return 0;
}

size_t
mailbox_list(struct buf *out, const char *list, size_t n, struct err *e)
{
	struct list l = { .out = out, .at = list, .e = e };

	l.open = out->len == 0;
	address_each(list, n, ADDRESS_POSTMASTER, on_item, &l);
	between(&l, l.at, (size_t)(list + n - l.at));
	close_group(&l);
	return l.bad;
}
