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
#include <stdint.h>

struct err;

/* What SET_QUEUE says. */
enum setting_queue { QUEUE_OFF, QUEUE_ON, QUEUE_ONLY };

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
	SET_QUEUE,
	SET_QUEUE_LIFETIME,
	SET_QUEUE_NOTICE,
	SET_QUEUE_CONNECTIONS,
	SET_QUEUE_RUNNER,
	SETTINGS
};

/* Who said so. */
struct origin {
	const char *file; /* borrowed; NULL: the command line */
	unsigned line;
};

struct setting {
	bool given;
	bool ignored; /* it asks for what is not there: the row's note */
	const char *text; /* as typed; NULL: unset, as if never given */
	int64_t number; /* what it means: the row says in which terms */
	struct origin from;
};

struct settings {
	struct setting at[SETTINGS];
};

enum setting_trait {
	SETTING_SECRET = 1 << 0, /* is never shown; its file is private */
	SETTING_COMMAND = 1 << 1, /* is run; nobody else writes its file */
	SETTING_PATH = 1 << 2, /* in a file ~ is the home */
	/* Speaks of one server and who we are there: a --host on the command
	 * line does not take it from defaults. */
	SETTING_BOUND = 1 << 3,
	/* Where the secret is: who says one of these unsays the others. */
	SETTING_SOURCE = 1 << 4,
	SETTING_LIST = 1 << 5, /* has items between commas */
	/* How servers are reached and spoken to. A message that is queued goes
	 * by its account: of the command line it has nothing of this kind. */
	SETTING_RELAY = 1 << 6
};

struct setting_row {
	const char *key; /* in a file; NULL: on the command line only */
	const char *option; /* its long option; NULL: in files only */
	const char *arg; /* what the option's value is; NULL: takes none */
	char letter; /* of the option; 0: none */
	/* Check the text and say what it means: NULL, or the remedy. */
	const char *(*parse)(const struct setting_row *, struct setting *);
	unsigned traits; /* SETTING_ bits */
	/* What an empty value in a file stands for; NULL: unset. */
	const char *empty;
	/* Words, between blanks, that ask for nothing but what is done; all
	 * others are ignored, and `note` says why. */
	const char *done;
	const char *note;
	const char *help; /* of the option */
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

/* True if EHLO may say it: a host name or an address literal. */
bool setting_is_domain(const char *);

/* How a setting is called where it was given: "--tls", "FILE:12: tls". */
#define SETTING_PLACE_MAX 320
const char *settings_place(
    const struct settings *, enum setting_id, char out[SETTING_PLACE_MAX]);

/* The same within a sentence: "--tls", "tls in FILE:12". */
const char *settings_said(
    const struct settings *, enum setting_id, char out[SETTING_PLACE_MAX]);

#endif
