/*
 * xclient: the arguments of XCLIENT: whom we pretend to speak for, in tests.
 * Called by cli (is it right?) and by hello.c (write it).
 * Pure. It knows no attribute by name: the server says which it takes.
 * Postfix, XCLIENT_README; RFC 3461 4 (xtext).
 * Ownership: the caller's buffers.
 */
#ifndef SMTP_XCLIENT_H
#define SMTP_XCLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* True for "NAME=VALUE ...", one blank or more between them, all of it
 * printable ASCII. */
bool xclient_valid(const char *);

/*
 * Append " NAME=VALUE" for each, names in upper case, values as xtext. The
 * text is valid; `offered` has the names that the server takes, with blanks
 * between them. NULL, or the first attribute that it does not take, of *n
 * octets; nothing is sent then.
 */
const char *xclient_write(
    struct buf *, const char *text, const char *offered, size_t *n);

#endif
