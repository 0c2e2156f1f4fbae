/*
 * settings: see settings.h. A new setting is a row, a name in the enum and,
 * if its values are of a new kind, a function of a few lines.
 * Callers: options.c, config.c, account.c.
 * It changes no value for another's sake: account.c does that.
 * RFC 5321 4.1.3 (literals of EHLO).
 * Ownership: see settings.h.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/when.h"
#include "cli/log.h"
#include "cli/priorities.h"
#include "cli/settings.h"
#include "cli/wishes.h"
#include "cli/words.h"
#include "mail/address.h"
#include "mail/complete.h"
#include "mail/envelope.h"
#include "net/dial.h"
#include "net/proxy.h"
#include "net/tls.h"
#include "params.h"
#include "smtp/sasl.h"
#include "smtp/xclient.h"

#define MAX_SECONDS 86400.0

bool
setting_is_domain(const char *s)
{
	size_t n = strlen(s);
	bool literal = n > 2 && s[0] == '[' && s[n - 1] == ']' &&
	    strspn(s + 1, "0123456789abcdefABCDEFIPv:.") == n - 2;

	return literal || address_is_hostname(s, n);
}

/* ---- values ---- */

static const char *
parse_text(const struct setting_row *row, struct setting *s)
{
	(void)row;
	(void)s;
	return NULL;
}

/* A name that is longer is none, and would be left out without a word. */
static const char *
parse_name(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return strlen(s->text) > 1000 ? "give at most 1000 octets" : NULL;
}

/* One of n words, whose place it means; else what to do. */
static const char *
one_of(
    struct setting *s, const char *const *words, int64_t n, const char *remedy)
{
	for (s->number = 0; s->number < n; s->number++)
		if (strcmp(s->text, words[s->number]) == 0)
			return NULL;
	return remedy;
}

static const char *
parse_flag(const struct setting_row *row, struct setting *s)
{
	static const char *const words[] = { "off", "on" };

	(void)row;
	return one_of(s, words, 2, "give on or off");
}

static const char *
parse_port(const struct setting_row *row, struct setting *s)
{
	(void)row;
	s->number = words_number(s->text, 65535);
	return s->number < 1 ? "give a number from 1 to 65535" : NULL;
}

static const char *
parse_fd(const struct setting_row *row, struct setting *s)
{
	(void)row;
	s->number = words_number(s->text, INT_MAX);
	return s->number < 3 ? "give the number of an open descriptor, over 2"
			     : NULL;
}

static const char *
parse_protocol(const struct setting_row *row, struct setting *s)
{
	static const char *const words[] = { "smtp", "lmtp" };

	(void)row;
	return one_of(s, words, 2, "give smtp or lmtp");
}

static const char *
parse_ip(const struct setting_row *row, struct setting *s)
{
	struct endpoint ep;

	(void)row;
	return endpoint_ip(&ep, s->text, 0) == -1
	    ? "give an IPv4 or IPv6 address of this machine"
	    : NULL;
}

static const char *
parse_proxy(const struct setting_row *row, struct setting *s)
{
	struct proxy p;
	struct err e;
	int got = proxy_parse(s->text, &p, &e);

	(void)row;
	explicit_bzero(&p, sizeof p);
	return got == -1
	    ? "give socks5:// or http://, perhaps USER:PASSWORD@, and "
	      "HOST[:PORT]"
	    : NULL;
}

/* A host's name or address. */
static const char *
parse_host(const struct setting_row *row, struct setting *s)
{
	struct endpoint ep;

	(void)row;
	return endpoint_ip(&ep, s->text, 0) == -1
	    ? words_no_name(s->text, "give a host name or an IP address")
	    : NULL;
}

/* What EHLO may say; what has a % in it is not known yet. */
static const char *
parse_domain(const struct setting_row *row, struct setting *s)
{
	(void)row;
	if (strchr(s->text, '%') != NULL || setting_is_domain(s->text))
		return NULL;
	return words_no_name(
	    s->text, "give a host name or an address literal like [192.0.2.1]");
}

