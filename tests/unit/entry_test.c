/*
 * entry, journal, frame: what is written is read again, each cut and each
 * changed octet is noticed, and what nobody of ours writes is malformed.
 */
#include "base/record.h"
#include "mail/view.h"
#include "queue/entry.h"
#include "queue/frame.h"
#include "queue/journal.h"
#include "tests/unit/queued.h"
#include "tests/unit/test.h"

#define ID "01hf3k9x2abcdef"
#define MESSAGE "Subject: hi\n\nhello\n"

static void
put_entry(struct buf *b, const struct entry_new *new)
{
	const struct message m = { .octets = { .size = strlen(MESSAGE) },
		.is_signed = true,
		.signed_takes = VIEW_UTF8 };
	struct err e;

	buf_init(b, SIZE_MAX / 2);
	CHECK_INT(entry_put_head(b, ID, new, &m, &queued_now, &e), 0);
	buf_adds(b, MESSAGE);
	journal_put_first(b, new, queued_now.wall);
}

static int
read_at(
    struct entry *en, struct buf *b, const struct entry_now *now, struct err *e)
{
	struct octets file = queued_octets(b);

	return entry_read_head(en, ID, &file, now, e) == -1
	    ? -1
	    : journal_read(en, &file, e);
}

static int
read_entry(struct entry *en, struct buf *b, struct err *e)
{
	return read_at(en, b, &queued_now, e);
}

/* It is there, whole or torn at its end. */
static void
check_whole(struct buf *b, bool torn)
{
	struct entry en;
	struct err e;

	CHECK_INT(read_entry(&en, b, &e), 0);
	CHECK_INT(en.torn, torn);
	entry_free(&en);
}

static void
check_malformed(struct buf *b, const char *what)
{
	struct entry en;
	struct err e;

	CHECK_INT(read_entry(&en, b, &e), -1);
	CHECK_INT(e.kind, ERR_DATA);
	CHECK_INT(e.verdict, ERR_PERM);
	if (what != NULL && strstr(e.text, what) == NULL)
		CHECK_STR(e.text, what);
	entry_free(&en);
}

/* An entry for n recipients, without a journal. */
static void
simple(struct buf *b, size_t n)
{
	struct envelope env;
	struct entry_new new = { .env = &env, .next_try = 7, .tries = 1 };

	queued_envelope(&env, n);
	put_entry(b, &new);
	envelope_free(&env);
}

TEST(ids_sort_by_time)
{
	char a[ENTRY_ID_SIZE], b[ENTRY_ID_SIZE];

	entry_id(a, 0, 0);
	CHECK_STR(a, "000000000000000");
	entry_id(a, 1767225600000, 0x3fffffff);
	CHECK_STR(a, "1kdvdna00zzzzzz");
	CHECK(entry_id_valid(a));
	CHECK_INT(entry_id_time(a), 1767225600000);
	entry_id(b, 1767225600001, 0);
	CHECK(strcmp(a, b) < 0);
	entry_id(b, 1767225600000, 0x3ffffffe);
	CHECK(strcmp(b, a) < 0);
	entry_id(b, -1, 5);
	CHECK(entry_id_valid(b));
	CHECK(!entry_id_valid(""));
	CHECK(!entry_id_valid("01hf3k9x2abcde"));
	CHECK(!entry_id_valid("01hf3k9x2abcdefg"));
	CHECK(!entry_id_valid("01hf3k9x2abcde/"));
	CHECK(!entry_id_valid("01hf3k9x2abcdeU"));
}

/* CRC-32 of "123456789" is cbf43926, as everybody's. */
TEST(frames)
{
	static const char want[] = "\x09\0\0\0\xf6\xff\xff\xff"
				   "\x26\x39\xf4\xcb"
				   "123456789";
	struct buf b;
	size_t mark;

	buf_init(&b, 100);
	mark = frame_begin(&b);
	buf_adds(&b, "123456789");
	frame_end(&b, mark);
	CHECK_MEM(b.data, b.len, want, sizeof want - 1);
	CHECK_INT(frame_len(b.data, 9), 9);
	CHECK_INT(frame_len(b.data, 8), -1);
	CHECK(frame_good(b.data, 9));
	b.data[12] ^= 1;
	CHECK(!frame_good(b.data, 9));
	b.data[1] = 1;
	CHECK_INT(frame_len(b.data, 1000), -1);
	buf_free(&b);
}

