/*
 * err: see err.h. Names and exit codes are rows; the enhanced code decides
 * before the basic one, unless its class contradicts the first digit.
 * Callers: everybody. It never prints.
 * RFC 3463 (codes), RFC 5321 4.2.3, sysexits(3).
 * Ownership: plain data.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"

const struct exit_row exit_rows[] = {
	{ EX_OK, "EX_OK", "every recipient was accepted, or is queued" },
	{ 1, "", "a --script expectation or a --probe finding failed" },
	{ EX_USAGE, "EX_USAGE", "usage" },
	{ EX_DATAERR, "EX_DATAERR", "the message is unusable" },
	{ EX_NOINPUT, "EX_NOINPUT", "input cannot be read" },
	{ EX_NOUSER, "EX_NOUSER", "recipient unknown" },
	{ EX_NOHOST, "EX_NOHOST", "host unknown" },
	{ EX_UNAVAILABLE, "EX_UNAVAILABLE", "any other permanent refusal" },
	{ EX_SOFTWARE, "EX_SOFTWARE", "internal error" },
	{ EX_OSERR, "EX_OSERR", "temporary: this machine's own trouble" },
	{ EX_CANTCREAT, "EX_CANTCREAT", "output cannot be written" },
	{ EX_TEMPFAIL, "EX_TEMPFAIL", "temporary: try again later" },
	{ EX_NOPERM, "EX_NOPERM", "refused by policy or credentials" },
	{ EX_CONFIG, "EX_CONFIG", "configuration" },
};
const size_t exit_rows_n = sizeof exit_rows / sizeof exit_rows[0];

/* The verdict is permanent: what decides by kind alone. */
static const int kind_exit[ERR_KINDS] = {
	[ERR_USAGE] = EX_USAGE,
	[ERR_DATA] = EX_DATAERR,
	[ERR_CONFIG] = EX_CONFIG,
	[ERR_INPUT] = EX_NOINPUT,
	[ERR_OUTPUT] = EX_CANTCREAT,
	[ERR_MACHINE] = EX_OSERR,
	[ERR_LOOKUP] = EX_NOHOST,
	[ERR_AUTH] = EX_NOPERM,
	[ERR_INTERNAL] = EX_SOFTWARE,
};

/* RFC 3463 subject and detail; ANY detail. */
#define ANY 1000
static const struct {
	unsigned subject, detail;
	int exit;
} enhanced_exit[] = {
	{ 1, 1, EX_NOUSER },
	{ 1, 3, EX_NOUSER },
	{ 1, 6, EX_NOUSER },
	{ 1, 2, EX_NOHOST },
	{ 1, 10, EX_NOHOST },
	{ 4, 6, EX_UNAVAILABLE },
	{ 6, ANY, EX_DATAERR },
	{ 7, ANY, EX_NOPERM },
};

