/*
 * keeping: see keeping.h.
 * Callers: send.c.
 * A message that waits is sent by its account, read anew for each try: what
 * the command line said of servers is gone by then.
 * RFC 5321 4.5.4.1.
 * Ownership: see keeping.h.
 */
#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/accounts.h"
#include "cli/keeping.h"
#include "cli/options.h"
#include "local.h"
#include "mail/envelope.h"
#include "store/user.h"

/* An option that a later try would not know; NULL if none is given. */
static const char *
one_try(const struct settings *given)
{
	size_t i;

	for (i = 0; i < SETTINGS; i++)
		if (given->at[i].given &&
		    (setting_rows[i].traits & SETTING_RELAY) != 0)
			return setting_rows[i].option;
	return NULL;
}

static int
check_options(struct keeping *k, const struct options *o, struct err *e)
{
	k->one_try = one_try(&o->settings);
	if (k->one_try == NULL)
		return 0;
	k->on = false;
	if (!o->settings.at[SET_QUEUE].given)
		return 0;
	return err_set(e, ERR_PERM, ERR_USAGE,
	    "--queue and --%s exclude each other: what is queued is sent by an "
	    "account of the configuration; write it there, or take --queue "
	    "away",
	    k->one_try);
}

/*
 * Defaults may name a host and no account. Who never spoke of a queue has his
 * message tried, and hears of that only where a queue would have taken it.
 */
static int
check_account(struct keeping *k, const struct options *o,
    const struct account *a, struct err *e)
{
	const struct setting *queue = &a->settings.at[SET_QUEUE];
	char place[SETTING_PLACE_MAX];

	if (!k->on || a->relay.name != NULL || a->relay.hosts == NULL)
		return 0;
	err_set(e, ERR_PERM, ERR_CONFIG,
	    "%s is of no account, and what is queued is sent by an account: "
	    "write \"account default\" above it",
	    settings_said(&a->settings,
		a->settings.at[SET_HOST].text != NULL ? SET_HOST : SET_SOCKET,
		place));
	if (queue->from.file != NULL || o->settings.at[SET_QUEUE].given)
		return -1;
	k->nowhere = *e;
	return 0;
}

/*
 * Another file may have an account of that name, too: what -C says is part of
 * the name (accounts.h), and is read again for each try.
 */
static int
name_file(struct keeping *k, const struct options *o, struct err *e)
{
	const char *name = k->account != NULL ? k->account : "";
	char path[PATH_MAX];
	struct stat st;
	int n;

	if (!k->on || o->config == NULL)
		return 0;
	if (realpath(o->config, path) == NULL || stat(path, &st) == -1 ||
	    !S_ISREG(st.st_mode))
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "%s: what is queued is sent by an account that is read "
		    "again for each try: give a regular file",
		    o->config);
	n = snprintf(k->of_file, sizeof k->of_file, "%s:%s", name, path);
	if (n < 0 || (size_t)n >= sizeof k->of_file)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "%s: its path is too long for the queue", o->config);
	k->account = k->of_file;
	return 0;
}

int
keeping_make(struct keeping *k, const struct options *o, struct accounts *as,
    struct err *e)
{
	const struct account *a = accounts_chosen(as);
	const struct setting *queue = &a->settings.at[SET_QUEUE];
	struct spools_place left;

	*k = (struct keeping){ .account = a->relay.name };
	k->on = queue->text != NULL && queue->number != QUEUE_OFF;
	if (!k->on)
		return 0;
	if (check_options(k, o, e) == -1 || check_account(k, o, a, e) == -1 ||
	    name_file(k, o, e) == -1)
		return -1;
	k->only = queue->number == QUEUE_ONLY ||
	    o->face.attempt == ATTEMPT_LATER || o->face.attempt == ATTEMPT_NONE;
	/* Where it can be kept nowhere it is tried, whatever -od says. */
	if (k->on &&
	    (k->nowhere.verdict != ERR_OK ||
		spools_for(&k->place, as->own, &k->nowhere) == -1))
		k->only = queue->number == QUEUE_ONLY;
	k->mailboxes = &a->locally.config;
	k->leaves = k->on && geteuid() != 0 &&
	    locally_writes(&a->locally, o->face.is_sendmail) &&
	    spools_machine(&left);
	if (keeping_by_machine(k)) {
		accounts_unattended(as);
		k->only = k->only || accounts_closed(as);
	}
	return 0;
}

bool
keeping_by_machine(const struct keeping *k)
{
	return k->on && k->nowhere.verdict == ERR_OK &&
	    k->place.kind == SPOOLS_IN;
}

/* ---- for the run ---- */

struct wait_bound
keeping_bound(
    const struct keeping *k, const struct options *o, const struct settings *s)
{
	const struct setting *most = &s->at[SET_TRY_TIME];

	if (!k->on || k->nowhere.verdict != ERR_OK || !o->face.is_sendmail ||
	    o->face.attempt != ATTEMPT_SHORT || most->number == 0)
		return (struct wait_bound){ 0 };
	return wait_within(most->number, "try_time");
}

static int
open_place(const struct spools_place *p, struct folder **to, struct err *e)
{
	int got = spools_open(p, true, to, e);

	if (got != 1)
		return got;
	return err_set(e, ERR_TEMP, ERR_MACHINE,
	    "there is no folder %s any more", p->path);
}

static int
open_folder(void *ctx, struct folder **to, struct err *e)
{
	const struct keeping *k = ctx;

	if (k->nowhere.verdict != ERR_OK) {
		*e = k->nowhere;
		return -1;
	}
	return open_place(&k->place, to, e);
}

static int
open_left(const void *ctx, struct folder **to, struct err *e)
{
	struct spools_place left;

	(void)ctx;
	if (spools_machine(&left))
		return open_place(&left, to, e);
	return err_set(e, ERR_TEMP, ERR_MACHINE,
	    "the machine's queue takes no mail any more");
}

static bool
is_of_others(const void *mailboxes, const struct recipient *r)
{
	struct user u;
	struct err e;

	return r->addr.kind == DOMAIN_NONE && !r->unresolved &&
	    user_find(r->addr.raw, r->addr.local_len, &u, &e) == 1 &&
	    !local_is_ours(mailboxes, &u);
}

struct leave_config
keeping_leave(const struct local_config *mailboxes)
{
	return (struct leave_config){
		.is_left = is_of_others, .open = open_left, .ctx = mailboxes
	};
}

/* Nobody had the password for us; who runs the machine's queue may. */
static bool
lacks_secret(const struct keeping *k, const struct recipient *r)
{
	return keeping_by_machine(k) && r->outcome.err.kind == ERR_AUTH &&
	    r->outcome.err.code == 0;
}

static bool
is_left(const void *ctx, const struct recipient *r)
{
	const struct keeping *k = ctx;

	return lacks_secret(k, r) ||
	    (k->leaves && is_of_others(k->mailboxes, r));
}

static void
on_lost(void *ctx, const struct err *e)
{
	struct keeping *k = ctx;

	k->lost = *e;
}

struct keep_config
keeping_config(struct keeping *k)
{
	if (!k->on)
		return (struct keep_config){ .open = NULL };
	return (struct keep_config){ .open = open_folder,
		.only = k->only,
		.account = k->account,
		.draw = machine_random,
		.leave = { .is_left = k->leaves || keeping_by_machine(k)
			? is_left
			: NULL,
		    .open =
			k->leaves && !keeping_by_machine(k) ? open_left : NULL,
		    .ctx = k },
		.on_lost = on_lost,
		.ctx = k };
}
