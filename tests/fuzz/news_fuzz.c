/*
 * news: whatever a worker that is not ours any more sends, it is refused, or
 * its numbers are within their bounds, its texts end and can be shown, and
 * its recipients are as many as the record has.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "news.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
check_text(const char *s, size_t size)
{
	const char *end = memchr(s, '\0', size);

	must(end != NULL);
	for (; s < end; s++)
		must((unsigned char)*s >= ' ' && *s != 0x7f);
}

static void
check_err(const struct err *e)
{
	must(e->verdict <= ERR_PERM && e->kind < ERR_KINDS);
	must(e->scope < SCOPES && e->stage < STAGES && e->code < 600);
	check_text(e->text, sizeof e->text);
	check_text(e->command, sizeof e->command);
}

static void
check_news(const struct news *n)
{
	size_t i;

	must(n->type >= NEWS_LINE && n->type < NEWS_TYPES);
	must(n->from == LINE_CLIENT || n->from == LINE_SERVER ||
	    n->from == LINE_NOTE);
	must(memchr(n->host, '\0', sizeof n->host) != NULL);
	must(memchr(n->facts.names, '\0', sizeof n->facts.names) != NULL);
	check_err(&n->outcome.err);
	check_text(n->outcome.host, sizeof n->outcome.host);
	check_text(n->outcome.ip, sizeof n->outcome.ip);
	must(n->outcome.port <= 65535 && n->outcome.tls <= 1);
	must(n->outcome.state == OUTCOME_PENDING);
	for (i = 0; i < news_count(n); i++)
		must(news_rcpt(n, i) <= UINT32_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct news news;
	struct err e;

	if (news_read(&news, data, n) == 0)
		check_news(&news);
	if (news_read_answer(&e, data, n) == 0)
		check_err(&e);
	return 0;
}
