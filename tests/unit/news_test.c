/*
 * news: what a worker says is what its parent reads, and no more.
 */
#include "base/buf.h"
#include "news.h"
#include "test.h"

static struct buf b;

static void
begin(void)
{
	buf_init(&b, RECORD_MAX);
}

static int
read_back(struct news *n)
{
	int got = news_read(n, b.data, b.len);

	buf_free(&b);
	return got;
}

TEST(a_line)
{
	struct news n;

	begin();
	news_put_line(&b, "mx.test", LINE_SERVER, "220 hi", 6);
	/* The text is where the record is. */
	CHECK_INT(news_read(&n, b.data, b.len), 0);
	CHECK_INT(n.type, NEWS_LINE);
	CHECK_INT(n.from, LINE_SERVER);
	CHECK_STR(n.host, "mx.test");
	CHECK_INT(n.text.len, 6);
	CHECK(memcmp(n.text.octets, "220 hi", 6) == 0);
	buf_free(&b);
}

TEST(recipients_of_a_mail)
{
	static const size_t rcpts[] = { 3, 70000, 5 };
	struct news n;

	begin();
	news_put_final(&b, 7, rcpts, 3);
	CHECK_INT(news_read(&n, b.data, b.len), 0);
	CHECK_INT(n.type, NEWS_FINAL);
	CHECK_INT(n.mail, 7);
	CHECK_INT(news_count(&n), 3);
	CHECK_INT(news_rcpt(&n, 0), 3);
	CHECK_INT(news_rcpt(&n, 1), 70000);
	CHECK_INT(news_rcpt(&n, 2), 5);
	buf_free(&b);
}

TEST(as_many_as_one_record_takes)
{
	static size_t rcpts[NEWS_RCPTS + 1];
	struct outcome o = { .port = 25 };
	struct news n;

	memset(o.err.text, 'x', sizeof o.err.text - 1);
	begin();
	news_put_outcome(&b, 1, rcpts, NEWS_RCPTS, &o);
	CHECK_INT(read_back(&n), 0);
	begin();
	news_put_outcome(&b, 1, rcpts, NEWS_RCPTS + 1, &o);
	CHECK(!buf_ok(&b));
	buf_free(&b);
}

TEST(an_outcome)
{
	const struct outcome o = { .tls = 4,
		.in_doubt = true,
		.port = 25,
		.err = { .verdict = ERR_TEMP, .text = "why" } };
	static const size_t rcpt = 2;
	struct news n;

	begin();
	news_put_outcome(&b, 0, &rcpt, 1, &o);
	CHECK_INT(read_back(&n), 0);
	CHECK_INT(n.type, NEWS_OUTCOME);
	CHECK_INT(n.outcome.tls, 1);
	CHECK(n.outcome.in_doubt);
	CHECK_STR(n.outcome.err.text, "why");
}

TEST(a_connection)
{
	const struct tls_facts f = {
		.verified = true, .version = "TLSv1.3", .ocsp = "good"
	};
	struct news n;

	begin();
	news_put_tls(&b, &f);
	CHECK_INT(read_back(&n), 0);
	CHECK_INT(n.type, NEWS_TLS);
	CHECK(n.facts.verified);
	CHECK_STR(n.facts.version, "TLSv1.3");
	CHECK_STR(n.facts.cipher, "");
	CHECK_STR(n.facts.ocsp, "good");
}

/* What is not to be had, or too old, has a reason. */
TEST(a_reason_is_an_error)
{
	const struct outcome down = {
		.err = { .verdict = ERR_PERM }, .host = "h", .ip = "::1"
	};
	struct outcome fine = { .host = "h" };
	struct news n;

	begin();
	news_put_down(&b, &down);
	CHECK_INT(read_back(&n), 0);
	CHECK_STR(n.outcome.host, "h");
	CHECK_STR(n.outcome.ip, "::1");
	begin();
	news_put_down(&b, &fine);
	CHECK_INT(read_back(&n), -1);
	begin();
	news_put_stale(&b, &fine.err);
	CHECK_INT(read_back(&n), -1);
	begin();
	news_put_stale(&b, &down.err);
	CHECK_INT(read_back(&n), 0);
}

TEST(an_answer)
{
	struct err e, said;

	err_set(&e, ERR_TEMP, ERR_MACHINE, "the disk is full");
	begin();
	news_put_answer(&b, &e);
	CHECK_INT(news_read_answer(&said, b.data, b.len), 0);
	CHECK_INT(said.verdict, ERR_TEMP);
	CHECK_STR(said.text, "the disk is full");
	CHECK_INT(news_read_answer(&said, b.data, b.len - 1), -1);
	CHECK_INT(news_read_answer(&said, "", 0), -1);
	buf_free(&b);
}

/* Each type with less than it must have, or with what is none of it. */
TEST(what_no_honest_worker_says)
{
	struct news n;
	unsigned type;
	size_t mark;

	for (type = 0; type <= NEWS_TYPES + 1; type++) {
		begin();
		mark = record_begin(&b, type);
		record_end(&b, mark);
		CHECK_INT(read_back(&n), type == NEWS_TLS ? 0 : -1);
	}
	begin();
	mark = record_begin(&b, NEWS_TLS);
	record_number(&b, 63, 1);
	record_end(&b, mark);
	CHECK_INT(read_back(&n), -1);
	CHECK_INT(news_read(&n, "", 0), -1);
	CHECK_INT(news_read(&n, "\2\0\0\0\2\0\0", 7), -1);
}

TEST_MAIN
