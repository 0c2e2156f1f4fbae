/*
 * mend_addresses: a field with addresses or phrases, made to fit a server.
 * Called by mend.c for the rows of its table that have such.
 * Pure. Addresses themselves never change, but domains become A-labels.
 * RFC 5322 3.4 and 4.4, RFC 2047 5 (3), RFC 5890 2.3.2.1 (A-labels).
 * Ownership: everything is the struct mending's.
 */
#ifndef MAIL_MEND_ADDRESSES_H
#define MAIL_MEND_ADDRESSES_H

struct mending;

/*
 * Addresses, groups, or phrases (Keywords), with commas between them; a list
 * without white space gets some behind its commas. Octets that do not fit are
 * refused in local parts and in domains that are none (5.6.9).
 */
void mend_addresses(struct mending *);

#endif
