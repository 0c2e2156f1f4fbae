/*
 * entry: the format of a queued message, and what is known from one.
 * Called by queue/journal.c and queue/spool.c, which has the files.
 * It opens no file, reads no clock and takes what it reads as hostile.
 * RFC 5321 4.5.4.1 (what a queue keeps); base/record.h.
 * Ownership: a struct entry owns all that it points to.
 *
 * An entry is one file, of which nothing but the journal ever changes:
 *
 *	"smtpsend queue entry 1\n"
 *	head		a frame: REC_ENVELOPE, then REC_RCPT for each recipient
 *	message		the octets that each try sends, whose number is in the
 *			head: header with LF, blank line, body as it came
 *	journal		to the end of the file, frames of one record each:
 *			REC_FINAL, REC_OUTCOME, REC_TRY, REC_HOLD,
 *			REC_REPORT
 *
 * Each frame of the journal is written and synced before the next, so only
 * the last can be torn; and it is the last, and torn, when the file ends
 * within it, when its checksum is wrong and nothing follows, or when there is
 * nothing but NUL behind where it should begin, as file systems may leave it.
 * That one is dropped. Anything else that is not as it should be makes the
 * entry malformed.
 */
#ifndef QUEUE_ENTRY_H
#define QUEUE_ENTRY_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "mail/envelope.h"

struct message;
struct octets;

/*
 * A name that sorts by time: nine digits of base 32 (Crockford's: 0-9 a-z
 * without i, l, o and u) for the milliseconds since 1970, and six at random.
 */
#define ENTRY_ID_LEN 15
#define ENTRY_ID_SIZE (ENTRY_ID_LEN + 1)
void entry_id(char id[ENTRY_ID_SIZE], int64_t ms, uint32_t random);
/* True if it could be one. */
bool entry_id_valid(const char *);
/* The ms since 1970 that a valid one was made of. */
int64_t entry_id_time(const char *);

/* Longest head, octets: it is held in memory, and a file that claims a longer
 * one is malformed. There is room for some 200,000 recipients. */
#define ENTRY_HEAD_MAX (32u * 1024 * 1024)

/* Largest file that is taken into the system's queue. */
#define ENTRY_IN_MAX ((uint64_t)1024 * 1024 * 1024)

/* One moment by two clocks, both in milliseconds: an envelope counts by the
 * second, which ends with the machine, an entry by the first. */
struct entry_now {
	int64_t wall; /* since 1970 */
	int64_t steady; /* of wait_now() */
};

/* What is known of a recipient beside its outcome. */
struct entry_rcpt {
	int64_t when; /* of the outcome; 0: none yet */
	bool doubt; /* a try may have delivered, and nobody knows */
	bool final; /* the last octets went out, and no outcome came */
	unsigned reported; /* 1 << an enum dsn_kind: the sender was told */
	int64_t reported_when; /* the last time; 0: never */
};

#define ENTRY_NO_UID ((uid_t)-1)

struct entry {
	char id[ENTRY_ID_SIZE];
	/* Owned: each recipient with the outcome that was noted last, and
	 * pending if there was none. */
	struct envelope env;
	const char *account; /* borrowed from head: its name, "" for none */
	uid_t uid; /* who queued it; ENTRY_NO_UID: it does not say */
	int64_t arrived, next_try; /* ms since 1970 */
	unsigned tries;
	bool hold; /* not to be tried until a person says so */
	bool busy; /* of spool_list(): another one has its lock */
	struct entry_rcpt *rcpts; /* owned: as many as env has */
	uint64_t message_off, message_size; /* in the file */
	bool is_signed; /* as struct message has it */
	unsigned signed_takes;
	uint64_t end; /* of what is whole in the file */
	bool torn; /* octets behind it, which are to be dropped */
	struct buf head; /* owned: what strings point into */
};

/* What a new entry is made of; all is borrowed. */
struct entry_new {
	/* Those of its recipients are kept that are pending or deferred. */
	const struct envelope *env;
	/* And who failed, so that the runner tells the sender. */
	bool failed_too;
	bool whole; /* all are: it is written anew */
	int64_t arrived; /* ms since 1970; 0: now */
	const char *account; /* NULL: none */
	int64_t next_try; /* ms since 1970 */
	unsigned tries; /* so far */
	/* Who queued it; NULL: this process's effective user. Borrowed. */
	const uid_t *uid;
	/* Its name, drawn by who names it in the message already: no other is
	 * taken if it is not free. NULL: one is drawn. Borrowed. */
	const char *id;
};

/*
 * 0 if the head of one entry has room for all recipients that can be sent to,
 * whatever becomes of them; else -1 with *e (permanent, usage, 5.5.3): a later
 * try could not queue them either.
 */
int entry_check_size(const struct envelope *, struct err *e);

/* Octets of a message in an entry. */
uint64_t entry_message_size(const struct message *);

/*
 * Append all that stands before the message; the entry arrives `now`, and says
 * who queued it if `uid` is not NULL. 0, or -1 with *e (temporary, machine):
 * no memory, or more recipients than a head can hold.
 */
int entry_put_head(struct buf *, const char *id, const struct entry_new *,
    const struct message *, const struct entry_now *now, struct err *e);

/* True if a new entry keeps this recipient: it can be sent to, and is pending
 * or deferred, or failed, too. */
bool entry_keeps(const struct recipient *, bool failed_too);

/*
 * Read what stands before the message, and check that the message is there;
 * journal_read() goes on. Times are as seen from `now`. 0, or -1 with *e: kind
 * data if it is malformed (the sentence says where), anything else if it
 * could not be read now. entry_free() is due in both cases.
 */
int entry_read_head(struct entry *, const char *id, const struct octets *file,
    const struct entry_now *now, struct err *e);
void entry_free(struct entry *);

/* True if this recipient is still to be tried. */
bool entry_is_open(const struct entry *, size_t rcpt);
/* How many of them there are. */
size_t entry_open(const struct entry *);

#endif
