/*
 * proxy: URLs, and what is said to proxies and made of their answers, over a
 * socket pair. The proxy's words are there before they are asked for.
 * RFC 1928, 1929, 9110, 7617.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "net/io.h"
#include "net/proxy.h"
#include "test.h"

/* A reply of success that has an IPv4 address in it. */
#define SOCKS_OK "\5\0\0\1\x7f\0\0\1\x12\x34"
/* Octets of a literal that may have a NUL in it. */
#define LIT(s) (s), sizeof(s) - 1
#define CHECK_SAID(s) CHECK_MEM(k.said, k.len, s, sizeof(s) - 1)

static const struct proxy socks = {
	.kind = PROXY_SOCKS5, .host = "proxy.example", .port = 1080
};
static const struct proxy socks_login = { .kind = PROXY_SOCKS5,
	.host = "proxy.example",
	.port = 1080,
	.user = "me",
	.password = "s:e" };
static const struct proxy http = {
	.kind = PROXY_HTTP, .host = "proxy.example", .port = 8080
};
static const struct proxy http_login = { .kind = PROXY_HTTP,
	.host = "proxy.example",
	.port = 8080,
	.user = "Aladdin",
	.password = "open sesame" };

/* One conversation with a proxy. */
static struct talk {
	int got;
	struct err e;
	char said[2048]; /* by us */
	size_t len;
	char rest[64]; /* what is left for the dialogue */
} k;

static void
talk(const struct proxy *p, const char *host, unsigned port, const char *answer,
    size_t n)
{
	struct io io;
	ssize_t len;
	int fds[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	io_init(&io, fds[0], NULL);
	io_deadline(&io, 10000);
	CHECK_INT(write(fds[1], answer, n), (ssize_t)n);
	CHECK_INT(shutdown(fds[1], SHUT_WR), 0);
	err_clear(&k.e);
	k.got = proxy_connect(&io, p, host, port, &k.e);
	len = recv(fds[1], k.said, sizeof(k.said) - 1, MSG_DONTWAIT);
	k.len = len > 0 ? (size_t)len : 0;
	k.said[k.len] = '\0';
	snprintf(k.rest, sizeof(k.rest), "%s", buf_str(&io.in));
	io_free(&io);
	close(fds[1]);
}

TEST(urls)
{
	struct proxy p;
	struct err e;

	CHECK_INT(proxy_parse("socks5://proxy.example", &p, &e), 0);
	CHECK_INT(p.kind, PROXY_SOCKS5);
	CHECK_STR(p.host, "proxy.example");
	CHECK_INT(p.port, 1080);
	CHECK_STR(p.user, "");
	CHECK_INT(proxy_parse("HTTP://10.0.0.1:3128/", &p, &e), 0);
	CHECK_INT(p.kind, PROXY_HTTP);
	CHECK_STR(p.host, "10.0.0.1");
	CHECK_INT(p.port, 3128);
	CHECK_INT(proxy_parse("http://h", &p, &e), 0);
	CHECK_INT(p.port, 8080);
	CHECK_INT(proxy_parse("socks5h://[2001:db8::1]:9", &p, &e), 0);
	CHECK_INT(p.kind, PROXY_SOCKS5);
	CHECK_STR(p.host, "2001:db8::1");
	CHECK_INT(p.port, 9);
	CHECK_INT(
	    proxy_parse("socks5://m%40e:p%3a%25@w:x@h.example", &p, &e), 0);
	CHECK_STR(p.user, "m@e");
	CHECK_STR(p.password, "p:%@w:x");
	CHECK_STR(p.host, "h.example");
	CHECK_INT(proxy_parse("socks5://me@h", &p, &e), 0);
	CHECK_STR(p.user, "me");
	CHECK_STR(p.password, "");
}

/* And none of them shows the password. */
TEST(urls_that_are_none)
{
	static const char *const bad[] = { "me:hunter2@h", "https://h", "",
		"socks4://me:hunter2@h", "socks5://", "socks5://me:hunter2",
		"http://me:hunter2@", "http://me:hunter2@h:0",
		"http://me:hunter2@h:99999", "http://me:hunter2@h/path",
		"http://me:hunter2%0@h", "http://me:hunter2%4", "http://h%",
		"http://me:hunter2%4@h", "http://me:hunter2%zz@h",
		"http://me:hunter2%0a@h", "http://me:hunter2%00@h",
		"http://:hunter2@h", "http://m%3ae:hunter2@h",
		"http://me:hunter2@[h]", "http://me:hunter2@-h",
		"http://me:hunter2@a b" };
	struct proxy p;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_INT(proxy_parse(bad[i], &p, &e), -1);
		CHECK_INT(e.kind, ERR_USAGE);
		CHECK_INT(e.verdict, ERR_PERM);
		CHECK(strstr(e.text, "hunter2") == NULL);
		CHECK(strstr(e.text, "socks5://[USER:PASSWORD@]HOST") != NULL);
	}
}

