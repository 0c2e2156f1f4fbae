/*
 * idna: host and domain names: what they may be in DNS and SMTP, and how
 * those in other scripts are written there.
 * Called wherever people type a name: cli, net/spec.c, mail/address.c.
 * It asks nobody, and loads libidn2 only for a name that is not ASCII.
 * RFC 5890 to 5894 (IDNA 2008), UTS 46, RFC 1035 2.3.4, RFC 3696 2.
 * Ownership: results go into the caller's room; nothing is kept.
 */
#ifndef BASE_IDNA_H
#define BASE_IDNA_H

#include <stdbool.h>
#include <stddef.h>

struct err;

/* Longest name with its NUL: 255 octets (RFC 1035 2.3.4). */
#define IDNA_NAME_MAX 256

/*
 * A host name that may be looked up and shown: labels of letters, digits,
 * hyphens and underscores, 1 to 63 octets, not beginning or ending with a
 * hyphen, 255 in all, a final dot allowed. ASCII: an A-label is one, a
 * U-label is none.
 */
bool idna_is_hostname(const char *s, size_t n);

/*
 * A name in A-labels, U-labels (UTF-8) or both as DNS is asked for it: A-labels
 * in lower case; a final dot stays. U-labels are mapped first as UTS 46 says,
 * since people type them: lower case, full-width forms, the dots of Chinese
 * and Japanese; sharp s and final sigma are letters of their own. An underscore
 * stands in ASCII labels only.
 * 0, or -1 with *e, whose text is the reason alone: perm, data when `s` is no
 * such name; temp, machine when libidn2 is not installed or out of memory.
 */
int idna_to_ascii(
    const char *s, size_t n, char out[IDNA_NAME_MAX], struct err *e);

/*
 * The same for the name of a host that people see again as they typed it: what
 * is ASCII stays as it is, capitals too.
 */
int idna_host(const char *s, char out[IDNA_NAME_MAX], struct err *e);

#endif
