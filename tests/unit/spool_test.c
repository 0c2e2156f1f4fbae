/*
 * spool, folder: messages outlive the process, locks do not; what a death or
 * a stranger leaves in the folder is told apart and harms nobody.
 */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "queue/folder.h"
#include "queue/spool.h"
#include "tests/unit/spooled.h"

static const size_t first[] = { 0 };

/* The names in the folder but for `broken`, and those in there. */
static int
names(const struct folder *f)
{
	char command[512], line[32] = "";
	int fd[2], n = 0;
	ssize_t got;

	snprintf(command, sizeof command,
	    "find %s -mindepth 1 ! -path %s/broken | wc -l", f->path, f->path);
	if (pipe(fd) == -1)
		abort();
	if (fork() == 0) {
		dup2(fd[1], 1);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(1);
	}
	close(fd[1]);
	while ((got = read(fd[0], line + n, sizeof line - 1 - (size_t)n)) > 0)
		n += (int)got;
	close(fd[0]);
	wait(NULL);
	return (int)strtol(line, NULL, 10);
}

static void
remove_all(struct folder *f, const char *id)
{
	struct spool_item *it;
	struct err e;

	CHECK_INT(get(f, id, &it), SPOOL_LOCKED);
	if (it != NULL)
		CHECK_INT(spool_remove(it, &e), 0);
	spool_unlock(it);
}

TEST(message_stays_as_it_was)
{
	static const char *const texts[] = { TEXT, "", "\n", "\n\n", "x",
		"Subject: hi\n", "Subject: hi\n\n", "no header\nat all\n",
		"Subject: hi\r\nTo: b\r\n c\r\n\r\nx\r\n" };
	struct folder *f = folder_at("texts");
	char id[ENTRY_ID_SIZE];
	struct spool_item *it;
	struct message m, again;
	struct err e;
	struct buf b;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		CHECK_INT(put_text(f, texts[i], 1, id, &e), 0);
		CHECK_INT(get(f, id, &it), SPOOL_LOCKED);
		buf_init(&b, 1000);
		buf_adds(&b, texts[i]);
		CHECK_INT(message_open(&m, queued_octets(&b), &e), 0);
		CHECK_INT(spool_message(it, &again, &e), 0);
		CHECK_MEM(buf_str(&m.header), m.header.len,
		    buf_str(&again.header), again.header.len);
		CHECK_INT(m.has_body, again.has_body);
		CHECK_INT(m.body_size, again.body_size);
		CHECK_INT(m.octets.size - m.body_off,
		    again.octets.size - again.body_off);
		message_free(&m);
		message_free(&again);
		buf_free(&b);
		CHECK_INT(spool_remove(it, &e), 0);
		spool_unlock(it);
	}
	CHECK_INT(names(f), 0);
	folder_close(f);
}

