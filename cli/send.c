/*
 * send: see send.h. Options to envelope and config, submit, report.
 * Callers: the faces of cli. It speaks no protocol.
 * Defaults: the man page, sections OPTIONS and FILES.
 * Ownership: see send.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/observer.h"
#include "base/wait.h"
#include "cli/deadletter.h"
#include "cli/log.h"
#include "cli/report.h"
#include "cli/run.h"
#include "cli/send.h"
#include "cli/telling.h"
#include "cli/wishes.h"
#include "mail/author.h"
#include "mail/header.h"
#include "queue/submit.h"
#include "store/body.h"

#define TMPDIR "/var/tmp"

static const struct settings *
settings(const struct send *r)
{
	return &accounts_chosen(&r->accounts)->settings;
}

/* ---- the envelope ---- */

/* Callers of sendmail know names without a domain. */
static unsigned
bare(const struct options *o)
{
	return o->face.is_sendmail ? ADDRESS_BARE : 0;
}

void
send_domain(const struct send *r, char out[MACHINE_NAME_MAX])
{
	const char *domain = settings(r)->at[SET_MAILDOMAIN].text;

	if (domain != NULL)
		snprintf(out, MACHINE_NAME_MAX, "%s", domain);
	else
		machine_any_domain(out);
}

int
send_qualify(const struct send *r, struct address *a, struct err *e)
{
	char domain[MACHINE_NAME_MAX], whole[MACHINE_ADDRESS_MAX];
	struct address made;

	if (a->kind != DOMAIN_NONE || a->raw[0] == '\0')
		return 0;
	send_domain(r, domain);
	snprintf(whole, sizeof whole, "%s@%s", a->raw, domain);
	if (address_parse(&made, whole, strlen(whole), 0, e) == -1)
		return -1;
	address_free(a);
	*a = made;
	return 0;
}

static int
parse_sender(struct send *r, const char *s, bool found, struct err *e)
{
	const struct account *a = accounts_chosen(&r->accounts);
	char place[SETTING_PLACE_MAX];
	struct err why;

	if (address_parse(&r->env.sender, s, strlen(s),
		ADDRESS_NULL | bare(r->o), &why) == 0)
		return send_qualify(r, &r->env.sender, e);
	/* This machine cannot say whether it is one. */
	if (why.verdict == ERR_TEMP)
		return err_set(
		    e, why.verdict, why.kind, "the sender: %s", why.text);
	if (found && a->settings.at[SET_FROM].text != NULL)
		return err_set(e, ERR_PERM, ERR_CONFIG, "%s: %s",
		    settings_place(&a->settings, SET_FROM, place), why.text);
	return err_set(e, ERR_PERM, ERR_USAGE, "the sender: %s", why.text);
}

/* A machine without a name has mail for its users all the same, and a
 * container users without one. NULL: that is not what was called. */
static const char *
any_sender(struct send *r, char room[MACHINE_ADDRESS_MAX])
{
	char domain[MACHINE_NAME_MAX];
	struct err e;

	if (!r->o->face.is_sendmail)
		return NULL;
	send_domain(r, domain);
	if (machine_sender(domain, room, &e) == -1)
		snprintf(room, MACHINE_ADDRESS_MAX, "postmaster@%s", domain);
	return room;
}

int
send_sender(struct send *r, struct err *e)
{
	char room[MACHINE_ADDRESS_MAX];
	const char *sender =
	    account_sender(accounts_chosen(&r->accounts), r->o->from, room, e);

	if (sender == NULL)
		sender = any_sender(r, room);
	if (sender != NULL)
		return parse_sender(r, sender, sender != r->o->from, e);
	/* Nothing is sent: it matters only if From must be made of it. */
	return r->o->export.wanted ? parse_sender(r, "", false, e) : -1;
}

/* Addresses of one argument; `option` is NULL for an operand. */
struct named {
	struct envelope *env;
	const char *option;
};