/* Into milliseconds. */
static const char *
parse_timeout(const struct setting_row *row, struct setting *s)
{
	char *end;
	double v;

	(void)row;
	if (s->from.file != NULL && strcmp(s->text, "off") == 0)
		return NULL;
	errno = 0;
	v = strtod(s->text, &end);
	if (errno != 0 || end == s->text || *end != '\0' ||
	    !(v >= 0.001 && v <= MAX_SECONDS))
		return "give seconds, from 0.001 to 86400";
	s->number = (int64_t)(v * 1000);
	return NULL;
}

static const char *
parse_tls(const struct setting_row *row, struct setting *s)
{
	enum tls_level level;

	(void)row;
	if (strcmp(s->text, "on") == 0)
		level = TLS_VERIFY;
	else if (strcmp(s->text, "off") == 0)
		level = TLS_NONE;
	else if (tls_level_parse(s->text, &level) == -1)
		return "give on, off, none, may, encrypt, verify or auto";
	s->number = level;
	return NULL;
}

/* msmtp's word for the default. */
static const char *
parse_trust(const struct setting_row *row, struct setting *s)
{
	(void)row;
	if (s->from.file != NULL && strcmp(s->text, "system") == 0)
		s->text = NULL;
	return NULL;
}

static const char *
parse_fingerprint(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return tls_fingerprint_valid(s->text)
	    ? NULL
	    : "give the SHA-256 of the certificate or its key, 64 hexadecimal "
	      "digits; SHA-1 and MD5 can be forged";
}

static const char *
parse_pem(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return strncmp(s->text, "pkcs11:", 7) == 0
	    ? "keys on devices are not built in; give a PEM file"
	    : NULL;
}

static const char *
parse_tls_min(const struct setting_row *row, struct setting *s)
{
	unsigned min;

	(void)row;
	if (!tls_min_parse(s->text, &min))
		return "give 1.0, 1.1, 1.2 or 1.3";
	s->number = min;
	return NULL;
}

static const char *
parse_priorities(const struct setting_row *row, struct setting *s)
{
	(void)row;
	s->ignored = priorities_parse(s->text, &s->number) == -1;
	return NULL;
}

static const char *
parse_host_name(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return words_no_name(s->text, "give the host name to verify");
}

static const char *
parse_auth(const struct setting_row *row, struct setting *s)
{
	(void)row;
	s->number = strcmp(s->text, "off") != 0;
	if (s->number != 0 && strcmp(s->text, "on") != 0 &&
	    sasl_find(s->text) == NULL)
		return "give on, off, or a mechanism like plain or "
		       "scram-sha-256";
	return NULL;
}

/* When a field is made. */
static const char *
parse_header(const struct setting_row *row, struct setting *s)
{
	static const char *const words[] = { [COMPLETE_AUTO] = "auto",
		[COMPLETE_ON] = "on",
		[COMPLETE_OFF] = "off" };

	(void)row;
	return one_of(s, words, 3, "give auto, on or off");
}

/* Domains, or what may stand before them; other scripts become A-labels when
 * they are wanted. Without any item there is none. */
static const char *
parse_names(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return words_names(s->text)
	    ? NULL
	    : "give names like those of hosts, with commas between them";
}

static const char *
parse_canonicalization(const struct setting_row *row, struct setting *s)
{
	static const char *const forms[] = { "relaxed/relaxed",
		"relaxed/simple", "simple/relaxed", "simple/simple" };

	(void)row;
	return one_of(s, forms, 4, "give HEADER/BODY, each relaxed or simple");
}

static const char *
parse_notify(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return wish_notify(s->text, &s->number)
	    ? NULL
	    : "give never, or some of failure,delay,success";
}

static const char *
parse_return(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return wish_return(s->text, &s->number) ? NULL : "give full or hdrs";
}

static const char *
parse_envid(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return wish_envid(s->text)
	    ? NULL
	    : "give at most 100 printable ASCII characters (a blank, + and = "
	      "count as three)";
}

static const char *
parse_orcpt(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return params_orcpt_valid(s->text)
	    ? NULL
	    : "give TYPE;ADDRESS like rfc822;bob@example.net, printable and "
	      "short enough for one command";
}

static const char *
parse_by(const struct setting_row *row, struct setting *s)
{
	struct deliver_by by;

	(void)row;
	return wish_by(s->text, &by)
	    ? NULL
	    : "give a time like 90, 15m, 2h or 1d, and perhaps ,N (tell if it "
	      "is late) or ,R (then return it; over 0), and T (trace)";
}

