/*
 * words: what several settings' values have in common.
 * Called by settings.c.
 * Pure. It knows no setting.
 * RFC 1123 2.1 (names), RFC 5890 (in any script).
 * Ownership: texts are borrowed; what is returned is constant.
 */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* A whole number up to `max`, or -1. */
int64_t words_number(const char *, int64_t max);

/* True if `word` is one of the words of `list`, between blanks. */
bool words_has(const char *list, const char *word);

/* NULL if it is a host's name, in any script; else what to do: `remedy`,
 * which is constant, or to install what such a name needs. */
const char *words_no_name(const char *, const char *remedy);

/* True if it is domains, or what may stand before them, between commas;
 * those in other scripts are not looked at. */
bool words_names(const char *);

#endif
