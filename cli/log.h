/*
 * log: what became of each recipient, a line for each try, to syslog or a
 * file, for those who read logs.
 * Called by send.c and by runs of the queue once an outcome is there.
 * It changes no delivery: what cannot be logged is told once, on stderr.
 * RFC 3164 4.1 (what syslogd reads), RFC 3463 (dsn=); the words are Postfix's.
 * Ownership: everything is borrowed.
 */
#ifndef CLI_LOG_H
#define CLI_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct envelope;
struct outcome;
struct recipient;

/* Facilities beside those of syslog(3). */
enum { LOG_NOWHERE = -1, LOG_UNSAID = -2 };

/* Where an account's lines go. */
struct log_to {
	const char *file; /* borrowed; "-": standard output; NULL: none */
	const char *time_format; /* of strftime(3), borrowed; NULL: ours */
	int facility; /* LOG_MAIL, ..., LOG_NOWHERE or LOG_UNSAID */
};

/* What all lines of a process have in common. */
struct log {
	bool by_syslog; /* where the account leaves it unsaid */
	const char *tag; /* borrowed: our name; NULL: smtpsend */
	FILE *warnings; /* borrowed */
	bool told_file, told_syslog;
	int64_t syslog_again; /* wait_now(): it was deaf, try it again then */
};

/* A try of one message. */
struct log_try {
	const char *id; /* of the queue; NULL or "": it is not queued */
	const char *message_id; /* with its brackets; NULL or "": unsaid */
	const struct envelope *env;
	int64_t delay; /* ms since we got the message */
};

/* "on", "off", "LOG_MAIL" ...: the facility, or LOG_UNSAID for other words. */
int log_facility(const char *);
/* False if strftime(3) makes nothing of it, or too much. */
bool log_time_format(const char *);

/* One line on that recipient of the try. */
void log_recipient(struct log *, const struct log_to *, const struct log_try *,
    const struct recipient *);

/* One line on something else that happened to a queued message; the id may
 * be "". */
void log_note(
    struct log *, const struct log_to *, const char *id, const char *text);

#endif
