/*
 * moment: the present, by both clocks that the queue counts by.
 * Called by what puts, tries and shows entries, once for each step.
 * It does nothing else: what takes a moment reads no clock of its own.
 * clock_gettime(2).
 * Ownership: plain data.
 */
#ifndef QUEUE_MOMENT_H
#define QUEUE_MOMENT_H

#include "queue/entry.h"

struct entry_now moment_now(void);

/* Minutes east of UTC, where we are, at that second since 1970. */
int moment_zone(int64_t when);

#endif
