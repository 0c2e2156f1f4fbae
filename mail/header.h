/*
 * header: the fields of a header, taken apart and made.
 * Called by message.c and recipients.c, on headers as message.h keeps them.
 * Pure. What is there already is never changed, only found or left out.
 * RFC 5322 2.2 and 3.2 (fields, folding, phrases), RFC 2047 (encoded words).
 * Ownership: texts are borrowed, results go into the caller's buffer.
 *
 * A header here is what struct message keeps: lines with LF ends, each field
 * with its folded lines, no blank line.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Longest line that we make, octets (RFC 5322 2.1.1). */
#define HEADER_LINE 78

struct field {
	const char *name;
	size_t name_len;
	const char *body; /* behind the colon; its folding is in it */
	size_t body_len; /* without the last line's end */
	size_t at; /* where in the header it begins */
	size_t end; /* where the next one begins */
};

/* Octets of a field's name and colon at p, 0 if there is none; white space
 * between the two is obsolete (RFC 5322 4.5) and taken. */
size_t header_name(const char *p, size_t n);

/*
 * The field behind *f, the first one if *f is all zero: false at the end. A
 * line that is no field, which message_open() keeps out, is one without name.
 */
bool header_next(const char *header, size_t n, struct field *f);

/* The same, but of that name, case-blind; call it again for all of them. */
bool header_find(
    const char *header, size_t n, const char *name, struct field *f);

/* True if it is called so, case-blind. */
bool header_is(const struct field *, const char *name);

/* Append the header, but without the fields of that name, case-blind. */
void header_without(
    struct buf *, const char *header, size_t n, const char *name);

/*
 * A field's body as one line, appended: without its line ends and without
 * the white space around it (RFC 5322 2.2.3).
 */
void header_unfold(struct buf *, const struct field *);

/*
 * Append a field `name: body` and fold it at white space, so that no line is
 * over HEADER_LINE octets as far as the body's words allow. The body has no
 * line ends.
 */
void header_add(struct buf *, const char *name, const char *body);

enum header_kind {
	HEADER_TEXT, /* unstructured, as Subject */
	HEADER_PHRASE /* a display name */
};

/*
 * Text for a field's body, appended: as it is where that can be, a phrase
 * quoted if it must be, all else as encoded words (RFC 2047), B or Q,
 * whichever is shorter, each at most 75 octets and none with half a
 * character. `col` says how many octets the line has already, so that the
 * first word still fits into it. UTF-8, or else its charset is unknown-8bit
 * (RFC 1428 3). No word is longer than a line.
 */
void header_encode(
    struct buf *, const char *s, size_t n, enum header_kind, size_t col);

#endif
