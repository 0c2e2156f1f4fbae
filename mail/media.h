/*
 * media: the type of a file that is attached: its own words, or by its name.
 * Called by cli, which reads the table.
 * Pure. It looks into no file.
 * RFC 6838 4.2 (names of types), mime.types as web servers have it.
 * Ownership: the caller's strings.
 */
#ifndef MAIL_MEDIA_H
#define MAIL_MEDIA_H

#include <stdbool.h>
#include <stddef.h>

/* Longest "type/subtype" and its NUL; RFC 6838 would have them shorter. */
#define MEDIA_TYPE_MAX 128

/* True if s is a type and a subtype, and nothing behind them. */
bool media_is_type(const char *s, size_t n);

/* True if s begins with `top` ("multipart") and a slash, case-blind. */
bool media_is(const char *s, const char *top);

/*
 * The type that a table gives to files with such a name: the lines are
 * "TYPE EXTENSION...", `#` begins a comment, the last line that has the name's
 * last extension counts, case-blind. What is no type, or a multipart, is
 * passed over. False if there is none; `out` is filled only on true.
 */
bool media_lookup(
    const char *table, size_t n, const char *name, char out[MEDIA_TYPE_MAX]);

#endif
