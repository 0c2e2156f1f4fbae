#!/usr/bin/env bats
# What a person with a mail account does first, and what goes wrong then: the
# account as the manual shows it, at a real submission server, and each
# mistake with its one line and its exit code.

load common

setup_file() {
	prepare
	"$SERVERS/mkca" "$D/ca" mx1=DNS:smtp.provider.test
	echo '127.0.0.2 smtp.provider.test alias.provider.test' >>/etc/hosts
	echo '127.0.0.9 dead.provider.test' >>/etc/hosts
	start dovecot.sh "$D/dovecot" "$D/ca" 127.0.0.2 127.0.0.1
	start postfix.sh "$D/postfix" "$D/ca" 127.0.0.1
}

setup() {
	export HOME=$BATS_TEST_TMPDIR
	unset XDG_CONFIG_HOME
	cd "$HOME" || return
	cat >.smtpsendrc <<-RC
		defaults
		port 587
		tls on
		tls_trust_file $D/ca/ca.pem

		account work
		host smtp.provider.test
		from alice@provider.test
		auth on
		user alice
		passwordeval echo pencil

		account default : work
	RC
}

# change SED...: the configuration is another one.
change() {
	sed -i "$@" .smtpsendrc
}

try() {
	run --separate-stderr "$SMTPSEND" "$@" \
		< <(message plain "$BATS_TEST_NUMBER@provider.test")
}

# fails CODE TEXT...: with this exit code and one line, in which each stands.
fails() {
	local text
	[ "$status" -eq "$1" ] || fail "exit code $status, not $1: $stderr"
	[ "$(wc -l <<<"$stderr")" = 1 ] || fail "more than a line: $stderr"
	for text in "${@:2}"; do
		[[ $stderr == *"$text"* ]] || fail "no \"$text\" in: $stderr"
	done
}

@test "it works, also from cron and from a mail reader" {
	try bob@example.test
	assert_equal "$status$output$stderr" 0
	try -a work -oem -oi -f alice@provider.test -- bob@example.test
	assert_equal "$status$output$stderr" 0
	cd /
	run --separate-stderr env -i "HOME=$HOME" "$SMTPSEND" bob@example.test \
		< <(message plain cron@provider.test)
	assert_equal "$status$output$stderr" 0
	"$SERVERS/waitfor" 30 grep -rqF cron@provider.test "$D/postfix/mail"
}

# readme FROM TO: these lines of README.md, as they are pasted.
readme() {
	sed -n "/^    $1/,/^    $2/s/^ \{0,4\}//p" "$SERVERS/../../README.md"
}

@test "the account of README.md, and what it says of it" {
	local here="s|/home/you|$HOME|; s|192.0.2.25|127.0.0.2|
		s|your.provider|provider.test|g; s|<you@|<alice@|
		s|^from you|from alice|; s|example.net|example.test|
		s|^user you|user alice|; s| as you| as alice|
		s|pass show mail/you|echo pencil|"
	readme defaults 'account default' | sed "$here" >.smtpsendrc
	message plain readme@provider.test >mail
	run --separate-stderr "$SMTPSEND" --dry-run bob@example.test <mail
	assert_equal "$status$stderr" 0
	assert_output "$(readme 'from <you' '  to bob@example.net' |
		sed "$here; s|message .*|message $(awk '{ n += length + 2 }
			END { print n }' mail) octets, 7-bit|")"
	run --separate-stderr "$SMTPSEND" --tls-trust-file "$D/ca/ca.pem" \
		bob@example.test <mail
	assert_equal "$status$output$stderr" 0
}

@test "eight at once" {
	message plain many@provider.test >many
	# shellcheck disable=SC2016 # for sh
	run -0 xargs -P 4 -I% sh -c '"$SMTPSEND" bob%@example.test <many' \
		< <(seq 8)
	assert_output ''
}

@test "a wrong password names user, place and the TLS that there was" {
	change 's/pencil/wrong/'
	try bob@example.test
	fails 77 'failed at auth, smtp.provider.test [127.0.0.2]:587 said: 535' \
		"we were alice, with the secret from passwordeval in $HOME/.smtpsendrc:11"
	try --json bob@example.test
	jq -e '.exit == 77 and (.recipients[0] | .code == 535 and
		.tls.verified and .tls.names == "smtp.provider.test")' \
		<<<"$output"
}

@test "the TLS that is told is that of the host which is blamed" {
	change 's/^host.*/host alias.provider.test, dead.provider.test/'
	try --json bob@example.test
	jq -e '.recipients[0] | .kind == "tls" and .tls == null' <<<"$output"
	change 's/pencil/wrong/'
	change 's/^host.*/host dead.provider.test, smtp.provider.test/'
	try --json bob@example.test
	jq -e '.recipients[0] | .host == "smtp.provider.test" and
		.tls.verified' <<<"$output"
}

@test "a password that does not come names the line" {
	change 's/^passwordeval.*/passwordeval exit 3/'
	try bob@example.test
	fails 78 "$HOME/.smtpsendrc:11: passwordeval: exit status 3"
	change 's/^passwordeval.*/passwordfile gone/'
	try bob@example.test
	fails 78 "$HOME/.smtpsendrc:11: passwordfile: gone: No such file"
}

@test "no challenge and no answer to it is shown" {
	try -v bob@example.test
	assert_equal "$status" 0
	[[ $stderr == *'S: 334 <hidden>'* ]]
	run ! grep -E '^S: 334 [^<]' <<<"$stderr"
	run ! grep -E '^C: AUTH [^ ]+ [^<]' <<<"$stderr"
}

@test "TLS at the wrong moment: both remedies" {
	change 's/^tls on/&\ntls_starttls off/'
	try bob@example.test
	fails 75 'does not speak TLS from the start' 'tls_starttls on'
}

@test "no user" {
	change /^user/d
	try bob@example.test
	fails 77 'wants a user name: set user'
}

@test "a sender that is none is the configuration's fault" {
	change 's/^from.*/from alice/'
	try --dry-run bob@example.test
	fails 78 "$HOME/.smtpsendrc:8: from: address \"alice\""
}

@test "a login that would not take place is refused" {
	local option
	for option in --user=alice --auth=on '--passwordeval=echo pencil'; do
		try --mx "$option" bob@example.test
		fails 64 "${option%%=*}: there is no login at servers found by MX"
	done
	try --host smtp.provider.test '--passwordeval=echo pencil' \
		bob@example.test
	fails 64 '--passwordeval: there is no login without --user or --auth'
}

@test "a plan tells that there will be no login" {
	local level
	for level in none may encrypt; do
		try --dry-run --tls $level bob@example.test
		assert_line --partial 'no login: the connection is not verified'
		try --tls $level bob@example.test
		assert_equal "$status" 77
		try --dry-run --tls $level --insecure-auth bob@example.test
		refute_line --partial 'no login'
	done
	try --dry-run bob@example.test
	refute_line --partial 'no login'
	change 's/^tls on/&\ntls_certcheck off/'
	try --dry-run bob@example.test
	refute_line --partial 'no login'
	try bob@example.test
	assert_equal "$status" 0
}

@test "what is printed for an address works with the same trust" {
	run --separate-stderr "$SMTPSEND" --tls-trust-file "$D/ca/ca.pem" \
		--configure alice@provider.test --resolve \
		smtp.provider.test:465:127.0.0.2
	assert_equal "$status$stderr" 0
	assert_line "tls_trust_file $D/ca/ca.pem"
}

@test "lost output of --help counts" {
	run --separate-stderr sh -c '"$SMTPSEND" --help >/dev/full'
	fails 73 'cannot write to stdout'
}
