/*
 * aliases: see aliases.h. Entries and their values lie in two arrays, found
 * by a hash table; an expansion is a walk that marks what it has seen, so
 * that its cost is that of the file at most, whatever leads where.
 * Callers: faces of cli. It opens the file and its lists, nothing else.
 * sendmail's and Postfix's aliases(5); openat(2), O_NOFOLLOW.
 * Ownership: see aliases.h.
 */
#include <sys/stat.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/address.h"
#include "mail/alias_file.h"
#include "mail/envelope.h"
#include "queue/alias_open.h"
#include "queue/aliases.h"

struct value {
	enum alias_kind kind;
	bool bare; /* an address without a domain: perhaps an alias */
	size_t line;
	char *text; /* owned: an address, a name or a path; NULL: nobody */
};

struct entry {
	char name[ALIAS_NAME_MAX]; /* folded */
	size_t line;
	size_t from, n; /* its values */
	struct err *bad; /* owned: it is not whole; NULL: it is */
};

struct aliases {
	char *path; /* owned: as errors name it */
	const char *domains; /* borrowed: of this machine; NULL: none */
	struct entry *entries; /* owned */
	size_t n, size;
	struct value *values; /* owned */
	size_t nvalues, values_size;
	size_t *slots; /* owned: hash table of index + 1 */
	size_t nslots; /* a power of two, or 0 */
	/* Owned: of the one walk that is under way, by entry. Each leaves no
	 * mark; to clear them all for each name would cost the whole file. */
	bool *seen;
	size_t *todo; /* owned, as large */
};

/* ---- entries by name: linear probing, at most half full ---- */

static size_t
hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return (size_t)(h ^ h >> 32);
}

/* The slot that holds the name, or the empty one where it belongs. */
static size_t *
find_slot(const struct aliases *a, const char *name)
{
	size_t mask = a->nslots - 1, i = hash(name) & mask;

	while (a->slots[i] != 0 &&
	    strcmp(a->entries[a->slots[i] - 1].name, name) != 0)
		i = (i + 1) & mask;
	return &a->slots[i];
}

static struct entry *
find(const struct aliases *a, const char *name)
{
	size_t i = a->nslots == 0 ? 0 : *find_slot(a, name);

	return i == 0 ? NULL : &a->entries[i - 1];
}

/* The entry of a local part. */
static struct entry *
find_name(const struct aliases *a, const char *s, size_t n)
{
	char name[ALIAS_NAME_MAX];

	/* Nobody is the catch-all by being called so. */
	if (!alias_fold(name, s, n) || strcmp(name, ALIAS_ALL) == 0)
		return NULL;
	return find(a, name);
}

/* Room for one more of `one` octets: the array, or NULL. */
static void *
grow(void *array, size_t n, size_t *size, size_t one)
{
	size_t more = *size == 0 ? 16 : *size * 2;
	void *p;

	if (n < *size)
		return array;
	p = reallocarray(array, more, one);
	if (p != NULL)
		*size = more;
	return p;
}

static int
rehash(struct aliases *a)
{
	size_t nslots = a->nslots == 0 ? 64 : a->nslots * 2, i;
	size_t *slots;

	if (a->n * 2 < a->nslots)
		return 0;
	slots = calloc(nslots, sizeof *slots);
	if (slots == NULL)
		return -1;
	free(a->slots);
	a->slots = slots;
	a->nslots = nslots;
	for (i = 0; i < a->n; i++)
		*find_slot(a, a->entries[i].name) = i + 1;
	return 0;
}

static struct entry *
add_entry(struct aliases *a, const char *name, size_t line)
{
	struct entry *list = grow(a->entries, a->n, &a->size, sizeof *list);

	if (list == NULL)
		return NULL;
	a->entries = list;
	if (rehash(a) == -1)
		return NULL;
	list += a->n;
	*list = (struct entry){ .line = line, .from = a->nvalues };
	snprintf(list->name, sizeof list->name, "%s", name);
	a->n++;
	*find_slot(a, name) = a->n;
	return list;
}

