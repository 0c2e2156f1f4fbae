/*
 * locals: names to aliases, maildomain, mailboxes or a refusal; what is asked
 * for the original goes along; loops, doubles, mistakes and what is not known
 * now.
 */
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "queue/locals.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char file[] = "root: alice@x.test, Bob\n"
			   "list: bob, carol, nosuch, c@x.test\n"
			   "null: /dev/null\n"
			   "half: /dev/null, h@x.test\n"
			   "here: bob@localhost\n"
			   "bob: \\bob, b@x.test\n"
			   "away: bob@HOST.test, dave@y.test\n"
			   "a: b@localhost\n"
			   "b: a\n"
			   "prog: \"|cat\"\n"
			   "sneak: \"|cat\"@localhost\n"
			   "Big.Name: big@x.test\n";

/* Who has a mailbox here; `slow` nobody knows now. */
static int
user(void *ctx, const char *name, size_t n, char real[LOCALS_NAME_MAX],
    struct err *e)
{
	static const char *const names[] = { "bob", "carol", "root" };
	size_t i;

	CHECK(ctx == file);
	CHECK_INT(strlen(name), n);
	if (strcmp(name, "slow") == 0)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no users now");
	for (i = 0; i < COUNT(names); i++)
		if (strcasecmp(names[i], name) == 0) {
			snprintf(real, LOCALS_NAME_MAX, "%s", names[i]);
			return 1;
		}
	return 0;
}

struct world {
	char path[256];
	struct locals_config c;
	struct buf got;
};

static void
world_begin(struct world *w, const char *text)
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	snprintf(w->path, sizeof w->path, "%s/locals.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	fd = mkstemp(w->path);
	CHECK(fd != -1);
	CHECK_INT(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	w->c = (struct locals_config){ .aliases = w->path,
		.domains = "localhost, host.test",
		.mailboxes = true,
		.user = user,
		.ctx = (void *)(uintptr_t)file };
	buf_init(&w->got, 1024 * 1024);
}

static void
world_end(struct world *w)
{
	unlink(w->path);
	buf_free(&w->got);
}

/* Recipients between blanks into an envelope. */
static void
envelope(struct envelope *env, const char *rcpts)
{
	size_t n;

	envelope_init(env);
	for (; *rcpts != '\0'; rcpts += n + (rcpts[n] != '\0')) {
		struct address a;
		struct err e;

		n = strcspn(rcpts, " ");
		CHECK_INT(address_parse(&a, rcpts, n, ADDRESS_BARE, &e), 0);
		CHECK(envelope_add(env, &a, rcpts, n) != -1);
	}
}

/* What each is: delivered -, failed !, deferred ?, and unresolved ~. */
static const char *
show(struct world *w, const struct envelope *env)
{
	static const char marks[] = "\0-q?!";
	size_t i;

	buf_reset(&w->got);
	for (i = 0; i < env->n; i++) {
		const struct recipient *r = &env->rcpts[i];

		if (i > 0)
			buf_addc(&w->got, ' ');
		if (marks[r->outcome.state] != '\0')
			buf_addc(&w->got, marks[r->outcome.state]);
		if (r->unresolved)
			buf_addc(&w->got, '~');
		buf_adds(&w->got, r->addr.raw);
		CHECK(r->given != NULL);
	}
	return buf_str(&w->got);
}

static void
becomes(struct world *w, const char *rcpts, const char *what)
{
	struct envelope env;
	struct err e;

	envelope(&env, rcpts);
	CHECK_INT(locals_resolve(&w->c, &env, &e), 0);
	CHECK_STR(show(w, &env), what);
	envelope_free(&env);
}

TEST(domains_of_a_list)
{
	static const char list[] = "localhost, Host.test,b\xc3\xbc"
				   "cher.test,,[192.0.2.1]";
	static const struct {
		const char *s;
		bool in;
	} rows[] = {
		{ "a@localhost", true },
		{ "a@LOCALHOST", true },
		{ "a@host.test.", true },
		{ "a@sub.host.test", false },
		{ "a@host.tes", false },
		{ "a@test", false },
		{ "a@b\xc3\xbc"
		  "cher.test",
		    true },
		{ "a", false },
	};
	struct address a;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CHECK_INT(address_parse(&a, rows[i].s, strlen(rows[i].s),
			      ADDRESS_BARE, &e),
		    0);
		CHECK_INT(address_is_in(&a, list), rows[i].in);
		CHECK(!address_is_in(&a, ""));
		CHECK(!address_is_in(&a, " , "));
		address_free(&a);
	}
}

