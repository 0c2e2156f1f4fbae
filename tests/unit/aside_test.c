/*
 * aside: what a stranger or a sick disk leaves in the folder is told apart,
 * set aside, seen and removed, and harms nobody; who looks locks nothing.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "queue/aside.h"
#include "tests/unit/spooled.h"

static const char odd[] = "1kdvdna00000000";

static void
odd_symlink(struct folder *f, const char *id)
{
	CHECK_INT(symlinkat(id, f->fd, odd), 0);
}

static void
odd_hardlink(struct folder *f, const char *id)
{
	CHECK_INT(renameat(f->fd, id, f->fd, odd), 0);
	CHECK_INT(linkat(f->fd, odd, f->fd, "x", 0), 0);
}

/* As if it had been set aside already. */
static void
odd_aside(struct folder *f, const char *id)
{
	int broken = openat(f->fd, FOLDER_BROKEN, O_RDONLY | O_DIRECTORY);

	CHECK_INT(linkat(f->fd, id, broken, id, 0), 0);
	close(broken);
}

static void
odd_fifo(struct folder *f, const char *id)
{
	(void)id;
	CHECK_INT(mkfifoat(f->fd, odd, 0600), 0);
}

static void
odd_folder(struct folder *f, const char *id)
{
	(void)id;
	CHECK_INT(mkdirat(f->fd, odd, 0700), 0);
}

static void
odd_renamed(struct folder *f, const char *id)
{
	CHECK_INT(renameat(f->fd, id, f->fd, odd), 0);
}

static void
odd_empty(struct folder *f, const char *id)
{
	(void)id;
	close(openat(f->fd, odd, O_WRONLY | O_CREAT, 0600));
}

static void
odd_huge(struct folder *f, const char *id)
{
	int fd = openat(f->fd, odd, O_WRONLY | O_CREAT, 0600);

	(void)id;
	CHECK_INT(ftruncate(fd, (off_t)1 << 40), 0);
	close(fd);
}

/* Under its own name; octets that are no note behind it. */
static void
odd_tail(struct folder *f, const char *id)
{
	static char octets[70000] = { 1 };

	change(f, id, octets, sizeof octets, 0);
}

static void
odd_cut(struct folder *f, const char *id)
{
	change(f, id, "", 0, 1);
}

static void
odd_owner(struct folder *f, const char *id)
{
	if (geteuid() == 0)
		CHECK_INT(fchownat(f->fd, id, 12345, (gid_t)-1, 0), 0);
	else
		odd_cut(f, id);
}

/* The last one that was told of, and how many. */
struct told {
	struct aside last;
	int n;
};

static int
tell_aside(void *ctx, const struct aside *a)
{
	struct told *t = ctx;

	t->last = *a;
	t->n++;
	return 0;
}

/* It can be seen, and removed for good, whatever it is. */
static void
check_aside(struct folder *f, const char *id)
{
	struct told t = { .n = 0 };
	struct aside a;
	struct err e;

	CHECK_INT(aside_list(f, tell_aside, &t, &e), 0);
	CHECK_INT(t.n, 1);
	CHECK_STR(t.last.id, id);
	CHECK(strstr(t.last.why, id) != NULL);
	CHECK(aside_find(f, id, &a));
	CHECK_INT(aside_remove(f, id, &e), 0);
	CHECK_INT(aside_remove(f, id, &e), 1);
	CHECK(!aside_find(f, id, &a));
	t.n = 0;
	CHECK_INT(aside_list(f, tell_aside, &t, &e), 0);
	CHECK_INT(t.n, 0);
}

static void
check_odd(void (*make)(struct folder *, const char *), bool own_name)
{
	struct folder *f;
	char id[ENTRY_ID_SIZE], why[ENTRY_ID_SIZE + 16];
	struct spool_item *it;
	static int number;
	struct seen s;

	snprintf(why, sizeof why, "odd%d", number++);
	f = folder_at(why);
	put(f, id);
	make(f, id);
	s = list(f);
	CHECK_INT(s.bad, 1);
	CHECK_INT(get(f, own_name ? id : odd, &it), SPOOL_BROKEN);
	CHECK_INT(get(f, own_name ? id : odd, &it), SPOOL_GONE);
	CHECK_INT(list(f).bad, 0);
	snprintf(why, sizeof why, "broken/%s.why", own_name ? id : odd);
	CHECK_INT(faccessat(f->fd, why, R_OK, 0), 0);
	why[strlen(why) - 4] = '\0';
	CHECK_INT(faccessat(f->fd, why, F_OK, AT_SYMLINK_NOFOLLOW), 0);
	check_aside(f, own_name ? id : odd);
	CHECK_INT(faccessat(f->fd, why, F_OK, AT_SYMLINK_NOFOLLOW), -1);
	folder_close(f);
}

