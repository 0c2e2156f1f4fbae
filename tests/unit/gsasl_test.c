/*
 * gsasl_test: the real GNU SASL against servers that are written here.
 * Run by make unit and script/test; the sums are OpenSSL's, and are first
 * held against the RFCs' own examples, since the library draws its nonces.
 * It opens no connection.
 * RFC 5802 5, RFC 7677 3 (SCRAM), RFC 2195 2 (CRAM-MD5), RFC 2831 4.
 */
#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "net/gsasl.h"
#include "smtp/sasl.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* ---- OpenSSL's sums ---- */

struct crypto {
	void *handle;
	__typeof__(EVP_md5) *md5;
	__typeof__(EVP_sha1) *sha1;
	__typeof__(EVP_sha256) *sha256;
	__typeof__(EVP_Digest) *digest;
	__typeof__(HMAC) *hmac;
	__typeof__(PKCS5_PBKDF2_HMAC) *pbkdf2;
};

static void
crypto_symbol(struct crypto *c, const char *name, void *field)
{
	void *p = dlsym(c->handle, name);

	if (p == NULL) {
		printf("Bail out! libcrypto has no %s\n", name);
		exit(1);
	}
	memcpy(field, &p, sizeof p);
}

static const struct crypto *
crypto(void)
{
	static struct crypto c;

	if (c.handle != NULL)
		return &c;
	c.handle = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
	if (c.handle == NULL) {
		printf("Bail out! no libcrypto\n");
		exit(1);
	}
	crypto_symbol(&c, "EVP_md5", &c.md5);
	crypto_symbol(&c, "EVP_sha1", &c.sha1);
	crypto_symbol(&c, "EVP_sha256", &c.sha256);
	crypto_symbol(&c, "EVP_Digest", &c.digest);
	crypto_symbol(&c, "HMAC", &c.hmac);
	crypto_symbol(&c, "PKCS5_PBKDF2_HMAC", &c.pbkdf2);
	return &c;
}

/* ---- SCRAM, the server's side (RFC 5802 3) ---- */

struct octets {
	unsigned char data[EVP_MAX_MD_SIZE];
	unsigned len;
};

static struct octets
hmac(const EVP_MD *md, const struct octets *key, const char *text)
{
	struct octets o = { .len = 0 };

	crypto()->hmac(md, key->data, (int)key->len,
	    (const unsigned char *)text, strlen(text), o.data, &o.len);
	return o;
}

struct scram {
	const EVP_MD *md;
	const char *password;
	const char *salt; /* as it is */
	int iterations;
	char proof[100], signature[100]; /* Base64 */
};

static void
base64_str(char *dst, size_t size, const struct octets *o)
{
	struct buf b;

	buf_init(&b, size);
	enc_base64(&b, o->data, o->len);
	snprintf(dst, size, "%s", buf_str(&b));
	buf_free(&b);
}

/* AuthMessage = client-first-bare , server-first , client-final-no-proof */
static void
scram_sums(struct scram *s, const char *message)
{
	struct octets salted = { .len = (unsigned)EVP_MAX_MD_SIZE };
	struct octets client, stored, signature, server;

	salted.len = s->md == crypto()->sha1() ? 20 : 32;
	crypto()->pbkdf2(s->password, (int)strlen(s->password),
	    (const unsigned char *)s->salt, (int)strlen(s->salt), s->iterations,
	    s->md, (int)salted.len, salted.data);
	client = hmac(s->md, &salted, "Client Key");
	server = hmac(s->md, &salted, "Server Key");
	crypto()->digest(
	    client.data, client.len, stored.data, &stored.len, s->md, NULL);
	signature = hmac(s->md, &stored, message);
	for (unsigned i = 0; i < client.len; i++)
		client.data[i] ^= signature.data[i];
	base64_str(s->proof, sizeof s->proof, &client);
	server = hmac(s->md, &server, message);
	base64_str(s->signature, sizeof s->signature, &server);
}

