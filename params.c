/*
 * params: see params.h. A parameter is a row: when it is wanted, how it is
 * written, and what is done where the server does not offer its extension.
 * Callers: proto.c, cli/report.c. It knows no step and no connection.
 * RFC 1870 3, 2852, 3461 4 and 5.2.2, 4865, 4954 5, 6152 3, 6531 3.4, 6533 3,
 * 6710; RFC 3463 3.
 * Ownership: see params.h.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "base/when.h"
#include "mail/envelope.h"
#include "mail/orcpt.h"
#include "mail/view.h"
#include "params.h"
#include "smtp/caps.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* RFC 3461 4.2: all of ORCPT=TYPE;ADDRESS. */
#define ORCPT_MAX 500

/* Where the server does not offer it: */
enum missing {
	LEAVE_OUT, /* nobody misses it */
	TELL, /* the mail goes without it, and its sender hears of that */
	FAIL /* the mail does not go there */
};

struct row {
	/* `r` is the recipient of an RCPT; NULL: MAIL. */
	bool (*wanted)(const struct params *, const struct recipient *r);
	/* NULL: the extension is all that is wanted. */
	void (*write)(
	    struct buf *, const struct params *, const struct recipient *r);
	/* Is it within what the server says it takes? NULL: always. */
	int (*limit)(const struct params *, struct err *);
	const char *words; /* TELL: what that means; FAIL: why */
	unsigned cap;
	enum missing missing;
	struct enhanced enhanced; /* FAIL */
};

/* ---- SIZE, BODY, SMTPUTF8 ---- */

static bool
always(const struct params *p, const struct recipient *r)
{
	(void)p;
	(void)r;
	return true;
}

static void
write_size(struct buf *b, const struct params *p, const struct recipient *r)
{
	(void)r;
	buf_addf(b, " SIZE=%" PRIu64, p->view->size);
}

int
params_fits(const struct view *v, const struct caps *c, struct err *e)
{
	if (c->size == 0 || v->size <= c->size)
		return 0;
	err_set(e, ERR_PERM, ERR_REPLY,
	    "the message has %" PRIu64 " octets, the server takes %" PRIu64,
	    v->size, c->size);
	e->enhanced = (struct enhanced){ 5, 3, 4 };
	e->stage = STAGE_MAIL;
	e->scope = SCOPE_MESSAGE;
	return -1;
}

static int
limit_size(const struct params *p, struct err *e)
{
	return params_fits(p->view, p->caps, e);
}

static bool
is_8bit(const struct params *p, const struct recipient *r)
{
	(void)r;
	return p->view->is_8bit;
}

static void
write_body(struct buf *b, const struct params *p, const struct recipient *r)
{
	(void)p;
	(void)r;
	buf_adds(b, " BODY=8BITMIME");
}

/* One path or header field of the transaction is enough (RFC 6531 3.4). */
static bool
needs_utf8(const struct params *p, const struct recipient *r)
{
	(void)r;
	return p->view->needs_utf8 ||
	    envelope_uses_utf8(p->env, p->rcpts, p->n);
}

static void
write_utf8(struct buf *b, const struct params *p, const struct recipient *r)
{
	(void)p;
	(void)r;
	buf_adds(b, " SMTPUTF8");
}

static bool
rcpt_needs_utf8(const struct params *p, const struct recipient *r)
{
	(void)p;
	return r->addr.needs_utf8;
}

/* ---- DSN ---- */

static bool
has_return(const struct params *p, const struct recipient *r)
{
	(void)r;
	return p->env->dsn_return != RETURN_UNSAID;
}

static void
write_return(struct buf *b, const struct params *p, const struct recipient *r)
{
	(void)r;
	buf_adds(
	    b, p->env->dsn_return == RETURN_FULL ? " RET=FULL" : " RET=HDRS");
}

static bool
has_envid(const struct params *p, const struct recipient *r)
{
	(void)r;
	return p->env->envid != NULL;
}

static void
write_envid(struct buf *b, const struct params *p, const struct recipient *r)
{
	(void)r;
	buf_adds(b, " ENVID=");
	enc_xtext(b, p->env->envid, strlen(p->env->envid));
}

