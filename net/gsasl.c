/*
 * gsasl: see gsasl.h. GNU SASL is loaded when the first mechanism of its is
 * asked for, by one table of symbols; it draws the nonces and does the sums.
 * Callers: worker.c; what is here is called through struct sasl_library.
 * RFC 5802 6 (the flag of channel binding); gsasl(3).
 * Ownership: the library copies credentials, and frees them unwiped: what of
 * them can be reached from outside is wiped here.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include <gsasl.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "base/library.h"
#include "net/gsasl.h"

#define LIBRARY "libgsasl.so.18"
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* ---- the library ---- */

/* All that is called in it, a row each. */
#define SYMBOLS(X)                                                             \
	X(gsasl_callback_set)                                                  \
	X(gsasl_client_start)                                                  \
	X(gsasl_client_support_p)                                              \
	X(gsasl_done)                                                          \
	X(gsasl_finish)                                                        \
	X(gsasl_free)                                                          \
	X(gsasl_init)                                                          \
	X(gsasl_property_fast)                                                 \
	X(gsasl_property_set)                                                  \
	X(gsasl_session_hook_set)                                              \
	X(gsasl_step)                                                          \
	X(gsasl_strerror)

struct gsasl_library {
	void *handle; /* dlopen(3)'s */
	Gsasl *ctx; /* NULL: it cannot be used, see `why` */
	struct err why;
#define FIELD(name) __typeof__(name) *(name);
	SYMBOLS(FIELD)
#undef FIELD
};

/* An exchange: what struct sasl_library calls its state. */
struct exchange {
	const struct gsasl_library *lib; /* borrowed */
	const char *mech; /* borrowed */
	const struct sasl_credentials *cred; /* borrowed */
	Gsasl_session *session; /* owned */
	bool says_y; /* it was told of a binding that it cannot use */
};

/*
 * The library takes the server's first realm, whatever was set, and then asks
 * here. It knows us by a hook only, and how to get at that, it knows itself.
 */
static int
realm_asked(Gsasl *ctx, Gsasl_session *session, Gsasl_property prop)
{
	__typeof__(gsasl_session_hook_get) *hook_get;
	const struct exchange *x;
	void *handle, *p;

	(void)ctx;
	if (prop != GSASL_REALM)
		return GSASL_NO_CALLBACK;
	handle = dlopen(LIBRARY, RTLD_NOW | RTLD_NOLOAD);
	if (handle == NULL)
		return GSASL_NO_CALLBACK;
	p = dlsym(handle, "gsasl_session_hook_get");
	dlclose(handle);
	if (p == NULL)
		return GSASL_NO_CALLBACK;
	memcpy(&hook_get, &p, sizeof p);
	x = hook_get(session);
	if (x == NULL || x->cred->realm == NULL)
		return GSASL_NO_CALLBACK;
	return x->lib->gsasl_property_set(session, prop, x->cred->realm);
}

static void
library_load(struct gsasl_library *l)
{
	const char *missing = NULL;
	int rc;

	l->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (l->handle == NULL) {
		err_set(&l->why, ERR_PERM, ERR_AUTH,
		    "GNU SASL is not here (package libgsasl18): %s", dlerror());
		return;
	}
#define LOAD(name) library_symbol(l->handle, #name, &l->name, &missing);
	SYMBOLS(LOAD)
#undef LOAD
	if (missing != NULL) {
		err_set(&l->why, ERR_PERM, ERR_AUTH, "this GNU SASL has no %s",
		    missing);
		return;
	}
	/* A missing symbol has left above, which the analyzer does not see.
	 * NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage) */
	rc = l->gsasl_init(&l->ctx);
	if (rc != GSASL_OK) {
		l->ctx = NULL;
		err_set(&l->why, ERR_TEMP, ERR_AUTH,
		    "GNU SASL cannot be set up: %s", l->gsasl_strerror(rc));
		return;
	}
	l->gsasl_callback_set(l->ctx, realm_asked);
}