static int
add_recipient(void *ctx, const char *item, size_t n, struct address *a,
    const struct err *why)
{
	const struct named *by = ctx;
	struct err e;

	if (a != NULL)
		return envelope_add(by->env, a, item, n) == -1 ? -1 : 0;
	if (by->option == NULL)
		return envelope_add_failed(by->env, item, n, why);
	/* Positions count from the option's value. */
	e = *why;
	err_set(&e, why->verdict, why->kind, "--%s: %s", by->option, why->text);
	e.enhanced = why->enhanced;
	e.stage = why->stage;
	e.scope = why->scope;
	return envelope_add_failed(by->env, item, n, &e);
}

static int
fill_submitter(struct send *r, struct err *e)
{
	const char *s = settings(r)->at[SET_SUBMITTER].text;
	char place[SETTING_PLACE_MAX];
	struct err why;

	if (s == NULL ||
	    address_parse(
		&r->env.submitter, s, strlen(s), ADDRESS_NULL, &why) == 0)
		return 0;
	return err_set(e, ERR_PERM,
	    settings(r)->at[SET_SUBMITTER].from.file == NULL ? ERR_USAGE
							     : ERR_CONFIG,
	    "%s: %s", settings_place(settings(r), SET_SUBMITTER, place),
	    why.text);
}

/* What is asked of servers beyond delivery, for the recipients to come. */
int
send_wishes(struct send *r, struct err *e)
{
	const struct settings *s = settings(r);

	r->env.notify = (unsigned)s->at[SET_DSN_NOTIFY].number;
	r->env.dsn_return = (enum dsn_return)s->at[SET_DSN_RETURN].number;
	r->env.envid = s->at[SET_ENVID].text;
	if (s->at[SET_BY_TIME].text != NULL)
		wish_by(s->at[SET_BY_TIME].text, &r->env.by);
	r->env.by.since = wait_now();
	r->env.hold_for = s->at[SET_HOLD_FOR].number;
	r->env.hold_until = s->at[SET_HOLD_UNTIL].number;
	r->env.has_priority = s->at[SET_PRIORITY].text != NULL;
	r->env.priority = (int)s->at[SET_PRIORITY].number;
	if (r->env.hold_for > 0 && r->env.hold_until > 0)
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "--hold-for and --hold-until: give one of them");
	return fill_submitter(r, e);
}

/* One original recipient cannot be that of several. */
static int
fill_orcpt(struct send *r, struct err *e)
{
	const char *orcpt = settings(r)->at[SET_ORCPT].text;

	if (orcpt == NULL)
		return 0;
	if (r->env.n != 1 || r->o->read_recipients)
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "--orcpt \"%.200s\": it is for one recipient; give just one, "
		    "and no -t",
		    orcpt);
	r->env.rcpts[0].orcpt = orcpt;
	return 0;
}

static int
find_recipients(struct send *r, struct err *e)
{
	/* Names without a domain are some only where somebody knows them. */
	const unsigned flags = ADDRESS_POSTMASTER |
	    (locals_are_on(&r->naming.config) ? ADDRESS_BARE : 0u);
	const struct options *o = r->o;
	const struct texts lists[] = { { o->operands, o->noperands }, o->to,
		o->cc, o->bcc };
	static const char *const options[] = { NULL, "to", "cc", "bcc" };
	struct named by = { .env = &r->env };
	size_t i, k;

	for (i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		by.option = options[i];
		for (k = 0; k < lists[i].n; k++)
			if (address_each(lists[i].v[k], strlen(lists[i].v[k]),
				flags, add_recipient, &by) != 0)
				return err_set(
				    e, ERR_TEMP, ERR_MACHINE, "no memory");
		if (i == 1)
			r->nlisted = r->env.n;
	}
	if (r->env.n == 0 && !r->o->read_recipients && !r->o->export.wanted)
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "no recipient; give one as an argument%s, or -t to take "
		    "those of the message; see --help",
		    o->face.is_sendmail ? "" : " or by --to");
	return fill_orcpt(r, e);
}

/* ---- callbacks ---- */

static void
on_line(void *ctx, const struct deliver_line *line)
{
	const struct send *r = ctx;

	report_live_line(r->face->waiter, line);
}

