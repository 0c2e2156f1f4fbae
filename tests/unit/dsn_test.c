/*
 * dsn: who gets a report, what it says, and that nothing from outside can
 * make it say more. RFC 3461 4.1 and 4.3, RFC 3463, RFC 3464, RFC 6533.
 */
#include "base/err.h"
#include "mail/dsn.h"
#include "mail/envelope.h"
#include "smtp/caps.h"
#include "tests/unit/test.h"

struct source {
	const char *s;
	size_t n;
	bool changed;
};

static long
read_source(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const struct source *src = ctx;

	if (src->changed)
		return err_set(e, ERR_TEMP, ERR_INPUT, "it changed");
	if (off >= src->n)
		return 0;
	n = n < src->n - off ? n : src->n - (size_t)off;
	memcpy(to, src->s + off, n);
	return (long)n;
}

/* One message, and a report on at most two of its recipients. */
struct world {
	struct source src;
	struct message m;
	struct envelope env;
	struct recipient r[2];
	struct dsn_rcpt rcpt[2];
	struct dsn_config config;
	struct dsn dsn;
};

static char sender_raw[] = "from@x.test", rcpt_raw[] = "to@y.test";

static void
setup(struct world *w, const char *message, size_t n)
{
	struct err e;
	size_t i;

	*w = (struct world){ .src = { message, n, false } };
	CHECK_INT(
	    message_open(&w->m, (struct octets){ read_source, &w->src, n }, &e),
	    0);
	w->env.sender.raw = sender_raw;
	for (i = 0; i < 2; i++) {
		w->r[i].addr.raw = rcpt_raw;
		w->rcpt[i] =
		    (struct dsn_rcpt){ .r = &w->r[i], .tried = 1057038757 };
	}
	w->config = (struct dsn_config){ .host = "relay.test",
		.now = 1057038758,
		.zone = 120,
		.arrived = 1057038700,
		.until = 1057470700,
		.env = &w->env,
		.rcpt = w->rcpt,
		.n = 1,
		.m = &w->m };
}

static void
outcome(struct recipient *r, enum outcome_state state, enum err_kind kind,
    int code, const char *text)
{
	r->outcome.state = state;
	r->outcome.err.kind = kind;
	r->outcome.err.code = code;
	snprintf(r->outcome.err.text, sizeof r->outcome.err.text, "%s", text);
}

/* The report, in reads of `step` octets; the caller's to free. */
static char *
report(struct world *w, size_t step)
{
	struct octets o;
	uint64_t at = 0;
	struct err e;
	long got = 1;
	char *all;

	CHECK_INT(dsn_open(&w->dsn, &w->config, &e), 0);
	o = dsn_octets(&w->dsn);
	all = calloc(1, (size_t)o.size + step + 1);
	while (all != NULL && (got = o.read(o.ctx, at, all + at, step, &e)) > 0)
		at += (uint64_t)got;
	CHECK_INT(got, 0);
	CHECK_INT((intmax_t)at, (intmax_t)o.size);
	dsn_free(&w->dsn);
	return all;
}

/* The part for programs, from its first field to its last. */
static char *
status_of(struct world *w)
{
	char *all = report(w, 4096), *from, *end, *out;

	from = strstr(all, "delivery-status\nContent-Transfer-Encoding: ");
	from = from == NULL ? all : strstr(from, "\n\n") + 2;
	end = strstr(from, "\n--=_");
	if (end != NULL)
		*end = '\0';
	out = strdup(from);
	free(all);
	return out;
}

static void
check_has(struct world *w, const char *what)
{
	char *all = report(w, 4096);

	CHECK(strstr(all, what) != NULL);
	if (strstr(all, what) == NULL)
		CHECK_STR(all, what);
	free(all);
}

#define MESSAGE                                                                \
	"From: a@x.test\r\nMessage-ID: <1@x.test>\r\nSubject: s\r\n\r\nhi\r\n"
#define BOUNDARY "=_00000000000000000000000000000000"

