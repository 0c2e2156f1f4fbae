/*
 * dsn_parts: see dsn_parts.h. Statuses and sentences are rows; whatever comes
 * from outside goes through dsn_clean().
 * Caller: mail/dsn.c.
 * RFC 3464 2.2 and 2.3, RFC 3463 3, RFC 5248, RFC 6533 3.
 * Ownership: see dsn_parts.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "mail/date.h"
#include "mail/dsn_parts.h"
#include "mail/envelope.h"
#include "mail/header.h"
#include "mail/orcpt.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Recipients that people are told by name; programs are told all. */
#define SHOWN_MAX 50
/* Longest line of the text, if its words allow. */
#define COLUMNS 72
/* Longest address of type utf-8, octets: it is one word of a line. All that
 * RFC 5321 allows fit. */
#define UTF8_MAX 960

/* ---- octets from outside ---- */

const char *
dsn_clean(char out[DSN_CLEAN_MAX], const char *s, bool ascii)
{
	char shown[DSN_CLEAN_MAX];
	const char *p = shown;
	size_t at = 0, len;

	enc_printable_str(shown, sizeof shown, s, strlen(s));
	for (; *p != '\0'; p++, at += len) {
		len = ascii && (unsigned char)*p > 127 ? 4 : 1;
		if (at + len >= DSN_CLEAN_MAX)
			break;
		if (len == 1)
			out[at] = *p;
		else
			snprintf(out + at, 5, "\\x%02X", (unsigned char)*p);
	}
	out[at] = '\0';
	return out;
}

/* ---- status ---- */

/* RFC 3463 subject and detail for replies that have none of their own, where
 * RFC 5321 4.2.3 and the extensions leave no doubt. 550 is none of them: a
 * list must not drop its reader for what may have been policy. */
static const struct {
	int code;
	enum stage stage; /* STAGE_NONE: any */
	unsigned short subject, detail;
} code_status[] = {
	{ 421, STAGE_NONE, 3, 2 },
	{ 452, STAGE_RCPT, 5, 3 },
	{ 452, STAGE_NONE, 3, 1 },
	{ 500, STAGE_NONE, 5, 1 },
	{ 501, STAGE_MAIL, 1, 7 },
	{ 501, STAGE_RCPT, 1, 3 },
	{ 501, STAGE_NONE, 5, 4 },
	{ 502, STAGE_NONE, 5, 1 },
	{ 503, STAGE_NONE, 5, 1 },
	{ 521, STAGE_NONE, 3, 2 }, /* RFC 7504 */
	{ 530, STAGE_NONE, 7, 0 },
	{ 534, STAGE_AUTH, 7, 9 }, /* RFC 4954 6 */
	{ 535, STAGE_AUTH, 7, 8 },
	{ 538, STAGE_AUTH, 7, 11 },
	{ 552, STAGE_MAIL, 3, 4 }, /* RFC 1870 6.1 */
	{ 555, STAGE_NONE, 5, 4 },
	{ 556, STAGE_NONE, 1, 10 },
};

/* The same where no server said why. */
static const struct {
	enum err_kind kind;
	enum stage stage; /* STAGE_NONE: any */
	unsigned short subject, detail;
} kind_status[] = {
	{ ERR_DATA, STAGE_NONE, 6, 0 },
	{ ERR_CONFIG, STAGE_NONE, 3, 5 },
	{ ERR_INPUT, STAGE_NONE, 3, 0 },
	{ ERR_MACHINE, STAGE_NONE, 3, 0 },
	{ ERR_INTERNAL, STAGE_NONE, 3, 0 },
	{ ERR_LOOKUP, STAGE_NONE, 4, 4 },
	{ ERR_CONNECT, STAGE_CONNECT, 4, 1 },
	{ ERR_CONNECT, STAGE_NONE, 4, 2 },
	{ ERR_TLS, STAGE_NONE, 7, 5 },
	{ ERR_AUTH, STAGE_NONE, 7, 0 },
	{ ERR_PROTOCOL, STAGE_NONE, 5, 0 },
};

/* True if the text is what a server replied. */
static bool
is_reply(const struct err *e)
{
	char code[16];

	snprintf(code, sizeof code, "%03d", e->code);
	return e->code >= 200 && e->code <= 599 &&
	    strncmp(e->text, code, 3) == 0;
}

