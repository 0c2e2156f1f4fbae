/*
 * hand: what is asked of root, by an honest runner and by others. Here the
 * runner, root and the mailbox's user are whoever runs the test; who becomes
 * whom is tests/local.bats.
 */
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/record.h"
#include "base/wait.h"
#include "hand.h"
#include "mail/message.h"
#include "test.h"

#define TEXT "Subject: hi\n\nhello\n"
#define TEXT_N (sizeof TEXT - 1)

/* Root's end and the runner's, and the folder in which all is. */
struct trial {
	char folder[64], entry[96], mailbox[400];
	char name[USER_NAME_SIZE]; /* of the user */
	int root, runner;
	int file, answer, hears;
	enum transport transport;
	struct hand_config c;
};

static const struct waiter nobody = { .stop = NULL };

static int
config(void *ctx, const char *account, struct local_config *to, struct err *e)
{
	static char *const command[] = { NULL };
	const struct trial *t = ctx;

	if (strcmp(account, "gone") == 0)
		return err_set(e, ERR_PERM, ERR_CONFIG, "no such account");
	*to = (struct local_config){ .box = { .transport = t->transport,
					 .path = t->folder,
					 .command = command,
					 .host = "client.test" } };
	return 0;
}

static void
make_pair(int *one, int *other)
{
	int pair[2];

	CHECK_INT(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	*one = pair[0];
	*other = pair[1];
}

static void
trial_begin(struct trial *t)
{
	const struct passwd *pw = getpwuid(geteuid());

	*t = (struct trial){ .transport = TRANSPORT_MBOX };
	snprintf(t->folder, sizeof t->folder, "/tmp/hand_test.XXXXXX");
	CHECK(mkdtemp(t->folder) != NULL && pw != NULL);
	snprintf(t->name, sizeof t->name, "%s", pw->pw_name);
	snprintf(t->entry, sizeof t->entry, "%s/entry", t->folder);
	snprintf(t->mailbox, sizeof t->mailbox, "%s/%s", t->folder, t->name);
	t->file = open(t->entry, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(
	    pwrite(t->file, "head" TEXT "tail", TEXT_N + 8, 0), TEXT_N + 8);
	make_pair(&t->root, &t->runner);
	make_pair(&t->hears, &t->answer);
	t->c = (struct hand_config){ .runner = geteuid(),
		.folder = t->folder,
		.config = config,
		.waiter = &nobody,
		.ctx = t };
}

static void
trial_end(struct trial *t)
{
	unlink(t->entry);
	unlink(t->mailbox);
	CHECK_INT(rmdir(t->folder), 0);
	close(t->root);
	close(t->runner);
	close(t->file);
	close(t->hears);
}

/* What a hostile runner may send: a record's octets with descriptors. */
static void
ask(const struct trial *t, const struct buf *b, const int *fds, size_t n)
{
	union {
		struct cmsghdr align;
		char octets[CMSG_SPACE(4 * sizeof(int))];
	} control = { .octets = { 0 } };
	struct iovec part = { .iov_base = b->data, .iov_len = b->len };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (n > 0) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	CHECK(sendmsg(t->runner, &msg, MSG_NOSIGNAL) >= 0);
}

static void
put(struct buf *b, const char *account, const char *user, const char *sender,
    uint64_t off, uint64_t size)
{
	size_t mark = record_begin(b, 1);

	record_string(b, 1, account);
	record_string(b, 2, user);
	record_string(b, 3, sender);
	record_number(b, 4, off);
	record_number(b, 5, size);
	record_end(b, mark);
}

/* Root takes it, and somebody answers: 0, or -1 with *e; 1: nobody does. */
static int
answered(struct trial *t, struct err *e)
{
	const struct local_work w = { .waiter = &nobody };
	const struct user u = { .name = "bob" };
	pid_t pid = hand_take(&t->c, t->root);
	bool doubt;
	int rc;

	close(t->answer);
	if (pid > 0)
		CHECK_INT(waitpid(pid, NULL, 0), pid);
	CHECK(pid >= 0);
	rc = local_hear(&w, &u, -1, t->hears, &doubt, e);
	return doubt ? 1 : rc;
}

struct asking {
	const char *account, *user, *sender; /* user NULL: the right one */
	uint64_t off, size;
};

/* A request with these, of the right file. */
static int
asked(struct trial *t, const struct asking *a, struct err *e)
{
	const int fds[] = { t->file, t->answer };
	struct buf b;

	buf_init(&b, 64 * 1024);
	put(&b, a->account, a->user != NULL ? a->user : t->name, a->sender,
	    a->off, a->size);
	ask(t, &b, fds, 2);
	buf_free(&b);
	return answered(t, e);
}

static bool
is_written(const struct trial *t)
{
	struct stat st;

	return stat(t->mailbox, &st) == 0;
}

TEST(an_honest_request)
{
	char text[512] = "", want[512];
	struct message m;
	struct trial t;
	struct err e;
	bool doubt;
	pid_t pid;
	int fd;

	trial_begin(&t);
	const struct message_file file = { &t.file, 4, TEXT_N };
	const struct local_work w = {
		.m = &m, .sender = "a@b.test", .waiter = &nobody
	};
	struct user u = { .uid = geteuid() };

	snprintf(u.name, sizeof u.name, "%s", t.name);
	m = (struct message){ .file = &file };
	/* Who asks waits for the answer: somebody else is root. */
	pid = fork();
	if (pid == 0) {
		struct pollfd wait = { t.root, POLLIN, 0 };

		poll(&wait, 1, 20000);
		waitpid(hand_take(&t.c, t.root), NULL, 0);
		_exit(0);
	}
	CHECK_INT(hand_over(&w, "", &u, t.runner, &doubt, &e), 0);
	CHECK(!doubt);
	CHECK_INT(waitpid(pid, NULL, 0), pid);
	fd = open(t.mailbox, O_RDONLY);
	CHECK(read(fd, text, sizeof text - 1) > 0);
	close(fd);
	snprintf(want, sizeof want,
	    "Return-Path: <a@b.test>\nDelivered-To: %s@client.test\n" TEXT "\n",
	    t.name);
	CHECK_STR(strchr(text, '\n') + 1, want);
	close(t.answer);
	trial_end(&t);
}

static const struct {
	struct asking a;
	enum err_verdict verdict;
	const char *text; /* the sentence begins so */
} wrong_rows[] = {
	{ { "gone", NULL, "", 4, TEXT_N }, ERR_PERM, "no such account" },
	{ { "", "no such user", "", 4, TEXT_N }, ERR_PERM, "there is no user" },
	{ { "", "../x", "", 4, TEXT_N }, ERR_PERM, "there is no user" },
	{ { "", "", "", 4, TEXT_N }, ERR_PERM, "there is no user" },
	{ { "", NULL, "a\nX: y", 4, TEXT_N }, ERR_PERM, "" },
	{ { "", NULL, "a>b", 4, TEXT_N }, ERR_PERM, "" },
	{ { "", NULL, "", 4, TEXT_N + 5 }, ERR_TEMP, "root delivers no" },
	{ { "", NULL, "", 0, UINT64_MAX }, ERR_TEMP, "root delivers no" },
	{ { "", NULL, "", UINT64_MAX - 4, TEXT_N }, ERR_TEMP,
	    "root delivers no" },
	{ { "", NULL, "", UINT64_MAX, 1 }, ERR_TEMP, "root delivers no" },
};

TEST(requests_that_say_what_is_not_so)
{
	struct trial t;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof wrong_rows / sizeof wrong_rows[0]; i++) {
		trial_begin(&t);
		CHECK_INT(asked(&t, &wrong_rows[i].a, &e), -1);
		CHECK_INT(e.verdict, wrong_rows[i].verdict);
		CHECK_MEM(e.text, strlen(wrong_rows[i].text),
		    wrong_rows[i].text, strlen(wrong_rows[i].text));
		CHECK(!is_written(&t));
		trial_end(&t);
	}
}

static const struct asking fine = { "", NULL, "", 4, TEXT_N };

/* What is no file of the queue: by number, see open_wrong(). */
static int
open_wrong(const struct trial *t, int i)
{
	int pair[2], fd;

	switch (i) {
	case 0:
		return open("/proc/self/status", O_RDONLY);
	case 1:
		return open(t->folder, O_RDONLY);
	case 2:
		return open("/dev/zero", O_RDONLY);
	case 3:
		return pipe(pair) == 0 ? pair[0] : -1;
	case 4:
		fd = memfd_create("x", MFD_CLOEXEC);
		return write(fd, TEXT TEXT TEXT, 3 * TEXT_N) > 0 ? fd : -1;
	default:
		return open(
		    "/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY);
	}
}

TEST(descriptors_of_what_is_no_file_of_the_queue)
{
	struct trial t;
	struct err e;
	int i;

	for (i = 0; i < 6; i++) {
		trial_begin(&t);
		close(t.file);
		t.file = open_wrong(&t, i);
		if (t.file != -1) {
			CHECK_INT(asked(&t, &fine, &e), -1);
			CHECK_MEM(e.text, 24, "root delivers no message", 24);
		}
		CHECK(!is_written(&t));
		trial_end(&t);
	}
	/* Nor one that he may not read. */
	trial_begin(&t);
	close(t.file);
	t.file = open(t.entry, O_WRONLY);
	CHECK_INT(asked(&t, &fine, &e), -1);
	CHECK(!is_written(&t));
	trial_end(&t);
	/* Nor another user's. */
	trial_begin(&t);
	if (fchown(t.file, geteuid() + 1, (gid_t)-1) == 0) {
		CHECK_INT(asked(&t, &fine, &e), -1);
		CHECK_MEM(e.text, 24, "root delivers no message", 24);
	} else {
		close(t.answer);
	}
	CHECK(!is_written(&t));
	trial_end(&t);
	/* Nor by another one. */
	trial_begin(&t);
	t.c.runner = geteuid() + 1;
	CHECK_INT(asked(&t, &fine, &e), 1);
	CHECK(!is_written(&t));
	trial_end(&t);
}

/* The other end of a stream, or of what is no socket, gets no word. */
TEST(answers_go_to_the_runner_alone)
{
	int pair[2], i, other = -1;
	struct trial t;
	struct err e;

	for (i = 0; i < 2; i++) {
		trial_begin(&t);
		close(t.answer);
		if (i == 0) {
			CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
			other = pair[0];
			t.answer = pair[1];
		} else {
			t.answer = open("/dev/null", O_WRONLY);
		}
		CHECK_INT(asked(&t, &fine, &e), 1);
		CHECK(!is_written(&t));
		trial_end(&t);
		if (i == 0)
			close(other);
	}
}

TEST(packets_that_are_no_requests)
{
	struct trial t;
	struct err e;
	struct buf b;
	size_t i, whole;

	trial_begin(&t);
	buf_init(&b, 64 * 1024);
	put(&b, "", t.name, "", 4, TEXT_N);
	whole = b.len;
	buf_free(&b);
	trial_end(&t);
	/* Cut anywhere, with octets behind it, of another type, one field
	 * less; with too few descriptors, and too many. */
	for (i = 1; i < whole + 8; i++) {
		trial_begin(&t);
		const int fds[] = { t.file, t.answer, t.file, t.file };
		size_t n = 2;

		buf_init(&b, 64 * 1024);
		put(&b, "", t.name, "", 4, TEXT_N);
		if (i < whole)
			b.len = i;
		else if (i == whole)
			buf_addc(&b, 'x');
		else if (i == whole + 1)
			b.data[4]++;
		else if (i == whole + 2)
			b.data[6] = 77;
		else if (i == whole + 3)
			n = 0;
		else
			n = i - whole - 4 == 0 ? 1 : 3;
		ask(&t, &b, fds, n);
		CHECK_INT(answered(&t, &e), 1);
		CHECK(!is_written(&t));
		buf_free(&b);
		trial_end(&t);
	}
}

TEST(the_end_of_all_requests)
{
	struct trial t;

	trial_begin(&t);
	CHECK_INT(hand_take(&t.c, t.root), 0);
	close(t.runner);
	t.runner = -1;
	CHECK_INT(hand_take(&t.c, t.root), -1);
	close(t.answer);
	trial_end(&t);
}

TEST(no_program_is_run_as_root)
{
	struct trial t;
	struct err e;

	if (geteuid() != 0)
		return;
	trial_begin(&t);
	t.transport = TRANSPORT_MDA;
	CHECK_INT(asked(&t, &fine, &e), -1);
	CHECK_MEM(e.text, 23, "no program gets mail as", 23);
	trial_end(&t);
}

TEST_MAIN
