/*
 * verdict.h: what a run of the command came to, against what its dialogue
 * says it should; included by player.c alone.
 *
 * Checked in every run, asked or not: no control character but LF and TAB in
 * any output, valid JSON whose exit code is the process's, nothing at all on
 * stderr after a success, and on failure a line there for each recipient
 * that failed.
 */
#ifndef TESTS_TOOLS_VERDICT_H
#define TESTS_TOOLS_VERDICT_H

#include <sys/wait.h>

#include "base/buf.h"
#include "base/enc.h"
#include "smtp/dialogue.h"
#include "tests/tools/json.h"

#define VERDICT_MAX (64u * 1024)

/* What the command left behind. */
struct result {
	int status; /* of waitpid(2) */
	struct buf out; /* owned: stdout */
	struct buf err; /* owned: stderr */
};

struct verdict {
	const struct dialogue *d; /* borrowed */
	const struct result *r; /* borrowed */
	struct json json; /* owned */
	size_t outcomes; /* outcome lines seen */
	bool asks_stderr; /* the dialogue says what is to be there */
	bool asks_stdout;
	struct buf *why; /* borrowed: a line for each complaint */
};

static inline const char *
field_text(const struct dialogue *d, const char *name)
{
	for (size_t i = 0; i < d->nfields; i++)
		if (strcmp(d->fields[i].name, name) == 0)
			return d->fields[i].text;
	return NULL;
}

/* True if the dialogue says anything about the JSON. */
static inline bool
wants_json(const struct dialogue *d)
{
	return field_text(d, "outcome") != NULL ||
	    field_text(d, "json") != NULL;
}

static inline void
verdict_quote(struct buf *b, const char *s)
{
	buf_addc(b, '"');
	enc_printable(b, s, strlen(s));
	buf_addc(b, '"');
}

/* "WHERE: expected WANT, got GOT" */
static inline void
verdict_differs(struct verdict *v, const struct dialogue_field *f,
    const char *what, const char *got)
{
	buf_addf(v->why, "line %u: expected %s ", f->line, what);
	verdict_quote(v->why, f->text);
	buf_adds(v->why, ", got ");
	verdict_quote(v->why, got);
	buf_addc(v->why, '\n');
}

/* --- exit code, output ---------------------------------------------------- */

static inline void
check_exit(struct verdict *v, const struct dialogue_field *f)
{
	char got[64];

	if (WIFEXITED(v->r->status))
		snprintf(got, sizeof(got), "%d", WEXITSTATUS(v->r->status));
	else
		snprintf(got, sizeof(got), "signal %d",
		    WIFSIGNALED(v->r->status) ? WTERMSIG(v->r->status) : 0);
	if (strcmp(got, f->text) != 0)
		verdict_differs(v, f, "exit code", got);
}

/* True if a whole line of the text matches. */
static inline bool
some_line_matches(const struct buf *text, const char *glob)
{
	const char *s = buf_str(text), *end = s + text->len, *lf;

	for (; s < end; s = lf + 1) {
		lf = memchr(s, '\n', (size_t)(end - s));
		if (lf == NULL)
			lf = end;
		if (dialogue_match(glob, s, (size_t)(lf - s)))
			return true;
	}
	return false;
}

static inline void
check_stderr(struct verdict *v, const struct dialogue_field *f)
{
	v->asks_stderr = true;
	if (!some_line_matches(&v->r->err, f->text))
		verdict_differs(v, f, "on stderr a line", buf_str(&v->r->err));
}

static inline void
check_no_stderr(struct verdict *v, const struct dialogue_field *f)
{
	v->asks_stderr = true;
	if (some_line_matches(&v->r->err, f->text))
		verdict_differs(v, f, "on stderr no", buf_str(&v->r->err));
}

static inline void
check_stdout(struct verdict *v, const struct dialogue_field *f)
{
	v->asks_stdout = true;
	if (!some_line_matches(&v->r->out, f->text))
		verdict_differs(v, f, "on stdout a line", buf_str(&v->r->out));
}

/* --- outcomes ------------------------------------------------------------- */

