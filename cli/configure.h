/*
 * configure: --configure ADDRESS: a ready account for an address.
 * Called by native.c instead of a delivery. It logs in nowhere and writes no
 * file: the user does.
 * RFC 6186, 8314 5.1 (SRV), RFC 5321 5.1 (MX as a hint).
 * Ownership: everything is borrowed for the call.
 */
#ifndef CLI_CONFIGURE_H
#define CLI_CONFIGURE_H

#include <stdio.h>

#include "cli/look.h"

/*
 * Find the submission server of the address: by SRV of its domain, else by
 * common names of the domain and of those that its mail hosts are in. The
 * first that answers over verified TLS and offers AUTH is printed as an
 * account. `c` has a relay whose hosts are ignored and whose waits, TLS and
 * names are used. 0, or -1 with *e: none was found.
 */
int configure_print(
    const struct look_config *c, const char *address, FILE *out, struct err *e);

/*
 * The word for `auth` in that account, by the mechanisms that the server
 * offers (struct caps' list): "on" where one of them takes a password, else
 * the name of the one to use. Static.
 */
const char *configure_auth(const char *offered);

#endif
