/*
 * sink: a small, strict SMTP and LMTP receiver for the demo, tests, benches.
 *
 *	sink [-Lt] [-a ADDRESS] [-n COUNT] [-p PORT | -u PATH] [-s SIZE]
 *	    [-r STAGE=REPLY]... [-w STAGE] [DIR]
 *
 * Listens on loopback, on any free port unless -p names one, or on a unix
 * socket (-u), and says "listening PORT" on stdout as soon as it does.  -L is
 * LMTP.  -s is the largest message taken.  The Nth message is stored as
 * DIR/N.msg, the octets of the wire without the stuffed dots, and DIR/N.env,
 * the lines "helo", "mail", "rcpt" with their parameters; N.msg appears last
 * and whole.  Without DIR messages are thrown away.
 *
 * Local parts with a meaning: tempfail (451 4.7.1; with -t it is later now, and
 * it is taken), permfail (550 5.1.1).  -n says "stored N" whenever COUNT more
 * are.
 *
 * A STAGE is a command, or greeting, body (the message's first octets), end
 * (its dot).  -r answers REPLY there and does nothing else.  -w holds each
 * client there, neither answered nor read, until SIGUSR1, and says "waiting
 * STAGE" on stdout; and "gone" whenever a client has left.
 *
 * Strict means: only CRLF ends a line and only CRLF.CRLF the data, commands
 * out of order are 503, and unknown parameters 555.  RFC 5321, 2033, 1870,
 * 2920, 6152, 2034.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CLIENT_MAX 1000
#define LINE_SIZE 2048 /* RFC 5321 4.5.3.1.4 asks for 512 */
#define INPUT_SIZE 65536
#define RCPT_MAX 1000
#define REPLIES_MAX 8

enum state { COMMAND, DATA };
/* Where in "CRLF . CRLF" the data stands. */
enum eod { TEXT, CR, LINE_START, DOT, DOT_CR };

struct sink {
	const char *dir; /* NULL: throw away */
	bool lmtp, later;
	unsigned long long size_max;
	unsigned long messages; /* the last number given */
	unsigned long stored, tell; /* every so many; 0: never */
	int listener;
	const char *replies[REPLIES_MAX]; /* STAGE=REPLY */
	size_t nreplies;
	const char *hold; /* the stage to wait at, or NULL */
};

struct client {
	struct sink *sink; /* borrowed */
	int fd;
	enum state state;
	bool greeted, mail, quit;
	bool held; /* waits for SIGUSR1 */
	int rcpts;
	char line[LINE_SIZE];
	size_t line_len;
	char *out; /* replies not yet taken by the socket */
	size_t out_len;
	FILE *env; /* writes env_text */
	char *env_text;
	size_t env_len;
	char helo[LINE_SIZE];
	/* the message being received */
	enum eod eod;
	FILE *msg;
	unsigned long number;
	unsigned long long size;
};

static volatile sig_atomic_t released;

static void
release(int sig)
{
	(void)sig;
	released = 1;
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
say(const char *what, const char *of)
{
	printf("%s%s\n", what, of);
	fflush(stdout);
}

/* Queue a reply; it leaves together with those queued after it. */
__attribute__((format(printf, 2, 3))) static void
reply(struct client *c, const char *fmt, ...)
{
	char text[LINE_SIZE];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text) - 2, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text) - 2)
		die("reply");
	memcpy(text + n, "\r\n", 2);
	c->out = realloc(c->out, c->out_len + (size_t)n + 2);
	if (c->out == NULL)
		die("reply");
	memcpy(c->out + c->out_len, text, (size_t)n + 2);
	c->out_len += (size_t)n + 2;
}

/* --- what the command line says of a stage ------------------------------ */

static void
reach(struct client *c, const char *stage)
{
	if (c->sink->hold == NULL || released || c->held ||
	    strcasecmp(c->sink->hold, stage) != 0)
		return;
	c->held = true;
	say("waiting ", c->sink->hold);
}

/* The reply that -r gives for the stage, or NULL. */
static const char *
scripted(const struct sink *s, const char *stage)
{
	size_t n = strlen(stage);

	for (size_t i = 0; i < s->nreplies; i++)
		if (strncasecmp(s->replies[i], stage, n) == 0 &&
		    s->replies[i][n] == '=')
			return s->replies[i] + n + 1;
	return NULL;
}

/* --- storing ------------------------------------------------------------ */

