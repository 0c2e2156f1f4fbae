/*
 * intake: what users added to the system's queue becomes entries of its
 * runner's, which nobody else can write.
 * Called by a run of the system's queue, before it lists that.
 * It takes all of it as hostile: it follows no link, waits for nobody and
 * believes no more than what it has copied and read again.
 * rename(2), open(2) O_NOFOLLOW and O_NONBLOCK; the states are in spool.h.
 * Ownership: everything is borrowed for the call.
 */
#ifndef QUEUE_INTAKE_H
#define QUEUE_INTAKE_H

#include <sys/types.h>
#include <stdbool.h>
#include <stdint.h>

struct entry;
struct entry_now;
struct err;
struct folder;

struct intake_config {
	const struct folder *in; /* FOLDER_TAKE */
	const struct folder *queue; /* FOLDER_OWN, on the same file system */
	const struct entry_now *now;
	/* Told what was set aside, and what could not be taken now. */
	void (*on_note)(void *ctx, const char *id, const char *text);
	void *ctx;
};

/*
 * Take in what is there, from each user as much as keeps nobody else waiting
 * for long. 0, with *more if some of it is left for the next call; or -1 with
 * *e (temporary, machine) if the folders could not be read or synced. Others
 * may do the same at that time: each entry is taken in once.
 */
int intake(const struct intake_config *, bool *more, struct err *e);

/*
 * What is wrong with an entry of `size` octets that `owner` added, beyond its
 * format: it is not his, or not as one that nobody has tried but who queued
 * it, by whom recipients may have failed; NULL: nothing.
 */
const char *intake_oddity(const struct entry *, uid_t owner, uint64_t size);

#endif
