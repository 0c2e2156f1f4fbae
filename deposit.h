/*
 * deposit: a message as a mailbox gets it, and into which file or program.
 * Called by local.c, in a process that is the mailbox's user.
 * It becomes nobody, and asks nobody whether it may.
 * RFC 5321 4.4 (Return-Path), 6.3 (loops); mbox(5), maildir(5).
 * Ownership: everything is borrowed.
 */
#ifndef DEPOSIT_H
#define DEPOSIT_H

#include "net/spec.h"
#include "store/user.h"

struct err;
struct message;
struct waiter;

struct deposit_config {
	enum transport transport; /* mbox, maildir or mda */
	/* Of mbox the folder of mailboxes, of maildir a path below each home;
	 * of mda NULL. */
	const char *path;
	/* Of mda, up to a NULL: a program and its arguments, where %u is the
	 * user, %h his home, %s the sender and %% a percent sign. */
	char *const *command;
	const char *host; /* this machine in Delivered-To */
};

struct deposit {
	const struct deposit_config *c;
	const struct message *m;
	const char *sender; /* reverse-path, "" for the null one */
	const struct user *user; /* whose mailbox it is */
	const struct waiter *waiter;
};

/* The longest that deposit_put() takes, ms, from the waits within it. A disk
 * that does not answer, or the user by SIGSTOP, can make it take longer. */
#define DEPOSIT_MS 310000

/* 0; or -1 with *e (permanent, data, 5.4.6): the message has been in that
 * mailbox before, by its Delivered-To. */
int deposit_check(const struct deposit *, struct err *e);

/*
 * Put the message there, with Return-Path and Delivered-To before it; any
 * other Return-Path is removed. A signed one goes in as it was signed. 0, or
 * -1 with *e as store/box.h and store/pipe.h have it, and nothing of it is in
 * the mailbox. For store/box.h SIGXFSZ must be ignored and SIGCHLD must not.
 */
int deposit_put(const struct deposit *, struct err *e);

#endif
