/*
 * address_test: the address grammar, by the RFCs' own examples, at its exact
 * limits, and with every sentence that refuses one.
 */
#include "base/err.h"
#include "mail/address.h"
#include "tests/unit/test.h"

#define BOTH (ADDRESS_NULL | ADDRESS_POSTMASTER)
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* What an address became: its raw form, or the error's sentence. */
static const char *
parsed(const char *s, size_t n, unsigned flags)
{
	static char out[ERR_TEXT_MAX];
	struct address a;
	struct err e;

	if (address_parse(&a, s, n, flags, &e) == -1)
		return memcpy(out, e.text, sizeof out);
	snprintf(out, sizeof out, "%s", a.raw);
	address_free(&a);
	return out;
}

static const char *
parse(const char *s)
{
	return parsed(s, strlen(s), 0);
}

struct pair {
	const char *in, *out;
};

static void
check_pairs(const struct pair *rows, size_t n, unsigned flags)
{
	for (size_t i = 0; i < n; i++)
		CHECK_STR(
		    parsed(rows[i].in, strlen(rows[i].in), flags), rows[i].out);
}

/* A refusal without its constant head `address "ITEM": `. */
static void
check_refused(const struct pair *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char want[ERR_TEXT_MAX];

		snprintf(want, sizeof want, "address \"%s\": %s", rows[i].in,
		    rows[i].out);
		CHECK_STR(parse(rows[i].in), want);
	}
}

static char *
repeat(char *out, char c, size_t n)
{
	memset(out, c, n);
	out[n] = '\0';
	return out;
}

/* ---- what passes ---- */

TEST(rfc3696_section_3_with_errata_1690)
{
	static const char *const same[] = {
		"\"Abc\\@def\"@example.com",
		"\"Fred\\ Bloggs\"@example.com",
		"\"Joe\\\\Blow\"@example.com",
		"\"Abc@def\"@example.com",
		"\"Fred Bloggs\"@example.com",
		"user+mailbox@example.com",
		"customer/department=shipping@example.com",
		"$A12345@example.com",
		"!def!xyz%abc@example.com",
		"_somename@example.com",
	};

	for (size_t i = 0; i < COUNT(same); i++)
		CHECK_STR(parse(same[i]), same[i]);
}

TEST(rfc3696_forms_that_its_errata_withdrew)
{
	static const struct pair rows[] = {
		{ "Abc\\@def@example.com", "unexpected '\\' at position 4" },
		{ "Fred\\ Bloggs@example.com",
		    "unexpected '\\' at position 5" },
		{ "Joe.\\\\Blow@example.com", "unexpected '\\' at position 5" },
	};

	check_refused(rows, COUNT(rows));
}

TEST(rfc5321_paths)
{
	static const struct pair rows[] = {
		{ "<Smith@bar.com>", "Smith@bar.com" },
		{ "<@foo.com:Jones@XYZ.COM>", "Jones@XYZ.COM" },
		{ "<@hosta.int,@jkl.org:userc@d.bar.org>", "userc@d.bar.org" },
		{ "<user@[123.255.37.2]>", "user@[123.255.37.2]" },
		{ "<a!#$%&'*+-/=?^_`{|}~.9Z@x>", "a!#$%&'*+-/=?^_`{|}~.9Z@x" },
		{ "<\"\"@x>", "\"\"@x" },
		{ "<\" \\\"\\\\<>,:;@[]()\"@x>", "\" \\\"\\\\<>,:;@[]()\"@x" },
		{ "<-a@x>", "-a@x" },
		{ "<a@my_host.x-y.example>", "a@my_host.x-y.example" },
		{ "<a@1.2.3.4x>", "a@1.2.3.4x" },
		{ "<a@example.org.>", "a@example.org" },
		{ "a@example.org. ", "a@example.org" },
	};

	check_pairs(rows, COUNT(rows), 0);
}

