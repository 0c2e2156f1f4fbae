/*
 * recipients, and the author: whatever a header says, each recipient is either
 * an address that may stand in a command or a failure with a reason, and there
 * is none that the header does not have.
 * RFC 5322 3.4, 3.6.3, 3.6.6.
 */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/err.h"
#include "mail/author.h"
#include "mail/envelope.h"
#include "mail/recipients.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void
must(int ok)
{
	if (!ok)
		abort();
}

/* No control character, and UTF-8 (RFC 6531 3.3). */
static void
check_raw(const char *raw)
{
	must(enc_is_utf8(raw, strlen(raw)));
	for (; *raw != '\0'; raw++)
		must((unsigned char)*raw >= ' ' && *raw != 127);
}

static void
check(const struct recipient *r, const char *header, size_t n)
{
	const char *p = r->addr.raw;
	size_t len = 0;

	if (p == NULL) {
		must(r->outcome.state == OUTCOME_FAILED);
		must(r->outcome.err.text[0] != '\0');
		must(r->given != NULL && r->given[0] != '\0');
		return;
	}
	must(r->outcome.state == OUTCOME_PENDING);
	check_raw(p);
	/* Its first word stands there: nothing was decoded. */
	p = r->addr.raw;
	while (len < r->addr.local_len && p[len] != '.' && p[len] != '"')
		len++;
	must(len == 0 || memmem(header, n, p, len) != NULL);
}

static void
check_author(const char *header, size_t n)
{
	struct address a;
	struct err e;

	if (author_read(&a, header, n, &e) == -1) {
		must(e.verdict != ERR_OK && e.text[0] != '\0');
		return;
	}
	check_raw(a.raw);
	must(a.raw[0] != '\0');
	address_free(&a);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	struct envelope env;
	struct err e;

	check_author((const char *)data, n);

	envelope_init(&env);
	must(recipients_read(&env, (const char *)data, n,
		 n % 2 == 0 ? ADDRESS_BARE : 0, &e) == 0);
	for (size_t i = 0; i < env.n; i++)
		check(&env.rcpts[i], (const char *)data, n);
	envelope_free(&env);
	return 0;
}
