/*
 * moment: see moment.h.
 * Callers: queue/keep.c, queue/runner.c, cli/run.c, cli/queuecmd.c.
 * It waits for nothing.
 * clock_gettime(2).
 * Ownership: plain data.
 */
#include <time.h>

#include "base/wait.h"
#include "queue/moment.h"

struct entry_now
moment_now(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_REALTIME, &t);
	return (struct entry_now){ .wall = (int64_t)t.tv_sec * 1000 +
		    t.tv_nsec / 1000000,
		.steady = wait_now() };
}
