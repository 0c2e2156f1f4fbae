/*
 * sendmail: the face of programs that expect a mail system at /usr/sbin: the
 * letters of sendmail(8), and those of its other names.
 * Called by smtpsend.c; it returns the exit code.
 * It reads no option but these letters: whoever calls passes on words of
 * others, so that no letter names a file or a program.
 * The man page, smtpsend-sendmail(8), is its contract; argv is borrowed.
 */
#ifndef CLI_SENDMAIL_H
#define CLI_SENDMAIL_H

struct run_face;

/* `name` is the base name by which we were called. */
int sendmail_main(
    const struct run_face *, const char *name, int argc, char *argv[]);

#endif
