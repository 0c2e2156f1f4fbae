/*
 * setting: one value that was given, and the row that says what it may be.
 * Filled by settings.c, whose table has the rows, and by values.c, which
 * says what values mean.
 * Source: the project's own design.
 * Ownership: texts and file names are borrowed.
 */
#ifndef CLI_SETTING_H
#define CLI_SETTING_H

#include <stdbool.h>
#include <stdint.h>

/* What SET_QUEUE says. */
enum setting_queue { QUEUE_OFF, QUEUE_ON, QUEUE_ONLY };

/* Who said so. */
struct origin {
	const char *file; /* borrowed; NULL: the command line */
	unsigned line;
};

struct setting {
	bool given;
	bool ignored; /* it asks for what is not there: the row's note */
	const char *text; /* as typed; NULL: unset, as if never given */
	int64_t number; /* what it means: the row says in which terms */
	struct origin from;
};

enum setting_trait {
	SETTING_SECRET = 1 << 0, /* is never shown; its file is private */
	SETTING_COMMAND = 1 << 1, /* is run; nobody else writes its file */
	SETTING_PATH = 1 << 2, /* in a file ~ is the home */
	/* Speaks of one server and who we are there: a --host on the command
	 * line does not take it from defaults. */
	SETTING_BOUND = 1 << 3,
	/* Where the secret is: who says one of these unsays the others. */
	SETTING_SOURCE = 1 << 4,
	SETTING_LIST = 1 << 5, /* has items between commas */
	/* How servers are reached and spoken to. A message that is queued goes
	 * by its account: of the command line it has nothing of this kind. */
	SETTING_RELAY = 1 << 6
};

struct setting_row {
	const char *key; /* in a file; NULL: on the command line only */
	const char *option; /* its long option; NULL: in files only */
	const char *arg; /* what the option's value is; NULL: takes none */
	char letter; /* of the option; 0: none */
	/* Check the text and say what it means: NULL, or the remedy. */
	const char *(*parse)(const struct setting_row *, struct setting *);
	unsigned traits; /* SETTING_ bits */
	/* What an empty value in a file stands for; NULL: unset. */
	const char *empty;
	/* Words, between blanks, that ask for nothing but what is done; all
	 * others are ignored, and `note` says why. */
	const char *done;
	const char *note;
	const char *help; /* of the option */
};

#endif
