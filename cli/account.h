/*
 * account: settings to a struct relay, which is what the levels below know;
 * and the account's secrets, when they are wanted.
 * Called by accounts.c once all settings are known.
 * It reads no configuration and looks no server up.
 * RFC 8314 3 (which port means which TLS).
 * Ownership: the account owns what its relay points to, but for texts of
 * the settings.
 */
#ifndef CLI_ACCOUNT_H
#define CLI_ACCOUNT_H

#include "base/buf.h"
#include "base/idna.h"
#include "cli/locally.h"
#include "cli/log.h"
#include "cli/machine.h"
#include "cli/settings.h"
#include "net/proxy.h"
#include "relay.h"

struct err;
struct waiter;

struct account {
	struct relay relay; /* points into this struct: do not copy it */
	struct settings settings;
	char helo[MACHINE_NAME_MAX]; /* "": none */
	char tls_name[IDNA_NAME_MAX]; /* A-labels; "": the host's */
	char tls_place[SETTING_PLACE_MAX]; /* who gave the level */
	char secret_place[SETTING_PLACE_MAX]; /* who gave the secret */
	struct endpoint source;
	struct proxy proxy;
	struct locally locally; /* names without a domain */
	struct log_to log;
	struct buf hosts; /* with the scheme that the settings ask for */
	struct buf secret, key_secret; /* owned, wiped; "" until fetched */
	struct buf login; /* the user, if netrc told him */
	bool key_kept; /* it cannot be fetched again */
	bool unattended; /* nobody is asked for a secret */
};

/*
 * An account by these settings, whose texts stay borrowed; its name is NULL
 * without one. 0, or -1 with *e (usage, config).
 */
int account_make(
    struct account *, const char *name, const struct settings *, struct err *e);

/* Where lines go by these settings, whose texts stay borrowed. */
struct log_to account_log(const struct settings *);

/* Wipe and release what it holds. */
void account_free(struct account *);

/*
 * Put its secrets where the relay points to; `again`: the last one was
 * refused as an old token. 0; 1: `again`, and there would be no other one;
 * -1 with *e (auth, config).
 */
int account_fetch(
    struct account *, bool again, const struct waiter *, struct err *e);

/*
 * Wipe them, but for a key's passphrase that nobody would give a second time:
 * by MX one account has several routes, which are given no password.
 */
void account_forget(struct account *);

/* True if a file with a secret of its is closed to us: somebody else is to
 * send by it. */
bool account_is_closed(const struct account *);

/*
 * The sender: `given` by -f or NULL, or the account's, or the user of this
 * machine. It is one of the former or in `room`; NULL with *e (usage).
 */
const char *account_sender(const struct account *, const char *given,
    char room[MACHINE_ADDRESS_MAX], struct err *e);

#endif
