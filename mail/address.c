/*
 * address: see address.h. A cursor over the text, one small function for each
 * rule of the grammar. Lists are address_list.c's.
 * Callers: cli, queue, envelope.c. It asks no DNS and sends nothing.
 * RFC 5321 4.1.2, 4.1.3, 4.5.3.1; RFC 5322 3.2, 3.4, 4.4 (obsolete forms);
 * RFC 6531 3.3 (UTF-8).
 * Ownership: the text is borrowed, what is kept is copied into the address.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/enc.h"
#include "base/err.h"
#include "base/idna.h"
#include "mail/address.h"
#include "mail/cfws.h"

#define LABEL_MAX 63 /* octets, RFC 1035 2.3.4 */
#define SHOWN_MAX 100 /* octets of an address that an error quotes, */
#define SHOWN_ROOM 381 /* the same once they are printable, with a NUL */

/* Where the parser stands. */
struct lex {
	const char *s; /* borrowed: the whole text; positions count from it */
	size_t from; /* the item's first octet */
	size_t end; /* behind its last octet */
	size_t at; /* next octet */
	size_t gap; /* where the last white space and comments began */
	unsigned flags; /* ADDRESS_ */
	struct err *e; /* borrowed */
};

/* What is kept of a local part or a domain while it is read. */
struct part {
	char s[ADDRESS_DOMAIN_MAX + 1];
	size_t n;
	size_t max;
	const char *over; /* static: what is wrong when max is passed */
};

struct path {
	struct part local;
	struct part domain;
	enum domain_kind kind;
	char ip[INET6_ADDRSTRLEN]; /* of a literal */
	char ascii[IDNA_NAME_MAX]; /* of a name */
};

/* ---- characters ---- */

