/*
 * run: see run.h. What queue/runner.c wants to know of accounts, and what it
 * says; each run reads the configuration anew, as it may have been mended.
 * Callers: native.c, send.c.
 * It waits nowhere but in base/wait.c.
 * fork(2), setsid(2), inotify(7).
 * Ownership: a run has its folder and accounts, and frees them.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/wait.h"
#include "cli/accounts.h"
#include "cli/become.h"
#include "cli/keeping.h"
#include "cli/log.h"
#include "cli/machine.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/run.h"
#include "cli/spools.h"
#include "hand.h"
#include "queue/folder.h"
#include "queue/intake.h"
#include "queue/moment.h"
#include "queue/retry.h"
#include "queue/runner.h"
#include "queue/spool.h"
#include "queue/watch.h"

/* The runner that stays: how long it waits for changes, and for what is due
 * and could not be tried, ms. */
#define WAIT_MAX RETRY_HOUR
#define WAIT_STUCK RETRY_MINUTE

#define RUNNER_LOCK "runner"

/* As many as a wave has messages (runner.c), a connection, and some more. */
#define FILES_OF_A_JOB ((uint64_t)128)

struct session {
	const struct run_face *face; /* borrowed */
	const struct options *o; /* borrowed */
	struct accounts accounts;
	struct log log;
	char host[MACHINE_NAME_MAX]; /* our own name */
	bool *found; /* owned: which operands were there */
	const int *root; /* borrowed: of struct worker_config */
	bool telling; /* somebody reads what happens to entries */
	bool local_senders; /* it is the queue of sendmail's face */
	bool leaves; /* the machine's queue takes what we cannot deliver */
	int code; /* the first that is not 0 */
};

/* ---- callbacks ---- */

/* Whoever reads may be slow; a signal ends the write. */
static void
listen_begin(const struct session *s, sigset_t *blocked)
{
	sigprocmask(SIG_SETMASK, &s->face->waiter->mask, blocked);
}

static void
listen_end(const sigset_t *blocked)
{
	sigprocmask(SIG_SETMASK, blocked, NULL);
}

static void
on_line(void *ctx, const struct deliver_line *line)
{
	const struct session *s = ctx;

	report_live_line(s->face->waiter, line);
}

static int
on_secret(void *ctx, const struct relay *relay, bool again, struct err *e)
{
	struct session *s = ctx;

	return accounts_fetch(&s->accounts, relay, again, e);
}

static void
on_secret_done(void *ctx, const struct relay *relay)
{
	struct session *s = ctx;

	accounts_forget(&s->accounts, relay);
}

static void
on_note(void *ctx, const struct entry *en, const char *id, const char *text)
{
	struct session *s = ctx;
	const struct named_account *by =
	    accounts_named(&s->accounts, en != NULL ? en->account : "");
	char line[2 * ERR_TEXT_MAX];
	sigset_t blocked;

	listen_begin(s, &blocked);
	if (by != NULL)
		log_note(&s->log, &by->log, id, text);
	snprintf(
	    line, sizeof line, "%s%s%s", id, id[0] != '\0' ? ": " : "", text);
	if (s->telling)
		report_warning(stderr, line);
	listen_end(&blocked);
}

static void
log_attempt(struct session *s, const struct entry *en, size_t rcpt, int64_t now)
{
	const struct named_account *by =
	    accounts_named(&s->accounts, en->account);
	const struct log_try t = {
		.id = en->id, .env = &en->env, .delay = now - en->arrived
	};

	if (by != NULL)
		log_recipient(&s->log, &by->log, &t, &en->env.rcpts[rcpt]);
}

static void
on_attempt(void *ctx, const struct entry *en, size_t rcpt, int64_t now)
{
	struct session *s = ctx;
	sigset_t blocked;

	listen_begin(s, &blocked);
	log_attempt(s, en, rcpt, now);
	if (s->o->json)
		report_attempt_json(stdout, en, rcpt, now);
	if (s->telling)
		report_attempt(stderr, en, rcpt);
	listen_end(&blocked);
}

/* Seconds of a setting as ms, or what is meant without it. */
static int64_t
span(const struct settings *s, enum setting_id id, int64_t otherwise)
{
	return s->at[id].text != NULL ? s->at[id].number * 1000 : otherwise;
}

