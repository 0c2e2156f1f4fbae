/*
 * test.h: the smallest useful unit test, printing TAP.
 *
 *	TEST(empty_line_is_no_reply)
 *	{
 *		CHECK_INT(reply_feed(&r, "", 0), REPLY_MORE);
 *		CHECK_STR(r.text, "");
 *	}
 *
 *	TEST_MAIN
 *
 * Each TEST is one TAP line and is run in the order of the file.  A CHECK
 * that fails prints where, what was compared and both values, and the test
 * goes on; the program's exit status is 1 when any test failed.
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST_MAX 256

struct test {
	const char *name;
	void (*run)(void);
};

static struct test test_list[TEST_MAX];
static size_t test_count;
static int test_failures; /* failed checks of the running test */

/* Print a string on one line, with what is not printable as \xNN. */
static inline void
test_quote(const char *s, size_t len)
{
	if (s == NULL) {
		printf("NULL");
		return;
	}
	putchar('"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < ' ' || c > '~' || c == '"' || c == '\\')
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static inline void
test_check(bool ok, const char *file, int line, const char *what)
{
	if (ok)
		return;
	test_failures++;
	printf("# %s:%d: failed: %s\n", file, line, what);
}

static inline void
test_check_int(
    intmax_t a, intmax_t b, const char *file, int line, const char *what)
{
	test_check(a == b, file, line, what);
	if (a != b)
		printf(
		    "#      got %" PRIdMAX "\n# expected %" PRIdMAX "\n", a, b);
}

static inline void
test_check_str(
    const char *a, const char *b, const char *file, int line, const char *what)
{
	bool same = a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);

	test_check(same, file, line, what);
	if (same)
		return;
	printf("#      got ");
	test_quote(a, a == NULL ? 0 : strlen(a));
	printf("\n# expected ");
	test_quote(b, b == NULL ? 0 : strlen(b));
	printf("\n");
}

struct test_mem {
	const void *data;
	size_t len;
};

static inline void
test_check_mem(struct test_mem a, struct test_mem b, const char *file, int line,
    const char *what)
{
	bool same = a.len == b.len &&
	    (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);

	test_check(same, file, line, what);
	if (same)
		return;
	printf("#      got %zu: ", a.len);
	test_quote(a.data, a.len);
	printf("\n# expected %zu: ", b.len);
	test_quote(b.data, b.len);
	printf("\n");
}

#define CHECK(cond) test_check((cond), __FILE__, __LINE__, #cond)
#define CHECK_INT(a, b)                                                        \
	test_check_int(                                                        \
	    (intmax_t)(a), (intmax_t)(b), __FILE__, __LINE__, #a " == " #b)
#define CHECK_STR(a, b)                                                        \
	test_check_str((a), (b), __FILE__, __LINE__, #a " == " #b)
#define CHECK_MEM(a, alen, b, blen)                                            \
	test_check_mem((struct test_mem){ (a), (alen) },                       \
	    (struct test_mem){ (b), (blen) }, __FILE__, __LINE__,              \
	    #a " == " #b)

static inline void
test_register(const char *name, void (*run)(void))
{
	if (test_count == TEST_MAX) {
		printf("Bail out! more than %d tests in a file\n", TEST_MAX);
		exit(1);
	}
	test_list[test_count++] = (struct test){ name, run };
}

static inline int
test_run_all(void)
{
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0); /* a crash loses no line */
	printf("1..%zu\n", test_count);
	for (size_t i = 0; i < test_count; i++) {
		test_failures = 0;
		test_list[i].run();
		failed += test_failures > 0;
		printf("%sok %zu - %s\n", test_failures > 0 ? "not " : "",
		    i + 1, test_list[i].name);
	}
	return failed > 0;
}

/* A constructor puts the test on the list: no second list to forget. */
#define TEST(name)                                                             \
	static void name(void);                                                \
	__attribute__((constructor)) static void register_##name(void)         \
	{                                                                      \
		test_register(#name, name);                                    \
	}                                                                      \
	static void name(void)

#define TEST_MAIN                                                              \
	int main(void)                                                         \
	{                                                                      \
		return test_run_all();                                         \
	}

#endif
