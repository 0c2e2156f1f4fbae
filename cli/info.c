/*
 * info: see info.h. Each line of the server with its meaning behind it.
 * Callers: native.c.
 * What a server says is made printable first.
 * RFC 5321 4.1.1.1, RFC 8259.
 * Ownership: borrows what was heard.
 */
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "cli/info.h"
#include "cli/report.h"
#include "smtp/caps.h"

/* Call fn for each line of a part. */
static void
each_line(struct buf *b, const struct buf *lines,
    void (*fn)(struct buf *, const char *, size_t, size_t))
{
	const char *p = buf_str(lines), *end = p + lines->len, *lf;
	size_t i;

	for (i = 0; p < end; i++, p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		fn(b, p, (size_t)(lf - p), i);
	}
}

static void
put_line(struct buf *b, const char *s, size_t n, size_t i)
{
	(void)i;
	buf_adds(b, "  ");
	enc_printable(b, s, n);
	buf_addc(b, '\n');
}

/* A line of EHLO with what it means; the first one is a greeting. */
static void
put_cap(struct buf *b, const char *s, size_t n, size_t i)
{
	const char *words = i > 0 ? caps_words(s, n) : "";
	size_t from = b->len;

	buf_adds(b, "  ");
	enc_printable(b, s, n);
	if (words == NULL)
		words = "not known here";
	while (words[0] != '\0' && b->len - from < 26)
		buf_addc(b, ' ');
	if (words[0] != '\0')
		buf_addf(b, "  %s", words);
	buf_addc(b, '\n');
}

static void
put_facts(struct buf *b, const struct tls_facts *f)
{
	buf_addf(b, "TLS\n  %s %s %s\n", f->version, f->cipher, f->group);
	buf_addf(b, "  certificate for %s\n", f->names);
	buf_addf(b, "  issued by \"%s\"\n", f->issuer);
	buf_addf(b, "  valid until %s\n", f->expires);
	buf_addf(b, "  verified: %s\n", f->verified ? f->how : "no");
	if (f->ocsp[0] != '\0')
		buf_addf(b, "  stapled answer of its authority: %s\n", f->ocsp);
}

static void
put_part(struct buf *b, const char *title, const struct buf *lines,
    void (*fn)(struct buf *, const char *, size_t, size_t))
{
	if (lines->len == 0)
		return;
	buf_addf(b, "%s\n", title);
	each_line(b, lines, fn);
}

static void
put_text(struct buf *b, const struct look *l)
{
	enc_printable(b, l->host, strlen(l->host));
	if (l->ip[0] != '\0' && strcmp(l->ip, l->host) != 0)
		buf_addf(b, " [%s]", l->ip);
	if (l->port != 0)
		buf_addf(b, " port %u", l->port);
	buf_addf(b, ", %s, TLS %s (%s)\n", transport_rows[l->transport].name,
	    tls_level_name(l->level), l->source);
	put_part(b, "greeting", &l->parts[LOOK_GREETING], put_line);
	put_part(b, "offered", &l->parts[LOOK_CLEAR], put_cap);
	if (l->secure)
		put_facts(b, &l->tls);
	put_part(b, "offered over TLS", &l->parts[LOOK_SECURE], put_cap);
}

static void
json_line(struct buf *b, const char *s, size_t n, size_t i)
{
	if (i > 0)
		buf_addc(b, ',');
	enc_json(b, s, n);
}

static void
put_json(struct buf *b, const struct look *l)
{
	static const char *const names[LOOK_PARTS] = { "greeting", "offered",
		"offered_tls" };
	size_t i;

	buf_adds(b, "{\"host\":");
	enc_json(b, l->host, strlen(l->host));
	buf_addf(b, ",\"ip\":\"%s\",\"port\":%u,\"transport\":\"%s\"", l->ip,
	    l->port, transport_rows[l->transport].name);
	for (i = 0; i < LOOK_PARTS; i++) {
		buf_addf(b, ",\"%s\":[", names[i]);
		each_line(b, &l->parts[i], json_line);
		buf_addc(b, ']');
	}
	buf_adds(b, ",\"tls\":");
	report_json_tls(b, l->secure ? &l->tls : NULL);
	buf_adds(b, "}\n");
}

static int
print(const struct look *l, bool json, FILE *out, struct err *e)
{
	struct buf b;
	int got = 0;

	if (l->host[0] == '\0')
		return 0;
	buf_init(&b, 8 * LOOK_MAX);
	if (json)
		put_json(&b, l);
	else
		put_text(&b, l);
	if (!buf_ok(&b))
		got = err_set(e, ERR_TEMP, ERR_MACHINE,
		    "no memory for what the server said");
	else if (fwrite(buf_str(&b), 1, b.len, out) != b.len ||
	    fflush(out) == EOF)
		got = err_set(e, ERR_PERM, ERR_OUTPUT,
		    "cannot write what the server said");
	buf_free(&b);
	return got;
}

int
info_show(const struct look_config *c, bool json, FILE *out, struct err *e)
{
	struct err unwritten;
	struct look l;
	int got = look_at(c, &l, e);

	if (print(&l, json, out, &unwritten) == -1 && got == 0) {
		*e = unwritten;
		got = -1;
	}
	look_free(&l);
	return got;
}
