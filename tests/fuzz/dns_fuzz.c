/*
 * dns_fuzz: an answer of any octets, to the questions MX, SRV, A and AAAA
 * of "a.test". What is believed is within its limits and may be shown, and
 * whatever is no answer leaves nothing behind.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail/address.h"
#include "net/dns.h"

#define NAME "a.test"
#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* A lower-case host name without a final dot, or the root. */
static void
check_name(const char *s)
{
	size_t n = strlen(s), i;

	MUST(n < DNS_NAME_MAX);
	MUST(n == 0 || address_is_hostname(s, n));
	MUST(n == 0 || s[n - 1] != '.');
	for (i = 0; i < n; i++)
		MUST(s[i] < 'A' || s[i] > 'Z');
}

static void
check_mx(const uint8_t *p, size_t n)
{
	struct dns_mx_answer a;
	enum dns_status st = dns_parse_mx(p, n, NAME, &a);
	size_t i;

	MUST((st == DNS_OK) == (a.n > 0));
	MUST(a.n > 0 || a.mx == NULL);
	MUST(a.n <= DNS_RECORDS_MAX);
	for (i = 0; i < a.n; i++) {
		MUST(a.mx[i].preference <= 65535);
		check_name(a.mx[i].host);
	}
	if (st == DNS_OK)
		check_name(a.name);
	dns_mx_free(&a);
}

static void
check_srv(const uint8_t *p, size_t n)
{
	struct dns_srv_answer a;
	enum dns_status st = dns_parse_srv(p, n, NAME, &a);
	size_t i;

	MUST((st == DNS_OK) == (a.n > 0));
	MUST(a.n > 0 || a.srv == NULL);
	MUST(a.n <= DNS_RECORDS_MAX);
	for (i = 0; i < a.n; i++) {
		MUST(a.srv[i].priority <= 65535 && a.srv[i].weight <= 65535);
		MUST(a.srv[i].port <= 65535);
		MUST(a.srv[i].port > 0 || a.srv[i].host[0] == '\0');
		check_name(a.srv[i].host);
	}
	if (st == DNS_OK)
		check_name(a.name);
	dns_srv_free(&a);
}

static void
check_addrs(const uint8_t *p, size_t n, int af)
{
	struct dns_addrs a = { 0 };
	enum dns_status st = dns_parse_addrs(p, n, NAME, af, 25, &a);
	size_t i;

	MUST((st == DNS_OK) == (a.n > 0));
	MUST(a.n <= DNS_RECORDS_MAX);
	for (i = 0; i < a.n; i++) {
		MUST(a.at[i].u.sa.sa_family == af);
		MUST(endpoint_port(&a.at[i]) == 25);
	}
	dns_addrs_free(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	check_mx(p, n);
	check_srv(p, n);
	check_addrs(p, n, AF_INET);
	check_addrs(p, n, AF_INET6);
	return 0;
}
