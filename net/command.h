/*
 * command: run a program and take what it prints.
 * Called by credential.c for secrets and by cli/config.c for `eval`.
 * It gives the program no input and knows not what its output means.
 * fork(2), execvp(3).
 * Ownership: output goes into the caller's buffer, which wipes it.
 */
#ifndef NET_COMMAND_H
#define NET_COMMAND_H

#include <stdint.h>

struct buf;
struct err;
struct waiter;

/*
 * Run argv[0] (looked up in PATH) with standard input from /dev/null, stderr
 * ours, and no other descriptor of ours; append what it prints to `out`.
 * It may take `timeout` ms (a person may have to type into a pinentry), then
 * it is killed: with all it started where there is no terminal; with one it
 * shares our process group, so that it may ask there. It is over when argv[0]
 * ends, whoever still holds the pipe. Descriptors 0 to 2 must be open.
 * 0, or -1 with *e (config, permanent; temporary when a signal stopped us or
 * the machine is short of something): it cannot be run, failed (exit status
 * or signal in the sentence), printed more than `out` takes, took too long.
 * `what` names it in the sentence ("passwordeval"); what it printed is never
 * in it.
 */
int command_output(const char *what, const char *const argv[], int64_t timeout,
    const struct waiter *, struct buf *out, struct err *e);

/* The same by /bin/sh -c. */
int command_shell(const char *what, const char *line, int64_t timeout,
    const struct waiter *, struct buf *out, struct err *e);

#endif