TEST(a_whole_report)
{
	struct world w;
	char *one, *two;

	setup(&w, MESSAGE, strlen(MESSAGE));
	outcome(&w.r[0], OUTCOME_FAILED, ERR_REPLY, 550, "550 5.1.1 Unknown");
	w.r[0].outcome.err.enhanced = (struct enhanced){ 5, 1, 1 };
	snprintf(w.r[0].outcome.host, OUTCOME_HOST_MAX, "mx.y.test");
	snprintf(w.r[0].outcome.ip, OUTCOME_IP_MAX, "203.0.113.5");
	w.r[0].orcpt = "To@y.test";
	w.env.envid = "E 1";
	w.env.dsn_return = RETURN_FULL;
	one = report(&w, 4096);
	CHECK_STR(one,
	    "From: Mail Delivery System <MAILER-DAEMON@relay.test>\n"
	    "To: from@x.test\n"
	    "Subject: Mail could not be delivered\n"
	    "Date: Tue, 1 Jul 2003 07:52:38 +0200\n"
	    "Message-ID: <dsn.00000000000000000000000000000000@relay.test>\n"
	    "In-Reply-To: <1@x.test>\n"
	    "References: <1@x.test>\n"
	    "Auto-Submitted: auto-replied\n"
	    "MIME-Version: 1.0\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\n"
	    " boundary=\"" BOUNDARY "\"\n"
	    "Content-Transfer-Encoding: 7bit\n"
	    "\n--" BOUNDARY "\n"
	    "Content-Type: text/plain; charset=us-ascii\n"
	    "Content-Transfer-Encoding: 7bit\n"
	    "\n"
	    "This is the mail system at relay.test.\n"
	    "\n"
	    "The mail that you sent on Tue, 1 Jul 2003 07:51:40 +0200 could "
	    "not be\n"
	    "delivered to everybody. It did not reach:\n"
	    "\n"
	    "  <to@y.test>\n"
	    "    mx.y.test (203.0.113.5) answered: 550 5.1.1 Unknown\n"
	    "\n"
	    "It is not tried again.\n"
	    "The next part says the same for programs; behind it is the "
	    "mail.\n"
	    "\n--" BOUNDARY "\n"
	    "Content-Type: message/delivery-status\n"
	    "Content-Transfer-Encoding: 7bit\n"
	    "\n"
	    "Original-Envelope-Id: E 1\n"
	    "Reporting-MTA: dns; relay.test\n"
	    "Arrival-Date: Tue, 1 Jul 2003 07:51:40 +0200\n"
	    "\n"
	    "Original-Recipient: rfc822; To@y.test\n"
	    "Final-Recipient: rfc822; to@y.test\n"
	    "Action: failed\n"
	    "Status: 5.1.1\n"
	    "Remote-MTA: dns; mx.y.test\n"
	    "Diagnostic-Code: smtp; 550 5.1.1 Unknown\n"
	    "Last-Attempt-Date: Tue, 1 Jul 2003 07:52:37 +0200\n"
	    "\n--" BOUNDARY "\n"
	    "Content-Type: message/rfc822\n"
	    "Content-Transfer-Encoding: 7bit\n"
	    "\n"
	    "From: a@x.test\nMessage-ID: <1@x.test>\nSubject: s\n\nhi\r\n"
	    "\n--" BOUNDARY "--\n");
	two = report(&w, 1);
	CHECK_STR(two, one);
	free(two);
	free(one);
	message_free(&w.m);
}

TEST(a_delay)
{
	struct world w;
	char *status;

	setup(&w, MESSAGE, strlen(MESSAGE));
	outcome(&w.r[0], OUTCOME_DEFERRED, ERR_REPLY, 451, "451 Later");
	w.config.kind = DSN_DELAYED;
	w.env.dsn_return = RETURN_FULL;
	w.rcpt[0].tried = 0;
	status = status_of(&w);
	CHECK_STR(status,
	    "Reporting-MTA: dns; relay.test\n"
	    "Arrival-Date: Tue, 1 Jul 2003 07:51:40 +0200\n"
	    "\n"
	    "Final-Recipient: rfc822; to@y.test\n"
	    "Action: delayed\n"
	    "Status: 4.0.0\n"
	    "Diagnostic-Code: smtp; 451 Later\n"
	    "Will-Retry-Until: Sun, 6 Jul 2003 07:51:40 +0200\n");
	free(status);
	check_has(&w, "It is tried again until Sun, 6 Jul 2003 07:51:40 +0200");
	/* RFC 3461 4.3: RET is for failures. */
	check_has(&w, "Content-Type: text/rfc822-headers\n");
	message_free(&w.m);
}

