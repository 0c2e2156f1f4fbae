#!/usr/bin/env bats
# What smtpsend makes of the answers of aiosmtpd, and what it tells it.

load common

setup_file() {
	prepare
	mkdir "$D/aio"
	start_announced aio "$SERVERS/aio.py" "$D/aio" 127.0.0.1 25
	export STORE=$D/aio WIRE=yes
}

@test "the envelope" {
	arrives plain -f alice@client.test --host 127.0.0.1 \
		bob@example.test '"odd one"@example.test' carol@plain.test
	json=$(stored "plain.$BATS_TEST_NUMBER@client.test")
	run jq -c '[.mail, .rcpts]' "${json%.msg}.json"
	assert_output '["alice@client.test",["bob@example.test","\"odd one\"@example.test","carol@plain.test"]]'
}

@test "a connection cut after the data is temporary and in doubt" {
	send --host 127.0.0.1 dropdata@example.test
	assert_equal "$status" 75
	run jq -c '.recipients[0] | [.outcome, .in_doubt]' <<<"$output"
	assert_output '["deferred",true]'
}
