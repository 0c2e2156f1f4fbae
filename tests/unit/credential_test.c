/*
 * credential: each source, their order, and what they may not be; netrc and
 * words by vectors. No sentence may show any part of a secret, so each
 * failure is compared as a whole.
 */
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/credential.h"
#include "test.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- netrc --------------------------------------------------------------- */

struct netrc_row {
	const char *text;
	const char *host;
	const char *user; /* NULL: any */
	const char *password; /* NULL: none, or the error */
	const char *login; /* or the error */
};

static const struct netrc_row netrc_rows[] = {
	{ "machine a login u password p", "a", "u", "p", "u" },
	{ "machine a login u password p\n", "A", NULL, "p", "u" },
	{ "machine a\n\tlogin u\n\tpassword\n\tp\r\n", "a", "u", "p", "u" },
	{ "machine a password p login u", "a", "u", "p", "u" },
	{ "machine a password p", "a", "u", "p", "" },
	{ "machine a login u account x port 587 protocol smtp password p", "a",
	    "u", "p", "u" },
	/* The first that fits, of several. */
	{ "machine b login u password q machine a login u password p", "a", "u",
	    "p", "u" },
	{ "machine a login v password q machine a login u password p", "a", "u",
	    "p", "u" },
	{ "machine a login v password q machine a login u password p", "a",
	    NULL, "q", "v" },
	{ "machine a login u machine a login u password p", "a", "u", "p",
	    "u" },
	{ "machine a login v password q", "a", "u", NULL, "" },
	{ "machine ab login u password q", "a", "u", NULL, "" },
	{ "machine a login u", "a", "u", NULL, "" },
	{ "", "a", "u", NULL, "" },
	{ " \n\t\n", "a", NULL, NULL, "" },
	/* default is the last resort wherever it stands. */
	{ "default login u password d machine a login u password p", "a", "u",
	    "p", "u" },
	{ "machine b login u password q default login u password d", "a", "u",
	    "d", "u" },
	{ "machine a login v password q default password d", "a", "u", "d",
	    "" },
	{ "default login v password d", "a", "u", NULL, "" },
	/* Comments, where no value is due. */
	{ "# machine a password q\nmachine a # b\n#\nlogin u password #p", "a",
	    "u", "#p", "u" },
	/* Quotes and escapes. */
	{ "machine \"a\" login \"u v\" password \"p \\\"\\\\ q\"", "a", "u v",
	    "p \"\\ q", "u v" },
	{ "machine a login u password p\\\\q\\\"r", "a", "u", "p\\q\"r", "u" },
	{ "machine a login u password p\"q", "a", "u", "p\"q", "u" },
	{ "machine a login u password p\\ machine b", "a", "u", "p\\", "u" },
	{ "machine a login u password \"\"", "a", "u", "", "u" },
	{ "machine a login machine password default", "a", "machine", "default",
	    "machine" },
	/* Macros. */
	{ "macdef init\nmachine a password q\n\nmachine a password p", "a", "u",
	    "p", "" },
	{ "machine a login u macdef x\r\npassword q\r\n\r\npassword p", "a",
	    "u", "p", "u" },
	{ "machine b password q macdef x\nmachine a password r", "a", "u", NULL,
	    "" },
	/* Broken. */
	{ "machine a login u\npassword \"p\nmachine b", "a", "u", NULL,
	    "line 2: a quote is not closed" },
	{ "\n\nmachine \"", "a", "u", NULL, "line 3: a quote is not closed" },
	{ "machine \"a\\", "a", "u", NULL, "line 1: a quote is not closed" },
	{ "machine a password \"p\"q", "a", "u", NULL,
	    "line 1: a blank is missing behind a quote" },
	{ "machine a login u\npassword two words", "a", "u", NULL,
	    "line 2: expected machine, default, login, password or macdef" },
	{ "macdef x\n1\n2\n\nsecret", "a", "u", NULL,
	    "line 5: expected machine, default, login, password or macdef" },
	{ "machine a\nlogin", "a", "u", NULL,
	    "line 2: the last word lacks its value" },
	{ "machine a password\n", "a", "u", NULL,
	    "line 2: the last word lacks its value" },
	{ "machine", "a", "u", NULL, "line 1: machine lacks its name" },
	/* Behind what is wanted nobody looks. */
	{ "machine a password p machine b nonsense", "a", "u", "p", "" },
};

