/*
 * spec: see spec.h. Scheme, then by its prefix what the item is: a row and a
 * function for each kind.
 * Callers: relay.c. It opens nothing and asks nobody.
 * RFC 3986 3.2.2, RFC 5321 4.1.3 (the IPv6: tag is tolerated in brackets).
 * Ownership: see spec.h.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/enc.h"
#include "base/err.h"
#include "base/idna.h"
#include "mail/address.h"
#include "net/dial.h"
#include "net/dns.h"
#include "net/spec.h"

const struct transport_row transport_rows[TRANSPORTS] = {
	[TRANSPORT_SMTP] = { "smtp", "smtp", 25, false },
	[TRANSPORT_SMTPS] = { "smtps", "smtps", 465, true },
	[TRANSPORT_LMTP] = { "lmtp", "lmtp", 24, false },
	[TRANSPORT_MBOX] = { "mbox", NULL, 0, false },
	[TRANSPORT_MAILDIR] = { "maildir", NULL, 0, false },
	[TRANSPORT_MDA] = { "mda", NULL, 0, false },
};

static bool
has_prefix(const char *s, const char *prefix)
{
	return strncasecmp(s, prefix, strlen(prefix)) == 0;
}

static int
spec_bad(struct err *e, const char *item, const char *remedy)
{
	/* Before an @ a password may stand, as in other programs' URLs. */
	const char *at = strrchr(item, '@');

	return err_set(e, ERR_PERM, ERR_USAGE, "host \"%s%s\": %s",
	    at != NULL ? "..." : "", at != NULL ? at : item, remedy);
}

static int
out_of_memory(struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE, "out of memory");
}

/*
 * Take a SCHEME:// from the front of *s: 1 and the transport, 0 without
 * one, -1 for one that is not served.
 */
static int
scheme_take(const char **s, enum transport *t, struct err *e)
{
	const char *end = strstr(*s, "://");
	size_t i, n;

	if (end == NULL || has_prefix(*s, "unix:"))
		return 0;
	n = (size_t)(end - *s);
	for (i = 0; i < TRANSPORTS; i++) {
		if (transport_rows[i].scheme == NULL ||
		    strlen(transport_rows[i].scheme) != n ||
		    strncasecmp(*s, transport_rows[i].scheme, n) != 0)
			continue;
		*t = (enum transport)i;
		*s = end + 3;
		return 1;
	}
	return spec_bad(
	    e, *s, "unknown scheme; use smtp://, smtps:// or lmtp://");
}

/*
 * A name that could be a host's: none ends in a number (RFC 3696 2); what
 * does is a mistyped address, which getaddrinfo(3) would read in its own way.
 */
static bool
is_host_name(const char *s)
{
	size_t n = strlen(s), i;

	if (!address_is_hostname(s, n))
		return false;
	if (s[n - 1] == '.')
		n--;
	for (i = n; i > 0 && s[i - 1] != '.'; i--)
		if (s[i - 1] < '0' || s[i - 1] > '9')
			return true;
	return false;
}

/* A host's name, into A-labels; `s` is the item that it stands in. */
static int
spec_name(
    const char *s, const char *typed, char name[IDNA_NAME_MAX], struct err *e)
{
	struct err why;

	if (idna_host(typed, name, &why) == 0) {
		if (is_host_name(name))
			return 0;
	} else if (why.verdict == ERR_TEMP)
		return err_set(
		    e, why.verdict, why.kind, "host \"%s\": %s", s, why.text);
	else if (enc_has_8bit(typed, strlen(typed)))
		return spec_bad(e, s, why.text);
	return spec_bad(e, s, "neither a host name nor an IP address");
}

/* HOST, HOST:PORT, [IP]:PORT, [IPv6:IP]:PORT. */
static int
spec_inet(const char *s, unsigned port, struct spec *to, struct err *e)
{
	char text[DNS_NAME_MAX], name[IDNA_NAME_MAX];
	const char *host = text;
	struct endpoint ep;
	bool bracketed;

	to->port = port != 0 ? port : transport_rows[to->transport].port;
	if (endpoint_split(
		s, strlen(s), text, sizeof(text), &to->port, &bracketed) == -1)
		return spec_bad(e, s,
		    "give HOST, HOST:PORT or [IPv6]:PORT, "
		    "the port from 1 to 65535");
	if (bracketed && has_prefix(host, "IPv6:"))
		host += strlen("IPv6:");
	if (endpoint_ip(&ep, host, 0) == -1) {
		if (bracketed)
			return spec_bad(
			    e, s, "only an IP address stands in brackets");
		if (spec_name(s, host, name, e) == -1)
			return -1;
		host = name;
	}
	to->host = strdup(host);
	return to->host == NULL ? out_of_memory(e) : 0;
}

