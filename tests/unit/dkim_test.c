/*
 * dkim_test: canonical forms, what is signed, and the field.
 * Run by make unit and script/test; verifiers of others have their say in
 * tests/servers/dkim.bats.
 * RFC 6376 3.4.5 (examples of canonical forms), 5.4.2; RFC 8463 A.
 */
#include "base/buf.h"
#include "base/crypto.h"
#include "base/enc.h"
#include "base/err.h"
#include "mail/dkim.h"
#include "mail/header.h"
#include "tests/unit/dkim_keys.h"
#include "tests/unit/test.h"

#define MAX (1024 * 1024)

static void
take(void *ctx, const void *p, size_t n)
{
	buf_add(ctx, p, n);
}

static void
body(struct buf *out, enum dkim_form form, const char *p, size_t n, size_t step)
{
	struct dkim_body b;
	size_t len;

	dkim_body_init(&b, form, (struct dkim_sink){ take, out });
	for (; n > 0; p += len, n -= len) {
		len = n < step ? n : step;
		dkim_body_feed(&b, p, len);
	}
	dkim_body_end(&b);
}

static void
check_body(enum dkim_form form, const char *p, const char *want)
{
	struct buf out;
	size_t step;

	buf_init(&out, MAX);
	for (step = 1; step <= strlen(p) + 1; step++) {
		buf_reset(&out);
		body(&out, form, p, strlen(p), step);
		CHECK_STR(buf_str(&out), want);
	}
	buf_free(&out);
}

static void
check_field(enum dkim_form form, const char *p, const char *want)
{
	struct buf out;

	buf_init(&out, MAX);
	dkim_field(&out, form, p, strlen(p));
	CHECK_STR(buf_str(&out), want);
	buf_free(&out);
}

/* ---- canonical forms ---- */

/* RFC 6376 3.4.5. */
TEST(examples_of_the_rfc)
{
	static const char text[] = " C \r\nD \t E\r\n\r\n\r\n";

	check_field(DKIM_RELAXED, "A: X\n", "a:X\r\n");
	check_field(DKIM_RELAXED, "B : Y\t\n\tZ  \n", "b:Y Z\r\n");
	check_body(DKIM_RELAXED, text, " C\r\nD E\r\n");
	check_field(DKIM_SIMPLE, "A: X\n", "A: X\r\n");
	check_field(DKIM_SIMPLE, "B : Y\t\n\tZ  \n", "B : Y\t\r\n\tZ  \r\n");
	check_body(DKIM_SIMPLE, text, " C \r\nD \t E\r\n");
}

/* RFC 6376 3.4.3, 3.4.4: nothing, and nothing but line ends. */
TEST(bodies_without_text)
{
	check_body(DKIM_SIMPLE, "", "\r\n");
	check_body(DKIM_SIMPLE, "\r\n\r\n", "\r\n");
	check_body(DKIM_SIMPLE, " \r\n", " \r\n");
	check_body(DKIM_RELAXED, "", "");
	check_body(DKIM_RELAXED, "\r\n\r\n", "");
	check_body(DKIM_RELAXED, " \t\r\n \r\n", "");
}

TEST(ends_of_lines)
{
	check_body(DKIM_SIMPLE, "a", "a\r\n");
	check_body(DKIM_RELAXED, "a \t", "a\r\n");
	check_body(DKIM_SIMPLE, "a\r\n\r\nb\r\n\r\n", "a\r\n\r\nb\r\n");
	check_body(DKIM_RELAXED, "a\r\n \r\nb\r\n \r\n", "a\r\n\r\nb\r\n");
	/* What no view gives is text. */
	check_body(DKIM_SIMPLE, "a\rb\nc\r", "a\rb\nc\r\r\n");
	check_body(DKIM_RELAXED, "a \rb\r\r\n", "a \rb\r\r\n");
}