static void
check_netrc(const struct netrc_row *row)
{
	struct buf text, login, password;
	struct err e;
	int got, expected;

	buf_init(&text, 1000);
	buf_adds(&text, row->text);
	buf_init(&login, 100);
	buf_init(&password, 100);
	err_clear(&e);
	got = netrc_find(&text, row->host, row->user, &login, &password, &e);
	expected = row->password != NULL ? 1 : row->login[0] == '\0' ? 0 : -1;
	CHECK_INT(got, expected);
	CHECK_STR(buf_str(&password), got == 1 ? row->password : "");
	CHECK_STR(got == -1 ? e.text : buf_str(&login), row->login);
	if (got == -1)
		CHECK_INT(e.kind, ERR_CONFIG);
	if (got != expected)
		printf("# in: %s\n", row->text);
	buf_free(&text);
	buf_free(&login);
	buf_free(&password);
}

TEST(netrc_vectors)
{
	size_t i;

	for (i = 0; i < COUNT(netrc_rows); i++)
		check_netrc(&netrc_rows[i]);
}

TEST(netrc_nul)
{
	static const char octets[] = "machine a login u\npassword p\0q";
	struct buf text, password;
	struct err e;

	buf_init(&text, 100);
	buf_init(&password, 100);
	buf_add(&text, octets, sizeof(octets) - 1);
	CHECK_INT(netrc_find(&text, "a", "u", NULL, &password, &e), -1);
	CHECK_STR(e.text, "line 2: there is a NUL in a word");
	buf_free(&text);
	buf_free(&password);
}

/* --- words --------------------------------------------------------------- */

static const struct {
	const char *line;
	const char *words; /* each in <>, or the error */
} word_rows[] = {
	{ "pass", "<pass>" },
	{ "  pass show\tmail/x \n", "<pass><show><mail/x>" },
	{ "a 'b  c' \"d e\"", "<a><b  c><d e>" },
	{ "a'b'\"c\"d", "<abcd>" },
	{ "a '' \"\"", "<a><><>" },
	{ "a\\ b \\'c \\\\", "<a b><'c><\\>" },
	{ "'a\\b' \"a\\b\" \"\\\"\\\\\\$\\`\"", "<a\\b><a\\b><\"\\$`>" },
	{ "a $HOME * ; | # ~", "<a><$HOME><*><;><|><#><~>" },
	{ "a 'it\"s' \"it's\"", "<a><it\"s><it's>" },
	{ "a b c d e f", "<a><b><c><d><e><f>" },
	{ "", "passwordcmd: no command is named" },
	{ " \t", "passwordcmd: no command is named" },
	{ "a 'b", "passwordcmd: a quote is not closed" },
	{ "a \"b'", "passwordcmd: a quote is not closed" },
	{ "a \"b\\", "passwordcmd: a quote is not closed" },
	{ "a b\\", "passwordcmd: nothing behind the last \\" },
};

TEST(words_vectors)
{
	struct buf got;
	struct err e;
	char **words;
	size_t i, j;

	for (i = 0; i < COUNT(word_rows); i++) {
		buf_init(&got, 200);
		words = command_words(word_rows[i].line, &e);
		for (j = 0; words != NULL && words[j] != NULL; j++)
			buf_addf(&got, "<%s>", words[j]);
		CHECK_STR(
		    words == NULL ? e.text : buf_str(&got), word_rows[i].words);
		free(words);
		buf_free(&got);
	}
}

/* --- a place for files --------------------------------------------------- */

struct place {
	char dir[64];
	char path[8][128];
	size_t n;
};

static void
place_open(struct place *p)
{
	*p = (struct place){ .dir = "/tmp/credential_test.XXXXXX" };
	CHECK(mkdtemp(p->dir) != NULL);
}

