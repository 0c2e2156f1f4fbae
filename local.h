/*
 * local: mailboxes of this machine, and how mail gets into them.
 * Filled by cli/locally.c; relay.c and worker.c ask for it.
 * It speaks to no server and resolves no alias: names are mailboxes here.
 * RFC 5321 4.4 (Return-Path), 4.5.1; mbox(5), maildir(5).
 * Ownership: a struct local_config borrows its texts.
 */
#ifndef LOCAL_H
#define LOCAL_H

#include "net/spec.h"

struct local_config {
	enum transport transport; /* mbox, maildir or mda */
	/* Of mbox the folder of mailboxes, of maildir a path below each home;
	 * of mda NULL. */
	const char *path;
	/* Of mda, up to a NULL: a program and its arguments, where %u is the
	 * user, %h his home, %s the sender and %% a percent sign. */
	char *const *command;
	const char *host; /* this machine in Delivered-To */
};

#endif
