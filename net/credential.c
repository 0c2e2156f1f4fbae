/*
 * credential: see credential.h. The sources are rows of two tables, those the
 * user names and those that are looked at; netrc and the words of a command
 * line are read by one small scanner each.
 * Callers: cli. It prints nothing; no sentence shows what a source said.
 * netrc(5), secret-tool(1), systemd.exec(5).
 * Ownership: what held a secret on the way is a struct buf, which wipes it.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "net/command.h"
#include "net/credential.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Octets of the longest netrc. */
#define NETRC_MAX (256 * 1024)

/* --- files and descriptors ----------------------------------------------- */

int
credential_check_file(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return err_errno(e, ERR_PERM, ERR_CONFIG, errno, "%s", path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "%s holds a secret but belongs to user %lu: chown %lu %s",
		    path, (unsigned long)st.st_uid, (unsigned long)geteuid(),
		    path);
	if ((st.st_mode & 077) != 0)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "%s holds a secret but others may use it (mode %03o): "
		    "chmod 600 %s",
		    path, (unsigned)(st.st_mode & 0777), path);
	return 0;
}

/* A regular file, so that no open(2) waits; errno says why not. */
static int
file_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int num;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	num = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	close(fd);
	errno = num;
	return -1;
}

static int
file_trouble(const char *what, const char *path, int num, struct err *e)
{
	if (num == EINVAL)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "%s: %s is not a regular file", what, path);
	return err_errno(e, err_may_pass(num) ? ERR_TEMP : ERR_PERM, ERR_CONFIG,
	    num, "%s: %s", what, path);
}

/* Wait for something to read: 0, or -1 with *e. */
static int
fd_wait(const char *what, int fd, const struct waiter *w, int64_t deadline,
    struct err *e)
{
	switch (wait_fd(w, fd, POLLIN, deadline)) {
	case WAIT_STOPPED:
		return err_set(
		    e, ERR_TEMP, ERR_CONFIG, "%s: interrupted", what);
	case WAIT_TIMEOUT:
		if (wait_over(w))
			return wait_over_err(w, e);
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "%s: no end after %d s: close the other side", what,
		    CREDENTIAL_TIMEOUT / 1000);
	case WAIT_ERROR:
		return err_errno(
		    e, ERR_TEMP, ERR_MACHINE, errno, "%s: wait", what);
	default:
		return 0;
	}
}

/* All of a descriptor, with one deadline. */
static int
fd_read(const char *what, int fd, const struct waiter *w, struct buf *out,
    struct err *e)
{
	int64_t deadline = wait_until(CREDENTIAL_TIMEOUT);
	char piece[1024];
	ssize_t n;

	do {
		if (fd_wait(what, fd, w, deadline, e) == -1)
			return -1;
		n = read(fd, piece, sizeof(piece));
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n == -1)
			return file_trouble(what, "read", errno, e);
		buf_add(out, piece, (size_t)n);
		explicit_bzero(piece, sizeof(piece));
		if (buf_starved(out))
			return file_trouble(what, "read", ENOMEM, e);
		if (!buf_ok(out))
			return err_set(e, ERR_PERM, ERR_CONFIG,
			    "%s: more than %zu octets", what, out->max);
	} while (n != 0);
	return 0;
}

/* Read a file; `secret`: nobody else may. */
static int
file_read(const char *what, int fd, const char *path, bool secret,
    struct buf *out, struct err *e)
{
	if (secret && credential_check_file(fd, path, e) == -1)
		return -1;
	return fd_read(what, fd, NULL, out, e);
}

/* --- sources that the user names ----------------------------------------- */

/*
 * A source: 1 it has something (all it says goes into `out`), 0 it has
 * nothing or was not given, -1 with *e.
 */
struct source {
	const char *name;
	int (*fetch)(const struct credential *, const char *name,
	    struct buf *out, struct err *e);
};

static int
from_fd(const struct credential *c, const char *name, struct buf *out,
    struct err *e)
{
	if (c->fd == -1)
		return 0;
	return fd_read(name, c->fd, c->waiter, out, e) == -1 ? -1 : 1;
}

static int
from_text(const struct credential *c, const char *name, struct buf *out,
    struct err *e)
{
	(void)name;
	(void)e;
	if (c->text == NULL)
		return 0;
	buf_adds(out, c->text);
	return 1;
}

static int
from_cmd(const struct credential *c, const char *name, struct buf *out,
    struct err *e)
{
	union {
		char **split;
		const char *const *argv;
	} words;
	int got;

