/*
 * peer: see peer.h.
 * Callers: serve.c.
 * It reads and writes nothing there.
 * getpeername(2), unix(7), getpwuid(3).
 * Ownership: see peer.h.
 */
#include <sys/socket.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/peer.h"
#include "net/dial.h"

static void
say_user(struct peer *p, uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw != NULL)
		snprintf(
		    p->who, sizeof p->who, "%.255s@localhost", pw->pw_name);
	else
		snprintf(p->who, sizeof p->who, "uid %lu@localhost",
		    (unsigned long)uid);
}

/* Who made the other end, or connected it. */
static uid_t
user_of(int fd)
{
	struct ucred cred;
	socklen_t n = sizeof cred;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0
	    ? cred.uid
	    : getuid();
}

static void
say_address(struct peer *p, const struct endpoint *ep)
{
	char ip[PEER_WHO_SIZE - 8];

	endpoint_text(ep, ip, sizeof ip);
	snprintf(p->who, sizeof p->who, "[%s%s]",
	    ep->u.sa.sa_family == AF_INET6 ? "IPv6:" : "", ip);
}

void
peer_look(struct peer *p, int fd)
{
	struct endpoint ep = { .len = sizeof ep.u };

	*p = (struct peer){ .foreign = false };
	if (getpeername(fd, &ep.u.sa, &ep.len) == -1) {
		/* A socket that nobody is connected to is no friend's. */
		p->foreign = errno != ENOTSOCK && errno != EBADF;
		say_user(p, getuid());
		return;
	}
	p->foreign = !endpoint_is_loopback(&ep);
	if (ep.u.sa.sa_family == AF_UNIX)
		say_user(p, user_of(fd));
	else if (ep.u.sa.sa_family == AF_INET || ep.u.sa.sa_family == AF_INET6)
		say_address(p, &ep);
}
