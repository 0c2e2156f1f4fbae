/*
 * locally: the setting `local` to the relay of names without a domain.
 * Called by values.c, which checks the value, and by account.c.
 * It writes no mailbox and asks for no user.
 * The man page, smtpsend.conf(5), LOCAL DELIVERY.
 * Ownership: a struct locally owns what its relay points to, but for the
 * text of the setting and what it has of the account's relay.
 */
#ifndef CLI_LOCALLY_H
#define CLI_LOCALLY_H

#include <stdbool.h>

#include "cli/machine.h"
#include "cli/setting.h"
#include "local.h"
#include "relay.h"

struct err;

/* What the setting's number is. */
enum locally_kind {
	LOCALLY_OFF,
	LOCALLY_MBOX,
	LOCALLY_MAILDIR,
	LOCALLY_LMTP,
	LOCALLY_MDA,
	LOCALLY_KINDS
};

struct locally {
	enum locally_kind kind;
	bool said; /* by the configuration; else it is mbox, as is usual */
	struct relay relay; /* points into this struct: do not copy it */
	struct local_config config;
	char *text; /* owned: the target's name */
	char **words; /* owned: of mda */
	char host[MACHINE_NAME_MAX]; /* "": nobody asked for it yet */
};

/* What the text of a setting asks for: NULL with *kind, or the remedy. */
const char *locally_parse(const char *text, enum locally_kind *kind);

/*
 * By the setting, or as is usual where it is unset; how servers are spoken to
 * (LMTP) is the account's. 0, or -1 with *e (machine). locally_free() is due
 * in both cases.
 */
int locally_make(struct locally *, const struct setting *,
    const struct relay *account, struct err *e);
void locally_free(struct locally *);

/* True if mailboxes are files, or a program's, of users of this machine. */
bool locally_writes(const struct locally *, bool by_default);

/*
 * The relay of mailboxes here, or NULL: names without a domain are none. What
 * nobody asked for counts only if `by_default`. This finds the machine's name,
 * which other runs have no use for.
 */
const struct relay *locally_relay(struct locally *, bool by_default);

#endif
