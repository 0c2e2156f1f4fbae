/*
 * hand: see hand.h. A request is one packet: a record, the message's file and
 * a socket to answer by, so that answers never meet.
 * Callers: worker.c, cli/become.c. It prints nothing.
 * cmsg(3), unix(7), base/record.h.
 * Ownership: descriptors that came with a request are closed with it.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/record.h"
#include "base/wait.h"
#include "hand.h"
#include "mail/address.h"
#include "mail/message.h"
#include "mail/outcome.h"

#define REC_REQUEST 1

/* Longest that is written or believed, octets. */
#define REQUEST_MAX 8192

/* As much as users may add to the machine's queue, octets. */
#define MESSAGE_MAX ((uint64_t)1024 * 1024 * 1024)

enum hand_tag {
	TAG_ACCOUNT = 1,
	TAG_USER,
	TAG_SENDER,
	TAG_OFF,
	TAG_SIZE,
	TAG_TAKES
};

#define SEEN_ALL                                                               \
	(1u << TAG_ACCOUNT | 1u << TAG_USER | 1u << TAG_SENDER |               \
	    1u << TAG_OFF | 1u << TAG_SIZE)

/* Room for descriptors, as the headers of messages want it. */
union control {
	struct cmsghdr align;
	char octets[CMSG_SPACE(HAND_FDS * sizeof(int))];
};

/* ---- to ask ---- */

static void
put_request(struct buf *b, const struct local_work *w, const char *account,
    const struct user *u)
{
	const struct message *m = w->m;
	size_t mark = record_begin(b, REC_REQUEST);

	record_string(b, TAG_ACCOUNT, account);
	record_string(b, TAG_USER, u->name);
	record_string(b, TAG_SENDER, w->sender);
	record_number(b, TAG_OFF, m->file->off);
	record_number(b, TAG_SIZE, m->file->size);
	if (m->is_signed)
		record_number(b, TAG_TAKES, m->signed_takes);
	record_end(b, mark);
}

static int
send_request(int root, const struct buf *b, const int fds[HAND_FDS])
{
	struct iovec part = { .iov_base = b->data, .iov_len = b->len };
	union control control = { .octets = { 0 } };
	struct msghdr msg = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	ssize_t put;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(HAND_FDS * sizeof(int));
	memcpy(CMSG_DATA(c), fds, HAND_FDS * sizeof(int));
	do
		put = sendmsg(root, &msg, MSG_NOSIGNAL);
	while (put == -1 && errno == EINTR);
	return put == -1 ? -1 : 0;
}

static int
ask(const struct local_work *w, const char *account, const struct user *u,
    int root, int answer)
{
	const int fds[HAND_FDS] = { *w->m->file->fd, answer };
	struct buf b;
	int rc;

	buf_init(&b, REQUEST_MAX);
	put_request(&b, w, account, u);
	errno = ENOMEM;
	rc = buf_ok(&b) ? send_request(root, &b, fds) : -1;
	buf_free(&b);
	return rc;
}

int
hand_over(const struct local_work *w, const char *account, const struct user *u,
    int root, bool *doubt, struct err *e)
{
	int pair[2], rc, num;

	*doubt = false;
	if (w->m->file == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE,
		    "root delivers no message that is in no queue");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return err_errno(
		    e, ERR_TEMP, ERR_MACHINE, errno, "cannot ask root");
	rc = ask(w, account, u, root, pair[1]);
	num = errno;
	close(pair[1]);
	rc = rc == 0 ? local_hear(w, u, -1, pair[0], doubt, e)
		     : err_errno(e, ERR_TEMP, ERR_MACHINE, num,
			   "cannot ask root for local delivery");
	close(pair[0]);
	return rc;
}

/* ---- to be asked: what came ---- */

static int
take_number(struct hand_request *r, const struct field *f)
{
	switch (f->tag) {
	case TAG_OFF:
		r->file.off = f->number;
		return 0;
	case TAG_SIZE:
		r->file.size = f->number;
		return 0;
	case TAG_TAKES:
		r->takes = (unsigned)f->number;
		r->is_signed = true;
		return f->number <= 0xff ? 0 : -1;
	default:
		return -1;
	}
}

static int
take_text(struct hand_request *r, const struct field *f)
{
	switch (f->tag) {
	case TAG_ACCOUNT:
		return field_str(f, r->account, sizeof r->account);
	case TAG_USER:
		return field_str(f, r->user, sizeof r->user);
	case TAG_SENDER:
		return field_str(f, r->sender, sizeof r->sender);
	default:
		return -1;
	}
}

int
hand_parse(struct hand_request *r, const char *p, size_t n)
{
	struct record rec;
	struct field f;
	int got;

	if (record_open(&rec, p, n) != (long)n || rec.type != REC_REQUEST)
		return -1;
	while ((got = record_next(&rec, &f)) == 1) {
		if ((f.kind == FIELD_NUMBER ? take_number(r, &f)
					    : take_text(r, &f)) == -1)
			return -1;
		r->seen |= 1u << f.tag;
	}
	return got == 0 && (r->seen & SEEN_ALL) == SEEN_ALL ? 0 : -1;
}

static void
close_all(const int fds[HAND_FDS])
{
	size_t i;

	for (i = 0; i < HAND_FDS; i++)
		if (fds[i] != -1)
			close(fds[i]);
}