static int
on_secret(void *ctx, const struct relay *relay, bool again, struct err *e)
{
	struct send *r = ctx;
	int got = accounts_fetch(&r->accounts, relay, again, e);

	/* The runner may have what we lack. */
	if (got == -1 && keeping_by_machine(&r->keeping))
		e->verdict = ERR_TEMP;
	return got;
}

static void
on_secret_done(void *ctx, const struct relay *relay)
{
	struct send *r = ctx;

	accounts_forget(&r->accounts, relay);
}

static bool
letter_holds(const void *letter, const struct stat *file)
{
	return letter_reads(letter, file);
}

/* No signal is blocked yet. */
static void
on_note(void *ctx, const char *text)
{
	const struct deliver_line line = {
		.from = LINE_NOTE, .s = text, .n = strlen(text)
	};

	(void)ctx;
	report_line(stderr, &line);
}

static const char *
full_name(void *ctx)
{
	struct send *r = ctx;

	return completion_full_name(&r->completion);
}

/* A plan's exit code: nothing was sent, so the open ones count for nothing. */
int
send_plan_exit(const struct envelope *env)
{
	int code = 0;
	size_t i;

	for (i = 0; i < env->n; i++) {
		const struct outcome *o = &env->rcpts[i].outcome;

		if (o->state == OUTCOME_FAILED)
			return err_exit(&o->err);
		if (o->state == OUTCOME_DEFERRED && code == 0)
			code = err_exit(&o->err);
	}
	return code;
}

static int
on_plan(void *ctx, const struct plan *p, const struct envelope *env,
    const struct message *m)
{
	struct send *r = ctx;

	r->planned = true;
	if (r->o->json)
		report_plan_json(stdout, p, env, m, send_plan_exit(env));
	else
		report_plan(stdout, p, env, m);
	/* A long one may be lost before the flush, which then does well. */
	if (fflush(stdout) == EOF || ferror(stdout))
		r->unwritten = errno;
	return 1;
}

static int
on_complete(void *ctx, const struct message *m, struct err *e)
{
	struct send *r = ctx;
	struct export x = r->o->export;

	r->planned = true;
	x.utf8 = envelope_uses_utf8(&r->env, NULL, r->env.n);
	x.reads = letter_holds;
	x.source = &r->letter;
	x.notes = r->o->verbose ? stderr : NULL;
	return export_write(&x, m, e);
}

/* ---- the run ---- */

static bool
keeps_bcc(const struct options *o, const struct settings *s)
{
	const struct setting *remove = &s->at[SET_REMOVE_BCC];

	return o->keep_bcc || (remove->text != NULL && remove->number == 0);
}

static struct submit_config
config(struct send *r)
{
	const struct options *o = r->o;
	struct account *chosen = accounts_chosen(&r->accounts);
	const struct relay *relay = &chosen->relay;
	/* Others may mean a server's mailboxes by such names. */
	const bool by_default = o->face.is_sendmail;
	struct submit_config c = {
		.mx = { .family = o->family,
		    .overrides = o->overrides,
		    .noverrides = o->noverrides,
		    .dns = { .nameserver = o->nameserver,
			.timeout = relay->timeout },
		    .random = machine_random },
		.by = { .relay = relay,
		    .rules = r->accounts.rules,
		    .nrules = r->accounts.nrules,
		    .local = locally_relay(&chosen->locally, by_default) },
		.deliver = { .worker = { .waiter = r->face->waiter,
				 .show_lines = o->verbose },
		    .jobs = o->jobs,
		    .on_line = on_line,
		    .on_secret = on_secret,
		    .on_secret_done = on_secret_done,
		    .ctx = r },
		.read_recipients = o->read_recipients,
		.hops = o->face.hops,
		.gateway = o->face.gateway,
		.keep_bcc =
		    keeps_bcc(o, &accounts_chosen(&r->accounts)->settings),
		.full_name = full_name,
		.on_complete = o->export.wanted ? on_complete : NULL,
		.on_plan = o->dry_run ? on_plan : NULL,
		.ctx = r,
	};

	return c;
}

