/*
 * dialogue: see dialogue.h. A line of a script is told by its beginning: a
 * side and a marker, a block, a message line, a field.
 * What stands behind a marker or a word is checked here, so that a script
 * with a mistake fails before its first octet is sent.
 * Ownership: strings are copies, released by dialogue_free().
 */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/err.h"
#include "smtp/dialogue.h"

/* A message that a script builds, octets. */
#define MESSAGE_MAX (64u * 1024 * 1024)

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct parser {
	struct dialogue *d;
	unsigned line; /* counted from 1 */
	struct err *e;
};

/* What stands behind a marker or a word. */
struct form {
	int (*read)(struct parser *, struct dialogue_step *, const char *);
	const char *means; /* for the error */
};

struct kind_row {
	const char *word; /* a marker of one character, or a word after "!" */
	const struct form *form;
};

/* --- texts ---------------------------------------------------------------- */

static const struct {
	char name;
	char octet;
} escapes[] = {
	{ 'r', '\r' },
	{ 'n', '\n' },
	{ 't', '\t' },
	{ '0', '\0' },
	{ '\\', '\\' },
	{ '*', '*' },
	{ '$', '$' },
};

/* Behind a backslash. */
static int
escape(const char **text)
{
	const char *s = *text;
	int high, low;
	size_t i;

	if (*s == 'x') {
		high = enc_hex_digit(s[1]);
		low = high < 0 ? -1 : enc_hex_digit(s[2]);
		*text = s + 3;
		return low < 0 ? -2 : high * 16 + low;
	}
	*text = s + 1;
	for (i = 0; i < COUNT(escapes); i++)
		if (*s == escapes[i].name)
			return escapes[i].octet;
	return -2;
}

int
dialogue_element(const char **text)
{
	const char *s = *text;

	if (*s == '\0')
		return -1;
	if (*s == '\\') {
		*text = s + 1;
		return escape(text);
	}
	if (s[0] == '$' && s[1] == '{') {
		if (s[2] < '0' || s[2] > '9' || s[3] != '}')
			return -2;
		*text = s + 4;
		return DIALOGUE_GROUP + (s[2] - '0');
	}
	*text = s + 1;
	return *s == '*' ? DIALOGUE_ANY : (unsigned char)*s;
}

bool
dialogue_octets(struct buf *b, const char *text)
{
	int element;

	while ((element = dialogue_element(&text)) >= 0) {
		if (element >= DIALOGUE_GROUP)
			return false;
		buf_addc(b, element == DIALOGUE_ANY ? '*' : (char)element);
	}
	return element == -1;
}

bool
dialogue_match_elements(
    const int *elements, size_t count, const char *s, size_t n)
{
	size_t e = 0, i = 0, star = SIZE_MAX, from = 0;

	while (i < n) {
		if (e < count && elements[e] == DIALOGUE_ANY) {
			star = e++;
			from = i;
		} else if (e < count && elements[e] == (unsigned char)s[i]) {
			e++;
			i++;
		} else if (star != SIZE_MAX) {
			e = star + 1;
			i = ++from;
		} else {
			return false;
		}
	}
	while (e < count && elements[e] == DIALOGUE_ANY)
		e++;
	return e == count;
}

bool
dialogue_match(const char *text, const char *s, size_t n)
{
	size_t count = 0, size = strlen(text) + 1;
	int *elements = calloc(size, sizeof(*elements));
	bool match;

	if (elements == NULL)
		return false;
	while ((elements[count] = dialogue_element(&text)) >= 0)
		count++;
	match = elements[count] == -1 &&
	    dialogue_match_elements(elements, count, s, n);
	free(elements);
	return match;
}

/* --- growing lists -------------------------------------------------------- */

static int
fail(struct parser *p, const char *what)
{
	return err_set(p->e, ERR_PERM, ERR_USAGE, "line %u: %s", p->line, what);
}

static int
no_memory(struct parser *p)
{
	return err_set(p->e, ERR_TEMP, ERR_MACHINE, "no memory for the script");
}

/*
 * The list of n elements with a zeroed one behind them: where it is now, or
 * NULL (the old one stays). It is full whenever n is a power of two, so no
 * field for the room is kept.
 */
static void *
grow(struct parser *p, void *list, size_t n, size_t size)
{
	char *more = list;

	if ((n & (n - 1)) == 0)
		more = reallocarray(list, n == 0 ? 1 : n * 2, size);
	if (more == NULL) {
		no_memory(p);
		return NULL;
	}
	memset(more + n * size, 0, size);
	return more;
}