TEST(the_sums_of_rfc_5802_and_7677)
{
	struct scram s = { .md = crypto()->sha1(),
		.password = "pencil",
		.salt = "\x41\x25\xc2\x47\xe4\x3a\xb1\xe9\x3c\x6d\xff\x76",
		.iterations = 4096 };

	scram_sums(&s,
	    "n=user,r=fyko+d2lbbFgONRv9qkxdawL,"
	    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
	    "s=QSXCR+Q6sek8bf92,i=4096,"
	    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j");
	CHECK_STR(s.proof, "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
	CHECK_STR(s.signature, "rmF9pqV8S7suAoZWja4dJRkFsKQ=");

	s.md = crypto()->sha256();
	s.salt = "\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36"
		 "\xfa\x81";
	scram_sums(&s,
	    "n=user,r=rOprNGfwEbeRWgbNEkqO,"
	    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
	    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
	CHECK_STR(s.proof, "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
	CHECK_STR(s.signature, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

/* ---- a client, which is ours, and what it was told ---- */

struct client {
	struct gsasl library;
	struct sasl *sasl;
	struct buf out;
	struct err e;
};

static void
client_init(
    struct client *c, const char *mech, const struct sasl_credentials *cred)
{
	gsasl_init_lazy(&c->library);
	CHECK(c->library.lib == NULL); /* nothing is loaded yet */
	CHECK(c->library.face.knows(c->library.face.ctx, mech));
	err_clear(&c->e);
	buf_init(&c->out, 4096);
	c->sasl = sasl_begin(sasl_find(mech), cred, &c->library.face, &c->e);
	CHECK(c->sasl != NULL);
}

static int
client_step(struct client *c, const char *in)
{
	buf_reset(&c->out);
	return sasl_step(
	    c->sasl, in, in == NULL ? 0 : strlen(in), &c->out, &c->e);
}

static void
client_free(struct client *c)
{
	sasl_end(c->sasl);
	buf_free(&c->out);
	gsasl_release(&c->library);
}

/* ---- SCRAM, both sides ---- */

/* What goes wrong in an exchange. */
enum fault {
	NO_FAULT,
	WRONG_SIGNATURE,
	NO_SIGNATURE,
	FOREIGN_NONCE,
	NO_SALT,
	BAD_SALT,
	EXTENSION,
	SAID_TWICE
};

struct scram_row {
	const char *mech;
	struct sasl_credentials cred;
	const char *first; /* how our first message begins */
	enum fault fault;
};

#define EXPORTED "0123456789abcdef0123456789abcdef"
#define BINDING(type)                                                          \
	.binding_type = (type), .binding = (const unsigned char *)EXPORTED,    \
	.nbinding = 32
#define USER .user = "user", .secret = "pencil"

static const struct scram_row scrams[] = {
	{ "SCRAM-SHA-1", { USER }, "n,,n=user,r=", NO_FAULT },
	{ "SCRAM-SHA-256", { USER }, "n,,n=user,r=", NO_FAULT },
	{ "SCRAM-SHA-256", { USER, .authzid = "boss" },
	    "n,a=boss,n=user,r=", NO_FAULT },
	{ "SCRAM-SHA-256", { .user = "a,b=c", .secret = "pencil" },
	    "n,,n=a=2Cb=3Dc,r=", NO_FAULT },
	{ "SCRAM-SHA-1-PLUS", { USER, BINDING("tls-unique") },
	    "p=tls-unique,,n=user,r=", NO_FAULT },
	{ "SCRAM-SHA-256-PLUS",
	    { USER, BINDING("tls-exporter"), .plus_offered = true },
	    "p=tls-exporter,,n=user,r=", NO_FAULT },
	/* -PLUS was offered, and the user named less: never "y" */
	{ "SCRAM-SHA-256",
	    { USER, BINDING("tls-exporter"), .plus_offered = true },
	    "n,,n=user,r=", NO_FAULT },
	{ "SCRAM-SHA-256", { USER, BINDING("tls-exporter") }, "", NO_FAULT },
	{ "SCRAM-SHA-1", { USER }, "n", WRONG_SIGNATURE },
	{ "SCRAM-SHA-256", { USER }, "n", WRONG_SIGNATURE },
	{ "SCRAM-SHA-256-PLUS", { USER, BINDING("tls-exporter") }, "p",
	    WRONG_SIGNATURE },
	{ "SCRAM-SHA-256", { USER }, "n", NO_SIGNATURE },
	{ "SCRAM-SHA-256", { USER }, "n", FOREIGN_NONCE },
	{ "SCRAM-SHA-256", { USER }, "n", NO_SALT },
	{ "SCRAM-SHA-256", { USER }, "n", BAD_SALT },
	{ "SCRAM-SHA-256", { USER }, "n", EXTENSION },
	{ "SCRAM-SHA-256", { USER }, "n", SAID_TWICE },
};

/* What the server of a row says first, by our nonce. */
static void
server_first(char *dst, size_t size, enum fault fault, const char *nonce)
{
	static const char *const formats[] = {
		[NO_FAULT] = "",
		[FOREIGN_NONCE] = "x",
		[EXTENSION] = "m=new,",
	};
	const char *salt = fault == NO_SALT ? "" : "c2FsdA==";

	if (fault == BAD_SALT)
		salt = "!!!";
	snprintf(dst, size, "%sr=%s%sserver,s=%s,i=4096",
	    fault == EXTENSION ? formats[EXTENSION] : "",
	    fault == FOREIGN_NONCE ? formats[FOREIGN_NONCE] : "", nonce, salt);
}

/* "c=..,r=..,p=..": what c= must be, and the sums over the whole exchange. */
static void
check_final(const struct scram_row *r, struct scram *s, const char *bare,
    const char *first, const char *final)
{
	const char *proof = strstr(final, ",p=");
	char message[1000], header[200], want[400];
	struct buf b;

	CHECK(proof != NULL);
	if (proof == NULL)
		return;
	snprintf(message, sizeof message, "%s,%s,%.*s", bare, first,
	    (int)(proof - final), final);
	scram_sums(s, message);
	CHECK_STR(proof + 3, s->proof);
	/* The header as it was sent, and the binding's octets. */
	snprintf(header, sizeof header, "%s%s", r->first,
	    strstr(r->mech, "-PLUS") != NULL ? "n=" : "");
	if (strstr(header, "n=user") == NULL)
		return;
	*strstr(header, "n=user") = '\0';
	buf_init(&b, sizeof want);
	if (strstr(r->mech, "-PLUS") != NULL)
		snprintf(header + strlen(header),
		    sizeof header - strlen(header), "%s", EXPORTED);
	enc_base64(&b, header, strlen(header));
	snprintf(want, sizeof want, "c=%s,", buf_str(&b));
	buf_free(&b);
	CHECK_MEM(final, strlen(want), want, strlen(want));
}

static void
check_refused(struct client *c)
{
	CHECK(c->e.kind == ERR_AUTH || c->e.kind == ERR_PROTOCOL);
	CHECK_INT(c->e.stage, STAGE_AUTH);
	CHECK_INT(sasl_done(c->sasl, &c->e), -1);
}

static void
scram_finish(struct client *c, const struct scram_row *r, const struct scram *s)
{
	char final[200];

	CHECK_INT(sasl_done(c->sasl, &c->e), -1);
	if (r->fault == NO_SIGNATURE)
		return;
	snprintf(final, sizeof final, "v=%s", s->signature);
	if (r->fault == WRONG_SIGNATURE)
		final[5] ^= 1;
	CHECK_INT(client_step(c, final), r->fault == WRONG_SIGNATURE ? -1 : 0);
	if (r->fault == WRONG_SIGNATURE) {
		CHECK_INT(c->e.verdict, ERR_PERM);
		check_refused(c);
		return;
	}
	CHECK_INT(c->out.len, 0);
	CHECK_INT(sasl_done(c->sasl, &c->e), 0);
	if (r->fault == SAID_TWICE) {
		CHECK_INT(client_step(c, final), -1);
		check_refused(c);
	}
}

static void
check_scram(const struct scram_row *r)
{
	struct scram s = { .md = strstr(r->mech, "SHA-1") != NULL
		    ? crypto()->sha1()
		    : crypto()->sha256(),
		.password = "pencil",
		.salt = "salt",
		.iterations = 4096 };
	bool early = r->fault >= FOREIGN_NONCE && r->fault <= EXTENSION;
	char bare[300], first[400];
	const char *p;
	struct client c;

	client_init(&c, r->mech, &r->cred);
	CHECK_INT(client_step(&c, NULL), 0);
	CHECK_MEM(
	    buf_str(&c.out), strlen(r->first), r->first, strlen(r->first));
	p = strstr(buf_str(&c.out), ",n=");
	CHECK(p != NULL && strstr(p, ",r=") != NULL);
	if (p != NULL) {
		snprintf(bare, sizeof bare, "%s", p + 1);
		p = strstr(bare, ",r=") + 3;
		CHECK(strlen(p) >= 16);
		server_first(first, sizeof first, r->fault, p);
		CHECK_INT(client_step(&c, first), early ? -1 : 0);
		if (early) {
			check_refused(&c);
		} else {
			check_final(r, &s, bare, first, buf_str(&c.out));
			scram_finish(&c, r, &s);
		}
	}
	client_free(&c);
}

TEST(scram_with_a_server_of_ours)
{
	for (size_t i = 0; i < COUNT(scrams); i++)
		check_scram(&scrams[i]);
}

/* "y" where the library can say it, "n" where it cannot; never "p". */
TEST(the_flag_of_binding_without_plus)
{
	static const struct sasl_credentials cred = { USER,
		BINDING("tls-exporter") };
	struct client c;

	client_init(&c, "SCRAM-SHA-256", &cred);
	CHECK_INT(client_step(&c, NULL), 0);
	CHECK(strncmp(buf_str(&c.out), "y,,", 3) == 0 ||
	    strncmp(buf_str(&c.out), "n,,", 3) == 0);
	client_free(&c);
}

TEST(a_million_times_and_no_more)
{
	static const struct sasl_credentials cred = { USER };
	struct client c;
	char first[300];

	client_init(&c, "SCRAM-SHA-256", &cred);
	CHECK_INT(client_step(&c, NULL), 0);
	snprintf(first, sizeof first, "%s1,s=c2FsdA==,i=10000000",
	    strstr(buf_str(&c.out), ",r=") + 1);
	CHECK_INT(client_step(&c, first), -1);
	CHECK_INT(c.e.verdict, ERR_PERM);
	CHECK(strstr(c.e.text, "1000000 times") != NULL);
	client_free(&c);
}

TEST(what_saslprep_forbids)
{
	static const struct sasl_credentials cred = { .user = "a\x07"
							      "b",
		.secret = "pencil" };
	struct client c;

	client_init(&c, "SCRAM-SHA-256", &cred);
	CHECK_INT(client_step(&c, NULL), -1);
	CHECK_INT(c.e.verdict, ERR_PERM);
	CHECK(strstr(c.e.text, "SASLprep") != NULL);
	client_free(&c);
}

/* ---- CRAM-MD5 ---- */

TEST(cram_md5_of_rfc_2195)
{
	static const struct sasl_credentials cred = { .user = "tim",
		.secret = "tanstaaftanstaaf" };
	struct client c;

	client_init(&c, "CRAM-MD5", &cred);
	CHECK_INT(client_step(&c, NULL), 0); /* the server speaks first */
	CHECK_INT(
	    client_step(&c, "<1896.697170952@postoffice.reston.mci.net>"), 0);
	CHECK_STR(buf_str(&c.out), "tim b913a602c7eda7a495b4e6e7334d3890");
	CHECK_INT(sasl_done(c.sasl, &c.e), 0);
	client_free(&c);
}

/* ---- DIGEST-MD5 ---- */

static struct octets
md5(const void *s, size_t n)
{
	struct octets o;

	crypto()->digest(s, n, o.data, &o.len, crypto()->md5(), NULL);
	return o;
}

static void
hex(char dst[33], const struct octets *o)
{
	for (size_t i = 0; i < 16; i++)
		snprintf(dst + 2 * i, 3, "%02x", o->data[i]);
}

struct digest {
	const char *user, *realm, *secret, *nonce, *cnonce, *uri;
};

/* RFC 2831 2.1.2.1, 2.1.3: a2 is "AUTHENTICATE:", or ":" for the server. */
static void
digest_sum(char dst[33], const struct digest *d, const char *method)
{
	char text[500], a1[33], a2[33];
	struct octets o;
	size_t n;

	n = (size_t)snprintf(
	    text, sizeof text, "%s:%s:%s", d->user, d->realm, d->secret);
	o = md5(text, n);
	memcpy(text, o.data, 16);
	n = 16 +
	    (size_t)snprintf(
		text + 16, sizeof text - 16, ":%s:%s", d->nonce, d->cnonce);
	o = md5(text, n);
	hex(a1, &o);
	n = (size_t)snprintf(text, sizeof text, "%s:%s", method, d->uri);
	o = md5(text, n);
	hex(a2, &o);
	n = (size_t)snprintf(text, sizeof text, "%s:%s:00000001:%s:auth:%s", a1,
	    d->nonce, d->cnonce, a2);
	o = md5(text, n);
	hex(dst, &o);
}

TEST(the_sums_of_rfc_2831)
{
	static const struct digest d = { "chris", "elwood.innosoft.com",
		"secret", "OA6MG9tEQGm2hh", "OA6MHXh6VqTrRk",
		"imap/elwood.innosoft.com" };
	char sum[33];

	digest_sum(sum, &d, "AUTHENTICATE");
	CHECK_STR(sum, "d388dad90d4bbd760a152321f2143af7");
	digest_sum(sum, &d, "");
	CHECK_STR(sum, "ea40f60335c427b5527b84dbabcdfffd");
}

/* A directive of our response, without quotes. */
static const char *
directive(char *dst, size_t size, const char *s, const char *name)
{
	const char *p = strstr(s, name);

	dst[0] = '\0';
	CHECK(p != NULL);
	if (p == NULL)
		return dst;
	p += strlen(name);
	p += *p == '"';
	snprintf(dst, size, "%.*s", (int)strcspn(p, "\","), p);
	return dst;
}

static void
check_digest(const char *realm, const char *want_realm, bool honest)
{
	const struct sasl_credentials cred = { .user = "chris",
		.secret = "secret",
		.realm = realm,
		.host = "elwood.innosoft.com" };
	struct digest d = { "chris", want_realm, "secret", "OA6MG9tEQGm2hh",
		NULL, "smtp/elwood.innosoft.com" };
	char text[200], cnonce[100], sum[33];
	struct client c;

	client_init(&c, "DIGEST-MD5", &cred);
	CHECK_INT(client_step(&c,
		      "realm=\"elwood.innosoft.com\",nonce=\"OA6MG9tEQGm2hh\","
		      "qop=\"auth\",algorithm=md5-sess,charset=utf-8"),
	    0);
	d.cnonce = directive(cnonce, sizeof cnonce, c.out.data, "cnonce=");
	digest_sum(sum, &d, "AUTHENTICATE");
	CHECK_STR(directive(text, sizeof text, c.out.data, "response="), sum);
	CHECK_STR(directive(text, sizeof text, c.out.data, "digest-uri="),
	    "smtp/elwood.innosoft.com");
	CHECK_STR(
	    directive(text, sizeof text, c.out.data, "realm="), want_realm);
	CHECK_INT(sasl_done(c.sasl, &c.e), -1);
	digest_sum(sum, &d, honest ? "" : "AUTHENTICATE");
	snprintf(text, sizeof text, "rspauth=%s", sum);
	CHECK_INT(client_step(&c, text), honest ? 0 : -1);
	CHECK_INT(sasl_done(c.sasl, &c.e), honest ? 0 : -1);
	client_free(&c);
}

TEST(digest_md5_with_a_server_of_ours)
{
	check_digest(NULL, "elwood.innosoft.com", true);
	check_digest("other.example", "other.example", true);
	check_digest(NULL, "elwood.innosoft.com", false);
}

/* Empty, and not ended by NUL: nothing behind it may be read. */
TEST(an_empty_challenge_is_not_a_string)
{
	static const struct sasl_credentials cred = { .user = "chris",
		.secret = "secret",
		.host = "elwood.innosoft.com" };
	static const char text[] = "nonce=\"abc\",algorithm=md5-sess";
	struct client c;

	client_init(&c, "DIGEST-MD5", &cred);
	CHECK_INT(sasl_step(c.sasl, text, 0, &c.out, &c.e), 0);
	CHECK_INT(c.out.len, 0);
	CHECK_INT(sasl_step(c.sasl, text, 0, &c.out, &c.e), -1);
	CHECK_INT(c.e.kind, ERR_PROTOCOL);
	client_free(&c);
}

/* ---- the library ---- */

TEST(what_it_knows)
{
	struct gsasl g;

	gsasl_init_lazy(&g);
	for (size_t i = 0; i < sasl_mechs_n; i++)
		if (sasl_mechs[i].step == NULL &&
		    (sasl_mechs[i].traits & SASL_ABSENT) == 0)
			CHECK(g.face.knows(g.face.ctx, sasl_mechs[i].name));
	CHECK(!g.face.knows(g.face.ctx, "XOAUTH2"));
	CHECK(!g.face.knows(g.face.ctx, ""));
	gsasl_release(&g);
	CHECK(g.lib == NULL);
	gsasl_release(&g);
}

TEST_MAIN
