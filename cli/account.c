/*
 * account: see account.h. Each part of the relay by a few lines of its own.
 * Callers: accounts.c.
 * It connects to nobody; secrets come by net/credential.c.
 * RFC 8314 3, RFC 4954.
 * Ownership: see account.h.
 */
#include <sys/stat.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/err.h"
#include "base/wait.h"
#include "cli/account.h"
#include "cli/prompt.h"
#include "cli/values.h"
#include "net/credential.h"
#include "net/key.h"

#define HOSTS_MAX (64 * 1024)

static const char *
text(const struct account *a, enum setting_id id)
{
	return a->settings.at[id].text;
}

static bool
is_on(const struct account *a, enum setting_id id)
{
	const struct setting *s = &a->settings.at[id];

	return s->given && s->text != NULL && s->number != 0;
}

static bool
is_off(const struct account *a, enum setting_id id)
{
	const struct setting *s = &a->settings.at[id];

	return s->given && s->text != NULL && s->number == 0;
}

/* ---- TLS ---- */

/* Who says so, for errors and plans. */
static void
tls_source(struct account *a, enum setting_id id)
{
	settings_said(&a->settings, id, a->tls_place);
	a->relay.policy.source = a->tls_place;
}

/* tls_certcheck off is the user's word that any certificate will do. */
static void
without_check(struct account *a)
{
	struct policy_config *p = &a->relay.policy;

	if (p->level == TLS_VERIFY)
		p->level = TLS_ENCRYPT;
	else if (p->level == TLS_AUTO)
		p->level = TLS_MAY;
	else if (p->level != TLS_ENCRYPT)
		return;
	tls_source(a, SET_TLS_CERTCHECK);
	a->relay.tls.fingerprint = NULL;
	a->relay.auth.insecure = AUTH_ENCRYPTED;
}

/* A file's tls_certcheck off says nothing against what the command line
 * wants to be checked. */
static bool
is_checked(const struct account *a)
{
	const struct setting *tls = &a->settings.at[SET_TLS];
	const struct setting *print = &a->settings.at[SET_TLS_FINGERPRINT];

	return (tls->text != NULL && tls->from.file == NULL &&
		   tls->number == TLS_VERIFY) ||
	    (print->text != NULL && print->from.file == NULL);
}

static void
make_policy(struct account *a)
{
	struct policy_config *p = &a->relay.policy;
	struct err e;

	if (text(a, SET_TLS_HOST) != NULL &&
	    idna_host(text(a, SET_TLS_HOST), a->tls_name, &e) == 0)
		p->name = a->tls_name;
	p->level = TLS_AUTO;
	if (text(a, SET_TLS) != NULL) {
		p->level = (enum tls_level)a->settings.at[SET_TLS].number;
		tls_source(a, SET_TLS);
	} else if (a->relay.tls.fingerprint != NULL) {
		/* Whom one would know, one wants to see. */
		p->level = TLS_VERIFY;
		tls_source(a, SET_TLS_FINGERPRINT);
	}
	if (is_off(a, SET_TLS_CERTCHECK) && !is_checked(a))
		without_check(a);
}

static void
make_tls(struct account *a)
{
	const struct setting *min = &a->settings.at[SET_TLS_MIN];

	if (min->text == NULL)
		min = &a->settings.at[SET_TLS_PRIORITIES];
	a->relay.tls = (struct tls_config){
		.trust = text(a, SET_TLS_TRUST_FILE),
		.crl = text(a, SET_TLS_CRL_FILE),
		.fingerprint = text(a, SET_TLS_FINGERPRINT),
		.cert = text(a, SET_TLS_CERT_FILE),
		.key = text(a, SET_TLS_KEY_FILE),
		.ciphers = text(a, SET_TLS_CIPHERS),
		.min = min->text != NULL ? (unsigned)min->number : 0,
		.keylog = text(a, SET_TLS_KEYLOG),
	};
}

/* ---- AUTH ---- */

