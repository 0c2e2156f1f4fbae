/*
 * complete: what is added to a message, and that all else stays as it is.
 * RFC 5322 3.3, 3.4, 3.6 and appendix A; RFC 2045 5; RFC 2047; RFC 1428 3.
 */
#include "base/err.h"
#include "mail/address.h"
#include "mail/complete.h"
#include "mail/message.h"
#include "tests/unit/source.h"
#include "tests/unit/test.h"

static struct message
open_text(struct source *src, const char *s)
{
	struct message m;
	struct err e;

	*src = (struct source){ s, strlen(s), 0, false };
	CHECK_INT(message_open(&m, source_octets(src), &e), 0);
	return m;
}

static void
add_note(void *ctx, const char *text)
{
	buf_addf(ctx, "%s\n", text);
}

/* What a test begins with: all of it off. */
static struct complete_config
all_off(struct buf *notes)
{
	return (struct complete_config){ .from = COMPLETE_OFF,
		.date = COMPLETE_OFF,
		.msgid = COMPLETE_OFF,
		.to = COMPLETE_OFF,
		.on_note = add_note,
		.ctx = notes };
}

/* Complete the text by *c and compare header and notes. */
static void
check_one(const char *in, struct complete_config c, const char *header,
    const char *notes)
{
	struct buf told;
	struct source src;
	struct message m = open_text(&src, in);
	struct err e;

	buf_init(&told, 65536);
	c.ctx = &told;
	CHECK_INT(complete(&m, &c, &e), 0);
	CHECK_STR(buf_str(&m.header), header);
	if (notes != NULL)
		CHECK_STR(buf_str(&told), notes);
	/* Again: nothing is missing now, so nothing changes. */
	c.from = c.from == COMPLETE_ON ? COMPLETE_OFF : c.from;
	c.date = c.date == COMPLETE_ON ? COMPLETE_OFF : c.date;
	buf_reset(&told);
	CHECK_INT(complete(&m, &c, &e), 0);
	CHECK_STR(buf_str(&m.header), header);
	if (!c.undisclosed && c.to != COMPLETE_ON)
		CHECK_STR(buf_str(&told), "");
	message_free(&m);
	buf_free(&told);
}

/* ---- From ---- */

struct from_case {
	const char *author;
	const char *name;
	const char *from;
};

static const struct from_case from_cases[] = {
	{ "joe@example.org", NULL, "From: joe@example.org\n" },
	{ "joe@example.org", "", "From: joe@example.org\n" },
	{ "joe@example.org", " \t ", "From: joe@example.org\n" },
	{ "joe@example.org", "Joe Doe", "From: Joe Doe <joe@example.org>\n" },
	{ "joe@example.org", " Joe\tDoe\r\n",
	    "From: Joe Doe <joe@example.org>\n" },
	{ "joe@example.org", "Joe Q. Public",
	    "From: \"Joe Q. Public\" <joe@example.org>\n" },
	{ "joe@example.org", "Giant; \"Big\" Box",
	    "From: \"Giant; \\\"Big\\\" Box\" <joe@example.org>\n" },
	{ "joe@example.org", "J\xc3\xb8rn",
	    "From: =?utf-8?B?SsO4cm4=?= <joe@example.org>\n" },
	{ "joe@example.org", "J\xf8rn",
	    "From: =?unknown-8bit?Q?J=F8rn?= <joe@example.org>\n" },
	{ "joe@example.org", "x\nBcc: y@z",
	    "From: \"x Bcc: y@z\" <joe@example.org>\n" },
	{ "\"a b\"@example.org", "A", "From: A <\"a b\"@example.org>\n" },
	{ "joe@[203.0.113.1]", NULL, "From: joe@[203.0.113.1]\n" },
};

static struct address
parse(const char *s)
{
	struct address a = { 0 };
	struct err e;

	CHECK_INT(address_parse(&a, s, strlen(s), ADDRESS_NULL, &e), 0);
	return a;
}

TEST(from_is_the_author_with_a_name)
{
	for (size_t i = 0; i < sizeof from_cases / sizeof from_cases[0]; i++) {
		struct address a = parse(from_cases[i].author);
		struct complete_config c = all_off(NULL);

		c.from = COMPLETE_AUTO;
		c.author = &a;
		c.full_name = from_cases[i].name;
		check_one("\nx\n", c, from_cases[i].from, NULL);
		address_free(&a);
	}
}