TEST(rfc5322_appendix_a_mailboxes)
{
	static const struct pair rows[] = {
		{ "John Doe <jdoe@machine.example>", "jdoe@machine.example" },
		{ "\"Joe Q. Public\" <john.q.public@example.com>",
		    "john.q.public@example.com" },
		{ "Joe Q. Public <john.q.public@example.com>",
		    "john.q.public@example.com" },
		{ "Who? <one@y.test>", "one@y.test" },
		{ "\"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
		    "sysservices@example.net" },
		{ "Pete(A nice \\) chap) <pete(his account)@silly.test"
		  "(his host)>",
		    "pete@silly.test" },
		{ "Mary Smith <@node.test:mary@example.net>",
		    "mary@example.net" },
		{ "jdoe@test   . example", "jdoe@test.example" },
		{ "John Doe <jdoe@machine(comment).  example>",
		    "jdoe@machine.example" },
	};

	check_pairs(rows, COUNT(rows), 0);
}

TEST(forms_that_people_type)
{
	static const struct pair rows[] = {
		{ "\"Doe, John\" <j@x>", "j@x" },
		{ "John Doe<j@x>", "j@x" },
		{ " \t j@x \t ", "j@x" },
		{ "<\tj@x >", "j@x" },
		{ "j@x (John Doe)", "j@x" },
		{ "(John (Jack) Doe)j@x", "j@x" },
		{ "j . d@x", "j.d@x" },
		{ "j@x <j@x>", "j@x" },
		{ "[List] j <j@x>", "j@x" },
		{ "J\303\266rg <j@x>", "j@x" },
		{ "J\366rg <j@x>", "j@x" },
		{ "<@a,,@b,:j@x>", "j@x" },
		{ "<@[IPv6:::1],@b:j@x>", "j@x" },
	};

	check_pairs(rows, COUNT(rows), 0);
}

TEST(null_path_and_postmaster_where_they_are_allowed)
{
	static const struct pair rows[] = {
		{ "", "" },
		{ "<>", "" },
		{ "< (nobody) >", "" },
		{ "Mailer <>", "" },
		{ "<Postmaster>", "Postmaster" },
		{ "postMASTER", "postMASTER" },
		{ "Postmaster@x", "Postmaster@x" },
		{ " ",
		    "address \" \": unexpected end at position 2, "
		    "the local part is missing" },
		{ "<Postmaster",
		    "address \"<Postmaster\": unexpected end at "
		    "position 12, '>' is missing" },
		{ "postmaster a",
		    "address \"postmaster a\": unexpected space "
		    "at position 11" },
	};

	check_pairs(rows, COUNT(rows), BOTH);
}

TEST(bare_names_where_they_are_allowed)
{
	static const struct pair rows[] = {
		{ "root", "root" },
		{ " Joe <root> ", "root" },
		{ "\"joe smith\"", "\"joe smith\"" },
		{ "-x", "-x" },
		{ "b\303\274b", "b\303\274b" },
		{ "root@x", "root@x" },
		{ "|x@x", "|x@x" },
		{ "|x", "address \"|x\": no name of a user at position 1" },
		{ "</etc/x>",
		    "address \"</etc/x>\": no name of a user at position 2" },
		{ "\"|x y\"",
		    "address \"\"|x y\"\": no name of a user at position 1" },
		{ "\"\\/x\"",
		    "address \"\"\\/x\"\": no name of a user at position 1" },
		{ "\":include:/x\"",
		    "address \"\":include:/x\"\": no name of a user at "
		    "position 1" },
		{ "\"\"", "address \"\"\"\": no name of a user at position 1" },
		{ "joe smith",
		    "address \"joe smith\": unexpected space at position 4" },
		{ "<>",
		    "address \"<>\": unexpected '>' at position 2, the local "
		    "part is missing" },
	};

	check_pairs(rows, COUNT(rows), ADDRESS_BARE);
}

TEST(null_path_and_postmaster_where_they_are_not)
{
	static const struct pair rows[] = {
		{ "",
		    "unexpected end at position 1, "
		    "the local part is missing" },
		{ "<>",
		    "unexpected '>' at position 2, "
		    "the local part is missing" },
		{ "Postmaster",
		    "unexpected end at position 11, "
		    "'@' and a domain are missing" },
		{ "<Postmaster>",
		    "unexpected '>' at position 12, "
		    "'@' and a domain are missing" },
	};

	check_refused(rows, COUNT(rows));
}

/* ---- what is kept ---- */

