/*
 * account: see account.h. Each field of the relay by its own few lines.
 * Callers: native.c.
 * It connects to nobody and fetches no secret.
 * RFC 8314 3.
 * Ownership: see account.h.
 */
#include <stdio.h>

#include "base/err.h"
#include "cli/account.h"

static int
exclusive(const struct settings *s, struct err *e)
{
	if (s->at[SET_MX].number != 0 && s->at[SET_HOST].given)
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "--mx and --host exclude each other; give one of them");
	return 0;
}

int
account_make(struct account *a, const struct settings *s, const char *helo,
    struct err *e)
{
	const char *domain = s->at[SET_DOMAIN].text;
	const char *source = s->at[SET_SOURCE_IP].text;

	*a = (struct account){ 0 };
	if (exclusive(s, e) == -1)
		return -1;
	snprintf(a->helo, sizeof a->helo, "%s", domain != NULL ? domain : helo);
	if (source != NULL)
		endpoint_ip(&a->source, source, 0);
	a->relay = (struct relay){
		.hosts = s->at[SET_HOST].text,
		.port = (unsigned)s->at[SET_PORT].number,
		.policy = { .level = s->at[SET_TLS].given
			? (enum tls_level)s->at[SET_TLS].number
			: TLS_AUTO,
		    .name = s->at[SET_TLS_HOST].text },
		.tls = { .trust = s->at[SET_TLS_TRUST_FILE].text },
		.helo = a->helo[0] != '\0' ? a->helo : NULL,
		.timeout = s->at[SET_TIMEOUT].number,
		.source = source != NULL ? &a->source : NULL,
	};
	return 0;
}

void
account_free(struct account *a)
{
	*a = (struct account){ 0 };
}
