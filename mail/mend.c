/*
 * mend: see mend.h. A field that does not fit is unfolded, mended as its row
 * of the table says, and folded again.
 * Callers: who makes a view for one server.
 * RFC 5322 2.1.1, 2.2.3, 3.2.2; RFC 2047 5; RFC 5321 4.4 (Received).
 * Ownership: see mend.h.
 */
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "mail/header.h"
#include "mail/mend.h"
#include "mail/mend_addresses.h"
#include "mail/mend_params.h"
#include "mail/mend_words.h"

#define LINE_MAX 998 /* RFC 5322 2.1.1 */
#define FOLD_AT 76 /* of lines with encoded words: RFC 2047 2 */
/* What n octets become: encoded words are the longest, of one octet, with a
 * comma. */
#define MADE_MAX(n) ((n)*32 + 4096)

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* ---- what fits ---- */

static bool
lines_fit(const char *s, size_t n)
{
	const char *lf;
	size_t len;

	for (; n > 0; s += len, n -= len) {
		lf = memchr(s, '\n', n);
		len = lf == NULL ? n : (size_t)(lf - s);
		if (len > LINE_MAX)
			return false;
		len += lf != NULL;
	}
	return true;
}

bool
mend_fits(const char *header, size_t n, bool utf8)
{
	return lines_fit(header, n) &&
	    (utf8 ? enc_is_utf8(header, n) : !enc_has_8bit(header, n));
}

/* ---- kinds of fields ---- */

/* Words with white space between them. */
static void
mend_text(struct mending *m)
{
	const char *p = buf_str(&m->body), *end = p + m->body.len, *from;
	struct word w = { 0 };

	while (p < end) {
		for (from = p; p < end && is_space(*p); p++)
			continue;
		w.gap = (struct span){ from, (size_t)(p - from) };
		for (from = p; p < end && !is_space(*p); p++)
			continue;
		w.raw = w.text = (struct span){ from, (size_t)(p - from) };
		w.unfit =
		    mend_unfit(m, w.raw) || w.gap.n + w.raw.n > MEND_WORD_MAX;
		mend_word(m, &w);
	}
	mend_end_run(m);
}

static void
mend_structured(struct mending *m)
{
	m->kind = HEADER_PHRASE;
	mend_tokens(m, (struct span){ buf_str(&m->body), m->body.len },
	    " outside of comments");
}

/* "<a@x><b@x>" can be folded between the two. */
static void
mend_ids(struct mending *m)
{
	struct span rest = { buf_str(&m->body), m->body.len }, t;
	bool closed = false;

	m->kind = HEADER_PHRASE;
	while (mend_token(&rest, &t) != TOKEN_END) {
		if (closed && *t.s == '<')
			mend_gap(m, (struct span){ " ", 1 });
		mend_tokens(m, t, " outside of comments");
		closed = *t.s == '>';
	}
}

/* It has a grammar of its own: nothing but white space is known in it. */
static void
mend_opaque(struct mending *m)
{
	struct span all = { buf_str(&m->body), m->body.len };

	if (mend_unfit(m, all))
		mend_refuse(m, all, "");
	mend_put(m, all);
}

/* Nobody but who wrote it may change it (RFC 5321 4.4). */
static void
mend_never(struct mending *m)
{
	struct span all = { buf_str(&m->body), m->body.len };

	if (mend_unfit(m, all))
		mend_refuse(m, all, "");
	mend_refuse_plainly(
	    m, "has a line over 998 octets, and may not be changed");
}

struct kind {
	void (*mend)(struct mending *);
	bool quotes; /* it has quoted strings and comments */
};

static const struct kind text = { mend_text, false };
static const struct kind addresses = { mend_addresses, true };
static const struct kind params = { mend_params, true };
static const struct kind ids = { mend_ids, true };
static const struct kind structured = { mend_structured, true };
static const struct kind opaque = { mend_opaque, false };
static const struct kind never = { mend_never, false };

