/*
 * resolve: names of queued entries: for one they take his place in memory, for
 * several the entry is written anew, with all that was noted of it.
 */
#include <sys/stat.h>
#include <limits.h>

#include "base/buf.h"
#include "queue/locals.h"
#include "queue/resolve.h"
#include "tests/unit/spooled.h"

static struct folder *folder;
static char aliases[PATH_MAX];

static void
write_aliases(const char *text)
{
	int fd = open(aliases, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK_INT(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void
begin(void)
{
	if (folder != NULL)
		return;
	CHECK(mkdtemp(dir) != NULL);
	folder = folder_at("queue");
	snprintf(aliases, sizeof aliases, "%s/aliases", dir);
}

/* Put a message to these, whose names are not known yet if a ~ stands before
 * them; the first is noted as delivered. */
static void
put_names(const char *rcpts, char id[ENTRY_ID_SIZE])
{
	struct envelope env;
	struct entry_new new = { .env = &env, .next_try = 1, .tries = 2 };
	struct message m;
	struct buf b;
	struct err e;
	size_t n;

	buf_init(&b, SIZE_MAX / 2);
	buf_adds(&b, TEXT);
	CHECK_INT(message_open(&m, queued_octets(&b), &e), 0);
	queued_envelope(&env, 1);
	env.envid = "id";
	for (; *rcpts != '\0'; rcpts += n + (rcpts[n] != '\0')) {
		struct address a;
		bool unresolved = *rcpts == '~';

		rcpts += unresolved;
		n = strcspn(rcpts, " ");
		CHECK_INT(address_parse(&a, rcpts, n, ADDRESS_BARE, &e), 0);
		CHECK_INT(envelope_add(&env, &a, rcpts, n), 0);
		env.rcpts[env.n - 1].unresolved = unresolved;
		env.rcpts[env.n - 1].notify = NOTIFY_FAILURE;
		env.rcpts[env.n - 1].orcpt = "rfc822;o@x.test";
	}
	CHECK_INT(spool_put(folder, &new, &m, &queued_now, id, &e), 0);
	envelope_free(&env);
	message_free(&m);
	buf_free(&b);
}

/* Each by state and address; ~ who is unresolved. */
static void
check(const struct entry *en, const char *want)
{
	static const char marks[] = "\0-q?!";
	struct buf b;
	size_t i;

	buf_init(&b, 100000);
	for (i = 0; i < en->env.n; i++) {
		const struct recipient *r = &en->env.rcpts[i];

		if (i > 0)
			buf_addc(&b, ' ');
		if (marks[r->outcome.state] != '\0')
			buf_addc(&b, marks[r->outcome.state]);
		if (r->unresolved)
			buf_addc(&b, '~');
		buf_adds(&b, r->addr.raw);
	}
	CHECK_STR(buf_str(&b), want);
	buf_free(&b);
}

static struct spool_item *
locked(const char *id)
{
	struct spool_item *it;

	CHECK_INT(get(folder, id, &it), SPOOL_LOCKED);
	return it;
}

static void
resolve(struct spool_item *it)
{
	const struct locals_config c = {
		.aliases = aliases, .mailboxes = true, .domains = "localhost"
	};
	struct err e;

	CHECK(resolve_is_due(spool_entry(it)));
	CHECK_INT(resolve_entry(&c, it, &queued_now, &e), 0);
}

static void
note_first(struct spool_item *it)
{
	const struct outcome o = queued_outcome(ERR_OK, "fine");
	const size_t first = 0;
	struct err e;

	CHECK_INT(spool_note_outcome(it, &first, 1, &o, 77, &e), 0);
}

/* The message is what it was. */
static void
check_message(struct spool_item *it)
{
	struct octets m = spool_octets(it);
	char text[100];
	struct err e;

	CHECK_INT(m.size, strlen(TEXT));
	CHECK_INT(m.read(m.ctx, 0, text, sizeof text, &e), strlen(TEXT));
	CHECK_MEM(text, strlen(TEXT), TEXT, strlen(TEXT));
}

TEST(nothing_is_due)
{
	char id[ENTRY_ID_SIZE];
	struct spool_item *it;

	begin();
	put_names("root", id);
	it = locked(id);
	CHECK(!resolve_is_due(spool_entry(it)));
	spool_unlock(it);
}

TEST(one_for_one_is_not_written)
{
	char id[ENTRY_ID_SIZE];
	struct spool_item *it;

	begin();
	put_names("~root bob ~x@y.test", id);
	write_aliases("root: a@x.test\nbob: no@x.test\n");
	it = locked(id);
	resolve(it);
	check(spool_entry(it), "u0@x.test a@x.test bob x@y.test");
	spool_unlock(it);
	write_aliases("root: b@x.test\n");
	it = locked(id);
	check(spool_entry(it), "u0@x.test ~root bob ~x@y.test");
	resolve(it);
	check(spool_entry(it), "u0@x.test b@x.test bob x@y.test");
	CHECK_INT(spool_entry(it)->env.rcpts[1].notify, NOTIFY_FAILURE);
	CHECK_STR(spool_entry(it)->env.rcpts[1].orcpt, "rfc822;o@x.test");
	spool_unlock(it);
}

TEST(a_list_is_written)
{
	char id[ENTRY_ID_SIZE];
	struct spool_item *it;
	struct entry *en;
	size_t last = 4;
	struct outcome o = queued_outcome(ERR_TEMP, "later");
	struct err e;

	begin();
	put_names("~root@localhost carol ~dora", id);
	write_aliases(
	    "root: a@x.test, carol, u0@x.test, eve, dora, b@x.test\n");
	it = locked(id);
	note_first(it);
	spool_unlock(it);
	it = locked(id);
	resolve(it);
	check(spool_entry(it), "-u0@x.test a@x.test carol dora eve b@x.test");
	CHECK_INT(spool_note_outcome(it, &last, 1, &o, 78, &e), 0);
	check_message(it);
	spool_unlock(it);
	it = locked(id);
	en = spool_entry(it);
	CHECK_INT(en->env.n, 6);
	check(en, "-u0@x.test a@x.test carol dora ?eve b@x.test");
	CHECK_INT(en->rcpts[0].when, 77);
	CHECK_INT(en->rcpts[4].when, 78);
	CHECK_INT(en->arrived, queued_now.wall);
	CHECK_INT(en->tries, 2);
	CHECK_INT(en->next_try, 1);
	CHECK_STR(en->env.envid, "id");
	CHECK_INT(en->uid, geteuid());
	CHECK_STR(en->env.rcpts[5].orcpt, "rfc822;o@x.test");
	CHECK_INT(en->env.rcpts[5].notify, NOTIFY_FAILURE);
	check_message(it);
	spool_unlock(it);
}

/* Who they stand for are others of the entry. */
TEST(those_who_are_there)
{
	char id[ENTRY_ID_SIZE];
	struct spool_item *it;

	begin();
	put_names("~a ~b ~c carol ~d", id);
	write_aliases("a: b, carol\nb: \\b\nc: u0@x.test\nd: c\n");
	it = locked(id);
	resolve(it);
	check(spool_entry(it), "u0@x.test -~a b -~c carol -~d");
	spool_unlock(it);
}

TEST(nobody_now)
{
	char id[ENTRY_ID_SIZE];
	struct spool_item *it;

	begin();
	put_names("~root ~null ~list", id);
	write_aliases("root: |cat\nnull: /dev/null\nlist: a@x.test, bad\n"
		      "bad: /x\n");
	it = locked(id);
	resolve(it);
	check(spool_entry(it), "u0@x.test !~root -null !~list");
	CHECK(strstr(spool_entry(it)->env.rcpts[1].outcome.err.text,
		  "aliases:1:") != NULL);
	spool_unlock(it);
	it = locked(id);
	check(spool_entry(it), "u0@x.test ~root ~null ~list");
	spool_unlock(it);
}

/* There is no other file, and the old one can still be noted upon. */
TEST(it_cannot_be_written)
{
	const struct locals_config c = { .aliases = aliases,
		.mailboxes = true };
	char id[ENTRY_ID_SIZE], name[ENTRY_ID_SIZE + 8];
	struct spool_item *it;
	struct err e;

	begin();
	put_names("~root", id);
	write_aliases("root: a@x.test, b@x.test\n");
	it = locked(id);
	snprintf(name, sizeof name, "%s.tmp", id);
	CHECK_INT(mkdirat(folder->fd, name, 0700), 0);
	CHECK_INT(resolve_entry(&c, it, &queued_now, &e), -1);
	CHECK_INT(e.verdict, ERR_TEMP);
	CHECK_INT(unlinkat(folder->fd, name, AT_REMOVEDIR), 0);
	note_first(it);
	spool_unlock(it);
	it = locked(id);
	check(spool_entry(it), "-u0@x.test ~root");
	spool_unlock(it);
}

TEST(all_is_removed)
{
	folder_close(folder);
	spooled_remove();
}

TEST_MAIN
