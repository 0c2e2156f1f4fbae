/*
 * locals: see locals.h. Recipients move one by one into a new envelope, which
 * then takes the old one's place; a local one is expanded on the way.
 * Callers: queue/submit.c, queue/runner.c, cli. It opens nothing but the
 * aliases' file, and that when the first local name comes.
 * RFC 5321 4.5.1; RFC 3461 5.2.7.2, 5.2.7.3.
 * Ownership: see locals.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "queue/aliases.h"
#include "queue/locals.h"

static const char postmaster[] = "postmaster", root[] = "root";

struct resolving {
	const struct locals_config *c; /* borrowed */
	struct aliases *own; /* owned: read by load(); NULL: it did not */
	/* After load(): those that count, or NULL if there are none. */
	const struct aliases *aliases;
	bool asked; /* load() was called */
	struct err why; /* not ok: why the aliases cannot be known */
	struct envelope out; /* owned: the recipients as they become */
	size_t *from; /* owned: the old number of each one in `out` */
	size_t from_size;
	const struct recipient *of; /* borrowed: who is being resolved, */
	size_t number; /* and his old number */
	bool rooted; /* he was postmaster, and is taken for root */
	size_t targets; /* how many values of aliases there were so far */
	struct err *e; /* borrowed: why all of it ended early */
};

static int
no_memory(struct err *e)
{
	return err_set(
	    e, ERR_TEMP, ERR_MACHINE, "no memory to resolve local names");
}

/* Note from whom the last one in `out` came: 0, or -1 no memory. */
static int
note_from(struct resolving *w)
{
	size_t size = w->from_size == 0 ? 8 : w->from_size * 2;
	size_t *from;

	if (w->out.n > w->from_size) {
		from = reallocarray(w->from, size, sizeof *from);
		if (from == NULL)
			return no_memory(w->e);
		w->from = from;
		w->from_size = size;
	}
	w->from[w->out.n - 1] = w->number;
	return 0;
}

/* ---- what becomes of a name ---- */

/* Another recipient, who takes the address: 0, or -1 no memory. */
static int
add(struct resolving *w, struct address *a)
{
	const char *given = a->raw;
	int got;

	w->out.notify = w->of->notify;
	/* Reports name him as he is now: what the user typed was an alias. */
	got = envelope_add(&w->out, a, given, strlen(given));
	if (got == -1)
		return no_memory(w->e);
	if (got == 1)
		return 0;
	w->out.rcpts[w->out.n - 1].orcpt = w->of->orcpt;
	return note_from(w);
}

static int
add_decided(struct resolving *w, struct address *a, const struct err *why)
{
	size_t before = w->out.n;

	if (add(w, a) == -1)
		return -1;
	if (w->out.n > before)
		outcome_decide(&w->out.rcpts[before].outcome, why);
	return 0;
}

/* The name without its quotes; false: too long for any. */
static bool
plain_name(char out[LOCALS_NAME_MAX], const struct address *a)
{
	const char *s = a->raw, *end = a->raw + a->local_len;
	bool quoted = *s == '"';
	size_t n = 0;

	if (quoted) {
		s++;
		end--;
	}
	for (; s < end; s++) {
		if (quoted && *s == '\\')
			s++;
		if (n == LOCALS_NAME_MAX - 1)
			return false;
		out[n++] = *s;
	}
	out[n] = '\0';
	return true;
}

/* There is nobody of that name. Takes the address. */
static int
refuse(struct resolving *w, struct address *a)
{
	const struct locals_config *c = w->c;
	char alias[ERR_TEXT_MAX / 2] = "", from[ADDRESS_PATH_MAX + 32] = "";
	struct err why;

	if (c->aliases != NULL)
		snprintf(
		    alias, sizeof alias, ", and no alias in %s", c->aliases);
	if (strcmp(w->of->addr.raw, a->raw) != 0)
		snprintf(
		    from, sizeof from, "; \"%s\" leads there", w->of->addr.raw);
	err_set(&why, ERR_PERM, ERR_DATA, "\"%s\" is no %s%s%s", a->raw,
	    c->mailboxes ? "user of this machine" : "whole address", alias,
	    from);
	why.enhanced = (struct enhanced){ 5, 1, 1 };
	why.stage = STAGE_INPUT;
	why.scope = SCOPE_RECIPIENT;
	return add_decided(w, a, &why);
}

/* Nobody can tell now whom the name stands for. Takes the address. */
static int
later(struct resolving *w, struct address *a, const struct err *why)
{
	size_t before = w->out.n;

	if (add_decided(w, a, why) == -1)
		return -1;
	if (w->out.n > before)
		w->out.rcpts[before].unresolved = true;
	return 0;
}

