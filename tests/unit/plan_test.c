/*
 * mx: many mails in one plan. Domains are address literals, so nobody is
 * asked; mx_test.c has what is looked up.
 * RFC 5321 5.1, 3.3.
 */
#include "base/err.h"
#include "mail/envelope.h"
#include "mx.h"
#include "test.h"

#define MAILS 4

static struct trial {
	struct relay relays[2];
	struct relays by[2];
	struct envelope envs[MAILS];
	struct mail mails[MAILS];
	struct plan plan;
	struct mx_config c;
	struct err e;
	char text[1024];
} t;

static void
trial_begin(void)
{
	size_t i;

	memset(&t, 0, sizeof t);
	for (i = 0; i < 2; i++) {
		t.relays[i].port = 25;
		t.by[i].relay = &t.relays[i];
	}
	for (i = 0; i < MAILS; i++) {
		envelope_init(&t.envs[i]);
		t.mails[i] = (struct mail){ .env = &t.envs[i], .by = &t.by[0] };
	}
}

static void
trial_end(void)
{
	size_t i;

	plan_free(&t.plan);
	for (i = 0; i < MAILS; i++)
		envelope_free(&t.envs[i]);
}

static void
add(size_t mail, const char *rcpt)
{
	struct address a;

	CHECK_INT(
	    address_parse(&a, rcpt, strlen(rcpt), ADDRESS_POSTMASTER, &t.e), 0);
	CHECK_INT(envelope_add(&t.envs[mail], &a, rcpt, strlen(rcpt)), 0);
}

static void
lot_text(const struct lot *l)
{
	size_t i, n = strlen(t.text);

	n += (size_t)snprintf(t.text + n, sizeof t.text - n, " %zu:", l->mail);
	for (i = 0; i < l->n; i++)
		n += (size_t)snprintf(t.text + n, sizeof t.text - n, "%s%s",
		    i > 0 ? "," : "", t.envs[l->mail].rcpts[l->rcpts[i]].given);
}

/* "HOST MAIL:RCPT,RCPT MAIL:RCPT; HOST ..." */
static void
check_plan(const char *want)
{
	const struct route *r;
	size_t i, k, n;

	CHECK_INT(mx_plan(&t.c, t.mails, MAILS, &t.plan, &t.e), 0);
	CHECK(t.plan.mails == t.mails);
	CHECK_INT(t.plan.nmails, MAILS);
	for (i = 0; i < t.plan.n; i++) {
		r = &t.plan.routes[i];
		n = strlen(t.text);
		snprintf(t.text + n, sizeof t.text - n, "%s%s",
		    i > 0 ? "; " : "", r->targets[0].host);
		for (k = 0, n = 0; k < r->nlots; n += r->lots[k++].n) {
			CHECK(r->lots[k].rcpts == r->rcpts + n);
			lot_text(&r->lots[k]);
		}
		CHECK_INT(n, r->n);
	}
	CHECK_STR(t.text, want);
}

TEST(mails_to_one_host_share_a_route)
{
	trial_begin();
	add(0, "a@[203.0.113.1]");
	add(0, "b@[203.0.113.2]");
	add(0, "c@[203.0.113.1]");
	add(1, "d@[203.0.113.2]");
	add(3, "e@[203.0.113.1]");
	check_plan("203.0.113.1 0:a@[203.0.113.1],c@[203.0.113.1] "
		   "3:e@[203.0.113.1]; "
		   "203.0.113.2 0:b@[203.0.113.2] 1:d@[203.0.113.2]");
	trial_end();
}

/* One account's login is not the other's. */
TEST(another_relay_is_another_route)
{
	trial_begin();
	t.mails[1].by = &t.by[1];
	add(0, "a@[203.0.113.1]");
	add(1, "b@[203.0.113.1]");
	add(2, "c@[203.0.113.1]");
	check_plan("203.0.113.1 0:a@[203.0.113.1] 2:c@[203.0.113.1]; "
		   "203.0.113.1 1:b@[203.0.113.1]");
	CHECK(t.plan.routes[0].relay == &t.relays[0]);
	CHECK(t.plan.routes[1].relay == &t.relays[1]);
	trial_end();
}

TEST(a_relay_has_one_route_for_all_mails)
{
	trial_begin();
	t.relays[1].hosts = "203.0.113.9";
	t.mails[0].by = t.mails[2].by = &t.by[1];
	add(0, "a@one.test");
	add(0, "b@two.test");
	add(2, "c@three.test");
	check_plan("203.0.113.9 0:a@one.test,b@two.test 2:c@three.test");
	trial_end();
}

TEST(a_rule_is_for_its_own_mail)
{
	const struct relay_rule rule = { "*", &t.relays[0] };

	trial_begin();
	t.relays[0].hosts = "203.0.113.8";
	t.relays[1].hosts = "203.0.113.9";
	t.by[1].rules = &rule;
	t.by[1].nrules = 1;
	t.mails[1].by = &t.by[1];
	add(0, "a@one.test");
	add(1, "b@one.test");
	check_plan("203.0.113.8 0:a@one.test 1:b@one.test");
	trial_end();
}

/* A queue's recipients that have an outcome keep it. */
TEST(who_is_decided_is_in_no_route)
{
	trial_begin();
	add(0, "a@[203.0.113.1]");
	add(0, "b@[203.0.113.1]");
	add(1, "c@[203.0.113.1]");
	t.envs[0].rcpts[0].outcome.state = OUTCOME_DELIVERED;
	t.envs[1].rcpts[0].outcome.state = OUTCOME_FAILED;
	check_plan("203.0.113.1 0:b@[203.0.113.1]");
	CHECK_INT(t.envs[0].rcpts[0].outcome.state, OUTCOME_DELIVERED);
	CHECK_INT(t.envs[0].rcpts[1].outcome.state, OUTCOME_PENDING);
	trial_end();
}

TEST(who_cannot_be_routed_is_decided_in_his_envelope)
{
	trial_begin();
	add(0, "a@[203.0.113.1]");
	add(1, "postmaster");
	check_plan("203.0.113.1 0:a@[203.0.113.1]");
	CHECK_INT(t.envs[1].rcpts[0].outcome.state, OUTCOME_FAILED);
	CHECK_INT(t.envs[0].rcpts[0].outcome.state, OUTCOME_PENDING);
	trial_end();
}

TEST(no_mail_is_no_route)
{
	trial_begin();
	check_plan("");
	plan_free(&t.plan);
	CHECK_INT(mx_plan(&t.c, NULL, 0, &t.plan, &t.e), 0);
	CHECK_INT(t.plan.n, 0);
	trial_end();
}

TEST_MAIN
