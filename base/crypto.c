/*
 * crypto: see crypto.h. One dlopen(3), one dlsym(3) a row of the table.
 * Callers: mail/dkim.c, queue/sign.c, cli/dkimkey.c.
 * TLS has a table of its own, net/openssl.h: what it needs is not for mail.
 * RFC 8017 8.2, RFC 8032, RFC 8463 3; openssl evp(7).
 * Ownership: the library stays loaded until the process ends.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/enc.h"
#include "base/err.h"
#include "base/library.h"

#define LIBRARY "libcrypto.so.3"

/* Octets of an Ed25519 seed, and of its base64. */
#define SEED_SIZE 32
#define SEED_TEXT 44

/* ---- the library ---- */

/* All that is called in it, a row each. */
#define SYMBOLS(X)                                                             \
	X(BIO_ctrl)                                                            \
	X(BIO_free)                                                            \
	X(BIO_new)                                                             \
	X(BIO_new_mem_buf)                                                     \
	X(BIO_s_mem)                                                           \
	X(ERR_clear_error)                                                     \
	X(ERR_peek_error)                                                      \
	X(ERR_reason_error_string)                                             \
	X(EVP_DigestFinal_ex)                                                  \
	X(EVP_DigestInit_ex)                                                   \
	X(EVP_DigestSign)                                                      \
	X(EVP_DigestSignInit)                                                  \
	X(EVP_DigestUpdate)                                                    \
	X(EVP_MD_CTX_free)                                                     \
	X(EVP_MD_CTX_new)                                                      \
	X(EVP_PKEY_CTX_free)                                                   \
	X(EVP_PKEY_CTX_new)                                                    \
	X(EVP_PKEY_CTX_set_rsa_padding)                                        \
	X(EVP_PKEY_CTX_set_signature_md)                                       \
	X(EVP_PKEY_Q_keygen)                                                   \
	X(EVP_PKEY_free)                                                       \
	X(EVP_PKEY_get_base_id)                                                \
	X(EVP_PKEY_get_bits)                                                   \
	X(EVP_PKEY_get_raw_public_key)                                         \
	X(EVP_PKEY_get_size)                                                   \
	X(EVP_PKEY_new_raw_private_key)                                        \
	X(EVP_PKEY_sign)                                                       \
	X(EVP_PKEY_sign_init)                                                  \
	X(EVP_sha256)                                                          \
	X(PEM_read_bio_PrivateKey)                                             \
	X(PEM_write_bio_PKCS8PrivateKey)                                       \
	X(i2d_PUBKEY)

struct crypto {
	void *handle; /* dlopen(3)'s */
#define FIELD(name) __typeof__(name) *(name);
	SYMBOLS(FIELD)
#undef FIELD
};

struct crypto_hash {
	const struct crypto *lib; /* borrowed */
	EVP_MD_CTX *ctx; /* owned */
	bool ok;
};

struct crypto_key {
	const struct crypto *lib; /* borrowed */
	EVP_PKEY *pkey; /* owned */
	enum crypto_kind kind;
};

static int
library_load(struct crypto *c, struct err *e)
{
	const char *missing = NULL;

	c->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (c->handle == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE,
		    "DKIM needs OpenSSL 3 (package libssl3): %s", dlerror());
#define LOAD(name) library_symbol(c->handle, #name, &c->name, &missing);
	SYMBOLS(LOAD)
#undef LOAD
	if (missing != NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE,
		    "this OpenSSL has no %s", missing);
	return 0;
}

static int
no_memory(struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory to sign");
}

struct crypto *
crypto_open(struct err *e)
{
	struct crypto *c = calloc(1, sizeof *c);

	if (c == NULL) {
		no_memory(e);
		return NULL;
	}
	if (library_load(c, e) == -1) {
		free(c);
		return NULL;
	}
	return c;
}

void
crypto_close(struct crypto *c)
{
	free(c);
}

/* What the library says went wrong. */
static int
failed(const struct crypto *c, const char *what, struct err *e)
{
	const char *why = c->ERR_reason_error_string(c->ERR_peek_error());

	return err_set(e, ERR_TEMP, ERR_MACHINE, "OpenSSL cannot %s: %s", what,
	    why != NULL ? why : "no reason given");
}

/* ---- hashes ---- */

struct crypto_hash *
crypto_hash_new(const struct crypto *c, struct err *e)
{
	struct crypto_hash *h = calloc(1, sizeof *h);

	if (h == NULL) {
		no_memory(e);
		return NULL;
	}
	h->lib = c;
	c->ERR_clear_error();
	h->ctx = c->EVP_MD_CTX_new();
	h->ok = h->ctx != NULL &&
	    c->EVP_DigestInit_ex(h->ctx, c->EVP_sha256(), NULL) == 1;
	if (h->ok)
		return h;
	failed(c, "make a SHA-256", e);
	crypto_hash_free(h);
	return NULL;
}

