/*
 * mend: each kind of field, in what it can hold that a server may not take.
 * The forms are those of RFC 2047 8 and RFC 2231 3 and 4, as UTF-8.
 * RFC 2047 2, 5, 6.2; RFC 2231; RFC 5322 2.1.1, 3.2.2; RFC 5890.
 */
#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "mail/mend.h"
#include "tests/unit/test.h"

#define LINE_MAX 998
#define OUT_MAX (1u << 20)
#define A79                                                                      \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaa"

static void
check_lines(const char *s)
{
	for (; *s != '\0'; s += strcspn(s, "\n") + 1) {
		CHECK(strcspn(s, "\n") <= LINE_MAX);
		CHECK(strspn(s, " \t") < strcspn(s, "\n"));
	}
}

/* What becomes of a header, and that nothing becomes of that. */
static void
check_for(bool utf8, const char *header, const char *expected)
{
	struct buf out, again;
	struct err e = { 0 };

	buf_init(&out, OUT_MAX);
	buf_init(&again, OUT_MAX);
	CHECK_INT(mend_header(&out, header, strlen(header), utf8, &e), 0);
	CHECK_STR(buf_str(&out), expected);
	CHECK(mend_fits(buf_str(&out), out.len, utf8));
	CHECK_INT(mend_header(&again, buf_str(&out), out.len, utf8, &e), 0);
	CHECK_STR(buf_str(&again), expected);
	if (strcmp(header, expected) != 0)
		check_lines(expected);
	buf_free(&out);
	buf_free(&again);
}

static void
check(const char *header, const char *expected)
{
	check_for(false, header, expected);
}

static void
check_refused(const char *header, unsigned short detail, const char *text)
{
	struct buf out;
	struct err e = { 0 };

	buf_init(&out, OUT_MAX);
	CHECK_INT(mend_header(&out, header, strlen(header), false, &e), -1);
	CHECK_STR(e.text, text);
	CHECK_INT(e.verdict, ERR_PERM);
	CHECK_INT(e.kind, ERR_DATA);
	CHECK_INT(e.scope, SCOPE_MESSAGE);
	CHECK_INT(e.stage, STAGE_MAIL);
	CHECK_INT(e.enhanced.class, 5);
	CHECK_INT(e.enhanced.subject, 6);
	CHECK_INT(e.enhanced.detail, detail);
	buf_free(&out);
}

/* Before, n times `s` with a number as %zu if it has one, behind. */
static const char *
repeat(struct buf *b, const char *before, const char *s, size_t n,
    const char *behind)
{
	buf_init(b, OUT_MAX);
	buf_adds(b, before);
	while (n-- > 0)
		buf_adds(b, s);
	buf_adds(b, behind);
	return buf_str(b);
}

/* The header with all its line ends taken out, to compare what it says. */
static void
mended_unfolded(struct buf *out, const char *header)
{
	struct buf made;
	struct err e = { 0 };

	buf_init(&made, OUT_MAX);
	buf_init(out, OUT_MAX);
	CHECK_INT(mend_header(&made, header, strlen(header), false, &e), 0);
	CHECK_STR(e.text, "");
	CHECK(mend_fits(buf_str(&made), made.len, false));
	check_lines(buf_str(&made));
	for (size_t i = 0; i < made.len; i++)
		if (made.data[i] != '\n')
			buf_addc(out, made.data[i]);
	buf_free(&made);
}

TEST(what_fits_stays)
{
	check("", "");
	check("Subject: a\n", "Subject: a\n");
	check("subject :  a\t b \n  \n c\n", "subject :  a\t b \n  \n c\n");
	check("To: a@x,b@x\nX-A:\nX-B: \x01 =?utf-8?q?x y\n",
	    "To: a@x,b@x\nX-A:\nX-B: \x01 =?utf-8?q?x y\n");
	check("Subject: a", "Subject: a");
	check_for(true, "Subject: \xc3\xbc\nTo: \xc3\xbc@x\n",
	    "Subject: \xc3\xbc\nTo: \xc3\xbc@x\n");
}

TEST(others_stay_beside_it)
{
	check("Received: x;\n\ty\nSubject: \xc3\xbc\nDate:  now\n",
	    "Received: x;\n\ty\nSubject: =?utf-8?B?w7w=?=\nDate:  now\n");
	check("Subject : \xc3\xbc\n", "Subject: =?utf-8?B?w7w=?=\n");
}

