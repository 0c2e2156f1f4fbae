/*
 * alias_file: whatever the file says, names are folded and short, addresses
 * are whole, nothing that runs or writes comes through, and lines are those
 * of the file, in order. Read as a file and as a list.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail/address.h"
#include "mail/alias_file.h"

#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

struct seen {
	size_t lines; /* of the input */
	size_t line; /* the last one that was told */
	bool named;
};

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_line(struct seen *seen, size_t line)
{
	MUST(line >= 1 && line <= seen->lines);
	MUST(line >= seen->line);
	seen->line = line;
}

static int
on_name(void *ctx, const char *name, size_t line)
{
	struct seen *seen = ctx;
	size_t n = strlen(name);

	check_line(seen, line);
	seen->named = true;
	MUST(n > 0 && n < ALIAS_NAME_MAX);
	for (size_t i = 0; i < n; i++)
		MUST((unsigned char)name[i] >= ' ' && name[i] != 0x7f &&
		    !(name[i] >= 'A' && name[i] <= 'Z'));
	MUST(strchr("|/:", name[0]) == NULL);
	return 0;
}

static int
on_value(void *ctx, const struct alias_value *v)
{
	struct seen *seen = ctx;
	struct address again;
	struct err e;

	check_line(seen, v->line);
	MUST((v->addr != NULL) ==
	    (v->kind == ALIAS_ADDRESS || v->kind == ALIAS_MAILBOX));
	MUST((v->path != NULL) == (v->kind == ALIAS_INCLUDE));
	if (v->path != NULL)
		MUST(v->path[0] == '/' && strlen(v->path) < ALIAS_PATH_MAX &&
		    strchr(v->path, '\n') == NULL);
	if (v->addr == NULL)
		return 0;
	MUST(v->kind != ALIAS_MAILBOX || v->addr->kind == DOMAIN_NONE);
	MUST(address_parse(&again, v->addr->raw, strlen(v->addr->raw),
		 ADDRESS_BARE, &e) == 0);
	MUST(address_equal(&again, v->addr));
	address_free(&again);
	address_free(v->addr);
	return 0;
}

static void
on_bad(void *ctx, size_t line, bool inside, const struct err *e)
{
	struct seen *seen = ctx;

	check_line(seen, line);
	MUST(seen->named || !inside);
	MUST(e->verdict == ERR_PERM && e->kind == ERR_CONFIG);
	MUST(e->text[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct seen file = { .lines = 1 }, list;
	struct alias_reader to = { on_name, on_value, on_bad, &file };
	char *s = malloc(n + 1);

	if (s == NULL)
		return 0;
	memcpy(s, data, n);
	for (size_t i = 0; i < n; i++)
		file.lines += s[i] == '\n';
	list = file;
	MUST(alias_file_read(s, n, &to) == 0);
	to.name = NULL;
	to.ctx = &list;
	MUST(alias_list_read(s, n, &to) == 0);
	free(s);
	return 0;
}
