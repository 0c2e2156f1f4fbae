/*
 * export: the message as it would go out, written to a file or to stdout.
 * Called by options.c (what is asked for) and send.c (the message).
 * It connects to no server and looks nothing up.
 * RFC 5321 4.1.1.4, 4.5.2 (DATA, dots); the keywords are those of EHLO.
 * Ownership: path, letter and stream are borrowed, all else is plain data.
 */
#ifndef CLI_EXPORT_H
#define CLI_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "smtp/caps.h"

struct err;
struct message;
struct stat;

struct export
{
	bool wanted;
	const char *path; /* NULL: standard output */
	struct caps caps; /* of the server that it is for */
	bool utf8; /* an address of the envelope needs SMTPUTF8 */
	/* True for a file that the message is read from. May be NULL. */
	bool (*reads)(const void *source, const struct stat *);
	const void *source; /* borrowed */
	FILE *notes; /* what was repaired; NULL: nobody asks */
};

/* "FORMAT[:PATH]"; a PATH of "-" is standard output. 0, or -1 with *e
 * (usage). */
int export_format(struct export *, const char *value, struct err *e);

/* A server that offers all there is and takes any size. */
void export_caps_all(struct caps *);

/*
 * A server by its EHLO keywords, separated by commas or blanks: "8BITMIME,
 * SIZE=1000", "all", "none". 0, or -1 with *e (usage) that names the nearest.
 */
int export_caps(struct caps *, const char *list, struct err *e);

/*
 * Write what that server would get: lines end in CRLF, leading dots are
 * doubled, the final dot is not in it. Nothing is created where the server
 * could not get it. 0, or -1 with *e: data (65), reply (69: larger than its
 * SIZE), output (73), or what the input says.
 */
int export_write(const struct export *, const struct message *, struct err *e);

#endif
