/*
 * proxy: see proxy.h. A row for each kind of proxy; each asks, takes the
 * answer off io->in, and leaves what stands behind it.
 * Callers: reach.c, host.c (words), cli (the URL).
 * RFC 1928, 1929; RFC 9110 9.3.6, 15; RFC 9112 3, 4; RFC 7617; RFC 3986 2.1.
 * Ownership: what is sent has the password in it and is wiped (buf_free).
 */
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "base/idna.h"
#include "mail/address.h"
#include "net/dial.h"
#include "net/io.h"
#include "net/proxy.h"

/* The longest question: names and passwords in base64, and a header. */
#define ASK_MAX 4096
/* Responses before the response that an HTTP proxy may give. */
#define INTERIM_MAX 10

/* RFC 1928 3, 4, 6; RFC 1929 2. */
enum { SOCKS_VERSION = 5, SOCKS_LOGIN_VERSION = 1, SOCKS_CONNECT = 1 };
enum { METHOD_NONE = 0, METHOD_LOGIN = 2, METHOD_REFUSED = 0xff };
enum { ATYP_IPV4 = 1, ATYP_NAME = 3, ATYP_IPV6 = 4 };

#define GIVE                                                                   \
	"give socks5://[USER:PASSWORD@]HOST[:PORT], or the same with http://"

/* --- the URL ------------------------------------------------------------- */

static const struct {
	const char *scheme;
	enum proxy_kind kind;
	unsigned port;
} scheme_rows[] = {
	{ "socks5://", PROXY_SOCKS5, 1080 },
	{ "socks5h://", PROXY_SOCKS5, 1080 },
	{ "http://", PROXY_HTTP, 8080 },
};
#define SCHEME_ROWS (sizeof(scheme_rows) / sizeof(scheme_rows[0]))

/* Nothing of the URL itself is shown: a part that went wrong may well be a
 * password. */
static int
url_bad(struct err *e, const char *what)
{
	return err_set(e, ERR_PERM, ERR_USAGE, "proxy: %s; " GIVE, what);
}

/* n octets with %XX for any into a string; -1 if they do not fit, or would
 * end a line or the string. */
static int
url_decode(const char *s, size_t n, char *dst, size_t size)
{
	size_t i, len = 0;
	int c, high, low;

	for (i = 0; i < n; i++) {
		c = (unsigned char)s[i];
		if (c == '%') {
			high = i + 2 < n ? enc_hex_digit(s[i + 1]) : -1;
			low = high == -1 ? -1 : enc_hex_digit(s[i + 2]);
			if (low == -1)
				return -1;
			c = high * 16 + low;
			i += 2;
		}
		if (c < ' ' || c == 0x7f || len + 1 >= size)
			return -1;
		dst[len++] = (char)c;
	}
	dst[len] = '\0';
	return 0;
}

/* USER[:PASSWORD] */
static int
url_login(const char *s, size_t n, struct proxy *p, struct err *e)
{
	const char *colon = memchr(s, ':', n);
	size_t user = colon == NULL ? n : (size_t)(colon - s);

	if (url_decode(s, user, p->user, sizeof(p->user)) == -1 ||
	    (colon != NULL &&
		url_decode(colon + 1, n - user - 1, p->password,
		    sizeof(p->password)) == -1))
		return url_bad(e,
		    "user or password is over 255 octets, has a control "
		    "character, or a % without two hexadecimal digits");
	if (p->user[0] == '\0')
		return url_bad(e, "no user stands before the @");
	/* RFC 7617 2: there the first colon is the end of the name. */
	if (p->kind == PROXY_HTTP && strchr(p->user, ':') != NULL)
		return url_bad(e, "an HTTP proxy takes no user with a colon");
	return 0;
}

/* HOST[:PORT], with a slash behind it if need be. */
static int
url_host(const char *s, struct proxy *p, struct err *e)
{
	size_t n = strlen(s);
	char name[IDNA_NAME_MAX];
	struct endpoint ep;
	struct err why;
	bool bracketed;

	if (n > 0 && s[n - 1] == '/')
		n--;
	if (endpoint_split(
		s, n, p->host, sizeof(p->host), &p->port, &bracketed) == -1)
		return url_bad(e, "no host, or no port from 1 to 65535");
	if (endpoint_ip(&ep, p->host, 0) == 0)
		return 0;
	if (bracketed || idna_host(p->host, name, &why) == -1)
		return url_bad(e, "the host is neither a name nor an address");
	memcpy(p->host, name, sizeof name);
	return 0;
}

