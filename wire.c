/*
 * wire: see wire.h. Replies are read one at a time, and only as far as
 * asked, so that their order decides, not their packets.
 * Callers: proto.c, step.c, hello.c.
 * RFC 5321 4.2 (replies), 4.5.2 (dots), 4.5.3.2.5 (data block time-out).
 * Ownership: see wire.h.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mail/view.h"
#include "net/io.h"
#include "wire.h"

/* Octets of the message written at once, and the dot behind the last. */
#define CHUNK (64 * 1024)
#define DOT ".\r\n"

#define OUT_MAX (1024 * 1024)
#define COMMAND_LINE_MAX 3000

/* A stop was asked for, but the message is out: so long for its reply. */
#define GRACE_SECONDS 10

/* RFC 5321 4.5.3.2.5: for each block of data. */
#define BLOCK_SECONDS 180

void
wire_init(struct wire *w, struct io *io, const struct observer *obs,
    int64_t timeout_max)
{
	*w = (struct wire){ .io = io,
		.obs = obs,
		.timeout_max = timeout_max,
		.hurried = io->waiter };
	buf_init(&w->out, OUT_MAX);
	buf_init(&w->said, OUT_MAX);
	reply_init(&w->reply);
}

/* Who heard a stop waits by nobody's flag any more. */
static void
set_final(struct wire *w, bool final)
{
	w->final = final;
	if (w->hurried == NULL || w->stopped)
		return;
	w->patient = *w->hurried;
	w->patient.bound = (struct wait_bound){ 0 };
	w->io->waiter = final ? &w->patient : w->hurried;
}

void
wire_begin(struct wire *w)
{
	set_final(w, false);
}

void
wire_free(struct wire *w)
{
	set_final(w, false);
	buf_free(&w->out);
	buf_free(&w->said);
	reply_free(&w->reply);
}

void
wire_deadline(struct wire *w, int seconds)
{
	int64_t ms = (int64_t)seconds * 1000;

	/* One grace for all replies that are due (LMTP has several). */
	if (w->stopped)
		return;
	if (w->timeout_max > 0 && ms > w->timeout_max)
		ms = w->timeout_max;
	io_deadline(w->io, ms);
}

/* ---- telling ---- */

#define HIDDEN "<hidden>"
#define CODE_CHALLENGE 334 /* RFC 4954 4 */

static void
tell(struct wire *w, enum line_from from, const char *p, size_t n)
{
	if (w->obs->on_line != NULL)
		w->obs->on_line(w->obs->ctx, from, p, n);
}

