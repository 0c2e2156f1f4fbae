/*
 * sendmail: see sendmail.h. Letters become the options that native.c has, and
 * struct face_wishes; a letter is a row, also one that does nothing.
 * Callers: smtpsend.c.
 * sendmail(8) of sendmail 8, whose getopt(3) decides what is a value.
 * Standard input is read to its end also when a word is wrong.
 * Ownership: frees what it made before it returns.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "cli/aliascmd.h"
#include "cli/native.h"
#include "cli/options.h"
#include "cli/queuecmd.h"
#include "cli/report.h"
#include "cli/run.h"
#include "cli/send.h"
#include "cli/sendmail.h"
#include "cli/serve.h"
#include "cli/wishes.h"

struct row;

/* Put a value where the row says: 0, or -1 with *e (usage). */
typedef int set_fn(
    struct options *, const struct row *, const char *value, struct err *e);

/* What stands behind a letter. */
enum value {
	VALUE_NONE,
	VALUE_GLUED, /* may be missing: set() gets NULL then */
	VALUE_WORD, /* glued, or the next word, whatever it is */
	/* The same, but no next word that begins with -: set() gets NULL. */
	VALUE_PERHAPS
};

struct row {
	char letter;
	enum value kind;
	const char *value; /* what it is, for --help; NULL: none */
	set_fn *set; /* NULL: it does nothing, whatever its value */
	/* An enum setting_id for set_setting, else the offset in struct options
	 * for those that set one thing. */
	size_t at;
	const char *help;
};

/* One of the values of a letter: its first octet says which it is. */
struct choice {
	char name; /* 0: any other one */
	int means; /* an enum, or a letter of this table */
	const char *rest; /* what follows it, for --help */
	const char *help;
};

static int
bad(struct err *e, const struct row *row, const char *value, const char *remedy)
{
	return err_set(e, ERR_PERM, ERR_USAGE, "-%c \"%.200s\": %s",
	    row->letter, value, remedy);
}

/* The last row of a table is for any other value. */
static int
choose(const struct choice *table, const char *v)
{
	size_t i;

	for (i = 0; table[i].name != '\0' && table[i].name != v[0]; i++)
		;
	return table[i].means;
}

/* ---- letters that say one thing ---- */

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

/* What sendmail calls the null sender. */
#define NULL_SENDER "MAILER-DAEMON"

static int
set_from(struct options *o, const struct row *row, const char *v, struct err *e)
{
	return set_text(o, row, strcasecmp(v, NULL_SENDER) == 0 ? "" : v, e);
}

/* As if the configuration had none. */
static int
set_no_aliases(
    struct options *o, const struct row *row, const char *v, struct err *e)
{
	(void)row;
	(void)v;
	(void)e;
	o->settings.at[SET_ALIASES] = (struct setting){ .given = true };
	return 0;
}

static int
set_ignore_dots(
    struct options *o, const struct row *row, const char *v, struct err *e)
{
	(void)row;
	(void)v;
	(void)e;
	o->face.ends_at_dot = false;
	return 0;
}

/* A setting of the native face, whose complaints name its long options. */
static int
set_setting(
    struct options *o, const struct row *row, const char *v, struct err *e)
{
	const struct setting_row *known = &setting_rows[row->at];
	struct setting probe = { .given = true, .text = v };
	const char *remedy = known->parse(known, &probe);
	const struct origin here = { 0 };

	if (remedy != NULL)
		return bad(e, row, v, remedy);
	return settings_set(
	    &o->settings, (enum setting_id)row->at, v, &here, e);
}

/* More is a loop anyway. */
#define HOPS_MAX 1000ul

static int
set_hops(struct options *o, const struct row *row, const char *v, struct err *e)
{
	char *end;
	unsigned long n = strtoul(v, &end, 10);

	if (!isdigit((unsigned char)v[0]) || *end != '\0')
		return bad(e, row, v, "give a number of hops");
	o->face.hops = (unsigned)(n < HOPS_MAX ? n : HOPS_MAX);
	return 0;
}

