/*
 * dial: endpoints as text, the order of attempts, and races on loopback.
 * A listener whose queue is full plays the dead address: its SYNs get no
 * answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "net/dial.h"
#include "test.h"

#define SPLIT_MAX 32

struct split {
	char host[SPLIT_MAX];
	unsigned port;
	bool bracketed;
	int ret;
};

static struct split
split(const char *s)
{
	struct split r = { .port = 25 };

	r.ret = endpoint_split(
	    s, strlen(s), r.host, sizeof(r.host), &r.port, &r.bracketed);
	return r;
}

static void
check_split(const char *s, const char *host, unsigned port, bool bracketed)
{
	struct split r = split(s);

	CHECK_INT(r.ret, 0);
	CHECK_STR(r.host, host);
	CHECK_INT(r.port, port);
	CHECK_INT(r.bracketed, bracketed);
}

TEST(hosts_and_ports_come_apart)
{
	check_split("example.org", "example.org", 25, false);
	check_split("example.org:587", "example.org", 587, false);
	check_split("192.0.2.1:1", "192.0.2.1", 1, false);
	check_split("192.0.2.1:65535", "192.0.2.1", 65535, false);
	check_split("[192.0.2.1]", "192.0.2.1", 25, true);
	check_split("[2001:db8::1]:24", "2001:db8::1", 24, true);
	check_split("2001:db8::1", "2001:db8::1", 25, false);
	check_split("::1", "::1", 25, false);
}

TEST(what_is_no_host_and_port)
{
	static const char *const bad[] = { "", ":25", "a:", "a:0", "a:65536",
		"a:99999999999", "a:2x", "a: 25", "a:+25", "[::1", "[]",
		"[]:25", "[::1]25", "[::1]:", "[::1]:x",
		"abcdefghijklmnopqrstuvwxyz0123456789:25" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (split(bad[i]).ret != -1) {
			printf("# %s\n", bad[i]);
			CHECK(!"taken");
		}
}

TEST(addresses_of_this_machine)
{
	static const struct {
		const char *ip;
		bool loopback;
	} rows[] = {
		{ "127.0.0.1", true },
		{ "127.255.0.9", true },
		{ "126.0.0.1", false },
		{ "0.0.0.0", false },
		{ "10.0.0.1", false },
		{ "::1", true },
		{ "::", false },
		{ "fe80::1", false },
		{ "::ffff:127.0.0.1", true },
		{ "::ffff:10.0.0.1", false },
	};
	struct endpoint ep;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CHECK_INT(endpoint_ip(&ep, rows[i].ip, 25), 0);
		CHECK_INT(endpoint_is_loopback(&ep), rows[i].loopback);
	}
	CHECK_INT(endpoint_unix(&ep, "/run/x"), 0);
	CHECK(endpoint_is_loopback(&ep));
	ep.u.sa.sa_family = AF_VSOCK;
	CHECK(!endpoint_is_loopback(&ep));
}

TEST(addresses_as_text)
{
	struct endpoint ep;
	char text[64], path[200];

	CHECK_INT(endpoint_ip(&ep, "192.0.2.1", 25), 0);
	CHECK_STR(endpoint_text(&ep, text, sizeof(text)), "192.0.2.1");
	CHECK_INT(endpoint_port(&ep), 25);
	CHECK_INT(endpoint_ip(&ep, "2001:DB8:0::1", 587), 0);
	CHECK_STR(endpoint_text(&ep, text, sizeof(text)), "2001:db8::1");
	CHECK_INT(endpoint_port(&ep), 587);
	CHECK_INT(endpoint_unix(&ep, "/run/lmtp"), 0);
	CHECK_STR(endpoint_text(&ep, text, sizeof(text)), "/run/lmtp");
	CHECK_INT(endpoint_port(&ep), 0);
	CHECK_STR(endpoint_text(&ep, text, 5), "/run");
	memset(path, 'x', sizeof(path));
	path[108] = '\0';
	CHECK_INT(endpoint_unix(&ep, path), -1);
	path[107] = '\0';
	CHECK_INT(endpoint_unix(&ep, path), 0);
	CHECK_INT(endpoint_unix(&ep, ""), -1);
}

TEST(what_is_no_address)
{
	static const char *const bad[] = { "", "1", "1.2.3", "1.2.3.4.5",
		"256.1.1.1", "192.0.2.1 ", "example.org", "::g", "[::1]",
		"fe80::1%nosuchif",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb" };
	struct endpoint ep;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_INT(endpoint_ip(&ep, bad[i], 25), -1);
}

TEST(a_scope_is_kept)
{
	struct endpoint ep;
	char text[64];

	CHECK_INT(endpoint_ip(&ep, "fe80::1%lo", 25), 0);
	CHECK(strncmp(endpoint_text(&ep, text, sizeof(text)), "fe80::1%", 8) ==
	    0);
}

/* --- races --------------------------------------------------------------- */

