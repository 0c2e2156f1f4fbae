/*
 * cert: see cert.h. Text, fingerprints, failures in words, OCSP staples.
 * Callers: tls.c.
 * It loads nothing: the table of functions comes from its caller.
 * RFC 5280 4.2.1.6 (names), RFC 6960 3.2 (what an answer must fulfil).
 * Ownership: see cert.h.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "net/cert.h"

#define DER_MAX ((size_t)256 * 1024)
/* Seconds that a responder's clock may be ahead of ours. */
#define OCSP_SKEW 300
/* An answer that does not say how long it counts does so for a week. */
#define OCSP_AGE (7L * 24 * 60 * 60)
/* RFC 7633 4.2.3.1: the extension of TLS that the certificate demands. */
#define FEATURE_STATUS_REQUEST 5

/* ---- text ---- */

static void
text_date(const struct openssl *l, const ASN1_TIME *t, char dst[CERT_DATE_MAX])
{
	struct tm tm;

	dst[0] = '\0';
	if (t != NULL && l->ASN1_TIME_to_tm(t, &tm) == 1)
		strftime(dst, CERT_DATE_MAX, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

static void
text_name(
    const struct openssl *l, const X509_NAME *name, char *dst, size_t size)
{
	static const int parts[] = { NID_commonName, NID_organizationName,
		NID_organizationalUnitName };
	char raw[256];
	size_t i;
	int n = -1;

	for (i = 0; i < sizeof parts / sizeof *parts && n <= 0; i++)
		n = l->X509_NAME_get_text_by_NID(
		    name, parts[i], raw, sizeof raw);
	enc_printable_str(dst, size, raw, n > 0 ? (size_t)n : 0);
}

/* One name: a DNS name or an IP address; others are none of a host. */
static void
name_add(const struct openssl *l, const GENERAL_NAME *g, struct buf *b)
{
	char ip[INET6_ADDRSTRLEN];
	const unsigned char *p;
	int n;

	if (g->type != GEN_DNS && g->type != GEN_IPADD)
		return;
	p = l->ASN1_STRING_get0_data(g->d.ia5);
	n = l->ASN1_STRING_length(g->d.ia5);
	if (b->len > 0)
		buf_adds(b, ", ");
	if (g->type == GEN_DNS)
		buf_add(b, p, (size_t)n);
	else if ((n == 4 || n == 16) &&
	    inet_ntop(n == 4 ? AF_INET : AF_INET6, p, ip, sizeof ip) != NULL)
		buf_adds(b, ip);
}

static void
text_names(const struct openssl *l, X509 *cert, char *dst, size_t size)
{
	OPENSSL_STACK *list =
	    l->X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	struct buf b;
	int i;

	buf_init(&b, DER_MAX);
	for (i = 0; list != NULL && i < l->OPENSSL_sk_num(list); i++)
		name_add(l, l->OPENSSL_sk_value(list, i), &b);
	enc_printable_str(dst, size, buf_str(&b), b.len);
	buf_free(&b);
	l->GENERAL_NAMES_free((GENERAL_NAMES *)list);
}

void
cert_text(const struct openssl *l, X509 *cert, struct cert_text *t)
{
	text_names(l, cert, t->names, sizeof t->names);
	text_name(
	    l, l->X509_get_issuer_name(cert), t->issuer, sizeof t->issuer);
	text_date(l, l->X509_get0_notAfter(cert), t->expires);
}

/* ---- fingerprints ---- */

bool
cert_fingerprint_parse(const char *s, unsigned char out[CERT_SHA256])
{
	size_t i;
	bool colons = strchr(s, ':') != NULL;

	for (i = 0; i < CERT_SHA256; i++) {
		if (i > 0 && colons && *s++ != ':')
			return false;
		if (enc_hex_digit(s[0]) == -1 || enc_hex_digit(s[1]) == -1)
			return false;
		out[i] = (unsigned char)(enc_hex_digit(s[0]) << 4 |
		    enc_hex_digit(s[1]));
		s += 2;
	}
	return *s == '\0';
}

/* SHA-256 of the certificate, or of its key with its algorithm (SPKI). */
static bool
fingerprint(const struct openssl *l, X509 *cert, bool key,
    unsigned char out[CERT_SHA256])
{
	X509_PUBKEY *spki = key ? l->X509_get_X509_PUBKEY(cert) : NULL;
	int n = key ? l->i2d_X509_PUBKEY(spki, NULL) : l->i2d_X509(cert, NULL);
	unsigned char *p;
	struct buf der;
	bool ok = false;

	buf_init(&der, DER_MAX);
	p = n > 0 ? (unsigned char *)buf_room(&der, (size_t)n) : NULL;
	if (p != NULL) {
		n = key ? l->i2d_X509_PUBKEY(spki, &p) : l->i2d_X509(cert, &p);
		buf_grew(&der, (size_t)n);
		ok = l->EVP_Digest(der.data, der.len, out, NULL,
			 l->EVP_sha256(), NULL) == 1;
	}
	buf_free(&der);
	return ok;
}

enum cert_match
cert_match(
    const struct openssl *l, X509 *cert, const unsigned char want[CERT_SHA256])
{
	unsigned char got[CERT_SHA256];

	if (fingerprint(l, cert, false, got) &&
	    memcmp(got, want, CERT_SHA256) == 0)
		return CERT_MATCH_CERT;
	if (fingerprint(l, cert, true, got) &&
	    memcmp(got, want, CERT_SHA256) == 0)
		return CERT_MATCH_KEY;
	return CERT_MATCH_NONE;
}

static void
hex(const unsigned char in[CERT_SHA256], char out[2 * CERT_SHA256 + 1])
{
	size_t i;

	for (i = 0; i < CERT_SHA256; i++)
		snprintf(out + 2 * i, 3, "%02x", in[i]);
}

int
cert_mismatch(const struct openssl *l, X509 *cert, struct err *e)
{
	unsigned char raw[CERT_SHA256] = { 0 };
	char own[2 * CERT_SHA256 + 1] = "?", key[2 * CERT_SHA256 + 1] = "?";

	if (cert != NULL && fingerprint(l, cert, false, raw))
		hex(raw, own);
	if (cert != NULL && fingerprint(l, cert, true, raw))
		hex(raw, key);
	return err_set(e, ERR_TEMP, ERR_TLS,
	    "the server's certificate is not the one of the fingerprint given; "
	    "SHA-256 of its certificate: %s, of its key: %s",
	    own, key);
}

/* ---- trouble ---- */

/* The dates of the first list of revocations that the certificate's issuer
 * has; the store forgets the one that it looked at. */
static void
crl_date(const struct openssl *l, X509_STORE_CTX *store, bool next,
    char dst[CERT_DATE_MAX])
{
	const X509 *cert = l->X509_STORE_CTX_get_current_cert(store);
	OPENSSL_STACK *list = cert == NULL
	    ? NULL
	    : (OPENSSL_STACK *)l->X509_STORE_CTX_get1_crls(
		  store, l->X509_get_issuer_name(cert));
	X509_CRL *crl;
	int i;

	for (i = 0; list != NULL && i < l->OPENSSL_sk_num(list); i++) {
		crl = l->OPENSSL_sk_value(list, i);
		if (i == 0)
			text_date(l,
			    next ? l->X509_CRL_get0_nextUpdate(crl)
				 : l->X509_CRL_get0_lastUpdate(crl),
			    dst);
		l->X509_CRL_free(crl);
	}
	l->OPENSSL_sk_free(list);
}

/* The date that explains an error, if one does. */
static void
trouble_date(
    const struct openssl *l, X509_STORE_CTX *store, struct cert_trouble *t)
{
	const X509 *cert = l->X509_STORE_CTX_get_current_cert(store);

	switch (t->code) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		text_date(l, l->X509_get0_notAfter(cert), t->when);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		text_date(l, l->X509_get0_notBefore(cert), t->when);
		break;
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID:
		crl_date(
		    l, store, t->code == X509_V_ERR_CRL_HAS_EXPIRED, t->when);
		break;
	default:
		break;
	}
}

void
cert_trouble_take(
    const struct openssl *l, X509_STORE_CTX *store, struct cert_trouble *t)
{
	X509 *cert = l->X509_STORE_CTX_get_current_cert(store);

	*t = (struct cert_trouble){
		.code = l->X509_STORE_CTX_get_error(store),
		.own = l->X509_STORE_CTX_get_error_depth(store) == 0,
	};
	if (t->code == X509_V_OK)
		t->code = X509_V_ERR_UNSPECIFIED;
	if (cert == NULL)
		return;
	trouble_date(l, store, t);
	text_name(
	    l, l->X509_get_subject_name(cert), t->subject, sizeof t->subject);
	text_name(
	    l, l->X509_get_issuer_name(cert), t->issuer, sizeof t->issuer);
}

/*
 * A row for each error that has better words than the library's. Letters in
 * the text: %w whose certificate, %s its subject, %i its issuer, %d the date,
 * %n the name wanted, %N the names it has, %c the file of revocation lists.
 */
static const struct words {
	int code;
	const char *text;
} words[] = {
	{ X509_V_ERR_HOSTNAME_MISMATCH,
	    "the certificate is not for %n but for %N" },
	{ X509_V_ERR_IP_ADDRESS_MISMATCH,
	    "the certificate is not for %n but for %N" },
	{ X509_V_ERR_CERT_HAS_EXPIRED, "%w expired on %d" },
	{ X509_V_ERR_CERT_NOT_YET_VALID,
	    "%w is not valid before %d; is this machine's clock right?" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
	    "the trust store does not have the certificate's issuer, \"%i\"" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
	    "the trust store does not have the certificate's issuer, \"%i\"" },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
	    "the trust store does not have the certificate's issuer, \"%i\"" },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
	    "the trust store does not have the certificate's issuer, \"%i\"" },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
	    "the certificate is signed by nobody but itself; tls_fingerprint "
	    "can name it" },
	{ X509_V_ERR_CERT_REVOKED,
	    "%w was revoked by its issuer \"%i\" (list in %c)" },
	{ X509_V_ERR_UNABLE_TO_GET_CRL,
	    "%c has no revocation list of \"%i\", which issued %w" },
	{ X509_V_ERR_CRL_HAS_EXPIRED,
	    "the revocation list of \"%i\" in %c ended on %d: fetch a new one" },
	{ X509_V_ERR_CRL_NOT_YET_VALID,
	    "the revocation list of \"%i\" in %c is not valid before %d" },
	{ X509_V_ERR_CRL_SIGNATURE_FAILURE,
	    "the revocation list of \"%i\" in %c is not signed by it" },
	{ X509_V_ERR_EE_KEY_TOO_SMALL,
	    "the key of %w is too weak to prove anything" },
	{ X509_V_ERR_CA_KEY_TOO_SMALL,
	    "the key of %w is too weak to prove anything" },
	{ X509_V_ERR_CA_MD_TOO_WEAK,
	    "%w has a signature by a digest that is broken (SHA-1 or MD5)" },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE,
	    "the signature of %w is not by \"%i\", which it names" },
	{ X509_V_ERR_INVALID_PURPOSE, "%w is not made for a server" },
	{ X509_V_ERR_INVALID_CA, "%w has no right to sign others, but did so" },
};