static int
on_account(
    void *ctx, const char *name, struct runner_account *to, struct err *e)
{
	struct session *s = ctx;
	const struct named_account *na = accounts_named(&s->accounts, name);

	*to = (struct runner_account){ .lifetime = RETRY_LIFETIME,
		.notice = RETRY_NOTICE };
	if (na == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	to->by = &na->by;
	to->lifetime = span(&na->settings, SET_QUEUE_LIFETIME, to->lifetime);
	to->notice = span(&na->settings, SET_QUEUE_NOTICE, to->notice);
	if (na->why.verdict == ERR_OK) {
		to->locals = &na->naming.config;
		to->local_senders = s->local_senders || na->naming.said;
		if (s->leaves && na->by.local != NULL &&
		    na->by.local->local != NULL)
			to->leave = keeping_leave(na->by.local->local);
		return 0;
	}
	*e = na->why;
	return -1;
}

/* ---- one run ---- */

static struct runner_config
config(struct session *s, const struct spools_place *place,
    const struct folder *folder)
{
	const struct options *o = s->o;

	return (struct runner_config){
		.folder = folder,
		.base = place->base,
		.mx = { .family = o->family,
		    .overrides = o->overrides,
		    .noverrides = o->noverrides,
		    .dns = { .nameserver = o->nameserver,
			.timeout = o->settings.at[SET_TIMEOUT].number,
			.waiter = s->face->waiter },
		    .random = machine_random },
		.deliver = { .worker = { .waiter = s->face->waiter,
				 .show_lines = o->verbose,
				 .root = s->root },
		    .jobs = o->jobs,
		    .on_line = on_line,
		    .on_secret = on_secret,
		    .on_secret_done = on_secret_done,
		    .ctx = s },
		.filter = { .due = o->queue_run.due,
		    .ids = o->operands,
		    .nids = o->noperands,
		    .id = o->queue_run.id,
		    .rcpt = o->queue_run.rcpt,
		    .sender = o->queue_run.sender },
		.found = s->found,
		.reports = { .folder = folder,
		    .host = s->host,
		    .zone = moment_zone(time(NULL)) },
		.account = on_account,
		.on_attempt = on_attempt,
		.on_note = on_note,
		.ctx = s,
	};
}

/* Nobody reads what a process that stays behind prints: the log has it, too. */
static void
failed(struct session *s, const struct err *e)
{
	const struct log_to unsaid = { .facility = LOG_UNSAID };

	report_error(stderr, e);
	log_note(&s->log, &unsaid, "", e->text);
	if (s->code == 0)
		s->code = err_exit(e);
}

static void
on_intake_note(void *ctx, const char *id, const char *text)
{
	on_note(ctx, NULL, id, text);
}

/* What users added to the machine's queue becomes entries of it; true if some
 * is left for the next time. */
static bool
take_in(struct session *s, const struct spools_place *place,
    const struct folder *queue)
{
	const struct entry_now now = moment_now();
	struct spools_place added = *place;
	struct intake_config c = {
		.queue = queue, .now = &now, .on_note = on_intake_note, .ctx = s
	};
	struct folder *in = NULL;
	bool more = false;
	struct err e;
	int got;

	spools_taken(&added);
	got = spools_open(&added, false, &in, &e);
	if (got == 1)
		got = err_set(&e, ERR_TEMP, ERR_MACHINE,
		    "there is no folder %s, to which users add: make it, with "
		    "mode 3733",
		    added.path);
	c.in = in;
	if (got == -1 || intake(&c, &more, &e) == -1)
		failed(s, &e);
	folder_close(in);
	return more;
}

/* The accounts of the place. Without them nothing can be tried; what users
 * added is taken in all the same, since who waits for it to be taken (a path
 * unit) would call us again and again. */
static int
open_accounts(struct session *s, const struct spools_place *place,
    const struct folder *queue, struct err *e)
{
	const bool machine = place->kind == SPOOLS_QUEUE;

	if ((machine ? accounts_open_machine : accounts_open_named)(
		&s->accounts, s->o, s->face->waiter, e) == 0)
		return 0;
	s->accounts.why = *e;
	while (machine && take_in(s, place, queue) &&
	    !wait_stopped(s->face->waiter))
		continue;
	return -1;
}

/* 0 when it ran, 1 when there is no such folder, -1 with the code. */
static int
run_folder(struct session *s, const struct spools_place *place,
    struct runner_result *result)
{
	const bool machine = place->kind == SPOOLS_QUEUE;
	struct spools_place left;
	struct runner_config c;
	struct folder *folder;
	struct err e;
	bool more = machine;
	int got = spools_open(place, machine, &folder, &e);

	*result = (struct runner_result){ .tried = 0 };
	if (got == 0)
		got = open_accounts(s, place, folder, &e);
	if (got == 0) {
		s->accounts.by_file = place->kind == SPOOLS_OWN;
		s->local_senders = machine || s->o->face.is_sendmail;
		s->leaves = place->kind == SPOOLS_OWN && geteuid() != 0 &&
		    spools_machine(&left);
		c = config(s, place, folder);
		do {
			more = more && take_in(s, place, folder);
			got = runner_run(&c, result, &e);
			if (s->code == 0)
				s->code = err_exit(&result->trouble);
		} while (got == 0 && more && !wait_stopped(s->face->waiter));
	}
	accounts_free(&s->accounts);
	folder_close(folder);
	if (got == -1)
		failed(s, &e);
	return got;
}

static void
session_begin(
    struct session *s, const struct run_face *face, const struct options *o)
{
	*s = (struct session){ .face = face,
		.o = o,
		.log = { .by_syslog = true,
		    .tag = o->face.tag,
		    .warnings = stderr } };
	machine_open_files((o->jobs + 1) * FILES_OF_A_JOB);
	machine_helo(s->host);
	if (s->host[0] == '\0')
		snprintf(s->host, sizeof s->host, "localhost");
}

/* ---- by a person or a timer ---- */

/* What says something of a message that is sent now. */
static const struct {
	const char *name;
	size_t at; /* in struct options: NULL, or a list of none */
} of_messages[] = {
	{ "from", offsetof(struct options, from) },
	{ "account", offsetof(struct options, account) },
	{ "subject", offsetof(struct options, subject) },
	{ "to", offsetof(struct options, to.v) },
	{ "cc", offsetof(struct options, cc.v) },
	{ "bcc", offsetof(struct options, bcc.v) },
	{ "reply-to", offsetof(struct options, reply_to.v) },
	{ "header", offsetof(struct options, headers.v) },
	{ "attach", offsetof(struct options, attach.v) },
	{ "caps", offsetof(struct options, caps) },
};

/* The option that has no say in a run; NULL: there is none. */
static const char *
out_of_place(const struct options *o)
{
	size_t i;

	for (i = 0; i < sizeof of_messages / sizeof of_messages[0]; i++)
		if (*(const void *const *)((const char *)o +
			of_messages[i].at) != NULL)
			return of_messages[i].name;
	for (i = 0; i < SETTINGS; i++)
		if (o->settings.at[i].given && i != SET_TIMEOUT)
			return setting_rows[i].option != NULL
			    ? setting_rows[i].option
			    : "full-name";
	return o->read_recipients   ? "read-recipients"
	    : o->read_envelope_from ? "read-envelope-from"
	    : o->keep_bcc           ? "keep-bcc"
	    : o->dry_run            ? "dry-run"
	    : o->export.wanted      ? "export"
				    : NULL;
}

static int
check(const struct options *o, struct err *e)
{
	const struct mx_config mx = { .dns = { .nameserver = o->nameserver } };
	const struct relay nobody = { .name = NULL };
	const struct relays by = { .relay = &nobody };
	const char *name = out_of_place(o);
	size_t i;

	if (name != NULL)
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "--%s says nothing of mail that is queued: give "
		    "--queue-run without it",
		    name);
	if (o->queue_run.every > 0 && o->noperands > 0)
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "-q with a time and a queue id exclude each other; give "
		    "one of them");
	for (i = 0; i < o->noperands; i++)
		if (!entry_id_valid(o->operands[i]))
			return err_set(e, ERR_PERM, ERR_USAGE,
			    "--queue-run: \"%.200s\" is no queue id: give a "
			    "whole id of --queue-list",
			    o->operands[i]);
	return mx_check(&mx, &by, e);
}

