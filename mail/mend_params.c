/*
 * mend_params: see mend_params.h. Parameters are cut at semicolons, each is
 * copied, or written anew by param.h; those that are written in pieces
 * already (RFC 2231 3) stay so, octets that do not fit become %XX.
 * Caller: mend.c. RFC 2231 3, 4, 7.
 * Ownership: see mend_words.h.
 */
#include <string.h>
#include <strings.h>

#include "base/enc.h"
#include "mail/content.h"
#include "mail/mend_params.h"
#include "mail/mend_words.h"
#include "mail/param.h"

/* Most parameters of a field: each looks at all others. */
#define PARAMS_MAX 1000

/* What stands between two semicolons. */
struct param {
	struct span all;
	struct span lead; /* white space and comments before the name */
	struct span name; /* "filename", without its asterisks */
	struct span number; /* "0" of "filename*0", or empty */
	struct span value; /* as it is written */
	struct span tail; /* white space and comments behind it */
	bool extended; /* with an asterisk at the end */
};

/* ---- taking apart ---- */

static struct span
from_to(const char *from, const char *to)
{
	return (struct span){ from, (size_t)(to - from) };
}

/* White space and comments at the beginning of rest are taken off it. */
static struct span
cut_cfws(struct span *rest)
{
	struct span next = *rest, t;
	const char *from = rest->s;
	enum token token;

	while ((token = mend_token(&next, &t)) == TOKEN_GAP ||
	    token == TOKEN_COMMENT)
		*rest = next;
	return from_to(from, rest->s);
}

/* What is before the next semicolon is taken off rest. */
static struct span
cut_param(struct span *rest)
{
	struct span next = *rest, t;
	const char *from = rest->s;
	enum token token;

	while ((token = mend_token(&next, &t)) != TOKEN_END) {
		if (token == TOKEN_SPECIAL && *t.s == ';')
			break;
		*rest = next;
	}
	return from_to(from, rest->s);
}

/* "name*number*": RFC 2231 3 and 4. */
static void
split_name(struct param *p)
{
	struct span n = p->name;
	const char *star;

	p->extended = n.n > 1 && n.s[n.n - 1] == '*';
	n.n -= p->extended;
	star = memchr(n.s, '*', n.n);
	p->name = star == NULL ? n : from_to(n.s, star);
	p->number = star == NULL ? (struct span){ n.s, 0 }
				 : from_to(star + 1, n.s + n.n);
}

/* Up to the white space and comments at its end: names of files that nobody
 * quoted have white space in them. */
static void
split_value(struct param *p, struct span rest)
{
	struct span t;
	const char *from = rest.s, *end = rest.s;
	enum token token;

	while ((token = mend_token(&rest, &t)) != TOKEN_END)
		if (token != TOKEN_GAP && token != TOKEN_COMMENT)
			end = t.s + t.n;
	p->value = from_to(from, end);
	p->tail = from_to(end, rest.s);
}

/* False if it is no parameter, but something between semicolons. */
static bool
parse(struct param *p, struct span all)
{
	struct span rest = all;
	size_t i = 0;

	*p = (struct param){ .all = all };
	p->lead = cut_cfws(&rest);
	while (i < rest.n && rest.s[i] > ' ' && rest.s[i] < 127 &&
	    strchr("()<>@,;:\\\"/[]?=", rest.s[i]) == NULL)
		i++;
	p->name = (struct span){ rest.s, i };
	rest = (struct span){ rest.s + i, rest.n - i };
	cut_cfws(&rest);
	if (i == 0 || rest.n == 0 || *rest.s != '=')
		return false;
	rest = (struct span){ rest.s + 1, rest.n - 1 };
	cut_cfws(&rest);
	split_name(p);
	split_value(p, rest);
	return p->name.n > 0;
}

/* What a value says, into m->word. */
static void
read_value(struct mending *m, struct span rest)
{
	struct span t;
	enum token token;

	while ((token = mend_token(&rest, &t)) != TOKEN_END) {
		if (token == TOKEN_QUOTED)
			mend_unquote(&m->word, t);
		else
			buf_add(&m->word, t.s, t.n);
	}
}

/* ---- the others of that name ---- */

struct family {
	bool extended; /* there is one written as RFC 2231 has it */
	bool unfit; /* one of its pieces does not fit */
	bool utf8; /* its pieces are UTF-8 */
};

static void
meet(struct mending *m, const struct param *p, struct family *f)
{
	if (p->number.n == 0) {
		f->extended = f->extended || p->extended;
		return;
	}
	f->extended = true;
	f->unfit = f->unfit || mend_unfit(m, p->value);
	read_value(m, p->value);
}

static struct family
find_family(struct mending *m, const struct param *like)
{
	struct span rest = { buf_str(&m->body), m->body.len }, semicolon;
	struct family f = { 0 };
	struct param p;

	buf_reset(&m->word);
	while (rest.n > 0) {
		if (parse(&p, cut_param(&rest)) && p.name.n == like->name.n &&
		    strncasecmp(p.name.s, like->name.s, p.name.n) == 0)
			meet(m, &p, &f);
		mend_token(&rest, &semicolon);
	}
	f.utf8 = enc_is_utf8(buf_str(&m->word), m->word.len);
	buf_reset(&m->word);
	return f;
}

