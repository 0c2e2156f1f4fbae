/*
 * sasl: see sasl.h. Mechanisms are rows, the strongest first; those with a
 * step of their own are pure functions here, the others are the library's.
 * Callers: auth.c; cli for names. Nothing is encoded or logged here.
 * RFC 4422, 4616, 5802, 7628, 8259.
 * Ownership: an exchange is the caller's; it is wiped when it ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "smtp/sasl.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* RFC 7628 and XOAUTH2 put this octet between their fields. */
#define SEPARATOR "\001"

/* A server may have us hash so many times; a million takes a second. */
#define ITERATIONS_MAX 1000000

/* No token is shorter, and so much of one shows which it is. */
#define SECRET_MIN 16
#define SECRET_KNOWN 32

#define REASON_MAX 400
#define VALUE_MAX 160

struct sasl {
	const struct sasl_mech *mech;
	const struct sasl_credentials *cred; /* borrowed */
	const struct sasl_library *library; /* borrowed */
	void *state; /* the library's */
	unsigned turn; /* challenges answered */
	bool complete; /* nothing more is wanted from the server */
	char reason[REASON_MAX];
};

/* The server goes on where the mechanism has nothing more to say. */
static int
too_much(struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_PROTOCOL,
	    "the server asks for more than the mechanism has to say");
}

/* ---- mechanisms of ours: 1 complete, 0 wants an answer, -1 with *e ---- */

/* RFC 4616: message = [authzid] NUL authcid NUL passwd. */
static int
plain_step(const struct sasl_credentials *c, unsigned turn, const char *in,
    size_t n, struct buf *out, struct err *e)
{
	(void)in;
	(void)n;
	if (turn > 0)
		return too_much(e);
	buf_adds(out, c->authzid != NULL ? c->authzid : "");
	buf_addc(out, '\0');
	buf_adds(out, c->user);
	buf_addc(out, '\0');
	buf_adds(out, c->secret);
	return 1;
}

/* The prompts are in all languages, but always in the same order. */
static int
login_step(const struct sasl_credentials *c, unsigned turn, const char *in,
    size_t n, struct buf *out, struct err *e)
{
	(void)in;
	(void)n;
	if (turn > 1)
		return too_much(e);
	buf_adds(out, turn == 0 ? c->user : c->secret);
	return turn == 1;
}

/* RFC 4422 A: who we want to be; the certificate says who we are. */
static int
external_step(const struct sasl_credentials *c, unsigned turn, const char *in,
    size_t n, struct buf *out, struct err *e)
{
	(void)in;
	(void)n;
	if (turn > 0)
		return too_much(e);
	if (c->authzid != NULL)
		buf_adds(out, c->authzid);
	else if (c->user != NULL)
		buf_adds(out, c->user);
	return 1;
}

/* A separator in a value would begin a field of its own. */
static int
fields_check(const struct sasl_credentials *c, struct err *e)
{
	if (strchr(c->secret, SEPARATOR[0]) != NULL ||
	    strpbrk(c->secret, "\r\n") != NULL)
		return err_set(e, ERR_PERM, ERR_AUTH,
		    "the token has a control character; is it a token?");
	if (strchr(c->user, SEPARATOR[0]) != NULL)
		return err_set(e, ERR_PERM, ERR_AUTH,
		    "the user name has a control character");
	return 0;
}

static int
xoauth2_step(const struct sasl_credentials *c, unsigned turn, const char *in,
    size_t n, struct buf *out, struct err *e)
{
	(void)in;
	(void)n;
	/* The reason was given; the refusal itself follows our empty line. */
	if (turn > 0)
		return turn > 1 ? too_much(e) : 0;
	if (fields_check(c, e) == -1)
		return -1;
	buf_adds(out, "user=");
	buf_adds(out, c->user);
	buf_adds(out, SEPARATOR "auth=Bearer ");
	buf_adds(out, c->secret);
	buf_adds(out, SEPARATOR SEPARATOR);
	return 1;
}

