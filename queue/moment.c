/*
 * moment: see moment.h.
 * Callers: queue and cli, wherever the time is wanted.
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

int
moment_zone(int64_t when)
{
	const time_t at = when;
	struct tm local;

	tzset();
	return localtime_r(&at, &local) == NULL ? 0
						: (int)(local.tm_gmtoff / 60);
}
