/*
 * idna: see idna.h. libidn2 does the mapping and the rules of each script; it
 * is loaded for the first name that needs it, by one table of symbols.
 * Callers: cli, net/spec.c, mail/address.c.
 * UTS 46 maps some characters to ASCII that no name may have ("a/c" is one
 * character), so what the library returns is checked like what was typed.
 * RFC 5891 5, RFC 5892, RFC 5893; idn2_to_ascii_8z(3).
 * Ownership: the library stays loaded; its strings are given back to it.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

#include <idn2.h>

#include "base/enc.h"
#include "base/err.h"
#include "base/idna.h"
#include "base/library.h"

#define LIBRARY "libidn2.so.0"
#define LABEL_MAX 63 /* octets, RFC 1035 2.3.4 */
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* As typed: 59 letters of 4 octets to a label are as much as can be right. */
#define TYPED_MAX 1024

/* ---- ASCII ---- */

/* Underscores are no part of RFC 3696 2, but of names in daily use. */
static bool
is_label_octet(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

bool
idna_is_hostname(const char *s, size_t n)
{
	size_t start = 0;

	if (n > 0 && s[n - 1] == '.')
		n--;
	if (n == 0 || n >= IDNA_NAME_MAX)
		return false;
	for (size_t i = 0; i <= n; i++) {
		if (i < n && is_label_octet(s[i]))
			continue;
		if ((i < n && s[i] != '.') || i == start ||
		    i - start > LABEL_MAX || s[start] == '-' || s[i - 1] == '-')
			return false;
		start = i + 1;
	}
	return true;
}

static int
refuse(struct err *e, const char *why)
{
	return err_set(e, ERR_PERM, ERR_DATA, "%s", why);
}

/* A name in A-labels, into lower case. */
static int
take_ascii(const char *s, size_t n, char out[IDNA_NAME_MAX], struct err *e)
{
	if (!idna_is_hostname(s, n) || n >= IDNA_NAME_MAX)
		return refuse(e, "it is no host name");
	for (size_t i = 0; i < n; i++)
		out[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] - 'A' + 'a'
							   : s[i]);
	out[n] = '\0';
	return 0;
}

/* ---- the library ---- */

/* All that is called in it, a row each. */
#define SYMBOLS(X)                                                             \
	X(idn2_free)                                                           \
	X(idn2_strerror)                                                       \
	X(idn2_to_ascii_8z)

struct library {
	void *handle; /* dlopen(3)'s */
#define FIELD(name) __typeof__(name) *(name);
	SYMBOLS(FIELD)
#undef FIELD
};

/* It stays in the process, so that the next name finds it there. */
static int
library_load(struct library *l, struct err *e)
{
	const char *missing = NULL;

	l->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (l->handle == NULL)
		return err_set(e, ERR_TEMP, ERR_MACHINE,
		    "what is not ASCII needs libidn2 (package libidn2-0): %s",
		    dlerror());
#define LOAD(name) library_symbol(l->handle, #name, &l->name, &missing);
	SYMBOLS(LOAD)
#undef LOAD
	if (missing == NULL)
		return 0;
	dlclose(l->handle);
	return err_set(
	    e, ERR_TEMP, ERR_MACHINE, "this libidn2 has no %s", missing);
}

