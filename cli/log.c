/*
 * log: see log.h. A line is put together first, printable, and goes out by
 * one write(2) or send(2).
 * Callers: send.c, run.c. syslog(3) is not used: it waits for a syslogd
 * that hangs for as long as that does.
 * RFC 3164 4.1, RFC 3463.
 * Ownership: each line opens and closes what it goes to, so that a log that
 * was rotated is found again.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "base/wait.h"
#include "cli/log.h"
#include "mail/dsn_parts.h"
#include "mail/envelope.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

#define LINE_MAX_OCTETS (16u * 1024)
#define TIME_FORMAT "%b %d %H:%M:%S"
#define TIME_MAX 256
#define TAG "smtpsend"
#define TAG_MAX 64

/* How long a syslogd that takes nothing is waited for, and for how long it
 * is left alone then, ms. */
#define SYSLOG_WAIT 1000
#define SYSLOG_PAUSE 60000

/* ---- settings ---- */

static const struct {
	const char *name;
	int facility;
} facilities[] = {
	{ "on", LOG_MAIL },
	{ "off", LOG_NOWHERE },
	{ "LOG_USER", LOG_USER },
	{ "LOG_MAIL", LOG_MAIL },
	{ "LOG_LOCAL0", LOG_LOCAL0 },
	{ "LOG_LOCAL1", LOG_LOCAL1 },
	{ "LOG_LOCAL2", LOG_LOCAL2 },
	{ "LOG_LOCAL3", LOG_LOCAL3 },
	{ "LOG_LOCAL4", LOG_LOCAL4 },
	{ "LOG_LOCAL5", LOG_LOCAL5 },
	{ "LOG_LOCAL6", LOG_LOCAL6 },
	{ "LOG_LOCAL7", LOG_LOCAL7 },
};

int
log_facility(const char *s)
{
	size_t i;

	for (i = 0; i < COUNT(facilities); i++)
		if (strcmp(facilities[i].name, s) == 0)
			return facilities[i].facility;
	return LOG_UNSAID;
}

