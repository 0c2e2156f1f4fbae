/*
 * dots: where a message ends that is typed or piped in as people type mail.
 * Called by store/body.c, with any cut of the input.
 * Pure. It counts nothing, keeps no octet and changes no line end.
 * sendmail(8), -i: a line that is a dot ends the message. (-bs has a protocol,
 * and smtp/undot.c.)
 * Ownership: the caller's octets.
 */
#ifndef MAIL_DOTS_H
#define MAIL_DOTS_H

#include <stdbool.h>
#include <stddef.h>

struct dots {
	bool strips; /* of two dots or more that begin a line, one goes */
	/* Where in a line the next octet stands. */
	enum {
		DOTS_START,
		DOTS_LINE,
		DOTS_DOT, /* behind a dot that began the line: not given yet */
		DOTS_DOT_CR /* and behind that a CR, which waits, too */
	} at;
	bool ended; /* the line with the dot was there */
	bool stripped; /* some dot went */
};

/*
 * Take octets up to the end of the message: the number taken. What is content
 * goes to `give`, in pieces. A line begins at the start and behind LF, with or
 * without a CR before it; the one that is a dot, and what follows, is no
 * content. A line that begins with a single dot keeps it. All zero but
 * `strips` to begin with; not to be fed once it has ended. If the input ends
 * behind a dot that is a line of its own, it was the end: what waits then is
 * no content.
 */
size_t dots_feed(struct dots *, const char *s, size_t n,
    void (*give)(void *ctx, const char *s, size_t n), void *ctx);

#endif
