/*
 * compose: a message of its parts, and the same octets however it is read.
 * RFC 2045 6.8, RFC 2046 5.1.1 (delimiters) and 5.2.1 (message/rfc822).
 */
#include "base/err.h"
#include "mail/compose.h"
#include "tests/unit/source.h"
#include "tests/unit/test.h"

static struct octets
octets(struct source *src, const char *s, size_t n)
{
	*src = (struct source){ s, n, SIZE_MAX, false };
	return (struct octets){ read_source, src, n };
}

/* All of it, in reads of `step` octets. */
static char *
read_all(struct compose *c, size_t step)
{
	struct octets o = compose_octets(c);
	char *all = calloc(1, (size_t)o.size + 1);
	uint64_t at = 0;
	struct err e;
	long got = 1;

	while (at < o.size && got > 0) {
		size_t n = o.size - at < step ? (size_t)(o.size - at) : step;

		got = o.read(o.ctx, at, all + at, n, &e);
		CHECK(got > 0 && (size_t)got <= n);
		at += (uint64_t)got;
	}
	CHECK_INT(o.read(o.ctx, o.size, all + o.size, 1, &e), 0);
	return all;
}

static void
check(const struct compose_config *config, const char *text, const char *want)
{
	struct source src;
	struct compose c;
	struct err e;
	char *all;

	CHECK_INT(
	    compose_open(&c, config, octets(&src, text, strlen(text)), &e), 0);
	all = read_all(&c, 4096);
	CHECK_STR(all, want);
	free(all);
	compose_free(&c);
}

#define VERSION "MIME-Version: 1.0\n"
#define ASCII                                                                  \
	"Content-Type: text/plain; charset=us-ascii\n"                         \
	"Content-Transfer-Encoding: 7bit\n"
#define UTF8                                                                   \
	"Content-Type: text/plain; charset=utf-8\n"                            \
	"Content-Transfer-Encoding: 8bit\n"

TEST(text_alone)
{
	static const struct compose_config nothing;

	check(&nothing, "", VERSION ASCII "\n");
	check(&nothing, "hi", VERSION ASCII "\nhi");
	check(&nothing, "Subject: no\n\n.\n",
	    VERSION ASCII "\nSubject: no\n\n.\n");
	check(&nothing, "gr\303\274n\n", VERSION UTF8 "\ngr\303\274n\n");
	check(&nothing, "gr\374n\n",
	    VERSION "Content-Type: text/plain; charset=unknown-8bit\n"
		    "Content-Transfer-Encoding: 8bit\n\ngr\374n\n");
}

TEST(fields)
{
	const char *to[] = { "J\303\266rg <j@x.test>, bad", "b@x.test" };
	const char *cc[] = { "T: c@x.test" }, *bcc[] = { "bad" };
	const char *reply[] = { "r@x.test (R)" };
	struct compose_config config = { .subject = "gr\303\274n",
		.to = { to, 2 },
		.cc = { cc, 1 },
		.bcc = { bcc, 1 },
		.reply_to = { reply, 1 } };

	check(&config, "",
	    "To: =?utf-8?B?SsO2cmc=?= <j@x.test>, b@x.test\n"
	    "Cc: T: c@x.test;\n"
	    "Reply-To: R <r@x.test>\n"
	    "Subject: =?utf-8?B?Z3LDvG4=?=\n" VERSION ASCII "\n");
}

#define BOUNDARY "=_00000000000000000000000000000000"
#define MIXED(encoding)                                                        \
	VERSION "Content-Type: multipart/mixed; boundary=\"" BOUNDARY          \
		"\"\nContent-Transfer-Encoding: " encoding "\n\n--" BOUNDARY   \
		"\n"
#define FILE_HEAD(type, encoding, name)                                        \
	"\n--" BOUNDARY "\nContent-Type: " type                                \
	"\nContent-Transfer-Encoding: " encoding                               \
	"\nContent-Disposition: attachment; filename=" name "\n\n"
#define LAST "\n--" BOUNDARY "--\n"