static void
tell_missing(struct session *s)
{
	struct err e;
	size_t i;

	for (i = 0; i < s->o->noperands; i++)
		if (!s->found[i]) {
			err_set(&e, ERR_PERM, ERR_USAGE,
			    "no message \"%s\" in the queue: give a whole id "
			    "of --queue-list",
			    s->o->operands[i]);
			failed(s, &e);
		}
}

struct turn {
	struct session *s; /* borrowed */
	const struct spools_place *place; /* borrowed */
};

static int
run_as_owner(void *ctx, int root)
{
	const struct turn *t = ctx;
	struct runner_result result;

	t->s->root = &root;
	run_folder(t->s, t->place, &result);
	t->s->root = NULL;
	return t->s->code;
}

/* What `local` means to root, who alone reads it then, in a process of its
 * own: what else the file says is forgotten, but not given back. */
static int
local_of(void *ctx, const char *account, struct local_config *to, struct err *e)
{
	const struct turn *t = ctx;
	struct accounts *as = &t->s->accounts;
	const struct named_account *na;

	if (accounts_open_machine(as, t->s->o, t->s->face->waiter, e) == -1)
		return -1;
	na = accounts_named(as, account);
	if (na == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	config_forget_secrets(&as->config, NULL, 0);
	if (na->why.verdict != ERR_OK) {
		*e = na->why;
		return -1;
	}
	if (na->by.local == NULL || na->by.local->local == NULL)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "root writes no mailboxes: that is not what `local` says");
	*to = *na->by.local->local;
	return 0;
}

