/*
 * report: what became of it, for people and for programs.
 * Called by the faces with decided envelopes and with dialogue lines.
 * It decides nothing: all is computed from outcomes.
 * RFC 8259 (JSON). Whatever a server said is made printable first.
 * Ownership: everything is borrowed for the call.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct buf;
struct deliver_line;
struct entry;
struct envelope;
struct err;
struct message;
struct outcome;
struct plan;
struct recipient;
struct tls_facts;
struct waiter;

/* "smtpsend: ..." for an error that has no recipient. */
void report_error(FILE *, const struct err *);

/* 0, or the exit code when stdout did not take what was written: said on
 * stderr, unless its reader has left. */
int report_flush(FILE *out);

/* "smtpsend: ..." for what does not stop us. */
void report_warning(FILE *, const char *text);

/* One line for each recipient that did not get the message. */
void report_failures(FILE *, const struct envelope *);

/* One for each who is queued though somebody must see to it; with `all` for
 * each who is queued. */
void report_queued(FILE *, const struct envelope *, bool all);

/* A line for each server that took the message, but not all that was asked
 * of it. */
void report_left_out(FILE *, const struct envelope *);

/* The whole result as one JSON object and a line end. */
void report_json(FILE *, const struct envelope *, uint64_t size, int exit);

/* What is known of a private connection, as a JSON object; NULL: null. */
void report_json_tls(struct buf *, const struct tls_facts *);

/* A recipient and its outcome as members of a JSON object, without braces and
 * what is known of the connection. */
void report_json_recipient(struct buf *, const struct recipient *);

/* Behind an outcome's name, as text: " at rcpt, HOST [IP]:PORT said: ...". */
void report_reason(struct buf *, const struct outcome *);

/* --dry-run: each route, its targets in order and its recipients. */
void report_plan(FILE *, const struct plan *, const struct envelope *,
    const struct message *);
void report_plan_json(FILE *, const struct plan *, const struct envelope *,
    const struct message *, int exit);

/* -bv: what an address became, and the routes of that; nothing for one that is
 * none. */
void report_verified(
    FILE *, const char *address, const struct plan *, const struct envelope *);

/* One line of a dialogue, with its worker's name when several run. */
void report_line(FILE *, const struct deliver_line *);

/*
 * The same on stderr, while signals are blocked. It may wait for whoever reads
 * that; a signal is heard meanwhile: the write ends, and the run with it;
 * later lines are shown as far as there is room for them.
 */
void report_live_line(const struct waiter *, const struct deliver_line *);

/* What one try of a queued message came to for a recipient: a line for people
 * if it does not have it, a JSON object and a line end in any case. */
void report_attempt(FILE *, const struct entry *, size_t rcpt);
void report_attempt_json(
    FILE *, const struct entry *, size_t rcpt, int64_t now);

#endif