struct kept_case {
	const char *in;
	const char *header;
};

/* What is there is kept; what says nothing is not there. */
static const struct kept_case kept_cases[] = {
	{ "From: a@b\n\n", "From: a@b\n" },
	{ "fROM :\ta@b (x)\n\n", "fROM :\ta@b (x)\n" },
	{ "From:\n a@b\n\n", "From:\n a@b\n" },
	{ "From: not an address\n\n", "From: not an address\n" },
	{ "From: a@b\nFrom: c@d\n\n", "From: a@b\nFrom: c@d\n" },
	{ "From:\nA: b\n\n", "A: b\nFrom: joe@example.org\n" },
	{ "From: \n \t\nA: b\n\n", "A: b\nFrom: joe@example.org\n" },
	{ "Sender: a@b\n\n", "Sender: a@b\nFrom: joe@example.org\n" },
	{ "X-From: a@b\n\n", "X-From: a@b\nFrom: joe@example.org\n" },
	{ "Received: x\nResent-From: a@b\n\n",
	    "Received: x\nResent-From: a@b\nFrom: joe@example.org\n" },
};

TEST(an_existing_field_is_kept_letter_for_letter)
{
	struct address a = parse("joe@example.org");
	struct complete_config c = all_off(NULL);

	c.author = &a;
	c.from = COMPLETE_AUTO;
	for (size_t i = 0; i < sizeof kept_cases / sizeof kept_cases[0]; i++)
		check_one(kept_cases[i].in, c, kept_cases[i].header, NULL);
	c.from = COMPLETE_ON;
	check_one("From: a@b\nA: c\nfrom : c@d\n\n", c,
	    "A: c\nFrom: joe@example.org\n",
	    "replaced From: joe@example.org\n");
	c.from = COMPLETE_OFF;
	check_one("A: c\n\n", c, "A: c\n", "");
	check_one("From:\n\n", c, "From:\n", "");
	address_free(&a);
}

TEST(nobody_can_be_the_author)
{
	struct address null = parse("<>");
	struct complete_config c = all_off(NULL);
	struct source src;
	struct message m = open_text(&src, "A: b\n\nx\n");
	struct err e;

	c.from = COMPLETE_AUTO;
	c.ctx = NULL;
	c.on_note = NULL;
	CHECK_INT(complete(&m, &c, &e), -1);
	CHECK_INT(err_exit(&e), 64);
	CHECK(strstr(e.text, "-f") != NULL);
	c.author = &null;
	CHECK_INT(complete(&m, &c, &e), -1);
	message_free(&m);
	/* What is there is better than nothing. */
	c = all_off(NULL);
	c.from = COMPLETE_ON;
	c.author = &null;
	check_one("From: a@b\n\n", c, "From: a@b\n", "");
	address_free(&null);
}

/* ---- Date ---- */

struct date_case {
	int64_t now;
	int zone;
	const char *date;
};

/* The dates of RFC 5322 appendix A.1.1 and A.5, and the edges of calendars. */
static const struct date_case date_cases[] = {
	{ 880127706, -360, "Date: Fri, 21 Nov 1997 09:55:06 -0600\n" },
	{ 1057038757, 120, "Date: Tue, 1 Jul 2003 07:52:37 +0200\n" },
	{ -23025180, -210, "Date: Thu, 1 Jan 1970 20:30:00 -0330\n" },
	{ 951782399, 0, "Date: Mon, 28 Feb 2000 23:59:59 +0000\n" },
	{ 951782400, 0, "Date: Tue, 29 Feb 2000 00:00:00 +0000\n" },
	{ 951868800, 0, "Date: Wed, 1 Mar 2000 00:00:00 +0000\n" },
	{ 1709251199, 0, "Date: Thu, 29 Feb 2024 23:59:59 +0000\n" },
	{ 1767225599, 0, "Date: Wed, 31 Dec 2025 23:59:59 +0000\n" },
	{ 1767225599, 345, "Date: Thu, 1 Jan 2026 05:44:59 +0545\n" },
	{ 1767225600, -30, "Date: Wed, 31 Dec 2025 23:30:00 -0030\n" },
	{ 1767225600, 840, "Date: Thu, 1 Jan 2026 14:00:00 +1400\n" },
	{ 1767225600, 330, "Date: Thu, 1 Jan 2026 05:30:00 +0530\n" },
	{ 4107542399, 0, "Date: Sun, 28 Feb 2100 23:59:59 +0000\n" },
	{ 4107542400, 0, "Date: Mon, 1 Mar 2100 00:00:00 +0000\n" },
	{ INT64_MIN, -1439, "Date: Thu, 1 Jan 1970 00:01:00 -2359\n" },
	{ INT64_MAX, 1439, "Date: Fri, 31 Dec 9999 23:58:59 +2359\n" },
};

