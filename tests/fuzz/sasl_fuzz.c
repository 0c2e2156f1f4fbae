/*
 * sasl_fuzz: hostile challenges to every mechanism, ours and GNU SASL's.
 * The first octet chooses the mechanism, each line after it is a challenge;
 * a "%" in it is the nonce of our first message, so that SCRAM gets beyond
 * its first check. Nobody who does not know the password ever gets to the
 * end of SCRAM or DIGEST-MD5; what is told of errors is fit to be shown.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "net/gsasl.h"
#include "smtp/sasl.h"

#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct sasl_credentials credentials = {
	.user = "user",
	.secret = "pencil",
	.host = "mx.example.net",
	.port = 587,
	.binding_type = "tls-exporter",
	.binding = (const unsigned char *)"0123456789abcdef0123456789abcdef",
	.nbinding = 32,
};

static void
check_shown(const char *s)
{
	uint32_t cp;
	size_t len, n = strlen(s);

	for (size_t i = 0; i < n; i += len) {
		len = enc_utf8(s + i, n - i, &cp);
		MUST(len > 0 && cp >= ' ' && (cp < 0x7f || cp > 0x9f));
	}
}

/* A hundred thousand rounds of hashing are allowed, and take too long. */
static bool
takes_long(const char *s, size_t n)
{
	size_t digits = 0;

	for (size_t i = 0; i < n; i++) {
		digits = s[i] >= '0' && s[i] <= '9' ? digits + 1 : 0;
		if (digits > 3)
			return true;
	}
	return false;
}

/* The challenge with our nonce in it; exactly as long as its memory. */
static char *
challenge(const char *line, size_t n, const struct buf *nonce, size_t *len)
{
	struct buf b;
	char *s;

	buf_init(&b, 1u << 20);
	for (size_t i = 0; i < n; i++)
		if (line[i] == '%')
			buf_add(&b, buf_str(nonce), nonce->len);
		else
			buf_addc(&b, line[i]);
	MUST(buf_ok(&b));
	*len = b.len;
	s = malloc(b.len + (b.len == 0));
	MUST(s != NULL);
	memcpy(s, buf_str(&b), b.len);
	buf_free(&b);
	return s;
}

static bool
say(struct sasl *s, const char *in, size_t n, struct buf *out)
{
	struct err e;

	err_clear(&e);
	buf_reset(out);
	if (sasl_step(s, in, n, out, &e) == 0) {
		MUST(buf_ok(out) && e.verdict == ERR_OK);
		return true;
	}
	MUST(e.verdict != ERR_OK && e.stage == STAGE_AUTH);
	MUST(e.kind == ERR_AUTH || e.kind == ERR_PROTOCOL);
	check_shown(e.text);
	MUST(sasl_done(s, &e) == -1);
	return false;
}

static void
converse(struct sasl *s, const char *p, const char *end, bool proves)
{
	struct buf out, nonce;
	struct err e;
	size_t n, len;
	char *in;
	bool more;

	buf_init(&out, 1u << 16);
	buf_init(&nonce, 1000);
	more = say(s, NULL, 0, &out);
	if (strstr(buf_str(&out), ",r=") != NULL)
		buf_adds(&nonce, strstr(buf_str(&out), ",r=") + 3);
	while (more && p < end) {
		n = (size_t)(end - p);
		if (memchr(p, '\n', n) != NULL)
			n = (size_t)((const char *)memchr(p, '\n', n) - p);
		if (proves && takes_long(p, n))
			break;
		in = challenge(p, n, &nonce, &len);
		more = say(s, in, len, &out);
		free(in);
		p += n + 1;
		MUST(!proves || sasl_done(s, &e) == -1);
	}
	check_shown(sasl_reason(s));
	MUST(strlen(sasl_reason(s)) < 400);
	buf_free(&out);
	buf_free(&nonce);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct gsasl library;
	const struct sasl_mech *m;
	struct sasl *s;
	struct err e;

	if (n == 0)
		return 0;
	if (library.face.ctx == NULL)
		gsasl_init_lazy(&library);
	m = &sasl_mechs[data[0] % sasl_mechs_n];
	if ((m->traits & SASL_ABSENT) != 0)
		return 0;
	s = sasl_begin(m, &credentials, &library.face, &e);
	MUST(s != NULL);
	converse(s, (const char *)data + 1, (const char *)data + n,
	    strstr(m->name, "SCRAM") != NULL ||
		strcmp(m->name, "DIGEST-MD5") == 0);
	sasl_end(s);
	return 0;
}
