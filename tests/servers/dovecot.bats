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

# mailboxes LINE: what `local` says.
mailboxes() {
	printf '%s\n' defaults "$1" >/etc/smtpsend.conf
}

@test "mailboxes of this machine by LMTP: names as they are" {
	mailboxes "local lmtp $D/dovecot/lmtp.sock"
	arrives plain -f alice@client.test bob
	mailboxes 'local lmtp 127.0.0.1'
	send eve mallory
	assert_equal "$status" 0
	run outcomes
	assert_output - <<-END
		eve delivered end 250 2.0.0
		mallory delivered end 250 2.0.0
	END
	[ -d "$STORE/eve/new" ] && [ -d "$STORE/mallory/new" ]
}

@test "mailboxes of this machine by Dovecot's program" {
	grep -q ^bob: /etc/passwd || {
		echo "bob:x:2001:2001::/var/bob:/bin/sh" >>/etc/passwd
		echo bob:x:2001: >>/etc/group
	}
	install -d -o 2001 -g 2001 /var/bob
	: >/etc/dovecot/dovecot.conf
	mailboxes "local mda /usr/lib/dovecot/dovecot-lda -f %s -o 'mail_location=maildir:~/inbox' -o log_path=/dev/stderr"
	send bob
	assert_equal "$status" 0
	run outcomes
	assert_output 'bob delivered none 0'
	assert_equal "$(stat -c %U /var/bob/inbox/new/*)" bob
	grep -qx 'Return-Path: <alice@client.test>' /var/bob/inbox/new/*
}
