/*
 * options: see options.h. A new option is a row and, if it has a value, a
 * function of a few lines that checks it. What may also stand in a file is a
 * row of settings.c, and an option by that.
 * Callers: the faces. It never exits and prints nothing but --help.
 * POSIX 12.2 (guidelines), sendmail(8) for the letters.
 * Ownership: see options.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/dkimkey.h"
#include "cli/nearest.h"
#include "cli/options.h"
#include "cli/wishes.h"
#include "queue/entry.h"

#define MAX_JOBS 1000u

struct row;

/* Put a value where the row says, or check it first: 0, or -1 with *e. */
typedef int set_fn(
    struct options *, const struct row *, const char *value, struct err *e);

struct row {
	char letter; /* 0: none */
	const char *name; /* NULL: none */
	/* What the value is; NULL: takes none; "[=...]": may have one, with
	 * the = behind a name or at once behind a letter, else set() gets
	 * NULL. */
	const char *arg;
	set_fn *set;
	/* Offset in struct options, for set_true and set_text; an enum mode
	 * for set_mode, an enum setting_id for set_setting. */
	size_t at;
	const char *help;
};

/* ---- values ---- */

static int
bad(struct err *e, const struct row *row, const char *value, const char *remedy)
{
	return err_set(e, ERR_PERM, ERR_USAGE, "--%s \"%s\": %s", row->name,
	    value, remedy);
}

static int
set_true(struct options *o, const struct row *row, const char *v, struct err *e)
{
	(void)v;
	(void)e;
	*(bool *)((char *)o + row->at) = true;
	return 0;
}

static int
set_text(struct options *o, const struct row *row, const char *v, struct err *e)
{
	(void)e;
	*(const char **)((char *)o + row->at) = v;
	return 0;
}

/* One of several values. */
static int
set_append(
    struct options *o, const struct row *row, const char *v, struct err *e)
{
	struct texts *t = (struct texts *)((char *)o + row->at);
	const char **list = reallocarray(t->v, t->n + 1, sizeof *list);

	if (list == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	t->v = list;
	t->v[t->n++] = v;
	return 0;
}

static int
whole_number(const char *s, unsigned long min, unsigned long max, unsigned *out)
{
	unsigned long v;
	char *end;

	if (*s < '0' || *s > '9')
		return -1;
	errno = 0;
	v = strtoul(s, &end, 10);
	if (errno != 0 || *end != '\0' || v < min || v > max)
		return -1;
	*out = (unsigned)v;
	return 0;
}

static int
set_ipv4(struct options *o, const struct row *row, const char *v, struct err *e)
{
	(void)row;
	(void)v;
	(void)e;
	o->family = DNS_IPV4;
	return 0;
}

static int
set_ipv6(struct options *o, const struct row *row, const char *v, struct err *e)
{
	(void)row;
	(void)v;
	(void)e;
	o->family = DNS_IPV6;
	return 0;
}

/* Room for one override more, and a copy of its text: the copy, or NULL. */
static char *
override_room(struct options *o, const char *v)
{
	size_t n = o->noverrides + 1;
	struct override *list;
	char **texts;

	list = reallocarray(o->overrides, n, sizeof *list);
	if (list != NULL)
		o->overrides = list;
	texts = reallocarray(o->override_texts, n, sizeof *texts);
	if (texts != NULL)
		o->override_texts = texts;
	if (list == NULL || texts == NULL)
		return NULL;
	texts[n - 1] = strdup(v);
	return texts[n - 1];
}

static int
set_resolve(
    struct options *o, const struct row *row, const char *v, struct err *e)
{
	char *text = override_room(o, v);

