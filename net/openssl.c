/*
 * openssl: see openssl.h. One dlopen(3) of two libraries, one dlsym(3) a row.
 * Callers: tls.c, cert.c.
 * It makes no context and keeps nothing itself; it knows how the library's
 * errors are said to people.
 * openssl ssl(7), ERR_reason_error_string(3).
 * Ownership: the table is the caller's.
 */
#include <dlfcn.h>
#include <string.h>

#include "base/err.h"
#include "net/openssl.h"

#define LIBSSL "libssl.so.3"
#define LIBCRYPTO "libcrypto.so.3"

/* Put a symbol's address into a field; *missing names it if there is none. */
static void
symbol_load(const struct openssl *l, const char *name, void *field,
    const char **missing)
{
	void *p = dlsym(l->ssl, name);

	if (p == NULL)
		p = dlsym(l->crypto, name);
	if (p == NULL)
		*missing = name;
	memcpy(field, &p, sizeof p);
}

int
openssl_load(struct openssl *l, struct err *e)
{
	const char *missing = NULL;

	l->crypto = dlopen(LIBCRYPTO, RTLD_NOW | RTLD_LOCAL);
	l->ssl = dlopen(LIBSSL, RTLD_NOW | RTLD_LOCAL);
	if (l->crypto == NULL || l->ssl == NULL)
		return err_set(e, ERR_TEMP, ERR_TLS,
		    "TLS needs OpenSSL 3 (package libssl3): %s", dlerror());
#define LOAD(name) symbol_load(l, #name, &l->name, &missing);
	OPENSSL_SYMBOLS(LOAD)
#undef LOAD
	if (missing != NULL)
		return err_set(
		    e, ERR_TEMP, ERR_TLS, "this OpenSSL has no %s", missing);
	return 0;
}

/*
 * Reasons of the library, most of them alerts of the server (RFC 8446 6.2),
 * in words that say what to do.
 */
static const struct {
	int reason;
	const char *text;
} reasons[] = {
	{ SSL_R_UNEXPECTED_EOF_WHILE_READING,
	    "the server closed the connection without ending TLS" },
	{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION,
	    "the server refuses our TLS versions (see tls_min)" },
	{ SSL_R_UNSUPPORTED_PROTOCOL,
	    "the server's TLS version is too old (see tls_min)" },
	{ SSL_R_NO_PROTOCOLS_AVAILABLE,
	    "no TLS version is left to offer (see tls_min)" },
	{ SSL_R_NO_CIPHERS_AVAILABLE,
	    "no cipher is left to offer (see tls_ciphers, tls_min)" },
	{ SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
	    "the server finds no cipher, or nothing else, in common with us "
	    "(handshake failure; see tls_ciphers, tls_min)" },
	{ SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY,
	    "the server wants stronger ciphers (see tls_ciphers)" },
	{ SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
	    "the server requires a client certificate (see tls_cert_file)" },
	{ SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
	    "the server refuses our client certificate as bad" },
	{ SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
	    "the server does not take client certificates like ours" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,
	    "the server says that our client certificate is revoked" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
	    "the server says that our client certificate has expired" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN,
	    "the server cannot make sense of our client certificate" },
	{ SSL_R_TLSV1_ALERT_UNKNOWN_CA,
	    "the server does not know the issuer of our client certificate" },
	{ SSL_R_TLSV1_ALERT_ACCESS_DENIED,
	    "the server denies access to our client certificate" },
	{ SSL_R_TLSV1_ALERT_INTERNAL_ERROR,
	    "the server says that it has an internal error" },
	{ SSL_R_TLSV1_UNRECOGNIZED_NAME,
	    "the server says that it does not have this name" },
	{ SSL_R_DH_KEY_TOO_SMALL,
	    "the server's Diffie-Hellman group is too small to be safe" },
	{ SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED,
	    "the server's TLS lacks secure renegotiation (RFC 5746)" },
};

/* NULL: there are no better words than the library's. */
static const char *
words(unsigned long code)
{
	size_t i;

	for (i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
		    ERR_GET_REASON(code) == reasons[i].reason)
			return reasons[i].text;
	return NULL;
}

const char *
openssl_reason(const struct openssl *l)
{
	unsigned long code = l->ERR_peek_error();
	const char *why = words(code);

	if (why == NULL)
		why = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
					     : l->ERR_reason_error_string(code);
	return why == NULL ? "no reason given" : why;
}

void *
openssl_data(const SSL *ssl)
{
	void *l = dlopen(LIBSSL, RTLD_NOW | RTLD_NOLOAD);
	__typeof__(SSL_get_ex_data) *get;
	void *p, *data = NULL;

	if (l == NULL)
		return NULL;
	p = dlsym(l, "SSL_get_ex_data");
	if (p != NULL) {
		memcpy(&get, &p, sizeof get);
		data = get(ssl, 0);
	}
	dlclose(l);
	return data;
}
