/*
 * settings: what may be said of an account, on the command line or in a file.
 * Called by options.c and config.c, which give values, and by account.c,
 * which makes a struct relay of them.
 * Pure: it opens nothing and looks nothing up.
 * The keywords are msmtp's, where it has one for the matter.
 * Ownership: texts and file names are borrowed.
 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* A row each in settings.c. */
enum setting_id {
	SET_HOST,
	SET_PORT,
	SET_MX,
	SET_SOURCE_IP,
	SET_DOMAIN,
	SET_TIMEOUT,
	SET_TLS,
	SET_TLS_TRUST_FILE,
	SET_TLS_HOST,
	SETTINGS
};

/* Who said so. */
struct origin {
	const char *file; /* borrowed; NULL: the command line */
	unsigned line;
};

struct setting {
	bool given;
	const char *text; /* as typed; NULL: unset, as if never given */
	int64_t number; /* what it means: its row says in which terms */
	struct origin from;
};

struct settings {
	struct setting at[SETTINGS];
};

struct setting_row {
	const char *key; /* in a file; NULL: on the command line only */
	const char *option; /* its long option; NULL: in files only */
	const char *arg; /* what the option's value is; NULL: takes none */
	/* Check a value and say what it means: NULL, or the remedy. */
	const char *(*parse)(const char *value, int64_t *number);
	const char *help; /* of the option */
};
extern const struct setting_row setting_rows[SETTINGS];

/*
 * Take a value; `from` says who gives it. The latest counts. 0, or -1 with *e
 * (usage, or config when it comes from a file): place, name and remedy.
 */
int settings_set(struct settings *, enum setting_id, const char *value,
    const struct origin *from, struct err *e);

/* What `over` gives goes before what `to` has. */
void settings_merge(struct settings *to, const struct settings *over);

#endif