/* ---- a file is read ---- */

struct loading {
	struct aliases *a;
	struct entry *now; /* whose values come; NULL: nobody's */
	aliases_bad_fn *bad;
	void *ctx;
	struct err *e; /* why it ended early */
	bool starved; /* a mistake could not be kept */
};

static int
no_memory(struct err *e)
{
	return err_errno(e, ERR_TEMP, ERR_MACHINE, ENOMEM, "aliases");
}

/* It keeps the first of its mistakes, and is not whole from then on. */
static void
spoil(struct loading *l, struct entry *entry, const struct err *e)
{
	if (entry == NULL || entry->bad != NULL)
		return;
	entry->bad = malloc(sizeof *entry->bad);
	if (entry->bad != NULL)
		*entry->bad = *e;
	else
		l->starved = true;
}

static void
load_bad(void *ctx, size_t line, bool inside, const struct err *why)
{
	struct loading *l = ctx;
	struct err e;

	alias_place(&e, l->a->path, line, why);
	if (inside)
		spoil(l, l->now, &e);
	if (l->bad != NULL)
		l->bad(l->ctx, &e);
}

static int
load_name(void *ctx, const char *name, size_t line)
{
	struct loading *l = ctx;
	const struct entry *first = find(l->a, name);
	struct err e;

	l->now = NULL;
	if (first != NULL) {
		err_set(&e, ERR_PERM, ERR_CONFIG,
		    "\"%s\" has an entry in line %zu already, which holds; "
		    "write all in one",
		    name, first->line);
		load_bad(l, line, false, &e);
		return 0;
	}
	l->now = add_entry(l->a, name, line);
	return l->now == NULL ? no_memory(l->e) : 0;
}

/* What is in a domain of this machine stands for a name: 0, or -1 with *e
 * (config): no name can be like that. */
static int
localize(const struct aliases *a, struct address *addr, struct err *e)
{
	if (a->domains == NULL || addr == NULL ||
	    !address_is_in(addr, a->domains) || address_make_bare(addr, e) == 0)
		return 0;
	if (e->verdict == ERR_PERM)
		e->kind = ERR_CONFIG;
	return -1;
}

/* Perhaps an alias: an address without a domain. */
static bool
is_bare(const struct alias_value *v)
{
	return v->kind == ALIAS_ADDRESS && v->addr != NULL &&
	    v->addr->kind == DOMAIN_NONE;
}

static int
keep_value(struct loading *l, const struct alias_value *v)
{
	struct aliases *a = l->a;
	struct value *list, one = { v->kind, is_bare(v), v->line, NULL };
	const char *text = v->addr != NULL ? v->addr->raw : v->path;

	if (text != NULL && l->now != NULL)
		one.text = strdup(text);
	if (v->addr != NULL)
		address_free(v->addr);
	if (text != NULL && l->now != NULL && one.text == NULL)
		return no_memory(l->e);
	if (l->now == NULL) {
		free(one.text);
		return 0;
	}
	list = grow(a->values, a->nvalues, &a->values_size, sizeof *list);
	if (list == NULL) {
		free(one.text);
		return no_memory(l->e);
	}
	a->values = list;
	a->values[a->nvalues++] = one;
	l->now->n++;
	return 0;
}

static int
load_value(void *ctx, const struct alias_value *v)
{
	struct loading *l = ctx;
	struct err why;

	if (localize(l->a, v->addr, &why) == 0)
		return keep_value(l, v);
	address_free(v->addr);
	load_bad(l, v->line, true, &why);
	return 0;
}

static struct aliases *
new_aliases(const char *path, const char *domains)
{
	struct aliases *a = calloc(1, sizeof *a);

	if (a == NULL)
		return NULL;
	a->domains = domains;
	a->path = strdup(path);
	if (a->path != NULL)
		return a;
	free(a);
	return NULL;
}

static int
make_marks(struct aliases *a, struct err *e)
{
	a->seen = calloc(a->n + 1, sizeof *a->seen);
	a->todo = calloc(a->n + 1, sizeof *a->todo);
	return a->seen == NULL || a->todo == NULL ? no_memory(e) : 0;
}