static int
copy(struct parser *p, char **to, const char *s)
{
	*to = strdup(s);
	return *to == NULL ? no_memory(p) : 0;
}

static const char *
skip(const char *s)
{
	return s + strspn(s, " \t");
}

/* --- what stands behind a marker or a word -------------------------------- */

static int
read_text(struct parser *p, struct dialogue_step *step, const char *s)
{
	const char *at = s;
	int element;

	while ((element = dialogue_element(&at)) >= 0)
		;
	if (element != -1)
		return fail(p, "a malformed escape");
	return copy(p, &step->text, s);
}

static int
read_regex(struct parser *p, struct dialogue_step *step, const char *s)
{
	regex_t re;
	char why[128];
	int rc = regcomp(&re, s, REG_EXTENDED);

	if (rc != 0) {
		regerror(rc, &re, why, sizeof(why));
		return fail(p, why);
	}
	regfree(&re);
	return copy(p, &step->text, s);
}

static int
read_nothing(struct parser *p, struct dialogue_step *step, const char *s)
{
	if (*s != '\0')
		return -1;
	return copy(p, &step->text, "");
}

/* Digits up to a space or the end; moves *s behind them and the spaces. */
static bool
number(const char **s, uint64_t *n)
{
	const char *at = *s;

	for (*n = 0; *at >= '0' && *at <= '9'; at++) {
		if (*n > UINT32_MAX)
			return false;
		*n = *n * 10 + (uint64_t)(*at - '0');
	}
	if (at == *s || (*at != ' ' && *at != '\0'))
		return false;
	*s = skip(at);
	return true;
}

static int
read_pieces(struct parser *p, struct dialogue_step *step, const char *s)
{
	if (!number(&s, &step->n) ||
	    (*s != '\0' && (!number(&s, &step->ms) || *s != '\0')))
		return -1;
	return copy(p, &step->text, "");
}

static int
read_repeat(struct parser *p, struct dialogue_step *step, const char *s)
{
	if (!number(&s, &step->n) || *s == '\0')
		return -1;
	return read_text(p, step, s);
}

static int
read_some(struct parser *p, struct dialogue_step *step, const char *s)
{
	return *s == '\0' ? -1 : read_text(p, step, s);
}

/* A number, or a group that is one when the time comes. */
static int
read_count(struct parser *p, struct dialogue_step *step, const char *s)
{
	if (*s == '$')
		return read_text(p, step, s);
	if (!number(&s, &step->n) || *s != '\0')
		return -1;
	return copy(p, &step->text, "");
}

static int
read_data(struct parser *p, struct dialogue_step *step, const char *s)
{
	if (*s != '\0' && strcmp(s, "message") != 0)
		return -1;
	return copy(p, &step->text, s);
}

static const struct form text_form = { read_text, "a text" };
static const struct form regex_form = { read_regex, "an expression" };
static const struct form no_form = { read_nothing, "nothing behind it" };
static const struct form pieces_form = { read_pieces, "OCTETS [MS]" };
static const struct form repeat_form = { read_repeat, "TIMES TEXT" };
static const struct form some_form = { read_some, "TEXT" };
static const struct form count_form = { read_count, "OCTETS" };
static const struct form data_form = { read_data, "\"message\" or nothing" };

static const struct kind_row kind_rows[DIALOGUE_KINDS] = {
	[DIALOGUE_LINE] = { ":", &text_form },
	[DIALOGUE_REGEX] = { "~", &regex_form },
	[DIALOGUE_OCTETS] = { "-", &text_form },
	[DIALOGUE_LAST] = { "+", &text_form },
	[DIALOGUE_OPTIONAL] = { "?", &text_form },
	[DIALOGUE_CLOSE] = { "close", &no_form },
	[DIALOGUE_RESET] = { "reset", &no_form },
	[DIALOGUE_STALL] = { "stall", &no_form },
	[DIALOGUE_DEAF] = { "deaf", &no_form },
	[DIALOGUE_REPEAT] = { "repeat", &repeat_form },
	[DIALOGUE_ENDLESS] = { "endless", &some_form },
	[DIALOGUE_PIECES] = { "pieces", &pieces_form },
	[DIALOGUE_DATA] = { "data", &data_form },
	[DIALOGUE_TAKE] = { "octets", &count_form },
	[DIALOGUE_CALL] = { "call", &some_form },
};

/* --- steps ---------------------------------------------------------------- */

