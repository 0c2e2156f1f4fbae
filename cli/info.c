/*
 * info: see info.h. What is heard is gathered first and printed at the end,
 * as text or as JSON.
 * Callers: native.c.
 * It authenticates nowhere, though it shows what AUTH is offered.
 * RFC 5321 4.1.1.1, 3207; RFC 8259.
 * Ownership: what was heard is freed before the call returns.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "base/observer.h"
#include "cli/info.h"
#include "cli/report.h"
#include "deliver.h"
#include "net/io.h"
#include "proto.h"
#include "reach.h"
#include "smtp/caps.h"
#include "smtp/reply.h"

/* Octets of all that a server may say. */
#define HEARD_MAX (1024 * 1024)

/* A reply's lines, LF behind each. */
struct words {
	const char *title; /* for people */
	const char *name; /* in JSON */
	struct buf lines; /* owned */
};

enum part { GREETING, BEFORE_TLS, AFTER_TLS, PARTS };

struct heard {
	const struct info_config *cfg; /* borrowed */
	const struct target *target; /* borrowed: NULL: none answered */
	char ip[OUTCOME_IP_MAX];
	struct words parts[PARTS];
	bool secure;
	struct tls_facts tls;
};

/* ---- hearing ---- */

static void
on_hello(void *ctx, enum stage stage, bool secure, const struct reply *r)
{
	struct heard *h = ctx;
	struct buf *to = &h->parts[stage == STAGE_GREETING ? GREETING
				   : secure                ? AFTER_TLS
							   : BEFORE_TLS]
			      .lines;
	const char *s;
	size_t i, n;

	for (i = 0; (s = reply_line(r, i, &n)) != NULL; i++) {
		buf_add(to, s, n);
		buf_addc(to, '\n');
	}
}

static void
on_tls(void *ctx, const struct tls_facts *f)
{
	struct heard *h = ctx;

	h->secure = true;
	h->tls = *f;
}

static void
on_line(void *ctx, enum line_from from, const char *s, size_t n)
{
	const struct heard *h = ctx;
	const struct deliver_line line = {
		.host = h->target->host, .from = (int)from, .s = s, .n = n
	};

	report_line(stderr, &line);
}

/* The dialogue up to the last EHLO. */
static int
listen_in(struct heard *h, struct io *io, struct err *e)
{
	const struct observer obs = {
		.ctx = h,
		.on_line = h->cfg->verbose ? on_line : NULL,
		.on_hello = on_hello,
		.on_tls = on_tls,
	};
	struct tls tls;
	const struct session_config sc = {
		.lmtp = h->target->transport == TRANSPORT_LMTP,
		.helo = h->cfg->relay->helo,
		.timeout_max = h->cfg->relay->timeout,
		.host = h->target->host,
		.ip = h->ip,
		.port = h->target->port,
		.tls = &tls,
		.policy = &h->target->policy,
	};
	struct session *s;
	int got;

	tls_init(&tls, &h->cfg->relay->tls);
	s = session_new(&sc, io, &obs);
	if (s == NULL)
		got = err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	else
		got = session_open(s, e);
	if (s != NULL)
		session_quit(s);
	session_free(s);
	io_free(io);
	tls_free(&tls);
	return got;
}

/* ---- telling ---- */

/* Call fn for each line of a part. */
static void
each_line(struct buf *b, const struct words *w,
    void (*fn)(struct buf *, const char *, size_t, size_t))
{
	const char *p = buf_str(&w->lines), *end = p + w->lines.len, *lf;
	size_t i;

	for (i = 0; p < end; i++, p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		fn(b, p, (size_t)(lf - p), i);
	}
}

static void
put_line(struct buf *b, const char *s, size_t n, size_t i)
{
	(void)i;
	buf_adds(b, "  ");
	enc_printable(b, s, n);
	buf_addc(b, '\n');
}

/* A line of EHLO with what it means; the first one is a greeting. */
static void
put_cap(struct buf *b, const char *s, size_t n, size_t i)
{
	const char *words = i > 0 ? caps_words(s, n) : "";
	size_t from = b->len;

	buf_adds(b, "  ");
	enc_printable(b, s, n);
	if (words == NULL)
		words = "not known here";
	while (words[0] != '\0' && b->len - from < 26)
		buf_addc(b, ' ');
	if (words[0] != '\0')
		buf_addf(b, "  %s", words);
	buf_addc(b, '\n');
}