static int
prepare(struct send *r, const struct submit_config *c, struct err *e)
{
	if (!r->o->export.wanted && mx_check(&c->mx, &c->by, e) == -1)
		return -1;
	if (send_sender(r, e) == -1)
		return -1;
	if (send_wishes(r, e) == -1)
		return -1;
	return find_recipients(r, e);
}

/* Some callers of sendmail show, or mail, whatever it says: nothing of what
 * went well, or may by itself. The log has it. */
static bool
is_quiet(const struct send *r)
{
	return r->o->face.is_sendmail && !r->o->verbose;
}

/* What the queue has taken, or should have. */
static void
say_queued(struct send *r)
{
	char text[ERR_TEXT_MAX + 32];

	if (r->keeping.one_try != NULL && r->o->verbose) {
		snprintf(text, sizeof text,
		    "the queue is off: --%s is for one try",
		    r->keeping.one_try);
		on_note(r, text);
	}
	if (r->keeping.lost.verdict != ERR_OK) {
		snprintf(
		    text, sizeof text, "not queued: %s", r->keeping.lost.text);
		report_warning(stderr, text);
	}
	if (r->env.queue_id[0] == '\0')
		return;
	snprintf(text, sizeof text, "queued as %s", r->env.queue_id);
	if (r->o->verbose)
		on_note(r, text);
	report_queued(stderr, &r->env, r->o->verbose);
	if (wait_stopped(r->face->waiter)) {
		snprintf(text, sizeof text,
		    "interrupted: what is left is queued as %s",
		    r->env.queue_id);
		report_warning(stderr, text);
	}
}

/* Longest Message-ID that the log shows, octets. */
#define ID_MAX 256

void
send_log(const struct send *r, const struct message *m)
{
	struct log log = { .by_syslog = r->o->face.is_sendmail,
		.tag = r->o->face.tag,
		.warnings = stderr };
	struct log_try t = { .id = r->env.queue_id,
		.env = &r->env,
		.delay = wait_now() - r->began };
	struct field f = { 0 };
	struct buf id;
	size_t i;

	buf_init(&id, ID_MAX);
	if (header_find(buf_str(&m->header), m->header.len, "Message-ID", &f))
		header_unfold(&id, &f);
	t.message_id = buf_str(&id);
	for (i = 0; i < r->env.n; i++)
		log_recipient(&log, &accounts_chosen(&r->accounts)->log, &t,
		    &r->env.rcpts[i]);
	buf_free(&id);
}

/* The exit code, once everything is decided and said. */
static int
finish(struct send *r, const struct message *m)
{
	int code =
	    r->planned ? send_plan_exit(&r->env) : telling_exit(r->o, &r->env);

	/* All is decided: what waits for a reader now may be interrupted. */
	sigprocmask(SIG_SETMASK, &r->face->waiter->mask, NULL);
	if (!r->planned)
		send_log(r, m);
	if (!is_quiet(r))
		report_left_out(stderr, &r->env);
	if (code != 0 || !is_quiet(r))
		report_failures(stderr, &r->env);
	say_queued(r);
	if (r->o->json && !r->planned)
		report_json(stdout, &r->env, message_size(m), code);
	/* Only where output is the product does its loss count. */
	if (r->unwritten != 0) {
		struct err e;

		err_errno(&e, ERR_PERM, ERR_OUTPUT, r->unwritten,
		    "cannot write the plan");
		report_error(stderr, &e);
		return err_exit(&e);
	}
	return code;
}

void
send_drain(void)
{
	char block[65536];
	ssize_t got;

	if (isatty(STDIN_FILENO))
		return;
	do
		got = read(STDIN_FILENO, block, sizeof block);
	while (got > 0 ||
	    (got == -1 &&
		(errno == EINTR ||
		    (errno == EAGAIN &&
			wait_fd(NULL, STDIN_FILENO, POLLIN, INT64_MAX) > 0))));
}

int
send_fail(const struct err *e)
{
	report_error(stderr, e);
	send_drain();
	return err_exit(e);
}

const char *
send_tmpdir(void)
{
	const char *tmp = getenv("TMPDIR");

	return tmp != NULL && tmp[0] == '/' ? tmp : TMPDIR;
}

