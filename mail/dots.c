/*
 * dots: see dots.h. From line to line by memchr(3): only what begins one is
 * looked at.
 * Callers: store/body.c.
 * It keeps no octet: those that wait are known by the place.
 * sendmail(8), -i.
 * Ownership: see dots.h.
 */
#include <string.h>

#include "mail/dots.h"

struct feeding {
	struct dots *d;
	void (*give)(void *ctx, const char *s, size_t n);
	void *ctx;
	const char *from; /* what is content and was not given yet */
	const char *p; /* the next octet */
};

/* All before the next octet, but for what waits. */
static void
give_run(struct feeding *f)
{
	if (f->p > f->from)
		f->give(f->ctx, f->from, (size_t)(f->p - f->from));
	f->from = f->p;
}

/* What waited is content after all. */
static void
give_waiting(struct feeding *f)
{
	if (f->d->at == DOTS_DOT_CR)
		f->give(f->ctx, ".\r", 2);
	else
		f->give(f->ctx, ".", 1);
	f->d->at = DOTS_LINE;
}

/* The octet behind a dot that began the line. */
static void
behind_dot(struct feeding *f)
{
	struct dots *d = f->d;

	if (*f->p == '\n') {
		d->ended = true;
		f->p++;
	} else if (*f->p == '\r' && d->at == DOTS_DOT) {
		d->at = DOTS_DOT_CR;
		f->p++;
	} else if (*f->p == '.' && d->at == DOTS_DOT && d->strips) {
		d->at = DOTS_LINE;
		d->stripped = true;
	} else
		give_waiting(f);
	f->from = f->p;
}

/* To the beginning of the next line, or the end. */
static void
pass_line(struct feeding *f, const char *end)
{
	const char *lf = memchr(f->p, '\n', (size_t)(end - f->p));

	f->d->at = lf == NULL ? DOTS_LINE : DOTS_START;
	f->p = lf == NULL ? end : lf + 1;
}

size_t
dots_feed(struct dots *d, const char *s, size_t n,
    void (*give)(void *ctx, const char *s, size_t n), void *ctx)
{
	struct feeding f = { d, give, ctx, s, s };
	const char *end = s + n;

	while (f.p < end && !d->ended) {
		if (d->at == DOTS_DOT || d->at == DOTS_DOT_CR)
			behind_dot(&f);
		else if (d->at == DOTS_START && *f.p == '.') {
			give_run(&f);
			d->at = DOTS_DOT;
			f.from = ++f.p;
		} else
			pass_line(&f, end);
	}
	give_run(&f);
	return (size_t)(f.p - s);
}
