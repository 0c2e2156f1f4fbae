/*
 * orcpt: see orcpt.h.
 * Callers: params.c, mail/dsn_parts.c.
 * It decodes nothing: the string is what xtext stood for.
 * RFC 3461 4.2, RFC 5322 3.2.3 (atom).
 * Ownership: see orcpt.h.
 */
#include <string.h>
#include <strings.h>

#include "base/enc.h"
#include "mail/orcpt.h"

/* RFC 5322 3.2.3: what an address may begin with, too, but ";" never ends
 * that. */
#define ATOM                                                                   \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"       \
	"!#$%&'*+-/=?^_`{|}~"

struct orcpt
orcpt_parse(const char *s)
{
	struct orcpt o = { s, strspn(s, ATOM), s };

	if (o.n > 0 && s[o.n] == ';') {
		o.address = s + o.n + 1;
		return o;
	}
	o.type = enc_has_8bit(s, strlen(s)) ? "utf-8" : "rfc822";
	o.n = strlen(o.type);
	return o;
}

bool
orcpt_is_utf8(const struct orcpt *o)
{
	return o->n == 5 && strncasecmp(o->type, "utf-8", o->n) == 0;
}
