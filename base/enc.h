/*
 * enc: octets to text that is safe to show, and back.
 * Called wherever something from outside is printed, logged or kept.
 * It never fails on content: what cannot be shown is escaped.
 * UTF-8 by RFC 3629, JSON by RFC 8259, Base64 by RFC 4648, xtext by RFC 3461.
 * Ownership: results are appended to the caller's buffer.
 */
#ifndef BASE_ENC_H
#define BASE_ENC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * One UTF-8 sequence at s (n octets, n > 0): its length in octets with the
 * code point in *cp, or 0 if it is malformed, overlong, a surrogate or over
 * U+10FFFF (RFC 3629 3).
 */
size_t enc_utf8(const char *s, size_t n, uint32_t *cp);

/* True if all of s is well-formed UTF-8. */
bool enc_is_utf8(const char *s, size_t n);

/* The same for text that comes in pieces; all zero to begin with. */
struct enc_utf8_check {
	char part[4]; /* a sequence that the next piece goes on with */
	size_t n; /* its octets so far */
	bool bad;
};
void enc_utf8_feed(struct enc_utf8_check *, const char *s, size_t n);
/* True if all of it was well-formed, and complete. */
bool enc_utf8_good(const struct enc_utf8_check *);

/* True if any octet has its high bit set. */
bool enc_has_8bit(const char *s, size_t n);

/*
 * For terminals, logs and headers: C0 (tab too), DEL, C1, the bidi controls
 * U+202A-202E and U+2066-2069, and whatever is not UTF-8 become \xNN, octet
 * by octet. The result has no control character and is valid UTF-8.
 */
void enc_printable(struct buf *, const char *s, size_t n);

/* The same into a fixed string; cut between characters. Returns dst. */
char *enc_printable_str(char *dst, size_t size, const char *s, size_t n);

/*
 * A JSON string with its quotes. Octets that are not UTF-8 become U+FFFD;
 * control characters and the bidi controls become \u escapes.
 */
void enc_json(struct buf *, const char *s, size_t n);

/* What a hexadecimal digit of either case is worth; -1: it is none. */
int enc_hex_digit(char);

/* Base64 (RFC 4648 4) in one line, padded; the second for n octets to where
 * there is room for ENC_BASE64_SIZE(n), no NUL behind them. */
void enc_base64(struct buf *, const void *, size_t n);
#define ENC_BASE64_SIZE(n) (((n) + 2) / 3 * 4)
void enc_base64_to(char *to, const void *, size_t n);

/*
 * And back, appended: 0, or -1 when it is none (octets outside the alphabet,
 * length or padding wrong, bits left over); what came before the mistake may
 * then have been appended.
 */
int enc_unbase64(struct buf *, const char *s, size_t n);

/*
 * xtext (RFC 3461 4), for values of parameters: "!" to "~" stay as they are,
 * but for "+" and "="; all other octets become +XX.
 */
void enc_xtext(struct buf *, const char *s, size_t n);

/*
 * An address of type utf-8 in ASCII (RFC 6533 3, utf-8-addr-xtext): what is
 * not "!" to "~", and "+", "=" and "\", become \x{HEX}, a code point each; an
 * octet that is not UTF-8 becomes U+FFFD.
 */
void enc_utf8_xtext(struct buf *, const char *s, size_t n);

/*
 * And back from both, appended: 0, or -1 where it is none. UTF-8 may also
 * stand there as it is (RFC 6533 3, utf-8-addr-unitext); that it is valid is
 * not looked at.
 */
int enc_unxtext(struct buf *, const char *s, size_t n);
int enc_unutf8_xtext(struct buf *, const char *s, size_t n);

#endif
