/*
 * aliases: who gets what, from files as they lie on disk: loops, lists and
 * who may write them, mistakes and whom they concern, and many entries.
 * Files are made in a folder of the test's own.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/address.h"
#include "queue/aliases.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* A folder with files of the test's; $D in texts is its path. */
struct world {
	char dir[256];
	struct buf bad; /* what was told, a line each */
	const char *domains; /* of this machine */
	struct aliases *a;
};

static void
expand_d(const struct world *w, const char *s, struct buf *out)
{
	const char *d;

	while ((d = strstr(s, "$D")) != NULL) {
		buf_add(out, s, (size_t)(d - s));
		buf_adds(out, w->dir);
		s = d + 2;
	}
	buf_adds(out, s);
}

static const char *
path_of(const struct world *w, const char *name)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/%s", w->dir, name);
	return path;
}

static void
put(const struct world *w, const char *name, const char *text)
{
	int fd = open(path_of(w, name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
	struct buf b;

	buf_init(&b, 1024 * 1024);
	expand_d(w, text, &b);
	CHECK(fd != -1 && write(fd, buf_str(&b), b.len) == (ssize_t)b.len);
	close(fd);
	buf_free(&b);
}

static void
on_bad(void *ctx, const struct err *e)
{
	struct world *w = ctx;

	buf_addf(&w->bad, "%s\n", e->text);
}

static void
world_begin(struct world *w)
{
	char *real;
	const char *tmp = getenv("TMPDIR");

	*w = (struct world){ 0 };
	buf_init(&w->bad, 1024 * 1024);
	snprintf(w->dir, sizeof w->dir, "%s/aliases.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	CHECK(mkdtemp(w->dir) != NULL);
	real = realpath(w->dir, NULL); /* lists stand behind no link */
	if (real != NULL)
		snprintf(w->dir, sizeof w->dir, "%s", real);
	free(real);
	CHECK_INT(chmod(w->dir, 0755), 0);
}

static void
world_end(struct world *w)
{
	static const char *const names[] = { "aliases", "list", "inner", "link",
		"pipe", "dir/list", "dir" };

	for (size_t i = 0; i < COUNT(names); i++)
		remove(path_of(w, names[i]));
	CHECK_INT(rmdir(w->dir), 0);
	aliases_free(w->a);
	buf_free(&w->bad);
}

static void
load(struct world *w, const char *text)
{
	struct err e;

	put(w, "aliases", text);
	aliases_free(w->a);
	buf_reset(&w->bad);
	CHECK_INT(aliases_load(
		      &w->a, path_of(w, "aliases"), w->domains, on_bad, w, &e),
	    0);
}

static int
on_found(void *ctx, struct address *a)
{
	struct buf *b = ctx;

	buf_addf(b, "%s%s", b->len == 0 ? "" : " ", a->raw);
	address_free(a);
	return 0;
}

/* The targets with a space between, the error, or "none". */
static void
check(const struct world *w, const char *name, const char *want)
{
	struct buf got, text;
	struct err e;
	int rc;

	buf_init(&got, 1024 * 1024);
	buf_init(&text, 4096);
	expand_d(w, want, &text);
	rc = aliases_expand(w->a, name, strlen(name), on_found, &got, &e);
	if (rc == -1)
		CHECK_INT(got.len, 0);
	CHECK_STR(rc == -1 ? e.text
		: rc == 1  ? "none"
			   : buf_str(&got),
	    buf_str(&text));
	if (rc == -1)
		CHECK_INT(e.kind, ERR_CONFIG);
	buf_free(&got);
	buf_free(&text);
}

static void
check_bad(struct world *w, const char *want)
{
	struct buf text;

	buf_init(&text, 8192);
	expand_d(w, want, &text);
	CHECK_STR(buf_str(&w->bad), buf_str(&text));
	buf_free(&text);
	buf_reset(&w->bad);
}

static void
check_all(struct world *w, const char *want)
{
	CHECK_INT(aliases_check(w->a, on_bad, w), *want == '\0' ? 0 : -1);
	check_bad(w, want);
}

/* ---- whom a name leads to ---- */

/* What has a domain of this machine is a name, also in lists. */
TEST(domains_of_this_machine)
{
	struct world w;

	world_begin(&w);
	w.domains = "localhost, host.test";
	put(&w, "list", "carol@localhost\nx@other.test\n");
	load(&w,
	    "a: bob@LOCALHOST\n"
	    "bob: bob@host.test, b@x.test\n"
	    "all: :include:$D/list, a@host.test\n"
	    "carol: c@x.test\n"
	    "one: two@localhost\n"
	    "two: one@localhost\n"
	    "bad: \"/etc/x\"@localhost\n"
	    "worse: x@y.test, \"|cat\"@host.test\n");
	check(&w, "a", "bob b@x.test");
	check(&w, "all", "bob b@x.test x@other.test c@x.test");
	check(&w, "one",
	    "$D/aliases:5: \"one\" leads to nobody, only back to itself or "
	    "to an empty list; name an address, or a mailbox by \\NAME");
	check(&w, "bad",
	    "$D/aliases:7: address \"\"/etc/x\"\": no name of a user at "
	    "position 1");
	check(&w, "worse",
	    "$D/aliases:8: address \"\"|cat\"\": no name of a user at "
	    "position 1");
	w.domains = NULL;
	load(&w, "bob: bob@host.test\n");
	check(&w, "bob", "bob@host.test");
	world_end(&w);
}

TEST(names_and_addresses)
{
	struct world w;

	world_begin(&w);
	load(&w,
	    "postmaster: root\nroot: joe, admin@example.org\n"
	    "\"joe smith\": bob\n");
	check_bad(&w, "");
	CHECK_INT(aliases_count(w.a), 3);
	check(&w, "postmaster", "joe admin@example.org");
	check(&w, "PostMaster", "joe admin@example.org");
	check(&w, "root", "joe admin@example.org");
	check(&w, "\"Joe\\ Smith\"", "bob");
	check(&w, "joe", "none");
	check(&w, "", "none");
	check(&w, "*", "none");
	check_all(&w, "");
	world_end(&w);
}

TEST(each_target_once)
{
	struct world w;

	world_begin(&w);
	load(&w,
	    "a: b, c, x@example.org\nb: x@EXAMPLE.org, joe\n"
	    "c: joe, \\joe, Joe <x@example.org>\n");
	check(&w, "a", "x@example.org joe");
	world_end(&w);
}

TEST(mailboxes)
{
	struct world w;

	world_begin(&w);
	load(&w,
	    "joe: joe, x@example.org\nbob: \\bob, joe\n"
	    "eve: \\joe\nAda: ADA\n");
	check(&w, "joe", "joe x@example.org");
	check(&w, "bob", "bob joe x@example.org");
	check(&w, "eve", "joe");
	check(&w, "ada", "ADA");
	check_all(&w, "");
	world_end(&w);
}

TEST(catch_all)
{
	struct world w;

	world_begin(&w);
	load(&w, "root: joe\ndefault: admin@example.org, root, bob\n");
	check(&w, "root", "joe");
	check(&w, "who", "admin@example.org bob joe");
	check(&w, "default", "admin@example.org bob joe");
	load(&w, "*: admin\n");
	check(&w, "who", "admin");
	check(&w, "admin", "admin");
	check_all(&w, "");
	world_end(&w);
}

TEST(thrown_away)
{
	struct world w;

	world_begin(&w);
	load(&w, "noreply: /dev/null\nboth: noreply, joe\n");
	check(&w, "noreply", "");
	check(&w, "both", "joe");
	check_all(&w, "");
	world_end(&w);
}

/* ---- loops ---- */

TEST(loops)
{
	struct world w;

	world_begin(&w);
	load(&w,
	    "a: b\nb: c\nc: a\nd: a\n"
	    "e: f\nf: e, x@example.org\n"
	    "joe: joe, bob\nbob: bob, joe\n");
	check(&w, "a",
	    "$D/aliases:1: \"a\" leads to nobody, only back to "
	    "itself or to an empty list; name an address, or a "
	    "mailbox by \\NAME");
	check(&w, "d",
	    "$D/aliases:4: \"d\" leads to nobody, only back to "
	    "itself or to an empty list; name an address, or a "
	    "mailbox by \\NAME");
	check(&w, "e", "x@example.org");
	check(&w, "f", "x@example.org");
	check(&w, "joe", "joe bob");
	check(&w, "bob", "bob joe");
#define NOBODY                                                                 \
	" leads to nobody, only back to itself or to an empty list; name an "  \
	"address, or a mailbox by \\NAME\n"
	check_all(&w,
	    "$D/aliases:1: \"a\"" NOBODY "$D/aliases:2: \"b\"" NOBODY
	    "$D/aliases:3: \"c\"" NOBODY "$D/aliases:4: \"d\"" NOBODY);
	world_end(&w);
}

/* ---- lists ---- */

TEST(lists)
{
	struct world w;

	world_begin(&w);
	put(&w, "list",
	    "# members\njoe\nx@example.org, team\n"
	    ":include:$D/inner\n");
	put(&w, "inner", "y@example.org\njoe\nadmin\n:include:$D/list\n");
	load(&w, "team: :include:$D/list\nadmin: root@example.org\n");
	check(&w, "team",
	    "joe x@example.org team y@example.org "
	    "root@example.org");
	check_all(&w, "");
	world_end(&w);
}

TEST(mistakes_in_lists)
{
	struct world w;

	world_begin(&w);
	put(&w, "list", "joe\n|prog\n/file\n");
	put(&w, "inner", "");
	load(&w,
	    "team: :include:$D/list\nnone: :include:$D/none\n"
	    "both: x@example.org, team\nempty: :include:$D/inner\n");
	check(&w, "team",
	    "$D/list:2: \"|prog\": no program is run from here; "
	    "name a user or an address");
	check(&w, "both",
	    "$D/list:2: \"|prog\": no program is run from here; "
	    "name a user or an address");
	check(&w, "none",
	    "$D/aliases:2: cannot read $D/none: No such file or "
	    "directory");
	check(&w, "empty",
	    "$D/aliases:4: \"empty\" leads to nobody, only back "
	    "to itself or to an empty list; name an address, "
	    "or a mailbox by \\NAME");
	check_all(&w,
	    "$D/list:2: \"|prog\": no program is run from here; name a user or "
	    "an address\n"
	    "$D/list:3: \"/file\": mail is not written to files named here; "
	    "name a user or an address\n"
	    "$D/aliases:2: cannot read $D/none: No such file or directory\n");
	world_end(&w);
}

/* A list is believed only if nobody slipped it in. */
TEST(whose_lists)
{
	struct world w;

	world_begin(&w);
	put(&w, "list", "joe\n");
	load(&w,
	    "team: :include:$D/list\nlink: :include:$D/link\n"
	    "dir: :include:$D/dir/list\npipe: :include:$D/pipe\n"
	    "self: :include:$D\nbelow: :include:$D/list/x\n");
	check(&w, "team", "joe");
	CHECK_INT(chmod(path_of(&w, "list"), 0664), 0);
	check(&w, "team",
	    "$D/aliases:1: $D/list may be written by others "
	    "(mode 664): chmod go-w $D/list");
	CHECK_INT(chmod(path_of(&w, "list"), 0644), 0);
	CHECK_INT(chmod(w.dir, 0777), 0);
	check(&w, "team",
	    "$D/aliases:1: $D/list is in a folder that others "
	    "may write (mode 777): chmod go-w $D");
	CHECK_INT(chmod(w.dir, 0755), 0);
	CHECK_INT(symlink("list", path_of(&w, "link")), 0);
	check(&w, "link",
	    "$D/aliases:2: $D/link goes through a symbolic link "
	    "or what is no folder; write the path that realpath "
	    "prints");
	CHECK_INT(symlink(".", path_of(&w, "dir")), 0);
	check(&w, "dir",
	    "$D/aliases:3: $D/dir/list goes through a symbolic "
	    "link or what is no folder; write the path that "
	    "realpath prints");
	CHECK_INT(mkfifo(path_of(&w, "pipe"), 0600), 0);
	check(&w, "pipe", "$D/aliases:4: $D/pipe is no regular file");
	check(&w, "self", "$D/aliases:5: $D is no regular file");
	check(&w, "below",
	    "$D/aliases:6: $D/list/x goes through a symbolic "
	    "link or what is no folder; write the path that "
	    "realpath prints");
	world_end(&w);
}

/* In a user's folder only his own files are: a link to root's is none. */
TEST(in_the_home_of_another)
{
	struct world w;
	char dir[512];

	world_begin(&w);
	if (geteuid() != 0) {
		world_end(&w);
		return;
	}
	memcpy(dir, path_of(&w, "dir"), sizeof dir);
	CHECK_INT(mkdir(dir, 0755), 0);
	put(&w, "dir/list", "joe\n");
	load(&w, "team: :include:$D/dir/list\n");
	CHECK_INT(chown(path_of(&w, "dir/list"), 65534, 65534), 0);
	check(&w, "team", "joe");
	CHECK_INT(chown(dir, 65534, 65534), 0);
	check(&w, "team", "joe");
	CHECK_INT(chown(path_of(&w, "dir/list"), 0, 0), 0);
	check(&w, "team",
	    "$D/aliases:1: $D/dir/list belongs to user 0: chown "
	    "65534 $D/dir/list");
	world_end(&w);
}

TEST(too_many_lists)
{
	struct world w;
	struct buf text;

	world_begin(&w);
	buf_init(&text, 65536);
	put(&w, "list", "joe\n");
	buf_adds(&text, "a: x");
	for (int i = 0; i <= ALIASES_LISTS_MAX; i++)
		buf_addf(&text, ",\n :include:$D%.*s/list", i,
		    "//////////////////////////////////////////////////"
		    "/////////////////////////////////////////////////////");
	buf_adds(&text, "\nb: x,\n :include:$D/list\n");
	load(&w, buf_str(&text));
	check(&w, "a", "$D/aliases:102: more than 100 lists for one message");
	check(&w, "b", "x joe");
	check_all(&w, "");
	buf_free(&text);
	world_end(&w);
}

TEST(too_many_addresses)
{
	struct world w;
	struct buf text;

	world_begin(&w);
	buf_init(&text, 1024 * 1024);
	for (int i = 0; i <= ALIASES_TARGETS_MAX; i++)
		buf_addf(&text, "u%d\n", i);
	put(&w, "list", buf_str(&text));
	load(&w, "a: :include:$D/list\n");
	check(&w, "a",
	    "$D/aliases: more than 100000 addresses for one "
	    "message");
	check_all(&w, "");
	buf_free(&text);
	world_end(&w);
}

/* ---- mistakes ---- */

TEST(a_mistake_costs_its_entry)
{
	struct world w;

	world_begin(&w);
	load(&w,
	    "a: x@example.org, |prog\nb: a, y@example.org\n"
	    "c: z@example.org\nno colon\nA: w@example.org\n"
	    "d: /f, /g\n");
	check_bad(&w,
	    "$D/aliases:1: \"|prog\": no program is run from here; name a user "
	    "or an address\n"
	    "$D/aliases:4: \"no colon\": no ':'; write NAME: ADDRESS, ADDRESS\n"
	    "$D/aliases:5: \"a\" has an entry in line 1 already, which holds; "
	    "write all in one\n"
	    "$D/aliases:6: \"/f\": mail is not written to files named here; "
	    "name a user or an address\n"
	    "$D/aliases:6: \"/g\": mail is not written to files named here; "
	    "name a user or an address\n");
	check(&w, "a",
	    "$D/aliases:1: \"|prog\": no program is run from here; "
	    "name a user or an address");
	check(&w, "b",
	    "$D/aliases:1: \"|prog\": no program is run from here; "
	    "name a user or an address");
	check(&w, "c", "z@example.org");
	check(&w, "d",
	    "$D/aliases:6: \"/f\": mail is not written to files "
	    "named here; name a user or an address");
	check_all(&w, "");
	world_end(&w);
}

static int
stop(void *ctx, struct address *a)
{
	++*(int *)ctx;
	address_free(a);
	return 5;
}

TEST(a_callback_stops_it)
{
	struct world w;
	struct err e;
	int calls = 0;

	world_begin(&w);
	load(&w, "a: x@example.org, y@example.org\n");
	CHECK_INT(aliases_expand(w.a, "a", 1, stop, &calls, &e), 5);
	CHECK_INT(calls, 1);
	world_end(&w);
}

/* ---- the file ---- */

TEST(files)
{
	struct world w;
	struct aliases *a;
	struct err e;
	char path[512];

	world_begin(&w);
	memcpy(path, path_of(&w, "aliases"), sizeof path);
	CHECK_INT(aliases_load(&a, path, NULL, NULL, NULL, &e), 1);
	CHECK(a == NULL);
	CHECK_INT(mkdir(path, 0700), 0);
	CHECK_INT(aliases_load(&a, path, NULL, NULL, NULL, &e), -1);
	CHECK(strstr(e.text, "is no regular file") != NULL);
	CHECK_INT(rmdir(path), 0);
	put(&w, "aliases", "a: b, |x\n");
	CHECK_INT(chmod(path, 0646), 0);
	CHECK_INT(aliases_load(&a, path, NULL, NULL, NULL, &e), -1);
	CHECK(a == NULL);
	CHECK(strstr(e.text,
		  "may be written by others (mode 646): chmod "
		  "go-w ") != NULL);
	CHECK_INT(e.kind, ERR_CONFIG);
	CHECK_INT(chmod(path, 0644), 0);
	CHECK_INT(rename(path, path_of(&w, "list")), 0);
	CHECK_INT(symlink("list", path), 0);
	CHECK_INT(aliases_load(&a, path, NULL, NULL, NULL, &e), 0);
	CHECK_INT(aliases_count(a), 1);
	aliases_free(a);
	world_end(&w);
}

TEST(a_file_of_another)
{
	struct world w;
	struct aliases *a;
	struct err e;

	world_begin(&w);
	put(&w, "aliases", "a: b\n");
	if (geteuid() == 0) {
		CHECK_INT(chown(path_of(&w, "aliases"), 65534, 65534), 0);
		CHECK_INT(aliases_load(
			      &a, path_of(&w, "aliases"), NULL, NULL, NULL, &e),
		    -1);
		CHECK(
		    strstr(e.text, "belongs to user 65534: chown 0 ") != NULL);
	}
	world_end(&w);
}

/* ---- many ---- */

TEST(ten_thousand_entries)
{
	struct world w;
	struct buf text;
	char name[16];

	world_begin(&w);
	buf_init(&text, 1024 * 1024);
	for (int i = 0; i < 10000; i++)
		buf_addf(&text, "u%d: u%d\n", i, i + 1);
	load(&w, buf_str(&text));
	CHECK_INT(aliases_count(w.a), 10000);
	check_bad(&w, "");
	check_all(&w, "");
	for (int i = 0; i < 10000; i += 1111) {
		snprintf(name, sizeof name, "U%d", i);
		check(&w, name, "u10000");
	}
	buf_adds(&text, "u10000: u0\n");
	load(&w, buf_str(&text));
	CHECK_INT(aliases_check(w.a, on_bad, &w), -1);
	CHECK(strncmp(buf_str(&w.bad), w.dir, strlen(w.dir)) == 0);
	check(&w, "u5",
	    "$D/aliases:6: \"u5\" leads to nobody, only back to "
	    "itself or to an empty list; name an address, or a "
	    "mailbox by \\NAME");
	buf_free(&text);
	world_end(&w);
}

/* Each name names all others: a walk sees each once. */
TEST(all_name_all)
{
	struct world w;
	struct buf text, want;

	world_begin(&w);
	buf_init(&text, 1024 * 1024);
	buf_init(&want, 65536);
	for (int i = 0; i < 100; i++) {
		buf_addf(&text, "u%d: x%d@example.org", i, i);
		buf_addf(&want, "%sx%d@example.org", i == 0 ? "" : " ", i);
		for (int k = 0; k < 100; k++)
			if (k != i)
				buf_addf(&text, ", u%d", k);
		buf_adds(&text, "\n");
	}
	load(&w, buf_str(&text));
	check(&w, "u0", buf_str(&want));
	buf_free(&text);
	buf_free(&want);
	world_end(&w);
}

TEST_MAIN
