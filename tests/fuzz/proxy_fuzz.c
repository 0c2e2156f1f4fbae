/*
 * proxy_fuzz: the answer of a SOCKS5 or HTTP proxy, and a URL. What is taken
 * was there, and what is cut short is never taken for an answer that the
 * whole is not.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "net/proxy.h"

#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_socks(const char *s, size_t n)
{
	unsigned code = 0, again = 0;
	long used = proxy_parse_socks(s, n, &code);

	MUST(used >= -1 && used <= (long)n);
	MUST(used <= 4 + 256 + 2);
	if (used <= 0)
		return;
	MUST(code <= 255);
	MUST(proxy_parse_socks(s, (size_t)used, &again) == used);
	MUST(again == code);
	MUST(proxy_parse_socks(s, (size_t)used - 1, &again) == 0);
}

static void
check_http(const char *s, size_t n)
{
	const char *reason;
	unsigned code;
	size_t len;
	long used = proxy_parse_http(s, n, &code, &reason, &len);

	MUST(used >= -1 && used <= (long)n);
	MUST(used <= PROXY_HEAD_MAX);
	if (used <= 0)
		return;
	MUST(code >= 100 && code <= 999);
	MUST(reason > s && reason + len < s + used);
	MUST(memchr(reason, '\n', len) == NULL);
	MUST(proxy_parse_http(s, (size_t)used - 1, &code, &reason, &len) == 0);
}

static void
check_url(const char *s, size_t n)
{
	char *url = malloc(n + 1);
	struct proxy p;
	struct err e;

	MUST(url != NULL);
	memcpy(url, s, n);
	url[n] = '\0';
	if (proxy_parse(url, &p, &e) == 0) {
		MUST(p.host[0] != '\0' && p.port >= 1 && p.port <= 65535);
		MUST(strpbrk(p.host, " \r\n") == NULL);
		MUST(strpbrk(p.user, "\r\n") == NULL);
		MUST(strpbrk(p.password, "\r\n") == NULL);
	}
	free(url);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	check_socks((const char *)p, n);
	check_http((const char *)p, n);
	check_url((const char *)p, n);
	return 0;
}