static struct dialogue_server *
add_server(struct parser *p, const char *name, size_t len, const char *form)
{
	struct dialogue *d = p->d;
	struct dialogue_server *list, *server;

	list = grow(p, d->servers, d->nservers, sizeof(*list));
	if (list == NULL)
		return NULL;
	d->servers = list;
	server = &list[d->nservers++];
	server->line = p->line;
	server->name = strndup(name, len);
	server->form = strdup(form);
	if (server->name != NULL && server->form != NULL)
		return server;
	no_memory(p);
	return NULL;
}

static struct dialogue_connection *
add_connection(struct parser *p, struct dialogue_server *server)
{
	struct dialogue_connection *list;

	list = grow(p, server->connections, server->n, sizeof(*list));
	if (list == NULL)
		return NULL;
	server->connections = list;
	list[server->n].line = p->line;
	return &list[server->n++];
}

/* The blocks that a step needs may be left out: a script of one dialogue. */
static struct dialogue_connection *
current(struct parser *p)
{
	struct dialogue *d = p->d;
	struct dialogue_server *server;

	server = d->nservers > 0 ? &d->servers[d->nservers - 1]
				 : add_server(p, "", 0, "");
	if (server == NULL)
		return NULL;
	return server->n > 0 ? &server->connections[server->n - 1]
			     : add_connection(p, server);
}

static struct dialogue_step *
add_step(struct parser *p, enum side side, enum dialogue_kind kind)
{
	struct dialogue_connection *c = current(p);
	struct dialogue_step *list;

	if (c == NULL)
		return NULL;
	list = grow(p, c->steps, c->n, sizeof(*list));
	if (list == NULL)
		return NULL;
	c->steps = list;
	list[c->n] = (struct dialogue_step){ p->line, side, kind, NULL, 0, 0 };
	return &list[c->n++];
}

/* The row whose word stands at s; *rest is what is behind it. */
static size_t
find_kind(const char *s, const char **rest)
{
	size_t n = 1, i;

	if (*s == '!') {
		s = skip(s + 1);
		n = strcspn(s, " \t");
	}
	*rest = s + n;
	for (i = 0; i < COUNT(kind_rows); i++)
		if (strlen(kind_rows[i].word) == n &&
		    memcmp(kind_rows[i].word, s, n) == 0)
			break;
	return i;
}

static int
read_step(struct parser *p, const char *s)
{
	struct dialogue_step *step;
	const struct form *form;
	const char *rest;
	size_t kind = find_kind(s + 1, &rest);

	if (kind == DIALOGUE_KINDS)
		return fail(p, "no such action");
	step = add_step(p, s[0] == 'C' ? SIDE_CLIENT : SIDE_SERVER,
	    (enum dialogue_kind)kind);
	if (step == NULL)
		return -1;
	form = kind_rows[kind].form;
	err_clear(p->e);
	rest = s[1] == '!' ? skip(rest) : rest + (*rest == ' ');
	if (form->read(p, step, rest) == 0)
		return 0;
	if (p->e->verdict != ERR_OK)
		return -1;
	return err_set(p->e, ERR_PERM, ERR_USAGE, "line %u: %s takes %s",
	    p->line, kind_rows[kind].word, form->means);
}

/* --- blocks, message, fields ---------------------------------------------- */

static int
read_server(struct parser *p, const char *s)
{
	size_t len = strcspn(s, " \t");

	if (len == 0)
		return fail(p, "server takes NAME [FORM]");
	return add_server(p, s, len, skip(s + len)) == NULL ? -1 : 0;
}

static int
read_connection(struct parser *p, const char *s)
{
	struct dialogue *d = p->d;
	struct dialogue_connection *c;

	if (d->nservers == 0)
		return fail(p, "connection stands below server");
	if (*s != '\0' && strcmp(s, "optional") != 0)
		return fail(p, "connection takes \"optional\" or nothing");
	c = add_connection(p, &d->servers[d->nservers - 1]);
	if (c == NULL)
		return -1;
	c->optional = *s != '\0';
	return 0;
}

/* "message! repeat N TEXT" */
static int
repeat_message(struct parser *p, const char *s)
{
	struct buf *m = &p->d->message, once;
	uint64_t n;

	s = skip(s);
	if (strncmp(s, "repeat ", 7) != 0)
		return fail(p, "message! takes repeat TIMES TEXT");
	s = skip(s + 7);
	buf_init(&once, MESSAGE_MAX);
	if (!number(&s, &n) || !dialogue_octets(&once, s) || once.len == 0) {
		buf_free(&once);
		return fail(p, "message! takes repeat TIMES TEXT");
	}
	for (; n > 0 && buf_ok(m); n--)
		buf_add(m, buf_str(&once), once.len);
	buf_free(&once);
	return 0;
}