static FILE *
store_open(const struct client *c, const char *suffix)
{
	char path[4096];
	FILE *f;

	if (c->sink->dir == NULL)
		return fopen("/dev/null", "w");
	snprintf(
	    path, sizeof(path), "%s/%lu.%s", c->sink->dir, c->number, suffix);
	f = fopen(path, "wx");
	if (f == NULL)
		die(path);
	return f;
}

static void
store_end(struct client *c)
{
	char part[4096], whole[4096];
	FILE *env = store_open(c, "env");

	fwrite(c->env_text, 1, c->env_len, env);
	if (fclose(env) != 0 || fclose(c->msg) != 0)
		die("store");
	c->msg = NULL;
	if (c->sink->dir == NULL)
		return;
	snprintf(part, sizeof(part), "%s/%lu.part", c->sink->dir, c->number);
	snprintf(whole, sizeof(whole), "%s/%lu.msg", c->sink->dir, c->number);
	if (rename(part, whole) != 0)
		die(part);
}

static void
tell_stored(struct sink *s)
{
	char number[32];

	s->stored++;
	if (s->tell == 0 || s->stored % s->tell != 0)
		return;
	snprintf(number, sizeof(number), "%lu", s->stored);
	say("stored ", number);
}

static void
store_abort(struct client *c)
{
	char part[4096];

	if (c->msg == NULL)
		return;
	fclose(c->msg);
	c->msg = NULL;
	if (c->sink->dir == NULL)
		return;
	snprintf(part, sizeof(part), "%s/%lu.part", c->sink->dir, c->number);
	unlink(part);
}

/* --- the transaction ---------------------------------------------------- */

static void
transaction_end(struct client *c)
{
	if (c->env != NULL)
		fclose(c->env);
	free(c->env_text);
	c->env = NULL;
	c->env_text = NULL;
	c->mail = false;
	c->rcpts = 0;
}

static void
cmd_hello(struct client *c, char *arg)
{
	if (*arg == '\0') {
		reply(c, "501 5.5.4 your name, please");
		return;
	}
	transaction_end(c);
	c->greeted = true;
	memcpy(c->helo, arg, strlen(arg) + 1);
}

static void
cmd_helo(struct client *c, char *arg)
{
	cmd_hello(c, arg);
	if (*arg != '\0')
		reply(c, "250 sink.test");
}

static void
cmd_ehlo(struct client *c, char *arg)
{
	cmd_hello(c, arg);
	if (*arg == '\0')
		return;
	reply(c, "250-sink.test");
	reply(c, "250-PIPELINING");
	reply(c, "250-8BITMIME");
	reply(c, "250-SIZE %llu", c->sink->size_max);
	reply(c, "250 ENHANCEDSTATUSCODES");
}

/*
 * The end of the path at s, past its '>', or NULL.  A '>' inside a quoted
 * local part belongs to it.
 */
static char *
path_end(char *s)
{
	bool quoted = false;

	if (*s++ != '<')
		return NULL;
	for (; *s != '\0'; s++) {
		if (*s == '\\' && quoted && s[1] != '\0')
			s++;
		else if (*s == '"')
			quoted = !quoted;
		else if (*s == '>' && !quoted)
			return s[1] == '\0' || s[1] == ' ' ? s + 1 : NULL;
	}
	return NULL;
}

/* The MAIL parameters: 0, or the code of the refusal. */
static int
mail_parameters(struct client *c, const char *s)
{
	char word[LINE_SIZE];

	while (*s == ' ') {
		size_t n = strcspn(++s, " ");

		memcpy(word, s, n);
		word[n] = '\0';
		s += n;
		if (strncasecmp(word, "SIZE=", 5) == 0) {
			if (strtoull(word + 5, NULL, 10) > c->sink->size_max)
				return 552;
		} else if (strcasecmp(word, "BODY=7BIT") != 0 &&
		    strcasecmp(word, "BODY=8BITMIME") != 0) {
			return 555;
		}
	}
	return 0;
}

static void
cmd_mail(struct client *c, char *arg)
{
	char *end =
	    strncasecmp(arg, "FROM:", 5) == 0 ? path_end(arg + 5) : NULL;
	int refused = end == NULL ? 0 : mail_parameters(c, end);

	if (!c->greeted || c->mail)
		reply(c, "503 5.5.1 %s", c->mail ? "MAIL again" : "no EHLO");
	else if (end == NULL)
		reply(c, "501 5.1.7 MAIL FROM:<path>");
	else if (refused == 552)
		reply(c, "552 5.3.4 at most %llu octets", c->sink->size_max);
	else if (refused != 0)
		reply(c, "555 5.5.4 unknown parameter");
	else {
		c->env = open_memstream(&c->env_text, &c->env_len);
		if (c->env == NULL)
			die("MAIL");
		fprintf(c->env, "helo %s\nmail %s\n", c->helo, arg + 5);
		c->mail = true;
		reply(c, "250 2.1.0 sender ok");
	}
}