static struct enhanced
status_by_code(const struct err *e)
{
	size_t i;

	for (i = 0; i < COUNT(code_status); i++)
		if (code_status[i].code == e->code &&
		    (code_status[i].stage == STAGE_NONE ||
			code_status[i].stage == e->stage))
			return (struct enhanced){ 0, code_status[i].subject,
				code_status[i].detail };
	return (struct enhanced){ 0 };
}

static struct enhanced
status_by_kind(const struct err *e)
{
	size_t i;

	for (i = 0; i < COUNT(kind_status); i++)
		if (kind_status[i].kind == e->kind &&
		    (kind_status[i].stage == STAGE_NONE ||
			kind_status[i].stage == e->stage))
			return (struct enhanced){ 0, kind_status[i].subject,
				kind_status[i].detail };
	return (struct enhanced){ 0 };
}

/* True while nobody has refused it or taken it. */
static bool
is_open(const struct outcome *o)
{
	return o->state != OUTCOME_DELIVERED && o->state != OUTCOME_FAILED;
}

/* True if its time is over: nobody refused it for good (RFC 3463 3.5). */
static bool
is_expired(const struct outcome *o)
{
	const struct enhanced *s = &o->err.enhanced;

	return is_open(o) ||
	    (o->state == OUTCOME_FAILED && s->subject == 4 && s->detail == 7);
}

struct enhanced
dsn_status(const struct recipient *r, enum dsn_kind kind)
{
	const struct outcome *o = &r->outcome;
	struct enhanced s = o->err.enhanced;

	if (s.class == 0 && o->state == OUTCOME_DELIVERED)
		s = (struct enhanced){ 0 };
	else if (s.class == 0 && is_reply(&o->err))
		s = status_by_code(&o->err);
	else if (s.class == 0)
		s = status_by_kind(&o->err);
	/* No try said why: its time is over (X.4.7). */
	if (kind == DSN_FAILED && is_open(o) && o->err.kind == ERR_NONE)
		s = (struct enhanced){ 0, 4, 7 };
	s.class = o->state == OUTCOME_DELIVERED ? 2
	    : o->state == OUTCOME_FAILED        ? 5
						: 4;
	return s;
}

/* ---- for programs ---- */

static void
put_date(
    struct buf *b, const struct dsn_config *c, const char *name, int64_t moment)
{
	char text[DATE_MAX];

	header_add(b, name, date_text(moment, c->zone, text));
}

/* `NAME: TYPE; VALUE`, the value cleaned already. */
static void
put_typed(struct buf *b, const char *name, const char *type, const char *value)
{
	char body[2 * DSN_CLEAN_MAX];

	snprintf(body, sizeof body, "%s; %s", type, value);
	header_add(b, name, body);
}

/* RFC 6533 3: utf-8-addr-xtext, or, if it may be UTF-8, utf-8-addr-unitext. */
static void
put_utf8_address(
    struct buf *b, const char *name, const char *address, bool utf8)
{
	size_t len, left = strlen(address), was;
	struct buf text;
	uint32_t cp;

	buf_init(&text, 2 * UTF8_MAX);
	for (; left > 0; address += len, left -= len) {
		len = enc_utf8(address, left, &cp);
		was = text.len;
		if (utf8 && len > 1 && cp > 0x9f)
			buf_add(&text, address, len);
		else
			enc_utf8_xtext(&text, address, len > 0 ? len : 1);
		len = len > 0 ? len : 1;
		if (text.len <= UTF8_MAX)
			continue;
		buf_cut(&text, was);
		break;
	}
	put_typed(b, name, "utf-8", buf_str(&text));
	buf_free(&text);
}

/* The address that was tried; one that could not be parsed as it was given. */
static const char *
address_of(const struct recipient *r)
{
	return r->addr.raw != NULL ? r->addr.raw : r->given;
}

static void
put_final(struct buf *b, const struct recipient *r, bool utf8)
{
	const char *address = address_of(r);
	char clean[DSN_CLEAN_MAX];

	if (enc_has_8bit(address, strlen(address)))
		put_utf8_address(b, "Final-Recipient",
		    dsn_clean(clean, address, false), utf8);
	else
		put_typed(b, "Final-Recipient", "rfc822",
		    dsn_clean(clean, address, true));
}

