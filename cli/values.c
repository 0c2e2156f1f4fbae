/*
 * values: see values.h. A kind of value is a function of a few lines; what
 * is more has a module of its own (wishes.h, words.h, priorities.h).
 * Callers: settings.c.
 * RFC 5321 4.1.3 (literals of EHLO). It knows no other setting than the one
 * that it is handed.
 * Ownership: see values.h.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/when.h"
#include "cli/locally.h"
#include "cli/log.h"
#include "cli/priorities.h"
#include "cli/values.h"
#include "cli/wishes.h"
#include "cli/words.h"
#include "mail/address.h"
#include "mail/complete.h"
#include "mail/envelope.h"
#include "net/dial.h"
#include "net/proxy.h"
#include "net/tls.h"
#include "params.h"
#include "smtp/sasl.h"
#include "smtp/xclient.h"

#define MAX_SECONDS 86400.0

bool
values_is_domain(const char *s)
{
	size_t n = strlen(s);
	bool literal = n > 2 && s[0] == '[' && s[n - 1] == ']' &&
	    strspn(s + 1, "0123456789abcdefABCDEFIPv:.") == n - 2;

	return literal || address_is_hostname(s, n);
}

const char *
values_text(const struct setting_row *row, struct setting *s)
{
	(void)row;
	(void)s;
	return NULL;
}

/* A name that is longer is none, and would be left out without a word. */
const char *
values_name(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return strlen(s->text) > 1000 ? "give at most 1000 octets" : NULL;
}

/* One of n words, whose place it means; else what to do. */
static const char *
one_of(
    struct setting *s, const char *const *words, int64_t n, const char *remedy)
{
	for (s->number = 0; s->number < n; s->number++)
		if (strcmp(s->text, words[s->number]) == 0)
			return NULL;
	return remedy;
}

const char *
values_flag(const struct setting_row *row, struct setting *s)
{
	static const char *const words[] = { "off", "on" };

	(void)row;
	return one_of(s, words, 2, "give on or off");
}

const char *
values_port(const struct setting_row *row, struct setting *s)
{
	(void)row;
	s->number = words_number(s->text, 65535);
	return s->number < 1 ? "give a number from 1 to 65535" : NULL;
}

const char *
values_fd(const struct setting_row *row, struct setting *s)
{
	(void)row;
	s->number = words_number(s->text, INT_MAX);
	return s->number < 3 ? "give the number of an open descriptor, over 2"
			     : NULL;
}

const char *
values_protocol(const struct setting_row *row, struct setting *s)
{
	static const char *const words[] = { "smtp", "lmtp" };

	(void)row;
	return one_of(s, words, 2, "give smtp or lmtp");
}

const char *
values_ip(const struct setting_row *row, struct setting *s)
{
	struct endpoint ep;

	(void)row;
	return endpoint_ip(&ep, s->text, 0) == -1
	    ? "give an IPv4 or IPv6 address of this machine"
	    : NULL;
}

const char *
values_proxy(const struct setting_row *row, struct setting *s)
{
	struct proxy p;
	struct err e;
	int got = proxy_parse(s->text, &p, &e);

	(void)row;
	explicit_bzero(&p, sizeof p);
	return got == -1
	    ? "give socks5:// or http://, perhaps USER:PASSWORD@, and "
	      "HOST[:PORT]"
	    : NULL;
}

/* A host's name or address. */
const char *
values_host(const struct setting_row *row, struct setting *s)
{
	struct endpoint ep;

	(void)row;
	return endpoint_ip(&ep, s->text, 0) == -1
	    ? words_no_name(s->text, "give a host name or an IP address")
	    : NULL;
}

/* What stands behind the @ of an address. */
const char *
values_maildomain(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return values_is_domain(s->text)
	    ? NULL
	    : words_no_name(s->text,
		  "give what stands behind the @ of addresses, like "
		  "example.org");
}

/* What EHLO may say; what has a % in it is not known yet. */
const char *
values_domain(const struct setting_row *row, struct setting *s)
{
	(void)row;
	if (strchr(s->text, '%') != NULL || values_is_domain(s->text))
		return NULL;
	return words_no_name(
	    s->text, "give a host name or an address literal like [192.0.2.1]");
}

