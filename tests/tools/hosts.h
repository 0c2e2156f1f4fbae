/*
 * hosts.h: the servers of a dialogue as listeners; included by player.c.
 *
 * The word behind a server's name is its form, a row below: how it meets its
 * clients.  Ports are ephemeral ones of 127.0.0.1.
 */
#ifndef TESTS_TOOLS_HOSTS_H
#define TESTS_TOOLS_HOSTS_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "smtp/dialogue.h"

struct host {
	struct dialogue_server server; /* a copy; its insides are borrowed */
	int fd; /* owned: the listener */
	int fill[2]; /* owned: fill the queue of a silent one; or -1 */
	char port[8]; /* "" of a unix socket */
	char *path; /* owned; NULL of a port */
	bool serves; /* its connections are taken */
	size_t next; /* connection to be expected */
};

static void
die(const char *what)
{
	fprintf(stderr, "player: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static int
new_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static void
host_bind(struct host *h)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	h->fd = new_socket(AF_INET);
	if (h->fd == -1 ||
	    bind(h->fd, (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    getsockname(h->fd, (struct sockaddr *)&at, &len) == -1)
		die("bind");
	snprintf(h->port, sizeof(h->port), "%u", ntohs(at.sin_port));
}

static void
host_listen(struct host *h, int backlog)
{
	if (listen(h->fd, backlog) == -1)
		die("listen");
}

static void
host_tcp(struct host *h)
{
	host_bind(h);
	host_listen(h, 64);
	h->serves = true;
}

/*
 * A listener whose queue is full drops what comes: connecting to it takes
 * forever. A backlog of nought has room for one.
 */
static void
host_silent(struct host *h)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	int i;

	host_bind(h);
	host_listen(h, 0);
	if (getsockname(h->fd, (struct sockaddr *)&at, &len) == -1)
		die("getsockname");
	for (i = 0; i < 2; i++) {
		h->fill[i] = new_socket(AF_INET);
		if (h->fill[i] == -1 ||
		    (connect(h->fill[i], (struct sockaddr *)&at, len) == -1 &&
			errno != EINPROGRESS))
			die("connect");
	}
}

static void
host_unix(struct host *h)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", h->path);
	h->fd = new_socket(AF_UNIX);
	if (h->fd == -1 ||
	    bind(h->fd, (struct sockaddr *)&at, sizeof(at)) == -1)
		die(h->path);
	host_listen(h, 64);
	h->serves = true;
}

static const struct {
	const char *name;
	void (*open)(struct host *);
} forms[] = {
	{ "", host_tcp },
	{ "unix", host_unix },
	{ "refused", host_bind }, /* taken, but nobody listens */
	{ "silent", host_silent },
};

/* Takes ownership of the path (NULL: none); -1: complained in `why`. */
static int
host_open(struct host *h, const struct dialogue_server *server, char *path,
    struct buf *why)
{
	size_t i;

	*h = (struct host){
		.server = *server, .fd = -1, .fill = { -1, -1 }, .path = path
	};
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(forms[i].name, server->form) == 0)
			break;
	if (i == sizeof(forms) / sizeof(forms[0])) {
		buf_addf(why, "line %u: no such form: %s\n", server->line,
		    server->form);
		return -1;
	}
	forms[i].open(h);
	return 0;
}

static void
host_close(struct host *h)
{
	close_fd(&h->fd);
	close_fd(&h->fill[0]);
	close_fd(&h->fill[1]);
	if (h->path != NULL)
		unlink(h->path);
	free(h->path);
	h->path = NULL;
}

/* What ${NAME}, ${NAME.port} and ${NAME.path} say; part is "" or ".port". */
static bool
host_part(const struct host *h, struct buf *to, const char *part, size_t n)
{
	bool local = h->path != NULL;

	if (n == 0 && local)
		buf_addf(to, "unix:%s", h->path);
	else if (n == 0)
		buf_addf(to, "127.0.0.1:%s", h->port);
	else if (n == 5 && memcmp(part, ".port", n) == 0)
		buf_adds(to, h->port);
	else if (n == 5 && memcmp(part, ".path", n) == 0 && local)
		buf_adds(to, h->path);
	else
		return false;
	return true;
}

#endif