/* In the order of struct credential. */
static const enum setting_id sources[] = { SET_PASSWORD_FD, SET_PASSWORD,
	SET_PASSWORDCMD, SET_PASSWORDEVAL, SET_PASSWORDFILE };

/* The setting that names the secret; SETTINGS: none does. */
static enum setting_id
secret_source(const struct account *a)
{
	size_t i;

	for (i = 0; i < sizeof sources / sizeof sources[0]; i++)
		if (text(a, sources[i]) != NULL)
			return sources[i];
	return SETTINGS;
}

/* A user given on the command line wants to be used. */
static bool
wants_auth(const struct account *a)
{
	const struct setting *user = &a->settings.at[SET_USER];

	if (a->settings.at[SET_AUTH].given)
		return is_on(a, SET_AUTH);
	return user->text != NULL && user->from.file == NULL;
}

/* AUTH needs a password or token. */
static bool
auth_has_secret(const struct account *a)
{
	const struct auth_config *c = &a->relay.auth;
	const struct sasl_mech *mech =
	    c->mech != NULL ? sasl_find(c->mech) : NULL;

	if (!c->on || (mech != NULL && !(mech->traits & SASL_SECRET)))
		return false;
	/* Who shows a certificate and names no user is EXTERNAL. */
	return c->user != NULL || a->relay.tls.cert == NULL ||
	    secret_source(a) != SETTINGS;
}

static void
make_auth(struct account *a)
{
	struct auth_config *c = &a->relay.auth;
	const char *mech = text(a, SET_AUTH);

	/* Not to everybody's MX. */
	c->on = wants_auth(a) && a->relay.hosts != NULL;
	if (c->on && mech != NULL && strcmp(mech, "on") != 0)
		c->mech = mech;
	c->user = text(a, SET_USER);
	c->authzid = text(a, SET_AUTHZID);
	if (is_on(a, SET_INSECURE_AUTH))
		c->insecure = AUTH_ANYHOW;
	if (!auth_has_secret(a))
		return;
	a->relay.secret_from = a->secret_place;
	if (secret_source(a) != SETTINGS)
		settings_said(&a->settings, secret_source(a), a->secret_place);
	else
		snprintf(a->secret_place, sizeof a->secret_place,
		    "netrc, the keyring or the terminal");
}

/* The first setting of who we are that the command line gives; SETTINGS: it
 * gives none. */
static enum setting_id
login_given(const struct account *a)
{
	static const enum setting_id ids[] = { SET_AUTH, SET_USER, SET_AUTHZID,
		SET_PASSWORD_FD, SET_PASSWORDCMD, SET_PASSWORDEVAL,
		SET_PASSWORDFILE };
	size_t i;

	for (i = 0; i < sizeof ids / sizeof ids[0]; i++)
		if (text(a, ids[i]) != NULL &&
		    a->settings.at[ids[i]].from.file == NULL)
			return ids[i];
	return SETTINGS;
}

/* Whoever asks for a login and would get none must hear of it. */
static int
check_login(const struct account *a, struct err *e)
{
	enum setting_id given = login_given(a);

	/* A password alone may be for the key of a certificate. */
	if (given == SETTINGS || a->relay.auth.on || is_off(a, SET_AUTH) ||
	    a->relay.tls.cert != NULL)
		return 0;
	return err_set(e, ERR_PERM, ERR_USAGE,
	    a->relay.hosts == NULL
		? "--%s: there is no login at servers found by MX; give "
		  "--host or an account"
		: "--%s: there is no login without --user or --auth; give one",
	    setting_rows[given].option);
}

/* ---- where to ---- */

/* The scheme for hosts that have none, by what else is said. */
static const char *
scheme(const struct account *a)
{
	if (is_on(a, SET_PROTOCOL))
		return "lmtp://";
	if (is_off(a, SET_TLS_STARTTLS) && text(a, SET_TLS) != NULL &&
	    !is_off(a, SET_TLS))
		return "smtps://";
	return "";
}

