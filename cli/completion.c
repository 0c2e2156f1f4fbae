/*
 * completion: see completion.h.
 * Callers: send.c. A full name is looked for only if From is made:
 * getpwuid(3) reads nsswitch.conf and may load modules.
 * The settings and their meaning are msmtp's.
 * Ownership: see completion.h.
 */
#include <string.h>

#include "base/err.h"
#include "cli/account.h"
#include "cli/completion.h"

/* Who writes what has no sender: a delivery report of ours, say. */
static const struct address *
other_author(struct completion *a, const char *otherwise)
{
	char room[MACHINE_ADDRESS_MAX];
	struct err e;
	const char *s = account_sender(a->account, NULL, room, &e);

	if (s == NULL)
		s = otherwise;
	if (s == NULL ||
	    address_parse(&a->address, s, strlen(s), ADDRESS_NULL, &e) == -1)
		return NULL;
	return &a->address;
}

/* What set_..._header says, or else the older keyword. */
static enum complete_mode
mode(const struct account *a, enum setting_id id, enum setting_id older)
{
	const struct setting *s = &a->settings.at[id];

	if (s->text != NULL)
		return (enum complete_mode)s->number;
	s = &a->settings.at[older];
	return s->text != NULL && s->number == 0 ? COMPLETE_OFF : COMPLETE_AUTO;
}

struct complete_config
completion_make(struct completion *a, const struct account *account,
    const struct address *sender, const char *otherwise)
{
	struct complete_config c = {
		.from = mode(account, SET_FROM_HEADER, SET_MISSING_FROM),
		.date = mode(account, SET_DATE_HEADER, SET_MISSING_DATE),
		.msgid = mode(account, SET_MSGID_HEADER, SET_MSGID_HEADER),
		.to = mode(account, SET_TO_HEADER, SET_TO_HEADER),
		.undisclosed = account->settings.at[SET_UNDISCLOSED].number,
		.author = sender,
		.domain = a->domain,
	};

	*a = (struct completion){ .account = account };
	if (sender->raw == NULL || sender->raw[0] == '\0') {
		c.author = other_author(a, otherwise);
		machine_domain(a->domain);
	}
	return c;
}

const char *
completion_full_name(struct completion *a)
{
	const char *given = a->account->settings.at[SET_FROM_FULL_NAME].text;

	if (given != NULL)
		return given;
	machine_full_name(a->full_name);
	return a->full_name;
}

void
completion_free(struct completion *a)
{
	address_free(&a->address);
}
