/*
 * tls: see tls.h. OpenSSL is loaded when the first connection wants it: a
 * run that uses none does not pay the 1.1 ms that linking it costs.
 * Callers: proto.c, deliver.c. It knows no SMTP.
 * RFC 8446, 9525, 6066; openssl ssl(7).
 * Ownership: struct tls owns the library's context, an io its connection.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "net/io.h"
#include "net/tls.h"

/* The system's trust store: a folder is looked up by hash, which costs
 * nothing; the bundle takes 30 to 40 ms to parse. */
#define TRUST_DIR "/etc/ssl/certs"
#define TRUST_FILE "/etc/ssl/certs/ca-certificates.crt"

/* ---- the library ---- */

/* All that is called in it, a row each. */
#define SYMBOLS(X)                                                             \
	X(ERR_clear_error)                                                     \
	X(ERR_peek_error)                                                      \
	X(ERR_reason_error_string)                                             \
	X(ASN1_STRING_get0_data)                                               \
	X(ASN1_STRING_length)                                                  \
	X(ASN1_TIME_to_tm)                                                     \
	X(GENERAL_NAMES_free)                                                  \
	X(OBJ_nid2sn)                                                          \
	X(OPENSSL_sk_num)                                                      \
	X(OPENSSL_sk_value)                                                    \
	X(SSL_CIPHER_get_name)                                                 \
	X(SSL_CTX_ctrl)                                                        \
	X(SSL_CTX_free)                                                        \
	X(SSL_CTX_load_verify_dir)                                             \
	X(SSL_CTX_load_verify_file)                                            \
	X(SSL_CTX_new)                                                         \
	X(SSL_CTX_set_cert_verify_callback)                                    \
	X(SSL_CTX_set_options)                                                 \
	X(SSL_connect)                                                         \
	X(SSL_ctrl)                                                            \
	X(SSL_free)                                                            \
	X(SSL_get0_param)                                                      \
	X(SSL_get_current_cipher)                                              \
	X(SSL_get_error)                                                       \
	X(SSL_get_verify_result)                                               \
	X(SSL_get_version)                                                     \
	X(SSL_has_pending)                                                     \
	X(SSL_new)                                                             \
	X(SSL_read)                                                            \
	X(SSL_set_fd)                                                          \
	X(SSL_set_verify)                                                      \
	X(SSL_shutdown)                                                        \
	X(SSL_write)                                                           \
	X(TLS_client_method)                                                   \
	X(X509_NAME_get_text_by_NID)                                           \
	X(X509_STORE_CTX_get0_cert)                                            \
	X(X509_VERIFY_PARAM_set1_host)                                         \
	X(X509_VERIFY_PARAM_set1_ip_asc)                                       \
	X(X509_VERIFY_PARAM_set_hostflags)                                     \
	X(X509_get0_notAfter)                                                  \
	X(X509_free)                                                           \
	X(X509_get_ext_d2i)                                                    \
	X(X509_up_ref)                                                         \
	X(X509_get_issuer_name)                                                \
	X(X509_verify_cert)                                                    \
	X(X509_get_subject_name)                                               \
	X(X509_verify_cert_error_string)

struct tls_library {
	void *ssl, *crypto; /* dlopen(3)'s */
#define FIELD(name) __typeof__(name) *(name);
	SYMBOLS(FIELD)
#undef FIELD
};

/* A connection's: the io's ops_ctx. */
struct link {
	const struct tls_library *lib; /* borrowed */
	const struct tls *tls; /* borrowed */
	SSL *ssl; /* owned */
	bool verify; /* the certificate must hold */
};

/* Put a symbol's address into a field; *missing names it if there is none. */
static void
symbol_load(const struct tls_library *l, const char *name, void *field,
    const char **missing)
{
	void *p = dlsym(l->ssl, name);

	if (p == NULL)
		p = dlsym(l->crypto, name);
	if (p == NULL)
		*missing = name;
	memcpy(field, &p, sizeof p);
}

