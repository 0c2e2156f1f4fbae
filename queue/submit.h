/*
 * submit: the one way in: a message and its envelope to their outcomes.
 * Called by every face of cli with an envelope; the queue will join here.
 * It knows no argv and prints nothing: faces watch by callbacks.
 * RFC 5321 2.1, 6.1 (whose the message is until when).
 * Ownership: everything is borrowed for the call.
 */
#ifndef QUEUE_SUBMIT_H
#define QUEUE_SUBMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "deliver.h"
#include "mx.h"

struct envelope;
struct err;
struct message;
struct plan;

struct submit_config {
	struct mx_config mx;
	struct deliver_config deliver;
	const char *tmpdir; /* borrowed: for a message over 1 MiB */
	int input; /* descriptor the message comes from */
	bool read_recipients; /* add those that the header names */
	bool keep_bcc; /* Bcc and Resent-Bcc go out as they are */
	/*
	 * Told the plan once it stands; non-zero ends the run before anything
	 * is sent (--dry-run), the recipients staying pending. May be NULL.
	 */
	int (*on_plan)(void *ctx, const struct plan *, const struct envelope *,
	    const struct message *);
	/* From here on a signal must not end the process. May be NULL. */
	void (*on_deliver)(void *ctx);
	void *ctx; /* borrowed: for both */
};

/*
 * Read the message, find recipients in it if that is wanted, complete it (Bcc
 * and Resent-Bcc are removed), plan and deliver. When it returns 0 every recipient has an outcome, or on_plan
 * ended the run; *size is the message's wire size. -1 with *e when nothing
 * could be planned at all; the recipients are decided by *e then, which is
 * usage if there are none.
 */
int submit(const struct submit_config *, struct envelope *, uint64_t *size,
    struct err *e);

#endif
