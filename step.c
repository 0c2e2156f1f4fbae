/*
 * step: see step.h. What went wrong takes its stage and its reach from the
 * row of the step.
 * Callers: hello.c, proto.c. It decides nobody.
 * RFC 5321 4.2.1, 4.3.2, 3.8.
 * Ownership: see step.h.
 */
#include <stdio.h>

#include "net/io.h"
#include "step.h"

int
step_go(struct session *s, enum step step, size_t i)
{
	s->cmd = (struct cursor){ step, i };
	return 0;
}

void
step_err(struct session *s, enum step step, struct err *e)
{
	const struct reply *r = &s->wire.reply;

	err_clear(e);
	e->verdict = reply_class(r) == 2 ? ERR_OK
	    : reply_class(r) == 5        ? ERR_PERM
					 : ERR_TEMP;
	e->kind = ERR_REPLY;
	e->scope = s->steps[step].scope;
	e->stage = s->steps[step].stage;
	e->code = r->code;
	e->enhanced = r->enhanced;
	snprintf(e->command, sizeof e->command, "%s", s->wire.command);
	reply_words(r, e->text, sizeof e->text);
}

int
step_trouble(struct session *s, enum step step, struct err *e)
{
	/* A server that refused us at EHLO and closed has said what it means;
	 * not so one that only did not know the command (500 to 504). */
	if (step == STEP_HELO && s->wire.io->eof && s->ehlo.code > 504)
		*e = s->ehlo;
	if (e->stage == STAGE_NONE)
		e->stage = s->steps[step].stage;
	if (e->scope == SCOPE_NONE)
		e->scope = s->steps[step].scope;
	snprintf(e->command, sizeof e->command, "%s", s->wire.command);
	s->alive = false;
	return -1;
}

int
step_unexpected(struct session *s, enum step step, struct err *e)
{
	wire_unexpected(&s->wire, e);
	return step_trouble(s, step, e);
}
