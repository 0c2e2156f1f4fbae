/*
 * folder: a queue's folder, made to last, and what its files need.
 * Called by queue/spool.c, which says what the files are.
 * It knows no format, sends nothing and prints nothing.
 * open(2), fsync(2), fcntl(2) F_OFD_SETLK.
 * Ownership: folder_close() closes what folder_open() opened.
 */
#ifndef QUEUE_FOLDER_H
#define QUEUE_FOLDER_H

#include <sys/types.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/entry.h"

struct err;

/* Where entries are set aside. It is made last. */
#define FOLDER_BROKEN "broken"

/* Flags for all that is opened in it: a FIFO or a terminal that somebody put
 * there does not stop us. */
#define FOLDER_OPEN (O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

struct folder {
	char *path; /* owned: for what people are told */
	int fd;
	uid_t uid; /* whose it is, and all that is in it */
	void (*draw)(void *to, size_t n);
};

struct folder_config {
	const char *path; /* borrowed until it is open */
	bool make; /* make it (0700), and those above, if need be */
	/* Random octets, for ids; may be NULL if nothing is put into it. */
	void (*draw)(void *to, size_t n);
};

/*
 * Open a folder. 0; 1: there is none, and `make` is not set; -1 with *e
 * (temporary, machine; so are all errors here): it cannot be opened, is not
 * ours alone to write, or is a link.
 */
int folder_open(struct folder **, const struct folder_config *, struct err *e);
/* NULL is accepted. */
void folder_close(struct folder *);

/* Fill *e by errno, "cannot DOING PATH: ...", and return -1. */
int folder_trouble(const struct folder *, struct err *e, const char *doing);

/* Lock all of a file: 0; 1: another one has it; -1 with errno. */
int folder_lock(int fd);

/* Is that name this file's? 1, 0, or -1 with errno. */
int folder_has(const struct folder *, const char *name, int fd);

/* Write at *off, which moves on: 0, or -1 with errno. */
int folder_write(int fd, uint64_t *off, const char *, size_t n);

/* Ids that were found. */
struct names {
	char (*ids)[ENTRY_ID_SIZE]; /* owned: free(3) */
	size_t n, size;
};

/* The ids of all names that end in `suffix`, sorted: 0, or -1 with errno. All
 * zero to begin with. */
int names_read(const struct folder *, struct names *, const char *suffix);

#endif
