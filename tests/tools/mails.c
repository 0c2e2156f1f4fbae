/*
 * mails [OPTION...] SENDER:RCPT,RCPT... [+ MAIL...]: several mails in one
 * delivery, for dialogues that no face can have yet. Each MAIL has the message
 * on standard input; + begins another plan.
 *
 *	-h HOSTS	the relay, as --host takes it
 *	-r DOMAIN=HOSTS	another for the recipients of a domain
 *	-j N, -d N	workers at once; of them for one destination of -h
 *	-x N		mail N must not go out, told at its last octets
 *	-q		nobody asks about last octets
 *	-t		log in with a token, which is another each time
 *	-v		the dialogue, too
 *
 * It prints what a source hears, a line each, and ends with 70 if it hears
 * what no source should: a mail's end before its last outcome, a plan's before
 * its mails', or either of them twice.
 */
#include <sys/random.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/wait.h"
#include "deliver.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "mx.h"
#include "source.h"
#include "store/body.h"

#define MAX 64

static volatile sig_atomic_t stop;

struct group {
	size_t first, n; /* mails */
	struct plan plan;
	bool over;
};

struct tool {
	struct relay relays[MAX]; /* the first is -h's */
	struct relay_rule rules[MAX];
	struct relays by;
	struct envelope envs[MAX];
	struct mail mails[MAX];
	bool final[MAX], over[MAX];
	struct group groups[MAX];
	size_t nmails, ngroups, next, alive;
	struct mx_config mx;
	struct deliver_config cfg;
	struct source source;
	size_t refused; /* mail, counted from 1; 0: none */
	unsigned tokens;
	char token[16];
};

static void
wrong(const char *what)
{
	fflush(stdout);
	fprintf(stderr, "mails: %s\n", what);
	_exit(70);
}

static void
draw(void *to, size_t n)
{
	if (getrandom(to, n, 0) != (ssize_t)n)
		abort();
}

/* ---- the source ---- */

static size_t
number(const struct tool *t, const struct mail *m)
{
	return (size_t)(m - t->mails);
}

static struct plan *
next(void *ctx)
{
	struct tool *t = ctx;
	struct group *g = &t->groups[t->next];
	struct err e;

	if (t->next == t->ngroups)
		return NULL;
	if (++t->alive > t->cfg.jobs)
		wrong("more plans than workers");
	if (mx_plan(&t->mx, t->mails + g->first, g->n, &g->plan, &e) == -1)
		wrong(e.text);
	printf("plan %zu\n", ++t->next);
	return &g->plan;
}

static const char *
name(const struct mail *m, size_t rcpt)
{
	return m->env->rcpts[rcpt].addr.raw;
}

static int
final(void *ctx, struct mail *m, const size_t *rcpts, size_t n, struct err *e)
{
	struct tool *t = ctx;
	size_t i, k = number(t, m);

	printf("final %zu", k + 1);
	for (i = 0; i < n; i++)
		printf(" %s", name(m, rcpts[i]));
	putchar('\n');
	t->final[k] = true;
	return t->refused == k + 1
	    ? err_set(e, ERR_PERM, ERR_DATA, "no room to note it")
	    : 0;
}

static void
outcome(void *ctx, struct mail *m, const size_t *rcpts, size_t n)
{
	struct tool *t = ctx;
	const struct outcome *o;
	size_t i;

	if (t->over[number(t, m)])
		wrong("an outcome of a mail that was over");
	for (i = 0; i < n; i++) {
		o = &m->env->rcpts[rcpts[i]].outcome;
		if (o->state == OUTCOME_DELIVERED && !t->final[number(t, m)] &&
		    t->source.final != NULL)
			wrong("delivered without last octets");
		printf("outcome %zu %s %s%s %s: %s\n", number(t, m) + 1,
		    name(m, rcpts[i]), outcome_name(o->state),
		    o->in_doubt ? " doubt" : "", err_stage_name(o->err.stage),
		    o->err.text);
	}
}

static void
mail_done(void *ctx, struct mail *m)
{
	struct tool *t = ctx;
	size_t k = number(t, m);

	if (t->over[k] || envelope_count(m->env, OUTCOME_PENDING) > 0)
		wrong("a mail's end at a wrong moment");
	t->over[k] = true;
	printf("mail %zu is done\n", k + 1);
}

static void
done(void *ctx, struct plan *plan)
{
	struct tool *t = ctx;
	struct group *g = t->groups;
	size_t i;

	while (plan != &g->plan)
		g++;
	for (i = 0; i < g->n; i++)
		if (g->over || !t->over[g->first + i])
			wrong("a plan's end at a wrong moment");
	g->over = true;
	t->alive--;
	printf("plan %zu is done\n", (size_t)(g - t->groups) + 1);
	plan_free(plan);
}

static void
on_line(void *ctx, const struct deliver_line *l)
{
	(void)ctx;
	printf("%u%c %.*s\n", l->worker, l->from, (int)l->n, l->s);
}

