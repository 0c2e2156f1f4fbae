/*
 * intake IN QUEUE [SECONDS]: one pass of the intake, for tests that end it at
 * each system call, or let that fail; the clock shows SECONDS since 1970.
 *
 * It prints what it notes, a line each ("ID: sentence"), "more" if some is
 * left for the next pass, and "done". The status is err_exit()'s, with the
 * sentence on standard error.
 */
#include <sys/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "queue/entry.h"
#include "queue/folder.h"
#include "queue/intake.h"

static void
draw(void *to, size_t n)
{
	if (getrandom(to, n, 0) != (ssize_t)n)
		abort();
}

static void
tell(void *ctx, const char *id, const char *text)
{
	(void)ctx;
	printf("%s: %s\n", id, text);
}

static int
failed(const struct err *e)
{
	fprintf(stderr, "%s\n", e->text);
	return err_exit(e);
}

static int
run(const struct folder *in, const struct folder *queue, int64_t wall)
{
	const struct entry_now now = { wall, 5000000 };
	const struct intake_config c = {
		.in = in, .queue = queue, .now = &now, .on_note = tell
	};
	struct err e;
	bool more;

	if (intake(&c, &more, &e) == -1)
		return failed(&e);
	if (more)
		puts("more");
	puts("done");
	return 0;
}

int
main(int argc, char **argv)
{
	struct folder_config c = { .kind = FOLDER_TAKE };
	struct folder *in = NULL, *queue = NULL;
	int64_t wall;
	struct err e;
	int status = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 3)
		return 64;
	wall = argc > 3 ? strtoll(argv[3], NULL, 10) : time(NULL);
	c.path = argv[1];
	if (folder_open(&in, &c, &e) != 0)
		status = failed(&e);
	c = (struct folder_config){ .path = argv[2], .draw = draw };
	c.make = true;
	if (status == 0 && folder_open(&queue, &c, &e) != 0)
		status = failed(&e);
	if (status == 0)
		status = run(in, queue, wall * 1000);
	folder_close(queue);
	folder_close(in);
	return status;
}
