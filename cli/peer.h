/*
 * peer: who is at the other end of a dialogue, and may he be served?
 * Called by serve.c, once.
 * It believes no environment and asks no name server.
 * RFC 5321 7.1 (a server for this machine alone relays for nobody else);
 * getpeername(2), unix(7) SO_PEERCRED.
 * Ownership: plain data.
 */
#ifndef CLI_PEER_H
#define CLI_PEER_H

#include <stdbool.h>

#define PEER_WHO_SIZE 288

struct peer {
	/* A connection from another machine, or from none that we know. */
	bool foreign;
	/* In words for a Received line: "[127.0.0.1]", "NAME@localhost". */
	char who[PEER_WHO_SIZE];
};

/* Look at a descriptor. What is no socket, or one of this machine's files, is
 * of this machine. */
void peer_look(struct peer *, int fd);

#endif
