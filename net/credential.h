/*
 * credential: a secret, from where the user keeps it.
 * Called by cli, in the parent, just before the worker that needs it starts.
 * It asks people through a callback and prints nothing itself.
 * netrc(5), systemd.exec(5) LoadCredential=, secret-tool(1).
 * Ownership: the secret goes into the caller's buffer, which wipes it.
 */
#ifndef NET_CREDENTIAL_H
#define NET_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wait.h"

struct buf;
struct err;

/* Octets of the longest secret: OAuth tokens are long. */
#define CREDENTIAL_MAX (16 * 1024)

/* Milliseconds that a command or a descriptor may take: people type. */
#define CREDENTIAL_TIMEOUT (5 * 60 * 1000)

/* Where to look; all strings are borrowed, NULL: not given. */
struct credential {
	const char *account; /* its name: for $CREDENTIALS_DIRECTORY */
	const char *user; /* NULL: netrc may name one */
	const char *host; /* as the user wrote it */
	const char *service; /* secret-tool's protocol: "smtp" */
	/* Named by the user: the first that is given is the one that counts,
	 * in this order, and its failure is final. */
	int fd; /* --password-fd, read to its end once; -1: none */
	const char *text; /* `password` of a configuration */
	const char *cmd; /* passwordcmd: words, no shell */
	const char *eval; /* passwordeval: by /bin/sh */
	const char *file; /* passwordfile: its first line */
	/* Looked at when nothing is named. */
	/* $CREDENTIALS_DIRECTORY: the first line of smtpsend.ACCOUNT, else of
	 * smtpsend. Whoever made the folder guards it: modes are not looked
	 * at, since systemd's files have access lists. */
	const char *directory;
	/* Paths; NULL: none. What is not there is passed over. Ours must be
	 * private if a password is taken from it; the system's is the
	 * administrator's, and passed over if we may not read it. */
	const char *netrc;
	const char *netrc_system;
	struct buf *login; /* gets netrc's login when `user` is NULL, or NULL */
	/* Ask secret-tool, if it is there, for host, service and user, as
	 * msmtp's users stored it; its silence means no. */
	bool keyring;
	/* Ask a person: the answer without line end into `out`. NULL: nobody
	 * can be asked. 0, or -1 with *e. */
	int (*ask)(
	    void *ctx, const char *question, struct buf *out, struct err *e);
	void *ctx; /* borrowed */
	const struct waiter *waiter; /* borrowed, may be NULL */
};

/*
 * The secret into `secret` (the first line of what the source has, its end
 * removed; NUL or an empty secret is an error). *source, static, says where it
 * came from, for notes ("passwordeval", "netrc", ...). 0, or -1 with *e: auth,
 * permanent, if no source had one, and what could be set; config, permanent,
 * if a source failed, which one and how; temporary if a signal stopped us. No
 * sentence has anything of what a source said in it.
 */
int credential_fetch(const struct credential *, struct buf *secret,
    const char **source, struct err *e);

/*
 * A file that holds a secret must belong to us or root and be readable by
 * nobody else. 0, or -1 with *e (config) naming path, mode and the chmod that
 * mends it. `fd` is open on it.
 */
int credential_check_file(int fd, const char *path, struct err *e);

/*
 * The password of `host` and `user` (NULL: any) in a netrc(5) text; with
 * `default` as the last resort. Values may be quoted ("..."), \ takes the next
 * character as it is, # begins a comment where a keyword may stand; account,
 * port and protocol are passed over with their values, macdef with its lines.
 * Without a login an entry is for every user. 1 found and appended, with the
 * login appended to `login` (may be NULL); 0 none; -1 with *e (config): the
 * line number and what is wrong there.
 */
int netrc_find(const struct buf *text, const char *host, const char *user,
    struct buf *login, struct buf *password, struct err *e);

/*
 * Split a command line into words: blanks separate, '...' and "..." and \
 * quote as in sh(1), nothing is expanded. The words (NULL-ended list) and the
 * list are one allocation: free() it. NULL with *e (config).
 */
char **command_words(const char *line, struct err *e);

#endif
