/*
 * cfws: quoted strings, comments and white space, and where they end.
 * Called by address.c and address_list.c, which cut text between them.
 * Pure: it looks at octets, keeps nothing and says nothing.
 * RFC 5322 3.2.2 (comments, folding white space), 3.2.4 (quoted strings).
 * Ownership: the text is borrowed.
 */
#ifndef MAIL_CFWS_H
#define MAIL_CFWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* There is no end. */
#define CFWS_OPEN SIZE_MAX

/* A space or a tab: lines are unfolded. */
bool cfws_is_space(int c);

/* Behind the quoted string that begins at `at`, or CFWS_OPEN. */
size_t cfws_quoted_end(const char *s, size_t at, size_t end);

/* The same for a comment; they nest. */
size_t cfws_comment_end(const char *s, size_t at, size_t end);

/* Go on behind white space and comments, if there are any. False: *at is at a
 * comment that never ends. */
bool cfws_skip(const char *s, size_t *at, size_t end);

#endif
