/*
 * nameserver.h: a name server for tests: a table of answers on loopback.
 * Used by dns_test.c and mx_test.c; it runs in a child, UDP and TCP on one
 * port, and dies with nameserver_stop() or its parent.
 * It knows as much DNS as the tests need. RFC 1035, 6891.
 * Ownership: the table is borrowed; a name that has no row is NXDOMAIN, a
 * type that has none is NODATA.
 */
#ifndef TESTS_UNIT_NAMESERVER_H
#define TESTS_UNIT_NAMESERVER_H

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/dial.h"
#include "packet.h"

#define ZONE_RECORDS 12

enum {
	ZONE_AD = 1, /* the answer has the AD bit */
	ZONE_TRUNCATED = 2, /* by UDP no more than TC */
	ZONE_SILENT = 4, /* no answer (by TCP, if TRUNCATED too) */
	ZONE_NO_EDNS = 8, /* its rcode is for a question with EDNS only */
	ZONE_REFERRAL = 16, /* recursion is not available */
	ZONE_BARE = 32 /* with an rcode, no more than the header */
};

struct zone_row {
	const char *name;
	unsigned type;
	unsigned rcode;
	unsigned flags;
	const char *data[ZONE_RECORDS]; /* "=name" in the first: a CNAME */
};

struct nameserver {
	char at[32]; /* IP:PORT, for dns_config */
	pid_t pid;
};

/* The dotted name of a question, and its type. */
static inline unsigned
question_read(const unsigned char *p, size_t n, char name[256])
{
	size_t at = 12, len = 0, i;

	while (at < n && p[at] != 0 && at + p[at] < n && len + p[at] < 254) {
		for (i = 1; i <= p[at]; i++)
			name[len++] = (char)p[at + i];
		name[len++] = '.';
		at += 1u + p[at];
	}
	name[len > 0 ? len - 1 : 0] = '\0';
	return at + 2 < n ? (unsigned)p[at + 1] << 8 | p[at + 2] : 0;
}

/* The row for (name, type); *exists says if the name has any. */
static inline const struct zone_row *
zone_find(
    const struct zone_row *z, const char *name, unsigned type, bool *exists)
{
	*exists = false;
	for (; z->name != NULL; z++) {
		if (strcasecmp(z->name, name) != 0)
			continue;
		*exists = true;
		if (z->type == type || z->type == TYPE_CNAME)
			return z;
	}
	return NULL;
}

static inline void
answer_records(struct packet *k, const struct zone_row *zone,
    const struct zone_row *z, unsigned type)
{
	bool exists;
	int hops, i;

	for (hops = 0; hops < 20 && z != NULL && z->type == TYPE_CNAME;
	     hops++) {
		put_rr(k, z->name, TYPE_CNAME, z->data[0]);
		z = zone_find(zone, z->data[0], type, &exists);
	}
	for (i = 0; z != NULL && i < ZONE_RECORDS && z->data[i] != NULL; i++)
		put_rr(k, z->name, type, z->data[i]);
}

/* The answer to a question; false for silence. */
static inline bool
answer_make(struct packet *k, const struct zone_row *zone,
    const unsigned char *q, size_t n, bool tcp)
{
	char name[256] = "";
	unsigned type = question_read(q, n, name), rcode, flags;
	const struct zone_row *z;
	bool exists, cut;

	z = zone_find(zone, name, type, &exists);
	rcode = z != NULL ? z->rcode : exists ? NOERROR : NXDOMAIN;
	flags = z != NULL ? z->flags : 0;
	cut = (flags & ZONE_TRUNCATED) != 0 && !tcp;
	if ((flags & ZONE_SILENT) != 0 && !cut)
		return false;
	if ((flags & ZONE_NO_EDNS) != 0 && q[11] == 0)
		rcode = NOERROR;
	/* AD only to those who ask for it (RFC 6840 5.7). */
	if ((flags & ZONE_AD) != 0 && (q[3] & 0x20) != 0)
		rcode |= PACKET_AD;
	packet_begin(
	    k, PACKET_FLAGS | rcode | (cut ? PACKET_TC : 0), name, type);
	if ((flags & ZONE_REFERRAL) != 0)
		k->p[3] &= (unsigned char)~PACKET_RA;
	if (!cut)
		answer_records(k, zone, z, type);
	if (q[11] != 0 && (flags & ZONE_NO_EDNS) == 0)
		put_opt(k);
	if ((flags & ZONE_BARE) != 0 && rcode != NOERROR) {
		k->p[5] = k->p[7] = 0;
		k->n = 12;
	}
	memcpy(k->p, q, 2);
	return true;
}