	(void)row;
	if (text == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	o->noverrides++;
	return override_parse(text, &o->overrides[o->noverrides - 1], e);
}

static int
set_jobs(struct options *o, const struct row *row, const char *v, struct err *e)
{
	if (whole_number(v, 1, MAX_JOBS, &o->jobs) == -1)
		return bad(e, row, v, "give a number from 1 to 1000");
	return 0;
}

static int
set_export(
    struct options *o, const struct row *row, const char *v, struct err *e)
{
	(void)row;
	return export_format(&o->export, v, e);
}

static int
set_caps(struct options *o, const struct row *row, const char *v, struct err *e)
{
	set_text(o, row, v, e);
	return export_caps(&o->export.caps, v, e);
}

static int
set_mode(struct options *o, const struct row *row, const char *v, struct err *e)
{
	(void)v;
	(void)e;
	o->mode = (enum mode)row->at;
	return 0;
}

static int
set_mode_of(
    struct options *o, const struct row *row, const char *v, struct err *e)
{
	o->address = v;
	return set_mode(o, row, v, e);
}

/* One look at the queue, or one change: two would be a slip of the hand. */
static int
set_queue_mode(
    struct options *o, const struct row *row, const char *v, struct err *e)
{
	if (o->mode == MODE_HELP || o->mode == MODE_VERSION)
		return 0;
	if (o->mode != MODE_SEND && o->mode != (enum mode)row->at)
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "--%s: another option says what to do already; give one "
		    "of them",
		    row->name);
	if (v != NULL)
		o->operands[o->noperands++] = v;
	return set_mode(o, row, v, e);
}

/* -bX of sendmail. */
static int
set_b(struct options *o, const struct row *row, const char *v, struct err *e)
{
	static const struct row list = { .name = "queue-list",
		.at = MODE_QUEUE_LIST };

	(void)row;
	if (strcmp(v, "p") == 0)
		return set_queue_mode(o, &list, NULL, e);
	return err_set(e, ERR_PERM, ERR_USAGE,
	    "no option -b%.64s: of sendmail's modes there is -bp; without -b a "
	    "message is sent",
	    v);
}

/* One of -qI, -qR and -qS. */
static struct pick_part *
queue_part(struct queue_run *q, char kind)
{
	switch (kind) {
	case 'I':
		return &q->id;
	case 'R':
		return &q->rcpt;
	case 'S':
		return &q->sender;
	default:
		return NULL;
	}
}

static int
set_queue_run(
    struct options *o, const struct row *row, const char *v, struct err *e)
{
	struct queue_run *q = &o->queue_run;
	struct pick_part *part = v == NULL ? NULL : queue_part(q, v[0]);

	if (set_queue_mode(o, row, NULL, e) == -1)
		return -1;
	if (v == NULL)
		return 0;
	if (part != NULL && v[1] != '\0')
		part->text = v + 1;
	else if (entry_id_valid(v))
		o->operands[o->noperands++] = v;
	else if (strcmp(v, "due") == 0 || wish_interval(v, &q->every))
		q->due = true;
	else
		return bad(e, row, v,
		    "give due, a queue id, a time like 15m, or ITEXT, RTEXT "
		    "or STEXT for those with TEXT in the id, a recipient or "
		    "the sender");
	return 0;
}

static int
set_algorithm(
    struct options *o, const struct row *row, const char *v, struct err *e)
{
	const char *remedy = dkimkey_algorithm(v);

	o->dkim_algorithm = v;
	return remedy == NULL ? 0 : bad(e, row, v, remedy);
}

static int
set_setting(
    struct options *o, const struct row *row, const char *v, struct err *e)
{
	const struct origin here = { 0 };

	return settings_set(&o->settings, (enum setting_id)row->at,
	    v != NULL ? v : "on", &here, e);
}

/* A value that may hold a password: word() takes it out of argv. */
static int
set_proxy(
    struct options *o, const struct row *row, const char *v, struct err *e)
{
	free(o->proxy);
	o->proxy = v == NULL ? NULL : strdup(v);
	if (o->proxy == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	return set_setting(o, row, o->proxy, e);
}

static int
set_no_queue(
    struct options *o, const struct row *row, const char *v, struct err *e)
{
	const struct origin here = { 0 };

