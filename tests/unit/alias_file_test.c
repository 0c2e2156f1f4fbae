/*
 * alias_file: names, values and lines as sendmail and Postfix have them, and
 * what is refused, each with its line and the whole sentence.
 * aliases(5) of both.
 */
#include "base/buf.h"
#include "base/err.h"
#include "mail/address.h"
#include "mail/alias_file.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static int
on_name(void *ctx, const char *name, size_t line)
{
	buf_addf(ctx, "%zu %s:\n", line, name);
	return 0;
}

static int
on_value(void *ctx, const struct alias_value *v)
{
	static const char *const heads[] = { [ALIAS_ADDRESS] = "",
		[ALIAS_MAILBOX] = "\\",
		[ALIAS_INCLUDE] = "include ",
		[ALIAS_NOBODY] = "nobody" };

	buf_addf(ctx, "%zu  %s%s%s\n", v->line, heads[v->kind],
	    v->addr != NULL       ? v->addr->raw
		: v->path != NULL ? v->path
				  : "",
	    v->addr != NULL && v->addr->kind == DOMAIN_NONE ? " (bare)" : "");
	address_free(v->addr);
	return 0;
}

static void
on_bad(void *ctx, size_t line, bool inside, const struct err *e)
{
	CHECK_INT(e->verdict, ERR_PERM);
	CHECK_INT(e->kind, ERR_CONFIG);
	buf_addf(ctx, "%zu %s! %s\n", line, inside ? " " : "", e->text);
}

static void
check_read(int (*fn)(const char *, size_t, const struct alias_reader *),
    const char *s, size_t n, const char *want)
{
	struct buf out;
	struct alias_reader to = { on_name, on_value, on_bad, &out };
	char *copy = malloc(n + 1); /* of its exact size, for ASan */

	buf_init(&out, 65536);
	if (copy != NULL && n > 0)
		memcpy(copy, s, n);
	CHECK_INT(fn(copy, n, &to), 0);
	CHECK_STR(buf_str(&out), want);
	free(copy);
	buf_free(&out);
}

static void
check(const char *s, const char *want)
{
	check_read(alias_file_read, s, strlen(s), want);
}

static void
check_list(const char *s, const char *want)
{
	check_read(alias_list_read, s, strlen(s), want);
}

TEST(nothing)
{
	check("", "");
	check("\n \n\t\n# a: b\n  # c: d\n", "");
	check_list("", "");
	check_list("\n,,\n# a\n", "");
}

TEST(entries)
{
	check("root: joe@example.org\n", "1 root:\n1  joe@example.org\n");
	check("root:joe,bob , alice@example.org",
	    "1 root:\n1  joe (bare)\n"
	    "1  bob (bare)\n"
	    "1  alice@example.org\n");
	check("Root : x\r\nFTP: y\r\n",
	    "1 root:\n1  x (bare)\n2 ftp:\n2  y (bare)\n");
	check("a: x,\n\n# between\n  # and here\n\ty,\n z\nb: w\n",
	    "1 a:\n1  x (bare)\n5  y (bare)\n6  z (bare)\n7 b:\n"
	    "7  w (bare)\n");
	check("a:\n x\n", "1 a:\n2  x (bare)\n");
	check("mailer-daemon: postmaster",
	    "1 mailer-daemon:\n1  postmaster (bare)\n");
}

TEST(comments)
{
	check("a: x # his\nb: y#z, w\n",
	    "1 a:\n1  x (bare)\n2 b:\n2  y#z (bare)\n2  w (bare)\n");
	check("a: \"x # y\"\n", "1 a:\n1  \"x # y\" (bare)\n");
	check("a: \"x\\\" # y\"\n", "1 a:\n1  \"x\\\" # y\" (bare)\n");
	check("a: x #", "1 a:\n1  x (bare)\n");
	check("#a: x", "");
	check("a: x, # one, or\n two", "1 a:\n1  x (bare)\n2  two (bare)\n");
}

