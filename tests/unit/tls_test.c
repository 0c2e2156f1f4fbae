/*
 * tls: what the configuration's words mean, which files of keys will do, and
 * handshakes with a server of OpenSSL's own in a child: pins, bindings, key
 * logs, versions, ciphers, OCSP answers. Chains, names and lists of revocation
 * are for tests/servers/tls.bats.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/err.h"
#include "net/io.h"
#include "net/key.h"
#include "net/tls.h"
#include "test.h"

/* ---- words ---- */

TEST(versions_have_several_names)
{
	static const struct {
		const char *name;
		unsigned min;
	} rows[] = { { "1.2", 12 }, { "TLSv1.3", 13 }, { "TLS1.1", 11 },
		{ "tlsv1.0", 10 }, { "1.0", 10 }, { "TLSv1", 10 } };
	static const char *const bad[] = { "", "TLS", "1.4", "2", "12", "SSLv3",
		"1.2 ", "v1.2", "TLSvv1.2" };
	unsigned min;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK(tls_min_parse(rows[i].name, &min));
		CHECK_INT(min, rows[i].min);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(!tls_min_parse(bad[i], &min));
}

#define HEX32 "00112233445566778899aabbccddeeff"
#define COLONS "00:11:22:33:44:55:66:77:88:99:AA:bb:CC:dd:EE:ff"

TEST(a_fingerprint_is_64_digits)
{
	CHECK(tls_fingerprint_valid(HEX32 HEX32));
	CHECK(tls_fingerprint_valid(COLONS ":" COLONS));
	CHECK(!tls_fingerprint_valid(""));
	CHECK(!tls_fingerprint_valid(HEX32));
	CHECK(!tls_fingerprint_valid(HEX32 HEX32 "0"));
	CHECK(!tls_fingerprint_valid(HEX32 HEX32 " "));
	CHECK(!tls_fingerprint_valid(COLONS ":" COLONS ":"));
	CHECK(!tls_fingerprint_valid(COLONS ":" HEX32));
	CHECK(!tls_fingerprint_valid(HEX32 COLONS));
	CHECK(!tls_fingerprint_valid("g0112233445566778899aabbccddeeff" HEX32));
}

/* ---- files ---- */

static char folder[] = "/tmp/tls_test.XXXXXX";

static const char *
in_folder(const char *name, char out[64])
{
	snprintf(out, 64, "%s/%s", folder, name);
	return out;
}