int
aliases_load(struct aliases **a, const char *path, const char *domains,
    aliases_bad_fn *bad, void *ctx, struct err *e)
{
	struct loading l = { .bad = bad, .ctx = ctx, .e = e };
	struct alias_reader to = { .name = load_name,
		.value = load_value,
		.bad = load_bad,
		.ctx = &l };
	struct buf text;
	int rc;

	*a = NULL;
	buf_init(&text, ALIASES_FILE_MAX);
	rc = alias_read(path, ALIAS_MAIN, &text, e);
	if (rc == 0) {
		*a = l.a = new_aliases(path, domains);
		if (l.a == NULL ||
		    alias_file_read(buf_str(&text), text.len, &to) == -1 ||
		    l.starved)
			rc = no_memory(e);
	}
	if (rc == 0)
		rc = make_marks(l.a, e);
	buf_free(&text);
	if (rc == -1) {
		aliases_free(*a);
		*a = NULL;
	}
	return rc;
}

void
aliases_free(struct aliases *a)
{
	size_t i;

	if (a == NULL)
		return;
	for (i = 0; i < a->n; i++)
		free(a->entries[i].bad);
	for (i = 0; i < a->nvalues; i++)
		free(a->values[i].text);
	free(a->entries);
	free(a->values);
	free(a->slots);
	free(a->seen);
	free(a->todo);
	free(a->path);
	free(a);
}

size_t
aliases_count(const struct aliases *a)
{
	return a->n;
}

/* ---- expansion ---- */

/* A list that is to be read, or was. */
struct list {
	const struct entry *of; /* whose name means his mailbox in it */
	char *path; /* owned */
	size_t line; /* where it is named, */
	const char *in; /* and in which file: an earlier path, or the main */
};

struct walk {
	const struct aliases *a;
	struct envelope found; /* who gets it, each once */
	bool nobody; /* /dev/null was there */
	bool *seen; /* borrowed: by entry */
	size_t *todo; /* borrowed: entries to be followed; room for all */
	size_t ntodo;
	struct list *lists; /* owned */
	size_t nlists, lists_size;
	const struct list *now; /* the list that is being read */
	struct err *e;
	/* It is a check: mistakes are told, and go on; nobody is found. */
	aliases_bad_fn *bad;
	void *ctx;
	bool failed;
};

/* A mistake ends an expansion, and is one of many in a check. */
static int
mistake(struct walk *w)
{
	if (w->bad == NULL || w->e->verdict == ERR_TEMP)
		return -1;
	w->bad(w->ctx, w->e);
	w->failed = true;
	err_clear(w->e);
	return 0;
}

static void
follow(struct walk *w, const struct entry *entry)
{
	size_t i = (size_t)(entry - w->a->entries);

	if (w->seen[i])
		return;
	w->seen[i] = true;
	w->todo[w->ntodo++] = i;
}

/* Takes the address. */
static int
found(struct walk *w, struct address *addr)
{
	if (w->bad != NULL) {
		address_free(addr);
		return 0;
	}
	if (w->found.n == ALIASES_TARGETS_MAX) {
		address_free(addr);
		return err_set(w->e, ERR_PERM, ERR_CONFIG,
		    "%s: more than %d addresses for one message", w->a->path,
		    ALIASES_TARGETS_MAX);
	}
	if (envelope_add(&w->found, addr, "", 0) == -1)
		return no_memory(w->e);
	return 0;
}

/* A name without domain, in the entry (or a list of the entry) of `of`. */
static int
local(struct walk *w, const struct entry *of, struct address *addr)
{
	const struct entry *next = find_name(w->a, addr->raw, addr->local_len);

	if (next == NULL || next == of)
		return found(w, addr);
	follow(w, next);
	address_free(addr);
	return 0;
}

