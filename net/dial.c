/*
 * dial: see dial.h. A race: the candidates in their order of start, a slot
 * for each attempt under way, and one ppoll over them all.
 * A single address costs socket, setsockopt, connect and ppoll, no more.
 * RFC 8305 4 (interlacing families), 5 (attempts side by side, the delay).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "net/dial.h"

static int
endpoint_ipv6(struct endpoint *ep, const char *ip, unsigned port)
{
	char text[INET6_ADDRSTRLEN + 1];
	const char *scope = strchr(ip, '%');
	size_t n = scope == NULL ? strlen(ip) : (size_t)(scope - ip);

	if (n >= sizeof(text))
		return -1;
	memcpy(text, ip, n);
	text[n] = '\0';
	if (inet_pton(AF_INET6, text, &ep->u.in6.sin6_addr) != 1)
		return -1;
	if (scope != NULL) {
		ep->u.in6.sin6_scope_id = if_nametoindex(scope + 1);
		if (ep->u.in6.sin6_scope_id == 0)
			return -1;
	}
	ep->u.in6.sin6_family = AF_INET6;
	ep->u.in6.sin6_port = htons((uint16_t)port);
	ep->len = sizeof(ep->u.in6);
	return 0;
}

int
endpoint_ip(struct endpoint *ep, const char *ip, unsigned port)
{
	memset(ep, 0, sizeof(*ep));
	if (inet_pton(AF_INET, ip, &ep->u.in.sin_addr) != 1)
		return endpoint_ipv6(ep, ip, port);
	ep->u.in.sin_family = AF_INET;
	ep->u.in.sin_port = htons((uint16_t)port);
	ep->len = sizeof(ep->u.in);
	return 0;
}

/* A port from 1 to 65535, digits only. */
static int
port_parse(const char *s, size_t n, unsigned *port)
{
	unsigned value = 0;
	size_t i;

	if (n == 0 || n > 5)
		return -1;
	for (i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		value = value * 10 + (unsigned)(s[i] - '0');
	}
	if (value == 0 || value > 65535)
		return -1;
	*port = value;
	return 0;
}

int
endpoint_split(const char *s, size_t n, char *dst, size_t size, unsigned *port,
    bool *bracketed)
{
	const char *end = s + n, *host = s, *host_end, *colon;
	bool in_brackets = n > 0 && s[0] == '[';

	if (in_brackets) {
		host++;
		host_end = memchr(s, ']', n);
		if (host_end == NULL)
			return -1;
		colon = host_end + 1;
	} else {
		colon = n == 0 ? NULL : memchr(s, ':', n);
		/* A second colon: an IPv6 address without a port. */
		if (colon == NULL ||
		    memchr(colon + 1, ':', (size_t)(end - colon - 1)) != NULL)
			colon = end;
		host_end = colon;
	}
	if (host_end == host || (size_t)(host_end - host) >= size)
		return -1;
	if (colon != end && *colon != ':')
		return -1;
	if (colon != end &&
	    port_parse(colon + 1, (size_t)(end - colon - 1), port) == -1)
		return -1;
	memcpy(dst, host, (size_t)(host_end - host));
	dst[host_end - host] = '\0';
	if (bracketed != NULL)
		*bracketed = in_brackets;
	return 0;
}

int
endpoint_unix(struct endpoint *ep, const char *path)
{
	size_t n = strlen(path);

	memset(ep, 0, sizeof(*ep));
	if (n == 0 || n >= sizeof(ep->u.un.sun_path))
		return -1;
	ep->u.un.sun_family = AF_UNIX;
	memcpy(ep->u.un.sun_path, path, n + 1);
	ep->len = sizeof(ep->u.un);
	return 0;
}

char *
endpoint_text(const struct endpoint *ep, char *dst, size_t size)
{
	char ip[INET6_ADDRSTRLEN] = "?";

	switch (ep->u.sa.sa_family) {
	case AF_UNIX:
		snprintf(dst, size, "%s", ep->u.un.sun_path);
		return dst;
	case AF_INET:
		inet_ntop(AF_INET, &ep->u.in.sin_addr, ip, sizeof(ip));
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &ep->u.in6.sin6_addr, ip, sizeof(ip));
		break;
	}
	if (ep->u.sa.sa_family == AF_INET6 && ep->u.in6.sin6_scope_id != 0)
		snprintf(dst, size, "%s%%%u", ip, ep->u.in6.sin6_scope_id);
	else
		snprintf(dst, size, "%s", ip);
	return dst;
}

