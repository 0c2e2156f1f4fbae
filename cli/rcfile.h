/*
 * rcfile: which configuration files there are, and whether they are to be
 * trusted.
 * Called by accounts.c; config.c makes sense of what stands in them.
 * Without any file it costs three failed open(2) and asks nobody.
 * XDG Base Directory Specification.
 * Ownership: the config owns what was read.
 */
#ifndef CLI_RCFILE_H
#define CLI_RCFILE_H

struct config;
struct err;
struct waiter;

#define RCFILE_SYSTEM "/etc/smtpsend.conf"

/*
 * Read the system's file and the user's, as far as they are there; with
 * `only` that file and no other. Warnings go to stderr. 0, or -1 with *e
 * (config; temporary machine): file, line, what is wrong.
 */
int rcfile_load(
    struct config *, const char *only, const struct waiter *, struct err *e);

/* The same of the system's file alone, if it is there. */
int rcfile_load_system(struct config *, const struct waiter *, struct err *e);

#endif
