/*
 * hand: whatever a runner who is not ours any more asks of root, it is no
 * request, or its texts end and its numbers are within their bounds; and what
 * it was told does not depend on what lies behind it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hand.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
check(const struct hand_request *r)
{
	must(memchr(r->account, '\0', sizeof r->account) != NULL);
	must(memchr(r->user, '\0', sizeof r->user) != NULL);
	must(memchr(r->sender, '\0', sizeof r->sender) != NULL);
	must(r->takes <= 0xff && (r->is_signed || r->takes == 0));
	must(r->fds[HAND_MESSAGE] == -1 && r->fds[HAND_ANSWER] == -1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct hand_request r = { .fds = { -1, -1 } };
	struct hand_request longer = r;
	char *p = malloc(n + 1);

	if (p == NULL)
		return 0;
	memcpy(p, data, n);
	p[n] = '\0';
	if (hand_parse(&r, p, n) == 0) {
		check(&r);
		must(hand_parse(&longer, p, n + 1) == -1);
		must(n == 0 || hand_parse(&longer, p, n - 1) == -1);
	}
	free(p);
	return 0;
}