/* True if it is seconds, perhaps with a fraction; *ms is what they are. */
static bool
seconds_of(const char *text, int64_t *ms)
{
	char *end;
	double v;

	errno = 0;
	v = strtod(text, &end);
	if (errno != 0 || end == text || *end != '\0' ||
	    !(v >= 0.001 && v <= MAX_SECONDS))
		return false;
	*ms = (int64_t)(v * 1000);
	return true;
}

/* Into milliseconds. */
const char *
values_timeout(const struct setting_row *row, struct setting *s)
{
	(void)row;
	if ((s->from.file != NULL && strcmp(s->text, "off") == 0) ||
	    seconds_of(s->text, &s->number))
		return NULL;
	return "give seconds, from 0.001 to 86400";
}

const char *
values_tls(const struct setting_row *row, struct setting *s)
{
	enum tls_level level;

	(void)row;
	if (strcmp(s->text, "on") == 0)
		level = TLS_VERIFY;
	else if (strcmp(s->text, "off") == 0)
		level = TLS_NONE;
	else if (tls_level_parse(s->text, &level) == -1)
		return "give on, off, none, may, encrypt, verify or auto";
	s->number = level;
	return NULL;
}

/* msmtp's word for the default. */
const char *
values_trust(const struct setting_row *row, struct setting *s)
{
	(void)row;
	if (s->from.file != NULL && strcmp(s->text, "system") == 0)
		s->text = NULL;
	return NULL;
}

const char *
values_fingerprint(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return tls_fingerprint_valid(s->text)
	    ? NULL
	    : "give the SHA-256 of the certificate or its key, 64 hexadecimal "
	      "digits; SHA-1 and MD5 can be forged";
}

const char *
values_pem(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return strncmp(s->text, "pkcs11:", 7) == 0
	    ? "keys on devices are not built in; give a PEM file"
	    : NULL;
}

const char *
values_tls_min(const struct setting_row *row, struct setting *s)
{
	unsigned min;

	(void)row;
	if (!tls_min_parse(s->text, &min))
		return "give 1.0, 1.1, 1.2 or 1.3";
	s->number = min;
	return NULL;
}

const char *
values_priorities(const struct setting_row *row, struct setting *s)
{
	(void)row;
	s->ignored = priorities_parse(s->text, &s->number) == -1;
	return NULL;
}

const char *
values_host_name(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return words_no_name(s->text, "give the host name to verify");
}

const char *
values_auth(const struct setting_row *row, struct setting *s)
{
	(void)row;
	s->number = strcmp(s->text, "off") != 0;
	if (s->number != 0 && strcmp(s->text, "on") != 0 &&
	    sasl_find(s->text) == NULL)
		return "give on, off, or a mechanism like plain or "
		       "scram-sha-256";
	return NULL;
}

/* When a field is made. */
const char *
values_header(const struct setting_row *row, struct setting *s)
{
	static const char *const words[] = { [COMPLETE_AUTO] = "auto",
		[COMPLETE_ON] = "on",
		[COMPLETE_OFF] = "off" };

	(void)row;
	return one_of(s, words, 3, "give auto, on or off");
}

/* Domains, or what may stand before them; other scripts become A-labels when
 * they are wanted. Without any item there is none. */
const char *
values_names(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return words_names(s->text)
	    ? NULL
	    : "give names like those of hosts, with commas between them";
}

const char *
values_canonicalization(const struct setting_row *row, struct setting *s)
{
	static const char *const forms[] = { "relaxed/relaxed",
		"relaxed/simple", "simple/relaxed", "simple/simple" };

	(void)row;
	return one_of(s, forms, 4, "give HEADER/BODY, each relaxed or simple");
}

const char *
values_notify(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return wish_notify(s->text, &s->number)
	    ? NULL
	    : "give never, or some of failure,delay,success";
}

const char *
values_return(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return wish_return(s->text, &s->number) ? NULL : "give full or hdrs";
}

