/*
 * local: see local.h. A process for each message becomes the user for good
 * before it looks at anything that is his, and sends its result in a record.
 * Its memory is a copy of ours, with other people's mail and perhaps secrets:
 * so it is marked undumpable, and the user can neither trace it nor have it
 * dump core. He can stop or kill it, as any process of his.
 * Callers: worker.c. It prints nothing.
 * prctl(2) PR_SET_DUMPABLE, unix(7) SOCK_SEQPACKET.
 * Ownership: process and socket pair live as long as one call.
 */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/record.h"
#include "base/wait.h"
#include "local.h"
#include "mail/message.h"
#include "mail/outcome.h"

/* A process that has said nothing DEPOSIT_MS and this after its start is
 * killed, ms. */
#define SLACK_MS 10000
/* So long a killed process is waited for, ms: one that hangs in the kernel,
 * since a disk does not answer, does not go. */
#define GRACE_MS 5000

#define REC_RESULT 1

/* ---- whose is it, and may we? ---- */

/* Fill *e: the machine is not set up to write this user's mailbox (X.3.5). */
static int
not_set_up(struct err *e, enum err_verdict verdict, const char *what,
    const struct user *u, const char *remedy)
{
	err_set(e, verdict, ERR_CONFIG, "%s%s%s", what, u->name, remedy);
	e->enhanced = (struct enhanced){ verdict == ERR_PERM ? 5 : 4, 3, 5 };
	return -1;
}

static int
nobody(struct err *e, const char *name, size_t n)
{
	err_set(e, ERR_PERM, ERR_DATA, "there is no user \"%.*s\" here",
	    (int)(n < 64 ? n : 64), name);
	e->enhanced = (struct enhanced){ 5, 1, 1 };
	return -1;
}

/* The name becomes part of a path, so it must not lead out of the folder of
 * mailboxes. The ids are given to setresuid(2) and setresgid(2), to which -1
 * means "leave it as it is": root would stay root. */
static bool
is_sane(const struct user *u)
{
	return u->name[0] != '\0' && u->name[0] != '.' &&
	    strchr(u->name, '/') == NULL && u->uid != (uid_t)-1 &&
	    u->gid != (gid_t)-1;
}

/* True if the user, who we are, has an mbox or may make one. In most folders
 * of mailboxes only root and the group mail can. */
static bool
has_box(const struct local_config *c, const struct user *u)
{
	char path[PATH_MAX];
	struct stat st;
	int n;

	if (c->box.transport != TRANSPORT_MBOX ||
	    eaccess(c->box.path, W_OK) == 0 || errno != EACCES)
		return true;
	n = snprintf(path, sizeof path, "%s/%s", c->box.path, u->name);
	return n < 0 || (size_t)n >= sizeof path || lstat(path, &st) == 0 ||
	    errno != ENOENT;
}

bool
local_is_ours(const struct local_config *c, const struct user *u)
{
	return geteuid() == 0 || (geteuid() == u->uid && has_box(c, u));
}

static int
check_rights(const struct local_work *w, const struct user *u, struct err *e)
{
	if (!is_sane(u))
		return not_set_up(e, ERR_PERM, "user ", u,
		    " has a name or number that no mailbox can have");
	if (w->c->box.transport == TRANSPORT_MDA && u->uid == 0)
		return not_set_up(e, ERR_PERM, "no program gets mail as ", u,
		    ": give it to a person, by an alias");
	if (local_is_ours(w->c, u) || w->asks)
		return 0;
	return not_set_up(e, w->c->is_left ? ERR_TEMP : ERR_PERM,
	    "only root can write the mailbox of ", u,
	    w->c->is_left ? ": left to the machine's queue"
			  : ": have root run the machine's queue, see LOCAL "
			    "DELIVERY in smtpsend.conf(5)");
}

static struct deposit
deposit(const struct local_work *w, const struct user *u)
{
	return (struct deposit){
		.c = &w->c->box,
		.m = w->m,
		.sender = w->sender,
		.user = u,
		.waiter = w->waiter,
	};
}

int
local_find(const struct local_work *w, const char *name, size_t n,
    struct user *u, struct err *e)
{
	const struct deposit d = deposit(w, u);
	int got = user_find(name, n, u, e);

	if (got != 1)
		return got == 0 ? nobody(e, name, n) : -1;
	if (check_rights(w, u, e) == -1)
		return -1;
	return w->m != NULL ? deposit_check(&d, e) : 0;
}

/* ---- the process ---- */

/* The group to run as: that of the folder of mailboxes if its group may write
 * there, so that the lock file and a new mbox can be made; else the user's
 * own. */
static gid_t
group(const struct local_work *w, const struct user *u)
{
	const struct deposit_config *box = &w->c->box;
	struct stat st;

	if (box->transport == TRANSPORT_MBOX && stat(box->path, &st) == 0 &&
	    (st.st_mode & S_IWGRP) != 0)
		return st.st_gid;
	return u->gid;
}

static int
become(const struct local_work *w, const struct user *u, struct err *e)
{
	const gid_t gid = group(w, u);

	umask(077);
	/* A terminal of ours is none of the user's: he could type on it. */
	setsid();
	if (geteuid() == 0 &&
	    (initgroups(u->name, u->gid) == -1 ||
		setresgid(gid, gid, gid) == -1 ||
		setresuid(u->uid, u->uid, u->uid) == -1))
		return err_errno(e, ERR_TEMP, ERR_MACHINE, errno,
		    "cannot become %s", u->name);
	if (prctl(PR_SET_DUMPABLE, 0) == -1 || geteuid() != u->uid ||
	    getuid() != u->uid)
		return err_set(e, ERR_TEMP, ERR_MACHINE,
		    "cannot become %s and nobody else", u->name);
	if (chdir(u->home) == -1 && chdir("/") == -1)
		return err_errno(e, ERR_TEMP, ERR_MACHINE, errno,
		    "cannot change to the home of %s", u->name);
	return 0;
}

