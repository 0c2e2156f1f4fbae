/*
 * mend [utf8]: a header on standard input, as mend_header() makes it fit a
 * server, with SMTPUTF8 or without, on standard output.  Status 1 and the
 * reason on standard error if it cannot.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/mend.h"

#define INPUT_MAX (64u << 20)

int
main(int argc, char **argv)
{
	bool utf8 = argc > 1 && strcmp(argv[1], "utf8") == 0;
	struct buf in, out;
	struct err e;
	char block[4096];
	size_t n;
	int got;

	buf_init(&in, INPUT_MAX);
	buf_init(&out, INPUT_MAX);
	while ((n = fread(block, 1, sizeof block, stdin)) > 0)
		buf_add(&in, block, n);
	got = mend_header(&out, buf_str(&in), in.len, utf8, &e);
	if (got == -1)
		fprintf(stderr, "%d.%d.%d %s\n", e.enhanced.class,
		    e.enhanced.subject, e.enhanced.detail, e.text);
	else
		fwrite(buf_str(&out), 1, out.len, stdout);
	buf_free(&in);
	buf_free(&out);
	return got == -1;
}
