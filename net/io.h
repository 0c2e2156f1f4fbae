/*
 * io: a connection: read and write with a deadline, whole lines out.
 * Called by wire.c and proxy.c; dial.c makes the descriptor, tls.c swaps the
 * ops.
 * It knows no SMTP: what a reply is, its caller says.
 * poll(2), RFC 5321 4.5.3.2 (the deadlines are the caller's).
 * Ownership: io_free() closes the descriptor.
 */
#ifndef NET_IO_H
#define NET_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/wait.h"

struct err;
struct io;

/*
 * One way to move octets. Both return octets moved, 0 at the end of the
 * stream (read only), or -1 with errno; EAGAIN says in *events which poll(2)
 * event to wait for.
 */
struct io_ops {
	ssize_t (*read)(struct io *, void *, size_t, short *events);
	ssize_t (*write)(struct io *, const void *, size_t, short *events);
	/* True if octets wait inside the ops, unseen by poll(2); may be NULL */
	bool (*pending)(struct io *);
	void (*close)(struct io *); /* fd may be -1 already */
};

/* Most octets that wait in io->in. */
#define IO_INPUT_MAX (256 * 1024)

struct io {
	int fd; /* owned, non-blocking */
	const struct io_ops *ops; /* borrowed */
	void *ops_ctx; /* the ops' own */
	const struct waiter *waiter; /* borrowed, may be NULL */
	int64_t deadline; /* wait_now() clock, for each wait */
	int64_t limit; /* milliseconds it was set to, for the error text */
	struct buf in; /* owned: read, not yet taken */
	bool eof; /* the peer has ended its side */
	const char *why; /* static: the ops' words for a loss, or NULL */
};

/*
 * Take over a connected socket. The plain ops never block, also on a socket
 * that is not set non-blocking (dial() sets it, for ops that need that).
 */
void io_init(struct io *, int fd, const struct waiter *);
void io_free(struct io *);

/*
 * All later waits end `ms` milliseconds from now; drip-fed octets do not
 * push it on.
 */
void io_deadline(struct io *, int64_t ms);

/*
 * Read some octets into io->in: > 0 how many came, 0 the stream ended
 * (closed or reset), -1 lost, timed out or stopped. *e is filled for 0 and
 * -1: temporary, connect (machine when this machine is to blame, protocol
 * when more than IO_INPUT_MAX octets would wait).
 */
int io_fill(struct io *, struct err *e);

/* True when io->in has octets or io_fill() would not wait: octets or the
 * end of the stream are there. */
bool io_readable(struct io *);

enum io_written { IO_WRITTEN = 0, IO_FAILED = -1, IO_ANSWERED = 1 };

/*
 * Write all n octets; *done says how many went, also on failure. With
 * `listen`, octets that are there when the socket takes no more are read
 * into io->in and IO_ANSWERED is returned (the caller looks at them and may
 * go on); as long as the socket takes all at once nothing is looked for,
 * which saves a call: ask io_readable() between blocks. A lost connection
 * is IO_FAILED with *e (temporary, connect); what the peer said before can
 * still be read with io_fill().
 */
enum io_written io_write(struct io *, const void *, size_t n, bool listen,
    size_t *done, struct err *e);

/* Close the socket alone; for the close of other ops. */
void io_close_socket(struct io *);

/* Close hard: the peer sees a reset, not an end (an abandoned transaction). */
void io_abort(struct io *);

/* Our own address of the connection as an RFC 5321 4.1.3 literal,
 * "[127.0.0.1]" or "[IPv6:::1]"; "[127.0.0.1]" over a unix socket. */
#define IO_LITERAL_MAX 64
char *io_literal(const struct io *, char out[IO_LITERAL_MAX]);

#endif