	if (c->cmd == NULL)
		return 0;
	words.split = command_words(c->cmd, e);
	if (words.split == NULL)
		return -1;
	got = command_output(
	    name, words.argv, CREDENTIAL_TIMEOUT, c->waiter, out, e);
	free(words.split);
	return got == -1 ? -1 : 1;
}

static int
from_eval(const struct credential *c, const char *name, struct buf *out,
    struct err *e)
{
	if (c->eval == NULL)
		return 0;
	return command_shell(
		   name, c->eval, CREDENTIAL_TIMEOUT, c->waiter, out, e) == -1
	    ? -1
	    : 1;
}

static int
from_file(const struct credential *c, const char *name, struct buf *out,
    struct err *e)
{
	int fd, got;

	if (c->file == NULL)
		return 0;
	fd = file_open(c->file);
	if (fd == -1)
		return file_trouble(name, c->file, errno, e);
	got = file_read(name, fd, c->file, true, out, e);
	close(fd);
	return got == -1 ? -1 : 1;
}

static const struct source named[] = {
	{ "--password-fd", from_fd },
	{ "password", from_text },
	{ "passwordcmd", from_cmd },
	{ "passwordeval", from_eval },
	{ "passwordfile", from_file },
};

/* --- sources that are looked at ------------------------------------------ */

static bool
is_missing(int num)
{
	return num == ENOENT || num == ENOTDIR;
}

/* One file of the credentials directory. */
static int
from_credential(const struct credential *c, const char *name, const char *file,
    struct buf *out, struct err *e)
{
	struct buf path;
	int fd, got;

	buf_init(&path, 4096);
	buf_addf(&path, "%s/%s", c->directory, file);
	fd = buf_ok(&path) ? file_open(buf_str(&path)) : -1;
	if (!buf_ok(&path))
		got = file_trouble(name, c->directory,
		    buf_starved(&path) ? ENOMEM : ENAMETOOLONG, e);
	else if (fd == -1 && is_missing(errno))
		got = 0;
	else if (fd == -1)
		got = file_trouble(name, buf_str(&path), errno, e);
	else
		got = file_read(name, fd, buf_str(&path), false, out, e) == -1
		    ? -1
		    : 1;
	if (fd != -1)
		close(fd);
	buf_free(&path);
	return got;
}

/* An account's name that is no file name is nobody's file. */
static int
from_directory(const struct credential *c, const char *name, struct buf *out,
    struct err *e)
{
	struct buf file;
	int got = 0;

	if (c->directory == NULL)
		return 0;
	buf_init(&file, 256);
	if (c->account != NULL && strchr(c->account, '/') == NULL) {
		buf_addf(&file, "smtpsend.%s", c->account);
		if (buf_ok(&file))
			got = from_credential(c, name, buf_str(&file), out, e);
		else if (buf_starved(&file))
			got = file_trouble(name, c->directory, ENOMEM, e);
	}
	buf_free(&file);
	return got != 0 ? got : from_credential(c, name, "smtpsend", out, e);
}

/* The entry for us in an open netrc. */
static int
netrc_search(const struct credential *c, const char *path, int fd, bool ours,
    struct buf *out, struct err *e)
{
	struct err why;
	struct buf text;
	int got;

	buf_init(&text, NETRC_MAX);
	got = fd_read(path, fd, c->waiter, &text, e);
	if (got == 0)
		got = netrc_find(&text, c->host, c->user,
		    c->user == NULL ? c->login : NULL, out, &why);
	else
		why = *e;
	buf_free(&text);
	if (got == -1)
		return err_set(
		    e, why.verdict, why.kind, "%s: %s", path, why.text);
	if (got == 1 && ours && credential_check_file(fd, path, e) == -1)
		return -1;
	return got;
}

static int
netrc_fetch(const struct credential *c, const char *path, bool ours,
    struct buf *out, struct err *e)
{
	int fd, got;

	if (path == NULL)
		return 0;
	fd = file_open(path);
	if (fd == -1 && (is_missing(errno) || (errno == EACCES && !ours)))
		return 0;
	if (fd == -1)
		return file_trouble("netrc", path, errno, e);
	got = netrc_search(c, path, fd, ours, out, e);
	close(fd);
	return got;
}

static int
from_netrc(const struct credential *c, const char *name, struct buf *out,
    struct err *e)
{
	(void)name;
	return netrc_fetch(c, c->netrc, true, out, e);
}

static int
from_system_netrc(const struct credential *c, const char *name, struct buf *out,
    struct err *e)
{
	(void)name;
	return netrc_fetch(c, c->netrc_system, false, out, e);
}

/*
 * The shell looks for it in PATH and takes its complaints, of a bus that is
 * not there, from people who never heard of it. Only a signal ends us here.
 */