TEST(a_domain_is_taken_away)
{
	struct address a;
	struct err e;

	CHECK_INT(address_parse(&a, "\"a b\"@x.test", 12, ADDRESS_BARE, &e), 0);
	CHECK_INT(address_make_bare(&a, &e), 0);
	CHECK_STR(a.raw, "\"a b\"");
	CHECK_INT(a.kind, DOMAIN_NONE);
	CHECK(a.ascii == NULL && a.utf8 == NULL);
	address_free(&a);
	CHECK_INT(address_parse(&a, "/etc/x@x.test", 13, 0, &e), 0);
	CHECK_INT(address_make_bare(&a, &e), -1);
	CHECK_STR(a.raw, "/etc/x@x.test");
	CHECK_INT(err_exit(&e), 67);
	address_free(&a);
}

TEST(names_become_aliases_mailboxes_or_nobody)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "x@y.test", "x@y.test" },
		{ "carol", "carol" },
		{ "CAROL", "carol" },
		{ "carol@localhost", "carol" },
		{ "carol@Host.Test", "carol" },
		{ "\"Ca\\rol\"@host.test \"q\"", "carol !\"q\"" },
		{ "carol carol@localhost CAROL", "carol" },
		{ "root", "alice@x.test bob b@x.test" },
		{ "ROOT@localhost b@x.test", "alice@x.test bob b@x.test" },
		{ "bob", "bob b@x.test" },
		{ "here", "bob b@x.test" },
		{ "away", "dave@y.test bob b@x.test" },
		{ "list", "carol !nosuch c@x.test bob b@x.test" },
		{ "nobody", "!nobody" },
		{ "null", "-null" },
		{ "half", "h@x.test" },
		{ "x@y.test null nobody x@y.test", "x@y.test -null !nobody" },
		{ "big.name", "big@x.test" },
		{ "postmaster", "alice@x.test bob b@x.test" },
		{ "Postmaster@localhost", "alice@x.test bob b@x.test" },
		{ "postmaster@y.test", "postmaster@y.test" },
		{ "slow", "?~slow" },
		{ "a", "!~a" },
		{ "prog carol", "!~prog carol" },
		{ "sneak", "!~sneak" },
	};
	struct world w;
	size_t i;

	world_begin(&w, file);
	for (i = 0; i < COUNT(rows); i++)
		becomes(&w, rows[i].in, rows[i].out);
	world_end(&w);
}

TEST(off_is_off)
{
	struct world w;

	world_begin(&w, file);
	w.c = (struct locals_config){ .domains = "localhost" };
	CHECK(!locals_are_on(&w.c));
	becomes(&w, "root bob@localhost postmaster x@y.test",
	    "root bob@localhost postmaster x@y.test");
	world_end(&w);
}

TEST(without_mailboxes)
{
	struct world w;

	world_begin(&w, file);
	w.c.mailboxes = false;
	CHECK(locals_are_on(&w.c));
	becomes(&w, "root", "alice@x.test !bob b@x.test");
	becomes(&w, "postmaster", "postmaster");
	becomes(&w, "carol x@y.test", "!carol x@y.test");
	world_end(&w);
}

TEST(who_delivers_knows)
{
	struct world w;

	world_begin(&w, file);
	w.c.user = NULL;
	becomes(&w, "Nobody@localhost carol", "Nobody carol");
	world_end(&w);
}

