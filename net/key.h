/*
 * key: is the file of a private key encrypted, and closed to others?
 * Called by cli/account.c, which then fetches a passphrase, and by tls.c.
 * It loads no library and asks nobody.
 * RFC 7468 (PEM), RFC 1421 (its older form).
 * Ownership: nothing is kept.
 */
#ifndef NET_KEY_H
#define NET_KEY_H

struct err;

/* 1 if the PEM file holds an encrypted key, 0 if a plain one, -1 with *e
 * (config) if it cannot be read, has no key, or others may read it. */
int key_is_encrypted(const char *path, struct err *e);

#endif
