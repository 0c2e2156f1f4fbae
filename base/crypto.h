/*
 * crypto: hashes, keys and signatures, by libcrypto when first wanted.
 * Called by mail/dkim.c (hash, sign), queue/sign.c and cli/dkimkey.c (keys).
 * It opens no file, asks nobody and keeps nothing between calls.
 * RFC 8017 8.2 (PKCS #1 v1.5), RFC 8032 (Ed25519), RFC 7468 and 5208 (PEM).
 * Ownership: what a function makes is the caller's; keys are wiped when freed.
 */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stddef.h>

struct buf;
struct err;

/* Octets of a SHA-256. */
#define CRYPTO_HASH_SIZE 32

/* Bits of RSA: fewer are refused, and fewer made no more (RFC 8301 3.2). */
#define CRYPTO_RSA_LEAST 1024
#define CRYPTO_RSA_GOOD 2048

struct crypto; /* the library */
struct crypto_hash; /* a SHA-256 that is being made */
struct crypto_key; /* a private key */

enum crypto_kind { CRYPTO_RSA, CRYPTO_ED25519 };

/* Load it. NULL with *e (temporary, machine): it is not installed. All that
 * is made with it must be freed before. */
struct crypto *crypto_open(struct err *e);
void crypto_close(struct crypto *);

/* NULL with *e (machine). */
struct crypto_hash *crypto_hash_new(const struct crypto *, struct err *e);
void crypto_hash_add(struct crypto_hash *, const void *, size_t n);
/* Once, at the end. 0, or -1 with *e (machine). */
int crypto_hash_end(
    struct crypto_hash *, unsigned char out[CRYPTO_HASH_SIZE], struct err *e);
void crypto_hash_free(struct crypto_hash *);

/*
 * The private key in `text`: PEM (PKCS #8, encrypted or not, or the older
 * form of RSA), or the 32 octets of an Ed25519 seed in base64. `passphrase`
 * is NULL if there is none. NULL with *e (config, permanent): it is no key,
 * none of these kinds, too short, or the passphrase does not open it. The
 * sentence names no file: the caller does.
 */
struct crypto_key *crypto_key_read(const struct crypto *,
    const struct buf *text, const char *passphrase, struct err *e);

/* A new key; `bits` counts for RSA. NULL with *e (machine). */
struct crypto_key *crypto_key_make(
    const struct crypto *, enum crypto_kind, size_t bits, struct err *e);

void crypto_key_free(struct crypto_key *);

enum crypto_kind crypto_key_kind(const struct crypto_key *);
unsigned crypto_key_bits(const struct crypto_key *);

/*
 * Append the signature of a hash: RSA with PKCS #1 v1.5, which says that the
 * hash is a SHA-256; Ed25519 takes the hash for its message (RFC 8463 3).
 * 0, or -1 with *e (machine).
 */
int crypto_key_sign(const struct crypto_key *,
    const unsigned char hash[CRYPTO_HASH_SIZE], struct buf *out, struct err *e);

/* Append it as PEM (PKCS #8, not encrypted). 0, or -1 with *e (machine). */
int crypto_key_pem(const struct crypto_key *, struct buf *out, struct err *e);

/*
 * Append its public half as DKIM publishes it: of RSA the DER of a
 * SubjectPublicKeyInfo (RFC 6376 3.6.1), of Ed25519 its 32 octets (RFC 8463
 * 4). 0, or -1 with *e (machine).
 */
int crypto_key_public(
    const struct crypto_key *, struct buf *out, struct err *e);

#endif