static int
library_load(struct tls_library *l, struct err *e)
{
	const char *missing = NULL;

	l->crypto = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
	l->ssl = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
	if (l->crypto == NULL || l->ssl == NULL)
		return err_set(e, ERR_TEMP, ERR_TLS,
		    "TLS needs OpenSSL 3 (package libssl3): %s", dlerror());
#define LOAD(name) symbol_load(l, #name, &l->name, &missing);
	SYMBOLS(LOAD)
#undef LOAD
	if (missing != NULL)
		return err_set(
		    e, ERR_TEMP, ERR_TLS, "this OpenSSL has no %s", missing);
	return 0;
}

/* ---- levels ---- */

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

/* ---- errors ---- */

/* The library's own reason, lower case and short: "wrong version number". */
static const char *
reason(const struct tls_library *l)
{
	const char *why = l->ERR_reason_error_string(l->ERR_peek_error());

	return why == NULL ? "no reason given" : why;
}

/* ---- the context ---- */

void
tls_init(struct tls *t, const struct tls_config *c)
{
	*t = (struct tls){ .config = *c };
}

/* The library stays loaded: what it left with the process points into it. */
void
tls_free(struct tls *t)
{
	if (t->ctx != NULL) {
		t->lib->X509_free(t->peer);
		t->lib->SSL_CTX_free(t->ctx);
	}
	free(t->lib);
	tls_init(t, &t->config);
}

/*
 * The library forgets a certificate that does not hold, but why it does not
 * is to be told with its names: keep it, then verify as usual.
 */
static int
keep_and_verify(X509_STORE_CTX *store, void *arg)
{
	struct tls *t = arg;

	t->lib->X509_free(t->peer);
	t->peer = t->lib->X509_STORE_CTX_get0_cert(store);
	if (t->peer != NULL)
		t->lib->X509_up_ref(t->peer);
	return t->lib->X509_verify_cert(store);
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
	if (library_load(t->lib, e) == -1)
		return -1;
	/* library_load() fails when a symbol is missing, which the analyzer
	 * does not see.  NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage) */
	t->ctx = t->lib->SSL_CTX_new(t->lib->TLS_client_method());
	if (t->ctx == NULL)
		return err_set(e, ERR_TEMP, ERR_TLS, "TLS cannot be set up: %s",
		    reason(t->lib));
	t->lib->SSL_CTX_ctrl(
	    t->ctx, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL);
	t->lib->SSL_CTX_ctrl(
	    t->ctx, SSL_CTRL_MODE, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, NULL);
	t->lib->SSL_CTX_set_cert_verify_callback(t->ctx, keep_and_verify, t);
	t->lib->SSL_CTX_set_options(
	    t->ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	return 0;
}

static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
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
	ok = is_folder(path) ? t->lib->SSL_CTX_load_verify_dir(t->ctx, path)
			     : t->lib->SSL_CTX_load_verify_file(t->ctx, path);
	if (ok != 1)
		return err_set(e, ERR_PERM, ERR_CONFIG, "trust store %s: %s",
		    path, reason(t->lib));
	t->trust_loaded = true;
	return 0;
}

/* ---- octets ---- */

/* What a call that did not go through waits for, as read(2) says it. */
static ssize_t
link_wait(const struct link *k, int ret, short *events)
{
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
		/* An end without a goodbye, or garbage: the line is lost. */
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
	return got > 0 ? got : link_wait(k, got, events);
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
	put = link_wait(k, (int)put, events);
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
	k->lib->SSL_free(k->ssl);
	free(k);
	io->ops_ctx = NULL;
	io_close_socket(io);
}

static const struct io_ops link_ops = {
	.read = link_read,
	.write = link_write,
	.pending = link_pending,
	.close = link_close,
};

/* ---- certificates ---- */