TEST(a_body_larger_than_the_buffer)
{
	struct buf in, out;
	int i;

	buf_init(&in, MAX);
	buf_init(&out, MAX);
	for (i = 0; i < 3000; i++)
		buf_adds(&in, "word \r\n");
	body(&out, DKIM_RELAXED, in.data, in.len, 1000);
	CHECK_INT(out.len, 3000 * 6);
	buf_reset(&out);
	body(&out, DKIM_SIMPLE, in.data, in.len, 1000);
	CHECK_MEM(out.data, out.len, in.data, in.len);
	buf_free(&in);
	buf_free(&out);
}

TEST(fields_relaxed)
{
	check_field(DKIM_RELAXED, "SUBJect:AbC\n", "subject:AbC\r\n");
	check_field(DKIM_RELAXED, "a:\n\n", "a:\r\n");
	check_field(DKIM_RELAXED, "a: \n \t\n", "a:\r\n");
	check_field(DKIM_RELAXED, "a:\n b\n  c: d", "a:b c: d\r\n");
	check_field(DKIM_SIMPLE, "a: b", "a: b");
}

/* ---- what is signed ---- */

static void
check_names(const char *header, const char *want)
{
	struct buf out;

	buf_init(&out, MAX);
	dkim_names(&out, header, strlen(header));
	CHECK_STR(buf_str(&out), want);
	buf_free(&out);
}

TEST(fields_are_named_once_too_often)
{
	check_names("",
	    "From:Reply-To:Subject:To:Cc:MIME-Version:Content-Type:"
	    "Content-Transfer-Encoding:In-Reply-To:References");
	check_names(RFC_HEADER,
	    "From:From:Reply-To:Subject:Subject:Date:Date:Message-ID:"
	    "Message-ID:To:To:Cc:MIME-Version:Content-Type:"
	    "Content-Transfer-Encoding:In-Reply-To:References");
	/* Those of a list or of a resent message may come again, trace
	 * fields are not ours. */
	check_names("Received: by x\nDKIM-Signature: a\nReturn-Path: <>\n"
		    "X-Mailer: y\nBcc: z\nsender: b\nLIST-ID: c\n"
		    "Resent-To: d\nResent-To: e\nFrom: f\n",
	    "From:From:Sender:Sender:Reply-To:Subject:To:Cc:MIME-Version:"
	    "Content-Type:Content-Transfer-Encoding:In-Reply-To:References:"
	    "Resent-To:Resent-To:List-Id");
}

TEST(so_many_of_one_name)
{
	struct buf header, out;
	size_t i, n = 0;

	buf_init(&header, MAX);
	buf_init(&out, MAX);
	for (i = 0; i < 3 * DKIM_SAME_NAME_MAX; i++)
		buf_adds(&header, "List-Post: x\n");
	dkim_names(&out, header.data, header.len);
	for (i = 0; i + 9 <= out.len; i++)
		n += memcmp(out.data + i, "List-Post", 9) == 0;
	CHECK_INT(n, DKIM_SAME_NAME_MAX);
	buf_free(&header);
	buf_free(&out);
}

static void
check_input(const char *text, const char *names, const char *want)
{
	struct buf out, header, sig;

	buf_init(&out, MAX);
	buf_init(&header, MAX);
	buf_init(&sig, MAX);
	buf_adds(&header, text);
	buf_adds(&sig, "S: b=\n");
	dkim_input(&out, DKIM_RELAXED, &header, names, &sig);
	CHECK_STR(buf_str(&out), want);
	buf_free(&out);
	buf_free(&header);
	buf_free(&sig);
}

/* RFC 6376 5.4.2: from the last one up; those that are not there are "". */
TEST(fields_are_taken_from_below)
{
	check_input("A: 1\nB: 2\na: 3\nA: 4\n", "a:A : b\n :a:c",
	    "a:4\r\na:3\r\nb:2\r\na:1\r\ns:b=");
	check_input("A: 1\n", "a:a", "a:1\r\ns:b=");
	check_input("", "from", "s:b=");
	check_input("A: 1\nAB: 2\n", ":a::", "a:1\r\ns:b=");
}

/* ---- signatures ---- */