static bool
local_part_is(const char *path, const char *word)
{
	size_t n = strlen(word);

	return strncasecmp(path + 1, word, n) == 0 && path[n + 1] == '@';
}

static void
cmd_rcpt(struct client *c, char *arg)
{
	char *path = arg + 3;
	char *end = strncasecmp(arg, "TO:", 3) == 0 ? path_end(path) : NULL;

	if (!c->mail)
		reply(c, "503 5.5.1 MAIL first");
	else if (end == NULL || end == path + 2)
		reply(c, "501 5.1.3 RCPT TO:<path>");
	else if (*end != '\0')
		reply(c, "555 5.5.4 unknown parameter");
	else if (!c->sink->later && local_part_is(path, "tempfail"))
		reply(c, "451 4.7.1 try again later");
	else if (local_part_is(path, "permfail"))
		reply(c, "550 5.1.1 no such user");
	else if (c->rcpts == RCPT_MAX)
		reply(c, "452 4.5.3 too many recipients");
	else {
		fprintf(c->env, "rcpt %s\n", path);
		c->rcpts++;
		reply(c, "250 2.1.5 recipient ok");
	}
}

static void
cmd_data(struct client *c, char *arg)
{
	if (*arg != '\0')
		reply(c, "501 5.5.4 DATA takes no argument");
	else if (!c->mail)
		reply(c, "503 5.5.1 MAIL first");
	else if (c->rcpts == 0)
		reply(c, "554 5.5.1 no valid recipients");
	else {
		fflush(c->env);
		c->number = ++c->sink->messages;
		c->msg = store_open(c, "part");
		c->size = 0;
		c->eod = LINE_START;
		c->state = DATA;
		reply(c, "354 end with CRLF.CRLF");
	}
}

static void
cmd_rset(struct client *c, char *arg)
{
	(void)arg;
	transaction_end(c);
	reply(c, "250 2.0.0 forgotten");
}

static void
cmd_noop(struct client *c, char *arg)
{
	(void)arg;
	reply(c, "250 2.0.0 ok");
}

static void
cmd_vrfy(struct client *c, char *arg)
{
	(void)arg;
	reply(c, "252 2.1.5 send and see");
}

static void
cmd_quit(struct client *c, char *arg)
{
	(void)arg;
	reply(c, "221 2.0.0 bye");
	c->quit = true;
}

static const struct command {
	const char *verb;
	enum { SMTP = 1, LMTP = 2, BOTH = 3 } spoken;
	void (*run)(struct client *, char *arg);
} commands[] = {
	{ "HELO", SMTP, cmd_helo },
	{ "EHLO", SMTP, cmd_ehlo },
	{ "LHLO", LMTP, cmd_ehlo },
	{ "MAIL", BOTH, cmd_mail },
	{ "RCPT", BOTH, cmd_rcpt },
	{ "DATA", BOTH, cmd_data },
	{ "RSET", BOTH, cmd_rset },
	{ "NOOP", BOTH, cmd_noop },
	{ "VRFY", BOTH, cmd_vrfy },
	{ "QUIT", BOTH, cmd_quit },
};

static void
command(struct client *c, char *line)
{
	char *arg = line + strcspn(line, " ");
	int spoken = c->sink->lmtp ? LMTP : SMTP;
	const char *text;

	if (*arg == ' ')
		*arg++ = '\0';
	reach(c, line);
	text = scripted(c->sink, line);
	if (text != NULL) {
		reply(c, "%s", text);
		return;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcasecmp(commands[i].verb, line) == 0 &&
		    (commands[i].spoken & spoken) != 0) {
			commands[i].run(c, arg);
			return;
		}
	}
	reply(c, "500 5.5.1 unknown command");
}

/* --- octets in ---------------------------------------------------------- */

