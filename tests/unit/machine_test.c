/*
 * machine: the full name that passwd(5) has for a user.
 * The & of finger(1).
 */
#include "cli/machine.h"
#include "tests/unit/test.h"

static const struct {
	const char *gecos;
	const char *login;
	const char *name;
} rows[] = {
	{ "", "joe", "" },
	{ "Joe Doe", "joe", "Joe Doe" },
	{ "Joe Doe,Room 1,123,,", "joe", "Joe Doe" },
	{ ",Room &", "joe", "" },
	{ "& Doe", "joe", "Joe Doe" },
	{ "Dr. & and &", "joe", "Dr. Joe and Joe" },
	{ "&", "Root", "Root" },
	{ "&", "_mail", "_mail" },
	{ "&", "", "" },
	{ "J\xf8rn & \xc3\xb8", "\xc3\xb8re", "J\xf8rn \xc3\xb8re \xc3\xb8" },
};

TEST(the_name_in_gecos)
{
	char out[MACHINE_FULL_NAME_MAX];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		machine_gecos(rows[i].gecos, rows[i].login, out);
		CHECK_STR(out, rows[i].name);
	}
}

TEST(what_is_too_long_is_cut)
{
	char gecos[MACHINE_FULL_NAME_MAX * 2], out[MACHINE_FULL_NAME_MAX];
	char login[MACHINE_FULL_NAME_MAX];

	memset(gecos, '&', sizeof gecos - 1);
	gecos[sizeof gecos - 1] = '\0';
	machine_gecos(gecos, "joe", out);
	CHECK_INT(strlen(out), sizeof out - 1);
	memset(login, 'x', sizeof login - 1);
	login[sizeof login - 1] = '\0';
	machine_gecos(gecos, login, out);
	CHECK_INT(strlen(out), sizeof out - 1);
	CHECK_INT(out[0], 'X');
}

TEST_MAIN