int
proxy_parse(const char *url, struct proxy *p, struct err *e)
{
	const char *at;
	size_t i, n = 0;

	for (i = 0; i < SCHEME_ROWS; i++) {
		n = strlen(scheme_rows[i].scheme);
		if (strncasecmp(url, scheme_rows[i].scheme, n) == 0)
			break;
	}
	if (i == SCHEME_ROWS)
		return url_bad(e, "unknown scheme");
	*p = (struct proxy){
		.kind = scheme_rows[i].kind,
		.port = scheme_rows[i].port,
	};
	url += n;
	at = strrchr(url, '@');
	if (at == NULL)
		return url_host(url, p, e);
	if (url_login(url, (size_t)(at - url), p, e) == -1)
		return -1;
	return url_host(at + 1, p, e);
}

/* --- what both kinds do -------------------------------------------------- */

static int
broken(struct err *e, const char *what)
{
	return err_set(e, ERR_TEMP, ERR_PROTOCOL, "%s", what);
}

static int
refused(struct err *e, const char *what)
{
	return err_set(e, ERR_PERM, ERR_AUTH, "%s", what);
}

/* Send the question and forget it. */
static int
ask(struct io *io, struct buf *out, struct err *e)
{
	size_t done;
	int got = -1;

	if (!buf_ok(out))
		err_set(e, ERR_TEMP, ERR_MACHINE, "out of memory");
	else if (io_write(io, out->data, out->len, false, &done, e) ==
	    IO_WRITTEN)
		got = 0;
	buf_free(out);
	return got;
}

static int
more(struct io *io, struct err *e)
{
	return io_fill(io, e) > 0 ? 0 : -1;
}

/* --- SOCKS5 -------------------------------------------------------------- */

/* The words of RFC 1928 6. */
static const char *
socks_text(unsigned code)
{
	static const char *const text[] = {
		[1] = "general failure",
		[2] = "its rules do not allow the connection",
		[3] = "network unreachable",
		[4] = "host unreachable or unknown",
		[5] = "connection refused",
		[6] = "timed out on the way (TTL)",
		[7] = "it knows no CONNECT",
		[8] = "it takes no such kind of address",
	};

	return code < sizeof(text) / sizeof(text[0]) && text[code] != NULL
	    ? text[code]
	    : "unknown code";
}

long
proxy_parse_socks(const char *s, size_t n, unsigned *code)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t len;

	if (n > 0 && p[0] != SOCKS_VERSION)
		return -1;
	if (n < 2)
		return 0;
	*code = p[1];
	if (*code != 0)
		return 2;
	if (n < 5)
		return 0;
	switch (p[3]) {
	case ATYP_IPV4:
		len = 4;
		break;
	case ATYP_IPV6:
		len = 16;
		break;
	case ATYP_NAME:
		len = 1u + p[4];
		break;
	default:
		return -1;
	}
	return n < 4 + len + 2 ? 0 : (long)(4 + len + 2);
}

/* Take an answer of two octets, *value the second one. */
static int
socks_pair(struct io *io, unsigned *version, unsigned *value, struct err *e)
{
	const char *in;

	while (io->in.len < 2)
		if (more(io, e) == -1)
			return -1;
	in = buf_str(&io->in);
	*version = (unsigned char)in[0];
	*value = (unsigned char)in[1];
	buf_consume(&io->in, 2);
	return 0;
}

/* User and password (RFC 1929). Not every proxy knows the version of it. */
static int
socks_login(struct io *io, const struct proxy *p, struct err *e)
{
	size_t user = strlen(p->user), password = strlen(p->password);
	unsigned version, status;
	struct buf out;

	buf_init(&out, ASK_MAX);
	buf_addc(&out, SOCKS_LOGIN_VERSION);
	buf_addc(&out, (char)user);
	buf_add(&out, p->user, user);
	buf_addc(&out, (char)password);
	buf_add(&out, p->password, password);
	if (ask(io, &out, e) == -1 ||
	    socks_pair(io, &version, &status, e) == -1)
		return -1;
	return status == 0 ? 0 : refused(e, "it refuses user or password");
}

