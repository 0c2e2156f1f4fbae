/*
 * address_fuzz: whatever parses is safe in a command, within its limits, and
 * parses again to an equal address; alone and in a list.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/err.h"
#include "mail/address.h"

#define BOTH (ADDRESS_NULL | ADDRESS_POSTMASTER)
#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/*
 * Printable; a space, '<' or '>' only between quotes; UTF-8 only if it is said
 * to be there, and no C1 then.
 */
static void
check_octets(const char *s, size_t local_len, bool utf8)
{
	uint32_t cp;
	size_t n;

	MUST(utf8 == enc_has_8bit(s, local_len));
	MUST(utf8 || !enc_has_8bit(s, strlen(s)));
	for (size_t i = 0; s[i] != '\0'; i += n) {
		bool quoted = s[0] == '"' && i < local_len;

		n = enc_utf8(s + i, strlen(s + i), &cp);
		MUST(n > 0 && cp >= ' ' && (cp < 0x7f || cp >= 0xa0));
		MUST(quoted || strchr(" <>(),;\"\\", s[i]) == NULL);
	}
}

static void
check_parts(const struct address *a)
{
	size_t len = strlen(a->raw);

	MUST(a->local_len <= ADDRESS_LOCAL_MAX);
	MUST(len + 2 <= ADDRESS_PATH_MAX);
	MUST((a->kind == DOMAIN_NONE) == (a->ascii == NULL));
	if (a->kind == DOMAIN_NONE) {
		MUST(a->local_len == len && a->utf8 == NULL);
		MUST(len == 0 || len == strlen("postmaster"));
		return;
	}
	MUST(a->local_len > 0 && a->raw[a->local_len] == '@');
	MUST(strcmp(a->utf8, a->raw + a->local_len + 1) == 0 ||
	    strcmp(a->ascii, a->raw + a->local_len + 1) == 0);
	MUST(enc_is_utf8(a->utf8, strlen(a->utf8)));
	MUST(!enc_has_8bit(a->ascii, strlen(a->ascii)));
	MUST((a->utf8[0] == '[') == (a->kind != DOMAIN_NAME));
	if (a->kind == DOMAIN_NAME)
		MUST(address_is_hostname(a->ascii, strlen(a->ascii)));
}

/* As a bare address, and in the angle brackets that a command has. */
static void
check_again(const struct address *a)
{
	char path[ADDRESS_PATH_MAX + 1];
	size_t len = strlen(a->raw);

	path[0] = '<';
	memcpy(path + 1, a->raw, len);
	path[len + 1] = '>';
	for (int bare = 0; bare < 2; bare++) {
		struct address b;
		struct err e;

		MUST(address_parse(&b, path + bare, len + 2 - 2 * (size_t)bare,
			 BOTH, &e) == 0);
		MUST(address_equal(a, &b));
		MUST(address_hash(a) == address_hash(&b));
		MUST(strcmp(a->raw, b.raw) == 0);
		address_free(&b);
	}
}

static void
check_address(const struct address *a)
{
	check_octets(a->raw, a->local_len, a->needs_utf8);
	check_parts(a);
	check_again(a);
}

static void
check_error(const struct err *e)
{
	size_t len = strlen(e->text);

	MUST(e->verdict == ERR_PERM && e->kind == ERR_DATA);
	MUST(len > 0 && len < ERR_TEXT_MAX - 1);
	for (size_t i = 0; i < len; i++)
		MUST((unsigned char)e->text[i] >= ' ' && e->text[i] != 0x7f);
}

static int
one_item(void *ctx, const char *item, size_t n, struct address *a,
    const struct err *e)
{
	const char **next = ctx;

	/* In order, none overlapping. */
	MUST(item >= *next);
	*next = item + n;
	if (a == NULL) {
		check_error(e);
		return 0;
	}
	check_address(a);
	address_free(a);
	return 0;
}

/* Nothing that aliases would take for a program, a file or a list. */
static void
check_bare(const char *s, size_t n)
{
	struct address a;
	struct err e;
	const char *name;

	if (address_parse(&a, s, n, ADDRESS_BARE, &e) == -1) {
		check_error(&e);
		return;
	}
	check_octets(a.raw, a.local_len, a.needs_utf8);
	name = a.raw + (a.raw[0] == '"');
	name += name[0] == '\\';
	MUST(a.local_len > 0);
	if (a.kind == DOMAIN_NONE)
		MUST(strchr("|/:\"", *name) == NULL);
	address_free(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *s = malloc(n + 1);
	const char *next = s;
	struct address a;
	struct err e;

	if (s == NULL)
		return 0;
	memcpy(s, data, n);
	check_bare(s, n);
	if (address_parse(&a, s, n, BOTH, &e) == 0) {
		check_address(&a);
		address_free(&a);
	} else
		check_error(&e);
	MUST(address_each(s, n, BOTH, one_item, &next) == 0);
	MUST(next <= s + n);
	address_is_hostname(s, n);
	free(s);
	return 0;
}
