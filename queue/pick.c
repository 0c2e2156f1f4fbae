/*
 * pick: see pick.h. What is read without a lock is a hint: who tries an entry
 * looks again once it is locked.
 * Callers: queue/runner.c.
 * It changes no entry.
 * The project's own design.
 * Ownership: see pick.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail/envelope.h"
#include "queue/pick.h"
#include "queue/retry.h"
#include "queue/spool.h"

struct reading {
	struct picks *picks; /* borrowed */
	const struct pick_filter *filter; /* borrowed */
	int64_t now;
	bool failed; /* memory ran out */
};

/* ---- what is wanted ---- */

static bool
is_named(const struct pick_filter *f, const char *id)
{
	size_t i;

	for (i = 0; i < f->nids; i++)
		if (strcmp(f->ids[i], id) == 0)
			return true;
	return f->nids == 0;
}

/* An address as it is sent, and as it was given. */
static bool
has_part(const struct address *a, const char *given, const char *part)
{
	return (a->raw != NULL && strcasestr(a->raw, part) != NULL) ||
	    (given != NULL && strcasestr(given, part) != NULL);
}

static bool
has_rcpt(const struct entry *en, const char *part)
{
	const struct recipient *r;
	size_t i;

	for (i = 0; i < en->env.n; i++) {
		r = &en->env.rcpts[i];
		if (entry_is_open(en, i) && has_part(&r->addr, r->given, part))
			return true;
	}
	return false;
}

bool
pick_fits(const struct pick_filter *f, const struct entry *en)
{
	const char *id = f->id.text, *sender = f->sender.text;
	const char *rcpt = f->rcpt.text;

	return is_named(f, en->id) &&
	    (id == NULL || (strcasestr(en->id, id) != NULL) != f->id.absent) &&
	    (sender == NULL ||
		has_part(&en->env.sender, NULL, sender) != f->sender.absent) &&
	    (rcpt == NULL || has_rcpt(en, rcpt) != f->rcpt.absent);
}

bool
pick_wants(const struct pick_filter *f, const struct entry *en, int64_t now)
{
	if (en->hold || (f->due && !retry_due(en, now)))
		return false;
	return entry_open(en) == 0 ? is_named(f, en->id) : pick_fits(f, en);
}

/* ---- the list ---- */

static struct pick *
room(struct picks *p, const char *id)
{
	size_t size = p->size == 0 ? 64 : p->size * 2;
	struct pick *list;

	if (p->n == p->size) {
		list = reallocarray(p->at, size, sizeof *list);
		if (list == NULL)
			return NULL;
		p->at = list;
		p->size = size;
	}
	list = &p->at[p->n++];
	*list = (struct pick){ .by = NULL };
	snprintf(list->id, sizeof list->id, "%s", id);
	return list;
}

int
picks_add(struct picks *p, const char *id)
{
	return room(p, id) == NULL ? -1 : 0;
}

/* The domain of the first recipient that is open: most have one only. */
static const char *
first_domain(const struct entry *en)
{
	size_t i;

	for (i = 0; i < en->env.n; i++)
		if (entry_is_open(en, i) && en->env.rcpts[i].addr.ascii != NULL)
			return en->env.rcpts[i].addr.ascii;
	return "";
}

/* No account's name has a NUL, nor has a domain; the shorter comes first. */
static int
pick_put(struct picks *p, const struct entry *en)
{
	struct pick *pick = room(p, en->id);

	if (pick == NULL)
		return -1;
	return asprintf(&pick->by, "%s\n%s", en->account, first_domain(en)) ==
		-1
	    ? -1
	    : 0;
}

/* Whoever locks what cannot be read decides what it is; of whom it is
 * nobody knows. */
static bool
may_be_wanted(const struct pick_filter *f, const char *id)
{
	return is_named(f, id) && f->id.text == NULL && f->rcpt.text == NULL &&
	    f->sender.text == NULL;
}

static int
read_one(void *ctx, const struct entry *en, const struct err *why)
{
	struct reading *r = ctx;
	int rc = 0;

	if (why != NULL) {
		if (may_be_wanted(r->filter, en->id))
			rc = picks_add(r->picks, en->id);
	} else if (pick_wants(r->filter, en, r->now)) {
		rc = pick_put(r->picks, en);
	}
	r->failed = rc == -1;
	return rc == -1;
}

static int
pick_compare(const void *a, const void *b)
{
	const struct pick *x = a, *y = b;
	int order =
	    strcmp(x->by != NULL ? x->by : "", y->by != NULL ? y->by : "");

	return order != 0 ? order : strcmp(x->id, y->id);
}

int
picks_read(struct picks *p, const struct folder *folder,
    const struct pick_filter *f, const struct entry_now *now, struct err *e)
{
	struct reading r = { .picks = p, .filter = f, .now = now->wall };
	int rc = spool_list(folder, now, read_one, &r, e);

	if (r.failed)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	if (rc == 0 && p->n > 1)
		qsort(p->at, p->n, sizeof p->at[0], pick_compare);
	return rc;
}

void
picks_free(struct picks *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		free(p->at[i].by);
	free(p->at);
	*p = (struct picks){ .n = 0 };
}
