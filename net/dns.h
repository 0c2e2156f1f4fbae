/*
 * dns: questions to the DNS, answers as plain lists.
 * Called by mx.c; the only home of resolv.h and arpa/nameser.h.
 * It uses no search list and no hosts file (the system's way is host.c's).
 * RFC 1035, 2181 (CNAME), 6891 (EDNS), 5321 5.1, 7505 (null MX).
 * Ownership: answers are filled by the callee and freed by dns_*_free().
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/dial.h"

struct err;
struct dns;

enum dns_status {
	DNS_OK,
	DNS_NODATA, /* the name exists, records of this type do not */
	DNS_NXDOMAIN, /* the name does not exist */
	DNS_TEMP /* SERVFAIL, refused, no answer, malformed, CNAME loop */
};

/* Most records of an answer that are kept (of MX the best), most CNAMEs
 * followed. */
#define DNS_RECORDS_MAX 100
#define DNS_CNAME_MAX 8
#define DNS_NAME_MAX 256

struct dns_config {
	const char *nameserver; /* borrowed: IP, IP:PORT, [IP6]:PORT; NULL:
				   resolv.conf */
	int64_t timeout; /* milliseconds for one question, 0: default; taken
			    as whole seconds, at least one */
	bool trust_ad; /* believe AD of any nameserver */
	const struct waiter *waiter; /* borrowed, may be NULL; heeded by
					questions over TCP */
};

/*
 * NULL with *e (usage for a malformed nameserver, else machine). It only
 * remembers the configuration: resolv.conf is read by the first question.
 */
struct dns *dns_new(const struct dns_config *, struct err *e);
void dns_free(struct dns *);

struct dns_mx {
	unsigned preference;
	char host[DNS_NAME_MAX]; /* lower case, no final dot; "" is the root:
				    a null MX */
};

struct dns_mx_answer {
	struct dns_mx *mx; /* owned, in the order of the answer */
	size_t n;
	bool ad; /* validated, and the resolver is believed */
	char name[DNS_NAME_MAX]; /* the owner after CNAMEs */
};

/* MX records of a domain (A-labels). *e is set when not DNS_OK. */
enum dns_status dns_mx(
    struct dns *, const char *domain, struct dns_mx_answer *, struct err *e);
void dns_mx_free(struct dns_mx_answer *);

struct dns_addrs {
	struct endpoint *at; /* owned */
	size_t n;
	bool ad;
};

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
void dns_addrs_free(struct dns_addrs *);

/* Add one; -1: no memory. */
int dns_addrs_add(struct dns_addrs *, const struct endpoint *);

/*
 * The parser alone, for tests and fuzzing: take an answer to (name, type).
 * Every octet is taken as hostile. `ad` is the bit of the answer, believed
 * or not. Addresses are added to those that are there already (start with
 * a zeroed struct).
 */
enum dns_status dns_parse_mx(
    const unsigned char *p, size_t n, const char *name, struct dns_mx_answer *);
enum dns_status dns_parse_addrs(const unsigned char *p, size_t n,
    const char *name, int af, unsigned port, struct dns_addrs *);

#endif
