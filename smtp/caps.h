/*
 * caps: what a server offers, from its reply to EHLO or LHLO.
 * Called by hello.c, proto.c and cli; a keyword is a row in caps.c.
 * Keywords are compared whole and case-blind; unknown ones are ignored.
 * RFC 5321 4.1.1.1; each row names the RFC of its extension.
 * Ownership: plain data, copied by assignment.
 */
#ifndef SMTP_CAPS_H
#define SMTP_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reply;

enum cap {
	CAP_ENHANCEDSTATUSCODES = 1 << 0, /* RFC 2034 */
	CAP_8BITMIME = 1 << 1, /* RFC 6152 */
	CAP_SIZE = 1 << 2, /* RFC 1870 */
	CAP_PIPELINING = 1 << 3, /* RFC 2920 */
	CAP_CHUNKING = 1 << 4, /* RFC 3030 */
	CAP_BINARYMIME = 1 << 5, /* RFC 3030 */
	CAP_SMTPUTF8 = 1 << 6, /* RFC 6531 */
	CAP_DSN = 1 << 7, /* RFC 3461 */
	CAP_STARTTLS = 1 << 8, /* RFC 3207 */
	CAP_AUTH = 1 << 9, /* RFC 4954 */
	CAP_LIMITS = 1 << 10, /* RFC 9422 */
	CAP_DELIVERBY = 1 << 11, /* RFC 2852 */
	CAP_FUTURERELEASE = 1 << 12, /* RFC 4865 */
	CAP_MT_PRIORITY = 1 << 13, /* RFC 6710 */
	CAP_REQUIRETLS = 1 << 14, /* RFC 8689 */
	CAP_VRFY = 1 << 15, /* RFC 5321 3.5 */
	CAP_EXPN = 1 << 16, /* RFC 5321 3.5 */
	CAP_ETRN = 1 << 17, /* RFC 1985 */
	CAP_XCLIENT = 1 << 18 /* Postfix's, for tests */
};

struct caps {
	unsigned has; /* CAP_ bits */
	uint64_t size; /* SIZE limit in octets, 0: none stated */
	uint64_t mail_max; /* LIMITS MAILMAX, transactions; 0: none */
	uint64_t rcpt_max; /* LIMITS RCPTMAX, recipients; 0: none */
	uint64_t rcptdomain_max; /* LIMITS RCPTDOMAINMAX; 0: none */
	uint64_t deliver_by_min; /* DELIVERBY, seconds; 0: any time */
	uint64_t hold_max; /* FUTURERELEASE, seconds; 0: not said */
	int64_t hold_until_max; /* and seconds since 1970; 0: not said */
	char xclient[128]; /* attributes, upper case, one space */
	char auth[256]; /* AUTH mechanisms, upper case, one space */
};

/*
 * Fill from a 2yz reply to EHLO; its first line (the greeting) is skipped.
 * A keyword with a malformed parameter counts as offered without it; the
 * obsolete "AUTH=LOGIN" form adds its mechanisms too.
 */
void caps_parse(struct caps *, const struct reply *);

/* Add what one line of it offers; false: a keyword that we do not know. */
bool caps_add(struct caps *, const char *line, size_t n);

/* The keywords that we know: the one of that index, NULL behind the last.
 * Static. */
const char *caps_keyword(size_t i);

/* The keyword of a CAP_ bit; NULL: it is none. Static. */
const char *caps_name(unsigned bit);

/* What a line of the reply says, for people; NULL: a keyword we do not know.
 * Static. */
const char *caps_words(const char *line, size_t n);

#endif
