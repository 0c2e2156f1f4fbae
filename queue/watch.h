/*
 * watch: waits until something changes in a queue's folder.
 * Called by cli/run.c between the runs of a runner that stays.
 * It reads no entry and decides nothing.
 * inotify(7).
 * Ownership: watch_close() closes what watch_open() opened.
 */
#ifndef QUEUE_WATCH_H
#define QUEUE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct folder;
struct waiter;

struct watch {
	int fd; /* -1: changes cannot be seen, only time passes */
};

/* Watch a folder from now on. Where that cannot be had it is no error: the
 * next wait ends by its deadline. */
void watch_open(struct watch *, const struct folder *);
void watch_close(struct watch *);

/* Forget what has changed until now. True if an entry was put meanwhile, or
 * may have been. */
bool watch_forget(struct watch *);

/*
 * Wait until an entry was put or noted upon, or until `deadline` (wait_now()
 * clock): as wait_fd() has it.
 */
int watch_wait(const struct watch *, const struct waiter *, int64_t deadline);

#endif
