#!/usr/bin/env bats
# Our side of an SMTP server gets on with a client that others wrote.
# once: it runs tests/tools alone.

load common

@test "Python's smtplib sends to it" {
	/usr/bin/python3 "$BATS_TEST_DIRNAME/client.py" "$TOOLS/server"
}
