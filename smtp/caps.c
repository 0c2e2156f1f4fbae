/*
 * caps: see caps.h. One row a keyword; a new extension is a row and, when
 * it has parameters that matter, a small function.
 * The rows are few and looked at once a connection: a plain search will do.
 * RFC 5321 4.1.1.1 (ehlo-line); RFC 9422 (LIMITS); RFC 4954 (AUTH).
 * Ownership: plain data; the reply is borrowed.
 */
#include <string.h>
#include <strings.h>

#include "base/when.h"
#include "smtp/caps.h"
#include "smtp/reply.h"

/* A run of octets of the reply. */
struct word {
	const char *s;
	size_t n;
};

struct cap_row {
	const char *name;
	unsigned bit; /* of enum cap; 0: it changes nothing for us */
	void (*parse)(struct caps *, struct word params); /* NULL: none */
	const char *words; /* what it means, for people */
};

struct limit_row {
	const char *name;
	size_t offset; /* of the uint64_t in struct caps */
};

/* Longest SASL mechanism name (RFC 4422 3.1). */
#define MECH_MAX 20

static bool
word_is(struct word w, const char *name)
{
	return w.n == strlen(name) && strncasecmp(w.s, name, w.n) == 0;
}

/* Cut the next word off `rest`; its n is 0 at the end. */
static struct word
next_word(struct word *rest)
{
	struct word w;

	while (rest->n > 0 && (*rest->s == ' ' || *rest->s == '\t')) {
		rest->s++;
		rest->n--;
	}
	w = (struct word){ rest->s, 0 };
	while (w.n < rest->n && w.s[w.n] != ' ' && w.s[w.n] != '\t')
		w.n++;
	rest->s += w.n;
	rest->n -= w.n;
	return w;
}