static const char *
words_of(const struct openssl *l, int code)
{
	size_t i;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (words[i].code == code)
			return words[i].text;
	return l->X509_verify_cert_error_string(code);
}

/* "the server's certificate", "the certificate of "X"". */
static void
add_whose(struct buf *b, const struct cert_trouble *t)
{
	if (t->own)
		buf_adds(b, "the server's certificate");
	else
		buf_addf(b, "the certificate of \"%s\"", t->subject);
}

static void
add_letter(struct buf *b, char c, const struct cert_trouble *t,
    const struct cert_wish *w)
{
	switch (c) {
	case 'w':
		add_whose(b, t);
		break;
	case 'i':
		buf_adds(b, t->issuer);
		break;
	case 'd':
		buf_adds(b, t->when);
		break;
	case 'n':
		buf_adds(b, w->name);
		break;
	case 'N':
		buf_adds(b, w->names[0] != '\0' ? w->names : "no name at all");
		break;
	default:
		buf_adds(b, w->crl != NULL ? w->crl : "the trust store");
		break;
	}
}

int
cert_trouble_err(const struct openssl *l, const struct cert_trouble *t,
    const struct cert_wish *w, struct err *e)
{
	const char *s = words_of(l, t->code);
	struct buf b;

	buf_init(&b, 4 * (size_t)ERR_TEXT_MAX);
	for (; *s != '\0'; s++)
		if (*s == '%' && s[1] != '\0')
			add_letter(&b, *++s, t, w);
		else
			buf_addc(&b, *s);
	err_set(e, ERR_TEMP, ERR_TLS, "%s", buf_str(&b));
	buf_free(&b);
	return -1;
}

