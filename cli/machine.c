/*
 * machine: see machine.h.
 * Callers: native.c.
 * getpwuid(3) reads nsswitch.conf and may load modules: only without -f.
 * A host name without a dot is nobody's name in the world and is not used.
 * Ownership: see machine.h.
 */
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/machine.h"
#include "mail/address.h"

#define MAILNAME "/etc/mailname"

/* The first line of /etc/mailname, if it is a host name. */
static void
read_mailname(char out[MACHINE_NAME_MAX])
{
	FILE *f = fopen(MAILNAME, "re");

	out[0] = '\0';
	if (f == NULL)
		return;
	if (fgets(out, MACHINE_NAME_MAX, f) == NULL)
		out[0] = '\0';
	out[strcspn(out, " \t\r\n")] = '\0';
	if (!address_is_hostname(out, strlen(out)))
		out[0] = '\0';
	fclose(f);
}

static void
dotted_name(char out[MACHINE_NAME_MAX])
{
	memset(out, 0, MACHINE_NAME_MAX);
	if (gethostname(out, MACHINE_NAME_MAX - 1) == -1 ||
	    strchr(out, '.') == NULL || !address_is_hostname(out, strlen(out)))
		out[0] = '\0';
}

void
machine_helo(char out[MACHINE_NAME_MAX])
{
	dotted_name(out);
	if (out[0] == '\0')
		read_mailname(out);
}

void
machine_domain(char out[MACHINE_NAME_MAX])
{
	read_mailname(out);
	if (out[0] == '\0')
		dotted_name(out);
}

int
machine_sender(char out[MACHINE_ADDRESS_MAX], struct err *e)
{
	const struct passwd *pw = getpwuid(getuid());
	char domain[MACHINE_NAME_MAX];

	machine_domain(domain);
	if (pw == NULL || domain[0] == '\0')
		return err_set(e, ERR_PERM, ERR_USAGE,
		    "no sender address: %s; give -f ADDRESS",
		    pw == NULL ? "this user has no name"
			       : "this machine has no domain name");
	snprintf(out, MACHINE_ADDRESS_MAX, "%s@%s", pw->pw_name, domain);
	return 0;
}
