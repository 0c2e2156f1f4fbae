/*
 * media: what is a type, and which one a table gives to a name.
 * RFC 6838 4.2.
 */
#include "mail/media.h"
#include "tests/unit/test.h"

static bool
is_type(const char *s)
{
	return media_is_type(s, strlen(s));
}

TEST(types)
{
	char s[MEDIA_TYPE_MAX + 1] = "a/";

	CHECK(is_type("text/plain"));
	CHECK(is_type("image/svg+xml"));
	CHECK(is_type("application/vnd.ms-excel.sheet.binary.macroEnabled.12"));
	CHECK(is_type("x/y"));
	memset(s + 2, 'b', MEDIA_TYPE_MAX - 3);
	CHECK(is_type(s));
	s[MEDIA_TYPE_MAX - 1] = 'b';
	CHECK(!is_type(s));
}

TEST(no_types)
{
	CHECK(!is_type(""));
	CHECK(!is_type("text"));
	CHECK(!is_type("text/"));
	CHECK(!is_type("/plain"));
	CHECK(!is_type("text/plain/x"));
	CHECK(!is_type("text/plain; charset=utf-8"));
	CHECK(!is_type("text /plain"));
	CHECK(!is_type(".x/plain"));
	CHECK(!is_type("../x"));
	CHECK(!is_type("text/pl\303\244in"));
	CHECK(!media_is_type("text/x\0y", 8));
}

TEST(tops)
{
	CHECK(media_is("Message/rfc822", "message"));
	CHECK(!media_is("messages/x", "message"));
	CHECK(!media_is("message", "message"));
}

static const char table[] = "# a comment png\n"
			    "image/png\t\tpng\n"
			    "text/plain txt TEXT conf # def\r\n"
			    "\n"
			    "application/gzip gz\n"
			    "no-type xyz\n"
			    "multipart/mixed mix\n"
			    "application/x-old png2\n"
			    "application/new png2\n"
			    "  message/rfc822   eml";

static void
check(const char *name, const char *expected)
{
	char out[MEDIA_TYPE_MAX] = "";
	bool found = media_lookup(table, sizeof table - 1, name, out);

	CHECK_INT(found, expected[0] != '\0');
	CHECK_STR(out, expected);
}

TEST(by_name)
{
	check("a.png", "image/png");
	check("A.PNG", "image/png");
	check("a.text", "text/plain");
	check("a.conf", "text/plain");
	check("a.tar.gz", "application/gzip");
	check("a.eml", "message/rfc822");
	check("a.png2", "application/new");
}

TEST(unknown)
{
	check("a.def", "");
	check("a.xyz", "");
	check("a.mix", "");
	check("a.pn", "");
	check("png", "");
	check(".png", "");
	check("a.", "");
	check("", "");
}

TEST(no_table)
{
	char out[MEDIA_TYPE_MAX];

	CHECK(!media_lookup("", 0, "a.png", out));
	CHECK(!media_lookup("\n\n#", 3, "a.png", out));
}

TEST_MAIN