/* Words of an outcome line behind address and state, and what they check. */
static const struct outcome_row {
	const char *word;
	const char *name; /* in the JSON */
	const char *value; /* NULL: the next word, as a glob */
} outcome_rows[] = {
	{ "doubt", "in_doubt", "true" }, { "stage", "stage", NULL },
	{ "code", "code", NULL }, { "enhanced", "enhanced", NULL },
	{ "kind", "kind", NULL }, { "host", "host", NULL },
	{ "text", "text", NULL }, /* the rest of the line */
};

/* The number of the recipient with that address, or -1. */
static inline int
find_recipient(const struct verdict *v, const char *address)
{
	char path[64];
	const char *got;

	for (int i = 0;; i++) {
		snprintf(path, sizeof(path), "recipients.%d.address", i);
		got = json_get(&v->json, path);
		if (got == NULL)
			return -1;
		if (strcmp(got, address) == 0)
			return i;
	}
}

static inline void
check_member(struct verdict *v, const struct dialogue_field *f, int recipient,
    const char *name, const char *glob)
{
	char path[64];
	const char *got;

	snprintf(path, sizeof(path), "recipients.%d.%s", recipient, name);
	got = json_get(&v->json, path);
	if (got != NULL && dialogue_match(glob, got, strlen(got)))
		return;
	buf_addf(v->why, "line %u: %.*s: expected %s ", f->line,
	    (int)strcspn(f->text, " "), f->text, name);
	verdict_quote(v->why, glob);
	buf_adds(v->why, ", got ");
	verdict_quote(v->why, got == NULL ? "nothing" : got);
	buf_addc(v->why, '\n');
}

/* Cut the next word off; "" at the end. */
static inline char *
cut_word(char **rest)
{
	char *word = *rest + strspn(*rest, " ");
	size_t len = strcspn(word, " ");

	*rest = word + len + (word[len] != '\0');
	word[len] = '\0';
	return word;
}

/* The checks of the words behind the state; false: one is unknown. */
static inline bool
check_words(
    struct verdict *v, const struct dialogue_field *f, int recipient, char *s)
{
	const size_t n = sizeof(outcome_rows) / sizeof(outcome_rows[0]);
	const char *doubt = "false";
	char *word;
	size_t i;

	while (*(word = cut_word(&s)) != '\0') {
		for (i = 0; i < n; i++)
			if (strcmp(word, outcome_rows[i].word) == 0)
				break;
		if (i == n)
			return false;
		if (outcome_rows[i].value != NULL)
			doubt = outcome_rows[i].value;
		else if (i == n - 1) {
			check_member(v, f, recipient, "text", s);
			break;
		} else
			check_member(v, f, recipient, outcome_rows[i].name,
			    cut_word(&s));
	}
	check_member(v, f, recipient, "in_doubt", doubt);
	return true;
}

static inline void
check_outcome(struct verdict *v, const struct dialogue_field *f)
{
	char *copy = strdup(f->text), *rest = copy;
	const char *address = copy == NULL ? "" : cut_word(&rest);
	int recipient = find_recipient(v, address);

	v->outcomes++;
	if (copy == NULL || recipient == -1) {
		verdict_differs(v, f, "an outcome", "none of that address");
	} else {
		check_member(v, f, recipient, "outcome", cut_word(&rest));
		if (!check_words(v, f, recipient, rest))
			verdict_differs(v, f, "known words", "others");
	}
	free(copy);
}

/* "json: PATH GLOB" */
static inline void
check_json(struct verdict *v, const struct dialogue_field *f)
{
	size_t len = strcspn(f->text, " ");
	char path[JSON_PATH_MAX];
	const char *got;

	snprintf(path, sizeof(path), "%.*s", (int)len, f->text);
	got = json_get(&v->json, path);
	if (got == NULL ||
	    !dialogue_match(
		f->text + len + (f->text[len] == ' '), got, strlen(got)))
		verdict_differs(v, f, "JSON", got == NULL ? "nothing" : got);
}

/* --- what every run has to keep ------------------------------------------- */

/* A server's words must not reach a terminal as they are. */
static inline void
check_clean(struct verdict *v, const char *name, const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++) {
		unsigned char c = (unsigned char)b->data[i];

		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f) {
			buf_addf(
			    v->why, "octet %02x at %zu of %s\n", c, i, name);
			return;
		}
	}
	if (!enc_is_utf8(buf_str(b), b->len))
		buf_addf(v->why, "%s is not UTF-8\n", name);
}

