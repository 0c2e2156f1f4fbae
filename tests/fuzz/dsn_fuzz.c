/*
 * dsn: whatever a server replied and whatever addresses say, a report has the
 * fields that it is to have, in lines that fit, and its three parts.
 * The input: an octet of choices, strings that end in NUL, the message.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/err.h"
#include "mail/dsn.h"
#include "mail/envelope.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

/* What the fields of the report and of its second part may be called. */
static const char *const outside[] = { "From", "To", "Subject", "Date",
	"Message-ID", "In-Reply-To", "References", "Auto-Submitted",
	"MIME-Version", "Content-Type", "Content-Transfer-Encoding", NULL };
static const char *const of_message[] = { "Original-Envelope-Id",
	"Reporting-MTA", "Arrival-Date", NULL };
static const char *const of_rcpt[] = { "Original-Recipient", "Final-Recipient",
	"Action", "Status", "Remote-MTA", "Diagnostic-Code",
	"Last-Attempt-Date", "Will-Retry-Until", NULL };

static const char boundary[] = "=_f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0";

struct input {
	const char *p;
	size_t n;
};

static void
must(int ok)
{
	if (!ok)
		abort();
}

static long
read_input(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const struct input *in = ctx;

	(void)e;
	if (off >= in->n)
		return 0;
	n = n < in->n - off ? n : in->n - (size_t)off;
	memcpy(to, in->p + off, n);
	return (long)n;
}

/* The next string, a copy; NULL once there is none. */
static char *
next(struct input *in)
{
	const char *nul = in->n > 0 ? memchr(in->p, '\0', in->n) : NULL;
	char *s;

	if (nul == NULL)
		return NULL;
	s = strdup(in->p);
	must(s != NULL);
	in->n -= (size_t)(nul - in->p) + 1;
	in->p = nul + 1;
	return s;
}

/* Each field is one of these, and none is there twice. */
static void
check_fields(const char *p, size_t n, const char *const *names)
{
	unsigned seen = 0, i;
	struct field f = { 0 };

	while (header_next(p, n, &f)) {
		for (i = 0; names[i] != NULL && !header_is(&f, names[i]); i++)
			continue;
		must(names[i] != NULL && !(seen & 1u << i));
		seen |= 1u << i;
	}
	must(seen != 0);
}

static void
check_lines(const char *p, size_t n, int ours)
{
	const char *lf;

	for (; n > 0; n -= (size_t)(lf - p) + 1, p = lf + 1) {
		lf = memchr(p, '\n', n);
		must(lf != NULL && lf - p <= 1 + MESSAGE_LINE_MAX);
		must(!ours || memchr(p, '\r', (size_t)(lf - p)) == NULL);
		must(!ours || lf - p <= MESSAGE_LINE_MAX);
	}
}

/* Behind the next delimiter. */
static const char *
behind(const char *p, const char *end)
{
	char line[64];
	const char *at;

	snprintf(line, sizeof line, "\n--%s\n", boundary);
	at = memmem(p, (size_t)(end - p), line, strlen(line));
	must(at != NULL);
	return at + strlen(line);
}

static void
check_status(const char *p, const char *end, int utf8)
{
	const char *blank = memmem(p, (size_t)(end - p), "\n\n", 2);
	const char *second;

	must(blank != NULL);
	p = blank + 2;
	must(utf8 ? enc_is_utf8(p, (size_t)(end - p))
		  : !enc_has_8bit(p, (size_t)(end - p)));
	second = memmem(p, (size_t)(end - p), "\n\n", 2);
	must(second != NULL);
	check_fields(p, (size_t)(second + 1 - p), of_message);
	check_fields(second + 2, (size_t)(end - second - 2), of_rcpt);
	must(memmem(second + 2, (size_t)(end - second - 2), "\n\n", 2) == NULL);
}

static void
check_report(const char *p, size_t n, int utf8)
{
	const char *end = p + n, *head, *text, *status, *returned;
	char last[64];
	size_t len;

	head = memmem(p, n, "\n\n", 2);
	must(head != NULL);
	check_fields(p, (size_t)(head + 1 - p), outside);
	text = behind(p, end);
	status = behind(text, end);
	returned = behind(status, end);
	check_lines(p, (size_t)(returned - p), 1);
	must(memchr(p, '\0', (size_t)(returned - p)) == NULL);
	must(enc_is_utf8(p, (size_t)(returned - p)));
	len = strlen(boundary);
	check_status(status, returned - len - 4, utf8);
	snprintf(last, sizeof last, "\n--%s--\n", boundary);
	len = strlen(last);
	must(memcmp(end - len, last, len) == 0);
}

/* All of it, read in pieces, is what it says it is. */
static void
check(const struct dsn_config *c)
{
	struct message again;
	struct octets o;
	struct dsn dsn;
	struct err e;
	uint64_t at = 0;
	char *all;
	long got;

	must(dsn_open(&dsn, c, &e) == 0);
	o = dsn_octets(&dsn);
	all = malloc((size_t)o.size + 1000);
	must(all != NULL);
	while ((got = o.read(o.ctx, at, all + at, 999, &e)) > 0)
		at += (uint64_t)got;
	must(got == 0 && at == o.size);
	check_report(all, (size_t)at, c->env->sender.needs_utf8);
	must(message_open(&again, o, &e) == 0);
	must(again.header_long == 0 && again.body_long == 0);
	message_free(&again);
	dsn_free(&dsn);
	free(all);
}

static void
set_up(struct recipient *r, unsigned choice, const char *words)
{
	struct outcome *o = &r->outcome;

	o->state = (enum outcome_state)(choice % OUTCOME_STATES);
	o->err.kind = (enum err_kind)(choice % ERR_KINDS);
	o->err.code = words != NULL ? (int)strtol(words, NULL, 10) : 0;
	o->in_doubt = choice & 1;
	if (words != NULL)
		snprintf(o->err.text, sizeof o->err.text, "%s", words);
}

static void
run(struct input *in, unsigned choice, char *s[6])
{
	struct recipient r = { .addr = { .raw = s[2] }, .orcpt = s[3] };
	struct dsn_rcpt rcpt = { .r = &r, .tried = choice };
	struct envelope env = { .sender = { .raw = s[1] }, .envid = s[4] };
	struct dsn_config c = { .host = "relay.test",
		.arrived = choice,
		.env = &env,
		.rcpt = &rcpt,
		.n = 1 };
	struct message m;
	struct err e;

	if (message_open(&m, (struct octets){ read_input, in, in->n }, &e) ==
	    -1)
		return;
	set_up(&r, choice, s[0]);
	if (s[5] != NULL)
		snprintf(r.outcome.host, sizeof r.outcome.host, "%s", s[5]);
	env.sender.needs_utf8 = enc_has_8bit(s[1], strlen(s[1]));
	env.dsn_return = choice & 2 ? RETURN_FULL : RETURN_HDRS;
	c.kind = (enum dsn_kind)(choice % DSN_KINDS);
	memset(c.random, 0xf0, sizeof c.random);
	c.m = &m;
	check(&c);
	message_free(&m);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	struct input in = { (const char *)data + 1, n - 1 };
	char *s[6];
	size_t i;

	/* Nobody outside knows the boundary before it is drawn. */
	if (n == 0 || memmem(data, n, boundary, strlen(boundary)) != NULL)
		return 0;
	for (i = 0; i < 6; i++)
		s[i] = next(&in);
	if (s[2] != NULL)
		run(&in, data[0], s);
	for (i = 0; i < 6; i++)
		free(s[i]);
	return 0;
}
