/*
 * naming: see naming.h.
 * Callers: send.c, run.c.
 * Who is a user here is for store/user.c to say, which may ask the network.
 * With a smarthost the name of this host is no local domain by default: users
 * of that server may have addresses with it.
 * Ownership: see naming.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/naming.h"
#include "cli/settings.h"
#include "relay.h"
#include "store/user.h"

static int
user(void *ctx, const char *name, size_t n, char real[LOCALS_NAME_MAX],
    struct err *e)
{
	struct user u;
	int got = user_find(name, n, &u, e);

	(void)ctx;
	if (got != 1)
		return got;
	if (strlen(u.name) >= LOCALS_NAME_MAX)
		return 0;
	memcpy(real, u.name, strlen(u.name) + 1);
	return 1;
}

static void
usual_domains(struct naming *n, const struct relays *by)
{
	char host[MACHINE_NAME_MAX] = "";

	if (by->relay->hosts == NULL)
		machine_host(host);
	snprintf(n->domains, sizeof n->domains, "localhost%s%s",
	    host[0] != '\0' ? "," : "", host);
	n->config.domains = n->domains;
}

void
naming_make(struct naming *n, const struct settings *s, const struct relays *by,
    bool by_default)
{
	const struct setting *aliases = &s->at[SET_ALIASES];
	const struct setting *domains = &s->at[SET_LOCAL_DOMAINS];
	struct locals_config *c = &n->config;

	*n = (struct naming){ .domains = "" };
	n->said = aliases->text != NULL || domains->text != NULL ||
	    s->at[SET_LOCAL].text != NULL;
	c->aliases = aliases->text;
	c->must_exist = aliases->text != NULL;
	c->maildomain = s->at[SET_MAILDOMAIN].text;
	c->domains = domains->text;
	c->mailboxes = by->local != NULL;
	/* Whom a server of LMTP has, it knows itself. */
	if (c->mailboxes && by->local->local != NULL)
		c->user = user;
	if (by_default && !aliases->given)
		c->aliases = NAMING_ALIASES;
	if (by_default && !domains->given)
		usual_domains(n, by);
}
