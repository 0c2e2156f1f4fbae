/*
 * pick: whom a filter wants, by what is still open and by time, and in which
 * order a folder's entries are tried.
 * sendmail(8) for -qI, -qR and -qS; the man page, QUEUE.
 */
#include <stdlib.h>

#include "base/err.h"
#include "mail/envelope.h"
#include "queue/pick.h"
#include "queue/retry.h"
#include "tests/unit/spooled.h"

#define NOW ((int64_t)1767225600 * 1000)
#define ID "1j8ksvq00000000"

/* alice to bob, who has it, and eve, who has not. */
struct fixture {
	struct entry en;
	struct recipient rcpts[2];
	struct pick_filter filter;
};

static char alice[] = "alice@client.test", bob[] = "bob@x.test",
	    eve[] = "Eve@y.test", given[] = "eve@Y.test";

static void
set_up(struct fixture *f)
{
	*f = (struct fixture){ .en = { .id = ID, .next_try = NOW } };
	f->rcpts[0] = (struct recipient){ .addr = { .raw = bob },
		.outcome = { .state = OUTCOME_DELIVERED } };
	f->rcpts[1] = (struct recipient){ .addr = { .raw = eve },
		.given = given,
		.outcome = { .state = OUTCOME_DEFERRED } };
	f->en.env.sender.raw = alice;
	f->en.env.rcpts = f->rcpts;
	f->en.env.n = 2;
}

static bool
wants(const struct fixture *f)
{
	return pick_wants(&f->filter, &f->en, NOW);
}

TEST(all_that_are_open)
{
	struct fixture f;

	set_up(&f);
	CHECK(wants(&f));
	f.en.next_try = NOW + 1;
	CHECK(wants(&f));
	f.en.hold = true;
	CHECK(!wants(&f));
}

TEST(what_is_due)
{
	struct fixture f;

	set_up(&f);
	f.filter.due = true;
	CHECK(wants(&f));
	f.en.next_try = NOW + 1;
	CHECK(!wants(&f));
	f.en.next_try = NOW + 5 * RETRY_HOUR;
	CHECK(wants(&f));
	f.en.hold = true;
	CHECK(!wants(&f));
}

TEST(those_that_are_named)
{
	static const char *const ids[] = { "1j8ksvq00000001", ID };
	struct fixture f;

	set_up(&f);
	f.filter.ids = ids;
	f.filter.nids = 2;
	CHECK(wants(&f));
	f.filter.nids = 1;
	CHECK(!wants(&f));
	f.rcpts[1].outcome.state = OUTCOME_FAILED;
	CHECK(!wants(&f));
}

TEST(parts_of_addresses)
{
	struct fixture f;

	set_up(&f);
	f.filter.rcpt.text = "eve@";
	CHECK(wants(&f));
	f.filter.rcpt.text = "Y.TEST";
	CHECK(wants(&f));
	/* He has it. */
	f.filter.rcpt.text = "bob";
	CHECK(!wants(&f));
	f.filter.rcpt.text = NULL;
	f.filter.sender.text = "CLIENT";
	CHECK(wants(&f));
	f.filter.sender.text = "eve";
	CHECK(!wants(&f));
	f.filter.sender.text = NULL;
	f.filter.id.text = "ksv";
	CHECK(wants(&f));
	f.filter.id.text = "ksw";
	CHECK(!wants(&f));
}

TEST(parts_that_must_not_be_there)
{
	struct fixture f;

	set_up(&f);
	f.filter.rcpt = (struct pick_part){ "eve@", true };
	CHECK(!wants(&f));
	f.filter.rcpt.text = "bob"; /* he has it */
	CHECK(wants(&f));
	f.filter.sender = (struct pick_part){ "client", true };
	CHECK(!wants(&f));
	f.filter.sender.text = "eve";
	f.filter.id = (struct pick_part){ "ksv", true };
	CHECK(!wants(&f));
}

TEST(all_must_fit)
{
	struct fixture f;

	set_up(&f);
	f.filter = (struct pick_filter){ .rcpt = { "eve", false },
		.sender = { "alice", false } };
	CHECK(wants(&f));
	f.filter.sender.text = "bob";
	CHECK(!wants(&f));
}

TEST(nobody_is_open)
{
	struct fixture f;

	set_up(&f);
	f.rcpts[1].outcome.state = OUTCOME_DELIVERED;
	f.filter.rcpt.text = "nobody";
	CHECK(wants(&f));
	f.filter.due = true;
	f.en.next_try = NOW + 1;
	CHECK(!wants(&f));
}

/* ---- a folder ---- */

/* One entry for that recipient, put so many milliseconds later. */
static void
put_for(
    struct folder *folder, const char *account, const char *rcpt, int64_t later)
{
	struct entry_now now = queued_now;
	struct envelope env;
	const struct entry_new new = { .env = &env, .account = account };
	struct message m;
	char id[ENTRY_ID_SIZE];
	struct err e;
	struct buf b;

	now.wall += later;
	buf_init(&b, 100);
	buf_adds(&b, TEXT);
	queued_envelope(&env, 0);
	queued_rcpt(&env, rcpt);
	CHECK_INT(message_open(&m, queued_octets(&b), &e), 0);
	CHECK_INT(spool_put(folder, &new, &m, &now, id, &e), 0);
	message_free(&m);
	envelope_free(&env);
	buf_free(&b);
}

TEST(in_which_order)
{
	static const char *const want[] = { "\nx.test", "\nx.test", "\ny.test",
		"work\nx.test" };
	const struct pick_filter all = { .due = false };
	struct picks p = { .n = 0 };
	struct folder *folder;
	struct err e;
	size_t i;

	folder = folder_at("queue");
	put_for(folder, "work", "a@x.test", 0);
	put_for(folder, NULL, "b@x.test", 1);
	put_for(folder, NULL, "c@y.test", 2);
	put_for(folder, NULL, "d@x.test", 3);
	CHECK_INT(picks_read(&p, folder, &all, &queued_now, &e), 0);
	CHECK_INT(p.n, 4);
	for (i = 0; i < p.n && i < 4; i++)
		CHECK_STR(p.at[i].by, want[i]);
	CHECK(p.n == 4 && strcmp(p.at[0].id, p.at[1].id) < 0);
	picks_free(&p);
	folder_close(folder);
}

/* What cannot be read is for who locks it, unless that is not asked for. */
TEST(what_cannot_be_read)
{
	static const char *const ids[] = { "1j8ksvq0000000z" };
	struct pick_filter filter = { .due = true };
	struct picks p = { .n = 0 };
	struct folder *folder = folder_at("sick");
	struct err e;
	int fd;

	fd = openat(folder->fd, ID, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd != -1);
	close(fd);
	CHECK_INT(picks_read(&p, folder, &filter, &queued_now, &e), 0);
	CHECK_INT(p.n, 1);
	CHECK(p.n == 1 && p.at[0].by == NULL);
	picks_free(&p);
	filter.rcpt.text = "eve";
	CHECK_INT(picks_read(&p, folder, &filter, &queued_now, &e), 0);
	CHECK_INT(p.n, 0);
	picks_free(&p);
	filter = (struct pick_filter){ .ids = ids, .nids = 1 };
	CHECK_INT(picks_read(&p, folder, &filter, &queued_now, &e), 0);
	CHECK_INT(p.n, 0);
	picks_free(&p);
	folder_close(folder);
}

TEST(all_is_removed)
{
	spooled_remove();
}

int
main(void)
{
	return mkdtemp(dir) == NULL ? 1 : test_run_all();
}