static int
add_list(struct walk *w, const struct list *list)
{
	struct list *lists;
	char *copy;
	size_t i;

	for (i = 0; i < w->nlists; i++)
		if (strcmp(w->lists[i].path, list->path) == 0)
			return 0;
	if (w->nlists >= ALIASES_LISTS_MAX && w->bad == NULL)
		return err_set(w->e, ERR_PERM, ERR_CONFIG,
		    "%s:%zu: more than %d lists for one message", list->in,
		    list->line, ALIASES_LISTS_MAX);
	lists = grow(w->lists, w->nlists, &w->lists_size, sizeof *lists);
	copy = lists == NULL ? NULL : strdup(list->path);
	if (lists != NULL)
		w->lists = lists;
	if (copy == NULL)
		return no_memory(w->e);
	w->lists[w->nlists] = *list;
	w->lists[w->nlists++].path = copy;
	return 0;
}

/* One value of an entry. */
static int
take(struct walk *w, const struct entry *of, const struct value *v)
{
	struct list list = { of, v->text, v->line, w->a->path };
	struct address addr;

	if (v->kind == ALIAS_NOBODY)
		w->nobody = true;
	if (v->kind == ALIAS_INCLUDE)
		return add_list(w, &list);
	if (v->text == NULL)
		return 0;
	if (address_parse(
		&addr, v->text, strlen(v->text), ADDRESS_BARE, w->e) == -1)
		return -1;
	return v->bare ? local(w, of, &addr) : found(w, &addr);
}

static int
take_entry(struct walk *w, const struct entry *of)
{
	size_t i;

	if (of->bad != NULL && w->bad == NULL) {
		*w->e = *of->bad;
		return -1;
	}
	for (i = 0; i < of->n; i++)
		if (take(w, of, &w->a->values[of->from + i]) == -1)
			return -1;
	return 0;
}

/* The first mistake in a list is why it cannot be used. */
static void
list_bad(void *ctx, size_t line, bool inside, const struct err *why)
{
	struct walk *w = ctx;

	(void)inside;
	if (w->e->verdict == ERR_OK) {
		alias_place(w->e, w->now->path, line, why);
		mistake(w);
	}
}

/* One value of a list. */
static int
list_value(void *ctx, const struct alias_value *v)
{
	struct walk *w = ctx;
	const struct list *now = w->now;
	char path[ALIAS_PATH_MAX];
	struct list inner = { now->of, path, v->line, now->path };
	struct err why;

	if (v->kind == ALIAS_NOBODY)
		w->nobody = true;
	if (v->kind == ALIAS_INCLUDE) {
		snprintf(path, sizeof path, "%s", v->path);
		return add_list(w, &inner);
	}
	if (v->addr == NULL)
		return 0;
	if (localize(w->a, v->addr, &why) == -1) {
		address_free(v->addr);
		list_bad(w, v->line, true, &why);
		return 0;
	}
	return is_bare(v) ? local(w, now->of, v->addr) : found(w, v->addr);
}

/* The list is a copy: more of them may come while it is read. */
static int
take_list(struct walk *w, struct list at)
{
	const struct list *list = &at;
	struct alias_reader to = {
		.value = list_value, .bad = list_bad, .ctx = w
	};
	struct buf text;
	struct err why;
	int rc;

	buf_init(&text, ALIASES_FILE_MAX);
	rc = alias_read(list->path, ALIAS_LIST, &text, &why);
	if (rc == -1)
		alias_place(w->e, list->in, list->line, &why);
	w->now = list;
	if (rc == 0)
		rc = alias_list_read(buf_str(&text), text.len, &to);
	buf_free(&text);
	w->now = NULL;
	if (rc == -1 && w->e->verdict == ERR_OK)
		no_memory(w->e);
	return w->e->verdict == ERR_OK ? rc : mistake(w);
}

/* All that can be reached: lists and entries are followed in turns. */
static int
walk_all(struct walk *w)
{
	size_t entry = 0, list = 0;
	int rc = 0;

	while (rc != -1 && (entry < w->ntodo || list < w->nlists))
		rc = entry < w->ntodo
		    ? take_entry(w, &w->a->entries[w->todo[entry++]])
		    : take_list(w, w->lists[list++]);
	/* Who is told of what was found may ask for another name. */
	while (w->ntodo > 0)
		w->seen[w->todo[--w->ntodo]] = false;
	return rc == -1 ? -1 : 0;
}