/* Takes the address, which becomes one of maildomain. */
static int
masquerade(struct resolving *w, struct address *a)
{
	char text[2 * ADDRESS_PATH_MAX];
	struct address whole;
	struct err why;

	snprintf(text, sizeof text, "%s@%.*s", a->raw, ADDRESS_DOMAIN_MAX,
	    w->c->maildomain);
	if (address_parse(&whole, text, strlen(text), 0, &why) == -1) {
		if (why.verdict == ERR_PERM)
			why.kind = ERR_CONFIG;
		return later(w, a, &why);
	}
	address_free(a);
	return add(w, &whole);
}

static int expand(struct resolving *, const struct address *);

/* No user has that name. Takes the address. There must be a postmaster (RFC
 * 5321 4.5.1), so that one becomes root, who may have an alias. */
static int
unknown(struct resolving *w, struct address *a)
{
	struct address other;
	struct err why;
	int rc;

	if (w->rooted || !w->c->mailboxes ||
	    strcasecmp(a->raw, postmaster) != 0)
		return refuse(w, a);
	if (address_parse(&other, root, strlen(root), ADDRESS_BARE, &why) == -1)
		return later(w, a, &why);
	w->rooted = true;
	address_free(a);
	rc = expand(w, &other);
	address_free(&other);
	return rc;
}

/* A name that has, or has not, a mailbox here. Takes the address. */
static int
mailbox(struct resolving *w, struct address *a)
{
	char name[LOCALS_NAME_MAX], real[LOCALS_NAME_MAX];
	struct address box;
	struct err why;
	int got = 0;

	if (w->c->user == NULL)
		return add(w, a);
	if (plain_name(name, a))
		got = w->c->user(w->c->ctx, name, strlen(name), real, &why);
	if (got == -1)
		return later(w, a, &why);
	if (got == 0)
		return unknown(w, a);
	if (strcmp(real, a->raw) == 0)
		return add(w, a);
	if (address_parse(&box, real, strlen(real), ADDRESS_BARE, &why) == -1)
		return add_decided(w, a, &why);
	address_free(a);
	return add(w, &box);
}

/* A name that is no alias any more; takes the address. */
static int
settle(struct resolving *w, struct address *a)
{
	if (w->c->maildomain != NULL)
		return masquerade(w, a);
	if (w->c->mailboxes)
		return mailbox(w, a);
	/* Each server has a postmaster (RFC 5321 4.5.1), so that one may go
	 * out without a domain. */
	return strcasecmp(a->raw, postmaster) == 0 ? add(w, a) : refuse(w, a);
}

static int
on_target(void *ctx, struct address *a)
{
	struct resolving *w = ctx;

	w->targets++;
	return a->kind == DOMAIN_NONE ? settle(w, a) : add(w, a);
}

/* ---- aliases ---- */

static void
load(struct resolving *w)
{
	const struct locals_config *c = w->c;
	int got = 0;

	if (w->asked)
		return;
	w->asked = true;
	if (c->aliases != NULL && c->read == NULL)
		got = aliases_load(
		    &w->own, c->aliases, c->domains, NULL, NULL, &w->why);
	w->aliases = c->read != NULL ? c->read : w->own;
	if (got != -1)
		err_clear(&w->why);
	if (got == 1 && c->must_exist)
		err_set(&w->why, ERR_PERM, ERR_CONFIG,
		    "there is no file of aliases %s", c->aliases);
}

/* The alias is /dev/null alone: the name is delivered, by being thrown away. */
static int
drop(struct resolving *w, const struct address *a)
{
	struct address copy;
	struct err fine;

	if (address_parse(&copy, a->raw, strlen(a->raw), ADDRESS_BARE, &fine) ==
	    -1)
		return no_memory(w->e);
	err_clear(&fine);
	snprintf(fine.text, sizeof fine.text, "thrown away: /dev/null in %s",
	    w->c->aliases);
	return add_decided(w, &copy, &fine);
}

/* The name, which stays the caller's, becomes what it stands for. */
static int
expand(struct resolving *w, const struct address *name)
{
	struct address copy;
	size_t before = w->targets;
	struct err why;
	int got = 1;

	load(w);
	err_clear(w->e);
	why = w->why;
	if (why.verdict == ERR_OK && w->aliases != NULL)
		got = aliases_expand(w->aliases, name->raw, strlen(name->raw),
		    on_target, w, &why);
	if (got == 0)
		return w->targets > before ? 0 : drop(w, name);
	/* on_target() ended it, for want of memory. */
	if (w->e->verdict != ERR_OK)
		return -1;
	if (address_parse(
		&copy, name->raw, strlen(name->raw), ADDRESS_BARE, w->e) == -1)
		return no_memory(w->e);
	return got == 1 && why.verdict == ERR_OK ? settle(w, &copy)
						 : later(w, &copy, &why);
}

