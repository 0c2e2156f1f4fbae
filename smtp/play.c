/*
 * play: see play.h. Each kind of step is a row of two functions: what we do
 * when it is ours, and what we expect when it is the peer's.
 * A function takes what it can from p->in, or puts what it has into p->out,
 * and says whether the step is over; the loop is in play_next().
 * Ownership: the buffers of struct play.
 */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "smtp/play.h"

/* A generator puts out so many octets at a time. */
#define BATCH (16u * 1024)
#define OUT_MAX (256u * 1024 * 1024)
#define WHY_MAX 4096
/* Of what came, so much is shown. */
#define SHOWN 160

/* What a step function says, beside an enum play_does. */
enum {
	STEP_ON = -1, /* the step is over */
	STEP_AGAIN = -2, /* it is not, but its output goes first */
	STEP_READY = -3 /* what it waited for is there */
};

typedef int step_fn(struct play *, const struct dialogue_step *);

struct step_row {
	step_fn *mine;
	step_fn *theirs; /* NULL: only we can play it */
};

struct line {
	const char *s;
	size_t n; /* without its end */
	size_t all; /* with it */
};

/* Where in a line of data the next octet stands. */
enum { DOT_BOL, DOT_TEXT, DOT_CR, DOT_DOT, DOT_DOTCR };

/* --- failures ------------------------------------------------------------- */

static void
show(struct buf *b, const char *s, size_t n)
{
	buf_addc(b, '"');
	enc_printable(b, s, n > SHOWN ? SHOWN : n);
	buf_adds(b, n > SHOWN ? "...\"" : "\"");
}

/* What the peer has sent and nobody expected. */
static void
show_in(const struct play *p, struct buf *b)
{
	const char *lf = memchr(buf_str(&p->in), '\n', p->in.len);
	size_t n = p->in.len;

	if (n == 0) {
		buf_adds(b, "the end of the connection");
		return;
	}
	if (lf != NULL)
		n = (size_t)(lf - p->in.data);
	if (lf != NULL && n > 0 && p->in.data[n - 1] == '\r')
		n--;
	show(b, buf_str(&p->in), n);
}

static int
fail_expected(
    struct play *p, const struct dialogue_step *step, const char *what)
{
	buf_addf(&p->why, "line %u: expected %s", step->line, what);
	if (step->text[0] != '\0') {
		buf_addc(&p->why, ' ');
		show(&p->why, step->text, strlen(step->text));
	}
	buf_adds(&p->why, ", got ");
	show_in(p, &p->why);
	return PLAY_FAILED;
}

static int
fail_at(struct play *p, unsigned line, const char *what)
{
	buf_addf(&p->why, "line %u: %s", line, what);
	return PLAY_FAILED;
}

/* --- texts with groups ---------------------------------------------------- */

static void
add_element(struct buf *b, int element)
{
	buf_add(b, &element, sizeof(element));
}

/* The elements of a text, an int each, with what the groups hold. */
static void
expand(const struct play *p, const char *text, struct buf *elements)
{
	const struct buf *group;
	int element;
	size_t i;

	buf_init(elements, SIZE_MAX / 2);
	while ((element = dialogue_element(&text)) >= 0) {
		if (element < DIALOGUE_GROUP) {
			add_element(elements, element);
			continue;
		}
		group = &p->groups[element - DIALOGUE_GROUP];
		for (i = 0; i < group->len; i++)
			add_element(elements, (unsigned char)group->data[i]);
	}
}

static const int *
element_list(const struct buf *elements, size_t *count)
{
	*count = elements->len / sizeof(int);
	return (const int *)(const void *)elements->data;
}

/* The octets of a text; a bare * that is sent goes as it stands. */
static void
add_text(const struct play *p, const char *text, struct buf *to)
{
	struct buf elements;
	const int *list;
	size_t count, i;

	expand(p, text, &elements);
	list = element_list(&elements, &count);
	for (i = 0; i < count; i++)
		buf_addc(to, list[i] == DIALOGUE_ANY ? '*' : (char)list[i]);
	buf_free(&elements);
}

static bool
matches(const struct play *p, const char *text, struct line l)
{
	struct buf elements;
	const int *list;
	size_t count;
	bool match;

	expand(p, text, &elements);
	list = element_list(&elements, &count);
	match = dialogue_match_elements(list, count, l.s, l.n);
	buf_free(&elements);
	return match;
}

