/*
 * submit: see submit.h. Input is read first and whole, so that a message
 * that cannot be read is never half sent.
 * Callers: cli. It prints nothing and reads no config.
 * RFC 5321 2.1, RFC 5322 3.6.3 (Bcc); names and options come from above,
 * clock and randomness from here, since mail/ has none.
 * Ownership: what it opens it closes before it returns.
 */
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/edit.h"
#include "mail/envelope.h"
#include "mail/header.h"
#include "mail/message.h"
#include "mail/qualify.h"
#include "mail/recipients.h"
#include "queue/entry.h"
#include "queue/moment.h"
#include "queue/submit.h"
#include "store/body.h"

/* Most hosts that a message may have come through (RFC 5321 6.3). */
#define HOPS_MAX 100u

/* One reason for all that are still open. */
static int
decide_all(struct envelope *env, const struct err *e)
{
	size_t i;

	for (i = 0; i < env->n; i++)
		outcome_decide(&env->rcpts[i].outcome, e);
	return -1;
}

/* A source that has one plan. */
static struct plan *
only_plan(void *ctx)
{
	struct plan **next = ctx, *plan = *next;

	*next = NULL;
	return plan;
}

static void
send_plan(const struct submit_config *c, struct plan *plan)
{
	const struct source one = { .next = only_plan, .ctx = &plan };

	deliver(&c->deliver, &one);
}

/* 0; 1: on_plan ended the run; -1 with *e. */
static int
route_and_send(const struct submit_config *c, struct envelope *env,
    const struct message *m, struct err *e)
{
	struct mail mail = { .m = m, .env = env, .by = &c->by };
	struct waiter hurried = *c->deliver.worker.waiter;
	struct mx_config mx = c->mx;
	struct plan plan;
	int rc = 1;

	hurried.bound = c->deliver.worker.bound;
	mx.dns.waiter = &hurried;
	if (mx_plan(&mx, &mail, 1, &plan, e) == -1)
		return -1;
	if (c->on_plan == NULL || c->on_plan(c->ctx, &plan, env, m) == 0) {
		if (c->on_deliver != NULL)
			c->on_deliver(c->ctx);
		send_plan(c, &plan);
		rc = 0;
	}
	plan_free(&plan);
	return rc;
}

/*
 * The queue takes what is left. A signal must not end us between the entry
 * and the exit code: who is told that we failed sends it again.
 */
static int
keep_rest(const struct submit_config *c, struct envelope *env,
    const struct message *m, struct err *e)
{
	if (c->on_deliver != NULL)
		c->on_deliver(c->ctx);
	return keep(&c->keep, env, m, e);
}

/* A try, and what is left of it; a run that ends with its plan leaves
 * nothing. */
static int
try_and_keep(const struct submit_config *c, struct envelope *env,
    const struct message *m, struct err *e)
{
	int got = route_and_send(c, env, m, e);
	struct err why;

	if (got == -1)
		decide_all(env, e);
	if (got == 1 || c->keep.open == NULL)
		return got == -1 ? -1 : 0;
	if (keep_rest(c, env, m, &why) == 0)
		return 0;
	if (c->keep.on_lost != NULL)
		c->keep.on_lost(c->keep.ctx, &why);
	return got;
}

/* The first n recipients, as To lists them. A list that is cut would say that
 * the others got nothing. */
static int
list_recipients(
    struct buf *out, const struct envelope *env, size_t n, struct err *e)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (env->rcpts[i].addr.raw != NULL)
			buf_addf(out, "%s%s", out->len > 0 ? ", " : "",
			    env->rcpts[i].addr.raw);
	if (buf_ok(out))
		return 0;
	return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory for To");
}

static void
tell_time(struct complete_config *c)
{
	c->now = time(NULL);
	c->zone = moment_zone(c->now);
}

static int
add_fields(const struct submit_config *c, struct message *m, const char *list,
    struct err *e)
{
	struct complete_config with = c->complete;

	tell_time(&with);
	(c->mx.random)(with.random, sizeof with.random);
	with.recipients = list;
	if (c->full_name != NULL && complete_makes_from(m, &with))
		with.full_name = c->full_name(c->ctx);
	return complete(m, &with, e);
}

static int
nobody(const struct submission *s, struct err *e)
{
	if (s->composed.n > 0)
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "no recipient: standard input is the text of the message "
		    "that --subject and its like compose, -t finds nobody "
		    "there; give --to, or to change a message's own header "
		    "--header NAME=VALUE");
	return err_set(e, ERR_PERM, ERR_USAGE,
	    "no recipient: the message names none in To, Cc or Bcc (of one "
	    "sent on, in its first Resent- fields), and none was given as an "
	    "argument");
}

/* A message that goes in circles, each time with a Received more. */
static int
check_hops(
    const struct submit_config *c, const struct message *m, struct err *e)
{
	struct field f = { 0 };
	unsigned n = 0;

	while (header_find(m->header.data, m->header.len, "Received", &f))
		n++;
	if (c->hops > n)
		n = c->hops;
	if (n <= HOPS_MAX)
		return 0;
	err_set(e, ERR_PERM, ERR_DATA,
	    "a loop: the message has been received %u times, and %u is the "
	    "limit",
	    n, HOPS_MAX);
	e->enhanced = (struct enhanced){ 5, 4, 6 };
	e->stage = STAGE_INPUT;
	e->scope = SCOPE_MESSAGE;
	return -1;
}