static void
put_facts(struct buf *b, const struct tls_facts *f)
{
	buf_addf(b, "TLS\n  %s %s %s\n", f->version, f->cipher, f->group);
	buf_addf(b, "  certificate for %s\n", f->names);
	buf_addf(b, "  issued by \"%s\"\n", f->issuer);
	buf_addf(b, "  valid until %s\n", f->expires);
	buf_addf(b, "  verified: %s\n", f->verified ? f->how : "no");
	if (f->ocsp[0] != '\0')
		buf_addf(b, "  stapled answer of its authority: %s\n", f->ocsp);
}

static void
put_part(struct buf *b, const struct words *w,
    void (*fn)(struct buf *, const char *, size_t, size_t))
{
	if (w->lines.len == 0)
		return;
	buf_addf(b, "%s\n", w->title);
	each_line(b, w, fn);
}

static void
put_text(struct buf *b, const struct heard *h)
{
	const struct target *t = h->target;

	enc_printable(b, t->host, strlen(t->host));
	if (h->ip[0] != '\0' && strcmp(h->ip, t->host) != 0)
		buf_addf(b, " [%s]", h->ip);
	if (t->port != 0)
		buf_addf(b, " port %u", t->port);
	buf_addf(b, ", %s, TLS %s (%s)\n", transport_rows[t->transport].name,
	    tls_level_name(t->policy.level), t->policy.source);
	put_part(b, &h->parts[GREETING], put_line);
	put_part(b, &h->parts[BEFORE_TLS], put_cap);
	if (h->secure)
		put_facts(b, &h->tls);
	put_part(b, &h->parts[AFTER_TLS], put_cap);
}

static void
json_line(struct buf *b, const char *s, size_t n, size_t i)
{
	if (i > 0)
		buf_addc(b, ',');
	enc_json(b, s, n);
}

static void
put_json(struct buf *b, const struct heard *h)
{
	const struct target *t = h->target;
	size_t i;

	buf_adds(b, "{\"host\":");
	enc_json(b, t->host, strlen(t->host));
	buf_addf(b, ",\"ip\":\"%s\",\"port\":%u,\"transport\":\"%s\"", h->ip,
	    t->port, transport_rows[t->transport].name);
	for (i = 0; i < PARTS; i++) {
		buf_addf(b, ",\"%s\":[", h->parts[i].name);
		each_line(b, &h->parts[i], json_line);
		buf_addc(b, ']');
	}
	buf_adds(b, ",\"tls\":");
	report_json_tls(b, h->secure ? &h->tls : NULL);
	buf_adds(b, "}\n");
}

static int
print(const struct heard *h, FILE *out, struct err *e)
{
	struct buf b;
	int got = 0;

	if (h->target == NULL)
		return 0;
	buf_init(&b, 8 * HEARD_MAX);
	if (h->cfg->json)
		put_json(&b, h);
	else
		put_text(&b, h);
	if (fwrite(buf_str(&b), 1, b.len, out) != b.len || fflush(out) == EOF)
		got = err_set(e, ERR_PERM, ERR_OUTPUT,
		    "cannot write what the server said");
	buf_free(&b);
	return got;
}

/* ---- the visit ---- */

static int
visit(struct heard *h, const struct target *targets, size_t n, struct err *e)
{
	const struct reach_config rc = {
		.relay = h->cfg->relay,
		.targets = targets,
		.ntargets = n,
		.waiter = h->cfg->waiter,
	};
	struct reach *r = reach_new(&rc);
	struct io io;
	long at;

	if (r == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	at = reach_next(r, &io, h->ip, e);
	if (at >= 0)
		h->target = &targets[reach_target(r, (size_t)at)];
	reach_free(r);
	return at < 0 ? -1 : listen_in(h, &io, e);
}

int
info_show(const struct info_config *cfg, FILE *out, struct err *e)
{
	struct heard h = {
		.cfg = cfg,
		.parts = {
			[GREETING] = { "greeting", "greeting", { 0 } },
			[BEFORE_TLS] = { "offered", "offered", { 0 } },
			[AFTER_TLS] = { "offered over TLS", "offered_tls",
			    { 0 } },
		},
	};
	struct target *targets;
	struct err unwritten;
	size_t n, i;
	int got;

	for (i = 0; i < PARTS; i++)
		buf_init(&h.parts[i].lines, HEARD_MAX);
	got = relay_targets(cfg->relay, cfg->hosts, &targets, &n, e);
	if (got == 0)
		got = n == 0 ? -1 : visit(&h, targets, n, e);
	if (print(&h, out, &unwritten) == -1 && got == 0) {
		*e = unwritten;
		got = -1;
	}
	for (i = 0; i < PARTS; i++)
		buf_free(&h.parts[i].lines);
	for (i = 0; i < n; i++)
		target_free(&targets[i]);
	free(targets);
	return got;
}