/* The library, loaded once; NULL with *e if it cannot be used. */
static const struct gsasl_library *
library(struct gsasl *g, struct err *e)
{
	if (g->lib == NULL) {
		g->lib = calloc(1, sizeof *g->lib);
		if (g->lib == NULL) {
			err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
			return NULL;
		}
		library_load(g->lib);
	}
	if (g->lib->ctx == NULL) {
		*e = g->lib->why;
		return NULL;
	}
	return g->lib;
}

/* ---- errors ---- */

static const struct {
	int rc;
	enum err_verdict verdict;
	enum err_kind kind;
	const char *text;
} error_rows[] = {
	{ GSASL_MALLOC_ERROR, ERR_TEMP, ERR_MACHINE, "no memory" },
	{ GSASL_AUTHENTICATION_ERROR, ERR_PERM, ERR_AUTH,
	    "the server's answer does not hold: it does not know the password, "
	    "or somebody is in between" },
	{ GSASL_MECHANISM_PARSE_ERROR, ERR_TEMP, ERR_PROTOCOL,
	    "the server's challenge makes no sense" },
	{ GSASL_BASE64_ERROR, ERR_TEMP, ERR_PROTOCOL,
	    "the server's challenge makes no sense" },
	{ GSASL_MECHANISM_CALLED_TOO_MANY_TIMES, ERR_TEMP, ERR_PROTOCOL,
	    "the server asks for more than the mechanism has to say" },
	{ GSASL_SASLPREP_ERROR, ERR_PERM, ERR_AUTH,
	    "user name or password is not UTF-8, or has characters that "
	    "SASLprep forbids (RFC 4013)" },
	{ GSASL_NO_HOSTNAME, ERR_PERM, ERR_AUTH,
	    "the mechanism wants the server's name, and there is none" },
};

static int
failed(const struct gsasl_library *l, const char *mech, int rc, struct err *e)
{
	for (size_t i = 0; i < COUNT(error_rows); i++)
		if (error_rows[i].rc == rc)
			return err_set(e, error_rows[i].verdict,
			    error_rows[i].kind, "%s: %s", mech,
			    error_rows[i].text);
	return err_set(e, ERR_PERM, ERR_AUTH, "%s: GNU SASL says: %s", mech,
	    l->gsasl_strerror(rc));
}

/* ---- an exchange ---- */

static int
property_set(struct exchange *x, Gsasl_property prop, const char *value)
{
	return value == NULL
	    ? GSASL_OK
	    : x->lib->gsasl_property_set(x->session, prop, value);
}

/* RFC 5802 6: the library says "p", "y" or "n" by whether it has one. */
static int
binding_set(struct exchange *x)
{
	const struct sasl_credentials *c = x->cred;
	bool exporter = strcmp(c->binding_type, "tls-exporter") == 0;
	struct buf text;
	int rc = GSASL_MALLOC_ERROR;

	buf_init(&text, c->nbinding * 2 + 4);
	enc_base64(&text, c->binding, c->nbinding);
	if (buf_ok(&text))
		rc = property_set(x,
		    exporter ? GSASL_CB_TLS_EXPORTER : GSASL_CB_TLS_UNIQUE,
		    buf_str(&text));
	buf_free(&text);
	return rc;
}

static int
properties_set(struct exchange *x, bool bind)
{
	const struct sasl_credentials *c = x->cred;
	const struct {
		Gsasl_property prop;
		const char *value;
	} rows[] = {
		{ GSASL_AUTHID, c->user },
		{ GSASL_AUTHZID, c->authzid },
		{ GSASL_PASSWORD, c->secret },
		{ GSASL_SERVICE, "smtp" },
		{ GSASL_HOSTNAME, c->host },
	};
	int rc = GSASL_OK;

	for (size_t i = 0; i < COUNT(rows) && rc == GSASL_OK; i++)
		rc = property_set(x, rows[i].prop, rows[i].value);
	return rc == GSASL_OK && bind ? binding_set(x) : rc;
}

static int
session_start(struct exchange *x, bool bind)
{
	int rc = x->lib->gsasl_client_start(x->lib->ctx, x->mech, &x->session);

	if (rc != GSASL_OK) {
		x->session = NULL;
		return rc;
	}
	x->lib->gsasl_session_hook_set(x->session, x);
	return properties_set(x, bind);
}

