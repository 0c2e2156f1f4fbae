/*
 * proto: see proto.h. The dialogue is a table of steps, one row each: what
 * is sent, how its reply is taken, how long it may take, how far trouble
 * reaches. Two cursors walk it: `cmd` is the next command to send, `sent`
 * holds those whose replies are awaited. Lock-step is a window of one.
 * The steps up to AUTH are hello.c's; those of a transaction are here.
 * RFC 5321 3.3, 4.1.1, 4.5.3.2; RFC 2033; 9422.
 * Callers: worker.c, cli/look.c, cli/export.c. Ownership: see proto.h, step.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "base/err.h"
#include "base/wait.h"
#include "hello.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "net/io.h"
#include "net/tls.h"
#include "params.h"
#include "proto.h"
#include "smtp/caps.h"
#include "step.h"
#include "wire.h"

/* Octets of a line of AUTH; tokens are long. */
#define AUTH_LINE_MAX (64 * 1024)

static const struct step_row steps[STEP_NONE];

/* What is asked of the server beyond addresses. */
static struct params
params(const struct session *s)
{
	return (struct params){ .env = s->t.env,
		.view = &s->t.view,
		.caps = &s->caps,
		.rcpts = s->t.todo,
		.n = s->t.ntodo,
		.now = wait_now() };
}

/* ---- outcomes ---- */

/* Decide a recipient, unless that was done, and say so. */
static void
decide(struct session *s, size_t rcpt, bool in_doubt, const struct err *e)
{
	struct outcome *o = &s->t.env->rcpts[rcpt].outcome;
	const struct params p = params(s);

	if (outcome_decide(o, e) == -1)
		return;
	s->taken |= e->kind == ERR_REPLY || e->verdict == ERR_OK;
	o->left_out = params_left_out(&p, rcpt);
	o->in_doubt = in_doubt;
	snprintf(o->host, sizeof o->host, "%s", s->cfg.host);
	snprintf(o->ip, sizeof o->ip, "%s", s->cfg.ip);
	o->port = s->cfg.port;
	o->tls = s->secure;
	if (s->wire.obs->on_outcome != NULL)
		s->wire.obs->on_outcome(s->wire.obs->ctx, rcpt, o);
}

static bool
pending(const struct session *s, size_t rcpt)
{
	return s->t.env->rcpts[rcpt].outcome.state == OUTCOME_PENDING;
}

/*
 * Decide all recipients of the message that are still open. Only those that
 * the server accepted can be in doubt, once the last octets went out.
 */
static void
decide_rest(struct session *s, const struct err *e)
{
	bool doubt = s->wire.final && e->kind != ERR_REPLY;
	size_t i;

	for (i = 0; i < s->t.naccepted; i++)
		decide(s, s->t.accepted[i], doubt, e);
	for (i = 0; i < s->t.n; i++)
		decide(s, s->t.rcpts[i], false, e);
}

/* ---- the loop ---- */

/* Send what the window and the next sync point allow. */
static int
send_some(struct session *s, struct err *e)
{
	struct cursor at;

	while (s->cmd.step != STEP_NONE && s->nsent < WINDOW) {
		at = s->cmd;
		s->sent[s->nsent++] = at;
		if (steps[at.step].sync)
			step_go(s, STEP_NONE, 0);
		if (steps[at.step].send(s, e) == -1)
			return step_trouble(s, at.step, e);
	}
	wire_deadline(&s->wire, steps[s->sent[0].step].seconds);
	if (wire_flush(&s->wire, e) == -1)
		return step_trouble(s, s->sent[0].step, e);
	return 0;
}

/* Take the reply to the oldest command. */
static int
take_one(struct session *s, struct err *e)
{
	struct cursor at = s->sent[0];

	if (wire_reply(&s->wire, e) == -1)
		return step_trouble(s, at.step, e);
	memmove(s->sent, s->sent + 1, --s->nsent * sizeof s->sent[0]);
	if (s->wire.reply.code == 421) {
		/* RFC 5321 3.8: it may come at any time and closes. */
		step_err(s, at.step, e);
		return step_trouble(s, at.step, e);
	}
	return steps[at.step].take(s, at, e);
}

