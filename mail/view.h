/*
 * view: a message as one server gets it: as it is, or repaired for what
 * that server lacks.
 * Called by proto.c and wire.c, and by who hashes, sizes or prints a message.
 * It changes no message and holds no body: parts of it are encoded when read.
 * RFC 5321 2.3.8, 4.5.2 (dots), RFC 6152 3, RFC 2045 6, RFC 6531 3.6.
 * Ownership: the message is borrowed, all else belongs to the view.
 *
 * A view can be read again and again, from the start, and by several readers.
 */
#ifndef MAIL_VIEW_H
#define MAIL_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "mail/encode.h"

struct err;
struct message;

/* What a server takes. */
enum view_takes {
	VIEW_8BIT = 1 << 0, /* bodies with 8BITMIME (RFC 6152) */
	VIEW_UTF8 = 1 << 1, /* headers with SMTPUTF8, if they must (RFC 6531) */
	VIEW_UTF8_USED = 1 << 2 /* SMTPUTF8 is used: headers stay as they are */
};

enum segment_kind {
	SEGMENT_HEADER, /* octets of the message's header */
	SEGMENT_TEXT, /* octets of the view's text */
	SEGMENT_INPUT, /* octets of the input, as they are */
	SEGMENT_ENCODED /* octets of the input, encoded */
};

struct segment {
	enum segment_kind kind;
	enum encode_form form; /* SEGMENT_ENCODED */
	uint64_t off, end; /* where it lies; UINT64_MAX: the input's end */
};

struct view {
	const struct message *m; /* borrowed */
	struct segment *segment; /* owned */
	size_t n;
	size_t room;
	struct buf text; /* owned: what was made for this view, LF ends */
	uint64_t size; /* octets of the wire form, dots not stuffed: SIZE= */
	size_t encoded; /* parts whose body was encoded */
	size_t mended; /* headers that were mended, the message's and parts' */
	bool is_8bit; /* its body needs 8BITMIME */
	bool needs_utf8; /* its header needs SMTPUTF8 */
};

/*
 * What a server gets that takes so much (VIEW_ bits). The message stays as
 * it is where it can: parts are encoded if the server lacks 8BITMIME, or for
 * lines over 998 octets; headers are mended for such lines, and unless they
 * go by SMTPUTF8. Only what changes the body reads it here.
 * 0, or -1 with *e and nothing to free: data errors (5.6.x, scope message,
 * stage MAIL) say what cannot be sent and why; input errors pass through.
 */
int view_make(
    struct view *, const struct message *, unsigned takes, struct err *e);
void view_free(struct view *);

/* How the octets are dressed. */
enum view_form {
	VIEW_PLAIN, /* CRLF ends (BDAT, size, hash) */
	VIEW_DOTTED /* and leading dots doubled (DATA); the end is not in it */
};

struct view_reader {
	const struct view *v; /* borrowed */
	enum view_form form;
	size_t at; /* segment */
	uint64_t off; /* next octet of it */
	bool bol; /* the next octet begins a line */
	bool cr; /* a CR was read and is not yet decided */
	bool done; /* all was read */
	struct encode encode; /* of an encoded segment */
	struct buf in; /* owned: a block of input */
	struct buf out; /* owned: a block, encoded */
	const char *p; /* octets that wait to be dressed, */
	size_t left; /* so many */
};

/*
 * A reader at the start. It gives the wire form: every line ends in CRLF,
 * also the last one; no CR or LF stands alone; CR, LF and CRLF in the body
 * each end a line. The octets do not depend on how they are cut into reads.
 */
void view_open(struct view_reader *, const struct view *, enum view_form);
/* Octets read (n must be at least 8), 0 at the end, -1 with *e. */
long view_read(struct view_reader *, void *to, size_t n, struct err *e);
/* True once everything was read. */
bool view_done(const struct view_reader *);
void view_close(struct view_reader *);

#endif
