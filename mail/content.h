/*
 * content: what the MIME fields of a header say about the body behind them.
 * Called by mail/mime.c for the message and for each of its parts.
 * Pure: text in, facts out; what is broken counts as not given.
 * RFC 2045 5 and 6, RFC 2046 (kinds, boundary), RFC 2231 3 and 4.
 * Ownership: results are plain data.
 */
#ifndef MAIL_CONTENT_H
#define MAIL_CONTENT_H

#include <stddef.h>

/* What may be done with a body of that type. */
enum content_kind {
	CONTENT_TEXT, /* text/..., and what names no type */
	CONTENT_DATA, /* may be encoded like text */
	CONTENT_MULTIPART, /* has parts */
	CONTENT_DIGEST, /* has parts, messages unless they say otherwise */
	CONTENT_SEALED, /* multipart/signed, multipart/encrypted: has parts
			   that may not be changed */
	CONTENT_MESSAGE, /* is a message itself, never encoded as a whole */
	CONTENT_FIXED /* may have no encoding (RFC 2046 5.2) */
};

/* RFC 2045 6.1. */
enum content_encoding {
	ENCODING_7BIT, /* also if none is given */
	ENCODING_8BIT,
	ENCODING_BINARY,
	ENCODING_QP,
	ENCODING_BASE64,
	ENCODING_OTHER
};

/* Longest boundary, octets (RFC 2046 5.1.1). */
#define CONTENT_BOUNDARY_MAX 70
#define CONTENT_TYPE_MAX 64
/* A longer field is taken as broken. */
#define CONTENT_FIELD_MAX (32u * 1024)

struct content {
	enum content_kind kind;
	char type[CONTENT_TYPE_MAX]; /* "text/plain", lower case, cut to fit;
					empty if none is given */
	char charset[CONTENT_TYPE_MAX]; /* as given, cut to fit */
	char boundary[CONTENT_BOUNDARY_MAX]; /* no NUL behind it */
	size_t boundary_len; /* 0: none, or none that can be used */
};

/*
 * The value of a Content-Type field (behind the colon, folded or not, line
 * ends LF or CRLF). Comments, quoted strings and the continuations of RFC
 * 2231 are understood.
 */
void content_type(struct content *, const char *value, size_t n);

/* The value of a Content-Transfer-Encoding field. */
enum content_encoding content_encoding(const char *value, size_t n);

#endif