static bool
has_notify(const struct params *p, const struct recipient *r)
{
	(void)p;
	return r->notify != 0;
}

static void
write_notify(struct buf *b, const struct params *p, const struct recipient *r)
{
	static const char *const words[] = { "NEVER", "SUCCESS", "FAILURE",
		"DELAY" };
	const char *before = " NOTIFY=";
	size_t i;

	(void)p;
	for (i = 0; i < COUNT(words); i++) {
		if (!(r->notify & 1u << i))
			continue;
		buf_adds(b, before);
		buf_adds(b, words[i]);
		before = ",";
	}
}

/* Who wants reports wants to know whom they are about. */
static bool
has_orcpt(const struct params *p, const struct recipient *r)
{
	return r->orcpt != NULL || r->notify != 0 || has_return(p, r) ||
	    has_envid(p, r);
}

/* In ASCII always: so it goes to servers without SMTPUTF8 too (RFC 6533 3). */
static void
put_orcpt(struct buf *b, const struct orcpt *o)
{
	buf_adds(b, " ORCPT=");
	enc_xtext(b, o->type, o->n);
	buf_addc(b, ';');
	if (orcpt_is_utf8(o))
		enc_utf8_xtext(b, o->address, strlen(o->address));
	else
		enc_xtext(b, o->address, strlen(o->address));
}

bool
params_orcpt_valid(const char *s)
{
	struct orcpt o = orcpt_parse(s);
	size_t n = strlen(o.address), i;
	bool valid = n > 0 &&
	    (orcpt_is_utf8(&o) || !enc_has_8bit(s, strlen(s))) &&
	    enc_is_utf8(s, strlen(s));
	struct buf b;

	for (i = 0; i < n; i++)
		if ((unsigned char)o.address[i] < ' ' || o.address[i] == 0x7f)
			valid = false;
	buf_init(&b, 1 + ORCPT_MAX);
	put_orcpt(&b, &o);
	/* Who says it to a server needs the memory, too, and tells. */
	valid = valid && (buf_ok(&b) || buf_starved(&b));
	buf_free(&b);
	return valid;
}

/* One that is too long cannot be said, and is not needed to deliver. */
static void
write_orcpt(struct buf *b, const struct params *p, const struct recipient *r)
{
	struct orcpt o = orcpt_parse(r->orcpt != NULL ? r->orcpt : r->addr.raw);
	size_t from = b->len;

	(void)p;
	put_orcpt(b, &o);
	if (b->len - from > 1 + ORCPT_MAX)
		buf_cut(b, from);
}

/* ---- DELIVERBY, FUTURERELEASE, MT-PRIORITY, AUTH ---- */

static bool
by_returned(const struct params *p, const struct recipient *r)
{
	(void)r;
	return p->env->by.wanted && p->env->by.returned;
}

static bool
by_told(const struct params *p, const struct recipient *r)
{
	(void)r;
	return p->env->by.wanted && !p->env->by.returned;
}

/* RFC 2852 4: what we had of the time the next server has not. */
static int64_t
by_left(const struct params *p)
{
	const struct deliver_by *by = &p->env->by;
	int64_t left = by->seconds - (p->now - by->since) / 1000;

	return left < -WHEN_SPAN_MAX ? -WHEN_SPAN_MAX : left;
}

static void
write_by(struct buf *b, const struct params *p, const struct recipient *r)
{
	(void)r;
	buf_addf(b, " BY=%" PRId64 ";%s%s", by_left(p),
	    p->env->by.returned ? "R" : "N", p->env->by.trace ? "T" : "");
}

static int
limit_by(const struct params *p, struct err *e)
{
	int64_t left = by_left(p);

	if (left > 0 && (uint64_t)left >= p->caps->deliver_by_min)
		return 0;
	if (left <= 0)
		err_set(e, ERR_PERM, ERR_REPLY,
		    "the time in which it was to be delivered is over");
	else
		err_set(e, ERR_PERM, ERR_REPLY,
		    "it is to be delivered within %" PRId64
		    " seconds, the server wants %" PRIu64,
		    left, p->caps->deliver_by_min);
	e->enhanced = (struct enhanced){ 5, 4, 7 };
	return -1;
}