void
crypto_hash_add(struct crypto_hash *h, const void *p, size_t n)
{
	if (h->ok && n > 0)
		h->ok = h->lib->EVP_DigestUpdate(h->ctx, p, n) == 1;
}

int
crypto_hash_end(
    struct crypto_hash *h, unsigned char out[CRYPTO_HASH_SIZE], struct err *e)
{
	unsigned n = 0;

	if (h->ok)
		h->ok = h->lib->EVP_DigestFinal_ex(h->ctx, out, &n) == 1 &&
		    n == CRYPTO_HASH_SIZE;
	return h->ok ? 0 : failed(h->lib, "make a SHA-256", e);
}

void
crypto_hash_free(struct crypto_hash *h)
{
	if (h == NULL)
		return;
	h->lib->EVP_MD_CTX_free(h->ctx);
	free(h);
}

/* ---- keys: read and made ---- */

/* What the library's callback is told. */
struct passphrase {
	const char *text; /* borrowed; NULL: none was given */
	bool asked;
};

static int
passphrase_give(char *to, int size, int writing, void *ctx)
{
	struct passphrase *p = ctx;
	size_t n = p->text != NULL ? strlen(p->text) : 0;

	(void)writing;
	p->asked = true;
	if (p->text == NULL || size < 0 || n > (size_t)size)
		return -1;
	memcpy(to, p->text, n);
	return (int)n;
}

static int
bad_key(struct err *e, const char *why)
{
	return err_set(e, ERR_PERM, ERR_CONFIG, "%s", why);
}

static EVP_PKEY *
read_pem(const struct crypto *c, const struct buf *text, const char *passphrase,
    struct err *e)
{
	struct passphrase p = { .text = passphrase };
	EVP_PKEY *pkey = NULL;
	BIO *bio = c->BIO_new_mem_buf(text->data, (int)text->len);

	if (bio == NULL) {
		no_memory(e);
		return NULL;
	}
	pkey = c->PEM_read_bio_PrivateKey(bio, NULL, passphrase_give, &p);
	c->BIO_free(bio);
	if (pkey == NULL)
		bad_key(e,
		    !p.asked ? "has no private key that OpenSSL can read"
			: passphrase == NULL
			? "is encrypted, and no passphrase is given"
			: "is encrypted, and the passphrase does not open it");
	return pkey;
}

/* A seed in base64, as RFC 8463 A.1 prints it and other signers keep it. */
static EVP_PKEY *
read_seed(const struct crypto *c, const struct buf *text, struct err *e)
{
	const char *p = buf_str(text);
	size_t n = strspn(p,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
	    "wxyz0123456789+/=");
	EVP_PKEY *pkey = NULL;
	struct buf seed;

	buf_init(&seed, SEED_SIZE + 1);
	if (n == SEED_TEXT && p[n + strspn(p + n, "\r\n")] == '\0' &&
	    enc_unbase64(&seed, p, n) == 0 && seed.len == SEED_SIZE)
		pkey = c->EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
		    (const unsigned char *)seed.data, seed.len);
	buf_free(&seed);
	if (pkey == NULL)
		bad_key(e, "has no private key in PEM form");
	return pkey;
}

/* The kind of the key, its length: 0, or -1 if DKIM has no use for it. */
static int
key_check(struct crypto_key *k, struct err *e)
{
	int id = k->lib->EVP_PKEY_get_base_id(k->pkey);

	if (id != EVP_PKEY_RSA && id != EVP_PKEY_ED25519)
		return bad_key(e, "is neither an RSA nor an Ed25519 key");
	k->kind = id == EVP_PKEY_RSA ? CRYPTO_RSA : CRYPTO_ED25519;
	if (k->kind == CRYPTO_RSA && crypto_key_bits(k) < CRYPTO_RSA_LEAST)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "is an RSA key of %u bits; verifiers ignore fewer than "
		    "%d, give it %d",
		    crypto_key_bits(k), CRYPTO_RSA_LEAST, CRYPTO_RSA_GOOD);
	return 0;
}

/* Takes `pkey`, which may be NULL with *e. */
static struct crypto_key *
key_new(const struct crypto *c, EVP_PKEY *pkey, struct err *e)
{
	struct crypto_key *k;

	if (pkey == NULL)
		return NULL;
	k = calloc(1, sizeof *k);
	if (k == NULL) {
		c->EVP_PKEY_free(pkey);
		no_memory(e);
		return NULL;
	}
	k->lib = c;
	k->pkey = pkey;
	if (key_check(k, e) == 0)
		return k;
	crypto_key_free(k);
	return NULL;
}

struct crypto_key *
crypto_key_read(const struct crypto *c, const struct buf *text,
    const char *passphrase, struct err *e)
{
	bool pem = strstr(buf_str(text), "-----BEGIN ") != NULL;

	c->ERR_clear_error();
	return key_new(c,
	    pem ? read_pem(c, text, passphrase, e) : read_seed(c, text, e), e);
}