static pid_t
serve_owner(void *ctx, int socket)
{
	struct turn *t = ctx;
	struct stat base;
	struct hand_config c = { .folder = t->place->path,
		.config = local_of,
		.waiter = t->s->face->waiter,
		.ctx = t };

	if (stat(t->place->base, &base) == -1)
		return -1;
	c.runner = base.st_uid;
	return hand_take(&c, socket);
}

static void
run_place(struct session *s, const struct spools_place *place)
{
	struct turn t = { s, place };
	const struct become_job job = { run_as_owner, serve_owner, &t };
	struct runner_result result;
	struct err e;
	int code;

	if (!become_is_wanted(place)) {
		run_folder(s, place, &result);
		return;
	}
	code = become_run(place, s->face->waiter, &job, &e);
	if (code == -1)
		failed(s, &e);
	else if (s->code == 0)
		s->code = code;
}

/* Each queue once. */
static void
run_once(struct session *s)
{
	struct spools_place places[SPOOLS_MAX];
	struct err e;
	int i, n = spools_seen(places, &e);

	if (n == -1)
		failed(s, &e);
	for (i = 0; i < n && !wait_stopped(s->face->waiter); i++)
		run_place(s, &places[i]);
	fflush(stdout);
}

/* The exit code of what a signal broke off. */
static int
interrupted(void)
{
	const struct err e = { .verdict = ERR_TEMP, .kind = ERR_CONNECT };

	return err_exit(&e);
}