static bool
has_hold_for(const struct params *p, const struct recipient *r)
{
	(void)r;
	return p->env->hold_for > 0;
}

static void
write_hold_for(struct buf *b, const struct params *p, const struct recipient *r)
{
	(void)r;
	buf_addf(b, " HOLDFOR=%" PRId64, p->env->hold_for);
}

static int
limit_hold_for(const struct params *p, struct err *e)
{
	uint64_t max = p->caps->hold_max;

	if (max == 0 || (uint64_t)p->env->hold_for <= max)
		return 0;
	err_set(e, ERR_PERM, ERR_REPLY,
	    "it is to be held for %" PRId64
	    " seconds, the server holds no longer than %" PRIu64,
	    p->env->hold_for, max);
	e->enhanced = (struct enhanced){ 5, 3, 3 };
	return -1;
}

static bool
has_hold_until(const struct params *p, const struct recipient *r)
{
	(void)r;
	return p->env->hold_until > 0;
}

static void
write_hold_until(
    struct buf *b, const struct params *p, const struct recipient *r)
{
	char text[WHEN_DATE_MAX];

	(void)r;
	buf_adds(b, " HOLDUNTIL=");
	buf_adds(b, when_date_text(p->env->hold_until, text));
}

static int
limit_hold_until(const struct params *p, struct err *e)
{
	int64_t max = p->caps->hold_until_max;
	char until[WHEN_DATE_MAX], most[WHEN_DATE_MAX];

	if (max == 0 || p->env->hold_until <= max)
		return 0;
	err_set(e, ERR_PERM, ERR_REPLY,
	    "it is to be held until %s, the server holds no longer than "
	    "until %s",
	    when_date_text(p->env->hold_until, until),
	    when_date_text(max, most));
	e->enhanced = (struct enhanced){ 5, 3, 3 };
	return -1;
}

static bool
has_priority(const struct params *p, const struct recipient *r)
{
	(void)r;
	return p->env->has_priority;
}

static void
write_priority(struct buf *b, const struct params *p, const struct recipient *r)
{
	(void)r;
	buf_addf(b, " MT-PRIORITY=%d", p->env->priority);
}

static bool
has_submitter(const struct params *p, const struct recipient *r)
{
	(void)r;
	return p->env->submitter.raw != NULL;
}

static void
write_submitter(
    struct buf *b, const struct params *p, const struct recipient *r)
{
	const char *raw = p->env->submitter.raw;

	(void)r;
	buf_adds(b, " AUTH=");
	if (raw[0] == '\0')
		buf_adds(b, "<>");
	else
		enc_xtext(b, raw, strlen(raw));
}

/* ---- rows ---- */

#define NO_HOLD                                                                \
	"it is to be held, and the server does not do that (FUTURERELEASE)"
#define NO_REPORTS "delivery reports come or not, as it likes"

static const struct row mail_rows[] = {
	{ always, write_size, limit_size, NULL, CAP_SIZE, LEAVE_OUT, { 0 } },
	{ is_8bit, write_body, NULL,
	    "the message is 8-bit, and the server does not take that",
	    CAP_8BITMIME, FAIL, { 5, 6, 3 } },
	{ needs_utf8, write_utf8, NULL,
	    "the sender's address is not ASCII, and the server takes no such "
	    "(SMTPUTF8); give an ASCII one by -f",
	    CAP_SMTPUTF8, FAIL, { 5, 6, 7 } },
	{ has_return, write_return, NULL, NO_REPORTS, CAP_DSN, TELL, { 0 } },
	{ has_envid, write_envid, NULL, NO_REPORTS, CAP_DSN, TELL, { 0 } },
	{ by_returned, write_by, limit_by,
	    "it must arrive in time or not at all, and the server offers no "
	    "DELIVERBY",
	    CAP_DELIVERBY, FAIL, { 5, 3, 3 } },
	{ by_told, write_by, NULL, "nobody tells if it is late", CAP_DELIVERBY,
	    TELL, { 0 } },
	{ has_hold_for, write_hold_for, limit_hold_for, NO_HOLD,
	    CAP_FUTURERELEASE, FAIL, { 5, 3, 3 } },
	{ has_hold_until, write_hold_until, limit_hold_until, NO_HOLD,
	    CAP_FUTURERELEASE, FAIL, { 5, 3, 3 } },
	{ has_priority, write_priority, NULL, "it goes like any other mail",
	    CAP_MT_PRIORITY, TELL, { 0 } },
	{ has_submitter, write_submitter, NULL, NULL, CAP_AUTH, LEAVE_OUT,
	    { 0 } },
};

