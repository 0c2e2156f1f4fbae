/*
 * reports: the sender of a queued message is told once of each thing that he
 * wants to know, by a new entry that tells nobody in turn; what cannot be told
 * is kept.
 */
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#include "queue/folder.h"
#include "queue/reports.h"
#include "queue/spool.h"
#include "smtp/caps.h"
#include "tests/unit/queued.h"
#include "tests/unit/test.h"

#define TEXT "Subject: hi\nMessage-ID: <1@x.test>\n\nhello\n"
#define DAY ((int64_t)24 * 3600 * 1000)

static char dir[] = "/tmp/reports_test.XXXXXX";

/* What the reports say of themselves when they are made. */
struct told {
	int n;
	enum dsn_kind kind;
	char id[ENTRY_ID_SIZE];
};

struct world {
	struct folder *f;
	struct told told;
	struct reports_config c;
	char id[ENTRY_ID_SIZE];
	struct spool_item *item;
};

static void
draw(void *to, size_t n)
{
	static unsigned char c;

	memset(to, c++, n);
}

static void
on_report(void *ctx, const struct entry *en, enum dsn_kind kind, const char *id)
{
	struct told *t = ctx;

	CHECK(strcmp(en->id, id) != 0);
	t->n++;
	t->kind = kind;
	snprintf(t->id, sizeof t->id, "%s", id);
}

static void
put(struct world *w, const struct envelope *env, const char *text)
{
	const uid_t uid = 12345;
	struct entry_new new = { .env = env, .account = "work", .uid = &uid };
	struct message m;
	struct buf b;
	struct err e;

	buf_init(&b, SIZE_MAX / 2);
	buf_adds(&b, text);
	CHECK_INT(message_open(&m, queued_octets(&b), &e), 0);
	CHECK_INT(spool_put(w->f, &new, &m, &queued_now, w->id, &e), 0);
	message_free(&m);
	buf_free(&b);
}

static void
lock(struct world *w, const char *id)
{
	struct err e;

	CHECK_INT(
	    spool_lock(w->f, id, &queued_now, &w->item, &e), SPOOL_LOCKED);
	if (w->item == NULL)
		abort();
}

static void
open_folder(struct world *w)
{
	static int number;
	struct folder_config fc = { .make = true, .draw = draw };
	char path[64];
	struct err e;

	snprintf(path, sizeof path, "%s/%d", dir, number++);
	fc.path = path;
	*w = (struct world){ .f = NULL };
	if (folder_open(&w->f, &fc, &e) != 0)
		abort();
	w->c = (struct reports_config){ .folder = w->f,
		.host = "relay.test",
		.zone = 60,
		.lifetime = 5 * DAY,
		.on_report = on_report };
}

/* An entry from that sender to three, and its lock. */
static void
setup(struct world *w, const char *sender, unsigned notify)
{
	struct envelope env;

	open_folder(w);
	queued_envelope(&env, 0);
	address_free(&env.sender);
	queued_address(&env.sender, sender);
	env.notify = notify;
	queued_rcpt(&env, "u0@x.test");
	queued_rcpt(&env, "u1@x.test");
	queued_rcpt(&env, "u2@x.test");
	put(w, &env, TEXT);
	envelope_free(&env);
	lock(w, w->id);
	w->c.ctx = &w->told;
}

static void
end(struct world *w)
{
	spool_unlock(w->item);
	folder_close(w->f);
}

/* It came to that, and the journal has it. */
static void
decide(struct world *w, size_t rcpt, enum err_verdict verdict)
{
	struct outcome o = queued_outcome(
	    verdict, verdict == ERR_PERM ? "550 5.1.1 No such user" : "taken");
	struct outcome *to = &spool_entry(w->item)->env.rcpts[rcpt].outcome;
	struct err e;

	if (verdict == ERR_PERM) {
		o.err.code = 550;
		o.err.enhanced = (struct enhanced){ 5, 1, 1 };
	}
	CHECK_INT(spool_note_outcome(
		      w->item, &rcpt, 1, &o, queued_now.wall + 5000, &e),
	    0);
	*to = o;
	to->state = OUTCOME_PENDING;
	outcome_decide(to, &o.err);
}

static int
due(struct world *w, bool delayed)
{
	struct err e;

	w->told.n = 0;
	CHECK_INT(reports_due(&w->c, w->item, &queued_now, delayed, &e), 0);
	return w->told.n;
}