/* From `first` until nothing is left to send and nothing to take. */
static int
run(struct session *s, enum step first, struct err *e)
{
	s->nsent = 0;
	step_go(s, first, 0);
	while (s->cmd.step != STEP_NONE || s->nsent > 0) {
		if (send_some(s, e) == -1)
			return -1;
		if (take_one(s, e) == -1)
			return -1;
	}
	return 0;
}

/* ---- the transaction ---- */

/* The greeting comes of itself. */
static int
send_nothing(struct session *s, struct err *e)
{
	(void)s;
	(void)e;
	return 0;
}

static int
send_rset(struct session *s, struct err *e)
{
	step_go(s, STEP_MAIL, 0);
	return wire_command(&s->wire, e, "RSET");
}

static int
take_rset(struct session *s, struct cursor at, struct err *e)
{
	if (reply_class(&s->wire.reply) != 2) {
		step_err(s, at.step, e);
		return step_trouble(s, at.step, e);
	}
	s->dirty = false;
	return 0;
}

/* A command that names a path, with its parameters. */
static int
send_path(struct session *s, const char *verb, const char *path, struct err *e)
{
	if (!buf_ok(&s->params))
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	return wire_command(
	    &s->wire, e, "%s:<%s>%s", verb, path, buf_str(&s->params));
}

static int
send_mail(struct session *s, struct err *e)
{
	const struct params p = params(s);

	step_go(s, STEP_RCPT, 0);
	buf_reset(&s->params);
	params_mail(&p, &s->params);
	return send_path(s, "MAIL FROM", s->t.env->sender.raw, e);
}

static int
take_mail(struct session *s, struct cursor at, struct err *e)
{
	int class = reply_class(&s->wire.reply);

	s->dirty = true;
	if (class == 2)
		return 0;
	if (class == 3)
		return step_unexpected(s, at.step, e);
	step_err(s, at.step, e);
	if (class == 4)
		return -1;
	/* RFC 5321 3.3: a sender refused for good is so at every host. */
	e->scope = SCOPE_MESSAGE;
	decide_rest(s, e);
	s->t.over = true;
	return step_go(s, STEP_NONE, 0);
}

/* Where the dialogue goes behind recipient i. */
static int
after_rcpt(struct session *s, size_t i)
{
	if (s->t.over)
		return step_go(s, STEP_NONE, 0);
	if (i + 1 < s->t.ntodo && !s->t.full)
		return step_go(s, STEP_RCPT, i + 1);
	return step_go(s, STEP_DATA, 0);
}

static int
send_rcpt(struct session *s, struct err *e)
{
	const struct params p = params(s);
	size_t rcpt = s->t.todo[s->cmd.i];

	after_rcpt(s, s->cmd.i);
	buf_reset(&s->params);
	params_rcpt(&p, rcpt, &s->params);
	return send_path(s, "RCPT TO", s->t.env->rcpts[rcpt].addr.raw, e);
}

/*
 * RFC 5321 4.5.3.1.10: 452, and 552 from old servers, say "too many
 * recipients" unless an enhanced code says something else (x.5.3 does not).
 */
static bool
too_many(const struct reply *r)
{
	const struct enhanced *x = &r->enhanced;

	return (r->code == 452 || r->code == 552) &&
	    (x->class == 0 || (x->subject == 5 && x->detail == 3));
}

