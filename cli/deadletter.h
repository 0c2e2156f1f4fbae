/*
 * deadletter: a message that nobody would have otherwise goes to ~/dead.letter.
 * Called by send.c.
 * It never writes into the home of another user, and prints nothing.
 * mailx(1) and sendmail(8) for the name; the man page, smtpsend-sendmail(8).
 * Ownership: everything is borrowed for the call.
 */
#ifndef CLI_DEADLETTER_H
#define CLI_DEADLETTER_H

#include "cli/machine.h"

struct err;
struct octets;
struct waiter;

/*
 * Append the message as it was read to the mbox dead.letter in the home of
 * who we are, which is made for him alone; `sender` is for its From_ line.
 * 0 with the path in out, or -1 with *e: nothing was added, and why.
 */
int deadletter_add(const struct octets *, const char *sender,
    const struct waiter *, char out[MACHINE_PATH_MAX], struct err *e);

#endif
