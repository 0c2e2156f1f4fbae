/*
 * args.h: the command line of a dialogue; included by player.c alone.
 *
 * The args: fields, one behind the other, split at spaces; "a b" is one
 * word.  ${NAME} is a server as --host takes it, ${NAME.port} and
 * ${NAME.path} are parts of it.  Escapes are undone last, so that a word can
 * hold any octet but NUL.
 */
#ifndef TESTS_TOOLS_ARGS_H
#define TESTS_TOOLS_ARGS_H

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "smtp/dialogue.h"
#include "tests/tools/hosts.h"
#include "tests/tools/verdict.h"

#define ARGS_MAX 4096

struct args {
	const struct dialogue *d; /* borrowed */
	const struct host *hosts; /* borrowed: as many as d has servers */
	char **argv; /* borrowed: of ARGS_MAX, all NULL behind the program */
	size_t n; /* used */
	struct buf *why; /* borrowed: a line for each complaint */
};

static inline bool
args_substitute(
    const struct args *a, struct buf *to, const char *name, size_t n)
{
	const char *dot = memchr(name, '.', n);
	size_t i, len = dot == NULL ? n : (size_t)(dot - name);

	for (i = 0; i < a->d->nservers; i++)
		if (strlen(a->d->servers[i].name) == len &&
		    memcmp(a->d->servers[i].name, name, len) == 0)
			return host_part(&a->hosts[i], to, name + len, n - len);
	return false;
}

/* The field with the servers filled in. */
static inline bool
args_fill(const struct args *a, const char *s, struct buf *to)
{
	const char *end;

	for (; *s != '\0'; s++) {
		if (s[0] != '$' || s[1] != '{') {
			buf_addc(to, *s);
			continue;
		}
		end = strchr(s, '}');
		if (end == NULL ||
		    !args_substitute(a, to, s + 2, (size_t)(end - s) - 2))
			return false;
		s = end;
	}
	return true;
}

/* One word, whose escapes are undone. */
static inline bool
args_add(struct args *a, const char *s)
{
	struct buf word;
	bool ok;

	buf_init(&word, SIZE_MAX / 2);
	ok = dialogue_octets(&word, s) && strlen(buf_str(&word)) == word.len &&
	    a->n + 1 < ARGS_MAX;
	if (ok)
		a->argv[a->n++] = strdup(buf_str(&word));
	buf_free(&word);
	return ok;
}

static inline bool
args_split(struct args *a, char *s)
{
	char *end;
	bool last = false;

	while (!last && *(s += strspn(s, " ")) != '\0') {
		end = *s == '"' ? strchr(++s, '"') : s + strcspn(s, " ");
		if (end == NULL)
			return false;
		last = *end == '\0';
		*end = '\0';
		if (!args_add(a, s))
			return false;
		s = end + 1;
	}
	return true;
}

/* All behind argv[0]; owned by the caller. */
static inline void
arguments(const struct dialogue *d, const struct host *hosts, char **argv,
    struct buf *why)
{
	struct args a = { d, hosts, argv, 1, why };
	struct buf line;
	size_t i;

	if (wants_json(d))
		args_add(&a, "--json");
	buf_init(&line, SIZE_MAX / 2);
	for (i = 0; i < d->nfields; i++) {
		if (strcmp(d->fields[i].name, "args") != 0)
			continue;
		buf_reset(&line);
		buf_addc(&line, ' ');
		if (!args_fill(&a, d->fields[i].text, &line) ||
		    !args_split(&a, line.data))
			buf_addf(why, "line %u: malformed arguments\n",
			    d->fields[i].line);
	}
	buf_free(&line);
}

#endif
