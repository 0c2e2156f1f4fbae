/*
 * sign: see sign.h. The octets that are hashed are read from a view, as the
 * dialogue will read them: so what is sent cannot differ from what is signed.
 * Callers: submit.c. It knows no file and no passphrase.
 * RFC 6376 5.3 (7-bit first), 5.4.2; RFC 7489 3.1.1.
 * Ownership: keys are freed, and with that wiped, before it returns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/enc.h"
#include "base/err.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/message.h"
#include "mail/view.h"
#include "queue/sign.h"

#define BLOCK (16u * 1024)
#define FIELDS_MAX ((size_t)1024 * 1024)

/* What one call has at hand. */
struct job {
	const struct sign_config *c; /* borrowed */
	struct crypto *lib; /* owned */
	struct dkim_signer *signers; /* owned, with their keys */
	struct crypto_key **keys; /* owned: one for each signer */
	size_t n;
};

static int
no_memory(struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory to sign");
}

/* ---- whose signatures ---- */

/* The first address that has a domain; it ends the search. So does want of
 * memory, which is all that can be temporary in one of ASCII. */
static int
author_found(void *ctx, const char *item, size_t n, struct address *a,
    const struct err *e)
{
	char *domain = ctx;

	if (a == NULL)
		return e->verdict == ERR_TEMP && !enc_has_8bit(item, n) ? -1
									: 0;
	if (a->kind == DOMAIN_NAME)
		snprintf(domain, ADDRESS_DOMAIN_MAX + 1, "%s", a->ascii);
	address_free(a);
	return 1;
}

/* The author's domain, "" if there is none: 0, or -1 with *e. */
static int
author(
    const struct message *m, char domain[ADDRESS_DOMAIN_MAX + 1], struct err *e)
{
	const struct buf *h = &m->header;
	struct field f = { 0 };
	struct buf text;
	int got = -1;

	domain[0] = '\0';
	if (!header_find(buf_str(h), h->len, "From", &f))
		return 0;
	buf_init(&text, MESSAGE_HEADER_MAX);
	header_unfold(&text, &f);
	if (buf_ok(&text))
		got = address_each(
		    buf_str(&text), text.len, 0, author_found, domain);
	buf_free(&text);
	return got == -1 ? no_memory(e) : 0;
}

static bool
is_within(const char *name, const char *domain)
{
	size_t n = strlen(name), d = strlen(domain);

	return n >= d && strcmp(name + n - d, domain) == 0 &&
	    (n == d || name[n - d - 1] == '.');
}

static void
note_unsigned(const struct sign_config *c, const char *domain)
{
	char text[ADDRESS_DOMAIN_MAX + 128];

	if (c->on_note == NULL)
		return;
	if (domain[0] == '\0')
		snprintf(text, sizeof text,
		    "DKIM: not signed, From has no address with a domain");
	else
		snprintf(text, sizeof text,
		    "DKIM: not signed, From is of %s, which is in no "
		    "dkim_domain",
		    domain);
	c->on_note(c->ctx, text);
}

/* What a verifier will ask for, and how the rest was signed. */
static void
note_signed(const struct sign_config *c, const struct dkim_signer *by)
{
	char text[2 * ADDRESS_DOMAIN_MAX + 64];

	if (c->on_note == NULL)
		return;
	snprintf(text, sizeof text, "DKIM: signed by %s, %s._domainkey.%s",
	    crypto_key_kind(by->key) == CRYPTO_RSA ? "RSA" : "Ed25519",
	    by->selector, by->domain);
	c->on_note(c->ctx, text);
}

/* ---- what is signed ---- */

/*
 * The plainest view there is: every server takes it, and no relay has a
 * reason to change it on its way. *takes is what it was made for.
 */
static int
plainest(
    const struct message *m, struct view *v, unsigned *takes, struct err *e)
{
	static const unsigned tries[] = { 0, VIEW_UTF8, VIEW_8BIT,
		VIEW_8BIT | VIEW_UTF8 };
	size_t i;

	for (i = 0; i < sizeof tries / sizeof tries[0]; i++) {
		*takes = tries[i];
		if (view_make(v, m, *takes, e) == 0)
			return 0;
		if (e->kind != ERR_DATA)
			break;
	}
	return -1;
}

static int
feed(struct dkim *d, const struct view *v, struct err *e)
{
	struct view_reader r;
	char *block = malloc(BLOCK);
	long got;

	if (block == NULL)
		return no_memory(e);
	view_open(&r, v, VIEW_PLAIN);
	while ((got = view_read(&r, block, BLOCK, e)) > 0)
		if (dkim_feed(d, block, (size_t)got, e) == -1) {
			got = -1;
			break;
		}
	view_close(&r);
	free(block);
	return (int)got;
}

static int
make_fields(const struct job *s, const struct view *v, int64_t now,
    struct buf *out, struct err *e)
{
	struct dkim *d = dkim_new(s->lib, s->signers, s->n, e);
	int got = -1;

	if (d != NULL && feed(d, v, e) == 0)
		got = dkim_end(d, now, out, e);
	dkim_free(d);
	return got;
}

static int
sign_view(const struct job *s, struct message *m, int64_t now, struct err *e)
{
	struct buf fields;
	struct view v;
	unsigned takes;
	int got;

	if (plainest(m, &v, &takes, e) == -1)
		return -1;
	buf_init(&fields, FIELDS_MAX);
	got = make_fields(s, &v, now, &fields, e);
	view_free(&v);
	if (got == 0)
		got = message_prepend(m, buf_str(&fields), fields.len, e);
	buf_free(&fields);
	if (got == 0) {
		m->is_signed = true;
		m->signed_takes = takes;
	}
	return got;
}

/* ---- keys ---- */

static int
take_keys(struct job *s, const char *domain, struct err *e)
{
	const struct sign_config *c = s->c;
	size_t i;

	for (i = 0; i < c->n; i++) {
		const struct sign_row *row = &c->rows[i];

		if (!is_within(domain, row->domain))
			continue;
		s->keys[s->n] = c->key(c->ctx, i, s->lib, e);
		if (s->keys[s->n] == NULL)
			return -1;
		s->signers[s->n] = (struct dkim_signer){ row->domain,
			row->selector, row->header, row->body, s->keys[s->n] };
		s->n++;
	}
	return 0;
}

static int
job_open(struct job *s, const char *domain, struct err *e)
{
	s->keys = calloc(s->c->n, sizeof(struct crypto_key *));
	s->signers = calloc(s->c->n, sizeof *s->signers);
	if (s->keys == NULL || s->signers == NULL)
		return no_memory(e);
	s->lib = crypto_open(e);
	return s->lib == NULL ? -1 : take_keys(s, domain, e);
}

static void
job_close(struct job *s)
{
	while (s->n > 0)
		crypto_key_free(s->keys[--s->n]);
	free(s->keys);
	free(s->signers);
	crypto_close(s->lib);
}

int
sign_message(
    const struct sign_config *c, struct message *m, int64_t now, struct err *e)
{
	struct job s = { .c = c };
	char domain[ADDRESS_DOMAIN_MAX + 1];
	size_t i = 0;
	int got;

	if (c->n == 0)
		return 0;
	if (author(m, domain, e) == -1)
		return -1;
	while (i < c->n && !is_within(domain, c->rows[i].domain))
		i++;
	if (i == c->n) {
		note_unsigned(c, domain);
		return 0;
	}
	got = job_open(&s, domain, e);
	if (got == 0)
		got = sign_view(&s, m, now, e);
	for (i = 0; got == 0 && i < s.n; i++)
		note_signed(c, &s.signers[i]);
	job_close(&s);
	return got;
}
