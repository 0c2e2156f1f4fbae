/*
 * signing: see signing.h. Lists are matched by position: the first selector
 * belongs to the first key, and so on.
 * Callers: send.c.
 * Keys and passphrases are told to nobody: sentences name files only.
 * RFC 6376 3.1, 3.3.3; RFC 8301 3.2.
 * Ownership: see signing.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/wait.h"
#include "cli/machine.h"
#include "cli/prompt.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "cli/signing.h"
#include "net/credential.h"
#include "net/key.h"

/* ---- keys ---- */

/* -1, with the setting that names the key before what *e says. */
static int
placed(const struct signing *s, enum setting_id id, struct err *e)
{
	char place[SETTING_PLACE_MAX];
	struct err why = *e;

	return err_set(e, why.verdict, why.kind, "%s: %s",
	    settings_place(s->settings, id, place), why.text);
}

/* The remedies for a password are none here. */
static int
nobody_asked(const struct signing *s, const char *path, struct err *e)
{
	if (e->verdict != ERR_PERM || e->kind != ERR_AUTH)
		return -1;
	err_set(e, ERR_PERM, ERR_CONFIG,
	    "key file %s is encrypted, and there is no terminal to ask on: "
	    "give dkim_passwordeval",
	    path);
	return placed(s, SET_DKIM_KEY, e);
}

/* Once: all keys that need one have the same. */
static int
fetch_passphrase(struct signing *s, const char *path, struct err *e)
{
	const char *eval = s->settings->at[SET_DKIM_PASSWORDEVAL].text;
	struct waiter waiter = *s->waiter;
	struct credential c = { .fd = -1,
		.eval = eval,
		.host = path,
		.ask = prompt_secret,
		.ctx = &waiter,
		.waiter = &waiter };
	const char *source;

	if (s->passphrase.len > 0)
		return 0;
	/* From here on a signal is heard where somebody types. */
	s->on_ask(s->ctx);
	if (credential_fetch(&c, &s->passphrase, &source, e) == 0)
		return 0;
	return eval == NULL ? nobody_asked(s, path, e)
			    : placed(s, SET_DKIM_PASSWORDEVAL, e);
}

static void
warn_short(const char *path, unsigned bits)
{
	char text[MACHINE_PATH_MAX + 128];

	snprintf(text, sizeof text,
	    "DKIM key file %s: RSA of %u bits is weak, make one of %d", path,
	    bits, CRYPTO_RSA_GOOD);
	report_warning(stderr, text);
}

static struct crypto_key *
read_key(struct signing *s, const char *path, const struct crypto *lib,
    const struct buf *text, struct err *e)
{
	const char *passphrase = NULL;
	struct crypto_key *key;
	struct err why;

	if (key_is_locked(text)) {
		if (fetch_passphrase(s, path, e) == -1)
			return NULL;
		passphrase = buf_str(&s->passphrase);
	}
	key = crypto_key_read(lib, text, passphrase, &why);
	if (key == NULL) {
		err_set(
		    e, why.verdict, why.kind, "key file %s %s", path, why.text);
		placed(s, SET_DKIM_KEY, e);
	} else if (crypto_key_kind(key) == CRYPTO_RSA &&
	    crypto_key_bits(key) < CRYPTO_RSA_GOOD) {
		warn_short(path, crypto_key_bits(key));
	}
	return key;
}

static struct crypto_key *
find_key(void *ctx, size_t i, const struct crypto *lib, struct err *e)
{
	struct signing *s = ctx;
	struct crypto_key *key = NULL;
	struct buf text;

	buf_init(&text, KEY_FILE_MAX);
	if (key_read(s->paths[i], &text, e) == -1)
		placed(s, SET_DKIM_KEY, e);
	else
		key = read_key(s, s->paths[i], lib, &text, e);
	buf_free(&text);
	return key;
}

/* ---- settings ---- */

static int
no_memory(struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
}

static int
bad(const struct signing *s, enum setting_id id, const char *what,
    struct err *e)
{
	char place[SETTING_PLACE_MAX];
	bool file = s->settings->at[id].from.file != NULL;

	return err_set(e, ERR_PERM, file ? ERR_CONFIG : ERR_USAGE, "%s: %s",
	    settings_place(s->settings, id, place), what);
}

/* Cut a list at its commas, without the blanks around them: how many items,
 * SIGNING_MAX + 1 if there are more. */
static size_t
cut_list(char *list, const char *items[SIGNING_MAX])
{
	size_t n = 0, len;
	char *item;

	while ((item = strsep(&list, ",")) != NULL) {
		item += strspn(item, " \t");
		for (len = strlen(item); len > 0; len--)
			if (strchr(" \t", item[len - 1]) == NULL)
				break;
		item[len] = '\0';
		if (len > 0 && n == SIGNING_MAX)
			return SIGNING_MAX + 1;
		if (len > 0)
			items[n++] = item;
	}
	return n;
}

/* Its name where that of `beside` was written: "--dkim-key" or "dkim_key". */
static const char *
name_of(const struct signing *s, enum setting_id id, enum setting_id beside,
    char name[SETTING_PLACE_MAX])
{
	bool file = s->settings->at[beside].from.file != NULL;

	snprintf(name, SETTING_PLACE_MAX, "%s%s", file ? "" : "--",
	    file ? setting_rows[id].key : setting_rows[id].option);
	return name;
}

