/*
 * line: where the lines of a message end, for everybody who reads one.
 * Called by mail/message.c, mail/mime.c and mail/encode.c.
 * It holds no octets and never fails; CR, LF and CRLF each end a line.
 * RFC 5322 2.1, RFC 5321 2.3.8.
 * Ownership: pointers are the caller's.
 */
#ifndef MAIL_LINE_H
#define MAIL_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* A piece of a line: its text, and whether the line ends behind it. */
struct piece {
	size_t len;
	bool eol;
};

/*
 * The next piece of p (n > 0); returns octets used. *cr carries a CR that
 * ended the last block: the LF that belongs to it is then used up as a piece
 * without text and without an end.
 */
size_t line_cut(bool *cr, const char *p, size_t n, struct piece *out);

#endif