/* A port of loopback, as an endpoint. */
struct listener {
	struct endpoint at;
	int fd;
	int fill[4]; /* connections that fill its queue */
};

static void
listen_at(struct listener *l, const char *ip, unsigned port, int backlog)
{
	*l = (struct listener){ .fill = { -1, -1, -1, -1 } };
	CHECK_INT(endpoint_ip(&l->at, ip, port), 0);
	l->fd = socket(l->at.u.sa.sa_family, SOCK_STREAM, 0);
	CHECK_INT(bind(l->fd, &l->at.u.sa, l->at.len), 0);
	CHECK_INT(getsockname(l->fd, &l->at.u.sa, &l->at.len), 0);
	if (backlog >= 0)
		CHECK_INT(listen(l->fd, backlog), 0);
}

/* One that answers no SYN: its queue is full. */
static void
listen_deaf(struct listener *l)
{
	size_t i;

	listen_at(l, "127.0.0.1", 0, 0);
	for (i = 0; i < 4; i++) {
		l->fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(l->fill[i], &l->at.u.sa, l->at.len);
	}
}

static void
listen_close(struct listener *l)
{
	size_t i;

	for (i = 0; i < 4; i++)
		if (l->fill[i] != -1)
			close(l->fill[i]);
	close(l->fd);
}

/* What on_failed said, in order. */
struct failures {
	size_t i[8];
	struct err e[8];
	size_t n;
};

static void
on_failed(void *ctx, size_t i, const struct err *e)
{
	struct failures *f = ctx;

	f->i[f->n] = i;
	f->e[f->n++] = *e;
}

static struct dial
dialer(struct failures *f)
{
	f->n = 0;
	return (struct dial){
		.timeout = 60 * 1000,
		.on_failed = on_failed,
		.ctx = f,
	};
}

TEST(one_address_that_answers)
{
	struct listener l;
	struct failures f;
	struct dial d = dialer(&f);
	struct candidate c = { .host = 0 };
	socklen_t len = sizeof(int);
	int fd, on = 0;
	struct err e;

	listen_at(&l, "127.0.0.1", 0, 5);
	c.to = l.at;
	CHECK_INT(dial(&d, &c, 1, &fd, &e), 0);
	CHECK(!c.dead);
	CHECK_INT(f.n, 0);
	CHECK_INT(e.verdict, ERR_OK);
	CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len);
	CHECK(on != 0);
	close(fd);
	listen_close(&l);
}

TEST(one_address_that_refuses)
{
	struct listener l;
	struct failures f;
	struct dial d = dialer(&f);
	struct candidate c = { .host = 0 };
	char text[100];
	struct err e;
	int fd;

	listen_at(&l, "127.0.0.1", 0, -1);
	c.to = l.at;
	CHECK_INT(dial(&d, &c, 1, &fd, &e), -1);
	CHECK(c.dead);
	snprintf(text, sizeof(text),
	    "connect to 127.0.0.1 port %u: Connection refused",
	    endpoint_port(&l.at));
	CHECK_STR(e.text, text);
	CHECK_INT(e.verdict, ERR_TEMP);
	CHECK_INT(e.kind, ERR_CONNECT);
	CHECK_INT(f.n, 1);
	CHECK_STR(f.e[0].text, text);
	/* A dead one is not tried again. */
	CHECK_INT(dial(&d, &c, 1, &fd, &e), -1);
	CHECK_STR(e.text, "no address left to try");
	CHECK_INT(f.n, 1);
	CHECK_INT(dial(&d, NULL, 0, &fd, &e), -1);
	CHECK_INT(e.verdict, ERR_TEMP);
	listen_close(&l);
}

