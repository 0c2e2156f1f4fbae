/*
 * author: the address that a message is from, by its own header.
 * Called by cli for --read-envelope-from.
 * It changes no message and looks nothing up.
 * RFC 5322 3.6.2 (From, Sender).
 * Ownership: the address is the caller's.
 */
#ifndef MAIL_AUTHOR_H
#define MAIL_AUTHOR_H

#include <stddef.h>

struct address;
struct err;

/*
 * The address of the first From; if it has several, that of the first
 * Sender, which says then whose of them sent it, and without one the first
 * in From. Resent- fields do not count. 0, or -1 with *e: usage if nobody is
 * named, data if the address cannot be sent from.
 */
int author_read(struct address *, const char *header, size_t n, struct err *e);

#endif
