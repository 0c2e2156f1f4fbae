/*
 * mailbox: a list of addresses as people type it, for a header field.
 * Called by compose.c (To, Cc, Bcc, Reply-To) and edit.c.
 * Pure. It decides no recipient: who is written to, the envelope says.
 * RFC 5322 3.4 (mailboxes, groups), RFC 2047 5 (3) (names).
 * Ownership: the caller's buffer.
 */
#ifndef MAIL_MAILBOX_H
#define MAIL_MAILBOX_H

#include <stddef.h>

struct buf;
struct err;

/*
 * Append the list to `out`, behind what it has, in one line: `name <address>`
 * with the name quoted or in encoded words where it must be, groups as
 * groups. A name behind an address in parentheses goes before it; other
 * comments are dropped. Addresses that do not parse are left out.
 * Returns how many those were; *e is then why the first of them is none.
 */
size_t mailbox_list(struct buf *out, const char *list, size_t n, struct err *e);

#endif
