/*
 * tls: see tls.h. The context by the configuration, the handshake, octets
 * through it, and what is told of them. net/openssl.c loads the library,
 * net/cert.c reads certificates.
 * Callers: hello.c, worker.c, cli/look.c. It knows no SMTP.
 * RFC 8446, 9525, 6066, 9266, 5929; openssl ssl(7).
 * Ownership: struct tls owns the library's context, an io its connection.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/cert.h"
#include "net/credential.h"
#include "net/io.h"
#include "net/key.h"
#include "net/openssl.h"
#include "net/tls.h"

/* The system's trust store: a folder is looked up by hash, which costs
 * nothing; the bundle takes 30 to 40 ms to parse. */
#define TRUST_DIR "/etc/ssl/certs"
#define TRUST_FILE "/etc/ssl/certs/ca-certificates.crt"

/* Keys of 2048 bits of RSA or as strong, no SHA-1: what certificates must
 * have also where OpenSSL was built to ask for less. */
#define CERT_LEVEL 2

/* Octets of the longest list of ciphers. */
#define CIPHERS_MAX ((size_t)1024 * 1024)

/* How the server's certificate is looked at. */
enum check { CHECK_NONE, CHECK_CHAIN, CHECK_FINGERPRINT };

/* A connection's: the io's ops_ctx. */
struct link {
	const struct openssl *lib; /* borrowed */
	const struct tls *tls; /* borrowed */
	SSL *ssl; /* owned */
	X509 *peer; /* owned: the server's certificate */
	enum check check;
	enum cert_match match; /* with CHECK_FINGERPRINT */
	struct cert_trouble trouble; /* with CHECK_CHAIN */
	char ocsp[CERT_OCSP_MAX];
};

/* ---- words of the configuration ---- */

static const char *const level_names[TLS_LEVELS] = {
	[TLS_NONE] = "none",
	[TLS_MAY] = "may",
	[TLS_ENCRYPT] = "encrypt",
	[TLS_VERIFY] = "verify",
	[TLS_AUTO] = "auto",
};

const char *
tls_level_name(enum tls_level l)
{
	return level_names[l];
}

int
tls_level_parse(const char *s, enum tls_level *l)
{
	int i;

	for (i = 0; i < TLS_LEVELS; i++)
		if (strcmp(level_names[i], s) == 0) {
			*l = (enum tls_level)i;
			return 0;
		}
	return -1;
}

/* "1.2" and "TLSv1.2"; the first one is called 1 and 1.0. */
bool
tls_min_parse(const char *s, unsigned *min)
{
	static const struct {
		const char *name;
		unsigned min;
	} versions[] = { { "1", 10 }, { "1.0", 10 }, { "1.1", 11 },
		{ "1.2", 12 }, { "1.3", 13 } };
	size_t i;

	if (strncasecmp(s, "TLS", 3) == 0) {
		s += 3;
		s += *s == 'v' || *s == 'V';
	}
	for (i = 0; i < sizeof versions / sizeof *versions; i++)
		if (strcmp(s, versions[i].name) == 0) {
			*min = versions[i].min;
			return true;
		}
	return false;
}

bool
tls_fingerprint_valid(const char *s)
{
	unsigned char unused[CERT_SHA256];

	return cert_fingerprint_parse(s, unused);
}

/* ---- the context ---- */

void
tls_init(struct tls *t, const struct tls_config *c)
{
	*t = (struct tls){ .config = *c, .cert_level = -1, .keylog = -1 };
}

/* The library stays loaded: what it left with the process points into it. */
void
tls_free(struct tls *t)
{
	if (t->ctx != NULL)
		t->lib->SSL_CTX_free(t->ctx);
	if (t->keylog != -1)
		close(t->keylog);
	free(t->lib);
	tls_init(t, &t->config);
}

/*
 * In place of the library's own verification, for what it forgets: the
 * certificate that does not hold, and which of the chain it was.
 */