/* RFC 5801 4: saslname has no comma and no equals sign. */
static void
add_saslname(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++)
		switch (*s) {
		case ',':
			buf_adds(out, "=2C");
			break;
		case '=':
			buf_adds(out, "=3D");
			break;
		default:
			buf_addc(out, *s);
		}
}

/* RFC 7628 3.1, 3.2.3. */
static int
oauthbearer_step(const struct sasl_credentials *c, unsigned turn,
    const char *in, size_t n, struct buf *out, struct err *e)
{
	(void)in;
	(void)n;
	if (turn > 1)
		return too_much(e);
	if (turn == 1) {
		buf_adds(out, SEPARATOR);
		return 0;
	}
	if (fields_check(c, e) == -1)
		return -1;
	buf_adds(out, "n,a=");
	add_saslname(out, c->authzid != NULL ? c->authzid : c->user);
	buf_adds(out, "," SEPARATOR);
	if (c->host != NULL)
		buf_addf(out, "host=%s" SEPARATOR, c->host);
	if (c->port != 0)
		buf_addf(out, "port=%u" SEPARATOR, c->port);
	buf_adds(out, "auth=Bearer ");
	buf_adds(out, c->secret);
	buf_adds(out, SEPARATOR SEPARATOR);
	return 1;
}

/* ---- the table ---- */

#define BOUND (SASL_SECRET | SASL_FIRST | SASL_PLUS)
#define TOKEN (SASL_SECRET | SASL_CLEAR | SASL_FIRST | SASL_TOKEN | SASL_NAMED)

const struct sasl_mech sasl_mechs[] = {
	{ "SCRAM-SHA-256-PLUS", BOUND, NULL },
	{ "SCRAM-SHA-1-PLUS", BOUND, NULL },
	{ "SCRAM-SHA-256", SASL_SECRET | SASL_FIRST, NULL },
	{ "SCRAM-SHA-1", SASL_SECRET | SASL_FIRST, NULL },
	{ "CRAM-MD5", SASL_SECRET, NULL },
	{ "PLAIN", SASL_SECRET | SASL_CLEAR | SASL_FIRST, plain_step },
	{ "LOGIN", SASL_SECRET | SASL_CLEAR, login_step },
	{ "EXTERNAL", SASL_FIRST, external_step },
	{ "OAUTHBEARER", TOKEN, oauthbearer_step },
	{ "XOAUTH2", TOKEN, xoauth2_step },
	{ "DIGEST-MD5", SASL_SECRET | SASL_NAMED, NULL },
	{ "GSSAPI", SASL_NAMED | SASL_ABSENT, NULL },
	{ "NTLM", SASL_SECRET | SASL_NAMED | SASL_ABSENT, NULL },
};
const size_t sasl_mechs_n = COUNT(sasl_mechs);

const struct sasl_mech *
sasl_find(const char *name)
{
	for (size_t i = 0; i < COUNT(sasl_mechs); i++)
		if (strcasecmp(sasl_mechs[i].name, name) == 0)
			return &sasl_mechs[i];
	return NULL;
}

/* ---- the choice ---- */

bool
sasl_is_offered(const char *offered, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = offered; (p = strstr(p, name)) != NULL; p += n)
		if ((p == offered || p[-1] == ' ') &&
		    (p[n] == '\0' || p[n] == ' '))
			return true;
	return false;
}

bool
sasl_offers_plus(const char *offered)
{
	for (size_t i = 0; i < COUNT(sasl_mechs); i++)
		if ((sasl_mechs[i].traits & SASL_PLUS) != 0 &&
		    sasl_is_offered(offered, sasl_mechs[i].name))
			return true;
	return false;
}

