/*
 * hello: see hello.h. EHLO comes again behind TLS, and AUTH behind that.
 * Callers: proto.c, whose table has a row for each pair of functions.
 * It knows no message and no recipient.
 * RFC 5321 3.2, 4.1.1.1; 3207 4; 4954 4; 7504 3; 2033 4.1.
 * Ownership: see step.h.
 */
#include <string.h>

#include "auth.h"
#include "base/buf.h"
#include "base/err.h"
#include "hello.h"
#include "net/io.h"
#include "net/tls.h"
#include "smtp/caps.h"
#include "smtp/xclient.h"
#include "wire.h"

/* The server will not do: its words, and the next host is tried. */
static int
refused(struct session *s, enum step step, struct err *e)
{
	if (reply_class(&s->wire.reply) == 3)
		return step_unexpected(s, step, e);
	step_err(s, step, e);
	return -1;
}

static void
tell_hello(const struct session *s, enum step step)
{
	if (s->wire.obs->on_hello != NULL)
		s->wire.obs->on_hello(s->wire.obs->ctx, s->steps[step].stage,
		    s->secure, &s->wire.reply);
}

int
hello_take_greeting(struct session *s, struct cursor at, struct err *e)
{
	if (reply_class(&s->wire.reply) != 2)
		return refused(s, at.step, e);
	tell_hello(s, at.step);
	return step_go(s, STEP_EHLO, 0);
}

static const char *
helo_name(const struct session *s, char literal[IO_LITERAL_MAX])
{
	return s->cfg.helo != NULL ? s->cfg.helo
				   : io_literal(s->wire.io, literal);
}

int
hello_send_ehlo(struct session *s, struct err *e)
{
	char literal[IO_LITERAL_MAX];

	return wire_command(&s->wire, e, "%s %s", s->cfg.lmtp ? "LHLO" : "EHLO",
	    helo_name(s, literal));
}

/* True if nothing may be said in clear but what leads to TLS. */
static bool
tls_required(const struct session *s)
{
	return !s->secure && s->cfg.policy->level >= TLS_ENCRYPT;
}

/* -PLUS mechanisms want to know which channel they speak over. */
static void
bind_auth(struct session *s)
{
	unsigned char octets[TLS_BINDING_MAX];
	const char *type;
	size_t n = 0;

	type = tls_binding(s->wire.io, octets, &n);
	if (type != NULL)
		auth_bind(&s->auth, type, octets, n);
}

/* The handshake: what is known of the server before it counts no more. */
int
hello_secure(struct session *s, enum step step, struct err *e)
{
	struct tls_facts f;

	/* What came in clear, from a proxy even, would pass for said in
	 * private. */
	if (s->wire.io->in.len > 0) {
		err_set(e, ERR_TEMP, ERR_PROTOCOL,
		    "octets came in clear before TLS");
		e->stage = STAGE_STARTTLS;
		return step_trouble(s, step, e);
	}
	wire_deadline(&s->wire, s->steps[STEP_STARTTLS].seconds);
	if (tls_start(s->cfg.tls, s->wire.io, s->cfg.policy, s->cfg.host, &f,
		e) == -1) {
		e->stage = STAGE_STARTTLS;
		return step_trouble(s, step, e);
	}
	wire_note(&s->wire,
	    "%s %s %s, certificate for %s by \"%s\" until %s, %s%s%s%s",
	    f.version, f.cipher, f.group, f.names, f.issuer, f.expires,
	    f.verified ? "verified by " : "not verified",
	    f.verified ? f.how : "", f.ocsp[0] != '\0' ? ", staple " : "",
	    f.ocsp);
	s->secure = true;
	s->verified = f.verified;
	if (s->wire.obs->on_tls != NULL)
		s->wire.obs->on_tls(s->wire.obs->ctx, &f);
	bind_auth(s);
	s->caps = (struct caps){ 0 };
	return 0;
}

/* The policy wants TLS, and there will be none. */
static int
tls_missing(struct session *s, enum step step, const char *why, struct err *e)
{
	err_set(e, ERR_TEMP, ERR_TLS, "%s, but TLS is required (%s, from %s)",
	    why, tls_level_name(s->cfg.policy->level), s->cfg.policy->source);
	e->stage = STAGE_STARTTLS;
	e->scope = s->steps[step].scope;
	return -1;
}

static bool
auth_wanted(const struct session *s)
{
	return s->cfg.auth != NULL && s->cfg.auth->on;
}

/* The next mechanism that is worth a try. */
static int
begin_auth(struct session *s, struct err *e)
{
	const struct auth_channel c = { .encrypted = s->secure,
		.verified = s->verified,
		.local = s->cfg.local };

	buf_reset(&s->answer);
	if (auth_begin(&s->auth, s->caps.auth, &c, &s->answer, &s->shown, e) ==
	    -1)
		return -1;
	/* RFC 5802 6: never less than the server offers without a word. */
	if (s->auth.credentials.plus_offered &&
	    !(s->auth.mech->traits & SASL_PLUS))
		wire_note(&s->wire,
		    "the server offers a login that is bound to TLS (-PLUS), "
		    "%s is not: %s",
		    s->auth.mech->name,
		    s->auth.config->mech != NULL ? "it was named"
			: s->secure ? "GNU SASL cannot do more here"
				    : "there is no TLS");
	return step_go(s, STEP_AUTH, 0);
}

/* For whom we speak is said once, and all after it is about them. */
static bool
xclient_wanted(const struct session *s)
{
	return s->cfg.xclient != NULL && !s->speaks_for;
}