	(void)row;
	(void)v;
	return settings_set(&o->settings, SET_QUEUE, "off", &here, e);
}

/* Accepted because callers of sendmail pass it; the row says that it does
 * nothing here. */
static int
set_nothing(
    struct options *o, const struct row *row, const char *v, struct err *e)
{
	(void)row;
	(void)o;
	(void)v;
	(void)e;
	return 0;
}

/* ---- rows ---- */

static const struct row rows[] = {
	{ 'f', "from", "ADDRESS", set_text, offsetof(struct options, from),
	    "the sender; '' or '<>' is the null sender" },
	{ 'F', "full-name", "NAME", set_setting, SET_FROM_FULL_NAME,
	    "the sender's name, where From is missing" },
	{ 't', "read-recipients", NULL, set_true,
	    offsetof(struct options, read_recipients),
	    "add the recipients that To, Cc and Bcc name" },
	{ 0, "read-envelope-from", NULL, set_true,
	    offsetof(struct options, read_envelope_from),
	    "the sender is the one that From names" },
	{ 0, "keep-bcc", NULL, set_true, offsetof(struct options, keep_bcc),
	    "leave Bcc in the message" },
	{ 0, "subject", "TEXT", set_text, offsetof(struct options, subject),
	    "compose: input is the text; this is its subject" },
	{ 0, "to", "LIST", set_append, offsetof(struct options, to),
	    "compose: write to these, and name them in To" },
	{ 0, "cc", "LIST", set_append, offsetof(struct options, cc),
	    "compose: the same with Cc" },
	{ 0, "bcc", "LIST", set_append, offsetof(struct options, bcc),
	    "compose: write to these, and name them nowhere" },
	{ 0, "reply-to", "LIST", set_append, offsetof(struct options, reply_to),
	    "compose: where answers are to go" },
	{ 0, "attach", "FILE[:TYPE]", set_append,
	    offsetof(struct options, attach), "compose: attach this file" },
	{ 0, "header", "NAME[:VALUE]", set_append,
	    offsetof(struct options, headers),
	    "add a field; = replaces it, NAME deletes it" },
	{ 'a', "account", "NAME", set_text, offsetof(struct options, account),
	    "send by this account of the configuration" },
	{ 'C', "config", "FILE", set_text, offsetof(struct options, config),
	    "read this configuration file and no other" },
	{ '4', NULL, NULL, set_ipv4, 0, "use IPv4 only" },
	{ '6', NULL, NULL, set_ipv6, 0, "use IPv6 only" },
	{ 0, "resolve", "HOST:PORT:ADDR", set_resolve, 0,
	    "connect to ADDR for this host and port" },
	{ 0, "nameserver", "IP[:PORT]", set_text,
	    offsetof(struct options, nameserver),
	    "ask this server for all names" },
	{ 'j', "jobs", "N", set_jobs, 0,
	    "deliver so many routes side by side" },
	{ 0, "no-queue", NULL, set_no_queue, 0,
	    "keep nothing, whatever is configured" },
	{ 'v', "verbose", NULL, set_true, offsetof(struct options, verbose),
	    "show the dialogue on stderr" },
	{ 0, "json", NULL, set_true, offsetof(struct options, json),
	    "print the result as JSON on stdout" },
	{ 0, "dry-run", NULL, set_true, offsetof(struct options, dry_run),
	    "print where the mail would go; send nothing" },
	{ 0, "export", "FORMAT[:PATH]", set_export, 0,
	    "write the message as it would go out; send nothing" },
	{ 0, "caps", "LIST", set_caps, offsetof(struct options, caps),
	    "--export for a server that offers these" },
	{ 'i', NULL, NULL, set_nothing, 0,
	    "does nothing: input always ends at end of file" },
	{ 'm', NULL, NULL, set_nothing, 0, "does nothing (sendmail: me too)" },
	{ 'o', NULL, "X", set_nothing, 0, "does nothing (sendmail: set X)" },
	{ 'B', NULL, "TYPE", set_nothing, 0,
	    "does nothing: the body's type is found out" },
	{ 0, "server-info", NULL, set_mode, MODE_SERVER_INFO,
	    "show what the server offers; send nothing" },
	{ 0, "configure", "ADDRESS", set_mode_of, MODE_CONFIGURE,
	    "find the server of an address, print an account" },
	{ 'q', "queue-run", "[=WHICH]", set_queue_run, MODE_QUEUE_RUN,
	    "try what is in the queue: all, due, ID, RTEXT, or due every 15m" },
	{ 0, "dkim-keygen", "DOMAIN", set_mode_of, MODE_DKIM_KEYGEN,
	    "make a DKIM key and print its DNS record" },
	{ 0, "dkim-algorithm", "rsa|ed25519", set_algorithm, 0,
	    "what kind of key that makes; rsa is the default" },
	{ 'b', NULL, "p", set_b, 0, "as --queue-list" },
	{ 0, "queue-list", NULL, set_queue_mode, MODE_QUEUE_LIST,
	    "list the messages that wait" },
	{ 0, "queue-show", "ID", set_queue_mode, MODE_QUEUE_SHOW,
	    "show these messages in full; operands are ids" },
	{ 0, "queue-hold", "ID", set_queue_mode, MODE_QUEUE_HOLD,
	    "try these no more until they are released" },
	{ 0, "queue-release", "ID", set_queue_mode, MODE_QUEUE_RELEASE,
	    "let these be tried again, from now on" },
	{ 0, "queue-remove", "ID", set_queue_mode, MODE_QUEUE_REMOVE,
	    "remove these; nobody is told" },
	{ 0, "queue-stats", NULL, set_queue_mode, MODE_QUEUE_STATS,
	    "count what waits, where to, and why" },
	{ 0, "help", NULL, set_mode, MODE_HELP, "print this" },
	{ 0, "version", NULL, set_mode, MODE_VERSION,
	    "print version and features" },
};

#define NROWS (sizeof rows / sizeof rows[0])

/*
 * What callers of other programs are used to, letters of sendmail or long
 * options of msmtp and swaks, and what to do here instead.
 */
static const struct hint {
	const char *name;
	const char *remedy;
} hints[] = {
	{ "r", "give the sender by -f" },
	{ "S", "give --server-info" },
	{ "P", "give --dry-run" },
	{ "d", "give -v" },
	{ "h", "give --help" },
	{ "serverinfo", "give --server-info" },
	{ "pretend", "give --dry-run" },
	{ "remove-bcc-headers", "Bcc is removed anyway, but with --keep-bcc" },
	{ "debug", "give --verbose" },
	{ "s", "give --subject" },
	{ "c", "give --cc" },
	{ "A", "give --attach FILE" },
	{ "body", "the text comes from standard input" },
	{ "data", "the message comes from standard input" },
	{ "add-header", "give --header NAME:VALUE" },
	{ "h-Subject", "give --subject, or --header Subject=VALUE" },
	{ "header-Subject", "give --subject, or --header Subject=VALUE" },
	{ "h-*", "give --header NAME=VALUE" },
	{ "header-*", "give --header NAME=VALUE" },
	{ "in-reply-to", "give --header In-Reply-To:ID" },
	{ "date", "give --header Date=DATE" },
	{ "content-type", "give --header Content-Type=TYPE" },
	{ "html", "give --header Content-Type=text/html" },
	{ "text", "the text comes from standard input" },
	{ "message", "the message comes from standard input" },
	{ "attach-type", "give --attach FILE:TYPE" },
	{ "attach-name", "a file goes by its own name: give a link to it" },
	{ "attach-body", "the text comes from standard input" },
	{ "dump-mail", "give --export wire" },
	{ "quit-after", "give --server-info or --dry-run" },
	{ "recipient", "write it without an option, or give --to" },
	{ "mail-rcpt", "write it without an option, or give --to" },
	{ "mail-from", "give --from" },
	{ "sender", "give --from, or for the field --header Sender=ADDRESS" },
	{ "dsn", "give -N, -R and -V" },
	{ "notify", "give --dsn-notify" },
	{ "quiet", "what went well is not told anyway" },
	{ "X", "give -v and keep stderr" },
	{ "logfile", "write logfile FILE into the configuration" },
	{ "syslog", "write syslog on into the configuration" },
	{ "aliases", "write aliases FILE into the configuration" },
	{ "auto-from", "give --from, or auto_from in the configuration" },
	{ "maildomain", "give --from, or maildomain in the configuration" },
	{ "add-missing-from-header", "give --set-from-header auto or off" },
	{ "add-missing-date-header", "give --set-date-header auto or off" },
	{ "file", "give --config" },
	{ "domain", "give --helo" },
	{ "ehlo", "give --helo" },
	{ "server", "give --host" },
	{ "protocol", "give --host lmtp://HOST" },
	{ "tls-starttls",
	    "with --host smtps://HOST TLS begins at once, with "
	    "smtp://HOST by STARTTLS" },
	{ "tls-certcheck", "give --tls encrypt to take any certificate" },
	{ "tls-on-connect", "give --host smtps://HOST" },
	{ "auth-user", "give --user" },
	{ "auth-password",
	    "give --password-fd, --passwordcmd or "
	    "--passwordfile" },
	{ "password",
	    "others would see it: give --password-fd, --passwordcmd "
	    "or --passwordfile" },
};

static const struct row *
row_by_letter(char c)
{
	size_t i;

	for (i = 0; i < NROWS; i++)
		if (rows[i].letter == c && c != '\0')
			return &rows[i];
	return NULL;
}

static const struct row *
row_by_name(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < NROWS; i++)
		if (rows[i].name != NULL && strlen(rows[i].name) == n &&
		    memcmp(rows[i].name, s, n) == 0)
			return &rows[i];
	return NULL;
}

/* A setting's row in the terms of this table. */
static struct row
setting_as_row(size_t id)
{
	const struct setting_row *row = &setting_rows[id];
	bool secret = (row->traits & SETTING_SECRET) != 0;

	return (struct row){ row->letter, row->option, row->arg,
		secret ? set_proxy : set_setting, id, row->help };
}

static bool
setting_by_letter(char c, struct row *row)
{
	size_t i;

	for (i = 0; i < SETTINGS; i++) {
		*row = setting_as_row(i);
		if (row->letter == c && c != '\0')
			return true;
	}
	return false;
}

static bool
setting_by_name(const char *s, size_t n, struct row *row)
{
	size_t i;

	for (i = 0; i < SETTINGS; i++) {
		*row = setting_as_row(i);
		if (row->name != NULL && strlen(row->name) == n &&
		    memcmp(row->name, s, n) == 0)
			return true;
	}
	return false;
}

/* "h-*" fits whatever begins with "h-". */
static bool
fits(const char *pattern, const char *s, size_t n)
{
	size_t len = strcspn(pattern, "*");

	return (pattern[len] == '*' ? n > len : n == len) &&
	    memcmp(pattern, s, len) == 0;
}

/* NULL: we know no better either. */
static const char *
remedy(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof hints / sizeof hints[0]; i++)
		if (fits(hints[i].name, s, n))
			return hints[i].remedy;
	return NULL;
}

