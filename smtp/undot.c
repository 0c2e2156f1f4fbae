/*
 * undot: see undot.h. An octet leads from one place in a line to the next;
 * runs between dots go on as they lie.
 * Callers: server.c.
 * It keeps no octet: those that wait are known by the place.
 * RFC 5321 4.5.2.
 * Ownership: see undot.h.
 */
#include "smtp/undot.h"

static int
next_place(const struct undot *u, char c)
{
	if (c == '\r')
		return u->at == UNDOT_DOT ? UNDOT_DOT_CR : UNDOT_CR;
	if (c == '\n' && (u->lf || u->at == UNDOT_CR))
		return UNDOT_START;
	return c == '.' && u->at == UNDOT_START ? UNDOT_DOT : UNDOT_LINE;
}

size_t
undot_feed(struct undot *u, const char *s, size_t n,
    void (*give)(void *ctx, const char *s, size_t n), void *ctx)
{
	size_t from = 0, i;

	for (i = 0; i < n; i++) {
		bool waited = u->at == UNDOT_DOT_CR;

		if (s[i] == '\n' && (waited || (u->lf && u->at == UNDOT_DOT))) {
			u->ended = true;
			return i + 1;
		}
		u->at = next_place(u, s[i]);
		if (waited)
			give(ctx, "\r", 1);
		if (u->at == UNDOT_DOT || u->at == UNDOT_DOT_CR) {
			if (i > from)
				give(ctx, s + from, i - from);
			from = i + 1;
		}
	}
	if (n > from)
		give(ctx, s + from, n - from);
	return n;
}
