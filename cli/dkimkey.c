/*
 * dkimkey: see dkimkey.h. The key is on the disk before its record is shown:
 * what is published must be there to sign with.
 * Callers: native.c.
 * It never overwrites a file.
 * RFC 6376 3.6; RFC 1035 2.3.4, 3.3.
 * Ownership: see dkimkey.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/enc.h"
#include "base/err.h"
#include "base/idna.h"
#include "cli/dkimkey.h"
#include "mail/address.h"

#define STRING_MAX 255 /* of a TXT record, RFC 1035 3.3 */
#define NAME_MAX_OCTETS 253 /* of a name as people write it */
#define TEXT_MAX (64u * 1024)

/* Which keys there are; the first is the default, which all verifiers know. */
static const struct algorithm {
	const char *name; /* also k= of the record */
	enum crypto_kind kind;
} algorithms[] = {
	{ "rsa", CRYPTO_RSA },
	{ "ed25519", CRYPTO_ED25519 },
};

static const struct algorithm *
algorithm_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
		if (strcmp(algorithms[i].name, name) == 0)
			return &algorithms[i];
	return NULL;
}

const char *
dkimkey_algorithm(const char *name)
{
	return algorithm_find(name) == NULL ? "give rsa or ed25519" : NULL;
}

/* ---- names ---- */

/* What is made, and where it goes. */
struct plan {
	const struct algorithm *algorithm;
	char domain[IDNA_NAME_MAX];
	char selector[IDNA_NAME_MAX];
	char path[PATH_MAX];
};

static int
usage(struct err *e, const char *option, const char *value, const char *remedy)
{
	return err_set(
	    e, ERR_PERM, ERR_USAGE, "--%s \"%s\": %s", option, value, remedy);
}

static int
make_names(struct plan *p, const struct dkimkey_config *c, struct err *e)
{
	size_t n = strlen(c->domain);
	time_t now = (time_t)c->now;
	struct err why;
	struct tm tm;

	if (idna_to_ascii(c->domain, n, p->domain, &why) == -1) {
		*e = why;
		return why.kind == ERR_DATA
		    ? usage(e, "dkim-keygen", c->domain, why.text)
		    : -1;
	}
	n = strlen(p->domain);
	if (n > 0 && p->domain[n - 1] == '.')
		p->domain[n - 1] = '\0';
	if (c->selector == NULL) {
		gmtime_r(&now, &tm);
		snprintf(p->selector, sizeof p->selector, "smtpsend-%s-%d",
		    p->algorithm->name, tm.tm_year + 1900);
	} else if (!address_is_hostname(c->selector, strlen(c->selector))) {
		return usage(e, "dkim-selector", c->selector,
		    "give one name like that of a host");
	} else {
		snprintf(p->selector, sizeof p->selector, "%s", c->selector);
	}
	if (strlen(p->selector) + sizeof "._domainkey." - 1 +
		strlen(p->domain) >
	    NAME_MAX_OCTETS)
		return usage(e, "dkim-selector", p->selector,
		    "too long for DNS together with the domain");
	return 0;
}

static int
make_plan(struct plan *p, const struct dkimkey_config *c, struct err *e)
{
	int n;

	p->algorithm = algorithm_find(
	    c->algorithm != NULL ? c->algorithm : algorithms[0].name);
	if (make_names(p, c, e) == -1)
		return -1;
	if (c->path != NULL)
		n = snprintf(p->path, sizeof p->path, "%s", c->path);
	else
		n = snprintf(p->path, sizeof p->path, "%s.%s.pem", p->domain,
		    p->selector);
	if (n > 0 && (size_t)n < sizeof p->path)
		return 0;
	return usage(e, "dkim-key", p->path, "give the path of a new file");
}

/* ---- the file ---- */

static int
write_all(int fd, const struct buf *b)
{
	size_t done = 0;
	ssize_t n;

	while (done < b->len) {
		n = write(fd, b->data + done, b->len - done);
		if (n == -1 && errno != EINTR)
			return -1;
		done += n > 0 ? (size_t)n : 0;
	}
	return fsync(fd);
}