/* What keeps a mechanism from being used; the last ones are told first. */
enum obstacle {
	FITS,
	NOT_BUILT_IN,
	ONLY_WITHOUT_SECRET,
	NO_BINDING,
	ONLY_NAMED,
	ONLY_NAMED_TOKEN,
	WAS_REFUSED,
	NO_LIBRARY,
	NO_USER,
	NO_SECRET,
	NO_TOKEN,
	LESS_THAN_BOUND
};

/* What follows the mechanism's name, with the remedy. */
static const char *const obstacle_text[] = {
	[NOT_BUILT_IN] = "is not built in: use SCRAM-SHA-256, or PLAIN over "
			 "TLS",
	[ONLY_WITHOUT_SECRET] = "goes by the client certificate: it is used "
				"without a password, or when it is named",
	[NO_BINDING] = "is bound to TLS, and this connection has nothing to "
		       "bind it to",
	[ONLY_NAMED] = "is used only when it is named",
	[ONLY_NAMED_TOKEN] = "wants an OAuth token in place of the password "
			     "and is used only when it is named",
	[WAS_REFUSED] = "was tried and refused",
	[NO_LIBRARY] = "needs GNU SASL (package libgsasl18), which cannot be "
		       "loaded here or does not know it",
	[NO_USER] = "wants a user name: set user",
	[NO_SECRET] = "wants a password, and there is none",
	[NO_TOKEN] = "wants an OAuth token, and there is none",
	[LESS_THAN_BOUND] = "was tried and refused; what is not bound to TLS "
			    "is then used only when it is named",
};

struct choice {
	const char *named; /* NULL: the strongest */
	const char *offered;
	unsigned tried;
	const struct sasl_credentials *cred;
	const struct sasl_library *library;
};

static bool
is_set(const char *s)
{
	return s != NULL && s[0] != '\0';
}

static bool
has_library(const struct choice *c, const struct sasl_mech *m)
{
	return m->step != NULL ||
	    (c->library != NULL && c->library->knows(c->library->ctx, m->name));
}

/* What only matters where nobody named the mechanism. */
static enum obstacle
obstacle_unnamed(const struct choice *c, const struct sasl_mech *m)
{
	if ((m->traits & SASL_TOKEN) != 0)
		return ONLY_NAMED_TOKEN;
	if ((m->traits & SASL_NAMED) != 0)
		return ONLY_NAMED;
	if ((m->traits & SASL_SECRET) == 0 && is_set(c->cred->secret))
		return ONLY_WITHOUT_SECRET;
	return FITS;
}

static enum obstacle
obstacle(const struct choice *c, const struct sasl_mech *m)
{
	enum obstacle o = c->named != NULL ? FITS : obstacle_unnamed(c, m);

	if ((m->traits & SASL_ABSENT) != 0)
		return NOT_BUILT_IN;
	if (o != FITS)
		return o;
	if ((c->tried & 1u << (m - sasl_mechs)) != 0)
		return WAS_REFUSED;
	if ((m->traits & SASL_PLUS) != 0 && c->cred->binding_type == NULL)
		return NO_BINDING;
	if ((m->traits & SASL_SECRET) != 0 && !is_set(c->cred->user))
		return NO_USER;
	if ((m->traits & SASL_SECRET) != 0 && !is_set(c->cred->secret))
		return (m->traits & SASL_TOKEN) != 0 ? NO_TOKEN : NO_SECRET;
	return has_library(c, m) ? FITS : NO_LIBRARY;
}

/* One sentence: what the server offers, and what is missing. */
static const struct sasl_mech *
choice_failed(const struct choice *c, const struct sasl_mech *m,
    enum obstacle o, struct err *e)
{
	if (m == NULL)
		err_set(e, ERR_PERM, ERR_AUTH,
		    "the server offers %s; none of them is known here",
		    c->offered);
	else
		err_set(e, ERR_PERM, ERR_AUTH, "the server offers %s; %s %s",
		    c->offered, m->name, obstacle_text[o]);
	return NULL;
}

