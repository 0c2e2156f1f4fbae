/*
 * serving.h: a server with ops that write down what they are told.
 * Included by tests/unit/server_test.c and the fuzzer.
 */
#ifndef TESTS_UNIT_SERVING_H
#define TESTS_UNIT_SERVING_H

#include "base/buf.h"
#include "base/err.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "smtp/server.h"

/* What the ops were told, a line each; content as it is. */
struct serving {
	struct buf told;
	struct buf content;
	unsigned begun, ended, dropped;
	/* These answer with an error. */
	bool no_begin, no_data, no_end;
};

static inline void
serving_init(struct serving *v)
{
	*v = (struct serving){ 0 };
	buf_init(&v->told, 1024 * 1024);
	buf_init(&v->content, 1024 * 1024);
}

static inline void
serving_free(struct serving *v)
{
	buf_free(&v->told);
	buf_free(&v->content);
}

/* "temp..." fails for now, "perm..." for good, "full..." with a code. */
static inline int
serving_check(const char *raw, struct err *e)
{
	if (strncmp(raw, "temp", 4) == 0)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "not \303\274 now");
	if (strncmp(raw, "perm", 4) == 0) {
		err_set(e, ERR_PERM, ERR_DATA, "never");
		e->enhanced = (struct enhanced){ 5, 1, 1 };
		return -1;
	}
	if (strncmp(raw, "full", 4) == 0) {
		err_set(e, ERR_TEMP, ERR_DATA, "full");
		e->code = 452;
		e->enhanced = (struct enhanced){ 4, 2, 2 };
		return -1;
	}
	return 0;
}

static inline int
serving_mail(void *ctx, struct address *a, uint64_t size, struct err *e)
{
	struct serving *v = ctx;

	buf_addf(
	    &v->told, "mail <%s> %llu\n", a->raw, (unsigned long long)size);
	return serving_check(a->raw, e);
}

/* "bare" is completed. */
static inline int
serving_rcpt(void *ctx, struct address *a, struct err *e)
{
	struct serving *v = ctx;

	buf_addf(&v->told, "rcpt <%s>\n", a->raw);
	if (strcmp(a->raw, "bare") == 0) {
		address_free(a);
		return address_parse(a, "bare@example.org", 16, 0, e);
	}
	return serving_check(a->raw, e);
}

static inline int
serving_begin(void *ctx, const struct server_facts *facts, struct envelope *env,
    struct err *e)
{
	struct serving *v = ctx;

	buf_addf(&v->told, "begin %s %s <%s>", facts->helo, facts->with,
	    env->sender.raw);
	if (env->dsn_return != RETURN_UNSAID)
		buf_addf(&v->told, " ret=%d", (int)env->dsn_return);
	if (env->envid != NULL)
		buf_addf(&v->told, " envid=%s", env->envid);
	for (size_t i = 0; i < env->n; i++) {
		const struct recipient *r = &env->rcpts[i];

		buf_addf(&v->told, " <%s>", r->addr.raw);
		if (r->notify != 0)
			buf_addf(&v->told, " notify=%x", r->notify);
		if (r->orcpt != NULL)
			buf_addf(&v->told, " orcpt=%s", r->orcpt);
	}
	buf_addc(&v->told, '\n');
	buf_reset(&v->content);
	if (v->no_begin)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no room");
	v->begun++;
	return 0;
}

static inline int
serving_data(void *ctx, const char *s, size_t n, struct err *e)
{
	struct serving *v = ctx;

	buf_add(&v->content, s, n);
	return v->no_data ? err_set(e, ERR_TEMP, ERR_MACHINE, "disk full") : 0;
}

static inline int
serving_end(void *ctx, char id[SERVER_ID_SIZE], struct err *e)
{
	struct serving *v = ctx;

	v->ended++;
	buf_adds(&v->told, "end {");
	buf_add(&v->told, v->content.data, v->content.len);
	buf_adds(&v->told, "}\n");
	snprintf(id, SERVER_ID_SIZE, "id%u", v->ended);
	return v->no_end ? err_set(e, ERR_TEMP, ERR_MACHINE, "no sync") : 0;
}

static inline void
serving_drop(void *ctx)
{
	struct serving *v = ctx;

	v->dropped++;
	buf_adds(&v->told, "drop\n");
}

#define SERVING_OPS(v)                                                         \
	{                                                                      \
		serving_mail, serving_rcpt, serving_begin, serving_data,       \
		    serving_end, serving_drop, (v)                             \
	}

/* Feed all of it in pieces of at most `piece` octets, and take replies as
 * soon as they are there. Returns the octets taken. */
static inline size_t
serving_feed(
    struct server *s, const char *in, size_t n, size_t piece, struct buf *out)
{
	size_t at = 0;

	for (;;) {
		size_t some = n - at < piece ? n - at : piece;
		struct buf *b = server_out(s);

		if (b->len > 0)
			buf_add(out, b->data, b->len);
		buf_consume(b, b->len);
		if (at == n || server_over(s))
			return at;
		at += server_feed(s, in + at, some);
	}
}

#endif
