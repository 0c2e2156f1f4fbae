/*
 * config_fuzz: any text as a configuration file. It must end, and what stands
 * in the config afterwards must be sound: settings point to texts, accounts
 * are found by their names, any sender finds an account or none.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/config.h"

#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What is included, and what commands print: the text itself, once. */
struct world {
	const char *text;
	size_t n;
	int entered;
};

static int
trust(void *ctx, enum config_trust what, struct err *e)
{
	(void)ctx;
	(void)what;
	(void)e;
	return 0;
}

static int
enter(void *ctx, const char *path, struct buf *text, char **name, struct err *e)
{
	struct world *w = ctx;

	if (w->entered > 0)
		return err_set(e, ERR_PERM, ERR_CONFIG, "%s", path);
	w->entered++;
	buf_add(text, w->text, w->n);
	*name = strdup(path);
	return 0;
}

static void
leave(void *ctx)
{
	struct world *w = ctx;

	w->entered--;
}

static int
eval(void *ctx, const char *command, struct buf *out, struct err *e)
{
	(void)ctx;
	(void)e;
	buf_adds(out, command);
	return 0;
}

static const char *
home(void *ctx)
{
	(void)ctx;
	return NULL;
}

static void
warn(void *ctx, const char *text)
{
	(void)ctx;
	MUST(strlen(text) > 0);
}

static void
check_account(const struct config *c, const struct config_account *a)
{
	struct settings s;
	size_t i, octets = 0;

	config_settings(c, a, &s);
	for (i = 0; i < SETTINGS; i++)
		if (s.at[i].text != NULL) {
			MUST(s.at[i].given);
			octets += strlen(s.at[i].text);
		}
	MUST(octets <= SETTINGS * (size_t)CONFIG_MAX);
	MUST(a->nown <= a->nroutes);
	MUST(config_find(c, a->name) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct world w = { (const char *)data, n, 0 };
	const struct config_world world = { &w, trust, enter, leave, eval, home,
		warn };
	struct config c;
	struct err e;
	size_t i;

	if (n > 4096)
		return 0;
	config_init(&c);
	if (config_parse(&c, "rc", (const char *)data, n, &world, &e) == -1)
		MUST(e.verdict != ERR_OK && e.text[0] != '\0');
	MUST(w.entered == 0);
	for (i = 0; i < c.n; i++)
		check_account(&c, &c.accounts[i]);
	config_find_sender(&c, "joe+list@x.test");
	config_layer(&c);
	config_free(&c);
	return 0;
}
