/*
 * exitcodes: the rows of base/err.c, a line each, "CODE TAB NAME TAB MEANING",
 * for script/check-docs.
 */
#include "base/err.h"

int
main(void)
{
	for (size_t i = 0; i < exit_rows_n; i++)
		printf("%d\t%s\t%s\n", exit_rows[i].code, exit_rows[i].name,
		    exit_rows[i].means);
	return fflush(stdout) == 0 ? 0 : 1;
}
