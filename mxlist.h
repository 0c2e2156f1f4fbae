/*
 * mxlist: the mail hosts that an MX answer names, in the order to try.
 * Called by mx.c.
 * It asks nobody and looks no host up; pure.
 * RFC 5321 5.1 (order, equal preferences), 7505 3 (null MX).
 * Ownership: the list is the caller's, and shrinks where it stands.
 */
#ifndef MXLIST_H
#define MXLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "net/dns_answer.h"

/* By preference and name; a host's second mention goes. */
void mxlist_sort(struct dns_mx *, size_t *n);

/*
 * Drop "." from the list: alone it says that no mail is accepted, beside
 * others it says nothing (RFC 7505 3). False if none is left.
 */
bool mxlist_drop_root(struct dns_mx *, size_t *n);

/* Equal hosts in equal order; the numbers of the preferences do not count,
 * only which of them are equal. */
bool mxlist_equal(
    const struct dns_mx *a, size_t na, const struct dns_mx *b, size_t nb);

/* Shuffle those of equal preference, which stand together (RFC 5321 5.1);
 * `draw` gives random octets. */
void mxlist_shuffle(struct dns_mx *, size_t n, void (*draw)(void *, size_t));

#endif
