/*
 * repair: see repair.h. Reasons against come first, in the order in which
 * they tell the sender most; what is left is encoded in the shorter way.
 * Caller: who makes a view for one server. RFC 2045 6.4, RFC 6152 3.
 * Ownership: borrowed all of it.
 */
#include <inttypes.h>

#include "base/err.h"
#include "mail/mime.h"
#include "mail/repair.h"

/* Where a part does not fit, and how. */
struct trouble {
	uint64_t line; /* 0: none */
	const char *what;
};

/* The first of two lines, 0 being none. */
static void
first(struct trouble *t, uint64_t line, const char *what)
{
	if (line == 0 || (t->line != 0 && t->line <= line))
		return;
	t->line = line;
	t->what = what;
}

static const char is_8bit[] = "is 8-bit, which the server does not take";
static const char is_long[] = "is longer than 998 octets";

static const char *
flaw_reason(enum mime_flaw flaw)
{
	static const char *const reasons[] = {
		[MIME_SOUND] = NULL,
		[MIME_NO_BOUNDARY] = "is a multipart without a usable boundary",
		[MIME_TOO_DEEP] = "lies more than 64 parts deep",
		[MIME_TOO_MANY] = "is behind too many others",
		[MIME_BIG_HEADER] = "has too large a header",
		[MIME_OPEN_HEADER] = "has no empty line behind its header",
	};

	return reasons[flaw];
}

/* An encoding that is there already: why there can be no second one. */
static const char *
encoding_reason(const struct mime_part *p)
{
	switch (p->encoding) {
	case ENCODING_QP:
		break; /* it can be kept: see again() */
	case ENCODING_BASE64:
		return "says that it is base64 already";
	case ENCODING_OTHER:
		return "has an encoding that is not known";
	case ENCODING_BINARY:
		return p->kind == CONTENT_TEXT ? NULL : "is declared binary";
	case ENCODING_7BIT:
	case ENCODING_8BIT:
		break;
	}
	return p->encodings > 1 ? "has several fields "
				  "Content-Transfer-Encoding"
				: NULL;
}

/* Why the body cannot be encoded, or NULL. */
static const char *
reason(const struct mime_part *p)
{
	if (p->sealed || p->kind == CONTENT_SEALED)
		return "is signed or encrypted";
	if (p->flaw != MIME_SOUND)
		return flaw_reason(p->flaw);
	if (!p->leaf)
		return "has that outside its parts";
	if (p->kind == CONTENT_FIXED)
		return "is of a type that may have no encoding";
	if (p->body.first_nul != 0)
		return "has a NUL octet";
	return encoding_reason(p);
}

/* Why its header cannot be mended, or NULL. */
static const char *
header_reason(const struct mime_part *p)
{
	if (p->sealed)
		return "is signed or encrypted";
	return flaw_reason(p->flaw);
}

static int
refuse(const struct mime *m, size_t i, const struct trouble *t, const char *why,
    struct err *e)
{
	const struct mime_part *p = &m->part[i];
	char name[MIME_NAME_MAX];

	err_set(e, ERR_PERM, ERR_DATA,
	    "message line %" PRIu64 " %s, and cannot be encoded: %s (%s) %s",
	    t->line, t->what, mime_name(m, i, name),
	    p->type[0] == '\0' ? "text/plain" : p->type, why);
	e->enhanced = (struct enhanced){ 5, 6, 3 }; /* RFC 3463 3.7 */
	e->scope = SCOPE_MESSAGE;
	e->stage = STAGE_MAIL;
	return -1;
}

/* Octets of n in base64, with its line ends. */
static uint64_t
base64_size(uint64_t n)
{
	return (n + 2) / 3 * 4 + n / 57 * 2;
}

/* A container that says 8bit or binary says more than it may (RFC 6152 3). */
static bool
is_mislabelled(const struct mime *m, const struct mime_part *p, bool take_8bit)
{
	return !take_8bit && m->has_8bit && !p->leaf && !p->sealed &&
	    p->encodings == 1 &&
	    (p->encoding == ENCODING_8BIT || p->encoding == ENCODING_BINARY);
}

/*
 * An encoding that is there, of lines that do not fit: what they say can be
 * kept. REPAIR_KEEP: no.
 */
static enum repair
again(const struct mime_part *p)
{
	if (!p->leaf || p->sealed || p->flaw != MIME_SOUND ||
	    p->encodings > 1 || p->kind == CONTENT_FIXED ||
	    p->body.first_nul != 0)
		return REPAIR_KEEP;
	/* 8-bit octets are no base64; who knows what they are. */
	if (p->encoding == ENCODING_BASE64 && p->body.first_8bit == 0)
		return REPAIR_WRAP;
	return p->encoding == ENCODING_QP ? REPAIR_QP_AGAIN : REPAIR_KEEP;
}

bool
repair_header(const struct mime *m, size_t i, bool take_8bit)
{
	const struct mime_part *p = &m->part[i];

	return p->head_long != 0 || (p->head_8bit != 0 && !take_8bit);
}

int
repair_part(const struct mime *m, size_t i, bool take_8bit, enum repair *out,
    struct err *e)
{
	const struct mime_part *p = &m->part[i];
	struct trouble head = { 0 }, body = { 0 };
	const char *why;

	*out = is_mislabelled(m, p, take_8bit) ? REPAIR_LABEL : REPAIR_KEEP;
	if (!take_8bit) {
		first(&head, p->head_8bit, is_8bit);
		first(&body, p->body.first_8bit, is_8bit);
	}
	first(&head, p->head_long, is_long);
	first(&body, p->body.first_long, is_long);
	why = header_reason(p);
	if (head.line != 0 && why != NULL)
		return refuse(m, i, &head, why, e);
	if (body.line == 0)
		return 0;
	*out = again(p);
	if (*out != REPAIR_KEEP)
		return 0;
	why = reason(p);
	if (why != NULL)
		return refuse(m, i, &body, why, e);
	*out = p->body.qp <= base64_size(p->body.octets) ? REPAIR_QP
							 : REPAIR_BASE64;
	return 0;
}

int
repair_needed(const struct mime *m, bool take_8bit, struct err *e)
{
	enum repair act;
	int needed = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (repair_part(m, i, take_8bit, &act, e) == -1)
			return -1;
		needed |= act != REPAIR_KEEP || repair_header(m, i, take_8bit);
	}
	return needed;
}
