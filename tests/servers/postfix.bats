#!/usr/bin/env bats
# What smtpsend makes of the answers of Postfix.

load common

setup_file() {
	prepare
	certificates
	POSTFIX_EXTRA='smtpd_authorized_xclient_hosts = 127.0.0.1' \
		start postfix.sh "$D/postfix" "$D/ca"
	export STORE=$D/postfix/mail
}

@test "several recipients share one copy" {
	arrives plain -f alice@client.test --host 127.0.0.1 \
		bob@example.test carol@plain.test
	"$SERVERS/waitfor" 30 grep -q 'nrcpt=2' "$D/postfix/mail.log"
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

@test "a report of success names envelope and recipient as we do" {
	local id='QQ 314+1=2'
	send -f alice@example.test --host 127.0.0.1 -N success \
		-R hdrs -V "$id" --orcpt 'rfc822;b+o=b@else.test' bob@example.test
	assert_equal "$status" 0
	"$SERVERS/waitfor" 30 stored_with "^Original-Envelope-Id: $id\$"
	run cat "$(stored_with "^Original-Envelope-Id: $id\$")"
	assert_line 'Action: delivered'
	assert_line 'Final-Recipient: rfc822; bob@example.test'
	assert_line 'Original-Recipient: rfc822;b+o=b@else.test'
}

@test "--xclient is whom the server sees" {
	arrives plain -f alice@client.test --host 127.0.0.1 --xclient \
		'NAME=spike.client.test ADDR=198.51.100.7 HELO=other.client.test' \
		--helo third.client.test bob@example.test
	run grep -A 1 '^Received: ' "$(stored "plain.$BATS_TEST_NUMBER@client.test")"
	assert_line --partial '(spike.client.test [198.51.100.7])'
}

@test "where it is not offered to us, --xclient is 78" {
	send --host 127.0.0.1 --source-ip 127.0.0.5 --xclient NAME=x.test \
		bob@example.test
	assert_equal "$status" 78
}
