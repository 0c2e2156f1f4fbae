/*
 * submit: see submit.h. Input is read first and whole, so that a message
 * that cannot be read is never half sent.
 * Callers: cli. It prints nothing and reads no config.
 * RFC 5321 2.1, RFC 5322 3.6.3 (Bcc).
 * Ownership: what it opens it closes before it returns.
 */
#include "base/err.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "mail/recipients.h"
#include "queue/submit.h"
#include "store/body.h"

/* One reason for all that are still open. */
static int
decide_all(struct envelope *env, const struct err *e)
{
	size_t i;

	for (i = 0; i < env->n; i++)
		outcome_decide(&env->rcpts[i].outcome, e);
	return -1;
}

static int
route_and_send(const struct submit_config *c, struct envelope *env,
    const struct message *m, struct err *e)
{
	struct plan plan = { 0 };

	if (mx_plan(&c->mx, env, &plan, e) == -1)
		return -1;
	if (c->on_plan == NULL || c->on_plan(c->ctx, &plan, env, m) == 0) {
		if (c->on_deliver != NULL)
			c->on_deliver(c->ctx);
		deliver(&c->deliver, &plan, m, env);
	}
	plan_free(&plan);
	return 0;
}

/* Recipients first: they are in what is removed then. */
static int
complete(const struct submit_config *c, struct envelope *env, struct message *m,
    struct err *e)
{
	if (c->read_recipients &&
	    recipients_read(env, m->header.data, m->header.len, e) == -1)
		return -1;
	if (env->n == 0)
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "no recipient: the message names none in To, Cc or Bcc "
		    "(of one sent on, in its first Resent- fields), and none "
		    "was given as an argument");
	if (!c->keep_bcc) {
		message_remove(m, "Bcc");
		message_remove(m, "Resent-Bcc");
	}
	return 0;
}

int
submit(const struct submit_config *c, struct envelope *env, uint64_t *size,
    struct err *e)
{
	struct body *body;
	struct message m;
	struct octets in;
	int got = -1;

	*size = 0;
	body = body_read_all(c->input, c->tmpdir, e);
	if (body == NULL)
		return decide_all(env, e);
	in = (struct octets){ body_octets, body, body_size(body) };
	if (message_open(&m, in, e) == 0) {
		got = complete(c, env, &m, e);
		*size = message_size(&m);
		if (got == 0)
			got = route_and_send(c, env, &m, e);
		message_free(&m);
	}
	body_free(body);
	return got == 0 ? 0 : decide_all(env, e);
}