/* "message: a line", "message- octets", "message! repeat" */
static int
read_message(struct parser *p, const char *s)
{
	struct buf *m = &p->d->message;
	char marker = *s++;
	int rc = 0;

	p->d->has_message = true;
	if (marker == '!')
		rc = repeat_message(p, s);
	else if (!dialogue_octets(m, s + (*s == ' ')))
		rc = fail(p, "a malformed escape");
	else if (marker == ':')
		buf_addc(m, '\n');
	if (rc == 0 && !buf_ok(m))
		rc = fail(p, "the message is too long");
	return rc;
}

static int
read_field(struct parser *p, const char *s)
{
	struct dialogue *d = p->d;
	struct dialogue_field *list, *f;
	size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyz-");

	if (len == 0 || s[len] != ':')
		return fail(p, "neither a field, a block nor a step");
	if (d->nservers > 0)
		return fail(p, "a field below a block");
	list = grow(p, d->fields, d->nfields, sizeof(*list));
	if (list == NULL)
		return -1;
	d->fields = list;
	f = &list[d->nfields++];
	f->line = p->line;
	f->name = strndup(s, len);
	if (f->name == NULL)
		return no_memory(p);
	return copy(p, &f->text, skip(s + len + 1));
}

static const struct {
	const char *word;
	int (*read)(struct parser *, const char *);
} block_rows[] = {
	{ "server", read_server },
	{ "connection", read_connection },
};

static bool
is_step(const char *s)
{
	return (s[0] == 'C' || s[0] == 'S') && s[1] != '\0' &&
	    strchr(":~-+?!", s[1]) != NULL;
}

static bool
is_message(const char *s)
{
	return strncmp(s, "message", 7) == 0 && s[7] != '\0' &&
	    strchr(":-!", s[7]) != NULL && strncmp(s, "message-file:", 13) != 0;
}

static int
read_line(struct parser *p, const char *s)
{
	size_t i, len = strcspn(s, " \t");

	if (*s == '\0' || *s == '#')
		return 0;
	if (is_step(s))
		return read_step(p, s);
	for (i = 0; i < COUNT(block_rows); i++)
		if (strlen(block_rows[i].word) == len &&
		    memcmp(block_rows[i].word, s, len) == 0)
			return block_rows[i].read(p, skip(s + len));
	return is_message(s) ? read_message(p, s + 7) : read_field(p, s);
}

static int
read_lines(struct parser *p, const char *s, size_t n)
{
	const char *end = s + n, *lf;
	struct buf line;
	int rc = 0;

	buf_init(&line, n);
	for (; s < end && rc == 0; s = lf + 1) {
		lf = memchr(s, '\n', (size_t)(end - s));
		if (lf == NULL)
			lf = end;
		p->line++;
		buf_reset(&line);
		buf_add(&line, s, (size_t)(lf - s));
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			buf_cut(&line, line.len - 1);
		if (!buf_ok(&line))
			rc = no_memory(p);
		else if (strlen(buf_str(&line)) != line.len)
			rc = fail(p, "a NUL");
		else
			rc = read_line(p, buf_str(&line));
	}
	buf_free(&line);
	return rc;
}

struct dialogue *
dialogue_parse(const char *s, size_t n, struct err *e)
{
	struct parser p = { .e = e };

	p.d = calloc(1, sizeof(*p.d));
	if (p.d == NULL) {
		no_memory(&p);
		return NULL;
	}
	buf_init(&p.d->message, MESSAGE_MAX);
	if (read_lines(&p, s, n) == -1) {
		dialogue_free(p.d);
		return NULL;
	}
	return p.d;
}

static void
free_server(struct dialogue_server *server)
{
	struct dialogue_connection *c;
	size_t i, j;

	for (i = 0; i < server->n; i++) {
		c = &server->connections[i];
		for (j = 0; j < c->n; j++)
			free(c->steps[j].text);
		free(c->steps);
	}
	free(server->connections);
	free(server->name);
	free(server->form);
}

void
dialogue_free(struct dialogue *d)
{
	size_t i;

	if (d == NULL)
		return;
	for (i = 0; i < d->nfields; i++) {
		free(d->fields[i].name);
		free(d->fields[i].text);
	}
	free(d->fields);
	for (i = 0; i < d->nservers; i++)
		free_server(&d->servers[i]);
	free(d->servers);
	buf_free(&d->message);
	free(d);
}