TEST(a_url_has_its_limits)
{
	char url[700] = "socks5://", pad[257] = "";
	struct proxy p;
	struct err e;

	memset(pad, 'a', 255);
	snprintf(url, sizeof(url), "socks5://%s:%s@h", pad, pad);
	CHECK_INT(proxy_parse(url, &p, &e), 0);
	CHECK_INT(strlen(p.user), 255);
	CHECK_INT(strlen(p.password), 255);
	pad[255] = 'a';
	snprintf(url, sizeof(url), "socks5://me:%s@h", pad);
	CHECK_INT(proxy_parse(url, &p, &e), -1);
	snprintf(url, sizeof(url), "socks5://%s", pad);
	CHECK_INT(proxy_parse(url, &p, &e), -1);
}

TEST(socks_takes_a_name_to_look_up)
{
	talk(&socks, "mail.example", 587, LIT("\5\0" SOCKS_OK "220 hi\r\n"));
	CHECK_INT(k.got, 0);
	CHECK_SAID("\5\1\0\5\1\0\3\x0cmail.example\x02\x4b");
	CHECK_STR(k.rest, "220 hi\r\n");
}

TEST(socks_takes_addresses_as_such)
{
	talk(&socks, "192.0.2.1", 25, LIT("\5\0" SOCKS_OK));
	CHECK_INT(k.got, 0);
	CHECK_SAID("\5\1\0\5\1\0\1\xc0\0\2\1\0\x19");
	talk(&socks, "2001:db8::1", 25, LIT("\5\0" SOCKS_OK));
	CHECK_INT(k.got, 0);
	CHECK_SAID(
	    "\5\1\0\5\1\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\x19");
}

TEST(socks_with_a_login)
{
	talk(&socks_login, "h", 25, LIT("\5\2\1\0" SOCKS_OK));
	CHECK_INT(k.got, 0);
	CHECK_SAID("\5\2\0\2\1\2me\3s:e\5\1\0\3\1h\0\x19");
	/* It may not want one. */
	talk(&socks_login, "h", 25, LIT("\5\0" SOCKS_OK));
	CHECK_INT(k.got, 0);
	CHECK_SAID("\5\2\0\2\5\1\0\3\1h\0\x19");
	CHECK_STR(k.rest, "");
}

/* Each is final: to ask again would not help. */
TEST(socks_logins_that_fail)
{
	talk(&socks_login, "h", 25, LIT("\5\2\1\1"));
	CHECK_INT(k.got, -1);
	CHECK_STR(k.e.text, "proxy proxy.example: it refuses user or password");
	CHECK_INT(k.e.verdict, ERR_PERM);
	CHECK_INT(k.e.kind, ERR_AUTH);
	talk(&socks, "h", 25, LIT("\5\xff"));
	CHECK_INT(k.got, -1);
	CHECK_STR(k.e.text,
	    "proxy proxy.example: it wants a login; give USER:PASSWORD@ "
	    "before its host");
	CHECK_INT(k.e.kind, ERR_AUTH);
	talk(&socks_login, "h", 25, LIT("\5\xff"));
	CHECK_INT(k.got, -1);
	CHECK_INT(k.e.kind, ERR_AUTH);
}