static const char *
parse_hold_for(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return wish_hold_for(s->text, &s->number)
	    ? NULL
	    : "give a time like 90, 15m, 2h or 1d, at most 999999999 seconds";
}

static const char *
parse_hold_until(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return wish_hold_until(s->text, &s->number)
	    ? NULL
	    : "give a date with its zone, like 2026-12-24T18:00:00+01:00";
}

static const char *
parse_priority(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return wish_priority(s->text, &s->number)
	    ? NULL
	    : "give a number from -9 to 9";
}

static const char *
parse_queue(const struct setting_row *row, struct setting *s)
{
	static const char *const words[] = {
		[QUEUE_OFF] = "off", [QUEUE_ON] = "on", [QUEUE_ONLY] = "only"
	};

	(void)row;
	return one_of(s, words, 3, "give on, off or only");
}

static const char *
parse_xclient(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return xclient_valid(s->text)
	    ? NULL
	    : "give attributes like \"NAME=mx.example.net ADDR=192.0.2.1\"";
}

static const char *
parse_time_format(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return log_time_format(s->text)
	    ? NULL
	    : "give a format of strftime(3), like \"%b %d %H:%M:%S\"";
}

static const char *
parse_syslog(const struct setting_row *row, struct setting *s)
{
	(void)row;
	s->number = log_facility(s->text);
	return s->number != LOG_UNSAID
	    ? NULL
	    : "give on, off, LOG_MAIL, LOG_USER or LOG_LOCAL0 to LOG_LOCAL7";
}

/* Into seconds. */
static const char *
parse_span(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return when_span(s->text, strlen(s->text), &s->number) == 0
	    ? NULL
	    : "give a time like 90, 15m, 2h or 5d";
}

static const char *
parse_notice(const struct setting_row *row, struct setting *s)
{
	s->number = -1;
	return strcmp(s->text, "off") == 0 || parse_span(row, s) == NULL
	    ? NULL
	    : "give off, or a time like 90, 15m, 2h or 5d";
}

static const char *
parse_connections(const struct setting_row *row, struct setting *s)
{
	(void)row;
	s->number = words_number(s->text, 1000);
	return s->number < 1 ? "give a number from 1 to 1000" : NULL;
}

/* What is for later: taken, and said to be ignored unless it is done. */
static const char *
parse_later(const struct setting_row *row, struct setting *s)
{
	s->ignored = row->done == NULL || !words_has(row->done, s->text);
	return NULL;
}

/* ---- rows ---- */