TEST(forms_of_values)
{
	check("a: Joe Doe <joe@example.org>, joe@example.org (Joe, he)",
	    "1 a:\n1  joe@example.org\n1  joe@example.org\n");
	check("a: \"Doe, Joe\" <joe@example.org>, \"a b\"@example.org",
	    "1 a:\n1  joe@example.org\n1  \"a b\"@example.org\n");
	check("a: <@x,@y:joe@example.org>, b",
	    "1 a:\n1  joe@example.org\n1  b (bare)\n");
	check("a: Joe\n <joe@example.org>", "1 a:\n1  joe@example.org\n");
	check("joe: \\joe, \"\\bob\"",
	    "1 joe:\n1  \\joe (bare)\n1  \\bob (bare)\n");
	check("a: :include:/etc/l, \":include:/a b\", :Include: \"/c d\"",
	    "1 a:\n1  include /etc/l\n1  include /a b\n1  include /c d\n");
	check("a: /dev/null", "1 a:\n1  nobody\n");
	check("a: j\303\266@example.org, b\303\274b",
	    "1 a:\n1  j\303\266@example.org\n1  b\303\274b (bare)\n");
}

TEST(names)
{
	check("\"joe smith\": a\n\"J\\\"o\": b\n",
	    "1 joe smith:\n1  a (bare)\n2 j\"o:\n2  b (bare)\n");
	check("\"a:b\": c", "1 a:b:\n1  c (bare)\n");
	check("*: a\nDefault: b\n\"default\": c\n",
	    "1 *:\n1  a (bare)\n2 *:\n2  b (bare)\n3 default:\n"
	    "3  c (bare)\n");
	check("www-data: root\nx+y: z\n",
	    "1 www-data:\n1  root (bare)\n2 x+y:\n2  z (bare)\n");
}

TEST(bad_values)
{
	static const struct {
		const char *value, *want;
	} rows[] = {
		{ "|/bin/prog",
		    "\"|/bin/prog\": no program is run from here; "
		    "name a user or an address" },
		{ "\"| prog -a, b\"",
		    "\"| prog -a, b\": no program is run from "
		    "here; name a user or an address" },
		{ "/var/log/mail",
		    "\"/var/log/mail\": mail is not written to "
		    "files named here; name a user or an "
		    "address" },
		{ "\"/dev/null \"",
		    "\"/dev/null \": mail is not written to "
		    "files named here; name a user or an "
		    "address" },
		{ ":include:list",
		    "\":include:list\": a list is named by its "
		    "whole path: :include:/path" },
		{ ":include:",
		    "\":include:\": a list is named by its whole "
		    "path: :include:/path" },
		{ ":blackhole:",
		    "\":blackhole:\": the only one of this kind "
		    "is :include:/path" },
		{ "\\joe@x",
		    "\"\\joe@x\": a \\ stands before a name of this "
		    "machine only" },
		{ "joe doe",
		    "address \"joe doe\": unexpected space at "
		    "position 4" },
		{ "a@",
		    "address \"a@\": unexpected end at position 3, the "
		    "domain is missing" },
		{ "\"joe",
		    "address \"\"joe\": unfinished quoted string at "
		    "position 1" },
		{ "j\377",
		    "address \"j\\xFF\": unexpected '\\xFF' at position "
		    "2, which is not UTF-8" },
	};
	char file[128], want[ERR_TEXT_MAX + 64];

	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(
		    file, sizeof file, "a: x,\n %s\nb: y\n", rows[i].value);
		snprintf(want, sizeof want,
		    "1 a:\n1  x (bare)\n2  ! %s\n3 b:\n3  y (bare)\n",
		    rows[i].want);
		check(file, want);
	}
}

