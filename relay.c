/*
 * relay: see relay.h. Each server of the list becomes a target, in its order,
 * if it has an address.
 * Callers: mx.c. It connects to nobody.
 * RFC 5321 2.1, 4.5.4.1 (alternate addresses), 3463 (codes).
 * Ownership: see relay.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "relay.h"

static int
out_of_memory(struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE, "out of memory");
}

void
target_free(struct target *t)
{
	free(t->host);
	dns_addrs_free(&t->addrs);
	*t = (struct target){ 0 };
}

void
relay_keep_reason(struct err *kept, const struct err *e)
{
	if (kept->verdict == ERR_OK ||
	    (kept->verdict == ERR_PERM && e->verdict == ERR_TEMP))
		*kept = *e;
}

/* The only address that a socket has. */
static int
target_unix(const struct spec *spec, struct target *t)
{
	struct endpoint ep;

	return endpoint_unix(&ep, spec->host) == -1
	    ? -1
	    : dns_addrs_add(&t->addrs, &ep);
}

/* What is said of a smarthost whose look-up found no address. */
static void
smarthost_none(enum dns_status st, enum dns_family family, struct err *e)
{
	struct err why = *e;

	if (st == DNS_TEMP)
		return;
	err_set(e, ERR_PERM, ERR_LOOKUP, "smarthost %s", why.text);
	e->enhanced = why.enhanced;
	/* The other family may well be there: nothing is wrong for good. */
	if (st == DNS_NODATA && family != DNS_ANY) {
		e->verdict = ERR_TEMP;
		e->enhanced = (struct enhanced){ 4, 4, 4 };
	}
}

/* Look one smarthost up; -1 with *e when it has no address. */
static int
smarthost_resolve(
    struct hosts *h, const struct spec *spec, struct target *t, struct err *e)
{
	enum dns_status st;

	if (spec->is_path)
		return target_unix(spec, t) == -1 ? out_of_memory(e) : 0;
	st = host_addrs(h, spec->host, spec->port, true, &t->addrs, e);
	host_trim(&t->addrs, RELAY_ADDRESSES_MAX);
	if (st == DNS_OK)
		return 0;
	smarthost_none(st, h->family, e);
	return -1;
}

/* A target of one server: 0, 1 with *why if it has no address, -1 if memory
 * ran out. */
static int
target_make(const struct relay *r, struct hosts *h, const struct spec *spec,
    struct target *t, struct err *why)
{
	if (smarthost_resolve(h, spec, t, why) == -1)
		return 1;
	t->port = spec->port;
	t->transport = spec->transport;
	t->typed = true;
	t->policy = policy_for(&r->policy, t->transport, t->port, true);
	t->host = strdup(spec->host);
	return t->host == NULL ? out_of_memory(why) : 0;
}

int
relay_check(const struct relay *r, struct err *e)
{
	struct spec *specs;
	size_t n;

	if (r->hosts == NULL)
		return 0;
	if (spec_parse(r->hosts, r->port, &specs, &n, e) == -1)
		return -1;
	spec_free(specs, n);
	return 0;
}

int
relay_targets(const struct relay *r, struct hosts *h, struct target **targets,
    size_t *n, struct err *why)
{
	struct spec *specs;
	size_t nspecs, i;
	struct err e;
	int got = 0;

	*n = 0;
	*targets = NULL;
	if (spec_parse(r->hosts, r->port, &specs, &nspecs, why) == -1)
		return -1;
	err_clear(why);
	*targets = calloc(nspecs, sizeof(**targets));
	if (*targets == NULL) {
		spec_free(specs, nspecs);
		return out_of_memory(why);
	}
	for (i = 0; got != -1 && i < nspecs; i++) {
		got = target_make(r, h, &specs[i], &(*targets)[*n], &e);
		if (got == 0) {
			(*n)++;
			continue;
		}
		target_free(&(*targets)[*n]);
		if (got == 1)
			relay_keep_reason(why, &e);
		else
			*why = e;
	}
	spec_free(specs, nspecs);
	return got == -1 ? -1 : 0;
}
