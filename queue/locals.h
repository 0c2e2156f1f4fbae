/*
 * locals: who on this machine, or elsewhere, a local name stands for.
 * Called by queue/submit.c for a new message, by queue/runner.c for one whose
 * names could not be told then, and by cli for a name that is asked for.
 * It delivers nothing; mailboxes are known by a callback.
 * RFC 5321 2.3.5, 3.9, 4.5.1 (postmaster); RFC 3461 5.2.7 (aliases).
 * Ownership: the configuration is borrowed for the call.
 */
#ifndef QUEUE_LOCALS_H
#define QUEUE_LOCALS_H

#include <stdbool.h>
#include <stddef.h>

struct address;
struct aliases;
struct envelope;
struct err;

/* Room for the name of a mailbox. */
#define LOCALS_NAME_MAX 65

/* All zero: there are no local names, and nothing is done to any. */
struct locals_config {
	const char *aliases; /* their file (queue/aliases.h); NULL: none */
	/* The file as it was read before (locals_read()), borrowed; NULL: each
	 * call reads it when the first local name comes. */
	const struct aliases *read;
	bool must_exist; /* no such file is a mistake of the configuration */
	/* A name that is no alias is one of this domain; NULL: it is a
	 * mailbox here. */
	const char *maildomain;
	const char *domains; /* that mean this machine, between commas */
	bool mailboxes; /* there are some */
	/*
	 * A mailbox of that name (quotes taken away): 1 and its real name; 0:
	 * there is none; -1 with *e (temporary): nobody knows now. NULL: who
	 * delivers will know.
	 */
	int (*user)(void *ctx, const char *name, size_t n,
	    char real[LOCALS_NAME_MAX], struct err *e);
	void *ctx;
};

/*
 * Each recipient that is undecided, and has no domain or one that means this
 * machine, becomes those that his alias names, or himself at maildomain, or a
 * mailbox: a recipient without domain, by its real name. What was asked for
 * him (NOTIFY, ORCPT) is asked for them. Who gets it twice gets it once.
 *
 * Decided are: who is thrown away (/dev/null: delivered); who is neither
 * (failed: data, 5.1.1); and who cannot be told for a mistake in a file
 * (config, with file and line), or now (temporary): these stay `unresolved`.
 * Postmaster is root where he is nobody else, or stays as he is where there
 * are no mailboxes. 0, or -1 with *e (temporary, machine): no memory, and some
 * of those who were undecided may be gone.
 */
int locals_resolve(
    const struct locals_config *, struct envelope *, struct err *e);

/* The same, whether local names are on or not. (*of)[i] is the number that
 * the recipient had before who became recipient i. The caller frees *of, also
 * after an error. */
int locals_expand(const struct locals_config *, struct envelope *, size_t **of,
    struct err *e);

/* True if names without a domain mean something. */
bool locals_are_on(const struct locals_config *);

/*
 * Would locals_resolve() refuse this address? 0: no, as far as it can be told
 * now, or it is not local. -1: yes, with *e as that would decide it; or there
 * is no memory (temporary, machine).
 */
int locals_knows(
    const struct locals_config *, const struct address *, struct err *e);

/*
 * Read the aliases once for all that is asked by this configuration from now
 * on, if the address is local: the caller's, to be freed before `domains` goes,
 * or NULL: there are none, or the next who asks reads them, and says why not.
 */
struct aliases *locals_read(struct locals_config *, const struct address *);

#endif