static int
from_keyring(const struct credential *c, const char *name, struct buf *out,
    struct err *e)
{
	static const char line[] =
	    "exec 2>/dev/null; exec secret-tool "
	    "lookup host \"$1\" service \"$2\" user \"$3\"";
	const char *const argv[] = { "/bin/sh", "-c", line, "sh", c->host,
		c->service, c->user, NULL };
	struct err why;

	if (!c->keyring || c->user == NULL || c->service == NULL)
		return 0;
	if (command_output(
		name, argv, CREDENTIAL_TIMEOUT, c->waiter, out, &why) == 0)
		return out->len > 0;
	buf_reset(out);
	if (why.verdict != ERR_TEMP)
		return 0;
	*e = why;
	return -1;
}

static void
add_whose(struct buf *b, const struct credential *c)
{
	if (c->user != NULL) {
		enc_printable(b, c->user, strlen(c->user));
		buf_adds(b, " at ");
	}
	enc_printable(b, c->host, strlen(c->host));
}

static int
from_person(const struct credential *c, const char *name, struct buf *out,
    struct err *e)
{
	struct buf question;
	int got;

	(void)name;
	if (c->ask == NULL)
		return 0;
	buf_init(&question, 1024);
	buf_adds(&question, "Password for ");
	add_whose(&question, c);
	buf_adds(&question, ": ");
	got = c->ask(c->ctx, buf_str(&question), out, e);
	buf_free(&question);
	return got == -1 ? -1 : 1;
}

static const struct source looked_at[] = {
	{ "$CREDENTIALS_DIRECTORY", from_directory },
	{ "netrc", from_netrc },
	{ "the system's netrc", from_system_netrc },
	{ "secret-tool", from_keyring },
	{ "the prompt", from_person },
};

/* --- all together -------------------------------------------------------- */

/* The first line of what a source said, or why that is no secret. */
static int
secret_check(const char *name, struct buf *s, struct err *e)
{
	const char *end = s->len == 0 ? NULL : memchr(s->data, '\n', s->len);

	if (end != NULL)
		buf_cut(s, (size_t)(end - s->data));
	if (end != NULL && s->len > 0 && s->data[s->len - 1] == '\r')
		buf_cut(s, s->len - 1);
	if (!buf_ok(s) || s->len > CREDENTIAL_MAX)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "%s: the password is longer than %d octets", name,
		    CREDENTIAL_MAX);
	if (s->len == 0)
		return err_set(
		    e, ERR_PERM, ERR_CONFIG, "%s gave an empty password", name);
	if (memchr(s->data, '\0', s->len) != NULL)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "%s: a password cannot have a NUL in it", name);
	return 0;
}

static int
sources_try(const struct source *row, size_t n, const struct credential *c,
    struct buf *secret, const char **source, struct err *e)
{
	size_t i;
	int got;

	for (i = 0; i < n; i++) {
		got = row[i].fetch(c, row[i].name, secret, e);
		if (got == 0)
			continue;
		*source = row[i].name;
		return got == -1 || secret_check(row[i].name, secret, e) == -1
		    ? -1
		    : 1;
	}
	return 0;
}

static int
nobody_had_one(const struct credential *c, struct err *e)
{
	struct buf whose;

	buf_init(&whose, 256);
	add_whose(&whose, c);
	err_set(e, ERR_PERM, ERR_AUTH,
	    "no password for %s: set passwordeval or passwordfile",
	    buf_str(&whose));
	buf_free(&whose);
	return -1;
}

int
credential_fetch(const struct credential *c, struct buf *secret,
    const char **source, struct err *e)
{
	struct buf all;
	int got;

	/* A command may print a page behind the password, as pass(1) does. */
	buf_init(&all, 2 * CREDENTIAL_MAX);
	*source = NULL;
	got = sources_try(named, COUNT(named), c, &all, source, e);
	if (got == 0)
		got = sources_try(
		    looked_at, COUNT(looked_at), c, &all, source, e);
	if (got == 0)
		got = nobody_had_one(c, e);
	if (got == 1) {
		buf_add(secret, buf_str(&all), all.len);
		if (buf_starved(secret))
			got = file_trouble(*source, "the password", ENOMEM, e);
		else if (!buf_ok(secret))
			got = err_set(e, ERR_PERM, ERR_CONFIG,
			    "%s: the password is too long", *source);
	}
	buf_free(&all);
	return got == -1 ? -1 : 0;
}

/* --- netrc --------------------------------------------------------------- */