/* Gather a command line; returns how many octets of the input it took. */
static size_t
feed_command(struct client *c, const char *in, size_t len)
{
	size_t i;

	for (i = 0; i < len && c->line_len < sizeof(c->line); i++) {
		c->line[c->line_len++] = in[i];
		if (in[i] != '\n' || c->line_len < 2 ||
		    c->line[c->line_len - 2] != '\r')
			continue;
		c->line[c->line_len - 2] = '\0';
		if (strcspn(c->line, "\r\n") != c->line_len - 2)
			reply(c, "500 5.5.2 CR, LF or NUL inside a line");
		else
			command(c, c->line);
		c->line_len = 0;
		return i + 1;
	}
	if (c->line_len == sizeof(c->line)) {
		reply(c, "500 5.5.2 line too long");
		c->quit = true;
	}
	return i;
}

static void
data_end(struct client *c)
{
	bool big = c->size > c->sink->size_max;
	const char *text = scripted(c->sink, "end");

	c->state = COMMAND;
	if (big || (text != NULL && *text != '2')) {
		store_abort(c);
	} else {
		store_end(c);
		tell_stored(c->sink);
	}
	reach(c, "end");
	/* RFC 2033 4.2: LMTP answers once for each recipient. */
	for (int i = 0; i < (c->sink->lmtp ? c->rcpts : 1); i++) {
		if (text != NULL)
			reply(c, "%s", text);
		else if (big)
			reply(c, "552 5.3.4 too big");
		else
			reply(c, "250 2.0.0 stored as %lu", c->number);
	}
	transaction_end(c);
}

static void
data_put(struct client *c, const char *s, size_t n)
{
	c->size += n;
	if (c->size <= c->sink->size_max && fwrite(s, 1, n, c->msg) != n)
		die("store");
}

/* One octet that is not plain text; returns the new place. */
static enum eod
data_octet(struct client *c, char ch)
{
	if (c->eod == LINE_START && ch == '.')
		return DOT;
	if (c->eod == DOT && ch == '\r')
		return DOT_CR;
	if (c->eod == DOT_CR) /* the dot was stuffed, CR is text after all */
		data_put(c, "\r", 1);
	data_put(c, &ch, 1);
	if (ch == '\r')
		return CR;
	return ch == '\n' && (c->eod == CR || c->eod == DOT_CR) ? LINE_START
								: TEXT;
}

static size_t
feed_data(struct client *c, const char *in, size_t len)
{
	size_t i = 0;

	reach(c, "body");
	while (i < len) {
		if (c->eod == TEXT) {
			const char *cr = memchr(in + i, '\r', len - i);
			size_t n = cr == NULL ? len - i : (size_t)(cr - in) - i;

			data_put(c, in + i, n);
			i += n;
			if (i == len)
				break;
		}
		if (c->eod == DOT_CR && in[i] == '\n') {
			data_end(c);
			return i + 1;
		}
		c->eod = data_octet(c, in[i++]);
	}
	return i;
}

/* False when the client is gone. */
static bool
client_read(struct client *c)
{
	static char in[INPUT_SIZE];
	ssize_t n = recv(c->fd, in, sizeof(in), 0);
	size_t done = 0;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	while (done < (size_t)n && !c->quit) {
		size_t left = (size_t)n - done;

		done += c->state == DATA ? feed_data(c, in + done, left)
					 : feed_command(c, in + done, left);
	}
	return n > 0;
}

static bool
client_write(struct client *c)
{
	ssize_t n = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->out_len -= (size_t)n;
	memmove(c->out, c->out + n, c->out_len);
	return c->out_len > 0 || !c->quit;
}

/* --- connections -------------------------------------------------------- */

static struct client *
client_new(struct sink *s)
{
	struct client *c = calloc(1, sizeof(*c));
	const char *greeting;

	if (c == NULL)
		die("client");
	c->sink = s;
	c->fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (c->fd < 0) {
		free(c);
		return NULL;
	}
	greeting = scripted(s, "greeting");
	if (greeting != NULL)
		reply(c, "%s", greeting);
	else
		reply(c, "220 sink.test %s ready", s->lmtp ? "LMTP" : "ESMTP");
	reach(c, "greeting");
	return c;
}

static void
client_free(struct client *c)
{
	store_abort(c);
	transaction_end(c);
	close(c->fd);
	if (c->sink->hold != NULL)
		say("gone", "");
	free(c->out);
	free(c);
}

static bool
client_step(struct client *c, short events)
{
	c->held = c->held && !released;
	if (c->held)
		return (events & (POLLERR | POLLHUP | POLLRDHUP)) == 0;
	if ((events & POLLOUT) != 0)
		return client_write(c);
	if (events != 0 && !client_read(c))
		return false;
	return c->held || c->out_len == 0 || client_write(c);
}