TEST(relayed)
{
	struct world w;
	char *status;

	setup(&w, MESSAGE, strlen(MESSAGE));
	outcome(&w.r[0], OUTCOME_DELIVERED, ERR_REPLY, 250, "250 2.0.0 Ok: 1");
	w.r[0].outcome.err.enhanced = (struct enhanced){ 2, 0, 0 };
	snprintf(w.r[0].outcome.host, OUTCOME_HOST_MAX, "203.0.113.5");
	w.config.kind = DSN_RELAYED;
	status = status_of(&w);
	CHECK_STR(status,
	    "Reporting-MTA: dns; relay.test\n"
	    "Arrival-Date: Tue, 1 Jul 2003 07:51:40 +0200\n"
	    "\n"
	    "Final-Recipient: rfc822; to@y.test\n"
	    "Action: relayed\n"
	    "Status: 2.0.0\n"
	    "Remote-MTA: dns; [203.0.113.5]\n"
	    "Diagnostic-Code: smtp; 250 2.0.0 Ok: 1\n"
	    "Last-Attempt-Date: Tue, 1 Jul 2003 07:52:37 +0200\n");
	free(status);
	message_free(&w.m);
}

/* ---- Status and Diagnostic-Code ---- */

static const struct {
	enum outcome_state state;
	enum err_kind kind;
	enum stage stage;
	int code;
	struct enhanced enhanced;
	const char *text;
	const char *status, *diagnostic; /* NULL: no such field */
} status_rows[] = {
	/* The server's own, with the class of what became of it. */
	{ OUTCOME_FAILED, ERR_REPLY, STAGE_RCPT, 550, { 5, 1, 1 },
	    "550 5.1.1 No", "5.1.1", "smtp; 550 5.1.1 No" },
	{ OUTCOME_DEFERRED, ERR_REPLY, STAGE_RCPT, 452, { 4, 2, 2 },
	    "452 4.2.2 Full", "4.2.2", "smtp; 452 4.2.2 Full" },
	{ OUTCOME_DEFERRED, ERR_AUTH, STAGE_AUTH, 535, { 5, 7, 8 },
	    "535 5.7.8 Bad", "4.7.8", "smtp; 535 5.7.8 Bad" },
	/* What a code says for certain. */
	{ OUTCOME_FAILED, ERR_REPLY, STAGE_RCPT, 550, { 0, 0, 0 }, "550 No",
	    "5.0.0", "smtp; 550 No" },
	{ OUTCOME_DEFERRED, ERR_REPLY, STAGE_GREETING, 421, { 0, 0, 0 },
	    "421 Busy", "4.3.2", "smtp; 421 Busy" },
	{ OUTCOME_DEFERRED, ERR_REPLY, STAGE_RCPT, 452, { 0, 0, 0 },
	    "452 Enough", "4.5.3", "smtp; 452 Enough" },
	{ OUTCOME_DEFERRED, ERR_REPLY, STAGE_MAIL, 452, { 0, 0, 0 }, "452 Full",
	    "4.3.1", "smtp; 452 Full" },
	{ OUTCOME_FAILED, ERR_REPLY, STAGE_RCPT, 501, { 0, 0, 0 }, "501 Bad",
	    "5.1.3", "smtp; 501 Bad" },
	{ OUTCOME_FAILED, ERR_REPLY, STAGE_MAIL, 501, { 0, 0, 0 }, "501 Bad",
	    "5.1.7", "smtp; 501 Bad" },
	{ OUTCOME_FAILED, ERR_REPLY, STAGE_MAIL, 552, { 0, 0, 0 }, "552 Big",
	    "5.3.4", "smtp; 552 Big" },
	{ OUTCOME_FAILED, ERR_REPLY, STAGE_RCPT, 556, { 0, 0, 0 }, "556 None",
	    "5.1.10", "smtp; 556 None" },
	{ OUTCOME_FAILED, ERR_REPLY, STAGE_END, 554, { 0, 0, 0 }, "554 Spam",
	    "5.0.0", "smtp; 554 Spam" },
	/* LMTP: a reply a recipient, behind the data (RFC 2033 4.2). */
	{ OUTCOME_FAILED, ERR_REPLY, STAGE_END, 552, { 5, 2, 2 },
	    "552 5.2.2 Over quota", "5.2.2", "smtp; 552 5.2.2 Over quota" },
	{ OUTCOME_DELIVERED, ERR_REPLY, STAGE_END, 250, { 0, 0, 0 }, "250 Ok",
	    "2.0.0", "smtp; 250 Ok" },
	/* Nobody replied. */
	{ OUTCOME_FAILED, ERR_LOOKUP, STAGE_LOOKUP, 0, { 5, 1, 2 },
	    "y.test does not exist", "5.1.2",
	    "X-smtpsend; y.test does not exist" },
	{ OUTCOME_DEFERRED, ERR_LOOKUP, STAGE_LOOKUP, 0, { 4, 4, 3 }, "DNS",
	    "4.4.3", "X-smtpsend; DNS" },
	{ OUTCOME_DEFERRED, ERR_CONNECT, STAGE_CONNECT, 0, { 0, 0, 0 },
	    "timed out", "4.4.1", "X-smtpsend; timed out" },
	{ OUTCOME_DEFERRED, ERR_CONNECT, STAGE_END, 0, { 0, 0, 0 }, "lost",
	    "4.4.2", "X-smtpsend; lost" },
	{ OUTCOME_DEFERRED, ERR_TLS, STAGE_STARTTLS, 0, { 0, 0, 0 },
	    "no certificate", "4.7.5", "X-smtpsend; no certificate" },
	{ OUTCOME_FAILED, ERR_TLS, STAGE_STARTTLS, 0, { 0, 0, 0 }, "none",
	    "5.7.5", "X-smtpsend; none" },
	{ OUTCOME_DEFERRED, ERR_AUTH, STAGE_AUTH, 0, { 0, 0, 0 }, "no secret",
	    "4.7.0", "X-smtpsend; no secret" },
	{ OUTCOME_DEFERRED, ERR_PROTOCOL, STAGE_RCPT, 354, { 0, 0, 0 },
	    "unexpected reply \"354 go\"", "4.5.0",
	    "X-smtpsend; unexpected reply \"354 go\"" },
	{ OUTCOME_DEFERRED, ERR_CONFIG, STAGE_NONE, 0, { 0, 0, 0 },
	    "no account", "4.3.5", "X-smtpsend; no account" },
	{ OUTCOME_FAILED, ERR_DATA, STAGE_MAIL, 0, { 0, 0, 0 }, "8-bit",
	    "5.6.0", "X-smtpsend; 8-bit" },
	{ OUTCOME_DEFERRED, ERR_MACHINE, STAGE_NONE, 0, { 0, 0, 0 }, "memory",
	    "4.3.0", "X-smtpsend; memory" },
	/* Never tried, and its time is over. */
	{ OUTCOME_PENDING, ERR_NONE, STAGE_NONE, 0, { 0, 0, 0 }, "", "4.4.7",
	    NULL },
};

