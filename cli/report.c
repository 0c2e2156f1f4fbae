/*
 * report: see report.h. Lines are put together in a buffer and written by
 * one call, so that lines of several programs on one terminal stay whole;
 * what may be long is written in pieces, since recipients may be many.
 * Callers: native.c, send.c, run.c. It looks nothing up and ends nothing.
 * RFC 8259 (JSON).
 * Ownership: borrows everything.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "auth.h"
#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "base/wait.h"
#include "base/when.h"
#include "cli/report.h"
#include "deliver.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "mx.h"
#include "params.h"
#include "policy.h"
#include "queue/entry.h"
#include "relay.h"
#include "smtp/caps.h"

/* Octets that are written at once. One item more fits behind them: the
 * longest is a worker's line (RECORD_MAX) with each octet escaped. */
#define PIECE (64 * 1024)
#define OUT_MAX (8 * PIECE)

static void
emit(FILE *out, struct buf *b)
{
	fwrite(buf_str(b), 1, b->len, out);
	buf_free(b);
}

/* Behind an item of many: what is there goes out, if it is worth a call. */
static void
emit_piece(FILE *out, struct buf *b)
{
	if (b->len < PIECE)
		return;
	fwrite(buf_str(b), 1, b->len, out);
	buf_reset(b);
}

void
report_error(FILE *out, const struct err *e)
{
	fprintf(out, "smtpsend: %s\n", e->text);
}

/* Who closed the pipe, as head(1) does, has read what he wanted. */
static bool
is_left(FILE *out)
{
	int got = wait_fd(NULL, fileno(out), 0, wait_until(0));

	return got > 0 && (got & (POLLERR | POLLHUP)) != 0;
}

int
report_flush(FILE *out)
{
	struct err e;

	if (fflush(out) == 0 && !ferror(out))
		return 0;
	err_errno(&e, ERR_PERM, ERR_OUTPUT, errno, "cannot write to stdout");
	if (!is_left(out))
		report_error(stderr, &e);
	return err_exit(&e);
}

void
report_warning(FILE *out, const char *text)
{
	char clean[2 * ERR_TEXT_MAX];

	fprintf(out, "smtpsend: %s\n",
	    enc_printable_str(clean, sizeof clean, text, strlen(text)));
}

/* ---- text ---- */

/* Text from outside between two of ours. */
static void
put_text(struct buf *b, const char *before, const char *s, const char *behind)
{
	buf_adds(b, before);
	enc_printable(b, s, strlen(s));
	buf_adds(b, behind);
}

/* Where it happened: "host [ip]:port", as much of it as is known. */
static void
put_place(struct buf *b, const struct outcome *o)
{
	if (o->host[0] == '\0')
		return;
	put_text(b, ", ", o->host, "");
	if (o->ip[0] != '\0' && strcmp(o->ip, o->host) != 0)
		put_text(b, " [", o->ip, "]");
	if (o->port != 0)
		buf_addf(b, ":%u", o->port);
}

static const char *
stage_words(enum stage s)
{
	return s == STAGE_END ? "end of data" : err_stage_name(s);
}

static const char *
address(const struct recipient *r)
{
	return r->addr.raw != NULL ? r->addr.raw : r->given;
}

void
report_reason(struct buf *b, const struct outcome *o)
{
	if (o->err.stage != STAGE_NONE)
		buf_addf(b, " at %s", stage_words(o->err.stage));
	put_place(b, o);
	buf_adds(
	    b, o->err.kind == ERR_REPLY && o->err.code != 0 ? " said" : "");
	put_text(b, ": ", o->err.text, "");
	if (o->in_doubt)
		buf_adds(b, " (may have been delivered)");
}

/* Who, what became of it, as which entry, and why. */
static void
put_outcome(struct buf *b, const struct recipient *r, const char *id)
{
	const struct outcome *o = &r->outcome;

	buf_addf(b, "%s: %s", address(r), outcome_name(o->state));
	if (o->state == OUTCOME_QUEUED)
		buf_addf(b, " as %s", id);
	if (o->err.verdict != ERR_OK)
		report_reason(b, o);
}

static void
put_failure(struct buf *b, const struct recipient *r, bool others)
{
	const struct outcome *o = &r->outcome;

	put_outcome(b, r, "");
	if (others && o->state == OUTCOME_DEFERRED)
		buf_adds(b,
		    " (other recipients have the message: send it "
		    "again to this one only)");
	buf_addc(b, '\n');
}