/* It is shared with a process that runs as another user; NULL: no memory. */
static bool *
found_new(const struct options *o)
{
	void *p = mmap(NULL, o->noperands + 1, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED ? p : NULL;
}

static void
found_free(struct session *s)
{
	munmap(s->found, s->o->noperands + 1);
}

/* A process that is nobody's child, and whose terminal is none: 1 there, 0 in
 * the caller, -1 if there can be none. */
static int
detach(void)
{
	pid_t pid = fork(), got;

	if (pid == -1)
		return -1;
	if (pid == 0) {
		if (setsid() == -1 || fork() != 0)
			_exit(0);
		return 1;
	}
	do
		got = waitpid(pid, NULL, 0);
	while (got == -1 && errno == EINTR);
	return 0;
}

/* Standard streams and folder of the caller's, who may wait for their end. */
static int
leave_streams(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fd;

	for (fd = 0; fd <= STDERR_FILENO; fd++)
		if (null == -1 || dup2(null, fd) == -1)
			return -1;
	return chdir("/");
}

/* For a run that goes on and on: 1 there, 0 in the caller, or -1 with *e. */
static int
to_background(struct err *e)
{
	int got = detach();

	if (got == -1)
		return err_errno(e, ERR_TEMP, ERR_MACHINE, errno,
		    "the queue cannot be run in the background");
	if (got == 1 &&
	    (leave_streams() == -1 ||
		close_range(STDERR_FILENO + 1, UINT_MAX, 0) == -1))
		_exit(0);
	return got;
}

int
run_queue(const struct run_face *face, const struct options *o)
{
	struct session s;
	struct err e;
	int got = check(o, &e);
	bool ours = got == 0;

	if (ours && o->queue_run.background) {
		got = to_background(&e);
		ours = got == 1;
	}
	if (got == -1)
		report_error(stderr, &e);
	if (!ours)
		return got == -1 ? err_exit(&e) : 0;
	face->on_deliver(face->ctx);
	session_begin(&s, face, o);
	/* Callers of sendmail take what is said for trouble. */
	s.telling = o->verbose || (!o->queue_run.due && !o->face.is_sendmail);
	s.found = found_new(o);
	if (s.found == NULL)
		return interrupted();
	for (;;) {
		run_once(&s);
		if (wait_stopped(face->waiter) || o->queue_run.every == 0)
			break;
		/* What is wrong may be mended till then; a signal ends it. */
		s.code = 0;
		if (wait_fds(face->waiter, NULL, 0,
			wait_until(o->queue_run.every * 1000)) ==
		    WAIT_STOPPED) {
			found_free(&s);
			return 0;
		}
	}
	tell_missing(&s);
	found_free(&s);
	return wait_stopped(face->waiter) ? interrupted() : s.code;
}

/* ---- in the background ---- */

struct soonest {
	bool any;
	int64_t next_try;
};

static int
look_one(void *ctx, const struct entry *en, const struct err *why)
{
	struct soonest *s = ctx;

	if (why != NULL || en->hold)
		return 0;
	if (!s->any || en->next_try < s->next_try)
		s->next_try = en->next_try;
	s->any = true;
	return 0;
}

/* True if something is there that can be tried, now or later. */
static bool
look(const struct folder *f, struct soonest *s)
{
	const struct entry_now now = moment_now();
	struct err e;

	*s = (struct soonest){ .any = false };
	return spool_list(f, &now, look_one, s, &e) == 0 && s->any;
}

/* How long to wait before the next run, ms. */
static int64_t
pause_for(const struct soonest *s, bool progress)
{
	int64_t left = s->next_try - moment_now().wall;

	if (left <= 0)
		return progress ? 0 : WAIT_STUCK;
	return left < WAIT_MAX ? left : WAIT_MAX;
}

/*
 * Run what is due, until nothing is left; false: it was told to stop. What is
 * put behind a run's back is due to the next one at once; a run that puts
 * itself, and has no progress, has one such only.
 */
static bool
run_dry(struct session *s, const struct spools_place *place,
    const struct folder *folder)
{
	const struct waiter *waiter = s->face->waiter;
	struct runner_result result;
	struct soonest soonest;
	struct watch watch;
	bool put = false, again, progress;
	int got = 0;

	watch_open(&watch, folder);
	do {
		run_folder(s, place, &result);
		again = put;
		put = watch_forget(&watch);
		progress = result.noted > 0;
		put = put && !progress && !again;
		if (wait_stopped(waiter) || !look(folder, &soonest))
			break;
		got = watch_wait(&watch, waiter,
		    wait_until(pause_for(&soonest, progress || put)));
	} while (got != WAIT_STOPPED && got != WAIT_ERROR);
	watch_close(&watch);
	return !wait_stopped(waiter) && got != WAIT_ERROR;
}

/* Who queues while we are about to end sees the lock, and leaves it to us. */
static void
stay(struct session *s, const struct spools_place *place, int lock)
{
	struct folder *folder;
	struct soonest soonest;
	struct err e;

	if (spools_open(place, false, &folder, &e) != 0)
		return;
	do {
		if (!run_dry(s, place, folder))
			break;
		folder_unlock(lock);
	} while (look(folder, &soonest) && folder_lock(lock) == 0);
	folder_close(folder);
}

/* Nothing of the caller's is kept open, as somebody may wait for its end:
 * only the lock, whose number is told; or -1. */
static int
leave_caller(int lock)
{
	int fd = STDERR_FILENO + 1;

	if (leave_streams() == -1 ||
	    (lock != fd && dup3(lock, fd, O_CLOEXEC) == -1))
		return -1;
	return close_range((unsigned)fd + 1, UINT_MAX, 0) == -1 ? -1 : fd;
}

static void
background(const struct run_face *face, const struct options *o,
    const struct spools_place *place, int lock)
{
	/* Mail by -C names its file: to the others it means nothing. */
	const struct options quiet = { .settings = o->settings,
		.family = o->family,
		.overrides = o->overrides,
		.noverrides = o->noverrides,
		.nameserver = o->nameserver,
		.jobs = o->jobs,
		.queue_run = { .due = true },
		.face = { .is_sendmail = o->face.is_sendmail } };
	struct session s;

	lock = leave_caller(lock);
	if (lock == -1)
		return;
	face->on_deliver(face->ctx);
	session_begin(&s, face, &quiet);
	stay(&s, place, lock);
}

/* The lock of who runs this queue, or -1: somebody does. */
static int
take_lock(const struct spools_place *place)
{
	char path[MACHINE_PATH_MAX + sizeof RUNNER_LOCK];
	int fd;

	snprintf(path, sizeof path, "%s/" RUNNER_LOCK, place->base);
	fd = open(path, O_RDWR | O_CREAT | FOLDER_OPEN, 0600);
	if (fd == -1 || folder_lock(fd) == 0)
		return fd;
	close(fd);
	return -1;
}

void
run_in_background(const struct run_face *face, const struct options *o,
    const struct settings *s, const struct spools_place *place)
{
	const struct setting *runner = &s->at[SET_QUEUE_RUNNER];
	int lock;

	if (place->kind != SPOOLS_OWN || wait_stopped(face->waiter) ||
	    (runner->text != NULL && runner->number == 0))
		return;
	lock = take_lock(place);
	if (lock == -1)
		return;
	if (detach() == 1) {
		background(face, o, place, lock);
		_exit(0);
	}
	close(lock);
}
