/*
 * settings: what may be said of an account, on the command line or in a file.
 * Called by options.c and config.c, which give values, and by account.c,
 * which makes a struct relay of them.
 * Pure: it opens nothing and looks nothing up.
 * The keywords are msmtp's, where it has one for the matter.
 * Ownership: texts and file names are borrowed.
 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/setting.h"

struct err;

/* A row each in settings.c. */
enum setting_id {
	SET_HOST,
	SET_PORT,
	SET_SOCKET,
	SET_PROTOCOL,
	SET_MX,
	SET_SOURCE_IP,
	SET_PROXY,
	SET_PROXY_HOST,
	SET_PROXY_PORT,
	SET_DOMAIN,
	SET_TIMEOUT,
	SET_TLS,
	SET_TLS_STARTTLS,
	SET_TLS_CERTCHECK,
	SET_TLS_TRUST_FILE,
	SET_TLS_CRL_FILE,
	SET_TLS_FINGERPRINT,
	SET_TLS_HOST,
	SET_TLS_CERT_FILE,
	SET_TLS_KEY_FILE,
	SET_TLS_MIN,
	SET_TLS_CIPHERS,
	SET_TLS_PRIORITIES,
	SET_TLS_DH_BITS,
	SET_TLS_KEYLOG,
	SET_AUTH,
	SET_USER,
	SET_AUTHZID,
	SET_NTLMDOMAIN,
	SET_PASSWORD,
	SET_PASSWORD_FD,
	SET_PASSWORDEVAL,
	SET_PASSWORDCMD,
	SET_PASSWORDFILE,
	SET_INSECURE_AUTH,
	SET_FROM,
	SET_ALLOW_FROM_OVERRIDE,
	SET_AUTO_FROM,
	SET_MAILDOMAIN,
	SET_FROM_FULL_NAME,
	SET_FROM_HEADER,
	SET_DATE_HEADER,
	SET_MSGID_HEADER,
	SET_TO_HEADER,
	SET_MISSING_FROM,
	SET_MISSING_DATE,
	SET_REMOVE_BCC,
	SET_STRIP_DOTS,
	SET_DKIM_DOMAIN,
	SET_DKIM_SELECTOR,
	SET_DKIM_KEY,
	SET_DKIM_PASSWORDEVAL,
	SET_DKIM_CANONICALIZATION,
	SET_UNDISCLOSED,
	SET_DSN_NOTIFY,
	SET_DSN_RETURN,
	SET_ENVID,
	SET_ORCPT,
	SET_BY_TIME,
	SET_HOLD_FOR,
	SET_HOLD_UNTIL,
	SET_PRIORITY,
	SET_SUBMITTER,
	SET_XCLIENT,
	SET_LOGFILE,
	SET_LOGFILE_TIME,
	SET_SYSLOG,
	SET_ALIASES,
	SET_LOCAL_DOMAINS,
	SET_LOCAL,
	SET_QUEUE,
	SET_QUEUE_LIFETIME,
	SET_QUEUE_NOTICE,
	SET_QUEUE_CONNECTIONS,
	SET_QUEUE_RUNNER,
	SET_TRY_TIME,
	SET_SERVE_TIMEOUT,
	SETTINGS
};

struct settings {
	struct setting at[SETTINGS];
};

extern const struct setting_row setting_rows[SETTINGS];

/*
 * Take a value; `from` says who gives it. The latest counts. 0, or -1 with *e
 * (usage, or config when it comes from a file): place, name and remedy.
 */
int settings_set(struct settings *, enum setting_id, const char *value,
    const struct origin *from, struct err *e);

/* What `over` gives goes before what `to` has. */
void settings_merge(struct settings *to, const struct settings *over);

/* Forget what has any of these traits. */
void settings_drop(struct settings *, unsigned traits);

/* How a setting is called where it was given: "--tls", "FILE:12: tls". */
#define SETTING_PLACE_MAX 320
const char *settings_place(
    const struct settings *, enum setting_id, char out[SETTING_PLACE_MAX]);

/* The same within a sentence: "--tls", "tls in FILE:12". */
const char *settings_said(
    const struct settings *, enum setting_id, char out[SETTING_PLACE_MAX]);

#endif
