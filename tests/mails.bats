#!/usr/bin/env bats
# Several mails in one delivery: tests/tools/mails.c plays what the queue will
# do, and the dialogues of tests/mails say what comes of it.

load common

# The tool of the same build as the program under test.
mails() {
	local beside
	beside=$(dirname "$SMTPSEND")/tools/mails
	[ -x "$beside" ] || beside=$TOOLS/mails
	echo "$beside"
}

@test "dialogues of several mails" {
	run env SMTPSEND="$(mails)" "$TOOLS/player" "$TESTS"/mails/*.dlg
	refute_line --regexp '^not ok'
	assert_success
}
