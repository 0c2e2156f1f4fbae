/*
 * submit: the one way in: a message and its envelope to their outcomes.
 * Called by every face of cli with an envelope.
 * It knows no argv and prints nothing: faces watch by callbacks.
 * RFC 5321 2.1, 6.1 (whose the message is until when).
 * Ownership: everything is borrowed for the call.
 */
#ifndef QUEUE_SUBMIT_H
#define QUEUE_SUBMIT_H

#include <stdbool.h>

#include "base/err.h"
#include "deliver.h"
#include "mail/complete.h"
#include "mail/compose.h"
#include "mail/message.h"
#include "mx.h"
#include "queue/keep.h"
#include "queue/locals.h"
#include "queue/sign.h"
#include "store/body.h"

struct edit;
struct envelope;
struct plan;

/* Where a message comes from. */
struct input_config {
	int fd;
	const char *tmpdir; /* borrowed: for a message over 1 MiB */
	enum body_dots dots; /* what lines with dots do */
	/* What is read is the text of such a message; NULL: the message.
	 * Borrowed until submission_free(). */
	const struct compose_config *compose;
	const struct edit *edits; /* borrowed: done to its header at once */
	size_t nedits;
	/* Told what was decided about it. May be NULL. */
	void (*on_note)(void *ctx, const char *text);
	void *ctx; /* borrowed */
};

/* A message that was read, and the octets of its body. */
struct submission {
	struct body *body; /* owned; NULL: could not be read */
	struct compose composed; /* owned: the message, if we made it */
	struct message message; /* owned */
	struct err err; /* not ok: why there is no message */
};

/*
 * Read the input to its end, find header and body, and edit it. 0, or -1 with
 * *e, which is kept for submit(); submission_free() is due in both cases.
 */
int submission_read(
    struct submission *, const struct input_config *, struct err *e);
/* The same of a body that is there already, which is the submission's from
 * now on; neither `fd` nor `tmpdir` is used. */
int submission_take(struct submission *, struct body *,
    const struct input_config *, struct err *e);
void submission_free(struct submission *);

struct submit_config {
	struct mx_config mx;
	struct relays by; /* which relay takes whom */
	struct deliver_config deliver; /* its worker.bound is look-ups' too */
	bool read_recipients; /* add those that the header names */
	unsigned hops; /* behind the message, if its header tells of fewer */
	bool gateway; /* it comes from elsewhere: nothing is added to it */
	/* It begins here, whatever it was before: Return-Path, which the last
	 * host writes, is removed (RFC 5321 4.4). */
	bool is_new;
	/* The domain of names that its header has without one, in ASCII; NULL:
	 * they stay so. Borrowed. */
	const char *qualify;
	/* What names of this machine stand for. */
	struct locals_config locals;
	size_t nlisted; /* the first recipients, which To may list */
	bool keep_bcc; /* Bcc and Resent-Bcc go out as they are */
	struct sign_config sign; /* signatures of our own */
	/* What is left after the try is kept, if that can help; without a
	 * try if it says so. */
	struct keep_config keep;
	/* What is added; submit() puts time, randomness, full name and
	 * recipients there itself. */
	struct complete_config complete;
	/* The author's full name, asked for if it is wanted: borrowed, or
	 * NULL. May be NULL itself. */
	const char *(*full_name)(void *ctx);
	/*
	 * Told the message once it is complete, instead of sending it
	 * (--export): nothing is planned, and nobody need be there to get it.
	 * 0, or -1 with *e. May be NULL.
	 */
	int (*on_complete)(void *ctx, const struct message *, struct err *e);
	/*
	 * Told the plan once it stands; non-zero ends the run before anything
	 * is sent (--dry-run), the recipients staying pending. May be NULL.
	 */
	int (*on_plan)(void *ctx, const struct plan *, const struct envelope *,
	    const struct message *);
	/* From here on a signal must not end the process. May be called more
	 * than once, and be NULL. */
	void (*on_deliver)(void *ctx);
	void *ctx; /* borrowed: for all of them but complete's */
};

/*
 * Find recipients in the message if that is wanted, resolve those of this
 * machine (queue/locals.h), complete the message (Bcc and Resent-Bcc are
 * removed) and sign it, plan and deliver, and keep what is left.
 *
 * 0: every recipient has an outcome, or on_plan ended the run, or on_complete
 * took the message; the message is as it was sent.
 * -1 with *e: the message could not be read, completed, or planned at all, and
 * nothing was sent. All recipients are decided by *e. It is usage if there are
 * none, or more than the queue has room for.
 */
int submit(const struct submit_config *, struct submission *, struct envelope *,
    struct err *e);

#endif