static void
walk_begin(struct walk *w, const struct aliases *a, struct err *e)
{
	err_clear(e);
	*w = (struct walk){ .a = a, .e = e, .seen = a->seen, .todo = a->todo };
	envelope_init(&w->found);
}

static void
walk_end(struct walk *w)
{
	size_t i;

	for (i = 0; i < w->nlists; i++)
		free(w->lists[i].path);
	free(w->lists);
	envelope_free(&w->found);
}

static int
reaches_nobody(
    const struct aliases *a, const struct entry *entry, struct err *e)
{
	return err_set(e, ERR_PERM, ERR_CONFIG,
	    "%s:%zu: \"%s\" leads to nobody, only back to itself or to an "
	    "empty list; name an address, or a mailbox by \\NAME",
	    a->path, entry->line, entry->name);
}

int
aliases_expand(const struct aliases *a, const char *name, size_t n,
    aliases_fn *fn, void *ctx, struct err *e)
{
	const struct entry *entry = find_name(a, name, n);
	struct walk w;
	size_t i;
	int rc;

	if (entry == NULL)
		entry = find(a, ALIAS_ALL);
	if (entry == NULL)
		return 1;
	walk_begin(&w, a, e);
	follow(&w, entry);
	rc = walk_all(&w);
	if (rc == 0 && w.found.n == 0 && !w.nobody)
		rc = reaches_nobody(a, entry, e);
	for (i = 0; rc == 0 && i < w.found.n; i++) {
		struct address addr = w.found.rcpts[i].addr;

		w.found.rcpts[i].addr = (struct address){ 0 };
		rc = fn(ctx, &addr);
	}
	walk_end(&w);
	return rc;
}

/* ---- the check ---- */

/* True if the entry names an address or a mailbox, or another entry of which
 * this is known (yes[]). A list counts as somebody without being looked at: it
 * may be empty now and have members tomorrow. */
static bool
names_somebody(const struct aliases *a, const struct entry *of, const bool *yes)
{
	const struct entry *next;
	size_t i;

	for (i = of->from; i < of->from + of->n; i++) {
		const struct value *v = &a->values[i];

		if (!v->bare)
			return true;
		next = find_name(a, v->text, strlen(v->text));
		if (next == NULL || next == of || yes[next - a->entries])
			return true;
	}
	return of->bad != NULL; /* that was told */
}

/* Repeat until nothing changes; up and down the file in turns, since most
 * entries name one that is near, above or below. */
static void
mark_good(const struct aliases *a, bool *yes)
{
	bool again = true, up = false;
	size_t k, i;

	for (; again; up = !up) {
		again = false;
		for (k = 0; k < a->n; k++) {
			i = up ? a->n - 1 - k : k;
			if (yes[i] || !names_somebody(a, &a->entries[i], yes))
				continue;
			yes[i] = again = true;
		}
	}
}

static void
check_loops(struct walk *w)
{
	const struct aliases *a = w->a;
	size_t i;

	mark_good(a, w->seen);
	for (i = 0; i < a->n; i++) {
		if (w->seen[i])
			continue;
		reaches_nobody(a, &a->entries[i], w->e);
		mistake(w);
	}
	memset(w->seen, 0, a->n * sizeof *w->seen);
}

int
aliases_check(const struct aliases *a, aliases_bad_fn *bad, void *ctx)
{
	struct walk w;
	struct err e;
	size_t i;
	int rc;

	walk_begin(&w, a, &e);
	w.bad = bad;
	w.ctx = ctx;
	for (i = 0; i < a->n; i++)
		follow(&w, &a->entries[i]);
	rc = walk_all(&w);
	if (rc == 0)
		check_loops(&w);
	else
		bad(ctx, &e);
	walk_end(&w);
	return rc == -1 || w.failed ? -1 : 0;
}