const char *
values_envid(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return wish_envid(s->text)
	    ? NULL
	    : "give at most 100 printable ASCII characters (a blank, + and = "
	      "count as three)";
}

const char *
values_orcpt(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return params_orcpt_valid(s->text)
	    ? NULL
	    : "give TYPE;ADDRESS like rfc822;bob@example.net, printable and "
	      "short enough for one command";
}

const char *
values_by(const struct setting_row *row, struct setting *s)
{
	struct deliver_by by;

	(void)row;
	return wish_by(s->text, &by)
	    ? NULL
	    : "give a time like 90, 15m, 2h or 1d, and perhaps ,N (tell if it "
	      "is late) or ,R (then return it; over 0), and T (trace)";
}

const char *
values_hold_for(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return wish_hold_for(s->text, &s->number)
	    ? NULL
	    : "give a time like 90, 15m, 2h or 1d, at most 999999999 seconds";
}

const char *
values_hold_until(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return wish_hold_until(s->text, &s->number)
	    ? NULL
	    : "give a date with its zone, like 2026-12-24T18:00:00+01:00";
}

const char *
values_priority(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return wish_priority(s->text, &s->number)
	    ? NULL
	    : "give a number from -9 to 9";
}

const char *
values_queue(const struct setting_row *row, struct setting *s)
{
	static const char *const words[] = {
		[QUEUE_OFF] = "off", [QUEUE_ON] = "on", [QUEUE_ONLY] = "only"
	};

	(void)row;
	return one_of(s, words, 3, "give on, off or only");
}

const char *
values_xclient(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return xclient_valid(s->text)
	    ? NULL
	    : "give attributes like \"NAME=mx.example.net ADDR=192.0.2.1\"";
}

const char *
values_time_format(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return log_time_format(s->text)
	    ? NULL
	    : "give a format of strftime(3), like \"%b %d %H:%M:%S\"";
}

const char *
values_syslog(const struct setting_row *row, struct setting *s)
{
	(void)row;
	s->number = log_facility(s->text);
	return s->number != LOG_UNSAID
	    ? NULL
	    : "give on, off, LOG_MAIL, LOG_USER or LOG_LOCAL0 to LOG_LOCAL7";
}

/* Into seconds. */
const char *
values_span(const struct setting_row *row, struct setting *s)
{
	(void)row;
	return when_span(s->text, strlen(s->text), &s->number) == 0
	    ? NULL
	    : "give a time like 90, 15m, 2h or 5d";
}

/* Into milliseconds; 0: no bound. */
const char *
values_try_time(const struct setting_row *row, struct setting *s)
{
	int64_t seconds;

	(void)row;
	if (strcmp(s->text, "off") == 0 || seconds_of(s->text, &s->number))
		return NULL;
	if (when_span(s->text, strlen(s->text), &seconds) == -1 ||
	    seconds < 1 || seconds > (int64_t)MAX_SECONDS)
		return "give off, or a time like 30, 0.5 or 2m, up to 1d";
	s->number = seconds * 1000;
	return NULL;
}

const char *
values_notice(const struct setting_row *row, struct setting *s)
{
	s->number = -1;
	return strcmp(s->text, "off") == 0 || values_span(row, s) == NULL
	    ? NULL
	    : "give off, or a time like 90, 15m, 2h or 5d";
}

const char *
values_connections(const struct setting_row *row, struct setting *s)
{
	(void)row;
	s->number = words_number(s->text, 1000);
	return s->number < 1 ? "give a number from 1 to 1000" : NULL;
}

const char *
values_local(const struct setting_row *row, struct setting *s)
{
	enum locally_kind kind;
	const char *remedy = locally_parse(s->text, &kind);

	(void)row;
	if (remedy == NULL)
		s->number = kind;
	return remedy;
}

/* What is for later: taken, and said to be ignored unless it is done. */
const char *
values_later(const struct setting_row *row, struct setting *s)
{
	s->ignored = row->done == NULL || !words_has(row->done, s->text);
	return NULL;
}