/* RFC 2047 6.2: white space between two encoded words is not text. */
TEST(text)
{
	check("Subject: Gr\xc3\xbc\xc3\x9f"
	      "e an alle\n",
	    "Subject: =?utf-8?B?R3LDvMOfZQ==?= an alle\n");
	check("Subject: alle \xc3\xbc\xc3\xbc  \xc3\xa4 und\n",
	    "Subject: alle =?utf-8?B?w7zDvCAgw6Q=?= und\n");
	check("Comments: \xc3\xbc\tein \xc3\xbc\n",
	    "Comments: =?utf-8?B?w7w=?=\tein =?utf-8?B?w7w=?=\n");
	check("X-Any: a \xc3\xbc\n", "X-Any: a =?utf-8?B?w7w=?=\n");
	check("Subject: \xfc"
	      "ber\n",
	    "Subject: =?unknown-8bit?Q?=FCber?=\n");
	check("Subject:\xc3\xbc\n", "Subject: =?utf-8?B?w7w=?=\n");
	check(
	    "Subject: a\n \xc3\xbc\n\tb\n", "Subject: a =?utf-8?B?w7w=?=\tb\n");
}

TEST(text_beside_encoded_words)
{
	check("Subject: =?utf-8?Q?a?= \xc3\xbc =?utf-8?Q?b?= c\n",
	    "Subject: =?utf-8?Q?a?= =?utf-8?Q?_=C3=BC_?= =?utf-8?Q?b?= c\n");
	check("Subject: =?utf-8?Q?a?= =?utf-8?Q?b?= c \xc3\xbc\n",
	    "Subject: =?utf-8?Q?a?= =?utf-8?Q?b?= c =?utf-8?B?w7w=?=\n");
	check("Subject: =?utf-8?X?a?= \xc3\xbc\n",
	    "Subject: =?utf-8?X?a?= =?utf-8?B?w7w=?=\n");
}

TEST(text_is_folded)
{
	check("Subject: The words of this line would go on beyond what one "
	      "line has, \xc3\xbc"
	      "ber all\n",
	    "Subject: The words of this line would go on beyond what one "
	    "line has,\n =?utf-8?B?w7xiZXI=?= all\n");
}

/* RFC 2047 8, in UTF-8. */
TEST(display_names)
{
	check("From: Keld J\xc3\xb8rn Simonsen <keld@dkuug.dk>\n",
	    "From: Keld =?utf-8?B?SsO4cm4=?= Simonsen <keld@dkuug.dk>\n");
	check("From: Olle J\xc3\xa4rnefors <ojarnef@admin.kth.se>\n",
	    "From: Olle =?utf-8?Q?J=C3=A4rnefors?= <ojarnef@admin.kth.se>\n");
	check("To: Patrik F\xc3\xa4ltstr\xc3\xb6m <paf@nada.kth.se>, a@x\n",
	    "To: Patrik =?utf-8?B?RsOkbHRzdHLDtm0=?= <paf@nada.kth.se>, "
	    "a@x\n");
	check("Cc: \"F\xc3\xa4lt, \\\"P\\\"\" <p@x>\n",
	    "Cc: =?utf-8?B?RsOkbHQsICJQIg==?= <p@x>\n");
	check("Cc: \"a b\" \"\xc3\xbc\" J. <p@x>\n",
	    "Cc: \"a b\" =?utf-8?B?w7w=?= J. <p@x>\n");
	check("To: \xc3\xbc   \xc3\xbc<a@x>,b@x\n",
	    "To: =?utf-8?B?w7wgw7w=?= <a@x>, b@x\n");
	check("To: =?utf-8?Q?a?= \xc3\xbc <a@x>\n",
	    "To: =?utf-8?Q?a?= =?utf-8?B?IMO8?= <a@x>\n");
	check("To: \xc3\xbc =?utf-8?Q?a?= <a@x>\n",
	    "To: =?utf-8?B?w7wg?= =?utf-8?Q?a?= <a@x>\n");
	check("Reply-To: \xc3\xbc\n", "Reply-To: =?utf-8?B?w7w=?=\n");
}

