/*
 * received: see received.h. Each clause has a line of its own but the short
 * ones, so that no line is longer than its names make it.
 * Callers: faces that take mail for others.
 * It decides nothing: what is said was decided by who fills the struct.
 * RFC 5321 4.4, 4.1.3 (literals); RFC 5322 3.2.2 (comments), 3.3 (dates).
 * Ownership: see received.h.
 */
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "mail/address.h"
#include "mail/date.h"
#include "mail/received.h"

#define COMMENT_MAX 200

/* "[...]" with nothing inside that could end it. */
static bool
is_literal(const char *s, size_t n)
{
	size_t i;

	if (n < 3 || n > ADDRESS_DOMAIN_MAX || s[0] != '[' || s[n - 1] != ']')
		return false;
	for (i = 1; i < n - 1; i++)
		if (s[i] <= ' ' || s[i] > '~' || strchr("[]\\", s[i]) != NULL)
			return false;
	return true;
}

static const char *
host(const char *s)
{
	size_t n = strlen(s);

	return address_is_hostname(s, n) || is_literal(s, n) ? s : "unknown";
}

/* What has a meaning in comments, or is not ASCII, shows as '?'. */
static void
add_comment(struct buf *b, const char *s)
{
	size_t i;

	buf_adds(b, " (");
	for (i = 0; i < COMMENT_MAX && s[i] != '\0'; i++)
		buf_addc(b,
		    s[i] < ' ' || s[i] > '~' || strchr("()\\", s[i]) != NULL
			? '?'
			: s[i]);
	buf_addc(b, ')');
}

/* A word of the caller's; one that is none is left out. */
static void
add_word(struct buf *b, const char *clause, const char *word)
{
	size_t i;

	if (word == NULL || word[0] == '\0')
		return;
	for (i = 0; word[i] != '\0'; i++)
		if (word[i] <= ' ' || word[i] > '~' ||
		    strchr("()<>@,;:\\\"[]", word[i]) != NULL)
			return;
	buf_addf(b, " %s %s", clause, word);
}

void
received_add(struct buf *b, const struct received *r)
{
	char date[DATE_MAX];

	buf_adds(b, "Received:");
	if (r->from != NULL)
		buf_addf(b, " from %s", host(r->from));
	if (r->comment != NULL)
		add_comment(b, r->comment);
	if (r->from != NULL || r->comment != NULL)
		buf_adds(b, "\n\t");
	else
		buf_addc(b, ' ');
	buf_addf(b, "by %s", host(r->by));
	add_word(b, "via", r->via);
	add_word(b, "with", r->with);
	add_word(b, "id", r->id);
	if (r->rcpt != NULL && r->rcpt->raw != NULL)
		buf_addf(b, "\n\tfor <%s>", r->rcpt->raw);
	buf_addf(b, ";\n\t%s\n", date_text(r->when, r->zone, date));
}