/* All digits and it fits, or nothing: a wrapped number would be a lie. */
static bool
number(struct word w, uint64_t *out)
{
	uint64_t v = 0, d;
	size_t i;

	for (i = 0; i < w.n; i++) {
		if (w.s[i] < '0' || w.s[i] > '9')
			return false;
		d = (uint64_t)(w.s[i] - '0');
		if (v > (UINT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*out = v;
	return w.n > 0;
}

static void
parse_size(struct caps *c, struct word params)
{
	uint64_t v;

	if (number(next_word(&params), &v))
		c->size = v;
}

static const struct limit_row limit_rows[] = {
	{ "MAILMAX", offsetof(struct caps, mail_max) },
	{ "RCPTMAX", offsetof(struct caps, rcpt_max) },
	{ "RCPTDOMAINMAX", offsetof(struct caps, rcptdomain_max) },
};

static void
take_limit(struct caps *c, struct word name, struct word value)
{
	uint64_t v;
	size_t i;

	for (i = 0; i < sizeof(limit_rows) / sizeof(limit_rows[0]); i++)
		if (word_is(name, limit_rows[i].name) && number(value, &v))
			memcpy((char *)c + limit_rows[i].offset, &v, sizeof(v));
}

static void
parse_limits(struct caps *c, struct word params)
{
	struct word w, name;
	const char *eq;

	while ((w = next_word(&params)).n > 0) {
		eq = memchr(w.s, '=', w.n);
		if (eq == NULL)
			continue;
		name = (struct word){ w.s, (size_t)(eq - w.s) };
		take_limit(c, name, (struct word){ eq + 1, w.n - name.n - 1 });
	}
}

static char
upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool
is_mech(struct word w)
{
	size_t i;
	char c;

	for (i = 0; i < w.n; i++) {
		c = upper(w.s[i]);
		if ((c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' &&
		    c != '_')
			return false;
	}
	return w.n > 0 && w.n <= MECH_MAX;
}

/* True if the words of `list` have this one. */
static bool
has_word(const char *list, struct word word)
{
	struct word rest = { list, strlen(list) }, w;

	while ((w = next_word(&rest)).n > 0)
		if (w.n == word.n && strncasecmp(w.s, word.s, w.n) == 0)
			return true;
	return false;
}

/* Both lines of a server that says a keyword twice add up. */
static void
add_words(char *list, size_t size, struct word params)
{
	struct word w;
	size_t len, i;

	while ((w = next_word(&params)).n > 0) {
		len = strlen(list);
		if (!is_mech(w) || has_word(list, w) || w.n + 2 > size - len)
			continue;
		if (len > 0)
			list[len++] = ' ';
		for (i = 0; i < w.n; i++)
			list[len++] = upper(w.s[i]);
		list[len] = '\0';
	}
}

static void
parse_auth(struct caps *c, struct word params)
{
	add_words(c->auth, sizeof c->auth, params);
}

/* Attributes' names are of the same letters. */
static void
parse_xclient(struct caps *c, struct word params)
{
	add_words(c->xclient, sizeof c->xclient, params);
}

/* RFC 2852 2 (3): options with commas between them; the first one counts. */
static void
parse_deliver_by(struct caps *c, struct word params)
{
	struct word w = next_word(&params);
	const char *comma = memchr(w.s, ',', w.n);
	uint64_t v;

	if (comma != NULL)
		w.n = (size_t)(comma - w.s);
	if (number(w, &v))
		c->deliver_by_min = v;
}

/* RFC 4865 4 (3): the longest span and the last moment. */
static void
parse_future(struct caps *c, struct word params)
{
	struct word w;
	int64_t moment;
	uint64_t v;

	if (number(next_word(&params), &v))
		c->hold_max = v;
	w = next_word(&params);
	if (when_date(w.s, w.n, &moment) == 0)
		c->hold_until_max = moment;
}

static const struct cap_row cap_rows[] = {
	{ "ENHANCEDSTATUSCODES", CAP_ENHANCEDSTATUSCODES, NULL,
	    "replies have codes that say more than three digits" },
	{ "8BITMIME", CAP_8BITMIME, NULL, "8-bit text may be sent as it is" },
	{ "SIZE", CAP_SIZE, parse_size,
	    "the largest message it takes, octets (0 or none: not said)" },
	{ "PIPELINING", CAP_PIPELINING, NULL,
	    "commands need not wait for each other's replies" },
	{ "CHUNKING", CAP_CHUNKING, NULL,
	    "messages may be sent in counted chunks (BDAT)" },
	{ "BINARYMIME", CAP_BINARYMIME, NULL,
	    "binary parts may be sent as they are, in chunks" },
	{ "SMTPUTF8", CAP_SMTPUTF8, NULL,
	    "addresses and headers may be UTF-8" },
	{ "DSN", CAP_DSN, NULL, "delivery reports can be asked for" },
	{ "STARTTLS", CAP_STARTTLS, NULL, "the connection can be encrypted" },
	{ "AUTH", CAP_AUTH, parse_auth, "logging in, by these mechanisms" },
	{ "AUTH=", CAP_AUTH, parse_auth,
	    "logging in, as old clients want it said" }, /* before RFC 2554 */
	{ "LIMITS", CAP_LIMITS, parse_limits,
	    "how much it takes over one connection" },
	{ "DELIVERBY", CAP_DELIVERBY, parse_deliver_by,
	    "a time can be set by which mail is to be delivered (the least, "
	    "seconds)" },
	{ "FUTURERELEASE", CAP_FUTURERELEASE, parse_future,
	    "mail can be held back (at most so many seconds, and until)" },
	{ "MT-PRIORITY", CAP_MT_PRIORITY, NULL,
	    "mail can have a priority (by which profile)" },
	{ "REQUIRETLS", CAP_REQUIRETLS, NULL,
	    "TLS can be demanded for the whole way" },
	{ "VRFY", CAP_VRFY, NULL, "addresses can be asked for" },
	{ "EXPN", CAP_EXPN, NULL, "lists can be expanded" },
	{ "ETRN", CAP_ETRN, NULL, "waiting mail can be asked for" },
	{ "HELP", 0, NULL, "it can be asked for help" },
	{ "XCLIENT", CAP_XCLIENT, parse_xclient,
	    "a trusted host may say whom it speaks for, by these names" },
	{ "XFORWARD", 0, NULL, "a trusted host may say where mail came from" },
};

/* "AUTH=LOGIN": the keyword is all up to and with the equals sign. */
static struct word
keyword(struct word *line)
{
	struct word w = next_word(line);
	const char *eq = memchr(w.s, '=', w.n);
	size_t back;

	if (eq == NULL)
		return w;
	back = w.n - (size_t)(eq + 1 - w.s);
	w.n -= back;
	line->s -= back;
	line->n += back;
	return w;
}

const char *
caps_words(const char *s, size_t n)
{
	struct word line = { s, n }, name = keyword(&line);
	size_t i;

	for (i = 0; i < sizeof(cap_rows) / sizeof(cap_rows[0]); i++)
		if (word_is(name, cap_rows[i].name))
			return cap_rows[i].words;
	return NULL;
}

const char *
caps_name(unsigned bit)
{
	size_t i;

	for (i = 0; i < sizeof(cap_rows) / sizeof(cap_rows[0]); i++)
		if (cap_rows[i].bit == bit)
			return cap_rows[i].name;
	return NULL;
}

const char *
caps_keyword(size_t i)
{
	return i < sizeof(cap_rows) / sizeof(cap_rows[0]) ? cap_rows[i].name
							  : NULL;
}

bool
caps_add(struct caps *c, const char *s, size_t n)
{
	struct word line = { s, n }, name = keyword(&line);
	const struct cap_row *row;
	bool known = false;
	size_t i;

	for (i = 0; i < sizeof(cap_rows) / sizeof(cap_rows[0]); i++) {
		row = &cap_rows[i];
		if (!word_is(name, row->name))
			continue;
		known = true;
		c->has |= row->bit;
		if (row->parse != NULL)
			row->parse(c, line);
	}
	return known;
}

void
caps_parse(struct caps *c, const struct reply *r)
{
	const char *line;
	size_t i, n;

	*c = (struct caps){ 0 };
	for (i = 1; (line = reply_line(r, i, &n)) != NULL; i++)
		caps_add(c, line, n);
}
