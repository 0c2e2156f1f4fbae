/*
 * mend_addresses: see mend_addresses.h. What stands before a '<' or a ':' is
 * a phrase; what is in <...>, or has an '@', is an address; the rest, such as
 * a name that somebody forgot to put an address behind, is a phrase too.
 * Caller: mend.c. RFC 5322 3.2.5, 3.4, 4.4 (routes); RFC 2047 5.
 * Ownership: see mend_words.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/idna.h"
#include "mail/mend_addresses.h"
#include "mail/mend_words.h"

static bool
is_special(enum token token, struct span t, const char *set)
{
	return token == TOKEN_SPECIAL && *t.s != '\0' &&
	    strchr(set, *t.s) != NULL;
}

/*
 * What rest begins with, up to one of the specials in `ends`, is taken off
 * it; *at says whether there is an '@' in it.
 */
static struct span
cut_part(struct span *rest, const char *ends, bool *at)
{
	struct span part = { rest->s, 0 }, t, next = *rest;
	enum token token;

	*at = false;
	while ((token = mend_token(&next, &t)) != TOKEN_END) {
		if (is_special(token, t, ends))
			break;
		*at = *at || is_special(token, t, "@");
		*rest = next;
	}
	part.n = (size_t)(rest->s - part.s);
	return part;
}

/* ---- phrases ---- */

/*
 * The tokens without white space at the beginning of rest, as one word: its
 * text goes into m->word. False if a comment or nothing is there.
 */
static bool
cut_word(struct mending *m, struct span *rest, struct word *w)
{
	struct span next = *rest, t;
	enum token token;

	buf_reset(&m->word);
	w->raw = (struct span){ rest->s, 0 };
	while ((token = mend_token(&next, &t)) != TOKEN_END) {
		if (token == TOKEN_GAP || token == TOKEN_COMMENT)
			break;
		if (token == TOKEN_QUOTED)
			mend_unquote(&m->word, t);
		else
			buf_add(&m->word, t.s, t.n);
		*rest = next;
	}
	w->raw.n = (size_t)(rest->s - w->raw.s);
	w->text = (struct span){ buf_str(&m->word), m->word.len };
	w->unfit = mend_unfit(m, w->raw) || mend_too_long(w->raw);
	return w->raw.n > 0;
}

static void
mend_phrase(struct mending *m, struct span rest)
{
	struct word w = { 0 };
	struct span t, next;

	while (rest.n > 0) {
		next = rest;
		w.gap.n = 0;
		if (mend_token(&next, &t) == TOKEN_GAP) {
			/* However long, it is one space to a reader. */
			w.gap =
			    m->open || m->coded ? (struct span){ " ", 1 } : t;
			rest = next;
		}
		if (cut_word(m, &rest, &w)) {
			mend_word(m, &w);
			continue;
		}
		mend_gap(m, w.gap);
		next = rest;
		if (mend_token(&next, &t) == TOKEN_COMMENT)
			mend_comment(m, t);
		rest = next;
	}
	mend_end_run(m);
}

/* ---- addresses ---- */

/* SMTPUTF8 would take it as it is; a library that is missing may come. */
static void
refuse_domain(struct mending *m, struct span name, const struct err *why)
{
	char what[160];

	if (m->refused)
		return;
	snprintf(what, sizeof what,
	    " in a domain that has no ASCII form (%.100s)", why->text);
	mend_refuse(m, name, what);
	if (why->verdict != ERR_TEMP)
		return;
	err_set(m->e, ERR_TEMP, why->kind, "%.*s: %s", (int)m->f->name_len,
	    m->f->name, why->text);
	m->e->scope = SCOPE_MESSAGE;
	m->e->stage = STAGE_MAIL;
}

static void
mend_domain(struct mending *m, struct span name)
{
	char ascii[IDNA_NAME_MAX];
	struct err e;

	if (!mend_unfit(m, name)) {
		mend_put(m, name);
		return;
	}
	if (idna_to_ascii(name.s, name.n, ascii, &e) == 0) {
		mend_put(m, (struct span){ ascii, strlen(ascii) });
		return;
	}
	refuse_domain(m, name, &e);
}

/* The atoms and dots at the beginning of rest, which is then behind them. */
static struct span
cut_name(struct span *rest)
{
	struct span name = { rest->s, 0 }, next = *rest, t;
	enum token token;

	while ((token = mend_token(&next, &t)) == TOKEN_ATOM ||
	    is_special(token, t, ".")) {
		name.n += t.n;
		*rest = next;
	}
	return name;
}

/* An address with or without a route, what is in its <> only. */
static void
mend_address(struct mending *m, struct span rest)
{
	static const char what[] = " in an address, before the @";
	struct span name, t;
	enum token token;
	bool domain = false;

	while (rest.n > 0) {
		name = cut_name(&rest);
		if (domain && name.n > 0)
			mend_domain(m, name);
		else if (name.n > 0)
			mend_tokens(m, name, what);
		token = mend_token(&rest, &t);
		if (token == TOKEN_SPECIAL)
			domain = *t.s == '@' || (domain && *t.s == '.');
		if (token != TOKEN_END)
			mend_tokens(
			    m, t, domain ? " in a domain literal" : what);
	}
}

/* ---- the list ---- */

/* What separates items, and white space by which the line can be folded. */
static void
mend_separator(struct mending *m, struct span *rest)
{
	struct span t;

	if (mend_token(rest, &t) == TOKEN_END)
		return;
	mend_put(m, t);
	if (*t.s == ',' && rest->n > 0 && *rest->s != ' ' && *rest->s != '\t')
		mend_gap(m, (struct span){ " ", 1 });
}

void
mend_addresses(struct mending *m)
{
	struct span rest = { buf_str(&m->body), m->body.len }, part;
	bool at;

	m->kind = HEADER_PHRASE;
	while (rest.n > 0 && !m->refused) {
		part = cut_part(&rest, ",;:<", &at);
		if (at && (rest.n == 0 || *rest.s != '<'))
			mend_address(m, part);
		else
			mend_phrase(m, part);
		if (rest.n > 0 && *rest.s == '<') {
			part = cut_part(&rest, ">", &at);
			mend_address(m, part);
		}
		mend_separator(m, &rest);
	}
}