/* A face that ends at a dot has its accounts before it reads. */
static enum body_dots
dots(const struct send *r)
{
	const struct setting *strip;

	if (!r->o->face.ends_at_dot)
		return BODY_DOTS_KEPT;
	if (r->accounts.n == 0)
		return BODY_DOTS_STRIP;
	strip = &settings(r)->at[SET_STRIP_DOTS];
	return strip->text != NULL && strip->number == 0 ? BODY_DOTS_END
							 : BODY_DOTS_STRIP;
}

static void
say_that_we_wait(const struct send *r)
{
	fprintf(stderr, "smtpsend: reading the %s from the terminal; %s it\n",
	    r->letter.composing ? "text" : "message",
	    r->o->face.ends_at_dot ? "a line with a dot, or Ctrl-D, ends"
				   : "Ctrl-D ends");
}

/* What is wrong with the message is told with the recipients' outcomes. */
static void
read_message(struct send *r, struct submission *s)
{
	const struct letter *l = &r->letter;
	struct input_config c = { .fd = STDIN_FILENO,
		.tmpdir = send_tmpdir(),
		.dots = dots(r),
		.compose = l->composing ? &l->compose : NULL,
		.edits = l->edits,
		.nedits = l->nedits,
		.on_note = r->o->verbose ? on_note : NULL };
	struct err e;

	if (isatty(STDIN_FILENO))
		say_that_we_wait(r);
	submission_read(s, &c, &e);
}

/* As if it had been given by -f. */
static int
take_author(struct send *r, const struct submission *s, struct err *e)
{
	const struct buf *h = &s->message.header;

	if (s->err.verdict != ERR_OK) {
		*e = s->err;
		return -1;
	}
	if (author_read(&r->author, buf_str(h), h->len, e) == -1)
		return -1;
	r->o->from = r->author.raw;
	return 0;
}

int
send_open(struct send *r, struct submit_config *c, struct err *e)
{
	if (accounts_open(&r->accounts, r->o, r->face->waiter, e) == -1)
		return -1;
	if (signing_make(
		&r->signing, &accounts_chosen(&r->accounts)->settings, e) == -1)
		return -1;
	r->signing.waiter = r->face->waiter;
	r->signing.on_ask = r->face->on_deliver;
	r->signing.ctx = r->face->ctx;
	*c = config(r);
	naming_make(&r->naming, settings(r), &c->by, r->o->face.is_sendmail);
	c->locals = r->naming.config;
	c->sign = r->signing.config;
	c->sign.on_note = r->o->verbose ? on_note : NULL;
	c->on_deliver = r->face->on_deliver;
	if (keeping_make(&r->keeping, r->o, &r->accounts, e) == -1)
		return -1;
	accounts_chosen(&r->accounts)->locally.config.is_left =
	    r->keeping.leaves;
	c->keep = keeping_config(&r->keeping);
	return 0;
}

/* The domain of senders as a header has it, or NULL. */
static const char *
origin(struct send *r)
{
	char domain[MACHINE_NAME_MAX], whole[MACHINE_NAME_MAX + 2];
	struct err e;

	send_domain(r, domain);
	snprintf(whole, sizeof whole, "x@%s", domain);
	address_free(&r->origin);
	if (address_parse(&r->origin, whole, strlen(whole), 0, &e) == -1)
		return NULL;
	return r->origin.raw + r->origin.local_len + 1;
}

void
send_complete(struct send *r, struct submit_config *c)
{
	const struct address *sender = &r->env.sender;
	const bool is_null = sender->raw == NULL || sender->raw[0] == '\0';
	char room[MACHINE_ADDRESS_MAX];

	c->is_new = r->o->face.is_sendmail && !r->o->face.gateway;
	c->qualify = c->is_new ? origin(r) : NULL;
	c->nlisted = r->nlisted;
	c->complete =
	    completion_make(&r->completion, accounts_chosen(&r->accounts),
		sender, is_null ? any_sender(r, room) : NULL);
	c->complete.on_note = r->o->verbose ? on_note : NULL;
}