bool
endpoint_is_loopback(const struct endpoint *ep)
{
	const struct in6_addr *ip = &ep->u.in6.sin6_addr;

	switch (ep->u.sa.sa_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		return ntohl(ep->u.in.sin_addr.s_addr) >> 24 == 127;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(ip) ||
		    (IN6_IS_ADDR_V4MAPPED(ip) && ip->s6_addr[12] == 127);
	default:
		return false;
	}
}

unsigned
endpoint_port(const struct endpoint *ep)
{
	switch (ep->u.sa.sa_family) {
	case AF_INET:
		return ntohs(ep->u.in.sin_port);
	case AF_INET6:
		return ntohs(ep->u.in6.sin6_port);
	default:
		return 0;
	}
}

#define ATTEMPT_NAME_MAX 256

/* An attempt under way; its descriptor is in race.fds at the same place. */
struct attempt {
	size_t i; /* its candidate */
	int64_t deadline;
};

struct race {
	const struct dial *d; /* borrowed */
	struct candidate *c; /* borrowed */
	size_t *order; /* owned: candidates in the order to start */
	size_t norder;
	size_t next; /* first of order that was not started */
	int64_t next_at; /* when it is to start */
	int64_t last_at; /* when the last one was started */
	struct attempt *live; /* owned */
	struct pollfd *fds; /* owned: a descriptor for each of live */
	size_t nlive;
	size_t first_host; /* its failure is the one that is reported */
	struct err *e; /* borrowed */
};

static int
family_of(const struct candidate *c)
{
	return c->to.u.sa.sa_family;
}

/* "connect to 192.0.2.1 port 25", and from where if that was asked for. */
static const char *
attempt_name(const struct race *r, size_t i, char *dst, size_t size)
{
	const struct candidate *c = &r->c[i];
	char to[sizeof(c->to.u.un.sun_path)], from[64];

	endpoint_text(&c->to, to, sizeof(to));
	if (family_of(c) == AF_UNIX)
		snprintf(dst, size, "connect to %s", to);
	else if (r->d->source == NULL)
		snprintf(dst, size, "connect to %s port %u", to,
		    endpoint_port(&c->to));
	else
		snprintf(dst, size, "connect to %s port %u from %s", to,
		    endpoint_port(&c->to),
		    endpoint_text(r->d->source, from, sizeof(from)));
	return dst;
}

/*
 * Candidate i will not do. The error kept for the caller is the last one of
 * the host that was to be tried first: the others are only second best.
 */
static void
race_failed(struct race *r, size_t i, const struct err *e)
{
	r->c[i].dead = true;
	if (r->d->on_failed != NULL)
		r->d->on_failed(r->d->ctx, i, e);
	if (r->c[i].host == r->first_host || r->e->verdict == ERR_OK)
		*r->e = *e;
}

static void
race_errno(struct race *r, size_t i, int num)
{
	char name[ATTEMPT_NAME_MAX];
	struct err e;

	attempt_name(r, i, name, sizeof(name));
	err_errno(&e, ERR_TEMP, ERR_CONNECT, num, "%s", name);
	if (err_is_shortage(num))
		e.kind = ERR_MACHINE;
	race_failed(r, i, &e);
}

/* A source address of one family cannot reach the other. */
static void
race_wrong_family(struct race *r, size_t i)
{
	char name[ATTEMPT_NAME_MAX];
	struct err e;

	err_set(&e, ERR_TEMP, ERR_CONNECT,
	    "%s: the source address is of the other family",
	    attempt_name(r, i, name, sizeof(name)));
	race_failed(r, i, &e);
}

/* True if the source address forbids the candidate. */
static bool
race_mismatch(const struct race *r, size_t i)
{
	return r->d->source != NULL && family_of(&r->c[i]) != AF_UNIX &&
	    family_of(&r->c[i]) != r->d->source->u.sa.sa_family;
}

