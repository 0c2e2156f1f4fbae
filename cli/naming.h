/*
 * naming: what names of this machine stand for, by settings and face.
 * Called by send.c and run.c, and by what looks at aliases.
 * It reads no aliases and resolves no name: queue/locals.h does.
 * aliases(5); smtpsend.conf(5), section ALIASES.
 * Ownership: it has what its config points to, but for texts of the settings.
 */
#ifndef CLI_NAMING_H
#define CLI_NAMING_H

#include <stdbool.h>

#include "cli/machine.h"
#include "queue/locals.h"

struct relays;
struct settings;

/* The aliases of a machine, where nothing else is said. */
#define NAMING_ALIASES "/etc/aliases"

struct naming {
	struct locals_config config; /* points into this: do not copy it */
	bool said; /* some of it is configured */
	char domains[MACHINE_NAME_MAX + 16]; /* where none are given */
};

/*
 * By the settings of an account, whose texts stay borrowed, and by where its
 * mail goes: to mailboxes here, too? `by_default`: what is usual for sendmail
 * goes without saying.
 */
void naming_make(struct naming *, const struct settings *,
    const struct relays *, bool by_default);

#endif
