/*
 * mxlist: see mxlist.h.
 * Callers: mx.c. It asks nobody.
 * RFC 5321 5.1, 7505 3.
 * Ownership: sorts and cuts where the list stands.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mxlist.h"

static int
compare(const void *a, const void *b)
{
	const struct dns_mx *x = a, *y = b;

	if (x->preference != y->preference)
		return x->preference < y->preference ? -1 : 1;
	return strcmp(x->host, y->host);
}

void
mxlist_sort(struct dns_mx *mx, size_t *n)
{
	size_t i, k, kept = 0;

	if (*n > 1)
		qsort(mx, *n, sizeof(*mx), compare);
	for (i = 0; i < *n; i++) {
		for (k = 0; k < kept; k++)
			if (strcmp(mx[k].host, mx[i].host) == 0)
				break;
		if (k == kept)
			mx[kept++] = mx[i];
	}
	*n = kept;
}

bool
mxlist_drop_root(struct dns_mx *mx, size_t *n)
{
	size_t i, kept = 0;

	for (i = 0; i < *n; i++)
		if (mx[i].host[0] != '\0')
			mx[kept++] = mx[i];
	*n = kept;
	return kept > 0;
}

bool
mxlist_equal(
    const struct dns_mx *a, size_t na, const struct dns_mx *b, size_t nb)
{
	size_t i;

	if (na != nb)
		return false;
	for (i = 0; i < na; i++) {
		if (strcmp(a[i].host, b[i].host) != 0)
			return false;
		if (i > 0 &&
		    (a[i].preference == a[i - 1].preference) !=
			(b[i].preference == b[i - 1].preference))
			return false;
	}
	return true;
}

/* Those in mx[from, to): 64 random bits for at most 100 places, the bias is
 * far below notice. */
static void
shuffle(struct dns_mx *mx, size_t from, size_t to, void (*draw)(void *, size_t))
{
	struct dns_mx swapped;
	uint64_t bits;
	size_t k;

	for (; to - from > 1; to--) {
		draw(&bits, sizeof(bits));
		k = from + (size_t)(bits % (to - from));
		swapped = mx[k];
		mx[k] = mx[to - 1];
		mx[to - 1] = swapped;
	}
}

void
mxlist_shuffle(struct dns_mx *mx, size_t n, void (*draw)(void *, size_t))
{
	size_t from = 0, i;

	for (i = 1; i <= n; i++) {
		if (i < n && mx[i].preference == mx[from].preference)
			continue;
		shuffle(mx, from, i, draw);
		from = i;
	}
}