static void
check_rcpts(const struct recipient *r)
{
	CHECK_STR(r[1].addr.raw, "u1@x.test");
	CHECK_STR(r[1].addr.utf8, "x.test");
	CHECK_STR(r[1].given, "u1@x.test");
	CHECK_INT(r[1].notify, 0);
	CHECK(r[1].orcpt == NULL);
	CHECK_INT(r[1].outcome.state, OUTCOME_PENDING);
	CHECK_STR(r[2].addr.raw, "postmaster");
	CHECK_INT(r[2].notify, NOTIFY_NEVER);
	CHECK_STR(r[3].addr.raw, "\"a b\"@[IPv6:2001:db8::1]");
	CHECK_STR(r[3].addr.ascii, "2001:db8::1");
	CHECK_INT(r[3].addr.kind, DOMAIN_IPV6);
	CHECK_STR(r[3].orcpt, "rfc822;old@x.test");
	CHECK_INT(r[3].notify, 14);
}

TEST(what_is_written_is_read)
{
	const uid_t uid = 1234;
	struct envelope env;
	struct entry_new new = { .env = &env,
		.account = "work",
		.next_try = 42,
		.tries = 3,
		.uid = &uid };
	struct entry en;
	struct recipient *r;
	struct buf b;
	struct err e;

	queued_envelope(&env, 2);
	queued_address(&env.submitter, "");
	env.dsn_return = RETURN_HDRS;
	env.envid = "id 1+";
	env.has_priority = true;
	env.priority = -9;
	r = queued_rcpt(&env, "postmaster");
	r->notify = NOTIFY_NEVER;
	r = queued_rcpt(&env, "\"a b\"@[IPv6:2001:db8::1]");
	r->notify = NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY;
	r->orcpt = "rfc822;old@x.test";
	put_entry(&b, &new);
	CHECK_INT(read_entry(&en, &b, &e), 0);
	CHECK_STR(en.id, ID);
	CHECK_STR(en.account, "work");
	CHECK_INT(en.uid, uid);
	CHECK_INT(en.arrived, queued_now.wall);
	CHECK_INT(en.next_try, 42);
	CHECK_INT(en.tries, 3);
	CHECK(!en.hold);
	CHECK(!en.torn);
	CHECK_INT(en.end, b.len);
	CHECK_MEM(
	    b.data + en.message_off, en.message_size, MESSAGE, strlen(MESSAGE));
	CHECK(en.is_signed);
	CHECK_INT(en.signed_takes, VIEW_UTF8);
	CHECK_STR(en.env.sender.raw, "a@x.test");
	CHECK_STR(en.env.submitter.raw, "");
	CHECK_INT(en.env.dsn_return, RETURN_HDRS);
	CHECK_STR(en.env.envid, "id 1+");
	CHECK(en.env.has_priority);
	CHECK_INT(en.env.priority, -9);
	CHECK(!en.env.by.wanted);
	CHECK_INT(en.env.hold_until, 0);
	CHECK_INT(en.env.n, 4);
	CHECK_INT(entry_open(&en), 4);
	check_rcpts(en.env.rcpts);
	entry_free(&en);
	buf_free(&b);
	envelope_free(&env);
}

