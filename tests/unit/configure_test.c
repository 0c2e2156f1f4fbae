/*
 * configure: what an account says of AUTH, by what its server offers. The
 * search itself is for tests/servers/look.bats.
 */
#include "cli/configure.h"
#include "test.h"

TEST(a_password_where_one_will_do)
{
	static const char *const rows[] = { "PLAIN", "LOGIN",
		"LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH",
		"SCRAM-SHA-256", "CRAM-MD5", "EXTERNAL PLAIN",
		"SCRAM-SHA-1-PLUS XOAUTH2" };
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++)
		CHECK_STR(configure_auth(rows[i]), "on");
}

TEST(what_has_to_be_named_is_named)
{
	CHECK_STR(configure_auth("XOAUTH2"), "XOAUTH2");
	CHECK_STR(configure_auth("XOAUTH2 OAUTHBEARER"), "OAUTHBEARER");
	CHECK_STR(configure_auth("DIGEST-MD5"), "DIGEST-MD5");
	CHECK_STR(configure_auth("EXTERNAL"), "EXTERNAL");
	CHECK_STR(configure_auth("GSSAPI NTLM XOAUTH2"), "XOAUTH2");
	CHECK_STR(configure_auth("EXTERNAL XOAUTH2"), "XOAUTH2");
}

TEST(nothing_known_is_left_to_the_user)
{
	CHECK_STR(configure_auth(""), "on");
	CHECK_STR(configure_auth("GSSAPI"), "on");
}
TEST_MAIN
