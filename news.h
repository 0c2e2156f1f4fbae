/*
 * news: what a worker and its parent tell each other, as records.
 * Written by worker.c and read by deliver.c; an answer goes the other way.
 * It sends and receives nothing, and believes no record that it reads.
 * The project's own design; base/record.h; unix(7) SOCK_SEQPACKET.
 * Ownership: buffers are the caller's; what is read points into its record.
 */
#ifndef NEWS_H
#define NEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/observer.h"
#include "base/record.h"
#include "mail/outcome.h"
#include "net/tls.h"

/* Recipients in one record. */
#define NEWS_RCPTS 8000

enum news_type {
	NEWS_LINE = 1, /* of the dialogue: from, host, text */
	NEWS_FINAL, /* the last octets go out for these recipients next */
	NEWS_OUTCOME, /* these recipients were decided alike */
	NEWS_TLS, /* the connection is private from here on */
	NEWS_STALE, /* the token was refused, with this error, and may be too
		       old: the last record, which decides nobody */
	NEWS_DOWN, /* this server cannot be had: an outcome that is nobody's */
	NEWS_TYPES
};

struct news {
	enum news_type type;
	size_t mail; /* of the recipients: its number in the plan */
	struct field rcpts; /* news_rcpt() reads it */
	struct field text; /* of a line */
	char host[OUTCOME_HOST_MAX]; /* who speaks in it */
	enum line_from from;
	struct outcome outcome; /* `tls` is 1 if the connection was private */
	bool decides; /* there is an outcome, or an error */
	struct tls_facts facts;
};

/* Each appends one record; at most NEWS_RCPTS recipients. */
void news_put_line(
    struct buf *, const char *host, enum line_from, const char *s, size_t n);
void news_put_final(struct buf *, size_t mail, const size_t *rcpts, size_t n);
void news_put_outcome(struct buf *, size_t mail, const size_t *rcpts, size_t n,
    const struct outcome *);
void news_put_tls(struct buf *, const struct tls_facts *);
void news_put_stale(struct buf *, const struct err *);
void news_put_down(struct buf *, const struct outcome *);

/* What one record of n octets says: 0, or -1 if no honest worker sends it. */
int news_read(struct news *, const void *record, size_t n);

/* The recipients it speaks of: how many, and their numbers, which nobody has
 * compared with an envelope yet. */
size_t news_count(const struct news *);
size_t news_rcpt(const struct news *, size_t i);

/* The parent's answer to NEWS_FINAL: ok to go on, or why not. */
void news_put_answer(struct buf *, const struct err *);
/* 0 with *e as it was said, or -1: that is no answer. */
int news_read_answer(struct err *, const void *record, size_t n);

#endif
