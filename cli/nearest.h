/*
 * nearest: which of many names was most likely meant.
 * Called where a name that is not known came from a person.
 * It prints nothing and looks at nothing but the names it is offered.
 * Damerau's distance: change, insert, leave out, swap neighbours.
 * Ownership: names are borrowed.
 */
#ifndef CLI_NEAREST_H
#define CLI_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *s; /* borrowed: as typed */
	size_t n; /* its octets that are looked at */
	size_t distance; /* of the best so far */
	const char *name; /* the best so far, NULL: none was near */
};

/* For what was typed: s[0,n). What differs from it in more than a third of
 * its octets and one is not near, but a name that begins with it is. */
void nearest_init(struct nearest *, const char *s, size_t n);

/* A name that it could have been; NULL is passed over. The first of equally
 * near ones stays. */
void nearest_offer(struct nearest *, const char *name);

#endif