TEST(lists_like_addresses)
{
	check(
	    "Keywords: a,\xc3\xbc,b\n", "Keywords: a, =?utf-8?B?w7w=?= , b\n");
	check("List-Id: \xc3\xbc <l.x.test>\n",
	    "List-Id: =?utf-8?B?w7w=?= <l.x.test>\n");
	check("Resent-To: \xc3\xbc <a@x>\n",
	    "Resent-To: =?utf-8?B?w7w=?= <a@x>\n");
	check("Disposition-Notification-To: \xc3\xbc <a@x>\n",
	    "Disposition-Notification-To: =?utf-8?B?w7w=?= <a@x>\n");
}

TEST(groups)
{
	check("To: S\xc3\xbc"
	      "d: \xc3\xbc <a@x>,b@x;, c@x\n",
	    "To: =?utf-8?Q?S=C3=BCd?= : =?utf-8?B?w7w=?= <a@x>, b@x;, c@x\n");
	check("To: \xc3\xbc:;\n", "To: =?utf-8?B?w7w=?= :;\n");
}

/* RFC 2047 8: "(=?ISO-8859-1?Q?a?= b)" and its like. */
TEST(comments)
{
	check(
	    "From: a@x (K\xc3\xa4the)\n", "From: a@x (=?utf-8?B?S8OkdGhl?=)\n");
	check("From: a@x (\xc3\xbc b (c \xc3\xbc) \\\xc3\xbc\\))\n",
	    "From: a@x (=?utf-8?B?w7w=?= b (c =?utf-8?B?w7w=?=) "
	    "=?utf-8?B?w7wp?=)\n");
	check("From: (\xc3\xbc)a@x\n", "From: (=?utf-8?B?w7w=?=)a@x\n");
	check("From: a (b)\xc3\xbc <a@x>\n",
	    "From: a (b) =?utf-8?B?w7w=?= <a@x>\n");
	check("Date: Mon, 1 Jan 2024 00:00:00 +0100 (Mitteleurop\xc3\xa4isch)"
	      "\n",
	    "Date: Mon, 1 Jan 2024 00:00:00 +0100 "
	    "(=?utf-8?Q?Mitteleurop=C3=A4isch?=)\n");
	check("MIME-Version: 1.0 (\xc3\xbc)\n",
	    "MIME-Version: 1.0 (=?utf-8?B?w7w=?=)\n");
	check("Message-ID: <a@x> (\xc3\xbc)\n",
	    "Message-ID: <a@x> (=?utf-8?B?w7w=?=)\n");
	check("From: a@x (\xc3\xbc\n", "From: a@x (=?utf-8?B?w7w=?=\n");
}

TEST(domains)
{
	check("To: a@b\xc3\xbc"
	      "cher.example\n",
	    "To: a@xn--bcher-kva.example\n");
	check("To: x <@\xc3\xa4.example,@b:\"c d\"@B\xc3\xbc"
	      "cher.Example>\n",
	    "To: x <@xn--4ca.example,@b:\"c d\"@xn--bcher-kva.example>\n");
	check("To: a(\xc3\xbc)@(x)\xc3\xbc.example (y)\n",
	    "To: a(=?utf-8?B?w7w=?=)@(x)xn--tda.example (y)\n");
}

TEST(parameters)
{
	check("Content-Type: text/plain; charset=utf-8; "
	      "name=\"\xc3\xbc.txt\"\n",
	    "Content-Type: text/plain; charset=utf-8; "
	    "name*=utf-8''%C3%BC.txt\n");
	check("Content-Disposition: attachment;filename=\xc3\xbc a.txt "
	      "(\xc3\xbc);size=3\n",
	    "Content-Disposition: attachment; filename*=utf-8''%C3%BC%20a.txt"
	    "\n (=?utf-8?B?w7w=?=); size=3\n");
	check("Content-Disposition: x; filename=\"\xfc\"\n",
	    "Content-Disposition: x; filename*=unknown-8bit''%FC\n");
	check("Content-Type: x/y (\xc3\xbc); a=\"b;c\"; (\xc3\xbc) d=e\n",
	    "Content-Type: x/y (=?utf-8?B?w7w=?=); a=\"b;c\"; "
	    "(=?utf-8?B?w7w=?=) d=e\n");
	check("Content-Type: x/y; name=\"\xc3\xbc;\\\"a\\\\\"\n",
	    "Content-Type: x/y; name*=utf-8''%C3%BC%3B%22a%5C\n");
}

