/*
 * mend: a header, or a MIME part's, made to fit what a server takes.
 * Called once the server's extensions are known.
 * Pure. Fields that fit stay octet for octet.
 * RFC 5322 2.1.1 and 2.2.3 (lines, folding), RFC 2047, RFC 2231, RFC 6532.
 * Ownership: the caller's buffer.
 */
#ifndef MAIL_MEND_H
#define MAIL_MEND_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

/*
 * Append the header (as header.h has it: fields with LF ends) so that no line
 * is over 998 octets and no octet over 127, or, with `utf8` (the server has
 * SMTPUTF8), all of it is UTF-8. A field that does not fit is written anew,
 * folded at 76 (RFC 2047 2): raw 8-bit text becomes encoded words, in
 * parameters RFC 2231's form, domains become A-labels. Number, order and names
 * of fields stay, and what was mended is not mended again. Received stays
 * always.
 * An encoded word that no line has room for is cut, if its charset says where
 * that can be: UTF-8, or one of single octets.
 * 0, or -1 with *e: perm, data, scope message, stage mail, naming the field:
 * 5.6.9 if it cannot be done and a server with SMTPUTF8 would take it, 5.6.0
 * if none would; or temp, machine: no memory, or no library for domains.
 */
int mend_header(
    struct buf *out, const char *header, size_t n, bool utf8, struct err *e);

/* True if mend_header() would copy it as it is. */
bool mend_fits(const char *header, size_t n, bool utf8);

#endif
