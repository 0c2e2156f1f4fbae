/*
 * dial: a connection to the first of several addresses that answers.
 * Called by reach.c to connect; endpoints are everybody's.
 * It asks no DNS and speaks no protocol.
 * RFC 8305 (happy eyeballs): families take turns, a new attempt every
 * quarter of a second, so a dead address does not hold up a living one.
 * Ownership: the candidates are borrowed, the descriptor is the caller's.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>

#include "base/wait.h"

struct err;

/* An address with its port, of any family we dial. */
struct endpoint {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} u;
	socklen_t len;
};

/* From the text of an IPv4 or IPv6 address; -1 if it is neither. */
int endpoint_ip(struct endpoint *, const char *ip, unsigned port);
/*
 * Take HOST, HOST:PORT, [HOST], [HOST]:PORT or a bare IPv6 address apart:
 * the host without brackets into dst; *port stays when none is there. True
 * in *bracketed (may be NULL) when the host stood in brackets. 0, or -1:
 * empty host, host too long, no bracket at the end, port not in 1-65535.
 */
int endpoint_split(const char *s, size_t n, char *dst, size_t size,
    unsigned *port, bool *bracketed);
/* A unix socket; -1 if the path is too long. */
int endpoint_unix(struct endpoint *, const char *path);
/* The address as text without port, or the path; cut to fit. Returns dst. */
char *endpoint_text(const struct endpoint *, char *dst, size_t size);
/* Port, 0 for a unix socket. */
unsigned endpoint_port(const struct endpoint *);

/* True of a socket of this machine's files, and of 127/8 and ::1, also of an
 * IPv4 one in IPv6's clothes (RFC 4291 2.5.5.2); of no other family. */
bool endpoint_is_loopback(const struct endpoint *);

/* Milliseconds between attempts of one host, and before the next host. */
#define DIAL_STAGGER 250
#define DIAL_NEXT_HOST 1000

struct candidate {
	struct endpoint to;
	size_t host; /* candidates of one host share a number, ascending */
	bool dead; /* set by dial: refused, unreachable, timed out */
};

struct dial {
	const struct endpoint *source; /* borrowed: bind to it, NULL: any */
	int64_t timeout; /* milliseconds for one attempt, negative: none */
	const struct waiter *waiter; /* borrowed, may be NULL */
	/* Told of each attempt that failed; may be NULL. */
	void (*on_failed)(void *ctx, size_t i, const struct err *);
	void *ctx; /* borrowed */
};

/*
 * Connect to one of `n` candidates that are not dead, in order, families of
 * one host taking turns; the first that connects wins and the others are
 * closed. Returns its index with *fd set (non-blocking, TCP_NODELAY), or -1
 * with *e (temporary, connect) when none did. A candidate that failed is
 * marked dead.
 */
long dial(
    const struct dial *, struct candidate *, size_t n, int *fd, struct err *e);

#endif
