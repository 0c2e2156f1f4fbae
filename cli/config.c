/*
 * config: see config.h. A line is a keyword and its value; a keyword is a row
 * of settings.c, or of directives[] below if it changes what lines are about.
 * Callers: rcfile.c, accounts.c.
 * It reads no file and prints nothing.
 * msmtp(1), section CONFIGURATION FILES.
 * Ownership: see config.h.
 */
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/idna.h"
#include "cli/config.h"
#include "cli/nearest.h"
#include "mail/address.h"

#define BLANKS " \t\r\f\v"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct parser {
	struct config *c;
	const struct config_world *world;
	struct origin here; /* the line */
	unsigned depth; /* of includes */
	bool evaluated; /* the line came from a command */
	bool begun; /* an account or the defaults are at hand */
	size_t account; /* its number; n: the defaults */
	bool own[SETTINGS]; /* said by this block itself */
	struct err *e; /* where to say what is wrong */
};

/* ---- words of error ---- */

__attribute__((format(printf, 2, 3))) static int
bad(struct parser *p, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return err_set(p->e, ERR_PERM, ERR_CONFIG, "%s:%u: %s", p->here.file,
	    p->here.line, text);
}

static int
no_memory(struct parser *p)
{
	return err_set(p->e, ERR_TEMP, ERR_MACHINE, "no memory");
}

/* An error from below gets the place in front. */
static int
placed(struct parser *p)
{
	struct err why = *p->e;

	bad(p, "%s", why.text);
	p->e->verdict = why.verdict;
	p->e->kind = why.kind;
	return -1;
}

/* ---- texts ---- */

/* A copy that lives as long as the config; NULL without memory. */
static char *
keep(struct config *c, const char *s, size_t n)
{
	struct config_text *texts;
	char *copy;

	texts = reallocarray(c->texts, c->ntexts + 1, sizeof *texts);
	if (texts == NULL)
		return NULL;
	c->texts = texts;
	copy = malloc(n + 1);
	if (copy == NULL)
		return NULL;
	memcpy(copy, s, n);
	copy[n] = '\0';
	c->texts[c->ntexts++] = (struct config_text){ copy, n, false };
	return copy;
}

/* Append a path with a ~ in front made the home: 0, or -1 with an error. */
static int
add_path(struct parser *p, struct buf *out, const char *s, size_t n)
{
	const char *home;

	if (n == 0 || s[0] != '~' || (n > 1 && s[1] != '/')) {
		buf_add(out, s, n);
		return 0;
	}
	home = p->world->home(p->world->ctx);
	if (home == NULL)
		return bad(
		    p, "\"%s\": there is no home; give the whole path", s);
	buf_adds(out, home);
	buf_add(out, s + 1, n - 1);
	return 0;
}

/* A copy of a path, or of several with one of `ends` behind each but the
 * last; NULL with an error, or without memory. */
static char *
keep_path(struct parser *p, const char *s, const char *ends)
{
	char *copy = NULL;
	struct buf b;
	size_t n;
	int got;

	buf_init(&b, CONFIG_MAX);
	for (;;) {
		n = strcspn(s, ends);
		got = add_path(p, &b, s, n);
		if (got == -1 || s[n] == '\0')
			break;
		buf_addc(&b, s[n]);
		s += n + 1;
		s += strspn(s, " \t");
	}
	if (got == 0 && buf_ok(&b))
		copy = keep(p->c, buf_str(&b), b.len);
	buf_free(&b);
	return copy;
}

void
config_init(struct config *c)
{
	*c = (struct config){ 0 };
}

void
config_free(struct config *c)
{
	size_t i;

	for (i = 0; i < c->ntexts; i++) {
		explicit_bzero(c->texts[i].s, c->texts[i].n);
		free(c->texts[i].s);
	}
	for (i = 0; i < c->n; i++)
		free(c->accounts[i].routes);
	free(c->defaults.routes);
	free(c->accounts);
	free(c->texts);
	config_init(c);
}

static bool
has_any(const struct config_text *t, const char *const *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (s[i] != NULL && s[i] >= t->s && s[i] <= t->s + t->n)
			return true;
	return false;
}

void
config_forget_secrets(struct config *c, const char *const *kept, size_t n)
{
	struct config_text *t;

	for (t = c->texts; t < c->texts + c->ntexts; t++)
		if (t->secret && !has_any(t, kept, n))
			explicit_bzero(t->s, t->n);
}

void
config_layer(struct config *c)
{
	settings_merge(&c->below, &c->defaults.settings);
	free(c->defaults.routes);
	c->defaults = (struct config_account){ 0 };
	c->layer++;
}