TEST(files)
{
	struct source one, two;
	struct compose_file files[] = {
		{ "a.bin", "x/y", octets(&one, "\0\1\2\3", 4) },
		{ "b c", "application/zip", octets(&two, "", 0) },
	};
	struct compose_config config = { .file = files, .nfiles = 2 };

	check(&config, "hi\n",
	    MIXED("7bit") ASCII
	    "\nhi\n" FILE_HEAD("x/y", "base64", "a.bin") "AAECAw==" FILE_HEAD(
		"application/zip", "base64", "\"b c\"") LAST);
	check(&config, "\303\274",
	    MIXED("8bit") UTF8 "\n\303\274" FILE_HEAD("x/y", "base64",
		"a.bin") "AAECAw==" FILE_HEAD("application/zip", "base64",
		"\"b c\"") LAST);
	/* A bare CR ends a line too: the delimiter's own end comes extra. */
	check(&config, "\r",
	    MIXED("7bit") ASCII
	    "\n\r\n" FILE_HEAD("x/y", "base64", "a.bin") "AAECAw==" FILE_HEAD(
		"application/zip", "base64", "\"b c\"") LAST);
}

TEST(messages_go_as_they_are)
{
	struct source one;
	struct compose_file file = { "a.eml", "Message/RFC822",
		octets(&one, "A: b\n\n\303\274\r", 9) };
	struct compose_config config = { .file = &file, .nfiles = 1 };

	check(&config, "",
	    MIXED("8bit") ASCII "\n" FILE_HEAD(
		"Message/RFC822", "8bit", "a.eml") "A: b\n\n\303\274\r\n" LAST);
	file.octets = octets(&one, "A: b\n", 5);
	check(&config, "",
	    MIXED("7bit") ASCII
	    "\n" FILE_HEAD("Message/RFC822", "7bit", "a.eml") "A: b\n" LAST);
}

TEST(charset_of_texts)
{
	struct source one;
	struct compose_file file = { "a", "text/csv",
		octets(&one, "\303\274", 2) };
	struct compose_config config = { .file = &file, .nfiles = 1 };

	check(&config, "",
	    MIXED("7bit") ASCII "\n" FILE_HEAD(
		"text/csv; charset=utf-8", "base64", "a") "w7w=" LAST);
	file.octets = octets(&one, "\374", 1);
	check(&config, "",
	    MIXED("7bit") ASCII
	    "\n" FILE_HEAD("text/csv", "base64", "a") "/A==" LAST);
	file.octets = octets(&one, "\303\274\0", 3);
	check(&config, "",
	    MIXED("7bit") ASCII
	    "\n" FILE_HEAD("text/csv", "base64", "a") "w7wA" LAST);
}

/* ---- random access ---- */

static void
check_access(struct compose *c, const char *all)
{
	struct octets o = compose_octets(c);
	static const size_t sizes[] = { 1, 2, 76, 77, 78, 154, 1000000 };
	char *got = malloc(1000000);
	struct err e;
	size_t wrong = 0;

	for (uint64_t off = 0; off < o.size; off++) {
		for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
			long n = o.read(o.ctx, off, got, sizes[i], &e);

			wrong += n <= 0 || (size_t)n > sizes[i] ||
			    memcmp(got, all + off, (size_t)n) != 0;
		}
	}
	CHECK_INT(wrong, 0);
	free(got);
}

TEST(any_octets_at_any_offset)
{
	static const size_t sizes[] = { 0, 1, 2, 56, 57, 58, 113, 114, 115 };
	static char data[115];
	struct source src, text;
	struct compose_file file = { "a", "x/y", { 0 } };
	struct compose_config config = { .file = &file, .nfiles = 1 };
	struct compose c;
	struct err e;
	char *all;

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (char)(i * 7);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		file.octets = octets(&src, data, sizes[i]);
		CHECK_INT(
		    compose_open(&c, &config, octets(&text, "hi\n", 3), &e), 0);
		all = read_all(&c, 1);
		check_access(&c, all);
		src.step = 5;
		check_access(&c, all);
		free(all);
		compose_free(&c);
	}
}