/*
 * Interlace order[from, to), which is one host: whenever the next one is of
 * the family just taken, the first of another family behind it is moved
 * before it (RFC 8305 4). The order within a family stays.
 */
static void
race_interlace(struct race *r, size_t from, size_t to)
{
	size_t k, i, moved;
	int last;

	for (k = from + 1; k < to; k++) {
		last = family_of(&r->c[r->order[k - 1]]);
		for (i = k; i < to; i++)
			if (family_of(&r->c[r->order[i]]) != last)
				break;
		if (i == to)
			return;
		moved = r->order[i];
		memmove(&r->order[k + 1], &r->order[k],
		    (i - k) * sizeof(*r->order));
		r->order[k] = moved;
	}
}

/* Who starts when: hosts as they come, families of a host in turns. */
static void
race_order(struct race *r, size_t n)
{
	size_t i, from;

	for (i = 0; i < n && r->c[i].dead; i++)
		;
	r->first_host = i < n ? r->c[i].host : 0;
	for (; i < n; i++) {
		if (r->c[i].dead)
			continue;
		if (race_mismatch(r, i))
			race_wrong_family(r, i);
		else
			r->order[r->norder++] = i;
	}
	for (from = 0, i = 1; i <= r->norder; i++) {
		if (i < r->norder &&
		    r->c[r->order[i]].host == r->c[r->order[from]].host)
			continue;
		race_interlace(r, from, i);
		from = i;
	}
}

/* True if an attempt of that host is under way. */
static bool
race_host_alive(const struct race *r, size_t host)
{
	size_t k;

	for (k = 0; k < r->nlive; k++)
		if (r->c[r->live[k].i].host == host)
			return true;
	return false;
}

/*
 * When order[next] is to start, after order[next - 1] was started or
 * failed: at once behind a failure, else when the one before has had its
 * time.
 */
static void
race_schedule(struct race *r)
{
	const struct candidate *last, *next;

	if (r->next == r->norder) {
		r->next_at = INT64_MAX;
		return;
	}
	last = &r->c[r->order[r->next - 1]];
	next = &r->c[r->order[r->next]];
	if (next->host != last->host)
		r->next_at = race_host_alive(r, last->host)
		    ? r->last_at + DIAL_NEXT_HOST
		    : 0;
	else
		r->next_at = last->dead ? 0 : r->last_at + DIAL_STAGGER;
}

/* A socket for candidate i, bound to the source; -1 with errno. */
static int
attempt_socket(const struct race *r, size_t i)
{
	static const int on = 1;
	const struct endpoint *source = r->d->source;
	int family = family_of(&r->c[i]);
	int fd, num;

	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1 || family == AF_UNIX)
		return fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (source == NULL || bind(fd, &source->u.sa, source->len) == 0)
		return fd;
	num = errno;
	close(fd);
	errno = num;
	return -1;
}

/* Start the next attempt: its descriptor if it is connected already, else
 * -1; it is then under way or has failed. */
static int
race_start(struct race *r)
{
	size_t i = r->order[r->next++];
	const struct endpoint *to = &r->c[i].to;
	int fd, num;

	r->last_at = wait_now();
	fd = attempt_socket(r, i);
	if (fd == -1) {
		race_errno(r, i, errno);
		return -1;
	}
	if (connect(fd, &to->u.sa, to->len) == 0)
		return fd;
	if (errno != EINPROGRESS && errno != EINTR) {
		num = errno;
		close(fd);
		race_errno(r, i, num);
		return -1;
	}
	r->live[r->nlive] = (struct attempt){
		.i = i,
		.deadline =
		    r->d->timeout < 0 || r->d->timeout > INT64_MAX - r->last_at
		    ? INT64_MAX
		    : r->last_at + r->d->timeout,
	};
	r->fds[r->nlive++] = (struct pollfd){ .fd = fd, .events = POLLOUT };
	return -1;
}

/* Take attempt k out of those under way; its descriptor is the caller's. */
static int
race_take(struct race *r, size_t k)
{
	int fd = r->fds[k].fd;

	r->nlive--;
	memmove(&r->fds[k], &r->fds[k + 1], (r->nlive - k) * sizeof(*r->fds));
	memmove(
	    &r->live[k], &r->live[k + 1], (r->nlive - k) * sizeof(*r->live));
	return fd;
}