/* The folder knows of the file only once it is on the disk itself. */
static void
sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL
	    ? strdup(".")
	    : strndup(path, slash == path ? 1 : (size_t)(slash - path));
	int fd = folder == NULL
	    ? -1
	    : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd != -1) {
		(void)!fsync(fd);
		close(fd);
	}
	free(folder);
}

static int
write_file(const char *path, const struct buf *pem, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), got;

	if (fd == -1 && errno == EEXIST)
		return err_set(e, ERR_PERM, ERR_OUTPUT,
		    "%s is there already and stays as it is; name another "
		    "file by --dkim-key, or another --dkim-selector",
		    path);
	if (fd == -1)
		return err_errno(e, ERR_PERM, ERR_OUTPUT, errno, "%s", path);
	got = write_all(fd, pem);
	if (got == -1)
		err_errno(e, ERR_PERM, ERR_OUTPUT, errno, "%s", path);
	close(fd);
	if (got == -1)
		unlink(path);
	else
		sync_folder(path);
	return got;
}

/* ---- what is printed ---- */

void
dkimkey_strings(struct buf *out, const char *text)
{
	size_t left = strlen(text), n;

	for (; left > 0; text += n, left -= n) {
		n = left < STRING_MAX ? left : STRING_MAX;
		buf_adds(out, "\"");
		buf_add(out, text, n);
		buf_adds(out, left > n ? "\" " : "\"");
	}
}

static int
make_record(const struct crypto_key *k, const struct plan *p, struct buf *out,
    struct err *e)
{
	struct buf raw, text;
	int got;

	buf_init(&raw, TEXT_MAX);
	buf_init(&text, TEXT_MAX);
	got = crypto_key_public(k, &raw, e);
	buf_addf(&text, "v=DKIM1; k=%s; p=", p->algorithm->name);
	enc_base64(&text, raw.data, raw.len);
	buf_addf(out, "%s._domainkey.%s. IN TXT ( ", p->selector, p->domain);
	dkimkey_strings(out, buf_str(&text));
	buf_adds(out, " )");
	if (got == 0 && (!buf_ok(&text) || !buf_ok(out)))
		got = err_set(e, ERR_TEMP, ERR_MACHINE, "no memory");
	buf_free(&raw);
	buf_free(&text);
	return got;
}

static int
print(const struct plan *p, const struct buf *record, FILE *out, struct err *e)
{
	char *path = realpath(p->path, NULL);

	fprintf(out,
	    "# for the zone of %s\n%s\n"
	    "# for the configuration, once DNS knows it\n"
	    "dkim_domain %s\ndkim_selector %s\ndkim_key %s\n",
	    p->domain, buf_str(record), p->domain, p->selector,
	    path != NULL ? path : p->path);
	free(path);
	if (fflush(out) == 0 && !ferror(out))
		return 0;
	/* Of a key whose record nobody saw there is no use. */
	err_errno(e, ERR_PERM, ERR_OUTPUT, errno, "cannot write the record");
	unlink(p->path);
	return -1;
}

static int
make_key(
    const struct plan *p, const struct crypto *lib, FILE *out, struct err *e)
{
	struct crypto_key *k =
	    crypto_key_make(lib, p->algorithm->kind, CRYPTO_RSA_GOOD, e);
	struct buf pem, record;
	int got;

	if (k == NULL)
		return -1;
	buf_init(&pem, TEXT_MAX);
	buf_init(&record, TEXT_MAX);
	got = crypto_key_pem(k, &pem, e);
	if (got == 0)
		got = make_record(k, p, &record, e);
	if (got == 0)
		got = write_file(p->path, &pem, e);
	if (got == 0)
		got = print(p, &record, out, e);
	buf_free(&pem);
	buf_free(&record);
	crypto_key_free(k);
	return got;
}

int
dkimkey_make(const struct dkimkey_config *c, FILE *out, struct err *e)
{
	struct crypto *lib;
	struct plan p;
	int got;

	if (make_plan(&p, c, e) == -1)
		return -1;
	lib = crypto_open(e);
	if (lib == NULL)
		return -1;
	got = make_key(&p, lib, out, e);
	crypto_close(lib);
	return got;
}