/* What is not here is unstructured, as RFC 5322 3.6.8 has it. */
static const struct {
	const char *name;
	const struct kind *kind;
} rows[] = {
	{ "From", &addresses },
	{ "Sender", &addresses },
	{ "Reply-To", &addresses },
	{ "To", &addresses },
	{ "Cc", &addresses },
	{ "Bcc", &addresses },
	{ "Resent-From", &addresses },
	{ "Resent-Sender", &addresses },
	{ "Resent-Reply-To", &addresses },
	{ "Resent-To", &addresses },
	{ "Resent-Cc", &addresses },
	{ "Resent-Bcc", &addresses },
	{ "Apparently-To", &addresses },
	{ "Delivered-To", &addresses },
	{ "X-Original-To", &addresses },
	{ "Errors-To", &addresses },
	{ "Disposition-Notification-To", &addresses },
	{ "Return-Receipt-To", &addresses },
	{ "X-Confirm-Reading-To", &addresses },
	{ "Mail-Followup-To", &addresses },
	{ "Mail-Reply-To", &addresses },
	{ "Author", &addresses },
	{ "Keywords", &addresses }, /* phrases: RFC 5322 3.6.5 */
	{ "List-Id", &addresses }, /* a phrase and <...>: RFC 2919 */
	{ "Content-Type", &params },
	{ "Content-Disposition", &params },
	{ "Message-ID", &ids },
	{ "Resent-Message-ID", &ids },
	{ "References", &ids },
	{ "In-Reply-To", &ids },
	{ "Content-ID", &ids },
	{ "Original-Message-ID", &ids },
	{ "Return-Path", &structured },
	{ "Date", &structured },
	{ "Resent-Date", &structured },
	{ "MIME-Version", &structured },
	{ "Content-Transfer-Encoding", &structured },
	{ "Content-Language", &structured },
	{ "Content-Location", &structured },
	{ "Authentication-Results", &structured },
	{ "Received-SPF", &structured },
	{ "Auto-Submitted", &structured },
	{ "List-Help", &structured },
	{ "List-Unsubscribe", &structured },
	{ "List-Subscribe", &structured },
	{ "List-Post", &structured },
	{ "List-Owner", &structured },
	{ "List-Archive", &structured },
	{ "List-Unsubscribe-Post", &opaque },
	{ "DKIM-Signature", &opaque },
	{ "DomainKey-Signature", &opaque },
	{ "ARC-Seal", &opaque },
	{ "ARC-Message-Signature", &opaque },
	{ "ARC-Authentication-Results", &opaque },
	{ "Autocrypt", &opaque },
	{ "Autocrypt-Gossip", &opaque },
	{ "Received", &never },
};

static const struct kind *
kind_of(const struct field *f)
{
	if (f->name_len == 0)
		return &never; /* no field */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (header_is(f, rows[i].name))
			return rows[i].kind;
	return &text;
}

/* ---- folding ---- */

struct folding {
	bool quotes; /* as struct kind has it */
	bool quoted; /* inside a quoted string */
	size_t depth; /* of comments */
	size_t loose; /* octets still to come of one that must be cut */
};

/* What the octet at s does to them; how many octets it was. */
static size_t
step(struct folding *g, const char *s, size_t n)
{
	if (!g->quotes)
		return 1;
	if (*s == '\\' && n > 1)
		return 2;
	if (*s == '"' && g->depth == 0)
		g->quoted = !g->quoted;
	else if (*s == '(' && !g->quoted)
		g->depth++;
	else if (*s == ')' && !g->quoted && g->depth > 0)
		g->depth--;
	return 1;
}

/* Octets of the white space at s and of what no fold may part from it. */
static size_t
piece(struct folding *g, const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && is_space(s[i]))
		i++;
	while (i < n && (!is_space(s[i]) || (g->quoted && g->loose == 0)))
		i += step(g, s + i, n - i);
	return i;
}

