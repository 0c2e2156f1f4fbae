/*
 * policy: how much TLS a target must have, and who says so.
 * Called by relay.c and mx.c for each target; hello.c holds the connection
 * to it.
 * It asks nobody: DANE and MTA-STS will be further rows of it.
 * RFC 8314 3 (submission), RFC 7435 (opportunistic).
 * Ownership: the strings of a policy are borrowed or static.
 */
#ifndef POLICY_H
#define POLICY_H

#include <stdbool.h>

#include "net/spec.h"
#include "net/tls.h"

/* What the user asks for. */
struct policy_config {
	enum tls_level level; /* --tls; TLS_AUTO: by host and port */
	const char *source; /* borrowed: who gave the level; NULL: --tls */
	const char *name; /* borrowed: --tls-host, or NULL */
	bool secret; /* the server will get one; relay.c knows */
};

/* Who a target is. */
enum policy_who {
	POLICY_MX, /* a recipient's mail host, found by DNS */
	POLICY_SMARTHOST, /* named by the user, or of a cluster so named */
	POLICY_LOCAL /* named by the user as this very machine */
};

/*
 * The policy for a target: as asked for, or else, for a server that the user
 * named, verified on the ports of submission and where it gets a secret
 * (unless it is this machine), none over a unix socket (port 0), and
 * otherwise what is offered. Never TLS_AUTO.
 */
struct tls_policy policy_for(const struct policy_config *, enum transport,
    unsigned port, enum policy_who);

#endif
