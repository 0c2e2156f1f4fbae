/*
 * watch: an entry that is put is told of, whatever else happens is not.
 */
#include "queue/watch.h"
#include "tests/unit/spooled.h"

TEST(an_entry_that_was_put_is_told)
{
	struct folder *f;
	struct watch w;
	char id[ENTRY_ID_SIZE];

	CHECK(mkdtemp(dir) != NULL);
	f = folder_at("queue");
	watch_open(&w, f);
	CHECK(w.fd != -1);
	CHECK(!watch_forget(&w));
	put(f, id);
	CHECK(watch_forget(&w));
	CHECK(!watch_forget(&w));
	watch_close(&w);
	CHECK(!watch_forget(&w));
	folder_close(f);
}

TEST(what_is_no_entry_is_not_told)
{
	struct folder *f = folder_at("queue");
	struct watch w;
	int fd;

	watch_open(&w, f);
	fd = openat(f->fd, "stamp", O_WRONLY | O_CREAT, 0600);
	CHECK(fd != -1);
	close(fd);
	CHECK_INT(renameat(f->fd, "stamp", f->fd, "other"), 0);
	CHECK(!watch_forget(&w));
	watch_close(&w);
	folder_close(f);
}

TEST(all_is_removed)
{
	spooled_remove();
}

TEST_MAIN
