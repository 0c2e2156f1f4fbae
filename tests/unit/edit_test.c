/*
 * edit: fields are added, replaced and taken out, and nothing else changes.
 * RFC 5322 2.2, 3.6.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "mail/edit.h"
#include "mail/message.h"
#include "tests/unit/test.h"

#define HEADER "A: 1\nTo: x@x.test,\n y@x.test\nB: 2\nto: z@x.test\nC: 3\n"

static void
check_on(const char *header, const char *spec, const char *want)
{
	struct message m = { 0 };
	struct edit edit;
	struct err e;

	buf_init(&m.header, MESSAGE_HEADER_MAX);
	buf_adds(&m.header, header);
	CHECK_INT(edit_parse(&edit, spec, &e), 0);
	CHECK_INT(edit_apply(&m, &edit, 1, &e), 0);
	CHECK_STR(buf_str(&m.header), want);
	edit_free(&edit);
	message_free(&m);
}

static void
check_field(const char *spec, const char *want)
{
	check_on("", spec, want);
}

TEST(added)
{
	check_on(HEADER, "A:w@x.test", HEADER "A: w@x.test\n");
	check_on("Bcc: a@x.test\n", "Bcc:w@x.test",
	    "Bcc: a@x.test\nBcc: w@x.test\n");
	check_on(HEADER, "X: a=b", HEADER "X: a=b\n");
	check_on("", "X:y", "X: y\n");
}

TEST(replaced)
{
	check_on(HEADER, "To=w@x.test", "A: 1\nTo: w@x.test\nB: 2\nC: 3\n");
	check_on(HEADER, "a= 4",
	    "a: 4\nTo: x@x.test,\n y@x.test\nB: 2\n"
	    "to: z@x.test\nC: 3\n");
	check_on(HEADER, "c=4:5",
	    "A: 1\nTo: x@x.test,\n y@x.test\nB: 2\n"
	    "to: z@x.test\nc: 4:5\n");
	check_on(HEADER, "X=y", HEADER "X: y\n");
	check_on("", "X=y", "X: y\n");
}

TEST(deleted)
{
	check_on(HEADER, "TO", "A: 1\nB: 2\nC: 3\n");
	check_on(HEADER, "X", HEADER);
	check_on("A: 1\n", "a", "");
}

TEST(values)
{
	check_field("X:", "X: \n");
	check_field("X:  y ", "X: y \n");
	check_field("Subject:=?utf-8?Q?=C3=BC?= \"q\"",
	    "Subject: =?utf-8?Q?=C3=BC?= \"q\"\n");
	check_field("Subject:gr\303\274n", "Subject: =?utf-8?B?Z3LDvG4=?=\n");
	check_field("X:\33[1m", "X: =?utf-8?Q?=1B[1m?=\n");
	check_field("Cc:\"M\303\274, J\" <m@x.test>",
	    "Cc: =?utf-8?B?TcO8LCBK?= <m@x.test>\n");
}

#define SIXTY "012345678901234567890123456789012345678901234567890123456789"

TEST(folding)
{
	check_field("X:" SIXTY " " SIXTY, "X: " SIXTY "\n " SIXTY "\n");
	check_field("X:" SIXTY SIXTY, "X: " SIXTY SIXTY "\n");
}

static void
check_bad(const char *spec, const char *why)
{
	struct edit edit;
	struct err e;

	CHECK_INT(edit_parse(&edit, spec, &e), -1);
	CHECK_INT(err_exit(&e), 64);
	CHECK(strstr(e.text, why) != NULL);
}

TEST(no_edits)
{
	char spec[1100];

	check_bad("", "no name");
	check_bad(":x", "no name");
	check_bad("=x", "no name");
	check_bad("Sub ject: x", "octet 4");
	check_bad("Subject : x", "octet 8");
	check_bad("S\303\274b", "octet 2");
	check_bad(SIXTY SIXTY, "longer");
	check_bad("X: a\nBcc: eve@x.test", "line end");
	check_bad("X: a\rb", "line end");
	check_bad("X: a\n", "line end");
	check_bad("Cc: M\303\274 <m@>", "position");
	memset(spec, 'a', sizeof spec - 1);
	spec[1] = ':';
	spec[sizeof spec - 1] = '\0';
	check_bad(spec, "too long");
}

TEST(in_order_and_counted)
{
	struct message m = { 0 };
	struct edit edits[3];
	struct err e;

	buf_init(&m.header, MESSAGE_HEADER_MAX);
	buf_adds(&m.header, "X: \303\274\n");
	m.header_8bit = 1;
	CHECK_INT(edit_parse(&edits[0], "X", &e), 0);
	CHECK_INT(edit_parse(&edits[1], "X:1", &e), 0);
	CHECK_INT(edit_parse(&edits[2], "X:2", &e), 0);
	CHECK_INT(edit_apply(&m, edits, 3, &e), 0);
	CHECK_STR(buf_str(&m.header), "X: 1\nX: 2\n");
	CHECK_INT(m.header_8bit, 0);
	for (int i = 0; i < 3; i++)
		edit_free(&edits[i]);
	CHECK_INT(edit_parse(&edits[0], "To=\374@x.test", &e), -1);
	message_free(&m);
}

TEST(only_one)
{
	static const char *const names[] = { "Date", "From", "Sender",
		"Reply-To", "To", "Cc", "Message-ID", "In-Reply-To",
		"References", "Subject", "MIME-Version", "Content-Type",
		"Content-Transfer-Encoding" };
	char spec[64];
	struct message m = { 0 };
	struct edit edit;
	struct err e;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		buf_init(&m.header, MESSAGE_HEADER_MAX);
		snprintf(spec, sizeof spec, "%s: a@x.test", names[i]);
		CHECK_INT(edit_parse(&edit, spec, &e), 0);
		CHECK_INT(edit_apply(&m, &edit, 1, &e), 0);
		CHECK_INT(edit_apply(&m, &edit, 1, &e), -1);
		CHECK_INT(err_exit(&e), 65);
		CHECK(strstr(e.text, "it is there already") != NULL);
		CHECK(strstr(e.text, names[i]) != NULL);
		edit_free(&edit);
		message_free(&m);
	}
}

TEST(too_large)
{
	struct message m = { 0 };
	struct edit edit;
	struct err e;

	buf_init(&m.header, 4);
	CHECK_INT(edit_parse(&edit, "X:y", &e), 0);
	CHECK_INT(edit_apply(&m, &edit, 1, &e), -1);
	CHECK_INT(err_exit(&e), 65);
	edit_free(&edit);
	message_free(&m);
}

TEST_MAIN
