/*
 * look: what one server of a relay says of itself, up to its last EHLO.
 * Called by info.c, which shows it, and configure.c, which believes it.
 * No mail and no secret is sent; nothing is printed but the dialogue of -v.
 * RFC 5321 4.1.1.1 (EHLO), 3207 (STARTTLS).
 * Ownership: what was heard belongs to the caller; look_free() releases it.
 */
#ifndef CLI_LOOK_H
#define CLI_LOOK_H

#include <stdbool.h>

#include "base/buf.h"
#include "mail/envelope.h"
#include "relay.h"
#include "smtp/caps.h"

struct err;
struct waiter;

struct look_config {
	const struct relay *relay; /* borrowed: with hosts */
	struct hosts *hosts; /* borrowed: how names are looked up */
	const struct waiter *waiter; /* borrowed */
	bool verbose; /* the dialogue goes to stderr */
};

/* Octets of all that a server may say. */
#define LOOK_MAX (1024 * 1024)

enum look_part { LOOK_GREETING, LOOK_CLEAR, LOOK_SECURE, LOOK_PARTS };

struct look {
	char host[OUTCOME_HOST_MAX]; /* who answered; "": nobody */
	char ip[OUTCOME_IP_MAX]; /* "": not known, behind a proxy */
	unsigned port;
	enum transport transport;
	enum tls_level level; /* asked for */
	const char *source; /* static or of the settings: by whom */
	/* Owned: greeting, reply to EHLO in clear and over TLS; LF behind
	 * each line. */
	struct buf parts[LOOK_PARTS];
	struct caps caps; /* of the last EHLO */
	bool secure;
	struct tls_facts tls; /* if secure */
};

/*
 * Connect to the first server that answers, take its greeting, EHLO, TLS as
 * the policy has it, EHLO again. 0, or -1 with *e; what was heard until then
 * is there also on failure. Free it in either case.
 */
int look_at(const struct look_config *, struct look *, struct err *e);
void look_free(struct look *);

#endif