/* The names a certificate has: DNS names and IP addresses, RFC 5280 4.2.1.6. */
static void
cert_names(const struct tls_library *l, X509 *cert, char *dst, size_t size)
{
	OPENSSL_STACK *list =
	    l->X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	char text[INET6_ADDRSTRLEN];
	const unsigned char *p;
	const GENERAL_NAME *g;
	struct buf b;
	int i, n;

	buf_init(&b, 64 * 1024);
	for (i = 0; list != NULL && i < l->OPENSSL_sk_num(list); i++) {
		g = l->OPENSSL_sk_value(list, i);
		if (g->type != GEN_DNS && g->type != GEN_IPADD)
			continue;
		p = l->ASN1_STRING_get0_data(g->d.ia5);
		n = l->ASN1_STRING_length(g->d.ia5);
		if (b.len > 0)
			buf_adds(&b, ", ");
		if (g->type == GEN_DNS)
			buf_add(&b, p, (size_t)n);
		else if (inet_ntop(n == 4 ? AF_INET : AF_INET6, p, text,
			     sizeof text) != NULL &&
		    (n == 4 || n == 16))
			buf_adds(&b, text);
	}
	enc_printable_str(dst, size, buf_str(&b), b.len);
	buf_free(&b);
	l->GENERAL_NAMES_free((GENERAL_NAMES *)list);
}

static void
cert_issuer(const struct tls_library *l, X509 *cert, char *dst, size_t size)
{
	static const int parts[] = { NID_commonName, NID_organizationName };
	char raw[256];
	size_t i;
	int n = -1;

	for (i = 0; i < 2 && n <= 0; i++)
		n = l->X509_NAME_get_text_by_NID(
		    l->X509_get_issuer_name(cert), parts[i], raw, sizeof raw);
	enc_printable_str(dst, size, raw, n > 0 ? (size_t)n : 0);
}

