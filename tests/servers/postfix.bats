#!/usr/bin/env bats
# What smtpsend makes of the answers of Postfix.

load common

setup_file() {
	prepare
	certificates
	start postfix.sh "$D/postfix" "$D/ca"
	export STORE=$D/postfix/mail
}

@test "several recipients share one copy" {
	arrives plain -f alice@client.test --host 127.0.0.1 \
		bob@example.test carol@plain.test
	grep -q 'nrcpt=2' "$D/postfix/mail.log"
}

@test "a null sender" {
	arrives plain -f '<>' --host 127.0.0.1 bob@example.test
	grep -qx 'Return-Path: <>' "$(stored "plain.$BATS_TEST_NUMBER@client.test")"
}

@test "relaying denied is 77" {
	send --host 127.0.0.1 bob@elsewhere.test
	assert_equal "$status" 77
	run outcomes
	assert_output 'bob@elsewhere.test failed rcpt 554 5.7.1'
}

@test "a message larger than SIZE is refused before it is sent" {
	head -c 1500000 /dev/zero | tr '\0' 'x' | fold -w 70 \
		>"$BATS_TEST_TMPDIR/in"
	run --separate-stderr "$SMTPSEND" --json -f alice@client.test \
		--host 127.0.0.1 bob@example.test <"$BATS_TEST_TMPDIR/in"
	assert_equal "$status" 69
	run jq -r '.recipients[0] | .outcome' <<<"$output"
	assert_output failed
	run grep -c 'message size' "$D/postfix/mail.log"
	assert_output 0
}

@test "--source-ip and --helo are what the server sees" {
	arrives plain -f alice@client.test --host 127.0.0.1 \
		--source-ip 127.0.0.5 --helo sender.client.test bob@example.test
	run grep -A 1 '^Received: ' "$(stored "plain.$BATS_TEST_NUMBER@client.test")"
	assert_line --partial 'from sender.client.test (unknown [127.0.0.5])'
}

@test "the second smarthost when the first is down" {
	arrives plain -f alice@client.test --host 127.0.0.9,127.0.0.1 \
		bob@example.test
}