/* unix:/path */
static int
spec_unix(const char *s, struct spec *to, struct err *e)
{
	const char *path = s + strlen("unix:");
	struct endpoint ep;

	if (path[0] != '/')
		return spec_bad(e, s, "give the whole path, unix:/path");
	if (endpoint_unix(&ep, path) == -1)
		return spec_bad(
		    e, s, "the path of a socket has at most 107 octets");
	to->host = strdup(path);
	return to->host == NULL ? out_of_memory(e) : 0;
}

/* The domain of a cluster as DNS is asked for it, in place. */
static int
spec_domain(const char *s, struct spec *to, struct err *e)
{
	size_t n = strlen(to->host), i;
	struct endpoint ep;

	if (endpoint_ip(&ep, to->host, 0) == 0)
		return spec_bad(e, s, "a domain is wanted, not an address");
	if (to->host[n - 1] == '.')
		to->host[--n] = '\0';
	for (i = 0; i < n; i++)
		to->host[i] = (char)tolower((unsigned char)to->host[i]);
	return 0;
}

/* mx:DOMAIN[:PORT] */
static int
spec_mx(const char *s, unsigned port, struct spec *to, struct err *e)
{
	if (spec_inet(s + strlen("mx:"), port, to, e) == -1)
		return e->verdict == ERR_TEMP
		    ? -1
		    : spec_bad(e, s, "give mx:DOMAIN or mx:DOMAIN:PORT");
	return spec_domain(s, to, e);
}

/* srv:DOMAIN */
static int
spec_srv(const char *s, unsigned port, struct spec *to, struct err *e)
{
	const char *domain = s + strlen("srv:");

	(void)port;
	if (strchr(domain, ':') != NULL)
		return spec_bad(
		    e, s, "give srv:DOMAIN; its records name the ports");
	if (spec_inet(domain, 0, to, e) == -1)
		return e->verdict == ERR_TEMP
		    ? -1
		    : spec_bad(e, s, "give srv:DOMAIN");
	to->port = 0;
	return spec_domain(s, to, e);
}

static int
spec_socket(const char *s, unsigned port, struct spec *to, struct err *e)
{
	(void)port;
	return spec_unix(s, to, e);
}

/* What an item is, by its beginning; the last row is for all others. */
static const struct kind_row {
	const char *prefix;
	enum spec_kind kind;
	int (*parse)(const char *s, unsigned port, struct spec *, struct err *);
} kind_rows[] = {
	{ "unix:", SPEC_SOCKET, spec_socket },
	{ "mx:", SPEC_MX, spec_mx },
	{ "srv:", SPEC_SRV, spec_srv },
	{ "", SPEC_HOST, spec_inet },
};

static int
spec_item(const char *s, unsigned port, struct spec *to, struct err *e)
{
	const struct kind_row *row = kind_rows;
	const char *item = s;
	int scheme;

	if (*s == '\0')
		return spec_bad(e, s, "a name or an address is missing");
	scheme = scheme_take(&s, &to->transport, e);
	if (scheme == -1)
		return -1;
	while (!has_prefix(s, row->prefix))
		row++;
	to->kind = row->kind;
	if (row->kind == SPEC_SRV && scheme == 1)
		return spec_bad(
		    e, item, "srv: takes no scheme; its records decide on TLS");
	if (row->kind == SPEC_SOCKET && scheme == 0)
		to->transport = TRANSPORT_LMTP;
	return row->parse(s, port, to, e);
}

/* The item without the blanks around it, in place. */
static char *
trim(char *item)
{
	size_t n;

	item += strspn(item, " \t");
	n = strlen(item);
	while (n > 0 && (item[n - 1] == ' ' || item[n - 1] == '\t'))
		item[--n] = '\0';
	return item;
}

int
spec_parse(const char *list, unsigned port, struct spec **specs, size_t *n,
    struct err *e)
{
	char *copy = strdup(list), *rest = copy, *item;
	const char *s;
	int ret = -1;
	size_t max = 1;

	for (s = list; *s != '\0'; s++)
		max += *s == ',';
	*n = 0;
	*specs = calloc(max, sizeof(**specs));
	if (copy == NULL || *specs == NULL) {
		out_of_memory(e);
		goto out;
	}
	while ((item = strsep(&rest, ",")) != NULL)
		if (spec_item(trim(item), port, &(*specs)[(*n)++], e) == -1)
			goto out;
	ret = 0;
out:
	free(copy);
	if (ret == -1) {
		spec_free(*specs, *n);
		*specs = NULL;
		*n = 0;
	}
	return ret;
}

void
spec_free(struct spec *specs, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(specs[i].host);
	free(specs);
}
