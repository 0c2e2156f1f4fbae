/*
 * tally: see tally.h.
 * Callers: deliver.c. It opens nothing.
 * RFC 5321 4.5.4.1.
 * Ownership: see tally.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail/envelope.h"
#include "mx.h"
#include "news.h"
#include "source.h"
#include "tally.h"

/* What is known of a recipient beside its outcome. */
struct holder {
	size_t route; /* whose worker may speak for it, counted from 1 */
	bool final; /* the last octets for it went out */
};

/* Recipients of one mail, to be told of at once. */
struct crowd {
	size_t mail;
	size_t rcpts[NEWS_RCPTS];
	size_t n;
};

/* Its list is large, and not worth being cleared. */
static void
crowd_open(struct crowd *c, size_t mail)
{
	c->mail = mail;
	c->n = 0;
}

static struct outcome *
outcome_of(const struct tally *t, size_t mail, size_t rcpt)
{
	return &t->plan->mails[mail].env->rcpts[rcpt].outcome;
}

static struct holder *
holder_of(const struct tally *t, size_t mail, size_t rcpt)
{
	return &t->holders[t->first[mail] + rcpt];
}

static void
mail_done(const struct tally *t, size_t mail)
{
	if (t->source->mail_done != NULL)
		t->source->mail_done(t->source->ctx, &t->plan->mails[mail]);
}

/* Tell of those that were decided alike, and maybe were the last. */
static void
tell(struct tally *t, struct crowd *c)
{
	const struct source *s = t->source;

	if (c->n == 0)
		return;
	if (s->outcome != NULL)
		s->outcome(s->ctx, &t->plan->mails[c->mail], c->rcpts, c->n);
	t->open[c->mail] -= c->n;
	c->n = 0;
	if (t->open[c->mail] == 0)
		mail_done(t, c->mail);
}

static void
join(struct tally *t, struct crowd *c, size_t rcpt)
{
	if (c->n == NEWS_RCPTS)
		tell(t, c);
	c->rcpts[c->n++] = rcpt;
}

/* ---- counting ---- */

static size_t
count_open(const struct envelope *env)
{
	return envelope_count(env, OUTCOME_PENDING);
}

static void
hold(struct tally *t, size_t route)
{
	const struct route *r = &t->plan->routes[route];
	const struct lot *l;
	size_t i, k;

	for (i = 0; i < r->nlots; i++) {
		l = &r->lots[i];
		for (k = 0; k < l->n; k++)
			holder_of(t, l->mail, l->rcpts[k])->route = route + 1;
	}
}

int
tally_init(struct tally *t, const struct source *source, struct plan *plan)
{
	size_t i, n = 0;

	*t = (struct tally){ .source = source, .plan = plan };
	t->first = calloc(plan->nmails + 1, sizeof *t->first);
	t->open = calloc(plan->nmails + 1, sizeof *t->open);
	if (t->first == NULL || t->open == NULL)
		return -1;
	for (i = 0; i < plan->nmails; i++) {
		t->first[i] = n;
		t->open[i] = count_open(plan->mails[i].env);
		n += plan->mails[i].env->n;
	}
	t->holders = calloc(n + 1, sizeof *t->holders);
	if (t->holders == NULL)
		return -1;
	for (i = 0; i < plan->n; i++)
		hold(t, i);
	for (i = 0; i < plan->nmails; i++)
		if (t->open[i] == 0)
			mail_done(t, i);
	return 0;
}

void
tally_free(struct tally *t)
{
	free(t->holders);
	free(t->first);
	free(t->open);
	*t = (struct tally){ .source = NULL };
}

/* ---- what workers say ---- */

bool
tally_owns(const struct tally *t, size_t route, const struct news *n)
{
	size_t i, rcpt;

	if (n->mail >= t->plan->nmails)
		return false;
	for (i = 0; i < news_count(n); i++) {
		rcpt = news_rcpt(n, i);
		if (rcpt >= t->plan->mails[n->mail].env->n ||
		    holder_of(t, n->mail, rcpt)->route != route + 1)
			return false;
	}
	return true;
}

