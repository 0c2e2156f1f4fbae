/*
 * nearest: see nearest.h.
 * Callers: options.c for options, config.c for keywords.
 * It allocates nothing; names are compared up to NEAR_MAX octets.
 * The recurrence is Damerau's, without changes inside of swapped pairs.
 * Ownership: see nearest.h.
 */
#include <string.h>

#include "cli/nearest.h"

#define NEAR_MAX 32
#define BEGUN_MIN 3

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Octets to change, insert, leave out or swap with their neighbour until a
 * is b; both have at most NEAR_MAX.
 */
static size_t
distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t d[NEAR_MAX + 1][NEAR_MAX + 1], i, j, other;

	for (i = 0; i <= na; i++)
		d[i][0] = i;
	for (j = 0; j <= nb; j++)
		d[0][j] = j;
	for (i = 1; i <= na; i++)
		for (j = 1; j <= nb; j++) {
			other = a[i - 1] != b[j - 1];
			d[i][j] = least(d[i - 1][j - 1] + other,
			    least(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[na][nb];
}

void
nearest_init(struct nearest *near, const char *s, size_t n)
{
	n = least(n, NEAR_MAX);
	*near = (struct nearest){ .s = s, .n = n, .distance = n / 3 + 2 };
}

void
nearest_offer(struct nearest *near, const char *name)
{
	size_t d;

	if (name == NULL)
		return;
	d = distance(near->s, near->n, name, least(strlen(name), NEAR_MAX));
	/* The beginning of a long name is what others take for it. */
	if (near->n >= BEGUN_MIN && d > 1 &&
	    strncmp(near->s, name, near->n) == 0)
		d = 1;
	if (d < near->distance) {
		near->distance = d;
		near->name = name;
	}
}
