/*
 * user: a user of this machine, by name.
 * Called by who decides where local mail goes, and by who brings it there.
 * It becomes nobody, and opens no file but by way of the C library.
 * getpwnam_r(3), nsswitch.conf(5).
 * Ownership: plain data.
 */
#ifndef STORE_USER_H
#define STORE_USER_H

#include <sys/types.h>
#include <stddef.h>

struct err;

#define USER_NAME_SIZE 256
#define USER_PATH_SIZE 1024

struct user {
	char name[USER_NAME_SIZE]; /* as the machine writes it */
	uid_t uid;
	gid_t gid;
	char home[USER_PATH_SIZE]; /* "/" where none is told */
	char shell[USER_PATH_SIZE];
};

/*
 * The user of that name (n octets, from outside: nothing is believed of
 * them), as it is written, else in small letters. 1; 0: there is none; -1
 * with *e (temporary, machine, 4.3.0): the machine cannot tell, and so must
 * nobody be told that there is none.
 */
int user_find(const char *name, size_t n, struct user *, struct err *e);

#endif
