/*
 * orcpt: an original recipient, as its sender gave it: TYPE;ADDRESS.
 * Called by params.c, which hands it on, and by reports, which repeat it.
 * It checks no address: the type says what it is, and may be any.
 * RFC 3461 4.2, RFC 6533 3.
 * Ownership: pointers into the caller's string.
 */
#ifndef MAIL_ORCPT_H
#define MAIL_ORCPT_H

#include <stdbool.h>
#include <stddef.h>

struct orcpt {
	const char *type; /* an atom, no NUL behind it */
	size_t n; /* its octets */
	const char *address;
};

/* One without a type is of rfc822, or of utf-8 if it is not ASCII. */
struct orcpt orcpt_parse(const char *s);

/* True if its type is utf-8, case-blind. */
bool orcpt_is_utf8(const struct orcpt *);

#endif