/* The option that was meant, perhaps; NULL if none is like it. */
static const char *
nearest(const char *s, size_t n)
{
	struct nearest near;
	size_t i;

	nearest_init(&near, s, n);
	for (i = 0; i < NROWS; i++)
		nearest_offer(&near, rows[i].name);
	for (i = 0; i < SETTINGS; i++)
		nearest_offer(&near, setting_rows[i].option);
	return near.name;
}

/* ---- argv ---- */

struct args {
	char **v;
	int n;
	int at; /* the next one */
};

static int
unknown_letter(struct err *e, const char *arg, char c)
{
	/* With an @ it was meant for an address. */
	const char *better = strchr(arg, '@') != NULL ? NULL : remedy(&c, 1);

	if (better != NULL)
		return err_set(
		    e, ERR_PERM, ERR_USAGE, "no option -%c: %s", c, better);
	return err_set(e, ERR_PERM, ERR_USAGE,
	    "unknown option -%c in \"%s\"; an address that begins with - goes "
	    "behind --; see --help",
	    c, arg);
}

/* Its value can be left out, so the next argument is none. */
static bool
is_optional(const struct row *row)
{
	return row->arg != NULL && row->arg[0] == '[';
}

static int
no_value(struct err *e, const struct row *row)
{
	if (row->name == NULL)
		return err_set(e, ERR_PERM, ERR_USAGE, "-%c needs %s",
		    row->letter, row->arg);
	return err_set(
	    e, ERR_PERM, ERR_USAGE, "--%s needs %s", row->name, row->arg);
}