/* Names of this machine, and those of whom it is not known yet. */
TEST(names_without_a_domain)
{
	struct envelope env;
	struct entry_new new = { .env = &env };
	struct entry en;
	struct address a;
	struct buf b;
	struct err e;

	queued_envelope(&env, 1);
	CHECK_INT(address_parse(&a, "bob", 3, ADDRESS_BARE, &e), 0);
	CHECK_INT(envelope_add(&env, &a, "bob", 3), 0);
	queued_rcpt(&env, "root@localhost")->unresolved = true;
	put_entry(&b, &new);
	CHECK_INT(read_entry(&en, &b, &e), 0);
	CHECK_STR(en.env.rcpts[1].addr.raw, "bob");
	CHECK_INT(en.env.rcpts[1].addr.kind, DOMAIN_NONE);
	CHECK(!en.env.rcpts[1].unresolved);
	CHECK_STR(en.env.rcpts[2].addr.raw, "root@localhost");
	CHECK(en.env.rcpts[2].unresolved);
	entry_free(&en);
	buf_free(&b);
	envelope_free(&env);
}

/* Nobody of ours writes a name that might be taken for a file. */
TEST(a_name_that_is_none)
{
	struct envelope env;
	struct entry_new new = { .env = &env };
	struct address a;
	struct buf b;
	struct err e;

	queued_envelope(&env, 1);
	CHECK_INT(address_parse(&a, "xetc", 4, ADDRESS_BARE, &e), 0);
	a.raw[0] = '/';
	CHECK_INT(envelope_add(&env, &a, "/etc", 4), 0);
	put_entry(&b, &new);
	check_malformed(&b, "no recipient");
	buf_free(&b);
	envelope_free(&env);
}

TEST(null_sender_and_other_scripts)
{
	struct envelope env;
	struct entry_new new = { .env = &env };
	struct entry en;
	struct buf b;
	struct err e;

	envelope_init(&env);
	queued_address(&env.sender, "");
	queued_rcpt(&env,
	    "bob@b\xc3\xbc"
	    "cher.test");
	queued_rcpt(&env,
	    "j\xc3\xb6rg@b\xc3\xbc"
	    "cher.test");
	put_entry(&b, &new);
	CHECK_INT(read_entry(&en, &b, &e), 0);
	CHECK_STR(en.account, "");
	CHECK_STR(en.env.sender.raw, "");
	CHECK(en.env.submitter.raw == NULL);
	CHECK_STR(en.env.rcpts[0].addr.raw, "bob@xn--bcher-kva.test");
	CHECK_STR(en.env.rcpts[0].addr.utf8,
	    "b\xc3\xbc"
	    "cher.test");
	CHECK(!en.env.rcpts[0].addr.needs_utf8);
	CHECK_STR(en.env.rcpts[1].addr.raw,
	    "j\xc3\xb6rg@b\xc3\xbc"
	    "cher.test");
	CHECK_STR(en.env.rcpts[1].addr.ascii, "xn--bcher-kva.test");
	CHECK(en.env.rcpts[1].addr.needs_utf8);
	entry_free(&en);
	buf_free(&b);
	envelope_free(&env);
}

/* An hour and five minutes later, after the machine was started anew. */
TEST(times_pass)
{
	const struct entry_now later = { queued_now.wall + 3900000, 100 };
	struct envelope env;
	struct entry_new new = { .env = &env };
	struct entry en;
	struct buf b;
	struct err e;

	queued_envelope(&env, 1);
	env.by = (struct deliver_by){ .wanted = true,
		.trace = true,
		.seconds = 3600,
		.since = queued_now.steady - 60000 };
	env.hold_for = 7200;
	put_entry(&b, &new);
	CHECK_INT(read_at(&en, &b, &later, &e), 0);
	CHECK(en.env.by.wanted);
	CHECK(en.env.by.trace);
	CHECK(!en.env.by.returned);
	CHECK_INT(en.env.by.seconds, 3600 - 60 - 3900);
	CHECK_INT(en.env.by.since, 100);
	CHECK_INT(en.env.hold_for, 0);
	CHECK_INT(en.env.hold_until, queued_now.wall / 1000 + 7200);
	entry_free(&en);
	buf_free(&b);

	env.hold_for = 0;
	env.hold_until = later.wall / 1000;
	put_entry(&b, &new);
	CHECK_INT(read_at(&en, &b, &later, &e), 0);
	CHECK_INT(en.env.hold_until, 0);
	entry_free(&en);
	buf_free(&b);
	envelope_free(&env);
}

