/*
 * spool COMMAND FOLDER [ID|SENDER]: one operation on a queue's folder, for
 * tests that end it at each system call, or let that fail.
 *
 *	put [SENDER]	the message on standard input, for two recipients;
 *			prints its id
 *	add [SENDER]	the same in a folder that all add to
 *	refuse ID	note that servers refused it for both
 *	report ID	make the reports that are due, which prints their ids,
 *			and remove it then, as the runner does
 *	note ID		five notes, one behind the other; prints the number of
 *			each once it is sure to last
 *	show ID		lock it; prints how many of them are there, and the
 *			message behind that line
 *	remove ID
 *	recover		sweep; prints each entry's id, or what is the matter
 *
 * The status is err_exit()'s, with the sentence on standard error; for what
 * spool_lock() says it is 10 (busy), 11 (gone), 12 (broken).
 */
#include <sys/random.h>
#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "mail/envelope.h"
#include "queue/folder.h"
#include "queue/reports.h"
#include "queue/spool.h"
#include "store/body.h"

#define NOTES 5

static const struct entry_now now = { 1767225600000, 5000000 };

static void
draw(void *to, size_t n)
{
	if (getrandom(to, n, 0) != (ssize_t)n)
		abort();
}

static int
failed(const struct err *e)
{
	fprintf(stderr, "%s\n", e->text);
	return err_exit(e);
}

static int
add(struct envelope *env, const char *s, struct err *e)
{
	struct address a;

	if (address_parse(&a, s, strlen(s), 0, e) == -1)
		return -1;
	return envelope_add(env, &a, s, strlen(s));
}

static int
put_message(struct folder *f, const char *sender, const struct message *m,
    struct err *e)
{
	struct envelope env;
	struct entry_new new = { .env = &env };
	char id[ENTRY_ID_SIZE];
	int rc = -1;

	envelope_init(&env);
	if (address_parse(
		&env.sender, sender, strlen(sender), ADDRESS_NULL, e) == 0 &&
	    add(&env, "bob@x.test", e) == 0 && add(&env, "eve@x.test", e) == 0)
		rc = spool_put(f, &new, m, &now, id, e);
	envelope_free(&env);
	if (rc == 0)
		puts(id);
	return rc;
}

static int
put(struct folder *f, const char *sender, struct err *e)
{
	struct message m;
	struct body *b = body_read_all(STDIN_FILENO, "the message", "/tmp", e);
	int rc;

	if (b == NULL)
		return failed(e);
	rc = message_open(
	    &m, (struct octets){ body_octets, b, body_size(b) }, e);
	if (rc == 0)
		rc = put_message(f, sender, &m, e);
	message_free(&m);
	body_free(b);
	return rc == 0 ? 0 : failed(e);
}

/* Locked: 0, or the exit status. */
static int
lock(struct folder *f, const char *id, struct spool_item **it, struct err *e)
{
	enum spool_got got = spool_lock(f, id, &now, it, e);

	if (got == SPOOL_LOCKED)
		return 0;
	if (got == SPOOL_ERROR)
		return failed(e);
	if (got == SPOOL_BROKEN)
		failed(e);
	return 9 + (int)got;
}

static int
note(struct spool_item *it, int number, struct err *e)
{
	static const size_t both[] = { 0, 1 };
	struct outcome o = { .port = 25 };

	switch (number) {
	case 1:
		return spool_note_final(it, both, 2, e);
	case 2:
		err_clear(&o.err);
		return spool_note_outcome(it, both, 1, &o, 1, e);
	case 3:
		err_set(&o.err, ERR_TEMP, ERR_REPLY, "not now");
		return spool_note_outcome(it, both + 1, 1, &o, 2, e);
	case 4:
		return spool_note_try(it, 3, 4, e);
	default:
		return spool_note_hold(it, true, e);
	}
}

/* How many of them are there. */
static int
noted(const struct entry *en)
{
	if (en->hold)
		return 5;
	if (en->tries == 4 || en->env.n < 2)
		return 4;
	if (en->env.rcpts[1].outcome.state == OUTCOME_DEFERRED)
		return 3;
	if (en->env.rcpts[0].outcome.state == OUTCOME_DELIVERED)
		return 2;
	return en->rcpts[0].doubt;
}