/* True if the item says itself how it is spoken to. */
static bool
has_scheme(const char *s, size_t n)
{
	static const char *const kinds[] = { "unix:", "mx:", "srv:" };
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strncasecmp(s, kinds[i], strlen(kinds[i])) == 0)
			return true;
	return memmem(s, n, "://", 3) != NULL;
}

static void
add_hosts(struct account *a, const char *list)
{
	size_t n;

	for (;;) {
		list += strspn(list, " \t");
		n = strcspn(list, ",");
		if (n > 0 && !has_scheme(list, n))
			buf_adds(&a->hosts, scheme(a));
		buf_add(&a->hosts, list, n);
		if (list[n] == '\0')
			return;
		buf_addc(&a->hosts, ',');
		list += n + 1;
	}
}

/* A host of a file that is none has its place there. */
static int
check_hosts(const struct account *a, enum setting_id id, struct err *e)
{
	char place[SETTING_PLACE_MAX];
	struct err why;

	if (relay_check(&a->relay, &why) == 0)
		return 0;
	if (a->settings.at[id].from.file == NULL || why.verdict == ERR_TEMP) {
		*e = why;
		return -1;
	}
	return err_set(e, ERR_PERM, ERR_CONFIG, "%s: %s",
	    settings_place(&a->settings, id, place), why.text);
}

static int
make_hosts(struct account *a, struct err *e)
{
	const char *socket = text(a, SET_SOCKET);

	buf_init(&a->hosts, HOSTS_MAX);
	if (is_on(a, SET_MX))
		return 0;
	if (socket != NULL)
		buf_addf(&a->hosts, "%sunix:%s",
		    is_on(a, SET_PROTOCOL) ? "" : "smtp://", socket);
	else if (text(a, SET_HOST) != NULL)
		add_hosts(a, text(a, SET_HOST));
	else if (a->relay.name != NULL)
		return err_set(e, ERR_PERM, ERR_CONFIG,
		    "account %s has no host; give it \"host NAME\", or "
		    "\"mx on\"",
		    a->relay.name);
	else
		return 0;
	if (buf_starved(&a->hosts))
		return err_set(
		    e, ERR_TEMP, ERR_MACHINE, "no memory for the hosts");
	if (!buf_ok(&a->hosts))
		return err_set(
		    e, ERR_PERM, ERR_CONFIG, "the list of hosts is too long");
	a->relay.hosts = buf_str(&a->hosts);
	return check_hosts(a, socket != NULL ? SET_SOCKET : SET_HOST, e);
}

static int
make_proxy(struct account *a, struct err *e)
{
	const char *host = text(a, SET_PROXY_HOST);
	struct err why;

	if (text(a, SET_PROXY) != NULL) {
		if (proxy_parse(text(a, SET_PROXY), &a->proxy, e) == -1)
			return -1;
	} else if (host != NULL) {
		a->proxy = (struct proxy){ .kind = PROXY_SOCKS5, .port = 1080 };
		if (idna_host(host, a->proxy.host, &why) == -1)
			snprintf(a->proxy.host, sizeof a->proxy.host, "%s",
			    host); /* an IPv6 address */
		if (text(a, SET_PROXY_PORT) != NULL)
			a->proxy.port =
			    (unsigned)a->settings.at[SET_PROXY_PORT].number;
	} else {
		return 0;
	}
	a->relay.proxy = &a->proxy;
	return 0;
}

/* The name that EHLO says, with its % filled in. */
static int
make_helo(struct account *a, struct err *e)
{
	const char *domain = text(a, SET_DOMAIN);
	char place[SETTING_PLACE_MAX], name[IDNA_NAME_MAX];
	struct err why;

	if (domain == NULL)
		machine_helo(a->helo);
	else
		machine_expand(domain, a->helo, sizeof a->helo);
	/* What is no name, a literal perhaps, stays as it is. */
	if (idna_host(a->helo, name, &why) == 0)
		memcpy(a->helo, name, sizeof name);
	a->relay.helo = a->helo[0] != '\0' ? a->helo : NULL;
	if (domain == NULL || values_is_domain(a->helo))
		return 0;
	return err_set(e, ERR_PERM, ERR_CONFIG,
	    "%s \"%s\" becomes \"%s\", which is no host name; give one",
	    settings_place(&a->settings, SET_DOMAIN, place), domain, a->helo);
}