/* Only what the sender gave may stand here (RFC 3464 2.3.1). */
static void
put_original(struct buf *b, const struct recipient *r, bool utf8)
{
	char clean[DSN_CLEAN_MAX], type[64];
	struct orcpt o;

	if (r->orcpt == NULL)
		return;
	o = orcpt_parse(r->orcpt);
	snprintf(type, sizeof type, "%.*s", o.n < 60 ? (int)o.n : 60, o.type);
	if (orcpt_is_utf8(&o))
		put_utf8_address(b, "Original-Recipient",
		    dsn_clean(clean, o.address, false), utf8);
	else
		put_typed(b, "Original-Recipient", type,
		    dsn_clean(clean, o.address, true));
}

/* Only a server that said what became of it (RFC 3464 2.3.5); a socket has
 * no name. */
static void
put_remote(struct buf *b, const struct outcome *o)
{
	char clean[DSN_CLEAN_MAX], literal[DSN_CLEAN_MAX + 16];
	const char *host = o->host[0] != '\0' ? o->host : o->ip;

	if (!is_reply(&o->err) || host[0] == '\0' || host[0] == '/')
		return;
	dsn_clean(clean, host, true);
	if (strchr(clean, ':') != NULL && clean[0] != '[')
		snprintf(literal, sizeof literal, "[IPv6:%s]", clean);
	else if (clean[strspn(clean, "0123456789.")] == '\0')
		snprintf(literal, sizeof literal, "[%s]", clean);
	else
		snprintf(literal, sizeof literal, "%s", clean);
	put_typed(b, "Remote-MTA", "dns", literal);
}

/* Replies of LMTP are those of SMTP (RFC 2033 4). What we say ourselves has a
 * type of its own, as RFC 3464 2.1.1 lets it be. */
static void
put_diagnostic(struct buf *b, const struct err *e)
{
	char clean[DSN_CLEAN_MAX];

	if (e->text[0] != '\0')
		put_typed(b, "Diagnostic-Code",
		    is_reply(e) ? "smtp" : "X-smtpsend",
		    dsn_clean(clean, e->text, true));
}

static void
put_recipient(struct buf *b, const struct dsn_config *c,
    const struct dsn_rcpt *rcpt, bool utf8)
{
	static const char *const action[DSN_KINDS] = { "failed", "delayed",
		"relayed" };
	const struct recipient *r = rcpt->r;
	struct enhanced status = dsn_status(r, c->kind);
	char text[ENHANCED_MAX];

	put_original(b, r, utf8);
	put_final(b, r, utf8);
	header_add(b, "Action", action[c->kind]);
	header_add(b, "Status", enhanced_str(&status, text));
	put_remote(b, &r->outcome);
	put_diagnostic(b, &r->outcome.err);
	if (rcpt->tried != 0)
		put_date(b, c, "Last-Attempt-Date", rcpt->tried);
	if (c->kind == DSN_DELAYED)
		put_date(b, c, "Will-Retry-Until", c->until);
}

void
dsn_put_status(struct buf *b, const struct dsn_config *c, bool utf8)
{
	char clean[DSN_CLEAN_MAX];
	size_t i;

	if (c->env->envid != NULL && c->env->envid[0] != '\0')
		header_add(b, "Original-Envelope-Id",
		    dsn_clean(clean, c->env->envid, true));
	put_typed(b, "Reporting-MTA", "dns", c->host);
	put_date(b, c, "Arrival-Date", c->arrived);
	for (i = 0; i < c->n; i++) {
		buf_addc(b, '\n');
		put_recipient(b, c, &c->rcpt[i], utf8);
	}
}

/* ---- for people ---- */

/* A paragraph, indented; its words stay whole. */
static void
put_wrapped(struct buf *b, unsigned indent, const char *text)
{
	size_t col = 0, len;

	for (text += strspn(text, " "); *text != '\0';
	     text += len + strspn(text + len, " ")) {
		len = strcspn(text, " ");
		if (col > 0 && col + 1 + len > COLUMNS) {
			buf_addc(b, '\n');
			col = 0;
		}
		if (col == 0)
			buf_addf(b, "%*s", (int)indent, "");
		else
			buf_addc(b, ' ');
		col += col == 0 ? indent : 1;
		buf_add(b, text, len);
		col += len;
	}
	if (col > 0)
		buf_addc(b, '\n');
}

