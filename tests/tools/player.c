/*
 * player: plays dialogues: the servers of a file against the command.
 *
 *	player [-j JOBS] [-t SECONDS] FILE.dlg...
 *
 * For each file it opens the servers on ephemeral loopback ports (or unix
 * sockets in a private folder), runs $SMTPSEND (./smtpsend) with the file's
 * arguments, serves the connections, and compares what the command left
 * behind.  Prints TAP in the order of the files, however many run side by
 * side.  The language: tests/dialogues/README.md.
 *
 * One loop and one poll for all: nothing sleeps.  A run that is not over
 * after -t seconds is killed with its process group and has failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/err.h"
#include "base/wait.h"
#include "smtp/dialogue.h"
#include "smtp/play.h"
#include "tests/tools/args.h"
#include "tests/tools/hosts.h"
#include "tests/tools/verdict.h"

#define OUTPUT_MAX (4u * 1024 * 1024)
/* After a kill, so long for the pieces to come in. */
#define GRACE_MS 2000

static const char default_message[] = "From: a@example.org\nTo: b@example.net\n"
				      "Date: Fri, 21 Nov 1997 09:55:06 -0600\n"
				      "Message-ID: <1@example.org>\n"
				      "Subject: test\n\nHello.\n";

struct run;

struct conn {
	struct play play;
	const struct host *host; /* borrowed */
	int fd; /* owned; -1: over */
	short events; /* to poll for */
	int64_t due; /* the next piece waits until then; 0: it does not */
};

/* An output of the command, until its end. */
struct capture {
	int fd; /* owned; -1: ended */
	struct buf *to; /* borrowed */
};

struct player {
	const char *program;
	size_t n, jobs;
	int64_t limit; /* ms a run may take */
	char folder[64]; /* of sockets; "" until one is needed */
	struct run *runs; /* owned: one a file */
	size_t next, printed, failed;
	struct watch *watches; /* owned */
	struct pollfd *fds; /* owned: one a watch */
	size_t nwatches, room;
};

/* One file. */
struct run {
	struct player *player;
	const char *file;
	struct dialogue *d; /* owned; NULL before and after */
	char *title; /* owned */
	struct host *hosts; /* owned */
	struct conn *conns; /* owned: as many as the file has */
	size_t nconns;
	pid_t pid; /* 0: not started */
	int pidfd; /* owned; -1: it has ended */
	int in; /* owned: the command's stdin; -1: all is written */
	size_t in_at;
	struct capture captures[2];
	struct result result;
	int64_t deadline;
	bool killed;
	bool over;
	struct buf why; /* owned: a line for each complaint */
};

/* Who wants to know of a descriptor. */
struct watch {
	struct run *run;
	void (*ready)(struct run *, void *what);
	void *what;
};

static void
complain(struct run *r, const char *what)
{
	buf_addf(&r->why, "%s\n", what);
}

/* --- connections ---------------------------------------------------------- */

/* Closed at once, so that the peer sees a reset. */
static void
reset(int fd)
{
	static const struct linger hard = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
}

static void
over(struct conn *c)
{
	close_fd(&c->fd);
	play_free(&c->play);
}

/* All that has come; the peer's end too, or with `all` the lack of more. */
static void
take_in(struct conn *c, bool all)
{
	char octets[65536];
	ssize_t n;

	n = recv(c->fd, octets, sizeof(octets), MSG_DONTWAIT);
	if (n > 0)
		play_feed(&c->play, octets, (size_t)n);
	else if (n == 0 || all || (errno != EAGAIN && errno != EINTR))
		play_end(&c->play);
	if (n > 0 && all)
		take_in(c, all);
}

/* True if the piece, or a part of it, is on its way. */
static bool
put_out(struct conn *c, const struct play_piece *piece)
{
	ssize_t n;

	if (piece->ms > 0 && c->due == 0)
		c->due = wait_now() + (int64_t)piece->ms;
	if (c->due > wait_now()) {
		c->events = POLLIN;
		return false;
	}
	n = send(c->fd, piece->octets, piece->n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
		c->events = POLLIN | POLLOUT;
		return false;
	}
	c->due = 0;
	if (n == -1)
		take_in(c, true); /* it has hung up: what were its words? */
	else
		play_sent(&c->play, (size_t)n);
	return true;
}

/* The script did not go as it should. */
static void
failed(struct run *r, const struct conn *c)
{
	if (c->host->server.name[0] != '\0')
		buf_addf(&r->why, "server %s: ", c->host->server.name);
	complain(r, play_why(&c->play));
}