/* The field's body, which is on one line here; NULL: there is none. */
static char *
field_of(char *status, const char *name)
{
	char *at = strstr(status, name);

	if (at == NULL)
		return NULL;
	at += strlen(name);
	at[strcspn(at, "\n")] = '\0';
	return at;
}

TEST(status_and_diagnostic)
{
	struct world w;
	char *status;
	size_t i;

	for (i = 0; i < sizeof status_rows / sizeof status_rows[0]; i++) {
		setup(&w, MESSAGE, strlen(MESSAGE));
		outcome(&w.r[0], status_rows[i].state, status_rows[i].kind,
		    status_rows[i].code, status_rows[i].text);
		w.r[0].outcome.err.stage = status_rows[i].stage;
		w.r[0].outcome.err.enhanced = status_rows[i].enhanced;
		status = status_of(&w);
		CHECK_STR(field_of(status, "\nDiagnostic-Code: "),
		    status_rows[i].diagnostic);
		CHECK_STR(
		    field_of(status, "\nStatus: "), status_rows[i].status);
		free(status);
		message_free(&w.m);
	}
}

TEST(only_a_server_that_replied_is_remote)
{
	static const struct {
		const char *host, *ip, *want;
		int code;
	} rows[] = {
		{ "mx.y.test", "203.0.113.5", "dns; mx.y.test", 550 },
		{ "mx.y.test", "203.0.113.5", NULL, 0 },
		{ "", "203.0.113.5", "dns; [203.0.113.5]", 550 },
		{ "2001:db8::1", "2001:db8::1", "dns; [IPv6:2001:db8::1]",
		    550 },
		{ "/run/lmtp", "", NULL, 550 },
		{ "", "", NULL, 550 },
	};
	struct world w;
	char *status;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		setup(&w, MESSAGE, strlen(MESSAGE));
		outcome(
		    &w.r[0], OUTCOME_FAILED, ERR_REPLY, rows[i].code, "550 No");
		snprintf(
		    w.r[0].outcome.host, OUTCOME_HOST_MAX, "%s", rows[i].host);
		snprintf(w.r[0].outcome.ip, OUTCOME_IP_MAX, "%s", rows[i].ip);
		status = status_of(&w);
		CHECK_STR(field_of(status, "\nRemote-MTA: "), rows[i].want);
		free(status);
		message_free(&w.m);
	}
}

