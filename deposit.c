/*
 * deposit: see deposit.h. The message is read once, from its begin to its end,
 * and never held.
 * Callers: local.c.
 * RFC 5321 4.4, 6.3; RFC 6376 (what is signed stays as it was signed).
 * Ownership: see deposit.h.
 */
#include <sys/stat.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "deposit.h"
#include "mail/header.h"
#include "mail/message.h"
#include "mail/view.h"
#include "store/box.h"
#include "store/pipe.h"

/* A mailbox may be locked for so long, ms. */
#define LOCK_MS 30000

/* A program has this much time, ms. */
#define PROGRAM_MS 300000

#define FIELDS_MAX 4096
/* Arguments and environment of a program, octets; its variables. */
#define WORDS_MAX 65536
#define ENVIRONMENT_MAX 7

/* ---- loops ---- */

static void
put_self(struct buf *b, const struct deposit *d)
{
	buf_addf(b, "%s@%s", d->user->name, d->c->host);
}

static bool
is_self(const struct field *f, const char *self)
{
	struct buf body;
	bool is;

	buf_init(&body, MESSAGE_HEADER_MAX);
	header_unfold(&body, f);
	is = strcasecmp(buf_str(&body), self) == 0;
	buf_free(&body);
	return is;
}

int
deposit_check(const struct deposit *d, struct err *e)
{
	const struct buf *h = &d->m->header;
	struct field f = { 0 };
	bool loops = false;
	struct buf self;

	buf_init(&self, FIELDS_MAX);
	put_self(&self, d);
	while (!loops && header_find(buf_str(h), h->len, "Delivered-To", &f))
		loops = is_self(&f, buf_str(&self));
	if (loops) {
		err_set(e, ERR_PERM, ERR_DATA,
		    "mail loops: it was delivered to %s before",
		    buf_str(&self));
		e->enhanced = (struct enhanced){ 5, 4, 6 };
	}
	buf_free(&self);
	return loops ? -1 : 0;
}

/* ---- the message ---- */

struct source {
	const struct message *m; /* borrowed */
	struct view view; /* of one that is signed */
	struct view_reader reader;
};

/* As it came. */
static long
read_plain(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const struct message *m = ((struct source *)ctx)->m;
	const size_t head = m->header.len + m->has_body;

	if (off >= head)
		return m->octets.read(
		    m->octets.ctx, m->body_off + (off - head), to, n, e);
	if (off == m->header.len) {
		*(char *)to = '\n';
		return 1;
	}
	if (n > m->header.len - off)
		n = m->header.len - (size_t)off;
	memcpy(to, m->header.data + off, n);
	return (long)n;
}

/* As it was signed. */
static long
read_view(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	struct source *s = ctx;

	(void)off;
	return view_read(&s->reader, to, n, e);
}

static int
source_open(struct source *s, struct octets *to, struct err *e)
{
	*to = (struct octets){ .read = read_plain, .ctx = s };
	if (!s->m->is_signed)
		return 0;
	if (view_make(&s->view, s->m, s->m->signed_takes, e) == -1)
		return -1;
	view_open(&s->reader, &s->view, VIEW_PLAIN);
	to->read = read_view;
	return 0;
}

static void
source_close(struct source *s)
{
	if (!s->m->is_signed)
		return;
	view_close(&s->reader);
	view_free(&s->view);
}

/* A copy without Return-Path, since only the last host writes one (RFC 5321
 * 4.4). It has a header of its own and shares the rest with the message. */
static int
message_copy(struct message *copy, const struct message *m, struct err *e)
{
	*copy = *m;
	buf_init(&copy->header, MESSAGE_HEADER_MAX);
	header_without(
	    &copy->header, buf_str(&m->header), m->header.len, "Return-Path");
	if (buf_ok(&copy->header))
		return 0;
	buf_free(&copy->header);
	return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory for a header");
}

/* ---- the mailbox ---- */

/* The group of a folder of mailboxes is that of programs which may write them
 * all (Debian Policy 11.6: USER.mail, 0660). Any other group is one that the
 * user is in by chance, perhaps with everybody else. */
static mode_t
mbox_mode(const char *folder)
{
	struct stat st;

	return stat(folder, &st) == 0 &&
		(st.st_gid == getegid() || (st.st_mode & S_ISGID) != 0)
	    ? 0660
	    : 0600;
}

static int
into_box(const struct deposit *d, const struct box_mail *mail, struct err *e)
{
	const bool is_mbox = d->c->transport == TRANSPORT_MBOX;
	const struct user *u = d->user;
	char path[PATH_MAX];
	const struct box_config c = {
		.path = path,
		.owner = u->uid,
		.create = is_mbox ? mbox_mode(d->c->path) : 0700,
		.dotlock = true,
		.lock_wait = LOCK_MS,
		.host = d->c->host,
		.waiter = d->waiter,
	};
	int n = snprintf(path, sizeof path, "%s/%s",
	    is_mbox ? d->c->path : u->home, is_mbox ? u->name : d->c->path);

	if (n < 0 || (size_t)n >= sizeof path || path[0] != '/')
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "the mailbox of %s has no whole path, or one that is too "
		    "long",
		    u->name);
	return is_mbox ? box_mbox(&c, mail, e) : box_maildir(&c, mail, e);
}

/* ---- the program ---- */