/* The descriptors of a packet: 0 if they are just those that there must be. */
static int
take_fds(struct msghdr *msg, int fds[HAND_FDS])
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	size_t i, n;
	int fd;

	if (c == NULL || c->cmsg_level != SOL_SOCKET ||
	    c->cmsg_type != SCM_RIGHTS)
		return -1;
	/* The kernel has cut what is over the room for HAND_FDS of them. */
	n = (c->cmsg_len - CMSG_LEN(0)) / sizeof fd;
	for (i = 0; i < n && i < HAND_FDS; i++)
		memcpy(&fds[i], CMSG_DATA(c) + i * sizeof fd, sizeof fd);
	return n == HAND_FDS && (msg->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0
	    ? 0
	    : -1;
}

/* 1; 0: no request of ours; -1: the other end is closed. */
static int
receive(int root, struct hand_request *r)
{
	char octets[REQUEST_MAX];
	struct iovec part = { .iov_base = octets, .iov_len = sizeof octets };
	union control control;
	struct msghdr msg = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	ssize_t got = recvmsg(root, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	*r = (struct hand_request){ .fds = { -1, -1 } };
	r->file.fd = &r->fds[HAND_MESSAGE];
	if (got == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (take_fds(&msg, r->fds) == 0 && got > 0 &&
	    hand_parse(r, octets, (size_t)got) == 0)
		return 1;
	close_all(r->fds);
	return got == 0 ? -1 : 0;
}

/* ---- to be asked: is it right? ---- */

/* On one file system? By its id, since the files of an overlay may have the
 * device numbers of its layers, which differ from the folder's. */
static bool
is_beside(const char *folder, int fd)
{
	struct statfs a, b;

	return statfs(folder, &a) == 0 && fstatfs(fd, &b) == 0 &&
	    a.f_type == b.f_type &&
	    memcmp(&a.f_fsid, &b.f_fsid, sizeof a.f_fsid) == 0;
}

/*
 * The message must be a regular file of the runner's on the queue's file
 * system. Then root hands a user nothing that the runner could not have read
 * himself; and it is no file of /proc or the like, whose content depends on
 * who reads it.
 */
static int
check_file(
    const struct hand_config *c, const struct hand_request *r, struct err *e)
{
	const struct message_file *f = &r->file;
	struct stat st;

	if (fstat(*f->fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == c->runner && f->size <= MESSAGE_MAX &&
	    is_beside(c->folder, *f->fd) && f->size <= (uint64_t)st.st_size &&
	    f->off <= (uint64_t)st.st_size - f->size)
		return 0;
	return err_set(e, ERR_TEMP, ERR_INTERNAL,
	    "root delivers no message that is no file of the queue");
}

/* The socket for the answer must have been made by the runner: another
 * service's socket, passed here, would get a packet from root. */
static int
check_answer(
    const struct hand_config *c, const struct hand_request *r, struct err *e)
{
	const int fd = r->fds[HAND_ANSWER];
	struct ucred peer;
	socklen_t n = sizeof peer, m = sizeof(int);
	int type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &m) == 0 &&
	    type == SOCK_SEQPACKET &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
	    peer.uid == c->runner)
		return 0;
	return err_set(e, ERR_TEMP, ERR_INTERNAL, "root answers nobody else");
}

/* The sender is written into a Return-Path and a From_ line. So it must be a
 * path, and is used in the form that our parser gives it. */
static int
check_sender(struct hand_request *r, struct err *e)
{
	struct address a;

	if (address_parse(&a, r->sender, strlen(r->sender),
		ADDRESS_NULL | ADDRESS_POSTMASTER | ADDRESS_BARE, e) == -1)
		return -1;
	snprintf(r->sender, sizeof r->sender, "%s", a.raw);
	address_free(&a);
	return 0;
}

static int
check(const struct hand_config *c, struct hand_request *r,
    struct local_config *how, struct err *e)
{
	if (check_file(c, r, e) == -1 || check_sender(r, e) == -1)
		return -1;
	return c->config(c->ctx, r->account, how, e);
}

/* ---- to be asked: the process ---- */

static void
see_to(const struct hand_config *c, struct hand_request *r)
{
	struct local_config how;
	const struct local_work w = {
		.c = &how,
		.file = &r->file,
		.is_signed = r->is_signed,
		.signed_takes = r->takes,
		.sender = r->sender,
		.waiter = c->waiter,
	};
	struct outcome o = { .port = 0 };
	struct user u;

	if (check_answer(c, r, &o.err) == -1)
		_exit(1);
	/* In one more process: who becomes the user may be stopped by him, and
	 * only root can end that. */
	if (check(c, r, &how, &o.err) == 0 &&
	    local_find(&w, r->user, strlen(r->user), &u, &o.err) == 0 &&
	    local_put(&w, &u, &o.in_doubt, &o.err) == 0)
		err_clear(&o.err);
	local_say(r->fds[HAND_ANSWER], &o);
	_exit(0);
}

pid_t
hand_take(const struct hand_config *c, int root)
{
	struct hand_request r;
	int got = receive(root, &r);
	pid_t pid;

	if (got != 1)
		return got;
	pid = fork();
	if (pid == 0) {
		close(root);
		see_to(c, &r);
	}
	/* If there is no process, this closes the only other end of the
	 * answer's socket, and the asker reads the end of it. */
	close_all(r.fds);
	return pid > 0 ? pid : 0;
}
