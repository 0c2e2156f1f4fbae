/*
 * box: put a message into a mailbox, an mbox or a maildir, whole or not at all.
 * Called by local.c, as the recipient, and by who keeps dead letters.
 * It becomes nobody, follows no link to a file, and knows no SMTP.
 * RFC 4155 (mbox; quoted as mboxrd does), maildir(5), Debian Policy 11.6
 * (locks).
 * Ownership: everything is borrowed for the call.
 *
 * When a call is over, the message is there and outlives the power, or all is
 * as it was: a disk that is full takes nothing away, and leaves nothing behind.
 * After a death in the middle an mbox has its old octets, and perhaps a part
 * of the message behind them; the next one to come begins behind a blank line
 * in any case, so it is whole and does not hang on to that part. A maildir
 * has it in `new`, whole, or else a part in `tmp`, which readers do not see,
 * and remove after 36 hours.
 */
#ifndef STORE_BOX_H
#define STORE_BOX_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/message.h"

struct err;
struct waiter;

struct box_config {
	const char *path; /* the mbox, or the maildir's folder */
	uid_t owner; /* whose it must be */
	/*
	 * What is not there yet is made, an mbox with this mode whatever the
	 * umask, a maildir with 0700 (and so are its folders that are
	 * missing); 0: nothing is made, and the error says that it is missing.
	 */
	mode_t create;
	/* mbox: PATH.lock beside the kernel's lock, as everybody does who
	 * opens mailboxes; not needed for a file that only one user writes. */
	bool dotlock;
	int64_t lock_wait; /* mbox: wait so long for locks, ms; < 0: for ever */
	const char *host; /* maildir: this machine, for names; "" if none */
	const struct waiter *waiter; /* NULL: nobody stops it */
};

struct box_mail {
	/* Read once, from its begin to its end, where it answers 0; `size` is
	 * not looked at. CR, LF and CRLF each end a line, and become LF. */
	struct octets octets;
	const char *fields; /* put before it, LF ends; NULL: none */
	size_t fields_n;
	/* mbox, the From_ line: the reverse-path, "" for the null one (it is
	 * MAILER-DAEMON then); what is not printable becomes "_". */
	const char *sender;
	int64_t time; /* mbox, the same line: seconds since 1970 */
};

/*
 * Append a message to an mbox: 0, or -1 with *e, and the file is as it was
 * (if not, *e says so). Its scope and stage are for the caller to set.
 *
 * Temporary, machine: 4.3.1 no room; 4.2.2 quota, or a file that may not grow;
 * 4.2.0 locked by others, no such mailbox, a link, the file of another user,
 * no rights; also when a stop was asked for. Permanent, config, 5.2.0: what is
 * no file. What octets.read() says passes through.
 *
 * SIGXFSZ must be blocked or ignored, SIGCHLD not ignored. Where dotlockfile
 * must help with the lock, the present folder must be one that the user may
 * enter.
 */
int box_mbox(const struct box_config *, const struct box_mail *, struct err *e);

/* The same for a maildir: a new file in `new`. Nothing is locked. */
int box_maildir(
    const struct box_config *, const struct box_mail *, struct err *e);

#endif