/* RFC 2231 3. */
TEST(parameters_in_pieces)
{
	check("Content-Disposition: attachment; filename=\"A name that is \xc3"
	      "\xbc"
	      "ber all that a single line of a header has room for.txt"
	      "\"\n",
	    "Content-Disposition: attachment;\n"
	    " filename*0*=utf-8''A%20name%20that%20is%20%C3%BCber%20all%20that"
	    "%20a%20s;\n"
	    " filename*1*=ingle%20line%20of%20a%20header%20has%20room%20for"
	    ".txt\n");
	check("Content-Type: x/y; name*0=\"a b\"; name*1=\"\xc3\xbc c\"\n",
	    "Content-Type: x/y; name*0*=utf-8''a%20b; name*1*=%C3%BC%20c\n");
	check("Content-Type: x/y; name*0*=utf-8'de'%20; name*1=\xc3\xbc\n",
	    "Content-Type: x/y; name*0*=utf-8'de'%20; name*1*=%C3%BC\n");
	check("Content-Type: x/y; name*=utf-8''a%20\xc3\xbc\n",
	    "Content-Type: x/y; name*=utf-8''a%20%C3%BC\n");
	check("Content-Type: x/y; name=\"\xc3\xbc\"; name*=utf-8''%C3%BC\n",
	    "Content-Type: x/y; name*=utf-8''%C3%BC\n");
}

TEST(utf8_that_is_none)
{
	check_for(true, "Subject: \xc3\xbc \xfc\n",
	    "Subject: \xc3\xbc =?unknown-8bit?Q?=FC?=\n");
	check_for(true, "To: \xc3\xbc \xfc <\xc3\xbc@x>\n",
	    "To: \xc3\xbc =?unknown-8bit?Q?=FC?= <\xc3\xbc@x>\n");
	check_for(true, "Content-Type: x/y; a=\xc3\xbc; b=\xfc\n",
	    "Content-Type: x/y; a=\xc3\xbc; b*=unknown-8bit''%FC\n");
}

TEST(long_lists)
{
	struct buf b, out;

	mended_unfolded(
	    &out, repeat(&b, "To: z@x", ",a@example.com", 200, "\n"));
	CHECK(strncmp(buf_str(&out), "To: z@x, a@example.com, a@", 26) == 0);
	buf_free(&b);
	buf_free(&out);
	mended_unfolded(&out, repeat(&b, "References: ", "<a@x>", 300, "\n"));
	CHECK(strncmp(buf_str(&out), "References: <a@x> <a@x>", 23) == 0);
	buf_free(&b);
	buf_free(&out);
	mended_unfolded(
	    &out, repeat(&b, "DKIM-Signature: v=1;", " b=(\"", 300, "\n"));
	CHECK(strlen(buf_str(&out)) == b.len - 1);
	buf_free(&b);
	buf_free(&out);
}

TEST(long_text)
{
	struct buf b, out;

	mended_unfolded(&out, repeat(&b, "Subject:", " ab", 400, "\n"));
	CHECK_MEM(buf_str(&out), out.len, buf_str(&b), b.len - 1);
	buf_free(&b);
	buf_free(&out);
	mended_unfolded(&out, repeat(&b, "Subject: a ", "x", 1000, " b\n"));
	CHECK(strncmp(buf_str(&out), "Subject: a =?utf-8?Q?xxx", 24) == 0);
	CHECK_STR(buf_str(&out) + out.len - 5, "x?= b");
	buf_free(&b);
	buf_free(&out);
	mended_unfolded(&out, repeat(&b, "Subject: a", " ", 1000, "b\n"));
	CHECK(strncmp(buf_str(&out), "Subject: a =?utf-8?Q?___", 24) == 0);
	CHECK_STR(buf_str(&out) + out.len - 4, "_b?=");
	buf_free(&b);
	buf_free(&out);
	check(repeat(&b, "Subject:", " ", 1000, "\n"), "Subject:\n");
	buf_free(&b);
}

