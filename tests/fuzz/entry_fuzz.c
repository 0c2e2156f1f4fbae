/*
 * entry: whatever a file of the queue holds, it is read, torn at its end, or
 * malformed for a reason; what is read holds nothing that may not stand in a
 * command, and reading it again without what was torn tells the same.
 *
 * The first octet says what follows: a file as it is, or lengths and octets
 * that are made frames, so that the checksums are right.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/dsn_parts.h"
#include "mail/message.h"
#include "queue/entry.h"
#include "queue/frame.h"
#include "queue/intake.h"
#include "queue/journal.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

#define ID "1kdvdna00000000"
#define OWNER 1000

static const struct entry_now now = { 1767225600000, 5000000 };

static void
must(int ok)
{
	if (!ok)
		abort();
}

static long
read_buf(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const struct buf *b = ctx;

	(void)e;
	if (off >= b->len)
		return 0;
	if (n > b->len - off)
		n = b->len - (size_t)off;
	memcpy(to, b->data + off, n);
	return (long)n;
}

static int
read_entry(struct entry *en, struct buf *b, struct err *e)
{
	struct octets file = { read_buf, b, b->len };

	return entry_read_head(en, ID, &file, &now, e) == -1
	    ? -1
	    : journal_read(en, &file, e);
}

/* Frames of what stands between lengths of two octets; the first is the
 * head's. */
static void
frame_all(struct buf *b, const unsigned char *p, size_t n)
{
	size_t len, mark;

	buf_adds(b, "smtpsend queue entry 1\n");
	while (n >= 2) {
		len = (size_t)p[0] << 8 | p[1];
		p += 2;
		n -= 2;
		if (len > n)
			len = n;
		mark = frame_begin(b);
		buf_add(b, p, len);
		frame_end(b, mark);
		p += len;
		n -= len;
	}
}

static void
check_address(const struct address *a)
{
	for (const char *p = a->raw; *p != '\0'; p++)
		must((unsigned char)*p >= ' ' && *p != 0x7f);
}

static void
check_text(const char *s)
{
	for (; *s != '\0'; s++)
		must((unsigned char)*s >= ' ' && *s != 0x7f);
}

static void
check_entry(const struct entry *en, const struct buf *b)
{
	const struct recipient *r;

	must(en->env.n > 0 && entry_open(en) <= en->env.n);
	must(en->end <= b->len && en->torn == (en->end < b->len));
	must(en->message_off + en->message_size <= en->end);
	check_address(&en->env.sender);
	check_text(en->account);
	for (size_t i = 0; i < en->env.n; i++) {
		r = &en->env.rcpts[i];
		check_address(&r->addr);
		check_text(r->given);
		check_text(r->outcome.err.text);
		check_text(r->outcome.err.command);
		check_text(r->outcome.host);
		must(r->outcome.state < OUTCOME_STATES);
		must(en->rcpts[i].reported < 1u << DSN_KINDS);
	}
}

/* What is taken into the system's queue is whole, his, and has reached
 * nobody. */
static void
check_taken(const struct entry *en, const struct buf *b)
{
	must(en->uid == OWNER && !en->torn && !en->hold && en->end == b->len);
	for (size_t i = 0; i < en->env.n; i++) {
		must(!en->rcpts[i].final && en->rcpts[i].reported == 0);
		must(entry_is_open(en, i) ||
		    en->env.rcpts[i].outcome.state == OUTCOME_FAILED);
	}
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	struct entry en, again;
	struct buf b;
	struct err e;

	if (n == 0)
		return 0;
	buf_init(&b, SIZE_MAX / 2);
	if (data[0] % 2 == 0)
		buf_add(&b, data + 1, n - 1);
	else
		frame_all(&b, data + 1, n - 1);
	if (read_entry(&en, &b, &e) == 0) {
		check_entry(&en, &b);
		if (intake_oddity(&en, OWNER, b.len) == NULL)
			check_taken(&en, &b);
		buf_cut(&b, (size_t)en.end);
		must(read_entry(&again, &b, &e) == 0);
		must(!again.torn && entry_open(&again) == entry_open(&en));
		must(again.tries == en.tries && again.hold == en.hold);
		for (size_t i = 0; i < en.env.n; i++)
			must(again.rcpts[i].reported == en.rcpts[i].reported);
		entry_free(&again);
	} else {
		must(e.verdict != ERR_OK && e.text[0] != '\0');
	}
	entry_free(&en);
	buf_free(&b);
	return 0;
}
