/*
 * envelope: who sends, who receives, and what became of each recipient.
 * Filled by cli, completed by mx and deliver, read by the reports.
 * It sends nothing and looks nothing up.
 * RFC 5321 2.3.1, 3461 4, 2852, 4865, 6710, 4954 5; exit rules are the man
 * page's, EXIT STATUS. Ownership: it owns its recipients and their addresses.
 */
#ifndef MAIL_ENVELOPE_H
#define MAIL_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/address.h"
#include "mail/outcome.h"

struct tls_facts;

/* When the sender wants a report (RFC 3461 4.1); 0: as servers are used to. */
enum notify {
	NOTIFY_NEVER = 1 << 0, /* stands alone */
	NOTIFY_SUCCESS = 1 << 1,
	NOTIFY_FAILURE = 1 << 2,
	NOTIFY_DELAY = 1 << 3
};

/* What a report of failure has of the message (RFC 3461 4.3). */
enum dsn_return { RETURN_UNSAID, RETURN_FULL, RETURN_HDRS };

/* By when it is to be delivered (RFC 2852); what then? */
struct deliver_by {
	bool wanted;
	bool returned; /* mode R: it comes back; else (N) its sender is told */
	bool trace; /* T: each relay is to be reported */
	int64_t seconds; /* from `since` on; of mode N also negative */
	int64_t since; /* of wait_now(), ms */
};

struct recipient {
	struct address addr; /* owned; raw is NULL if it did not parse */
	char *given; /* owned: as the user typed it, printable */
	unsigned notify; /* NOTIFY_ bits */
	/* Borrowed: TYPE;ADDRESS, as reports are to name it; NULL: addr. */
	const char *orcpt;
	/* Who he is on this machine could not be said yet, and is to be asked
	 * again before he is tried (queue/locals.h). */
	bool unresolved;
	struct outcome outcome;
};

/* Room for the name of an entry of a queue. */
#define ENVELOPE_QUEUE_ID_SIZE 16

struct envelope {
	struct address sender; /* owned */
	enum dsn_return dsn_return;
	const char *envid; /* borrowed: what reports repeat; NULL: none */
	struct deliver_by by;
	/* Not before (RFC 4865): seconds from now, or since 1970; 0: at once */
	int64_t hold_for, hold_until;
	bool has_priority;
	int priority; /* -9 to 9 (RFC 6710) */
	struct address submitter; /* owned: who wrote it, "" nobody known
				     (RFC 4954 5); raw NULL: unsaid */
	unsigned notify; /* of recipients that are added from now on */
	struct recipient *rcpts; /* owned */
	size_t n;
	size_t size; /* allocated */
	size_t *slots; /* owned: hash table of index + 1 */
	size_t nslots; /* a power of two, or 0 */
	struct tls_facts **tls; /* owned: of private connections (net/tls.h) */
	size_t ntls;
	/* The entry in which those are that are queued; "": none is. */
	char queue_id[ENVELOPE_QUEUE_ID_SIZE];
};

void envelope_init(struct envelope *);
void envelope_free(struct envelope *);

/*
 * Add a recipient; takes ownership of *a also on failure. One that is there
 * already (address_equal) is dropped. 0 added, 1 dropped, -1 no memory.
 */
int envelope_add(
    struct envelope *, struct address *a, const char *given, size_t n);

/*
 * Add one that cannot be sent to, decided by `e` (not ok): failed, or deferred
 * if memory ran out while it was parsed. 0, or -1 no memory.
 */
int envelope_add_failed(
    struct envelope *, const char *given, size_t n, const struct err *e);

/*
 * A recipient of another envelope becomes one of this; nothing of his is left
 * in *r. 0 taken, 1 dropped since he is there already, -1 no memory.
 */
int envelope_take(struct envelope *, struct recipient *r);

/* The number, from 1, of the recipient of that address; 0: there is none. */
size_t envelope_find(const struct envelope *, const struct address *);

/* Keep what is known of a connection, in memory of malloc(3) that is the
 * envelope's from now on: its number, from 1, for outcomes; 0: no memory. */
size_t envelope_add_tls(struct envelope *, struct tls_facts *);

/* True if the sender or one of those recipients, by index (NULL: the first n
 * of all), cannot be told to a server without SMTPUTF8 (RFC 6531 3.4). */
bool envelope_uses_utf8(const struct envelope *, const size_t *rcpts, size_t n);

/* Recipients in that state. */
size_t envelope_count(const struct envelope *, enum outcome_state);

/*
 * The exit code of a run, from the outcomes alone: the code of the first
 * permanently failed one (an undecided one counts as such, internal); else,
 * some accepted or queued and some temporary, 69; else 75, or 71 if every
 * temporary one is this machine's own trouble and none is in doubt; else 0.
 */
int envelope_exit(const struct envelope *);

#endif
