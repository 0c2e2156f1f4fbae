/*
 * dsn failed|delayed|relayed NAME=VALUE...: the report that mail/dsn.c makes
 * of the message on standard input, on standard output; tests/dsn.py reads it.
 *
 * from=, envid=, ret=full|hdrs; then rcpt= begins a recipient, and said of it
 * are orcpt=, host=, ip=, text=, state=failed|deferred|delivered|pending,
 * kind=reply|lookup|connect|tls, code=, enhanced=, doubt=1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/dsn.h"
#include "mail/envelope.h"

#define INPUT_MAX (64u << 20)
#define RCPTS 100

struct job {
	struct dsn_config config;
	struct envelope env;
	struct dsn_rcpt rcpt[RCPTS];
	struct message m;
	struct buf in;
};

static long
read_in(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const struct buf *in = ctx;

	(void)e;
	if (off >= in->len)
		return 0;
	n = n < in->len - off ? n : in->len - (size_t)off;
	memcpy(to, in->data + off, n);
	return (long)n;
}

static void
die(const char *what)
{
	fprintf(stderr, "dsn: %s\n", what);
	exit(2);
}

static unsigned
find(const char *const *names, const char *s)
{
	unsigned i;

	for (i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], s) == 0)
			return i;
	die(s);
	return 0;
}

static void
add(struct job *j, const char *address)
{
	struct address a;
	struct err e;

	if (j->env.n == RCPTS ||
	    address_parse(&a, address, strlen(address), 0, &e) == -1 ||
	    envelope_add(&j->env, &a, address, strlen(address)) != 0)
		die(address);
}

static void
set_of_rcpt(struct recipient *r, const char *name, const char *value)
{
	static const char *const states[] = { "pending", "delivered", "queued",
		"deferred", "failed", NULL };
	static const char *const names[] = { "orcpt", "host", "ip", "text",
		"state", "kind", "code", "enhanced", "doubt", NULL };
	struct outcome *o = &r->outcome;
	enum err_kind kind;

	switch (find(names, name)) {
	case 0:
		r->orcpt = value;
		break;
	case 1:
		snprintf(o->host, sizeof o->host, "%s", value);
		break;
	case 2:
		snprintf(o->ip, sizeof o->ip, "%s", value);
		break;
	case 3:
		snprintf(o->err.text, sizeof o->err.text, "%s", value);
		break;
	case 4:
		o->state = (enum outcome_state)find(states, value);
		break;
	case 5:
		for (kind = ERR_NONE; kind < ERR_KINDS; kind++)
			if (strcmp(err_kind_name(kind), value) == 0)
				o->err.kind = kind;
		break;
	case 6:
		o->err.code = (int)strtol(value, NULL, 10);
		break;
	case 7:
		if (enhanced_parse(&o->err.enhanced, value, strlen(value)) == 0)
			die(value);
		break;
	default:
		o->in_doubt = true;
	}
}

static void
set(struct job *j, char *arg)
{
	char *value = strchr(arg, '=');
	struct err e;

	if (value == NULL)
		die(arg);
	*value++ = '\0';
	if (strcmp(arg, "from") == 0) {
		if (address_parse(
			&j->env.sender, value, strlen(value), 0, &e) == -1)
			die(value);
	} else if (strcmp(arg, "envid") == 0) {
		j->env.envid = value;
	} else if (strcmp(arg, "ret") == 0) {
		j->env.dsn_return =
		    strcmp(value, "full") == 0 ? RETURN_FULL : RETURN_HDRS;
	} else if (strcmp(arg, "rcpt") == 0) {
		add(j, value);
	} else if (j->env.n > 0) {
		set_of_rcpt(&j->env.rcpts[j->env.n - 1], arg, value);
	} else {
		die(arg);
	}
}

static void
print(struct job *j)
{
	char block[4096];
	struct octets o;
	struct dsn d;
	struct err e;
	uint64_t at;
	long got;

	if (dsn_open(&d, &j->config, &e) == -1)
		die(e.text);
	o = dsn_octets(&d);
	for (at = 0; (got = o.read(o.ctx, at, block, sizeof block, &e)) > 0;
	     at += (uint64_t)got)
		fwrite(block, 1, (size_t)got, stdout);
	if (got == -1 || at != o.size)
		die("not read to its end");
	dsn_free(&d);
}

int
main(int argc, char **argv)
{
	static const char *const kinds[] = { "failed", "delayed", "relayed",
		NULL };
	static struct job j;
	char block[4096];
	struct err e;
	size_t n, i;
	int arg;

	if (argc < 2)
		die("which kind?");
	envelope_init(&j.env);
	for (arg = 2; arg < argc; arg++)
		set(&j, argv[arg]);
	buf_init(&j.in, INPUT_MAX);
	while ((n = fread(block, 1, sizeof block, stdin)) > 0)
		buf_add(&j.in, block, n);
	if (message_open(
		&j.m, (struct octets){ read_in, &j.in, j.in.len }, &e) == -1)
		die(e.text);
	for (i = 0; i < j.env.n; i++)
		j.rcpt[i] = (struct dsn_rcpt){ .r = &j.env.rcpts[i],
			.tried = 1795330800 };
	j.config =
	    (struct dsn_config){ .kind = (enum dsn_kind)find(kinds, argv[1]),
		    .host = "relay.test",
		    .now = 1795330801,
		    .zone = 60,
		    .arrived = 1795316400,
		    .until = 1795748400,
		    .env = &j.env,
		    .rcpt = j.rcpt,
		    .n = j.env.n,
		    .m = &j.m };
	print(&j);
	message_free(&j.m);
	buf_free(&j.in);
	envelope_free(&j.env);
	return fflush(stdout) == 0 ? 0 : 1;
}