/* Who it was, "" if nobody was asked. */
static void
put_place(struct buf *b, const struct outcome *o)
{
	char host[DSN_CLEAN_MAX], ip[DSN_CLEAN_MAX];

	dsn_clean(host, o->host, false);
	dsn_clean(ip, o->ip, false);
	if (host[0] != '\0' && ip[0] != '\0' && strcmp(host, ip) != 0)
		buf_addf(b, "%s (%s)", host, ip);
	else
		buf_adds(b, host[0] != '\0' ? host : ip);
}

/* Our own sentences often name the host already. */
static bool
names_place(const char *text, const struct outcome *o)
{
	const char *host = o->host[0] != '\0' ? o->host : o->ip;

	return !is_reply(&o->err) && strstr(text, host) != NULL;
}

/* The reason: the server's words, or ours. */
static void
put_reason(struct buf *b, const struct outcome *o)
{
	char text[DSN_CLEAN_MAX];
	struct buf line;

	dsn_clean(text, o->err.text, false);
	if (text[0] == '\0')
		return;
	buf_init(&line, 4 * DSN_CLEAN_MAX);
	if (!names_place(text, o))
		put_place(&line, o);
	if (line.len > 0)
		buf_adds(&line, is_reply(&o->err) ? " answered: " : ": ");
	buf_adds(&line, text);
	put_wrapped(b, 4, buf_str(&line));
	buf_free(&line);
}

static void
put_fate(struct buf *b, const struct dsn_config *c, const struct dsn_rcpt *rcpt)
{
	const struct outcome *o = &rcpt->r->outcome;

	if (c->kind != DSN_RELAYED && rcpt->tried == 0 && is_open(o) &&
	    o->err.text[0] == '\0')
		put_wrapped(b, 4, "No server was asked to take it.");
	else if (c->kind == DSN_FAILED && is_expired(o))
		put_wrapped(b, 4,
		    "No server took it in time. The last try came to this:");
	put_reason(b, o);
	if (o->in_doubt || rcpt->in_doubt)
		put_wrapped(b, 4,
		    "It may have been delivered all the same: a connection was "
		    "lost before the server said what it made of the mail.");
}

/* How it begins, and how it ends: a moment stands before `closing`. */
static const struct {
	const char *opening, *before, *closing;
} sentences[DSN_KINDS] = {
	[DSN_FAILED] = { "could not be delivered to everybody. It did not "
			 "reach:",
	    NULL, "It is not tried again." },
	[DSN_DELAYED] = { "could not be delivered to everybody yet. It waits "
			  "for:",
	    "It is tried again until ",
	    ". You need not send it again: if it cannot be delivered by then, "
	    "you are told." },
	[DSN_RELAYED] = { "was passed on for:", NULL,
	    "The next server does not report deliveries, so this is the last "
	    "that you hear of it, unless it fails there." },
};

static void
put_closing(struct buf *b, const struct dsn_config *c, bool whole)
{
	const char *before = sentences[c->kind].before;
	char until[DATE_MAX], line[512];

	date_text(c->until, c->zone, until);
	snprintf(line, sizeof line, "%s%s%s", before != NULL ? before : "",
	    before != NULL ? until : "", sentences[c->kind].closing);
	buf_addc(b, '\n');
	put_wrapped(b, 0, line);
	put_wrapped(b, 0,
	    whole ? "The next part says the same for programs; behind it is "
		    "the mail."
		  : "The next part says the same for programs; behind it is "
		    "the header of the mail.");
}

void
dsn_put_text(struct buf *b, const struct dsn_config *c, bool whole)
{
	char date[DATE_MAX], line[DSN_CLEAN_MAX + 16], clean[DSN_CLEAN_MAX];
	size_t i;

	snprintf(line, sizeof line, "This is the mail system at %s.", c->host);
	put_wrapped(b, 0, line);
	snprintf(line, sizeof line, "The mail that you sent on %s %s",
	    date_text(c->arrived, c->zone, date), sentences[c->kind].opening);
	buf_addc(b, '\n');
	put_wrapped(b, 0, line);
	for (i = 0; i < c->n && i < SHOWN_MAX; i++) {
		buf_addf(b, "\n  <%s>\n",
		    dsn_clean(clean, address_of(c->rcpt[i].r), false));
		put_fate(b, c, &c->rcpt[i]);
	}
	if (i < c->n)
		buf_addf(b,
		    "\n  and %zu more, which are named in the next part.\n",
		    c->n - i);
	put_closing(b, c, whole);
}