static void
cert_expiry(const struct tls_library *l, X509 *cert, char *dst, size_t size)
{
	struct tm tm;

	dst[0] = '\0';
	if (l->ASN1_TIME_to_tm(l->X509_get0_notAfter(cert), &tm) == 1)
		strftime(dst, size, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

static void
facts_cert(const struct tls_library *l, X509 *cert, struct tls_facts *f)
{
	cert_names(l, cert, f->names, sizeof f->names);
	cert_issuer(l, cert, f->issuer, sizeof f->issuer);
	cert_expiry(l, cert, f->expires, sizeof f->expires);
}

static void
facts_fill(const struct link *k, struct tls_facts *f)
{
	const struct tls_library *l = k->lib;
	long nid = l->SSL_ctrl(k->ssl, SSL_CTRL_GET_NEGOTIATED_GROUP, 0, NULL);
	const char *group = l->OBJ_nid2sn((int)nid);

	memset(f, 0, sizeof *f);
	f->verified =
	    k->verify && l->SSL_get_verify_result(k->ssl) == X509_V_OK;
	snprintf(
	    f->version, sizeof f->version, "%s", l->SSL_get_version(k->ssl));
	snprintf(f->cipher, sizeof f->cipher, "%s",
	    l->SSL_CIPHER_get_name(l->SSL_get_current_cipher(k->ssl)));
	if (nid > 0 && group != NULL)
		snprintf(f->group, sizeof f->group, "%s", group);
	if (k->tls->peer != NULL)
		facts_cert(l, k->tls->peer, f);
}

/* ---- the handshake ---- */

/* Why a certificate does not do, in words that a person can act on. */
static int
cert_failed(const struct link *k, long result, const char *name, struct err *e)
{
	struct tls_facts f = { .names = "" };

	if (k->tls->peer != NULL)
		facts_cert(k->lib, k->tls->peer, &f);
	switch (result) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return err_set(e, ERR_TEMP, ERR_TLS,
		    "the certificate is not for %s but for %s", name,
		    f.names[0] != '\0' ? f.names : "no name at all");
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return err_set(e, ERR_TEMP, ERR_TLS,
		    "a certificate of the chain has expired (the server's "
		    "own: %s)",
		    f.expires);
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return err_set(e, ERR_TEMP, ERR_TLS,
		    "the trust store does not have the certificate's issuer, "
		    "\"%s\"",
		    f.issuer);
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return err_set(e, ERR_TEMP, ERR_TLS,
		    "the certificate is signed by nobody but itself");
	default:
		return err_set(e, ERR_TEMP, ERR_TLS, "the certificate: %s",
		    k->lib->X509_verify_cert_error_string(result));
	}
}

static int
handshake_failed(const struct link *k, int num, const char *name, struct err *e)
{
	long result = k->lib->SSL_get_verify_result(k->ssl);

	if (k->verify && result != X509_V_OK)
		return cert_failed(k, result, name, e);
	if (num != 0 && k->lib->ERR_peek_error() == 0)
		return err_errno(e, ERR_TEMP, ERR_TLS, num, "TLS handshake");
	return err_set(
	    e, ERR_TEMP, ERR_TLS, "TLS handshake: %s", reason(k->lib));
}

static int
handshake(struct io *io, const struct link *k, const char *name, struct err *e)
{
	short events;
	int ret, got, num;

	for (;;) {
		k->lib->ERR_clear_error();
		errno = 0;
		ret = k->lib->SSL_connect(k->ssl);
		num = errno;
		if (ret == 1)
			return 0;
		switch (k->lib->SSL_get_error(k->ssl, ret)) {
		case SSL_ERROR_WANT_READ:
			events = POLLIN;
			break;
		case SSL_ERROR_WANT_WRITE:
			events = POLLOUT;
			break;
		default:
			return handshake_failed(k, num, name, e);
		}
		got = wait_fd(io->waiter, io->fd, events, io->deadline);
		if (got <= 0)
			return err_set(e, ERR_TEMP, ERR_TLS,
			    "TLS handshake: %s",
			    got == WAIT_STOPPED ? "interrupted" : "timed out");
	}
}

/* The name goes into SNI, unless it is an address (RFC 6066 3), and, if it
 * is to be verified, into the check; a NULL byte or CN cannot pass for it. */
static int
name_set(const struct link *k, const char *name, struct err *e)
{
	const struct tls_library *l = k->lib;
	X509_VERIFY_PARAM *param = l->SSL_get0_param(k->ssl);
	unsigned char ip[16];
	char sni[256];
	bool is_ip = inet_pton(AF_INET, name, ip) == 1 ||
	    inet_pton(AF_INET6, name, ip) == 1;
	int ok = 1;

	snprintf(sni, sizeof sni, "%s", name);
	if (!is_ip)
		ok = l->SSL_ctrl(k->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
			 TLSEXT_NAMETYPE_host_name, sni) == 1;
	if (ok && k->verify) {
		l->X509_VERIFY_PARAM_set_hostflags(param,
		    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
			X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		ok = is_ip ? l->X509_VERIFY_PARAM_set1_ip_asc(param, name)
			   : l->X509_VERIFY_PARAM_set1_host(param, name, 0);
		l->SSL_set_verify(k->ssl, SSL_VERIFY_PEER, NULL);
	}
	return ok == 1 ? 0
		       : err_set(e, ERR_TEMP, ERR_TLS,
			     "TLS cannot be asked for \"%s\"", name);
}

static struct link *
link_new(struct tls *t, int fd, struct err *e)
{
	struct link *k = calloc(1, sizeof *k);

	if (k != NULL) {
		k->lib = t->lib;
		k->tls = t;
		k->ssl = t->lib->SSL_new(t->ctx);
	}
	if (k == NULL || k->ssl == NULL ||
	    t->lib->SSL_set_fd(k->ssl, fd) != 1) {
		if (k != NULL && k->ssl != NULL)
			t->lib->SSL_free(k->ssl);
		free(k);
		err_set(e, ERR_TEMP, ERR_MACHINE, "no memory for TLS");
		return NULL;
	}
	return k;
}

int
tls_start(struct tls *t, struct io *io, const struct tls_policy *p,
    const char *host, struct tls_facts *facts, struct err *e)
{
	bool verify = p->level == TLS_VERIFY;
	const char *name = p->name != NULL ? p->name : host;
	struct link *k;

	if (tls_ready(t, e) == -1 || (verify && trust_load(t, e) == -1))
		return -1;
	k = link_new(t, io->fd, e);
	if (k == NULL)
		return -1;
	k->verify = verify;
	if (name_set(k, name, e) == -1 || handshake(io, k, name, e) == -1) {
		t->lib->SSL_free(k->ssl);
		free(k);
		return -1;
	}
	facts_fill(k, facts);
	io->ops = &link_ops;
	io->ops_ctx = k;
	return 0;
}
