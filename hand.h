/*
 * hand: mail of the machine's queue for mailboxes that only root can write.
 * The runner of that queue is no longer root. He hands each such message to
 * the process of root's that he was forked from.
 * Called by worker.c, to ask, and by cli/run.c for cli/become.c, to be asked.
 * Root's side takes a request as hostile: it reads the configuration itself,
 * looks the user up itself, and takes no message but a file of the runner's.
 * unix(7) SCM_RIGHTS, SOCK_SEQPACKET. Ownership: everything is borrowed.
 */
#ifndef HAND_H
#define HAND_H

#include <sys/types.h>
#include <stdbool.h>

#include "local.h"
#include "mail/message.h"
#include "store/user.h"

struct err;

/*
 * Ask, by the socket `root`, for what local_put() does, and wait for the
 * answer as that does. The message must have its `file`, as those of a queue
 * do. The same results, and *doubt also if no answer comes.
 */
int hand_over(const struct local_work *, const char *account,
    const struct user *, int root, bool *doubt, struct err *e);

#define HAND_ACCOUNT_SIZE 1024
#define HAND_SENDER_SIZE 1024

/* What comes with a request, in that order. */
enum hand_passed { HAND_MESSAGE, HAND_ANSWER, HAND_FDS };

/* A request as it came: nothing in it is believed yet. */
struct hand_request {
	char account[HAND_ACCOUNT_SIZE];
	char user[USER_NAME_SIZE];
	char sender[HAND_SENDER_SIZE];
	struct message_file file; /* its fd is borrowed */
	bool is_signed;
	unsigned takes; /* VIEW_ bits, 8 at most, if it is signed */
	unsigned seen; /* for hand_parse() */
	int fds[HAND_FDS]; /* owned; -1: none */
};

/*
 * Read the octets of a request: 0, or -1 if they are none. All else zero to
 * begin with. It opens nothing, so that tests can fuzz it.
 */
int hand_parse(struct hand_request *, const char *p, size_t n);

struct hand_config {
	uid_t runner; /* who asks, and whose files messages are */
	const char *folder; /* of his queue: messages are on its file system */
	/* How mail is written of that account, "" for none: 0, or -1 with *e.
	 * Asked in a process that has nothing else to do, and may keep what it
	 * points to. */
	int (*config)(void *ctx, const char *account, struct local_config *,
	    struct err *e);
	const struct waiter *waiter;
	void *ctx; /* borrowed: for config */
};

/*
 * Take one request, which waits at the socket, and have a process see to it:
 * its pid, which is to be reaped; 0: it was none; -1: there will be no more.
 */
pid_t hand_take(const struct hand_config *, int root);

#endif