/* Those who are decided are none of the queue's, and who is deferred keeps
 * what was said. */
TEST(who_is_kept)
{
	struct envelope env;
	struct entry_new new = { .env = &env };
	struct outcome o = queued_outcome(ERR_TEMP, "not now");
	struct entry en;
	struct buf b;
	struct err e;

	queued_envelope(&env, 4);
	env.rcpts[0].outcome.state = OUTCOME_DELIVERED;
	env.rcpts[1].outcome.state = OUTCOME_FAILED;
	o.in_doubt = true;
	outcome_decide(&o, &o.err);
	env.rcpts[3].outcome = o;
	put_entry(&b, &new);
	CHECK_INT(read_entry(&en, &b, &e), 0);
	CHECK_INT(en.env.n, 2);
	CHECK_STR(en.env.rcpts[0].addr.raw, "u2@x.test");
	CHECK_INT(en.env.rcpts[0].outcome.state, OUTCOME_PENDING);
	CHECK(!en.rcpts[0].doubt);
	CHECK_STR(en.env.rcpts[1].addr.raw, "u3@x.test");
	CHECK_INT(en.env.rcpts[1].outcome.state, OUTCOME_DEFERRED);
	CHECK_STR(en.env.rcpts[1].outcome.err.text, "not now");
	CHECK(en.env.rcpts[1].outcome.in_doubt);
	CHECK(en.rcpts[1].doubt);
	entry_free(&en);
	buf_free(&b);
	envelope_free(&env);
}

/* As many as a head has room for are queued, and one more is refused. */
TEST(too_many_recipients)
{
	char text[ADDRESS_PATH_MAX + 1];
	const size_t n = 45000;
	struct envelope env = { .n = n };
	struct entry_new new = { .env = &env };
	size_t fit = 0, over = n, i;
	struct err e;
	struct buf b;

	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	env.rcpts = calloc(n, sizeof *env.rcpts);
	for (i = 0; i < n; i++) {
		env.rcpts[i].addr.raw = env.rcpts[i].given = text;
		env.rcpts[i].orcpt = text;
	}
	CHECK_INT(entry_check_size(&env, &e), -1);
	CHECK_INT(e.verdict, ERR_PERM);
	CHECK_INT(err_exit(&e), 64);
	while (over - fit > 1) {
		env.n = (fit + over) / 2;
		*(entry_check_size(&env, &e) == 0 ? &fit : &over) = env.n;
	}
	env.n = fit;
	put_entry(&b, &new);
	CHECK(b.len + RECORD_MAX > ENTRY_HEAD_MAX);
	buf_free(&b);
	free(env.rcpts);
}

