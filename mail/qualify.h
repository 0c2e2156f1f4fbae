/*
 * qualify: names of this machine in a header get its domain, so that a reader
 * elsewhere can answer them.
 * Called by queue/submit.c for the face whose callers write such names.
 * Pure. Nothing but the domain behind a name is added, nothing taken away.
 * RFC 5321 2.3.5 and 6.4 (names without domain), RFC 5322 3.4, 3.6.2, 3.6.3.
 * Ownership: everything is borrowed; what is made is the message's.
 */
#ifndef MAIL_QUALIFY_H
#define MAIL_QUALIFY_H

#include <stddef.h>

struct buf;
struct err;
struct message;

/*
 * Append the header to `out`, with `@domain` behind each address of From,
 * Sender, Reply-To, To, Cc, Bcc and their Resent- brothers that is a name
 * alone (address.h, ADDRESS_BARE): behind the name, so that comments, <>,
 * folding and white space stay where they are. What does not parse stays as it
 * is, and so does an encoded word (RFC 2047 5 (3)) or a name that is not ASCII:
 * as text any server takes it, as an address few do. The domain is ASCII. How
 * many there were; `out` may have no room.
 */
size_t qualify_header(
    struct buf *out, const char *header, size_t n, const char *domain);

/* The same to a message's own header. 0, or -1 with *e: no memory (temporary,
 * machine), or no room in it (5.6.0). */
int qualify(struct message *, const char *domain, struct err *e);

#endif