static int
unknown_word(struct err *e, const char *s, size_t n)
{
	const char *better = remedy(s, n), *near = nearest(s, n);
	int shown = (int)(n > 64 ? 64 : n);

	if (better != NULL)
		return err_set(e, ERR_PERM, ERR_USAGE, "no option --%.*s: %s",
		    shown, s, better);
	return err_set(e, ERR_PERM, ERR_USAGE,
	    "unknown option --%.*s%s%s; see --help", shown, s,
	    near != NULL ? "; the nearest is --" : "",
	    near != NULL ? near : "");
}

/* One argument of letters: -vfADDR, -f ADDR. */
static int
letters(struct options *o, struct args *a, struct err *e)
{
	const char *arg = a->v[a->at++], *p, *value;
	const struct row *row;
	struct row setting;

	for (p = arg + 1; *p != '\0'; p++) {
		row = row_by_letter(*p);
		if (row == NULL && setting_by_letter(*p, &setting))
			row = &setting;
		if (row == NULL)
			return unknown_letter(e, arg, *p);
		if (row->arg == NULL) {
			if (row->set(o, row, NULL, e) == -1)
				return -1;
			continue;
		}
		value = p[1] != '\0'                    ? p + 1
		    : !is_optional(row) && a->at < a->n ? a->v[a->at++]
							: NULL;
		if (value == NULL && !is_optional(row))
			return no_value(e, row);
		return row->set(o, row, value, e);
	}
	return 0;
}

