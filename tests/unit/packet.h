/*
 * packet.h: DNS answers made by hand, octet by octet, for tests.
 * Used by dns_test.c and by the small name server of nameserver.h.
 * It checks nothing: what it makes may be as broken as the test wants.
 * RFC 1035 4.1.
 * Ownership: a packet is plain data.
 */
#ifndef TESTS_UNIT_PACKET_H
#define TESTS_UNIT_PACKET_H

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	TYPE_A = 1,
	TYPE_CNAME = 5,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	TYPE_SRV = 33,
	TYPE_OPT = 41
};
enum {
	NOERROR = 0,
	FORMERR = 1,
	SERVFAIL = 2,
	NXDOMAIN = 3,
	NOTIMP = 4,
	REFUSED = 5
};

#define PACKET_MAX 65535
/* Flag octets: an answer, recursion desired and available. */
#define PACKET_FLAGS 0x8180u
#define PACKET_AD 0x0020u
#define PACKET_RA 0x0080u
#define PACKET_AA 0x0400u
#define PACKET_TC 0x0200u

struct packet {
	unsigned char p[PACKET_MAX];
	size_t n;
};

static inline void
put8(struct packet *k, unsigned v)
{
	if (k->n < PACKET_MAX)
		k->p[k->n++] = (unsigned char)v;
}

static inline void
put16(struct packet *k, unsigned v)
{
	put8(k, v >> 8);
	put8(k, v & 0xff);
}

static inline void
put_mem(struct packet *k, const void *p, size_t n)
{
	const unsigned char *s = p;

	while (n-- > 0)
		put8(k, *s++);
}

/* "a.b" as labels; "" and "." are the root. */
static inline void
put_name(struct packet *k, const char *name)
{
	size_t n;

	while (*name != '\0') {
		n = strcspn(name, ".");
		if (n > 0) {
			put8(k, (unsigned)n);
			put_mem(k, name, n);
		}
		name += n;
		name += *name == '.';
	}
	put8(k, 0);
}

/* Header and question. */
static inline void
packet_begin(struct packet *k, unsigned flags, const char *name, unsigned type)
{
	k->n = 0;
	put16(k, 0x1234);
	put16(k, flags);
	put16(k, 1);
	put16(k, 0);
	put16(k, 0);
	put16(k, 0);
	put_name(k, name);
	put16(k, type);
	put16(k, 1);
}

/* Owner and fixed part of a record; returns where its length stands. */
static inline size_t
rr_begin(struct packet *k, const char *owner, unsigned type)
{
	unsigned n = (unsigned)k->p[6] << 8 | k->p[7];

	n++;
	k->p[6] = (unsigned char)(n >> 8);
	k->p[7] = (unsigned char)n;
	put_name(k, owner);
	put16(k, type);
	put16(k, 1);
	put16(k, 0);
	put16(k, 60);
	put16(k, 0);
	return k->n - 2;
}

static inline void
rr_end(struct packet *k, size_t at)
{
	size_t len = k->n - at - 2;

	k->p[at] = (unsigned char)(len >> 8);
	k->p[at + 1] = (unsigned char)len;
}

/* The EDNS record of a server, behind all others (RFC 6891 6.1.2). */
static inline void
put_opt(struct packet *k)
{
	k->p[11]++;
	put8(k, 0);
	put16(k, TYPE_OPT);
	put16(k, 1232);
	put16(k, 0);
	put16(k, 0);
	put16(k, 0);
}

/*
 * A record by its type: "10 mx.example" of an MX, "0 5 587 a.example" of an
 * SRV, a name of a CNAME, an address of A and AAAA, and plain octets of all
 * others.
 */
static inline void
put_rr(struct packet *k, const char *owner, unsigned type, const char *data)
{
	size_t at = rr_begin(k, owner, type);
	unsigned char ip[16];
	char *end;
	int i;

	switch (type) {
	case TYPE_MX:
		put16(k, (unsigned)strtoul(data, &end, 10));
		put_name(k, end + 1);
		break;
	case TYPE_SRV:
		for (i = 0; i < 3; i++, data = end)
			put16(k, (unsigned)strtoul(data, &end, 10));
		put_name(k, data + 1);
		break;
	case TYPE_CNAME:
		put_name(k, data);
		break;
	case TYPE_A:
		inet_pton(AF_INET, data, ip);
		put_mem(k, ip, 4);
		break;
	case TYPE_AAAA:
		inet_pton(AF_INET6, data, ip);
		put_mem(k, ip, 16);
		break;
	default:
		put_mem(k, data, strlen(data));
	}
	rr_end(k, at);
}

#endif
