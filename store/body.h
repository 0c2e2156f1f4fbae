/*
 * body: the octets of standard input or a file, kept to be read again.
 * Called by queue/submit.c and cli (attachments); handed to mail/message.c as a
 * callback.
 * It knows no mail format but lines with dots, if asked, and changes no octet.
 * Up to 1 MiB in memory; beyond it an unlinked temporary file (TMPDIR, else
 * /var/tmp); a regular file is used in place. Never mapped; read by pread(2)
 * only, since workers share the descriptor.
 * Ownership: body_free() closes what is opened here, not `fd`.
 */
#ifndef STORE_BODY_H
#define STORE_BODY_H

#include <stddef.h>
#include <stdint.h>

struct body;
struct err;

#define BODY_MEMORY_MAX (1024 * 1024)

/*
 * Read `fd`, blocking or not, to its end. A regular file is read in place
 * from its present offset, which is then set to its end. `dir` is where a
 * temporary file goes, `what` is what errors call it ("the message"; borrowed
 * until the end). NULL with *e: permanent, input (66), or temporary,
 * machine (disk full).
 */
struct body *body_read_all(
    int fd, const char *what, const char *dir, struct err *e);

/* What is made of lines that begin with a dot. */
enum body_dots {
	BODY_DOTS_KEPT, /* nothing: the message ends where the input does */
	BODY_DOTS_END, /* one that is a dot ends the message */
	BODY_DOTS_STRIP /* and of two dots that begin a line one goes */
};

/*
 * The same as body_read_all() with dots (mail/dots.h). What stands behind the
 * end is read and thrown away, so that no writer is killed by SIGPIPE; one
 * that keeps a pipe open in silence, or a terminal, is not waited for. A
 * regular file stays in place unless a dot must go.
 */
struct body *body_read_dots(
    int fd, const char *what, const char *dir, enum body_dots, struct err *e);

/*
 * A body of octets that come by other ways: an empty one (NULL with *e:
 * temporary, machine), and n more of them; 0, or -1 with *e (the same), after
 * which it is only to be freed.
 */
struct body *body_new(const char *what, struct err *e);
int body_add(
    struct body *, const char *p, size_t n, const char *dir, struct err *e);

void body_free(struct body *);

/* Octets in it. */
uint64_t body_size(const struct body *);

/*
 * Octets at an offset, as mail/message.h's octets_fn wants it: `body` is a
 * struct body. A file in place whose size or modification time is no longer
 * what it was is an error (temporary, input): what was sent is not whole.
 */
long body_octets(void *body, uint64_t off, void *to, size_t n, struct err *);

#endif