TEST(journal)
{
	static const size_t both[] = { 0, 1 }, second[] = { 1 };
	struct outcome o = queued_outcome(ERR_TEMP, "not\x07 now");
	struct outcome ok = queued_outcome(ERR_OK, "taken");
	struct entry en;
	struct buf b;
	struct err e;

	simple(&b, 3);
	o.left_out = 5;
	journal_put_outcome(&b, both, 2, &o, 1000);
	journal_put_try(&b, 2000, 9);
	journal_put_hold(&b, true);
	journal_put_outcome(&b, second, 1, &ok, 3000);
	/* Once is enough. */
	journal_put_outcome(&b, both, 2, &o, 4000);
	CHECK_INT(read_entry(&en, &b, &e), 0);
	CHECK_INT(en.next_try, 2000);
	CHECK_INT(en.tries, 9);
	CHECK(en.hold);
	CHECK_INT(entry_open(&en), 2);
	CHECK_INT(en.env.rcpts[0].outcome.state, OUTCOME_DEFERRED);
	CHECK_STR(en.env.rcpts[0].outcome.err.text, "not\\x07 now");
	CHECK_STR(en.env.rcpts[0].outcome.err.command, "RCPT");
	CHECK_INT(en.env.rcpts[0].outcome.err.code, 450);
	CHECK_INT(en.env.rcpts[0].outcome.err.enhanced.subject, 2);
	CHECK_INT(en.env.rcpts[0].outcome.err.stage, STAGE_RCPT);
	CHECK_INT(en.env.rcpts[0].outcome.err.kind, ERR_REPLY);
	CHECK_INT(en.env.rcpts[0].outcome.err.scope, SCOPE_RECIPIENT);
	CHECK_STR(en.env.rcpts[0].outcome.host, "mx.x.test");
	CHECK_STR(en.env.rcpts[0].outcome.ip, "203.0.113.1");
	CHECK_INT(en.env.rcpts[0].outcome.port, 25);
	CHECK_INT(en.env.rcpts[0].outcome.left_out, 5);
	CHECK_INT(en.rcpts[0].when, 4000);
	CHECK_INT(en.env.rcpts[1].outcome.state, OUTCOME_DELIVERED);
	CHECK_INT(en.rcpts[1].when, 3000);
	CHECK_INT(en.env.rcpts[2].outcome.state, OUTCOME_PENDING);
	entry_free(&en);
	journal_put_hold(&b, false);
	CHECK_INT(read_entry(&en, &b, &e), 0);
	CHECK(!en.hold);
	entry_free(&en);
	buf_free(&b);
}

/* Nobody knows of who was sent the last octets and got no outcome; and what
 * was once in doubt stays so. */
TEST(doubt)
{
	static const size_t all[] = { 0, 1, 2 }, second[] = { 1 };
	struct outcome o = queued_outcome(ERR_TEMP, "refused");
	struct entry en;
	struct buf b;
	struct err e;

	simple(&b, 3);
	journal_put_final(&b, all, 3);
	journal_put_outcome(&b, all, 2, &o, 1);
	CHECK_INT(read_entry(&en, &b, &e), 0);
	CHECK(!en.rcpts[0].doubt);
	CHECK(!en.rcpts[1].doubt);
	CHECK(en.rcpts[2].doubt);
	entry_free(&en);
	o.in_doubt = true;
	journal_put_outcome(&b, second, 1, &o, 1);
	o.in_doubt = false;
	journal_put_outcome(&b, all, 3, &o, 1);
	CHECK_INT(read_entry(&en, &b, &e), 0);
	CHECK(!en.rcpts[0].doubt);
	CHECK(en.rcpts[1].doubt);
	CHECK(!en.env.rcpts[1].outcome.in_doubt);
	entry_free(&en);
	buf_free(&b);
}

/* More of a journal than is held in memory at a time. */
TEST(long_journal)
{
	size_t i, all[JOURNAL_RCPTS_MAX];
	struct outcome o = queued_outcome(ERR_TEMP, "no");
	struct entry en;
	struct buf b;
	struct err e;

	simple(&b, JOURNAL_RCPTS_MAX);
	for (i = 0; i < JOURNAL_RCPTS_MAX; i++)
		all[i] = i;
	for (i = 0; i < 20; i++) {
		journal_put_outcome(&b, all, JOURNAL_RCPTS_MAX, &o, 5);
		journal_put_try(&b, 1, (unsigned)i);
	}
	CHECK(buf_ok(&b));
	CHECK_INT(read_entry(&en, &b, &e), 0);
	CHECK_INT(en.tries, 19);
	CHECK_INT(en.rcpts[JOURNAL_RCPTS_MAX - 1].when, 5);
	entry_free(&en);
	journal_put_final(&b, all, JOURNAL_RCPTS_MAX);
	buf_cut(&b, b.len - 1);
	check_whole(&b, true);
	buf_free(&b);
	buf_init(&b, JOURNAL_FRAME_MAX);
	journal_put_outcome(&b, all, JOURNAL_RCPTS_MAX, &o, 5);
	CHECK(buf_ok(&b));
	buf_free(&b);
}

