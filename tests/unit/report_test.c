/*
 * report: what a worker says is shown as harmless as what a server says, as
 * the parent believes neither.
 */
#include "cli/report.h"
#include "mail/envelope.h"
#include "tests/unit/test.h"

TEST(failure_lines_are_printable_whoever_filled_them)
{
	struct recipient r = {
		.given = (char[]){ "bob@example.net" },
		.outcome = { .state = OUTCOME_FAILED,
		    .err = { .verdict = ERR_PERM, .text = "t\x1b[31m\n" },
		    .host = "h\x1b]52;\a",
		    .ip = "i\x1b\r",
		    .port = 25 },
	};
	struct envelope env = { .rcpts = &r, .n = 1 };
	char *line = NULL;
	size_t n;
	FILE *out = open_memstream(&line, &n);

	report_failures(out, &env);
	fclose(out);
	CHECK_STR(line,
	    "smtpsend: bob@example.net: failed, h\\x1B]52;\\x07 "
	    "[i\\x1B\\x0D]:25: t\\x1B[31m\\x0A\n");
	free(line);
}

TEST_MAIN
