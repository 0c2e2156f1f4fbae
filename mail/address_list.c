/*
 * address_list: see address.h. A list is cut into items before any of them is
 * parsed, so that a mistake costs its own item only.
 * Callers: cli, mail/recipients.c. It parses no address itself.
 * RFC 5322 3.4 (lists, groups), 4.4 (empty items).
 * Ownership: the text is borrowed, an address is the callback's.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "mail/address.h"
#include "mail/cfws.h"

/* Where in an item of a list the cutter is. */
enum place {
	TOP,
	PATH, /* behind '<' */
	ROUTE, /* behind '<' and '@': commas belong to the route */
	LITERAL /* behind '[': colons belong to the address */
};

struct list {
	const char *s; /* borrowed: the whole text */
	size_t end;
	size_t at; /* next octet */
	size_t from; /* the item's first octet */
	bool in_group;
	enum place place;
	char last; /* the item's last octet but for white space, or 0 */
	bool path; /* the item has an '@' or '<', so it is no group's name */
};

static void
begin_item(struct list *l)
{
	l->from = l->at;
	l->place = TOP;
	l->last = '\0';
	l->path = false;
}

/* Behind the quoted string, comment or space at the cursor, if one is there. */
static bool
skip_opaque(struct list *l)
{
	char c = l->s[l->at];
	size_t next = l->at + 1;

	if (c == '"')
		next = cfws_quoted_end(l->s, l->at, l->end);
	else if (c == '(')
		next = cfws_comment_end(l->s, l->at, l->end);
	else if (!cfws_is_space(c))
		return false;
	if (c == '"')
		l->last = c;
	l->at = next == CFWS_OPEN ? l->end : next;
	return true;
}

static void
change_place(struct list *l, char c)
{
	static const struct {
		enum place from;
		char last; /* 0: whatever stands before it */
		char c;
		enum place to;
	} rows[] = {
		{ TOP, '\0', '<', PATH },
		{ TOP, '\0', '[', LITERAL },
		{ PATH, '<', '@', ROUTE },
		{ PATH, '\0', '>', TOP },
		{ ROUTE, '\0', '>', TOP },
		{ LITERAL, '\0', ']', TOP },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i].from == l->place && rows[i].c == c &&
		    (rows[i].last == '\0' || rows[i].last == l->last)) {
			l->place = rows[i].to;
			break;
		}
	}
	l->path = l->path || c == '@' || c == '<';
	l->last = c;
}

/* "Name:" opens a group (RFC 5322 3.4); groups do not nest. */
static bool
opens_group(const struct list *l, char c)
{
	return c == ':' && l->place == TOP && !l->in_group && !l->path &&
	    l->last != '\0';
}

static bool
ends_item(const struct list *l, char c)
{
	if (c == ';')
		return l->in_group && l->place == TOP;
	return c == ',' && l->place != ROUTE;
}

/*
 * Go to the end of the item at the cursor and return it; the cursor is
 * behind the separator. A group's name and its ':' are no part of the item.
 * What is opened and never closed reaches to the next comma, a quoted string
 * or comment to the end of the text.
 */
static size_t
item_end(struct list *l)
{
	begin_item(l);
	while (l->at < l->end) {
		char c = l->s[l->at];

		if (skip_opaque(l))
			continue;
		l->at++;
		if (opens_group(l, c)) {
			l->in_group = true;
			begin_item(l);
		} else if (ends_item(l, c)) {
			l->in_group = l->in_group && c != ';';
			return l->at - 1;
		} else
			change_place(l, c);
	}
	return l->end;
}

/* Nothing but white space and comments. */
static bool
is_blank(const char *s, size_t from, size_t end)
{
	return cfws_skip(s, &from, end) && from == end;
}

/* The item from `from` to `end`, without the white space around it. */
static int
give(
    const struct list *l, size_t end, unsigned flags, address_fn *fn, void *ctx)
{
	size_t from = l->from;
	struct address a;
	struct err e;

	while (from < end && cfws_is_space(l->s[from]))
		from++;
	while (end > from && cfws_is_space(l->s[end - 1]))
		end--;
	if (is_blank(l->s, from, end))
		return 0;
	if (address_parse_part(&a, l->s, from, end, flags, &e) == -1)
		return fn(ctx, l->s + from, end - from, NULL, &e);
	return fn(ctx, l->s + from, end - from, &a, NULL);
}

int
address_each(const char *s, size_t n, unsigned flags, address_fn *fn, void *ctx)
{
	struct list list = { .s = s, .end = n };
	int rc = 0;

	while (rc == 0 && list.at < n) {
		size_t end = item_end(&list);

		rc = give(&list, end, flags, fn, ctx);
	}
	return rc;
}