static bool
is_failure(const struct recipient *r)
{
	return r->outcome.state == OUTCOME_FAILED ||
	    r->outcome.state == OUTCOME_DEFERRED;
}

void
report_failures(FILE *out, const struct envelope *env)
{
	bool others = envelope_count(env, OUTCOME_DELIVERED) > 0;
	struct buf b;
	size_t i;

	buf_init(&b, OUT_MAX);
	for (i = 0; i < env->n; i++) {
		if (is_failure(&env->rcpts[i])) {
			buf_adds(&b, "smtpsend: ");
			put_failure(&b, &env->rcpts[i], others);
		}
		emit_piece(out, &b);
	}
	emit(out, &b);
}

void
report_attempt(FILE *out, const struct entry *en, size_t rcpt)
{
	struct buf b;

	if (!is_failure(&en->env.rcpts[rcpt]))
		return;
	buf_init(&b, OUT_MAX);
	buf_addf(&b, "smtpsend: %s: ", en->id);
	put_outcome(&b, &en->env.rcpts[rcpt], en->id);
	buf_addc(&b, '\n');
	emit(out, &b);
}

void
report_queued(FILE *out, const struct envelope *env, bool all)
{
	const struct outcome *o;
	struct buf b;
	size_t i;

	buf_init(&b, OUT_MAX);
	for (i = 0; i < env->n; i++) {
		o = &env->rcpts[i].outcome;
		if (o->state != OUTCOME_QUEUED ||
		    (!all && o->err.verdict != ERR_PERM))
			continue;
		buf_adds(&b, "smtpsend: ");
		put_outcome(&b, &env->rcpts[i], env->queue_id);
		buf_adds(&b,
		    o->err.verdict == ERR_PERM
			? " (it is tried again: mend this until then)\n"
			: "\n");
		emit_piece(out, &b);
	}
	emit(out, &b);
}

/* The same server, with the same lack. */
static bool
is_like(const struct outcome *a, const struct outcome *b)
{
	return b->state == OUTCOME_DELIVERED && a->left_out == b->left_out &&
	    a->port == b->port && strcmp(a->ip, b->ip) == 0 &&
	    strcmp(a->host, b->host) == 0;
}

static bool
is_told(const struct envelope *env, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (is_like(&env->rcpts[i].outcome, &env->rcpts[k].outcome))
			return true;
	return false;
}

static void
put_left_out(struct buf *b, const struct outcome *o)
{
	const char *name;
	unsigned bit;

	for (bit = 1; bit != 0; bit <<= 1) {
		name = o->left_out & bit ? caps_name(bit) : NULL;
		if (name == NULL)
			continue;
		buf_addf(b, "smtpsend: delivered without %s", name);
		put_place(b, o);
		buf_addf(b, ": %s\n", params_lacking(bit));
	}
}

void
report_left_out(FILE *out, const struct envelope *env)
{
	const struct outcome *o;
	struct buf b;
	size_t i;

	buf_init(&b, OUT_MAX);
	for (i = 0; i < env->n; i++) {
		o = &env->rcpts[i].outcome;
		if (o->state == OUTCOME_DELIVERED && o->left_out != 0 &&
		    !is_told(env, i))
			put_left_out(&b, o);
		emit_piece(out, &b);
	}
	emit(out, &b);
}

void
report_live_line(const struct waiter *w, const struct deliver_line *line)
{
	sigset_t blocked;

	if (wait_stopped(w) &&
	    wait_fd(NULL, STDERR_FILENO, POLLOUT, wait_now()) <= 0)
		return;
	sigprocmask(SIG_SETMASK, &w->mask, &blocked);
	report_line(stderr, line);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

void
report_line(FILE *out, const struct deliver_line *l)
{
	struct buf b;

	buf_init(&b, OUT_MAX);
	if (l->many) {
		enc_printable(&b, l->host, strlen(l->host));
		buf_addf(&b, "#%u ", l->worker);
	}
	buf_addf(&b, "%c%s ", l->from, l->from == '-' ? "-" : ":");
	enc_printable(&b, l->s, l->n);
	buf_addc(&b, '\n');
	emit(out, &b);
}

/* ---- JSON ---- */

static void
put_string(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, "\"%s\":", name);
	enc_json(b, value, strlen(value));
}