TEST(maildomain)
{
	struct world w;

	world_begin(&w, file);
	w.c.maildomain = "corp.test";
	becomes(&w, "carol Carol@localhost root",
	    "carol@corp.test Carol@corp.test alice@x.test bob@corp.test "
	    "b@x.test");
	w.c.maildomain = "no domain";
	becomes(&w, "carol", "!~carol");
	world_end(&w);
}

TEST(a_catch_all)
{
	struct world w;

	world_begin(&w, "*: all@x.test\nroot: bob\n");
	becomes(&w, "root carol nobody x@y.test postmaster",
	    "bob all@x.test x@y.test");
	world_end(&w);
}

TEST(no_file)
{
	struct world w;
	struct envelope env;
	struct err e;

	world_begin(&w, file);
	unlink(w.path);
	becomes(&w, "root nobody", "root !nobody");
	w.c.must_exist = true;
	envelope(&env, "root x@y.test");
	CHECK_INT(locals_resolve(&w.c, &env, &e), 0);
	CHECK_STR(show(&w, &env), "!~root x@y.test");
	CHECK_INT(env.rcpts[0].outcome.err.kind, ERR_CONFIG);
	CHECK(strstr(env.rcpts[0].outcome.err.text, w.path) != NULL);
	CHECK_INT(envelope_exit(&env), 78);
	envelope_free(&env);
	world_end(&w);
}

/* A link is not followed to another's file; one that others write is none. */
TEST(a_file_that_is_not_believed)
{
	struct world w;

	world_begin(&w, file);
	CHECK_INT(chmod(w.path, 0666), 0);
	becomes(&w, "root bob x@y.test", "!~root !~bob x@y.test");
	world_end(&w);
}

TEST(reasons)
{
	struct world w;
	struct envelope env;
	struct err e;
	char text[ERR_TEXT_MAX];

	world_begin(&w, file);
	envelope(&env, "prog list slow");
	CHECK_INT(locals_resolve(&w.c, &env, &e), 0);
	CHECK_STR(show(&w, &env),
	    "!~prog carol !nosuch c@x.test bob b@x.test ?~slow");
	snprintf(text, sizeof text, "%s:10: ", w.path);
	CHECK(strncmp(env.rcpts[0].outcome.err.text, text, strlen(text)) == 0);
	CHECK_INT(env.rcpts[0].outcome.err.kind, ERR_CONFIG);
	CHECK_INT(env.rcpts[0].outcome.err.verdict, ERR_PERM);
	snprintf(text, sizeof text,
	    "\"nosuch\" is no user of this machine, and no alias in %s; "
	    "\"list\" leads there",
	    w.path);
	CHECK_STR(env.rcpts[2].outcome.err.text, text);
	CHECK_INT(err_exit(&env.rcpts[2].outcome.err), 67);
	CHECK_INT(env.rcpts[6].outcome.err.verdict, ERR_TEMP);
	envelope_free(&env);
	world_end(&w);
}

TEST(what_was_asked_goes_along)
{
	struct world w;
	struct envelope env;
	struct err e;
	size_t i;

	world_begin(&w, file);
	envelope(&env, "x@y.test root");
	env.rcpts[1].notify = NOTIFY_NEVER;
	env.rcpts[1].orcpt = "rfc822;r@z.test";
	env.notify = NOTIFY_FAILURE;
	CHECK_INT(locals_resolve(&w.c, &env, &e), 0);
	CHECK_STR(show(&w, &env), "x@y.test alice@x.test bob b@x.test");
	CHECK_INT(env.notify, NOTIFY_FAILURE);
	CHECK_INT(env.rcpts[0].notify, 0);
	CHECK(env.rcpts[0].orcpt == NULL);
	for (i = 1; i < env.n; i++) {
		CHECK_INT(env.rcpts[i].notify, NOTIFY_NEVER);
		CHECK_STR(env.rcpts[i].orcpt, "rfc822;r@z.test");
		CHECK_STR(env.rcpts[i].given, env.rcpts[i].addr.raw);
	}
	envelope_free(&env);
	world_end(&w);
}

