/*
 * taking: see taking.h. MAIL opens what a message needs, since its sender may
 * choose the account; the end of data submits it.
 * Callers: smtp/server.c, by the ops; serve.c.
 * It keeps nothing from one message for the next.
 * RFC 5321 4.4, 6.1; RFC 3463 3.4 (X.3.1, X.3.5); sendmail(8) -bs.
 * Ownership: see taking.h.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "cli/machine.h"
#include "cli/run.h"
#include "cli/taking.h"
#include "mail/envelope.h"
#include "mail/received.h"
#include "queue/aliases.h"
#include "queue/entry.h"
#include "queue/locals.h"
#include "queue/moment.h"
#include "store/body.h"

/* A name as long as can be, and all else. */
#define RECEIVED_MAX 2048

/* ---- what the client hears ---- */

/* Whose fault it is: a machine or a configuration that is to be mended is not
 * the client's, who tries again. Returns -1. */
static int
not_his(struct err *e)
{
	static const struct enhanced other = { 4, 3, 0 }, full = { 4, 3, 1 },
				     config = { 4, 3, 5 };
	bool is_full = memcmp(&e->enhanced, &full, sizeof full) == 0;

	e->verdict = ERR_TEMP;
	e->code = is_full ? 452 : 451;
	if (e->kind == ERR_CONFIG || e->kind == ERR_USAGE)
		e->enhanced = config;
	else if (!is_full)
		e->enhanced = other;
	return -1;
}

/* The same of a message that was not taken, if it was not for its own sake.
 * Returns -1. */
static int
refused(struct err *e)
{
	static const bool ours[ERR_KINDS] = { [ERR_CONFIG] = true,
		[ERR_INPUT] = true,
		[ERR_OUTPUT] = true,
		[ERR_MACHINE] = true,
		[ERR_TLS] = true,
		[ERR_AUTH] = true,
		[ERR_INTERNAL] = true };

	return ours[e->kind] ? not_his(e) : -1;
}

/* ---- transactions ---- */

static void
forget(struct taking *t)
{
	body_free(t->body);
	t->body = NULL;
	t->env = NULL;
	aliases_free(t->aliases);
	t->aliases = NULL;
	if (t->open)
		send_free(&t->send);
	t->open = false;
}

/* That is where replies go. */
static void
keep_off_stdout(struct log_to *log)
{
	if (log->file != NULL && strcmp(log->file, "-") == 0)
		log->file = NULL;
}

/* The account, and with it the sender as he goes out. */
static int
on_mail(void *ctx, struct address *sender, uint64_t size, struct err *e)
{
	struct taking *t = ctx;
	int got;

	(void)size;
	forget(t);
	send_init(&t->send, &t->o, t->face);
	t->open = true;
	t->o.from = sender->raw;
	got = send_open(&t->send, &t->config, e);
	if (got == 0)
		got = send_sender(&t->send, e);
	t->o.from = NULL;
	if (got == -1)
		return not_his(e);
	keep_off_stdout(&accounts_chosen(&t->send.accounts)->log);
	return 0;
}

static int
on_rcpt(void *ctx, struct address *rcpt, struct err *e)
{
	struct taking *t = ctx;
	struct locals_config *locals = &t->config.locals;

	if (rcpt->kind == DOMAIN_NONE && !locals_are_on(locals) &&
	    t->config.by.local == NULL) {
		err_set(e, ERR_PERM, ERR_DATA,
		    "%s: there are no local users; write an address with a "
		    "domain",
		    rcpt->raw);
		e->enhanced = (struct enhanced){ 5, 1, 1 };
		return -1;
	}
	if (t->aliases == NULL)
		t->aliases = locals_read(locals, rcpt);
	return locals_knows(locals, rcpt, e) == -1 ? refused(e) : 0;
}

static int
on_begin(void *ctx, const struct server_facts *facts, struct envelope *env,
    struct err *e)
{
	struct taking *t = ctx;

	t->env = env;
	t->facts = *facts;
	t->body = body_new("the message", e);
	return t->body == NULL ? not_his(e) : 0;
}

static int
on_data(void *ctx, const char *s, size_t n, struct err *e)
{
	struct taking *t = ctx;

	return body_add(t->body, s, n, send_tmpdir(), e) == -1 ? not_his(e) : 0;
}

static void
on_drop(void *ctx)
{
	forget(ctx);
}

/* ---- the end of data ---- */

static void
draw_id(char id[ENTRY_ID_SIZE])
{
	uint32_t random;

	machine_random(&random, sizeof random);
	entry_id(id, moment_now().wall, random);
}

/* The only recipient, if a Received line can name him. */
static const struct address *
only_rcpt(const struct envelope *env)
{
	const struct address *a = &env->rcpts[0].addr;

	return env->n == 1 && a->kind != DOMAIN_NONE &&
		!enc_has_8bit(a->raw, strlen(a->raw))
	    ? a
	    : NULL;
}

