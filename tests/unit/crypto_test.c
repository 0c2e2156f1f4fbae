/*
 * crypto_test: hashes, keys and signatures against the RFCs' examples.
 * Run by make unit and script/test.
 * RFC 6234 (SHA-256 of "abc", by FIPS 180), RFC 8032 7.1, RFC 8463 A.
 */
#include "base/buf.h"
#include "base/crypto.h"
#include "base/enc.h"
#include "base/err.h"
#include "tests/unit/dkim_keys.h"
#include "tests/unit/test.h"

/* RSA of 512 bits, which anybody can break. */
static const char short_key[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIBOQIBAAJBALmuqvuB4gztXou5aaNbeZ3fwMJrZf3m69iQr52yv4udKEFe5Eck\n"
    "94GR3RdrTA5RbkQcoWwow35zJTsQMdGVVksCAwEAAQJAUpj5ZFH9nWSF9z+uV0Wc\n"
    "zva2x4WA5DYx2a9a/5qBDHhFS9dOItSMJs9+eIqwREglFGQ/+Az/iK2FPunWJ+0v\n"
    "UQIhAOL+FQfnO6Q+wrNFAfzGu5BzHcJq3qTNJORccBqK/ImTAiEA0Wkl5Jw7j9b4\n"
    "P5cgsLv6NOv3/gJO9kZ7MBE45JnpE2kCID4dpYeqIUoK2qDQC4EuqPkYZ1ZihFa4\n"
    "xJWxLgQ1cHH9AiB2eo4k3LvaMt77Y27sbz4tqQADJ50zO0dBN80/kVDMWQIgVMJL\n"
    "SLMY+Wf2D/qWmy3YNsov04il7PZJBejrqFo15ks=\n"
    "-----END RSA PRIVATE KEY-----\n";

static const char curve_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMX6Mr+FkFO/EFDjU\n"
    "dgN6j9Gq9Ni6+wD28RM6Vuhp+++hRANCAAQSKg1+vaZgYJvNxDK/0FRo88+J3Y0I\n"
    "5vGNNxEfiZlahwaoLFzZoO9q0LaMj+Hay1yNU0+/A6RfEin58Ok18YuO\n"
    "-----END PRIVATE KEY-----\n";

/* The seed of RFC 8463 A.1 as PKCS #8, plain and behind "open sesame". */
static const char plain_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";
static const char locked_key[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhHV2z9QXNceAICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEPtJ63kjVXswe7jw85HjpWwEQNC4\n"
    "ejGm0aFgQe6ocHpv7bacy6BNmy3llzPdHSE0UA/LTcTfAT03Us0RYNH5Ymw0rPWR\n"
    "Hebg3gyEpJpHX+DVrDM=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static struct crypto *
opened(void)
{
	struct err e;
	struct crypto *c = crypto_open(&e);

	if (c == NULL) {
		printf("Bail out! %s\n", e.text);
		exit(1);
	}
	return c;
}

static struct crypto_key *
key_of(const struct crypto *c, const char *text, const char *passphrase,
    struct err *e)
{
	struct crypto_key *k;
	struct buf b;

	err_clear(e);
	buf_init(&b, 64 * 1024);
	buf_adds(&b, text);
	k = crypto_key_read(c, &b, passphrase, e);
	buf_free(&b);
	return k;
}

static void
check_base64(const struct buf *b, const char *want)
{
	struct buf text;

	buf_init(&text, 64 * 1024);
	enc_base64(&text, b->data, b->len);
	CHECK_STR(buf_str(&text), want);
	buf_free(&text);
}

static void
check_public(const struct crypto_key *k, const char *want)
{
	struct buf b;
	struct err e;

	buf_init(&b, 64 * 1024);
	CHECK_INT(crypto_key_public(k, &b, &e), 0);
	check_base64(&b, want);
	buf_free(&b);
}

TEST(sha256_in_pieces)
{
	static const char want[] = "\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41"
				   "\x40\xde\x5d\xae\x22\x23\xb0\x03\x61\xa3"
				   "\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00"
				   "\x15\xad";
	struct crypto *c = opened();
	unsigned char out[CRYPTO_HASH_SIZE];
	struct err e;
	struct crypto_hash *h = crypto_hash_new(c, &e);

	crypto_hash_add(h, "a", 1);
	crypto_hash_add(h, NULL, 0);
	crypto_hash_add(h, "bc", 2);
	CHECK_INT(crypto_hash_end(h, out, &e), 0);
	CHECK_MEM(out, sizeof out, want, sizeof want - 1);
	crypto_hash_free(h);
	crypto_close(c);
}

TEST(keys_of_each_form)
{
	static const struct {
		const char *text, *passphrase;
		enum crypto_kind kind;
		const char *public;
	} rows[] = {
		{ RFC_ED25519_KEY, NULL, CRYPTO_ED25519, RFC_ED25519_PUBLIC },
		{ plain_key, NULL, CRYPTO_ED25519, RFC_ED25519_PUBLIC },
		{ plain_key, "not needed", CRYPTO_ED25519, RFC_ED25519_PUBLIC },
		{ locked_key, "open sesame", CRYPTO_ED25519,
		    RFC_ED25519_PUBLIC },
		{ RFC_RSA_KEY, NULL, CRYPTO_RSA, RFC_RSA_PUBLIC },
	};
	struct crypto *c = opened();
	struct crypto_key *k;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		k = key_of(c, rows[i].text, rows[i].passphrase, &e);
		CHECK_STR(e.text, "");
		CHECK(k != NULL);
		if (k == NULL)
			continue;
		CHECK_INT(crypto_key_kind(k), rows[i].kind);
		check_public(k, rows[i].public);
		crypto_key_free(k);
	}
	crypto_close(c);
}

TEST(what_is_no_key_for_dkim)
{
	static const struct {
		const char *text, *passphrase, *why;
	} rows[] = {
		{ "", NULL, "has no private key in PEM form" },
		{ "hello\n", NULL, "has no private key in PEM form" },
		/* 33 octets, and 32 with something behind them. */
		{ "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2Ag", NULL,
		    "has no private key in PEM form" },
		{ RFC_ED25519_KEY "x", NULL, "has no private key in PEM form" },
		{ "-----BEGIN PUBLIC KEY-----\n"
		  "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
		  "\n-----END PUBLIC KEY-----\n",
		    NULL, "has no private key that OpenSSL can read" },
		{ locked_key, NULL,
		    "is encrypted, and no passphrase is given" },
		{ locked_key, "wrong",
		    "is encrypted, and the passphrase does not open it" },
		{ curve_key, NULL, "is neither an RSA nor an Ed25519 key" },
		{ short_key, NULL,
		    "is an RSA key of 512 bits; verifiers ignore fewer than "
		    "1024, give it 2048" },
	};
	struct crypto *c = opened();
	struct err e;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		CHECK(key_of(c, rows[i].text, rows[i].passphrase, &e) == NULL);
		CHECK_STR(e.text, rows[i].why);
		CHECK_INT(err_exit(&e), 78);
	}
	crypto_close(c);
}

