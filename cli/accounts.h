/*
 * accounts: the accounts of one run: which one is chosen, to which others its
 * recipients go, and their secrets when deliver.c asks for them.
 * Called by send.c and native.c, and by run.c, whose mail names its accounts.
 * It prints warnings and reads configuration files, by rcfile.c.
 * msmtp(1) for how an account is chosen.
 * Ownership: everything in it is its own.
 */
#ifndef CLI_ACCOUNTS_H
#define CLI_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/account.h"
#include "cli/config.h"
#include "cli/naming.h"
#include "mx.h"

struct err;
struct options;
struct waiter;

/* An account that was asked for by name. */
struct named_account {
	char *name; /* owned; "" for none */
	struct err why; /* not ok: why there is none */
	struct relays by;
	struct relay_rule *rules; /* owned: what `by` has */
	struct settings settings; /* of none: those of the defaults */
	struct naming naming; /* as is usual for sendmail */
	struct log_to log;
};

struct accounts_file;

struct accounts {
	const struct waiter *waiter; /* borrowed */
	struct config config;
	struct account **at; /* owned; the first is the chosen one */
	size_t n;
	struct relay_rule *rules; /* owned: recipients of the others */
	size_t nrules;
	struct named_account **named; /* owned */
	size_t nnamed;
	struct setting timeout; /* of the command line, for named ones */
	/* One of them is said of by a file of the user's, or of -C: nobody
	 * else knows it. */
	bool own;
	/* Names may say of which file they are; else such an account is not
	 * there: what others queued must lead us to no file. */
	bool by_file;
	struct accounts_file *files; /* owned: those that were named */
	struct err why; /* not ok: why there is no configuration */
};

/*
 * Read the configuration, choose by -a, --host, --mx, -f or "default", and
 * make the accounts. 0, or -1 with *e (usage, config). Free it in any case.
 */
int accounts_open(struct accounts *, const struct options *,
    const struct waiter *, struct err *e);
void accounts_free(struct accounts *);

/*
 * Read the configuration only, for accounts that will be asked for by name;
 * what the command line says of --timeout goes before what they say. 0, or -1
 * with *e (config). Free it in any case.
 */
int accounts_open_named(struct accounts *, const struct options *,
    const struct waiter *, struct err *e);

/* The same for mail of the machine's queue: whoever runs it, what his own
 * files say is not for others. */
int accounts_open_machine(struct accounts *, const struct options *,
    const struct waiter *, struct err *e);

/*
 * One of them, made when it is first asked for: "" is none, by MX with the
 * defaults; with ":/PATH" behind it, it is that of another file, see by_file.
 * It is borrowed; `why` in it says whether it can be used. NULL without
 * memory.
 */
const struct named_account *accounts_named(struct accounts *, const char *name);

/* The chosen one. */
struct account *accounts_chosen(const struct accounts *);

/* From now on nobody is asked for a secret on the terminal. */
void accounts_unattended(struct accounts *);

/* True if we may not read a secret of one of them, see account.h. */
bool accounts_closed(const struct accounts *);

/* For struct deliver_config. */
int accounts_fetch(
    struct accounts *, const struct relay *, bool again, struct err *e);
void accounts_forget(struct accounts *, const struct relay *);

#endif
