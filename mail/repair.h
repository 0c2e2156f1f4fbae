/*
 * repair: what each part of a message needs to reach a certain server.
 * Called once the server's extensions are known; changes no octet itself.
 * It refuses, with part and line, what cannot be made to fit.
 * RFC 6152 3 (8BITMIME), RFC 2045 6.4, RFC 1847 2.1, RFC 5321 4.5.3.1.6.
 * Ownership: everything is borrowed.
 */
#ifndef MAIL_REPAIR_H
#define MAIL_REPAIR_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct mime;

enum repair {
	REPAIR_KEEP, /* goes as it is */
	REPAIR_LABEL, /* only its Content-Transfer-Encoding becomes 7bit */
	REPAIR_QP, /* body and field: quoted-printable */
	REPAIR_BASE64, /* body and field: base64, of lines with CRLF */
	REPAIR_QP_AGAIN, /* quoted-printable that does not fit: the field stays,
			    what it says too */
	REPAIR_WRAP /* base64 that does not fit: the same */
};

/*
 * What to do with one part for a server that takes 8-bit bodies, or not.
 * 0, or -1 with *e (5.6.3, message scope) if nothing helps: the part is
 * signed, may have no encoding, or has another one already. The message's
 * header is not looked at.
 */
int repair_part(const struct mime *, size_t part, bool take_8bit,
    enum repair *out, struct err *e);

/*
 * True if the part's own header does not fit and must be mended
 * (mail/mend.h); repair_part() has refused it where that may not be done.
 */
bool repair_header(const struct mime *, size_t part, bool take_8bit);

/*
 * The same for the whole message: 1 if any part must change, 0 if none,
 * -1 with *e of the first part that cannot go.
 */
int repair_needed(const struct mime *, bool take_8bit, struct err *e);

#endif
