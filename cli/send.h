/*
 * send: one message from its options to its exit code.
 * Called by native.c, which is all its own; what a face needs that makes the
 * message or its envelope itself can be called alone.
 * It takes no argv: options come parsed.
 * The man page, sections OPTIONS, QUEUE and EXIT STATUS.
 * Ownership: send_free() releases all but options and face, which are borrowed.
 */
#ifndef CLI_SEND_H
#define CLI_SEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/accounts.h"
#include "cli/completion.h"
#include "cli/keeping.h"
#include "cli/letter.h"
#include "cli/machine.h"
#include "cli/naming.h"
#include "cli/options.h"
#include "cli/signing.h"
#include "mail/envelope.h"

struct message;
struct run_face;
struct submit_config;

/* What a message needs beside its options. */
struct send {
	struct options *o; /* borrowed */
	const struct run_face *face; /* borrowed */
	struct envelope env; /* owned */
	size_t nlisted; /* its recipients that are operands or of --to */
	/* Owned: of --read-envelope-from; o->from is in it. */
	struct address author;
	struct naming naming;
	struct address origin; /* owned: anybody at the domain of senders */
	struct accounts accounts; /* owned, as are the next four */
	struct letter letter;
	struct completion completion;
	struct signing signing;
	struct keeping keeping;
	struct waiter hurried; /* the face's, with the try's bound */
	int64_t began; /* wait_now() */
	bool planned; /* --dry-run or --export has printed: nothing goes out */
	int unwritten; /* errno, if the plan could not be written */
};

void send_init(struct send *, struct options *, const struct run_face *);
void send_free(struct send *);

/*
 * Take the message from standard input, send it, keep what cannot be sent
 * now, say what became of it, and leave somebody behind who tries what was
 * queued. The exit code. Standard input has been read to its end.
 */
int send_message(struct send *);

/*
 * The first part of it: read the configuration, choose the account, and say
 * how to submit by it: servers, signatures, queue. The envelope is not looked
 * at; o->from is, since it may choose the account. 0, or -1 with *e (usage,
 * config, machine). What *c points into is the struct send's.
 */
int send_open(struct send *, struct submit_config *c, struct err *e);

/*
 * Behind that, and once env.sender stands: what the message gets if it lacks
 * it, and how many of its recipients To may list (nlisted).
 */
void send_complete(struct send *, struct submit_config *c);

/*
 * Behind send_open() as well: env.sender by o->from and the account; and what
 * is asked for beyond delivery, also of recipients that come later. 0, or -1
 * with *e (usage, config).
 */
int send_sender(struct send *, struct err *e);
int send_wishes(struct send *, struct err *e);

/* A line of the log on each recipient. */
void send_log(const struct send *, const struct message *);

/* A plan's exit code: nothing was sent, so the open ones count for nothing. */
int send_plan_exit(const struct envelope *);

/* Where temporary files go; borrowed. */
const char *send_tmpdir(void);

/* The domain of senders on this machine: maildomain of the chosen account,
 * else machine_any_domain(). */
void send_domain(const struct send *, char out[MACHINE_NAME_MAX]);

/* Put that behind an address that is a bare name; others stay as they are. 0,
 * or -1 with *e, as of address_parse(). */
int send_qualify(const struct send *, struct address *, struct err *e);

/* Say it on stderr, see send_drain(), and have the exit code. */
int send_fail(const struct err *);

/*
 * Read standard input to its end, unless it is a terminal: a caller that
 * writes to us must not die of it (SIGPIPE), whatever we made of its words.
 */
void send_drain(void);

#endif
