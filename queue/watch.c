/*
 * watch: see watch.h. An entry is put by a rename, and noted upon by one who
 * closes it behind that; those who only read are not seen.
 * Callers: cli/run.c.
 * What is behind an event does not matter: who is woken reads the folder.
 * inotify(7).
 * Ownership: see watch.h.
 */
#include <sys/inotify.h>
#include <stdio.h>
#include <unistd.h>

#include "base/wait.h"
#include "queue/entry.h"
#include "queue/folder.h"
#include "queue/watch.h"

void
watch_open(struct watch *w, const struct folder *f)
{
	char path[64];

	/* By its descriptor: the path may be another folder's by now. */
	snprintf(path, sizeof path, "/proc/self/fd/%d", f->fd);
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd == -1)
		return;
	if (inotify_add_watch(
		w->fd, path, IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR) == -1 &&
	    inotify_add_watch(w->fd, f->path,
		IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR) == -1)
		watch_close(w);
}

void
watch_close(struct watch *w)
{
	if (w->fd != -1)
		close(w->fd);
	w->fd = -1;
}

/* True if it may be that of an entry: only its name is known. */
static bool
is_put(const struct inotify_event *e)
{
	return (e->mask & IN_Q_OVERFLOW) != 0 ||
	    ((e->mask & IN_MOVED_TO) != 0 && e->len > 0 &&
		entry_id_valid(e->name));
}

bool
watch_forget(struct watch *w)
{
	union {
		struct inotify_event align;
		char octets[4096];
	} events;
	const struct inotify_event *e;
	bool put = false;
	ssize_t got, at;

	if (w->fd == -1)
		return false;
	while ((got = read(w->fd, events.octets, sizeof events)) > 0) {
		for (at = 0; at < got; at += (ssize_t)(sizeof *e + e->len)) {
			/* The kernel keeps them aligned (inotify(7)). */
			e = (const void *)(events.octets + at);
			put = put || is_put(e);
		}
	}
	return put;
}

int
watch_wait(const struct watch *w, const struct waiter *waiter, int64_t deadline)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	/* A descriptor below zero is passed over (poll(2)). */
	return wait_fds(waiter, &p, 1, deadline);
}
