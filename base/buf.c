/*
 * buf: see buf.h. Growth doubles, so appending is linear over all; the old
 * block is wiped when the data moves, since a buffer may have held a secret.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_free(struct buf *b)
{
	size_t max;

	if (b == NULL)
		return;
	max = b->max;
	if (b->data != NULL)
		explicit_bzero(b->data, b->size);
	free(b->data);
	buf_init(b, max);
}

void
buf_reset(struct buf *b)
{
	b->failed = b->starved = false;
	buf_cut(b, 0);
}

void
buf_cut(struct buf *b, size_t len)
{
	if (len > b->len || b->data == NULL)
		return;
	b->len = len;
	b->data[len] = '\0';
}

void
buf_consume(struct buf *b, size_t n)
{
	if (b->data == NULL)
		return;
	if (n > b->len)
		n = b->len;
	memmove(b->data, b->data + n, b->len - n);
	buf_cut(b, b->len - n);
}

static int
buf_grow(struct buf *b, size_t need)
{
	size_t size = b->size < 64 ? 64 : b->size;
	char *data;

	while (size < need)
		size = size > SIZE_MAX / 2 ? need : size * 2;
	data = malloc(size);
	b->starved = data == NULL;
	if (data == NULL)
		return -1;
	if (b->data != NULL) {
		memcpy(data, b->data, b->len);
		explicit_bzero(b->data, b->size);
		free(b->data);
	}
	data[b->len] = '\0';
	b->data = data;
	b->size = size;
	return 0;
}

char *
buf_room(struct buf *b, size_t n)
{
	if (b->failed || n > b->max - b->len ||
	    (b->size <= b->len + n && buf_grow(b, b->len + n + 1) == -1)) {
		b->failed = true;
		return NULL;
	}
	return b->data + b->len;
}

void
buf_grew(struct buf *b, size_t n)
{
	b->len += n;
	b->data[b->len] = '\0';
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	char *to = buf_room(b, n);

	if (to == NULL)
		return;
	if (n > 0)
		memcpy(to, p, n);
	buf_grew(b, n);
}

void
buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void
buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	char *to;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0) {
		b->failed = true;
		return;
	}
	to = buf_room(b, (size_t)n + 1);
	if (to == NULL)
		return;
	vsnprintf(to, (size_t)n + 1, fmt, ap);
	buf_grew(b, (size_t)n);
}

bool
buf_ok(const struct buf *b)
{
	return !b->failed;
}

bool
buf_starved(const struct buf *b)
{
	return b->starved;
}

const char *
buf_str(const struct buf *b)
{
	return b->data == NULL ? "" : b->data;
}
