/*
 * entries FOLDER: make the entries of a queue that a test wants, from lines
 * on standard input, a command each:
 *
 *	new ARRIVED		begin one; moments are ms since 1970
 *	account NAME, next MS, tries N, envid TEXT, return N, signed
 *	from ADDRESS
 *	to ADDRESS [NOTIFY [ORCPT]]
 *	text LINE		a line of its message
 *	put [COPIES]		keep it, so often; prints each id
 *	final RCPT		notes on the last one, by recipient's number
 *	outcome RCPT VERDICT STAGE CODE STATUS HOST IP PORT DOUBT WHEN TEXT...
 *				VERDICT ok, temp or perm; STAGE as in JSON;
 *				"-" for none; a CODE makes it a reply
 *	try NEXT TRIES
 *	hold
 *	lock			says "locked ID", and keeps it to the end of
 *				input
 *
 * Ids are the same each time: the random part counts from 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail/envelope.h"
#include "queue/folder.h"
#include "queue/spool.h"

#define WORDS 16

struct maker {
	struct folder *f;
	struct envelope env;
	struct entry_new new;
	struct entry_now now;
	bool is_signed;
	char text[65536];
	size_t len;
	char account[256], envid[256], orcpt[8][256];
	char id[ENTRY_ID_SIZE];
	struct spool_item *item; /* owned: the last one, while it is noted on */
};

static void
draw(void *to, size_t n)
{
	static uint32_t count;

	memset(to, 0, n);
	memcpy(to, &count, n < sizeof count ? n : sizeof count);
	count++;
}

static void
need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "entries: %s\n", what);
	exit(64);
}

static int
number(const char *s)
{
	return (int)strtol(s, NULL, 10);
}

static void
need_ok(int rc, const struct err *e)
{
	need(rc == 0, e->text);
}

static void
parse(struct address *a, const char *s, unsigned flags)
{
	struct err e;

	address_free(a);
	need_ok(address_parse(a, s, strlen(s), flags, &e), &e);
}

static void
begin(struct maker *m, const char *arrived)
{
	spool_unlock(m->item);
	m->item = NULL;
	envelope_free(&m->env);
	envelope_init(&m->env);
	m->new = (struct entry_new){ .env = &m->env };
	m->now = (struct entry_now){ strtoll(arrived, NULL, 10), 5000000 };
	m->new.next_try = m->now.wall;
	m->len = 0;
	m->is_signed = false;
	parse(&m->env.sender, "", ADDRESS_NULL);
}

static void
add(struct maker *m, char **w)
{
	size_t at = m->env.n;
	struct address a = { 0 };

	need(at < 8 || w[2] == NULL, "notify is for eight recipients");
	parse(&a, w[1], ADDRESS_POSTMASTER);
	need(envelope_add(&m->env, &a, w[1], strlen(w[1])) == 0,
	    "the same recipient twice");
	if (w[2] != NULL)
		m->env.rcpts[at].notify = (unsigned)number(w[2]);
	if (w[2] != NULL && w[3] != NULL) {
		snprintf(m->orcpt[at], sizeof m->orcpt[at], "%s", w[3]);
		m->env.rcpts[at].orcpt = m->orcpt[at];
	}
}

static long
read_text(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const struct maker *m = ctx;

	(void)e;
	if (off >= m->len)
		return 0;
	if (n > m->len - off)
		n = m->len - off;
	memcpy(to, m->text + off, n);
	return (long)n;
}

static void
put(struct maker *m, const char *copies)
{
	struct message message;
	struct err e;

	need_ok(
	    message_open(&message, (struct octets){ read_text, m, m->len }, &e),
	    &e);
	message.is_signed = m->is_signed;
	for (int n = copies == NULL ? 1 : number(copies); n > 0; n--) {
		need_ok(
		    spool_put(m->f, &m->new, &message, &m->now, m->id, &e), &e);
		puts(m->id);
	}
	message_free(&message);
}

static struct spool_item *
item(struct maker *m)
{
	struct err e;

	if (m->item == NULL)
		need(spool_lock(m->f, m->id, &m->now, &m->item, &e) ==
			SPOOL_LOCKED,
		    "it cannot be locked");
	return m->item;
}

static const char *
word(const char *s)
{
	return strcmp(s, "-") == 0 ? "" : s;
}

static void
set_err(struct err *e, char **w)
{
	enum err_verdict v = strcmp(w[2], "ok") == 0 ? ERR_OK
	    : strcmp(w[2], "temp") == 0              ? ERR_TEMP
						     : ERR_PERM;

	err_clear(e);
	e->verdict = v;
	while (e->stage < STAGES && strcmp(err_stage_name(e->stage), w[3]) != 0)
		e->stage++;
	need(e->stage < STAGES, "no such stage");
	e->code = number(w[4]);
	e->kind = e->code != 0 ? ERR_REPLY
	    : v == ERR_OK      ? ERR_NONE
			       : ERR_CONNECT;
	enhanced_parse(&e->enhanced, w[5], strlen(w[5]));
	snprintf(e->text, sizeof e->text, "%s", w[11]);
}