TEST(date_is_of_the_local_zone)
{
	struct complete_config c = all_off(NULL);

	c.date = COMPLETE_AUTO;
	for (size_t i = 0; i < sizeof date_cases / sizeof date_cases[0]; i++) {
		c.now = date_cases[i].now;
		c.zone = date_cases[i].zone;
		check_one("\n", c, date_cases[i].date, NULL);
	}
	check_one("DATE :  yesterday\n\n", c, "DATE :  yesterday\n", "");
	c.date = COMPLETE_ON;
	c.now = 951782400;
	c.zone = 0;
	check_one("Date: yesterday\nA: b\n\n", c,
	    "A: b\nDate: Tue, 29 Feb 2000 00:00:00 +0000\n", NULL);
}

/* ---- Message-ID ---- */

struct id_case {
	const char *author; /* NULL: none */
	const char *domain;
	const char *id;
};

#define ID "Message-ID: <000102030405060708090a0b0c0d0eff@"

static const struct id_case id_cases[] = {
	{ "joe@Example.ORG", "host.test", ID "example.org>\n" },
	{ "joe@[203.0.113.1]", NULL, ID "[203.0.113.1]>\n" },
	{ "joe@[IPv6:2001:db8::1]", NULL, ID "[IPv6:2001:db8::1]>\n" },
	{ "<>", "host.test", ID "host.test>\n" },
	{ NULL, "host.test", ID "host.test>\n" },
	{ NULL, "", "" },
	{ NULL, NULL, "" },
};

static void
check_id(const struct id_case *row)
{
	struct address a = parse(row->author != NULL ? row->author : "<>");
	struct complete_config c = all_off(NULL);
	struct source src;
	struct message m = open_text(&src, "\nx");
	struct err e;

	for (unsigned i = 0; i < 15; i++)
		c.random[i] = (unsigned char)i;
	c.random[15] = 0xff;
	c.msgid = COMPLETE_AUTO;
	c.domain = row->domain;
	c.author = row->author != NULL ? &a : NULL;
	c.on_note = NULL;
	CHECK_INT(complete(&m, &c, &e), 0);
	CHECK_STR(buf_str(&m.header), row->id);
	message_free(&m);
	address_free(&a);
}

TEST(message_id_has_all_of_the_random_octets)
{
	struct complete_config c = all_off(NULL);

	for (size_t i = 0; i < sizeof id_cases / sizeof id_cases[0]; i++)
		check_id(&id_cases[i]);
	c.msgid = COMPLETE_AUTO;
	c.domain = "h.test";
	check_one("message-id:<1@x>\n\n", c, "message-id:<1@x>\n", "");
}

/* ---- To ---- */

#define NOBODY "To: undisclosed-recipients:;\n"

static const struct kept_case to_cases[] = {
	{ "A: b\n\n", "A: b\n" NOBODY },
	{ "To: a@b\n\n", "To: a@b\n" },
	{ "cc:a@b\n\n", "cc:a@b\n" },
	{ "Bcc: a@b\n\n", "Bcc: a@b\n" },
	{ "Bcc:\n\n", "Bcc:\n" },
	{ "Resent-To: a@b\n\n", "Resent-To: a@b\n" },
	{ "Resent-cc: a@b\n\n", "Resent-cc: a@b\n" },
	{ "Resent-bcc:\n\n", "Resent-bcc:\n" },
	{ "To:\nA: b\n\n", "A: b\n" NOBODY },
	{ "Reply-To: a@b\n\n", "Reply-To: a@b\n" NOBODY },
};

