/*
 * auth: see auth.h. A mechanism is begun, its challenges are answered, and
 * when the server will not have it the next one gets its turn.
 * Callers: hello.c, proto.c. It sends and reads nothing itself.
 * RFC 4954 4, 6; 3463 and 5248 (codes); RFC 4422 5.
 * Ownership: see auth.h.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "auth.h"
#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "smtp/reply.h"

/* A command line with its end (RFC 4954 4 does not raise RFC 5321's). */
#define LINE_MAX_OCTETS 512

/* Octets of a decoded challenge or answer; tokens are long. */
#define STEP_MAX (32 * 1024)

bool
auth_is_local(const char *host)
{
	unsigned char ip[16];

	if (host[0] == '/' || strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, ip) == 1)
		return ip[0] == 127;
	return inet_pton(AF_INET6, host, ip) == 1 &&
	    memcmp(ip, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16) == 0;
}

void
auth_init(struct auth *a, const struct auth_config *c,
    const struct sasl_library *library)
{
	*a = (struct auth){ .config = c, .library = library };
	a->credentials = (struct sasl_credentials){
		.user = c->user,
		.authzid = c->authzid,
		.secret = c->secret,
		.realm = c->realm,
	};
	buf_init(&a->first, STEP_MAX);
}

void
auth_free(struct auth *a)
{
	sasl_end(a->exchange);
	a->exchange = NULL;
	buf_free(&a->first);
	explicit_bzero(a->binding, sizeof a->binding);
}

void
auth_bind(struct auth *a, const char *type, const unsigned char *p, size_t n)
{
	if (n > sizeof a->binding)
		n = 0;
	memcpy(a->binding, p, n);
	a->credentials.binding_type = n > 0 ? type : NULL;
	a->credentials.binding = a->binding;
	a->credentials.nbinding = n;
}

/* ---- the beginning ---- */

static int
fail(struct err *e, int ret)
{
	e->stage = STAGE_AUTH;
	e->scope = SCOPE_HOST;
	return ret;
}

/* No secret for who may be anybody; the reason and the remedy. */
static int
unsafe(const struct auth *a, const struct auth_channel *c, struct err *e)
{
	if (!(a->mech->traits & SASL_SECRET) || c->verified || c->local ||
	    a->config->insecure == AUTH_ANYHOW ||
	    (a->config->insecure == AUTH_ENCRYPTED && c->encrypted))
		return 0;
	err_set(e, ERR_PERM, ERR_AUTH,
	    "no secret is sent over a connection that %s; set tls verify, or "
	    "insecure_auth on to send it all the same",
	    c->encrypted ? "is encrypted but not verified"
			 : "is not encrypted");
	return fail(e, -1);
}

/* The next mechanism; what was said of the last one if there is none. */
static int
choose(struct auth *a, const char *offered, struct err *e)
{
	sasl_end(a->exchange);
	a->exchange = NULL;
	buf_reset(&a->first);
	a->mech = sasl_choose(
	    a->config->mech, offered, a->tried, &a->credentials, a->library, e);
	if (a->mech == NULL) {
		if (a->tried != 0)
			*e = a->refused;
		return fail(e, -1);
	}
	a->tried |= 1u << (a->mech - sasl_mechs);
	return 0;
}

/* What we say first, where the mechanism has it, into a->first. */
static int
first_words(struct auth *a, struct err *e)
{
	a->exchange = sasl_begin(a->mech, &a->credentials, a->library, e);
	if (a->exchange == NULL)
		return fail(e, -1);
	if (!(a->mech->traits & SASL_FIRST))
		return 0;
	if (sasl_step(a->exchange, NULL, 0, &a->first, e) == -1)
		return fail(e, -1);
	a->waiting = true;
	return 0;
}

int
auth_begin(struct auth *a, const char *offered, const struct auth_channel *c,
    struct buf *line, size_t *shown, struct err *e)
{
	size_t bare;

	a->waiting = a->cancelled = false;
	a->credentials.plus_offered = sasl_offers_plus(offered);
	if (choose(a, offered, e) == -1 || unsafe(a, c, e) == -1 ||
	    first_words(a, e) == -1)
		return -1;
	buf_adds(line, "AUTH ");
	buf_adds(line, a->mech->name);
	*shown = bare = line->len;
	if (!a->waiting && buf_ok(line))
		return 0;
	/* RFC 4954 4: an empty one is "=", a long one waits to be asked for. */
	buf_addc(line, ' ');
	if (a->first.len == 0)
		buf_addc(line, '=');
	else
		enc_base64(line, a->first.data, a->first.len);
	if (!buf_ok(line))
		return fail(e, err_set(e, ERR_TEMP, ERR_MACHINE, "no memory"));
	if (line->len + 2 > LINE_MAX_OCTETS)
		buf_cut(line, bare);
	else
		a->waiting = false;
	return 0;
}

/* ---- challenges ---- */

