/*
 * encode: a body as quoted-printable or base64, octets in, octets out.
 * Called for repaired and composed bodies; it never looks at header fields.
 * What comes out does not depend on how the input is cut into calls.
 * RFC 2045 6.7 (quoted-printable), 6.8 (base64).
 * Ownership: output is appended to the caller's buffer; nothing to free.
 */
#ifndef MAIL_ENCODE_H
#define MAIL_ENCODE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Longest line that comes out, without its CRLF (RFC 2045 6.7, 6.8). */
#define ENCODE_COLUMNS 76

enum encode_form {
	ENCODE_QP, /* text: CR, LF and CRLF each are a hard line break */
	ENCODE_BASE64, /* text: the same, as CRLF inside */
	ENCODE_BASE64_RAW, /* octets as they are */
	ENCODE_QP_AGAIN, /* quoted-printable already, of lines that are too
			    long or 8-bit */
	ENCODE_WRAP /* base64 already: its digits, in lines of 76 */
};

struct encode {
	enum encode_form form;
	bool cr; /* text: the last octet was a CR */
	int held; /* QP: octet that waits for its neighbour; -1 if none */
	unsigned column; /* of the line being written */
	unsigned from; /* QP: octets of "From" the line began with */
	char token[4]; /* QP again: what is written next, a string */
	char half[3]; /* QP again: the beginning of =XX, a string */
	char pad[129]; /* QP again: white space behind them, which is none if
			  the line ends behind it, a string */
	bool begun; /* base64: a line was written */
	size_t len; /* base64: octets in `line` */
	unsigned char line[ENCODE_COLUMNS / 4 * 3];
};

/* Most octets that feeding n octets, or the end, can give. */
#define ENCODE_ROOM(n) (4 * (n) + 256)

void encode_init(struct encode *, enum encode_form);

/* The next n octets of the body. */
void encode_feed(struct encode *, struct buf *out, const char *p, size_t n);

/*
 * The end of the body. No line end is put behind the last line unless the
 * text had one (QP): a multipart's delimiter brings its own.
 *
 * Quoted-printable has no line that begins with "--", "." or "From ", so
 * that no delimiter can appear in it and no relay has a reason to change it.
 * What was quoted-printable already keeps the lines that it had, and is cut
 * where they are too long; it decodes to the same, and white space at the
 * end of its lines, which readers drop (RFC 2045 6.7, rule 3), is dropped.
 */
void encode_end(struct encode *, struct buf *out);

#endif
