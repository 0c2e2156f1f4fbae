/*
 * aliases: who gets the mail of a local name: /etc/aliases.
 * Called by faces, with a name that has no domain; newaliases has it checked.
 * It runs no program and writes no file, and knows no user but by name.
 * sendmail's and Postfix's aliases(5); RFC 5321 3.9 (aliases and lists).
 * Ownership: aliases_free() releases all.
 */
#ifndef QUEUE_ALIASES_H
#define QUEUE_ALIASES_H

#include <stddef.h>

struct address;
struct aliases;
struct err;

/* Octets of a file and of a list; who gets one message; lists that one
 * message's expansion reads. */
#define ALIASES_FILE_MAX (16 * 1024 * 1024)
#define ALIASES_TARGETS_MAX 100000
#define ALIASES_LISTS_MAX 100

/* Told what is wrong, one sentence each: "FILE:LINE: ...". */
typedef void aliases_bad_fn(void *ctx, const struct err *);

/*
 * Read a file. 0; 1: there is none, and *a is NULL; -1 with *e (config:
 * permanent, or temporary if it cannot be read now): it cannot be read, is
 * not the caller's or root's, may be written by others, or is too large.
 * An address in one of `domains` (names between commas, borrowed as long as
 * *a is there; NULL: none) is taken for its local part alone.
 * A mistake in it is told to `bad` (may be NULL) and costs its entry only:
 * whoever asks for that name gets the error.
 */
int aliases_load(struct aliases **a, const char *path, const char *domains,
    aliases_bad_fn *bad, void *ctx, struct err *e);
/* NULL is accepted. */
void aliases_free(struct aliases *);

/* How many names have an entry. */
size_t aliases_count(const struct aliases *);

/*
 * What only shows if all is followed: lists that cannot be read or have
 * mistakes, and entries that reach nobody. Each is told to `bad`. 0, or -1 if
 * there was one.
 */
int aliases_check(const struct aliases *, aliases_bad_fn *bad, void *ctx);

/*
 * Who gets the mail of `name`, which is a local part as an address has it
 * (any case, perhaps in quotes). Aliases and lists are followed, each once,
 * and each that gets it is given once: an address with a domain, or one
 * without (DOMAIN_NONE), which is the mailbox of that name and no alias any
 * more. That is what a name without entry becomes, \NAME, and a name in its
 * own entry. `*` stands in for `name` if that has no entry; not for names
 * that an entry leads to.
 *
 * Returns 1 if there is no entry (nobody is given); 0 when all were given to
 * `fn`, which owns the address then and returns non-zero to stop, and that is
 * then returned; none at all is given for /dev/null alone. -1 with *e before
 * any is given: config, permanent, with file and line (a mistake in an entry
 * or list, nobody at the end of a loop, too many), or temporary, machine.
 */
typedef int aliases_fn(void *ctx, struct address *);
int aliases_expand(const struct aliases *, const char *name, size_t n,
    aliases_fn *fn, void *ctx, struct err *e);

#endif
