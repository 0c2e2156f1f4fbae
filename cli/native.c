/*
 * native: see native.h. What the options ask for, a function each.
 * Callers: smtpsend.c. It speaks no protocol.
 * Defaults: the man page, sections OPTIONS and FILES.
 * Ownership: frees what it made before it returns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/wait.h"
#include "cli/accounts.h"
#include "cli/configure.h"
#include "cli/dkimkey.h"
#include "cli/info.h"
#include "cli/machine.h"
#include "cli/native.h"
#include "cli/options.h"
#include "cli/queuecmd.h"
#include "cli/report.h"
#include "cli/run.h"
#include "cli/send.h"

#define VERSION "0.1"

/* ---- looking at servers ---- */

/* A domain or an address that stands for its mail hosts: "mx:DOMAIN". */
static int
operand_hosts(const struct options *o, char *out, size_t size, struct err *e)
{
	const char *s = o->noperands == 1 ? o->operands[0] : NULL;
	const char *at = s == NULL ? NULL : strrchr(s, '@');

	if (s == NULL || o->settings.at[SET_HOST].given)
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "--server-info: give one of --host HOST, -a ACCOUNT, or a "
		    "domain");
	snprintf(out, size, "mx:%s", at == NULL ? s : at + 1);
	return 0;
}

/* How the chosen account's servers are looked at. */
static struct look_config
look_config(const struct send *r, struct hosts *hosts, struct dns_config *dns)
{
	const struct relay *relay = &accounts_chosen(&r->accounts)->relay;

	*dns = (struct dns_config){ .nameserver = r->o->nameserver,
		.timeout = relay->timeout,
		.waiter = r->face->waiter };
	*hosts = (struct hosts){ .family = r->o->family,
		.overrides = r->o->overrides,
		.noverrides = r->o->noverrides,
		.dns_config = dns,
		.own_name = relay->helo,
		.random = machine_random };
	return (struct look_config){ .relay = relay,
		.hosts = hosts,
		.waiter = r->face->waiter,
		.verbose = r->o->verbose };
}

/* Nothing was sent and standard input is not ours: only the result counts. */
static int
looked(int got, const struct err *e)
{
	if (got == -1)
		report_error(stderr, e);
	return got == -1 ? err_exit(e) : 0;
}

static int
server_info(struct send *r)
{
	char name[MACHINE_NAME_MAX + 8];
	struct look_config c;
	struct dns_config dns;
	struct hosts hosts;
	struct relay relay;
	struct err e;
	int got = 0;

	if (accounts_open(&r->accounts, r->o, r->face->waiter, &e) == -1)
		return looked(-1, &e);
	r->face->on_deliver(r->face->ctx);
	c = look_config(r, &hosts, &dns);
	relay = *c.relay;
	c.relay = &relay;
	if (relay.hosts == NULL || r->o->noperands > 0) {
		got = operand_hosts(r->o, name, sizeof name, &e);
		relay.hosts = name;
	}
	if (got == 0)
		got = relay_check(&relay, &e);
	if (got == 0)
		got = info_show(&c, r->o->json, stdout, &e);
	host_free(&hosts);
	return looked(got, &e);
}

static int
configure(struct send *r)
{
	struct look_config c;
	struct dns_config dns;
	struct hosts hosts;
	struct err e;
	int got;

	if (accounts_open(&r->accounts, r->o, r->face->waiter, &e) == -1)
		return looked(-1, &e);
	r->face->on_deliver(r->face->ctx);
	c = look_config(r, &hosts, &dns);
	got = configure_print(&c, r->o->address, stdout, &e);
	host_free(&hosts);
	return looked(got, &e);
}

static int
dkim_keygen(struct send *r)
{
	const struct setting *at = r->o->settings.at;
	const struct dkimkey_config c = { .domain = r->o->address,
		.selector = at[SET_DKIM_SELECTOR].text,
		.path = at[SET_DKIM_KEY].text,
		.algorithm = r->o->dkim_algorithm,
		.now = time(NULL) };
	struct err e;
	int got;

	if (r->o->noperands > 0)
		got = err_set(&e, ERR_PERM, ERR_USAGE,
		    "--dkim-keygen sends nothing: take \"%s\" away",
		    r->o->operands[0]);
	else
		got = dkimkey_make(&c, stdout, &e);
	return looked(got, &e);
}

static int
queue_run(struct send *r)
{
	return run_queue(r->face, r->o);
}

/* What was released is tried as if it had been queued now. */
static int
try_released(struct send *r, const struct queue_released *rel)
{
	const struct named_account *na;
	struct err e;

	if (accounts_open_named(&r->accounts, r->o, r->face->waiter, &e) ==
	    -1) {
		report_error(stderr, &e);
		return err_exit(&e);
	}
	r->accounts.by_file = true; /* it is of his own queue */
	na = accounts_named(&r->accounts, rel->account);
	if (na != NULL && na->why.verdict == ERR_OK)
		run_in_background(r->face, r->o, &na->settings, &rel->place);
	return 0;
}

static int
queue(struct send *r)
{
	struct queue_released released;
	int code = queuecmd_run(r->o, &released), got = report_flush(stdout);

	if (code == 0)
		code = got;
	got = released.any ? try_released(r, &released) : 0;
	free(released.account);
	return code != 0 ? code : got;
}

int
native_version(void)
{
	puts("smtpsend " VERSION "\n"
	     "TLS and DKIM: OpenSSL 3; AUTH: by us and GNU SASL; IDN: libidn2; "
	     "each loaded when used; sandbox: none");
	return report_flush(stdout);
}

static int
version(struct send *r)
{
	(void)r;
	return native_version();
}

static int
help(struct send *r)
{
	(void)r;
	options_help(stdout);
	return report_flush(stdout);
}

static int (*const modes[MODES])(struct send *) = {
	[MODE_SEND] = send_message,
	[MODE_SERVER_INFO] = server_info,
	[MODE_CONFIGURE] = configure,
	[MODE_DKIM_KEYGEN] = dkim_keygen,
	[MODE_QUEUE_LIST] = queue,
	[MODE_QUEUE_SHOW] = queue,
	[MODE_QUEUE_HOLD] = queue,
	[MODE_QUEUE_RELEASE] = queue,
	[MODE_QUEUE_REMOVE] = queue,
	[MODE_QUEUE_STATS] = queue,
	[MODE_QUEUE_RUN] = queue_run,
	[MODE_HELP] = help,
	[MODE_VERSION] = version,
};

int
native_main(const struct run_face *face, int argc, char *argv[])
{
	struct options o;
	struct send r;
	struct err e;
	int code;

	send_init(&r, &o, face);
	if (options_parse(&o, argc, argv, &e) == -1)
		code = send_fail(&e);
	else
		code = modes[o.mode](&r);
	send_free(&r);
	options_free(&o);
	return code;
}