static int
add_received(
    const struct taking *t, const char *id, struct message *m, struct err *e)
{
	const struct received r = { .from = t->facts.helo,
		.comment = t->who,
		.by = t->name,
		.with = t->facts.with,
		.id = id,
		.rcpt = only_rcpt(t->env),
		.when = time(NULL),
		.zone = moment_zone(time(NULL)) };
	struct buf b;
	int got;

	buf_init(&b, RECEIVED_MAX);
	received_add(&b, &r);
	got = buf_ok(&b)
	    ? message_prepend(m, b.data, b.len, e)
	    : err_set(e, ERR_TEMP, ERR_MACHINE, "no memory for Received");
	buf_free(&b);
	return got;
}

/* Ours and his change places, but for the sender, who is ours. */
static void
swap_envelopes(struct taking *t)
{
	struct envelope *ours = &t->send.env, his = *t->env;
	struct address sender = his.sender;

	his.sender = ours->sender;
	ours->sender = sender;
	*t->env = *ours;
	*ours = his;
}

/* What he did not ask for, the settings may. */
static int
fill_wishes(struct send *s, struct err *e)
{
	const enum dsn_return dsn_return = s->env.dsn_return;
	const char *envid = s->env.envid;
	size_t i;

	if (send_wishes(s, e) == -1)
		return not_his(e);
	if (dsn_return != RETURN_UNSAID)
		s->env.dsn_return = dsn_return;
	if (envid != NULL)
		s->env.envid = envid;
	for (i = 0; i < s->env.n; i++)
		if (s->env.rcpts[i].notify == 0)
			s->env.rcpts[i].notify = s->env.notify;
	return 0;
}

/* True if it was kept for somebody, or nobody is left who wants it; else *e
 * is why the first one does not get it. */
static bool
is_settled(const struct envelope *env, struct err *e)
{
	size_t i;

	if (env->queue_id[0] != '\0')
		return true;
	for (i = 0; i < env->n; i++)
		if (env->rcpts[i].outcome.state != OUTCOME_DELIVERED) {
			*e = env->rcpts[i].outcome.err;
			return false;
		}
	return true;
}

/* It is tried once the dialogue is over or pauses, if nobody else does it. */
static void
note_due(struct taking *t)
{
	const struct settings *s =
	    &accounts_chosen(&t->send.accounts)->settings;
	const struct setting *runner = &s->at[SET_QUEUE_RUNNER];

	if (t->send.keeping.place.kind != SPOOLS_OWN ||
	    (runner->text != NULL && runner->number == 0))
		return;
	t->due = true;
	t->place = t->send.keeping.place;
}

/* The message is read, and the envelope ours. */
static int
submit_message(
    struct taking *t, struct submission *s, const char *id, struct err *e)
{
	struct send *send = &t->send;
	int got;

	t->config.keep.only = true;
	/* Where he hears 250, nobody else knows whom it did not reach. */
	t->config.keep.failed_too = t->config.keep.failed_not_alone = true;
	t->config.keep.id = id;
	send_complete(send, &t->config);
	got = submit(&t->config, s, &send->env, e);
	send_log(send, &s->message);
	if (got == -1 || !is_settled(&send->env, e))
		return refused(e);
	if (send->env.queue_id[0] != '\0')
		note_due(t);
	return 0;
}

static int
on_end(void *ctx, char id[SERVER_ID_SIZE], struct err *e)
{
	struct taking *t = ctx;
	const struct input_config input = { .fd = -1 };
	struct submission s;
	int got = submission_take(&s, t->body, &input, e);

	t->body = NULL;
	draw_id(id);
	if (got == 0)
		got = add_received(t, id, &s.message, e);
	if (got == -1)
		refused(e);
	swap_envelopes(t);
	if (got == 0)
		got = fill_wishes(&t->send, e);
	if (got == 0)
		got = submit_message(t, &s, id, e);
	/* All of its recipients may be /dev/null. */
	if (t->send.env.queue_id[0] == '\0')
		id[0] = '\0';
	swap_envelopes(t);
	submission_free(&s);
	forget(t);
	return got;
}

/* ---- for serve.c ---- */

struct server_ops
taking_ops(struct taking *t)
{
	return (struct server_ops){ .mail = on_mail,
		.rcpt = on_rcpt,
		.begin = on_begin,
		.data = on_data,
		.end = on_end,
		.drop = on_drop,
		.ctx = t };
}

void
taking_init(struct taking *t, const struct run_face *face,
    const struct options *o, const char *name, const char *who)
{
	static const struct origin nobody = { .file = NULL };
	struct err e;

	*t = (struct taking){ .face = face, .name = name, .who = who, .o = *o };
	/* Recipients are those of the dialogue. */
	t->o.read_recipients = t->o.export.wanted = t->o.dry_run = false;
	/* Whatever the configuration says. */
	settings_set(&t->o.settings, SET_QUEUE, "only", &nobody, &e);
}

void
taking_run(struct taking *t)
{
	if (t->due && t->o.face.attempt != ATTEMPT_NONE)
		run_in_background(t->face, &t->o, &t->o.settings, &t->place);
	t->due = false;
}

void
taking_free(struct taking *t)
{
	forget(t);
}