/* What the letter behind a % stands for, or NULL: nothing. The null sender is
 * MAILER-DAEMON, as programs that deliver mail are used to. */
static const char *
meaning(const struct deposit *d, char letter)
{
	switch (letter) {
	case 'u':
		return d->user->name;
	case 'h':
		return d->user->home;
	case 's':
		return d->sender[0] != '\0' ? d->sender : "MAILER-DAEMON";
	case '%':
		return "%";
	default:
		return NULL;
	}
}

/*
 * One argument of the program. Anybody can choose a sender that begins with -,
 * and an argument that is the sender alone would be taken for an option. Such
 * a one is written as a path, in <> (RFC 5321 4.1.2).
 */
static void
put_word(struct buf *b, const struct deposit *d, const char *word)
{
	const bool path = strcmp(word, "%s") == 0 && d->sender[0] == '-';
	const char *is;

	buf_adds(b, path ? "<" : "");
	for (; *word != '\0'; word++) {
		is = *word == '%' ? meaning(d, word[1]) : NULL;
		if (is == NULL) {
			buf_addc(b, *word);
			continue;
		}
		buf_adds(b, is);
		word++;
	}
	buf_adds(b, path ? ">" : "");
	buf_addc(b, '\0');
}

static void
put_variable(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, "%s=%s", name, value);
	buf_addc(b, '\0');
}

/* Append the arguments, and behind them all variables of the environment, each
 * with its NUL. Returns the number of arguments. */
static size_t
put_words(struct buf *b, const struct deposit *d)
{
	const struct user *u = d->user;
	size_t n;

	for (n = 0; d->c->command[n] != NULL; n++)
		put_word(b, d, d->c->command[n]);
	put_variable(b, "HOME", u->home);
	put_variable(b, "USER", u->name);
	put_variable(b, "LOGNAME", u->name);
	put_variable(b, "SHELL", u->shell);
	put_variable(b, "PATH", "/usr/local/bin:/usr/bin:/bin");
	put_variable(b, "SENDER", d->sender);
	put_variable(b, "RECIPIENT", u->name);
	return n;
}

/* Pointers to the words in the buffer, as execve(2) wants them: the first n in
 * a list that ends in NULL, the others in *env, which is part of the same
 * memory. The caller frees the list. NULL: no memory. */
static const char **
split_words(const struct buf *b, size_t n, const char ***env)
{
	const char *s, *end = b->data + b->len;
	const char **list;
	size_t i = 0;

	list = calloc(n + ENVIRONMENT_MAX + 2, sizeof *list);
	if (list == NULL)
		return NULL;
	*env = list + n + 1;
	for (s = b->data; s < end; s += strlen(s) + 1, i++)
		list[i < n ? i : i + 1] = s;
	return list;
}

/* They are not there, since they are too many or for want of memory. */
static int
no_words(const struct buf *b, struct err *e)
{
	return buf_ok(b) || buf_starved(b)
	    ? err_set(e, ERR_TEMP, ERR_MACHINE, "no memory for a program")
	    : err_set(e, ERR_PERM, ERR_CONFIG,
		  "the program's arguments are longer than %d octets",
		  WORDS_MAX);
}

static int
into_program(
    const struct deposit *d, const struct box_mail *mail, struct err *e)
{
	struct pipe_config c = { .timeout = PROGRAM_MS, .waiter = d->waiter };
	const char **words, **env = NULL;
	struct buf b;
	size_t n;
	int rc;

	buf_init(&b, WORDS_MAX);
	n = put_words(&b, d);
	words = buf_ok(&b) ? split_words(&b, n, &env) : NULL;
	c.argv = words;
	c.env = env;
	rc = words != NULL ? pipe_run(&c, mail, e) : no_words(&b, e);
	/* It had the whole message, as a server has at the end of data. */
	if (rc == -1)
		e->stage = STAGE_END;
	free(words);
	buf_free(&b);
	return rc;
}

/* By enum transport. */
static int (*const ways[TRANSPORTS])(
    const struct deposit *, const struct box_mail *, struct err *) = {
	[TRANSPORT_MBOX] = into_box,
	[TRANSPORT_MAILDIR] = into_box,
	[TRANSPORT_MDA] = into_program,
};

static int
put(const struct deposit *d, const struct message *m, struct err *e)
{
	struct box_mail mail = { .sender = d->sender, .time = time(NULL) };
	struct source s = { .m = m };
	struct buf fields;
	int rc;

	buf_init(&fields, FIELDS_MAX);
	buf_addf(&fields, "Return-Path: <%s>\nDelivered-To: ", d->sender);
	put_self(&fields, d);
	buf_addc(&fields, '\n');
	mail.fields = buf_str(&fields);
	mail.fields_n = fields.len;
	rc = buf_ok(&fields)
	    ? source_open(&s, &mail.octets, e)
	    : err_set(e, ERR_TEMP, ERR_MACHINE, "no memory for a header");
	if (rc == 0) {
		rc = ways[d->c->transport](d, &mail, e);
		source_close(&s);
	}
	buf_free(&fields);
	return rc;
}

int
deposit_put(const struct deposit *d, struct err *e)
{
	struct message m;
	int rc = message_copy(&m, d->m, e);

	if (rc == -1)
		return -1;
	rc = put(d, &m, e);
	buf_free(&m.header);
	return rc;
}