static int
verify(X509_STORE_CTX *store, void *arg)
{
	const struct tls *t = arg;
	const struct openssl *l = t->lib;
	SSL *ssl = l->X509_STORE_CTX_get_ex_data(
	    store, l->SSL_get_ex_data_X509_STORE_CTX_idx());
	struct link *k = l->SSL_get_ex_data(ssl, 0);
	unsigned char want[CERT_SHA256];
	int ok = 1;

	l->X509_free(k->peer);
	k->peer = l->X509_STORE_CTX_get0_cert(store);
	if (k->peer != NULL)
		l->X509_up_ref(k->peer);
	l->X509_STORE_CTX_set_error(store, X509_V_OK);
	if (k->check == CHECK_FINGERPRINT) {
		if (cert_fingerprint_parse(t->config.fingerprint, want) &&
		    k->peer != NULL)
			k->match = cert_match(l, k->peer, want);
		ok = k->match != CERT_MATCH_NONE;
		if (!ok)
			l->X509_STORE_CTX_set_error(
			    store, X509_V_ERR_APPLICATION_VERIFICATION);
	} else if (k->check == CHECK_CHAIN) {
		if (t->cert_level >= 0)
			l->X509_VERIFY_PARAM_set_auth_level(
			    l->X509_STORE_CTX_get0_param(store), t->cert_level);
		ok = l->X509_verify_cert(store) == 1;
		if (!ok)
			cert_trouble_take(l, store, &k->trouble);
	}
	return ok;
}

/* TLS 1.0 and 1.1 are only there at level 0, since they sign with SHA-1. A
 * level that the user writes among the ciphers is theirs. */
static void
versions_set(struct tls *t)
{
	static const long versions[] = { [10] = TLS1_VERSION,
		[11] = TLS1_1_VERSION,
		[12] = TLS1_2_VERSION,
		[13] = TLS1_3_VERSION };
	long min = t->config.min <= 13 ? versions[t->config.min] : 0;
	const char *ciphers = t->config.ciphers;
	bool theirs = ciphers != NULL && strstr(ciphers, "@SECLEVEL") != NULL;
	int level = t->lib->SSL_CTX_get_security_level(t->ctx);

	t->lib->SSL_CTX_ctrl(t->ctx, SSL_CTRL_SET_MIN_PROTO_VERSION,
	    min != 0 ? min : TLS1_2_VERSION, NULL);
	t->cert_level = theirs ? -1 : level > CERT_LEVEL ? level : CERT_LEVEL;
	if (!theirs && (t->config.min == 10 || t->config.min == 11))
		t->lib->SSL_CTX_set_security_level(t->ctx, 0);
}

/* One name of the list: the library passes over names that it does not know
 * as long as it knows one. With an operator in front it may mean nothing. */
static int
cipher_add(const struct tls *t, const char *name, struct buf *old,
    struct buf *new, struct err *e)
{
	const struct openssl *l = t->lib;
	bool suite = strncmp(name, "TLS_", 4) == 0;
	struct buf *to = suite ? new : old;
	int ok = 1;

	if (suite)
		ok = l->SSL_CTX_set_ciphersuites(t->ctx, name);
	else if (strchr("!-+@", name[0]) == NULL)
		ok = l->SSL_CTX_set_cipher_list(t->ctx, name);
	if (ok != 1)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "TLS ciphers: OpenSSL knows no \"%s\" (openssl ciphers -s "
		    "lists them)",
		    name);
	if (to->len > 0)
		buf_addc(to, ':');
	buf_adds(to, name);
	return 0;
}

static int
ciphers_set(struct tls *t, struct err *e)
{
	static const char gaps[] = ":, ;";
	const char *s = t->config.ciphers;
	struct buf old, new;
	char name[80];
	size_t n;
	int got = 0;

	if (s == NULL)
		return 0;
	buf_init(&old, CIPHERS_MAX);
	buf_init(&new, CIPHERS_MAX);
	for (s += strspn(s, gaps); got == 0 && *s != '\0';
	     s += n, s += strspn(s, gaps)) {
		n = strcspn(s, gaps);
		snprintf(name, sizeof name, "%.*s", (int)n, s);
		got = cipher_add(t, name, &old, &new, e);
	}
	if (got == 0 &&
	    ((old.len > 0 &&
		 t->lib->SSL_CTX_set_cipher_list(t->ctx, buf_str(&old)) != 1) ||
		(new.len > 0 &&
		    t->lib->SSL_CTX_set_ciphersuites(t->ctx, buf_str(&new)) !=
			1)))
		got = err_set(e, ERR_PERM, ERR_CONFIG, "TLS ciphers \"%s\": %s",
		    t->config.ciphers, openssl_reason(t->lib));
	buf_free(&old);
	buf_free(&new);
	return got;
}