/* ---- staples ---- */

static bool
must_staple(const struct openssl *l, const X509 *cert)
{
	OPENSSL_STACK *list =
	    l->X509_get_ext_d2i(cert, NID_tlsfeature, NULL, NULL);
	ASN1_INTEGER *n;
	bool must = false;
	int i;

	if (list == NULL)
		return false;
	for (i = 0; i < l->OPENSSL_sk_num(list); i++) {
		n = l->OPENSSL_sk_value(list, i);
		if (l->ASN1_INTEGER_get(n) == FEATURE_STATUS_REQUEST)
			must = true;
		l->ASN1_INTEGER_free(n);
	}
	l->OPENSSL_sk_free(list);
	return must;
}

/* What an answer says of one certificate; the dates belong to the answer. */
struct ocsp_status {
	int status;
	ASN1_GENERALIZEDTIME *revoked, *from, *until;
};

/* Responders name certificates by one of two digests. */
static bool
staple_find(const struct openssl *l, OCSP_BASICRESP *answer, X509 *cert,
    X509 *issuer, struct ocsp_status *s)
{
	const EVP_MD *digests[] = { l->EVP_sha1(), l->EVP_sha256() };
	OCSP_CERTID *id;
	bool found = false;
	size_t i;

	for (i = 0; i < 2 && !found; i++) {
		id = l->OCSP_cert_to_id(digests[i], cert, issuer);
		found = id != NULL &&
		    l->OCSP_resp_find_status(answer, id, &s->status, NULL,
			&s->revoked, &s->from, &s->until) == 1;
		l->OCSP_CERTID_free(id);
	}
	return found;
}

