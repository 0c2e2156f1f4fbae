/*
 * cert: what a certificate says, whether it is the one that was named, why
 * its chain does not hold, and what its issuer says of it now.
 * Called by tls.c during and after a handshake. It knows no connection's
 * octets and no policy.
 * RFC 5280, RFC 6960 and 6066 8 (stapled OCSP answers), RFC 7633 (must-staple).
 * Ownership: certificates are borrowed; all results are plain text.
 */
#ifndef NET_CERT_H
#define NET_CERT_H

#include <stdbool.h>
#include <stddef.h>

#include "net/openssl.h"

struct err;

#define CERT_SHA256 32
#define CERT_DATE_MAX 40 /* "2027-01-31 12:00:00 UTC" */

/* Printable. */
struct cert_text {
	char names[256]; /* DNS names and addresses, separated by ", " */
	char issuer[128]; /* its common name, or its organization */
	char expires[CERT_DATE_MAX];
};

void cert_text(const struct openssl *, X509 *, struct cert_text *);

/* 32 octets of hex, colons between octets or none; blanks at neither end.
 * False if it is none. Needs no library. */
bool cert_fingerprint_parse(const char *, unsigned char out[CERT_SHA256]);

enum cert_match { CERT_MATCH_NONE, CERT_MATCH_CERT, CERT_MATCH_KEY };

/* Is it the certificate, or one with the key (SPKI), of that SHA-256? */
enum cert_match cert_match(
    const struct openssl *, X509 *, const unsigned char want[CERT_SHA256]);

/* The certificate is not the one that was named: fills *e (temporary, TLS)
 * with the fingerprints it has. Returns -1. */
int cert_mismatch(const struct openssl *, X509 *, struct err *e);

/* Why a chain does not hold, taken where it is known. */
struct cert_trouble {
	int code; /* X509_V_ERR_..., 0: none */
	bool own; /* it is about the server's own certificate */
	char subject[128], issuer[128]; /* of the certificate that fails */
	char when[CERT_DATE_MAX]; /* the date that matters to it, or "" */
};

/* The last error of a verification, from inside its callback. */
void cert_trouble_take(
    const struct openssl *, X509_STORE_CTX *, struct cert_trouble *);

/* Fills *e (temporary, TLS) with words that a person can act on. `name` was
 * to be verified, `names` the certificate has, `crl` is the file of
 * revocation lists (may be NULL). Returns -1. */
struct cert_wish {
	const char *name, *names, *crl;
};
int cert_trouble_err(const struct openssl *, const struct cert_trouble *,
    const struct cert_wish *, struct err *e);

/*
 * After a handshake whose chain holds: a stapled OCSP answer must be the
 * issuer's, current, and say "good"; a certificate that demands a staple must
 * have one. 0 with ocsp "good" or "" (there is none), or -1 with *e
 * (temporary, TLS). `trust` is the store that the chain was verified with.
 */
#define CERT_OCSP_MAX 32
int cert_staple(const struct openssl *, SSL *, X509_STORE *trust,
    char ocsp[CERT_OCSP_MAX], struct err *e);

#endif
