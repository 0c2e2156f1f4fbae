/*
 * spool: the folder where messages wait, which outlives any process.
 * Called by what queues a message and by what tries it again; queue/entry.h
 * and queue/journal.h have the format of its files.
 * It sends nothing, decides nothing, reads no clock, and prints nothing.
 * RFC 5321 4.2.5, 6.1 (whose the message is); fcntl(2) F_OFD_SETLK.
 * Ownership: what is opened here is closed here.
 *
 * Files and states. ID is an entry's name; all of them are regular files of
 * the folder's owner, with one name, opened through the folder's descriptor
 * and never through a link. A lock is an open file description's, and dies
 * with the last process that has it: the one that took it, and the workers
 * that it forked.
 *
 *   files                 state, and who leaves it behind
 *   ------------------------------------------------------------------------
 *   no folder, or one     not made yet, or its maker died. Who queues next
 *   without `broken`      goes on from there; till then nothing is in it
 *   -                     nothing is queued, or nothing any more
 *   ID.tmp, locked        a message is being queued; nobody was told so
 *   ID.tmp, not locked    its writer died, was killed, or lost power before
 *                         the rename: any number of its octets are there.
 *                         Nobody was told that it is queued: swept away
 *   ID, and ID.tmp        a note could not be added to ID, or a name in it
 *                         stands for several, and it is written anew, to be
 *                         renamed over it; or who did so died, ID.tmp is not
 *                         locked then: swept away, ID goes on
 *   ID                    queued, from the rename on. Who queued it is told
 *                         once the folder is synced; a death between the two
 *                         leaves a message that nobody claims, or, with the
 *                         power, ID.tmp
 *   ID, locked            it is being tried, or noted upon
 *   ID, torn at its end   a process died while it noted something, or the
 *                         disk was full: all notes before are there. Who locks
 *                         it next cuts the torn one off
 *   ID, nobody open       all are delivered or failed, and its runner died
 *                         before it removed it, or lost power before the
 *                         folder was synced. Who locks it next finds nobody to
 *                         try, makes the reports that are due, and removes
 *                         it; or holds it, if nobody can be told of a failure.
 *                         Who queues may leave one as well, to be reported on
 *   ID, and a report on   its runner died before it noted that the sender is
 *   it, not noted         told. Who locks it next puts the same report again:
 *                         the sender is told twice, and never not at all
 *   ID, and some of its   its runner died before it noted that the machine's
 *   recipients in the     queue has them (queue/leave.h). Who locks it next
 *   machine's queue, too  puts them there again: they may get it twice
 *   ID, malformed, or no  nothing that we left: a sick disk, or a hand. Who
 *   file of the above     locks it next moves it to broken/ID; nobody is
 *                         tried, nothing is removed
 *   broken/ID             set aside, for a person to look at; without its
 *                         reason if power or life ended just then
 *   broken/ID, .why       the same with the reason, whole or torn, as text
 *
 * The system's queue has two folders: `in`, to which all users add, and its
 * runner's own, as above. A user's file is his until it is copied: he may
 * write, lock or shorten it. ID.in is a name in the runner's folder.
 *
 *   in/ID.tmp, locked     as above; who cannot be read has no lock, and is
 *   in/ID.tmp, not locked swept away after a day
 *   in/ID                 queued, from the rename on; who queued it is told
 *                         once the file system is synced
 *   ID.in, the user's     claimed by an intake, which goes on from there, also
 *                         after a death
 *   ID.in, ID.tmp         the same; it is being copied, or its intake died
 *   ID.in, ours           the copy, whole, checked and synced, in the place
 *                         of what it was made of: nobody has that any more
 *   ID                    the same under its name: queued, as above
 *
 * All these are one file by one rename after the other, so an entry is never
 * there twice, and two intakes at once cannot take it twice. What is no entry
 * is moved to broken/ID with its reason, a folder in the place of one gets a
 * name that ends in .dir.
 *
 * Each change is one write, rename or unlink, and is synced before the next
 * begins and before anyone is told, but for the removal of an entry that says
 * itself that it is done (spool_end()); what fails is told, and never tried
 * again on the same descriptor. Other names in the folder are nobody's
 * business.
 */
#ifndef QUEUE_SPOOL_H
#define QUEUE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/dsn_parts.h"
#include "mail/message.h"
#include "queue/entry.h"

struct err;
struct outcome;

struct folder;
struct spool_item; /* an entry that is locked by us */

/*
 * Keep a message: 0 and its id, once it would outlive the power; or -1 with
 * *e (temporary, machine; so are all errors here, save those of SPOOL_BROKEN
 * and a message that is too large for `in`: permanent, data, 5.3.4), and
 * nothing is kept. The message is read through its callback, whose
 * errors pass. Recipients that are decided already are not kept.
 */