static int
ask(const struct tally *t, struct crowd *c, struct err *e)
{
	const struct source *s = t->source;

	if (s->final == NULL || c->n == 0 ||
	    s->final(s->ctx, &t->plan->mails[c->mail], c->rcpts, c->n, e) == 0)
		return 0;
	e->verdict = ERR_TEMP;
	e->kind = ERR_MACHINE;
	return -1;
}

int
tally_final(struct tally *t, const struct news *n, struct err *e)
{
	size_t i, rcpt, count = news_count(n);
	struct crowd c;

	crowd_open(&c, n->mail);
	for (i = 0; i < count && c.n < NEWS_RCPTS; i++) {
		rcpt = news_rcpt(n, i);
		if (outcome_of(t, n->mail, rcpt)->state == OUTCOME_PENDING)
			c.rcpts[c.n++] = rcpt;
	}
	if (ask(t, &c, e) == -1)
		return -1;
	for (i = 0; i < c.n; i++)
		holder_of(t, c.mail, c.rcpts[i])->final = true;
	return 0;
}

static int
take(struct outcome *o, const struct outcome *said, size_t tls)
{
	if (outcome_decide(o, &said->err) == -1)
		return -1;
	o->in_doubt = said->in_doubt && o->state == OUTCOME_DEFERRED;
	memcpy(o->host, said->host, sizeof o->host);
	memcpy(o->ip, said->ip, sizeof o->ip);
	o->port = said->port;
	o->tls = tls;
	o->left_out = said->left_out;
	return 0;
}

void
tally_outcome(struct tally *t, const struct news *n, size_t tls)
{
	size_t i, rcpt;
	struct crowd c;

	crowd_open(&c, n->mail);
	for (i = 0; i < news_count(n); i++) {
		rcpt = news_rcpt(n, i);
		if (take(outcome_of(t, n->mail, rcpt), &n->outcome, tls) == 0)
			join(t, &c, rcpt);
	}
	tell(t, &c);
}

/* ---- what nobody says any more ---- */

/* Decide those of a lot that are open, and for whom the last octets went out
 * or did not. */
static void
settle(struct tally *t, const struct lot *l, bool final, const struct err *e)
{
	struct crowd c;
	struct outcome *o;
	size_t i;

	crowd_open(&c, l->mail);
	for (i = 0; i < l->n; i++) {
		o = outcome_of(t, l->mail, l->rcpts[i]);
		if (holder_of(t, l->mail, l->rcpts[i])->final != final ||
		    outcome_decide(o, e) == -1)
			continue;
		o->in_doubt = final;
		join(t, &c, l->rcpts[i]);
	}
	tell(t, &c);
}

void
tally_lost(struct tally *t, size_t route, const char *how)
{
	const struct route *r = &t->plan->routes[route];
	struct err lost, doubt;
	size_t i;

	err_set(&lost, ERR_TEMP, ERR_MACHINE, "the delivery process %s", how);
	err_set(&doubt, ERR_TEMP, ERR_CONNECT,
	    "the delivery process %s after the end of data", how);
	doubt.stage = STAGE_END;
	for (i = 0; i < r->nlots; i++) {
		settle(t, &r->lots[i], true, &doubt);
		settle(t, &r->lots[i], false, &lost);
	}
}

void
tally_decide(struct tally *t, size_t route, const struct err *e)
{
	const struct route *r = &t->plan->routes[route];
	size_t i;

	for (i = 0; i < r->nlots; i++) {
		settle(t, &r->lots[i], true, e);
		settle(t, &r->lots[i], false, e);
	}
}

void
tally_rest(struct tally *t, const struct err *e)
{
	struct crowd c;
	size_t i, k;

	for (i = 0; i < t->plan->nmails; i++) {
		crowd_open(&c, i);
		for (k = 0; k < t->plan->mails[i].env->n; k++)
			if (outcome_decide(outcome_of(t, i, k), e) == 0)
				join(t, &c, k);
		tell(t, &c);
	}
}