/* --- lines ---------------------------------------------------------------- */

/*
 * The peer's next line: ready, wait, or failed. A client has to end its
 * lines with CRLF (RFC 5321 2.3.8); a server that does not is put up with.
 */
static int
next_line(struct play *p, const struct dialogue_step *step, struct line *l)
{
	const char *s = buf_str(&p->in);
	const char *lf = memchr(s, '\n', p->in.len);

	if (lf == NULL && p->in.len > PLAY_LINE_MAX)
		return fail_expected(p, step, "a line with an end,");
	if (lf == NULL && p->ended)
		return fail_expected(p, step, "the line");
	if (lf == NULL)
		return PLAY_WAIT;
	*l = (struct line){ s, (size_t)(lf - s), (size_t)(lf - s) + 1 };
	if (l->n > 0 && s[l->n - 1] == '\r')
		l->n--;
	else if (p->us == SIDE_SERVER)
		return fail_expected(p, step, "CRLF behind");
	return STEP_READY;
}

static int
send_line(struct play *p, const struct dialogue_step *step)
{
	add_text(p, step->text, &p->out);
	buf_adds(&p->out, "\r\n");
	return STEP_ON;
}

static int
expect_line(struct play *p, const struct dialogue_step *step)
{
	struct line l;
	int rc = next_line(p, step, &l);

	if (rc != STEP_READY)
		return rc;
	if (!matches(p, step->text, l))
		return fail_expected(p, step, "the line");
	buf_consume(&p->in, l.all);
	return STEP_ON;
}

static int
send_optional(struct play *p, const struct dialogue_step *step)
{
	return p->took ? send_line(p, step) : STEP_ON;
}

static int
expect_optional(struct play *p, const struct dialogue_step *step)
{
	struct line l;
	int rc;

	p->took = false;
	if (p->ended && memchr(buf_str(&p->in), '\n', p->in.len) == NULL)
		return STEP_ON;
	rc = next_line(p, step, &l);
	if (rc != STEP_READY)
		return rc;
	p->took = matches(p, step->text, l);
	if (p->took)
		buf_consume(&p->in, l.all);
	return STEP_ON;
}

/* RFC 5321 4.2.1: a hyphen behind the code says that more lines follow. */
static int
expect_last(struct play *p, const struct dialogue_step *step)
{
	struct line l;
	int rc;

	while ((rc = next_line(p, step, &l)) == STEP_READY) {
		if (l.n < 4 || l.s[3] != '-')
			return expect_line(p, step);
		buf_consume(&p->in, l.all);
	}
	return rc;
}

static void
keep_groups(struct play *p, struct line l, const regmatch_t *m)
{
	size_t i;

	for (i = 0; i < DIALOGUE_GROUPS; i++) {
		buf_reset(&p->groups[i]);
		if (m[i].rm_so >= 0)
			buf_add(&p->groups[i], l.s + m[i].rm_so,
			    (size_t)(m[i].rm_eo - m[i].rm_so));
	}
}

static int
expect_regex(struct play *p, const struct dialogue_step *step)
{
	regmatch_t m[DIALOGUE_GROUPS];
	struct line l;
	regex_t re;
	int rc = next_line(p, step, &l);

	if (rc != STEP_READY)
		return rc;
	if (regcomp(&re, step->text, REG_EXTENDED) != 0)
		return fail_at(p, step->line, "no memory for the expression");
	m[0] = (regmatch_t){ 0, (regoff_t)l.n };
	rc = regexec(&re, l.s, DIALOGUE_GROUPS, m, REG_STARTEND);
	regfree(&re);
	if (rc != 0)
		return fail_expected(p, step, "a line like");
	keep_groups(p, l, m);
	buf_consume(&p->in, l.all);
	return STEP_ON;
}

/* --- octets --------------------------------------------------------------- */

static int
send_octets(struct play *p, const struct dialogue_step *step)
{
	add_text(p, step->text, &p->out);
	return STEP_ON;
}

static int
expect_octets(struct play *p, const struct dialogue_step *step)
{
	struct buf want;
	int rc = STEP_ON;
	size_t n;

	buf_init(&want, SIZE_MAX / 2);
	add_text(p, step->text, &want);
	n = want.len < p->in.len ? want.len : p->in.len;
	if (memcmp(buf_str(&want), buf_str(&p->in), n) != 0 ||
	    (n < want.len && p->ended))
		rc = fail_expected(p, step, "the octets");
	else if (n < want.len)
		rc = PLAY_WAIT;
	else
		buf_consume(&p->in, n);
	buf_free(&want);
	return rc;
}