/* ---- recipients ---- */

static bool
is_local(const struct locals_config *c, const struct address *a)
{
	return a->kind == DOMAIN_NONE ||
	    (c->domains != NULL && address_is_in(a, c->domains));
}

/* A recipient who stays as he is. */
static int
move(struct resolving *w, struct recipient *r)
{
	int got = envelope_take(&w->out, r);

	if (got == -1)
		return no_memory(w->e);
	return got == 1 ? 0 : note_from(w);
}

/* A local recipient, whose domain counts for nothing then. */
static int
resolve(struct resolving *w, struct recipient *r)
{
	struct address name;
	struct err why;
	int rc;

	w->of = r;
	w->rooted = false;
	if (address_parse(&name, r->addr.raw, r->addr.local_len, ADDRESS_BARE,
		&why) == -1) {
		outcome_decide(&r->outcome, &why);
		/* It is no mailbox of that name yet. */
		r->unresolved = why.verdict == ERR_TEMP;
		return move(w, r);
	}
	rc = expand(w, &name);
	address_free(&name);
	address_free(&r->addr);
	free(r->given);
	*r = (struct recipient){ 0 };
	return rc;
}

static int
resolve_all(struct resolving *w, struct envelope *env)
{
	int rc = 0;

	for (w->number = 0; rc == 0 && w->number < env->n; w->number++) {
		struct recipient *r = &env->rcpts[w->number];

		rc = r->addr.raw != NULL &&
			r->outcome.state == OUTCOME_PENDING &&
			is_local(w->c, &r->addr)
		    ? resolve(w, r)
		    : move(w, r);
	}
	return rc;
}

/* The lists of the two change places. */
static void
swap_recipients(struct envelope *env, struct envelope *out)
{
	struct envelope old = *env;

	env->rcpts = out->rcpts;
	env->n = out->n;
	env->size = out->size;
	env->slots = out->slots;
	env->nslots = out->nslots;
	out->rcpts = old.rcpts;
	out->n = old.n;
	out->size = old.size;
	out->slots = old.slots;
	out->nslots = old.nslots;
}

bool
locals_are_on(const struct locals_config *c)
{
	return c->aliases != NULL || c->maildomain != NULL || c->mailboxes;
}

int
locals_expand(const struct locals_config *c, struct envelope *env, size_t **of,
    struct err *e)
{
	struct resolving w = { .c = c, .e = e };
	int rc;

	envelope_init(&w.out);
	rc = resolve_all(&w, env);
	swap_recipients(env, &w.out);
	envelope_free(&w.out);
	aliases_free(w.own);
	*of = w.from;
	return rc;
}

int
locals_resolve(
    const struct locals_config *c, struct envelope *env, struct err *e)
{
	size_t *of;
	int rc;

	if (!locals_are_on(c))
		return 0;
	rc = locals_expand(c, env, &of, e);
	free(of);
	return rc;
}

int
locals_knows(
    const struct locals_config *c, const struct address *a, struct err *e)
{
	struct envelope env;
	struct address copy;
	size_t i;
	int rc;

	if (!locals_are_on(c) || !is_local(c, a))
		return 0;
	if (address_parse(&copy, a->raw, strlen(a->raw), ADDRESS_BARE, e) == -1)
		return -1;
	envelope_init(&env);
	rc = envelope_add(&env, &copy, a->raw, strlen(a->raw)) == -1
	    ? no_memory(e)
	    : locals_resolve(c, &env, e);
	for (i = 0; rc == 0 && i < env.n; i++) {
		*e = env.rcpts[i].outcome.err;
		if (env.rcpts[i].outcome.state != OUTCOME_FAILED)
			break;
	}
	if (rc == 0 && i > 0 && i == env.n)
		rc = -1;
	envelope_free(&env);
	return rc;
}

struct aliases *
locals_read(struct locals_config *c, const struct address *a)
{
	struct aliases *read = NULL;
	struct err e;

	if (c->aliases == NULL || c->read != NULL || !is_local(c, a) ||
	    aliases_load(&read, c->aliases, c->domains, NULL, NULL, &e) != 0)
		return NULL;
	c->read = read;
	return read;
}