/* Larger than any block, and with a journal behind it. */
TEST(large_message)
{
	const size_t n = 300000;
	struct folder *f = folder_at("large");
	char id[ENTRY_ID_SIZE], *text = malloc(n + 1), *got = malloc(n);
	struct spool_item *it;
	struct octets o;
	struct err e;
	uint64_t off = 0;
	long r;

	if (text == NULL || got == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		text[i] = (char)(i % 61 == 60 ? '\n' : 'a' + i % 23);
	text[0] = '\n';
	text[n] = '\0';
	CHECK_INT(put_text(f, text, 1, id, &e), 0);
	CHECK_INT(get(f, id, &it), SPOOL_LOCKED);
	CHECK_INT(spool_note_try(it, 5, 1, &e), 0);
	o = spool_octets(it);
	CHECK_INT(o.size, n);
	while (off < n && (r = o.read(o.ctx, off, got + off, n, &e)) > 0)
		off += (uint64_t)r;
	CHECK_MEM(got, n, text, n);
	CHECK_INT(o.read(o.ctx, n, got, 1, &e), 0);
	spool_unlock(it);
	remove_all(f, id);
	free(text);
	free(got);
	folder_close(f);
}

TEST(list_is_sorted_and_whole)
{
	struct folder *f = folder_at("list");
	char id[3][ENTRY_ID_SIZE];
	struct spool_item *it;
	struct seen s;

	CHECK_INT(list(f).good, 0);
	for (size_t i = 0; i < 3; i++)
		put(f, id[i]);
	/* Who looks needs no lock. */
	CHECK_INT(get(f, id[1], &it), SPOOL_LOCKED);
	s = list(f);
	CHECK_INT(s.good, 3);
	CHECK_INT(s.bad, 0);
	CHECK(s.sorted);
	spool_unlock(it);
	for (size_t i = 0; i < 3; i++)
		remove_all(f, id[i]);
	CHECK_INT(list(f).good, 0);
	folder_close(f);
}

TEST(modes)
{
	struct folder *f = folder_at("a/b/c//");
	char id[ENTRY_ID_SIZE];
	struct stat st;

	put(f, id);
	CHECK_INT(fstat(f->fd, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0700);
	CHECK_INT(fstatat(f->fd, id, &st, 0), 0);
	CHECK_INT(st.st_mode & 07777, 0600);
	CHECK_INT(fstatat(f->fd, FOLDER_BROKEN, &st, 0), 0);
	CHECK_INT(st.st_mode & 07777, 0700);
	folder_close(f);
}

TEST(folders_that_are_not_taken)
{
	struct folder_config c = { .make = false };
	struct folder *f;
	char path[128], to[128];
	struct err e;

	snprintf(path, sizeof path, "%s/none", dir);
	c.path = path;
	CHECK_INT(folder_open(&f, &c, &e), 1);
	CHECK(f == NULL);
	c.make = true;
	CHECK_INT(mkdir(path, 0777), 0);
	CHECK_INT(chmod(path, 0770), 0);
	CHECK_INT(folder_open(&f, &c, &e), -1);
	CHECK_INT(err_exit(&e), 71);
	CHECK(strstr(e.text, "chmod 700") != NULL);
	CHECK_INT(chmod(path, 0700), 0);
	snprintf(to, sizeof to, "%s/link", dir);
	CHECK_INT(symlink(path, to), 0);
	c.path = to;
	CHECK_INT(folder_open(&f, &c, &e), -1);
	CHECK_INT(err_exit(&e), 71);
	snprintf(to, sizeof to, "%s/link/", dir);
	CHECK_INT(folder_open(&f, &c, &e), -1);
	c.path = "/dev/null/x";
	CHECK_INT(folder_open(&f, &c, &e), -1);
	CHECK_INT(err_exit(&e), 71);
	if (geteuid() == 0) {
		c.path = path;
		CHECK_INT(chown(path, 12345, (gid_t)-1), 0);
		CHECK_INT(folder_open(&f, &c, &e), -1);
		CHECK(strstr(e.text, "user 12345: chown -R 0 ") != NULL);
	}
}

/* As systemd-tmpfiles makes it. */
static void
make_in(char path[128])
{
	snprintf(path, 128, "%s/system", dir);
	CHECK_INT(mkdir(path, 0755), 0);
	snprintf(path, 128, "%s/system/in", dir);
	CHECK_INT(mkdir(path, 0700), 0);
	if (geteuid() == 0)
		CHECK_INT(chown(path, 0, 12345), 0);
	CHECK_INT(chmod(path, FOLDER_IN_MODE), 0);
}

/* Its group can read what is put there, whatever the umask is. */
TEST(added_to_the_systems_folder)
{
	struct folder_config c = {
		.kind = FOLDER_ADD, .make = true, .draw = draw
	};
	mode_t mask = umask(0777);
	struct folder *f;
	struct stat st, in;
	char path[128], id[ENTRY_ID_SIZE];
	struct err e;

	umask(022);
	make_in(path);
	umask(0777);
	c.path = path;
	CHECK_INT(folder_open(&f, &c, &e), 0);
	put(f, id);
	umask(mask);
	CHECK_INT(stat(path, &in), 0);
	CHECK_INT(fstatat(f->fd, id, &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK_INT(st.st_mode & 07777, 0640);
	CHECK_INT(st.st_gid, in.st_gid);
	CHECK_INT(unlinkat(f->fd, id, 0), 0);
	/* It is all that was left there. */
	CHECK_INT(rmdir(path), 0);
	folder_close(f);
	*strrchr(path, '/') = '\0';
	CHECK_INT(rmdir(path), 0);
}

/* What no intake takes is refused for good, before it is read. */
TEST(too_large_for_the_systems_folder)
{
	struct folder_config c = { .kind = FOLDER_ADD, .draw = draw };
	struct message m = { .octets = { .size = ENTRY_IN_MAX } };
	struct envelope env;
	struct entry_new new = { .env = &env };
	char path[128], id[ENTRY_ID_SIZE];
	struct folder *f;
	struct err e;

	make_in(path);
	c.path = path;
	CHECK_INT(folder_open(&f, &c, &e), 0);
	queued_envelope(&env, 1);
	CHECK_INT(spool_put(f, &new, &m, &queued_now, id, &e), -1);
	CHECK_INT(e.verdict, ERR_PERM);
	CHECK_INT(err_exit(&e), 65);
	CHECK_INT(names(f), 0);
	envelope_free(&env);
	folder_close(f);
	CHECK_INT(rmdir(path), 0);
	*strrchr(path, '/') = '\0';
	CHECK_INT(rmdir(path), 0);
}

TEST(systems_folders_that_are_not_taken)
{
	static const struct {
		mode_t mode, above;
		const char *says;
	} rows[] = {
		{ 01733, 0755, "has mode 1733: do chmod 3733" },
		{ 02733, 0755, "has mode 2733" },
		{ 03777, 0755, "has mode 3777" },
		{ 03733, 0775, "the folder above" },
		{ 03733, 0757, "the folder above" },
	};
	struct folder_config c = { .kind = FOLDER_ADD };
	struct folder *f;
	char path[128], above[128];
	struct err e;

	make_in(path);
	snprintf(above, sizeof above, "%s/system", dir);
	c.path = path;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CHECK_INT(chmod(path, rows[i].mode), 0);
		CHECK_INT(chmod(above, rows[i].above), 0);
		CHECK_INT(folder_open(&f, &c, &e), -1);
		CHECK_INT(err_exit(&e), 71);
		CHECK(strstr(e.text, rows[i].says) != NULL);
	}
	CHECK_INT(chmod(above, 0755), 0);
	c.kind = FOLDER_TAKE;
	CHECK_INT(folder_open(&f, &c, &e), 0);
	folder_close(f);
	if (geteuid() == 0) {
		CHECK_INT(chown(above, 12345, (gid_t)-1), 0);
		CHECK_INT(folder_open(&f, &c, &e), -1);
		CHECK(strstr(e.text, "user 0: chown 12345 ") != NULL);
		CHECK_INT(chown(path, 12345, (gid_t)-1), 0);
		CHECK_INT(chmod(path, FOLDER_IN_MODE), 0);
		CHECK_INT(folder_open(&f, &c, &e), -1);
		CHECK(strstr(e.text, "user 12345: chown 0 ") != NULL);
	}
	CHECK_INT(rmdir(path), 0);
	c.make = true;
	CHECK_INT(folder_open(&f, &c, &e), 1);
	CHECK_INT(rmdir(above), 0);
}

/* Its maker died before it was done. */
TEST(folder_is_made_to_the_end)
{
	char path[128];
	struct folder *f;
	struct stat st;

	snprintf(path, sizeof path, "%s/half", dir);
	CHECK_INT(mkdir(path, 0700), 0);
	f = folder_at("half");
	CHECK_INT(fstatat(f->fd, FOLDER_BROKEN, &st, 0), 0);
	folder_close(f);
}

TEST(notes_last)
{
	struct folder *f = folder_at("notes");
	struct outcome o = queued_outcome(ERR_OK, "taken");
	static const size_t second[] = { 1 }, none[] = { 2 };
	char id[ENTRY_ID_SIZE];
	struct spool_item *it;
	struct entry *en;
	struct err e;

	put(f, id);
	CHECK_INT(get(f, id, &it), SPOOL_LOCKED);
	CHECK_INT(spool_note_final(it, first, 1, &e), 0);
	CHECK_INT(spool_note_outcome(it, first, 1, &o, 77, &e), 0);
	CHECK_INT(spool_note_final(it, second, 1, &e), 0);
	CHECK_INT(spool_note_try(it, 1234, 3, &e), 0);
	CHECK_INT(spool_note_hold(it, true, &e), 0);
	CHECK_INT(spool_note_final(it, none, 1, &e), -1);
	spool_unlock(it);
	CHECK_INT(get(f, id, &it), SPOOL_LOCKED);
	en = spool_entry(it);
	CHECK_INT(en->env.rcpts[0].outcome.state, OUTCOME_DELIVERED);
	CHECK_INT(en->rcpts[0].when, 77);
	CHECK_INT(entry_open(en), 1);
	CHECK(en->rcpts[1].doubt);
	CHECK_INT(en->next_try, 1234);
	CHECK_INT(en->tries, 3);
	CHECK(en->hold);
	spool_unlock(it);
	remove_all(f, id);
	folder_close(f);
}

/* ---- what a death leaves ---- */

TEST(torn_note_is_cut_off)
{
	struct folder *f = folder_at("torn");
	char id[ENTRY_ID_SIZE];
	struct spool_item *it;
	struct outcome o = queued_outcome(ERR_OK, "taken");
	struct err e;

	put(f, id);
	CHECK_INT(get(f, id, &it), SPOOL_LOCKED);
	CHECK_INT(spool_note_try(it, 1, 1, &e), 0);
	CHECK_INT(spool_note_outcome(it, first, 1, &o, 2, &e), 0);
	spool_unlock(it);
	change(f, id, "", 0, 3);
	CHECK_INT(list(f).good, 1);
	CHECK_INT(get(f, id, &it), SPOOL_LOCKED);
	CHECK_INT(spool_entry(it)->tries, 1);
	CHECK_INT(entry_open(spool_entry(it)), 2);
	/* Shorter than what was there. */
	CHECK_INT(spool_note_try(it, 3, 3, &e), 0);
	spool_unlock(it);
	CHECK_INT(get(f, id, &it), SPOOL_LOCKED);
	CHECK_INT(spool_entry(it)->tries, 3);
	CHECK(!spool_entry(it)->torn);
	spool_unlock(it);
	remove_all(f, id);
	folder_close(f);
}

TEST(sweep_takes_the_dead_only)
{
	struct folder *f = folder_at("sweep");
	struct err e;
	char id[ENTRY_ID_SIZE];
	int fd = openat(f->fd, "1kdvdna00000000.tmp", O_RDWR | O_CREAT, 0600);

	close(openat(f->fd, "1kdvdna00000001.tmp", O_RDWR | O_CREAT, 0600));
	close(openat(f->fd, "other.tmp", O_RDWR | O_CREAT, 0600));
	CHECK_INT(symlinkat("/dev/null", f->fd, "1kdvdna00000002.tmp"), 0);
	put(f, id);
	CHECK_INT(folder_lock(fd), 0);
	CHECK_INT(names(f), 5);
	CHECK_INT(spool_sweep(f, &e), 0);
	CHECK_INT(names(f), 4);
	CHECK_INT(faccessat(f->fd, "1kdvdna00000000.tmp", F_OK, 0), 0);
	close(fd);
	CHECK_INT(spool_sweep(f, &e), 0);
	CHECK_INT(names(f), 3);
	CHECK_INT(list(f).good, 1);
	folder_close(f);
}

TEST(full_disk)
{
	struct rlimit was, small;
	struct folder *f = folder_at("full");
	char id[ENTRY_ID_SIZE], none[ENTRY_ID_SIZE] = "x";
	struct spool_item *it;
	struct sigaction ign = { .sa_handler = SIG_IGN }, old;
	struct err e;
	struct stat st;

	put(f, id);
	CHECK_INT(get(f, id, &it), SPOOL_LOCKED);
	CHECK_INT(fstatat(f->fd, id, &st, 0), 0);
	sigaction(SIGXFSZ, &ign, &old);
	getrlimit(RLIMIT_FSIZE, &was);
	small = was;
	small.rlim_cur = (rlim_t)st.st_size + 20;
	setrlimit(RLIMIT_FSIZE, &small);
	CHECK_INT(spool_note_try(it, 2, 2, &e), -1);
	CHECK_INT(err_exit(&e), 71);
	/* Not even with room: what is there is not known. */
	setrlimit(RLIMIT_FSIZE, &was);
	CHECK_INT(spool_note_try(it, 2, 2, &e), -1);
	spool_unlock(it);
	small.rlim_cur = 100;
	setrlimit(RLIMIT_FSIZE, &small);
	CHECK_INT(put_text(f, TEXT, 1, none, &e), -1);
	setrlimit(RLIMIT_FSIZE, &was);
	sigaction(SIGXFSZ, &old, NULL);
	CHECK_INT(err_exit(&e), 71);
	CHECK_STR(none, "");
	CHECK_INT(names(f), 1);
	CHECK_INT(get(f, id, &it), SPOOL_LOCKED);
	CHECK_INT(spool_entry(it)->tries, 0);
	CHECK_INT(spool_note_try(it, 2, 2, &e), 0);
	spool_unlock(it);
	folder_close(f);
}

static long
read_short(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	(void)ctx;
	if (off >= 10)
		return err_set(e, ERR_TEMP, ERR_INPUT, "it changed");
	memset(to, 'x', n < 5 ? n : 5);
	return n < 5 ? (long)n : 5;
}

static long
read_long(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	(void)ctx, (void)e;
	if (off >= 25)
		return 0;
	memset(to, 'x', n < 5 ? n : 5);
	return n < 5 ? (long)n : 5;
}

TEST(input_that_changes)
{
	struct folder *f = folder_at("input");
	struct envelope env;
	struct entry_new new = { .env = &env };
	struct message m = { .octets = { read_short, NULL, 20 } };
	char id[ENTRY_ID_SIZE];
	struct err e;

	queued_envelope(&env, 1);
	CHECK_INT(spool_put(f, &new, &m, &queued_now, id, &e), -1);
	CHECK_STR(e.text, "it changed");
	m.octets.read = read_long;
	CHECK_INT(spool_put(f, &new, &m, &queued_now, id, &e), -1);
	CHECK_INT(err_exit(&e), 71);
	/* Nobody to send it to. */
	envelope_free(&env);
	queued_envelope(&env, 0);
	m.octets.size = 25;
	CHECK_INT(spool_put(f, &new, &m, &queued_now, id, &e), -1);
	CHECK_INT(names(f), 0);
	envelope_free(&env);
	folder_close(f);
}

TEST(id_by_hand)
{
	struct folder *f = folder_at("named");
	struct octets text = { .read = read_long, .size = 25 };
	struct message m = { .octets = text };
	struct envelope env;
	struct entry_new new = { .env = &env };
	char id[ENTRY_ID_SIZE], mine[ENTRY_ID_SIZE];
	struct err e;

	queued_envelope(&env, 1);
	entry_id(mine, queued_now.wall - 5, 77);
	new.id = mine;
	CHECK_INT(spool_put(f, &new, &m, &queued_now, id, &e), 0);
	CHECK_STR(id, mine);
	/* It is in the message: no other one will do. */
	CHECK_INT(spool_put(f, &new, &m, &queued_now, id, &e), -1);
	CHECK_INT(err_exit(&e), 71);
	CHECK_STR(id, "");
	CHECK_INT(names(f), 1);
	envelope_free(&env);
	folder_close(f);
}

/* ---- several processes ---- */

TEST(lock_dies_with_its_process)
{
	struct folder *f = folder_at("dies");
	char id[ENTRY_ID_SIZE], c = 0;
	struct spool_item *it;
	int p[2];
	pid_t pid;

	put(f, id);
	if (pipe(p) == -1)
		abort();
	pid = fork();
	if (pid == 0) {
		if (get(f, id, &it) == SPOOL_LOCKED && write(p[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	CHECK_INT(read(p[0], &c, 1), 1);
	CHECK_INT(get(f, id, &it), SPOOL_BUSY);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK_INT(get(f, id, &it), SPOOL_LOCKED);
	spool_unlock(it);
	close(p[0]);
	close(p[1]);
	folder_close(f);
}

/* What a forked worker has open is still being sent. */
TEST(lock_lives_with_a_worker)
{
	struct folder *f = folder_at("worker");
	char id[ENTRY_ID_SIZE];
	struct spool_item *it;
	int p[2];
	char c;
	pid_t pid;

	put(f, id);
	CHECK_INT(get(f, id, &it), SPOOL_LOCKED);
	if (pipe(p) == -1)
		abort();
	pid = fork();
	if (pid == 0) {
		close(p[1]);
		_exit(read(p[0], &c, 1) != 0);
	}
	close(p[0]);
	spool_unlock(it);
	CHECK_INT(get(f, id, &it), SPOOL_BUSY);
	close(p[1]);
	waitpid(pid, NULL, 0);
	CHECK_INT(get(f, id, &it), SPOOL_LOCKED);
	spool_unlock(it);
	folder_close(f);
}

#define RACERS 4
#define MESSAGES 25

/* Take what can be had; tell how many, by the exit status. */
static int
race(struct folder *f, char (*ids)[ENTRY_ID_SIZE])
{
	struct spool_item *it;
	struct err e;
	int taken = 0;

	for (size_t i = 0; i < MESSAGES; i++) {
		if (get(f, ids[i], &it) != SPOOL_LOCKED)
			continue;
		taken += spool_note_hold(it, true, &e) == 0 &&
		    spool_remove(it, &e) == 0;
		spool_unlock(it);
	}
	return taken;
}

TEST(each_is_taken_once)
{
	struct folder *f = folder_at("race");
	char ids[MESSAGES][ENTRY_ID_SIZE], c;
	int status, sum = 0, p[2];

	for (size_t i = 0; i < MESSAGES; i++)
		put(f, ids[i]);
	if (pipe(p) == -1)
		abort();
	for (int i = 0; i < RACERS; i++)
		if (fork() == 0) {
			close(p[1]);
			_exit(read(p[0], &c, 1) == 0 ? race(f, ids) : 100);
		}
	close(p[0]);
	close(p[1]);
	for (int i = 0; i < RACERS; i++) {
		wait(&status);
		CHECK(WIFEXITED(status));
		sum += WEXITSTATUS(status);
	}
	CHECK_INT(sum, MESSAGES);
	CHECK_INT(names(f), 0);
	folder_close(f);
}

/* The same moment and the same randomness in several processes. */
TEST(names_are_had_once)
{
	struct folder *f = folder_at("names");
	char id[ENTRY_ID_SIZE];
	struct err e;
	int status;

	fflush(stdout);
	for (int i = 0; i < RACERS; i++)
		if (fork() == 0) {
			for (int k = 0; k < 5; k++)
				if (put_text(f, TEXT, 1, id, &e) == -1)
					_exit(1);
			_exit(0);
		}
	for (int i = 0; i < RACERS; i++) {
		wait(&status);
		CHECK_INT(status, 0);
	}
	CHECK_INT(names(f), RACERS * 5);
	CHECK_INT(list(f).good, RACERS * 5);
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
