/*
 * serve: -bs of sendmail: an SMTP server for one client at standard input
 * and output.
 * Called by the sendmail face.
 * It listens nowhere, logs nobody in, and serves no other machine.
 * RFC 5321 3, 4.5.3.2.7 (its patience), 3.8 (how it ends).
 * Ownership: everything is borrowed for the call.
 */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

struct options;
struct run_face;

/*
 * Serve until QUIT or the end of the input; what was taken is in the queue,
 * and is tried behind that, or once the client pauses. The exit code: 0; 75 if
 * the client left, or was too slow, before his message was whole, or a signal
 * came; 66 and 73 if he cannot be read or written to; 77 if he is of another
 * machine.
 */
int serve_main(const struct run_face *, const struct options *);

#endif
