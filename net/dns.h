/*
 * dns: questions to the DNS.
 * Called by mx.c, relay.c and host.c; what comes back is dns_answer.h's.
 * It uses no search list and no hosts file (the system's way is host.c's).
 * RFC 1035, 2181 (CNAME), 6891 (EDNS), 5321 5.1, 2782 (SRV).
 * Ownership: answers are filled by the callee and freed by dns_*_free().
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/dns_answer.h"

struct err;
struct dns;

struct dns_config {
	const char *nameserver; /* borrowed: IP, IP:PORT, [IP6]:PORT; NULL:
				   resolv.conf */
	int64_t timeout; /* milliseconds for one question, 0: default; taken
			    as whole seconds, at least one */
	bool trust_ad; /* believe AD of any nameserver */
	/* Borrowed, may be NULL. A stop is heeded by questions over TCP; the
	 * bound by all, by the C library's in whole seconds, at least one. */
	const struct waiter *waiter;
};

/*
 * NULL with *e (usage for a malformed nameserver, else machine). It only
 * remembers the configuration: resolv.conf is read by the first question.
 */
struct dns *dns_new(const struct dns_config *, struct err *e);
void dns_free(struct dns *);

/* MX records of a domain (A-labels). *e is set when not DNS_OK. */
enum dns_status dns_mx(
    struct dns *, const char *domain, struct dns_mx_answer *, struct err *e);

/* SRV records of a name, "_submission._tcp.example.org". The same. */
enum dns_status dns_srv(
    struct dns *, const char *name, struct dns_srv_answer *, struct err *e);

/* Families to ask for. */
enum dns_family { DNS_ANY, DNS_IPV4, DNS_IPV6 };

/*
 * A and AAAA records of a host, AAAA first. Only if neither type has any is
 * it NODATA or NXDOMAIN; TEMP if nothing was found and one of the questions
 * failed. *e is set when not DNS_OK; temporary when not NODATA or NXDOMAIN,
 * lookup (machine for want of memory or descriptors).
 */
enum dns_status dns_addrs(struct dns *, const char *host, enum dns_family,
    unsigned port, struct dns_addrs *, struct err *e);

#endif
