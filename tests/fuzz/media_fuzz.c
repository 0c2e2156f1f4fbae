/*
 * media: any table and any name give a type that may be written, or none.
 * The name ends at the first NUL; the table is what is behind it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/media.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	char *text = malloc(n + 1), type[MEDIA_TYPE_MAX];
	size_t len;

	if (text == NULL)
		abort();
	memcpy(text, data, n);
	text[n] = '\0';
	len = strlen(text);
	if (len < n && media_lookup(text + len + 1, n - len - 1, text, type) &&
	    (!media_is_type(type, strlen(type)) || media_is(type, "multipart")))
		abort();
	free(text);
	return 0;
}