/* ---- -b ---- */

/* What changes no mode, or says something beside it. */
#define AS_IT_WAS MODES

static const struct choice modes[] = {
	{ 'm', MODE_SEND, "", "send a message, as without -b" },
	{ 's', MODE_SERVE, "", "speak SMTP on standard input and output" },
	{ 'v', MODE_VERIFY, "", "say what becomes of each address" },
	{ 'i', MODE_ALIASES, "", "check the aliases, as newaliases" },
	{ 'p', MODE_QUEUE_LIST, "", "list the queue, as mailq" },
	{ 'P', MODE_QUEUE_STATS, "", "count what is in the queue" },
	{ 'q', AS_IT_WAS, "", "as -odq" },
	{ 0, AS_IT_WAS, "X", "any other does nothing: no daemon, no tests" },
};

static int
set_mode(struct options *o, const struct row *row, const char *v, struct err *e)
{
	enum mode mode = (enum mode)choose(modes, v);

	(void)row;
	(void)e;
	if (mode != AS_IT_WAS)
		o->mode = mode;
	if (v[0] == 'q')
		o->face.attempt = ATTEMPT_NONE;
	return 0;
}

static int
set_aliases_mode(
    struct options *o, const struct row *row, const char *v, struct err *e)
{
	(void)v;
	(void)e;
	o->mode = (enum mode)row->at;
	return 0;
}

/* ---- -o, -O, -e ---- */

static const struct choice attempts[] = {
	{ 'b', ATTEMPT_LATER, "", "queue the message, try it behind our back" },
	{ 'i', ATTEMPT_FULL, "", "try it however long that takes" },
	{ 'q', ATTEMPT_NONE, "", "queue it; the next run tries it" },
	{ 'd', ATTEMPT_NONE, "", "as -odq" },
	{ 0, ATTEMPT_SHORT, "X", "any other: try for a while, then queue" },
};

static const struct choice tells[] = {
	{ 'p', TELL_PRINT, "", "say on stderr what cannot be sent" },
	{ 'q', TELL_PRINT, "", "the same" },
	{ 'w', TELL_PRINT, "", "the same" },
	{ 'm', TELL_MAIL, "", "the same, and a report to the sender" },
	{ 'e', TELL_MAIL_ONLY, "", "a report to the sender, and exit code 0" },
	{ 0, TELL_PRINT, "X", "any other: as -oep" },
};

/* True unless it says no. */
static bool
is_yes(const char *v)
{
	return v[0] == '\0' || strchr("fFnN0", v[0]) == NULL;
}

static void
set_one(struct options *o, char which, const char *v)
{
	switch (which) {
	case 'i':
		o->face.ends_at_dot = !is_yes(v);
		break;
	case 'd':
		o->face.attempt = (enum attempt)choose(attempts, v);
		break;
	case 'e':
		o->face.tell = (enum tell)choose(tells, v);
		break;
	case 'v':
		o->verbose = o->verbose || is_yes(v);
		break;
	default: /* the row says so */
		break;
	}
}

static int
set_o(struct options *o, const struct row *row, const char *v, struct err *e)
{
	(void)row;
	(void)e;
	if (v[0] != '\0')
		set_one(o, v[0], v + 1);
	return 0;
}

static int
set_e(struct options *o, const struct row *row, const char *v, struct err *e)
{
	(void)row;
	(void)e;
	set_one(o, 'e', v);
	return 0;
}

/* The same by name; all others name files, or are nobody's business here. */
static const struct {
	const char *name;
	char letter;
} long_names[] = {
	{ "IgnoreDots", 'i' },
	{ "DeliveryMode", 'd' },
	{ "ErrorMode", 'e' },
};

static int
set_long(struct options *o, const struct row *row, const char *v, struct err *e)
{
	size_t n = strcspn(v, "= \t"), i;
	const char *value = v + n + strspn(v + n, "= \t");

	(void)row;
	(void)e;
	for (i = 0; i < sizeof long_names / sizeof long_names[0]; i++)
		if (strlen(long_names[i].name) == n &&
		    strncasecmp(long_names[i].name, v, n) == 0)
			set_one(o, long_names[i].letter, value);
	return 0;
}

