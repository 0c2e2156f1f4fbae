/*
 * proxy: through a SOCKS5 or HTTP proxy to a server.
 * Called by worker.c on a connection to the proxy, before the dialogue.
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

/* Take SCHEME://[USER:PASSWORD@]HOST[:PORT] apart (socks5, http; %XX in user
 * and password): 0, or -1 with *e (usage) that never shows the password. */
int proxy_parse(const char *url, struct proxy *, struct err *e);

/*
 * Ask the proxy at the other end of `io` for a connection to host:port, a
 * name, or an IP address as text. Within the io's deadline. Nothing that the
 * server itself said is lost: it stays in io->in. 0, or -1 with *e (temporary;
 * permanent auth when the proxy refuses us by name).
 */
int proxy_connect(struct io *, const struct proxy *, const char *host,
    unsigned port, struct err *e);

#endif