/* Those that the header names; without domain only where that means one. */
static int
read_recipients(const struct submit_config *c, struct envelope *env,
    const struct message *m, struct err *e)
{
	bool bare = locals_are_on(&c->locals) || c->by.local != NULL;

	return recipients_read(
	    env, m->header.data, m->header.len, bare ? ADDRESS_BARE : 0, e);
}

/* Who gets it, if it may go on at all. */
static int
find_recipients(const struct submit_config *c, struct envelope *env,
    const struct submission *s, struct err *e)
{
	if (c->read_recipients && read_recipients(c, env, &s->message, e) == -1)
		return -1;
	if (env->n == 0 && c->on_complete == NULL)
		return nobody(s, e);
	if (check_hops(c, &s->message, e) == -1 ||
	    locals_resolve(&c->locals, env, e) == -1)
		return -1;
	/* Nobody knows yet who must be queued: it may be all of them. */
	return c->keep.open != NULL && c->on_complete == NULL
	    ? entry_check_size(env, e)
	    : 0;
}

static void
remove_fields(const struct submit_config *c, struct message *m)
{
	if (c->is_new)
		message_remove(m, "Return-Path");
	if (c->keep_bcc)
		return;
	message_remove(m, "Bcc");
	message_remove(m, "Resent-Bcc");
}

/* Recipients first: they are in what is removed then. */
static int
prepare(const struct submit_config *c, struct envelope *env,
    struct submission *s, struct err *e)
{
	struct message *m = &s->message;
	struct buf list;
	int got = 0;

	buf_init(&list, MESSAGE_HEADER_MAX);
	if (c->complete.to == COMPLETE_ON)
		got = list_recipients(&list, env, c->nlisted, e);
	if (got == 0)
		got = find_recipients(c, env, s, e);
	remove_fields(c, m);
	if (got == 0 && !c->gateway)
		got = add_fields(c, m, buf_str(&list), e);
	if (got == 0 && c->qualify != NULL)
		got = qualify(m, c->qualify, e);
	buf_free(&list);
	return got;
}

/* The input is the text of what is composed. */
static int
compose(struct submission *s, const struct input_config *c, struct octets *in,
    struct err *e)
{
	if (compose_open(&s->composed, c->compose, *in, e) == -1)
		return -1;
	if (!s->composed.is_utf8 && c->on_note != NULL)
		c->on_note(
		    c->ctx, "the text is not UTF-8: sent as unknown-8bit");
	*in = compose_octets(&s->composed);
	return 0;
}

static int
open_message(struct submission *s, const struct input_config *c, struct err *e)
{
	struct octets in = { body_octets, s->body, body_size(s->body) };

	if (c->compose != NULL && compose(s, c, &in, e) == -1)
		return -1;
	if (message_open(&s->message, in, e) == -1)
		return -1;
	return edit_apply(&s->message, c->edits, c->nedits, e);
}

int
submission_read(
    struct submission *s, const struct input_config *c, struct err *e)
{
	*s = (struct submission){ 0 };
	err_clear(&s->err);
	s->body =
	    body_read_dots(c->fd, "the message", c->tmpdir, c->dots, &s->err);
	if (s->body != NULL && open_message(s, c, &s->err) == 0)
		return 0;
	*e = s->err;
	return -1;
}

int
submission_take(struct submission *s, struct body *b,
    const struct input_config *c, struct err *e)
{
	*s = (struct submission){ .body = b };
	err_clear(&s->err);
	if (open_message(s, c, &s->err) == 0)
		return 0;
	*e = s->err;
	return -1;
}

void
submission_free(struct submission *s)
{
	message_free(&s->message);
	compose_free(&s->composed);
	body_free(s->body);
	s->body = NULL;
}

static int
hand_over(const struct submit_config *c, struct envelope *env,
    const struct message *m, struct err *e)
{
	if (c->on_complete != NULL)
		return c->on_complete(c->ctx, m, e);
	if (c->keep.open != NULL && c->keep.only)
		return keep_rest(c, env, m, e);
	return try_and_keep(c, env, m, e);
}

/*
 * The message will not do, for anybody. What else it may be that fails here
 * can be mended, and is said to whoever calls.
 */
static int
refuse(const struct submit_config *c, struct envelope *env,
    const struct submission *s, const struct err *e)
{
	struct err why;

	decide_all(env, e);
	if (c->keep.failed_too && e->kind == ERR_DATA &&
	    s->err.verdict == ERR_OK)
		keep_rest(c, env, &s->message, &why);
	return -1;
}

int
submit(const struct submit_config *c, struct submission *s,
    struct envelope *env, struct err *e)
{
	if (s->err.verdict != ERR_OK)
		*e = s->err;
	else if (prepare(c, env, s, e) == 0 &&
	    sign_message(&c->sign, &s->message, time(NULL), e) == 0 &&
	    hand_over(c, env, &s->message, e) == 0)
		return 0;
	return refuse(c, env, s, e);
}