/* ---- accounts ---- */

static struct config_account *
at_hand(struct parser *p)
{
	return p->account < p->c->n ? &p->c->accounts[p->account]
				    : &p->c->defaults;
}

/* Room for a route at `i`; false without memory. */
static bool
route_insert(
    struct config_account *a, size_t i, const struct config_route *route)
{
	struct config_route *list;

	list = reallocarray(a->routes, a->nroutes + 1, sizeof *list);
	if (list == NULL)
		return false;
	memmove(&list[i + 1], &list[i], (a->nroutes - i) * sizeof *list);
	list[i] = *route;
	a->routes = list;
	a->nroutes++;
	return true;
}

/* What a parent has, or the defaults: behind what is there. */
static bool
routes_inherit(struct config_account *a, const struct config_account *from)
{
	size_t i;

	for (i = 0; i < from->nroutes && a->nroutes < CONFIG_ROUTES_MAX; i++)
		if (!route_insert(a, a->nroutes, &from->routes[i]))
			return false;
	return true;
}

static bool
is_account_name(const char *s)
{
	return *s != '\0' && s[strcspn(s, ",:")] == '\0';
}

/* A word of a list of words, trimmed, in place; NULL behind the last. */
static char *
list_word(char **rest)
{
	char *word = strsep(rest, ",");
	size_t n;

	if (word == NULL)
		return NULL;
	word += strspn(word, BLANKS);
	for (n = strlen(word); n > 0 && strchr(BLANKS, word[n - 1]) != NULL;)
		word[--n] = '\0';
	return word;
}

/* A new account with nothing but the defaults; its number, or -1. */
static int
account_begin(struct parser *p, const char *name)
{
	struct config *c = p->c;
	const struct config_account *old = config_find(c, name);
	struct config_account *list, *a;

	if (!is_account_name(name))
		return bad(p,
		    "\"%s\" is no name for an account; give one "
		    "without comma and colon",
		    name);
	if (old != NULL && old->layer == c->layer)
		return bad(p, "account %s is already there, see %s:%u", name,
		    old->from.file, old->from.line);
	if (c->n == CONFIG_ACCOUNTS_MAX)
		return bad(p, "more than %d accounts", CONFIG_ACCOUNTS_MAX);
	list = reallocarray(c->accounts, c->n + 1, sizeof *list);
	if (list == NULL)
		return no_memory(p);
	c->accounts = list;
	a = &list[c->n];
	*a = (struct config_account){ .name = name,
		.layer = c->layer,
		.defaults = c->defaults.settings,
		.from = p->here };
	p->account = c->n++;
	return routes_inherit(a, &c->defaults) ? 0 : no_memory(p);
}

static int
account_inherit(struct parser *p, const char *name)
{
	const struct config_account *parent = config_find(p->c, name);
	struct config_account *a = at_hand(p);

	if (parent == NULL || parent == a)
		return bad(p,
		    "there is no account \"%s\" before this line; "
		    "parents come first",
		    name);
	settings_merge(&a->settings, &parent->settings);
	return routes_inherit(a, parent) ? 0 : no_memory(p);
}

/* ---- directives ---- */

/* account NAME [: PARENT[,...]] */
static int
take_account(struct parser *p, char *value)
{
	char *parents = strchr(value, ':'), *name;

	memset(p->own, 0, sizeof p->own);
	p->begun = true;
	if (parents != NULL)
		*parents++ = '\0';
	name = list_word(&value);
	if (value != NULL)
		return bad(p, "an account has one name");
	if (account_begin(p, name) == -1)
		return -1;
	while ((name = list_word(&parents)) != NULL)
		if (account_inherit(p, name) == -1)
			return -1;
	return 0;
}

static int
take_defaults(struct parser *p, char *value)
{
	if (*value != '\0')
		return bad(p, "defaults takes no value");
	memset(p->own, 0, sizeof p->own);
	p->begun = true;
	p->account = CONFIG_ACCOUNTS_MAX;
	return 0;
}

static int take_line(struct parser *p, char *line);

/* eval COMMAND: the first line that it prints stands for this one. */
static int
take_eval(struct parser *p, char *value)
{
	struct buf out;
	char *line;
	int got;

	if (p->evaluated)
		return bad(p, "a line that eval makes may not be eval");
	if (p->world->trust(p->world->ctx, CONFIG_OURS, p->e) == -1)
		return placed(p);
	buf_init(&out, CONFIG_MAX);
	got = p->world->eval(p->world->ctx, value, &out, p->e);
	if (got == -1) {
		placed(p);
	} else {
		line = keep(p->c, buf_str(&out), strcspn(buf_str(&out), "\n"));
		p->evaluated = true;
		got = line == NULL ? no_memory(p) : take_line(p, line);
		p->evaluated = false;
	}
	buf_free(&out);
	return got;
}

