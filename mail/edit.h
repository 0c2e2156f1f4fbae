/*
 * edit: fields of a header that the user adds, replaces or takes out.
 * Called by cli, which reads what to do, and by queue/submit.c, which does it.
 * Pure. All other fields stay as they are.
 * RFC 5322 2.2 (names), 3.4 (addresses); RFC 2047 (text in other scripts).
 * Ownership: an edit owns its texts; edit_free() releases them.
 */
#ifndef MAIL_EDIT_H
#define MAIL_EDIT_H

#include <stddef.h>

struct err;
struct message;

enum edit_kind {
	EDIT_ADD, /* NAME:VALUE, behind all others */
	EDIT_REPLACE, /* NAME=VALUE, where the first of that name was */
	EDIT_DELETE /* NAME, each of them */
};

struct edit {
	enum edit_kind kind;
	char *name; /* owned */
	char *body; /* owned: the field, LF ends; NULL when deleting */
};

/* Longest name: a line has it and its colon. */
#define EDIT_NAME_MAX 76

/*
 * NAME:VALUE, NAME=VALUE or NAME: the first ':' or '=' decides. A value in
 * printable ASCII is written as it is and folded; else its words become
 * encoded ones, and in fields of addresses its names. 0, or -1 with *e (usage):
 * a name that is none, a line end in the value, what no line has room for.
 */
int edit_parse(struct edit *, const char *spec, struct err *e);
void edit_free(struct edit *);

/* Do them in order. Size and 8-bit facts are kept right. 0, or -1 with *e
 * (data, 5.6.0): to add a second of what a message has once (RFC 5322 3.6), or
 * the header becomes too large. */
int edit_apply(struct message *, const struct edit *, size_t n, struct err *e);

#endif
