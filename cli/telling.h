/*
 * telling: who hears that a message could not be sent: -oe of sendmail.
 * Called by send.c, before and after submit().
 * It writes no report: the queue's runner does, for the recipients that
 * failed and were queued for that.
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
 * Once all recipients are decided: true if -oem or -oee wants a report on one
 * that failed, and none can be made: there is no sender, no queue has taken
 * the failure, or what was given is no address.
 */
bool telling_falls_short(const struct options *, const struct envelope *);

/* The exit code: that of the outcomes; but 0 for -oee if all recipients that
 * failed go into a report and all others are delivered or queued. */
int telling_exit(const struct options *, const struct envelope *);

#endif
