/*
 * netrc_fuzz: netrc texts, and command lines. What is found is part of the
 * text and found again with its login; what is broken has a line number.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/credential.h"

#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
find(const struct buf *text, const char *host)
{
	struct buf login, password, again;
	struct err e;
	int got;

	buf_init(&login, CREDENTIAL_MAX);
	buf_init(&password, CREDENTIAL_MAX);
	buf_init(&again, CREDENTIAL_MAX);
	got = netrc_find(text, host, NULL, &login, &password, &e);
	MUST(buf_ok(&login) && buf_ok(&password));
	MUST(login.len + password.len <= text->len);
	MUST(got == 1 || login.len + password.len == 0);
	MUST(got != -1 || strncmp(e.text, "line ", 5) == 0);
	if (got == 1) {
		MUST(netrc_find(
			 text, host, buf_str(&login), NULL, &again, &e) == 1);
		MUST(strcmp(buf_str(&again), buf_str(&password)) == 0);
	}
	buf_free(&login);
	buf_free(&password);
	buf_free(&again);
}

static void
split(const char *s, size_t n)
{
	struct err e;
	char *line = strndup(s, n), **words;
	size_t i, len = 0;

	MUST(line != NULL);
	words = command_words(line, &e);
	for (i = 0; words != NULL && words[i] != NULL; i++)
		len += strlen(words[i]);
	MUST(words == NULL || (i > 0 && len + i <= strlen(line) + 1));
	free(words);
	free(line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf text;

	buf_init(&text, SIZE_MAX / 2);
	buf_add(&text, data, n);
	find(&text, "a");
	find(&text, "mail.example.org");
	split(buf_str(&text), n);
	buf_free(&text);
	return 0;
}