/* Wherever the last record was torn off, all before is there. */
TEST(torn_at_each_octet)
{
	static const size_t first[] = { 0 };
	struct outcome o = queued_outcome(ERR_OK, "taken");
	struct buf b;
	struct entry en;
	struct err e;
	size_t end, whole;

	simple(&b, 2);
	journal_put_outcome(&b, first, 1, &o, 1);
	end = b.len;
	journal_put_try(&b, 99, 99);
	for (whole = b.len - 1; whole >= end; whole--) {
		buf_cut(&b, whole);
		CHECK_INT(read_entry(&en, &b, &e), 0);
		CHECK_INT(en.end, end);
		CHECK_INT(en.torn, whole > end);
		CHECK_INT(en.tries, 1);
		CHECK_INT(entry_open(&en), 1);
		entry_free(&en);
	}
	buf_free(&b);
}

/* The file has its length, but octets at its end have not arrived. */
TEST(torn_with_nuls)
{
	struct buf b;
	size_t end, i, size;

	simple(&b, 1);
	end = b.len;
	journal_put_try(&b, 99, 99);
	size = b.len;
	/* The last seven are zeros anyhow. */
	for (i = size - 1; i >= end; i--) {
		b.data[i] = '\0';
		check_whole(&b, i < size - 7);
	}
	/* Not more of them than one record has. */
	for (i = 0; i < JOURNAL_FRAME_MAX; i++)
		buf_addc(&b, '\0');
	check_malformed(&b, "no record");
	buf_free(&b);
}

/* A changed octet makes all of it malformed; only in the last record it can
 * pass for a torn one. */
TEST(each_changed_octet)
{
	static const size_t first[] = { 0 };
	struct outcome o = queued_outcome(ERR_OK, "taken");
	struct entry en;
	struct buf b;
	struct err e;
	size_t head, journal, last, i;

	simple(&b, 1);
	journal = b.len;
	head = journal - strlen(MESSAGE);
	journal_put_outcome(&b, first, 1, &o, 1);
	last = b.len;
	journal_put_try(&b, 99, 99);
	for (i = 0; i < b.len; i++) {
		if (i >= head && i < journal)
			continue;
		b.data[i] ^= 0x10;
		if (i < last) {
			check_malformed(&b, NULL);
		} else {
			if (read_entry(&en, &b, &e) == 0) {
				CHECK_INT(en.tries, 1);
				CHECK(en.torn);
				CHECK_INT(entry_open(&en), 0);
			}
			entry_free(&en);
		}
		b.data[i] ^= 0x10;
	}
	check_whole(&b, false);
	buf_free(&b);
}

/* Renamed to that of another is as bad as all else. */
TEST(cut_anywhere_before_the_journal)
{
	struct octets file;
	struct entry en;
	struct buf b;
	struct err e;

	simple(&b, 2);
	file = queued_octets(&b);
	CHECK_INT(
	    entry_read_head(&en, "000000000000000", &file, &queued_now, &e),
	    -1);
	CHECK_INT(e.kind, ERR_DATA);
	entry_free(&en);
	while (b.len > 0) {
		buf_cut(&b, b.len - 1);
		check_malformed(&b, NULL);
	}
	buf_free(&b);
}

/* ---- heads that nobody of ours writes, whose checksums are right ---- */

static size_t
begin_head(struct buf *b)
{
	size_t mark;

	buf_init(b, SIZE_MAX / 2);
	buf_adds(b, "smtpsend queue entry 1\n");
	mark = frame_begin(b);
	return mark;
}

static void
put_envelope(struct buf *b, const char *sender, uint64_t count)
{
	size_t mark = record_begin(b, REC_ENVELOPE);

	frame_put_text(b, TAG_ID, ID);
	frame_put_text(b, TAG_ACCOUNT, "");
	frame_put_text(b, TAG_SENDER, sender);
	record_number(b, TAG_COUNT, count);
	record_end(b, mark);
}

static void
put_rcpt(struct buf *b, const char *address, const char *domain)
{
	size_t mark = record_begin(b, REC_RCPT);

	frame_put_text(b, TAG_ADDRESS, address);
	frame_put_text(b, TAG_DOMAIN, domain);
	frame_put_text(b, TAG_GIVEN, "given");
	record_end(b, mark);
}

