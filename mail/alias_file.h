/*
 * alias_file: /etc/aliases and the lists that it includes, from octets.
 * Called by queue/aliases.c, which keeps what is said here.
 * Pure. It opens no list and follows no name; it decides what may stand there.
 * sendmail's and Postfix's aliases(5), msmtp(1); RFC 5321 3.9.
 * Ownership: all is borrowed, for the callback.
 */
#ifndef MAIL_ALIAS_FILE_H
#define MAIL_ALIAS_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct address;
struct err;

/* Longest name, and longest path of a list, with a NUL. */
#define ALIAS_NAME_MAX 65
#define ALIAS_PATH_MAX 4096

/* The name of the entry for whoever has none of his own. `default` means the
 * same. */
#define ALIAS_ALL "*"

enum alias_kind {
	ALIAS_ADDRESS, /* an address with a domain, or a name without */
	ALIAS_MAILBOX, /* \name: his mailbox, whatever his alias says */
	ALIAS_INCLUDE, /* :include:/path */
	ALIAS_NOBODY /* /dev/null: the mail is thrown away */
};

struct alias_value {
	enum alias_kind kind;
	size_t line; /* from 1 */
	struct address *addr; /* ALIAS_ADDRESS, ALIAS_MAILBOX: the callback's
				 own */
	const char *path; /* ALIAS_INCLUDE */
};

/*
 * Told what is read, in order. `name` and `value` return non-zero to stop.
 * Names are folded: alias_fold().
 */
struct alias_reader {
	/* The values up to the next are this name's. */
	int (*name)(void *ctx, const char *name, size_t line);
	int (*value)(void *ctx, const struct alias_value *);
	/*
	 * What stands on that line cannot be used: *e (permanent, config, or
	 * temporary, machine) says why and what to write. `inside`: it belongs
	 * to the last name, which is thus not whole; else to none.
	 */
	void (*bad)(void *ctx, size_t line, bool inside, const struct err *);
	void *ctx; /* borrowed */
};

/*
 * A whole file: `name: value, value`, gone on with on lines that begin with
 * white space; `#` begins a comment at the start of a line or behind white
 * space. Names and values may be quoted. Lines end in LF or CRLF. 0, or what a
 * callback stopped it with. What is bad stops nothing; want of memory does,
 * with -1 and no call, since half of a file makes users unknown.
 */
int alias_file_read(const char *s, size_t n, const struct alias_reader *);

/* A list of ":include:": values only, on lines or with commas between them. */
int alias_list_read(const char *s, size_t n, const struct alias_reader *);

/*
 * The form in which names are compared: no quotes, ASCII letters small,
 * `default` as ALIAS_ALL. False: longer than any name (or nothing) and so none.
 */
bool alias_fold(char out[ALIAS_NAME_MAX], const char *s, size_t n);

#endif
