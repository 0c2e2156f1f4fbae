/*
 * address: RFC 5321 paths and the RFC 5322 address forms people type.
 * Called by cli (arguments), queue and -t; proto writes what is kept here.
 * It opens nothing and asks no DNS; it decides what may enter a command.
 * RFC 5321 4.1.2, 4.1.3, 4.5.3.1; RFC 5322 3.4; RFC 6531 3.3.
 * Ownership: strings belong to the struct; address_free() releases them.
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

struct err;

enum domain_kind {
	DOMAIN_NONE, /* null path, <Postmaster>, a bare name */
	DOMAIN_NAME, /* a name, no final dot */
	DOMAIN_IPV4, /* [192.0.2.1] */
	DOMAIN_IPV6, /* [IPv6:2001:db8::1] */
};

struct address {
	char *raw; /* owned: local@domain as it goes into <>, "" is null; ASCII
		      if the local part is */
	char *ascii; /* owned: domain, A-labels in lower case; of a literal the
			bare IP text without brackets and tag; NULL if none */
	char *utf8; /* owned: the domain as typed, perhaps in U-labels */
	size_t local_len; /* octets of raw that are the local part */
	enum domain_kind kind;
	bool needs_utf8; /* local part not ASCII: never without SMTPUTF8 */
};

/* What address_parse() lets pass beside local@domain. */
#define ADDRESS_NULL 1u /* "" and "<>": the null reverse-path */
#define ADDRESS_POSTMASTER 2u /* Postmaster without a domain, any case */
/* A local part alone: a name of this machine (DOMAIN_NONE). One that begins
 * with |, / or : is refused, in quotes too: it might be taken for a program, a
 * file or a list, which nobody may name from outside. */
#define ADDRESS_BARE 4u

/* Longest parts, octets (RFC 5321 4.5.3.1.1 to .3; the path with its <>). */
#define ADDRESS_LOCAL_MAX 64
#define ADDRESS_DOMAIN_MAX 255
#define ADDRESS_PATH_MAX 256

/*
 * One address: addr-spec, <path> with or without source route (which is
 * stripped, RFC 5321 4.1.1.3), or display name and <path>, with RFC 5322
 * comments and white space (unfolded: a CR or LF is refused wherever it
 * stands, as is every control character but a tab that is white space). The
 * local part is kept octet by octet as typed, a quoted one with its quotes;
 * a final dot of the domain is dropped. Both may be in UTF-8 (RFC 6531 3.3);
 * the limits are octets of what is typed, and of the A-labels.
 * 0, or -1 with `e` (perm, data, enhanced 5.1.3; 5.1.7 is the caller's to
 * set for senders): the sentence names the offending character and its
 * 1-based position in s, in octets. No memory, or no libidn2 for a domain that
 * wants it (base/idna.h), is temp, machine. `a` is filled only on 0; free it.
 */
int address_parse(
    struct address *a, const char *s, size_t n, unsigned flags, struct err *e);

/* The same of the octets from `from` to `end`; positions count from s. */
int address_parse_part(struct address *a, const char *s, size_t from,
    size_t end, unsigned flags, struct err *e);

/*
 * Each address in a list as an argument or header holds it: separated by
 * commas, RFC 5322 groups opened ("Team: a@x, b@x;", the last ';' may be
 * missing). Empty items are skipped. An error costs its item only; a quoted
 * string or comment that never ends takes the rest of s, since what is inside
 * it is a guess. `fn` gets each item's text and either an address (its own now)
 * or, when it is NULL, the error; positions in errors count from the start
 * of s. It ends early when fn returns non-zero, and returns that; else 0.
 */
typedef int address_fn(void *ctx, const char *item, size_t n, struct address *a,
    const struct err *e);
int address_each(
    const char *s, size_t n, unsigned flags, address_fn *fn, void *ctx);

void address_free(struct address *);

/* Local parts octet by octet, domains case-blind. */
bool address_equal(const struct address *, const struct address *);

/* Consistent with address_equal(). */
size_t address_hash(const struct address *);

/* True if its domain is one of these names, which stand between commas:
 * case-blind, in A-labels or as it was typed. */
bool address_is_in(const struct address *, const char *domains);

/* Take the domain away: *a is the bare name then (ADDRESS_BARE). 0, or -1 with
 * `e` as address_parse() has it, and *a as it was. */
int address_make_bare(struct address *a, struct err *e);

/* ASCII: idna_is_hostname(). */
bool address_is_hostname(const char *s, size_t n);

#endif