/* The rules that names break, in words for those who typed them. */
static const struct {
	int rc;
	const char *text;
} reasons[] = {
	{ IDN2_TOO_BIG_DOMAIN, "it is longer than 255 octets" },
	{ IDN2_TOO_BIG_LABEL,
	    "one of its labels is longer than 63 octets as xn-- form" },
	{ IDN2_PUNYCODE_BIG_OUTPUT,
	    "one of its labels is longer than 63 octets as xn-- form" },
	{ IDN2_PUNYCODE_BAD_INPUT, "an xn-- label of it is broken" },
	{ IDN2_INVALID_ALABEL, "an xn-- label of it is broken" },
	/* Mostly of what UTS 46 maps to ASCII that is not for names. */
	{ IDN2_ALABEL_ROUNDTRIP_FAILED, "it is no host name" },
	{ IDN2_INVALID_NONTRANSITIONAL, "an xn-- label of it is broken" },
	{ IDN2_2HYPHEN,
	    "a label with -- as third and fourth character is no xn-- form" },
	{ IDN2_HYPHEN_STARTEND, "no label begins or ends with a hyphen" },
	{ IDN2_LEADING_COMBINING, "a label begins with a combining character" },
	{ IDN2_DISALLOWED, "a character in it is not for names" },
	{ IDN2_CONTEXTJ, "an invisible joiner stands where none may be" },
	{ IDN2_CONTEXTJ_NO_RULE,
	    "an invisible joiner stands where none may be" },
	{ IDN2_CONTEXTO, "a character stands where it may not be" },
	{ IDN2_CONTEXTO_NO_RULE, "a character stands where it may not be" },
	{ IDN2_UNASSIGNED, "a character in it is not known to libidn2" },
	{ IDN2_BIDI, "a label mixes right-to-left and left-to-right writing" },
};

static int
failed(const struct library *l, int rc, struct err *e)
{
	if (rc == IDN2_MALLOC)
		return err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (reasons[i].rc == rc)
			return refuse(e, reasons[i].text);
	return refuse(e, l->idn2_strerror(rc));
}

/* ---- names that are not ASCII ---- */

/* The library is not asked to mind ASCII: it would refuse underscores. */
static bool
is_plausible(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x80 && s[i] != '.' &&
		    !is_label_octet(s[i]))
			return false;
	return true;
}

/* RFC 5890 2.3.2.1: an A-label has letters, digits and hyphens. */
static bool
has_underscore(const char *s)
{
	for (const char *p = strstr(s, "xn--"); p != NULL;
	     p = strstr(p, "xn--")) {
		size_t n = strcspn(p, ".");

		if ((p == s || p[-1] == '.') && memchr(p, '_', n) != NULL)
			return true;
		p += n;
	}
	return false;
}

static int
take_output(const char *s, char out[IDNA_NAME_MAX], struct err *e)
{
	if (has_underscore(s))
		return refuse(e, "an underscore stands in ASCII labels only");
	return take_ascii(s, strlen(s), out, e);
}

/* Mapped and in NFC as UTS 46 says, without the exceptions of IDNA 2003. */
static int
convert(const struct library *l, const char *s, char out[IDNA_NAME_MAX],
    struct err *e)
{
	char *name = NULL;
	/* A missing symbol has failed earlier, which the analyzer does not see.
	 * NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage) */
	int rc = l->idn2_to_ascii_8z(
	    s, &name, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

	if (rc != IDN2_OK)
		return failed(l, rc, e);
	rc = take_output(name, out, e);
	l->idn2_free(name);
	return rc;
}

int
idna_to_ascii(const char *s, size_t n, char out[IDNA_NAME_MAX], struct err *e)
{
	char typed[TYPED_MAX];
	struct library l = { 0 };
	int rc;

	if (!enc_has_8bit(s, n))
		return take_ascii(s, n, out, e);
	if (!enc_is_utf8(s, n) || memchr(s, '\0', n) != NULL)
		return refuse(e, "it is not UTF-8");
	if (!is_plausible(s, n))
		return refuse(e, "it is no host name");
	if (n >= sizeof typed)
		return refuse(e, "it is longer than 255 octets");
	memcpy(typed, s, n);
	typed[n] = '\0';
	if (library_load(&l, e) == -1)
		return -1;
	rc = convert(&l, typed, out, e);
	dlclose(l.handle);
	return rc;
}

int
idna_host(const char *s, char out[IDNA_NAME_MAX], struct err *e)
{
	size_t n = strlen(s);

	if (idna_to_ascii(s, n, out, e) == -1)
		return -1;
	if (!enc_has_8bit(s, n))
		memcpy(out, s, n + 1);
	return 0;
}