TEST(to_names_nobody_where_nobody_is_named)
{
	struct complete_config c = all_off(NULL);

	c.to = COMPLETE_AUTO;
	for (size_t i = 0; i < sizeof to_cases / sizeof to_cases[0]; i++)
		check_one(to_cases[i].in, c, to_cases[i].header, NULL);
	c.recipients = "x@y";
	check_one("A: b\n\n", c, "A: b\n" NOBODY, "added " NOBODY);
}

TEST(to_can_be_the_recipients)
{
	struct complete_config c = all_off(NULL);

	c.to = COMPLETE_ON;
	check_one("To: a@b\n\n", c, "To: a@b\n", "");
	check_one("A: b\n\n", c, "A: b\n" NOBODY, "added " NOBODY);
	c.recipients = "x@y, z@y";
	check_one("To: a@b\nCc: c@d\n\n", c, "Cc: c@d\nTo: x@y, z@y\n",
	    "replaced To: x@y, z@y\n");
	c.recipients = "J\xc3\xb8rn@y";
	check_one("A: b\n\n", c, "A: b\nTo: J\xc3\xb8rn@y\n", NULL);
}

TEST(recipients_can_be_hidden)
{
	struct complete_config c = all_off(NULL);

	c.undisclosed = true;
	check_one("To: a@b\nCc: c@d,\n e@f\nbcc: g@h\nA: b\n\n", c,
	    "A: b\n" NOBODY, "removed Cc\nremoved Bcc\nreplaced " NOBODY);
}

/* ---- MIME ---- */

#define TEXT8(charset)                                                         \
	"Content-Type: text/plain; charset=" charset "\n"                      \
	"Content-Transfer-Encoding: 8bit\nMIME-Version: 1.0\n"
#define CTE8 "Content-Transfer-Encoding: 8bit\n"
#define MIME "MIME-Version: 1.0\n"

static const struct kept_case mime_cases[] = {
	{ "A: b\n\nx\n", "A: b\n" },
	{ "A: b\n\n\xc3\xa4\n", "A: b\n" TEXT8("utf-8") },
	{ "\n\xe2\x82\xac\n", TEXT8("utf-8") },
	{ "A: b\n\n\xe4\n", "A: b\n" TEXT8("unknown-8bit") },
	{ "A: b\n\n\xc3\xa4\nx\n\xc3", "A: b\n" TEXT8("unknown-8bit") },
	{ "A: b\n\n\xed\xa0\x80", "A: b\n" TEXT8("unknown-8bit") },
	{ "Mime-version: 1.0\n\n\xc3\xa4\n",
	    "Mime-version: 1.0\nContent-Type: text/plain; charset=utf-8\n" CTE8 },
	{ CTE8 "\n\xc3\xa4\n",
	    CTE8 "Content-Type: text/plain; charset=utf-8\n" MIME },
	/* What its encoding hides has another charset than what is seen. */
	{ "Content-Transfer-Encoding: base64\n\n\xc3\xa4\n",
	    "Content-Transfer-Encoding: base64\n" },
	/* A charset that is missing, behind all else of the field. */
	{ "content-type:  TEXT/html\nA: b\n" MIME CTE8 "\n\xc3\xa4\n",
	    "content-type:  TEXT/html; charset=utf-8\nA: b\n" MIME CTE8 },
	{ "Content-Type: text/plain;\n" MIME CTE8 "\n\xe4",
	    "Content-Type: text/plain; charset=unknown-8bit\n" MIME CTE8 },
	{ "Content-Type: text/plain; \n" MIME CTE8 "\n\xc3\xa4",
	    "Content-Type: text/plain;  charset=utf-8\n" MIME CTE8 },
	{ "Content-Type: text/plain;\n\tformat=flowed (a;)\n" MIME CTE8
	  "\n\xc3\xa4",
	    "Content-Type: text/plain;\n\tformat=flowed (a;); "
	    "charset=utf-8\n" MIME CTE8 },
	{ "Content-Type: text/plain; name=\"123456789012345678901234567890x\""
	  "\n" MIME CTE8 "\n\xc3\xa4",
	    "Content-Type: text/plain; name=\"123456789012345678901234567890x\";"
	    "\n charset=utf-8\n" MIME CTE8 },
	{ "Content-Type: text/plain; charset=us-ascii\n" MIME "\n\xc3\xa4",
	    "Content-Type: text/plain; charset=us-ascii\n" MIME CTE8 },
	/* Nothing helps an open quoted string. */
	{ "Content-Type: text/plain; name=\"x\n" MIME CTE8 "\n\xc3\xa4",
	    "Content-Type: text/plain; name=\"x\n" MIME CTE8 },
	{ "Content-Type: text/plain\n" MIME "\nx",
	    "Content-Type: text/plain\n" MIME },
	{ "Content-Type: text/plain\n\nx", "Content-Type: text/plain\n" MIME },
	{ "Content-Type: image/png\n\n\xe4", "Content-Type: image/png\n" MIME },
	{ "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n\xe4\n--b--\n",
	    "Content-Type: multipart/mixed; boundary=b\n" MIME },
	/* Of the time before MIME (RFC 1049). */
	{ "Content-Type: text\n\n\xc3\xa4", "Content-Type: text\n" },
	{ "Content-Type:\n\n\xc3\xa4", "Content-Type:\n" },
};