/* "" if it comes to nothing. */
static void
format_time(char out[TIME_MAX], const char *format)
{
	time_t now = time(NULL);
	struct tm local = { .tm_mday = 1 };

	tzset();
	localtime_r(&now, &local);
	/* It is the user's, and has no argument but the time. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (strftime(out, TIME_MAX, format, &local) == 0)
		out[0] = '\0';
#pragma GCC diagnostic pop
}

bool
log_time_format(const char *format)
{
	char text[TIME_MAX];

	format_time(text, format);
	return text[0] != '\0';
}

/* ---- a line ---- */

/* Text from outside within a field: what would end the field is \xNN, too. */
static void
put_field(struct buf *b, const char *s, const char *ends)
{
	struct buf clean;
	const char *p;
	size_t n;

	buf_init(&clean, LINE_MAX_OCTETS);
	enc_printable(&clean, s, strlen(s));
	for (p = buf_str(&clean); *p != '\0'; p += n) {
		n = strcspn(p, ends);
		buf_add(b, p, n);
		if (p[n] != '\0')
			buf_addf(b, "\\x%02X", (unsigned char)p[n++]);
	}
	buf_free(&clean);
}

static void
put_address(struct buf *b, const char *name, const char *address)
{
	buf_addf(b, "%s=<", name);
	put_field(b, address, "<>");
	buf_adds(b, ">, ");
}

/* "host[ip]", or what is known of it. */
static void
put_host(struct buf *b, const struct outcome *o)
{
	const char *host = o->host[0] != '\0' ? o->host : o->ip;

	put_field(b, host[0] != '\0' ? host : "none", " ,()[]");
	if (o->ip[0] != '\0' && o->ip != host) {
		buf_addc(b, '[');
		put_field(b, o->ip, " ,()[]");
		buf_addc(b, ']');
	}
}

static void
put_relay(struct buf *b, const struct outcome *o)
{
	buf_adds(b, "relay=");
	put_host(b, o);
	if (o->port != 0 && (o->host[0] != '\0' || o->ip[0] != '\0'))
		buf_addf(b, ":%u", o->port);
	buf_adds(b, ", ");
}

static void
put_text(struct buf *b, const char *s)
{
	enc_printable(b, s, strlen(s));
}

static void
put_words(struct buf *b, const struct outcome *o)
{
	const struct err *e = &o->err;
	bool refused = e->kind == ERR_REPLY && e->code != 0 &&
	    o->state != OUTCOME_DELIVERED;

	buf_adds(b, " (");
	if (refused) {
		buf_adds(b, "host ");
		put_host(b, o);
		buf_adds(b, " said: ");
	}
	put_text(b, e->text[0] != '\0' ? e->text : outcome_name(o->state));
	if (refused && e->stage != STAGE_NONE)
		buf_addf(b, " (in reply to %s)", err_stage_name(e->stage));
	if (o->in_doubt && o->state != OUTCOME_DELIVERED)
		buf_adds(b, "; may have been delivered");
	buf_addc(b, ')');
}

/* What has no server's word and did not fail is no failure (2.0.0). */
static void
put_status(struct buf *b, const struct recipient *r)
{
	static const char *const words[OUTCOME_STATES] = {
		[OUTCOME_PENDING] = "deferred",
		[OUTCOME_DELIVERED] = "sent",
		[OUTCOME_QUEUED] = "queued",
		[OUTCOME_DEFERRED] = "deferred",
		[OUTCOME_FAILED] = "bounced",
	};
	const struct outcome *o = &r->outcome;
	struct enhanced s = dsn_status(r, DSN_DELAYED);
	char text[ENHANCED_MAX];

	if (o->state == OUTCOME_QUEUED && o->err.verdict == ERR_OK)
		s = (struct enhanced){ 2, 0, 0 };
	buf_addf(
	    b, "dsn=%s, status=%s", enhanced_str(&s, text), words[o->state]);
	put_words(b, o);
}

static void
put_try(struct buf *b, const struct log_try *t, const struct recipient *r)
{
	int64_t delay = t->delay > 0 ? t->delay : 0;

	buf_addf(
	    b, "%s: ", t->id != NULL && t->id[0] != '\0' ? t->id : "NOQUEUE");
	if (t->message_id != NULL && t->message_id[0] != '\0') {
		buf_adds(b, "message-id=");
		put_field(b, t->message_id, " ,()");
		buf_adds(b, ", ");
	}
	put_address(
	    b, "from", t->env->sender.raw != NULL ? t->env->sender.raw : "");
	put_address(b, "to", r->addr.raw != NULL ? r->addr.raw : r->given);
	put_relay(b, &r->outcome);
	buf_addf(b, "delay=%lld.%02d, ", (long long)(delay / 1000),
	    (int)(delay % 1000 / 10));
	put_status(b, r);
}

/* ---- where it goes ---- */

static void
warn(const struct log *l, const char *what, int error)
{
	fprintf(l->warnings, TAG ": cannot write to the log %s: %s\n", what,
	    strerror(error));
}

/* 0, or errno. */
static int
write_all(int fd, const struct buf *b)
{
	ssize_t got;

	do
		got = write(fd, buf_str(b), b->len);
	while (got == -1 && errno == EINTR);
	if (got == -1)
		return errno;
	return (size_t)got == b->len ? 0 : ENOSPC;
}

/* A FIFO that nobody reads does not stop us. */
static int
append(const char *path, const struct buf *b)
{
	int fd, error;

	if (strcmp(path, "-") == 0)
		return fwrite(buf_str(b), 1, b->len, stdout) == b->len &&
			fflush(stdout) == 0
		    ? 0
		    : errno;
	fd = open(path,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    0600);
	if (fd == -1)
		return errno;
	error = write_all(fd, b);
	if (close(fd) == -1 && error == 0)
		error = errno;
	return error;
}

/* Before each line; who gives it may be anybody. */
static void
put_tag(struct buf *b, const struct log *l)
{
	char tag[TAG_MAX + 1];

	snprintf(tag, sizeof tag, "%s", l->tag != NULL ? l->tag : TAG);
	put_field(b, tag, " :[]");
	buf_addf(b, "[%ld]: ", (long)getpid());
}

static void
to_file(struct log *l, const struct log_to *to, const struct buf *text)
{
	char when[TIME_MAX];
	struct buf b;
	int error;

	buf_init(&b, 2 * LINE_MAX_OCTETS);
	format_time(
	    when, to->time_format != NULL ? to->time_format : TIME_FORMAT);
	put_text(&b, when);
	buf_addc(&b, ' ');
	put_tag(&b, l);
	buf_addf(&b, "%s\n", buf_str(text));
	error = buf_ok(&b) ? append(to->file, &b) : ENOMEM;
	if (error != 0 && !l->told_file) {
		warn(l, to->file, error);
		l->told_file = true;
	}
	buf_free(&b);
}

/* One datagram, whole or not at all: 0, or errno. */
static int
send_datagram(int fd, const struct buf *b)
{
	int64_t deadline = wait_until(SYSLOG_WAIT);

	for (;;) {
		if (send(fd, buf_str(b), b->len, MSG_NOSIGNAL) != -1)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return errno;
		if (wait_fd(NULL, fd, POLLOUT, deadline) <= 0)
			return ETIMEDOUT;
	}
}

static int
post(const struct buf *b)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX,
		.sun_path = "/dev/log" };
	int error,
	    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return errno;
	error = connect(fd, (struct sockaddr *)&a, sizeof a) == -1
	    ? errno
	    : send_datagram(fd, b);
	close(fd);
	return error;
}

