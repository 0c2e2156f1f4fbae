/*
 * spec: a server as people write it: [SCHEME://]HOST[:PORT], unix:/path, or
 * a cluster: mx:DOMAIN[:PORT], srv:DOMAIN.
 * Called by relay.c for --host and its like in a configuration.
 * It checks the form alone and looks nothing up.
 * RFC 3986 3.2.2 (brackets), RFC 3696 2 (host names), RFC 2033 (LMTP).
 * Ownership: a list belongs to the caller; spec_free() releases it.
 */
#ifndef NET_SPEC_H
#define NET_SPEC_H

#include <stdbool.h>
#include <stddef.h>

struct err;

/* How mail is handed over; a row gives name, scheme and port. */
enum transport {
	TRANSPORT_SMTP,
	TRANSPORT_SMTPS,
	TRANSPORT_LMTP,
	/* No servers but mailboxes of this machine (local.h). */
	TRANSPORT_MBOX,
	TRANSPORT_MAILDIR,
	TRANSPORT_MDA,
	TRANSPORTS
};

struct transport_row {
	const char *name; /* "smtp" */
	const char *scheme; /* as --host takes it; NULL: it does not */
	unsigned port; /* the default one */
	bool implicit_tls; /* RFC 8314 3.3 */
};
extern const struct transport_row transport_rows[TRANSPORTS];

/* What the word of an item is. */
enum spec_kind {
	SPEC_HOST,
	SPEC_SOCKET,
	SPEC_MX, /* a domain: the hosts of its MX records */
	SPEC_SRV /* a domain: the hosts of its submission services */
};

struct spec {
	enum spec_kind kind;
	enum transport transport;
	/* Owned: name (A-labels), IP without brackets, or path; of a cluster
	 * the domain, in lower case without a final dot. */
	char *host;
	unsigned port; /* 0 for a socket and for srv: */
};

/*
 * Take a list apart: items between commas, blanks around them ignored. A
 * port in an item goes before `port`, that before the transport's own when
 * it is 0; unix:/path without a scheme is LMTP. The ports of srv: are those
 * of its records, and it takes no scheme. 0, or -1 with *e (usage)
 * that names the item and the remedy.
 */
int spec_parse(const char *list, unsigned port, struct spec **specs, size_t *n,
    struct err *e);
void spec_free(struct spec *, size_t n);

#endif