TEST(fields_of_a_name)
{
	struct address a;
	struct err e;

	CHECK_INT(address_parse(&a, "<Joe@AZ.Example.>", 17, 0, &e), 0);
	CHECK_STR(a.raw, "Joe@AZ.Example");
	CHECK_STR(a.ascii, "az.example");
	CHECK_STR(a.utf8, "AZ.Example");
	CHECK_INT(a.local_len, 3);
	CHECK_INT(a.kind, DOMAIN_NAME);
	CHECK(!a.needs_utf8);
	address_free(&a);
	CHECK(a.raw == NULL && a.ascii == NULL && a.utf8 == NULL);
	address_free(NULL);
}

static void
check_literal(const char *s, enum domain_kind kind, const char *ip)
{
	struct address a;
	struct err e;

	CHECK_INT(address_parse(&a, s, strlen(s), 0, &e), 0);
	CHECK_STR(a.raw, s);
	CHECK_STR(a.ascii, ip);
	CHECK_STR(a.utf8, s + 2);
	CHECK_INT(a.kind, kind);
	address_free(&a);
}

TEST(fields_of_a_literal)
{
	check_literal("a@[192.0.2.1]", DOMAIN_IPV4, "192.0.2.1");
	check_literal("a@[IPv6:2001:DB8:0:0::1]", DOMAIN_IPV6, "2001:db8::1");
	check_literal("a@[ipv6:::]", DOMAIN_IPV6, "::");
	check_literal(
	    "a@[IPv6:::ffff:192.0.2.1]", DOMAIN_IPV6, "::ffff:192.0.2.1");
}

TEST(fields_without_a_domain)
{
	struct address a;
	struct err e;

	CHECK_INT(address_parse(&a, "<>", 2, BOTH, &e), 0);
	CHECK_STR(a.raw, "");
	CHECK(a.ascii == NULL && a.utf8 == NULL);
	CHECK_INT(a.local_len, 0);
	CHECK_INT(a.kind, DOMAIN_NONE);
	address_free(&a);
	CHECK_INT(address_parse(&a, "postmaster", 10, BOTH, &e), 0);
	CHECK_INT(a.local_len, 10);
	CHECK_INT(a.kind, DOMAIN_NONE);
	address_free(&a);
}

/* ---- what is refused ---- */

TEST(an_error_is_permanent_and_of_the_recipient)
{
	struct address a;
	struct err e;

	CHECK_INT(address_parse(&a, "a b@x", 5, 0, &e), -1);
	CHECK_STR(e.text,
	    "address \"a b@x\": unexpected space at position 2; behind a name "
	    "the address stands in < >");
	CHECK_INT(e.verdict, ERR_PERM);
	CHECK_INT(e.kind, ERR_DATA);
	CHECK_INT(e.scope, SCOPE_RECIPIENT);
	CHECK_INT(e.stage, STAGE_INPUT);
	CHECK_INT(e.code, 0);
	CHECK(e.enhanced.class == 5 && e.enhanced.subject == 1 &&
	    e.enhanced.detail == 3);
	CHECK_INT(err_exit(&e), 67);
}

TEST(refused_local_parts)
{
	static const struct pair rows[] = {
		{ "@x", "unexpected '@' at position 1" },
		{ "@a:b@x", "unexpected '@' at position 1" },
		{ ".a@x", "unexpected '.' at position 1" },
		{ "a..b@x", "unexpected '.' at position 3" },
		{ "a.@x", "unexpected '@' at position 3" },
		{ "a,b@x", "unexpected ',' at position 2" },
		{ "a;b@x", "unexpected ';' at position 2" },
		{ "a:b@x", "unexpected ':' at position 2" },
		{ "a[b@x", "unexpected '[' at position 2" },
		{ "a)b@x", "unexpected ')' at position 2" },
		{ "a\"b\"@x", "unexpected '\"' at position 2" },
		{ "\"a\"b@x", "unexpected 'b' at position 4" },
		{ "\"a\".b@x", "unexpected '.' at position 4" },
		{ "a.\"b\"@x", "unexpected '\"' at position 3" },
		{ "\"a@x", "unfinished quoted string at position 1" },
		{ "\"a\\\"@x", "unfinished quoted string at position 1" },
		{ "J \"a <b@x>", "unfinished quoted string at position 3" },
		{ "a(b@x", "unfinished comment at position 2" },
		{ "J (a (b) <b@x>", "unfinished comment at position 3" },
		{ "a@x(", "unfinished comment at position 4" },
		{ "<\"a@x>", "unfinished quoted string at position 2" },
		{ "<(a@x>", "unfinished comment at position 2" },
		{ "<a(@x>", "unfinished comment at position 3" },
		{ "<a.(b@x>", "unfinished comment at position 4" },
		{ "<a@(x>", "unfinished comment at position 4" },
		{ "<a@x(>", "unfinished comment at position 5" },
		{ "<a@x.(y>", "unfinished comment at position 6" },
		{ "<@a,(@b:c@x>", "unfinished comment at position 5" },
		{ "bob",
		    "unexpected end at position 4, "
		    "'@' and a domain are missing" },
		{ "bob jones", "unexpected space at position 4" },
		{ "John Doe j@x",
		    "unexpected space at position 5; behind a name the address "
		    "stands in < >" },
		{ "a@x b@x",
		    "unexpected space at position 4; a comma separates "
		    "addresses" },
		{ "a@x;",
		    "unexpected ';' at position 4; a comma separates "
		    "addresses" },
		{ "a(c)b@x", "unexpected 'b' at position 5" },
		{ "mailto:a@x", "unexpected ':' at position 7" },
	};

	check_refused(rows, COUNT(rows));
}