/* The last n octets of an argument are nobody's business: ps(1) shows them. */
static void
overwrite(char *arg, size_t n)
{
	memset(arg + strlen(arg) - n, 'x', n);
}

/* One long option: --name, --name=value, --name value. */
static int
word(struct options *o, struct args *a, struct err *e)
{
	const char *s = a->v[a->at++] + 2, *value = strchr(s, '=');
	size_t n = value == NULL ? strlen(s) : (size_t)(value - s);
	const struct row *row = row_by_name(s, n);
	struct row setting;
	int got;

	if (row == NULL && setting_by_name(s, n, &setting))
		row = &setting;
	if (row == NULL)
		return unknown_word(e, s, n);
	if (row->arg == NULL && value != NULL)
		return err_set(
		    e, ERR_PERM, ERR_USAGE, "--%s takes no value", row->name);
	if (row->arg == NULL || (is_optional(row) && value == NULL))
		return row->set(o, row, NULL, e);
	if (value == NULL && a->at == a->n)
		return no_value(e, row);
	value = value != NULL ? value + 1 : a->v[a->at++];
	got = row->set(o, row, value, e);
	if (row->set == set_proxy)
		overwrite(a->v[a->at - 1], strlen(value));
	return got;
}

/* The queue is for a message that is sent: the option that sends none, or
 * NULL. */
static const char *
sends_nothing(const struct options *o)
{
	size_t i;

	if (o->export.wanted)
		return "export";
	if (o->dry_run)
		return "dry-run";
	if (o->mode == MODE_HELP || o->mode == MODE_VERSION)
		return NULL;
	for (i = 0; o->mode != MODE_SEND && i < NROWS; i++)
		if ((rows[i].set == set_mode || rows[i].set == set_mode_of ||
			rows[i].set == set_queue_mode) &&
		    rows[i].at == (size_t)o->mode)
			return rows[i].name;
	return NULL;
}

static int
check_queue(const struct options *o, struct err *e)
{
	const struct setting *queue = &o->settings.at[SET_QUEUE];
	const char *name = sends_nothing(o);

	if (!queue->given || queue->number == QUEUE_OFF || name == NULL)
		return 0;
	return err_set(e, ERR_PERM, ERR_USAGE,
	    "--queue and --%s exclude each other: nothing is sent; give one of "
	    "them",
	    name);
}