/* ---- -q ---- */

static const struct choice queue_words[] = {
	{ 'f', 'f', "[TIME]", "the same, in the foreground" },
	{ 'p', 'p', "TIME", "as -qTIME" },
	{ 'I', 'I', "TEXT", "try those with TEXT in the id" },
	{ 'R', 'R', "TEXT", "try those with TEXT in a recipient" },
	{ 'S', 'S', "TEXT", "try those with TEXT in the sender" },
	{ '!', '!', "XTEXT", "those without; X is I, R or S" },
	{ 'G', 'G', "NAME", "try all: there is one group" },
	{ 0, 0, "TIME", "try what is due, every so often" },
};

/* 0 is once, in any unit. */
static int
queue_time(
    struct options *o, const struct row *row, const char *v, struct err *e)
{
	if (strspn(v, "0smhdw") == strlen(v)) {
		o->queue_run.background = false;
		return 0;
	}
	if (!wish_interval(v, &o->queue_run.every))
		return bad(e, row, v,
		    "give a time like 15m, or f, ITEXT, RTEXT or STEXT");
	o->queue_run.due = true;
	return 0;
}

/* -qI, -qR or -qS, perhaps with ! before the letter. */
static int
set_part(
    struct queue_run *q, const struct row *row, const char *v, struct err *e)
{
	const bool absent = v[0] == '!';
	const char *which = v + absent;
	const struct pick_part part = { which[0] != '\0' ? which + 1 : "",
		absent };

	if (which[0] == 'I')
		q->id = part;
	else if (which[0] == 'R')
		q->rcpt = part;
	else if (which[0] == 'S')
		q->sender = part;
	else
		return bad(e, row, v, "behind ! stands I, R or S");
	return 0;
}

/* Without a time it is run once, and waited for. */
static int
set_queue(
    struct options *o, const struct row *row, const char *v, struct err *e)
{
	struct queue_run *q = &o->queue_run;
	int which = v == NULL ? 0 : choose(queue_words, v);

	/* It says what is listed, then. */
	if (o->mode != MODE_QUEUE_LIST)
		o->mode = MODE_QUEUE_RUN;
	if (v == NULL)
		return 0;
	switch (which) {
	case 'I':
	case 'R':
	case 'S':
	case '!':
		return set_part(q, row, v, e);
	case 'G':
		return 0;
	default:
		q->background = which != 'f';
		return queue_time(o, row, which != 0 ? v + 1 : v, e);
	}
}

/* ---- rows ---- */

