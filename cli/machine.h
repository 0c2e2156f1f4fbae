/*
 * machine: the names of this machine and of who runs us.
 * Called by native.c for EHLO and for senders that nobody named.
 * It asks no DNS.
 * mailname(5), gethostname(2), getpwuid(3).
 * Ownership: names go into the caller's room.
 */
#ifndef CLI_MACHINE_H
#define CLI_MACHINE_H

#include <stddef.h>

struct err;

/* Room for a host name, and for an address of ours. */
#define MACHINE_NAME_MAX 256
#define MACHINE_ADDRESS_MAX 512

/* The name for EHLO: a dotted host name, else /etc/mailname, else "". */
void machine_helo(char out[MACHINE_NAME_MAX]);

/* The domain of senders: /etc/mailname, else a dotted host name, else "". */
void machine_domain(char out[MACHINE_NAME_MAX]);

/* Who runs us, at the domain of senders: 0, or -1 with *e (usage). */
int machine_sender(char out[MACHINE_ADDRESS_MAX], struct err *e);

#endif