/* The text as often as `left` says, but no more than fits a batch. */
static void
add_batch(struct play *p, const char *text)
{
	struct buf once;

	buf_init(&once, OUT_MAX);
	add_text(p, text, &once);
	if (once.len == 0)
		p->left = 0;
	for (; p->left > 0 && p->out.len < BATCH; p->left--)
		buf_add(&p->out, once.data, once.len);
	buf_free(&once);
}

static int
send_repeat(struct play *p, const struct dialogue_step *step)
{
	if (!p->begun)
		p->left = step->n;
	p->begun = true;
	add_batch(p, step->text);
	return p->left == 0 || p->ended ? STEP_ON : STEP_AGAIN;
}

/* Whatever the peer says meanwhile is not heard. */
static int
send_endless(struct play *p, const struct dialogue_step *step)
{
	buf_reset(&p->in);
	p->left = UINT64_MAX;
	add_batch(p, step->text);
	return p->left == 0 || p->ended ? STEP_ON : STEP_AGAIN;
}

/* The step's number, or that of the group it names. */
static uint64_t
count_of(const struct play *p, const struct dialogue_step *step)
{
	struct buf digits;
	uint64_t n;

	if (step->text[0] == '\0')
		return step->n;
	buf_init(&digits, 64);
	add_text(p, step->text, &digits);
	n = strtoull(buf_str(&digits), NULL, 10);
	buf_free(&digits);
	return n;
}

static int
expect_count(struct play *p, const struct dialogue_step *step)
{
	size_t n;

	if (!p->begun)
		p->left = count_of(p, step);
	p->begun = true;
	n = p->left < p->in.len ? (size_t)p->left : p->in.len;
	buf_consume(&p->in, n);
	p->left -= n;
	if (p->left == 0)
		return STEP_ON;
	return p->ended ? fail_expected(p, step, "more octets") : PLAY_WAIT;
}

/* --- data ----------------------------------------------------------------- */

void
play_wire(struct buf *b, const char *s, size_t n)
{
	bool bol = true;
	size_t i;

	for (i = 0; i < n; i++) {
		if (bol && s[i] == '.')
			buf_addc(b, '.');
		bol = s[i] == '\n' || s[i] == '\r';
		if (bol)
			buf_adds(b, "\r\n");
		else
			buf_addc(b, s[i]);
		if (s[i] == '\r' && i + 1 < n && s[i + 1] == '\n')
			i++;
	}
	if (!bol)
		buf_adds(b, "\r\n");
}

static int
send_data(struct play *p, const struct dialogue_step *step)
{
	(void)step;
	play_wire(&p->out, buf_str(p->message), p->message->len);
	buf_adds(&p->out, ".\r\n");
	return STEP_ON;
}

static int
fail_data(struct play *p, const struct dialogue_step *step, const char *what,
    size_t at)
{
	size_t rest =
	    p->taken < p->wire.len ? p->wire.len - (size_t)p->taken : 0;

	buf_addf(&p->why, "line %u: %s at octet %llu of the data: ", step->line,
	    what, (unsigned long long)p->taken);
	if (step->text[0] != '\0') {
		buf_adds(&p->why, "expected ");
		show(&p->why, buf_str(&p->wire) + p->wire.len - rest, rest);
		buf_adds(&p->why, ", ");
	}
	buf_adds(&p->why, "got ");
	show(&p->why, buf_str(&p->in) + at, p->in.len - at);
	return PLAY_FAILED;
}

/* One octet of content, as it stands on the wire. */
static bool
content(struct play *p, const struct dialogue_step *step, char c)
{
	if (step->text[0] != '\0' &&
	    (p->taken >= p->wire.len || p->wire.data[p->taken] != c))
		return false;
	p->taken++;
	return true;
}

static const struct {
	int dot;
	char c;
	int next;
	const char *add; /* content that is now known to be content */
} dot_rows[] = {
	{ DOT_BOL, '.', DOT_DOT, "" },
	{ DOT_BOL, '\r', DOT_CR, "" },
	{ DOT_TEXT, '\r', DOT_CR, "" },
	{ DOT_DOT, '\r', DOT_DOTCR, "" },
	{ DOT_CR, '\n', DOT_BOL, "\r\n" },
};

