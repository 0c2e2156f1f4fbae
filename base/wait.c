/*
 * wait: see wait.h. A stop that was asked for before the wait begins is
 * seen at once; one that comes later interrupts ppoll(2).
 * Callers: net, store, deliver. It touches no descriptor.
 * Source: ppoll(2), clock_gettime(2).
 * Ownership: borrows everything.
 */
#include <errno.h>
#include <limits.h>
#include <time.h>

#include "base/err.h"
#include "base/wait.h"

int64_t
wait_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
wait_until(int64_t ms)
{
	return ms < 0 ? INT64_MAX : wait_now() + ms;
}

bool
wait_stopped(const struct waiter *w)
{
	return w != NULL && w->stop != NULL && *w->stop != 0;
}

bool
wait_look(const struct waiter *w)
{
	const struct timespec none = { .tv_sec = 0 };

	if (w != NULL && !wait_stopped(w))
		ppoll(NULL, 0, &none, &w->mask);
	return wait_stopped(w);
}

struct wait_bound
wait_within(int64_t ms, const char *name)
{
	return (struct wait_bound){
		.until = wait_until(ms), .ms = ms, .name = name
	};
}

static bool
is_bound(const struct waiter *w)
{
	return w != NULL && w->bound.until != 0;
}

bool
wait_over(const struct waiter *w)
{
	return is_bound(w) && wait_now() >= w->bound.until;
}

int64_t
wait_left(const struct waiter *w, int64_t ms)
{
	int64_t left = is_bound(w) ? w->bound.until - wait_now() : -1;

	if (!is_bound(w))
		return ms;
	if (left < 0)
		left = 0;
	return ms < 0 || left < ms ? left : ms;
}

int
wait_over_err(const struct waiter *w, struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_CONNECT, "not within %s, %g s",
	    w->bound.name, (double)w->bound.ms / 1000);
}

int
wait_fds(const struct waiter *w, struct pollfd *fds, nfds_t n, int64_t deadline)
{
	struct timespec left, *timeout;
	int64_t ms;
	int got;

	if (is_bound(w) && w->bound.until < deadline)
		deadline = w->bound.until;
	for (;;) {
		if (wait_stopped(w))
			return WAIT_STOPPED;
		timeout = NULL;
		if (deadline != INT64_MAX) {
			ms = deadline - wait_now();
			if (ms < 0)
				ms = 0;
			left.tv_sec = (time_t)(ms / 1000);
			left.tv_nsec = (long)(ms % 1000) * 1000000;
			timeout = &left;
		}
		got = ppoll(fds, n, timeout, w == NULL ? NULL : &w->mask);
		if (got >= 0 || errno != EINTR)
			return got;
	}
}

int
wait_fd(const struct waiter *w, int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int got = wait_fds(w, &p, 1, deadline);

	return got > 0 ? p.revents : got;
}
