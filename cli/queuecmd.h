/*
 * queuecmd: the options that look at the queue, and those that change what
 * is in it.
 * Called by native.c instead of a delivery.
 * It sends nothing; it locks a message only to change it.
 * The man page, section QUEUE. Ownership: borrows the options.
 */
#ifndef CLI_QUEUECMD_H
#define CLI_QUEUECMD_H

#include <stdbool.h>

#include "cli/spools.h"

struct options;

/* What was released in the user's own queue, where no run may be due. */
struct queue_released {
	bool any;
	struct spools_place place;
	char *account; /* owned: of one of them; "" for none */
};

/* Do what the mode of the options says, and say what went wrong: the exit
 * code, which is that of the first trouble. */
int queuecmd_run(const struct options *, struct queue_released *);

#endif