/* The strongest, and of what does not fit, what is nearest to it. */
static const struct sasl_mech *
choose_strongest(const struct choice *c, struct err *e)
{
	const struct sasl_mech *m, *bound = NULL, *missed = NULL;
	enum obstacle worst = FITS, o;

	for (m = sasl_mechs; m < sasl_mechs + COUNT(sasl_mechs); m++) {
		if (!sasl_is_offered(c->offered, m->name))
			continue;
		o = obstacle(c, m);
		if (o == FITS && (bound == NULL || (m->traits & SASL_PLUS)))
			return m;
		/* A server that can bind is not answered with less. */
		if (o == FITS)
			return choice_failed(c, bound, LESS_THAN_BOUND, e);
		if (o == WAS_REFUSED && (m->traits & SASL_PLUS) != 0)
			bound = m;
		if (o > worst) {
			worst = o;
			missed = m;
		}
	}
	return choice_failed(c, missed, worst, e);
}

static const struct sasl_mech *
choose_named(const struct choice *c, const struct sasl_mech *m, struct err *e)
{
	enum obstacle o = obstacle(c, m);

	if (o == FITS && sasl_is_offered(c->offered, m->name))
		return m;
	if (!sasl_is_offered(c->offered, m->name))
		err_set(e, ERR_PERM, ERR_AUTH, "the server offers %s, not %s",
		    c->offered, m->name);
	else
		choice_failed(c, m, o, e);
	return NULL;
}

static const struct sasl_mech *
choose(const struct choice *c, struct err *e)
{
	const struct sasl_mech *m =
	    c->named != NULL ? sasl_find(c->named) : NULL;

	if (c->named != NULL && m == NULL)
		err_set(e, ERR_PERM, ERR_AUTH,
		    "\"%s\" is no mechanism that is known here; try "
		    "SCRAM-SHA-256 or PLAIN",
		    c->named);
	else if (m != NULL && (m->traits & SASL_ABSENT) != 0)
		err_set(e, ERR_PERM, ERR_AUTH, "%s %s", m->name,
		    obstacle_text[NOT_BUILT_IN]);
	else if (c->offered[0] == '\0')
		err_set(e, ERR_TEMP, ERR_AUTH,
		    "the server offers no AUTH on this connection; many do "
		    "so only with TLS, or on port 587 or 465");
	else
		return m != NULL ? choose_named(c, m, e)
				 : choose_strongest(c, e);
	return NULL;
}

const struct sasl_mech *
sasl_choose(const char *named, const char *offered, unsigned tried,
    const struct sasl_credentials *cred, const struct sasl_library *library,
    struct err *e)
{
	const struct choice c = {
		.named = named,
		.offered = offered,
		.tried = tried,
		.cred = cred,
		.library = library,
	};
	const struct sasl_mech *m = choose(&c, e);

	if (m == NULL)
		e->stage = STAGE_AUTH;
	return m;
}

/* ---- what a refused token's JSON says ---- */

/* A place in the text; all readers stop at the end. */
struct json {
	const char *p, *end;
};

/* True if one of `set` is next. */
static bool
json_at(const struct json *j, const char *set)
{
	return j->p < j->end && *j->p != '\0' && strchr(set, *j->p) != NULL;
}

static void
json_blank(struct json *j)
{
	while (json_at(j, " \t\r\n"))
		j->p++;
}

/* The string that begins here, without quotes; \u escapes stay as they are. */
static void
json_string(struct json *j, struct buf *b)
{
	for (j->p++; j->p < j->end && *j->p != '"'; j->p++) {
		if (*j->p == '\\' && j->p + 1 < j->end && *++j->p == 'u')
			buf_addc(b, '\\');
		buf_addc(b, *j->p);
	}
	if (j->p < j->end)
		j->p++;
}

