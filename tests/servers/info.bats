#!/usr/bin/env bats
# What --server-info and --configure find out about real servers.

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

@test "what a server offers, before TLS and behind it" {
	run -0 "$SMTPSEND" --server-info --host 127.0.0.1 \
		--tls-trust-file "$CA"
	assert_line --partial 'mx1.example.test ESMTP Postfix'
	assert_line --partial 'certificate for r1.tls.relays.test, 127.0.0.1'
	assert_line --partial 'issued by "test CA"'
	run sed '/over TLS/,$d' <<<"$output"
	assert_line --regexp '^ *STARTTLS '
	refute_line --partial AUTH
	run -0 "$SMTPSEND" --server-info --host 127.0.0.1
	run sed '1,/over TLS/d' <<<"$output"
	refute_line --partial STARTTLS
	assert_line --partial 'AUTH PLAIN LOGIN CRAM-MD5'
}

@test "nothing is sent to find it out" {
	run -0 "$SMTPSEND" --server-info --host 127.0.0.1
	"$SERVERS/waitfor" 10 grep -q 'disconnect from' "$D/postfix/mail.log"
	run grep -o 'disconnect from .*' "$D/postfix/mail.log"
	assert_output --partial 'ehlo=2 starttls=1'
	refute_output --regexp ' (auth|mail|rcpt|data)='
}

@test "TLS from the first octet" {
	run -0 "$SMTPSEND" --server-info --host smtps://r1.tls.relays.test \
		--nameserver 127.0.0.1 --tls-trust-file "$CA"
	assert_line --partial 'verified: chain and name'
	assert_line --partial 'AUTH PLAIN LOGIN'
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
	grep -q 'Login: user=<alice@tls.relays.test>' "$D/dovecot/dovecot.log"
}

@test "no account is made of what is not there" {
	run --separate-stderr -68 "$SMTPSEND" --configure alice@nosuch.test
	assert_output ''
	[[ $stderr == *nosuch.test* ]]
}
