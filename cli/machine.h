/*
 * machine: the names of this machine and of who runs us.
 * Called by account.c for EHLO and for senders that nobody named.
 * It asks no DNS but for %C in a configuration.
 * mailname(5), gethostname(2), getpwuid(3).
 * Ownership: names go into the caller's room.
 */
#ifndef CLI_MACHINE_H
#define CLI_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Room for a host name, and for an address of ours. */
#define MACHINE_NAME_MAX 256
#define MACHINE_ADDRESS_MAX 512
#define MACHINE_PATH_MAX 4096

/* The host's own name if it is dotted, else "". */
void machine_host(char out[MACHINE_NAME_MAX]);

/* The name for EHLO: a dotted host name, else /etc/mailname, else "". */
void machine_helo(char out[MACHINE_NAME_MAX]);

/* The domain of senders: /etc/mailname, else a dotted host name, else "". */
void machine_domain(char out[MACHINE_NAME_MAX]);

/* The same, and if there is none what the machine calls itself, be it without
 * a dot: never "". */
void machine_any_domain(char out[MACHINE_NAME_MAX]);

/* Who runs us, at this domain (NULL: that of senders): 0, or -1 with *e
 * (usage). */
int machine_sender(
    const char *domain, char out[MACHINE_ADDRESS_MAX], struct err *e);

#define MACHINE_FULL_NAME_MAX 256
/* The full name of who runs us: $NAME, else what passwd(5) has, else "". */
void machine_full_name(char out[MACHINE_FULL_NAME_MAX]);

/*
 * The name in passwd's comment field: up to the first comma, an & being the
 * login name with a capital (finger(1)); cut to fit.
 */
void machine_gecos(
    const char *gecos, const char *login, char out[MACHINE_FULL_NAME_MAX]);

/*
 * Put names into a text of a configuration, cut to fit: %U $USER, $LOGNAME or
 * the login name; %H $HOSTNAME or the host name; %C its canonical name, which
 * is asked for; %M /etc/mailname. Other % stay.
 */
void machine_expand(const char *s, char *out, size_t size);

/* From now on no core is dumped and no other process of this user looks into
 * this one: a secret may come. For good, also for workers. */
void machine_keep_private(void);

/* So many files may be open from now on, or as many as the administrator
 * lets us. */
void machine_open_files(uint64_t n);

/* Random octets; without randomness in the system all zero. */
void machine_random(void *to, size_t n);

/* HOME, else what the user data base has of the effective user: a whole path,
 * borrowed until the next question of that kind; NULL if there is none. */
const char *machine_home(void);

/* The path of ~/.netrc; false without a home. */
bool machine_netrc(char out[MACHINE_PATH_MAX]);

#endif
