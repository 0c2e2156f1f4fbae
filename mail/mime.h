/*
 * mime: the parts of a message's body, and what each one holds.
 * Called by mail/repair.c, and by who shows or repairs a message.
 * It keeps no octet of the body: places are offsets in the input.
 * RFC 2045, RFC 2046 5.1 (multipart), 5.2 (message), RFC 1847 (signed).
 * Ownership: the list belongs to struct mime; the message is borrowed.
 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/content.h"

struct err;
struct message;

/* Parts inside parts; what lies deeper is one opaque part. */
#define MIME_DEPTH_MAX 64
/* Parts in all; the last one is opaque and has all the rest. */
#define MIME_PARTS_MAX 10000
/* A part's header; the body of a part with a larger one is opaque. */
#define MIME_HEADER_MAX (256u * 1024)
/* "part 1.2.3", cut to fit. */
#define MIME_NAME_MAX 64

/* Why the inside of a part was not looked at. */
enum mime_flaw {
	MIME_SOUND,
	MIME_NO_BOUNDARY, /* multipart without one that can be used */
	MIME_TOO_DEEP,
	MIME_TOO_MANY,
	MIME_BIG_HEADER,
	MIME_OPEN_HEADER /* a message, and no empty line before it */
};

/* What lines hold. Lines are those of the input, from 1; 0: there is none. */
struct mime_facts {
	uint64_t first_8bit; /* line */
	uint64_t first_long; /* line over MESSAGE_LINE_MAX */
	uint64_t first_nul; /* line */
	uint64_t octets; /* with CRLF ends */
	uint64_t qp; /* about as many in quoted-printable */
};

struct mime_part {
	size_t parent; /* index; the first part is its own */
	size_t children;
	unsigned depth;
	unsigned number; /* among its parent's, from 1; 0: has no own name */
	enum content_kind kind;
	enum content_encoding encoding; /* as declared */
	enum mime_flaw flaw;
	bool leaf; /* no part begins in it */
	bool sealed; /* inside multipart/signed or multipart/encrypted */
	bool blank; /* an empty line ends its header */
	char type[CONTENT_TYPE_MAX]; /* as in struct content */
	char charset[CONTENT_TYPE_MAX];
	/*
	 * Offsets in the message's octets. The first part's header is the
	 * message's own: its head_ and encoding_ fields are 0.
	 */
	uint64_t head_off, head_end; /* fields, without the empty line */
	uint64_t body_off, body_end; /* the line end before a delimiter is the
					delimiter's */
	uint64_t encoding_off, encoding_end; /* the first field Content-
						Transfer-Encoding, whole */
	unsigned encodings; /* how many of these there are */
	uint64_t body_line; /* input line of body_off */
	uint64_t head_8bit, head_long; /* lines of its header, as above */
	struct mime_facts body; /* leaf: its body; else what stands before,
				   between and behind its parts */
};

struct mime {
	struct mime_part *part; /* owned; [0] is the message; each parent
				   stands before its parts */
	size_t n;
	size_t size; /* room in part[] */
	bool version; /* the message has MIME-Version */
	bool has_8bit; /* some line of the body is 8-bit */
};

/*
 * Walk through the message's body. Missing delimiters, delimiters of outer
 * parts inside inner ones, and headers without an end are taken as they are.
 * 0, or -1 with *e: input errors pass through, or no memory; *mime is empty
 * then.
 */
int mime_walk(struct mime *, const struct message *, struct err *e);

void mime_free(struct mime *);

/*
 * What people call it: "part 2.1", by the numbering of RFC 3501 6.4.5, or
 * "the body" for a message without parts. Returns out.
 */
const char *mime_name(const struct mime *, size_t i, char out[MIME_NAME_MAX]);

#endif