static void
check_head(const char *sender, const char *rcpt, const char *domain,
    uint64_t count, const char *what)
{
	struct buf b;
	size_t mark = begin_head(&b);

	put_envelope(&b, sender, count);
	put_rcpt(&b, rcpt, domain);
	frame_end(&b, mark);
	if (what == NULL)
		check_whole(&b, false);
	else
		check_malformed(&b, what);
	buf_free(&b);
}

TEST(heads)
{
	check_head("a@x.test", "b@x.test", "x.test", 1, NULL);
	check_head("a@x.test\r\nRCPT TO:<c@x.test>", "b@x.test", "x.test", 1,
	    "envelope");
	check_head("<a@x.test>", "b@x.test", "x.test", 1, "envelope");
	check_head(NULL, "b@x.test", "x.test", 1, "envelope");
	check_head("a@x.test", "b@x.test\nc", "x.test", 1, "recipient");
	check_head("a@x.test", "", NULL, 1, "recipient");
	check_head("a@x.test", NULL, "x.test", 1, "recipient");
	check_head("a@x.test", "b (c) @x.test", "x.test", 1, "recipient");
	check_head("a@x.test", "b@x.test", "x\x1b.test", 1, "recipient");
	check_head("a@x.test", "b@x.test", NULL, 1, "recipient");
	check_head("a@x.test", "postmaster", "x.test", 1, "recipient");
	check_head("a@x.test", "b@x.test", "x.test", 2, "recipients");
	check_head("a@x.test", "b@x.test", "x.test", 0, "recipients");
}

static void
check_number(unsigned tag, uint64_t v, bool good)
{
	struct buf b;
	size_t frame = begin_head(&b), mark = record_begin(&b, REC_ENVELOPE);

	frame_put_text(&b, TAG_ID, ID);
	frame_put_text(&b, TAG_ACCOUNT, "");
	frame_put_text(&b, TAG_SENDER, "");
	record_number(&b, TAG_COUNT, 1);
	record_number(&b, tag, v);
	record_end(&b, mark);
	put_rcpt(&b, "b@x.test", "x.test");
	frame_end(&b, frame);
	if (good)
		check_whole(&b, false);
	else
		check_malformed(&b, tag == TAG_MESSAGE ? "cut off" : "no env");
	buf_free(&b);
}

TEST(numbers)
{
	check_number(TAG_ARRIVED, (uint64_t)1 << 50, true);
	check_number(TAG_ARRIVED, ((uint64_t)1 << 50) + 1, false);
	check_number(TAG_NEXT_TRY, UINT64_MAX, false);
	check_number(TAG_TRIES, INT32_MAX, true);
	check_number(TAG_TRIES, (uint64_t)INT32_MAX + 1, false);
	check_number(TAG_MESSAGE, 0, true);
	check_number(TAG_MESSAGE, 1, false);
	check_number(TAG_MESSAGE, UINT64_MAX, false);
	check_number(TAG_SIGNED, 7, true);
	check_number(TAG_SIGNED, 8, false);
	check_number(TAG_RETURN, RETURN_HDRS, true);
	check_number(TAG_RETURN, RETURN_HDRS + 1, false);
	check_number(TAG_BY, 1, true);
	check_number(TAG_BY, UINT64_MAX, false);
	check_number(TAG_BY_MODE, 3, true);
	check_number(TAG_BY_MODE, 4, false);
	check_number(TAG_HOLD_UNTIL, UINT64_MAX, false);
	check_number(TAG_PRIORITY, 18, true);
	check_number(TAG_PRIORITY, 19, false);
	check_number(TAG_HOLD, 0, false);
	check_number(TAG_UID, 0, true);
	check_number(TAG_UID, (uint64_t)ENTRY_NO_UID - 1, true);
	check_number(TAG_UID, ENTRY_NO_UID, false);
	check_number(999, 0, false);
}

