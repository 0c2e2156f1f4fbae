/*
 * reach: target after target, straight and through a proxy that a child
 * plays: the name it is asked for decides what it answers.
 * RFC 5321 4.5.4.1, RFC 1928.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "net/io.h"
#include "net/proxy.h"
#include "reach.h"
#include "test.h"

/* A SOCKS5 proxy behind which only ok.test is there. */
struct player {
	struct endpoint at;
	pid_t pid;
};

static void
play(int l)
{
	static const char yes[] = "\5\0\0\1\0\0\0\0\0\0"
				  "220 hi\r\n";
	char in[512];
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((fd = accept(l, NULL, NULL)) != -1) {
		if (recv(fd, in, 3, MSG_WAITALL) == 3 &&
		    send(fd, "\5\0", 2, MSG_NOSIGNAL) == 2 &&
		    recv(fd, in, 5, MSG_WAITALL) == 5 &&
		    recv(fd, in + 5, (unsigned char)in[4] + 2u, MSG_WAITALL) >
			0) {
			if (in[4] == 7 && memcmp(in + 5, "ok.test", 7) == 0)
				send(fd, yes, sizeof(yes) - 1, MSG_NOSIGNAL);
			else
				send(fd, "\5\4", 2, MSG_NOSIGNAL);
		}
		close(fd);
	}
	_exit(1);
}

static void
player_start(struct player *p)
{
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	endpoint_ip(&p->at, "127.0.0.1", 0);
	CHECK_INT(bind(l, &p->at.u.sa, p->at.len), 0);
	CHECK_INT(listen(l, 5), 0);
	CHECK_INT(getsockname(l, &p->at.u.sa, &p->at.len), 0);
	fflush(stdout);
	p->pid = fork();
	if (p->pid == 0)
		play(l);
	close(l);
}

static void
player_stop(struct player *p)
{
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
}

static const struct proxy proxy = {
	.kind = PROXY_SOCKS5, .host = "proxy.test", .port = 1080
};

/* What was told of attempts that failed, each with a new line. */
static void
note_failed(void *ctx, size_t target, const char *ip, const char *dialled,
    const struct err *e)
{
	char *told = ctx;
	size_t n = strlen(told);

	snprintf(told + n, 1024 - n, "%zu[%s] %s\n", target, ip, e->text);
	CHECK(dialled != NULL);
	CHECK_INT(e->stage, STAGE_CONNECT);
	CHECK_INT(e->scope, SCOPE_HOST);
}

/* Of one that was known to be down nothing was dialled. */
static void
note_down(void *ctx, size_t target, const char *ip, const char *dialled,
    const struct err *e)
{
	CHECK(dialled == NULL);
	note_failed(ctx, target, ip, "", e);
}

/* Two targets, both at one address. */
static struct trial {
	struct relay relay;
	struct target targets[2];
	struct reach *r;
	struct io io;
	struct err e;
	char ip[OUTCOME_IP_MAX];
	char told[1024];
} t;

static void
trial_begin(const char *first, const char *second, unsigned port,
    const struct player *p)
{
	const struct reach_config c = { .relay = &t.relay,
		.targets = t.targets,
		.ntargets = 2,
		.on_failed = note_failed,
		.ctx = t.told };
	size_t i;

	t = (struct trial){ .relay = { .timeout = 10000 } };
	t.targets[0].host = strdup(first);
	t.targets[1].host = strdup(second);
	for (i = 0; i < 2; i++) {
		t.targets[i].port = port;
		CHECK_INT(dns_addrs_add(&t.targets[i].addrs, &p->at), 0);
	}
	t.r = reach_new(&c);
	CHECK(t.r != NULL);
}

static void
trial_end(void)
{
	reach_free(t.r);
	target_free(&t.targets[0]);
	target_free(&t.targets[1]);
}

