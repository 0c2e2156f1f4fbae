/*
 * session: what a session is made with: who the server is, and what it may
 * be told.
 * Filled by worker.c and cli/look.c, read by proto.c and its steps.
 * Source: the project's own design.
 * Ownership: all is borrowed, for as long as the session lives.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stdint.h>

struct auth_config;
struct sasl_library;
struct tls;
struct tls_policy;

struct session_config {
	bool lmtp; /* LHLO, and a reply for each recipient */
	const char *helo; /* borrowed; NULL: the connection's literal */
	int64_t timeout_max; /* milliseconds: caps each step, 0: no cap */
	const char *host; /* borrowed: names the server in outcomes */
	const char *ip; /* borrowed */
	unsigned port;
	struct tls *tls; /* borrowed: the process's, for a policy that may
			    want it */
	const struct tls_policy *policy; /* borrowed */
	const struct auth_config *auth; /* borrowed; NULL: no AUTH */
	const struct sasl_library *library; /* borrowed; NULL: none */
	const char *xclient; /* borrowed: NAME=VALUE ...; NULL: none */
	bool utf8; /* nothing can be sent without SMTPUTF8 */
	bool local; /* this machine, as the user typed it: no TLS needed */
};

#endif