/* ---- writing ---- */

/* A made parameter, on one line for now. */
static void
put_unfolded(struct mending *m, const struct buf *made)
{
	for (size_t i = 0; i < made->len; i++)
		if (made->data[i] != '\n')
			buf_addc(&m->line, made->data[i]);
}

/* The whole value anew, in RFC 2231's form. */
static void
put_anew(struct mending *m, const struct param *p)
{
	struct buf name, made;

	buf_init(&name, p->name.n);
	buf_init(&made, m->line.max);
	buf_add(&name, p->name.s, p->name.n);
	buf_reset(&m->word);
	read_value(m, p->value);
	param_add(&made, buf_str(&name), buf_str(&m->word), m->word.len);
	put_unfolded(m, &made);
	m->line.failed = m->line.failed || !buf_ok(&made) || !buf_ok(&name);
	buf_free(&name);
	buf_free(&made);
}

/* Octets as %XX, but those that an extended value may have (RFC 2231 7),
 * and `also`. */
static void
put_percent(struct mending *m, struct span t, const char *also)
{
	for (size_t i = 0; i < t.n; i++) {
		char c = t.s[i];

		if (c > ' ' && c <= '~' &&
		    (strchr("*'%()<>@,;:\\\"/[]?=", c) == NULL ||
			strchr(also, c) != NULL))
			buf_addc(&m->line, c);
		else
			buf_addf(&m->line, "%%%02X", (unsigned char)c);
	}
}

static bool
is_first(const struct param *p)
{
	return p->number.n == 0 || (p->number.n == 1 && *p->number.s == '0');
}

/* An extended value, or a piece of one, in its place. */
static void
put_piece(struct mending *m, const struct param *p, const struct family *f)
{
	struct span t;

	buf_addf(&m->line, "; %.*s", (int)p->name.n, p->name.s);
	if (p->number.n > 0)
		buf_addf(&m->line, "*%.*s", (int)p->number.n, p->number.s);
	buf_adds(&m->line, "*=");
	if (!p->extended && is_first(p))
		buf_adds(&m->line, f->utf8 ? "utf-8''" : "unknown-8bit''");
	buf_reset(&m->word);
	read_value(m, p->value);
	t = (struct span){ buf_str(&m->word), m->word.len };
	put_percent(m, t, p->extended ? "%'" : "");
}

static void
put_same(struct mending *m, struct span all)
{
	mend_put(m, (struct span){ ";", 1 });
	if (all.n > 0 && *all.s != ' ' && *all.s != '\t')
		mend_gap(m, (struct span){ " ", 1 });
	mend_tokens(m, all, " beside its parameters");
}

/* One that does not fit. */
static void
mend_param(struct mending *m, const struct param *p, const struct family *f)
{
	if (p->number.n == 0 && !p->extended && f->extended)
		return; /* a reader takes the extended one */
	if (p->number.n == 0 && !p->extended)
		put_anew(m, p);
	else
		put_piece(m, p, f);
	if (p->lead.n > 0 && memchr(p->lead.s, '(', p->lead.n) != NULL)
		mend_tokens(m, p->lead, "");
	mend_tokens(m, p->tail, "");
}

/* What stands in the body, too, and must be found there. */
static bool
is_boundary(const struct param *p)
{
	static const char name[] = "boundary";

	return p->name.n == sizeof name - 1 &&
	    strncasecmp(p->name.s, name, p->name.n) == 0;
}

static void
mend_any(struct mending *m, struct span all)
{
	struct family f = { 0 };
	struct param p;
	bool is = parse(&p, all), unfit = is && mend_unfit(m, p.value);

	if (is && (unfit || p.number.n > 0))
		f = find_family(m, &p);
	if (is && (unfit || f.unfit) && is_boundary(&p)) {
		mend_refuse(m, p.value, " in its boundary");
		return;
	}
	if (is && p.number.n == 0 && mend_too_long(p.value))
		unfit = true;
	/* The first piece says the charset of them all. */
	if (f.unfit && is_first(&p) && !p.extended)
		unfit = true;
	if (unfit)
		mend_param(m, &p, &f);
	else
		put_same(m, all);
}

void
mend_params(struct mending *m)
{
	struct span rest = { buf_str(&m->body), m->body.len }, semicolon;
	size_t n = 0;

	m->kind = HEADER_PHRASE;
	if (rest.n > CONTENT_FIELD_MAX) {
		mend_refuse_plainly(m, "is too long to be mended");
		return;
	}
	mend_tokens(m, cut_param(&rest), " before its parameters");
	while (rest.n > 0 && !m->refused) {
		mend_token(&rest, &semicolon);
		if (n++ == PARAMS_MAX)
			mend_refuse_plainly(
			    m, "has too many parameters to be mended");
		mend_any(m, cut_param(&rest));
	}
}