/*
 * Why the connect failed, 0 if it did not. A reset after the handshake is a
 * connection as well: what the peer said before it is worth reading.
 */
static int
attempt_error(const struct pollfd *p)
{
	int num = 0;
	socklen_t len = sizeof(num);

	if ((p->revents & (POLLERR | POLLHUP | POLLNVAL)) == 0)
		return 0;
	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &num, &len) == -1)
		return errno;
	return num == ECONNRESET || num == EPIPE ? 0 : num;
}

/*
 * Look at each attempt after a wait: the candidate that connected, with
 * *fd, or -1. Those that failed or ran out of time are closed.
 */
static long
race_look(struct race *r, int *fd)
{
	int64_t now = wait_now();
	size_t k = 0, i;
	int num;

	while (k < r->nlive) {
		i = r->live[k].i;
		if (r->fds[k].revents == 0 && now < r->live[k].deadline) {
			k++;
			continue;
		}
		num = r->fds[k].revents == 0 ? ETIMEDOUT
					     : attempt_error(&r->fds[k]);
		if (num == 0) {
			*fd = race_take(r, k);
			return (long)i;
		}
		close(race_take(r, k));
		race_errno(r, i, num);
	}
	return -1;
}

/* The waiter's bound came first: whom it left waiting, the oldest. */
static int
race_over(struct race *r)
{
	char name[ATTEMPT_NAME_MAX];
	struct err why;

	wait_over_err(r->d->waiter, &why);
	if (r->nlive == 0)
		*r->e = why;
	else
		err_set(r->e, why.verdict, why.kind, "%s: %s",
		    attempt_name(r, r->live[0].i, name, sizeof(name)),
		    why.text);
	return -1;
}

/* Wait for the first thing to happen; -1 with *e when there is no more
 * waiting to be done: stopped, out of time, or a failure of this machine. */
static int
race_wait(struct race *r)
{
	int64_t until = r->next_at;
	size_t k;
	int ready;

	for (k = 0; k < r->nlive; k++) {
		r->fds[k].revents = 0;
		if (r->live[k].deadline < until)
			until = r->live[k].deadline;
	}
	ready = wait_fds(r->d->waiter, r->fds, r->nlive, until);
	if (ready == 0 && wait_over(r->d->waiter))
		return race_over(r);
	if (ready >= 0)
		return 0;
	if (ready == WAIT_STOPPED)
		return err_set(r->e, ERR_TEMP, ERR_CONNECT, "interrupted");
	return err_errno(
	    r->e, ERR_TEMP, ERR_MACHINE, errno, "wait for a connection");
}

/* The race itself: the winner with *fd, or -1 with *e. */
static long
race_run(struct race *r, int *fd)
{
	long winner;

	while (r->next < r->norder || r->nlive > 0) {
		if (r->next < r->norder && r->next_at <= wait_now()) {
			*fd = race_start(r);
			if (*fd != -1)
				return (long)r->order[r->next - 1];
			race_schedule(r);
			continue;
		}
		if (race_wait(r) == -1)
			return -1;
		winner = race_look(r, fd);
		if (winner != -1)
			return winner;
		race_schedule(r);
	}
	return -1;
}

long
dial(
    const struct dial *d, struct candidate *c, size_t n, int *fd, struct err *e)
{
	struct race r = { .d = d, .c = c, .e = e };
	long winner = -1;

	err_clear(e);
	r.order = calloc(n + 1, sizeof(*r.order));
	r.live = calloc(n + 1, sizeof(*r.live));
	r.fds = calloc(n + 1, sizeof(*r.fds));
	if (r.order == NULL || r.live == NULL || r.fds == NULL) {
		err_set(e, ERR_TEMP, ERR_MACHINE, "out of memory");
		goto out;
	}
	race_order(&r, n);
	winner = race_run(&r, fd);
	if (winner == -1 && e->verdict == ERR_OK)
		err_set(e, ERR_TEMP, ERR_CONNECT, "no address left to try");
	if (winner != -1)
		err_clear(e);
out:
	while (r.nlive > 0)
		close(race_take(&r, r.nlive - 1));
	free(r.order);
	free(r.live);
	free(r.fds);
	return winner;
}
