/*
 * aliascmd: see aliascmd.h.
 * Callers: sendmail.c.
 * It asks DNS for routes, as --dry-run does, and connects to nobody.
 * aliases(5), smtpsend.conf(5), section ALIASES.
 * Ownership: see aliascmd.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/aliascmd.h"
#include "cli/report.h"
#include "cli/send.h"
#include "mx.h"
#include "queue/aliases.h"
#include "queue/submit.h"

static int
fail(const struct err *e)
{
	report_error(stderr, e);
	return err_exit(e);
}

/* ---- newaliases ---- */

/* The first mistake's exit code. */
static void
on_bad(void *ctx, const struct err *e)
{
	int *code = ctx;

	report_error(stderr, e);
	if (*code == 0)
		*code = err_exit(e);
}

static int
check(const struct locals_config *c, struct err *e)
{
	struct aliases *a;
	int code = 0,
	    got = aliases_load(&a, c->aliases, c->domains, on_bad, &code, e);

	if (got == 1 && c->must_exist)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "there is no file of aliases %s", c->aliases);
	if (got == 1)
		printf("%s: there is no such file, so nobody has an alias\n",
		    c->aliases);
	if (got == 0) {
		aliases_check(a, on_bad, &code);
		printf("%s: %zu alias%s\n", c->aliases, aliases_count(a),
		    aliases_count(a) == 1 ? "" : "es");
	}
	aliases_free(a);
	return got == -1 ? -1 : code;
}

int
aliascmd_check(struct send *r)
{
	struct submit_config c;
	struct err e;
	int code = 0, got = send_open(r, &c, &e);

	if (got == 0 && c.locals.aliases != NULL)
		code = got = check(&c.locals, &e);
	else if (got == 0)
		puts("no file of aliases is configured");
	if (got == -1)
		return fail(&e);
	got = report_flush(stdout);
	return code != 0 ? code : got;
}

/* ---- -bv ---- */

/* Each address once, with its sender to choose servers by. */
struct verifying {
	const struct submit_config *c; /* borrowed */
	int code; /* the first that is not 0 */
	struct err *e; /* why it ended early */
};

/* What became of one, and where it would go. */
static int
show(struct verifying *v, const char *item, struct envelope *env)
{
	struct mail mail = { .env = env, .by = &v->c->by };
	struct plan plan;
	int code;

	if (locals_resolve(&v->c->locals, env, v->e) == -1 ||
	    mx_plan(&v->c->mx, &mail, 1, &plan, v->e) == -1)
		return -1;
	report_verified(stdout, item, &plan, env);
	fflush(stdout);
	report_failures(stderr, env);
	code = send_plan_exit(env);
	if (v->code == 0)
		v->code = code;
	plan_free(&plan);
	return 0;
}

static int
on_address(void *ctx, const char *item, size_t n, struct address *a,
    const struct err *why)
{
	struct verifying *v = ctx;
	char shown[ADDRESS_PATH_MAX + 1] = "";
	struct envelope env;
	int rc;

	envelope_init(&env);
	if (a != NULL) {
		snprintf(shown, sizeof shown, "%s", a->raw);
		rc = envelope_add(&env, a, item, n);
	} else {
		rc = envelope_add_failed(&env, item, n, why);
	}
	if (rc == -1)
		rc = err_set(v->e, ERR_TEMP, ERR_MACHINE, "no memory");
	else
		rc = show(v, shown, &env);
	envelope_free(&env);
	return rc;
}

int
aliascmd_verify(struct send *r)
{
	const struct options *o = r->o;
	struct submit_config c;
	struct err e;
	struct verifying v = { .c = &c, .e = &e };
	int got = send_open(r, &c, &e);
	unsigned flags = ADDRESS_POSTMASTER;
	size_t i;

	if (got == 0 && o->noperands == 0)
		got = err_set(&e, ERR_PERM, ERR_USAGE,
		    "-bv: no address; give one or more as arguments");
	if (got == 0)
		got = mx_check(&c.mx, &c.by, &e);
	if (got == 0 && locals_are_on(&c.locals))
		flags = ADDRESS_BARE;
	for (i = 0; got == 0 && i < o->noperands; i++)
		got = address_each(o->operands[i], strlen(o->operands[i]),
		    flags, on_address, &v);
	if (got != 0)
		return fail(&e);
	got = report_flush(stdout);
	return v.code != 0 ? v.code : got;
}
