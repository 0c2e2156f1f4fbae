/*
 * server_params: what stands behind MAIL, RCPT and BDAT: a path and what the
 * client asks for behind it, or octets.
 * Called by server.c; a parameter is a row in server_params.c.
 * Pure. What we ask of servers is written by params.c, from the same envelope.
 * RFC 5321 4.1.2; 1870, 3030 2, 3461 4, 6152, 6531 3.4, 6533 3.
 * Ownership: server_wants_free() releases the strings.
 */
#ifndef SMTP_SERVER_PARAMS_H
#define SMTP_SERVER_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/envelope.h"

struct err;

enum server_command { SERVER_MAIL, SERVER_RCPT };

struct server_wants {
	unsigned seen; /* rows that were there, by their number */
	uint64_t size; /* octets that the client will send; 0: not said */
	bool is_8bit; /* BODY=8BITMIME */
	bool utf8; /* SMTPUTF8 */
	enum dsn_return dsn_return;
	char *envid; /* owned; NULL: none */
	unsigned notify; /* NOTIFY_ bits */
	char *orcpt; /* owned: TYPE;ADDRESS, decoded; NULL: none */
};

/*
 * The path behind a word like "FROM:", perhaps with a space between: where it
 * begins, and how many octets it has; 0: there is none, or it never ends. Its
 * brackets may be missing, a '>' in quotes is none of them (RFC 5321 4.1.2).
 */
size_t server_path(const char *word, const char *arg, const char **path);

/* "OCTETS" or "OCTETS LAST" behind BDAT (RFC 3030 2): true if it is one. */
bool server_chunk(const char *arg, uint64_t *octets, bool *last);

/*
 * Take "NAME=VALUE NAME ...", with spaces between, all zero to begin with: 0,
 * or -1 with *e, whose code and enhanced code are those of the reply (555 for
 * one that is not known to this command, 501 for a value that is none or a
 * parameter that is there twice; 451 without memory). The struct is to be
 * freed in any case.
 */
int server_wants_parse(struct server_wants *, enum server_command,
    const char *s, size_t n, struct err *e);
void server_wants_free(struct server_wants *);

#endif