static const struct row rows[] = {
	{ 'f', VALUE_WORD, "ADDRESS", set_from, offsetof(struct options, from),
	    "the sender; '' or '<>' is the null sender" },
	{ 'r', VALUE_WORD, "ADDRESS", set_from, offsetof(struct options, from),
	    "the same" },
	{ 'F', VALUE_WORD, "NAME", set_setting, SET_FROM_FULL_NAME,
	    "the sender's name, where From is missing" },
	{ 't', VALUE_NONE, NULL, set_true,
	    offsetof(struct options, read_recipients),
	    "add the recipients that To, Cc and Bcc name" },
	{ 'i', VALUE_NONE, NULL, set_ignore_dots, 0,
	    "a line with a lone dot does not end the message" },
	{ 'b', VALUE_WORD, "X", set_mode, 0, NULL },
	{ 'I', VALUE_NONE, NULL, set_aliases_mode, MODE_ALIASES, "as -bi" },
	{ 'q', VALUE_GLUED, NULL, set_queue, 0,
	    "try all that is in the queue, once" },
	{ 'N', VALUE_WORD, "LIST", set_setting, SET_DSN_NOTIFY,
	    "report never, or on failure,delay,success" },
	{ 'R', VALUE_WORD, "full|hdrs", set_setting, SET_DSN_RETURN,
	    "how much of the message a report has" },
	{ 'V', VALUE_WORD, "ID", set_setting, SET_ENVID,
	    "what reports repeat, to know them by" },
	{ 'n', VALUE_NONE, NULL, set_no_aliases, 0,
	    "take no recipient for an alias" },
	{ 'G', VALUE_NONE, NULL, set_true,
	    offsetof(struct options, face.gateway),
	    "from elsewhere: nothing is added to the header" },
	{ 'h', VALUE_WORD, "N", set_hops, 0,
	    "it came by so many hops already" },
	{ 'L', VALUE_WORD, "TAG", set_text, offsetof(struct options, face.tag),
	    "our name in the log" },
	{ 'v', VALUE_NONE, NULL, set_true, offsetof(struct options, verbose),
	    "show the dialogue on stderr" },
	{ 'o', VALUE_WORD, "X", set_o, 0, "does nothing, but for these:" },
	{ 'O', VALUE_WORD, "NAME=VALUE", set_long, 0,
	    "DeliveryMode as -od, ErrorMode as -oe, IgnoreDots as -oi; any "
	    "other does nothing" },
	{ 'e', VALUE_WORD, "X", set_e, 0, "as -oeX" },
	{ 'A', VALUE_WORD, "c|m", NULL, 0, "does nothing (which .cf file)" },
	{ 'B', VALUE_WORD, "TYPE", NULL, 0,
	    "does nothing: the body's type is found out" },
	{ 'C', VALUE_PERHAPS, "FILE", NULL, 0,
	    "does nothing: no configuration file is named here" },
	{ 'c', VALUE_NONE, NULL, NULL, 0, "does nothing (hold expensive)" },
	{ 'D', VALUE_WORD, "FILE", NULL, 0, "does nothing (debug file)" },
	{ 'd', VALUE_GLUED, "[VALUE]", NULL, 0, "does nothing (debug level)" },
	{ 'E', VALUE_GLUED, "[VALUE]", NULL, 0, "does nothing (Sony NEWS)" },
	{ 'J', VALUE_GLUED, "[VALUE]", NULL, 0, "does nothing (Sony NEWS)" },
	{ 'M', VALUE_WORD, "XVALUE", NULL, 0, "does nothing (macro)" },
	{ 'm', VALUE_NONE, NULL, NULL, 0, "does nothing (me too)" },
	{ 'p', VALUE_WORD, "PROTOCOL", NULL, 0, "does nothing (received by)" },
	{ 'Q', VALUE_PERHAPS, "REASON", NULL, 0, "does nothing (quarantine)" },
	{ 'S', VALUE_NONE, NULL, NULL, 0, "does nothing" },
	{ 's', VALUE_NONE, NULL, NULL, 0, "does nothing (keep From lines)" },
	{ 'T', VALUE_NONE, NULL, NULL, 0, "does nothing (time in queue)" },
	{ 'U', VALUE_NONE, NULL, NULL, 0, "does nothing: UTF-8 is found out" },
	{ 'X', VALUE_WORD, "FILE", NULL, 0,
	    "does nothing: no log is written there" },
	{ 'x', VALUE_NONE, NULL, NULL, 0, "does nothing" },
};

#define NROWS (sizeof rows / sizeof rows[0])

static const struct choice o_words[] = {
	{ 'i', 0, "", "as -i" },
	{ 'v', 0, "", "as -v" },
	{ 0, 0, NULL, NULL },
};

/* The letters whose values are words of a table. */
static const struct {
	const char *letters;
	const struct choice *table;
} tables[] = {
	{ "b", modes },
	{ "q", queue_words },
	{ "o", o_words },
	{ "od", attempts },
	{ "oe", tells },
};

/* ---- argv ---- */

struct args {
	char **v;
	int n;
	int at; /* the next one */
	const char *odd; /* a mode that is none here, as it was given */
};

static const struct row *
find_row(char c)
{
	size_t i;

	for (i = 0; i < NROWS; i++)
		if (rows[i].letter == c)
			return &rows[i];
	return NULL;
}

