/*
 * reasons: recipients counted by destination and reason.
 * Called by queuestats.c, recipient after recipient.
 * It knows no queue and prints nothing.
 * tsearch(3), whose header has a struct entry of its own and so stays here.
 * Ownership: struct reasons owns its rows; a key is borrowed for the call.
 */
#ifndef CLI_REASONS_H
#define CLI_REASONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct reason_key {
	const char *domain; /* "" for an address without one */
	bool tried; /* else there is no reason yet: the rest is all zero */
	enum stage stage;
	int code;
	enum err_kind kind;
};

struct reason_row {
	struct reason_key key; /* its domain stands in room */
	size_t n;
	char room[];
};

/* All zero to begin with. */
struct reasons {
	struct reason_row **rows; /* owned */
	size_t n, size;
	void *tree;
};

/* One more of these: 0, or -1 if there is no memory. */
int reasons_add(struct reasons *, const struct reason_key *);

/* The largest first, then as they are named; nothing is added from then on. */
void reasons_sort(struct reasons *);

void reasons_free(struct reasons *);

#endif