/* Agree upon a way to log in (RFC 1928 3), and do so. */
static int
socks_greet(struct io *io, const struct proxy *p, struct err *e)
{
	bool login = p->user[0] != '\0';
	unsigned version, method;
	struct buf out;

	buf_init(&out, ASK_MAX);
	buf_addc(&out, SOCKS_VERSION);
	buf_addc(&out, login ? 2 : 1);
	buf_addc(&out, METHOD_NONE);
	if (login)
		buf_addc(&out, METHOD_LOGIN);
	if (ask(io, &out, e) == -1 ||
	    socks_pair(io, &version, &method, e) == -1)
		return -1;
	if (version != SOCKS_VERSION)
		return broken(e, "it does not speak SOCKS5");
	if (method == METHOD_NONE)
		return 0;
	if (method == METHOD_LOGIN && login)
		return socks_login(io, p, e);
	if (method != METHOD_REFUSED)
		return broken(e, "it chose a login that was not offered");
	return refused(e,
	    login ? "it takes no login by user and password"
		  : "it wants a login; give USER:PASSWORD@ before its host");
}

/* The address of the server as RFC 1928 5 has it: what is text of an IP
 * address goes as such, a name is the proxy's to look up. */
static void
socks_target(struct buf *out, const char *host, unsigned port)
{
	struct endpoint ep;
	size_t n = strlen(host);

	if (endpoint_ip(&ep, host, port) == -1) {
		buf_addc(out, ATYP_NAME);
		buf_addc(out, (char)n);
		buf_add(out, host, n);
	} else if (ep.u.sa.sa_family == AF_INET) {
		buf_addc(out, ATYP_IPV4);
		buf_add(out, &ep.u.in.sin_addr, sizeof(ep.u.in.sin_addr));
	} else {
		buf_addc(out, ATYP_IPV6);
		buf_add(out, &ep.u.in6.sin6_addr, sizeof(ep.u.in6.sin6_addr));
	}
	buf_addc(out, (char)(port >> 8));
	buf_addc(out, (char)port);
}

static int
socks_connect(struct io *io, const struct proxy *p, const char *host,
    unsigned port, struct err *e)
{
	unsigned code = 0;
	struct buf out;
	long used;

	if (strlen(host) > 255)
		return broken(e, "the server's name is over 255 octets");
	if (socks_greet(io, p, e) == -1)
		return -1;
	buf_init(&out, ASK_MAX);
	buf_addc(&out, SOCKS_VERSION);
	buf_addc(&out, SOCKS_CONNECT);
	buf_addc(&out, 0);
	socks_target(&out, host, port);
	if (ask(io, &out, e) == -1)
		return -1;
	while ((used = proxy_parse_socks(
		    buf_str(&io->in), io->in.len, &code)) == 0)
		if (more(io, e) == -1)
			return -1;
	if (used == -1)
		return broken(e, "it does not speak SOCKS5");
	if (code != 0)
		return err_set(e, ERR_TEMP, ERR_CONNECT,
		    "no connection to %s port %u: %s (SOCKS code %u)", host,
		    port, socks_text(code), code);
	buf_consume(&io->in, (size_t)used);
	return 0;
}

/* --- HTTP ---------------------------------------------------------------- */

/* "HTTP/1.x NNN[ REASON]": 0, or -1. */
static int
status_line(
    const char *s, size_t n, unsigned *code, const char **reason, size_t *len)
{
	static const char start[] = "HTTP/1.";
	size_t at = sizeof(start) - 1, i;

	if (n < at + 5 || memcmp(s, start, at) != 0 || s[at] < '0' ||
	    s[at] > '9' || s[at + 1] != ' ')
		return -1;
	at += 2;
	*code = 0;
	for (i = 0; i < 3; i++, at++) {
		if (s[at] < '0' || s[at] > '9')
			return -1;
		*code = *code * 10 + (unsigned)(s[at] - '0');
	}
	if (*code < 100 || (at < n && s[at] != ' '))
		return -1;
	at += at < n;
	*reason = s + at;
	*len = n - at;
	return 0;
}

