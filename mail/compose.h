/*
 * compose: a message made of its parts: fields, a text, files.
 * Called by queue/submit.c when options say so; message_open() reads it as
 * if it had been piped in.
 * Pure, and it holds no octet of text or files: it is computed when read.
 * RFC 5322 3.6, RFC 2045, RFC 2046 5.1 and 5.2.1, RFC 2183, RFC 2231.
 * Ownership: what is given is borrowed until compose_free().
 */
#ifndef MAIL_COMPOSE_H
#define MAIL_COMPOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "mail/message.h"

/* Random octets that a boundary takes: no text has it by chance. */
#define COMPOSE_RANDOM 16

/*
 * A boundary made of them, and its NUL. Neither quoted-printable nor base64
 * can have its first two octets (RFC 2045 6.7).
 */
#define COMPOSE_BOUNDARY (2 + 2 * COMPOSE_RANDOM + 1)
void compose_boundary(
    char out[COMPOSE_BOUNDARY], const unsigned char random[COMPOSE_RANDOM]);

/* What an option says that may be given several times. */
struct texts {
	const char **v; /* the list is its maker's, the strings borrowed */
	size_t n;
};

struct compose_file {
	const char *name; /* as the reader will see it */
	const char *type; /* "image/png": media_is_type(), and no multipart */
	struct octets octets;
};

struct compose_config {
	const char *subject; /* NULL: no such field */
	struct texts to, cc, bcc, reply_to; /* lists as mailbox.h takes them */
	const struct compose_file *file;
	size_t nfiles;
	unsigned char random[COMPOSE_RANDOM];
};

struct compose_piece;

struct compose {
	struct buf own; /* owned: the header, those of parts, delimiters */
	size_t own_done; /* of them in pieces */
	struct compose_piece *piece; /* owned */
	size_t n;
	uint64_t size; /* of the whole message */
	bool is_utf8; /* the text is */
};

/*
 * Compose a message with that text: To, Cc, Bcc, Reply-To and Subject as far
 * as they are given (no field for a list without a good address) and the
 * fields of MIME; no From, Date, Message-ID. The text goes as it is, 7bit or
 * 8bit, in UTF-8 or as unknown-8bit (RFC 1428 3). Files are base64, but a
 * message/... as it is, since it may have no encoding.
 * Reads the text and some files once. 0, or -1 with *e and nothing to free:
 * data (5.6.0) for a NUL octet in what goes as it is, machine for no memory,
 * and errors of reading.
 */
int compose_open(struct compose *, const struct compose_config *,
    struct octets text, struct err *e);
void compose_free(struct compose *);

/*
 * The message: any octets at any offset, again and again, in any order; a
 * read may give fewer than asked for. At its end each text and file is
 * asked whether it is what it was.
 */
struct octets compose_octets(struct compose *);

#endif
