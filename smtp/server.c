/*
 * server: see server.h. What comes is a command, data with dots, a chunk, or
 * the rest of a line that is too long: a mode each. A command is a row.
 * Callers: the sendmail face. It knows no queue: that is behind its ops.
 * RFC 5321 4.1.1 (commands), 4.1.4 (order), 4.2 (replies), 4.5.2 (dots),
 * 4.5.3 (limits); RFC 3030 2 (BDAT); RFC 2920 3.2. Ownership: see server.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "smtp/server.h"
#include "smtp/server_params.h"
#include "smtp/undot.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Replies that may wait before nothing more is taken, and one more. */
#define OUT_HIGH 4096
#define OUT_MAX (OUT_HIGH + 4096)
/* Text of a reply: its line has 512 octets (RFC 5321 4.5.3.1.5). */
#define TEXT_MAX 480

enum mode {
	COMMAND,
	SKIP, /* the rest of a command that is too long */
	DATA,
	CHUNK,
	OVER
};

enum hello { NOBODY, HELO, EHLO };

struct server {
	const struct server_config *config; /* borrowed */
	struct buf line; /* owned: a command that is not whole */
	struct buf out; /* owned */
	enum mode mode;
	bool hung_up; /* it is over, and not by QUIT */
	bool patient; /* the reply may wait for those to come */
	bool presses; /* one is waiting that must not */
	uint64_t steps; /* see server_steps() */
	size_t stretch; /* octets of a message since the last of them */
	unsigned errors; /* commands that were none */
	enum hello hello;
	char helo[SERVER_NAME_MAX + 1];
	/* A transaction; all empty without one. */
	bool mail; /* MAIL was taken */
	bool utf8; /* SMTPUTF8 was said */
	char *envid; /* owned */
	char **orcpts; /* owned, all of them */
	size_t norcpts;
	struct envelope env; /* owned */
	/* Its message. */
	bool begun; /* the ops have it */
	bool chunks; /* BDAT was used: no DATA from here on */
	bool broken; /* it cannot be taken, for: */
	struct err why;
	uint64_t size;
	struct undot undot;
	uint64_t left; /* of a chunk */
	bool last; /* it is the last one */
};

static void hang_up(struct server *, const char *codes, const char *why);

/* ---- replies ---- */

