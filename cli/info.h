/*
 * info: --server-info: what a server says of itself, in words.
 * Called by native.c instead of a delivery.
 * No mail and no secret is sent.
 * RFC 5321 4.1.1.1 (EHLO), RFC 8259.
 * Ownership: everything is borrowed for the call.
 */
#ifndef CLI_INFO_H
#define CLI_INFO_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/look.h"

/*
 * Look at the first server that answers and print what it says, as text or
 * as JSON: 0, or -1 with *e (also: it cannot be written); what was heard is
 * printed also on failure.
 */
int info_show(const struct look_config *, bool json, FILE *out, struct err *e);

#endif
