#!/usr/bin/env bats
# The system's configuration, which needs an /etc of its own: beside the
# user's, closed to users, and with nobody's home.

load ../common

SYSTEM=/etc/smtpsend.conf

teardown() {
	rm -f "$SYSTEM"
}

# plan ARGUMENT...: where the mail would go.
plan() {
	send --dry-run -f a@x.test "$@" bob@x.test <message
}

@test "the system's accounts, and the user's before them" {
	printf '%s\n' defaults 'port 26' 'timeout 5' 'account default' \
		'host 127.0.0.1' 'account site' 'host 127.0.0.2' \
		'from *@site.test' >"$SYSTEM"
	plan
	exits 0
	assert_line '  host 127.0.0.1 port 26 smtp'
	printf '%s\n' 'account default' 'host 127.0.0.3' 'account mine : site' \
		'port 27' 'from joe@site.test' >"$HOME/.smtpsendrc"
	plan
	assert_line '  host 127.0.0.3 port 25 smtp'
	plan -a site
	assert_line '  host 127.0.0.2 port 26 smtp'
	send --dry-run -f joe@site.test bob@x.test <message
	assert_line 'route 1 by smarthost, account mine'
	assert_line '  host 127.0.0.2 port 27 smtp'
	plan -C /dev/null --host 127.0.0.9
	assert_line '  host 127.0.0.9 port 25 smtp'
}

@test "defaults of both files hold where no account is used" {
	printf '%s\n' defaults 'port 26' 'tls encrypt' >"$SYSTEM"
	printf '%s\n' defaults 'port 27' >"$HOME/.smtpsendrc"
	plan --host 127.0.0.1
	exits 0
	assert_line '  host 127.0.0.1 port 27 smtp'
	assert_line "    tls encrypt, by tls in $SYSTEM:3"
}

@test "without HOME, and for a user without a name, the system's counts" {
	printf '%s\n' 'account default' 'host 127.0.0.4' >"$SYSTEM"
	chmod 644 "$SYSTEM"
	run --separate-stderr env -i setpriv --reuid 12345 --clear-groups \
		"$SMTPSEND" --dry-run -f a@x.test bob@x.test <message
	exits 0
	assert_line '  host 127.0.0.4 port 25 smtp'
}

@test "a system's file that is closed to users is not meant for them" {
	printf '%s\n' 'account default' 'host 127.0.0.4' 'password geheim' \
		>"$SYSTEM"
	chmod 600 "$SYSTEM"
	plan
	exits 0
	assert_line '  host 127.0.0.4 port 25 smtp'
	run --separate-stderr env -i setpriv --reuid 12345 --clear-groups \
		"$SMTPSEND" --dry-run -f a@x.test --host 127.0.0.5 bob@x.test \
		<message
	exits 0
	assert_line '  host 127.0.0.5 port 25 smtp'
	chmod 644 "$SYSTEM"
	plan
	exits 78
	says "$SYSTEM:3: " 'chmod 600'
}