static int
on_secret(void *ctx, const struct relay *r, bool again, struct err *e)
{
	struct tool *t = ctx;

	(void)r;
	(void)e;
	if (again || t->tokens == 0)
		t->tokens++;
	snprintf(t->token, sizeof t->token, "tok%u", t->tokens);
	return 0;
}

/* ---- the command line ---- */

static void
add_rcpts(struct envelope *env, const char *list)
{
	struct address a;
	struct err e;
	size_t n;

	for (; *list != '\0'; list += n + (list[n] != '\0')) {
		n = strcspn(list, ",");
		if (address_parse(&a, list, n, 0, &e) == -1 ||
		    envelope_add(env, &a, list, n) != 0)
			wrong("a recipient that is none");
	}
}

static void
add_mail(struct tool *t, char *arg, const struct message *m)
{
	struct envelope *env = &t->envs[t->nmails];
	struct mail *mail = &t->mails[t->nmails];
	char *to = strchr(arg, ':');
	struct err e;

	if (to == NULL || t->nmails == MAX - 1)
		wrong("a mail that is none");
	*to++ = '\0';
	envelope_init(env);
	if (address_parse(&env->sender, arg, strlen(arg), ADDRESS_NULL, &e) ==
	    -1)
		wrong(e.text);
	add_rcpts(env, to);
	*mail = (struct mail){ .m = m, .env = env, .by = &t->by };
	t->nmails++;
	t->groups[t->ngroups - 1].n++;
}

static void
add_mails(struct tool *t, char **args, const struct message *m)
{
	t->ngroups = 1;
	for (; *args != NULL; args++)
		if (strcmp(*args, "+") == 0)
			t->groups[t->ngroups++].first = t->nmails;
		else
			add_mail(t, *args, m);
}

static void
add_rule(struct tool *t, char *arg)
{
	struct relay *r = &t->relays[t->by.nrules + 1];
	struct relay_rule *rule = &t->rules[t->by.nrules++];
	char *hosts = strchr(arg, '=');

	if (hosts == NULL)
		wrong("-r DOMAIN=HOSTS");
	*hosts++ = '\0';
	r->hosts = hosts;
	r->helo = "client.example.org";
	*rule = (struct relay_rule){ .pattern = arg, .relay = r };
}

static void
log_in(struct tool *t)
{
	t->relays[0].auth = (struct auth_config){ .on = true,
		.mech = "XOAUTH2",
		.user = "joe",
		.secret = t->token,
		.insecure = AUTH_ANYHOW };
	t->cfg.on_secret = on_secret;
}

static void
options(struct tool *t, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+h:r:j:d:x:qtv")) != -1)
		switch (c) {
		case 'h':
			t->relays[0].hosts = optarg;
			break;
		case 'r':
			add_rule(t, optarg);
			break;
		case 'j':
			t->cfg.jobs = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'd':
			t->relays[0].connections =
			    (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'x':
			t->refused = strtoul(optarg, NULL, 10);
			break;
		case 'q':
			t->source.final = NULL;
			break;
		case 't':
			log_in(t);
			break;
		case 'v':
			t->cfg.on_line = on_line;
			t->cfg.worker.show_lines = true;
			break;
		default:
			wrong("usage: see tests/tools/mails.c");
		}
}

static void
prepare(struct tool *t)
{
	t->relays[0].helo = "client.example.org";
	t->by.relay = &t->relays[0];
	t->by.rules = t->rules;
	t->mx.random = draw;
	t->cfg.jobs = 8;
	t->cfg.ctx = t;
	t->source = (struct source){ .next = next,
		.final = final,
		.outcome = outcome,
		.mail_done = mail_done,
		.done = done,
		.ctx = t };
}

static void
on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* As smtpsend.c has it: blocked but while waiting. */
static void
catch_signals(struct waiter *w)
{
	const struct sigaction act = { .sa_handler = on_signal };
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigaction(SIGTERM, &act, NULL);
	sigprocmask(SIG_BLOCK, &term, &w->mask);
	w->stop = &stop;
}

int
main(int argc, char **argv)
{
	static struct tool t;
	struct waiter waiter;
	struct message m;
	struct body *body;
	struct err e;
	size_t i;

	prepare(&t);
	options(&t, argc, argv);
	body = body_read_all(STDIN_FILENO, "the message", "/tmp", &e);
	if (body == NULL ||
	    message_open(&m,
		(struct octets){ body_octets, body, body_size(body) },
		&e) == -1)
		wrong(e.text);
	add_mails(&t, argv + optind, &m);
	catch_signals(&waiter);
	t.cfg.worker.waiter = &waiter;
	deliver(&t.cfg, &t.source);
	for (i = 0; i < t.next; i++)
		if (!t.groups[i].over)
			wrong("a plan that has no end");
	for (i = 0; i < t.nmails; i++)
		envelope_free(&t.envs[i]);
	message_free(&m);
	body_free(body);
	return 0;
}
