/*
 * letter: what the options --subject, --to, --attach, --header and their like
 * ask for, ready for queue/submit.c.
 * Called by send.c. It opens the files that are attached, and looks up their
 * types in /etc/mime.types.
 * It sends nothing, and reads no octet of standard input.
 * Ownership: letter_free() closes and releases all; options are borrowed.
 */
#ifndef CLI_LETTER_H
#define CLI_LETTER_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/compose.h"

struct attached;
struct edit;
struct err;
struct options;
struct stat;

struct letter {
	bool composing; /* standard input is the text of `compose` */
	struct compose_config compose; /* but for its random octets */
	struct edit *edits; /* owned */
	size_t nedits;
	struct attached *attached; /* owned */
	size_t nattached;
	struct compose_file *files; /* owned: the same, as compose wants them */
};

/*
 * `tmpdir` is for attachments that are no regular files. 0, or -1 with *e:
 * usage (64) for values that are none, input (66) for a file that cannot be
 * read; letter_free() is due in both cases.
 */
int letter_open(
    struct letter *, const struct options *, const char *tmpdir, struct err *e);
void letter_free(struct letter *);

/* True if an attachment is read from this very file while it is sent. */
bool letter_reads(const struct letter *, const struct stat *);

#endif