const struct setting_row setting_rows[SETTINGS] = {
	[SET_HOST] = { .key = "host",
	    .option = "host",
	    .arg = "HOST[,...]",
	    .parse = parse_text,
	    .traits = SETTING_BOUND | SETTING_RELAY,
	    .help = "send all to [smtp[s]://|lmtp://]HOST[:PORT], mx:DOMAIN, "
		    "srv:DOMAIN or unix:/path, tried in order" },
	[SET_PORT] = { .key = "port",
	    .option = "port",
	    .arg = "N",
	    .parse = parse_port,
	    .traits = SETTING_RELAY,
	    .help = "port of the servers, instead of 25" },
	[SET_SOCKET] = { .key = "socket",
	    .parse = parse_text,
	    .traits = SETTING_BOUND | SETTING_PATH },
	[SET_PROTOCOL] = { .key = "protocol",
	    .parse = parse_protocol,
	    .traits = SETTING_BOUND },
	[SET_MX] = { .key = "mx",
	    .option = "mx",
	    .parse = parse_flag,
	    .traits = SETTING_BOUND,
	    .empty = "on",
	    .help = "send by MX, whatever is configured" },
	[SET_SOURCE_IP] = { .key = "source_ip",
	    .option = "source-ip",
	    .arg = "ADDRESS",
	    .parse = parse_ip,
	    .traits = SETTING_RELAY,
	    .help = "connect from this address" },
	[SET_PROXY] = { .key = "proxy",
	    .option = "proxy",
	    .arg = "URL",
	    .parse = parse_proxy,
	    .traits = SETTING_SECRET | SETTING_RELAY,
	    .help = "connect through socks5:// or "
		    "http://[USER:PASSWORD@]HOST[:PORT]" },
	[SET_PROXY_HOST] = { .key = "proxy_host", .parse = parse_host },
	[SET_PROXY_PORT] = { .key = "proxy_port", .parse = parse_port },
	[SET_DOMAIN] = { .key = "domain",
	    .option = "helo",
	    .arg = "NAME",
	    .parse = parse_domain,
	    .traits = SETTING_RELAY,
	    .help = "the name to introduce ourselves by" },
	[SET_TIMEOUT] = { .key = "timeout",
	    .option = "timeout",
	    .arg = "SECONDS",
	    .parse = parse_timeout,
	    .help = "most to wait for any single thing" },
	[SET_TLS] = { .key = "tls",
	    .option = "tls",
	    .arg = "LEVEL",
	    .parse = parse_tls,
	    .traits = SETTING_RELAY,
	    .empty = "on",
	    .help = "none, may, encrypt, verify or auto" },
	[SET_TLS_STARTTLS] = { .key = "tls_starttls",
	    .parse = parse_flag,
	    .traits = SETTING_BOUND,
	    .empty = "on" },
	[SET_TLS_CERTCHECK] = { .key = "tls_certcheck",
	    .parse = parse_flag,
	    .traits = SETTING_BOUND,
	    .empty = "on" },
	[SET_TLS_TRUST_FILE] = { .key = "tls_trust_file",
	    .option = "tls-trust-file",
	    .arg = "PATH",
	    .parse = parse_trust,
	    .traits = SETTING_PATH | SETTING_RELAY,
	    .help = "verify by this file or folder of certificates" },
	[SET_TLS_CRL_FILE] = { .key = "tls_crl_file",
	    .option = "tls-crl-file",
	    .arg = "PATH",
	    .parse = parse_text,
	    .traits = SETTING_PATH | SETTING_RELAY,
	    .help = "refuse the certificates that this list revokes" },
	[SET_TLS_FINGERPRINT] = { .key = "tls_fingerprint",
	    .option = "tls-fingerprint",
	    .arg = "SHA256",
	    .parse = parse_fingerprint,
	    .traits = SETTING_BOUND | SETTING_RELAY,
	    .help = "the one certificate, or its key, that is right" },
	[SET_TLS_HOST] = { .key = "tls_host_override",
	    .option = "tls-host",
	    .arg = "NAME",
	    .parse = parse_host_name,
	    .traits = SETTING_BOUND | SETTING_RELAY,
	    .help = "verify this name instead of the host's" },
	[SET_TLS_CERT_FILE] = { .key = "tls_cert_file",
	    .option = "tls-cert-file",
	    .arg = "PATH",
	    .parse = parse_pem,
	    .traits = SETTING_PATH | SETTING_BOUND | SETTING_RELAY,
	    .help = "our certificate, if the server wants one" },
	[SET_TLS_KEY_FILE] = { .key = "tls_key_file",
	    .option = "tls-key-file",
	    .arg = "PATH",
	    .parse = parse_pem,
	    .traits = SETTING_PATH | SETTING_BOUND | SETTING_RELAY,
	    .help = "its key, if it is in a file of its own" },
	[SET_TLS_MIN] = { .key = "tls_min",
	    .option = "tls-min",
	    .arg = "VERSION",
	    .parse = parse_tls_min,
	    .traits = SETTING_RELAY,
	    .help = "least version of TLS, instead of 1.2" },
	[SET_TLS_CIPHERS] = { .key = "tls_ciphers",
	    .option = "tls-ciphers",
	    .arg = "LIST",
	    .parse = parse_text,
	    .traits = SETTING_RELAY,
	    .help = "cipher suites, as openssl ciphers(1) writes them" },
	[SET_TLS_PRIORITIES] = { .key = "tls_priorities",
	    .parse = parse_priorities,
	    .note = "not all of it is understood, OpenSSL's defaults are "
		    "used; say it by tls_ciphers and tls_min" },
	[SET_TLS_DH_BITS] = { .key = "tls_min_dh_prime_bits",
	    .parse = parse_later,
	    .note = "OpenSSL sets that limit; see tls_ciphers" },
	[SET_TLS_KEYLOG] = { .option = "tls-keylog",
	    .arg = "FILE",
	    .parse = parse_text,
	    .help = "append the sessions' secrets, for a sniffer" },
	[SET_AUTH] = { .key = "auth",
	    .option = "auth",
	    .arg = "MECH|on|off",
	    .parse = parse_auth,
	    .traits = SETTING_BOUND | SETTING_RELAY,
	    .empty = "on",
	    .help = "authenticate, by this mechanism or the best" },
	[SET_USER] = { .key = "user",
	    .option = "user",
	    .arg = "NAME",
	    .parse = parse_text,
	    .traits = SETTING_BOUND | SETTING_RELAY,
	    .help = "the name to authenticate by" },
	[SET_AUTHZID] = { .key = "authzid",
	    .option = "authzid",
	    .arg = "NAME",
	    .parse = parse_text,
	    .traits = SETTING_BOUND | SETTING_RELAY,
	    .help = "act as this user" },
	[SET_NTLMDOMAIN] = { .key = "ntlmdomain",
	    .parse = parse_later,
	    .note = "NTLM is not built in" },
	[SET_PASSWORD] = { .key = "password",
	    .parse = parse_text,
	    .traits = SETTING_SECRET | SETTING_BOUND | SETTING_SOURCE },
	[SET_PASSWORD_FD] = { .option = "password-fd",
	    .arg = "N",
	    .parse = parse_fd,
	    .traits = SETTING_BOUND | SETTING_SOURCE | SETTING_RELAY,
	    .help = "read the password from this descriptor" },
	[SET_PASSWORDEVAL] = { .key = "passwordeval",
	    .option = "passwordeval",
	    .arg = "COMMAND",
	    .parse = parse_text,
	    .traits = SETTING_COMMAND | SETTING_BOUND | SETTING_SOURCE |
		SETTING_RELAY,
	    .help = "the password is what this prints (by sh)" },
	[SET_PASSWORDCMD] = { .key = "passwordcmd",
	    .option = "passwordcmd",
	    .arg = "COMMAND",
	    .parse = parse_text,
	    .traits = SETTING_COMMAND | SETTING_BOUND | SETTING_SOURCE |
		SETTING_RELAY,
	    .help = "the same without a shell" },
	[SET_PASSWORDFILE] = { .key = "passwordfile",
	    .option = "passwordfile",
	    .arg = "PATH",
	    .parse = parse_text,
	    .traits =
		SETTING_PATH | SETTING_BOUND | SETTING_SOURCE | SETTING_RELAY,
	    .help = "the password is this file's first line" },
	[SET_INSECURE_AUTH] = { .key = "insecure_auth",
	    .option = "insecure-auth",
	    .parse = parse_flag,
	    .traits = SETTING_BOUND | SETTING_RELAY,
	    .empty = "on",
	    .help = "send the password over any connection" },
	[SET_FROM] = { .key = "from", .parse = parse_text },
	[SET_ALLOW_FROM_OVERRIDE] = { .key = "allow_from_override",
	    .parse = parse_flag,
	    .empty = "on" },
	[SET_AUTO_FROM] = { .key = "auto_from",
	    .parse = parse_flag,
	    .empty = "on" },
	[SET_MAILDOMAIN] = { .key = "maildomain", .parse = parse_text },
	[SET_FROM_FULL_NAME] = { .key = "from_full_name", .parse = parse_name },
	[SET_FROM_HEADER] = { .key = "set_from_header",
	    .option = "set-from-header",
	    .arg = "WHEN",
	    .parse = parse_header,
	    .empty = "on",
	    .help = "From: auto (if missing), on (replace it), off" },
	[SET_DATE_HEADER] = { .key = "set_date_header",
	    .option = "set-date-header",
	    .arg = "WHEN",
	    .parse = parse_header,
	    .empty = "auto",
	    .help = "the same for Date" },
	[SET_MSGID_HEADER] = { .key = "set_msgid_header",
	    .option = "set-msgid-header",
	    .arg = "WHEN",
	    .parse = parse_header,
	    .empty = "auto",
	    .help = "the same for Message-ID" },
	[SET_TO_HEADER] = { .key = "set_to_header",
	    .option = "set-to-header",
	    .arg = "WHEN",
	    .parse = parse_header,
	    .empty = "auto",
	    .help = "the same for To; on: list the recipients" },
	[SET_MISSING_FROM] = { .key = "add_missing_from_header",
	    .parse = parse_flag,
	    .empty = "on" },
	[SET_MISSING_DATE] = { .key = "add_missing_date_header",
	    .parse = parse_flag,
	    .empty = "on" },
	[SET_REMOVE_BCC] = { .key = "remove_bcc_headers",
	    .parse = parse_flag,
	    .empty = "on" },
	[SET_DKIM_DOMAIN] = { .key = "dkim_domain",
	    .option = "dkim-domain",
	    .arg = "DOMAIN[,...]",
	    .parse = parse_names,
	    .help = "sign mail from this domain (DKIM); '' signs nothing" },
	[SET_DKIM_SELECTOR] = { .key = "dkim_selector",
	    .option = "dkim-selector",
	    .arg = "NAME[,...]",
	    .parse = parse_names,
	    .help = "where below the domain its DKIM key is published" },
	[SET_DKIM_KEY] = { .key = "dkim_key",
	    .option = "dkim-key",
	    .arg = "FILE[,...]",
	    .parse = parse_text,
	    .traits = SETTING_PATH | SETTING_LIST,
	    .help = "the private DKIM key, as PEM" },
	[SET_DKIM_PASSWORDEVAL] = { .key = "dkim_passwordeval",
	    .option = "dkim-passwordeval",
	    .arg = "COMMAND",
	    .parse = parse_text,
	    .traits = SETTING_COMMAND,
	    .help = "the passphrase of that key is what this prints" },
	[SET_DKIM_CANONICALIZATION] = { .key = "dkim_canonicalization",
	    .option = "dkim-canonicalization",
	    .arg = "HEADER/BODY",
	    .parse = parse_canonicalization,
	    .help = "what relays may change: relaxed or simple each" },
	[SET_UNDISCLOSED] = { .key = "undisclosed_recipients",
	    .option = "undisclosed-recipients",
	    .parse = parse_flag,
	    .empty = "on",
	    .help = "one To that names nobody, instead of To, Cc and Bcc" },
	[SET_DSN_NOTIFY] = { .key = "dsn_notify",
	    .option = "dsn-notify",
	    .arg = "LIST",
	    .letter = 'N',
	    .parse = parse_notify,
	    .help = "report never, or on failure,delay,success" },
	[SET_DSN_RETURN] = { .key = "dsn_return",
	    .option = "dsn-return",
	    .arg = "full|hdrs",
	    .letter = 'R',
	    .parse = parse_return,
	    .help = "how much of the message a report has" },
	[SET_ENVID] = { .option = "envid",
	    .arg = "ID",
	    .letter = 'V',
	    .parse = parse_envid,
	    .help = "what reports repeat, to know them by" },
	[SET_ORCPT] = { .option = "orcpt",
	    .arg = "TYPE;ADDRESS",
	    .parse = parse_orcpt,
	    .help = "the recipient as reports are to name it" },
	[SET_BY_TIME] = { .key = "deliver_by",
	    .option = "by-time",
	    .arg = "TIME[,MODE]",
	    .parse = parse_by,
	    .help = "deliver it by then; or tell (N), or return it (R)" },
	[SET_HOLD_FOR] = { .option = "hold-for",
	    .arg = "TIME",
	    .parse = parse_hold_for,
	    .help = "the server is to hold it so long" },
	[SET_HOLD_UNTIL] = { .option = "hold-until",
	    .arg = "DATE",
	    .parse = parse_hold_until,
	    .help = "the server is to hold it until then" },
	[SET_PRIORITY] = { .key = "priority",
	    .option = "priority",
	    .arg = "N",
	    .parse = parse_priority,
	    .help = "how urgent it is, -9 to 9" },
	[SET_SUBMITTER] = { .key = "submitter",
	    .option = "submitter",
	    .arg = "ADDRESS|<>",
	    .parse = parse_text,
	    .help = "who wrote it, for servers that trust us" },
	[SET_XCLIENT] = { .option = "xclient",
	    .arg = "NAME=VALUE...",
	    .parse = parse_xclient,
	    .traits = SETTING_RELAY,
	    .help = "speak for another client, for tests" },
	[SET_LOGFILE] = { .key = "logfile",
	    .parse = parse_text,
	    .traits = SETTING_PATH },
	[SET_LOGFILE_TIME] = { .key = "logfile_time_format",
	    .parse = parse_time_format },
	[SET_SYSLOG] = { .key = "syslog",
	    .parse = parse_syslog,
	    .empty = "on" },
	[SET_ALIASES] = { .key = "aliases",
	    .parse = parse_later,
	    .note = "aliases are not built in yet; name whole addresses" },
	[SET_QUEUE] = { .key = "queue",
	    .option = "queue",
	    .arg = "[=only]",
	    .parse = parse_queue,
	    .empty = "on",
	    .help = "keep what fails for now, and try it again" },
	[SET_QUEUE_LIFETIME] = { .key = "queue_lifetime", .parse = parse_span },
	[SET_QUEUE_NOTICE] = { .key = "queue_delay_notice",
	    .parse = parse_notice },
	[SET_QUEUE_CONNECTIONS] = { .key = "queue_connections",
	    .parse = parse_connections },
	[SET_QUEUE_RUNNER] = { .key = "queue_runner",
	    .parse = parse_flag,
	    .empty = "on" },
};

