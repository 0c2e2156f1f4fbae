/*
 * param: a parameter of a structured field, written: filename, name.
 * Called by who composes a header or mends one.
 * Pure. It reads no parameter: content.h does that.
 * RFC 2045 5.1 (token, quoted string), RFC 2231 3 and 4, RFC 2183 2.
 * Ownership: the caller's buffer.
 */
#ifndef MAIL_PARAM_H
#define MAIL_PARAM_H

#include <stddef.h>

struct buf;

/*
 * Append `; name=value` to the field that `out` ends with, which has no line
 * end yet. The value stands as it is where that can be, quoted if it must be.
 * One that has octets beyond printable ASCII, that looks like an encoded word,
 * or that fits no line, goes as RFC 2231 has it: percent-encoded, in UTF-8 (or
 * unknown-8bit if it is none), in as many pieces as its length needs, none
 * with half a character. Before what would make a line longer than
 * HEADER_LINE the field is folded (LF and a space).
 */
void param_add(struct buf *out, const char *name, const char *value, size_t n);

#endif