void
wire_note(struct wire *w, const char *fmt, ...)
{
	char note[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(note, sizeof note, fmt, ap);
	va_end(ap);
	if (n > 0)
		tell(w, LINE_NOTE, note,
		    (size_t)n < sizeof note ? (size_t)n : sizeof note - 1);
}

/* ---- secrets that come back ---- */

/* What is shorter stands in many a line by chance; and of a long one the
 * beginning is enough, since long lines are cut. */
#define SECRET_MIN 6
#define SECRET_KNOWN 32

static bool
repeats(const char *p, size_t n, const char *secret, size_t len)
{
	return len >= SECRET_MIN &&
	    memmem(p, n, secret, len < SECRET_KNOWN ? len : SECRET_KNOWN) !=
	    NULL;
}

static bool
is_secret(const struct wire *w, const char *p, size_t n)
{
	const char *s = buf_str(&w->said), *end;

	if (w->password != NULL &&
	    repeats(p, n, w->password, strlen(w->password)))
		return true;
	for (; (end = strchr(s, '\n')) != NULL; s = end + 1)
		if (repeats(p, n, s, (size_t)(end - s)))
			return true;
	return false;
}

/* A server may say what we said, or that it was the wrong password. */
static void
hide_secrets(struct wire *w)
{
	struct buf text;
	const char *p;
	size_t i, n;

	if (!w->hides || w->reply.code == CODE_CHALLENGE)
		return;
	buf_init(&text, REPLY_TEXT_MAX + REPLY_LINES_MAX * sizeof HIDDEN);
	for (i = 0; (p = reply_line(&w->reply, i, &n)) != NULL; i++) {
		if (i > 0)
			buf_addc(&text, '\n');
		if (is_secret(w, p, n))
			buf_adds(&text, HIDDEN);
		else
			buf_add(&text, p, n);
	}
	if (!buf_ok(&text))
		w->reply.lines = 0; /* rather than what must not be shown */
	buf_free(&w->reply.text);
	w->reply.text = text;
}

static void
tell_reply(struct wire *w)
{
	char line[REPLY_LINE_KEPT + 8];
	const char *p;
	size_t i, len, n;

	if (w->obs->on_line == NULL)
		return;
	for (i = 0; (p = reply_line(&w->reply, i, &len)) != NULL; i++) {
		/* A challenge may repeat a secret, in base64, and SCRAM's last
		 * one is a proof by which passwords can be guessed without the
		 * server. */
		if (w->reply.code == CODE_CHALLENGE && len > 0) {
			p = HIDDEN;
			len = strlen(HIDDEN);
		}
		n = (size_t)snprintf(line, sizeof line, "%03d%c", w->reply.code,
		    i + 1 < w->reply.lines ? '-' : ' ');
		if (len > sizeof line - n)
			len = sizeof line - n;
		memcpy(line + n, p, len);
		tell(w, LINE_SERVER, line, n + len);
	}
}

/* News that we have is told before we depend on the server again. */
static void
on_wait(struct wire *w)
{
	if (w->obs->on_wait != NULL)
		w->obs->on_wait(w->obs->ctx);
}

/* ---- commands ---- */

/* A line that is whole goes to the others; `seen` is what may be told. */
static int
put_line(
    struct wire *w, const char *line, size_t n, const char *seen, struct err *e)
{
	snprintf(
	    w->command, sizeof w->command, "%.*s", ERR_COMMAND_MAX - 1, seen);
	tell(w, LINE_CLIENT, seen, strlen(seen));
	buf_add(&w->out, line, n);
	buf_adds(&w->out, "\r\n");
	if (!buf_ok(&w->out))
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	return 0;
}

static int
bad_line(struct err *e)
{
	err_set(e, ERR_PERM, ERR_INTERNAL,
	    "a command with a line end in it, or too long, was not sent");
	e->scope = SCOPE_MESSAGE;
	return -1;
}

int
wire_secret(
    struct wire *w, const char *line, size_t n, size_t shown, struct err *e)
{
	char seen[ERR_COMMAND_MAX + 16];

	if (memchr(line, '\r', n) != NULL || memchr(line, '\n', n) != NULL ||
	    shown > ERR_COMMAND_MAX)
		return bad_line(e);
	snprintf(seen, sizeof seen, "%.*s%s%s", (int)shown, line,
	    shown > 0 && shown < n ? " " : "", shown < n ? HIDDEN : "");
	w->secret = true;
	if (shown < n) {
		w->hides = true;
		shown += line[shown] == ' ';
		buf_add(&w->said, line + shown, n - shown);
		buf_addc(&w->said, '\n');
	}
	return put_line(w, line, n, seen, e);
}

int
wire_command(struct wire *w, struct err *e, const char *fmt, ...)
{
	char line[COMMAND_LINE_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof line || strpbrk(line, "\r\n") != NULL)
		return bad_line(e);
	return put_line(w, line, (size_t)n, line, e);
}

int
wire_flush(struct wire *w, struct err *e)
{
	size_t done;
	int got = 0;

	on_wait(w);
	/* What the server said before the line broke still counts. */
	if (w->out.len > 0 &&
	    io_write(w->io, w->out.data, w->out.len, false, &done, e) !=
		IO_WRITTEN &&
	    !io_readable(w->io))
		got = -1;
	if (w->secret)
		buf_free(&w->out);
	w->secret = false;
	buf_reset(&w->out);
	return got;
}

/* ---- replies ---- */

/*
 * Feed the parser with what was read: 1 when a reply is whole, 0 if more is
 * needed, -1 with *e if it is malformed.
 */
static int
parse_reply(struct wire *w, struct err *e)
{
	struct buf *in = &w->io->in;
	enum reply_status got;
	size_t used;

	if (in->len == 0)
		return 0;
	/* What began while data was on its way may end behind it. */
	if (w->whole)
		reply_reset(&w->reply);
	got = reply_feed(&w->reply, in->data, in->len, &used);
	buf_consume(in, used);
	w->whole = got == REPLY_DONE;
	if (w->whole)
		hide_secrets(w);
	if (got == REPLY_BAD)
		return err_set(e, ERR_TEMP, ERR_PROTOCOL, "malformed reply: %s",
		    w->reply.bad);
	return got == REPLY_DONE;
}

static int
more(struct wire *w, struct err *e)
{
	int got;

	on_wait(w);
	got = io_fill(w->io, e);
	if (got == -1 && w->final && wait_stopped(w->io->waiter)) {
		w->io->waiter = NULL;
		wire_deadline(w, GRACE_SECONDS);
		w->stopped = true;
		got = io_fill(w->io, e);
	}
	return got > 0 ? 0 : -1;
}

int
wire_reply(struct wire *w, struct err *e)
{
	int got;

	if (!w->early) {
		while ((got = parse_reply(w, e)) == 0)
			if (more(w, e) == -1)
				return -1;
		if (got == -1)
			return -1;
	}
	w->early = false;
	tell_reply(w);
	return 0;
}

int
wire_unexpected(struct wire *w, struct err *e)
{
	char words[ERR_TEXT_MAX / 2];

	err_set(e, ERR_TEMP, ERR_PROTOCOL, "unexpected reply \"%s\"",
	    reply_words(&w->reply, words, sizeof words));
	e->code = w->reply.code;
	return -1;
}

/* ---- the message ---- */

/*
 * The server spoke while data was on its way. Only a refusal can be meant:
 * 1 when one is whole (then data stops), 0 to go on, -1 with *e.
 */
static int
answered(struct wire *w, struct err *e)
{
	int got = parse_reply(w, e);

	if (got != 1)
		return got;
	if (reply_class(&w->reply) < 4)
		return wire_unexpected(w, e);
	w->early = true;
	return 1;
}

/*
 * answered(), with all that can be read without waiting: what makes a
 * connection readable need not be a word of the server's, with TLS.
 */
static int
spoken(struct wire *w, struct err *e)
{
	struct err end;
	int got;

	io_deadline(w->io, 0);
	while ((got = answered(w, e)) == 0)
		if (w->io->eof || !io_readable(w->io) ||
		    io_fill(w->io, &end) <= 0)
			break;
	return got;
}

/*
 * The connection broke while data was on its way. What the server said
 * before counts (a 552 and a close, for one): 1, else -1.
 */
static int
last_words(struct wire *w)
{
	struct err why;

	return spoken(w, &why) == 1 ? 1 : -1;
}

/* Write w->out: 0, 1 when the server has refused it already, -1 with *e. */
static int
write_data(struct wire *w, struct err *e)
{
	const char *p = w->out.data;
	size_t done, n = w->out.len;
	enum io_written got;
	int said;

	wire_deadline(w, BLOCK_SECONDS);
	for (; n > 0; p += done, n -= done) {
		got = io_write(w->io, p, n, true, &done, e);
		if (got == IO_FAILED)
			return last_words(w);
		if (got == IO_ANSWERED && (said = answered(w, e)) != 0)
			return said;
	}
	return 0;
}

/* A chunk of the view in w->out, with the dot behind the last one. All that is
 * asked for is wiped in the end: a short message does not get a whole one. */
static int
next_chunk(struct wire *w, struct view_reader *v, struct err *e)
{
	const uint64_t size = v->v->size;
	/* Were it all dots, there would be twice as many. */
	const size_t n = size < CHUNK / 4 ? 2 * (size_t)size + 64 : CHUNK;
	char *to;
	long got;

	buf_reset(&w->out);
	to = buf_room(&w->out, n);
	if (to == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	got = view_read(v, to, n, e);
	if (got == -1)
		return -1;
	buf_grew(&w->out, (size_t)got);
	if (view_done(v))
		buf_adds(&w->out, DOT);
	return 0;
}

static int
write_message(struct wire *w, struct view_reader *v, const size_t *rcpts,
    size_t n, struct err *e)
{
	const struct observer *o = w->obs;
	bool first = true;
	int got;

	/* What waits already cannot be the answer to data not yet sent. */
	got = answered(w, e);
	while (got == 0 && !view_done(v)) {
		if (next_chunk(w, v, e) == -1)
			return -1;
		/* A look at a long message's end, while it can be held back. */
		if (view_done(v) && !first && (got = spoken(w, e)) != 0)
			return got;
		first = false;
		/* Once the dot is on its way the server may have it all. */
		if (view_done(v) && o->on_final != NULL &&
		    o->on_final(o->ctx, rcpts, n, e) == -1)
			return -1;
		set_final(w, view_done(v));
		got = write_data(w, e);
	}
	return got;
}

int
wire_message(struct wire *w, const struct view *view, const size_t *rcpts,
    size_t n, struct err *e)
{
	struct view_reader v;
	int got;

	wire_note(w, "%" PRIu64 " octets of message", view->size);
	snprintf(w->command, sizeof w->command, "end of data");
	view_open(&v, view, VIEW_DOTTED);
	got = write_message(w, &v, rcpts, n, e);
	view_close(&v);
	buf_reset(&w->out);
	/* Refused or broken: data must not look as if it had ended. */
	if (got != 0)
		io_abort(w->io);
	else
		tell(w, LINE_CLIENT, ".", 1);
	return got;
}