static int
note_all(struct folder *f, const char *id, struct err *e)
{
	struct spool_item *it;
	int status = lock(f, id, &it, e);

	if (status != 0)
		return status;
	for (int i = noted(spool_entry(it)) + 1; status == 0 && i <= NOTES;
	     i++) {
		if (note(it, i, e) == -1)
			status = failed(e);
		else
			printf("%d\n", i);
	}
	spool_unlock(it);
	return status;
}

static int
show(struct folder *f, const char *id, struct err *e)
{
	struct spool_item *it;
	struct octets o;
	char block[4096];
	uint64_t off = 0;
	long got;
	int status = lock(f, id, &it, e);

	if (status != 0)
		return status;
	printf("%d\n", noted(spool_entry(it)));
	o = spool_octets(it);
	while ((got = o.read(o.ctx, off, block, sizeof block, e)) > 0) {
		fwrite(block, 1, (size_t)got, stdout);
		off += (uint64_t)got;
	}
	spool_unlock(it);
	return got == 0 ? 0 : failed(e);
}

static int
refuse(struct folder *f, const char *id, struct err *e)
{
	static const size_t both[] = { 0, 1 };
	struct outcome o = { .port = 25, .host = "mx.x.test" };
	struct spool_item *it;
	int status = lock(f, id, &it, e);

	err_set(&o.err, ERR_PERM, ERR_REPLY, "550 5.1.1 No such user");
	o.err.stage = STAGE_RCPT;
	o.err.code = 550;
	o.err.enhanced = (struct enhanced){ 5, 1, 1 };
	if (status == 0 &&
	    spool_note_outcome(it, both, 2, &o, now.wall + 60000, e) == -1)
		status = failed(e);
	spool_unlock(it);
	return status;
}

static void
on_report(void *ctx, const struct entry *en, enum dsn_kind kind, const char *id)
{
	(void)ctx, (void)en, (void)kind;
	puts(id);
}

static int
report(struct folder *f, const char *id, struct err *e)
{
	struct reports_config c = { .folder = f,
		.host = "relay.test",
		.zone = 60,
		.on_report = on_report };
	struct spool_item *it;
	int status = lock(f, id, &it, e);

	if (status == 0 &&
	    (reports_due(&c, it, &now, false, e) == -1 ||
		(!reports_is_double(spool_entry(it)) &&
		    spool_remove(it, e) == -1)))
		status = failed(e);
	spool_unlock(it);
	return status;
}

static int
remove_it(struct folder *f, const char *id, struct err *e)
{
	struct spool_item *it;
	int status = lock(f, id, &it, e);

	if (status == 0 && spool_remove(it, e) == -1)
		status = failed(e);
	spool_unlock(it);
	return status;
}

static int
tell(void *ctx, const struct entry *en, const struct err *why)
{
	(void)ctx;
	puts(why == NULL ? en->id : why->text);
	return 0;
}

static int
recover(struct folder *f, const char *id, struct err *e)
{
	(void)id;
	return spool_sweep(f, e) == 0 && spool_list(f, &now, tell, NULL, e) == 0
	    ? 0
	    : failed(e);
}

static const struct command {
	const char *name;
	int (*run)(struct folder *, const char *id, struct err *);
	enum folder_kind kind;
} commands[] = {
	{ "put", put, FOLDER_OWN },
	{ "add", put, FOLDER_ADD },
	{ "note", note_all, FOLDER_OWN },
	{ "refuse", refuse, FOLDER_OWN },
	{ "report", report, FOLDER_OWN },
	{ "show", show, FOLDER_OWN },
	{ "remove", remove_it, FOLDER_OWN },
	{ "recover", recover, FOLDER_OWN },
};

static int
run(const struct command *c, char **argv)
{
	struct folder_config config = { .kind = c->kind,
		.path = argv[2],
		.make = c->run == put,
		.draw = draw };
	struct folder *f;
	struct err e;
	int status = folder_open(&f, &config, &e);

	/* Where there is none, nothing is queued. */
	if (status != 0)
		return status == 1 ? 0 : failed(&e);
	umask(077); /* as many have it */
	status = c->run(f, argv[3] == NULL ? "" : argv[3], &e);
	folder_close(f);
	return status;
}

int
main(int argc, char **argv)
{
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; argc > 2 && i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return run(&commands[i], argv);
	return 64;
}