/* A client that does not take its replies is not read either. */
static short
client_waits_for(const struct client *c)
{
	if (c->held)
		return POLLRDHUP;
	return c->out_len > 0 ? POLLOUT : POLLIN;
}

/* SIGUSR1 is heard only while waiting. */
static void
wait_any(struct pollfd *fds, nfds_t n, const sigset_t *heard)
{
	if (ppoll(fds, n, NULL, heard) >= 0)
		return;
	if (errno != EINTR)
		die("poll");
	while (n-- > 0)
		fds[n].revents = 0;
}

static void
serve(struct sink *s)
{
	const struct sigaction on_usr1 = { .sa_handler = release };
	sigset_t usr1, heard;
	static struct pollfd fds[CLIENT_MAX + 1];
	static struct client *clients[CLIENT_MAX];
	nfds_t count = 0;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, &heard);
	sigaction(SIGUSR1, &on_usr1, NULL);
	for (;;) {
		fds[count] = (struct pollfd){ s->listener, POLLIN, 0 };
		wait_any(fds, count + (count < CLIENT_MAX), &heard);
		if (count < CLIENT_MAX && fds[count].revents != 0) {
			clients[count] = client_new(s);
			fds[count].revents = 0;
			count += clients[count] != NULL;
		}
		for (nfds_t i = count; i-- > 0;) {
			if (!client_step(clients[i], fds[i].revents)) {
				client_free(clients[i]);
				clients[i] = clients[--count];
				continue;
			}
			fds[i].revents = 0;
		}
		for (nfds_t i = 0; i < count; i++)
			fds[i] = (struct pollfd){ clients[i]->fd,
				client_waits_for(clients[i]), 0 };
	}
}

/* --- start -------------------------------------------------------------- */

static int
bound(int family, const void *address, socklen_t len)
{
	int one = 1;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, address, len) != 0 || listen(fd, 1024) != 0)
		die("listen");
	return fd;
}

static int
listen_unix(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	memcpy(sun.sun_path, path, strlen(path) + 1);
	return bound(AF_UNIX, &sun, sizeof(sun));
}

static int
listen_inet(const char *address, in_port_t port)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };

	if (inet_pton(AF_INET, address, &in4.sin_addr) == 1)
		return bound(AF_INET, &in4, sizeof(in4));
	if (inet_pton(AF_INET6, address, &in6.sin6_addr) == 1)
		return bound(AF_INET6, &in6, sizeof(in6));
	errno = EINVAL;
	die(address);
	return -1;
}

static int
listener_port(int fd)
{
	/* sin_port and sin6_port lie at the same place. */
	struct sockaddr_in6 sin = { .sin6_port = 0 };
	socklen_t len = sizeof(sin);

	if (getsockname(fd, (struct sockaddr *)&sin, &len) != 0)
		die("getsockname");
	return ntohs(sin.sin6_port);
}

int
main(int argc, char **argv)
{
	struct sink s = { .size_max = 1ULL << 32 };
	const char *address = "127.0.0.1", *path = NULL;
	in_port_t port = 0;
	int opt;

	while ((opt = getopt(argc, argv, "La:n:p:r:s:tu:w:")) != -1) {
		switch (opt) {
		case 'L':
			s.lmtp = true;
			break;
		case 'a':
			address = optarg;
			break;
		case 'n':
			s.tell = strtoul(optarg, NULL, 10);
			break;
		case 't':
			s.later = true;
			break;
		case 'p':
			port = (in_port_t)strtoul(optarg, NULL, 10);
			break;
		case 'u':
			path = optarg;
			break;
		case 's':
			s.size_max = strtoull(optarg, NULL, 10);
			break;
		case 'r':
			if (s.nreplies == REPLIES_MAX)
				return 64;
			s.replies[s.nreplies++] = optarg;
			break;
		case 'w':
			s.hold = optarg;
			break;
		default:
			fprintf(stderr,
			    "usage: sink [-Lt] [-a ADDRESS] [-n COUNT] "
			    "[-p PORT | -u PATH] [-s SIZE] "
			    "[-r STAGE=REPLY]... [-w STAGE] [DIR]\n");
			return 64;
		}
	}
	s.dir = argv[optind];
	s.listener =
	    path != NULL ? listen_unix(path) : listen_inet(address, port);
	if (path != NULL)
		printf("listening %s\n", path);
	else
		printf("listening %d\n", listener_port(s.listener));
	fflush(stdout);
	serve(&s);
}
