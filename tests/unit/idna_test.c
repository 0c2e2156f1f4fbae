/*
 * idna_test: names in the world's scripts as DNS is asked for them, by names
 * that exist or that the RFCs speak of, and the sentences that refuse others.
 */
#include <dlfcn.h>

#include "base/err.h"
#include "base/idna.h"
#include "tests/unit/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct pair {
	const char *in, *out;
};

static const char *
converted(const char *s, size_t n, struct err *e)
{
	static char out[IDNA_NAME_MAX];

	err_clear(e);
	return idna_to_ascii(s, n, out, e) == 0 ? out : e->text;
}

static void
check_pairs(const struct pair *rows, size_t n)
{
	struct err e;

	for (size_t i = 0; i < n; i++) {
		CHECK_STR(
		    converted(rows[i].in, strlen(rows[i].in), &e), rows[i].out);
		CHECK_INT(e.verdict, ERR_OK);
	}
}

static void
check_refused(const struct pair *rows, size_t n)
{
	struct err e;

	for (size_t i = 0; i < n; i++) {
		CHECK_STR(
		    converted(rows[i].in, strlen(rows[i].in), &e), rows[i].out);
		CHECK_INT(e.verdict, ERR_PERM);
		CHECK_INT(e.kind, ERR_DATA);
	}
}

static char *
repeat(char *out, const char *piece, size_t times)
{
	size_t n = strlen(piece);

	for (size_t i = 0; i < times; i++)
		memcpy(out + i * n, piece, n + 1);
	return out;
}

/* ---- ASCII ---- */

/* First of all, so that nothing else has loaded it. */
TEST(ascii_loads_no_library)
{
	static const struct pair rows[] = {
		{ "example.org", "example.org" },
		{ "Example.ORG.", "example.org." },
		{ "XN--Mnchen-3ya.DE", "xn--mnchen-3ya.de" },
		{ "_dmarc.example.org", "_dmarc.example.org" },
		{ "a-b", "a-b" },
	};

	check_pairs(rows, COUNT(rows));
	CHECK(dlopen("libidn2.so.0", RTLD_NOW | RTLD_NOLOAD) == NULL);
}

TEST(ascii_that_is_no_name)
{
	static const char *const bad[] = { "", ".", "a..b", ".a", "-a", "a-",
		"a b", "a/b", "[::1]", "a@b", "a\nb" };
	char label[80], name[300];
	struct err e;

	for (size_t i = 0; i < COUNT(bad); i++)
		check_refused(
		    &(struct pair){ bad[i], "it is no host name" }, 1);
	CHECK_STR(converted("a\0b", 3, &e), "it is no host name");
	repeat(label, "x", 64);
	CHECK_STR(converted(label, 63, &e), label + 1);
	CHECK_STR(converted(label, 64, &e), "it is no host name");
	repeat(name, "x123456.", 32)[255] = '\0';
	CHECK_STR(converted(name, 255, &e), name);
	CHECK_STR(converted(name, 256, &e), "it is no host name");
}

/* ---- other scripts ---- */

TEST(names_of_the_world)
{
	static const struct pair rows[] = {
		{ "münchen.de", "xn--mnchen-3ya.de" },
		{ "bücher.example", "xn--bcher-kva.example" },
		{ "mail.bücher.example", "mail.xn--bcher-kva.example" },
		/* RFC 5892 and 5894 7.2: letters of their own since 2008. */
		{ "faß.de", "xn--fa-hia.de" },
		{ "βόλος.com", "xn--nxasmm1c.com" },
		/* Arabic, Hebrew, Japanese, Chinese, Korean, Hindi, Russian. */
		{ "مثال.إختبار", "xn--mgbh0fb.xn--kgbechtv" },
		{ "דוגמה.טעסט", "xn--6dbbec0c.xn--deba0ad" },
		{ "例え.テスト", "xn--r8jz45g.xn--zckzah" },
		{ "例子.测试", "xn--fsqu00a.xn--0zwm56d" },
		{ "실례.테스트", "xn--9n2bp8q.xn--9t4b11yi5a" },
		{ "उदाहरण.परीक्षा", "xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g" },
		{ "пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f" },
		{ "☃", "a character in it is not for names" },
	};

	check_pairs(rows, COUNT(rows) - 1);
	check_refused(rows + COUNT(rows) - 1, 1);
}

