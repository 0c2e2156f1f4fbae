/*
 * server: whatever a client says, the state holds: the cut into pieces makes
 * no difference, there is at most one reply to a line, every reply is one,
 * each message that begins is ended or dropped once, and none ends but by
 * CRLF, dot, CRLF or by the last chunk, unless a person types it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/enc.h"
#include "tests/unit/serving.h"

#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* How often it is there, also overlapping, case-blind. */
static size_t
count(const char *s, size_t n, const char *what)
{
	size_t len = strlen(what), found = 0, i;

	for (i = 0; i + len <= n; i++)
		found += strncasecmp(s + i, what, len) == 0;
	return found;
}

/* Lines of at most 512 octets, of digits and printable ASCII: how many are
 * the last of their reply. */
static size_t
check_replies(const char *s, size_t n)
{
	size_t replies = 0, at = 0, len;

	for (; at < n; at += len + 2) {
		const char *lf = memchr(s + at, '\n', n - at);

		MUST(lf != NULL);
		len = (size_t)(lf - s) - at - 1;
		MUST(len >= 4 && len <= 510 && s[at + len] == '\r');
		MUST(strchr("245", s[at]) != NULL || s[at] == '3');
		MUST(s[at + 3] == ' ' || s[at + 3] == '-');
		for (size_t i = 0; i < len; i++)
			MUST(s[at + i] >= ' ' && s[at + i] <= '~');
		replies += s[at + 3] == ' ';
	}
	return replies;
}

/* The last octet says so. */
static bool
is_typed(const char *s, size_t n)
{
	return n > 0 && (s[n - 1] & 15) == 8;
}

/* What was said and told with pieces of that size. Where data fails there is
 * no limit: the cut says which of the two is met first. */
static void
play(const char *s, size_t n, size_t piece, struct serving *v, struct buf *out)
{
	const bool no_data = n > 0 && (s[n - 1] & 7) == 2;
	struct server_ops ops = SERVING_OPS(v);
	struct server_config config = { .name = "mx.example.org",
		.ops = &ops,
		.size_max = no_data ? 0 : 200,
		.rcpts_max = 3,
		.typed = is_typed(s, n) };
	struct server *server;

	/* One octet of the input says what fails. */
	v->no_begin = n > 0 && (s[n - 1] & 7) == 1;
	v->no_data = no_data;
	v->no_end = n > 0 && (s[n - 1] & 7) == 4;
	server = server_new(&config);
	MUST(server != NULL);
	serving_feed(server, s, n, piece, out);
	server_free(server);
	MUST(v->begun == v->ended + v->dropped);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const size_t pieces[] = { SIZE_MAX, 1, 3 };
	struct serving v[3];
	struct buf out[3];
	char *s = malloc(n + 1);

	if (s == NULL)
		return 0;
	memcpy(s, data, n);
	for (size_t i = 0; i < 3; i++) {
		serving_init(&v[i]);
		buf_init(&out[i], 4 * 1024 * 1024);
		play(s, n, pieces[i], &v[i], &out[i]);
		MUST(strcmp(buf_str(&out[i]), buf_str(&out[0])) == 0);
		MUST(v[i].told.len == v[0].told.len);
		if (v[0].told.len > 0)
			MUST(memcmp(v[i].told.data, v[0].told.data,
				 v[0].told.len) == 0);
	}
	if (buf_ok(&out[0]))
		MUST(check_replies(buf_str(&out[0]), out[0].len) <=
		    1 + count(s, n, "\n"));
	MUST(v[0].ended <= count(s, n, "\r\n.\r\n") + count(s, n, "LAST") +
		count(s, n, "DATA\n.\r\n") + count(s, n, " \n.\r\n") +
		(is_typed(s, n) ? count(s, n, "\n.") : 0));
	for (size_t i = 0; i < 3; i++) {
		serving_free(&v[i]);
		buf_free(&out[i]);
	}
	free(s);
	return 0;
}