struct log_to
account_log(const struct settings *s)
{
	const struct setting *syslog = &s->at[SET_SYSLOG];

	return (struct log_to){
		.file = s->at[SET_LOGFILE].text,
		.time_format = s->at[SET_LOGFILE_TIME].text,
		.facility =
		    syslog->text != NULL ? (int)syslog->number : LOG_UNSAID,
	};
}

int
account_make(struct account *a, const char *name, const struct settings *s,
    struct err *e)
{
	*a = (struct account){ .settings = *s, .relay = { .name = name } };
	buf_init(&a->secret, CREDENTIAL_MAX);
	buf_init(&a->key_secret, CREDENTIAL_MAX);
	buf_init(&a->login, 1024);
	a->relay.port =
	    text(a, SET_PORT) != NULL ? (unsigned)s->at[SET_PORT].number : 0;
	a->relay.xclient = text(a, SET_XCLIENT);
	a->relay.timeout = s->at[SET_TIMEOUT].number;
	a->relay.connections = (unsigned)s->at[SET_QUEUE_CONNECTIONS].number;
	if (text(a, SET_SOURCE_IP) != NULL) {
		endpoint_ip(&a->source, text(a, SET_SOURCE_IP), 0);
		a->relay.source = &a->source;
	}
	if (make_hosts(a, e) == -1 || make_proxy(a, e) == -1 ||
	    make_helo(a, e) == -1)
		return -1;
	make_tls(a);
	make_policy(a);
	make_auth(a);
	a->log = account_log(s);
	if (locally_make(&a->locally, &s->at[SET_LOCAL], &a->relay, e) == -1)
		return -1;
	return check_login(a, e);
}

void
account_free(struct account *a)
{
	buf_free(&a->hosts);
	buf_free(&a->secret);
	buf_free(&a->key_secret);
	buf_free(&a->login);
	locally_free(&a->locally);
	explicit_bzero(&a->proxy, sizeof a->proxy);
	*a = (struct account){ 0 };
}

/* ---- secrets ---- */

/* The first of our servers, as netrc and keyrings know it. */
static int
first_host(const struct account *a, char *out, size_t size, struct err *e)
{
	struct spec *specs;
	size_t n;

	if (spec_parse(a->relay.hosts, 0, &specs, &n, e) == -1)
		return -1;
	snprintf(out, size, "%s", specs[0].host);
	spec_free(specs, n);
	return 0;
}

/* What is named; and, for a password, where else it may be. */
static struct credential
credential(const struct account *a, struct waiter *w)
{
	return (struct credential){
		.account = a->relay.name,
		.fd = text(a, SET_PASSWORD_FD) != NULL
		    ? (int)a->settings.at[SET_PASSWORD_FD].number
		    : -1,
		.text = text(a, SET_PASSWORD),
		.cmd = text(a, SET_PASSWORDCMD),
		.eval = text(a, SET_PASSWORDEVAL),
		.file = text(a, SET_PASSWORDFILE),
		.ask = a->unattended ? NULL : prompt_secret,
		.ctx = w,
		.waiter = w,
	};
}

/* What would have to be typed again. */
static bool
is_once(const char *source)
{
	return strcmp(source, "--password-fd") == 0 ||
	    strcmp(source, "the prompt") == 0;
}

/* -1, with the line of the file that has this setting before what *e says. */
static int
placed(const struct account *a, enum setting_id id, struct err *e)
{
	const struct origin *from;
	struct err why = *e;

	if (id == SETTINGS || a->settings.at[id].from.file == NULL)
		return -1;
	from = &a->settings.at[id].from;
	return err_set(e, why.verdict, why.kind, "%s:%u: %s", from->file,
	    from->line, why.text);
}

