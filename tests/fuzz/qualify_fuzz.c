/*
 * qualify: of any header nothing is lost and nothing moves: with the domains
 * taken out it is what it was; no name is left that could have got one, and a
 * second time there is nothing to do.
 * RFC 5322 3.4, 3.6.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/envelope.h"
#include "mail/qualify.h"
#include "mail/recipients.h"

#define DOMAIN "z--7q.test"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void
must(int ok)
{
	if (!ok)
		abort();
}

/* What is in b, without the n domains. */
static void
check_rest(const struct buf *b, const char *was, size_t len, size_t n)
{
	const char *at = buf_str(b), *end = at + b->len, *hit;

	if (memmem(was, len, DOMAIN, strlen(DOMAIN)) != NULL)
		return;
	for (; n > 0; n--) {
		hit = memmem(
		    at, (size_t)(end - at), "@" DOMAIN, strlen("@" DOMAIN));
		must(hit != NULL && (size_t)(hit - at) <= len);
		must(memcmp(at, was, (size_t)(hit - at)) == 0);
		was += hit - at;
		len -= (size_t)(hit - at);
		at = hit + strlen("@" DOMAIN);
	}
	must((size_t)(end - at) == len);
	must(len == 0 || memcmp(at, was, len) == 0);
}

/* Nobody is without a domain, but for what is text. */
static void
check_names(const struct buf *b)
{
	struct envelope env;
	struct err e;

	envelope_init(&env);
	must(recipients_read(&env, buf_str(b), b->len, ADDRESS_BARE, &e) == 0);
	for (size_t i = 0; i < env.n; i++) {
		const struct address *a = &env.rcpts[i].addr;

		must(a->raw == NULL || a->kind != DOMAIN_NONE ||
		    a->needs_utf8 || memcmp(a->raw, "=?", 2) == 0);
	}
	envelope_free(&env);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	struct buf once, twice;
	size_t got;

	buf_init(&once, 64 * n + 1000);
	buf_init(&twice, 64 * n + 1000);
	got = qualify_header(&once, (const char *)data, n, DOMAIN);
	must(buf_ok(&once) && once.len == n + got * strlen("@" DOMAIN));
	check_rest(&once, (const char *)data, n, got);
	check_names(&once);
	must(qualify_header(&twice, buf_str(&once), once.len, DOMAIN) == 0);
	must(twice.len == once.len);
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