static int
take_rcpt(struct session *s, struct cursor at, struct err *e)
{
	struct transaction *t = &s->t;
	int class = reply_class(&s->wire.reply);

	if (class == 3)
		return step_unexpected(s, at.step, e);
	if (class == 2)
		t->accepted[t->naccepted++] = t->todo[at.i];
	else if (too_many(&s->wire.reply) && t->naccepted > 0)
		t->full = true; /* this one waits for the next transaction */
	else {
		step_err(s, at.step, e);
		e->scope = SCOPE_RECIPIENT;
		if (too_many(&s->wire.reply))
			e->verdict = ERR_TEMP;
		decide(s, t->todo[at.i], false, e);
	}
	if (s->nsent == 0)
		after_rcpt(s, at.i);
	/* RFC 5321 3.3: no recipient left, no data. */
	if (s->cmd.step == STEP_DATA && t->naccepted == 0)
		step_go(s, STEP_NONE, 0);
	return 0;
}

static int
send_data(struct session *s, struct err *e)
{
	return wire_command(&s->wire, e, "DATA");
}

static int
take_data(struct session *s, struct cursor at, struct err *e)
{
	int class = reply_class(&s->wire.reply);

	if (class == 3)
		return step_go(s, STEP_END, 0);
	if (class == 2)
		return step_unexpected(s, at.step, e);
	step_err(s, at.step, e);
	decide_rest(s, e);
	return 0;
}

/*
 * A refusal that came early left the data without its end: the connection
 * cannot carry another command.
 */
static int
send_end(struct session *s, struct err *e)
{
	int got = wire_message(
	    &s->wire, &s->t.view, s->t.accepted, s->t.naccepted, e);

	if (got == 1)
		s->alive = false;
	return got == -1 ? -1 : 0;
}

/* LMTP: one reply for each accepted recipient, in order (RFC 2033 4.2). */
static void
take_end_lmtp(struct session *s, struct cursor at, const struct err *e)
{
	decide(s, s->t.accepted[at.i], false, e);
	if (at.i + 1 < s->t.naccepted) {
		s->sent[0] = (struct cursor){ STEP_END, at.i + 1 };
		s->nsent = 1;
	}
}

static int
take_end(struct session *s, struct cursor at, struct err *e)
{
	size_t i;

	if (reply_class(&s->wire.reply) == 3)
		return step_unexpected(s, at.step, e);
	s->dirty = false;
	step_err(s, at.step, e);
	if (s->cfg.lmtp && s->alive) {
		take_end_lmtp(s, at, e);
		return 0;
	}
	if (e->verdict != ERR_OK) {
		decide_rest(s, e);
		return 0;
	}
	for (i = 0; i < s->t.naccepted; i++)
		decide(s, s->t.accepted[i], false, e);
	return 0;
}

static const struct step_row steps[STEP_NONE] = {
	[STEP_GREETING] = { STAGE_GREETING, 300, true, SCOPE_HOST, send_nothing,
	    hello_take_greeting },
	[STEP_EHLO] = { STAGE_EHLO, 300, true, SCOPE_HOST, hello_send_ehlo,
	    hello_take_ehlo },
	[STEP_HELO] = { STAGE_EHLO, 300, true, SCOPE_HOST, hello_send_helo,
	    hello_take_helo },
	[STEP_STARTTLS] = { STAGE_STARTTLS, 120, true, SCOPE_HOST,
	    hello_send_starttls, hello_take_starttls },
	[STEP_XCLIENT] = { STAGE_XCLIENT, 300, true, SCOPE_HOST,
	    hello_send_xclient, hello_take_xclient },
	[STEP_AUTH] = { STAGE_AUTH, 120, true, SCOPE_HOST, hello_send_auth,
	    hello_take_auth },
	[STEP_RSET] = { STAGE_RSET, 300, false, SCOPE_HOST, send_rset,
	    take_rset },
	[STEP_MAIL] = { STAGE_MAIL, 300, false, SCOPE_HOST, send_mail,
	    take_mail },
	[STEP_RCPT] = { STAGE_RCPT, 300, false, SCOPE_MESSAGE, send_rcpt,
	    take_rcpt },
	[STEP_DATA] = { STAGE_DATA, 120, true, SCOPE_MESSAGE, send_data,
	    take_data },
	[STEP_END] = { STAGE_END, 600, true, SCOPE_MESSAGE, send_end,
	    take_end },
};

