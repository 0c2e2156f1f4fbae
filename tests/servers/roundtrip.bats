#!/usr/bin/env bats
# The messages of tests/messages through Postfix, as it is and with what it
# offers taken away: what arrives says the same.

load common

# Ports, and what is not offered there.
setup_file() {
	local port
	prepare
	certificates
	# It would make senders wait for delivery.
	export POSTFIX_EXTRA='in_flow_delay = 0'
	export POSTFIX_MASTER=''
	while read -r port without; do
		POSTFIX_MASTER+="127.0.0.1:$port inet n - n - - smtpd"$'\n'
		POSTFIX_MASTER+="  -o smtpd_discard_ehlo_keywords=$without"$'\n'
	done <<-PORTS
		2501 8bitmime
		2502 smtputf8
		2503 8bitmime,smtputf8
	PORTS
	start postfix.sh "$D/postfix" "$D/ca"
	export STORE=$D/postfix/mail
}

@test "what is sent arrives as it was meant" {
	run "$SERVERS/roundtrip.py" send "$D/sent" 25 2501 2502 2503
	assert_output ''
	[ "$(wc -l <"$D/sent")" -gt 800 ]
	"$SERVERS/waitfor" 60 "$SERVERS/roundtrip.py" there "$D/sent" "$STORE"
	run "$SERVERS/roundtrip.py" compare "$D/sent" "$STORE"
	assert_output ''
}

@test "the ports offered what they were to offer" {
	local port
	for port in 25:yes:yes 2501:no:yes 2502:yes:no 2503:no:no; do
		IFS=: read -r port eight utf8 <<<"$port"
		run "$SMTPSEND" --server-info --host "127.0.0.1:$port"
		assert_success
		[[ $eight = no ]] || assert_output --partial '  8BITMIME'
		[[ $eight = yes ]] || refute_output --partial '  8BITMIME'
		[[ $utf8 = no ]] || assert_output --partial '  SMTPUTF8'
		[[ $utf8 = yes ]] || refute_output --partial '  SMTPUTF8'
	done
}