TEST(a_refusal_makes_way_at_once)
{
	struct listener bad, good;
	struct failures f;
	struct dial d = dialer(&f);
	struct candidate c[3] = { 0 };
	struct err e;
	int fd;

	listen_at(&bad, "127.0.0.1", 0, -1);
	listen_at(&good, "127.0.0.1", 0, 5);
	c[0].to = c[1].to = bad.at;
	c[2].to = good.at;
	c[2].host = 1;
	CHECK_INT(dial(&d, c, 3, &fd, &e), 2);
	CHECK_INT(f.n, 2);
	CHECK_INT(f.i[0], 0);
	CHECK_INT(f.i[1], 1);
	CHECK(c[0].dead && c[1].dead && !c[2].dead);
	CHECK_INT(e.verdict, ERR_OK);
	close(fd);
	listen_close(&bad);
	listen_close(&good);
}

/* The dead address is overtaken, not waited for. */
TEST(a_dead_address_is_overtaken)
{
	struct listener deaf, good;
	struct failures f;
	struct dial d = dialer(&f);
	struct candidate c[2] = { 0 };
	int64_t start = wait_now();
	struct err e;
	int fd;

	listen_deaf(&deaf);
	listen_at(&good, "127.0.0.1", 0, 5);
	c[0].to = deaf.at;
	c[1].to = good.at;
	CHECK_INT(dial(&d, c, 2, &fd, &e), 1);
	CHECK(wait_now() - start >= DIAL_STAGGER);
	CHECK_INT(f.n, 0);
	CHECK(!c[0].dead); /* it lost the race, that is all */
	close(fd);
	listen_close(&deaf);
	listen_close(&good);
}

TEST(the_next_host_waits_longer)
{
	struct listener deaf, good;
	struct failures f;
	struct dial d = dialer(&f);
	struct candidate c[2] = { 0 };
	int64_t start = wait_now();
	struct err e;
	int fd;

	listen_deaf(&deaf);
	listen_at(&good, "127.0.0.1", 0, 5);
	c[0].to = deaf.at;
	c[1].to = good.at;
	c[1].host = 1;
	CHECK_INT(dial(&d, c, 2, &fd, &e), 1);
	CHECK(wait_now() - start >= DIAL_NEXT_HOST);
	close(fd);
	listen_close(&deaf);
	listen_close(&good);
}

TEST(an_attempt_has_its_own_timeout)
{
	struct listener deaf;
	struct failures f;
	struct dial d = dialer(&f);
	struct candidate c[2] = { 0 };
	struct err e;
	int fd;

	listen_deaf(&deaf);
	d.timeout = 30;
	c[0].to = c[1].to = deaf.at;
	CHECK_INT(dial(&d, c, 2, &fd, &e), -1);
	CHECK(strstr(e.text, "timed out") != NULL);
	CHECK_INT(f.n, 2);
	CHECK(c[0].dead && c[1].dead);
	listen_close(&deaf);
}

TEST(a_stop_ends_the_race)
{
	volatile sig_atomic_t stop = 1;
	struct waiter w = { .stop = &stop };
	struct listener deaf;
	struct failures f;
	struct dial d = dialer(&f);
	struct candidate c = { .host = 0 };
	struct err e;
	int fd;

	sigemptyset(&w.mask);
	d.waiter = &w;
	listen_deaf(&deaf);
	c.to = deaf.at;
	CHECK_INT(dial(&d, &c, 1, &fd, &e), -1);
	CHECK_STR(e.text, "interrupted");
	CHECK(!c.dead);
	listen_close(&deaf);
}

