/*
 * dialogue_fuzz: scripts, and what a peer says to them. Up to a NUL stands a
 * script; behind it what the peer says, in pieces as the first octet says.
 * No script breaks the reader, no peer the machine, and none goes on forever.
 * Expressions and long messages are left out: those would fuzz libc's
 * regcomp(3) and malloc(3).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "smtp/dialogue.h"
#include "smtp/play.h"

#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

/* Pieces of an endless answer that are looked at. */
#define PIECES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static enum play_does
run(struct play *p)
{
	struct play_piece piece;
	enum play_does does = PLAY_SEND;
	size_t i;

	for (i = 0; i < PIECES_MAX; i++) {
		do
			does = play_next(p, &piece);
		while (does == PLAY_CALL);
		if (does != PLAY_SEND)
			break;
		MUST(piece.n > 0);
		play_sent(p, piece.n);
	}
	MUST(does != PLAY_FAILED || strncmp(play_why(p), "line ", 5) == 0);
	return does;
}

static void
play(const struct dialogue *d, enum side us, const char *s, size_t n,
    size_t piece)
{
	enum play_does does;
	struct play p;
	size_t len;

	play_init(&p, &d->servers[0].connections[0], &d->message, us);
	does = run(&p);
	for (; n > 0 && (does == PLAY_WAIT || does == PLAY_SEND); n -= len) {
		len = n < piece ? n : piece;
		play_feed(&p, s, len);
		does = run(&p);
		s += len;
	}
	if (does == PLAY_WAIT || does == PLAY_DEAF || does == PLAY_SEND) {
		play_end(&p);
		does = run(&p);
		/* With the peer gone, a play comes to its end. */
		MUST(does != PLAY_WAIT && does != PLAY_SEND &&
		    does != PLAY_DEAF);
	}
	play_free(&p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *s = (const char *)data + 1;
	struct dialogue *d;
	struct err e;
	size_t len, rest;

	if (n < 2 || memchr(s, '~', n - 1) != NULL ||
	    memmem(s, n - 1, "message!", 8) != NULL)
		return 0;
	len = strnlen(s, n - 1);
	rest = n - 1 - len - (len < n - 1);
	d = dialogue_parse(s, len, &e);
	if (d == NULL) {
		MUST(strncmp(e.text, "line ", 5) == 0);
		return 0;
	}
	if (d->nservers > 0 && d->servers[0].n > 0) {
		play(d, SIDE_SERVER, s + n - 1 - rest, rest, data[0] % 16 + 1);
		play(d, SIDE_CLIENT, s + n - 1 - rest, rest, data[0] % 16 + 1);
	}
	dialogue_free(d);
	return 0;
}