/*
 * The same: a quoted string stays in one piece, for readers that do not know
 * that folding is allowed in it, unless it is longer than a line.
 */
static size_t
next_piece(struct folding *g, const char *s, size_t n)
{
	struct folding was = *g;
	size_t len = piece(g, s, n);

	if (g->loose == 0 && len > MEND_WORD_MAX) {
		*g = was;
		g->loose = len;
		len = piece(g, s, n);
	}
	g->loose -= len < g->loose ? len : g->loose;
	return len;
}

/* Behind the name stays what a line of its own would not make shorter. */
static bool
is_full(size_t col, size_t len, bool first)
{
	return col + len > FOLD_AT &&
	    (!first || len < FOLD_AT || col + len > LINE_MAX);
}

static void
fold(struct buf *out, struct mending *m, bool quotes)
{
	const char *p = buf_str(&m->line);
	size_t n = m->line.len, col = m->f->name_len + 1, len;
	struct folding g = { .quotes = quotes };

	/* White space at the end would make a line of nothing else. */
	while (n > 0 && is_space(p[n - 1]))
		n--;
	if (m->f->name_len >= LINE_MAX)
		mend_refuse_long(m, "a name", m->f->name_len);
	buf_add(out, m->f->name, m->f->name_len);
	buf_adds(out, n > 0 ? ": " : ":");
	col += n > 0;
	for (bool first = true; n > 0; first = false, p += len, n -= len) {
		len = next_piece(&g, p, n);
		if (is_full(col, len, first)) {
			buf_cut(out, out->len - first);
			buf_addc(out, '\n');
			if (first)
				buf_addc(out, ' ');
			col = first;
		}
		buf_add(out, p, len);
		col += len;
		if (col > LINE_MAX)
			mend_refuse_long(m, "a word", len);
	}
	buf_addc(out, '\n');
}

/* ---- fields ---- */

static bool
is_done(const struct mending *m)
{
	return buf_ok(&m->body) && buf_ok(&m->line) && buf_ok(&m->run) &&
	    buf_ok(&m->word);
}

static void
mend_field(struct buf *out, struct mending *m)
{
	const struct kind *kind = kind_of(m->f);
	size_t max = MADE_MAX(m->f->body_len);

	buf_init(&m->body, max);
	buf_init(&m->line, max);
	buf_init(&m->run, max);
	buf_init(&m->word, max);
	header_unfold(&m->body, m->f);
	kind->mend(m);
	fold(out, m, kind->quotes);
	if (!is_done(m))
		out->failed = true;
	buf_free(&m->body);
	buf_free(&m->line);
	buf_free(&m->run);
	buf_free(&m->word);
}

/* One that has grown over what there may be of it does so again next time. */
static int
no_room(const struct buf *out, const struct field *f, struct err *e)
{
	if (out->max - out->len > MADE_MAX(f->end - f->at))
		return err_set(
		    e, ERR_TEMP, ERR_MACHINE, "no memory for the header");
	err_set(e, ERR_PERM, ERR_DATA,
	    "the header is larger than %zu octets once it is encoded",
	    out->max);
	e->enhanced = (struct enhanced){ 5, 6, 0 };
	e->scope = SCOPE_MESSAGE;
	e->stage = STAGE_MAIL;
	return -1;
}

int
mend_header(
    struct buf *out, const char *header, size_t n, bool utf8, struct err *e)
{
	struct field f = { 0 };

	while (header_next(header, n, &f)) {
		struct mending m = { .f = &f, .utf8 = utf8, .e = e };

		if (mend_fits(header + f.at, f.end - f.at, utf8)) {
			buf_add(out, header + f.at, f.end - f.at);
		} else {
			mend_field(out, &m);
			if (m.refused)
				return -1;
		}
		if (!buf_ok(out))
			return no_room(out, &f, e);
	}
	return 0;
}
