/*
 * news: see news.h. A recipient is four octets, in the machine's order: both
 * ends are one program.
 * Callers: worker.c, deliver.c. It opens nothing.
 * The project's own design.
 * Ownership: borrows and appends.
 */
#include <string.h>

#include "base/buf.h"
#include "news.h"

/* The answer's type, which is none of a worker's. */
#define ANSWER NEWS_TYPES

/* Those of an outcome are mail/outcome.h's, and higher. */
enum news_tag {
	TAG_FROM = 1,
	TAG_HOST,
	TAG_TEXT,
	TAG_MAIL,
	TAG_RCPTS,
	TAG_SECURE,
	TAG_VERIFIED,
	TAG_VERSION,
	TAG_CIPHER,
	TAG_GROUP,
	TAG_NAMES,
	TAG_ISSUER,
	TAG_EXPIRES,
	TAG_HOW,
	TAG_OCSP
};

#define FACT(tag, field)                                                       \
	{                                                                      \
		tag, offsetof(struct tls_facts, field),                        \
		    sizeof(((struct tls_facts *)NULL)->field)                  \
	}

/* The strings of a struct tls_facts, a row each. */
static const struct fact {
	enum news_tag tag;
	size_t at, size; /* in the struct */
} facts[] = {
	FACT(TAG_VERSION, version),
	FACT(TAG_CIPHER, cipher),
	FACT(TAG_GROUP, group),
	FACT(TAG_NAMES, names),
	FACT(TAG_ISSUER, issuer),
	FACT(TAG_EXPIRES, expires),
	FACT(TAG_HOW, how),
	FACT(TAG_OCSP, ocsp),
};
#define FACTS (sizeof facts / sizeof facts[0])

/* ---- writing ---- */

void
news_put_line(struct buf *b, const char *host, enum line_from from,
    const char *s, size_t n)
{
	size_t mark = record_begin(b, NEWS_LINE);

	record_number(b, TAG_FROM, from);
	record_string(b, TAG_HOST, host);
	record_octets(b, TAG_TEXT, s, n);
	record_end(b, mark);
}

