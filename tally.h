/*
 * tally: who of a plan's recipients is still open, and who hears of the rest.
 * Called by deliver.c, one for each plan that is alive.
 * It starts nothing, and believes no worker about recipients of others.
 * RFC 5321 4.5.4.1; the project's own design.
 * Ownership: plan and source are borrowed; outcomes go into the envelopes.
 */
#ifndef TALLY_H
#define TALLY_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct holder;
struct news;
struct plan;
struct source;

struct tally {
	const struct source *source; /* borrowed */
	struct plan *plan; /* borrowed */
	struct holder *holders; /* owned: the recipients of all mails */
	size_t *first; /* owned: of each mail, its first holder */
	size_t *open; /* owned: of each mail, recipients that are undecided */
};

/* Count, and tell of mails that have nobody open. -1: no memory, and nobody
 * was told. tally_free() is due in both cases. */
int tally_init(struct tally *, const struct source *, struct plan *);
void tally_free(struct tally *);

/* True if each recipient that the news is about is the route's. */
bool tally_owns(const struct tally *, size_t route, const struct news *);

/* The last octets go out for these next: 0, or -1 with *e (temporary,
 * machine) if the source will not have it. */
int tally_final(struct tally *, const struct news *, struct err *e);

/* They were decided; `tls` is the connection's number in their envelope. */
void tally_outcome(struct tally *, const struct news *, size_t tls);

/* The route's worker is gone, and how: what it left open is decided. */
void tally_lost(struct tally *, size_t route, const char *how);

/* One reason for all of a route, or of all, who are still open. */
void tally_decide(struct tally *, size_t route, const struct err *);
void tally_rest(struct tally *, const struct err *);

#endif