TEST(what_is_typed_is_mapped_first)
{
	static const struct pair rows[] = {
		{ "MÜNCHEN.DE", "xn--mnchen-3ya.de" },
		{ "mu\xcc\x88nchen.de", "xn--mnchen-3ya.de" },
		{ "ｅｘａｍｐｌｅ.org", "example.org" },
		{ "例え。テスト", "xn--r8jz45g.xn--zckzah" },
		{ "münchen.de.", "xn--mnchen-3ya.de." },
		{ "xn--bcher-kva.münchen.de",
		    "xn--bcher-kva.xn--mnchen-3ya.de" },
		{ "_dmarc.münchen.de", "_dmarc.xn--mnchen-3ya.de" },
	};

	check_pairs(rows, COUNT(rows));
}

TEST(hosts_in_ascii_stay_as_typed)
{
	char out[IDNA_NAME_MAX];
	struct err e;

	CHECK_INT(idna_host("Mail.Example.ORG.", out, &e), 0);
	CHECK_STR(out, "Mail.Example.ORG.");
	CHECK_INT(idna_host("Mail.Bücher.ORG", out, &e), 0);
	CHECK_STR(out, "mail.xn--bcher-kva.org");
	CHECK_INT(idna_host("[::1]", out, &e), -1);
}

TEST(the_library_stays)
{
	struct err e;
	void *handle;

	CHECK_STR(converted("ü", 2, &e), "xn--tda");
	handle = dlopen("libidn2.so.0", RTLD_NOW | RTLD_NOLOAD);
	CHECK(handle != NULL);
	if (handle != NULL)
		dlclose(handle);
}

/* ---- what is refused ---- */

TEST(names_that_idna_forbids)
{
	static const struct pair rows[] = {
		/* RFC 5893 2: both directions in one label. */
		{ "אa.example",
		    "a label mixes right-to-left and left-to-right writing" },
		/* RFC 5891 4.2.3.2. */
		{ "\xcc\x88uber.example",
		    "a label begins with a combining character" },
		{ "mün_chen.de", "an underscore stands in ASCII labels only" },
		{ "a.-ü.de", "no label begins or ends with a hyphen" },
		/* RFC 5892 appendix A.1: a joiner behind no virama. */
		{ "ü\xe2\x80\x8d"
		  "a.de",
		    "an invisible joiner stands where none may be" },
		{ "xn--a.ü.de", "an xn-- label of it is broken" },
		{ "ü..de", "it is no host name" },
		{ "ü.de/", "it is no host name" },
		{ "ü de", "it is no host name" },
		{ "ü\n", "it is no host name" },
		{ "ü@de", "it is no host name" },
		/* One character each that UTS 46 maps to more than a name. */
		{ "℀.de", "it is no host name" },
		{ "ü.de＠example.org", "it is no host name" },
	};

	check_refused(rows, COUNT(rows));
}

TEST(what_is_not_utf8)
{
	struct err e;

	check_refused(&(struct pair){ "m\374nchen.de", "it is not UTF-8" }, 1);
	CHECK_STR(converted("\303\274\0", 3, &e), "it is not UTF-8");
}

TEST(labels_and_names_that_are_too_long)
{
	char letters[80], label[200], name[2000];
	struct err e;

	/* "xn--", 55 letters, "-" and three digits for the last one. */
	snprintf(label, sizeof label, "%sü", repeat(letters, "x", 55));
	CHECK_INT(strlen(converted(label, strlen(label), &e)), 63);
	snprintf(label, sizeof label, "%sü", repeat(letters, "x", 56));
	check_refused(
	    &(struct pair){ label,
		"one of its labels is longer than 63 octets as xn-- form" },
	    1);
	repeat(name, "ü.", 36);
	check_refused(
	    &(struct pair){ name, "it is longer than 255 octets" }, 1);
	repeat(name, "ü", 600);
	check_refused(
	    &(struct pair){ name, "it is longer than 255 octets" }, 1);
}

TEST_MAIN
