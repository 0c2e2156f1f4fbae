/*
 * key: see key.h. The form of PEM tells, without any library.
 * Callers: tls.c, cli/account.c.
 * It opens no key and keeps nothing of it.
 * RFC 7468 11, RFC 1421 4.6.1.1.
 * Ownership: what was read is a struct buf, which wipes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/credential.h"
#include "net/key.h"

/* Most octets of a file of keys. */
#define KEY_FILE_MAX ((size_t)1024 * 1024)

/* Whole, and readable by nobody but us and root. */
static int
read_all(int fd, const char *path, struct buf *b, struct err *e)
{
	ssize_t got;
	char *to;

	if (credential_check_file(fd, path, e) == -1)
		return -1;
	do {
		to = buf_room(b, 4096);
		got = to == NULL ? 0 : read(fd, to, 4096);
		if (got > 0)
			buf_grew(b, (size_t)got);
	} while (got > 0 || (got == -1 && errno == EINTR));
	if (got == -1)
		return err_errno(
		    e, ERR_PERM, ERR_CONFIG, errno, "key file %s", path);
	return 0;
}

/* PKCS #8 says it in the first line (RFC 7468 11), the older form by a
 * header (RFC 1421 4.6.1.1). */
int
key_is_encrypted(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct buf b;
	int got;

	if (fd == -1)
		return err_errno(
		    e, ERR_PERM, ERR_CONFIG, errno, "key file %s", path);
	buf_init(&b, KEY_FILE_MAX);
	got = read_all(fd, path, &b, e);
	close(fd);
	if (got == 0 && strstr(buf_str(&b), "PRIVATE KEY-----") == NULL)
		got = err_set(e, ERR_PERM, ERR_CONFIG,
		    "key file %s has no private key in PEM form", path);
	else if (got == 0)
		got = strstr(buf_str(&b), "BEGIN ENCRYPTED PRIVATE KEY") !=
			NULL ||
		    strstr(buf_str(&b), "Proc-Type: 4,ENCRYPTED") != NULL;
	buf_free(&b);
	return got;
}
