/*
 * alias_open: the octets of an aliases file, or of a list that one names.
 * Called by queue/aliases.c.
 * It parses nothing; it decides whom we believe about who gets mail.
 * open(2) O_NOFOLLOW, openat(2), fstat(2).
 * Ownership: the caller's buffers.
 */
#ifndef QUEUE_ALIAS_OPEN_H
#define QUEUE_ALIAS_OPEN_H

#include <stddef.h>

struct buf;
struct err;

enum alias_source {
	/* Named by configuration: belongs to us or root. */
	ALIAS_MAIN,
	/*
	 * Named by an aliases file: a whole path without a symbolic link in
	 * it, to a folder that only its owner may write. He is root or we
	 * (whose the file is does not matter then), or the file is his, too.
	 */
	ALIAS_LIST
};

/*
 * Read it to its end: a regular file that nobody but its owner may write, of
 * at most the octets that `text` takes. 0; 1: there is no ALIAS_MAIN; -1 with
 * *e, which names path and remedy: config, permanent, or temporary where it
 * is this machine that fails.
 */
int alias_read(
    const char *path, enum alias_source, struct buf *text, struct err *e);

/* *e becomes `why` with "FILE:LINE: " before its sentence. */
void alias_place(
    struct err *e, const char *file, size_t line, const struct err *why);

#endif