/* The library asks the terminal if nobody answers it: -1 is an answer. */
static int
passphrase(char *out, int size, int unused, void *arg)
{
	const struct tls *t = arg;
	size_t n = t->config.key_secret != NULL ? strlen(t->config.key_secret)
						: SIZE_MAX;

	(void)unused;
	if (n > (size_t)size)
		return -1;
	memcpy(out, t->config.key_secret, n);
	return (int)n;
}

static int
key_failed(const struct tls *t, const char *key, bool encrypted, struct err *e)
{
	unsigned long code = t->lib->ERR_peek_error();

	if (ERR_GET_LIB(code) == ERR_LIB_X509 ||
	    (ERR_GET_LIB(code) == ERR_LIB_SSL &&
		ERR_GET_REASON(code) == SSL_R_NO_CERTIFICATE_ASSIGNED))
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "the key in %s is not that of the certificate in %s", key,
		    t->config.cert);
	if (encrypted)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "key file %s: the passphrase does not open it", key);
	return err_set(e, ERR_PERM, ERR_CONFIG, "key file %s: %s", key,
	    openssl_reason(t->lib));
}

/* Our own certificate and its key. */
static int
identity_load(struct tls *t, struct err *e)
{
	const struct openssl *l = t->lib;
	const char *cert = t->config.cert;
	const char *key = t->config.key != NULL ? t->config.key : cert;
	int encrypted;

	if (key == NULL)
		return 0;
	if (cert == NULL)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "key file %s is of no use without its certificate", key);
	encrypted = key_is_encrypted(key, e);
	if (encrypted == -1)
		return -1;
	if (encrypted && t->config.key_secret == NULL)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "key file %s is encrypted, and its passphrase is not known",
		    key);
	l->SSL_CTX_set_default_passwd_cb(t->ctx, passphrase);
	l->SSL_CTX_set_default_passwd_cb_userdata(t->ctx, t);
	l->ERR_clear_error();
	if (l->SSL_CTX_use_certificate_chain_file(t->ctx, cert) != 1)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "client certificate %s: %s", cert, openssl_reason(l));
	l->ERR_clear_error();
	if (l->SSL_CTX_use_PrivateKey_file(t->ctx, key, SSL_FILETYPE_PEM) !=
		1 ||
	    l->SSL_CTX_check_private_key(t->ctx) != 1)
		return key_failed(t, key, encrypted == 1, e);
	return 0;
}

/* One write a line, since many processes may append to one file. What cannot
 * be written is lost: the mail is worth more than what a sniffer wants. */
static void
keylog_line(const SSL *ssl, const char *line)
{
	const struct link *k = openssl_data(ssl);
	struct buf b;
	ssize_t put = -1;

	if (k == NULL || k->tls->keylog == -1)
		return;
	buf_init(&b, 1024);
	buf_adds(&b, line);
	buf_addc(&b, '\n');
	if (buf_ok(&b))
		put = write(k->tls->keylog, b.data, b.len);
	(void)put;
	buf_free(&b);
}

/* O_NONBLOCK: a pipe that nobody reads is an error, no trap. Who reads the
 * file reads the password, so another's, laid in our way, will not do. */
static int
keylog_open(struct tls *t, struct err *e)
{
	struct stat st;

	if (t->config.keylog == NULL)
		return 0;
	if (t->keylog == -1)
		t->keylog = open(t->config.keylog,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
			O_NONBLOCK,
		    S_IRUSR | S_IWUSR);
	if (t->keylog == -1)
		return err_errno(e, ERR_PERM, ERR_CONFIG, errno,
		    "TLS key log %s", t->config.keylog);
	if (fstat(t->keylog, &st) == 0 && S_ISREG(st.st_mode) &&
	    credential_check_file(t->keylog, t->config.keylog, e) == -1) {
		close(t->keylog);
		t->keylog = -1;
		return -1;
	}
	t->lib->SSL_CTX_set_keylog_callback(t->ctx, keylog_line);
	return 0;
}

/* The library opens and reads with no deadline: what is there but neither
 * file nor folder might keep it for ever. */
static int
files_check(const struct tls_config *c, struct err *e)
{
	const char *const paths[] = { c->trust, c->crl, c->cert, c->key };
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof paths / sizeof *paths; i++)
		if (paths[i] != NULL && stat(paths[i], &st) == 0 &&
		    !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
			return err_set(e, ERR_PERM, ERR_CONFIG,
			    "%s is not a regular file, as TLS needs it",
			    paths[i]);
	return 0;
}

