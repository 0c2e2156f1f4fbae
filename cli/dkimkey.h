/*
 * dkimkey: a new DKIM key, its record for DNS, and how it is configured.
 * Called by native.c for --dkim-keygen.
 * It asks no name server and changes no configuration.
 * RFC 6376 3.6.1, 3.6.2 (the record), RFC 8463 4, RFC 8301 3.2.
 * Ownership: everything is borrowed for the call.
 */
#ifndef CLI_DKIMKEY_H
#define CLI_DKIMKEY_H

#include <stdint.h>
#include <stdio.h>

struct buf;
struct err;

struct dkimkey_config {
	const char *domain; /* as typed */
	const char *selector; /* NULL: algorithm and year */
	const char *path; /* of the key; NULL: ./DOMAIN.SELECTOR.pem */
	const char *algorithm; /* a word of --dkim-algorithm; NULL: rsa */
	int64_t now; /* seconds since 1970 */
};

/*
 * Make a key, write it to a file that nobody but us can read, and print record
 * and configuration. A file that is there stays as it is. 0, or -1 with *e
 * (usage, output, machine) and no file.
 */
int dkimkey_make(const struct dkimkey_config *, FILE *out, struct err *e);

/* NULL, or the remedy if it is no word of --dkim-algorithm. */
const char *dkimkey_algorithm(const char *);

/*
 * Append the record's text as a zone file has it: in quoted strings of at
 * most 255 octets with blanks between them (RFC 1035 3.3, 5.1; RFC 6376
 * 3.6.2.2).
 */
void dkimkey_strings(struct buf *, const char *text);

#endif
