/*
 * box mbox|maildir PATH [-OPTION...]: put the message on standard input into a
 * mailbox, for tests that end that at each system call, or let it fail.
 *
 *	-c MODE		make what is missing (octal)
 *	-d		by a lock file, too
 *	-f FIELDS	put them before it; each %-sign ends a line
 *	-m		print the most memory it had, in KiB
 *	-o USER		whose it must be, a number; else ours
 *	-p OCTETS	read it in pieces of so many
 *	-s SENDER
 *	-w MS		wait for locks; else for ever
 *
 * The status is err_exit()'s, with verdict, enhanced code and sentence on
 * standard error.
 */
#include <sys/resource.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "store/body.h"
#include "store/box.h"

struct input {
	struct body *body;
	size_t piece;
	bool tells_memory;
};

static int
failed(const struct err *e)
{
	char code[ENHANCED_MAX];

	fprintf(stderr, "%s %s %s\n",
	    e->verdict == ERR_TEMP ? "temporary" : "permanent",
	    enhanced_str(&e->enhanced, code), e->text);
	return err_exit(e);
}

static long
read_piece(void *ctx, uint64_t off, void *to, size_t n, struct err *e)
{
	const struct input *in = ctx;

	return body_octets(in->body, off, to, n < in->piece ? n : in->piece, e);
}

static const char *
lines(char *text)
{
	for (char *p = text; *p != '\0'; p++)
		if (*p == '%')
			*p = '\n';
	return text;
}

static int
set(struct box_config *c, struct box_mail *m, struct input *in, int argc,
    char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "c:df:mo:p:s:w:")) != -1)
		switch (o) {
		case 'c':
			c->create = (mode_t)strtoul(optarg, NULL, 8);
			break;
		case 'd':
			c->dotlock = true;
			break;
		case 'f':
			m->fields = lines(optarg);
			m->fields_n = strlen(optarg);
			break;
		case 'm':
			in->tells_memory = true;
			break;
		case 'o':
			c->owner = (uid_t)strtoul(optarg, NULL, 10);
			break;
		case 'p':
			in->piece = strtoul(optarg, NULL, 10);
			break;
		case 's':
			m->sender = optarg;
			break;
		case 'w':
			c->lock_wait = strtol(optarg, NULL, 10);
			break;
		default:
			return -1;
		}
	return 0;
}

int
main(int argc, char **argv)
{
	struct input in = { .piece = (size_t)-1 };
	struct box_config c = {
		.owner = geteuid(), .lock_wait = -1, .host = "client.test"
	};
	struct box_mail m = { .octets = { read_piece, &in, 0 },
		.time = 1767225600 };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct rusage usage;
	struct err e;
	int rc;

	sigaction(SIGXFSZ, &ignore, NULL);
	if (argc < 3 || set(&c, &m, &in, argc - 2, argv + 2) == -1)
		return 64;
	c.path = argv[2];
	in.body = body_read_all(STDIN_FILENO, "the message", "/tmp", &e);
	if (in.body == NULL)
		return failed(&e);
	rc = strcmp(argv[1], "maildir") == 0 ? box_maildir(&c, &m, &e)
					     : box_mbox(&c, &m, &e);
	body_free(in.body);
	if (in.tells_memory && getrusage(RUSAGE_SELF, &usage) == 0)
		printf("%ld\n", usage.ru_maxrss);
	return rc == 0 ? 0 : failed(&e);
}
