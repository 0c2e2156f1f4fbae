#!/usr/bin/env bats
# A run of the queue and Postfix: many messages over one verified TLS
# connection, and the report on what it refuses.

load common

setup_file() {
	prepare
	certificates
	start postfix.sh "$D/postfix" "$D/ca"
	export STORE=$D/postfix/mail
}

setup() {
	export HOME=$BATS_TEST_TMPDIR/home
	unset XDG_STATE_HOME XDG_CONFIG_HOME
	mkdir "$HOME"
	printf '%s\n' 'defaults' 'queue_runner off' 'account default' \
		'host smtps://127.0.0.1' "tls_trust_file $D/ca/ca.pem" \
		'tls_host_override mx1.example.test' 'from alice@example.test' \
		>"$HOME/.smtpsendrc"
	chmod 600 "$HOME/.smtpsendrc"
	BEFORE=$(connects)
}

# connects: how many there have been, by a log that is written behind us.
connects() {
	grep -c '\]: connect from .*127.0.0.1' "$D/postfix/mail.log" || true
}

# connected N: so many there have been, and all are over.
connected() {
	[ "$(connects)" = "$1" ] && sessions_over "$D/postfix/mail.log"
}
export -f connects connected

# queued N RECIPIENT...: message N is in the queue.
queued() {
	message plain "$BATS_TEST_NUMBER.$1@client.test" |
		"$SMTPSEND" --queue=only "${@:2}"
}

@test "many messages share a connection, each comes once, as it was" {
	local i file
	cd "$BATS_TEST_TMPDIR"
	for i in {1..20}; do
		queued "$i" bob@example.test carol@plain.test
	done
	run "$SMTPSEND" -q --json
	assert_success
	run jq -sr 'group_by(.recipient.outcome)[] |
		"\(.[0].recipient.outcome) \(length)"' <<<"$output"
	assert_output 'delivered 40'
	for i in {1..20}; do
		expected plain "1.$i@client.test" >wanted
		"$SERVERS/waitfor" 30 copies 2 "1.$i@client.test"
		while read -r file; do
			same_message "$file" wanted
		done < <(stored "1.$i@client.test")
	done
	"$SERVERS/waitfor" 30 connected $((BEFORE + 1)) ||
		fail "$BEFORE, then $(connects)"
	run "$SMTPSEND" -bp
	assert_output 'Mail queue is empty'
}

@test "whom it refuses costs the others nothing; the sender hears of it" {
	queued 1 bob@example.test dave@elsewhere.test
	queued 2 carol@plain.test
	run "$SMTPSEND" -q
	assert_success
	"$SERVERS/waitfor" 30 stored 2.1@client.test
	"$SERVERS/waitfor" 30 stored 2.2@client.test
	"$SERVERS/waitfor" 30 stored_with '^Final-Recipient: '
	local report
	report=$(stored_with '^Final-Recipient: ')
	grep -qx 'Return-Path: <>' "$report"
	grep -qx 'Final-Recipient: rfc822; dave@elsewhere.test' "$report"
	grep -q '^Diagnostic-Code: smtp; 554 5.7.1 ' "$report"
	grep -qx 'To: <\?alice@example.test>\?' "$report"
	# One for the messages, one for the report.
	"$SERVERS/waitfor" 30 connected $((BEFORE + 2)) ||
		fail "$BEFORE, then $(connects)"
	run "$SMTPSEND" -bp
	assert_output 'Mail queue is empty'
}
