/*
 * dsn: a report of delivery (RFC 3464) as a message, and who gets one.
 * Called by the queue, which says when; message_open() reads it as if it had
 * been piped in.
 * Pure, and it holds no octet of the body that it returns.
 * RFC 3461 4 and 5, 3462/6522, 3464, 3834 3, 6533.
 * Ownership: what is given is borrowed until dsn_free().
 */
#ifndef MAIL_DSN_H
#define MAIL_DSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "mail/dsn_parts.h"
#include "mail/message.h"

/*
 * True if the sender is to get such a report on this recipient. Never for a
 * null sender, nor with NOTIFY=NEVER; without NOTIFY for failure and delay
 * (RFC 3461 4.1); for success if it was asked for and the next server lacks
 * DSN. A recipient that is neither delivered nor failed counts as delayed,
 * and for DSN_FAILED as one whose time is over.
 */
bool dsn_wanted(
    enum dsn_kind, const struct envelope *, const struct recipient *);

struct dsn {
	struct buf own; /* owned: all but the body that is returned */
	size_t split; /* octets of it before that body */
	struct octets in; /* borrowed: the input that the body is in */
	uint64_t body_off, body_size; /* where; 0: no body is returned */
};

/*
 * Make the report on c->rcpt (at least one), to c->env->sender, which is not
 * null. It is a complete message: From, To, Subject, Date, Message-ID,
 * In-Reply-To, and so on; its envelope is <> to that sender. It returns the
 * header of the message, as servers without SMTPUTF8 got it; all of it if
 * RET=FULL was asked for, something failed, and no line is too long. What
 * cannot be in ASCII is a message/global part, or quoted-printable.
 * Reads at most one octet. 0, or -1 with *e and nothing to free: machine for
 * no memory, and errors of reading.
 */
int dsn_open(struct dsn *, const struct dsn_config *c, struct err *e);
void dsn_free(struct dsn *);

/*
 * The report: any octets at any offset, again and again, in any order; a read
 * may give fewer than asked for. At its end the input is asked whether it is
 * what it was.
 */
struct octets dsn_octets(struct dsn *);

#endif