static int take_text(struct parser *p, const char *text, size_t n);

/* include FILE: as if its lines stood here. */
static int
take_include(struct parser *p, char *value)
{
	struct origin here = p->here;
	char *name = NULL, *kept, *path = keep_path(p, value, "");
	struct buf text;
	int got;

	if (path == NULL)
		return p->e->verdict != ERR_OK ? -1 : no_memory(p);
	if (p->depth == CONFIG_DEPTH_MAX)
		return bad(p, "files include files more than %d deep",
		    CONFIG_DEPTH_MAX);
	if (p->world->trust(p->world->ctx, CONFIG_OURS, p->e) == -1)
		return placed(p);
	buf_init(&text, CONFIG_MAX);
	got = p->world->enter(p->world->ctx, path, &text, &name, p->e);
	if (got == -1) {
		placed(p);
	} else {
		kept = keep(p->c, name, strlen(name));
		p->here = (struct origin){ .file = kept };
		p->depth++;
		got = kept == NULL ? no_memory(p)
				   : take_text(p, buf_str(&text), text.len);
		p->depth--;
		p->here = here;
		p->world->leave(p->world->ctx);
	}
	free(name);
	buf_free(&text);
	return got;
}

/* The pattern in A-labels; NULL with the error if it is none. */
static const char *
route_pattern(struct parser *p, const char *s)
{
	size_t n = strncmp(s, "*.", 2) == 0 ? 2 : 0;
	char pattern[2 + IDNA_NAME_MAX];
	const char *kept;
	struct err why;

	if (strcmp(s, "*") == 0)
		return s;
	memcpy(pattern, s, n);
	if (idna_host(s + n, pattern + n, &why) == -1) {
		bad(p,
		    "route \"%s\": %s; give a domain, *.DOMAIN for all below "
		    "it, or *",
		    s, why.text);
		return NULL;
	}
	kept = keep(p->c, pattern, strlen(pattern));
	if (kept == NULL)
		no_memory(p);
	return kept;
}

/* route PATTERN ACCOUNT */
static int
take_route(struct parser *p, char *value)
{
	size_t n = strcspn(value, BLANKS);
	struct config_account *a = at_hand(p);
	struct config_route route = { .from = p->here };

	route.account = value + n + strspn(value + n, BLANKS);
	value[n] = '\0';
	if (!is_account_name(route.account))
		return bad(p, "give route PATTERN ACCOUNT");
	if (a->nroutes >= CONFIG_ROUTES_MAX)
		return bad(p, "more than %d routes", CONFIG_ROUTES_MAX);
	route.pattern = route_pattern(p, value);
	if (route.pattern == NULL)
		return -1;
	if (!route_insert(a, a->nown, &route))
		return no_memory(p);
	a->nown++;
	return 0;
}

static const struct directive {
	const char *name;
	int (*take)(struct parser *, char *value);
	bool anywhere; /* also before the first account or defaults */
	bool empty; /* the value may be */
} directives[] = {
	{ "account", take_account, true, false },
	{ "defaults", take_defaults, true, true },
	{ "eval", take_eval, true, false },
	{ "include", take_include, true, false },
	{ "route", take_route, false, false },
};

const char *
config_directive(size_t i)
{
	return i < COUNT(directives) ? directives[i].name : NULL;
}

/* ---- settings ---- */

/* Keywords of the oldest files; `value`: what the word alone says. */
static const struct {
	const char *name;
	enum setting_id id;
	const char *value;
} aliases[] = {
	{ "connect_timeout", SET_TIMEOUT, NULL },
	{ "tls_nocertcheck", SET_TLS_CERTCHECK, "off" },
	{ "tls_nostarttls", SET_TLS_STARTTLS, "off" },
};