void
local_say(int up, const struct outcome *o)
{
	struct buf b;
	size_t mark;

	buf_init(&b, RECORD_MAX);
	mark = record_begin(&b, REC_RESULT);
	outcome_put(&b, o);
	record_end(&b, mark);
	if (buf_ok(&b))
		send(up, b.data, b.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	buf_free(&b);
}

static long
read_file(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const struct message_file *f = ctx;
	ssize_t got;

	if (off >= f->size)
		return 0;
	if (n > f->size - off)
		n = (size_t)(f->size - off);
	do
		got = pread(*f->fd, to, n, (off_t)(f->off + off));
	while (got == -1 && errno == EINTR);
	if (got > 0)
		return (long)got;
	return got == -1
	    ? err_errno(
		  e, ERR_TEMP, ERR_MACHINE, errno, "cannot read the message")
	    : err_set(e, ERR_TEMP, ERR_MACHINE, "the message became shorter");
}

/* Parse the message in the file. Root has passed on the descriptor unread, so
 * that a fault in the parser would be the user's and not root's. */
static int
open_file(const struct local_work *w, struct message_file *file,
    struct message *m, struct err *e)
{
	const struct octets in = { read_file, file, file->size };

	if (message_open(m, in, e) == -1)
		return -1;
	m->is_signed = w->is_signed;
	m->signed_takes = w->signed_takes;
	return 0;
}

static int
be(const struct local_work *w, const struct user *u, struct err *e)
{
	struct deposit d = deposit(w, u);
	struct message_file file;
	struct message m;

	if (become(w, u, e) == -1)
		return -1;
	if (w->m == NULL) {
		file = *w->file;
		d.m = &m;
		if (open_file(w, &file, &m, e) == -1 ||
		    deposit_check(&d, e) == -1)
			return -1;
	}
	return deposit_put(&d, e);
}

/* What the process does that local_put() starts. */
static void
deliver_as(const struct local_work *w, const struct user *u, int up)
{
	const struct sigaction ignored = { .sa_handler = SIG_IGN };
	struct outcome o = { .port = 0 };

	sigaction(SIGXFSZ, &ignored, NULL);
	if (be(w, u, &o.err) == 0)
		err_clear(&o.err);
	local_say(up, &o);
	_exit(0);
}

/* ---- what it says ---- */

/* 0, and *o is what it said; or -1: no honest process says so. */
static int
take_result(struct outcome *o, const char *p, size_t n)
{
	struct record r;
	struct field f;
	int got;

	*o = (struct outcome){ .port = 0 };
	if (record_open(&r, p, n) != (long)n || r.type != REC_RESULT)
		return -1;
	while ((got = record_next(&r, &f)) == 1)
		if (outcome_take(o, &f) != 1)
			return -1;
	return got;
}

/* Wait for its result. If a stop is asked for meanwhile it is told so, and
 * still waited for: it may be waiting for a lock, and if it is writing it
 * takes back what it wrote, so that its word is worth having. */
static int
listen_to(const struct local_work *w, pid_t pid, int down)
{
	const struct waiter deaf = { .mask = w->waiter->mask };
	const int64_t until = wait_until(DEPOSIT_MS + SLACK_MS);
	int got = wait_fd(w->waiter, down, POLLIN, until);

	if (got != WAIT_STOPPED)
		return got;
	if (pid != -1)
		kill(pid, SIGTERM);
	return wait_fd(&deaf, down, POLLIN, until);
}

static int
lost(struct err *e, const struct user *u, const char *how)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE,
	    "the process that wrote to the mailbox of %s %s", u->name, how);
}

int
local_hear(const struct local_work *w, const struct user *u, pid_t pid,
    int down, bool *doubt, struct err *e)
{
	char record[4 * ERR_TEXT_MAX];
	struct outcome o;
	ssize_t got;

	*doubt = true;
	if (listen_to(w, pid, down) <= 0)
		return lost(e, u, "took too long");
	do
		got = recv(down, record, sizeof record, 0);
	while (got == -1 && errno == EINTR);
	if (got <= 0 || take_result(&o, record, (size_t)got) == -1)
		return lost(e, u, "ended early");
	*doubt = o.in_doubt;
	*e = o.err;
	return e->verdict == ERR_OK ? 0 : -1;
}

/* The process has given its result, or its time is over: kill it, in case it
 * does not end by itself, and reap it. One that does not go in time, since a
 * disk does not answer, is left behind. */
static void
end(const struct local_work *w, pid_t pid, int down)
{
	const struct waiter deaf = { .mask = w->waiter->mask };

	kill(pid, SIGKILL);
	wait_fd(&deaf, down, 0, wait_until(GRACE_MS));
	waitpid(pid, NULL, WNOHANG);
}

int
local_put(const struct local_work *w, const struct user *u, bool *doubt,
    struct err *e)
{
	int pair[2], rc;
	pid_t pid;

	*doubt = false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return err_errno(e, ERR_TEMP, ERR_MACHINE, errno,
		    "cannot start local delivery");
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		deliver_as(w, u, pair[1]);
	}
	close(pair[1]);
	if (pid == -1) {
		rc = err_errno(e, ERR_TEMP, ERR_MACHINE, errno,
		    "cannot start local delivery");
	} else {
		rc = local_hear(w, u, pid, pair[0], doubt, e);
		end(w, pid, pair[0]);
	}
	close(pair[0]);
	return rc;
}
