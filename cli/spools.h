/*
 * spools: where queues are: the user's own, and the machine's.
 * Called by keeping.c for a message that is kept, and by what shows and runs
 * queues.
 * It reads no entry, sends nothing and prints nothing.
 * XDG Base Directory Specification (XDG_STATE_HOME); hier(7).
 * Ownership: places are plain data; a folder is the caller's to close.
 */
#ifndef CLI_SPOOLS_H
#define CLI_SPOOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/machine.h"

struct err;
struct folder;

/*
 * The machine's queue: `in`, into which users put, `queue`, which only its
 * runner opens, and `stamp`. Whoever owns it is the runner's user.
 */
#define SPOOLS_MACHINE "/var/spool/smtpsend"

/* Which kind of folder it is. */
enum spools_kind {
	SPOOLS_OWN, /* the user's: all of it in one folder */
	SPOOLS_IN, /* the machine's, to put a message into */
	SPOOLS_QUEUE, /* the machine's, for its runner */
	SPOOLS_TAKE /* what was put into it, for him too */
};

struct spools_place {
	enum spools_kind kind;
	char base[MACHINE_PATH_MAX]; /* where `stamp` and `runner` are */
	char path[MACHINE_PATH_MAX]; /* where entries are */
};

/*
 * Where a message is kept that goes by `own` accounts, of a file of the
 * user's, or by those of the machine: theirs is the machine's queue, if it is
 * there and somebody runs it. 0, or -1 with *e (config): there is no home.
 */
int spools_for(struct spools_place *, bool own, struct err *e);

/* True if the machine's queue takes our mail, and where. */
bool spools_machine(struct spools_place *);

/*
 * The queues that the caller may look at and run: his own; and the machine's
 * for root and for whoever owns it. Their number, or -1 with *e: there is none,
 * since there is no home (config), or since his mail goes to the machine's,
 * which is not for him (5.7.0).
 */
#define SPOOLS_MAX 2
int spools_seen(struct spools_place[SPOOLS_MAX], struct err *e);

/* Of the machine's queue for its runner: where he takes from. */
void spools_taken(struct spools_place *);

/*
 * Open a place's folder: 0; 1: there is none, and `make` is not set; -1 with
 * *e as of folder_open().
 */
int spools_open(
    const struct spools_place *, bool make, struct folder **, struct err *e);

/* Seconds since somebody ran the queue there; -1: nobody ever did, or the
 * stamp cannot be seen. */
int64_t spools_age(const struct spools_place *);

/* A queue that nobody ran for so long counts as one that nobody runs. */
#define SPOOLS_AGE_MAX ((int64_t)24 * 60 * 60)
bool spools_alive(const struct spools_place *);

#endif
