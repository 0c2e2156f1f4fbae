/*
 * openssl: OpenSSL 3, loaded when the first connection wants it.
 * Called by tls.c and cert.c, and by nobody else; the one home of openssl/
 * headers but for base/crypto.c. It decides nothing.
 * A run that uses no TLS does not pay the 1.1 ms that linking it costs.
 * dlopen(3); openssl ssl(7), crypto(7).
 * Ownership: the library stays loaded until the process ends.
 */
#ifndef NET_OPENSSL_H
#define NET_OPENSSL_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct err;

/* All that is called in it, a row each. */
#define OPENSSL_SYMBOLS(X)                                                     \
	X(ASN1_GENERALIZEDTIME_free)                                           \
	X(ASN1_INTEGER_free)                                                   \
	X(ASN1_INTEGER_get)                                                    \
	X(ASN1_STRING_get0_data)                                               \
	X(ASN1_STRING_length)                                                  \
	X(ASN1_TIME_to_tm)                                                     \
	X(ERR_clear_error)                                                     \
	X(ERR_peek_error)                                                      \
	X(ERR_reason_error_string)                                             \
	X(EVP_Digest)                                                          \
	X(EVP_sha1)                                                            \
	X(EVP_sha256)                                                          \
	X(GENERAL_NAMES_free)                                                  \
	X(OBJ_nid2sn)                                                          \
	X(OCSP_BASICRESP_free)                                                 \
	X(OCSP_CERTID_free)                                                    \
	X(OCSP_RESPONSE_free)                                                  \
	X(OCSP_basic_verify)                                                   \
	X(OCSP_cert_to_id)                                                     \
	X(OCSP_check_validity)                                                 \
	X(OCSP_resp_find_status)                                               \
	X(OCSP_response_get1_basic)                                            \
	X(OCSP_response_status)                                                \
	X(OCSP_response_status_str)                                            \
	X(OPENSSL_sk_num)                                                      \
	X(OPENSSL_sk_free)                                                     \
	X(OPENSSL_sk_value)                                                    \
	X(SSL_CIPHER_get_name)                                                 \
	X(SSL_CTX_check_private_key)                                           \
	X(SSL_CTX_ctrl)                                                        \
	X(SSL_CTX_free)                                                        \
	X(SSL_CTX_get0_param)                                                  \
	X(SSL_CTX_get_cert_store)                                              \
	X(SSL_CTX_get_security_level)                                          \
	X(SSL_CTX_load_verify_dir)                                             \
	X(SSL_CTX_load_verify_file)                                            \
	X(SSL_CTX_new)                                                         \
	X(SSL_CTX_set_cert_verify_callback)                                    \
	X(SSL_CTX_set_cipher_list)                                             \
	X(SSL_CTX_set_ciphersuites)                                            \
	X(SSL_CTX_set_default_passwd_cb)                                       \
	X(SSL_CTX_set_default_passwd_cb_userdata)                              \
	X(SSL_CTX_set_keylog_callback)                                         \
	X(SSL_CTX_set_options)                                                 \
	X(SSL_CTX_set_security_level)                                          \
	X(SSL_CTX_use_PrivateKey_file)                                         \
	X(SSL_CTX_use_certificate_chain_file)                                  \
	X(SSL_connect)                                                         \
	X(SSL_ctrl)                                                            \
	X(SSL_export_keying_material)                                          \
	X(SSL_free)                                                            \
	X(SSL_get0_param)                                                      \
	X(SSL_get0_peer_CA_list)                                               \
	X(SSL_get0_verified_chain)                                             \
	X(SSL_get_current_cipher)                                              \
	X(SSL_get_error)                                                       \
	X(SSL_get_ex_data)                                                     \
	X(SSL_get_ex_data_X509_STORE_CTX_idx)                                  \
	X(SSL_get_finished)                                                    \
	X(SSL_get_peer_finished)                                               \
	X(SSL_get_version)                                                     \
	X(SSL_has_pending)                                                     \
	X(SSL_new)                                                             \
	X(SSL_read)                                                            \
	X(SSL_session_reused)                                                  \
	X(SSL_set_ex_data)                                                     \
	X(SSL_set_fd)                                                          \
	X(SSL_set_verify)                                                      \
	X(SSL_shutdown)                                                        \
	X(SSL_version)                                                         \
	X(SSL_write)                                                           \
	X(TLS_client_method)                                                   \
	X(X509_CRL_free)                                                       \
	X(X509_CRL_get0_lastUpdate)                                            \
	X(X509_CRL_get0_nextUpdate)                                            \
	X(X509_LOOKUP_file)                                                    \
	X(X509_NAME_get_text_by_NID)                                           \
	X(X509_STORE_CTX_get0_cert)                                            \
	X(X509_STORE_CTX_get0_param)                                           \
	X(X509_STORE_CTX_get1_crls)                                            \
	X(X509_STORE_CTX_get_current_cert)                                     \
	X(X509_STORE_CTX_get_error)                                            \
	X(X509_STORE_CTX_get_error_depth)                                      \
	X(X509_STORE_CTX_get_ex_data)                                          \
	X(X509_STORE_CTX_set_error)                                            \
	X(X509_STORE_add_lookup)                                               \
	X(X509_VERIFY_PARAM_set1_host)                                         \
	X(X509_VERIFY_PARAM_set1_ip_asc)                                       \
	X(X509_VERIFY_PARAM_set_auth_level)                                    \
	X(X509_VERIFY_PARAM_set_flags)                                         \
	X(X509_VERIFY_PARAM_set_hostflags)                                     \
	X(X509_free)                                                           \
	X(X509_get0_notAfter)                                                  \
	X(X509_get0_notBefore)                                                 \
	X(X509_get_X509_PUBKEY)                                                \
	X(X509_get_ext_d2i)                                                    \
	X(X509_get_issuer_name)                                                \
	X(X509_get_subject_name)                                               \
	X(X509_load_crl_file)                                                  \
	X(X509_up_ref)                                                         \
	X(X509_verify_cert)                                                    \
	X(X509_verify_cert_error_string)                                       \
	X(d2i_OCSP_RESPONSE)                                                   \
	X(i2d_X509)                                                            \
	X(i2d_X509_PUBKEY)

struct openssl {
	void *ssl, *crypto; /* dlopen(3)'s */
#define OPENSSL_FIELD(name) __typeof__(name) *(name);
	OPENSSL_SYMBOLS(OPENSSL_FIELD)
#undef OPENSSL_FIELD
};

/* Load it and fill the table. 0, or -1 with *e (temporary, TLS): the library
 * or the function that is not there. */
int openssl_load(struct openssl *, struct err *e);

/* The oldest error it keeps: what an alert means and what can be done, or the
 * library's short words ("wrong version number"), or the system's. Never NULL,
 * not owned; good until the next error of the system. */
const char *openssl_reason(const struct openssl *);

/* What was given to SSL_set_ex_data(ssl, 0): for the one callback that is
 * told nothing but its SSL. Slow. NULL if there is nothing. */
void *openssl_data(const SSL *);

#endif