TEST(bad_entries)
{
	check("a x\nb: y\n",
	    "1 ! \"a x\": no ':'; write NAME: ADDRESS, "
	    "ADDRESS\n2 b:\n2  y (bare)\n");
	check("a:\nb: y\n",
	    "1 a:\n1  ! \"a:\": nobody is named behind it\n"
	    "2 b:\n2  y (bare)\n");
	check(": y\n", "1 ! \"\": a name is missing before the ':'\n");
	check(" y\nb: z\n",
	    "1 ! \" y\": goes on with an entry, but none is "
	    "before it\n2 b:\n2  z (bare)\n");
	check("a@b: y\n\"a\"@b: y\n",
	    "1 ! \"a@b\": only names of this machine have aliases; write it "
	    "without @ and domain\n"
	    "2 ! \"\"a\"@b\": only names of this machine have aliases; write "
	    "it without @ and domain\n");
	check("a b: y\n",
	    "1 ! \"a b\": no name of a user; one with other "
	    "than letters, digits and dots stands in quotes\n");
	check("\"a: y\nb: z\n",
	    "1 ! \"\"a: y\": no ':'; write NAME: ADDRESS, "
	    "ADDRESS\n2 b:\n2  z (bare)\n");
	check("J <j>: y\n<j>: y\nj(x): y\n",
	    "1 ! \"J <j>\": write the name alone before the ':'\n"
	    "2 ! \"<j>\": write the name alone before the ':'\n"
	    "3 ! \"j(x)\": write the name alone before the ':'\n");
	check("/a: y\n",
	    "1 ! \"/a\": no name of a user; one with other than "
	    "letters, digits and dots stands in quotes\n");
}

/* A quote that is left open costs its line, not the rest of the file. */
TEST(an_open_quote)
{
	check("a: \"x,\n y,\n z\"\n",
	    "1 a:\n"
	    "1  ! address \"\"x,  y\": unfinished quoted string at "
	    "position 1\n"
	    "3  ! address \"z\"\": unfinished quoted string at position 2\n");
}

TEST(nul)
{
	check_read(alias_file_read, "a: b\0c\n", 7,
	    "1 a:\n1  ! address \"b\\x7Fc\": unexpected control character "
	    "\\x7F at position 2\n");
}

TEST(lists)
{
	check_list("a@x\nb\n# c\n\"d e\", f # g\r\n\\h\n:include:/i\n",
	    "1  a@x\n2  b (bare)\n4  \"d e\" (bare)\n4  f (bare)\n"
	    "5  \\h (bare)\n6  include /i\n");
	check_list("|x\n",
	    "1 ! \"|x\": no program is run from here; name a "
	    "user or an address\n");
	check_list(" a@x\n\tb@x", "1  a@x\n2  b@x\n");
	check_list("a: b\n",
	    "1 ! address \"a: b\": unexpected ':' at position "
	    "2\n");
}

TEST(folding)
{
	char out[ALIAS_NAME_MAX], s[80];

	CHECK(alias_fold(out, "JoE", 3));
	CHECK_STR(out, "joe");
	CHECK(alias_fold(out, "\"J\\oE\"", 6));
	CHECK_STR(out, "joe");
	CHECK(alias_fold(out, "J\303\226", 3));
	CHECK_STR(out, "j\303\226");
	CHECK(!alias_fold(out, "", 0));
	CHECK(!alias_fold(out, "\"\"", 2));
	memset(s, 'x', sizeof s);
	CHECK(alias_fold(out, s, 64));
	CHECK_INT(strlen(out), 64);
	CHECK(!alias_fold(out, s, 65));
}

static int
stop_name(void *ctx, const char *name, size_t line)
{
	(void)name;
	(void)line;
	++*(int *)ctx;
	return 7;
}

TEST(a_callback_stops_it)
{
	int calls = 0;
	struct alias_reader to = { .name = stop_name, .ctx = &calls };

	CHECK_INT(alias_file_read("a: b\nc: d\n", 10, &to), 7);
	CHECK_INT(calls, 1);
}

TEST_MAIN
