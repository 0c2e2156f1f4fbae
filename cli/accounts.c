/*
 * accounts: see accounts.h. What the command line says goes before what the
 * account says, that before the defaults of its file.
 * Callers: native.c, send.c, run.c.
 * Without a configuration the command line is the account.
 * msmtp(1), section USAGE.
 * Ownership: see accounts.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/accounts.h"
#include "cli/options.h"
#include "cli/rcfile.h"
#include "cli/report.h"

/* ---- the choice ---- */

/* --account, --host and --mx choose each in its own way. */
static int
exclusive(const struct options *o, struct err *e)
{
	bool host = o->settings.at[SET_HOST].given;
	bool mx = o->settings.at[SET_MX].given;

	if (host && mx)
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "--mx and --host exclude each other; give one of them");
	if (o->account != NULL && (host || mx))
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "--account and --%s exclude each other; give one of them",
		    host ? "host" : "mx");
	return 0;
}

/* Those that are there, between commas. */
static void
add_names(struct buf *names, const struct config *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (config_find(c, c->accounts[i].name) == &c->accounts[i])
			buf_addf(names, "%s%s", names->len > 0 ? ", " : "",
			    c->accounts[i].name);
}

static int
no_account(const struct config *c, const char *name, struct err *e)
{
	struct buf names;

	buf_init(&names, ERR_TEXT_MAX);
	add_names(&names, c);
	err_set(e, ERR_PERM, ERR_CONFIG, "there is no account \"%s\"%s%s", name,
	    c->n > 0 ? "; there is " : " and no other one", buf_str(&names));
	buf_free(&names);
	return -1;
}

/* What a face does not have is no way out of it. */
static int
none_chosen(const struct config *c, bool is_sendmail, struct err *e)
{
	struct buf names;

	buf_init(&names, ERR_TEXT_MAX);
	add_names(&names, c);
	err_set(e, ERR_PERM, ERR_CONFIG,
	    "no account is chosen: %swrite \"account default : NAME\" into %s; "
	    "there is %s",
	    is_sendmail ? "" : "give -a NAME or --mx, or ",
	    c->accounts[c->n - 1].from.file, buf_str(&names));
	buf_free(&names);
	return -1;
}

/* The mail of a machine goes by what its file says, or not at all: who cannot
 * read it would send by MX what others give to a smarthost. */
static int
check_system(struct err *e)
{
	if (access(RCFILE_SYSTEM, R_OK) == 0 || errno != EACCES)
		return 0;
	return err_set(e, ERR_PERM, ERR_CONFIG,
	    RCFILE_SYSTEM " is closed to this user: chmod 644 " RCFILE_SYSTEM
			  ", with the password in a passwordfile");
}

/* *chosen is NULL when the defaults alone count. */
static int
choose(const struct accounts *as, const struct options *o,
    const struct config_account **chosen, struct err *e)
{
	const struct config *c = &as->config;

	*chosen = NULL;
	if (o->settings.at[SET_HOST].given || o->settings.at[SET_MX].given)
		return 0;
	if (o->account != NULL) {
		*chosen = config_find(c, o->account);
		return *chosen != NULL ? 0 : no_account(c, o->account, e);
	}
	if (o->from != NULL)
		*chosen = config_find_sender(c, o->from);
	if (*chosen == NULL)
		*chosen = config_find(c, "default");
	if (*chosen == NULL && o->face.is_sendmail && check_system(e) == -1)
		return -1;
	return *chosen == NULL && c->n > 0
	    ? none_chosen(c, o->face.is_sendmail, e)
	    : 0;
}

/* Whatever speaks of who we are may bring a secret; a file does so before a
 * line of it is read, see rcfile.c. */
static void
keep_private(const struct settings *s)
{
	if (s->at[SET_AUTH].given || s->at[SET_USER].given ||
	    s->at[SET_PROXY].given || s->at[SET_TLS_CERT_FILE].given)
		machine_keep_private();
}

/* ---- making them ---- */

static struct account *
room(struct accounts *as, struct err *e)
{
	struct account **list;

	list = reallocarray(as->at, as->n + 1, sizeof(struct account *));
	if (list != NULL)
		as->at = list;
	if (list == NULL || (list[as->n] = calloc(1, sizeof **list)) == NULL) {
		err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
		return NULL;
	}
	return list[as->n++];
}

