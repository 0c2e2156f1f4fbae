/*
 * native: the face of scripts: smtpsend [option]... [recipient]... < message
 * Called by smtpsend.c; it returns the exit code.
 * It is one of the few that read the environment and the machine's name.
 * The man page, smtpsend(1), is its contract.
 * Ownership: argv is borrowed for the whole run.
 */
#ifndef CLI_NATIVE_H
#define CLI_NATIVE_H

struct run_face;

int native_main(const struct run_face *, int argc, char *argv[]);

/* --version, of each face: 0, or the exit code when stdout did not take it. */
int native_version(void);

#endif