/* A value as text; of what is nested only the strings. */
static void
json_value(struct json *j, struct buf *b)
{
	int depth = 0;

	json_blank(j);
	while (j->p < j->end) {
		if (depth == 0 && json_at(j, ",}]"))
			return;
		if (json_at(j, "\"")) {
			if (b->len > 0)
				buf_addc(b, ' ');
			json_string(j, b);
			continue;
		}
		if (json_at(j, "[{"))
			depth++;
		else if (json_at(j, "]}"))
			depth--;
		else if (depth == 0 && !json_at(j, " \t\r\n"))
			buf_addc(b, *j->p);
		j->p++;
	}
}

/* The value of a key of the outermost object; false if it is not there. */
static bool
json_find(const char *s, size_t n, const char *key, struct buf *value)
{
	struct json j = { s, s + n };
	struct buf name;
	bool found = false;

	buf_init(&name, n);
	json_blank(&j);
	while (!found && json_at(&j, "{,")) {
		j.p++;
		json_blank(&j);
		if (!json_at(&j, "\""))
			break;
		buf_reset(&name);
		buf_reset(value);
		json_string(&j, &name);
		json_blank(&j);
		if (!json_at(&j, ":"))
			break;
		j.p++;
		json_value(&j, value);
		found = strcmp(buf_str(&name), key) == 0 && value->len > 0;
	}
	buf_free(&name);
	return found;
}

/* RFC 7628 3.2.2, and what big providers add, in the order of telling. */
static const struct {
	const char *key, *words;
} reason_rows[] = {
	{ "error", "" },
	{ "error_description", "" },
	{ "status", "status " },
	{ "scope", "needs scope " },
	{ "schemes", "takes scheme " },
	{ "openid-configuration", "see " },
};

static void
reason_add(struct buf *b, const char *words, const char *s, size_t n)
{
	char text[VALUE_MAX];

	enc_printable_str(text, sizeof text, s, n);
	if (b->len > 0)
		buf_adds(b, ", ");
	buf_adds(b, words);
	buf_adds(b, text);
}

static void
reason_set(struct sasl *s, const char *in, size_t n)
{
	struct buf words, value;

	/* Values are cut; so would be a token that is repeated in them. */
	if (strnlen(s->cred->secret, SECRET_KNOWN) >= SECRET_MIN &&
	    memmem(in, n, s->cred->secret,
		strnlen(s->cred->secret, SECRET_KNOWN)) != NULL)
		return;
	buf_init(&words, COUNT(reason_rows) * (2 * VALUE_MAX));
	buf_init(&value, n + 1);
	for (size_t i = 0; i < COUNT(reason_rows); i++) {
		buf_reset(&value);
		if (json_find(in, n, reason_rows[i].key, &value))
			reason_add(&words, reason_rows[i].words,
			    buf_str(&value), value.len);
	}
	if (words.len == 0 && n > 0)
		reason_add(&words, "", in, n); /* no JSON of that kind */
	if (words.len > 0) {
		buf_reset(&value);
		snprintf(s->reason, sizeof s->reason, "the server says: ");
		n = strlen(s->reason);
		enc_printable_str(s->reason + n, sizeof s->reason - n,
		    buf_str(&words), words.len);
	}
	buf_free(&words);
	buf_free(&value);
}

const char *
sasl_reason(const struct sasl *s)
{
	return s->reason;
}

/* ---- an exchange ---- */

/* SCRAM: i=N of the server's first message, as large as it gets. */
static bool
too_many_iterations(const char *in, size_t n)
{
	unsigned long count;
	size_t i = 0;

	while (i < n) {
		if (n - i > 2 && in[i] == 'i' && in[i + 1] == '=') {
			count = 0;
			for (i += 2; i < n && in[i] >= '0' && in[i] <= '9'; i++)
				if (count <= ITERATIONS_MAX)
					count = count * 10 +
					    (unsigned long)(in[i] - '0');
			if (count > ITERATIONS_MAX)
				return true;
		}
		while (i < n && in[i++] != ',')
			;
	}
	return false;
}