/* The value of a letter, `glued` being what is behind it; NULL: none. */
static const char *
take_value(const struct row *row, const char *glued, struct args *a)
{
	if (*glued != '\0')
		return glued;
	if (row->kind == VALUE_GLUED || a->at == a->n ||
	    (row->kind == VALUE_PERHAPS && a->v[a->at][0] == '-'))
		return NULL;
	return a->v[a->at++];
}

static int
set_value(struct options *o, struct args *a, const struct row *row,
    const char *v, struct err *e)
{
	if (row->set == NULL)
		return 0;
	if (v == NULL && row->kind == VALUE_WORD)
		return err_set(e, ERR_PERM, ERR_USAGE, "-%c needs %s",
		    row->letter, row->value);
	if (row->set == set_mode && choose(modes, v) == AS_IT_WAS)
		a->odd = v;
	return row->set(o, row, v, e);
}

/* One argument of letters: -ti, -fADDR, -f ADDR. */
static int
letters(struct options *o, struct args *a, struct err *e)
{
	const char *arg = a->v[a->at++], *p;
	const struct row *row;

	for (p = arg + 1; *p != '\0'; p++) {
		row = find_row(*p);
		if (row == NULL)
			return err_set(e, ERR_PERM, ERR_USAGE,
			    "unknown option -%c in \"%.200s\"; an address that "
			    "begins with - goes behind --; see --help",
			    *p, arg);
		if (row->kind != VALUE_NONE)
			return set_value(
			    o, a, row, take_value(row, p + 1, a), e);
		if (set_value(o, a, row, NULL, e) == -1)
			return -1;
	}
	return 0;
}

/* There are but two. */
static int
word(struct options *o, struct args *a, struct err *e)
{
	const char *s = a->v[a->at++];

	if (strcmp(s, "--help") == 0)
		o->mode = MODE_HELP;
	else if (strcmp(s, "--version") == 0)
		o->mode = MODE_VERSION;
	else
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "no option %.200s: called as sendmail there are letters "
		    "only; call smtpsend for the others",
		    s);
	return 0;
}

/* Who asks for a daemon should hear that there is none. */
static int
check_odd(const struct options *o, const struct args *a, struct err *e)
{
	if (a->odd == NULL || o->mode != MODE_SEND || o->noperands > 0 ||
	    o->read_recipients)
		return 0;
	return err_set(e, ERR_PERM, ERR_USAGE,
	    "-b%.64s does nothing here, and there is no recipient; see --help",
	    a->odd);
}

/* Options and operands may be mixed; "--" ends the options. */
static int
parse(struct options *o, int argc, char *argv[], struct err *e)
{
	struct args a = { .v = argv, .n = argc, .at = 1 };
	bool ended = false;

	while (a.at < argc) {
		const char *s = argv[a.at];
		int got = 0;

		if (ended || s[0] != '-') {
			o->operands[o->noperands++] = s;
			a.at++;
		} else if (strcmp(s, "--") == 0) {
			ended = true;
			a.at++;
		} else if (s[1] == '-') {
			got = word(o, &a, e);
		} else {
			got = letters(o, &a, e);
		}
		if (got == -1)
			return -1;
	}
	/* Who watches waits for the end. */
	if (o->verbose && o->face.attempt == ATTEMPT_SHORT)
		o->face.attempt = ATTEMPT_FULL;
	return check_odd(o, &a, e);
}

/* ---- what is asked for ---- */

static void
help_line(FILE *out, const char *left, const char *help)
{
	fprintf(out, "  %-15s %s\n", left, help);
}

static void
help_choices(FILE *out, const char *letters, const struct choice *c)
{
	char left[32];

	for (; c->help != NULL; c++) {
		snprintf(
		    left, sizeof left, "-%s%c%s", letters, c->name, c->rest);
		if (c->name == '\0')
			snprintf(left, sizeof left, "-%s%s", letters, c->rest);
		help_line(out, left, c->help);
		if (c->name == '\0')
			break;
	}
}

