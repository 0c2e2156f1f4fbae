/*
 * config: configuration files: accounts, and what is said of each.
 * Called by rcfile.c, which reads the files, and accounts.c, which chooses.
 * It opens nothing: files, commands and the home come by callbacks.
 * The grammar is that of msmtp's configuration file, with keywords of ours.
 * Ownership: a struct config owns all texts; settings point into it.
 */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/settings.h"

struct buf;
struct err;

/* Octets of the longest file, files within files, accounts in all. */
#define CONFIG_MAX (1024 * 1024)
#define CONFIG_DEPTH_MAX 8
#define CONFIG_ACCOUNTS_MAX 1000
#define CONFIG_ROUTES_MAX 1000 /* of one account */

/* Recipients of a domain go by another account. */
struct config_route {
	const char *pattern; /* a domain, *.DOMAIN, or * */
	const char *account;
	struct origin from;
};

struct config_account {
	const char *name; /* NULL: the defaults */
	unsigned layer; /* of which file: a later one goes before */
	struct settings settings; /* its own, and those of its parents */
	struct settings defaults; /* as they stood when it began */
	struct config_route *routes; /* owned; its own before others */
	size_t nroutes, nown;
	struct origin from;
};

struct config_text {
	char *s; /* owned */
	size_t n;
	bool secret; /* a line with a password */
};

struct config {
	struct config_account *accounts; /* owned, in order */
	size_t n;
	unsigned layer;
	struct config_account defaults; /* of the present layer */
	struct settings below; /* the defaults of the layers before */
	struct config_text *texts; /* owned: all that settings point to */
	size_t ntexts;
};

/* What a file must be like for some of its lines. */
enum config_trust {
	CONFIG_PRIVATE, /* it holds a secret: nobody else may read it */
	CONFIG_OURS /* it runs commands: nobody else may write it */
};

/* The world; ctx is borrowed. All but `warn` return -1 with *e (config). */
struct config_world {
	void *ctx;
	/* May the file that is being read have such a line? */
	int (*trust)(void *ctx, enum config_trust, struct err *e);
	/* The text of another file, whose path may be relative to the one
	 * being read, and its name; until leave() it is the one being read. */
	int (*enter)(void *ctx, const char *path, struct buf *text, char **name,
	    struct err *e);
	void (*leave)(void *ctx);
	/* What a command prints. */
	int (*eval)(
	    void *ctx, const char *command, struct buf *out, struct err *e);
	const char *(*home)(void *ctx); /* NULL: there is none */
	void (*warn)(void *ctx, const char *text); /* without line end */
};

void config_init(struct config *);
void config_free(struct config *);

/* What comes next is another file: its defaults are its own, and its accounts
 * go before those of the same name. */
void config_layer(struct config *);

/*
 * Take the text of a file, called `file` in errors. 0, or -1 with *e (config;
 * temporary machine for want of memory): file, line, what is wrong there, and
 * the nearest keyword.
 */
int config_parse(struct config *, const char *file, const char *text, size_t n,
    const struct config_world *, struct err *e);

/* By name; NULL: there is none. */
const struct config_account *config_find(
    const struct config *, const char *name);

/*
 * The first account whose `from` is this address or a pattern that it
 * matches, case-blind; user+detail@ matches user@ too. NULL: none.
 */
const struct config_account *config_find_sender(
    const struct config *, const char *address);

/* All that holds for an account; for NULL the defaults, of all files. */
void config_settings(
    const struct config *, const struct config_account *, struct settings *);

/*
 * Wipe all lines with passwords but those in which one of kept[0,n) stands
 * (NULL is passed over). The accounts that had them are not to be asked for
 * any more.
 */
void config_forget_secrets(struct config *, const char *const *kept, size_t n);

/* The keywords that are no settings; NULL behind the last. For the checks of
 * the docs. */
const char *config_directive(size_t i);

#endif
