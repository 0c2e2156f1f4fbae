/*
 * when: a span is within its bounds, and a date is written in UTC and read
 * again as the same moment.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/when.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *s = malloc(n + 1), text[WHEN_DATE_MAX];
	int64_t v, again;

	if (s == NULL)
		return 0;
	memcpy(s, data, n);
	if (when_span(s, n, &v) == 0)
		must(n > 0 && v >= 0 && v <= WHEN_SPAN_MAX);
	/* An offset may lead out of the years that have four digits. */
	if (when_date(s, n, &v) == 0 && v >= 0 && v < INT64_C(253402300800)) {
		must(n >= strlen("2026-12-24T18:00:00Z"));
		when_date_text(v, text);
		must(when_date(text, strlen(text), &again) == 0 && again == v);
	}
	free(s);
	return 0;
}
