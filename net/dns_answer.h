/*
 * dns_answer: answers of the DNS as plain lists, and the parser of them.
 * Filled by dns.c; the parser is pure, for tests and fuzzing too.
 * It asks nobody, and takes every octet as hostile.
 * RFC 1035, 2181 (CNAME), 2782 (SRV), 7505 (null MX).
 * Ownership: answers are filled by the callee and freed by dns_*_free().
 */
#ifndef NET_DNS_ANSWER_H
#define NET_DNS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "net/dial.h"

enum dns_status {
	DNS_OK,
	DNS_NODATA, /* the name exists, records of this type do not */
	DNS_NXDOMAIN, /* the name does not exist */
	DNS_TEMP /* SERVFAIL, refused, no answer, malformed, CNAME loop */
};

/* Most records of an answer that are kept (of MX and SRV the best), and most
 * CNAMEs followed. */
#define DNS_RECORDS_MAX 100
#define DNS_CNAME_MAX 8
#define DNS_NAME_MAX 256

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
void dns_mx_free(struct dns_mx_answer *);

struct dns_srv {
	unsigned priority, weight, port;
	char host[DNS_NAME_MAX]; /* as above; "" is the root: the service is
				    decidedly not there */
};

struct dns_srv_answer {
	struct dns_srv *srv; /* owned, in the order of the answer */
	size_t n;
	bool ad; /* validated, and the resolver is believed */
	char name[DNS_NAME_MAX]; /* the owner after CNAMEs */
};
void dns_srv_free(struct dns_srv_answer *);

struct dns_addrs {
	struct endpoint *at; /* owned */
	size_t n;
	bool ad;
};
void dns_addrs_free(struct dns_addrs *);

/* Add one; -1: no memory. */
int dns_addrs_add(struct dns_addrs *, const struct endpoint *);

/*
 * Take an answer to (name, type), n octets at p. `ad` is the bit of the
 * answer, believed or not. Addresses are added to those that are there
 * already (start with a zeroed struct).
 */
enum dns_status dns_parse_mx(
    const unsigned char *p, size_t n, const char *name, struct dns_mx_answer *);
enum dns_status dns_parse_srv(const unsigned char *p, size_t n,
    const char *name, struct dns_srv_answer *);
enum dns_status dns_parse_addrs(const unsigned char *p, size_t n,
    const char *name, int af, unsigned port, struct dns_addrs *);

/* The words for an answer of at least a header that is no use. Static. */
const char *dns_answer_text(const unsigned char *p);

#endif