static int
begin_xclient(struct session *s, struct err *e)
{
	const char *lacking;
	size_t n;

	buf_reset(&s->params);
	lacking =
	    xclient_write(&s->params, s->cfg.xclient, s->caps.xclient, &n);
	if (lacking == NULL)
		return step_go(s, STEP_XCLIENT, 0);
	if (s->caps.has & CAP_XCLIENT)
		err_set(e, ERR_PERM, ERR_CONFIG,
		    "--xclient: the server does not take %.*s from us (it "
		    "takes %s)",
		    (int)n, lacking, s->caps.xclient);
	else
		err_set(e, ERR_PERM, ERR_CONFIG,
		    "--xclient: the server does not offer XCLIENT to us");
	e->stage = STAGE_XCLIENT;
	e->scope = SCOPE_HOST;
	return -1;
}

/* The server knows us and there is as much TLS as there will be. */
static int
after_tls(struct session *s, struct err *e)
{
	if (xclient_wanted(s))
		return begin_xclient(s, e);
	return auth_wanted(s) ? begin_auth(s, e) : 0;
}

static int
after_ehlo(struct session *s, struct cursor at, struct err *e)
{
	if (s->secure || s->cfg.policy->level == TLS_NONE)
		return after_tls(s, e);
	if (s->caps.has & CAP_STARTTLS)
		return step_go(s, STEP_STARTTLS, 0);
	if (tls_required(s))
		return tls_missing(
		    s, at.step, "the server does not offer STARTTLS", e);
	return after_tls(s, e);
}

int
hello_take_ehlo(struct session *s, struct cursor at, struct err *e)
{
	int class = reply_class(&s->wire.reply);

	if (class == 2) {
		tell_hello(s, at.step);
		caps_parse(&s->caps, &s->wire.reply);
		return after_ehlo(s, at, e);
	}
	if (class == 5 && tls_required(s))
		return tls_missing(
		    s, at.step, "the server does not know EHLO", e);
	/* RFC 7504 3: 521 is about the host, not about EHLO. HELO knows no
	 * AUTH and no SMTPUTF8. */
	if (class == 5 && !s->cfg.lmtp && !auth_wanted(s) && !s->cfg.utf8 &&
	    !xclient_wanted(s) && s->wire.reply.code != 521) {
		step_err(s, at.step, &s->ehlo);
		return step_go(s, STEP_HELO, 0);
	}
	return refused(s, at.step, e);
}

int
hello_send_helo(struct session *s, struct err *e)
{
	char literal[IO_LITERAL_MAX];

	return wire_command(&s->wire, e, "HELO %s", helo_name(s, literal));
}

int
hello_take_helo(struct session *s, struct cursor at, struct err *e)
{
	return reply_class(&s->wire.reply) == 2 ? 0 : refused(s, at.step, e);
}

int
hello_send_starttls(struct session *s, struct err *e)
{
	return wire_command(&s->wire, e, "STARTTLS");
}

/* True if there are octets behind the last reply; a stream that has only
 * ended is for the handshake to find out. */
static bool
spoke(struct io *io)
{
	struct err end;

	return io->in.len > 0 || (io_readable(io) && io_fill(io, &end) > 0);
}

/*
 * Only 220 begins a handshake (RFC 3207 4). Octets behind it were said by
 * somebody in clear and would be taken for said in private.
 */
int
hello_take_starttls(struct session *s, struct cursor at, struct err *e)
{
	if (s->wire.reply.code == 220) {
		if (spoke(s->wire.io)) {
			err_set(e, ERR_TEMP, ERR_PROTOCOL,
			    "the server spoke between STARTTLS and TLS");
			return step_trouble(s, at.step, e);
		}
		return hello_secure(s, at.step, e) == 0
		    ? step_go(s, STEP_EHLO, 0)
		    : -1;
	}
	if (reply_class(&s->wire.reply) < 4)
		return step_unexpected(s, at.step, e);
	if (tls_required(s))
		return tls_missing(
		    s, at.step, "the server refuses STARTTLS", e);
	return after_tls(s, e);
}

/* ---- XCLIENT ---- */

int
hello_send_xclient(struct session *s, struct err *e)
{
	if (!buf_ok(&s->params))
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "--xclient: more than fits a command");
	return wire_command(&s->wire, e, "XCLIENT%s", buf_str(&s->params));
}

/* The session begins anew with a greeting, and what it offers with it. */
int
hello_take_xclient(struct session *s, struct cursor at, struct err *e)
{
	if (reply_class(&s->wire.reply) != 2)
		return refused(s, at.step, e);
	s->speaks_for = true;
	s->caps = (struct caps){ 0 };
	return step_go(s, STEP_EHLO, 0);
}

/* ---- AUTH ---- */

int
hello_send_auth(struct session *s, struct err *e)
{
	return wire_secret(
	    &s->wire, buf_str(&s->answer), s->answer.len, s->shown, e);
}

int
hello_take_auth(struct session *s, struct cursor at, struct err *e)
{
	step_err(s, at.step, e);
	switch (auth_take(&s->auth, &s->wire.reply, &s->answer, e)) {
	case AUTH_DONE:
		buf_free(&s->answer);
		buf_free(&s->wire.said);
		return 0;
	case AUTH_SAY:
		/* "*", which ends an exchange, is no secret. */
		s->shown = strcmp(buf_str(&s->answer), "*") == 0;
		return step_go(s, STEP_AUTH, 0);
	case AUTH_AGAIN:
		wire_note(&s->wire, "next mechanism: %s", e->text);
		return begin_auth(s, e);
	default:
		return -1;
	}
}
