/*
 * info: --server-info: what a server says of itself, in words.
 * Called by native.c instead of a delivery; it prints and returns the exit
 * code. No mail and no secret is sent.
 * RFC 5321 4.1.1.1 (EHLO), 3207 (STARTTLS).
 * Ownership: everything is borrowed for the call.
 */
#ifndef CLI_INFO_H
#define CLI_INFO_H

#include <stdbool.h>
#include <stdio.h>

#include "relay.h"

struct err;
struct waiter;

struct info_config {
	const struct relay *relay; /* borrowed: with hosts */
	struct hosts *hosts; /* borrowed: how names are looked up */
	const struct waiter *waiter; /* borrowed */
	bool json;
	bool verbose; /* the dialogue goes to stderr */
};

/*
 * Connect to the first server that answers, take its greeting, EHLO, TLS as
 * the policy has it, EHLO again; print. 0, or -1 with *e; what was heard
 * until then is printed also on failure.
 */
int info_show(const struct info_config *, FILE *out, struct err *e);

#endif
