/*
 * queuestats: how many messages wait, for how long, where to, and why.
 * Called by queuecmd.c with one folder after the other.
 * It locks nothing and changes nothing; it has a row for each destination
 * and reason, and nothing for each message.
 * RFC 8259. Ownership: everything is borrowed for the call.
 */
#ifndef CLI_QUEUESTATS_H
#define CLI_QUEUESTATS_H

#include <stdbool.h>

struct err;
struct folder;
struct queue_view;

/* NULL: no memory. */
struct queuestats;
struct queuestats *queuestats_new(const struct queue_view *);

/* Count what is in a folder: 0, or -1 with *e (temporary, machine). */
int queuestats_add(struct queuestats *, const struct folder *, struct err *e);

/* Write all of it, and the end. Counts that are not whole, and have nothing,
 * are none: a folder that cannot be read is not empty. NULL is accepted. */
void queuestats_end(struct queuestats *, bool whole);

#endif