/* True if the same line was told of for an account before. */
static bool
is_told(const struct accounts *as, size_t id, const struct setting *s)
{
	const struct origin *from;
	size_t i;

	for (i = 0; i < as->n; i++) {
		from = &as->at[i]->settings.at[id].from;
		if (from->file == s->from.file && from->line == s->from.line)
			return true;
	}
	return false;
}

/* What was asked for and is not there is said, once an account is used. */
static void
warn_ignored(const struct accounts *as, const struct settings *s)
{
	char place[SETTING_PLACE_MAX], text[ERR_TEXT_MAX];
	size_t i;

	for (i = 0; i < SETTINGS; i++) {
		if (!s->at[i].ignored || is_told(as, i, &s->at[i]))
			continue;
		snprintf(text, sizeof text, "%s is ignored: %s",
		    settings_place(s, (enum setting_id)i, place),
		    setting_rows[i].note);
		report_warning(stderr, text);
	}
}

/* True if the machine's own file does not say all of it. */
static bool
is_own(const struct config *c, const struct config_account *a)
{
	size_t i;

	if (a != NULL)
		return a->layer > 0;
	for (i = 0; i < SETTINGS; i++)
		if (c->layer > 0 && c->defaults.settings.at[i].given)
			return true;
	return false;
}

static int
make(struct accounts *as, const struct config_account *from,
    const struct settings *s, struct err *e)
{
	struct account *a;

	warn_ignored(as, s);
	as->own = as->own || is_own(&as->config, from);
	a = room(as, e);
	if (a == NULL)
		return -1;
	if (account_make(a, from != NULL ? from->name : NULL, s, e) == 0)
		return 0;
	/* Nobody may take it for one that is whole. */
	account_free(a);
	free(a);
	as->n--;
	return -1;
}

/* The chosen account with the command line upon it. */
static int
make_chosen(struct accounts *as, const struct options *o,
    const struct config_account *from, struct err *e)
{
	struct settings s = o->fallback, said;

	config_settings(&as->config, from, &said);
	if (o->settings.at[SET_HOST].given || o->settings.at[SET_MX].given)
		settings_drop(&said, SETTING_BOUND);
	settings_merge(&s, &said);
	settings_merge(&s, &o->settings);
	return make(as, from, &s, e);
}

/* What holds for an account that is not the chosen one. */
static void
other_settings(const struct accounts *as, const struct config_account *a,
    struct settings *s)
{
	config_settings(&as->config, a, s);
	if (as->timeout.given)
		s->at[SET_TIMEOUT] = as->timeout;
}

static const struct relay *
find_made(const struct accounts *as, const char *name)
{
	size_t i;

	for (i = 0; i < as->n; i++)
		if (as->at[i]->relay.name != NULL &&
		    strcmp(as->at[i]->relay.name, name) == 0)
			return &as->at[i]->relay;
	return NULL;
}

/* The account of that name, made if this is the first time; NULL with *e. */
static const struct relay *
make_other(struct accounts *as, const struct config_route *route, struct err *e)
{
	const struct config_account *a;
	const struct relay *made = find_made(as, route->account);
	struct settings s;

	if (made != NULL)
		return made;
	a = config_find(&as->config, route->account);
	if (a == NULL) {
		err_set(e, ERR_PERM, ERR_CONFIG,
		    "%s:%u: route: there is no account \"%s\"",
		    route->from.file, route->from.line, route->account);
		return NULL;
	}
	other_settings(as, a, &s);
	return make(as, a, &s, e) == -1 ? NULL : &as->at[as->n - 1]->relay;
}

/* The rules of an account, into *rules, which the caller frees. */
static int
make_rules(struct accounts *as, const struct config_account *a,
    struct relay_rule **rules, size_t *n, struct err *e)
{
	size_t i;

