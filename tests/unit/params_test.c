/*
 * params: every row offered and not, what is written and what is left out,
 * and that nothing in it can end a command.
 * RFC 1870, 2852, 3461, 4865, 4954, 6152, 6531, 6533, 6710.
 */
#include "base/buf.h"
#include "base/err.h"
#include "mail/envelope.h"
#include "mail/view.h"
#include "params.h"
#include "smtp/caps.h"
#include "tests/unit/decode.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static char sender_raw[] = "a@example.org";
static char rcpt_raw[] = "b+c@example.net";

struct fixture {
	struct recipient rcpt;
	struct envelope env;
	struct view view;
	struct caps caps;
	size_t rcpts[1];
	struct params p;
	struct buf out;
	struct err e;
};

/* A transaction with one recipient that asks for nothing, and a server that
 * offers these. */
static void
set_up(struct fixture *f, unsigned has)
{
	*f = (struct fixture){ .rcpt = { .addr = { .raw = rcpt_raw } },
		.env = { .sender = { .raw = sender_raw }, .n = 1 },
		.view = { .size = 25 },
		.caps = { .has = has } };
	f->env.rcpts = &f->rcpt;
	f->p = (struct params){ .env = &f->env,
		.view = &f->view,
		.caps = &f->caps,
		.rcpts = f->rcpts,
		.n = 1 };
	buf_init(&f->out, PARAMS_MAX);
}

static const char *
of_mail(struct fixture *f)
{
	buf_reset(&f->out);
	params_mail(&f->p, &f->out);
	return buf_str(&f->out);
}

static const char *
of_rcpt(struct fixture *f)
{
	buf_reset(&f->out);
	params_rcpt(&f->p, 0, &f->out);
	return buf_str(&f->out);
}

TEST(who_asks_for_nothing_sends_nothing)
{
	struct fixture f;

	set_up(&f, ~0u & ~(unsigned)CAP_SIZE);
	CHECK_STR(of_mail(&f), "");
	CHECK_STR(of_rcpt(&f), "");
	CHECK_INT(params_check_mail(&f.p, &f.e), 0);
	CHECK_INT(params_check_rcpt(&f.p, 0, &f.e), 0);
	CHECK_INT(params_left_out(&f.p, 0), 0);
	buf_free(&f.out);
}

TEST(size_is_said_where_it_is_offered)
{
	struct fixture f;

	set_up(&f, CAP_SIZE);
	CHECK_STR(of_mail(&f), " SIZE=25");
	f.caps.size = 25;
	CHECK_INT(params_check_mail(&f.p, &f.e), 0);
	f.caps.size = 24;
	CHECK_INT(params_check_mail(&f.p, &f.e), -1);
	CHECK_INT(f.e.verdict, ERR_PERM);
	CHECK_INT(f.e.enhanced.subject, 3);
	CHECK_INT(f.e.enhanced.detail, 4);
	CHECK_INT(f.e.scope, SCOPE_MESSAGE);
	CHECK_INT(f.e.stage, STAGE_MAIL);
	f.caps = (struct caps){ 0 };
	CHECK_STR(of_mail(&f), "");
	CHECK_INT(params_check_mail(&f.p, &f.e), 0);
	CHECK_INT(params_left_out(&f.p, 0), 0);
	buf_free(&f.out);
}

TEST(an_8bit_view_needs_8bitmime)
{
	struct fixture f;

	set_up(&f, CAP_8BITMIME);
	f.view.is_8bit = true;
	CHECK_STR(of_mail(&f), " BODY=8BITMIME");
	f.caps.has = 0;
	CHECK_INT(params_check_mail(&f.p, &f.e), -1);
	CHECK_INT(f.e.enhanced.subject, 6);
	CHECK_INT(f.e.enhanced.detail, 3);
	buf_free(&f.out);
}