/* The setting of that name, and the value it stands for: SETTINGS if none. */
static size_t
find_setting(const char *name, const char **value)
{
	size_t i;

	for (i = 0; i < COUNT(aliases); i++)
		if (strcmp(aliases[i].name, name) == 0) {
			if (aliases[i].value != NULL)
				*value = aliases[i].value;
			return aliases[i].id;
		}
	for (i = 0; i < SETTINGS; i++)
		if (setting_rows[i].key != NULL &&
		    strcmp(setting_rows[i].key, name) == 0)
			return i;
	return SETTINGS;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The same keyword twice in one block: most likely one line too many. */
static void
warn_twice(struct parser *p, size_t id, const struct setting *old)
{
	const struct setting *now = &at_hand(p)->settings.at[id];
	char text[ERR_TEXT_MAX];

	if (!p->own[id] || same_text(old->text, now->text))
		return;
	snprintf(text, sizeof text,
	    "%.160s:%u: %s stands already in %.160s:%u with another value; "
	    "this one counts",
	    p->here.file, p->here.line, setting_rows[id].key, old->from.file,
	    old->from.line);
	p->world->warn(p->world->ctx, text);
}

/* The file must be as closed as the line wants it. */
static int
check_trust(struct parser *p, size_t id, const char *value)
{
	const struct config_world *w = p->world;
	unsigned traits = setting_rows[id].traits;
	/* A proxy without a password is none; what a command printed does
	 * not stand in the file. */
	bool secret = (traits & SETTING_SECRET) != 0 && !p->evaluated &&
	    (id != SET_PROXY || strchr(value, '@') != NULL);

	if (secret && w->trust(w->ctx, CONFIG_PRIVATE, p->e) == -1)
		return placed(p);
	if ((traits & SETTING_COMMAND) != 0 &&
	    w->trust(w->ctx, CONFIG_OURS, p->e) == -1)
		return placed(p);
	return 0;
}

/* What this block says first of where the secret is unsays its parents. */
static void
unsay_sources(struct parser *p, unsigned traits)
{
	size_t i;

	if ((traits & SETTING_SOURCE) == 0)
		return;
	for (i = 0; i < SETTINGS; i++)
		if (p->own[i] && (setting_rows[i].traits & SETTING_SOURCE) != 0)
			return;
	settings_drop(&at_hand(p)->settings, SETTING_SOURCE);
}

static int
take_setting(struct parser *p, size_t id, const char *value)
{
	unsigned traits = setting_rows[id].traits;
	struct settings *s = &at_hand(p)->settings;
	struct setting old = s->at[id];

	if (*value != '\0' && check_trust(p, id, value) == -1)
		return -1;
	/* The line is the latest text; no path is a secret. */
	if ((traits & SETTING_SECRET) != 0)
		p->c->texts[p->c->ntexts - 1].secret = true;
	if ((traits & SETTING_PATH) != 0)
		value = keep_path(
		    p, value, (traits & SETTING_LIST) != 0 ? "," : "");
	if (value == NULL)
		return p->e->verdict != ERR_OK ? -1 : no_memory(p);
	unsay_sources(p, traits);
	if (settings_set(s, (enum setting_id)id, value, &p->here, p->e) == -1)
		return -1;
	warn_twice(p, id, &old);
	p->own[id] = true;
	return 0;
}

/* ---- lines ---- */

/* "hold_for", where --hold-for is an option. */
static bool
is_option(const char *name, const char *option)
{
	if (option == NULL)
		return false;
	for (; *name != '\0' && *option != '\0'; name++, option++)
		if (*name != (*option == '-' ? '_' : *option))
			return false;
	return *name == *option;
}

static int
meant_option(struct parser *p, const char *name, size_t id)
{
	const struct setting_row *row = &setting_rows[id];

	if (row->key == NULL)
		return bad(p,
		    "%.64s is for one message: take it away, and call "
		    "smtpsend --%s for that one",
		    name, row->option);
	return bad(
	    p, "unknown keyword \"%.64s\"; it is called %s", name, row->key);
}

/* No more is shown of a line than what can be a keyword: behind it, and in
 * what a command printed, may be a password. */
static int
unknown(struct parser *p, const char *name)
{
	size_t i, n = strspn(name, "abcdefghijklmnopqrstuvwxyz_");
	struct nearest near;

	if (p->evaluated)
		return bad(p,
		    "what eval printed begins with no keyword; print the "
		    "whole line, as in \"password SECRET\"");
	if (n > 0 && strchr("=:", name[n]) != NULL && name[n] != '\0')
		return bad(p,
		    "\"%.*s%c\": no %c stands behind a keyword, but a blank",
		    (int)(n > 64 ? 64 : n), name, name[n], name[n]);
	for (i = 0; i < SETTINGS; i++)
		if (is_option(name, setting_rows[i].option))
			return meant_option(p, name, i);
	nearest_init(&near, name, strlen(name));
	for (i = 0; i < COUNT(directives); i++)
		nearest_offer(&near, directives[i].name);
	for (i = 0; i < SETTINGS; i++)
		nearest_offer(&near, setting_rows[i].key);
	return bad(p, "unknown keyword \"%.64s\"%s%s", name,
	    near.name != NULL ? "; the nearest is " : "",
	    near.name != NULL ? near.name : "");
}

static int
take_word(struct parser *p, const char *name, char *value)
{
	const char *said = value;
	size_t i = 0, id;

	while (i < COUNT(directives) && strcmp(directives[i].name, name) != 0)
		i++;
	id = find_setting(name, &said);
	if (i == COUNT(directives) && id == SETTINGS)
		return unknown(p, name);
	if (!p->begun && (i == COUNT(directives) || !directives[i].anywhere))
		return bad(p,
		    "%s must stand behind \"account NAME\" or "
		    "\"defaults\"",
		    name);
	if (i == COUNT(directives))
		return take_setting(p, id, said);
	if (*value == '\0' && !directives[i].empty)
		return bad(p, "%s needs a value", name);
	return directives[i].take(p, value);
}

/* Cut blanks off the end, and the quotes off a value in quotes. */
static char *
unquote(char *s)
{
	size_t n = strlen(s);

	while (n > 0 && strchr(BLANKS, s[n - 1]) != NULL)
		s[--n] = '\0';
	if (n < 2 || s[0] != '"' || s[n - 1] != '"')
		return s;
	s[n - 1] = '\0';
	return s + 1;
}

/* One line, which is changed and stays. */
static int
take_line(struct parser *p, char *line)
{
	char *value;
	size_t n;

	line += strspn(line, BLANKS);
	if (*line == '\0' || *line == '#')
		return 0;
	n = strcspn(line, BLANKS);
	value = line + n;
	value += strspn(value, BLANKS);
	line[n] = '\0';
	return take_word(p, line, unquote(value));
}

static int
take_text(struct parser *p, const char *text, size_t n)
{
	const char *end = text + n, *stop;
	char *line;

	for (; text < end; text = stop + 1) {
		p->here.line++;
		stop = memchr(text, '\n', (size_t)(end - text));
		if (stop == NULL)
			stop = end;
		if (memchr(text, '\0', (size_t)(stop - text)) != NULL)
			return bad(p, "a NUL stands in this line");
		line = keep(p->c, text, (size_t)(stop - text));
		if (line == NULL)
			return no_memory(p);
		if (take_line(p, line) == -1)
			return -1;
	}
	return 0;
}

int
config_parse(struct config *c, const char *file, const char *text, size_t n,
    const struct config_world *world, struct err *e)
{
	struct parser p = { .c = c,
		.world = world,
		.here = { .file = keep(c, file, strlen(file)) },
		.account = CONFIG_ACCOUNTS_MAX,
		.e = e };

	err_clear(e);
	if (p.here.file == NULL)
		return no_memory(&p);
	/* Some editors write it. */
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		n -= 3;
	}
	return take_text(&p, text, n);
}