/* A CR and an LF belong together (RFC 5321 2.3.8), or there is smuggling. */
static bool
stands_alone(int dot, char c)
{
	return (dot == DOT_CR || dot == DOT_DOTCR) != (c == '\n');
}

/* The octet at i of the input: over, again, or failed. */
static int
take_data(struct play *p, const struct dialogue_step *step, size_t i)
{
	char c = buf_str(&p->in)[i];
	const char *add;
	size_t row;

	if (stands_alone(p->dot, c))
		return fail_data(p, step, "a bare CR or LF", i);
	if (p->dot == DOT_DOTCR)
		return STEP_ON;
	for (row = 0; row < sizeof(dot_rows) / sizeof(dot_rows[0]); row++)
		if (dot_rows[row].dot == p->dot && dot_rows[row].c == c)
			break;
	if (row < sizeof(dot_rows) / sizeof(dot_rows[0])) {
		p->dot = dot_rows[row].next;
		for (add = dot_rows[row].add; *add != '\0'; add++)
			if (!content(p, step, *add))
				return fail_data(p, step, "a difference", i);
		return STEP_AGAIN;
	}
	if (p->dot == DOT_DOT && !content(p, step, '.'))
		return fail_data(p, step, "a difference", i);
	p->dot = DOT_TEXT;
	return content(p, step, c) ? STEP_AGAIN
				   : fail_data(p, step, "a difference", i);
}

static int
expect_data(struct play *p, const struct dialogue_step *step)
{
	int rc = STEP_AGAIN;
	size_t i = 0;

	if (!p->begun) {
		p->dot = DOT_BOL;
		p->taken = 0;
		buf_reset(&p->wire);
		play_wire(&p->wire, buf_str(p->message), p->message->len);
	}
	p->begun = true;
	while (i < p->in.len && rc == STEP_AGAIN)
		rc = take_data(p, step, i++);
	if (rc == PLAY_FAILED)
		return rc;
	buf_consume(&p->in, i);
	if (rc == STEP_ON && step->text[0] != '\0' && p->taken < p->wire.len)
		return fail_data(p, step, "the lone dot", 0);
	if (rc == STEP_ON)
		return STEP_ON;
	return p->ended ? fail_expected(p, step, "more data") : PLAY_WAIT;
}

/* --- the connection ------------------------------------------------------- */

static int
set_pieces(struct play *p, const struct dialogue_step *step)
{
	p->piece = step->n;
	p->ms = step->ms;
	return STEP_ON;
}

static int
do_close(struct play *p, const struct dialogue_step *step)
{
	(void)p;
	(void)step;
	return PLAY_CLOSE;
}

static int
do_reset(struct play *p, const struct dialogue_step *step)
{
	(void)p;
	(void)step;
	return PLAY_RESET;
}

static int
expect_end(struct play *p, const struct dialogue_step *step)
{
	if (p->in.len > 0)
		return fail_expected(p, step, "the end of the connection");
	return p->ended ? STEP_ON : PLAY_WAIT;
}

/* Whatever the peer says now falls on deaf ears, also behind this step. */
static int
do_stall(struct play *p, const struct dialogue_step *step)
{
	(void)step;
	buf_reset(&p->in);
	return p->ended ? STEP_ON : PLAY_WAIT;
}

static int
do_deaf(struct play *p, const struct dialogue_step *step)
{
	(void)step;
	buf_reset(&p->in);
	return p->ended ? STEP_ON : PLAY_DEAF;
}

/* Once, and then on. */
static int
do_call(struct play *p, const struct dialogue_step *step)
{
	(void)step;
	if (p->begun)
		return STEP_ON;
	p->begun = true;
	return PLAY_CALL;
}

/* How a peer cuts or keeps its words is nothing to wait for. */
static int
pass(struct play *p, const struct dialogue_step *step)
{
	(void)p;
	(void)step;
	return STEP_ON;
}

/* A pattern stands for many lines: there is no one to send. */
static int
refuse(struct play *p, const struct dialogue_step *step)
{
	return fail_at(p, step->line, "this side cannot play that");
}

