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
	bool said; /* the configuration has a setting for local names */
	char domains[MACHINE_NAME_MAX + 16]; /* the default of local_domains */
};

/*
 * By the settings of an account, whose texts stay borrowed, and by its relays,
 * which say whether there are mailboxes here. `by_default`: as for sendmail,
 * /etc/aliases and this machine's own domains count where nothing is set.
 */
void naming_make(struct naming *, const struct settings *,
    const struct relays *, bool by_default);

#endif
