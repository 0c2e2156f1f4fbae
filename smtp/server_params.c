/*
 * server_params: see server_params.h. A row has its name, its command, and
 * the function that takes its value.
 * Callers: server.c. It compares no value with what is there: server.c does.
 * RFC 1870 3, 3461 4.1 to 4.4, 6152 3, 6531 3.4, 6533 3.
 * Ownership: see server_params.h.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "mail/orcpt.h"
#include "smtp/server_params.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* RFC 3461 4.4 and 4.2; RFC 1870 3: SIZE has up to 20 digits. */
#define ENVID_ENCODED_MAX 100
#define ORCPT_MAX 500
#define SIZE_DIGITS 20

/* Case-blind: is it that word? */
static bool
is_word(const char *word, const char *s, size_t n)
{
	return strlen(word) == n && strncasecmp(word, s, n) == 0;
}

/* ---- paths ---- */

/* Behind the path at s: its '>' outside quotes, or its last octet before a
 * space if it has no brackets; 0: it never ends. */
static size_t
path_end(const char *s)
{
	bool quoted = false;
	size_t i;

	for (i = 0; s[i] != '\0'; i++) {
		if (quoted && s[i] == '\\' && s[i + 1] != '\0')
			i++;
		else if (s[i] == '"')
			quoted = !quoted;
		else if (!quoted && s[0] == '<' && s[i] == '>')
			return i + 1;
		else if (!quoted && s[0] != '<' && s[i] == ' ')
			return i;
	}
	return s[0] == '<' ? 0 : i;
}

size_t
server_path(const char *word, const char *arg, const char **path)
{
	size_t n = strlen(word);

	*path = arg;
	if (strncasecmp(arg, word, n) != 0)
		return 0;
	*path = arg + n + strspn(arg + n, " ");
	return path_end(*path);
}

/* ---- chunks ---- */

bool
server_chunk(const char *arg, uint64_t *octets, bool *last)
{
	const char *p = arg;

	*octets = 0;
	for (; *p >= '0' && *p <= '9'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (*octets > (UINT64_MAX - digit) / 10)
			return false;
		*octets = *octets * 10 + digit;
	}
	*last = *p == ' ' && strcasecmp(p + strspn(p, " "), "LAST") == 0;
	return p > arg && (*p == '\0' || *last);
}

/* ---- values: true if it is one ---- */

static bool
take_size(struct server_wants *w, const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		uint64_t digit = (uint64_t)(s[i] - '0');

		if (s[i] < '0' || s[i] > '9')
			return false;
		/* More than can be counted is more than anybody takes. */
		w->size = w->size > (UINT64_MAX - digit) / 10
		    ? UINT64_MAX
		    : w->size * 10 + digit;
	}
	return n > 0 && n <= SIZE_DIGITS;
}

static bool
take_body(struct server_wants *w, const char *s, size_t n)
{
	w->is_8bit = is_word("8BITMIME", s, n);
	return w->is_8bit || is_word("7BIT", s, n);
}

static bool
take_utf8(struct server_wants *w, const char *s, size_t n)
{
	(void)s;
	w->utf8 = true;
	return n == 0;
}

static bool
take_return(struct server_wants *w, const char *s, size_t n)
{
	bool full = is_word("FULL", s, n);

	w->dsn_return = full ? RETURN_FULL : RETURN_HDRS;
	return full || is_word("HDRS", s, n);
}

static bool
is_printable(const char *s, size_t n)
{
	uint32_t cp;
	size_t i, len;

	for (i = 0; i < n; i += len) {
		len = enc_utf8(s + i, n - i, &cp);
		if (len == 0 || cp < ' ' || (cp >= 0x7f && cp < 0xa0))
			return false;
	}
	return n > 0;
}

static bool
take_envid(struct server_wants *w, const char *s, size_t n)
{
	struct buf b;
	bool good;

	buf_init(&b, ENVID_ENCODED_MAX);
	good = n <= ENVID_ENCODED_MAX && enc_unxtext(&b, s, n) == 0 &&
	    is_printable(buf_str(&b), b.len) && !enc_has_8bit(b.data, b.len);
	if (good)
		w->envid = strdup(buf_str(&b));
	buf_free(&b);
	return good;
}

static bool
take_notify(struct server_wants *w, const char *s, size_t n)
{
	static const struct {
		const char *word;
		unsigned bit;
	} rows[] = { { "NEVER", NOTIFY_NEVER }, { "SUCCESS", NOTIFY_SUCCESS },
		{ "FAILURE", NOTIFY_FAILURE }, { "DELAY", NOTIFY_DELAY } };
	size_t at = 0, len, i;

	for (;; at += len + 1) {
		const char *comma = memchr(s + at, ',', n - at);

		len = comma == NULL ? n - at : (size_t)(comma - s) - at;
		for (i = 0; i < COUNT(rows); i++)
			if (is_word(rows[i].word, s + at, len))
				break;
		if (i == COUNT(rows))
			return false;
		w->notify |= rows[i].bit;
		if (comma == NULL)
			break;
	}
	/* It stands alone (RFC 3461 4.1). */
	return (w->notify & NOTIFY_NEVER) == 0 || w->notify == NOTIFY_NEVER;
}

