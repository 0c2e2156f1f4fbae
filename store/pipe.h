/*
 * pipe: give a message to a program, and take its word for what became of it.
 * Called by local.c, as the recipient.
 * It becomes nobody, uses no shell and looks nothing up in PATH.
 * sysexits.h(3head), RFC 3463 (enhanced codes).
 * Ownership: everything is borrowed for the call.
 */
#ifndef STORE_PIPE_H
#define STORE_PIPE_H

#include <stdint.h>

#include "store/box.h"

struct err;
struct waiter;

struct pipe_config {
	const char *const *argv; /* argv[0] is its path; ends in NULL */
	const char *const *env; /* all that it gets; ends in NULL */
	int64_t timeout; /* ms for all of it; < 0: no end */
	const struct waiter *waiter; /* NULL: nobody stops it */
};

/*
 * Run the program in the present folder with the message on its standard
 * input: the fields and the octets of `mail`, with LF ends and otherwise as
 * they are. It need not read them. It leads a process group, which is killed
 * if it takes longer than `timeout`, a stop is asked for, or the message
 * cannot be read: it never sees the end of one that is not whole. What it
 * left behind when it ended is not waited for.
 *
 * 0: it ended with 0. -1 with *e: temporary for 71, 75, a signal, a program
 * that cannot be run or took too long; else permanent, as sysexits has it:
 * a reply (5.1.1 for 67 ...), or config where it is not the message's fault.
 * *e has the first line that the program printed, to whichever stream. Its
 * scope and stage are for the caller to set; octets.read()'s errors pass
 * through. Descriptors 0 to 2 must be open.
 */
int pipe_run(
    const struct pipe_config *, const struct box_mail *, struct err *e);

#endif
