/*
 * native: the face of scripts: smtpsend [option]... [recipient]... < message
 * Called by smtpsend.c; it returns the exit code.
 * It is the only one here that reads the environment and the machine's name.
 * The man page, smtpsend(1), is its contract.
 * Ownership: argv is borrowed for the whole run.
 */
#ifndef CLI_NATIVE_H
#define CLI_NATIVE_H

#include "base/wait.h"

struct native {
	const struct waiter *waiter; /* borrowed */
	/* A signal must not end the process any more. */
	void (*on_deliver)(void *ctx);
	void *ctx;
};

/*
 * Read standard input to its end, unless it is a terminal: a caller that
 * writes to us must not die of it (SIGPIPE), whatever we made of its words.
 */
void native_drain(void);

int native_main(const struct native *, int argc, char *argv[]);

#endif