static void
help_row(FILE *out, const struct row *row)
{
	char left[32];
	size_t i;

	snprintf(left, sizeof left, "-%c%s%s", row->letter,
	    row->value != NULL && row->kind != VALUE_GLUED ? " " : "",
	    row->value != NULL ? row->value : "");
	if (row->help != NULL)
		help_line(out, left, row->help);
	for (i = 0; i < sizeof tables / sizeof tables[0]; i++)
		if (tables[i].letters[0] == row->letter)
			help_choices(out, tables[i].letters, tables[i].table);
}

static int
help(struct send *r)
{
	size_t i;

	(void)r;
	puts("usage: sendmail [option]... [recipient]... < message\n"
	     "       sendmail -bs | -bv address... | -bi | -bp | -q[...]\n"
	     "       mailq, newaliases, runq: as -bp, -bi, -q\n"
	     "smtpsend as the sendmail of this machine; its letters:\n");
	for (i = 0; i < NROWS; i++)
		help_row(stdout, &rows[i]);
	help_line(stdout, "--help", "print this");
	help_line(stdout, "--version", "print version and features");
	return report_flush(stdout);
}

static int
version(struct send *r)
{
	(void)r;
	return native_version();
}

/* Whatever else was said is of messages. */
static struct options
of_queue(const struct options *o)
{
	return (struct options){ .mode = o->mode,
		.queue_run = o->queue_run,
		.operands = o->operands,
		.jobs = o->jobs,
		.face = o->face,
		.verbose = o->verbose };
}

static int
queue(struct send *r)
{
	const struct options o = of_queue(r->o);
	struct queue_released released;
	int code = queuecmd_run(&o, &released), got = report_flush(stdout);

	free(released.account);
	return code != 0 ? code : got;
}

static int
queue_run(struct send *r)
{
	const struct options o = of_queue(r->o);

	return run_queue(r->face, &o);
}

static int
serve(struct send *r)
{
	return serve_main(r->face, r->o);
}

static int (*const runs[MODES])(struct send *) = {
	[MODE_SEND] = send_message,
	[MODE_SERVE] = serve,
	[MODE_VERIFY] = aliascmd_verify,
	[MODE_ALIASES] = aliascmd_check,
	[MODE_QUEUE_LIST] = queue,
	[MODE_QUEUE_STATS] = queue,
	[MODE_QUEUE_RUN] = queue_run,
	[MODE_HELP] = help,
	[MODE_VERSION] = version,
};

/* ---- the face ---- */

/* What counts where no configuration says otherwise. */
static int
fall_back(struct settings *s, struct err *e)
{
	const struct origin here = { 0 };

	if (settings_set(s, SET_TRY_TIME, "30", &here, e) == -1)
		return -1;
	return settings_set(s, SET_QUEUE, "on", &here, e);
}

static const struct {
	const char *name;
	enum mode mode;
} names[] = {
	{ "mailq", MODE_QUEUE_LIST },
	{ "newaliases", MODE_ALIASES },
	{ "runq", MODE_QUEUE_RUN },
};

static int
begin(
    struct options *o, const char *name, int argc, char *argv[], struct err *e)
{
	size_t i;

	*o = (struct options){ .jobs = 8,
		.face = { .is_sendmail = true, .ends_at_dot = true } };
	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i].name, name) == 0)
			o->mode = names[i].mode;
	o->operands = calloc((size_t)argc + 1, sizeof *o->operands);
	if (o->operands == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	if (fall_back(&o->fallback, e) == -1)
		return -1;
	return parse(o, argc, argv, e);
}

int
sendmail_main(
    const struct run_face *face, const char *name, int argc, char *argv[])
{
	struct options o;
	struct send r;
	struct err e;
	int code;

	send_init(&r, &o, face);
	if (begin(&o, name, argc, argv, &e) == -1)
		code = send_fail(&e);
	else
		code = runs[o.mode](&r);
	send_free(&r);
	options_free(&o);
	return code;
}
