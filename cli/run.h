/*
 * run: the queue is run: by a person, by a timer, or by a process of ours
 * that stays until it is empty.
 * Called by native.c, and by send.c for what it queued.
 * It reads no standard input.
 * sendmail(8) for -q; the man page, QUEUE.
 * Ownership: everything is borrowed for the call.
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

struct options;
struct settings;
struct spools_place;
struct waiter;

/* What smtpsend.c gives to each face. */
struct run_face {
	const struct waiter *waiter;
	/* A signal must not end the process any more. */
	void (*on_deliver)(void *ctx);
	void *ctx;
};

/*
 * -q and --queue-run: try what they say of the queues that the caller has,
 * once or again and again. The exit code: 0 if it ran, whatever came of it.
 */
int run_queue(const struct run_face *, const struct options *);

/*
 * A message was queued there: unless somebody does so already, or the settings
 * say no, leave a process behind that tries what is due in that folder, until
 * nothing is left in it. Nobody waits for it. A queue that is not the user's
 * own has a runner of its own.
 */
void run_in_background(const struct run_face *, const struct options *,
    const struct settings *, const struct spools_place *);

#endif
