/*
 * mend_params: a field with parameters, made to fit a server.
 * Called by mend.c for Content-Type and Content-Disposition.
 * Pure. Parameters that fit stay as they are.
 * RFC 2045 5.1, RFC 2183 2, RFC 2231 3 and 4.
 * Ownership: everything is the struct mending's.
 */
#ifndef MAIL_MEND_PARAMS_H
#define MAIL_MEND_PARAMS_H

struct mending;

/*
 * A value and its parameters. Values that do not fit become extended ones
 * (name*=utf-8''...), in pieces if need be; one that is there in that form
 * too is left out. Octets that do not fit elsewhere are refused (5.6.9).
 */
void mend_params(struct mending *);

#endif