/* All that comes before the message's way; it may say by which account. */
static int
begin(struct send *r, struct submission *s, struct submit_config *c,
    struct err *e)
{
	bool first = r->o->read_envelope_from;

	if (letter_open(&r->letter, r->o, send_tmpdir(), e) == -1)
		return -1;
	machine_random(
	    r->letter.compose.random, sizeof r->letter.compose.random);
	if (first)
		read_message(r, s);
	if (first && take_author(r, s, e) == -1)
		return -1;
	if (send_open(r, c, e) == -1)
		return -1;
	if (prepare(r, c, e) == -1)
		return -1;
	send_complete(r, c);
	if (!first)
		read_message(r, s);
	return 0;
}

/* Its time counts from now: the message is there. */
static void
begin_try(struct send *r, struct submit_config *c)
{
	c->keep.failed_too = telling_reports(r->o, &r->env);
	r->hurried = *r->face->waiter;
	r->hurried.bound = keeping_bound(&r->keeping, r->o, settings(r));
	c->deliver.worker.bound = r->hurried.bound;
	r->accounts.waiter = &r->hurried;
}

/* Who is told by mail, and cannot be, is left what was read. */
static void
leave_letter(const struct send *r, const struct submission *s)
{
	const struct octets letter = { body_octets, s->body,
		body_size(s->body) };
	const char *sender = r->env.sender.raw;
	char path[MACHINE_PATH_MAX], text[MACHINE_PATH_MAX + ERR_TEXT_MAX];
	struct err e;

	if (deadletter_add(&letter, sender != NULL ? sender : "",
		r->face->waiter, path, &e) == 0)
		snprintf(
		    text, sizeof text, "the message was added to %s", path);
	else
		snprintf(
		    text, sizeof text, "the message is not kept: %s", e.text);
	report_warning(stderr, text);
}

/* The same where nothing was sent for a reason that will stay. */
static void
leave_unsent(struct send *r, struct submission *s, const struct err *e)
{
	if (r->o->face.tell == TELL_PRINT || e->verdict != ERR_PERM)
		return;
	if (s->body == NULL && s->err.verdict == ERR_OK &&
	    !isatty(STDIN_FILENO))
		read_message(r, s);
	if (s->body != NULL)
		leave_letter(r, s);
}

/* What was read was so to its end, or to that of the message. */
static int
fail(struct send *r, struct submission *s, const struct err *e)
{
	report_error(stderr, e);
	leave_unsent(r, s, e);
	if (s->body == NULL)
		send_drain();
	return err_exit(e);
}

static int
send_it(struct send *r, struct submission *s)
{
	struct submit_config c;
	struct err e;
	int code, got = begin(r, s, &c, &e);
	bool begun = got == 0;

	if (begun) {
		begin_try(r, &c);
		got = submit(&c, s, &r->env, &e);
	}
	if (begun && s->body == NULL)
		send_drain();
	/* What is wrong with the call, or with an export, is no recipient's
	 * affair, and is said once. */
	if (got == -1 &&
	    (!begun || r->env.n == 0 || r->o->export.wanted ||
		e.kind == ERR_USAGE))
		return fail(r, s, &e);
	code = finish(r, &s->message);
	if (s->body != NULL && telling_falls_short(r->o, &r->env))
		leave_letter(r, s);
	return code;
}

int
send_message(struct send *r)
{
	struct submission s = { 0 };
	int code = send_it(r, &s);

	submission_free(&s);
	if (r->env.queue_id[0] != '\0' && r->o->face.attempt != ATTEMPT_NONE)
		run_in_background(
		    r->face, r->o, settings(r), &r->keeping.place);
	return code;
}

void
send_init(struct send *r, struct options *o, const struct run_face *face)
{
	*r = (struct send){ .o = o, .face = face, .began = wait_now() };
	envelope_init(&r->env);
}

void
send_free(struct send *r)
{
	letter_free(&r->letter);
	completion_free(&r->completion);
	signing_free(&r->signing);
	accounts_free(&r->accounts);
	address_free(&r->author);
	address_free(&r->origin);
	envelope_free(&r->env);
}
