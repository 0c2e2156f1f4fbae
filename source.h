/*
 * source: where mails come from, and who hears what became of them: standard
 * input, the queue, one day a batch.
 * Filled by queue/submit.c and whoever has mails; asked and told by deliver.c.
 * Source: the project's own design.
 * Ownership: a plan is the source's, and borrowed until `done`.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stddef.h>

struct err;
struct mail;
struct plan;

/* All are called in the process that called deliver(), one at a time. */
struct source {
	/*
	 * The next plan, asked for when there is a place for a worker and no
	 * route that could take it, and never while `jobs` plans are alive.
	 * NULL: there is none, and will be none.
	 */
	struct plan *(*next)(void *ctx);
	/*
	 * The last octets of this mail go out next for these recipients, by
	 * number in the envelope, at most NEWS_RCPTS of them; they may have it
	 * from then on. 0 to go on; -1 with *e: they must not, and get *e for
	 * their outcome. NULL: nobody wants to know, and no worker waits.
	 */
	int (*final)(void *ctx, struct mail *, const size_t *rcpts, size_t n,
	    struct err *e);
	/*
	 * These were decided alike; their outcome is in the envelope. Not said
	 * of those whom mx_plan() decided. May be NULL.
	 */
	void (*outcome)(
	    void *ctx, struct mail *, const size_t *rcpts, size_t n);
	/*
	 * All recipients of the mail have an outcome: said once of each mail
	 * of a plan, also of one that has no recipient in any route. May be
	 * NULL.
	 */
	void (*mail_done)(void *ctx, struct mail *);
	/* Nothing of the plan is needed any more. May be NULL. */
	void (*done)(void *ctx, struct plan *);
	void *ctx; /* borrowed */
};

#endif