struct lab {
	struct crypto *lib;
	struct crypto_key *ed25519, *rsa;
};

static struct crypto_key *
key_of(const struct crypto *c, const char *text)
{
	struct crypto_key *k;
	struct buf b;
	struct err e;

	buf_init(&b, MAX);
	buf_adds(&b, text);
	k = crypto_key_read(c, &b, NULL, &e);
	buf_free(&b);
	return k;
}

static struct lab
lab_open(void)
{
	struct err e;
	struct lab l = { .lib = crypto_open(&e) };

	if (l.lib == NULL) {
		printf("Bail out! %s\n", e.text);
		exit(1);
	}
	l.ed25519 = key_of(l.lib, RFC_ED25519_KEY);
	l.rsa = key_of(l.lib, RFC_RSA_KEY);
	return l;
}

static void
lab_close(struct lab *l)
{
	crypto_key_free(l->ed25519);
	crypto_key_free(l->rsa);
	crypto_close(l->lib);
}

static void
check_signature(const struct lab *l, const struct crypto_key *key,
    const char *field, const char *names, const char *want)
{
	unsigned char hash[CRYPTO_HASH_SIZE];
	struct buf input, header, sig;
	struct crypto_hash *h;
	struct err e;

	buf_init(&input, MAX);
	buf_init(&header, MAX);
	buf_init(&sig, MAX);
	buf_adds(&header, RFC_HEADER);
	buf_adds(&sig, field);
	dkim_input(&input, DKIM_RELAXED, &header, names, &sig);
	h = crypto_hash_new(l->lib, &e);
	crypto_hash_add(h, input.data, input.len);
	crypto_hash_end(h, hash, &e);
	crypto_hash_free(h);
	buf_reset(&input);
	buf_reset(&sig);
	CHECK_INT(crypto_key_sign(key, hash, &input, &e), 0);
	enc_base64(&sig, input.data, input.len);
	CHECK_STR(buf_str(&sig), want);
	buf_free(&input);
	buf_free(&header);
	buf_free(&sig);
}

/* RFC 8463 A.3: both kinds of signature say the same each time. */
TEST(rfc8463_example)
{
	struct lab l = lab_open();

	check_signature(&l, l.ed25519, RFC_ED25519_FIELD, RFC_ED25519_NAMES,
	    RFC_ED25519_SIGNATURE);
	check_signature(
	    &l, l.rsa, RFC_RSA_FIELD, RFC_RSA_NAMES, RFC_RSA_SIGNATURE);
	lab_close(&l);
}

/* The message, as the wire has it. */
static void
wire(struct buf *out, const char *header, const char *text)
{
	for (; *header != '\0'; header++) {
		if (*header == '\n')
			buf_addc(out, '\r');
		buf_addc(out, *header);
	}
	buf_adds(out, "\r\n");
	buf_adds(out, text);
}

static void
sign(const struct lab *l, const struct dkim_signer *s, size_t n, size_t step,
    const struct buf *message, struct buf *out)
{
	struct err e;
	struct dkim *d = dkim_new(l->lib, s, n, &e);
	size_t at, len;

	for (at = 0; at < message->len; at += len) {
		len = message->len - at < step ? message->len - at : step;
		CHECK_INT(dkim_feed(d, message->data + at, len, &e), 0);
	}
	CHECK_INT(dkim_end(d, 1528637909, out, &e), 0);
	dkim_free(d);
}

static size_t
longest_line(const char *p)
{
	size_t max = 0, n;

	for (; *p != '\0'; p += n + (p[n] == '\n')) {
		n = strcspn(p, "\n");
		max = n > max ? n : max;
	}
	return max;
}