TEST(refused_domains)
{
	static const struct pair rows[] = {
		{ "a@",
		    "unexpected end at position 3, "
		    "the domain is missing" },
		{ "<a@>",
		    "unexpected '>' at position 4, "
		    "the domain is missing" },
		{ "a@.x", "unexpected '.' at position 3" },
		{ "a@x..", "unexpected '.' at position 5" },
		{ "a@x..y", "unexpected '.' at position 5" },
		{ "a@x y", "unexpected space at position 4" },
		{ "a@x,b@y", "unexpected ',' at position 4" },
		{ "a@b@c", "unexpected '@' at position 4" },
		{ "a@x/y", "unexpected '/' at position 4" },
		{ "a@-x",
		    "unexpected '-' at position 3, "
		    "no label begins with it" },
		{ "a@x.-y",
		    "unexpected '-' at position 5, "
		    "no label begins with it" },
		{ "a@x-.y",
		    "unexpected '-' at position 4, "
		    "no label ends with it" },
		{ "a@192.0.2.1",
		    "IP address without brackets at position 3, "
		    "write [192.0.2.1]" },
		{ "<a@192.0.2.1.>",
		    "IP address without brackets at "
		    "position 4, write [192.0.2.1]" },
		{ "a@example.123",
		    "domain that ends in a number at "
		    "position 3" },
		{ "a@0", "domain that ends in a number at position 3" },
		{ "a@fe80::1", "unexpected ':' at position 7" },
	};

	check_refused(rows, COUNT(rows));
}