/* The answer to a challenge, decoded and encoded. */
static int
answer(struct auth *a, const struct reply *r, struct buf *line, struct err *e)
{
	struct buf in, out;
	size_t n;
	const char *s = reply_line(r, 0, &n);
	int got = -1;

	if (a->waiting) {
		a->waiting = false;
		enc_base64(line, a->first.data, a->first.len);
		buf_free(&a->first);
		return buf_ok(line)
		    ? 0
		    : err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	}
	buf_init(&in, STEP_MAX);
	buf_init(&out, STEP_MAX);
	if (s == NULL || r->lines != 1 || enc_unbase64(&in, s, n) == -1)
		err_set(e, ERR_TEMP, ERR_PROTOCOL,
		    "the server's challenge is not base64");
	else
		got = sasl_step(a->exchange, buf_str(&in), in.len, &out, e);
	if (got == 0)
		enc_base64(line, out.data, out.len);
	if (!buf_ok(&out) || !buf_ok(line))
		got = err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	buf_free(&in);
	buf_free(&out);
	return got;
}

static enum auth_next
challenged(
    struct auth *a, const struct reply *r, struct buf *line, struct err *e)
{
	if (a->cancelled) {
		*e = a->refused;
		return fail(e, AUTH_FAILED);
	}
	if (answer(a, r, line, e) == 0)
		return AUTH_SAY;
	/* RFC 4954 4: "*" ends the exchange; what comes is a refusal. */
	a->cancelled = true;
	a->refused = *e;
	buf_reset(line);
	buf_addc(line, '*');
	return AUTH_SAY;
}

/* ---- the end ---- */

static enum auth_next
accepted(struct auth *a, struct err *e)
{
	if (a->cancelled) {
		*e = a->refused;
		return fail(e, AUTH_FAILED);
	}
	if (a->waiting)
		err_set(e, ERR_TEMP, ERR_PROTOCOL,
		    "the server accepts before anything was said");
	if (a->waiting || sasl_done(a->exchange, e) == -1)
		return fail(e, AUTH_FAILED);
	sasl_end(a->exchange);
	a->exchange = NULL;
	buf_free(&a->first);
	return AUTH_DONE;
}

/* Refusals that are about the mechanism and not about who we are. */
static const struct {
	int code; /* 0: any */
	struct enhanced enhanced; /* class 0: any */
} mechanism_refused[] = {
	{ 504, { 0 } }, /* RFC 4954 4: not supported */
	{ 534, { 0 } }, /* 6: too weak */
	{ 538, { 0 } }, /* 6: needs encryption */
	{ 0, { 5, 5, 4 } },
	{ 0, { 5, 7, 4 } }, /* RFC 3463: feature not supported */
	{ 0, { 5, 7, 9 } },
	{ 0, { 5, 7, 11 } },
};

static bool
is_mechanism_refused(const struct err *e)
{
	const struct enhanced *x;
	size_t i;

	for (i = 0; i < sizeof mechanism_refused / sizeof mechanism_refused[0];
	     i++) {
		x = &mechanism_refused[i].enhanced;
		if (mechanism_refused[i].code == 0
			? e->enhanced.class == x->class &&
			    e->enhanced.subject == x->subject &&
			    e->enhanced.detail == x->detail
			: e->code == mechanism_refused[i].code)
			return true;
	}
	return false;
}

/*
 * RFC 4954 6, 5248: it is who we are that the server will not have. All hosts
 * of a relay know the same users, and count failures.
 */
static bool
is_wrong_account(const struct err *e)
{
	const struct enhanced *x = &e->enhanced;

	return e->code == 535 || e->code == 525 ||
	    (x->class == 5 && x->subject == 7 &&
		(x->detail == 8 || x->detail == 13));
}

static enum auth_next
refused(struct auth *a, struct err *e)
{
	const char *why = sasl_reason(a->exchange);
	size_t n = strlen(e->text);

	if (a->cancelled) {
		*e = a->refused;
		return fail(e, AUTH_FAILED);
	}
	if (why[0] != '\0')
		snprintf(e->text + n, sizeof e->text - n, "; %s", why);
	a->refused = *e;
	if (e->verdict == ERR_PERM && is_mechanism_refused(e))
		return AUTH_AGAIN;
	fail(e, AUTH_FAILED);
	if (e->verdict == ERR_PERM && is_wrong_account(e))
		e->scope = SCOPE_DESTINATION;
	return AUTH_FAILED;
}

enum auth_next
auth_take(
    struct auth *a, const struct reply *r, struct buf *line, struct err *e)
{
	buf_reset(line);
	switch (reply_class(r)) {
	case 2:
		return accepted(a, e);
	case 3:
		return challenged(a, r, line, e);
	default:
		return refused(a, e);
	}
}

bool
auth_token_refused(const struct auth *a, const struct err *e)
{
	return a->mech != NULL && (a->mech->traits & SASL_TOKEN) != 0 &&
	    e->stage == STAGE_AUTH && e->kind == ERR_REPLY &&
	    e->verdict == ERR_PERM;
}
