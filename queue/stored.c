/*
 * stored: see stored.h. The size is asked for once, when reading begins.
 * Callers: queue/spool.c, queue/intake.c.
 * It opens nothing.
 * pread(2).
 * Ownership: borrows the descriptor.
 */
#include <sys/stat.h>
#include <errno.h>
#include <unistd.h>

#include "base/err.h"
#include "mail/message.h"
#include "queue/entry.h"
#include "queue/journal.h"
#include "queue/stored.h"

static int
trouble(struct err *e)
{
	return err_errno(
	    e, ERR_TEMP, ERR_MACHINE, errno, "cannot read the queue");
}

long
stored_read(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const int *fd = ctx;
	ssize_t got;

	do
		got = pread(*fd, to, n, (off_t)off);
	while (got == -1 && errno == EINTR);
	return got == -1 ? trouble(e) : (long)got;
}

int
stored_entry(struct entry *en, const char *id, int *fd,
    const struct entry_now *now, struct err *e)
{
	struct octets file = { .read = stored_read, .ctx = fd };
	struct stat st;

	*en = (struct entry){ .uid = ENTRY_NO_UID };
	if (fstat(*fd, &st) == -1)
		return trouble(e);
	file.size = (uint64_t)st.st_size;
	if (entry_read_head(en, id, &file, now, e) == -1)
		return -1;
	return journal_read(en, &file, e);
}