static inline void
serve_udp(int fd, const struct zone_row *zone, struct packet *k)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	unsigned char q[1024];
	ssize_t n =
	    recvfrom(fd, q, sizeof(q), 0, (struct sockaddr *)&from, &len);

	if (n > 12 && answer_make(k, zone, q, (size_t)n, false))
		sendto(fd, k->p, k->n, 0, (struct sockaddr *)&from, len);
}

/* One question a connection; a silent one is kept open. */
static inline void
serve_tcp(int l, const struct zone_row *zone, struct packet *k)
{
	unsigned char q[1024], head[2];
	int fd = accept(l, NULL, NULL);
	ssize_t n = recv(fd, q, sizeof(q), 0);

	if (n <= 14 || !answer_make(k, zone, q + 2, (size_t)n - 2, true))
		return;
	head[0] = (unsigned char)(k->n >> 8);
	head[1] = (unsigned char)k->n;
	/* In pieces, as TCP may deliver it. */
	if (send(fd, head, 1, 0) == 1 && send(fd, head + 1, 1, 0) == 1)
		send(fd, k->p, k->n, 0);
	close(fd);
}

static inline void
nameserver_run(int udp, int tcp, const struct zone_row *zone)
{
	struct pollfd p[2] = { { .fd = udp, .events = POLLIN },
		{ .fd = tcp, .events = POLLIN } };
	static struct packet k;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (poll(p, 2, -1) > 0) {
		if (p[0].revents != 0)
			serve_udp(udp, zone, &k);
		if (p[1].revents != 0)
			serve_tcp(tcp, zone, &k);
	}
	_exit(1);
}

/* Sockets of one family on one port, which goes into *at; -1 if there is
 * no such address here. */
static inline int
nameserver_bind(struct endpoint *at, int *udp, int *tcp)
{
	int family = at->u.sa.sa_family, tries;
	struct endpoint any = *at;

	for (tries = 0; tries < 100; tries++) {
		*at = any;
		*udp = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		*tcp = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (bind(*tcp, &at->u.sa, at->len) == 0 &&
		    getsockname(*tcp, &at->u.sa, &at->len) == 0 &&
		    bind(*udp, &at->u.sa, at->len) == 0 && listen(*tcp, 5) == 0)
			return 0;
		close(*udp);
		close(*tcp);
	}
	return -1;
}

/* 0, or -1 if this machine has no such address. */
static inline int
nameserver_start_at(
    struct nameserver *ns, const struct zone_row *zone, const char *ip)
{
	struct endpoint at;
	int udp, tcp;

	if (endpoint_ip(&at, ip, 0) == -1 ||
	    nameserver_bind(&at, &udp, &tcp) == -1)
		return -1;
	snprintf(ns->at, sizeof(ns->at), "[%s]:%u", ip, endpoint_port(&at));
	fflush(stdout);
	ns->pid = fork();
	if (ns->pid == 0)
		nameserver_run(udp, tcp, zone);
	close(udp);
	close(tcp);
	return 0;
}

static inline void
nameserver_start(struct nameserver *ns, const struct zone_row *zone)
{
	if (nameserver_start_at(ns, zone, "127.0.0.1") == 0)
		return;
	printf("Bail out! no port for the name server\n");
	exit(1);
}

static inline void
nameserver_stop(struct nameserver *ns)
{
	kill(ns->pid, SIGKILL);
	waitpid(ns->pid, NULL, 0);
}

#endif
