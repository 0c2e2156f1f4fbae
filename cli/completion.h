/*
 * completion: who writes a message, where the message does not say it, and
 * which fields the settings want made.
 * Called by send.c for each message, once account and sender are known.
 * It adds nothing: mail/complete.c does.
 * RFC 5322 3.6.2 (From), 3.6.4 (Message-ID).
 * Ownership: addresses and names belong to the struct.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "cli/machine.h"
#include "mail/address.h"
#include "mail/complete.h"

struct account;

struct completion {
	const struct account *account; /* borrowed */
	struct address address; /* owned: only where the sender is null */
	char domain[MACHINE_NAME_MAX];
	char full_name[MACHINE_FULL_NAME_MAX];
};

/*
 * What is to be made, by the account's settings, with the sender as author;
 * where it is null, the sender that there would be without -f, or else that
 * address, which may be NULL and is borrowed for the call. Points into the
 * others.
 */
struct complete_config completion_make(struct completion *,
    const struct account *, const struct address *sender,
    const char *otherwise);

/* The full name: the account's or -F, else the machine's; NULL: none. */
const char *completion_full_name(struct completion *);

void completion_free(struct completion *);

#endif