TEST(many_lines)
{
	static char data[60000];
	struct source src, text;
	struct compose_file file = { "a", "x/y",
		octets(&src, data, sizeof data) };
	struct compose_config config = { .file = &file, .nfiles = 1 };
	struct compose c;
	struct err e;
	char *once, *again;

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (char)(i * i >> 3);
	CHECK_INT(compose_open(&c, &config, octets(&text, "", 0), &e), 0);
	once = read_all(&c, 1000000);
	again = read_all(&c, 1000);
	CHECK_STR(once, again);
	/* Each line but the last has 76 digits. */
	again[strlen(again) - strlen(LAST)] = '\0';
	CHECK_INT(strlen(strrchr(again, '\n') + 1), (60000 % 57 + 2) / 3 * 4);
	CHECK(strlen(strstr(again, "\n\nAA") + 2) == 80000 + 60000 / 57);
	free(once);
	free(again);
	compose_free(&c);
}

/* ---- text ---- */

/* Is that text UTF-8, however it falls into blocks? */
static bool
is_utf8(const char *s, size_t n, size_t step)
{
	static const struct compose_config nothing;
	struct source src;
	struct octets in = octets(&src, s, n);
	struct compose c;
	struct err e;
	bool yes;

	src.step = step;
	CHECK_INT(compose_open(&c, &nothing, in, &e), 0);
	yes = c.is_utf8;
	compose_free(&c);
	return yes;
}

TEST(characters_across_blocks)
{
	static char text[300000];

	for (size_t from = 131069; from < 131073; from++) {
		memset(text, 'a', sizeof text);
		memcpy(text + from, "\360\237\230\200", 4);
		CHECK(is_utf8(text, sizeof text, SIZE_MAX));
		CHECK(is_utf8(text, from + 4, 1000));
		CHECK(!is_utf8(text, from + 3, SIZE_MAX));
		text[from + 2] = 'x';
		CHECK(!is_utf8(text, sizeof text, SIZE_MAX));
	}
	memset(text, 0x80, sizeof text);
	CHECK(!is_utf8(text, sizeof text, SIZE_MAX));
	CHECK(!is_utf8("\303", 1, 1));
	CHECK(is_utf8("\303\274", 2, 1));
}

TEST(nul)
{
	struct source src;
	struct compose_file file = { "a.eml", "message/rfc822",
		octets(&src, "A: b\n\nc\0", 8) };
	struct compose_config config = { .file = &file, .nfiles = 1 };
	struct source text;
	struct compose c;
	struct err e;

	CHECK_INT(compose_open(&c, &config, octets(&text, "\n\0x", 3), &e), -1);
	CHECK(strstr(e.text, "the text: octet 2 is a NUL") == e.text);
	CHECK_INT(err_exit(&e), 65);
	CHECK_INT(compose_open(&c, &config, octets(&text, "", 0), &e), -1);
	CHECK(strstr(e.text, "a.eml: octet 8 is a NUL") == e.text);
	file.type = "text/plain";
	CHECK_INT(compose_open(&c, &config, octets(&text, "", 0), &e), 0);
	compose_free(&c);
}

/* ---- files that change ---- */

TEST(what_changes_is_no_message)
{
	struct source src, text;
	struct compose_file file = { "a", "x/y", octets(&src, "abc", 3) };
	struct compose_config config = { .file = &file, .nfiles = 1 };
	struct octets o;
	struct compose c;
	struct err e;
	char *all;
	size_t at;

	CHECK_INT(compose_open(&c, &config, octets(&text, "hi", 2), &e), 0);
	o = compose_octets(&c);
	all = read_all(&c, 100);
	at = (size_t)(strstr(all, "YWJj") - all);
	src.fails = true;
	CHECK_INT(o.read(o.ctx, at, all, 4, &e), -1);
	CHECK_INT(o.read(o.ctx, o.size, all, 1, &e), -1);
	CHECK_STR(e.text, "gone");
	src = (struct source){ "abc", 2, 9, false };
	CHECK_INT(o.read(o.ctx, at, all, 4, &e), -1);
	CHECK_INT(err_exit(&e), 75);
	src = (struct source){ "abcd", 4, 9, false };
	CHECK_INT(o.read(o.ctx, o.size, all, 1, &e), -1);
	free(all);
	compose_free(&c);
}

TEST_MAIN