static const struct step_row rows[DIALOGUE_KINDS] = {
	[DIALOGUE_LINE] = { send_line, expect_line },
	[DIALOGUE_REGEX] = { refuse, expect_regex },
	[DIALOGUE_OCTETS] = { send_octets, expect_octets },
	[DIALOGUE_LAST] = { send_line, expect_last },
	[DIALOGUE_OPTIONAL] = { send_optional, expect_optional },
	[DIALOGUE_CLOSE] = { do_close, expect_end },
	[DIALOGUE_RESET] = { do_reset, expect_end },
	[DIALOGUE_STALL] = { do_stall, pass },
	[DIALOGUE_DEAF] = { do_deaf, pass },
	[DIALOGUE_REPEAT] = { send_repeat, refuse },
	[DIALOGUE_ENDLESS] = { send_endless, refuse },
	[DIALOGUE_PIECES] = { set_pieces, pass },
	[DIALOGUE_DATA] = { send_data, expect_data },
	[DIALOGUE_TAKE] = { refuse, expect_count },
	[DIALOGUE_CALL] = { do_call, pass },
};

/* --- the machine ---------------------------------------------------------- */

void
play_init(struct play *p, const struct dialogue_connection *c,
    const struct buf *message, enum side us)
{
	size_t i;

	*p = (struct play){ .c = c, .message = message, .us = us };
	buf_init(&p->in, PLAY_IN_MAX);
	buf_init(&p->out, OUT_MAX);
	buf_init(&p->wire, OUT_MAX);
	buf_init(&p->why, WHY_MAX);
	for (i = 0; i < DIALOGUE_GROUPS; i++)
		buf_init(&p->groups[i], PLAY_LINE_MAX);
}

void
play_free(struct play *p)
{
	size_t i;

	if (p == NULL)
		return;
	buf_free(&p->in);
	buf_free(&p->out);
	buf_free(&p->wire);
	buf_free(&p->why);
	for (i = 0; i < DIALOGUE_GROUPS; i++)
		buf_free(&p->groups[i]);
}

void
play_feed(struct play *p, const void *s, size_t n)
{
	buf_add(&p->in, s, n);
}

void
play_end(struct play *p)
{
	p->ended = true;
}

void
play_sent(struct play *p, size_t n)
{
	p->sent += n;
	if (p->sent < p->out.len)
		return;
	buf_reset(&p->out);
	p->sent = 0;
}

/* A server sees its client off; a client just leaves. */
static int
at_end(struct play *p)
{
	unsigned line =
	    p->c->n > 0 ? p->c->steps[p->c->n - 1].line : p->c->line;

	if (p->us == SIDE_CLIENT)
		return PLAY_DONE;
	if (p->in.len > 0) {
		buf_addf(&p->why,
		    "line %u: expected the end of the connection, got ", line);
		show_in(p, &p->why);
		return PLAY_FAILED;
	}
	return p->ended ? PLAY_DONE : PLAY_WAIT;
}

static int
play_step(struct play *p)
{
	const struct dialogue_step *step;
	const struct step_row *row;
	int rc;

	if (p->at == p->c->n)
		return at_end(p);
	step = &p->c->steps[p->at];
	row = &rows[step->kind];
	rc = (step->side == p->us ? row->mine : row->theirs)(p, step);
	if (rc == STEP_ON) {
		p->at++;
		p->begun = false;
	}
	return rc;
}

/* A buffer that lost octets would play another dialogue. */
static bool
lost(struct play *p)
{
	if (buf_ok(&p->in) && buf_ok(&p->out) && buf_ok(&p->wire))
		return false;
	fail_at(p, p->at < p->c->n ? p->c->steps[p->at].line : p->c->line,
	    "more octets than a play holds");
	return true;
}

static struct play_piece
next_piece(const struct play *p)
{
	struct play_piece piece = { p->out.data + p->sent, p->out.len - p->sent,
		p->ms };

	if (p->piece > 0 && piece.n > p->piece)
		piece.n = (size_t)p->piece;
	return piece;
}

enum play_does
play_next(struct play *p, struct play_piece *piece)
{
	int rc = STEP_ON;

	while (rc < 0) {
		if (p->why.len > 0 || lost(p))
			return PLAY_FAILED;
		if (p->ended)
			play_sent(p, p->out.len - p->sent);
		if (p->out.len > p->sent)
			rc = PLAY_SEND;
		else
			rc = play_step(p);
	}
	if (rc == PLAY_SEND)
		*piece = next_piece(p);
	if (rc == PLAY_CALL)
		piece->octets = p->c->steps[p->at].text;
	return (enum play_does)rc;
}

const char *
play_why(const struct play *p)
{
	return buf_str(&p->why);
}