TEST(socks_refusals_in_words)
{
	static const struct {
		const char *answer, *text;
	} rows[] = {
		{ "\5\1", "general failure (SOCKS code 1)" },
		{ "\5\2",
		    "its rules do not allow the connection (SOCKS code 2)" },
		{ "\5\3", "network unreachable (SOCKS code 3)" },
		{ "\5\4", "host unreachable or unknown (SOCKS code 4)" },
		{ "\5\5", "connection refused (SOCKS code 5)" },
		{ "\5\6", "timed out on the way (TTL) (SOCKS code 6)" },
		{ "\5\7", "it knows no CONNECT (SOCKS code 7)" },
		{ "\5\x08", "it takes no such kind of address (SOCKS code 8)" },
		{ "\5\x5b", "unknown code (SOCKS code 91)" },
	};
	char answer[8] = "\5\0", text[128];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memcpy(answer + 2, rows[i].answer, 2);
		talk(&socks, "h", 25, answer, 4);
		snprintf(text, sizeof(text),
		    "proxy proxy.example: no connection to h port 25: %s",
		    rows[i].text);
		CHECK_INT(k.got, -1);
		CHECK_STR(k.e.text, text);
		CHECK_INT(k.e.verdict, ERR_TEMP);
		CHECK_INT(k.e.kind, ERR_CONNECT);
	}
}

TEST(no_socks_at_all)
{
	static const char *const bad[] = { "HTTP/1.1 400 Bad Request\r\n",
		"\4\1", "\5\1", "\5\2" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		talk(&socks, "h", 25, bad[i], strlen(bad[i]));
		CHECK_INT(k.got, -1);
		CHECK_INT(k.e.verdict, ERR_TEMP);
		CHECK_INT(k.e.kind, ERR_PROTOCOL);
	}
	talk(&socks, "h", 25, LIT("\5\0\4\0\0\1"));
	CHECK_INT(k.e.kind, ERR_PROTOCOL);
	talk(&socks, "h", 25, LIT("\5\0\5\0\0\2\1\1\1\1\1\1"));
	CHECK_INT(k.got, -1);
	CHECK_INT(k.e.kind, ERR_PROTOCOL);
}

/* The end of the stream, at each octet of an answer. */
TEST(answers_that_break_off)
{
	static const char full[] = "\5\2\1\0\5\0\0\3\1x\0\x19";
	static const char head[] = "HTTP/1.1 200 ok\r\na: b\r\n\r\n";
	size_t n;

	for (n = 0; n < sizeof(full) - 1; n++) {
		talk(&socks_login, "h", 25, full, n);
		CHECK_INT(k.got, -1);
		CHECK_INT(k.e.verdict, ERR_TEMP);
		CHECK_STR(k.e.text, "proxy proxy.example: connection closed");
	}
	talk(&socks_login, "h", 25, full, n);
	CHECK_INT(k.got, 0);
	for (n = 0; n < sizeof(head) - 1; n++) {
		talk(&http, "h", 25, head, n);
		CHECK_INT(k.got, -1);
		CHECK_STR(k.e.text, "proxy proxy.example: connection closed");
	}
	talk(&http, "h", 25, head, n);
	CHECK_INT(k.got, 0);
}

TEST(http_connects)
{
	talk(&http, "mail.example", 587,
	    LIT("HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n"
		"220 hi\r\n"));
	CHECK_INT(k.got, 0);
	CHECK_STR(k.said,
	    "CONNECT mail.example:587 HTTP/1.1\r\n"
	    "Host: mail.example:587\r\n\r\n");
	CHECK_STR(k.rest, "220 hi\r\n");
	talk(&http, "2001:db8::1", 25, LIT("HTTP/1.1 204\n\n"));
	CHECK_INT(k.got, 0);
	CHECK_STR(k.said,
	    "CONNECT [2001:db8::1]:25 HTTP/1.1\r\n"
	    "Host: [2001:db8::1]:25\r\n\r\n");
}