struct crypto_key *
crypto_key_make(
    const struct crypto *c, enum crypto_kind kind, size_t bits, struct err *e)
{
	EVP_PKEY *pkey;

	c->ERR_clear_error();
	pkey = kind == CRYPTO_RSA
	    ? c->EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits)
	    : c->EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (pkey == NULL)
		failed(c, "make a key", e);
	return key_new(c, pkey, e);
}

void
crypto_key_free(struct crypto_key *k)
{
	if (k == NULL)
		return;
	k->lib->EVP_PKEY_free(k->pkey);
	free(k);
}

enum crypto_kind
crypto_key_kind(const struct crypto_key *k)
{
	return k->kind;
}

unsigned
crypto_key_bits(const struct crypto_key *k)
{
	return (unsigned)k->lib->EVP_PKEY_get_bits(k->pkey);
}

/* ---- keys: used ---- */

static bool
sign_rsa(const struct crypto_key *k, const unsigned char *hash,
    unsigned char *to, size_t *n)
{
	const struct crypto *c = k->lib;
	EVP_PKEY_CTX *ctx = c->EVP_PKEY_CTX_new(k->pkey, NULL);
	bool ok = ctx != NULL && c->EVP_PKEY_sign_init(ctx) == 1 &&
	    c->EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	    c->EVP_PKEY_CTX_set_signature_md(ctx, c->EVP_sha256()) == 1 &&
	    c->EVP_PKEY_sign(ctx, to, n, hash, CRYPTO_HASH_SIZE) == 1;

	c->EVP_PKEY_CTX_free(ctx);
	return ok;
}

static bool
sign_ed25519(const struct crypto_key *k, const unsigned char *hash,
    unsigned char *to, size_t *n)
{
	const struct crypto *c = k->lib;
	EVP_MD_CTX *ctx = c->EVP_MD_CTX_new();
	bool ok = ctx != NULL &&
	    c->EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->pkey) == 1 &&
	    c->EVP_DigestSign(ctx, to, n, hash, CRYPTO_HASH_SIZE) == 1;

	c->EVP_MD_CTX_free(ctx);
	return ok;
}

int
crypto_key_sign(const struct crypto_key *k,
    const unsigned char hash[CRYPTO_HASH_SIZE], struct buf *out, struct err *e)
{
	size_t n = (size_t)k->lib->EVP_PKEY_get_size(k->pkey);
	unsigned char *to = (unsigned char *)buf_room(out, n);

	if (to == NULL)
		return no_memory(e);
	k->lib->ERR_clear_error();
	if (!(k->kind == CRYPTO_RSA ? sign_rsa(k, hash, to, &n)
				    : sign_ed25519(k, hash, to, &n)))
		return failed(k->lib, "sign", e);
	buf_grew(out, n);
	return 0;
}

int
crypto_key_pem(const struct crypto_key *k, struct buf *out, struct err *e)
{
	const struct crypto *c = k->lib;
	BIO *bio = c->BIO_new(c->BIO_s_mem());
	char *text = NULL;
	long n = 0;

	c->ERR_clear_error();
	if (bio != NULL &&
	    c->PEM_write_bio_PKCS8PrivateKey(
		bio, k->pkey, NULL, NULL, 0, NULL, NULL) == 1)
		n = c->BIO_ctrl(bio, BIO_CTRL_INFO, 0, &text);
	if (n > 0)
		buf_add(out, text, (size_t)n);
	c->BIO_free(bio);
	if (n <= 0)
		return failed(c, "write a key", e);
	return buf_ok(out) ? 0 : no_memory(e);
}

static bool
public_rsa(const struct crypto_key *k, struct buf *out)
{
	int n = k->lib->i2d_PUBKEY(k->pkey, NULL);
	unsigned char *to =
	    n > 0 ? (unsigned char *)buf_room(out, (size_t)n) : NULL;

	if (to == NULL)
		return false;
	n = k->lib->i2d_PUBKEY(k->pkey, &to);
	buf_grew(out, n > 0 ? (size_t)n : 0);
	return n > 0;
}

static bool
public_ed25519(const struct crypto_key *k, struct buf *out)
{
	unsigned char raw[SEED_SIZE];
	size_t n = sizeof raw;

	if (k->lib->EVP_PKEY_get_raw_public_key(k->pkey, raw, &n) != 1)
		return false;
	buf_add(out, raw, n);
	return buf_ok(out);
}

int
crypto_key_public(const struct crypto_key *k, struct buf *out, struct err *e)
{
	k->lib->ERR_clear_error();
	if (k->kind == CRYPTO_RSA ? public_rsa(k, out) : public_ed25519(k, out))
		return 0;
	return buf_ok(out) ? failed(k->lib, "write a public key", e)
			   : no_memory(e);
}