static const struct {
	const char *name;
	size_t at; /* a string of struct tls_facts */
} tls_rows[] = {
	{ "version", offsetof(struct tls_facts, version) },
	{ "cipher", offsetof(struct tls_facts, cipher) },
	{ "group", offsetof(struct tls_facts, group) },
	{ "names", offsetof(struct tls_facts, names) },
	{ "issuer", offsetof(struct tls_facts, issuer) },
	{ "expires", offsetof(struct tls_facts, expires) },
	{ "how", offsetof(struct tls_facts, how) },
	{ "ocsp", offsetof(struct tls_facts, ocsp) },
};

/* What is known of the connection that decided; null: it was in clear. */
void
report_json_tls(struct buf *b, const struct tls_facts *f)
{
	size_t i;

	if (f == NULL) {
		buf_adds(b, "null");
		return;
	}
	buf_addf(b, "{\"verified\":%s", f->verified ? "true" : "false");
	for (i = 0; i < sizeof tls_rows / sizeof tls_rows[0]; i++) {
		buf_addc(b, ',');
		put_string(
		    b, tls_rows[i].name, (const char *)f + tls_rows[i].at);
	}
	buf_addc(b, '}');
}

static void
json_left_out(struct buf *b, unsigned bits)
{
	const char *name, *before = "";
	unsigned bit;

	buf_addc(b, '[');
	for (bit = 1; bit != 0; bit <<= 1) {
		name = bits & bit ? caps_name(bit) : NULL;
		if (name == NULL)
			continue;
		buf_adds(b, before);
		enc_json(b, name, strlen(name));
		before = ",";
	}
	buf_addc(b, ']');
}

void
report_json_recipient(struct buf *b, const struct recipient *r)
{
	const struct outcome *o = &r->outcome;
	char enhanced[ENHANCED_MAX];

	put_string(b, "address", address(r));
	buf_addc(b, ',');
	put_string(b, "outcome", outcome_name(o->state));
	buf_addf(b, ",\"in_doubt\":%s,", o->in_doubt ? "true" : "false");
	put_string(b, "stage", err_stage_name(o->err.stage));
	buf_addf(b, ",\"code\":%d,", o->err.code);
	put_string(b, "enhanced", enhanced_str(&o->err.enhanced, enhanced));
	buf_addc(b, ',');
	put_string(b, "kind", err_kind_name(o->err.kind));
	buf_addc(b, ',');
	put_string(b, "text", o->err.text);
	buf_addc(b, ',');
	put_string(b, "host", o->host);
	buf_addc(b, ',');
	put_string(b, "ip", o->ip);
	buf_addf(b, ",\"port\":%u,\"left_out\":", o->port);
	json_left_out(b, o->left_out);
}

static void
put_recipient(
    struct buf *b, const struct envelope *env, const struct recipient *r)
{
	const struct outcome *o = &r->outcome;

	buf_addc(b, '{');
	report_json_recipient(b, r);
	buf_adds(b, ",\"tls\":");
	report_json_tls(
	    b, o->tls > 0 && o->tls <= env->ntls ? env->tls[o->tls - 1] : NULL);
	buf_addc(b, '}');
}

static void
put_recipients(FILE *out, struct buf *b, const struct envelope *env)
{
	size_t i;

	buf_adds(b, "\"recipients\":[");
	for (i = 0; i < env->n; i++) {
		if (i > 0)
			buf_addc(b, ',');
		put_recipient(b, env, &env->rcpts[i]);
		emit_piece(out, b);
	}
	buf_addc(b, ']');
}

void
report_json(FILE *out, const struct envelope *env, uint64_t size, int exit)
{
	struct buf b;

	buf_init(&b, OUT_MAX);
	buf_addf(&b, "{\"exit\":%d,", exit);
	put_string(&b, "sender", env->sender.raw);
	buf_addf(&b, ",\"size\":%" PRIu64 ",", size);
	put_string(&b, "queue_id", env->queue_id);
	buf_addc(&b, ',');
	put_recipients(out, &b, env);
	buf_adds(&b, "}\n");
	emit(out, &b);
}