TEST(http_with_a_login)
{
	talk(&http_login, "h", 25, LIT("HTTP/1.1 200 ok\r\n\r\n"));
	CHECK_INT(k.got, 0);
	CHECK_STR(k.said,
	    "CONNECT h:25 HTTP/1.1\r\nHost: h:25\r\n"
	    "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n");
	talk(&http_login, "h", 25, LIT("HTTP/1.1 407 no\r\n\r\n"));
	CHECK_INT(k.got, -1);
	CHECK_STR(
	    k.e.text, "proxy proxy.example: it refuses user or password (407)");
	CHECK_INT(k.e.verdict, ERR_PERM);
	CHECK_INT(k.e.kind, ERR_AUTH);
	talk(&http, "h", 25, LIT("HTTP/1.1 407 no\r\n\r\n"));
	CHECK_STR(k.e.text,
	    "proxy proxy.example: it wants a login (407); give "
	    "USER:PASSWORD@ before its host");
	CHECK_INT(k.e.kind, ERR_AUTH);
}

TEST(http_refusals)
{
	talk(&http, "h", 25,
	    LIT("HTTP/1.1 503 Not \x1b[31mtoday\r\n\r\n<html>"));
	CHECK_INT(k.got, -1);
	CHECK_STR(k.e.text,
	    "proxy proxy.example: no connection to h port 25: "
	    "it said 503 Not \\x1B[31mtoday");
	CHECK_INT(k.e.verdict, ERR_TEMP);
	CHECK_INT(k.e.kind, ERR_CONNECT);
	talk(&http, "h", 25, LIT("HTTP/1.1 101 Switching\r\n\r\n"));
	CHECK_INT(k.got, -1);
}

TEST(http_interim_responses_are_passed_over)
{
	char many[400] = "";
	size_t i;

	talk(&http, "h", 25,
	    LIT("HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 ok\r\n\r\n220"));
	CHECK_INT(k.got, 0);
	CHECK_STR(k.rest, "220");
	for (i = 0; i < 11; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many),
		    "HTTP/1.1 103 Hints\r\n\r\n");
	talk(&http, "h", 25, many, strlen(many));
	CHECK_INT(k.got, -1);
	CHECK_INT(k.e.kind, ERR_CONNECT);
}

TEST(no_http_at_all)
{
	static const char *const bad[] = { "220 mail.example ESMTP\r\n",
		"HTTP/2 200 ok\r\n\r\n", "HTTP/1.1 20 ok\r\n\r\n",
		"HTTP/1.1 2000 ok\r\n\r\n", "HTTP/1.1  200 ok\r\n\r\n",
		"HTTP/1.1 099 ok\r\n\r\n", "\r\n\r\n", "http/1.1 200\r\n\r\n",
		"\5\0" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		talk(&http, "h", 25, bad[i], strlen(bad[i]));
		CHECK_INT(k.got, -1);
		CHECK_INT(k.e.kind, ERR_PROTOCOL);
		CHECK_INT(k.e.verdict, ERR_TEMP);
	}
}

TEST(a_head_has_an_end)
{
	static char head[PROXY_HEAD_MAX + 64] = "HTTP/1.1 200 ok\r\n";
	const char *reason;
	unsigned code;
	size_t len, n = strlen(head);

	memset(head + n, 'a', PROXY_HEAD_MAX - n);
	CHECK_INT(
	    proxy_parse_http(head, PROXY_HEAD_MAX - 1, &code, &reason, &len),
	    0);
	CHECK_INT(
	    proxy_parse_http(head, PROXY_HEAD_MAX, &code, &reason, &len), -1);
	memcpy(head + PROXY_HEAD_MAX - 4, "\r\n\r\n", 4);
	CHECK_INT(proxy_parse_http(head, sizeof(head), &code, &reason, &len),
	    PROXY_HEAD_MAX);
	CHECK_INT(code, 200);
	CHECK_INT(len, 2);
}

TEST(a_silent_proxy_costs_no_more_than_the_deadline)
{
	struct err e;
	struct io io;
	int fds[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	io_init(&io, fds[0], NULL);
	io_deadline(&io, 1);
	CHECK_INT(proxy_connect(&io, &socks, "h", 25, &e), -1);
	CHECK_STR(e.text, "proxy proxy.example: timed out after 0.001 s");
	CHECK_INT(e.verdict, ERR_TEMP);
	io_free(&io);
	close(fds[1]);
}

TEST_MAIN
