/*
 * server: the other side of SMTP, as a machine: octets in, replies out.
 * Called by the sendmail face (-bs), which owns the connection and the queue.
 * Pure. It opens nothing, reads no clock, and decides nobody's fate: what is
 * wrong with a sender, a recipient or a message its callbacks say.
 * RFC 5321 3, 4; 1870, 2034, 2920, 3030, 3461, 6152, 6531.
 * Ownership: server_free() releases all; what callbacks get is borrowed.
 */
#ifndef SMTP_SERVER_H
#define SMTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct address;
struct buf;
struct envelope;
struct err;
struct server;

/* A command's octets with its end: RFC 5321 4.5.3.1.4, and what extensions
 * add for SIZE (1870 3), BODY (6152 2), DSN (3461 5) and SMTPUTF8 (6531 3.4,
 * with longer paths, too). */
#define SERVER_LINE_MAX (512 + 26 + 17 + 500 + 500 + 10 + 256)

/* Octets of an EHLO name, and of a queue id with its NUL. */
#define SERVER_NAME_MAX 255
#define SERVER_ID_SIZE 64

/* So many octets of a message are a step forward: the longest line that RFC
 * 5321 4.5.3.1.6 knows. */
#define SERVER_BLOCK 1000

/* So many commands that are none, and we hang up. */
#define SERVER_ERRORS_MAX 20

/* What a Received line says of the dialogue (mail/received.h). */
struct server_facts {
	const char *helo; /* the client's name, as it said it: printable */
	const char *with; /* static: "SMTP", "ESMTP" or "UTF8SMTP" */
};

/*
 * Whose errors become replies: the code in *e if it is 4yz or 5yz, else one
 * by the verdict; the enhanced code if its class agrees; the sentence in ASCII.
 * Each may be NULL but `begin`, `data`, `end` and `drop`.
 */
struct server_ops {
	/* May it send? A name without domain may be completed in place
	 * (address_free() and a new one). `size`: octets announced, 0: none. 0,
	 * or -1 with *e. */
	int (*mail)(
	    void *ctx, struct address *sender, uint64_t size, struct err *e);
	/* The same for a recipient. */
	int (*rcpt)(void *ctx, struct address *rcpt, struct err *e);
	/*
	 * The envelope stands, and a message comes. 0: exactly one of `end`
	 * and `drop` follows; -1 with *e: neither does. The envelope is the
	 * callbacks' until then; its outcomes are of no interest here.
	 */
	int (*begin)(void *ctx, const struct server_facts *, struct envelope *,
	    struct err *e);
	/* Octets of it, as they came but for doubled dots: lines end in CRLF,
	 * a lone CR or LF is nothing special, but for a person's LF. 0, or -1
	 * with *e: `drop` follows, and the client is told at the end. */
	int (*data)(void *ctx, const char *s, size_t n, struct err *e);
	/* It is whole. 0: it is safe, and its queue id is in `id`, "" if
	 * nobody is left who wants it; -1 with *e: it is the client's. */
	int (*end)(void *ctx, char id[SERVER_ID_SIZE], struct err *e);
	/* It will never be whole: nobody was told that we have it. */
	void (*drop)(void *ctx);
	void *ctx; /* borrowed: for all of them */
};

struct server_config {
	const char *name; /* borrowed: ours, a host name or literal */
	const struct server_ops *ops; /* borrowed */
	uint64_t size_max; /* octets of a message; 0: any */
	size_t rcpts_max; /* of a message; 0: any */
	/* Not to be served: greeted with 554 and this, and left to QUIT (RFC
	 * 5321 3.1). NULL: served. Borrowed. */
	const char *refuse;
	/* A person types, who has no CR and smuggles nothing: LF alone ends a
	 * line of a message, and the dot. */
	bool typed;
};

/* At its start: the greeting waits in server_out(). The config is borrowed.
 * NULL: no memory. */
struct server *server_new(const struct server_config *);
/* What is unfinished is dropped. NULL is accepted. */
void server_free(struct server *);

/*
 * Octets from the client, in any cut. Returns how many were taken: it stops
 * behind each reply, takes none when too many replies wait to be written
 * first, and none when it is over.
 */
size_t server_feed(struct server *, const char *p, size_t n);

/* Replies to be written; what was written is for buf_consume(). */
struct buf *server_out(struct server *);

/* True if they must not wait for those to what else has come: but for MAIL,
 * RCPT and RSET none may (RFC 2920 3.2), and they not if they are many. */
bool server_presses(const struct server *);

/* How far the client has come: it grows by each reply, and by each block of a
 * message; a person's with each line. Octets alone do not move it. */
uint64_t server_steps(const struct server *);

/* Write what waits, then close: QUIT, too many errors, server_stop(). */
bool server_over(const struct server *);

/* True if it is over without QUIT. */
bool server_hung_up(const struct server *);

/* Hang up with 421, this enhanced code and these words, ASCII: a deadline, a
 * signal. */
void server_stop(struct server *, const char *enhanced, const char *why);

/* True while there is a message that nobody has yet: MAIL was taken, and
 * neither end of data nor RSET came. Its client hears nothing if he leaves. */
bool server_unfinished(const struct server *);

#endif