static const struct {
	enum stage stage; /* STAGE_NONE: any */
	int code;
	int exit;
} code_exit[] = {
	{ STAGE_RCPT, 550, EX_NOUSER },
	{ STAGE_RCPT, 551, EX_NOUSER },
	{ STAGE_RCPT, 553, EX_NOUSER },
	{ STAGE_AUTH, 535, EX_NOPERM },
	{ STAGE_NONE, 556, EX_NOHOST },
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void set(struct err *, enum err_verdict, enum err_kind, const char *fmt,
    va_list) __attribute__((format(printf, 4, 0)));
static void
set(struct err *e, enum err_verdict verdict, enum err_kind kind,
    const char *fmt, va_list ap)
{
	char raw[2 * ERR_TEXT_MAX];
	int n = vsnprintf(raw, sizeof raw, fmt, ap);

	if (n < 0)
		n = 0;
	if ((size_t)n >= sizeof raw)
		n = sizeof raw - 1;
	err_clear(e);
	e->verdict = verdict;
	e->kind = kind;
	enc_printable_str(e->text, sizeof e->text, raw, (size_t)n);
}

int
err_set(struct err *e, enum err_verdict verdict, enum err_kind kind,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, verdict, kind, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_errno(struct err *e, enum err_verdict verdict, enum err_kind kind, int num,
    const char *fmt, ...)
{
	char why[128];
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	set(e, verdict, kind, fmt, ap);
	va_end(ap);
	len = strlen(e->text);
	if (verdict == ERR_TEMP && kind == ERR_MACHINE &&
	    (num == ENOSPC || num == EDQUOT))
		e->enhanced = (struct enhanced){ 4, 3, 1 };
	snprintf(e->text + len, sizeof e->text - len, ": %s",
	    strerror_r(num, why, sizeof why));
	return -1;
}

bool
err_is_shortage(int num)
{
	return num == EMFILE || num == ENFILE || num == ENOMEM ||
	    num == ENOBUFS;
}

bool
err_may_pass(int num)
{
	return err_is_shortage(num) || num == EIO || num == ESTALE;
}

void
err_clear(struct err *e)
{
	/* Not the whole of text: 10,000 recipients would feel it. */
	e->verdict = ERR_OK;
	e->kind = ERR_NONE;
	e->scope = SCOPE_NONE;
	e->stage = STAGE_NONE;
	e->code = 0;
	e->enhanced = (struct enhanced){ 0 };
	e->command[0] = '\0';
	e->text[0] = '\0';
}

const char *
err_kind_name(enum err_kind k)
{
	static const char *const name[ERR_KINDS] = {
		[ERR_NONE] = "none",
		[ERR_REPLY] = "reply",
		[ERR_USAGE] = "usage",
		[ERR_DATA] = "data",
		[ERR_CONFIG] = "config",
		[ERR_INPUT] = "input",
		[ERR_OUTPUT] = "output",
		[ERR_MACHINE] = "machine",
		[ERR_LOOKUP] = "lookup",
		[ERR_CONNECT] = "connect",
		[ERR_TLS] = "tls",
		[ERR_AUTH] = "auth",
		[ERR_PROTOCOL] = "protocol",
		[ERR_INTERNAL] = "internal",
	};

	return name[k];
}

const char *
err_stage_name(enum stage s)
{
	static const char *const name[STAGES] = {
		[STAGE_NONE] = "none",
		[STAGE_INPUT] = "input",
		[STAGE_LOOKUP] = "lookup",
		[STAGE_CONNECT] = "connect",
		[STAGE_GREETING] = "greeting",
		[STAGE_EHLO] = "ehlo",
		[STAGE_STARTTLS] = "starttls",
		[STAGE_XCLIENT] = "xclient",
		[STAGE_AUTH] = "auth",
		[STAGE_MAIL] = "mail",
		[STAGE_RCPT] = "rcpt",
		[STAGE_DATA] = "data",
		[STAGE_END] = "end",
		[STAGE_RSET] = "rset",
		[STAGE_QUIT] = "quit",
	};

	return name[s];
}

const char *
enhanced_str(const struct enhanced *e, char out[ENHANCED_MAX])
{
	out[0] = '\0';
	if (e->class != 0)
		snprintf(out, ENHANCED_MAX, "%u.%u.%u", e->class % 10u,
		    e->subject % 1000u, e->detail % 1000u);
	return out;
}

/* One to three digits at s: octets used, 0 if there is no such number. */
static size_t
number(const char *s, size_t n, unsigned short *v)
{
	size_t i;

	*v = 0;
	for (i = 0; i < n && s[i] >= '0' && s[i] <= '9'; i++) {
		if (i == 3)
			return 0;
		*v = (unsigned short)(*v * 10 + (s[i] - '0'));
	}
	return i;
}

size_t
enhanced_parse(struct enhanced *e, const char *s, size_t n)
{
	struct enhanced got = { 0 };
	size_t a, b;

	*e = got;
	if (n < 5 || (s[0] != '2' && s[0] != '4' && s[0] != '5') || s[1] != '.')
		return 0;
	got.class = (unsigned short)(s[0] - '0');
	a = number(s + 2, n - 2, &got.subject);
	if (a == 0 || 2 + a >= n || s[2 + a] != '.')
		return 0;
	a += 3;
	b = number(s + a, n - a, &got.detail);
	if (b == 0 || (a + b < n && s[a + b] != ' '))
		return 0;
	*e = got;
	return a + b;
}

/* 0 when the enhanced code says nothing: none, x.0.y, or of another class. */
static int
exit_by_enhanced(const struct err *e)
{
	size_t i;

	if (e->enhanced.class == 0 || e->enhanced.subject == 0 ||
	    (e->code != 0 && e->enhanced.class != e->code / 100))
		return 0;
	for (i = 0; i < COUNT(enhanced_exit); i++)
		if (enhanced_exit[i].subject == e->enhanced.subject &&
		    (enhanced_exit[i].detail == ANY ||
			enhanced_exit[i].detail == e->enhanced.detail))
			return enhanced_exit[i].exit;
	/* It says something else: then neither code nor kind says more. */
	return e->kind == ERR_REPLY || e->kind == ERR_LOOKUP ? EX_UNAVAILABLE
							     : 0;
}

static int
exit_by_code(const struct err *e)
{
	size_t i;

	for (i = 0; i < COUNT(code_exit); i++)
		if (code_exit[i].code == e->code &&
		    (code_exit[i].stage == STAGE_NONE ||
			code_exit[i].stage == e->stage))
			return code_exit[i].exit;
	return 0;
}

int
err_exit(const struct err *e)
{
	int code;

	if (e->verdict == ERR_OK)
		return EX_OK;
	if (e->verdict == ERR_TEMP)
		return e->kind == ERR_MACHINE ? EX_OSERR : EX_TEMPFAIL;
	code = exit_by_enhanced(e);
	if (code == 0)
		code = exit_by_code(e);
	if (code == 0)
		code = kind_exit[e->kind];
	return code == 0 ? EX_UNAVAILABLE : code;
}
