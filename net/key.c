/*
 * key: see key.h. The form of PEM tells, without any library.
 * Callers: tls.c, cli/account.c, cli/dkim.c.
 * It opens no key and keeps nothing of it.
 * RFC 7468 11, RFC 1421 4.6.1.1.
 * Ownership: what was read is a struct buf, which wipes it.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/credential.h"
#include "net/key.h"

/* Whole, and readable by nobody but us and root. */
static int
trouble(const char *path, int num, struct err *e)
{
	return err_errno(e, err_may_pass(num) ? ERR_TEMP : ERR_PERM, ERR_CONFIG,
	    num, "key file %s", path);
}

static int
read_all(int fd, const char *path, struct buf *b, struct err *e)
{
	ssize_t got;
	char *to;

	if (credential_check_file(fd, path, e) == -1)
		return -1;
	do {
		to = buf_room(b, 4096);
		if (to == NULL && buf_starved(b))
			return trouble(path, ENOMEM, e);
		got = to == NULL ? 0 : read(fd, to, 4096);
		if (got > 0)
			buf_grew(b, (size_t)got);
	} while (got > 0 || (got == -1 && errno == EINTR));
	return got == -1 ? trouble(path, errno, e) : 0;
}

/* Opened so that nothing is waited for; only a file can be a key. */
int
key_read(const char *path, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), got;
	struct stat st;

	if (fd == -1)
		return trouble(path, errno, e);
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		got = err_set(e, ERR_PERM, ERR_CONFIG, "key file %s is %s",
		    path,
		    S_ISDIR(st.st_mode) ? "a directory" : "no regular file");
	else
		got = read_all(fd, path, out, e);
	close(fd);
	return got;
}

/* PKCS #8 says it in the first line (RFC 7468 11), the older form by a
 * header (RFC 1421 4.6.1.1). */
bool
key_is_locked(const struct buf *text)
{
	return strstr(buf_str(text), "BEGIN ENCRYPTED PRIVATE KEY") != NULL ||
	    strstr(buf_str(text), "Proc-Type: 4,ENCRYPTED") != NULL;
}

int
key_is_encrypted(const char *path, struct err *e)
{
	struct buf b;
	int got;

	buf_init(&b, KEY_FILE_MAX);
	got = key_read(path, &b, e);
	if (got == 0 && strstr(buf_str(&b), "PRIVATE KEY-----") == NULL)
		got = err_set(e, ERR_PERM, ERR_CONFIG,
		    "key file %s has no private key in PEM form", path);
	else if (got == 0)
		got = key_is_locked(&b);
	buf_free(&b);
	return got;
}