static void
put_rcpts(struct buf *b, size_t mail, const size_t *rcpts, size_t n)
{
	uint32_t list[NEWS_RCPTS];

	if (n > NEWS_RCPTS) {
		b->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		list[i] = (uint32_t)rcpts[i];
	record_number(b, TAG_MAIL, mail);
	record_octets(b, TAG_RCPTS, list, n * sizeof list[0]);
}

void
news_put_final(struct buf *b, size_t mail, const size_t *rcpts, size_t n)
{
	size_t mark = record_begin(b, NEWS_FINAL);

	put_rcpts(b, mail, rcpts, n);
	record_end(b, mark);
}

void
news_put_outcome(struct buf *b, size_t mail, const size_t *rcpts, size_t n,
    const struct outcome *o)
{
	size_t mark = record_begin(b, NEWS_OUTCOME);

	put_rcpts(b, mail, rcpts, n);
	record_number(b, TAG_SECURE, o->tls != 0);
	outcome_put(b, o);
	record_end(b, mark);
}

void
news_put_tls(struct buf *b, const struct tls_facts *f)
{
	size_t i, mark = record_begin(b, NEWS_TLS);

	record_number(b, TAG_VERIFIED, f->verified);
	for (i = 0; i < FACTS; i++)
		record_string(b, facts[i].tag, (const char *)f + facts[i].at);
	record_end(b, mark);
}

void
news_put_stale(struct buf *b, const struct err *e)
{
	const struct outcome why = { .err = *e };
	size_t mark = record_begin(b, NEWS_STALE);

	outcome_put(b, &why);
	record_end(b, mark);
}

void
news_put_down(struct buf *b, const struct outcome *o)
{
	size_t mark = record_begin(b, NEWS_DOWN);

	outcome_put(b, o);
	record_end(b, mark);
}

void
news_put_answer(struct buf *b, const struct err *e)
{
	const struct outcome why = { .err = *e };
	size_t mark = record_begin(b, ANSWER);

	outcome_put(b, &why);
	record_end(b, mark);
}

/* ---- reading ---- */

static int
number_field(struct news *n, const struct field *f)
{
	uint64_t v = f->number;

	switch (f->tag) {
	case TAG_FROM:
		n->from = v == LINE_SERVER ? LINE_SERVER
		    : v == LINE_CLIENT     ? LINE_CLIENT
					   : LINE_NOTE;
		return 0;
	case TAG_MAIL:
		n->mail = (size_t)v;
		return v < SIZE_MAX ? 0 : -1;
	case TAG_SECURE:
		n->outcome.tls = (size_t)v;
		return v <= 1 ? 0 : -1;
	case TAG_VERIFIED:
		n->facts.verified = v != 0;
		return v <= 1 ? 0 : -1;
	default:
		return -1;
	}
}

static int
fact_field(struct news *n, const struct field *f)
{
	size_t i;

	for (i = 0; i < FACTS; i++)
		if (facts[i].tag == f->tag)
			return field_str(
			    f, (char *)&n->facts + facts[i].at, facts[i].size);
	return -1;
}

static int
octets_field(struct news *n, const struct field *f)
{
	switch (f->tag) {
	case TAG_RCPTS:
		n->rcpts = *f;
		return f->len % sizeof(uint32_t) == 0 ? 0 : -1;
	case TAG_TEXT:
		n->text = *f;
		return 0;
	case TAG_HOST:
		return field_str(f, n->host, sizeof n->host);
	default:
		return fact_field(n, f);
	}
}

static int
any_field(struct news *n, const struct field *f)
{
	int got = outcome_take(&n->outcome, f);

	n->decides |= f->tag == OUTCOME_TAG_VERDICT;
	if (got != 0)
		return got == 1 ? 0 : -1;
	return f->kind == FIELD_NUMBER ? number_field(n, f)
				       : octets_field(n, f);
}

/* True if what a record of its type cannot do without is there. */
static bool
is_whole(const struct news *n)
{
	switch (n->type) {
	case NEWS_LINE:
		return n->text.octets != NULL;
	case NEWS_FINAL:
		return n->rcpts.octets != NULL;
	case NEWS_OUTCOME:
		return n->rcpts.octets != NULL && n->decides;
	case NEWS_STALE:
	case NEWS_DOWN:
		return n->decides && n->outcome.err.verdict != ERR_OK;
	default:
		return n->type == NEWS_TLS;
	}
}

int
news_read(struct news *news, const void *record, size_t n)
{
	struct record r;
	struct field f;
	int got;

	memset(news, 0, sizeof *news);
	news->from = LINE_NOTE;
	if (n == 0 || record_open(&r, record, n) != (long)n)
		return -1;
	news->type = (enum news_type)r.type;
	while ((got = record_next(&r, &f)) == 1)
		if (any_field(news, &f) == -1)
			return -1;
	return got == 0 && is_whole(news) ? 0 : -1;
}

size_t
news_count(const struct news *n)
{
	return n->rcpts.len / sizeof(uint32_t);
}

size_t
news_rcpt(const struct news *n, size_t i)
{
	uint32_t rcpt;

	memcpy(&rcpt, n->rcpts.octets + i * sizeof rcpt, sizeof rcpt);
	return rcpt;
}

int
news_read_answer(struct err *e, const void *record, size_t n)
{
	struct outcome why = { .port = 0 };
	struct record r;
	struct field f;

	if (n == 0 || record_open(&r, record, n) != (long)n || r.type != ANSWER)
		return -1;
	while (record_next(&r, &f) == 1)
		if (outcome_take(&why, &f) != 1)
			return -1;
	*e = why.err;
	return 0;
}
