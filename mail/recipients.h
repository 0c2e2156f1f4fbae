/*
 * recipients: those that a message's own header names (-t).
 * Called by queue/submit.c before Bcc is removed.
 * It changes no message and looks nothing up.
 * RFC 5322 3.6.3 (To, Cc, Bcc), 3.6.6 (Resent- fields).
 * Ownership: what is found belongs to the envelope.
 */
#ifndef MAIL_RECIPIENTS_H
#define MAIL_RECIPIENTS_H

#include <stddef.h>

struct envelope;
struct err;

/*
 * Add the addresses of To, Cc and Bcc, or, where the header has Resent-
 * fields, those of Resent-To, -Cc and -Bcc of their first block, which is
 * the last one who sent it on. A block ends where other fields begin, or
 * where it begins again with a second Resent-Date or Resent-From. `flags` are
 * address.h's; Postmaster may stand alone in any case. An address
 * that does not parse is added as failed: its sentence names the field, and
 * its position counts in the field's body as one line. 0, or -1 with *e: no
 * memory.
 */
int recipients_read(struct envelope *, const char *header, size_t n,
    unsigned flags, struct err *e);

#endif
