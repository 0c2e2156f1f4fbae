/*
 * edit: whatever --header says makes one whole field, or none, in lines that
 * fit; the header it is done to loses no other field.
 * The option's text ends at the first NUL; the header is what is behind it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "mail/edit.h"
#include "mail/header.h"
#include "mail/message.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
check_body(const struct edit *edit)
{
	const char *p = edit->body;
	struct field f = { 0 };
	size_t len;

	must(header_next(p, strlen(p), &f) && p[f.end] == '\0');
	must(header_is(&f, edit->name));
	for (; *p != '\0'; p += len + 1) {
		len = strcspn(p, "\n");
		must(p[len] == '\n' && len <= MESSAGE_LINE_MAX);
		must(p == edit->body || *p == ' ' || *p == '\t');
		must(memchr(p, '\r', len) == NULL);
	}
}

/* Fields of that name, or all others. */
static size_t
count(const struct buf *h, const char *name, int others)
{
	struct field f = { 0 };
	size_t n = 0;

	while (header_next(h->data, h->len, &f))
		n += header_is(&f, name) == !others;
	return n;
}

static void
check_done(const struct edit *edit, const char *header, size_t n)
{
	struct message m = { 0 };
	size_t same, others;
	struct err e;

	buf_init(&m.header, MESSAGE_HEADER_MAX);
	buf_add(&m.header, header, n);
	if (n > 0 && header[n - 1] != '\n')
		buf_addc(&m.header, '\n');
	same = count(&m.header, edit->name, 0);
	others = count(&m.header, edit->name, 1);
	if (edit_apply(&m, edit, 1, &e) == -1) {
		/* A message has only one of these. */
		must(edit->kind == EDIT_ADD && same > 0 && e.kind == ERR_DATA);
	} else {
		must(count(&m.header, edit->name, 0) ==
		    (edit->kind == EDIT_ADD              ? same + 1
			    : edit->kind == EDIT_REPLACE ? 1
							 : 0));
	}
	must(count(&m.header, edit->name, 1) == others);
	message_free(&m);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	char *spec = malloc(n + 1);
	struct edit edit;
	struct err e;
	size_t len;

	must(spec != NULL);
	memcpy(spec, data, n);
	spec[n] = '\0';
	len = strlen(spec);
	if (edit_parse(&edit, spec, &e) == 0) {
		must((edit.body == NULL) == (edit.kind == EDIT_DELETE));
		if (edit.body != NULL)
			check_body(&edit);
		/* What stands before a field would be folded into it. */
		if (len < n && spec[len + 1] != ' ' && spec[len + 1] != '\t')
			check_done(&edit, spec + len + 1, n - len - 1);
		edit_free(&edit);
	} else
		must(e.kind == ERR_USAGE);
	free(spec);
	return 0;
}