TEST(a_proxy_is_asked_for_host_after_host)
{
	struct player p;

	player_start(&p);
	trial_begin("no.test", "ok.test", 587, &p);
	t.relay.proxy = &proxy;
	CHECK_INT(reach_next(t.r, &t.io, t.ip, &t.e), 1);
	CHECK_INT(reach_target(t.r, 1), 1);
	CHECK_STR(t.ip, "");
	CHECK_STR(t.told,
	    "0[] proxy proxy.test: no connection to no.test port 587: "
	    "host unreachable or unknown (SOCKS code 4)\n");
	/* The server's own words are still to be read. */
	while (t.io.in.len < 8 && io_fill(&t.io, &t.e) > 0)
		;
	CHECK_STR(buf_str(&t.io.in), "220 hi\r\n");
	io_free(&t.io);
	reach_dead(t.r, 1);
	CHECK(reach_over(t.r));
	CHECK_INT(reach_next(t.r, &t.io, t.ip, &t.e), -1);
	CHECK_INT(t.e.verdict, ERR_TEMP);
	trial_end();
	player_stop(&p);
}

/* Nobody is there any more: it is the proxy that is told of. */
TEST(a_proxy_that_is_down)
{
	struct player p;

	player_start(&p);
	player_stop(&p);
	trial_begin("ok.test", "ok.test", 25, &p);
	t.relay.proxy = &proxy;
	CHECK_INT(reach_next(t.r, &t.io, t.ip, &t.e), -1);
	CHECK(strncmp(t.told, "0[] proxy proxy.test: ", 22) == 0);
	CHECK(strstr(t.told, "\n1[] proxy proxy.test: ") != NULL);
	trial_end();
}

TEST(straight_without_a_proxy)
{
	struct player p;

	player_start(&p);
	trial_begin("no.test", "ok.test", 25, &p);
	CHECK_INT(reach_next(t.r, &t.io, t.ip, &t.e), 0);
	CHECK_STR(t.ip, "127.0.0.1");
	CHECK_STR(t.told, "");
	CHECK_INT(t.io.in.len, 0);
	io_free(&t.io);
	trial_end();
	player_stop(&p);
}

/* Who is down by the same name, port and way, for the same relay. */
TEST(who_is_down_is_not_called)
{
	static const struct relay other;
	struct reach_down down[4];
	struct reach_config c;
	struct player p;
	size_t i;

	player_start(&p);
	trial_begin("no.test", "ok.test", 25, &p);
	reach_free(t.r);
	for (i = 0; i < 4; i++)
		down[i] = (struct reach_down){ &t.relay,
			{ .err = { .verdict = ERR_TEMP,
			      .stage = STAGE_CONNECT,
			      .scope = SCOPE_HOST,
			      .text = "as before" },
			    .host = "ok.test",
			    .ip = "127.0.0.1",
			    .port = 25 } };
	down[0].relay = &other;
	down[1].outcome.port = 587;
	snprintf(down[2].outcome.ip, sizeof down[2].outcome.ip, "127.0.0.2");
	snprintf(down[3].outcome.host, sizeof down[3].outcome.host, "no.test");
	c = (struct reach_config){ .relay = &t.relay,
		.targets = t.targets,
		.ntargets = 2,
		.down = down,
		.ndown = 4,
		.on_failed = note_down,
		.ctx = t.told };
	t.r = reach_new(&c);
	CHECK_STR(t.told, "0[127.0.0.1] as before\n");
	CHECK_INT(reach_next(t.r, &t.io, t.ip, &t.e), 1);
	io_free(&t.io);
	trial_end();
	player_stop(&p);
}

/* A socket is on this machine: no proxy stands before it. */
TEST(sockets_are_never_proxied)
{
	char dir[] = "/tmp/reach_test.XXXXXX", path[64];
	struct player p = { 0 };
	int l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/s", dir);
	CHECK_INT(endpoint_unix(&p.at, path), 0);
	CHECK_INT(bind(l, &p.at.u.sa, p.at.len), 0);
	CHECK_INT(listen(l, 1), 0);
	trial_begin(path, path, 0, &p);
	t.relay.proxy = &proxy;
	CHECK_INT(reach_next(t.r, &t.io, t.ip, &t.e), 0);
	CHECK_STR(t.ip, path);
	io_free(&t.io);
	trial_end();
	close(l);
	unlink(path);
	rmdir(dir);
}

TEST_MAIN