/* ---- the session ---- */

struct session *
session_new(
    const struct session_config *cfg, struct io *io, const struct observer *obs)
{
	struct session *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->cfg = *cfg;
	s->steps = steps;
	wire_init(&s->wire, io, obs, cfg->timeout_max);
	buf_init(&s->answer, AUTH_LINE_MAX);
	buf_init(&s->params, PARAMS_MAX);
	if (cfg->auth != NULL) {
		s->wire.password = cfg->auth->secret;
		auth_init(&s->auth, cfg->auth, cfg->library);
	}
	s->auth.credentials.host = cfg->host;
	s->auth.credentials.port = cfg->port;
	s->alive = true;
	return s;
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	wire_free(&s->wire);
	buf_free(&s->answer);
	buf_free(&s->params);
	auth_free(&s->auth);
	free(s);
}

int
session_open(struct session *s, struct err *e)
{
	if (s->cfg.policy->implicit && hello_secure(s, STEP_GREETING, e) == -1)
		return -1;
	return run(s, STEP_GREETING, e);
}

/* What the server takes, in the terms of a view. */
static unsigned
takes(const struct caps *c, bool utf8)
{
	unsigned all = c->has & CAP_8BITMIME ? VIEW_8BIT : 0u;

	if (c->has & CAP_SMTPUTF8)
		all |= VIEW_UTF8 | (utf8 ? VIEW_UTF8_USED : 0u);
	return all;
}

const char *
proto_repairs(const struct view *v, char out[PROTO_REPAIRS_MAX])
{
	char parts[40] = "", headers[40] = "";

	if (v->encoded == 0 && v->mended == 0)
		return NULL;
	if (v->encoded > 0)
		snprintf(parts, sizeof parts, "%zu part%s encoded", v->encoded,
		    v->encoded == 1 ? "" : "s");
	if (v->mended > 0)
		snprintf(headers, sizeof headers, "%zu header%s mended",
		    v->mended, v->mended == 1 ? "" : "s");
	snprintf(out, PROTO_REPAIRS_MAX, "%s%s%s for this server", parts,
	    v->encoded > 0 && v->mended > 0 ? ", " : "", headers);
	return out;
}

/* Whoever watches is told what this server does not get as it was. */
static void
tell_repairs(struct session *s)
{
	char repairs[PROTO_REPAIRS_MAX];

	if (proto_repairs(&s->t.view, repairs) != NULL)
		wire_note(&s->wire, "%s", repairs);
}

int
proto_view(struct view *v, const struct message *m, const struct caps *c,
    bool utf8, struct err *e)
{
	if (view_make(v, m, takes(c, utf8), e) == -1)
		return -1;
	if (params_fits(v, c, e) == 0)
		return 0;
	view_free(v);
	return -1;
}

/* Recipients of whom the server cannot be told are decided before MAIL. */
static void
decide_unfit(struct session *s)
{
	const struct params p = params(s);
	struct err e;
	size_t i;

	for (i = 0; i < s->t.n; i++)
		if (pending(s, s->t.rcpts[i]) &&
		    params_check_rcpt(&p, s->t.rcpts[i], &e) == -1)
			decide(s, s->t.rcpts[i], false, &e);
}

/*
 * True if the domain is one of this transaction's, or may become one
 * (RFC 9422, RCPTDOMAINMAX). seen[] has the recipients that brought one in.
 */
static bool
domain_fits(const struct session *s, size_t rcpt, size_t *seen, size_t *nseen)
{
	const struct recipient *r = s->t.env->rcpts;
	const char *a = r[rcpt].addr.ascii, *b;
	size_t i;

	if (s->caps.rcptdomain_max == 0)
		return true;
	for (i = 0; i < *nseen; i++) {
		b = r[seen[i]].addr.ascii;
		if (a == b || (a != NULL && b != NULL && strcmp(a, b) == 0))
			return true;
	}
	if (*nseen >= s->caps.rcptdomain_max)
		return false;
	seen[(*nseen)++] = rcpt;
	return true;
}

