/*
 * worker: one route, from the first connection to the last outcome.
 * Called by deliver.c in a forked process; its news go up a socket pair.
 * It asks no DNS, reads no config and prints nothing.
 * RFC 5321 5.1 (the next host), 4.5.4.1; the project's own design.
 * Ownership: everything is borrowed; the envelope is the process's own copy.
 */
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>

struct envelope;
struct message;
struct route;
struct waiter;

struct worker_config {
	const struct waiter *waiter; /* borrowed */
	bool show_lines; /* send the dialogue up */
	bool fresh; /* the token was fetched anew: it is not asked for again */
};

/*
 * What goes up, as records (base/record.h): REC_LINE has FROM, HOST and TEXT;
 * REC_FINAL has RCPTS: the last octets go out for these next; REC_OUTCOME has
 * RCPTS and an outcome; REC_TLS what is known of the connection from here on;
 * REC_STALE the outcome for which an OAuth token is to be fetched anew: it is
 * the last record, and its worker has decided nobody by it. RCPTS are numbers
 * of the envelope, four octets each in the machine's order.
 */
/* Recipient numbers in one record. */
#define RECORD_RCPTS 8000

enum record_type {
	REC_LINE = 1,
	REC_FINAL,
	REC_OUTCOME,
	REC_TLS,
	REC_STALE,
	RECORD_TYPES
};

/* Those of an outcome are mail/outcome.h's, and higher. */
enum record_tag {
	TAG_FROM = 1,
	TAG_HOST,
	TAG_TEXT,
	TAG_RCPTS,
	TAG_SECURE,
	TAG_VERIFIED,
	TAG_VERSION,
	TAG_CIPHER,
	TAG_GROUP,
	TAG_NAMES,
	TAG_ISSUER,
	TAG_EXPIRES,
	TAG_HOW,
	TAG_OCSP
};

/* The strings of a struct tls_facts, a row each. */
struct worker_fact {
	enum record_tag tag;
	size_t at, size; /* in the struct */
};
extern const struct worker_fact worker_facts[];
extern const size_t worker_facts_n;

/*
 * Deliver to the route's pending recipients and send each outcome up `up`;
 * returns when all are told, or when nobody listens any more.
 */
void worker_run(const struct worker_config *, const struct route *,
    const struct message *, struct envelope *, int up);

#endif