/* Refusals show the order: v6 first, so 6 4 6 4 6, then the next host. */
TEST(families_take_turns)
{
	static const char *const ip[] = { "::1", "::1", "::1", "127.0.0.1",
		"127.0.0.2", "127.0.0.3", "127.0.0.4", "::1" };
	static const size_t want[] = { 0, 3, 1, 4, 2, 5, 6, 7 };
	struct listener l;
	struct failures f;
	struct dial d = dialer(&f);
	struct candidate c[8] = { 0 };
	struct err e;
	size_t i;
	int fd;

	listen_at(&l, "127.0.0.1", 0, -1); /* a port where nobody listens */
	for (i = 0; i < 8; i++) {
		c[i].host = i < 6 ? 3 : 7;
		endpoint_ip(&c[i].to, ip[i], endpoint_port(&l.at));
	}
	CHECK_INT(dial(&d, c, 8, &fd, &e), -1);
	CHECK_INT(f.n, 8);
	for (i = 0; i < 8; i++)
		CHECK_INT(f.i[i], want[i]);
	/* The first host's last failure is the one that is told. */
	CHECK(strstr(e.text, "connect to 127.0.0.3 port ") == e.text);
	listen_close(&l);
}

TEST(a_source_address_is_bound)
{
	struct endpoint source, peer = { .len = sizeof(peer.u) };
	struct listener l;
	struct failures f;
	struct dial d = dialer(&f);
	struct candidate c[2] = { 0 };
	char text[64];
	struct err e;
	int fd, got;

	listen_at(&l, "127.0.0.1", 0, 5);
	endpoint_ip(&source, "127.0.0.9", 0);
	d.source = &source;
	endpoint_ip(&c[0].to, "::1", endpoint_port(&l.at));
	c[1].to = l.at;
	CHECK_INT(dial(&d, c, 2, &fd, &e), 1);
	CHECK_INT(f.n, 1);
	CHECK(
	    strstr(f.e[0].text,
		" from 127.0.0.9: the source address is of the other family") !=
	    NULL);
	CHECK(c[0].dead);
	got = accept(l.fd, &peer.u.sa, &peer.len);
	CHECK_STR(endpoint_text(&peer, text, sizeof(text)), "127.0.0.9");
	close(got);
	close(fd);
	listen_close(&l);
}

TEST(a_source_that_is_not_ours)
{
	struct endpoint source;
	struct listener l;
	struct failures f;
	struct dial d = dialer(&f);
	struct candidate c = { .host = 0 };
	struct err e;
	int fd;

	listen_at(&l, "127.0.0.1", 0, 5);
	endpoint_ip(&source, "192.0.2.77", 0);
	d.source = &source;
	c.to = l.at;
	CHECK_INT(dial(&d, &c, 1, &fd, &e), -1);
	CHECK(strstr(e.text, "192.0.2.77") != NULL);
	CHECK(strstr(e.text, strerror(EADDRNOTAVAIL)) != NULL);
	CHECK_INT(e.verdict, ERR_TEMP);
	CHECK_INT(e.kind, ERR_CONNECT);
	listen_close(&l);
}

TEST(a_unix_socket)
{
	char path[] = "/tmp/dial_test.XXXXXX";
	struct failures f;
	struct dial d = dialer(&f);
	struct candidate c = { .host = 0 };
	struct err e;
	int fd, l;

	close(mkstemp(path));
	unlink(path);
	endpoint_unix(&c.to, path);
	CHECK_INT(dial(&d, &c, 1, &fd, &e), -1);
	CHECK(strstr(e.text, "connect to /tmp/dial_test.") == e.text);
	CHECK(strstr(e.text, ": No such file or directory") != NULL);
	CHECK_INT(e.verdict, ERR_TEMP);
	c.dead = false;
	l = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_INT(bind(l, &c.to.u.sa, c.to.len), 0);
	CHECK_INT(listen(l, 5), 0);
	CHECK_INT(dial(&d, &c, 1, &fd, &e), 0);
	close(fd);
	close(l);
	unlink(path);
}

TEST_MAIN
