/*
 * resolve: see resolve.h. A name that stands for one other recipient is left
 * in the file and resolved again by each try. One that stands for several
 * cannot be: they need numbers of their own in the journal.
 * Callers: queue/runner.c.
 * The same source as for new mail: queue/locals.c.
 * Ownership: what is found moves into the entry.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail/envelope.h"
#include "queue/entry.h"
#include "queue/locals.h"
#include "queue/resolve.h"
#include "queue/spool.h"

struct asking {
	struct entry *en; /* borrowed */
	/* The unresolved recipients of the entry; once locals_expand() has
	 * been there, those whom they stand for. */
	struct envelope some;
	size_t *numbers; /* owned: each one's number in the entry, at first */
	size_t *of; /* owned: as locals_expand() gives it */
	bool *placed; /* owned: by number in the entry: it was replaced */
};

static int
no_memory(struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory to resolve names");
}

static bool
is_asked(const struct recipient *r)
{
	return r->unresolved && r->outcome.state == OUTCOME_PENDING;
}

bool
resolve_is_due(const struct entry *en)
{
	size_t i;

	for (i = 0; i < en->env.n; i++)
		if (is_asked(&en->env.rcpts[i]))
			return true;
	return false;
}

static int
gather_one(struct asking *k, size_t i, struct err *e)
{
	const struct recipient *r = &k->en->env.rcpts[i];
	struct address a;
	int got;

	if (address_parse(
		&a, r->addr.raw, strlen(r->addr.raw), ADDRESS_BARE, e) == -1)
		return -1;
	k->some.notify = r->notify;
	got = envelope_add(&k->some, &a, r->given, strlen(r->given));
	if (got == -1)
		return no_memory(e);
	k->some.rcpts[k->some.n - 1].orcpt = r->orcpt;
	k->numbers[k->some.n - 1] = i;
	return 0;
}

static int
gather(struct asking *k, struct err *e)
{
	const struct envelope *env = &k->en->env;
	size_t i;

	envelope_init(&k->some);
	k->numbers = calloc(env->n, sizeof *k->numbers);
	k->placed = calloc(env->n, sizeof *k->placed);
	if (k->numbers == NULL || k->placed == NULL)
		return no_memory(e);
	for (i = 0; i < env->n; i++)
		if (is_asked(&env->rcpts[i]) && gather_one(k, i, e) == -1)
			return -1;
	return 0;
}

/* Whom he stands for is a recipient of the entry already: delivered, as far as
 * this one is concerned. */
static void
drop(struct recipient *r)
{
	struct err fine;

	err_clear(&fine);
	snprintf(fine.text, sizeof fine.text, "is another recipient as well");
	outcome_decide(&r->outcome, &fine);
}

/* The one who was found takes the number of the one who stood for him. */
static void
replace(struct recipient *old, struct recipient *found)
{
	address_free(&old->addr);
	free(old->given);
	*old = *found;
	*found = (struct recipient){ 0 };
}

/* Put one who was found into the entry: 0, or -1 no memory. */
static int
place(struct asking *k, size_t found)
{
	struct envelope *env = &k->en->env;
	struct recipient *r = &k->some.rcpts[found];
	size_t i = k->numbers[k->of[found]], at = envelope_find(env, &r->addr);

	/* The entry may be read again before he is reported, when there is a
	 * user or an alias of that name. */
	r->unresolved |= r->outcome.state == OUTCOME_FAILED;
	/* He is a recipient of his own already. */
	if (at > 0 && !is_asked(&env->rcpts[at - 1]))
		return 0;
	/* One of the unresolved has this very name: he keeps his number. */
	if (at > 0)
		i = at - 1;
	if (k->placed[i])
		return envelope_take(env, r) == -1 ? -1 : 0;
	k->placed[i] = true;
	replace(&env->rcpts[i], r);
	return 0;
}

/* Room for what is known of those who are new. */
static int
grow(struct entry *en, size_t before, struct err *e)
{
	struct entry_rcpt *list =
	    reallocarray(en->rcpts, en->env.n, sizeof *list);

	if (list == NULL)
		return no_memory(e);
	memset(list + before, 0, (en->env.n - before) * sizeof *list);
	en->rcpts = list;
	return 0;
}

static int
place_all(struct asking *k, struct err *e)
{
	struct envelope *env = &k->en->env;
	const size_t before = env->n, asked = k->some.n;
	size_t i;

	for (i = 0; i < asked; i++)
		if (place(k, i) == -1)
			return no_memory(e);
	for (i = 0; i < before; i++)
		if (is_asked(&env->rcpts[i]) && !k->placed[i])
			drop(&env->rcpts[i]);
	return env->n > before ? grow(k->en, before, e) : 0;
}

int
resolve_entry(const struct locals_config *c, struct spool_item *item,
    const struct entry_now *now, struct err *e)
{
	struct entry *en = spool_entry(item);
	struct asking k = { .en = en };
	const size_t before = en->env.n;
	int rc;

	if (!locals_are_on(c))
		return 0;
	rc = gather(&k, e);
	if (rc == 0)
		rc = locals_expand(c, &k.some, &k.of, e);
	if (rc == 0)
		rc = place_all(&k, e);
	if (rc == 0 && en->env.n > before)
		rc = spool_rewrite(item, now, e);
	envelope_free(&k.some);
	free(k.numbers);
	free(k.placed);
	free(k.of);
	return rc;
}