/* The workers of the command, by /proc; no pid of anyone else can be there. */
static void
kill_workers(struct run *r)
{
	char path[64], list[4096];
	char *at = list, *end;
	long pid;
	ssize_t n;
	int fd;

	snprintf(
	    path, sizeof(path), "/proc/%d/task/%d/children", r->pid, r->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd == -1 ? -1 : read(fd, list, sizeof(list) - 1);
	close_fd(&fd);
	list[n < 0 ? 0 : n] = '\0';
	while ((pid = strtol(at, &end, 10)) > 0 && end > at) {
		kill((pid_t)pid, SIGKILL);
		at = end;
	}
}

static void
terminate(struct run *r)
{
	kill(r->pid, SIGTERM);
}

static const struct {
	const char *name;
	void (*fn)(struct run *);
} calls[] = {
	{ "kill-worker", kill_workers },
	{ "terminate", terminate },
};

static void
call(struct run *r, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, name) == 0) {
			calls[i].fn(r);
			return;
		}
	buf_addf(&r->why, "no such call: %s\n", name);
}

/* Do what the script says, until it has to wait for something. */
static void
drive(struct run *r, struct conn *c)
{
	struct play_piece piece;
	enum play_does does = PLAY_SEND;

	while (does == PLAY_SEND || does == PLAY_CALL) {
		does = play_next(&c->play, &piece);
		if (does == PLAY_SEND && !put_out(c, &piece))
			return;
		if (does == PLAY_CALL)
			call(r, piece.octets);
	}
	c->events = does == PLAY_DEAF ? POLLRDHUP : POLLIN;
	if (does == PLAY_WAIT || does == PLAY_DEAF)
		return;
	if (does == PLAY_FAILED)
		failed(r, c);
	if (does == PLAY_RESET)
		reset(c->fd);
	over(c);
}

static void
on_conn(struct run *r, void *what)
{
	struct conn *c = what;

	if (c->fd == -1)
		return;
	if (c->events == POLLRDHUP)
		play_end(&c->play);
	else
		take_in(c, false);
	drive(r, c);
}

static void
on_listener(struct run *r, void *what)
{
	struct host *h = what;
	struct conn *c;
	int one = 1, fd = -1;

	if (h->serves)
		fd = accept4(h->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd == -1)
		return;
	if (h->next == h->server.n) {
		buf_addf(&r->why,
		    "server %s: connection %zu was not expected\n",
		    h->server.name, h->next + 1);
		reset(fd);
		close(fd);
		return;
	}
	if (h->path == NULL)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c = &r->conns[r->nconns++];
	*c = (struct conn){ .host = h, .fd = fd, .events = POLLIN };
	play_init(&c->play, &h->server.connections[h->next++], &r->d->message,
	    SIDE_SERVER);
	drive(r, c);
}

/* --- the command ---------------------------------------------------------- */

/* stdin as a regular file, or a pipe whose other end is in r->in. */
static int
open_stdin(struct run *r)
{
	const char *form = field_text(r->d, "stdin");
	const struct buf *m = &r->d->message;
	int pair[2], fd;

	r->in = -1;
	if (form == NULL || strcmp(form, "file") != 0) {
		if (pipe2(pair, O_CLOEXEC) == -1)
			die("pipe");
		r->in = pair[1];
		fcntl(r->in, F_SETFL, O_NONBLOCK);
		return pair[0];
	}
	fd = memfd_create("message", MFD_CLOEXEC);
	if (fd == -1 || write(fd, buf_str(m), m->len) != (ssize_t)m->len ||
	    lseek(fd, 0, SEEK_SET) != 0)
		die("memfd_create");
	return fd;
}

static int
open_capture(struct capture *c, struct buf *to)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) == -1)
		die("pipe");
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	*c = (struct capture){ pair[0], to };
	return pair[1];
}

