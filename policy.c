/*
 * policy: see policy.h. Without the user's word the host and the port decide.
 * Callers: relay.c, mx.c.
 * It opens no connection and knows no certificate.
 * RFC 8314 3.3, RFC 6409 3.1.
 * Ownership: see policy.h.
 */
#include <stddef.h>

#include "policy.h"

#define SMTPS_PORT 465
#define SUBMISSION_PORT 587

static enum tls_level
by_default(const struct policy_config *c, unsigned port, enum policy_who who,
    bool implicit)
{
	if (port == 0)
		return TLS_NONE; /* a unix socket */
	if (who == POLICY_SMARTHOST && c->secret)
		return TLS_VERIFY;
	if (who != POLICY_MX && (implicit || port == SUBMISSION_PORT))
		return TLS_VERIFY;
	return TLS_MAY;
}

struct tls_policy
policy_for(const struct policy_config *c, enum transport t, unsigned port,
    enum policy_who who)
{
	struct tls_policy p = {
		.level = c->level,
		.source = c->source != NULL ? c->source : "--tls",
		.name = c->name,
	};

	p.implicit = transport_rows[t].implicit_tls ||
	    (t == TRANSPORT_SMTP && port == SMTPS_PORT);
	if (c->level == TLS_AUTO) {
		p.level = by_default(c, port, who, p.implicit);
		p.source = "default";
	}
	return p;
}
