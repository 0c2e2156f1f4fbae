#!/usr/bin/env bats
# script/demo does what README.md says of it.
# once: it runs script/demo, which builds for itself.

bats_require_minimum_version 1.5.0
load /usr/lib/bats/bats-support/load
load /usr/lib/bats/bats-assert/load

@test "the demo shows dialogue, stored message and exit code" {
	run "$BATS_TEST_DIRNAME/../script/demo"
	assert_success
	assert_line --regexp '^C: MAIL FROM:<alice@example\.org>'
	assert_line --regexp '^S: 250 .*stored as 1'
	assert_line 'rcpt <carol@example.com>'
	assert_line --index -1 '== Exit code: 0 =='
}
