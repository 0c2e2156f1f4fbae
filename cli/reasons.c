/*
 * reasons: see reasons.h.
 * Callers: queuestats.c.
 * A row is found in a tree, since a queue may have as many as messages.
 * tsearch(3).
 * Ownership: see reasons.h.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "cli/reasons.h"

static int
by_key(const void *x, const void *y)
{
	const struct reason_key *a = &((const struct reason_row *)x)->key,
				*b = &((const struct reason_row *)y)->key;
	int c = strcmp(a->domain, b->domain);

	if (c == 0)
		c = a->tried - b->tried;
	if (c == 0)
		c = (int)a->stage - (int)b->stage;
	if (c == 0)
		c = a->code - b->code;
	return c != 0 ? c : (int)a->kind - (int)b->kind;
}

static int
by_size(const void *x, const void *y)
{
	const struct reason_row *const *a = x, *const *b = y;

	if ((*a)->n != (*b)->n)
		return (*a)->n < (*b)->n ? 1 : -1;
	return by_key(*a, *b);
}

static struct reason_row *
new_row(const struct reason_key *key)
{
	size_t n = strlen(key->domain) + 1;
	struct reason_row *row = malloc(sizeof *row + n);

	if (row == NULL)
		return NULL;
	row->key = *key;
	row->n = 0;
	memcpy(row->room, key->domain, n);
	row->key.domain = row->room;
	return row;
}

/* Room for one row more: 0, or -1 if there is no memory. */
static int
grow(struct reasons *t)
{
	size_t size = t->size == 0 ? 64 : t->size * 2;
	struct reason_row **rows;

	if (t->n < t->size)
		return 0;
	rows = reallocarray(t->rows, size, sizeof(struct reason_row *));
	if (rows == NULL)
		return -1;
	t->rows = rows;
	t->size = size;
	return 0;
}

static struct reason_row *
add_row(struct reasons *t, const struct reason_key *key)
{
	struct reason_row *row = grow(t) == 0 ? new_row(key) : NULL;

	if (row == NULL || tsearch(row, &t->tree, by_key) == NULL) {
		free(row);
		return NULL;
	}
	t->rows[t->n++] = row;
	return row;
}

int
reasons_add(struct reasons *t, const struct reason_key *key)
{
	const struct reason_row like = { .key = *key };
	struct reason_row **found = tfind(&like, &t->tree, by_key);
	struct reason_row *row = found != NULL ? *found : add_row(t, key);

	if (row == NULL)
		return -1;
	row->n++;
	return 0;
}

void
reasons_sort(struct reasons *t)
{
	if (t->n > 0)
		qsort(t->rows, t->n, sizeof(struct reason_row *), by_size);
}

void
reasons_free(struct reasons *t)
{
	for (size_t i = 0; i < t->n; i++) {
		tdelete(t->rows[i], &t->tree, by_key);
		free(t->rows[i]);
	}
	free(t->rows);
	*t = (struct reasons){ .n = 0 };
}
