/*
 * source.h: octets from memory, as a message is read from, and views read
 * back to memory, both in pieces of any size; for tests and fuzz targets.
 */
#ifndef TESTS_UNIT_SOURCE_H
#define TESTS_UNIT_SOURCE_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/message.h"
#include "mail/view.h"

struct source {
	const char *s;
	size_t n;
	size_t step; /* most octets that a read gives; 0: all that is wanted */
	bool fails; /* reading is an error */
};

static inline long
read_source(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const struct source *src = ctx;

	if (src->fails)
		return err_set(e, ERR_TEMP, ERR_INPUT, "gone");
	if (off >= src->n)
		return 0;
	if (n > src->n - off)
		n = src->n - (size_t)off;
	if (src->step != 0 && n > src->step)
		n = src->step;
	memcpy(to, src->s + off, n);
	return (long)n;
}

static inline struct octets
source_octets(struct source *src)
{
	return (struct octets){ read_source, src, src->n };
}

/* A view's octets, in reads of `step`. */
static inline void
read_view(
    const struct view *view, enum view_form form, size_t step, struct buf *out)
{
	struct view_reader r;
	struct err e;
	char part[4096];
	long got;

	buf_reset(out);
	view_open(&r, view, form);
	while ((got = view_read(&r, part, step, &e)) > 0)
		buf_add(out, part, (size_t)got);
	if (got != 0 || !view_done(&r) || !buf_ok(out))
		abort();
	view_close(&r);
}

#endif