/* Nobody there is no trouble, unless somebody was to be. */
static void
to_syslog(struct log *l, int facility, bool wanted, const struct buf *text)
{
	char when[TIME_MAX];
	struct buf b;
	int error;

	if (wait_now() < l->syslog_again)
		return;
	buf_init(&b, 2 * LINE_MAX_OCTETS);
	format_time(when, "%b %e %H:%M:%S");
	buf_addf(&b, "<%d>%s ", facility | LOG_INFO, when);
	put_tag(&b, l);
	buf_adds(&b, buf_str(text));
	error = buf_ok(&b) ? post(&b) : ENOMEM;
	if (error == ETIMEDOUT)
		l->syslog_again = wait_now() + SYSLOG_PAUSE;
	if (error != 0 && wanted && !l->told_syslog) {
		warn(l, "/dev/log", error);
		l->told_syslog = true;
	}
	buf_free(&b);
}

static bool
is_wanted(const struct log *l, const struct log_to *to)
{
	return to->file != NULL || to->facility >= 0 ||
	    (to->facility == LOG_UNSAID && l->by_syslog);
}

static void
emit(struct log *l, const struct log_to *to, struct buf *b)
{
	if (to->file != NULL)
		to_file(l, to, b);
	if (to->facility >= 0)
		to_syslog(l, to->facility, true, b);
	else if (to->facility == LOG_UNSAID && l->by_syslog)
		to_syslog(l, LOG_MAIL, false, b);
	buf_free(b);
}

void
log_recipient(struct log *l, const struct log_to *to, const struct log_try *t,
    const struct recipient *r)
{
	struct buf b;

	if (!is_wanted(l, to))
		return;
	buf_init(&b, LINE_MAX_OCTETS);
	put_try(&b, t, r);
	emit(l, to, &b);
}

void
log_note(
    struct log *l, const struct log_to *to, const char *id, const char *text)
{
	struct buf b;

	if (!is_wanted(l, to))
		return;
	buf_init(&b, LINE_MAX_OCTETS);
	buf_addf(&b, "%s%s", id, id[0] != '\0' ? ": " : "");
	put_text(&b, text);
	emit(l, to, &b);
}