TEST(set_aside)
{
	check_odd(odd_symlink, false);
	check_odd(odd_hardlink, false);
	check_odd(odd_aside, true);
	check_odd(odd_fifo, false);
	check_odd(odd_folder, false);
	check_odd(odd_renamed, false);
	check_odd(odd_empty, false);
	check_odd(odd_huge, false);
	check_odd(odd_tail, true);
	check_odd(odd_cut, true);
	check_odd(odd_owner, true);
}

/* A person's name for it, and a reason that is none. */
TEST(aside_by_hand)
{
	struct folder *f = folder_at("hand");
	struct told t = { .n = 0 };
	struct err e;
	uint64_t off = 0;
	int fd;

	CHECK_INT(mkdirat(f->fd, "broken/x", 0700), 0);
	fd = openat(f->fd, "broken/1kdvdna00000000", O_WRONLY | O_CREAT, 0600);
	CHECK_INT(folder_write(fd, &off, "hello", 5), 0);
	close(fd);
	CHECK_INT(mkfifoat(f->fd, "broken/1kdvdna00000000.why", 0600), 0);
	CHECK_INT(aside_list(f, tell_aside, &t, &e), 0);
	CHECK_INT(t.n, 1);
	CHECK_INT(t.last.size, 5);
	CHECK_STR(t.last.why, "");
	CHECK_INT(aside_remove(f, "x", &e), 1);
	CHECK_INT(aside_remove(f, "../broken/x", &e), 1);
	CHECK_INT(unlinkat(f->fd, "broken/1kdvdna00000000.why", 0), 0);
	fd = openat(
	    f->fd, "broken/1kdvdna00000000.why", O_WRONLY | O_CREAT, 0600);
	off = 0;
	CHECK_INT(folder_write(fd, &off, "a\033[1m\xff\nb\n", 9), 0);
	close(fd);
	CHECK_INT(aside_list(f, tell_aside, &t, &e), 0);
	CHECK_STR(t.last.why, "a\\x1B[1m\\xFF");
	folder_close(f);
}

static int
note_busy(void *ctx, const struct entry *en, const struct err *why)
{
	*(int *)ctx = why != NULL ? -1 : en->busy;
	return 7;
}

/* Whoever looks sees who tries it, and is seen by nobody. */
TEST(look_does_not_lock)
{
	struct folder *f = folder_at("look");
	struct spool_item *it;
	char id[ENTRY_ID_SIZE];
	int busy = -2;

	put(f, id);
	CHECK_INT(spool_look(f, id, &queued_now, note_busy, &busy), 7);
	CHECK_INT(busy, 0);
	CHECK_INT(get(f, id, &it), SPOOL_LOCKED);
	CHECK_INT(spool_look(f, id, &queued_now, note_busy, &busy), 7);
	CHECK_INT(busy, 1);
	CHECK_INT(fchmodat(f->fd, id, 0400, 0), 0);
	CHECK_INT(spool_look(f, id, &queued_now, note_busy, &busy), 7);
	CHECK_INT(busy, 1);
	spool_unlock(it);
	CHECK_INT(spool_look(f, id, &queued_now, note_busy, &busy), 7);
	CHECK_INT(busy, 0);
	busy = -2;
	CHECK_INT(spool_look(f, odd, &queued_now, note_busy, &busy), 0);
	CHECK_INT(spool_look(f, "broken", &queued_now, note_busy, &busy), 0);
	CHECK_INT(busy, -2);
	folder_close(f);
}

TEST(no_ids)
{
	struct folder *f = folder_at("ids");
	struct spool_item *it;

	CHECK_INT(get(f, "broken", &it), SPOOL_GONE);
	CHECK_INT(get(f, "../../../etc/x", &it), SPOOL_GONE);
	CHECK_INT(get(f, "1kdvdna00000000", &it), SPOOL_GONE);
	folder_close(f);
}

TEST(all_is_removed)
{
	spooled_remove();
}

int
main(void)
{
	return mkdtemp(dir) == NULL ? 1 : test_run_all();
}