TEST(what_people_are_told)
{
	static const char doubt[] = "It may have been delivered all the same";
	struct world w;
	char *all;

	setup(&w, MESSAGE, strlen(MESSAGE));
	outcome(&w.r[0], OUTCOME_DEFERRED, ERR_CONNECT, 0, "connection lost");
	check_has(&w, "No server took it in time.");
	all = report(&w, 4096);
	CHECK(strstr(all, doubt) == NULL);
	free(all);
	w.r[0].outcome.in_doubt = true;
	check_has(&w, doubt);
	w.r[0].outcome.in_doubt = false;
	w.rcpt[0].in_doubt = true;
	check_has(&w, doubt);
	outcome(&w.r[0], OUTCOME_FAILED, ERR_REPLY, 451, "451 Later");
	all = report(&w, 4096);
	CHECK(strstr(all, "in time") == NULL);
	free(all);
	w.r[0].outcome.err.enhanced = (struct enhanced){ 5, 4, 7 };
	check_has(&w, "No server took it in time.");
	w.r[0].outcome.err.enhanced = (struct enhanced){ 0 };
	outcome(&w.r[0], OUTCOME_PENDING, ERR_NONE, 0, "");
	w.rcpt[0].tried = 0;
	check_has(&w, "    No server was asked to take it.\n");
	message_free(&w.m);
}

TEST(a_host_is_named_once)
{
	static const struct {
		const char *host, *ip, *text, *want;
		int code;
	} rows[] = {
		{ "mx.y.test", "203.0.113.5", "connection lost",
		    "\n    mx.y.test (203.0.113.5): connection lost\n", 0 },
		{ "mx.y.test", "203.0.113.5", "mx.y.test does not answer",
		    "\n    mx.y.test does not answer\n", 0 },
		{ "mx.y.test", "", "550 mx.y.test: no",
		    "\n    mx.y.test answered: 550 mx.y.test: no\n", 550 },
		{ "", "203.0.113.5", "lost", "\n    203.0.113.5: lost\n", 0 },
		{ "203.0.113.5", "203.0.113.5", "550 No",
		    "\n    203.0.113.5 answered: 550 No\n", 550 },
		{ "", "", "no memory", "\n    no memory\n", 0 },
	};
	struct world w;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		setup(&w, MESSAGE, strlen(MESSAGE));
		outcome(&w.r[0], OUTCOME_FAILED, ERR_REPLY, rows[i].code,
		    rows[i].text);
		snprintf(
		    w.r[0].outcome.host, OUTCOME_HOST_MAX, "%s", rows[i].host);
		snprintf(w.r[0].outcome.ip, OUTCOME_IP_MAX, "%s", rows[i].ip);
		check_has(&w, rows[i].want);
		message_free(&w.m);
	}
}

TEST(many_recipients_are_not_all_named_to_people)
{
	struct dsn_rcpt rcpt[60];
	struct world w;
	size_t i;

	setup(&w, MESSAGE, strlen(MESSAGE));
	outcome(&w.r[0], OUTCOME_FAILED, ERR_REPLY, 550, "550 No");
	for (i = 0; i < 60; i++)
		rcpt[i] = w.rcpt[0];
	w.config.rcpt = rcpt;
	w.config.n = 60;
	check_has(&w, "\n  and 10 more, which are named in the next part.\n");
	message_free(&w.m);
}

/* ---- who gets one ---- */

