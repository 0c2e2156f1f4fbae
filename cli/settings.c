/*
 * settings: see settings.h. A new setting is a row, a name in the enum and,
 * if its values are of a new kind, a function of a few lines.
 * Callers: options.c, config.c, account.c.
 * It changes no value for another's sake: account.c does that.
 * RFC 5321 4.1.3 (literals of EHLO).
 * Ownership: see settings.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/settings.h"
#include "mail/address.h"
#include "net/dial.h"
#include "net/tls.h"

#define MAX_SECONDS 86400.0

/* ---- values ---- */

static const char *
parse_text(const char *v, int64_t *number)
{
	(void)v;
	(void)number;
	return NULL;
}

static const char *
parse_flag(const char *v, int64_t *number)
{
	*number = strcmp(v, "on") == 0;
	if (*number == 0 && strcmp(v, "off") != 0)
		return "give on or off";
	return NULL;
}

static const char *
parse_port(const char *v, int64_t *number)
{
	char *end;

	*number = *v >= '0' && *v <= '9' ? strtol(v, &end, 10) : -1;
	if (*number < 1 || *number > 65535 || *end != '\0')
		return "give a number from 1 to 65535";
	return NULL;
}

static const char *
parse_ip(const char *v, int64_t *number)
{
	struct endpoint ep;

	(void)number;
	if (endpoint_ip(&ep, v, 0) == -1)
		return "give an IPv4 or IPv6 address of this machine";
	return NULL;
}

/* What EHLO may say. */
static const char *
parse_domain(const char *v, int64_t *number)
{
	size_t n = strlen(v);
	bool literal = n > 2 && v[0] == '[' && v[n - 1] == ']' &&
	    strspn(v + 1, "0123456789abcdefABCDEFIPv:.") == n - 2;

	(void)number;
	if (!literal && !address_is_hostname(v, n))
		return "give a host name or an address literal like "
		       "[192.0.2.1]";
	return NULL;
}

/* Into milliseconds. */
static const char *
parse_timeout(const char *v, int64_t *number)
{
	char *end;
	double s;

	errno = 0;
	s = strtod(v, &end);
	if (errno != 0 || end == v || *end != '\0' ||
	    !(s >= 0.001 && s <= MAX_SECONDS))
		return "give seconds, from 0.001 to 86400";
	*number = (int64_t)(s * 1000);
	return NULL;
}

static const char *
parse_tls(const char *v, int64_t *number)
{
	enum tls_level level;

	if (tls_level_parse(v, &level) == -1)
		return "give none, may, encrypt, verify or auto";
	*number = level;
	return NULL;
}

static const char *
parse_host_name(const char *v, int64_t *number)
{
	(void)number;
	if (!address_is_hostname(v, strlen(v)))
		return "give the host name to verify";
	return NULL;
}

/* ---- rows ---- */

const struct setting_row setting_rows[SETTINGS] = {
	[SET_HOST] = { .key = "host",
	    .option = "host",
	    .arg = "HOST[,...]",
	    .parse = parse_text,
	    .help = "send all to [smtp[s]://|lmtp://]HOST[:PORT] or "
		    "unix:/path, tried in order" },
	[SET_PORT] = { .key = "port",
	    .option = "port",
	    .arg = "N",
	    .parse = parse_port,
	    .help = "port of the servers, instead of 25" },
	[SET_MX] = { .key = "mx",
	    .option = "mx",
	    .parse = parse_flag,
	    .help = "send by MX, whatever is configured" },
	[SET_SOURCE_IP] = { .key = "source_ip",
	    .option = "source-ip",
	    .arg = "ADDRESS",
	    .parse = parse_ip,
	    .help = "connect from this address" },
	[SET_DOMAIN] = { .key = "domain",
	    .option = "helo",
	    .arg = "NAME",
	    .parse = parse_domain,
	    .help = "the name to introduce ourselves by" },
	[SET_TIMEOUT] = { .key = "timeout",
	    .option = "timeout",
	    .arg = "SECONDS",
	    .parse = parse_timeout,
	    .help = "most to wait for any single thing" },
	[SET_TLS] = { .key = "tls",
	    .option = "tls",
	    .arg = "LEVEL",
	    .parse = parse_tls,
	    .help = "none, may, encrypt, verify or auto" },
	[SET_TLS_TRUST_FILE] = { .key = "tls_trust_file",
	    .option = "tls-trust-file",
	    .arg = "PATH",
	    .parse = parse_text,
	    .help = "verify by this file or folder of certificates" },
	[SET_TLS_HOST] = { .key = "tls_host_override",
	    .option = "tls-host",
	    .arg = "NAME",
	    .parse = parse_host_name,
	    .help = "verify this name instead of the host's" },
};

/* ---- taking them ---- */

static int
bad(struct err *e, enum setting_id id, const char *value,
    const struct origin *from, const char *remedy)
{
	const struct setting_row *row = &setting_rows[id];

	if (from->file == NULL)
		return err_set(e, ERR_PERM, ERR_USAGE, "--%s \"%s\": %s",
		    row->option, value, remedy);
	return err_set(e, ERR_PERM, ERR_CONFIG, "%s:%u: %s \"%s\": %s",
	    from->file, from->line, row->key, value, remedy);
}

int
settings_set(struct settings *s, enum setting_id id, const char *value,
    const struct origin *from, struct err *e)
{
	struct setting set = { .given = true, .text = value, .from = *from };
	const char *remedy = setting_rows[id].parse(value, &set.number);

	if (remedy != NULL)
		return bad(e, id, value, from, remedy);
	s->at[id] = set;
	return 0;
}

void
settings_merge(struct settings *to, const struct settings *over)
{
	size_t i;

	for (i = 0; i < SETTINGS; i++)
		if (over->at[i].given)
			to->at[i] = over->at[i];
}
