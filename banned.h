/*
 * banned.h: library calls that have no safe use in this program.
 *
 * The Makefile puts this file before every source (-include), so a call of
 * any of them is a compile error that names the call.  The headers that
 * declare them come first: once the macros stand, a declaration such as
 * "char *strcpy(char *, const char *)" would be rewritten as well.
 */
#ifndef BANNED_H
#define BANNED_H

#include <alloca.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define BANNED(name) banned_call_of_##name##_see_banned_h

/* No bound on what is written: snprintf, memcpy, or struct buf. */
#undef strcpy
#define strcpy(...) BANNED(strcpy)
#undef stpcpy
#define stpcpy(...) BANNED(stpcpy)
#undef strcat
#define strcat(...) BANNED(strcat)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef gets
#define gets(...) BANNED(gets)

/* A bound that is nearly always the wrong one, or leaves out the NUL. */
#undef strncpy
#define strncpy(...) BANNED(strncpy)
#undef stpncpy
#define stpncpy(...) BANNED(stpncpy)
#undef strncat
#define strncat(...) BANNED(strncat)

/* Memory of the stack, by the size that somebody else chose. */
#undef alloca
#define alloca(...) BANNED(alloca)
#undef strdupa
#define strdupa(...) BANNED(strdupa)
#undef strndupa
#define strndupa(...) BANNED(strndupa)

/* Hidden state: the reentrant form (strtok_r, gmtime_r) or none at all. */
#undef strtok
#define strtok(...) BANNED(strtok)
#undef localtime
#define localtime(...) BANNED(localtime)
#undef gmtime
#define gmtime(...) BANNED(gmtime)
#undef asctime
#define asctime(...) BANNED(asctime)
#undef asctime_r
#define asctime_r(...) BANNED(asctime_r)
#undef ctime
#define ctime(...) BANNED(ctime)
#undef ctime_r
#define ctime_r(...) BANNED(ctime_r)

/* No word on overflow or on what follows the digits: strtol and its kin. */
#undef atoi
#define atoi(...) BANNED(atoi)
#undef atol
#define atol(...) BANNED(atol)
#undef atoll
#define atoll(...) BANNED(atoll)
#undef atof
#define atof(...) BANNED(atof)

/* Not random: base/crypto.h, or getrandom(2). */
#undef rand
#define rand(...) BANNED(rand)
#undef rand_r
#define rand_r(...) BANNED(rand_r)
#undef srand
#define srand(...) BANNED(srand)
#undef random
#define random(...) BANNED(random)
#undef srandom
#define srandom(...) BANNED(srandom)
#undef drand48
#define drand48(...) BANNED(drand48)

/* A shell between us and the program: fork and execve. */
#undef system
#define system(...) BANNED(system)
#undef popen
#define popen(...) BANNED(popen)

/* A name that another process can take first: mkostemp, O_TMPFILE. */
#undef mktemp
#define mktemp(...) BANNED(mktemp)
#undef tmpnam
#define tmpnam(...) BANNED(tmpnam)
#undef tempnam
#define tempnam(...) BANNED(tempnam)

/* Differs from system to system in what it restores: sigaction. */
#undef signal
#define signal(...) BANNED(signal)

#endif
