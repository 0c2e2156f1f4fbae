/*
 * options: the command line, a row an option.
 * Called by the faces; --help and the checks of the docs read the rows.
 * It opens nothing and looks nothing up.
 * The sendmail letters keep sendmail's meaning.
 * Ownership: values point into argv; options_free() frees the lists.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/export.h"
#include "cli/settings.h"
#include "mail/compose.h"
#include "mx.h"
#include "queue/pick.h"

struct err;

/* What is asked for: a function each in native.c and sendmail.c. */
enum mode {
	MODE_SEND,
	MODE_SERVER_INFO,
	MODE_CONFIGURE,
	MODE_DKIM_KEYGEN,
	MODE_QUEUE_LIST,
	MODE_QUEUE_SHOW, /* operands are ids, here and in the next three */
	MODE_QUEUE_HOLD,
	MODE_QUEUE_RELEASE,
	MODE_QUEUE_REMOVE,
	MODE_QUEUE_STATS,
	MODE_QUEUE_RUN,
	MODE_SERVE, /* -bs; this and the next two are of sendmail.c alone */
	MODE_VERIFY, /* -bv: operands are addresses */
	MODE_ALIASES, /* -bi */
	MODE_HELP,
	MODE_VERSION,
	MODES
};

/* Which messages of the queue are tried; operands are ids. */
struct queue_run {
	bool due;
	struct pick_part id, rcpt, sender;
	int64_t every; /* seconds; 0: once */
	bool background; /* with `every`: nobody waits for it */
};

/* How long a message is tried before it is queued: -od of sendmail. */
enum attempt {
	ATTEMPT_SHORT, /* up to try_time before DATA, then queued */
	ATTEMPT_FULL, /* -odi: no such bound */
	ATTEMPT_LATER, /* -odb: queued, then tried */
	ATTEMPT_NONE, /* -odq: queued, and tried by the next run */
};

/* Who hears of a message that cannot be sent: -oe of sendmail. */
enum tell {
	TELL_PRINT, /* -oep, -oeq, -oew: stderr and exit code */
	TELL_MAIL, /* -oem: also a report to the sender */
	TELL_MAIL_ONLY, /* -oee: a report, and exit code 0 */
};

/* What the sendmail face asks for beyond options (sendmail(8)); all zero
 * elsewhere. */
struct face_wishes {
	bool is_sendmail;
	bool ends_at_dot; /* neither -i nor -oi */
	bool gateway; /* -G: from elsewhere, nothing is added */
	unsigned hops; /* -h: so many behind it already */
	const char *tag; /* -L: its name in the log; NULL: ours */
	enum attempt attempt;
	enum tell tell;
};

struct options {
	enum mode mode;
	const char *address; /* of --configure; the domain of --dkim-keygen */
	struct queue_run queue_run;
	const char *dkim_algorithm; /* of the latter; NULL: not given */
	const char *from; /* NULL: not given */
	const char *account; /* NULL: chosen by other means */
	const char *config; /* read no other file; NULL: the usual ones */
	char *proxy; /* owned: of --proxy, which argv has no more */
	struct settings settings; /* those of its account that were given */
	/* What counts where neither they nor a file say anything. */
	struct settings fallback;
	enum dns_family family; /* -4, -6 */
	struct override *overrides; /* owned */
	char **override_texts; /* owned: what the overrides point into */
	size_t noverrides;
	const char *nameserver;
	unsigned jobs;
	bool read_recipients; /* -t */
	bool read_envelope_from;
	bool keep_bcc;
	const char *subject; /* NULL: not given */
	/* What these were given, in order; the lists are owned. */
	struct texts to, cc, bcc, reply_to, headers, attach;
	struct face_wishes face;
	bool verbose;
	bool json;
	bool dry_run;
	struct export export;
	const char *caps; /* NULL: not given */
	const char **operands; /* owned: the list, not the strings */
	size_t noperands;
};

/*
 * Parse argv (argv[0] is skipped; a value that may hold a password is
 * overwritten there, since ps(1) shows it to all). Options and operands may be
 * mixed; "--" ends the options; "-" is standard input, which is read anyway.
 * Letters may be bundled, values glued or apart. 0, or -1 with *e (usage): one
 * line that names the option and, for an unknown one, the nearest.
 */
int options_parse(struct options *, int argc, char *argv[], struct err *e);
void options_free(struct options *);

/* The text of --help. */
void options_help(FILE *);

#endif
