/*
 * host: the addresses of one host, by whichever way, and whether it is us.
 * Called by mx.c for each mail host and by relay.c for each smarthost.
 * It connects to none of them and decides nothing about mail.
 * RFC 5321 5.1 (this host in the list), getaddrinfo(3), getifaddrs(3).
 * Ownership: struct hosts borrows its configuration; host_free() the rest.
 */
#ifndef NET_HOST_H
#define NET_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/idna.h"
#include "net/dns.h"

struct ifaddrs;
struct proxy;

/* One --resolve HOST:PORT:ADDR. */
struct override {
	char host[IDNA_NAME_MAX]; /* A-labels */
	unsigned port;
	const char *ip; /* borrowed */
};

/* Split HOST:PORT:ADDR in place (ADDR may be [IPv6] or bare); 0, or -1 with
 * *e (usage). */
int override_parse(char *s, struct override *, struct err *e);

/* How hosts are looked up in one run; the first part is the caller's. */
struct hosts {
	enum dns_family family;
	const struct override *overrides; /* borrowed */
	size_t noverrides;
	const struct dns_config *dns_config; /* borrowed */
	const char *own_name; /* borrowed: our EHLO name, NULL if unknown */
	/* Random octets, to spread load over equals; NULL: no spreading. */
	void (*random)(void *, size_t);

	struct dns *dns; /* owned, made by the first question */
	struct ifaddrs *own; /* owned: this machine's addresses */
	bool own_read;
	char hostname[DNS_NAME_MAX]; /* "" until asked for */
	const struct proxy *proxy; /* borrowed: the last one looked up */
	struct dns_addrs proxy_addrs; /* owned */
	struct err proxy_why; /* why there are none */
};

void host_free(struct hosts *);

/* The resolver; NULL with *e (usage, machine). Borrowed. */
struct dns *host_dns(struct hosts *, struct err *e);

/* True if an override names that host and port. */
bool host_overridden(const struct hosts *, const char *host, unsigned port);

/*
 * Addresses of a host, limited to the family asked for: by override, else,
 * if the user typed it, as IP text or by getaddrinfo(3) (unless a name
 * server is given), else by DNS. *e is set when not DNS_OK.
 */
enum dns_status host_addrs(struct hosts *, const char *host, unsigned port,
    bool typed, struct dns_addrs *, struct err *e);

/* True if `host` is `domain` or below it; both in lower case. */
bool host_is_within(const char *host, const char *domain);

/*
 * Addresses of a proxy, copied to *a; asked for once. What fails is temporary
 * and names the proxy: it says nothing about the servers behind it.
 */
enum dns_status host_proxy(
    struct hosts *, const struct proxy *, struct dns_addrs *, struct err *e);

/*
 * Keep at most `max` addresses. The last one of the family that has more
 * goes first, so that many of one do not crowd the other out.
 */
void host_trim(struct dns_addrs *, size_t max);

/* True if the name is this machine's or our EHLO name. */
bool host_is_own_name(struct hosts *, const char *host);

/* True if an address is this machine's: loopback, any, or an interface's. */
bool host_is_own(struct hosts *, const struct dns_addrs *);

#endif