/*
 * This transaction's recipients: those still open, in order, as many as the
 * server's LIMITS allow. `accepted` is empty yet and lends its room.
 */
static void
choose(struct session *s)
{
	struct transaction *t = &s->t;
	size_t i, ndomains = 0;

	t->ntodo = 0;
	t->naccepted = 0;
	t->full = t->over = false;
	wire_begin(&s->wire);
	for (i = 0; i < t->n; i++) {
		if (s->caps.rcpt_max > 0 && t->ntodo >= s->caps.rcpt_max)
			break;
		if (pending(s, t->rcpts[i]) &&
		    domain_fits(s, t->rcpts[i], t->accepted, &ndomains))
			t->todo[t->ntodo++] = t->rcpts[i];
	}
}

/* One transaction: 0, or -1 with *e when the connection ended. */
static int
transact(struct session *s, struct err *e)
{
	const struct params p = params(s);

	if (params_check_mail(&p, e) == -1)
		return -1;
	s->transactions++;
	if (s->dirty)
		return run(s, STEP_RSET, e);
	return run(s, STEP_MAIL, e);
}

bool
session_usable(const struct session *s)
{
	/* RFC 9422, MAILMAX. */
	return s->alive && !s->wire.stopped &&
	    (s->caps.mail_max == 0 || s->transactions < s->caps.mail_max);
}

/*
 * True if the connection that served for an earlier mail came to its end
 * before this one's, which says nothing of this mail or of the host.
 */
static bool
is_worn_out(const struct session *s, const struct err *e)
{
	if (!s->used || s->wire.final)
		return false;
	return e->scope == SCOPE_HOST ||
	    (!s->alive &&
		(e->kind == ERR_CONNECT || e->kind == ERR_REPLY ||
		    e->kind == ERR_PROTOCOL || e->kind == ERR_TLS));
}

/* Transactions until nobody is open; see session_send(). */
static int
transactions(struct session *s, struct err *e)
{
	decide_unfit(s);
	for (choose(s); s->t.ntodo > 0; choose(s)) {
		if (!session_usable(s))
			return 1;
		if (transact(s, e) == 0)
			continue;
		/* Trouble between two transactions: a new connection helps. */
		if (is_worn_out(s, e))
			return 1;
		if (e->scope == SCOPE_HOST)
			return e->stage == STAGE_RSET ? 1 : -1;
		decide_rest(s, e);
	}
	return 0;
}

int
session_send(struct session *s, const struct message *m, struct envelope *env,
    const size_t *rcpts, size_t n, struct err *e)
{
	int got = 0;

	s->t = (struct transaction){ .env = env, .rcpts = rcpts, .n = n };
	s->used = s->taken;
	s->t.todo = calloc(n + 1, sizeof *s->t.todo);
	s->t.accepted = calloc(n + 1, sizeof *s->t.accepted);
	if (s->t.todo == NULL || s->t.accepted == NULL) {
		err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
		decide_rest(s, e);
	} else if (proto_view(&s->t.view, m, &s->caps,
		       envelope_uses_utf8(env, rcpts, n), e) == -1) {
		decide_rest(s, e);
	} else {
		tell_repairs(s);
		got = transactions(s, e);
	}
	view_free(&s->t.view);
	free(s->t.todo);
	free(s->t.accepted);
	s->t.todo = s->t.accepted = NULL;
	s->t.naccepted = 0;
	return got;
}

bool
session_token_refused(const struct session *s, const struct err *e)
{
	return auth_token_refused(&s->auth, e);
}

void
session_quit(struct session *s)
{
	struct err e;

	if (!s->alive)
		return;
	s->alive = false;
	io_deadline(s->wire.io, 1000);
	if (wire_command(&s->wire, &e, "QUIT") == 0)
		wire_flush(&s->wire, &e);
}