/* An answer whose signature holds: does it say "good", and now? */
static int
staple_says(const struct openssl *l, OCSP_BASICRESP *answer, X509 *cert,
    X509 *issuer, struct err *e)
{
	struct ocsp_status s = { 0 };
	char when[CERT_DATE_MAX], until[CERT_DATE_MAX];

	if (!staple_find(l, answer, cert, issuer, &s))
		return err_set(e, ERR_TEMP, ERR_TLS,
		    "the server staples an OCSP answer about another "
		    "certificate");
	/* A revocation does not end with the answer that tells of it. */
	if (s.status == V_OCSP_CERTSTATUS_REVOKED) {
		text_date(l, s.revoked, when);
		return err_set(e, ERR_TEMP, ERR_TLS,
		    "the server's certificate was revoked on %s (stapled OCSP "
		    "answer)",
		    when);
	}
	if (l->OCSP_check_validity(s.from, s.until, OCSP_SKEW,
		s.until == NULL ? OCSP_AGE : -1) != 1) {
		text_date(l, s.from, when);
		text_date(l, s.until, until);
		return err_set(e, ERR_TEMP, ERR_TLS,
		    "the server staples an OCSP answer that is not current "
		    "(from %s%s%s)",
		    when, s.until != NULL ? " until " : "", until);
	}
	if (s.status != V_OCSP_CERTSTATUS_GOOD)
		return err_set(e, ERR_TEMP, ERR_TLS,
		    "the issuer does not know the server's certificate "
		    "(stapled OCSP answer)");
	return 0;
}

static int
staple_check(const struct openssl *l, OCSP_RESPONSE *response,
    OPENSSL_STACK *chain, X509_STORE *trust, struct err *e)
{
	X509 *cert = l->OPENSSL_sk_value(chain, 0);
	X509 *issuer =
	    l->OPENSSL_sk_value(chain, l->OPENSSL_sk_num(chain) > 1 ? 1 : 0);
	int got = l->OCSP_response_status(response);
	OCSP_BASICRESP *answer;

	if (got != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		return err_set(e, ERR_TEMP, ERR_TLS,
		    "the server staples an OCSP answer that is none: %s",
		    l->OCSP_response_status_str(got));
	answer = l->OCSP_response_get1_basic(response);
	if (answer == NULL ||
	    l->OCSP_basic_verify(answer, (STACK_OF(X509) *)chain, trust, 0) !=
		1)
		got = err_set(e, ERR_TEMP, ERR_TLS,
		    "the server staples an OCSP answer that is not signed by "
		    "the certificate's issuer: %s",
		    openssl_reason(l));
	else
		got = staple_says(l, answer, cert, issuer, e);
	l->OCSP_BASICRESP_free(answer);
	return got;
}

int
cert_staple(const struct openssl *l, SSL *ssl, X509_STORE *trust,
    char ocsp[CERT_OCSP_MAX], struct err *e)
{
	OPENSSL_STACK *chain = (OPENSSL_STACK *)l->SSL_get0_verified_chain(ssl);
	const unsigned char *p = NULL;
	OCSP_RESPONSE *response;
	long n =
	    l->SSL_ctrl(ssl, SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP, 0, &p);
	int got;

	ocsp[0] = '\0';
	if (chain == NULL || l->OPENSSL_sk_num(chain) < 1)
		return err_set(e, ERR_TEMP, ERR_INTERNAL,
		    "a certificate was verified without a chain");
	if (n <= 0 || p == NULL)
		return must_staple(l, l->OPENSSL_sk_value(chain, 0))
		    ? err_set(e, ERR_TEMP, ERR_TLS,
			  "the server's certificate demands a stapled OCSP "
			  "answer, and the server sent none")
		    : 0;
	l->ERR_clear_error();
	response = l->d2i_OCSP_RESPONSE(NULL, &p, n);
	if (response == NULL)
		return err_set(e, ERR_TEMP, ERR_TLS,
		    "the server staples an OCSP answer that is damaged");
	got = staple_check(l, response, chain, trust, e);
	l->OCSP_RESPONSE_free(response);
	if (got == 0)
		snprintf(ocsp, CERT_OCSP_MAX, "good");
	return got;
}