/* All that the configuration wants of it but the trust store. */
static int
context_set(struct tls *t, struct err *e)
{
	const struct openssl *l = t->lib;

	l->SSL_CTX_ctrl(
	    t->ctx, SSL_CTRL_MODE, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, NULL);
	l->SSL_CTX_set_cert_verify_callback(t->ctx, verify, t);
	l->SSL_CTX_set_options(
	    t->ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	versions_set(t);
	if (t->config.fingerprint != NULL &&
	    !tls_fingerprint_valid(t->config.fingerprint))
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "\"%s\" is no SHA-256 in hex", t->config.fingerprint);
	return ciphers_set(t, e) == 0 && files_check(&t->config, e) == 0 &&
		identity_load(t, e) == 0 && keylog_open(t, e) == 0
	    ? 0
	    : -1;
}

/* Load the library and make its context, when that was not done. */
static int
tls_ready(struct tls *t, struct err *e)
{
	if (t->ctx != NULL)
		return 0;
	if (t->lib == NULL)
		t->lib = calloc(1, sizeof *t->lib);
	if (t->lib == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	if (openssl_load(t->lib, e) == -1)
		return -1;
	/* openssl_load() fails when a symbol is missing, which the analyzer
	 * does not see.  NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage) */
	t->ctx = t->lib->SSL_CTX_new(t->lib->TLS_client_method());
	if (t->ctx == NULL)
		return err_set(e, ERR_TEMP, ERR_TLS, "TLS cannot be set up: %s",
		    openssl_reason(t->lib));
	if (context_set(t, e) == 0)
		return 0;
	/* The next host must not meet one that is set up by half. */
	t->lib->SSL_CTX_free(t->ctx);
	t->ctx = NULL;
	return -1;
}

static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Lists in PEM, or one in DER, as they are published. */
static int
crl_load(struct tls *t, struct err *e)
{
	static const int forms[] = { X509_FILETYPE_PEM, X509_FILETYPE_ASN1 };
	const struct openssl *l = t->lib;
	X509_LOOKUP *lookup;
	int i, got = 0, num;

	if (t->config.crl == NULL)
		return 0;
	lookup = l->X509_STORE_add_lookup(
	    l->SSL_CTX_get_cert_store(t->ctx), l->X509_LOOKUP_file());
	for (i = 0; i < 2 && got <= 0 && lookup != NULL; i++) {
		l->ERR_clear_error();
		got = l->X509_load_crl_file(lookup, t->config.crl, forms[i]);
	}
	num = access(t->config.crl, R_OK) == -1 ? errno : 0;
	if (got <= 0)
		return err_set(e, ERR_PERM, ERR_CONFIG, "CRL file %s: %s",
		    t->config.crl,
		    num != 0 ? strerror(num) : "no revocation list in it");
	l->X509_VERIFY_PARAM_set_flags(l->SSL_CTX_get0_param(t->ctx),
	    X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return 0;
}

/* Only who verifies pays for the trust store, and once. */
static int
trust_load(struct tls *t, struct err *e)
{
	const char *path = t->config.trust;
	int ok;

	if (t->trust_loaded)
		return 0;
	if (path == NULL)
		path = is_folder(TRUST_DIR) ? TRUST_DIR : TRUST_FILE;
	t->lib->ERR_clear_error();
	ok = is_folder(path) ? t->lib->SSL_CTX_load_verify_dir(t->ctx, path)
			     : t->lib->SSL_CTX_load_verify_file(t->ctx, path);
	if (ok != 1)
		return err_set(e, ERR_PERM, ERR_CONFIG, "trust store %s: %s",
		    path, openssl_reason(t->lib));
	if (crl_load(t, e) == -1)
		return -1;
	t->trust_loaded = true;
	return 0;
}

/* Before TLS 1.3 a server that misses our certificate says no more than that
 * it failed: was it asked for, and is there none? */
static bool
is_nameless(const struct link *k)
{
	return k->tls->config.cert == NULL &&
	    ERR_GET_REASON(k->lib->ERR_peek_error()) ==
	    SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE &&
	    k->lib->SSL_get0_peer_CA_list(k->ssl) != NULL;
}

/* The record layer's name for octets that are no record of TLS. */
static bool
is_no_tls(const struct openssl *l)
{
	int reason = ERR_GET_REASON(l->ERR_peek_error());

	return reason == SSL_R_WRONG_VERSION_NUMBER ||
	    reason == SSL_R_HTTP_REQUEST ||
	    reason == SSL_R_PACKET_LENGTH_TOO_LONG;
}

/* ---- octets ---- */

static void
link_free(struct link *k)
{
	if (k->ssl != NULL)
		k->lib->SSL_free(k->ssl);
	k->lib->X509_free(k->peer);
	free(k);
}

/* What a call that did not go through waits for, as read(2) says it. */
static ssize_t
link_wait(struct io *io, int ret, short *events)
{
	const struct link *k = io->ops_ctx;
	int num = errno;

	switch (k->lib->SSL_get_error(k->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		*events = POLLIN;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_WANT_WRITE:
		*events = POLLOUT;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		errno = num != 0 ? num : ECONNRESET;
		return -1;
	default:
		/* An end without a goodbye, an alert, or garbage: the line is
		 * lost. */
		io->why = openssl_reason(k->lib);
		errno = ECONNRESET;
		return -1;
	}
}

static ssize_t
link_read(struct io *io, void *p, size_t n, short *events)
{
	const struct link *k = io->ops_ctx;
	int got;

	*events = POLLIN;
	k->lib->ERR_clear_error();
	errno = 0;
	got = k->lib->SSL_read(k->ssl, p, n > INT32_MAX ? INT32_MAX : (int)n);
	return got > 0 ? got : link_wait(io, got, events);
}

static ssize_t
link_write(struct io *io, const void *p, size_t n, short *events)
{
	const struct link *k = io->ops_ctx;
	ssize_t put;

	*events = POLLOUT;
	k->lib->ERR_clear_error();
	errno = 0;
	put = k->lib->SSL_write(k->ssl, p, n > INT32_MAX ? INT32_MAX : (int)n);
	if (put > 0)
		return put;
	put = link_wait(io, (int)put, events);
	if (put == 0) {
		errno = EPIPE;
		put = -1;
	}
	return put;
}

static bool
link_pending(struct io *io)
{
	const struct link *k = io->ops_ctx;

	return k->lib->SSL_has_pending(k->ssl) == 1;
}

static void
link_close(struct io *io)
{
	struct link *k = io->ops_ctx;

	/* One goodbye, which is not waited for (RFC 8446 6.1). */
	if (io->fd != -1)
		k->lib->SSL_shutdown(k->ssl);
	link_free(k);
	io->ops_ctx = NULL;
	io_close_socket(io);
}

static const struct io_ops link_ops = {
	.read = link_read,
	.write = link_write,
	.pending = link_pending,
	.close = link_close,
};

/* ---- facts ---- */

static const char *
how(const struct link *k)
{
	if (k->check == CHECK_CHAIN)
		return "chain and name";
	if (k->check == CHECK_NONE)
		return "not";
	return k->match == CERT_MATCH_KEY ? "fingerprint of the key"
					  : "fingerprint of the certificate";
}

static void
facts_fill(const struct link *k, struct tls_facts *f)
{
	const struct openssl *l = k->lib;
	long nid = l->SSL_ctrl(k->ssl, SSL_CTRL_GET_NEGOTIATED_GROUP, 0, NULL);
	const char *group = l->OBJ_nid2sn((int)nid);
	struct cert_text cert = { .names = "" };

	memset(f, 0, sizeof *f);
	f->verified = k->check != CHECK_NONE;
	snprintf(f->how, sizeof f->how, "%s", how(k));
	snprintf(f->ocsp, sizeof f->ocsp, "%s", k->ocsp);
	snprintf(
	    f->version, sizeof f->version, "%s", l->SSL_get_version(k->ssl));
	snprintf(f->cipher, sizeof f->cipher, "%s",
	    l->SSL_CIPHER_get_name(l->SSL_get_current_cipher(k->ssl)));
	if (nid > 0 && group != NULL)
		snprintf(f->group, sizeof f->group, "%s", group);
	if (k->peer != NULL)
		cert_text(l, k->peer, &cert);
	snprintf(f->names, sizeof f->names, "%s", cert.names);
	snprintf(f->issuer, sizeof f->issuer, "%s", cert.issuer);
	snprintf(f->expires, sizeof f->expires, "%s", cert.expires);
}

/*
 * The first Finished of a handshake is the client's, but the server's where a
 * session goes on. Without the extended master secret two connections can be
 * made to have the same one (RFC 7627 1).
 */
static size_t
unique(const struct link *k, unsigned char out[TLS_BINDING_MAX])
{
	const struct openssl *l = k->lib;

	if (l->SSL_ctrl(k->ssl, SSL_CTRL_GET_EXTMS_SUPPORT, 0, NULL) != 1)
		return 0;
	return l->SSL_session_reused(k->ssl) == 1
	    ? l->SSL_get_peer_finished(k->ssl, out, TLS_BINDING_MAX)
	    : l->SSL_get_finished(k->ssl, out, TLS_BINDING_MAX);
}

const char *
tls_binding(const struct io *io, unsigned char out[TLS_BINDING_MAX], size_t *n)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	const struct link *k = io->ops == &link_ops ? io->ops_ctx : NULL;

	*n = 0;
	if (k == NULL)
		return NULL;
	if (k->lib->SSL_version(k->ssl) >= TLS1_3_VERSION) {
		*n = 32;
		return k->lib->SSL_export_keying_material(k->ssl, out, *n,
			   label, sizeof label - 1, NULL, 0, 0) == 1
		    ? "tls-exporter"
		    : NULL;
	}
	if (k->lib->SSL_version(k->ssl) == TLS1_2_VERSION)
		*n = unique(k, out);
	return *n > 0 && *n <= TLS_BINDING_MAX ? "tls-unique" : NULL;
}

/* ---- the handshake ---- */

/* What is asked of a connection. */
struct wish {
	const char *name; /* to send and to verify */
	bool implicit; /* TLS from the first octet on */
};

static int
cert_failed(const struct link *k, const char *name, struct err *e)
{
	struct cert_text t = { .names = "" };
	struct cert_wish w = { name, t.names, k->tls->config.crl };

	if (k->check == CHECK_FINGERPRINT)
		return cert_mismatch(k->lib, k->peer, e);
	if (k->peer != NULL)
		cert_text(k->lib, k->peer, &t);
	return cert_trouble_err(k->lib, &k->trouble, &w, e);
}

static int
handshake_failed(
    const struct link *k, int num, const struct wish *w, struct err *e)
{
	if (k->trouble.code != 0 ||
	    (k->check == CHECK_FINGERPRINT && k->peer != NULL &&
		k->match == CERT_MATCH_NONE))
		return cert_failed(k, w->name, e);
	if (num != 0 && k->lib->ERR_peek_error() == 0)
		return err_errno(e, ERR_TEMP, ERR_TLS, num, "TLS handshake");
	if (is_no_tls(k->lib))
		return err_set(e, ERR_TEMP, ERR_TLS,
		    "TLS handshake: the server does not speak TLS %s",
		    w->implicit
			? "from the start on this port; for STARTTLS say "
			  "smtp:// or \"tls_starttls on\""
			: "behind its reply to STARTTLS");
	if (is_nameless(k))
		return err_set(e, ERR_TEMP, ERR_TLS,
		    "TLS handshake: the server requires a client certificate "
		    "(see tls_cert_file)");
	return err_set(
	    e, ERR_TEMP, ERR_TLS, "TLS handshake: %s", openssl_reason(k->lib));
}

static int
handshake(
    struct io *io, const struct link *k, const struct wish *w, struct err *e)
{
	int ret, got, num, why;

	for (;;) {
		k->lib->ERR_clear_error();
		errno = 0;
		ret = k->lib->SSL_connect(k->ssl);
		num = errno;
		if (ret == 1)
			return 0;
		why = k->lib->SSL_get_error(k->ssl, ret);
		if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
			return handshake_failed(k, num, w, e);
		got = wait_fd(io->waiter, io->fd,
		    why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT,
		    io->deadline);
		if (got == WAIT_ERROR)
			return err_errno(
			    e, ERR_TEMP, ERR_MACHINE, errno, "TLS handshake");
		if (got == WAIT_TIMEOUT && wait_over(io->waiter))
			return wait_over_err(io->waiter, e);
		if (got <= 0)
			return err_set(e, ERR_TEMP, ERR_TLS,
			    "TLS handshake: %s",
			    got == WAIT_STOPPED ? "interrupted" : "timed out");
	}
}

/* A NUL octet or the CN of the subject cannot pass for the name. */
static bool
chain_set(const struct link *k, const char *name, bool is_ip)
{
	const struct openssl *l = k->lib;
	X509_VERIFY_PARAM *param = l->SSL_get0_param(k->ssl);

	l->X509_VERIFY_PARAM_set_hostflags(param,
	    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
		X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return l->SSL_ctrl(k->ssl, SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE,
		   TLSEXT_STATUSTYPE_ocsp, NULL) == 1 &&
	    (is_ip ? l->X509_VERIFY_PARAM_set1_ip_asc(param, name)
		   : l->X509_VERIFY_PARAM_set1_host(param, name, 0)) == 1;
}

/* The name goes into SNI, unless it is an address (RFC 6066 3), and, if it
 * is to be verified, into the check. */
static int
link_set(const struct link *k, const char *name, struct err *e)
{
	const struct openssl *l = k->lib;
	unsigned char ip[16];
	char sni[256];
	bool is_ip = inet_pton(AF_INET, name, ip) == 1 ||
	    inet_pton(AF_INET6, name, ip) == 1;
	bool ok = true;

	snprintf(sni, sizeof sni, "%s", name);
	if (!is_ip)
		ok = l->SSL_ctrl(k->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
			 TLSEXT_NAMETYPE_host_name, sni) == 1;
	if (ok && k->check == CHECK_CHAIN)
		ok = chain_set(k, name, is_ip);
	if (k->check != CHECK_NONE)
		l->SSL_set_verify(k->ssl, SSL_VERIFY_PEER, NULL);
	return ok ? 0
		  : err_set(e, ERR_TEMP, ERR_TLS,
			"TLS cannot be asked for \"%s\"", name);
}

static struct link *
link_new(const struct tls *t, int fd, enum check check, struct err *e)
{
	struct link *k = calloc(1, sizeof *k);

	if (k != NULL) {
		k->lib = t->lib;
		k->tls = t;
		k->check = check;
		k->ssl = t->lib->SSL_new(t->ctx);
		if (k->ssl != NULL && t->lib->SSL_set_fd(k->ssl, fd) == 1 &&
		    t->lib->SSL_set_ex_data(k->ssl, 0, k) == 1)
			return k;
		link_free(k);
	}
	err_set(e, ERR_TEMP, ERR_MACHINE, "no memory for TLS");
	return NULL;
}

/*
 * What is known of the server once the handshake is through: 0, or -1 with
 * *e. Where the user's ciphers let it do without a certificate, verify() was
 * not asked, and nothing may count as verified.
 */
static int
look_at_peer(struct link *k, struct err *e)
{
	const struct openssl *l = k->lib;

	if (k->check == CHECK_NONE)
		return 0;
	if (k->peer == NULL)
		return err_set(e, ERR_TEMP, ERR_TLS,
		    "the server shows no certificate: the cipher %s needs none "
		    "(see tls_ciphers)",
		    l->SSL_CIPHER_get_name(l->SSL_get_current_cipher(k->ssl)));
	if (k->check == CHECK_FINGERPRINT)
		return 0;
	return cert_staple(
	    l, k->ssl, l->SSL_CTX_get_cert_store(k->tls->ctx), k->ocsp, e);
}

int
tls_start(struct tls *t, struct io *io, const struct tls_policy *p,
    const char *host, struct tls_facts *facts, struct err *e)
{
	enum check check = t->config.fingerprint != NULL ? CHECK_FINGERPRINT
	    : p->level == TLS_VERIFY                     ? CHECK_CHAIN
							 : CHECK_NONE;
	struct wish w = { p->name != NULL ? p->name : host, p->implicit };
	struct link *k;

	if (tls_ready(t, e) == -1 ||
	    (check == CHECK_CHAIN && trust_load(t, e) == -1))
		return -1;
	k = link_new(t, io->fd, check, e);
	if (k == NULL)
		return -1;
	if (link_set(k, w.name, e) == -1 || handshake(io, k, &w, e) == -1 ||
	    look_at_peer(k, e) == -1) {
		link_free(k);
		return -1;
	}
	facts_fill(k, facts);
	io->ops = &link_ops;
	io->ops_ctx = k;
	return 0;
}
