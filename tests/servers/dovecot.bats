#!/usr/bin/env bats
# LMTP to Dovecot.

load common

setup_file() {
	prepare
	certificates
	start dovecot.sh "$D/dovecot" "$D/ca"
	export STORE=$D/dovecot/mail
}

@test "LMTP by TCP" {
	arrives plain -f alice@client.test --host lmtp://127.0.0.1:24 \
		bob@example.test
}

@test "each recipient has its own copy and its own answer" {
	send --host "unix:$D/dovecot/lmtp.sock" carol@example.test \
		dave@example.test
	assert_equal "$status" 0
	run outcomes
	assert_output - <<-END
		carol@example.test delivered end 250 2.0.0
		dave@example.test delivered end 250 2.0.0
	END
	run stored "$BATS_TEST_NUMBER@client.test"
	assert_equal ${#lines[@]} 2
}

@test "no such socket is temporary" {
	send --host "unix:$D/nothing.sock" bob@example.test
	assert_equal "$status" 75
}
