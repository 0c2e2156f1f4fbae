/*
 * telling: who hears that a message could not be sent: -oe of sendmail.
 * Called by send.c, before and behind submit().
 * It writes no report: the queue's runner does, of what it is left.
 * sendmail(8); RFC 3461 4.1 (NOTIFY), RFC 5321 4.5.5 (the null sender).
 * Ownership: everything is borrowed for the call.
 */
#ifndef CLI_TELLING_H
#define CLI_TELLING_H

#include <stdbool.h>

struct envelope;
struct options;

/* True if the queue is to have those too for whom it failed for good, so that
 * the sender gets a report: -oem and -oee, unless there is no sender. */
bool telling_reports(const struct options *, const struct envelope *);

/*
 * Once all are decided: true if it failed for somebody, and nobody is to get
 * a report though he wants it: -oem and -oee without a sender, without a
 * queue that has them, or for what is no address.
 */
bool telling_falls_short(const struct options *, const struct envelope *);

/* The exit code: that of the outcomes, but 0 for -oee if all that is wrong
 * goes into a report. */
int telling_exit(const struct options *, const struct envelope *);

#endif
