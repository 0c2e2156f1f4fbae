/*
 * proxy: through a SOCKS5 or HTTP proxy to a server.
 * Called by reach.c on a connection to the proxy, before the dialogue.
 * It knows no SMTP. The proxy resolves the server's name.
 * RFC 1928, 1929 (SOCKS5), RFC 9110 9.3.6 (CONNECT), 7617 (Basic).
 * Ownership: a struct proxy is plain data; the password in it is the
 * owner's to wipe.
 */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct io;

enum proxy_kind { PROXY_SOCKS5, PROXY_HTTP, PROXY_KINDS };

struct proxy {
	enum proxy_kind kind;
	char host[256];
	unsigned port; /* 1080 and 8080 unless given */
	char user[256]; /* "": no authentication */
	char password[256];
};

/* Take SCHEME://[USER:PASSWORD@]HOST[:PORT] apart (socks5, socks5h, which is
 * the same here, and http; %XX in user and password): 0, or -1 with *e
 * (usage) that never shows the password. */
int proxy_parse(const char *url, struct proxy *, struct err *e);

/*
 * Ask the proxy at the other end of `io` for a connection to host:port, a
 * name, or an IP address as text. Within the io's deadline. Nothing that the
 * server itself said is lost: it stays in io->in. 0, or -1 with *e (temporary;
 * permanent auth when the proxy wants a login or refuses ours).
 */
int proxy_connect(struct io *, const struct proxy *, const char *host,
    unsigned port, struct err *e);

/* Put "proxy HOST: " before the sentence of *e. */
void proxy_blame(const struct proxy *, struct err *e);

/* Octets of the longest head of a response to CONNECT. */
#define PROXY_HEAD_MAX (16 * 1024)

/*
 * The parsers alone, for tests and fuzzing. Octets that the answer takes of
 * the n at s, 0 when some are missing, -1 when it is none.
 *
 * A SOCKS5 reply (RFC 1928 6) with its code; a refusal (code not 0) is told
 * by its first two octets, and nothing behind them is looked at.
 */
long proxy_parse_socks(const char *s, size_t n, unsigned *code);
/* Status line and header of a response (RFC 9112 4) with its status code;
 * *reason, borrowed from s, is its phrase of *len octets, maybe none. */
long proxy_parse_http(
    const char *s, size_t n, unsigned *code, const char **reason, size_t *len);

#endif