/* A file of that content; its name is put into `out`. */
static const char *
file(const char *name, const char *text, mode_t mode, char out[64])
{
	int fd;

	in_folder(name, out);
	unlink(out);
	fd = open(out, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK_INT(write(fd, text, strlen(text)), (int)strlen(text));
	CHECK_INT(fchmod(fd, mode), 0);
	close(fd);
	return out;
}

#define PLAIN_KEY "-----BEGIN PRIVATE KEY-----\nAA==\n"
#define SEALED_KEY "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n"
#define OLD_KEY                                                                \
	"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"            \
	"DEK-Info: AES-128-CBC,00\n\nAA==\n"

TEST(an_encrypted_key_says_so)
{
	char path[64];
	struct err e;

	CHECK_INT(key_is_encrypted(file("k", PLAIN_KEY, 0600, path), &e), 0);
	CHECK_INT(key_is_encrypted(file("k", SEALED_KEY, 0400, path), &e), 1);
	CHECK_INT(key_is_encrypted(file("k", OLD_KEY, 0600, path), &e), 1);
}

static void
check_refused(const char *path, const char *why)
{
	struct err e;

	err_clear(&e);
	CHECK_INT(key_is_encrypted(path, &e), -1);
	CHECK_INT(e.verdict, ERR_PERM);
	CHECK_INT(e.kind, ERR_CONFIG);
	CHECK(strstr(e.text, path) != NULL);
	CHECK(strstr(e.text, why) != NULL);
}

TEST(a_key_for_all_eyes_is_refused)
{
	char path[64];

	check_refused(file("k", PLAIN_KEY, 0640, path), "chmod 600");
	check_refused(file("k", PLAIN_KEY, 0604, path), "mode 604");
	check_refused(file("k", "no key\n", 0600, path), "no private key");
	check_refused(in_folder("nosuch", path), "No such file");
	check_refused(folder, "directory");
}

/* ---- a server ---- */

/* Its own certificate, which nobody else has signed. */
struct identity {
	EVP_PKEY *key;
	X509 *cert;
	char cert_pin[65], key_pin[65];
};

static void
pin(const unsigned char *der, int n, char out[65])
{
	unsigned char md[32];
	int i;

	EVP_Digest(der, (size_t)n, md, NULL, EVP_sha256(), NULL);
	for (i = 0; i < 32; i++)
		snprintf(out + 2 * (size_t)i, 3, "%02x", md[i]);
}

static void
identity_make(struct identity *id)
{
	unsigned char *der = NULL;
	X509_NAME *name;

	id->key = EVP_EC_gen("P-256");
	id->cert = X509_new();
	X509_set_version(id->cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(id->cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(id->cert), -100000);
	X509_gmtime_adj(X509_getm_notAfter(id->cert), -1000); /* expired */
	X509_set_pubkey(id->cert, id->key);
	name = X509_get_subject_name(id->cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"pinned", -1, -1, 0);
	X509_set_issuer_name(id->cert, name);
	CHECK(X509_sign(id->cert, id->key, EVP_sha256()) > 0);
	pin(der, i2d_X509(id->cert, &der), id->cert_pin);
	OPENSSL_free(der);
	der = NULL;
	pin(der, i2d_PUBKEY(id->key, &der), id->key_pin);
	OPENSSL_free(der);
}

static void
identity_free(struct identity *id)
{
	X509_free(id->cert);
	EVP_PKEY_free(id->key);
}

/* What the child does: versions, options, and a client certificate. */
struct play {
	int min, max;
	uint64_t options;
	const char *suites;
	const char *ciphers;
	bool want_client;
	OCSP_RESPONSE *staple;
};

/* The server's idea of the binding, as its clients would compute it. */
static size_t
server_binding(SSL *ssl, unsigned char out[64])
{
	if (SSL_version(ssl) < TLS1_3_VERSION)
		return SSL_get_peer_finished(ssl, out, 64);
	return SSL_export_keying_material(ssl, out, 32,
		   "EXPORTER-Channel-Binding", 24, NULL, 0, 0) == 1
	    ? 32
	    : 0;
}

static int
any_certificate(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static int
hand_out_staple(SSL *ssl, void *arg)
{
	const struct play *p = arg;
	unsigned char *der = NULL;
	int n = i2d_OCSP_RESPONSE(p->staple, &der);

	return SSL_set_tlsext_status_ocsp_resp(ssl, der, n) == 1
	    ? SSL_TLSEXT_ERR_OK
	    : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* One octet: the length of the binding; and the binding. */
static void
serve(int fd, const struct identity *id, struct play *p)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	unsigned char out[65];
	SSL *ssl;

	SSL_CTX_set_min_proto_version(ctx, p->min);
	SSL_CTX_set_max_proto_version(ctx, p->max);
	SSL_CTX_set_options(ctx, p->options);
	if (p->suites != NULL)
		SSL_CTX_set_ciphersuites(ctx, p->suites);
	if (p->ciphers != NULL)
		SSL_CTX_set_cipher_list(ctx, p->ciphers);
	if (p->want_client)
		SSL_CTX_set_verify(ctx,
		    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
		    any_certificate);
	if (p->staple != NULL) {
		SSL_CTX_set_tlsext_status_cb(ctx, hand_out_staple);
		SSL_CTX_set_tlsext_status_arg(ctx, p);
	}
	SSL_CTX_use_certificate(ctx, id->cert);
	SSL_CTX_use_PrivateKey(ctx, id->key);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		out[0] = (unsigned char)server_binding(ssl, out + 1);
		SSL_write(ssl, out, 1 + out[0]);
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

/* A handshake with a child that plays so; wait for it with play_end(). */
struct meeting {
	struct identity id;
	struct tls tls;
	struct io io;
	struct tls_facts facts;
	struct err e;
	pid_t pid;
	int got;
};

static void
meet(struct meeting *m, const struct play *p, const struct tls_config *c,
    enum tls_level level)
{
	struct tls_policy policy = { .level = level, .source = "test" };
	struct play mine = *p;
	int fds[2];

	memset(&m->facts, 0, sizeof(m->facts));
	err_clear(&m->e);
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	fflush(stdout);
	m->pid = fork();
	if (m->pid == 0) {
		close(fds[0]);
		serve(fds[1], &m->id, &mine);
		_exit(0);
	}
	close(fds[1]);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	io_init(&m->io, fds[0], NULL);
	io_deadline(&m->io, 20000);
	tls_init(&m->tls, c);
	m->got =
	    tls_start(&m->tls, &m->io, &policy, "localhost", &m->facts, &m->e);
}

static void
part(struct meeting *m)
{
	io_free(&m->io);
	tls_free(&m->tls);
	waitpid(m->pid, NULL, 0);
	identity_free(&m->id);
}

static const struct play any = { .min = TLS1_2_VERSION, .max = TLS1_3_VERSION };
static const struct play old = { .min = TLS1_2_VERSION, .max = TLS1_2_VERSION };

/* Without a certificate nothing was compared, so nothing can have matched. */
TEST(a_pin_wants_a_certificate)
{
	static const char anonymous[] = "AECDH-AES128-SHA:@SECLEVEL=0";
	struct play p = old;
	struct tls_config c = { .ciphers = anonymous };
	struct meeting m;

	p.ciphers = anonymous;
	identity_make(&m.id);
	c.fingerprint = m.id.cert_pin;
	meet(&m, &p, &c, TLS_VERIFY);
	CHECK_INT(m.got, -1);
	CHECK(!m.facts.verified);
	CHECK_INT(m.e.verdict, ERR_TEMP);
	CHECK_INT(m.e.kind, ERR_TLS);
	CHECK(strstr(m.e.text, "no certificate") != NULL);
	part(&m);

	/* Nobody asked for one here. */
	identity_make(&m.id);
	c.fingerprint = NULL;
	meet(&m, &p, &c, TLS_ENCRYPT);
	CHECK_INT(m.got, 0);
	CHECK(!m.facts.verified);
	part(&m);
}

TEST(a_pin_holds_whatever_the_certificate_is)
{
	struct tls_config c = { .trust = "/nonexistent" };
	struct meeting m;

	identity_make(&m.id);
	c.fingerprint = m.id.cert_pin;
	meet(&m, &any, &c, TLS_VERIFY);
	CHECK_INT(m.got, 0);
	CHECK(m.facts.verified);
	CHECK_STR(m.facts.how, "fingerprint of the certificate");
	part(&m);

	identity_make(&m.id);
	c.fingerprint = m.id.key_pin;
	meet(&m, &old, &c, TLS_VERIFY);
	CHECK_INT(m.got, 0);
	CHECK(m.facts.verified);
	CHECK_STR(m.facts.how, "fingerprint of the key");
	part(&m);
}

TEST(a_wrong_pin_tells_the_right_ones)
{
	static const enum tls_level levels[] = { TLS_MAY, TLS_ENCRYPT,
		TLS_VERIFY };
	struct tls_config c = { .fingerprint = HEX32 HEX32 };
	struct meeting m;
	size_t i;

	for (i = 0; i < 3; i++) {
		identity_make(&m.id);
		meet(&m, &any, &c, levels[i]);
		CHECK_INT(m.got, -1);
		CHECK_INT(m.e.verdict, ERR_TEMP);
		CHECK_INT(m.e.kind, ERR_TLS);
		CHECK(strstr(m.e.text, m.id.cert_pin) != NULL);
		CHECK(strstr(m.e.text, m.id.key_pin) != NULL);
		part(&m);
	}
}

TEST(without_a_check_nothing_is_verified)
{
	struct tls_config c = { .trust = "/nonexistent" };
	struct meeting m;

	identity_make(&m.id);
	meet(&m, &any, &c, TLS_ENCRYPT);
	CHECK_INT(m.got, 0);
	CHECK(!m.facts.verified);
	CHECK_STR(m.facts.how, "not");
	CHECK_STR(m.facts.ocsp, "");
	CHECK_STR(m.facts.issuer, "pinned");
	part(&m);
}

/* ---- bindings ---- */

/* What the server sent is the binding that we have. */
static void
check_binding(struct meeting *m, const char *name, size_t size)
{
	unsigned char ours[TLS_BINDING_MAX];
	size_t n = 0;
	const char *got = tls_binding(&m->io, ours, &n);

	CHECK(got != NULL && strcmp(got, name) == 0);
	CHECK_INT(n, size);
	while (m->io.in.len < 1 + size && io_fill(&m->io, &m->e) > 0)
		;
	CHECK_INT(m->io.in.len, 1 + size);
	if (m->io.in.len == 1 + size)
		CHECK(memcmp(m->io.in.data + 1, ours, size) == 0);
}

TEST(both_sides_have_one_binding)
{
	struct tls_config c = { .trust = NULL };
	struct meeting m;

	identity_make(&m.id);
	meet(&m, &any, &c, TLS_ENCRYPT);
	CHECK_INT(m.got, 0);
	check_binding(&m, "tls-exporter", 32);
	part(&m);

	identity_make(&m.id);
	meet(&m, &old, &c, TLS_ENCRYPT);
	CHECK_INT(m.got, 0);
	check_binding(&m, "tls-unique", 12);
	part(&m);
}

TEST(a_binding_that_can_be_forged_is_none)
{
	struct play p = old;
	struct tls_config c = { .trust = NULL };
	unsigned char out[TLS_BINDING_MAX];
	struct meeting m;
	struct io plain;
	size_t n;

	p.options = SSL_OP_NO_EXTENDED_MASTER_SECRET;
	identity_make(&m.id);
	meet(&m, &p, &c, TLS_ENCRYPT);
	CHECK_INT(m.got, 0);
	CHECK(tls_binding(&m.io, out, &n) == NULL);
	part(&m);

	io_init(&plain, -1, NULL);
	CHECK(tls_binding(&plain, out, &n) == NULL);
	io_free(&plain);
}

/* ---- versions, ciphers, key logs ---- */

TEST(the_least_version_is_kept)
{
	struct play oldest = { .min = TLS1_VERSION, .max = TLS1_2_VERSION };
	struct tls_config c = { .min = 13 };
	struct meeting m;

	identity_make(&m.id);
	meet(&m, &oldest, &c, TLS_ENCRYPT);
	CHECK_INT(m.got, -1);
	CHECK_INT(m.e.kind, ERR_TLS);
	CHECK(strstr(m.e.text, "tls_min") != NULL);
	part(&m);

	identity_make(&m.id);
	meet(&m, &any, &c, TLS_ENCRYPT);
	CHECK_INT(m.got, 0);
	CHECK_STR(m.facts.version, "TLSv1.3");
	part(&m);
}

static void
check_config_error(const struct tls_config *c, const char *a, const char *b)
{
	struct meeting m;
	int again;

	identity_make(&m.id);
	meet(&m, &any, c, TLS_MAY);
	/* A second try must not find a context that is set up by half. */
	for (again = 0; again < 2; again++) {
		struct tls_policy p = { .level = TLS_MAY, .source = "test" };

		CHECK_INT(m.got, -1);
		CHECK_INT(m.e.verdict, ERR_PERM);
		CHECK_INT(m.e.kind, ERR_CONFIG);
		CHECK(strstr(m.e.text, a) != NULL);
		CHECK(strstr(m.e.text, b) != NULL);
		m.got =
		    tls_start(&m.tls, &m.io, &p, "localhost", &m.facts, &m.e);
	}
	part(&m);
}

/* A pipe that nobody writes to, for one, would never let go. */
TEST(what_is_no_file_is_not_waited_for)
{
	static const char path[] = "/dev/null", why[] = "not a regular file";

	check_config_error(&(struct tls_config){ .trust = path }, path, why);
	check_config_error(&(struct tls_config){ .crl = path }, path, why);
	check_config_error(
	    &(struct tls_config){ .cert = path, .key = path }, path, why);
}

TEST(ciphers_are_known_by_name)
{
	struct tls_config c = { .ciphers = "HIGH:NOSUCH:!aNULL" };
	struct meeting m;

	check_config_error(&c, "NOSUCH", "ciphers");
	c.ciphers = "TLS_NOSUCH_SHA256";
	check_config_error(&c, "TLS_NOSUCH_SHA256", "ciphers");
	c.ciphers = "TLS_CHACHA20_POLY1305_SHA256, HIGH:!aNULL";
	identity_make(&m.id);
	meet(&m, &any, &c, TLS_ENCRYPT);
	CHECK_INT(m.got, 0);
	CHECK_STR(m.facts.cipher, "TLS_CHACHA20_POLY1305_SHA256");
	part(&m);
}

TEST(no_cipher_in_common_is_told)
{
	struct play p = { TLS1_3_VERSION, TLS1_3_VERSION, 0,
		"TLS_AES_256_GCM_SHA384", NULL, false, NULL };
	struct tls_config c = { .ciphers = "TLS_CHACHA20_POLY1305_SHA256" };
	struct meeting m;

	identity_make(&m.id);
	meet(&m, &p, &c, TLS_ENCRYPT);
	CHECK_INT(m.got, -1);
	CHECK(strstr(m.e.text, "tls_ciphers") != NULL);
	part(&m);
}

TEST(a_key_log_is_ours_alone)
{
	struct tls_config c = { .trust = NULL };
	char path[64], text[4096] = "";
	struct meeting m;
	struct stat st;
	int fd;

	c.keylog = in_folder("keylog", path);
	identity_make(&m.id);
	meet(&m, &any, &c, TLS_ENCRYPT);
	CHECK_INT(m.got, 0);
	part(&m);
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	fd = open(path, O_RDONLY);
	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	CHECK(strncmp(text, "SERVER_HANDSHAKE_TRAFFIC_SECRET ", 32) == 0 ||
	    strncmp(text, "CLIENT_HANDSHAKE_TRAFFIC_SECRET ", 32) == 0);
	CHECK(strstr(text, "\nCLIENT_TRAFFIC_SECRET_0 ") != NULL);
	CHECK(text[strlen(text) - 1] == '\n');
	CHECK_INT(chmod(path, 0644), 0);
	check_config_error(&c, path, "chmod 600");
	c.keylog = "/nonexistent/keylog";
	check_config_error(&c, "/nonexistent/keylog", "No such file");
}

/* ---- our own certificate ---- */

/* Certificate and key as files; the key encrypted if there is a passphrase. */
static void
write_identity(
    const struct identity *id, const char *secret, char cert[64], char key[64])
{
	FILE *f = fopen(in_folder("cert", cert), "w");

	PEM_write_X509(f, id->cert);
	fclose(f);
	f = fopen(in_folder("key", key), "w");
	fchmod(fileno(f), 0600);
	PEM_write_PKCS8PrivateKey(f, id->key,
	    secret != NULL ? EVP_aes_128_cbc() : NULL, secret,
	    secret != NULL ? (int)strlen(secret) : 0, NULL, NULL);
	fclose(f);
}

static void
check_client(const struct tls_config *c, int max, int got)
{
	struct play p = { TLS1_2_VERSION, max, 0, NULL, NULL, true, NULL };
	struct meeting m;

	identity_make(&m.id);
	meet(&m, &p, c, TLS_ENCRYPT);
	if (m.got == 0)
		m.got = io_fill(&m.io, &m.e) > 0 ? 0 : -1;
	CHECK_INT(m.got, got);
	if (got == -1)
		CHECK(
		    strstr(m.e.text, "requires a client certificate") != NULL);
	part(&m);
}

TEST(a_client_certificate_is_shown)
{
	struct tls_config none = { .trust = NULL }, c = none;
	char cert[64], key[64];
	struct identity id;

	identity_make(&id);
	write_identity(&id, NULL, cert, key);
	c.cert = cert;
	c.key = key;
	check_client(&none, TLS1_2_VERSION, -1);
	check_client(&none, TLS1_3_VERSION, -1);
	check_client(&c, TLS1_2_VERSION, 0);
	check_client(&c, TLS1_3_VERSION, 0);

	write_identity(&id, "correct horse", cert, key);
	c.key_secret = "correct horse";
	check_client(&c, TLS1_3_VERSION, 0);
	c.key_secret = "wrong";
	check_config_error(&c, key, "passphrase does not open");
	c.key_secret = NULL;
	check_config_error(&c, key, "passphrase is not known");
	identity_free(&id);
}

TEST(a_key_of_another_certificate_is_found_out)
{
	struct tls_config c = { .trust = NULL };
	char cert[64], key[64];
	struct identity id, other;

	identity_make(&id);
	identity_make(&other);
	write_identity(&other, NULL, cert, key);
	EVP_PKEY_free(id.key);
	id.key = EVP_RSA_gen(2048);
	c.cert = cert;
	c.key = key;
	EVP_PKEY_up_ref(other.key);
	X509_free(other.cert);
	other.cert = X509_dup(id.cert);
	EVP_PKEY_free(other.key);
	write_identity(&other, NULL, cert, key);
	check_config_error(&c, key, "is not that of the certificate");
	/* Of another kind, even. */
	EVP_PKEY_free(other.key);
	EVP_PKEY_up_ref(id.key);
	other.key = id.key;
	write_identity(&other, NULL, cert, key);
	check_config_error(&c, key, "is not that of the certificate");
	c.cert = "/nonexistent/cert";
	check_config_error(&c, "/nonexistent/cert", "No such file");
	c.cert = NULL;
	check_config_error(&c, key, "without its certificate");
	identity_free(&other);
	identity_free(&id);
}

/* ---- OCSP ---- */

static void
extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	CHECK(x != NULL && X509_add_ext(cert, x, -1) == 1);
	X509_EXTENSION_free(x);
}

/* A certificate of today, by `ca` or by itself. */
static void
certify(struct identity *id, const char *cn, const struct identity *ca)
{
	X509_NAME *name = X509_NAME_new();

	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
	X509_set_subject_name(id->cert, name);
	X509_NAME_free(name);
	X509_set_issuer_name(id->cert, X509_get_subject_name(ca->cert));
	X509_gmtime_adj(X509_getm_notAfter(id->cert), 100000);
	if (ca == id) {
		extension(id->cert, NID_basic_constraints, "critical,CA:TRUE");
		extension(id->cert, NID_key_usage, "keyCertSign,cRLSign");
	} else
		extension(id->cert, NID_subject_alt_name, "DNS:localhost");
	CHECK(X509_sign(id->cert, ca->key, EVP_sha256()) > 0);
}

/* What an answer is like. */
struct answer {
	const char *what; /* words of the failure, NULL: it holds */
	int response; /* its own status */
	int status; /* the certificate's */
	long from, until; /* seconds from now; until 0: not said */
	bool stranger; /* signed by another */
};

static OCSP_RESPONSE *
answer_make(const struct answer *a, X509 *leaf, const struct identity *ca,
    const struct identity *signer)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha256(), leaf, ca->cert);
	ASN1_TIME *from = X509_gmtime_adj(NULL, a->from);
	ASN1_TIME *until = X509_gmtime_adj(NULL, a->until);
	OCSP_RESPONSE *r;

	OCSP_basic_add1_status(basic, id, a->status,
	    OCSP_REVOKED_STATUS_NOSTATUS, from, from,
	    a->until != 0 ? until : NULL);
	CHECK_INT(OCSP_basic_sign(
		      basic, signer->cert, signer->key, EVP_sha256(), NULL, 0),
	    1);
	r = OCSP_response_create(a->response,
	    a->response == OCSP_RESPONSE_STATUS_SUCCESSFUL ? basic : NULL);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	OCSP_CERTID_free(id);
	OCSP_BASICRESP_free(basic);
	return r;
}

static void
check_answer(const struct answer *a, const struct tls_config *c,
    const struct identity *ca, const struct identity *stranger)
{
	struct play p = any;
	struct meeting m;

	identity_make(&m.id);
	certify(&m.id, "leaf", ca);
	p.staple = answer_make(a, m.id.cert, ca, a->stranger ? stranger : ca);
	meet(&m, &p, c, TLS_VERIFY);
	CHECK_INT(m.got, a->what == NULL ? 0 : -1);
	CHECK_STR(m.facts.ocsp, a->what == NULL ? "good" : "");
	if (a->what != NULL) {
		CHECK_INT(m.e.verdict, ERR_TEMP);
		CHECK_INT(m.e.kind, ERR_TLS);
		CHECK(strstr(m.e.text, a->what) != NULL);
	}
	part(&m);
	OCSP_RESPONSE_free(p.staple);
}

#define DAY (24L * 60 * 60)

TEST(an_answer_must_be_good_now_and_the_issuers)
{
	static const struct answer answers[] = {
		{ NULL, 0, V_OCSP_CERTSTATUS_GOOD, -60, DAY, false },
		{ NULL, 0, V_OCSP_CERTSTATUS_GOOD, -60, 0, false },
		{ "was revoked on", 0, V_OCSP_CERTSTATUS_REVOKED, -60, DAY,
		    false },
		{ "was revoked on", 0, V_OCSP_CERTSTATUS_REVOKED, -9 * DAY,
		    -DAY, false },
		{ "does not know", 0, V_OCSP_CERTSTATUS_UNKNOWN, -60, DAY,
		    false },
		{ "not current (from", 0, V_OCSP_CERTSTATUS_GOOD, -9 * DAY,
		    -DAY, false },
		{ "not current (from", 0, V_OCSP_CERTSTATUS_GOOD, DAY, 2 * DAY,
		    false },
		{ "not current (from", 0, V_OCSP_CERTSTATUS_GOOD, -30 * DAY, 0,
		    false },
		{ "not signed by", 0, V_OCSP_CERTSTATUS_GOOD, -60, DAY, true },
		{ "trylater", OCSP_RESPONSE_STATUS_TRYLATER,
		    V_OCSP_CERTSTATUS_GOOD, -60, DAY, false },
	};
	struct tls_config c = { 0 };
	struct identity ca, stranger;
	char cert[64], key[64];
	size_t i;

	identity_make(&ca);
	certify(&ca, "unit CA", &ca);
	identity_make(&stranger);
	certify(&stranger, "unit CA", &stranger);
	write_identity(&ca, NULL, cert, key);
	c.trust = cert;
	for (i = 0; i < sizeof(answers) / sizeof(*answers); i++)
		check_answer(&answers[i], &c, &ca, &stranger);
	identity_free(&ca);
	identity_free(&stranger);
}

/* The folder of all tests, before the first and after the last of them.
 * SIGPIPE is ignored in the program too. */
__attribute__((constructor)) static void
folder_make(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
	if (mkdtemp(folder) == NULL)
		abort();
}

__attribute__((destructor)) static void
folder_remove(void)
{
	static const char *const names[] = { "k", "keylog", "cert", "key" };
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(in_folder(names[i], path));
	rmdir(folder);
}

TEST_MAIN