TEST(notify)
{
	/* By kind: failed, delayed, relayed. */
	static const struct {
		unsigned notify;
		enum outcome_state state;
		bool want[DSN_KINDS];
	} rows[] = {
		{ 0, OUTCOME_FAILED, { true, false, false } },
		{ 0, OUTCOME_DEFERRED, { true, true, false } },
		{ 0, OUTCOME_PENDING, { true, true, false } },
		{ 0, OUTCOME_QUEUED, { true, true, false } },
		{ 0, OUTCOME_DELIVERED, { false, false, false } },
		{ NOTIFY_NEVER, OUTCOME_FAILED, { false, false, false } },
		{ NOTIFY_NEVER, OUTCOME_DEFERRED, { false, false, false } },
		{ NOTIFY_NEVER, OUTCOME_DELIVERED, { false, false, false } },
		{ NOTIFY_FAILURE, OUTCOME_FAILED, { true, false, false } },
		{ NOTIFY_FAILURE, OUTCOME_DEFERRED, { true, false, false } },
		{ NOTIFY_DELAY, OUTCOME_FAILED, { false, false, false } },
		{ NOTIFY_DELAY, OUTCOME_DEFERRED, { false, true, false } },
		{ NOTIFY_SUCCESS, OUTCOME_FAILED, { false, false, false } },
		{ NOTIFY_SUCCESS, OUTCOME_DEFERRED, { false, false, false } },
		{ NOTIFY_SUCCESS, OUTCOME_DELIVERED, { false, false, true } },
		{ NOTIFY_SUCCESS | NOTIFY_FAILURE, OUTCOME_FAILED,
		    { true, false, false } },
	};
	struct envelope env = { .sender = { .raw = sender_raw } };
	struct recipient r = { 0 };
	char null[] = "";
	size_t i;
	int kind;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (kind = 0; kind < DSN_KINDS; kind++) {
			r.notify = rows[i].notify;
			r.outcome.state = rows[i].state;
			r.outcome.left_out = CAP_DSN;
			env.sender.raw = sender_raw;
			CHECK_INT(dsn_wanted((enum dsn_kind)kind, &env, &r),
			    rows[i].want[kind]);
			/* RFC 5321 4.5.5: never to nobody. */
			env.sender.raw = null;
			CHECK(!dsn_wanted((enum dsn_kind)kind, &env, &r));
			env.sender.raw = NULL;
			CHECK(!dsn_wanted((enum dsn_kind)kind, &env, &r));
		}
}

TEST(a_server_with_dsn_reports_itself)
{
	struct envelope env = { .sender = { .raw = sender_raw } };
	struct recipient r = { .notify = NOTIFY_SUCCESS,
		.outcome = { .state = OUTCOME_DELIVERED } };

	CHECK(!dsn_wanted(DSN_RELAYED, &env, &r));
}

/* ---- what is returned ---- */

static const struct {
	const char *message;
	enum dsn_return ret;
	const char *part; /* the returned one, to its end */
} returned_rows[] = {
	{ "A: b\n\nbody\n", RETURN_UNSAID,
	    "Content-Type: text/rfc822-headers\n"
	    "Content-Transfer-Encoding: 7bit\n\nA: b\n" },
	{ "A: b\n\nbody\n", RETURN_HDRS,
	    "Content-Type: text/rfc822-headers\n"
	    "Content-Transfer-Encoding: 7bit\n\nA: b\n" },
	{ "A: b\n\nno end", RETURN_FULL,
	    "Content-Type: message/rfc822\n"
	    "Content-Transfer-Encoding: 7bit\n\nA: b\n\nno end" },
	{ "A: b\n\ncr\r", RETURN_FULL,
	    "Content-Type: message/rfc822\n"
	    "Content-Transfer-Encoding: 7bit\n\nA: b\n\ncr\r\n" },
	{ "A: b\n", RETURN_FULL,
	    "Content-Type: message/rfc822\n"
	    "Content-Transfer-Encoding: 7bit\n\nA: b\n" },
	{ "A: b\n\ngr\303\274n\n", RETURN_FULL,
	    "Content-Type: message/rfc822\n"
	    "Content-Transfer-Encoding: 8bit\n\nA: b\n\ngr\303\274n\n" },
	{ "A: b\n\ngr\303\274n\n", RETURN_HDRS,
	    "Content-Type: text/rfc822-headers\n"
	    "Content-Transfer-Encoding: 7bit\n\nA: b\n" },
	/* Mended: as servers got it. */
	{ "Subject: gr\303\274n\n\nb\n", RETURN_FULL,
	    "Content-Type: message/rfc822\nContent-Transfer-Encoding: 7bit\n\n"
	    "Subject: =?utf-8?B?Z3LDvG4=?=\n\nb\n" },
	/* Only SMTPUTF8 could take it. */
	{ "To: j\303\266rg@y.test\n\nb\n", RETURN_FULL,
	    "Content-Type: message/global\nContent-Transfer-Encoding: 8bit\n\n"
	    "To: j\303\266rg@y.test\n\nb\n" },
	{ "To: j\303\266rg@y.test\n\nb\n", RETURN_HDRS,
	    "Content-Type: message/global-headers\n"
	    "Content-Transfer-Encoding: 8bit\n\nTo: j\303\266rg@y.test\n" },
	/* Nothing could. */
	{ "Received: \377=\n\nb\n", RETURN_FULL,
	    "Content-Type: text/rfc822-headers\n"
	    "Content-Transfer-Encoding: quoted-printable\n\n"
	    "Received: =FF=3D\r\n" },
};

