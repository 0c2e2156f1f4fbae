/*
 * reports: see reports.h. What is due is what the outcomes call for and the
 * journal does not have yet.
 * Caller: queue/runner.c. It sends nothing and reads no clock.
 * RFC 3461 6.1 (envelope of a report), 6.2 (a long message's header alone).
 * Ownership: a report is read from the item while it is put.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail/dsn.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "queue/folder.h"
#include "queue/reports.h"
#include "queue/spool.h"

/* The longest message that comes back whole, octets: servers refuse what is
 * longer often enough, and then the sender would hear nothing. */
#define WHOLE_MAX ((uint64_t)10 << 20)

/* One report in the making. */
struct making {
	const struct reports_config *c; /* borrowed */
	struct spool_item *item; /* borrowed */
	const struct entry *en; /* borrowed: the item's */
	const struct entry_now *now; /* borrowed */
	enum dsn_kind kind;
	size_t *rcpts; /* owned: whom it is on */
	struct dsn_rcpt *told; /* owned: the same */
	size_t n;
};

static int
no_memory(struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory for a report");
}

bool
reports_is_double(const struct entry *en)
{
	const struct envelope *env = &en->env;

	return env->sender.raw[0] == '\0' &&
	    envelope_count(env, OUTCOME_FAILED) > 0;
}

/* ---- whom it is on ---- */

static bool
is_due(const struct making *k, size_t i)
{
	const struct recipient *r = &k->en->env.rcpts[i];

	/* For dsn_wanted() the open are candidates of failure as well. */
	if (k->kind == DSN_FAILED && r->outcome.state != OUTCOME_FAILED)
		return false;
	return (k->en->rcpts[i].reported & 1u << k->kind) == 0 &&
	    dsn_wanted(k->kind, &k->en->env, r);
}

static void
gather(struct making *k)
{
	const struct entry *en = k->en;
	size_t i;

	k->n = 0;
	for (i = 0; i < en->env.n; i++) {
		if (!is_due(k, i))
			continue;
		k->rcpts[k->n] = i;
		k->told[k->n++] = (struct dsn_rcpt){
			.r = &en->env.rcpts[i],
			.tried = en->rcpts[i].when / 1000,
			.in_doubt = en->rcpts[i].doubt,
		};
	}
}

/* ---- putting it ---- */

/* Who reads his mail is found out when it is tried. */
static int
add_sender(struct envelope *env, const char *address, bool local, struct err *e)
{
	struct address a;
	int rc;

	if (address_parse(&a, address, strlen(address), 0, e) == -1)
		return -1;
	rc = envelope_add(env, &a, address, strlen(address));
	if (rc != 0)
		return no_memory(e);
	env->rcpts[0].unresolved = local;
	return 0;
}

/* From nobody to the sender, and nothing comes of it (RFC 3461 6.1). */
static int
make_envelope(struct envelope *env, const struct making *k, struct err *e)
{
	envelope_init(env);
	env->notify = NOTIFY_NEVER;
	return address_parse(&env->sender, "", 0, ADDRESS_NULL, e) == -1
	    ? -1
	    : add_sender(env, k->en->env.sender.raw, k->c->local_senders, e);
}

static int
put_message(const struct making *k, const struct message *m,
    char id[ENTRY_ID_SIZE], struct err *e)
{
	struct envelope env;
	struct entry_new new = {
		.env = &env,
		.account = k->en->account,
		.uid = k->en->uid == ENTRY_NO_UID ? NULL : &k->en->uid,
		.next_try = k->now->wall,
	};
	int rc = make_envelope(&env, k, e);

	if (rc == 0)
		rc = spool_put(k->c->folder, &new, m, k->now, id, e);
	envelope_free(&env);
	return rc;
}

static int
put_report(const struct making *k, const struct dsn_config *dc,
    char id[ENTRY_ID_SIZE], struct err *e)
{
	struct message m;
	struct dsn d;
	int rc;

	if (dsn_open(&d, dc, e) == -1)
		return -1;
	rc = message_open(&m, dsn_octets(&d), e);
	if (rc == 0)
		rc = put_message(k, &m, id, e);
	message_free(&m);
	dsn_free(&d);
	return rc;
}

/* Where there is no room for the whole message, its header may fit. */
static int
put_of(const struct making *k, const struct message *m, char id[ENTRY_ID_SIZE],
    struct err *e)
{
	const struct entry *en = k->en;
	struct dsn_config dc = {
		.kind = k->kind,
		.host = k->c->host,
		.now = k->now->wall / 1000,
		.zone = k->c->zone,
		.arrived = en->arrived / 1000,
		.until = (en->arrived + k->c->lifetime) / 1000,
		.env = &en->env,
		.rcpt = k->told,
		.n = k->n,
		.m = m,
		.headers_only = en->message_size > WHOLE_MAX,
	};

	k->c->folder->draw(dc.random, sizeof dc.random);
	if (put_report(k, &dc, id, e) == 0)
		return 0;
	if (dc.headers_only || en->env.dsn_return != RETURN_FULL)
		return -1;
	dc.headers_only = true;
	return put_report(k, &dc, id, e);
}

static int
put(const struct making *k, char id[ENTRY_ID_SIZE], struct err *e)
{
	struct message m;
	int rc = spool_message(k->item, &m, e);

	if (rc == 0)
		rc = put_of(k, &m, id, e);
	message_free(&m);
	return rc;
}

static int
tell(struct making *k, struct err *e)
{
	char id[ENTRY_ID_SIZE];

	gather(k);
	if (k->n == 0)
		return 0;
	/* What cannot be noted would be told again and again. */
	if (spool_room(k->item, k->n, e) == -1 || put(k, id, e) == -1)
		return -1;
	if (k->c->on_report != NULL)
		k->c->on_report(k->c->ctx, k->en, k->kind, id);
	return spool_note_report(
	    k->item, k->rcpts, k->n, k->kind, k->now->wall, e);
}

static int
tell_all(struct making *k, bool delayed, struct err *e)
{
	for (k->kind = 0; k->kind < DSN_KINDS; k->kind++)
		if ((delayed || k->kind != DSN_DELAYED) && tell(k, e) == -1)
			return -1;
	return 0;
}

int
reports_due(const struct reports_config *c, struct spool_item *item,
    const struct entry_now *now, bool delayed, struct err *e)
{
	const struct entry *en = spool_entry(item);
	struct making k = { .c = c, .item = item, .en = en, .now = now };
	int rc;

	k.rcpts = calloc(en->env.n, sizeof *k.rcpts);
	k.told = calloc(en->env.n, sizeof *k.told);
	rc = k.rcpts == NULL || k.told == NULL ? no_memory(e)
					       : tell_all(&k, delayed, e);
	free(k.rcpts);
	free(k.told);
	if (rc == 0 && !en->hold && entry_open(en) == 0 &&
	    reports_is_double(en))
		rc = spool_note_hold(item, true, e);
	return rc;
}