/* One word of all the text is what many programs make. */
TEST(long_encoded_words)
{
	struct buf b, out;

	mended_unfolded(
	    &out, repeat(&b, "Subject: =?UTF-8?B?", "w7zDvMO8", 150, "?= x\n"));
	CHECK(strncmp(buf_str(&out), "Subject: =?utf-8?B?", 19) == 0);
	CHECK(strstr(buf_str(&out), "?= =?utf-8?B?") != NULL);
	CHECK_STR(buf_str(&out) + out.len - 4, "?= x");
	buf_free(&b);
	buf_free(&out);
}

/* Any octet of these is a character: they are cut as they are. */
TEST(long_encoded_words_of_other_charsets)
{
	struct buf b, out;

	mended_unfolded(&out,
	    repeat(&b, "Subject: =?ISO-8859-1?b?", "/Pz8", 300, "?= x\n"));
	CHECK(strncmp(buf_str(&out), "Subject: =?ISO-8859-1?b?/Pz8", 28) == 0);
	CHECK(strstr(buf_str(&out), "/Pz8?= =?ISO-8859-1?b?/Pz8") != NULL);
	CHECK_STR(buf_str(&out) + out.len - 8, "/Pz8?= x");
	buf_free(&b);
	buf_free(&out);
	mended_unfolded(
	    &out, repeat(&b, "Subject: =?koi8-r?Q?", "=C1a", 300, "?=\n"));
	CHECK(strstr(buf_str(&out), "=?= =?koi8-r") == NULL);
	CHECK(strstr(buf_str(&out), "=C?= =?koi8-r") == NULL);
	CHECK(strstr(buf_str(&out), "?= =?koi8-r?q?") != NULL);
	buf_free(&b);
	buf_free(&out);
}

TEST(long_quoted_strings)
{
	struct buf b, out;

	mended_unfolded(
	    &out, repeat(&b, "From: \"a", " (b", 500, "\" <a@x>\n"));
	CHECK_MEM(buf_str(&out), out.len, buf_str(&b), b.len - 1);
	buf_free(&b);
	buf_free(&out);
	mended_unfolded(&out, repeat(&b, "From: \"", "ab", 500, "\" <a@x>\n"));
	CHECK(strncmp(buf_str(&out), "From: =?utf-8?Q?abab", 20) == 0);
	buf_free(&b);
	buf_free(&out);
	mended_unfolded(
	    &out, repeat(&b, "Content-Type: x/y; name=\"", "ab", 500, "\"\n"));
	CHECK(strstr(buf_str(&out), " name*0*=utf-8''abab") != NULL);
	CHECK(strstr(buf_str(&out), " name*15*=") != NULL);
	buf_free(&b);
	buf_free(&out);
}

/* Inside of short quoted strings no line is folded, where it is long enough. */
TEST(short_quoted_strings_stay)
{
	check("From: \xc3\xbc \"The words of a name that has many of them, and "
	      "stays one\" <a@x>\n",
	    "From: =?utf-8?B?w7w=?=\n \"The words of a name that has many of "
	    "them, and stays one\" <a@x>\n");
}

TEST(refused)
{
	check_refused("Message-ID: <\xc3\xbc@x>\n", 9,
	    "Message-ID has raw 8-bit octets outside of comments, "
	    "which only a server with SMTPUTF8 takes");
	check_refused("To: x, \xc3\xbc@x\n", 9,
	    "To has raw 8-bit octets in an address, before the @, "
	    "which only a server with SMTPUTF8 takes");
	check_refused("To: <\"\xc3\xbc\"@x>\n", 9,
	    "To has raw 8-bit octets in an address, before the @, "
	    "which only a server with SMTPUTF8 takes");
	check_refused("To: <\xfc@x>\n", 0,
	    "To has raw 8-bit octets in an address, before the @, "
	    "which are not UTF-8 and cannot be encoded there");
	check_refused("Received: from \xc3\xbc\n", 9,
	    "Received has raw 8-bit octets, "
	    "which only a server with SMTPUTF8 takes");
	check_refused("DKIM-Signature: i=\xc3\xbc@x\n", 9,
	    "DKIM-Signature has raw 8-bit octets, "
	    "which only a server with SMTPUTF8 takes");
	check_refused("List-Post: <mailto:\xc3\xbc@x>\n", 9,
	    "List-Post has raw 8-bit octets outside of comments, "
	    "which only a server with SMTPUTF8 takes");
	check_refused("Content-Type: \xc3\xbc/x; a=b\n", 9,
	    "Content-Type has raw 8-bit octets before its parameters, "
	    "which only a server with SMTPUTF8 takes");
	check_refused("Content-Type: x/y; \xc3\xbc=b\n", 9,
	    "Content-Type has raw 8-bit octets beside its parameters, "
	    "which only a server with SMTPUTF8 takes");
	check_refused("Content-Type: x/y; boundary=\"\xc3\xbc\"\n", 9,
	    "Content-Type has raw 8-bit octets in its boundary, which only a "
	    "server with SMTPUTF8 takes");
	check_refused("no field \xc3\xbc\n", 9,
	    "a line of the header that is no field has raw 8-bit octets, "
	    "which only a server with SMTPUTF8 takes");
}