TEST(smtputf8_if_anything_of_the_transaction_needs_it)
{
	struct fixture f;

	set_up(&f, CAP_SMTPUTF8);
	f.view.needs_utf8 = true;
	CHECK_STR(of_mail(&f), " SMTPUTF8");
	f.view.needs_utf8 = false;
	f.env.sender.needs_utf8 = true;
	CHECK_STR(of_mail(&f), " SMTPUTF8");
	f.env.sender.needs_utf8 = false;
	f.rcpt.addr.needs_utf8 = true;
	CHECK_STR(of_mail(&f), " SMTPUTF8");
	CHECK_STR(of_rcpt(&f), "");
	/* The others go without it. */
	f.p.n = 0;
	CHECK_STR(of_mail(&f), "");
	buf_free(&f.out);
}

TEST(without_smtputf8_who_needs_it_fails)
{
	struct fixture f;

	set_up(&f, 0);
	f.env.sender.needs_utf8 = true;
	CHECK_INT(params_check_mail(&f.p, &f.e), -1);
	CHECK_INT(f.e.enhanced.detail, 7);
	f.env.sender.needs_utf8 = false;
	f.rcpt.addr.needs_utf8 = true;
	CHECK_INT(params_check_rcpt(&f.p, 0, &f.e), -1);
	CHECK_INT(f.e.enhanced.subject, 6);
	CHECK_INT(f.e.enhanced.detail, 7);
	CHECK_INT(f.e.scope, SCOPE_RECIPIENT);
	CHECK_INT(f.e.stage, STAGE_RCPT);
	buf_free(&f.out);
}

TEST(reports_as_they_are_wanted)
{
	struct fixture f;

	set_up(&f, CAP_DSN);
	f.env.dsn_return = RETURN_FULL;
	f.env.envid = "QQ 314";
	f.rcpt.notify = NOTIFY_NEVER;
	CHECK_STR(of_mail(&f), " RET=FULL ENVID=QQ+20314");
	CHECK_STR(of_rcpt(&f), " NOTIFY=NEVER ORCPT=rfc822;b+2Bc@example.net");
	f.env.dsn_return = RETURN_HDRS;
	f.rcpt.notify = NOTIFY_DELAY | NOTIFY_SUCCESS;
	f.rcpt.orcpt = "x400;/G=B;x/";
	CHECK_STR(of_mail(&f), " RET=HDRS ENVID=QQ+20314");
	CHECK_STR(of_rcpt(&f), " NOTIFY=SUCCESS,DELAY ORCPT=x400;/G+3DB;x/");
	CHECK_INT(params_left_out(&f.p, 0), 0);
	buf_free(&f.out);
}

/* RFC 3461 5.2.2: nothing of it goes out, and the mail does. */
TEST(reports_are_left_out_where_they_are_not_offered)
{
	struct fixture f;

	set_up(&f, ~(unsigned)(CAP_DSN | CAP_SIZE));
	f.env.envid = "x";
	CHECK_INT(params_left_out(&f.p, 0), CAP_DSN);
	f.env.envid = NULL;
	f.rcpt.notify = NOTIFY_FAILURE;
	CHECK_INT(params_left_out(&f.p, 0), CAP_DSN);
	CHECK_STR(of_mail(&f), "");
	CHECK_STR(of_rcpt(&f), "");
	CHECK_INT(params_check_mail(&f.p, &f.e), 0);
	CHECK_INT(params_check_rcpt(&f.p, 0, &f.e), 0);
	buf_free(&f.out);
}

TEST(the_type_of_an_original_recipient)
{
	static const struct {
		const char *orcpt, *want;
	} rows[] = {
		{ "rfc822;b@x.test", "rfc822;b@x.test" },
		{ "b@x.test", "rfc822;b@x.test" },
		{ "\"a;b\"@x.test", "rfc822;\"a;b\"@x.test" },
		{ "caf\xc3\xa9@x.test", "utf-8;caf\\x{E9}@x.test" },
		{ "UTF-8;a+\xc3\xa9", "UTF-8;a\\x{2B}\\x{E9}" },
		{ ";b", "rfc822;;b" },
	};
	struct fixture f;
	size_t i;

	set_up(&f, CAP_DSN);
	for (i = 0; i < COUNT(rows); i++) {
		f.rcpt.orcpt = rows[i].orcpt;
		CHECK(params_orcpt_valid(rows[i].orcpt));
		CHECK_STR(of_rcpt(&f) + strlen(" ORCPT="), rows[i].want);
	}
	buf_free(&f.out);
}

