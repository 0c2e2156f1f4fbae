/*
 * server FILE: smtp/server.c at standard input and output, until QUIT or the
 * client's end; then FILE has what its ops were told, as tests/unit/serving.h
 * writes it. tests/client.py is its client.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/serving.h"

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

static void
write_out(struct buf *b)
{
	ssize_t n;

	while (b->len > 0) {
		n = write(STDOUT_FILENO, b->data, b->len);
		if (n == -1 && errno == EPIPE)
			n = (ssize_t)b->len;
		if (n == -1)
			die("server: write");
		buf_consume(b, (size_t)n);
	}
}

static void
serve(struct server *s)
{
	char in[4096];
	ssize_t n = 1;

	write_out(server_out(s));
	while (n > 0 && !server_over(s)) {
		size_t at = 0;

		n = read(STDIN_FILENO, in, sizeof in);
		if (n == -1)
			die("server: read");
		while (at < (size_t)n && !server_over(s)) {
			at += server_feed(s, in + at, (size_t)n - at);
			write_out(server_out(s));
		}
	}
}

int
main(int argc, char **argv)
{
	struct serving v;
	struct server_ops ops = SERVING_OPS(&v);
	struct server_config config = { .name = "mx.example.org",
		.ops = &ops,
		.size_max = 100000,
		.rcpts_max = 5 };
	struct server *s;
	FILE *f;

	if (argc != 2) {
		fprintf(stderr, "usage: server FILE\n");
		return 2;
	}
	serving_init(&v);
	s = server_new(&config);
	if (s == NULL)
		die("server");
	serve(s);
	server_free(s);
	f = fopen(argv[1], "w");
	if (f == NULL ||
	    fwrite(buf_str(&v.told), 1, v.told.len, f) != v.told.len ||
	    fclose(f) != 0)
		die(argv[1]);
	serving_free(&v);
	return 0;
}