TEST(what_is_returned)
{
	struct world w;
	char *all, *part;
	size_t i;

	for (i = 0; i < sizeof returned_rows / sizeof returned_rows[0]; i++) {
		setup(&w, returned_rows[i].message,
		    strlen(returned_rows[i].message));
		w.env.dsn_return = returned_rows[i].ret;
		all = report(&w, 3);
		part = strstr(all, "delivery-status\nContent-T");
		part = part == NULL ? NULL : strstr(part, "\n--" BOUNDARY "\n");
		CHECK(part != NULL);
		if (part != NULL) {
			part += strlen("\n--" BOUNDARY "\n");
			*strstr(part, "\n--" BOUNDARY "--\n") = '\0';
			CHECK_STR(part, returned_rows[i].part);
		}
		free(all);
		message_free(&w.m);
	}
}

TEST(whole_only_if_it_may)
{
	char text[2000] = "A: b\n\n";
	struct world w;

	setup(&w, "A: b\n\nbody\n", 11);
	w.env.dsn_return = RETURN_FULL;
	w.config.headers_only = true;
	check_has(&w, "Content-Type: text/rfc822-headers\n");
	message_free(&w.m);
	memset(text + 6, 'x', MESSAGE_LINE_MAX + 1);
	setup(&w, text, strlen(text));
	w.env.dsn_return = RETURN_FULL;
	check_has(&w, "Content-Type: text/rfc822-headers\n");
	message_free(&w.m);
}

TEST(input_that_changed)
{
	struct octets o;
	struct world w;
	struct err e;
	char c;

	setup(&w, "A: b\n\nbody\n", 11);
	w.env.dsn_return = RETURN_FULL;
	CHECK_INT(dsn_open(&w.dsn, &w.config, &e), 0);
	o = dsn_octets(&w.dsn);
	w.src.n--;
	CHECK_INT(o.read(o.ctx, w.dsn.split + 4, &c, 1, &e), -1);
	CHECK_STR(e.text, "the message changed while it was returned");
	w.src.n += 2;
	CHECK_INT(o.read(o.ctx, o.size, &c, 1, &e), -1);
	w.src.changed = true;
	CHECK_INT(o.read(o.ctx, o.size, &c, 1, &e), -1);
	dsn_free(&w.dsn);
	CHECK_INT(dsn_open(&w.dsn, &w.config, &e), -1);
	CHECK_STR(e.text, "it changed");
	message_free(&w.m);
}

/* ---- UTF-8 ---- */

TEST(addresses_in_utf8)
{
	char to[] = "j\303\266rg+a@y.test", from[] = "\303\251@x.test";
	struct world w;
	char *status;

	setup(&w, MESSAGE, strlen(MESSAGE));
	outcome(&w.r[0], OUTCOME_FAILED, ERR_REPLY, 550, "550 \303\274");
	w.r[0].addr.raw = to;
	w.r[0].addr.needs_utf8 = true;
	w.r[0].orcpt = "UTF-8;\344\270\255@y.test";
	/* RFC 6533 3: ASCII for a sender who need not know UTF-8. */
	status = status_of(&w);
	CHECK(
	    strstr(status,
		"\nOriginal-Recipient: utf-8; \\x{4E2D}@y.test\n"
		"Final-Recipient: utf-8; j\\x{F6}rg\\x{2B}a@y.test\n") != NULL);
	CHECK(strstr(status, "\nDiagnostic-Code: smtp; 550 \\xC3\\xBC\n") !=
	    NULL);
	free(status);
	check_has(&w, "\n  <j\303\266rg+a@y.test>\n");
	check_has(&w, "Content-Type: message/delivery-status\n");
	w.env.sender.raw = from;
	w.env.sender.needs_utf8 = true;
	status = status_of(&w);
	CHECK(strstr(status,
		  "\nOriginal-Recipient: utf-8; \344\270\255@y.test\n"
		  "Final-Recipient: utf-8; j\303\266rg\\x{2B}a@y.test\n") !=
	    NULL);
	free(status);
	check_has(&w,
	    "Content-Type: message/global-delivery-status\n"
	    "Content-Transfer-Encoding: 8bit\n");
	check_has(&w, "\nTo: \303\251@x.test\n");
	message_free(&w.m);
}