int spool_put(const struct folder *, const struct entry_new *,
    const struct message *, const struct entry_now *, char id[ENTRY_ID_SIZE],
    struct err *e);

/*
 * Each entry, the oldest first, without its message and without a lock: fn
 * gets what is in it, or, with `why`, its id alone and what is the matter,
 * which spool_lock() will decide. Non-zero from fn ends it, and is returned;
 * else 0, or -1 with *e. Of `in` (FOLDER_TAKE) it is what users claim.
 */
typedef int spool_fn(void *ctx, const struct entry *, const struct err *why);
int spool_list(const struct folder *, const struct entry_now *, spool_fn *fn,
    void *ctx, struct err *e);

/* The same of one entry: what fn says, or 0 without a call if there is none
 * of that id. */
int spool_look(const struct folder *, const char *id, const struct entry_now *,
    spool_fn *fn, void *ctx);

enum spool_got {
	SPOOL_ERROR = -1, /* with *e: not now */
	SPOOL_LOCKED, /* it is ours */
	SPOOL_BUSY, /* another one has it */
	SPOOL_GONE, /* there is none of that id, or no longer */
	SPOOL_BROKEN /* with *e (permanent, data): it was set aside */
};

/* Lock an entry and read it. Only SPOOL_LOCKED fills the item. */
enum spool_got spool_lock(const struct folder *, const char *id,
    const struct entry_now *, struct spool_item **, struct err *e);

/* Close it, which gives it back once no process has a copy of it by fork(2).
 * NULL is accepted. */
void spool_unlock(struct spool_item *);

/* The same, and it is given back now: what processes still have a copy of it
 * is for other messages. */
void spool_release(struct spool_item *);

/*
 * What was read when it was locked. Outcomes that are noted since are the
 * caller's to put there, who may change them for a try, and so are tries; when
 * they came, what was reported and whether it is held is there once noted.
 */
struct entry *spool_entry(struct spool_item *);

/*
 * The message as it was put, and its octets alone; both are good until the
 * item is given back. 0, or -1 with *e as message_open() has it, after which
 * message_free() is due as well.
 */
int spool_message(struct spool_item *, struct message *, struct err *e);
struct octets spool_octets(struct spool_item *);

/*
 * Note at the entry's end what queue/journal.h has words for, and sync it.
 * 0, or -1 with *e: from then on it takes no more notes, and what was to be
 * noted may or may not be there.
 */
int spool_note_final(
    struct spool_item *, const size_t *rcpts, size_t n, struct err *e);
int spool_note_outcome(struct spool_item *, const size_t *rcpts, size_t n,
    const struct outcome *, int64_t when, struct err *e);
int spool_note_report(struct spool_item *, const size_t *rcpts, size_t n,
    enum dsn_kind, int64_t when, struct err *e);
int spool_note_try(
    struct spool_item *, int64_t next_try, unsigned tries, struct err *e);
int spool_note_hold(struct spool_item *, bool hold, struct err *e);

/*
 * Have the disk keep room for what is to be noted of n recipients, and at the
 * end of a try: 0, or -1 with *e. It is asked before what must not be done if
 * it cannot be noted; spool_note_final() does so itself.
 */
int spool_room(struct spool_item *, size_t n, struct err *e);

/*
 * Where a note failed: write the entry anew, with all that was noted before it
 * and the outcomes that spool_entry() has for these recipients, and put that in
 * the old one's place. The item is of the new file then, and takes notes again.
 * 0, or -1 with *e: it takes no more notes, and which of the two is there is
 * not sure.
 */
int spool_renew(
    struct spool_item *, const size_t *rcpts, size_t n, struct err *e);

/*
 * Write the entry anew, with the envelope that spool_entry() has now and all
 * that was noted: who was a recipient before is that number still, perhaps by
 * another address, and others may stand behind them. 0; or -1 with *e, and the
 * file is as it was, or which of the two is there is not sure.
 */
int spool_rewrite(struct spool_item *, const struct entry_now *, struct err *e);

/* Remove the entry; the item is still to be given back. 0, or -1 with *e. */
int spool_remove(struct spool_item *, struct err *e);

/*
 * The same for one in which it is noted that nobody is open and all who must
 * hear of it were told. It is not synced: should the power bring the entry
 * back, there is nothing to be done for it but this.
 */
int spool_end(struct spool_item *, struct err *e);

/* Remove what dead writers left: 0, or -1 with *e if one could not be. */
int spool_sweep(const struct folder *, struct err *e);

#endif
