/*
 * priorities: what a GnuTLS priority string says of versions.
 * Called by settings.c for msmtp's tls_priorities.
 * It chooses no ciphers: OpenSSL's names differ, and its defaults are sound.
 * GnuTLS manual, "Priority strings".
 * Ownership: nothing is kept.
 */
#ifndef CLI_PRIORITIES_H
#define CLI_PRIORITIES_H

#include <stdint.h>

/*
 * The least version of TLS that the string leaves, as struct tls_config has
 * it, into *min; 0 where it says nothing of versions. 0, or -1 when some of
 * it is not understood; *min is right all the same, or 0.
 */
int priorities_parse(const char *s, int64_t *min);

#endif