static bool
take_orcpt(struct server_wants *w, const char *s, size_t n)
{
	const char *semicolon = memchr(s, ';', n);
	size_t type = semicolon == NULL ? 0 : (size_t)(semicolon - s), from;
	struct orcpt o;
	struct buf b;
	bool good;

	if (type == 0 || n > ORCPT_MAX)
		return false;
	buf_init(&b, ORCPT_MAX);
	buf_add(&b, s, type + 1);
	from = b.len;
	good = (is_word("utf-8", s, type) ? enc_unutf8_xtext : enc_unxtext)(
		   &b, s + type + 1, n - type - 1) == 0 &&
	    buf_ok(&b) && is_printable(b.data + from, b.len - from) &&
	    strlen(buf_str(&b)) == b.len;
	if (good) {
		o = orcpt_parse(buf_str(&b));
		good = o.address == b.data + from &&
		    (orcpt_is_utf8(&o) || !enc_has_8bit(b.data, b.len));
	}
	if (good)
		w->orcpt = strdup(buf_str(&b));
	buf_free(&b);
	return good;
}

/* ---- rows ---- */

static const struct row {
	const char *name;
	enum server_command command;
	bool (*take)(struct server_wants *, const char *value, size_t n);
	const char *form; /* static: what a value looks like */
} rows[] = {
	{ "SIZE", SERVER_MAIL, take_size, "SIZE=OCTETS" },
	{ "BODY", SERVER_MAIL, take_body, "BODY=7BIT or BODY=8BITMIME" },
	{ "SMTPUTF8", SERVER_MAIL, take_utf8, "SMTPUTF8 without a value" },
	{ "RET", SERVER_MAIL, take_return, "RET=FULL or RET=HDRS" },
	{ "ENVID", SERVER_MAIL, take_envid,
	    "ENVID=XTEXT of at most 100 characters" },
	{ "NOTIFY", SERVER_RCPT, take_notify,
	    "NOTIFY=NEVER, or of SUCCESS,FAILURE,DELAY" },
	{ "ORCPT", SERVER_RCPT, take_orcpt, "ORCPT=TYPE;XTEXT" },
};

static int
refuse(struct err *e, int code, const char *what, const char *s, size_t n)
{
	char name[40];

	err_set(e, ERR_PERM, ERR_USAGE, "%s%s", what,
	    s == NULL ? "" : enc_printable_str(name, sizeof name, s, n));
	e->code = code;
	e->enhanced = (struct enhanced){ 5, 5, 4 };
	return -1;
}

static int
take(struct server_wants *w, enum server_command command, const char *s,
    size_t n, struct err *e)
{
	const char *equals = memchr(s, '=', n);
	size_t name = equals == NULL ? n : (size_t)(equals - s), i;
	const char *value = equals == NULL ? s + n : equals + 1;

	for (i = 0; i < COUNT(rows); i++)
		if (rows[i].command == command &&
		    is_word(rows[i].name, s, name))
			break;
	if (i == COUNT(rows))
		return refuse(e, 555, "parameter not known here: ", s, name);
	if ((w->seen & 1u << i) != 0)
		return refuse(e, 501, "parameter is there twice: ", s, name);
	w->seen |= 1u << i;
	if (!rows[i].take(w, value, (size_t)(s + n - value)))
		return refuse(e, 501, rows[i].form, NULL, 0);
	return 0;
}

/* All that is a string was copied. */
static int
check_memory(const struct server_wants *w, struct err *e)
{
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		bool lost = (rows[i].take == take_envid && w->envid == NULL) ||
		    (rows[i].take == take_orcpt && w->orcpt == NULL);

		if ((w->seen & 1u << i) == 0 || !lost)
			continue;
		err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
		e->code = 451;
		e->enhanced = (struct enhanced){ 4, 3, 0 };
		return -1;
	}
	return 0;
}

int
server_wants_parse(struct server_wants *w, enum server_command command,
    const char *s, size_t n, struct err *e)
{
	size_t from = 0, end;

	for (; from < n; from = end + 1) {
		const char *space = memchr(s + from, ' ', n - from);

		end = space == NULL ? n : (size_t)(space - s);
		if (end > from &&
		    take(w, command, s + from, end - from, e) == -1)
			return -1;
	}
	return check_memory(w, e);
}

void
server_wants_free(struct server_wants *w)
{
	free(w->envid);
	free(w->orcpt);
	*w = (struct server_wants){ 0 };
}
