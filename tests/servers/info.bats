#!/usr/bin/env bats
# What --server-info leaves alone, and what --configure finds, at servers that
# keep accounts (what both print: look.bats).

load common

setup_file() {
	prepare
	"$SERVERS/mkca" "$D/ca" 'mx1=DNS:r1.tls.relays.test,IP:127.0.0.1'
	export CA=$D/ca/ca.pem
	start dns.sh "$D/dns"
	start dovecot.sh "$D/dovecot" "$D/ca" 127.0.0.11 127.0.0.1
	echo 'alice@tls.relays.test:{PLAIN}pencil::::::' >"$D/dovecot/users"
	start postfix.sh "$D/postfix" "$D/ca" 127.0.0.1 \
		"$D/dovecot/run/smtp-auth"
	export STORE=$D/postfix/mail
}

setup() {
	: >"$D/postfix/mail.log"
}

@test "nothing is sent to find it out" {
	run -0 "$SMTPSEND" --server-info --host 127.0.0.1
	"$SERVERS/waitfor" 30 grep -q 'disconnect from' "$D/postfix/mail.log"
	run grep -o 'disconnect from .*' "$D/postfix/mail.log"
	assert_output --partial 'ehlo=2 starttls=1'
	refute_output --regexp ' (auth|mail|rcpt|data)='
}

@test "a server that is not there, and one that nobody vouches for" {
	run --separate-stderr -75 "$SMTPSEND" --server-info --host 127.0.0.9
	[[ $stderr == *'connect to 127.0.0.9 port 25: Connection refused'* ]]
	run --separate-stderr -75 "$SMTPSEND" --server-info \
		--host smtps://127.0.0.1
	[[ $stderr == *"the certificate's issuer"* ]]
}

@test "an account that was found works" {
	echo pencil >"$BATS_TEST_TMPDIR/password"
	chmod 600 "$BATS_TEST_TMPDIR/password"
	"$SMTPSEND" --configure alice@tls.relays.test --tls-trust-file "$CA" \
		>"$BATS_TEST_TMPDIR/config"
	arrives plain -C "$BATS_TEST_TMPDIR/config" --tls-trust-file "$CA" \
		--passwordfile "$BATS_TEST_TMPDIR/password" bob@example.test
	run cat "$(stored "plain.$BATS_TEST_NUMBER@client.test")"
	assert_line 'Return-Path: <alice@tls.relays.test>'
	"$SERVERS/waitfor" 30 grep -q 'Login: user=<alice@tls.relays.test>' \
		"$D/dovecot/dovecot.log"
}
