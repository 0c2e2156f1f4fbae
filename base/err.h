/*
 * err: what went wrong, as a value, and the one map to exit codes.
 * Filled by every level below cli, read by deliver (scope) and cli (text).
 * It never prints and never exits; retry is the verdict, nothing else.
 * RFC 5321 4.2.1 (first digit), RFC 3463 (enhanced codes), sysexits(3).
 * Ownership: a struct err is plain data, copied by assignment.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

/* What the sender of the message may hope for. */
enum err_verdict { ERR_OK, ERR_TEMP, ERR_PERM };

/* Where the trouble comes from. */
enum err_kind {
	ERR_NONE,
	ERR_REPLY, /* a server said so */
	ERR_USAGE, /* the command line */
	ERR_DATA, /* the message or an address */
	ERR_CONFIG, /* the configuration */
	ERR_INPUT, /* input cannot be read */
	ERR_OUTPUT, /* output cannot be written */
	ERR_MACHINE, /* this machine: memory, disk, fork */
	ERR_LOOKUP, /* DNS */
	ERR_CONNECT, /* no connection, or it was lost */
	ERR_TLS, /* TLS or its policy */
	ERR_AUTH, /* credentials */
	ERR_PROTOCOL, /* a server broke the protocol */
	ERR_INTERNAL, /* a bug */
	ERR_KINDS
};

/* How far it reaches; proto.c acts on it within a connection, worker.c
 * beyond. */
enum err_scope {
	SCOPE_NONE,
	SCOPE_RECIPIENT, /* go on with the next recipient */
	SCOPE_MESSAGE, /* RSET, give up this message */
	SCOPE_HOST, /* this host will not do: the next target */
	SCOPE_DESTINATION, /* all recipients of this destination */
	SCOPE_RUN, /* stop */
	SCOPES
};

/* Where in the life of a delivery it happened. */
enum stage {
	STAGE_NONE,
	STAGE_INPUT,
	STAGE_LOOKUP,
	STAGE_CONNECT,
	STAGE_GREETING,
	STAGE_EHLO,
	STAGE_STARTTLS,
	STAGE_XCLIENT,
	STAGE_AUTH,
	STAGE_MAIL,
	STAGE_RCPT,
	STAGE_DATA,
	STAGE_END, /* end of data */
	STAGE_RSET,
	STAGE_QUIT,
	STAGES
};

/* RFC 3463 class.subject.detail; class 0 is "none given". */
struct enhanced {
	unsigned short class;
	unsigned short subject;
	unsigned short detail;
};

#define ERR_TEXT_MAX 512
#define ERR_COMMAND_MAX 64

struct err {
	enum err_verdict verdict;
	enum err_kind kind;
	enum err_scope scope;
	enum stage stage;
	int code; /* the server's reply code, 0 without one */
	struct enhanced enhanced;
	char command[ERR_COMMAND_MAX]; /* the command it answers, no secret */
	char text[ERR_TEXT_MAX]; /* one sentence, printable */
};

/*
 * Fill `e` (cleared first) and return -1, so that a function can end with
 * `return err_set(...)`. The text is cut to fit and made printable.
 */
int err_set(struct err *e, enum err_verdict, enum err_kind, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

/* The same with the text of errno `num` behind it: "FMT: strerror". A disk of
 * ours that is full, for now, is X.3.1 (RFC 3463 3.4). */
int err_errno(struct err *e, enum err_verdict, enum err_kind, int num,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* True if errno `num` says that this machine is short of something. */
bool err_is_shortage(int num);

/* The same, or that what it is read from is sick: the same file may be read
 * another time. */
bool err_may_pass(int num);

/* No error: verdict ok. */
void err_clear(struct err *);

/* Names for people and JSON: "reply", "rcpt", ... */
const char *err_kind_name(enum err_kind);
const char *err_stage_name(enum stage);

/* "5.1.1" into out; the empty string when there is none. Returns out. */
#define ENHANCED_MAX 16
const char *enhanced_str(const struct enhanced *, char out[ENHANCED_MAX]);

/*
 * Parse "X.Y.Z" at the start of s (class 2, 4 or 5; subject and detail of
 * one to three digits; RFC 2034 4). Returns octets used, 0 if none is there.
 */
size_t enhanced_parse(struct enhanced *, const char *s, size_t n);

/* The exit code for one error (design: sysexits; 0 for verdict ok). */
int err_exit(const struct err *);

/* Every exit code there is, for --help, the man page's check and tests. */
struct exit_row {
	int code;
	const char *name; /* sysexits name */
	const char *means; /* one line */
};
extern const struct exit_row exit_rows[];
extern const size_t exit_rows_n;

#endif
