#!/usr/bin/env bats
# A header that was mended says to another reader what it said before.
# once: it runs tests/tools alone.

load common

@test "Python reads the same from a header before and after" {
	/usr/bin/python3 "$BATS_TEST_DIRNAME/mend.py" "$TOOLS/mend"
}
