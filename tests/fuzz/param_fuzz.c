/*
 * param: any value makes lines that fit, in plain ASCII, which a reader of
 * RFC 2045 and RFC 2231 puts together to the value again.
 * The first octet says how full the line is already.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "mail/header.h"
#include "mail/param.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
check_lines(const char *p)
{
	size_t len;

	for (; *p != '\0'; p += len + (p[len] == '\n')) {
		len = strcspn(p, "\n");
		must(len <= HEADER_LINE && len > 0);
		for (size_t i = 0; i < len; i++)
			must(p[i] >= ' ' && p[i] <= '~');
	}
}

/* Behind the ';' at p, white space and the line's end. */
static const char *
skip(const char *p)
{
	must(*p++ == ';');
	p += *p == '\n';
	must(*p++ == ' ');
	return p;
}

/* "name=token" or "name="quoted"": what is behind it. */
static const char *
read_plain(struct buf *out, const char *p)
{
	if (*p != '"') {
		must(strcspn(p, "()<>@,;:\\\"/[]?= ") == strlen(p));
		buf_adds(out, p);
		return p + strlen(p);
	}
	for (p++; *p != '"'; p++) {
		p += *p == '\\';
		must(*p != '\0');
		buf_addc(out, *p);
	}
	return p + 1;
}

static const char *
read_percent(struct buf *out, const char *p)
{
	for (; *p != '\0' && *p != ';'; p++) {
		must(strchr("*'()<>@,:\\\"/[]?= ", *p) == NULL);
		if (*p == '%') {
			int high = enc_hex_digit(p[1]);
			int low = high < 0 ? -1 : enc_hex_digit(p[2]);

			must(low >= 0);
			buf_addc(out, (char)(high << 4 | low));
			p += 2;
		} else
			buf_addc(out, *p);
	}
	return p;
}

static void
read_pieces(struct buf *out, const char *p, int utf8)
{
	char name[32];

	for (unsigned i = 0; *p != '\0'; i++) {
		size_t was = out->len;

		if (i > 0)
			p = skip(p);
		snprintf(name, sizeof name, "p*%u*=%s", i,
		    i > 0      ? ""
			: utf8 ? "utf-8''"
			       : "unknown-8bit''");
		must(strncmp(p, name, strlen(name)) == 0);
		p = read_percent(out, p + strlen(name));
		must(!utf8 || enc_is_utf8(out->data + was, out->len - was));
	}
}

static void
read_param(struct buf *out, const char *p, int utf8)
{
	p = skip(p);
	if (strncmp(p, "p=", 2) == 0)
		p = read_plain(out, p + 2);
	else if (strncmp(p, "p*=utf-8''", 10) == 0)
		p = read_percent(out, p + 10);
	else if (strncmp(p, "p*=unknown-8bit''", 17) == 0)
		p = read_percent(out, p + 17);
	else {
		read_pieces(out, p, utf8);
		return;
	}
	must(*p == '\0');
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	const char *s = (const char *)data + 1;
	struct buf b, again;
	size_t full;

	if (n == 0)
		return 0;
	full = data[0] % 76u + 1;
	n--;
	buf_init(&b, 16 * n + 4096);
	buf_init(&again, n + 1);
	for (size_t i = 0; i < full; i++)
		buf_addc(&b, 'x');
	param_add(&b, "p", s, n);
	must(buf_ok(&b) && strlen(buf_str(&b)) == b.len);
	check_lines(buf_str(&b));
	read_param(&again, buf_str(&b) + full, enc_is_utf8(s, n));
	must(buf_ok(&again) && again.len == n &&
	    (n == 0 || memcmp(again.data, s, n) == 0));
	buf_free(&b);
	buf_free(&again);
	return 0;
}