TEST(an_original_recipient_that_cannot_be_said)
{
	struct fixture f;
	char longest[600];

	CHECK(!params_orcpt_valid(""));
	CHECK(!params_orcpt_valid("rfc822;"));
	CHECK(!params_orcpt_valid("rfc822;caf\xc3\xa9"));
	CHECK(!params_orcpt_valid("utf-8;\xff"));
	CHECK(!params_orcpt_valid("utf-8;a\nb"));
	CHECK(!params_orcpt_valid("a\rb"));
	CHECK(!params_orcpt_valid("a\x7f"));
	memset(longest, 'x', sizeof longest);
	longest[500 - strlen("ORCPT=rfc822;")] = '\0';
	CHECK(params_orcpt_valid(longest));
	longest[500 - strlen("ORCPT=rfc822;")] = 'x';
	longest[501 - strlen("ORCPT=rfc822;")] = '\0';
	CHECK(!params_orcpt_valid(longest));
	/* An address may be longer than ORCPT; it goes without. */
	set_up(&f, CAP_DSN);
	f.rcpt.addr.raw = longest;
	f.rcpt.notify = NOTIFY_NEVER;
	CHECK_STR(of_rcpt(&f), " NOTIFY=NEVER");
	buf_free(&f.out);
}

/* RFC 2852 4: what is left of the time is what the server gets. */
TEST(the_time_that_is_left)
{
	struct fixture f;

	set_up(&f, CAP_DELIVERBY);
	f.env.by = (struct deliver_by){
		.wanted = true, .returned = true, .seconds = 120, .since = 5000
	};
	f.p.now = 5999;
	CHECK_STR(of_mail(&f), " BY=120;R");
	f.p.now = 6000;
	f.env.by.trace = true;
	CHECK_STR(of_mail(&f), " BY=119;RT");
	f.caps.deliver_by_min = 119;
	CHECK_INT(params_check_mail(&f.p, &f.e), 0);
	f.caps.deliver_by_min = 120;
	CHECK_INT(params_check_mail(&f.p, &f.e), -1);
	CHECK(strstr(f.e.text, "119") != NULL);
	CHECK(strstr(f.e.text, "120") != NULL);
	CHECK_INT(f.e.enhanced.subject, 4);
	CHECK_INT(f.e.enhanced.detail, 7);
	f.caps.deliver_by_min = 0;
	f.p.now = 5000 + 120000;
	CHECK_INT(params_check_mail(&f.p, &f.e), -1);
	CHECK_INT(f.e.enhanced.detail, 7);
	/* It may be late where only its sender is told. */
	f.env.by.returned = f.env.by.trace = false;
	CHECK_INT(params_check_mail(&f.p, &f.e), 0);
	f.p.now += 5000;
	CHECK_STR(of_mail(&f), " BY=-5;N");
	f.p.now = INT64_MAX;
	CHECK_STR(of_mail(&f), " BY=-999999999;N");
	buf_free(&f.out);
}

/* RFC 2852 4.1.4: R is not relayed without it, N is. */
TEST(without_deliverby)
{
	struct fixture f;

	set_up(&f, 0);
	f.env.by = (struct deliver_by){ .wanted = true, .seconds = 60 };
	CHECK_INT(params_check_mail(&f.p, &f.e), 0);
	CHECK_INT(params_left_out(&f.p, 0), CAP_DELIVERBY);
	f.env.by.returned = true;
	CHECK_INT(params_check_mail(&f.p, &f.e), -1);
	CHECK_INT(f.e.verdict, ERR_PERM);
	CHECK_INT(params_left_out(&f.p, 0), 0);
	CHECK_STR(of_mail(&f), "");
	buf_free(&f.out);
}