TEST(refused_for_length)
{
	struct buf b;

	check_refused(repeat(&b, "Message-ID: <", "a", 1000, "@x>\n"), 0,
	    "Message-ID has a word of 1004 octets, which fits no line of at "
	    "most 998 and cannot be folded");
	buf_free(&b);
	check_refused(repeat(&b, "To: ", "a", 1000, "@x\n"), 0,
	    "To has a word of 1002 octets, which fits no line of at most 998 "
	    "and cannot be folded");
	buf_free(&b);
	check_refused(repeat(&b, "Received: ", "a b ", 300, "\n"), 0,
	    "Received has a line over 998 octets, and may not be changed");
	buf_free(&b);
	check_refused(repeat(&b, "X", "a", 1000, ": b\n"), 0,
	    "X" A79 " has a name of 1001 octets, which fits no line of at "
	    "most 998 and cannot be folded");
	buf_free(&b);
	check_refused(
	    repeat(&b, "Subject: =?iso-2022-jp?B?", "abcd", 300, "?=\n"), 0,
	    "Subject has an encoded word of 1218 octets, which fits no line of "
	    "at most 998 and cannot be folded");
	buf_free(&b);
}

/* What takes too long to look through is nobody's mail. */
TEST(refused_for_size)
{
	struct buf b;

	check_refused(
	    repeat(&b, "Content-Type: x/y", ";a=b", 1000, ";a=\xc3\xbc\n"), 0,
	    "Content-Type has too many parameters to be mended");
	buf_free(&b);
	check_refused(
	    repeat(&b, "Content-Type: x/y;", "ab", 20000, "=\xc3\xbc\n"), 0,
	    "Content-Type is too long to be mended");
	buf_free(&b);
}

TEST(no_domain)
{
	check_refused("To: a@\xc3\xbc..b\n", 9,
	    "To has raw 8-bit octets in a domain that has no ASCII form "
	    "(it is no host name), which only a server with SMTPUTF8 takes");
}

/* What would have been a field of its own stays inside the word. */
TEST(decoded_octets_make_no_line)
{
	struct buf b, out;

	mended_unfolded(
	    &out, repeat(&b, "Subject: =?utf-8?Q?", "=0ABcc:_a", 120, "?=\n"));
	CHECK(strstr(buf_str(&out), "\nBcc") == NULL);
	CHECK(strstr(buf_str(&out), "?= =?utf-8?") != NULL);
	buf_free(&b);
	buf_free(&out);
}

/* A field that is mended, and one that only stands behind it. */
TEST(a_header_that_grows_too_large_is_the_messages_fault)
{
	static const char *const headers[] = { "Subject: \xc3\xbc\xc3\xbc\n",
		"X: y\nSubject: this has not enough room\n" };

	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		struct buf out;
		struct err e = { 0 };

		buf_init(&out, 20);
		CHECK_INT(mend_header(
			      &out, headers[i], strlen(headers[i]), false, &e),
		    -1);
		CHECK_STR(e.text,
		    "the header is larger than 20 octets once it is encoded");
		CHECK_INT(e.verdict, ERR_PERM);
		CHECK_INT(e.kind, ERR_DATA);
		CHECK_INT(e.scope, SCOPE_MESSAGE);
		buf_free(&out);
	}
}

TEST_MAIN
