/*
 * policy: how much TLS a target must have, and who says so.
 * Called by mx.c for each target; proto.c holds the connection to it.
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
	const char *name; /* borrowed: --tls-host, or NULL */
};

/*
 * The policy for a target: as asked for, or else, for a server that the user
 * named, verified on the ports of submission, none over a unix socket (port
 * 0), and otherwise what is offered. Never TLS_AUTO.
 */
struct tls_policy policy_for(const struct policy_config *, enum transport,
    unsigned port, bool smarthost);

#endif