void
report_attempt_json(FILE *out, const struct entry *en, size_t rcpt, int64_t now)
{
	char date[WHEN_DATE_MAX];
	struct buf b;

	buf_init(&b, OUT_MAX);
	buf_addc(&b, '{');
	put_string(&b, "id", en->id);
	buf_addc(&b, ',');
	put_string(&b, "time", when_date_text(now / 1000, date));
	buf_addf(&b, ",\"delay\":%" PRId64 ",\"tries\":%u,",
	    (now - en->arrived) / 1000, en->tries + 1);
	put_string(&b, "account", en->account);
	buf_addc(&b, ',');
	put_string(&b, "sender", en->env.sender.raw);
	buf_adds(&b, ",\"recipient\":");
	put_recipient(&b, &en->env, &en->env.rcpts[rcpt]);
	buf_adds(&b, "}\n");
	emit(out, &b);
}

/* ---- the plan ---- */

static void
put_addresses(struct buf *b, const struct target *t)
{
	char ip[OUTCOME_IP_MAX];
	size_t i;

	for (i = 0; i < t->addrs.n; i++) {
		endpoint_text(&t->addrs.at[i], ip, sizeof ip);
		if (strcmp(ip, t->host) != 0)
			put_text(b, i == 0 ? ": " : ", ", ip, "");
	}
}

static void
put_policy(struct buf *b, const struct tls_policy *p)
{
	buf_addf(b, "    tls %s%s", tls_level_name(p->level),
	    p->implicit && p->level != TLS_NONE ? " from the first octet" : "");
	if (p->name != NULL)
		put_text(b, " as ", p->name, "");
	put_text(b, ", by ", p->source, "\n");
}

/* True if auth.c will keep the secret to itself there, see auth.h. */
static bool
is_kept_back(const struct relay *r, const struct target *t)
{
	return r->auth.on && r->secret_from != NULL &&
	    r->auth.insecure == AUTH_NEVER && t->policy.level != TLS_VERIFY &&
	    !target_is_local(r, t);
}

static void
put_target(struct buf *b, const struct route *r, const struct target *t)
{
	if (r->relay->local != NULL) {
		put_text(b, "  mailboxes ", t->host, "\n");
		return;
	}
	buf_adds(b, "  host ");
	enc_printable(b, t->host, strlen(t->host));
	if (t->port != 0)
		buf_addf(b, " port %u", t->port);
	buf_addf(b, " %s", transport_rows[t->transport].name);
	if (strcmp(r->source, "mx") == 0)
		buf_addf(b, " preference %u", t->preference);
	put_addresses(b, t);
	buf_addc(b, '\n');
	put_policy(b, &t->policy);
	if (is_kept_back(r->relay, t))
		buf_adds(b,
		    "    no login: the connection is not verified; set tls "
		    "verify, or insecure_auth on\n");
}

/* Who goes there by whose name; the secret itself is not here yet. */
static void
put_account(struct buf *b, const struct relay *r)
{
	if (!r->auth.on)
		return;
	put_text(b, "  auth ", r->auth.mech != NULL ? r->auth.mech : "on", "");
	if (r->auth.user != NULL)
		put_text(b, " as ", r->auth.user, "");
	if (r->secret_from != NULL)
		put_text(b, ", secret from ", r->secret_from, "");
	buf_addc(b, '\n');
}

static void
put_route(FILE *out, struct buf *b, const struct route *r, size_t number,
    const struct envelope *env)
{
	size_t k;

	buf_addf(b, "route %zu by %s", number, r->source);
	if (r->relay->name != NULL)
		put_text(b, ", account ", r->relay->name, "");
	buf_addc(b, '\n');
	for (k = 0; k < r->ntargets; k++) {
		put_target(b, r, &r->targets[k]);
		emit_piece(out, b);
	}
	put_account(b, r->relay);
	for (k = 0; k < r->n; k++) {
		put_text(b, "  to ", env->rcpts[r->rcpts[k]].addr.raw, "\n");
		emit_piece(out, b);
	}
}

void
report_plan(FILE *out, const struct plan *p, const struct envelope *env,
    const struct message *m)
{
	struct buf b;
	size_t i;

	buf_init(&b, OUT_MAX);
	put_text(&b, "from <", env->sender.raw, ">\n");
	buf_addf(&b, "message %" PRIu64 " octets, %s\n", message_size(m),
	    message_8bit(m) != 0 ? "8-bit" : "7-bit");
	for (i = 0; i < p->n; i++)
		put_route(out, &b, &p->routes[i], i + 1, env);
	emit(out, &b);
}

