#!/usr/bin/env bats
# What is read as a message, and what of it is believed.
# shellcheck disable=SC2154 # run sets $stderr

load common

setup() {
	common_setup
	receiver box
	as_it_is
}

# hops N: N fields Received.
hops() {
	local i
	for ((i = 1; i <= $1; i++)); do
		printf 'Received: from a by b\n\twith SMTP; %d\n' "$i"
	done
}

@test "100 Received are none too many" {
	{ hops 100 && cat message; } >long
	mv long message
	deliver bob@x.test
	exits 0
	stored 1
	assert_equal "$(grep -c '^Received:' box/1.msg)" 100
}

@test "101 are a loop: 5.4.6, 69, and nothing is sent or queued" {
	{ hops 101 && cat message; } >long
	mv long message
	printf '%s\n' 'queue_runner off' 'account default' 'host 127.0.0.1' \
		"port $PORT" >>.smtpsendrc
	local how
	for how in -v --queue --queue=only --dry-run; do
		send -f a@x.test "$how" bob@x.test carol@x.test <message
		exits 69
		says 'bob@x.test: failed at input: a loop: the message has been received 101 times, and 100 is the limit' \
			'carol@x.test: failed at input: a loop'
		assert_equal "$output" ''
	done
	deliver --json bob@x.test
	assert_equal "$(jq -r '.recipients[0].enhanced' <<<"$output")" 5.4.6
	stored 0
	send -bp
	assert_equal "${lines[-1]}" 'Mail queue is empty'
}