static const char *
place_write(struct place *p, const char *name, const char *text, mode_t mode)
{
	char *path = p->path[p->n++], at[sizeof(p->path[0])];
	size_t n = strlen(text);
	int fd;

	snprintf(at, sizeof(at), "%s/%s", p->dir, name);
	memcpy(path, at, sizeof(at));
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK_INT(write(fd, text, n), (intmax_t)n);
	CHECK_INT(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

static void
place_close(struct place *p)
{
	while (p->n > 0)
		unlink(p->path[--p->n]);
	CHECK_INT(rmdir(p->dir), 0);
}

/* --- sources ------------------------------------------------------------- */

static const struct credential nothing = {
	.fd = -1, .user = "joe", .host = "mail.example.org", .service = "smtp"
};

static void
check_has(const struct credential *c, const char *secret, const char *source)
{
	const char *from = "none";
	struct buf got;
	struct err e;

	err_clear(&e);
	buf_init(&got, CREDENTIAL_MAX);
	CHECK_INT(credential_fetch(c, &got, &from, &e), 0);
	CHECK_STR(e.text, "");
	CHECK_STR(buf_str(&got), secret);
	CHECK_STR(from, source);
	buf_free(&got);
}

static void
check_fails(const struct credential *c, const char *text, enum err_kind kind)
{
	const char *from;
	struct buf got;
	struct err e;

	err_clear(&e);
	buf_init(&got, CREDENTIAL_MAX);
	CHECK_INT(credential_fetch(c, &got, &from, &e), -1);
	CHECK_STR(e.text, text);
	CHECK_INT(e.kind, kind);
	CHECK_INT(e.verdict, ERR_PERM);
	CHECK_INT(got.len, 0);
	buf_free(&got);
}

/* The sentence has `path` wherever `text` has @. */
static void
check_fails_at(const struct credential *c, const char *text, const char *path)
{
	struct buf expected;

	buf_init(&expected, ERR_TEXT_MAX);
	for (; *text != '\0'; text++)
		if (*text == '@')
			buf_adds(&expected, path);
		else
			buf_addc(&expected, *text);
	check_fails(c, buf_str(&expected), ERR_CONFIG);
	buf_free(&expected);
}

static int
ask(void *ctx, const char *question, struct buf *out, struct err *e)
{
	const char *answer = ctx;

	if (answer == NULL)
		return err_set(e, ERR_PERM, ERR_AUTH, "asked: %s", question);
	buf_adds(out, answer);
	return 0;
}

TEST(takes_the_first_line_of_a_command)
{
	struct credential c = nothing;

	c.eval = "printf 'pass word \\nurl: x\\n'";
	check_has(&c, "pass word ", "passwordeval");
	c.eval = "printf 'p\\r\\n'";
	check_has(&c, "p", "passwordeval");
	c.eval = "printf p\\\\r";
	check_has(&c, "p\r", "passwordeval");
	c.eval = "echo \"$((1+1))\" | tr 2 x";
	check_has(&c, "x", "passwordeval");
	c.eval = NULL;
	c.cmd = "printf '%s' '$((1+1)) | tr 2 x'";
	check_has(&c, "$((1+1)) | tr 2 x", "passwordcmd");
}

TEST(a_bad_secret_is_none)
{
	struct credential c = nothing;

	c.eval = "true";
	check_fails(&c, "passwordeval gave an empty password", ERR_CONFIG);
	c.eval = "printf '\\nsecond'";
	check_fails(&c, "passwordeval gave an empty password", ERR_CONFIG);
	c.eval = "printf 'a\\000b'";
	check_fails(
	    &c, "passwordeval: a password cannot have a NUL in it", ERR_CONFIG);
	c.eval = "echo secret; exit 2";
	check_fails(&c, "passwordeval: exit status 2", ERR_CONFIG);
	c.eval = "head -c 16385 /dev/zero | tr '\\000' x";
	check_fails(&c,
	    "passwordeval: the password is longer than 16384 octets",
	    ERR_CONFIG);
	c.eval = "yes";
	c.cmd = "printf 'secret";
	check_fails(&c, "passwordcmd: a quote is not closed", ERR_CONFIG);
	c.cmd = NULL;
	c.text = "";
	check_fails(&c, "password gave an empty password", ERR_CONFIG);
}

/* As many octets as an OAuth token may have. */
TEST(the_longest_secret_passes)
{
	struct credential c = nothing;
	const char *from;
	struct buf got;
	struct err e;

	c.eval = "head -c 16384 /dev/zero | tr '\\000' x; echo; echo more";
	buf_init(&got, CREDENTIAL_MAX);
	CHECK_INT(credential_fetch(&c, &got, &from, &e), 0);
	CHECK_INT(got.len, CREDENTIAL_MAX);
	buf_free(&got);
}

TEST(reads_a_descriptor_once)
{
	struct credential c = nothing;
	int fds[2];

	CHECK_INT(pipe(fds), 0);
	CHECK_INT(write(fds[1], "secret\n", 7), 7);
	close(fds[1]);
	c.fd = fds[0];
	check_has(&c, "secret", "--password-fd");
	check_fails(&c, "--password-fd gave an empty password", ERR_CONFIG);
	close(fds[0]);
	check_fails(&c, "--password-fd: read: Bad file descriptor", ERR_CONFIG);
}

TEST(a_signal_ends_the_wait_for_a_descriptor)
{
	static const volatile sig_atomic_t stop = 15;
	const struct waiter w = { .stop = &stop };
	struct credential c = nothing;
	const char *from;
	struct buf got;
	struct err e;
	int fds[2];

	CHECK_INT(pipe(fds), 0);
	c.fd = fds[0];
	c.waiter = &w;
	buf_init(&got, 100);
	CHECK_INT(credential_fetch(&c, &got, &from, &e), -1);
	CHECK_STR(e.text, "--password-fd: interrupted");
	CHECK_INT(e.verdict, ERR_TEMP);
	close(fds[0]);
	close(fds[1]);
}

TEST(a_file_must_be_private)
{
	struct credential c = nothing;
	struct place p;

	place_open(&p);
	c.file = place_write(&p, "good", "secret\r\nmore\n", 0600);
	check_has(&c, "secret", "passwordfile");
	c.file = place_write(&p, "read-only", "secret", 0400);
	check_has(&c, "secret", "passwordfile");
	c.file = place_write(&p, "open", "secret", 0644);
	check_fails_at(&c,
	    "@ holds a secret but others may use it (mode 644): "
	    "chmod 600 @",
	    c.file);
	c.file = place_write(&p, "empty", "", 0600);
	check_fails(&c, "passwordfile gave an empty password", ERR_CONFIG);
	c.file = p.dir;
	check_fails_at(&c, "passwordfile: @: Is a directory", c.file);
	c.file = "/dev/null";
	check_fails(
	    &c, "passwordfile: /dev/null is not a regular file", ERR_CONFIG);
	c.file = "/nowhere/at/all";
	check_fails(&c,
	    "passwordfile: /nowhere/at/all: No such file or directory",
	    ERR_CONFIG);
	place_close(&p);
}

/* Only root can make what belongs to somebody else. */
TEST(a_file_must_be_ours)
{
	struct credential c = nothing;
	struct place p;

	place_open(&p);
	c.file = place_write(&p, "theirs", "secret", 0600);
	if (geteuid() == 0) {
		CHECK_INT(chown(c.file, 12345, (gid_t)-1), 0);
		check_fails_at(&c,
		    "@ holds a secret but belongs to user 12345: "
		    "chown 0 @",
		    c.file);
	}
	place_close(&p);
}

TEST(the_first_named_source_counts)
{
	struct credential c = nothing;

	c.file = "/nowhere/at/all";
	c.eval = "echo eval";
	check_has(&c, "eval", "passwordeval");
	c.cmd = "echo cmd";
	check_has(&c, "cmd", "passwordcmd");
	c.text = "text";
	check_has(&c, "text", "password");
	c.text = NULL;
	/* Its failure is final, whoever else could be asked. */
	c.ask = ask;
	c.ctx = (char[]){ "asked" };
	c.cmd = "false";
	check_fails(&c, "passwordcmd: exit status 1", ERR_CONFIG);
}

TEST(looks_into_the_credentials_directory)
{
	struct credential c = nothing;
	char folder[128];
	struct place p;

	place_open(&p);
	c.directory = p.dir;
	check_fails(&c,
	    "no password for joe at mail.example.org: set passwordeval or "
	    "passwordfile",
	    ERR_AUTH);
	place_write(&p, "smtpsend", "general\n", 0440);
	place_write(&p, "smtpsend.work", "work\n", 0444);
	check_has(&c, "general", "$CREDENTIALS_DIRECTORY");
	c.account = "work";
	check_has(&c, "work", "$CREDENTIALS_DIRECTORY");
	c.account = "home";
	check_has(&c, "general", "$CREDENTIALS_DIRECTORY");
	/* A name that leads elsewhere is no name. */
	snprintf(folder, sizeof(folder), "%s/smtpsend.x", p.dir);
	CHECK_INT(mkdir(folder, 0700), 0);
	c.account = "x/../smtpsend.work";
	check_has(&c, "general", "$CREDENTIALS_DIRECTORY");
	CHECK_INT(rmdir(folder), 0);
	c.directory = "/nowhere/at/all";
	c.text = NULL;
	c.ask = ask;
	c.ctx = (char[]){ "asked" };
	check_has(&c, "asked", "the prompt");
	place_close(&p);
}

TEST(looks_into_netrc)
{
	struct credential c = nothing;
	struct buf login;
	struct place p;

	place_open(&p);
	c.ask = ask;
	c.ctx = (char[]){ "asked" };
	c.netrc = "/nowhere/at/all";
	check_has(&c, "asked", "the prompt");
	c.netrc_system = place_write(&p, "system",
	    "machine mail.example.org login joe password s\n", 0644);
	check_has(&c, "s", "the system's netrc");
	/* One that others can read matters only if it has what we want. */
	c.netrc =
	    place_write(&p, "other", "machine a login joe password q\n", 0644);
	check_has(&c, "s", "the system's netrc");
	c.netrc = place_write(&p, "mine",
	    "machine mail.example.org login joe password p\n", 0600);
	check_has(&c, "p", "netrc");
	buf_init(&login, 100);
	c.login = &login;
	check_has(&c, "p", "netrc");
	CHECK_STR(buf_str(&login), "");
	c.user = NULL;
	check_has(&c, "p", "netrc");
	CHECK_STR(buf_str(&login), "joe");
	buf_free(&login);
	place_close(&p);
}

TEST(a_bad_netrc_is_told)
{
	struct credential c = nothing;
	struct place p;

	place_open(&p);
	c.netrc = place_write(&p, "open",
	    "machine mail.example.org login joe password p\n", 0640);
	check_fails_at(&c,
	    "@ holds a secret but others may use it (mode 640): "
	    "chmod 600 @",
	    c.netrc);
	c.netrc = place_write(
	    &p, "broken", "machine mail.example.org\nlogin joe secret\n", 0600);
	check_fails_at(&c,
	    "@: line 2: expected machine, default, login, password or "
	    "macdef",
	    c.netrc);
	c.netrc = place_write(
	    &p, "empty", "machine mail.example.org password \"\"\n", 0600);
	check_fails(&c, "netrc gave an empty password", ERR_CONFIG);
	place_close(&p);
}

/* A secret-tool of our own, first in PATH, that knows one secret. */
TEST(asks_the_keyring)
{
	struct credential c = nothing;
	char path[600];
	char *old = strdup(getenv("PATH"));
	struct place p;

	place_open(&p);
	snprintf(path, sizeof(path), "%s:/bin:/usr/bin", p.dir);
	CHECK_INT(setenv("PATH", path, 1), 0);
	place_write(&p, "secret-tool",
	    "#!/bin/sh\necho complaint >&2\n"
	    "[ \"$*\" = 'lookup host mail.example.org service smtp"
	    " user joe' ] && printf s\n",
	    0700);
	check_fails(&c,
	    "no password for joe at mail.example.org: set passwordeval or "
	    "passwordfile",
	    ERR_AUTH);
	c.keyring = true;
	check_has(&c, "s", "secret-tool");
	c.user = "ann";
	c.ask = ask;
	c.ctx = (char[]){ "asked" };
	check_has(&c, "asked", "the prompt");
	CHECK_INT(setenv("PATH", "/nowhere", 1), 0);
	check_has(&c, "asked", "the prompt");
	CHECK_INT(setenv("PATH", old, 1), 0);
	free(old);
	place_close(&p);
}

TEST(asks_a_person_last)
{
	struct credential c = nothing;

	c.ask = ask;
	check_fails(
	    &c, "asked: Password for joe at mail.example.org: ", ERR_AUTH);
	c.user = "j\033[2Joe";
	check_fails(&c,
	    "asked: Password for j\\x1B[2Joe at mail.example.org: ", ERR_AUTH);
	c.user = NULL;
	check_fails(&c, "asked: Password for mail.example.org: ", ERR_AUTH);
	c.ctx = (char[]){ "" };
	check_fails(&c, "the prompt gave an empty password", ERR_CONFIG);
}

TEST_MAIN