TEST(a_recipient_twice)
{
	struct buf b;
	size_t mark = begin_head(&b);

	put_envelope(&b, "", 2);
	put_rcpt(&b, "b@x.test", "x.test");
	put_rcpt(&b, "b@X.test", "X.test");
	frame_end(&b, mark);
	check_malformed(&b, "recipient");
	buf_free(&b);
}

/* ---- journals of that kind ---- */

struct odd {
	enum queue_record type;
	const char *rcpts; /* octets */
	size_t nrcpts;
	unsigned tag; /* of one number more, if it is not 0 */
	uint64_t number;
	bool good;
};

TEST(odd_journals)
{
	static const struct odd rows[] = {
		{ REC_FINAL, "\1\0\0\0", 4, 0, 0, true },
		{ REC_FINAL, "\2\0\0\0", 4, 0, 0, false },
		{ REC_FINAL, "\0\0\0\1", 4, 0, 0, false },
		{ REC_FINAL, "\0\0\0\0\0", 5, 0, 0, false },
		{ REC_FINAL, "", 0, 0, 0, false },
		{ REC_FINAL, NULL, 0, 0, 0, false },
		{ REC_OUTCOME, "\0\0\0\0", 4, OUTCOME_TAG_VERDICT, ERR_PERM,
		    true },
		{ REC_OUTCOME, "\0\0\0\0", 4, OUTCOME_TAG_VERDICT, 3, false },
		{ REC_OUTCOME, "\0\0\0\0", 4, OUTCOME_TAG_KIND, ERR_KINDS,
		    false },
		{ REC_OUTCOME, "\0\0\0\0", 4, OUTCOME_TAG_STAGE, STAGES,
		    false },
		{ REC_OUTCOME, "\0\0\0\0", 4, OUTCOME_TAG_SCOPE, SCOPES,
		    false },
		{ REC_OUTCOME, "\0\0\0\0", 4, OUTCOME_TAG_CODE, 600, false },
		{ REC_OUTCOME, "\0\0\0\0", 4, OUTCOME_TAG_PORT, 65536, false },
		{ REC_OUTCOME, "\0\0\0\0", 4, OUTCOME_TAG_DOUBT, 2, false },
		{ REC_OUTCOME, "\0\0\0\0", 4, OUTCOME_TAG_TEXT, 0, false },
		{ REC_OUTCOME, "\0\0\0\0", 4, 99, 0, false },
		{ REC_REPORT, "\1\0\0\0", 4, TAG_REPORT, DSN_RELAYED, true },
		{ REC_REPORT, "\1\0\0\0", 4, TAG_REPORT, DSN_KINDS, false },
		{ REC_REPORT, "\2\0\0\0", 4, TAG_REPORT, 0, false },
		{ REC_REPORT, NULL, 0, TAG_REPORT, 0, false },
		{ REC_TRY, NULL, 0, TAG_TRIES, 1, true },
		{ REC_TRY, NULL, 0, TAG_NEXT_TRY, UINT64_MAX, false },
		{ REC_HOLD, NULL, 0, TAG_HOLD, 1, true },
		{ REC_HOLD, NULL, 0, TAG_HOLD, 2, false },
		{ REC_RCPT, NULL, 0, 0, 0, false },
		{ (enum queue_record)77, NULL, 0, 0, 0, false },
	};
	const struct odd *row;
	struct buf b;
	size_t frame, mark;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		row = &rows[i];
		simple(&b, 2);
		frame = frame_begin(&b);
		mark = record_begin(&b, row->type);
		if (row->rcpts != NULL)
			record_octets(&b, TAG_RCPTS, row->rcpts, row->nrcpts);
		if (row->tag != 0)
			record_number(&b, row->tag, row->number);
		record_end(&b, mark);
		frame_end(&b, frame);
		/* Not the last, or it could be torn. */
		journal_put_hold(&b, false);
		if (row->good)
			check_whole(&b, false);
		else
			check_malformed(&b, "no record of a try");
		buf_free(&b);
	}
}

TEST_MAIN