/* The same with a lock of its own, as who comes next has it. */
static int
due_again(struct world *w, bool delayed)
{
	spool_unlock(w->item);
	lock(w, w->id);
	return due(w, delayed);
}

static char *
text_of(const struct world *w, const char *id)
{
	static char text[65536];
	struct spool_item *it;
	struct octets o;
	struct err e;
	long got;
	size_t n = 0;

	text[0] = '\0';
	CHECK_INT(spool_lock(w->f, id, &queued_now, &it, &e), SPOOL_LOCKED);
	if (it == NULL)
		return text;
	o = spool_octets(it);
	while ((got = o.read(o.ctx, n, text + n, sizeof text - 1 - n, &e)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	spool_unlock(it);
	return text;
}

static void
check_has(const char *text, const char *what)
{
	if (strstr(text, what) == NULL)
		CHECK_STR(text, what);
}

TEST(failure_is_told_once)
{
	struct world w;
	struct spool_item *it;
	const struct entry *en;
	struct err e;
	const char *text;

	setup(&w, "a@x.test", 0);
	CHECK_INT(due(&w, false), 0);
	decide(&w, 0, ERR_PERM);
	decide(&w, 1, ERR_PERM);
	decide(&w, 2, ERR_TEMP);
	CHECK_INT(due(&w, false), 1);
	CHECK_INT(w.told.kind, DSN_FAILED);
	CHECK_INT(due(&w, false), 0);
	CHECK_INT(due_again(&w, false), 0);
	CHECK_INT(
	    spool_lock(w.f, w.told.id, &queued_now, &it, &e), SPOOL_LOCKED);
	en = spool_entry(it);
	CHECK_STR(en->env.sender.raw, "");
	CHECK_INT(en->env.n, 1);
	CHECK_STR(en->env.rcpts[0].addr.raw, "a@x.test");
	CHECK_INT(en->env.rcpts[0].notify, NOTIFY_NEVER);
	CHECK(en->env.dsn_return == RETURN_UNSAID);
	CHECK_STR(en->account, "work");
	CHECK_INT(en->uid, 12345);
	CHECK_INT(en->next_try, queued_now.wall);
	CHECK_INT(en->tries, 0);
	spool_unlock(it);
	text = text_of(&w, w.told.id);
	check_has(text, "Final-Recipient: rfc822; u0@x.test\nAction: failed\n");
	check_has(text, "Final-Recipient: rfc822; u1@x.test\n");
	check_has(text, "In-Reply-To: <1@x.test>\n");
	check_has(text, "Last-Attempt-Date: Thu, 1 Jan 2026 01:00:05 +0100\n");
	CHECK(strstr(text, "u2@x.test") == NULL);
	/* The one that was left is a report of its own. */
	decide(&w, 2, ERR_PERM);
	CHECK_INT(due(&w, false), 1);
	text = text_of(&w, w.told.id);
	check_has(text, "Final-Recipient: rfc822; u2@x.test\n");
	CHECK(strstr(text, "u0@x.test") == NULL);
	CHECK(!reports_is_double(spool_entry(w.item)));
	CHECK(!spool_entry(w.item)->hold);
	end(&w);
}

TEST(delay_is_told_once)
{
	struct world w;
	const char *text;

	setup(&w, "a@x.test", 0);
	decide(&w, 0, ERR_OK);
	decide(&w, 1, ERR_TEMP);
	CHECK_INT(due(&w, false), 0);
	CHECK_INT(due(&w, true), 1);
	CHECK_INT(w.told.kind, DSN_DELAYED);
	text = text_of(&w, w.told.id);
	check_has(text, "Action: delayed\n");
	check_has(text, "Will-Retry-Until: Tue, 6 Jan 2026 01:00:00 +0100\n");
	CHECK(strstr(text, "u0@x.test") == NULL);
	check_has(text, "Final-Recipient: rfc822; u2@x.test\n");
	CHECK_INT(due_again(&w, true), 0);
	CHECK_INT(spool_entry(w.item)->rcpts[1].reported, 1u << DSN_DELAYED);
	CHECK_INT(spool_entry(w.item)->rcpts[1].reported_when, queued_now.wall);
	CHECK_INT(spool_entry(w.item)->rcpts[0].reported, 0);
	/* That it fails later is another matter. */
	decide(&w, 1, ERR_PERM);
	CHECK_INT(due(&w, true), 1);
	CHECK_INT(w.told.kind, DSN_FAILED);
	end(&w);
}

/* Two kinds are two reports. */
TEST(failure_and_delay_together)
{
	struct world w;

	setup(&w, "a@x.test", 0);
	decide(&w, 0, ERR_PERM);
	CHECK_INT(due(&w, true), 2);
	CHECK_INT(due_again(&w, true), 0);
	end(&w);
}

TEST(relayed)
{
	struct world w;
	struct outcome *o;

	setup(&w, "a@x.test", NOTIFY_SUCCESS);
	for (size_t i = 0; i < 2; i++) {
		decide(&w, i, ERR_OK);
		o = &spool_entry(w.item)->env.rcpts[i].outcome;
		o->left_out = i == 0 ? CAP_DSN : 0;
	}
	decide(&w, 2, ERR_PERM);
	CHECK_INT(due(&w, true), 1);
	CHECK_INT(w.told.kind, DSN_RELAYED);
	check_has(text_of(&w, w.told.id),
	    "Final-Recipient: rfc822; u0@x.test\nAction: relayed\n");
	CHECK(strstr(text_of(&w, w.told.id), "u1@x.test") == NULL);
	end(&w);
}

/* What NOTIFY says of failure and delay, and what a null sender does. */
TEST(who_is_told_of_what)
{
	static const struct {
		const char *sender;
		unsigned notify;
		int failed, delayed;
	} rows[] = {
		{ "a@x.test", 0, 1, 1 },
		{ "a@x.test", NOTIFY_NEVER, 0, 0 },
		{ "a@x.test", NOTIFY_FAILURE, 1, 0 },
		{ "a@x.test", NOTIFY_DELAY, 0, 1 },
		{ "a@x.test", NOTIFY_SUCCESS, 0, 0 },
		{ "", 0, 0, 0 },
		{ "", NOTIFY_FAILURE | NOTIFY_DELAY, 0, 0 },
	};
	struct world w;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		setup(&w, rows[i].sender, rows[i].notify);
		CHECK_INT(due(&w, true), rows[i].delayed);
		for (size_t k = 0; k < 3; k++)
			decide(&w, k, ERR_PERM);
		CHECK_INT(due(&w, true), rows[i].failed);
		CHECK_INT(due_again(&w, true), 0);
		CHECK_INT(reports_is_double(spool_entry(w.item)),
		    rows[i].sender[0] == '\0');
		end(&w);
	}
}

TEST(what_nobody_can_be_told_is_held)
{
	struct world w;

	setup(&w, "", 0);
	decide(&w, 0, ERR_PERM);
	decide(&w, 1, ERR_OK);
	CHECK_INT(due(&w, false), 0);
	/* The third is tried on. */
	CHECK(reports_is_double(spool_entry(w.item)));
	CHECK(!spool_entry(w.item)->hold);
	decide(&w, 2, ERR_OK);
	CHECK_INT(due(&w, false), 0);
	CHECK(spool_entry(w.item)->hold);
	CHECK_INT(due_again(&w, false), 0);
	CHECK(spool_entry(w.item)->hold);
	end(&w);
	/* All went well: nothing to keep. */
	setup(&w, "", 0);
	for (size_t k = 0; k < 3; k++)
		decide(&w, k, ERR_OK);
	CHECK_INT(due(&w, false), 0);
	CHECK(!reports_is_double(spool_entry(w.item)));
	CHECK(!spool_entry(w.item)->hold);
	end(&w);
}

/* A report that fails is no reason for another one, nor is that. */
TEST(no_loop)
{
	struct world w;

	setup(&w, "a@x.test", 0);
	for (size_t k = 0; k < 3; k++)
		decide(&w, k, ERR_PERM);
	CHECK_INT(due(&w, false), 1);
	spool_unlock(w.item);
	memcpy(w.id, w.told.id, sizeof w.id);
	lock(&w, w.id);
	CHECK_INT(due(&w, true), 0);
	decide(&w, 0, ERR_PERM);
	CHECK_INT(due(&w, true), 0);
	CHECK(spool_entry(w.item)->hold);
	CHECK_INT(entry_open(spool_entry(w.item)), 0);
	end(&w);
}

TEST(sender_in_utf8)
{
	struct world w;
	struct spool_item *it;
	struct err e;

	setup(&w, "j\xc3\xb6rg@x.test", 0);
	decide(&w, 0, ERR_PERM);
	CHECK_INT(due(&w, false), 1);
	check_has(text_of(&w, w.told.id),
	    "Content-Type: message/global-delivery-status\n");
	CHECK_INT(
	    spool_lock(w.f, w.told.id, &queued_now, &it, &e), SPOOL_LOCKED);
	CHECK_STR(spool_entry(it)->env.rcpts[0].addr.raw, "j\xc3\xb6rg@x.test");
	spool_unlock(it);
	end(&w);
}

/* ---- RET ---- */

/* An entry of so many octets of body, with RET=FULL, that failed. */
static void
setup_whole(struct world *w, size_t body)
{
	char *text = malloc(body + 8);
	struct envelope env;

	if (text == NULL)
		abort();
	open_folder(w);
	w->c.ctx = &w->told;
	memcpy(text, "A: b\n\n", 6);
	for (size_t i = 0; i < body; i++)
		text[i + 6] = i % 64 == 63 || i + 1 == body ? '\n' : 'x';
	text[body + 6] = '\0';
	queued_envelope(&env, 1);
	env.dsn_return = RETURN_FULL;
	put(w, &env, text);
	envelope_free(&env);
	free(text);
	lock(w, w->id);
	decide(w, 0, ERR_PERM);
}

TEST(whole_message_comes_back)
{
	struct world w;

	setup_whole(&w, 5000);
	CHECK_INT(due(&w, false), 1);
	check_has(text_of(&w, w.told.id), "Content-Type: message/rfc822\n");
	end(&w);
	setup_whole(&w, (size_t)10 << 20);
	CHECK_INT(due(&w, false), 1);
	check_has(
	    text_of(&w, w.told.id), "Content-Type: text/rfc822-headers\n");
	end(&w);
}

static size_t
entries(const struct world *w)
{
	struct names names = { .ids = NULL };
	size_t n;

	CHECK_INT(names_read(w->f, &names, ""), 0);
	n = names.n;
	free(names.ids);
	return n;
}

/* A disk with room for the header, then for nothing. */
TEST(full_disk)
{
	struct sigaction ign = { .sa_handler = SIG_IGN }, old;
	struct rlimit was, small;
	struct world w;
	struct err e;

	setup_whole(&w, 50000);
	sigaction(SIGXFSZ, &ign, &old);
	getrlimit(RLIMIT_FSIZE, &was);
	small = was;
	small.rlim_cur = 1000;
	setrlimit(RLIMIT_FSIZE, &small);
	CHECK_INT(reports_due(&w.c, w.item, &queued_now, false, &e), -1);
	setrlimit(RLIMIT_FSIZE, &was);
	CHECK_INT(err_exit(&e), 71);
	CHECK_INT(w.told.n, 0);
	CHECK_INT(entries(&w), 1);
	/* The journal is longer than what a report is. */
	small.rlim_cur = 51000;
	setrlimit(RLIMIT_FSIZE, &small);
	CHECK_INT(due_again(&w, false), 1);
	setrlimit(RLIMIT_FSIZE, &was);
	sigaction(SIGXFSZ, &old, NULL);
	check_has(
	    text_of(&w, w.told.id), "Content-Type: text/rfc822-headers\n");
	CHECK_INT(entries(&w), 2);
	CHECK_INT(due_again(&w, false), 0);
	end(&w);
}

/* What was told and could not be noted is told again, and not forgotten. */
TEST(note_fails)
{
	struct sigaction ign = { .sa_handler = SIG_IGN }, old;
	struct rlimit was, small;
	struct world w;
	struct err e;

	setup_whole(&w, 50000);
	CHECK_INT(spool_octets(w.item).size, 50006);
	sigaction(SIGXFSZ, &ign, &old);
	getrlimit(RLIMIT_FSIZE, &was);
	small = was;
	small.rlim_cur = 50000;
	setrlimit(RLIMIT_FSIZE, &small);
	CHECK_INT(reports_due(&w.c, w.item, &queued_now, false, &e), -1);
	setrlimit(RLIMIT_FSIZE, &was);
	sigaction(SIGXFSZ, &old, NULL);
	CHECK_INT(entries(&w), 2);
	CHECK_INT(w.told.n, 1);
	CHECK_INT(due_again(&w, false), 1);
	CHECK_INT(due_again(&w, false), 0);
	end(&w);
}

static void
remove_all(void)
{
	char command[64];

	snprintf(command, sizeof command, "rm -rf %s", dir);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
}

int
main(void)
{
	int rc = mkdtemp(dir) == NULL || test_run_all();

	if (fork() == 0) {
		remove_all();
		_exit(1);
	}
	return rc;
}
