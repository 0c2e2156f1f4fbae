/*
 * library: see library.h.
 * Callers: base/idna.c, base/crypto.c, store/dotlock.c, net/gsasl.c.
 * It opens nothing.
 * ISO C has no cast from an object to a function; POSIX says that the octets
 * are the same. Ownership: see library.h.
 */
#include <dlfcn.h>
#include <string.h>

#include "base/library.h"

void
library_symbol(
    void *handle, const char *name, void *field, const char **missing)
{
	void *p = dlsym(handle, name);

	if (p == NULL)
		*missing = name;
	memcpy(field, &p, sizeof p);
}