TEST(refused_literals)
{
	static const char hint[] = "malformed address literal at position 3, "
				   "write [192.0.2.1] or [IPv6:2001:db8::1]";
	static const char *const rows[] = {
		"a@[]",
		"a@[192.0.2]",
		"a@[192.0.2.256]",
		"a@[192.0.2.1.]",
		"a@[192.0.2.01]",
		"a@[ 192.0.2.1]",
		"a@[192.0.2.1>]",
		"a@[2001:db8::1]",
		"a@[IPv6:]",
		"a@[IPv6:2001:db8::1::2]",
		"a@[IPv6:fe80::1%eth0]",
		"a@[IPv6:192.0.2.1]",
		"a@[x400:o=example]",
	};
	static const struct pair open[] = {
		{ "a@[192.0.2.1",
		    "unexpected end at position 13, ']' is missing" },
		{ "a@[192.0.2.1]x", "unexpected 'x' at position 14" },
		{ "a@[192.0.2.1].", "unexpected '.' at position 14" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		check_refused(&(struct pair){ rows[i], hint }, 1);
	check_refused(open, COUNT(open));
}

TEST(refused_angles_and_routes)
{
	static const struct pair rows[] = {
		{ "<a@x", "unexpected end at position 5, '>' is missing" },
		{ "<a@x>>", "unexpected '>' at position 6" },
		{ "<a@x> b", "unexpected space at position 6" },
		{ "<a@x><b@x>", "unexpected '<' at position 6" },
		{ "<<a@x>>", "unexpected '<' at position 2" },
		{ "a@x>", "unexpected '>' at position 4" },
		{ "a> <a@x>", "unexpected '>' at position 2" },
		{ "Doe, John <j@x>", "unexpected ',' at position 4" },
		{ "Re: John <j@x>", "unexpected ':' at position 3" },
		{ "John; <j@x>", "unexpected ';' at position 5" },
		{ "<@a>",
		    "unexpected '>' at position 4, "
		    "':' and an address are missing" },
		{ "<@a:>",
		    "unexpected '>' at position 5, "
		    "the local part is missing" },
		{ "<@a@b:c@x>", "unexpected '@' at position 4" },
		{ "<@a,b:c@x>", "unexpected 'b' at position 5" },
		{ "<@a b:c@x>", "unexpected space at position 4" },
		{ "<@:c@x>", "unexpected ':' at position 3" },
		{ "<@a..b:c@x>", "unexpected '.' at position 5" },
	};

	check_refused(rows, COUNT(rows));
}

/* `form` with c for each '#'. */
static const char *
with_char(const char *form, char c)
{
	static char text[ERR_TEXT_MAX];
	char s[32];
	size_t n = strlen(form);
	struct address a;
	struct err e;

	memcpy(s, form, n);
	for (size_t i = 0; i < n; i++)
		if (s[i] == '#')
			s[i] = c;
	CHECK_INT(address_parse(&a, s, n, BOTH, &e), -1);
	return memcpy(text, e.text, sizeof text);
}

TEST(every_control_character_is_refused_everywhere)
{
	static const char *const forms[] = { "#a@x", "a#b@x", "a@x#y", "a@x#",
		"<a@x#>", "\"a#b\"@x", "\"a\\#b\"@x", "J# <a@x>",
		"\"J#\" <a@x>", "(#) a@x", "a@[192.0.2.1#]", "<@a#b:c@x>" };

	for (size_t i = 0; i < COUNT(forms); i++) {
		for (int c = 0; c < ' '; c++)
			if (c != '\t')
				with_char(forms[i], (char)c);
		CHECK(strstr(with_char(forms[i], 0x7f),
			  "unexpected control character") != NULL);
	}
}

TEST(control_characters_by_name)
{
	CHECK_STR(parse("a\r\n@x"),
	    "address \"a\\x0D\\x0A@x\": unexpected "
	    "carriage return at position 2");
	CHECK_STR(parse("a@x\n"),
	    "address \"a@x\\x0A\": unexpected line feed "
	    "at position 4");
	CHECK_STR(parsed("a\0@x", 4, 0),
	    "address \"a\\x00@x\": unexpected NUL at position 2");
	CHECK_STR(parse("\"a\tb\"@x"),
	    "address \"\"a\\x09b\"@x\": unexpected tab at position 3");
	CHECK_STR(parse("a\033b@x"),
	    "address \"a\\x1Bb@x\": unexpected control character \\x1B at "
	    "position 2");
}

/* ---- UTF-8 (RFC 6531 3.3) ---- */

TEST(domains_become_a_labels)
{
	static const struct pair rows[] = {
		{ "joerg@münchen.de", "joerg@xn--mnchen-3ya.de" },
		{ "<joerg@MÜNCHEN.DE.>", "joerg@xn--mnchen-3ya.de" },
		{ "a@faß.example", "a@xn--fa-hia.example" },
		{ "a@例え。テスト。", "a@xn--r8jz45g.xn--zckzah" },
		{ "a@x . ü", "a@x.xn--tda" },
		{ "a@_x.1ü", "a@_x.xn--1-eha" },
		{ "a@XN--TDA.DE", "a@XN--TDA.DE" },
		{ "<@münchen.de:a@x>", "a@x" },
		{ "Jörg <joerg@ü>", "joerg@xn--tda" },
	};

	check_pairs(rows, COUNT(rows), 0);
}

TEST(local_parts_stay_as_typed)
{
	static const char *const same[] = { "jörg@example.org",
		"用户@例子.测试", "\"jö rg\"@x", "jörg@[192.0.2.1]",
		"ö@MÜNCHEN.de", "\xf0\x9f\x93\xa7@x", "\xc2\xa0@x", "ö.ü@x",
		"aö@xn--tda" };

	for (size_t i = 0; i < COUNT(same); i++)
		CHECK_STR(parse(same[i]), same[i]);
}

TEST(fields_of_utf8)
{
	static const struct {
		const char *s, *raw, *ascii, *utf8;
		size_t local_len;
		bool needs;
	} rows[] = {
		{ "a@Ü.de", "a@xn--tda.de", "xn--tda.de", "Ü.de", 1, false },
		{ "ö@Ü.de", "ö@Ü.de", "xn--tda.de", "Ü.de", 2, true },
		{ "ö@X.de", "ö@X.de", "x.de", "X.de", 2, true },
		{ "ö@[192.0.2.1]", "ö@[192.0.2.1]", "192.0.2.1", "[192.0.2.1]",
		    2, true },
	};
	struct address a;
	struct err e;

	for (size_t i = 0; i < COUNT(rows); i++) {
		CHECK_INT(
		    address_parse(&a, rows[i].s, strlen(rows[i].s), 0, &e), 0);
		CHECK_STR(a.raw, rows[i].raw);
		CHECK_STR(a.ascii, rows[i].ascii);
		CHECK_STR(a.utf8, rows[i].utf8);
		CHECK_INT(a.local_len, rows[i].local_len);
		CHECK_INT(a.needs_utf8, rows[i].needs);
		address_free(&a);
	}
}

TEST(what_is_not_utf8_is_refused)
{
	static const struct pair rows[] = {
		{ "\377@x",
		    "unexpected '\\xFF' at position 1, which is not UTF-8" },
		{ "j\366rg@x",
		    "unexpected '\\xF6' at position 2, which is not UTF-8" },
		{ "\"\303\"@x",
		    "unexpected '\\xC3' at position 2, which is not UTF-8" },
		{ "a@m\374nchen.de",
		    "unexpected '\\xFC' at position 4, which is not UTF-8" },
		{ "\355\240\200@x",
		    "unexpected '\\xED' at position 1, which is not UTF-8" },
		{ "a\302\205b@x",
		    "unexpected control character \\xC2\\x85 at position 2" },
		{ "\"\302\237\"@x",
		    "unexpected control character \\xC2\\x9F at position 2" },
		{ "a@\302\200",
		    "unexpected control character \\xC2\\x80 at position 3" },
		{ "\"\\ö\"@x", "unexpected 'ö' at position 3" },
		{ "a@x ö", "unexpected space at position 4" },
		{ "<a@x>ö", "unexpected 'ö' at position 6" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *got = parse(rows[i].in);

		CHECK(strstr(got, rows[i].out) != NULL);
		CHECK_STR(got + strlen(got) - strlen(rows[i].out), rows[i].out);
	}
}

TEST(domains_that_are_none)
{
	static const struct pair rows[] = {
		{ "a@mün_chen.de",
		    "malformed domain at position 3: "
		    "an underscore stands in ASCII labels only" },
		{ "<a@☃.net>",
		    "malformed domain at position 4: "
		    "a character in it is not for names" },
		{ "a@ü..de", "unexpected '.' at position 6" },
		{ "a@-ü.de",
		    "unexpected '-' at position 3, no label begins with it" },
		{ "a@ü-.de",
		    "unexpected '-' at position 5, no label ends with it" },
		{ "a@１９２.0.2.1",
		    "IP address without brackets at position 3, "
		    "write [192.0.2.1]" },
		{ "a@ü.１", "domain that ends in a number at position 3" },
		{ "a@x＠ü",
		    "malformed domain at position 3: it is no host name" },
	};

	check_refused(rows, COUNT(rows));
}

/* `head`, n times `piece`, and `tail`. */
static const char *
many(const char *head, const char *piece, size_t n, const char *tail)
{
	static char out[600];
	size_t at = (size_t)snprintf(out, sizeof out, "%s", head);

	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(out + at, sizeof out - at, "%s", piece);
	snprintf(out + at, sizeof out - at, "%s", tail);
	return out;
}

TEST(utf8_is_limited_by_its_octets)
{
	const char *s = many("", "ö", 32, "@x");

	CHECK_STR(parse(s), s);
	CHECK(strstr(parse(many("", "ö", 32, "a@x")),
		  "local part longer than 64 octets at position 65") != NULL);
	CHECK(strstr(parse(many("a", "ö", 32, "@x")),
		  "local part longer than 64 octets") != NULL);
	/* 74 octets as typed are fine, since the A-label has 43. */
	CHECK_INT(strlen(parse(many("a@", "ö", 37, ""))), 2 + 43);
	/* 98 octets as typed, 253 as A-labels. */
	CHECK(strstr(parse(many("a@", "ö.", 31, "abcde")),
		  "path longer than 256 octets at position 3") != NULL);
}

/* ---- limits ---- */

TEST(local_part_of_64_and_65_octets)
{
	char part[80], s[100];

	snprintf(s, sizeof s, "%s@x", repeat(part, 'a', 64));
	CHECK_STR(parse(s), s);
	snprintf(s, sizeof s, "%s@x", repeat(part, 'a', 65));
	CHECK(strstr(parse(s),
		  "local part longer than 64 octets at "
		  "position 65") != NULL);
	snprintf(s, sizeof s, "\"%s\"@x", repeat(part, ' ', 62));
	CHECK_STR(parse(s), s);
	snprintf(s, sizeof s, "\"%s\"@x", repeat(part, ' ', 63));
	CHECK(strstr(parse(s),
		  "local part longer than 64 octets at "
		  "position 65") != NULL);
	snprintf(s, sizeof s, "\"%s\"@x", repeat(part, ' ', 64));
	CHECK(strstr(parse(s), "64 octets at position 65") != NULL);
	snprintf(s, sizeof s, "%s.@x", repeat(part, 'a', 64));
	CHECK(strstr(parse(s), "64 octets at position 65") != NULL);
}

TEST(label_of_63_and_64_octets)
{
	char part[80], s[100];

	snprintf(s, sizeof s, "a@%s.b", repeat(part, 'x', 63));
	CHECK_STR(parse(s), s);
	snprintf(s, sizeof s, "a@%s.b", repeat(part, 'x', 64));
	CHECK(strstr(parse(s), "label longer than 63 octets at position 66") !=
	    NULL);
}

/* A domain of n octets, of labels that are short enough. */
static char *
domain_of_length(char *out, size_t n)
{
	repeat(out, 'x', n);
	for (size_t i = 50; i + 1 < n; i += 50)
		out[i] = '.';
	return out;
}

TEST(path_of_256_and_257_octets)
{
	char name[300], s[400];

	/* < a@ and > take four of them. */
	snprintf(s, sizeof s, "a@%s", domain_of_length(name, 252));
	CHECK_STR(parse(s), s);
	snprintf(s, sizeof s, "a@%s.", domain_of_length(name, 252));
	CHECK_INT(strlen(parse(s)), 254);
	snprintf(s, sizeof s, "a@%s", domain_of_length(name, 253));
	CHECK(strstr(parse(s),
		  "...\": path longer than 256 octets at "
		  "position 255") != NULL);
	snprintf(s, sizeof s, "ab@%s", domain_of_length(name, 252));
	CHECK(strstr(parse(s), "path longer than 256 octets") != NULL);
	snprintf(s, sizeof s, "a@[%s]", repeat(name, '1', 250));
	CHECK(strstr(parse(s), "malformed address literal") != NULL);
	snprintf(s, sizeof s, "a@[%s]", repeat(name, '1', 251));
	CHECK(strstr(parse(s), "256 octets at position 255") != NULL);
	snprintf(s, sizeof s, "a@[%s]", repeat(name, '1', 299));
	CHECK(strstr(parse(s), "path longer than 256 octets") != NULL);
}

TEST(domain_of_255_and_256_octets_in_a_route)
{
	char name[300], s[400];

	snprintf(s, sizeof s, "<@%s:a@x>", domain_of_length(name, 255));
	CHECK_STR(parse(s), "a@x");
	snprintf(s, sizeof s, "<@%s:a@x>", domain_of_length(name, 256));
	CHECK(strstr(parse(s),
		  "domain longer than 255 octets at position "
		  "258") != NULL);
}

TEST(a_long_address_is_quoted_by_its_head)
{
	char s[200], want[300];

	repeat(s, 'a', 100)[1] = ',';
	snprintf(want, sizeof want,
	    "address \"%s\": unexpected ',' at position 2", s);
	CHECK_STR(parse(s), want);
	snprintf(want, sizeof want,
	    "address \"%s...\": unexpected ',' at position 2", s);
	repeat(s, 'a', 101)[1] = ',';
	CHECK_STR(parse(s), want);
}

TEST(the_head_is_cut_between_characters)
{
	char s[200], want[300];

	repeat(s, 'a', 99)[1] = ',';
	snprintf(want, sizeof want,
	    "address \"%s...\": unexpected ',' at position 2", s);
	memcpy(s + 99, "\303\266bcd", 6);
	CHECK_STR(parse(s), want);
}

TEST(hostile_escapes_fit_the_sentence)
{
	char s[200];

	CHECK_INT(strlen(parse(repeat(s, '\033', 199))),
	    strlen("address \"...\": unexpected control character \\x1B at "
		   "position 1") +
		380);
}

TEST(a_comment_nests_as_deep_as_it_likes)
{
	enum { DEPTH = 100000 };
	char *s = malloc(2 * DEPTH + 4);

	if (s == NULL)
		return;
	repeat(s, '(', DEPTH);
	repeat(s + DEPTH, ')', DEPTH);
	memcpy(s + 2 * DEPTH, "a@x", 4);
	CHECK_STR(parse(s), "a@x");
	free(s);
}

/* ---- equality ---- */

static bool
equal(const char *s, const char *t)
{
	struct address a, b;
	struct err e;
	bool same;

	CHECK_INT(address_parse(&a, s, strlen(s), BOTH, &e), 0);
	CHECK_INT(address_parse(&b, t, strlen(t), BOTH, &e), 0);
	same = address_equal(&a, &b);
	CHECK(!same || address_hash(&a) == address_hash(&b));
	address_free(&a);
	address_free(&b);
	return same;
}

TEST(local_parts_octet_by_octet_domains_case_blind)
{
	CHECK(equal("a@x", "a@X"));
	CHECK(equal("a@x", "A B <a@x.>"));
	CHECK(equal("a@Ü.de", "a@xn--tda.de"));
	CHECK(equal("ö@Ü.de", "ö@XN--TDA.de"));
	CHECK(!equal("a@x", "A@x"));
	CHECK(!equal("a@x", "a@xy"));
	CHECK(!equal("a@x", "ab@x"));
	CHECK(!equal("a@x", "\"a\"@x"));
	CHECK(equal("a@[IPv6:::1]", "a@[ipv6:0:0::1]"));
	CHECK(!equal("a@[192.0.2.1]", "a@[192.0.2.2]"));
	CHECK(equal("", "<>"));
	CHECK(!equal("", "a@x"));
	CHECK(equal("postmaster", "<postmaster>"));
	CHECK(!equal("postmaster", "postmaster@x"));
}

TEST(an_address_that_did_not_parse_equals_none)
{
	struct address none = { 0 }, a;
	struct err e;

	CHECK_INT(address_parse(&a, "<>", 2, BOTH, &e), 0);
	CHECK(!address_equal(&none, &a));
	CHECK(!address_equal(&a, &none));
	address_free(&a);
}

/* ---- host names ---- */

TEST(host_names)
{
	static const char *const good[] = { "x", "x.", "example.org", "a-b.c",
		"_dmarc.example.org", "127.0.0.1", "XN--4CA.DE" };
	static const char *const bad[] = { "", ".", "..", ".x", "x..", "a..b",
		"-x", "x-", "x-.y", "x.-y", "a b", "a/b", "a\nb", "[::1]",
		"\303\274.de" };

	for (size_t i = 0; i < COUNT(good); i++)
		CHECK(address_is_hostname(good[i], strlen(good[i])));
	for (size_t i = 0; i < COUNT(bad); i++)
		CHECK(!address_is_hostname(bad[i], strlen(bad[i])));
	CHECK(!address_is_hostname("a\0b", 3));
}

TEST(host_names_at_their_limits)
{
	char s[300];

	CHECK(address_is_hostname(repeat(s, 'x', 63), 63));
	CHECK(!address_is_hostname(repeat(s, 'x', 64), 64));
	CHECK(address_is_hostname(domain_of_length(s, 255), 255));
	CHECK(!address_is_hostname(domain_of_length(s, 256), 256));
	domain_of_length(s, 255);
	s[255] = '.';
	CHECK(address_is_hostname(s, 256));
}

TEST_MAIN
