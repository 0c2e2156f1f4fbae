/*
 * relay: the servers of one account, and how they are spoken to.
 * Made by cli from account and options; mx.c asks for its targets, worker.c
 * delivers by it.
 * It opens no connection to a server.
 * RFC 5321 2.1 (relay), 5.1; RFC 2782, 6186, 8314 (SRV).
 * Ownership: all strings of a struct relay are borrowed; targets own theirs.
 */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth.h"
#include "local.h"
#include "net/dial.h"
#include "net/dns.h"
#include "net/host.h"
#include "net/spec.h"
#include "net/tls.h"
#include "policy.h"

struct address;
struct err;
struct proxy;

struct relay {
	const char *name; /* the account's; NULL: no account */
	/* As typed: SCHEME://HOST:PORT, mx:DOMAIN, srv:DOMAIN, ... NULL: by
	 * MX of each recipient */
	const char *hosts;
	/* Not NULL: no servers but mailboxes here, which `hosts` names in a
	 * word; it has one target then, with that name. */
	const struct local_config *local;
	unsigned port; /* 0: the transport's own */
	struct policy_config policy;
	struct tls_config tls;
	struct auth_config auth; /* `secret` comes late: deliver.h */
	const char *secret_from; /* for people; NULL: AUTH needs no secret */
	/* NULL: none; else the way to all but sockets, and the addresses of a
	 * target are the proxy's: it looks the names up */
	const struct proxy *proxy;
	const char *xclient; /* NAME=VALUE ...; NULL: none */
	const char *helo; /* NULL: an address literal */
	int64_t timeout; /* ms: caps each single wait; 0: the defaults */
	/* Most at once to the same targets, in whatever order; 0: as many as
	 * there are jobs. */
	unsigned connections;
	const struct endpoint *source; /* NULL: any address of ours */
};

/* Recipients of a domain that have a relay of their own. */
struct relay_rule {
	/* Borrowed: a domain (A-labels), *.DOMAIN for all below it, or *. */
	const char *pattern;
	const struct relay *relay; /* borrowed */
};

/* Which relay takes whom. */
struct relays {
	const struct relay *relay; /* borrowed: where no rule matches */
	const struct relay_rule *rules; /* borrowed: the first match counts */
	size_t nrules;
	/* Borrowed: of those without a domain; NULL: they are like all. */
	const struct relay *local;
	/* But for <Postmaster>, if there are servers: each has one (RFC 5321
	 * 4.5.1), and mail to it may be older than `local`. */
	bool implied;
};

/* Whose recipient this is: `local`'s, or the first rule's that matches. */
const struct relay *relay_for(const struct relays *, const struct address *);

struct target {
	char *host; /* owned: the name, IP or socket path asked for */
	unsigned port;
	enum transport transport;
	unsigned preference; /* of MX, or priority of SRV; 0 otherwise */
	struct dns_addrs addrs; /* owned */
	struct tls_policy policy;
	char *domain; /* owned: the cluster's, where policy.name is it */
	bool typed; /* `host` is the user's word, no DNS record's */
};

void target_free(struct target *);

/* True if the user's own word says that it is this machine (auth.h), and so
 * it is: what is localhost behind a proxy is the proxy's, and its addresses
 * must be loopback's or a socket's. */
bool target_is_local(const struct relay *, const struct target *);

/* Of several hosts that were not found, what is kept: the first reason, but
 * any hope over none. */
void relay_keep_reason(struct err *kept, const struct err *e);

/* Check the syntax of `hosts` without any look-up: 0, or -1 with *e (usage)
 * that names the part and the remedy. */
int relay_check(const struct relay *, struct err *e);

/* At most so many addresses of one host are tried. */
#define RELAY_ADDRESSES_MAX 8

/* Of a cluster at most so many servers are tried, the best. */
#define RELAY_SERVERS_MAX 10

/*
 * A cluster becomes targets as its records say. mx:DOMAIN: by preference,
 * equal ones shuffled, as for mail to DOMAIN (a null MX is an error, without
 * MX it is DOMAIN itself: RFC 5321 5.1). srv:DOMAIN: the hosts of
 * _submissions._tcp (TLS from the first octet) and _submission._tcp by
 * priority, at equal priority the first service first (RFC 8314 5.1), equal
 * ones in random order by weight (RFC 2782).
 *
 * DNS may lie, so a secret must not follow a record to a server that only
 * proves to be who the record says. The name to verify is the host's own if
 * that is DOMAIN or below it, or if the answer was validated (DNSSEC); for
 * all others the certificate must be DOMAIN's (RFC 6186 6).
 */

/*
 * The relay's servers that have an address, in the order to try, into
 * *targets (owned by the caller: target_free() each, then free()). With
 * *n 0, *why says why there is none. 0, or -1 with *why when memory ran out.
 */
int relay_targets(const struct relay *, struct hosts *, struct target **targets,
    size_t *n, struct err *why);

#endif
