/*
 * account: settings to a struct relay, which is what the levels below know.
 * Called by native.c once all settings are known.
 * It reads no file and looks nothing up.
 * RFC 8314 3 (which port means which TLS).
 * Ownership: the account owns what its relay points to, but for texts of
 * the settings.
 */
#ifndef CLI_ACCOUNT_H
#define CLI_ACCOUNT_H

#include "cli/settings.h"
#include "relay.h"

struct err;

struct account {
	struct relay relay; /* points into this struct: do not copy it */
	char helo[256]; /* "": none */
	struct endpoint source;
};

/*
 * An account by these settings, whose texts stay borrowed. `helo` is the name
 * that EHLO says if they have none, at most 255 octets; "": none. 0, or -1 with *e (usage, config).
 */
int account_make(
    struct account *, const struct settings *, const char *helo, struct err *e);

/* Wipe and release what it holds. */
void account_free(struct account *);

#endif
