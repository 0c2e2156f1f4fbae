#!/usr/bin/env bats
# A report of delivery says to another reader what it is to say.
# once: it runs tests/tools alone.

load common

@test "Python reads reports as RFC 3464 has them" {
	/usr/bin/python3 "$BATS_TEST_DIRNAME/dsn.py" "$TOOLS/dsn"
}