/* The library's own copy, before it goes back to the heap. */
static void
property_wipe(struct exchange *x, Gsasl_property prop)
{
	const char *value = x->lib->gsasl_property_fast(x->session, prop);
	void *copy;

	if (value == NULL)
		return;
	memcpy(&copy, &value, sizeof copy);
	explicit_bzero(copy, strlen(value));
}

static void
session_end(struct exchange *x)
{
	if (x->session == NULL)
		return;
	property_wipe(x, GSASL_PASSWORD);
	property_wipe(x, GSASL_SCRAM_SALTED_PASSWORD);
	x->lib->gsasl_finish(x->session);
	x->session = NULL;
}

static void
exchange_end(void *state)
{
	struct exchange *x = state;

	session_end(x);
	free(x);
}

static void *
exchange_begin(void *ctx, const char *mech, const struct sasl_credentials *c,
    struct err *e)
{
	const struct gsasl_library *l = library(ctx, e);
	const struct sasl_mech *m = sasl_find(mech);
	bool plus = m != NULL && (m->traits & SASL_PLUS) != 0;
	struct exchange *x;
	int rc;

	if (l == NULL)
		return NULL;
	x = calloc(1, sizeof *x);
	if (x == NULL) {
		err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
		return NULL;
	}
	*x = (struct exchange){ .lib = l, .mech = mech, .cred = c };
	x->says_y = !plus && !c->plus_offered && c->binding_type != NULL;
	rc = session_start(x, c->binding_type != NULL && (plus || x->says_y));
	if (rc != GSASL_OK) {
		failed(l, mech, rc, e);
		exchange_end(x);
		return NULL;
	}
	return x;
}

/* The library reads an empty challenge to its NUL, so there must be one. */
static int
library_step(struct exchange *x, const char *in, size_t n, struct buf *out)
{
	char *answer = NULL;
	size_t len = 0;
	struct buf copy;
	int rc = GSASL_MALLOC_ERROR;

	buf_init(&copy, n);
	if (in != NULL)
		buf_add(&copy, in, n);
	if (buf_ok(&copy))
		rc = x->lib->gsasl_step(x->session,
		    in == NULL ? NULL : buf_str(&copy), n, &answer, &len);
	if (answer != NULL && (rc == GSASL_OK || rc == GSASL_NEEDS_MORE)) {
		buf_add(out, answer, len);
		explicit_bzero(answer, len);
		x->lib->gsasl_free(answer);
	}
	buf_free(&copy);
	return rc;
}

static int
exchange_step(
    void *state, const char *in, size_t n, struct buf *out, struct err *e)
{
	struct exchange *x = state;
	int rc = library_step(x, in, n, out);

	/* GNU SASL 2.2 fails where it should say that it could bind; then it
	 * says that it cannot. */
	if (rc == GSASL_AUTHENTICATION_ERROR && in == NULL && x->says_y) {
		x->says_y = false;
		session_end(x);
		rc = session_start(x, false);
		if (rc == GSASL_OK)
			rc = library_step(x, in, n, out);
	}
	if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE)
		return failed(x->lib, x->mech, rc, e);
	return rc == GSASL_OK;
}

/* ---- the face ---- */

static bool
library_knows(void *ctx, const char *mech)
{
	struct err e;
	const struct gsasl_library *l = library(ctx, &e);

	return l != NULL && l->gsasl_client_support_p(l->ctx, mech) == 1;
}

void
gsasl_init_lazy(struct gsasl *g)
{
	*g = (struct gsasl){
		.face = {
			.ctx = g,
			.knows = library_knows,
			.begin = exchange_begin,
			.step = exchange_step,
			.end = exchange_end,
		},
	};
}

/* The library stays loaded: what it left with the process points into it. */
void
gsasl_release(struct gsasl *g)
{
	if (g->lib != NULL && g->lib->ctx != NULL)
		g->lib->gsasl_done(g->lib->ctx);
	free(g->lib);
	gsasl_init_lazy(g);
}
