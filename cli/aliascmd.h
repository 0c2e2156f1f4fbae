/*
 * aliascmd: looking at the names of this machine: newaliases, -bi and -bv.
 * Called by sendmail.c.
 * It sends nothing, writes no database, and reads no standard input.
 * sendmail(8); smtpsend-sendmail(8).
 * Ownership: what it makes it frees; the struct send is the caller's.
 */
#ifndef CLI_ALIASCMD_H
#define CLI_ALIASCMD_H

struct send;

/*
 * Check the file of aliases and all that it names: a line on stderr for each
 * mistake, else how many there are on stdout. The exit code: 0, 78 for a
 * mistake.
 */
int aliascmd_check(struct send *);

/*
 * Say of each operand on stdout what it becomes, and by which routes that
 * would go; on stderr who is nobody or has no route. The exit code: that of the
 * first of these, else 0.
 */
int aliascmd_verify(struct send *);

#endif
