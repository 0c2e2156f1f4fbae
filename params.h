/*
 * params: what MAIL and RCPT ask of a server beyond an address, a row each,
 * with the extension it belongs to and what is done where that is missing.
 * Called by proto.c, and by cli/report.c. It sends nothing, decides nobody.
 * RFC 1870, 2852, 3461, 4865, 4954 5, 6152, 6531, 6533, 6710.
 * Ownership: everything is borrowed.
 */
#ifndef PARAMS_H
#define PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct caps;
struct envelope;
struct err;
struct view;

/* What the parameters of one transaction are made of; all is borrowed. */
struct params {
	const struct envelope *env;
	const struct view *view; /* not for params_left_out() */
	const struct caps *caps;
	const size_t *rcpts; /* the transaction's, numbers in env */
	size_t n;
	int64_t now; /* of wait_now(), ms: what of DELIVERBY's time is left */
};

/* Most octets of one command's parameters. */
#define PARAMS_MAX 2048

/* Longest value of ENVID, encoded (RFC 3461 4.4). */
#define ENVID_MAX 100

/*
 * True if it may stand in ORCPT: TYPE;ADDRESS, or an address alone, which is
 * of type utf-8 if it is not ASCII and else of type rfc822.
 */
bool params_orcpt_valid(const char *);

/*
 * Can what MAIL has to ask be asked here? 0, or -1 with *e: permanent, stage
 * mail, scope message.
 */
int params_check_mail(const struct params *, struct err *e);

/* The same for the RCPT of one recipient: stage rcpt, scope recipient. */
int params_check_rcpt(const struct params *, size_t rcpt, struct err *e);

/* What MAIL needs no envelope for: is the view within the server's SIZE? */
int params_fits(const struct view *, const struct caps *, struct err *e);

/* Append the parameters behind the path, each with a space before it: those
 * whose extension is offered. */
void params_mail(const struct params *, struct buf *);
void params_rcpt(const struct params *, size_t rcpt, struct buf *);

/* What was asked for in vain for this recipient though the mail may go
 * without it: CAP_ bits. */
unsigned params_left_out(const struct params *, size_t rcpt);

/* What that means, for people; `bit` is one of params_left_out(). Static. */
const char *params_lacking(unsigned bit);

#endif