	if (a->nroutes == 0)
		return 0;
	*rules = calloc(a->nroutes, sizeof **rules);
	if (*rules == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	for (i = 0; i < a->nroutes; i++) {
		(*rules)[i].pattern = a->routes[i].pattern;
		(*rules)[i].relay = make_other(as, &a->routes[i], e);
		if ((*rules)[i].relay == NULL)
			return -1;
		++*n;
	}
	return 0;
}

/* Workers are copies of this process: passwords of accounts that this run
 * does not use are none of theirs. */
static int
forget_others(struct accounts *as, struct err *e)
{
	const char **kept = calloc(as->n, sizeof *kept);
	size_t i;

	if (kept == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	for (i = 0; i < as->n; i++)
		kept[i] = as->at[i]->settings.at[SET_PASSWORD].text;
	config_forget_secrets(&as->config, kept, as->n);
	free(kept);
	return 0;
}

int
accounts_open(struct accounts *as, const struct options *o,
    const struct waiter *w, struct err *e)
{
	const struct config_account *chosen;

	*as = (struct accounts){ .waiter = w, .own = o->config != NULL };
	config_init(&as->config);
	keep_private(&o->settings);
	if (exclusive(o, e) == -1 ||
	    rcfile_load(&as->config, o->config, w, e) == -1 ||
	    choose(as, o, &chosen, e) == -1 ||
	    make_chosen(as, o, chosen, e) == -1)
		return -1;
	if (!o->settings.at[SET_HOST].given && !o->settings.at[SET_MX].given &&
	    make_rules(as, chosen != NULL ? chosen : &as->config.defaults,
		&as->rules, &as->nrules, e) == -1)
		return -1;
	return forget_others(as, e);
}

static void files_free(struct accounts_file *);

void
accounts_free(struct accounts *as)
{
	size_t i;

	files_free(as->files);
	for (i = 0; i < as->n; i++) {
		account_free(as->at[i]);
		free(as->at[i]);
	}
	for (i = 0; i < as->nnamed; i++) {
		free(as->named[i]->name);
		free(as->named[i]->rules);
		free(as->named[i]);
	}
	free(as->named);
	free(as->at);
	free(as->rules);
	config_free(&as->config);
	*as = (struct accounts){ 0 };
}

/* ---- by name ---- */

int
accounts_open_named(struct accounts *as, const struct options *o,
    const struct waiter *w, struct err *e)
{
	*as = (struct accounts){ .waiter = w, .own = o->config != NULL };
	as->timeout = o->settings.at[SET_TIMEOUT];
	config_init(&as->config);
	return rcfile_load(&as->config, o->config, w, e);
}

int
accounts_open_machine(struct accounts *as, const struct options *o,
    const struct waiter *w, struct err *e)
{
	if (o->config != NULL)
		return accounts_open_named(as, o, w, e);
	*as = (struct accounts){ .waiter = w };
	as->timeout = o->settings.at[SET_TIMEOUT];
	config_init(&as->config);
	(void)check_system(&as->why);
	return rcfile_load_system(&as->config, w, e);
}

/* As --mx has it: the defaults, but what speaks of one server. */
static int
name_none(struct accounts *as, struct named_account *na, struct err *e)
{
	const struct origin here = { 0 };

	settings_drop(&na->settings, SETTING_BOUND);
	settings_set(&na->settings, SET_MX, "on", &here, e);
	return make(as, NULL, &na->settings, e);
}

static int
name_one(struct accounts *as, struct named_account *na, struct err *e)
{
	const struct config_account *a = NULL;

	if (as->why.verdict != ERR_OK) {
		*e = as->why;
		return -1;
	}
	if (na->name[0] != '\0') {
		a = config_find(&as->config, na->name);
		if (a == NULL && !as->own && check_system(e) == -1)
			return -1;
		if (a == NULL)
			return no_account(&as->config, na->name, e);
	}
	other_settings(as, a, &na->settings);
	if (a == NULL && name_none(as, na, e) == -1)
		return -1;
	if (a != NULL)
		na->by.relay = find_made(as, na->name);
	if (a != NULL && na->by.relay == NULL &&
	    make(as, a, &na->settings, e) == -1)
		return -1;
	if (na->by.relay == NULL)
		na->by.relay = &as->at[as->n - 1]->relay;
	if (a == NULL)
		return 0;
	return make_rules(as, a, &na->rules, &na->by.nrules, e);
}

static struct account *account_of(struct accounts *, const struct relay *);

/* Where a name that is queued goes that has no domain; who queued it without a
 * word of that in the configuration was told that it is a mailbox here. */
static void
name_local(struct accounts *as, struct named_account *na)
{
	struct account *a = account_of(as, na->by.relay);

	if (a == NULL)
		return;
	na->by.local = locally_relay(&a->locally, true);
	na->by.implied = !a->locally.said;
}

static const struct named_account *
name_here(struct accounts *as, const char *name)
{
	struct named_account **list, *na;
	size_t i;

	for (i = 0; i < as->nnamed; i++)
		if (strcmp(as->named[i]->name, name) == 0)
			return as->named[i];
	list = reallocarray(
	    as->named, as->nnamed + 1, sizeof(struct named_account *));
	if (list == NULL)
		return NULL;
	as->named = list;
	na = calloc(1, sizeof *na);
	if (na == NULL || (na->name = strdup(name)) == NULL) {
		free(na);
		return NULL;
	}
	list[as->nnamed++] = na;
	other_settings(as, NULL, &na->settings);
	if (name_one(as, na, &na->why) == 0)
		err_clear(&na->why);
	na->by.rules = na->rules;
	name_local(as, na);
	if (na->why.verdict == ERR_OK)
		naming_make(&na->naming, &na->settings, &na->by, true);
	na->log = account_log(&na->settings);
	return na;
}

/* ---- of another file ---- */

/* The accounts of a file that mail in the queue names. */
struct accounts_file {
	char *path; /* owned */
	struct accounts as;
	struct accounts_file *next; /* owned */
};

static void
files_free(struct accounts_file *f)
{
	struct accounts_file *next;

	for (; f != NULL; f = next) {
		next = f->next;
		accounts_free(&f->as);
		free(f->path);
		free(f);
	}
}

/* Read when it is first named; NULL without memory. */
static struct accounts *
file_accounts(struct accounts *as, const char *path)
{
	const struct options of_file = { .config = path };
	struct accounts_file *f;

	for (f = as->files; f != NULL; f = f->next)
		if (strcmp(f->path, path) == 0)
			return &f->as;
	f = calloc(1, sizeof *f);
	if (f == NULL || (f->path = strdup(path)) == NULL) {
		free(f);
		return NULL;
	}
	f->next = as->files;
	as->files = f;
	if (accounts_open_named(&f->as, &of_file, as->waiter, &f->as.why) == 0)
		err_clear(&f->as.why);
	f->as.timeout = as->timeout;
	return &f->as;
}

const struct named_account *
accounts_named(struct accounts *as, const char *name)
{
	const char *colon = as->by_file ? strstr(name, ":/") : NULL;
	const struct named_account *na = NULL;
	struct accounts *of_file;
	char *plain;

	if (colon == NULL)
		return name_here(as, name);
	of_file = file_accounts(as, colon + 1);
	plain = strndup(name, (size_t)(colon - name));
	if (of_file != NULL && plain != NULL)
		na = name_here(of_file, plain);
	free(plain);
	return na;
}

/* ---- for the run ---- */

struct account *
accounts_chosen(const struct accounts *as)
{
	return as->at[0];
}

void
accounts_unattended(struct accounts *as)
{
	size_t i;

	for (i = 0; i < as->n; i++)
		as->at[i]->unattended = true;
}

bool
accounts_closed(const struct accounts *as)
{
	size_t i;

	for (i = 0; i < as->n; i++)
		if (account_is_closed(as->at[i]))
			return true;
	return false;
}

static struct account *
account_of(struct accounts *as, const struct relay *r)
{
	struct account *found = NULL;
	struct accounts_file *f;
	size_t i;

	for (i = 0; i < as->n; i++)
		if (&as->at[i]->relay == r)
			return as->at[i];
	for (f = as->files; f != NULL && found == NULL; f = f->next)
		found = account_of(&f->as, r);
	return found;
}

int
accounts_fetch(
    struct accounts *as, const struct relay *r, bool again, struct err *e)
{
	struct account *a = account_of(as, r);

	if (a == NULL)
		return 0;
	return account_fetch(a, again, as->waiter, e);
}

void
accounts_forget(struct accounts *as, const struct relay *r)
{
	struct account *a = account_of(as, r);

	if (a != NULL)
		account_forget(a);
}