/* One line, in printable ASCII. */
__attribute__((format(printf, 3, 0))) static void
say(struct server *s, const char *codes, const char *fmt, va_list ap)
{
	char text[TEXT_MAX], *p;

	vsnprintf(text, sizeof text, fmt, ap);
	for (p = text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	buf_addf(&s->out, "%s %s\r\n", codes, text);
}

__attribute__((format(printf, 3, 4))) static void
reply(struct server *s, const char *codes, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(s, codes, fmt, ap);
	va_end(ap);
}

/* What was said makes no sense: too often, and it is over. */
__attribute__((format(printf, 3, 4))) static void
complain(struct server *s, const char *codes, const char *fmt, ...)
{
	va_list ap;

	if (++s->errors > SERVER_ERRORS_MAX) {
		hang_up(s, "421 4.7.0", "Too many errors");
		return;
	}
	va_start(ap, fmt);
	say(s, codes, fmt, ap);
	va_end(ap);
}

/* The reply that an error of the ops stands for; 5yz without a code. */
static void
reply_err(struct server *s, const struct err *e, int otherwise)
{
	int class = e->verdict == ERR_PERM ? 5 : 4;
	int code = class == 5 ? otherwise : 451;
	struct enhanced enhanced = { (unsigned short)class, 0, 0 };
	char codes[40], name[ENHANCED_MAX];

	if (e->code / 100 == 4 || e->code / 100 == 5) {
		code = e->code;
		enhanced.class = (unsigned short)(code / 100);
	}
	if (e->enhanced.class == enhanced.class)
		enhanced = e->enhanced;
	snprintf(
	    codes, sizeof codes, "%d %s", code, enhanced_str(&enhanced, name));
	reply(s, codes, "%s", e->text);
}

/* ---- transactions ---- */

static void
drop(struct server *s)
{
	if (s->begun)
		s->config->ops->drop(s->config->ops->ctx);
	s->begun = false;
}

static void
reset(struct server *s)
{
	size_t i;

	drop(s);
	envelope_free(&s->env);
	for (i = 0; i < s->norcpts; i++)
		free(s->orcpts[i]);
	free(s->orcpts);
	free(s->envid);
	s->orcpts = NULL;
	s->norcpts = 0;
	s->envid = NULL;
	s->mail = s->utf8 = s->chunks = s->broken = false;
	s->size = 0;
}

static void
hang_up(struct server *s, const char *codes, const char *why)
{
	reset(s);
	reply(s, codes, "%s", why);
	s->mode = OVER;
	s->hung_up = true;
}

/* It cannot be taken; the client hears of the first reason, at the end. */
static void
spoil(struct server *s, const struct err *e)
{
	drop(s);
	if (!s->broken)
		s->why = *e;
	s->broken = true;
}

static int
begin(struct server *s, struct err *e)
{
	struct server_facts facts = { s->helo,
		s->utf8                ? "UTF8SMTP"
		    : s->hello == EHLO ? "ESMTP"
				       : "SMTP" };
	const struct server_ops *ops = s->config->ops;

	if (ops->begin(ops->ctx, &facts, &s->env, e) == -1)
		return -1;
	s->begun = true;
	return 0;
}

static bool
too_big(const struct server *s, uint64_t size)
{
	return s->config->size_max != 0 && size > s->config->size_max;
}

/* Octets of the message. */
static void
take(struct server *s, const char *p, size_t n)
{
	const struct server_ops *ops = s->config->ops;
	struct err e;

	s->size = s->size > UINT64_MAX - n ? UINT64_MAX : s->size + n;
	if (s->broken)
		return;
	if (too_big(s, s->size)) {
		err_set(&e, ERR_PERM, ERR_DATA,
		    "Message is larger than %llu octets",
		    (unsigned long long)s->config->size_max);
		e.code = 552;
		e.enhanced = (struct enhanced){ 5, 3, 4 };
		spoil(s, &e);
	} else if (ops->data(ops->ctx, p, n, &e) == -1)
		spoil(s, &e);
}

/* Who stays for many messages may make a mistake in each. */
static void
taken(struct server *s, const char *id)
{
	s->errors = 0;
	if (id[0] == '\0')
		reply(s, "250 2.0.0", "Taken");
	else
		reply(s, "250 2.0.0", "Queued as %s", id);
}

/* The message is whole: what it is now, and the end of the transaction. */
static void
finish(struct server *s)
{
	const struct server_ops *ops = s->config->ops;
	char id[SERVER_ID_SIZE] = "";
	struct err e;

	if (s->broken)
		reply_err(s, &s->why, 554);
	else {
		s->begun = false;
		if (ops->end(ops->ctx, id, &e) == -1)
			reply_err(s, &e, 554);
		else
			taken(s, id);
	}
	reset(s);
}

/* ---- hello ---- */

static const char *const keywords[] = { "PIPELINING", "8BITMIME", "DSN",
	"SMTPUTF8", "CHUNKING", "ENHANCEDSTATUSCODES" };

static bool
is_name(const char *arg)
{
	size_t n = strlen(arg);

	return n > 0 && n <= SERVER_NAME_MAX && strchr(arg, ' ') == NULL &&
	    enc_is_utf8(arg, n);
}

static bool
say_hello(struct server *s, enum hello hello, const char *arg)
{
	if (!is_name(arg)) {
		complain(s, "501", "Say who you are, by one name");
		return false;
	}
	reset(s);
	s->hello = hello;
	snprintf(s->helo, sizeof s->helo, "%s", arg);
	return true;
}

static void
do_helo(struct server *s, const char *arg)
{
	if (say_hello(s, HELO, arg))
		reply(s, "250", "%s", s->config->name);
}

static void
do_ehlo(struct server *s, const char *arg)
{
	size_t i;

	if (!say_hello(s, EHLO, arg))
		return;
	buf_addf(&s->out, "250-%.255s\r\n", s->config->name);
	for (i = 0; i < COUNT(keywords); i++)
		buf_addf(&s->out, "250-%s\r\n", keywords[i]);
	if (s->config->size_max == 0)
		buf_adds(&s->out, "250 SIZE\r\n");
	else
		buf_addf(&s->out, "250 SIZE %llu\r\n",
		    (unsigned long long)s->config->size_max);
}

/* ---- MAIL and RCPT ---- */

/* What both have in common: a path, and parameters that the command knows. */
struct path {
	enum server_command command;
	const char *word; /* "FROM:" */
	unsigned flags; /* ADDRESS_ */
	struct enhanced enhanced; /* of one that is malformed */
};

static const struct path from_path = { SERVER_MAIL,
	"FROM:", ADDRESS_NULL | ADDRESS_BARE, { 5, 1, 7 } };
static const struct path to_path = { SERVER_RCPT, "TO:", ADDRESS_BARE,
	{ 5, 1, 3 } };

/* UTF-8 in a path wants SMTPUTF8 (RFC 6531 3.5), also if its domain alone
 * has it. */
static int
parse_address(struct server *s, const struct path *p, const char *path,
    size_t n, struct address *a)
{
	struct err e;

	if (enc_has_8bit(path, n) && !s->utf8) {
		reply(s, "553 5.6.7", "Not without SMTPUTF8");
		return -1;
	}
	if (address_parse(a, path, n, p->flags, &e) == 0)
		return 0;
	e.enhanced = p->enhanced;
	reply_err(s, &e, 501);
	return -1;
}

/* The address and what is wanted, or -1: it was answered. `w` is to be freed
 * in any case. */
static int
parse_path(struct server *s, const struct path *p, const char *arg,
    struct address *a, struct server_wants *w)
{
	const char *path;
	size_t n = server_path(p->word, arg, &path);
	struct err e;

	*w = (struct server_wants){ 0 };
	if (n == 0 || (path[n] != '\0' && path[n] != ' ')) {
		complain(s, "501 5.5.2", "Write %s<ADDRESS>", p->word);
		return -1;
	}
	if (s->hello != EHLO && path[n + strspn(path + n, " ")] != '\0') {
		complain(s, "555 5.5.4", "No parameters without EHLO");
		return -1;
	}
	if (server_wants_parse(w, p->command, path + n, strlen(path + n), &e) ==
	    -1) {
		reply_err(s, &e, 501);
		return -1;
	}
	if (p->command == SERVER_MAIL)
		s->utf8 = w->utf8;
	return parse_address(s, p, path, n, a);
}

static int
allowed_sender(struct server *s, struct address *a, uint64_t size)
{
	const struct server_ops *ops = s->config->ops;
	struct err e;

	if (too_big(s, size)) {
		reply(s, "552 5.3.4", "Message is larger than %llu octets",
		    (unsigned long long)s->config->size_max);
		return -1;
	}
	if (ops->mail == NULL || ops->mail(ops->ctx, a, size, &e) == 0)
		return 0;
	reply_err(s, &e, 550);
	return -1;
}

static void
do_mail(struct server *s, const char *arg)
{
	struct server_wants w;
	struct address a;

	if (s->mail) {
		complain(s, "503 5.5.1", "There is a sender; RSET forgets it");
		return;
	}
	if (parse_path(s, &from_path, arg, &a, &w) == 0) {
		if (allowed_sender(s, &a, w.size) == 0) {
			s->mail = true;
			s->env.sender = a;
			s->env.dsn_return = w.dsn_return;
			s->env.envid = s->envid = w.envid;
			w.envid = NULL;
			reply(s, "250 2.1.0", "Sender ok");
		} else
			address_free(&a);
	}
	s->utf8 = s->utf8 && s->mail;
	server_wants_free(&w);
}

static void
no_memory(struct server *s)
{
	reply(s, "451 4.3.0", "No memory");
}

/* Kept for as long as the envelope borrows it. */
static int
keep_orcpt(struct server *s, struct server_wants *w)
{
	char **list;

	if (w->orcpt == NULL)
		return 0;
	list = reallocarray(s->orcpts, s->norcpts + 1, sizeof(char *));
	if (list == NULL)
		return -1;
	s->orcpts = list;
	list[s->norcpts++] = w->orcpt;
	return 0;
}

/* Takes the address. One that is there already is as good as taken. */
static void
add_rcpt(struct server *s, struct address *a, struct server_wants *w)
{
	struct envelope *env = &s->env;
	char given[ADDRESS_PATH_MAX + 1];
	int rc;

	snprintf(given, sizeof given, "%s", a->raw);
	if (keep_orcpt(s, w) == -1) {
		address_free(a);
		no_memory(s);
		return;
	}
	env->notify = w->notify;
	rc = envelope_add(env, a, given, strlen(given));
	if (rc == 0) {
		env->rcpts[env->n - 1].orcpt = w->orcpt;
		w->orcpt = NULL;
	} else if (w->orcpt != NULL)
		s->norcpts--; /* it is the caller's, as before */
	if (rc == -1)
		no_memory(s);
	else
		reply(s, "250 2.1.5", "Recipient ok");
}

static void
do_rcpt(struct server *s, const char *arg)
{
	const struct server_ops *ops = s->config->ops;
	struct server_wants w;
	struct address a;
	struct err e;

	if (s->chunks) {
		complain(s, "503 5.5.1", "The message has begun");
		return;
	}
	if (parse_path(s, &to_path, arg, &a, &w) == 0) {
		if (s->config->rcpts_max != 0 &&
		    s->env.n >= s->config->rcpts_max) {
			address_free(&a);
			reply(s, "452 4.5.3", "Too many recipients");
		} else if (ops->rcpt != NULL &&
		    ops->rcpt(ops->ctx, &a, &e) == -1) {
			address_free(&a);
			reply_err(s, &e, 550);
		} else
			add_rcpt(s, &a, &w);
	}
	server_wants_free(&w);
}

/* ---- DATA and BDAT ---- */

static void
do_data(struct server *s, const char *arg)
{
	struct err e;

	(void)arg;
	if (s->chunks)
		complain(s, "503 5.5.1", "BDAT was used");
	else if (s->env.n == 0)
		reply(s, "554 5.5.1", "No valid recipients");
	else if (begin(s, &e) == -1)
		reply_err(s, &e, 554);
	else {
		reply(s, "354", "Go on; a lone dot ends it");
		s->mode = DATA;
		s->undot = (struct undot){ .lf = s->config->typed };
	}
}

static void
chunk_end(struct server *s)
{
	s->mode = COMMAND;
	if (!s->mail)
		complain(s, "503 5.5.1", "There is no sender");
	else if (s->last)
		finish(s);
	else if (s->broken)
		reply_err(s, &s->why, 554);
	else
		reply(s, "250 2.0.0", "Taken");
}

/* Its octets come in any case (RFC 3030 2): they are never commands. Without
 * knowing how many they are we cannot go on. */
static void
do_bdat(struct server *s, const char *arg)
{
	struct err e;

	if (!server_chunk(arg, &s->left, &s->last)) {
		hang_up(s, "421 4.5.4", "How many octets follow is not known");
		return;
	}
	if (s->mail && !s->chunks) {
		s->chunks = true;
		if (s->env.n == 0) {
			err_set(&e, ERR_PERM, ERR_USAGE, "No valid recipients");
			e.code = 503;
			e.enhanced = (struct enhanced){ 5, 5, 1 };
			spoil(s, &e);
		} else if (begin(s, &e) == -1)
			spoil(s, &e);
	}
	s->mode = CHUNK;
	if (s->left == 0)
		chunk_end(s);
}

static size_t
feed_chunk(struct server *s, const char *p, size_t n)
{
	if (n > s->left)
		n = (size_t)s->left;
	s->left -= n;
	if (s->mail)
		take(s, p, n);
	if (s->left == 0)
		chunk_end(s);
	return n;
}

static void
take_content(void *ctx, const char *p, size_t n)
{
	take(ctx, p, n);
}

static size_t
feed_data(struct server *s, const char *p, size_t n)
{
	size_t used = undot_feed(&s->undot, p, n, take_content, s);

	if (s->undot.ended) {
		s->mode = COMMAND;
		finish(s);
	}
	return used;
}

/* ---- the others ---- */

static void
do_rset(struct server *s, const char *arg)
{
	(void)arg;
	reset(s);
	reply(s, "250 2.0.0", "Forgotten");
}

static void
do_noop(struct server *s, const char *arg)
{
	(void)arg;
	reply(s, "250 2.0.0", "Ok");
}

static void
do_vrfy(struct server *s, const char *arg)
{
	(void)arg;
	reply(s, "252 2.0.0", "Send mail, and see");
}

static void
do_quit(struct server *s, const char *arg)
{
	(void)arg;
	reset(s);
	reply(s, "221 2.0.0", "Bye");
	s->mode = OVER;
}

static void
do_none(struct server *s, const char *arg)
{
	(void)arg;
	reply(s, "502 5.5.1", "Not offered");
}

static void do_help(struct server *, const char *);

enum need {
	NEEDS_HELLO = 1 << 0,
	NEEDS_MAIL = 1 << 1,
	ALONE = 1 << 2, /* nothing may stand behind it */
	ARGUED = 1 << 3, /* something must */
	HIDDEN = 1 << 4, /* not in HELP */
	GROUPED = 1 << 5 /* its reply may wait for others (RFC 2920 3.2) */
};

static const struct command {
	const char *name;
	void (*run)(struct server *, const char *arg);
	unsigned needs; /* enum need */
} commands[] = {
	/* They say themselves what is missing: HELO and EHLO without the code
	 * of RFC 2034 4, BDAT for good, as its octets follow. */
	{ "HELO", do_helo, 0 },
	{ "EHLO", do_ehlo, 0 },
	{ "MAIL", do_mail, NEEDS_HELLO | ARGUED | GROUPED },
	{ "RCPT", do_rcpt, NEEDS_HELLO | NEEDS_MAIL | ARGUED | GROUPED },
	{ "DATA", do_data, NEEDS_HELLO | NEEDS_MAIL | ALONE },
	{ "BDAT", do_bdat, 0 },
	{ "RSET", do_rset, ALONE | GROUPED },
	{ "NOOP", do_noop, 0 },
	{ "VRFY", do_vrfy, ARGUED },
	{ "EXPN", do_none, HIDDEN },
	{ "HELP", do_help, 0 },
	{ "QUIT", do_quit, ALONE },
	{ "AUTH", do_none, HIDDEN },
	{ "STARTTLS", do_none, HIDDEN },
	{ "ETRN", do_none, HIDDEN },
	{ "TURN", do_none, HIDDEN },
};

static void
do_help(struct server *s, const char *arg)
{
	char names[TEXT_MAX] = "Commands:";
	size_t i, n = strlen(names);

	(void)arg;
	for (i = 0; i < COUNT(commands); i++)
		if ((commands[i].needs & HIDDEN) == 0)
			n += (size_t)snprintf(names + n, sizeof names - n,
			    " %s", commands[i].name);
	reply(s, "214 2.0.0", "%s", names);
}

/* ---- lines ---- */

static const struct command *
find(const char *line, size_t n)
{
	size_t i;

	for (i = 0; i < COUNT(commands); i++)
		if (strlen(commands[i].name) == n &&
		    strncasecmp(commands[i].name, line, n) == 0)
			return &commands[i];
	return NULL;
}

static void
run(struct server *s, const struct command *c, const char *arg)
{
	if ((c->needs & NEEDS_HELLO) != 0 && s->hello == NOBODY)
		complain(s, "503 5.5.1", "Say EHLO first");
	else if ((c->needs & NEEDS_MAIL) != 0 && !s->mail)
		complain(s, "503 5.5.1", "There is no sender");
	else if ((c->needs & ALONE) != 0 && *arg != '\0')
		complain(s, "501 5.5.4", "Nothing stands behind %s", c->name);
	else if ((c->needs & ARGUED) != 0 && *arg == '\0')
		complain(
		    s, "501 5.5.4", "Something is to stand behind %s", c->name);
	else
		c->run(s, arg);
}

static bool
has_control(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return true;
	return false;
}

/* A whole line, without its end. */
static void
take_line(struct server *s, char *line, size_t n)
{
	const struct command *c;
	bool bad, chunk;
	size_t word;

	while (n > 0 && line[n - 1] == ' ')
		n--;
	line[n] = '\0';
	word = strcspn(line, " ");
	c = find(line, word);
	s->patient = c != NULL && (c->needs & GROUPED) != 0;
	bad = has_control(line, n);
	chunk = c != NULL && c->run == do_bdat;
	if (bad && !chunk)
		complain(s, "500 5.5.2", "A control character is in it");
	else if (s->config->refuse != NULL && (c == NULL || c->run != do_quit))
		complain(s, "503 5.5.1", "Only QUIT is left");
	else if (c == NULL)
		complain(s, "500 5.5.1", "No such command");
	else
		run(s, c, bad ? "" : line + word + strspn(line + word, " "));
}

/* Commands may end in LF alone: that makes no difference to anybody. */
static size_t
feed_line(struct server *s, const char *p, size_t n)
{
	const char *lf = memchr(p, '\n', n);
	size_t len = lf == NULL ? n : (size_t)(lf - p) + 1;

	buf_add(&s->line, p, len);
	if (!buf_ok(&s->line)) {
		s->mode = SKIP;
		return 0;
	}
	if (lf == NULL)
		return len;
	len = s->line.len - 1;
	len -= len > 0 && s->line.data[len - 1] == '\r';
	take_line(s, s->line.data, len);
	buf_reset(&s->line);
	return (size_t)(lf - p) + 1;
}

static size_t
feed_skip(struct server *s, const char *p, size_t n)
{
	const char *lf = memchr(p, '\n', n);

	if (lf == NULL)
		return n;
	buf_reset(&s->line);
	s->mode = COMMAND;
	complain(s, "500 5.5.2", "No command is that long");
	return (size_t)(lf - p) + 1;
}

/* ---- the machine ---- */

static void
step(struct server *s)
{
	s->steps++;
	s->stretch = 0;
}

struct server *
server_new(const struct server_config *config)
{
	struct server *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->config = config;
	buf_init(&s->line, SERVER_LINE_MAX);
	buf_init(&s->out, OUT_MAX);
	envelope_init(&s->env);
	if (config->refuse != NULL)
		reply(s, "554 5.7.1", "%s", config->refuse);
	else
		reply(s, "220", "%s ESMTP", config->name);
	step(s);
	return s;
}

void
server_free(struct server *s)
{
	if (s == NULL)
		return;
	reset(s);
	buf_free(&s->line);
	buf_free(&s->out);
	free(s);
}

static size_t
feed(struct server *s, const char *p, size_t n)
{
	static size_t (*const modes[])(
	    struct server *, const char *, size_t) = {
		[COMMAND] = feed_line,
		[SKIP] = feed_skip,
		[DATA] = feed_data,
		[CHUNK] = feed_chunk,
	};
	const bool message = s->mode == DATA || s->mode == CHUNK;
	size_t used;

	s->patient = false;
	used = modes[s->mode](s, p, n);
	s->stretch += message ? used : 0;
	if (s->stretch >= SERVER_BLOCK ||
	    (message && s->config->typed && memchr(p, '\n', used) != NULL))
		step(s);
	return used;
}

size_t
server_feed(struct server *s, const char *p, size_t n)
{
	const size_t waiting = s->out.len;
	size_t used = 0;

	while (used < n && s->mode != OVER && s->out.len == waiting &&
	    waiting < OUT_HIGH)
		used += feed(s, p + used, n - used);
	if (waiting == 0)
		s->presses = false;
	if (s->out.len != waiting) {
		step(s);
		s->presses = s->presses || !s->patient;
	}
	/* Without memory for a reply nothing can be said any more. */
	if (!buf_ok(&s->out)) {
		reset(s);
		s->mode = OVER;
		s->hung_up = true;
	}
	return used;
}

bool
server_presses(const struct server *s)
{
	return s->out.len >= OUT_HIGH || (s->out.len > 0 && s->presses);
}

uint64_t
server_steps(const struct server *s)
{
	return s->steps;
}

struct buf *
server_out(struct server *s)
{
	return &s->out;
}

bool
server_over(const struct server *s)
{
	return s->mode == OVER;
}

bool
server_hung_up(const struct server *s)
{
	return s->hung_up;
}

void
server_stop(struct server *s, const char *enhanced, const char *why)
{
	char codes[40];

	snprintf(codes, sizeof codes, "421 %s", enhanced);
	hang_up(s, codes, why);
}

bool
server_unfinished(const struct server *s)
{
	return s->mail;
}