long
proxy_parse_http(
    const char *s, size_t n, unsigned *code, const char **reason, size_t *len)
{
	static const char start[] = "HTTP/1.";
	size_t at = 0, line,
	       some = n < sizeof(start) - 1 ? n : sizeof(start) - 1;
	const char *end;

	/* What will never be a response is told before its end comes. */
	if (memcmp(s, start, some) != 0)
		return -1;
	n = n < PROXY_HEAD_MAX ? n : PROXY_HEAD_MAX;
	while ((end = memchr(s + at, '\n', n - at)) != NULL) {
		line = (size_t)(end - s) - at;
		line -= line > 0 && end[-1] == '\r';
		if (at == 0 && status_line(s, line, code, reason, len) == -1)
			return -1;
		at = (size_t)(end - s) + 1;
		if (line == 0)
			return (long)at;
	}
	return n < PROXY_HEAD_MAX ? 0 : -1;
}

/* CONNECT host:port (RFC 9110 9.3.6), with Basic credentials (RFC 7617). */
static void
http_ask(
    struct buf *out, const struct proxy *p, const char *host, unsigned port)
{
	const char *open = strchr(host, ':') != NULL ? "[" : "";
	const char *close = *open != '\0' ? "]" : "";
	struct buf login;

	buf_addf(out, "CONNECT %s%s%s:%u HTTP/1.1\r\nHost: %s%s%s:%u\r\n", open,
	    host, close, port, open, host, close, port);
	if (p->user[0] != '\0') {
		buf_init(&login, ASK_MAX);
		buf_addf(&login, "%s:%s", p->user, p->password);
		buf_adds(out, "Proxy-Authorization: Basic ");
		enc_base64(out, buf_str(&login), login.len);
		buf_adds(out, "\r\n");
		buf_free(&login);
	}
	buf_adds(out, "\r\n");
}

/* Take one response; its code and phrase stay in *code and `said`. */
static int
http_answer(struct io *io, unsigned *code, char said[128], struct err *e)
{
	const char *reason;
	size_t len;
	long used;

	while ((used = proxy_parse_http(
		    buf_str(&io->in), io->in.len, code, &reason, &len)) == 0)
		if (more(io, e) == -1)
			return -1;
	if (used == -1)
		return broken(e, "its answer is no HTTP response");
	enc_printable_str(said, 128, reason, len);
	buf_consume(&io->in, (size_t)used);
	return 0;
}

static int
http_connect(struct io *io, const struct proxy *p, const char *host,
    unsigned port, struct err *e)
{
	unsigned code = 0, interim = 0;
	char said[128];
	struct buf out;

	buf_init(&out, ASK_MAX);
	http_ask(&out, p, host, port);
	if (ask(io, &out, e) == -1)
		return -1;
	/* RFC 9110 15.2: some 1yz may come before the answer; not 101, since
	 * we asked for no other protocol. */
	do {
		if (http_answer(io, &code, said, e) == -1)
			return -1;
	} while (code / 100 == 1 && code != 101 && ++interim < INTERIM_MAX);
	if (code / 100 == 2)
		return 0;
	/* 407 by RFC 9110 15.5.8; tinyproxy says 401 to a wrong password. */
	if (code == 407 || code == 401)
		return err_set(e, ERR_PERM, ERR_AUTH,
		    p->user[0] == '\0'
			? "it wants a login (%u); give USER:PASSWORD@ before "
			  "its host"
			: "it refuses user or password (%u)",
		    code);
	return err_set(e, ERR_TEMP, ERR_CONNECT,
	    "no connection to %s port %u: it said %u %s", host, port, code,
	    said);
}

/* --- either -------------------------------------------------------------- */

void
proxy_blame(const struct proxy *p, struct err *e)
{
	struct err why = *e;

	err_set(e, why.verdict, why.kind, "proxy %s: %s", p->host, why.text);
	e->scope = why.scope;
	e->stage = why.stage;
}

int
proxy_connect(struct io *io, const struct proxy *p, const char *host,
    unsigned port, struct err *e)
{
	int got = p->kind == PROXY_HTTP ? http_connect(io, p, host, port, e)
					: socks_connect(io, p, host, port, e);

	if (got == -1)
		proxy_blame(p, e);
	return got;
}