TEST(an_8_bit_text_says_so)
{
	struct complete_config c = all_off(NULL);

	for (size_t i = 0; i < sizeof mime_cases / sizeof mime_cases[0]; i++)
		check_one(mime_cases[i].in, c, mime_cases[i].header, NULL);
	check_one("Content-Type: text/html\n\n\xc3\xa4", c,
	    "Content-Type: text/html; charset=utf-8\n" CTE8 MIME,
	    "added charset to Content-Type: utf-8\nadded " CTE8 "added " MIME);
}

/* ---- the message as a whole ---- */

TEST(the_facts_of_the_message_stay_right)
{
	struct address a = parse("joe@example.org");
	struct complete_config c = all_off(NULL);
	struct source src;
	struct message m = open_text(&src, "hello\n");
	struct err e;

	c.on_note = NULL;
	c.from = COMPLETE_AUTO;
	c.author = &a;
	CHECK_INT(m.header.len, 0);
	CHECK_INT(complete(&m, &c, &e), 0);
	CHECK(m.has_body);
	CHECK_INT(
	    message_size(&m), strlen("From: joe@example.org\r\n\r\nhello\r\n"));
	CHECK_INT(message_8bit(&m), 0);
	message_free(&m);

	/* Nothing at all is a message with an empty body. */
	m = open_text(&src, "");
	CHECK_INT(complete(&m, &c, &e), 0);
	CHECK(m.has_body);
	CHECK_INT(message_size(&m), strlen("From: joe@example.org\r\n\r\n"));
	message_free(&m);

	m = open_text(&src, "A: b\n");
	CHECK_INT(complete(&m, &c, &e), 0);
	CHECK(!m.has_body);
	message_free(&m);
	address_free(&a);
}

TEST(an_author_of_utf8_makes_the_header_8_bit)
{
	struct address a = { .raw = strdup("j\xc3\xb8rn@example.org"),
		.ascii = strdup("example.org"),
		.local_len = 5,
		.kind = DOMAIN_NAME };
	struct complete_config c = all_off(NULL);
	struct source src;
	struct message m = open_text(&src, "A: b\n\nx\n");
	struct err e;

	c.on_note = NULL;
	c.from = c.msgid = COMPLETE_AUTO;
	c.author = &a;
	CHECK_INT(complete(&m, &c, &e), 0);
	CHECK_INT(m.header_8bit, 1);
	CHECK(strstr(buf_str(&m.header), "From: j\xc3\xb8rn@example.org\n") !=
	    NULL);
	CHECK(strstr(buf_str(&m.header), "@example.org>\n") != NULL);
	message_free(&m);
	address_free(&a);
}

TEST(a_header_without_room_is_refused)
{
	struct address a = parse("joe@example.org");
	struct complete_config c = all_off(NULL);
	struct source src;
	struct message m = open_text(&src, "A: b\n\nx\n");
	struct err e;

	c.on_note = NULL;
	c.from = COMPLETE_AUTO;
	c.author = &a;
	m.header.max = m.header.size; /* as if it were full */
	m.header.len = m.header.size - 4;
	memset(m.header.data, 'A', m.header.len);
	m.header.data[m.header.len - 1] = '\n';
	CHECK_INT(complete(&m, &c, &e), -1);
	CHECK_INT(err_exit(&e), 65);
	message_free(&m);
	address_free(&a);
}

TEST_MAIN