/* Options that say different things about one run. */
static int
check_together(const struct options *o, struct err *e)
{
	if (o->read_envelope_from && o->from != NULL)
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "--from and --read-envelope-from exclude each other; give "
		    "one of them");
	if (o->export.wanted && (o->dry_run || o->json))
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "--export and --%s exclude each other: only the message "
		    "is written; give one of them",
		    o->dry_run ? "dry-run" : "json");
	if (o->dkim_algorithm != NULL && o->mode != MODE_DKIM_KEYGEN)
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "--dkim-algorithm says what --dkim-keygen makes: give "
		    "both");
	if (o->noperands > 0 &&
	    (o->mode == MODE_QUEUE_LIST || o->mode == MODE_QUEUE_STATS))
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "all of the queue is told of: take \"%.64s\" away; one "
		    "message is shown by --queue-show ID",
		    o->operands[0]);
	if (o->caps != NULL && !o->export.wanted)
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "--caps says for which server --export writes: give "
		    "--export wire with it");
	return check_queue(o, e);
}

int
options_parse(struct options *o, int argc, char *argv[], struct err *e)
{
	struct args a = { argv, argc, 1 };
	bool ended = false;

	*o = (struct options){ .jobs = 8 };
	export_caps_all(&o->export.caps);
	o->operands = calloc((size_t)argc + 1, sizeof *o->operands);
	if (o->operands == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	while (a.at < argc) {
		const char *s = argv[a.at];
		int got = 0;

		if (ended || s[0] != '-') {
			o->operands[o->noperands++] = s;
			a.at++;
		} else if (strcmp(s, "--") == 0) {
			ended = true;
			a.at++;
		} else if (strcmp(s, "-") == 0) {
			a.at++; /* standard input: read anyway */
		} else {
			got = s[1] == '-' ? word(o, &a, e) : letters(o, &a, e);
		}
		if (got == -1)
			return -1;
	}
	return check_together(o, e);
}

void
options_free(struct options *o)
{
	size_t i;

	for (i = 0; i < o->noverrides; i++)
		free(o->override_texts[i]);
	free(o->override_texts);
	free(o->overrides);
	free(o->operands);
	free(o->to.v);
	free(o->cc.v);
	free(o->bcc.v);
	free(o->reply_to.v);
	free(o->headers.v);
	free(o->attach.v);
	if (o->proxy != NULL)
		explicit_bzero(o->proxy, strlen(o->proxy));
	free(o->proxy);
}

/* ---- help ---- */

static void
help_row(FILE *out, const struct row *row)
{
	char left[64], letter[3] = { '-', row->letter, '\0' };
	bool both = row->letter != '\0' && row->name != NULL;

	snprintf(left, sizeof left, "%s%s%s%s%s%s",
	    row->letter != '\0' ? letter : "    ", both ? ", " : "",
	    row->name != NULL ? "--" : "", row->name != NULL ? row->name : "",
	    row->arg == NULL || is_optional(row) ? "" : " ",
	    row->arg != NULL ? row->arg : "");
	fprintf(out, "  %-27s %s\n", left, row->help);
}

void
options_help(FILE *out)
{
	struct row setting;
	size_t i;

	fputs("usage: smtpsend [option]... [recipient]... < message\n"
	      "Hand the message on standard input to the recipients' SMTP "
	      "servers.\n\n",
	    out);
	for (i = 0; i < NROWS; i++)
		help_row(out, &rows[i]);
	fputs("\nWhere to, and how:\n", out);
	for (i = 0; i < SETTINGS; i++) {
		setting = setting_as_row(i);
		if (setting.name != NULL)
			help_row(out, &setting);
	}
	fputs("\nExit status:\n", out);
	for (i = 0; i < exit_rows_n; i++)
		fprintf(
		    out, "  %2d  %s\n", exit_rows[i].code, exit_rows[i].means);
}