/* C0, DEL and C1, of a code point. */
static bool
is_control(int c)
{
	return (c >= 0 && c < ' ') || (c >= 0x7f && c < 0xa0);
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(int c)
{
	return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Underscores are no part of RFC 5321 4.1.2, but of names in daily use. */
static bool
is_label(int c)
{
	return is_alnum(c) || c == '-' || c == '_';
}

/* RFC 5322 3.2.3. */
static bool
is_atext(int c)
{
	return is_alnum(c) ||
	    (c > 0 && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* ---- errors ---- */

/* The octet at `at` as 0 to 255, -1 at the end. */
static int
octet(const struct lex *l, size_t at)
{
	return at < l->end ? (unsigned char)l->s[at] : -1;
}

static int
peek(const struct lex *l)
{
	return octet(l, l->at);
}

/* The item as an error quotes it: printable, its head only when it is long. */
static void
show_item(const struct lex *l, char out[SHOWN_ROOM + 3])
{
	size_t n = l->end - l->from;
	const char *s = l->s + l->from;

	if (n <= SHOWN_MAX) {
		enc_printable_str(out, SHOWN_ROOM, s, n);
		return;
	}
	n = SHOWN_MAX;
	while (n > SHOWN_MAX - 3 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	enc_printable_str(out, SHOWN_ROOM, s, n);
	n = strlen(out);
	snprintf(out + n, 4, "...");
}

/* `address "ITEM": WHAT at position N` and HINT behind it; returns -1. */
static int
refuse(struct lex *l, size_t at, const char *what, const char *hint)
{
	char item[SHOWN_ROOM + 3];

	show_item(l, item);
	err_set(l->e, ERR_PERM, ERR_DATA,
	    "address \"%s\": %s at position %zu%s", item, what, at + 1, hint);
	l->e->enhanced = (struct enhanced){ 5, 1, 3 };
	l->e->stage = STAGE_INPUT;
	l->e->scope = SCOPE_RECIPIENT;
	return -1;
}

/* Characters that are clearer by name. */
static const struct {
	int c;
	const char *name;
} char_rows[] = {
	{ -1, "end" },
	{ '\0', "NUL" },
	{ '\t', "tab" },
	{ '\n', "line feed" },
	{ '\r', "carriage return" },
	{ ' ', "space" },
};

static void
name_char(const struct lex *l, size_t at, char *out, size_t size)
{
	int c = octet(l, at);
	uint32_t cp = 0xfffd; /* what is not UTF-8 is no control character */
	size_t i, len;

	for (i = 0; i < sizeof char_rows / sizeof char_rows[0]; i++) {
		if (c == char_rows[i].c) {
			snprintf(out, size, "%s", char_rows[i].name);
			return;
		}
	}
	len = enc_utf8(l->s + at, l->end - at, &cp);
	snprintf(out, size,
	    is_control((int)cp) ? "control character %.*s" : "'%.*s'",
	    (int)(len == 0 ? 1 : len), l->s + at);
}

/* What people write for lists and names, as other programs have it. */
static const char *
advice(const struct lex *l, size_t at)
{
	const char *from = l->s + l->from, *here = l->s + at;
	bool before = memchr(from, '@', at - l->from) != NULL;
	bool behind = memchr(here, '@', l->end - at) != NULL;
	int c = octet(l, at);

	if (*from == '<' || (c != ' ' && c != ';'))
		return "";
	if (before && (behind || c == ';'))
		return "; a comma separates addresses";
	return behind && c == ' ' ? "; behind a name the address stands in < >"
				  : "";
}

static int
unexpected(struct lex *l, size_t at, const char *hint)
{
	char c[40], what[64];
	uint32_t cp;

	name_char(l, at, c, sizeof c);
	if (*hint == '\0')
		hint = advice(l, at);
	if (at < l->end && enc_utf8(l->s + at, l->end - at, &cp) == 0)
		hint = ", which is not UTF-8";
	snprintf(what, sizeof what, "unexpected %s", c);
	return refuse(l, at, what, hint);
}

/* The path or the whole text is over. */
static bool
at_close(const struct lex *l)
{
	return peek(l) == -1 || peek(l) == '>';
}

/*
 * The next octet cannot stand here; `missing` is said when nothing stands
 * here. Of two words with white space between them it blames the space.
 */
static int
unexpected_here(struct lex *l, const char *missing)
{
	int c = peek(l);
	bool word = is_atext(c) || c == '"' || c >= 0x80;

	if (word && l->gap < l->at && cfws_is_space(octet(l, l->gap)))
		return unexpected(l, l->gap, "");
	return unexpected(l, l->at, at_close(l) ? missing : "");
}

/* ---- quoted strings, comments, white space ---- */

static int
unfinished(struct lex *l, size_t at)
{
	bool quoted = octet(l, at) == '"';

	return refuse(l, at,
	    quoted ? "unfinished quoted string" : "unfinished comment", "");
}

static int
skip_cfws(struct lex *l)
{
	l->gap = l->at;
	return cfws_skip(l->s, &l->at, l->end) ? 0 : unfinished(l, l->at);
}

/* ---- local part and domain (RFC 5321 4.1.2) ---- */

static void
part_init(struct part *p, size_t max, const char *over)
{
	p->s[0] = '\0';
	p->n = 0;
	p->max = max;
	p->over = over;
}

static int
put(struct lex *l, struct part *p, int c)
{
	if (p->n == p->max)
		return refuse(l, l->at, p->over, "");
	p->s[p->n++] = (char)c;
	p->s[p->n] = '\0';
	return 0;
}

/* Keep the next octet and go on. */
static int
keep(struct lex *l, struct part *p)
{
	if (put(l, p, peek(l)) == -1)
		return -1;
	l->at++;
	return 0;
}

/* The octets of the character at the cursor that RFC 6531 3.3 adds to those
 * of RFC 5321, 0 if it is none: UTF-8, and no control character. */
static size_t
wide(const struct lex *l)
{
	uint32_t cp;
	size_t n =
	    l->at < l->end ? enc_utf8(l->s + l->at, l->end - l->at, &cp) : 0;

	return n > 1 && !is_control((int)cp) ? n : 0;
}

static int
keep_wide(struct lex *l, struct part *p)
{
	for (size_t n = wide(l); n > 0; n--)
		if (keep(l, p) == -1)
			return -1;
	return 0;
}

static int
atom(struct lex *l, struct part *p)
{
	if (!is_atext(peek(l)) && wide(l) == 0)
		return unexpected_here(l, ", the local part is missing");
	while (is_atext(peek(l)) || wide(l) > 0)
		if ((wide(l) > 0 ? keep_wide(l, p) : keep(l, p)) == -1)
			return -1;
	return 0;
}

/* White space and comments around its dots are RFC 5322 4.4, and dropped. */
static int
dot_string(struct lex *l, struct part *p)
{
	for (;;) {
		if (atom(l, p) == -1 || skip_cfws(l) == -1)
			return -1;
		if (peek(l) != '.')
			return 0;
		if (keep(l, p) == -1 || skip_cfws(l) == -1)
			return -1;
	}
}

/*
 * Printable ASCII, of which RFC 5321 has less than RFC 5322, and what RFC 6531
 * adds; that is never behind a backslash.
 */
static int
quoted_string(struct lex *l, struct part *p)
{
	size_t start = l->at;
	bool escaped = false;

	if (keep(l, p) == -1)
		return -1;
	while (peek(l) != '"' || escaped) {
		if (peek(l) == -1)
			return unfinished(l, start);
		if (!escaped && wide(l) > 0) {
			if (keep_wide(l, p) == -1)
				return -1;
			continue;
		}
		if (peek(l) < ' ' || peek(l) > '~')
			return unexpected(l, l->at, "");
		escaped = !escaped && peek(l) == '\\';
		if (keep(l, p) == -1)
			return -1;
	}
	return keep(l, p) == -1 ? -1 : skip_cfws(l);
}

static int
local_part(struct lex *l, struct part *p)
{
	part_init(p, ADDRESS_LOCAL_MAX, "local part longer than 64 octets");
	return peek(l) == '"' ? quoted_string(l, p) : dot_string(l, p);
}

/* One in UTF-8 may be longer than its A-label, whose length counts. */
static int
label(struct lex *l, struct part *p)
{
	size_t start = l->at;
	bool ascii = true;

	if (!is_label(peek(l)) && wide(l) == 0)
		return unexpected_here(l, ", the domain is missing");
	if (peek(l) == '-')
		return unexpected(l, start, ", no label begins with it");
	while (is_label(peek(l)) || wide(l) > 0) {
		ascii = ascii && wide(l) == 0;
		if (ascii && l->at - start == LABEL_MAX)
			return refuse(
			    l, l->at, "label longer than 63 octets", "");
		if ((wide(l) > 0 ? keep_wide(l, p) : keep(l, p)) == -1)
			return -1;
	}
	if (octet(l, l->at - 1) == '-')
		return unexpected(l, l->at - 1, ", no label ends with it");
	return 0;
}

/* No top-level domain is a number, so this is an address that lacks its []. */
static int
check_number(struct lex *l, size_t start, const char *name)
{
	const char *dot = strrchr(name, '.');
	const char *last = dot == NULL ? name : dot + 1;
	struct in_addr ip;
	char hint[ADDRESS_DOMAIN_MAX + 12];

	if (last[strspn(last, "0123456789")] != '\0')
		return 0;
	if (inet_pton(AF_INET, name, &ip) != 1)
		return refuse(l, start, "domain that ends in a number", "");
	snprintf(hint, sizeof hint, ", write [%s]", name);
	return refuse(l, start, "IP address without brackets", hint);
}

/* Why it has no A-labels: it is no domain, or this machine cannot say. */
static int
refuse_domain(struct lex *l, size_t start, const struct err *why)
{
	char item[SHOWN_ROOM + 3], hint[256];

	snprintf(hint, sizeof hint, ": %.250s", why->text);
	if (why->verdict == ERR_PERM)
		return refuse(l, start, "malformed domain", hint);
	show_item(l, item);
	err_set(l->e, why->verdict, why->kind, "address \"%s\"%s", item, hint);
	l->e->stage = STAGE_INPUT;
	l->e->scope = SCOPE_RECIPIENT;
	return -1;
}

/* The domain as DNS is asked for it (RFC 6531 3.2). */
static int
convert(struct lex *l, size_t start, struct path *p)
{
	struct err why;
	size_t n;

	if (idna_to_ascii(p->domain.s, p->domain.n, p->ascii, &why) == -1)
		return refuse_domain(l, start, &why);
	/* A dot of another script may have been the final one. */
	n = strlen(p->ascii);
	if (p->ascii[n - 1] == '.')
		p->ascii[--n] = '\0';
	if (n > p->domain.max)
		return refuse(l, start, p->domain.over, "");
	return check_number(l, start, p->ascii);
}

static int
domain_name(struct lex *l, struct path *p)
{
	size_t start = l->at;

	for (;;) {
		if (label(l, &p->domain) == -1 || skip_cfws(l) == -1)
			return -1;
		if (peek(l) != '.')
			break;
		l->at++;
		if (skip_cfws(l) == -1)
			return -1;
		/* A final dot is a habit of DNS; SMTP has none. */
		if (!is_label(peek(l)) && peek(l) < 0x80)
			break;
		if (put(l, &p->domain, '.') == -1)
			return -1;
	}
	return at_close(l) ? convert(l, start, p) : 0;
}

/* The text between the brackets as an IP address (RFC 5321 4.1.3). */
static bool
literal_ip(const char *text, struct path *p)
{
	static const char tag[] = "IPv6:";
	unsigned char ip[sizeof(struct in6_addr)];
	bool tagged = strncasecmp(text, tag, sizeof tag - 1) == 0;
	int family = tagged ? AF_INET6 : AF_INET;

	if (tagged)
		text += sizeof tag - 1;
	p->kind = tagged ? DOMAIN_IPV6 : DOMAIN_IPV4;
	return inet_pton(family, text, ip) == 1 &&
	    inet_ntop(family, ip, p->ip, sizeof p->ip) != NULL;
}

static int
literal(struct lex *l, struct path *p)
{
	char text[ADDRESS_DOMAIN_MAX + 1];
	size_t start = l->at;

	while (peek(l) != ']') {
		if (peek(l) == -1)
			return unexpected(l, l->at, ", ']' is missing");
		if (keep(l, &p->domain) == -1)
			return -1;
	}
	memcpy(text, p->domain.s + 1, p->domain.n);
	if (keep(l, &p->domain) == -1)
		return -1;
	if (!literal_ip(text, p))
		return refuse(l, start, "malformed address literal",
		    ", write [192.0.2.1] or [IPv6:2001:db8::1]");
	return skip_cfws(l);
}

static int
domain(struct lex *l, struct path *p)
{
	p->kind = DOMAIN_NAME;
	if (skip_cfws(l) == -1)
		return -1;
	return peek(l) == '[' ? literal(l, p) : domain_name(l, p);
}

/* ---- paths and mailboxes ---- */

/*
 * "@a,@b:" is checked and dropped (RFC 5321 4.1.1.3, appendix C); empty
 * elements are RFC 5322 4.4.
 */
static int
source_route(struct lex *l)
{
	struct path hop;

	do {
		while (peek(l) == ',') {
			l->at++;
			if (skip_cfws(l) == -1)
				return -1;
		}
		if (peek(l) != '@')
			break;
		l->at++;
		part_init(&hop.domain, ADDRESS_DOMAIN_MAX,
		    "domain longer than 255 octets");
		if (domain(l, &hop) == -1)
			return -1;
	} while (peek(l) == ',');
	if (peek(l) != ':')
		return unexpected_here(l, ", ':' and an address are missing");
	l->at++;
	return skip_cfws(l);
}

/* RFC 5321 4.1.1.3: the one local part that stands without a domain. */
static bool
is_postmaster(const struct lex *l, const struct part *p)
{
	return (l->flags & ADDRESS_POSTMASTER) != 0 && at_close(l) &&
	    strcasecmp(p->s, "postmaster") == 0;
}

/* 1: a name of this machine; 0: none is meant here; -1: it is refused. */
static int
bare_name(struct lex *l, size_t start, const struct part *p)
{
	const char *name = p->s[0] == '"' ? p->s + 1 : p->s;

	if ((l->flags & ADDRESS_BARE) == 0 || !at_close(l))
		return 0;
	name += name[0] == '\\';
	if (*name == '"' || strchr("|/:", *name) != NULL)
		return refuse(l, start, "no name of a user", "");
	return 1;
}

static int
addr_spec(struct lex *l, struct path *p)
{
	size_t start = l->at;
	int bare;

	if (local_part(l, &p->local) == -1)
		return -1;
	if (peek(l) != '@' && is_postmaster(l, &p->local))
		return 0;
	bare = bare_name(l, start, &p->local);
	if (bare != 0)
		return bare == -1 ? -1 : 0;
	if (peek(l) != '@')
		return unexpected_here(l, ", '@' and a domain are missing");
	l->at++;
	/* With <, @ and >; tighter than 255 for the domain alone. */
	part_init(&p->domain, ADDRESS_PATH_MAX - 3 - p->local.n,
	    "path longer than 256 octets");
	return domain(l, p);
}

/* What stands behind a '<', and the '>'. */
static int
angle(struct lex *l, struct path *p)
{
	l->at++;
	if (skip_cfws(l) == -1)
		return -1;
	if (peek(l) != '>' || (l->flags & ADDRESS_NULL) == 0) {
		if (peek(l) == '@' && source_route(l) == -1)
			return -1;
		if (addr_spec(l, p) == -1)
			return -1;
	}
	if (peek(l) != '>')
		return unexpected_here(l, ", '>' is missing");
	l->at++;
	return skip_cfws(l);
}

/*
 * Go to the '<' if there is one: what stands before it is a display name,
 * which nobody sends, so it need not be well-formed. Returns 1, 0 without
 * one (the cursor stays), or -1.
 */
static int
skip_name(struct lex *l)
{
	size_t at = l->at, next, stray = CFWS_OPEN;

	for (; at < l->end && l->s[at] != '<'; at = next) {
		next = at + 1;
		if (l->s[at] == '"')
			next = cfws_quoted_end(l->s, at, l->end);
		else if (l->s[at] == '(')
			next = cfws_comment_end(l->s, at, l->end);
		else if (stray == CFWS_OPEN && strchr(",:;>", l->s[at]) != NULL)
			stray = at;
		if (next == CFWS_OPEN)
			return unfinished(l, at);
	}
	if (at == l->end)
		return 0;
	if (stray != CFWS_OPEN)
		return unexpected(l, stray, "");
	l->at = at;
	return 1;
}

/* Whatever it is part of: the first line of defence for the dialogue. */
static int
check_controls(struct lex *l)
{
	for (size_t at = l->from; at < l->end; at++)
		if (octet(l, at) < 0x80 && is_control(octet(l, at)) &&
		    l->s[at] != '\t')
			return unexpected(l, at, "");
	return 0;
}

static int
mailbox(struct lex *l, struct path *p)
{
	int named;

	p->kind = DOMAIN_NONE;
	part_init(&p->local, 0, "");
	part_init(&p->domain, 0, "");
	if (l->from == l->end && (l->flags & ADDRESS_NULL) != 0)
		return 0;
	if (check_controls(l) == -1 || skip_cfws(l) == -1)
		return -1;
	named = skip_name(l);
	if (named == -1 || (named ? angle(l, p) : addr_spec(l, p)) == -1)
		return -1;
	return peek(l) == -1 ? 0 : unexpected_here(l, "");
}

/* ---- the address ---- */

static int
no_memory(struct address *a, struct err *e)
{
	address_free(a);
	err_errno(e, ERR_TEMP, ERR_MACHINE, ENOMEM, "address");
	e->stage = STAGE_INPUT;
	e->scope = SCOPE_RECIPIENT;
	return -1;
}

/*
 * The domain as a command has it. Beside a local part that is ASCII it is,
 * too, so that any server takes it; beside another it is as typed (RFC 6531
 * 3.3).
 */
static const char *
domain_on_wire(const struct path *p)
{
	bool typed = p->kind != DOMAIN_NAME ||
	    !enc_has_8bit(p->domain.s, p->domain.n) ||
	    enc_has_8bit(p->local.s, p->local.n);

	return typed ? p->domain.s : p->ascii;
}

static int
fill(struct address *a, const struct path *p, struct err *e)
{
	const char *domain = domain_on_wire(p);
	size_t n = p->local.n + strlen(domain) + 2;

	*a = (struct address){ .local_len = p->local.n,
		.kind = p->kind,
		.needs_utf8 = enc_has_8bit(p->local.s, p->local.n) };
	a->raw = malloc(n);
	if (a->raw == NULL)
		return no_memory(a, e);
	snprintf(a->raw, n, "%s%s%s", p->local.s,
	    p->kind == DOMAIN_NONE ? "" : "@", domain);
	if (p->kind == DOMAIN_NONE)
		return 0;
	a->ascii = strdup(p->kind == DOMAIN_NAME ? p->ascii : p->ip);
	a->utf8 = strdup(p->domain.s);
	return a->ascii == NULL || a->utf8 == NULL ? no_memory(a, e) : 0;
}

int
address_parse_part(struct address *a, const char *s, size_t from, size_t end,
    unsigned flags, struct err *e)
{
	struct lex l = { .s = s,
		.from = from,
		.at = from,
		.end = end,
		.flags = flags,
		.e = e };
	struct path p;

	return mailbox(&l, &p) == -1 ? -1 : fill(a, &p, e);
}

int
address_parse(
    struct address *a, const char *s, size_t n, unsigned flags, struct err *e)
{
	return address_parse_part(a, s, 0, n, flags, e);
}

void
address_free(struct address *a)
{
	if (a == NULL)
		return;
	free(a->raw);
	free(a->ascii);
	free(a->utf8);
	*a = (struct address){ 0 };
}

static const char *
domain_of(const struct address *a)
{
	return a->ascii == NULL ? "" : a->ascii;
}

bool
address_equal(const struct address *a, const struct address *b)
{
	if (a->raw == NULL || b->raw == NULL)
		return a->raw == b->raw;
	return a->kind == b->kind && a->local_len == b->local_len &&
	    memcmp(a->raw, b->raw, a->local_len) == 0 &&
	    strcmp(domain_of(a), domain_of(b)) == 0;
}

/* FNV-1a, 64 bits, folded so that the low bits depend on all of them. */
size_t
address_hash(const struct address *a)
{
	const char *d = domain_of(a);
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < a->local_len; i++)
		h = (h ^ (unsigned char)a->raw[i]) * 0x100000001b3u;
	h = (h ^ '@') * 0x100000001b3u;
	for (; *d != '\0'; d++)
		h = (h ^ (unsigned char)*d) * 0x100000001b3u;
	return (size_t)(h ^ h >> 32);
}

/* ---- domains of this machine ---- */

static bool
is_name(const char *domain, const char *s, size_t n)
{
	return domain != NULL && strlen(domain) == n &&
	    strncasecmp(domain, s, n) == 0;
}

bool
address_is_in(const struct address *a, const char *domains)
{
	size_t n;

	for (;;) {
		domains += strspn(domains, " \t,");
		n = strcspn(domains, " \t,");
		if (n == 0)
			return false;
		if (is_name(a->ascii, domains, n) ||
		    is_name(a->utf8, domains, n))
			return true;
		domains += n;
	}
}

int
address_make_bare(struct address *a, struct err *e)
{
	struct address bare;

	if (address_parse(&bare, a->raw, a->local_len, ADDRESS_BARE, e) == -1)
		return -1;
	address_free(a);
	*a = bare;
	return 0;
}

/* ---- host names ---- */

bool
address_is_hostname(const char *s, size_t n)
{
	return idna_is_hostname(s, n);
}