static int
fetch_password(struct account *a, struct waiter *w, struct err *e)
{
	struct credential c = credential(a, w);
	char host[MACHINE_NAME_MAX], netrc[MACHINE_PATH_MAX];
	const char *source = "";

	if (first_host(a, host, sizeof host, e) == -1)
		return -1;
	c.host = host;
	c.service = "smtp";
	c.user = text(a, SET_USER);
	c.login = &a->login;
	c.directory = getenv("CREDENTIALS_DIRECTORY");
	c.netrc = machine_netrc(netrc) ? netrc : NULL;
	c.netrc_system = "/etc/netrc";
	c.keyring = true;
	a->relay.auth.secret = NULL;
	buf_reset(&a->secret);
	buf_reset(&a->login);
	if (credential_fetch(&c, &a->secret, &source, e) == -1)
		return placed(a, secret_source(a), e);
	a->relay.auth.secret = buf_str(&a->secret);
	if (c.user == NULL && a->login.len > 0)
		a->relay.auth.user = buf_str(&a->login);
	return 0;
}

/* The passphrase of our key: what is named, unless AUTH wants that. */
static int
fetch_passphrase(struct account *a, struct waiter *w, struct err *e)
{
	const struct tls_config *tls = &a->relay.tls;
	struct credential c = { .fd = -1,
		.ask = a->unattended ? NULL : prompt_secret,
		.ctx = w,
		.waiter = w };
	const char *source;
	int got;

	if (tls->cert == NULL || a->key_secret.len > 0)
		return 0;
	if (a->relay.secret_from == NULL)
		c = credential(a, w);
	c.host = tls->key != NULL ? tls->key : tls->cert;
	got = key_is_encrypted(c.host, e);
	if (got <= 0)
		return got;
	if (credential_fetch(&c, &a->key_secret, &source, e) == -1)
		return -1;
	a->key_kept = is_once(source);
	a->relay.tls.key_secret = buf_str(&a->key_secret);
	return 0;
}

int
account_fetch(
    struct account *a, bool again, const struct waiter *w, struct err *e)
{
	enum setting_id source = secret_source(a);
	struct waiter waiter = *w;

	if (again &&
	    (source == SET_PASSWORD || source == SET_PASSWORD_FD ||
		a->relay.secret_from == NULL))
		return 1;
	if (a->relay.secret_from != NULL && (again || a->secret.len == 0) &&
	    fetch_password(a, &waiter, e) == -1)
		return -1;
	return fetch_passphrase(a, &waiter, e);
}

void
account_forget(struct account *a)
{
	buf_free(&a->secret);
	a->relay.auth.secret = NULL;
	if (!a->key_kept) {
		buf_free(&a->key_secret);
		a->relay.tls.key_secret = NULL;
	}
}

/* Root can read everything, and uses no secret that is another user's. */
static bool
is_closed(const char *path)
{
	struct stat st;

	if (access(path, R_OK) == -1)
		return errno == EACCES;
	return geteuid() == 0 && stat(path, &st) == 0 && st.st_uid != 0;
}

bool
account_is_closed(const struct account *a)
{
	static const enum setting_id files[] = { SET_PASSWORDFILE,
		SET_TLS_CERT_FILE, SET_TLS_KEY_FILE };
	size_t i;

	for (i = 0; i < sizeof files / sizeof files[0]; i++)
		if (text(a, files[i]) != NULL && is_closed(text(a, files[i])))
			return true;
	return false;
}

/* ---- the sender ---- */

const char *
account_sender(const struct account *a, const char *given,
    char room[MACHINE_ADDRESS_MAX], struct err *e)
{
	const char *from = text(a, SET_FROM);
	bool made = is_on(a, SET_AUTO_FROM);
	bool fixed = from != NULL && strpbrk(from, "?*[") == NULL;

	if (given != NULL &&
	    !((made || fixed) && is_off(a, SET_ALLOW_FROM_OVERRIDE)))
		return given;
	if (fixed && !made) {
		machine_expand(from, room, MACHINE_ADDRESS_MAX);
		return room;
	}
	return machine_sender(text(a, SET_MAILDOMAIN), room, e) == -1 ? NULL
								      : room;
}