struct netrc {
	const char *at;
	const char *end;
	unsigned line;
	struct buf token; /* a word, or a value; it may be a secret */
	struct err *e;
};

/* The entry that is being read. */
struct entry {
	bool fits; /* by its machine, then by its login */
	bool has_password;
	struct buf login;
	struct buf password;
};

static int
netrc_bad(const struct netrc *r, const char *what)
{
	return err_set(
	    r->e, ERR_PERM, ERR_CONFIG, "line %u: %s", r->line, what);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
skip_blanks(struct netrc *r)
{
	for (; r->at < r->end && is_blank(*r->at); r->at++)
		r->line += *r->at == '\n';
}

/* To the end of the line, which stays. */
static void
skip_line(struct netrc *r)
{
	while (r->at < r->end && *r->at != '\n')
		r->at++;
}

static int
token_quoted(struct netrc *r)
{
	for (r->at++; r->at < r->end && *r->at != '"' && *r->at != '\n';
	     r->at++) {
		if (*r->at == '\\' && r->at + 1 < r->end && r->at[1] != '\n')
			r->at++;
		buf_addc(&r->token, *r->at);
	}
	if (r->at == r->end || *r->at == '\n')
		return netrc_bad(r, "a quote is not closed");
	r->at++;
	if (r->at < r->end && !is_blank(*r->at))
		return netrc_bad(r, "a blank is missing behind a quote");
	return 0;
}

static void
token_plain(struct netrc *r)
{
	for (; r->at < r->end && !is_blank(*r->at); r->at++) {
		if (*r->at == '\\' && r->at + 1 < r->end && !is_blank(r->at[1]))
			r->at++;
		buf_addc(&r->token, *r->at);
	}
}

/* The next token into r->token: 1, 0 at the end, -1 with the error set. */
static int
token_read(struct netrc *r)
{
	buf_reset(&r->token);
	skip_blanks(r);
	if (r->at == r->end)
		return 0;
	if (*r->at != '"')
		token_plain(r);
	else if (token_quoted(r) == -1)
		return -1;
	if (!buf_ok(&r->token))
		return netrc_bad(r, "a word is too long");
	if (strlen(buf_str(&r->token)) != r->token.len)
		return netrc_bad(r, "there is a NUL in a word");
	return 1;
}

/* A keyword: comments may stand before it. */
static int
keyword_read(struct netrc *r)
{
	for (skip_blanks(r); r->at < r->end && *r->at == '#'; skip_blanks(r))
		skip_line(r);
	return token_read(r);
}

/* macdef NAME: all up to an empty line. */
static void
skip_macro(struct netrc *r)
{
	const char *line;

	do {
		skip_line(r);
		if (r->at < r->end) {
			r->at++;
			r->line++;
		}
		line = r->at;
	} while (r->at < r->end && *line != '\n' &&
	    !(*line == '\r' && line + 1 < r->end && line[1] == '\n'));
}

/* What a keyword's value does to the entry. */
static void
take_nothing(const struct netrc *r, struct entry *entry)
{
	(void)r;
	(void)entry;
}

static void
take_login(const struct netrc *r, struct entry *entry)
{
	buf_reset(&entry->login);
	buf_add(&entry->login, buf_str(&r->token), r->token.len);
}

static void
take_password(const struct netrc *r, struct entry *entry)
{
	buf_reset(&entry->password);
	buf_add(&entry->password, buf_str(&r->token), r->token.len);
	entry->has_password = true;
}

static const struct {
	const char *word;
	void (*take)(const struct netrc *, struct entry *);
} netrc_rows[] = {
	{ "login", take_login },
	{ "password", take_password },
	{ "account", take_nothing },
	{ "port", take_nothing },
	{ "protocol", take_nothing },
};

/* A keyword that has a value; the word is not shown: it may be part of a
 * password that lacks its quotes. */
static int
netrc_value(struct netrc *r, struct entry *entry)
{
	size_t i;
	int got;

	for (i = 0; i < COUNT(netrc_rows); i++)
		if (strcmp(buf_str(&r->token), netrc_rows[i].word) == 0)
			break;
	if (i == COUNT(netrc_rows))
		return netrc_bad(
		    r, "expected machine, default, login, password or macdef");
	got = token_read(r);
	if (got == 0)
		return netrc_bad(r, "the last word lacks its value");
	if (got == 1)
		netrc_rows[i].take(r, entry);
	return got;
}

/* "machine NAME" or "default" begins an entry; NULL looks for the latter. */
static int
netrc_begin(struct netrc *r, const char *host, struct entry *entry)
{
	bool machine = strcmp(buf_str(&r->token), "machine") == 0;
	int got;

	buf_reset(&entry->login);
	buf_reset(&entry->password);
	entry->has_password = false;
	entry->fits = host == NULL;
	if (!machine)
		return 1;
	got = token_read(r);
	if (got == 0)
		return netrc_bad(r, "machine lacks its name");
	entry->fits = host != NULL && strcasecmp(buf_str(&r->token), host) == 0;
	return got;
}

static bool
entry_found(const struct entry *entry, const char *user)
{
	return entry->fits && entry->has_password &&
	    (user == NULL || entry->login.len == 0 ||
		strcmp(buf_str(&entry->login), user) == 0);
}

/* Entry after entry until one fits: it is whole when the next one begins. */
static int
netrc_scan(
    struct netrc *r, const char *host, const char *user, struct entry *entry)
{
	const char *word;
	int got;

	while ((got = keyword_read(r)) == 1) {
		word = buf_str(&r->token);
		if (strcmp(word, "machine") == 0 ||
		    strcmp(word, "default") == 0) {
			if (entry_found(entry, user))
				return 1;
			got = netrc_begin(r, host, entry);
		} else if (strcmp(word, "macdef") == 0)
			skip_macro(r);
		else
			got = netrc_value(r, entry);
		if (got == -1)
			return -1;
	}
	return got == -1 ? -1 : entry_found(entry, user);
}

static int
netrc_pass(const struct buf *text, const char *host, const char *user,
    struct entry *entry, struct err *e)
{
	const char *s = buf_str(text);
	struct netrc r = { .at = s, .end = s + text->len, .line = 1, .e = e };
	int got;

	buf_init(&r.token, CREDENTIAL_MAX);
	buf_init(&entry->login, CREDENTIAL_MAX);
	buf_init(&entry->password, CREDENTIAL_MAX);
	entry->fits = entry->has_password = false;
	got = netrc_scan(&r, host, user, entry);
	buf_free(&r.token);
	return got;
}

static void
entry_free(struct entry *entry)
{
	buf_free(&entry->login);
	buf_free(&entry->password);
}

int
netrc_find(const struct buf *text, const char *host, const char *user,
    struct buf *login, struct buf *password, struct err *e)
{
	struct entry entry;
	int got = netrc_pass(text, host, user, &entry, e);

	if (got == 0) {
		entry_free(&entry);
		got = netrc_pass(text, NULL, user, &entry, e);
	}
	if (got == 1 && !(buf_ok(&entry.login) && buf_ok(&entry.password)))
		got = err_set(e, ERR_TEMP, ERR_MACHINE, "out of memory");
	if (got == 1) {
		buf_add(password, buf_str(&entry.password), entry.password.len);
		if (login != NULL)
			buf_add(login, buf_str(&entry.login), entry.login.len);
	}
	entry_free(&entry);
	return got;
}

/* --- words of a command line --------------------------------------------- */

/* One word from s to *to, NUL-ended; returns what follows it, or NULL with
 * *why. */
static const char *
word_read(const char *s, char **to, const char **why)
{
	char quote = '\0';

	for (; *s != '\0' && (quote != '\0' || !is_blank(*s)); s++) {
		if (*s == quote) {
			quote = '\0';
		} else if (quote == '\0' && (*s == '\'' || *s == '"')) {
			quote = *s;
		} else if (*s == '\\' &&
		    (quote == '\0' ||
			(quote == '"' && s[1] != '\0' &&
			    strchr("\"\\$`", s[1]) != NULL))) {
			if (*++s == '\0') {
				*why = "nothing behind the last \\";
				return NULL;
			}
			*(*to)++ = *s;
		} else
			*(*to)++ = *s;
	}
	*(*to)++ = '\0';
	*why = "a quote is not closed";
	return quote == '\0' ? s : NULL;
}

char **
command_words(const char *line, struct err *e)
{
	size_t len = strlen(line), most = len / 2 + 2, n = 0;
	const char *why = "no command is named";
	char **words, *to;

	words = malloc(most * sizeof(*words) + len + 1);
	if (words == NULL) {
		err_set(e, ERR_TEMP, ERR_MACHINE, "out of memory");
		return NULL;
	}
	to = (char *)(words + most);
	for (line += strspn(line, " \t\r\n"); line != NULL && *line != '\0';
	     line += strspn(line, " \t\r\n")) {
		words[n++] = to;
		line = word_read(line, &to, &why);
		if (line == NULL)
			break;
	}
	words[n] = NULL;
	if (line != NULL && n > 0)
		return words;
	free(words);
	err_set(e, ERR_PERM, ERR_CONFIG, "passwordcmd: %s", why);
	return NULL;
}
