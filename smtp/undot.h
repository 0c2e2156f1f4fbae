/*
 * undot: the content of a message out of the octets behind DATA.
 * Called by server.c, with any cut of the stream.
 * Pure. It counts nothing and changes no line end.
 * RFC 5321 4.5.2 (dots), 4.1.1.4 (only CRLF ends a line), 2.3.8.
 * Ownership: the caller's octets.
 */
#ifndef SMTP_UNDOT_H
#define SMTP_UNDOT_H

#include <stdbool.h>
#include <stddef.h>

struct undot {
	/* Where in a line the next octet stands. */
	enum {
		UNDOT_START,
		UNDOT_LINE,
		UNDOT_CR, /* behind a CR */
		UNDOT_DOT, /* behind a dot that began the line: not given */
		UNDOT_DOT_CR /* and behind that a CR, which waits, too */
	} at;
	bool lf; /* LF alone ends a line, too: its caller trusts the client */
	bool ended; /* CRLF . CRLF came */
};

/*
 * Take octets up to the end of data: the number taken. What is content goes to
 * `give`, in pieces: all of it but the dot that begins a line. A line begins
 * at the start and behind CRLF, never behind a lone LF or CR: so nothing but
 * CRLF, dot, CRLF is an end, whatever other programs may take for one; unless
 * `lf` says so. All else zero to begin with; not to be fed once it has ended.
 */
size_t undot_feed(struct undot *, const char *s, size_t n,
    void (*give)(void *ctx, const char *s, size_t n), void *ctx);

#endif
