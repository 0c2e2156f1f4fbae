/*
 * settings: see settings.h. A new setting is a row, a name in the enum and,
 * if its values are of a new kind, a function in values.c.
 * Callers: options.c, config.c, account.c.
 * It changes no value for another's sake: account.c does that.
 * Source: the project's own design.
 * Ownership: see settings.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/settings.h"
#include "cli/values.h"

/* ---- rows ---- */

const struct setting_row setting_rows[SETTINGS] = {
	[SET_HOST] = { .key = "host",
	    .option = "host",
	    .arg = "HOST[,...]",
	    .parse = values_text,
	    .traits = SETTING_BOUND | SETTING_RELAY,
	    .help = "send all to [smtp[s]://|lmtp://]HOST[:PORT], mx:DOMAIN, "
		    "srv:DOMAIN or unix:/path, tried in order" },
	[SET_PORT] = { .key = "port",
	    .option = "port",
	    .arg = "N",
	    .parse = values_port,
	    .traits = SETTING_RELAY,
	    .help = "port of the servers, instead of 25" },
	[SET_SOCKET] = { .key = "socket",
	    .parse = values_text,
	    .traits = SETTING_BOUND | SETTING_PATH },
	[SET_PROTOCOL] = { .key = "protocol",
	    .parse = values_protocol,
	    .traits = SETTING_BOUND },
	[SET_MX] = { .key = "mx",
	    .option = "mx",
	    .parse = values_flag,
	    .traits = SETTING_BOUND,
	    .empty = "on",
	    .help = "send by MX, whatever is configured" },
	[SET_SOURCE_IP] = { .key = "source_ip",
	    .option = "source-ip",
	    .arg = "ADDRESS",
	    .parse = values_ip,
	    .traits = SETTING_RELAY,
	    .help = "connect from this address" },
	[SET_PROXY] = { .key = "proxy",
	    .option = "proxy",
	    .arg = "URL",
	    .parse = values_proxy,
	    .traits = SETTING_SECRET | SETTING_RELAY,
	    .help = "connect through socks5:// or "
		    "http://[USER:PASSWORD@]HOST[:PORT]" },
	[SET_PROXY_HOST] = { .key = "proxy_host", .parse = values_host },
	[SET_PROXY_PORT] = { .key = "proxy_port", .parse = values_port },
	[SET_DOMAIN] = { .key = "domain",
	    .option = "helo",
	    .arg = "NAME",
	    .parse = values_domain,
	    .traits = SETTING_RELAY,
	    .help = "the name to introduce ourselves by" },
	[SET_TIMEOUT] = { .key = "timeout",
	    .option = "timeout",
	    .arg = "SECONDS",
	    .parse = values_timeout,
	    .help = "most to wait for any single thing" },
	[SET_TLS] = { .key = "tls",
	    .option = "tls",
	    .arg = "LEVEL",
	    .parse = values_tls,
	    .traits = SETTING_RELAY,
	    .empty = "on",
	    .help = "none, may, encrypt, verify or auto" },
	[SET_TLS_STARTTLS] = { .key = "tls_starttls",
	    .parse = values_flag,
	    .traits = SETTING_BOUND,
	    .empty = "on" },
	[SET_TLS_CERTCHECK] = { .key = "tls_certcheck",
	    .parse = values_flag,
	    .traits = SETTING_BOUND,
	    .empty = "on" },
	[SET_TLS_TRUST_FILE] = { .key = "tls_trust_file",
	    .option = "tls-trust-file",
	    .arg = "PATH",
	    .parse = values_trust,
	    .traits = SETTING_PATH | SETTING_RELAY,
	    .help = "verify by this file or folder of certificates" },
	[SET_TLS_CRL_FILE] = { .key = "tls_crl_file",
	    .option = "tls-crl-file",
	    .arg = "PATH",
	    .parse = values_text,
	    .traits = SETTING_PATH | SETTING_RELAY,
	    .help = "refuse the certificates that this list revokes" },
	[SET_TLS_FINGERPRINT] = { .key = "tls_fingerprint",
	    .option = "tls-fingerprint",
	    .arg = "SHA256",
	    .parse = values_fingerprint,
	    .traits = SETTING_BOUND | SETTING_RELAY,
	    .help = "the one certificate, or its key, that is right" },
	[SET_TLS_HOST] = { .key = "tls_host_override",
	    .option = "tls-host",
	    .arg = "NAME",
	    .parse = values_host_name,
	    .traits = SETTING_BOUND | SETTING_RELAY,
	    .help = "verify this name instead of the host's" },
	[SET_TLS_CERT_FILE] = { .key = "tls_cert_file",
	    .option = "tls-cert-file",
	    .arg = "PATH",
	    .parse = values_pem,
	    .traits = SETTING_PATH | SETTING_BOUND | SETTING_RELAY,
	    .help = "our certificate, if the server wants one" },
	[SET_TLS_KEY_FILE] = { .key = "tls_key_file",
	    .option = "tls-key-file",
	    .arg = "PATH",
	    .parse = values_pem,
	    .traits = SETTING_PATH | SETTING_BOUND | SETTING_RELAY,
	    .help = "its key, if it is in a file of its own" },
	[SET_TLS_MIN] = { .key = "tls_min",
	    .option = "tls-min",
	    .arg = "VERSION",
	    .parse = values_tls_min,
	    .traits = SETTING_RELAY,
	    .help = "least version of TLS, instead of 1.2" },
	[SET_TLS_CIPHERS] = { .key = "tls_ciphers",
	    .option = "tls-ciphers",
	    .arg = "LIST",
	    .parse = values_text,
	    .traits = SETTING_RELAY,
	    .help = "cipher suites, as openssl ciphers(1) writes them" },
	[SET_TLS_PRIORITIES] = { .key = "tls_priorities",
	    .parse = values_priorities,
	    .note = "not all of it is understood, OpenSSL's defaults are "
		    "used; say it by tls_ciphers and tls_min" },
	[SET_TLS_DH_BITS] = { .key = "tls_min_dh_prime_bits",
	    .parse = values_later,
	    .note = "OpenSSL sets that limit; see tls_ciphers" },
	[SET_TLS_KEYLOG] = { .option = "tls-keylog",
	    .arg = "FILE",
	    .parse = values_text,
	    .help = "append the sessions' secrets, for a sniffer" },
	[SET_AUTH] = { .key = "auth",
	    .option = "auth",
	    .arg = "MECH|on|off",
	    .parse = values_auth,
	    .traits = SETTING_BOUND | SETTING_RELAY,
	    .empty = "on",
	    .help = "authenticate, by this mechanism or the best" },
	[SET_USER] = { .key = "user",
	    .option = "user",
	    .arg = "NAME",
	    .parse = values_text,
	    .traits = SETTING_BOUND | SETTING_RELAY,
	    .help = "the name to authenticate by" },
	[SET_AUTHZID] = { .key = "authzid",
	    .option = "authzid",
	    .arg = "NAME",
	    .parse = values_text,
	    .traits = SETTING_BOUND | SETTING_RELAY,
	    .help = "act as this user" },
	[SET_NTLMDOMAIN] = { .key = "ntlmdomain",
	    .parse = values_later,
	    .note = "NTLM is not built in" },
	[SET_PASSWORD] = { .key = "password",
	    .parse = values_text,
	    .traits = SETTING_SECRET | SETTING_BOUND | SETTING_SOURCE },
	[SET_PASSWORD_FD] = { .option = "password-fd",
	    .arg = "N",
	    .parse = values_fd,
	    .traits = SETTING_BOUND | SETTING_SOURCE | SETTING_RELAY,
	    .help = "read the password from this descriptor" },
	[SET_PASSWORDEVAL] = { .key = "passwordeval",
	    .option = "passwordeval",
	    .arg = "COMMAND",
	    .parse = values_text,
	    .traits = SETTING_COMMAND | SETTING_BOUND | SETTING_SOURCE |
		SETTING_RELAY,
	    .help = "the password is what this prints (by sh)" },
	[SET_PASSWORDCMD] = { .key = "passwordcmd",
	    .option = "passwordcmd",
	    .arg = "COMMAND",
	    .parse = values_text,
	    .traits = SETTING_COMMAND | SETTING_BOUND | SETTING_SOURCE |
		SETTING_RELAY,
	    .help = "the same without a shell" },
	[SET_PASSWORDFILE] = { .key = "passwordfile",
	    .option = "passwordfile",
	    .arg = "PATH",
	    .parse = values_text,
	    .traits =
		SETTING_PATH | SETTING_BOUND | SETTING_SOURCE | SETTING_RELAY,
	    .help = "the password is this file's first line" },
	[SET_INSECURE_AUTH] = { .key = "insecure_auth",
	    .option = "insecure-auth",
	    .parse = values_flag,
	    .traits = SETTING_BOUND | SETTING_RELAY,
	    .empty = "on",
	    .help = "send the password over any connection" },
	[SET_FROM] = { .key = "from", .parse = values_text },
	[SET_ALLOW_FROM_OVERRIDE] = { .key = "allow_from_override",
	    .parse = values_flag,
	    .empty = "on" },
	[SET_AUTO_FROM] = { .key = "auto_from",
	    .parse = values_flag,
	    .empty = "on" },
	[SET_MAILDOMAIN] = { .key = "maildomain", .parse = values_maildomain },
	[SET_FROM_FULL_NAME] = { .key = "from_full_name",
	    .parse = values_name },
	[SET_FROM_HEADER] = { .key = "set_from_header",
	    .option = "set-from-header",
	    .arg = "WHEN",
	    .parse = values_header,
	    .empty = "on",
	    .help = "From: auto (if missing), on (replace it), off" },
	[SET_DATE_HEADER] = { .key = "set_date_header",
	    .option = "set-date-header",
	    .arg = "WHEN",
	    .parse = values_header,
	    .empty = "auto",
	    .help = "the same for Date" },
	[SET_MSGID_HEADER] = { .key = "set_msgid_header",
	    .option = "set-msgid-header",
	    .arg = "WHEN",
	    .parse = values_header,
	    .empty = "auto",
	    .help = "the same for Message-ID" },
	[SET_TO_HEADER] = { .key = "set_to_header",
	    .option = "set-to-header",
	    .arg = "WHEN",
	    .parse = values_header,
	    .empty = "auto",
	    .help = "the same for To; on: list the recipients" },
	[SET_MISSING_FROM] = { .key = "add_missing_from_header",
	    .parse = values_flag,
	    .empty = "on" },
	[SET_MISSING_DATE] = { .key = "add_missing_date_header",
	    .parse = values_flag,
	    .empty = "on" },
	[SET_REMOVE_BCC] = { .key = "remove_bcc_headers",
	    .parse = values_flag,
	    .empty = "on" },
	[SET_STRIP_DOTS] = { .key = "strip_dots",
	    .parse = values_flag,
	    .empty = "on" },
	[SET_DKIM_DOMAIN] = { .key = "dkim_domain",
	    .option = "dkim-domain",
	    .arg = "DOMAIN[,...]",
	    .parse = values_names,
	    .help = "sign mail from this domain (DKIM); '' signs nothing" },
	[SET_DKIM_SELECTOR] = { .key = "dkim_selector",
	    .option = "dkim-selector",
	    .arg = "NAME[,...]",
	    .parse = values_names,
	    .help = "where below the domain its DKIM key is published" },
	[SET_DKIM_KEY] = { .key = "dkim_key",
	    .option = "dkim-key",
	    .arg = "FILE[,...]",
	    .parse = values_text,
	    .traits = SETTING_PATH | SETTING_LIST,
	    .help = "the private DKIM key, as PEM" },
	[SET_DKIM_PASSWORDEVAL] = { .key = "dkim_passwordeval",
	    .option = "dkim-passwordeval",
	    .arg = "COMMAND",
	    .parse = values_text,
	    .traits = SETTING_COMMAND,
	    .help = "the passphrase of that key is what this prints" },
	[SET_DKIM_CANONICALIZATION] = { .key = "dkim_canonicalization",
	    .option = "dkim-canonicalization",
	    .arg = "HEADER/BODY",
	    .parse = values_canonicalization,
	    .help = "what relays may change: relaxed or simple each" },
	[SET_UNDISCLOSED] = { .key = "undisclosed_recipients",
	    .option = "undisclosed-recipients",
	    .parse = values_flag,
	    .empty = "on",
	    .help = "one To that names nobody, instead of To, Cc and Bcc" },
	[SET_DSN_NOTIFY] = { .key = "dsn_notify",
	    .option = "dsn-notify",
	    .arg = "LIST",
	    .letter = 'N',
	    .parse = values_notify,
	    .help = "report never, or on failure,delay,success" },
	[SET_DSN_RETURN] = { .key = "dsn_return",
	    .option = "dsn-return",
	    .arg = "full|hdrs",
	    .letter = 'R',
	    .parse = values_return,
	    .help = "how much of the message a report has" },
	[SET_ENVID] = { .option = "envid",
	    .arg = "ID",
	    .letter = 'V',
	    .parse = values_envid,
	    .help = "what reports repeat, to know them by" },
	[SET_ORCPT] = { .option = "orcpt",
	    .arg = "TYPE;ADDRESS",
	    .parse = values_orcpt,
	    .help = "the recipient as reports are to name it" },
	[SET_BY_TIME] = { .key = "deliver_by",
	    .option = "by-time",
	    .arg = "TIME[,MODE]",
	    .parse = values_by,
	    .help = "deliver it by then; or tell (N), or return it (R)" },
	[SET_HOLD_FOR] = { .option = "hold-for",
	    .arg = "TIME",
	    .parse = values_hold_for,
	    .help = "the server is to hold it so long" },
	[SET_HOLD_UNTIL] = { .option = "hold-until",
	    .arg = "DATE",
	    .parse = values_hold_until,
	    .help = "the server is to hold it until then" },
	[SET_PRIORITY] = { .key = "priority",
	    .option = "priority",
	    .arg = "N",
	    .parse = values_priority,
	    .help = "how urgent it is, -9 to 9" },
	[SET_SUBMITTER] = { .key = "submitter",
	    .option = "submitter",
	    .arg = "ADDRESS|<>",
	    .parse = values_text,
	    .help = "who wrote it, for servers that trust us" },
	[SET_XCLIENT] = { .option = "xclient",
	    .arg = "NAME=VALUE...",
	    .parse = values_xclient,
	    .traits = SETTING_RELAY,
	    .help = "speak for another client, for tests" },
	[SET_LOGFILE] = { .key = "logfile",
	    .parse = values_text,
	    .traits = SETTING_PATH },
	[SET_LOGFILE_TIME] = { .key = "logfile_time_format",
	    .parse = values_time_format },
	[SET_SYSLOG] = { .key = "syslog",
	    .parse = values_syslog,
	    .empty = "on" },
	[SET_ALIASES] = { .key = "aliases",
	    .parse = values_text,
	    .traits = SETTING_PATH },
	[SET_LOCAL_DOMAINS] = { .key = "local_domains", .parse = values_names },
	[SET_LOCAL] = { .key = "local",
	    .parse = values_local,
	    .traits = SETTING_COMMAND },
	[SET_QUEUE] = { .key = "queue",
	    .option = "queue",
	    .arg = "[=only]",
	    .parse = values_queue,
	    .empty = "on",
	    .help = "keep what fails for now, and try it again" },
	[SET_QUEUE_LIFETIME] = { .key = "queue_lifetime",
	    .parse = values_span },
	[SET_QUEUE_NOTICE] = { .key = "queue_delay_notice",
	    .parse = values_notice },
	[SET_QUEUE_CONNECTIONS] = { .key = "queue_connections",
	    .parse = values_connections },
	[SET_QUEUE_RUNNER] = { .key = "queue_runner",
	    .parse = values_flag,
	    .empty = "on" },
	[SET_TRY_TIME] = { .key = "try_time", .parse = values_try_time },
	[SET_SERVE_TIMEOUT] = { .key = "serve_timeout",
	    .parse = values_try_time },
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
