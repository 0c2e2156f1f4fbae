/*
 * tls: a connection made private, and what is known of the other side then.
 * Called by hello.c (STARTTLS, implicit TLS); policy.c makes the policies. The
 * only home of SSL_*, with cert.c.
 * It knows no SMTP and decides no policy; it fails when one is not met.
 * RFC 8446, 5246; RFC 9525 and 6125 (names), RFC 6066 (SNI), RFC 8314.
 * Ownership: a struct tls belongs to its maker; a connection's TLS goes with
 * its struct io.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct io;

/* What is asked of a connection; a row in tls.c gives name and meaning. */
enum tls_level {
	TLS_NONE, /* no TLS */
	TLS_MAY, /* when offered, any certificate */
	TLS_ENCRYPT, /* or a temporary failure; any certificate */
	TLS_VERIFY, /* a chain to the trust store and the host's name */
	TLS_AUTO, /* the routing decides which of the others */
	TLS_LEVELS
};

/* "verify"; and back: -1 if there is no such level. */
const char *tls_level_name(enum tls_level);
int tls_level_parse(const char *, enum tls_level *);

/* The policy of one route, and who made it. */
struct tls_policy {
	enum tls_level level; /* never TLS_AUTO once a route has it */
	const char *source; /* static or of the configuration: who says so */
	const char *name; /* borrowed: name to verify; NULL: the host's */
	bool implicit; /* TLS from the first octet on (RFC 8314 3) */
};

/* All borrowed; NULL or 0: not given. */
struct tls_config {
	const char *trust; /* a file, or a folder of hashed names; NULL: the
			      system's */
	const char *crl; /* a file of revocation lists */
	/* SHA-256 of the certificate or of its key (SPKI), hex with or
	 * without colons: what it matches is verified, whatever its chain,
	 * name and dates are; what it does not match fails, at every level. */
	const char *fingerprint;
	const char *cert; /* PEM: ours, and its chain */
	const char *key; /* PEM: its key; NULL: in `cert` */
	const char *key_secret; /* the passphrase of an encrypted key */
	/* OpenSSL lists: names with TLS_ are of 1.3; the kind of which none
	 * is named keeps OpenSSL's own. */
	const char *ciphers;
	unsigned min; /* least version: 0 or 12 is 1.2; 10, 11, 13 */
	const char *keylog; /* append secrets of sessions to this file, for
			       a sniffer (NSS key log format) */
};

/* True if a version's name ("1.2", "TLSv1.3", "TLS1.1") is known. */
bool tls_min_parse(const char *, unsigned *min);
/* True if it is a SHA-256 in hex. */
bool tls_fingerprint_valid(const char *);

struct openssl;

/* TLS of one process. Nothing is loaded before the first tls_start(). */
struct tls {
	struct tls_config config;
	struct openssl *lib; /* owned */
	void *ctx; /* owned: the library's context */
	bool trust_loaded; /* the trust store was named to it */
	int cert_level; /* least security level of certificates, -1: any */
	int keylog; /* owned: descriptor, -1: none */
};

/* What came of a handshake; strings are printable. */
struct tls_facts {
	char version[16]; /* "TLSv1.3" */
	char cipher[64];
	char group[32]; /* of the key exchange, "" if not known */
	char names[256]; /* of the certificate, separated by ", " */
	char issuer[128];
	char expires[40]; /* "2027-01-31 12:00:00 UTC" */
	bool verified; /* chain and name were checked and hold, or it is
			  the certificate that was named */
	char how[64]; /* "chain and name", "fingerprint of the key", "not" */
	char ocsp[32]; /* "good" by a stapled answer, "" without one */
};

/*
 * The channel's binding, for SCRAM-*-PLUS: "tls-exporter" on TLS 1.3 (RFC
 * 9266), "tls-unique" on 1.2 (RFC 5929; only with the extended master
 * secret), static, with its octets in out[0,*n). NULL: there is none.
 */
#define TLS_BINDING_MAX 64
const char *tls_binding(
    const struct io *, unsigned char out[TLS_BINDING_MAX], size_t *n);

void tls_init(struct tls *, const struct tls_config *);
void tls_free(struct tls *);

/*
 * Handshake over a connected io, within its deadline; from then on it reads
 * and writes through TLS. `host` is the name dialled: for SNI and, with
 * TLS_VERIFY, for the certificate. 0 with *facts, or -1 with *e (temporary,
 * TLS; permanent, config when a file or value of the configuration will
 * not do): the connection is of no more use. The sentence says what failed:
 * expired, revoked, unknown issuer, other names, an alert. With TLS_VERIFY a
 * stapled OCSP answer (RFC 6066 8) must hold.
 */
int tls_start(struct tls *, struct io *, const struct tls_policy *,
    const char *host, struct tls_facts *facts, struct err *e);

#endif