static inline void
check_json_whole(struct verdict *v)
{
	const char *code = json_get(&v->json, "exit"), *got;
	char path[64];

	if (code == NULL || !WIFEXITED(v->r->status) ||
	    strtol(code, NULL, 10) != WEXITSTATUS(v->r->status))
		buf_addf(v->why, "JSON says exit %s\n",
		    code == NULL ? "nothing" : code);
	snprintf(path, sizeof(path), "recipients.%zu.address", v->outcomes);
	if (v->outcomes > 0 && json_get(&v->json, path) != NULL)
		buf_adds(v->why, "more recipients than outcome lines\n");
	for (size_t i = 0; i < v->outcomes; i++) {
		snprintf(path, sizeof(path), "recipients.%zu.outcome", i);
		got = json_get(&v->json, path);
		if (got == NULL || strcmp(got, "delivered") == 0)
			continue;
		snprintf(path, sizeof(path), "recipients.%zu.address", i);
		got = json_get(&v->json, path);
		if (got != NULL &&
		    memmem(buf_str(&v->r->err), v->r->err.len, got,
			strlen(got)) == NULL)
			buf_addf(v->why, "no line on stderr for %s\n", got);
	}
}

static inline void
check_quiet(struct verdict *v)
{
	if (!v->asks_stdout && !wants_json(v->d) && v->r->out.len > 0) {
		buf_adds(v->why, "expected nothing on stdout, got ");
		verdict_quote(v->why, buf_str(&v->r->out));
		buf_addc(v->why, '\n');
	}
	if (!v->asks_stderr && v->r->status == 0 && v->r->err.len > 0)
		buf_adds(v->why, "a success that is not quiet\n");
}

/* --- all of it ------------------------------------------------------------ */

/* A field without a check is for the player itself. */
static const struct field_row {
	const char *name;
	void (*check)(struct verdict *, const struct dialogue_field *);
} field_rows[] = {
	{ "title", NULL },
	{ "args", NULL },
	{ "stdin", NULL },
	{ "exit", check_exit },
	{ "stderr", check_stderr },
	{ "no-stderr", check_no_stderr },
	{ "stdout", check_stdout },
	{ "outcome", check_outcome },
	{ "json", check_json },
};

/* Complaints about fields that nobody knows, before anything is run. */
static inline void
check_fields(const struct dialogue *d, struct buf *why)
{
	const size_t n = sizeof(field_rows) / sizeof(field_rows[0]);
	size_t i, row;

	for (i = 0; i < d->nfields; i++) {
		for (row = 0; row < n; row++)
			if (strcmp(d->fields[i].name, field_rows[row].name) ==
			    0)
				break;
		if (row == n)
			buf_addf(why, "line %u: no such field: %s\n",
			    d->fields[i].line, d->fields[i].name);
	}
	if (field_text(d, "args") == NULL || field_text(d, "exit") == NULL)
		buf_adds(why, "args: and exit: are needed\n");
}

static inline void
check_field(struct verdict *v, const struct dialogue_field *f)
{
	const size_t n = sizeof(field_rows) / sizeof(field_rows[0]);

	for (size_t row = 0; row < n; row++)
		if (field_rows[row].check != NULL &&
		    strcmp(f->name, field_rows[row].name) == 0)
			field_rows[row].check(v, f);
}

/* Complaints go to `why`, a line each; none: it is as it should be. */
static inline void
verdict(const struct dialogue *d, const struct result *r, struct buf *why)
{
	struct verdict v = { .d = d, .r = r, .why = why };
	bool wants = wants_json(d);

	if (wants && !json_read(&v.json, buf_str(&r->out), r->out.len))
		buf_adds(why, "stdout is not one JSON value\n");
	for (size_t i = 0; i < d->nfields; i++)
		check_field(&v, &d->fields[i]);
	check_clean(&v, "stdout", &r->out);
	check_clean(&v, "stderr", &r->err);
	check_quiet(&v);
	if (wants)
		check_json_whole(&v);
	json_free(&v.json);
}

#endif
