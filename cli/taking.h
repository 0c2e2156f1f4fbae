/*
 * taking: what a client sends in a dialogue becomes messages of the queue.
 * Made by serve.c; called by smtp/server.c as its ops.
 * It tries no message and writes no reply: an error says what the client hears.
 * RFC 5321 4.4 (Received), 4.2.2 (452), 6.1 (whose the message is).
 * Ownership: taking_free() releases what is unfinished.
 */
#ifndef CLI_TAKING_H
#define CLI_TAKING_H

#include <stdbool.h>

#include "cli/options.h"
#include "cli/send.h"
#include "cli/spools.h"
#include "queue/submit.h"
#include "smtp/server.h"

struct aliases;
struct body;
struct run_face;

struct taking {
	const struct run_face *face; /* borrowed */
	const char *name; /* borrowed: ours */
	const char *who; /* borrowed: the client, for Received */
	struct options o; /* a copy, whose lists are borrowed */
	/* Of a transaction: from MAIL on. */
	bool open;
	struct send send; /* owned */
	struct submit_config config; /* points into it */
	/* Owned: those of this machine, from its first name on; or NULL. */
	struct aliases *aliases;
	/* Its message: from `begin` to `end` or `drop`. */
	struct envelope *env; /* borrowed */
	struct server_facts facts; /* borrowed */
	struct body *body; /* owned; NULL: there is none */
	/* A message was queued in the user's own queue, there, and is to be
	 * tried once the dialogue is over, or pauses. */
	bool due;
	struct spools_place place;
};

/*
 * Messages go by these options, which are borrowed, as if each were sent by a
 * call of its own, but always into the queue, and never tried. Settings are
 * read anew for each: what is wrong with them is not the client's, 451.
 */
void taking_init(struct taking *, const struct run_face *,
    const struct options *, const char *name, const char *who);
void taking_free(struct taking *);

/* The dialogue is over, or pauses: somebody tries what is due, unless -odq
 * says no. */
void taking_run(struct taking *);

/* The ops; `t` is their ctx. */
struct server_ops taking_ops(struct taking *t);

#endif
