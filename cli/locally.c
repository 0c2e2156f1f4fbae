/*
 * locally: see locally.h. The first word is a row, which says what the rest
 * may be and what a relay has of it.
 * Callers: values.c, account.c. It opens nothing.
 * RFC 2033 (LMTP).
 * Ownership: see locally.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/locally.h"
#include "net/credential.h"
#include "net/spec.h"

#define FOLDER "/var/mail"
#define BELOW_HOME "Maildir"

/* Longest list of one server. */
#define SERVER_MAX 512

/* ---- what the rest of the line may be ---- */

static const char *
check_nothing(const char *rest)
{
	return *rest != '\0' ? "give off alone" : NULL;
}

static const char *
check_folder(const char *rest)
{
	return *rest != '\0' && *rest != '/'
	    ? "give mbox alone, or with the whole path of the folder of "
	      "mailboxes"
	    : NULL;
}

/* One folder for all homes would be everybody's. */
static const char *
check_below(const char *rest)
{
	const char *s = rest;

	for (; *s != '\0'; s += strcspn(s, "/"), s += strspn(s, "/"))
		if (strncmp(s, "..", 2) == 0 && (s[2] == '/' || s[2] == '\0'))
			break;
	return *rest == '/' || *s != '\0'
	    ? "give maildir alone, or with a path below each home, like "
	      "Mail/inbox"
	    : NULL;
}

/* As --host has it. */
static int
server(const char *rest, char out[SERVER_MAX])
{
	const char *scheme = *rest == '/'    ? "unix:"
	    : strncmp(rest, "unix:", 5) == 0 ? ""
					     : "lmtp://";
	int n = snprintf(out, SERVER_MAX, "%s%s", scheme, rest);

	return n < 0 || n >= SERVER_MAX ? -1 : 0;
}

static const char *
check_server(const char *rest)
{
	char list[SERVER_MAX];
	struct spec *specs;
	struct err e;
	size_t n;

	if (*rest == '\0' || strpbrk(rest, ", \t") != NULL ||
	    server(rest, list) == -1 ||
	    spec_parse(list, 0, &specs, &n, &e) == -1)
		return "give lmtp with HOST, HOST:PORT or the whole path of a "
		       "socket";
	spec_free(specs, n);
	return NULL;
}

static const char *
check_command(const char *rest)
{
	static const char remedy[] =
	    "give mda with a program, its whole path, and its arguments";
	struct err e;
	char **words;

	if (*rest != '/')
		return remedy;
	words = command_words(rest, &e);
	free(words);
	return words == NULL ? remedy : NULL;
}

/* By enum locally_kind. */
static const struct kind_row {
	const char *word;
	const char *(*check)(const char *rest);
	enum transport transport;
} kind_rows[LOCALLY_KINDS] = {
	[LOCALLY_OFF] = { "off", check_nothing, TRANSPORT_SMTP },
	[LOCALLY_MBOX] = { "mbox", check_folder, TRANSPORT_MBOX },
	[LOCALLY_MAILDIR] = { "maildir", check_below, TRANSPORT_MAILDIR },
	[LOCALLY_LMTP] = { "lmtp", check_server, TRANSPORT_LMTP },
	[LOCALLY_MDA] = { "mda", check_command, TRANSPORT_MDA },
};

/* What stands behind the first word. */
static const char *
rest_of(const char *text)
{
	text += strcspn(text, " \t");
	return text + strspn(text, " \t");
}

const char *
locally_parse(const char *text, enum locally_kind *kind)
{
	size_t n = strcspn(text, " \t"), i;

	for (i = 0; i < LOCALLY_KINDS; i++) {
		if (strlen(kind_rows[i].word) != n ||
		    strncmp(text, kind_rows[i].word, n) != 0)
			continue;
		*kind = (enum locally_kind)i;
		return kind_rows[i].check(rest_of(text));
	}
	return "give mbox, maildir, lmtp SERVER, mda PROGRAM or off";
}

/* ---- the relay ---- */

/* This machine, for a header that its own mail is known by. */
static void
name_host(char out[MACHINE_NAME_MAX])
{
	machine_helo(out);
	if (out[0] == '\0' && gethostname(out, MACHINE_NAME_MAX - 1) == -1)
		out[0] = '\0';
	out[MACHINE_NAME_MAX - 1] = '\0';
	if (out[0] == '\0')
		snprintf(out, MACHINE_NAME_MAX, "localhost");
}

/* LMTP is spoken as the account speaks, but without its login. */
static int
make_server(struct locally *l, const char *rest, const struct relay *account)
{
	char list[SERVER_MAX];

	if (server(rest, list) == 0)
		l->text = strdup(list);
	l->relay.helo = account->helo;
	l->relay.timeout = account->timeout;
	l->relay.hosts = l->text;
	return l->text == NULL ? -1 : 0;
}

static int
make_mailboxes(struct locally *l, const char *rest, const struct relay *account)
{
	const char *what = rest;
	struct err e;
	int n;

	if (l->kind == LOCALLY_MDA) {
		l->words = command_words(rest, &e);
		if (l->words == NULL)
			return -1;
		what = l->words[0];
	} else if (*rest == '\0') {
		what = l->kind == LOCALLY_MBOX ? FOLDER : BELOW_HOME;
	}
	l->config.box = (struct deposit_config){
		.transport = kind_rows[l->kind].transport,
		.path = l->kind == LOCALLY_MDA ? NULL : what,
		.command = l->words,
		.host = l->host,
	};
	n = asprintf(&l->text, "%s:%s", kind_rows[l->kind].word, what);
	if (n == -1)
		l->text = NULL;
	l->config.account = account->name != NULL ? account->name : "";
	l->relay.hosts = l->text;
	l->relay.local = &l->config;
	return n == -1 ? -1 : 0;
}

int
locally_make(struct locally *l, const struct setting *s,
    const struct relay *account, struct err *e)
{
	const char *text = s->text != NULL ? s->text : "mbox";
	int got = 0;

	*l = (struct locally){ .said = s->text != NULL,
		/* What two processes write at once, they write in turns. */
		.relay = {
		    .policy = { .level = TLS_AUTO }, .connections = 1 } };
	if (locally_parse(text, &l->kind) != NULL || l->kind == LOCALLY_OFF)
		return 0;
	got = l->kind == LOCALLY_LMTP
	    ? make_server(l, rest_of(text), account)
	    : make_mailboxes(l, rest_of(text), account);
	return got == 0
	    ? 0
	    : err_set(e, ERR_TEMP, ERR_MACHINE, "no memory for local delivery");
}

void
locally_free(struct locally *l)
{
	free(l->text);
	free(l->words);
	*l = (struct locally){ .text = NULL };
}

static bool
is_wanted(const struct locally *l, bool by_default)
{
	return l->kind != LOCALLY_OFF && (l->said || by_default);
}

const struct relay *
locally_relay(struct locally *l, bool by_default)
{
	if (!is_wanted(l, by_default))
		return NULL;
	if (l->relay.local != NULL && l->host[0] == '\0')
		name_host(l->host);
	return &l->relay;
}

bool
locally_writes(const struct locally *l, bool by_default)
{
	return is_wanted(l, by_default) && l->relay.local != NULL;
}