static const struct row rcpt_rows[] = {
	{ rcpt_needs_utf8, NULL, NULL,
	    "the address is not ASCII, and the server takes no such "
	    "(SMTPUTF8); give an ASCII one",
	    CAP_SMTPUTF8, FAIL, { 5, 6, 7 } },
	{ has_notify, write_notify, NULL, NO_REPORTS, CAP_DSN, TELL, { 0 } },
	{ has_orcpt, write_orcpt, NULL, NO_REPORTS, CAP_DSN, TELL, { 0 } },
};

static bool
offered(const struct params *p, const struct row *row)
{
	return (p->caps->has & row->cap) != 0;
}

static int
check_row(const struct params *p, const struct recipient *r,
    const struct row *row, struct err *e)
{
	if (!row->wanted(p, r))
		return 0;
	if (offered(p, row))
		return row->limit == NULL ? 0 : row->limit(p, e);
	if (row->missing != FAIL)
		return 0;
	err_set(e, ERR_PERM, ERR_REPLY, "%s", row->words);
	e->enhanced = row->enhanced;
	return -1;
}

int
params_check_mail(const struct params *p, struct err *e)
{
	size_t i;

	for (i = 0; i < COUNT(mail_rows); i++)
		if (check_row(p, NULL, &mail_rows[i], e) == -1) {
			e->stage = STAGE_MAIL;
			e->scope = SCOPE_MESSAGE;
			return -1;
		}
	return 0;
}

int
params_check_rcpt(const struct params *p, size_t rcpt, struct err *e)
{
	const struct recipient *r = &p->env->rcpts[rcpt];
	size_t i;

	for (i = 0; i < COUNT(rcpt_rows); i++)
		if (check_row(p, r, &rcpt_rows[i], e) == -1) {
			e->stage = STAGE_RCPT;
			e->scope = SCOPE_RECIPIENT;
			return -1;
		}
	return 0;
}

static void
write_rows(const struct params *p, const struct recipient *r,
    const struct row *rows, size_t n, struct buf *b)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (rows[i].write != NULL && offered(p, &rows[i]) &&
		    rows[i].wanted(p, r))
			rows[i].write(b, p, r);
}

void
params_mail(const struct params *p, struct buf *b)
{
	write_rows(p, NULL, mail_rows, COUNT(mail_rows), b);
}

void
params_rcpt(const struct params *p, size_t rcpt, struct buf *b)
{
	write_rows(p, &p->env->rcpts[rcpt], rcpt_rows, COUNT(rcpt_rows), b);
}

static unsigned
lacking(const struct params *p, const struct recipient *r,
    const struct row *rows, size_t n)
{
	unsigned bits = 0;
	size_t i;

	for (i = 0; i < n; i++)
		if (rows[i].missing == TELL && !offered(p, &rows[i]) &&
		    rows[i].wanted(p, r))
			bits |= rows[i].cap;
	return bits;
}

unsigned
params_left_out(const struct params *p, size_t rcpt)
{
	return lacking(p, NULL, mail_rows, COUNT(mail_rows)) |
	    lacking(p, &p->env->rcpts[rcpt], rcpt_rows, COUNT(rcpt_rows));
}

const char *
params_lacking(unsigned bit)
{
	const char *words = NO_REPORTS;
	size_t i;

	for (i = 0; i < COUNT(mail_rows); i++)
		if (mail_rows[i].missing == TELL && mail_rows[i].cap == bit)
			words = mail_rows[i].words;
	return words;
}
