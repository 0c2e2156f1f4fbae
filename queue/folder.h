/*
 * folder: a queue's folder, made to last, and what its files need.
 * Called by queue/spool.c and queue/aside.c, which say what the files are.
 * It knows no format, sends nothing and prints nothing.
 * open(2) O_PATH, fsync(2), syncfs(2), fcntl(2) F_OFD_SETLK, F_OFD_GETLK.
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

/* What the name of an entry in the making ends in. */
#define FOLDER_TMP ".tmp"

/* Room for the names of files in it. */
#define FOLDER_NAME_SIZE (ENTRY_ID_SIZE + 24)

/* Flags for all that is opened in it: a FIFO or a terminal that somebody put
 * there does not stop us. */
#define FOLDER_OPEN (O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

enum folder_kind {
	FOLDER_OWN, /* ours alone, and all that is in it */
	FOLDER_ADD, /* the system's `in`: all add to it, and cannot list it */
	FOLDER_TAKE /* the same for its owner, who takes everything away */
};

/* The mode of the system's `in`. */
#define FOLDER_IN_MODE 03733

struct folder {
	enum folder_kind kind;
	char *path; /* owned: for what people are told */
	int fd; /* of FOLDER_ADD: names below it, and nothing else (O_PATH) */
	uid_t uid; /* whose it is, and of FOLDER_OWN all that is in it */
	gid_t gid; /* of FOLDER_ADD and FOLDER_TAKE: all that is in it */
	void (*draw)(void *to, size_t n);
};

struct folder_config {
	enum folder_kind kind;
	const char *path; /* borrowed until it is open */
	/* Make it (0700), and those above, if need be; of the other kinds none
	 * is ever made. */
	bool make;
	/* Random octets, for ids; may be NULL if nothing is put into it. */
	void (*draw)(void *to, size_t n);
};

/*
 * Open a folder. 0; 1: there is none, and none is made; -1 with *e
 * (temporary, machine; so are all errors here): it cannot be opened, is a
 * link, or has not the owner and mode of its kind.
 */
int folder_open(struct folder **, const struct folder_config *, struct err *e);
/* NULL is accepted. */
void folder_close(struct folder *);

/* Fill *e by errno, "cannot DOING PATH: ...", and return -1. */
int folder_trouble(const struct folder *, struct err *e, const char *doing);

/* A new file, which only its owner can write, and in `in` its owner's group
 * read: its descriptor, or -1 with errno. */
int folder_create(const struct folder *, const char *name);

/* What was renamed in it, and is open there, outlives the power from here on:
 * 0, or -1 with errno. */
int folder_keep(const struct folder *, int fd);

/* Lock all of a file: 0; 1: another one has it; -1 with errno. */
int folder_lock(int fd);
/* The same for one that is open to be read: it only keeps writers' locks
 * away. */
int folder_lock_shared(int fd);

/* True if another one has it locked now. The file may be open for reading
 * only, and nobody notices that we ask. */
bool folder_locked(int fd);

/* Give it back, also for processes that were forked since. */
void folder_unlock(int fd);

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