/* Who is decided stays as he is. */
TEST(the_decided)
{
	struct world w;
	struct envelope env;
	struct err e;

	world_begin(&w, file);
	envelope(&env, "root carol");
	err_set(&e, ERR_PERM, ERR_DATA, "no");
	outcome_decide(&env.rcpts[0].outcome, &e);
	CHECK_INT(envelope_add_failed(&env, "a b", 3, &e), 0);
	CHECK_INT(locals_resolve(&w.c, &env, &e), 0);
	CHECK_INT(env.n, 3);
	CHECK_STR(env.rcpts[0].addr.raw, "root");
	CHECK_STR(env.rcpts[1].addr.raw, "carol");
	CHECK(env.rcpts[2].addr.raw == NULL);
	CHECK_STR(env.rcpts[2].given, "a b");
	envelope_free(&env);
	world_end(&w);
}

/* What cannot be a name of this machine is refused, however it is written. */
TEST(no_programs_and_files_from_outside)
{
	static const char *const rcpts[] = { "\"|cat\"@localhost",
		"\"/etc/passwd\"@host.test", "\":include:/x\"@localhost",
		"/etc/passwd@localhost" };
	struct world w;
	struct envelope env;
	struct err e;
	size_t i;

	world_begin(&w, file);
	for (i = 0; i < COUNT(rcpts); i++) {
		w.c.user = i % 2 == 0 ? user : NULL;
		envelope(&env, rcpts[i]);
		CHECK_INT(locals_resolve(&w.c, &env, &e), 0);
		CHECK_INT(env.n, 1);
		CHECK_INT(env.rcpts[0].outcome.state, OUTCOME_FAILED);
		CHECK_INT(err_exit(&env.rcpts[0].outcome.err), 67);
		CHECK(!env.rcpts[0].unresolved);
		envelope_free(&env);
	}
	world_end(&w);
}

static int
knows(struct world *w, const char *rcpt, struct err *e)
{
	struct address a;
	int rc;

	CHECK_INT(address_parse(&a, rcpt, strlen(rcpt), ADDRESS_BARE, e), 0);
	rc = locals_knows(&w->c, &a, e);
	address_free(&a);
	return rc;
}

TEST(one_is_asked_for)
{
	struct world w;
	struct err e;

	world_begin(&w, file);
	CHECK_INT(knows(&w, "x@y.test", &e), 0);
	CHECK_INT(knows(&w, "carol", &e), 0);
	CHECK_INT(knows(&w, "list@localhost", &e), 0);
	CHECK_INT(knows(&w, "slow", &e), 0);
	CHECK_INT(knows(&w, "null", &e), 0);
	CHECK_INT(knows(&w, "nobody@host.test", &e), -1);
	CHECK_INT(err_exit(&e), 67);
	CHECK_INT(knows(&w, "prog", &e), -1);
	CHECK_INT(e.kind, ERR_CONFIG);
	world_end(&w);
}

TEST(many)
{
	struct world w;
	struct envelope env;
	struct buf text;
	struct err e;
	size_t i;

	buf_init(&text, 1024 * 1024);
	buf_adds(&text, "all:");
	for (i = 0; i < 10000; i++)
		buf_addf(&text, "%s u%zu", i > 0 ? "," : "", i);
	buf_addc(&text, '\n');
	for (i = 0; i < 10000; i++)
		buf_addf(&text, "u%zu: u%zu@x.test\n", i, i / 2);
	world_begin(&w, buf_str(&text));
	envelope(&env, "all u7 u77@x.test");
	CHECK_INT(locals_resolve(&w.c, &env, &e), 0);
	CHECK_INT(env.n, 5000);
	CHECK_INT(envelope_count(&env, OUTCOME_PENDING), 5000);
	envelope_free(&env);
	world_end(&w);
	buf_free(&text);
}

TEST_MAIN