static void
spawn(struct run *r, char **argv)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t pipe_only;
	int fds[3], i, rc;

	fds[0] = open_stdin(r);
	fds[1] = open_capture(&r->captures[0], &r->result.out);
	fds[2] = open_capture(&r->captures[1], &r->result.err);
	posix_spawn_file_actions_init(&files);
	for (i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&files, fds[i], i);
	posix_spawnattr_init(&attr);
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &pipe_only);
	posix_spawnattr_setflags(
	    &attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(&r->pid, argv[0], &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	for (i = 0; i < 3; i++)
		close(fds[i]);
	errno = rc;
	if (rc != 0)
		die(argv[0]);
}

static void
on_stdin(struct run *r, void *what)
{
	const struct buf *m = &r->d->message;
	ssize_t n;

	(void)what;
	n = write(r->in, buf_str(m) + r->in_at, m->len - r->in_at);
	if (n == -1 && errno == EAGAIN)
		return;
	if (n == -1)
		complain(r, "the command did not read its input");
	else
		r->in_at += (size_t)n;
	if (n == -1 || r->in_at == m->len)
		close_fd(&r->in);
}

static void
on_output(struct run *r, void *what)
{
	struct capture *c = what;
	char octets[65536];
	ssize_t n = read(c->fd, octets, sizeof(octets));

	(void)r;
	if (n > 0)
		buf_add(c->to, octets, (size_t)n);
	else if (n == 0 || errno != EAGAIN)
		close_fd(&c->fd);
}

static void
on_exit_of(struct run *r, void *what)
{
	(void)what;
	if (waitpid(r->pid, &r->result.status, WNOHANG) == r->pid)
		close_fd(&r->pidfd);
}

/* --- a run ---------------------------------------------------------------- */

static int
read_file(struct run *r, struct buf *to)
{
	char octets[65536];
	ssize_t n = 1;
	int fd = open(r->file, O_RDONLY | O_CLOEXEC);

	while (fd != -1 && n > 0) {
		n = read(fd, octets, sizeof(octets));
		if (n > 0)
			buf_add(to, octets, (size_t)n);
	}
	if (fd == -1 || n == -1)
		buf_addf(&r->why, "%s\n", strerror(errno));
	close_fd(&fd);
	return r->why.len == 0 && buf_ok(to) ? 0 : -1;
}

static int
load(struct run *r)
{
	struct buf text;
	struct err e;
	const char *title;

	buf_init(&text, OUTPUT_MAX);
	if (read_file(r, &text) == 0) {
		r->d = dialogue_parse(buf_str(&text), text.len, &e);
		if (r->d == NULL)
			complain(r, e.text);
	}
	buf_free(&text);
	if (r->d == NULL)
		return -1;
	check_fields(r->d, &r->why);
	if (!r->d->has_message)
		buf_adds(&r->d->message, default_message);
	title = field_text(r->d, "title");
	r->title = strdup(title == NULL ? "" : title);
	return r->why.len > 0 ? -1 : 0;
}

/* Where the socket of server i would be; the folder is made when needed. */
static char *
unix_path(struct run *r, size_t i)
{
	struct player *p = r->player;
	char *path;

	if (strcmp(r->d->servers[i].form, "unix") != 0)
		return NULL;
	if (p->folder[0] == '\0') {
		snprintf(p->folder, sizeof(p->folder), "/tmp/player.XXXXXX");
		if (mkdtemp(p->folder) == NULL)
			die("mkdtemp");
	}
	if (asprintf(
		&path, "%s/%zu.%zu", p->folder, (size_t)(r - p->runs), i) == -1)
		die("asprintf");
	return path;
}

static int
open_hosts(struct run *r)
{
	size_t i, conns = 0;

	r->hosts = calloc(r->d->nservers + 1, sizeof(*r->hosts));
	for (i = 0; i < r->d->nservers; i++)
		conns += r->d->servers[i].n;
	r->conns = calloc(conns + 1, sizeof(*r->conns));
	if (r->hosts == NULL || r->conns == NULL)
		die("calloc");
	for (i = 0; i < r->d->nservers; i++)
		r->hosts[i] = (struct host){ .fd = -1, .fill = { -1, -1 } };
	for (i = 0; i < r->d->nservers; i++)
		if (host_open(&r->hosts[i], &r->d->servers[i], unix_path(r, i),
			&r->why) == -1)
			return -1;
	return 0;
}

static void
start(struct run *r)
{
	static char *argv[ARGS_MAX];
	size_t i;

	r->deadline = wait_now() + r->player->limit;
	r->in = r->pidfd = r->captures[0].fd = r->captures[1].fd = -1;
	buf_init(&r->why, VERDICT_MAX);
	buf_init(&r->result.out, OUTPUT_MAX);
	buf_init(&r->result.err, OUTPUT_MAX);
	if (load(r) == -1 || open_hosts(r) == -1)
		return;
	memset(argv, 0, sizeof(argv));
	argv[0] = strdup(r->player->program);
	arguments(r->d, r->hosts, argv, &r->why);
	if (r->why.len == 0) {
		spawn(r, argv);
		r->pidfd = pidfd_open(r->pid, 0);
	}
	for (i = 0; argv[i] != NULL; i++)
		free(argv[i]);
}

/* Connections that should have come. */
static void
check_connections(struct run *r)
{
	const struct dialogue_server *server;
	size_t i, j;

	for (i = 0; i < r->d->nservers; i++) {
		server = &r->d->servers[i];
		for (j = r->hosts[i].next; j < server->n; j++)
			if (!server->connections[j].optional)
				buf_addf(&r->why,
				    "server %s: connection %zu never came\n",
				    server->name, j + 1);
	}
}

static void
finish(struct run *r)
{
	size_t i;

	if (r->pid == 0 && r->why.len == 0)
		complain(r, "it was not run");
	if (r->pid > 0 && !r->killed) {
		verdict(r->d, &r->result, &r->why);
		check_connections(r);
	}
	for (i = 0; i < r->nconns; i++)
		over(&r->conns[i]);
	for (i = 0; r->hosts != NULL && i < r->d->nservers; i++)
		host_close(&r->hosts[i]);
	close_fd(&r->in);
	close_fd(&r->captures[0].fd);
	close_fd(&r->captures[1].fd);
	close_fd(&r->pidfd);
	free(r->hosts);
	free(r->conns);
	dialogue_free(r->d);
	buf_free(&r->result.out);
	r->over = true;
}

/* The command has ended, all its output is in, and every script is played. */
static bool
complete(struct run *r)
{
	size_t i;

	if (r->pid == 0)
		return true;
	if (r->pidfd != -1 || r->captures[0].fd != -1 ||
	    r->captures[1].fd != -1)
		return false;
	for (i = 0; i < r->d->nservers; i++)
		on_listener(r, &r->hosts[i]);
	for (i = 0; i < r->nconns; i++)
		if (r->conns[i].fd != -1)
			return false;
	return true;
}

/* Kill what hangs, and say where it stands; what does not die is left. */
static void
check_deadline(struct run *r, int64_t now)
{
	const struct conn *c;
	size_t i;

	if (r->over || now < r->deadline)
		return;
	if (r->killed || r->pid == 0) {
		complain(r, "it left a process or a connection behind");
		finish(r);
		return;
	}
	buf_addf(&r->why, "not over after %lld ms: %s\n",
	    (long long)r->player->limit,
	    r->pidfd == -1 ? "left something behind" : "killed");
	for (i = 0; i < r->nconns; i++) {
		c = &r->conns[i];
		if (c->fd != -1 && c->play.at < c->play.c->n)
			buf_addf(&r->why, "server %s stands at line %u\n",
			    c->host->server.name,
			    c->play.c->steps[c->play.at].line);
	}
	r->killed = true;
	r->deadline = now + GRACE_MS;
	if (r->pidfd != -1)
		kill(-r->pid, SIGKILL);
}

/* --- the loop ------------------------------------------------------------- */

static void
watch(struct run *r, int fd, short events, void (*ready)(struct run *, void *),
    void *what)
{
	struct player *p = r->player;

	if (fd == -1)
		return;
	if (p->nwatches == p->room) {
		p->room = p->room * 2 + 64;
		p->watches =
		    reallocarray(p->watches, p->room, sizeof(*p->watches));
		p->fds = reallocarray(p->fds, p->room, sizeof(*p->fds));
		if (p->watches == NULL || p->fds == NULL)
			die("realloc");
	}
	p->fds[p->nwatches] = (struct pollfd){ fd, events, 0 };
	p->watches[p->nwatches++] = (struct watch){ r, ready, what };
}

/* Put all of a run on the list; the earliest time it waits for. */
static int64_t
watch_run(struct run *r)
{
	int64_t until = r->deadline;
	struct conn *c;
	size_t i;

	for (i = 0; i < r->d->nservers; i++)
		if (r->hosts[i].serves)
			watch(r, r->hosts[i].fd, POLLIN, on_listener,
			    &r->hosts[i]);
	for (i = 0; i < r->nconns; i++) {
		c = &r->conns[i];
		watch(r, c->fd, c->events, on_conn, c);
		if (c->fd != -1 && c->due > 0 && c->due < until)
			until = c->due;
	}
	watch(r, r->in, POLLOUT, on_stdin, NULL);
	for (i = 0; i < 2; i++)
		watch(r, r->captures[i].fd, POLLIN, on_output, &r->captures[i]);
	watch(r, r->pidfd, POLLIN, on_exit_of, NULL);
	return until;
}

static void
dispatch(struct player *p)
{
	const struct watch *w;
	size_t i;

	for (i = 0; i < p->nwatches; i++) {
		w = &p->watches[i];
		if (p->fds[i].revents != 0)
			w->ready(w->run, w->what);
	}
}

/* What waited for a time that has come. */
static void
run_timers(struct run *r, int64_t now)
{
	size_t i;

	for (i = 0; i < r->nconns; i++)
		if (r->conns[i].fd != -1 && r->conns[i].due > 0 &&
		    r->conns[i].due <= now)
			drive(r, &r->conns[i]);
}

static void
print_lines(const char *before, const struct buf *b)
{
	const char *s = buf_str(b), *end = s + b->len, *lf;
	char line[1024];

	for (; s < end; s = lf + 1) {
		lf = memchr(s, '\n', (size_t)(end - s));
		if (lf == NULL)
			lf = end;
		enc_printable_str(line, sizeof(line), s, (size_t)(lf - s));
		printf("# %s%s\n", before, line);
	}
}

static void
print(struct run *r)
{
	bool ok = r->why.len == 0;

	printf("%sok %zu - %s: %s\n", ok ? "" : "not ",
	    (size_t)(r - r->player->runs) + 1, r->file,
	    r->title == NULL ? "" : r->title);
	if (!ok) {
		print_lines("", &r->why);
		print_lines("stderr: ", &r->result.err);
	}
	r->player->failed += !ok;
	buf_free(&r->why);
	buf_free(&r->result.err);
	free(r->title);
	fflush(stdout);
}

/* Start what may be started, end what has ended, print what is next. */
static size_t
shuffle(struct player *p)
{
	int64_t now = wait_now();
	size_t i, active = 0;
	struct run *r;

	for (i = p->printed; i < p->n && active < p->jobs; i++) {
		r = &p->runs[i];
		if (i == p->next) {
			p->next++;
			start(r);
		}
		if (!r->over && complete(r))
			finish(r);
		check_deadline(r, now);
		active += !r->over;
	}
	while (p->printed < p->next && p->runs[p->printed].over)
		print(&p->runs[p->printed++]);
	return active;
}

static void
play_all(struct player *p)
{
	int64_t now, until, next;
	size_t i;

	while (p->printed < p->n) {
		if (shuffle(p) == 0)
			continue;
		p->nwatches = 0;
		next = INT64_MAX;
		for (i = p->printed; i < p->next; i++) {
			until = p->runs[i].over ? INT64_MAX
						: watch_run(&p->runs[i]);
			next = until < next ? until : next;
		}
		if (wait_fds(NULL, p->fds, p->nwatches, next) == WAIT_ERROR)
			die("poll");
		dispatch(p);
		now = wait_now();
		for (i = p->printed; i < p->next; i++)
			if (!p->runs[i].over)
				run_timers(&p->runs[i], now);
	}
}

/* The command meets no file and no taste of whoever runs the tests. */
static void
clean_world(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
	setenv("HOME", "/nonexistent", 1);
	setenv("LC_ALL", "C", 1);
	unsetenv("XDG_CONFIG_HOME");
}

static size_t
number(const char *s)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10);

	if (n == 0 || n > 100000 || *end != '\0') {
		fprintf(stderr, "player: not a number: %s\n", s);
		exit(2);
	}
	return n;
}

int
main(int argc, char *argv[])
{
	struct player p = {
		.program = getenv("SMTPSEND"), .jobs = 16, .limit = 20000
	};
	size_t i;
	int c;

	while ((c = getopt(argc, argv, "j:t:")) != -1) {
		if (c == 'j')
			p.jobs = number(optarg);
		else if (c == 't')
			p.limit = (int64_t)number(optarg) * 1000;
		else
			return 2;
	}
	if (p.program == NULL)
		p.program = "./smtpsend";
	p.n = (size_t)(argc - optind);
	p.runs = calloc(p.n + 1, sizeof(*p.runs));
	if (p.runs == NULL)
		die("calloc");
	for (i = 0; i < p.n; i++)
		p.runs[i] =
		    (struct run){ .player = &p, .file = argv[optind + (int)i] };
	clean_world();
	printf("1..%zu\n", p.n);
	play_all(&p);
	if (p.folder[0] != '\0')
		rmdir(p.folder);
	free(p.runs);
	free(p.watches);
	free(p.fds);
	return p.failed > 0;
}