TEST(original_recipients)
{
	static const struct {
		const char *orcpt, *want;
	} rows[] = {
		{ "rfc822;a b@y.test", "rfc822; a b@y.test" },
		{ "a@y.test", "rfc822; a@y.test" },
		{ "x400;/C=de", "x400; /C=de" },
		{ "utf-8;a+b", "utf-8; a\\x{2B}b" },
	};
	struct world w;
	char *status;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		setup(&w, MESSAGE, strlen(MESSAGE));
		w.r[0].orcpt = rows[i].orcpt;
		status = status_of(&w);
		CHECK_STR(
		    field_of(status, "\nOriginal-Recipient: "), rows[i].want);
		free(status);
		message_free(&w.m);
	}
}

/* ---- nothing gets in ---- */

static void
check_lines(const char *all)
{
	size_t len;

	for (; *all != '\0'; all += len + (all[len] == '\n')) {
		len = strcspn(all, "\n");
		CHECK(len <= MESSAGE_LINE_MAX);
		CHECK(memchr(all, '\r', len) == NULL);
		CHECK(memchr(all, '\033', len) == NULL);
	}
}

TEST(hostile_words)
{
	static const char *const words[] = {
		"550 no\r\nBcc: x@z.test\r\n\r\n--" BOUNDARY "\r\n",
		"550 no\nAction: delivered\n\nAction: delivered",
		"550 \033]0;title\007\033[2J\302\233",
		"550 \377\376\200 \342\200\256drow",
	};
	struct world w;
	char *all;
	size_t i;

	for (i = 0; i < sizeof words / sizeof words[0]; i++) {
		setup(&w, MESSAGE, strlen(MESSAGE));
		outcome(&w.r[0], OUTCOME_FAILED, ERR_REPLY, 550, words[i]);
		w.r[0].orcpt = words[i];
		w.env.envid = words[i];
		snprintf(w.r[0].outcome.host, OUTCOME_HOST_MAX, "%s", words[i]);
		all = report(&w, 4096);
		check_lines(all);
		CHECK(strstr(all, "\nBcc") == NULL);
		CHECK(strstr(all, "\nAction: delivered") == NULL);
		free(all);
		message_free(&w.m);
	}
}

TEST(long_words)
{
	char text[2049], word[2049];
	struct world w;
	char *all;
	size_t i;

	for (i = 0; i < sizeof text - 2; i += 2)
		memcpy(text + i, "\303\274", 2);
	text[i] = '\0';
	memset(word, 'x', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	for (i = 0; i < 2; i++) {
		setup(&w, MESSAGE, strlen(MESSAGE));
		memcpy(w.r[0].outcome.err.text, text, ERR_TEXT_MAX - 1);
		w.r[0].outcome.err.code = 550;
		w.r[0].addr.raw = i == 0 ? text : word;
		w.r[0].orcpt = i == 0 ? text : word;
		w.env.envid = word;
		w.env.sender.raw = i == 0 ? text : word;
		all = report(&w, 4096);
		check_lines(all);
		free(all);
		message_free(&w.m);
	}
}

TEST(a_message_id_that_is_none)
{
	static const char *const messages[] = {
		"Message-ID: none\n\n",
		"Message-ID: <a b@x>\n\n",
		"Message-ID: <\303\274@x>\n\n",
		"Message-ID:\n\n",
	};
	struct world w;
	char *all;
	size_t i;

	for (i = 0; i < sizeof messages / sizeof messages[0]; i++) {
		setup(&w, messages[i], strlen(messages[i]));
		all = report(&w, 4096);
		CHECK(strstr(all, "In-Reply-To") == NULL);
		CHECK(strstr(all, "References") == NULL);
		free(all);
		message_free(&w.m);
	}
}

TEST_MAIN