TEST(a_made_key_is_read_again)
{
	struct crypto *c = opened();
	struct crypto_key *k, *again;
	struct buf pem, one, two;
	struct err e;
	int kind;

	buf_init(&pem, 64 * 1024);
	buf_init(&one, 64 * 1024);
	buf_init(&two, 64 * 1024);
	for (kind = CRYPTO_RSA; kind <= CRYPTO_ED25519; kind++) {
		buf_reset(&pem);
		buf_reset(&one);
		buf_reset(&two);
		k = crypto_key_make(
		    c, (enum crypto_kind)kind, CRYPTO_RSA_LEAST, &e);
		CHECK_INT(crypto_key_pem(k, &pem, &e), 0);
		CHECK_INT(crypto_key_public(k, &one, &e), 0);
		again = crypto_key_read(c, &pem, NULL, &e);
		CHECK(again != NULL);
		CHECK_INT(crypto_key_kind(again), kind);
		CHECK_INT(crypto_key_bits(again), crypto_key_bits(k));
		CHECK_INT(crypto_key_public(again, &two, &e), 0);
		CHECK_MEM(one.data, one.len, two.data, two.len);
		crypto_key_free(k);
		crypto_key_free(again);
	}
	buf_free(&pem);
	buf_free(&one);
	buf_free(&two);
	crypto_close(c);
}

/* Of the hash that RFC 8463 A.3's message has, see dkim_test. */
TEST(signatures_need_room)
{
	static const unsigned char hash[CRYPTO_HASH_SIZE];
	struct crypto *c = opened();
	struct err e;
	struct crypto_key *k = key_of(c, RFC_RSA_KEY, NULL, &e);
	struct buf b;

	buf_init(&b, 10);
	CHECK_INT(crypto_key_sign(k, hash, &b, &e), -1);
	CHECK_INT(err_exit(&e), 71);
	buf_free(&b);
	crypto_key_free(k);
	crypto_close(c);
}

TEST_MAIN
