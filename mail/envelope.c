/*
 * envelope: see envelope.h. Recipients stand in the order given; a hash table
 * of their numbers finds doubles, so that adding many stays linear.
 * Callers: cli, mx.c, deliver.c. It parses nothing and looks nothing up.
 * RFC 5321 2.3.1 and 4.2.1; exit codes by sysexits(3), see base/err.h.
 * Ownership: all belongs to the envelope until envelope_free().
 */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "mail/envelope.h"

#define GIVEN_MAX 1024 /* octets kept of what the user typed */
#define FIRST_SIZE 8

void
envelope_init(struct envelope *env)
{
	*env = (struct envelope){ 0 };
}

void
envelope_free(struct envelope *env)
{
	if (env == NULL)
		return;
	address_free(&env->sender);
	address_free(&env->submitter);
	for (size_t i = 0; i < env->n; i++) {
		address_free(&env->rcpts[i].addr);
		free(env->rcpts[i].given);
	}
	free(env->rcpts);
	free(env->slots);
	for (size_t i = 0; i < env->ntls; i++)
		free(env->tls[i]);
	free(env->tls);
	envelope_init(env);
}

/* ---- the hash table: linear probing, at most half full ---- */

/* The slot that holds `a`, or the empty one where it belongs. */
static size_t *
find_slot(const struct envelope *env, const struct address *a)
{
	size_t mask = env->nslots - 1;
	size_t i = address_hash(a) & mask;

	while (env->slots[i] != 0 &&
	    !address_equal(&env->rcpts[env->slots[i] - 1].addr, a))
		i = (i + 1) & mask;
	return &env->slots[i];
}

static int
grow_slots(struct envelope *env, size_t nslots)
{
	size_t *slots = calloc(nslots, sizeof *slots);

	if (slots == NULL)
		return -1;
	free(env->slots);
	env->slots = slots;
	env->nslots = nslots;
	for (size_t i = 0; i < env->n; i++)
		if (env->rcpts[i].addr.raw != NULL)
			*find_slot(env, &env->rcpts[i].addr) = i + 1;
	return 0;
}

/* Room for one more recipient, in the list and in the table. */
static int
make_room(struct envelope *env)
{
	size_t size = env->size == 0 ? FIRST_SIZE : env->size * 2;
	struct recipient *rcpts;

	if (env->n < env->size)
		return 0;
	rcpts = reallocarray(env->rcpts, size, sizeof *rcpts);
	if (rcpts == NULL)
		return -1;
	env->rcpts = rcpts;
	if (grow_slots(env, size * 2) == -1)
		return -1;
	env->size = size;
	return 0;
}

/* ---- recipients ---- */

static char *
printable_copy(const char *s, size_t n)
{
	char text[GIVEN_MAX];

	return strdup(enc_printable_str(text, sizeof text, s, n));
}

/* One more at the end of the list; there is room for it. */
static struct recipient *
append(struct envelope *env, const char *given, size_t n)
{
	struct recipient *r = &env->rcpts[env->n];

	*r = (struct recipient){ .given = printable_copy(given, n),
		.notify = env->notify };
	if (r->given == NULL)
		return NULL;
	env->n++;
	return r;
}

int
envelope_add(
    struct envelope *env, struct address *a, const char *given, size_t n)
{
	struct recipient *r = NULL;
	size_t *slot = NULL;
	int rc = -1;

	if (make_room(env) == 0)
		slot = find_slot(env, a);
	if (slot != NULL && *slot != 0)
		rc = 1;
	else if (slot != NULL)
		r = append(env, given, n);
	if (r == NULL) {
		address_free(a);
		return rc;
	}
	r->addr = *a;
	*a = (struct address){ 0 };
	*slot = env->n;
	return 0;
}

int
envelope_add_failed(
    struct envelope *env, const char *given, size_t n, const struct err *e)
{
	struct recipient *r = NULL;

	if (make_room(env) == 0)
		r = append(env, given, n);
	if (r == NULL)
		return -1;
	return outcome_decide(&r->outcome, e);
}

int
envelope_take(struct envelope *env, struct recipient *r)
{
	bool sendable = r->addr.raw != NULL;
	size_t *slot = NULL;
	int rc = make_room(env);

	if (rc == 0 && sendable)
		slot = find_slot(env, &r->addr);
	if (slot != NULL && *slot != 0)
		rc = 1;
	if (rc == 0) {
		env->rcpts[env->n++] = *r;
		if (slot != NULL)
			*slot = env->n;
	} else {
		address_free(&r->addr);
		free(r->given);
	}
	*r = (struct recipient){ 0 };
	return rc;
}

size_t
envelope_find(const struct envelope *env, const struct address *a)
{
	return env->nslots == 0 ? 0 : *find_slot(env, a);
}

size_t
envelope_add_tls(struct envelope *env, struct tls_facts *f)
{
	struct tls_facts **list =
	    reallocarray(env->tls, env->ntls + 1, sizeof(struct tls_facts *));

	if (list == NULL) {
		free(f);
		return 0;
	}
	env->tls = list;
	env->tls[env->ntls++] = f;
	return env->ntls;
}

bool
envelope_uses_utf8(const struct envelope *env, const size_t *rcpts, size_t n)
{
	size_t i;

	if (env->sender.needs_utf8)
		return true;
	for (i = 0; i < n; i++)
		if (env->rcpts[rcpts != NULL ? rcpts[i] : i].addr.needs_utf8)
			return true;
	return false;
}

size_t
envelope_count(const struct envelope *env, enum outcome_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < env->n; i++)
		count += env->rcpts[i].outcome.state == state;
	return count;
}

/* ---- outcomes ---- */

/* The codes themselves stand in base/err.c alone. */
static int
exit_for(enum err_verdict verdict, enum err_kind kind)
{
	struct err e = { .verdict = verdict, .kind = kind };

	return err_exit(&e);
}

/* An undecided recipient is a bug, and nothing that a retry would cure. */
static int
failure_exit(const struct outcome *o)
{
	if (o->state == OUTCOME_PENDING)
		return exit_for(ERR_PERM, ERR_INTERNAL);
	return o->state == OUTCOME_FAILED ? err_exit(&o->err) : 0;
}

/* What may have left this machine is not this machine's own trouble. */
static int
retry_exit(const struct outcome *o)
{
	if (o->in_doubt)
		return exit_for(ERR_TEMP, ERR_REPLY);
	return err_exit(&o->err);
}

int
envelope_exit(const struct envelope *env)
{
	const int later = exit_for(ERR_TEMP, ERR_REPLY);
	bool taken = false;
	int retry = 0; /* 0: none is deferred */

	for (size_t i = 0; i < env->n; i++) {
		const struct outcome *o = &env->rcpts[i].outcome;
		int code = failure_exit(o);

		if (code != 0)
			return code;
		if (o->state == OUTCOME_DEFERRED) {
			code = retry_exit(o);
			retry = retry == 0 || retry == code ? code : later;
		} else
			taken = true;
	}
	/* A retry goes to all: those who have the message get it twice. */
	if (taken && retry != 0)
		return exit_for(ERR_PERM, ERR_REPLY);
	return retry;
}