/* RFC 4865: to be held or not to go. */
TEST(mail_that_is_to_be_held)
{
	struct fixture f;

	set_up(&f, CAP_FUTURERELEASE);
	f.env.hold_for = 3600;
	CHECK_STR(of_mail(&f), " HOLDFOR=3600");
	CHECK_INT(params_check_mail(&f.p, &f.e), 0);
	f.caps.hold_max = 3600;
	CHECK_INT(params_check_mail(&f.p, &f.e), 0);
	f.caps.hold_max = 3599;
	CHECK_INT(params_check_mail(&f.p, &f.e), -1);
	CHECK(strstr(f.e.text, "3599") != NULL);
	f.env.hold_for = 0;
	f.env.hold_until = 1798135200;
	CHECK_STR(of_mail(&f), " HOLDUNTIL=2026-12-24T18:00:00Z");
	CHECK_INT(params_check_mail(&f.p, &f.e), 0);
	f.caps.hold_until_max = 1798135200;
	CHECK_INT(params_check_mail(&f.p, &f.e), 0);
	f.caps.hold_until_max--;
	CHECK_INT(params_check_mail(&f.p, &f.e), -1);
	CHECK(strstr(f.e.text, "2026-12-24T17:59:59Z") != NULL);
	f.caps.has = 0;
	CHECK_INT(params_check_mail(&f.p, &f.e), -1);
	CHECK_INT(f.e.enhanced.subject, 3);
	CHECK_INT(f.e.enhanced.detail, 3);
	f.env.hold_until = 0;
	f.env.hold_for = 1;
	CHECK_INT(params_check_mail(&f.p, &f.e), -1);
	buf_free(&f.out);
}

TEST(priority_and_submitter)
{
	static char raw[] = "e=mc2@x.test", none[] = "";
	struct fixture f;

	set_up(&f, CAP_MT_PRIORITY | CAP_AUTH);
	f.env.has_priority = true;
	CHECK_STR(of_mail(&f), " MT-PRIORITY=0");
	f.env.priority = -9;
	f.env.submitter.raw = raw;
	CHECK_STR(of_mail(&f), " MT-PRIORITY=-9 AUTH=e+3Dmc2@x.test");
	f.env.submitter.raw = none;
	CHECK_STR(of_mail(&f), " MT-PRIORITY=-9 AUTH=<>");
	f.caps.has = 0;
	CHECK_STR(of_mail(&f), "");
	CHECK_INT(params_check_mail(&f.p, &f.e), 0);
	CHECK_INT(params_left_out(&f.p, 0), CAP_MT_PRIORITY);
	buf_free(&f.out);
}

/* Whatever is in them: one word each, and it comes back as it was. */
TEST(no_octet_ends_a_parameter)
{
	struct fixture f;
	struct buf back;
	char text[8];
	int c;

	set_up(&f, CAP_DSN);
	buf_init(&back, 100);
	f.env.envid = f.rcpt.orcpt = text;
	for (c = 1; c < 256; c++) {
		snprintf(text, sizeof text, "a%cb", c);
		of_mail(&f);
		CHECK(decode_xtext(&back, f.out.data + strlen(" ENVID="),
		    f.out.len - strlen(" ENVID=")));
		CHECK_STR(buf_str(&back), text);
		of_rcpt(&f);
		CHECK(decode_xtext(&back, f.out.data + strlen(" ORCPT="),
		    f.out.len - strlen(" ORCPT=")));
	}
	buf_free(&back);
	buf_free(&f.out);
}

TEST(each_lack_has_its_words)
{
	CHECK_STR(caps_name(CAP_DSN), "DSN");
	CHECK(caps_name(1u << 30) == NULL);
	CHECK(strstr(params_lacking(CAP_DSN), "reports") != NULL);
	CHECK(strstr(params_lacking(CAP_DELIVERBY), "late") != NULL);
	CHECK(strstr(params_lacking(CAP_MT_PRIORITY), "any other") != NULL);
}

TEST_MAIN
