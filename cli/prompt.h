/*
 * prompt: ask a person for a secret on the terminal.
 * Called through struct credential's `ask`.
 * It uses /dev/tty and not standard input, which is the message.
 * termios(3), tty(4).
 * Ownership: the answer goes into the caller's buffer, which wipes it.
 */
#ifndef CLI_PROMPT_H
#define CLI_PROMPT_H

struct buf;
struct err;

/*
 * Show `question`, read one line without echo, append it without its end.
 * `ctx` is the const struct waiter (base/wait.h) whose flag a signal sets:
 * the handlers must be those of the flag, and the signals blocked but while
 * waiting, or the terminal would be left without echo; NULL hears none.
 * 0, or -1 with *e: no terminal or not in its foreground, no line before the
 * end or within CREDENTIAL_TIMEOUT (auth, permanent); interrupted
 * (temporary). The terminal is as before in every case.
 */
int prompt_secret(
    void *ctx, const char *question, struct buf *out, struct err *e);

#endif