static int
needs(const struct signing *s, enum setting_id id, enum setting_id other,
    struct err *e)
{
	char name[SETTING_PLACE_MAX], what[SETTING_PLACE_MAX + 16];

	snprintf(
	    what, sizeof what, "needs %s too", name_of(s, other, id, name));
	return bad(s, id, what, e);
}

/* As many as there are keys. */
static int
miscounted(const struct signing *s, enum setting_id id, const char *wanted,
    struct err *e)
{
	char name[SETTING_PLACE_MAX], what[SETTING_PLACE_MAX + 64];

	snprintf(what, sizeof what, "give %s %s has files", wanted,
	    name_of(s, SET_DKIM_KEY, id, name));
	return bad(s, id, what, e);
}

/* The items of a setting that must be there. 0, or -1 with *e. */
static int
take_list(const struct signing *s, enum setting_id id, char **copy,
    const char *items[SIGNING_MAX], size_t *n, struct err *e)
{
	const char *text = s->settings->at[id].text;
	char what[64];

	if (text == NULL)
		return needs(s, SET_DKIM_DOMAIN, id, e);
	*copy = strdup(text);
	if (*copy == NULL)
		return no_memory(e);
	*n = cut_list(*copy, items);
	if (*n > 0 && *n <= SIGNING_MAX)
		return 0;
	snprintf(what, sizeof what, "give 1 to %d, with commas between them",
	    SIGNING_MAX);
	return bad(s, id, what, e);
}

/* One for all signatures, or one for each. */
static int
take_domains(struct signing *s, const char *const items[SIGNING_MAX], size_t n,
    struct err *e)
{
	size_t i;
	struct err why;

	if (n != 1 && n != s->config.n)
		return miscounted(
		    s, SET_DKIM_DOMAIN, "one domain, or as many as", e);
	for (i = 0; i < s->config.n; i++) {
		const char *name = items[n == 1 ? 0 : i];

		if (idna_to_ascii(name, strlen(name), s->domains[i], &why) ==
		    -1) {
			*e = why;
			return why.kind == ERR_DATA
			    ? bad(s, SET_DKIM_DOMAIN, why.text, e)
			    : placed(s, SET_DKIM_DOMAIN, e);
		}
		s->rows[i].domain = s->domains[i];
	}
	return 0;
}

/* "relaxed/simple": what of it is simple was checked by settings.c. */
static void
take_forms(struct signing *s)
{
	const char *text = s->settings->at[SET_DKIM_CANONICALIZATION].text;
	enum dkim_form header = DKIM_RELAXED, body = DKIM_RELAXED;
	size_t i;

	if (text != NULL) {
		header = *text == 's' ? DKIM_SIMPLE : DKIM_RELAXED;
		body = strchr(text, '/')[1] == 's' ? DKIM_SIMPLE : DKIM_RELAXED;
	}
	for (i = 0; i < s->config.n; i++) {
		s->rows[i].header = header;
		s->rows[i].body = body;
	}
}

static int
take_lists(struct signing *s, struct err *e)
{
	const char *selectors[SIGNING_MAX], *domains[SIGNING_MAX];
	size_t nselectors = 0, ndomains = 0, i;
	char *names = NULL;
	int got;

	if (take_list(s, SET_DKIM_SELECTOR, &s->selectors, selectors,
		&nselectors, e) == -1 ||
	    take_list(s, SET_DKIM_KEY, &s->keys, s->paths, &s->config.n, e) ==
		-1)
		return -1;
	if (nselectors != s->config.n)
		return miscounted(
		    s, SET_DKIM_SELECTOR, "as many selectors as", e);
	for (i = 0; i < s->config.n; i++)
		s->rows[i].selector = selectors[i];
	got = take_list(s, SET_DKIM_DOMAIN, &names, domains, &ndomains, e);
	if (got == 0)
		got = take_domains(s, domains, ndomains, e);
	free(names);
	return got;
}

/* The first setting of DKIM that means nothing without a domain; SETTINGS:
 * none is given. */
static enum setting_id
without_domain(const struct settings *s)
{
	if (s->at[SET_DKIM_SELECTOR].text != NULL)
		return SET_DKIM_SELECTOR;
	return s->at[SET_DKIM_KEY].text != NULL ? SET_DKIM_KEY : SETTINGS;
}

int
signing_make(struct signing *s, const struct settings *settings, struct err *e)
{
	const char *domain = settings->at[SET_DKIM_DOMAIN].text;
	enum setting_id id = without_domain(settings);

	*s = (struct signing){ .settings = settings };
	buf_init(&s->passphrase, CREDENTIAL_MAX);
	if (domain == NULL && id != SETTINGS)
		return needs(s, id, SET_DKIM_DOMAIN, e);
	if (domain == NULL || *domain == '\0')
		return 0;
	if (take_lists(s, e) == -1)
		return -1;
	take_forms(s);
	/* Keys come into memory. */
	machine_keep_private();
	s->config.rows = s->rows;
	s->config.key = find_key;
	s->config.ctx = s;
	return 0;
}

void
signing_free(struct signing *s)
{
	free(s->selectors);
	free(s->keys);
	buf_free(&s->passphrase);
	*s = (struct signing){ 0 };
}