/* Those whom an address stands for, between commas; false: nobody. */
static bool
put_verified(struct buf *b, const char *address, const struct envelope *env)
{
	const struct recipient *r = env->rcpts;
	size_t i, n = 0;

	put_text(b, "", address, "");
	if (env->n == 1 && strcmp(r->addr.raw, address) == 0 &&
	    (r->outcome.state == OUTCOME_PENDING ||
		r->outcome.state == OUTCOME_DEFERRED))
		return true;
	for (i = 0; i < env->n; i++) {
		if (r[i].outcome.state == OUTCOME_FAILED)
			continue;
		buf_adds(b, n++ == 0 ? " -> " : ", ");
		put_text(b, "",
		    r[i].outcome.state == OUTCOME_DELIVERED ? "/dev/null"
							    : r[i].addr.raw,
		    "");
	}
	return n > 0;
}

void
report_verified(FILE *out, const char *address, const struct plan *p,
    const struct envelope *env)
{
	struct buf b;
	size_t i;

	if (env->n == 0 || env->rcpts[0].addr.raw == NULL)
		return;
	buf_init(&b, OUT_MAX);
	if (put_verified(&b, address, env)) {
		buf_addc(&b, '\n');
		for (i = 0; i < p->n; i++)
			put_route(out, &b, &p->routes[i], i + 1, env);
		emit(out, &b);
	}
	buf_free(&b);
}

static void
json_target(struct buf *b, const struct target *t)
{
	char ip[OUTCOME_IP_MAX];
	size_t i;

	buf_addc(b, '{');
	put_string(b, "host", t->host);
	buf_addf(b, ",\"port\":%u,\"preference\":%u,", t->port, t->preference);
	put_string(b, "transport", transport_rows[t->transport].name);
	buf_adds(b, ",\"addresses\":[");
	for (i = 0; i < t->addrs.n; i++) {
		endpoint_text(&t->addrs.at[i], ip, sizeof ip);
		if (i > 0)
			buf_addc(b, ',');
		enc_json(b, ip, strlen(ip));
	}
	buf_addf(b, "],\"tls\":{\"level\":\"%s\",\"implicit\":%s,",
	    tls_level_name(t->policy.level),
	    t->policy.implicit ? "true" : "false");
	put_string(b, "source", t->policy.source);
	buf_adds(b, "}}");
}

static void
json_account(struct buf *b, const struct relay *r)
{
	buf_addc(b, ',');
	put_string(b, "account", r->name != NULL ? r->name : "");
	buf_adds(b, ",\"auth\":");
	if (!r->auth.on) {
		buf_adds(b, "null");
		return;
	}
	buf_addc(b, '{');
	put_string(b, "mechanism", r->auth.mech != NULL ? r->auth.mech : "");
	buf_addc(b, ',');
	put_string(b, "user", r->auth.user != NULL ? r->auth.user : "");
	buf_addc(b, ',');
	put_string(
	    b, "secret_from", r->secret_from != NULL ? r->secret_from : "");
	buf_addc(b, '}');
}

static void
json_route(
    FILE *out, struct buf *b, const struct route *r, const struct envelope *env)
{
	const char *to;
	size_t k;

	buf_addc(b, '{');
	put_string(b, "by", r->source);
	json_account(b, r->relay);
	buf_adds(b, ",\"targets\":[");
	for (k = 0; k < r->ntargets; k++) {
		if (k > 0)
			buf_addc(b, ',');
		json_target(b, &r->targets[k]);
		emit_piece(out, b);
	}
	buf_adds(b, "],\"to\":[");
	for (k = 0; k < r->n; k++) {
		to = env->rcpts[r->rcpts[k]].addr.raw;
		if (k > 0)
			buf_addc(b, ',');
		enc_json(b, to, strlen(to));
		emit_piece(out, b);
	}
	buf_adds(b, "]}");
}

void
report_plan_json(FILE *out, const struct plan *p, const struct envelope *env,
    const struct message *m, int exit)
{
	struct buf b;
	size_t i;

	buf_init(&b, OUT_MAX);
	buf_addf(&b, "{\"exit\":%d,", exit);
	put_string(&b, "sender", env->sender.raw);
	buf_addf(&b, ",\"size\":%" PRIu64 ",", message_size(m));
	put_string(&b, "queue_id", "");
	buf_adds(&b, ",\"routes\":[");
	for (i = 0; i < p->n; i++) {
		if (i > 0)
			buf_addc(&b, ',');
		json_route(out, &b, &p->routes[i], env);
	}
	buf_adds(&b, "],");
	put_recipients(out, &b, env);
	buf_adds(&b, "}\n");
	emit(out, &b);
}