/* ---- the choice ---- */

const struct config_account *
config_find(const struct config *c, const char *name)
{
	size_t i;

	for (i = c->n; i-- > 0;)
		if (strcmp(c->accounts[i].name, name) == 0)
			return &c->accounts[i];
	return NULL;
}

/* True if an account of the same name goes before this one. */
static bool
is_hidden(const struct config *c, const struct config_account *a)
{
	return config_find(c, a->name) != a;
}

static bool
matches(const char *from, const char *address, const char *plain)
{
	if (strpbrk(from, "?*[") == NULL)
		return strcasecmp(from, address) == 0 ||
		    strcasecmp(from, plain) == 0;
	return fnmatch(from, address, FNM_CASEFOLD) == 0 ||
	    fnmatch(from, plain, FNM_CASEFOLD) == 0;
}

/* user@domain of user+detail@domain, else "". */
static void
without_detail(const char *address, char *out, size_t size)
{
	size_t plus = strcspn(address, "+@");
	const char *at = strrchr(address, '@');

	out[0] = '\0';
	if (address[plus] == '+' && at != NULL)
		snprintf(out, size, "%.*s%s", (int)plus, address, at);
}

const struct config_account *
config_find_sender(const struct config *c, const char *address)
{
	const struct config_account *a;
	struct settings s;
	char plain[512];
	unsigned layer;
	size_t i;

	without_detail(address, plain, sizeof plain);
	for (layer = c->layer + 1; layer-- > 0;)
		for (i = 0; i < c->n; i++) {
			a = &c->accounts[i];
			if (a->layer != layer || is_hidden(c, a))
				continue;
			config_settings(c, a, &s);
			if (s.at[SET_FROM].text != NULL &&
			    matches(s.at[SET_FROM].text, address, plain))
				return a;
		}
	return NULL;
}

void
config_settings(
    const struct config *c, const struct config_account *a, struct settings *s)
{
	*s = a != NULL ? a->defaults : c->below;
	settings_merge(s, a != NULL ? &a->settings : &c->defaults.settings);
}