static void
outcome(struct maker *m, char **w)
{
	size_t rcpt = (size_t)number(w[1]);
	struct outcome o = { .in_doubt = number(w[9]) != 0 };
	struct err e;

	set_err(&o.err, w);
	snprintf(o.host, sizeof o.host, "%s", word(w[6]));
	snprintf(o.ip, sizeof o.ip, "%s", word(w[7]));
	o.port = (unsigned)number(w[8]);
	need_ok(spool_note_outcome(
		    item(m), &rcpt, 1, &o, strtoll(w[10], NULL, 10), &e),
	    &e);
}

static void
note(struct maker *m, char **w, size_t n)
{
	size_t rcpt = n > 1 ? (size_t)number(w[1]) : 0;
	struct err e;
	int rc;

	if (strcmp(w[0], "outcome") == 0) {
		need(n == 12, "outcome needs eleven words");
		outcome(m, w);
		return;
	}
	if (strcmp(w[0], "final") == 0)
		rc = spool_note_final(item(m), &rcpt, 1, &e);
	else if (strcmp(w[0], "hold") == 0)
		rc = spool_note_hold(item(m), true, &e);
	else if (strcmp(w[0], "try") == 0 && n > 2)
		rc = spool_note_try(item(m), strtoll(w[1], NULL, 10),
		    (unsigned)number(w[2]), &e);
	else
		rc = err_set(&e, ERR_PERM, ERR_USAGE, "no command: %s", w[0]);
	need_ok(rc, &e);
}

static const char *
keep(char *to, size_t size, const char *s)
{
	snprintf(to, size, "%s", s);
	return to;
}

/* True if it says what the entry to come is made of. */
static bool
field(struct maker *m, char **w)
{
	if (strcmp(w[0], "account") == 0)
		m->new.account = keep(m->account, sizeof m->account, w[1]);
	else if (strcmp(w[0], "envid") == 0)
		m->env.envid = keep(m->envid, sizeof m->envid, w[1]);
	else if (strcmp(w[0], "next") == 0)
		m->new.next_try = strtoll(w[1], NULL, 10);
	else if (strcmp(w[0], "tries") == 0)
		m->new.tries = (unsigned)number(w[1]);
	else if (strcmp(w[0], "return") == 0)
		m->env.dsn_return = (enum dsn_return)number(w[1]);
	else if (strcmp(w[0], "from") == 0)
		parse(&m->env.sender, w[1], ADDRESS_NULL);
	else if (strcmp(w[0], "to") == 0)
		add(m, w);
	else
		return false;
	return true;
}

static void
command(struct maker *m, char **w, size_t n)
{
	if (n > 1 && strcmp(w[0], "new") == 0)
		begin(m, w[1]);
	else if (strcmp(w[0], "signed") == 0)
		m->is_signed = true;
	else if (strcmp(w[0], "put") == 0)
		put(m, w[1]);
	else if (strcmp(w[0], "lock") == 0)
		need(item(m) != NULL && printf("locked %s\n", m->id) > 0,
		    "cannot say so");
	else if (n < 2 || !field(m, w))
		note(m, w, n);
}

/* Words, of which the twelfth is the rest of the line. */
static void
line(struct maker *m, char *s)
{
	char *w[WORDS] = { NULL }, *p = s;
	size_t n = 0;

	if (strncmp(s, "text", 4) == 0) {
		p += strcspn(p, " ");
		p += *p == ' ';
		need(m->len + strlen(p) + 2 < sizeof m->text, "too much text");
		m->len += (size_t)snprintf(
		    m->text + m->len, sizeof m->text - m->len, "%s\n", p);
		return;
	}
	while (n < 11 && p != NULL && *p != '\0')
		w[n++] = strsep(&p, " ");
	if (p != NULL)
		w[n++] = p;
	if (n > 0)
		command(m, w, n);
}

int
main(int argc, char **argv)
{
	static struct maker m;
	struct folder_config config = { .make = true, .draw = draw };
	char *s = NULL;
	size_t size = 0;
	struct err e;

	need(argc == 2, "give a folder");
	setvbuf(stdout, NULL, _IOLBF, 0);
	config.path = argv[1];
	need_ok(folder_open(&m.f, &config, &e), &e);
	envelope_init(&m.env);
	begin(&m, "1767225600000");
	while (getline(&s, &size, stdin) > 0) {
		s[strcspn(s, "\n")] = '\0';
		line(&m, s);
	}
	free(s);
	spool_unlock(m.item);
	envelope_free(&m.env);
	folder_close(m.f);
	return 0;
}
