/*
 * dotlock: the lock of a mailbox that is a file beside it, by liblockfile.
 * Called by box.c, beside the lock of the kernel. The only home of lockfile.h.
 * It never waits: who holds a lock is for the caller to wait for.
 * lockfile_create(3), dotlockfile(1) (set-gid mail, where users may not write).
 * Ownership: dotlock_close() frees what dotlock_open() took.
 */
#ifndef STORE_DOTLOCK_H
#define STORE_DOTLOCK_H

#include <stdbool.h>

struct err;
struct dotlock;

/*
 * Load the library and name the lock of a mailbox: MAILBOX.lock. NULL with *e
 * (temporary, machine): it is not here, or there is no memory.
 */
struct dotlock *dotlock_open(const char *mailbox, struct err *e);
/* Gives the lock back, if it is held. NULL is accepted. */
void dotlock_close(struct dotlock *);

/*
 * 0: it is ours. 1: another one has it. -1 with *e (temporary, machine): it
 * cannot be had (no right to make it, no room). A lock that nobody touched
 * for five minutes is nobody's: no process id is believed, since it may be
 * one of another machine or container. SIGCHLD must not be ignored.
 */
int dotlock_try(struct dotlock *, struct err *e);

/* Give it back; it may be tried again. */
void dotlock_release(struct dotlock *);

/* It is still wanted: call this every minute or so. */
void dotlock_touch(const struct dotlock *);

/* The file that is the lock. */
const char *dotlock_path(const struct dotlock *);

#endif
