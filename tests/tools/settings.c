/*
 * settings: print all that a configuration and its accounts know, a line each:
 * its keyword, its long option, the option's value, its letter; "-" where there
 * is none.
 */
#include <stdio.h>

#include "cli/config.h"

static const char *
or_dash(const char *s)
{
	return s != NULL ? s : "-";
}

int
main(void)
{
	size_t i;

	for (i = 0; i < SETTINGS; i++)
		printf("%s\t%s\t%s\t%c\n", or_dash(setting_rows[i].key),
		    or_dash(setting_rows[i].option),
		    or_dash(setting_rows[i].arg),
		    setting_rows[i].letter != 0 ? setting_rows[i].letter : '-');
	for (i = 0; config_directive(i) != NULL; i++)
		printf("%s\t-\t-\t-\n", config_directive(i));
	return 0;
}