TEST(the_field)
{
	static const char want[] =
	    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\n"
	    "\td=football.example.com; s=brisbane; t=1528637909; "
	    "h=From:From:Reply-To:\n"
	    "\tSubject:Subject:Date:Date:Message-ID:Message-ID:To:To:Cc:"
	    "MIME-Version:\n"
	    "\tContent-Type:Content-Transfer-Encoding:In-Reply-To:References;"
	    "\n\tbh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=";
	struct lab l = lab_open();
	const struct dkim_signer s = { "football.example.com", "brisbane",
		DKIM_RELAXED, DKIM_RELAXED, l.ed25519 };
	struct buf message, out, again;
	size_t step;

	buf_init(&message, MAX);
	buf_init(&out, MAX);
	buf_init(&again, MAX);
	wire(&message, RFC_HEADER, RFC_BODY);
	sign(&l, &s, 1, message.len, &message, &out);
	CHECK_MEM(out.data, sizeof want - 1, want, sizeof want - 1);
	CHECK(longest_line(buf_str(&out)) <= HEADER_LINE);
	CHECK_INT(out.data[out.len - 1], '\n');
	for (step = 1; step < 40; step++) {
		buf_reset(&again);
		sign(&l, &s, 1, step, &message, &again);
		CHECK_STR(buf_str(&again), buf_str(&out));
	}
	buf_free(&message);
	buf_free(&out);
	buf_free(&again);
	lab_close(&l);
}

/* Two are what each would be alone, in the order asked for. */
TEST(two_signatures)
{
	struct lab l = lab_open();
	const struct dkim_signer s[] = {
		{ "example.com", "one", DKIM_SIMPLE, DKIM_SIMPLE, l.rsa },
		{ "example.com", "two", DKIM_RELAXED, DKIM_RELAXED, l.ed25519 }
	};
	struct buf message, both, each;

	buf_init(&message, MAX);
	buf_init(&both, MAX);
	buf_init(&each, MAX);
	wire(&message, RFC_HEADER, RFC_BODY);
	sign(&l, s, 2, 100, &message, &both);
	sign(&l, &s[0], 1, 100, &message, &each);
	sign(&l, &s[1], 1, 100, &message, &each);
	CHECK_STR(buf_str(&both), buf_str(&each));
	CHECK(strstr(buf_str(&both), "c=simple/simple;") != NULL);
	CHECK(strstr(buf_str(&both), "c=relaxed/relaxed;") != NULL);
	buf_free(&message);
	buf_free(&both);
	buf_free(&each);
	lab_close(&l);
}

/* The blank line may be missing, or be all there is. */
TEST(messages_without_a_body)
{
	struct lab l = lab_open();
	const struct dkim_signer s = { "example.com", "s", DKIM_RELAXED,
		DKIM_RELAXED, l.ed25519 };
	static const char *const texts[] = { "From: a@example.com\r\n",
		"From: a@example.com\r\n\r\n", "\r\n", "" };
	struct buf message, out;
	size_t i;

	buf_init(&message, MAX);
	buf_init(&out, MAX);
	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		buf_reset(&message);
		buf_reset(&out);
		buf_adds(&message, texts[i]);
		sign(&l, &s, 1, 1, &message, &out);
		/* RFC 6376 3.4.4: the SHA-256 of nothing. */
		CHECK(strstr(buf_str(&out),
			  "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;") !=
		    NULL);
	}
	buf_free(&message);
	buf_free(&out);
	lab_close(&l);
}

/* Names may be so long that they have lines of their own. */
TEST(long_names)
{
	char label[64], domain[256];
	struct lab l = lab_open();
	struct dkim_signer s = { domain, label, DKIM_RELAXED, DKIM_RELAXED,
		l.rsa };
	struct buf message, out;

	memset(label, 'a', 63);
	label[63] = '\0';
	snprintf(domain, sizeof domain, "%s.%s.%s.%.61s", label, label, label,
	    label);
	buf_init(&message, MAX);
	buf_init(&out, MAX);
	wire(&message, RFC_HEADER, RFC_BODY);
	sign(&l, &s, 1, 100, &message, &out);
	CHECK_INT(longest_line(buf_str(&out)), 1 + 2 + 253 + 1);
	buf_free(&message);
	buf_free(&out);
	lab_close(&l);
}

TEST_MAIN