/* ---- taking them ---- */

const char *
settings_place(
    const struct settings *s, enum setting_id id, char out[SETTING_PLACE_MAX])
{
	const struct setting_row *row = &setting_rows[id];
	const struct origin *from = &s->at[id].from;

	if (from->file == NULL)
		snprintf(out, SETTING_PLACE_MAX, "--%s", row->option);
	else
		snprintf(out, SETTING_PLACE_MAX, "%.250s:%u: %s", from->file,
		    from->line, row->key);
	return out;
}

const char *
settings_said(
    const struct settings *s, enum setting_id id, char out[SETTING_PLACE_MAX])
{
	const struct setting_row *row = &setting_rows[id];
	const struct origin *from = &s->at[id].from;

	if (from->file == NULL)
		snprintf(out, SETTING_PLACE_MAX, "--%s", row->option);
	else
		snprintf(out, SETTING_PLACE_MAX, "%s in %.250s:%u", row->key,
		    from->file, from->line);
	return out;
}

static int
bad(const struct settings *s, enum setting_id id, const char *value,
    const char *remedy, struct err *e)
{
	char place[SETTING_PLACE_MAX];
	bool secret = (setting_rows[id].traits & SETTING_SECRET) != 0;

	return err_set(e, ERR_PERM,
	    s->at[id].from.file == NULL ? ERR_USAGE : ERR_CONFIG,
	    "%s%s%.200s%s: %s", settings_place(s, id, place),
	    secret ? "" : " \"", secret ? "" : value, secret ? "" : "\"",
	    remedy);
}

int
settings_set(struct settings *s, enum setting_id id, const char *value,
    const struct origin *from, struct err *e)
{
	const struct setting_row *row = &setting_rows[id];
	const char *remedy = NULL;

	if (*value == '\0' && from->file != NULL)
		value = row->empty;
	s->at[id] =
	    (struct setting){ .given = true, .text = value, .from = *from };
	if (value != NULL)
		remedy = row->parse(row, &s->at[id]);
	return remedy != NULL ? bad(s, id, value, remedy, e) : 0;
}

void
settings_drop(struct settings *s, unsigned traits)
{
	size_t i;

	for (i = 0; i < SETTINGS; i++)
		if ((setting_rows[i].traits & traits) != 0)
			s->at[i] = (struct setting){ 0 };
}

void
settings_merge(struct settings *to, const struct settings *over)
{
	size_t i;

	for (i = 0; i < SETTINGS; i++)
		if (over->at[i].given &&
		    (setting_rows[i].traits & SETTING_SOURCE) != 0)
			settings_drop(to, SETTING_SOURCE);
	for (i = 0; i < SETTINGS; i++)
		if (over->at[i].given)
			to->at[i] = over->at[i];
}