/* What the library need not see: hostile, or an error in SCRAM's words. */
static int
challenge_check(
    const struct sasl_mech *m, const char *in, size_t n, struct err *e)
{
	char text[VALUE_MAX];

	if (in == NULL)
		return 0;
	if (memchr(in, '\0', n) != NULL)
		return err_set(e, ERR_TEMP, ERR_PROTOCOL,
		    "the server's challenge has a NUL octet");
	if (strncmp(m->name, "SCRAM-", 6) != 0)
		return 0;
	if (too_many_iterations(in, n))
		return err_set(e, ERR_PERM, ERR_AUTH,
		    "the server wants the password hashed more than %d times",
		    ITERATIONS_MAX);
	if (n > 2 && in[0] == 'e' && in[1] == '=')
		return err_set(e, ERR_PERM, ERR_AUTH,
		    "the server refuses the exchange: %s",
		    enc_printable_str(text, sizeof text, in + 2, n - 2));
	return 0;
}

struct sasl *
sasl_begin(const struct sasl_mech *m, const struct sasl_credentials *cred,
    const struct sasl_library *library, struct err *e)
{
	struct sasl *s = calloc(1, sizeof *s);

	if (s == NULL) {
		err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
		e->stage = STAGE_AUTH;
		return NULL;
	}
	s->mech = m;
	s->cred = cred;
	s->library = library;
	if (m->step != NULL)
		return s;
	if (library == NULL)
		err_set(e, ERR_PERM, ERR_AUTH, "%s %s", m->name,
		    obstacle_text[NO_LIBRARY]);
	else
		s->state = library->begin(library->ctx, m->name, cred, e);
	if (s->state == NULL) {
		e->stage = STAGE_AUTH;
		free(s);
		return NULL;
	}
	return s;
}

static int
library_step(
    struct sasl *s, const char *in, size_t n, struct buf *out, struct err *e)
{
	if (s->complete)
		return too_much(e);
	if (challenge_check(s->mech, in, n, e) == -1)
		return -1;
	return s->library->step(s->state, in, n, out, e);
}

int
sasl_step(
    struct sasl *s, const char *in, size_t n, struct buf *out, struct err *e)
{
	int rc;

	/* The server speaks first: there is nothing to say yet. */
	if (in == NULL && (s->mech->traits & SASL_FIRST) == 0)
		return 0;
	if ((s->mech->traits & SASL_TOKEN) != 0 && s->turn > 0 && in != NULL)
		reason_set(s, in, n);
	if (s->mech->step != NULL)
		rc = s->mech->step(s->cred, s->turn, in, n, out, e);
	else
		rc = library_step(s, in, n, out, e);
	if (rc != -1 && !buf_ok(out))
		rc = err_set(e, ERR_TEMP, ERR_MACHINE,
		    "no memory for the answer, or it is too long");
	if (rc == -1) {
		s->complete = false;
		e->stage = STAGE_AUTH;
		return -1;
	}
	s->turn++;
	s->complete = rc == 1;
	return 0;
}

int
sasl_done(const struct sasl *s, struct err *e)
{
	if (s->complete)
		return 0;
	if (s->mech->step != NULL)
		err_set(e, ERR_TEMP, ERR_PROTOCOL,
		    "the server accepts before %s has come to its end",
		    s->mech->name);
	else
		err_set(e, ERR_PERM, ERR_AUTH,
		    "the server accepts without having proved that it knows "
		    "the password (%s)",
		    s->mech->name);
	e->stage = STAGE_AUTH;
	return -1;
}

void
sasl_end(struct sasl *s)
{
	if (s == NULL)
		return;
	if (s->state != NULL)
		s->library->end(s->state);
	explicit_bzero(s, sizeof *s);
	free(s);
}
