/*
 * key: is the file of a private key encrypted, and closed to others?
 * Called by cli/account.c and cli/dkim.c, which then fetch a passphrase, and
 * by tls.c.
 * It loads no library and asks nobody.
 * RFC 7468 (PEM), RFC 1421 (its older form).
 * Ownership: nothing is kept.
 */
#ifndef NET_KEY_H
#define NET_KEY_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

/* Most octets of a file of keys. */
#define KEY_FILE_MAX ((size_t)1024 * 1024)

/* Append the file, which is a regular one that belongs to us or root and is
 * closed to all others. 0, or -1 with *e (config). */
int key_read(const char *path, struct buf *, struct err *e);

/* True if PEM text says that its key is encrypted. */
bool key_is_locked(const struct buf *text);

/* 1 if the PEM file holds an encrypted key, 0 if a plain one, -1 with *e
 * (config) if it cannot be read, has no key, or others may read it. */
int key_is_encrypted(const char *path, struct err *e);

#endif
