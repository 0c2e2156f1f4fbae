/*
 * gsasl: GNU SASL, loaded when a mechanism of its is wanted.
 * Called by worker.c, which hands it to the dialogue as a struct sasl_library.
 * The only home of gsasl.h. It knows no SMTP.
 * RFC 5802, 7677 (SCRAM), 2195 (CRAM-MD5), 2831 (DIGEST-MD5), 9266, 5929.
 * Ownership: struct gsasl belongs to its maker.
 */
#ifndef NET_GSASL_H
#define NET_GSASL_H

#include "smtp/sasl.h"

struct gsasl_library;

struct gsasl {
	struct gsasl_library *lib; /* owned; NULL until first wanted */
	struct sasl_library face; /* what others see; ctx is this struct */
};

/* Loads nothing; the library is loaded by the first knows() or begin(). The
 * struct stays where it is: its face points to it. */
void gsasl_init_lazy(struct gsasl *);

/* After the end of all exchanges. The library has a gsasl_free() of its own. */
void gsasl_release(struct gsasl *);

#endif
